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
    /// Code of its scale.
    pub scale: String,
    /// Code of its field, from its criterion.
    pub field: String,
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

    /// The canonical JSON (RFC 8785) of what people see: the questionnaire and the options of the
    /// scales it uses.
    #[must_use]
    pub fn canonical(&self, scales: &[Scale]) -> Vec<u8> {
        let used: Vec<&Scale> =
            scales.iter().filter(|scale| self.items().any(|item| item.scale == scale.code)).collect();
        canonical::to_vec(&serde_json::json!({ "questionnaire": self, "scales": used }))
    }

    /// Fills in the hash once everything else is known.
    pub(crate) fn sealed(mut self, scales: &[Scale]) -> Self {
        self.hash = hex(&Sha256::digest(self.canonical(scales)));
        self
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
