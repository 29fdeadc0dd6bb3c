//! Custody by any two of three trustees: for every pair the box key file, encrypted to the one and the result to the
//! other, as age files (<https://age-encryption.org/v1>) that the stock `age` program opens too:
//!
//! ```text
//! age -d -i B.key R.box.A+B.age | age -d -i A.key > box.key
//! ```
//! Trustees make their own keys (`age-keygen`); this program sees the public halves only, until a box is opened.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::DecryptError;
use age::x25519::{Identity as Secret, Recipient};
use zeroize::Zeroizing;

use super::KeyFile;
use super::key_file::{KeyFileError, write_secret};

/// How many trustees there are, of whom two are enough.
const TRUSTEES: usize = 3;
const NAME_CHARS: usize = 40;

/// Somebody who keeps a key, and its public half.
#[derive(Clone)]
pub struct Trustee {
    name: String,
    recipient: Recipient,
}

/// Three different trustees.
#[derive(Clone)]
pub struct Trustees([Trustee; TRUSTEES]);

/// A trustee's secret key, as brought to an opening. Without `Debug`, on purpose.
pub struct Identity(Secret);

/// Why custody could not be set up, or what was brought gives no key. Says nothing of what the files hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrusteeError {
    /// Not `NAME=age1…`.
    #[error("a trustee is given as NAME=age1…, the public key that age-keygen prints")]
    Shape,
    /// A name is a part of a file's name.
    #[error("a trustee's name has 1 to {NAME_CHARS} letters, digits, dots, dashes and underscores")]
    Name,
    /// Another kind of recipient, or mistyped.
    #[error("the public key of {0} is not one that age-keygen prints (age1…); check every character")]
    PublicKey(String),
    /// Not three.
    #[error("there must be {TRUSTEES} trustees, not {0}")]
    Count(usize),
    /// Two with one name or one key: then one person could open the box.
    #[error("two trustees have the same name or the same public key")]
    Twice,
    /// No line with a secret key of age.
    #[error("this is not an identity file of age (AGE-SECRET-KEY-1…)")]
    NotAnIdentity,
    /// One identity, or the same one twice.
    #[error("one trustee alone cannot open the box: bring the identities of both trustees named in the file's name")]
    OneOnly,
    /// Not encrypted with age.
    #[error("this is not an age file")]
    NotAnAgeFile,
    /// The outer layer is for somebody else.
    #[error("none of these identities opens this file: it is for two other trustees, or of another round")]
    NoIdentity,
    /// The outer layer opened, the inner one did not.
    #[error("only one of these identities belongs to this file; the second trustee's is missing")]
    OneFits,
    /// Cut or altered.
    #[error("the trustees' file is damaged; another pair's file opens the same box")]
    Damaged,
    /// It opened, but what is inside is no whole box key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl FromStr for Trustee {
    type Err = TrusteeError;

    fn from_str(text: &str) -> Result<Self, TrusteeError> {
        let (name, key) = text.split_once('=').ok_or(TrusteeError::Shape)?;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let length = name.chars().count();
        if length == 0 || length > NAME_CHARS || name.starts_with(['.', '-']) || !name.chars().all(plain) {
            return Err(TrusteeError::Name);
        }
        let recipient = key.trim().parse().map_err(|_bech32| TrusteeError::PublicKey(name.to_owned()))?;
        Ok(Self { name: name.to_owned(), recipient })
    }
}

impl Trustees {
    /// Takes exactly three, all different.
    ///
    /// # Errors
    /// [`TrusteeError::Count`], [`TrusteeError::Twice`].
    pub fn new(all: Vec<Trustee>) -> Result<Self, TrusteeError> {
        let count = all.len();
        let all: [Trustee; TRUSTEES] = all.try_into().map_err(|_vec| TrusteeError::Count(count))?;
        let [a, b, c] = &all;
        let same = |x: &Trustee, y: &Trustee| {
            x.name.to_lowercase() == y.name.to_lowercase() || x.recipient.to_string() == y.recipient.to_string()
        };
        if same(a, b) || same(a, c) || same(b, c) { Err(TrusteeError::Twice) } else { Ok(Self(all)) }
    }

    /// Their names, as given.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|trustee| trustee.name.clone()).collect()
    }

    /// Writes the three pairs' files to a folder; gives back their paths. The plain key is never written.
    ///
    /// # Errors
    /// When one is there already or cannot be written; then none of them stays.
    pub fn write_new(&self, key: &KeyFile, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let [a, b, c] = &self.0;
        std::fs::create_dir_all(folder)?;
        let mut written = Vec::new();
        for (inner, outer) in [(a, b), (a, c), (b, c)] {
            let path = folder.join(format!("{}.box.{}+{}.age", key.round, inner.name, outer.name));
            let done = sealed(key, inner, outer).and_then(|bytes| write_secret(&path, &bytes));
            if let Err(error) = done {
                for path in &written {
                    // Files of a key that no round will have.
                    let _ = std::fs::remove_file(path);
                }
                return Err(error);
            }
            written.push(path);
        }
        Ok(written)
    }
}

fn sealed(key: &KeyFile, inner: &Trustee, outer: &Trustee) -> io::Result<Vec<u8>> {
    let first = age::encrypt(&inner.recipient, key.to_text().as_bytes()).map_err(io::Error::other)?;
    age::encrypt(&outer.recipient, &first).map_err(io::Error::other)
}

impl Identity {
    /// Reads what `age-keygen` wrote: the first line that is a secret key.
    ///
    /// # Errors
    /// [`TrusteeError::NotAnIdentity`], also for an identity under a passphrase: open that with `age -d` first.
    pub fn parse(text: &str) -> Result<Self, TrusteeError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let line = lines.find(|line| line.starts_with("AGE-SECRET-KEY-")).ok_or(TrusteeError::NotAnIdentity)?;
        line.parse().map(Self).map_err(|_bech32| TrusteeError::NotAnIdentity)
    }

    fn is(&self, other: &Self) -> bool {
        self.0.to_public().to_string() == other.0.to_public().to_string()
    }
}

/// Opens a pair's file with both trustees' identities, in any order; further ones do not matter.
///
/// # Errors
/// [`TrusteeError`], each fault by its name.
pub fn join(file: &[u8], identities: &[Identity]) -> Result<KeyFile, TrusteeError> {
    let first = identities.first().ok_or(TrusteeError::OneOnly)?;
    if identities.iter().all(|one| one.is(first)) {
        return Err(TrusteeError::OneOnly);
    }
    let inner = layer(file, identities)?.ok_or(TrusteeError::NoIdentity)?;
    let plain = match layer(&inner, identities) {
        Ok(plain) => plain.ok_or(TrusteeError::OneFits)?,
        // Some file that was encrypted to this trustee once.
        Err(TrusteeError::NotAnAgeFile) => return Err(KeyFileError::NotAKeyFile.into()),
        Err(other) => return Err(other),
    };
    let text = std::str::from_utf8(&plain).map_err(|_utf8| KeyFileError::NotAKeyFile)?;
    Ok(KeyFile::parse(text)?)
}

/// One layer opened; `None` when it is for none of these identities.
fn layer(file: &[u8], identities: &[Identity]) -> Result<Option<Zeroizing<Vec<u8>>>, TrusteeError> {
    if !is_age(file) {
        return Err(TrusteeError::NotAnAgeFile);
    }
    for identity in identities {
        match age::decrypt(&identity.0, file) {
            Ok(plain) => return Ok(Some(Zeroizing::new(plain))),
            Err(DecryptError::NoMatchingKeys) => {}
            Err(_cut_or_altered) => return Err(TrusteeError::Damaged),
        }
    }
    Ok(None)
}

/// Whether a file starts as age files do.
pub(super) fn is_age(file: &[u8]) -> bool {
    file.starts_with(b"age-encryption.org/v1\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballot::seal::BoxSecret;
    use crate::clock::Entropy;

    struct Person(Trustee, Secret);

    fn person(name: &str) -> Person {
        let secret = Secret::generate();
        Person(format!("{name}={}", secret.to_public()).parse().unwrap(), secret)
    }

    fn identity(of: &Person) -> Identity {
        use age::secrecy::ExposeSecret as _;
        Identity::parse(&format!("# created: today\n{}\n", of.1.to_string().expose_secret())).unwrap()
    }

    fn key() -> KeyFile {
        let (secret, public) = BoxSecret::generate(&Entropy::seeded(1)).unwrap();
        KeyFile { round: "r".to_owned(), public, secret }
    }

    #[test]
    fn any_two_of_three_open_it_and_one_does_not() {
        let people = ["a", "b", "Trà-Mi"].map(person);
        let folder = tempfile::tempdir().unwrap();
        let trustees = Trustees::new(people.iter().map(|p| p.0.clone()).collect()).unwrap();
        let files = trustees.write_new(&key(), &folder.path().join("keys")).unwrap();
        let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["r.box.a+b.age", "r.box.a+Trà-Mi.age", "r.box.b+Trà-Mi.age"]);
        for (file, pair) in files.iter().zip([(0, 1), (0, 2), (1, 2)]) {
            let file = std::fs::read(file).unwrap();
            let bring = |who: &[usize]| join(&file, &who.iter().map(|p| identity(&people[*p])).collect::<Vec<_>>());
            let third = 3 - pair.0 - pair.1;
            for who in [vec![pair.0, pair.1], vec![pair.1, pair.0], vec![third, pair.1, pair.0]] {
                assert!(bring(&who).unwrap().secret.expose() == key().secret.expose());
            }
            assert_eq!(bring(&[pair.0]).err(), Some(TrusteeError::OneOnly));
            assert_eq!(bring(&[pair.1, pair.1]).err(), Some(TrusteeError::OneOnly));
            assert_eq!(bring(&[]).err(), Some(TrusteeError::OneOnly));
            assert_eq!(bring(&[pair.1, third]).err(), Some(TrusteeError::OneFits));
            assert_eq!(bring(&[pair.0, third]).err(), Some(TrusteeError::NoIdentity));
        }
    }

    #[test]
    fn every_altered_byte_and_every_cut_is_noticed() {
        let people = ["a", "b", "c"].map(person);
        let bring = || [identity(&people[0]), identity(&people[1])];
        let whole = sealed(&key(), &people[0].0, &people[1].0).unwrap();
        for place in 0..whole.len() {
            let mut file = whole.clone();
            file[place] ^= 1;
            let named = [TrusteeError::Damaged, TrusteeError::NotAnAgeFile, TrusteeError::NoIdentity];
            assert!(join(&file, &bring()).err().is_some_and(|e| named.contains(&e)), "{place}");
            assert!(join(&whole[..place], &bring()).is_err(), "{place}");
        }
        let other = age::encrypt(&people[1].0.recipient, b"minutes of a meeting").unwrap();
        assert_eq!(join(&other, &bring()).err(), Some(TrusteeError::Key(KeyFileError::NotAKeyFile)));
    }

    #[test]
    fn trustees_that_are_none_are_refused_by_name() {
        let parse = |text: &str| text.parse::<Trustee>().err();
        assert_eq!(parse("age1abc"), Some(TrusteeError::Shape));
        for name in ["", "../x", "a+b", ".a", "-a", "a b"] {
            assert_eq!(parse(&format!("{name}=age1abc")), Some(TrusteeError::Name), "{name}");
        }
        assert_eq!(parse("a=age1abc"), Some(TrusteeError::PublicKey("a".to_owned())));
        let [a, b] = ["a", "b"].map(person);
        let new = |all: &[&Person]| Trustees::new(all.iter().map(|p| p.0.clone()).collect()).err();
        assert_eq!(new(&[&a, &b]), Some(TrusteeError::Count(2)));
        assert_eq!(new(&[&a, &b, &a]), Some(TrusteeError::Twice));
        assert_eq!(new(&[&a, &b, &person("A")]), Some(TrusteeError::Twice));
        assert!(matches!(Identity::parse("age1abc"), Err(TrusteeError::NotAnIdentity)));
    }

    #[test]
    fn a_folder_that_cannot_take_all_three_keeps_none() {
        let people = ["a", "b", "c"].map(person);
        let trustees = Trustees::new(people.iter().map(|p| p.0.clone()).collect()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("r.box.b+c.age"), "another").unwrap();
        assert_eq!(trustees.write_new(&key(), folder.path()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
