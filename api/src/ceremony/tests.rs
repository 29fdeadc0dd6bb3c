//! A round from its codes to its scores, on both databases.

#![expect(clippy::as_conversions, reason = "small counts in a test")]

mod any_round;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use survey_forms::Ratio;
use survey_forms::answers::{Answer, Ballot};
use survey_forms::ratio::{to_fixed, whole};
use survey_forms::round::Channel;
use survey_forms::scoring::ScoreDocument;

use super::fixture::{BY, Place, ROUND, places};
use super::store::{self, NewBallot};
use super::*;
use crate::ballot::{CastError, Token, find};

fn box_ids(place: &Place) -> BTreeSet<Vec<u8>> {
    let page = |conn: &mut Conn| store::box_page(conn, ROUND, &[], 100_000).map_err(DbError::from);
    place.test.db.read_here(page).unwrap().into_iter().map(|(id, _)| id).collect()
}

fn ballots(place: &Place) -> Vec<(Vec<u8>, String)> {
    place.test.db.read_here(|conn| store::ballot_page(conn, ROUND, &[], 100_000).map_err(DbError::from)).unwrap()
}

/// Every leaf of the round's log, by its tiles.
fn leaves(place: &Place) -> Vec<Vec<u8>> {
    let read = |conn: &mut Conn| {
        let size = log::head(conn, ROUND)?.checkpoint.size;
        let mut leaves = Vec::new();
        for tile in log::tile::Tile::all(size).filter(|t| t.kind == log::tile::Kind::Entries) {
            let body = log::tile(conn, ROUND, &tile)?.unwrap();
            leaves.extend(log::tile::leaves(&body).unwrap().into_iter().map(<[u8]>::to_vec));
        }
        Ok::<_, LogError>(leaves)
    };
    place.test.db.read_here(read).unwrap()
}

fn document(place: &Place) -> ScoreDocument {
    use diesel::prelude::*;

    use crate::db::schema::publication;
    let text: String = place
        .test
        .db
        .read_here(|conn| publication::table.select(publication::document).first(conn).map_err(DbError::from))
        .unwrap();
    let document: ScoreDocument = serde_json::from_str(&text).unwrap();
    assert_eq!(document.canonical(), text.as_bytes(), "the document is stored in its canonical bytes");
    document
}

#[test]
fn a_round_goes_from_codes_to_scores_and_every_count_agrees() {
    for mut place in places() {
        let sent = place.field_work();
        assert!(sent.len() > 190, "{}", sent.len());
        let closing = place.ceremony.close(&BY, ROUND).unwrap();
        assert_eq!((closing.ballots, closing.moved), (sent.len() as u64, sent.len() as u64));
        assert_eq!(closing.unused_codes, 219 - sent.len() as u64);
        let receipts: BTreeSet<Vec<u8>> = sent.iter().map(|s| s.receipt.id().to_vec()).collect();
        assert_eq!(box_ids(&place), receipts, "{}", place.test.backend);

        let mut seen = Vec::new();
        let opening = place.ceremony.open_box(&BY, ROUND, &place.key(), |p| seen.push(p)).unwrap();
        assert_eq!((opening.envelopes, opening.opened), (sent.len() as u64, sent.len() as u64));
        assert!(opening.unreadable.is_empty());
        assert_eq!(seen.last(), Some(&Progress { stage: Stage::Storing, done: opening.opened, of: opening.opened }));
        let at_close = leaves(&place).iter().position(|leaf| matches!(Entry::parse(leaf), Some(Entry::Close { .. })));
        let mut tree = log::merkle::Tree::default();
        leaves(&place)[..=at_close.unwrap()].iter().for_each(|leaf| tree.push(leaf));
        assert_eq!(opening.log_root, data_encoding::HEXLOWER.encode(&tree.root()));

        let mut cast: Vec<Vec<u8>> = sent.iter().map(|s| s.ballot.canonical()).collect();
        let mut read: Vec<Vec<u8>> = ballots(&place).into_iter().map(|(_, body)| body.into_bytes()).collect();
        cast.sort();
        read.sort();
        assert!(cast == read, "what was opened is what was cast");

        place.wait_for_publication();
        let published = place.ceremony.publish(&BY, ROUND, Timing::OnTime).unwrap();
        assert_eq!(published.valid + published.void, opening.opened);
        assert!(published.void > 0, "some careless paper ballots are void");
        assert_scores(&place, &sent.iter().map(|s| &s.ballot).collect::<Vec<_>>(), &document(&place));

        place.ceremony.burn(&BY, ROUND, &place.key_path()).unwrap();
        assert!(!place.key_path().exists());
        let acts: Vec<String> = place.trail().into_keys().collect();
        assert_eq!(
            acts,
            [
                "round.box_key_burnt",
                "round.box_key_made",
                "round.box_opened",
                "round.closed",
                "round.opened",
                "round.published"
            ]
        );
        assert!(place.trail()["round.closed"].starts_with(&format!("ballots={}", sent.len())));
    }
}

/// The declared rules once more, by another way: from the ballots that were sent, cell by cell.
fn assert_scores(place: &Place, sent: &[&Ballot], document: &ScoreDocument) {
    let round = place.definition();
    let percent = |item: &survey_forms::questionnaire::Item, option: &str| {
        round.scale(item.scale().unwrap()).unwrap().options.iter().find(|o| o.code == option).unwrap().percent.clone()
    };
    // (target, item) → group → (sum, n)
    let mut cells: BTreeMap<(String, String), BTreeMap<String, (Ratio, u64)>> = BTreeMap::new();
    let mut void = 0;
    for ballot in sent {
        let group = round.group(&ballot.stratum.respondent_code).unwrap();
        let form = round.questionnaire(&group.code).unwrap();
        let choices = ballot.answers.iter().filter(|(_, _, a)| matches!(a, Answer::Choice(_))).count();
        let total = form.items().count() * ballot.stratum.targets.len();
        if group.channel == Channel::Paper && choices * 2 < total {
            void += 1;
            continue;
        }
        for (target, item, answer) in ballot.answers.iter() {
            let Answer::Choice(option) = answer else { continue };
            let Some(worth) = percent(form.item(item).unwrap(), option) else { continue };
            let cell = cells.entry((target.to_owned(), item.to_owned())).or_default();
            let (sum, n) = cell.entry(group.code.clone()).or_insert((whole(0), 0));
            *sum += worth;
            *n += 1;
        }
    }
    assert!(void > 0);
    let mut percents: BTreeMap<(String, String), Ratio> = BTreeMap::new();
    for target in &document.targets {
        let (mut points, mut max) = (whole(0), whole(0));
        for item in &target.items {
            let Some(groups) = cells.get(&(target.target.clone(), item.item_code.clone())) else {
                assert_eq!(item.points, None);
                continue;
            };
            let means: Vec<Ratio> = groups.values().map(|(sum, n)| sum / whole(*n)).collect();
            let score = means.iter().sum::<Ratio>() / whole(means.len() as u64);
            // A pooled score of one small group is that group's cell; what is hidden counts all the same.
            let few = groups.len() == 1 && groups.values().all(|(_, n)| *n < 10);
            assert!(item.suppressed.is_some() || !few, "{} {}", target.target, item.item_code);
            let shown = item.suppressed.is_none().then(|| to_fixed(&score, 2));
            assert_eq!(item.percent, shown);
            assert_eq!(item.n, groups.values().map(|(_, n)| n).sum::<u64>());
            let most = &round.criterion(&item.item_code).unwrap().max_points;
            points += score * most / whole(100);
            max += most;
        }
        if target.suppressed.is_some() {
            assert_eq!((&target.survey_points, &target.percent), (&None, &None));
        } else {
            assert_eq!(target.survey_points.as_deref(), Some(to_fixed(&points, 2).as_str()), "{}", target.target);
            let percent = points / max * whole(100);
            assert_eq!(target.percent.as_deref(), Some(to_fixed(&percent, 2).as_str()));
            percents.insert((target.kind.clone(), target.target.clone()), percent);
        }
    }
    assert!(percents.len() > 30, "most targets were rated");
    for target in &document.targets {
        let mine = percents.get(&(target.kind.clone(), target.target.clone()));
        let better =
            mine.map(|mine| percents.iter().filter(|((kind, _), p)| *kind == target.kind && *p > mine).count());
        assert_eq!(target.rank, better.map(|b| b as u32 + 1));
    }
    for cell in document.targets.iter().flat_map(|t| &t.items).flat_map(|i| &i.groups) {
        assert!(cell.mean.is_none() || cell.n >= 10, "no small cell is shown");
    }
    let snv = document.targets.iter().find(|t| t.target == "SNV").unwrap();
    let own = snv.items.iter().flat_map(|i| &i.groups).find(|c| c.respondent_code == "CC-CT").unwrap();
    let returned = sent.iter().filter(|b| b.stratum.to_string() == "CC-CT/SNV").count();
    assert_eq!((own.issued, own.returned), (40, returned as u64));
}

#[test]
fn acts_out_of_order_are_refused_and_change_nothing() {
    use RoundState::{Closed, Loaded, Open, Opened, Published};
    for mut place in places() {
        let out_of_order = |result: Result<(), ActError>, at: RoundState, need: RoundState| match result {
            Err(ActError::OutOfOrder { is, needs }) => assert_eq!((is, needs), (at, need)),
            other => panic!("{other:?} at {at:?}"),
        };
        assert!(matches!(place.ceremony.open(&BY, "elsewhere"), Err(ActError::Round(RoundError::Unknown))));
        assert!(matches!(place.ceremony.open(&BY, ROUND), Err(ActError::NoBoxKey)));
        let full = place.ceremony.keygen(&BY, ROUND, |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(matches!(full, Err(ActError::File(_))), "a key that was not kept is not taken");
        place.keygen();
        let second = place.ceremony.keygen(&BY, ROUND, |_| Ok(()));
        assert!(matches!(second, Err(ActError::Round(RoundError::Frozen))));
        assert!(matches!(place.ceremony.open(&BY, ROUND), Err(ActError::NoCodes)));
        out_of_order(place.ceremony.close(&BY, ROUND).map(drop), Loaded, Open);

        let code = place.issue("CC-CT", Some("SNV"), Some(2)).remove(0);
        assert_eq!(place.ceremony.open(&BY, ROUND).unwrap(), 2);
        out_of_order(place.ceremony.open(&BY, ROUND).map(drop), Open, Loaded);
        out_of_order(place.ceremony.open_box(&BY, ROUND, &place.key(), |_| ()).map(drop), Open, Closed);
        place.cast(&code);

        place.ceremony.close(&BY, ROUND).unwrap();
        out_of_order(place.ceremony.close(&BY, ROUND).map(drop), Closed, Open);
        out_of_order(place.ceremony.publish(&BY, ROUND, Timing::ForceEarly).map(drop), Closed, Opened);
        out_of_order(place.ceremony.burn(&BY, ROUND, &place.key_path()), Closed, Published);
        assert!(place.key_path().exists());

        let other = KeyFile::parse(&place.key().to_text()).unwrap();
        let other = KeyFile { round: "q".to_owned(), ..other };
        let refused = place.ceremony.open_box(&BY, ROUND, &other, |_| ());
        assert!(matches!(refused, Err(ActError::Key(KeyFileError::OtherRound(_)))));
        let (secret, public) = BoxSecret::generate(&place.entropy).unwrap();
        let other = KeyFile { round: ROUND.to_owned(), public, secret };
        let refused = place.ceremony.open_box(&BY, ROUND, &other, |_| ());
        assert!(matches!(refused, Err(ActError::Key(KeyFileError::OtherKey))));

        place.ceremony.open_box(&BY, ROUND, &place.key(), |_| ()).unwrap();
        out_of_order(place.ceremony.open_box(&BY, ROUND, &place.key(), |_| ()).map(drop), Opened, Closed);
        let early = place.ceremony.publish(&BY, ROUND, Timing::OnTime);
        assert!(matches!(early, Err(ActError::TooEarly(_))), "{}", place.test.backend);
        assert_eq!(place.state(), Opened);
        place.ceremony.publish(&BY, ROUND, Timing::ForceEarly).unwrap();
        assert!(place.trail()["round.published"].contains("before_its_date=true"));
        out_of_order(place.ceremony.publish(&BY, ROUND, Timing::ForceEarly).map(drop), Published, Opened);
        std::fs::write(place.key_path(), "another file").unwrap();
        let refused = place.ceremony.burn(&BY, ROUND, &place.key_path());
        assert!(matches!(refused, Err(ActError::Key(KeyFileError::NotAKeyFile))) && place.key_path().exists());
    }
}

#[test]
fn a_close_that_does_not_add_up_is_refused_with_both_numbers() {
    for mut place in places() {
        let sent = place.field_work().len() as i64;
        place.tamper("DELETE FROM envelope WHERE id = (SELECT id FROM envelope ORDER BY id LIMIT 1)");
        match place.ceremony.close(&BY, ROUND) {
            Err(ActError::CountsDisagree { used, envelopes }) => assert_eq!((used, envelopes), (sent, sent - 1)),
            other => panic!("{other:?}"),
        }
        assert_eq!(place.state(), RoundState::Open);
        assert!(box_ids(&place).is_empty(), "nothing was moved");
    }
}

#[test]
fn what_cannot_be_read_is_counted_with_its_reason_and_the_rest_is_opened() {
    for mut place in places() {
        let sent = place.field_work().len() as u64;
        place.ceremony.close(&BY, ROUND).unwrap();
        place
            .tamper("UPDATE ballot_box SET sealed = substr(sealed, 1, 40) WHERE id = (SELECT id FROM ballot_box ORDER BY id LIMIT 1)");
        let opening = place.ceremony.open_box(&BY, ROUND, &place.key(), |_| ()).unwrap();
        assert_eq!((opening.envelopes, opening.opened), (sent, sent - 1));
        assert_eq!(opening.unreadable, BTreeMap::from([(Unreadable::Altered, 1)]));
        assert!(place.trail()["round.box_opened"].contains("altered=1"));
        place.wait_for_publication();
        place.ceremony.publish(&BY, ROUND, Timing::OnTime).unwrap();
    }
}

#[test]
fn a_ballot_added_after_the_opening_stops_the_publication() {
    for mut place in places() {
        place.until_opened();
        let one = ballots(&place).remove(0).1;
        place
            .test
            .db
            .write_here(|conn| {
                store::insert_ballots(conn, ROUND, &[NewBallot { id: [7; 16], body: one }]).map_err(DbError::from)
            })
            .unwrap();
        let refused = place.ceremony.publish(&BY, ROUND, Timing::ForceEarly);
        assert!(matches!(refused, Err(ActError::BoxChanged { expected, found }) if found == expected + 1));
    }
}

/// Neither the ids nor the order of the ballots follow the envelopes.
#[test]
fn nothing_leads_from_a_ballot_to_an_envelope() {
    for mut place in places() {
        let sent = place.until_opened();
        let stored = ballots(&place);
        assert!(stored.iter().all(|(id, _)| id.len() == 16));
        let by_body: BTreeMap<Vec<u8>, Vec<u8>> =
            sent.iter().map(|s| (s.ballot.canonical(), s.receipt.id().to_vec())).collect();
        let mut envelopes: Vec<&Vec<u8>> = by_body.values().collect();
        envelopes.sort();
        // In the order of the ballots' ids, how often does the next ballot come from a later envelope? Half of the time.
        let order: Vec<&Vec<u8>> = stored.iter().map(|(_, body)| &by_body[body.as_bytes()]).collect();
        let rising = order.windows(2).filter(|w| w[0] < w[1]).count();
        let share = rising as f64 / (order.len() - 1) as f64;
        assert!((0.35..0.65).contains(&share), "{share}");
        for (id, _) in &stored {
            assert!(envelopes.iter().all(|e| !e.windows(4).any(|w| id.windows(4).any(|v| v == w))));
        }
        // On disk they lie in the order of their ids, but for rows that PostgreSQL fits into the rest of an earlier page:
        // the order of writing tells no more.
        #[derive(diesel::QueryableByName)]
        struct Id {
            #[diesel(sql_type = diesel::sql_types::Binary)]
            id: Vec<u8>,
        }
        let places: Vec<Id> = place
            .test
            .db
            .read_here(|conn| {
                let place = if matches!(conn, Conn::Postgres(_)) { "ctid" } else { "id" };
                let query = format!("SELECT id FROM ballot ORDER BY {place}");
                diesel::RunQueryDsl::load(diesel::sql_query(query), conn).map_err(DbError::from)
            })
            .unwrap();
        let rising = places.windows(2).filter(|w| w[0].id < w[1].id).count();
        assert!(rising as f64 > 0.9 * (places.len() - 1) as f64, "{}: {rising}", place.test.backend);
    }
}

#[test]
fn a_close_among_casts_loses_no_ballot_that_got_a_receipt() {
    for place in places() {
        let codes = place.issue("CC-CT", Some("SNV"), Some(240));
        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        let (place, started, closed) = (&place, &AtomicBool::new(false), &AtomicBool::new(false));
        let (receipts, refused) = std::thread::scope(|scope| {
            let hands: Vec<_> = codes
                .chunks(60)
                .map(|codes| {
                    scope.spawn(move || {
                        let (mut receipts, mut refused) = (Vec::new(), 0);
                        for (number, code) in codes.iter().enumerate() {
                            let token = Token::parse(&code.token.expose()).unwrap();
                            let bearer = place.test.db.read_here(|conn| find(conn, &place.rounds, &token)).unwrap();
                            // The last ones come late in any case; the others race.
                            while number == 55 && !closed.load(Ordering::Acquire) {
                                std::thread::yield_now();
                            }
                            let mut answers = survey_forms::answers::Answers::new();
                            let item = bearer.form().unwrap().questionnaire.items().next().unwrap().code.clone();
                            answers.insert("SNV", &item, Answer::Choice("B".to_owned()));
                            match place.casting.cast_here(&bearer, &answers) {
                                Ok(cast) => receipts.push(cast.receipt),
                                Err(CastError::NotOpen) => refused += 1,
                                Err(other) => panic!("{other:?}"),
                            }
                            started.store(true, Ordering::Relaxed);
                        }
                        (receipts, refused)
                    })
                })
                .collect();
            while !started.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            std::thread::sleep(std::time::Duration::from_millis(30));
            place.ceremony.close(&BY, ROUND).unwrap();
            closed.store(true, Ordering::Release);
            let (mut receipts, mut refused) = (Vec::new(), 0);
            for hand in hands {
                let (more, no) = hand.join().unwrap();
                receipts.extend(more);
                refused += no;
            }
            (receipts, refused)
        });
        assert!(!receipts.is_empty(), "{}: the close came first", place.test.backend);
        assert!(refused > 0, "{}: the close came last ({} receipts)", place.test.backend, receipts.len());
        let given: BTreeSet<Vec<u8>> = receipts.iter().map(|r| r.id().to_vec()).collect();
        assert_eq!(box_ids(place), given, "{}", place.test.backend);
    }
}
