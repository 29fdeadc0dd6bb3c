//! The third person's own reading of what is disputed, before either entry is shown: whoever sees both values makes them
//! match. It waits under the ballot's code, for whoever read it alone, and is not changed once the values were shown.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use survey_forms::answers::{AnswerFault, Answers};

use super::{Dispute, KeyingError, PaperDesk, entries, entry, may_decide, store};
use crate::access::Staff;
use crate::ballot::{Bearer, Purpose, draft};
use crate::bundle;
use crate::db::Conn;

#[derive(Serialize, Deserialize)]
struct Reading {
    by: String,
    answers: Value,
}

/// What `by` has read of this ballot; none when they have not, or somebody else has since.
pub(super) fn of(conn: &mut Conn, bearer: &Bearer, by: &str) -> Result<Option<Answers>, KeyingError> {
    let bytes = draft::read_bytes(conn, bearer, Purpose::BlindReading)?;
    let read: Option<Reading> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let form = bearer.form()?;
    Ok(read.filter(|reading| reading.by == by).and_then(|reading| form.parse(&reading.answers).ok()))
}

/// One explicit code for each disputed place, and no other.
fn check(bearer: &Bearer, disputes: &[Dispute], answers: &Answers) -> Result<(), KeyingError> {
    let form = bearer.form()?;
    let missing = disputes.iter().filter(|d| answers.get(&d.target, &d.item).is_none());
    let mut faults: Vec<AnswerFault> =
        missing.map(|d| entry::fault("/answers", &d.target, &d.item, "decision_missing")).collect();
    for (target, item, answer) in answers.iter() {
        let known =
            form.questionnaire.item(item).filter(|_| disputes.iter().any(|d| d.target == target && d.item == item));
        match known.map(|item| form.answer(item, answer.clone())) {
            Some(Ok(_)) => {}
            Some(Err(code)) => faults.push(entry::fault("/answers", target, item, code)),
            None => faults.push(AnswerFault { pointer: "/answers".to_owned(), code: "not_disputed" }),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(KeyingError::Decision(faults)) }
}

impl PaperDesk {
    /// Takes a third person's reading of the disputed places and shows what the two entries have there. The same reading
    /// again shows it again.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`]; [`KeyingError::Decision`] with every place at fault; [`KeyingError::EntryDiffers`]
    /// when this person has read something else before; and the rest of [`KeyingError`].
    pub async fn read_blind(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        answers: Answers,
    ) -> Result<Vec<Dispute>, KeyingError> {
        if !may_decide(staff.role) {
            return Err(KeyingError::RoleMissing);
        }
        let answers = entry::comparable(&answers);
        let (desk, bearer, staff) = (self.clone(), Arc::clone(ballot), staff.clone());
        self.db
            .write(move |conn| {
                let capture = store::held(conn, &bearer.keys.public)?;
                desk.still_open(conn, &bearer, &capture)?;
                bundle::gate(conn, &bearer.keys.public, &staff)??;
                let by = staff.id;
                capture.may_settle(&by)?;
                let [first, second] = entries(conn, &bearer)?;
                let disputes = entry::disputes(&bearer.form()?, &first, &second);
                check(&bearer, &disputes, &answers)?;
                match of(conn, &bearer, &by)? {
                    Some(before) if before == answers => {}
                    Some(_) => return Err(KeyingError::EntryDiffers),
                    None => {
                        let plain =
                            serde_json::to_vec(&Reading { by, answers: answers.to_value() }).unwrap_or_default();
                        draft::keep_bytes(conn, &bearer, Purpose::BlindReading, &plain, &desk.entropy)?;
                    }
                }
                Ok(disputes)
            })
            .await
    }
}
