//! Simulated respondents: each target has a quality, each item a difficulty, each person a leniency. Invented, and
//! nothing else: no answer here says anything about a real agency.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::rngs::StdRng;
use survey_forms::answers::{Answer, Answers, Form, Mark};
use survey_forms::questionnaire::ScaleOption;
use survey_forms::round::Channel;

/// Share of items on which a person has no information.
const UNINFORMED: f64 = 0.05;
/// Share of items left out, online and on paper.
const SKIPPED: f64 = 0.03;
/// Share of items on paper with several marks, or with one that nobody can read.
const SPOILT: f64 = 0.005;

/// The opinions of a simulated province.
pub(super) struct Province {
    rng: StdRng,
    quality: BTreeMap<String, f64>,
    difficulty: BTreeMap<String, f64>,
}

impl Province {
    pub(super) fn new(rng: StdRng) -> Self {
        Self { rng, quality: BTreeMap::new(), difficulty: BTreeMap::new() }
    }

    /// How one person fills the form in.
    pub(super) fn answer(&mut self, form: &Form<'_>) -> Answers {
        let leniency = 0.12 * self.normal();
        let mut answers = Answers::new();
        for target in form.targets {
            let quality = self.trait_of(Trait::Target, target);
            for item in form.questionnaire.items() {
                let mean = quality + self.trait_of(Trait::Item, &item.code) + leniency;
                // The demo's round asks scales only; other questions are left open.
                let Some(scale) = item.scale() else { continue };
                let options = form.scales.iter().find(|s| s.code == scale).map_or(&[][..], |s| &s.options);
                if let Some(answer) = self.one(mean, options, form.channel) {
                    answers.insert(target, &item.code, answer);
                }
            }
        }
        if answers.is_empty()
            && let (Some(target), Some(item)) = (form.targets.first(), form.questionnaire.items().next())
            && let Some(option) = item.options(form.scales, form.choices).first()
        {
            answers.insert(target, &item.code, Answer::Choice(option.code.to_owned()));
        }
        answers
    }

    fn one(&mut self, mean: f64, options: &[ScaleOption], channel: Channel) -> Option<Answer> {
        let draw: f64 = self.rng.random();
        if draw < SKIPPED {
            return (channel == Channel::Paper).then_some(Answer::Mark(Mark::Blank));
        }
        if channel == Channel::Paper && draw < SKIPPED + SPOILT {
            return Some(Answer::Mark(if draw < SKIPPED + SPOILT / 2.0 { Mark::Several } else { Mark::Illegible }));
        }
        let excluded = options.iter().find(|o| o.percent.is_none());
        let uninformed: f64 = self.rng.random();
        if let Some(option) = excluded
            && uninformed < UNINFORMED
        {
            return Some(Answer::Choice(option.code.clone()));
        }
        let opinion = (mean + 0.16 * self.normal()).clamp(0.0, 1.0);
        // Options stand from best to worst; their places are as good as their percentages here.
        let valued: Vec<&ScaleOption> = options.iter().filter(|o| o.percent.is_some()).collect();
        let mut best = None;
        let mut position = 1.0;
        let step = 1.0 / f64::from(u32::try_from(valued.len().saturating_sub(1)).unwrap_or(1).max(1));
        for option in valued {
            let distance = (position - opinion).abs();
            if best.is_none_or(|(nearest, _)| distance < nearest) {
                best = Some((distance, option));
            }
            position -= step;
        }
        best.map(|(_, option)| Answer::Choice(option.code.clone()))
    }

    fn trait_of(&mut self, what: Trait, code: &str) -> f64 {
        let known = match what {
            Trait::Target => self.quality.get(code),
            Trait::Item => self.difficulty.get(code),
        };
        if let Some(value) = known {
            return *value;
        }
        let normal = self.normal();
        match what {
            Trait::Target => *self.quality.entry(code.to_owned()).or_insert(0.72 + 0.09 * normal),
            Trait::Item => *self.difficulty.entry(code.to_owned()).or_insert(0.05 * normal),
        }
    }

    /// How likely people of a unit are to answer at all, around 1.
    pub(super) fn willingness(&mut self) -> f64 {
        (0.5 * self.normal()).exp()
    }

    /// A number that is evenly spread over [0, 1).
    pub(super) fn even(&mut self) -> f64 {
        self.rng.random()
    }

    /// A standard normal number (Box–Muller).
    fn normal(&mut self) -> f64 {
        let (u, v): (f64, f64) = (self.rng.random(), self.rng.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

#[derive(Clone, Copy)]
enum Trait {
    Target,
    Item,
}
