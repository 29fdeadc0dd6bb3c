//! Staff and clients for the tests of this room, made through its own use cases.

use chrono::{DateTime, Utc};

use super::scopes::Scopes;
use super::{AccessError, Actor, NewPassword, Passwords, Role, Secret, SignInName, Staff, client, staff};
use crate::clock::{Clock, Entropy};
use crate::testing::{TestDb, databases_at};

/// The password of every member of staff in these tests.
pub(super) const PASSWORD: &str = "mật khẩu của tôi";

/// A working morning.
pub(super) fn morning() -> DateTime<Utc> {
    "2026-11-23T01:00:00Z".parse().unwrap()
}

/// Each database at hand at [`morning`], and the clock that they share.
pub(super) fn places() -> (Clock, Vec<TestDb>) {
    let clock = Clock::set_to(morning());
    let all = databases_at(&clock);
    (clock, all)
}

pub(super) fn name(text: &str) -> SignInName {
    SignInName::parse(text).unwrap()
}

pub(super) fn hire(test: &TestDb, who: &str, role: Role) -> Staff {
    let entropy = Entropy::System;
    let hash = NewPassword::parse(PASSWORD).unwrap().hash_here(&entropy).unwrap();
    test.db
        .write_here(|conn| {
            let at = test.db.now(conn)?;
            staff::add(conn, at, &entropy, &Actor::Command, &name(who), role, &hash)
        })
        .unwrap()
}

pub(super) fn enrol(test: &TestDb, scopes: &str) -> (client::Client, Secret) {
    let scopes = Scopes::parse(scopes).unwrap();
    test.db
        .write_here(|conn| {
            let at = test.db.now(conn)?;
            client::add(conn, at, &Entropy::System, &Actor::Command, "Phần mềm chấm điểm", scopes)
        })
        .unwrap()
}

pub(super) async fn sign_in(test: &TestDb, passwords: &Passwords, who: &str, password: &str) -> Option<Secret> {
    let given = Secret::new(password.to_owned());
    let done = staff::sign_in(&test.db, passwords, &Entropy::System, who, &given, None).await.unwrap();
    done.map(|(_, cookie)| cookie)
}

pub(super) fn write<T>(
    test: &TestDb,
    act: impl FnOnce(&mut crate::db::Conn, DateTime<Utc>) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    test.db.write_here(|conn| {
        let at = test.db.now(conn)?;
        act(conn, at)
    })
}
