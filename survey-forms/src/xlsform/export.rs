//! From a questionnaire to an XLSForm that other tools take.

use std::collections::BTreeMap;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::codes::{Codes, safe};
use crate::questionnaire::{Choices, Condition, Holds, Item, ItemKind, Questionnaire, Scale};
use crate::ratio::{self, Ratio};
use crate::round::Language;

/// Names that tools for XLSForm use themselves.
const RESERVED: &[&str] = &["data", "meta", "instanceid", "instancename", "form"];
/// The main language, as headings name it where there are others.
const MAIN: &str = "Tiếng Việt (vi)";

/// Rows of one sheet: the columns that are filled, by heading.
type Rows = Vec<BTreeMap<String, String>>;

/// The name of a list, and of its options by their codes.
type Named<'a> = (String, BTreeMap<&'a str, String>);

struct Export<'a> {
    languages: &'a [Language],
    translations: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// By the codes here; lists also by whether they are scales.
    items: BTreeMap<&'a str, (String, &'a ItemKind)>,
    lists: BTreeMap<(bool, &'a str), Named<'a>>,
    names: Codes,
}

/// Writes a questionnaire, what it uses of a round's scales and lists, and its translations.
///
/// # Errors
/// A text is longer than a cell may be; a round that passes the check has none.
pub fn export(
    form: &Questionnaire,
    scales: &[Scale],
    choices: &[Choices],
    languages: &[Language],
    translations: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<u8>, XlsxError> {
    let mut export =
        Export { languages, translations, items: BTreeMap::new(), lists: BTreeMap::new(), names: Codes::default() };
    for name in RESERVED {
        export.names.unique(name);
    }
    let choices = export.choices(form, scales, choices);
    let survey = export.survey(form);
    let mut settings = export.text("form_title", &form.title);
    settings.insert("form_id".to_owned(), safe(&form.respondent_code, &mut Codes::default()));
    if !languages.is_empty() {
        settings.insert("default_language".to_owned(), MAIN.to_owned());
    }
    let mut book = Workbook::new();
    // No clock: the same questionnaire is the same file.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    sheet(&mut book, "survey", &["type", "name", "label"], &survey)?;
    sheet(&mut book, "choices", &["list_name", "name", "label"], &choices)?;
    sheet(&mut book, "settings", &["form_title", "form_id"], &vec![settings])?;
    book.save_to_buffer()
}

/// The heading is every column that some row fills: the first ones as given, the others sorted.
fn sheet(book: &mut Workbook, name: &str, first: &[&str], rows: &Rows) -> Result<(), XlsxError> {
    let mut headings: Vec<&str> = Vec::new();
    let all = || rows.iter().flat_map(BTreeMap::keys).map(String::as_str);
    for start in first {
        headings.extend(all().filter(|key| key == start || key.starts_with(&format!("{start}::"))));
        if headings.iter().all(|heading| !heading.starts_with(start)) {
            headings.push(start);
        }
    }
    let mut others: Vec<&str> = all().collect();
    others.sort_unstable();
    headings.extend(others);
    let mut seen = std::collections::BTreeSet::new();
    headings.retain(|heading| seen.insert(*heading));
    let sheet = book.add_worksheet().set_name(name)?;
    let bold = Format::new().set_bold();
    for (column, heading) in (0_u16..).zip(&headings) {
        sheet.write_string_with_format(0, column, *heading, &bold)?;
        for (row, cells) in (1_u32..).zip(rows) {
            if let Some(text) = cells.get(*heading) {
                sheet.write_string(row, column, text)?;
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn put(row: &mut BTreeMap<String, String>, key: &str, text: impl Into<String>) {
    row.insert(key.to_owned(), text.into());
}

impl<'a> Export<'a> {
    /// A text in all languages that have it.
    fn text(&self, key: &str, text: &str) -> BTreeMap<String, String> {
        let mut row = BTreeMap::new();
        // In other tools this would put an answer in.
        let plain = |text: &str| text.replace("${", "$ {");
        // Settings know one language only.
        if self.languages.is_empty() || key == "form_title" {
            put(&mut row, key, plain(text));
        } else {
            put(&mut row, &format!("{key}::{MAIN}"), plain(text));
        }
        for language in self.languages {
            if let Some(found) = self.translations.get(&language.code).and_then(|known| known.get(text)) {
                put(&mut row, &format!("{key}::{} ({})", language.name, language.code), plain(found));
            }
        }
        row
    }

    fn choices(&mut self, form: &'a Questionnaire, scales: &'a [Scale], choices: &'a [Choices]) -> Rows {
        let mut rows = Rows::new();
        let mut lists = Codes::default();
        for item in form.items() {
            let (scored, list) = match &item.kind {
                ItemKind::Scale { scale } => (true, scale.as_str()),
                ItemKind::Single { choices } | ItemKind::Multiple { choices, .. } => (false, choices.as_str()),
                ItemKind::Number { .. } | ItemKind::Text { .. } => continue,
            };
            if self.lists.contains_key(&(scored, list)) {
                continue;
            }
            let options: Vec<(&str, &str, Option<String>)> = if scored {
                let found = scales.iter().find(|scale| scale.code == list).map(|scale| scale.options.as_slice());
                let worth = |percent: &Option<Ratio>| percent.as_ref().map_or("-".to_owned(), ratio::to_exact);
                let options = found.unwrap_or_default().iter();
                options.map(|o| (o.code.as_str(), o.label.as_str(), Some(worth(&o.percent)))).collect()
            } else {
                let found = choices.iter().find(|known| known.code == list).map(|known| known.options.as_slice());
                found.unwrap_or_default().iter().map(|o| (o.code.as_str(), o.label.as_str(), None)).collect()
            };
            let name = safe(list, &mut lists);
            let (mut names, mut taken) = (BTreeMap::new(), Codes::default());
            for (code, label, percent) in options {
                let option = safe(code, &mut taken);
                let mut row = self.text("label", label);
                put(&mut row, "list_name", &name);
                put(&mut row, "name", &option);
                if option != code {
                    put(&mut row, "phieu_code", code);
                }
                if name != list {
                    put(&mut row, "phieu_list", list);
                }
                if let Some(percent) = percent {
                    put(&mut row, "percent", percent);
                }
                names.insert(code, option);
                rows.push(row);
            }
            self.lists.insert((scored, list), (name, names));
        }
        rows
    }

    fn note(&mut self, part: &str, text: &str, rows: &mut Rows) {
        let mut row = self.text("label", text);
        put(&mut row, "type", "note");
        put(&mut row, "name", self.names.unique(&format!("note_{part}")));
        put(&mut row, "phieu_part", part);
        rows.push(row);
    }

    fn survey(&mut self, form: &'a Questionnaire) -> Rows {
        let mut rows = Rows::new();
        self.note("intro", &form.intro, &mut rows);
        for section in &form.sections {
            let mut row = self.text("label", &section.title);
            put(&mut row, "type", "begin_group");
            self.name(&mut row, &section.code);
            rows.push(row);
            if let Some(intro) = &section.intro {
                self.note("section", intro, &mut rows);
            }
            for item in &section.items {
                self.item(item, &mut rows);
            }
            rows.push(BTreeMap::from([("type".to_owned(), "end_group".to_owned())]));
        }
        if let Some(closing) = &form.closing {
            self.note("closing", closing, &mut rows);
        }
        rows
    }

    fn name(&mut self, row: &mut BTreeMap<String, String>, code: &str) -> String {
        let name = safe(code, &mut self.names);
        put(row, "name", &name);
        if name != code {
            put(row, "phieu_code", code);
        }
        name
    }

    fn item(&mut self, item: &'a Item, rows: &mut Rows) {
        let conditions: Vec<String> = item.only_if.iter().map(|condition| self.condition(condition)).collect();
        let relevant = conditions.join(" and ");
        if let Some(lead) = &item.lead {
            self.note("lead", lead, rows);
            if let Some(row) = rows.last_mut().filter(|_| !relevant.is_empty()) {
                put(row, "relevant", &relevant);
            }
        }
        let mut row = self.text("label", &item.question);
        let name = self.name(&mut row, &item.code);
        if let Some(help) = &item.help {
            row.extend(self.text("hint", help));
        }
        if item.required {
            put(&mut row, "required", "yes");
        }
        if !relevant.is_empty() {
            put(&mut row, "relevant", relevant);
        }
        let list = |scored, code: &'a str| self.lists.get(&(scored, code)).map_or("", |(name, _)| name.as_str());
        let kind = match &item.kind {
            ItemKind::Scale { scale } => format!("select_one {}", list(true, scale)),
            ItemKind::Single { choices } => format!("select_one {}", list(false, choices)),
            ItemKind::Multiple { choices, at_most } => {
                if let Some(most) = at_most {
                    put(&mut row, "constraint", format!("count-selected(.) <= {most}"));
                }
                format!("select_multiple {}", list(false, choices))
            }
            ItemKind::Number { min, max, decimals } => {
                let bounds = [(min, ">="), (max, "<=")];
                let bounds = bounds.iter().filter_map(|(bound, operator)| {
                    bound.as_ref().map(|bound| format!(". {operator} {}", ratio::to_exact(bound)))
                });
                let bounds = bounds.collect::<Vec<_>>().join(" and ");
                if !bounds.is_empty() {
                    put(&mut row, "constraint", bounds);
                }
                if *decimals > 0 {
                    put(&mut row, "phieu_decimals", decimals.to_string());
                }
                if *decimals == 0 { "integer" } else { "decimal" }.to_owned()
            }
            ItemKind::Text { letters } => {
                put(&mut row, "constraint", format!("string-length(.) <= {letters}"));
                "text".to_owned()
            }
        };
        put(&mut row, "type", kind);
        rows.push(row);
        self.items.insert(&item.code, (name, &item.kind));
    }

    /// One condition, in parentheses so that it comes back as one.
    fn condition(&self, condition: &Condition) -> String {
        let (name, kind) = self.items.get(condition.item.as_str()).map_or(("", None), |(n, k)| (n.as_str(), Some(*k)));
        let (list, many) = match kind {
            Some(ItemKind::Scale { scale }) => (self.lists.get(&(true, scale.as_str())), false),
            Some(ItemKind::Single { choices }) => (self.lists.get(&(false, choices.as_str())), false),
            Some(ItemKind::Multiple { choices, .. }) => (self.lists.get(&(false, choices.as_str())), true),
            _ => (None, false),
        };
        let option = |code: &String| {
            let known = list.and_then(|(_, names)| names.get(code.as_str()));
            known.cloned().unwrap_or_default()
        };
        let each = |options: &[String], yes: bool| -> Vec<String> {
            let one = |code: &String| match (many, yes) {
                (false, true) => format!("${{{name}}} = '{}'", option(code)),
                (false, false) => format!("${{{name}}} != '{}'", option(code)),
                (true, true) => format!("selected(${{{name}}}, '{}')", option(code)),
                (true, false) => format!("not(selected(${{{name}}}, '{}'))", option(code)),
            };
            options.iter().map(one).collect()
        };
        let inner = match &condition.holds {
            Holds::Is(options) => each(options, true).join(" or "),
            Holds::IsNot(options) => each(options, false).join(" and "),
            Holds::Between { at_least, at_most } => {
                let bounds = [(at_least, ">="), (at_most, "<=")];
                let bounds = bounds.iter().filter_map(|(bound, operator)| {
                    bound.as_ref().map(|bound| format!("${{{name}}} {operator} {}", ratio::to_exact(bound)))
                });
                bounds.collect::<Vec<_>>().join(" and ")
            }
            Holds::Answered(true) => format!("${{{name}}} != ''"),
            Holds::Answered(false) => format!("${{{name}}} = ''"),
        };
        format!("({inner})")
    }
}
