//! A form that cannot be taken leads a person to a page of its own, which Back and Reload ask for without sending
//! anything; programs and the page's script get the answer at once.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use super::{Answer, Browser, HOST, Place, kinds, places, places_of};

/// Somebody's browser: it says that it navigates, and keeps the cookie with what is to be told.
struct Person {
    browser: Browser,
    note: Option<Cookie<'static>>,
}

impl Person {
    fn new(place: &Place) -> Self {
        Self { browser: place.browser(), note: None }
    }

    async fn send(&mut self, request: TestRequest) -> Answer {
        let code = self.browser.cookie.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
        let note = self.note.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
        let cookies = code.chain(note).collect::<Vec<_>>().join("; ");
        let request = request.insert_header(("cookie", cookies)).insert_header(("sec-fetch-mode", "navigate"));
        let answer = (self.browser.call)(request.insert_header(("sec-fetch-site", "same-origin"))).await;
        for text in answer.headers.get_all("set-cookie").map(|value| value.to_str().unwrap().to_owned()) {
            let cookie = Cookie::parse(text.clone()).unwrap().into_owned();
            let kept = (!cookie.value().is_empty()).then(|| cookie.clone());
            match cookie.name() {
                "phieu_code" => self.browser.cookie = kept,
                "phieu_loi" => {
                    assert!(text.contains("HttpOnly") && text.contains("SameSite=Strict"), "{text}");
                    self.note = kept;
                }
                other => panic!("an unknown cookie {other}"),
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Sends a form and goes where the answer leads: that page, and the same page asked for once more.
    async fn posts(&mut self, path: &str, fields: &[(&str, &str)]) -> (Answer, Answer) {
        let answer = self.send(TestRequest::post().uri(path).set_form(fields)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
        let told = self.get(&answer.location).await;
        assert!(self.note.is_none(), "{path}: told once");
        (told, self.get(&answer.location).await)
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_code_is_told_by_a_page_of_its_own() {
    for place in places().await {
        let revoked = place.code("CC-CT/SNV", "online", "revoked");
        for (typed, status, says) in [
            ("7k3q <b>", StatusCode::UNPROCESSABLE_ENTITY, "value=\"7k3q &#60;b&#62;\""),
            ("0000-0000-0000-0000-0000-0000", StatusCode::NOT_FOUND, "Không có mã phiếu này"),
            (&revoked, StatusCode::GONE, "đã bị thu hồi"),
            (&place.code("HĐ-CT/SNV", "paper", "issued"), StatusCode::CONFLICT, "phiếu giấy"),
        ] {
            for path in ["/", "/p", "/p?phan=1"] {
                let mut person = Person::new(&place);
                let (told, again) = person.posts(path, &[("ma", typed)]).await;
                assert_eq!(told.status, status, "{}: {path} {says}", place.test.backend);
                assert!(told.body.contains(says), "{says}");
                assert!(again.status == StatusCode::OK && !again.body.contains(says), "a clean page the next time");
                assert!(person.browser.cookie.is_none());
            }
        }
        // Somebody with a ballot under way types another code.
        let mut person = Person::new(&place);
        person.send(TestRequest::post().uri("/p").set_form([("ma", place.online())])).await;
        let (told, again) = person.posts("/p", &[("ma", "7K3Q")]).await;
        assert!(told.status == StatusCode::UNPROCESSABLE_ENTITY && again.body.contains("data-keep"));
        let mut last = None;
        for _ in 0..80 {
            last = Some(person.posts("/p", &[("ma", "0000-0000-0000-0000-0000-0000")]).await.0.status);
        }
        assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
        // What is too long for a cookie, and what a program sends, is told at once.
        let long = "9".repeat(4_000);
        let at_once = person.send(TestRequest::post().uri("/p").set_form([("ma", &long)])).await;
        assert!(at_once.status == StatusCode::UNPROCESSABLE_ENTITY && at_once.body.contains("24 ký tự"));
        assert_eq!(place.browser().post("/p", &[("ma", "x")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // A cookie that is no note is no matter.
        for value in ["x", "e30", "%00", "bnVsbA"] {
            person.note = Some(Cookie::new("phieu_loi", value));
            assert!(person.get("/p").await.status.is_success(), "{value}");
        }
    }
}

#[actix_web::test]
async fn what_is_wrong_with_answers_is_told_by_a_page_of_its_own() {
    for place in places_of(HOST, &kinds::files("\"own_unit\"")).await {
        let code = place.code("CC/SNV", "online", "issued");
        let mut person = Person::new(&place);
        let text = "ắ".repeat(301);
        person.send(TestRequest::post().uri("/p").set_form([("ma", &code)])).await;
        let mark = person.get("/p?phan=1").await.mark();
        let sent = [
            ("cua", mark.as_str()),
            ("c.Q0", "CO"),
            ("c.Q0A", "1.000"),
            ("c.Q1", "B"),
            ("c.Q3", text.as_str()),
            ("di", "tiep"),
        ];
        let (told, again) = person.posts("/p?phan=1", &sent).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", place.test.backend);
        for there in ["<title>Lỗi: ", "value=\"1.000\"", "Số phải từ 1 đến 99.", "đã viết 301", text.as_str()]
        {
            assert!(told.body.contains(there), "{there}");
        }
        assert!(again.status == StatusCode::OK && !again.body.contains("1.000"));
        assert!(again.body.contains("value=\"B\" checked"), "what fits was kept");
        // The ballot lacks an answer that must be there.
        let (told, again) = person.posts("/p/xem-lai", &[("cua", &mark)]).await;
        assert!(told.status == StatusCode::UNPROCESSABLE_ENTITY && told.body.contains("vì còn câu bắt buộc"));
        assert!(again.status == StatusCode::OK && !again.body.contains("<title>Lỗi: "));
        // A page of another code.
        for path in ["/p?phan=1", "/p/xem-lai", "/p/thu"] {
            let other = "0".repeat(mark.len());
            let (told, again) = person.posts(path, &[("cua", &other)]).await;
            assert!(told.status == StatusCode::CONFLICT && told.body.contains("mã phiếu khác"), "{path}");
            assert_eq!(again.status, StatusCode::OK, "{path}");
        }
        // The device has forgotten the code: what was chosen goes along, and is saved with the code.
        person.browser.cookie = None;
        let (told, _) = person.posts("/p?phan=1", &[("cua", &mark), ("c.Q1", "C"), ("di", "tiep")]).await;
        assert!(told.status == StatusCode::UNPROCESSABLE_ENTITY && told.body.contains("name=\"c.Q1\" value=\"C\""));
        let (told, _) = person.posts("/p/xem-lai", &[("cua", &mark)]).await;
        assert!(told.status == StatusCode::UNPROCESSABLE_ENTITY && told.body.contains("Xin nhập lại mã"));
        // Closed meanwhile.
        person.send(TestRequest::post().uri("/p").set_form([("ma", &code)])).await;
        place.at("2023-10-20T00:00:00Z");
        for path in ["/p?phan=1", "/p/xem-lai", "/p/thu"] {
            let (told, again) = person.posts(path, &[("cua", mark.as_str())]).await;
            assert!(told.status == StatusCode::CONFLICT && told.body.contains("Đã hết hạn"), "{path}");
            assert_eq!(again.status, StatusCode::CONFLICT);
        }
        let mut late = Person::new(&place);
        let (told, _) = late.posts("/p", &[("ma", &code)]).await;
        assert!(told.status == StatusCode::CONFLICT && told.body.contains("Đợt mẫu đã kết thúc."));
        assert_eq!(place.envelopes(), 0);
        place.at(super::FIELDWORK);
    }
}
