//! The form's own words in English, by the Vietnamese ones that stand in the templates.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The words in a language, if they are here.
pub(super) fn find(language: &str, vi: &str) -> Option<&'static str> {
    static BY_WORDS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| WORDS.iter().copied().collect());
    if language == "en" { BY_WORDS.get(vi).copied() } else { None }
}

const WORDS: &[(&str, &str)] = &[];
