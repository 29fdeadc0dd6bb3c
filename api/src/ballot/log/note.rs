//! Checkpoints: the head of a log as a signed note (C2SP tlog-checkpoint, signed-note; Ed25519).

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::merkle::Node;

/// The algorithm's byte before an Ed25519 key.
const ED25519: u8 = 1;
const DASH: &str = "\u{2014} ";

/// Why a checkpoint or a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// Not a verifier key of C2SP signed-note with Ed25519.
    #[error("the log's key is malformed")]
    Key,
    /// Not a checkpoint.
    #[error("the checkpoint is malformed")]
    Malformed,
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log")]
    OtherLog,
    /// No signature of the log's key.
    #[error("the log's key has not signed the checkpoint")]
    Unsigned,
    /// The signature does not fit the text.
    #[error("the signature does not fit the checkpoint")]
    Signature,
}

/// The log's public key under its name: `phieu/ROUND+<8 hex digits>+<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    /// The log's name, the first line of its checkpoints.
    pub origin: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The public half of a log's key.
    #[must_use]
    pub fn of(origin: &str, secret: &SigningKey) -> Self {
        Self { origin: origin.to_owned(), key: secret.verifying_key() }
    }

    fn id(&self) -> [u8; 4] {
        let hash: Node = Sha256::new()
            .chain_update(&self.origin)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key)
            .finalize()
            .into();
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[ED25519].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.origin, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteFault;

    fn from_str(text: &str) -> Result<Self, NoteFault> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(NoteFault::Key);
        let (origin, id, key) = (part()?, part()?, part()?);
        let key = BASE64.decode(key.as_bytes()).map_err(|_base64| NoteFault::Key)?;
        let key = key.strip_prefix(&[ED25519]).and_then(|key| <[u8; 32]>::try_from(key).ok()).ok_or(NoteFault::Key)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_point| NoteFault::Key)?;
        let is = Self { origin: origin.to_owned(), key };
        if origin.is_empty() || HEXLOWER.encode(&is.id()) != id || is.to_string() != text {
            return Err(NoteFault::Key);
        }
        Ok(is)
    }
}

/// The head of a log: how many leaves it has, and their root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Its leaves.
    pub size: u64,
    /// Root over them.
    pub root: Node,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root))
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, secret: &SigningKey) -> String {
        let text = self.text();
        let id = VerifierKey::of(&self.origin, secret).id();
        let signed = [id.as_slice(), &secret.sign(text.as_bytes()).to_bytes()].concat();
        format!("{text}\n{DASH}{} {}\n", self.origin, BASE64.encode(&signed))
    }

    /// Reads a signed note and checks it. Signatures of others (witnesses) may stand beside the log's own.
    ///
    /// # Errors
    /// [`NoteFault`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteFault> {
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteFault::Malformed)?;
        let text = format!("{text}\n");
        let read = Self::parse(&text).ok_or(NoteFault::Malformed)?;
        if read.origin != key.origin {
            return Err(NoteFault::OtherLog);
        }
        let signatures = signatures.strip_suffix('\n').ok_or(NoteFault::Malformed)?;
        let mut fits = Err(NoteFault::Unsigned);
        for line in signatures.split('\n') {
            let line = line.strip_prefix(DASH).and_then(|line| line.rsplit_once(' '));
            let (name, signature) = line.ok_or(NoteFault::Malformed)?;
            let signature = BASE64.decode(signature.as_bytes()).map_err(|_base64| NoteFault::Malformed)?;
            let (id, signature) = signature.split_first_chunk::<4>().ok_or(NoteFault::Malformed)?;
            if name == key.origin && *id == key.id() {
                let signature = Signature::from_slice(signature).map_err(|_length| NoteFault::Signature)?;
                let valid = key.key.verify_strict(text.as_bytes(), &signature);
                valid.map_err(|_signature| NoteFault::Signature)?;
                fits = Ok(());
            }
        }
        fits.map(|()| read)
    }

    /// The text before the signatures; only the one spelling of [`Checkpoint::text`].
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = BASE64.decode(root.as_bytes()).ok()?.try_into().ok()?;
        let read = Self { origin: origin.to_owned(), size: size.parse().ok()?, root };
        (read.text() == text).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP signed-note's Go implementation: a published key and a note that it signed.
    #[test]
    fn a_published_key_opens_its_note() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(key.parse::<VerifierKey>().unwrap().to_string(), key);
    }

    #[test]
    fn what_is_signed_opens_and_any_changed_byte_does_not() {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let head = Checkpoint { origin: "phieu/r".to_owned(), size: 12, root: [3; 32] };
        let (note, key) = (head.sign(&secret), VerifierKey::of("phieu/r", &secret));
        assert_eq!(Checkpoint::open(&note, &key), Ok(head.clone()));
        let witnessed = format!("{note}{DASH}witness.example {}\n", BASE64.encode(&[5; 76]));
        assert_eq!(Checkpoint::open(&witnessed, &key), Ok(head));
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(Checkpoint::open(&changed, &key).is_err(), "byte {at}: {changed}");
                }
            }
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let (mine, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let head = |origin: &str| Checkpoint { origin: origin.to_owned(), size: 1, root: [3; 32] };
        let key = VerifierKey::of("phieu/r", &mine);
        assert_eq!(Checkpoint::open(&head("phieu/q").sign(&mine), &key), Err(NoteFault::OtherLog));
        assert_eq!(Checkpoint::open(&head("phieu/r").sign(&other), &key), Err(NoteFault::Unsigned));
        let note = head("phieu/r").sign(&mine);
        assert_eq!(Checkpoint::open(&note.replacen("\n1\n", "\n2\n", 1), &key), Err(NoteFault::Signature));
        assert_eq!(Checkpoint::open(&note.replacen("\n1\n", "\n01\n", 1), &key), Err(NoteFault::Malformed));
        assert_eq!(Checkpoint::open("", &key), Err(NoteFault::Malformed));
        assert_eq!("phieu/r+00000000+AQ==".parse::<VerifierKey>(), Err(NoteFault::Key));
    }
}
