//! The page of the print room as a browser sees it: who may, once, again, and what is refused.

use actix_web::test::TestRequest;
use actix_web::web;

use super::pages::CodesForm;
use super::*;
use crate::access::{Role, audit};
use crate::ballot::{CredentialState, Keys, find};
use crate::ceremony::fixture::{Place, ROUND, Reply, Routes, get, places};
use crate::credential::{self, Selection};

const ROUTES: Routes = Routes { pages, rest: |_| (), data: |_| () };

fn asking(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(&format!("/khao-sat/quan-tri/in/{ROUND}/{path}")).set_form(fields)
}

/// A document to keep, under a name of its own, that no cache keeps.
fn is_pdf(reply: &Reply) -> bool {
    if reply.status != 200 {
        return false;
    }
    let disposition = reply.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename*=UTF-8''"), "{disposition}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-type"), "application/pdf");
    reply.body.starts_with(b"%PDF-1.7") && reply.body.ends_with(b"%%EOF")
}

fn trail(place: &Place, action: &str) -> Vec<String> {
    let lines = place.test.db.read_here(|conn| audit::read(conn, None, 100)).unwrap();
    lines.into_iter().filter(|line| line.action == action).map(|line| line.detail).collect()
}

#[actix_web::test]
async fn a_list_is_handed_over_once_and_again_only_when_confirmed() {
    for place in places() {
        let supervisor = place.session(Role::Supervisor).await;
        let ask =
            async |fields: &[(&str, &str)]| place.ask(ROUTES, asking("ma", fields).cookie(supervisor.clone())).await;
        let first = ask(&[("nhom", "LĐS-CT"), ("kho", "a4")]).await;
        assert!(is_pdf(&first), "{} {}", first.status, place.test.backend);
        assert_eq!(trail(&place, "codes.issued"), ["group=LĐS-CT count=36 revoked=0 pdf"]);

        let again = ask(&[("nhom", "LĐS-CT")]).await;
        assert_eq!(again.status, 409);
        assert!(again.text().contains("hủy 36 mã chưa dùng"), "{}", again.text());
        assert_eq!(trail(&place, "codes.issued").len(), 1, "nothing was done");

        let confirmed = ask(&[("nhom", "LĐS-CT"), ("lai", "co")]).await;
        assert!(is_pdf(&confirmed));
        assert!(trail(&place, "codes.issued").contains(&"group=LĐS-CT count=36 revoked=36 pdf".to_owned()));

        let slips = ask(&[("nhom", "CC-CT"), ("don_vi", "SNV"), ("so_ma", "9")]).await;
        assert!(is_pdf(&slips));
    }
}

#[actix_web::test]
async fn a_long_list_tells_how_far_it_is_and_ends_with_its_files() {
    let place = places().next().unwrap();
    let supervisor = place.session(Role::Supervisor).await;
    let fields = [("nhom", "CC-CT"), ("don_vi", "SNV"), ("so_ma", "504")];
    let reply = place.ask(ROUTES, asking("ma", &fields).cookie(supervisor)).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!((reply.header("content-encoding"), reply.header("cache-control")), ("identity", "no-store"));
    let (before, after) = reply.text().split_once("Đã in 504 mã").unwrap();
    let steps: Vec<usize> =
        before.split("<p>Đã vẽ ").skip(1).map(|step| step.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(steps.len() > 20 && steps.is_sorted() && steps.last() == Some(&504), "{steps:?}");
    let links: Vec<&str> = after.split("href=\"data:application/pdf;base64,").skip(1).collect();
    assert_eq!(links.len(), 1);
    let pdf = data_encoding::BASE64.decode(links[0].split('"').next().unwrap().as_bytes()).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
    assert!(after.contains("Tải tệp 1/1: Sở Nội vụ") && after.trim_end().ends_with("</html>"));
    assert_eq!(trail(&place, "codes.issued"), ["group=CC-CT count=504 revoked=0 pdf"]);
    let round = place.test.db.read_here(|conn| place.rounds.get(conn, ROUND)).unwrap();
    let all = Selection { respondent_code: Some("CC-CT"), source_unit: None, count: None };
    let standing = place.test.db.read_here(|conn| credential::standing(conn, &round, all)).unwrap();
    assert_eq!(standing.unused, 504);
}

/// Whoever leaves the page before its end has no codes.
#[test]
fn a_list_that_nobody_waits_for_does_not_count() {
    for place in places() {
        let fields = "nhom=CC-CT&don_vi=SNV&so_ma=30";
        let job = job::Job {
            db: place.test.db.clone(),
            rounds: place.rounds.clone(),
            entropy: place.entropy.clone(),
            actor: crate::ceremony::fixture::BY,
            base: BaseUrl::parse("https://cchc.example").unwrap(),
            id: ROUND.to_owned(),
            count: Some(30),
            wanted: web::Query::<CodesForm>::from_query(fields).unwrap().into_inner(),
        };
        let begun = job.begin().ok().unwrap();
        assert!(matches!(job.finish(begun, 10, &mut |drawn| drawn < 16), Err(job::Halt::Gone)));
        assert!(trail(&place, "codes.issued").is_empty(), "{}", place.test.backend);
        let begun = job.begin().ok().unwrap();
        let (made, files) = job.finish(begun, 10, &mut |_| true).ok().unwrap();
        assert_eq!((made.codes.len(), files.len()), (30, 3));
    }
}

#[actix_web::test]
async fn what_cannot_be_printed_is_said_and_nothing_is_made() {
    for place in places() {
        let supervisor = place.session(Role::Supervisor).await;
        for (fields, status, words) in [
            (vec![("nhom", "XX")], 404, "không có nhóm đối tượng"),
            (vec![("nhom", "CC-CT"), ("don_vi", "KHONG-CO")], 404, "không có nhóm đối tượng"),
            (vec![("nhom", "CC-CT")], 409, "chưa có danh sách"),
            (vec![("nhom", "CC-CT"), ("so_ma", "0")], 422, "số từ 1 trở lên"),
            (vec![("nhom", "CC-CT"), ("so_ma", "ba")], 422, "số từ 1 trở lên"),
            (vec![("nhom", "CC-CT"), ("so_ma", "999")], 409, "tối đa 10000 mã"),
            (vec![("nhom", "HĐ-CT"), ("so_ma", "31")], 409, "được phép 30 mã"),
        ] {
            let reply = place.ask(ROUTES, asking("ma", &fields).cookie(supervisor.clone())).await;
            assert_eq!(reply.status, status, "{fields:?} {}", reply.text());
            assert!(reply.text().contains(words), "{fields:?} {}", reply.text());
        }
        let reply = place.ask(ROUTES, asking("to", &[("to", "bundles")]).cookie(supervisor.clone())).await;
        assert_eq!(reply.status, 409, "no bundle, no cover");
        assert!(trail(&place, "codes.issued").is_empty() && trail(&place, "print.sheet").is_empty());
        for role in [Role::Clerk, Role::Adjudicator, Role::Observer] {
            let other = place.session(role).await;
            let refused = place.ask(ROUTES, asking("ma", &[("nhom", "HĐ-CT")]).cookie(other.clone())).await;
            assert_eq!(refused.status, 403, "{role:?}");
            let path = format!("/quan-tri/in/{ROUND}");
            assert_eq!(place.ask(ROUTES, get(&path).cookie(other)).await.status, 403, "{role:?}");
        }
        let nobody = place.ask(ROUTES, asking("ma", &[("nhom", "HĐ-CT")])).await;
        assert_eq!(nobody.status, 303, "sign in first");
    }
}

#[actix_web::test]
async fn the_page_lists_groups_and_sheets_come_out_of_the_desks_state() {
    for place in places() {
        let administrator = place.session(Role::Administrator).await;
        place.issue("HĐ-CT", None, None);
        let shown = place.ask(ROUTES, get(&format!("/quan-tri/in/{ROUND}")).cookie(administrator.clone())).await;
        assert_eq!(shown.status, 200);
        for words in ["In lại HĐ-CT", "In LĐS-CT", "A3 ngang", "Biên bản bàn giao", "8 phiếu một trang"] {
            assert!(shown.text().contains(words), "{words}");
        }
        for one in Sheet::ALL {
            let fields = [("to", one.as_str()), ("nhom", "HĐ-CT")];
            let reply = place.ask(ROUTES, asking("to", &fields).cookie(administrator.clone())).await;
            assert!(is_pdf(&reply), "{one:?} {}", reply.status);
        }
        assert_eq!(trail(&place, "print.sheet").len(), 4);
        let path = format!("/quan-tri/dot/{ROUND}/xem/HĐ-CT/ban-in.pdf");
        let uri = path.replace("HĐ", "H%C4%90");
        assert!(is_pdf(&place.ask(ROUTES, get(&uri).cookie(administrator)).await));
    }
}

#[test]
fn a_list_in_every_format_holds_every_code_and_only_one_kind_of_paper() {
    let place = places().next().unwrap();
    let codes = place.issue_all();
    let round = place.test.db.read_here(|conn| place.rounds.get(conn, ROUND)).unwrap();
    let base = BaseUrl::parse("https://cchc.example/khao-sat").unwrap();
    let write = |codes: &[IssuedCode], format| {
        let layout = Layout::default();
        write_codes(&round, codes, &base, round.closes_at, (format, layout), &mut |_| ())
    };
    assert!(matches!(write(&codes, Format::Pdf), Err(PressError::TwoPapers)));
    assert!(matches!(write(&[], Format::Pdf), Err(PressError::Print(PrintError::Empty))));
    let csv = String::from_utf8(write(&codes, Format::Csv).unwrap().bytes).unwrap();
    for code in &codes {
        assert!(csv.contains(code.token.expose().as_str()));
    }
    let xlsx = write(&codes, Format::Xlsx).unwrap().bytes;
    assert!(xlsx.starts_with(b"PK"), "a workbook is a zip");
    let (paper, online): (Vec<_>, Vec<_>) = codes.into_iter().partition(|code| code.sheet.is_some());
    let written = write(&paper, Format::Pdf).unwrap();
    let boxes = String::from_utf8(written.boxes.unwrap()).unwrap();
    assert!(boxes.contains("HĐ-CT · Bó 01 · phiếu 30/30"));
    for code in &paper {
        assert!(!boxes.contains(code.token.digits().as_str()) && !boxes.contains(code.token.expose().as_str()));
    }
    assert!(write(&online, Format::Pdf).unwrap().boxes.is_none());
    let state = place.test.db.read_here(|conn| find(conn, &place.rounds, &online[0].token)).unwrap();
    assert!(matches!(state.state, CredentialState::Issued));
    assert_eq!(state.keys.public, Keys::derive(&online[0].token, ROUND).public);
}
