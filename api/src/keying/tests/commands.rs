//! Commands of the desk's browsers: nothing lost, nothing twice, nothing readable at rest.

use super::*;
use crate::bundle::claims;

const KEY: &str = "0c5bd3a6-5b4f-4d0e-9a53-9f6b2b8c3d11";
const DESK: &str = "7d1f2d0e-1f0a-4a4e-8f60-0d6b3e1a2b3c";

fn with(key: &str) -> Circumstances {
    let effort = Effort { keystrokes: 12, refused: 1, seconds: 9 };
    Circumstances { key: CommandKey::parse(key), effort: Some(effort) }
}

fn bundle_of(scene: &Scene, ballot: &Bearer) -> Vec<claims::Claim> {
    scene.write(|conn| {
        let id = store::testing::bundle(conn, &ballot.keys.public).unwrap();
        claims::held(conn, &id).unwrap()
    })
}

#[actix_web::test]
async fn a_command_replayed_a_hundred_times_counts_once() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let entry = all(&ballot, "2");
        scene.desk.claim(&staff("an"), &ballot, DESK.to_owned()).await.unwrap();
        let held = bundle_of(&scene, &ballot);
        assert_eq!(held, [claims::Claim { desk: DESK.to_owned(), clerk: "an".to_owned(), ballots: 1 }]);
        let send = async |who: &str, pass, entry: &Answers, key: &str| {
            scene.desk.enter_with(&staff(who), &ballot, pass, entry.clone(), with(key)).await
        };
        let runs: Vec<_> = (0..100)
            .map(|_| {
                let (desk, ballot, entry) = (scene.desk.clone(), Arc::clone(&ballot), entry.clone());
                actix_web::rt::spawn(async move {
                    desk.enter_with(&staff("an"), &ballot, Pass::First, entry, with(KEY)).await.unwrap()
                })
            })
            .collect();
        let mut fresh = 0;
        for run in runs {
            let done = run.await.unwrap();
            assert_eq!(done.reached, Reached::FirstDone);
            fresh += usize::from(!done.repeated);
        }
        assert_eq!(fresh, 1, "{}", scene.test.backend);
        assert_eq!(bundle_of(&scene, &ballot), [], "the browser holds nothing more");

        // The same key with another entry, for another pass, from somebody else.
        let other = but(&ballot, &entry, &[(0, "E")]);
        assert!(matches!(send("an", Pass::First, &other, KEY).await, Err(KeyingError::KeyReused)));
        assert!(matches!(send("binh", Pass::Second, &entry, KEY).await, Err(KeyingError::KeyReused)));
        // Another person's pass is there.
        let taken = send("binh", Pass::First, &entry, "another-key-of-a-browser").await;
        assert_eq!(refusal(taken), Refusal::PassTaken);

        let second = send("binh", Pass::Second, &entry, "the-second-key-of-all-here").await.unwrap();
        assert_eq!(second, Done { reached: Reached::Cast, repeated: false });
        for _ in 0..3 {
            let again = send("binh", Pass::Second, &entry, "the-second-key-of-all-here").await.unwrap();
            assert_eq!(again, Done { reached: Reached::Cast, repeated: true });
            let again = send("an", Pass::First, &entry, KEY).await.unwrap();
            assert_eq!(again, Done { reached: Reached::FirstDone, repeated: true }, "the stored answer");
        }
        assert_eq!((scene.box_content().len(), scene.turnout()), (1, (1, 1)));
        let days = scene.write(|conn| effort::days(conn, ROUND).unwrap());
        let sums: Vec<_> =
            days.iter().map(|d| (d.clerk.as_str(), d.entries, d.keystrokes, d.refused, d.active_seconds)).collect();
        assert_eq!(sums, [("an", 1, 12, 1, 9), ("binh", 1, 12, 1, 9)], "each entry's effort once");
        assert_eq!(days[0].day, "2023-10-20");
        // What is left of the commands reads for nobody who has the database and the code.
        assert_eq!(scene.drafts(), 2);
        let bodies = scene.write(|conn| store::testing::draft_bodies(conn).unwrap());
        assert!(bodies.iter().all(|b| b.len() == bodies[0].len() && !b.windows(4).any(|w| w == b"\"by\"")));
    }
}

#[actix_web::test]
async fn a_claim_goes_with_its_clerk_and_ends_by_itself() {
    const TABLET: &str = "3f8f6b0a-7f43-4c1e-8a55-0f6f3f1d2e4c";
    for scene in scenes() {
        let ballot = scene.bearer(&scene.code(SINGLE)).await;
        let holders = || bundle_of(&scene, &ballot).into_iter().map(|c| (c.desk, c.clerk)).collect::<Vec<_>>();
        let claim = async |who: &str, desk: &str| {
            scene.desk.claim(&staff(who), &ballot, desk.to_owned()).await.unwrap();
        };
        // A tab was closed; the same clerk goes on at a tablet, and another has scanned the ballot meanwhile.
        claim("an", DESK).await;
        claim("an", TABLET).await;
        assert_eq!(holders(), [(TABLET.to_owned(), "an".to_owned())], "{}", scene.test.backend);
        claim("em", DESK).await;
        assert_eq!(holders().len(), 2);
        // The other clerk's browser has nothing: it says so at the next sign-in, for that clerk alone.
        scene.desk.release_desk(&staff("binh"), DESK.to_owned()).await.unwrap();
        assert_eq!(holders().len(), 2);
        scene.desk.release_desk(&staff("em"), DESK.to_owned()).await.unwrap();
        assert_eq!(holders(), [(TABLET.to_owned(), "an".to_owned())]);
        // Wherever the entry comes from, the pass is done.
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "1")).await.unwrap();
        assert_eq!(holders(), []);
    }
}

/// The answer to an entry was lost with the process, between the entry and the cast.
#[actix_web::test]
async fn a_command_that_comes_again_after_a_crash_brings_its_ballot_into_the_box() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let entry = all(&ballot, "3");
        scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
        scene.write(|conn| {
            scene.desk.take_command(conn, &ballot, &staff("binh"), Pass::Second, &entry, &with(KEY)).unwrap();
        });
        assert_eq!(scene.box_content().len(), 0);
        let again = scene.desk.enter_with(&staff("binh"), &ballot, Pass::Second, entry, with(KEY)).await.unwrap();
        assert_eq!(again, Done { reached: Reached::Cast, repeated: true });
        assert_eq!((scene.box_content().len(), scene.turnout()), (1, (1, 1)), "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn what_was_typed_waits_for_whoever_typed_it_alone() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        let keys = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let keep = async |who: &str, pass, pairs: &[(&str, &str)], left: Option<&str>| {
            let left = left.map(str::to_owned);
            scene.desk.keep_unfinished(&staff(who), &ballot, pass, keys(pairs), left).await
        };
        let typed = async |who: &str, pass| scene.desk.unfinished(&staff(who), &ballot, pass).await.unwrap();
        scene.desk.claim(&staff("an"), &ballot, DESK.to_owned()).await.unwrap();
        keep("an", Pass::First, &[("a1-1", "2"), ("a1-2", "x"), ("a9-9", "1"), ("code", "1")], None).await.unwrap();
        assert_eq!(typed("an", Pass::First).await, keys(&[("a1-1", "2"), ("a1-2", "x")]), "wrong or right, as typed");
        assert_eq!(typed("binh", Pass::First).await, keys(&[]), "nothing of anybody else's");
        assert_eq!(bundle_of(&scene, &ballot).len(), 1);
        assert_eq!(refusal(keep("an", Pass::Second, &[], None).await), Refusal::PassTaken);
        keep("an", Pass::First, &[("a1-1", "3")], Some(DESK)).await.unwrap();
        assert_eq!(bundle_of(&scene, &ballot), [], "stopped, with everything here");
        // Whoever has the paper has the pass.
        keep("binh", Pass::First, &[("a1-1", "5")], None).await.unwrap();
        assert_eq!(typed("an", Pass::First).await, keys(&[]));

        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "1")).await.unwrap();
        assert_eq!(scene.drafts(), 1, "the entry is in the place of what was unfinished");
        assert_eq!(refusal(keep("an", Pass::First, &[("a1-1", "5")], None).await), Refusal::SamePerson);
        keep("binh", Pass::Second, &[("a1-1", "4")], None).await.unwrap();
        assert_eq!(typed("binh", Pass::Second).await, keys(&[("a1-1", "4")]));
        scene.desk.enter(&staff("binh"), &ballot, Pass::Second, all(&ballot, "1")).await.unwrap();
        assert_eq!(scene.drafts(), 0, "{}", scene.test.backend);
        assert_eq!(refusal(keep("em", Pass::First, &[("a1-1", "5")], None).await), Refusal::AlreadyCast);
        let huge = "x".repeat(9_000);
        let fresh = scene.bearer(&scene.code(SINGLE)).await;
        let done = scene.desk.keep_unfinished(&staff("an"), &fresh, Pass::First, keys(&[("a1-1", &huge)]), None).await;
        assert!(matches!(done, Err(KeyingError::Answers(_))));
    }
}

#[actix_web::test]
async fn a_browsers_key_is_its_persons_and_stays() {
    for scene in scenes() {
        let an = scene.desk.store_key(&staff("an")).await.unwrap();
        assert_eq!(an, scene.desk.store_key(&staff("an")).await.unwrap());
        assert_ne!(an, scene.desk.store_key(&staff("binh")).await.unwrap());
        assert_eq!(an.len(), 32);
    }
}
