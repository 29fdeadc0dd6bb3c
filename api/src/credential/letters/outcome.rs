//! What becomes of a letter after the mail server has answered, or has not.

use chrono::{DateTime, TimeDelta, Utc};

use super::outbox::{Outbox, Ready, TRIES_MAX};
use super::store::{self, Settled};
use crate::addressee;
use crate::ballot::log;
use crate::ballot::log::entry::What;
use crate::credential::{self, CredentialError};
use crate::db::{Conn, unix_ms};
use crate::mail::Outcome;

/// Before a letter that the server did not get to is taken again.
const AFTER_STOP: TimeDelta = TimeDelta::minutes(1);
/// Longest wait before a refused letter is tried again; each one is three times as long as the one before.
const WAIT_MAX: TimeDelta = TimeDelta::hours(4);

impl Outbox {
    /// Notes the outcome. A code that certainly reached nobody dies with the try that it was made for.
    pub(super) fn settle(&self, letter: &Ready, outcome: &Outcome) -> Result<(), CredentialError> {
        self.db.write_here(|conn| {
            let now = self.db.now(conn)?;
            // Held against a close; after it there is no letter any more, and no code that anybody counts.
            if credential::takes_codes(conn, letter.round.id()).is_err() {
                return Ok(());
            }
            let (settled, unborn) = becomes(letter.turn, outcome, now, self.retry);
            if store::settle(conn, &letter.id, letter.turn, &settled)? && unborn {
                withdraw(conn, letter)?;
            }
            Ok(())
        })
    }
}

/// The letter's next state, and whether its code reached nobody.
fn becomes(turn: i64, outcome: &Outcome, now: DateTime<Utc>, retry: TimeDelta) -> (Settled<'_>, bool) {
    let again =
        |after: TimeDelta, tries, fault| Settled { state: "waiting", due: unix_ms(&(now + after)), tries, fault };
    match outcome {
        Outcome::HandedOver => (Settled { state: "sent", due: unix_ms(&now), tries: turn, fault: None }, false),
        Outcome::Refused { for_good: false, fault } if turn < TRIES_MAX => {
            (again(wait(turn, retry), turn, Some(fault)), true)
        }
        Outcome::Refused { fault, .. } => {
            (Settled { state: "failed", due: unix_ms(&now), tries: turn, fault: Some(fault) }, true)
        }
        // The server's trouble is not counted against the letter.
        Outcome::Stopped(fault) => (again(AFTER_STOP, turn - 1, Some(fault)), true),
        // Perhaps it has arrived: its code lives until the next try replaces it.
        Outcome::Unknown(fault) => (again(wait(turn, retry), turn, Some(fault)), false),
    }
}

fn wait(turn: i64, first: TimeDelta) -> TimeDelta {
    let times = u32::try_from(turn - 1).ok().and_then(|n| 3_i32.checked_pow(n)).unwrap_or(i32::MAX);
    first.checked_mul(times).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

fn withdraw(conn: &mut Conn, letter: &Ready) -> Result<(), CredentialError> {
    let Some(key) = &letter.key else { return Ok(()) };
    if credential::store::revoke(conn, key)? {
        addressee::untie(conn, &letter.person.id)?;
        log::incident(conn, letter.round.id(), What::CodesRevoked, 0, 1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_wait_longer_each_time_and_end() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let first_wait = TimeDelta::minutes(5);
        let becomes = |turn, outcome| becomes(turn, outcome, now, first_wait);
        let minutes: Vec<i64> = (1..=8).map(|turn| wait(turn, first_wait).num_minutes()).collect();
        assert_eq!(minutes, [5, 15, 45, 135, 240, 240, 240, 240]);
        assert_eq!(wait(i64::MAX, TimeDelta::MAX), WAIT_MAX);
        let refused = Outcome::Refused { for_good: false, fault: "450 4.2.1".to_owned() };
        let (first, unborn) = becomes(1, &refused);
        assert!(first.state == "waiting" && first.tries == 1 && unborn);
        assert!(becomes(TRIES_MAX, &refused).0.state == "failed");
        let stopped = Outcome::Stopped("connect: no connection".to_owned());
        let (again, unborn) = becomes(3, &stopped);
        assert!(again.state == "waiting" && again.tries == 2 && unborn);
        let unknown = Outcome::Unknown("letter: timed out".to_owned());
        let (again, unborn) = becomes(1, &unknown);
        assert!(again.state == "waiting" && !unborn);
    }
}
