//! Sealing: a ballot becomes an envelope that only the round's box key opens (HPKE, RFC 9180, base mode,
//! X25519 + HKDF-SHA-256 + ChaCha20-Poly1305), deterministic once the salt is chosen.

use std::convert::Infallible;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem as _, X25519HkdfSha256};
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::clock::Entropy;

const ENVELOPE: &str = "phieu/envelope/v1";
const COMMIT_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;
const KEY_BYTES: usize = 32;

/// The receipt number of an envelope: its SHA-256 under a domain tag.
pub type EnvelopeId = [u8; 32];

/// The public half of a round's box key.
#[derive(Clone, PartialEq, Eq)]
pub struct BoxPublic([u8; KEY_BYTES]);

/// The private half. Never in the database, never on the server between keygen and opening.
pub struct BoxSecret(Zeroizing<[u8; KEY_BYTES]>);

/// A sealed ballot.
pub struct Envelope {
    /// Receipt number.
    pub id: EnvelopeId,
    /// Encapsulated key and ciphertext.
    pub sealed: Vec<u8>,
}

/// Why sealing or opening failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// The key is not a point on the curve.
    #[error("the box key is malformed")]
    Key,
    /// The ballot does not fit its questionnaire's bucket.
    #[error("the ballot is larger than its bucket")]
    TooLarge,
    /// Another key, or a damaged envelope.
    #[error("the envelope does not open with this key")]
    Opaque,
    /// It opened, but holds no ballot.
    #[error("the envelope is malformed inside")]
    Inside,
}

impl BoxPublic {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`SealFault::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealFault> {
        bytes.try_into().map(Self).map_err(|_wrong_length| SealFault::Key)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl BoxSecret {
    /// A new box key.
    ///
    /// # Errors
    /// Never for the bytes it makes itself; [`SealFault::Key`] by type.
    pub fn generate(entropy: &Entropy) -> Result<(Self, BoxPublic), SealFault> {
        let ikm = Zeroizing::new(entropy.bytes::<KEY_BYTES>());
        let (secret, _) = X25519HkdfSha256::derive_keypair(&*ikm);
        let secret = Self(Zeroizing::new(secret.to_bytes().into()));
        let public = secret.public()?;
        Ok((secret, public))
    }

    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`SealFault::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealFault> {
        bytes.try_into().map(|b| Self(Zeroizing::new(b))).map_err(|_wrong_length| SealFault::Key)
    }

    /// Its 32 bytes, for the custodian's file.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The public half.
    ///
    /// # Errors
    /// [`SealFault::Key`].
    pub fn public(&self) -> Result<BoxPublic, SealFault> {
        let secret = self.key()?;
        Ok(BoxPublic(X25519HkdfSha256::sk_to_pk(&secret).to_bytes().into()))
    }

    fn key(&self) -> Result<<X25519HkdfSha256 as hpke::Kem>::PrivateKey, SealFault> {
        <X25519HkdfSha256 as hpke::Kem>::PrivateKey::from_bytes(&*self.0).map_err(|_malformed| SealFault::Key)
    }
}

/// Seals a canonical ballot: the same salt gives the same envelope, bit for bit, anywhere.
///
/// # Errors
/// [`SealFault::Key`], [`SealFault::TooLarge`].
pub fn seal(
    key: &BoxPublic,
    round: &str,
    canonical: &[u8],
    bucket_bytes: usize,
    salt: &[u8; 32],
) -> Result<Envelope, SealFault> {
    let public = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&key.0).map_err(|_malformed| SealFault::Key)?;
    let plain = padded(canonical, &commitment(salt), bucket_bytes)?;
    let mut ephemeral = Fixed(ephemeral_key_material(salt, &plain)?);
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        &info(round),
        &plain,
        &[],
        &mut ephemeral,
    )
    .map_err(|_hpke| SealFault::Key)?;
    let mut sealed = encapsulated.to_bytes().to_vec();
    sealed.extend_from_slice(&ciphertext);
    Ok(Envelope { id: envelope_id(&sealed), sealed })
}

/// The receipt number of a sealed ballot.
#[must_use]
pub fn envelope_id(sealed: &[u8]) -> EnvelopeId {
    Sha256::new().chain_update(ENVELOPE).chain_update(sealed).finalize().into()
}

/// Opens an envelope; gives back the canonical ballot.
///
/// # Errors
/// [`SealFault::Opaque`] for another key or a damaged envelope, [`SealFault::Inside`] for one that holds no ballot.
pub fn open(key: &BoxSecret, round: &str, sealed: &[u8]) -> Result<Vec<u8>, SealFault> {
    let secret = key.key()?;
    let (encapsulated, ciphertext) = sealed.split_at_checked(KEY_BYTES).ok_or(SealFault::Opaque)?;
    let encapsulated = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(encapsulated)
        .map_err(|_malformed| SealFault::Opaque)?;
    let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        &info(round),
        ciphertext,
        &[],
    )
    .map_err(|_hpke| SealFault::Opaque)?;
    let plain = Zeroizing::new(plain);
    let (length, rest) = plain.split_at_checked(LENGTH_BYTES).ok_or(SealFault::Inside)?;
    let length = <[u8; LENGTH_BYTES]>::try_from(length).map_err(|_length| SealFault::Inside)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_narrow| SealFault::Inside)?;
    rest.get(..length).map(<[u8]>::to_vec).ok_or(SealFault::Inside)
}

fn info(round: &str) -> Vec<u8> {
    format!("{ENVELOPE}\n{round}").into_bytes()
}

/// Binds the envelope to its salt, so that a ballot cannot be claimed under two.
fn commitment(salt: &[u8; 32]) -> [u8; COMMIT_BYTES] {
    let mut out = [0_u8; COMMIT_BYTES];
    let done = Hkdf::<Sha256>::new(None, salt).expand(b"commit", &mut out);
    debug_assert!(done.is_ok());
    out
}

/// length ‖ canonical ballot ‖ commitment ‖ zeros, always `bucket_bytes` long.
fn padded(canonical: &[u8], commitment: &[u8], bucket_bytes: usize) -> Result<Zeroizing<Vec<u8>>, SealFault> {
    let used = LENGTH_BYTES + canonical.len() + commitment.len();
    if used > bucket_bytes {
        return Err(SealFault::TooLarge);
    }
    let length = u32::try_from(canonical.len()).map_err(|_wide| SealFault::TooLarge)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bucket_bytes));
    plain.extend_from_slice(&length.to_be_bytes());
    plain.extend_from_slice(canonical);
    plain.extend_from_slice(commitment);
    plain.resize(bucket_bytes, 0);
    Ok(plain)
}

/// Bytes that a bucket needs for a canonical ballot of at most `canonical_bytes`, rounded up so that small
/// differences between questionnaires do not show.
#[must_use]
pub fn bucket_bytes(canonical_bytes: usize) -> usize {
    (LENGTH_BYTES + canonical_bytes + COMMIT_BYTES).next_multiple_of(256)
}

fn ephemeral_key_material(salt: &[u8; 32], plain: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealFault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).map_err(|_length| SealFault::Key)?;
    mac.update(plain);
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// Hands HPKE the ephemeral key material that the salt determines.
struct Fixed(Zeroizing<[u8; KEY_BYTES]>);

impl rand::TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for (place, byte) in out.iter_mut().zip(self.0.iter().cycle()) {
            *place = *byte;
        }
        Ok(())
    }
}

impl rand::TryCryptoRng for Fixed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_its_key_and_no_other() {
        let (secret, public) = BoxSecret::generate(&Entropy::seeded(1)).unwrap();
        let (other, _) = BoxSecret::generate(&Entropy::seeded(2)).unwrap();
        let envelope = seal(&public, "r", b"{\"a\":1}", 256, &[9; 32]).unwrap();
        assert_eq!(open(&secret, "r", &envelope.sealed).unwrap(), b"{\"a\":1}");
        assert_eq!(open(&other, "r", &envelope.sealed), Err(SealFault::Opaque));
        assert_eq!(open(&secret, "another round", &envelope.sealed), Err(SealFault::Opaque));
        let mut damaged = envelope.sealed.clone();
        damaged[40] ^= 1;
        assert_eq!(open(&secret, "r", &damaged), Err(SealFault::Opaque));
        assert_eq!(open(&secret, "r", &[]), Err(SealFault::Opaque));
    }

    #[test]
    fn the_same_salt_gives_the_same_envelope_and_all_have_one_size() {
        let (_, public) = BoxSecret::generate(&Entropy::seeded(1)).unwrap();
        let a = seal(&public, "r", b"short", 512, &[1; 32]).unwrap();
        let b = seal(&public, "r", b"short", 512, &[1; 32]).unwrap();
        let c = seal(&public, "r", b"a rather longer ballot", 512, &[2; 32]).unwrap();
        assert_eq!(a.sealed, b.sealed);
        assert_ne!(a.id, c.id);
        assert_eq!(a.sealed.len(), c.sealed.len());
        assert!(matches!(seal(&public, "r", &[0; 500], 512, &[1; 32]), Err(SealFault::TooLarge)));
    }
}
