//! `phieu verify`: checks a round's log without trusting the server that it came from. One line a check, under a name
//! that stays; exit code 1 when any fails. It needs no database and no settings.

mod pack;
mod proof;
mod report;
mod rules;
mod source;
mod walk;
mod watch;

use std::path::{Path, PathBuf};

use clap::Args;

use self::report::{Check, Report};
use self::source::Source;
use self::walk::Walk;
use super::{Failure, out};
use crate::ballot::check::{Opened, ResealFault};
use crate::ballot::log::note::{Checkpoint, VerifierKey};

#[derive(Args)]
pub(super) struct Options {
    /// Public address of the service, or of a folder that `phieu export --what log` wrote.
    #[arg(long, value_name = "URL", conflicts_with = "dir", required_unless_present_any = ["dir", "reseal"])]
    url: Option<String>,
    /// Such a folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Id of the round; not needed where there is one only.
    #[arg(long, value_name = "R")]
    round: Option<String>,
    /// The log's key, from a source that is not the server: `phieu/R+…`. Without it, the key that the log brings along.
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Your receipt, looked for in the log here: it is not sent anywhere. Or the file of an answer of /receipts/….
    #[arg(long, value_name = "E")]
    receipt: Option<String>,
    /// The auditor's pack, written by `phieu export --what pack`.
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Keep the head in this file, and say so when the history that an earlier run saw was rewritten or forked.
    #[arg(long, value_name = "STATE")]
    watch: Option<PathBuf>,
    /// Seal the ballot of an envelope that was opened for checking again, and compare; needs no network and no log.
    #[arg(long, value_name = "FILE", exclusive = true)]
    reseal: Option<PathBuf>,
}

/// One line on standard output is one check.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let mut report = Report::default();
    match options.reseal.as_deref() {
        Some(file) => reseal(file, &mut report)?,
        None => check(options, &mut report)?,
    }
    match report.failed() {
        [] => Ok(()),
        failed => Err(format!("{} checks failed: {}", failed.len(), failed.join(", ")).into()),
    }
}

fn reseal(file: &Path, report: &mut Report) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let opened = serde_json::from_str::<Opened>(&text).map_err(|_json| ResealFault::NotOne);
    match opened.and_then(|opened| opened.reseal().map(|receipt| (opened, receipt))) {
        Ok((opened, receipt)) => {
            report.pass(Check::Reseal, format_args!("the same number, {receipt}"));
            out::line(format_args!(
                "compare with what was shown before the envelope was opened: {}",
                receipt.grouped()
            ));
            out::line(format_args!("compare with the log's open entry: box key {}", opened.box_public_key));
            out::line(format_args!("compare with what was answered: {}", opened.ballot));
        }
        Err(fault) => report.fail(Check::Reseal, fault),
    }
    Ok(())
}

fn check(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let mut source = Source::of(options.url.as_deref(), options.dir.as_deref(), options.round.as_deref())?;
    let held = options.watch.as_deref().map(watch::read).transpose()?.flatten();
    let Some(key) = key(options, held.as_ref(), &mut source, report)? else { return Ok(()) };
    let note = source.text("checkpoint")?.unwrap_or_default();
    let head = match Checkpoint::open(&note, &key) {
        Ok(head) => head,
        Err(fault) => {
            report.fail(Check::CheckpointSignature, format_args!("{fault}"));
            return Ok(());
        }
    };
    report.pass(Check::CheckpointSignature, format_args!("{} leaves, signed by {}", head.size, key.origin));

    let proof = options.receipt.as_deref().map(proof::Asked::of).transpose()?;
    let mut marks: Vec<u64> = held.iter().map(|held| held.head.size).collect();
    marks.extend(proof.iter().filter_map(|asked| asked.size(&key)));
    let walk = Walk::over(&mut source, &head, &marks, proof.as_ref().and_then(proof::Asked::id))?;
    match &walk.fault {
        None => report.pass(Check::TreeEqualsTiles, format_args!("{} tiles", walk.tiles)),
        Some(fault) => report.fail(Check::TreeEqualsTiles, fault),
    }
    match &walk.unreadable {
        None => {
            report.pass(Check::EntriesReadable, format_args!("{} envelopes among {} leaves", walk.envelopes, walk.size))
        }
        Some(place) => report.fail(Check::EntriesReadable, format_args!("leaf {place} is no entry of this log")),
    }
    if let Some(state) = options.watch.as_deref() {
        watch::compare(state, held.as_ref(), &key, &note, &head, &walk, report)?;
    }
    let facts = rules::check(&walk, &key, &mut source, report)?;
    if let Some(asked) = &proof {
        asked.check(&key, &head, &walk, report);
    }
    if let Some(file) = options.pack.as_deref() {
        pack::check(file, &facts, &walk, report)?;
    }
    Ok(())
}

/// The key to check with: the one that was given, the one that an earlier run kept, or the log's own word.
fn key(
    options: &Options,
    held: Option<&watch::Held>,
    source: &mut Source,
    report: &mut Report,
) -> Result<Option<VerifierKey>, Failure> {
    let brought = source.text("vkey")?.unwrap_or_default();
    let Some(brought) = brought.strip_suffix('\n').and_then(|line| line.parse::<VerifierKey>().ok()) else {
        report.fail(Check::LogKey, "the log brings no readable key");
        return Ok(None);
    };
    let given = options.key.as_deref().map(str::parse::<VerifierKey>).transpose()?;
    if given.as_ref().is_some_and(|given| *given != brought) {
        report.fail(Check::LogKey, "the log's key is not the one that was given");
        return Ok(None);
    }
    if let Some(held) = held.filter(|held| held.key.origin != brought.origin) {
        let (this, other) = (&brought.origin, &held.key.origin);
        report.fail(Check::LogKey, format_args!("this is the log {this}, the held checkpoint is of {other}"));
        return Ok(None);
    }
    if held.is_some_and(|held| held.key != brought) {
        report.fail(Check::LogKey, "THE LOG'S KEY WAS EXCHANGED: it is not the one of the held checkpoint");
        return Ok(None);
    }
    if options.round.as_ref().is_some_and(|round| brought.origin != format!("phieu/{round}")) {
        report.fail(Check::LogKey, format_args!("this is the log {}", brought.origin));
        return Ok(None);
    }
    let whence = if given.is_some() {
        "as given"
    } else if held.is_some() {
        "as held"
    } else {
        "by the log's own word: compare it with what the organiser printed"
    };
    report.pass(Check::LogKey, format_args!("{brought} ({whence})"));
    Ok(Some(brought))
}
