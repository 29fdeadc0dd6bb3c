//! Rounds on the wire.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use survey_forms::ratio::to_exact;
use utoipa::ToSchema;

use super::item::ItemRules;
use crate::clock::{local, viet_nam};
use crate::round::{LoadedRound, RoundState};

/// A round in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoundSummary {
    /// Its id, safe in paths.
    #[schema(example = "quang-nam-2023")]
    id: String,
    /// What people see.
    title: String,
    /// Where it is on its way.
    state: RoundState,
    /// The decision or plan that orders it.
    legal_basis: String,
    /// Contains invented data.
    sample: bool,
    /// From here ballots are accepted.
    #[schema(value_type = String, format = DateTime, example = "2023-09-15T07:00:00+07:00")]
    opens_at: DateTime<FixedOffset>,
    /// From here no online ballot is accepted.
    #[schema(value_type = String, format = DateTime)]
    closes_at: DateTime<FixedOffset>,
    /// From here no paper ballot is accepted.
    #[schema(value_type = String, format = DateTime)]
    keying_closes_at: DateTime<FixedOffset>,
    /// Not before this are scores published.
    #[schema(value_type = String, format = DateTime)]
    publishes_at: DateTime<FixedOffset>,
    /// SHA-256 of everything that the round decides, declared before it opens; lower-case hex.
    rules_hash: String,
}

/// The rounds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoundList {
    /// Those that accept ballots first, then the latest.
    rounds: Vec<RoundSummary>,
}

/// A round with its rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoundDetail {
    /// As in the list.
    #[serde(flatten)]
    summary: RoundSummary,
    /// Who runs the round and answers for it.
    organiser: OrganiserDetail,
    /// Public half of the box key that ballots are sealed to (X25519, RFC 7748), lower-case hex; null until it is made.
    box_public_key: Option<String>,
    /// The key that signs the checkpoints of the round's log (C2SP signed-note); null until it is made.
    log_key: Option<String>,
    /// Kinds of rated bodies; ranks are within a kind.
    target_kinds: Vec<Named>,
    /// Fields of the index.
    fields: Vec<Named>,
    /// Respondent groups.
    groups: Vec<GroupDetail>,
    /// What each item counts for.
    criteria: Vec<CriterionDetail>,
    /// How answers become points.
    scoring: ScoringDetail,
    /// What may be published.
    disclosure: DisclosureDetail,
}

/// Who runs a round.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrganiserDetail {
    /// The body.
    name: String,
    /// A person or desk to ask.
    contact_name: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Telephone.
    phone: Option<String>,
    /// Web site.
    website: Option<String>,
}

/// A code and its words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Named {
    /// Identifier.
    #[schema(example = "so")]
    code: String,
    /// What people see.
    name: String,
}

/// A respondent group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupDetail {
    /// The plan's code.
    #[schema(example = "CC-CT")]
    respondent_code: String,
    /// The plan's words.
    name: String,
    /// `online` or `paper`.
    #[schema(example = "online")]
    channel: &'static str,
    /// Weight of the group's mean in an item's score: exact decimal or fraction.
    #[schema(example = "1")]
    weight: String,
    /// Hash of its questionnaire, lower-case hex.
    questionnaire_hash: String,
}

/// What an item counts for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CriterionDetail {
    /// The item.
    #[schema(example = "X1.1")]
    item_code: String,
    /// Code of its field.
    field: String,
    /// What people see.
    name: String,
    /// Number of the official criterion, when known.
    index_ref: Option<String>,
    /// Points at 100 %: exact decimal or fraction.
    #[schema(example = "0.5")]
    max_points: String,
}

/// How answers become points.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScoringDetail {
    /// A paper ballot is void when less than this share of its items is valid.
    #[schema(example = "0.5")]
    void_below: String,
    /// Whether "no information" keeps an item valid for that share.
    excluded_is_valid: bool,
    /// Digits after the point in published scores.
    decimals: u32,
    /// Whether, within a group, the people who rate the same targets weigh by their codes given out instead of by how
    /// many of them answered.
    response_adjusted: bool,
}

/// What may be published.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DisclosureDetail {
    /// Fewest valid answers of a group's cell that may be shown.
    k: u32,
    /// Fewest valid answers for a cell's distribution.
    distribution_n: u32,
}

/// The rated bodies of a round.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TargetList {
    /// In the order of the round.
    targets: Vec<TargetDetail>,
}

/// A rated body.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TargetDetail {
    /// Its code, as the index engine knows it.
    #[schema(example = "SNV")]
    target: String,
    /// Code of its kind.
    #[schema(example = "so")]
    kind: String,
    /// What people see.
    name: String,
}

/// A questionnaire as people see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuestionnaireDetail {
    /// The group it is for.
    #[schema(example = "CC-CT")]
    respondent_code: String,
    /// Heading.
    title: String,
    /// What is said before the first question.
    intro: String,
    /// SHA-256 of its canonical form, lower-case hex; every ballot names it.
    hash: String,
    /// Sections in order.
    sections: Vec<SectionDetail>,
    /// What is said after the last question.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<String>,
    /// The scales that its items use.
    scales: Vec<ScaleDetail>,
    /// The lists of choices that its items use.
    choices: Vec<ChoicesDetail>,
}

/// A section of a questionnaire.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SectionDetail {
    /// Identifier inside the questionnaire.
    code: String,
    /// Heading.
    title: String,
    /// What is said before its first question.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// Items in order.
    items: Vec<ItemDetail>,
}

/// A question.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemDetail {
    /// The code that answers and scores go by.
    #[schema(example = "X1.1")]
    item_code: String,
    /// 1.. through the questionnaire, as on paper.
    number: u32,
    /// The words of the question.
    question: String,
    /// Code of its field; absent when no score uses the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(flatten)]
    rules: ItemRules,
}

/// An answer scale.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScaleDetail {
    /// Identifier.
    code: String,
    /// Options in order.
    options: Vec<OptionDetail>,
}

/// A list of choices.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChoicesDetail {
    /// Identifier.
    code: String,
    /// Choices in order.
    options: Vec<ChoiceDetail>,
}

/// A choice of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChoiceDetail {
    /// What is sent and stored.
    option: String,
    /// What people see.
    label: String,
}

/// An option of a scale.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OptionDetail {
    /// What is sent and stored.
    #[schema(example = "B")]
    option: String,
    /// What people see.
    label: String,
    /// Its worth, 0 to 100; null is left out of means and counts, never zero.
    #[schema(example = "75")]
    percent: Option<String>,
}

fn summary(round: &LoadedRound) -> RoundSummary {
    let definition = &round.definition;
    RoundSummary {
        id: definition.id.clone(),
        title: definition.title.clone(),
        state: round.state,
        legal_basis: definition.legal_basis.clone(),
        sample: definition.sample,
        opens_at: local(round.opens_at),
        closes_at: local(round.closes_at),
        keying_closes_at: local(round.keying_closes_at),
        publishes_at: definition.dates.publishes.with_timezone(&viet_nam()),
        rules_hash: definition.hash.clone(),
    }
}

pub(super) fn detail(round: &LoadedRound) -> RoundDetail {
    let definition = &round.definition;
    let hash = |code: &str| definition.questionnaire(code).map(|q| q.hash.clone()).unwrap_or_default();
    let organiser = definition.organiser.clone();
    RoundDetail {
        summary: summary(round),
        organiser: OrganiserDetail {
            name: organiser.name,
            contact_name: organiser.contact_name,
            email: organiser.email,
            phone: organiser.phone,
            website: organiser.website,
        },
        box_public_key: round.box_public.as_deref().map(|key| data_encoding::HEXLOWER.encode(key)),
        log_key: round.log_key.clone(),
        target_kinds: definition
            .target_kinds
            .iter()
            .map(|k| Named { code: k.code.clone(), name: k.name.clone() })
            .collect(),
        fields: definition.fields.iter().map(|f| Named { code: f.code.clone(), name: f.name.clone() }).collect(),
        groups: definition
            .groups
            .iter()
            .map(|g| GroupDetail {
                respondent_code: g.code.clone(),
                name: g.name.clone(),
                channel: g.channel.as_str(),
                weight: to_exact(&g.weight),
                questionnaire_hash: hash(&g.code),
            })
            .collect(),
        criteria: definition
            .criteria
            .iter()
            .map(|c| CriterionDetail {
                item_code: c.item_code.clone(),
                field: c.field.clone(),
                name: c.name.clone(),
                index_ref: c.index_ref.clone(),
                max_points: to_exact(&c.max_points),
            })
            .collect(),
        scoring: ScoringDetail {
            void_below: to_exact(&definition.scoring.void_below),
            excluded_is_valid: definition.scoring.excluded_is_valid,
            decimals: definition.scoring.decimals,
            response_adjusted: definition.scoring.response_adjusted,
        },
        disclosure: DisclosureDetail {
            k: definition.disclosure.k,
            distribution_n: definition.disclosure.distribution_n,
        },
    }
}

pub(super) fn list(rounds: &[Arc<LoadedRound>]) -> RoundList {
    RoundList { rounds: rounds.iter().map(|round| summary(round)).collect() }
}

pub(super) fn targets(round: &LoadedRound) -> TargetList {
    let targets = round.definition.targets.iter();
    let detail = |t: &survey_forms::round::Target| TargetDetail {
        target: t.code.clone(),
        kind: t.kind.clone(),
        name: t.name.clone(),
    };
    TargetList { targets: targets.map(detail).collect() }
}

pub(super) fn questionnaire(round: &LoadedRound, respondent_code: &str) -> Option<QuestionnaireDetail> {
    let found = round.definition.questionnaire(respondent_code)?;
    let uses = |list: &str| found.items().any(|item| item.list() == Some(list));
    let used = round.definition.scales.iter().filter(|scale| uses(&scale.code));
    let lists = round.definition.choices.iter().filter(|list| uses(&list.code));
    Some(QuestionnaireDetail {
        respondent_code: found.respondent_code.clone(),
        title: found.title.clone(),
        intro: found.intro.clone(),
        hash: found.hash.clone(),
        sections: found
            .sections
            .iter()
            .map(|section| SectionDetail {
                code: section.code.clone(),
                title: section.title.clone(),
                intro: section.intro.clone(),
                items: section
                    .items
                    .iter()
                    .map(|item| ItemDetail {
                        item_code: item.code.clone(),
                        number: item.number,
                        question: item.question.clone(),
                        field: item.field.clone(),
                        rules: ItemRules::from(item),
                    })
                    .collect(),
            })
            .collect(),
        closing: found.closing.clone(),
        choices: lists
            .map(|list| ChoicesDetail {
                code: list.code.clone(),
                options: list
                    .options
                    .iter()
                    .map(|choice| ChoiceDetail { option: choice.code.clone(), label: choice.label.clone() })
                    .collect(),
            })
            .collect(),
        scales: used
            .map(|scale| ScaleDetail {
                code: scale.code.clone(),
                options: scale
                    .options
                    .iter()
                    .map(|option| OptionDetail {
                        option: option.code.clone(),
                        label: option.label.clone(),
                        percent: option.percent.as_ref().map(to_exact),
                    })
                    .collect(),
            })
            .collect(),
    })
}
