//! What is printed, read back by programs that have nothing to do with what printed it: QR codes and bar codes by ZBar
//! from pictures of the pages, words by Poppler. And a list of codes is handed over once, whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use crate::actors::Actor;
use crate::field::{read_codes, text};
use crate::stage::{ROUND, Stage, on_each, open_round_folder};

/// Runs one of the readers, which `tests/run` installs (poppler-utils, qpdf, zbar-tools).
fn reader(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}; install poppler-utils, qpdf and zbar-tools"));
    String::from_utf8(output.stdout).unwrap()
}

/// What programs that have nothing to do with the writer say of a document: it is whole, every font is embedded and tells
/// its letters, and it has what PDF/A-2u asks for (ISO 19005-2: 6.6.4 identification, 6.2.3 output intent, 6.1.3 no
/// encryption, 6.5 no script).
fn is_archival(stage: &Stage, pdf: &Path) {
    let name = pdf.display();
    let check = Command::new("qpdf").args(["--check", text(pdf)]).output().unwrap();
    assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stdout));
    let fonts = reader("pdffonts", &[text(pdf)]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!rows.is_empty(), "{name}");
    for row in rows {
        // … type, encoding, emb, sub, uni, object: the words before the object's two numbers.
        let words: Vec<&str> = row.split_whitespace().rev().collect();
        assert_eq!(&words[2..5], ["yes", "yes", "yes"], "{name}: {row}");
    }
    let plain = stage.path("plain.pdf");
    let laid_out = Command::new("qpdf").args(["--qdf", "--object-streams=disable", text(pdf), text(&plain)]).output();
    assert!(laid_out.unwrap().status.success());
    let bytes = std::fs::read(&plain).unwrap();
    let has = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    for needed in ["/S /GTS_PDFA1", "/DestOutputProfile", "/OutputConditionIdentifier", "/Lang", "/ID ["] {
        assert!(has(needed), "{name}: {needed}");
    }
    for refused in ["/Encrypt", "/JavaScript", "/AA ", "/OpenAction", "/EmbeddedFiles", "/LZWDecode"] {
        assert!(!has(refused), "{name}: {refused}");
    }
    let xmp = reader("pdfinfo", &["-meta", text(pdf)]);
    assert!(xmp.chars().eq(xmp.nfc()), "{name}");
    let value = |tag: &str| {
        let (_, after) = xmp.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("{name}: {tag} in {xmp}"));
        after.split('<').next().unwrap().to_owned()
    };
    assert_eq!((value("pdfaid:part").as_str(), value("pdfaid:conformance").as_str()), ("2", "U"), "{name}");
    let made = chrono::DateTime::parse_from_rfc3339(&value("xmp:CreateDate")).unwrap();
    assert_eq!(made.offset().local_minus_utc(), 7 * 3600, "{name}");
    std::fs::remove_file(plain).unwrap();
}

/// What ZBar sees on pictures of some pages: kind and content.
fn scanned(stage: &Stage, pdf: &Path, dpi: &str, first: usize, last: usize) -> BTreeSet<(String, String)> {
    let folder = stage.path(&format!("pages-{}-{first}", pdf.file_stem().unwrap().to_str().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let prefix = folder.join("p");
    let (first, last) = (first.to_string(), last.to_string());
    reader("pdftoppm", &["-r", dpi, "-gray", "-f", &first, "-l", &last, text(pdf), text(&prefix)]);
    let pages: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path().to_str().unwrap().to_owned()).collect();
    assert!(!pages.is_empty());
    let mut words = vec!["--quiet"];
    words.extend(pages.iter().map(String::as_str));
    let seen = reader("zbarimg", &words);
    seen.lines().filter_map(|line| line.split_once(':')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

fn of_kind(seen: &BTreeSet<(String, String)>, kind: &str) -> BTreeSet<String> {
    seen.iter().filter(|(k, _)| k == kind).map(|(_, content)| content.clone()).collect()
}

/// The words of a document in the order in which they were set, one blank between two.
pub(crate) fn words(pdf: &Path) -> String {
    let text = reader("pdftotext", &["-raw", text(pdf), "-"]);
    assert!(text.chars().eq(text.nfc()), "what is printed is NFC");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A code in groups out of the 48 digits of a bar code.
fn from_digits(digits: &str) -> String {
    let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    assert_eq!(digits.len(), 48);
    let symbols: Vec<char> =
        (0..24).map(|i| char::from(alphabet[digits[2 * i..2 * i + 2].parse::<usize>().unwrap()])).collect();
    symbols.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn loaded(stage: &Stage) {
    let folder = open_round_folder(&stage.path("round"));
    stage.phieu(&["migrate"]);
    stage.phieu(&["round", "load", text(&folder)]);
    stage.phieu(&["box", "keygen", ROUND, "--out", text(&stage.path("box.key"))]);
}

/// Issues with the public address of a province behind a path.
fn issue(stage: &Stage, arguments: &[&str]) -> String {
    let mut all = vec!["codes", "issue", ROUND];
    all.extend(arguments);
    let output = stage.command(&all).env("PHIEU_BASE_URL", "https://cchc.example/khao-sat").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    said
}

#[test]
fn slips_are_read_back_and_each_code_opens_its_form() {
    let stage = Stage::sqlite();
    loaded(&stage);
    let pdf = stage.path("slips.pdf");
    issue(&stage, &["--group", "CC-CT", "--unit", "SNV", "--count", "11", "--out", text(&pdf)]);
    is_archival(&stage, &pdf);
    let links = of_kind(&scanned(&stage, &pdf, "150", 1, 2), "QR-Code");
    assert_eq!(links.len(), 11);
    let printed = words(&pdf);
    stage.phieu(&["round", "open", ROUND]);
    let service = stage.serve();
    let anon = Actor::anon(&service);
    for link in &links {
        let code = link.strip_prefix("https://cchc.example/khao-sat/p#").unwrap();
        let half = code.len() / 2;
        assert!(printed.contains(&code[..half]) && printed.contains(&code[half + 1..]), "the code stands beside it");
        assert_eq!(anon.form(code).status, 200);
    }
    for sentence in ["Mã phiếu dùng một lần", "CC-CT · Sở Nội vụ", "DANH SÁCH KÝ NHẬN MÃ PHIẾU", "Ký nhận"]
    {
        assert!(printed.contains(sentence), "{sentence}");
    }
    // The list of receipts has no code on it.
    let receipts = reader("pdftotext", &["-f", "3", text(&pdf), "-"]);
    assert!(receipts.contains("DANH SÁCH KÝ NHẬN"));
    for link in &links {
        assert!(!receipts.contains(&link[link.len() - 29..][..14]));
    }
}

#[test]
fn ballots_of_the_plan_are_read_back_in_the_words_of_their_questionnaires() {
    let stage = Stage::sqlite();
    loaded(&stage);
    let round: serde_json::Value = {
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let path = |code: &str| format!("/api/v1/rounds/{ROUND}/questionnaires/{}", code.replace('Đ', "%C4%90"));
        let form = |code: &str| anon.get(&path(code)).json();
        json!({"LĐS-CT": form("LĐS-CT"), "HĐ-CT": form("HĐ-CT")})
    };
    for (group, ballots, paper) in [("LĐS-CT", 36, "a4"), ("HĐ-CT", 30, "a4")] {
        let (pdf, boxes) = (stage.path(&format!("{group}.pdf")), stage.path(&format!("{group}.json")));
        issue(&stage, &["--group", group, "--paper", paper, "--out", text(&pdf), "--boxes", text(&boxes)]);
        is_archival(&stage, &pdf);
        let size = usize::try_from(std::fs::metadata(&pdf).unwrap().len()).unwrap();
        assert!(size / ballots < 100_000, "{group}: {} bytes a ballot", size / ballots);
        let placed: serde_json::Value = serde_json::from_slice(&std::fs::read(&boxes).unwrap()).unwrap();
        let all = placed["ballots"].as_array().unwrap();
        assert_eq!(all.len(), ballots);
        // A sample of pages: the first of the first ballots, where every kind of code stands.
        let last = usize::try_from(all[2]["first_page"].as_u64().unwrap()).unwrap() - 1;
        let seen = scanned(&stage, &pdf, "200", 1, last);
        let digits = of_kind(&seen, "QR-Code");
        assert_eq!(digits.len(), 2, "{group}: one code a ballot, on every page of it");
        assert_eq!(of_kind(&seen, "CODE-128"), digits, "{group}: the bars say the same");
        let printed = words(&pdf);
        for code in &digits {
            let code = from_digits(code);
            assert!(printed.contains(&code[..14]) && printed.contains(&code[15..]), "{group}: digits are the code's");
        }
        for ballot in all {
            assert!(printed.contains(ballot["label"].as_str().unwrap()));
        }
        for section in round[group]["sections"].as_array().unwrap() {
            assert!(printed.contains(section["title"].as_str().unwrap()));
            for item in section["items"].as_array().unwrap() {
                let question = item["question"].as_str().unwrap();
                // A table says once what all its questions begin with.
                let question = if group == "HĐ-CT" { question.split_once(": ").unwrap().1 } else { question };
                assert!(printed.contains(question), "{group}: {question}");
            }
        }
        assert!(printed.contains("Trang 1/") && printed.contains("100 mm khi in đúng cỡ"));
    }
}

#[test]
fn asking_again_makes_new_codes_and_says_that_the_old_ones_are_dead() {
    on_each(|stage| {
        loaded(stage);
        let (first, second) = (stage.path("first.csv"), stage.path("second.csv"));
        let said = issue(stage, &["--group", "LĐS-CT", "--out", text(&first)]);
        assert!(said.contains("36 codes in") && !said.contains("revoked"), "{said}");
        let said = issue(stage, &["--group", "LĐS-CT", "--out", text(&second)]);
        assert!(said.contains("36 unused codes of an earlier list are revoked"), "{said}");
        let places = |path: &Path| -> BTreeMap<String, usize> {
            let mut places = BTreeMap::new();
            for code in read_codes(path).remove("LĐS-CT").unwrap() {
                *places.entry(code.targets.join("+")).or_default() += 1;
            }
            places
        };
        assert_eq!(places(&first), places(&second));
        stage.phieu(&["round", "open", ROUND]);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let old = read_codes(&first).remove("LĐS-CT").unwrap().remove(0).code;
        assert_eq!(anon.form(&old).status, 410);
        assert_eq!(stage.count("credential WHERE state = 'issued'"), 36);
    });
}

#[test]
fn a_list_is_whole_or_its_codes_do_not_count() {
    let stage = Stage::sqlite();
    loaded(&stage);
    let (list, part) = (stage.path("list.pdf"), stage.path("list.pdf.part"));
    // Cut off before the commit: what lies there is worth nothing, and is replaced.
    std::fs::write(&part, b"%PDF-1.7 cut off").unwrap();
    let said = issue(&stage, &["--group", "LĐH-CH", "--out", text(&list)]);
    assert!(said.contains("cut off before its codes counted"), "{said}");
    assert!(!part.exists());
    // Cut off after the commit, before the renaming: the list is found again, and no other is made.
    std::fs::rename(&list, &part).unwrap();
    let said = issue(&stage, &["--group", "LĐH-CH", "--out", text(&list)]);
    assert!(said.contains("It is whole; no new code was made"), "{said}");
    assert!(list.exists() && !part.exists());
    assert_eq!(stage.count("credential"), 40);
    // A refusal leaves neither a file nor a code.
    let bad = stage.path("bad.pdf");
    let words = ["codes", "issue", ROUND, "--group", "HĐ-CT", "--count", "31", "--out", text(&bad)];
    assert!(stage.phieu_fails(&words).contains("30 allowed"));
    assert!(!bad.exists() && !stage.path("bad.pdf.part").exists());
    assert_eq!(stage.count("credential"), 40);
    let taken = ["codes", "issue", ROUND, "--group", "HĐ-CT", "--out", text(&list)];
    assert!(stage.phieu_fails(&taken).contains("there is such a file already"));
    let other = stage.path("codes.docx");
    let wrong = ["codes", "issue", ROUND, "--group", "HĐ-CT", "--out", text(&other)];
    assert!(stage.phieu_fails(&wrong).contains(".csv, .xlsx or .pdf"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn sheets_of_the_desk_are_printed_by_command() {
    let stage = Stage::sqlite();
    loaded(&stage);
    issue(&stage, &["--group", "HĐ-CT", "--out", text(&stage.path("codes.csv"))]);
    for (sheet, sentence) in [
        ("bundles", "HĐ-CT · Bó 01"),
        ("hand-over", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
        ("keys", "Phím nhập phiếu giấy"),
        ("retrieval", "Không có phiếu nào chờ phân xử."),
    ] {
        let file = stage.path(&format!("{sheet}.pdf"));
        stage.phieu(&["print", sheet, ROUND, "--out", text(&file)]);
        assert!(words(&file).contains(sentence), "{sheet}");
        is_archival(&stage, &file);
    }
    let file = stage.path("specimen.pdf");
    stage.phieu(&["print", "specimen", ROUND, "--group", "CC-CT", "--out", text(&file)]);
    let printed = words(&file);
    assert!(printed.contains("BẢN XEM THỬ") && printed.contains("không có mã"));
    assert!(scanned(&stage, &file, "150", 1, 1).is_empty());
    let none = stage.path("none.pdf");
    let empty = ["print", "hand-over", ROUND, "--group", "LĐH-CH", "--out", text(&none)];
    assert!(stage.phieu_fails(&empty).contains("nothing to print"));
    assert!(!none.exists());
}
