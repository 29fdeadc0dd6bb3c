//! The checks with the auditor's pack, in one pass over it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use survey_forms::Round;
use survey_forms::answers::Ballot;
use survey_forms::scoring::{self, Tally, Turnouts};

use super::super::pack::{Head, Line, VERSION};
use super::super::{Failure, progress};
use super::report::{Check, Report};
use super::rules::Facts;
use super::walk::Walk;
use crate::ballot::log;
use crate::ballot::log::commit::{Code, ballots_commitment, committed, redeemed_leaf, roster_hash};
use crate::ballot::log::entry::Committed;
use crate::ballot::log::merkle::{Node, Tree};
use crate::ballot::{PublicKey, is_redeemed};

/// Signatures that are checked together.
const PAGE: usize = 8192;

/// Codes and ballots of one kind of ballot paper.
#[derive(Default)]
struct Stratum {
    issued: u64,
    redeemed: u64,
    ballots: u64,
}

struct Signed {
    key: PublicKey,
    stratum: String,
    signature: [u8; 64],
}

/// What a pass over the pack found.
struct Pack {
    head: Head,
    rules: Round,
    all: Tree,
    used: Tree,
    revoked: u64,
    /// Keys out of order or twice.
    disordered: bool,
    last: Option<PublicKey>,
    waiting: Vec<Signed>,
    /// Signatures that do not fit.
    forged: u64,
    strata: BTreeMap<String, Stratum>,
    /// Paper codes of each group: all, used, revoked.
    paper: BTreeMap<String, (u64, u64, u64)>,
    turnout: Turnouts,
    ballots: Vec<Node>,
    remarks: Vec<Node>,
    tally: Tally,
    /// Ballots that do not read, or are of no stratum of the codes.
    stray: u64,
}

pub(super) fn check(file: &Path, facts: &Facts, walk: &Walk, report: &mut Report) -> Result<(), Failure> {
    let pack = read(file, walk.envelopes)?;
    if pack.head.round != facts.round {
        report.fail(Check::PackCodes, format_args!("a pack of the round {}", pack.head.round));
        return Ok(());
    }
    codes(&pack, facts, report);
    addressed(&pack.rules, facts, report);
    let hash = roster_hash(&pack.head.roster);
    let fault = (hash != facts.roster_hash).then(|| "not the roster in the log".to_owned());
    report.by(Check::PackRoster, fault, format_args!("{} rows", pack.head.roster.len()));
    let fault = (Some(committed(&pack.used)) != facts.redeemed).then(|| {
        let logged = facts.redeemed.as_ref().map_or(0, |r| r.total);
        format!("{} redeemed codes in the pack, {logged} others in the log", pack.used.size())
    });
    report.by(Check::PackRedeemed, fault, format_args!("{}", pack.used.size()));
    let fault = (pack.forged > 0).then(|| format!("{} codes were used without their holders' signature", pack.forged));
    report.by(Check::PackSignatures, fault, format_args!("{} codes signed for their use", pack.used.size()));
    let over = pack.strata.iter().find(|(_, s)| s.redeemed > s.issued || s.ballots > s.redeemed);
    let fault =
        over.map(|(name, s)| format!("{name}: {} ballots, {} redeemed, {} issued", s.ballots, s.redeemed, s.issued));
    report.by(Check::PackStrata, fault, format_args!("ballots ≤ redeemed ≤ issued in {}", pack.strata.len()));
    paper(&pack, facts, report);
    ballots(pack, facts, report);
    Ok(())
}

/// Where somebody knew who held which code, the opening said so: it names the groups that the rules have addressed.
fn addressed(rules: &Round, facts: &Facts, report: &mut Report) {
    if rules.hash != facts.rules_hash {
        return report.fail(Check::PackAddressed, "other rules than those that the round was opened with");
    }
    let of_rules = log::addressed(rules);
    let words = |groups: &[String]| if groups.is_empty() { "none".to_owned() } else { groups.join(", ") };
    let fault = (of_rules != facts.addressed)
        .then(|| format!("{} in the rules, {} in the log", words(&of_rules), words(&facts.addressed)));
    report.by(Check::PackAddressed, fault, format_args!("groups whose letters name people: {}", words(&of_rules)));
}

/// The sheets of each group are its codes: a paper count that adds up and is false is caught here.
fn paper(pack: &Pack, facts: &Facts, report: &mut Report) {
    let Some(book) = &facts.sheets else {
        return report.skip(Check::PackPaper, "the log keeps no sheets");
    };
    let mut fault = None;
    for group in book.groups.keys().chain(pack.paper.keys()) {
        let said = book.groups.get(group).copied().unwrap_or_default();
        let (all, used, revoked) = pack.paper.get(group).copied().unwrap_or_default();
        if (said.printed, said.used) != (all, used) {
            let (printed, keyed) = (said.printed, said.used);
            fault.get_or_insert(format!(
                "{group}: {printed} printed and {keyed} used in the log, {all} and {used} codes"
            ));
        } else if said.spoiled + said.undeliverable + said.lost + said.not_returned < revoked {
            fault.get_or_insert(format!("{group}: {revoked} codes revoked, fewer sheets gone"));
        }
    }
    report.by(Check::PackPaper, fault, format_args!("{} groups, sheet by code", book.groups.len()));
}

/// The codes are those to which the log committed, when the round opened and when it closed.
fn codes(pack: &Pack, facts: &Facts, report: &mut Report) {
    let here = committed(&pack.all);
    let is = |logged: &Option<Committed>| logged.as_ref() == Some(&here);
    let at_open = facts.at_open.as_ref().map_or(0, |open| open.total);
    let fault = if pack.disordered {
        Some("codes are out of order, or twice".to_owned())
    } else if !is(&facts.at_close) {
        Some("not the codes to which the close committed".to_owned())
    } else if facts.issued_since == 0 && !is(&facts.at_open) {
        Some("not the codes to which the opening committed, and none were made since".to_owned())
    } else if at_open.saturating_add(facts.issued_since) != here.total {
        Some(format!("{at_open} codes at the opening and {} since, {} in the pack", facts.issued_since, here.total))
    } else if pack.revoked != facts.revoked {
        Some(format!("{} codes revoked in the log, {} in the pack", facts.revoked, pack.revoked))
    } else {
        None
    };
    report.by(Check::PackCodes, fault, format_args!("{}, of them {} revoked", here.total, pack.revoked));
}

fn ballots(mut pack: Pack, facts: &Facts, report: &mut Report) {
    let Some((opened, commitment)) = &facts.opened else {
        report.skip(Check::PackBallots, "the box has not been opened");
        return report.skip(Check::PackScores, "the box has not been opened");
    };
    let count = u64::try_from(pack.ballots.len()).unwrap_or(u64::MAX);
    let salt = HEXLOWER.decode(pack.head.salt.as_bytes()).unwrap_or_default();
    let fault = if pack.stray > 0 {
        Some(format!("{} ballots do not read", pack.stray))
    } else if count != *opened {
        Some(format!("{count} ballots in the pack, {opened} opened"))
    } else if ballots_commitment(&salt, &mut pack.ballots, &mut pack.remarks) != *commitment {
        Some("not the ballots that were opened".to_owned())
    } else {
        None
    };
    report.by(Check::PackBallots, fault, format_args!("{count} as they were opened"));

    let Some((document, read)) = &facts.document else {
        return report.skip(Check::PackScores, "no published document to compare with");
    };
    let fault = if pack.rules.hash != facts.rules_hash {
        Some("other rules than those that the round was opened with".to_owned())
    } else {
        for out in read.correction.iter().flat_map(|correction| &correction.left_out) {
            pack.tally.leave_out(out);
        }
        let sheet = scoring::score(&pack.rules, &pack.tally, &pack.turnout);
        let log_root = facts.log_root.as_deref().unwrap_or_default();
        let mut again = sheet.document_after(&pack.rules, read.published_at, log_root, &facts.earlier);
        again.correction.clone_from(&read.correction);
        (again.canonical() != *document).then(|| "the ballots do not give the published scores".to_owned())
    };
    report.by(Check::PackScores, fault, format_args!("the ballots give the published document, byte for byte"));
}

fn read(file: &Path, expected: u64) -> Result<Pack, Failure> {
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut lines = BufReader::new(File::open(file).map_err(|e| place(&e))?).lines();
    let first = lines.next().ok_or_else(|| place(&"empty"))??;
    let head: Head = serde_json::from_str(&first).map_err(|e| place(&e))?;
    if head.pack != VERSION {
        return Err(place(&"not a pack of this version").into());
    }
    let rules = Round::from_files(&head.files()?)
        .map_err(|faults| place(&format_args!("{} faults in its round", faults.len())))?;
    let tally = Tally::new(&rules);
    let mut pack = Pack {
        head,
        tally,
        rules,
        all: Tree::default(),
        used: Tree::default(),
        revoked: 0,
        disordered: false,
        last: None,
        waiting: Vec::new(),
        forged: 0,
        strata: BTreeMap::new(),
        paper: BTreeMap::new(),
        turnout: Turnouts::new(),
        ballots: Vec::new(),
        remarks: Vec::new(),
        stray: 0,
    };
    let bar = progress(expected, "reading the pack");
    let mut ended = false;
    for line in lines {
        if ended {
            return Err(place(&"goes on behind its end").into());
        }
        match serde_json::from_str(&line?).map_err(|e| place(&e))? {
            Line::Code(code, state, signature) => pack.code(&code, &state, signature.as_deref())?,
            Line::Ballot(body) => {
                pack.ballot(&body);
                bar.inc(1);
            }
            Line::Remark(body) => pack.remarks.push(Sha256::digest(&body).into()),
            Line::End { codes, ballots, remarks } => {
                let as_many = |lines: usize, said: u64| u64::try_from(lines).is_ok_and(|n| n == said);
                ended = codes == pack.all.size()
                    && as_many(pack.ballots.len(), ballots)
                    && as_many(pack.remarks.len(), remarks);
                if !ended {
                    return Err(place(&"lines are missing").into());
                }
            }
        }
    }
    bar.finish_and_clear();
    if !ended {
        return Err(place(&"it is cut").into());
    }
    pack.check_signatures();
    Ok(pack)
}

impl Pack {
    fn code(&mut self, code: &[String; 5], state: &str, signature: Option<&str>) -> Result<(), Failure> {
        let [key, respondent_code, source_unit, targets, channel] = code.clone();
        let public_key = HEXLOWER.decode(key.as_bytes())?.try_into().map_err(|_length| "a public key has 32 bytes")?;
        let code = Code { public_key, respondent_code, source_unit, targets, channel };
        self.disordered |= self.last.is_some_and(|last| last >= public_key);
        self.last = Some(public_key);
        self.all.push(&code.leaf());
        let stratum = code.stratum();
        if code.channel == "paper" {
            let (all, used, revoked) = self.paper.entry(code.respondent_code.clone()).or_default();
            *all += 1;
            *used += u64::from(state == "used");
            *revoked += u64::from(state == "revoked");
        }
        if state == "revoked" {
            self.revoked += 1;
            return Ok(());
        }
        let counts = self.strata.entry(stratum.clone()).or_default();
        counts.issued += 1;
        counts.redeemed += u64::from(state == "used");
        let both = self.turnout.entry((code.respondent_code.clone(), code.targets.clone())).or_default();
        both.issued += 1;
        both.returned += u64::from(state == "used");
        if state == "used" {
            let signature = HEXLOWER.decode(signature.unwrap_or_default().as_bytes())?;
            self.used.push(&redeemed_leaf(&public_key, &signature));
            match signature.try_into() {
                Ok(signature) => self.waiting.push(Signed { key: public_key, stratum, signature }),
                Err(_length) => self.forged += 1,
            }
            if self.waiting.len() >= PAGE {
                self.check_signatures();
            }
        }
        Ok(())
    }

    fn ballot(&mut self, body: &str) {
        self.ballots.push(Sha256::digest(body).into());
        let Ok(ballot) = Ballot::from_canonical(body.as_bytes()) else {
            self.stray += 1;
            return;
        };
        match self.strata.get_mut(&ballot.stratum.to_string()) {
            Some(counts) => counts.ballots += 1,
            None => self.stray += 1,
        }
        self.tally.add(&ballot);
    }

    /// On all cores.
    fn check_signatures(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let share = waiting.len().div_ceil(cores).max(1);
        let round = self.head.round.as_str();
        let forged = |part: &[Signed]| {
            let fits = |one: &&Signed| is_redeemed(&one.key, round, &one.stratum, &one.signature);
            u64::try_from(part.iter().filter(|one| !fits(one)).count()).unwrap_or(u64::MAX)
        };
        let forged: u64 = std::thread::scope(|scope| {
            let parts: Vec<_> = waiting.chunks(share).map(|part| scope.spawn(move || forged(part))).collect();
            let count = |part: std::thread::ScopedJoinHandle<'_, u64>| match part.join() {
                Ok(forged) => forged,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            parts.into_iter().map(count).sum()
        });
        self.forged += forged;
    }
}
