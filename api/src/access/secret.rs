//! Values that are shown once and must never be printed by accident.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::clock::Entropy;

/// A password, a client's secret or a session's cookie: no `Display`, a `Debug` without content, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// 256 random bits, as 43 characters that need no escaping anywhere.
    pub(super) fn random(entropy: &Entropy) -> Self {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(entropy.bytes());
        Self::new(BASE64URL_NOPAD.encode(&*bytes))
    }

    /// The value itself: for the one place that shows or sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What the database keeps of a random secret. A slow hash would add nothing: it makes guessing among *few* likely
/// values dear, and nobody enumerates 2^256 of them; one SHA-256 is enough to make the stored value useless.
pub(super) fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_differs_and_does_not_print() {
        let entropy = Entropy::seeded(7);
        let (a, b) = (Secret::random(&entropy), Secret::random(&entropy));
        assert_eq!(a.reveal().len(), 43);
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(format!("{a:?}"), "Secret(..)");
        assert_ne!(fingerprint(a.reveal()), fingerprint(b.reveal()));
    }
}
