//! What the page's form asks for, as work that a thread of its own can do.

use phieu_print::{Paper, PrintError};

use super::handing::{self, Begun, Made};
use super::pages::{CodesForm, MOST};
use super::{Format, Layout, PressError, write_codes};
use crate::access::audit::{self, Actor};
use crate::clock::Entropy;
use crate::config::BaseUrl;
use crate::credential::{self, CredentialError, IssuedCode, Selection, Standing, hand_over};
use crate::db::{Conn, Db};
use crate::round::Rounds;

/// Why codes are not handed over.
pub(super) enum Halt {
    /// The list was handed over before: that must be confirmed.
    Confirm(Standing),
    /// Nobody waits for them any more.
    Gone,
    Press(PressError),
}

impl<E: Into<PressError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Press(error.into())
    }
}

/// One press of the button.
pub(super) struct Job {
    pub(super) db: Db,
    pub(super) rounds: Rounds,
    pub(super) entropy: Entropy,
    pub(super) actor: Actor,
    pub(super) base: BaseUrl,
    pub(super) id: String,
    pub(super) count: Option<u32>,
    pub(super) wanted: CodesForm,
}

/// Some of the codes, to be drawn as one file.
struct Part<'p> {
    job: &'p Job,
    made: &'p Made,
    codes: &'p [IssuedCode],
}

impl Part<'_> {
    /// The file; `told` hears how many are drawn.
    fn draw(&self, told: &mut dyn FnMut(usize)) -> Result<Vec<u8>, Halt> {
        let wanted = &self.job.wanted;
        let paper = if wanted.kho == "a3" { Paper::A3 } else { Paper::A4 };
        let layout = Layout { paper, two_sided: !wanted.hai_mat.is_empty() };
        let form = (Format::Pdf, layout);
        Ok(write_codes(&self.made.round, self.codes, &self.job.base, self.made.at, form, told)?.bytes)
    }
}

impl Job {
    fn make(&self, conn: &mut Conn, entropy: &Entropy) -> Result<Made, Halt> {
        let round = self.rounds.get(conn, &self.id)?;
        let unit = Some(self.wanted.don_vi.trim()).filter(|unit| !unit.is_empty());
        let selection = Selection { respondent_code: Some(&self.wanted.nhom), source_unit: unit, count: self.count };
        if self.count.is_none() {
            let standing = credential::standing(conn, &round, selection)?;
            if standing.open.max(standing.unused) > MOST {
                return Err(CredentialError::TooMany.into());
            }
            if standing.open == 0 && standing.unused > 0 && self.wanted.lai.is_empty() {
                return Err(Halt::Confirm(standing));
            }
        }
        let handed = hand_over(conn, &round, selection, entropy)?;
        if u64::try_from(handed.codes.len()).unwrap_or(u64::MAX) > MOST {
            return Err(CredentialError::TooMany.into());
        }
        Ok(Made { round, codes: handed.codes, revoked: handed.revoked, at: self.db.now(conn)? })
    }

    /// The codes as they will be.
    pub(super) fn begin(&self) -> Result<Begun, Halt> {
        handing::begin(&self.db, &self.entropy, &|conn: &mut Conn, entropy: &Entropy| self.make(conn, entropy))
    }

    /// Draws the codes in files of at most `most` ([`parts`]), lets them count, and gives the files back. `told` hears how many
    /// are drawn; when it says that nobody listens, nothing counts.
    pub(super) fn finish(
        &self,
        begun: Begun,
        most: usize,
        told: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(Made, Vec<Vec<u8>>), Halt> {
        let make = |conn: &mut Conn, entropy: &Entropy| self.make(conn, entropy);
        let draw = |made: &Made| {
            if made.codes.is_empty() {
                return Err(PrintError::Empty.into());
            }
            let (mut files, mut before, mut heard) = (Vec::new(), 0, true);
            for codes in parts(&made.codes, most) {
                let part = Part { job: self, made, codes };
                files.push(part.draw(&mut |drawn| heard = heard && told(before + drawn))?);
                before += codes.len();
                if !heard {
                    return Err(Halt::Gone);
                }
            }
            Ok(files)
        };
        let keep = |conn: &mut Conn, made: &Made, _: &Vec<Vec<u8>>| {
            let (group, count) = (&self.wanted.nhom, made.codes.len());
            let detail = format!("group={group} count={count} revoked={} pdf", made.revoked);
            Ok(audit::record(conn, made.at, &self.actor, "codes.issued", &self.id, &detail)?)
        };
        handing::finish(&self.db, &self.entropy, begun, &make, draw, keep)
    }
}

/// Codes that belong on the same sheets: of one unit, or of one bundle.
fn belong(a: &IssuedCode, b: &IssuedCode) -> bool {
    let bundle = |code: &IssuedCode| code.sheet.as_ref().map(|sheet| sheet.bundle);
    (&a.respondent_code, &a.source_unit, bundle(a)) == (&b.respondent_code, &b.source_unit, bundle(b))
        && (!a.source_unit.is_empty() || bundle(a).is_some() || a.targets == b.targets)
}

/// The codes in runs of at most `most`; what belongs together is parted only where it alone is more.
pub(super) fn parts(codes: &[IssuedCode], most: usize) -> Vec<&[IssuedCode]> {
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for run in codes.chunk_by(belong).flat_map(|run| run.chunks(most.max(1))) {
        if end - start + run.len() > most && end > start {
            parts.extend(codes.get(start..end));
            start = end;
        }
        end += run.len();
    }
    parts.extend(codes.get(start..end).filter(|last| !last.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::fixture::places;

    #[test]
    fn units_and_bundles_stay_together_where_they_can() {
        let place = places().next().unwrap();
        let mut codes = Vec::new();
        for (unit, count) in [("SNV", 4), ("STC", 3), ("STP", 9)] {
            codes.extend(place.issue("CC-CT", Some(unit), Some(count)));
        }
        let lens = |most| parts(&codes, most).iter().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(lens(100), [16]);
        assert_eq!(lens(8), [7, 8, 1]);
        assert_eq!(lens(4), [4, 3, 4, 4, 1]);
        assert_eq!(lens(0).len(), 16);
        assert!(parts(&[], 5).is_empty());
    }
}
