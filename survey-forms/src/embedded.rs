//! The plan's round, compiled in, so that a demo needs nothing but the binary.

use crate::round::RoundFiles;

macro_rules! folder {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!("../rounds/quang-nam-2023/", $path)).as_slice())),+]
    };
}

/// The folder `rounds/quang-nam-2023`.
#[must_use]
pub fn quang_nam_2023() -> RoundFiles {
    let files = folder![
        "README.md",
        "criteria.tsv",
        "mapping.tsv",
        "questionnaires/cc-ch.toml",
        "questionnaires/cc-ct.toml",
        "questionnaires/cc-nd.toml",
        "questionnaires/hd-ct.toml",
        "questionnaires/ld-cp.toml",
        "questionnaires/ldh-ch.toml",
        "questionnaires/lds-ct.toml",
        "questionnaires/ldx-ch.toml",
        "roster-sample.csv",
        "round.toml",
        "scales.tsv",
        "targets.tsv",
        "units.tsv",
    ];
    files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect()
}
