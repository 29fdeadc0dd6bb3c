//! Attacks by ids: a ballot's id that is made of something known, or shares bits with it.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::link::by_rows;
use super::{About, Attack, Guess};
use crate::copies::Evidence;

pub fn all() -> Vec<Attack> {
    vec![
        Attack {
            about: About::Ballots,
            name: "bits of the envelope",
            uses: "bits that envelope and ballot id share",
            guess: envelope_bits,
        },
        Attack {
            about: About::Ballots,
            name: "bits of the public key",
            uses: "bits that public key and ballot id share",
            guess: key_bits,
        },
        Attack {
            about: About::Ballots,
            name: "derived id",
            uses: "hashes of envelope, key, signature, place, with the salt",
            guess: |held| derived(held, ballots(held)),
        },
    ]
}

fn ballots(held: &Evidence) -> Vec<Vec<u8>> {
    held.ballots.iter().map(|b| b.id.clone()).collect()
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Equal bits of an id and of the known bytes, wherever they are laid side by side.
pub(super) fn alike(known: Vec<Option<Vec<u8>>>, ids: &[Vec<u8>]) -> Guess {
    let ids: Vec<u128> = ids.iter().map(|id| number(id)).collect();
    let parts = |known: Option<Vec<u8>>| known.iter().flat_map(|bytes| bytes.windows(16).map(number)).collect();
    let known: Vec<Vec<u128>> = known.into_iter().map(parts).collect();
    Guess::Pairs(Box::new(move |person, ballot| {
        let equal = known[person].iter().map(|part| (part ^ ids[ballot]).count_zeros());
        equal.max().map_or(0, i64::from)
    }))
}

fn envelope_bits(held: &Evidence) -> Guess {
    alike(by_rows(held), &ballots(held))
}

fn key_bits(held: &Evidence) -> Guess {
    alike(held.people.iter().map(|known| Some(known.public.clone())).collect(), &ballots(held))
}

/// An id that is a hash, or a part, of what is known of a person.
pub(super) fn derived(held: &Evidence, ids: Vec<Vec<u8>>) -> Guess {
    let linked = by_rows(held);
    let hashes = |person: usize| {
        let known = &held.people[person];
        let mut parts: Vec<Vec<u8>> = vec![known.public.clone()];
        parts.extend(held.credentials.get(&known.public).map(|row| row.body.clone()));
        if let Some(id) = &linked[person] {
            parts.push(id.clone());
            parts.extend(held.ballot_box.get(id).map(|row| row.body.clone()));
            parts.extend(held.places.get(id).map(|place| place.to_be_bytes().to_vec()));
        }
        let mut made = HashSet::new();
        for part in parts {
            made.insert(Sha256::digest(&part).to_vec());
            made.insert(Sha256::digest([held.salt.as_slice(), &part].concat()).to_vec());
            made.insert(Sha256::digest([part.as_slice(), &held.salt].concat()).to_vec());
            made.insert(part);
        }
        made
    };
    let made: Vec<HashSet<Vec<u8>>> = (0..held.people.len()).map(hashes).collect();
    Guess::Pairs(Box::new(move |person, one| {
        i64::from(made[person].iter().any(|hash| hash.windows(ids[one].len()).any(|part| part == ids[one])))
    }))
}
