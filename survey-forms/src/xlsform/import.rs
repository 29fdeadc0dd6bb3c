//! From the rows of a form to a questionnaire.

use std::collections::BTreeMap;

use super::codes::Codes;
use super::condition::{self, Answer, Earlier, Names};
use super::expression;
use super::kinds::{self, Kind};
use super::languages::{Tongues, Words};
use super::lists::List;
use super::table::{Row, Table};
use super::workbook::short;
use crate::fault::Faults;
use crate::questionnaire::{Condition, Item, ItemKind, Questionnaire, Section};
use crate::ratio;
use crate::round::words::{NAME_MAX, TEXT_MAX};

/// Longest free text where the form sets no limit, and longest of all.
const LETTERS: u32 = 500;
const LETTERS_MAX: u32 = 5_000;
/// Digits behind the point of a `decimal`, which sets no number of its own.
const DECIMALS: u32 = 2;
const DECIMALS_MAX: u32 = 4;
/// Stands where the form says nothing before its first question; a questionnaire must.
const INTRO: &str = "Kính mời ông/bà cho ý kiến.";
/// Heading of questions that stand in no group.
const SECTION: &str = "Câu hỏi";

/// By language, then by the text in the main language.
pub(super) type Translations = BTreeMap<String, BTreeMap<String, String>>;

/// A note that waits for the question or the section below it.
struct Note {
    words: Words,
    only_if: Vec<Condition>,
    place: String,
}

enum Open {
    Group { only_if: Vec<Condition>, row: u32 },
    Repeat { row: u32 },
}

/// Reads the rows of `survey` one after another.
pub(super) struct Import<'a> {
    table: &'a Table,
    tongues: &'a Tongues,
    lists: &'a BTreeMap<String, List>,
    rows: BTreeMap<String, u32>,
    pub(super) faults: &'a mut Faults,
    pub(super) translations: Translations,
    form: Questionnaire,
    /// Whether rows still belong to the last section.
    within: bool,
    intro: Vec<Words>,
    closing: Vec<Words>,
    open: Vec<Open>,
    notes: Vec<Note>,
    earlier: BTreeMap<String, Earlier>,
    codes: Codes,
    section_codes: Codes,
    number: u32,
}

impl<'a> Import<'a> {
    /// An import of `table` for a group, under a title.
    pub(super) fn new(
        table: &'a Table,
        tongues: &'a Tongues,
        lists: &'a BTreeMap<String, List>,
        faults: &'a mut Faults,
        group: &str,
    ) -> Self {
        let form = Questionnaire {
            respondent_code: group.to_owned(),
            title: String::new(),
            intro: String::new(),
            closing: None,
            sections: Vec::new(),
            hash: String::new(),
        };
        let mut rows = BTreeMap::new();
        for row in &table.rows {
            rows.entry(table.cell(row, "name").to_owned()).or_insert(row.number);
        }
        Import {
            table,
            tongues,
            lists,
            rows,
            faults,
            translations: BTreeMap::new(),
            form,
            within: false,
            intro: Vec::new(),
            closing: Vec::new(),
            open: Vec::new(),
            notes: Vec::new(),
            earlier: BTreeMap::new(),
            codes: Codes::default(),
            section_codes: Codes::default(),
            number: 0,
        }
    }

    /// The questionnaire; without sections when no question could be taken.
    pub(super) fn run(mut self, title: Words) -> (Questionnaire, Translations) {
        self.form.title = self.said(title, NAME_MAX, String::new());
        let table = self.table;
        for row in &table.rows {
            self.row(row);
        }
        for open in std::mem::take(&mut self.open) {
            let (Open::Group { row, .. } | Open::Repeat { row }) = open;
            let message = "The group that begins here has no end. Add an end_group row where it ends.";
            self.faults.error(table.sheet, format!("row {row}"), "group_open", message);
        }
        let after = self.loose_notes();
        self.closing.extend(after);
        let (intro, closing) = (std::mem::take(&mut self.intro), std::mem::take(&mut self.closing));
        self.form.closing = self.paragraphs(closing);
        self.form.intro = self.paragraphs(intro).unwrap_or_else(|| {
            let message =
                "No note stands before the first question: write an introduction in place of the one put there.";
            self.faults.warn(table.sheet, "", "intro_missing", message);
            INTRO.to_owned()
        });
        self.form.sections.retain(|section| !section.items.is_empty());
        if self.form.sections.is_empty() {
            self.faults.error(table.sheet, "", "questions_none", "No question of this form could be taken.");
        }
        (self.form, self.translations)
    }

    fn wrong(&mut self, row: &Row, key: &str, code: &'static str, message: impl Into<String>) {
        self.faults.error(self.table.sheet, self.table.place(row, key), code, message);
    }

    fn warn(&mut self, row: &Row, key: &str, code: &'static str, message: impl Into<String>) {
        self.faults.warn(self.table.sheet, self.table.place(row, key), code, message);
    }

    fn row(&mut self, row: &Row) {
        let table = self.table;
        let (kind, name) = (table.cell(row, "type"), table.cell(row, "name"));
        if kinds::truth(table.cell(row, "disabled")) == Some(true) {
            return;
        }
        if kind.is_empty() {
            if !name.is_empty() {
                self.wrong(row, "type", "type_missing", format!("Give {} a type, or clear the row.", short(name)));
            }
            return;
        }
        let read = kinds::read(kind);
        if let Some(Open::Repeat { .. }) = self.open.iter().find(|open| matches!(open, Open::Repeat { .. })) {
            self.repeated(row, &read);
            return;
        }
        match read {
            Kind::BeginGroup => self.begin(row),
            Kind::BeginRepeat => {
                let message = "Questions that are asked again and again are not taken, nor what stands inside. Ask them a fixed number of times, each with a name of its own.";
                self.wrong(row, "type", "type_repeat", message);
                self.open.push(Open::Repeat { row: row.number });
            }
            Kind::EndGroup | Kind::EndRepeat => self.end(row),
            Kind::Note => self.note(row),
            Kind::Metadata => {
                let message = format!(
                    "{} is refused for privacy: answers are anonymous, so when, where, by whom and on what device they were given is never recorded. Remove the row.",
                    short(kind)
                );
                self.warn(row, "type", "type_metadata", message);
            }
            Kind::Calculate => {
                let message = format!(
                    "{} is worked out from other answers, which this service does not do. Work it out from the results, and ask conditions of the questions themselves.",
                    short(name)
                );
                self.wrong(row, "type", "type_calculate", message);
            }
            Kind::Other(instead) => {
                let message = format!("The type {} is not taken. {instead}", short(kind));
                self.wrong(row, "type", "type_unknown", message);
            }
            Kind::SelectOne(..) | Kind::SelectMultiple(..) | Kind::Integer | Kind::Decimal | Kind::Text => {
                self.item(row, read);
            }
        }
    }

    /// Inside a repeat only its end matters.
    fn repeated(&mut self, row: &Row, kind: &Kind) {
        match kind {
            Kind::BeginGroup | Kind::BeginRepeat => self.open.push(Open::Repeat { row: row.number }),
            Kind::EndGroup | Kind::EndRepeat => {
                self.open.pop();
            }
            _ => {}
        }
    }

    fn begin(&mut self, row: &Row) {
        let table = self.table;
        let outer = self.open.is_empty();
        let only_if = self.relevant(row);
        let name = table.cell(row, "name");
        let label = self.tongues.words(table, row, "label", self.faults);
        if outer {
            let code = if name.is_empty() {
                self.section_codes.unique(&format!("{}", self.form.sections.len() + 1))
            } else {
                self.section_codes.give(name, table.cell(row, "phieu_code"), table, row, "name", self.faults)
            };
            let before = self.loose_notes();
            let intro = if self.form.sections.is_empty() {
                self.intro.extend(before);
                None
            } else {
                self.paragraphs(before)
            };
            let title = match label {
                Some(mut label) => {
                    label.single_line();
                    self.said(label, NAME_MAX, table.place(row, "label"))
                }
                None => {
                    self.warn(
                        row,
                        "label",
                        "label_missing",
                        "The group has no label: its heading is made up. Write one.",
                    );
                    if name.is_empty() { SECTION.to_owned() } else { name.to_owned() }
                }
            };
            self.form.sections.push(Section { code, title, intro, items: Vec::new() });
            self.within = true;
        } else if let Some(words) = label {
            self.warn(
                row,
                "type",
                "group_nested",
                "Groups within groups are one section: the label stands before the next question.",
            );
            let note = Note { words, only_if: self.conditions(&only_if), place: table.place(row, "label") };
            self.notes.push(note);
        }
        self.open.push(Open::Group { only_if, row: row.number });
    }

    fn end(&mut self, row: &Row) {
        if self.open.pop().is_none() {
            self.wrong(
                row,
                "type",
                "group_unopened",
                "No group is open here. Remove the row, or add the begin_group that it ends.",
            );
        }
        self.within &= !self.open.is_empty();
    }

    /// The conditions of all open groups, then these.
    fn conditions(&self, own: &[Condition]) -> Vec<Condition> {
        let mut all = Vec::new();
        for open in &self.open {
            if let Open::Group { only_if, .. } = open {
                all.extend_from_slice(only_if);
            }
        }
        all.extend_from_slice(own);
        all
    }

    fn note(&mut self, row: &Row) {
        let table = self.table;
        let only_if = self.relevant(row);
        let Some(words) = self.tongues.words(table, row, "label", self.faults) else {
            self.wrong(row, "label", "label_missing", "The note says nothing. Write its label, or remove the row.");
            return;
        };
        let hint = self.tongues.words(table, row, "hint", self.faults);
        let words = hint.into_iter().fold(words, Words::and);
        let place = table.place(row, "label");
        let part = table.cell(row, "phieu_part");
        match part {
            "intro" => self.intro.push(words),
            "closing" => self.closing.push(words),
            "section" if self.within && self.form.sections.last().is_some_and(|section| section.intro.is_none()) => {
                let text = self.said(words, TEXT_MAX, place);
                if let Some(section) = self.form.sections.last_mut() {
                    section.intro = Some(text);
                }
            }
            _ => {
                let only_if = self.conditions(&only_if);
                self.notes.push(Note { words, only_if, place });
            }
        }
    }

    /// The notes that no question follows in their section.
    fn loose_notes(&mut self) -> Vec<Words> {
        self.notes_if(|note| note.only_if.is_empty())
    }

    /// The notes above a question that is asked under these conditions.
    fn lead(&mut self, only_if: &[Condition]) -> Option<String> {
        let notes = self.notes_if(|note| note.only_if.iter().all(|condition| only_if.contains(condition)));
        self.paragraphs(notes)
    }

    fn notes_if(&mut self, shown: impl Fn(&Note) -> bool) -> Vec<Words> {
        let (kept, lost): (Vec<Note>, Vec<Note>) = std::mem::take(&mut self.notes).into_iter().partition(shown);
        for note in lost {
            self.lost_note(&note.place);
        }
        kept.into_iter().map(|note| note.words).collect()
    }

    /// One text of several notes, in every language.
    fn paragraphs(&mut self, notes: Vec<Words>) -> Option<String> {
        let words = notes.into_iter().reduce(Words::and)?;
        Some(self.said(words, TEXT_MAX, "notes".to_owned()))
    }

    fn lost_note(&mut self, place: &str) {
        let message = "This note has a condition that the question below it has not, so that it is not taken. Move it right above a question with the same condition.";
        self.faults.error(self.table.sheet, place, "note_condition", message);
    }

    /// A text in the main language; its translations are kept beside.
    fn said(&mut self, words: Words, most: usize, place: String) -> String {
        let sheet = self.table.sheet;
        if words.main.contains("${") {
            let message =
                "The text puts an earlier answer in, which this service does not do; […] stands there. Reword it.";
            self.faults.error(sheet, place.clone(), "text_inserts", message);
        }
        let words = words.without_answers();
        if words.main.contains("**") || words.main.contains("</") || words.main.contains("<br") {
            let message = "Marks of formatting are shown as they stand. Take them out.";
            self.faults.warn(sheet, place.clone(), "text_markup", message);
        }
        if words.main.chars().count() > most {
            let message = format!("Shorten the text to {most} characters; the check of the round refuses it.");
            self.faults.error(sheet, place.clone(), "text_too_long", message);
        }
        translate(&mut self.translations, words, sheet, place, self.faults)
    }

    fn relevant(&mut self, row: &Row) -> Vec<Condition> {
        let text = self.table.cell(row, "relevant");
        if text.is_empty() {
            return Vec::new();
        }
        let names = Names { earlier: &self.earlier, rows: &self.rows, here: row.number };
        let read = expression::parse(text).map_err(|why| why.to_string());
        match read.and_then(|read| condition::conditions(&read, &names)) {
            Ok(conditions) => conditions,
            Err(why) => {
                let message = format!(
                    "The condition is not taken: {why}. Without it the question is asked of everybody; write it as only_if on an earlier question's choices."
                );
                self.wrong(row, "relevant", "relevant_lost", message);
                Vec::new()
            }
        }
    }

    fn item(&mut self, row: &Row, kind: Kind) {
        let table = self.table;
        let name = table.cell(row, "name");
        if name.is_empty() {
            self.wrong(row, "name", "name_missing", "The question has no name and is not taken. Give it one.");
            return;
        }
        if self.rows.get(name).is_some_and(|first| *first < row.number) {
            let message =
                format!("The name {} stands twice; this row is not taken. Give it a name of its own.", short(name));
            self.wrong(row, "name", "name_double", message);
            return;
        }
        let mut help = self.tongues.words(table, row, "hint", self.faults);
        let Some(question) = self.tongues.words(table, row, "label", self.faults).or_else(|| help.take()) else {
            self.wrong(row, "label", "label_missing", "The question has no label and is not taken. Write one.");
            return;
        };
        let Some((kind, answer)) = self.kind(row, kind) else { return };
        let own = self.relevant(row);
        let only_if = self.conditions(&own);
        let lead = self.settle(row, &only_if);
        let code = self.codes.give(name, table.cell(row, "phieu_code"), table, row, "name", self.faults);
        self.number += 1;
        let item = Item {
            code: code.clone(),
            number: self.number,
            question: self.said(question, TEXT_MAX, table.place(row, "label")),
            lead,
            help: help.map(|help| self.said(help, TEXT_MAX, table.place(row, "hint"))),
            kind,
            required: self.required(row),
            only_if,
            field: None,
        };
        if let Some(section) = self.form.sections.last_mut() {
            section.items.push(item);
        }
        self.earlier.insert(name.to_owned(), Earlier { code, answer });
    }

    /// Finds the section of a question, and what is said above it.
    fn settle(&mut self, row: &Row, only_if: &[Condition]) -> Option<String> {
        if self.within {
            return self.lead(only_if);
        }
        if self.form.sections.is_empty() {
            let before = self.loose_notes();
            self.intro.extend(before);
        }
        let code = self.section_codes.unique(&format!("{}", self.form.sections.len() + 1));
        self.form.sections.push(Section { code, title: SECTION.to_owned(), intro: None, items: Vec::new() });
        self.within = true;
        let message = format!(
            "Questions outside of any group make a section of their own, headed \"{SECTION}\". Put them into a group with a label."
        );
        self.warn(row, "type", "group_none", message);
        self.lead(only_if)
    }

    fn required(&mut self, row: &Row) -> bool {
        let text = self.table.cell(row, "required");
        let truth = kinds::truth(text);
        if truth.is_none() {
            let message = "Required under a condition is not taken; the question may be left out. Write yes or no.";
            self.wrong(row, "required", "required_lost", message);
        }
        truth.unwrap_or(false)
    }

    fn kind(&mut self, row: &Row, kind: Kind) -> Option<(ItemKind, Answer)> {
        let table = self.table;
        if !table.cell(row, "calculation").is_empty() || kinds::truth(table.cell(row, "read_only")) == Some(true) {
            let message = "The answer is worked out or fixed, which this service does not do: people are asked it. Remove the row if that is not meant.";
            self.wrong(row, "calculation", "calculation_lost", message);
        }
        match kind {
            Kind::SelectOne(list, other) => self.select(row, &list, other, false),
            Kind::SelectMultiple(list, other) => self.select(row, &list, other, true),
            Kind::Integer => Some(self.number(row, 0)),
            Kind::Decimal => {
                let digits = table.cell(row, "phieu_decimals").parse().ok().filter(|digits| *digits <= DECIMALS_MAX);
                Some(self.number(row, digits.unwrap_or(DECIMALS)))
            }
            Kind::Text => {
                let letters = self.most(row, "string-length").unwrap_or(LETTERS);
                if !(1..=LETTERS_MAX).contains(&letters) {
                    let message = format!("A free text has 1 to {LETTERS_MAX} characters; {LETTERS} are taken.");
                    self.wrong(row, "constraint", "constraint_lost", message);
                    return Some((ItemKind::Text { letters: LETTERS }, Answer::Text));
                }
                Some((ItemKind::Text { letters }, Answer::Text))
            }
            _ => None,
        }
    }

    fn select(&mut self, row: &Row, list: &str, other: bool, many: bool) -> Option<(ItemKind, Answer)> {
        let lists = self.lists;
        let Some(found) = lists.get(list).filter(|found| !found.offers.is_empty()) else {
            let message =
                format!("The sheet choices has no list {}; the question is not taken. Add it there.", short(list));
            self.wrong(row, "type", "list_unknown", message);
            return None;
        };
        if other {
            let message =
                "or_other is not taken: add the option to the list, and a text question with a condition on it.";
            self.wrong(row, "type", "or_other_lost", message);
        }
        if !self.table.cell(row, "choice_filter").is_empty() {
            let message = "Choices that depend on an earlier answer are not taken: all of the list are offered. Make a list and a question for each case.";
            self.wrong(row, "choice_filter", "choice_filter_lost", message);
        }
        let at_most = self.most(row, if many { "count-selected" } else { "" });
        let fits = |most: &u32| *most >= 1 && usize::try_from(*most).is_ok_and(|most| most <= found.offers.len());
        if at_most.is_some_and(|most| !fits(&most)) {
            self.wrong(
                row,
                "constraint",
                "constraint_lost",
                "The list has fewer choices than that, so that the limit is not taken.",
            );
        }
        let options = found.offers.iter().map(|offer| (offer.name.clone(), offer.code.clone())).collect();
        let (scale, choices) = (found.code.clone(), found.choices.clone());
        Some(match (many, found.scale) {
            (true, _) => (ItemKind::Multiple { choices, at_most: at_most.filter(fits) }, Answer::Many(options)),
            (false, true) => (ItemKind::Scale { scale }, Answer::One(options)),
            (false, false) => (ItemKind::Single { choices }, Answer::One(options)),
        })
    }

    fn number(&mut self, row: &Row, decimals: u32) -> (ItemKind, Answer) {
        let text = self.table.cell(row, "constraint");
        let read = expression::parse(text).map_err(|why| why.to_string());
        let (min, max) = match read.and_then(|read| condition::bounds(&read, decimals)) {
            Ok((Some(min), Some(max))) if min > max => {
                self.wrong(
                    row,
                    "constraint",
                    "constraint_lost",
                    "No number is within these bounds; they are not taken.",
                );
                (None, None)
            }
            Ok(bounds) => bounds,
            Err(_why) if text.is_empty() => (None, None),
            Err(why) => {
                let message = format!("The constraint is not taken: {why}. Write bounds such as . >= 0 and . <= 120.");
                self.wrong(row, "constraint", "constraint_lost", message);
                (None, None)
            }
        };
        let tenths = |bound: &Option<ratio::Ratio>| bound.as_ref().map(ratio::to_exact);
        debug_assert!(tenths(&min).is_none_or(|text| !text.contains('/')), "bounds are decimals");
        (ItemKind::Number { min, max, decimals }, Answer::Number { decimals })
    }

    /// A limit of length or number, where there is one.
    fn most(&mut self, row: &Row, function: &str) -> Option<u32> {
        let text = self.table.cell(row, "constraint");
        if text.is_empty() {
            return None;
        }
        let read = expression::parse(text).map_err(|why| why.to_string());
        let found = match function {
            "" => Err("a single choice needs none".to_owned()),
            _ => read.and_then(|read| condition::most(&read, function)),
        };
        match found {
            Ok(most) => Some(most),
            Err(why) => {
                self.wrong(
                    row,
                    "constraint",
                    "constraint_lost",
                    format!("The constraint is not taken: {why}. Say it in the hint."),
                );
                None
            }
        }
    }
}

/// Keeps the translations of a text; returns the text.
pub(super) fn translate(
    all: &mut Translations,
    words: Words,
    sheet: &str,
    place: String,
    faults: &mut Faults,
) -> String {
    for (language, text) in words.others {
        let known = all.entry(language).or_default().entry(words.main.clone()).or_insert_with(|| text.clone());
        if *known != text {
            let message = "The same text is translated in two ways; the first is taken for both. Make the texts differ if that matters.";
            faults.warn(sheet, place.clone(), "translation_double", message);
        }
    }
    words.main
}
