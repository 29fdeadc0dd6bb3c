//! Reading a folder into a round, with every fault at once.

use super::{Checked, Fault, Round, RoundFiles};
use crate::fault::Faults;

impl Round {
    /// Reads a folder.
    ///
    /// # Errors
    /// Every fault, warnings too, when at least one of them is an error.
    pub fn from_files(files: &RoundFiles) -> Result<Round, Vec<Fault>> {
        let checked = Round::check(files);
        checked.round.ok_or(checked.faults)
    }

    /// Reads a folder and names every fault in it.
    #[must_use]
    pub fn check(files: &RoundFiles) -> Checked {
        let mut faults = Faults::default();
        if !files.contains_key("round.toml") {
            faults.error("round.toml", "", "file_missing", "Add the file round.toml.");
        }
        Checked { round: None, faults: faults.into_vec() }
    }
}
