//! Bad input, as a table: whatever is typed, posted, carried or asked for, the answer is a page in Vietnamese that says
//! what to do, or nothing happens; never a 5xx, and nothing that was sent comes back as markup.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode, header};
use actix_web::test::TestRequest;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::super::place::encoded;
use super::{Answer, Browser, HOST, Place, places, places_at};
use crate::ballot::{Keys, Token};
use crate::clock::Entropy;
use crate::db::schema::credential;
use crate::round::load;

/// What people, programs and scanners send. Lines of a file of their own: most are not fit for a string literal's quotes.
const CORPUS: &str = include_str!("naughty.txt");

/// The corpus with its escapes read: `\u{..}` for a sign, `*N` at the end for a repetition.
fn corpus() -> Vec<String> {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let all: Vec<String> = lines.map(read).collect();
    assert!(all.len() >= 120, "{}", all.len());
    all
}

fn read(line: &str) -> String {
    let (line, times) = match line.rsplit_once('*') {
        Some((text, times)) if times.parse::<usize>().is_ok() => (text, times.parse().unwrap()),
        _ => (line, 1),
    };
    let mut parts = line.split("\\u{");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (hex, rest) = part.split_once('}').unwrap();
        text.push(char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text.repeat(times)
}

/// The answer is one that a person can read and go on from, and repeats nothing as markup.
fn calm(answer: &Answer, sent: &str, what: &str) {
    let shown: String = sent.chars().take(60).collect();
    assert!(!answer.status.is_server_error(), "{what} {shown:?}: {}", answer.status);
    if answer.status.is_redirection() {
        assert!(answer.location.starts_with('/'), "{what} {shown:?} leads to {}", answer.location);
        return;
    }
    assert!(answer.body.contains("<html lang=\"vi\">"), "{what} {shown:?}: {} {}", answer.status, answer.body);
    let next = answer.body.to_lowercase().contains("xin ") || answer.body.contains("Ông/bà");
    assert!(next, "{what} {shown:?}: what to do next");
    if sent.contains(['<', '"', '\'']) && sent.len() > 3 {
        assert!(!answer.body.contains(sent), "{what} {shown:?} comes back as it was");
    }
}

async fn entered(place: &Place) -> (String, Browser) {
    let (code, mut browser) = (place.online(), place.browser());
    assert_eq!(browser.post("/p", &[("ma", &code)]).await.location, "/p");
    (code, browser)
}

#[actix_web::test]
async fn naughty_strings_in_every_field_are_calmly_refused() {
    for place in places().await {
        let (_, mut browser) = entered(&place).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        let before = browser.get("/p?phan=1").await.body;
        for text in corpus() {
            let mut stranger = place.browser();
            let code = stranger.post("/p", &[("ma", &text)]).await;
            calm(&code, &text, "a code");
            assert!(code.status.is_client_error() && stranger.cookie.is_none(), "{text:?} is no code");
            let with_answer = stranger.post("/p?phan=1", &[("ma", &text), ("c.X1.1", &text)]).await;
            calm(&with_answer, &text, "a code with an answer");
            let name = format!("c.{text}");
            calm(
                &stranger.post("/p?phan=1", &[("c.X1.1", &text), (&name, "A")]).await,
                &text,
                "answers without a code",
            );
            for (what, fields) in [
                ("an answer", vec![("c.X1.1", text.as_str())]),
                ("an item", vec![(name.as_str(), "A")]),
                ("a field", vec![(text.as_str(), "A")]),
                ("a button", vec![("c.X1.1", "B"), ("di", text.as_str())]),
            ] {
                let refused = browser.post("/p?phan=1", &fields).await;
                calm(&refused, &text, what);
                assert!(refused.status.is_client_error(), "{what} {text:?}: {}", refused.status);
            }
            // An item that there is not is not answered either: nothing to take back.
            calm(&browser.post("/p?phan=1", &[("bo", &text)]).await, &text, "an answer taken back");
            if text.len() < 2_000 {
                for query in ["dt", "phan", "x"] {
                    let path = format!("/p?{query}={}", encoded(&text));
                    calm(&browser.get(&path).await, &text, &path);
                    calm(&browser.post(&path, &[("c.X1.1", "A")]).await, &text, &path);
                }
            }
        }
        assert_eq!(browser.get("/p?phan=1").await.body, before, "{}: the draft is as it was", place.test.backend);
        assert_eq!((place.drafts(), place.envelopes()), (1, 0));
    }
}

#[actix_web::test]
async fn bodies_that_no_browser_sends_are_calmly_refused() {
    const FORM: &str = "application/x-www-form-urlencoded";
    for place in places().await {
        let (_, mut browser) = entered(&place).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        let before = browser.get("/p?phan=1").await.body;
        let mut bodies: Vec<(&str, Vec<u8>)> = [
            "%",
            "%4",
            "%zz",
            "c.X1.1=%",
            "c.X1.1=%FF%FE",
            "c.X1.1=%ED%A0%80",
            "c.X1.1=%ED%BF%BF",
            "c.X1.1=%C0%AF",
            "c.X1.1=%00",
            "c.X1.1=A%00",
            "c.X1.1%00=A",
            "c.X1.1=%F5%80%80%80",
            "=",
            "=A",
            "c.X1.1",
            "c.X1.1=",
            "c.=A",
            "c.X1.1=A&c.X1.1=A",
            "c.X1.1=A;c.X1.2=B",
            "ma=&ma=",
            "ma",
            "di=tiep&di=",
            "bo=X1.1&bo=X1.2",
            "c.X1.1[]=A",
            "{\"c.X1.1\":\"A\"}",
            "%EF%BB%BFc.X1.1=A",
            "C.X1.1=A",
            "c.x1.1=A",
            "c.X1.1=%41%cc%81",
            "_method=DELETE",
        ]
        .map(|body| (FORM, body.as_bytes().to_vec()))
        .to_vec();
        bodies.push((FORM, vec![0xFF; 64]));
        bodies.push((FORM, vec![0; 64]));
        bodies.push((FORM, format!("c.X1.1={}", "Ắ".repeat(10_000)).into_bytes()));
        bodies.push((FORM, format!("c.X1.1={}", "A".repeat(600_000)).into_bytes()));
        bodies.push((
            FORM,
            (0..5_000)
                .fold(String::new(), |mut all, n| {
                    write!(all, "c.X{n}=A&").unwrap();
                    all
                })
                .into_bytes(),
        ));
        for kind in ["application/json", "multipart/form-data; boundary=x", "text/plain", "application/xml", "x", ""] {
            bodies.push((kind, b"c.X1.1=B".to_vec()));
        }
        for (kind, body) in bodies {
            let text = String::from_utf8_lossy(&body).into_owned();
            for path in ["/p?phan=1", "/p"] {
                let request = TestRequest::post().uri(path).insert_header((header::CONTENT_TYPE, kind));
                let refused = browser.send(request.set_payload(body.clone())).await;
                calm(&refused, &text, kind);
                assert!(refused.status.is_client_error() || path == "/p", "{kind} {text:.60}: {}", refused.status);
            }
        }
        assert_eq!(browser.get("/p?phan=1").await.body, before, "{}: the draft is as it was", place.test.backend);
    }
}

#[actix_web::test]
async fn cookies_that_are_no_code_ask_for_one() {
    for place in places().await {
        let pages = ["/", "/p", "/p?phan=1", "/p/xem-lai", "/p/xong", "/thoat", "/huong-dan", "/rieng-tu"];
        let name = entered(&place).await.1.cookie.unwrap().name().to_owned();
        let another = code_of_another_round(&place);
        let unknown = Token::generate(&Entropy::seeded(9_999)).expose().replace('-', "");
        let revoked = place.code("CC-CT/SNV", "online", "revoked").replace('-', "");
        let paper = place.code("HĐ-CT/SNV", "paper", "issued").replace('-', "");
        let long = "7".repeat(7_000);
        let typed = ["", "x", "%00", "%FF", "undefined", "<b>", "7K3QDM2X9P4HTVB0ZRWC5NYN", "ä", &long];
        for value in typed.into_iter().chain([another.as_str(), &unknown, &revoked, &paper]) {
            for path in pages {
                let mut browser = place.browser();
                browser.cookie = Some(Cookie::new(name.clone(), value.to_owned()));
                let page = browser.get(path).await;
                calm(&page, value, path);
                assert!(!page.body.contains("type=\"radio\""), "{path} shows no question to {value:.30}");
            }
            for path in ["/p?phan=1", "/p/xem-lai"] {
                let mut browser = place.browser();
                browser.cookie = Some(Cookie::new(name.clone(), value.to_owned()));
                let refused = browser.post(path, &[("c.X1.1", "B")]).await;
                calm(&refused, value, path);
                assert!(refused.status.is_client_error(), "{path} {value:.30}: {}", refused.status);
            }
        }
        assert_eq!((place.drafts(), place.envelopes()), (0, 0), "{}", place.test.backend);
    }
}

/// A good code, of a round that has not begun.
fn code_of_another_round(place: &Place) -> String {
    let mut files = survey_forms::quang_nam_2023();
    let toml = String::from_utf8(files["round.toml"].to_vec()).unwrap();
    files.insert("round.toml".into(), toml.replace("id = \"quang-nam-2023\"", "id = \"dot-khac\"").into_bytes());
    place.test.db.write_here(|conn| load(conn, &files).map(|_| ())).unwrap();
    place.test.db.read_here(|conn| place.rounds.reread(conn).map(|_| ())).unwrap();
    let token = Token::generate(&Entropy::seeded(77));
    let row = (
        credential::public_key.eq(Keys::derive(&token, "dot-khac").public.to_vec()),
        credential::round.eq("dot-khac"),
        credential::respondent_code.eq("CC-CT"),
        credential::source_unit.eq("SNV"),
        credential::targets.eq("SNV"),
        credential::channel.eq("online"),
        credential::state.eq("issued"),
    );
    place.write(|conn| diesel::insert_into(credential::table).values(row).execute(conn));
    token.expose().replace('-', "")
}

#[actix_web::test]
async fn posts_from_elsewhere_and_odd_methods_do_nothing() {
    for place in places().await {
        let (_, mut browser) = entered(&place).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        let before = browser.get("/p?phan=1").await.body;
        let elsewhere = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "<script>"),
            ("origin", "null"),
            ("origin", "https://evil.example"),
            ("origin", "http://127.0.0.1:8080.evil.example"),
        ];
        for path in ["/", "/p", "/p?phan=1", "/p/xem-lai", "/thoat"] {
            for name_and_value in elsewhere {
                let request = TestRequest::post().uri(path).set_form([("c.X1.1", "E"), ("di", "thoat")]);
                let refused = browser.send(request.insert_header(name_and_value)).await;
                assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {name_and_value:?}");
            }
            for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE, Method::HEAD] {
                let request = TestRequest::default().method(method.clone()).uri(path);
                let answer = browser.send(request.insert_header(("sec-fetch-site", "same-origin"))).await;
                assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.status);
            }
        }
        assert!(browser.cookie.is_some());
        assert_eq!(browser.get("/p?phan=1").await.body, before, "{}", place.test.backend);
        assert_eq!(place.envelopes(), 0);
    }
}

/// The database's file and its log, byte by byte.
fn bytes(place: &Place) -> Vec<Vec<u8>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        file: String,
    }
    let row: Row = place.write(|conn| diesel::sql_query("SELECT file FROM pragma_database_list").get_result(conn));
    [String::new(), "-wal".to_owned()].map(|end| std::fs::read(row.file.clone() + &end).unwrap_or_default()).to_vec()
}

/// A mail scanner or an over-eager browser: GET and HEAD on whatever the pages name, with and without the code.
#[actix_web::test]
async fn asking_for_every_link_changes_not_one_byte() {
    for place in places_at(HOST).await.into_iter().filter(|place| place.test.backend == "sqlite") {
        let (_, mut browser) = entered(&place).await;
        browser.post("/p?phan=1", &[("c.X1.1", "A")]).await;
        let before = bytes(&place);
        let mut stranger = place.browser();
        let mut todo: Vec<String> =
            ["/", "/p", "/p/xem-lai", "/p/xong", "/thoat", "/?ma=0", "/p?di=thoat"].map(str::to_owned).to_vec();
        let mut seen = BTreeSet::new();
        while let Some(path) = todo.pop() {
            if !path.starts_with('/') || !seen.insert(path.clone()) {
                continue;
            }
            assert!(seen.len() < 200, "the links end");
            for device in [&mut browser, &mut stranger] {
                let mut answered = Vec::new();
                for method in [Method::HEAD, Method::GET] {
                    let request = TestRequest::default().method(method.clone()).uri(&path);
                    let request =
                        request.insert_header(("purpose", "prefetch")).insert_header(("sec-purpose", "prefetch"));
                    let page = device.send(request).await;
                    assert!(!page.status.is_server_error(), "{method} {path}: {}", page.status);
                    answered.push((page.status, page.location.clone()));
                    let links = ["href=\"", "action=\"", "src=\""].map(|name| page.body.split(name).skip(1));
                    let links = links.into_iter().flatten().map(|rest| rest.split(['"', '#']).next().unwrap());
                    todo.extend(links.map(|link| link.replace("&#38;", "&").replace("&amp;", "&")));
                    todo.push(page.location);
                }
                assert_eq!(answered[0], answered[1], "HEAD is GET without the body: {path}");
            }
        }
        assert!(seen.len() > 10 && seen.contains("/p?phan=1"), "{seen:?}");
        assert!(browser.cookie.is_some() && stranger.cookie.is_none());
        assert_eq!(bytes(&place), before);
    }
}
