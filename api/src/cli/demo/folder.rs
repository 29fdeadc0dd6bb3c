//! The demo's folder: made fresh, and never at the cost of something else that lives there.

use std::path::{Path, PathBuf};

use super::super::Failure;

/// Names that a demo writes; nothing else is ever deleted.
const OWN: [&str; 4] = ["demo.json", "phieu.db", "phieu.db-wal", "phieu.db-shm"];
const KEY_PREFIX: &str = "box-";
const KEY_SUFFIX: &str = ".key";

/// Makes the folder ready for a fresh demo.
///
/// # Errors
/// When the folder holds something that no demo wrote.
pub(super) fn prepare(dir: &Path) -> Result<(), Failure> {
    if !dir.exists() {
        return std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()).into());
    }
    let (mut own, mut letters) = (Vec::new(), None);
    for entry in std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = OWN.contains(&name.as_ref()) || (name.starts_with(KEY_PREFIX) && name.ends_with(KEY_SUFFIX));
        if entry.file_type()?.is_dir() && super::letters::is_folder(&entry.path()) {
            letters = Some(entry.path());
            continue;
        }
        if !ours || !entry.file_type()?.is_file() {
            return Err(format!(
                "{}: holds {name}, which no demo wrote; name an empty folder with --data",
                dir.display()
            )
            .into());
        }
        own.push(entry.path());
    }
    for path in own {
        std::fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if let Some(path) = letters {
        std::fs::remove_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// Where a round's box key is kept.
pub(super) fn key_path(dir: &Path, round: &str) -> PathBuf {
    dir.join(format!("{KEY_PREFIX}{round}{KEY_SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("demo.json"), "{}").unwrap();
        std::fs::write(folder.path().join("thesis.docx"), "years of work").unwrap();
        assert!(prepare(folder.path()).is_err());
        assert!(folder.path().join("demo.json").exists());
        std::fs::remove_file(folder.path().join("thesis.docx")).unwrap();
        prepare(folder.path()).unwrap();
        assert!(!folder.path().join("demo.json").exists());
    }
}
