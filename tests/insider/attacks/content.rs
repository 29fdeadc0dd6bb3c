//! Attacks by what is stored: how long it is, and whether it can be read.

use std::collections::HashMap;

use super::link::by_rows;
use super::order::Keys;
use super::{About, Attack, Guess, key};
use crate::copies::Evidence;

pub fn all() -> Vec<Attack> {
    vec![
        Attack {
            about: About::Ballots,
            name: "size of the envelope",
            uses: "lengths of envelopes and of ballots",
            guess: envelope_size,
        },
        Attack {
            about: About::Ballots,
            name: "size of the draft",
            uses: "lengths of last drafts and of ballots",
            guess: draft_size,
        },
        Attack {
            about: About::Ballots,
            name: "envelope that reads",
            uses: "bytes of envelopes beside ballots",
            guess: readable,
        },
        Attack {
            about: About::Ballots,
            name: "draft that reads",
            uses: "bytes of drafts beside ballots",
            guess: readable_draft,
        },
    ]
}

pub(super) fn length(of: usize) -> Vec<u8> {
    key(i64::try_from(of).unwrap())
}

fn bodies(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    held.ballots.iter().map(|b| Some(length(b.body.len()))).collect()
}

fn sealed(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    by_rows(held).into_iter().map(|id| held.ballot_box.get(&id?).map(|row| row.body.clone())).collect()
}

/// The last draft that each person's requests left.
fn drafts(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    let mut last = HashMap::new();
    for seen in &held.journal {
        for row in seen.came.get("draft").into_iter().flatten() {
            seen.who.iter().for_each(|who| drop(last.insert(*who, row.body.clone())));
        }
    }
    (0..held.people.len()).map(|p| last.remove(&p)).collect()
}

pub(super) fn envelope_lengths(held: &Evidence) -> Keys {
    sealed(held).into_iter().map(|sealed| sealed.map(|bytes| length(bytes.len()))).collect()
}

pub(super) fn draft_lengths(held: &Evidence) -> Keys {
    drafts(held).into_iter().map(|draft| draft.map(|bytes| length(bytes.len()))).collect()
}

fn envelope_size(held: &Evidence) -> Guess {
    Guess::Orders(envelope_lengths(held), bodies(held))
}

fn draft_size(held: &Evidence) -> Guess {
    Guess::Orders(draft_lengths(held), bodies(held))
}

fn holds(stored: Vec<Option<Vec<u8>>>, held: &Evidence) -> Guess {
    // The answers of a canonical ballot stand first.
    let answers: Vec<Vec<u8>> = held
        .ballots
        .iter()
        .map(|b| b.body.strip_prefix("{\"answers\":").and_then(|b| b.split_once("}}")).unwrap().0.as_bytes().to_vec())
        .collect();
    Guess::Pairs(Box::new(move |person, ballot| {
        let Some(stored) = &stored[person] else { return 0 };
        let head = &answers[ballot][..answers[ballot].len().min(12)];
        let start = stored.windows(head.len()).position(|part| part == head);
        start.map_or(0, |at| stored[at..].iter().zip(&answers[ballot]).take_while(|(a, b)| a == b).map(|_| 1_i64).sum())
    }))
}

fn readable(held: &Evidence) -> Guess {
    holds(sealed(held), held)
}

fn readable_draft(held: &Evidence) -> Guess {
    holds(drafts(held), held)
}
