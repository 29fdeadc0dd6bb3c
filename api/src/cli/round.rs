//! `phieu round …`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use survey_forms::{Checked, Fault, Round, RoundFiles, Severity};

use super::{Failure, correct, entropy, open, out, reuse, xlsform};
use crate::access::{Actor, audit};
use crate::ceremony::{Ceremony, Rehearsal, Timing};
use crate::config::Config;
use crate::round::{self as rounds, RoundError, Rounds, Standing, archive};

/// Most bytes of one file and most files of a round's folder.
const FILE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
const FILES_LIMIT: usize = 200;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check a round's folder: every fault with file, place and reason.
    Check {
        /// The folder, or a zip of it.
        dir: PathBuf,
    },
    /// Load a round's folder into the database: all of it or nothing.
    Load {
        /// The folder, or a zip of it.
        dir: PathBuf,
    },
    /// Make next time's folder out of an old one: other id, dates and units.
    Clone(reuse::Clone),
    /// Say what differs between two folders, in words.
    Diff {
        /// The old folder.
        before: PathBuf,
        /// The new one.
        after: PathBuf,
    },
    /// Make a questionnaire of an XLSForm; everything that cannot be taken is named.
    ImportXlsform(xlsform::ImportOptions),
    /// Write a questionnaire as an XLSForm for other tools.
    ExportXlsform(xlsform::ExportOptions),
    /// List the rounds.
    List,
    /// Show one round.
    Show {
        /// Id of the round.
        round: String,
    },
    /// Open a round: from its first date on it accepts ballots.
    Open {
        /// Id of the round.
        round: String,
        /// Even if its trustees have not rehearsed the opening of the box; the audit trail keeps it.
        #[arg(long)]
        without_rehearsal: bool,
    },
    /// Close a round: counts are fixed, drafts are deleted, nothing more is accepted.
    Close {
        /// Id of the round.
        round: String,
    },
    /// Publish the scores of a round whose box has been opened.
    Publish {
        /// Id of the round.
        round: String,
        /// Before its date of publication; the audit trail keeps it.
        #[arg(long)]
        force_early: bool,
    },
    /// Propose a correction of published scores: a new release, which one of the staff confirms on the pages.
    Correct(correct::Options),
}

pub(super) fn run(command: Command, settings: impl FnOnce() -> Result<Config, Failure>) -> Result<(), Failure> {
    match command {
        Command::Check { dir } => check(&dir),
        Command::Load { dir } => load(&dir, &settings()?),
        Command::Clone(what) => reuse::clone(&what),
        Command::Diff { before, after } => reuse::differences(&before, &after),
        Command::ImportXlsform(options) => xlsform::import(&options),
        Command::ExportXlsform(options) => xlsform::export(&options),
        Command::List => list(&settings()?),
        Command::Show { round } => show(&round, &settings()?),
        Command::Open { round, without_rehearsal } => {
            let rehearsal = if without_rehearsal { Rehearsal::Waived } else { Rehearsal::Needed };
            let codes = ceremony(&settings()?)?.open_with(&Actor::Command, &round, rehearsal)?;
            out::line(format_args!("{round} is open; {codes} codes are out"));
            Ok(())
        }
        Command::Close { round } => {
            let c = ceremony(&settings()?)?.close(&Actor::Command, &round)?;
            out::line(format_args!(
                "{round} is closed: {} ballots in the box, {} codes unused, {} drafts deleted",
                c.ballots, c.unused_codes, c.drafts
            ));
            Ok(())
        }
        Command::Correct(options) => correct::run(&options, &settings()?),
        Command::Publish { round, force_early } => {
            let timing = if force_early { Timing::ForceEarly } else { Timing::OnTime };
            let p = ceremony(&settings()?)?.publish(&Actor::Command, &round, timing)?;
            out::line(format_args!(
                "{round} is published: release {}, {} ballots count, {} void, sha256 {}",
                p.release, p.valid, p.void, p.sha256
            ));
            Ok(())
        }
    }
}

fn check(dir: &Path) -> Result<(), Failure> {
    let files = read_folder(dir)?;
    let checked = Round::check(&files);
    for fault in &checked.faults {
        out::line(describe(fault));
    }
    match checked.round {
        Some(round) => {
            print_summary(&round);
            Ok(())
        }
        None => {
            let errors = checked.faults.iter().filter(|f| f.severity == Severity::Error).count();
            Err(format!("{}: {errors} faults", dir.display()).into())
        }
    }
}

fn load(dir: &Path, config: &Config) -> Result<(), Failure> {
    let files = read_folder(dir)?;
    let db = open(config)?;
    let Checked { round, faults } = Round::check(&files);
    let Some(round) = round else {
        for fault in &faults {
            out::line(describe(fault));
        }
        return Err(format!("{}: {} faults; nothing was loaded", dir.display(), faults.len()).into());
    };
    let standing = db.write_here(|conn| {
        let standing = rounds::put(conn, &files, &round)?;
        if matches!(standing, Standing::New | Standing::Replaces) {
            let now = db.now(conn)?;
            audit::record(conn, now, &Actor::Command, "round.loaded", &round.id, &format!("hash={}", round.hash))?;
        }
        Ok::<_, RoundError>(standing)
    })?;
    match standing {
        Standing::Same(_) => out::line(format_args!(
            "{} is loaded already with these rules ({}); nothing was changed",
            round.id, round.hash
        )),
        _ => out::line(format_args!("loaded {} ({})", round.id, round.hash)),
    }
    Ok(())
}

fn list(config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let all = db.read_here(|conn| Rounds::new().all(conn))?;
    for round in all.iter() {
        out::line(format_args!("{}\t{}\t{}", round.id(), round.state.as_str(), round.definition.title));
    }
    Ok(())
}

fn show(id: &str, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let round = db.read_here(|conn| Rounds::new().get(conn, id))?;
    out::line(format_args!("state: {}", round.state.as_str()));
    if round.box_public.is_some() {
        let said = format_args!("box key held by {}", round.custody.said()).to_string();
        out::line(if round.custody.is_by_file() { out::red(&said) } else { said });
    }
    if let Some(key) = &round.log_key {
        out::line(format_args!("log key: {key}"));
    }
    print_summary(&round.definition);
    Ok(())
}

pub(super) fn ceremony(config: &Config) -> Result<Ceremony, Failure> {
    Ok(Ceremony::new(&open(config)?, &Rounds::new(), &entropy()))
}

pub(super) fn print_summary(round: &Round) {
    let kinds = |counts: &std::collections::BTreeMap<String, usize>| {
        counts.iter().map(|(kind, n)| format!("{kind} {n}")).collect::<Vec<_>>().join(", ")
    };
    let s = round.summary();
    out::line(format_args!("{}: {}", round.id, round.title));
    out::line(format_args!("groups: {} ({} online, {} paper)", s.groups, s.online_groups, s.paper_groups));
    out::line(format_args!("targets: {} ({})", s.targets, kinds(&s.targets_by_kind)));
    out::line(format_args!("units: {} ({})", s.units, kinds(&s.units_by_kind)));
    out::line(format_args!("questionnaires: {}, items: {}, criteria: {}", s.questionnaires, s.items, s.criteria));
    out::line(format_args!("kinds of ballot: {}, paper ballots: {}", s.assignments, s.paper_ballots));
    out::line(format_args!("opens {}, closes {}", round.dates.opens, round.dates.closes));
    out::line(format_args!("keying closes {}, publishes {}", round.dates.keying_closes, round.dates.publishes));
    out::line(format_args!("rules hash: {}", round.hash));
}

pub(super) fn describe(fault: &Fault) -> String {
    let severity = match fault.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("{severity}: {}: {}: {} [{}]", fault.file, fault.place, fault.message, fault.code)
}

/// Reads a round's folder: its files, two levels deep, with forward slashes; or a zip of it.
pub(super) fn read_folder(dir: &Path) -> Result<RoundFiles, Failure> {
    if dir.is_file() {
        if std::fs::metadata(dir)?.len() > archive::ARCHIVE_BYTES_MAX.try_into()? {
            return Err(format!("{}: {}", dir.display(), archive::ArchiveError::TooLarge).into());
        }
        return archive::read(&std::fs::read(dir)?).map_err(|e| format!("{}: {e}", dir.display()).into());
    }
    let mut files = RoundFiles::new();
    read_into(dir, dir, &mut files, 0)?;
    Ok(files)
}

fn read_into(root: &Path, dir: &Path, files: &mut RoundFiles, depth: usize) -> Result<(), Failure> {
    let listing = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for entry in listing {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let name = path.strip_prefix(root)?.to_str().ok_or("a file name is not UTF-8")?.replace('\\', "/");
        if kind.is_dir() && depth < 2 {
            read_into(root, &path, files, depth + 1)?;
        } else if kind.is_file()
            && matches!(
                path.extension().and_then(|e| e.to_str()),
                Some("toml" | "tsv" | "csv" | "json" | "svg" | "png")
            )
        {
            if entry.metadata()?.len() > FILE_LIMIT_BYTES || files.len() >= FILES_LIMIT {
                return Err(format!("{name}: too large, or too many files for a round").into());
            }
            files.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(())
}
