//! The table of captures: who keyed a paper ballot and how far it is. Entries are not here but in `draft`, sealed.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::state::Capture;
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{capture, credential};

/// A capture as it is kept.
#[derive(Queryable, Default)]
struct Row {
    state: String,
    before: Option<String>,
    first: Option<String>,
    second: Option<String>,
    audited: Option<String>,
    settled: Option<String>,
    held: Option<String>,
    void: Option<String>,
    confirmed: Option<String>,
}

const ROW: (
    capture::state,
    capture::before,
    capture::first_by,
    capture::second_by,
    capture::audited_by,
    capture::settled_by,
    capture::held_by,
    capture::void_by,
    capture::void_confirmed_by,
) = (
    capture::state,
    capture::before,
    capture::first_by,
    capture::second_by,
    capture::audited_by,
    capture::settled_by,
    capture::held_by,
    capture::void_by,
    capture::void_confirmed_by,
);

fn parse(row: Row) -> QueryResult<Capture> {
    parsed(row).ok_or_else(|| Error::DeserializationError("capture.state".into()))
}

fn parsed(row: Row) -> Option<Capture> {
    let Row { state, before, first, second, audited, settled: third, held, void, confirmed } = row;
    let resting = |state: &str| -> Option<Capture> {
        Some(match state {
            "awaiting" => Capture::Awaiting,
            "first_done" => Capture::FirstDone { first: first.clone()? },
            "matched" => Capture::Matched { first: first.clone()?, second: second.clone()? },
            "mismatched" => {
                Capture::Mismatched { first: first.clone()?, second: second.clone()?, audited: audited.clone() }
            }
            "reopened" => Capture::Reopened { earlier: first.iter().chain(&second).cloned().collect() },
            _ => return None,
        })
    };
    Some(match state.as_str() {
        "first_in_progress" => Capture::FirstInProgress { by: held? },
        "second_in_progress" => Capture::SecondInProgress { first: first?, by: held? },
        "adjudicating" => Capture::Adjudicating { first: first?, second: second?, audited, by: held? },
        "verified" => Capture::Verified { first: first?, second: second?, audited, third },
        "cast" => Capture::Cast { first: first?, second: second?, audited, third },
        "referred" => Capture::Referred { before: Box::new(resting(&before?)?), by: held? },
        "invalid" => Capture::Invalid { before: Box::new(resting(&before?)?), by: void?, confirmed: confirmed? },
        other => resting(other)?,
    })
}

/// The row of a capture; none for one that awaits its first pass.
fn row(of: &Capture) -> Option<Row> {
    let some = |person: &String| Some(person.clone());
    let mut row = Row { state: state(of)?.to_owned(), ..Row::default() };
    match of {
        Capture::Awaiting => return None,
        Capture::FirstInProgress { by } => row.held = some(by),
        Capture::FirstDone { first } => row.first = some(first),
        Capture::SecondInProgress { first, by } => (row.first, row.held) = (some(first), some(by)),
        Capture::Matched { first, second } => (row.first, row.second) = (some(first), some(second)),
        Capture::Mismatched { first, second, audited } => {
            (row.first, row.second, row.audited) = (some(first), some(second), audited.clone());
        }
        Capture::Adjudicating { first, second, audited, by } => {
            (row.first, row.second, row.audited, row.held) = (some(first), some(second), audited.clone(), some(by));
        }
        Capture::Verified { first, second, audited, third } | Capture::Cast { first, second, audited, third } => {
            (row.first, row.second) = (some(first), some(second));
            (row.audited, row.settled) = (audited.clone(), third.clone());
        }
        Capture::Referred { before, by } => {
            let kept = self::row(before).unwrap_or_default();
            row = Row { before: Some(state(before).unwrap_or("awaiting").to_owned()), held: some(by), ..kept };
            row.state = "referred".to_owned();
        }
        Capture::Invalid { before, by, confirmed } => {
            let kept = self::row(before).unwrap_or_default();
            row = Row { before: Some(state(before).unwrap_or("awaiting").to_owned()), ..kept };
            (row.void, row.confirmed) = (some(by), some(confirmed));
            row.state = "invalid".to_owned();
        }
        Capture::Reopened { earlier } => {
            (row.first, row.second) = (earlier.first().cloned(), earlier.get(1).cloned());
        }
    }
    Some(row)
}

/// As in the table; none for one that awaits its first pass.
const fn state(of: &Capture) -> Option<&'static str> {
    Some(match of {
        Capture::Awaiting => return None,
        Capture::FirstInProgress { .. } => "first_in_progress",
        Capture::FirstDone { .. } => "first_done",
        Capture::SecondInProgress { .. } => "second_in_progress",
        Capture::Matched { .. } => "matched",
        Capture::Mismatched { .. } => "mismatched",
        Capture::Adjudicating { .. } => "adjudicating",
        Capture::Verified { .. } => "verified",
        Capture::Cast { .. } => "cast",
        Capture::Referred { .. } => "referred",
        Capture::Invalid { .. } => "invalid",
        Capture::Reopened { .. } => "reopened",
    })
}

/// How far a ballot is; one without a row awaits its first pass.
pub(super) fn capture(conn: &mut Conn, key: &PublicKey) -> QueryResult<Capture> {
    let found: Option<Row> = capture::table.find(key.as_slice()).select(ROW).first(conn).optional()?;
    found.map_or(Ok(Capture::Awaiting), parse)
}

/// [`capture`], held until the transaction ends: of two people at once, one comes second.
pub(super) fn held(conn: &mut Conn, key: &PublicKey) -> QueryResult<Capture> {
    let found: Option<Row> = match conn {
        // BEGIN IMMEDIATE holds everything already.
        Conn::Sqlite(c) => capture::table.find(key.as_slice()).select(ROW).first(c),
        Conn::Postgres(c) => capture::table.find(key.as_slice()).select(ROW).for_update().first(c),
    }
    .optional()?;
    found.map_or(Ok(Capture::Awaiting), parse)
}

/// Moves a ballot from one state to the next; `false` when it is no longer in `from`. Back to [`Capture::Awaiting`] the
/// row goes.
pub(super) fn save(conn: &mut Conn, key: &PublicKey, round: &str, from: &Capture, to: &Capture) -> QueryResult<bool> {
    let here = capture::table.find(key.as_slice());
    let moved = match (state(from), row(to)) {
        (None, None) => 0,
        (Some(before), None) => diesel::delete(here.filter(capture::state.eq(before))).execute(conn)?,
        (before, Some(to)) => {
            let columns = (
                capture::state.eq(to.state),
                capture::before.eq(to.before),
                capture::first_by.eq(to.first),
                capture::second_by.eq(to.second),
                capture::audited_by.eq(to.audited),
                capture::settled_by.eq(to.settled),
                capture::held_by.eq(to.held),
                capture::void_by.eq(to.void),
                capture::void_confirmed_by.eq(to.confirmed),
            );
            match before {
                Some(before) => diesel::update(here.filter(capture::state.eq(before))).set(columns).execute(conn)?,
                None => {
                    let row = (capture::public_key.eq(key.as_slice()), capture::round.eq(round), columns);
                    match conn {
                        Conn::Sqlite(c) => {
                            diesel::insert_into(capture::table).values(row).on_conflict_do_nothing().execute(c)?
                        }
                        Conn::Postgres(c) => {
                            diesel::insert_into(capture::table).values(row).on_conflict_do_nothing().execute(c)?
                        }
                    }
                }
            }
        }
    };
    Ok(moved == 1)
}

/// Whether the ballot of this code is in the box.
pub(super) fn is_used(conn: &mut Conn, key: &PublicKey) -> QueryResult<bool> {
    let state: Option<String> =
        credential::table.find(key.as_slice()).select(credential::state).first(conn).optional()?;
    Ok(state.as_deref() == Some("used"))
}

/// So many paper codes of one group in one pair of states.
#[derive(QueryableByName)]
pub(super) struct Count {
    #[diesel(sql_type = Text)]
    pub(super) round: String,
    #[diesel(sql_type = Text)]
    pub(super) respondent_code: String,
    #[diesel(sql_type = Text)]
    pub(super) credential: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) capture: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) ballots: i64,
}

/// Paper codes by round, group, state of the code and state of the capture.
pub(super) fn counts(conn: &mut Conn) -> QueryResult<Vec<Count>> {
    diesel::sql_query(
        "SELECT c.round AS round, c.respondent_code AS respondent_code, c.state AS credential, \
                k.state AS capture, count(*) AS ballots \
         FROM credential c LEFT JOIN capture k ON k.public_key = c.public_key \
         WHERE c.channel = 'paper' \
         GROUP BY c.round, c.respondent_code, c.state, k.state",
    )
    .load(conn)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::db::schema::{audit, draft, envelope, paper, scan, staff, turnout};

    /// Somebody who never signs in.
    pub(in crate::keying) fn hire(conn: &mut Conn, id: &str, role: &str) -> QueryResult<()> {
        let row = (
            staff::id.eq(id),
            staff::name.eq(id),
            staff::role.eq(role),
            staff::password_hash.eq(""),
            staff::disabled.eq(false),
            staff::created_at.eq(0),
        );
        diesel::insert_into(staff::table).values(row).execute(conn).map(|_| ())
    }

    pub(in crate::keying) fn drafts(conn: &mut Conn) -> QueryResult<i64> {
        draft::table.count().get_result(conn)
    }

    pub(in crate::keying) fn delete_drafts(conn: &mut Conn) -> QueryResult<usize> {
        diesel::delete(draft::table).execute(conn)
    }

    pub(in crate::keying) fn envelopes(conn: &mut Conn) -> QueryResult<Vec<Vec<u8>>> {
        envelope::table.select(envelope::sealed).load(conn)
    }

    /// Channel and ballots returned, line by line.
    pub(in crate::keying) fn turnout(conn: &mut Conn) -> QueryResult<Vec<(String, i64)>> {
        turnout::table.select((turnout::channel, turnout::returned)).load(conn)
    }

    /// Action, subject and detail, in no order.
    pub(in crate::keying) fn trail(conn: &mut Conn) -> QueryResult<Vec<(String, String, String)>> {
        audit::table.select((audit::action, audit::subject, audit::detail)).load(conn)
    }

    /// Puts a capture back to `state`, as if the process had died before it moved on.
    pub(in crate::keying) fn set_state(conn: &mut Conn, key: &PublicKey, state: &str) -> QueryResult<usize> {
        diesel::update(capture::table.find(key.as_slice())).set(capture::state.eq(state)).execute(conn)
    }

    #[derive(QueryableByName)]
    struct File {
        #[diesel(sql_type = Text)]
        file: String,
    }

    /// The files of an SQLite database.
    pub(in crate::keying) fn files(conn: &mut Conn) -> QueryResult<Vec<String>> {
        let main: File =
            diesel::sql_query("SELECT file FROM pragma_database_list WHERE name = 'main'").get_result(conn)?;
        Ok(vec![main.file.clone(), format!("{}-wal", main.file)])
    }

    /// Every page image, as kept.
    pub(in crate::keying) fn scans(conn: &mut Conn) -> QueryResult<Vec<Vec<u8>>> {
        scan::table.select(scan::body).load(conn)
    }

    /// The bundle of a paper ballot.
    pub(in crate::keying) fn bundle(conn: &mut Conn, key: &PublicKey) -> QueryResult<String> {
        paper::table.find(key.as_slice()).select(paper::bundle).first(conn)
    }

    /// Every column of PostgreSQL's and SQLite's `draft` that holds an entry.
    pub(in crate::keying) fn draft_bodies(conn: &mut Conn) -> QueryResult<Vec<Vec<u8>>> {
        draft::table.select(draft::body).load(conn)
    }
}
