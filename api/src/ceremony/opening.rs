//! Opening the box: every envelope becomes a ballot under a new random id, or is counted as unreadable.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use sha2::{Digest as _, Sha256};
use survey_forms::Round;
use survey_forms::answers::{Answers, Ballot, Stratum};
use survey_forms::questionnaire::ItemKind;

use super::remark::{self, Remark};
use super::store::{self, NewBallot, NewRemark, OpeningRow};
use super::{ActError, Ceremony, KeyFile, advance, held};
use crate::access::audit::Actor;
use crate::ballot::draft;
use crate::ballot::log::commit::ballots_commitment;
use crate::ballot::log::entry::Entry as LogEntry;
use crate::ballot::log::merkle::Node;
use crate::ballot::log::{Appender, LogError};
use crate::ballot::seal::{self, BoxSecret, SealFault};
use crate::clock::Entropy;
use crate::round::{RoundError, RoundState};

/// Envelopes and ballots that are in hand at a time.
const PAGE: i64 = 2000;

/// How far an opening is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// So many are done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// The two parts of an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Envelopes are being opened; nothing is written.
    Opening,
    /// Ballots are being stored, all or none.
    Storing,
}

/// What the opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Envelopes in the box.
    pub envelopes: u64,
    /// Of these, ballots that read.
    pub opened: u64,
    /// The others, by reason.
    pub unreadable: BTreeMap<Unreadable, u64>,
    /// Root of the round's log right after its close (RFC 6962), lower-case hex.
    pub log_root: String,
}

/// Why an envelope gave no ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreadable {
    /// Its bytes are not those of its receipt.
    Altered,
    /// It does not open with the round's key.
    Opaque,
    /// It opened, but holds no canonical ballot.
    Malformed,
    /// A ballot of another round.
    OtherRound,
    /// Nobody in the round rates these targets together.
    UnknownStratum,
    /// Filled in on another version of the questionnaire.
    OtherQuestionnaire,
    /// Answers that its form does not take.
    UnfitAnswers,
}

impl Unreadable {
    /// A stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Opaque => "opaque",
            Self::Malformed => "malformed",
            Self::OtherRound => "other_round",
            Self::UnknownStratum => "unknown_stratum",
            Self::OtherQuestionnaire => "other_questionnaire",
            Self::UnfitAnswers => "unfit_answers",
        }
    }
}

impl Ceremony {
    /// Opens the box with its key. All or nothing; `progress` is called after each page.
    ///
    /// A ballot's id is random and ballots are stored in the order of these ids, so that neither ids, nor places on
    /// disk, nor transaction numbers lead from a ballot back to an envelope. Free text leaves its ballot here, each remark
    /// under a random id of its own; all of the box are stored in the order of those ids.
    ///
    /// # Errors
    /// [`ActError::Key`] for another round's key or another key, [`ActError::OutOfOrder`], [`ActError::BoxChanged`].
    pub fn open_box(
        &self,
        by: &Actor,
        round: &str,
        key: &KeyFile,
        mut progress: impl FnMut(Progress),
    ) -> Result<Opening, ActError> {
        let loaded = self.db.read_here(|conn| {
            self.rounds.reread(conn)?;
            self.rounds.get(conn, round)
        })?;
        if loaded.state != RoundState::Closed {
            return Err(ActError::OutOfOrder { is: loaded.state, needs: RoundState::Closed });
        }
        key.check(round, loaded.box_public.as_deref().ok_or(ActError::NoBoxKey)?)?;

        let found = self.read_box(&loaded.definition, &key.secret, &mut progress)?;
        let opened = found.ballots.entries.len();
        let mut stored = 0;
        let mut hashes: Vec<Node> = Vec::with_capacity(opened);
        let salt: [u8; 32] = self.entropy.bytes();
        let mut opening = found.opening;
        self.act(|conn| {
            held(conn, round, RoundState::Closed)?;
            let in_box = store::in_box(conn, round)?;
            if in_box != signed(opening.envelopes) {
                return Err(ActError::BoxChanged { expected: signed(opening.envelopes), found: in_box });
            }
            let mut log = Appender::of(conn, round)?;
            opening.log_root = log.close_root().ok_or(ActError::Log(LogError::Damaged))?.to_owned();
            let page = usize::try_from(PAGE).unwrap_or(1);
            for entries in found.ballots.entries.chunks(page) {
                let ballots: Option<Vec<NewBallot>> = entries.iter().map(|e| found.ballots.ballot(e)).collect();
                let ballots = ballots.ok_or(RoundError::Unreadable)?;
                hashes.extend(ballots.iter().map(|ballot| Node::from(Sha256::digest(&ballot.body))));
                store::insert_ballots(conn, round, &ballots)?;
                stored += entries.len();
                progress(Progress { stage: Stage::Storing, done: wide(stored), of: wide(opened) });
            }
            for remarks in found.remarks.chunks(page) {
                store::insert_remarks(conn, round, remarks)?;
            }
            store::insert_opening(conn, &opening.row(round, &salt))?;
            let hash = |(_, remark): &NewRemark| Node::from(Sha256::digest(remark.canonical(round)));
            let mut remarks: Vec<Node> = found.remarks.iter().map(hash).collect();
            log.entry(conn, &opening.entry(ballots_commitment(&salt, &mut hashes, &mut remarks)))?;
            log.finish(conn)?;
            // A draft that was being kept while the round closed.
            draft::discard_all(conn, round)?;
            advance(conn, round, RoundState::Closed, RoundState::Opened)?;
            self.note(conn, by, "round.box_opened", round, &opening.summary())?;
            Ok(())
        })?;
        self.empty_log();
        Ok(opening)
    }

    fn read_box(
        &self,
        round: &Round,
        secret: &BoxSecret,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Found, ActError> {
        let of = super::number(self.db.read_here(|conn| Ok::<_, ActError>(store::in_box(conn, &round.id)?))?);
        let rules = Rules::of(round);
        let mut ballots = Collected::default();
        let mut remarks: Vec<NewRemark> = Vec::new();
        let mut unreadable: BTreeMap<Unreadable, u64> = BTreeMap::new();
        let mut envelopes = 0_u64;
        let mut after = Vec::new();
        loop {
            let page = self.db.read_here(|conn| Ok::<_, ActError>(store::box_page(conn, &round.id, &after, PAGE)?))?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            let mut bytes = Vec::new();
            for outcome in rules.read_page(secret, &page) {
                envelopes += 1;
                match outcome {
                    Ok(read) => {
                        ballots.add(&self.entropy, &mut bytes, &read.answers, read.stratum);
                        remarks.extend(read.remarks.into_iter().map(|remark| (self.entropy.bytes(), remark)));
                    }
                    Err(reason) => *unreadable.entry(reason).or_default() += 1,
                }
            }
            ballots.pages.push(bytes.into_boxed_slice());
            progress(Progress { stage: Stage::Opening, done: envelopes, of });
        }
        ballots.tails = rules.tails();
        ballots.entries.sort_unstable_by_key(|entry| entry.id);
        remarks.sort_unstable_by_key(|(id, _)| *id);
        let opened = wide(ballots.entries.len());
        Ok(Found { ballots, remarks, opening: Opening { envelopes, opened, unreadable, log_root: String::new() } })
    }
}

impl Opening {
    fn row(&self, round: &str, salt: &[u8]) -> OpeningRow {
        OpeningRow {
            round: round.to_owned(),
            envelopes: signed(self.envelopes),
            opened: signed(self.opened),
            unreadable: signed(self.unreadable.values().sum()),
            log_root: self.log_root.clone(),
            salt: Some(salt.to_vec()),
        }
    }

    fn entry(&self, ballots: String) -> LogEntry {
        let unreadable = self.unreadable.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count));
        LogEntry::Opened { envelopes: self.envelopes, opened: self.opened, unreadable: unreadable.collect(), ballots }
    }

    fn summary(&self) -> String {
        let mut text = format!("envelopes={} opened={} log_root={}", self.envelopes, self.opened, self.log_root);
        for (reason, count) in &self.unreadable {
            text.push_str(&format!(" {}={count}", reason.as_str()));
        }
        text
    }
}

struct Found {
    ballots: Collected,
    /// In the order of their ids.
    remarks: Vec<NewRemark>,
    opening: Opening,
}

/// A ballot that reads.
struct Read {
    /// Canonical bytes of the answers, without free text.
    answers: Vec<u8>,
    /// Place of its stratum.
    stratum: usize,
    remarks: Vec<Remark>,
}

/// What a ballot must be to count as one.
struct Rules<'r> {
    round: &'r Round,
    /// Every kind of ballot paper, once.
    strata: Vec<Stratum>,
}

impl<'r> Rules<'r> {
    fn of(round: &'r Round) -> Self {
        let mut strata: Vec<Stratum> =
            round.assignments().iter().map(survey_forms::round::Assignment::stratum).collect();
        strata.sort();
        strata.dedup();
        Self { round, strata }
    }

    /// Opens a page of envelopes on all cores.
    fn read_page(&self, secret: &BoxSecret, page: &[(Vec<u8>, Vec<u8>)]) -> Vec<Result<Read, Unreadable>> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let share = page.len().div_ceil(cores).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = page
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().map(|row| self.read(secret, row)).collect::<Vec<_>>()))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| match part.join() {
                    Ok(read) => read,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }

    fn read(&self, secret: &BoxSecret, (id, sealed): &(Vec<u8>, Vec<u8>)) -> Result<Read, Unreadable> {
        if seal::envelope_id(sealed).as_slice() != id.as_slice() {
            return Err(Unreadable::Altered);
        }
        let canonical = seal::open(secret, &self.round.id, sealed).map_err(|fault| match fault {
            SealFault::Inside => Unreadable::Malformed,
            _ => Unreadable::Opaque,
        })?;
        let mut ballot = Ballot::from_canonical(&canonical).map_err(|_fault| Unreadable::Malformed)?;
        if ballot.round != self.round.id {
            return Err(Unreadable::OtherRound);
        }
        let stratum = self.strata.binary_search(&ballot.stratum).map_err(|_place| Unreadable::UnknownStratum)?;
        let form = self.round.form(&ballot.stratum.respondent_code, &ballot.stratum.targets);
        let form = form.ok_or(Unreadable::UnknownStratum)?;
        if form.questionnaire.hash != ballot.questionnaire {
            return Err(Unreadable::OtherQuestionnaire);
        }
        form.check_cast(&ballot.answers).map_err(|_faults| Unreadable::UnfitAnswers)?;
        let has_text = form.questionnaire.items().any(|item| matches!(item.kind, ItemKind::Text { .. }));
        let remarks = if has_text { remark::detach(form.questionnaire, &mut ballot.answers) } else { Vec::new() };
        Ok(Read { answers: ballot.answers.canonical(), stratum, remarks })
    }

    /// What follows the answers in a canonical ballot of each stratum.
    fn tails(&self) -> Vec<String> {
        let tail = |stratum: &Stratum| {
            let hash = self.round.questionnaire(&stratum.respondent_code).map(|q| q.hash.clone());
            let empty = Ballot {
                round: self.round.id.clone(),
                questionnaire: hash.unwrap_or_default(),
                stratum: stratum.clone(),
                answers: Answers::new(),
            };
            let text = String::from_utf8(empty.canonical()).unwrap_or_default();
            text.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix("{}")).map(str::to_owned).unwrap_or_default()
        };
        self.strata.iter().map(tail).collect()
    }
}

/// What a canonical ballot starts with, before its answers.
const HEAD: &str = "{\"answers\":";

/// The ballots of a box in memory: only the answers of each, about 250 bytes for twenty items, so that a million
/// ballots fit into some 300 MiB.
#[derive(Default)]
struct Collected {
    tails: Vec<String>,
    pages: Vec<Box<[u8]>>,
    entries: Vec<Entry>,
}

struct Entry {
    id: [u8; 16],
    page: u32,
    start: u32,
    length: u32,
    stratum: u32,
}

impl Collected {
    fn add(&mut self, entropy: &Entropy, page: &mut Vec<u8>, answers: &[u8], stratum: usize) {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            id: entropy.bytes(),
            page: place(self.pages.len()),
            start: place(page.len()),
            length: place(answers.len()),
            stratum: place(stratum),
        });
        page.extend_from_slice(answers);
    }

    /// The row of an entry; the body is the canonical ballot, byte for byte. `None` never happens for its own entries.
    fn ballot(&self, entry: &Entry) -> Option<NewBallot> {
        let at = |place: u32| usize::try_from(place).ok();
        let page = self.pages.get(at(entry.page)?)?;
        let answers = page.get(at(entry.start)?..)?.get(..at(entry.length)?)?;
        let tail = self.tails.get(at(entry.stratum)?)?;
        let body = [HEAD, std::str::from_utf8(answers).ok()?, tail].concat();
        Some(NewBallot { id: entry.id, body })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
