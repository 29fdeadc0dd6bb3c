//! The batch move: envelopes go into the log and the box ten at least at a time, in the order of their hashes, so that
//! neither tells who cast when. Every step is one transaction, so the codes used are at every moment as many as the
//! envelopes that wait and those in the box.

use super::entry::Entry;
use super::{Appender, LogError, Wait, store};
use crate::db::{Conn, Db, DbError};
use crate::round::{RoundState, Rounds};

/// Fewest envelopes that are moved while the round is open: fewer would tell too much about who cast when.
pub const LEAST: usize = 10;
/// Most envelopes moved in one transaction of the background, so that casts do not wait long.
const MOST: i64 = 1_000;
/// Rows in one statement.
const CHUNK: usize = 1_000;

/// Moves what waits in every open round; gives back how many envelopes were moved. Any number of processes may do this.
///
/// # Errors
/// When the database fails. What was moved before stays moved.
pub fn move_waiting(db: &Db, rounds: &Rounds) -> Result<usize, LogError> {
    let open = db.read_here(|conn| {
        let all = rounds.all(conn)?;
        let open = all.iter().filter(|r| r.state == RoundState::Open && r.log_key.is_some());
        Ok::<Vec<String>, LogError>(open.map(|r| r.id().to_owned()).collect())
    })?;
    let mut moved = 0;
    for round in &open {
        loop {
            // A look before the write lock: most of the time there is nothing to do.
            let waiting = db.read_here(|conn| Ok::<_, LogError>(store::is_waiting(conn, round, LEAST)?))?;
            let batch = if waiting { db.write_here(|conn| move_some(conn, round))? } else { 0 };
            if batch == 0 {
                break;
            }
            moved += batch;
        }
    }
    if moved > 0 {
        // SQLite's log still shows which envelope came with which code; done without making casts wait.
        db.read_here(|conn| Ok::<_, LogError>(store::empty_wal(conn)?))?;
    }
    Ok(moved)
}

/// One batch, in one transaction.
fn move_some(conn: &mut Conn, round: &str) -> Result<usize, LogError> {
    if store::hold_round(conn, round)?.as_deref() != Some(RoundState::Open.as_str()) {
        return Ok(0);
    }
    let Some(mut log) = Appender::hold(conn, round, Wait::No)? else { return Ok(0) };
    let ids = store::waiting_ids(conn, round, MOST)?;
    if ids.len() < LEAST {
        return Ok(0);
    }
    put(conn, &mut log, round, &ids)?;
    let total = u64::try_from(store::redeemed_and_moved(conn, round)?).unwrap_or_default();
    log.entry(conn, &Entry::Redeemed { total, root: None })?;
    log.finish(conn)?;
    Ok(ids.len())
}

/// Moves everything that waits, at the close; whoever calls holds the round against casts.
pub(crate) fn move_all(conn: &mut Conn, log: &mut Appender, round: &str) -> Result<usize, LogError> {
    let ids = store::waiting_ids(conn, round, i64::MAX)?;
    put(conn, log, round, &ids)?;
    Ok(ids.len())
}

fn put(conn: &mut Conn, log: &mut Appender, round: &str, ids: &[Vec<u8>]) -> Result<(), LogError> {
    for chunk in ids.chunks(CHUNK) {
        let place = i64::try_from(log.size()).map_err(|_size| LogError::TooLong)?;
        if store::move_envelopes(conn, round, chunk, place)? != chunk.len() {
            return Err(DbError::Conflict.into());
        }
        for id in chunk {
            let id = id.as_slice().try_into().map_err(|_length| LogError::Damaged)?;
            log.push(conn, &Entry::envelope(id))?;
        }
    }
    Ok(())
}
