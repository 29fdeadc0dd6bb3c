//! What was answered: answers, the form that may hold them, and the ballot that is sealed.
//!
//! Nothing here can be printed: answers have neither `Debug` nor `Display`, and faults carry places
//! and codes only.

mod asked;
mod ballot;
mod fit;
mod form;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use zeroize::Zeroize;

pub use crate::canonical;
pub use asked::Asked;
pub use ballot::{Ballot, BallotFault, Stratum};
pub(crate) use form::ROUND_ID_MAX;
pub use form::{AnswerFault, Completeness, Form};

/// Why a paper item holds no option. Emptiness is never data: each is a value of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing marked.
    Blank,
    /// More than one option marked.
    Several,
    /// Cannot be read.
    Illegible,
}

impl Mark {
    /// All marks.
    pub const ALL: [Mark; 3] = [Mark::Blank, Mark::Several, Mark::Illegible];

    /// `blank`, `several` or `illegible`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Blank => "blank",
            Mark::Several => "several",
            Mark::Illegible => "illegible",
        }
    }

    /// The mark of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Mark> {
        Mark::ALL.into_iter().find(|mark| mark.as_str() == text)
    }
}

/// The answer to one item about one target. On the wire `"B"`, `["A","C"]`, `{"number":"12.5"}`, `{"text":".."}` or
/// `{"mark":"blank"}`.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The code of an option.
    Choice(String),
    /// Codes of choices, in the order of their list.
    Choices(Vec<String>),
    /// A decimal number in its shortest form.
    Number(String),
    /// Free text in NFC, without blanks around it.
    Text(String),
    /// Paper only: no option.
    Mark(Mark),
}

/// Answers by target and item. Wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<String, BTreeMap<String, Answer>>);

impl Answers {
    /// No answers.
    #[must_use]
    pub fn new() -> Self {
        Answers::default()
    }

    /// The answer to an item about a target.
    #[must_use]
    pub fn get(&self, target: &str, item: &str) -> Option<&Answer> {
        self.0.get(target)?.get(item)
    }

    /// Sets an answer; true when there was none before.
    pub fn insert(&mut self, target: &str, item: &str, answer: Answer) -> bool {
        let items = self.0.entry(target.to_owned()).or_default();
        match items.insert(item.to_owned(), answer) {
            Some(mut old) => {
                old.wipe();
                false
            }
            None => true,
        }
    }

    /// Takes an answer out; true when there was one.
    pub fn remove(&mut self, target: &str, item: &str) -> bool {
        let Some(items) = self.0.get_mut(target) else {
            return false;
        };
        let removed = items.remove(item).map(|mut old| old.wipe()).is_some();
        if items.is_empty() {
            self.0.remove(target);
        }
        removed
    }

    /// Target, item, answer, in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Answer)> {
        self.0.iter().flat_map(|(target, items)| {
            items.iter().map(move |(item, answer)| (target.as_str(), item.as_str(), answer))
        })
    }

    /// How many answers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The wire form, for drafts and ballots. The caller keeps it out of logs.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut targets = Map::new();
        for (target, items) in &self.0 {
            let items = items.iter().map(|(item, answer)| (item.clone(), answer.to_value()));
            targets.insert(target.clone(), Value::Object(items.collect()));
        }
        Value::Object(targets)
    }

    /// Canonical JSON (RFC 8785) of the wire form.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        canonical::to_vec(&self.to_value())
    }
}

impl Answer {
    /// The wire form. The caller keeps it out of logs.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Answer::Choice(option) => Value::String(option.clone()),
            Answer::Choices(options) => json!(options),
            Answer::Number(number) => json!({ "number": number }),
            Answer::Text(text) => json!({ "text": text }),
            Answer::Mark(mark) => json!({ "mark": mark.as_str() }),
        }
    }

    fn wipe(&mut self) {
        match self {
            Answer::Choice(text) | Answer::Number(text) | Answer::Text(text) => text.zeroize(),
            Answer::Choices(options) => options.zeroize(),
            Answer::Mark(_) => {}
        }
    }

    /// Reads the wire form of one answer; `None` when it is none. Whether it fits its item: [`Form`].
    fn from_value(value: &Value) -> Option<Answer> {
        match value {
            Value::String(option) => Some(Answer::Choice(option.clone())),
            Value::Array(options) => {
                let options = options.iter().map(|option| option.as_str().map(str::to_owned));
                options.collect::<Option<Vec<String>>>().map(Answer::Choices)
            }
            Value::Object(members) if members.len() == 1 => {
                let text = |key: &str| members.get(key).and_then(Value::as_str);
                if let Some(number) = text("number") {
                    return Some(Answer::Number(number.to_owned()));
                }
                if let Some(written) = text("text") {
                    return Some(Answer::Text(written.to_owned()));
                }
                text("mark").and_then(Mark::parse).map(Answer::Mark)
            }
            _ => None,
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.values_mut().flat_map(BTreeMap::values_mut).for_each(Answer::wipe);
    }
}
