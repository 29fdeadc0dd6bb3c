//! Publishing: the releases of a round's scores. And the burning of the box key, which is possible only then.

use std::io;
use std::path::{Path, PathBuf};

use survey_forms::answers::Ballot;
use survey_forms::scoring::Tally;

use super::release::{Draft, Prepared, ReleaseError};
use super::{ActError, Ceremony, KeyFile, KeyFileError, advance, held, key_file, store, trustees};
use crate::access::audit::{self, Actor};
use crate::ballot::log::Appender;
use crate::ballot::log::entry::Entry;
use crate::clock::local;
use crate::db::{Conn, unix_ms};
use crate::round::{self, Burnt, RoundError, RoundState};
use crate::webhook::{self, Released};

/// Ballots that are in hand at a time.
const PAGE: i64 = 2000;

/// What burning a key can do and what it cannot; shown by whoever offers it.
pub const BURNING: &str = "Tệp khóa đã được ghi đè và xóa khỏi đĩa này. Việc đó không xóa được các bản sao đã chép sang nơi \
khác (USB, sao lưu, ảnh chụp máy ảo, thư điện tử); trên ổ SSD, thẻ nhớ hoặc hệ thống tệp có lưu phiên bản, dữ liệu cũ có \
thể còn nằm ở vùng không ghi đè được. Xin ông/bà tự hủy mọi bản sao khác. Chừng nào còn một bản sao của khóa và các bản sao \
lưu cơ sở dữ liệu trước khi chốt, các phong bì vẫn có thể bị mở.";

/// [`BURNING`] for trustees.
pub const BURNING_TRUSTEES: &str = "Các tệp khóa của từng cặp người giữ đã được ghi đè và xóa khỏi đĩa này. Hòm phiếu chỉ thật sự \
không mở được nữa khi hai trong ba người giữ đã hủy khóa riêng của mình (tệp do age-keygen tạo) hoặc mọi bản sao của các tệp \
này đã bị hủy. Xin từng người giữ tự hủy khóa riêng và mọi bản sao, và ghi việc đó vào biên bản.";

/// Whether the round's date of publication binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Not before the date.
    OnTime,
    /// Before it if need be: an administrator's decision, which the audit trail keeps.
    ForceEarly,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// From 1.
    pub release: i64,
    /// Ballots that count.
    pub valid: u64,
    /// Ballots that were read but do not count.
    pub void: u64,
    /// SHA-256 of the canonical document, lower-case hex.
    pub sha256: String,
}

impl Ceremony {
    /// Counts the ballots, scores them, and releases the first document: the act of whoever runs commands on the
    /// server. On the pages it takes two persons ([`Ceremony::propose_release`]).
    ///
    /// # Errors
    /// [`ActError::TooEarly`], [`ActError::OutOfOrder`], [`ActError::BoxChanged`] when there are not as many ballots as
    /// the opening found.
    pub fn publish(&self, by: &Actor, round: &str, timing: Timing) -> Result<Published, ActError> {
        let now = self.db.read_here(|conn| {
            self.rounds.reread(conn)?;
            let is = self.rounds.get(conn, round)?.state;
            if is != RoundState::Opened {
                return Err(ActError::OutOfOrder { is, needs: RoundState::Opened });
            }
            Ok(self.db.now(conn)?)
        })?;
        let prepared = self.prepare(round, &Draft::default(), now)?;
        self.act(|conn| {
            if let Some(waiting) = Self::waiting_release(conn, round)? {
                // Two of the staff are at it.
                tracing::warn!(proposal.id = %waiting.id, "a proposed release waits");
                return Err(ReleaseError::Waits.into());
            }
            self.put_out(conn, by, &prepared, timing, "")
        })
    }

    /// Writes a release: the document, its line in the log, the round's state, the trail.
    pub(super) fn put_out(
        &self,
        conn: &mut Conn,
        by: &Actor,
        prepared: &Prepared,
        timing: Timing,
        more: &str,
    ) -> Result<Published, ActError> {
        let mut document = prepared.document.clone();
        let round = document.round.clone();
        held(conn, &round, prepared.state())?;
        let known = store::releases(conn, &round)?.len();
        if known != prepared.earlier.len() {
            return Err(ReleaseError::Changed.into());
        }
        let now = self.db.now(conn)?;
        let publishes = self.rounds.get(conn, &round)?.definition.dates.publishes;
        // A correction follows a release that is out.
        let early = prepared.state() == RoundState::Opened && now < publishes;
        if early && timing == Timing::OnTime {
            return Err(ActError::TooEarly(publishes));
        }
        document.published_at = local(now);
        let canonical = String::from_utf8(document.canonical()).map_err(|_utf8| RoundError::Unreadable)?;
        let sha256 = sha256_hex(canonical.as_bytes());
        let release = i64::from(document.release);
        store::insert_publication(conn, &round, release, unix_ms(&now), &canonical)?;
        let mut log = Appender::of(conn, &round)?;
        log.entry(conn, &Entry::Result { release: u64::from(document.release), sha256: sha256.clone() })?;
        log.finish(conn)?;
        if prepared.state() == RoundState::Opened {
            advance(conn, &round, RoundState::Opened, RoundState::Published)?;
        }
        let valid = document.ballots.iter().map(|group| group.valid).sum();
        let void = document.ballots.iter().flat_map(|group| &group.void).map(|v| v.count).sum();
        let forced = if early { " before_its_date=true" } else { "" };
        let detail = format!("release={release} valid={valid} void={void} sha256={sha256}{forced}{more}");
        let released = Released {
            round: &round,
            release: document.release,
            published_at: document.published_at,
            sha256: &sha256,
            reason: document.correction.as_ref().map(|correction| correction.reason.as_str()),
            path: format!("/api/v1/rounds/{round}/scores?as_of={release}"),
        };
        webhook::announce(conn, now, &self.entropy, &released)?;
        let act = if release == 1 { "round.published" } else { "round.corrected" };
        audit::record(conn, now, by, act, &round, &detail)?;
        Ok(Published { release, valid, void, sha256 })
    }

    pub(super) fn tally(&self, round: &survey_forms::Round) -> Result<(Tally, i64), ActError> {
        let mut tally = Tally::new(round);
        let (mut counted, mut after) = (0_i64, Vec::new());
        loop {
            let page =
                self.db.read_here(|conn| Ok::<_, ActError>(store::ballot_page(conn, &round.id, &after, PAGE)?))?;
            let Some((last, _)) = page.last() else { return Ok((tally, counted)) };
            after.clone_from(last);
            for (_, body) in &page {
                let ballot = Ballot::from_canonical(body.as_bytes()).map_err(|_fault| RoundError::Unreadable)?;
                tally.add(&ballot);
                counted += 1;
            }
        }
    }

    /// Destroys the custodian's file: overwritten, then deleted. What that can and cannot do: [`BURNING`].
    ///
    /// First the round keeps that its key is being burnt, then the file goes, then the audit trail says so. After a
    /// crash at any point the same call goes on: with the file as it was, half overwritten, or gone.
    ///
    /// # Errors
    /// [`ActError::OutOfOrder`] unless the round is published, [`ActError::Key`] for the file of another round or one
    /// that is no key file, [`ActError::OtherCustody`] where trustees hold the key, [`ActError::File`].
    pub fn burn(&self, by: &Actor, round: &str, path: &Path) -> Result<(), ActError> {
        self.begin_burning(round, Held::ByFile, &[path.to_owned()], |box_public, begun| {
            let bytes = zeroize::Zeroizing::new(match std::fs::read(path) {
                Err(error) if begun && error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            });
            if begun && key_file::is_overwritten(&bytes) {
                return Ok(());
            }
            let text = std::str::from_utf8(&bytes).map_err(|_utf8| KeyFileError::NotAKeyFile)?;
            Ok(KeyFile::parse(text)?.check(round, box_public)?)
        })?;
        destroy_if_there(path)?;
        self.end_burning(by, round, "")
    }

    /// Destroys the trustees' files, as [`Ceremony::burn`] does one. They cannot be opened here, so it is their names
    /// and their first line that tell that they are this round's. What that can and cannot do: [`BURNING_TRUSTEES`].
    ///
    /// # Errors
    /// As [`Ceremony::burn`].
    pub fn burn_trustees(&self, by: &Actor, round: &str, paths: &[PathBuf]) -> Result<(), ActError> {
        self.begin_burning(round, Held::ByTrustees, paths, |_, begun| {
            for path in paths {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if !name.starts_with(&format!("{round}.box.")) {
                    return Err(KeyFileError::NotAKeyFile.into());
                }
                match std::fs::read(path) {
                    Ok(bytes) if trustees::is_age(&bytes) || begun && key_file::is_overwritten(&bytes) => {}
                    Ok(_) => return Err(KeyFileError::NotAKeyFile.into()),
                    Err(error) if begun && error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })?;
        paths.iter().try_for_each(|path| destroy_if_there(path))?;
        self.end_burning(by, round, &format!("files={}", paths.len()))
    }

    fn begin_burning(
        &self,
        round: &str,
        held_by: Held,
        paths: &[PathBuf],
        fits: impl FnOnce(&[u8], bool) -> Result<(), ActError>,
    ) -> Result<(), ActError> {
        let absolute = |path: &PathBuf| Ok(std::path::absolute(path)?.to_string_lossy().into_owned());
        let paths = paths.iter().map(absolute).collect::<io::Result<Vec<String>>>()?;
        self.act(|conn| {
            let box_public = held(conn, round, RoundState::Published)?;
            let mut custody = round::custody(conn, round)?;
            match (held_by, custody.is_by_file()) {
                (Held::ByFile, false) => return Err(ActError::OtherCustody("trustees")),
                (Held::ByTrustees, true) => return Err(ActError::OtherCustody("one file")),
                _ => {}
            }
            // A file that is gone was burnt only if it is one of those that were begun with.
            let begun = matches!(&custody.burnt, Some(Burnt::Begun(known)) if *known == paths);
            fits(box_public.as_deref().unwrap_or_default(), begun)?;
            custody.burnt = Some(Burnt::Begun(paths));
            Ok(round::set_custody(conn, round, &custody)?)
        })
    }

    fn end_burning(&self, by: &Actor, round: &str, detail: &str) -> Result<(), ActError> {
        self.act(|conn| {
            held(conn, round, RoundState::Published)?;
            let mut custody = round::custody(conn, round)?;
            custody.burnt = Some(Burnt::Done);
            round::set_custody(conn, round, &custody)?;
            Ok(self.note(conn, by, "round.box_key_burnt", round, detail)?)
        })
    }
}

#[derive(Clone, Copy)]
enum Held {
    ByFile,
    ByTrustees,
}

fn destroy_if_there(path: &Path) -> io::Result<()> {
    match key_file::destroy(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}
