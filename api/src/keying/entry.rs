//! Two entries of one ballot side by side: where they differ, and what a third person makes of it.

use std::collections::BTreeMap;

use survey_forms::answers::{Answer, AnswerFault, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, ItemKind};

/// A place of a ballot: target and item.
pub type Place = (String, String);

/// A place where two entries differ.
pub struct Dispute {
    /// The rated body.
    pub target: String,
    /// The item.
    pub item: String,
    /// What the first pass has.
    pub first: Answer,
    /// What the second pass has.
    pub second: Answer,
}

/// Why two entries differ.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The first clerk slipped.
    SlipFirst,
    /// The second clerk slipped.
    SlipSecond,
    /// Both did.
    SlipBoth,
    /// The paper can be read either way.
    AmbiguousMark,
    /// The printed form invites the mistake.
    FormDefect,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SlipFirst, Self::SlipSecond, Self::SlipBoth, Self::AmbiguousMark, Self::FormDefect];

    /// As in forms, the API and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlipFirst => "slip_first",
            Self::SlipSecond => "slip_second",
            Self::SlipBoth => "slip_both",
            Self::AmbiguousMark => "ambiguous_mark",
            Self::FormDefect => "form_defect",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SlipFirst => "Lượt 1 nhập nhầm",
            Self::SlipSecond => "Lượt 2 nhập nhầm",
            Self::SlipBoth => "Cả hai lượt nhập nhầm",
            Self::AmbiguousMark => "Dấu trên phiếu không rõ",
            Self::FormDefect => "Lỗi của mẫu phiếu",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What the third person read on the paper, and why the two before differ.
pub struct Decision {
    /// One explicit code for each disputed place.
    pub answers: Answers,
    /// One reason for each disputed place.
    pub reasons: BTreeMap<Place, Reason>,
}

/// Every place of the form, in the order of the paper: target by target.
pub fn places<'f>(form: &'f Form<'f>) -> impl Iterator<Item = (&'f str, &'f Item)> {
    form.targets.iter().flat_map(|target| form.questionnaire.items().map(move |item| (target.as_str(), item)))
}

/// Where two complete entries differ, in the order of the paper.
#[must_use]
pub(super) fn disputes(form: &Form<'_>, first: &Answers, second: &Answers) -> Vec<Dispute> {
    places(form)
        .filter_map(|(target, item)| {
            let (one, other) = (first.get(target, &item.code)?, second.get(target, &item.code)?);
            (one != other).then(|| Dispute {
                target: target.to_owned(),
                item: item.code.clone(),
                first: one.clone(),
                second: other.clone(),
            })
        })
        .collect()
}

/// The ballot as decided: what both have, and for each dispute what the third person read.
///
/// # Errors
/// `decision_missing`, `reason_missing` at a dispute; `not_disputed` elsewhere; and what the form does not hold.
/// Every place at once, with `/answers` or `/reasons` before it.
pub(super) fn settle(
    form: &Form<'_>,
    agreed: &Answers,
    disputes: &[Dispute],
    decision: &Decision,
) -> Result<Answers, Vec<AnswerFault>> {
    let mut faults = Vec::new();
    let mut decided = agreed.clone();
    let disputed = |target: &str, item: &str| disputes.iter().any(|d| d.target == target && d.item == item);
    for dispute in disputes {
        match decision.answers.get(&dispute.target, &dispute.item) {
            Some(answer) => {
                decided.insert(&dispute.target, &dispute.item, answer.clone());
            }
            None => faults.push(fault("/answers", &dispute.target, &dispute.item, "decision_missing")),
        }
        if !decision.reasons.contains_key(&(dispute.target.clone(), dispute.item.clone())) {
            faults.push(fault("/reasons", &dispute.target, &dispute.item, "reason_missing"));
        }
    }
    let elsewhere = decision.answers.iter().filter(|(target, item, _)| !disputed(target, item));
    if elsewhere.count() > 0 {
        faults.push(AnswerFault { pointer: "/answers".to_owned(), code: "not_disputed" });
    }
    if decision.reasons.keys().any(|(target, item)| !disputed(target, item)) {
        faults.push(AnswerFault { pointer: "/reasons".to_owned(), code: "not_disputed" });
    }
    if let Err(held) = form.check_cast(&decided) {
        let under = |f: AnswerFault| AnswerFault { pointer: format!("/answers{}", f.pointer), code: f.code };
        faults.extend(held.into_iter().map(under));
    }
    if faults.is_empty() { Ok(decided) } else { Err(faults) }
}

pub(super) fn fault(under: &str, target: &str, item: &str, code: &'static str) -> AnswerFault {
    let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
    AnswerFault { pointer: format!("{under}/{}/{}", step(target), step(item)), code }
}

/// The sign for an item that holds no option.
#[must_use]
pub(super) const fn mark_key(mark: Mark) -> char {
    match mark {
        Mark::Blank => '.',
        Mark::Several => '*',
        Mark::Illegible => '/',
    }
}

/// What is said beside such a sign.
#[must_use]
pub(super) const fn mark_words(mark: Mark) -> &'static str {
    match mark {
        Mark::Blank => "(để trống)",
        Mark::Several => "(nhiều dấu)",
        Mark::Illegible => "(không đọc được)",
    }
}

/// What a clerk typed at an item. The sign of a mark stands for any kind. Otherwise a position from 1 in the item's list;
/// for several choices the positions' digits in a row (`13`); a number with `,` or
/// `.` before its decimals; the text as it is on the paper.
///
/// # Errors
/// `item_missing` for nothing; `key_unknown`, `key_repeated` for positions; and why the form does not take it.
pub fn read_key(form: &Form<'_>, item: &Item, typed: &str) -> Result<Answer, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("item_missing");
    }
    if let Some(mark) = Mark::ALL.into_iter().find(|mark| typed.chars().eq([mark_key(*mark)])) {
        return Ok(Answer::Mark(mark));
    }
    let options = item.options(form.scales, form.choices);
    let at = |position: &str| {
        // Digits only: `+3` parses as a number too.
        let digits = position.bytes().all(|b| b.is_ascii_digit());
        let position: Option<usize> = position.parse().ok().filter(|_| digits);
        let option = position.and_then(|n| n.checked_sub(1)).and_then(|index| options.get(index));
        option.map(|option| option.code.to_owned()).ok_or("key_unknown")
    };
    let given = match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => Answer::Choice(at(typed)?),
        ItemKind::Multiple { .. } => {
            // A list on paper has nine options at most: one digit each.
            let parts = typed.chars().filter(|c| !is_between(*c)).map(String::from);
            let mut chosen = Vec::new();
            for part in parts {
                let option = at(&part)?;
                if chosen.contains(&option) {
                    return Err("key_repeated");
                }
                chosen.push(option);
            }
            Answer::Choices(chosen)
        }
        ItemKind::Number { .. } => Answer::Number(typed.replacen(',', ".", 1)),
        ItemKind::Text { .. } => Answer::Text(one_line(typed)),
    };
    form.answer(item, given)
}

const fn is_between(c: char) -> bool {
    matches!(c, ' ' | ',' | '.' | ';')
}

/// Blanks and line breaks of any length are one blank: two clerks do not see them alike.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An entry with its texts as they are compared: otherwise letter by letter.
#[must_use]
pub(super) fn comparable(answers: &Answers) -> Answers {
    let mut same = Answers::new();
    for (target, item, answer) in answers.iter() {
        let answer = match answer {
            Answer::Text(text) => Answer::Text(one_line(text)),
            other => other.clone(),
        };
        same.insert(target, item, answer);
    }
    same
}

/// The key of an answer, as [`read_key`] reads it, and the words beside it (none for numbers and texts).
#[must_use]
pub fn show(form: &Form<'_>, item: &Item, answer: &Answer) -> (String, String) {
    let options = item.options(form.scales, form.choices);
    let keys = |codes: &[String]| {
        let found: Vec<_> = options.iter().zip(1_usize..).filter(|(o, _)| codes.iter().any(|c| c == o.code)).collect();
        let keys: Vec<String> = found.iter().map(|(_, position)| position.to_string()).collect();
        let words: Vec<&str> = found.iter().map(|(option, _)| option.label).collect();
        (keys.concat(), words.join("; "))
    };
    match answer {
        Answer::Mark(mark) => (mark_key(*mark).to_string(), mark_words(*mark).to_owned()),
        Answer::Choice(code) => keys(std::slice::from_ref(code)),
        Answer::Choices(codes) => keys(codes),
        Answer::Number(number) => (number.replacen('.', ",", 1), String::new()),
        Answer::Text(text) => (text.clone(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use survey_forms::Round;
    use survey_forms::round::RoundFiles;

    fn round(change: impl FnOnce(&mut RoundFiles)) -> Round {
        let mut files = survey_forms::every_kind();
        change(&mut files);
        Round::from_files(&files).unwrap()
    }

    fn read(round: &Round, item: &str, typed: &str) -> Result<String, &'static str> {
        let targets = ["SNV".to_owned(), "STP".to_owned()];
        let form = round.form("HV", &targets).unwrap();
        let item = form.questionnaire.item(item).unwrap();
        let answer = read_key(&form, item, typed)?;
        let (key, words) = show(&form, item, &answer);
        let again = read_key(&form, item, &key)?;
        assert!(again == answer, "{typed}: what is shown reads back");
        let listed = !matches!(answer, Answer::Number(_) | Answer::Text(_));
        assert_eq!(listed, !words.is_empty(), "{typed}");
        Ok(answer.to_value().to_string())
    }

    #[test]
    fn three_signs_stand_for_any_kind() {
        let round = round(|_| ());
        for item in ["Q0", "Q1", "Q0B", "Q0A", "Q3"] {
            for (sign, mark) in [(".", "blank"), (" * ", "several"), ("/", "illegible")] {
                assert_eq!(read(&round, item, sign), Ok(format!("{{\"mark\":\"{mark}\"}}")), "{item}");
            }
            assert_eq!(read(&round, item, " "), Err("item_missing"));
        }
    }

    #[test]
    fn positions_of_one_option() {
        let round = round(|_| ());
        assert_eq!(read(&round, "Q1", "1"), Ok("\"A\"".to_owned()));
        assert_eq!(read(&round, "Q1", " 5 "), Ok("\"N\"".to_owned()));
        assert_eq!(read(&round, "Q0", "2"), Ok("\"KHONG\"".to_owned()));
        for wrong in ["0", "6", "A", "+1", "-1", "..", "1 2", "12", "99999999999999999999", "١"] {
            assert_eq!(read(&round, "Q1", wrong), Err("key_unknown"), "{wrong}");
        }
        assert_eq!(read(&round, "Q0", "3"), Err("key_unknown"));
    }

    #[test]
    fn positions_of_several_options() {
        let few = round(|_| ());
        assert_eq!(read(&few, "Q0B", "2"), Ok("[\"BC\"]".to_owned()));
        assert_eq!(read(&few, "Q0B", "31"), Ok("[\"TT\",\"TIEP\"]".to_owned()), "in the order of the list");
        assert_eq!(read(&few, "Q0B", "1, 3"), Ok("[\"TT\",\"TIEP\"]".to_owned()));
        assert_eq!(read(&few, "Q0B", "11"), Err("key_repeated"));
        assert_eq!(read(&few, "Q0B", "14"), Err("key_unknown"));
        assert_eq!(read(&few, "Q0B", ",,"), Err("answer_malformed"));
        let bounded = |files: &mut RoundFiles| {
            let form = files.get_mut("questionnaires/hv.json").unwrap();
            let text = String::from_utf8(form.clone()).unwrap();
            *form = text.replace("\"choices\": \"KENH\"", "\"choices\": \"KENH\", \"at_most\": 2").into_bytes();
        };
        assert_eq!(read(&round(bounded), "Q0B", "123"), Err("too_many_choices"));
    }

    #[test]
    fn numbers_have_either_sign_before_their_decimals() {
        let round = round(|_| ());
        for (typed, number) in [("7", "7"), ("12,5", "12.5"), ("12.50", "12.5"), ("007", "7")] {
            assert_eq!(read(&round, "Q0A", typed), Ok(format!("{{\"number\":\"{number}\"}}")), "{typed}");
        }
        for wrong in ["1,2,3", "1.2,3", "một", "1e3", "5,", ",5", "1 000"] {
            assert_eq!(read(&round, "Q0A", wrong), Err("number_malformed"), "{wrong}");
        }
        assert_eq!(read(&round, "Q0A", "1,25"), Err("number_decimals"));
        assert_eq!(read(&round, "Q0A", "-1"), Err("number_range"));
    }

    #[test]
    fn text_is_taken_as_it_is_written() {
        let round = round(|_| ());
        let text = |text: &str| Ok(format!("{{\"text\":\"{text}\"}}"));
        assert_eq!(read(&round, "Q3", "  Trả kết quả   đúng hẹn. "), text("Trả kết quả đúng hẹn."));
        assert_eq!(read(&round, "Q3", "Tie\u{302}\u{301}p"), text("Tiếp"), "in NFC");
        assert_eq!(read(&round, "Q3", "13"), text("13"));
        assert_eq!(read(&round, "Q3", "... /"), text("... /"));
        assert_eq!(read(&round, "Q3", &"a".repeat(201)), Err("text_too_long"));
    }
}
