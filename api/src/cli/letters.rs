//! `phieu letters …`.

use std::io::Read as _;
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};

use super::{Failure, entropy, open, out};
use crate::access::{Actor, audit};
use crate::config::Config;
use crate::credential::CredentialError;
use crate::credential::letters::{self, Plan, Post, Status, Template};
use crate::db::{Conn, Db};
use crate::mail::{Carrier, Mail, Outcome};
use crate::round::{LoadedRound, Rounds};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Put invitations and the round's reminders into the outbox.
    Plan {
        /// Id of the round.
        round: String,
        /// One more reminder now, to everybody who was sent a letter; who has answered is left out when it is sent.
        #[arg(long)]
        reminder: bool,
        /// Only say how many letters it would be.
        #[arg(long)]
        dry_run: bool,
    },
    /// Send one letter to look at; its code opens nothing.
    Test {
        /// Id of the round.
        round: String,
        /// Where to.
        address: String,
        /// Which letter.
        #[arg(long, value_enum, default_value = "invitation")]
        letter: Kind,
    },
    /// Send what is due, then stop. `phieu serve` sends by itself; this is for sending without it.
    Send {
        /// Id of the round.
        round: String,
        /// At any hour, whatever the round says.
        #[arg(long)]
        any_hour: bool,
        /// First put the refused and returned letters back into the outbox.
        #[arg(long)]
        again: bool,
    },
    /// How far the letters are.
    Status {
        /// Id of the round.
        round: String,
    },
    /// Send no more until `resume`.
    Pause {
        /// Id of the round.
        round: String,
    },
    /// Go on sending.
    Resume {
        /// Id of the round.
        round: String,
    },
    /// Letters that the mail server refused, as CSV.
    Failed {
        /// Id of the round.
        round: String,
    },
    /// Note letters that came back: reads addresses, one a line, or delivery reports from standard input. Without input,
    /// shows those that were noted, as CSV.
    Bounced {
        /// Id of the round.
        round: String,
        /// Read standard input.
        #[arg(long)]
        note: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Invitation,
    Reminder,
    Replacement,
}

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let rounds = Rounds::new();
    let loaded = |round: &str| db.read_here(|conn| rounds.get(conn, round));
    match command {
        Command::Plan { round, reminder, dry_run } => {
            let round = loaded(&round)?;
            let what = if reminder { Plan::ReminderNow } else { Plan::Declared };
            let planned = db.write_here(|conn| {
                let now = db.now(conn)?;
                let planned = letters::plan(conn, now, &round, what, &entropy(), dry_run)?;
                if !dry_run {
                    let count = planned.invitations + planned.reminders;
                    note(&db, conn, "letters.planned", &round, &format!("letters={count}"))?;
                }
                Ok::<_, CredentialError>(planned)
            })?;
            let said = if dry_run { "would plan" } else { "planned" };
            out::line(format_args!("{said} {} invitations, {} reminders", planned.invitations, planned.reminders));
            Ok(())
        }
        Command::Test { round, address, letter } => test(&*loaded(&round)?, &address, letter, config, &db),
        Command::Send { round, any_hour, again } => {
            let round = loaded(&round)?;
            if again {
                let count = db.write_here(|conn| {
                    let now = db.now(conn)?;
                    let count = letters::send_again(conn, now, round.id())?;
                    note(&db, conn, "letters.sent_again", &round, &format!("letters={count}"))?;
                    Ok::<_, CredentialError>(count)
                })?;
                out::line(format_args!("{count} letters are sent again"));
            }
            send(&round, any_hour, config, &db, &rounds)
        }
        Command::Status { round } => {
            let round = loaded(&round)?;
            status(&read_status(&db, &round)?);
            Ok(())
        }
        Command::Pause { round } => set_paused(&db, &*loaded(&round)?, Some("command"), "letters.paused"),
        Command::Resume { round } => set_paused(&db, &*loaded(&round)?, None, "letters.resumed"),
        Command::Failed { round } => undelivered(&db, &*loaded(&round)?, "failed"),
        Command::Bounced { round, note: false } => undelivered(&db, &*loaded(&round)?, "bounced"),
        Command::Bounced { round, note: true } => {
            let round = loaded(&round)?;
            let mut text = String::new();
            std::io::stdin().lock().take(16 << 20).read_to_string(&mut text)?;
            let count = db.write_here(|conn| {
                let count = letters::bounced(conn, round.id(), &text)?;
                note(&db, conn, "letters.bounced", &round, &format!("letters={count}"))?;
                Ok::<_, CredentialError>(count)
            })?;
            out::line(format_args!("noted {count} addresses whose letters came back"));
            Ok(())
        }
    }
}

fn note(db: &Db, conn: &mut Conn, action: &str, round: &LoadedRound, detail: &str) -> Result<(), CredentialError> {
    let now = db.now(conn)?;
    Ok(audit::record(conn, now, &Actor::Command, action, round.id(), detail)?)
}

fn set_paused(db: &Db, round: &LoadedRound, by: Option<&str>, action: &str) -> Result<(), Failure> {
    db.write_here(|conn| {
        letters::pause(conn, round.id(), by)?;
        note(db, conn, action, round, "")
    })?;
    out::line(if by.is_some() { "paused" } else { "letters are sent again" });
    Ok(())
}

fn test(round: &LoadedRound, address: &str, kind: Kind, config: &Config, db: &Db) -> Result<(), Failure> {
    let mail = Mail::needed(config)?;
    let now = db.read_here(|conn| db.now(conn))?;
    let template = match kind {
        Kind::Invitation => Template::Invitation,
        Kind::Reminder => Template::Reminder,
        Kind::Replacement => Template::Replacement,
    };
    let draft = letters::sample(round, template, &config.base()?, ["Người nhận thử", address]);
    let sealed = mail.seal(&draft.letter(&entropy(), now))?;
    match Carrier::new(&mail)?.carry(&sealed) {
        Outcome::HandedOver => {
            out::line("handed over to the mail server");
            Ok(())
        }
        Outcome::Refused { fault, .. } => Err(format!("the mail server refused the letter: {fault}").into()),
        Outcome::Stopped(why) | Outcome::Unknown(why) => Err(format!("the letter was not sent: {why}").into()),
    }
}

fn send(round: &Arc<LoadedRound>, any_hour: bool, config: &Config, db: &Db, rounds: &Rounds) -> Result<(), Failure> {
    let post = Post::of(config, db, rounds, &entropy(), &config.base()?)?.ok_or(crate::mail::MailError::Off)?;
    let before = read_status(db, round)?;
    let bar = super::progress(before.count("waiting") + before.count("sending"), "sending letters");
    let done = post.empty(round.id(), any_hour, |done| bar.set_position(done.sent + done.failed));
    bar.finish_and_clear();
    out::line(format_args!("sent {}, refused for good {}, put back {}", done.sent, done.failed, done.put_back));
    let after = read_status(db, round)?;
    status(&after);
    match (&after.trouble, after.count("waiting") + after.count("sending")) {
        (Some((why, _)), waiting @ 1..) => Err(format!("{waiting} letters wait; the mail server: {why}").into()),
        _ => Ok(()),
    }
}

fn read_status(db: &Db, round: &LoadedRound) -> Result<Status, CredentialError> {
    db.read_here(|conn| {
        let now = db.now(conn)?;
        letters::status(conn, now, round)
    })
}

fn status(status: &Status) {
    out::line(format_args!("people {}", status.people));
    for ((template, state), count) in &status.letters {
        out::line(format_args!("{} {state} {count}", template.as_str()));
    }
    if let Some(by) = &status.paused_by {
        out::line(format_args!("paused by {by}"));
    }
    if let Some((why, at)) = &status.trouble {
        out::line(format_args!("the mail server: {why} (since {})", crate::clock::local(*at).format("%F %T")));
    }
    if let Some(next) = status.next {
        out::line(format_args!("next letter from {}", crate::clock::local(next).format("%F %T")));
    }
}

fn undelivered(db: &Db, round: &LoadedRound, state: &str) -> Result<(), Failure> {
    let all = db.read_here(|conn| letters::undelivered(conn, round.id(), state))?;
    let mut table = csv::Writer::from_writer(std::io::stdout().lock());
    table.write_record(["name", "email", "unit_code", "letter", "state", "fault"])?;
    for one in all {
        let cell = |text: &str| crate::credential::plain(text);
        let template = one.template.as_str();
        table.write_record([
            &cell(&one.name),
            &cell(&one.email),
            &cell(&one.source_unit),
            template,
            &one.state,
            &one.fault,
        ])?;
    }
    table.flush()?;
    Ok(())
}
