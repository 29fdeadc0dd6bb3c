//! `phieu roster …`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use survey_forms::roster::RowFault;

use super::{Failure, entropy, open, out};
use crate::access::{Actor, audit};
use crate::config::Config;
use crate::credential::roster::{self, Change};
use crate::credential::{self, CredentialError};
use crate::db::{Conn, Db};
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Import who is invited, from CSV or XLSX: all rows or none.
    ///
    /// A CSV of the columns respondent_code, unit_code, people is every group's head counts, in place of the old ones. Any
    /// other file is a list as offices keep it, with names or with head counts, and stands for the groups that it names.
    Import {
        /// Id of the round.
        round: String,
        /// CSV or XLSX.
        file: PathBuf,
        /// The group of everybody in the list, where no column says it.
        #[arg(long, value_name = "CODE")]
        group: Option<String>,
        /// Which column is what, where that is not found out: name=B,unit=C,email=D,group=,heading=5. Also family_name,
        /// given_name, parent, phone, people; a letter or the words above the column.
        #[arg(long, value_name = "FIELD=COLUMN,..", default_value = "")]
        columns: String,
        /// Only say what would be done.
        #[arg(long)]
        check: bool,
        /// A new CSV file for the faults.
        #[arg(long, value_name = "OUT.csv")]
        faults: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let Command::Import { round, file, group, columns, check, faults } = command;
    let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let db = open(config)?;
    if is_counts(&bytes) && group.is_none() && columns.is_empty() {
        return import_counts(&db, &round, &file, &bytes, check);
    }
    let rounds = Rounds::new();
    let imported = db.write_here(|conn| {
        let round = rounds.get(conn, &round).map_err(|e| CredentialError::Find(e.into()))?;
        let (_, _, list) =
            roster::read(&bytes, &columns, &round.definition, group.as_deref()).map_err(CredentialError::List)?;
        if check {
            return roster::dry_run(conn, &round, &list);
        }
        let change = roster::import(conn, &round, &list, &entropy())?;
        note(&db, conn, round.id(), &roster::words(&change))?;
        Ok(change)
    });
    match imported {
        Ok(change) => {
            tell(&change, check);
            Ok(())
        }
        Err(CredentialError::List(found)) => refuse(&file, &found, faults.as_deref()),
        Err(other) => Err(other.into()),
    }
}

fn note(db: &Db, conn: &mut Conn, round: &str, detail: &str) -> Result<(), CredentialError> {
    let now = db.now(conn)?;
    Ok(audit::record(conn, now, &Actor::Command, "roster.imported", round, detail)?)
}

fn tell(change: &Change, check: bool) {
    let done = if check { "would import" } else { "imported" };
    out::line(format_args!("{done} {} people of {}", change.people, change.groups.join(", ")));
    if change.added + change.rewritten + change.removed > 0 {
        let Change { added, rewritten, removed, .. } = change;
        out::line(format_args!("letters go to named people: {added} added, {rewritten} rewritten, {removed} removed"));
    }
}

fn refuse(file: &Path, faults: &[RowFault], into: Option<&Path>) -> Result<(), Failure> {
    for fault in faults {
        let row = if fault.row == 0 { String::new() } else { format!("dòng {}: ", fault.row) };
        let column = if fault.column.is_empty() { String::new() } else { format!("cột {}: ", fault.column) };
        let value = if fault.value.is_empty() { String::new() } else { format!("“{}”: ", fault.value) };
        out::line(format_args!("{}: {row}{column}{value}{} [{}]", file.display(), fault.reason, fault.code));
    }
    if let Some(path) = into {
        roster::write_faults(out::private_file(path)?, faults)?;
    }
    Err(format!("{}: {} faults; nothing was imported", file.display(), faults.len()).into())
}

/// Whether the first line has the columns of plain head counts.
fn is_counts(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).to_lowercase().contains("respondent_code")
}

fn import_counts(db: &Db, round: &str, file: &Path, csv: &[u8], check: bool) -> Result<(), Failure> {
    let rounds = Rounds::new();
    let imported = db.write_here(|conn| {
        let round = rounds.get(conn, round).map_err(|e| CredentialError::Find(e.into()))?;
        if check {
            return survey_forms::roster::Roster::parse(csv, &round.definition).map_err(CredentialError::Roster);
        }
        let rows = credential::import_roster(conn, &round, csv)?;
        let people: u64 = rows.iter().map(|r| u64::from(r.people)).sum();
        note(db, conn, round.id(), &format!("rows={} people={people}", rows.len()))?;
        Ok(rows)
    });
    match imported {
        Ok(rows) => {
            let people: u64 = rows.iter().map(|r| u64::from(r.people)).sum();
            let done = if check { "would import" } else { "imported" };
            out::line(format_args!("{done} {} rows, {people} people", rows.len()));
            Ok(())
        }
        Err(CredentialError::Roster(faults)) => {
            for fault in &faults {
                out::line(format_args!("{}: {}: {} [{}]", file.display(), fault.place, fault.message, fault.code));
            }
            Err(format!("{}: {} faulty rows; nothing was imported", file.display(), faults.len()).into())
        }
        Err(other) => Err(other.into()),
    }
}
