//! Machine clients: programs that exchange a secret for short-lived tokens (OAuth 2.0 client credentials, RFC 6749).

use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq as _;

use super::audit::{self, Actor};
use super::scopes::Scopes;
use super::secret::{Secret, fingerprint};
use super::{AccessError, store};
use crate::clock::Entropy;
use crate::db::{Conn, DbError};

const LONGEST_NAME: usize = 80;

/// A machine client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// `client_id`, random.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Of which rounds; of every round when empty.
    pub rounds: Vec<String>,
    /// May no longer get tokens, and those it has are refused.
    pub revoked: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Adds a client for every round: see [`add_for`].
///
/// # Errors
/// As [`add_for`].
pub fn add(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &Actor,
    name: &str,
    scopes: Scopes,
) -> Result<(Client, Secret), AccessError> {
    add_for(conn, at, entropy, by, name, scopes, &[])
}

/// Adds a client. The secret is returned this once: the database keeps the SHA-256 of its 256 random bits, which is
/// enough because nobody can enumerate them (a slow hash protects values that people choose).
///
/// # Errors
/// [`AccessError::ClientNameInvalid`], [`AccessError::Db`].
pub fn add_for(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &Actor,
    name: &str,
    scopes: Scopes,
    rounds: &[String],
) -> Result<(Client, Secret), AccessError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(AccessError::ClientNameInvalid);
    }
    let secret = Secret::random(entropy);
    let id = entropy.uuid().simple().to_string();
    let client = Client { id, name: name.to_owned(), scopes, rounds: rounds.to_vec(), revoked: false, created_at: at };
    store::insert_client(conn, &client, &fingerprint(secret.reveal()))?;
    let limit = if rounds.is_empty() { String::new() } else { format!(" rounds={}", rounds.join("+")) };
    audit::record(conn, at, by, "client.added", &client.id, &format!("{}{limit}", client.scopes))?;
    Ok((client, secret))
}

/// Every client, the oldest first.
///
/// # Errors
/// [`AccessError::Db`].
pub fn list(conn: &mut Conn) -> Result<Vec<Client>, AccessError> {
    Ok(store::client_list(conn)?)
}

/// Revokes a client; tokens that it still has are refused from now on. Doing it again changes nothing.
///
/// # Errors
/// [`AccessError::ClientUnknown`], [`AccessError::Db`].
pub fn revoke(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, id: &str) -> Result<(), AccessError> {
    store::client(conn, id)?.ok_or(AccessError::ClientUnknown)?;
    if store::revoke_client(conn, id)? {
        audit::record(conn, at, by, "client.revoked", id, "")?;
    }
    Ok(())
}

/// The client of this id and secret, unless it was revoked.
///
/// # Errors
/// When the database does not answer.
pub(super) fn authenticate(conn: &mut Conn, id: &str, secret: &Secret) -> Result<Option<Client>, DbError> {
    let given = fingerprint(secret.reveal());
    let found = store::client(conn, id)?;
    let (client, kept) = match found {
        Some((client, kept)) => (Some(client), kept),
        None => (None, Vec::new()),
    };
    let right: bool = given.as_slice().ct_eq(kept.as_slice()).into();
    Ok(client.filter(|c| right && !c.revoked))
}

/// The client of this id, if tokens of it are still honoured.
///
/// # Errors
/// When the database does not answer.
pub(super) fn in_force(conn: &mut Conn, id: &str) -> Result<Option<Client>, DbError> {
    Ok(store::client(conn, id)?.map(|(client, _)| client).filter(|client| !client.revoked))
}
