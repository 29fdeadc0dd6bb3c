//! The form's own words in English, by the Vietnamese ones that stand in the templates: `english.tsv`, which may be given
//! to a translator. Other languages bring theirs in the round's `translations.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

const WORDS: &str = include_str!("english.tsv");

/// The words in a language, if they are here.
pub(super) fn find(language: &str, vi: &str) -> Option<&'static str> {
    static BY_WORDS: LazyLock<HashMap<&'static str, &'static str>> =
        LazyLock::new(|| WORDS.lines().filter_map(|line| line.split_once('\t')).collect());
    if language == "en" { BY_WORDS.get(vi).copied() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::kept;
    use super::*;

    /// What stands between the quotes of these calls.
    fn called<'s>(text: &'s str, call: &'s str) -> impl Iterator<Item = &'s str> {
        text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap())
    }

    #[test]
    fn english_is_complete() {
        let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
        let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let pages = std::fs::read_dir(format!("{templates}/respond")).unwrap().map(|entry| entry.unwrap().path());
        let mut words = 0;
        for text in pages.chain([format!("{templates}/frame.html").into()]).map(read) {
            for call in ["frame.t(\"", "frame.n(\"", "frame.a(\""] {
                for vi in called(&text, call) {
                    assert!(find("en", vi).is_some(), "{vi}");
                    words += 1;
                }
            }
        }
        let own = [include_str!("words.rs"), include_str!("pages/mod.rs"), include_str!("pages/entry.rs")];
        for line in own.iter().flat_map(|text| text.lines()) {
            for vi in line.split('"').skip(1).step_by(2).filter(|text| text.chars().any(|c| c > '\u{24f}')) {
                assert!(find("en", vi).is_some(), "{vi}");
                words += 1;
            }
        }
        for vi in kept::sentences() {
            assert!(find("en", vi).is_some(), "add a line to english.tsv: {vi}");
            words += 1;
        }
        assert!(words > 300, "{words}");
        assert_eq!((find("fr", "Tiếp tục"), find("en", "Tiếp tục")), (None, Some("Continue")));
        for (vi, english) in WORDS.lines().map(|line| line.split_once('\t').unwrap()) {
            assert_eq!(vi.matches('#').count(), english.matches('#').count(), "{vi}");
        }
    }
}
