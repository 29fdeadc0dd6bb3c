//! XLSForm, the survey field's common spreadsheet format: a questionnaire from one, and back.
//!
//! Reading takes what a questionnaire here can hold and names everything else with its sheet, row, column and remedy.
//! What another tool lacks goes out in columns of our own, which other tools pass over: `percent` makes a list a scale
//! (`-`: the option does not count), `phieu_code` and `phieu_list` keep codes that are no plain names, `phieu_part`
//! says what a note belongs to, `phieu_decimals` how many digits a decimal may have.

mod codes;
mod condition;
mod export;
mod expression;
mod files;
mod import;
mod kinds;
mod languages;
mod leftovers;
mod lists;
mod table;
pub(crate) mod workbook;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use export::export;
pub use files::{Merged, merge, slug};
pub use workbook::{FILE_BYTES_MAX, NotRead};

use crate::questionnaire::{Choice, Choices, ItemKind, Questionnaire, Scale, ScaleOption};
use crate::round::Language;
use languages::{Tongues, Words};
use lists::List;
use table::Table;

use crate::fault::{Fault, Faults};

/// Most items of a questionnaire.
const ITEMS_MAX: usize = 300;

/// What the file does not say.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The group that the questionnaire is for.
    pub group: &'a str,
    /// Its title where the form has none, for example the name of the file.
    pub title: &'a str,
    /// The language that stands as Vietnamese, by name or tag; `None`: Vietnamese, else the form's default.
    pub main_language: Option<&'a str>,
}

/// A questionnaire with all that it needs of a round's tables, and what could not be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The questionnaire; its hash is not known before it stands in a round.
    pub questionnaire: Questionnaire,
    /// Lists whose options say what they are worth.
    pub scales: Vec<Scale>,
    /// The other lists.
    pub choices: Vec<Choices>,
    /// Languages beside the main one.
    pub languages: Vec<Language>,
    /// By language, then by the main text.
    pub translations: BTreeMap<String, BTreeMap<String, String>>,
    /// Errors: something of the form is lost. Warnings: something is otherwise than it was.
    pub faults: Vec<Fault>,
}

impl Imported {
    /// Every text that people see of it.
    fn shown(&self) -> BTreeSet<String> {
        let form = &self.questionnaire;
        let sections = form.sections.iter().flat_map(|section| [Some(&section.title), section.intro.as_ref()]);
        let items = form.items().flat_map(|item| [Some(&item.question), item.lead.as_ref(), item.help.as_ref()]);
        let scales = self.scales.iter().flat_map(|scale| &scale.options).map(|option| Some(&option.label));
        let choices = self.choices.iter().flat_map(|list| &list.options).map(|choice| Some(&choice.label));
        let own = [Some(&form.title), Some(&form.intro), form.closing.as_ref()].into_iter();
        own.chain(sections).chain(items).chain(scales).chain(choices).flatten().cloned().collect()
    }
}

/// Reads an XLSForm.
///
/// # Errors
/// The file is not read at all. What is lost of a file that is read stands in [`Imported::faults`].
pub fn import(bytes: &[u8], asked: Asked) -> Result<Imported, NotRead> {
    let book = workbook::read(bytes)?;
    let mut faults = Faults::default();
    let Some(survey) = Table::open("survey", &book.survey, &mut faults) else {
        return Err(NotRead::NoHeading("nothing".to_owned()));
    };
    if survey.heading("type").is_none() || survey.heading("name").is_none() {
        let found: Vec<&str> = survey.headings.iter().map(|heading| heading.shown.as_str()).collect();
        return Err(NotRead::NoHeading(workbook::short(&found.join(", "))));
    }
    let choices = book.choices.as_ref().and_then(|sheet| Table::open("choices", sheet, &mut faults));
    let settings = book.settings.as_ref().and_then(|sheet| Table::open("settings", sheet, &mut faults));
    let setting = |key: &str| {
        let table = settings.as_ref()?;
        table.rows.first().map(|row| table.cell(row, key)).filter(|text| !text.is_empty())
    };
    let tables: Vec<&Table> = std::iter::once(&survey).chain(&choices).collect();
    let default = setting("default_language").unwrap_or_default();
    let tongues = Tongues::find(&tables, asked.main_language, default, &mut faults);
    let lists = choices.as_ref().map(|table| lists::read(table, &tongues, &mut faults)).unwrap_or_default();
    let mut title = title(settings.as_ref(), &tongues).unwrap_or_else(|| {
        let title = setting("form_id").unwrap_or(asked.title);
        Words { main: title.to_owned(), others: Vec::new() }
    });
    title.single_line();
    let (questionnaire, mut translations) =
        import::Import::new(&survey, &tongues, &lists, &mut faults, asked.group).run(title);
    if questionnaire.items().count() > ITEMS_MAX {
        let message = format!("Keep a questionnaire to {ITEMS_MAX} questions: the check of the round refuses more.");
        faults.error("survey", "", "too_many_entries", message);
    }
    leftovers::report(&survey, settings.as_ref(), &book, &mut faults);
    let used = Used::of(&questionnaire);
    let mut found = Imported {
        questionnaire,
        scales: Vec::new(),
        choices: Vec::new(),
        languages: tongues.others().cloned().collect(),
        translations: BTreeMap::new(),
        faults: Vec::new(),
    };
    let mut lists: Vec<List> = lists.into_values().collect();
    lists.sort_by_key(|list| used.position(&list.code).or(used.position(&list.choices)));
    for list in lists {
        take(list, &used, &mut found, &mut translations, &mut faults);
    }
    let shown = found.shown();
    for known in translations.values_mut() {
        known.retain(|text, _| shown.contains(text.as_str()));
    }
    translations.retain(|_, known| !known.is_empty());
    found.translations = translations;
    found.faults = faults.into_vec();
    Ok(found)
}

/// The form's title in all its languages; most forms have it in a column without one.
fn title(settings: Option<&Table>, tongues: &Tongues) -> Option<Words> {
    let table = settings?;
    tongues.words(table, table.rows.first()?, "form_title", &mut Faults::default())
}

/// Codes of the lists that items use, in their order.
struct Used {
    scales: Vec<String>,
    choices: Vec<String>,
}

impl Used {
    fn of(form: &Questionnaire) -> Used {
        let mut used = Used { scales: Vec::new(), choices: Vec::new() };
        for item in form.items() {
            let (list, code) = match &item.kind {
                ItemKind::Scale { scale } => (&mut used.scales, scale),
                ItemKind::Single { choices } | ItemKind::Multiple { choices, .. } => (&mut used.choices, choices),
                ItemKind::Number { .. } | ItemKind::Text { .. } => continue,
            };
            if !list.contains(code) {
                list.push(code.clone());
            }
        }
        used
    }

    fn position(&self, code: &str) -> Option<usize> {
        self.scales.iter().chain(&self.choices).position(|other| other == code)
    }
}

/// Keeps a list that is used: as a scale, as choices, or as both.
fn take(
    list: List,
    used: &Used,
    found: &mut Imported,
    translations: &mut BTreeMap<String, BTreeMap<String, String>>,
    faults: &mut Faults,
) {
    let scale = list.scale && used.scales.contains(&list.code);
    let choices = used.choices.contains(&list.choices);
    if !scale && !choices {
        return;
    }
    let (mut scored, mut plain) = (Vec::new(), Vec::new());
    for offer in list.offers {
        let label = import::translate(translations, offer.label, "choices", String::new(), faults);
        plain.push(Choice { code: offer.code.clone(), label: label.clone() });
        scored.push(ScaleOption { code: offer.code, label, percent: offer.percent, other_percent: None });
    }
    if scale {
        found.scales.push(Scale { code: list.code.clone(), options: scored });
    }
    if choices {
        found.choices.push(Choices { code: list.choices, options: plain });
    }
}
