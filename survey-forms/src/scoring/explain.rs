//! How an item's score came about, from the released document and the round's rules alone: what the document hides
//! cannot be told here either.

use num_traits::Zero;
use serde::{Deserialize, Serialize};

use super::document::{DocumentCell, DocumentItem, ScoreDocument};
use crate::disclosure::Suppression;
use crate::ratio::{self, Ratio};
use crate::round::{Channel, Round};

/// How the score of an item about a target came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The round's id.
    pub round: String,
    /// The target.
    pub target: String,
    /// The item.
    pub item_code: String,
    /// Code of its field.
    pub field: String,
    /// Number of the official criterion, when known.
    pub index_ref: Option<String>,
    /// The groups that are asked this about the target.
    pub groups: Vec<GroupPart>,
    /// Sum of the weights of the groups that answered validly; exact.
    pub weights: String,
    /// Valid answers of all groups.
    pub n: u64,
    /// Ballots that were asked and gave no valid answer; null where their number would tell of other answers.
    pub left_out: Option<u64>,
    /// Pooled score before rounding, an exact decimal or fraction; null unless every group's answers are shown.
    pub exact_percent: Option<String>,
    /// Pooled score, 0 to 100.
    pub percent: Option<String>,
    /// Points at 100 %.
    pub max_points: String,
    /// Pooled points.
    pub points: Option<String>,
    /// Why the pooled score is hidden; null when shown.
    pub suppressed: Option<Suppression>,
    /// Digits after the point; half is rounded up, once.
    pub decimals: u32,
    /// Fewest valid answers of a group's cell that may be shown.
    pub k: u32,
    /// Fewest for its answers by option.
    pub distribution_n: u32,
    /// Whether strata weigh by their codes given out.
    pub response_adjusted: bool,
}

/// One group's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPart {
    /// The group.
    pub respondent_code: String,
    /// Web or paper.
    pub channel: Channel,
    /// Its declared weight; exact.
    pub weight: String,
    /// Whether it counts: a group without a valid answer drops out of the weights.
    pub counts: bool,
    /// Codes given out.
    pub issued: u64,
    /// Ballots that came back.
    pub returned: u64,
    /// Valid answers.
    pub n: u64,
    /// Answers by option; null where the document does not show them.
    pub options: Option<Vec<OptionPart>>,
    /// Left out by mark; null where the document does not show them.
    pub marks: Option<Vec<MarkPart>>,
    /// Sum of what its valid answers are worth; exact; null with the options.
    pub sum: Option<String>,
    /// Sum by n before rounding, an exact decimal or fraction; null with the options.
    pub exact_mean: Option<String>,
    /// As published.
    pub mean: Option<String>,
    /// Why it is hidden; null when shown.
    pub suppressed: Option<Suppression>,
}

/// Answers with one option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionPart {
    /// Its code.
    pub option: String,
    /// What people see.
    pub label: String,
    /// Its worth; null: left out of sum and n.
    pub percent: Option<String>,
    /// How many.
    pub count: u64,
}

/// Ballots without an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkPart {
    /// `blank`, `several`, `illegible` or `absent`.
    pub mark: String,
    /// How many.
    pub count: u64,
}

/// Explains an item's score; none when the document has no such target or item.
#[must_use]
pub fn explain(round: &Round, document: &ScoreDocument, target: &str, item_code: &str) -> Option<Explanation> {
    let target = document.targets.iter().find(|found| found.target == target)?;
    let item = target.items.iter().find(|found| found.item_code == item_code)?;
    let parts: Vec<(GroupPart, Ratio, Option<Ratio>)> =
        item.groups.iter().filter_map(|cell| part(round, item, cell)).collect();
    let (mut weights, mut sum) = (Ratio::zero(), Some(Ratio::zero()));
    for (_, weight, mean) in parts.iter().filter(|(part, _, _)| part.counts) {
        weights += weight;
        sum = sum.zip(mean.as_ref()).map(|(sum, mean)| sum + mean * weight);
    }
    let exact = sum.filter(|_| !weights.is_zero() && item.percent.is_some()).map(|sum| sum / &weights);
    Some(Explanation {
        round: document.round.clone(),
        target: target.target.clone(),
        item_code: item.item_code.clone(),
        field: item.field.clone(),
        index_ref: item.index_ref.clone(),
        groups: parts.into_iter().map(|(part, _, _)| part).collect(),
        weights: ratio::to_exact(&weights),
        n: item.n,
        left_out: item.asked.map(|asked| asked.saturating_sub(item.n)),
        exact_percent: exact.as_ref().map(ratio::to_exact),
        percent: item.percent.clone(),
        max_points: item.max_points.clone(),
        points: item.points.clone(),
        suppressed: item.suppressed,
        decimals: round.scoring.decimals,
        k: round.disclosure.k,
        distribution_n: round.disclosure.distribution_n,
        response_adjusted: round.scoring.response_adjusted,
    })
}

/// A group's part, its weight, and its exact mean where the published counts give it.
fn part(round: &Round, item: &DocumentItem, cell: &DocumentCell) -> Option<(GroupPart, Ratio, Option<Ratio>)> {
    let group = round.group(&cell.respondent_code)?;
    let asked = round.questionnaire(&group.code)?.item(&item.item_code)?;
    let scale = round.scale(asked.scale()?)?;
    let counts = cell.distribution.as_ref();
    let count = |code: &str| counts.into_iter().flatten().find(|o| o.option.as_deref() == Some(code)).map(|o| o.count);
    let options = counts.map(|_| {
        let option = |option: &crate::questionnaire::ScaleOption| OptionPart {
            option: option.code.clone(),
            label: option.label.clone(),
            percent: option.percent.as_ref().map(ratio::to_exact),
            count: count(&option.code).unwrap_or(0),
        };
        scale.options.iter().map(option).collect::<Vec<_>>()
    });
    let marks = counts.map(|counts| {
        let marked = counts.iter().filter_map(|o| Some(MarkPart { mark: o.mark.clone()?, count: o.count }));
        marked.filter(|mark| mark.count > 0).collect()
    });
    let worth = scale.options.iter().filter_map(|option| Some((option.percent.as_ref()?, count(&option.code)?)));
    let sum = worth.fold(Ratio::zero(), |sum, (percent, count)| sum + percent * ratio::whole(count));
    let mean = counts.filter(|_| cell.n > 0).map(|_| &sum / ratio::whole(cell.n));
    // Strata weighed by response make another mean than the counts do.
    let mean = mean.filter(|mean| Some(ratio::to_fixed(mean, round.scoring.decimals)) == cell.mean);
    let part = GroupPart {
        respondent_code: group.code.clone(),
        channel: group.channel,
        weight: ratio::to_exact(&group.weight),
        counts: cell.n > 0,
        issued: cell.issued,
        returned: cell.returned,
        n: cell.n,
        options,
        marks,
        sum: counts.map(|_| ratio::to_exact(&sum)),
        exact_mean: mean.as_ref().map(ratio::to_exact),
        mean: cell.mean.clone(),
        suppressed: cell.suppressed,
    };
    Some((part, group.weight.clone(), mean))
}
