//! The plan's round, compiled in, so that a demo needs nothing but the binary.

use crate::round::RoundFiles;

/// The folder `rounds/quang-nam-2023`.
#[must_use]
pub fn quang_nam_2023() -> RoundFiles {
    RoundFiles::new()
}
