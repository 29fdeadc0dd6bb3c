//! The table of captures: who keyed a paper ballot and how far it is. Entries are not here but in `draft`, sealed.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::state::Capture;
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{capture, credential};

type Row = (String, String, Option<String>, Option<String>);
const ROW: (capture::state, capture::first_by, capture::second_by, capture::settled_by) =
    (capture::state, capture::first_by, capture::second_by, capture::settled_by);

fn parse((state, first, second, third): Row) -> QueryResult<Capture> {
    Ok(match (state.as_str(), second, third) {
        ("first_done", None, None) => Capture::FirstDone { first },
        ("matched", Some(second), None) => Capture::Matched { first, second },
        ("mismatched", Some(second), None) => Capture::Mismatched { first, second },
        ("adjudicated", Some(second), Some(third)) => Capture::Adjudicated { first, second, third },
        ("cast", Some(second), third) => Capture::Cast { first, second, third },
        _ => return Err(Error::DeserializationError("capture.state".into())),
    })
}

fn row(of: &Capture) -> Option<(&'static str, &str, Option<&str>, Option<&str>)> {
    match of {
        Capture::Awaiting => None,
        Capture::FirstDone { first } => Some(("first_done", first, None, None)),
        Capture::Matched { first, second } => Some(("matched", first, Some(second), None)),
        Capture::Mismatched { first, second } => Some(("mismatched", first, Some(second), None)),
        Capture::Adjudicated { first, second, third } => Some(("adjudicated", first, Some(second), Some(third))),
        Capture::Cast { first, second, third } => Some(("cast", first, Some(second), third.as_deref())),
    }
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

/// Moves a ballot from one state to the next; `false` when it is no longer in `from`.
pub(super) fn save(conn: &mut Conn, key: &PublicKey, round: &str, from: &Capture, to: &Capture) -> QueryResult<bool> {
    let Some((state, first, second, third)) = row(to) else { return Ok(false) };
    let moved = match row(from) {
        Some((before, ..)) => diesel::update(capture::table.find(key.as_slice()).filter(capture::state.eq(before)))
            .set((capture::state.eq(state), capture::second_by.eq(second), capture::settled_by.eq(third)))
            .execute(conn)?,
        None => {
            let row = (
                capture::public_key.eq(key.as_slice()),
                capture::round.eq(round),
                capture::state.eq(state),
                capture::first_by.eq(first),
            );
            match conn {
                Conn::Sqlite(c) => {
                    diesel::insert_into(capture::table).values(row).on_conflict_do_nothing().execute(c)?
                }
                Conn::Postgres(c) => {
                    diesel::insert_into(capture::table).values(row).on_conflict_do_nothing().execute(c)?
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
