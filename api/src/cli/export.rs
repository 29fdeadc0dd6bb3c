//! `phieu export`.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, ValueEnum};
use survey_forms::Round;
use survey_forms::answers::Ballot;

use super::{Arguments, Failure, open, out, pack};
use crate::access::{Actor, audit};
use crate::ceremony;
use crate::config::Config;
use crate::db::Db;
use crate::monitor;
use crate::round::{self, Rounds};
use crate::score::data::{self, Columns, Lines, Parquet, Sav, Wide};
use crate::score::export::{self as tables, For};
use crate::score::{Publications, ScoreError, sheets};

#[derive(Args)]
pub(super) struct ExportOptions {
    /// Id of the round.
    round: String,
    /// What to write.
    #[arg(long, value_enum)]
    what: What,
    /// ballots: csv (a row an answer), csv-wide (a row a ballot and target), jsonl, parquet, sav (SPSS), xlsx; scores: csv,
    /// json, xlsx; the others have one format each.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A new file; for the log and the analysts' folder, a new folder.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The opened ballots, without any link to people.
    Ballots,
    /// The analysts' folder: ballots in every format, codebook, turnout, the round's folder, published scores.
    Analysis,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    Csv,
    /// A row a ballot and target, a column an item.
    CsvWide,
    /// JSON.
    Json,
    /// Lines of JSON.
    Jsonl,
    /// Parquet.
    Parquet,
    /// SPSS.
    Sav,
    /// A workbook.
    Xlsx,
}

impl What {
    /// The first is meant when nothing is said.
    const fn formats(self) -> &'static [Format] {
        match self {
            Self::Ballots => &[Format::Csv, Format::CsvWide, Format::Jsonl, Format::Parquet, Format::Sav, Format::Xlsx],
            Self::Scores => &[Format::Csv, Format::Json, Format::Xlsx],
            Self::Texts | Self::Rates => &[Format::Csv],
            Self::Pack => &[Format::Jsonl],
            Self::Analysis | Self::Log => &[],
        }
    }
}

/// Asks for a format that there is; ends the program where there is none.
fn format(options: &ExportOptions) -> Option<Format> {
    let formats = options.what.formats();
    match options.format {
        // Words of older scripts, which gave the one format there was.
        Some(Format::Csv) if formats.is_empty() || options.what == What::Pack => None,
        Some(format) if !formats.contains(&format) => {
            let message = "this is not written in that format: see phieu export --help";
            Arguments::command().error(ErrorKind::InvalidValue, message).exit()
        }
        Some(format) => Some(format),
        None => formats.first().copied(),
    }
}

pub(super) fn export(options: &ExportOptions, config: &Config) -> Result<(), Failure> {
    let format = format(options);
    let db = open(config)?;
    match options.what {
        What::Log => return pack::write_log(&db, &options.round, &options.out),
        What::Pack => return pack::write_pack(&db, &options.round, &options.out),
        What::Analysis => return analysis(&db, &options.round, &options.out),
        What::Ballots | What::Texts | What::Scores | What::Rates => {}
    }
    new_file(&options.out, |file| match (options.what, format) {
        (What::Ballots, format) => {
            let count = ballots(&db, &options.round, format.unwrap_or(Format::Csv), file)?;
            out::note(format_args!("{count} ballots"));
            Ok(())
        }
        (What::Scores, Some(format)) => scores(&db, &options.round, format, file),
        (What::Texts, _) => texts(&db, &options.round, file),
        _ => {
            let rates = db.read_here(|conn| {
                let round = Rounds::new().get(conn, &options.round)?;
                Ok::<_, Failure>(monitor::rates(&db, conn, &round)?)
            })?;
            Ok(monitor::export::write_csv(file, &rates)?)
        }
    })
}

/// Writes a file that is whole or not there.
pub(super) fn new_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut file = BufWriter::new(out::private_file(path)?);
    let written = write(&mut file).and_then(|()| Ok(file.flush()?));
    if written.is_err() {
        // The file is ours, and what is in it is not whole.
        let _ = fs::remove_file(path);
    }
    written
}

/// What is done with each ballot and its id.
type Work<'w> = dyn FnMut(&[u8], &Ballot) -> Result<(), ScoreError> + 'w;

fn ballots(db: &Db, round: &str, format: Format, file: &mut BufWriter<fs::File>) -> Result<u64, Failure> {
    let rounds = Rounds::new();
    if format == Format::Csv {
        return Ok(tables::ballots(file, db, &rounds, round)?);
    }
    let loaded = tables::opened(db, &rounds, round)?;
    let definition: &Round = &loaded.definition;
    let mut count = 0_u64;
    let mut each = |work: &mut Work<'_>| {
        tables::each_ballot(db, round, |id, ballot| {
            count += 1;
            work(id, ballot)
        })
    };
    match format {
        Format::Jsonl => {
            let mut lines = Lines::new(file);
            each(&mut |id, ballot| lines.write(id, ballot))?;
            lines.end()?;
        }
        Format::Parquet => {
            let mut columns = Columns::of(definition);
            let mut table = Parquet::new(file, &columns)?;
            each(&mut |id, ballot| columns.rows(id, ballot, |row| table.write(row)))?;
            table.end()?;
        }
        Format::Sav => {
            let mut columns = Columns::of(definition);
            let mut table = Sav::new(file, &columns)?;
            each(&mut |id, ballot| columns.rows(id, ballot, |row| table.write(row)))?;
            table.end()?;
        }
        Format::Xlsx => {
            let mut book = data::workbook(definition)?;
            each(&mut |id, ballot| book.write(id, ballot))?;
            file.write_all(&book.end()?)?;
        }
        Format::Csv | Format::CsvWide | Format::Json => {
            let mut columns = Columns::of(definition);
            let mut table = Wide::new(file, &columns)?;
            each(&mut |id, ballot| columns.rows(id, ballot, |row| table.write(row)))?;
            table.end()?;
        }
    }
    Ok(count)
}

fn scores(db: &Db, round: &str, format: Format, file: &mut BufWriter<fs::File>) -> Result<(), Failure> {
    let rounds = Rounds::new();
    let (loaded, published) = db.read_here(|conn| {
        let loaded = rounds.get(conn, round)?;
        Ok::<_, ScoreError>((loaded, Publications::new().latest(conn, &rounds, round)?))
    })?;
    match format {
        Format::Json => file.write_all(&published.canonical)?,
        Format::Xlsx => file.write_all(&sheets::workbook(&loaded.definition, &published)?)?,
        _ => tables::scores(file, &published.document, For::Spreadsheet)?,
    }
    Ok(())
}

fn texts(db: &Db, round: &str, file: &mut BufWriter<fs::File>) -> Result<(), Failure> {
    let count = tables::texts(file, db, &Rounds::new(), round)?;
    note(db, "round.texts_exported", round, &format!("texts={count}"))?;
    out::note(format_args!("{count} texts; words may name people: for the analysts only"));
    Ok(())
}

fn note(db: &Db, act: &'static str, round: &str, detail: &str) -> Result<(), Failure> {
    db.write_here(|conn| {
        let now = db.now(conn)?;
        audit::record(conn, now, &Actor::Command, act, round, detail)
    })?;
    Ok(())
}

/// Writes the analysts' folder: all of it, or nothing.
fn analysis(db: &Db, round: &str, folder: &Path) -> Result<(), Failure> {
    let rounds = Rounds::new();
    let loaded = tables::opened(db, &rounds, round)?;
    fs::create_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let written = fill(db, &loaded.definition, folder);
    if written.is_err() {
        // The folder is ours, and what is in it is not whole.
        let _ = fs::remove_dir_all(folder);
    }
    let count = written?;
    note(db, "round.analysis_exported", round, &format!("ballots={count}"))?;
    out::note(format_args!("{count} ballots; for the analysts only"));
    Ok(())
}

fn fill(db: &Db, definition: &Round, folder: &Path) -> Result<u64, Failure> {
    let round = definition.id.as_str();
    let put = |name: &str, bytes: &[u8]| new_file(&folder.join(name), |file| Ok(file.write_all(bytes)?));
    let mut count = 0;
    for (name, format) in [
        ("ballots.csv", Format::Csv),
        ("ballots-wide.csv", Format::CsvWide),
        ("ballots.jsonl", Format::Jsonl),
        ("ballots.parquet", Format::Parquet),
        ("ballots.sav", Format::Sav),
    ] {
        new_file(&folder.join(name), |file| {
            count = ballots(db, round, format, file)?;
            Ok(())
        })?;
    }
    let book = new_file(&folder.join("ballots.xlsx"), |file| ballots(db, round, Format::Xlsx, file).map(|_count| ()));
    match book {
        Err(failure) if !matches!(failure.downcast_ref(), Some(ScoreError::TooManyRows)) => return Err(failure),
        Err(failure) => out::note(format_args!("no ballots.xlsx: {failure}")),
        Ok(()) => {}
    }
    put("codebook.xml", data::codebook(definition)?.as_bytes())?;
    let (files, turnout, releases) = db.read_here(|conn| {
        let releases = match Publications::new().releases(conn, &Rounds::new(), round) {
            Err(ScoreError::NotPublished) => Vec::new(),
            other => other?,
        };
        Ok::<_, Failure>((round::files(conn, round)?, ceremony::turnout(conn, round)?, releases))
    })?;
    new_file(&folder.join("turnout.csv"), |file| Ok(data::turnout(file, &turnout)?))?;
    for (name, bytes) in &files {
        let path = folder.join("round").join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        new_file(&path, |file| Ok(file.write_all(bytes)?))?;
    }
    for published in releases {
        put(&format!("scores-{}.json", published.release), &published.canonical)?;
    }
    // Last: a folder without it is not whole.
    put("README.md", data::README.as_bytes())?;
    Ok(count)
}
