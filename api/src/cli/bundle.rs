//! `phieu bundle …`: custody of paper by command, for whoever keeps the books of a round in one place. Notes, samples and
//! signatures need a person and are given on the pages.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, entropy, open, out};
use crate::access::Actor;
use crate::bundle::{self, Act, By, Exit};
use crate::config::Config;
use crate::round::{RoundError, Rounds};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List a round's bundles: where each is, and how far.
    List {
        /// Id of the round.
        round: String,
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Note who has a bundle, and at which post office it will be keyed.
    HandOver {
        #[command(flatten)]
        which: Which,
        /// Who signed for it.
        #[arg(long, value_name = "NAME")]
        to: String,
        /// Code of the post office.
        #[arg(long, value_name = "CODE")]
        office: Option<String>,
    },
    /// Note that a bundle came back. Without a count, as many as are not missing.
    Receive {
        #[command(flatten)]
        which: Which,
        /// Sheets counted.
        #[arg(long, value_name = "N")]
        counted: Option<u32>,
        /// Sheets that are not there and will not come: `3,7`.
        #[arg(long, value_name = "NUMBERS", value_delimiter = ',', conflicts_with = "only")]
        not_returned: Vec<u32>,
        /// Sheets that nobody finds.
        #[arg(long, value_name = "NUMBERS", value_delimiter = ',', conflicts_with = "only")]
        lost: Vec<u32>,
        /// The sheets that are there; all others are lost.
        #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
        only: Vec<u32>,
    },
    /// Hand over and receive, whole, every bundle of a round or of one group that has not come back yet.
    ReceiveAll {
        /// Id of the round.
        round: String,
        /// The group.
        #[arg(long)]
        group: Option<String>,
    },
    /// Post offices: where bundles are keyed and staff work.
    #[command(subcommand)]
    Office(OfficeCommand),
}

#[derive(Subcommand)]
pub(super) enum OfficeCommand {
    /// Add one, or rename it.
    Add {
        /// Its code.
        code: String,
        /// Its name.
        name: String,
    },
    /// List them.
    List,
}

/// One bundle.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Id of the round.
    round: String,
    /// The group.
    #[arg(long)]
    group: String,
    /// Number of the bundle in its group.
    #[arg(long, default_value_t = 1)]
    number: u32,
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    match command {
        Command::List { round, json } => {
            let all = db.read_here(|conn| {
                Rounds::new().get(conn, &round)?;
                Ok::<_, RoundError>(bundle::all(conn, &round)?)
            })?;
            if json {
                let row = |v: &bundle::View| {
                    json!({
                        "respondent_code": v.respondent_code, "number": v.number, "stage": v.stage, "office": v.office,
                        "printed": v.sheets.printed, "counted": v.bundle.counted(), "here": v.ballots.here,
                        "cast": v.ballots.cast, "void": v.ballots.void,
                    })
                };
                out::line(json!(all.iter().map(row).collect::<Vec<_>>()));
                return Ok(());
            }
            for v in &all {
                let (here, cast, printed) = (v.ballots.here, v.ballots.cast, v.sheets.printed);
                let stage = json!(v.stage);
                let stage = stage.as_str().unwrap_or_default();
                out::line(format_args!("{}\t{stage}\tprinted {printed}, here {here}, cast {cast}", v.name()));
            }
        }
        Command::HandOver { which, to, office } => do_act(&db, &which, &Act::HandOver { holder: to, office })?,
        Command::Receive { which, counted, not_returned, lost, only } => {
            let mut missing: Vec<(u32, Exit)> = not_returned.into_iter().map(|n| (n, Exit::NotReturned)).collect();
            missing.extend(lost.into_iter().map(|n| (n, Exit::Lost)));
            if !only.is_empty() {
                let view = db.read_here(|conn| bundle::find(conn, &which.round, &which.group, which.number))?;
                let here =
                    view.numbers.iter().filter(|s| !s.replaced && !matches!(s.custody, bundle::Custody::Gone(_)));
                missing.extend(here.filter(|s| !only.contains(&s.number)).map(|s| (s.number, Exit::Lost)));
            }
            do_act(&db, &which, &Act::Receive { counted, missing })?;
        }
        Command::ReceiveAll { round, group } => {
            let received = db.write_here(|conn| {
                Rounds::new().get(conn, &round)?;
                let by = By::Actor(Actor::Command);
                bundle::receive_all(&db, conn, &entropy(), &by, &round, group.as_deref())
            })?;
            out::line(format_args!("{received} bundles received"));
        }
        Command::Office(OfficeCommand::Add { code, name }) => {
            db.write_here(|conn| {
                let at = db.now(conn)?;
                bundle::office::add(conn, at, &Actor::Command, &code, &name)
            })?;
            out::line(format_args!("{code}\t{name}"));
        }
        Command::Office(OfficeCommand::List) => {
            for (code, name) in db.read_here(bundle::office::all)? {
                out::line(format_args!("{code}\t{name}"));
            }
        }
    }
    Ok(())
}

fn do_act(db: &crate::db::Db, which: &Which, act: &Act) -> Result<(), Failure> {
    let view = db.write_here(|conn| {
        let at = db.now(conn)?;
        let found = bundle::find(conn, &which.round, &which.group, which.number)?;
        bundle::act(conn, at, &entropy(), &By::Actor(Actor::Command), &found.id, act)
    })?;
    let stage = json!(view.stage);
    let (here, printed) = (view.ballots.here, view.sheets.printed);
    out::line(format_args!("{}\t{}\t{here} of {printed} here", view.name(), stage.as_str().unwrap_or_default()));
    Ok(())
}
