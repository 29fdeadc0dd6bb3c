//! The paper desk of a demo: two clerks key the ballots that came back, a third person settles what they read
//! differently.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use survey_forms::answers::{Answer, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::round::Channel;

use super::super::Failure;
use super::Account;
use super::field_work::{Code, FieldWork};
use super::people::Province;
use crate::access::{Role, Staff};
use crate::ballot::Casting;
use crate::bundle::{self, Act, By, Exit, SheetLabel};
use crate::clock::Clock;
use crate::config::Config;
use crate::keying::{Decision, PaperDesk, Pass, Reached, Reason, Task};

/// One entry in so many has a slip in it.
const SLIP_EVERY: usize = 9;

/// Keys every `one_in`th paper ballot of `codes`; gives back the codes that are left. In a round of which a part is
/// keyed, the last slip is left to be settled by hand.
pub(super) fn key(
    work: &FieldWork<'_>,
    config: &Config,
    accounts: &[Account],
    round: &str,
    codes: Vec<Code>,
    one_in: usize,
    at: DateTime<Utc>,
) -> Result<Vec<Code>, Failure> {
    let db = work.db.with_clock(Clock::set_to(at))?;
    let (casting, thread) = Casting::start(&db, config, work.entropy)?;
    let desk = PaperDesk { db, rounds: work.rounds.clone(), casting, entropy: work.entropy.clone() };
    let (first, second) = match with_role(accounts, Role::Clerk).as_slice() {
        [first, second, ..] => ((*first).clone(), (*second).clone()),
        _ => return Err("two clerks are needed".into()),
    };
    let third = with_role(accounts, Role::Adjudicator).first().copied().cloned().ok_or("an adjudicator is needed")?;

    let mut province = Province::new(work.entropy.generator());
    let (paper, mut left): (Vec<Code>, Vec<Code>) = codes.into_iter().partition(|c| c.channel == Channel::Paper);
    let (loose, bundled): (Vec<Code>, Vec<Code>) =
        paper.into_iter().partition(|c| one_in > 1 && c.sheet.as_ref().is_none_or(|sheet| sheet.of == 1));
    left.extend(loose);
    let (keyed, away): (Vec<_>, Vec<_>) = bundled.into_iter().enumerate().partition(|(n, _)| n % one_in == 0);
    let supervisor = with_role(accounts, Role::Supervisor).first().copied().cloned().ok_or("a supervisor is needed")?;
    receive(&desk, work, &supervisor, round, away.iter().filter_map(|(_, code)| code.sheet.as_ref()))?;
    let last_slip = keyed.len().saturating_sub(1) / SLIP_EVERY * SLIP_EVERY;
    actix_web::rt::System::new().block_on(async {
        // Every ballot of a bundle has a first entry before one has a second.
        let mut read = Vec::new();
        for (_, code) in &keyed {
            let ballot = desk.find(&code.token).await?;
            let answers = province.answer(&ballot.form()?);
            desk.enter(&first, &ballot, Pass::First, answers.clone()).await?;
            read.push((ballot, answers));
        }
        for (n, (ballot, answers)) in read.iter().enumerate() {
            let slip = n % SLIP_EVERY == 0;
            let other = if slip { with_a_slip(&ballot.form()?, answers) } else { answers.clone() };
            let done = desk.enter(&second, ballot, Pass::Second, other).await?;
            let by_hand = one_in > 1 && n == last_slip;
            if matches!(done.reached, Reached::Mismatched(_)) && !by_hand {
                settle(&desk, &third, ballot, answers).await?;
            }
        }
        Ok::<(), Failure>(())
    })?;
    drop(desk);
    thread.join().map_err(|_panic| "the cast queue did not end cleanly")?;
    Ok(left)
}

/// Every bundle comes back, without the sheets that are still away; a supervisor says so where some are.
fn receive<'s>(
    desk: &PaperDesk,
    work: &FieldWork<'_>,
    supervisor: &Staff,
    round: &str,
    away: impl Iterator<Item = &'s SheetLabel>,
) -> Result<(), Failure> {
    let mut missing: BTreeMap<(String, u32), Vec<(u32, Exit)>> = BTreeMap::new();
    for sheet in away {
        let of = (sheet.respondent_code.clone(), sheet.bundle);
        missing.entry(of).or_default().push((sheet.sheet, Exit::NotReturned));
    }
    desk.db.write_here(|conn| {
        let at = desk.db.now(conn)?;
        let by = By::Staff(supervisor.clone());
        for ((group, number), missing) in missing {
            let id = bundle::find(conn, round, &group, number)?.id;
            let note = "Số còn lại chưa thu về, bưu điện thu tiếp đợt hai.".to_owned();
            for act in [
                Act::HandOver { holder: "Bưu điện tỉnh".to_owned(), office: None },
                Act::Deliver,
                Act::Receive { counted: None, missing },
                Act::Note { note },
            ] {
                bundle::act(conn, at, work.entropy, &by, &id, &act)?;
            }
        }
        bundle::receive_all(&desk.db, conn, work.entropy, &by, round, None)
    })?;
    Ok(())
}

/// The third person reads from the paper what the first clerk read.
async fn settle(
    desk: &PaperDesk,
    third: &Staff,
    ballot: &std::sync::Arc<crate::ballot::Bearer>,
    paper: &Answers,
) -> Result<(), Failure> {
    if let Task::Read(places) = desk.open(third, ballot).await? {
        let mut decision = Decision { answers: Answers::new(), reasons: BTreeMap::new() };
        for (target, item) in places {
            let answer = paper.get(&target, &item).cloned().unwrap_or(Answer::Mark(Mark::Blank));
            decision.answers.insert(&target, &item, answer);
            decision.reasons.insert((target, item), Reason::SlipSecond);
        }
        desk.read_blind(third, ballot, decision.answers.clone()).await?;
        desk.adjudicate(third, ballot, decision).await?;
    }
    Ok(())
}

/// The same answers with the first choice keyed as its neighbour; where a form has none, with its first item left blank
/// or called illegible.
fn with_a_slip(form: &Form<'_>, answers: &Answers) -> Answers {
    let mut read = answers.clone();
    let one = |item: &&Item| matches!(item.kind, ItemKind::Scale { .. } | ItemKind::Single { .. });
    let item = form.questionnaire.items().find(one).or_else(|| form.questionnaire.items().next());
    if let Some((target, item)) = form.targets.first().zip(item) {
        let keyed = answers.get(target, &item.code);
        let options = if one(&item) { item.options(form.scales, form.choices) } else { Vec::new() };
        let choices = options.iter().map(|option| Answer::Choice(option.code.to_owned()));
        let marks = [Answer::Mark(Mark::Blank), Answer::Mark(Mark::Illegible)];
        if let Some(other) = choices.chain(marks).find(|other| keyed != Some(other)) {
            read.insert(target, &item.code, other);
        }
    }
    read
}

fn with_role(accounts: &[Account], role: Role) -> Vec<&Staff> {
    accounts.iter().map(|a| &a.staff).filter(|s| s.role == role).collect()
}
