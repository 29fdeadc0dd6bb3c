//! Rounds: loading one from its folder, its dates and its state. Everything a round decides is in its definition.

pub mod archive;
mod change_words;
mod custody;
mod fault_words;
mod pages;
pub mod proposal;
pub mod rest;
mod review;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use survey_forms::answers::{Form, Stratum};
use survey_forms::round::Channel;
use survey_forms::{Fault, Round, RoundFiles};

pub use custody::{Burnt, Custody, custody, set_custody};
pub use pages::pages;

use crate::clock::monotonic;
use crate::db::{Conn, DbError, unix_ms};

/// Where a round is on its way. Each act moves it one step, never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoundState {
    /// Loaded; codes may be issued, nothing is accepted.
    Loaded,
    /// Accepts ballots between its dates.
    Open,
    /// Counts are fixed; accepts nothing more.
    Closed,
    /// The box was opened and counted.
    Opened,
    /// Scores are out.
    Published,
}

impl RoundState {
    const ALL: [Self; 5] = [Self::Loaded, Self::Open, Self::Closed, Self::Opened, Self::Published];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Opened => "opened",
            Self::Published => "published",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loaded => "Chưa mở",
            Self::Open => "Đang thu phiếu",
            Self::Closed => "Đã chốt số phiếu",
            Self::Opened => "Đã mở hòm phiếu",
            Self::Published => "Đã công bố",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Why something about a round cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// No such round.
    #[error("there is no such round")]
    Unknown,
    /// The folder has faults; all of them are here and nothing was loaded.
    #[error("the round's folder has {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// The round is beyond the state in which this may change.
    #[error("the round is there already and can no longer be changed")]
    Frozen,
    /// The round is there with other rules, and people may have seen them.
    #[error("{}", why_frozen(*.0))]
    FolderFrozen(RoundState),
    /// The round in the database does not read; it was written by another version.
    #[error("the stored round does not read")]
    Unreadable,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A round as it stands.
pub struct LoadedRound {
    /// What the folder decides.
    pub definition: Arc<Round>,
    /// Where it is on its way.
    pub state: RoundState,
    /// From here ballots are accepted.
    pub opens_at: DateTime<Utc>,
    /// From here no online ballot is accepted.
    pub closes_at: DateTime<Utc>,
    /// From here no paper ballot is accepted.
    pub keying_closes_at: DateTime<Utc>,
    /// Public half of the box key, once there is one: 32 bytes.
    pub box_public: Option<Vec<u8>>,
    /// Who holds the private half.
    pub custody: Custody,
    /// The key that signs its log's checkpoints, once there is one: a verifier key of C2SP signed-note.
    pub log_key: Option<String>,
    canonical_bytes: Arc<BTreeMap<String, usize>>,
}

impl LoadedRound {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.definition.id
    }

    /// Whether a ballot of this channel is accepted at `now`. The cast asks the database again.
    #[must_use]
    pub fn accepts(&self, channel: Channel, now: DateTime<Utc>) -> bool {
        let end = match channel {
            Channel::Online => self.closes_at,
            Channel::Paper => self.keying_closes_at,
        };
        self.state == RoundState::Open && self.opens_at <= now && now < end
    }

    /// From here not even an online ballot with a saved draft is accepted.
    #[must_use]
    pub fn grace_ends_at(&self) -> DateTime<Utc> {
        self.closes_at + self.grace()
    }

    /// For how long after the close a saved draft may still be cast.
    #[must_use]
    pub fn grace(&self) -> TimeDelta {
        TimeDelta::minutes(self.definition.dates.grace_minutes.into())
    }

    /// Whether only ballots with a saved draft are accepted at `now`.
    #[must_use]
    pub fn in_grace(&self, now: DateTime<Utc>) -> bool {
        self.state == RoundState::Open && self.closes_at <= now && now < self.grace_ends_at()
    }

    /// What a ballot of this stratum may answer.
    #[must_use]
    pub fn form<'r>(&'r self, stratum: &'r Stratum) -> Option<Form<'r>> {
        self.definition.form(&stratum.respondent_code, &stratum.targets)
    }

    /// Longest canonical ballot of a questionnaire, in bytes, whatever its targets.
    #[must_use]
    pub fn canonical_bytes(&self, respondent_code: &str) -> Option<usize> {
        self.canonical_bytes.get(respondent_code).copied()
    }
}

/// The rounds of the database; re-read at most once a second, their definitions only when they change. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rounds(Arc<RwLock<Cache>>);

#[derive(Default)]
struct Cache {
    read_at: Option<Instant>,
    rounds: Arc<Vec<Arc<LoadedRound>>>,
}

const FRESH_FOR: Duration = Duration::from_secs(1);

impl Rounds {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every round, those that accept ballots first.
    ///
    /// # Errors
    /// [`RoundError`] when the database fails or holds what cannot be read.
    pub fn all(&self, conn: &mut Conn) -> Result<Arc<Vec<Arc<LoadedRound>>>, RoundError> {
        {
            let cache = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if cache.read_at.is_some_and(|at| monotonic().duration_since(at) < FRESH_FOR) {
                return Ok(Arc::clone(&cache.rounds));
            }
        }
        self.reread(conn)
    }

    /// One round.
    ///
    /// # Errors
    /// [`RoundError::Unknown`] and as [`Rounds::all`].
    pub fn get(&self, conn: &mut Conn, id: &str) -> Result<Arc<LoadedRound>, RoundError> {
        self.all(conn)?.iter().find(|r| r.id() == id).cloned().ok_or(RoundError::Unknown)
    }

    /// Reads the rounds again now; whoever changes one calls this after the commit.
    ///
    /// # Errors
    /// As [`Rounds::all`].
    pub fn reread(&self, conn: &mut Conn) -> Result<Arc<Vec<Arc<LoadedRound>>>, RoundError> {
        let known = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).rounds);
        let mut rounds = Vec::new();
        let mut log_keys = store::log_keys(conn).map_err(DbError::from)?;
        for row in store::headers(conn).map_err(DbError::from)? {
            let same = known.iter().find(|k| k.id() == row.id && k.definition.hash == row.hash);
            let (definition, canonical_bytes) = match same {
                Some(k) => (Arc::clone(&k.definition), Arc::clone(&k.canonical_bytes)),
                None => {
                    let files = store::files(conn, &row.id).map_err(DbError::from)?.ok_or(RoundError::Unknown)?;
                    read_definition(&files)?
                }
            };
            let state = RoundState::parse(&row.state).ok_or(RoundError::Unreadable)?;
            rounds.push(Arc::new(LoadedRound {
                definition,
                state,
                opens_at: crate::db::from_unix_ms(row.opens_at),
                closes_at: crate::db::from_unix_ms(row.closes_at),
                keying_closes_at: crate::db::from_unix_ms(row.keying_closes_at),
                box_public: row.box_public,
                custody: custody::parsed(row.custody.as_deref())?,
                log_key: log_keys.remove(&row.id),
                canonical_bytes,
            }));
        }
        rounds.sort_by_key(|r| (r.state != RoundState::Open, std::cmp::Reverse(r.opens_at)));
        let rounds = Arc::new(rounds);
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        cache.rounds = Arc::clone(&rounds);
        cache.read_at = Some(monotonic());
        Ok(rounds)
    }
}

/// What the folder decides, with the longest canonical ballot of each questionnaire in bytes.
type Definition = (Arc<Round>, Arc<BTreeMap<String, usize>>);

fn read_definition(files: &str) -> Result<Definition, RoundError> {
    let files = restored(files)?;
    let round = Round::from_files(&files).map_err(|_faults| RoundError::Unreadable)?;
    let bytes = round.groups.iter().filter_map(|g| Some((g.code.clone(), round.ballot_bucket(&g.code)?))).collect();
    Ok((Arc::new(round), Arc::new(bytes)))
}

/// Why a round in this state takes no other folder, and what may be done instead.
fn why_frozen(state: RoundState) -> &'static str {
    match state {
        RoundState::Loaded => {
            "codes of this round are out, so its folder can no longer change, not even a wording: \
             load the changed folder as a new round, under another id"
        }
        RoundState::Open => {
            "this round is open, so its folder can no longer change, not even a wording: everybody must answer the \
             same words; close it, or load the changed folder as a new round, under another id"
        }
        RoundState::Closed | RoundState::Opened | RoundState::Published => {
            "this round has been answered, so its folder can no longer change: load the changed folder as a new \
             round, under another id"
        }
    }
}

/// What a folder would do to the rounds that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Another round.
    New,
    /// It takes the place of a round that nobody has a code of.
    Replaces,
    /// The round is there with exactly these rules: nothing would change.
    Same(RoundState),
    /// The round is there with other rules, and can no longer change.
    Frozen(RoundState),
}

/// What loading this round would do.
///
/// # Errors
/// When the database fails or holds what cannot be read.
pub fn standing(conn: &mut Conn, round: &Round) -> Result<Standing, RoundError> {
    let Some((state, hash)) = store::state_and_hash(conn, &round.id).map_err(DbError::from)? else {
        return Ok(Standing::New);
    };
    let state = RoundState::parse(&state).ok_or(RoundError::Unreadable)?;
    let may_change = state == RoundState::Loaded && !store::has_codes(conn, &round.id).map_err(DbError::from)?;
    Ok(match (hash == round.hash, may_change) {
        (true, _) => Standing::Same(state),
        (false, true) => Standing::Replaces,
        (false, false) => Standing::Frozen(state),
    })
}

/// Loads a round from its files: all of it or nothing. One that has no codes yet and is not open may be replaced; the
/// same folder again changes nothing.
///
/// # Errors
/// [`RoundError::Faults`] with every fault, [`RoundError::FolderFrozen`].
pub fn load(conn: &mut Conn, files: &RoundFiles) -> Result<Round, RoundError> {
    let round = Round::from_files(files).map_err(RoundError::Faults)?;
    put(conn, files, &round)?;
    Ok(round)
}

/// [`load`] of files that were read into `round` before; says what that did.
///
/// # Errors
/// [`RoundError::FolderFrozen`].
pub fn put(conn: &mut Conn, files: &RoundFiles, round: &Round) -> Result<Standing, RoundError> {
    let standing = standing(conn, round)?;
    let files = stored(files)?;
    let dates = &round.dates;
    let row = store::NewRound {
        id: &round.id,
        state: RoundState::Loaded.as_str(),
        hash: &round.hash,
        files: &files,
        opens_at: unix_ms(&dates.opens),
        closes_at: unix_ms(&dates.closes),
        keying_closes_at: unix_ms(&dates.keying_closes),
    };
    match standing {
        Standing::New => store::insert(conn, &row).map_err(DbError::from)?,
        Standing::Replaces => store::replace(conn, &row).map_err(DbError::from)?,
        Standing::Same(_) => {}
        Standing::Frozen(state) => return Err(RoundError::FolderFrozen(state)),
    }
    Ok(standing)
}

/// Moves a round from one state to the next; `false` when it was not in `from`.
///
/// # Errors
/// When the database fails.
pub fn advance(conn: &mut Conn, id: &str, from: RoundState, to: RoundState) -> Result<bool, DbError> {
    Ok(store::advance(conn, id, from.as_str(), to.as_str())?)
}

/// Sets the public half of the box key, before the round opens.
///
/// # Errors
/// [`RoundError::Frozen`] once the round is open or has another key.
pub fn set_box_key(conn: &mut Conn, id: &str, public: &[u8]) -> Result<(), RoundError> {
    put_box_key(conn, id, public, false)
}

/// [`set_box_key`], also in place of another key; before the round opens nothing is sealed to it.
///
/// # Errors
/// [`RoundError::Frozen`] once the round is open.
pub fn replace_box_key(conn: &mut Conn, id: &str, public: &[u8]) -> Result<(), RoundError> {
    put_box_key(conn, id, public, true)
}

fn put_box_key(conn: &mut Conn, id: &str, public: &[u8], replaces: bool) -> Result<(), RoundError> {
    match store::state(conn, id).map_err(DbError::from)? {
        None => Err(RoundError::Unknown),
        Some(_) if store::set_box_key(conn, id, public, replaces).map_err(DbError::from)? => Ok(()),
        Some(_) => Err(RoundError::Frozen),
    }
}

/// The files that a round was loaded from.
///
/// # Errors
/// [`RoundError::Unknown`], [`RoundError::Unreadable`].
pub fn files(conn: &mut Conn, id: &str) -> Result<RoundFiles, RoundError> {
    let files = store::files(conn, id).map_err(DbError::from)?.ok_or(RoundError::Unknown)?;
    restored(&files)
}

/// Before the Base64 of a file that is not text (a logo). A text that begins so is stored in the same way.
const BINARY: &str = "data:;base64,";

/// The files as one JSON object of texts.
fn stored(files: &RoundFiles) -> Result<String, RoundError> {
    let text = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(BINARY) => text.to_owned(),
        _ => format!("{BINARY}{}", data_encoding::BASE64.encode(bytes)),
    };
    let texts: BTreeMap<&str, String> = files.iter().map(|(name, bytes)| (name.as_str(), text(bytes))).collect();
    serde_json::to_string(&texts).map_err(|_json| RoundError::Unreadable)
}

fn restored(stored: &str) -> Result<RoundFiles, RoundError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(stored).map_err(|_json| RoundError::Unreadable)?;
    let bytes = |text: String| match text.strip_prefix(BINARY) {
        Some(encoded) => data_encoding::BASE64.decode(encoded.as_bytes()).map_err(|_damaged| RoundError::Unreadable),
        None => Ok(text.into_bytes()),
    };
    texts.into_iter().map(|(name, text)| Ok((name, bytes(text)?))).collect()
}
