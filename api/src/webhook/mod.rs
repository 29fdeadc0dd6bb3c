//! Webhooks: programs that are told when scores come out, by the rules of Standard Webhooks 1.0
//! (<https://www.standardwebhooks.com>).
//!
//! What is to be told is written into an outbox in the transaction of the release itself ([`announce`]); a worker in
//! `phieu serve` sends it ([`worker`]), ten times over 75 hours until the receiver answers 2xx. The message is thin: what
//! came out and under which digest. Whoever gets it fetches the scores as always, so a stolen address reveals nothing.
//!
//! A receiver is a stranger's address that this server calls, so: public addresses only, checked on the address that the
//! name resolved to and that is then connected to; TLS; no redirects; 15 seconds. Networks that the settings allow
//! (`webhook_networks`) are exempt, and may do without TLS. How to write a receiver: `README.md` beside this file.

mod address;
mod send;
mod store;
pub mod worker;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use data_encoding::BASE64;
use serde::Serialize;

pub use address::AddressFault;
pub use send::{Outcome, Sender};

use crate::access::Secret;
use crate::access::audit::{self, Actor};
use crate::clock::Entropy;
use crate::config::Network;
use crate::db::{Conn, DbError};

/// Attempts at one delivery.
pub const ATTEMPTS: i64 = 10;
/// From the failure of an attempt to the next one, in seconds: 75 hours and 35 minutes in all.
const DELAYS_S: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Most webhooks at a time.
const WEBHOOKS_MAX: i64 = 50;
/// What stands before a secret in text.
const SECRET_PREFIX: &str = "whsec_";

/// Why something about webhooks cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address cannot be one.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// No such webhook, or removed before.
    #[error("there is no such webhook")]
    Unknown,
    /// No such delivery, or its webhook is removed.
    #[error("there is no such delivery, or its webhook was removed")]
    DeliveryUnknown,
    /// No such round.
    #[error("there is no such round")]
    RoundUnknown,
    /// So many are there already.
    #[error("there are {WEBHOOKS_MAX} webhooks already")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What becomes of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookState {
    /// It is told.
    Active,
    /// Removed by hand.
    Removed,
    /// The receiver answered 410.
    Gone,
}

impl WebhookState {
    const ALL: [Self; 3] = [Self::Active, Self::Removed, Self::Gone];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Removed => "removed",
            Self::Gone => "gone",
        }
    }
}

/// An address that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Random.
    pub id: String,
    /// Where.
    pub url: String,
    /// Of one round; of all when none.
    pub round: Option<String>,
    /// Whether it is told.
    pub state: WebhookState,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent, at once or later.
    Waiting,
    /// The receiver answered 2xx.
    Delivered,
    /// Ten attempts failed, or the webhook is no more.
    GivenUp,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

/// One message to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `webhook-id` on the wire: the same in every attempt, so that a receiver knows what it has.
    pub id: String,
    /// To which webhook.
    pub webhook: String,
    /// About which round.
    pub round: String,
    /// JSON.
    pub body: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next one is due.
    pub due_at: DateTime<Utc>,
    /// When the last one ended, with which status or fault.
    pub last: Option<(DateTime<Utc>, Option<i64>, Option<String>)>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released<'r> {
    /// Id of the round.
    pub round: &'r str,
    /// From 1.
    pub release: u32,
    /// When.
    pub published_at: DateTime<FixedOffset>,
    /// SHA-256 of the document, lower-case hex.
    pub sha256: &'r str,
    /// Why, for a correction.
    pub reason: Option<&'r str>,
    /// Where the document is, below the service's address.
    pub path: String,
}

#[derive(Serialize)]
struct Message<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<FixedOffset>,
    data: &'r Released<'r>,
}

/// Adds a webhook; the secret is told this once.
///
/// # Errors
/// [`WebhookError`].
pub fn add(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &Actor,
    url: &str,
    round: Option<&str>,
    inside: &[Network],
) -> Result<(Webhook, Secret), WebhookError> {
    let url = address::checked(url, inside)?;
    if let Some(round) = round
        && !store::round_exists(conn, round).map_err(DbError::from)?
    {
        return Err(WebhookError::RoundUnknown);
    }
    if store::active(conn).map_err(DbError::from)? >= WEBHOOKS_MAX {
        return Err(WebhookError::TooMany);
    }
    let secret: [u8; 32] = entropy.bytes();
    let id = format!("wh_{}", entropy.uuid().simple());
    let webhook = Webhook { id, url, round: round.map(str::to_owned), state: WebhookState::Active, created_at: at };
    store::insert(conn, &webhook, &secret).map_err(DbError::from)?;
    audit::record(conn, at, by, "webhook.added", &webhook.id, &format!("round={}", round.unwrap_or("*")))?;
    Ok((webhook, Secret::new(format!("{SECRET_PREFIX}{}", BASE64.encode(&secret)))))
}

/// Every webhook, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub fn list(conn: &mut Conn) -> Result<Vec<Webhook>, DbError> {
    Ok(store::list(conn)?)
}

/// Removes a webhook; what waits for it is given up.
///
/// # Errors
/// [`WebhookError::Unknown`].
pub fn remove(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, id: &str) -> Result<(), WebhookError> {
    if !store::end(conn, id, WebhookState::Removed).map_err(DbError::from)? {
        return Err(WebhookError::Unknown);
    }
    Ok(audit::record(conn, at, by, "webhook.removed", id, "")?)
}

/// Writes a release into the outbox, for every webhook that wants it; gives back for how many. In the transaction of the
/// release: neither is there without the other.
///
/// # Errors
/// When the database refuses.
pub fn announce(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    released: &Released<'_>,
) -> Result<usize, DbError> {
    let message = Message { kind: "scores.published", timestamp: released.published_at, data: released };
    let body = serde_json::to_string(&message).unwrap_or_default();
    let wanted = store::list(conn)?.into_iter().filter(|webhook| {
        webhook.state == WebhookState::Active && webhook.round.as_deref().is_none_or(|round| round == released.round)
    });
    let mut told = 0;
    for webhook in wanted {
        let id = format!("msg_{}", entropy.uuid().simple());
        store::enqueue(conn, &id, &webhook.id, released.round, &body, at)?;
        told += 1;
    }
    Ok(told)
}

/// The latest deliveries, the newest first; of one webhook, if one is named.
///
/// # Errors
/// When the database does not answer.
pub fn deliveries(conn: &mut Conn, webhook: Option<&str>, most: i64) -> Result<Vec<Delivery>, DbError> {
    Ok(store::deliveries(conn, webhook, most)?)
}

/// Sends a delivery once more, from the first attempt on, whatever became of it before. It keeps its id.
///
/// # Errors
/// [`WebhookError::DeliveryUnknown`].
pub fn replay(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, id: &str) -> Result<(), WebhookError> {
    if !store::replay(conn, id, at).map_err(DbError::from)? {
        return Err(WebhookError::DeliveryUnknown);
    }
    Ok(audit::record(conn, at, by, "webhook.replayed", id, "")?)
}

/// When a delivery is due again after so many failed attempts; none when that was the last one.
fn next(attempts: i64, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    DELAYS_S.get(place).map(|seconds| at + TimeDelta::seconds(*seconds))
}

#[cfg(test)]
mod tests;
