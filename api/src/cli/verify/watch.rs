//! The witness: the last head is kept in a file. A log that no longer begins with it was rewritten or forked.
//!
//! The file is the log's key on the first line and the signed checkpoint below.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::super::{Failure, out};
use super::report::{Check, Report};
use super::walk::Walk;
use crate::ballot::log::note::{Checkpoint, VerifierKey};

/// What an earlier run saw.
pub(super) struct Held {
    pub(super) key: VerifierKey,
    pub(super) head: Checkpoint,
}

/// `None` when there is no such file yet.
pub(super) fn read(state: &Path) -> Result<Option<Held>, Failure> {
    let text = match fs::read_to_string(state) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", state.display()).into()),
    };
    let held = text.split_once('\n').and_then(|(key, note)| {
        let key: VerifierKey = key.parse().ok()?;
        let head = Checkpoint::open(note, &key).ok()?;
        Some(Held { key, head })
    });
    // A damaged state must never look like a first run.
    held.map(Some).ok_or_else(|| format!("{}: this is not a state of --watch", state.display()).into())
}

/// Compares, and keeps the new head when it follows from the old one and its log was read to the end.
pub(super) fn compare(
    state: &Path,
    held: Option<&Held>,
    key: &VerifierKey,
    note: &str,
    head: &Checkpoint,
    walk: &Walk,
    report: &mut Report,
) -> Result<(), Failure> {
    let check = Check::HistoryKept;
    if let Some(held) = held {
        let old = &held.head;
        let fault = if head.size < old.size {
            Some(format!(
                "HISTORY WAS CUT: {} leaves were there, now {}: the held checkpoint is from the future",
                old.size, head.size
            ))
        } else if head.size == old.size && head.root != old.root {
            Some(format!("THE LOG WAS FORKED: two signed heads of {} leaves", head.size))
        } else if walk.roots.get(&old.size) != Some(&old.root) {
            Some(format!("HISTORY WAS REWRITTEN: the first {} leaves are not those that were there", old.size))
        } else {
            None
        };
        if let Some(fault) = fault {
            report.fail(check, fault);
            let other = beside(state, ".other");
            keep(&other, key, note)?;
            out::note(format_args!(
                "phieu: both signed heads are proof: keep {} and {}, and show them to whoever audits the round",
                state.display(),
                other.display()
            ));
            return Ok(());
        }
    }
    if walk.fault.is_some() {
        report.skip(check, "the log could not be read whole; the held head stays");
        return Ok(());
    }
    keep(state, key, note)?;
    match held {
        Some(held) => report.pass(check, format_args!("{} leaves held, {} now", held.head.size, head.size)),
        None => report.pass(check, format_args!("first seen with {} leaves", head.size)),
    }
    Ok(())
}

/// All or nothing: a new file takes the old one's name.
fn keep(state: &Path, key: &VerifierKey, note: &str) -> Result<(), Failure> {
    let new = beside(state, ".new");
    let mut file = File::create(&new)?;
    write!(file, "{key}\n{note}")?;
    file.sync_all()?;
    Ok(fs::rename(&new, state)?)
}

fn beside(state: &Path, ending: &str) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
