//! The scores of exported ballots, by the rules that made the published ones.

use std::io::Read;

use chrono::{DateTime, FixedOffset};
use survey_forms::Round;
use survey_forms::scoring::{self, ScoreDocument, Tally, Turnouts};

use super::folder::TURNOUT_COLUMNS;

/// What the scores are worked out from, beside the ballots.
#[derive(Default)]
pub struct Again {
    /// Codes given out and ballots that came back.
    pub turnout: Turnouts,
    /// The releases, the oldest first; the last is the one to be made again.
    pub published: Vec<Published>,
}

/// A release as it was published.
pub struct Published {
    /// Its bytes, as they were signed.
    pub canonical: Vec<u8>,
    /// What they say.
    pub document: ScoreDocument,
}

/// Why what stands beside the ballots is refused.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// No released document.
    #[error("this is no published document of scores")]
    NoDocument,
    /// A released document of other rules.
    #[error("the published document is of other rules: its rules_hash is not the hash of this round's folder")]
    OtherRules,
    /// Releases are 1, 2, and so on.
    #[error("releases are given from the first on, none left out")]
    Releases,
    /// The table of codes does not read.
    #[error("line {0} of the turnout: respondent_code, targets, issued, returned, and the last two are numbers")]
    Turnout(u64),
}

impl Published {
    /// Reads a document as it was downloaded.
    ///
    /// # Errors
    /// [`AgainError::NoDocument`].
    pub fn read(bytes: &[u8]) -> Result<Self, AgainError> {
        let document: ScoreDocument = serde_json::from_slice(bytes).map_err(|_json| AgainError::NoDocument)?;
        Ok(Self { canonical: bytes.trim_ascii_end().to_vec(), document })
    }
}

/// Codes given out and ballots that came back, read from the table that [`super::turnout`] writes.
pub struct Turnout;

impl Turnout {
    /// Reads the table.
    ///
    /// # Errors
    /// [`AgainError::Turnout`].
    pub fn read(from: impl Read) -> Result<Turnouts, AgainError> {
        let mut table = csv::Reader::from_reader(from);
        let mut turnout = Turnouts::new();
        let heads = table.headers().map_err(|_csv| AgainError::Turnout(1))?;
        let heads = heads.iter().map(|head| head.trim_start_matches('\u{feff}'));
        if !heads.eq(TURNOUT_COLUMNS) {
            return Err(AgainError::Turnout(1));
        }
        for (row, line) in table.records().zip(2..) {
            let fault = || AgainError::Turnout(line);
            let row = row.map_err(|_csv| fault())?;
            let cell = |at: usize| super::read::bare(row.get(at).unwrap_or_default());
            let number = |at: usize| cell(at).parse().map_err(|_number| fault());
            let of = turnout.entry((cell(0).to_owned(), cell(1).to_owned())).or_default();
            (of.issued, of.returned) = (number(2)?, number(3)?);
        }
        Ok(turnout)
    }
}

/// The document of these ballots: of the last release given, or, without any, a first one with the round's date of
/// publication and no root of a log.
///
/// # Errors
/// [`AgainError::OtherRules`], [`AgainError::Releases`].
pub fn again(round: &Round, mut tally: Tally, beside: &Again) -> Result<ScoreDocument, AgainError> {
    let places = beside.published.iter().zip(1_u32..);
    if places.into_iter().any(|(published, release)| published.document.release != release) {
        return Err(AgainError::Releases);
    }
    let of_rules = |published: &Published| published.document.rules_hash == round.hash;
    if !beside.published.iter().all(of_rules) {
        return Err(AgainError::OtherRules);
    }
    let mut documents: Vec<ScoreDocument> = beside.published.iter().map(|p| p.document.clone()).collect();
    let latest = documents.pop();
    let correction = latest.as_ref().and_then(|latest| latest.correction.clone());
    correction.iter().flat_map(|correction| &correction.left_out).for_each(|out| tally.leave_out(out));
    let sheet = scoring::score(round, &tally, &beside.turnout);
    let at: DateTime<FixedOffset> = latest.as_ref().map_or(round.dates.publishes, |latest| latest.published_at);
    let root = latest.as_ref().map_or("", |latest| latest.log_root.as_str());
    let mut document = sheet.document_after(round, at, root, &documents);
    document.correction = correction;
    Ok(document)
}
