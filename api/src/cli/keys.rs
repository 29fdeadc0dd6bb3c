//! `phieu keys …`.

use clap::Subcommand;

use super::{Failure, entropy, open, out};
use crate::access::{Actor, tokens};
use crate::clock::local;
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the keys of /.well-known/jwks.json; the first one signs.
    List,
    /// Make a new key: it signs tokens and scores from now on; what older ones signed still verifies.
    Rotate,
    /// Destroy a key that no longer signs, because it may be in other hands: nothing that it signed verifies any more.
    Withdraw {
        /// Its `kid`.
        kid: String,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let by = Actor::Command;
    match command {
        Command::List => {
            for (place, (kid, made)) in db.read_here(tokens::times)?.iter().enumerate() {
                let signs = if place == 0 { "signs" } else { "verifies" };
                out::line(format_args!("{kid}\t{signs}\t{}", local(*made).format("%Y-%m-%d %H:%M:%S")));
            }
        }
        Command::Rotate => {
            let kid = db.write_here(|conn| {
                let now = db.now(conn)?;
                tokens::rotate(conn, now, &entropy(), &by)
            })?;
            out::line(format_args!("{kid} signs from now on"));
        }
        Command::Withdraw { kid } => {
            db.write_here(|conn| {
                let now = db.now(conn)?;
                tokens::withdraw(conn, now, &by, &kid)
            })?;
            out::line(format_args!("{kid} is withdrawn"));
        }
    }
    Ok(())
}
