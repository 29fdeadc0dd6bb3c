//! A round with every kind of question over HTTP, from its folder to scores, texts and the auditor's pack.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::actors::Actor;
use crate::data::scored_again;
use crate::field::{read_codes, received, text};
use crate::keying::{key_again, key_once};
use crate::stage::{Stage, folder_of, on_each};

const EVERY_KIND: &str = "mau-day-du";

fn online(n: usize) -> Value {
    match n {
        // Not asked what depends on it.
        0 => json!({"SNV": {"Q0": "KHONG", "Q1": "A"}}),
        1 => json!({"SNV": {"Q0": "CO", "Q0A": {"number": "1"}, "Q1": "B", "Q2": "A"}}),
        n => json!({"SNV": {
            "Q0": "CO", "Q0A": {"number": "12"}, "Q0B": ["TT", "TIEP"], "Q1": "C", "Q2": "B",
            "Q3": {"text": format!("=Góp ý thứ {n}\ncủa công chức")},
        }}),
    }
}

fn paper(words: &str) -> Value {
    let blank = json!({"mark": "blank"});
    json!({
        "SNV": {"Q0": "CO", "Q1": "B", "Q0B": ["TT", "BC"], "Q0A": {"number": "2.5"}, "Q3": {"text": words}},
        "STP": {"Q0": "KHONG", "Q1": "A", "Q0B": blank, "Q0A": {"mark": "illegible"}, "Q3": blank},
    })
}

fn table(stage: &Stage, what: &str) -> Vec<csv::StringRecord> {
    let file = stage.path(&format!("{what}.csv"));
    stage.phieu(&["export", EVERY_KIND, "--what", what, "--format", "csv", "--out", text(&file)]);
    let csv = std::fs::read_to_string(file).unwrap();
    csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes()).records().map(Result::unwrap).collect()
}

#[test]
fn every_kind_of_question_goes_from_its_folder_to_scores_and_texts() {
    on_each(|stage| {
        let folder = folder_of(EVERY_KIND, &stage.path("round"), TimeDelta::days(-1), TimeDelta::days(5));
        let (roster, key) = (stage.path("roster.csv"), stage.path("box.key"));
        std::fs::write(&roster, "respondent_code,unit_code,people\nCC,SNV,6\n").unwrap();
        let (cc, hv) = (stage.path("cc.csv"), stage.path("hv.csv"));
        for words in [
            &["migrate"][..],
            &["round", "load", text(&folder)],
            &["box", "keygen", EVERY_KIND, "--out", text(&key)],
            &["roster", "import", EVERY_KIND, text(&roster)],
            &["codes", "issue", EVERY_KIND, "--group", "CC", "--unit", "SNV", "--out", text(&cc)],
            &["codes", "issue", EVERY_KIND, "--group", "HV", "--out", text(&hv)],
            &["round", "open", EVERY_KIND],
        ] {
            stage.phieu(words);
        }
        let (cc, hv) = (read_codes(&cc).remove("CC").unwrap(), read_codes(&hv).remove("HV").unwrap());
        let service = stage.serve();
        let anon = Actor::anon(&service);
        for (n, code) in cc.iter().enumerate() {
            anon.cast(&code.code, &online(n)).receipt(201);
        }
        let clerks = [
            Actor::hired(stage, &service, "nhap1", "clerk"),
            Actor::hired(stage, &service, "nhap2", "clerk"),
            Actor::hired(stage, &service, "phanxu", "adjudicator"),
        ];
        received(stage, EVERY_KIND, &hv[..2]);
        let said = ["Cần thêm chỗ ngồi", "Giờ làm việc"].map(paper);
        for (code, entry) in hv.iter().zip(&said) {
            key_once(&clerks, &code.code, entry);
        }
        key_again(&clerks, &hv[0].code, &said[0], &said[0]);
        key_again(&clerks, &hv[1].code, &said[1], &paper("Giờ làm việc."));

        let early = stage.path("early.csv");
        stage.phieu_fails(&["export", EVERY_KIND, "--what", "texts", "--out", text(&early)]);
        assert!(!early.exists());
        stage.phieu(&["round", "close", EVERY_KIND]);
        let opened = stage.phieu(&["box", "open", EVERY_KIND, "--key", text(&key)]);
        assert!(opened.contains("envelopes 8, opened 8"), "{opened}");
        stage.phieu(&["round", "publish", EVERY_KIND, "--force-early"]);

        let ballots = table(stage, "ballots");
        let answers = |item: &str| {
            let mut answers: Vec<&str> = ballots.iter().filter(|row| &row[4] == item).map(|row| &row[5]).collect();
            answers.sort_unstable();
            answers
        };
        assert_eq!(answers("Q0A"), ["#illegible", "#illegible", "1", "12", "12", "12", "12", "2.5", "2.5"]);
        assert_eq!(answers("Q0B"), ["#blank", "#blank", "TT BC", "TT BC", "TT TIEP", "TT TIEP", "TT TIEP", "TT TIEP"]);
        assert!(answers("Q3").is_empty(), "words are no part of a ballot");
        assert_eq!((stage.count("ballot"), stage.count("remark")), (8, 6));
        assert_eq!(stage.count("ballot WHERE body LIKE '%\"text\"%'"), 0);

        // Two ballots on paper are fewer than k: no text about this agency names its group.
        let mut texts: Vec<[String; 4]> =
            table(stage, "texts").iter().map(|row| [0, 1, 2, 3].map(|at| row[at].to_owned())).collect();
        texts.sort();
        let mut wanted: Vec<String> = (2..6).map(|n| format!("'=Góp ý thứ {n}\ncủa công chức")).collect();
        wanted.extend(["Cần thêm chỗ ngồi".to_owned(), "Giờ làm việc".to_owned()]);
        wanted.sort();
        assert_eq!(
            texts,
            wanted.into_iter().map(|t| ["SNV".into(), "Q3".into(), String::new(), t]).collect::<Vec<_>>()
        );

        scored_again(stage, EVERY_KIND, 1);
        let (log, pack) = (stage.path("log"), stage.path("pack.jsonl"));
        stage.phieu(&["export", EVERY_KIND, "--what", "log", "--out", text(&log)]);
        stage.phieu(&["export", EVERY_KIND, "--what", "pack", "--out", text(&pack)]);
        let verify = ["verify", "--dir", text(&log), "--pack", text(&pack)];
        stage.phieu(&verify);
        // One word of one text.
        crate::stage::edit(&pack, |lines| lines.replacen("Cần thêm", "Không cần", 1));
        stage.phieu_fails(&verify);
    });
}
