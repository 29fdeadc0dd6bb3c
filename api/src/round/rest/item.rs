//! What an answer to an item may be, as JSON: the same wherever a question is shown.

use serde::Serialize;
use survey_forms::questionnaire::{Condition, Holds, Item, ItemKind};
use survey_forms::ratio::to_exact;
use utoipa::ToSchema;

/// What an answer may be, and when the question is asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemRules {
    /// `scale`, `single`, `multiple`, `number` or `text`.
    #[schema(example = "scale")]
    kind: &'static str,
    /// Scale: its code.
    #[schema(example = "L5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<String>,
    /// Single and multiple: code of the list of choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<String>,
    /// Multiple: most choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<u32>,
    /// Number: least, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    /// Number: greatest, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    /// Number: most digits behind the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u32>,
    /// Text: most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    letters: Option<u32>,
    /// Online, it must be answered when it is asked.
    required: bool,
    /// A note before the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<String>,
    /// A hint below the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Asked only if all of these hold for the same target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    only_if: Vec<ConditionDetail>,
}

/// A condition on an earlier answer; one of its members beside `item` is there, or the two bounds.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct ConditionDetail {
    /// The earlier item.
    item: String,
    /// Its answer is, or holds, one of these options.
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<Vec<String>>,
    /// Its answer is none of these options; holds without an answer too.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_not: Option<Vec<String>>,
    /// Its number is not below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<String>,
    /// Its number is not above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<String>,
    /// Whether it is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<bool>,
}

impl From<&Item> for ItemRules {
    fn from(item: &Item) -> Self {
        let mut rules = Self {
            kind: item.kind.as_str(),
            scale: item.scale().map(str::to_owned),
            choices: None,
            at_most: None,
            min: None,
            max: None,
            decimals: None,
            letters: None,
            required: item.required,
            lead: item.lead.clone(),
            help: item.help.clone(),
            only_if: item.only_if.iter().map(ConditionDetail::from).collect(),
        };
        match &item.kind {
            ItemKind::Scale { .. } => {}
            ItemKind::Single { choices } => rules.choices = Some(choices.clone()),
            ItemKind::Multiple { choices, at_most } => {
                rules.choices = Some(choices.clone());
                rules.at_most = *at_most;
            }
            ItemKind::Number { min, max, decimals } => {
                rules.min = min.as_ref().map(to_exact);
                rules.max = max.as_ref().map(to_exact);
                rules.decimals = Some(*decimals);
            }
            ItemKind::Text { letters } => rules.letters = Some(*letters),
        }
        rules
    }
}

impl From<&Condition> for ConditionDetail {
    fn from(condition: &Condition) -> Self {
        let mut detail = Self { item: condition.item.clone(), ..Self::default() };
        match &condition.holds {
            Holds::Is(options) => detail.is = Some(options.clone()),
            Holds::IsNot(options) => detail.is_not = Some(options.clone()),
            Holds::Between { at_least, at_most } => {
                detail.at_least = at_least.as_ref().map(to_exact);
                detail.at_most = at_most.as_ref().map(to_exact);
            }
            Holds::Answered(answered) => detail.answered = Some(*answered),
        }
        detail
    }
}
