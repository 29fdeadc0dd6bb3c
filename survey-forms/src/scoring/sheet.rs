//! From counts to exact scores.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Zero;

use super::Turnouts;
use super::tally::{Histogram, Tally, VoidReason};
use super::variance::{self, Share};
use crate::ratio::{self, Ratio};
use crate::round::{Round, Target};

/// Exact scores of a whole round. Holds small cells: it is not for publishing, its
/// [`ScoreSheet::document`] is.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreSheet {
    /// By target, in file order.
    pub targets: Vec<TargetScore>,
    /// By group, in file order.
    pub ballots: Vec<GroupBallots>,
    /// Void ballots of no known group.
    pub stray: BTreeMap<VoidReason, u64>,
}

/// Ballots of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBallots {
    /// The group.
    pub respondent_code: String,
    /// Ballots that count.
    pub valid: u64,
    /// Of these, ballots that give the same option everywhere.
    pub uniform: u64,
    /// Ballots that do not count, by reason.
    pub void: BTreeMap<VoidReason, u64>,
}

/// Exact scores of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetScore {
    /// Its code.
    pub target: String,
    /// Its kind.
    pub kind: String,
    /// Sum of the items' points; `None` when no item was validly answered.
    pub survey_points: Option<Ratio>,
    /// Sum of the maxima of the items that were validly answered.
    pub max_points: Ratio,
    /// Points by maximum, 0 to 100.
    pub percent: Option<Ratio>,
    /// Within the kind, from 1.
    pub rank: Option<u32>,
    /// By field, in file order; only fields that somebody is asked about.
    pub fields: Vec<FieldScore>,
    /// By item, in the order of the criteria.
    pub items: Vec<ItemScore>,
    /// By group that answered validly, in file order: its part in the total.
    pub shares: Vec<Share>,
}

/// Exact score of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldScore {
    /// Code of the field.
    pub field: String,
    /// Sum of its items' points.
    pub points: Option<Ratio>,
    /// Sum of the maxima of its items that were validly answered.
    pub max_points: Ratio,
    /// Points by maximum, 0 to 100.
    pub percent: Option<Ratio>,
}

/// Exact score of an item about a target.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemScore {
    /// The item.
    pub item_code: String,
    /// Code of its field.
    pub field: String,
    /// Number of the official criterion, when known.
    pub index_ref: Option<String>,
    /// Weighted mean of the groups, 0 to 100.
    pub score: Option<Ratio>,
    /// `max_points` × score.
    pub points: Option<Ratio>,
    /// Points at 100 %.
    pub max_points: Ratio,
    /// Valid answers of all groups.
    pub n: u64,
    /// By group, in file order; only groups that are asked this.
    pub groups: Vec<CellScore>,
}

/// What one group says on one item about one target.
#[derive(Debug, Clone, PartialEq)]
pub struct CellScore {
    /// The group.
    pub respondent_code: String,
    /// Codes given out.
    pub issued: u64,
    /// Ballots that came back.
    pub returned: u64,
    /// Valid answers.
    pub n: u64,
    /// Mean over valid answers, 0 to 100.
    pub mean: Option<Ratio>,
    /// Sum of the squared parts that the answers have in the deviation of the mean; with equal weights the mean squared
    /// deviation by n.
    pub squares: Option<Ratio>,
    /// Answers of equal weight that the mean is worth (Kish): n, unless strata are weighted by response.
    pub effective_n: u64,
    /// Whether no single weight holds for all its answers.
    pub is_weighted: bool,
    /// All counts.
    pub histogram: Histogram,
}

/// Ranks from the greatest value down: ties share, and the next rank is skipped (1, 2, 2, 4).
#[must_use]
pub fn ranks(values: &[Option<Ratio>]) -> Vec<Option<u32>> {
    let better = |value: &Ratio| values.iter().flatten().filter(|other| *other > value).count();
    values.iter().map(|value| value.as_ref().and_then(|value| u32::try_from(better(value) + 1).ok())).collect()
}

/// Scores a round exactly.
#[must_use]
pub fn score(round: &Round, tally: &Tally, turnout: &Turnouts) -> ScoreSheet {
    let asked = asked(round);
    let mut targets: Vec<TargetScore> =
        round.targets.iter().map(|target| target_score(round, tally, turnout, &asked, target)).collect();
    for kind in &round.target_kinds {
        let percents: Vec<Option<Ratio>> =
            targets.iter().filter(|target| target.kind == kind.code).map(|target| target.percent.clone()).collect();
        let of_kind = targets.iter_mut().filter(|target| target.kind == kind.code);
        for (target, rank) in of_kind.zip(ranks(&percents)) {
            target.rank = rank;
        }
    }
    let ballots = round
        .groups
        .iter()
        .map(|group| GroupBallots {
            respondent_code: group.code.clone(),
            valid: tally.valid(&group.code),
            uniform: tally.uniform(&group.code),
            void: tally.void(&group.code),
        })
        .collect();
    ScoreSheet { targets, ballots, stray: tally.stray().clone() }
}

/// Which groups rate which targets.
fn asked(round: &Round) -> BTreeSet<(String, String)> {
    let pairs = |assignment: crate::round::Assignment| {
        let group = assignment.respondent_code;
        assignment.targets.into_iter().map(move |target| (group.clone(), target))
    };
    round.assignments().into_iter().flat_map(pairs).collect()
}

fn target_score(
    round: &Round,
    tally: &Tally,
    turnout: &Turnouts,
    asked: &BTreeSet<(String, String)>,
    target: &Target,
) -> TargetScore {
    let mut items = Vec::new();
    for criterion in &round.criteria {
        let mut groups = Vec::new();
        let (mut weighted, mut weights) = (Ratio::zero(), Ratio::zero());
        for group in &round.groups {
            let key = (group.code.clone(), target.code.clone());
            if !asked.contains(&key) {
                continue;
            }
            let Some(cell) = cell(round, tally, turnout, &key, &criterion.item_code) else {
                continue;
            };
            if let Some(mean) = &cell.mean {
                weighted += mean * &group.weight;
                weights += &group.weight;
            }
            groups.push(cell);
        }
        if groups.is_empty() {
            continue;
        }
        let score = (!weights.is_zero()).then(|| weighted / weights);
        items.push(ItemScore {
            item_code: criterion.item_code.clone(),
            field: criterion.field.clone(),
            index_ref: criterion.index_ref.clone(),
            points: score.as_ref().map(|score| score * &criterion.max_points / ratio::whole(100)),
            score,
            max_points: criterion.max_points.clone(),
            n: groups.iter().map(|cell| cell.n).sum(),
            groups,
        });
    }
    let fields = round
        .fields
        .iter()
        .filter(|field| items.iter().any(|item| item.field == field.code))
        .map(|field| {
            let own = items.iter().filter(|item| item.field == field.code);
            let (points, max_points, percent) = total(own);
            FieldScore { field: field.code.clone(), points, max_points, percent }
        })
        .collect();
    let (survey_points, max_points, percent) = total(items.iter());
    let shares = variance::shares(round, tally, turnout, &target.code, &items);
    TargetScore {
        target: target.code.clone(),
        kind: target.kind.clone(),
        survey_points,
        max_points,
        percent,
        rank: None,
        fields,
        items,
        shares,
    }
}

/// Points, maximum and percent over the items that were validly answered.
fn total<'a>(items: impl Iterator<Item = &'a ItemScore>) -> (Option<Ratio>, Ratio, Option<Ratio>) {
    let (mut sum, mut max) = (None, Ratio::zero());
    for item in items {
        if let Some(points) = &item.points {
            sum = Some(sum.unwrap_or_else(Ratio::zero) + points);
            max += &item.max_points;
        }
    }
    let percent = match &sum {
        Some(points) if !max.is_zero() => Some(points / &max * ratio::whole(100)),
        _ => None,
    };
    (sum, max, percent)
}

fn cell(
    round: &Round,
    tally: &Tally,
    turnout: &Turnouts,
    (group, target): &(String, String),
    item_code: &str,
) -> Option<CellScore> {
    let item = round.questionnaire(group)?.item(item_code)?;
    let scale = round.scale(item.scale()?)?;
    let strata = tally.histograms(group, target, item_code);
    let percents = || scale.options.iter().map(|option| option.percent.as_ref());
    let valid = |counts: &Histogram| -> u64 {
        percents().zip(&counts.options).filter_map(|(percent, count)| percent.map(|_| *count)).sum()
    };
    let answers: Vec<(&str, u64)> = strata.iter().map(|(stratum, counts)| (*stratum, valid(counts))).collect();
    let weights = variance::Weights::of(round, turnout, group, &answers);
    let n = answers.iter().map(|(_, n)| n).sum();
    let of_option = |worth: &dyn Fn(&Ratio) -> Ratio, power: i32| -> Ratio {
        let mut sum = Ratio::zero();
        for ((stratum, counts), _) in strata.iter().zip(&answers) {
            let Some(weight) = weights.of_stratum(stratum) else { continue };
            let part: Ratio = percents()
                .zip(&counts.options)
                .filter_map(|(percent, count)| Some(worth(percent?) * ratio::whole(*count)))
                .fold(Ratio::zero(), |sum, part| sum + part);
            sum += part * weight.pow(power);
        }
        sum
    };
    let mean = (n > 0).then(|| of_option(&Ratio::clone, 1));
    let squares = mean.as_ref().map(|mean| of_option(&|percent| (percent - mean) * (percent - mean), 2));
    let (issued, returned) = about(turnout, group, target);
    Some(CellScore {
        respondent_code: group.clone(),
        issued,
        returned,
        n,
        mean,
        squares,
        effective_n: weights.effective_n(&answers).unwrap_or(n),
        is_weighted: weights.are_several(),
        histogram: tally.histogram(group, target, item_code)?,
    })
}

/// Codes given out to a group for a target, and ballots that came back.
pub(super) fn about(turnout: &Turnouts, group: &str, target: &str) -> (u64, u64) {
    let of_group = turnout.range((group.to_owned(), String::new())..).take_while(|((code, _), _)| code == group);
    let about = of_group.filter(|((_, targets), _)| targets.split('+').any(|code| code == target));
    about.fold((0, 0), |(issued, returned), (_, more)| (issued + more.issued, returned + more.returned))
}
