//! The queries of this room. Rows never leave it unparsed: a role or scope that this program does not know is an error.

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _,
    QueryResult, RunQueryDsl as _,
};
use zeroize::Zeroizing;

use super::AccessError;
use super::audit::Entry;
use super::client::Client;
use super::keys::Signer;
use super::password::HashedPassword;
use super::role::Role;
use super::scopes::Scopes;
use super::session::Times;
use super::staff::{Listed, Staff};
use crate::db::schema::{audit, client, post_office, session, signing_key, staff};
use crate::db::{Conn, DbError, from_unix_ms, unix_ms};

impl From<Error> for AccessError {
    fn from(error: Error) -> Self {
        DbError::from(error).into()
    }
}

fn unreadable(what: &'static str) -> Error {
    Error::DeserializationError(what.into())
}

// staff

/// A member of staff with what the sign-in needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) staff: Staff,
    pub(super) password: HashedPassword,
    pub(super) disabled: bool,
}

type StaffRow = (String, String, String);
type KnownRow = (StaffRow, String, bool);

fn parse_staff((id, name, role): StaffRow) -> QueryResult<Staff> {
    let role = Role::parse(&role).ok_or_else(|| unreadable("staff.role"))?;
    Ok(Staff { id, name, role })
}

fn parse_known((row, hash, disabled): KnownRow) -> QueryResult<Known> {
    Ok(Known { staff: parse_staff(row)?, password: HashedPassword::from_store(hash), disabled })
}

const STAFF: (staff::id, staff::name, staff::role) = (staff::id, staff::name, staff::role);

/// False when the name is taken; the transaction must then be given up.
pub(super) fn insert_staff(
    conn: &mut Conn,
    new: &Staff,
    password: &HashedPassword,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let row = (
        staff::id.eq(&new.id),
        staff::name.eq(&new.name),
        staff::role.eq(new.role.as_str()),
        staff::password_hash.eq(password.as_str()),
        staff::disabled.eq(false),
        staff::created_at.eq(unix_ms(&at)),
    );
    match diesel::insert_into(staff::table).values(row).execute(conn) {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn staff_list(conn: &mut Conn) -> QueryResult<Vec<Listed>> {
    type Row = (StaffRow, bool, Option<String>, Option<i64>, i64);
    let rows: Vec<Row> = staff::table
        .order(staff::name)
        .select((STAFF, staff::disabled, staff::office, staff::ends_at, staff::created_at))
        .load(conn)?;
    let parse = |(row, disabled, office, ends, at): Row| {
        let staff = parse_staff(row)?;
        Ok(Listed { staff, disabled, office, temporary: ends.is_some(), created_at: from_unix_ms(at) })
    };
    rows.into_iter().map(parse).collect()
}

pub(super) fn staff_by_name(conn: &mut Conn, name: &str) -> QueryResult<Option<Known>> {
    let row = staff::table
        .filter(staff::name.eq(name))
        .select((STAFF, staff::password_hash, staff::disabled))
        .first::<KnownRow>(conn)
        .optional()?;
    row.map(parse_known).transpose()
}

/// As it is now, and held so until the transaction ends.
pub(super) fn lock_staff(conn: &mut Conn, id: &str) -> QueryResult<Option<Known>> {
    let columns = (STAFF, staff::password_hash, staff::disabled);
    let row = match conn {
        // BEGIN IMMEDIATE holds everything already.
        Conn::Sqlite(c) => staff::table.find(id).select(columns).first::<KnownRow>(c),
        Conn::Postgres(c) => staff::table.find(id).select(columns).for_update().first::<KnownRow>(c),
    };
    row.optional()?.map(parse_known).transpose()
}

/// False when they were disabled already.
pub(super) fn disable_staff(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    let enabled = staff::table.filter(staff::id.eq(id).and(staff::disabled.eq(false)));
    Ok(diesel::update(enabled).set(staff::disabled.eq(true)).execute(conn)? == 1)
}

pub(super) fn set_password(conn: &mut Conn, id: &str, password: &HashedPassword) -> QueryResult<()> {
    diesel::update(staff::table.find(id)).set(staff::password_hash.eq(password.as_str())).execute(conn)?;
    Ok(())
}

pub(super) fn is_staff(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    let found: Option<String> = staff::table.find(id).select(staff::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// A clerk who is a program: disabled, so that nobody signs in. False when it is there already.
pub(super) fn insert_client_clerk(conn: &mut Conn, new: &Staff, at: DateTime<Utc>) -> QueryResult<bool> {
    let row = (
        staff::id.eq(&new.id),
        staff::name.eq(&new.name),
        staff::role.eq(new.role.as_str()),
        staff::password_hash.eq(""),
        staff::disabled.eq(true),
        staff::created_at.eq(unix_ms(&at)),
    );
    let inserted = match conn {
        Conn::Sqlite(c) => diesel::insert_into(staff::table).values(row).on_conflict_do_nothing().execute(c)?,
        Conn::Postgres(c) => diesel::insert_into(staff::table).values(row).on_conflict_do_nothing().execute(c)?,
    };
    Ok(inserted == 1)
}

pub(super) fn is_office(conn: &mut Conn, code: &str) -> QueryResult<bool> {
    let found: Option<String> = post_office::table.find(code).select(post_office::code).first(conn).optional()?;
    Ok(found.is_some())
}

/// Code and name of every post office.
pub(super) fn offices(conn: &mut Conn) -> QueryResult<Vec<(String, String)>> {
    post_office::table.order(post_office::code).select((post_office::code, post_office::name)).load(conn)
}

pub(super) fn set_office(conn: &mut Conn, id: &str, office: Option<&str>) -> QueryResult<()> {
    diesel::update(staff::table.find(id)).set(staff::office.eq(office)).execute(conn)?;
    Ok(())
}

// sessions

pub(super) fn insert_session(conn: &mut Conn, id: &[u8], of: &str, at: DateTime<Utc>) -> QueryResult<()> {
    let at = unix_ms(&at);
    let row = (session::id.eq(id), session::staff.eq(of), session::created_at.eq(at), session::last_seen_at.eq(at));
    diesel::insert_into(session::table).values(row).execute(conn)?;
    Ok(())
}

/// A session of someone who is not disabled.
pub(super) fn session(conn: &mut Conn, id: &[u8]) -> QueryResult<Option<(Times, Staff)>> {
    let row: Option<(i64, i64, Option<i64>, StaffRow)> = session::table
        .inner_join(staff::table.on(staff::id.eq(session::staff)))
        .filter(session::id.eq(id).and(staff::disabled.eq(false)))
        .select((session::created_at, session::last_seen_at, staff::ends_at, STAFF))
        .first(conn)
        .optional()?;
    let Some((created, seen, ends, row)) = row else { return Ok(None) };
    let times = Times {
        created_at: from_unix_ms(created),
        last_seen_at: from_unix_ms(seen),
        access_ends_at: ends.map(from_unix_ms),
    };
    Ok(Some((times, parse_staff(row)?)))
}

/// Never puts the time back, and never revives a session that was ended.
pub(super) fn note_session(conn: &mut Conn, id: &[u8], at: DateTime<Utc>) -> QueryResult<()> {
    let earlier = session::table.filter(session::id.eq(id).and(session::last_seen_at.lt(unix_ms(&at))));
    diesel::update(earlier).set(session::last_seen_at.eq(unix_ms(&at))).execute(conn)?;
    Ok(())
}

pub(super) fn delete_session(conn: &mut Conn, id: &[u8]) -> QueryResult<()> {
    diesel::delete(session::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn delete_sessions_of(conn: &mut Conn, of: &str) -> QueryResult<()> {
    diesel::delete(session::table.filter(session::staff.eq(of))).execute(conn)?;
    Ok(())
}

/// Those last seen, or opened, at these instants or before.
pub(super) fn delete_sessions_over(conn: &mut Conn, seen: DateTime<Utc>, opened: DateTime<Utc>) -> QueryResult<()> {
    let over = session::last_seen_at.le(unix_ms(&seen)).or(session::created_at.le(unix_ms(&opened)));
    diesel::delete(session::table.filter(over)).execute(conn)?;
    Ok(())
}

// machine clients

type ClientRow = (String, String, String, bool, i64, String);
type ClientColumns = (client::id, client::name, client::scopes, client::revoked, client::created_at, client::rounds);
const CLIENT: ClientColumns =
    (client::id, client::name, client::scopes, client::revoked, client::created_at, client::rounds);

fn parse_client((id, name, scopes, revoked, created_at, rounds): ClientRow) -> QueryResult<Client> {
    let Ok(scopes) = Scopes::parse(&scopes) else { return Err(unreadable("client.scopes")) };
    let rounds = rounds.split_whitespace().map(str::to_owned).collect();
    Ok(Client { id, name, scopes, rounds, revoked, created_at: from_unix_ms(created_at) })
}

pub(super) fn insert_client(conn: &mut Conn, new: &Client, secret_hash: &[u8]) -> QueryResult<()> {
    let row = (
        client::id.eq(&new.id),
        client::name.eq(&new.name),
        client::secret_hash.eq(secret_hash),
        client::scopes.eq(new.scopes.to_string()),
        client::revoked.eq(new.revoked),
        client::created_at.eq(unix_ms(&new.created_at)),
        client::rounds.eq(new.rounds.join(" ")),
    );
    diesel::insert_into(client::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn client_list(conn: &mut Conn) -> QueryResult<Vec<Client>> {
    let rows: Vec<ClientRow> = client::table.order((client::created_at, client::id)).select(CLIENT).load(conn)?;
    rows.into_iter().map(parse_client).collect()
}

/// A client and the hash of its secret.
pub(super) fn client(conn: &mut Conn, id: &str) -> QueryResult<Option<(Client, Vec<u8>)>> {
    let row: Option<(ClientRow, Vec<u8>)> =
        client::table.find(id).select((CLIENT, client::secret_hash)).first(conn).optional()?;
    row.map(|(row, hash)| Ok((parse_client(row)?, hash))).transpose()
}

/// False when it was revoked already.
pub(super) fn revoke_client(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    let in_force = client::table.filter(client::id.eq(id).and(client::revoked.eq(false)));
    Ok(diesel::update(in_force).set(client::revoked.eq(true)).execute(conn)? == 1)
}

// signing keys

/// Every key, the newest first. A seed that does not give the key it is filed under is an error.
pub(super) fn signing_keys(conn: &mut Conn) -> QueryResult<Vec<Signer>> {
    let rows: Vec<(String, Vec<u8>)> = signing_key::table
        .order((signing_key::created_at.desc(), signing_key::id))
        .select((signing_key::id, signing_key::secret))
        .load(conn)?;
    let parse = |(kid, seed): (String, Vec<u8>)| {
        let seed = Zeroizing::new(seed);
        let signer = <&[u8; 32]>::try_from(seed.as_slice()).ok().map(Signer::from_seed);
        signer.filter(|s| s.kid() == kid).ok_or_else(|| unreadable("signing_key.secret"))
    };
    rows.into_iter().map(parse).collect()
}

/// Lets one process at a time decide whether a key is missing, until the transaction ends; readers are not held up.
pub(super) fn lock_signing_keys(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // BEGIN IMMEDIATE holds everything already.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => {
            diesel::sql_query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE").execute(c).map(|_| ())
        }
    }
}

pub(super) fn insert_signing_key(conn: &mut Conn, id: &str, seed: &[u8], at: DateTime<Utc>) -> QueryResult<()> {
    let row = (signing_key::id.eq(id), signing_key::secret.eq(seed), signing_key::created_at.eq(unix_ms(&at)));
    diesel::insert_into(signing_key::table).values(row).execute(conn)?;
    Ok(())
}

/// Whether a key is still there.
pub(super) fn has_signing_key(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    let found: Option<String> = signing_key::table.find(id).select(signing_key::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// When each key was made, the newest first.
pub(super) fn signing_key_times(conn: &mut Conn) -> QueryResult<Vec<(String, DateTime<Utc>)>> {
    let rows: Vec<(String, i64)> = signing_key::table
        .order((signing_key::created_at.desc(), signing_key::id))
        .select((signing_key::id, signing_key::created_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, at)| (id, from_unix_ms(at))).collect())
}

/// False when there is no such key.
pub(super) fn delete_signing_key(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    Ok(diesel::delete(signing_key::table.find(id)).execute(conn)? == 1)
}

// the trail

type AuditRow = (String, i64, String, String, String, String);

pub(super) fn insert_audit(conn: &mut Conn, entry: &Entry) -> QueryResult<()> {
    let row = (
        audit::id.eq(&entry.id),
        audit::at.eq(unix_ms(&entry.at)),
        audit::actor.eq(&entry.actor),
        audit::action.eq(&entry.action),
        audit::subject.eq(&entry.subject),
        audit::detail.eq(&entry.detail),
    );
    diesel::insert_into(audit::table).values(row).execute(conn)?;
    Ok(())
}

/// Whether a line's detail is `like`.
pub(super) fn audit_has(conn: &mut Conn, subject: &str, like: &str) -> QueryResult<bool> {
    use diesel::TextExpressionMethods as _;
    let lines = audit::table.filter(audit::subject.eq(subject).and(audit::detail.like(like)));
    Ok(lines.count().get_result::<i64>(conn)? > 0)
}

pub(super) fn audit_trail(conn: &mut Conn, after: Option<&Entry>, most: u32) -> QueryResult<Vec<Entry>> {
    let (at, id) = after.map_or((i64::MAX, ""), |last| (unix_ms(&last.at), last.id.as_str()));
    let rows: Vec<AuditRow> = audit::table
        .filter(audit::at.lt(at).or(audit::at.eq(at).and(audit::id.gt(id))))
        .order((audit::at.desc(), audit::id))
        .limit(i64::from(most))
        .select((audit::id, audit::at, audit::actor, audit::action, audit::subject, audit::detail))
        .load(conn)?;
    let parse = |(id, at, actor, action, subject, detail): AuditRow| Entry {
        id,
        at: from_unix_ms(at),
        actor,
        action,
        subject,
        detail,
    };
    Ok(rows.into_iter().map(parse).collect())
}
