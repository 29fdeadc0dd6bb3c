//! Reading a folder into a round, with every fault at once.

use sha2::{Digest, Sha256};

use super::settings::Settings;
use super::tables::{self, Lined};
use super::{Checked, Fault, Round, RoundFiles, files, meaning, questionnaire_file, settings};
use crate::canonical;
use crate::fault::Faults;
use crate::questionnaire::{Criterion, Questionnaire, hex};

/// Where the parts of a round stand in their files.
pub(super) struct Places {
    pub(super) targets: Vec<usize>,
    pub(super) units: Vec<usize>,
    pub(super) mappings: Vec<usize>,
    pub(super) criteria: Vec<usize>,
    pub(super) scales: Vec<usize>,
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
    let targets = tables::targets(files, faults);
    let units = tables::units(files, faults);
    let mappings = tables::mappings(files, faults);
    let scales = tables::scales(files, faults);
    let criteria = tables::criteria(files, faults);
    let (criteria_lines, criteria): (Vec<usize>, Vec<Criterion>) = split(criteria.unwrap_or_default());
    let mut found = questionnaire_file::read(files, &criteria, faults);

    let settings: Settings = settings?;
    let (target_lines, targets) = split(targets?);
    let (unit_lines, units) = split(units?);
    let (mapping_lines, mappings) = split(mappings?);
    let (scale_lines, scales) = split(scales?);
    if criteria.is_empty() {
        return None;
    }
    let order = |form: &Questionnaire| settings.groups.iter().position(|group| group.code == form.respondent_code);
    found.forms.sort_by_key(|(_, form)| order(form).unwrap_or(usize::MAX));
    let (paths, questionnaires) = found.forms.into_iter().unzip();
    let places = Places {
        targets: target_lines,
        units: unit_lines,
        mappings: mapping_lines,
        criteria: criteria_lines,
        scales: scale_lines,
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
        criteria,
        questionnaires,
        scoring: settings.scoring,
        disclosure: settings.disclosure,
        declared_paper_total: settings.declared_paper_total,
        hash: String::new(),
    };
    meaning::check(&round, &places, faults);
    let scales = &round.scales;
    round.questionnaires = round.questionnaires.into_iter().map(|form| form.sealed(scales)).collect();
    // Text, numbers and lists only: this cannot fail to become JSON.
    let rules = serde_json::to_value(&round).unwrap_or_default();
    round.hash = hex(&Sha256::digest(canonical::to_vec(&rules)));
    Some(round)
}

fn split<T>(rows: Vec<Lined<T>>) -> (Vec<usize>, Vec<T>) {
    rows.into_iter().map(|row| (row.line, row.value)).unzip()
}
