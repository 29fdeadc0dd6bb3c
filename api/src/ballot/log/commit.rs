//! What the log commits to without showing it: codes, redeemed codes, opened ballots, the roster. Each is recomputed
//! from the auditor's pack.

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use survey_forms::canonical;

use super::entry::Committed;
use super::merkle::{Node, Tree};
use crate::ballot::PublicKey;

const BALLOTS: &str = "phieu/ballots/v1";
const BALLOTS_AND_REMARKS: &str = "phieu/ballots-and-remarks/v1";

/// A code as its round's log commits to it. Codes stand in the order of their public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its public key.
    pub public_key: PublicKey,
    /// The group.
    pub respondent_code: String,
    /// The unit; empty when the group has none.
    pub source_unit: String,
    /// What the ballot rates, joined by `+`.
    pub targets: String,
    /// `online` or `paper`.
    pub channel: String,
}

impl Code {
    /// The leaf: public key in hex, group, unit, targets, channel, a line each.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        let key = HEXLOWER.encode(&self.public_key);
        [key.as_str(), &self.respondent_code, &self.source_unit, &self.targets, &self.channel].join("\n").into_bytes()
    }

    /// What the ballot of this code is about, as it was signed on use.
    #[must_use]
    pub fn stratum(&self) -> String {
        format!("{}/{}", self.respondent_code, self.targets)
    }
}

/// The leaf of a used code: its public key and its signature.
#[must_use]
pub fn redeemed_leaf(public: &PublicKey, signature: &[u8]) -> Vec<u8> {
    [public.as_slice(), signature].concat()
}

/// Commitment to the opened ballots: the salt keeps anybody from trying out what the last ballot might have been.
/// `ballots` are the SHA-256 of the canonical ballots as they are kept, that is without free text; `remarks` those of the
/// free texts that left them. Both get sorted. Without remarks only the ballots are hashed.
#[must_use]
pub fn ballots_commitment(salt: &[u8], ballots: &mut [Node], remarks: &mut [Node]) -> String {
    let root = sorted_root(ballots);
    let hash = if remarks.is_empty() {
        Sha256::new().chain_update(BALLOTS).chain_update(salt).chain_update(root)
    } else {
        let hash = Sha256::new().chain_update(BALLOTS_AND_REMARKS).chain_update(salt);
        hash.chain_update(root).chain_update(sorted_root(remarks))
    };
    HEXLOWER.encode(&hash.finalize())
}

fn sorted_root(hashes: &mut [Node]) -> Node {
    hashes.sort_unstable();
    let mut tree = Tree::default();
    for hash in hashes.iter() {
        tree.push(hash);
    }
    tree.root()
}

/// Hash of who is invited: rows of group, unit and head count, sorted, as canonical JSON.
#[must_use]
pub fn roster_hash(rows: &[(String, String, i64)]) -> String {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort();
    let rows = json!(rows.iter().map(|(group, unit, people)| json!([group, unit, people])).collect::<Vec<_>>());
    HEXLOWER.encode(&Sha256::digest(canonical::to_vec(&rows)))
}

/// A tree as an entry names it.
#[must_use]
pub fn committed(tree: &Tree) -> Committed {
    Committed { total: tree.size(), root: HEXLOWER.encode(&tree.root()) }
}
