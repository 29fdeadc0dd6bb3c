//! Access tokens: JWTs (RFC 7519, in the profile of RFC 9068) signed with EdDSA, good for ten minutes.
//!
//! The keys that verify are kept in the process; a token that names another key makes it read the table once more,
//! because another process may have made the first key. Times are the machine's, as RFC 7519 means them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::client::{self, Client};
use super::keys;
use super::scopes::Scopes;
use super::secret::Secret;
use crate::clock::Entropy;
use crate::config::BaseUrl;
use crate::db::{Conn, Db, DbError};

pub use super::keys::{Jwk, JwkSet, Signer, WithdrawError, newest, rotate, signer, times, withdraw};

/// How long a token is good for.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How far two machines' clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// RFC 9068, 2.1: what else these keys sign is never taken for an access token.
const TYP: &str = "at+jwt";
const LONGEST_TOKEN: usize = 2048;

/// Why a token was refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, tampered with, or of a revoked client.
    #[error("the token is not valid")]
    Invalid,
    /// Past its time.
    #[error("the token has expired")]
    Expired,
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Signing,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A token for a client, as the answer to its request.
#[derive(Debug)]
pub struct Granted {
    /// The token itself.
    pub token: Secret,
    /// What it is good for.
    pub scopes: Scopes,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The client's id.
    pub client: String,
    /// What it may do with this token.
    pub scopes: Scopes,
    /// Of which rounds; of every round when empty.
    pub rounds: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    client_id: String,
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Issues and verifies tokens in one process; cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    entropy: Entropy,
    verifying: RwLock<BTreeMap<String, DecodingKey>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.issuer)
    }
}

impl Tokens {
    /// Tokens of the service at `base`: `iss` is its address, `aud` its API.
    #[must_use]
    pub fn new(base: &BaseUrl, entropy: &Entropy) -> Self {
        Self(Arc::new(Inner {
            issuer: base.url(""),
            audience: base.url("/api/v1"),
            entropy: entropy.clone(),
            verifying: RwLock::default(),
        }))
    }

    /// The client of this id and secret, unless revoked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn authenticate(&self, db: &Db, id: String, secret: Secret) -> Result<Option<Client>, DbError> {
        db.read(move |conn| client::authenticate(conn, &id, &secret)).await
    }

    /// Signs a token for `client` at `at` (the machine's time).
    ///
    /// # Errors
    /// [`TokenError::Signing`], [`TokenError::Db`].
    pub async fn issue(
        &self,
        db: &Db,
        client: &Client,
        scopes: Scopes,
        at: DateTime<Utc>,
    ) -> Result<Granted, TokenError> {
        let signer = self.signer(db).await?;
        let claims = Claims {
            iss: self.0.issuer.clone(),
            aud: self.0.audience.clone(),
            sub: client.id.clone(),
            client_id: client.id.clone(),
            scope: scopes.to_string(),
            iat: at.timestamp(),
            exp: (at + LIFETIME).timestamp(),
            jti: self.0.entropy.uuid().to_string(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(signer.kid().to_owned());
        let key = signer.encoding().ok_or(TokenError::Signing)?;
        let token = jsonwebtoken::encode(&header, &claims, &key).map_err(|_opaque| TokenError::Signing)?;
        Ok(Granted { token: Secret::new(token), scopes })
    }

    /// What a token says, if it is good at `at` (the machine's time) and its client was not revoked.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, db: &Db, token: &Secret, at: DateTime<Utc>) -> Result<Verified, TokenError> {
        let token = token.reveal();
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_any| TokenError::Invalid)?;
        // Keys come from our table alone: `jku`, `x5u` and `jwk` are never looked at.
        let Header { alg: Algorithm::EdDSA, typ: Some(typ), kid: Some(kid), crit: None, .. } = header else {
            return Err(TokenError::Invalid);
        };
        if typ != TYP {
            return Err(TokenError::Invalid);
        }
        let key = self.verifying(db, &kid).await?.ok_or(TokenError::Invalid)?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key, &self.validation()).map_err(|_any| TokenError::Invalid)?.claims;
        if claims.iat > (at + LEEWAY).timestamp() {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= (at - LEEWAY).timestamp() {
            return Err(TokenError::Expired);
        }
        let scopes = Scopes::parse(&claims.scope).map_err(|_unknown| TokenError::Invalid)?;
        let id = claims.sub.clone();
        // A token is good for minutes; a revoked client or a withdrawn key must not be good for even those.
        let in_force = move |conn: &mut Conn| match keys::is_there(conn, &kid)? {
            true => client::in_force(conn, &id),
            false => Ok(None),
        };
        let client = db.read(in_force).await?.ok_or(TokenError::Invalid)?;
        Ok(Verified { client: claims.sub, scopes, rounds: client.rounds })
    }

    /// The public keys. The first key is made if there is none yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn jwk_set(&self, db: &Db) -> Result<JwkSet, DbError> {
        self.signer(db).await?;
        let keys = db.read(keys::all).await?;
        Ok(JwkSet { keys: keys.iter().map(Signer::jwk).collect() })
    }

    fn validation(&self) -> Validation {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.0.issuer]);
        rules.set_audience(&[&self.0.audience]);
        // Checked above against the time we are given: the library reads the clock itself.
        rules.validate_exp = false;
        rules
    }

    /// The newest key, read each time: another one may have been made.
    async fn signer(&self, db: &Db) -> Result<Signer, DbError> {
        if let Some(signer) = db.read(newest).await? {
            return Ok(signer);
        }
        let (clock, entropy) = (db.clone(), self.0.entropy.clone());
        db.write(move |conn| {
            let at = clock.now(conn)?;
            signer(conn, at, &entropy)
        })
        .await
    }

    async fn verifying(&self, db: &Db, kid: &str) -> Result<Option<DecodingKey>, DbError> {
        let kept = self.0.verifying.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let keys: BTreeMap<_, _> =
            db.read(keys::all).await?.iter().map(|s| (s.kid().to_owned(), s.decoding())).collect();
        let found = keys.get(kid).cloned();
        *self.0.verifying.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
