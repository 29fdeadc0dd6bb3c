//! `phieu print …`: paper that carries no code.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use phieu_print::Paper;

use super::codes::paper;
use super::{Failure, open, out};
use crate::access::{Actor, audit};
use crate::config::Config;
use crate::print::{PressError, Sheet, sheet, specimen};
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum Command {
    /// A questionnaire as a ballot without a code, to be read before the real ones are printed.
    Specimen {
        /// Id of the round.
        round: String,
        /// The group.
        #[arg(long, value_name = "CODE")]
        group: String,
        /// Paper of ballots about many bodies: a4 or a3.
        #[arg(long, value_name = "SIZE", default_value = "a4", value_parser = paper)]
        paper: Paper,
        /// Also write where the boxes stand, as JSON, to this new file.
        #[arg(long, value_name = "FILE.json")]
        boxes: Option<PathBuf>,
        /// A new PDF file.
        #[arg(long, value_name = "FILE.pdf")]
        out: PathBuf,
    },
    /// A cover for each bundle of paper ballots.
    Bundles(Words),
    /// The record of hand-over of the bundles, in two copies.
    HandOver(Words),
    /// The clerk's keys on one page.
    Keys(Words),
    /// Ballots to fetch for a decision, by bundle and number, as the desk stands now.
    Retrieval(Words),
}

#[derive(clap::Args)]
pub(super) struct Words {
    /// Id of the round.
    round: String,
    /// Only this group's bundles.
    #[arg(long, value_name = "CODE")]
    group: Option<String>,
    /// A new PDF file.
    #[arg(long, value_name = "FILE.pdf")]
    out: PathBuf,
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let (which, words) = match command {
        Command::Specimen { round, group, paper, boxes, out } => {
            let (db, rounds) = (open(config)?, Rounds::new());
            let written = db.read_here(|conn| {
                let at = db.now(conn)?;
                specimen(&rounds.get(conn, &round)?.definition, &group, at, paper)
            })?;
            if let Some(path) = boxes {
                write(&path, &written.boxes.ok_or(PressError::NoBoxes)?)?;
            }
            return write(&out, &written.bytes);
        }
        Command::Bundles(words) => (Sheet::Bundles, words),
        Command::HandOver(words) => (Sheet::HandOver, words),
        Command::Keys(words) => (Sheet::Keys, words),
        Command::Retrieval(words) => (Sheet::Retrieval, words),
    };
    let (db, rounds) = (open(config)?, Rounds::new());
    let bytes = db.write_here(|conn| {
        let at = db.now(conn)?;
        let round = rounds.get(conn, &words.round)?;
        let bytes = sheet(conn, &round, which, words.group.as_deref(), at)?;
        let detail = format!("sheet={} group={}", which.as_str(), words.group.as_deref().unwrap_or("*"));
        audit::record(conn, at, &Actor::Command, "print.sheet", &words.round, &detail)?;
        Ok::<_, PressError>(bytes)
    })?;
    write(&words.out, &bytes)
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = out::private_file(path)?;
    file.write_all(bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    out::line(format_args!("{}: {} bytes", path.display(), bytes.len()));
    Ok(())
}
