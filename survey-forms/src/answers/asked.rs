//! Which items are asked: conditions on earlier answers about the same target.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Answers};
use crate::questionnaire::{Condition, Holds, Questionnaire};
use crate::ratio;

impl Holds {
    /// Whether an earlier item's answer is what it must be. `None`: there is none, or its item is not asked.
    #[must_use]
    pub fn hold(&self, answer: Option<&Answer>) -> bool {
        let among = |options: &[String]| match answer {
            Some(Answer::Choice(option)) => options.contains(option),
            Some(Answer::Choices(chosen)) => chosen.iter().any(|option| options.contains(option)),
            _ => false,
        };
        match self {
            Holds::Is(options) => among(options),
            Holds::IsNot(options) => !among(options),
            Holds::Answered(wanted) => *wanted == answer.is_some_and(|answer| !matches!(answer, Answer::Mark(_))),
            Holds::Between { at_least, at_most } => match answer {
                Some(Answer::Number(number)) => ratio::parse(number).is_some_and(|number| {
                    at_least.as_ref().is_none_or(|least| *least <= number)
                        && at_most.as_ref().is_none_or(|most| number <= *most)
                }),
                _ => false,
            },
        }
    }
}

impl Questionnaire {
    /// Codes of the items that are asked about a target, given what is answered about it.
    #[must_use]
    pub fn asked<'q>(&'q self, target: &str, answers: &Answers) -> BTreeSet<&'q str> {
        let mut asked = BTreeSet::new();
        for item in self.items() {
            let holds = |condition: &Condition| {
                let counts = asked.contains(condition.item.as_str());
                condition.holds.hold(counts.then(|| answers.get(target, &condition.item)).flatten())
            };
            if item.only_if.iter().all(holds) {
                asked.insert(item.code.as_str());
            }
        }
        asked
    }

    /// Whether some item is asked only under a condition.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        self.items().any(|item| !item.only_if.is_empty())
    }
}

/// What is asked about each target of a ballot; worked out once, since every item may need it.
pub struct Asked<'q>(Option<BTreeMap<&'q str, BTreeSet<&'q str>>>);

impl<'q> Asked<'q> {
    /// What is asked, given these answers.
    #[must_use]
    pub fn of(questionnaire: &'q Questionnaire, targets: &'q [String], answers: &Answers) -> Self {
        Self(
            questionnaire.has_conditions().then(|| {
                targets.iter().map(|target| (target.as_str(), questionnaire.asked(target, answers))).collect()
            }),
        )
    }

    /// Whether this item is asked about this target.
    #[must_use]
    pub fn has(&self, target: &str, item: &str) -> bool {
        self.0.as_ref().is_none_or(|all| all.get(target).is_some_and(|asked| asked.contains(item)))
    }
}
