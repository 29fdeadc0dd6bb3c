//! The same figures on page, API and export, equal to a recount of what people did.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::access::Role;
use crate::ceremony::fixture::{BY, Place, ROUND, Routes, get, places};

const ROUTES: Routes = Routes { pages, rest, data: |_| () };

fn count(issued: u64, returned: u64) -> Count {
    Count { issued, returned }
}

fn figures(place: &Place) -> Rates {
    place
        .test
        .db
        .read_here(|conn| {
            let round = place.rounds.get(conn, ROUND).unwrap();
            rates(&place.test.db, conn, &round)
        })
        .unwrap()
}

#[test]
fn a_rate_is_rounded_half_up_and_the_worst_comes_first() {
    assert_eq!(count(3, 2).rate().as_deref(), Some("66.67"));
    assert_eq!(count(0, 0).rate(), None);
    let mut all = [count(10, 9), count(0, 0), count(4, 1), count(8, 2), count(7, 7)];
    all.sort_by(|a, b| a.worse(*b));
    assert_eq!(all, [count(8, 2), count(4, 1), count(10, 9), count(7, 7), count(0, 0)]);
}

#[actix_web::test]
async fn page_api_and_export_tell_what_a_recount_tells() {
    for mut place in places() {
        place.clock.fixed().unwrap();
        let sent = place.field_work();
        let revoked = place.issue("CC-CT", Some("STP"), Some(12));
        let one = crate::ballot::Token::parse(&revoked[0].token.expose()).unwrap();
        place.test.db.write_here(|conn| crate::credential::revoke(conn, &place.rounds, &one).map(drop)).unwrap();

        // The recount: people, one by one.
        let returned = u64::try_from(sent.len()).unwrap();
        let mut by_group: BTreeMap<&str, u64> = BTreeMap::new();
        let mut by_unit: BTreeMap<&str, u64> = BTreeMap::new();
        for one in &sent {
            *by_group.entry(&one.ballot.stratum.respondent_code).or_default() += 1;
            *by_unit.entry(&one.source_unit).or_default() += 1;
        }
        let rates = figures(&place);
        assert_eq!(rates.total, count(219 + 11, returned), "{}", place.test.backend);
        for (group, found) in &rates.groups {
            assert_eq!(found.returned, by_group.get(group.as_str()).copied().unwrap_or_default(), "{group}");
        }
        for (unit, found) in &rates.units {
            assert_eq!(found.returned, by_unit.get(unit.as_str()).copied().unwrap_or_default(), "{unit}");
        }
        let unit = |code: &str| rates.units.iter().find(|(unit, _)| unit == code).unwrap().1;
        assert_eq!((unit("STP"), unit("SNV").issued), (count(11, 0), 40));
        assert_eq!(rates.units[0].0, "STP", "the worst first");
        let sum = |counts: &[(String, Count)]| {
            let mut sum = Count::default();
            counts.iter().for_each(|(_, c)| sum.add(*c));
            sum
        };
        assert_eq!([sum(&rates.groups), sum(&rates.units), sum(&rates.channels)], [rates.total; 3]);
        assert_eq!(rates.days.values().sum::<u64>(), returned);
        assert!(rates.days.len() > 4 && rates.days.contains_key("2023-09-22"));
        for cell in &rates.cells {
            let told: Option<u64> = cell.days.as_ref().map(|days| days.values().sum());
            match cell.count.issued {
                0..10 => assert_eq!(told, None, "a day could point at a person"),
                _ => assert_eq!(told.unwrap_or_default(), cell.count.returned),
            }
        }

        // The API.
        let token = place.token("rates:read").await;
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        let path = format!("/api/v1/rounds/{ROUND}/rates");
        let api = place.ask(ROUTES, get(&path).insert_header(bearer(&token))).await;
        assert_eq!(api.status, 200);
        let api = api.json();
        assert_eq!((api["issued"].as_u64(), api["returned"].as_u64()), (Some(230), Some(returned)));
        assert_eq!(api["rate"], rates.total.rate().unwrap().as_str());
        assert_eq!(api["units"][0]["source_unit"], "STP");
        assert_eq!(api["days"].as_array().unwrap().last().unwrap()["cumulative"].as_u64(), Some(returned));
        assert_eq!(api["keying"]["issued"], 106);
        assert_eq!((rates.paper.fault(), rates.paper.total.printed), (None, 106), "every sheet is somewhere, once");
        let other = place.token("scores:read").await;
        let refused = place.ask(ROUTES, get(&path).insert_header(bearer(&other))).await;
        assert_eq!(refused.refusal(), (403, "scope_missing".to_owned()));
        let refused = place.ask(ROUTES, get("/api/v1/rounds/q/rates").insert_header(bearer(&token))).await;
        assert_eq!(refused.refusal(), (404, "round_unknown".to_owned()));

        // The page.
        assert_eq!(place.ask(ROUTES, get("/giam-sat")).await.status, 303, "sign in first");
        let clerk = place.session(Role::Clerk).await;
        assert_eq!(place.ask(ROUTES, get("/giam-sat").cookie(clerk)).await.status, 403);
        let observer = place.session(Role::Observer).await;
        let page = place.ask(ROUTES, get("/giam-sat").cookie(observer.clone())).await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for (_, found) in rates.groups.iter().chain(rates.units.iter().filter(|(_, c)| c.issued >= rates.k)) {
            let row = format!(
                "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>",
                found.issued,
                found.returned,
                view::percent(*found)
            );
            assert!(text.contains(&row), "{row}");
        }
        assert!(text.contains(&format!("n = {returned} phiếu")) && !text.contains("style="));
        let small: BTreeSet<&str> =
            rates.units.iter().filter(|(_, c)| c.issued < rates.k).map(|(unit, _)| unit.as_str()).collect();
        assert!(small.contains("X20692") && text.contains("X20692"));

        // The export.
        let table = place.ask(ROUTES, get(&format!("/giam-sat/{ROUND}/ty-le.csv")).cookie(observer)).await;
        let mut expected = Vec::new();
        export::write_csv(&mut expected, &rates).unwrap();
        assert!(table.status == 200 && table.body == expected);
        let mut reader = csv::Reader::from_reader(&expected["\u{feff}".len()..]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let cells = rows.iter().filter(|r| &r[0] == "cell");
        assert_eq!(cells.map(|r| r[7].parse::<u64>().unwrap()).sum::<u64>(), returned);
    }
}

#[test]
fn a_curve_starts_at_nothing_and_ends_at_what_came_back() {
    for mut place in places() {
        let curve = |place: &Place| {
            let round = place.test.db.read_here(|conn| place.rounds.get(conn, ROUND)).unwrap();
            view::curve(&round, &figures(place))
        };
        assert!(curve(&place).is_none(), "nothing to draw");
        let codes = place.issue("CC-CT", Some("SNV"), Some(4));
        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        place.cast(&codes[0]);
        place.clock.advance(chrono::TimeDelta::days(2));
        place.cast(&codes[1]);
        let curve = curve(&place).unwrap();
        let heights: Vec<f64> =
            curve.points.split(' ').map(|p| p.split_once(',').unwrap().1.parse().unwrap()).collect();
        assert_eq!(heights[0], 208.0);
        assert_eq!(*heights.last().unwrap(), 208.0 - 192.0 * 2.0 / 4.0);
        assert!(heights.windows(2).all(|w| w[0] >= w[1]), "it never falls");
        assert_eq!(curve.y_marks.iter().map(|(_, _, n)| *n).collect::<Vec<_>>(), [0, 2, 4]);
        assert_eq!(curve.x_marks.iter().map(|(_, _, day)| day.as_str()).collect::<Vec<_>>(), ["15/09", "24/09"]);
    }
}
