//! What is asked: questionnaires, their items and scales, and what an item counts for.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::ratio::{self, Ratio};

/// The form of one respondent group (mẫu phiếu).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Questionnaire {
    /// The group it is for.
    pub respondent_code: String,
    /// Heading.
    pub title: String,
    /// What is said before the first question.
    pub intro: String,
    /// What is said after the last one, on the page of review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<String>,
    /// Sections, in order.
    pub sections: Vec<Section>,
    /// SHA-256, lower-case hex, of [`Questionnaire::canonical`].
    #[serde(skip)]
    pub hash: String,
}

/// A screen or block of a questionnaire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Identifier inside the questionnaire.
    pub code: String,
    /// Heading (lĩnh vực).
    pub title: String,
    /// What is said before its first question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<String>,
    /// Items, in order.
    pub items: Vec<Item>,
}

/// One question (câu hỏi).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Identifier; the same code in two questionnaires asks two groups about one criterion.
    pub code: String,
    /// 1.. through the questionnaire, as on paper.
    pub number: u32,
    /// The words of the question.
    pub question: String,
    /// A note shown before the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// A hint below the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What an answer is.
    #[serde(flatten)]
    pub kind: ItemKind,
    /// Online: must be answered when it is asked. On paper emptiness is a code of its own.
    #[serde(skip_serializing_if = "is_false")]
    pub required: bool,
    /// Asked only if all of these hold for the same target; none: always. Its section's conditions stand among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<Condition>,
    /// Code of its field, from its criterion; `None`: no score uses the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(truth: &bool) -> bool {
    !*truth
}

/// What an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemKind {
    /// One option of a scale; the only kind that is scored.
    Scale {
        /// Code of the scale.
        scale: String,
    },
    /// One of a list of choices.
    Single {
        /// Code of the list.
        choices: String,
    },
    /// Any of a list of choices, at least one.
    Multiple {
        /// Code of the list.
        choices: String,
        /// Most that may be taken.
        #[serde(skip_serializing_if = "Option::is_none")]
        at_most: Option<u32>,
    },
    /// A decimal number.
    Number {
        /// Least.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "ratio::as_optional_text")]
        min: Option<Ratio>,
        /// Greatest.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "ratio::as_optional_text")]
        max: Option<Ratio>,
        /// Digits that may stand behind the point, 0 to 4.
        decimals: u32,
    },
    /// Free text.
    Text {
        /// Most characters (Unicode scalar values in NFC).
        letters: u32,
    },
}

impl ItemKind {
    /// `scale`, `single`, `multiple`, `number` or `text`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            ItemKind::Scale { .. } => "scale",
            ItemKind::Single { .. } => "single",
            ItemKind::Multiple { .. } => "multiple",
            ItemKind::Number { .. } => "number",
            ItemKind::Text { .. } => "text",
        }
    }
}

/// A condition on an earlier item's answer about the same target. An item that is not asked counts as unanswered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The earlier item.
    pub item: String,
    /// What its answer must be.
    #[serde(flatten)]
    pub holds: Holds,
}

/// What an answer must be for a condition to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// One of these options; of several choices, at least one of them.
    Is(Vec<String>),
    /// None of these options; holds too when there is no answer.
    IsNot(Vec<String>),
    /// A number within these bounds, both inclusive; at least one is there.
    Between {
        /// Least.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "ratio::as_optional_text")]
        at_least: Option<Ratio>,
        /// Greatest.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "ratio::as_optional_text")]
        at_most: Option<Ratio>,
    },
    /// Whether there is an answer.
    Answered(bool),
}

/// A list of choices that are worth nothing in a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Identifier.
    pub code: String,
    /// Choices in order; on paper keyed by their position, from 1.
    pub options: Vec<Choice>,
}

/// One choice of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is stored.
    pub code: String,
    /// What people see.
    pub label: String,
}

/// An option of an item, whether from a scale or from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered<'r> {
    /// What is stored.
    pub code: &'r str,
    /// What people see.
    pub label: &'r str,
}

/// An answer scale (thang).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scale {
    /// Identifier.
    pub code: String,
    /// Options in order; on paper keyed by their position, from 1.
    pub options: Vec<ScaleOption>,
}

/// One option of a scale (phương án).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScaleOption {
    /// What is stored.
    pub code: String,
    /// What people see.
    pub label: String,
    /// Its worth, 0 to 100; `None` is excluded from means and counts, never zero.
    #[serde(serialize_with = "ratio::as_optional_text")]
    pub percent: Option<Ratio>,
    /// Its worth on another scale, 0 to 100, to see what the ranks would be; never in a score. Left out of the rules hash
    /// when there is none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "ratio::as_optional_text")]
    pub other_percent: Option<Ratio>,
}

/// What an item counts for (tiêu chí).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Criterion {
    /// The item.
    pub item_code: String,
    /// Code of its field.
    pub field: String,
    /// What people see.
    pub name: String,
    /// Number of the official criterion, when known.
    pub index_ref: Option<String>,
    /// Points at 100 %.
    #[serde(serialize_with = "ratio::as_text")]
    pub max_points: Ratio,
}

impl Scale {
    /// The option with this code.
    #[must_use]
    pub fn option(&self, code: &str) -> Option<&ScaleOption> {
        self.options.iter().find(|option| option.code == code)
    }
}

impl Questionnaire {
    /// All items, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|section| &section.items)
    }

    /// The item with this code.
    #[must_use]
    pub fn item(&self, code: &str) -> Option<&Item> {
        self.items().find(|item| item.code == code)
    }

    /// The canonical JSON (RFC 8785) of what people see: the questionnaire, and the options of the scales and lists it
    /// uses.
    #[must_use]
    pub fn canonical(&self, scales: &[Scale], choices: &[Choices]) -> Vec<u8> {
        let uses = |list: &str| self.items().any(|item| item.list() == Some(list));
        let scales: Vec<&Scale> = scales.iter().filter(|scale| uses(&scale.code)).collect();
        let choices: Vec<&Choices> = choices.iter().filter(|list| uses(&list.code)).collect();
        let mut seen = serde_json::json!({ "questionnaire": self, "scales": scales });
        if let Some(members) = seen.as_object_mut()
            && !choices.is_empty()
        {
            members.insert("choices".to_owned(), serde_json::json!(choices));
        }
        canonical::to_vec(&seen)
    }

    /// Fills in the hash once everything else is known.
    pub(crate) fn sealed(mut self, scales: &[Scale], choices: &[Choices]) -> Self {
        self.hash = hex(&Sha256::digest(self.canonical(scales, choices)));
        self
    }
}

impl Item {
    /// The scale of a scored item.
    #[must_use]
    pub fn scale(&self) -> Option<&str> {
        match &self.kind {
            ItemKind::Scale { scale } => Some(scale),
            _ => None,
        }
    }

    /// The scale or list that its options come from.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        match &self.kind {
            ItemKind::Scale { scale: list }
            | ItemKind::Single { choices: list }
            | ItemKind::Multiple { choices: list, .. } => Some(list),
            ItemKind::Number { .. } | ItemKind::Text { .. } => None,
        }
    }

    /// Its options in order; none for numbers and text.
    #[must_use]
    pub fn options<'r>(&self, scales: &'r [Scale], choices: &'r [Choices]) -> Vec<Offered<'r>> {
        match &self.kind {
            ItemKind::Scale { scale } => {
                let found = scales.iter().find(|known| known.code == *scale);
                let options = found.map(|found| found.options.as_slice()).unwrap_or_default();
                options.iter().map(|option| Offered { code: &option.code, label: &option.label }).collect()
            }
            ItemKind::Single { choices: list } | ItemKind::Multiple { choices: list, .. } => {
                let found = choices.iter().find(|known| known.code == *list);
                let options = found.map(|found| found.options.as_slice()).unwrap_or_default();
                options.iter().map(|option| Offered { code: &option.code, label: &option.label }).collect()
            }
            ItemKind::Number { .. } | ItemKind::Text { .. } => Vec::new(),
        }
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
