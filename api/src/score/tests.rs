//! The feed, the page and the exports of a round that went all the way.

use std::collections::BTreeMap;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use survey_forms::answers::Answer as Given;

use super::export::{self, BALLOT_COLUMNS, SCORE_COLUMNS};
use super::*;
use crate::ceremony::fixture::{Place, ROUND, Reply, Routes, get, places};

const ROUTES: Routes = Routes {
    pages,
    rest,
    data: |cfg| {
        cfg.app_data(actix_web::web::Data::new(Publications::new()));
    },
};

async fn asked(place: &Place, token: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = get(&format!("/api/v1/rounds/{path}"));
    if !token.is_empty() {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    for header in headers {
        request = request.insert_header(*header);
    }
    place.ask(ROUTES, request).await
}

#[actix_web::test]
async fn before_publication_there_is_no_score_for_anyone() {
    for mut place in places() {
        let token = place.token("scores:read").await;
        let refused = |answer: Reply| answer.refusal();
        assert_eq!(
            refused(asked(&place, "", &format!("{ROUND}/scores"), &[]).await),
            (401, "token_missing".to_owned())
        );
        let other = place.token("rates:read").await;
        for path in ["scores", "scores.jws"] {
            let path = format!("{ROUND}/{path}");
            assert_eq!(refused(asked(&place, &other, &path, &[]).await), (403, "scope_missing".to_owned()));
            assert_eq!(refused(asked(&place, &token, &path, &[]).await), (409, "not_published".to_owned()));
        }
        assert_eq!(refused(asked(&place, &token, "q/scores", &[]).await), (404, "round_unknown".to_owned()));
        place.until_opened();
        assert_eq!(
            refused(asked(&place, &token, &format!("{ROUND}/scores"), &[]).await),
            (409, "not_published".to_owned()),
            "an opened box is not a publication"
        );
        let page = place.ask(ROUTES, get("/ket-qua")).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Chưa có đợt điều tra nào được công bố"));
        let page = place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}"))).await;
        assert!(page.status == 409 && page.text().contains("Kết quả chưa được công bố"));
        assert_eq!(place.ask(ROUTES, get("/ket-qua/q")).await.status, 404);
    }
}

#[actix_web::test]
async fn the_engine_gets_the_released_bytes_whole_in_part_as_table_and_signed() {
    for mut place in places() {
        place.until_published();
        let token = place.token("scores:read").await;
        let path = format!("{ROUND}/scores");
        let whole = asked(&place, &token, &path, &[]).await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "application/json"));
        assert_eq!(whole.header("vary"), "Accept, Accept-Encoding");
        assert!(whole.header("link").contains("/khao-sat/api/v1/schemas/scores.json"));
        let document = whole.json();
        let sha256 = HEXLOWER.encode(&Sha256::digest(&whole.body));
        let detail = &place.trail()["round.published"];
        assert!(detail.contains(&format!("sha256={sha256}")), "what is served is what was announced");

        let tag = whole.header("etag").to_owned();
        let again = asked(&place, &token, &path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()));
        let table = asked(&place, &token, &path, &[("if-none-match", &tag), ("accept", "text/csv")]).await;
        assert_eq!((table.status, table.header("content-type")), (200, "text/csv; charset=utf-8"));

        let kind = asked(&place, &token, &format!("{path}?kind=huyen"), &[("if-none-match", &tag)]).await.json();
        assert_eq!(kind["targets"].as_array().unwrap().len(), 18);
        assert_eq!((&kind["rules_hash"], &kind["published_at"]), (&document["rules_hash"], &document["published_at"]));
        let one = asked(&place, &token, &format!("{path}?target=SNV&kind=so"), &[]).await.json();
        let same = document["targets"].as_array().unwrap().iter().find(|t| t["target"] == "SNV").unwrap();
        assert_eq!(&one["targets"][0], same);
        for (query, refusal) in [
            ("target=XX", (404, "target_unknown")),
            ("target=SNV&kind=huyen", (404, "target_unknown")),
            ("kind=xa", (404, "kind_unknown")),
            ("tagret=SNV", (400, "query_malformed")),
        ] {
            let (status, code) = asked(&place, &token, &format!("{path}?{query}"), &[]).await.refusal();
            assert_eq!((status, code.as_str()), refusal);
        }
        let picture = asked(&place, &token, &path, &[("accept", "image/png")]).await;
        assert_eq!(picture.refusal(), (406, "not_acceptable".to_owned()));

        let signed = asked(&place, &token, &format!("{path}.jws"), &[]).await;
        assert_eq!((signed.status, signed.header("content-type")), (200, "application/jose"));
        let (message, signature) = signed.text().rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        assert_eq!(BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap(), whole.body, "byte for byte");
        let header: serde_json::Value =
            serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("scores+json")));
        let jwk = place.test.db.read_here(crate::access::tokens::newest).unwrap().unwrap().jwk();
        assert_eq!(header["kid"], jwk.kid.as_str());
        let key = jsonwebtoken::DecodingKey::from_ed_components(&jwk.x).unwrap();
        let verify =
            |m: &str| jsonwebtoken::crypto::verify(signature, m.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA);
        assert!(verify(message).unwrap() && !verify(&message.replacen('e', "f", 1)).unwrap());
        let tag = signed.header("etag").to_owned();
        assert_eq!(asked(&place, &token, &format!("{path}.jws"), &[("if-none-match", &tag)]).await.status, 304);

        assert_table(&table.body, &document);
    }
}

#[actix_web::test]
async fn an_item_says_how_its_score_came_about() {
    for mut place in places() {
        place.until_published();
        let token = place.token("scores:read").await;
        let path = format!("{ROUND}/scores/SNV/X1.1");
        let item = asked(&place, &token, &path, &[]).await.json();
        let whole = asked(&place, &token, &format!("{ROUND}/scores?target=SNV"), &[]).await.json();
        assert_eq!(item, whole["targets"][0]["items"][0]);
        let told = asked(&place, &token, &format!("{path}?explain"), &[]).await;
        let tag = told.header("etag").to_owned();
        assert_eq!(asked(&place, &token, &format!("{path}?explain"), &[("if-none-match", &tag)]).await.status, 304);
        assert_eq!(asked(&place, &token, &path, &[("if-none-match", &tag)]).await.status, 200);
        let told = told.json();
        assert_eq!((&told["percent"], &told["points"]), (&item["percent"], &item["points"]));
        for (group, cell) in told["groups"].as_array().unwrap().iter().zip(item["groups"].as_array().unwrap()) {
            assert_eq!((&group["n"], &group["suppressed"]), (&cell["n"], &cell["suppressed"]));
            assert!(cell["suppressed"].is_null() || (group["mean"].is_null() && group["options"].is_null()));
        }
        let page = place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}/SNV/X1.1"))).await;
        assert_eq!(page.status, 200);
        for step in told["steps"].as_array().unwrap() {
            assert!(page.text().contains(step.as_str().unwrap()), "{step}");
        }
        let target = place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}/SNV"))).await;
        assert!(target.text().contains(&format!("/ket-qua/{ROUND}/SNV/X1.1\"")));
        for (path, refusal) in [
            ("scores/XX/X1.1", (404, "target_unknown")),
            ("scores/SNV/X9", (404, "criterion_unknown")),
            ("scores/SNV/X1.1?explian", (400, "query_malformed")),
        ] {
            let (status, code) = asked(&place, &token, &format!("{ROUND}/{path}"), &[]).await.refusal();
            assert_eq!((status, code.as_str()), refusal);
        }
        assert_eq!(place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}/SNV/X9"))).await.status, 404);
    }
}

#[actix_web::test]
async fn other_rules_are_told_beside_the_result() {
    for mut place in places() {
        let token = place.token("scores:read").await;
        let path = format!("{ROUND}/scores/sensitivity");
        assert_eq!(asked(&place, &token, &path, &[]).await.refusal(), (409, "not_published".to_owned()));
        place.until_published();
        let ranks = asked(&place, &token, &path, &[]).await.json();
        let rules: Vec<&str> =
            ranks["scenarios"].as_array().unwrap().iter().map(|s| s["rule"].as_str().unwrap()).collect();
        assert!(rules.contains(&"equal_ballots") && rules.contains(&"without_group") && rules.contains(&"other_scale"));
        let page = place.ask(ROUTES, get(&format!("/do-nhay/{ROUND}"))).await;
        assert!(page.status == 200 && page.text().contains("Mọi câu trả lời có trọng số như nhau"));
        let results = place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}"))).await;
        assert!(results.text().contains(&format!("/do-nhay/{ROUND}")));
    }
}

/// Every figure of the table is that of the document.
fn assert_table(table: &[u8], document: &serde_json::Value) {
    let mut reader = csv::Reader::from_reader(table);
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), SCORE_COLUMNS);
    let mut levels: BTreeMap<String, usize> = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        *levels.entry(row[4].to_owned()).or_default() += 1;
        let target = document["targets"].as_array().unwrap().iter().find(|t| t["target"] == row[1]).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let item = || target["items"].as_array().unwrap().iter().find(|i| i["item_code"] == row[5]).unwrap();
        let expected = match &row[4] {
            "total" => text(&target["percent"]),
            "field" => {
                text(&target["fields"].as_array().unwrap().iter().find(|f| f["field"] == row[5]).unwrap()["percent"])
            }
            "item" => text(&item()["percent"]),
            _ => text(
                &item()["groups"].as_array().unwrap().iter().find(|g| g["respondent_code"] == row[6]).unwrap()["mean"],
            ),
        };
        assert_eq!(&row[10], expected, "{row:?}");
    }
    let items: usize =
        document["targets"].as_array().unwrap().iter().map(|t| t["items"].as_array().unwrap().len()).sum();
    assert_eq!((levels["total"], levels["item"]), (43, items));
}

#[actix_web::test]
async fn anyone_reads_the_results_as_released() {
    for mut place in places() {
        place.until_published();
        let publication =
            place.test.db.read_here(|conn| Publications::new().latest(conn, &place.rounds, ROUND)).unwrap();
        let page = place.ask(ROUTES, get("/ket-qua")).await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for target in &publication.document.targets {
            assert!(text.contains(&target.name), "{}", target.name);
            if let Some(percent) = &target.percent {
                assert!(text.contains(&format!("<td class=\"num\">{}<br>", percent.replace('.', ","))));
            }
        }
        assert!(text.contains(&publication.document.log_root) && text.contains(&publication.sha256));
        assert!(!text.contains("style="), "the content security policy forbids inline style");
        let snv = publication.document.targets.iter().find(|t| t.target == "SNV").unwrap();
        let page = place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}/SNV"))).await;
        assert_eq!(page.status, 200);
        for field in &snv.fields {
            assert!(page.text().contains(&field.name));
        }
        assert_eq!(place.ask(ROUTES, get(&format!("/ket-qua/{ROUND}/XX"))).await.status, 404);
    }
}

#[actix_web::test]
async fn old_releases_stay_readable_beside_a_correction() {
    use crate::access::Actor;
    use crate::ceremony::{Draft, Timing};
    for mut place in places() {
        let token = place.token("scores:read").await;
        let listed = async |place: &Place| asked(place, "", &format!("{ROUND}/releases"), &[]).await.json();
        assert_eq!(listed(&place).await["releases"], serde_json::json!([]));
        place.until_published();
        let path = format!("{ROUND}/scores");
        let first = asked(&place, &token, &path, &[]).await;
        let draft = Draft {
            reason: "Kết luận thanh tra: có hướng dẫn cách chấm.".to_owned(),
            left_out: vec![place.group_about_target(true)],
        };
        place.clock.advance(chrono::TimeDelta::days(2));
        let (lan, minh) = (Actor::Staff("lan".to_owned()), Actor::Staff("minh".to_owned()));
        let proposal = place.ceremony.propose_release(&lan, ROUND, &draft).unwrap();
        place.ceremony.confirm_release(&minh, &proposal.id, &proposal.digest, Timing::OnTime).unwrap();

        let tag = first.header("etag");
        let second = asked(&place, &token, &path, &[("if-none-match", tag)]).await;
        assert_eq!(second.status, 200, "there is something new to fetch");
        assert_eq!(
            (second.json()["release"].as_u64(), second.json()["correction"]["reason"].as_str()),
            (Some(2), Some(draft.reason.as_str()))
        );
        let of = async |as_of: &str| asked(&place, &token, &format!("{path}?as_of={as_of}"), &[]).await;
        assert_eq!(of("1").await.body, first.body);
        assert_eq!(of("2").await.body, second.body);
        let known = asked(&place, &token, &format!("{path}?as_of=1"), &[("if-none-match", tag)]).await;
        assert_eq!(known.status, 304, "an old release is still what it was");
        let day = |text: &str| text[..10].to_owned();
        let (then, now) = (
            first.json()["published_at"].as_str().unwrap().to_owned(),
            second.json()["published_at"].as_str().unwrap().to_owned(),
        );
        assert_eq!(of(&day(&then)).await.body, first.body);
        assert_eq!(of(&day(&now)).await.body, second.body);
        assert_eq!(of(&then.replace('+', "%2B")).await.body, first.body);
        for (as_of, refusal) in [
            ("3", (404, "release_unknown")),
            ("0", (404, "release_unknown")),
            ("2001-01-01", (404, "release_unknown")),
            ("yesterday", (400, "query_malformed")),
            ("", (400, "query_malformed")),
            ("2023-02-30", (400, "query_malformed")),
        ] {
            let (status, code) = of(as_of).await.refusal();
            assert_eq!((status, code.as_str()), refusal, "{as_of}");
        }
        let signed = asked(&place, &token, &format!("{ROUND}/scores.jws?as_of=1"), &[]).await;
        let payload = signed.text().split('.').nth(1).unwrap().to_owned();
        assert_eq!(BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap(), first.body);
        for (release, body) in [(1, &first.body), (2, &second.body)] {
            let logged = asked(&place, "", &format!("{ROUND}/log/result/{release}"), &[]).await;
            assert_eq!(&logged.body, body);
            let listed = listed(&place).await;
            assert_eq!(listed["releases"][release - 1]["sha256"], HEXLOWER.encode(&Sha256::digest(body)));
        }
        assert_eq!(asked(&place, "", &format!("{ROUND}/log/result/3"), &[]).await.refusal().1, "release_unknown");
        // Compressed once: the same bytes.
        let packed = asked(&place, &token, &path, &[("accept-encoding", "br;q=1, gzip;q=0.5")]).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut unpacked).unwrap();
        assert_eq!(unpacked, second.body);
        let plain = asked(&place, &token, &path, &[("accept-encoding", "gzip;q=0, identity")]).await;
        assert_eq!((plain.header("content-encoding"), &plain.body), ("", &second.body));
    }
}

#[test]
fn ballots_are_exported_once_the_box_is_open_and_hold_every_answer() {
    for mut place in places() {
        let refused = export::ballots(Vec::new(), &place.test.db, &place.rounds, ROUND);
        assert!(matches!(refused, Err(ScoreError::NotOpened)));
        let sent = place.until_opened();
        let mut table = Vec::new();
        let written = export::ballots(&mut table, &place.test.db, &place.rounds, ROUND).unwrap();
        assert_eq!(written, u64::try_from(sent.len()).unwrap());
        assert!(table.starts_with("\u{feff}".as_bytes()));
        let mut reader = csv::Reader::from_reader(&table["\u{feff}".len()..]);
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), BALLOT_COLUMNS);
        let mut exported: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for row in reader.records() {
            let row = row.unwrap();
            let cells = row.iter().skip(1).map(str::to_owned).collect();
            exported.entry(row[0].to_owned()).or_default().push(cells);
        }
        assert!(exported.keys().all(|id| id.len() == 32));
        let mut exported: Vec<Vec<Vec<String>>> = exported.into_values().collect();
        let mut expected: Vec<Vec<Vec<String>>> = Vec::new();
        for one in &sent {
            let stratum = &one.ballot.stratum;
            let mut rows: Vec<Vec<String>> = Vec::new();
            for (target, item, answer) in one.ballot.answers.iter() {
                let answer = match answer {
                    Given::Choice(option) => option.clone(),
                    Given::Mark(mark) => format!("#{}", mark.as_str()),
                    _ => panic!("the plan asks scales only"),
                };
                rows.push(vec![
                    stratum.respondent_code.clone(),
                    stratum.targets.join("+"),
                    target.to_owned(),
                    item.to_owned(),
                    answer,
                ]);
            }
            expected.push(rows);
        }
        for ballots in [&mut exported, &mut expected] {
            ballots.iter_mut().for_each(|rows| rows.sort());
            ballots.sort();
        }
        assert!(exported == expected, "{}", place.test.backend);
    }
}
