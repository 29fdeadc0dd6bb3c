#![doc = include_str!("README.md")]

pub mod batch;
pub mod commit;
pub mod entry;
pub mod merkle;
pub mod note;
mod pages;
mod rest;
mod store;
pub mod tile;

#[cfg(test)]
pub(crate) mod tests;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;

pub use pages::pages;
pub use rest::rest;
pub(crate) use store::{CodeRow, Wait};

use self::commit::{committed, redeemed_leaf, roster_hash};
use self::entry::{Committed, Entry, What};
use self::merkle::{Node, Nodes, Tree, inclusion, joined};
use self::note::{Checkpoint, NoteFault, VerifierKey};
use self::tile::{HEIGHT, Kind, Tile, WIDTH, edge, hashes, hashes_at, push_leaf};
use crate::ballot::Receipt;
use crate::clock::Entropy;
use crate::db::{Conn, DbError};
use crate::round::{LoadedRound, RoundError, RoundState};

/// Codes that are in hand at a time.
const PAGE: i64 = 5000;
/// Level under which tiles of leaves are stored.
const LEAVES: i16 = -1;

/// Why the log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The round has no log: its box key was never made.
    #[error("the round has no log")]
    None,
    /// A stored tile is missing or cut, or the key does not read.
    #[error("the stored log is damaged")]
    Damaged,
    /// A leaf has at most 65,535 bytes.
    #[error("an entry is too long for the log")]
    TooLong,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for LogError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<RoundError> for LogError {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::Db(error) => Self::Db(error),
            // A round that does not read.
            _ => Self::Damaged,
        }
    }
}

impl From<NoteFault> for LogError {
    fn from(_: NoteFault) -> Self {
        Self::Damaged
    }
}

/// A log as anybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The key that its checkpoints are checked with.
    pub vkey: VerifierKey,
    /// The signed note.
    pub note: String,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// Makes a round's log, empty, with a key of its own; leaves one that is there alone. Gives back its verifier key.
///
/// # Errors
/// When the database fails.
pub fn begin(conn: &mut Conn, round: &str, entropy: &Entropy) -> Result<String, LogError> {
    if let Some((vkey, _)) = store::head(conn, round)? {
        return Ok(vkey);
    }
    let secret = SigningKey::from_bytes(&entropy.bytes());
    let origin = format!("phieu/{round}");
    let vkey = VerifierKey::of(&origin, &secret).to_string();
    let empty = Checkpoint { origin, size: 0, root: Tree::default().root() };
    store::insert(conn, round, &vkey, secret.as_bytes(), &empty.sign(&secret))?;
    Ok(vkey)
}

/// The log's head as it stands.
///
/// # Errors
/// [`LogError::None`], and when the database fails.
pub fn head(conn: &mut Conn, round: &str) -> Result<Head, LogError> {
    let (vkey, note) = store::head(conn, round)?.ok_or(LogError::None)?;
    let vkey: VerifierKey = vkey.parse()?;
    let checkpoint = Checkpoint::open(&note, &vkey)?;
    Ok(Head { vkey, note, checkpoint })
}

/// The bytes of a tile; `None` when the log has not grown so far.
///
/// # Errors
/// When the database fails.
pub fn tile(conn: &mut Conn, round: &str, tile: &Tile) -> Result<Option<Vec<u8>>, LogError> {
    let body = store::tile(conn, round, level(tile.kind), signed(tile.number))?;
    Ok(body.and_then(|body| tile::first(tile.kind, &body, tile.width).map(<[u8]>::to_vec)))
}

/// Where a receipt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// In the log, with the proof.
    InLog(Box<Inclusion>),
    /// Accepted; it goes into the log with the next batch, at the latest at the close. Carries the round.
    Waiting(String),
    /// In no round's box.
    Unknown,
}

/// Proof that an envelope is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The round.
    pub round: String,
    /// The leaf's place, from 0.
    pub place: u64,
    /// Hashes from the leaf to the root.
    pub path: Vec<Node>,
    /// The head that it is proved against.
    pub head: Head,
}

/// Looks a receipt up.
///
/// # Errors
/// When the database fails, or holds a log that does not read.
pub fn find(conn: &mut Conn, receipt: &Receipt) -> Result<Found, LogError> {
    // Before the log: a batch that moves it meanwhile takes it from the one to the other.
    let waiting = store::waiting(conn, receipt.id())?;
    let Some((round, place)) = store::leaf(conn, receipt.id())? else {
        return Ok(waiting.map_or(Found::Unknown, Found::Waiting));
    };
    let head = head(conn, &round)?;
    let place = wide(place);
    if place >= head.checkpoint.size {
        return Err(LogError::Damaged);
    }
    let path = inclusion(&mut Stored { conn, round: &round, last: None }, place, head.checkpoint.size)?;
    Ok(Found::InLog(Box::new(Inclusion { round, place, path, head })))
}

/// The nodes of the stored tree, by its tiles.
struct Stored<'c> {
    conn: &'c mut Conn,
    round: &'c str,
    last: Option<((u8, u64), Vec<Node>)>,
}

impl Nodes for Stored<'_> {
    type Error = LogError;

    fn node(&mut self, level: u32, index: u64) -> Result<Node, LogError> {
        let (tiles, above) = (u8::try_from(level / HEIGHT).map_err(|_level| LogError::Damaged)?, level % HEIGHT);
        let from = index << above;
        let at = (tiles, from / WIDTH);
        if self.last.as_ref().is_none_or(|(known, _)| *known != at) {
            let body = store::tile(self.conn, self.round, i16::from(tiles), signed(at.1))?.ok_or(LogError::Damaged)?;
            self.last = Some((at, hashes(&body).ok_or(LogError::Damaged)?.to_vec()));
        }
        let known = self.last.as_ref().map(|(_, nodes)| nodes.as_slice()).unwrap_or_default();
        let start = usize::try_from(from % WIDTH).unwrap_or(usize::MAX);
        let these = known.get(start..start.saturating_add(1 << above)).ok_or(LogError::Damaged)?;
        tile::complete_root(these).ok_or(LogError::Damaged)
    }
}

/// Appends to a round's log inside one transaction; holds the log until it ends.
pub(crate) struct Appender {
    round: String,
    secret: SigningKey,
    vkey: VerifierKey,
    size: u64,
    close_root: Option<String>,
    leaves: Vec<u8>,
    /// Of each level, the hashes of its last tile.
    edges: Vec<Vec<Node>>,
}

impl Appender {
    /// `None` when there is no log, or when it is held by somebody else and is not waited for.
    pub(crate) fn hold(conn: &mut Conn, round: &str, wait: Wait) -> Result<Option<Self>, LogError> {
        let Some(row) = store::hold(conn, round, wait)? else { return Ok(None) };
        let secret: [u8; 32] = row.secret.try_into().map_err(|_length| LogError::Damaged)?;
        let vkey: VerifierKey = row.vkey.parse()?;
        let size = wide(row.size);
        if Checkpoint::open(&row.checkpoint, &vkey)?.size != size {
            return Err(LogError::Damaged);
        }
        let mut edges = Vec::new();
        let mut at = 0;
        while hashes_at(at, size) > 0 {
            edges.push(Vec::new());
            let count = hashes_at(at, size);
            if !count.is_multiple_of(WIDTH) {
                let body = store::tile(conn, round, i16::from(at), signed(count / WIDTH))?.ok_or(LogError::Damaged)?;
                let partial = tile::first(Kind::Hashes(at), &body, count % WIDTH).and_then(hashes);
                edges.pop();
                edges.push(partial.ok_or(LogError::Damaged)?.to_vec());
            }
            at += 1;
        }
        let leaves = match size % WIDTH {
            0 => Vec::new(),
            width => {
                let body = store::tile(conn, round, LEAVES, signed(size / WIDTH))?.ok_or(LogError::Damaged)?;
                tile::first(Kind::Entries, &body, width).ok_or(LogError::Damaged)?.to_vec()
            }
        };
        let secret = SigningKey::from_bytes(&secret);
        Ok(Some(Self { round: round.to_owned(), secret, vkey, size, close_root: row.close_root, leaves, edges }))
    }

    /// [`Appender::hold`] for an act, which needs the log.
    pub(crate) fn of(conn: &mut Conn, round: &str) -> Result<Self, LogError> {
        Self::hold(conn, round, Wait::Yes)?.ok_or(LogError::None)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root right after the leaf `close`.
    pub(crate) fn close_root(&self) -> Option<&str> {
        self.close_root.as_deref()
    }

    pub(crate) fn entry(&mut self, conn: &mut Conn, entry: &Entry) -> Result<(), LogError> {
        self.push(conn, &entry.canonical())
    }

    /// Appends a leaf; full tiles are written at once.
    pub(crate) fn push(&mut self, conn: &mut Conn, leaf: &[u8]) -> Result<(), LogError> {
        if !push_leaf(&mut self.leaves, leaf) {
            return Err(LogError::TooLong);
        }
        self.size += 1;
        if self.size.is_multiple_of(WIDTH) {
            store::put_tile(conn, &self.round, LEAVES, signed(self.size / WIDTH) - 1, &self.leaves)?;
            self.leaves.clear();
        }
        let mut node = merkle::leaf_hash(leaf);
        let mut at: u8 = 0;
        loop {
            if self.edges.len() <= usize::from(at) {
                self.edges.push(Vec::new());
            }
            let edge = self.edges.get_mut(usize::from(at)).ok_or(LogError::Damaged)?;
            edge.push(node);
            if u64::try_from(edge.len()).unwrap_or_default() < WIDTH {
                return Ok(());
            }
            node = tile::complete_root(edge).ok_or(LogError::Damaged)?;
            let full = edge.concat();
            edge.clear();
            let number = hashes_at(at, self.size) / WIDTH;
            store::put_tile(conn, &self.round, i16::from(at), signed(number) - 1, &full)?;
            at += 1;
        }
    }

    /// The root over everything so far.
    pub(crate) fn root(&self) -> Node {
        joined(self.edges.iter().rev().flat_map(|level| edge(level)).collect::<Vec<_>>().into_iter())
    }

    /// Writes the right edge and the signed checkpoint.
    pub(crate) fn finish(self, conn: &mut Conn) -> Result<(), LogError> {
        if !self.leaves.is_empty() {
            store::put_tile(conn, &self.round, LEAVES, signed(self.size / WIDTH), &self.leaves)?;
        }
        for (at, edge) in (0_u8..).zip(&self.edges) {
            if !edge.is_empty() {
                let number = hashes_at(at, self.size) / WIDTH;
                store::put_tile(conn, &self.round, i16::from(at), signed(number), &edge.concat())?;
            }
        }
        let head = Checkpoint { origin: self.vkey.origin.clone(), size: self.size, root: self.root() };
        Ok(store::set_head(conn, &self.round, signed(self.size), &head.sign(&self.secret))?)
    }

    /// Appends the leaf `close` and keeps the root right after it.
    pub(crate) fn close(&mut self, conn: &mut Conn, close: &Entry) -> Result<(), LogError> {
        self.entry(conn, close)?;
        let root = HEXLOWER.encode(&self.root());
        store::set_close_root(conn, &self.round, &root)?;
        self.close_root = Some(root);
        Ok(())
    }
}

/// Everything that the log commits to about a round's codes.
pub(crate) struct Codes {
    /// All that were ever made.
    pub(crate) all: Committed,
    /// Those that were used, with their signatures.
    pub(crate) redeemed: Committed,
    /// Neither used nor revoked.
    pub(crate) unused: u64,
    pub(crate) revoked: u64,
    /// Of each state, those on paper: unused, used, revoked.
    pub(crate) paper: (u64, u64, u64),
}

/// Reads a round's codes once.
pub(crate) fn codes(conn: &mut Conn, round: &str) -> Result<Codes, LogError> {
    let (mut all, mut redeemed) = (Tree::default(), Tree::default());
    let (mut unused, mut revoked, mut paper) = (0, 0, (0, 0, 0));
    each_code(conn, round, |row| {
        all.push(&row.code.leaf());
        let on_paper = u64::from(row.code.channel == "paper");
        match (row.state.as_str(), &row.redeem_signature) {
            ("used", Some(signature)) => {
                redeemed.push(&redeemed_leaf(&row.code.public_key, signature));
                paper.1 += on_paper;
            }
            ("revoked", _) => {
                revoked += 1;
                paper.2 += on_paper;
            }
            _ => {
                unused += 1;
                paper.0 += on_paper;
            }
        }
        Ok::<_, LogError>(())
    })?;
    Ok(Codes { all: committed(&all), redeemed: committed(&redeemed), unused, revoked, paper })
}

/// Goes through a round's codes in the order of their public keys.
pub(crate) fn each_code<E: From<LogError>>(
    conn: &mut Conn,
    round: &str,
    mut visit: impl FnMut(&CodeRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = Vec::new();
    loop {
        let page = store::codes(conn, round, &after, PAGE).map_err(LogError::from)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.code.public_key.to_vec();
        page.iter().try_for_each(&mut visit)?;
    }
}

/// The first entry: what was declared. Call in the act that opens the round.
pub(crate) fn open(conn: &mut Conn, round: &LoadedRound, entropy: &Entropy) -> Result<(), LogError> {
    begin(conn, round.id(), entropy)?;
    let mut log = Appender::of(conn, round.id())?;
    if log.size() > 0 {
        return Err(LogError::Damaged);
    }
    let codes = codes(conn, round.id())?;
    let definition = &round.definition;
    let time = |at: chrono::DateTime<chrono::Utc>| crate::clock::local(at).to_rfc3339();
    let questionnaires = definition.questionnaires.iter().map(|q| (q.respondent_code.clone(), q.hash.clone()));
    let entry = Entry::Open {
        round: round.id().to_owned(),
        rules_hash: definition.hash.clone(),
        questionnaires: questionnaires.collect(),
        roster_hash: roster_hash(&store::roster(conn, round.id())?),
        box_public_key: HEXLOWER.encode(round.box_public.as_deref().unwrap_or_default()),
        closes_at: time(round.closes_at),
        keying_closes_at: time(round.keying_closes_at),
        grace_minutes: definition.dates.grace_minutes,
        credentials: codes.all,
        revoked: codes.revoked,
        trustees: round.custody.trustees.clone(),
        addressed: addressed(definition),
    };
    log.entry(conn, &entry)?;
    log.finish(conn)
}

/// Codes of the groups whose letters are addressed.
pub(crate) fn addressed(round: &survey_forms::Round) -> Vec<String> {
    let groups = round.groups.iter().filter(|g| g.issue == survey_forms::round::IssueMode::Addressed);
    groups.map(|group| group.code.clone()).collect()
}

/// [`open`] for a round that an older version had opened; does nothing where the log has begun.
pub(crate) fn open_late(conn: &mut Conn, round: &LoadedRound, entropy: &Entropy) -> Result<(), LogError> {
    match store::head(conn, round.id())? {
        Some(_) => Ok(()),
        None => open(conn, round, entropy),
    }
}

/// What must not go unnoticed once the round has opened: codes made or withdrawn, another roster. Before that, and for
/// a round without a log, there is nothing to say. Holds the round against acts on it.
pub(crate) fn incident(
    conn: &mut Conn,
    round: &str,
    what: What,
    issued: usize,
    revoked: usize,
) -> Result<(), LogError> {
    let state = store::hold_round(conn, round)?;
    if state.as_deref() == Some(RoundState::Loaded.as_str()) {
        return Ok(());
    }
    let Some(mut log) = Appender::hold(conn, round, Wait::Yes)? else { return Ok(()) };
    let roster_hash = match what {
        What::RosterReplaced => Some(roster_hash(&store::roster(conn, round)?)),
        _ => None,
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    log.entry(conn, &Entry::Incident { what, issued: count(issued), revoked: count(revoked), roster_hash })?;
    log.finish(conn)
}

/// Who is invited: group, unit, head count.
pub(crate) fn roster(conn: &mut Conn, round: &str) -> Result<Vec<(String, String, i64)>, LogError> {
    Ok(store::roster(conn, round)?)
}

/// Paper ballots that were keyed in part and not cast.
pub(crate) fn unsettled(conn: &mut Conn, round: &str) -> Result<u64, LogError> {
    Ok(wide(store::unsettled(conn, round)?))
}

/// Envelopes in the box, and leaves of envelopes in the log: they are as many.
pub(crate) fn counts(conn: &mut Conn, round: &str) -> Result<(i64, i64), LogError> {
    Ok((store::in_box(conn, round)?, store::leaves(conn, round)?))
}

fn level(kind: Kind) -> i16 {
    match kind {
        Kind::Hashes(level) => i16::from(level),
        Kind::Entries => LEAVES,
    }
}

fn wide(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
