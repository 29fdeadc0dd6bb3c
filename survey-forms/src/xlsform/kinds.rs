//! What a row's `type` says, in all the spellings that are about.

/// The type of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    BeginGroup,
    EndGroup,
    BeginRepeat,
    EndRepeat,
    Note,
    /// List, and whether people may write another option in.
    SelectOne(String, bool),
    SelectMultiple(String, bool),
    Integer,
    Decimal,
    Text,
    /// Recorded without being asked: when, where, on which device, by whom.
    Metadata,
    /// Worked out.
    Calculate,
    /// Anything else, with what to do instead.
    Other(&'static str),
}

const METADATA: &[&str] = &[
    "start",
    "end",
    "today",
    "deviceid",
    "device_id",
    "imei",
    "subscriberid",
    "simserial",
    "sim_id",
    "phonenumber",
    "phone_number",
    "username",
    "email",
    "audit",
    "start_time",
    "end_time",
    "start-geopoint",
    "background-audio",
    "background-geopoint",
];

/// Types that a form of this service cannot ask, and what can stand in their place.
const OTHERS: &[(&[&str], &str)] = &[
    (
        &["geopoint", "geotrace", "geoshape", "gps", "location"],
        "Places would tell who answers. Ask for an area as a single choice, coarse enough for many people.",
    ),
    (
        &["image", "photo", "audio", "video", "file", "barcode"],
        "Pictures, sounds, files and codes are not collected, because they identify people. Remove the row.",
    ),
    (
        &["date", "time", "datetime"],
        "Ask for a year as an integer, or for a span of time as a single choice; exact dates identify people.",
    ),
    (&["range"], "Make it an integer or a decimal with a constraint."),
    (&["rank"], "Make it a select_multiple with at most so many, or one select_one a rank."),
    (&["acknowledge", "trigger"], "Make it a select_one with one or two choices."),
    (&["hidden", "xml-external", "csv-external"], "Remove the row: nothing is kept that people do not see."),
    (&["osm"], "Remove the row."),
];

/// Reads a `type`.
pub(super) fn read(text: &str) -> Kind {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower = words.join(" ").to_lowercase();
    let spaced = lower.replace('_', " ");
    match spaced.as_str() {
        "begin group" => return Kind::BeginGroup,
        "end group" => return Kind::EndGroup,
        "begin repeat" | "begin looped group" | "begin lgroup" => return Kind::BeginRepeat,
        "end repeat" | "end looped group" | "end lgroup" => return Kind::EndRepeat,
        "note" => return Kind::Note,
        "integer" | "int" => return Kind::Integer,
        "decimal" => return Kind::Decimal,
        "text" | "string" => return Kind::Text,
        "calculate" => return Kind::Calculate,
        _ => {}
    }
    if spaced.starts_with("begin loop") {
        return Kind::BeginRepeat;
    }
    if spaced.starts_with("end loop") {
        return Kind::EndRepeat;
    }
    if METADATA.contains(&lower.as_str()) || METADATA.contains(&spaced.replace(' ', "_").as_str()) {
        return Kind::Metadata;
    }
    if let Some(kind) = select(&words, &lower) {
        return kind;
    }
    let first = lower.split(' ').next().unwrap_or_default();
    let instead = OTHERS.iter().find(|(types, _)| types.contains(&first)).map(|(_, instead)| *instead);
    Kind::Other(
        instead.unwrap_or(
            "Known here: select_one, select_multiple, integer, decimal, text, note, begin_group and end_group.",
        ),
    )
}

fn select(words: &[&str], lower: &str) -> Option<Kind> {
    const ONE: &[&str] = &["select_one_from", "select one from", "select_one", "select one", "select1"];
    const MANY: &[&str] = &[
        "select all that apply from",
        "select all that apply",
        "select_multiple_from",
        "select multiple from",
        "select_multiple",
        "select multiple",
    ];
    if ["from_file", "from file", "external"].iter().any(|other| lower.contains(other)) {
        return Some(Kind::Other("Choices from another file are not read: write them into the sheet choices."));
    }
    let starts = |prefix: &&&str| lower.strip_prefix(**prefix).is_some_and(|rest| rest.starts_with(' '));
    let (prefix, many) = match (ONE.iter().find(starts), MANY.iter().find(starts)) {
        (Some(prefix), _) => (prefix, false),
        (None, Some(prefix)) => (prefix, true),
        (None, None) => return None,
    };
    let mut rest: Vec<&str> = words.iter().skip(prefix.split(' ').count()).copied().collect();
    let other = match rest.as_slice() {
        [.., "or_other"] => rest.pop().is_some(),
        [.., "or", "specify", "other"] => {
            rest.truncate(rest.len() - 3);
            true
        }
        _ => false,
    };
    let list = rest.join(" ");
    (!list.is_empty()).then_some(if many { Kind::SelectMultiple(list, other) } else { Kind::SelectOne(list, other) })
}

/// `yes`, `true()` and their like; `None` for an expression.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "true()" | "1" | "y" | "x" | "có" => Some(true),
        "" | "no" | "false" | "false()" | "0" | "n" | "không" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_in_every_spelling() {
        let one = |list: &str, other| Kind::SelectOne(list.to_owned(), other);
        let many = |list: &str, other| Kind::SelectMultiple(list.to_owned(), other);
        for (text, kind) in [
            ("select_one L5", one("L5", false)),
            ("Select one from  Yes_No", one("Yes_No", false)),
            ("select1 a or_other", one("a", true)),
            ("select one a or specify other", one("a", true)),
            ("select all that apply from b", many("b", false)),
            ("select_multiple b or_other", many("b", true)),
            ("begin group", Kind::BeginGroup),
            ("end_group", Kind::EndGroup),
            ("begin_repeat", Kind::BeginRepeat),
            ("INT", Kind::Integer),
            ("string", Kind::Text),
            ("start", Kind::Metadata),
            ("sim id", Kind::Metadata),
            ("background-audio", Kind::Metadata),
        ] {
            assert_eq!(read(text), kind, "{text}");
        }
        for text in ["select_one", "select_one_from_file a.csv", "geopoint", "image", "xyz", "select_ones a"] {
            assert!(matches!(read(text), Kind::Other(_)), "{text}");
        }
    }
}
