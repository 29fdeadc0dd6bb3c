//! What is on paper, for its sheets: bundles, and ballots that wait for a third person. No key, no code.

use diesel::prelude::*;
use diesel::result::Error;
use phieu_print::Dispute;

use crate::db::Conn;
use crate::db::schema::{bundle, capture, paper};

fn number(n: i64) -> QueryResult<u32> {
    u32::try_from(n).map_err(|_range| Error::DeserializationError("bundle.number".into()))
}

/// Group, number and size of every bundle of a round.
pub(super) fn bundles(conn: &mut Conn, round: &str) -> QueryResult<Vec<(String, u32, u32)>> {
    let rows: Vec<(String, i64, i64)> = bundle::table
        .filter(bundle::round.eq(round))
        .order((bundle::respondent_code, bundle::number))
        .select((bundle::respondent_code, bundle::number, bundle::size))
        .load(conn)?;
    rows.into_iter().map(|(code, n, size)| Ok((code, number(n)?, number(size)?))).collect()
}

/// Ballots whose two entries differ and that nobody has decided.
pub(super) fn disputes(conn: &mut Conn, round: &str) -> QueryResult<Vec<Dispute>> {
    let rows: Vec<(String, i64, i64, i64)> = capture::table
        .inner_join(paper::table.on(paper::public_key.eq(capture::public_key)))
        .inner_join(bundle::table.on(bundle::id.eq(paper::bundle)))
        .filter(capture::round.eq(round).and(capture::state.eq_any(["mismatched", "adjudicating"])))
        .select((bundle::respondent_code, bundle::number, paper::sheet, bundle::size))
        .load(conn)?;
    let dispute = |(respondent_code, bundle, sheet, of): (String, i64, i64, i64)| {
        Ok(Dispute { respondent_code, bundle: number(bundle)?, sheet: number(sheet)?, of: number(of)? })
    };
    rows.into_iter().map(dispute).collect()
}
