//! Papers that cannot be keyed as they are, one by one.

use super::*;
use crate::keying::fixture::{SINGLE, Scene, all, scenes, staff};
use crate::keying::{Pass, Reached, Task};

fn refusal<T>(done: Result<T, KeyingError>) -> Refusal {
    match done.err().unwrap() {
        KeyingError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

fn again(token: &Token) -> Token {
    Token::parse(&token.expose()).unwrap()
}

async fn sheet(scene: &Scene, token: &Token) -> (String, String, u32, u32) {
    let ballot = scene.bearer(token).await;
    let label = scene.write(|conn| bundle::label(conn, &ballot.keys.public).unwrap().unwrap());
    (ballot.round.id().to_owned(), label.respondent_code, label.bundle, label.sheet)
}

#[actix_web::test]
async fn a_paper_that_is_set_aside_is_not_keyed_on_and_two_make_it_void() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "2")).await.unwrap();
        let paper = Paper::Code(again(&code));
        let referral = scene.desk.refer(&staff("binh"), paper, Trouble::PageMissing, " thiếu  tờ 2 ").await.unwrap();
        assert_eq!((referral.standing, referral.remark.as_str()), (Standing::Waiting, "thiếu tờ 2"));
        assert_eq!(refusal(scene.desk.open(&staff("binh"), &ballot).await), Refusal::SetAside);
        let entry = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, all(&ballot, "2")).await;
        assert_eq!(refusal(entry), Refusal::SetAside);
        let twice = scene.desk.refer(&staff("em"), Paper::Code(again(&code)), Trouble::Other, "").await;
        assert_eq!(refusal(twice), Refusal::SetAside);

        // Who may say what.
        let id = referral.id.as_str();
        let clerk = scene.desk.judge(&staff("an"), id, Verdict::Invalid, "").await;
        assert!(matches!(clerk, Err(KeyingError::RoleMissing)));
        let early = scene.desk.confirm(&staff("dung"), id).await;
        assert!(matches!(early, Err(KeyingError::VerdictUnfit)), "nobody has proposed it");
        let unused = scene.desk.judge(&staff("dung"), id, Verdict::Duplicate, "").await;
        assert!(matches!(unused, Err(KeyingError::VerdictUnfit)), "the code was not used");
        let ours = scene.desk.judge(&staff("dung"), id, Verdict::SetAside, "").await;
        assert!(matches!(ours, Err(KeyingError::VerdictUnfit)), "it is a ballot of the round");
        let anew = scene.desk.judge(&staff("chi"), id, Verdict::Reopen, "").await;
        assert!(matches!(anew, Err(KeyingError::RoleMissing)));
        let proposed = scene.desk.judge(&staff("dung"), id, Verdict::Invalid, "mất một trang").await.unwrap();
        assert_eq!(proposed.standing, Standing::Proposed);
        assert_eq!(refusal(scene.desk.confirm(&staff("dung"), id).await), Refusal::SamePerson);
        assert!(matches!(scene.desk.confirm(&staff("an"), id).await, Err(KeyingError::RoleMissing)));
        let void = scene.desk.confirm(&staff("chi"), id).await.unwrap();
        assert_eq!((void.standing, void.confirmed_by.as_deref()), (Standing::Invalid, Some("chi")));
        assert_eq!(refusal(scene.desk.open(&staff("binh"), &ballot).await), Refusal::Void);
        let settled = scene.desk.judge(&staff("dung"), id, Verdict::Return, "").await;
        assert!(matches!(settled, Err(KeyingError::ReferralSettled)));
        assert!(matches!(
            scene.desk.judge(&staff("dung"), "?", Verdict::Return, "").await,
            Err(KeyingError::ReferralUnknown)
        ));

        // It was a ballot after all: a supervisor reopens it, and its first entry of before is kept.
        let at = sheet(&scene, &code).await;
        let clerk = scene.desk.reopen(&staff("chi"), at.clone(), "").await;
        assert!(matches!(clerk, Err(KeyingError::RoleMissing)));
        scene.desk.reopen(&staff("dung"), at.clone(), "tìm thấy trang 2").await.unwrap();
        assert!(
            matches!(scene.desk.open(&staff("an"), &ballot).await, Ok(Task::Key(Pass::First))),
            "also who keyed it before"
        );
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "3")).await.unwrap();
        assert_eq!(scene.drafts(), 2, "the entry, and the one of before");
        let done = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, all(&ballot, "3")).await.unwrap();
        assert_eq!(done.reached, Reached::Cast, "{}", scene.test.backend);
        assert_eq!((scene.drafts(), scene.turnout()), (0, (1, 1)), "nothing of either outlives the cast");
        assert_eq!(refusal(scene.desk.reopen(&staff("dung"), at, "").await), Refusal::AlreadyCast);
    }
}

#[actix_web::test]
async fn a_returned_paper_goes_on_where_it_was() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "1")).await.unwrap();
        let paper = Paper::Code(again(&code));
        let referral = scene.desk.refer(&staff("binh"), paper, Trouble::OtherBundle, "").await.unwrap();
        scene.desk.judge(&staff("chi"), &referral.id, Verdict::Return, "đã xếp lại").await.unwrap();
        let done = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, all(&ballot, "1")).await.unwrap();
        assert_eq!(done.reached, Reached::Cast);

        // A copy of it, and the same paper once more: its code is used.
        for trouble in [Trouble::WrongForm, Trouble::PageMissing] {
            let late = scene.desk.refer(&staff("an"), Paper::Code(again(&code)), trouble, "").await;
            assert_eq!(refusal(late), Refusal::AlreadyCast);
        }
        let copy =
            scene.desk.refer(&staff("an"), Paper::Code(again(&code)), Trouble::Copied, "bản chụp").await.unwrap();
        let back = scene.desk.judge(&staff("dung"), &copy.id, Verdict::Return, "").await;
        assert!(matches!(back, Err(KeyingError::VerdictUnfit)), "it would be keyed over");
        let set = scene.desk.judge(&staff("dung"), &copy.id, Verdict::Duplicate, "").await.unwrap();
        assert_eq!(set.standing, Standing::Duplicate);
        let book = scene.write(|conn| bundle::book(conn, &set.round).unwrap());
        assert_eq!((book.duplicates, book.total.used, book.fault()), (1, 1, None));
    }
}

#[actix_web::test]
async fn a_used_code_makes_the_paper_a_duplicate() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let ballot = scene.bearer(&code).await;
        scene.desk.casting.cast(&ballot, &all(&ballot, "1")).await.unwrap();
        let paper = scene.desk.refer(&staff("an"), Paper::Code(again(&code)), Trouble::Duplicate, "").await.unwrap();
        scene.desk.judge(&staff("dung"), &paper.id, Verdict::Duplicate, "").await.unwrap();
        assert_eq!(scene.turnout().1, 1, "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn papers_without_a_readable_code() {
    for scene in scenes() {
        let code = scene.code(SINGLE);
        let (round, respondent_code, bundle, number) = sheet(&scene, &code).await;
        let ballot = scene.bearer(&code).await;
        let torn =
            |sheet| Paper::Sheet { round: round.clone(), respondent_code: respondent_code.clone(), bundle, sheet };
        let unknown = scene.desk.refer(&staff("an"), torn(99), Trouble::CodeUnreadable, "").await;
        assert!(matches!(unknown, Err(KeyingError::SheetUnknown)));
        let referral = scene.desk.refer(&staff("an"), torn(number), Trouble::CodeUnreadable, "rách góc").await.unwrap();
        assert_eq!(referral.place, format!("{respondent_code} · Bó {bundle:02} · phiếu {number}"));
        assert_eq!(refusal(scene.desk.open(&staff("an"), &ballot).await), Refusal::SetAside);

        // Neither: an unknown serial is found in no round, and set aside without one.
        let stranger = Token::generate(&crate::clock::Entropy::System);
        let lost = scene.desk.refer(&staff("an"), Paper::Code(stranger), Trouble::UnknownSerial, "").await;
        assert!(matches!(lost, Err(KeyingError::Find(crate::ballot::FindError::Unknown))));
        let nameless = || Paper::Nameless { round: round.clone() };
        let long = "a".repeat(LONGEST_WORDS + 1);
        let wordy = scene.desk.refer(&staff("an"), nameless(), Trouble::UnknownSerial, &long).await;
        assert!(matches!(wordy, Err(KeyingError::WordsTooLong)));
        let foreign = scene.desk.refer(&staff("an"), nameless(), Trouble::UnknownSerial, "").await.unwrap();
        let back = scene.desk.judge(&staff("dung"), &foreign.id, Verdict::Return, "").await;
        assert!(matches!(back, Err(KeyingError::VerdictUnfit)));
        scene.desk.judge(&staff("dung"), &foreign.id, Verdict::SetAside, "phiếu năm trước").await.unwrap();
        let seen = async |who: &str| {
            let all = scene.desk.referrals(&staff(who), &round).await.unwrap();
            all.iter().map(|r| r.standing).collect::<Vec<_>>()
        };
        assert_eq!(seen("dung").await, [Standing::Waiting, Standing::SetAside], "those that wait first");
        assert_eq!(seen("binh").await, [Standing::Waiting], "a clerk sees the desk's, and what they set aside");
        let online = scene.desk.refer(&staff("an"), Paper::Code(scene.code("CC-CT")), Trouble::Other, "").await;
        assert!(matches!(online, Err(KeyingError::NotPaper)), "{}", scene.test.backend);
    }
}
