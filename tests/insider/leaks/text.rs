//! Leaks of free texts, and of an order that only the database's log of writes still has.

use sha2::{Digest as _, Sha256};

use super::{LOG_OF_WRITES, Make, Scene, random};
use crate::world::{ROUND, Truth};

/// What is leaked, how, and what the name of an attack or find has that must catch it.
pub(super) const LEAKS: [(&str, Make, &str); 13] = [
    ("texts are stored as they were cast", |s| s.texts(&s.texts_by_casting(), |_, text| text.own()), "text: "),
    ("ids of texts count up", |s| s.texts(&s.texts_by_casting(), |n, _| (n as u128).to_be_bytes().to_vec()), "text: "),
    (
        "texts are stored in the order of their ballots",
        |s| {
            let mut texts = s.texts_by_casting();
            texts.sort_by_key(|text| text.ballot.clone());
            s.texts(&texts, |_, text| text.own());
        },
        "text of a ballot: ",
    ),
    (
        "an id of a text is part of its ballot's",
        |s| s.texts_by_id(|text| [&text.ballot[..12], &text.own()[..4]].concat()),
        "text of a ballot: ",
    ),
    (
        "an id of a text is the hash of its ballot's",
        |s| s.texts_by_id(|text| [&Sha256::digest(&text.ballot)[..15], &[text.nth]].concat()),
        "two texts: ",
    ),
    (
        "an id of a text is the hash of the ballot without it",
        |s| {
            let bodies = s.truth.bodies.clone();
            s.texts_by_id(move |text| {
                let hash = Sha256::digest(&bodies[text.who]);
                hash[usize::from(text.nth)..][..16].to_vec()
            });
        },
        "text of a ballot: derived",
    ),
    (
        "an id of a text is the hash of the envelope's",
        |s| {
            let receipts = s.truth.receipts.clone();
            s.texts_by_id(move |text| Sha256::digest(&receipts[text.who])[usize::from(text.nth)..][..16].to_vec());
        },
        "text: derived",
    ),
    ("texts of one person have ids that follow each other", |s| s.texts_by_id(Text::beside), "two texts: ids"),
    (
        "a text has a time",
        |s| {
            s.world.run("ALTER TABLE remark ADD COLUMN sent_ms BIGINT");
            let texts = s.texts_by_casting();
            s.store_texts(&texts, |_, text| text.own());
            let set = |(n, text): (usize, &Text)| {
                format!("UPDATE remark SET sent_ms = {n} WHERE id = {};", s.bytes(&text.own()))
            };
            s.world.run(&texts.iter().enumerate().map(set).collect::<String>());
            s.read();
            s.world.run("ALTER TABLE remark DROP COLUMN sent_ms");
        },
        "text: arrival, numbers",
    ),
    (
        "envelopes are as long as their first text",
        |s| s.each_envelope(|truth, who| vec![7; 48 + letters(truth, who)]),
        "text: size of the envelope",
    ),
    (
        "drafts are as long as their first text",
        |s| s.each_draft(|truth, who| vec![7; 40 + letters(truth, who)]),
        "text: size of the draft",
    ),
    (
        "a text can be read in a page",
        |s| {
            let text = s.truth.remarks.iter().find_map(|all| all.values().next()).unwrap();
            s.leave("envelope", text);
        },
        "free text",
    ),
    (
        "ballots are put in order only after they were stored",
        |s| {
            s.restore_rows(&s.by_casting(), |_, who| random(who));
            // A copy of the log is held from every moment, that of a table that is gone too.
            s.read();
            if s.world.sqlite.is_none() {
                // In the table nothing is left of it: one transaction, in the order of the ids.
                s.world.run(
                    "CREATE TABLE sorted AS SELECT * FROM ballot; TRUNCATE ballot; \
                     INSERT INTO ballot SELECT * FROM sorted ORDER BY id; DROP TABLE sorted",
                );
            }
            s.read();
        },
        LOG_OF_WRITES,
    ),
];

/// Length of somebody's first text, in bytes; 0 of who wrote none.
fn letters(truth: &Truth, who: usize) -> usize {
    truth.remarks[who].values().next().map_or(0, String::len)
}

/// A text that somebody wrote.
pub(super) struct Text {
    who: usize,
    /// Which of theirs.
    nth: u8,
    place: String,
    body: String,
    /// The id of their ballot.
    ballot: Vec<u8>,
}

impl Text {
    /// An id that nobody could know.
    fn own(&self) -> Vec<u8> {
        Sha256::digest(format!("not known to anybody either {} {}", self.who, self.nth))[..16].to_vec()
    }

    fn beside(&self) -> Vec<u8> {
        let mut id = random(self.who);
        id[15] = self.nth;
        id
    }
}

impl Scene<'_> {
    fn texts_by_casting(&self) -> Vec<Text> {
        let of = |who: usize| {
            let ballot = self.held.ballots.iter().find(|ballot| ballot.body == self.truth.bodies[who]).unwrap();
            let all = self.truth.remarks[who].iter().zip(0_u8..);
            all.map(move |((place, body), nth)| Text {
                who,
                nth,
                place: place.clone(),
                body: body.clone(),
                ballot: ballot.id.clone(),
            })
        };
        self.by_casting().into_iter().flat_map(of).collect()
    }

    /// Stored in the order of their ids, so that only these tell.
    fn texts_by_id(&mut self, id: impl Fn(&Text) -> Vec<u8>) {
        let mut texts = self.texts_by_casting();
        texts.sort_by_key(&id);
        self.texts(&texts, |_, text| id(text));
    }

    fn texts(&mut self, texts: &[Text], id: impl Fn(usize, &Text) -> Vec<u8>) {
        self.store_texts(texts, id);
        self.read();
    }

    /// Stores the texts anew in this order, each in a transaction of its own.
    fn store_texts(&mut self, texts: &[Text], id: impl Fn(usize, &Text) -> Vec<u8>) {
        self.world.empty_log();
        self.world.run(if self.world.sqlite.is_some() { "DELETE FROM remark" } else { "TRUNCATE remark" });
        for (n, text) in texts.iter().enumerate() {
            let id = self.bytes(&id(n, text));
            let (group, rest) = text.place.split_once('/').unwrap();
            let (target, item) = rest.split_once(' ').unwrap();
            self.world.run(&format!(
                "INSERT INTO remark (id, round, respondent_code, target, item_code, body) \
                 VALUES ({id}, '{ROUND}', '{group}', '{target}', '{item}', '{}')",
                text.body
            ));
        }
    }
}
