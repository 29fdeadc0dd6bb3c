//! Attacks by order and place: whatever has kept the order of casting, of the box or of the log, laid beside whatever
//! orders the opened ballots.

use super::link::{by_pages, by_rows, by_transaction, by_writes};
use super::{About, Attack, Guess, key};
use crate::copies::{Evidence, Spot, Stored};

pub(super) type Keys = Vec<Option<Vec<u8>>>;

pub fn all() -> Vec<Attack> {
    macro_rules! orders {
        ($($name:literal, $uses:literal, $people:ident, $ballots:ident;)*) => {
            vec![$(Attack { about: About::Ballots, name: $name, uses: $uses, guess: |held| Guess::Orders($people(held), $ballots(held)) }),*]
        };
    }
    orders! {
        "arrival, heap", "times of arrival; where ballots stand (ctid, page and offset)", arrival, heap;
        "arrival, ids", "times of arrival; ids of ballots", arrival, ids;
        "arrival, index", "times of arrival; where SQLite's index has the ballots", arrival, index;
        "arrival, log of writes", "times of arrival; the log of writes at the opening", arrival, written;
        "arrival, transactions", "times of arrival; xmin of ballots", arrival, xmin;
        "arrival, numbers", "times of arrival; row ids and columns beside a ballot", arrival, extra;
        "turnout and batches, heap", "sizes and times of checkpoints; where ballots stand", batch, heap;
        "turnout and batches, numbers", "sizes and times of checkpoints; numbers beside a ballot", batch, extra;
        "code row, heap", "where the used code's row stands and its xmin; where ballots stand", code_row, heap;
        "public key, ids", "public keys; ids of ballots", public, ids;
        "public key, heap", "public keys; where ballots stand", public, heap;
        "redeem signature, ids", "signatures beside the codes; ids of ballots", signature, ids;
        "draft, ids", "id of the draft that went with the cast; ids of ballots", draft, ids;
        "draft, heap", "id of the draft that went with the cast; where ballots stand", draft, heap;
        "envelope, ids", "envelope by the rows of the request; ids of ballots", envelope, ids;
        "envelope, heap", "envelope by the rows of the request; where ballots stand", envelope, heap;
        "envelope, log of writes", "envelope by the rows; the log of writes", envelope, written;
        "envelope by transaction, heap", "xmin of code and envelope; where ballots stand", by_xmin, heap;
        "envelope pairs in the log of writes", "its records of the cast and of the opening", by_wal, written;
        "place in the log, ids", "the public log's leaves; ids of ballots", place, ids;
        "place in the log, heap", "the public log's leaves; where ballots stand", place, heap;
        "place in the box, heap", "where the box has the envelope; where ballots stand", in_box, heap;
        "place in the box, log of writes", "where the box has the envelope; the log of writes", in_box, written;
        "pages, heap", "pages that the cast changed; where ballots stand", pages, heap;
    }
}

fn each(held: &Evidence, of: impl Fn(usize) -> Option<Vec<u8>>) -> Keys {
    (0..held.people.len()).map(of).collect()
}

fn ballots(held: &Evidence, of: impl Fn(&Stored) -> Option<Vec<u8>>) -> Keys {
    held.ballots.iter().map(of).collect()
}

pub(super) fn spot(at: Option<&Spot>) -> Option<Vec<u8>> {
    at.map(|at| [key(at.page), key(at.offset)].concat())
}

pub(super) fn arrival(held: &Evidence) -> Keys {
    each(held, |p| Some(key(held.people[p].cast_at)))
}

/// How many checkpoints there were before.
pub(super) fn batch(held: &Evidence) -> Keys {
    each(held, |p| {
        let before = held.checkpoints.iter().filter(|(at, _)| *at <= held.people[p].cast_at).count();
        i64::try_from(before).ok().map(key)
    })
}

pub(super) fn public(held: &Evidence) -> Keys {
    each(held, |p| Some(held.people[p].public.clone()))
}

fn signature(held: &Evidence) -> Keys {
    each(held, |p| held.credentials.get(&held.people[p].public).map(|row| row.body.clone()))
}

pub(super) fn code_row(held: &Evidence) -> Keys {
    each(held, |p| {
        let row = held.credentials.get(&held.people[p].public)?;
        spot(held.file.get(&row.key)).or_else(|| Some([key(row.ctid), key(row.xmin)].concat()))
    })
}

pub(super) fn draft(held: &Evidence) -> Keys {
    let mut keys = vec![None; held.people.len()];
    for seen in held.journal.iter().filter(|seen| seen.who.len() == 1) {
        if let Some(gone) = seen.gone.get("draft").and_then(|gone| gone.first()) {
            keys[seen.who[0]] = Some(gone.clone());
        }
    }
    keys
}

fn pages(held: &Evidence) -> Keys {
    let mut keys = vec![None; held.people.len()];
    for seen in held.journal.iter().filter(|seen| seen.came.contains_key("envelope")) {
        for who in seen.who.iter().filter(|p| held.people[**p].cast_at == seen.at) {
            keys[*who] = Some(seen.pages.iter().flat_map(|page| page.to_be_bytes()).collect());
        }
    }
    keys
}

pub(super) fn envelope(held: &Evidence) -> Keys {
    by_rows(held)
}

pub(super) fn by_xmin(held: &Evidence) -> Keys {
    by_transaction(held)
}

pub(super) fn by_wal(held: &Evidence) -> Keys {
    let linked = if held.written_by.values().any(|xid| *xid > 0) { by_writes(held) } else { by_pages(held) };
    linked.into_iter().map(|id| spot(held.writes.get(&id?))).collect()
}

pub(super) fn place(held: &Evidence) -> Keys {
    by_rows(held).into_iter().map(|id| held.places.get(&id?).map(|place| key(*place))).collect()
}

pub(super) fn in_box(held: &Evidence) -> Keys {
    let place = |id: Vec<u8>| spot(held.file.get(&id)).or_else(|| held.ballot_box.get(&id).map(|row| key(row.ctid)));
    by_rows(held).into_iter().map(|id| place(id?)).collect()
}

pub(super) fn heap(held: &Evidence) -> Keys {
    ballots(held, |b| spot(held.file.get(&b.id)).or_else(|| Some(key(b.ctid))))
}

fn index(held: &Evidence) -> Keys {
    ballots(held, |b| spot(held.index.get(&b.id)))
}

pub(super) fn ids(held: &Evidence) -> Keys {
    ballots(held, |b| Some(b.id.clone()))
}

pub(super) fn written(held: &Evidence) -> Keys {
    ballots(held, |b| spot(held.writes.get(&b.id)))
}

pub(super) fn xmin(held: &Evidence) -> Keys {
    ballots(held, |b| Some(key(b.xmin)))
}

fn extra(held: &Evidence) -> Keys {
    ballots(held, |b| b.extra.map(key))
}
