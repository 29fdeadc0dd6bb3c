//! Rounds that are compiled in: the plan's, so that a demo needs nothing but the binary, and an example of everything.

use crate::round::RoundFiles;

macro_rules! folder {
    ($name:literal: $($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!("../rounds/", $name, "/", $path)).as_slice())),+]
            .into_iter()
            .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
            .collect()
    };
}

/// The folder `rounds/quang-nam-2023`.
#[must_use]
pub fn quang_nam_2023() -> RoundFiles {
    folder!["quang-nam-2023":
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
    ]
}

/// The folder `rounds/mau-day-du`: small, and with whatever a folder may hold.
#[must_use]
pub fn every_kind() -> RoundFiles {
    folder!["mau-day-du":
        "README.md",
        "choices.tsv",
        "criteria.tsv",
        "questionnaires/cc.toml",
        "questionnaires/hv.json",
        "round.toml",
        "scales.tsv",
        "targets.csv",
        "translations.csv",
        "units.tsv",
    ]
}
