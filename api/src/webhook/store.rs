//! Webhooks and their outbox.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use zeroize::Zeroizing;

use super::send::{Outcome, Parcel};
use super::{Delivery, DeliveryState, Webhook, WebhookState};
use crate::db::schema::{round, webhook, webhook_delivery as delivery};
use crate::db::{Conn, from_unix_ms, unix_ms};

fn unreadable(what: &'static str) -> diesel::result::Error {
    diesel::result::Error::DeserializationError(what.into())
}

pub(super) fn round_exists(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    round::table.find(id).select(round::id).first::<String>(conn).optional().map(|found| found.is_some())
}

pub(super) fn active(conn: &mut Conn) -> QueryResult<i64> {
    webhook::table.filter(webhook::state.eq(WebhookState::Active.as_str())).count().get_result(conn)
}

pub(super) fn insert(conn: &mut Conn, new: &Webhook, secret: &[u8]) -> QueryResult<()> {
    diesel::insert_into(webhook::table)
        .values((
            webhook::id.eq(&new.id),
            webhook::url.eq(&new.url),
            webhook::secret.eq(secret),
            webhook::round.eq(&new.round),
            webhook::state.eq(new.state.as_str()),
            webhook::created_at.eq(unix_ms(&new.created_at)),
        ))
        .execute(conn)
        .map(|_| ())
}

/// The oldest first.
pub(super) fn list(conn: &mut Conn) -> QueryResult<Vec<Webhook>> {
    let rows: Vec<(String, String, Option<String>, String, i64)> = webhook::table
        .order((webhook::created_at, webhook::id))
        .select((webhook::id, webhook::url, webhook::round, webhook::state, webhook::created_at))
        .load(conn)?;
    let parse = |(id, url, round, state, created_at): (String, String, Option<String>, String, i64)| {
        let state = WebhookState::ALL.into_iter().find(|known| known.as_str() == state);
        let state = state.ok_or_else(|| unreadable("webhook.state"))?;
        Ok(Webhook { id, url, round, state, created_at: from_unix_ms(created_at) })
    };
    rows.into_iter().map(parse).collect()
}

/// Ends an active webhook and gives up what waits for it; false when there is none.
pub(super) fn end(conn: &mut Conn, id: &str, state: WebhookState) -> QueryResult<bool> {
    let active = webhook::table.find(id).filter(webhook::state.eq(WebhookState::Active.as_str()));
    if diesel::update(active).set(webhook::state.eq(state.as_str())).execute(conn)? == 0 {
        return Ok(false);
    }
    let waiting =
        delivery::table.filter(delivery::webhook.eq(id).and(delivery::state.eq(DeliveryState::Waiting.as_str())));
    diesel::update(waiting).set(delivery::state.eq(DeliveryState::GivenUp.as_str())).execute(conn)?;
    Ok(true)
}

pub(super) fn enqueue(
    conn: &mut Conn,
    id: &str,
    webhook: &str,
    round: &str,
    body: &str,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(delivery::table)
        .values((
            delivery::id.eq(id),
            delivery::webhook.eq(webhook),
            delivery::round.eq(round),
            delivery::body.eq(body),
            delivery::created_at.eq(unix_ms(&at)),
            delivery::state.eq(DeliveryState::Waiting.as_str()),
            delivery::attempts.eq(0),
            delivery::due_at.eq(unix_ms(&at)),
        ))
        .execute(conn)
        .map(|_| ())
}

type Row = (String, String, String, String, i64, String, i64, i64, Option<i64>, Option<i64>, Option<String>);

/// The newest first.
pub(super) fn deliveries(conn: &mut Conn, of: Option<&str>, most: i64) -> QueryResult<Vec<Delivery>> {
    let mut query = delivery::table.order((delivery::created_at.desc(), delivery::id)).limit(most).into_boxed();
    if let Some(of) = of {
        query = query.filter(delivery::webhook.eq(of.to_owned()));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let parse = |row: Row| {
        let (id, webhook, round, body, _, state, attempts, due_at, last_at, status, fault) = row;
        let state = DeliveryState::ALL.into_iter().find(|known| known.as_str() == state);
        Ok(Delivery {
            id,
            webhook,
            round,
            body,
            state: state.ok_or_else(|| unreadable("webhook_delivery.state"))?,
            attempts,
            due_at: from_unix_ms(due_at),
            last: last_at.map(|at| (from_unix_ms(at), status, fault)),
        })
    };
    rows.into_iter().map(parse).collect()
}

/// False when there is no such delivery to an active webhook.
pub(super) fn replay(conn: &mut Conn, id: &str, at: DateTime<Utc>) -> QueryResult<bool> {
    let active = webhook::table.filter(webhook::state.eq(WebhookState::Active.as_str())).select(webhook::id);
    let active: Vec<String> = active.load(conn)?;
    let to_active = delivery::table.find(id).filter(delivery::webhook.eq_any(active));
    let changed = diesel::update(to_active)
        .set((
            delivery::state.eq(DeliveryState::Waiting.as_str()),
            delivery::attempts.eq(0),
            delivery::due_at.eq(unix_ms(&at)),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Takes deliveries that are due, so that nobody else takes them before `until`; each with which attempt this is. Rows
/// that another process holds are left to it.
pub(super) fn claim(
    conn: &mut Conn,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<(Parcel, i64)>> {
    let due = delivery::table
        .filter(delivery::state.eq(DeliveryState::Waiting.as_str()).and(delivery::due_at.le(unix_ms(&at))))
        .order(delivery::due_at)
        .limit(most)
        .select((delivery::id, delivery::webhook, delivery::body, delivery::attempts));
    let rows: Vec<(String, String, String, i64)> = match conn {
        Conn::Sqlite(c) => due.load(c)?,
        Conn::Postgres(c) => due.for_update().skip_locked().load(c)?,
    };
    let mut parcels = Vec::new();
    for (id, to, body, attempts) in rows {
        let attempt = attempts + 1;
        diesel::update(delivery::table.find(&id))
            .set((delivery::attempts.eq(attempt), delivery::due_at.eq(unix_ms(&until))))
            .execute(conn)?;
        let (url, secret): (String, Vec<u8>) =
            webhook::table.find(to).select((webhook::url, webhook::secret)).first(conn)?;
        parcels.push((Parcel { id, url, secret: Zeroizing::new(secret), body }, attempt));
    }
    Ok(parcels)
}

/// Writes down how an attempt ended; `next` is when it is tried again. Only while it still waits: a webhook may have
/// been removed in the meantime.
pub(super) fn settle(
    conn: &mut Conn,
    id: &str,
    outcome: Outcome,
    at: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
) -> QueryResult<()> {
    let (status, fault) = match outcome {
        Outcome::Answered(status) => (Some(i64::from(status)), None),
        Outcome::Failed(word) => (None, Some(word)),
    };
    let told = (delivery::last_at.eq(unix_ms(&at)), delivery::last_status.eq(status), delivery::last_fault.eq(fault));
    diesel::update(delivery::table.find(id)).set(told).execute(conn)?;
    let waiting = delivery::table.find(id).filter(delivery::state.eq(DeliveryState::Waiting.as_str()));
    match (outcome.is_delivered(), next) {
        (true, _) => diesel::update(waiting).set(delivery::state.eq(DeliveryState::Delivered.as_str())).execute(conn),
        (false, Some(next)) => diesel::update(waiting).set(delivery::due_at.eq(unix_ms(&next))).execute(conn),
        (false, None) => diesel::update(waiting).set(delivery::state.eq(DeliveryState::GivenUp.as_str())).execute(conn),
    }?;
    if outcome.is_gone() {
        let of: String = delivery::table.find(id).select(delivery::webhook).first(conn)?;
        end(conn, &of, WebhookState::Gone)?;
    }
    Ok(())
}
