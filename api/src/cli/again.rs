//! `phieu scores --from` and `phieu codebook`: from files alone, without a database.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use survey_forms::Round;
use survey_forms::scoring::ScoreDocument;

use super::export::new_file;
use super::round::{describe, read_folder};
use super::{Failure, out};
use crate::score::data::{self, Again, Published, Turnout};

/// Where ballots come from that are scored again.
#[derive(Args)]
pub(super) struct From {
    /// Work the scores out from exported ballots (csv, csv-wide, jsonl, parquet) instead of a database. What the other options do
    /// not name is taken from the file's folder, as `phieu export --what analysis` lays it out. With a published document
    /// the exit code says whether the two are the same, byte for byte.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The round's folder, or a zip of it; `round` beside the ballots.
    #[arg(long = "round", value_name = "DIR", requires = "from")]
    folder: Option<PathBuf>,
    /// Codes given out and ballots returned; `turnout.csv` beside the ballots.
    #[arg(long, value_name = "FILE", requires = "from")]
    turnout: Option<PathBuf>,
    /// The published documents, from the first release on; `scores-1.json` and so on beside the ballots.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "from")]
    published: Vec<PathBuf>,
}

#[derive(Args)]
pub(super) struct CodebookOptions {
    /// The round's folder, or a zip of it.
    dir: PathBuf,
    /// A new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Scores that were worked out again.
pub(super) struct Scored {
    pub(super) document: ScoreDocument,
    published: Option<(u32, bool)>,
}

impl Scored {
    /// Says whether they are the published ones.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.published {
            None => out::note("no published document to compare with"),
            Some((release, true)) => out::note(format_args!("the same as release {release}, byte for byte")),
            Some((release, false)) => return Err(format!("these scores differ from release {release}").into()),
        }
        Ok(())
    }
}

/// The document of the ballots that are named, if any are.
pub(super) fn document(from: &From) -> Result<Option<Scored>, Failure> {
    let Some(ballots) = &from.from else { return Ok(None) };
    let beside = |name: &str| Some(ballots.with_file_name(name)).filter(|path| path.exists());
    let folder = from.folder.clone().or_else(|| beside("round"));
    let folder =
        folder.ok_or_else(|| format!("{}: there is no folder `round` beside it: --round DIR", ballots.display()))?;
    let round = round(&folder)?;
    let turnout = match from.turnout.clone().or_else(|| beside("turnout.csv")) {
        Some(path) => at(&path, Turnout::read(at(&path, File::open(&path))?))?,
        None => {
            out::note("no turnout.csv: how many were asked is not known, so no interval is corrected for it");
            Default::default()
        }
    };
    let mut paths = from.published.clone();
    if paths.is_empty() {
        paths.extend((1..).map_while(|release: u32| beside(&format!("scores-{release}.json"))));
    }
    let read = |path: &PathBuf| -> Result<Published, Failure> { at(path, Published::read(&at(path, fs::read(path))?)) };
    let published = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let read = at(ballots, data::read(&round, ballots))?;
    out::note(format_args!("{} ballots", read.ballots));
    let beside = Again { turnout, published };
    let document = data::again(&round, read.tally, &beside)?;
    let canonical = document.canonical();
    let published = beside.published.last().map(|last| (last.document.release, last.canonical == canonical));
    Ok(Some(Scored { document, published }))
}

/// A failure that names its file.
fn at<T, E: std::fmt::Display>(path: &Path, outcome: Result<T, E>) -> Result<T, Failure> {
    outcome.map_err(|error| format!("{}: {error}", path.display()).into())
}

fn round(folder: &Path) -> Result<Round, Failure> {
    let checked = Round::check(&read_folder(folder)?);
    checked.round.ok_or_else(|| {
        checked.faults.iter().for_each(|fault| out::note(describe(fault)));
        format!("{}: {} faults", folder.display(), checked.faults.len()).into()
    })
}

pub(super) fn codebook(options: &CodebookOptions) -> Result<(), Failure> {
    let round = round(&options.dir)?;
    let text = data::codebook(&round)?;
    new_file(&options.out, |file| Ok(std::io::Write::write_all(file, text.as_bytes())?))
}
