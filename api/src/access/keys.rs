//! Ed25519 keys that sign access tokens and published documents, and their public half as JWK (RFC 8037).

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::audit::{self, Actor};
use super::store;
use crate::clock::Entropy;
use crate::db::{Conn, DbError};

/// A public key as JWK (RFC 7517, RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwk {
    /// Octet key pair.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// The curve.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// The public key, base64url.
    pub x: String,
    /// Its thumbprint (RFC 7638): the `kid` of what it signed.
    pub kid: String,
    /// The algorithm.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// Signatures only.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
}

/// The keys that verify what this service signs (RFC 7517, 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JwkSet {
    /// The newest first.
    pub keys: Vec<Jwk>,
}

/// A key that signs.
pub struct Signer {
    kid: String,
    key: SigningKey,
}

// Written by hand: nothing of the key but its name is ever printed.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.kid)
    }
}

impl Signer {
    pub(super) fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { kid: thumbprint(&public(&key)), key }
    }

    /// The `kid` in the header of what it signs.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let x = public(&self.key);
        Jwk { kty: "OKP", crv: "Ed25519", x, kid: self.kid.clone(), alg: "EdDSA", usage: "sig" }
    }

    /// An Ed25519 signature (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// `payload` as a compact JWS (RFC 7515). `typ` says what kind of document it is, so that none passes for another
    /// kind; access tokens have a `typ` of their own and never accept this one's.
    #[must_use]
    pub fn jws(&self, typ: &str, payload: &[u8]) -> String {
        let header = serde_json::json!({ "alg": "EdDSA", "kid": self.kid, "typ": typ }).to_string();
        let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload));
        let signature = BASE64URL_NOPAD.encode(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(super) fn encoding(&self) -> Option<EncodingKey> {
        self.key.to_pkcs8_der().ok().map(|der| EncodingKey::from_ed_der(der.as_bytes()))
    }

    pub(super) fn decoding(&self) -> DecodingKey {
        DecodingKey::from_ed_der(self.key.verifying_key().as_bytes())
    }
}

fn public(key: &SigningKey) -> String {
    BASE64URL_NOPAD.encode(key.verifying_key().as_bytes())
}

/// RFC 7638: SHA-256 of the required members in lexical order, without white space.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64URL_NOPAD.encode(&Sha256::digest(members.as_bytes()))
}

/// The key to sign with: the newest. The first one is made on first use, once for all processes. Call it inside
/// [`crate::db::Db::write`].
///
/// # Errors
/// When the database refuses.
pub fn signer(conn: &mut Conn, at: DateTime<Utc>, entropy: &Entropy) -> Result<Signer, DbError> {
    if let Some(newest) = newest(conn)? {
        return Ok(newest);
    }
    store::lock_signing_keys(conn)?;
    if let Some(newest) = newest(conn)? {
        return Ok(newest);
    }
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(entropy.bytes());
    let first = Signer::from_seed(&seed);
    store::insert_signing_key(conn, &first.kid, &*seed, at)?;
    tracing::info!(signing_key.kid = %first.kid, "first signing key made");
    Ok(first)
}

/// Makes a new key: it signs from now on, and all older ones still verify. Gives back its `kid`.
///
/// # Errors
/// When the database refuses.
pub fn rotate(conn: &mut Conn, at: DateTime<Utc>, entropy: &Entropy, by: &Actor) -> Result<String, DbError> {
    store::lock_signing_keys(conn)?;
    // The newest by its time, whatever the clocks of two machines say.
    let latest = store::signing_key_times(conn)?.first().map(|(_, made)| *made + TimeDelta::milliseconds(1));
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(entropy.bytes());
    let new = Signer::from_seed(&seed);
    store::insert_signing_key(conn, &new.kid, &*seed, latest.map_or(at, |latest| latest.max(at)))?;
    audit::record(conn, at, by, "signing_key.rotated", &new.kid, "")?;
    Ok(new.kid)
}

/// Why a key cannot be withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// No such key.
    #[error("there is no such key")]
    Unknown,
    /// It is the one that signs.
    #[error("this key signs: rotate first")]
    Signs,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Destroys a key that no longer signs, because it may be in other hands: nothing that it signed verifies any more.
///
/// # Errors
/// [`WithdrawError`].
pub fn withdraw(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, kid: &str) -> Result<(), WithdrawError> {
    let keys = store::signing_key_times(conn).map_err(DbError::from)?;
    if keys.first().is_some_and(|(newest, _)| newest == kid) {
        return Err(WithdrawError::Signs);
    }
    if !store::delete_signing_key(conn, kid).map_err(DbError::from)? {
        return Err(WithdrawError::Unknown);
    }
    Ok(audit::record(conn, at, by, "signing_key.withdrawn", kid, "")?)
}

/// Every key's `kid` and when it was made; the first one signs.
///
/// # Errors
/// When the database does not answer.
pub fn times(conn: &mut Conn) -> Result<Vec<(String, DateTime<Utc>)>, DbError> {
    Ok(store::signing_key_times(conn)?)
}

/// The newest key, if there is one yet. Only reads.
///
/// # Errors
/// When the database does not answer.
pub fn newest(conn: &mut Conn) -> Result<Option<Signer>, DbError> {
    Ok(all(conn)?.into_iter().next())
}

/// Whether a key was not withdrawn.
pub(super) fn is_there(conn: &mut Conn, kid: &str) -> Result<bool, DbError> {
    Ok(store::has_signing_key(conn, kid)?)
}

/// Every key, the newest first.
pub(super) fn all(conn: &mut Conn) -> Result<Vec<Signer>, DbError> {
    Ok(store::signing_keys(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::databases;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037, appendix A.1 to A.3.
        let d = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let signer = Signer::from_seed(&d.try_into().unwrap());
        assert_eq!(signer.jwk().x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(signer.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(!format!("{signer:?}").contains("nWGxne"));
    }

    #[test]
    fn a_signed_document_verifies_with_a_jose_library() {
        let signer = Signer::from_seed(&[7; 32]);
        let jws = signer.jws("scores+json", br#"{"round":"r"}"#);
        let (signed, signature) = jws.rsplit_once('.').unwrap();
        let alg = jsonwebtoken::Algorithm::EdDSA;
        let good = |m: &str| jsonwebtoken::crypto::verify(signature, m.as_bytes(), &signer.decoding(), alg).unwrap();
        assert!(good(signed));
        assert!(!good(&signed.replacen('e', "f", 1)));
    }

    #[test]
    fn two_at_once_make_one_first_key() {
        for test in databases() {
            let make = |hold: &dyn Fn()| {
                test.db.write_here(|conn| {
                    let at = test.db.now(conn)?;
                    let made = signer(conn, at, &Entropy::System)?;
                    hold();
                    Ok::<_, DbError>(made.kid().to_owned())
                })
            };
            let (started, start) = std::sync::mpsc::channel();
            let kids = std::thread::scope(|scope| {
                let make = &make;
                let second = scope.spawn(move || {
                    start.recv().unwrap();
                    make(&|| ()).unwrap()
                });
                // The second asks while the first one's key is made and not yet committed.
                let first = make(&|| {
                    started.send(()).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(200));
                })
                .unwrap();
                [first, second.join().unwrap()]
            });
            let kept = test.db.read_here(all).unwrap();
            assert_eq!(kept.len(), 1, "{}", test.backend);
            assert!(kids.iter().all(|kid| kid == kept[0].kid()), "{}", test.backend);
        }
    }
}
