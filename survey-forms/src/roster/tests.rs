use rust_xlsxwriter::{Format, Workbook};

use super::*;
use crate::quang_nam_2023;
use crate::round::Round;

/// The plan with one group whose letters are addressed.
fn round() -> Round {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let (before, after) = text.split_once("code = \"CC-ND\"").unwrap();
    let text = format!("{before}code = \"CC-ND\"{}", after.replacen("issue = \"draw\"", "issue = \"addressed\"", 1));
    files.insert("round.toml".to_owned(), text.into_bytes());
    Round::from_files(&files).unwrap()
}

fn read(bytes: &[u8], group: Option<&str>) -> Result<List, Vec<RowFault>> {
    let grid = Grid::read(bytes).unwrap();
    check(&grid, &Mapping::guess(&grid), &round(), group)
}

fn people(bytes: &[u8], group: Option<&str>) -> Vec<(String, String, String)> {
    match read(bytes, group).unwrap() {
        List::People(all) => {
            all.into_iter().map(|one| (one.unit_code, one.name, one.email.unwrap_or_default())).collect()
        }
        List::Counts(_) => panic!("counts"),
    }
}

fn faults(text: &str, group: Option<&str>) -> Vec<(u32, String, &'static str)> {
    read(text.as_bytes(), group).unwrap_err().into_iter().map(|f| (f.row, f.column, f.code)).collect()
}

/// As an office's secretary makes it: a merged title, two lines of headings, column numbers, a unit that is merged
/// downwards, units as lines of their own, telephone numbers as numbers, a sum and a signature.
#[test]
fn an_offices_workbook_is_read() {
    let mut book = Workbook::new();
    book.add_worksheet().write_string(0, 0, "Bìa").unwrap();
    let sheet = book.add_worksheet();
    let plain = Format::new();
    sheet.merge_range(0, 0, 0, 5, "UBND TỈNH QUẢNG NAM", &plain).unwrap();
    sheet.merge_range(1, 0, 1, 5, "DANH SÁCH CÔNG CHỨC THAM GIA KHẢO SÁT NĂM 2023", &plain).unwrap();
    for (column, heading) in ["TT", "Họ và tên ", "Chức vụ", "Đơn vị công tác"].iter().enumerate() {
        sheet.write_string(3, u16::try_from(column).unwrap(), *heading).unwrap();
    }
    sheet.merge_range(3, 4, 3, 5, "Thông tin liên hệ", &plain).unwrap();
    sheet.write_string(4, 4, "Số ĐT").unwrap();
    sheet.write_string(4, 5, "Địa chỉ E-mail").unwrap();
    for column in 0..6_u16 {
        sheet.write_string(5, column, format!("({})", column + 1)).unwrap();
    }
    sheet.merge_range(6, 3, 7, 3, "Cục thuế tỉnh Quảng Nam", &plain).unwrap();
    let rows = [
        ("Nguyễn Thị  Hoa ", 905_123_456.0, " Hoa.Nguyen@QuangNam.gov.vn "),
        ("Trần Văn “Út”, con", 905_123_457.0, "ut@gdt.gov.vn"),
    ];
    for (index, (name, phone, email)) in rows.into_iter().enumerate() {
        let row = 6 + u32::try_from(index).unwrap();
        sheet.write_number(row, 0, f64::from(row) - 5.0).unwrap();
        sheet.write_string(row, 1, name).unwrap();
        sheet.write_number(row, 4, phone).unwrap();
        sheet.write_string(row, 5, email).unwrap();
    }
    sheet.write_string(8, 0, "II").unwrap();
    sheet.write_string(8, 1, "BHXH tỉnh").unwrap();
    sheet.write_number(9, 0, 3.0).unwrap();
    sheet.write_string(9, 1, "Lê Thị Nga").unwrap();
    sheet.write_string(9, 5, "mailto:nga@bhxh.gov.vn").unwrap();
    sheet.write_string(10, 1, "Tổng cộng: 03 người").unwrap();
    sheet.write_string(12, 4, "NGƯỜI LẬP BIỂU").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let expected = [
        ("CT", "Nguyễn Thị Hoa", "Hoa.Nguyen@quangnam.gov.vn"),
        ("CT", "Trần Văn “Út”, con", "ut@gdt.gov.vn"),
        ("BHXH", "Lê Thị Nga", "nga@bhxh.gov.vn"),
    ];
    assert_eq!(people(&bytes, Some("CC-ND")), expected.map(|(u, n, e)| (u.to_owned(), n.to_owned(), e.to_owned())));
    assert!(Grid::read(&bytes[..bytes.len() / 2]).unwrap_err().0.contains("hỏng"));
}

/// Decomposed letters, commas and quotes inside cells, semicolons between them, columns in any order.
#[test]
fn csv_in_every_shape_is_read() {
    use unicode_normalization::UnicodeNormalization;
    let plain = "Email,Đơn vị,Họ và tên,Mã phiếu\n\
                 a@qn.vn,Sở Nội vụ,\"Nguyễn Văn A, con ông \"\"Ba\"\"\",CC-CT\n\
                 ,Sở NN&PTNT Quảng Nam,Đặng Thị Bé,cc-ct\n\
                 ,\"UBND huyện Nam Giang\",Zơ Râm Đồi,CC-CH\n";
    let expected = [
        ("SNV", "Nguyễn Văn A, con ông \"Ba\"", "a@qn.vn"),
        ("SNNPTNT", "Đặng Thị Bé", ""),
        ("H510", "Zơ Râm Đồi", ""),
    ]
    .map(|(u, n, e)| (u.to_owned(), n.to_owned(), e.to_owned()));
    assert_eq!(people(plain.as_bytes(), None), expected);
    let decomposed: String = plain.nfd().collect();
    assert_eq!(people(decomposed.as_bytes(), None), expected);
    let semicolons = format!("\u{feff}{}", plain.replace("con ông", "con-ông").replace(',', ";"));
    assert_eq!(people(semicolons.as_bytes(), None).len(), 3);
}

#[test]
fn units_are_found_as_people_write_them() {
    let round = round();
    let units = units::Units::of(&round);
    let kinds = |group: &str| match &round.group(group).unwrap().sources {
        crate::round::Sources::Kinds(kinds) => kinds.clone(),
        crate::round::Sources::None => Vec::new(),
    };
    let known = [
        ("CC-CT", "snv", "", "SNV"),
        ("CC-CT", "SỞ  NỘI VỤ", "", "SNV"),
        ("CC-CT", "Sở Nội vụ tỉnh Quảng Nam", "", "SNV"),
        ("CC-CT", "Sở GD&ĐT", "", "SGDDT"),
        ("CC-CT", "Sở LĐ-TB&XH tỉnh Quảng Nam", "", "SLDTBXH"),
        ("CC-CT", "Sở VH,TT&DL", "", "SVHTTDL"),
        ("CC-CT", "Sở Văn hoá - Thể thao và Du lịch", "", "SVHTTDL"),
        ("CC-CT", "VP UBND tỉnh", "", "VPUB"),
        ("CC-CH", "Uỷ ban nhân dân TP. Tam Kỳ", "", "H502"),
        ("CC-CH", "tam ky", "", "H502"),
        ("CC-CH", "TX Điện Bàn", "", "H507"),
        ("CC-CH", "H. Tây Giang", "", "H504"),
        ("LĐ-CP", "Phòng Nội vụ - UBND thành phố Tam Kỳ", "", "H502-PNV"),
        ("LĐ-CP", "Phòng Nội vụ", "Tam Kỳ", "H502-PNV"),
        ("LĐ-CP", "Phòng TN&MT TP Tam Kỳ", "", "H502-PTNMT"),
        ("LĐX-CH", "Phường Tân Thạnh", "TP Tam Kỳ", "X20335"),
        ("LĐX-CH", "UBND phường Tân Thạnh", "", "X20335"),
    ];
    for (group, written, parent, code) in known {
        match units.find(written, parent, &kinds(group)) {
            units::Found::One(unit) => assert_eq!(unit.code, code, "{written}"),
            other => panic!("{written}: {other:?}"),
        }
    }
    // Every unit by its own name.
    for unit in &round.units {
        let found = units.find(&unit.name, "", std::slice::from_ref(&unit.kind));
        assert_eq!(found, units::Found::One(unit), "{}", unit.name);
    }
    assert!(matches!(
        units.find("Phòng Nội vụ", "", &kinds("LĐ-CP")),
        units::Found::Several(_) | units::Found::None(_)
    ));
    match units.find("Sở Nội vu và Lao động", "", &kinds("CC-CT")) {
        units::Found::None(alike) => assert!(alike.contains(&"Sở Nội vụ".to_owned()), "{alike:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_faulty_row_is_named_with_its_column() {
    let text = "Họ và tên,Đơn vị,Email,SĐT\n\
                Nguyễn Văn A,Cục Thuế,a@x.vn,905123456\n\
                ,Cục Thuế,b@x.vn,\n\
                =HYPERLINK(1),Cục Thuế,c@x.vn,\n\
                Lê B,Cục Thué X,d@x.vn,\n\
                Lê C,Sở Nội vụ,e@x.vn,\n\
                Lê D,Cục Thuế,,\n\
                Lê E,Cục Thuế,e x@x.vn,\n\
                Lê F,Cục Thuế,f@x.vn; g@x.vn,\n\
                Lê G,Cục Thuế,A@X.VN,\n\
                Nguyễn Văn A,Cục Thuế,a2@x.vn,0905123456\n\
                Lê H,,h@gmail.con,\n";
    let expected = [
        (3, "A Họ và tên", "name_missing"),
        (4, "A Họ và tên", "name_formula"),
        (5, "B Đơn vị", "unit_unknown"),
        (6, "B Đơn vị", "unit_not_source"),
        (7, "C Email", "email_missing"),
        (8, "C Email", "email_invalid"),
        (9, "C Email", "email_invalid"),
        (10, "C Email", "email_double"),
        (12, "B Đơn vị", "unit_missing"),
        (12, "C Email", "email_invalid"),
    ];
    assert_eq!(faults(text, Some("CC-ND")), expected.map(|(row, column, code)| (row, column.to_owned(), code)));
}

#[test]
fn one_person_has_one_place() {
    let heading = "Họ và tên,Đơn vị,Email,Mã phiếu,Điện thoại\n";
    let codes =
        |rows: &str| faults(&format!("{heading}{rows}"), None).into_iter().map(|f| (f.0, f.2)).collect::<Vec<_>>();
    assert_eq!(codes("Lê A,Sở Nội vụ,a@x.vn,CC-CT,\nLê A,Cục Thuế,a@x.vn,CC-ND,\n"), [(3, "person_in_two_groups")]);
    assert_eq!(codes("Lê A,Sở Nội vụ,,CC-CT,\nlê  A,SNV,,CC-CT,\n"), [(3, "person_double")]);
    // Two people of one name are told apart by their telephones, whichever way those are written.
    let two = format!("{heading}Lê A,Sở Nội vụ,,CC-CT,905123456\nLê A,SNV,,CC-CT,0905 123 457\n");
    assert_eq!(people(two.as_bytes(), None).len(), 2);
    assert_eq!(codes("Lê A,Sở Nội vụ,,CC-CT,905123456\nLê A,SNV,,CC-CT,+84 905 123 456\n"), [(3, "person_double")]);
    assert_eq!(codes("Lê A,HĐND tỉnh,,HĐ-CT,\n").len(), 1);
}

#[test]
fn more_people_than_the_plan_has_ballots_are_named() {
    let mut round = round();
    let group = round.groups.iter_mut().find(|group| group.code == "CC-ND").unwrap();
    group.quota = crate::round::Quota::Fixed(2);
    let text = "Họ và tên,Đơn vị,Email\nA A,Cục Thuế,a@x.vn\nB B,Cục Thuế,b@x.vn\nC C,Cục Thuế,c@x.vn\n";
    let grid = Grid::read(text.as_bytes()).unwrap();
    let refused = check(&grid, &Mapping::guess(&grid), &round, Some("CC-ND")).unwrap_err();
    assert_eq!(refused.iter().map(|f| (f.row, f.code)).collect::<Vec<_>>(), [(4, "over_quota")]);
}

#[test]
fn head_counts_and_mended_columns_are_read() {
    let counts = "STT,Mã phiếu,Đơn vị,Số người\n1,CC-CT,Sở Nội vụ,25\n2,LĐX-CH,X20335,6\n";
    match read(counts.as_bytes(), None).unwrap() {
        List::Counts(rows) => assert_eq!(rows.iter().map(|r| r.people).sum::<u32>(), 31),
        List::People(_) => panic!("people"),
    }
    let grid = Grid::read("Người,Nơi\nLê A,Sở Nội vụ\n".as_bytes()).unwrap();
    let mapping = Mapping::guess(&grid);
    assert_eq!(mapping.heading, None);
    let mended = mapping.with("heading=1,name=A,unit=nơi", &grid).unwrap();
    assert_eq!(Mapping::default().with(&mended.words(), &grid).unwrap(), mended);
    assert!(matches!(check(&grid, &mended, &round(), Some("CC-CT")), Ok(List::People(all)) if all.len() == 1));
    assert_eq!(Mapping::default().with("name=ZZ", &grid), Err("name=ZZ".to_owned()));
    assert_eq!(faults("Người,Nơi\nLê A,Sở Nội vụ\n", Some("CC-CT"))[0].2, "column_missing");
}

#[test]
fn a_cell_of_five_megabytes_is_a_fault_of_its_row() {
    let text = format!("Họ và tên,Đơn vị,Email\nLê A,Cục Thuế,a@x.vn\nLê B,{},b@x.vn\n", "x".repeat(5 << 20));
    assert_eq!(
        faults(&text, Some("CC-ND")),
        [(3, "B Đơn vị".to_owned(), "cell_too_long"), (3, "B Đơn vị".to_owned(), "unit_missing")]
    );
    assert!(Grid::read(&vec![b'a'; (8 << 20) + 1]).is_err());
    assert!(Grid::read(b"H\xe1\xbb,\xff").unwrap_err().0.contains("CSV UTF-8"));
    assert!(Grid::read(b"").is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_is_fatal(text in "(Họ và tên|Email|Đơn vị|[,;\t\n\"=@a-zÀ-ỹ0-9. ]){0,60}") {
        static PLAN: std::sync::LazyLock<Round> = std::sync::LazyLock::new(round);
        if let Ok(grid) = Grid::read(text.as_bytes()) {
            let _ = check(&grid, &Mapping::guess(&grid), &PLAN, Some("CC-CT"));
        }
    }
}
