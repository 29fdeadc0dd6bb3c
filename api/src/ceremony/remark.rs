//! Free text, which leaves its ballot when the box is opened: words can tell who wrote them, so nothing may lead from them
//! to the other answers, or from one remark to another by the same person.

use serde_json::json;
use survey_forms::answers::{Answer, Answers};
use survey_forms::canonical;
use survey_forms::questionnaire::{ItemKind, Questionnaire};

/// What somebody wrote at one item about one target. No `Debug`.
pub struct Remark {
    /// The group.
    pub respondent_code: String,
    /// About whom.
    pub target: String,
    /// At which item.
    pub item_code: String,
    /// The text.
    pub body: String,
}

impl Remark {
    /// Canonical JSON (RFC 8785), as it is hashed and as it stands in the auditor's pack.
    #[must_use]
    pub fn canonical(&self, round: &str) -> Vec<u8> {
        canonical::to_vec(&json!({
            "body": self.body,
            "item_code": self.item_code,
            "respondent_code": self.respondent_code,
            "round": round,
            "target": self.target,
        }))
    }
}

/// Takes every answer to a question for free text out of `answers`, the marks of paper too: whether somebody wrote
/// something is as much of a trace as what they wrote. Gives back what was written.
pub(super) fn detach(questionnaire: &Questionnaire, answers: &mut Answers) -> Vec<Remark> {
    let texts = |item: &str| questionnaire.item(item).is_some_and(|item| matches!(item.kind, ItemKind::Text { .. }));
    let mut remarks = Vec::new();
    let mut places = Vec::new();
    for (target, item_code, answer) in answers.iter().filter(|(_, item, _)| texts(item)) {
        places.push((target.to_owned(), item_code.to_owned()));
        if let Answer::Text(body) = answer {
            remarks.push(Remark {
                respondent_code: questionnaire.respondent_code.clone(),
                target: target.to_owned(),
                item_code: item_code.to_owned(),
                body: body.clone(),
            });
        }
    }
    for (target, item) in places {
        answers.remove(&target, &item);
    }
    remarks
}
