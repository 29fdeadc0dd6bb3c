//! The organiser's logo: a small picture of the folder that cannot do anything but be shown.

use super::words::NAME_MAX;
use sha2::{Digest, Sha256};

use super::toml_reader::Reader;
use super::{Logo, RoundFiles};
use crate::fault::Faults;
use crate::questionnaire::hex;

const BYTES_MAX: usize = 20_000;
/// Above this the forms' pages with a script go without it: a long one needs its 14 kB for itself.
const INLINE_MAX: usize = 2_048;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// What an SVG must not hold, in lower case: scripts, foreign documents, entities and escapes that would hide them.
const REFUSED: &[&str] = &[
    "<script",
    "<foreignobject",
    "<iframe",
    "<embed",
    "<object",
    "<image",
    "<animate",
    "<set",
    "<handler",
    "<!",
    "<?xml-",
    "javascript:",
    "@import",
    "&",
    "\\",
    "xml:base",
];

/// Whether a file of this name can be a logo.
pub(super) fn may_be(path: &str) -> bool {
    !path.contains('/') && media_type(path).is_some()
}

fn media_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        _ => None,
    }
}

/// Reads `organiser.logo` and the file that it names.
pub(super) fn read(files: &RoundFiles, organiser: &Reader, faults: &mut Faults) -> Option<Logo> {
    let file = organiser.optional_text("logo", NAME_MAX, faults)?;
    let Some(media_type) = media_type(&file).filter(|_| may_be(&file)) else {
        let message = "Name a file of this folder that ends in .svg or .png.";
        organiser.wrong("logo", "logo_name", message, faults);
        return None;
    };
    let Some(bytes) = files.get(&file) else {
        faults.error(&file, "", "file_missing", format!("Add the file {file}."));
        return None;
    };
    if bytes.len() > BYTES_MAX {
        faults.error(&file, "", "logo_too_big", format!("Keep the logo to {BYTES_MAX} bytes; it has {}.", bytes.len()));
        return None;
    }
    if bytes.len() > INLINE_MAX {
        let message = format!("Pages with questions leave out a logo of more than {INLINE_MAX} bytes, to stay light.");
        faults.warn(&file, "", "logo_heavy", message);
    }
    let sound = match media_type {
        "image/png" if bytes.starts_with(PNG) => true,
        "image/png" => {
            faults.error(&file, "", "logo_png", "Save the logo as a PNG picture.");
            false
        }
        _ => is_still(&file, bytes, faults),
    };
    let sha256 = hex(&Sha256::digest(bytes));
    sound.then(|| Logo { file, sha256, media_type, bytes: bytes.clone() })
}

/// An SVG that only draws: no script, no event attribute, no reference out of itself.
fn is_still(file: &str, bytes: &[u8], faults: &mut Faults) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.error(file, "", "not_utf8", "Save the file as UTF-8.");
        return false;
    };
    let text = text.to_ascii_lowercase();
    if !text.contains("<svg") {
        faults.error(file, "", "logo_svg", "Save the logo as an SVG picture.");
        return false;
    }
    let mut sound = true;
    let mut refuse = |at: usize, what: &str| {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let message = format!("Remove {what}: a logo may only draw.");
        faults.error(file, format!("line {line}"), "logo_active", message);
        sound = false;
    };
    for word in REFUSED {
        if let Some(at) = text.find(word) {
            refuse(at, word);
        }
    }
    for (at, _) in text.match_indices("href") {
        if !points_inside(text.get(at + 4..).unwrap_or_default().trim_start().strip_prefix('=').unwrap_or_default()) {
            refuse(at, "the reference");
        }
    }
    for (at, _) in text.match_indices("url(") {
        if !points_inside(text.get(at + 4..).unwrap_or_default()) {
            refuse(at, "the reference");
        }
    }
    if let Some(at) = event_attribute(&text) {
        refuse(at, "the event attribute");
    }
    sound
}

fn points_inside(value: &str) -> bool {
    value.trim_start().trim_start_matches(['"', '\'']).trim_start().starts_with('#')
}

/// Where an attribute such as `onload=` stands.
fn event_attribute(text: &str) -> Option<usize> {
    text.match_indices("on").map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        let name: &str = text.get(*at..).unwrap_or_default();
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let starts = before.is_some_and(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '/'));
        starts && end > 2 && name.get(end..).unwrap_or_default().trim_start().starts_with('=')
    })
}
