//! Two entries of one ballot side by side: where they differ, and what a third person makes of it.

use std::collections::BTreeMap;

use survey_forms::answers::{Answer, AnswerFault, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, Scale};

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

fn fault(under: &str, target: &str, item: &str, code: &'static str) -> AnswerFault {
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

/// What a clerk typed at an item: a position on the scale from 1, or the sign of a mark.
///
/// # Errors
/// `item_missing` for nothing, `key_unknown` for anything else.
pub fn read_key(scale: &Scale, typed: &str) -> Result<Answer, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("item_missing");
    }
    if let Some(mark) = Mark::ALL.into_iter().find(|mark| typed.chars().eq([mark_key(*mark)])) {
        return Ok(Answer::Mark(mark));
    }
    // Digits only: `+3` parses as a number too.
    let digits = typed.bytes().all(|b| b.is_ascii_digit());
    let position: Option<usize> = typed.parse().ok().filter(|_| digits);
    let option = position.and_then(|n| n.checked_sub(1)).and_then(|index| scale.options.get(index));
    option.map(|option| Answer::Choice(option.code.clone())).ok_or("key_unknown")
}

/// The key of an answer, as [`read_key`] reads it, and the words beside it.
#[must_use]
pub fn show(scale: &Scale, answer: &Answer) -> (String, String) {
    match answer {
        Answer::Mark(mark) => (mark_key(*mark).to_string(), mark_words(*mark).to_owned()),
        Answer::Choices(_) | Answer::Number(_) | Answer::Text(_) => (String::new(), String::new()),
        Answer::Choice(code) => scale
            .options
            .iter()
            .zip(1_usize..)
            .find(|(option, _)| option.code == *code)
            .map(|(option, position)| (position.to_string(), option.label.clone()))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use survey_forms::questionnaire::ScaleOption;

    fn scale() -> Scale {
        let option = |code: &str, label: &str| ScaleOption { code: code.into(), label: label.into(), percent: None };
        Scale {
            code: "L3".into(), options: vec![option("A", "Tốt"), option("B", "Vừa"), option("N", "Không rõ")]
        }
    }

    #[test]
    fn keys_are_positions_and_three_signs() {
        let read = |typed| match read_key(&scale(), typed) {
            Ok(Answer::Choice(code)) => Ok(code),
            Ok(Answer::Mark(mark)) => Ok(mark.as_str().to_owned()),
            Ok(_) => Err("another kind"),
            Err(code) => Err(code),
        };
        assert_eq!(read("1"), Ok("A".to_owned()));
        assert_eq!(read(" 3 "), Ok("N".to_owned()));
        assert_eq!(read("."), Ok("blank".to_owned()));
        assert_eq!(read("*"), Ok("several".to_owned()));
        assert_eq!(read("/"), Ok("illegible".to_owned()));
        assert_eq!(read(""), Err("item_missing"));
        for wrong in ["0", "4", "A", "+1", "-1", "..", "1 2", "99999999999999999999", "١"] {
            assert_eq!(read(wrong), Err("key_unknown"), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        let scale = scale();
        for key in ["1", "2", "3", ".", "*", "/"] {
            let answer = read_key(&scale, key).ok().unwrap();
            let (shown, words) = show(&scale, &answer);
            assert_eq!(shown, key);
            assert!(!words.is_empty());
        }
    }
}
