//! Passwords: Argon2id with the parameters OWASP recommends (19 MiB, 2 passes, 1 lane), kept as PHC strings.
//!
//! At most two are computed at a time in a process, so that a storm of sign-ins costs 38 MiB and two cores, not
//! the machine; whoever would have to wait behind 32 others is told at once that the service is busy.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use super::secret::Secret;
use crate::clock::Entropy;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const AT_A_TIME: usize = 2;
const WAITING: usize = 32;

/// Fewest characters of a password (ASVS 5.0 6.2.1 asks for 8).
pub const SHORTEST: usize = 12;
/// Most characters of a password: a passphrase fits (ASVS 5.0 6.2.9 asks for 64), a megabyte does not.
pub const LONGEST: usize = 256;

/// Characters of a generated password: no two that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const GENERATED_GROUPS: usize = 5;
const GROUP: usize = 4;

/// Why a password was not taken or not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`SHORTEST`] characters.
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("a password has at most {LONGEST} characters")]
    TooLong,
    /// Too many others are waiting; try again shortly.
    #[error("too many passwords are being checked")]
    Busy,
    /// Hashing failed or its thread ended.
    #[error("password hashing failed")]
    Hashing,
}

/// A password that may be set: of a permitted length, in Unicode NFC, because Vietnamese input methods compose the
/// same letters differently.
#[derive(Clone)]
pub struct NewPassword(Secret);

impl NewPassword {
    /// A password that a person chose. No rule on its composition (ASVS 5.0 6.2.5).
    ///
    /// # Errors
    /// [`PasswordError::TooShort`], [`PasswordError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let composed = compose(text);
        match composed.reveal().chars().count() {
            n if n < SHORTEST => Err(PasswordError::TooShort),
            n if n > LONGEST => Err(PasswordError::TooLong),
            _ => Ok(Self(composed)),
        }
    }

    /// A random one of 100 bits, in groups that can be read out: `k7wd-m3xa-…`.
    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        // 256 is a multiple of 32, so no letter is likelier than another.
        let bytes: [u8; GENERATED_GROUPS * GROUP] = entropy.bytes();
        let letters = bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32)));
        let mut text = String::new();
        for (i, letter) in letters.enumerate() {
            if i > 0 && i % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
        Self(Secret::new(text))
    }

    /// The password itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Hashes on the calling thread: for commands, which do one at a time. Servers use [`Passwords::hash`].
    ///
    /// # Errors
    /// [`PasswordError::Hashing`].
    pub fn hash_here(&self, entropy: &Entropy) -> Result<HashedPassword, PasswordError> {
        let salt: [u8; 16] = entropy.bytes();
        let hash = argon2()?.hash_password_with_salt(self.reveal().as_bytes(), &salt).map_err(|_opaque| {
            // argon2's errors say nothing that an operator could act on, and must not be made to say more.
            PasswordError::Hashing
        })?;
        Ok(HashedPassword(hash.to_string()))
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

/// A PHC string, ready for the database.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

impl HashedPassword {
    pub(super) fn from_store(phc: String) -> Self {
        Self(phc)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedPassword(..)")
    }
}

/// Hashes and checks passwords for a running service; cheap to clone.
#[derive(Clone)]
pub struct Passwords(Arc<Inner>);

struct Inner {
    running: Arc<Semaphore>,
    places: Semaphore,
    dummy: HashedPassword,
    entropy: Entropy,
}

impl Passwords {
    /// Makes the hash against which the passwords of unknown names are checked.
    ///
    /// # Errors
    /// [`PasswordError::Hashing`].
    pub fn new(entropy: &Entropy) -> Result<Self, PasswordError> {
        let dummy = NewPassword::generate(entropy).hash_here(entropy)?;
        Ok(Self(Arc::new(Inner {
            running: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Semaphore::new(AT_A_TIME + WAITING),
            dummy,
            entropy: entropy.clone(),
        })))
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Hashing`].
    pub async fn hash(&self, password: NewPassword) -> Result<HashedPassword, PasswordError> {
        let entropy = self.0.entropy.clone();
        self.in_turn(move || password.hash_here(&entropy)).await?
    }

    /// Whether `given` is the password behind `stored`. Without a stored one it takes as long and says no, so that
    /// the time of an answer does not tell which names exist.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Hashing`].
    pub async fn verify(&self, given: &str, stored: Option<HashedPassword>) -> Result<bool, PasswordError> {
        let given = compose(given);
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.0.dummy.clone());
        let matches = self.in_turn(move || matches(&given, &stored)).await??;
        Ok(known && matches)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let Ok(_place) = self.0.places.try_acquire() else { return Err(PasswordError::Busy) };
        let turn = self.0.running.clone().acquire_owned().await.map_err(|_closed| PasswordError::Hashing)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, not by the request: a browser that hangs up does not make room for a third.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_panicked| PasswordError::Hashing)
    }
}

fn compose(text: &str) -> Secret {
    Secret::new(text.nfc().collect())
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_constant| PasswordError::Hashing)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn matches(given: &Secret, stored: &HashedPassword) -> Result<bool, PasswordError> {
    use argon2::password_hash::Error;
    let hash = PasswordHash::new(stored.as_str()).map_err(|_malformed| PasswordError::Hashing)?;
    match argon2()?.verify_password(given.reveal().as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Hashing),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    use super::*;
    use crate::clock::Stopwatch;

    #[test]
    fn lengths_count_characters_after_composition() {
        assert_eq!(NewPassword::parse("mười một chữ").map(|_| ()), Ok(()));
        assert_eq!(NewPassword::parse("mười một ch").map(|_| ()), Err(PasswordError::TooShort));
        assert_eq!(NewPassword::parse(&"ấ".repeat(LONGEST)).map(|_| ()), Ok(()));
        assert_eq!(NewPassword::parse(&"ấ".repeat(LONGEST + 1)).map(|_| ()), Err(PasswordError::TooLong));
        // Eleven letters stay eleven, however many combining marks carried them here.
        assert_eq!(NewPassword::parse(&"a\u{302}\u{301}".repeat(11)).map(|_| ()), Err(PasswordError::TooShort));
    }

    #[test]
    fn a_hash_names_its_parameters_and_nothing_prints_a_password() {
        let entropy = Entropy::seeded(3);
        let password = NewPassword::generate(&entropy);
        let hash = password.hash_here(&entropy).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_ne!(hash, password.hash_here(&entropy).unwrap(), "each hash has a salt of its own");
        let printed = format!("{password:?} {hash:?}");
        assert!(!printed.contains(password.reveal()) && !printed.contains("argon2id"), "{printed}");
    }

    #[test]
    fn a_generated_password_may_be_set_and_differs_from_the_next() {
        let entropy = Entropy::System;
        let (a, b) = (NewPassword::generate(&entropy), NewPassword::generate(&entropy));
        assert!(NewPassword::parse(a.reveal()).is_ok());
        assert_eq!(a.reveal().len(), GENERATED_GROUPS * (GROUP + 1) - 1);
        assert_ne!(a.reveal(), b.reveal());
    }

    #[actix_web::test]
    async fn either_spelling_of_the_same_letters_matches() {
        let passwords = Passwords::new(&Entropy::System).unwrap();
        let hash = passwords.hash(NewPassword::parse("mật khẩu rất dài").unwrap()).await.unwrap();
        let decomposed: String = "mật khẩu rất dài".nfd().collect();
        assert!(passwords.verify(&decomposed, Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Mật khẩu rất dài", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("", Some(hash)).await.unwrap());
        assert!(!passwords.verify("mật khẩu rất dài", None).await.unwrap());
    }

    #[actix_web::test]
    async fn an_unknown_name_costs_a_whole_hash() {
        let passwords = Passwords::new(&Entropy::System).unwrap();
        let hash = passwords.hash(NewPassword::parse("một mật khẩu dài").unwrap()).await.unwrap();
        let mut spent = [Duration::MAX; 2];
        for _ in 0..3 {
            for (fastest, stored) in spent.iter_mut().zip([Some(hash.clone()), None]) {
                let watch = Stopwatch::start();
                let _ = passwords.verify("một mật khẩu khác", stored).await.unwrap();
                *fastest = watch.elapsed().min(*fastest);
            }
        }
        assert!(spent[1] * 3 > spent[0], "known {:?}, unknown {:?}", spent[0], spent[1]);
    }

    #[actix_web::test]
    async fn two_are_computed_at_a_time_and_a_long_queue_is_refused() {
        let passwords = Passwords::new(&Entropy::System).unwrap();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = std::iter::repeat_with(|| {
            let (passwords, running, most) = (passwords.clone(), running.clone(), most.clone());
            actix_web::rt::spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    running.fetch_sub(1, SeqCst);
                };
                passwords.in_turn(work).await
            })
        });
        let waiting: Vec<_> = jobs.take(AT_A_TIME + WAITING + 6).collect();
        let mut refused = 0;
        for one in waiting {
            refused += usize::from(one.await.unwrap() == Err(PasswordError::Busy));
        }
        assert_eq!((refused, most.load(SeqCst)), (6, AT_A_TIME));
        assert!(passwords.in_turn(|| ()).await.is_ok(), "places are given back");
    }
}
