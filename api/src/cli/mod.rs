//! The commands: words → use case → exit code. 0 done, 1 it failed or found faults, 2 the words are off.

mod again;
mod bundle;
mod codes;
mod correct;
mod custody;
mod demo;
mod export;
mod keys;
mod letters;
mod new_file;
mod out;
mod pack;
mod print;
mod results;
mod reuse;
mod roster;
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
    Roster(roster::Command),
    /// Issue, replace and revoke one-time codes.
    #[command(subcommand)]
    Codes(codes::Command),
    /// Custody of paper ballots: hand over, receive and count bundles.
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Print sheets that carry no code: specimens, covers of bundles, records, keys, lists.
    #[command(subcommand)]
    Print(print::Command),
    /// Letters to named people: plan, try, send, watch.
    #[command(subcommand)]
    Letters(letters::Command),
    /// Response rates of a round, now.
    Rates {
        /// Id of the round.
        round: String,
    },
    /// Published scores of a round; or, with `--from`, the scores of exported ballots, without a database.
    Scores(results::ScoreOptions),
    /// Write ballots (after the opening), the analysts' folder, scores, rates, the log or the auditor's pack to a new file
    /// or folder.
    Export(export::ExportOptions),
    /// Write what the columns and codes of exported ballots mean: DDI-Codebook 2.5, from a round's folder.
    Codebook(again::CodebookOptions),
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
    /// Keys that sign tokens and published scores.
    #[command(subcommand)]
    Keys(keys::Command),
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
    refuse_core_files();
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// Codes, answers and keys are in this process's memory: when it dies, the system writes none of it to a file.
fn refuse_core_files() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        out::note(format_args!("phieu: core files cannot be turned off: {error}"));
    }
}

fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    let settings = || Config::load(arguments.config.as_deref());
    match arguments.command {
        Command::Demo(options) => demo::run(&options),
        Command::Rates { round } => results::rates(&round, &settings()?),
        Command::Scores(options) => results::scores(&options, || Ok(settings()?)),
        Command::Export(options) => export::export(&options, &settings()?),
        Command::Codebook(options) => again::codebook(&options),
        Command::Verify(options) => verify::run(&options),
        Command::Box(command) => custody::run(command, &settings()?),
        Command::Serve => serve::run(&settings()?),
        Command::Migrate => serve::migrate(&settings()?),
        Command::Round(command) => round::run(command, || Ok(settings()?)),
        Command::Roster(command) => roster::run(command, &settings()?),
        Command::Codes(command) => codes::run(command, &settings()?),
        Command::Bundle(command) => bundle::run(command, &settings()?),
        Command::Print(command) => print::run(command, &settings()?),
        Command::Letters(command) => letters::run(command, &settings()?),
        Command::Staff(command) => staff::staff(command, &settings()?),
        Command::Client(command) => staff::clients(command, &settings()?),
        Command::Keys(command) => keys::run(command, &settings()?),
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

/// How far long work of several parts is: a bar on a terminal, elsewhere a line at the start and at each tenth of a part.
pub(crate) struct Parts {
    bar: ProgressBar,
    is_terminal: bool,
    said: Option<(&'static str, u64)>,
}

impl Parts {
    /// Says what begins.
    pub(crate) fn begin(what: &'static str) -> Self {
        Self { bar: progress(0, what), is_terminal: std::io::stderr().is_terminal(), said: None }
    }

    /// So many of so many are done of this part.
    pub(crate) fn at(&mut self, part: &'static str, done: u64, of: u64) {
        if self.said.is_none_or(|(said, _)| said != part) {
            self.bar.reset();
            self.bar.set_message(part);
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
        let now = (part, done.saturating_mul(10) / of.max(1));
        if self.said != Some(now) && !self.is_terminal {
            out::note(format_args!("{part}: {done} of {of}"));
        }
        self.said = Some(now);
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// Where a command's secrets come from.
pub(crate) fn entropy() -> Entropy {
    Entropy::System
}
