//! Members of staff: add, list, disable, reset, and the sign-in.

use std::fmt;

use chrono::{DateTime, Utc};

use super::audit::{self, Actor};
use super::password::{HashedPassword, Passwords};
use super::role::Role;
use super::secret::Secret;
use super::{AccessError, session, store};
use crate::clock::Entropy;
use crate::db::{Conn, Db, DbError};

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Random, for references.
    pub id: String,
    /// Sign-in name; never given to anyone else.
    pub name: String,
    /// What they are here for.
    pub role: Role,
}

/// A line of the list of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub staff: Staff,
    /// May no longer sign in.
    pub disabled: bool,
    /// Code of the post office where they key; none where there is a single desk.
    pub office: Option<String>,
    /// Let in for a day.
    pub temporary: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A sign-in name: 2 to 40 of `a-z 0-9 . _ -`, a letter first. Plain ASCII, so that no Vietnamese input method and
/// no look-alike letter makes two people of one.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInName(String);

impl SignInName {
    /// Reads a name; capitals and outer spaces do no harm.
    ///
    /// # Errors
    /// [`AccessError::NameInvalid`].
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        let name = text.trim().to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let good = (2..=40).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_lowercase());
        if good && name.chars().all(plain) { Ok(Self(name)) } else { Err(AccessError::NameInvalid) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// People type passwords into the field for the name.
impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInName(..)")
    }
}

/// Adds a member of staff. Hash the password first, outside the transaction: it takes long.
///
/// # Errors
/// [`AccessError::NameTaken`], also by someone disabled; [`AccessError::Db`].
pub fn add(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &Actor,
    name: &SignInName,
    role: Role,
    password: &HashedPassword,
) -> Result<Staff, AccessError> {
    let staff = Staff { id: entropy.uuid().to_string(), name: name.as_str().to_owned(), role };
    if !store::insert_staff(conn, &staff, password, at)? {
        return Err(AccessError::NameTaken);
    }
    audit::record(conn, at, by, "staff.added", &staff.name, role.as_str())?;
    Ok(staff)
}

/// Everyone, in the order of their names.
///
/// # Errors
/// [`AccessError::Db`].
pub fn list(conn: &mut Conn) -> Result<Vec<Listed>, AccessError> {
    Ok(store::staff_list(conn)?)
}

/// Ends a member's access, and their sessions at once. Doing it again changes nothing.
///
/// # Errors
/// [`AccessError::StaffUnknown`], [`AccessError::Db`].
pub fn disable(conn: &mut Conn, at: DateTime<Utc>, by: &Actor, name: &SignInName) -> Result<Staff, AccessError> {
    let staff = store::staff_by_name(conn, name.as_str())?.ok_or(AccessError::StaffUnknown)?.staff;
    if store::disable_staff(conn, &staff.id)? {
        audit::record(conn, at, by, "staff.disabled", &staff.name, "")?;
    }
    store::delete_sessions_of(conn, &staff.id)?;
    Ok(staff)
}

/// Gives a member another password and ends their sessions. It does not undo [`disable`].
///
/// # Errors
/// [`AccessError::StaffUnknown`], [`AccessError::Db`].
pub fn reset(
    conn: &mut Conn,
    at: DateTime<Utc>,
    by: &Actor,
    name: &SignInName,
    password: &HashedPassword,
) -> Result<Staff, AccessError> {
    let staff = store::staff_by_name(conn, name.as_str())?.ok_or(AccessError::StaffUnknown)?.staff;
    store::set_password(conn, &staff.id, password)?;
    store::delete_sessions_of(conn, &staff.id)?;
    audit::record(conn, at, by, "staff.password_reset", &staff.name, "")?;
    Ok(staff)
}

/// Says at which post office a member keys; none where there is a single desk.
///
/// # Errors
/// [`AccessError::StaffUnknown`], [`AccessError::OfficeUnknown`], [`AccessError::Db`].
pub fn set_office(
    conn: &mut Conn,
    at: DateTime<Utc>,
    by: &Actor,
    name: &SignInName,
    office: Option<&str>,
) -> Result<Staff, AccessError> {
    let staff = store::staff_by_name(conn, name.as_str())?.ok_or(AccessError::StaffUnknown)?.staff;
    if let Some(office) = office
        && !store::is_office(conn, office)?
    {
        return Err(AccessError::OfficeUnknown);
    }
    store::set_office(conn, &staff.id, office)?;
    audit::record(conn, at, by, "staff.office_set", &staff.name, office.unwrap_or_default())?;
    Ok(staff)
}

/// The clerk as whom a machine client keys: made when it first does. It has no password, and nobody signs in as it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn of_client(db: &Db, client: &str) -> Result<Staff, DbError> {
    let short: String = client.chars().take(12).collect();
    let clerk = Staff { id: client.to_owned(), name: format!("client.{short}"), role: Role::Clerk };
    let (id, clock) = (clerk.id.clone(), db.clone());
    if db.read(move |conn| Ok::<_, DbError>(store::is_staff(conn, &id)?)).await? {
        return Ok(clerk);
    }
    let new = clerk.clone();
    db.write(move |conn| {
        let at = clock.now(conn)?;
        if store::insert_client_clerk(conn, &new, at)? {
            audit::record(conn, at, &Actor::Client(new.id.clone()), "staff.added", &new.name, new.role.as_str())?;
        }
        Ok(())
    })
    .await
    .map(|()| clerk)
}

/// Checks name and password and opens a new session; `earlier` is the cookie that the browser still carried, whose
/// session ends. None for a wrong name, a wrong password and a disabled member alike, after the same time.
///
/// # Errors
/// [`AccessError::Password`] when too many are signing in, [`AccessError::Db`].
pub async fn sign_in(
    db: &Db,
    passwords: &Passwords,
    entropy: &Entropy,
    name: &str,
    password: &Secret,
    earlier: Option<Secret>,
) -> Result<Option<(Staff, Secret)>, AccessError> {
    let known = match SignInName::parse(name) {
        Ok(name) => db.read(move |conn| Ok::<_, AccessError>(store::staff_by_name(conn, name.as_str())?)).await?,
        Err(_) => None,
    };
    let known = known.filter(|k| !k.disabled);
    let hash = known.as_ref().map(|k| k.password.clone());
    let right = passwords.verify(password.reveal(), hash).await?;
    let Some(known) = known else {
        // Without the name: it may be a password in the wrong field.
        tracing::warn!("sign-in refused: unknown or disabled");
        return Ok(None);
    };
    if !right {
        tracing::warn!(staff.id = %known.staff.id, "sign-in refused: wrong password");
        return Ok(None);
    }
    let (db_for_time, entropy) = (db.clone(), entropy.clone());
    db.write(move |conn| {
        // The password took long to check: the member may have been disabled or reset meanwhile.
        let now_known = store::lock_staff(conn, &known.staff.id)?;
        if now_known.as_ref() != Some(&known) {
            return Ok(None);
        }
        let at = db_for_time.now(conn)?;
        if let Some(earlier) = earlier {
            session::end(conn, &earlier)?;
        }
        let cookie = session::open(conn, at, &entropy, &known.staff.id)?;
        audit::record(conn, at, &Actor::from(&known.staff), "staff.signed_in", &known.staff.name, "password")?;
        Ok(Some((known.staff, cookie)))
    })
    .await
}
