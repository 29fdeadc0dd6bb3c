//! Attacks on free texts: beside the people who wrote something, beside the ballots that they left, and beside each other.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::content::{draft_lengths, envelope_lengths, length};
use super::ids::{alike, derived};
use super::link::by_rows;
use super::order::{
    Keys, arrival, batch, by_wal, by_xmin, code_row, draft, envelope, heap, ids, in_box, place, public, spot, written,
    xmin,
};
use super::{About, Attack, Guess, key};
use crate::copies::{Evidence, Remark};

/// What it is about, its name, what it uses, and the guess.
type Pairing = (About, &'static str, &'static str, fn(&Evidence) -> Guess);

pub fn all() -> Vec<Attack> {
    macro_rules! orders {
        ($($about:ident $name:literal, $uses:literal, $of:ident, $to:ident;)*) => {
            vec![$(Attack {
                about: About::$about, name: $name, uses: $uses, guess: |held| Guess::Orders($of(held), $to(held)),
            }),*]
        };
    }
    let mut all = orders! {
        Remarks "text: arrival, heap", "times of arrival; where texts stand", arrival, text_heap;
        Remarks "text: arrival, ids", "times of arrival; ids of texts", arrival, text_ids;
        Remarks "text: arrival, log of writes", "times of arrival; the log of writes at the opening", arrival, text_written;
        Remarks "text: arrival, transactions", "times of arrival; xmin of texts", arrival, text_xmin;
        Remarks "text: arrival, numbers", "times of arrival; numbers beside a text", arrival, text_extra;
        Remarks "text: batches, heap", "sizes and times of checkpoints; where texts stand", batch, text_heap;
        Remarks "text: code row, heap", "where the used code's row stands; where texts stand", code_row, text_heap;
        Remarks "text: public key, ids", "public keys; ids of texts", public, text_ids;
        Remarks "text: draft, ids", "id of the draft that went; ids of texts", draft, text_ids;
        Remarks "text: envelope, ids", "envelope by the rows; ids of texts", envelope, text_ids;
        Remarks "text: envelope, log of writes", "envelope by the rows; the log of writes", envelope, text_written;
        Remarks "text: envelope by transaction, heap", "xmin of code and envelope; where texts stand", by_xmin, text_heap;
        Remarks "text: envelope pairs in the log of writes", "its records of the cast and of the opening", by_wal, text_written;
        Remarks "text: place in the log, heap", "the public log's leaves; where texts stand", place, text_heap;
        Remarks "text: place in the box, log of writes", "where the box has the envelope; the log of writes", in_box, text_written;
        Remarks "text: size of the envelope", "lengths of envelopes and of texts", envelope_lengths, text_lengths;
        Remarks "text: size of the draft", "lengths of last drafts and of texts", draft_lengths, text_lengths;
        RemarksOfBallots "text of a ballot: ids", "ids of ballots; ids of texts", ids, text_ids;
        RemarksOfBallots "text of a ballot: heap", "where ballots stand; where texts stand", heap, text_heap;
        RemarksOfBallots "text of a ballot: log of writes", "records of ballots; records of texts", written, text_written;
        RemarksOfBallots "text of a ballot: transactions", "xmin of ballots; xmin of texts", xmin, text_xmin;
        SecondRemarks "two texts: ids", "ids of texts", text_ids, text_ids;
        SecondRemarks "two texts: heap", "where texts stand", text_heap, text_heap;
        SecondRemarks "two texts: log of writes", "records of texts", text_written, text_written;
        SecondRemarks "two texts: transactions", "xmin of texts", text_xmin, text_xmin;
        SecondRemarks "two texts: numbers", "numbers beside a text", text_extra, text_extra;
    };
    let pairs: [Pairing; 4] = [
        (About::Remarks, "text: bits of the envelope", "bits that envelope and text id share", |held| {
            alike(by_rows(held), &id_list(held))
        }),
        (About::Remarks, "text: derived id", "hashes of envelope, key, signature, place, with the salt", |held| {
            derived(held, id_list(held))
        }),
        (About::RemarksOfBallots, "text of a ballot: bits", "bits that the ids of ballot and text share", |held| {
            alike(ids(held), &id_list(held))
        }),
        (About::RemarksOfBallots, "text of a ballot: derived id", "hashes of the ballot's id and content", of_ballot),
    ];
    all.extend(pairs.map(|(about, name, uses, guess)| Attack { about, name, uses, guess }));
    all
}

fn texts(held: &Evidence, of: impl Fn(&Remark) -> Option<Vec<u8>>) -> Keys {
    held.remarks.iter().map(of).collect()
}

fn id_list(held: &Evidence) -> Vec<Vec<u8>> {
    held.remarks.iter().map(|remark| remark.id.clone()).collect()
}

fn text_heap(held: &Evidence) -> Keys {
    texts(held, |remark| spot(held.file.get(&remark.id)).or_else(|| Some(key(remark.ctid))))
}

fn text_ids(held: &Evidence) -> Keys {
    texts(held, |remark| Some(remark.id.clone()))
}

fn text_written(held: &Evidence) -> Keys {
    texts(held, |remark| spot(held.writes.get(&remark.id)))
}

fn text_xmin(held: &Evidence) -> Keys {
    texts(held, |remark| Some(key(remark.xmin)))
}

fn text_extra(held: &Evidence) -> Keys {
    texts(held, |remark| remark.extra.map(key))
}

fn text_lengths(held: &Evidence) -> Keys {
    texts(held, |remark| Some(length(remark.body.len())))
}

fn of_ballot(held: &Evidence) -> Guess {
    let made = |id: &[u8], body: &[u8]| -> HashSet<Vec<u8>> {
        let mut parts = vec![id.to_vec(), Sha256::digest(id).to_vec(), Sha256::digest(body).to_vec()];
        parts.push(Sha256::digest([held.salt.as_slice(), id].concat()).to_vec());
        parts.push(Sha256::digest([held.salt.as_slice(), body].concat()).to_vec());
        parts.into_iter().collect()
    };
    let made: Vec<HashSet<Vec<u8>>> = held.ballots.iter().map(|b| made(&b.id, b.body.as_bytes())).collect();
    let ids = id_list(held);
    Guess::Pairs(Box::new(move |ballot, text| {
        i64::from(made[ballot].iter().any(|hash| hash.windows(ids[text].len()).any(|part| part == ids[text])))
    }))
}
