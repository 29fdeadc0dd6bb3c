//! Reading a folder into a round, with every fault at once.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::settings::Settings;
use super::tables::{self, Table};
use super::{Checked, Fault, Round, RoundFiles, files, languages, meaning, questionnaire_file, settings};
use crate::canonical;
use crate::fault::Faults;
use crate::questionnaire::{Criterion, Questionnaire, hex};

/// Where a table stands: its file, and the line of each of its entries.
pub(super) struct TablePlace {
    pub(super) file: String,
    pub(super) lines: Vec<usize>,
}

impl TablePlace {
    /// Every entry with its line.
    pub(super) fn each<'a, T>(&'a self, entries: &'a [T]) -> impl Iterator<Item = (&'a T, usize)> {
        entries.iter().zip(self.lines.iter().copied())
    }
}

/// Where the parts of a round stand in their files.
pub(super) struct Places {
    pub(super) targets: TablePlace,
    pub(super) units: TablePlace,
    pub(super) mappings: TablePlace,
    pub(super) criteria: TablePlace,
    pub(super) scales: TablePlace,
    pub(super) choices: TablePlace,
    /// Files of the questionnaires, in their order in the round.
    pub(super) questionnaires: Vec<String>,
    /// Whether every questionnaire could be read.
    pub(super) all_questionnaires: bool,
}

impl Round {
    /// Reads a folder.
    ///
    /// # Errors
    /// Every fault, warnings too, when at least one of them is an error.
    pub fn from_files(files: &RoundFiles) -> Result<Round, Vec<Fault>> {
        let checked = Round::check(files);
        checked.round.ok_or(checked.faults)
    }

    /// Reads a folder and names every fault in it. What refers from file to file is checked when
    /// every table could be read.
    #[must_use]
    pub fn check(files: &RoundFiles) -> Checked {
        let mut faults = Faults::default();
        let round = read(files, &mut faults);
        let round = if faults.has_errors() { None } else { round };
        Checked { round, faults: faults.into_vec() }
    }
}

fn read(files: &RoundFiles, faults: &mut Faults) -> Option<Round> {
    if !files::check_folder(files, faults) {
        return None;
    }
    let settings = settings::read(files, faults);
    let languages = settings.as_ref().map(|settings| settings.languages.as_slice()).unwrap_or_default();
    let targets = tables::targets(files, faults);
    let units = tables::units(files, faults);
    let mappings = tables::mappings(files, faults);
    let scales = tables::scales(files, faults);
    let choices = tables::choices(files, faults);
    let criteria = tables::criteria(files, faults);
    let translations = tables::translations(files, languages, faults);
    let no_criteria = || Table { file: String::new(), rows: Vec::new() };
    let (criteria_at, criteria): (TablePlace, Vec<Criterion>) = split(criteria.unwrap_or_else(no_criteria));
    let mut found = questionnaire_file::read(files, &criteria, faults);

    let settings: Settings = settings?;
    let (targets_at, targets) = split(targets?);
    let (units_at, units) = split(units?);
    let (mappings_at, mappings) = split(mappings?);
    let (scales_at, scales) = split(scales?);
    let (choices_at, choices) = split(choices?);
    let (translations_at, translated) = split(translations?);
    if criteria.is_empty() {
        return None;
    }
    let order = |form: &Questionnaire| settings.groups.iter().position(|group| group.code == form.respondent_code);
    found.forms.sort_by_key(|(_, form)| order(form).unwrap_or(usize::MAX));
    let (paths, questionnaires) = found.forms.into_iter().unzip();
    let places = Places {
        targets: targets_at,
        units: units_at,
        mappings: mappings_at,
        criteria: criteria_at,
        scales: scales_at,
        choices: choices_at,
        questionnaires: paths,
        all_questionnaires: found.complete,
    };
    let mut round = Round {
        id: settings.id,
        title: settings.title,
        organiser: settings.organiser,
        legal_basis: settings.legal_basis,
        sample: settings.sample,
        dates: settings.dates,
        target_kinds: settings.target_kinds,
        unit_kinds: settings.unit_kinds,
        fields: settings.fields,
        targets,
        units,
        mappings,
        groups: settings.groups,
        scales,
        choices,
        criteria,
        questionnaires,
        scoring: settings.scoring,
        disclosure: settings.disclosure,
        declared_paper_total: settings.declared_paper_total,
        languages: settings.languages,
        translations: BTreeMap::new(),
        texts: settings.texts,
        letters: settings.letters,
        hash: String::new(),
    };
    meaning::check(&round, &places, faults);
    round.translations = languages::check(&round, &translations_at, &translated, &places, faults);
    let (scales, choices) = (&round.scales, &round.choices);
    round.questionnaires = round.questionnaires.into_iter().map(|form| form.sealed(scales, choices)).collect();
    // Text, numbers and lists only: this cannot fail to become JSON.
    let rules = serde_json::to_value(&round).unwrap_or_default();
    round.hash = hex(&Sha256::digest(canonical::to_vec(&rules)));
    Some(round)
}

fn split<T>(table: Table<T>) -> (TablePlace, Vec<T>) {
    let (lines, values) = table.rows.into_iter().map(|row| (row.line, row.value)).unzip();
    (TablePlace { file: table.file, lines }, values)
}
