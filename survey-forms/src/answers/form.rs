//! What one code may answer, and the strict reading of what came in.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{Answer, Answers, Mark, Stratum};
use crate::questionnaire::{Item, Questionnaire, Scale};
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
    /// `item_unknown`, `item_repeated`, `answer_malformed`, `option_unknown`, `mark_unknown`,
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
        match value {
            Value::String(option) => {
                let answer = Answer::Choice(nfc(option));
                self.allowed(item, &answer).map(|()| answer)
            }
            Value::Object(members) if members.len() == 1 => {
                let mark = members.get("mark").ok_or("answer_malformed")?;
                let mark = mark.as_str().ok_or("answer_malformed")?;
                let answer = Answer::Mark(Mark::parse(mark).ok_or("mark_unknown")?);
                self.allowed(item, &answer).map(|()| answer)
            }
            _ => Err("answer_malformed"),
        }
    }

    fn allowed(&self, item: &Item, answer: &Answer) -> Result<(), &'static str> {
        match answer {
            Answer::Mark(_) if self.channel == Channel::Online => Err("mark_not_online"),
            Answer::Mark(_) => Ok(()),
            Answer::Choice(option) => {
                let scale = self.scales.iter().find(|scale| scale.code == item.scale);
                let known = scale.is_some_and(|scale| scale.option(option).is_some());
                if known { Ok(()) } else { Err("option_unknown") }
            }
        }
    }

    /// Every target with every item, in the order of the form.
    fn places(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.targets.iter().flat_map(|target| self.questionnaire.items().map(move |item| (target.as_str(), item)))
    }

    /// How far these answers go.
    #[must_use]
    pub fn complete(&self, answers: &Answers) -> Completeness {
        let total = self.targets.len() * self.questionnaire.items().count();
        let missing: Vec<(String, String)> = self
            .places()
            .filter(|(target, item)| answers.get(target, &item.code).is_none())
            .map(|(target, item)| (target.to_owned(), item.code.clone()))
            .collect();
        Completeness { answered: total - missing.len(), total, missing }
    }

    /// Whether these answers may be cast: online at least one answer, on paper an explicit code for
    /// every item, and nothing that the form does not hold.
    ///
    /// # Errors
    /// Every place that is wrong, sorted.
    pub fn check_cast(&self, answers: &Answers) -> Result<(), Vec<AnswerFault>> {
        let mut faults = BTreeSet::new();
        for (target, name, answer) in answers.iter() {
            if !self.targets.iter().any(|own| own == target) {
                note(&mut faults, String::new(), "target_not_yours");
            } else if let Some(item) = self.questionnaire.item(name) {
                if let Err(code) = self.allowed(item, answer) {
                    note(&mut faults, pointer(&[target, name]), code);
                }
            } else {
                note(&mut faults, pointer(&[target]), "item_unknown");
            }
        }
        match self.channel {
            Channel::Online if answers.is_empty() => {
                note(&mut faults, String::new(), "nothing_answered");
            }
            Channel::Online => {}
            Channel::Paper => {
                for (target, item) in self.complete(answers).missing {
                    note(&mut faults, pointer(&[&target, &item]), "item_missing");
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().collect()) }
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

    fn longest(&self, item: &Item) -> usize {
        let scale = self.scales.iter().find(|scale| scale.code == item.scale);
        let options = scale.map(|scale| scale.options.as_slice()).unwrap_or_default();
        let choice = options.iter().map(|option| option.code.len() + 2).max().unwrap_or(0);
        let mark = Mark::ALL.iter().map(|mark| r#"{"mark":""}"#.len() + mark.as_str().len()).max();
        match self.channel {
            Channel::Online => choice,
            Channel::Paper => choice.max(mark.unwrap_or(0)),
        }
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

fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}
