//! Letters to named people. The outbox has a row a letter, with recipient and template; the code is made in the very
//! transaction that decides to hand the letter over, and is nowhere but in the letter.
//!
//! A letter goes `waiting` → `sending` → `sent`. The step to `sending` revokes the code of the person's last letter, unless
//! it was used, and makes the new one live: nobody ever holds two live codes. What the step begins may be cut off; the
//! letter is then sent again after a while, with another new code. So everybody gets a letter at least once, and only the
//! last one counts. A reminder is given up at that step when the person's code was used.

mod outbox;
mod outcome;
pub(super) mod pages;
mod post;
mod store;
mod text;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

pub use pages::MailSettings;
pub use post::{Done, Post, Postmen};
pub use text::{Draft, sample};

use super::{CredentialError, takes_codes};
use crate::addressee::{self, Addressee};
use crate::clock::{Entropy, local};
use crate::db::{Conn, from_unix_ms, unix_ms};
use crate::round::LoadedRound;

/// What a letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    /// The first letter.
    Invitation,
    /// To who has not answered when it is sent.
    Reminder,
    /// Another code for a lost one.
    Replacement,
}

impl Template {
    const ALL: [Self; 3] = [Self::Invitation, Self::Reminder, Self::Replacement];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reminder => "reminder",
            Self::Replacement => "replacement",
        }
    }

    /// For people.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Invitation => "Thư mời",
            Self::Reminder => "Thư nhắc",
            Self::Replacement => "Thư thay mã",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}

/// What a plan adds to the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// Invitations.
    pub invitations: u64,
    /// Reminders.
    pub reminders: u64,
    /// Not before this.
    pub first: Option<DateTime<Utc>>,
}

/// Which letters to plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// An invitation for everybody who has none, and every reminder that the round declares.
    Declared,
    /// One more reminder, now, to everybody who was sent a letter and whose code was not withdrawn; to nobody while such a
    /// reminder is still on its way. How many that is does not depend on who has answered: that is looked at when each is
    /// sent.
    ReminderNow,
}

/// Adds letters to the outbox, or says how many it would be. Safe to repeat: nobody gets the same letter planned twice.
///
/// # Errors
/// [`CredentialError::Closed`], [`CredentialError::NothingSelected`] when the round addresses no letters.
pub fn plan(
    conn: &mut Conn,
    now: DateTime<Utc>,
    round: &LoadedRound,
    what: Plan,
    entropy: &Entropy,
    dry: bool,
) -> Result<Planned, CredentialError> {
    takes_codes(conn, round.id())?;
    let people = addressee::all(conn, round.id())?;
    if people.is_empty() {
        return Err(CredentialError::NothingSelected);
    }
    let there = store::planned(conn, round.id())?;
    let start = now.max(round.opens_at);
    let mut wanted: Vec<(Template, i64, DateTime<Utc>)> = Vec::new();
    let letters = round.definition.letters.clone().unwrap_or_default();
    match what {
        Plan::Declared => {
            wanted.push((Template::Invitation, 1, start));
            for (number, days) in (1_i64..).zip(&letters.remind_after_days) {
                let due = round.opens_at + TimeDelta::days(i64::from(*days));
                // One whose day has passed would follow its invitation on the heel.
                if (start..round.closes_at).contains(&due) {
                    wanted.push((Template::Reminder, number, due));
                }
            }
        }
        Plan::ReminderNow => {
            // The numbers of the declared ones are theirs, planned or not: a number says which reminder somebody has had.
            let declared = i64::try_from(letters.remind_after_days.len()).unwrap_or(i64::MAX);
            let last = there.iter().filter(|(_, template, _)| template == "reminder").map(|(_, _, n)| *n).max();
            if !store::is_reminding(conn, round.id(), unix_ms(&start))? {
                wanted.push((Template::Reminder, last.unwrap_or(0).max(declared).saturating_add(1), start));
            }
        }
    }
    let holders = addressee::holders(conn, round.id())?;
    let reached = store::reached(conn, round.id())?;
    let mut planned = Planned::default();
    let mut rows = Vec::new();
    for (template, number, due) in wanted {
        for person in &people {
            let known = (person.id.clone(), template.as_str().to_owned(), number);
            let (holds, has_letter) = (holders.contains(&person.id), reached.contains(&person.id));
            // Who holds a code needs no invitation. Nobody is reminded of a code that they were not sent, or that was
            // withdrawn: a reminder brings another one.
            let fits = match (what, template) {
                (Plan::Declared, Template::Reminder) => holds || !has_letter,
                (Plan::Declared, _) => !holds,
                (Plan::ReminderNow, _) => holds && has_letter,
            };
            if there.contains(&known) || !fits {
                continue;
            }
            match template {
                Template::Reminder => planned.reminders += 1,
                _ => planned.invitations += 1,
            }
            planned.first = Some(planned.first.map_or(due, |first| first.min(due)));
            rows.push(new(entropy, round.id(), &person.id, template, number, due));
        }
    }
    if !dry {
        store::insert(conn, &rows)?;
    }
    Ok(planned)
}

fn new(
    entropy: &Entropy,
    round: &str,
    person: &str,
    template: Template,
    number: i64,
    due: DateTime<Utc>,
) -> store::NewLetter {
    store::NewLetter {
        id: entropy.uuid().simple().to_string(),
        round: round.to_owned(),
        addressee: person.to_owned(),
        template: template.as_str(),
        number,
        state: "waiting",
        due: unix_ms(&due),
        tries: 0,
    }
}

/// Revokes a person's code, unless it was used, and plans a letter with another one.
///
/// # Errors
/// [`CredentialError::Used`], [`CredentialError::NothingSelected`] for nobody, [`CredentialError::Closed`].
pub fn replace(
    conn: &mut Conn,
    now: DateTime<Utc>,
    round: &LoadedRound,
    person: &str,
    entropy: &Entropy,
) -> Result<Addressee, CredentialError> {
    takes_codes(conn, round.id())?;
    let person = addressee::one(conn, round.id(), person)?.ok_or(CredentialError::NothingSelected)?;
    super::revoke_tied(conn, round.id(), &person)?;
    let number = store::last_number(conn, &person.id, "replacement")? + 1;
    forget_waiting(conn, &person)?;
    let due = now.max(round.opens_at);
    store::insert(conn, &[new(entropy, round.id(), &person.id, Template::Replacement, number, due)])?;
    Ok(person)
}

/// Drops the letters to a person that still wait and would bring a code of their own. Reminders stay: they are for
/// whoever has not answered by then.
pub(super) fn forget_waiting(conn: &mut Conn, person: &Addressee) -> Result<(), CredentialError> {
    Ok(store::drop_waiting(conn, &person.id, &["invitation", "replacement"])?)
}

/// Drops every letter to a person that still waits: their code was withdrawn, and a letter would bring another.
pub(super) fn forget_all(conn: &mut Conn, person: &Addressee) -> Result<(), CredentialError> {
    Ok(store::drop_waiting(conn, &person.id, &Template::ALL.map(Template::as_str))?)
}

/// How far a round's letters are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// People.
    pub people: u64,
    /// Letters by template and state.
    pub letters: BTreeMap<(Template, String), u64>,
    /// Who paused the sending.
    pub paused_by: Option<String>,
    /// What last stopped the mail server, and when.
    pub trouble: Option<(String, DateTime<Utc>)>,
    /// When the next letter goes, by the round's days and hours; none when none waits.
    pub next: Option<DateTime<Utc>>,
}

impl Status {
    /// Letters in a state.
    #[must_use]
    pub fn count(&self, state: &str) -> u64 {
        self.letters.iter().filter(|((_, of), _)| of == state).map(|(_, count)| count).sum()
    }

    /// All letters.
    #[must_use]
    pub fn letters_count(&self) -> u64 {
        self.letters.values().sum()
    }

    /// Letters that need nothing more: sent, or known not to have arrived.
    #[must_use]
    pub fn settled(&self) -> u64 {
        ["sent", "failed", "bounced"].into_iter().map(|state| self.count(state)).sum()
    }

    /// Letters of a template in a state.
    #[must_use]
    pub fn of(&self, template: Template, state: &str) -> u64 {
        self.letters.get(&(template, state.to_owned())).copied().unwrap_or(0)
    }
}

/// Reads how far a round's letters are.
///
/// # Errors
/// When the database fails.
pub fn status(conn: &mut Conn, now: DateTime<Utc>, round: &LoadedRound) -> Result<Status, CredentialError> {
    let mut status = Status { people: addressee::count(conn, round.id())?, ..Status::default() };
    for (template, state, count) in store::counts(conn, round.id())? {
        if let Some(template) = Template::parse(&template) {
            status.letters.insert((template, state), u64::try_from(count).unwrap_or_default());
        }
    }
    if let Some(posting) = store::posting(conn, round.id())? {
        status.paused_by = posting.paused_by;
        status.trouble = posting.trouble.zip(posting.trouble_at.map(from_unix_ms));
    }
    let letters = round.definition.letters.clone().unwrap_or_default();
    status.next = store::first_due(conn, round.id())?.map(|due| {
        let wanted = from_unix_ms(due).max(now);
        let at = letters.next_from(local(wanted).naive_local());
        at.and_local_timezone(crate::clock::viet_nam()).single().map_or(wanted, |at| at.to_utc())
    });
    Ok(status)
}

/// Stops the sending of a round's letters, or lets it go on.
///
/// # Errors
/// When the database fails.
pub fn pause(conn: &mut Conn, round: &str, by: Option<&str>) -> Result<(), CredentialError> {
    Ok(store::set_paused(conn, round, by)?)
}

/// A letter that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Whole name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Code of the unit.
    pub source_unit: String,
    /// What it was.
    pub template: Template,
    /// `failed`: refused when it was sent; `bounced`: came back later.
    pub state: String,
    /// The mail server's codes.
    pub fault: String,
}

/// Letters that did not arrive, by unit and name.
///
/// # Errors
/// When the database fails.
pub fn undelivered(conn: &mut Conn, round: &str, state: &str) -> Result<Vec<Undelivered>, CredentialError> {
    let rows = store::undelivered(conn, round, state)?;
    let read = |(name, email, source_unit, template, state, fault): store::UndeliveredRow| {
        let template = Template::parse(&template)?;
        Some(Undelivered { name, email, source_unit, template, state, fault: fault.unwrap_or_default() })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Sends the refused and returned letters once more, for instance after the addresses were mended at the mail server.
///
/// # Errors
/// When the database fails.
pub fn send_again(conn: &mut Conn, now: DateTime<Utc>, round: &str) -> Result<usize, CredentialError> {
    takes_codes(conn, round)?;
    Ok(store::send_again(conn, round, unix_ms(&now))?)
}

/// Notes that letters came back; gives back how many of these addresses had one. Takes addresses one a line, or whole
/// delivery reports (RFC 3464), of which it reads `Final-Recipient`.
///
/// # Errors
/// When the database fails.
pub fn bounced(conn: &mut Conn, round: &str, text: &str) -> Result<usize, CredentialError> {
    let mut noted = 0;
    for address in returned(text) {
        noted += store::mark_bounced(conn, round, &addressee::mailbox(&address))?;
    }
    Ok(noted)
}

/// The addresses of a text: of delivery reports where there are any, else each line that is one.
fn returned(text: &str) -> Vec<String> {
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let is = name.trim().eq_ignore_ascii_case("final-recipient");
        let (_, address) = value.split_once(';')?;
        is.then(|| address.trim().trim_matches(['<', '>']).to_owned())
    };
    let reported: Vec<String> = text.lines().filter_map(field).collect();
    if !reported.is_empty() {
        return reported;
    }
    let plain = |line: &str| {
        let line = line.trim().trim_matches(['<', '>', ',', ';']).to_owned();
        (line.contains('@') && !line.contains(char::is_whitespace)).then_some(line)
    };
    text.lines().filter_map(plain).collect()
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
pub(super) mod tests;
