//! The acts on a round: make the box key, open, close, open the box, publish, correct, burn the key. Each moves the round
//! one step and never back, is written to the audit trail in the same transaction, and is refused out of order.
//!
//! Acts block: a page runs them on a thread that may ([`tokio::task::spawn_blocking`]). Slow work (opening
//! envelopes, counting ballots) is done before the transaction, on rows that no longer change; the transaction then
//! checks that they are still the same and writes. So other rounds' casts are not held up.

mod key_file;
mod opening;
mod pages;
mod publishing;
mod rehearsal;
mod release;
mod remark;
mod store;
mod trustees;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::io;

use chrono::{DateTime, FixedOffset};
use survey_forms::scoring::Turnouts;

pub use key_file::{KeyFile, KeyFileError};
pub use opening::{Opening, Progress, Stage, Unreadable};
pub use pages::pages;
pub use publishing::{BURNING, BURNING_TRUSTEES, Published, Timing};
pub use rehearsal::Rehearsal;
pub use release::{Draft, Proposal, ReleaseError};
pub use remark::Remark;
pub use trustees::{Identity, Trustee, TrusteeError, Trustees, join};

use crate::access::audit::{self, Actor};
use crate::addressee::{self, Destroyed};
use crate::ballot::draft;
use crate::ballot::log::entry::Entry;
use crate::ballot::log::{self, Appender, LogError};
use crate::ballot::seal::{BoxPublic, BoxSecret};
use crate::bundle;
use crate::clock::Entropy;
use crate::db::{Conn, Db, DbError};
use crate::http::{Problem, codes};
use crate::round::{self, Custody, RoundError, RoundState, Rounds};

/// Why an act was refused. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The round is not where this act starts.
    #[error("the round is {}; this act needs it {}", .is.as_str(), .needs.as_str())]
    OutOfOrder {
        /// Where it is.
        is: RoundState,
        /// Where it must be.
        needs: RoundState,
    },
    /// No box key: what is cast could not be sealed.
    #[error("the round has no box key")]
    NoBoxKey,
    /// No code was issued: nobody could answer.
    #[error("no code has been issued")]
    NoCodes,
    /// Every used code has one envelope, and the reverse; here they do not.
    #[error("{used} codes were used, but there are {envelopes} envelopes")]
    CountsDisagree {
        /// Codes that were used.
        used: i64,
        /// Envelopes, those moved and those in the box before.
        envelopes: i64,
    },
    /// Rows that may no longer change did so while they were counted.
    #[error("{found} rows where {expected} were fixed")]
    BoxChanged {
        /// As fixed before.
        expected: i64,
        /// As found.
        found: i64,
    },
    /// Before the round's date of publication.
    #[error("the round may be published from {0}")]
    TooEarly(DateTime<FixedOffset>),
    /// The trustees have not shown that they can open the box.
    #[error(
        "the trustees have not rehearsed the opening: run `phieu box rehearse` with two of them, so that no ballot is \
         sealed to a key that nobody can open"
    )]
    Unrehearsed,
    /// The envelope of the rehearsal did not come back as it went in.
    #[error("the rehearsal failed: the test envelope did not open")]
    RehearsalFailed,
    /// The act is for another kind of custody.
    #[error("the round's box key is held by {0}")]
    OtherCustody(&'static str),
    /// The release was refused.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The key file does not fit.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The custodian's file could not be written or destroyed.
    #[error("the key file: {0}")]
    File(#[from] io::Error),
    /// The round's log could not be read or written.
    #[error(transparent)]
    Log(LogError),
    /// No such round, or it does not read.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ActError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<LogError> for ActError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Db(error) => Self::Db(error),
            other => Self::Log(other),
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::OutOfOrder { .. } => Self::new(&codes::STATE_CONFLICT),
            ActError::NoBoxKey => Self::new(&codes::BOX_KEY_MISSING),
            ActError::NoCodes => Self::new(&codes::CODES_MISSING),
            ActError::CountsDisagree { .. } | ActError::BoxChanged { .. } => {
                tracing::error!(%error, "counts disagree");
                Self::new(&codes::COUNTS_DISAGREE)
            }
            ActError::TooEarly(_) => Self::new(&codes::TOO_EARLY),
            ActError::Unrehearsed | ActError::OtherCustody(_) => Self::new(&codes::STATE_CONFLICT),
            ActError::Key(_) | ActError::RehearsalFailed => Self::new(&codes::BOX_KEY_WRONG),
            ActError::Release(error) => Self::new(error.code()),
            ActError::File(error) => Self::internal(&error),
            ActError::Log(error) => Self::internal(&error),
            ActError::Round(RoundError::Unknown) => Self::new(&codes::ROUND_UNKNOWN),
            ActError::Round(RoundError::Frozen) => Self::new(&codes::STATE_CONFLICT),
            ActError::Round(RoundError::Db(error)) | ActError::Db(error) => error.into(),
            ActError::Round(error) => Self::internal(&error),
        }
    }
}

/// Where acts are done; cheap to clone.
#[derive(Clone)]
pub struct Ceremony {
    db: Db,
    rounds: Rounds,
    entropy: Entropy,
}

/// How a new box key will be held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Of whom any two open the box; empty for custody by file.
    pub trustees: Vec<String>,
    /// Whether it takes the place of a key to which nothing has been sealed: a lost file, another trustee.
    pub replaces: bool,
}

/// What a close has fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Ballots in the box.
    pub ballots: u64,
    /// Of these, moved just now.
    pub moved: u64,
    /// Codes that were given out and not used.
    pub unused_codes: u64,
    /// Drafts and unsettled entries that were deleted.
    pub drafts: u64,
    /// What was known of the people whose letters were addressed.
    pub destroyed: Destroyed,
}

impl Ceremony {
    /// Acts on the rounds of this database.
    #[must_use]
    pub fn new(db: &Db, rounds: &Rounds, entropy: &Entropy) -> Self {
        Self { db: db.clone(), rounds: rounds.clone(), entropy: entropy.clone() }
    }

    /// [`Ceremony::keygen_for`] of a round that has no key, held by one file.
    ///
    /// # Errors
    /// As [`Ceremony::keygen_for`].
    pub fn keygen(
        &self,
        by: &Actor,
        round: &str,
        keep: impl FnOnce(&KeyFile) -> io::Result<()>,
    ) -> Result<BoxPublic, ActError> {
        self.keygen_for(by, round, &NewKey::default(), keep)
    }

    /// Makes the round's box key, and the log with the key that signs it. `keep` writes the custodians' files
    /// ([`KeyFile::write_new`], [`Trustees::write_new`]); only when it has done so does the round take the key, so that
    /// no ballot is ever sealed to a key that nobody holds.
    ///
    /// # Errors
    /// [`RoundError::Frozen`] once the round is open or has a key that this is not to replace; [`ActError::File`] when
    /// `keep` failed.
    pub fn keygen_for(
        &self,
        by: &Actor,
        round: &str,
        new: &NewKey,
        keep: impl FnOnce(&KeyFile) -> io::Result<()>,
    ) -> Result<BoxPublic, ActError> {
        let (secret, public) = BoxSecret::generate(&self.entropy).ok().ok_or(KeyFileError::Damaged)?;
        let file = KeyFile { round: round.to_owned(), public: public.clone(), secret };
        self.act(|conn| {
            let set = if new.replaces { round::replace_box_key } else { round::set_box_key };
            set(conn, round, public.bytes())?;
            round::set_custody(conn, round, &Custody { trustees: new.trustees.clone(), ..Custody::default() })?;
            log::begin(conn, round, &self.entropy)?;
            let mut detail = format!("public={}", data_encoding::HEXLOWER.encode(public.bytes()));
            if !new.trustees.is_empty() {
                detail.push_str(&format!(" trustees={}", new.trustees.join("+")));
            }
            self.note(conn, by, "round.box_key_made", round, &detail)?;
            Ok(keep(&file)?)
        })?;
        Ok(public)
    }

    /// [`Ceremony::open_with`] a rehearsal where trustees hold the key.
    ///
    /// # Errors
    /// As [`Ceremony::open_with`].
    pub fn open(&self, by: &Actor, round: &str) -> Result<u64, ActError> {
        self.open_with(by, round, Rehearsal::Needed)
    }

    /// Opens the round: from its first date on it accepts ballots. Gives back how many codes are out.
    ///
    /// # Errors
    /// [`ActError::NoBoxKey`], [`ActError::NoCodes`], [`ActError::Unrehearsed`], [`ActError::OutOfOrder`].
    pub fn open_with(&self, by: &Actor, round: &str, rehearsal: Rehearsal) -> Result<u64, ActError> {
        self.act(|conn| {
            let box_public = held(conn, round, RoundState::Loaded)?;
            box_public.ok_or(ActError::NoBoxKey)?;
            let custody = round::custody(conn, round)?;
            let unrehearsed = !custody.is_by_file() && !custody.rehearsed;
            if unrehearsed && rehearsal == Rehearsal::Needed {
                return Err(ActError::Unrehearsed);
            }
            let codes = store::codes(conn, round, "issued")?;
            // Codes of addressed letters are made as these are sent.
            if codes == 0 && addressee::count(conn, round)? == 0 {
                return Err(ActError::NoCodes);
            }
            let loaded = self.rounds.reread(conn)?.iter().find(|r| r.id() == round).cloned();
            advance(conn, round, RoundState::Loaded, RoundState::Open)?;
            log::open(conn, &*loaded.ok_or(RoundError::Unknown)?, &self.entropy)?;
            let waived = if unrehearsed { " without_rehearsal=true" } else { "" };
            self.note(conn, by, "round.opened", round, &format!("codes={codes}{waived}"))?;
            Ok(number(codes))
        })
    }

    /// Closes the round: nothing more is accepted, drafts are deleted, every envelope goes into the box, and the
    /// counts are fixed before anything can be read. Dates do not matter here: a round closes when it is asked to.
    ///
    /// # Errors
    /// [`ActError::CountsDisagree`] with both numbers, [`ActError::OutOfOrder`].
    pub fn close(&self, by: &Actor, round: &str) -> Result<Closing, ActError> {
        let closing = self.act(|conn| {
            held(conn, round, RoundState::Open)?;
            let loaded = self.rounds.reread(conn)?.iter().find(|r| r.id() == round).cloned();
            advance(conn, round, RoundState::Open, RoundState::Closed)?;
            let drafts = draft::discard_all(conn, round)?;
            let loaded = loaded.ok_or(RoundError::Unknown)?;
            log::open_late(conn, &loaded, &self.entropy)?;
            let destroyed = addressee::destroy(conn, &loaded.definition)?;
            let mut log = Appender::of(conn, round)?;
            let moved = log::batch::move_all(conn, &mut log, round)?;
            let (used, (envelopes, leaves)) = (store::codes(conn, round, "used")?, log::counts(conn, round)?);
            if used != envelopes || used != leaves {
                return Err(ActError::CountsDisagree {
                    used,
                    envelopes: if used == envelopes { leaves } else { envelopes },
                });
            }
            let unused = store::codes(conn, round, "issued")?;
            if let Some((_, entry)) = &destroyed {
                log.entry(conn, entry)?;
            }
            end_log(conn, log, round, number(envelopes))?;
            let destroyed = destroyed.map(|(gone, _)| gone).unwrap_or_default();
            let detail = format!(
                "ballots={envelopes} unused_codes={unused} drafts_deleted={drafts} ties_destroyed={}",
                destroyed.ties
            );
            self.note(conn, by, "round.closed", round, &detail)?;
            Ok(Closing {
                ballots: number(envelopes),
                moved: u64::try_from(moved).unwrap_or_default(),
                unused_codes: number(unused),
                drafts: u64::try_from(drafts).unwrap_or_default(),
                destroyed,
            })
        })?;
        if closing.destroyed != Destroyed::default()
            && let Err(error) = self.db.read_here(|conn| addressee::shred(conn).map_err(DbError::from))
        {
            tracing::warn!(%error, "the tables of people were emptied, but not rewritten: run VACUUM FULL on them");
        }
        self.empty_log();
        Ok(closing)
    }

    /// One transaction, after which everybody here sees the round as it is now.
    fn act<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, ActError>) -> Result<T, ActError> {
        let done = self.db.write_here(work)?;
        self.db.read_here(|conn| self.rounds.reread(conn))?;
        Ok(done)
    }

    /// A line in the audit trail, in the transaction of the act.
    fn note(&self, conn: &mut Conn, by: &Actor, act: &str, round: &str, detail: &str) -> Result<(), DbError> {
        let now = self.db.now(conn)?;
        audit::record(conn, now, by, act, round, detail)
    }

    /// The act is done by now, so a log that could not be emptied is a warning.
    fn empty_log(&self) {
        if let Err(error) = self.db.read_here(|conn| store::empty_log(conn).map_err(DbError::from)) {
            tracing::warn!(%error, "the database's log was not emptied; it will be in time");
        }
    }
}

/// Id and canonical body of the next opened ballots behind `after` (empty for the first), in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub fn ballots(conn: &mut Conn, round: &str, after: &[u8], most: i64) -> Result<Vec<(Vec<u8>, String)>, DbError> {
    Ok(store::ballot_page(conn, round, after, most)?)
}

/// Id and free text of the next remarks behind `after` (empty for the first), in the order of their random ids.
///
/// # Errors
/// When the database does not answer.
pub fn remarks(conn: &mut Conn, round: &str, after: &[u8], most: i64) -> Result<Vec<(Vec<u8>, Remark)>, DbError> {
    Ok(store::remark_page(conn, round, after, most)?)
}

/// Codes given out and ballots that came back, by group and the targets that are rated together.
///
/// # Errors
/// When the database does not answer.
pub fn turnout(conn: &mut Conn, round: &str) -> Result<Turnouts, DbError> {
    Ok(store::turnout(conn, round)?)
}

/// The last entries before anything can be read: what was redeemed, what became of the paper, the close.
fn end_log(conn: &mut Conn, mut log: Appender, round: &str, envelopes: u64) -> Result<(), ActError> {
    let codes = log::codes(conn, round)?;
    let (unused, used, revoked) = codes.paper;
    let unsettled = log::unsettled(conn, round)?;
    let redeemed = codes.redeemed;
    log.entry(conn, &Entry::Redeemed { total: redeemed.total, root: Some(redeemed.root) })?;
    let sheets = Some(bundle::book(conn, round)?);
    log.entry(conn, &Entry::Paper { issued: unused + used, used, unused, unsettled, revoked, sheets })?;
    let close = Entry::Close { envelopes, credentials: codes.all, unused: codes.unused, revoked: codes.revoked };
    log.close(conn, &close)?;
    Ok(log.finish(conn)?)
}

/// What blinds the log's commitment to the opened ballots; empty before the opening.
///
/// # Errors
/// When the database does not answer.
pub fn salt(conn: &mut Conn, round: &str) -> Result<Vec<u8>, DbError> {
    Ok(store::opening(conn, round)?.and_then(|opening| opening.salt).unwrap_or_default())
}

/// Holds the round's row and checks where it is; gives back the public half of its box key.
fn held(conn: &mut Conn, round: &str, needs: RoundState) -> Result<Option<Vec<u8>>, ActError> {
    use RoundState::{Closed, Loaded, Open, Opened, Published};
    let (state, box_public) = store::hold(conn, round)?.ok_or(RoundError::Unknown)?;
    let is = [Loaded, Open, Closed, Opened, Published].into_iter().find(|s| s.as_str() == state);
    let is = is.ok_or(RoundError::Unreadable)?;
    if is == needs { Ok(box_public) } else { Err(ActError::OutOfOrder { is, needs }) }
}

fn advance(conn: &mut Conn, round: &str, from: RoundState, to: RoundState) -> Result<(), ActError> {
    // The row is held in `from`, so this cannot miss.
    if round::advance(conn, round, from, to)? { Ok(()) } else { Err(DbError::Conflict.into()) }
}

/// A count from the database.
fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
