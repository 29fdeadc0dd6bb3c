//! A round as data: who is asked, about whom, with what, when, and how it counts.

mod assignments;
mod check;
mod conditions;
mod diff;
pub(crate) mod encoding;
mod files;
mod groups;
pub(crate) mod keys;
mod languages;
mod letters;
mod logo;
mod lookup;
mod meaning;
mod questionnaire_file;
mod quotas;
mod reuse;
mod settings;
mod summary;
mod tables;
mod toml_reader;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

pub use crate::fault::{Checked, Fault, Severity};
pub use assignments::Assignment;
pub use diff::{Change, Step, What, diff};
pub use letters::{Day, Letters};
pub use reuse::{Merge, Reuse, merges, reuse};
pub use summary::Summary;

use crate::questionnaire::{Choices, Criterion, Questionnaire, Scale};
use crate::ratio::{self, Ratio};

/// A round's folder: path with forward slashes (`round.toml`, `questionnaires/NAME.toml`) to bytes.
pub type RoundFiles = BTreeMap<String, Vec<u8>>;

/// One survey round, read from its folder and found free of errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Round {
    /// Slug, safe in paths and addresses: `quang-nam-2023`.
    pub id: String,
    /// What people see.
    pub title: String,
    /// Who runs the round and answers for it.
    pub organiser: Organiser,
    /// The decision or plan that orders it.
    pub legal_basis: String,
    /// Contains invented data: pages say so.
    pub sample: bool,
    /// The four dates.
    pub dates: Dates,
    /// Kinds of rated bodies; ranks are within a kind.
    pub target_kinds: Vec<TargetKind>,
    /// Kinds of units, for words on pages.
    pub unit_kinds: Vec<UnitKind>,
    /// Fields (lĩnh vực) that criteria belong to.
    pub fields: Vec<Field>,
    /// The rated bodies, in file order.
    pub targets: Vec<Target>,
    /// Where respondents work, in file order.
    pub units: Vec<Unit>,
    /// Division → the targets that supervise it.
    pub mappings: Vec<Mapping>,
    /// Respondent groups, in file order.
    pub groups: Vec<Group>,
    /// Answer scales.
    pub scales: Vec<Scale>,
    /// Lists of choices that are not scored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choices>,
    /// What each item counts for.
    pub criteria: Vec<Criterion>,
    /// One per group, in the order of the groups.
    pub questionnaires: Vec<Questionnaire>,
    /// How answers become points.
    pub scoring: ScoringRules,
    /// What may be published.
    pub disclosure: DisclosureRules,
    /// The plan's number of paper ballots, where it gives one.
    pub declared_paper_total: Option<u32>,
    /// Languages beside Vietnamese, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// By language, then by the Vietnamese text; see [`Round::translated`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, BTreeMap<String, String>>,
    /// Letters and notices.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub texts: Texts,
    /// When letters to named people are sent; [`Letters::default`] where the round says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<Letters>,
    /// SHA-256, lower-case hex, of the canonical JSON of all the above (the rules hash).
    #[serde(skip)]
    pub hash: String,
}

/// A language that the form is offered in, beside Vietnamese.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Language {
    /// BCP 47 tag: `en`.
    pub code: String,
    /// Its name in itself: `English`.
    pub name: String,
}

/// What the organiser says in letters and on pages. Letters may hold `{code}`, `{link}`, `{round}`, `{organiser}`,
/// `{closes}`, `{unit}` and `{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Texts {
    /// On the page "what we keep about you", above what is worked out there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_notice: Option<String>,
    /// On the form's pages before the round opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_opening: Option<String>,
    /// On the form's pages once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_closing: Option<String>,
    /// Subject of the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_subject: Option<String>,
    /// The invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_body: Option<String>,
    /// Subject of the reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder_subject: Option<String>,
    /// The reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder_body: Option<String>,
}

impl Texts {
    fn is_empty(&self) -> bool {
        *self == Texts::default()
    }
}

/// Who runs the round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organiser {
    /// The body.
    pub name: String,
    /// A person or desk to ask.
    pub contact_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// Picture for the pages' header. Left out of the rules hash when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
}

/// A picture that only draws: SVG without scripts and references, or PNG; at most 20,000 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logo {
    /// Its name in the folder.
    pub file: String,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// `image/svg+xml` or `image/png`.
    #[serde(skip)]
    pub media_type: &'static str,
    /// The file.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// The four dates of a round, each with its offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// From here ballots are accepted.
    pub opens: DateTime<FixedOffset>,
    /// From here no online ballot is accepted.
    pub closes: DateTime<FixedOffset>,
    /// From here no paper ballot may be keyed.
    pub keying_closes: DateTime<FixedOffset>,
    /// Not before this are scores published.
    pub publishes: DateTime<FixedOffset>,
    /// For how many minutes after `closes` an online ballot is accepted whose draft was saved before; 0 to 1440. Left
    /// out of the rules hash when 0, as rounds without it were hashed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub grace_minutes: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(truth: &bool) -> bool {
    !*truth
}

/// A kind of rated bodies; each kind is ranked by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetKind {
    /// Identifier.
    pub code: String,
    /// What people see.
    pub name: String,
}

/// A kind of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitKind {
    /// Identifier.
    pub code: String,
    /// What people see.
    pub name: String,
}

/// A field of the index (lĩnh vực).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Identifier.
    pub code: String,
    /// What people see.
    pub name: String,
}

/// A rated body (cơ quan được đánh giá).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Identifier, as the index engine knows it.
    pub code: String,
    /// Code of its kind.
    pub kind: String,
    /// What people see.
    pub name: String,
    /// First day on which it exists, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer exists, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

/// Where respondents work (cơ quan công tác).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Identifier.
    pub code: String,
    /// The unit above it.
    pub parent: Option<String>,
    /// Code of its kind.
    pub kind: String,
    /// What people see.
    pub name: String,
    /// The target that this unit is, when it is rated itself.
    pub target: Option<String>,
    /// Key into the mapping table, for groups that rate the mapped targets.
    pub division: Option<String>,
    /// First day on which the unit exists, when known.
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer exists, when known.
    pub valid_to: Option<NaiveDate>,
}

/// One row of the mapping table: a kind of division and a target that supervises it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The division's key.
    pub division: String,
    /// The supervising target.
    pub target: String,
}

/// How a group answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// On the web.
    Online,
    /// On paper, keyed in at the desk.
    Paper,
}

impl Channel {
    /// `online` or `paper`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Online => "online",
            Channel::Paper => "paper",
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel is \"online\" or \"paper\"")]
pub struct UnknownChannel;

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "online" => Ok(Channel::Online),
            "paper" => Ok(Channel::Paper),
            _ => Err(UnknownChannel),
        }
    }
}

/// How codes reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueMode {
    /// Slips drawn by lot: nobody knows who holds which code.
    Draw,
    /// Letters to named people; the link is destroyed at close.
    Addressed,
}

/// A group of respondents (đối tượng điều tra).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The plan's code (mã phiếu).
    pub code: String,
    /// Exactly the plan's words.
    pub name: String,
    /// Web or paper.
    pub channel: Channel,
    /// How codes reach people.
    pub issue: IssueMode,
    /// Whose people are asked.
    pub sources: Sources,
    /// What they rate.
    pub rates: Rates,
    /// How many ballots there are.
    pub quota: Quota,
    /// Weight of the group's mean in an item's score.
    #[serde(serialize_with = "ratio::as_text")]
    pub weight: Ratio,
    /// Most paper ballots in a bundle; [`BUNDLE_SIZE`] when the round says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_size: Option<u32>,
}

/// Most paper ballots in a bundle where a round says nothing.
pub const BUNDLE_SIZE: u32 = 50;

impl Group {
    /// Sizes of the bundles that so many paper ballots of the group make: as few bundles as hold them, evenly filled.
    #[must_use]
    pub fn bundles(&self, ballots: usize) -> Vec<usize> {
        let most = usize::try_from(self.bundle_size.unwrap_or(BUNDLE_SIZE)).unwrap_or(1).max(1);
        let bundles = ballots.div_ceil(most);
        let size = |n: usize| ballots / bundles + usize::from(n < ballots % bundles);
        (0..bundles).map(size).collect()
    }
}

/// Whose people a group asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sources {
    /// The group has no unit: its ballots are counted by target.
    None,
    /// People of the units of these kinds.
    Kinds(Vec<String>),
}

/// What a group rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rates {
    /// The target that their own unit is.
    OwnUnit,
    /// The target that the unit above theirs is.
    Parent,
    /// The targets that the mapping table gives for their unit's division.
    Mapped,
    /// Every target of these kinds, on one ballot.
    Kinds(Vec<String>),
    /// One target a ballot, from these kinds.
    OnePerBallot(Vec<String>),
    /// Exactly these targets, on one ballot.
    Targets(Vec<String>),
}

/// How many ballots a group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// The roster decides.
    Roster,
    /// So many for the whole group.
    Fixed(u32),
    /// So many for each target of a kind.
    PerTarget {
        /// Ballots a target.
        per: u32,
        /// Kind of target.
        of: String,
    },
    /// So many for each source unit of a kind.
    PerSourceUnit {
        /// Ballots a unit.
        per: u32,
        /// Kind of unit.
        of: String,
    },
}

/// How answers become points; declared before the round opens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoringRules {
    /// A paper ballot is void when less than this share of its items is valid.
    #[serde(serialize_with = "ratio::as_text")]
    pub void_below: Ratio,
    /// Whether an option without a percent ("no information") makes an item valid for that share.
    pub excluded_is_valid: bool,
    /// Digits after the point in published scores.
    pub decimals: u32,
    /// Whether, within a group, each stratum (people who rate the same targets) weighs by its codes given out instead of
    /// by its answers. Left out of the rules hash when not, as rounds without it were hashed.
    #[serde(skip_serializing_if = "is_false")]
    pub response_adjusted: bool,
}

/// What may be published; declared before the round opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisclosureRules {
    /// Fewest valid answers of a group's cell that may be shown.
    pub k: u32,
    /// Fewest valid answers for a cell's distribution.
    pub distribution_n: u32,
}
