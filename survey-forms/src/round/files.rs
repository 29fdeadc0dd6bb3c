//! The folder itself: which files there are, how big, and whether they are clean text.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::RoundFiles;
use super::{encoding, keys, logo};
use crate::fault::Faults;

pub(super) const ROUND: &str = "round.toml";
const QUESTIONNAIRES: &str = "questionnaires/";
const FILES_MAX: usize = 300;
const FILE_BYTES_MAX: usize = 4 << 20;
const PATH_MAX: usize = 120;

/// Checks names and sizes. False when the folder is too big to read on.
pub(super) fn check_folder(files: &RoundFiles, faults: &mut Faults) -> bool {
    if files.len() > FILES_MAX {
        let message = format!("Keep the folder to {FILES_MAX} files; it has {}.", files.len());
        faults.error(".", "", "too_many_files", message);
        return false;
    }
    let mut readable = true;
    for (path, bytes) in files {
        let shown: String = path.chars().filter(|c| !c.is_control()).take(PATH_MAX).collect();
        if !safe_path(path) {
            faults.error(
                &shown,
                "",
                "path_unsafe",
                "Rename the file: letters a to z, digits, '.', '-' and '_' only, no '..'.",
            );
        } else if !is_known(path) {
            let message = "No part of a round is read from this file: remove it or mend its name.";
            faults.warn(&shown, "", "file_unknown", message);
        }
        if bytes.len() > FILE_BYTES_MAX {
            let message = format!("Keep the file under {FILE_BYTES_MAX} bytes.");
            faults.error(&shown, "", "file_too_big", message);
            readable = false;
        }
    }
    readable
}

fn safe_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    path.len() <= PATH_MAX
        && path.split('/').all(|step| !step.is_empty() && !step.starts_with('.') && step.chars().all(plain))
}

fn is_known(path: &str) -> bool {
    let beside = path.ends_with(".md") || (path.starts_with("roster") && path.ends_with(".csv"));
    path == ROUND
        || keys::TABLES.iter().any(|table| table_paths(table.name).iter().any(|known| known == path))
        || is_questionnaire(path)
        || logo::may_be(path)
        || beside
}

fn is_questionnaire(path: &str) -> bool {
    let name = path.strip_prefix(QUESTIONNAIRES);
    let name = name.and_then(|rest| rest.strip_suffix(".toml").or_else(|| rest.strip_suffix(".json")));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// Paths of the questionnaires, sorted.
pub(super) fn questionnaires(files: &RoundFiles) -> impl Iterator<Item = &str> {
    files.keys().map(String::as_str).filter(|path| is_questionnaire(path))
}

fn table_paths(name: &str) -> [String; 2] {
    [format!("{name}.tsv"), format!("{name}.csv")]
}

/// Whether a table is there, in either form.
pub(super) fn has_table(files: &RoundFiles, name: &str) -> bool {
    table_paths(name).iter().any(|path| files.contains_key(path))
}

/// The path of a table, `NAME.tsv` or `NAME.csv`; the first when there is neither.
pub(super) fn table(files: &RoundFiles, name: &str, faults: &mut Faults) -> String {
    let [tabs, commas] = table_paths(name);
    if !files.contains_key(&commas) {
        return tabs;
    }
    if files.contains_key(&tabs) {
        faults.error(&commas, "", "table_double", format!("Keep {tabs} or this file: the table stands twice."));
        return tabs;
    }
    commas
}

/// The text of a file: UTF-8, without a byte order mark, in NFC. Text that is not NFC is a fault,
/// and goes on as NFC so that it makes no others. Another encoding is named, never converted.
pub(super) fn text(files: &RoundFiles, path: &str, faults: &mut Faults) -> Option<String> {
    let Some(bytes) = files.get(path) else {
        faults.error(path, "", "file_missing", format!("Add the file {path}."));
        return None;
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            faults.error(path, format!("line {line}"), "not_utf8", save_as_utf8(encoding::likely(bytes)));
            return None;
        }
    };
    // ASCII in UTF-16 without its mark is valid UTF-8 full of zeros.
    if text.contains('\0')
        && let Some(name) = encoding::utf16(bytes)
    {
        faults.error(path, "line 1", "not_utf8", save_as_utf8(Some(name)));
        return None;
    }
    if let Some(index) = text.lines().position(encoding::is_twice_encoded) {
        let message = "Vietnamese that was UTF-8, opened as Windows-1252 and saved again: restore the text.";
        faults.warn(path, format!("line {}", index + 1), "text_twice_encoded", message);
    }
    for (number, line) in text.lines().enumerate() {
        let place = || format!("line {}", number + 1);
        if !is_nfc(line) {
            let message = "Save the text in Unicode normal form C (composed accents, TCVN 6909).";
            faults.error(path, place(), "text_not_nfc", message);
        }
        if line.chars().any(|c| c != '\t' && (c.is_control() || is_invisible(c))) {
            let message = "Remove the control or invisible character from this line.";
            faults.error(path, place(), "text_control", message);
        }
    }
    Some(if is_nfc(text) { text.to_owned() } else { text.nfc().collect() })
}

fn save_as_utf8(likely: Option<&str>) -> String {
    match likely {
        Some(name) => format!("The file looks like {name}: save it as UTF-8."),
        None => "Save the file as UTF-8.".to_owned(),
    }
}

/// Characters that make two equal-looking texts different.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
