//! A box with as many ballots as are asked for: closed, its opening killed twice and begun again, and counted.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Array, Binary, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use phieu::ballot::seal::{self, BoxPublic};
use phieu::ballot::{Keys, Token};
use phieu::ceremony::KeyFile;
use phieu::clock::Entropy;
use sha2::{Digest as _, Sha256};
use survey_forms::Round;
use survey_forms::answers::{Answer, Answers, Ballot};

use super::{Figures, measured};
use crate::field::{Dice, text};
use crate::stage::{ROUND, Stage, open_round_folder};

const GROUP: &str = "CC-CT";
const UNIT: &str = "SNV";
/// Rows in one statement, and ballots that one thread makes at a time.
const CHUNK: u64 = 2_000;

pub(super) fn measure(figures: &mut Figures, stage: &Stage, wanted: u64) {
    let (folder, key) = (open_round_folder(&stage.path("round")), stage.path("box.key"));
    stage.phieu(&["migrate"]);
    stage.phieu(&["round", "load", text(&folder)]);
    stage.phieu(&["box", "keygen", ROUND, "--out", text(&key)]);
    let sum = fill(stage, &KeyFile::parse(&std::fs::read_to_string(&key).unwrap()).unwrap().public, wanted);
    // One code that nobody uses: a round opens only with codes that are out.
    stage.phieu(&["codes", "issue", ROUND, "--group", GROUP, "--unit", UNIT, "--count", "1", "--out", "one.csv"]);
    stage.phieu(&["round", "open", ROUND]);

    let close = measured(&mut stage.command(&["round", "close", ROUND]));
    figures.add(stage.backend, "round close", &close);
    let count = i64::try_from(wanted).unwrap();
    assert_eq!((stage.count("envelope"), stage.count("ballot_box")), (0, count));

    let open = ["box", "open", ROUND, "--key", text(&key)];
    for part in ["envelopes opened", "ballots stored"] {
        killed_amid(stage, &open, part);
        assert_eq!((stage.count("ballot"), stage.count("opening")), (0, 0), "{part}: all or none");
        assert_eq!(stage.count("round WHERE state = 'closed'"), 1);
    }
    let opening = measured(&mut stage.command(&open));
    figures.add(stage.backend, "box open, after two kills", &opening);
    assert_eq!(stage.count("ballot"), count);
    assert_eq!(stored(stage), sum, "{}: every ballot, once", stage.backend);
    let publish = measured(&mut stage.command(&["round", "publish", ROUND, "--force-early"]));
    figures.add(stage.backend, "round publish", &publish);
    let dir = stage.path("log");
    stage.phieu(&["export", ROUND, "--what", "log", "--out", text(&dir)]);
    let said = stage.phieu(&["verify", "--dir", text(&dir)]);
    assert!(!said.contains("FAIL"), "{said}");
}

/// Runs the opening until it says that it is in the middle of this part, then kills it.
fn killed_amid(stage: &Stage, open: &[&str], part: &str) {
    let mut child = stage.command(open).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines.map(Result::unwrap) {
        said.push(line.clone());
        let Some((done, of)) = line.strip_prefix(part).and_then(|rest| rest.strip_prefix(": ")?.split_once(" of "))
        else {
            continue;
        };
        let (done, of): (u64, u64) = (done.parse().unwrap(), of.parse().unwrap());
        if done * 2 >= of {
            child.kill().unwrap();
            break;
        }
    }
    // By SIGKILL: it had not ended by itself.
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "{part}: {status}, {said:?}");
}

/// A cast ballot as it is stored, and a hash of what is in it.
struct Made {
    public_key: Vec<u8>,
    signature: Vec<u8>,
    receipt_box: Vec<u8>,
    id: Vec<u8>,
    sealed: Vec<u8>,
    hash: u128,
}

/// Every code used and every envelope waiting, as after so many casts; gives back the sum of the ballots' hashes.
fn fill(stage: &Stage, key: &BoxPublic, wanted: u64) -> u128 {
    let round = Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
    let next = std::sync::atomic::AtomicU64::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let from = next.fetch_add(CHUNK, std::sync::atomic::Ordering::Relaxed);
            if from >= wanted {
                return made;
            }
            made.extend((from..wanted.min(from + CHUNK)).map(|n| cast(&round, key, n)));
        }
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut all: Vec<Made> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let sum = all.iter().fold(0_u128, |sum, one| sum.wrapping_add(one.hash));
    // In the order of the keys: a database takes that much faster.
    all.sort_unstable_by(|a, b| a.public_key.cmp(&b.public_key));
    let rows = all.iter().map(|one| [&one.public_key, &one.signature, &one.receipt_box].map(Vec::as_slice));
    let credential = "INSERT INTO credential (public_key, round, respondent_code, source_unit, targets, channel, state, \
                      redeem_signature, receipt_box)";
    let values = format!("k, '{ROUND}', '{GROUP}', '{UNIT}', '{UNIT}', 'online', 'used', a, b");
    store(stage, rows, credential, &values);
    all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let rows = all.iter().map(|one| [&one.id, &one.sealed, &one.id].map(Vec::as_slice));
    store(stage, rows, "INSERT INTO envelope (id, round, sealed)", &format!("k, '{ROUND}', a"));
    sum
}

fn cast(round: &Round, key: &BoxPublic, n: u64) -> Made {
    let entropy = Entropy::seeded(n);
    let keys = Keys::derive(&Token::generate(&entropy), ROUND);
    let questionnaire = round.questionnaire(GROUP).unwrap();
    let mut dice = Dice::new(n + 1);
    let mut answers = Answers::new();
    for item in questionnaire.items() {
        let options = &round.scale(item.scale().unwrap()).unwrap().options;
        answers.insert(UNIT, &item.code, Answer::Choice(options[dice.below(options.len())].code.clone()));
    }
    let stratum = format!("{GROUP}/{UNIT}");
    let ballot = Ballot {
        round: ROUND.to_owned(),
        questionnaire: questionnaire.hash.clone(),
        stratum: stratum.parse().unwrap(),
        answers,
    };
    let canonical = ballot.canonical();
    let bucket = seal::bucket_bytes(canonical.len());
    let envelope = seal::seal(key, ROUND, &canonical, bucket, &entropy.bytes()).unwrap();
    Made {
        public_key: keys.public.to_vec(),
        signature: keys.redeem(ROUND, &stratum).to_vec(),
        receipt_box: entropy.bytes::<72>().to_vec(),
        id: envelope.id.to_vec(),
        sealed: envelope.sealed,
        hash: hash(&canonical),
    }
}

fn hash(canonical: &[u8]) -> u128 {
    u128::from_be_bytes(*Sha256::digest(canonical).first_chunk().unwrap())
}

/// Puts rows of a key `k` and two columns `a` and `b` into a table.
fn store<'m>(stage: &Stage, rows: impl Iterator<Item = [&'m [u8]; 3]>, insert: &str, values: &str) {
    let rows: Vec<[&[u8]; 3]> = rows.collect();
    let chunk = usize::try_from(CHUNK).unwrap();
    if let Some(path) = stage.database_url.strip_prefix("sqlite://") {
        let mut conn = SqliteConnection::establish(path).unwrap();
        conn.batch_execute("PRAGMA synchronous = OFF").unwrap();
        let sql = format!("{insert} SELECT {values} FROM (SELECT ? AS k, ? AS a, ? AS b)");
        for rows in rows.chunks(chunk) {
            conn.transaction(|conn| {
                for row in rows {
                    let one = sql_query(&sql).bind::<Binary, _>(row[0]).bind::<Binary, _>(row[1]);
                    one.bind::<Binary, _>(row[2]).execute(conn)?;
                }
                diesel::QueryResult::Ok(())
            })
            .unwrap();
        }
        return;
    }
    let mut conn = PgConnection::establish(&stage.database_url).unwrap();
    let sql = format!("{insert} SELECT {values} FROM unnest($1, $2, $3) AS r (k, a, b)");
    for rows in rows.chunks(chunk) {
        let column = |n: usize| rows.iter().map(|row| row[n]).collect::<Vec<&[u8]>>();
        let all = sql_query(&sql).bind::<Array<Binary>, _>(column(0)).bind::<Array<Binary>, _>(column(1));
        all.bind::<Array<Binary>, _>(column(2)).execute(&mut conn).unwrap();
    }
}

/// The sum of the hashes of the opened ballots.
fn stored(stage: &Stage) -> u128 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        id: Vec<u8>,
        #[diesel(sql_type = Text)]
        body: String,
    }
    type Ask = Box<dyn FnMut(&[u8]) -> Vec<Row>>;
    let mut sum = 0_u128;
    let mut after = Vec::new();
    let mark = if stage.backend == "sqlite" { "?" } else { "$1" };
    let sql = format!("SELECT id, body FROM ballot WHERE id > {mark} ORDER BY id LIMIT {CHUNK}");
    let mut ask: Ask = match stage.database_url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut conn = SqliteConnection::establish(path).unwrap();
            Box::new(move |after| sql_query(&sql).bind::<Binary, _>(after).load(&mut conn).unwrap())
        }
        None => {
            let mut conn = PgConnection::establish(&stage.database_url).unwrap();
            Box::new(move |after| sql_query(&sql).bind::<Binary, _>(after).load(&mut conn).unwrap())
        }
    };
    loop {
        let rows = ask(&after);
        let Some(last) = rows.last() else { return sum };
        after.clone_from(&last.id);
        sum = rows.iter().fold(sum, |sum, row| sum.wrapping_add(hash(row.body.as_bytes())));
    }
}
