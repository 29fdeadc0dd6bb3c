//! `phieu staff …`, `phieu client …`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, entropy, open, out};
use crate::access::{Actor, NewPassword, Role, SignInName, client, scopes::Scopes, staff};
use crate::config::Config;
use crate::round::Rounds;

#[derive(Subcommand)]
pub(super) enum StaffCommand {
    /// Add a member of staff; prints a password made for them, this once.
    Add {
        /// Sign-in name.
        name: String,
        /// administrator, supervisor, clerk, adjudicator, auditor or observer.
        #[arg(long, value_parser = role)]
        role: Role,
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// List them.
    List {
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// End a member's access, and their sessions at once.
    Disable {
        /// Sign-in name.
        name: String,
    },
    /// Say at which post office a member keys; they see its bundles and no other. Without one: where there is a single desk.
    Office {
        /// Sign-in name.
        name: String,
        /// Code of the post office.
        office: Option<String>,
    },
    /// Give a member another password, and end their sessions.
    Reset {
        /// Sign-in name.
        name: String,
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Add a machine client; prints its id and secret, this once.
    Add {
        /// What it is called.
        name: String,
        /// Comma-separated: codes:issue, rates:read, scores:read, ballots:key.
        #[arg(long)]
        scopes: String,
        /// For this round only; may be given several times.
        #[arg(long, value_name = "R")]
        round: Vec<String>,
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// List them.
    List {
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Revoke one; tokens it still has are refused from now on.
    Revoke {
        /// Its id.
        client_id: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|r| r.as_str()).collect();
        format!("one of: {}", names.join(", "))
    })
}

pub(super) fn staff(command: StaffCommand, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    match command {
        StaffCommand::Add { name, role, json } => {
            let name = SignInName::parse(&name)?;
            let password = NewPassword::generate(&entropy());
            let hash = password.hash_here(&entropy())?;
            let added = db.write_here(|conn| {
                let now = db.now(conn)?;
                staff::add(conn, now, &entropy(), &Actor::Command, &name, role, &hash)
            })?;
            print_password(&added.name, Some(added.role), &password, json);
        }
        StaffCommand::List { json } => {
            let all = db.read_here(staff::list)?;
            if json {
                let rows: Vec<_> = all
                    .iter()
                    .map(|s| {
                        json!({"name": s.staff.name, "role": s.staff.role.as_str(), "disabled": s.disabled,
                            "office": s.office})
                    })
                    .collect();
                out::line(json!(rows));
            } else {
                for s in &all {
                    let office = s.office.as_deref().map(|office| format!("\tat {office}")).unwrap_or_default();
                    let disabled = if s.disabled { "\tdisabled" } else { "" };
                    out::line(format_args!("{}\t{}{office}{disabled}", s.staff.name, s.staff.role.as_str()));
                }
            }
        }
        StaffCommand::Disable { name } => {
            let name = SignInName::parse(&name)?;
            db.write_here(|conn| {
                let now = db.now(conn)?;
                staff::disable(conn, now, &Actor::Command, &name)
            })?;
            out::line(format_args!("{} is disabled", name.as_str()));
        }
        StaffCommand::Office { name, office } => {
            let name = SignInName::parse(&name)?;
            db.write_here(|conn| {
                let now = db.now(conn)?;
                staff::set_office(conn, now, &Actor::Command, &name, office.as_deref())
            })?;
            out::line(format_args!("{}\t{}", name.as_str(), office.as_deref().unwrap_or("-")));
        }
        StaffCommand::Reset { name, json } => {
            let name = SignInName::parse(&name)?;
            let password = NewPassword::generate(&entropy());
            let hash = password.hash_here(&entropy())?;
            db.write_here(|conn| {
                let now = db.now(conn)?;
                staff::reset(conn, now, &Actor::Command, &name, &hash)
            })?;
            print_password(name.as_str(), None, &password, json);
        }
    }
    Ok(())
}

fn print_password(name: &str, role: Option<Role>, password: &NewPassword, as_json: bool) {
    if as_json {
        out::line(json!({"name": name, "role": role.map(Role::as_str), "password": password.reveal()}));
    } else {
        out::line(format_args!("{name}\t{}", password.reveal()));
    }
}

pub(super) fn clients(command: ClientCommand, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    match command {
        ClientCommand::Add { name, scopes, round, json } => {
            let scopes = Scopes::parse(&scopes)?;
            let (added, secret) = db.write_here(|conn| {
                for id in &round {
                    Rounds::new().get(conn, id)?;
                }
                let now = db.now(conn)?;
                Ok::<_, Failure>(client::add_for(conn, now, &entropy(), &Actor::Command, &name, scopes, &round)?)
            })?;
            if json {
                out::line(
                    json!({"client_id": added.id, "client_secret": secret.reveal(), "scope": added.scopes.to_string()}),
                );
            } else {
                out::line(format_args!("client_id\t{}\nclient_secret\t{}", added.id, secret.reveal()));
            }
        }
        ClientCommand::List { json } => {
            let all = db.read_here(client::list)?;
            if json {
                let rows: Vec<_> = all
                    .iter()
                    .map(|c| {
                        json!({"client_id": c.id, "name": c.name, "scope": c.scopes.to_string(), "rounds": c.rounds,
                        "revoked": c.revoked})
                    })
                    .collect();
                out::line(json!(rows));
            } else {
                for c in &all {
                    let revoked = if c.revoked { "\trevoked" } else { "" };
                    let rounds = if c.rounds.is_empty() { String::new() } else { format!("\t{}", c.rounds.join(" ")) };
                    out::line(format_args!("{}\t{}\t{}{rounds}{revoked}", c.id, c.name, c.scopes));
                }
            }
        }
        ClientCommand::Revoke { client_id } => {
            db.write_here(|conn| {
                let now = db.now(conn)?;
                client::revoke(conn, now, &Actor::Command, &client_id)
            })?;
            out::line(format_args!("{client_id} is revoked"));
        }
    }
    Ok(())
}
