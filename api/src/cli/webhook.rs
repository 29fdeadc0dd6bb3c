//! `phieu webhook …`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, entropy, open, out};
use crate::access::Actor;
use crate::clock::local;
use crate::config::Config;
use crate::webhook::{self, Delivery};

/// Deliveries that are listed when nothing is said.
const LISTED: u16 = 50;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an address that is told when scores come out; prints its secret, this once.
    Add {
        /// `https://…`; inside a network of `webhook_networks` also `http://…`.
        url: String,
        /// Of this round only.
        #[arg(long, value_name = "R")]
        round: Option<String>,
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
    /// Remove one; what waits for it is given up.
    Remove {
        /// Its id.
        webhook: String,
    },
    /// What was sent or waits, and how it went; the newest first.
    Deliveries {
        /// To this webhook only.
        #[arg(long, value_name = "ID")]
        webhook: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = LISTED)]
        most: u16,
        /// JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Send a delivery once more, whatever became of it; it keeps its id.
    Replay {
        /// Id of the delivery: msg_….
        delivery: String,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let by = Actor::Command;
    match command {
        Command::Add { url, round, json } => {
            let inside = config.inside()?;
            let (added, secret) = db.write_here(|conn| {
                let now = db.now(conn)?;
                webhook::add(conn, now, &entropy(), &by, &url, round.as_deref(), &inside)
            })?;
            if json {
                out::line(json!({"id": added.id, "url": added.url, "round": added.round, "secret": secret.reveal()}));
            } else {
                out::line(format_args!("id\t{}\nsecret\t{}", added.id, secret.reveal()));
            }
        }
        Command::List { json } => {
            let all = db.read_here(webhook::list)?;
            if json {
                let row = |w: &webhook::Webhook| {
                    json!({"id": w.id, "url": w.url, "round": w.round, "state": w.state.as_str(),
                        "created_at": local(w.created_at).to_rfc3339()})
                };
                out::line(json!(all.iter().map(row).collect::<Vec<_>>()));
            } else {
                for w in &all {
                    let round = w.round.as_deref().unwrap_or("*");
                    out::line(format_args!("{}\t{}\t{round}\t{}", w.id, w.state.as_str(), w.url));
                }
            }
        }
        Command::Remove { webhook: id } => {
            db.write_here(|conn| {
                let now = db.now(conn)?;
                webhook::remove(conn, now, &by, &id)
            })?;
            out::line(format_args!("{id} is removed"));
        }
        Command::Deliveries { webhook: of, most, json } => {
            let all = db.read_here(|conn| webhook::deliveries(conn, of.as_deref(), i64::from(most)))?;
            if json {
                out::line(json!(all.iter().map(delivery).collect::<Vec<_>>()));
            } else {
                for d in &all {
                    out::line(told(d));
                }
            }
        }
        Command::Replay { delivery } => {
            db.write_here(|conn| {
                let now = db.now(conn)?;
                webhook::replay(conn, now, &by, &delivery)
            })?;
            out::line(format_args!("{delivery} is due now; a running service sends it within seconds"));
        }
    }
    Ok(())
}

fn delivery(d: &Delivery) -> serde_json::Value {
    let last = d
        .last
        .as_ref()
        .map(|(at, status, fault)| json!({"at": local(*at).to_rfc3339(), "status": status, "fault": fault}));
    json!({"id": d.id, "webhook": d.webhook, "round": d.round, "state": d.state.as_str(), "attempts": d.attempts,
        "due_at": local(d.due_at).to_rfc3339(), "last": last})
}

fn told(d: &Delivery) -> String {
    let time = |at| local(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let last = d.last.as_ref().map_or_else(
        || "not sent yet".to_owned(),
        |(at, status, fault)| {
            let how = status.map_or_else(|| fault.clone().unwrap_or_default(), |status| format!("status {status}"));
            format!("{how} at {}", time(*at))
        },
    );
    let due =
        if d.state == webhook::DeliveryState::Waiting { format!(", due {}", time(d.due_at)) } else { String::new() };
    format!("{}\t{}\t{}\t{}\t{} attempts, {last}{due}", d.id, d.webhook, d.round, d.state.as_str(), d.attempts)
}
