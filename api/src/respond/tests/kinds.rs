//! A round with every kind of question, conditions, required items and a second language.

use actix_web::http::StatusCode;
use serde_json::json;

use super::{Browser, HOST, Place, ROUND, places_of};

/// The sample round, under the name and in the year that the tests have.
pub(super) fn files(rates: &str) -> survey_forms::RoundFiles {
    let mut files = survey_forms::every_kind();
    for (name, bytes) in &mut files {
        if name.ends_with(".toml") || name.ends_with(".tsv") || name.ends_with(".csv") {
            let text = String::from_utf8(bytes.clone()).unwrap().replace("2026-", "2023-");
            let text = text.replace("\"mau-day-du\"", &format!("\"{ROUND}\""));
            *bytes = text.replacen("rates = \"own_unit\"", &format!("rates = {rates}"), 1).into_bytes();
        }
    }
    files
}

async fn one_target() -> Vec<Place> {
    places_of(HOST, &files("\"own_unit\"")).await
}

async fn entered(place: &Place, stratum: &str) -> Browser {
    let mut browser = place.browser();
    let code = place.code(stratum, "online", "issued");
    assert_eq!(browser.post("/p", &[("ma", &code)]).await.status, StatusCode::SEE_OTHER);
    browser
}

#[actix_web::test]
async fn every_kind_is_asked_kept_reviewed_and_cast() {
    for place in one_target().await {
        let mut browser = entered(&place, "CC/SNV").await;
        let page = browser.get("/p?phan=1").await.body;
        for there in ["Phần này hỏi về 12 tháng", "(bắt buộc)", "<textarea id=\"i-Q3\"", "Nhiều nhất 300 ký tự."]
        {
            assert!(page.contains(there), "{there}");
        }
        assert!(page.contains("aria-describedby=\"l-Q1\"") && page.contains("aria-describedby=\"h-Q3 r-Q3\""));
        assert!(!page.contains("id=\"c-Q0A\""), "not asked yet");
        // Empty fields of somebody who says nothing are no draft.
        let nothing = browser.post("/p?phan=1", &[("c.Q3", " "), ("hoi", "Q2"), ("di", "tiep")]).await;
        assert_eq!((nothing.location.as_str(), place.drafts()), ("/p/xem-lai", 0), "{}", place.test.backend);

        browser.post("/p?phan=1", &[("c.Q0", "CO")]).await;
        browser.post("/p?phan=1", &[("c.Q0A", "1.2"), ("c.Q0A", "3")]).await;
        let kept = [
            ("c.Q0A", " 12 "),
            ("c.Q0B", ""),
            ("c.Q0B", "TIEP"),
            ("c.Q0B", "TT"),
            ("c.Q1", "A"),
            ("c.Q3", "  Nhanh h\u{01a1}\u{0301}n\r\n\u{202e}<b>đ\t "),
        ];
        assert_eq!(browser.post("/p?phan=1", &kept).await.status, StatusCode::SEE_OTHER);
        let page = browser.get("/p?phan=1").await.body;
        assert!(page.contains("value=\"12\" inputmode=\"numeric\""));
        assert_eq!(page.matches(" checked").count(), 4);
        assert!(page.contains("Nhanh hớn\n\u{202e}&#60;b&#62;đ</textarea>"), "{page}");
        let review = browser.get("/p/xem-lai").await.body;
        assert!(review.contains("Trực tuyến; Bộ phận một cửa") && review.contains("<bdi class=\"written\">Nhanh hớn"));
        assert!(review.contains("Xin cảm ơn ông/bà đã dành thời gian."));
        // Unticked and emptied.
        browser.post("/p?phan=1", &[("c.Q0B", ""), ("c.Q3", "")]).await;
        let page = browser.get("/p?phan=1").await.body;
        assert!(
            page.matches(" checked").count() == 2
                && page.contains("rows=\"4\" aria-describedby=\"h-Q3 r-Q3\">\n</textarea>")
        );
        assert_eq!(browser.post("/p/xem-lai", &[]).await.location, "/p/xong");
        assert_eq!((place.envelopes(), place.drafts()), (1, 0));
    }
}

#[actix_web::test]
async fn what_does_not_fit_is_named_and_nothing_is_lost() {
    for place in one_target().await {
        let mut browser = entered(&place, "CC/SNV").await;
        browser.post("/p?phan=1", &[("c.Q0", "CO"), ("c.Q0A", "5")]).await;
        let long = "ă".repeat(301);
        let sent = [
            ("c.Q0A", "1.000"),
            ("c.Q0B", "TT"),
            ("c.Q0B", "BC"),
            ("c.Q0B", "TIEP"),
            ("c.Q1", "B"),
            ("c.Q3", long.as_str()),
            ("di", "tiep"),
        ];
        let again = browser.post("/p?phan=1", &sent).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", place.test.backend);
        for there in [
            "<title>Lỗi: ",
            "tabindex=\"-1\" autofocus",
            "href=\"#i-Q0A\"",
            "href=\"#c-Q0B\"",
            "href=\"#i-Q3\"",
            "Số phải từ 1 đến 99.",
            "Chỉ được chọn nhiều nhất 2.",
            "ông/bà đã viết 301",
            "value=\"1.000\"",
            long.as_str(),
        ] {
            assert!(again.body.contains(there), "{there}");
        }
        assert_eq!(again.body.matches("aria-invalid").count(), 2);
        assert_eq!(again.body.matches("type=\"checkbox\"").count(), again.body.matches("checked").count() - 2);
        let saved = browser.get("/p?phan=1").await.body;
        assert!(saved.contains("value=\"B\" checked") && saved.contains("value=\"5\""), "the rest is saved");
        assert!(!saved.contains(&long));
        for (name, written, said) in [
            ("c.Q0A", "mười", "Xin viết một số nguyên bằng chữ số"),
            ("c.Q0A", "1,5", "không có phần thập phân"),
            ("c.Q0A", "0", "Số phải từ 1 đến 99."),
            ("c.Q3", "a\u{1b}b", "Trang đã bỏ các ký tự đó"),
        ] {
            let again = browser.post("/p?phan=1", &[(name, written), ("di", "thoat")]).await;
            assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.body.contains(said), "{written}");
        }
        // What no page sends is refused whole.
        for (name, value) in [("c.Q0B", "XX"), ("c.Q1", ""), ("c.Q9", "1")] {
            let refused = browser.post("/p?phan=1", &[(name, value), ("c.Q0A", "7")]).await;
            assert!(
                refused.status == StatusCode::UNPROCESSABLE_ENTITY && !refused.body.contains("data-keep"),
                "{name}"
            );
        }
        assert!(browser.get("/p?phan=1").await.body.contains("value=\"5\""));
    }
}

#[actix_web::test]
async fn a_required_item_is_asked_for_before_the_ballot_goes() {
    for place in one_target().await {
        let mut browser = entered(&place, "CC/SNV").await;
        browser.post("/p?phan=1", &[("c.Q1", "A")]).await;
        let review = browser.get("/p/xem-lai").await.body;
        assert!(review.contains("Còn câu bắt buộc chưa trả lời") && review.contains("href=\"/p?phan=1#c-Q0\""));
        let refused = browser.post("/p/xem-lai", &[]).await;
        assert_eq!(
            (refused.status, place.envelopes()),
            (StatusCode::UNPROCESSABLE_ENTITY, 0),
            "{}",
            place.test.backend
        );
        assert!(refused.body.contains("<title>Lỗi: ") && refused.body.contains("vì còn câu bắt buộc chưa trả lời"));
        browser.post("/p?phan=1", &[("c.Q0", "CO")]).await;
        let refused = browser.post("/p/xem-lai", &[]).await;
        assert!(refused.body.contains("href=\"/p?phan=1#i-Q0A\""), "required now that it is asked");
        browser.post("/p?phan=1", &[("c.Q0", "KHONG")]).await;
        assert_eq!(browser.post("/p/xem-lai", &[]).await.location, "/p/xong");
    }
}

#[actix_web::test]
async fn what_follows_from_an_answer_is_asked_then_and_no_longer_when_it_is_changed() {
    for place in one_target().await {
        let mut browser = entered(&place, "CC/SNV").await;
        let page = browser.get("/p?phan=1").await.body;
        assert!(page.contains("name=\"hoi\" value=\"Q2\"") && page.contains("id=\"c-Q2\""));
        // The page's script has kept the answer already; what counts is what the page had.
        browser.post("/p?phan=1", &[("hoi", "Q2"), ("c.Q0", "CO")]).await;
        let next = browser.post("/p?phan=1", &[("hoi", "Q2"), ("c.Q0", "CO"), ("di", "tiep")]).await;
        assert_eq!(next.location, "/p?phan=1#m-Q0A", "{}", place.test.backend);
        let page = browser.get("/p?phan=1").await.body;
        assert!(page.contains("id=\"m-Q0A\"") && page.contains("name=\"hoi\" value=\"Q0A,Q2\""));
        // Seen, and left blank: it does not come a second time.
        let fields = [("hoi", "Q0A,Q2"), ("c.Q0", "CO"), ("c.Q0A", ""), ("di", "tiep")];
        assert_eq!(browser.post("/p?phan=1", &fields).await.location, "/p/xem-lai");
        let fields = [("hoi", "Q0A,Q2"), ("c.Q0A", "2"), ("c.Q2", "A"), ("di", "tiep")];
        assert_eq!(browser.post("/p?phan=1", &fields).await.location, "/p?phan=1#m-Q0B");
        browser.post("/p?phan=1", &[("c.Q0B", "TT")]).await;
        assert!(browser.get("/p/xem-lai").await.body.contains("Còn 2/6 câu để trống"));
        browser.post("/p?phan=1", &[("c.Q0", "KHONG")]).await;
        let review = browser.get("/p/xem-lai").await.body;
        assert!(
            review.contains("Còn 2/3 câu để trống") && !review.contains("Bao nhiêu") && !review.contains("Trực tuyến")
        );
        assert_eq!(browser.post("/p/xem-lai", &[]).await.location, "/p/xong", "what is not asked is not cast");
    }
}

#[actix_web::test]
async fn a_screen_without_a_question_is_skipped() {
    let mut files = files("{ targets = [\"SNV\", \"STP\"] }");
    let form = files.get_mut("questionnaires/cc.toml").unwrap();
    let text = String::from_utf8(form.clone()).unwrap().replace("is_not = [\"KHONG\"]", "is = [\"CO\"]").replacen(
        "scale = \"M4\"\nlead",
        "scale = \"M4\"\nonly_if = [{ item = \"Q0\", is = [\"CO\"] }]\nlead",
        1,
    );
    *form = text.into_bytes();
    for place in places_of(HOST, &files).await {
        let mut browser = entered(&place, "CC/SNV+STP").await;
        let list = browser.get("/p").await.body;
        assert!(list.contains("Đã trả lời 0/4 câu") && list.matches("Chưa trả lời").count() == 2);
        let sent = [("hoi", ""), ("c.Q0", "KHONG"), ("di", "tiep")];
        assert_eq!(browser.post("/p?dt=SNV&phan=1", &sent).await.location, "/p?dt=SNV&phan=3");
        assert_eq!(browser.get("/p?dt=SNV&phan=2").await.location, "/p?dt=SNV&phan=3");
        let back = browser.post("/p?dt=SNV&phan=3", &[("c.Q3", "Tốt"), ("di", "lui")]).await;
        assert_eq!(back.location, "/p?dt=SNV&phan=1", "{}", place.test.backend);
        let list = browser.get("/p").await.body;
        assert!(list.contains("Đã trả lời 2/4 câu") && list.contains(">Xong<"), "per target");
        assert_eq!(
            browser.post("/p?dt=STP&phan=1", &[("c.Q0", "CO"), ("di", "tiep")]).await.location,
            "/p?dt=STP&phan=1#m-Q0A"
        );
    }
}

#[actix_web::test]
async fn the_form_speaks_the_language_that_is_chosen() {
    for place in one_target().await {
        let mut browser = entered(&place, "CC/SNV").await;
        let page = browser.get("/p?phan=1").await;
        assert!(page.body.contains("lang=\"en\">English</button>") && page.body.contains("<html lang=\"vi\">"));
        // The button is part of the form: what is written is saved with it.
        let sent = [("c.Q0", "CO"), ("ngu", "en")];
        let chosen = browser.post("/p?phan=1", &sent).await;
        assert_eq!(chosen.location, "/p?phan=1", "{}", place.test.backend);
        let cookies: Vec<_> = chosen.headers.get_all("set-cookie").map(|c| c.to_str().unwrap().to_owned()).collect();
        assert!(cookies.iter().any(|c| c.starts_with("phieu_lang=en;") && c.contains("HttpOnly")), "{cookies:?}");
        let code = browser.cookie.clone().unwrap();
        let english = async |path: &str| {
            let cookies = format!("{}={}; phieu_lang=en", code.name(), code.value());
            let request = actix_web::test::TestRequest::get().uri(path).insert_header(("cookie", cookies));
            (place.call)(request).await.body
        };
        let page = english("/p?phan=1").await;
        for there in [
            "<html lang=\"en\">",
            "In the past 12 months",
            "value=\"CO\" checked>Yes",
            "Save and check",
            "(required)",
            "A number from 1 to 99.",
            "lang=\"vi\">Tiếng Việt</button>",
        ] {
            assert!(page.contains(there), "{there}");
        }
        for path in ["/p?phan=1", "/p/xem-lai", "/", "/thoat", "/huong-dan", "/tro-nang", "/rieng-tu"] {
            let page = english(path).await;
            let left: Vec<&str> = page
                .split("<main")
                .nth(1)
                .unwrap()
                .split('>')
                .filter(|text| text.chars().any(|c| ('\u{1ea0}'..='\u{1ef9}').contains(&c)))
                .collect();
            assert!(left.iter().all(|text| text.starts_with("Tiếng Việt<")), "{path}: {left:?}");
        }
        let back = browser.post("/ngon-ngu", &[("ngu", "vi"), ("ve", "/p/xem-lai")]).await;
        assert_eq!(back.location, "/p/xem-lai");
        for (tag, path) in [("en", "//evil.example"), ("<b>", "/p")] {
            assert!(browser.post("/ngon-ngu", &[("ngu", tag), ("ve", path)]).await.status.is_client_error());
        }
    }
    for place in super::places().await {
        let mut browser = place.browser();
        browser.cookie = Some(actix_web::cookie::Cookie::new("phieu_lang", "en"));
        let page = browser.get("/").await.body;
        assert!(page.contains("<html lang=\"vi\">") && !page.contains("ngon-ngu"), "the round has no other language");
    }
}

#[actix_web::test]
async fn the_organisers_words_are_shown() {
    for place in one_target().await {
        assert!(place.browser().get("/rieng-tu").await.body.contains("Đợt mẫu này không dùng để đánh giá"));
        place.at("2023-08-01T00:00:00Z");
        let code = place.code("CC/SNV", "online", "issued");
        let early = place.browser().post("/p", &[("ma", &code)]).await;
        assert!(early.status == StatusCode::CONFLICT && early.body.contains("Đợt mẫu chưa mở."));
        place.at("2023-10-20T00:00:00Z");
        let late = place.browser().post("/p", &[("ma", &code)]).await;
        assert!(late.status == StatusCode::CONFLICT && late.body.contains("Đợt mẫu đã kết thúc."));
    }
}

#[actix_web::test]
async fn programs_send_every_kind() {
    for place in one_target().await {
        let code = place.code("CC/SNV", "online", "issued");
        let asked = place.rest("/ballots/form", &json!({ "code": code })).await.json();
        let form = &asked["form"]["questionnaire"];
        assert_eq!(form["sections"][0]["intro"], "Phần này hỏi về 12 tháng vừa qua.");
        assert_eq!(form["closing"], "Xin cảm ơn ông/bà đã dành thời gian.");
        assert_eq!(form["sections"][0]["items"][1]["only_if"][0]["item"], "Q0");
        let send = async |answers: serde_json::Value| {
            let sent = json!({ "code": code, "answers": { "SNV": answers } });
            let answer = place.rest("/ballots", &sent).await;
            (answer.status.as_u16(), answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
        };
        for (answers, fault) in [
            (json!({"Q1": "A"}), "item_missing"),
            (json!({"Q0": "KHONG", "Q2": "A"}), "item_not_asked"),
            (json!({"Q0": "CO", "Q0A": {"number": "100"}}), "number_range"),
            (json!({"Q0": "CO", "Q0A": {"number": "2,0"}}), "number_malformed"),
            (json!({"Q0": "CO", "Q0A": {"number": "2"}, "Q0B": ["TT", "BC", "TIEP"]}), "too_many_choices"),
            (json!({"Q0": "KHONG", "Q3": {"text": "\u{7}"}}), "text_control"),
        ] {
            assert_eq!(send(answers).await, (422, fault.to_owned()));
        }
        let whole = json!({"Q0": "CO", "Q0A": {"number": "2"}, "Q0B": ["TT"], "Q1": "N", "Q3": {"text": "Tốt"}});
        assert_eq!(send(whole).await.0, 201, "{}", place.test.backend);
    }
}
