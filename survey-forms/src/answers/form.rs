//! What one code may answer, and the strict reading of what came in.

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::Asked;
use super::fit::nfc;
use super::{Answer, Answers, Stratum};
use crate::questionnaire::{Choices, Item, Questionnaire, Scale};
use crate::round::Channel;

/// Longest id a round may have; part of the bound on a ballot's length.
pub(crate) const ROUND_ID_MAX: usize = 64;

/// What a code may answer.
#[derive(Clone, Copy)]
pub struct Form<'r> {
    /// The questions.
    pub questionnaire: &'r Questionnaire,
    /// The scales they use.
    pub scales: &'r [Scale],
    /// The lists of choices they use.
    pub choices: &'r [Choices],
    /// The rated bodies, in the order of the ballot.
    pub targets: &'r [String],
    /// Marks are for paper only.
    pub channel: Channel,
}

/// A place in the answers and what is wrong there; never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerFault {
    /// JSON pointer (RFC 6901) into the answers. Names only targets and items of the form: an
    /// unknown name is reported at the object that holds it.
    pub pointer: String,
    /// `answers_not_object`, `target_not_yours`, `target_not_object`, `target_repeated`,
    /// `item_unknown`, `item_repeated`, `item_not_asked`, `answer_malformed`, `option_unknown`, `too_many_choices`,
    /// `number_malformed`, `number_decimals`, `number_range`, `text_control`, `text_too_long`, `mark_unknown`,
    /// `mark_not_online`, `nothing_answered` or `item_missing`.
    pub code: &'static str,
}

/// How far somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Items with an answer, over all targets.
    pub answered: usize,
    /// Items over all targets.
    pub total: usize,
    /// Target and item of what is missing, in the order of the form.
    pub missing: Vec<(String, String)>,
}

impl Form<'_> {
    /// Reads the wire form of answers. A draft may be partial: an absent item is simply absent.
    ///
    /// # Errors
    /// Every place that is wrong, sorted.
    pub fn parse(&self, value: &Value) -> Result<Answers, Vec<AnswerFault>> {
        let mut faults = BTreeSet::new();
        let mut answers = Answers::new();
        match value.as_object() {
            None => note(&mut faults, String::new(), "answers_not_object"),
            Some(targets) => {
                let mut seen = BTreeSet::new();
                for (name, items) in targets {
                    let name = nfc(name);
                    let Some(target) = self.targets.iter().find(|target| **target == name) else {
                        note(&mut faults, String::new(), "target_not_yours");
                        continue;
                    };
                    if !seen.insert(target) {
                        note(&mut faults, pointer(&[target]), "target_repeated");
                    }
                    self.parse_target(target, items, &mut answers, &mut faults);
                }
            }
        }
        if faults.is_empty() { Ok(answers) } else { Err(faults.into_iter().collect()) }
    }

    fn parse_target(&self, target: &str, value: &Value, answers: &mut Answers, faults: &mut BTreeSet<AnswerFault>) {
        let Some(items) = value.as_object() else {
            note(faults, pointer(&[target]), "target_not_object");
            return;
        };
        for (name, answer) in items {
            let Some(item) = self.questionnaire.item(&nfc(name)) else {
                note(faults, pointer(&[target]), "item_unknown");
                continue;
            };
            match self.parse_answer(item, answer) {
                Err(code) => note(faults, pointer(&[target, &item.code]), code),
                Ok(answer) => {
                    if !answers.insert(target, &item.code, answer) {
                        note(faults, pointer(&[target, &item.code]), "item_repeated");
                    }
                }
            }
        }
    }

    fn parse_answer(&self, item: &Item, value: &Value) -> Result<Answer, &'static str> {
        let read = Answer::from_value(value).ok_or_else(|| {
            let members = value.as_object().filter(|members| members.len() == 1);
            let mark = members.and_then(|members| members.get("mark")).is_some_and(Value::is_string);
            if mark { "mark_unknown" } else { "answer_malformed" }
        })?;
        self.answer(item, read)
    }

    /// One answer as it is kept: text in NFC and trimmed, numbers in their shortest form, choices in their order.
    ///
    /// # Errors
    /// Why it may not stand at this item: the codes of [`AnswerFault`].
    pub fn answer(&self, item: &Item, given: Answer) -> Result<Answer, &'static str> {
        let answer = self.settled(item, given);
        self.allowed(item, &answer).map(|()| answer)
    }

    /// Every target with every item, in the order of the form.
    fn places(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.targets.iter().flat_map(|target| self.questionnaire.items().map(move |item| (target.as_str(), item)))
    }

    /// How far these answers go, over the items that are asked.
    #[must_use]
    pub fn complete(&self, answers: &Answers) -> Completeness {
        let asked = self.asked(answers);
        let places: Vec<(&str, &Item)> = self.places().filter(|(target, item)| asked.has(target, &item.code)).collect();
        let missing: Vec<(String, String)> = places
            .iter()
            .filter(|(target, item)| answers.get(target, &item.code).is_none())
            .map(|(target, item)| ((*target).to_owned(), item.code.clone()))
            .collect();
        Completeness { answered: places.len() - missing.len(), total: places.len(), missing }
    }

    fn asked(&self, answers: &Answers) -> Asked<'_> {
        Asked::of(self.questionnaire, self.targets, answers)
    }

    /// Takes out answers to items that, after a change of mind, are not asked any more.
    pub fn prune(&self, answers: &mut Answers) {
        let asked = self.asked(answers);
        let stale: Vec<(&str, &Item)> = self.places().filter(|(target, item)| !asked.has(target, &item.code)).collect();
        for (target, item) in stale {
            answers.remove(target, &item.code);
        }
    }

    /// Whether these answers may be cast: online at least one answer, one for each required item that is asked, and
    /// none for an item that is not; on paper an explicit code for every item; and nothing that the form does not
    /// hold.
    ///
    /// # Errors
    /// Every place that is wrong, sorted.
    pub fn check_cast(&self, answers: &Answers) -> Result<(), Vec<AnswerFault>> {
        let mut faults = BTreeSet::new();
        let asked = self.asked(answers);
        for (target, name, answer) in answers.iter() {
            if !self.targets.iter().any(|own| own == target) {
                note(&mut faults, String::new(), "target_not_yours");
            } else if let Some(item) = self.questionnaire.item(name) {
                if let Err(code) = self.allowed(item, answer) {
                    note(&mut faults, pointer(&[target, name]), code);
                } else if self.channel == Channel::Online && !asked.has(target, name) {
                    note(&mut faults, pointer(&[target, name]), "item_not_asked");
                }
            } else {
                note(&mut faults, pointer(&[target]), "item_unknown");
            }
        }
        if self.channel == Channel::Online && answers.is_empty() {
            note(&mut faults, String::new(), "nothing_answered");
        }
        for (target, item) in self.places() {
            let wanted = match self.channel {
                Channel::Online => item.required && asked.has(target, &item.code),
                Channel::Paper => true,
            };
            if wanted && answers.get(target, &item.code).is_none() {
                note(&mut faults, pointer(&[target, &item.code]), "item_missing");
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().collect()) }
    }

    /// How many answers there are to items that are not scored; `None` when one of them does not fit.
    pub(crate) fn fitting_others(&self, answers: &Answers, asks: impl Fn(&str, &str) -> bool) -> Option<usize> {
        let mut found = 0;
        for (target, item) in self.places().filter(|(_, item)| item.scale().is_none()) {
            let Some(answer) = answers.get(target, &item.code) else { continue };
            let stray = self.channel == Channel::Online && !asks(target, &item.code);
            if stray || self.allowed(item, answer).is_err() {
                return None;
            }
            found += 1;
        }
        Some(found)
    }

    /// No canonical *ballot* ([`super::Ballot::canonical`]) of this form is longer, in bytes, in
    /// any round. For one bucket a questionnaire see [`crate::Round::ballot_bucket`].
    #[must_use]
    pub fn max_canonical_len(&self) -> usize {
        let stratum =
            Stratum { respondent_code: self.questionnaire.respondent_code.clone(), targets: self.targets.to_vec() };
        let frame = r#"{"answers":,"questionnaire":"","round":"","stratum":""}"#.len();
        let head = frame + self.questionnaire.hash.len() + ROUND_ID_MAX + stratum.to_string().len();
        let items: usize = self.questionnaire.items().map(|item| member(&item.code) + self.longest(item)).sum();
        let targets: usize = self.targets.iter().map(|target| member(target) + 2 + items).sum();
        head + 2 + targets
    }
}

/// `"key":` and a comma. Codes need no escapes: the round's check refuses such codes.
fn member(key: &str) -> usize {
    key.len() + 4
}

fn note(faults: &mut BTreeSet<AnswerFault>, pointer: String, code: &'static str) {
    faults.insert(AnswerFault { pointer, code });
}

fn pointer(steps: &[&str]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}
