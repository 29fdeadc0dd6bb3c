//! Which language is the main one, and the texts of a row in all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Row, Table};
use super::workbook::short;
use crate::fault::Faults;
use crate::round::Language;
use crate::round::words;

/// A text in the main language and the others, by their code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) main: String,
    pub(super) others: Vec<(String, String)>,
}

/// The languages of a form.
#[derive(Debug, Default)]
pub(super) struct Tongues {
    /// As the headings name it; `None`: the columns without a language.
    main: Option<String>,
    /// As the headings name them, with what they are here.
    others: Vec<(String, Language)>,
}

impl Words {
    /// This text and another below it, in every language; where one has no translation it stands as it is.
    pub(super) fn and(self, below: Words) -> Words {
        let codes: BTreeSet<&String> = self.others.iter().chain(&below.others).map(|(code, _)| code).collect();
        let others = codes.into_iter().map(|code| {
            let of = |words: &Words| {
                let found = words.others.iter().find(|(other, _)| other == code);
                found.map_or_else(|| words.main.clone(), |(_, text)| text.clone())
            };
            (code.clone(), format!("{}\n\n{}", of(&self), of(&below)))
        });
        Words { others: others.collect(), main: format!("{}\n\n{}", self.main, below.main) }
    }

    /// `[…]` for every `${name}`, in all languages.
    pub(super) fn without_answers(mut self) -> Words {
        let others = self.others.iter_mut().map(|(_, text)| text);
        for text in std::iter::once(&mut self.main).chain(others) {
            while let Some(start) = text.find("${") {
                let end = text.get(start..).and_then(|rest| rest.find('}')).map_or(start + 2, |end| start + end + 1);
                text.replace_range(start..end, "[…]");
            }
        }
        self
    }

    /// Headings and options stand on one line.
    pub(super) fn single_line(&mut self) {
        let others = self.others.iter_mut().map(|(_, text)| text);
        for text in std::iter::once(&mut self.main).chain(others) {
            if text.contains('\n') {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
    }
}

impl Tongues {
    /// Chooses the main language: the one asked for, Vietnamese, the form's default, the columns without a language,
    /// the first.
    pub(super) fn find(tables: &[&Table], wanted: Option<&str>, default: &str, faults: &mut Faults) -> Tongues {
        let mut named: Vec<String> = Vec::new();
        let mut unnamed = false;
        for heading in tables.iter().flat_map(|table| &table.headings) {
            match &heading.language {
                _ if heading.key != "label" && heading.key != "hint" => {}
                Some(language) if !named.contains(language) => named.push(language.clone()),
                Some(_) => {}
                None => unnamed |= heading.key == "label",
            }
        }
        let is = |language: &String, text: &str| {
            language.to_lowercase() == text.to_lowercase() || tag(language).as_deref() == Some(text)
        };
        let find = |text: &str| named.iter().find(|language| is(language, text)).cloned();
        let vietnamese = named.iter().find(|language| {
            let lower = language.to_lowercase();
            tag(language).as_deref() == Some("vi") || lower.contains("vietnam") || lower.contains("việt")
        });
        if let Some(wanted) = wanted
            && find(wanted).is_none()
        {
            let message = format!("No column is in {}; there are: {}.", short(wanted), short(&named.join(", ")));
            faults.error("survey", "", "language_unknown", message);
        }
        let by_default = || if unnamed { None } else { find(default).or_else(|| named.first().cloned()) };
        let main = wanted.and_then(find).or_else(|| vietnamese.cloned()).or_else(by_default);
        if let Some(main) = &main
            && Some(main) != vietnamese
        {
            let message = format!(
                "{} is taken as the main language, which the service shows as Vietnamese. Translate the texts, or name another with --main-language.",
                short(main)
            );
            faults.warn("survey", "", "language_main", message);
        }
        let mut others: Vec<(String, Language)> = Vec::new();
        for name in named.into_iter().filter(|name| Some(name) != main.as_ref()) {
            let code = code(&name, &others);
            let bare = name.rsplit_once('(').map_or(name.as_str(), |(bare, _)| bare).trim();
            let bare = if bare.is_empty() { name.as_str() } else { bare };
            let language = Language { code, name: bare.chars().take(words::NAME_MAX).collect() };
            others.push((name, language));
        }
        Tongues { main, others }
    }

    /// The languages beside the main one.
    pub(super) fn others(&self) -> impl Iterator<Item = &Language> {
        self.others.iter().map(|(_, language)| language)
    }

    /// A row's text; `None` when it has none in any language.
    pub(super) fn words(&self, table: &Table, row: &Row, key: &str, faults: &mut Faults) -> Option<Words> {
        let texts: BTreeMap<Option<&str>, &str> = table.texts(row, key).collect();
        let others: Vec<(String, String)> = self
            .others
            .iter()
            .filter_map(|(heading, language)| {
                texts.get(&Some(heading.as_str())).map(|text| (language.code.clone(), (*text).to_owned()))
            })
            .collect();
        if let Some(main) = texts.get(&self.main.as_deref()) {
            return Some(Words { main: (*main).to_owned(), others });
        }
        let (language, text) = texts.into_iter().next()?;
        let message = format!(
            "Not written in the main language: the text in {} stands for it. Fill it in.",
            language.map_or("the column without a language".to_owned(), short)
        );
        faults.warn(table.sheet, table.place(row, key), "language_missing", message);
        Some(Words { main: text.to_owned(), others })
    }
}

/// The tag in `English (en)`.
fn tag(language: &str) -> Option<String> {
    let inner = language.trim().strip_suffix(')')?.rsplit_once('(')?.1;
    let tag = inner.trim().to_lowercase();
    is_tag(&tag).then_some(tag)
}

fn is_tag(text: &str) -> bool {
    text.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A tag of its own for a language: the one it names, else its first letters.
fn code(name: &str, taken: &[(String, Language)]) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_lowercase();
    let wanted = tag(name).unwrap_or(if letters.is_empty() { "x".to_owned() } else { letters });
    let free = |code: &String| code != "vi" && !taken.iter().any(|(_, other)| other.code == *code);
    let numbered = (2..).map(|n: u32| format!("{}-{n}", wanted.chars().take(30).collect::<String>()));
    std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or(wanted)
}
