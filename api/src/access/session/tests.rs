//! Sign-in and sessions on every database, under a clock set by hand.

use chrono::TimeDelta;

use super::super::fixture::{PASSWORD, hire, morning, name, places, sign_in, write};
use super::super::{AccessError, NewPassword, Passwords, Role, audit, staff};
use super::*;

fn passwords() -> Passwords {
    Passwords::new(&Entropy::System).unwrap()
}

#[actix_web::test]
async fn a_session_lives_from_sign_in_to_sign_out() {
    let (_, all) = places();
    let passwords = passwords();
    for test in &all {
        let lan = hire(test, "lan", Role::Clerk);
        let cookie = sign_in(test, &passwords, " Lan ", PASSWORD).await.expect("signed in");
        assert_eq!(resume(&test.db, &cookie).await.unwrap(), Some(lan), "{}", test.backend);
        assert_eq!(resume(&test.db, &Secret::random(&Entropy::System)).await.unwrap(), None);

        sign_out(&test.db, cookie.clone()).await.unwrap();
        assert_eq!(resume(&test.db, &cookie).await.unwrap(), None, "{}", test.backend);
        sign_out(&test.db, cookie).await.unwrap();

        let trail = test.db.read_here(|conn| audit::read(conn, None, 10)).unwrap();
        let mut acts: Vec<_> = trail.iter().map(|e| (e.actor.as_str(), e.action.as_str())).collect();
        acts.sort_unstable();
        let lan = "staff:lan";
        assert_eq!(acts, [("command", "staff.added"), (lan, "staff.signed_in"), (lan, "staff.signed_out")]);
    }
}

#[actix_web::test]
async fn nobody_enters_with_a_wrong_name_or_password() {
    let (_, all) = places();
    let passwords = passwords();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        for (who, password) in [
            ("lan", "mật khẩu của ai"),
            ("lan", ""),
            ("nga", PASSWORD),
            ("", PASSWORD),
            ("lan' OR '1'='1", PASSWORD),
            ("lan%", PASSWORD),
        ] {
            assert!(sign_in(test, &passwords, who, password).await.is_none(), "{who} on {}", test.backend);
        }
    }
}

#[actix_web::test]
async fn an_idle_session_ends_after_half_an_hour() {
    let (clock, all) = places();
    let passwords = passwords();
    let mut cookies = Vec::new();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        cookies.push(sign_in(test, &passwords, "lan", PASSWORD).await.unwrap());
    }
    // Used every 29 minutes it goes on; one minute more and it is over.
    for _ in 0..3 {
        clock.advance(IDLE - TimeDelta::minutes(1));
        for (test, cookie) in all.iter().zip(&cookies) {
            assert!(resume(&test.db, cookie).await.unwrap().is_some(), "{}", test.backend);
        }
    }
    clock.advance(IDLE);
    for (test, cookie) in all.iter().zip(&cookies) {
        assert!(resume(&test.db, cookie).await.unwrap().is_none(), "{}", test.backend);
        clock.advance(-IDLE);
        assert!(resume(&test.db, cookie).await.unwrap().is_some(), "it is the time that decides");
        clock.advance(IDLE);
    }
}

#[actix_web::test]
async fn no_session_outlives_a_working_day() {
    let (clock, all) = places();
    let passwords = passwords();
    let mut cookies = Vec::new();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        cookies.push(sign_in(test, &passwords, "lan", PASSWORD).await.unwrap());
    }
    let step = TimeDelta::minutes(20);
    while clock.fixed().unwrap() + step < morning() + LONGEST {
        clock.advance(step);
        for (test, cookie) in all.iter().zip(&cookies) {
            assert!(resume(&test.db, cookie).await.unwrap().is_some(), "{}", test.backend);
        }
    }
    clock.advance(step);
    for (test, cookie) in all.iter().zip(&cookies) {
        assert!(resume(&test.db, cookie).await.unwrap().is_none(), "{}", test.backend);
        // The next sign-in clears it away.
        let new = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let old = fingerprint(cookie.reveal());
        assert!(test.db.read_here(|conn| Ok::<_, DbError>(store::session(conn, &old)?)).unwrap().is_none());
        assert!(resume(&test.db, &new).await.unwrap().is_some());
    }
}

#[actix_web::test]
async fn use_is_noted_at_most_once_a_minute() {
    let (clock, all) = places();
    let passwords = passwords();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let cookie = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let start = clock.fixed().unwrap();
        let id = fingerprint(cookie.reveal());
        let seen = || {
            let row = test.db.read_here(|conn| Ok::<_, DbError>(store::session(conn, &id)?)).unwrap();
            row.unwrap().0.last_seen_at - start
        };
        clock.advance(TimeDelta::seconds(59));
        resume(&test.db, &cookie).await.unwrap().unwrap();
        assert_eq!(seen(), TimeDelta::zero(), "{}", test.backend);
        clock.advance(TimeDelta::seconds(1));
        resume(&test.db, &cookie).await.unwrap().unwrap();
        assert_eq!(seen(), NOTED_EVERY, "{}", test.backend);
    }
}

#[actix_web::test]
async fn disabling_ends_sessions_and_sign_ins() {
    let (_, all) = places();
    let passwords = passwords();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        hire(test, "nga", Role::Clerk);
        let lan = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let nga = sign_in(test, &passwords, "nga", PASSWORD).await.unwrap();
        write(test, |conn, at| staff::disable(conn, at, &Actor::Command, &name("lan"))).unwrap();
        write(test, |conn, at| staff::disable(conn, at, &Actor::Command, &name("lan"))).unwrap();

        assert!(resume(&test.db, &lan).await.unwrap().is_none(), "{}", test.backend);
        assert!(resume(&test.db, &nga).await.unwrap().is_some(), "others stay");
        assert!(sign_in(test, &passwords, "lan", PASSWORD).await.is_none());
        let listed = test.db.read_here(staff::list).unwrap();
        let disabled: Vec<_> = listed.iter().map(|l| (l.staff.name.as_str(), l.disabled)).collect();
        assert_eq!(disabled, [("lan", true), ("nga", false)]);
        let trail = test.db.read_here(|conn| audit::read(conn, None, 50)).unwrap();
        assert_eq!(trail.iter().filter(|e| e.action == "staff.disabled").count(), 1, "once, however often asked");
    }
}

#[actix_web::test]
async fn a_reset_ends_sessions_and_the_old_password() {
    let (_, all) = places();
    let passwords = passwords();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let cookie = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let new = NewPassword::generate(&Entropy::System);
        let hash = new.hash_here(&Entropy::System).unwrap();
        write(test, |conn, at| staff::reset(conn, at, &Actor::Command, &name("lan"), &hash)).unwrap();

        assert!(resume(&test.db, &cookie).await.unwrap().is_none(), "{}", test.backend);
        assert!(sign_in(test, &passwords, "lan", PASSWORD).await.is_none());
        assert!(sign_in(test, &passwords, "lan", new.reveal()).await.is_some());
        let nobody = write(test, |conn, at| staff::reset(conn, at, &Actor::Command, &name("nga"), &hash));
        assert!(matches!(nobody, Err(AccessError::StaffUnknown)));
    }
}

#[actix_web::test]
async fn a_new_sign_in_replaces_the_browsers_session_and_no_other() {
    let (_, all) = places();
    let passwords = passwords();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let here = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let elsewhere = sign_in(test, &passwords, "lan", PASSWORD).await.unwrap();
        let given = Secret::new(PASSWORD.to_owned());
        let (_, next) = staff::sign_in(&test.db, &passwords, &Entropy::System, "lan", &given, Some(here.clone()))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(next.reveal(), here.reveal());
        assert!(resume(&test.db, &here).await.unwrap().is_none(), "{}", test.backend);
        assert!(resume(&test.db, &elsewhere).await.unwrap().is_some());
        assert!(resume(&test.db, &next).await.unwrap().is_some());
    }
}

#[test]
fn a_name_is_given_once() {
    let (_, all) = places();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let hash = NewPassword::generate(&Entropy::System).hash_here(&Entropy::System).unwrap();
        let again = write(test, |conn, at| {
            staff::add(conn, at, &Entropy::System, &Actor::Command, &name("LAN"), Role::Administrator, &hash)
        });
        assert!(matches!(again, Err(AccessError::NameTaken)), "{}", test.backend);
        let listed = test.db.read_here(staff::list).unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].staff.role, Role::Clerk);
    }
    for bad in ["", "l", "1lan", "lan anh", "lân", "lan;", &"a".repeat(41)] {
        assert!(matches!(staff::SignInName::parse(bad), Err(AccessError::NameInvalid)), "{bad}");
    }
}

#[test]
fn the_database_holds_neither_cookie_nor_password() {
    let (_, all) = places();
    for test in &all {
        let lan = hire(test, "lan", Role::Clerk);
        let cookie = write(test, |conn, at| Ok(open(conn, at, &Entropy::System, &lan.id)?)).unwrap();
        let known = test.db.read_here(|conn| Ok::<_, DbError>(store::staff_by_name(conn, "lan")?)).unwrap().unwrap();
        assert!(!known.password.as_str().contains(PASSWORD), "{}", test.backend);
        assert!(!format!("{known:?} {cookie:?}").contains("argon2id"));
        assert!(!format!("{cookie:?}").contains(cookie.reveal()));
        let by_cookie = test.db.read_here(|c| Ok::<_, DbError>(store::session(c, cookie.reveal().as_bytes())?));
        assert!(by_cookie.unwrap().is_none(), "the key is the hash, not the value");
    }
}
