//! What somebody has typed of a ballot and not finished: sealed under the ballot's own code, for each pass one, and only
//! for whoever typed it. Opening the ballot again goes on there, on any browser.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sheet::{Typed, input_name};
use super::{KeyingError, PaperDesk, Pass, Refusal, places, store};
use crate::access::Staff;
use crate::ballot::draft::Kept;
use crate::ballot::{Bearer, Purpose, draft};
use crate::bundle::{self, claims};
use crate::db::Conn;

/// Most bytes of one input; the form's own limits are lower.
const VALUE_BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct Unfinished {
    by: String,
    keys: BTreeMap<String, String>,
}

pub(super) const fn purpose(pass: Pass) -> Purpose {
    match pass {
        Pass::First => Purpose::FirstUnfinished,
        Pass::Second | Pass::Sample => Purpose::SecondUnfinished,
    }
}

/// What `by` has typed of this pass; nothing of anybody else's.
///
/// # Errors
/// When the database fails.
pub(super) fn typed(conn: &mut Conn, bearer: &Bearer, by: &str, pass: Pass) -> Result<Typed, KeyingError> {
    let bytes = draft::read_bytes(conn, bearer, purpose(pass))?;
    let read: Option<Unfinished> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(read.filter(|unfinished| unfinished.by == by).map(|unfinished| unfinished.keys).unwrap_or_default())
}

impl PaperDesk {
    /// What `staff` has typed of this pass so far.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished(&self, staff: &Staff, ballot: &Arc<Bearer>, pass: Pass) -> Result<Typed, KeyingError> {
        let (bearer, by) = (Arc::clone(ballot), staff.id.clone());
        self.db.read(move |conn| typed(conn, &bearer, &by, pass)).await
    }

    /// Keeps what `staff` has typed of this pass, in place of what was there; inputs that the ballot does not have are
    /// left out. The browser `left`, when there is one, holds nothing more than this.
    ///
    /// # Errors
    /// [`KeyingError::Refused`] when the pass is not theirs to do, and the rest of [`KeyingError`].
    pub async fn keep_unfinished(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        pass: Pass,
        keys: Typed,
        left: Option<String>,
    ) -> Result<(), KeyingError> {
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        let allowed = move |conn: &mut Conn| -> Result<(), KeyingError> {
            let capture = store::capture(conn, &bearer.keys.public)?;
            desk.still_open(conn, &bearer, &capture)?;
            bundle::gate(conn, &bearer.keys.public, &by)??;
            if capture.next_pass(&by.id)? == pass { Ok(()) } else { Err(Refusal::PassTaken.into()) }
        };
        self.db.read(allowed).await?;
        let form = ballot.form()?;
        let mut keys = keys;
        let mut own = BTreeMap::new();
        for (target, item) in places(&form) {
            let name = input_name(&form, target, item);
            if let Some(value) = keys.remove(&name).filter(|value| !value.is_empty() && value.len() <= VALUE_BYTES_MAX)
            {
                own.insert(name, value);
            }
        }
        let plain = serde_json::to_vec(&Unfinished { by: staff.id.clone(), keys: own }).unwrap_or_default();
        if self.casting.put(ballot, purpose(pass), &plain).await? == Kept::Settled {
            return Err(KeyingError::Duplicate);
        }
        if let Some(left) = left {
            let key = ballot.keys.public;
            self.db.write(move |conn| claims::release(conn, &left, &key)).await?;
        }
        Ok(())
    }
}
