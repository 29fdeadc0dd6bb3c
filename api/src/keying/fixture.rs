//! An open round with paper codes and the people of a desk, on every database at hand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use survey_forms::Round;
use survey_forms::answers::{Answer, Answers, Ballot};
use survey_forms::round::RoundFiles;

use super::{PaperDesk, entry, store};
use crate::access::{Role, Staff};
use crate::ballot::seal::{BoxSecret, open as open_envelope};
use crate::ballot::{Bearer, Casting, Token};
use crate::bundle::{self, By};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::credential::{Selection, issue};
use crate::db::DbError;
use crate::round::{self, RoundState, Rounds};
use crate::testing::{TestDb, databases_at};

pub(super) const ROUND: &str = "quang-nam-2023";
/// Ten items about one department.
pub(super) const SINGLE: &str = "LĐH-CH";
/// Five items, one of each kind, about each of two bodies; in the round of every kind.
pub(super) const MIXED: &str = "HV";
/// Eight items about each of 43 bodies.
pub(super) const MATRIX: &str = "HĐ-CT";

pub(super) struct Scene {
    pub(super) test: TestDb,
    pub(super) desk: PaperDesk,
    pub(super) clock: Clock,
    secret: BoxSecret,
    round: String,
}

fn during() -> DateTime<Utc> {
    "2023-10-20T03:00:00Z".parse().unwrap()
}

pub(super) fn scenes() -> Vec<Scene> {
    of(&survey_forms::quang_nam_2023(), during())
}

/// A round with every kind of question; its group [`MIXED`] answers on paper.
pub(super) fn scenes_of_every_kind() -> Vec<Scene> {
    of(&survey_forms::every_kind(), "2026-09-20T03:00:00Z".parse().unwrap())
}

fn of(files: &RoundFiles, during: DateTime<Utc>) -> Vec<Scene> {
    let clock = Clock::set_to(during);
    let id = Round::from_files(files).unwrap().id;
    let scene = |test: TestDb| {
        let entropy = Entropy::System;
        let rounds = Rounds::new();
        let (secret, public) = BoxSecret::generate(&entropy).unwrap();
        test.db
            .write_here(|conn| {
                round::load(conn, files).unwrap();
                round::set_box_key(conn, &id, public.bytes()).unwrap();
                round::advance(conn, &id, RoundState::Loaded, RoundState::Open).unwrap();
                rounds.reread(conn).unwrap();
                for (id, role) in [
                    ("an", Role::Clerk),
                    ("binh", Role::Clerk),
                    ("chi", Role::Adjudicator),
                    ("dung", Role::Supervisor),
                    ("em", Role::Clerk),
                ] {
                    store::testing::hire(conn, id, role.as_str())?;
                }
                Ok::<_, DbError>(())
            })
            .unwrap();
        let (casting, _thread) = Casting::start(&test.db, &Config::default(), &entropy).unwrap();
        let desk = PaperDesk { db: test.db.clone(), rounds, casting, entropy };
        Scene { test, desk, clock: clock.clone(), secret, round: id.clone() }
    };
    databases_at(&clock).into_iter().map(scene).collect()
}

pub(super) fn staff(id: &str) -> Staff {
    let role = match id {
        "chi" => Role::Adjudicator,
        "dung" => Role::Supervisor,
        _ => Role::Clerk,
    };
    Staff { id: id.to_owned(), name: id.to_owned(), role }
}

impl Scene {
    /// A fresh code of this group.
    pub(super) fn code(&self, group: &str) -> Token {
        let entropy = Entropy::System;
        self.write(|conn| {
            let loaded = self.desk.rounds.get(conn, &self.round).unwrap();
            let unit = match group {
                MATRIX | MIXED => None,
                SINGLE => Some("SNV"),
                _ => Some("SNV"),
            };
            let one = Selection { respondent_code: Some(group), source_unit: unit, count: Some(1) };
            let token = issue(conn, &loaded, one, &entropy).unwrap().pop().unwrap().token;
            // Each is a bundle of its own, and has come back.
            let by = By::Actor(crate::access::Actor::Command);
            bundle::receive_all(&self.desk.db, conn, &entropy, &by, &self.round, None).unwrap();
            token
        })
    }

    pub(super) async fn bearer(&self, code: &Token) -> Arc<Bearer> {
        self.desk.find(code).await.unwrap()
    }

    pub(super) fn write<T>(&self, work: impl FnOnce(&mut crate::db::Conn) -> T) -> T {
        self.test.db.write_here(|conn| Ok::<_, DbError>(work(conn))).unwrap()
    }

    /// Every ballot in the box, opened.
    pub(super) fn box_content(&self) -> Vec<Ballot> {
        let sealed = self.write(|conn| store::testing::envelopes(conn).unwrap());
        let open = |sealed: &Vec<u8>| open_envelope(&self.secret, &self.round, sealed).unwrap();
        sealed.iter().map(open).map(|bytes| Ballot::from_canonical(&bytes).unwrap()).collect()
    }

    /// Ballots returned on paper and in all.
    pub(super) fn turnout(&self) -> (i64, i64) {
        let lines = self.write(|conn| store::testing::turnout(conn).unwrap());
        let paper = lines.iter().filter(|(channel, _)| channel == "paper").map(|(_, n)| n).sum();
        (paper, lines.iter().map(|(_, n)| n).sum())
    }

    pub(super) fn drafts(&self) -> i64 {
        self.write(|conn| store::testing::drafts(conn).unwrap())
    }
}

/// A complete entry with the same key everywhere.
pub(super) fn all(bearer: &Bearer, key: &str) -> Answers {
    let form = bearer.form().unwrap();
    let mut answers = Answers::new();
    for (target, item) in entry::places(&form) {
        answers.insert(target, &item.code, entry::read_key(&form, item, key).unwrap());
    }
    answers
}

/// The same with other options at some of the form's places, counted from 0.
pub(super) fn but(bearer: &Bearer, answers: &Answers, changes: &[(usize, &str)]) -> Answers {
    let form = bearer.form().unwrap();
    let places: Vec<_> = entry::places(&form).collect();
    let mut answers = answers.clone();
    for (place, option) in changes {
        let (target, item) = places[*place];
        answers.insert(target, &item.code, Answer::Choice((*option).to_owned()));
    }
    answers
}

/// The inputs of a keying screen with `key` everywhere but at some places, counted from 0.
pub(super) fn answer_keys(bearer: &Bearer, key: &str, but: &[(usize, &str)]) -> Vec<(String, String)> {
    let form = bearer.form().unwrap();
    let given = |place: usize| but.iter().find(|(at, _)| *at == place).map_or(key, |(_, key)| key);
    let input = |(place, (target, item)): (usize, (&str, &_))| {
        (super::sheet::input_name(&form, target, item), given(place).to_owned())
    };
    entry::places(&form).enumerate().map(input).collect()
}

/// What such inputs mean.
pub(super) fn answers(bearer: &Bearer, keys: &[(String, String)]) -> Answers {
    let typed = keys.iter().cloned().collect();
    super::sheet::read(&bearer.form().unwrap(), &typed).ok().unwrap()
}
