//! How far the paper ballots are, for whoever leads the desk: counts by group, no ballot and no person.

use super::{KeyingError, store};
use crate::db::Conn;
use crate::round::{RoundState, Rounds};

/// Paper ballots of one group by how far they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The round's title.
    pub round: String,
    /// The group's code.
    pub respondent_code: String,
    /// The group's name.
    pub group: String,
    /// Codes issued on which nothing has been keyed.
    pub awaiting: i64,
    /// One entry.
    pub first_done: i64,
    /// Two that differ.
    pub mismatched: i64,
    /// Settled, on the way into the box.
    pub settled: i64,
    /// In the box.
    pub cast: i64,
}

pub(super) fn by_group(conn: &mut Conn, rounds: &Rounds) -> Result<Vec<Progress>, KeyingError> {
    let counts = store::counts(conn)?;
    let mut all = Vec::new();
    for round in rounds.all(conn)?.iter().filter(|r| r.state <= RoundState::Closed) {
        for group in &round.definition.groups {
            let of = |wanted: &dyn Fn(&store::Count) -> bool| -> i64 {
                let own = counts.iter().filter(|c| c.round == round.id() && c.respondent_code == group.code);
                own.filter(|c| wanted(c)).map(|c| c.ballots).sum()
            };
            let capture = |state: &str| of(&|c| c.capture.as_deref() == Some(state));
            let line = Progress {
                round: round.definition.title.clone(),
                respondent_code: group.code.clone(),
                group: group.name.clone(),
                awaiting: of(&|c| c.capture.is_none() && c.credential == "issued")
                    + capture("first_in_progress")
                    + capture("reopened"),
                first_done: capture("first_done") + capture("second_in_progress"),
                mismatched: capture("mismatched") + capture("adjudicating"),
                settled: capture("matched") + capture("verified"),
                cast: capture("cast"),
            };
            if line.awaiting + line.first_done + line.mismatched + line.settled + line.cast > 0 {
                all.push(line);
            }
        }
    }
    Ok(all)
}
