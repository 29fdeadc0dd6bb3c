//! `/quan-tri/thu` as a browser sees it: who may, the dry run, what each button does, and what it never tells.

use actix_web::test::TestRequest;
use actix_web::web::Data;
use diesel::prelude::*;

use super::outbox::{Hours, Outbox, Ready};
use super::pages::pages;
use super::*;
use crate::access::Role;
use crate::ceremony::fixture::{BY, Place, ROUND, Reply, Routes, get, places_with_letters};
use crate::config::Config;
use crate::db::DbError;
use crate::db::schema::credential;
use crate::mail::{Mail, Outcome};

const ROUTES: Routes = Routes { pages, rest: |_| (), data: without_mail };

fn without_mail(cfg: &mut actix_web::web::ServiceConfig) {
    cfg.app_data(Data::<MailSettings>::new(None));
}

/// Letters of this process's tests.
fn folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("phieu-letters-{}", std::process::id()))
}

fn with_folder(cfg: &mut actix_web::web::ServiceConfig) {
    let config = Config {
        mail_url: format!("file://{}", folder().display()),
        mail_from: "Khảo sát <khaosat@example.gov.vn>".to_owned(),
        ..Config::default()
    };
    cfg.app_data(Data::<MailSettings>::new(Some(Mail::needed(&config).unwrap())));
}

fn posting(act: &str, fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(&format!("/khao-sat/quan-tri/thu/{ROUND}/{act}")).set_form(fields)
}

/// A place with an open round and three invited people.
fn open(place: &Place) {
    place.invite("Lê A,Cục Thuế,a@x.vn\nLê B,Cục Thuế,b@x.vn\nLê C,BHXH tỉnh,c@x.vn\n");
    place.keygen();
    place.ceremony.open(&BY, ROUND).unwrap();
    place.state();
}

fn outbox(place: &Place) -> Outbox {
    Outbox::new(&place.test.db, &place.rounds, &place.entropy, [15, 5].map(TimeDelta::minutes))
}

fn codes(place: &Place) -> i64 {
    place.test.db.read_here(|conn| Ok::<_, DbError>(credential::table.count().get_result(conn)?)).unwrap()
}

/// As a cast does.
fn uses(place: &Place, letter: &Ready) {
    let key = letter.key.unwrap();
    let used = |conn: &mut Conn| {
        diesel::update(credential::table.find(key.as_slice()))
            .set((
                credential::state.eq("used"),
                credential::redeem_signature.eq(vec![1_u8; 64]),
                credential::receipt_box.eq(vec![1_u8; 60]),
            ))
            .execute(conn)?;
        Ok::<_, DbError>(())
    };
    place.test.db.write_here(used).unwrap();
}

fn leads_to(reply: &Reply, result: &str, count: usize) {
    let place = format!("/khao-sat/quan-tri/thu?kq={result}&so={count}");
    assert_eq!((reply.status, reply.header("location")), (303, place.as_str()), "{}", reply.text());
}

#[actix_web::test]
async fn letters_are_counted_planned_paused_and_go_on() {
    for place in places_with_letters() {
        open(&place);
        let who = place.session(Role::Supervisor).await;
        let page = async || place.ask(ROUTES, get("/quan-tri/thu").cookie(who.clone())).await;
        let act = async |act: &str| place.ask(ROUTES, posting(act, &[]).cookie(who.clone())).await;
        let shown = page().await;
        for words in [
            "Chưa lên lịch: 3 thư mời, 3 thư nhắc",
            "Lên lịch gửi 6 thư",
            "chưa được đặt cách gửi thư",
            "từ 08:00 đến 17:00",
        ] {
            assert!(shown.text().contains(words), "{words} in {}", shown.text());
        }
        leads_to(&act("nhac").await, "khong", 0);
        leads_to(&act("len").await, "len", 6);
        leads_to(&act("len").await, "len", 0);
        assert_eq!(codes(&place), 0, "{}: a planned letter has no code", place.test.backend);
        leads_to(&act("dung").await, "dung", 0);
        assert!(page().await.text().contains("Đang tạm dừng"));
        let outbox = outbox(&place);
        assert!(outbox.take(None, Hours::Declared, 10).unwrap().is_empty());
        leads_to(&act("tiep").await, "tiep", 0);
        let letters = outbox.take(None, Hours::Declared, 10).unwrap();
        assert_eq!((letters.len(), codes(&place)), (3, 3));
        letters.iter().for_each(|letter| outbox.settle(letter, &Outcome::HandedOver).unwrap());
        assert!(page().await.text().contains("Đã xử lý 3 trên 6 thư"));
        // One more reminder: as many as were written to, whoever has answered; a second click adds none.
        uses(&place, &letters[0]);
        leads_to(&act("nhac").await, "len", 3);
        leads_to(&act("nhac").await, "khong", 0);
        let shown = place.ask(ROUTES, get("/quan-tri/thu?kq=khong").cookie(who.clone())).await;
        assert!(shown.text().contains("Không thêm thư nào"));
        let reminded = outbox.take(None, Hours::Declared, 10).unwrap();
        assert_eq!(reminded.len(), 2, "only who has not answered, at the moment of sending");
        // The declared reminders are still planned for everybody alike.
        let planned = super::tests::outbox_of(&place.test.db, ROUND);
        let declared = planned.iter().filter(|(_, template, n)| template == "reminder" && *n == 2).count();
        assert_eq!(declared, 3);
        assert!(!page().await.text().contains("Chưa lên lịch"), "nothing tells who has answered");
        let acts = ["letters.planned", "letters.paused", "letters.resumed"].map(|act| place.details(act).len());
        assert_eq!(acts, [5, 1, 1]);
    }
}

#[actix_web::test]
async fn a_test_letter_opens_nothing_and_its_failure_is_said() {
    for place in places_with_letters() {
        open(&place);
        let who = place.session(Role::Administrator).await;
        let ask = async |data| {
            let routes = Routes { data, ..ROUTES };
            place.ask(routes, posting("thu", &[("dia_chi", " thu@x.vn ")]).cookie(who.clone())).await
        };
        leads_to(&ask(without_mail).await, "thu-loi", 0);
        let _ = std::fs::remove_dir_all(folder());
        leads_to(&ask(with_folder).await, "thu", 0);
        let letters: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(letters.len(), 1);
        let letter = std::fs::read_to_string(&letters[0]).unwrap();
        let body = letter.split("base64\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
        let body: String = body.split_whitespace().collect();
        let body = String::from_utf8(data_encoding::BASE64.decode(body.as_bytes()).unwrap()).unwrap();
        assert!(letter.contains("thu@x.vn") && body.contains("/p#0000-0000-0000-0000-0000-0000"), "{letter} {body}");
        assert_eq!(codes(&place), 0);
        std::fs::remove_dir_all(folder()).unwrap();
        let bad = Routes { data: with_folder, ..ROUTES };
        let bad = place.ask(bad, posting("thu", &[("dia_chi", "không phải địa chỉ")]).cookie(who.clone())).await;
        leads_to(&bad, "thu-loi", 0);
    }
}

#[actix_web::test]
async fn what_did_not_arrive_is_shown_and_sent_again() {
    for place in places_with_letters() {
        open(&place);
        let who = place.session(Role::Supervisor).await;
        let act = async |act: &str, fields: &[(&str, &str)]| {
            place.ask(ROUTES, posting(act, fields).cookie(who.clone())).await
        };
        act("len", &[]).await;
        let outbox = outbox(&place);
        let letters = outbox.take(None, Hours::Declared, 10).unwrap();
        let refused = Outcome::Refused { for_good: true, fault: "550 5.1.1".to_owned() };
        outbox.settle(&letters[0], &refused).unwrap();
        letters[1..].iter().for_each(|letter| outbox.settle(letter, &Outcome::HandedOver).unwrap());
        let back = letters[1].person.email.to_uppercase();
        leads_to(&act("tra", &[("thu_tra", &format!("{back}\nla@x.vn\n"))]).await, "tra", 1);
        let shown = place.ask(ROUTES, get("/quan-tri/thu").cookie(who.clone())).await;
        for words in ["Thư không đến nơi", "bị từ chối: 550 5.1.1", "bị trả lại", letters[0].person.email.as_str()]
        {
            assert!(shown.text().contains(words), "{words}");
        }
        leads_to(&act("lai", &[]).await, "lai", 2);
        let again = outbox.take(None, Hours::Declared, 10).unwrap();
        assert_eq!(again.len(), 2, "{}", place.test.backend);
    }
}

#[actix_web::test]
async fn only_who_leads_may_and_only_while_the_round_takes_codes() {
    for place in places_with_letters() {
        open(&place);
        for role in [Role::Clerk, Role::Adjudicator, Role::Observer, Role::Auditor] {
            let other = place.session(role).await;
            for request in [get("/quan-tri/thu"), posting("len", &[]), posting("thu", &[("dia_chi", "a@x.vn")])] {
                assert_eq!(place.ask(ROUTES, request.cookie(other.clone())).await.status, 403, "{role:?}");
            }
        }
        assert_eq!(place.ask(ROUTES, get("/quan-tri/thu")).await.status, 303, "sign in first");
        let who = place.session(Role::Supervisor).await;
        assert_eq!(place.ask(ROUTES, posting("bay", &[]).cookie(who.clone())).await.status, 404);
        let elsewhere = TestRequest::post().uri("/khao-sat/quan-tri/thu/khong-co/len").set_form([("x", "y")]);
        assert_eq!(place.ask(ROUTES, elsewhere.cookie(who.clone())).await.status, 404);
        place.ceremony.close(&BY, ROUND).unwrap();
        place.state();
        assert_eq!(place.ask(ROUTES, posting("len", &[]).cookie(who.clone())).await.status, 409);
        let shown = place.ask(ROUTES, get("/quan-tri/thu").cookie(who.clone())).await;
        assert!(shown.text().contains("Không có đợt nào"), "{}", shown.text());
        assert!(place.details("letters.planned").is_empty());
    }
}
