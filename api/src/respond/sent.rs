//! What the respondents' forms post: a code, a section's answers, which button.

use serde_json::{Map, Value};

use crate::ballot::{Token, page_mark};
use crate::http::{Problem, codes};

/// Before the item's code in the name of a radio group.
pub(super) const ITEM: &str = "c.";
/// The field that says whose page it is.
const MARK: &str = "cua";

/// Which button was pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    Next,
    Back,
    Review,
    Leave,
}

/// A form as read. It has no `Debug`: there are a code and answers in it.
pub(super) struct Sent {
    /// What was typed as code, if the form had that field.
    pub(super) code: Option<String>,
    /// Whose page it was ([`crate::ballot::page_mark`]).
    pub(super) mark: Option<String>,
    /// Item code to option.
    pub(super) answers: Map<String, Value>,
    /// An item whose answer is taken back.
    pub(super) clear: Option<String>,
    pub(super) go: Go,
    /// Whether a button was pressed; the page's script sends the form without.
    pub(super) pressed: bool,
}

impl Sent {
    /// Nothing sent.
    pub(super) fn empty() -> Self {
        Self { code: None, mark: None, answers: Map::new(), clear: None, go: Go::Next, pressed: false }
    }

    /// Reads a form strictly: each field once, no field that the pages do not have.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let refused = || Problem::new(&codes::FIELDS_INVALID);
        let mut sent = Self::empty();
        for (name, value) in pairs {
            match name.as_str() {
                "ma" if sent.code.is_none() => sent.code = Some(value),
                MARK if sent.mark.is_none() => sent.mark = Some(value),
                "bo" if sent.clear.is_none() => {
                    sent.pressed = true;
                    sent.clear = Some(value);
                }
                "di" => {
                    sent.pressed = true;
                    sent.go = match value.as_str() {
                        "tiep" => Go::Next,
                        "lui" => Go::Back,
                        "xem-lai" => Go::Review,
                        "thoat" => Go::Leave,
                        _ => return Err(refused()),
                    }
                }
                _ => {
                    let item = name.strip_prefix(ITEM).ok_or_else(refused)?;
                    if sent.answers.insert(item.to_owned(), Value::String(value)).is_some() {
                        return Err(refused());
                    }
                }
            }
        }
        Ok(sent)
    }

    /// Whether it was sent from a page of another code: an old tab on a shared computer. Pages from before there were
    /// marks have none.
    pub(super) fn is_of_another(&self, token: &Token) -> bool {
        self.mark.as_ref().is_some_and(|mark| *mark != page_mark(token))
    }

    /// Whether there is nothing to keep.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.clear.is_none()
    }

    /// The answers, and whose they are, as hidden fields: for a page that asks for the code again without losing them.
    pub(super) fn carried(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mark = self.mark.iter().map(|mark| (MARK.to_owned(), mark.clone()));
        mark.chain(self.answers.iter().map(|(item, value)| (format!("{ITEM}{item}"), text(value)))).collect()
    }
}
