//! Explanations and other rules' ranks as the API describes them; a test holds the description to what is served.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the score of an item about a target came about; exact numbers are decimals or fractions as text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemExplanation {
    /// The round's id.
    round: String,
    /// The target.
    #[schema(example = "SNV")]
    target: String,
    /// The item.
    #[schema(example = "X1.1")]
    item_code: String,
    /// Code of its field.
    field: String,
    /// Number of the official criterion, when known.
    index_ref: Option<String>,
    /// The groups that are asked this about the target.
    groups: Vec<GroupExplanation>,
    /// Sum of the weights of the groups that answered validly.
    #[schema(example = "3")]
    weights: String,
    /// Valid answers of all groups.
    n: u64,
    /// Ballots that were asked and gave no valid answer; null where their number would tell of other answers.
    left_out: Option<u64>,
    /// Pooled score before rounding; null unless every group's answers are shown.
    #[schema(example = "4575/82")]
    exact_percent: Option<String>,
    /// Pooled score, 0 to 100.
    #[schema(example = "55.79")]
    percent: Option<String>,
    /// Points at 100 %.
    max_points: String,
    /// Pooled points.
    points: Option<String>,
    /// Why the pooled score is hidden; null when shown.
    suppressed: Option<String>,
    /// Digits after the point; half is rounded up, once.
    decimals: u32,
    /// Fewest valid answers of a group's cell that may be shown.
    k: u32,
    /// Fewest for its answers by option.
    distribution_n: u32,
    /// Whether people who rate the same targets weigh by their codes given out.
    response_adjusted: bool,
    /// The reckoning in Vietnamese, a sentence a step.
    steps: Vec<String>,
}

/// One group's part.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupExplanation {
    /// The group.
    #[schema(example = "CC-CT")]
    respondent_code: String,
    /// `online` or `paper`.
    channel: String,
    /// Its declared weight.
    weight: String,
    /// Whether it counts: a group without a valid answer drops out of the weights.
    counts: bool,
    /// Codes given out.
    issued: u64,
    /// Ballots that came back.
    returned: u64,
    /// Valid answers.
    n: u64,
    /// Answers by option; null where the document does not show them.
    options: Option<Vec<OptionExplanation>>,
    /// Ballots without an option, by mark; null with the options.
    marks: Option<Vec<MarkExplanation>>,
    /// Sum of what its valid answers are worth; null with the options.
    #[schema(example = "3550")]
    sum: Option<String>,
    /// Sum by n before rounding; null with the options.
    #[schema(example = "3550/41")]
    exact_mean: Option<String>,
    /// As published.
    mean: Option<String>,
    /// Why it is hidden; null when shown.
    suppressed: Option<String>,
}

/// Answers with one option.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OptionExplanation {
    /// Its code.
    option: String,
    /// What people see.
    label: String,
    /// Its worth; null: left out of sum and n.
    percent: Option<String>,
    /// How many.
    count: u64,
}

/// Ballots without an option.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MarkExplanation {
    /// `blank`, `several`, `illegible` or `absent`.
    mark: String,
    /// How many.
    count: u64,
}

/// What the ranks would be under other rules, worked out from the published document alone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherRanks {
    /// The round's id.
    round: String,
    /// One a rule.
    scenarios: Vec<OtherRuleRanks>,
}

/// Ranks under one other rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OtherRuleRanks {
    /// `equal_ballots`: groups weigh by their valid answers; `without_group`: one group is left out; `other_scale`:
    /// options are worth the `other_percent` of their scale.
    rule: String,
    /// The group that is left out.
    respondent_code: Option<String>,
    /// By kind of targets, those that the rule concerns.
    kinds: Vec<KindOtherRanks>,
}

/// A kind's ranks under a rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KindOtherRanks {
    /// The kind.
    kind: String,
    /// Whether there is an answer: not where a hidden cell would have to be known.
    available: bool,
    /// How many targets have another rank than the declared one.
    moved: u64,
    /// By how many places the one moved that moved most.
    most: u64,
    /// The ranked targets, in the order of the round.
    targets: Vec<TargetOtherRank>,
}

/// A target's rank under a rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TargetOtherRank {
    /// The target.
    target: String,
    /// Its percent under the rule.
    percent: Option<String>,
    /// Its rank under the rule.
    rank: Option<u32>,
    /// Its rank as declared.
    declared_rank: Option<u32>,
}
