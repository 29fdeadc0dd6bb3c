//! Receipts: the hash of the envelope. It proves "my ballot is in the box" and says nothing to a boss.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;

use super::keys::{Keys, Slot};
use super::seal::EnvelopeId;
use crate::clock::Entropy;

pub(super) const NONCE_BYTES: usize = 24;

/// A receipt number; prints as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt(EnvelopeId);

impl Receipt {
    pub(super) const fn new(id: EnvelopeId) -> Self {
        Self(id)
    }

    /// Reads a number as people copy it: case and white space do not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        let bytes = HEXLOWER.decode(digits.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The envelope's id.
    #[must_use]
    pub const fn id(&self) -> &EnvelopeId {
        &self.0
    }

    /// In groups of four digits, for people.
    #[must_use]
    pub fn grouped(&self) -> String {
        let digits: Vec<char> = self.to_string().chars().collect();
        digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// Encrypts the receipt so that only the code's holder can read it.
    pub(super) fn lock(&self, keys: &Keys, entropy: &Entropy) -> Vec<u8> {
        lock(&keys.receipt(), &self.0, entropy)
    }

    pub(super) fn unlock(keys: &Keys, locked: &[u8]) -> Option<Self> {
        unlock(&keys.receipt(), locked)?.try_into().ok().map(Self)
    }
}

/// nonce ‖ XChaCha20-Poly1305 ciphertext.
pub(super) fn lock(key: &[u8; 32], plain: &[u8], entropy: &Entropy) -> Vec<u8> {
    let nonce = entropy.bytes::<NONCE_BYTES>();
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let mut out = nonce.to_vec();
    // Fails only for messages of many gigabytes.
    out.extend(cipher.encrypt(&XNonce::from(nonce), plain).unwrap_or_default());
    out
}

pub(super) fn unlock(key: &[u8; 32], locked: &[u8]) -> Option<Vec<u8>> {
    let (nonce, ciphertext) = locked.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    XChaCha20Poly1305::new(&Key::from(*key)).decrypt(&XNonce::from(nonce), ciphertext).ok()
}

impl Slot {
    /// Seals what is to wait here.
    #[must_use]
    pub fn seal(&self, plain: &[u8], entropy: &Entropy) -> Vec<u8> {
        lock(&self.key, plain, entropy)
    }

    /// Opens what waited here; `None` when it is something else or was changed.
    #[must_use]
    pub fn open(&self, body: &[u8]) -> Option<Vec<u8>> {
        unlock(&self.key, body)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt(..)")
    }
}
