//! Credentials as the ballot sees them, drafts, envelopes and turnout: the one place that writes them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use super::keys::{DraftId, PublicKey};
use crate::db::Conn;
use crate::db::schema::{credential, draft, envelope, round, turnout};
use crate::round::LoadedRound;

/// A credential's public row.
#[derive(Queryable)]
pub(super) struct CredentialRow {
    pub(super) round: String,
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) targets: String,
    pub(super) channel: String,
    pub(super) state: String,
    pub(super) receipt_box: Option<Vec<u8>>,
}

/// Everything that one cast writes.
pub(super) struct Redemption {
    pub(super) round: String,
    pub(super) public_key: PublicKey,
    pub(super) redeem_signature: [u8; 64],
    pub(super) receipt_box: Vec<u8>,
    pub(super) envelope_id: [u8; 32],
    pub(super) sealed: Vec<u8>,
    /// What may wait under the code: one draft of an online ballot, a paper ballot's entries.
    pub(super) drafts: Vec<DraftId>,
    /// The respondent's own among them.
    pub(super) draft: DraftId,
    /// For how long after the close it is taken when that draft is there, in milliseconds.
    pub(super) grace_ms: i64,
}

#[derive(Queryable, Clone)]
pub(super) struct Window {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) opens_at: i64,
    pub(super) closes_at: i64,
    pub(super) keying_closes_at: i64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TurnoutKey {
    pub(super) round: String,
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) targets: String,
    pub(super) channel: String,
    pub(super) day: String,
}

pub(super) fn credential(conn: &mut Conn, public: &PublicKey) -> QueryResult<Option<CredentialRow>> {
    credential::table
        .find(public.as_slice())
        .select((
            credential::round,
            credential::respondent_code,
            credential::source_unit,
            credential::targets,
            credential::channel,
            credential::state,
            credential::receipt_box,
        ))
        .first(conn)
        .optional()
}

/// A credential's state, held until the end of the transaction, so that no cast comes between (SQLite has one writer
/// anyway).
pub(super) fn held_state(conn: &mut Conn, public: &PublicKey) -> QueryResult<Option<String>> {
    let query = credential::table.find(public.as_slice()).select(credential::state);
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_share().first(c).optional(),
    }
}

pub(super) fn draft(conn: &mut Conn, id: &DraftId) -> QueryResult<Option<Vec<u8>>> {
    draft::table.find(id.as_slice()).select(draft::body).first(conn).optional()
}

/// Which of these drafts are there.
pub(super) fn drafted(conn: &mut Conn, ids: &[DraftId]) -> QueryResult<BTreeSet<Vec<u8>>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    let found: Vec<Vec<u8>> = draft::table.filter(draft::id.eq_any(ids)).select(draft::id).load(conn)?;
    Ok(found.into_iter().collect())
}

/// A draft to be written in place of what was there.
pub(super) struct NewDraft<'r> {
    pub(super) id: DraftId,
    pub(super) round: &'r str,
    pub(super) body: Vec<u8>,
}

pub(super) fn put_drafts(conn: &mut Conn, drafts: &[NewDraft<'_>]) -> QueryResult<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    match conn {
        Conn::Sqlite(c) => {
            for new in drafts {
                diesel::insert_into(draft::table)
                    .values((draft::id.eq(new.id.as_slice()), draft::round.eq(new.round), draft::body.eq(&new.body)))
                    .on_conflict(draft::id)
                    .do_update()
                    .set(draft::body.eq(&new.body))
                    .execute(c)?;
            }
            Ok(())
        }
        Conn::Postgres(c) => diesel::sql_query(
            "INSERT INTO draft (id, round, body) SELECT * FROM unnest($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        )
        .bind::<Array<Binary>, _>(drafts.iter().map(|d| d.id.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(drafts.iter().map(|d| d.round).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(drafts.iter().map(|d| d.body.as_slice()).collect::<Vec<_>>())
        .execute(c)
        .map(|_| ()),
    }
}

/// The drafts of a batch, as stored.
pub(super) fn drafts(conn: &mut Conn, ids: &[DraftId]) -> QueryResult<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut found = BTreeMap::new();
    match conn {
        Conn::Sqlite(_) => {
            for id in ids {
                if let Some(body) = draft(conn, id)? {
                    found.insert(id.to_vec(), body);
                }
            }
        }
        Conn::Postgres(c) => {
            let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
            let rows: Vec<(Vec<u8>, Vec<u8>)> =
                draft::table.filter(draft::id.eq_any(ids)).select((draft::id, draft::body)).load(c)?;
            found.extend(rows);
        }
    }
    Ok(found)
}

/// Waits until no other process writes these drafts, until the end of the transaction. SQLite has one writer anyway.
/// PostgreSQL holds advisory locks, which live in memory only: a row lock would leave the transaction's number, which
/// the draft has too, on the credential.
pub(super) fn hold_drafts(conn: &mut Conn, ids: &BTreeSet<DraftId>) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(_) if ids.is_empty() => Ok(()),
        Conn::Postgres(c) => {
            let number = |id: &DraftId| id.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte));
            // In the same order in every process, so that two writers cannot block each other.
            let keys: BTreeSet<i64> = ids.iter().map(number).collect();
            diesel::sql_query("SELECT pg_advisory_xact_lock(k) FROM unnest($1) AS k")
                .bind::<Array<BigInt>, _>(keys.into_iter().collect::<Vec<i64>>())
                .execute(c)
                .map(|_| ())
        }
    }
}

pub(super) fn delete_draft(conn: &mut Conn, id: &DraftId) -> QueryResult<()> {
    diesel::delete(draft::table.find(id.as_slice())).execute(conn).map(|_| ())
}

pub(super) fn delete_drafts_of(conn: &mut Conn, round: &str) -> QueryResult<usize> {
    diesel::delete(draft::table.filter(draft::round.eq(round))).execute(conn)
}

/// The rounds of a batch. PostgreSQL holds them against a close until the commit; SQLite has one writer anyway.
pub(super) fn windows(conn: &mut Conn, ids: &[&str]) -> QueryResult<Vec<Window>> {
    let columns = (round::id, round::state, round::opens_at, round::closes_at, round::keying_closes_at);
    let query = round::table.filter(round::id.eq_any(ids.to_vec())).order(round::id).select(columns);
    match conn {
        Conn::Sqlite(c) => query.load(c),
        Conn::Postgres(c) => query.for_share().load(c),
    }
}

/// Whether an online ballot is taken now; in the grace after the close only one whose draft was saved in time.
pub(super) fn takes(windows: &[Window], round: &LoadedRound, now_ms: i64, drafted: bool) -> bool {
    windows.iter().filter(|w| w.id == round.id() && w.state == "open").any(|w| {
        let grace_ms = if drafted { round.grace().num_milliseconds() } else { 0 };
        w.opens_at <= now_ms && now_ms < w.closes_at.saturating_add(grace_ms)
    })
}

/// Where a code stands, not held.
#[derive(Queryable)]
pub(super) struct StandingRow {
    pub(super) round: String,
    pub(super) channel: String,
    pub(super) state: String,
}

/// Where the codes of a batch stand, by public key.
pub(super) fn standings(conn: &mut Conn, keys: &[PublicKey]) -> QueryResult<BTreeMap<Vec<u8>, StandingRow>> {
    let columns = (credential::round, credential::channel, credential::state);
    let mut found = BTreeMap::new();
    match conn {
        Conn::Sqlite(c) => {
            for key in keys {
                let row = credential::table.find(key.as_slice()).select(columns).first(c).optional()?;
                found.extend(row.map(|row| (key.to_vec(), row)));
            }
        }
        Conn::Postgres(c) => {
            let keys: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
            let rows: Vec<(Vec<u8>, StandingRow)> = credential::table
                .filter(credential::public_key.eq_any(keys))
                .select((credential::public_key, columns))
                .load(c)?;
            found.extend(rows);
        }
    }
    Ok(found)
}

/// The credentials of a batch by public key; on PostgreSQL locked, in the order of their keys so that two writers
/// cannot block each other.
pub(super) fn credentials(conn: &mut Conn, keys: &[PublicKey]) -> QueryResult<BTreeMap<Vec<u8>, CredentialRow>> {
    let mut found = BTreeMap::new();
    match conn {
        // One prepared look-up each: SQLite is in this process and answers in microseconds.
        Conn::Sqlite(_) => {
            for key in keys {
                if let Some(row) = credential(conn, key)? {
                    found.insert(key.to_vec(), row);
                }
            }
        }
        Conn::Postgres(c) => {
            let keys: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
            let rows: Vec<(Vec<u8>, CredentialRow)> = credential::table
                .filter(credential::public_key.eq_any(keys))
                .order(credential::public_key)
                .select((
                    credential::public_key,
                    (
                        credential::round,
                        credential::respondent_code,
                        credential::source_unit,
                        credential::targets,
                        credential::channel,
                        credential::state,
                        credential::receipt_box,
                    ),
                ))
                .for_update()
                .load(c)?;
            found.extend(rows);
        }
    }
    Ok(found)
}

/// Uses the codes up, stores the envelopes and deletes what waited under the codes.
pub(super) fn redeem(conn: &mut Conn, jobs: &[&Redemption]) -> QueryResult<usize> {
    match conn {
        Conn::Sqlite(c) => redeem_sqlite(c, jobs),
        Conn::Postgres(c) => redeem_postgres(c, jobs),
    }
}

fn redeem_sqlite(c: &mut SqliteConnection, jobs: &[&Redemption]) -> QueryResult<usize> {
    let mut used = 0;
    for job in jobs {
        used +=
            diesel::update(credential::table.find(job.public_key.as_slice()).filter(credential::state.eq("issued")))
                .set((
                    credential::state.eq("used"),
                    credential::redeem_signature.eq(job.redeem_signature.as_slice()),
                    credential::receipt_box.eq(&job.receipt_box),
                ))
                .execute(c)?;
        diesel::insert_into(envelope::table)
            .values((
                envelope::id.eq(job.envelope_id.as_slice()),
                envelope::round.eq(&job.round),
                envelope::sealed.eq(&job.sealed),
            ))
            .execute(c)?;
        for id in &job.drafts {
            diesel::delete(draft::table.find(id.as_slice())).execute(c)?;
        }
    }
    Ok(used)
}

/// Three statements for the whole batch, whatever its size: a round trip each.
fn redeem_postgres(c: &mut PgConnection, jobs: &[&Redemption]) -> QueryResult<usize> {
    let keys: Vec<&[u8]> = jobs.iter().map(|j| j.public_key.as_slice()).collect();
    let signatures: Vec<&[u8]> = jobs.iter().map(|j| j.redeem_signature.as_slice()).collect();
    let receipts: Vec<&[u8]> = jobs.iter().map(|j| j.receipt_box.as_slice()).collect();
    let ids: Vec<&[u8]> = jobs.iter().map(|j| j.envelope_id.as_slice()).collect();
    let rounds: Vec<&str> = jobs.iter().map(|j| j.round.as_str()).collect();
    let sealed: Vec<&[u8]> = jobs.iter().map(|j| j.sealed.as_slice()).collect();
    let drafts: Vec<&[u8]> = jobs.iter().flat_map(|j| j.drafts.iter().map(<[u8; 16]>::as_slice)).collect();
    let used = diesel::sql_query(
        "UPDATE credential c SET state = 'used', redeem_signature = b.signature, receipt_box = b.receipt \
         FROM unnest($1, $2, $3) AS b (key, signature, receipt) \
         WHERE c.public_key = b.key AND c.state = 'issued'",
    )
    .bind::<Array<Binary>, _>(keys)
    .bind::<Array<Binary>, _>(signatures)
    .bind::<Array<Binary>, _>(receipts)
    .execute(c)?;
    diesel::sql_query("INSERT INTO envelope (id, round, sealed) SELECT * FROM unnest($1, $2, $3)")
        .bind::<Array<Binary>, _>(ids)
        .bind::<Array<Text>, _>(rounds)
        .bind::<Array<Binary>, _>(sealed)
        .execute(c)?;
    diesel::sql_query("DELETE FROM draft WHERE id = ANY ($1)").bind::<Array<Binary>, _>(drafts).execute(c)?;
    Ok(used)
}

/// Adds to the turnout; `counts` comes sorted by key, so that two writers cannot block each other.
pub(super) fn add_turnout(conn: &mut Conn, counts: &BTreeMap<TurnoutKey, i64>) -> QueryResult<()> {
    const UPSERT: &str = "ON CONFLICT (round, respondent_code, source_unit, targets, channel, day) \
                          DO UPDATE SET returned = turnout.returned + excluded.returned";
    match conn {
        Conn::Sqlite(c) => {
            for (key, count) in counts {
                diesel::insert_into(turnout::table)
                    .values((
                        turnout::round.eq(&key.round),
                        turnout::day.eq(&key.day),
                        turnout::respondent_code.eq(&key.respondent_code),
                        turnout::source_unit.eq(&key.source_unit),
                        turnout::targets.eq(&key.targets),
                        turnout::channel.eq(&key.channel),
                        turnout::returned.eq(count),
                    ))
                    .on_conflict((
                        turnout::round,
                        turnout::respondent_code,
                        turnout::source_unit,
                        turnout::targets,
                        turnout::channel,
                        turnout::day,
                    ))
                    .do_update()
                    .set(turnout::returned.eq(turnout::returned + count))
                    .execute(c)?;
            }
            Ok(())
        }
        Conn::Postgres(c) => {
            let column = |f: fn(&TurnoutKey) -> &str| counts.keys().map(f).collect::<Vec<&str>>();
            diesel::sql_query(format!(
                "INSERT INTO turnout (round, respondent_code, source_unit, targets, channel, day, returned) \
                 SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) {UPSERT}"
            ))
            .bind::<Array<Text>, _>(column(|k| &k.round))
            .bind::<Array<Text>, _>(column(|k| &k.respondent_code))
            .bind::<Array<Text>, _>(column(|k| &k.source_unit))
            .bind::<Array<Text>, _>(column(|k| &k.targets))
            .bind::<Array<Text>, _>(column(|k| &k.channel))
            .bind::<Array<Text>, _>(column(|k| &k.day))
            .bind::<Array<BigInt>, _>(counts.values().copied().collect::<Vec<i64>>())
            .execute(c)
            .map(|_| ())
        }
    }
}
