//! A private file that appears under its name only when it is whole, and that is found again when its command was cut
//! off between the commit and the renaming.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Failure, out};

/// What lay beside the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A part whose write never counted; it has been removed.
    Dead,
    /// A whole file whose write counts; it stands under its name now.
    Counted,
}

/// A file under work: `NAME.part` until it is kept.
pub(super) struct NewFile {
    path: PathBuf,
    part: PathBuf,
}

impl NewFile {
    /// Looks after what an earlier run left; `counted` says whether a write with this mark was committed.
    ///
    /// # Errors
    /// When the name is taken.
    pub(super) fn begin<E: Into<Failure>>(
        path: PathBuf,
        counted: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<(Self, Found), Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(format!("{}: there is such a file already", path.display()).into());
        }
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let file = Self { path, part: part.into() };
        let found = match std::fs::read(&file.part) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Found::Nothing,
            Err(error) => return Err(format!("{}: {error}", file.part.display()).into()),
            Ok(bytes) if counted(&mark(&bytes)).map_err(Into::into)? => {
                file.rename()?;
                Found::Counted
            }
            Ok(_) => {
                std::fs::remove_file(&file.part)?;
                Found::Dead
            }
        };
        if found != Found::Counted {
            // Whether the place can be written is found out before anything is made.
            out::private_file(&file.part)?;
        }
        Ok((file, found))
    }

    /// The name that it will have.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it, onto the disk, and gives the mark by which its write is known again.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<String, Failure> {
        let written = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(&self.part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            self.sync_folder()
        };
        written().map_err(|error| format!("{}: {error}", self.part.display()))?;
        Ok(mark(bytes))
    }

    /// Gives it its name.
    pub(super) fn keep(self) -> Result<(), Failure> {
        self.rename()
    }

    /// Removes what was written.
    pub(super) fn discard(self) {
        // The file is ours; when it cannot be removed, the next run does.
        let _ = std::fs::remove_file(&self.part);
    }

    fn rename(&self) -> Result<(), Failure> {
        std::fs::rename(&self.part, &self.path)
            .and_then(|()| self.sync_folder())
            .map_err(|error| format!("{} is whole and could not be renamed: {error}", self.part.display()).into())
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A file's mark in the trail: it names the file and tells nothing of what is in it.
fn mark(bytes: &[u8]) -> String {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("file={hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(path: &Path, counted: bool) -> Result<(NewFile, Found), Failure> {
        NewFile::begin(path.to_owned(), |_| Ok::<_, std::io::Error>(counted))
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codes.csv");
        let (file, found) = begin(&path, true).unwrap();
        assert_eq!(found, Found::Nothing);
        let mark = file.write(b"codes").unwrap();
        assert!(!path.exists());
        // Cut off here: before the commit, or after it.
        let (again, found) = begin(&path, false).unwrap();
        assert_eq!(found, Found::Dead);
        assert_eq!(again.write(b"codes").unwrap(), mark);
        let (_, found) = begin(&path, true).unwrap();
        assert_eq!((found, std::fs::read(&path).unwrap().as_slice()), (Found::Counted, b"codes".as_slice()));
        assert!(begin(&path, true).is_err(), "a name that is taken");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let other = folder.path().join("other.csv");
        let (file, _) = begin(&other, false).unwrap();
        file.discard();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
