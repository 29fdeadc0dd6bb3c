//! Access: who the staff are and what each may do, how they sign in, machine clients and their tokens, and the trail
//! of who did what.
//!
//! Staff sign in with name and password ([`staff::sign_in`]) and carry the cookie of a server-side session
//! ([`session`]). Programs exchange a client's secret for a short-lived EdDSA token ([`client`], [`tokens`]). A
//! handler says in its signature whom it is for: [`extract::Signed`] with a [`RoleSet`], [`extract::Machine`] with a
//! [`scopes::Scope`]. `extract.rs` is the one file here besides `pages.rs` and `rest.rs` that names actix: an
//! extractor is part of a handler's signature. What OWASP ASVS 5.0 asks of all this is answered in `SECURITY.md`.

pub mod audit;
pub mod client;
pub mod extract;
mod keys;
mod onward;
pub mod openapi;
pub mod pages;
pub mod password;
pub mod rest;
mod role;
pub mod scopes;
mod secret;
pub mod session;
pub mod staff;
mod store;
pub mod temporary;
pub mod tokens;

#[cfg(test)]
mod fixture;

pub use audit::Actor;
pub use extract::{Caller, Machine, Signed, Worker};
pub use password::{HashedPassword, NewPassword, PasswordError, Passwords};
pub use role::{
    Adjudicating, Administration, AdministrationReading, AnyStaff, Desk, Keying, Leading, Monitoring, Overseeing, Role,
    RoleSet, Supervising,
};
pub use secret::Secret;
pub use staff::{SignInName, Staff};
pub use tokens::Tokens;

use crate::db::DbError;
use crate::http::{FieldFault, Problem, codes};

/// Why an act on staff or machine clients was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A sign-in name is 2 to 40 of `a-z 0-9 . _ -`, a letter first.
    #[error("a sign-in name has 2 to 40 characters of a-z 0-9 . _ - and starts with a letter")]
    NameInvalid,
    /// Someone else has the name, or had it: names are never given twice, so that the trail stays readable.
    #[error("this sign-in name is taken")]
    NameTaken,
    /// No member of staff has this name.
    #[error("no member of staff has this name")]
    StaffUnknown,
    /// Nobody waits to be let in with these digits.
    #[error("nobody waits with these digits")]
    PassUnknown,
    /// No post office has this code.
    #[error("no post office has this code")]
    OfficeUnknown,
    /// A client's name is 1 to 80 printable characters.
    #[error("a client's name has 1 to 80 printable characters")]
    ClientNameInvalid,
    /// No machine client has this id.
    #[error("no machine client has this id")]
    ClientUnknown,
    /// No scope, or one that does not exist.
    #[error("scopes are one or more of: {}", scopes::ALL.join(" "))]
    ScopeUnknown,
    /// The password was not taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let field = |pointer: &str, code| {
            Self::new(&codes::FIELDS_INVALID).with_errors(vec![FieldFault { pointer: pointer.to_owned(), code }])
        };
        match error {
            AccessError::NameInvalid => field("/name", "sign_in_name_invalid"),
            AccessError::ClientNameInvalid => field("/name", "client_name_invalid"),
            AccessError::ScopeUnknown => field("/scopes", "scope_unknown"),
            AccessError::Password(PasswordError::TooShort) => field("/password", "password_too_short"),
            AccessError::Password(PasswordError::TooLong) => field("/password", "password_too_long"),
            AccessError::PassUnknown => field("/short", "pass_unknown"),
            AccessError::OfficeUnknown => field("/office", "office_unknown"),
            AccessError::NameTaken => Self::new(&codes::STAFF_NAME_TAKEN),
            AccessError::StaffUnknown => Self::new(&codes::STAFF_UNKNOWN),
            AccessError::ClientUnknown => Self::new(&codes::CLIENT_UNKNOWN),
            AccessError::Password(PasswordError::Busy) => Self::new(&codes::BUSY),
            AccessError::Password(error @ PasswordError::Hashing) => Self::internal(&error),
            AccessError::Db(error) => error.into(),
        }
    }
}
