//! Temporary clerks: somebody who helps for a day asks for a short code on the device in front of them, tells it to a
//! supervisor, and is let in when that one has confirmed it with their name. Their access ends with the day.
//!
//! The code alone opens nothing: the session belongs to the browser that asked, which holds 256 random bits of which the
//! database keeps the SHA-256. So a code that is overheard is of no use, and a code that is confirmed by mistake lets in
//! the person who stands there, under the name that the supervisor wrote.

pub mod pages;
mod store;

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use super::audit::{self, Actor};
use super::password::{NewPassword, Passwords};
use super::role::Role;
use super::secret::{Secret, fingerprint};
use super::staff::{SignInName, Staff};
use super::{AccessError, session};
use crate::clock::{Entropy, local};
use crate::db::{Conn, Db, DbError};

/// A code that nobody has confirmed for so long is void.
pub const WAITS: TimeDelta = TimeDelta::minutes(15);

/// What the browser holds, and the digits that its person tells.
pub struct Asked {
    /// For the cookie.
    pub cookie: Secret,
    /// Six digits.
    pub short: String,
}

/// Where a request to be let in is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Nobody has confirmed these digits yet.
    For(String),
    /// Too old, or never made here.
    Over,
    /// Confirmed; the session's value is for the cookie.
    In(Staff, Box<str>),
}

/// A temporary clerk of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// Sign-in name, as the supervisor wrote it.
    pub name: String,
    /// Code of their post office.
    pub office: Option<String>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
    /// Whether somebody ended their access before.
    pub disabled: bool,
}

/// The end of a working day: midnight in Viet Nam.
#[must_use]
pub fn days_end(at: DateTime<Utc>) -> DateTime<Utc> {
    let here = local(at);
    let next = here.date_naive().succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
    let midnight = next.and_then(|midnight| here.timezone().from_local_datetime(&midnight).single());
    midnight.map_or(at + TimeDelta::hours(12), |midnight| midnight.to_utc())
}

/// Makes a request to be let in. Old ones leave the table on the way.
///
/// # Errors
/// When the database refuses.
pub fn ask(conn: &mut Conn, at: DateTime<Utc>, entropy: &Entropy) -> Result<Asked, DbError> {
    store::forget(conn, at - WAITS, at - TimeDelta::days(1))?;
    let cookie = Secret::random(entropy);
    // Six digits among the few that wait: a free one is found at once.
    for _ in 0..20 {
        let short = format!("{:06}", u32::from_be_bytes(entropy.bytes()) % 1_000_000);
        if store::insert(conn, &fingerprint(cookie.reveal()), &short, at)? {
            return Ok(Asked { cookie, short });
        }
    }
    Err(DbError::Conflict)
}

/// The digits of the browser's request, while they are good for something; nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn digits(conn: &mut Conn, at: DateTime<Utc>, cookie: &Secret) -> Result<Option<String>, DbError> {
    let found = store::find(conn, &fingerprint(cookie.reveal()))?;
    Ok(found.filter(|(_, since, staff)| staff.is_some() || at - *since < WAITS).map(|(short, ..)| short))
}

/// Lets the browser in if its request was confirmed; the request is used up by it.
///
/// # Errors
/// When the database refuses.
pub fn enter(conn: &mut Conn, at: DateTime<Utc>, entropy: &Entropy, cookie: &Secret) -> Result<Waiting, DbError> {
    let id = fingerprint(cookie.reveal());
    let Some((short, since, staff)) = store::find(conn, &id)? else { return Ok(Waiting::Over) };
    let Some(staff) = staff else {
        return Ok(if at - since < WAITS { Waiting::For(short) } else { Waiting::Over });
    };
    store::delete(conn, &id)?;
    // Disabled, or confirmed yesterday.
    let Some(staff) = store::in_force(conn, &staff, at)? else { return Ok(Waiting::Over) };
    let session = session::open(conn, at, entropy, &staff.id)?;
    audit::record(conn, at, &Actor::from(&staff), "staff.signed_in", &staff.name, "temporary")?;
    Ok(Waiting::In(staff, session.reveal().into()))
}

/// Confirms the person who tells these digits as a clerk of today, under this name and for this post office. Whoever comes
/// back after a pause, or to another device, comes back under the name of the morning: with a second name they could do
/// the second pass of their own ballots.
///
/// # Errors
/// [`AccessError::PassUnknown`] for digits that nobody waits with, [`AccessError::NameTaken`] by anybody else,
/// [`AccessError::NameInvalid`], [`AccessError::OfficeUnknown`].
pub async fn confirm(
    db: &Db,
    passwords: &Passwords,
    entropy: &Entropy,
    by: &Staff,
    (short, name, office): (&str, &str, Option<&str>),
) -> Result<Temporary, AccessError> {
    let name = SignInName::parse(name)?;
    let short: String = short.chars().filter(char::is_ascii_digit).collect();
    // Nobody knows it: a temporary clerk comes in by the device that asked.
    let password = passwords.hash(NewPassword::generate(entropy)).await?;
    let (clock, entropy, by, office) = (db.clone(), entropy.clone(), by.clone(), office.map(str::to_owned));
    db.write(move |conn| {
        let at = clock.now(conn)?;
        let id = store::waiting(conn, &short, at - WAITS)?.ok_or(AccessError::PassUnknown)?;
        let staff = match store::of_today(conn, name.as_str(), at)? {
            Some(back) => back,
            None => super::staff::add(conn, at, &entropy, &Actor::from(&by), &name, Role::Clerk, &password)?,
        };
        if office.is_some() {
            super::staff::set_office(conn, at, &Actor::from(&by), &name, office.as_deref())?;
        }
        let ends_at = days_end(at);
        store::confirm(conn, &id, &staff.id, ends_at)?;
        audit::record(conn, at, &Actor::from(&by), "staff.temporary_confirmed", &staff.name, "")?;
        Ok(Temporary { name: staff.name, office, ends_at, disabled: false })
    })
    .await
}

/// The temporary clerks whose day is not over, by name.
///
/// # Errors
/// When the database does not answer.
pub fn list(conn: &mut Conn, at: DateTime<Utc>) -> Result<Vec<Temporary>, DbError> {
    Ok(store::list(conn, at)?)
}

/// Ends a temporary clerk's access before the day does; nobody else's.
///
/// # Errors
/// [`AccessError::StaffUnknown`].
pub fn end(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, name: &SignInName) -> Result<(), AccessError> {
    if !store::list(conn, at)?.iter().any(|one| one.name == name.as_str()) {
        return Err(AccessError::StaffUnknown);
    }
    super::staff::disable(conn, at, by, name).map(|_| ())
}
