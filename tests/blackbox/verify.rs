//! The public log as outsiders check it: with `phieu verify`, with openssl, with a few lines of Python. And servers that
//! cheat, each caught by a check of a known name.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::{BASE64, HEXLOWER};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Binary;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use phieu::ballot::log::entry::{Entry, PaperBook};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::actors::Actor;
use crate::field::{Dice, Field, answer_and_cast, eventually, text};
use crate::forger::Forger;
use crate::stage::{ROUND, Stage, both, on_each};

const CAST: usize = 25;

/// Names of the checks that failed, in a run that must fail; none in one that must not.
fn failed(stage: &Stage, arguments: &[&str]) -> (BTreeSet<String>, String) {
    let output = stage.command(&[&["verify"], arguments].concat()).output().unwrap();
    let said = both(&output);
    let failed: BTreeSet<String> = said
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    let code = if failed.is_empty() && !said.contains("phieu: ") { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    (failed, said)
}

#[track_caller]
pub(crate) fn passes(stage: &Stage, arguments: &[&str]) -> String {
    let (failed, said) = failed(stage, arguments);
    assert!(failed.is_empty(), "{arguments:?}: {said}");
    said
}

/// Exactly these checks fail, and the words are said.
#[track_caller]
pub(crate) fn caught(stage: &Stage, arguments: &[&str], checks: &[&str], words: &str) {
    let (failed, said) = failed(stage, arguments);
    assert_eq!(failed, checks.iter().map(|c| (*c).to_owned()).collect(), "{said}");
    assert!(said.contains(words), "{words}: {said}");
}

/// Whatever else, this check fails and the words are said.
#[track_caller]
fn caught_by(stage: &Stage, arguments: &[&str], check: &str, words: &str) {
    let (failed, said) = failed(stage, arguments);
    assert!(failed.contains(check) && said.contains(words), "{check}, {words}: {said}");
}

fn log_path(path: &str) -> String {
    format!("/api/v1/rounds/{ROUND}/log/{path}")
}

#[test]
fn anyone_can_check_a_round_from_its_opening_to_its_publication() {
    on_each(|stage| {
        let mut field = Field::prepared(stage);
        let service = stage.serve_with(&[("PHIEU_BATCH_SECONDS", "1")]);
        let anon = Actor::anon(&service);
        let url = service.base.clone();
        let state = stage.path("held");
        passes(stage, &["--url", &url, "--watch", text(&state)]);
        stage.phieu(&["round", "open", ROUND]);
        eventually("open", || (anon.get(&format!("/api/v1/rounds/{ROUND}")).json()["state"] == "open").then_some(()));
        let mut dice = Dice::new(21);
        let mut receipts = Vec::new();
        for _ in 0..12 {
            receipts.push(answer_and_cast(&anon, &field.take("CC-CT"), &mut dice).1);
        }
        let found = |receipt: &str| anon.get(&format!("/api/v1/receipts/{receipt}"));
        let proof = eventually("the batch moves", || {
            let answer = found(&receipts[0]).json();
            (answer["state"] == "in_log").then_some(answer)
        });
        let waits = answer_and_cast(&anon, &field.take("CC-CT"), &mut dice).1;
        assert_eq!(found(&waits).json()["state"], "waiting");
        let used = stage.count("credential WHERE state = 'used'");
        assert_eq!(used, stage.count("envelope") + stage.count("ballot_box"), "{}", stage.backend);

        let key = anon.get(&format!("/api/v1/rounds/{ROUND}")).json()["log_key"].as_str().unwrap().to_owned();
        assert_eq!(anon.get(&log_path("vkey")).text(), format!("{key}\n"));
        assert!(stage.phieu(&["round", "show", ROUND]).contains(&key));
        openssl_agrees(stage, &key, &anon.get(&log_path("checkpoint")).text());
        python_agrees(stage, &proof, &receipts[1]);
        let saved = stage.path("receipt.json");
        fs::write(&saved, proof.to_string()).unwrap();
        let said = passes(
            stage,
            &["--url", &url, "--round", ROUND, "--key", &key, "--receipt", text(&saved), "--watch", text(&state)],
        );
        assert!(said.contains("ok   receipt-proof") && said.contains("ok   history-kept"), "{said}");
        caught(stage, &["--url", &url, "--receipt", &waits], &["receipt"], "it waits for the next batch");

        stage.phieu(&["round", "close", ROUND]);
        stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
        stage.phieu(&["round", "publish", ROUND, "--force-early"]);
        eventually("published", || {
            (anon.get(&format!("/api/v1/rounds/{ROUND}")).json()["state"] == "published").then_some(())
        });
        let pack = stage.path("pack");
        stage.phieu(&["export", ROUND, "--what", "pack", "--out", text(&pack)]);
        let all = ["--url", &url, "--receipt", &waits, "--pack", text(&pack), "--watch", text(&state)];
        let said = passes(stage, &all);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with("ok ")).count(), 22, "{said}");
        let dir = stage.path("log");
        stage.phieu(&["export", ROUND, "--what", "log", "--out", text(&dir)]);
        let held = |said: &str| said.lines().filter(|l| !l.contains("history-kept")).collect::<Vec<_>>().join("\n");
        let copy = ["--dir", text(&dir), "--receipt", &waits, "--pack", text(&pack), "--watch", text(&state)];
        assert_eq!(held(&passes(stage, &copy)), held(&said), "the static copy says the same");
        stage.phieu_fails(&["export", ROUND, "--what", "log", "--out", text(&dir)]);
    });
}

/// RFC 8410: an Ed25519 public key in DER is this and its 32 bytes.
const SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

fn openssl_agrees(stage: &Stage, vkey: &str, note: &str) {
    let [key, message, signature] = ["key.der", "note.txt", "note.sig"].map(|name| stage.path(name));
    let raw = BASE64.decode(vkey.splitn(3, '+').last().unwrap().as_bytes()).unwrap();
    fs::write(&key, [SPKI, &raw[raw.len() - 32..]].concat()).unwrap();
    let (signed, below) = note.split_once("\n\n").unwrap();
    let bytes = BASE64.decode(below.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
    fs::write(&signature, &bytes[4..]).unwrap();
    for (text_, good) in [(format!("{signed}\n"), true), (format!("{signed} \n"), false)] {
        fs::write(&message, text_).unwrap();
        let done = Command::new("openssl")
            .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", text(&key), "-rawin"])
            .args(["-in", text(&message), "-sigfile", text(&signature)])
            .output()
            .unwrap();
        assert_eq!(done.status.success(), good, "{}", both(&done));
    }
}

fn python_agrees(stage: &Stage, answer: &Value, other: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/inclusion.py");
    let checkpoint = stage.path("checkpoint.txt");
    fs::write(&checkpoint, answer["inclusion"]["checkpoint"].as_str().unwrap()).unwrap();
    let run = |answer: &Value| {
        let mut python = Command::new("python3")
            .args([script, text(&checkpoint)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(answer.to_string().as_bytes()).unwrap();
        python.wait_with_output().unwrap()
    };
    let done = run(answer);
    assert!(done.status.success(), "{}", both(&done));
    let mut wrong = answer.clone();
    wrong["receipt"] = json!(other);
    wrong["inclusion"]["leaf"] = json!(format!(r#"{{"entry":"envelope","id":"{other}"}}"#));
    assert!(both(&run(&wrong)).contains("does not lead to the root"));
    wrong = answer.clone();
    wrong["inclusion"]["index"] = json!(answer["inclusion"]["index"].as_u64().unwrap() ^ 1);
    assert!(!run(&wrong).status.success());
}

/// A published round of a server that is honest so far.
struct Published {
    receipts: Vec<String>,
    dir: PathBuf,
    pack: PathBuf,
    /// A witness's file from the time when the round was open.
    early: PathBuf,
    secret: [u8; 32],
}

impl Published {
    fn of(stage: &Stage, before_close: impl FnOnce()) -> Self {
        let mut field = Field::open(stage);
        let service = stage.serve_with(&[("PHIEU_BATCH_SECONDS", "1")]);
        let anon = Actor::anon(&service);
        let mut dice = Dice::new(22);
        let mut receipts: Vec<String> =
            (0..CAST).map(|_| answer_and_cast(&anon, &field.take("CC-CT"), &mut dice).1).collect();
        receipts.sort();
        eventually("a batch moves", || (stage.count("ballot_box") >= 10).then_some(()));
        let early = stage.path("early");
        passes(stage, &["--url", &service.base, "--watch", text(&early)]);
        drop(service);
        before_close();
        stage.phieu(&["round", "close", ROUND]);
        stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
        stage.phieu(&["round", "publish", ROUND, "--force-early"]);
        let (dir, pack) = (stage.path("log"), stage.path("pack"));
        stage.phieu(&["export", ROUND, "--what", "log", "--out", text(&dir)]);
        stage.phieu(&["export", ROUND, "--what", "pack", "--out", text(&pack)]);
        Self { receipts, dir, pack, early, secret: log_secret(stage) }
    }

    fn forger(&self, stage: &Stage, name: &str) -> Forger {
        Forger::of(&self.dir, &stage.path(name), &self.secret)
    }
}

#[derive(QueryableByName)]
struct Secret {
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
}

fn sqlite(stage: &Stage) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(stage.database_url.strip_prefix("sqlite://").unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 15000").unwrap();
    conn
}

pub(crate) fn log_secret(stage: &Stage) -> [u8; 32] {
    let row: Secret = diesel::sql_query("SELECT secret FROM log").get_result(&mut sqlite(stage)).unwrap();
    row.secret.try_into().unwrap()
}

fn envelope(id: &str) -> Vec<u8> {
    Entry::Envelope { id: id.to_owned() }.canonical()
}

/// Changes every count of envelopes in the log by one, as a careful cheat would.
fn recount(forger: &mut Forger, from: usize, by: i64) {
    for leaf in &mut forger.leaves[from..] {
        let mut entry = Entry::parse(leaf).unwrap();
        match &mut entry {
            Entry::Redeemed { total, .. } => *total = total.checked_add_signed(by).unwrap(),
            Entry::Close { envelopes, .. } => *envelopes = envelopes.checked_add_signed(by).unwrap(),
            Entry::Opened { envelopes, opened, .. } => {
                *envelopes = envelopes.checked_add_signed(by).unwrap();
                *opened = opened.checked_add_signed(by).unwrap();
            }
            _ => {}
        }
        *leaf = entry.canonical();
    }
}

#[test]
fn every_way_of_cheating_has_a_check_that_fails() {
    let stage = &Stage::sqlite();
    let honest = Published::of(stage, || ());
    let (dir, pack, early) = (text(&honest.dir), text(&honest.pack), text(&honest.early));
    let mine = &honest.receipts[3];
    let state = stage.path("state");
    passes(stage, &["--dir", dir, "--watch", text(&state), "--receipt", mine, "--pack", pack]);
    let keep_state = fs::read(&state).unwrap();
    let added = "ab".repeat(32);
    let at = |forger: &Forger, id: &str| forger.leaves.iter().position(|leaf| *leaf == envelope(id)).unwrap();
    let last_batch = |forger: &Forger| {
        let rooted = |leaf: &Vec<u8>| matches!(Entry::parse(leaf), Some(Entry::Redeemed { root: Some(_), .. }));
        forger.leaves.iter().position(rooted).unwrap()
    };

    // Adds a ballot: clumsily, then with every count raised.
    let mut forger = honest.forger(stage, "adds");
    let place = last_batch(&forger);
    forger.leaves.insert(place, envelope(&added));
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "envelopes-equal-redeemed", "envelopes");
    recount(&mut forger, place, 1);
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged), "--pack", pack], "pack-redeemed", "redeemed codes in the pack");

    // Drops one.
    let mut forger = honest.forger(stage, "drops");
    let place = at(&forger, mine);
    forger.leaves.remove(place);
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "envelopes-equal-redeemed", "redeemed codes");
    recount(&mut forger, place, -1);
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged), "--receipt", mine], "receipt", "not in the box");
    caught_by(stage, &["--dir", text(&forged), "--pack", pack], "pack-redeemed", "redeemed codes in the pack");

    // Swaps one.
    let mut forger = honest.forger(stage, "swaps");
    let place = at(&forger, mine);
    forger.leaves[place] = envelope(&added);
    let forged = forger.write();
    caught(
        stage,
        &["--dir", text(&forged), "--receipt", mine],
        &["receipt", "result-equals-tables"],
        "names another log",
    );

    // Adds one late.
    let mut forger = honest.forger(stage, "late");
    forger.leaves.push(envelope(&added));
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "nothing-after-close", "was added late");

    // Opens twice: the round, and the box.
    let mut forger = honest.forger(stage, "reopens");
    forger.leaves.push(forger.leaves[0].clone());
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "one-open", "there are 2");
    let mut forger = honest.forger(stage, "counts-again");
    let is_opened = |leaf: &&Vec<u8>| matches!(Entry::parse(leaf), Some(Entry::Opened { .. }));
    let opened = forger.leaves.iter().find(is_opened).unwrap().clone();
    forger.leaves.push(opened);
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "opened-plus-void-equals-envelopes", "the box was opened 2 times");
    let mut forger = honest.forger(stage, "closes-again");
    let close = forger.leaves[forger.leaves.len() - 3].clone();
    forger.leaves.push(close);
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged)], "one-close", "there are 2");

    // Rewrites what a witness has seen, shows two views, takes something back.
    let mut forger = honest.forger(stage, "rewrites");
    forger.leaves.swap(1, 2);
    let forged = forger.write();
    let witness = stage.path("witness");
    fs::copy(early, &witness).unwrap();
    caught_by(stage, &["--dir", text(&forged), "--watch", text(&witness)], "history-kept", "HISTORY WAS REWRITTEN");
    caught_by(stage, &["--dir", text(&forged), "--watch", text(&state)], "history-kept", "THE LOG WAS FORKED");
    assert_eq!(fs::read(&state).unwrap(), keep_state, "the held head stays");
    assert_ne!(fs::read(stage.path("state.other")).unwrap(), keep_state, "and the other one is kept beside it");
    let mut forger = honest.forger(stage, "cuts");
    forger.leaves.pop();
    let forged = forger.write();
    caught_by(stage, &["--dir", text(&forged), "--watch", text(&state)], "history-kept", "HISTORY WAS CUT");
    passes(stage, &["--dir", dir, "--watch", text(&witness)]);
    let mut forger = Forger::of(&honest.dir, &stage.path("exchanges"), &[9; 32]);
    let forged = forger.write_with_own_key();
    caught(stage, &["--dir", text(&forged), "--watch", text(&state)], &["log-key"], "KEY WAS EXCHANGED");

    // Publishes other numbers: only there, or with the log's blessing.
    let forger = honest.forger(stage, "numbers");
    let forged = forger.write();
    let document = fs::read_to_string(forged.join("result/1")).unwrap();
    let (is, other) = (document.find("\"survey_points\":\"").unwrap() + 17, |c: &str| if c == "1" { "2" } else { "1" });
    let digit = &document[is..=is];
    let changed = format!("{}{}{}", &document[..is], other(digit), &document[is + 1..]);
    fs::write(forged.join("result/1"), &changed).unwrap();
    caught(stage, &["--dir", text(&forged)], &["result-equals-tables"], "not the one in the log");
    let mut forger = honest.forger(stage, "blessed-numbers");
    let sha256 = HEXLOWER.encode(&Sha256::digest(&changed));
    *forger.leaves.last_mut().unwrap() = Entry::Result { release: 1, sha256 }.canonical();
    let forged = forger.write();
    fs::write(forged.join("result/1"), &changed).unwrap();
    passes(stage, &["--dir", text(&forged)]);
    caught(stage, &["--dir", text(&forged), "--pack", pack], &["pack-scores"], "do not give the published scores");

    says_addressed(stage, &honest, pack);
    false_paper(stage, &honest, pack);
    proofs_that_are_none(stage, &honest);
    packs_that_are_not_the_logs(stage, &honest);
}

/// A server that tells other numbers about the paper: clumsily, so that they fit each other, and as an older version.
/// Says that letters went to named people where the rules have lots drawn, in a log that is whole in itself.
fn says_addressed(stage: &Stage, honest: &Published, pack: &str) {
    let mut forger = honest.forger(stage, "addressed");
    let mut open = Entry::parse(&forger.leaves[0]).unwrap();
    let Entry::Open { addressed, .. } = &mut open else { panic!("the first leaf opens") };
    addressed.push("CC-CT".to_owned());
    forger.leaves[0] = open.canonical();
    let close = |leaf: &Vec<u8>| matches!(Entry::parse(leaf), Some(Entry::Close { .. }));
    let close = forger.leaves.iter().position(close).unwrap();
    let ties = Entry::TiesDestroyed { addressees: 3, ties: 2, letters: 3 };
    forger.leaves.insert(close, ties.canonical());
    let forged = forger.write();
    let (checks, _) = failed(stage, &["--dir", text(&forged)]);
    assert!(!checks.contains("ties-destroyed"), "{checks:?}");
    caught_by(
        stage,
        &["--dir", text(&forged), "--pack", pack],
        "pack-addressed",
        "none in the rules, CC-CT in the log",
    );
}

fn false_paper(stage: &Stage, honest: &Published, pack: &str) {
    type Told<'e> = (&'e mut u64, &'e mut u64, &'e mut Option<PaperBook>);
    let told = |name: &str, change: &dyn Fn(Told<'_>)| {
        let mut forger = honest.forger(stage, name);
        for leaf in &mut forger.leaves {
            let Some(mut entry) = Entry::parse(leaf) else { continue };
            if let Entry::Paper { issued, unused, sheets, .. } = &mut entry {
                change((issued, unused, sheets));
                *leaf = entry.canonical();
            }
        }
        text(&forger.write()).to_owned()
    };
    let forged = told("loses-paper", &|(_, _, sheets)| sheets.as_mut().unwrap().total.not_returned -= 1);
    caught_by(stage, &["--dir", &forged], "paper-adds-up", "accounted for");
    let forged = told("moves-paper", &|(_, _, sheets)| {
        let count = sheets.as_mut().unwrap().groups.values_mut().next().unwrap();
        (count.not_returned, count.lost) = (count.not_returned - 1, count.lost + 1);
    });
    caught_by(stage, &["--dir", &forged], "paper-adds-up", "the groups' sheets are not the round's");
    let forged = told("prints-less", &|(_, _, sheets)| {
        let book = sheets.as_mut().unwrap();
        let group = book.groups.values_mut().next().unwrap();
        for count in [group, &mut book.total] {
            (count.printed, count.not_returned) = (count.printed - 1, count.not_returned - 1);
        }
    });
    caught_by(stage, &["--dir", &forged], "paper-adds-up", "codes issued");
    // With every number of the entry changed alike, only the codes tell.
    let forged = told("never-printed", &|(issued, unused, sheets)| {
        (*issued, *unused) = (*issued - 1, *unused - 1);
        let book = sheets.as_mut().unwrap();
        let group = book.groups.values_mut().next().unwrap();
        for count in [group, &mut book.total] {
            (count.printed, count.not_returned) = (count.printed - 1, count.not_returned - 1);
        }
    });
    let (checks, _) = failed(stage, &["--dir", &forged]);
    assert!(!checks.contains("paper-adds-up"), "{checks:?}");
    caught_by(stage, &["--dir", &forged, "--pack", pack], "pack-paper", "printed");
    let forged = told("older", &|(_, _, sheets)| *sheets = None);
    let (checks, said) = failed(stage, &["--dir", &forged]);
    assert!(!checks.contains("paper-adds-up") && said.contains("closed by an older version"), "{said}");
}

fn proofs_that_are_none(stage: &Stage, honest: &Published) {
    let service = stage.serve();
    let answer = Actor::anon(&service).get(&format!("/api/v1/receipts/{}", honest.receipts[3])).json();
    drop(service);
    let (dir, file) = (text(&honest.dir), stage.path("answer.json"));
    let check = |answer: &Value, words: &str| {
        fs::write(&file, answer.to_string()).unwrap();
        caught(stage, &["--dir", dir, "--receipt", text(&file)], &["receipt-proof"], words);
    };
    fs::write(&file, answer.to_string()).unwrap();
    passes(stage, &["--dir", dir, "--receipt", text(&file)]);
    let forger = honest.forger(stage, "proofs");
    let with = |checkpoint: String| {
        let mut wrong = answer.clone();
        wrong["inclusion"]["checkpoint"] = json!(checkpoint);
        wrong
    };
    let size = u64::try_from(forger.leaves.len()).unwrap();
    check(&with(forger.sign("phieu/thu", size, forger.root())), "a proof for another round");
    check(&with(forger.sign(&forger.origin(), size + 5, forger.root())), "a checkpoint from the future");
    check(&with(forger.sign(&forger.origin(), size, [1; 32])), "does not lead to its checkpoint");
    let mut wrong = answer.clone();
    wrong["inclusion"]["index"] = json!(answer["inclusion"]["index"].as_u64().unwrap() + 1);
    check(&wrong, "does not lead to its checkpoint");

    let right = &honest.receipts[3];
    let wrong = format!("{}{}", if right.starts_with('0') { "1" } else { "0" }, &right[1..]);
    caught(stage, &["--dir", dir, "--receipt", &wrong], &["receipt"], "check each digit");
    caught(stage, &["--dir", dir, "--receipt", &right[1..]], &["receipt"], "64 hexadecimal digits");
    caught(stage, &["--dir", dir, "--round", "thu"], &["log-key"], "this is the log phieu/quang-nam-2023");
    // A witness's file of another round.
    let other = Forger::new(&stage.path("another-round"), "phieu/thu", &[8; 32]).write();
    let state = stage.path("state-of-another-round");
    let _ = failed(stage, &["--dir", text(&other), "--watch", text(&state)]);
    let words = "the held checkpoint is of phieu/thu";
    caught(stage, &["--dir", dir, "--watch", text(&state)], &["log-key"], words);
    // A head that says more than there is.
    let future = honest.forger(stage, "future");
    let forged = future.write();
    fs::write(forged.join("checkpoint"), future.sign(&future.origin(), size + 5, future.root())).unwrap();
    caught_by(stage, &["--dir", text(&forged)], "tree-equals-tiles", "is missing: the checkpoint says");
}

fn packs_that_are_not_the_logs(stage: &Stage, honest: &Published) {
    let (dir, file) = (text(&honest.dir), stage.path("other-pack"));
    let original = fs::read_to_string(&honest.pack).unwrap();
    let check = |changed: String, check: &str, words: &str| {
        assert_ne!(changed, original);
        fs::write(&file, changed).unwrap();
        caught_by(stage, &["--dir", dir, "--pack", text(&file)], check, words);
    };
    let ballots: Vec<&str> = original.lines().filter(|l| l.starts_with("{\"ballot\"")).collect();
    let other = ballots.iter().find(|ballot| **ballot != ballots[0]).unwrap();
    check(original.replacen(ballots[0], other, 1), "pack-ballots", "not the ballots that were opened");
    check(original.replacen("\"used\"", "\"issued\"", 1), "pack-redeemed", "redeemed codes");
    check(original.replacen("\"online\"", "\"paper\"", 1), "pack-codes", "not the codes to which");
    check(original.replacen("[\"CC-CT\",\"SNV\",25]", "[\"CC-CT\",\"SNV\",26]", 1), "pack-roster", "not the roster");
    let cut = &original[..original.trim_end().rfind('\n').unwrap() + 1];
    fs::write(&file, cut).unwrap();
    let said = stage.phieu_fails(&["verify", "--dir", dir, "--pack", text(&file)]);
    assert!(said.contains("it is cut"), "{said}");
}

/// The server marks a code as used whose holder abstains, and puts an envelope of its own into the box; all its counts
/// agree.
#[test]
fn an_abstainers_code_cannot_be_used() {
    let stage = &Stage::sqlite();
    let honest = Published::of(stage, || {
        let sql = format!(
            "UPDATE credential SET state = 'used', redeem_signature = (SELECT redeem_signature FROM credential \
               WHERE state = 'used' LIMIT 1), receipt_box = x'00' WHERE public_key = (SELECT public_key FROM credential \
               WHERE state = 'issued' AND respondent_code = 'CC-CT' AND targets = 'SNV' LIMIT 1);
             UPDATE turnout SET returned = returned + 1
               WHERE (day, source_unit) = (SELECT day, source_unit FROM turnout LIMIT 1);
             INSERT INTO envelope SELECT x'{}', round, sealed FROM ballot_box LIMIT 1;",
            "cd".repeat(32)
        );
        sqlite(stage).batch_execute(&sql).unwrap();
    });
    let (dir, pack) = (text(&honest.dir), text(&honest.pack));
    passes(stage, &["--dir", dir]);
    caught(
        stage,
        &["--dir", dir, "--pack", pack],
        &["pack-signatures"],
        "1 codes were used without their holders' signature",
    );
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
    found.sort();
}

#[test]
fn one_changed_byte_anywhere_is_noticed() {
    let stage = &Stage::sqlite();
    let honest = Published::of(stage, || ());
    // And a log with full tiles and two levels of hashes.
    let mut larger = Forger::of(&honest.dir, &stage.path("larger"), &honest.secret);
    let close = larger.leaves.iter().position(|l| matches!(Entry::parse(l), Some(Entry::Close { .. }))).unwrap();
    larger.leaves.truncate(close - 2);
    let before = larger.leaves.iter().filter(|l| Entry::envelope_id(l).is_some()).count();
    larger.leaves.extend((0..600_u64).map(|n| Entry::envelope(&Sha256::digest(n.to_be_bytes()).into())));
    larger.leaves.push(Entry::Redeemed { total: u64::try_from(before).unwrap() + 600, root: None }.canonical());
    let larger_dir = larger.write();
    fs::remove_dir_all(larger_dir.join("result")).unwrap();
    let mut dice = Dice::new(23);
    for (dir, each) in [(&honest.dir, 12), (&larger_dir, 5)] {
        passes(stage, &["--dir", text(dir)]);
        let mut all = Vec::new();
        files(dir, &mut all);
        assert!(all.len() >= 5, "{all:?}");
        for file in all {
            let original = fs::read(&file).unwrap();
            let places = (0..each).map(|_| dice.below(original.len())).chain([0, original.len() - 1]);
            for place in places.collect::<Vec<_>>() {
                let mut changed = original.clone();
                changed[place] ^= 1 << dice.below(8);
                fs::write(&file, changed).unwrap();
                let output = stage.command(&["verify", "--dir", text(dir)]).output().unwrap();
                let said = both(&output);
                assert_eq!(output.status.code(), Some(1), "{} byte {place}: {said}", file.display());
                assert!(said.contains("FAIL "), "{} byte {place}: {said}", file.display());
            }
            fs::remove_file(&file).unwrap();
            let gone = stage.command(&["verify", "--dir", text(dir)]).output().unwrap();
            assert_eq!(gone.status.code(), Some(1), "{} is missing", file.display());
            fs::write(&file, original).unwrap();
        }
        passes(stage, &["--dir", text(dir)]);
    }
}
