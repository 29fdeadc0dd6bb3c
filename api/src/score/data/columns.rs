//! The wide table: a row a ballot and target, a column an item. All formats but the lines of JSON are this table.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::Round;
use survey_forms::answers::{Answer, Ballot};
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::ratio::{self, Ratio};
use survey_forms::scoring::{Counted, Tally, VoidReason};

/// Columns before the answers.
pub const KEYS: [&str; 6] = ["ballot_id", "respondent_code", "targets", "target", "group_weight", "void"];

/// The columns of a round's answers: every item that some group is asked, once, in the order of the forms. Free text has
/// none, as it left its ballot.
pub struct Columns<'r> {
    pub(super) round: &'r Round,
    pub(super) items: Vec<Column<'r>>,
    places: BTreeMap<&'r str, usize>,
    /// By group: its weight.
    weights: BTreeMap<&'r str, String>,
    /// Tells which ballots do not count.
    tally: Tally,
}

/// One item.
pub(super) struct Column<'r> {
    /// Its code, which is the name of the column.
    pub(super) code: &'r str,
    /// Of all groups that are asked it, what an answer is.
    pub(super) kind: Kind,
    /// Every option of any of these groups, once.
    pub(super) options: Vec<Choice<'r>>,
    /// The groups that are asked, each with its words.
    pub(super) asked: Vec<(&'r str, &'r Item)>,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One option; scored.
    Scale,
    /// One option; not scored.
    Single,
    /// Options with blanks between them.
    Multiple,
    /// A decimal number, with so many digits behind the point.
    Number(u32),
    /// One thing for one group, another for another.
    Mixed,
}

/// An option that may stand in a column.
pub(super) struct Choice<'r> {
    pub(super) code: &'r str,
    pub(super) labels: BTreeSet<&'r str>,
    /// What it is worth in a score, if anything; the first group's.
    pub(super) percent: Option<&'r Ratio>,
    /// Whether it counts for nothing, as "no information".
    pub(super) excluded: bool,
}

impl Choice<'_> {
    /// What people see.
    pub(super) fn label(&self) -> String {
        self.labels.iter().copied().collect::<Vec<_>>().join(" / ")
    }
}

impl<'r> Columns<'r> {
    /// Of a round.
    #[must_use]
    pub fn of(round: &'r Round) -> Self {
        let mut items: Vec<Column<'r>> = Vec::new();
        let mut places = BTreeMap::new();
        for form in &round.questionnaires {
            for item in form.items().filter(|item| !matches!(item.kind, ItemKind::Text { .. })) {
                let place = *places.entry(item.code.as_str()).or_insert(items.len());
                if place == items.len() {
                    items.push(Column {
                        code: &item.code,
                        kind: Kind::of(item),
                        options: Vec::new(),
                        asked: Vec::new(),
                    });
                }
                if let Some(column) = items.get_mut(place) {
                    column.add(round, &form.respondent_code, item);
                }
            }
        }
        let weight = |group: &'r survey_forms::round::Group| (group.code.as_str(), ratio::to_exact(&group.weight));
        let weights = round.groups.iter().map(weight).collect();
        Self { round, items, places, weights, tally: Tally::new(round) }
    }

    /// Names of all columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        KEYS.into_iter().chain(self.items.iter().map(|column| column.code))
    }

    /// Gives the rows of a ballot to `work`, target after target.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn rows<E>(
        &mut self,
        id: &[u8],
        ballot: &Ballot,
        mut work: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let void = match self.tally.add(ballot) {
            Counted::Valid => "",
            Counted::Void(reason) => VoidReason::as_str(reason),
        };
        let id = data_encoding::HEXLOWER.encode(id);
        let group = ballot.stratum.respondent_code.as_str();
        let targets = ballot.stratum.targets.join("+");
        for target in &ballot.stratum.targets {
            let mut answers = vec![None; self.items.len()];
            for (of, item, answer) in ballot.answers.iter() {
                let cell = self.places.get(item).and_then(|place| answers.get_mut(*place));
                if let Some(cell) = cell.filter(|_| of == target) {
                    *cell = Some(answer);
                }
            }
            let weight = self.weights.get(group).map_or("", String::as_str);
            work(&Row { id: &id, group, targets: &targets, target, weight, void, answers })?;
        }
        Ok(())
    }
}

impl<'r> Column<'r> {
    fn add(&mut self, round: &'r Round, group: &'r str, item: &'r Item) {
        let own = Kind::of(item);
        self.kind = match (self.kind, own) {
            (one, other) if one == other => one,
            (Kind::Number(one), Kind::Number(other)) => Kind::Number(one.max(other)),
            _ => Kind::Mixed,
        };
        let scale = item.scale().and_then(|scale| round.scale(scale));
        for offered in item.options(&round.scales, &round.choices) {
            let percent = scale.and_then(|scale| scale.option(offered.code)).and_then(|option| option.percent.as_ref());
            let excluded = scale.is_some() && percent.is_none();
            match self.options.iter_mut().find(|known| known.code == offered.code) {
                Some(known) => {
                    known.labels.insert(offered.label);
                    known.excluded &= excluded;
                }
                None => self.options.push(Choice {
                    code: offered.code,
                    labels: BTreeSet::from([offered.label]),
                    percent,
                    excluded,
                }),
            }
        }
        self.asked.push((group, item));
    }

    /// What it is about: the criterion, or the first group's question.
    pub(super) fn label(&self, round: &'r Round) -> &'r str {
        let criterion = round.criterion(self.code).map(|criterion| criterion.name.as_str());
        criterion.or_else(|| self.asked.first().map(|(_, item)| item.question.as_str())).unwrap_or_default()
    }

    /// Whether some group has it on paper.
    pub(super) fn is_on_paper(&self, round: &Round) -> bool {
        let paper = |group: &str| round.group(group).is_some_and(|g| g.channel == survey_forms::round::Channel::Paper);
        self.asked.iter().any(|(group, _)| paper(group))
    }
}

impl Kind {
    fn of(item: &Item) -> Self {
        match item.kind {
            ItemKind::Scale { .. } => Self::Scale,
            ItemKind::Single { .. } => Self::Single,
            ItemKind::Multiple { .. } => Self::Multiple,
            ItemKind::Number { decimals, .. } => Self::Number(decimals),
            ItemKind::Text { .. } => Self::Mixed,
        }
    }
}

/// What one ballot says about one target.
pub struct Row<'b> {
    /// The ballot's random id, lower-case hex.
    pub id: &'b str,
    /// Its group.
    pub group: &'b str,
    /// All that it rates, joined by `+`.
    pub targets: &'b str,
    /// The one of them that this row is about.
    pub target: &'b str,
    /// The group's declared weight.
    pub weight: &'b str,
    /// Why the ballot does not count; empty when it does.
    pub void: &'b str,
    /// By column.
    pub answers: Vec<Option<&'b Answer>>,
}

impl Row<'_> {
    /// The columns before the answers.
    #[must_use]
    pub fn keys(&self) -> [&str; 6] {
        [self.id, self.group, self.targets, self.target, self.weight, self.void]
    }
}

/// An answer as files have it: the code of an option, codes with blanks between them, a number with a point, or
/// `#blank`, `#several`, `#illegible`. Free text is no part of an opened ballot.
pub(super) fn text(answer: &Answer) -> String {
    match answer {
        Answer::Choice(option) => option.clone(),
        Answer::Choices(options) => options.join(" "),
        Answer::Number(number) => number.clone(),
        Answer::Text(_) => String::new(),
        Answer::Mark(mark) => format!("#{}", mark.as_str()),
    }
}
