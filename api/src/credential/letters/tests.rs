use diesel::prelude::*;

use super::outbox::{Hours, Outbox, Ready};
use super::*;
use crate::access::Actor;
use crate::ballot::{CredentialState, find};
use crate::ceremony::Ceremony;
use crate::clock::Clock;
use crate::credential::roster;
use crate::db::schema::credential;
use crate::db::{Db, DbError};
use crate::mail::Outcome;
use crate::round::Rounds;
use crate::testing::{TestDb, databases_at};

const ROUND: &str = "quang-nam-2023";

/// Addressee, template and number of every letter of a round.
pub(in crate::credential) fn outbox_of(db: &Db, round: &str) -> std::collections::BTreeSet<(String, String, i64)> {
    db.read_here(|conn| Ok::<_, DbError>(store::planned(conn, round)?)).unwrap()
}

struct Place {
    test: TestDb,
    clock: Clock,
    rounds: Rounds,
    ceremony: Ceremony,
    outbox: Outbox,
    _folder: tempfile::TempDir,
}

/// The plan with CC-ND addressed and three people in it, open, on a Friday morning.
fn places() -> Vec<Place> {
    let mut files = survey_forms::quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let (before, after) = text.split_once("code = \"CC-ND\"").unwrap();
    let text = format!("{before}code = \"CC-ND\"{}", after.replacen("\"draw\"", "\"addressed\"", 1));
    files.insert("round.toml".to_owned(), format!("{text}\n[letters]\nremind_after_days = [5, 10]\n").into_bytes());
    let clock = Clock::set_to("2023-09-22T01:00:00Z".parse().unwrap());
    let place = |test: TestDb| {
        let (rounds, entropy) = (Rounds::new(), Entropy::seeded(8));
        test.db.write_here(|conn| crate::round::load(conn, &files).map(drop)).unwrap();
        let ceremony = Ceremony::new(&test.db, &rounds, &entropy);
        let folder = tempfile::tempdir().unwrap();
        ceremony.keygen(&Actor::Command, ROUND, |key| key.write_new(&folder.path().join("key"))).unwrap();
        let people = "Họ và tên,Đơn vị,Email\nLê A,Cục Thuế,a@x.vn\nLê B,Cục Thuế,b@y.vn\nLê C,BHXH tỉnh,c@y.vn\n";
        test.db
            .write_here(|conn| {
                let round = rounds.get(conn, ROUND).unwrap();
                let (_, _, list) = roster::read(people.as_bytes(), "", &round.definition, Some("CC-ND")).unwrap();
                roster::import(conn, &round, &list, &entropy)
            })
            .unwrap();
        ceremony.open(&Actor::Command, ROUND).unwrap();
        let outbox = Outbox::new(&test.db, &rounds, &entropy, [15, 5].map(TimeDelta::minutes));
        Place { test, clock: clock.clone(), rounds, ceremony, outbox, _folder: folder }
    };
    databases_at(&clock).into_iter().map(place).collect()
}

impl Place {
    fn plan(&self, what: Plan) -> Planned {
        self.test
            .db
            .write_here(|conn| {
                let (now, round) = (self.test.db.now(conn)?, self.rounds.get(conn, ROUND).unwrap());
                plan(conn, now, &round, what, &Entropy::System, false)
            })
            .unwrap()
    }

    fn take(&self) -> Vec<Ready> {
        self.outbox.take(None, Hours::Declared, 10).unwrap()
    }

    fn status(&self) -> Status {
        self.test
            .db
            .read_here(|conn| {
                let (now, round) = (self.test.db.now(conn)?, self.rounds.get(conn, ROUND).unwrap());
                status(conn, now, &round)
            })
            .unwrap()
    }

    /// Whether a letter's code can be used.
    fn lives(&self, letter: &Ready) -> bool {
        let bearer = self.test.db.read_here(|conn| find(conn, &self.rounds, letter.token.as_ref().unwrap())).unwrap();
        matches!(bearer.state, CredentialState::Issued)
    }

    fn codes(&self, state: &str) -> i64 {
        let count = |conn: &mut Conn| {
            let of = credential::table.filter(credential::state.eq(state));
            Ok::<i64, DbError>(of.count().get_result(conn)?)
        };
        self.test.db.read_here(count).unwrap()
    }

    /// As a cast does.
    fn uses(&self, letter: &Ready) {
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
        self.test.db.write_here(used).unwrap();
    }
}

#[test]
fn nobody_ever_holds_two_codes_that_live() {
    for place in places() {
        let backend = place.test.backend;
        let start = place.clock.fixed().unwrap();
        assert_eq!(place.codes("issued"), 0, "{backend}: a planned letter has no code");
        assert_eq!(place.plan(Plan::Declared), Planned { invitations: 3, reminders: 3, first: Some(start) });
        assert_eq!(place.plan(Plan::Declared).invitations, 0, "{backend}: planning again adds nothing");
        assert_eq!(place.codes("issued"), 0);
        let first = place.take();
        assert_eq!((first.len(), place.codes("issued")), (3, 3), "{backend}");
        assert!(place.take().is_empty(), "{backend}: letters under way are nobody else's");
        place.outbox.settle(&first[0], &Outcome::HandedOver).unwrap();
        // The process is killed here; after a while the other two are sent again, with other codes.
        place.clock.advance(TimeDelta::minutes(16));
        let second = place.take();
        assert_eq!((second.len(), place.codes("issued"), place.codes("revoked")), (2, 3, 2), "{backend}");
        assert!(place.lives(&first[0]) && second.iter().all(|letter| place.lives(letter)));
        assert!(!place.lives(&first[1]) && !place.lives(&first[2]), "{backend}");
        // What the first process still says about them no longer counts.
        place.outbox.settle(&first[1], &Outcome::Refused { for_good: true, fault: "550".to_owned() }).unwrap();
        assert_eq!((place.status().count("failed"), place.codes("issued")), (0, 3), "{backend}");
        // Refused for now: its code reached nobody and dies; refused for good likewise.
        let soft = Outcome::Refused { for_good: false, fault: "450 4.2.1".to_owned() };
        place.outbox.settle(&second[0], &soft).unwrap();
        assert!(!place.lives(&second[0]));
        let hard = Outcome::Refused { for_good: true, fault: "550 5.1.1".to_owned() };
        place.outbox.settle(&second[1], &hard).unwrap();
        assert_eq!((place.codes("issued"), place.codes("revoked")), (1, 4), "{backend}");
        let status = place.status();
        let counts = ["sent", "waiting", "failed"].map(|state| status.of(Template::Invitation, state));
        assert_eq!(counts, [1, 1, 1], "{backend}");
        let lost = place.test.db.read_here(|conn| undelivered(conn, ROUND, "failed")).unwrap();
        assert_eq!((lost.len(), lost[0].fault.as_str()), (1, "550 5.1.1"));
        place.clock.set(start);
    }
}

#[test]
fn only_who_has_not_answered_is_reminded() {
    for place in places() {
        let (backend, start) = (place.test.backend, place.clock.fixed().unwrap());
        place.plan(Plan::Declared);
        let invited = place.take();
        invited.iter().for_each(|letter| place.outbox.settle(letter, &Outcome::HandedOver).unwrap());
        place.uses(&invited[0]);
        assert!(
            place.take().is_empty(),
            "{backend}: its reminder is due on Monday; the one of the 20th was not planned"
        );
        place.clock.set("2023-09-25T01:00:00Z".parse().unwrap());
        let reminded = place.take();
        assert_eq!(reminded.len(), 2, "{backend}");
        let others = |letter: &Ready| letter.template == Template::Reminder && letter.person.id != invited[0].person.id;
        assert!(reminded.iter().all(others));
        assert!(reminded.iter().all(|letter| place.lives(letter)) && !place.lives(&invited[1]), "{backend}");
        reminded.iter().for_each(|letter| place.outbox.settle(letter, &Outcome::HandedOver).unwrap());
        // In the evening, on Saturday and while paused nothing goes.
        assert_eq!(place.plan(Plan::ReminderNow).reminders, 3);
        place.clock.set("2023-09-29T10:30:00Z".parse().unwrap());
        assert!(place.take().is_empty(), "{backend}: half past five in the afternoon");
        place.clock.set("2023-09-30T03:00:00Z".parse().unwrap());
        assert!(place.take().is_empty(), "{backend}: Saturday");
        assert_eq!(place.status().next, Some("2023-10-02T01:00:00Z".parse().unwrap()));
        place.clock.set("2023-10-02T01:00:00Z".parse().unwrap());
        place.test.db.write_here(|conn| pause(conn, ROUND, Some("phutrach"))).unwrap();
        assert!(place.take().is_empty() && place.status().paused_by.is_some(), "{backend}: paused");
        place.test.db.write_here(|conn| pause(conn, ROUND, None)).unwrap();
        assert_eq!(place.take().len(), 2, "{backend}");
        place.clock.set(start);
    }
}

#[test]
fn a_lost_code_dies_when_its_replacement_is_asked_for() {
    for place in places() {
        let backend = place.test.backend;
        place.plan(Plan::Declared);
        let invited = place.take();
        invited.iter().for_each(|letter| place.outbox.settle(letter, &Outcome::HandedOver).unwrap());
        let ask = |person: &str| {
            place.test.db.write_here(|conn| {
                let (now, round) = (place.test.db.now(conn)?, place.rounds.get(conn, ROUND).unwrap());
                replace(conn, now, &round, person, &Entropy::System)
            })
        };
        ask(&invited[0].person.id).unwrap();
        assert!(!place.lives(&invited[0]), "{backend}");
        let letters = place.take();
        let new = letters.iter().find(|letter| letter.template == Template::Replacement).unwrap();
        assert!(place.lives(new) && new.person.id == invited[0].person.id);
        place.outbox.settle(new, &Outcome::HandedOver).unwrap();
        place.uses(new);
        assert!(matches!(ask(&invited[0].person.id), Err(CredentialError::Used)), "{backend}");
        let shown = place.test.db.write_here(|conn| {
            let round = place.rounds.get(conn, ROUND).unwrap();
            let person = addressee::one(conn, ROUND, &invited[1].person.id)?.unwrap();
            super::super::replace_tied(conn, &round, &person, &Entropy::System)
        });
        assert_eq!(
            (shown.unwrap().source_unit.as_str(), place.lives(&invited[1])),
            (invited[1].person.source_unit.as_str(), false)
        );
    }
}

#[test]
fn the_close_destroys_all_that_is_known_of_people() {
    for place in places() {
        place.plan(Plan::Declared);
        let letters = place.take();
        place.outbox.settle(&letters[0], &Outcome::HandedOver).unwrap();
        let closing = place.ceremony.close(&Actor::Command, ROUND).unwrap();
        let gone = closing.destroyed;
        assert_eq!((gone.addressees, gone.ties, gone.letters), (3, 3, 6), "{}", place.test.backend);
        // A process that was sending meanwhile finds nothing to note.
        place.outbox.settle(&letters[1], &Outcome::HandedOver).unwrap();
        assert!(place.take().is_empty());
        assert_eq!(place.test.db.read_here(|conn| addressee::count(conn, ROUND)).unwrap(), 0);
        assert_eq!(place.status().count("sent"), 0);
    }
}

#[test]
fn addresses_are_found_in_delivery_reports_and_lists() {
    let report = "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; <A@x.vn>\nStatus: 5.1.1\nb@x.vn\n";
    assert_eq!(returned(report), ["A@x.vn"]);
    assert_eq!(returned("a@x.vn\n <b@x.vn>;\nlời nhắn\n\n"), ["a@x.vn", "b@x.vn"]);
}
