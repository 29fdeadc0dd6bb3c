//! What a code unlocks. Everything is derived from the 24 symbols (HKDF-SHA-256, RFC 5869) and forgotten with
//! them; the server keeps only the public key.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::token::Token;

const SALT: &str = "phieu/v1";
const REDEEM: &str = "phieu/redeem/v1";
const PAGE: &str = "phieu/page/v1";
const NOTE: &str = "phieu/note/v1";

/// The stored id of a credential: an Ed25519 public key (RFC 8032), 32 bytes.
pub type PublicKey = [u8; 32];
/// The stored id of a draft: 16 bytes, not computable from the public key.
pub type DraftId = [u8; 16];

/// A key with the id under which its ciphertext is stored.
pub struct Slot {
    /// Where.
    pub id: DraftId,
    /// With what.
    pub key: Zeroizing<[u8; 32]>,
}

/// The keys of one code in one round.
pub struct Keys {
    signing: SigningKey,
    /// Id of the credential.
    pub public: PublicKey,
    prk: Hkdf<Sha256>,
}

/// What may be stored under a code until its ballot is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The respondent's own draft.
    Draft,
    /// The first clerk's entry of a paper ballot.
    FirstKeying,
    /// The second clerk's entry; of a sample that differs from both, the third reading.
    SecondKeying,
    /// The first entry of a ballot that a supervisor had keyed anew.
    EarlierFirst,
    /// Its second entry.
    EarlierSecond,
    /// What the first clerk has typed so far.
    FirstUnfinished,
    /// What the second clerk has typed so far.
    SecondUnfinished,
    /// What a third person read before seeing what the two have.
    BlindReading,
}

impl Purpose {
    /// All of them: the cast deletes every one.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::FirstKeying,
        Self::SecondKeying,
        Self::EarlierFirst,
        Self::EarlierSecond,
        Self::FirstUnfinished,
        Self::SecondUnfinished,
        Self::BlindReading,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::FirstKeying => "keying-1",
            Self::SecondKeying => "keying-2",
            Self::EarlierFirst => "keying-1-earlier",
            Self::EarlierSecond => "keying-2-earlier",
            Self::FirstUnfinished => "unfinished-1",
            Self::SecondUnfinished => "unfinished-2",
            Self::BlindReading => "blind-reading",
        }
    }
}

impl Keys {
    /// Derives the keys of `token` in `round`.
    #[must_use]
    pub fn derive(token: &Token, round: &str) -> Self {
        let salt = [SALT.as_bytes(), round.as_bytes()].concat();
        let prk = Hkdf::<Sha256>::new(Some(&salt), token.symbols());
        let seed: Zeroizing<[u8; 32]> = expand(&prk, "cred");
        let signing = SigningKey::from_bytes(&seed);
        let public = signing.verifying_key().to_bytes();
        Self { signing, public, prk }
    }

    /// Where and how something waits under this code.
    #[must_use]
    pub fn slot(&self, purpose: Purpose) -> Slot {
        let label = purpose.label();
        Slot { id: *expand(&self.prk, &format!("{label}-id")), key: expand(&self.prk, label) }
    }

    /// Where and how a page image of this ballot waits.
    #[must_use]
    pub fn scan_slot(&self, page: u8) -> Slot {
        let label = format!("scan-{page}");
        Slot { id: *expand(&self.prk, &format!("{label}-id")), key: expand(&self.prk, &label) }
    }

    /// The key of the receipt box.
    #[must_use]
    pub(super) fn receipt(&self) -> Zeroizing<[u8; 32]> {
        expand(&self.prk, "receipt")
    }

    /// Signs that this code was used: the server cannot make this for a code that nobody brought.
    #[must_use]
    pub fn redeem(&self, round: &str, stratum: &str) -> [u8; 64] {
        self.signing.sign(&redeem_message(round, stratum)).to_bytes()
    }
}

/// Whether `signature` proves that the code behind `public` was used in `round` for `stratum`.
#[must_use]
pub fn is_redeemed(public: &PublicKey, round: &str, stratum: &str, signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .and_then(|key| key.verify_strict(&redeem_message(round, stratum), &Signature::from_bytes(signature)))
        .is_ok()
}

/// Marks the pages that a code's holder is shown, so that a page left open on a shared computer is not taken for the
/// next person's. It stands in those pages only, is stored and logged nowhere, and does not lead back to the code.
#[must_use]
pub fn page_mark(token: &Token) -> String {
    let prk = Hkdf::<Sha256>::new(Some(PAGE.as_bytes()), token.symbols());
    let mark: Zeroizing<[u8; 8]> = expand(&prk, "mark");
    data_encoding::HEXLOWER.encode(&*mark)
}

/// Where and how a note waits under a secret that somebody else keeps: at least 128 random bits, or it can be guessed.
#[must_use]
pub fn note_slot(secret: &[u8]) -> Slot {
    let prk = Hkdf::<Sha256>::new(Some(NOTE.as_bytes()), secret);
    Slot { id: *expand(&prk, "id"), key: expand(&prk, "key") }
}

fn redeem_message(round: &str, stratum: &str) -> Vec<u8> {
    format!("{REDEEM}\n{round}\n{stratum}").into_bytes()
}

fn expand<const N: usize>(prk: &Hkdf<Sha256>, label: &str) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0_u8; N]);
    // Fails only beyond 255 × 32 bytes.
    let done = prk.expand(label.as_bytes(), &mut *out);
    debug_assert!(done.is_ok());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vector; another implementation must get the same (tests/vectors.json).
    #[test]
    fn derivation_matches_the_published_vector() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
        let v = &vectors["keys"];
        let token = Token::parse(v["code"].as_str().unwrap()).unwrap();
        let keys = Keys::derive(&token, v["round"].as_str().unwrap());
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        assert_eq!(hex(&keys.public), v["public_key"]);
        assert_eq!(hex(&keys.slot(Purpose::Draft).id), v["draft_id"]);
        assert_eq!(
            hex(&keys.redeem(v["round"].as_str().unwrap(), v["stratum"].as_str().unwrap())),
            v["redeem_signature"]
        );
    }

    #[test]
    fn a_signature_is_bound_to_round_and_stratum() {
        let keys = Keys::derive(&Token::generate(&crate::clock::Entropy::seeded(3)), "r");
        let signature = keys.redeem("r", "CC-CT/SNV");
        assert!(is_redeemed(&keys.public, "r", "CC-CT/SNV", &signature));
        assert!(!is_redeemed(&keys.public, "q", "CC-CT/SNV", &signature));
        assert!(!is_redeemed(&keys.public, "r", "CC-CT/STP", &signature));
    }
}
