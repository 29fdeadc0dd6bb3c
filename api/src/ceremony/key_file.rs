//! The custodian's file: the private half of a round's box key, kept off the server between its making and the
//! opening of the box.
//!
//! ```text
//! phieu-box-key/v1 round=quang-nam-2023 public=<64 hex digits>
//! <64 hex digits: the secret>
//! ```
//! Blank lines and lines that start with `#` may stand anywhere.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::ballot::seal::{BoxPublic, BoxSecret};

const MAGIC: &str = "phieu-box-key/v1";

/// A box key with the round that it belongs to.
pub struct KeyFile {
    /// The round's id.
    pub round: String,
    /// The public half, as the round holds it.
    pub public: BoxPublic,
    /// The private half.
    pub secret: BoxSecret,
}

/// Why a file gives no key. Says nothing of what the file holds, but for the round's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The header line is missing or of another program.
    #[error("this is not a box key file")]
    NotAKeyFile,
    /// The key of another round.
    #[error("this is the box key of the round {0}")]
    OtherRound(String),
    /// The header names another public key than the one that the secret has, or the secret does not read.
    #[error("the box key file is damaged")]
    Damaged,
    /// Whole, for this round, but not the key to which its ballots are sealed.
    #[error("this is not the key to which the round's ballots are sealed")]
    OtherKey,
}

impl KeyFile {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let public = HEXLOWER.encode(self.public.bytes());
        let secret = Zeroizing::new(HEXLOWER.encode(self.secret.expose()));
        Zeroizing::new(format!("{MAGIC} round={} public={public}\n{}\n", self.round, *secret))
    }

    /// Reads a file's text and checks that secret and header belong together.
    ///
    /// # Errors
    /// [`KeyFileError::NotAKeyFile`], [`KeyFileError::Damaged`].
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let header = lines.next().and_then(|line| line.strip_prefix(MAGIC)).ok_or(KeyFileError::NotAKeyFile)?;
        let field = |name: &str| header.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let (round, public) = field("round").zip(field("public")).ok_or(KeyFileError::Damaged)?;
        let public = unhex(public).and_then(|bytes| BoxPublic::from_bytes(&bytes).ok()).ok_or(KeyFileError::Damaged)?;
        let secret = lines.next().and_then(unhex).ok_or(KeyFileError::Damaged)?;
        let secret = BoxSecret::from_bytes(&secret).ok().ok_or(KeyFileError::Damaged)?;
        if lines.next().is_some() || secret.public().ok().as_ref() != Some(&public) {
            return Err(KeyFileError::Damaged);
        }
        Ok(Self { round: round.to_owned(), public, secret })
    }

    /// Whether this is the key of `round`, whose public half is `public`.
    ///
    /// # Errors
    /// [`KeyFileError::OtherRound`], [`KeyFileError::OtherKey`].
    pub fn check(&self, round: &str, public: &[u8]) -> Result<(), KeyFileError> {
        if self.round != round {
            return Err(KeyFileError::OtherRound(self.round.clone()));
        }
        if self.public.bytes().as_slice() != public {
            return Err(KeyFileError::OtherKey);
        }
        Ok(())
    }

    /// Writes the file for its owner's eyes only (mode 0600) and waits until the disk has it.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn write_new(&self, path: &Path) -> io::Result<()> {
        write_secret(path, self.to_text().as_bytes())
    }
}

/// Writes a new file for its owner's eyes only (mode 0600) and waits until the disk has it and its name.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path)
}

/// Whether a file is what [`destroy`] leaves when it is cut off in the middle.
pub(super) fn is_overwritten(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0xff | 0x00))
}

/// Overwrites a file in place, waits until the disk has it, and deletes it.
pub(super) fn destroy(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    for byte in [0xff, 0x00] {
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut io::Read::take(io::repeat(byte), length), &mut file)?;
        file.sync_all()?;
    }
    drop(file);
    std::fs::remove_file(path)?;
    sync_folder(path)
}

/// A name is an entry of its folder: without this a power cut may bring it back, or lose it.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Entropy;

    fn key(seed: u64) -> KeyFile {
        let (secret, public) = BoxSecret::generate(&Entropy::seeded(seed)).unwrap();
        KeyFile { round: "quang-nam-2023".to_owned(), public, secret }
    }

    #[test]
    fn what_is_written_reads_back_also_through_a_windows_editor() {
        let key = key(1);
        let text = key.to_text();
        for text in [text.to_string(), format!("\u{feff}# giữ kín\r\n\r\n{}", text.replace('\n', "\r\n"))] {
            let back = KeyFile::parse(&text).unwrap();
            assert_eq!(back.secret.expose(), key.secret.expose());
            back.check("quang-nam-2023", key.public.bytes()).unwrap();
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let (mine, other) = (key(1), key(2));
        let text = mine.to_text().to_string();
        let fault = |text: &str| KeyFile::parse(text).err();
        assert_eq!(fault(""), Some(KeyFileError::NotAKeyFile));
        assert_eq!(fault("-----BEGIN PRIVATE KEY-----"), Some(KeyFileError::NotAKeyFile));
        assert_eq!(fault(&text[..text.len() - 5]), Some(KeyFileError::Damaged));
        assert_eq!(fault(text.lines().next().unwrap()), Some(KeyFileError::Damaged));
        assert_eq!(fault(&format!("{text}00")), Some(KeyFileError::Damaged));
        let secret = HEXLOWER.encode(mine.secret.expose());
        let swapped = text.replace(&secret, &HEXLOWER.encode(other.secret.expose()));
        assert_eq!(fault(&swapped), Some(KeyFileError::Damaged));
        assert_eq!(mine.check("q", mine.public.bytes()), Err(KeyFileError::OtherRound("quang-nam-2023".to_owned())));
        assert_eq!(mine.check("quang-nam-2023", other.public.bytes()), Err(KeyFileError::OtherKey));
    }

    #[test]
    fn the_file_is_for_its_owner_only_is_never_overwritten_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("box.key");
        key(1).write_new(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(key(2).write_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        // A second name for the same bytes shows what deleting alone would have left.
        let left = folder.path().join("left");
        std::fs::hard_link(&path, &left).unwrap();
        destroy(&path).unwrap();
        assert!(!path.exists());
        assert!(std::fs::read(&left).unwrap().iter().all(|byte| *byte == 0));
    }
}
