//! What a log must say, whoever wrote it: one opening, one close, counts that agree, the published document.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use survey_forms::scoring::ScoreDocument;

use super::super::Failure;
use super::report::{Check, Report};
use super::source::Source;
use super::walk::{Said, Walk};
use crate::ballot::log::entry::{Committed, Entry, PaperBook};
use crate::ballot::log::note::VerifierKey;

/// What the log says, for the checks with the pack.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) round: String,
    pub(super) rules_hash: String,
    /// The last one that was logged.
    pub(super) roster_hash: String,
    /// Groups whose letters go to named people, as the opening says.
    pub(super) addressed: Vec<String>,
    pub(super) at_open: Option<Committed>,
    pub(super) at_close: Option<Committed>,
    /// Codes made and revoked after the opening.
    pub(super) issued_since: u64,
    /// All that were revoked.
    pub(super) revoked: u64,
    pub(super) redeemed: Option<Committed>,
    pub(super) log_root: Option<String>,
    /// Where the sheets of paper went, if the log says so.
    pub(super) sheets: Option<PaperBook>,
    /// How many, and the commitment.
    pub(super) opened: Option<(u64, String)>,
    /// The latest published document, if every release is the one in the log.
    pub(super) document: Option<(Vec<u8>, ScoreDocument)>,
    /// The releases before it, the oldest first.
    pub(super) earlier: Vec<ScoreDocument>,
}

pub(super) fn check(
    walk: &Walk,
    key: &VerifierKey,
    source: &mut Source,
    report: &mut Report,
) -> Result<Facts, Failure> {
    let mut facts = Facts::default();
    open(walk, key, &mut facts, report);
    let close = close(walk, &mut facts, report);
    ties(walk, close, report);
    redeemed(walk, close, &mut facts, report);
    paper(walk, close, &mut facts, report);
    opened(walk, &mut facts, report);
    result(walk, source, &mut facts, report)?;
    Ok(facts)
}

fn open(walk: &Walk, key: &VerifierKey, facts: &mut Facts, report: &mut Report) {
    let opens: Vec<&Said> = walk.said.iter().filter(|s| matches!(s.entry, Entry::Open { .. })).collect();
    let fault = match opens.as_slice() {
        [] if walk.size == 0 => return report.skip(Check::OneOpen, "the round has not opened yet"),
        [] => Some("there is none".to_owned()),
        [one] if one.place > 0 => Some(format!("it is leaf {}, not the first", one.place)),
        [one] => {
            if let Entry::Open { round, rules_hash, roster_hash, credentials, revoked, addressed, .. } = &one.entry {
                facts.round.clone_from(round);
                facts.rules_hash.clone_from(rules_hash);
                facts.roster_hash.clone_from(roster_hash);
                facts.addressed.clone_from(addressed);
                facts.at_open = Some(credentials.clone());
                facts.revoked = *revoked;
            }
            let other = format!("it opens the round {}, the log is {}", facts.round, key.origin);
            (key.origin != format!("phieu/{}", facts.round)).then_some(other)
        }
        many => Some(format!("there are {}", many.len())),
    };
    for said in &walk.said {
        if let Entry::Incident { issued, revoked, roster_hash, .. } = &said.entry {
            facts.issued_since = facts.issued_since.saturating_add(*issued);
            facts.revoked = facts.revoked.saturating_add(*revoked);
            if let Some(hash) = roster_hash {
                facts.roster_hash.clone_from(hash);
            }
        }
    }
    let since = facts.issued_since;
    report.by(Check::OneOpen, fault, format_args!("rules {}, {since} codes made since", facts.rules_hash));
}

fn close<'w>(walk: &'w Walk, facts: &mut Facts, report: &mut Report) -> Option<&'w Said> {
    let closes: Vec<&Said> = walk.said.iter().filter(|s| matches!(s.entry, Entry::Close { .. })).collect();
    let first = closes.first().copied();
    let later = walk.said.iter().find(|s| matches!(s.entry, Entry::Opened { .. } | Entry::Result { .. }));
    match (closes.len(), later) {
        (0, None) => report.skip(Check::OneClose, "the round has not closed yet"),
        (0, Some(later)) => report.fail(Check::OneClose, format_args!("there is none before leaf {}", later.place)),
        (1, _) => report.pass(Check::OneClose, format_args!("leaf {}", first.map_or(0, |s| s.place))),
        (many, _) => report.fail(Check::OneClose, format_args!("there are {many}")),
    }
    let Some(close) = first else {
        report.skip(Check::NothingAfterClose, "the round has not closed yet");
        return None;
    };
    if let Entry::Close { credentials, .. } = &close.entry {
        facts.at_close = Some(credentials.clone());
        facts.log_root = Some(HEXLOWER.encode(&close.root));
    }
    let allowed = |entry: &Entry| {
        matches!(entry, Entry::Close { .. } | Entry::Opened { .. } | Entry::Result { .. } | Entry::Incident { .. })
    };
    let late = walk.said.iter().find(|s| s.place > close.place && !allowed(&s.entry)).map(|s| s.place);
    let late = late.or(walk.last_envelope.filter(|place| *place > close.place));
    let fault = late.map(|place| format!("leaf {place} was added late"));
    report.by(Check::NothingAfterClose, fault, "only what follows a close");
    Some(close)
}

/// Where letters went to named people, the close says that the ties to their codes were destroyed. Nobody can prove that
/// there was no copy of them.
fn ties(walk: &Walk, close: Option<&Said>, report: &mut Report) {
    let addressed = walk.said.iter().find_map(|said| match &said.entry {
        Entry::Open { addressed, .. } => Some(addressed),
        _ => None,
    });
    let all = walk.said.iter().filter_map(|said| match &said.entry {
        Entry::TiesDestroyed { addressees, ties, .. } => Some((said.place, *addressees, *ties)),
        _ => None,
    });
    let all: Vec<(u64, u64, u64)> = all.collect();
    let check = Check::TiesDestroyed;
    match (addressed.filter(|groups| !groups.is_empty()), close, all.as_slice()) {
        (None, _, []) => report.skip(check, "no letter was addressed: nobody knew who held which code"),
        (Some(groups), None, []) => {
            let groups = groups.join(", ");
            report.skip(check, format_args!("until the close somebody knows who holds which code of {groups}"));
        }
        (_, Some(close), [(place, addressees, ties)]) if *place < close.place => {
            let said = format!("{ties} ties between a person and a code, {addressees} names");
            let Entry::Close { credentials, .. } = &close.entry else { return };
            let fault = (*ties > credentials.total || ties > addressees).then(|| format!("{said}: too many"));
            report.by(check, fault, format_args!("{said}"));
        }
        (_, _, []) => report.fail(check, "the log does not say that the ties between people and codes were destroyed"),
        (_, _, many) => report.fail(check, format_args!("said {} times, or after the close", many.len())),
    }
}

/// Envelopes and redeemed codes, at every batch and at the close.
fn redeemed(walk: &Walk, close: Option<&Said>, facts: &mut Facts, report: &mut Report) {
    let mut fault = walk.twice.then(|| "an envelope is in the log twice".to_owned());
    let mut counted = 0;
    for said in &walk.said {
        match &said.entry {
            Entry::Redeemed { total, root } => {
                counted = *total;
                if *total != said.envelopes {
                    let is = format!("{} envelopes, {total} redeemed codes at leaf {}", said.envelopes, said.place);
                    fault.get_or_insert(is);
                }
                if let Some(root) = root {
                    facts.redeemed = Some(Committed { total: *total, root: root.clone() });
                }
            }
            Entry::Close { envelopes, .. } if *envelopes != said.envelopes || counted != said.envelopes => {
                fault.get_or_insert(format!("{} envelopes, the close says {envelopes}", said.envelopes));
            }
            _ => {}
        }
    }
    if close.is_some() && facts.redeemed.is_none() {
        fault.get_or_insert("closed without the root of the redeemed codes".to_owned());
    }
    if counted != walk.envelopes {
        fault.get_or_insert(format!("{} envelopes, {counted} redeemed codes", walk.envelopes));
    }
    report.by(Check::EnvelopesEqualRedeemed, fault, format_args!("{}", walk.envelopes));
}

/// Printed = used + void + spoiled + undeliverable + lost + not returned + unkeyed, in each group and in the round, and as
/// the codes say.
fn paper(walk: &Walk, close: Option<&Said>, facts: &mut Facts, report: &mut Report) {
    let check = Check::PaperAddsUp;
    let found: Vec<&Said> = walk.said.iter().filter(|s| matches!(s.entry, Entry::Paper { .. })).collect();
    let said = match (found.as_slice(), close) {
        ([], None) => return report.skip(check, "the round has not closed yet"),
        ([], Some(_)) => return report.fail(check, "closed without a word about paper"),
        ([one], Some(close)) if one.place < close.place => one,
        ([one], _) => return report.fail(check, format_args!("leaf {} is not before the close", one.place)),
        (many, _) => return report.fail(check, format_args!("there are {}", many.len())),
    };
    let Entry::Paper { issued, used, unused, unsettled, revoked, sheets } = &said.entry else { return };
    if used.checked_add(*unused) != Some(*issued) || unsettled > unused || *used > said.envelopes {
        let envelopes = said.envelopes;
        let fault =
            format!("{issued} issued, {used} used, {unused} unused, {unsettled} unsettled, {envelopes} envelopes");
        return report.fail(check, fault);
    }
    let Some(book) = sheets else {
        return report.pass(check, format_args!("{issued} codes; closed by an older version, which kept no sheets"));
    };
    let count = book.total;
    let fault = if let Some(fault) = book.fault() {
        Some(fault)
    } else if Some(count.printed) != issued.checked_add(*revoked) {
        Some(format!("{} sheets printed, {issued} codes issued and {revoked} revoked", count.printed))
    } else if count.used != *used {
        Some(format!("{} sheets used, {used} codes", count.used))
    } else {
        None
    };
    facts.sheets = Some(book.clone());
    let words = format!(
        "{} printed = {} used + {} void + {} spoiled + {} undeliverable + {} lost + {} not returned + {} unkeyed; {} \
         duplicates",
        count.printed,
        count.used,
        count.void,
        count.spoiled,
        count.undeliverable,
        count.lost,
        count.not_returned,
        count.unkeyed,
        book.duplicates
    );
    report.by(check, fault, words);
}

fn opened(walk: &Walk, facts: &mut Facts, report: &mut Report) {
    let found: Vec<&Entry> = walk.said.iter().map(|s| &s.entry).filter(|e| matches!(e, Entry::Opened { .. })).collect();
    let check = Check::OpenedPlusVoidEqualsEnvelopes;
    match found.as_slice() {
        [] => report.skip(check, "the box has not been opened"),
        [Entry::Opened { envelopes, opened, unreadable, ballots }] => {
            let unread = sum(unreadable.values().copied());
            facts.opened = Some((*opened, ballots.clone()));
            let said =
                format!("{opened} opened + {unread} unreadable, {envelopes} in the box, {} in the log", walk.envelopes);
            let agree = *envelopes == walk.envelopes && opened.checked_add(unread) == Some(*envelopes);
            report.by(check, (!agree).then(|| said.clone()), &said);
        }
        many => report.fail(check, format_args!("the box was opened {} times", many.len())),
    }
}

fn result(walk: &Walk, source: &mut Source, facts: &mut Facts, report: &mut Report) -> Result<(), Failure> {
    let check = Check::ResultEqualsTables;
    let results = walk.said.iter().filter_map(|said| match &said.entry {
        Entry::Result { release, sha256 } => Some((*release, sha256)),
        _ => None,
    });
    let results: Vec<(u64, &String)> = results.collect();
    let Some((_, latest)) = results.last() else {
        match source.bytes("result/1")? {
            None => report.skip(check, "nothing has been published"),
            Some(_) => report.fail(check, "a document was published that is not in the log"),
        }
        return Ok(());
    };
    let mut releases: Vec<(Vec<u8>, ScoreDocument)> = Vec::new();
    for ((release, sha256), nth) in results.iter().zip(1_u64..) {
        let read = if *release == nth {
            released(source, nth, sha256, facts)?
        } else {
            Err("releases do not follow each other".to_owned())
        };
        match read {
            Ok(read) => releases.push(read),
            Err(fault) => {
                report.fail(check, fault);
                return Ok(());
            }
        }
    }
    let Some((document, read)) = releases.pop() else { return Ok(()) };
    let counted = ballots(&read);
    let release = read.release;
    report.pass(check, format_args!("release {release}, sha256 {latest}, {counted} ballots"));
    facts.earlier = releases.into_iter().map(|(_, read)| read).collect();
    facts.document = Some((document, read));
    Ok(())
}

/// One release: what was published, or what is wrong with it.
fn released(
    source: &mut Source,
    release: u64,
    sha256: &str,
    facts: &Facts,
) -> Result<Result<(Vec<u8>, ScoreDocument), String>, Failure> {
    let Some(document) = source.bytes(&format!("result/{release}"))? else {
        return Ok(Err(format!("the document of release {release} is missing")));
    };
    if HEXLOWER.encode(&Sha256::digest(&document)) != sha256 {
        return Ok(Err(format!("the published document of release {release} is not the one in the log")));
    }
    let Ok(read) = serde_json::from_slice::<ScoreDocument>(&document) else {
        return Ok(Err(format!("the published document of release {release} does not read")));
    };
    let counted = ballots(&read);
    let opened = facts.opened.as_ref().map_or(0, |(opened, _)| *opened);
    let reason = read.correction.as_ref().map_or("", |correction| correction.reason.trim());
    Ok(if read.round != facts.round || read.rules_hash != facts.rules_hash {
        Err("the published document follows other rules than the round was opened with".to_owned())
    } else if Some(&read.log_root) != facts.log_root.as_ref() {
        Err("the published document names another log".to_owned())
    } else if counted != opened {
        Err(format!("{counted} ballots in the published document, {opened} opened"))
    } else if u64::from(read.release) != release {
        Err(format!("release {release} says that it is release {}", read.release))
    } else if release > 1 && reason.is_empty() {
        Err(format!("release {release} is a correction that does not say why"))
    } else {
        Ok((document, read))
    })
}

/// Ballots in a document, void ones included.
fn ballots(document: &ScoreDocument) -> u64 {
    let of_group = |g: &survey_forms::scoring::Ballots| sum(g.void.iter().map(|v| v.count).chain([g.valid]));
    sum(document.ballots.iter().map(of_group))
}

/// Whoever wrote these numbers may have chosen them to overflow.
fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}
