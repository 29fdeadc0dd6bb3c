use super::*;
use crate::ceremony::fixture::ROUND;
use crate::clock::Clock;
use crate::db::DbError;
use crate::round::Rounds;
use crate::testing::{TestDb, databases_at};

/// The plan with CC-ND addressed, on every database.
fn places() -> Vec<(TestDb, Rounds)> {
    let clock = Clock::set_to("2023-09-22T01:00:00Z".parse().unwrap());
    let mut files = survey_forms::quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let (before, after) = text.split_once("code = \"CC-ND\"").unwrap();
    let text = format!("{before}code = \"CC-ND\"{}", after.replacen("\"draw\"", "\"addressed\"", 1));
    files.insert("round.toml".to_owned(), text.into_bytes());
    let all = databases_at(&clock);
    for test in &all {
        test.db.write_here(|conn| crate::round::load(conn, &files).map(drop)).unwrap();
    }
    all.into_iter().map(|test| (test, Rounds::new())).collect()
}

fn take(test: &TestDb, rounds: &Rounds, text: &str) -> Result<Change, CredentialError> {
    test.db.write_here(|conn| {
        let round = rounds.get(conn, ROUND).unwrap();
        let (_, _, list) = read(text.as_bytes(), "", &round.definition, None).map_err(CredentialError::List)?;
        import(conn, &round, &list, &Entropy::System)
    })
}

const HEADING: &str = "Họ và tên,Đơn vị,Email,Mã phiếu\n";

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    for (test, rounds) in places() {
        let first = format!("{HEADING}Lê A,Cục Thuế,a@x.vn,CC-ND\nLê B,BHXH tỉnh,b@x.vn,CC-ND\nLê C,SNV,,CC-CT\n");
        let change = take(&test, &rounds, &first).unwrap();
        assert_eq!((change.people, change.added, change.groups.len()), (3, 2, 2), "{}", test.backend);
        let counts = |test: &TestDb| {
            test.db.read_here(|conn| Ok::<_, DbError>(super::super::store::roster(conn, ROUND)?)).unwrap()
        };
        let group = |code: &str, unit: &str| (code.to_owned(), unit.to_owned());
        let expected =
            BTreeMap::from([(group("CC-CT", "SNV"), 1), (group("CC-ND", "CT"), 1), (group("CC-ND", "BHXH"), 1)]);
        assert_eq!(counts(&test), expected);
        // A person of another group, and one row that would be right.
        let wrong = format!("{HEADING}Lê A,SNV,A@x.vn,CC-CT\nLê D,Cục Thuế,d@x.vn,CC-ND\n");
        match take(&test, &rounds, &wrong) {
            Err(CredentialError::List(faults)) => {
                assert_eq!((faults[0].row, faults[0].code), (2, "person_in_two_groups"))
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(counts(&test), expected, "{}", test.backend);
        // Before the first letter the new list stands for the whole group, and only for it.
        let second = format!("{HEADING}Lê A Mới,Cục Thuế,a@x.vn,CC-ND\nLê E,Kho bạc Nhà nước,e@x.vn,CC-ND\n");
        let change = take(&test, &rounds, &second).unwrap();
        assert_eq!((change.added, change.rewritten, change.removed), (1, 1, 1));
        let people = test.db.read_here(|conn| addressee::all(conn, ROUND)).unwrap();
        let names: Vec<&str> = people.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Lê A Mới", "Lê E"]);
        assert_eq!(counts(&test)[&group("CC-CT", "SNV")], 1);
        let codes = test.db.write_here(|conn| {
            let round = rounds.get(conn, ROUND).unwrap();
            let selection = super::super::Selection { respondent_code: Some("CC-ND"), source_unit: None, count: None };
            super::super::issue(conn, &round, selection, &Entropy::seeded(4))
        });
        assert!(matches!(codes, Err(CredentialError::Addressed(_))));
    }
}

#[test]
fn faults_are_a_table_that_no_spreadsheet_runs() {
    let faults = [RowFault {
        row: 7,
        column: "A Họ và tên".to_owned(),
        code: "name_formula",
        value: "=cmd|' /C calc'!A0".to_owned(),
        reason: "Lý do, có phẩy.".to_owned(),
    }];
    let mut bytes = Vec::new();
    write_faults(&mut bytes, &faults).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("\u{feff}Dòng,Cột,"));
    assert!(text.contains("7,A Họ và tên,'=cmd|' /C calc'!A0,\"Lý do, có phẩy.\",name_formula"), "{text}");
}
