//! Post offices: where bundles are keyed, and who keys there. Whoever belongs to one sees its paper and no other.

pub mod pages;
mod store;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::BundleError;
use super::acts::words;
use crate::access::{Actor, Role, Staff, audit, client, staff};
use crate::db::{Conn, DbError};

/// Whether somebody of this role and post office works with what belongs to `of`. Clerks see their own office's paper and
/// no other; who leads or audits sees everything, unless they belong to an office.
pub(super) fn sees(role: Role, office: Option<&str>, of: Option<&str>) -> bool {
    match (role, office) {
        (Role::Supervisor | Role::Administrator, _) | (Role::Adjudicator | Role::Auditor, None) => true,
        (_, office) => office == of,
    }
}

/// Whether this member of staff works with what belongs to `of`.
///
/// # Errors
/// When the database fails.
pub(super) fn admits(conn: &mut Conn, staff: &Staff, of: Option<&str>) -> Result<bool, DbError> {
    Ok(sees(staff.role, of_staff(conn, staff)?.as_deref(), of))
}

/// Code of the post office of a member of staff.
///
/// # Errors
/// When the database fails.
pub(super) fn of_staff(conn: &mut Conn, staff: &Staff) -> Result<Option<String>, DbError> {
    Ok(store::of_staff(conn, &staff.id)?)
}

/// Adds a post office, or gives it another name.
///
/// # Errors
/// [`BundleError::Field`] for a code that is not 1 to 20 of `A-Z 0-9 -`, and for a name that is empty or too long.
pub fn add(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, code: &str, name: &str) -> Result<(), BundleError> {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if !(1..=20).contains(&code.len()) || !code.chars().all(plain) {
        return Err(BundleError::Field("/code", "office_code_invalid"));
    }
    let name = words("/name", name, 200)?;
    store::put(conn, code, &name)?;
    audit::record(conn, at, by, "office.added", code, &name)?;
    Ok(())
}

/// Code and name of every post office.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut Conn) -> Result<Vec<(String, String)>, DbError> {
    Ok(store::all(conn)?)
}

/// Somebody who works with the paper of one post office, or of the only desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Sign-in name.
    pub name: String,
    /// What they do.
    pub role: Role,
    /// Code of their post office.
    pub office: Option<String>,
}

/// Permanent staff of the desk, and the programs that key: supervisors see everything and belong nowhere, temporary
/// clerks get their office when they are let in.
///
/// # Errors
/// When the database fails.
pub fn workers(conn: &mut Conn) -> Result<Vec<Worker>, BundleError> {
    let programs: Vec<String> = client::list(conn)?.into_iter().filter(|c| !c.revoked).map(|c| c.id).collect();
    let here = |one: &staff::Listed| {
        let works = matches!(one.staff.role, Role::Clerk | Role::Adjudicator | Role::Auditor);
        works && !one.temporary && (!one.disabled || programs.contains(&one.staff.id))
    };
    let all = staff::list(conn)?.into_iter().filter(here);
    Ok(all.map(|one| Worker { name: one.staff.name, role: one.staff.role, office: one.office }).collect())
}
