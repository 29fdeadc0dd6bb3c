//! `phieu demo`: the whole survey on the plan's own round, with nothing set up.

mod field_work;
mod folder;
mod letters;
mod paper;
mod people;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};

use self::field_work::{Code, FieldWork};
use super::{Failure, out, progress, serve};
use crate::access::{Actor, NewPassword, Role, SignInName, Staff, client, scopes, staff};
use crate::ceremony::{Ceremony, KeyFile, Timing};
use crate::clock::{Clock, Entropy, machine_now};
use crate::config::Config;
use crate::db::{Create, Db};
use crate::round::{RoundState, Rounds};
use crate::server::StartError;
use crate::telemetry;

/// The round that is open in the demo, under the plan's own id.
const OPEN_ROUND: &str = "quang-nam-2023";
/// The second round, with `--published`.
const PUBLISHED_ROUND: &str = "quang-nam-2023-da-cong-bo";
const PUBLISHED_TITLE: &str = "Điều tra xã hội học cải cách hành chính (dữ liệu mẫu đã công bố)";
/// How long the open round has been open.
const DAYS_OPEN: i64 = 14;
/// Unused codes of an online group that the demo names.
const CODES_NAMED: usize = 50;
/// Of these, how many are printed.
const CODES_PRINTED: usize = 2;

const STAFF: [(&str, Role); 9] = [
    ("quantri", Role::Administrator),
    ("quantri2", Role::Administrator),
    ("phutrach", Role::Supervisor),
    ("nhaplieu1", Role::Clerk),
    ("nhaplieu2", Role::Clerk),
    ("nhaplieu3", Role::Clerk),
    ("phanxu", Role::Adjudicator),
    ("kiemsoat", Role::Auditor),
    ("theodoi", Role::Observer),
];

#[derive(Args)]
pub(super) struct Options {
    /// Address to serve on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder for the demo's database; emptied first when an earlier demo made it.
    #[arg(long, value_name = "DIR", default_value = "phieu-demo")]
    data: PathBuf,
    /// Simulated online ballots to cast in each round.
    #[arg(long, value_name = "N", default_value_t = 500)]
    ballots: u32,
    /// Also close, open and publish a second round.
    #[arg(long)]
    published: bool,
}

/// Someone who can sign in to the demo.
struct Account {
    staff: Staff,
    password: NewPassword,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::start(crate::config::LogFormat::Text);
    // The address first: a demo that still runs keeps its folder.
    let listener = TcpListener::bind(options.listen).map_err(|e| StartError::Listen(options.listen, e))?;
    let address = listener.local_addr()?;
    folder::prepare(&options.data)?;
    let database = options.data.join("phieu.db");
    let config = Config {
        listen: address,
        base_url: format!("http://{address}"),
        database_url: format!("sqlite://{}", database.display()),
        mail_url: format!("file://{}", letters::folder(&options.data).display()),
        mail_from: "Khảo sát cải cách hành chính (mẫu) <khaosat@vidu.example>".to_owned(),
        ..Config::default()
    };
    let db = Db::open(&config.database_url, config.database_connections, Create::Yes, Clock::Database)?;
    db.migrate()?;

    let entropy = Entropy::System;
    let accounts = accounts(&db, &entropy)?;
    let (machine, secret) = db.write_here(|conn| {
        let scopes = scopes::Scopes::parse(&scopes::ALL.join(" "))?;
        client::add(conn, machine_now(), &entropy, &Actor::Service, "Phần mềm chấm điểm chỉ số (mẫu)", scopes)
    })?;

    let rounds = Rounds::new();
    let ceremony = Ceremony::new(&db, &rounds, &entropy);
    let work = FieldWork { db: &db, rounds: &rounds, ceremony: &ceremony, entropy: &entropy, dir: &options.data };
    let ballots = usize::try_from(options.ballots)?;
    let now = machine_now();

    if options.published {
        publish_a_round(&work, &accounts, ballots, now)?;
    }
    let opened = now - TimeDelta::days(DAYS_OPEN);
    let (dates, codes) = work.prepare(OPEN_ROUND, None, |plan| opened - plan.opens.to_utc(), ballots, true)?;
    let bar = progress(u64::from(options.ballots), "casting into the open round");
    let left = work.simulate(codes, ballots, (dates.opens.to_utc(), now), &bar)?;
    bar.finish_and_clear();
    // A third of the paper ballots has come back so far.
    let left = paper::key(&work, &config, &accounts, OPEN_ROUND, left, 3, now - TimeDelta::hours(1))?;

    let summary = summary(&config, &accounts, &machine.id, secret.reveal(), &left);
    let file = options.data.join("demo.json");
    std::fs::write(&file, serde_json::to_string_pretty(&summary)?)?;
    serve::serve(&config, &db, listener, |_port| {
        announce(&summary, &left, &options.data, options.published);
        Ok(())
    })
}

/// The second round: its whole life, ended yesterday.
fn publish_a_round(
    work: &FieldWork<'_>,
    accounts: &[Account],
    ballots: usize,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let published = now - TimeDelta::days(1);
    let (dates, codes) = work.prepare(
        PUBLISHED_ROUND,
        Some(PUBLISHED_TITLE),
        |plan| published - plan.publishes.to_utc(),
        ballots,
        false,
    )?;
    let window = (dates.opens.to_utc(), dates.closes.to_utc());
    let keyed = dates.keying_closes.to_utc() - TimeDelta::hours(8);
    let bar = progress(u64::try_from(ballots)?, "casting into the published round");
    let left = work.simulate(codes, ballots, window, &bar)?;
    bar.finish_and_clear();
    paper::key(work, &Config::default(), accounts, PUBLISHED_ROUND, left, 1, keyed)?;
    work.ceremony.close(&Actor::Service, PUBLISHED_ROUND)?;
    let key = std::fs::read_to_string(folder::key_path(work.dir, PUBLISHED_ROUND))?;
    work.ceremony.open_box(&Actor::Service, PUBLISHED_ROUND, &KeyFile::parse(&key)?, |_progress| {})?;
    work.ceremony.publish(&Actor::Service, PUBLISHED_ROUND, Timing::OnTime)?;
    Ok(())
}

fn accounts(db: &Db, entropy: &Entropy) -> Result<Vec<Account>, Failure> {
    let mut accounts = Vec::new();
    for (name, role) in STAFF {
        let name = SignInName::parse(name)?;
        let password = NewPassword::generate(entropy);
        let hash = password.hash_here(entropy)?;
        let staff =
            db.write_here(|conn| staff::add(conn, machine_now(), entropy, &Actor::Service, &name, role, &hash))?;
        accounts.push(Account { staff, password });
    }
    Ok(accounts)
}

fn summary(config: &Config, accounts: &[Account], client_id: &str, client_secret: &str, left: &[Code]) -> Value {
    let staff: Vec<Value> = accounts
        .iter()
        .map(|a| json!({"name": a.staff.name, "role": a.staff.role.as_str(), "password": a.password.reveal()}))
        .collect();
    let mut codes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for code in left {
        let named = codes.entry(&code.respondent_code).or_default();
        if named.len() < CODES_NAMED {
            named.push(code.token.expose().to_string());
        }
    }
    json!({
        "base_url": config.base_url,
        "round": OPEN_ROUND,
        "staff": staff,
        "client": {"client_id": client_id, "client_secret": client_secret},
        "codes": codes,
    })
}

fn announce(summary: &Value, left: &[Code], dir: &Path, published: bool) {
    let base = summary.get("base_url").and_then(Value::as_str).unwrap_or_default();
    out::line("");
    out::line(format_args!("Answer a ballot       {base}/"));
    let mut groups: BTreeMap<(&str, &str), Vec<&Code>> = BTreeMap::new();
    for code in left {
        groups.entry((code.channel.as_str(), &code.respondent_code)).or_default().push(code);
    }
    for ((channel, group), codes) in groups {
        for code in codes.into_iter().take(CODES_PRINTED) {
            out::line(format_args!("  {group:<8} {channel:<7} {}", *code.token.expose()));
        }
    }
    out::line(format_args!("Check a receipt       {base}/kiem-tra"));
    out::line(format_args!("Letters to people     {}", letters::folder(dir).display()));
    out::line(format_args!("Key paper ballots     {base}/nhap-phieu"));
    out::line(format_args!("Watch the response    {base}/giam-sat"));
    if published {
        out::line(format_args!("Published results     {base}/ket-qua"));
    }
    out::line(format_args!("Sign in               {base}/dang-nhap"));
    for account in summary.get("staff").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or_default();
        out::line(format_args!("  {:<14} {:<10} {}", field("role"), field("name"), field("password")));
    }
    let client = |name: &str| summary.pointer(&format!("/client/{name}")).and_then(Value::as_str).unwrap_or_default();
    out::line(format_args!("API for programs      {base}/docs"));
    out::line(format_args!("  client_id {}  client_secret {}", client("client_id"), client("client_secret")));
    if published {
        out::line(format_args!("  published round: {PUBLISHED_ROUND} ({})", RoundState::Published.as_str()));
    }
    out::line(format_args!("All of this, and more codes: {}", dir.join("demo.json").display()));
    out::line(out::red("The box keys lie beside it: custody by file is for demos and rehearsals."));
    out::line("Stop with Ctrl-C.");
}
