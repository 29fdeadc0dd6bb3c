//! What stands beside the ballots in the analysts' folder.

use std::io::Write;

use survey_forms::scoring::Turnouts;

use crate::credential::plain;
use crate::score::ScoreError;
use crate::score::export::BYTE_ORDER_MARK;

/// What the folder is and how the scores are worked out again; for people.
pub const README: &str = include_str!("../../../templates/score/analysts.md");

/// Columns of [`turnout`].
pub(super) const TURNOUT_COLUMNS: [&str; 4] = ["respondent_code", "targets", "issued", "returned"];

/// Codes given out and ballots that came back, a row a group and what its ballots rate together: without it nobody could
/// know how many were asked, which intervals depend on.
///
/// # Errors
/// When `out` cannot be written.
pub fn turnout(mut out: impl Write, turnout: &Turnouts) -> Result<(), ScoreError> {
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(TURNOUT_COLUMNS)?;
    for ((group, targets), count) in turnout {
        table.write_record([plain(group), plain(targets), count.issued.to_string(), count.returned.to_string()])?;
    }
    Ok(table.flush()?)
}
