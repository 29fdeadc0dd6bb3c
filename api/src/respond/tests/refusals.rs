//! Everything that is refused says what to do next, keeps what was typed, and stores nothing.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use diesel::connection::SimpleConnection as _;

use super::{FIELDWORK, HOST, places, places_of, with};
use crate::round::{RoundState, advance};

#[actix_web::test]
async fn a_mistyped_code_is_named_without_asking_the_database() {
    for place in places().await {
        let code = place.online();
        place.write(|conn| conn.batch_execute("ALTER TABLE credential RENAME TO elsewhere"));
        let mut browser = place.browser();
        let (last, head) = (code.chars().last().unwrap(), &code[..code.len() - 1]);
        let other = if last == 'A' { 'B' } else { 'A' };
        for (typed, says) in [
            (String::new(), "Xin nhập mã phiếu"),
            ("7K3Q-DM2X".to_owned(), "ông/bà đã nhập 8"),
            (format!("7K3Q-U{}", &code[6..]), "Ký tự thứ 5 (nhóm 2, ký tự 1)"),
            (format!("{head}{other}"), "gõ nhầm hoặc đổi chỗ"),
            (code.replacen(&code[..4], "Đ\u{1F600}<script>", 1), "Ký tự thứ 1 "),
            ("\u{202e}\0\u{0301}'; DROP TABLE credential; --".to_owned(), "Lỗi: "),
            ("9".repeat(100_000), "Mã phiếu có 24 ký tự"),
        ] {
            let page = browser.post("/p", &[("ma", &typed)]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{says}");
            assert!(page.body.contains(says) && page.body.contains("<title>Lỗi: "), "{says}");
            assert!(!page.body.contains("<script>") && browser.cookie.is_none());
        }
        let kept = browser.post("/p", &[("ma", "7k3q dm2x")]).await;
        assert!(kept.body.contains("value=\"7k3q dm2x\""), "what was typed is kept");
        // The well-formed code does need the database.
        assert_eq!(browser.post("/p", &[("ma", &code)]).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[actix_web::test]
async fn unknown_codes_run_out_and_known_ones_do_not() {
    for place in places().await {
        let known = place.online();
        let mut browser = place.browser();
        let unknown = "0000-0000-0000-0000-0000-0000";
        let page = browser.post("/p", &[("ma", unknown)]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", place.test.backend);
        assert!(page.body.contains("Không có mã phiếu này") && browser.cookie.is_none());
        let mut last = StatusCode::OK;
        for _ in 0..80 {
            last = browser.post("/p", &[("ma", unknown)]).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(browser.post("/p", &[("ma", "7K3Q")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(browser.post("/p", &[("ma", &known)]).await.status, StatusCode::SEE_OTHER);
    }
}

#[actix_web::test]
async fn codes_that_cannot_answer_are_told_why() {
    for place in places().await {
        let mut browser = place.browser();
        for (code, status, says) in [
            (place.code("CC-CT/SNV", "online", "revoked"), StatusCode::GONE, "đã bị thu hồi"),
            (place.code("HĐ-CT/SNV", "paper", "issued"), StatusCode::CONFLICT, "phiếu giấy"),
        ] {
            let page = browser.post("/p", &[("ma", &code)]).await;
            assert_eq!(page.status, status, "{says}");
            assert!(page.body.contains(says) && page.body.contains("Sở Nội vụ tỉnh Quảng Nam"));
            assert!(browser.cookie.is_none(), "a code that cannot be used is not carried");
        }
        let code = place.online();
        browser.post("/p", &[("ma", &code)]).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        for (time, says) in [("2023-09-14T00:00:00Z", "Chưa đến ngày"), ("2023-10-14T17:00:00Z", "Đã hết hạn")]
        {
            place.at(time);
            for page in [
                browser.get("/p?phan=1").await,
                browser.get("/p/xem-lai").await,
                browser.post("/p?phan=1", &[("c.X1.1", "B")]).await,
                browser.post("/p/xem-lai", &[]).await,
                place.browser().post("/p", &[("ma", &code)]).await,
            ] {
                assert_eq!(page.status, StatusCode::CONFLICT);
                assert!(page.body.contains(says) && page.body.contains("07:00 ngày 15/09/2023"), "{says}");
                assert!(page.body.contains("00:00 ngày 15/10/2023"));
            }
        }
        assert_eq!(place.envelopes(), 0);
        place.at(FIELDWORK);
        let page = browser.get("/p?phan=1").await;
        assert!(page.form().1["c.X1.1"].contains(&("A".to_owned(), true)), "nothing lost, nothing added");
        place.test.db.write_here(|c| advance(c, super::ROUND, RoundState::Open, RoundState::Closed)).unwrap();
        place.test.db.read_here(|c| place.rounds.reread(c).map(|_| ())).unwrap();
        assert!(browser.get("/p").await.body.contains("Đã hết hạn"));
        assert!(browser.get("/").await.body.contains("Hiện không có đợt điều tra nào nhận phiếu"));
    }
}

#[actix_web::test]
async fn a_draft_open_at_the_close_is_told_and_a_grace_lets_it_be_sent() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        let shown = browser.get("/p?phan=1").await;
        assert!(shown.body.contains("đến trước 00:00 ngày 15/10/2023"), "the close is on the page");
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        place.at("2023-10-14T17:00:00Z");
        let page = browser.post("/p?phan=1", &[("c.X1.1", "B"), ("di", "tiep")]).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.body.contains("Phiếu nháp của ông/bà chưa được gửi"), "{}", place.test.backend);
        place.at(FIELDWORK);
    }
    for place in places_of(HOST, &with("[dates]", "grace_minutes = 15")).await {
        let (mut drafted, mut blank) = (place.browser(), place.browser());
        for browser in [&mut drafted, &mut blank] {
            browser.post("/p", &[("ma", &place.online())]).await;
        }
        drafted.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        place.at("2023-10-14T17:05:00Z");
        assert_eq!(blank.post("/p?phan=1", &[("c.X1.1", "A")]).await.status, StatusCode::CONFLICT);
        assert_eq!((blank.get("/p").await.status, place.drafts()), (StatusCode::CONFLICT, 1));
        assert!(drafted.get("/p/xem-lai").await.body.contains("còn gửi được đến trước 00:15 ngày 15/10/2023"));
        assert_eq!(drafted.post("/p?phan=1", &[("c.X1.1", "B"), ("di", "tiep")]).await.location, "/p/xem-lai");
        assert_eq!(drafted.post("/p/xem-lai", &[]).await.location, "/p/xong");
        assert_eq!(place.envelopes(), 1, "{}", place.test.backend);
        place.at(FIELDWORK);
    }
}

#[actix_web::test]
async fn nothing_answered_is_not_cast() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        assert!(browser.get("/p/xem-lai").await.body.contains("chưa trả lời câu nào"));
        let refused = browser.post("/p/xem-lai", &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", place.test.backend);
        assert!(refused.body.contains("Lỗi: chưa có câu nào được trả lời") && refused.body.contains("<title>Lỗi:"));
        assert_eq!(place.envelopes(), 0);
    }
}

#[actix_web::test]
async fn forms_from_another_site_are_refused() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        for path in ["/p?phan=1", "/p/xem-lai", "/thoat", "/p", "/"] {
            for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
                let request = TestRequest::post().uri(path).set_form([("c.X1.1", "E")]).insert_header((name, value));
                assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN, "{path} {name}");
            }
        }
        assert_eq!(place.envelopes(), 0);
        assert!(browser.get("/p?phan=1").await.form().1["c.X1.1"].contains(&("A".to_owned(), true)));
    }
}

#[actix_web::test]
async fn fields_that_do_not_exist_change_nothing_and_are_not_repeated() {
    const CANARY: &str = "con-chim-hoang-yen";
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        for fields in [
            vec![("c.X1.1", CANARY)],
            vec![("c.X1.1", "A"), ("c.X9.9", "A")],
            vec![("c.X1.1", "A"), (CANARY, "A")],
            vec![("c.X1.1", "A"), ("c.X1.1", "B")],
            vec![("c.X1.1", "A"), ("di", CANARY)],
            vec![("c.", "A")],
            vec![("c.X1.1\0", "A")],
            vec![("c.X1.1", "")],
            vec![("c.X1.1", "a")],
            vec![("c.X1.1", "Ａ")],
        ] {
            let refused = browser.post("/p?phan=1", &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", place.test.backend);
            assert!(!refused.body.contains(CANARY) && refused.body.contains("Không thực hiện được"));
        }
        assert_eq!(place.drafts(), 0);
        for path in ["/p?phan=99", "/p?dt=STC&phan=1"] {
            assert_eq!(browser.post(path, &[("c.X1.1", "A")]).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(browser.post("/huong-dan", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[actix_web::test]
async fn reading_changes_nothing() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        for path in ["/", "/p", "/p?phan=3", "/p/xem-lai", "/p/xong", "/thoat", "/huong-dan", "/tro-nang", "/rieng-tu"]
        {
            assert!(!browser.get(path).await.status.is_server_error(), "{path}");
        }
        assert_eq!((place.drafts(), place.envelopes()), (0, 0));
        assert!(browser.cookie.is_some());
    }
}
