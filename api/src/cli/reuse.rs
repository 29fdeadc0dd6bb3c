//! `phieu round clone` and `phieu round diff`: last year's round as next year's, and what differs.

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};
use clap::Args;
use survey_forms::Round;
use survey_forms::round::{Dates, Merge, Reuse, diff, merges, reuse};

use super::round::{describe, print_summary, read_folder};
use super::{Failure, out};

#[derive(Args)]
pub(super) struct Clone {
    /// The old round's folder.
    old: PathBuf,
    /// The new one; must not be there yet.
    new: PathBuf,
    /// Id of the new round; without it, the name of its folder.
    #[arg(long)]
    id: Option<String>,
    /// Title of the new round.
    #[arg(long)]
    title: Option<String>,
    /// When it opens, such as 2026-09-01T07:00:00+07:00; the other dates keep their distance unless they are given too.
    #[arg(long)]
    opens: Option<DateTime<FixedOffset>>,
    /// When it closes.
    #[arg(long)]
    closes: Option<DateTime<FixedOffset>>,
    /// When keying closes.
    #[arg(long)]
    keying_closes: Option<DateTime<FixedOffset>>,
    /// From when it may be published.
    #[arg(long)]
    publishes: Option<DateTime<FixedOffset>>,
    /// Units and targets that were merged or dissolved: a table with the columns code, into (empty: gone) and name.
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
}

pub(super) fn clone(what: &Clone) -> Result<(), Failure> {
    if what.new.exists() {
        return Err(format!("{}: is there already; nothing was written", what.new.display()).into());
    }
    let files = read_folder(&what.old)?;
    let old = checked(&what.old)?;
    let merged = what.merge.as_deref().map(read_merges).transpose()?.unwrap_or_default();
    let name = what.new.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let dates = what.dates(&old.dates);
    let new = Reuse {
        id: what.id.as_deref().unwrap_or(name),
        title: what.title.as_deref(),
        dates: Some(&dates),
        merges: &merged,
    };
    let copy = reuse(&files, &new).map_err(|faults| {
        faults.iter().for_each(|fault| out::line(describe(fault)));
        Failure::from("nothing was written")
    })?;
    for (path, bytes) in &copy {
        let path = what.new.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, bytes)?;
    }
    let checked = Round::check(&copy);
    checked.faults.iter().for_each(|fault| out::line(describe(fault)));
    match checked.round {
        Some(round) => {
            print_summary(&round);
            Ok(())
        }
        None => Err(format!("{}: written, and has faults to mend before it loads", what.new.display()).into()),
    }
}

impl Clone {
    fn dates(&self, old: &Dates) -> Dates {
        let later = self.opens.map_or_else(chrono::TimeDelta::zero, |opens| opens - old.opens);
        Dates {
            opens: self.opens.unwrap_or(old.opens),
            closes: self.closes.unwrap_or(old.closes + later),
            keying_closes: self.keying_closes.unwrap_or(old.keying_closes + later),
            publishes: self.publishes.unwrap_or(old.publishes + later),
            grace_minutes: old.grace_minutes,
        }
    }
}

fn read_merges(path: &Path) -> Result<Vec<Merge>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    merges(name, &bytes).map_err(|faults| {
        faults.iter().for_each(|fault| out::line(describe(fault)));
        format!("{}: {} faults; nothing was written", path.display(), faults.len()).into()
    })
}

fn checked(dir: &Path) -> Result<Round, Failure> {
    Round::from_files(&read_folder(dir)?).map_err(|faults| {
        faults.iter().for_each(|fault| out::line(describe(fault)));
        format!("{}: {} faults", dir.display(), faults.len()).into()
    })
}

/// What differs, one line each.
pub(super) fn differences(before: &Path, after: &Path) -> Result<(), Failure> {
    let changes = diff(&checked(before)?, &checked(after)?);
    for change in &changes {
        out::line(change);
    }
    if changes.is_empty() {
        out::line("no difference");
    }
    Ok(())
}
