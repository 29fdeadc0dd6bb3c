//! The desk on both databases: two equal entries or a third person, and nothing else, bring a ballot into the box.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use survey_forms::answers::{Answer, Answers, Mark};

use super::fixture::{MATRIX, ROUND, SINGLE, Scene, all, but, scenes, staff};
use super::*;
use crate::ballot::CredentialState;
use crate::round::RoundState;

mod commands;
mod scans;
mod slips;

fn refusal<T>(done: Result<T, KeyingError>) -> Refusal {
    match done.err().unwrap() {
        KeyingError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

fn decision(disputes: &[Dispute], option: &str) -> Decision {
    let mut answers = Answers::new();
    let mut reasons = BTreeMap::new();
    for dispute in disputes {
        answers.insert(&dispute.target, &dispute.item, Answer::Choice(option.to_owned()));
        reasons.insert((dispute.target.clone(), dispute.item.clone()), Reason::SlipSecond);
    }
    Decision { answers, reasons }
}

/// Opens a disputed ballot and reads `option` everywhere, before anything of the entries is shown.
async fn read(scene: &Scene, ballot: &Arc<Bearer>, who: &str, option: &str) -> Vec<Dispute> {
    let Ok(Task::Read(places)) = scene.desk.open(&staff(who), ballot).await else { panic!() };
    let mut answers = Answers::new();
    for (target, item) in places {
        answers.insert(&target, &item, Answer::Choice(option.to_owned()));
    }
    scene.desk.read_blind(&staff(who), ballot, answers).await.unwrap()
}

/// Keys the ballot twice, differently at its second and fifth place.
async fn mismatched(scene: &Scene, ballot: &Arc<Bearer>) {
    let entry = all(ballot, "2");
    let other = but(ballot, &entry, &[(1, "D"), (4, "E")]);
    scene.desk.enter(&staff("an"), ballot, Pass::First, entry).await.unwrap();
    let done = scene.desk.enter(&staff("binh"), ballot, Pass::Second, other).await.unwrap();
    assert_eq!(done, Done { reached: Reached::Mismatched(2), repeated: false });
}

#[actix_web::test]
async fn equal_entries_are_cast_once() {
    for scene in scenes() {
        for group in [SINGLE, MATRIX] {
            let code = scene.code(group);
            let ballot = scene.bearer(&code).await;
            assert!(matches!(scene.desk.open(&staff("an"), &ballot).await, Ok(Task::Key(Pass::First))));
            let entry = but(&ballot, &all(&ballot, "."), &[(0, "A"), (7, "N")]);
            let before = (scene.box_content().len(), scene.turnout().0);

            let first = scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
            assert_eq!(first, Done { reached: Reached::FirstDone, repeated: false });
            assert_eq!(scene.box_content().len(), before.0, "one entry is not enough");
            assert!(matches!(scene.desk.open(&staff("binh"), &ballot).await, Ok(Task::Key(Pass::Second))));
            let second = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, entry.clone()).await.unwrap();
            assert_eq!(second, Done { reached: Reached::Cast, repeated: false }, "{}", scene.test.backend);

            assert_eq!(scene.turnout(), (before.1 + 1, before.1 + 1));
            assert_eq!(scene.drafts(), 0, "no entry outlives the cast");
            let used = scene.bearer(&code).await;
            assert!(matches!(used.state, CredentialState::Used(_)), "there is a receipt");
            assert!(scene.box_content().iter().any(|b| b.answers == entry));
            for who in ["an", "binh", "chi", "em"] {
                assert_eq!(refusal(scene.desk.open(&staff(who), &used).await), Refusal::AlreadyCast);
            }
            // Each clerk's request comes again from a bad line.
            for (who, pass, reached) in [("an", Pass::First, Reached::FirstDone), ("binh", Pass::Second, Reached::Cast)]
            {
                let again = scene.desk.enter(&staff(who), &used, pass, entry.clone()).await.unwrap();
                assert_eq!(again, Done { reached, repeated: true });
            }
            assert_eq!(scene.turnout(), (before.1 + 1, before.1 + 1));
        }
        assert!(scene.box_content().iter().any(|b| b.answers.len() == 344));
    }
}

#[actix_web::test]
async fn a_third_person_decides_what_differs_and_only_that() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        mismatched(&scene, &ballot).await;
        assert_eq!(refusal(scene.desk.open(&staff("em"), &ballot).await), Refusal::AwaitsThird);
        let early = scene.desk.adjudicate(&staff("chi"), &ballot, decision(&[], "A")).await;
        assert!(matches!(early, Err(KeyingError::ReadingMissing)));
        let disputes = read(&scene, &ballot, "chi", "A").await;
        assert_eq!(disputes.len(), 2);

        // Nothing less than all, nothing else.
        let half = decision(&disputes[..1], "A");
        let Err(KeyingError::Decision(faults)) = scene.desk.adjudicate(&staff("chi"), &ballot, half).await else {
            panic!()
        };
        let places: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        let item = &disputes[1].item;
        assert!(places.contains(&(&*format!("/answers/SNV/{item}"), "decision_missing")), "{places:?}");
        assert!(places.contains(&(&*format!("/reasons/SNV/{item}"), "reason_missing")), "{places:?}");
        let mut more = decision(&disputes, "A");
        more.answers.insert(
            "SNV",
            &ballot.form().unwrap().questionnaire.items().last().unwrap().code,
            Answer::Mark(Mark::Blank),
        );
        assert!(matches!(scene.desk.adjudicate(&staff("chi"), &ballot, more).await, Err(KeyingError::Decision(_))));
        let unknown = decision(&disputes, "Z");
        assert!(matches!(scene.desk.adjudicate(&staff("chi"), &ballot, unknown).await, Err(KeyingError::Decision(_))));
        assert_eq!(scene.box_content().len(), 0);

        let clerk = scene.desk.adjudicate(&staff("em"), &ballot, decision(&disputes, "A")).await;
        assert!(matches!(clerk, Err(KeyingError::RoleMissing)));
        let done = scene.desk.adjudicate(&staff("chi"), &ballot, decision(&disputes, "A")).await.unwrap();
        assert_eq!(done, Done { reached: Reached::Cast, repeated: false });
        let again = scene.desk.adjudicate(&staff("chi"), &ballot, decision(&disputes, "A")).await.unwrap();
        assert_eq!(again, Done { reached: Reached::Cast, repeated: true });

        let sealed = scene.box_content();
        assert_eq!(sealed.len(), 1, "{}", scene.test.backend);
        assert!(sealed[0].answers == but(&ballot, &all(&ballot, "2"), &[(1, "A"), (4, "A")]), "as decided");
        assert_eq!((scene.turnout(), scene.drafts()), ((1, 1), 0));
        let other = scene.desk.adjudicate(&staff("dung"), &ballot, decision(&disputes, "B")).await;
        assert_eq!(refusal(other), Refusal::AlreadyCast);

        let mut trail = scene.write(|conn| store::testing::trail(conn).unwrap());
        trail.retain(|(act, ..)| act.starts_with("keying."));
        let mut acts: Vec<_> = trail.iter().map(|(act, ..)| act.as_str()).collect();
        acts.sort_unstable();
        assert_eq!(acts, ["keying.adjudicated", "keying.cast", "keying.first_done", "keying.mismatched"]);
        assert!(trail.iter().all(|(_, subject, _)| *subject == format!("{ROUND}/{SINGLE}")));
        assert!(trail.iter().any(|(_, _, detail)| detail == "slip_second 2"));
    }
}

#[actix_web::test]
async fn whoever_decides_has_read_it_blind_and_keeps_to_that() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        mismatched(&scene, &ballot).await;
        let Ok(Task::Read(places)) = scene.desk.open(&staff("chi"), &ballot).await else { panic!() };
        let all_read = |option: &str| {
            let mut answers = Answers::new();
            for (target, item) in &places {
                answers.insert(target, item, Answer::Choice(option.to_owned()));
            }
            answers
        };
        let mut half = all_read("A");
        half.remove(&places[0].0, &places[0].1);
        half.insert("SNV", "X1.1", Answer::Choice("A".to_owned()));
        let Err(KeyingError::Decision(faults)) = scene.desk.read_blind(&staff("chi"), &ballot, half).await else {
            panic!()
        };
        let codes: Vec<_> = faults.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["decision_missing", "not_disputed"]);
        let clerk = scene.desk.read_blind(&staff("em"), &ballot, all_read("A")).await;
        assert!(matches!(clerk, Err(KeyingError::RoleMissing)));

        assert_eq!(read(&scene, &ballot, "chi", "A").await.len(), 2);
        let other = scene.desk.read_blind(&staff("chi"), &ballot, all_read("B")).await;
        assert!(matches!(other, Err(KeyingError::EntryDiffers)), "not once the entries were shown");
        let Ok(Task::Decide { disputes, reading }) = scene.desk.open(&staff("chi"), &ballot).await else { panic!() };
        assert!(reading == all_read("A"));
        // Another third person reads for herself; whoever read before her does it again.
        read(&scene, &ballot, "dung", "E").await;
        let gone = scene.desk.adjudicate(&staff("chi"), &ballot, decision(&disputes, "A")).await;
        assert!(matches!(gone, Err(KeyingError::ReadingMissing)));
        scene.desk.adjudicate(&staff("dung"), &ballot, decision(&disputes, "A")).await.unwrap();
        let trail = scene.write(|conn| store::testing::trail(conn).unwrap());
        assert!(trail.iter().any(|(_, _, detail)| detail == "slip_second 2, decided otherwise than read 2"));
        assert_eq!((scene.box_content().len(), scene.drafts()), (1, 0), "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn nobody_does_two_of_the_three() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let entry = all(&ballot, "1");
        let other = but(&ballot, &entry, &[(0, "E")]);
        let second_first = scene.desk.enter(&staff("an"), &ballot, Pass::Second, entry.clone()).await;
        assert_eq!(refusal(second_first), Refusal::FirstMissing);
        // An adjudicator and a supervisor may key; then they may not decide.
        scene.desk.enter(&staff("chi"), &ballot, Pass::First, entry.clone()).await.unwrap();
        assert_eq!(refusal(scene.desk.open(&staff("chi"), &ballot).await), Refusal::SamePerson);
        let same = scene.desk.enter(&staff("chi"), &ballot, Pass::Second, entry.clone()).await;
        assert_eq!(refusal(same), Refusal::SamePerson);
        let again = scene.desk.enter(&staff("chi"), &ballot, Pass::First, entry.clone()).await.unwrap();
        assert_eq!(again, Done { reached: Reached::FirstDone, repeated: true });
        let differs = scene.desk.enter(&staff("chi"), &ballot, Pass::First, other.clone()).await;
        assert!(matches!(differs, Err(KeyingError::EntryDiffers)));
        let taken = scene.desk.enter(&staff("an"), &ballot, Pass::First, other.clone()).await;
        assert_eq!(refusal(taken), Refusal::PassTaken);

        scene.desk.enter(&staff("dung"), &ballot, Pass::Second, other.clone()).await.unwrap();
        let again = scene.desk.enter(&staff("dung"), &ballot, Pass::Second, other).await.unwrap();
        assert_eq!(again, Done { reached: Reached::Mismatched(1), repeated: true });
        let first = scene.desk.enter(&staff("chi"), &ballot, Pass::First, entry).await.unwrap();
        assert_eq!(first.reached, Reached::FirstDone, "the first clerk learns nothing of the second");
        for who in ["chi", "dung"] {
            assert_eq!(refusal(scene.desk.open(&staff(who), &ballot).await), Refusal::SamePerson);
            let all = Decision { answers: Answers::new(), reasons: BTreeMap::new() };
            assert_eq!(refusal(scene.desk.adjudicate(&staff(who), &ballot, all).await), Refusal::SamePerson);
        }
        assert_eq!(scene.box_content().len(), 0, "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn of_two_people_at_once_one_is_told() {
    for scene in scenes() {
        for pass in [Pass::First, Pass::Second] {
            let code = scene.code(SINGLE);
            let ballot = scene.bearer(&code).await;
            let entry = all(&ballot, "3");
            if pass == Pass::Second {
                scene.desk.enter(&staff("em"), &ballot, Pass::First, entry.clone()).await.unwrap();
            }
            let race = |who: &'static str| {
                let (desk, ballot, entry) = (scene.desk.clone(), Arc::clone(&ballot), entry.clone());
                actix_web::rt::spawn(async move { desk.enter(&staff(who), &ballot, pass, entry).await })
            };
            let runs: Vec<_> = ["an", "binh", "an", "binh"].into_iter().map(race).collect();
            let mut fresh = 0;
            for run in runs {
                match run.await.unwrap() {
                    Ok(done) => fresh += usize::from(!done.repeated),
                    Err(KeyingError::Refused(Refusal::PassTaken | Refusal::AlreadyCast)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(fresh, 1, "{} {pass}", scene.test.backend);
            assert_eq!(scene.box_content().len(), usize::from(pass == Pass::Second));
        }
    }
}

#[actix_web::test]
async fn one_person_in_two_windows_is_one_person() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let runs: Vec<_> = [(Pass::First, "1"), (Pass::Second, "1"), (Pass::First, "2"), (Pass::Second, "2")]
            .into_iter()
            .map(|(pass, key)| {
                let (desk, ballot, entry) = (scene.desk.clone(), Arc::clone(&ballot), all(&ballot, key));
                actix_web::rt::spawn(async move { desk.enter(&staff("an"), &ballot, pass, entry).await })
            })
            .collect();
        let mut fresh = 0;
        for run in runs {
            fresh += usize::from(run.await.unwrap().is_ok_and(|done| !done.repeated));
        }
        assert_eq!(fresh, 1);
        assert_eq!((scene.drafts(), scene.box_content().len()), (1, 0), "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn every_item_needs_an_explicit_code() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let mut entry = all(&ballot, "/");
        entry.remove("SNV", "X3.1");
        let Err(KeyingError::Answers(faults)) = scene.desk.enter(&staff("an"), &ballot, Pass::First, entry).await
        else {
            panic!()
        };
        let places: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(places, [("/SNV/X3.1", "item_missing")]);
        assert_eq!(scene.drafts(), 0);
    }
}

#[actix_web::test]
async fn a_crash_between_settling_and_casting_is_mended_by_the_next_scan() {
    for scene in scenes() {
        // Settled, not yet cast: the scan casts.
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        mismatched(&scene, &ballot).await;
        let disputes = read(&scene, &ballot, "chi", "C").await;
        let chosen = decision(&disputes, "C");
        scene.write(|conn| scene.desk.take_decision(conn, &ballot, &staff("chi"), &chosen).unwrap());
        assert_eq!(scene.box_content().len(), 0);
        let differs = scene.desk.adjudicate(&staff("chi"), &ballot, decision(&disputes, "D")).await;
        assert!(matches!(differs, Err(KeyingError::EntryDiffers)));
        let taken = scene.desk.adjudicate(&staff("dung"), &ballot, decision(&disputes, "D")).await;
        assert_eq!(refusal(taken), Refusal::PassTaken);
        assert!(matches!(scene.desk.open(&staff("em"), &ballot).await, Ok(Task::Finished)));
        assert!(scene.box_content()[0].answers == but(&ballot, &all(&ballot, "2"), &[(1, "C"), (4, "C")]));

        // Cast, the state not yet moved: the scan moves it.
        let used = scene.bearer(&code).await;
        scene.write(|conn| store::testing::set_state(conn, &used.keys.public, "verified").unwrap());
        assert!(matches!(scene.desk.open(&staff("em"), &used).await, Ok(Task::Finished)));
        assert_eq!(refusal(scene.desk.open(&staff("em"), &used).await), Refusal::AlreadyCast);

        // Two equal entries, not yet cast: repeating the second entry casts.
        let code = scene.code(MATRIX);
        let ballot = scene.bearer(&code).await;
        let entry = all(&ballot, "*");
        scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
        scene.write(|conn| {
            scene.desk.take_entry(conn, &ballot, &staff("binh"), Pass::Second, &entry).unwrap();
        });
        assert_eq!(scene.box_content().len(), 1);
        let again = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, entry).await.unwrap();
        assert_eq!(again, Done { reached: Reached::Cast, repeated: true });
        assert_eq!((scene.box_content().len(), scene.turnout(), scene.drafts()), (2, (2, 2), 0));
    }
}

#[actix_web::test]
async fn what_the_desk_does_not_take() {
    for scene in scenes() {
        let online = scene.code("CC-CT");
        assert!(matches!(scene.desk.find(&online).await, Err(KeyingError::NotPaper)));
        let stranger = Token::generate(&Entropy::System);
        let unknown = scene.desk.find(&stranger).await;
        assert!(matches!(unknown, Err(KeyingError::Find(crate::ballot::FindError::Unknown))));
        let revoked = scene.code(SINGLE);
        scene.write(|conn| crate::credential::revoke(conn, &scene.desk.rounds, &revoked).map(|_| ()).unwrap());
        assert!(matches!(scene.desk.find(&revoked).await, Err(KeyingError::Revoked)));

        // Used past the desk, before and after a first entry.
        for keyed_before in [false, true] {
            let code = scene.code(MATRIX);
            let ballot = scene.bearer(&code).await;
            let entry = all(&ballot, "1");
            if keyed_before {
                scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
            }
            scene.desk.casting.cast(&ballot, &entry).await.unwrap();
            let used = scene.bearer(&code).await;
            assert!(matches!(scene.desk.open(&staff("binh"), &used).await, Err(KeyingError::Duplicate)));
            for bearer in [&ballot, &used] {
                let pass = if keyed_before { Pass::Second } else { Pass::First };
                let done = scene.desk.enter(&staff("binh"), bearer, pass, entry.clone()).await;
                assert!(matches!(done, Err(KeyingError::Duplicate)), "{} {keyed_before}", scene.test.backend);
            }
        }

        let late = scene.code(SINGLE);
        let ballot = scene.bearer(&late).await;
        scene.clock.advance(TimeDelta::days(30));
        assert!(matches!(scene.desk.open(&staff("an"), &ballot).await, Err(KeyingError::NotOpen)));
        let done = scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "1")).await;
        assert!(matches!(done, Err(KeyingError::NotOpen)));
        scene.clock.advance(TimeDelta::days(-30));
        scene.write(|conn| {
            crate::round::advance(conn, ROUND, RoundState::Open, RoundState::Closed).unwrap();
            scene.desk.rounds.reread(conn).unwrap();
        });
        let ballot = scene.bearer(&late).await;
        assert!(matches!(scene.desk.open(&staff("an"), &ballot).await, Err(KeyingError::NotOpen)));
    }
}

#[actix_web::test]
async fn an_entry_that_is_gone_is_a_fault_and_never_a_match() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let entry = all(&ballot, "1");
        scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
        scene.write(|conn| store::testing::delete_drafts(conn).unwrap());
        let second = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, entry).await;
        assert!(matches!(second, Err(KeyingError::EntryLost)));
        assert_eq!(scene.box_content().len(), 0);
    }
}

#[actix_web::test]
async fn the_database_never_holds_a_readable_entry() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        mismatched(&scene, &ballot).await;
        let holds = |bytes: &[u8], marked: &[u8]| bytes.windows(marked.len()).any(|w| w == marked);
        // As it would stand in the entry's JSON.
        let marked = br#""X1.1":"B""#;
        let json = serde_json::to_vec(&all(&ballot, "2").to_value()).unwrap();
        assert!(holds(&json, marked), "the test looks for what would be there");
        let (bodies, files) = scene.write(|conn| {
            let files = match conn {
                crate::db::Conn::Sqlite(_) => store::testing::files(conn).unwrap(),
                crate::db::Conn::Postgres(_) => Vec::new(),
            };
            (store::testing::draft_bodies(conn).unwrap(), files)
        });
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0].len(), bodies[1].len(), "one size");
        assert!(bodies.iter().all(|b| !holds(b, marked) && !holds(b, b"X1.1")));
        let mut seen = 0;
        for file in files {
            let bytes = std::fs::read(&file).unwrap_or_default();
            seen += bytes.len();
            assert!(!holds(&bytes, marked), "{file}");
            let printed = code.expose();
            assert!(!holds(&bytes, printed.as_bytes()) && !holds(&bytes, printed.replace('-', "").as_bytes()));
        }
        assert!(scene.test.backend == "postgres" || seen > 100_000, "{seen}");
    }
}

#[actix_web::test]
async fn counts_by_group_for_whoever_leads() {
    for scene in scenes() {
        let codes: Vec<Token> = [SINGLE, SINGLE, MATRIX, MATRIX].into_iter().map(|g| scene.code(g)).collect();
        let ballot = scene.bearer(&codes[0]).await;
        mismatched(&scene, &ballot).await;
        let ballot = scene.bearer(&codes[2]).await;
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "1")).await.unwrap();
        let count = |all: &[Progress], group: &str| {
            let p = all.iter().find(|p| p.respondent_code == group).unwrap();
            (p.awaiting, p.first_done, p.mismatched, p.settled, p.cast)
        };
        let progress = scene.desk.progress().await.unwrap();
        assert_eq!(count(&progress, SINGLE), (1, 0, 1, 0, 0));
        assert_eq!(count(&progress, MATRIX), (1, 1, 0, 0, 0));
        scene.desk.enter(&staff("binh"), &ballot, Pass::Second, all(&ballot, "1")).await.unwrap();
        let progress = scene.desk.progress().await.unwrap();
        assert_eq!(count(&progress, MATRIX), (1, 0, 0, 0, 1));
        assert_eq!(progress.len(), 2, "groups without paper codes are left out");
    }
}
