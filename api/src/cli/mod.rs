//! The commands: words → use case → exit code. 0 done, 1 it failed or found faults, 2 the words are off.

mod codes;
mod correct;
mod custody;
mod demo;
mod out;
mod pack;
mod results;
mod reuse;
mod round;
mod serve;
mod staff;
mod verify;
mod webhook;
mod xlsform;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::db::{Create, Db};

/// A province's sociological survey, from the first code printed to the last score published.
#[derive(Parser)]
#[command(name = "phieu", version, about, max_term_width = 100)]
pub struct Arguments {
    /// Settings file; `phieu.toml` when there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the main job with nothing set up: the plan's round, simulated people, every login printed.
    Demo(demo::Options),
    /// Serve the survey.
    Serve,
    /// Bring the database's schema up to this program's; makes an embedded database where there is none.
    Migrate,
    /// Check, load and list rounds.
    #[command(subcommand)]
    Round(round::Command),
    /// Import who is invited.
    #[command(subcommand)]
    Roster(codes::RosterCommand),
    /// Issue, replace and revoke one-time codes.
    #[command(subcommand)]
    Codes(codes::Command),
    /// Response rates of a round, now.
    Rates {
        /// Id of the round.
        round: String,
    },
    /// Published scores of a round.
    Scores(results::ScoreOptions),
    /// Write ballots (after the opening), scores, rates, the log or the auditor's pack to a new file or folder.
    Export(results::ExportOptions),
    /// Check a round's public log, and with the auditor's pack its codes, ballots and scores.
    Verify(verify::Options),
    /// Custody of the box key.
    #[command(subcommand)]
    Box(custody::Command),
    /// Members of staff.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Machine clients.
    #[command(subcommand)]
    Client(staff::ClientCommand),
    /// Programs that are told when scores come out.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

/// Why a command failed; printed as one line, exit code 1.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    let settings = || Config::load(arguments.config.as_deref());
    match arguments.command {
        Command::Demo(options) => demo::run(&options),
        Command::Rates { round } => results::rates(&round, &settings()?),
        Command::Scores(options) => results::scores(&options, &settings()?),
        Command::Export(options) => results::export(&options, &settings()?),
        Command::Verify(options) => verify::run(&options),
        Command::Box(command) => custody::run(command, &settings()?),
        Command::Serve => serve::run(&settings()?),
        Command::Migrate => serve::migrate(&settings()?),
        Command::Round(command) => round::run(command, || Ok(settings()?)),
        Command::Roster(command) => codes::roster(command, &settings()?),
        Command::Codes(command) => codes::run(command, &settings()?),
        Command::Staff(command) => staff::staff(command, &settings()?),
        Command::Client(command) => staff::clients(command, &settings()?),
        Command::Webhook(command) => webhook::run(command, &settings()?),
    }
}

/// Opens the database of the settings, for a command.
pub(crate) fn open(config: &Config) -> Result<Db, Failure> {
    let db = Db::open(&config.database_url, config.database_connections, Create::No, Clock::Database)?;
    db.check_schema()?;
    Ok(db)
}

/// A bar on a terminal; elsewhere one line that says what is being done.
pub(crate) fn progress(length: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if std::io::stderr().is_terminal() {
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style);
        }
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        out::note(what);
    }
    bar.with_message(what)
}

/// Where a command's secrets come from.
pub(crate) fn entropy() -> Entropy {
    Entropy::System
}
