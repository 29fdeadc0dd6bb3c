//! The score document as the API describes it. It is served as the bytes that were released; a test holds this
//! description to them.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The scores of a round. Numbers that are scores are decimal text with a point.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scores {
    /// The round's id.
    #[schema(example = "quang-nam-2023")]
    pub(super) round: String,
    /// From 1: a correction is a new release, and the old ones stay.
    #[schema(example = 1)]
    release: u32,
    /// Why there is a release after the first, and what it leaves out; null for the first.
    correction: Option<CorrectionMade>,
    /// When it was published.
    #[schema(value_type = String, format = DateTime, example = "2023-11-15T08:00:00+07:00")]
    published_at: DateTime<FixedOffset>,
    /// Hash of the rules as declared before the round opened, lower-case hex.
    rules_hash: String,
    /// Merkle tree hash (RFC 6962) over the sorted receipts of the box, lower-case hex.
    log_root: String,
    /// By target, in the order of the round.
    targets: Vec<TargetScores>,
    /// Ballots by group, valid and void.
    ballots: Vec<GroupBallots>,
}

/// What a release after the first is for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrectionMade {
    /// In words, in Vietnamese.
    #[schema(example = "Tiêu chí X1.1 in sai trên phiếu giấy.")]
    reason: String,
    /// Answers that do not count, seen from the box: those that fit everything that a line names.
    left_out: Vec<LeftOutRange>,
}

/// Answers that do not count.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeftOutRange {
    /// Of one group; of every group when null.
    respondent_code: Option<String>,
    /// About one target; about every target when null.
    target: Option<String>,
    /// To one item; to every item when null.
    #[schema(example = "X1.1")]
    item_code: Option<String>,
}

/// The releases of a round.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReleaseList {
    /// The round's id.
    #[schema(example = "quang-nam-2023")]
    pub(super) round: String,
    /// The oldest first; none before the publication.
    pub(super) releases: Vec<ReleaseEntry>,
}

/// One release.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReleaseEntry {
    /// From 1.
    #[schema(example = 1)]
    pub(super) release: u32,
    /// When it was published.
    #[schema(value_type = String, format = DateTime, example = "2023-11-15T08:00:00+07:00")]
    pub(super) published_at: DateTime<FixedOffset>,
    /// SHA-256 of the document's canonical JSON, lower-case hex, as in the round's log.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub(super) sha256: String,
    /// Why it was made, for a correction.
    pub(super) reason: Option<String>,
}

/// Scores of one target.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TargetScores {
    /// Its code.
    #[schema(example = "SNV")]
    target: String,
    /// Its kind.
    #[schema(example = "so")]
    kind: String,
    /// What people see.
    name: String,
    /// Sum of the items' points; null when hidden, and when no item was validly answered.
    #[schema(example = "24.38")]
    survey_points: Option<String>,
    /// Sum of the maxima of the items that were validly answered.
    #[schema(example = "32.00")]
    max_points: String,
    /// Points by maximum, 0 to 100.
    #[schema(example = "76.19")]
    percent: Option<String>,
    /// Within the kind, from 1, among the targets whose total is shown; ties share (1, 2, 2, 4).
    rank: Option<u32>,
    /// Why the total is hidden, in the words of a group's cell; null when shown.
    suppressed: Option<String>,
    /// 95 % interval of the percent, ballots taken whole, with finite-population correction; a group with a hidden cell is
    /// taken to vary like the most varied one that is shown. Null where none is.
    interval: Option<Bounds>,
    /// Ranks that chance leaves possible (95 %); null without a rank.
    rank_range: Option<Ranks>,
    /// Whether it differs from the next lower total by more than chance (95 %); null for the last and where unknown.
    differs_from_next: Option<bool>,
    /// How many times more ballots are needed than if all weighed alike (Kish).
    #[schema(example = "1.37")]
    design_effect: Option<String>,
    /// By field.
    fields: Vec<FieldScores>,
    /// By item.
    items: Vec<ItemScores>,
}

/// From the best to the worst rank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ranks {
    /// One more than the totals that are surely better.
    best: u32,
    /// All ranked ones, less those that are surely worse.
    worst: u32,
}

/// Score of a field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FieldScores {
    /// Its code.
    field: String,
    /// What people see.
    name: String,
    /// Sum of its items' points, hidden ones too.
    points: Option<String>,
    /// Sum of the maxima of its items that were validly answered.
    max_points: String,
    /// Points by maximum, 0 to 100.
    percent: Option<String>,
    /// Why it is hidden, in the words of a group's cell; null when shown.
    suppressed: Option<String>,
}

/// Score of an item.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemScores {
    /// The item.
    #[schema(example = "X1.1")]
    item_code: String,
    /// Code of its field.
    field: String,
    /// Number of the official criterion, when known.
    index_ref: Option<String>,
    /// Pooled points; null when hidden, and when nobody validly answered.
    points: Option<String>,
    /// Points at 100 %.
    max_points: String,
    /// Pooled score, 0 to 100.
    percent: Option<String>,
    /// Valid answers of all groups.
    n: u64,
    /// Ballots that were asked this; null where some are asked only after certain answers. Less n: item non-response, and
    /// "no information".
    asked: Option<u64>,
    /// Why it is hidden, in the words of a group's cell: a pooled score of one small group is that group's cell. It
    /// counts in its field and total all the same. Null when shown.
    suppressed: Option<String>,
    /// By group.
    groups: Vec<Cell>,
}

/// A group's cell of an item.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cell {
    /// The group.
    #[schema(example = "CC-CT")]
    respondent_code: String,
    /// Codes given out.
    issued: u64,
    /// Ballots that came back.
    returned: u64,
    /// Valid answers.
    n: u64,
    /// Mean over valid answers, 0 to 100; null when hidden.
    mean: Option<String>,
    /// Why it is hidden; null when shown. `no_valid_answers`; `n_below_k`: it is, or gives away, what fewer than the
    /// round's `disclosure.k` people of one group answered; `complementary`: with it such a number would fall out of the published sums;
    /// `difference`: it differs by fewer than k answers from an earlier release.
    suppressed: Option<String>,
    /// 95 % interval with finite-population correction; from the declared n of distributions on.
    interval: Option<Bounds>,
    /// Answers by option and mark; from the declared n on.
    distribution: Option<Vec<AnswerCount>>,
}

/// A 95 % interval.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    /// Lower bound.
    low: String,
    /// Upper bound.
    high: String,
}

/// How many gave an answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerCount {
    /// Code of an option; null for a mark.
    option: Option<String>,
    /// `blank`, `several`, `illegible` or `absent`; null for an option.
    mark: Option<String>,
    /// How many.
    count: u64,
}

/// Ballots of a group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupBallots {
    /// The group; null for ballots that name none of the round.
    respondent_code: Option<String>,
    /// Ballots that count.
    valid: u64,
    /// Of these, ballots with the same option everywhere (three answers or more); null for fewer ballots than
    /// distributions need, and when they are more than half.
    uniform: Option<u64>,
    /// Ballots that do not, by reason.
    void: Vec<VoidBallots>,
}

/// Void ballots with one reason.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VoidBallots {
    /// `other_round`, `unknown_stratum`, `other_questionnaire`, `unfit_answers` or `too_few_valid`.
    reason: String,
    /// How many.
    count: u64,
}
