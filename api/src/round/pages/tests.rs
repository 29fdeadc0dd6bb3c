//! A folder's way from the upload to the round, as browsers see it.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use survey_forms::{RoundFiles, quang_nam_2023};

use super::super::archive::tests::zipped;
use super::*;
use crate::access::Role;
use crate::access::audit;
use crate::ceremony::fixture::{BY, Place, ROUND, Reply, Routes, get, places};
use crate::round::load;

const ROUTES: Routes = Routes { pages, rest: |_| (), data: |_| () };
const BOUNDARY: &str = "----ranh-gioi";

/// The plan's folder with one change.
fn changed(path: &str, from: &str, to: &str) -> RoundFiles {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(from), "{from}");
    files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
    files
}

fn form(content: &[u8], field: &str) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"dot.zip\"\r\n\
         Content-Type: application/zip\r\n\r\n"
    );
    [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

fn posting(body: Vec<u8>) -> TestRequest {
    TestRequest::post()
        .uri("/khao-sat/quan-tri/dot")
        .insert_header(("content-type", format!("multipart/form-data; boundary={BOUNDARY}")))
        .set_payload(body)
}

async fn send(place: &Place, who: &Cookie<'static>, files: &RoundFiles) -> Reply {
    place.ask(ROUTES, posting(form(&zipped(files, "dot/"), FIELD)).cookie(who.clone())).await
}

async fn read(place: &Place, who: &Cookie<'static>, path: &str) -> Reply {
    place.ask(ROUTES, get(path).cookie(who.clone())).await
}

async fn act(place: &Place, who: &Cookie<'static>, path: &str, hash: &str) -> Reply {
    let request = TestRequest::post().uri(&format!("/khao-sat{path}")).set_form([("hash", hash)]);
    place.ask(ROUTES, request.cookie(who.clone())).await
}

/// Where a page leads, below the site.
fn led_to(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").strip_prefix("/khao-sat").unwrap().to_owned()
}

fn hash_on(reply: &Reply) -> String {
    let text = reply.text();
    let at = text.find("name=\"hash\" value=\"").expect("the form to confirm") + "name=\"hash\" value=\"".len();
    text[at..at + 64].to_owned()
}

fn trail(place: &Place) -> Vec<(String, String, String)> {
    let entries = place.test.db.read_here(|conn| audit::read(conn, None, 100)).unwrap();
    let of_rounds = entries.into_iter().filter(|e| e.action.starts_with("round."));
    let mut all: Vec<_> = of_rounds.map(|e| (e.action, e.actor, e.detail)).collect();
    // The test's clock stands still.
    all.sort();
    all
}

fn count(place: &Place) -> usize {
    place.test.db.read_here(|conn| place.rounds.reread(conn)).unwrap().len()
}

#[actix_web::test]
async fn a_folder_is_loaded_by_two_persons_who_saw_the_same_hash() {
    for place in places() {
        let (one, other) = (place.session(Role::Administrator).await, place.session(Role::Supervisor).await);
        let path = led_to(&send(&place, &one, &changed("round.toml", ROUND, "dot-moi")).await);
        assert!(path.starts_with("/quan-tri/de-xuat/"), "{path}");

        let own = read(&place, &one, &path).await;
        assert!(own.text().contains("phải do một quản trị viên hoặc phụ trách điều tra khác làm"), "{}", own.text());
        assert!(!own.text().contains("/xac-nhan"));
        let page = read(&place, &other, &path).await;
        for words in
            ["dot-moi", "Ai đánh giá cơ quan nào", "đánh giá chính cơ quan mình", "2 phiếu cho mỗi cơ quan", "Thang L5"]
        {
            assert!(page.text().contains(words), "{words}");
        }
        let hash = hash_on(&page);
        assert!(own.text().contains(&hash), "both see the hash");

        let confirm = format!("{path}/xac-nhan");
        let refused = act(&place, &one, &confirm, &hash).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text().contains("proposal_same_person"));
        let refused = act(&place, &other, &confirm, &"0".repeat(64)).await;
        assert!(refused.status == 409 && refused.text().contains("proposal_changed"));
        assert_eq!(count(&place), 1, "{}", place.test.backend);

        assert_eq!(led_to(&act(&place, &other, &confirm, &hash).await), "/quan-tri/dot?kq=nap");
        assert_eq!(count(&place), 2, "{}", place.test.backend);
        let again = act(&place, &other, &confirm, &hash).await;
        assert!(again.status == 409 && again.text().contains("proposal_settled"));
        assert_eq!(act(&place, &other, &format!("{path}/rut-lai"), "").await.status, 409);

        let trail = trail(&place);
        let [loaded, proposed] = trail.as_slice() else { panic!("{trail:?}") };
        assert_eq!((&*proposed.0, &*proposed.1), ("round.proposed", "staff:administrator"));
        assert_eq!((&*loaded.0, &*loaded.1), ("round.loaded", "staff:supervisor"));
        assert!(loaded.2.contains(&hash) && loaded.2.contains("proposed_by=administrator"));
        let list = read(&place, &other, "/quan-tri/dot").await;
        assert!(list.text().contains("Đã nạp") && !list.text().contains("type=\"file\""), "only administrators upload");
        let shown = read(&place, &other, "/quan-tri/dot/dot-moi").await;
        assert!(shown.status == 200 && shown.text().contains(&hash));
    }
}

#[actix_web::test]
async fn every_fault_is_named_in_vietnamese_and_a_folder_with_errors_is_never_loaded() {
    for place in places() {
        let (one, other) = (place.session(Role::Administrator).await, place.session(Role::Supervisor).await);
        let mut files = changed("round.toml", "k = 10", "k = 4");
        files.insert("targets.tsv".to_owned(), b"target_code\tkind\tname\nSNV\tso\tx\n".to_vec());
        files.insert("units.tsv".to_owned(), b"unit_code\nS\xeb N\xe9i v\xf4\n".to_vec());
        files.insert("ghi-chu.txt".to_owned(), b"x".to_vec());
        let path = led_to(&send(&place, &one, &files).await);
        let page = read(&place, &one, &path).await;
        let (errors, warnings) = page.text().split_once("Nên xem lại (").unwrap();
        for words in ["lỗi phải sửa", "targets.tsv", "dòng 1", "Thiếu cột target_kind", "TCVN3 (ABC)", "dòng 2"]
        {
            assert!(errors.contains(words), "{words}: {}", page.text());
        }
        assert!(warnings.contains("ghi-chu.txt") && warnings.contains("không được đọc"));
        let forged = act(&place, &other, &format!("{path}/xac-nhan"), "").await;
        assert!(forged.status == 409 && forged.text().contains("proposal_faulty"));
        assert_eq!(led_to(&act(&place, &other, &format!("{path}/rut-lai"), "").await), "/quan-tri/dot?kq=rut");
        let acts: Vec<String> = trail(&place).into_iter().map(|(act, ..)| act).collect();
        assert_eq!(acts, ["round.proposal_withdrawn", "round.proposed"]);
        assert!(read(&place, &one, &path).await.text().contains("Đã rút lại"));
        assert_eq!(count(&place), 1);
    }
}

#[actix_web::test]
async fn a_round_whose_codes_are_out_keeps_its_folder_and_the_reason_is_said() {
    for place in places() {
        let (one, other) = (place.session(Role::Administrator).await, place.session(Role::Supervisor).await);
        let same = send(&place, &one, &quang_nam_2023()).await;
        assert_eq!(led_to(&same), "/quan-tri/dot?kq=trung");
        let said = read(&place, &one, "/quan-tri/dot?kq=trung").await;
        assert!(said.text().contains("giống hệt bản đã nạp"));

        let reworded = changed("scales.tsv", "\tTốt\t", "\tKhá tốt\t");
        let path = led_to(&send(&place, &one, &reworded).await);
        let page = read(&place, &other, &path).await;
        let changes = page.text().matches("<li>Đổi ").count();
        assert!(page.text().contains("thang L5, phương án B, lời: từ “Tốt” thành “Khá tốt”"), "{}", page.text());
        assert_eq!(changes, page.text().matches(", lời: từ “Tốt”").count(), "nothing else differs");
        let hash = hash_on(&page);

        place.issue("CC-CT", Some("SNV"), Some(1));
        let late = act(&place, &other, &format!("{path}/xac-nhan"), &hash).await;
        assert!(late.status == 409 && late.text().contains("round_frozen"), "{}", late.text());
        let page = read(&place, &other, &path).await;
        assert!(page.text().contains("kể cả sửa câu chữ") && !page.text().contains("/xac-nhan"));
        let refused = send(&place, &one, &reworded).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text().contains("đợt mới với mã đợt khác"));

        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        assert_eq!(send(&place, &one, &reworded).await.status, 409);
        assert_eq!(led_to(&send(&place, &one, &quang_nam_2023()).await), "/quan-tri/dot?kq=trung");
        let by_command = place.test.db.write_here(|conn| load(conn, &reworded)).unwrap_err();
        assert!(by_command.to_string().contains("everybody must answer the same words"), "{by_command}");
        place.test.db.write_here(|conn| load(conn, &quang_nam_2023())).expect("the same folder again changes nothing");
        assert_eq!(place.state().as_str(), "open");
    }
}

#[actix_web::test]
async fn an_upload_that_is_no_folder_is_answered_in_vietnamese_and_keeps_nothing() {
    for place in places().take(1) {
        let one = place.session(Role::Administrator).await;
        let ask = async |request: TestRequest| place.ask(ROUTES, request.cookie(one.clone())).await;
        let whole = zipped(&quang_nam_2023(), "");
        let cut = form(&whole, FIELD);
        for (request, status, words) in [
            (posting(form(b"%PDF-1.7", FIELD)), 422, "không phải tệp .zip"),
            (posting(form(b"", FIELD)), 422, "không phải tệp .zip"),
            (posting(form(&whole[..whole.len() / 2], FIELD)), 422, "bị hỏng hoặc thiếu"),
            (posting(form(&vec![0; ARCHIVE_BYTES_MAX + 1], FIELD)), 413, "lớn hơn 8 MiB"),
            (posting(vec![b'x'; 10]), 400, "Kết nối bị ngắt"),
            (posting(cut[..cut.len() / 2].to_vec()), 400, "Kết nối bị ngắt"),
            (posting(form(&whole, "khac")), 400, "không đúng định dạng"),
            (posting(form(&whole, FIELD)).insert_header(("content-type", "application/zip")), 415, "Kiểu dữ liệu"),
            (posting(form(&whole, FIELD)).insert_header(("sec-fetch-site", "cross-site")), 403, ""),
        ] {
            let reply = ask(request).await;
            assert_eq!(reply.status, status, "{words}: {}", reply.text());
            assert!(reply.text().contains(words), "{words}: {}", reply.text());
            if [422, 413].contains(&status) {
                assert!(reply.text().contains("<title>Lỗi: ") && reply.text().contains("aria-invalid"), "{words}");
            }
        }
        let rows = place.test.db.read_here(proposal::list).unwrap();
        assert_eq!(rows, []);
        assert_eq!(read(&place, &one, "/quan-tri/de-xuat/khong-co").await.status, 404);
        assert_eq!(read(&place, &one, "/quan-tri/dot/khong-co").await.status, 404);
    }
}

#[actix_web::test]
async fn only_administrators_upload_and_the_field_staff_see_nothing() {
    for place in places().take(1) {
        let zip = form(&zipped(&quang_nam_2023(), ""), FIELD);
        for role in [Role::Supervisor, Role::Clerk, Role::Adjudicator, Role::Observer] {
            let who = place.session(role).await;
            assert_eq!(place.ask(ROUTES, posting(zip.clone()).cookie(who.clone())).await.status, 403, "{role:?}");
            let may_read = role == Role::Supervisor;
            assert_eq!(read(&place, &who, "/quan-tri/dot").await.status == 200, may_read, "{role:?}");
        }
        let stranger = place.ask(ROUTES, posting(zip)).await;
        assert_eq!(led_to(&stranger), "/dang-nhap");
    }
}

#[actix_web::test]
async fn so_many_proposals_wait_and_no_more() {
    for place in places().take(1) {
        let one = place.session(Role::Administrator).await;
        let faulty = RoundFiles::from([("round.toml".to_owned(), b"id = 1".to_vec())]);
        for _ in 0..20 {
            led_to(&send(&place, &one, &faulty).await);
        }
        let refused = send(&place, &one, &faulty).await;
        assert!(refused.status == 409 && refused.text().contains("proposals_many"));
    }
}
