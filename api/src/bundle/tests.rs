//! Bundles are made with the codes, on every database at hand.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::ceremony::fixture::{ROUND, places};
use crate::db::Db;

fn by_bundle(labels: impl Iterator<Item = SheetLabel>) -> BTreeMap<(String, u32), BTreeSet<u32>> {
    let mut bundles: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    for label in labels {
        assert!(bundles.entry((label.respondent_code, label.bundle)).or_default().insert(label.sheet), "a number once");
    }
    bundles
}

#[test]
fn every_paper_code_of_the_plan_has_its_place() {
    for place in places() {
        let codes = place.issue_all();
        let paper = |code: &&crate::credential::IssuedCode| {
            place.definition().group(&code.respondent_code).unwrap().channel == Channel::Paper
        };
        for code in codes.iter().filter(|c| !paper(c)) {
            assert!(code.sheet.is_none(), "an online code has no sheet");
        }
        let bundles = by_bundle(codes.iter().filter(paper).map(|c| c.sheet.clone().unwrap()));
        let sizes: Vec<_> =
            bundles.iter().map(|((group, number), sheets)| (group.as_str(), *number, sheets.len())).collect();
        assert_eq!(
            sizes,
            [("HĐ-CT", 1, 30), ("LĐH-CH", 1, 40), ("LĐS-CT", 1, 18), ("LĐS-CT", 2, 18)],
            "{}",
            place.test.backend
        );
        for sheets in bundles.values() {
            assert_eq!(*sheets, (1..=u32::try_from(sheets.len()).unwrap()).collect());
        }
        place
            .test
            .db
            .read_here(|conn| {
                let round = place.rounds.get(conn, ROUND).unwrap();
                let kept = labels(conn, &round)?;
                for code in codes.iter().filter(paper) {
                    let key = crate::ballot::Keys::derive(&code.token, ROUND).public;
                    assert_eq!(kept.get(&key), code.sheet.as_ref());
                    assert_eq!(label(conn, &key)?, code.sheet);
                }
                Ok::<_, DbError>(())
            })
            .unwrap();
    }
}

/// Two ballots about each target are made side by side; were numbers in the order of making, they would be neighbours.
#[test]
fn numbers_are_drawn_by_lot() {
    let place = places().next().unwrap();
    let codes = place.issue("LĐH-CH", None, None);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut neighbours = 0;
    for code in &codes {
        let sheet = code.sheet.as_ref().unwrap().sheet;
        if let Some(other) = seen.insert(code.targets[0].as_str(), sheet) {
            neighbours += u32::from(other.abs_diff(sheet) == 1);
        }
    }
    // By lot, one pair in twenty; all twenty in the order of making.
    assert!(neighbours < 10, "{neighbours} of 20 pairs have neighbouring numbers");
}

#[test]
fn codes_of_an_older_version_are_bundled_once_and_a_replacement_takes_the_place() {
    for place in places() {
        let db: &Db = &place.test.db;
        let codes = place.issue("LĐS-CT", None, None);
        db.write_here(|conn| {
            store::testing::forget(conn)?;
            assert_eq!(make_missing(conn, &place.rounds, &place.entropy)?, 36);
            assert_eq!(make_missing(conn, &place.rounds, &place.entropy)?, 0);
            let round = place.rounds.get(conn, ROUND).unwrap();
            let kept = labels(conn, &round)?;
            assert_eq!(by_bundle(kept.values().cloned()).values().map(BTreeSet::len).collect::<Vec<_>>(), [18, 18]);

            let new = crate::credential::replace(conn, &place.rounds, &codes[0].token, &place.entropy).unwrap();
            let old = crate::ballot::Keys::derive(&codes[0].token, ROUND).public;
            assert_eq!(new.sheet.as_ref(), kept.get(&old));
            crate::credential::revoke(conn, &place.rounds, &codes[1].token).unwrap();
            assert_eq!(store::testing::custodies(conn)?, [("printed".to_owned(), 35), ("spoiled".to_owned(), 2)]);
            Ok::<_, DbError>(())
        })
        .unwrap();
        let more = place.issue("LĐS-CT", None, Some(0));
        assert!(more.is_empty(), "no bundle of nothing");
    }
}
