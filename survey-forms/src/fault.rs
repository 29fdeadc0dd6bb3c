//! What is wrong with a round's files: where, why, and how to mend it.

use std::fmt;

use crate::round::Round;

/// Whether a fault keeps the round from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The round cannot be loaded.
    Error,
    /// The round loads, but somebody should look.
    Warning,
}

/// One thing to mend in one place of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fault {
    /// Error or warning.
    pub severity: Severity,
    /// Path inside the folder, for example `targets.tsv`.
    pub file: String,
    /// `line 12, target_kind` or `groups[3].quota` (counted from 1); empty for the whole file.
    pub place: String,
    /// Stable code for programs.
    pub code: &'static str,
    /// An English sentence that says how to mend it.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}", self.file)?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        write!(f, ": {} [{}]", self.message, self.code)
    }
}

/// What checking a folder yields: the round when no fault is an error, and every fault.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The round, unless a fault of severity error was found.
    pub round: Option<Round>,
    /// Errors and warnings, by file in the order they were found.
    pub faults: Vec<Fault>,
}

/// Collects faults so that one run names them all.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    errors: bool,
}

/// More than anybody reads; a broken file must not fill the memory.
const LIST_MAX: usize = 1000;

impl Faults {
    pub(crate) fn error(
        &mut self,
        file: &str,
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.push(Severity::Error, file, place.into(), code, message.into());
    }

    pub(crate) fn warn(
        &mut self,
        file: &str,
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.push(Severity::Warning, file, place.into(), code, message.into());
    }

    fn push(&mut self, severity: Severity, file: &str, place: String, code: &'static str, message: String) {
        self.errors |= severity == Severity::Error;
        if self.list.len() < LIST_MAX {
            let file = file.to_owned();
            self.list.push(Fault { severity, file, place, code, message });
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors
    }

    /// Every fault once, grouped by file; within a file as found. At most a thousand.
    pub(crate) fn into_vec(mut self) -> Vec<Fault> {
        self.list.sort_by(|a, b| a.file.cmp(&b.file));
        self.list.dedup();
        self.list
    }
}
