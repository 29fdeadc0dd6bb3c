//! A log and a pack made up here, as large as is asked for, and `phieu verify` on them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey};
use phieu::ballot::log::commit::{Code, ballots_commitment, committed, redeemed_leaf, roster_hash};
use phieu::ballot::log::entry::Entry;
use phieu::ballot::log::merkle::{Node, Tree};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use survey_forms::answers::{Answer, Answers, Ballot};
use survey_forms::scoring::{self, Tally, Turnout};
use survey_forms::{Round, quang_nam_2023};

use super::{Figures, measured};
use crate::field::{Dice, text};
use crate::forger::Forger;
use crate::stage::{ROUND, Stage};

/// Targets of the whole project: seconds and MiB on two cores.
const MOST_SECONDS: f64 = 60.0;
const MOST_MIB: f64 = 500.0;
const STRATUM: &str = "CC-CT/SNV";
const SALT: [u8; 32] = [5; 32];

/// Makes a log and a pack of so many envelopes, and verifies them.
pub(super) fn measure(figures: &mut Figures, wanted: u64) {
    let stage = Stage::sqlite();
    let (dir, pack) = (stage.path("log"), stage.path("pack"));
    make(&stage, wanted);
    for (what, more) in [("log", vec![]), ("log and pack", vec!["--pack", text(&pack)])] {
        let arguments = [&["verify", "--dir", text(&dir)], more.as_slice()].concat();
        let cost = measured(&mut stage.command(&arguments));
        figures.add("–", &format!("verify, {what}"), &cost);
        if !cfg!(debug_assertions) {
            assert!(cost.seconds < MOST_SECONDS && cost.mib < MOST_MIB, "{what}: {cost:?}");
        }
    }
}

fn make(stage: &Stage, wanted: u64) {
    let files = quang_nam_2023();
    let round = Round::from_files(&files).unwrap();
    let mut pack = BufWriter::new(File::create(stage.path("pack")).unwrap());
    let encoded: BTreeMap<&String, String> = files.iter().map(|(name, bytes)| (name, BASE64.encode(bytes))).collect();
    let roster = [("CC-CT".to_owned(), "SNV".to_owned(), i64::try_from(wanted).unwrap())];
    let head = json!({"pack": "phieu-pack/v1", "round": ROUND, "salt": HEXLOWER.encode(&SALT), "roster": roster, "files": encoded});
    writeln!(pack, "{head}").unwrap();

    let message = format!("phieu/redeem/v1\n{ROUND}\n{STRATUM}");
    let mut codes: Vec<([u8; 32], [u8; 64])> = (0..wanted)
        .map(|n| {
            let key = SigningKey::from_bytes(&Sha256::digest(n.to_be_bytes()).into());
            (key.verifying_key().to_bytes(), key.sign(message.as_bytes()).to_bytes())
        })
        .collect();
    codes.sort_unstable();
    let (mut all, mut used) = (Tree::default(), Tree::default());
    for (public_key, signature) in &codes {
        let part = |text: &str| text.to_owned();
        let code = Code {
            public_key: *public_key,
            respondent_code: part("CC-CT"),
            source_unit: part("SNV"),
            targets: part("SNV"),
            channel: part("online"),
        };
        all.push(&code.leaf());
        used.push(&redeemed_leaf(public_key, signature));
        let what = [&HEXLOWER.encode(public_key), "CC-CT", "SNV", "SNV", "online"];
        writeln!(pack, "{}", json!({"code": [what, "used", HEXLOWER.encode(signature)]})).unwrap();
    }

    let (ballots, tally) = ballots(&round, wanted, &mut pack);
    writeln!(pack, "{}", json!({"end": {"codes": wanted, "ballots": wanted}})).unwrap();
    pack.flush().unwrap();
    let both = Turnout { issued: wanted, returned: wanted };
    let turnout = BTreeMap::from([(("CC-CT".to_owned(), "SNV".to_owned()), both)]);

    let mut log = Forger::new(&stage.path("log"), &format!("phieu/{ROUND}"), &[6; 32]);
    let entry = |log: &mut Forger, entry: Entry| log.leaves.push(entry.canonical());
    let open = Entry::Open {
        round: ROUND.to_owned(),
        rules_hash: round.hash.clone(),
        questionnaires: BTreeMap::new(),
        roster_hash: roster_hash(&roster),
        box_public_key: "00".repeat(32),
        closes_at: String::new(),
        keying_closes_at: String::new(),
        grace_minutes: 0,
        credentials: committed(&all),
        revoked: 0,
        trustees: Vec::new(),
        addressed: Vec::new(),
    };
    entry(&mut log, open);
    for n in 0..wanted {
        log.leaves.push(Entry::envelope(&Sha256::digest(n.to_le_bytes()).into()));
        if n % 1000 == 999 {
            entry(&mut log, Entry::Redeemed { total: n + 1, root: None });
        }
    }
    entry(&mut log, Entry::Redeemed { total: wanted, root: Some(committed(&used).root) });
    entry(&mut log, Entry::Paper { issued: 0, used: 0, unused: 0, unsettled: 0, revoked: 0, sheets: None });
    entry(&mut log, Entry::Close { envelopes: wanted, credentials: committed(&all), unused: 0, revoked: 0 });
    let log_root = HEXLOWER.encode(&log.root());
    entry(&mut log, Entry::Opened { envelopes: wanted, opened: wanted, unreadable: BTreeMap::new(), ballots });
    let published = scoring::score(&round, &tally, &turnout).document(&round, round.dates.publishes, &log_root);
    let document = published.canonical();
    entry(&mut log, Entry::Result { release: 1, sha256: HEXLOWER.encode(&Sha256::digest(&document)) });
    let dir = log.write();
    fs::create_dir_all(dir.join("result")).unwrap();
    fs::write(dir.join("result/1"), document).unwrap();
}

/// A few hundred opinions, over and over; gives back the log's commitment to them.
fn ballots(round: &Round, wanted: u64, pack: &mut impl std::io::Write) -> (String, Tally) {
    let questionnaire = round.questionnaire("CC-CT").unwrap();
    let mut dice = Dice::new(31);
    let opinions: Vec<Ballot> = (0..300)
        .map(|_| {
            let mut answers = Answers::new();
            for item in questionnaire.items() {
                let options = &round.scale(item.scale().unwrap()).unwrap().options;
                answers.insert("SNV", &item.code, Answer::Choice(options[dice.below(options.len())].code.clone()));
            }
            let stratum = STRATUM.parse().unwrap();
            Ballot { round: ROUND.to_owned(), questionnaire: questionnaire.hash.clone(), stratum, answers }
        })
        .collect();
    let mut tally = Tally::new(round);
    let mut hashes: Vec<Node> = Vec::new();
    for opinion in opinions.iter().cycle().take(usize::try_from(wanted).unwrap()) {
        let body = String::from_utf8(opinion.canonical()).unwrap();
        hashes.push(Sha256::digest(&body).into());
        writeln!(pack, "{}", json!({"ballot": body})).unwrap();
        tally.add(opinion);
    }
    (ballots_commitment(&SALT, &mut hashes, &mut []), tally)
}
