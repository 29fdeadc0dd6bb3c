//! A temporary clerk's day: digits, a supervisor's word, work, and the end of the day.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use actix_web::web;

use super::*;
use crate::access::fixture::{self, Answer, Served, app, call, carrying, hire, name, places, sign_in};
use crate::access::{Passwords, Signed, role::Desk};

fn desk(cfg: &mut web::ServiceConfig) {
    async fn at_work(signed: Signed<Desk>) -> String {
        signed.staff().name.clone()
    }
    cfg.route("/nhap-phieu", web::get().to(at_work));
}

async fn get(app: &Served, path: &str, cookie: Option<&Cookie<'static>>) -> Answer {
    let request = TestRequest::get().uri(&format!("/khao-sat{path}"));
    call(app, if let Some(cookie) = cookie { request.cookie(cookie.clone()) } else { request }).await
}

fn cookie_of(answer: &Answer) -> Cookie<'static> {
    Cookie::parse(answer.header("set-cookie").to_owned()).unwrap().into_owned()
}

/// The six digits on the page.
fn digits(page: &str) -> String {
    page.split("<strong>").nth(1).unwrap().split("</strong>").next().unwrap().replace(' ', "")
}

#[actix_web::test]
async fn a_clerk_of_a_day_comes_in_by_a_supervisors_word_and_is_out_at_midnight() {
    let (clock, tests) = places();
    for test in &tests {
        clock.set(fixture::morning());
        let app = app(test, fixture::BASE, desk, fixture::none).await;
        hire(test, "dung", Role::Supervisor);
        hire(test, "an", Role::Clerk);
        let passwords = Passwords::new(&Entropy::System).unwrap();
        let supervisor = sign_in(test, &passwords, "dung", fixture::PASSWORD).await.unwrap();
        let clerk = sign_in(test, &passwords, "an", fixture::PASSWORD).await.unwrap();

        assert!(get(&app, "/dang-nhap/tam", None).await.body.contains("Lấy mã"));
        let asked = call(&app, TestRequest::post().uri("/khao-sat/dang-nhap/tam")).await;
        assert_eq!(asked.status, 303);
        let held = cookie_of(&asked);
        assert!(held.http_only().unwrap() && held.value().len() == 43);
        let page = get(&app, "/dang-nhap/tam", Some(&held)).await;
        let short = digits(&page.body);
        assert!(short.len() == 6 && short.bytes().all(|b| b.is_ascii_digit()));
        // Somebody who overheard the digits has nothing.
        assert!(!get(&app, "/dang-nhap/tam", None).await.body.contains(&short));

        let confirm = async |by: &Secret, short: &str, who: &str| {
            let fields = [("short", short), ("name", who), ("office", "")];
            let request = TestRequest::post().uri("/khao-sat/nhap-phieu/nguoi-tam").set_form(fields);
            call(&app, carrying(request, by)).await
        };
        assert_eq!(confirm(&clerk, &short, "lan.tam").await.status, 403);
        let wrong = if short == "000000" { "000001" } else { "000000" };
        let none = confirm(&supervisor, wrong, "lan.tam").await;
        assert!(none.status == 422 && none.body.contains("Không có ai đang chờ với mã này"));
        let taken = confirm(&supervisor, &short, "an").await;
        assert!(taken.status == 422 && taken.body.contains("đã có người dùng"));
        assert!(confirm(&supervisor, &short, "Lân Tạm").await.body.contains("không dấu"));
        let spaced = format!("{} {}", &short[..3], &short[3..]);
        let done = confirm(&supervisor, &spaced, "lan.tam").await;
        assert!(done.status == 200 && done.body.contains("Đã xác nhận lan.tam"), "{}", done.body);
        assert_eq!(confirm(&supervisor, &short, "khac.tam").await.status, 422, "once");

        let come_in = async |held: &Cookie<'static>| {
            call(&app, TestRequest::post().uri("/khao-sat/dang-nhap/tam/vao").cookie(held.clone())).await
        };
        let seen = get(&app, "/dang-nhap/tam", Some(&held)).await;
        assert!(seen.status == 200 && seen.header("set-cookie").is_empty(), "looking lets nobody in");
        let entered = come_in(&held).await;
        assert_eq!((entered.status, entered.header("location")), (303, "/khao-sat/nhap-phieu"));
        let session = cookie_of(&entered);
        assert_eq!(get(&app, "/nhap-phieu", Some(&session)).await.body, "lan.tam", "{}", test.backend);
        assert!(get(&app, "/dang-nhap/tam", Some(&held)).await.body.contains("hết hạn"), "the request is used up");
        assert!(come_in(&held).await.body.contains("hết hạn"));
        assert_eq!(get(&app, "/nhap-phieu/nguoi-tam", Some(&session)).await.status, 403);
        let trail = test.db.read_here(|conn| audit::read(conn, None, 100)).unwrap();
        let acts: Vec<_> = trail.iter().filter(|e| e.subject == "lan.tam").map(|e| e.action.as_str()).collect();
        assert_eq!(acts.len(), 3);
        assert!(["staff.added", "staff.temporary_confirmed", "staff.signed_in"].iter().all(|act| acts.contains(act)));

        // In use all the time, and over at midnight all the same.
        let (came, midnight) = (days_end(fixture::morning()) - TimeDelta::hours(1), days_end(fixture::morning()));
        clock.set(came);
        assert_eq!(get(&app, "/nhap-phieu", Some(&session)).await.status, 303, "nobody used it for hours");
        let fresh = test.db.write_here(|conn| {
            let id = id_of(conn, "lan.tam");
            session::open(conn, came, &Entropy::System, &id)
        });
        let fresh = Cookie::new(crate::access::extract::COOKIE, fresh.unwrap().reveal().to_owned());
        for minute in [0, 20, 40, 59] {
            clock.set(came + TimeDelta::minutes(minute));
            assert_eq!(get(&app, "/nhap-phieu", Some(&fresh)).await.status, 200, "{minute}");
        }
        // Back from a pause: the same person is the same clerk, so that nobody keys a ballot twice under two names.
        clock.set(came);
        let again = cookie_of(&call(&app, TestRequest::post().uri("/khao-sat/dang-nhap/tam")).await);
        let early = come_in(&again).await;
        assert!(early.status == 200 && early.body.contains("chưa xác nhận"));
        let supervisor = sign_in(test, &passwords, "dung", fixture::PASSWORD).await.unwrap();
        let short = digits(&early.body);
        assert_eq!(confirm(&supervisor, &short, "an").await.status, 422, "a permanent clerk is not let in so");
        assert_eq!(confirm(&supervisor, &short, "lan.tam").await.status, 200);
        let back = cookie_of(&come_in(&again).await);
        assert_eq!(get(&app, "/nhap-phieu", Some(&back)).await.body, "lan.tam");
        let all = test.db.read_here(crate::access::staff::list).unwrap();
        assert_eq!(all.iter().filter(|one| one.temporary).count(), 1);
        clock.set(midnight);
        assert_eq!(get(&app, "/nhap-phieu", Some(&fresh)).await.status, 303, "the day is over");
        test.db
            .write_here(|conn| {
                let at = days_end(fixture::morning()) - TimeDelta::minutes(1);
                assert_eq!(list(conn, at)?.len(), 1);
                let id = id_of(conn, "lan.tam");
                assert!(store::in_force(conn, &id, at)?.is_some());
                assert!(store::in_force(conn, &id, at + TimeDelta::minutes(1))?.is_none());
                Ok::<_, DbError>(())
            })
            .unwrap();
        clock.set(fixture::morning());
    }
}

fn id_of(conn: &mut Conn, who: &str) -> String {
    crate::access::store::staff_by_name(conn, who).unwrap().unwrap().staff.id
}

#[test]
fn a_day_ends_at_midnight_in_viet_nam() {
    // 8:00 on the 23rd there.
    assert_eq!(days_end(fixture::morning()).to_rfc3339(), "2026-11-23T17:00:00+00:00");
    let late = fixture::morning() + TimeDelta::hours(16);
    assert_eq!(days_end(late).to_rfc3339(), "2026-11-24T17:00:00+00:00", "midnight belongs to the next day");
}

#[test]
fn digits_that_nobody_confirms_are_void_and_a_supervisor_ends_a_day_early() {
    let (_, tests) = places();
    for test in &tests {
        let at = fixture::morning();
        let entropy = Entropy::System;
        test.db
            .write_here(|conn| {
                let asked = ask(conn, at, &entropy)?;
                assert!(store::waiting(conn, &asked.short, at)?.is_some());
                let later = at + WAITS;
                assert!(store::waiting(conn, &asked.short, later + TimeDelta::seconds(1) - WAITS)?.is_none());
                assert_eq!(enter(conn, later, &entropy, &asked.cookie)?, Waiting::Over);
                ask(conn, later + TimeDelta::seconds(1), &entropy)?;
                assert_eq!(enter(conn, at, &entropy, &asked.cookie)?, Waiting::Over, "it has left the table");
                Ok::<_, DbError>(())
            })
            .unwrap();
        let regular = hire(test, "an", Role::Clerk);
        test.db
            .write_here(|conn| {
                let none = end(conn, at, &Actor::Command, &name(&regular.name));
                assert!(matches!(none, Err(AccessError::StaffUnknown)), "only temporary clerks are ended here");
                Ok::<_, DbError>(())
            })
            .unwrap();
    }
}
