//! Answers of every kind, and what is asked of whom.

use unicode_normalization::UnicodeNormalization;

use super::*;

fn example() -> Round {
    static EXAMPLE: LazyLock<Round> = LazyLock::new(|| Round::from_files(&crate::every_kind()).unwrap());
    EXAMPLE.clone()
}

/// What the form says to these answers about SNV, as the online group or the one on paper.
fn said(group: &str, answers: Value) -> Vec<(String, &'static str)> {
    let round = example();
    let targets = if group == "CC" { targets(&["SNV"]) } else { targets(&["SNV", "STP"]) };
    let form = round.form(group, &targets).unwrap();
    match form.parse(&json!({ "SNV": answers })) {
        Ok(answers) => {
            form.check_cast(&answers).err().unwrap_or_default().into_iter().map(|f| (f.pointer, f.code)).collect()
        }
        Err(faults) => faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect(),
    }
}

#[test]
fn every_kind_of_answer_is_kept_in_one_form() {
    let (round, targets) = (example(), targets(&["SNV"]));
    let form = round.form("CC", &targets).unwrap();
    let sent = json!({"SNV": {"Q0": "CO", "Q0A": {"number": "07.0"}, "Q0B": ["TIEP", "TT"], "Q3": {"text": "  Tie\u{302}\u{301}p da\u{302}n\r\n nhanh "}}});
    let answers = form.parse(&sent).ok().unwrap();
    let kept = r#"{"SNV":{"Q0":"CO","Q0A":{"number":"7"},"Q0B":["TT","TIEP"],"Q3":{"text":"Tiếp dân\n nhanh"}}}"#;
    assert_eq!(String::from_utf8(answers.canonical()).unwrap(), kept);
    assert!(form.check_cast(&answers).is_ok());
    let ballot = Ballot {
        round: round.id.clone(),
        questionnaire: form.questionnaire.hash.clone(),
        stratum: "CC/SNV".parse().unwrap(),
        answers,
    };
    let back = Ballot::from_canonical(&ballot.canonical()).ok().unwrap();
    assert!(back == ballot);
}

#[test]
fn answers_that_do_not_fit_are_named() {
    let base = |item: &str, answer: Value| {
        let mut answers = json!({"Q0": "CO", "Q0A": {"number": "5"}});
        answers[item] = answer;
        said("CC", answers)
    };
    let at = |item: &str, code| one(&format!("/SNV/{item}"), code);
    assert_eq!(base("Q0A", json!({"number": "5"})), []);
    assert_eq!(base("Q0A", json!({"number": "0"})), at("Q0A", "number_range"));
    assert_eq!(base("Q0A", json!({"number": "100"})), at("Q0A", "number_range"));
    assert_eq!(base("Q0A", json!({"number": "1.5"})), at("Q0A", "number_decimals"));
    for wrong in ["", "1e3", "+1", " 1", "1,5", "١", "9999999999"] {
        assert_eq!(base("Q0A", json!({ "number": wrong })), at("Q0A", "number_malformed"), "{wrong}");
    }
    assert_eq!(base("Q0A", json!(5)), at("Q0A", "answer_malformed"));
    assert_eq!(base("Q0A", json!("A")), at("Q0A", "answer_malformed"));
    assert_eq!(base("Q0B", json!(["TT", "TT"])), at("Q0B", "answer_malformed"));
    assert_eq!(base("Q0B", json!([])), at("Q0B", "answer_malformed"));
    assert_eq!(base("Q0B", json!(["TT", "BC", "TIEP"])), at("Q0B", "too_many_choices"));
    assert_eq!(base("Q0B", json!(["XX"])), at("Q0B", "option_unknown"));
    assert_eq!(base("Q0B", json!("TT")), at("Q0B", "answer_malformed"));
    assert_eq!(base("Q3", json!({"text": "  "})), at("Q3", "answer_malformed"));
    assert_eq!(base("Q3", json!({"text": "a\u{7}"})), at("Q3", "text_control"));
    assert_eq!(base("Q3", json!({"text": "ế".repeat(301)})), at("Q3", "text_too_long"));
    assert_eq!(base("Q3", json!({"text": "ế".repeat(300)})), []);
    assert_eq!(base("Q3", json!({"text": "a", "mark": "blank"})), at("Q3", "answer_malformed"));
    assert_eq!(base("Q3", json!({"mark": "blank"})), at("Q3", "mark_not_online"));
}

#[test]
fn conditions_decide_what_is_asked_and_required() {
    assert_eq!(said("CC", json!({"Q1": "A"})), one("/SNV/Q0", "item_missing"));
    assert_eq!(said("CC", json!({"Q0": "CO", "Q1": "A"})), one("/SNV/Q0A", "item_missing"));
    assert_eq!(said("CC", json!({"Q0": "KHONG"})), []);
    assert_eq!(said("CC", json!({"Q0": "KHONG", "Q0A": {"number": "5"}})), one("/SNV/Q0A", "item_not_asked"));
    assert_eq!(said("CC", json!({"Q0": "KHONG", "Q2": "A"})), one("/SNV/Q2", "item_not_asked"));
    assert_eq!(
        said("CC", json!({"Q0": "CO", "Q0A": {"number": "1"}, "Q0B": ["TT"]})),
        one("/SNV/Q0B", "item_not_asked")
    );
    assert_eq!(said("CC", json!({"Q0": "CO", "Q0A": {"number": "2"}, "Q0B": ["TT"]})), []);

    let (round, targets) = (example(), targets(&["SNV"]));
    let form = round.form("CC", &targets).unwrap();
    let sent = json!({"SNV": {"Q0": "KHONG", "Q0A": {"number": "5"}, "Q0B": ["TT"], "Q1": "B", "Q2": "A"}});
    let mut answers = form.parse(&sent).ok().unwrap();
    // Q0, Q1 and Q3 are asked; two of them are answered.
    let state = form.complete(&answers);
    assert_eq!((state.answered, state.total), (2, 3));
    form.prune(&mut answers);
    assert_eq!(answers.canonical(), br#"{"SNV":{"Q0":"KHONG","Q1":"B"}}"#);
}

#[test]
fn paper_has_a_code_for_every_item_whatever_was_asked() {
    let all = json!({"Q0": "KHONG", "Q1": {"mark": "blank"}, "Q0B": ["TT"], "Q0A": {"mark": "illegible"}, "Q3": {"text": "Nhanh hơn"}});
    let round = example();
    let both = targets(&["SNV", "STP"]);
    let form = round.form("HV", &both).unwrap();
    let answers = form.parse(&json!({ "SNV": all, "STP": all })).ok().unwrap();
    assert!(form.check_cast(&answers).is_ok());
    let missing = said("HV", json!({"Q0": "CO"}));
    assert_eq!(missing.len(), 9);
    assert!(missing.iter().all(|(_, code)| *code == "item_missing"));
}

proptest! {
    /// No ballot outgrows its bucket, whatever is written.
    #[test]
    fn the_longest_ballot_fits_its_bucket(text in "[\\PC\n\"\\\\]{0,400}", whole in 1_u32..99, choices in 0_usize..4) {
        let (round, targets) = (example(), targets(&["SNV"]));
        let form = round.form("CC", &targets).unwrap();
        let kept: String = text.nfc().take(300).collect();
        let kept = kept.trim().to_owned();
        let mut sent = json!({"Q0": "CO", "Q0A": {"number": whole.to_string()}, "Q1": "N", "Q2": "N"});
        if !kept.is_empty() {
            sent["Q3"] = json!({ "text": kept });
        }
        if whole >= 2 && choices > 0 {
            sent["Q0B"] = json!(["TT", "BC"][..choices.min(2)]);
        }
        if let Ok(answers) = form.parse(&json!({ "SNV": sent })) {
            prop_assert!(form.check_cast(&answers).is_ok());
            let ballot = Ballot {
                round: round.id.clone(),
                questionnaire: form.questionnaire.hash.clone(),
                stratum: "CC/SNV".parse().unwrap(),
                answers,
            };
            prop_assert!(ballot.canonical().len() <= form.max_canonical_len());
        }
    }
}
