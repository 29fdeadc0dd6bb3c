//! The third person's decision about every place where two readings differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Capture, DECIDED, Decision, Done, KeyingError, PaperDesk, Pass, Reached, count, entries, entry, kept, may_decide,
    reading, statistics, store,
};
use crate::access::Staff;
use crate::ballot::{Bearer, draft};
use crate::bundle::{self, Sums};
use crate::db::{Conn, DbError};

impl PaperDesk {
    /// A third person, who has read them ([`PaperDesk::read_blind`]), decides every disputed place; the ballot is cast
    /// then.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`], [`KeyingError::ReadingMissing`], [`KeyingError::Decision`] with every place at fault, and the rest of
    /// [`KeyingError`].
    pub async fn adjudicate(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        decision: Decision,
    ) -> Result<Done, KeyingError> {
        if !may_decide(staff.role) {
            return Err(KeyingError::RoleMissing);
        }
        let decision = Decision { answers: entry::comparable(&decision.answers), ..decision };
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        let repeated = self.db.write(move |conn| desk.take_decision(conn, &bearer, &by, &decision)).await?;
        self.finish(staff, ballot).await?;
        Ok(Done { reached: Reached::Cast, repeated })
    }

    pub(super) fn take_decision(
        &self,
        conn: &mut Conn,
        bearer: &Bearer,
        staff: &Staff,
        decision: &Decision,
    ) -> Result<bool, KeyingError> {
        let capture = store::held(conn, &bearer.keys.public)?;
        let again = capture.settled_by() == Some(&staff.id);
        if again && matches!(capture, Capture::Cast { .. }) {
            return Ok(true);
        }
        if !again {
            self.still_open(conn, bearer, &capture)?;
            capture.may_settle(&staff.id)?;
        }
        let passage = bundle::gate(conn, &bearer.keys.public, staff)??;
        let [first, second] = entries(conn, bearer)?;
        let form = bearer.form()?;
        let disputes = entry::disputes(&form, &first, &second);
        let read = reading::of(conn, bearer, &staff.id)?;
        if !again && read.is_none() {
            return Err(KeyingError::ReadingMissing);
        }
        let decided = entry::settle(&form, &first, &disputes, decision).map_err(KeyingError::Decision)?;
        if again {
            let before = kept(conn, bearer, DECIDED)?;
            return if before == decided { Ok(true) } else { Err(KeyingError::EntryDiffers) };
        }
        let next = capture.settled(&staff.id)?;
        if !store::save(conn, &bearer.keys.public, bearer.round.id(), &capture, &next)? {
            return Err(DbError::Conflict.into());
        }
        draft::keep(conn, bearer, DECIDED, &decided, &self.entropy)?;
        let at = self.db.now(conn)?;
        statistics::settled(conn, at, bearer, &next, Some(decision))?;
        if capture.keyed_by(Pass::Sample).is_some() {
            // Both clerks read the same; where the decision is another, both were wrong.
            let wrong = disputes.iter().filter(|d| decided.get(&d.target, &d.item) != Some(&d.first)).count();
            bundle::add_sums(conn, &passage.bundle, Sums { wrong: count(wrong), ..Sums::default() })?;
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in decision.reasons.values() {
            *reasons.entry(reason.as_str()).or_default() += 1;
        }
        let mut detail: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let other = decision.answers.iter().filter(|(target, item, answer)| {
            read.as_ref().and_then(|read| read.get(target, item)).is_some_and(|read| read != *answer)
        });
        match other.count() {
            0 => {}
            count => detail.push(format!("decided otherwise than read {count}")),
        }
        self.note(conn, staff, "keying.adjudicated", bearer, &detail.join(", "))?;
        Ok(false)
    }
}
