//! Casting on both databases: once, for ever, and only while the round is open.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use survey_forms::answers::{Answer, Answers};

use super::seal::{BoxSecret, open as open_envelope};
use super::*;
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::credential::{Selection, issue};
use crate::db::schema::{self, envelope, turnout};
use crate::round::{self, RoundState};
use crate::testing::{TestDb, databases_at};
use diesel::prelude::*;

struct Scene {
    test: TestDb,
    rounds: Rounds,
    casting: Casting,
    secret: BoxSecret,
    codes: Vec<Token>,
    clock: Clock,
    entropy: Entropy,
}

const ROUND: &str = "quang-nam-2023";

fn during() -> DateTime<Utc> {
    "2023-10-01T03:00:00Z".parse().unwrap()
}

/// An open round with `count` codes of one unit, on every database at hand.
fn scenes(count: u32) -> Vec<Scene> {
    scenes_of(&survey_forms::quang_nam_2023(), count)
}

fn scenes_of(files: &survey_forms::RoundFiles, count: u32) -> Vec<Scene> {
    let clock = Clock::set_to(during());
    databases_at(&clock)
        .into_iter()
        .map(|test| {
            let entropy = Entropy::seeded(11);
            let rounds = Rounds::new();
            let (secret, public) = BoxSecret::generate(&entropy).unwrap();
            let codes = test
                .db
                .write_here(|conn| {
                    round::load(conn, files).unwrap();
                    round::set_box_key(conn, ROUND, public.bytes()).unwrap();
                    let loaded = rounds.reread(conn).unwrap().first().cloned().unwrap();
                    let one =
                        Selection { respondent_code: Some("CC-CT"), source_unit: Some("SNV"), count: Some(count) };
                    let codes = issue(conn, &loaded, one, &entropy).unwrap();
                    round::advance(conn, ROUND, RoundState::Loaded, RoundState::Open).unwrap();
                    rounds.reread(conn).unwrap();
                    Ok::<_, DbError>(codes.into_iter().map(|c| c.token).collect())
                })
                .unwrap();
            let (casting, _thread) = Casting::start(&test.db, &Config::default(), &entropy).unwrap();
            Scene { test, rounds, casting, secret, codes, clock: clock.clone(), entropy }
        })
        .collect()
}

impl Scene {
    fn bearer(&self, token: &Token) -> Bearer {
        self.test.db.read_here(|conn| find(conn, &self.rounds, token)).unwrap()
    }

    fn count(&self, what: &str) -> i64 {
        self.test
            .db
            .read_here(|conn| {
                let n: i64 = match what {
                    "envelope" => envelope::table.count().get_result(conn)?,
                    "draft" => schema::draft::table.count().get_result(conn)?,
                    _ => turnout::table.select(turnout::returned).load::<i64>(conn)?.iter().sum(),
                };
                Ok::<_, DbError>(n)
            })
            .unwrap()
    }
}

fn answers(option: &str) -> Answers {
    let mut answers = Answers::new();
    answers.insert("SNV", "X1.1", Answer::Choice(option.to_owned()));
    answers.insert("SNV", "X7.1", Answer::Choice("N".to_owned()));
    answers
}

#[test]
fn a_ballot_goes_in_once_and_comes_out_as_it_went_in() {
    for scene in scenes(1) {
        let token = &scene.codes[0];
        let first = scene.casting.cast_here(&scene.bearer(token), &answers("B")).unwrap();
        let again = scene.casting.cast_here(&scene.bearer(token), &answers("E")).unwrap();
        assert!(first.first && !again.first);
        assert!(first.receipt == again.receipt, "{}", scene.test.backend);
        assert_eq!((scene.count("envelope"), scene.count("turnout")), (1, 1));

        let sealed: Vec<u8> = scene
            .test
            .db
            .read_here(|c| envelope::table.select(envelope::sealed).first(c).map_err(DbError::from))
            .unwrap();
        let ballot = open_envelope(&scene.secret, ROUND, &sealed).unwrap();
        let ballot = survey_forms::answers::Ballot::from_canonical(&ballot).unwrap();
        assert!(ballot.answers == answers("B"));
        assert_eq!(ballot.stratum.to_string(), "CC-CT/SNV");
        assert_eq!(seal::envelope_id(&sealed), *first.receipt.id());
    }
}

/// Runs this many changes of one draft at once: each answers an item of its own.
fn keep_at_once(scene: &Scene, token: &Token, items: &[String]) -> Vec<draft::Kept> {
    let bearer = scene.bearer(token);
    let change = |item: &String| {
        let mut answers = Answers::new();
        answers.insert("SNV", item, Answer::Choice("C".to_owned()));
        scene.casting.keep(&bearer, draft::Change { answers, clear: Vec::new() })
    };
    let mut waiting: Vec<_> = items.iter().map(change).map(Box::pin).collect();
    let mut done = Vec::new();
    // All are asked before the first is waited for.
    let all = std::future::poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(kept) => {
                done.push(kept.unwrap());
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(all);
    done
}

#[test]
fn changes_that_share_a_flush_are_all_in_the_draft_until_the_code_is_used() {
    for scene in scenes(3) {
        let token = &scene.codes[0];
        let bearer = scene.bearer(token);
        let items: Vec<String> = bearer.form().unwrap().questionnaire.items().map(|i| i.code.clone()).collect();
        let kept = keep_at_once(&scene, token, &items);
        assert_eq!(kept, vec![draft::Kept::Done; items.len()], "{}", scene.test.backend);
        let read = |token: &Token| {
            let bearer = scene.bearer(token);
            scene.test.db.read_here(|c| draft::read(c, &bearer, Purpose::Draft)).unwrap().unwrap_or_default()
        };
        assert_eq!(read(token).iter().count(), items.len());
        assert_eq!((scene.count("draft"), read(&scene.codes[1]).is_empty()), (1, true));

        scene.casting.cast_here(&bearer, &read(token)).unwrap();
        assert_eq!(keep_at_once(&scene, token, &items[..1]), [draft::Kept::Settled]);
        scene.clock.advance(TimeDelta::days(60));
        assert_eq!(keep_at_once(&scene, &scene.codes[1], &items[..1]), [draft::Kept::NotOpen]);
        scene.clock.advance(TimeDelta::days(-60));
        scene.test.db.write_here(|c| round::advance(c, ROUND, RoundState::Open, RoundState::Closed)).unwrap();
        assert_eq!(keep_at_once(&scene, &scene.codes[1], &items[..1]), [draft::Kept::NotOpen]);
        assert_eq!(scene.count("draft"), 0);
    }
}

#[test]
fn sixty_four_racing_clients_get_one_ballot_and_one_receipt() {
    for scene in scenes(1) {
        let scene = Arc::new(scene);
        let start = Arc::new(std::sync::Barrier::new(64));
        let racers: Vec<_> = (0..64)
            .map(|n| {
                let (scene, start) = (Arc::clone(&scene), Arc::clone(&start));
                std::thread::spawn(move || {
                    let bearer = scene.bearer(&scene.codes[0]);
                    start.wait();
                    let cast = scene.casting.cast_here(&bearer, &answers(["A", "B", "C"][n % 3])).unwrap();
                    (cast.first, cast.receipt.to_string())
                })
            })
            .collect();
        let results: Vec<_> = racers.into_iter().map(|r| r.join().unwrap()).collect();
        assert_eq!(results.iter().filter(|(first, _)| *first).count(), 1);
        assert!(results.iter().all(|(_, receipt)| *receipt == results[0].1));
        assert_eq!((scene.count("envelope"), scene.count("turnout")), (1, 1), "{}", scene.test.backend);
    }
}

#[test]
fn nothing_is_taken_outside_the_dates_or_after_the_close() {
    for scene in scenes(2) {
        let bearer = scene.bearer(&scene.codes[0]);
        scene.clock.advance(TimeDelta::days(-60));
        assert!(matches!(scene.casting.cast_here(&bearer, &answers("A")), Err(CastError::NotOpen)));
        scene.clock.advance(TimeDelta::days(120));
        assert!(matches!(scene.casting.cast_here(&bearer, &answers("A")), Err(CastError::NotOpen)));
        scene.clock.advance(TimeDelta::days(-60));
        scene.test.db.write_here(|c| round::advance(c, ROUND, RoundState::Open, RoundState::Closed)).unwrap();
        assert!(matches!(scene.casting.cast_here(&bearer, &answers("A")), Err(CastError::NotOpen)));
        assert_eq!((scene.count("envelope"), scene.count("turnout")), (0, 0));
    }
}

#[test]
fn in_the_grace_after_the_close_only_a_saved_draft_is_taken() {
    let mut files = survey_forms::quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let text = text.replacen("[dates]", "[dates]\ngrace_minutes = 15", 1);
    files.insert("round.toml".to_owned(), text.into_bytes());
    for scene in scenes_of(&files, 3) {
        let bearers: Vec<Bearer> = scene.codes.iter().map(|token| scene.bearer(token)).collect();
        for bearer in &bearers[..2] {
            scene
                .test
                .db
                .write_here(|c| {
                    draft::keep(c, bearer, Purpose::Draft, &answers("C"), &scene.entropy)
                        .map_err(|_refused| DbError::Conflict)
                })
                .unwrap();
        }
        let closes = bearers[0].round.closes_at;
        let past = |minutes| scene.clock.advance(closes + TimeDelta::minutes(minutes) - scene.clock.fixed().unwrap());
        past(14);
        assert!(scene.casting.cast_here(&bearers[0], &answers("D")).unwrap().first, "{}", scene.test.backend);
        assert!(!scene.casting.cast_here(&bearers[0], &answers("D")).unwrap().first);
        assert!(matches!(scene.casting.cast_here(&bearers[2], &answers("D")), Err(CastError::NotOpen)));
        past(15);
        assert!(matches!(scene.casting.cast_here(&bearers[1], &answers("D")), Err(CastError::NotOpen)));
        past(14);
        scene.test.db.write_here(|c| round::advance(c, ROUND, RoundState::Open, RoundState::Closed)).unwrap();
        assert!(matches!(scene.casting.cast_here(&bearers[1], &answers("D")), Err(CastError::NotOpen)));
        assert_eq!((scene.count("envelope"), scene.count("draft")), (1, 1));
        past(-60);
    }
}

#[test]
fn a_revoked_code_casts_nothing_and_its_replacement_does() {
    for scene in scenes(1) {
        let stale = scene.bearer(&scene.codes[0]);
        let new = scene
            .test
            .db
            .write_here(|c| crate::credential::replace(c, &scene.rounds, &scene.codes[0], &scene.entropy))
            .unwrap();
        assert!(matches!(scene.casting.cast_here(&stale, &answers("A")), Err(CastError::Revoked)));
        assert!(scene.casting.cast_here(&scene.bearer(&new.token), &answers("A")).unwrap().first);
        let used = scene.test.db.write_here(|c| crate::credential::revoke(c, &scene.rounds, &new.token));
        assert!(matches!(used, Err(crate::credential::CredentialError::Used)));
    }
}

#[test]
fn a_draft_follows_its_code_and_dies_with_the_cast() {
    for scene in scenes(1) {
        let bearer = scene.bearer(&scene.codes[0]);
        let keep = |a: &Answers| {
            scene.test.db.write_here(|c| {
                draft::keep(c, &bearer, Purpose::Draft, a, &scene.entropy).map_err(|_refused| DbError::Conflict)
            })
        };
        keep(&answers("C")).unwrap();
        keep(&answers("D")).unwrap();
        let elsewhere = scene.bearer(&scene.codes[0]);
        let read = scene.test.db.read_here(|c| draft::read(c, &elsewhere, Purpose::Draft)).unwrap();
        assert!(read.unwrap() == answers("D"));
        scene.casting.cast_here(&bearer, &answers("D")).unwrap();
        assert_eq!(scene.count("draft"), 0);
        assert!(keep(&answers("A")).is_err(), "a draft after the cast");
    }
}

#[test]
fn answers_that_are_not_this_codes_are_refused_whole() {
    for scene in scenes(1) {
        let bearer = scene.bearer(&scene.codes[0]);
        let mut foreign = answers("A");
        foreign.insert("STP", "X1.1", Answer::Choice("A".to_owned()));
        assert!(matches!(scene.casting.cast_here(&bearer, &foreign), Err(CastError::Answers(_))));
        assert!(matches!(scene.casting.cast_here(&bearer, &Answers::new()), Err(CastError::Answers(_))));
        assert_eq!(scene.count("envelope"), 0);
    }
}
