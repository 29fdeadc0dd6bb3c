//! Where somebody is in a form: which target, which section; and the address of that place.

use serde::Deserialize;
use survey_forms::answers::{Answers, Form};
use survey_forms::questionnaire::Section;

/// The query of `/p`. It names a place, never an answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    /// Code of the target (đối tượng).
    pub(super) dt: Option<String>,
    /// Number of the section (phần), from 1.
    pub(super) phan: Option<usize>,
}

/// One screen: a section about a target. Both indices lie within the form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) target: usize,
    pub(super) section: usize,
}

/// What an address leads to.
pub(super) enum Spot {
    /// The list of targets.
    Tasks,
    /// A screen.
    At(Place),
    /// Everything is answered: the review.
    Review,
    /// Nothing of this form.
    Nowhere,
}

impl Place {
    /// Where the address leads. Without a section: the first one that has a blank, so that another device goes on
    /// where this one stopped.
    pub(super) fn find(form: &Form<'_>, answers: &Answers, address: &Address) -> Spot {
        let single = form.targets.len() == 1;
        let target = match &address.dt {
            Some(code) => form.targets.iter().position(|target| target == code),
            None if single => Some(0),
            None if address.phan.is_none() => return Spot::Tasks,
            None => None,
        };
        let Some(target) = target else { return Spot::Nowhere };
        let sections = &form.questionnaire.sections;
        match address.phan {
            Some(number) if (1..=sections.len()).contains(&number) => {
                Spot::At(Self { target, section: number.saturating_sub(1) })
            }
            Some(_) => Spot::Nowhere,
            None => {
                let code = form.targets.get(target).map_or("", String::as_str);
                let blank = sections.iter().position(|s| unanswered(s, code, answers) > 0);
                match blank {
                    Some(section) => Spot::At(Self { target, section }),
                    None if single && address.dt.is_none() => Spot::Review,
                    None => Spot::At(Self { target, section: 0 }),
                }
            }
        }
    }

    pub(super) fn target<'f>(&self, form: &Form<'f>) -> &'f str {
        form.targets.get(self.target).map_or("", String::as_str)
    }

    pub(super) fn section<'f>(&self, form: &Form<'f>) -> Option<&'f Section> {
        form.questionnaire.sections.get(self.section)
    }

    /// The address of this screen, without the site's prefix.
    pub(super) fn path(&self, form: &Form<'_>) -> String {
        let number = self.section + 1;
        if form.targets.len() == 1 {
            format!("/p?phan={number}")
        } else {
            format!("/p?dt={}&phan={number}", encoded(self.target(form)))
        }
    }

    /// The address after this screen: the next section, then the list of targets or the review.
    pub(super) fn next(&self, form: &Form<'_>) -> String {
        let last = self.section + 1 >= form.questionnaire.sections.len();
        match (last, form.targets.len()) {
            (false, _) => Self { section: self.section + 1, ..*self }.path(form),
            (true, 1) => "/p/xem-lai".to_owned(),
            (true, _) => "/p".to_owned(),
        }
    }

    /// The address before this screen.
    pub(super) fn previous(&self, form: &Form<'_>) -> Option<String> {
        match (self.section.checked_sub(1), form.targets.len()) {
            (Some(section), _) => Some(Self { section, ..*self }.path(form)),
            (None, 1) => None,
            (None, _) => Some("/p".to_owned()),
        }
    }
}

/// Items of the section without an answer about this target.
pub(super) fn unanswered(section: &Section, target: &str, answers: &Answers) -> usize {
    section.items.iter().filter(|item| answers.get(target, &item.code).is_none()).count()
}

/// Percent-encoded for a query or a fragment (RFC 3986, unreserved characters stay).
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
