//! The field work of a demo: a round with its dates moved, its codes issued, and people who answer day by day.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc, Weekday};
use indicatif::ProgressBar;
use survey_forms::answers::Answers;
use survey_forms::roster::{List, Roster, RosterRow};
use survey_forms::round::{Channel, Dates, Reuse};
use survey_forms::{Round, quang_nam_2023};

use super::super::Failure;
use super::people::Province;
use super::{folder, letters};
use crate::access::Actor;
use crate::ballot::{Casting, Token, find};
use crate::bundle::SheetLabel;
use crate::ceremony::Ceremony;
use crate::clock::{Clock, Entropy, local};
use crate::config::Config;
use crate::credential::letters::{Plan, plan as plan_letters};
use crate::credential::{self, CredentialError, IssuedCode, Selection, roster};
use crate::db::{Conn, Db};
use crate::round::{self as rounds, LoadedRound, RoundError, Rounds};

/// Share of the people invited that a demo of N ballots supposes to answer.
const RESPONSE: f64 = 0.75;
/// Paper ballots of each group that are bundles of their own.
const LOOSE_SHEETS: usize = 12;
/// Threads that cast at once; they wait for the disk most of the time.
const CASTERS: usize = 16;

/// A round in the field.
pub(super) struct FieldWork<'a> {
    pub(super) db: &'a Db,
    pub(super) rounds: &'a Rounds,
    pub(super) ceremony: &'a Ceremony,
    pub(super) entropy: &'a Entropy,
    pub(super) dir: &'a Path,
}

/// One code of the demo and what it is for.
pub(super) struct Code {
    pub(super) token: Token,
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) channel: Channel,
    pub(super) sheet: Option<SheetLabel>,
}

impl FieldWork<'_> {
    /// Loads the plan's round under `id` with every date moved by the same time, makes its box key, imports the
    /// sample roster (enlarged if so many ballots need it), issues every code and opens the round. Gives back the
    /// dates as they are now, and the codes.
    pub(super) fn prepare(
        &self,
        id: &str,
        title: Option<&str>,
        moved_by: impl FnOnce(&Dates) -> TimeDelta,
        ballots: usize,
        with_letters: bool,
    ) -> Result<(Dates, Vec<Code>), Failure> {
        let mut files = quang_nam_2023();
        let plan = Round::from_files(&files).map_err(RoundError::Faults)?;
        let addressed = if with_letters { letters::address(&mut files, &plan) } else { None };
        // Whole days, so that the plan's hours stay.
        let by = TimeDelta::days(moved_by(&plan.dates).num_days());
        let dates = Dates {
            opens: plan.dates.opens + by,
            closes: plan.dates.closes + by,
            keying_closes: plan.dates.keying_closes + by,
            publishes: plan.dates.publishes + by,
            grace_minutes: plan.dates.grace_minutes,
        };
        let copy = Reuse { id, title, dates: Some(&dates), merges: &[] };
        let copied = survey_forms::round::reuse(&files, &copy).map_err(RoundError::Faults)?;
        self.db.write_here(|conn| rounds::load(conn, &copied).map(|_| ()))?;
        let path = folder::key_path(self.dir, id);
        self.db.read_here(|conn| self.rounds.reread(conn).map(|_| ()))?;
        self.ceremony.keygen(&Actor::Service, id, |key| key.write_new(&path))?;
        let sample = files.get("roster-sample.csv").map(Vec::as_slice).unwrap_or_default();
        let codes = self.db.write_here(|conn| {
            let round = self.rounds.reread(conn).map_err(from_round)?.iter().find(|r| r.id() == id).cloned();
            let round = round.ok_or_else(|| from_round(RoundError::Unknown))?;
            let enlarged = enlarge(sample, ballots);
            // The sample has head counts of every group, also of the one that has people here.
            let counts = Roster::parse(&enlarged, &plan).map_err(CredentialError::Roster)?;
            let of_draws = |row: &&RosterRow| addressed.as_deref() != Some(row.respondent_code.as_str());
            let of_draws: Vec<RosterRow> = counts.iter().filter(of_draws).cloned().collect();
            roster::import(conn, &round, &List::Counts(of_draws), self.entropy)?;
            let mut codes = self.loose_sheets(conn, &round)?;
            let all = Selection { respondent_code: None, source_unit: None, count: None };
            codes.extend(credential::issue(conn, &round, all, self.entropy)?);
            if let Some(group) = &addressed {
                codes.extend(letters::invite(conn, &round, group, &counts, self.entropy)?);
            }
            let channel = |code: &str| round.definition.group(code).map_or(Channel::Online, |g| g.channel);
            let codes = codes.into_iter().map(|c| Code {
                channel: channel(&c.respondent_code),
                token: c.token,
                respondent_code: c.respondent_code,
                source_unit: c.source_unit,
                sheet: c.sheet,
            });
            Ok::<Vec<Code>, CredentialError>(codes.collect())
        })?;
        self.ceremony.open(&Actor::Service, id)?;
        if addressed.is_some() {
            self.db.write_here(|conn| {
                let now = self.db.now(conn)?;
                let round = self.rounds.get(conn, id).map_err(from_round)?;
                plan_letters(conn, now, &round, Plan::Declared, self.entropy, false)
            })?;
        }
        Ok((dates, codes))
    }

    /// Paper ballots that were printed one by one: each is a bundle of its own, so that two people can key it at once.
    fn loose_sheets(&self, conn: &mut Conn, round: &LoadedRound) -> Result<Vec<IssuedCode>, CredentialError> {
        let mut codes = Vec::new();
        for group in round.definition.groups.iter().filter(|g| g.channel == Channel::Paper) {
            let mut places = round.definition.assignments();
            places.retain(|place| place.respondent_code == group.code);
            for place in places.iter().cycle().take(LOOSE_SHEETS) {
                let unit = place.source_unit.as_deref().or(match place.targets.as_slice() {
                    [one] => Some(one.as_str()),
                    _ => None,
                });
                let one = Selection { respondent_code: Some(&group.code), source_unit: unit, count: Some(1) };
                codes.extend(credential::issue(conn, round, one, self.entropy)?);
            }
        }
        Ok(codes)
    }

    /// Lets `ballots` of these people answer, spread over the days from `from` to `to`; gives back the codes that are
    /// left. Ballots go through the real cast path under a clock that is set day by day.
    pub(super) fn simulate(
        &self,
        codes: Vec<Code>,
        ballots: usize,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        bar: &ProgressBar,
    ) -> Result<Vec<Code>, Failure> {
        let mut province = Province::new(self.entropy.generator());
        let (answering, left) = choose(codes, ballots, &mut province);
        let clock = Clock::set_to(from);
        let db = self.db.with_clock(clock.clone())?;
        let (casting, thread) = Casting::start(&db, &Config::default(), self.entropy)?;
        for (day, people) in by_day(answering, from, to, &mut province) {
            clock.set(day);
            let filled = self.fill_in(&people, &mut province)?;
            cast_all(&db, self.rounds, &casting, &filled, bar)?;
        }
        drop(casting);
        thread.join().map_err(|_panic| "the cast queue did not end cleanly")?;
        Ok(left)
    }

    fn fill_in<'c>(&self, people: &'c [Code], province: &mut Province) -> Result<Vec<(&'c Token, Answers)>, Failure> {
        let mut filled = Vec::with_capacity(people.len());
        for code in people {
            let bearer = self.db.read_here(|conn| find(conn, self.rounds, &code.token))?;
            filled.push((&code.token, province.answer(&bearer.form()?)));
        }
        Ok(filled)
    }
}

fn from_round(error: RoundError) -> CredentialError {
    CredentialError::Find(error.into())
}

/// The sample roster with every head count multiplied until `ballots` is a believable response.
fn enlarge(csv: &[u8], ballots: usize) -> Vec<u8> {
    let text = String::from_utf8_lossy(csv);
    let count = |line: &str| line.rsplit_once(',').and_then(|(_, n)| n.trim().parse::<u64>().ok());
    let people: u64 = text.lines().filter_map(count).sum();
    let needed = f64::from(u32::try_from(ballots).unwrap_or(u32::MAX)) / RESPONSE;
    let have = f64::from(u32::try_from(people).unwrap_or(u32::MAX)).max(1.0);
    let mut factor = 1_u64;
    let mut reached = have;
    while reached < needed {
        factor += 1;
        reached += have;
    }
    let lines = text.lines().map(|line| match (line.rsplit_once(','), count(line)) {
        (Some((head, _)), Some(n)) => format!("{head},{}\n", n * factor),
        _ => format!("{line}\n"),
    });
    lines.collect::<String>().into_bytes()
}

/// Who answers: online people, those of willing units first.
fn choose(codes: Vec<Code>, ballots: usize, province: &mut Province) -> (Vec<Code>, Vec<Code>) {
    let mut willing: BTreeMap<String, f64> = BTreeMap::new();
    let mut order: Vec<(f64, Code)> = Vec::with_capacity(codes.len());
    for code in codes {
        let unit = *willing.entry(code.source_unit.clone()).or_insert_with(|| province.willingness());
        // Weighted sampling without replacement: the smallest exponential waiting times win.
        let wait = -(1.0 - province.even()).ln() / unit;
        order.push((if code.channel == Channel::Online { wait } else { f64::INFINITY }, code));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let online = order.iter().filter(|(wait, _)| wait.is_finite()).count();
    let left = order.split_off(ballots.min(online));
    (order.into_iter().map(|(_, c)| c).collect(), left.into_iter().map(|(_, c)| c).collect())
}

/// Spreads people over days: many at first, few at weekends, a second wave after the half.
fn by_day(
    people: Vec<Code>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    province: &mut Province,
) -> BTreeMap<DateTime<Utc>, Vec<Code>> {
    let mut days = Vec::new();
    let mut at = from + TimeDelta::hours(2);
    let mut weight = 1.0;
    let half = from + (to - from) / 2;
    let mut reminded = false;
    while at < to {
        if at > half && !reminded {
            (weight, reminded) = (weight + 0.5, true);
        }
        let weekend = matches!(local(at).weekday(), Weekday::Sat | Weekday::Sun);
        days.push((at, if weekend { weight * 0.2 } else { weight }));
        weight *= 0.92;
        at += TimeDelta::days(1);
    }
    let total: f64 = days.iter().map(|(_, w)| w).sum();
    let mut spread: BTreeMap<DateTime<Utc>, Vec<Code>> = BTreeMap::new();
    for code in people {
        let mut draw = province.even() * total;
        let day = days.iter().find(|(_, w)| {
            draw -= w;
            draw <= 0.0
        });
        spread.entry(day.map_or(from, |(at, _)| *at)).or_default().push(code);
    }
    spread
}

fn cast_all(
    db: &Db,
    rounds: &Rounds,
    casting: &Casting,
    filled: &[(&Token, Answers)],
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let cast_some = || -> Result<(), String> {
        while let Some((token, answers)) = filled.get(next.fetch_add(1, Ordering::Relaxed)) {
            let bearer = db.read_here(|conn| find(conn, rounds, token)).map_err(|e| e.to_string())?;
            casting.cast_here(&bearer, answers).map_err(|e| e.to_string())?;
            bar.inc(1);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let casters: Vec<_> = (0..CASTERS).map(|_| scope.spawn(cast_some)).collect();
        casters.into_iter().try_for_each(|c| c.join().unwrap_or_else(|_panic| Err("a caster panicked".to_owned())))
    })
    .map_err(Into::into)
}
