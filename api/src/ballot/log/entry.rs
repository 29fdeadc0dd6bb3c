//! What the log says: one leaf an entry, canonical JSON (RFC 8785) of at most 65,535 bytes. The formats are in
//! `README.md` beside this file.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use survey_forms::canonical;

use super::merkle::Node;

/// A leaf of the log. Hashes are lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The first: what was declared before the first ballot.
    Open {
        /// Id of the round.
        round: String,
        /// Hash of everything that the round decides.
        rules_hash: String,
        /// Hash of each group's questionnaire.
        questionnaires: BTreeMap<String, String>,
        /// Hash of who is invited.
        roster_hash: String,
        /// What ballots are sealed to.
        box_public_key: String,
        /// From here no online ballot is accepted (RFC 3339).
        closes_at: String,
        /// From here no paper ballot is accepted.
        keying_closes_at: String,
        /// How long after `closes_at` a saved draft may still be cast.
        grace_minutes: u32,
        /// All codes made so far, the revoked ones too.
        credentials: Committed,
        /// Of these, revoked.
        revoked: u64,
        /// Of whom any two open the box; left out when one file does.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        trustees: Vec<String>,
        /// Groups whose letters are addressed, so that somebody knows until the close who holds which code; left out when
        /// there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        addressed: Vec<String>,
    },
    /// A ballot in the box.
    Envelope {
        /// Its receipt.
        id: String,
    },
    /// After the envelopes of each batch: codes used so far whose envelope is in the log.
    Redeemed {
        /// How many.
        total: u64,
        /// Root over them; only with the last one, as a root a batch would tell which codes went with which batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        root: Option<String>,
    },
    /// At the close: the codes of paper ballots.
    Paper {
        /// Made and not revoked: printed.
        issued: u64,
        /// Of these, keyed and in the box.
        used: u64,
        /// Of these, not come back or not keyed to the end.
        unused: u64,
        /// Of the unused, keyed in part and given up.
        unsettled: u64,
        /// Revoked besides.
        revoked: u64,
        /// Where every sheet went; absent in logs that an older version closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        sheets: Option<PaperBook>,
    },
    /// At the close, where letters were addressed: nobody can look up any more who held which code.
    TiesDestroyed {
        /// People whose names and addresses were deleted.
        addressees: u64,
        /// Ties between a person and a code that were deleted.
        ties: u64,
        /// Letters that were deleted from the outbox.
        letters: u64,
    },
    /// Nothing more is accepted; counts are fixed before anything can be read.
    Close {
        /// Envelopes in the log.
        envelopes: u64,
        /// All codes ever made.
        credentials: Committed,
        /// Of these, neither used nor revoked.
        unused: u64,
        /// Of these, revoked.
        revoked: u64,
    },
    /// The box was opened.
    Opened {
        /// Envelopes in it.
        envelopes: u64,
        /// Of these, ballots that read.
        opened: u64,
        /// The others, by reason.
        unreadable: BTreeMap<String, u64>,
        /// Blinded commitment to the opened ballots ([`super::commit::ballots_commitment`]).
        ballots: String,
    },
    /// Scores were published.
    Result {
        /// From 1.
        release: u64,
        /// SHA-256 of the published document.
        sha256: String,
    },
    /// Something that should not happen often, in totals only.
    Incident {
        /// What.
        what: What,
        /// Codes made by it.
        issued: u64,
        /// Codes revoked by it.
        revoked: u64,
        /// The new hash of who is invited, when that changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        roster_hash: Option<String>,
    },
}

/// Where the sheets of paper went, of the round and of each group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperBook {
    /// Of the round.
    pub total: PaperCount,
    /// Of each group with paper ballots.
    pub groups: BTreeMap<String, PaperCount>,
    /// Papers that came under a code that had been used: set aside, and not among the sheets twice.
    pub duplicates: u64,
}

/// Sheets by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperCount {
    /// All that were made, replaced ones too.
    pub printed: u64,
    /// In the box.
    pub used: u64,
    /// Came back, and is no ballot by the word of two.
    pub void: u64,
    /// Misprinted, torn, replaced.
    pub spoiled: u64,
    /// Reached nobody.
    pub undeliverable: u64,
    /// Nobody knows where.
    pub lost: u64,
    /// Handed out, and not come back.
    pub not_returned: u64,
    /// Came back, and was not keyed to the end.
    pub unkeyed: u64,
}

impl PaperCount {
    /// What became of the sheets; `None` when no number holds it.
    #[must_use]
    pub fn accounted(&self) -> Option<u64> {
        let Self { printed: _, used, void, spoiled, undeliverable, lost, not_returned, unkeyed } = *self;
        [used, void, spoiled, undeliverable, lost, not_returned, unkeyed].into_iter().try_fold(0_u64, u64::checked_add)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            printed: self.printed.saturating_add(other.printed),
            used: self.used.saturating_add(other.used),
            void: self.void.saturating_add(other.void),
            spoiled: self.spoiled.saturating_add(other.spoiled),
            undeliverable: self.undeliverable.saturating_add(other.undeliverable),
            lost: self.lost.saturating_add(other.lost),
            not_returned: self.not_returned.saturating_add(other.not_returned),
            unkeyed: self.unkeyed.saturating_add(other.unkeyed),
        }
    }
}

impl PaperBook {
    /// Why the sheets do not add up, if they do not: in a group, between the groups and the round.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        for (group, count) in self.groups.iter().map(|(g, c)| (g.as_str(), c)).chain([("the round", &self.total)]) {
            if count.accounted() != Some(count.printed) {
                let sum = count.accounted().unwrap_or(u64::MAX);
                return Some(format!("{group}: {} sheets printed, {sum} accounted for", count.printed));
            }
        }
        let sum = self.groups.values().fold(PaperCount::default(), |sum, count| sum.plus(*count));
        (sum != self.total).then(|| "the groups' sheets are not the round's".to_owned())
    }
}

/// Kinds of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// More codes were made after the round had opened.
    CodesIssued,
    /// A code was withdrawn after the round had opened.
    CodesRevoked,
    /// A code was withdrawn and another one made for the same place.
    CodesReplaced,
    /// Who is invited was imported anew.
    RosterReplaced,
}

/// A number of things and the Merkle tree hash over them in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// How many.
    pub total: u64,
    /// Root over them.
    pub root: String,
}

const ENVELOPE_HEAD: &str = r#"{"entry":"envelope","id":""#;
const ENVELOPE_TAIL: &str = r#""}"#;

impl Entry {
    /// The leaf's bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        // Text, numbers and maps with text keys: this cannot fail to become JSON.
        canonical::to_vec(&serde_json::to_value(self).unwrap_or_default())
    }

    /// The leaf as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.canonical()).unwrap_or_default()
    }

    /// The leaf of an envelope, without the detour.
    #[must_use]
    pub fn envelope(id: &Node) -> Vec<u8> {
        [ENVELOPE_HEAD, &HEXLOWER.encode(id), ENVELOPE_TAIL].concat().into_bytes()
    }

    /// The envelope that a leaf is of, if it is one.
    #[must_use]
    pub fn envelope_id(leaf: &[u8]) -> Option<Node> {
        let hex = leaf.strip_prefix(ENVELOPE_HEAD.as_bytes())?.strip_suffix(ENVELOPE_TAIL.as_bytes())?;
        HEXLOWER.decode(hex).ok()?.try_into().ok()
    }

    /// Reads a leaf; only canonical bytes of a known entry.
    #[must_use]
    pub fn parse(leaf: &[u8]) -> Option<Self> {
        let entry: Self = serde_json::from_slice(leaf).ok()?;
        (entry.canonical() == leaf).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_one_spelling() {
        let leaf = Entry::envelope(&[0xab; 32]);
        assert_eq!(Entry::envelope_id(&leaf), Some([0xab; 32]));
        assert_eq!(Entry::parse(&leaf), Some(Entry::Envelope { id: "ab".repeat(32) }));
        for wrong in [
            format!(r#"{{"entry":"envelope","id":"{}"}} "#, "ab".repeat(32)),
            format!(r#"{{"id":"{}","entry":"envelope"}}"#, "ab".repeat(32)),
            format!(r#"{{"entry":"envelope","id":"{}","at":1}}"#, "ab".repeat(32)),
            r#"{"entry":"sealed"}"#.to_owned(),
        ] {
            assert_eq!(Entry::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Entry::envelope_id(&Entry::envelope(&[0xab; 32]).to_ascii_uppercase()), None);
        // As an older version wrote it: no word about the sheets.
        let old = br#"{"entry":"paper","issued":3,"revoked":1,"unsettled":0,"unused":1,"used":2}"#;
        assert!(matches!(Entry::parse(old), Some(Entry::Paper { issued: 3, sheets: None, .. })));
        let redeemed = Entry::Redeemed { total: 3, root: None };
        assert_eq!(redeemed.canonical(), br#"{"entry":"redeemed","total":3}"#);
    }
}

#[cfg(test)]
mod paper_tests {
    use super::*;

    #[test]
    fn sheets_that_do_not_add_up_are_named() {
        let count = PaperCount { printed: 10, used: 6, void: 1, lost: 1, not_returned: 2, ..PaperCount::default() };
        let book = |total, group| PaperBook { total, groups: [("HĐ".to_owned(), group)].into(), duplicates: 1 };
        assert_eq!(book(count, count).fault(), None);
        let fewer = PaperCount { lost: 0, ..count };
        assert_eq!(book(count, fewer).fault().unwrap(), "HĐ: 10 sheets printed, 9 accounted for");
        assert_eq!(book(fewer, count).fault().unwrap(), "the round: 10 sheets printed, 9 accounted for");
        let other = PaperCount { used: 5, void: 2, ..count };
        assert_eq!(book(count, other).fault().unwrap(), "the groups' sheets are not the round's");
        let huge = PaperCount { used: u64::MAX, ..count };
        assert!(book(huge, huge).fault().is_some(), "no number wraps around");
    }
}
