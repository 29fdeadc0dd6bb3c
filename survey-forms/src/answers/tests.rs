//! Answers in, the same answers out, and not a word about them in any fault.

mod kinds;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::round::{Channel, Round};

fn plan() -> Round {
    static PLAN: LazyLock<Round> = LazyLock::new(|| Round::from_files(&crate::quang_nam_2023()).unwrap());
    PLAN.clone()
}

fn targets(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn faults(result: Result<Answers, Vec<AnswerFault>>) -> Vec<(String, &'static str)> {
    match result {
        Ok(_) => panic!("the answers were taken"),
        Err(faults) => faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect(),
    }
}

fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

#[test]
fn options_are_taken_as_the_contract_writes_them() {
    let (round, targets) = (plan(), targets(&["SNV"]));
    let form = round.form("CC-CT", &targets).unwrap();
    let answers = form.parse(&json!({"SNV": {"X1.1": "B"}})).ok().unwrap();
    assert!(answers.get("SNV", "X1.1") == Some(&Answer::Choice("B".to_owned())));
    assert_eq!(answers.canonical(), br#"{"SNV":{"X1.1":"B"}}"#);
    let state = form.complete(&answers);
    assert_eq!((state.answered, state.total, state.missing.len()), (1, 12, 11));
    assert_eq!(state.missing[0], ("SNV".to_owned(), "X1.2".to_owned()));
}

#[test]
fn everything_else_is_refused_with_its_place() {
    let (round, targets) = (plan(), targets(&["SCT", "SGTVT"]));
    let form = round.form("LĐ-CP", &targets).unwrap();
    let refused = |value: Value| faults(form.parse(&value));
    assert_eq!(refused(json!([])), one("", "answers_not_object"));
    assert_eq!(refused(json!(null)), one("", "answers_not_object"));
    assert_eq!(refused(json!({"SNV": {}})), one("", "target_not_yours"));
    assert_eq!(refused(json!({"SCT": "B"})), one("/SCT", "target_not_object"));
    assert_eq!(refused(json!({"SCT": {"X9.9": "B"}})), one("/SCT", "item_unknown"));
    assert_eq!(refused(json!({"SCT": {"X1.1": "Z"}})), one("/SCT/X1.1", "option_unknown"));
    assert_eq!(refused(json!({"SCT": {"X1.1": "b"}})), one("/SCT/X1.1", "option_unknown"));
    for value in [json!(1), json!(null), json!(["B"]), json!({}), json!({"mark": 1})] {
        assert_eq!(refused(json!({"SCT": {"X1.1": value}})), one("/SCT/X1.1", "answer_malformed"));
    }
    let marked = json!({"SCT": {"X1.1": {"mark": "blank"}}});
    assert_eq!(refused(marked), one("/SCT/X1.1", "mark_not_online"));
    let several = refused(json!({"SCT": {"X1.1": "Z", "X0": "B"}, "SGTVT": [], "X": 1}));
    let codes: Vec<_> = several.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, ["target_not_yours", "item_unknown", "option_unknown", "target_not_object"]);
}

#[test]
fn marks_are_for_paper_and_emptiness_is_never_data() {
    let (round, targets) = (plan(), targets(&["SNV"]));
    let form = round.form("LĐH-CH", &targets).unwrap();
    let unknown = faults(form.parse(&json!({"SNV": {"X1.1": {"mark": "torn"}}})));
    assert_eq!(unknown, one("/SNV/X1.1", "mark_unknown"));
    let mut answers = form
        .parse(&json!({"SNV": {"X1.1": {"mark": "blank"}, "X1.2": {"mark": "several"}, "X2.1": {"mark": "illegible"}}}))
        .ok()
        .unwrap();
    let missing = form.check_cast(&answers).unwrap_err();
    assert_eq!(missing.len(), 7);
    assert!(missing.iter().all(|fault| fault.code == "item_missing"));
    for item in form.questionnaire.items() {
        answers.insert("SNV", &item.code, Answer::Choice("A".to_owned()));
    }
    assert!(form.check_cast(&answers).is_ok());
    answers.insert("SNV", "X1.1", Answer::Choice("Z".to_owned()));
    assert_eq!(form.check_cast(&answers).unwrap_err()[0].pointer, "/SNV/X1.1");
    answers.insert("STP", "X1.1", Answer::Choice("A".to_owned()));
    assert_eq!(form.check_cast(&answers).unwrap_err()[0].code, "target_not_yours");
}

#[test]
fn an_online_ballot_needs_one_answer() {
    let (round, targets) = (plan(), targets(&["SNV"]));
    let form = round.form("CC-CT", &targets).unwrap();
    let mut answers = form.parse(&json!({"SNV": {}})).ok().unwrap();
    assert_eq!(form.check_cast(&answers).unwrap_err()[0].code, "nothing_answered");
    assert!(answers.insert("SNV", "X1.1", Answer::Choice("N".to_owned())));
    assert!(form.check_cast(&answers).is_ok());
    assert!(answers.remove("SNV", "X1.1") && answers.is_empty());
}

#[test]
fn decomposed_names_are_the_same_names() {
    let mut round = plan();
    round.questionnaires[0].sections[0].items[0].code = "Mục1".to_owned();
    let targets = targets(&["SNV"]);
    let form = round.form("CC-CT", &targets).unwrap();
    let answers = form.parse(&json!({"SNV": {"Mu\u{323}c1": "A"}})).ok().unwrap();
    assert!(answers.get("SNV", "Mục1").is_some());
    let twice = faults(form.parse(&json!({"SNV": {"Mu\u{323}c1": "A", "Mục1": "B"}})));
    assert_eq!(twice, one("/SNV/Mục1", "item_repeated"));
}

#[test]
fn a_ballot_has_one_form_only() {
    let ballot = Ballot {
        round: "r".to_owned(),
        questionnaire: "q".to_owned(),
        stratum: "LĐ-CP/SCT+SGTVT".parse().unwrap(),
        answers: Answers::new(),
    };
    let bytes = ballot.canonical();
    let text = r#"{"answers":{},"questionnaire":"q","round":"r","stratum":"LĐ-CP/SCT+SGTVT"}"#;
    assert_eq!(bytes, text.as_bytes());
    let fault = |text: &str| Ballot::from_canonical(text.as_bytes()).err();
    assert_eq!(fault(text), None);
    assert_eq!(fault("{"), Some(BallotFault::NotJson));
    assert_eq!(fault("[]"), Some(BallotFault::Shape));
    assert_eq!(fault(&format!("{text} ")), Some(BallotFault::NotCanonical));
    assert_eq!(fault(&text.replace(":{}", ": {}")), Some(BallotFault::NotCanonical));
    assert_eq!(fault(&text.replace("{}", r#"{"SCT":{}}"#)), Some(BallotFault::NotCanonical));
    assert_eq!(fault(&text.replace("{}", r#"{"SCT":1}"#)), Some(BallotFault::Answer));
    assert_eq!(fault(&text.replace("{}", r#"{"SCT":{"X":2}}"#)), Some(BallotFault::Answer));
    assert_eq!(
        fault(&text.replace("\"round\":\"r\"", "\"round\":\"r\",\"round\":\"r\"")),
        Some(BallotFault::NotCanonical)
    );
    assert_eq!(fault(&text.replace('}', ",\"z\":1}")), Some(BallotFault::NotJson));
    for stratum in ["LĐ-CP", "/SCT", "LĐ-CP/", "LĐ-CP/SCT+SCT", "A/B/C", "A/B++C"] {
        assert_eq!(fault(&text.replace("LĐ-CP/SCT+SGTVT", stratum)), Some(BallotFault::Stratum));
    }
}

/// Any JSON, with names and values of the form mixed in.
fn json_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("SCT".to_owned()),
        Just("X1.1".to_owned()),
        Just("mark".to_owned()),
        Just("blank".to_owned()),
        Just("B".to_owned()),
        "[a-zA-ZĐđ/~\"\\\\ ]{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Which option or mark each item of a form gets; 9 leaves it out.
fn filled(form: &Form<'_>, picks: &[u8]) -> Answers {
    let mut answers = Answers::new();
    let mut picks = picks.iter().cycle();
    for target in form.targets {
        for item in form.questionnaire.items() {
            let answer = match picks.next() {
                Some(pick @ 0..=5) => Answer::Choice(["A", "B", "C", "D", "E", "N"][usize::from(*pick)].to_owned()),
                Some(pick @ 6..=8) if form.channel == Channel::Paper => Answer::Mark(Mark::ALL[usize::from(*pick) - 6]),
                _ => continue,
            };
            answers.insert(target, &item.code, answer);
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_and_back_is_the_same(at in any::<prop::sample::Index>(), picks in prop::collection::vec(0_u8..10, 1..30)) {
        let round = plan();
        let all = round.assignments();
        let assignment = &all[at.index(all.len())];
        let form = round.form(&assignment.respondent_code, &assignment.targets).unwrap();
        let answers = filled(&form, &picks);
        let bytes = answers.canonical();
        let again = form.parse(&serde_json::from_slice(&bytes).unwrap()).ok().unwrap();
        prop_assert!(again == answers);
        prop_assert_eq!(again.canonical(), bytes);

        let ballot = Ballot {
            round: round.id.clone(),
            questionnaire: form.questionnaire.hash.clone(),
            stratum: assignment.stratum(),
            answers,
        };
        let bytes = ballot.canonical();
        prop_assert!(bytes.len() <= form.max_canonical_len());
        prop_assert!(form.max_canonical_len() <= round.ballot_bucket(&assignment.respondent_code).unwrap());
        prop_assert!(Ballot::from_canonical(&bytes).ok().unwrap() == ballot);
    }

    #[test]
    fn the_order_of_keys_changes_nothing(picks in prop::collection::vec(0_u8..10, 1..30), seed in any::<u64>()) {
        let (round, targets) = (plan(), targets(&["SCT", "SGTVT", "SXD", "SKHCN"]));
        let form = round.form("LĐ-CP", &targets).unwrap();
        let answers = filled(&form, &picks);
        // The same members written in another order.
        let mut texts: Vec<String> = Vec::new();
        for target in &targets {
            let mut items: Vec<String> = answers.iter().filter(|(t, ..)| t == target)
                .map(|(_, item, _)| format!("\"{item}\" : {}", match answers.get(target, item) {
                    Some(Answer::Choice(option)) => format!("\"{option}\""),
                    _ => "null".to_owned(),
                })).collect();
            let turn = usize::try_from(seed % 7).unwrap() % items.len().max(1);
            items.rotate_left(turn);
            if !items.is_empty() {
                texts.push(format!("\"{target}\":{{{}}}", items.join(" ,")));
            }
        }
        texts.reverse();
        let value: Value = serde_json::from_str(&format!("{{{}}}", texts.join(","))).unwrap();
        prop_assert_eq!(form.parse(&value).ok().unwrap().canonical(), answers.canonical());
    }

    #[test]
    fn faults_carry_places_and_never_values(value in json_value(), secret in "[a-z]{12}") {
        let (round, targets) = (plan(), targets(&["SCT"]));
        let form = round.form("LĐ-CP", &targets).unwrap();
        for value in [
            value,
            json!({ secret.clone(): {} }),
            json!({"SCT": {secret.clone(): "B"}}),
            json!({"SCT": {"X1.1": secret.clone()}}),
            json!({"SCT": {"X1.1": {"mark": secret.clone()}}}),
            json!({"SCT": {"X1.1": {secret.clone(): secret.clone()}}}),
        ] {
            let Err(faults) = form.parse(&value) else { continue };
            for fault in faults {
                let printed = format!("{fault:?}");
                prop_assert!(!printed.contains(&secret));
                let steps: Vec<&str> = fault.pointer.split('/').skip(1).collect();
                let known = steps.iter().enumerate().all(|(depth, step)| match depth {
                    0 => *step == "SCT",
                    1 => form.questionnaire.item(step).is_some(),
                    _ => false,
                });
                prop_assert!(known);
            }
        }
    }

    #[test]
    fn canonical_json_reads_back(value in json_value()) {
        let bytes = crate::canonical::to_vec(&value);
        let again: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(crate::canonical::to_vec(&again), bytes);
    }

    #[test]
    fn any_bytes_are_a_ballot_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Ballot::from_canonical(&bytes).is_err());
    }
}
