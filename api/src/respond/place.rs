//! Where somebody is in a form: which target, which screen; and the address of that place. A short ballot about one
//! target is one screen, so that nobody presses a button after each pair of questions; any other has a screen a section.

use serde::Deserialize;
use survey_forms::answers::{Answers, Asked, Form};
use survey_forms::questionnaire::{Item, Section};

/// The query of `/p`. It names a place, never an answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    /// Code of the target (đối tượng).
    pub(super) dt: Option<String>,
    /// Number of the screen (phần), from 1.
    pub(super) phan: Option<usize>,
}

/// Most questions of a ballot that is one screen.
const ONE_SCREEN: usize = 12;

/// One screen about a target. Both indices lie within the form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) target: usize,
    pub(super) screen: usize,
}

/// Whether the ballot is one screen, its sections under headings.
pub(super) fn is_one_screen(form: &Form<'_>) -> bool {
    form.targets.len() == 1 && form.questionnaire.items().count() <= ONE_SCREEN
}

/// How many screens there are about each target.
pub(super) fn screens(form: &Form<'_>) -> usize {
    if is_one_screen(form) { 1 } else { form.questionnaire.sections.len() }
}

/// A form with what of it is asked, given the answers so far.
pub(super) struct Course<'f> {
    pub(super) form: Form<'f>,
    asked: Asked<'f>,
}

impl<'f> Course<'f> {
    pub(super) fn of(form: Form<'f>, answers: &Answers) -> Self {
        Self { form, asked: Asked::of(form.questionnaire, form.targets, answers) }
    }

    /// Whether this item is asked about this target.
    pub(super) fn asks(&self, target: &str, item: &str) -> bool {
        self.asked.has(target, item)
    }

    /// Items of the section that are asked about this target.
    pub(super) fn items<'s>(&'s self, section: &'f Section, target: &'s str) -> impl Iterator<Item = &'f Item> + 's {
        section.items.iter().filter(move |item| self.asks(target, &item.code))
    }

    /// How many of them have no answer.
    pub(super) fn unanswered(&self, section: &'f Section, target: &str, answers: &Answers) -> usize {
        self.items(section, target).filter(|item| answers.get(target, &item.code).is_none()).count()
    }

    /// Whether anything is asked on this screen.
    pub(super) fn holds(&self, place: Place) -> bool {
        let target = place.target(&self.form);
        place.sections(&self.form).iter().any(|section| self.items(section, target).next().is_some())
    }
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
    /// Where the address leads. Without a screen: the first one that has a blank, so that another device goes on
    /// where this one stopped.
    pub(super) fn find(course: &Course<'_>, answers: &Answers, address: &Address) -> Spot {
        let form = &course.form;
        let single = form.targets.len() == 1;
        let target = match &address.dt {
            Some(code) => form.targets.iter().position(|target| target == code),
            None if single => Some(0),
            None if address.phan.is_none() => return Spot::Tasks,
            None => None,
        };
        let Some(target) = target else { return Spot::Nowhere };
        let screens = screens(form);
        match address.phan {
            Some(number) if (1..=screens).contains(&number) => {
                Spot::At(Self { target, screen: number.saturating_sub(1) })
            }
            Some(_) => Spot::Nowhere,
            None => {
                let code = form.targets.get(target).map_or("", String::as_str);
                let mut all = (0..screens).map(|screen| Self { target, screen });
                let blank = all.find(|p| p.sections(form).iter().any(|s| course.unanswered(s, code, answers) > 0));
                match blank {
                    Some(place) => Spot::At(place),
                    None if single && address.dt.is_none() => Spot::Review,
                    None => Spot::At(Self { target, screen: 0 }),
                }
            }
        }
    }

    pub(super) fn target<'f>(&self, form: &Form<'f>) -> &'f str {
        form.targets.get(self.target).map_or("", String::as_str)
    }

    /// What is asked on this screen.
    pub(super) fn sections<'f>(&self, form: &Form<'f>) -> &'f [Section] {
        let all = form.questionnaire.sections.as_slice();
        if is_one_screen(form) { all } else { all.get(self.screen).map(std::slice::from_ref).unwrap_or_default() }
    }

    /// The address of this screen, without the site's prefix.
    pub(super) fn path(&self, form: &Form<'_>) -> String {
        let number = self.screen + 1;
        if form.targets.len() == 1 {
            format!("/p?phan={number}")
        } else {
            format!("/p?dt={}&phan={number}", encoded(self.target(form)))
        }
    }

    /// The address after this screen: the next one with a question, then the list of targets or the review.
    pub(super) fn next(&self, course: &Course<'_>) -> String {
        let mut later = (self.screen + 1..screens(&course.form)).map(|screen| Self { screen, ..*self });
        match (later.find(|place| course.holds(*place)), course.form.targets.len()) {
            (Some(place), _) => place.path(&course.form),
            (None, 1) => "/p/xem-lai".to_owned(),
            (None, _) => "/p".to_owned(),
        }
    }

    /// The address before this screen.
    pub(super) fn previous(&self, course: &Course<'_>) -> Option<String> {
        let mut earlier = (0..self.screen).rev().map(|screen| Self { screen, ..*self });
        match (earlier.find(|place| course.holds(*place)), course.form.targets.len()) {
            (Some(place), _) => Some(place.path(&course.form)),
            (None, 1) => None,
            (None, _) => Some("/p".to_owned()),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use survey_forms::Round;

    fn address(phan: Option<usize>) -> Address {
        Address { dt: None, phan }
    }

    #[test]
    fn twelve_questions_about_one_target_are_one_screen_and_more_are_a_screen_a_section() {
        let round = Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
        let one = ["SNV".to_owned()];
        let form = round.form("CC-CT", &one).unwrap();
        let all = |form| Course::of(form, &Answers::new());
        assert_eq!((form.questionnaire.items().count(), screens(&form)), (12, 1));
        let Spot::At(place) = Place::find(&all(form), &Answers::new(), &address(None)) else { panic!("the screen") };
        assert_eq!((place.sections(&form).len(), place.next(&all(form)).as_str()), (7, "/p/xem-lai"));
        assert!(place.previous(&all(form)).is_none());
        assert!(matches!(Place::find(&all(form), &Answers::new(), &address(Some(2))), Spot::Nowhere));

        let mut longer = form.questionnaire.clone();
        let mut more = longer.sections[0].items[0].clone();
        more.code = "X9.9".to_owned();
        longer.sections[6].items.push(more);
        let form = Form { questionnaire: &longer, ..form };
        assert_eq!(screens(&form), 7);
        let Spot::At(first) = Place::find(&all(form), &Answers::new(), &address(None)) else { panic!("a screen") };
        assert_eq!((first.sections(&form).len(), first.next(&all(form)).as_str()), (1, "/p?phan=2"));
        let Spot::At(last) = Place::find(&all(form), &Answers::new(), &address(Some(7))) else { panic!("a screen") };
        assert_eq!(
            (last.next(&all(form)).as_str(), last.previous(&all(form)).as_deref()),
            ("/p/xem-lai", Some("/p?phan=6"))
        );

        let two = ["SNV".to_owned(), "STC".to_owned()];
        let several = round.form("CC-CT", &two).unwrap();
        assert_eq!(screens(&several), 7);
        assert!(matches!(Place::find(&all(several), &Answers::new(), &address(None)), Spot::Tasks));
    }
}
