//! Simulated respondents: each target has a quality, each item a difficulty, each person a leniency. Invented, and
//! nothing else: no answer here says anything about a real agency.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::rngs::StdRng;
use survey_forms::Ratio;
use survey_forms::answers::{Answer, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, ItemKind, ScaleOption};
use survey_forms::ratio::{to_exact, whole};
use survey_forms::round::Channel;

/// Share of items on which a person has no information.
const UNINFORMED: f64 = 0.05;
/// Share of items left out, online and on paper.
const SKIPPED: f64 = 0.03;
/// Share of items on paper with several marks, or with one that nobody can read.
const SPOILT: f64 = 0.005;

/// Share of people who write nothing where they may.
const SILENT: f64 = 0.8;
/// What people write.
const REMARKS: [&str; 5] = [
    "Mong cơ quan trả kết quả đúng hẹn.",
    "Cán bộ hướng dẫn rõ ràng, dễ hiểu.",
    "Nên rút ngắn thời gian giải quyết thủ tục.",
    "Trang nộp hồ sơ trực tuyến đôi khi khó vào.",
    "Cần niêm yết đầy đủ thủ tục tại bộ phận một cửa.",
];

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

    /// How one person fills the form in, from the top, as its conditions allow.
    pub(super) fn answer(&mut self, form: &Form<'_>) -> Answers {
        let mut answers = self.fill_in(form, SKIPPED);
        if answers.is_empty() {
            // Nobody sends an empty form.
            answers = self.fill_in(form, -1.0);
        }
        answers
    }

    /// Leaves such a share of the items out that need no answer.
    fn fill_in(&mut self, form: &Form<'_>, skipped: f64) -> Answers {
        let leniency = 0.12 * self.normal();
        let conditions = form.questionnaire.has_conditions();
        let mut answers = Answers::new();
        for target in form.targets {
            let quality = self.trait_of(Trait::Target, target);
            for item in form.questionnaire.items() {
                let asked = !conditions || form.questionnaire.asked(target, &answers).contains(item.code.as_str());
                let answer = match form.channel {
                    Channel::Online if !asked => None,
                    Channel::Online => {
                        let left_out = self.even() < self.often_skipped(item, skipped);
                        (item.required || !left_out).then(|| self.one(quality + leniency, form, item))
                    }
                    Channel::Paper => Some(self.on_paper(quality + leniency, asked, form, item)),
                };
                if let Some(answer) = answer {
                    answers.insert(target, &item.code, answer);
                }
            }
        }
        answers
    }

    /// Few people write something.
    fn often_skipped(&self, item: &Item, skipped: f64) -> f64 {
        if matches!(item.kind, ItemKind::Text { .. }) && skipped > 0.0 { SILENT } else { skipped }
    }

    /// Every item has its code; what is not asked is mostly left blank.
    fn on_paper(&mut self, opinion: f64, asked: bool, form: &Form<'_>, item: &Item) -> Answer {
        let draw = self.even();
        let skipped = self.often_skipped(item, if asked { SKIPPED } else { 1.0 - SKIPPED });
        if draw < skipped {
            Answer::Mark(Mark::Blank)
        } else if draw < skipped + SPOILT {
            Answer::Mark(if draw < skipped + SPOILT / 2.0 { Mark::Several } else { Mark::Illegible })
        } else {
            self.one(opinion, form, item)
        }
    }

    /// An answer of the item's kind; its form takes it.
    fn one(&mut self, opinion: f64, form: &Form<'_>, item: &Item) -> Answer {
        let options = item.options(form.scales, form.choices);
        match &item.kind {
            ItemKind::Scale { scale } => {
                let mean = opinion + self.trait_of(Trait::Item, &item.code);
                let scale = form.scales.iter().find(|known| known.code == *scale);
                self.opinion(mean, scale.map(|scale| scale.options.as_slice()).unwrap_or_default())
            }
            ItemKind::Single { .. } => {
                let at = self.below(options.len());
                Answer::Choice(options.get(at).map(|option| option.code.to_owned()).unwrap_or_default())
            }
            ItemKind::Multiple { at_most, .. } => {
                let most = at_most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX).min(options.len());
                let (wanted, start) = (1 + self.below(most), self.below(options.len()));
                let start = start.min(options.len().saturating_sub(wanted));
                Answer::Choices(options.iter().skip(start).take(wanted).map(|option| option.code.to_owned()).collect())
            }
            ItemKind::Number { min, max, .. } => Answer::Number(self.number(min.as_ref(), max.as_ref())),
            ItemKind::Text { letters } => {
                let text = REMARKS.get(self.below(REMARKS.len())).copied().unwrap_or_default();
                let letters = usize::try_from(*letters).unwrap_or(usize::MAX);
                Answer::Text(text.chars().take(letters).collect::<String>().trim().to_owned())
            }
        }
    }

    /// A whole number near the least one allowed; a bound itself where none lies between them.
    fn number(&mut self, min: Option<&Ratio>, max: Option<&Ratio>) -> String {
        let more = whole(u64::try_from(self.below(20)).unwrap_or_default());
        let value = match (min, max) {
            (Some(min), _) => min.ceil() + more,
            (None, Some(max)) => max.floor() - more,
            (None, None) => more,
        };
        let (over, under) = (max.filter(|max| value > **max), min.filter(|min| value < **min));
        to_exact(over.or(under).unwrap_or(&value))
    }

    fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.rng.random_range(0..count) }
    }

    fn opinion(&mut self, mean: f64, options: &[ScaleOption]) -> Answer {
        let excluded = options.iter().find(|o| o.percent.is_none());
        let uninformed: f64 = self.rng.random();
        if let Some(option) = excluded
            && uninformed < UNINFORMED
        {
            return Answer::Choice(option.code.clone());
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
        Answer::Choice(best.map(|(_, option)| option).or(excluded).map(|o| o.code.clone()).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Entropy;
    use survey_forms::Round;

    #[test]
    fn people_fill_in_every_kind_of_question_so_that_it_can_be_cast() {
        let round = Round::from_files(&survey_forms::every_kind()).unwrap();
        let mut province = Province::new(Entropy::seeded(4).generator());
        let mut kinds = std::collections::BTreeSet::new();
        for assignment in round.assignments() {
            let form = round.form(&assignment.respondent_code, &assignment.targets).unwrap();
            for _ in 0..300 {
                let answers = province.answer(&form);
                assert!(form.check_cast(&answers).is_ok(), "{}", assignment.respondent_code);
                kinds.extend(answers.iter().map(|(_, item, answer)| {
                    let of = form.questionnaire.item(item).unwrap().kind.as_str();
                    (assignment.respondent_code.clone(), of, matches!(answer, Answer::Mark(_)))
                }));
            }
        }
        let given = |group: &str, mark: bool| kinds.iter().filter(|(g, _, m)| g == group && *m == mark).count();
        assert_eq!((given("CC", false), given("CC", true)), (5, 0));
        assert_eq!((given("HV", false), given("HV", true)), (5, 5));
    }
}
