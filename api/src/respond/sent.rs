//! What the respondents' forms post: a code, a section's answers, which button.

use std::collections::BTreeMap;

use crate::ballot::{Token, page_mark};
use crate::http::{Problem, codes};

/// Before the item's code in the name of a field.
pub(super) const ITEM: &str = "c.";
/// The field that says whose page it is.
const MARK: &str = "cua";
/// The field that names those items on the page that not everybody is asked.
const SHOWN: &str = "hoi";

/// Which button was pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    Next,
    Back,
    Review,
    Leave,
    /// Another language; the place stays.
    Language,
}

/// A form as read. It has no `Debug`: there are a code and answers in it.
pub(super) struct Sent {
    /// What was typed as code, if the form had that field.
    pub(super) code: Option<String>,
    /// Whose page it was ([`crate::ballot::page_mark`]).
    pub(super) mark: Option<String>,
    /// Item code to what its field, or its fields, said.
    pub(super) given: BTreeMap<String, Vec<String>>,
    /// Codes, with commas, of the items on the page that not everybody is asked.
    pub(super) shown: Option<String>,
    /// The language chosen.
    pub(super) language: Option<String>,
    /// An item whose answer is taken back.
    pub(super) clear: Option<String>,
    pub(super) go: Go,
    /// Whether a button was pressed; the page's script sends the form without.
    pub(super) pressed: bool,
}

impl Sent {
    /// Nothing sent.
    pub(super) fn empty() -> Self {
        Self {
            code: None,
            mark: None,
            given: BTreeMap::new(),
            shown: None,
            language: None,
            clear: None,
            go: Go::Next,
            pressed: false,
        }
    }

    /// Reads a form strictly: no field that the pages do not have, and each once but those of answers.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let refused = || Problem::new(&codes::FIELDS_INVALID);
        let mut sent = Self::empty();
        for (name, value) in pairs {
            match name.as_str() {
                "ma" if sent.code.is_none() => sent.code = Some(value),
                MARK if sent.mark.is_none() => sent.mark = Some(value),
                SHOWN if sent.shown.is_none() => sent.shown = Some(value),
                "ngu" if sent.language.is_none() => {
                    (sent.pressed, sent.go) = (true, Go::Language);
                    sent.language = Some(value);
                }
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
                    sent.given.entry(item.to_owned()).or_default().push(value);
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
        self.given.is_empty() && self.clear.is_none()
    }

    /// Whether the page had this item, which not everybody is asked. `None`: the page did not say.
    pub(super) fn was_shown(&self, item: &str) -> Option<bool> {
        self.shown.as_ref().map(|codes| codes.split(',').any(|code| code == item))
    }

    /// The answers, and whose they are, as hidden fields: for a page that asks for the code again without losing them.
    pub(super) fn carried(&self) -> Vec<(String, String)> {
        let mark = self.mark.iter().map(|mark| (MARK.to_owned(), mark.clone()));
        let shown = self.shown.iter().map(|codes| (SHOWN.to_owned(), codes.clone()));
        let field = |(item, values): (&String, &Vec<String>)| {
            let name = format!("{ITEM}{item}");
            values.iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
        };
        mark.chain(shown).chain(self.given.iter().flat_map(field)).collect()
    }
}
