//! The published scores: rounded once, small cells hidden, the same bytes for the same box.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use super::certainty::{self, Total};
use super::correction::Correction;
use super::interval;
use super::sheet::{CellScore, ItemScore, ScoreSheet, TargetScore};
use super::tables::{Tables, items_by_field};
use super::tally::VoidReason;
use crate::canonical;
use crate::disclosure::{self, Suppression, Table};
use crate::ratio::{self, Ratio};
use crate::round::{DisclosureRules, Round};

/// The score document of a round. Scores are decimal text, exact to their last digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreDocument {
    /// The round's id.
    pub round: String,
    /// From 1: a correction is a new release, and the old ones stay.
    #[serde(default = "first_release")]
    pub release: u32,
    /// Why there is a release after the first, and what it leaves out; null for the first.
    #[serde(default)]
    pub correction: Option<Correction>,
    /// When it was published.
    pub published_at: DateTime<FixedOffset>,
    /// Hash of the rules as declared before the round opened.
    pub rules_hash: String,
    /// Root of the ballots' log.
    pub log_root: String,
    /// By target, in the order of the round.
    pub targets: Vec<DocumentTarget>,
    /// Ballots by group, valid and void.
    pub ballots: Vec<Ballots>,
}

/// Published scores of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentTarget {
    /// Its code.
    pub target: String,
    /// Its kind.
    pub kind: String,
    /// What people see.
    pub name: String,
    /// Sum of the items' points; null when no item was validly answered.
    pub survey_points: Option<String>,
    /// Sum of the maxima of the items that were validly answered.
    pub max_points: String,
    /// Points by maximum, 0 to 100.
    pub percent: Option<String>,
    /// Within the kind, from 1, among the targets whose total is shown; ties share.
    pub rank: Option<u32>,
    /// Why the total is hidden; null when shown.
    pub suppressed: Option<Suppression>,
    /// 95 % interval of the percent; null where too little is shown to estimate it.
    pub interval: Option<Interval>,
    /// The ranks that chance leaves possible; null without a rank.
    pub rank_range: Option<RankRange>,
    /// Whether it differs from the next lower total by more than chance (95 %); null for the last and where unknown.
    pub differs_from_next: Option<bool>,
    /// How many times more ballots are needed than if all weighed alike (Kish).
    pub design_effect: Option<String>,
    /// By field.
    pub fields: Vec<DocumentField>,
    /// By item.
    pub items: Vec<DocumentItem>,
}

/// From the best to the worst rank that chance leaves possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankRange {
    /// One more than the totals that are surely better.
    pub best: u32,
    /// All ranked ones, less those that are surely worse.
    pub worst: u32,
}

/// Published score of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentField {
    /// Its code.
    pub field: String,
    /// What people see.
    pub name: String,
    /// Sum of its items' points, hidden ones too.
    pub points: Option<String>,
    /// Sum of the maxima of its items that were validly answered.
    pub max_points: String,
    /// Points by maximum, 0 to 100.
    pub percent: Option<String>,
    /// Why it is hidden; null when shown.
    pub suppressed: Option<Suppression>,
}

/// Published score of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentItem {
    /// The item.
    pub item_code: String,
    /// Code of its field.
    pub field: String,
    /// Number of the official criterion, when known.
    pub index_ref: Option<String>,
    /// Pooled points; null when hidden, and when nobody validly answered: the item then counts nowhere.
    pub points: Option<String>,
    /// Points at 100 %.
    pub max_points: String,
    /// Pooled score, 0 to 100.
    pub percent: Option<String>,
    /// Valid answers of all groups.
    pub n: u64,
    /// Ballots that were asked this; null where some are asked only after certain answers. Less n: item non-response, and
    /// options that do not count.
    pub asked: Option<u64>,
    /// Why it is hidden; null when shown.
    pub suppressed: Option<Suppression>,
    /// By group.
    pub groups: Vec<DocumentCell>,
}

/// A group's cell. Hidden ones keep their counts of ballots and lose everything about opinions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentCell {
    /// The group.
    pub respondent_code: String,
    /// Codes given out.
    pub issued: u64,
    /// Ballots that came back.
    pub returned: u64,
    /// Valid answers.
    pub n: u64,
    /// Mean over valid answers, 0 to 100; null when hidden.
    pub mean: Option<String>,
    /// Why it is hidden; null when shown.
    pub suppressed: Option<Suppression>,
    /// 95 % interval with finite-population correction; from the declared n of distributions on.
    pub interval: Option<Interval>,
    /// Answers by option and mark; from the declared n on.
    pub distribution: Option<Vec<OptionCount>>,
}

/// A 95 % interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub low: String,
    /// Upper bound.
    pub high: String,
}

/// How many gave an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionCount {
    /// Code of an option; null for a mark.
    pub option: Option<String>,
    /// `blank`, `several`, `illegible` or `absent`; null for an option.
    pub mark: Option<String>,
    /// How many.
    pub count: u64,
}

/// Ballots of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballots {
    /// The group; null for ballots that name none of the round.
    pub respondent_code: Option<String>,
    /// Ballots that count.
    pub valid: u64,
    /// Of these, ballots with the same option everywhere (three answers or more). Null for fewer ballots than
    /// distributions need, and when they are more than half: then each cell would tell of the others.
    pub uniform: Option<u64>,
    /// Ballots that do not, by reason.
    pub void: Vec<VoidCount>,
}

/// Void ballots with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidCount {
    /// Why.
    pub reason: VoidReason,
    /// How many.
    pub count: u64,
}

/// Of documents that were written before there were corrections.
const fn first_release() -> u32 {
    1
}

impl ScoreDocument {
    /// Canonical JSON (RFC 8785): what is signed and hashed.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        // Text, numbers and lists only: this cannot fail to become JSON.
        canonical::to_vec(&serde_json::to_value(self).unwrap_or_default())
    }
}

impl ScoreSheet {
    /// The document of a round's first release: the one rounding, and the round's disclosure rules.
    #[must_use]
    pub fn document(&self, round: &Round, published_at: DateTime<FixedOffset>, log_root: &str) -> ScoreDocument {
        self.document_after(round, published_at, log_root, &[])
    }

    /// The document of a later release, which must not give away more together with the `earlier` ones, the oldest
    /// first, than each does by itself. Whoever makes it says why ([`ScoreDocument::correction`]) and asks
    /// [`super::reveals`].
    #[must_use]
    pub fn document_after(
        &self,
        round: &Round,
        published_at: DateTime<FixedOffset>,
        log_root: &str,
        earlier: &[ScoreDocument],
    ) -> ScoreDocument {
        self.document_by(round, published_at, log_root, earlier, disclosure::suppress)
    }

    /// By other rules of suppression, for the test that the attacker of the tests can win.
    pub(crate) fn document_by(
        &self,
        round: &Round,
        published_at: DateTime<FixedOffset>,
        log_root: &str,
        earlier: &[ScoreDocument],
        suppress: impl Fn(&DisclosureRules, u32, &mut Table),
    ) -> ScoreDocument {
        let void = |counts: &BTreeMap<VoidReason, u64>| -> Vec<VoidCount> {
            counts.iter().map(|(reason, count)| VoidCount { reason: *reason, count: *count }).collect()
        };
        let mut ballots: Vec<Ballots> = self
            .ballots
            .iter()
            .map(|group| Ballots {
                respondent_code: Some(group.respondent_code.clone()),
                valid: group.valid,
                uniform: Some(group.uniform)
                    .filter(|uniform| disclosure::shows_uniform(&round.disclosure, *uniform, group.valid)),
                void: void(&group.void),
            })
            .collect();
        if !self.stray.is_empty() {
            ballots.push(Ballots { respondent_code: None, valid: 0, uniform: None, void: void(&self.stray) });
        }
        let tables = Tables::new(round, earlier);
        let mut variances = Vec::with_capacity(self.targets.len());
        let mut targets: Vec<DocumentTarget> = self
            .targets
            .iter()
            .map(|target| {
                let mut table = tables.of(target);
                suppress(&round.disclosure, round.scoring.decimals, &mut table);
                let variance = certainty::variance(&round.disclosure, target, &table);
                variances.push(variance);
                document_target(round, target, &table, variance)
            })
            .collect();
        rank(round, &self.targets, &variances, &mut targets);
        ScoreDocument {
            round: round.id.clone(),
            release: u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1),
            correction: None,
            published_at,
            rules_hash: round.hash.clone(),
            log_root: log_root.to_owned(),
            targets,
            ballots,
        }
    }
}

/// Ranks among the totals that are shown: with a hidden one counted, the others' ranks would tell its place.
fn rank(round: &Round, scores: &[TargetScore], variances: &[Option<f64>], targets: &mut [DocumentTarget]) {
    for kind in &round.target_kinds {
        let of_kind = || scores.iter().zip(variances).zip(&*targets).filter(|((score, _), _)| score.kind == kind.code);
        let shown = |((score, variance), target): ((&TargetScore, &Option<f64>), &DocumentTarget)| {
            let percent = score.percent.clone().filter(|_| target.suppressed.is_none())?;
            Some(Total { percent, variance: *variance })
        };
        let totals: Vec<Option<Total>> = of_kind().map(shown).collect();
        let percents: Vec<Option<Ratio>> =
            totals.iter().map(|total| total.as_ref().map(|total| total.percent.clone())).collect();
        let ranked: Vec<Total> = totals.iter().flatten().cloned().collect();
        let of_kind = targets.iter_mut().filter(|target| target.kind == kind.code);
        for ((target, rank), total) in of_kind.zip(super::ranks(&percents)).zip(&totals) {
            target.rank = rank;
            let Some(total) = total else { continue };
            let ((best, worst), differs) = certainty::place(total, &ranked);
            target.rank_range = Some(RankRange { best, worst });
            target.differs_from_next = differs;
        }
    }
}

fn document_target(round: &Round, target: &TargetScore, table: &Table, variance: Option<f64>) -> DocumentTarget {
    let decimals = round.scoring.decimals;
    let interval = target.percent.as_ref().zip(variance);
    let interval = interval.and_then(|(percent, variance)| interval::around(percent, variance, decimals));
    let items = items_by_field(target);
    let of_item: BTreeMap<&str, &disclosure::Item> = items
        .iter()
        .zip(&table.fields)
        .flat_map(|(own, field)| own.iter().map(|item| item.item_code.as_str()).zip(&field.items))
        .collect();
    DocumentTarget {
        target: target.target.clone(),
        kind: target.kind.clone(),
        name: round.target(&target.target).map(|found| found.name.clone()).unwrap_or_default(),
        survey_points: shown(&target.survey_points, table.hidden, decimals),
        max_points: ratio::to_fixed(&target.max_points, decimals),
        percent: shown(&target.percent, table.hidden, decimals),
        rank: None,
        suppressed: table.hidden,
        interval: interval.map(|(low, high)| Interval { low, high }),
        rank_range: None,
        differs_from_next: None,
        design_effect: certainty::design_effect(target).map(|effect| ratio::to_fixed(&effect, decimals)),
        fields: target
            .fields
            .iter()
            .zip(&table.fields)
            .map(|(field, judged)| DocumentField {
                field: field.field.clone(),
                name: round.field(&field.field).map(|found| found.name.clone()).unwrap_or_default(),
                points: shown(&field.points, judged.hidden, decimals),
                max_points: ratio::to_fixed(&field.max_points, decimals),
                percent: shown(&field.percent, judged.hidden, decimals),
                suppressed: judged.hidden,
            })
            .collect(),
        items: target
            .items
            .iter()
            .filter_map(|item| Some(document_item(round, item, of_item.get(item.item_code.as_str())?)))
            .collect(),
    }
}

/// Rounded once, or nothing.
fn shown(value: &Option<Ratio>, hidden: Option<Suppression>, decimals: u32) -> Option<String> {
    value.as_ref().filter(|_| hidden.is_none()).map(|value| ratio::to_fixed(value, decimals))
}

fn document_item(round: &Round, item: &ItemScore, judged: &disclosure::Item) -> DocumentItem {
    let decimals = round.scoring.decimals;
    DocumentItem {
        item_code: item.item_code.clone(),
        field: item.field.clone(),
        index_ref: item.index_ref.clone(),
        points: shown(&item.points, judged.hidden, decimals),
        max_points: ratio::to_fixed(&item.max_points, decimals),
        percent: shown(&item.score, judged.hidden, decimals),
        n: item.n,
        asked: certainty::asked(round, item),
        suppressed: judged.hidden,
        groups: item
            .groups
            .iter()
            .zip(&judged.cells)
            .map(|(cell, judged)| document_cell(round, &item.item_code, cell, judged.hidden))
            .collect(),
    }
}

fn document_cell(round: &Round, item_code: &str, cell: &CellScore, suppressed: Option<Suppression>) -> DocumentCell {
    let decimals = round.scoring.decimals;
    let mean = cell.mean.as_ref().filter(|_| suppressed.is_none());
    let detailed = mean.filter(|_| disclosure::shows_distribution(&round.disclosure, cell.effective_n));
    let interval = detailed
        .zip(cell.squares.as_ref())
        .and_then(|(mean, squares)| interval::of_mean(mean, squares, cell.n, cell.issued, decimals));
    DocumentCell {
        respondent_code: cell.respondent_code.clone(),
        issued: cell.issued,
        returned: cell.returned,
        n: cell.n,
        mean: mean.map(|mean| ratio::to_fixed(mean, decimals)),
        suppressed,
        interval: interval.map(|(low, high)| Interval { low, high }),
        distribution: detailed.and_then(|_| distribution(round, item_code, cell)),
    }
}

fn distribution(round: &Round, item_code: &str, cell: &CellScore) -> Option<Vec<OptionCount>> {
    let item = round.questionnaire(&cell.respondent_code)?.item(item_code)?;
    let counts = &cell.histogram;
    let options = round.scale(item.scale()?)?.options.iter().zip(&counts.options);
    let options =
        options.map(|(option, count)| OptionCount { option: Some(option.code.clone()), mark: None, count: *count });
    let marks = [
        ("blank", counts.blank),
        ("several", counts.several),
        ("illegible", counts.illegible),
        ("absent", counts.absent),
    ];
    let marks = marks.into_iter().map(|(mark, count)| OptionCount { option: None, mark: Some(mark.to_owned()), count });
    Some(options.chain(marks).collect())
}
