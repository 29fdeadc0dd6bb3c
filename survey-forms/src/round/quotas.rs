//! Who rates whom and how often: routing that leads nowhere, quotas that do not fit or add up.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Places;
use super::files::ROUND;
use super::{Assignment, Channel, Group, Quota, Rates, Round, Sources};
use crate::fault::Faults;

/// Most targets over all kinds of ballot paper.
const ROUTES_MAX: usize = 500_000;

pub(super) fn check(round: &Round, places: &Places, faults: &mut Faults) {
    let mut sound = true;
    for (index, group) in round.groups.iter().enumerate() {
        sound &= check_group(round, index, group, faults);
        if routes(round, group) > ROUTES_MAX {
            let message = "Too many units rate too many targets: ask fewer units.";
            faults.error(ROUND, format!("groups[{}].rates", index + 1), "too_many_routes", message);
            return;
        }
    }
    let assignments = round.assignments();
    for (index, group) in round.groups.iter().enumerate() {
        sound &= check_routing(round, places, index, group, &assignments, faults);
    }
    if sound {
        unrated(round, places, &assignments, faults);
        paper_total(round, &assignments, faults);
        if !faults.has_errors() {
            small_pools(round, places, &assignments, faults);
            small_strata(round, &assignments, faults);
        }
    }
}

/// At most so many targets stand on a group's kinds of ballot paper.
fn routes(round: &Round, group: &Group) -> usize {
    let units = match &group.sources {
        Sources::None => 1,
        Sources::Kinds(kinds) => round.units.iter().filter(|u| kinds.contains(&u.kind)).count(),
    };
    let targets = match &group.rates {
        Rates::OwnUnit | Rates::Parent => 1,
        Rates::Mapped => {
            let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
            for row in &round.mappings {
                *rows.entry(&row.division).or_insert(0) += 1;
            }
            rows.into_values().max().unwrap_or(0)
        }
        Rates::Kinds(kinds) | Rates::OnePerBallot(kinds) => {
            round.targets.iter().filter(|target| kinds.contains(&target.kind)).count()
        }
        Rates::Targets(targets) => targets.len(),
    };
    units.saturating_mul(targets)
}

fn check_group(round: &Round, index: usize, group: &Group, faults: &mut Faults) -> bool {
    let place = |key: &str| format!("groups[{}].{key}", index + 1);
    let mut sound = true;
    let mut wrong = |key: &str, code: &'static str, message: &str| {
        faults.error(ROUND, place(key), code, message);
        sound = false;
    };
    let (kinds, single): (&[String], bool) = match &group.rates {
        Rates::Kinds(kinds) => (kinds, false),
        Rates::OnePerBallot(kinds) => (kinds, true),
        Rates::OwnUnit | Rates::Parent | Rates::Mapped | Rates::Targets(_) => (&[], false),
    };
    if let Rates::Targets(targets) = &group.rates {
        let known = |code: &String| round.targets.iter().any(|target| target.code == *code);
        if !targets.iter().all(known) {
            wrong("rates", "target_unknown", "Name targets of the table targets only.");
        }
        if targets.iter().collect::<BTreeSet<_>>().len() != targets.len() {
            wrong("rates", "code_double", "Name each target once.");
        }
    }
    for kind in kinds {
        if !round.target_kinds.iter().any(|known| known.code == *kind) {
            wrong("rates", "kind_unknown", "Name kinds of [[target_kinds]] only.");
        }
    }
    let sources: &[String] = match &group.sources {
        Sources::None => &[],
        Sources::Kinds(kinds) => kinds,
    };
    let by_unit = matches!(group.rates, Rates::OwnUnit | Rates::Parent | Rates::Mapped);
    if by_unit && sources.is_empty() {
        let message = "Name the unit kinds whose people are asked: what they rate depends on their unit.";
        wrong("sources", "sources_empty", message);
    }
    match &group.quota {
        Quota::PerTarget { of, .. } => {
            if !single || !sources.is_empty() {
                let message = "So many ballots a target need rates = { one_per_ballot = [..] } and sources = [].";
                wrong("quota", "quota_unfit", message);
            } else if kinds.iter().any(|kind| kind != of) {
                let message = "Targets of the other kinds get no ballot: name one kind in one_per_ballot and in of.";
                wrong("quota", "quota_unfit", message);
            }
        }
        _ if single => {
            let message = "One target a ballot needs quota = { per_target = .., of = \"kind\" }.";
            wrong("quota", "quota_unfit", message);
        }
        Quota::PerSourceUnit { of, .. } => {
            if sources.iter().any(|kind| kind != of) || sources.is_empty() {
                let message = "Name one unit kind, the same in sources and in of.";
                wrong("quota", "quota_unfit", message);
            }
        }
        Quota::Fixed(_) => {
            let units = round.units.iter().filter(|unit| sources.contains(&unit.kind)).count();
            if units > 1 {
                let message = "A fixed number for several units does not say how many each gets: use per_source_unit.";
                wrong("quota", "quota_unfit", message);
            }
        }
        Quota::Roster => {
            if sources.is_empty() {
                let message = "A roster names units: name the unit kinds in sources, or fix the number.";
                wrong("quota", "quota_unfit", message);
            }
        }
    }
    sound
}

fn check_routing(
    round: &Round,
    places: &Places,
    index: usize,
    group: &Group,
    assignments: &[Assignment],
    faults: &mut Faults,
) -> bool {
    let own = || assignments.iter().filter(|a| a.respondent_code == group.code);
    if own().next().is_none() {
        let message = "The group rates nothing: mend its sources, what it rates, or the tables.";
        faults.error(ROUND, format!("groups[{}].rates", index + 1), "group_rates_nothing", message);
        return false;
    }
    let Sources::Kinds(kinds) = &group.sources else {
        return true;
    };
    let day = round.first_day();
    let reached: BTreeSet<&str> = own().filter_map(|a| a.source_unit.as_deref()).collect();
    let column = match group.rates {
        Rates::OwnUnit => "target_code",
        Rates::Parent => "parent_code",
        _ => "division",
    };
    let mut sound = true;
    for (unit, line) in places.units.each(&round.units) {
        if kinds.contains(&unit.kind) && unit.in_force(day) && !reached.contains(unit.code.as_str()) {
            let message = format!(
                "People of this unit, in group {}, would rate nothing: fill in this cell or change the unit's kind.",
                group.code
            );
            let place = format!("line {line}, {column}");
            faults.error(&places.units.file, place, "unit_rates_nothing", message);
            sound = false;
        }
    }
    sound
}

fn unrated(round: &Round, places: &Places, assignments: &[Assignment], faults: &mut Faults) {
    let rated: BTreeSet<&str> = assignments.iter().flat_map(|a| a.targets.iter().map(String::as_str)).collect();
    for (target, line) in places.targets.each(&round.targets) {
        if target.in_force(round.first_day()) && !rated.contains(target.code.as_str()) {
            let message = "No group rates this target: route one to it or remove it.";
            let place = format!("line {line}, target_code");
            faults.error(&places.targets.file, place, "target_unrated", message);
        }
    }
}

fn paper_total(round: &Round, assignments: &[Assignment], faults: &mut Faults) {
    let Some(declared) = round.declared_paper_total else {
        return;
    };
    let mut parts = Vec::new();
    let mut total = 0_u64;
    for (index, group) in round.groups.iter().enumerate() {
        if group.channel != Channel::Paper {
            continue;
        }
        let own = assignments.iter().filter(|a| a.respondent_code == group.code);
        let counts: Option<Vec<u64>> = own.map(|a| a.ballots.map(u64::from)).collect();
        let Some(counts) = counts else {
            let message =
                "Fix the number of paper ballots, or take declared_paper_total out: a roster has no number yet.";
            let place = format!("groups[{}].quota", index + 1);
            faults.error(ROUND, place, "paper_total", message);
            return;
        };
        let count: u64 = counts.iter().sum();
        parts.push(format!("{} {count}", group.code));
        total += count;
    }
    if total != u64::from(declared) {
        let message = format!(
            "The paper quotas add up to {total} ({}), not to {declared}: mend a quota or the total.",
            parts.join(", ")
        );
        faults.error(ROUND, "declared_paper_total", "paper_total", message);
    }
}

/// Items about a target that only groups of fewer than k ballots together are asked: their pooled
/// score, which is published, rests on a cell that may not be shown.
fn small_pools(round: &Round, places: &Places, assignments: &[Assignment], faults: &mut Faults) {
    let k = u64::from(round.disclosure.k);
    let mut ballots: BTreeMap<(&str, &str), Option<u64>> = BTreeMap::new();
    for assignment in assignments {
        for target in &assignment.targets {
            let key = (assignment.respondent_code.as_str(), target.as_str());
            let pool = ballots.entry(key).or_insert(Some(0));
            *pool = pool.zip(assignment.ballots.map(u64::from)).map(|(a, b)| a + b);
        }
    }
    let mut most: BTreeMap<&str, BTreeMap<&str, Option<u64>>> = BTreeMap::new();
    for ((group, target), count) in ballots {
        let items = round.questionnaire(group).into_iter().flat_map(|form| form.items());
        for item in items {
            let pool = most.entry(item.code.as_str()).or_default().entry(target).or_insert(Some(0));
            *pool = pool.zip(count).map(|(a, b)| a + b);
        }
    }
    for (criterion, line) in places.criteria.each(&round.criteria) {
        let pools = most.get(criterion.item_code.as_str()).into_iter().flatten();
        let small: Vec<&str> =
            pools.filter(|(_, pool)| pool.is_some_and(|n| n < k)).map(|(target, _)| *target).collect();
        if !small.is_empty() {
            let message = format!(
                "About {} this item is asked on fewer than k = {k} ballots, and its pooled score is published: ask another group too.",
                small.join(", ")
            );
            let place = format!("line {line}, item_code");
            faults.warn(&places.criteria.file, place, "item_small_pool", message);
        }
    }
}

/// Groups whose number of ballots about one target is fixed below k: their own mean about it is never shown.
fn small_strata(round: &Round, assignments: &[Assignment], faults: &mut Faults) {
    let k = u64::from(round.disclosure.k);
    for (index, group) in round.groups.iter().enumerate() {
        let mut ballots: BTreeMap<&str, Option<u64>> = BTreeMap::new();
        for assignment in assignments.iter().filter(|a| a.respondent_code == group.code) {
            for target in &assignment.targets {
                let pool = ballots.entry(target).or_insert(Some(0));
                *pool = pool.zip(assignment.ballots.map(u64::from)).map(|(a, b)| a + b);
            }
        }
        let small = ballots.values().flatten().filter(|count| **count < k).count();
        if small > 0 {
            let message = format!(
                "About {small} of {} targets this group has fewer than k = {k} ballots: its own mean there is never shown, only pooled with other groups.",
                ballots.len()
            );
            faults.warn(ROUND, format!("groups[{}].quota", index + 1), "stratum_small", message);
        }
    }
}
