//! From a person to the envelope. These succeed: the envelope is sealed, so knowing whose it is says nothing by itself.

use std::collections::HashMap;

use crate::copies::{Act, Evidence, Seen, Spot};

fn casts(held: &Evidence) -> impl Iterator<Item = &Seen> {
    held.journal.iter().filter(|seen| seen.act == Act::Cast && seen.came.contains_key("envelope"))
}

/// Rows that a request left behind: who was served and which envelope is new.
pub fn by_rows(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    let mut linked = vec![None; held.people.len()];
    for seen in casts(held) {
        let fresh = seen.who.iter().filter(|p| held.people[**p].cast_at == seen.at);
        for (who, row) in fresh.zip(&seen.came["envelope"]) {
            linked[*who] = Some(row.key.clone());
        }
    }
    linked
}

/// Rows that one transaction wrote: the code and the envelope have the same number (PostgreSQL).
pub fn by_transaction(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    let mut of_key: HashMap<&[u8], Vec<u8>> = HashMap::new();
    for seen in casts(held) {
        let mut left: Vec<_> = seen.came["envelope"].iter().filter(|row| row.xmin > 0).collect();
        for code in seen.came.get("credential").into_iter().flatten() {
            if let Some(at) = left.iter().position(|row| row.xmin == code.xmin) {
                of_key.insert(&code.key, left.remove(at).key.clone());
            }
        }
    }
    held.people.iter().map(|known| of_key.get(known.public.as_slice()).cloned()).collect()
}

/// Frames of SQLite's log: the code's page and the envelope's were written side by side.
pub fn by_pages(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    let mut linked = vec![None; held.people.len()];
    for seen in casts(held) {
        let mut sorted: Vec<_> =
            seen.came["envelope"].iter().filter_map(|r| Some((held.writes.get(&r.key)?, &r.key))).collect();
        sorted.sort();
        let fresh = seen.who.iter().filter(|p| held.people[**p].cast_at == seen.at);
        for (who, (_, id)) in fresh.zip(sorted) {
            linked[*who] = Some(id.clone());
        }
    }
    linked
}

/// Records of PostgreSQL's log: within a transaction, codes are used and envelopes stored in the same order.
pub fn by_writes(held: &Evidence) -> Vec<Option<Vec<u8>>> {
    let mut codes: HashMap<i64, Vec<(&Spot, usize)>> = HashMap::new();
    for (who, known) in held.people.iter().enumerate() {
        let signature = held.credentials.get(&known.public).map(|row| &row.body);
        if let Some((spot, xid)) = signature.and_then(|of| Some((held.writes.get(of)?, held.written_by.get(of)?))) {
            codes.entry(*xid).or_default().push((spot, who));
        }
    }
    let mut envelopes: HashMap<i64, Vec<(&Spot, &Vec<u8>)>> = HashMap::new();
    for row in casts(held).flat_map(|seen| &seen.came["envelope"]) {
        if let (Some(spot), Some(xid)) = (held.writes.get(&row.key), held.written_by.get(&row.key)) {
            envelopes.entry(*xid).or_default().push((spot, &row.key));
        }
    }
    let mut linked = vec![None; held.people.len()];
    for (xid, mut used) in codes {
        let mut stored = envelopes.remove(&xid).unwrap_or_default();
        used.sort();
        stored.sort();
        for ((_, who), (_, id)) in used.into_iter().zip(stored) {
            linked[who] = Some(id.clone());
        }
    }
    linked
}
