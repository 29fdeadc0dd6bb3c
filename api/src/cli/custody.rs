//! `phieu box …`: custody of the box key.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::{Failure, Parts, entropy, open, out};
use crate::access::Actor;
use crate::ballot::log;
use crate::ceremony::{BURNING, BURNING_TRUSTEES, Ceremony, Identity, KeyFile, NewKey, Stage, Trustee, Trustees, join};
use crate::config::Config;
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a round's box key; the private half goes to new files and nowhere else.
    Keygen {
        /// Id of the round.
        round: String,
        /// A trustee and the public key that `age-keygen` printed for them; give three, and any two of them open the
        /// box. Without trustees, one plain file opens it.
        #[arg(long, value_name = "NAME=age1…")]
        trustee: Vec<String>,
        /// A new file, or with trustees a folder for the three pairs' files; on a medium that leaves this machine.
        #[arg(long, value_name = "PATH")]
        out: PathBuf,
        /// Replace a key of a round that is not open yet; its old files become useless.
        #[arg(long)]
        replace: bool,
    },
    /// Before the round opens: show that what the custodians bring opens an envelope.
    Rehearse {
        /// Id of the round.
        round: String,
        #[command(flatten)]
        brought: Brought,
    },
    /// Open the box of a closed round: all of it or nothing.
    Open {
        /// Id of the round.
        round: String,
        #[command(flatten)]
        brought: Brought,
    },
    /// Overwrite and delete the key of a published round.
    Burn {
        /// Id of the round.
        round: String,
        /// The custodian's file.
        #[arg(long, value_name = "FILE", required_unless_present = "trustee_file")]
        key: Option<PathBuf>,
        /// A file of a pair of trustees; all that are on this machine.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        trustee_file: Vec<PathBuf>,
    },
}

/// What custodians bring: one plain key file, or a pair's file and both identities.
#[derive(Args)]
pub(super) struct Brought {
    /// The box key file.
    #[arg(long, value_name = "FILE", required_unless_present = "trustee_file")]
    key: Option<PathBuf>,
    /// The file of a pair of trustees.
    #[arg(long, value_name = "FILE", conflicts_with = "key", requires = "identity")]
    trustee_file: Option<PathBuf>,
    /// A trustee's identity file, as `age-keygen` wrote it; both of the pair, in any order.
    #[arg(long, value_name = "FILE", requires = "trustee_file")]
    identity: Vec<PathBuf>,
}

impl Brought {
    fn key(&self) -> Result<KeyFile, Failure> {
        if let Some(path) = &self.key {
            return KeyFile::parse(&secret_text(path)?).map_err(|e| about(path, e));
        }
        let path = self.trustee_file.as_ref().ok_or("--key or --trustee-file is missing")?;
        let file = std::fs::read(path).map_err(|e| about(path, e))?;
        let identity = |path: &PathBuf| Identity::parse(&secret_text(path)?).map_err(|e| about(path, e));
        let identities = self.identity.iter().map(identity).collect::<Result<Vec<_>, Failure>>()?;
        join(&file, &identities).map_err(|e| about(path, e))
    }
}

fn secret_text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    Ok(Zeroizing::new(std::fs::read_to_string(path).map_err(|e| about(path, e))?))
}

fn about(path: &Path, error: impl std::fmt::Display) -> Failure {
    format!("{}: {error}", path.display()).into()
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let ceremony = Ceremony::new(&db, &Rounds::new(), &entropy());
    match command {
        Command::Keygen { round, trustee, out, replace } => {
            keygen(&ceremony, &round, &trustee, &out, replace)?;
            let log = db.read_here(|conn| log::head(conn, &round))?;
            out::line(format_args!("log key {}; print it where people can compare", log.vkey));
        }
        Command::Rehearse { round, brought } => {
            ceremony.rehearse(&Actor::Command, &round, &brought.key()?)?;
            out::line(format_args!("rehearsed: a test envelope of {round} was sealed and opened with this key"));
        }
        Command::Open { round, brought } => {
            let key = brought.key()?;
            let mut parts = Parts::begin("opening the box");
            let opening = ceremony.open_box(&Actor::Command, &round, &key, |p| {
                let part = match p.stage {
                    Stage::Opening => "envelopes opened",
                    Stage::Storing => "ballots stored",
                };
                parts.at(part, p.done, p.of);
            })?;
            parts.end();
            out::line(format_args!("envelopes {}, opened {}", opening.envelopes, opening.opened));
            for (reason, count) in &opening.unreadable {
                out::line(format_args!("unreadable, {}: {count}", reason.as_str()));
            }
            out::line(format_args!("log root {}", opening.log_root));
        }
        Command::Burn { round, key: Some(key), .. } => {
            ceremony.burn(&Actor::Command, &round, &key)?;
            out::line(BURNING);
        }
        Command::Burn { round, key: None, trustee_file } => {
            ceremony.burn_trustees(&Actor::Command, &round, &trustee_file)?;
            out::line(BURNING_TRUSTEES);
        }
    }
    Ok(())
}

fn keygen(ceremony: &Ceremony, round: &str, given: &[String], out: &Path, replaces: bool) -> Result<(), Failure> {
    let by = Actor::Command;
    if given.is_empty() {
        let new = NewKey { trustees: Vec::new(), replaces };
        ceremony.keygen_for(&by, round, &new, |key| key.write_new(out))?;
        out::line(format_args!("box key of {round} in {}; it is the only copy", out.display()));
        return Ok(());
    }
    let trustees = given.iter().map(|one| one.parse::<Trustee>()).collect::<Result<Vec<_>, _>>()?;
    let trustees = Trustees::new(trustees)?;
    let new = NewKey { trustees: trustees.names(), replaces };
    let mut files = Vec::new();
    ceremony.keygen_for(&by, round, &new, |key| {
        files = trustees.write_new(key, out)?;
        Ok(())
    })?;
    out::line(format_args!("box key of {round}: any two of {} open it", trustees.names().join(", ")));
    for file in &files {
        out::line(file.display());
    }
    out::line("give every trustee a copy of all three files; the plain key was not written anywhere");
    out::line(format_args!("before `phieu round open {round}`, two of them show that it works: phieu box rehearse"));
    Ok(())
}
