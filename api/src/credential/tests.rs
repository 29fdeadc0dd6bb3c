//! `/quan-tri/ma-phieu` as a browser sees it: two clicks replace or withdraw a code, a used one stays, and the trail and
//! the log tell of it.

use actix_web::test::TestRequest;

use super::*;
use crate::access::Role;
use crate::ceremony::fixture::{BY, Place, ROUND, Reply, Routes, get, places_with_letters};

const ROUTES: Routes = Routes { pages: super::pages::pages, rest: |_| (), data: |_| () };

fn posting(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(&format!("/khao-sat/quan-tri/ma-phieu{path}")).set_form(fields)
}

fn open(place: &Place) {
    place.keygen();
    place.ceremony.open(&BY, ROUND).unwrap();
    place.state();
}

fn state(place: &Place, token: &Token) -> &'static str {
    match place.test.db.read_here(|conn| find(conn, &place.rounds, token)).unwrap().state {
        CredentialState::Issued => "issued",
        CredentialState::Used(_) => "used",
        CredentialState::Revoked => "revoked",
    }
}

/// Codes made and withdrawn since the opening, by the log.
fn logged(place: &Place) -> (u64, u64) {
    let mut sums = (0, 0);
    for entry in log::tests::entries(&place.test.db) {
        if let log::entry::Entry::Incident { issued, revoked, .. } = entry {
            sums = (sums.0 + issued, sums.1 + revoked);
        }
    }
    sums
}

/// The code that a page shows, once.
fn shown_code(text: &str) -> Token {
    let code = text.split("<p class=\"code\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(text.contains(&format!("/khao-sat/p#{code}")), "the address stands beside it");
    Token::parse(code).unwrap()
}

#[actix_web::test]
async fn a_code_that_somebody_brings_is_replaced_by_two_clicks() {
    for mut place in places_with_letters() {
        let codes = place.issue("CC-CT", Some("SNV"), Some(3));
        open(&place);
        let who = place.session(Role::Supervisor).await;
        let ask = async |place: &Place, path: &str, code: &str| {
            place.ask(ROUTES, posting(path, &[("ma", code)]).cookie(who.clone())).await
        };
        let typed = codes[0].token.expose().to_lowercase().replace('-', " ");
        let first = ask(&place, "", &typed).await;
        for words in ["Chưa dùng", "Sở Nội vụ", "CC-CT", "Thay bằng mã mới", "Thu hồi, không thay"] {
            assert!(first.text().contains(words), "{words}");
        }
        assert_eq!(state(&place, &codes[0].token), "issued", "a look changes nothing");
        let before = logged(&place);
        let second = ask(&place, "/thay", &typed).await;
        assert_eq!(second.status, 200);
        let new = shown_code(second.text());
        assert_eq!((state(&place, &codes[0].token), state(&place, &new)), ("revoked", "issued"));
        assert_eq!(place.details("codes.replaced"), ["group=CC-CT unit=SNV"]);
        assert_eq!(logged(&place), (before.0 + 1, before.1 + 1));
        let again = ask(&place, "/thay", &typed).await;
        assert_eq!(again.status, 410, "only once");
        // Withdrawn without another.
        let code = codes[1].token.expose();
        assert_eq!(ask(&place, "/thu-hoi", &code).await.status, 200);
        assert_eq!(state(&place, &codes[1].token), "revoked");
        assert_eq!(place.details("codes.revoked"), ["group=CC-CT unit=SNV"]);
        assert_eq!(logged(&place), (before.0 + 1, before.1 + 2));
        // A used code stays: its ballot is in the box.
        place.cast(&codes[2]);
        let code = codes[2].token.expose();
        let used = ask(&place, "", &code).await;
        assert!(used.text().contains("Đã dùng") && !used.text().contains("Thay bằng mã mới"));
        for path in ["/thay", "/thu-hoi"] {
            assert_eq!(ask(&place, path, &code).await.status, 409, "{path}");
        }
        assert_eq!((state(&place, &codes[2].token), logged(&place)), ("used", (before.0 + 1, before.1 + 2)));
        for code in ["", "không phải mã", "0000-0000-0000-0000-0000-0000"] {
            let none = ask(&place, "", code).await;
            assert!(none.status == 404 && none.text().contains("role=\"alert\""), "{code}");
        }
    }
}

#[actix_web::test]
async fn a_persons_code_is_replaced_or_withdrawn_and_the_page_does_not_tell_who_answered() {
    for mut place in places_with_letters() {
        place.invite("Lê A,Cục Thuế,a@x.vn\nLê B,Cục Thuế,b@x.vn\nLê C,BHXH tỉnh,c@x.vn\n");
        open(&place);
        let who = place.session(Role::Administrator).await;
        let round = place.test.db.read_here(|conn| place.rounds.get(conn, ROUND)).unwrap();
        let mut people = place.test.db.read_here(|conn| addressee::all(conn, ROUND)).unwrap();
        people.sort_by(|a, b| a.name.cmp(&b.name));
        let (used, kept) = place
            .test
            .db
            .write_here(|conn| {
                let now = place.test.db.now(conn)?;
                letters::plan(conn, now, &round, letters::Plan::Declared, &place.entropy, false)?;
                let mut codes = hand_out(conn, &round, &people[..2], &place.entropy)?;
                Ok::<_, CredentialError>((codes.remove(0), codes.remove(0)))
            })
            .unwrap();
        place.cast(&used);
        let ask = async |request: TestRequest| place.ask(ROUTES, request.cookie(who.clone())).await;
        let at = |person: &Addressee| format!("/{ROUND}/{}", person.id);
        let see =
            async |person: &Addressee| ask(get(&format!("/quan-tri/ma-phieu{}", at(person)))).await.text().to_owned();
        let act = async |person: &Addressee, how: &str| ask(posting(&at(person), &[("cach", how)])).await;
        let found = ask(posting("/tim", &[("tim", "lê b")])).await;
        assert!(found.text().contains(&people[1].id) && !found.text().contains(&people[0].id));
        // Who has answered and who has not look alike.
        let names =
            |text: String, one: &Addressee| text.replace(&one.id, "").replace(&one.name, "").replace(&one.email, "");
        assert_eq!(names(see(&people[0]).await, &people[0]), names(see(&people[1]).await, &people[1]));
        for how in ["thu", "hien", "thu-hoi"] {
            assert_eq!(act(&people[0], how).await.status, 409, "{how}: the ballot is in the box");
        }
        assert_eq!(place.details("codes.refused_used").len(), 3, "the attempts are in the trail");
        assert_eq!(act(&people[1], "").await.status, 400);
        let waiting = |person: &Addressee| {
            let of = |(id, template, _): &(String, String, i64)| (*id == person.id).then(|| template.clone());
            let planned = letters::tests::outbox_of(&place.test.db, ROUND);
            planned.iter().filter_map(of).collect::<Vec<_>>()
        };
        // Shown here: the letters that would bring another one are dropped, reminders stay.
        assert_eq!(waiting(&people[2]), ["invitation", "reminder"]);
        let shown = act(&people[2], "hien").await;
        let new = shown_code(shown.text());
        assert_eq!((state(&place, &new), waiting(&people[2])), ("issued", vec!["reminder".to_owned()]));
        // By letter: the old one dies now, the new one is made when the letter is sent.
        assert!(act(&people[2], "thu").await.text().contains("hàng chờ"));
        assert_eq!((state(&place, &new), waiting(&people[2]).len()), ("revoked", 2));
        // Withdrawn: nothing that waits brings another code, and planning again does not either.
        assert!(act(&people[1], "thu-hoi").await.text().contains("Đã thu hồi mã của người này"));
        assert_eq!(state(&place, &kept.token), "revoked");
        assert!(waiting(&people[1]).is_empty());
        let trail = ["codes.replaced", "codes.replaced_by_letter", "codes.revoked"].map(|act| place.details(act).len());
        assert_eq!(trail, [1, 1, 1]);
        let missing = ask(get(&format!("/quan-tri/ma-phieu/{ROUND}/khong-co"))).await;
        assert_eq!(missing.status, 404);
    }
}

#[actix_web::test]
async fn only_who_leads_may() {
    for place in places_with_letters() {
        let code = place.issue("CC-CT", Some("SNV"), Some(1)).remove(0).token.expose();
        open(&place);
        for role in [Role::Clerk, Role::Adjudicator, Role::Observer, Role::Auditor] {
            let other = place.session(role).await;
            for request in [
                get("/quan-tri/ma-phieu"),
                posting("", &[("ma", &code)]),
                posting("/thay", &[("ma", &code)]),
                posting("/tim", &[("tim", "a")]),
            ] {
                assert_eq!(place.ask(ROUTES, request.cookie(other.clone())).await.status, 403, "{role:?}");
            }
        }
        assert_eq!(place.ask(ROUTES, get("/quan-tri/ma-phieu")).await.status, 303, "sign in first");
        assert!(place.details("codes.replaced").is_empty());
    }
}

#[actix_web::test]
async fn a_client_gets_a_list_once_and_another_when_it_says_so() {
    const REST: Routes = Routes { pages: |_| (), rest, data: |_| () };
    for place in places_with_letters() {
        let token = place.token("codes:issue").await;
        let ask = async |body: serde_json::Value| {
            let request = TestRequest::post()
                .uri(&format!("/khao-sat/api/v1/rounds/{ROUND}/codes"))
                .insert_header(("authorization", format!("Bearer {token}")))
                .set_json(body);
            place.ask(REST, request).await
        };
        let group = |renew: bool| serde_json::json!({"respondent_code": "LĐH-CH", "renew": renew});
        let codes = |reply: &Reply| reply.json()["codes"].as_array().unwrap().len();
        let first = ask(group(false)).await;
        assert_eq!((first.status, codes(&first), first.json()["revoked"].as_u64()), (201, 40, Some(0)));
        assert_eq!(codes(&ask(group(false)).await), 0, "nothing is left open");
        let again = ask(group(true)).await;
        assert_eq!((codes(&again), again.json()["revoked"].as_u64()), (40, Some(40)));
        let old = Token::parse(first.json()["codes"][0]["code"].as_str().unwrap()).unwrap();
        assert_eq!(state(&place, &old), "revoked");
        assert!(place.details("codes.issued").contains(&"group=LĐH-CH count=40 revoked=40".to_owned()));
        // Codes that go by letter are no list.
        for renew in [false, true] {
            let addressed = ask(serde_json::json!({"respondent_code": "CC-ND", "renew": renew})).await;
            assert_eq!(addressed.refusal(), (409, "codes_by_letter".to_owned()));
        }
    }
}
