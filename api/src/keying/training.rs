//! Ten ballots with known answers, for whoever learns to key: each looks like paper, is keyed on the real screen, and is
//! compared with what it says. Nothing of it is kept.

use rand::RngExt as _;
use rand::rngs::StdRng;
use survey_forms::Round;
use survey_forms::answers::{Answer, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::round::Channel;

use super::entry::{places, show};
use crate::clock::Entropy;

/// How many there are.
pub(super) const EXERCISES: u8 = 10;
/// From here on a ballot is about several bodies.
const SEVERAL_FROM: u8 = 6;
const SEVERAL: usize = 3;
/// One item in so many carries no answer.
const MARK_ONE_IN: u32 = 6;

const TEXTS: [&str; 3] = ["Trả kết quả đúng hẹn", "Cần thêm chỗ ngồi chờ", "Cán bộ hướng dẫn rõ ràng, dễ hiểu"];
const NUMBERS: [&str; 3] = ["12", "7", "3.5"];

/// One ballot to learn on.
pub(super) struct Exercise {
    /// From 1.
    pub(super) number: u8,
    /// Its group.
    pub(super) respondent_code: String,
    /// What it rates.
    pub(super) targets: Vec<String>,
    /// What stands on the paper.
    pub(super) paper: Answers,
}

impl Exercise {
    /// The ballot of this number, always the same in a round; none in a round without paper.
    pub(super) fn of(round: &Round, number: u8) -> Option<Self> {
        let groups: Vec<_> = round.groups.iter().filter(|group| group.channel == Channel::Paper).collect();
        let turn = usize::from(number.checked_sub(1).filter(|_| number <= EXERCISES)?);
        let group = groups.get(turn % groups.len().max(1))?;
        let most = if number < SEVERAL_FROM { 1 } else { SEVERAL };
        let targets: Vec<String> = round.targets.iter().skip(turn).take(most).map(|t| t.code.clone()).collect();
        let form = round.form(&group.code, &targets)?;
        let mut lot = Entropy::seeded(u64::from(number)).generator();
        let mut paper = Answers::new();
        for (target, item) in places(&form) {
            paper.insert(target, &item.code, answer(&form, item, &mut lot));
        }
        let respondent_code = group.code.clone();
        Some(Self { number, respondent_code, targets, paper })
    }
}

fn answer(form: &Form<'_>, item: &Item, lot: &mut StdRng) -> Answer {
    let mut mark = || Answer::Mark(Mark::ALL.get(lot.random_range(0..3)).copied().unwrap_or(Mark::Blank));
    let no_answer = mark();
    if lot.random_range(0..MARK_ONE_IN) == 0 {
        return no_answer;
    }
    let options = item.options(form.scales, form.choices);
    let mut pick = |from: usize| lot.random_range(0..from.max(1));
    let given = match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => {
            options.get(pick(options.len())).map(|option| Answer::Choice(option.code.to_owned()))
        }
        ItemKind::Multiple { .. } => {
            let from = pick(options.len());
            Some(Answer::Choices(options.iter().skip(from).take(2).map(|option| option.code.to_owned()).collect()))
        }
        ItemKind::Number { .. } => NUMBERS.get(pick(NUMBERS.len())).map(|number| Answer::Number((*number).to_owned())),
        ItemKind::Text { .. } => TEXTS.get(pick(TEXTS.len())).map(|text| Answer::Text((*text).to_owned())),
    };
    given.and_then(|given| form.answer(item, given).ok()).unwrap_or(no_answer)
}

/// What an item looks like on the paper.
pub(super) struct PaperRow {
    pub(super) number: u32,
    pub(super) question: String,
    /// Ticked or not, and its words.
    pub(super) boxes: Vec<(bool, String)>,
    /// Written by hand.
    pub(super) written: String,
    /// Ink all over it.
    pub(super) illegible: bool,
}

/// The paper, body by body.
pub(super) fn paper(round: &Round, form: &Form<'_>, answers: &Answers) -> Vec<(String, Vec<PaperRow>)> {
    let of = |target: &String| {
        let name = round.target(target).map_or(target.clone(), |t| t.name.clone());
        let rows = form.questionnaire.items().map(|item| row(form, item, answers.get(target, &item.code)));
        (name, rows.collect())
    };
    form.targets.iter().map(of).collect()
}

fn row(form: &Form<'_>, item: &Item, answer: Option<&Answer>) -> PaperRow {
    let options = item.options(form.scales, form.choices);
    let ticked = |place: usize, code: &str| match answer {
        Some(Answer::Choice(chosen)) => chosen == code,
        Some(Answer::Choices(chosen)) => chosen.iter().any(|one| one == code),
        Some(Answer::Mark(Mark::Several)) => place < 2,
        _ => false,
    };
    let boxes: Vec<_> =
        options.iter().zip(0_usize..).map(|(o, place)| (ticked(place, o.code), o.label.to_owned())).collect();
    let written = match answer {
        Some(Answer::Number(number)) => number.replacen('.', ",", 1),
        Some(Answer::Text(text)) => text.clone(),
        Some(Answer::Mark(Mark::Several)) if boxes.is_empty() => "có hay không, hai câu viết chồng lên nhau".to_owned(),
        _ => String::new(),
    };
    let illegible = matches!(answer, Some(Answer::Mark(Mark::Illegible)));
    PaperRow { number: item.number, question: item.question.clone(), boxes, written, illegible }
}

/// One place that was not keyed as it stands on the paper.
pub(super) struct Slip {
    pub(super) target: String,
    pub(super) number: u32,
    pub(super) question: String,
    /// Key and words.
    pub(super) paper: (String, String),
    /// Key and words.
    pub(super) keyed: (String, String),
}

/// Where `keyed` is not what stands on the paper.
pub(super) fn slips(round: &Round, form: &Form<'_>, paper: &Answers, keyed: &Answers) -> Vec<Slip> {
    places(form)
        .filter_map(|(target, item)| {
            let (right, given) = (paper.get(target, &item.code)?, keyed.get(target, &item.code)?);
            (right != given).then(|| Slip {
                target: round.target(target).map_or_else(|| target.to_owned(), |t| t.name.clone()),
                number: item.number,
                question: item.question.clone(),
                paper: show(form, item, right),
                keyed: show(form, item, given),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_ballots_of_every_kind_that_stay_the_same() {
        for files in [survey_forms::quang_nam_2023(), survey_forms::every_kind()] {
            let round = Round::from_files(&files).unwrap();
            for number in 1..=EXERCISES {
                let one = Exercise::of(&round, number).unwrap();
                let form = round.form(&one.respondent_code, &one.targets).unwrap();
                form.check_cast(&one.paper).unwrap();
                assert!(one.paper == Exercise::of(&round, number).unwrap().paper);
                assert!(slips(&round, &form, &one.paper, &one.paper).is_empty());
                let shown = paper(&round, &form, &one.paper);
                assert_eq!(shown.iter().map(|(_, rows)| rows.len()).sum::<usize>(), one.paper.len());
            }
            assert!(Exercise::of(&round, 0).is_none() && Exercise::of(&round, 11).is_none());
        }
    }

    #[test]
    fn a_slip_is_told_with_both_keys() {
        let round = Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
        let one = Exercise::of(&round, 1).unwrap();
        let form = round.form(&one.respondent_code, &one.targets).unwrap();
        let mut keyed = one.paper.clone();
        let (target, item) = places(&form).nth(2).unwrap();
        let other =
            if keyed.get(target, &item.code) == Some(&Answer::Mark(Mark::Blank)) { Mark::Several } else { Mark::Blank };
        keyed.insert(target, &item.code, Answer::Mark(other));
        let slips = slips(&round, &form, &one.paper, &keyed);
        assert_eq!((slips.len(), slips[0].number), (1, item.number));
        assert!(slips[0].keyed != slips[0].paper && !slips[0].paper.1.is_empty());
    }
}
