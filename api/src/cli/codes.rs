//! `phieu codes …`.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::PathBuf;

use clap::Subcommand;

use phieu_print::Paper;

use super::new_file::{Found, NewFile};
use super::{Failure, entropy, open, out, progress};
use crate::access::{Actor, audit};
use crate::ballot::{FindError, Token, find};
use crate::clock::Entropy;
use crate::config::{BaseUrl, Config};
use crate::credential::{self, CredentialError, Selection};
use crate::db::{Conn, Db};
use crate::print::handing::{self, Made};
use crate::print::{Format, Layout, PressError, write_codes};
use crate::round::{LoadedRound, Rounds};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make codes and write them down, this once: as a table, or as slips and ballots to print. Asked again, makes other
    /// codes and revokes the unused ones of the list before.
    Issue {
        /// Id of the round.
        round: String,
        /// Only this group.
        #[arg(long, value_name = "CODE")]
        group: Option<String>,
        /// Only this unit.
        #[arg(long, value_name = "UNIT")]
        unit: Option<String>,
        /// So many for each kind of ballot, instead of what quota and roster leave open.
        #[arg(long, value_name = "N")]
        count: Option<u32>,
        /// A new .csv, .xlsx or .pdf file; it will hold the only copy of the codes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        print: PrintOptions,
    },
    /// Withdraw codes that were not used, all of them or none. Reads one code a line from standard input.
    Revoke,
    /// Withdraw codes and make others for the same places, for all of them or none. Reads one code a line from standard
    /// input.
    Replace {
        /// A new .csv, .xlsx or .pdf file for the new codes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        print: PrintOptions,
    },
}

/// How a PDF is printed.
#[derive(clap::Args)]
pub(super) struct PrintOptions {
    /// Paper of ballots about many bodies: a4 (upright, several pages) or a3 (across).
    #[arg(long, value_name = "SIZE", default_value = "a4", value_parser = paper)]
    paper: Paper,
    /// Add empty pages, so that printing on both sides never puts two ballots on one sheet.
    #[arg(long)]
    two_sided: bool,
    /// Also write where the boxes of the ballots stand, as JSON, to this new file.
    #[arg(long, value_name = "FILE.json")]
    boxes: Option<PathBuf>,
}

/// `a4` or `a3`.
pub(super) fn paper(word: &str) -> Result<Paper, String> {
    match word.to_lowercase().as_str() {
        "a4" => Ok(Paper::A4),
        "a3" => Ok(Paper::A3),
        _ => Err("a4 or a3".to_owned()),
    }
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let rounds = Rounds::new();
    match command {
        Command::Issue { round, group, unit, count, out, print } => {
            let list = List::begin(config, &db, &rounds, out, &print)?;
            let selection = Selection { respondent_code: group.as_deref(), source_unit: unit.as_deref(), count };
            list.hand_over(("codes.issued", group.as_deref().unwrap_or("*")), |conn, entropy| {
                let round = rounds.get(conn, &round).map_err(FindError::from).map_err(CredentialError::from)?;
                let handed = credential::hand_over(conn, &round, selection, entropy)?;
                Ok(Made { round, codes: handed.codes, revoked: handed.revoked, at: db.now(conn)? })
            })
        }
        Command::Revoke => {
            let old = tokens()?;
            db.write_here(|conn| revoke(conn, &db, &rounds, &old).map_err(Undone))
                .map_err(|Undone(failure)| failure)?;
            out::line(format_args!("revoked {} codes", old.len()));
            Ok(())
        }
        Command::Replace { out, print } => {
            let list = List::begin(config, &db, &rounds, out, &print)?;
            let old = tokens()?;
            list.hand_over(("codes.replaced", "*"), |conn, entropy| {
                let mut codes = Vec::new();
                let mut round = None;
                let mut refused = Refused::default();
                for (number, token) in &old {
                    let done = find(conn, &rounds, token).map_err(CredentialError::from);
                    let of = match done {
                        Ok(bearer) => bearer.round,
                        Err(error) => {
                            refused.add(*number, error)?;
                            continue;
                        }
                    };
                    if round.as_ref().is_some_and(|round: &std::sync::Arc<LoadedRound>| round.id() != of.id()) {
                        return Err("the codes are of more than one round; one round at a time".into());
                    }
                    round = Some(of);
                    match credential::replace(conn, &rounds, token, entropy) {
                        Ok(code) => codes.push(code),
                        Err(error) => refused.add(*number, error)?,
                    }
                }
                refused.into_result("replaced")?;
                let round = round.ok_or("no code was given")?;
                Ok(Made { round, revoked: codes.len(), codes, at: db.now(conn)? })
            })
        }
    }
}

/// Withdraws all of these codes or none, and says so in the trail.
fn revoke(conn: &mut Conn, db: &Db, rounds: &Rounds, old: &[(usize, Token)]) -> Result<(), Failure> {
    let mut gone: BTreeMap<[String; 3], usize> = BTreeMap::new();
    let mut refused = Refused::default();
    for (number, token) in old {
        match credential::revoke(conn, rounds, token) {
            Ok(code) => {
                let place = [code.round.id().to_owned(), code.stratum.respondent_code, code.source_unit];
                *gone.entry(place).or_default() += 1;
            }
            Err(error) => refused.add(*number, error)?,
        }
    }
    refused.into_result("revoked")?;
    if gone.is_empty() {
        return Err("no code was given".into());
    }
    let at = db.now(conn)?;
    for ([round, group, unit], count) in gone {
        let detail = format!("group={group} unit={unit} count={count}");
        audit::record(conn, at, &Actor::Command, "codes.revoked", &round, &detail)?;
    }
    Ok(())
}

/// Lines of standard input whose code cannot be taken, and why.
#[derive(Default)]
struct Refused(Vec<String>);

impl Refused {
    /// Notes a line; what is no fault of the line ends the command.
    fn add(&mut self, number: usize, error: CredentialError) -> Result<(), Failure> {
        use CredentialError::{Closed, Find, Revoked, Used};
        match error {
            Used | Revoked | Closed | Find(FindError::Unknown) => self.0.push(format!("line {number}: {error}")),
            other => return Err(other.into()),
        }
        Ok(())
    }

    fn into_result(self, done: &str) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        for line in &self.0 {
            out::line(line);
        }
        Err(format!("{} lines are at fault; no code was {done}", self.0.len()).into())
    }
}

/// Why a list was not handed over: an error of a command, inside a write.
struct Undone(Failure);

impl From<crate::db::DbError> for Undone {
    fn from(error: crate::db::DbError) -> Self {
        Self(error.into())
    }
}

/// A list of codes on its way into a file.
struct List<'a> {
    db: &'a Db,
    base: BaseUrl,
    file: NewFile,
    format: Format,
    print: &'a PrintOptions,
    /// An earlier run was cut off after its codes counted; its file has just been put in its place.
    finished: bool,
}

impl<'a> List<'a> {
    fn begin(
        config: &Config,
        db: &'a Db,
        rounds: &Rounds,
        out: PathBuf,
        print: &'a PrintOptions,
    ) -> Result<Self, Failure> {
        let format =
            Format::of(&out).ok_or_else(|| format!("{}: codes are written as .csv, .xlsx or .pdf", out.display()))?;
        if print.boxes.is_some() && format != Format::Pdf {
            return Err(PressError::NoBoxes.into());
        }
        let counted = |mark: &str| {
            db.read_here(|conn| {
                let known = rounds.all(conn).map_err(FindError::from).map_err(CredentialError::from)?;
                for round in known.iter() {
                    if audit::has_mark(conn, round.id(), mark).map_err(CredentialError::from)? {
                        return Ok::<_, CredentialError>(true);
                    }
                }
                Ok(false)
            })
        };
        let (file, found) = NewFile::begin(out, counted)?;
        if found == Found::Dead {
            out::note("an earlier run was cut off before its codes counted; what it left is gone");
        }
        Ok(Self { db, base: config.base()?, file, format, print, finished: found == Found::Counted })
    }

    /// Makes codes, writes them down whole and durably, and only then lets them count. The trail gets `action` and `what`.
    fn hand_over(
        self,
        (action, what): (&str, &str),
        make: impl Fn(&mut Conn, &Entropy) -> Result<Made, Failure>,
    ) -> Result<(), Failure> {
        if self.finished {
            out::line(format_args!(
                "{}: the list of an earlier run that was cut off after its codes counted. It is whole; no new code was made",
                self.file.path().display()
            ));
            return Ok(());
        }
        let make = |conn: &mut Conn, entropy: &Entropy| make(conn, entropy).map_err(Undone);
        let done = handing::begin(self.db, &entropy(), &make).and_then(|begun| {
            let keep = |conn: &mut Conn, made: &Made, (mark, boxes): &Drawn| {
                self.keep_boxes(boxes.as_deref()).map_err(Undone)?;
                let detail = format!("group={what} count={} revoked={} {mark}", made.codes.len(), made.revoked);
                Ok(audit::record(conn, made.at, &Actor::Command, action, made.round.id(), &detail)?)
            };
            handing::finish(self.db, &entropy(), begun, &make, |made| self.draw(made).map_err(Undone), keep)
        });
        let made = match done {
            Ok((made, _)) => made,
            Err(Undone(failure)) => {
                self.file.discard();
                return Err(failure);
            }
        };
        let path = self.file.path().to_owned();
        self.file.keep()?;
        if made.revoked > 0 {
            out::line(format_args!(
                "{} unused codes of an earlier list are revoked: paper that carries them is void",
                made.revoked
            ));
        }
        out::line(format_args!("{} codes in {}; there is no other copy", made.codes.len(), path.display()));
        Ok(())
    }

    /// Writes the codes into the part of the file that has no name yet.
    fn draw(&self, made: &Made) -> Result<Drawn, Failure> {
        if made.codes.is_empty() {
            return Err("no code is left to make for this selection".into());
        }
        let bar = progress(u64::try_from(made.codes.len()).unwrap_or(u64::MAX), "writing codes down");
        let mut told = |done: usize| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        let layout = Layout { paper: self.print.paper, two_sided: self.print.two_sided };
        let form = (self.format, layout);
        let written = write_codes(&made.round, &made.codes, &self.base, made.at, form, &mut told)?;
        bar.finish_and_clear();
        Ok((self.file.write(&written.bytes)?, written.boxes))
    }

    fn keep_boxes(&self, boxes: Option<&[u8]>) -> Result<(), Failure> {
        if let Some(path) = &self.print.boxes {
            std::io::Write::write_all(&mut out::private_file(path)?, boxes.ok_or(PressError::NoBoxes)?)?;
        }
        Ok(())
    }
}

/// The mark of the written file, and where the boxes of ballots stand.
type Drawn = (String, Option<Vec<u8>>);

fn tokens() -> Result<Vec<(usize, Token)>, Failure> {
    let mut tokens = Vec::new();
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = zeroize::Zeroizing::new(line?);
        if line.trim().is_empty() {
            continue;
        }
        let token = Token::parse_any(&line).map_err(|fault| format!("line {}: {fault}", index + 1))?;
        tokens.push((index + 1, token));
    }
    Ok(tokens)
}
