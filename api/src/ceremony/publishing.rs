//! Publishing: the one release of a round's scores. And the burning of the box key, which is possible only then.

use std::io;
use std::path::{Path, PathBuf};

use survey_forms::answers::Ballot;
use survey_forms::scoring::{self, Tally};

use super::{ActError, Ceremony, KeyFile, KeyFileError, advance, held, key_file, store, trustees};
use crate::access::audit::{self, Actor};
use crate::ballot::log::Appender;
use crate::ballot::log::entry::Entry;
use crate::clock::local;
use crate::db::unix_ms;
use crate::round::{self, Burnt, RoundError, RoundState};

/// Ballots that are in hand at a time.
const PAGE: i64 = 2000;
/// The first and, so far, only release of a round.
const RELEASE: i64 = 1;

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
    /// 1.
    pub release: i64,
    /// Ballots that count.
    pub valid: u64,
    /// Ballots that were read but do not count.
    pub void: u64,
    /// SHA-256 of the canonical document, lower-case hex.
    pub sha256: String,
}

impl Ceremony {
    /// Counts the ballots, scores them, and releases the document.
    ///
    /// # Errors
    /// [`ActError::TooEarly`], [`ActError::OutOfOrder`], [`ActError::BoxChanged`] when there are not as many ballots as
    /// the opening found.
    pub fn publish(&self, by: &Actor, round: &str, timing: Timing) -> Result<Published, ActError> {
        let (loaded, opening, turnout) = self.db.read_here(|conn| {
            self.rounds.reread(conn)?;
            let loaded = self.rounds.get(conn, round)?;
            if loaded.state != RoundState::Opened {
                return Err(ActError::OutOfOrder { is: loaded.state, needs: RoundState::Opened });
            }
            let opening = store::opening(conn, round)?.ok_or(RoundError::Unreadable)?;
            Ok((loaded, opening, store::turnout(conn, round)?))
        })?;
        let rules = &loaded.definition;
        let (tally, counted) = self.tally(rules)?;
        if counted != opening.opened {
            return Err(ActError::BoxChanged { expected: opening.opened, found: counted });
        }
        let sheet = scoring::score(rules, &tally, &turnout);
        self.act(|conn| {
            held(conn, round, RoundState::Opened)?;
            let now = self.db.now(conn)?;
            let early = now < rules.dates.publishes;
            if early && timing == Timing::OnTime {
                return Err(ActError::TooEarly(rules.dates.publishes));
            }
            let document = sheet.document(rules, local(now), &opening.log_root);
            let canonical = String::from_utf8(document.canonical()).map_err(|_utf8| RoundError::Unreadable)?;
            let sha256 = sha256_hex(canonical.as_bytes());
            store::insert_publication(conn, round, RELEASE, unix_ms(&now), &canonical)?;
            let mut log = Appender::of(conn, round)?;
            let release = u64::try_from(RELEASE).unwrap_or_default();
            log.entry(conn, &Entry::Result { release, sha256: sha256.clone() })?;
            log.finish(conn)?;
            advance(conn, round, RoundState::Opened, RoundState::Published)?;
            let valid = document.ballots.iter().map(|group| group.valid).sum();
            let void = document.ballots.iter().flat_map(|group| &group.void).map(|v| v.count).sum();
            let forced = if early { " before_its_date=true" } else { "" };
            let detail = format!("release={RELEASE} valid={valid} void={void} sha256={sha256}{forced}");
            audit::record(conn, now, by, "round.published", round, &detail)?;
            Ok(Published { release: RELEASE, valid, void, sha256 })
        })
    }

    fn tally(&self, round: &survey_forms::Round) -> Result<(Tally, i64), ActError> {
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

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}
