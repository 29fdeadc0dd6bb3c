//! `/quan-tri/danh-sach` as a browser sees it: who may, what is shown, what is mended by hand, and that a list comes in
//! whole or not at all.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use rust_xlsxwriter::{Format, Workbook};

use super::*;
use crate::access::Role;
use crate::ceremony::fixture::{BY, Place, ROUND, Reply, Routes, get, places_with_letters};

const ROUTES: Routes = Routes { pages: pages::pages, rest: |_| (), data: |_| () };
const AT: &str = "/quan-tri/danh-sach";

fn uploading(chosen: &str, name: &str, file: &[u8]) -> TestRequest {
    let mut body =
        format!("--ranh-gioi\r\ncontent-disposition: form-data; name=\"nhom\"\r\n\r\n{chosen}\r\n").into_bytes();
    body.extend(
        format!("--ranh-gioi\r\ncontent-disposition: form-data; name=\"tep\"; filename=\"{name}\"\r\n\r\n").bytes(),
    );
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--ranh-gioi--\r\n");
    TestRequest::post()
        .uri(&format!("/khao-sat{AT}"))
        .insert_header(("content-type", "multipart/form-data; boundary=ranh-gioi"))
        .set_payload(body)
}

fn posting(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(&format!("/khao-sat{path}")).set_form(fields)
}

/// Uploads for CC-ND and gives back the path of the review.
async fn upload(place: &Place, who: &Cookie<'static>, file: &[u8]) -> String {
    let sent = uploading(&format!("{ROUND}/CC-ND"), "danh sách.csv", file).cookie(who.clone());
    let reply = place.ask(ROUTES, sent).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").strip_prefix("/khao-sat").unwrap().to_owned()
}

async fn seen(place: &Place, who: &Cookie<'static>, path: &str) -> Reply {
    place.ask(ROUTES, get(path).cookie(who.clone())).await
}

fn people(place: &Place) -> Vec<(String, String)> {
    let all = place.test.db.read_here(|conn| addressee::all(conn, ROUND)).unwrap();
    all.into_iter().map(|one| (one.name, one.source_unit)).collect()
}

#[actix_web::test]
async fn columns_are_chosen_by_hand_over_a_preview_and_the_list_comes_in_whole() {
    for place in places_with_letters() {
        let who = place.session(Role::Supervisor).await;
        let file = "Khảo sát năm 2023,,\nNgười,Nơi,Hòm\n\"Lê Văn A, “con”\",Cục Thuế,a@x.vn\nLê B,BHXH tỉnh,b@x.vn\n";
        let path = upload(&place, &who, file.as_bytes()).await;
        let first = seen(&place, &who, &path).await;
        for words in ["chỗ phải sửa", "Các dòng của tệp", "Lê Văn A, “con”", "Cục Thuế"] {
            assert!(first.text().contains(words), "{words}");
        }
        assert!(!first.text().contains("Nhập danh sách này"), "nothing to confirm");
        let columns = [("nhom", "CC-ND"), ("heading", "2"), ("name", "A"), ("unit", "B"), ("email", "C")];
        let change =
            |key: &'static str, value: &'static str| columns.map(|(k, v)| if k == key { (k, value) } else { (k, v) });
        for (fields, words) in [
            (change("heading", "hai"), "phải là số của một dòng"),
            (change("name", "ZZ"), "mỗi cột phải có trong tệp"),
            (change("name", "B"), "Một cột được chọn cho hai mục"),
        ] {
            let refused = place.ask(ROUTES, posting(&path, &fields).cookie(who.clone())).await;
            assert!(refused.status == 422 && refused.text().contains(words), "{fields:?} {}", refused.text());
        }
        let unknown = place.ask(ROUTES, posting(&path, &change("nhom", "XX")).cookie(who.clone())).await;
        assert_eq!(unknown.status, 404);
        assert_eq!(place.ask(ROUTES, posting(&path, &columns).cookie(who.clone())).await.status, 303);
        let good = seen(&place, &who, &path).await;
        for words in [
            "Không có lỗi.",
            "2 người, nhóm CC-ND",
            "thêm 2, sửa 0, bỏ 0",
            "Cục Thuế",
            "Nhập danh sách này",
            "A: Người",
        ] {
            assert!(good.text().contains(words), "{words} in {}", good.text());
        }
        assert!(people(&place).is_empty(), "a look changes nothing");
        // Somebody else's list is not there, whatever their role.
        let other = place.session(Role::Administrator).await;
        assert_eq!(seen(&place, &other, &path).await.status, 404);
        let taken = place.ask(ROUTES, posting(&format!("{path}/nhap"), &[]).cookie(other.clone())).await;
        assert_eq!(taken.status, 404);
        let done = place.ask(ROUTES, posting(&format!("{path}/nhap"), &[]).cookie(who.clone())).await;
        assert_eq!((done.status, done.header("location")), (303, "/khao-sat/quan-tri/danh-sach?nhap=2"));
        let expected = [("Lê B", "BHXH"), ("Lê Văn A, “con”", "CT")].map(|(n, u)| (n.to_owned(), u.to_owned()));
        assert_eq!(people(&place), expected);
        assert_eq!(place.details("roster.imported"), ["groups=CC-ND people=2 added=2 rewritten=0 removed=0"]);
        assert!(seen(&place, &who, &format!("{AT}?nhap=2")).await.text().contains("Đã nhập danh sách 2 người."));
        assert_eq!(seen(&place, &who, &path).await.status, 404, "the file is gone");
    }
}

#[actix_web::test]
async fn an_offices_workbook_comes_in_as_it_is() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.merge_range(0, 0, 0, 3, "DANH SÁCH CÔNG CHỨC", &Format::new()).unwrap();
    for (column, heading) in ["Họ và tên", "Đơn vị công tác", "Số ĐT", "E-mail"].iter().enumerate() {
        sheet.write_string(2, u16::try_from(column).unwrap(), *heading).unwrap();
    }
    sheet.write_string(3, 0, " Lê  C ").unwrap();
    sheet.write_string(3, 1, "Cục thuế tỉnh").unwrap();
    sheet.write_number(3, 2, 905_123_456.0).unwrap();
    sheet.write_string(3, 3, "c@x.vn").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    for place in places_with_letters() {
        let who = place.session(Role::Administrator).await;
        let path = upload(&place, &who, &bytes).await;
        let shown = seen(&place, &who, &path).await;
        assert!(shown.text().contains("1 người, nhóm CC-ND"), "{}", shown.text());
        place.ask(ROUTES, posting(&format!("{path}/nhap"), &[]).cookie(who.clone())).await;
        assert_eq!(people(&place), [("Lê C".to_owned(), "CT".to_owned())]);
    }
}

#[actix_web::test]
async fn every_faulty_row_is_named_and_can_be_downloaded() {
    for place in places_with_letters() {
        let who = place.session(Role::Supervisor).await;
        let mut file = "Họ và tên,Đơn vị,Email\nLê A,Cục Thuế,a@x.vn\n=1+1,Cục Thuế,b@x.vn\nLê C,Cục Than,c@x.vn\n\
                        \"Lê D, \"\"Út\"\"\",Cục Thuế,\nLê E,Cục Thuế,a@x.vn\n"
            .to_owned();
        file += &format!("Lê G,{},g@x.vn\n", "x".repeat(5 << 20));
        let path = upload(&place, &who, file.as_bytes()).await;
        let shown = seen(&place, &who, &path).await;
        for (row, reason) in [
            (3, "bắt đầu bằng dấu của công thức"),
            (4, "Đợt điều tra không có đơn vị này"),
            (5, "Thiếu địa chỉ thư điện tử"),
            (6, "đã có ở dòng 2"),
            (7, "Ô dài từ"),
        ] {
            let line = format!("<th scope=\"row\">{row}</th>");
            let at = shown.text().find(&line).unwrap_or_else(|| panic!("{row}"));
            let line = shown.text()[at..].split("</tr>").next().unwrap();
            assert!(line.contains(reason), "{reason}: {line}");
        }
        assert!(shown.body.len() < 60_000, "a huge cell is not sent back");
        let csv = seen(&place, &who, &format!("{path}/loi.csv")).await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(csv.header("content-disposition").starts_with("attachment"));
        assert!(csv.text().starts_with("\u{feff}Dòng,Cột,Giá trị,Lý do,Mã lỗi"));
        assert!(csv.text().contains("3,A Họ và tên,'=1+1,") && csv.text().contains(",email_double"), "{}", csv.text());
        // Confirming a list with faults leads back to them.
        let refused = place.ask(ROUTES, posting(&format!("{path}/nhap"), &[]).cookie(who.clone())).await;
        assert_eq!((refused.status, refused.header("location")), (303, format!("/khao-sat{path}").as_str()));
        assert!(people(&place).is_empty() && place.details("roster.imported").is_empty());
        // What another list has changed meanwhile is seen before the import.
        let two = upload(&place, &who, "Họ và tên,Đơn vị,Email,Mã phiếu\nLê A,SNV,a@x.vn,CC-CT\n".as_bytes()).await;
        assert_eq!(seen(&place, &who, &path).await.status, 404, "one list a person");
        place
            .ask(
                ROUTES,
                posting(
                    &two,
                    &[("nhom", ""), ("heading", "1"), ("name", "A"), ("unit", "B"), ("email", "C"), ("group", "D")],
                )
                .cookie(who.clone()),
            )
            .await;
        assert!(seen(&place, &who, &two).await.text().contains("Không có lỗi."));
        place.invite("Lê A,Cục Thuế,a@x.vn\n");
        let late = place.ask(ROUTES, posting(&format!("{two}/nhap"), &[]).cookie(who.clone())).await;
        assert_eq!(late.header("location"), format!("/khao-sat{two}"));
        assert!(seen(&place, &who, &two).await.text().contains("Mỗi người một nhóm"));
        // Two hundred faults: the page shows the first, the file has all.
        let many = "Lê H,Cục Than,h@x.vn\n".repeat(200);
        let path = upload(&place, &who, format!("Họ và tên,Đơn vị,Email\n{many}").as_bytes()).await;
        assert!(seen(&place, &who, &path).await.text().contains("chỗ khác, có đủ trong bảng tải về"));
        let csv = seen(&place, &who, &format!("{path}/loi.csv")).await;
        assert!(csv.text().lines().filter(|line| line.contains("unit_unknown")).count() == 200);
        assert_eq!(place.ask(ROUTES, posting(&format!("{path}/bo"), &[]).cookie(who.clone())).await.status, 303);
        assert_eq!(seen(&place, &who, &path).await.status, 404, "discarded");
    }
}

#[actix_web::test]
async fn people_and_head_counts_are_refused_where_the_plan_has_no_place_for_them() {
    let place = places_with_letters().next().unwrap();
    let who = place.session(Role::Supervisor).await;
    let file = "Họ và tên,Đơn vị,Mã phiếu\nLê A,HĐND tỉnh,HĐ-CT\n";
    let chosen = format!("{ROUND}/");
    let sent = place.ask(ROUTES, uploading(&chosen, "x.csv", file.as_bytes()).cookie(who.clone())).await;
    let path = sent.header("location").strip_prefix("/khao-sat").unwrap().to_owned();
    let shown = seen(&place, &who, &path).await;
    assert!(shown.text().contains("Chỉ tiêu của nhóm này đã cố định"), "{}", shown.text());
    // Head counts of a group whose letters go to named people.
    let counts = "Mã phiếu,Đơn vị,Số người\nCC-ND,Cục Thuế,4\n";
    let sent = place.ask(ROUTES, uploading(&chosen, "x.csv", counts.as_bytes()).cookie(who.clone())).await;
    let path = sent.header("location").strip_prefix("/khao-sat").unwrap().to_owned();
    assert!(seen(&place, &who, &path).await.text().contains("cần danh sách có họ tên và địa chỉ thư"));
    // The same as plain head counts, by command; the people who are there stay.
    place.invite("Lê A,Cục Thuế,a@x.vn\n");
    let import = |csv: &[u8]| {
        place.test.db.write_here(|conn| {
            let round = place.rounds.get(conn, ROUND).unwrap();
            super::super::import_roster(conn, &round, csv)
        })
    };
    match import(b"respondent_code,unit_code,people\nCC-ND,CT,4\n") {
        Err(CredentialError::Roster(faults)) => assert_eq!(faults[0].code, "needs_people"),
        other => panic!("{}", other.is_ok()),
    }
    import(b"respondent_code,unit_code,people\nCC-CT,SNV,4\n").unwrap();
    let counts = place.test.db.read_here(|conn| Ok::<_, crate::db::DbError>(super::super::store::roster(conn, ROUND)?));
    let pairs: Vec<(String, u64)> = counts.unwrap().into_iter().map(|((group, _), n)| (group, n)).collect();
    assert_eq!(pairs, [("CC-CT".to_owned(), 4), ("CC-ND".to_owned(), 1)]);
}

#[actix_web::test]
async fn what_is_no_list_is_said_and_only_who_leads_may() {
    for place in places_with_letters() {
        let who = place.session(Role::Supervisor).await;
        let chosen = format!("{ROUND}/CC-ND");
        let too_large = vec![b'a'; survey_forms::roster::grid::BYTES_MAX + 1];
        for (file, words) in [
            (&b"H\xe1\xbb,\xff"[..], "CSV UTF-8"),
            (b"", "không có dòng nào"),
            (b"PK\x03\x04 broken", "hỏng"),
            (&too_large, "lớn hơn 8 MiB"),
        ] {
            let reply = place.ask(ROUTES, uploading(&chosen, "x.csv", file).cookie(who.clone())).await;
            assert!(reply.status == 422 && reply.text().contains(words), "{words}: {} {}", reply.status, reply.text());
        }
        let file = "Họ và tên,Đơn vị,Email\nLê A,Cục Thuế,a@x.vn\n".as_bytes();
        for (chosen, status) in [("", 400), ("khong-co/CC-ND", 404), (&format!("{ROUND}/XX"), 404)] {
            let reply = place.ask(ROUTES, uploading(chosen, "x.csv", file).cookie(who.clone())).await;
            assert_eq!(reply.status, status, "{chosen}");
        }
        let path = upload(&place, &who, file).await;
        for role in [Role::Clerk, Role::Adjudicator, Role::Observer, Role::Auditor] {
            let other = place.session(role).await;
            for request in [
                get(AT),
                get(&path),
                get(&format!("{path}/loi.csv")),
                posting(&format!("{path}/nhap"), &[]),
                uploading(&chosen, "x.csv", file),
            ] {
                assert_eq!(place.ask(ROUTES, request.cookie(other.clone())).await.status, 403, "{role:?}");
            }
        }
        assert_eq!(place.ask(ROUTES, get(AT)).await.status, 303, "sign in first");
        // After the close nobody is invited any more, and the list that waited is gone with the people.
        place.issue("CC-CT", Some("SNV"), Some(1));
        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        place.ceremony.close(&BY, ROUND).unwrap();
        place.state();
        let late = place.ask(ROUTES, uploading(&chosen, "x.csv", file).cookie(who.clone())).await;
        assert_eq!(late.status, 409);
        assert_eq!(seen(&place, &who, &path).await.status, 404);
        assert!(people(&place).is_empty());
    }
}
