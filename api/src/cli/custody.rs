//! `phieu box …`: custody of the box key.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, entropy, open, out, progress};
use crate::access::Actor;
use crate::ballot::log;
use crate::ceremony::{BURNING, Ceremony, KeyFile};
use crate::config::Config;
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a round's box key; the private half goes to a new file and nowhere else.
    Keygen {
        /// Id of the round.
        round: String,
        /// A new file, on a medium that leaves this machine.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Open the box of a closed round: all of it or nothing.
    Open {
        /// Id of the round.
        round: String,
        /// The custodian's file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Overwrite and delete the key of a published round.
    Burn {
        /// Id of the round.
        round: String,
        /// The custodian's file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let ceremony = Ceremony::new(&db, &Rounds::new(), &entropy());
    match command {
        Command::Keygen { round, out } => {
            ceremony.keygen(&Actor::Command, &round, |key| key.write_new(&out))?;
            out::line(format_args!("box key of {round} in {}; it is the only copy", out.display()));
            let log = db.read_here(|conn| log::head(conn, &round))?;
            out::line(format_args!("log key {}; print it where people can compare", log.vkey));
        }
        Command::Open { round, key } => {
            let text =
                zeroize::Zeroizing::new(std::fs::read_to_string(&key).map_err(|e| format!("{}: {e}", key.display()))?);
            let bar = progress(0, "opening the box");
            let opening = ceremony.open_box(&Actor::Command, &round, &KeyFile::parse(&text)?, |p| {
                bar.set_length(p.of);
                bar.set_position(p.done);
            })?;
            bar.finish_and_clear();
            out::line(format_args!("envelopes {}, opened {}", opening.envelopes, opening.opened));
            for (reason, count) in &opening.unreadable {
                out::line(format_args!("unreadable, {}: {count}", reason.as_str()));
            }
            out::line(format_args!("log root {}", opening.log_root));
        }
        Command::Burn { round, key } => {
            ceremony.burn(&Actor::Command, &round, &key)?;
            out::line(BURNING);
        }
    }
    Ok(())
}
