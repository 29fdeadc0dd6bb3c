//! TEMPORARY until the model of rounds has these: the same names and shapes.
#![expect(missing_docs, reason = "goes away")]
pub use crate::questionnaire::{Scale, ScaleOption};
use crate::ratio::Ratio;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questionnaire {
    pub respondent_code: String,
    pub title: String,
    pub intro: String,
    pub closing: Option<String>,
    pub sections: Vec<Section>,
    pub hash: String,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub code: String,
    pub title: String,
    pub intro: Option<String>,
    pub items: Vec<Item>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub code: String,
    pub number: u32,
    pub question: String,
    pub lead: Option<String>,
    pub help: Option<String>,
    pub kind: ItemKind,
    pub required: bool,
    pub only_if: Vec<Condition>,
    pub field: Option<String>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    Scale { scale: String },
    Single { choices: String },
    Multiple { choices: String, at_most: Option<u32> },
    Number { min: Option<Ratio>, max: Option<Ratio>, decimals: u32 },
    Text { letters: u32 },
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub item: String,
    pub holds: Holds,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    Is(Vec<String>),
    IsNot(Vec<String>),
    Between { at_least: Option<Ratio>, at_most: Option<Ratio> },
    Answered(bool),
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    pub code: String,
    pub options: Vec<Choice>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub code: String,
    pub label: String,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    pub code: String,
    pub name: String,
}
impl Questionnaire {
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|s| &s.items)
    }
}
