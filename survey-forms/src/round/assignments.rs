//! Who rates whom: every kind of ballot paper that a round has.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Group, Quota, Rates, Round, Sources, Target, Unit};
use crate::answers::Stratum;

/// One kind of ballot paper: who, rating what, and how many the plan fixes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Assignment {
    /// The group.
    pub respondent_code: String,
    /// The unit of its people; `None` when the group has no unit.
    pub source_unit: Option<String>,
    /// What a ballot rates, in the order of the targets' table.
    pub targets: Vec<String>,
    /// How many ballots the plan fixes; `None`: the roster decides.
    pub ballots: Option<u32>,
}

impl Assignment {
    /// The part of this that travels in a ballot: group and targets, never the unit.
    #[must_use]
    pub fn stratum(&self) -> Stratum {
        Stratum { respondent_code: self.respondent_code.clone(), targets: self.targets.clone() }
    }
}

/// What routing looks up, made once.
struct Routing<'r> {
    units: BTreeMap<&'r str, &'r Unit>,
    /// Targets that exist on the first day.
    in_force: BTreeSet<&'r str>,
    /// Targets of a division, in the order of the targets' table.
    divisions: BTreeMap<&'r str, Vec<String>>,
}

impl<'r> Routing<'r> {
    fn of(round: &'r Round) -> Self {
        let mut supervisors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in &round.mappings {
            supervisors.entry(&row.division).or_default().insert(&row.target);
        }
        let divisions = supervisors
            .into_iter()
            .map(|(division, codes)| (division, round.pick(|t| codes.contains(t.code.as_str()))))
            .collect();
        let units = round.units.iter().map(|unit| (unit.code.as_str(), unit)).collect();
        let day = round.first_day();
        let in_force = round.targets.iter().filter(|t| t.in_force(day)).map(|t| t.code.as_str()).collect();
        Routing { units, in_force, divisions }
    }
}

fn within(from: Option<NaiveDate>, to: Option<NaiveDate>, day: NaiveDate) -> bool {
    from.is_none_or(|from| from <= day) && to.is_none_or(|to| day < to)
}

impl Unit {
    /// Whether the unit exists on a day.
    #[must_use]
    pub fn in_force(&self, day: NaiveDate) -> bool {
        within(self.valid_from, self.valid_to, day)
    }
}

impl Target {
    /// Whether the rated body exists on a day.
    #[must_use]
    pub fn in_force(&self, day: NaiveDate) -> bool {
        within(self.valid_from, self.valid_to, day)
    }
}

impl Round {
    /// The day on which the round opens: units and targets that do not exist then have no part in it.
    #[must_use]
    pub fn first_day(&self) -> NaiveDate {
        self.dates.opens.date_naive()
    }

    /// All kinds of ballot paper: all groups, all units, in file order. A unit whose routing leads
    /// to no target has none.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment> {
        let routing = Routing::of(self);
        self.groups.iter().flat_map(|group| self.assignments_of(group, &routing)).collect()
    }

    fn assignments_of(&self, group: &Group, routing: &Routing) -> Vec<Assignment> {
        let assignment = |unit: Option<&Unit>, targets: Vec<String>, ballots| Assignment {
            respondent_code: group.code.clone(),
            source_unit: unit.map(|unit| unit.code.clone()),
            targets,
            ballots,
        };
        let sources: Vec<Option<&Unit>> = match &group.sources {
            Sources::None => vec![None],
            Sources::Kinds(kinds) => {
                let asked = |unit: &&Unit| kinds.contains(&unit.kind) && unit.in_force(self.first_day());
                self.units.iter().filter(asked).map(Some).collect()
            }
        };
        let mut all = Vec::new();
        for unit in sources {
            if let Rates::OnePerBallot(kinds) = &group.rates {
                let rated = |target: &&Target| kinds.contains(&target.kind) && target.in_force(self.first_day());
                for target in self.targets.iter().filter(rated) {
                    let ballots = match &group.quota {
                        Quota::PerTarget { per, of } if *of == target.kind => Some(*per),
                        Quota::PerTarget { .. } => continue,
                        other => fixed(other, unit),
                    };
                    all.push(assignment(unit, vec![target.code.clone()], ballots));
                }
                continue;
            }
            let targets = self.routed(&group.rates, unit, routing);
            if !targets.is_empty() {
                all.push(assignment(unit, targets, fixed(&group.quota, unit)));
            }
        }
        all
    }

    /// What people of a unit rate together on one ballot.
    fn routed(&self, rates: &Rates, unit: Option<&Unit>, routing: &Routing) -> Vec<String> {
        let known = |code: &Option<String>| match code {
            Some(code) if routing.in_force.contains(code.as_str()) => vec![code.clone()],
            _ => Vec::new(),
        };
        match rates {
            Rates::OwnUnit => unit.map(|unit| known(&unit.target)).unwrap_or_default(),
            Rates::Parent => unit
                .and_then(|unit| unit.parent.as_deref())
                .and_then(|parent| routing.units.get(parent))
                .map(|parent| known(&parent.target))
                .unwrap_or_default(),
            Rates::Mapped => unit
                .and_then(|unit| unit.division.as_deref())
                .and_then(|division| routing.divisions.get(division))
                .cloned()
                .unwrap_or_default(),
            Rates::Kinds(kinds) | Rates::OnePerBallot(kinds) => self.pick(|target| kinds.contains(&target.kind)),
            Rates::Targets(targets) => self.pick(|target| targets.contains(&target.code)),
        }
    }

    fn pick(&self, wanted: impl Fn(&Target) -> bool) -> Vec<String> {
        let day = self.first_day();
        self.targets.iter().filter(|t| t.in_force(day) && wanted(t)).map(|t| t.code.clone()).collect()
    }
}

fn fixed(quota: &Quota, unit: Option<&Unit>) -> Option<u32> {
    match quota {
        Quota::Roster => None,
        Quota::Fixed(count) => Some(*count),
        Quota::PerTarget { per, .. } => Some(*per),
        Quota::PerSourceUnit { per, of } => Some(if unit.is_some_and(|unit| unit.kind == *of) { *per } else { 0 }),
    }
}
