//! There and back, and files that nobody should have sent.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_xlsxwriter::{Formula, Workbook};

use super::*;
use crate::Severity;
use crate::questionnaire::{Condition, Holds, Item, Section};
use crate::ratio;
use crate::round::RoundFiles;

const ASKED: Asked = Asked { group: "CC-CT", title: "phieu", main_language: None };

/// A workbook of sheets of rows of texts.
fn book(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0_u32..).zip(*rows) {
            for (column, text) in (0_u16..).zip(*cells).filter(|(_, text)| !text.is_empty()) {
                sheet.write_string(row, column, *text).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

const HEAD: &[&str] = &["type", "name", "label", "relevant", "constraint", "required", "hint"];
const YES_NO: (&str, &[&[&str]]) =
    ("choices", &[&["list_name", "name", "label"], &["yn", "yes", "Có"], &["yn", "no", "Không"]]);

fn survey(rows: &[&[&str]]) -> Imported {
    let rows: Vec<&[&str]> = std::iter::once(HEAD).chain(rows.iter().copied()).collect();
    import(&book(&[("survey", &rows), YES_NO]), ASKED).unwrap()
}

/// Place and code of every error.
fn lost(found: &Imported) -> Vec<String> {
    let errors = found.faults.iter().filter(|fault| fault.severity == Severity::Error);
    errors.map(|fault| format!("{}, {}: {}", fault.file, fault.place, fault.code)).collect()
}

#[test]
fn a_form_becomes_a_questionnaire() {
    let found = survey(&[
        &["note", "hello", "Xin chào"],
        &["begin_group", "g1", "Phần một"],
        &["select_one yn", "q1", "Ông/bà có đến không?", "", "", "yes", "Chọn một"],
        &["note", "n1", "Tiếp theo", "${q1} = 'yes'"],
        &["integer", "q2", "Mấy lần?", "${q1} = 'yes'", ". >= 1 and . < 100"],
        &["end_group"],
        &["begin group", "g2", "Phần hai", "${q2} > 2"],
        &["select_multiple yn", "q3", "Những gì?", "", "count-selected(.) <= 2"],
        &["text", "q4", "Ý kiến khác?", "selected(${q3}, 'no')", "string-length(.) <= 200"],
        &["end group"],
        &["note", "bye", "Xin cảm ơn"],
        &["start", "start"],
    ]);
    assert_eq!(lost(&found), Vec::<String>::new());
    let privacy: Vec<&Fault> = found.faults.iter().filter(|fault| fault.code == "type_metadata").collect();
    assert!(privacy[0].place.starts_with("row 13, type") && privacy[0].message.contains("privacy"), "{privacy:?}");
    let form = &found.questionnaire;
    assert_eq!((form.intro.as_str(), form.closing.as_deref()), ("Xin chào", Some("Xin cảm ơn")));
    let items: Vec<&Item> = form.items().collect();
    assert_eq!(items[0].kind, ItemKind::Single { choices: "yn".to_owned() });
    assert!(items[0].required && items[0].help.as_deref() == Some("Chọn một"));
    assert_eq!(items[1].lead.as_deref(), Some("Tiếp theo"));
    let bounds = (Some(ratio::whole(1)), Some(ratio::whole(99)));
    assert_eq!(items[1].kind, ItemKind::Number { min: bounds.0, max: bounds.1, decimals: 0 });
    assert_eq!(items[2].kind, ItemKind::Multiple { choices: "yn".to_owned(), at_most: Some(2) });
    let often =
        Condition { item: "q2".to_owned(), holds: Holds::Between { at_least: Some(ratio::whole(3)), at_most: None } };
    let no = Condition { item: "q3".to_owned(), holds: Holds::Is(vec!["no".to_owned()]) };
    assert_eq!(items[3].only_if, [often, no]);
    assert_eq!(items[3].kind, ItemKind::Text { letters: 200 });
}

#[test]
fn what_is_lost_is_named_with_its_place() {
    let found = survey(&[
        &["select_one yn", "a", "Một?"],
        &["begin_repeat", "r", "Lặp lại"],
        &["text", "inside", "Tên?"],
        &["end_repeat"],
        &["calculate", "c", ""],
        &["geopoint", "where", "Ở đâu?"],
        &["text", "b", "Hai?", "${c} = 'x'"],
        &["text", "d", "Ba?", "${nobody} = 'x'"],
        &["text", "e", "Bốn?", "${f} = 'x'"],
        &["text", "f", "Năm?", "${e} = 'x' or ${a} = 'yes'"],
        &["integer", "g", "Sáu?", "", ". != 3"],
        &["select_one other", "h", "Bảy?"],
        &["select_one yn or_other", "i", "Tám?"],
        &["text", "a", "Chín?"],
        &["text", "j", "Xin chào ${a}"],
        &["text", "k", "Mười?", "${k} = ''"],
        &["end_group"],
        &["begin_group", "open", "Mở"],
        &["image", "l", "Ảnh"],
        &["text", "m", "", "", "", "${a} = 'yes'"],
        &["text", "n", "Mười một?", "", "", "${a} = 'yes'"],
    ]);
    let expected = [
        "row 3, type (A): type_repeat",
        "row 6, type (A): type_calculate",
        "row 7, type (A): type_unknown",
        "row 8, relevant (D): relevant_lost",
        "row 9, relevant (D): relevant_lost",
        "row 10, relevant (D): relevant_lost",
        "row 11, relevant (D): relevant_lost",
        "row 12, constraint (E): constraint_lost",
        "row 13, type (A): list_unknown",
        "row 14, type (A): or_other_lost",
        "row 15, name (B): name_double",
        "row 16, label (C): text_inserts",
        "row 17, relevant (D): relevant_lost",
        "row 18, type (A): group_unopened",
        "row 20, type (A): type_unknown",
        "row 21, label (C): label_missing",
        "row 22, required (F): required_lost",
        "row 19: group_open",
    ];
    assert_eq!(found.questionnaire.items().nth(7).unwrap().question, "Xin chào […]");
    assert_eq!(lost(&found), expected.map(|place| format!("survey, {place}")));
    assert_eq!(found.questionnaire.items().map(|item| item.code.as_str()).collect::<String>(), "abdefgijkn");
}

#[test]
fn percents_make_a_scale_and_languages_translations() {
    let rows: &[&[&str]] = &[
        &["type", "name", "label::Tiếng Việt (vi)", "label::English (en)", "percent"],
        &["select_one L3", "q", "Thế nào?", "How was it?"],
        &["select_multiple L3", "r", "Những gì?", "Which ones?"],
    ];
    let choices: &[&[&str]] = &[
        &["list name", "value", "label::Tiếng Việt (vi)", "label::English (en)", "percent", "image"],
        &["L3", "1", "Tốt", "Good", "100"],
        &["L3", "2", "Kém", "Poor", "0"],
        &["L3", "-99", "Không rõ", "Unknown", "-"],
    ];
    let found = import(&book(&[("Survey", rows), ("choices", choices)]), ASKED).unwrap();
    assert_eq!(lost(&found), Vec::<String>::new());
    let options: Vec<(&str, bool)> =
        found.scales[0].options.iter().map(|option| (option.code.as_str(), option.percent.is_some())).collect();
    assert_eq!(options, [("1", true), ("2", true), ("x-99", false)]);
    assert_eq!(found.languages[0].code, "en");
    // The same list, not scored, is a list of choices with a code of its own.
    assert_eq!((found.scales[0].code.as_str(), found.choices[0].code.as_str()), ("L3", "L3_2"));
    assert_eq!(found.translations["en"]["Kém"], "Poor");
    let merged = merge(&RoundFiles::new(), &found).unwrap();
    let text = |path: &str| String::from_utf8(merged.files[path].clone()).unwrap();
    assert_eq!(
        text("scales.tsv"),
        "scale\toption\tlabel\tpercent\nL3\t1\tTốt\t100\nL3\t2\tKém\t0\nL3\tx-99\tKhông rõ\t\n"
    );
    assert!(text("translations.tsv").starts_with("vi\ten\n"), "{}", text("translations.tsv"));
    assert!(text("questionnaires/cc-ct.toml").contains("scale = \"L3\""));

    let again = merge(&merged.files, &found).unwrap_err();
    assert_eq!(again.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["file_there"]);
    let mut other = merged.files.clone();
    other.remove("questionnaires/cc-ct.toml");
    assert_eq!(merge(&other, &found).unwrap().same, ["scales.tsv: L3", "choices.tsv: L3_2"]);
    other.insert("scales.tsv".to_owned(), b"scale\toption\tlabel\tpercent\nL3\t1\tX\t100\n".to_vec());
    assert_eq!(merge(&other, &found).unwrap_err()[0].code, "list_there");
    other.insert("scales.tsv".to_owned(), b"nothing\n".to_vec());
    assert_eq!(merge(&other, &found).unwrap_err()[0].code, "table_broken");
    other.insert("scales.tsv".to_owned(), b"scale\toption\tlabel\tpercent\nL1\t1\tX\t100\n".to_vec());
    other.remove("translations.tsv");
    other.insert("translations.csv".to_owned(), "en,vi\nFair,Kém\n".as_bytes().to_vec());
    assert_eq!(merge(&other, &found).unwrap_err()[0].code, "translation_there");
}

#[test]
fn a_file_that_cannot_be_read_is_a_sentence() {
    let read = |bytes: &[u8]| import(bytes, ASKED).unwrap_err();
    assert_eq!(read(b""), NotRead::NotXlsx);
    assert_eq!(read("\u{feff}type,name,label\n".as_bytes()), NotRead::NotXlsx);
    assert_eq!(read(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1]), NotRead::OldOrLocked);
    assert_eq!(read(b"PK\x03\x04 and nothing else"), NotRead::Damaged);
    assert_eq!(read(&vec![b'P'; FILE_BYTES_MAX + 1]), NotRead::TooBig(FILE_BYTES_MAX + 1));
    assert_eq!(read(&book(&[("Sheet1", &[&["type"]])])), NotRead::NoSurvey("Sheet1".to_owned()));
    assert_eq!(read(&book(&[("survey", &[])])), NotRead::NoHeading("nothing".to_owned()));
    assert_eq!(read(&book(&[("survey", &[&["a", "b"]])])), NotRead::NoHeading("a, b".to_owned()));
    for error in [NotRead::NotXlsx, NotRead::OldOrLocked, NotRead::Damaged, NotRead::Unpacked] {
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}

/// A zip of parts that are each one byte many times.
fn bomb(parts: &[(&str, usize)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, size) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        let chunk = vec![b' '; 1 << 20];
        for _ in 0..*size >> 20 {
            zip.write_all(&chunk).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zip_bomb_is_put_down_before_it_is_read() {
    let measure = |parts: &[(&str, usize)]| workbook::measure(&bomb(parts), 4 << 20, 1 << 20);
    assert_eq!(measure(&[("xl/sharedStrings.xml", 1 << 20), ("xl/worksheets/sheet1.xml", 3 << 20)]), Ok(()));
    assert_eq!(measure(&[("xl/sharedStrings.xml", 2 << 20)]), Err(NotRead::Unpacked));
    assert_eq!(measure(&[("xl/worksheets/sheet1.xml", 5 << 20)]), Err(NotRead::Unpacked));
    assert_eq!(measure(&[("xl/worksheets/a.xml", 3 << 20), ("xl/worksheets/b.xml", 3 << 20)]), Err(NotRead::Unpacked));
    let read = |parts: &[(&str, usize)]| import(&bomb(parts), ASKED).unwrap_err();
    assert_eq!(read(&[("xl/styles.xml", 17 << 20)]), NotRead::Unpacked);
    let many: Vec<String> = (0..501).map(|n| format!("p{n}")).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|name| (name.as_str(), 0)).collect();
    assert_eq!(read(&many), NotRead::Unpacked);
}

#[test]
fn odd_cells_are_named() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("survey").unwrap();
    for (row, cells) in
        (0_u32..).zip([["type", "name", "label"], ["text", "a", ""], ["text", "b", "Ti\u{ea}\u{301}ng?"]])
    {
        for (column, text) in (0_u16..).zip(cells).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    sheet.write_formula(1, 2, Formula::new("=\"x\"").set_result("Tính ra?")).unwrap();
    // A cell at the far end of the sheet costs nothing.
    sheet.write_string(1_048_575, 16_383, "xa").unwrap();
    sheet.merge_range(4, 0, 5, 2, "note", &rust_xlsxwriter::Format::new()).unwrap();
    let found = import(&book.save_to_buffer().unwrap(), ASKED).unwrap();
    let said: Vec<(&str, &str)> = found.faults.iter().map(|fault| (fault.place.as_str(), fault.code)).collect();
    for expected in
        [("row 2, label (C)", "cell_formula"), ("row 3, label (C)", "text_not_nfc"), ("row 5, A", "cell_merged")]
    {
        assert!(said.contains(&expected), "{said:?}");
    }
    let questions: Vec<&str> = found.questionnaire.items().map(|item| item.question.as_str()).collect();
    assert_eq!(questions, ["Tính ra?", "Tiếng?"]);
}

/// A round without questionnaires, for one group that is asked these items.
fn smallest_round(scored: &[&Item]) -> RoundFiles {
    let round = r#"
id = "thu-2026"
title = "Đợt thử"
legal_basis = "Kế hoạch thử"
target_kinds = [{ code = "so", name = "Sở" }]
unit_kinds = [{ code = "so", name = "Sở" }]
fields = [{ code = "1", name = "Chỉ đạo điều hành" }]
languages = [{ code = "en", name = "English" }]
[organiser]
name = "Sở Nội vụ"
[dates]
opens = 2026-09-01T07:00:00+07:00
closes = 2026-10-01T00:00:00+07:00
keying_closes = 2026-10-01T00:00:00+07:00
publishes = 2026-11-01T08:00:00+07:00
[[groups]]
code = "CC-CT"
name = "Công chức các sở"
channel = "online"
issue = "draw"
sources = ["so"]
rates = "own_unit"
quota = "roster"
weight = "1"
[scoring]
void_below = "0.5"
excluded_is_valid = true
decimals = 2
[disclosure]
k = 10
distribution_n = 20
"#;
    let tables = [
        ("round.toml", round),
        ("targets.tsv", "target_code\ttarget_kind\tname\nSNV\tso\tSở Nội vụ\n"),
        ("units.tsv", "unit_code\tparent_code\tunit_kind\tname\ttarget_code\nSNV\t\tso\tSở Nội vụ\tSNV\n"),
        ("scales.tsv", "scale\toption\tlabel\tpercent\nL2\tA\tTốt\t100\nL2\tB\tKém\t0\n"),
    ];
    let criteria = scored.iter().map(|item| format!("{}\t1\tChỉ đạo\t\t2.5\n", item.code));
    let criteria = "item_code\tfield\tname\tindex_ref\tmax_points\n".to_owned() + &criteria.collect::<String>();
    let mut files: RoundFiles = tables.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
    files.insert("criteria.tsv".to_owned(), criteria.into_bytes());
    files
}

/// What an item of each kind looks like; the lists are those of `material`.
fn kind() -> impl Strategy<Value = ItemKind> {
    let bound = || proptest::option::of((-999_i64..999).prop_map(|n| Ratio::new(n.into(), 10.into())));
    prop_oneof![
        Just(ItemKind::Scale { scale: "L5.a".to_owned() }),
        Just(ItemKind::Scale { scale: "L5-a".to_owned() }),
        Just(ItemKind::Single { choices: "L5_a".to_owned() }),
        proptest::option::of(1_u32..=3)
            .prop_map(|at_most| ItemKind::Multiple { choices: "GIỚI".to_owned(), at_most }),
        (bound(), bound(), 0_u32..=4).prop_map(|(a, b, decimals)| {
            let ordered = if a.is_some() && b.is_some() && a > b { (b, a) } else { (a, b) };
            ItemKind::Number { min: ordered.0, max: ordered.1, decimals }
        }),
        (1_u32..=5000).prop_map(|letters| ItemKind::Text { letters }),
    ]
}

use crate::ratio::Ratio;

/// Texts such as people write them, some with several lines and quotes.
fn words() -> impl Strategy<Value = String> {
    "[a-zA-ZàáạăâđêôơưỨ=+@'\"<&;,]{1,12}( [a-zA-Zệị0-9?!:]{1,8}){0,4}"
}

fn lines() -> impl Strategy<Value = String> {
    proptest::collection::vec(words(), 1..4).prop_map(|lines| lines.join("\n"))
}

fn code() -> impl Strategy<Value = String> {
    "[A-Za-zĐđỨứ0-9][A-Za-zĐđ0-9._-]{0,8}"
}

fn material() -> (Vec<Scale>, Vec<Choices>) {
    let percent = |n: u64| Some(ratio::whole(n));
    let option = |code: &str, percent| ScaleOption {
        code: code.to_owned(),
        label: format!("Mức {code}"),
        percent,
        other_percent: None,
    };
    let choice = |code: &str| Choice { code: code.to_owned(), label: format!("Chọn {code}") };
    let scales = vec![
        Scale {
            code: "L5.a".to_owned(),
            options: vec![option("A", percent(100)), option("Đ", percent(0)), option("N", None)],
        },
        Scale { code: "L5-a".to_owned(), options: vec![option("1", percent(12)), option("1.5", percent(7))] },
    ];
    let choices = vec![
        Choices { code: "L5_a".to_owned(), options: vec![choice("A"), choice("B-1")] },
        Choices { code: "GIỚI".to_owned(), options: vec![choice("Nữ"), choice("Nam"), choice("NU"), choice("7")] },
    ];
    (scales, choices)
}

/// A condition on an earlier item that it can have; `n` chooses which.
fn condition(earlier: &Item, n: usize) -> Condition {
    let (scales, choices) = material();
    let mut codes: Vec<String> =
        earlier.options(&scales, &choices).iter().map(|option| option.code.to_owned()).collect();
    let bound = || Ratio::new(n.into(), 4.into());
    let holds = match (&earlier.kind, n % 4) {
        (_, 0) => Holds::Answered(n.is_multiple_of(8)),
        (ItemKind::Number { .. }, 1) => Holds::Between { at_least: Some(bound()), at_most: None },
        (ItemKind::Number { .. }, 2) => Holds::Between { at_least: None, at_most: Some(bound()) },
        (ItemKind::Number { .. }, _) => Holds::Between { at_least: Some(-bound()), at_most: Some(bound()) },
        (_, kind) => {
            codes.truncate(1 + n % codes.len());
            if kind == 1 { Holds::Is(codes) } else { Holds::IsNot(codes) }
        }
    };
    Condition { item: earlier.code.clone(), holds }
}

type Raw = (String, String, Option<String>, Option<String>, ItemKind, bool, Vec<(usize, usize)>);

prop_compose! {
    fn raw()(code in code(), question in lines(), lead in proptest::option::of(lines()),
             help in proptest::option::of(words()), kind in kind(), required: bool,
             looks in proptest::collection::vec((0_usize..99, 0_usize..99), 0..3)) -> Raw {
        (code, question, lead, help, kind, required, looks)
    }
}

prop_compose! {
    fn form()(title in words(), intro in lines(), closing in proptest::option::of(lines()),
              sections in proptest::collection::vec(
                  (code(), words(), proptest::option::of(lines()), proptest::collection::vec(raw(), 1..5)), 1..4))
        -> Questionnaire {
        let (mut items, mut parts): (Vec<Item>, Vec<Section>) = (Vec::new(), Vec::new());
        for (code, title, intro, raws) in sections {
            let start = items.len();
            for (code, question, lead, help, kind, required, looks) in raws {
                if items.iter().any(|item: &Item| item.code.to_lowercase() == code.to_lowercase()) {
                    continue;
                }
                // Nothing may depend on free text.
                let earlier: Vec<&Item> =
                    items.iter().filter(|item| !matches!(item.kind, ItemKind::Text { .. })).collect();
                let looks = looks.iter().filter(|_| !earlier.is_empty());
                let only_if = looks.map(|(which, n)| condition(earlier[which % earlier.len()], *n)).collect();
                let number = u32::try_from(items.len()).unwrap() + 1;
                items.push(Item { code, number, question, lead, help, kind, required, only_if, field: None });
            }
            let double = parts.iter().any(|part: &Section| part.code.to_lowercase() == code.to_lowercase());
            if items.len() > start && !double {
                parts.push(Section { code, title, intro, items: items[start..].to_vec() });
            } else {
                items.truncate(start);
            }
        }
        Questionnaire { respondent_code: "CC-CT".to_owned(), title, intro, closing, sections: parts, hash: String::new() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Export and import give the same questionnaire, scales, lists and translations.
    #[test]
    fn there_and_back(form in form()) {
        let (scales, choices) = material();
        let languages = vec![Language { code: "en".to_owned(), name: "English".to_owned() }];
        let english: BTreeMap<String, String> = form
            .items()
            .map(|item| (item.question.clone(), format!("EN {}", item.number)))
            .chain([(form.intro.clone(), "Dear all".to_owned())])
            .collect();
        let translations = BTreeMap::from([("en".to_owned(), english)]);
        let bytes = export(&form, &scales, &choices, &languages, &translations).unwrap();
        prop_assert_eq!(&bytes, &export(&form, &scales, &choices, &languages, &translations).unwrap());
        let found = import(&bytes, ASKED).unwrap();
        prop_assert_eq!(lost(&found), Vec::<String>::new());
        prop_assert_eq!(&found.questionnaire, &form);
        prop_assert_eq!(&found.translations, &translations);
        for scale in &found.scales {
            prop_assert!(scales.contains(scale));
        }
        for list in &found.choices {
            prop_assert!(choices.contains(list));
        }
        // And as files of a round: what the round reads is what was meant.
        let scored: Vec<&Item> = form.items().filter(|item| item.scale().is_some()).collect();
        if scored.is_empty() {
            // A round needs something that it scores.
            return Ok(());
        }
        let mut files = smallest_round(&scored);
        files.extend(merge(&files, &found).unwrap().files);
        let checked = crate::Round::check(&files);
        let errors: Vec<&Fault> = checked.faults.iter().filter(|fault| fault.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{:?}", errors);
        let round = checked.round.unwrap();
        let mut read = round.questionnaires[0].clone();
        read.hash.clear();
        for item in read.sections.iter_mut().flat_map(|section| &mut section.items) {
            item.field = None;
        }
        prop_assert_eq!(&read, &form);
        prop_assert_eq!(&round.translations, &translations);
    }

    /// Whatever a file is, it ends in an answer.
    #[test]
    fn bytes_that_were_changed_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        short: bool,
    ) {
        let mut bytes = book(&[("survey", &[HEAD, &["select_one yn", "q1", "Một?"], &["text", "q2", "Hai?", "${q1} = 'yes'"]]), YES_NO]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if short {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = import(&bytes, ASKED);
    }

    /// Whatever the cells say, too.
    #[test]
    fn cells_of_any_text_never_panic(
        cells in proptest::collection::vec((prop_oneof![
            Just("select_one yn".to_owned()), Just("begin_group".to_owned()), Just("end_group".to_owned()),
            Just("begin_repeat".to_owned()), Just("integer".to_owned()), Just("note".to_owned()), "\\PC{0,12}",
        ], "[a-c_]{0,2}|\\PC{1,50}", "\\PC{0,9}", "(\\$\\{[a-c]\\}|[ ()='a<>.,0-9]|and|or|not|selected){0,9}"), 0..12)
    ) {
        let rows: Vec<Vec<&str>> = cells
            .iter()
            .map(|(kind, name, label, relevant)| vec![kind.as_str(), name.as_str(), label.as_str(), relevant.as_str(), relevant.as_str()])
            .collect();
        let rows: Vec<&[&str]> = std::iter::once(HEAD).chain(rows.iter().map(Vec::as_slice)).collect();
        let found = import(&book(&[("survey", &rows), YES_NO]), ASKED).unwrap();
        // What was taken can be given back and comes again.
        if found.questionnaire.items().next().is_some() {
            let bytes = export(&found.questionnaire, &found.scales, &found.choices, &[], &BTreeMap::new()).unwrap();
            // Two characters that would be a reference in a spreadsheet are parted there, and stay so.
            let told = |form: &Questionnaire| serde_json::to_string(form).unwrap().replace("${", "$ {");
            prop_assert_eq!(told(&import(&bytes, ASKED).unwrap().questionnaire), told(&found.questionnaire));
        }
    }
}
