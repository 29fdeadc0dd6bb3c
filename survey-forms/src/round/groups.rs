//! Reading the respondent groups of `round.toml`: who they are, what they rate, how many.

use toml::Value;

use super::files::ROUND;
use super::toml_reader::Reader;
use super::words::NAME_MAX;
use super::{Channel, Group, IssueMode, Quota, Rates, Sources, keys};
use crate::fault::Faults;
use crate::ratio;

const BALLOTS_MAX: u32 = 1_000_000;
/// What one person can still count by hand.
const BUNDLE_MAX: u32 = 200;

pub(super) fn read(root: &Reader, faults: &mut Faults) -> Vec<Group> {
    let mut all: Vec<Group> = Vec::new();
    for table in root.tables("groups", keys::GROUP, faults) {
        let group = group(&table, faults);
        let lower = group.code.to_lowercase();
        if !lower.is_empty() && all.iter().any(|other| other.code.to_lowercase() == lower) {
            table.wrong("code", "code_double", "Give each group a code of its own.", faults);
        }
        all.push(group);
    }
    all
}

fn group(table: &Reader, faults: &mut Faults) -> Group {
    let kinds = table.codes("sources", faults);
    let weight = table.ratio("weight", faults).unwrap_or_else(|| ratio::whole(1));
    if weight <= ratio::whole(0) {
        table.wrong("weight", "number_range", "Write a weight above 0.", faults);
    }
    let channel = channel(table, faults);
    let bundle_size = table.has("bundle_size").then(|| table.count("bundle_size", 1, BUNDLE_MAX, faults)).flatten();
    if bundle_size.is_some() && channel == Channel::Online {
        table.wrong("bundle_size", "key_unfit", "Only paper ballots are bundled: remove the key.", faults);
    }
    let (issue, rates) = (issue(table, faults), rates(table, faults));
    if issue == IssueMode::Addressed {
        let one_kind = !kinds.is_empty() && !matches!(rates, Rates::OnePerBallot(_));
        if channel == Channel::Paper || !one_kind {
            let message = "A letter holds the code of one ballot that its reader casts online: an addressed group has sources, is online, and does not rate one target a ballot.";
            table.wrong("issue", "addressed_unfit", message, faults);
        }
    }
    Group {
        code: table.code("code", faults),
        name: table.text("name", NAME_MAX, faults),
        channel,
        issue,
        sources: if kinds.is_empty() { Sources::None } else { Sources::Kinds(kinds) },
        rates,
        quota: quota(table, faults),
        weight,
        bundle_size,
    }
}

fn word<'a>(table: &Reader<'a>, key: &str, faults: &mut Faults) -> &'a str {
    if table.value(key).is_none() {
        table.wrong(key, "key_missing", &format!("Add the key {key}."), faults);
    }
    table.value(key).and_then(Value::as_str).unwrap_or_default()
}

fn channel(table: &Reader, faults: &mut Faults) -> Channel {
    match word(table, "channel", faults).parse() {
        Ok(channel) => channel,
        Err(_) if table.value("channel").is_none() => Channel::Online,
        Err(_) => {
            table.wrong("channel", "word_unknown", "Write \"online\" or \"paper\".", faults);
            Channel::Online
        }
    }
}

fn issue(table: &Reader, faults: &mut Faults) -> IssueMode {
    match word(table, "issue", faults) {
        "draw" => IssueMode::Draw,
        "addressed" => IssueMode::Addressed,
        _ => {
            if table.value("issue").is_some() {
                table.wrong("issue", "word_unknown", "Write \"draw\" or \"addressed\".", faults);
            }
            IssueMode::Draw
        }
    }
}

fn rates(table: &Reader, faults: &mut Faults) -> Rates {
    match table.value("rates") {
        Some(Value::String(word)) if word == "own_unit" => return Rates::OwnUnit,
        Some(Value::String(word)) if word == "parent" => return Rates::Parent,
        Some(Value::String(word)) if word == "mapped" => return Rates::Mapped,
        Some(Value::Table(inner)) if inner.len() == 1 => {
            let path = table.place("rates");
            let inner = Reader::open(ROUND, path, inner, keys::RATES, faults);
            if inner.value("kinds").is_some() {
                return Rates::Kinds(inner.codes("kinds", faults));
            }
            if inner.value("one_per_ballot").is_some() {
                return Rates::OnePerBallot(inner.codes("one_per_ballot", faults));
            }
            if inner.value("targets").is_some() {
                return Rates::Targets(inner.codes("targets", faults));
            }
            return Rates::OwnUnit;
        }
        _ => {}
    }
    let message = "Write \"own_unit\", \"parent\", \"mapped\", { kinds = [..] }, { targets = [..] } or { one_per_ballot = [..] }.";
    table.wrong("rates", "rates_form", message, faults);
    Rates::OwnUnit
}

fn quota(table: &Reader, faults: &mut Faults) -> Quota {
    match table.value("quota") {
        Some(Value::String(word)) if word == "roster" => return Quota::Roster,
        Some(Value::Table(inner)) => {
            let path = table.place("quota");
            let reader = Reader::open(ROUND, path, inner, keys::QUOTA, faults);
            let has = |key: &str| inner.contains_key(key);
            let ballots = |key: &str, faults: &mut Faults| reader.count(key, 1, BALLOTS_MAX, faults);
            match (has("fixed"), has("per_target"), has("per_source_unit"), has("of")) {
                (true, false, false, false) => {
                    return Quota::Fixed(ballots("fixed", faults).unwrap_or(1));
                }
                (false, true, false, true) => {
                    let per = ballots("per_target", faults).unwrap_or(1);
                    return Quota::PerTarget { per, of: reader.code("of", faults) };
                }
                (false, false, true, true) => {
                    let per = ballots("per_source_unit", faults).unwrap_or(1);
                    return Quota::PerSourceUnit { per, of: reader.code("of", faults) };
                }
                _ => {}
            }
        }
        _ => {}
    }
    let message = "Write \"roster\", { fixed = 30 }, { per_target = 2, of = \"kind\" } or { per_source_unit = 2, of = \"kind\" }.";
    table.wrong("quota", "quota_form", message, faults);
    Quota::Roster
}
