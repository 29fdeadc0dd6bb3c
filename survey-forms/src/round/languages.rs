//! Languages beside Vietnamese: which there are, and whether every text has its translation.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Places, TablePlace};
use super::files::ROUND;
use super::tables::Translated;
use super::toml_reader::Reader;
use super::words::NAME_MAX;
use super::{Language, Round, keys};
use crate::fault::Faults;

/// `[[languages]]` of `round.toml`; none when there is no such key.
pub(super) fn read(root: &Reader, faults: &mut Faults) -> Vec<Language> {
    if !root.has("languages") {
        return Vec::new();
    }
    let mut all: Vec<Language> = Vec::new();
    for table in root.tables("languages", keys::NAMED, faults) {
        let code = table.code("code", faults);
        let tag = code
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !tag || code == "vi" {
            table.wrong("code", "language_tag", "Write a language tag such as \"en\"; \"vi\" is always there.", faults);
        }
        if all.iter().any(|other| other.code == code) {
            table.wrong("code", "code_double", "Give each entry a code of its own.", faults);
        }
        all.push(Language { code, name: table.text("name", NAME_MAX, faults) });
    }
    all
}

/// The translations by language and Vietnamese text. Warns of texts without one, and of rows that translate nothing.
pub(super) fn check(
    round: &Round,
    at: &TablePlace,
    rows: &[Translated],
    places: &Places,
    faults: &mut Faults,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let shown = shown(round);
    let mut seen = BTreeSet::new();
    for ((vi, translations), line) in at.each(rows) {
        if !seen.insert(vi) {
            faults.error(
                &at.file,
                format!("line {line}, vi"),
                "row_double",
                "Remove the row: the text stands here twice.",
            );
        }
        if places.all_questionnaires && !shown.contains(vi.as_str()) {
            let message = "No page shows this text: mend it to the letter or remove the row.";
            faults.warn(&at.file, format!("line {line}, vi"), "translation_unused", message);
        }
        for (language, text) in translations {
            all.entry(language.clone()).or_default().insert(vi.clone(), text.clone());
        }
    }
    for (index, language) in round.languages.iter().enumerate() {
        let known = all.get(&language.code);
        let missing: Vec<&&str> =
            shown.iter().filter(|text| known.is_none_or(|known| !known.contains_key(**text))).collect();
        if let Some(first) = missing.first() {
            let start: String = first.chars().take(60).collect();
            let message = format!(
                "{} texts have no translation and are shown in Vietnamese, the first of them \"{start}\": add rows to {}.",
                missing.len(),
                at.file
            );
            faults.warn(ROUND, format!("languages[{}]", index + 1), "translation_missing", message);
        }
    }
    all
}

/// Every text of the round that a respondent sees.
fn shown(round: &Round) -> BTreeSet<&str> {
    let mut all: BTreeSet<&str> = BTreeSet::from([round.title.as_str(), round.organiser.name.as_str()]);
    all.extend(round.organiser.contact_name.as_deref());
    all.extend(round.groups.iter().map(|group| group.name.as_str()));
    let texts = &round.texts;
    all.extend(
        [&texts.privacy_notice, &texts.before_opening, &texts.after_closing].into_iter().flatten().map(String::as_str),
    );
    all.extend(round.targets.iter().map(|target| target.name.as_str()));
    for form in &round.questionnaires {
        all.extend([form.title.as_str(), form.intro.as_str()]);
        all.extend(form.closing.as_deref());
        for section in &form.sections {
            all.insert(&section.title);
            all.extend(section.intro.as_deref());
        }
        for item in form.items() {
            all.insert(&item.question);
            all.extend([&item.lead, &item.help].into_iter().flatten().map(String::as_str));
            all.extend(item.options(&round.scales, &round.choices).iter().map(|option| option.label));
        }
    }
    all
}

impl Round {
    /// A text of this round in a language; the text itself where there is no translation.
    #[must_use]
    pub fn translated<'r>(&'r self, language: &str, text: &'r str) -> &'r str {
        self.translations.get(language).and_then(|known| known.get(text)).map_or(text, String::as_str)
    }
}
