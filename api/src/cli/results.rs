//! `phieu rates`, `phieu scores`, `phieu export`.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, open, out, pack};
use crate::access::{Actor, audit};
use crate::config::Config;
use crate::db::Db;
use crate::monitor;
use crate::round::Rounds;
use crate::score::export::For;
use crate::score::{self, Publications};

/// How figures are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// The published document.
    Json,
    /// For spreadsheets and scripts.
    Csv,
}

#[derive(Args)]
pub(super) struct ScoreOptions {
    /// Id of the round.
    round: String,
    /// How to print them.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Args)]
pub(super) struct ExportOptions {
    /// Id of the round.
    round: String,
    /// What to write.
    #[arg(long, value_enum)]
    what: What,
    /// csv; other formats come with the analysts' files.
    #[arg(long, default_value = "csv", value_parser = ["csv"])]
    format: String,
    /// A new file; for the log, a new folder.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The opened ballots, without any link to people: a row an answer.
    Ballots,
    /// What people wrote, apart from their ballots and in no order; read it before it is passed on.
    Texts,
    /// The published scores.
    Scores,
    /// Issued and returned, by group, unit, channel and day.
    Rates,
    /// The public log as a new folder of static files, for anyone to host and to check.
    Log,
    /// The auditor's pack: public keys, strata, states, signatures, opened ballots. Confidential; the trail notes it.
    Pack,
}

pub(super) fn rates(round: &str, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let rates = db.read_here(|conn| {
        let round = Rounds::new().get(conn, round)?;
        Ok::<_, Failure>(monitor::rates(&db, conn, &round)?)
    })?;
    let row = |name: &str, count: &monitor::Count| {
        let rate = count.rate().map_or_else(|| "-".to_owned(), |r| format!("{r} %"));
        out::line(format_args!("{name:<12} issued {:>6}  returned {:>6}  {rate:>8}", count.issued, count.returned));
    };
    row("total", &rates.total);
    for (group, count) in rates.groups.iter().chain(&rates.channels) {
        row(group, count);
    }
    out::line(format_args!("as of {}", crate::clock::local(rates.as_of).format("%Y-%m-%d %H:%M:%S %:z")));
    Ok(())
}

pub(super) fn scores(options: &ScoreOptions, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let published = db.read_here(|conn| Publications::new().latest(conn, &Rounds::new(), &options.round))?;
    match options.format {
        Format::Json => out::line(String::from_utf8_lossy(&published.canonical)),
        Format::Csv => score::export::scores(std::io::stdout().lock(), &published.document, For::Program)?,
        Format::Table => {
            for target in &published.document.targets {
                let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                out::line(format_args!(
                    "{:<10} {:>4}  {:<8} {:>7} of {:>6}  {:>7} %",
                    target.kind,
                    target.rank.map_or_else(|| "-".to_owned(), |r| r.to_string()),
                    target.target,
                    or_dash(&target.survey_points),
                    target.max_points,
                    or_dash(&target.percent),
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn export(options: &ExportOptions, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    match options.what {
        What::Log => return pack::write_log(&db, &options.round, &options.out),
        What::Pack => return pack::write_pack(&db, &options.round, &options.out),
        What::Ballots | What::Texts | What::Scores | What::Rates => {}
    }
    let mut file = BufWriter::new(out::private_file(&options.out)?);
    let written = write(&db, options, &mut file).and_then(|()| Ok(file.flush()?));
    if written.is_err() {
        // The file is ours, and what is in it is not whole.
        let _ = std::fs::remove_file(&options.out);
    }
    written
}

fn write(db: &Db, options: &ExportOptions, file: &mut impl std::io::Write) -> Result<(), Failure> {
    let rounds = Rounds::new();
    match options.what {
        What::Ballots => {
            let count = score::export::ballots(file, db, &rounds, &options.round)?;
            out::note(format_args!("{count} ballots"));
            Ok(())
        }
        What::Texts => {
            let count = score::export::texts(file, db, &rounds, &options.round)?;
            db.write_here(|conn| {
                let now = db.now(conn)?;
                audit::record(
                    conn,
                    now,
                    &Actor::Command,
                    "round.texts_exported",
                    &options.round,
                    &format!("texts={count}"),
                )
            })?;
            out::note(format_args!("{count} texts; words may name people: for the analysts only"));
            Ok(())
        }
        What::Scores => {
            let published = db.read_here(|conn| Publications::new().latest(conn, &rounds, &options.round))?;
            Ok(score::export::scores(file, &published.document, For::Spreadsheet)?)
        }
        What::Rates => {
            let rates = db.read_here(|conn| {
                let round = rounds.get(conn, &options.round)?;
                Ok::<_, Failure>(monitor::rates(db, conn, &round)?)
            })?;
            Ok(monitor::export::write_csv(file, &rates)?)
        }
        // Not of this shape; written by then.
        What::Log | What::Pack => Ok(()),
    }
}
