//! Who holds the private half of a round's box key.

use serde::{Deserialize, Serialize};

use super::{RoundError, store};
use crate::db::{Conn, DbError};

/// How a round's box key is held. Names only: nothing here helps to open a box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// Of whom any two open the box; empty when one file does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trustees: Vec<String>,
    /// Whether what the custodians brought has opened an envelope before the round opened.
    #[serde(default)]
    pub rehearsed: bool,
    /// How far the burning is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burnt: Option<Burnt>,
}

/// Stages of a burning. A crash between them is gone on from with the same command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Burnt {
    /// These files (absolute paths) fit and are being overwritten.
    Begun(Vec<String>),
    /// The file is gone.
    Done,
}

impl Custody {
    /// Whether whoever has one file can open the box.
    #[must_use]
    pub const fn is_by_file(&self) -> bool {
        self.trustees.is_empty()
    }

    /// In English, for commands.
    #[must_use]
    pub fn said(&self) -> String {
        match self.trustees.as_slice() {
            [] => "file: whoever has it and a copy of the database can read the ballots".to_owned(),
            names => format!("any two of {}", names.join(", ")),
        }
    }
}

/// How a round's key is held; the default for a key made before this was kept.
///
/// # Errors
/// [`RoundError::Unknown`], [`RoundError::Unreadable`].
pub fn custody(conn: &mut Conn, id: &str) -> Result<Custody, RoundError> {
    parsed(store::custody(conn, id).map_err(DbError::from)?.ok_or(RoundError::Unknown)?.as_deref())
}

pub(super) fn parsed(json: Option<&str>) -> Result<Custody, RoundError> {
    match json {
        None => Ok(Custody::default()),
        Some(json) => serde_json::from_str(json).map_err(|_json| RoundError::Unreadable),
    }
}

/// Keeps how a round's key is held.
///
/// # Errors
/// When the database fails.
pub fn set_custody(conn: &mut Conn, id: &str, custody: &Custody) -> Result<(), RoundError> {
    let json = serde_json::to_string(custody).map_err(|_json| RoundError::Unreadable)?;
    Ok(store::set_custody(conn, id, &json).map_err(DbError::from)?)
}
