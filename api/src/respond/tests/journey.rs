//! From the code to the receipt, without scripts.

use actix_web::cookie::SameSite;
use actix_web::http::StatusCode;

use super::{HOST, places, places_at, places_of, with};

#[actix_web::test]
async fn answers_on_two_devices_and_gets_one_receipt() {
    for place in places().await {
        let code = place.online();
        let mut phone = place.browser();
        assert!(phone.get("/").await.body.contains("name=\"ma\""));
        let typed = code.to_lowercase().replace('-', " ");
        let entered = phone.post("/p", &[("ma", &typed)]).await;
        assert_eq!(
            (entered.status, entered.location.as_str()),
            (StatusCode::SEE_OTHER, "/p"),
            "{}",
            place.test.backend
        );
        let cookie = entered.cookie.unwrap();
        assert_eq!(cookie.value(), code.replace('-', ""));
        assert_eq!((cookie.http_only(), cookie.same_site()), (Some(true), Some(SameSite::Strict)));
        assert_eq!(cookie.path(), Some("/"));
        assert_eq!(cookie.max_age().map(|age| age.whole_minutes()), Some(60));

        let first = phone.get("/p").await;
        // Twelve questions about one target: one screen, with the seven sections as headings.
        assert!(!first.body.contains("Phần 1/") && first.body.contains("Sở Nội vụ"));
        assert_eq!((first.form().1.len(), first.body.matches("<h2>").count()), (12, 7));
        assert!(first.body.contains("Dữ liệu mẫu"));
        assert_eq!(first.checked(), 0, "nothing is preselected");
        assert_eq!(phone.fill(&first, |at| (at < 3).then_some(1), "tiep").await.location, "/p/xem-lai");

        // Another device goes on at the first blank, and sees what was answered.
        let mut computer = place.browser();
        let fourth = first.form().1.into_keys().nth(3).unwrap();
        let entered = computer.post("/", &[("ma", &code)]).await;
        assert_eq!(entered.location, format!("/p#c-{}", fourth.strip_prefix("c.").unwrap()));
        let page = computer.get("/p").await;
        assert!(page.checked() == 3 && page.body.contains(&format!("id=\"c-{}\"", &fourth[2..])));
        let next = computer.fill(&page, |at| (at == 3).then_some(5), "tiep").await;
        let page = computer.get(&next.location).await;
        assert!(page.body.contains("Xem lại trước khi gửi") && page.body.contains("Để trống"));
        assert!(page.body.contains("Gửi phiếu, để trống"));
        assert!(page.body.contains("Không có thông tin để đánh giá"));
        assert_eq!(place.envelopes(), 0);

        let cast = computer.post("/p/xem-lai", &[]).await;
        assert_eq!((cast.status, cast.location.as_str()), (StatusCode::SEE_OTHER, "/p/xong"));
        let receipt = computer.get("/p/xong").await;
        assert!(receipt.body.contains("Số biên nhận"));
        assert_eq!((place.envelopes(), place.drafts()), (1, 0));

        // Double click, back, the first device, the code once more: one ballot, the same receipt.
        assert_eq!(computer.post("/p/xem-lai", &[]).await.location, "/p/xong");
        assert_eq!(phone.get("/p?phan=1").await.location, "/p/xong");
        assert_eq!(phone.fill(&first, |_| Some(0), "tiep").await.location, "/p/xong");
        assert_eq!(phone.get("/p/xong").await.body, receipt.body);
        let mut third = place.browser();
        assert_eq!(third.post("/p", &[("ma", &code)]).await.location, "/p/xong");
        assert_eq!(third.get("/p/xong").await.body, receipt.body);
        assert_eq!((place.envelopes(), place.drafts()), (1, 0));

        let left = third.post("/thoat", &[]).await;
        assert_eq!((left.location.as_str(), third.cookie.is_none()), ("/thoat", true));
        assert!(third.get("/thoat").await.body.contains("không còn giữ mã phiếu"));
        assert!(third.get("/p/xong").await.body.contains("Nhập mã phiếu"));
    }
}

#[actix_web::test]
async fn several_targets_are_a_list_of_tasks() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.code("LĐ-CP/SCT+SGTVT", "online", "issued"))]).await;
        let list = browser.get("/p").await;
        assert_eq!(list.body.matches("Chưa trả lời").count(), 2, "{}", place.test.backend);
        let mut page = browser.get("/p?dt=SGTVT").await;
        assert!(
            page.body.contains("Sở Giao thông vận tải") && page.form().0.contains("dt=SGTVT&amp;phan=1") || {
                page.form().0.contains("dt=SGTVT&#38;phan=1")
            }
        );
        let mut location = String::new();
        for part in 1..=7 {
            page = browser.get(&format!("/p?dt=SGTVT&phan={part}")).await;
            let fields: Vec<(String, String)> =
                page.form().1.into_iter().map(|(name, options)| (name, options[0].0.clone())).collect();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            location = browser.post(&format!("/p?dt=SGTVT&phan={part}"), &fields).await.location;
        }
        assert_eq!(location, "/p", "back to the list after the last section");
        let list = browser.get("/p").await;
        assert_eq!((list.body.matches("Chưa trả lời").count(), list.body.matches(">Xong<").count()), (1, 1));
        let review = browser.get("/p/xem-lai").await;
        assert!(review.body.contains("Sở Công Thương") && review.body.contains("Sở Giao thông vận tải"));
        for nowhere in ["/p?dt=SNV", "/p?dt=SCT&phan=8", "/p?dt=SCT&phan=0", "/p?phan=1"] {
            assert_eq!(browser.get(nowhere).await.status, StatusCode::NOT_FOUND, "{nowhere}");
        }
        for malformed in ["/p?x=1", "/p?phan=hai"] {
            assert_eq!(browser.get(malformed).await.status, StatusCode::BAD_REQUEST, "{malformed}");
        }
    }
}

#[actix_web::test]
async fn an_answer_can_be_changed_and_taken_back() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        let page = browser.get("/p?phan=1").await;
        assert_eq!(browser.fill(&page, |_| Some(0), "lui").await.location, "/p?phan=1");
        assert_eq!(browser.post("/p?phan=1", &[("c.X1.1", "E")]).await.location, "/p/xem-lai");
        let changed = browser.get("/p?phan=1").await;
        assert!(changed.form().1["c.X1.1"].contains(&("E".to_owned(), true)));
        assert_eq!(changed.checked(), 12, "what a form does not name stays");
        let cleared = browser.post("/p?phan=1", &[("c.X1.1", "E"), ("bo", "X1.1")]).await;
        assert_eq!(cleared.location, "/p?phan=1#c-X1.1", "{}", place.test.backend);
        assert_eq!(browser.get("/p?phan=1").await.checked(), 11);
        assert_eq!(browser.post("/p?phan=1", &[("di", "xem-lai")]).await.location, "/p/xem-lai");
        let left = browser.post("/p?phan=1", &[("c.X1.1", "A"), ("di", "thoat")]).await;
        assert_eq!((left.location.as_str(), browser.cookie.is_none()), ("/thoat", true));
    }
}

#[actix_web::test]
async fn a_page_left_open_on_a_shared_computer_changes_nobody_elses_ballot() {
    for place in places().await {
        let (mine, theirs) = (place.online(), place.online());
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &mine)]).await;
        let old = browser.get("/p?phan=1").await;
        browser.fill(&old, |at| (at == 0).then_some(0), "tiep").await;
        let review = browser.get("/p/xem-lai").await;
        browser.post("/thoat", &[]).await;

        // The session is over, and another person's code is typed into the page that asks for it.
        let asked = browser.fill(&old, |_| Some(1), "tiep").await;
        assert!(asked.status == StatusCode::UNPROCESSABLE_ENTITY && asked.body.contains("name=\"cua\""));
        let (mark, theirs) = (old.mark(), theirs.as_str());
        let typed = browser.post("/p?phan=1", &[("cua", &mark), ("c.X1.1", "B"), ("ma", theirs)]).await;
        assert_eq!((typed.status, place.drafts(), browser.cookie.is_none()), (StatusCode::CONFLICT, 1, true));

        // Another person sits here, and the old tabs are still open.
        browser.post("/p", &[("ma", theirs)]).await;
        for answer in [
            browser.fill(&old, |_| Some(1), "tiep").await,
            browser.fill(&old, |_| Some(1), "thoat").await,
            browser.post("/p/xem-lai", &[("cua", &review.mark())]).await,
        ] {
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", place.test.backend);
            assert!(
                answer.body.contains("thuộc về một mã phiếu khác") && answer.body.contains("không phiếu nào thay đổi")
            );
            assert!(!answer.body.contains(&mine) && !answer.body.contains(theirs));
        }
        assert_eq!((place.drafts(), place.envelopes()), (1, 0));
        let page = browser.get("/p?phan=1").await;
        assert_eq!(page.checked(), 0);
        assert_eq!(browser.fill(&page, |_| Some(2), "tiep").await.location, "/p/xem-lai", "one's own page");
        browser.post("/p", &[("ma", &mine)]).await;
        assert_eq!(browser.get("/p?phan=1").await.checked(), 1, "what was kept before is still there");
    }
}

#[actix_web::test]
async fn a_session_that_ended_loses_no_answer() {
    for place in places().await {
        let code = place.online();
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &code)]).await;
        browser.cookie = None;
        let asked = browser.post("/p?phan=1", &[("c.X2.1", "B")]).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.body.contains("action=\"/p?phan=1\""));
        assert!(asked.body.contains("<input type=\"hidden\" name=\"c.X2.1\" value=\"B\">"));
        assert_eq!(place.drafts(), 0);
        let entered = browser.post("/p?phan=1", &[("c.X2.1", "B"), ("ma", &code)]).await;
        assert_eq!(entered.location, "/p#c-X1.1", "{}", place.test.backend);
        assert!(browser.get("/p?phan=1").await.form().1["c.X2.1"].contains(&("B".to_owned(), true)));
        browser.cookie = None;
        let asked = browser.post("/p/xem-lai", &[]).await;
        assert_eq!((asked.status, place.envelopes()), (StatusCode::UNPROCESSABLE_ENTITY, 0));
    }
}

#[actix_web::test]
async fn a_path_prefix_is_in_every_link_and_in_the_cookie() {
    for place in places_at("https://cchc.quangnam.gov.vn/khao-sat").await {
        let mut browser = place.browser();
        let entered = browser.post("/khao-sat/p", &[("ma", &place.online())]).await;
        assert_eq!(entered.location, "/khao-sat/p");
        let cookie = entered.cookie.unwrap();
        assert_eq!((cookie.path(), cookie.secure()), (Some("/khao-sat"), Some(true)));
        let mut pages = Vec::new();
        for path in ["", "/", "/p", "/p/xem-lai", "/thoat", "/huong-dan", "/tro-nang", "/rieng-tu"] {
            let page = browser.get(&format!("/khao-sat{path}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            pages.push(page.body);
        }
        for link in pages.iter().flat_map(|p| p.split("href=\"").chain(p.split("action=\"")).skip(1)) {
            let link = link.split('"').next().unwrap();
            let outside = ["#", "data:", "https:", "mailto:", "tel:", "<!DOCTYPE"];
            assert!(link.starts_with("/khao-sat/") || outside.iter().any(|o| link.starts_with(o)), "{link}");
        }
    }
}

#[actix_web::test]
async fn a_session_lasts_an_hour_from_the_last_page() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        let minutes = |answer: &super::Answer| answer.cookie.as_ref()?.max_age().map(|age| age.whole_minutes());
        let section = browser.get("/p?phan=1").await;
        assert_eq!(minutes(&section), Some(60), "{}", place.test.backend);
        assert!(
            section.body.contains("60 phút") && section.body.contains("/p/giu") && section.body.contains("quên mã")
        );
        let pressed = browser.post("/p?phan=1", &[("c.X1.1", "A"), ("di", "tiep")]).await;
        assert_eq!(minutes(&pressed), Some(60));
        // What the script sends must not bring back a code that was left a moment ago.
        let by_script = browser.post("/p?phan=1", &[("c.X1.1", "B")]).await;
        assert!(by_script.status == StatusCode::SEE_OTHER && by_script.cookie.is_none());
        let stayed = browser.post("/p/giu", &[]).await;
        assert_eq!((stayed.status, minutes(&stayed)), (StatusCode::SEE_OTHER, Some(60)));
        for path in ["/p/xem-lai", "/p?phan=1"] {
            assert!(browser.get(path).await.body.contains("quên mã"), "{path}");
        }
        // The hour is over: the browser sends no code any more.
        browser.cookie = None;
        let late = browser.post("/p/giu", &[]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("không còn giữ mã phiếu") && late.cookie.is_none());
    }
}

#[actix_web::test]
async fn the_organisers_logo_is_on_every_page_within_its_weight() {
    const STILL: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><path d=\"M0 0h8v8z\"/></svg>";
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0xff; 3_000]].concat();
    for (name, bytes) in [("logo.svg", STILL.as_bytes()), ("logo.png", &png)] {
        let mut files = with("[organiser]", &format!("logo = \"{name}\""));
        files.insert(name.to_owned(), bytes.to_vec());
        for place in places_of(HOST, &files).await {
            let mut browser = place.browser();
            browser.post("/p", &[("ma", &place.online())]).await;
            for path in ["/", "/p?phan=1", "/p/xem-lai", "/huong-dan", "/tro-nang", "/rieng-tu"] {
                let page = browser.get(path).await.body;
                let source = page.split("<img src=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
                let scripted = page.contains("<script");
                match source {
                    Some(source) if bytes.len() <= 2_048 => {
                        let encoded = source.strip_prefix("data:image/svg+xml;base64,").unwrap();
                        assert_eq!(data_encoding::BASE64.decode(encoded.as_bytes()).unwrap(), bytes, "{path}");
                    }
                    Some(source) => {
                        assert!(!scripted && page.contains("width=\"40\" height=\"40\""), "{path}");
                        let logo = browser.get(&source).await;
                        let header = |name: &str| logo.headers.get(name).unwrap().to_str().unwrap();
                        assert_eq!((header("content-type"), &logo.bytes), ("image/png", &bytes.to_vec()));
                        assert!(header("content-security-policy").contains("sandbox"), "{}", place.test.backend);
                        assert!(header("cache-control").contains("immutable"));
                    }
                    None => assert!(scripted && bytes.len() > 2_048, "{path}"),
                }
            }
            assert_eq!(browser.get("/dau-hieu/x.svg").await.status, StatusCode::NOT_FOUND);
        }
    }
    for place in places().await {
        let page = place.browser().get("/huong-dan").await;
        assert!(!page.body.contains("<img"), "no logo, no picture");
    }
}
