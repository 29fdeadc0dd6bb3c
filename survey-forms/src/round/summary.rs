//! A round in figures, as `round check` prints it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Channel, Round};

/// A round in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Respondent groups.
    pub groups: usize,
    /// Groups that answer on the web.
    pub online_groups: usize,
    /// Groups that answer on paper.
    pub paper_groups: usize,
    /// Rated bodies.
    pub targets: usize,
    /// Rated bodies by kind.
    pub targets_by_kind: BTreeMap<String, usize>,
    /// Units.
    pub units: usize,
    /// Units by kind.
    pub units_by_kind: BTreeMap<String, usize>,
    /// Questionnaires.
    pub questionnaires: usize,
    /// Items over all questionnaires.
    pub items: usize,
    /// Different item codes, each with a criterion.
    pub criteria: usize,
    /// Paper ballots that the quotas fix; those left to a roster are not counted.
    pub paper_ballots: u64,
    /// Kinds of ballot paper: group, unit and targets.
    pub assignments: usize,
}

impl Round {
    /// The round in figures.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let assignments = self.assignments();
        let on = |channel| self.groups.iter().filter(move |g| g.channel == channel);
        let paper_ballots = assignments
            .iter()
            .filter(|a| on(Channel::Paper).any(|group| group.code == a.respondent_code))
            .filter_map(|a| a.ballots)
            .map(u64::from)
            .sum();
        Summary {
            groups: self.groups.len(),
            online_groups: on(Channel::Online).count(),
            paper_groups: on(Channel::Paper).count(),
            targets: self.targets.len(),
            targets_by_kind: count(self.targets.iter().map(|target| &target.kind)),
            units: self.units.len(),
            units_by_kind: count(self.units.iter().map(|unit| &unit.kind)),
            questionnaires: self.questionnaires.len(),
            items: self.questionnaires.iter().map(|form| form.items().count()).sum(),
            criteria: self.criteria.len(),
            paper_ballots,
            assignments: assignments.len(),
        }
    }
}

fn count<'a>(kinds: impl Iterator<Item = &'a String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind.clone()).or_insert(0) += 1;
    }
    counts
}
