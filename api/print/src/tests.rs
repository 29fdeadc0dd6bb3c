//! Every kind of paper, from the plan and from what nobody would plan.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use survey_forms::Round;
use survey_forms::answers::Form;

use super::*;

fn plan() -> Round {
    Round::from_files(&survey_forms::quang_nam_2023()).unwrap()
}

fn imprint(title: &str) -> Imprint {
    let date: DateTime<FixedOffset> = "2023-09-10T08:00:00+07:00".parse().unwrap();
    Imprint { title: title.to_owned(), author: "Sở Nội vụ tỉnh Quảng Nam".to_owned(), date }
}

/// A code that is none: the layout does not care for its check symbol.
fn code(n: usize) -> (String, String) {
    let symbol = |i: usize| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(n * 7 + i * 5) % 32]);
    let code: Vec<String> = (0..6).map(|g| (0..4).map(|i| symbol(g * 4 + i)).collect()).collect();
    let digits = (0..24).map(|i| format!("{:02}", (n * 7 + i * 5) % 32)).collect();
    (code.join("-"), digits)
}

fn is_archival(pdf: &[u8]) -> bool {
    let has = |needle: &str| pdf.windows(needle.len()).any(|window| window == needle.as_bytes());
    pdf.starts_with(b"%PDF-1.7")
        && has("<pdfaid:part>2<")
        && has("<pdfaid:conformance>U<")
        && has("2023-09-10T08:00:00+07:00")
}

/// Keeps a document for looking at, where a folder is named.
fn keep(name: &str, pdf: &[u8]) {
    assert!(is_archival(pdf), "{name}");
    if let Some(folder) = std::env::var_os("PHIEU_PRINT_OUT") {
        std::fs::write(std::path::Path::new(&folder).join(name), pdf).unwrap();
    }
}

fn print_group(round: &Round, group: &str, paper: Paper, most: usize) -> (Vec<u8>, Layouts) {
    let kinds: Vec<_> = round.assignments().into_iter().filter(|a| a.respondent_code == group).collect();
    let codes: Vec<_> = (0..most).map(code).collect();
    let print = BallotPrint { imprint: imprint(group), round, paper, two_sided: false };
    let all = codes.iter().zip(kinds.iter().cycle()).zip(1..).map(|(((code, digits), kind), number)| Ballot {
        form: round.form(group, &kind.targets).unwrap(),
        code,
        digits,
        label: format!("{group} · Bó 01 · phiếu {number}/{most}"),
    });
    ballots(&print, all, &mut |_| ()).unwrap()
}

/// Every option of every item about every target has one box of 5 mm inside its page, and no two boxes touch.
fn boxes_are_sound(round: &Round, placed: &Layouts) {
    for layout in &placed.layouts {
        let form: Form<'_> = round.form(&layout.respondent_code, &layout.targets).unwrap();
        let mut found: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for page in &layout.pages {
            for (index, own) in page.boxes.iter().enumerate() {
                assert!(own.x >= 13.0 && own.x + own.w <= page.width - 13.0, "{own:?}");
                assert!(own.y >= 26.0 && own.y + own.h <= page.height - 23.0, "{own:?}");
                if own.kind == "option" {
                    assert_eq!((own.w, own.h), (5.0, 5.0));
                    let item = form.questionnaire.item(&own.item).unwrap();
                    let options = item.options(form.scales, form.choices);
                    assert_eq!(options[own.position - 1].code, own.option.as_deref().unwrap());
                    assert_eq!(item.number, own.number);
                    assert!(found.entry((own.target.clone(), own.item.clone())).or_default().insert(own.position));
                }
                for other in page.boxes.iter().skip(index + 1) {
                    let apart = other.x >= own.x + own.w
                        || own.x >= other.x + other.w
                        || other.y >= own.y + own.h
                        || own.y >= other.y + other.h;
                    assert!(apart, "{own:?} {other:?}");
                }
            }
        }
        for target in form.targets {
            for item in form.questionnaire.items() {
                let options = item.options(form.scales, form.choices).len();
                let own = found.remove(&(target.clone(), item.code.clone())).unwrap_or_default();
                assert_eq!(own.len(), options, "{target} {}", item.code);
            }
        }
        assert!(found.is_empty());
    }
}

#[test]
fn the_ballots_of_the_plan_have_every_box_in_its_place() {
    let round = plan();
    for (group, most, pages) in [("HĐ-CT", 2, 5), ("LĐH-CH", 2, 2), ("LĐS-CT", 2, 2)] {
        let (pdf, placed) = print_group(&round, group, Paper::A4, most);
        keep(&format!("{group}.pdf"), &pdf);
        boxes_are_sound(&round, &placed);
        for layout in &placed.layouts {
            assert!(layout.pages.len() <= pages, "{group}: {} pages", layout.pages.len());
        }
        assert_eq!(placed.ballots.len(), most);
        assert!(serde_json::to_string(&placed).unwrap().contains("Bó 01 · phiếu 2/2"));
    }
    let (pdf, placed) = print_group(&round, "HĐ-CT", Paper::A3, 1);
    keep("HĐ-CT-A3.pdf", &pdf);
    boxes_are_sound(&round, &placed);
    let counts: Vec<usize> = placed.layouts[0].pages.iter().map(|page| page.boxes.len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 43 * 8 * 6);
}

#[test]
fn questions_of_every_kind_have_their_places() {
    let round = Round::from_files(&survey_forms::every_kind()).unwrap();
    for group in ["CC", "HV"] {
        let (pdf, placed) = print_group(&round, group, Paper::A4, 1);
        keep(&format!("every-kind-{group}.pdf"), &pdf);
        boxes_are_sound(&round, &placed);
        let kinds: BTreeSet<&str> =
            placed.layouts[0].pages.iter().flat_map(|p| &p.boxes).map(|placed| placed.kind).collect();
        assert!(kinds.contains("option"));
        if group == "CC" {
            assert!(kinds.contains("digit") && kinds.contains("text"), "{kinds:?}");
        }
    }
}

#[test]
fn a_specimen_has_no_code_and_two_sides_never_mix_ballots() {
    let round = plan();
    let kind = round.assignments().into_iter().find(|a| a.respondent_code == "LĐH-CH").unwrap();
    let mut print = BallotPrint { imprint: imprint("x"), round: &round, paper: Paper::A4, two_sided: false };
    let one = || Ballot {
        form: round.form("LĐH-CH", &kind.targets).unwrap(),
        code: "",
        digits: "",
        label: "LĐH-CH".to_owned(),
    };
    let (pdf, _) = ballots(&print, [one()], &mut |_| ()).unwrap();
    keep("specimen.pdf", &pdf);
    print.two_sided = true;
    let (_, placed) = ballots(&print, [one(), one()], &mut |_| ()).unwrap();
    assert_eq!(placed.ballots[1].first_page % 2, 1);
    assert!(matches!(ballots(&print, [], &mut |_| ()), Err(PrintError::Empty)));
}

fn slip_print() -> SlipPrint {
    SlipPrint {
        imprint: imprint("Phiếu mã"),
        organiser: "Sở Nội vụ tỉnh Quảng Nam".to_owned(),
        round: plan().title,
        address: "https://cchc.quangnam.gov.vn/khao-sat/".to_owned(),
        closes: "00:00 ngày 15/10/2023".to_owned(),
        contact: "Sở Nội vụ tỉnh Quảng Nam".to_owned(),
        sample: true,
    }
}

#[test]
fn slips_begin_a_page_with_each_unit() {
    let long = "Ban Quản lý các khu kinh tế và khu công nghiệp tỉnh ".repeat(6);
    let codes: Vec<(String, String)> = (0..30)
        .map(|n| {
            let code = code(n).0;
            (format!("https://cchc.quangnam.gov.vn/khao-sat/p#{code}"), code)
        })
        .collect();
    let slip =
        |range: std::ops::Range<usize>| codes[range].iter().map(|(link, code)| Slip { code, link }).collect::<Vec<_>>();
    let unit = |unit, range| SlipUnit {
        respondent_code: "LĐ-CP",
        group: "Lãnh đạo các phòng chuyên môn thuộc Ủy ban nhân dân cấp huyện đánh giá Sở chủ quản",
        unit,
        target: "",
        slips: slip(range),
    };
    let mut told = Vec::new();
    let units = [unit("Phòng Nội vụ huyện Đại Lộc", 0..3), unit("", 3..3), unit(&long, 3..30)];
    let pdf = slips(&slip_print(), units, &mut |n| told.push(n)).unwrap();
    keep("slips.pdf", &pdf);
    assert_eq!(told, [3, 11, 19, 27, 30]);
    assert!(matches!(slips(&slip_print(), [], &mut |_| ()), Err(PrintError::Empty)));
    let link = "x".repeat(3000);
    let far = SlipUnit { slips: vec![Slip { code: "x", link: &link }], ..unit("", 0..0) };
    assert!(matches!(slips(&slip_print(), [far], &mut |_| ()), Err(PrintError::Qr)));
}

#[test]
fn sheets_of_the_desk_hold_any_number_of_bundles_and_any_name() {
    let long = "Ủy ban nhân dân ".repeat(20);
    let sheet = |organiser: &str, bundle, size| BundleSheet {
        organiser: organiser.to_owned(),
        round: plan().title,
        respondent_code: "HĐ-CT".to_owned(),
        group: "Đại biểu Hội đồng nhân dân cấp tỉnh".to_owned(),
        bundle,
        size,
    };
    let pdf = bundle_sheets(&imprint("Bó"), &[sheet("Sở Nội vụ", 1, 30), sheet(&long, 2, 200)]).unwrap();
    keep("bundles.pdf", &pdf);
    assert!(matches!(bundle_sheets(&imprint("Bó"), &[]), Err(PrintError::Empty)));

    let mut record = HandOver {
        organiser: long.clone(),
        round: plan().title,
        legal_basis: plan().legal_basis,
        bundles: (1..=60).map(|n| ("HĐ-CT".to_owned(), n, 30)).collect(),
    };
    keep("hand-over-long.pdf", &hand_over(&imprint("Biên bản"), &record).unwrap());
    record.organiser = "Sở Nội vụ tỉnh Quảng Nam".to_owned();
    record.bundles = vec![("HĐ-CT".to_owned(), 1, 30), ("LĐH-CH".to_owned(), 1, 40), ("LĐS-CT".to_owned(), 1, 18)];
    keep("hand-over.pdf", &hand_over(&imprint("Biên bản"), &record).unwrap());
    record.bundles.clear();
    assert!(matches!(hand_over(&imprint("Biên bản"), &record), Err(PrintError::Empty)));

    keep("cheat-sheet.pdf", &cheat_sheet(&imprint("Phím"), &long, &plan().title).unwrap());
    let dispute = |sheet| Dispute { respondent_code: "LĐS-CT".to_owned(), bundle: 1 + sheet % 2, sheet, of: 40 };
    let disputes: Vec<Dispute> = (1..=40).map(dispute).collect();
    keep("retrieval.pdf", &retrieval(&imprint("Lấy phiếu"), &long, &plan().title, &disputes).unwrap());
    keep("retrieval-none.pdf", &retrieval(&imprint("Lấy phiếu"), "Sở", &plan().title, &[]).unwrap());
}

#[test]
fn letters_that_the_fonts_have_not_are_seen_and_nothing_fails() {
    let mut print = slip_print();
    print.round = "Khảo sát 调查 😀 \u{202e}ngược\u{0}".to_owned();
    let slips_of = SlipUnit {
        respondent_code: "CC-CT",
        group: "",
        unit: "ກ",
        target: "",
        slips: vec![Slip { code: "0000-0000-0000-0000-0000-0000", link: "https://a/p#0" }],
    };
    keep("odd.pdf", &slips(&print, [slips_of], &mut |_| ()).unwrap());
}

#[test]
fn a_report_goes_on_from_page_to_page() {
    let column = |heading: &str, width, holds| ReportColumn { heading: heading.to_owned(), width, holds };
    let columns = vec![
        column("Hạng", 15.0, Holds::Numbers),
        column("Cơ quan", 70.0, Holds::Words),
        column("Tỷ lệ điểm (%)", 60.0, Holds::Drawing),
        column("Tỷ lệ", 30.0, Holds::Numbers),
    ];
    let row = |n: u8| ReportRow {
        cells: vec![
            n.to_string(),
            "Ủy ban nhân dân huyện Điện Bàn ".repeat(1 + usize::from(n % 7)),
            String::new(),
            "87,50".into(),
        ],
        drawing: Drawing {
            dot: (!n.is_multiple_of(9)).then_some(f32::from(n)),
            whisker: Some((f32::from(n) - 8.0, f32::from(n) + 8.0)),
            other: Some(50.0),
        },
    };
    let part = |heading: &str, rows: u8| ReportPart {
        heading: heading.to_owned(),
        on_new_page: rows > 50,
        words: vec!["Cao nhất: Sở Nội vụ (95,2%).".to_owned()],
        table: (rows > 0).then(|| ReportTable { columns: columns.clone(), rows: (0..rows).map(row).collect() }),
        note: "Dấu “–”: không có câu trả lời hợp lệ. ".repeat(8),
    };
    let told = Report {
        imprint: imprint("Kết quả điều tra"),
        organiser: "Sở Nội vụ tỉnh Quảng Nam".to_owned(),
        title: "Kết quả điều tra xã hội học ".repeat(4),
        facts: vec![("Dấu của tài liệu".to_owned(), "ab".repeat(80)), ("Căn cứ".to_owned(), String::new())],
        parts: vec![part("Các sở", 100), part("Một phần không có bảng", 0), part("Các huyện", 3)],
    };
    let pdf = report(&told).unwrap();
    keep("report.pdf", &pdf);
    assert_eq!(pdf, report(&told).unwrap(), "the same report gives the same bytes");
}
