//! Which ballots there can be, and what an answer's text says.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::Round;
use survey_forms::answers::{Answer, Form, Mark, Stratum};
use survey_forms::questionnaire::{Item, ItemKind};

/// Every kind of ballot of a round.
pub(super) struct Sheets<'r> {
    round: &'r Round,
    known: BTreeMap<String, BTreeSet<Vec<String>>>,
}

impl<'r> Sheets<'r> {
    pub(super) fn of(round: &'r Round) -> Self {
        let mut known: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
        for assignment in round.assignments() {
            known.entry(assignment.respondent_code).or_default().insert(assignment.targets);
        }
        Self { round, known }
    }

    /// The kind of ballot of a group about these targets, if there is one.
    pub(super) fn find(&self, group: &str, targets: Vec<String>) -> Option<Stratum> {
        let known = self.known.get(group)?.contains(&targets);
        known.then(|| Stratum { respondent_code: group.to_owned(), targets })
    }

    /// What a cell says about an item of a ballot; `None` where it is no answer there.
    pub(super) fn answer(&self, stratum: &Stratum, item: &Item, cell: &str) -> Option<Answer> {
        let form = self.round.form(&stratum.respondent_code, &stratum.targets)?;
        read(&form, item, cell)
    }
}

pub(super) fn read(form: &Form<'_>, item: &Item, cell: &str) -> Option<Answer> {
    let given = match (cell.strip_prefix('#'), &item.kind) {
        (Some(mark), _) => Answer::Mark(Mark::parse(mark)?),
        (None, ItemKind::Scale { .. } | ItemKind::Single { .. }) => Answer::Choice(bare(cell).to_owned()),
        (None, ItemKind::Multiple { .. }) => {
            Answer::Choices(cell.split(' ').map(|option| bare(option).to_owned()).collect())
        }
        (None, ItemKind::Number { .. }) => Answer::Number(cell.to_owned()),
        (None, ItemKind::Text { .. }) => return None,
    };
    form.answer(item, given).ok()
}

/// Without the quote that keeps spreadsheets from taking a code for a formula.
pub(in crate::score::data) fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}
