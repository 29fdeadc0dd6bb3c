//! `phieu codes …`.

use std::fs::File;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, entropy, open, out};
use crate::ballot::Token;
use crate::config::Config;
use crate::credential::{self, CredentialError, IssuedCode, Selection, write_csv};
use crate::db::Db;
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make codes and write them down, this once.
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
        /// A new CSV file; it will hold the only copy of the codes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Withdraw codes that were not used. Reads one code a line from standard input.
    Revoke,
    /// Withdraw codes and make others for the same places. Reads one code a line from standard input.
    Replace {
        /// A new CSV file for the new codes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let rounds = Rounds::new();
    match command {
        Command::Issue { round, group, unit, count, out } => {
            let selection = Selection { respondent_code: group.as_deref(), source_unit: unit.as_deref(), count };
            let target = create_private(&out)?;
            let codes = db.write_here(|conn| {
                let round = rounds.get(conn, &round).map_err(|e| CredentialError::Find(e.into()))?;
                credential::issue(conn, &round, selection, &entropy())
            });
            let codes = undo_on_failure(&out, codes)?;
            hand_over(config, &db, &rounds, &round, target, &codes)?;
            out::line(format_args!("{} codes in {}; there is no other copy", codes.len(), out.display()));
            Ok(())
        }
        Command::Revoke => {
            for (number, token) in tokens()? {
                db.write_here(|conn| credential::revoke(conn, &rounds, &token)).map_err(|e| at_line(number, &e))?;
                out::line(format_args!("line {number}: revoked"));
            }
            Ok(())
        }
        Command::Replace { out } => {
            let target = create_private(&out)?;
            let old = undo_on_failure(&out, tokens())?;
            let replaced = db.write_here(|conn| {
                let mut codes = Vec::new();
                let mut round = String::new();
                for (_, token) in &old {
                    round = crate::ballot::find(conn, &rounds, token)?.round.id().to_owned();
                    codes.push(credential::replace(conn, &rounds, token, &entropy())?);
                }
                Ok::<_, CredentialError>((round, codes))
            });
            let (round, codes) = undo_on_failure(&out, replaced)?;
            hand_over(config, &db, &rounds, &round, target, &codes)?;
            out::line(format_args!("{} codes replaced; the new ones are in {}", codes.len(), out.display()));
            Ok(())
        }
    }
}

fn at_line(number: usize, error: &CredentialError) -> Failure {
    format!("line {number}: {error}").into()
}

/// The file must be new, and readable by its owner only.
fn create_private(path: &Path) -> Result<File, Failure> {
    if path.extension().is_none_or(|e| e != "csv") {
        return Err(format!("{}: codes are written as CSV", path.display()).into());
    }
    out::private_file(path)
}

fn undo_on_failure<T, E: Into<Failure>>(path: &Path, done: Result<T, E>) -> Result<T, Failure> {
    done.map_err(|error| {
        // The file is ours and still empty.
        let _ = std::fs::remove_file(path);
        error.into()
    })
}

fn hand_over(
    config: &Config,
    db: &Db,
    rounds: &Rounds,
    round: &str,
    target: File,
    codes: &[IssuedCode],
) -> Result<(), Failure> {
    let round = db.read_here(|conn| rounds.get(conn, round))?;
    let mut target = BufWriter::new(target);
    write_csv(&mut target, &round, codes, &config.base()?)?;
    target.flush()?;
    target.get_ref().sync_all()?;
    Ok(())
}

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
