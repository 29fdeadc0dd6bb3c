//! The small model: what fields mean, which questions follow from which, and what may be cast. Written by hand from the
//! two rounds' questionnaires, not from the form engine.

use std::collections::BTreeMap;

use super::super::Answer;
use super::{Fields, Filled};

/// The choices of the question that takes several, in their order; at most [`MOST_TICKED`] of them.
const TICKED: [&str; 3] = ["TT", "BC", "TIEP"];
const MOST_TICKED: usize = 2;
/// Numbers as people type them, and what is kept. Nothing: it does not fit.
const NUMBERS: [(&str, Option<&str>); 9] = [
    ("1", Some("1")),
    (" 12 ", Some("12")),
    ("99", Some("99")),
    ("2", Some("2")),
    ("007", Some("7")),
    ("0", None),
    ("100", None),
    ("1,5", None),
    ("mười", None),
];
/// Texts likewise: composed and decomposed, with line ends of a browser, directions and markup.
const TEXTS: [(&str, Option<&str>); 5] = [
    ("Nhanh hơn", Some("Nhanh hơn")),
    ("  Nhanh h\u{1a1}\u{301}n\r\n\u{202e}<b>\"đ\" & 'e'\t ", Some("Nhanh hớn\n\u{202e}<b>\"đ\" & 'e'")),
    ("Tie\u{302}\u{301}ng Vi\u{ea}\u{323}t", Some("Tiếng Việt")),
    ("=1+1", Some("=1+1")),
    ("a\u{1b}b", None),
];
/// What is typed of a text that is too long, so many times.
const LONG: (&str, usize) = ("ắ", 301);

/// What the fields of an item say.
pub(super) enum Meaning {
    Kept(String),
    Empty,
    /// The page comes again and says what is wrong.
    Fault,
}

/// What somebody may put into the fields of an item that the page shows.
pub(super) enum Control {
    /// Options and which one is chosen.
    Radio(Vec<(String, bool)>),
    /// Options and which are ticked.
    Boxes(Vec<(String, bool)>),
    /// A number.
    Number(String),
    /// A text.
    Text(String),
}

impl Control {
    /// What it holds, as the model keeps it.
    pub(super) fn holds(&self) -> Option<String> {
        let chosen = |options: &[(String, bool)]| {
            let chosen: Vec<&str> = options.iter().filter(|(_, on)| *on).map(|(option, _)| option.as_str()).collect();
            (!chosen.is_empty()).then(|| chosen.join(","))
        };
        match self {
            Self::Radio(options) | Self::Boxes(options) => chosen(options),
            Self::Number(typed) | Self::Text(typed) => (!typed.is_empty()).then(|| typed.clone()),
        }
    }

    /// What a browser sends of it when nobody touches it.
    pub(super) fn sent(&self, name: &str) -> Fields {
        let field = |value: &str| (name.to_owned(), value.to_owned());
        let chosen = |options: &[(String, bool)]| options.iter().filter(|(_, on)| *on).map(|(o, _)| field(o)).collect();
        match self {
            Self::Radio(options) => chosen(options),
            Self::Boxes(options) => [vec![field("")], chosen(options)].concat(),
            Self::Number(typed) | Self::Text(typed) => vec![field(&typed.replace('\n', "\r\n"))],
        }
    }

    /// What is sent after somebody was here. `draw` gives a number below its argument.
    pub(super) fn answered(&self, name: &str, mut draw: impl FnMut(usize) -> usize) -> Fields {
        let field = |value: &str| (name.to_owned(), value.to_owned());
        match self {
            Self::Radio(options) => vec![field(&options[draw(options.len())].0)],
            Self::Boxes(options) => {
                let ticked: Vec<_> = options.iter().filter(|_| draw(5) < 2).map(|(option, _)| field(option)).collect();
                [vec![field("")], ticked].concat()
            }
            // Mostly what fits: walks that never get anywhere say little.
            Self::Number(_) => match draw(12) {
                at @ 0..9 => vec![field(NUMBERS[at].0)],
                9 => vec![field("")],
                _ => vec![field(NUMBERS[draw(5)].0)],
            },
            Self::Text(_) => match draw(8) {
                at @ 0..5 => vec![field(TEXTS[at].0)],
                5 => vec![field(" ")],
                6 => vec![field(&LONG.0.repeat(LONG.1))],
                _ => vec![field(TEXTS[0].0)],
            },
        }
    }
}

/// Something that fits the item.
pub(super) fn fitting(item: &str) -> &'static str {
    match item {
        "Q0" => "CO",
        "Q0A" => "12",
        "Q0B" => "BC",
        "Q3" => "Nhanh hơn",
        _ => "B",
    }
}

/// What fields of a form say, item by item.
pub(super) fn meanings(fields: &Fields) -> BTreeMap<String, Meaning> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in fields {
        values.entry(name.strip_prefix("c.").unwrap()).or_default().push(value);
    }
    values.into_iter().map(|(item, values)| (item.to_owned(), meaning(item, &values))).collect()
}

fn meaning(item: &str, values: &[&str]) -> Meaning {
    let typed = |known: &[(&str, Option<&str>)]| match known.iter().find(|(typed, _)| *typed == values[0]) {
        Some((_, Some(kept))) => Meaning::Kept((*kept).to_owned()),
        Some((_, None)) => Meaning::Fault,
        None if values[0].trim().is_empty() => Meaning::Empty,
        // From a page: what was kept before.
        None if values[0].chars().count() <= 100 => Meaning::Kept(values[0].replace("\r\n", "\n")),
        None => Meaning::Fault,
    };
    match item {
        "Q0A" => typed(&NUMBERS),
        "Q3" => typed(&TEXTS),
        "Q0B" => {
            let ticked: Vec<&str> = TICKED.into_iter().filter(|option| values.contains(option)).collect();
            match ticked.len() {
                0 => Meaning::Empty,
                n if n > MOST_TICKED => Meaning::Fault,
                _ => Meaning::Kept(ticked.join(",")),
            }
        }
        _ => Meaning::Kept(values[0].to_owned()),
    }
}

/// Whether the item is asked about the target, given what is answered. The plan's are all asked.
pub(super) fn asked(filled: &Filled, target: &str, item: &str) -> bool {
    let of = |item: &str| filled.get(&(target.to_owned(), item.to_owned())).map(String::as_str);
    match item {
        "Q0A" => of("Q0") == Some("CO"),
        "Q0B" => of("Q0") == Some("CO") && of("Q0A").is_some_and(|number| number.parse::<u32>().unwrap() >= 2),
        "Q2" => of("Q0") != Some("KHONG"),
        _ => true,
    }
}

/// What of it is cast.
pub(super) fn pruned(filled: &Filled) -> Filled {
    let counts = |(target, item): &(String, String)| asked(filled, target, item);
    filled.iter().filter(|(place, _)| counts(place)).map(|(place, value)| (place.clone(), value.clone())).collect()
}

/// Items without an answer that must have one.
pub(super) fn missing(filled: &Filled, group: &str, targets: &[&str]) -> usize {
    let required: &[&str] = if group == "CC" { &["Q0", "Q0A"] } else { &[] };
    let is_missing = |target: &str, item: &str| {
        asked(filled, target, item) && !filled.contains_key(&(target.to_owned(), item.to_owned()))
    };
    targets.iter().map(|target| required.iter().filter(|item| is_missing(target, item)).count()).sum()
}

/// The controls on a page, by the names of their fields.
pub(super) fn controls(page: &Answer) -> BTreeMap<String, Control> {
    let mut found = BTreeMap::new();
    for input in page.body.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = attribute(input, "name").filter(|name| name.starts_with("c."));
        let (Some(name), Some(value)) = (name, attribute(input, "value")) else { continue };
        let option = (value.clone(), input.ends_with(" checked"));
        match attribute(input, "type").as_deref() {
            Some("radio") => match found.entry(name).or_insert_with(|| Control::Radio(Vec::new())) {
                Control::Radio(options) => options.push(option),
                _ => panic!("two kinds of control of one name"),
            },
            Some("checkbox") => match found.entry(name).or_insert_with(|| Control::Boxes(Vec::new())) {
                Control::Boxes(options) => options.push(option),
                _ => panic!("two kinds of control of one name"),
            },
            None => drop(found.insert(name, Control::Number(value))),
            Some(_) => {}
        }
    }
    for area in page.body.split("<textarea ").skip(1) {
        let (head, rest) = area.split_once('>').unwrap();
        let text = unescaped(rest.split("</textarea>").next().unwrap().strip_prefix('\n').unwrap());
        found.insert(attribute(head, "name").unwrap(), Control::Text(text));
    }
    found
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = if tag.starts_with(&format!("{name}=\"")) { 0 } else { tag.find(&format!(" {name}=\""))? + 1 };
    Some(unescaped(tag[start + name.len() + 2..].split('"').next().unwrap()))
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (written, sign)| text.replace(written, sign))
}
