//! Every act on a bundle and every refusal, on pages and over REST, as people of each role.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::*;
use crate::ceremony::fixture::{Place, ROUND, Reply, Routes, get, places};

const ROUTES: Routes = Routes { pages, rest: crate::bundle::rest::rest, data: |_| () };
/// One bundle of 40.
const PATH: &str = "/keying/bundles/quang-nam-2023/L%C4%90H-CH/1";

async fn call(place: &Place, who: &Cookie<'static>, path: &str, body: Value) -> Reply {
    let request = TestRequest::post().uri(&format!("/khao-sat/api/v1{path}")).set_json(body).cookie(who.clone());
    place.ask(ROUTES, request).await
}

async fn act(place: &Place, who: &Cookie<'static>, body: Value) -> Reply {
    call(place, who, &format!("{PATH}/acts"), body).await
}

async fn post(place: &Place, who: &Cookie<'static>, act: &str, fields: &[(&str, &str)]) -> Reply {
    let path = format!("/khao-sat/nhap-phieu/bo/{ROUND}/L%C4%90H-CH/1/{act}");
    place.ask(ROUTES, TestRequest::post().uri(&path).set_form(fields).cookie(who.clone())).await
}

fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.refusal(), (status, code.to_owned()));
}

#[actix_web::test]
async fn a_bundle_goes_its_way_and_nothing_is_skipped() {
    for place in places() {
        place.issue("LĐH-CH", None, None);
        let (supervisor, clerk) = (place.session(Role::Supervisor).await, place.session(Role::Clerk).await);
        let auditor = place.session(Role::Auditor).await;

        // Before it is handed over.
        refused(&act(&place, &clerk, json!({"act": "receive"})).await, 409, "bundle_too_early");
        refused(&act(&place, &supervisor, json!({"act": "deliver"})).await, 409, "bundle_too_early");
        refused(&act(&place, &supervisor, json!({"act": "note", "note": "?"})).await, 409, "bundle_too_early");
        refused(&act(&place, &supervisor, json!({"act": "sign"})).await, 409, "bundle_too_early");
        refused(&act(&place, &supervisor, json!({"act": "sample"})).await, 409, "bundle_too_early");
        refused(&act(&place, &clerk, json!({"act": "hand_over", "holder": "An"})).await, 403, "role_missing");
        let nobody = act(&place, &supervisor, json!({"act": "hand_over", "holder": " "})).await;
        assert_eq!((nobody.status, nobody.json()["errors"][0]["code"].clone()), (422, json!("text_missing")));
        let nowhere = json!({"act": "hand_over", "holder": "An", "office": "TK"});
        assert_eq!(act(&place, &supervisor, nowhere).await.json()["errors"][0]["code"], "office_unknown");
        refused(&act(&place, &supervisor, json!({"act": "burn"})).await, 400, "body_malformed");
        let over = act(&place, &supervisor, json!({"act": "hand_over", "holder": "Bưu tá An"})).await.json();
        assert_eq!((&over["stage"], &over["holder"]), (&json!("handed_over"), &json!("Bưu tá An")));
        refused(&act(&place, &supervisor, json!({"act": "hand_over", "holder": "Bình"})).await, 409, "bundle_past");
        assert_eq!(act(&place, &clerk, json!({"act": "deliver"})).await.json()["numbers"][0]["custody"], "delivered");

        // 38 came back: number 3 is lost, and nobody knows where the other one is.
        let off = json!({"act": "receive", "counted": 39, "missing": [{"sheet": 41, "exit": "lost"}]});
        assert_eq!(act(&place, &clerk, off).await.json()["errors"][0]["code"], "sheet_unknown");
        let came = json!({"act": "receive", "counted": 38, "missing": [{"sheet": 3, "exit": "lost"}]});
        let came = act(&place, &clerk, came).await.json();
        assert_eq!(
            (&came["stage"], &came["sheets"]["lost"]),
            (&json!("discrepancy"), &json!(1)),
            "{}",
            place.test.backend
        );
        refused(&act(&place, &auditor, json!({"act": "sample"})).await, 409, "bundle_discrepancy");
        refused(&act(&place, &clerk, json!({"act": "note", "note": "mưa"})).await, 403, "role_missing");
        let long = "a".repeat(1001);
        assert_eq!(
            act(&place, &supervisor, json!({"act": "note", "note": long})).await.json()["errors"][0]["code"],
            "text_too_long"
        );
        let told = act(&place, &supervisor, json!({"act": "note", "note": "một đại biểu giữ phiếu"})).await.json();
        assert_eq!((&told["stage"], &told["note"]), (&json!("balanced"), &json!("một đại biểu giữ phiếu")));
        // The missing one is found out: it was number 7, and the numbers add up without a note.
        refused(&act(&place, &clerk, json!({"act": "leave", "sheet": 7, "exit": "lost"})).await, 403, "role_missing");
        let known = act(&place, &supervisor, json!({"act": "leave", "sheet": 7, "exit": "lost"})).await.json();
        assert_eq!(
            (&known["stage"], &known["counted"], &known["note"]),
            (&json!("balanced"), &json!(38), &Value::Null)
        );
        refused(&act(&place, &supervisor, json!({"act": "note", "note": "?"})).await, 409, "bundle_nothing_to_note");
        refused(
            &act(&place, &supervisor, json!({"act": "leave", "sheet": 7, "exit": "lost"})).await,
            409,
            "sheet_gone",
        );
        refused(&act(&place, &supervisor, json!({"act": "find", "sheet": 8})).await, 409, "sheet_here");
        let found = act(&place, &supervisor, json!({"act": "find", "sheet": 3})).await.json();
        assert_eq!(
            (&found["stage"], &found["counted"], &found["ballots"]["here"]),
            (&json!("balanced"), &json!(39), &json!(39))
        );

        // A sample of one in ten; nothing is signed before everything is settled.
        refused(&act(&place, &clerk, json!({"act": "sample"})).await, 403, "role_missing");
        let drawn = act(&place, &auditor, json!({"act": "sample"})).await.json();
        assert_eq!(drawn["ballots"]["sampled"], 4);
        refused(&act(&place, &clerk, json!({"act": "sign"})).await, 403, "role_missing");
        refused(&act(&place, &supervisor, json!({"act": "sign"})).await, 409, "bundle_not_settled");
        let anon = place.ask(ROUTES, get(&format!("/api/v1{PATH}"))).await;
        refused(&anon, 401, "sign_in_required");
    }
}

#[actix_web::test]
async fn two_sign_and_then_nothing_moves() {
    for mut place in places() {
        // Three ballots, keyed by other means and cast; the sample is waived.
        let codes = place.issue("HĐ-CT", None, Some(3));
        place.keygen();
        place.ceremony.open(&crate::ceremony::fixture::BY, ROUND).unwrap();
        let (supervisor, auditor) = (place.session(Role::Supervisor).await, place.session(Role::Auditor).await);
        let path = "/keying/bundles/quang-nam-2023/H%C4%90-CT/1";
        let acts = format!("{path}/acts");
        for body in [json!({"act": "hand_over", "holder": "Tổ phiếu"}), json!({"act": "receive"})] {
            assert_eq!(call(&place, &supervisor, &acts, body).await.status, 200);
        }
        for code in &codes {
            place.cast(code);
        }
        refused(&call(&place, &supervisor, &acts, json!({"act": "sample"})).await, 409, "bundle_nothing_to_sample");
        let keyed = call(&place, &supervisor, &acts, json!({"act": "leave", "sheet": 1, "exit": "spoiled"})).await;
        refused(&keyed, 409, "sheet_keyed");
        refused(&call(&place, &supervisor, &acts, json!({"act": "sign"})).await, 409, "bundle_not_settled");
        let waived = call(&place, &supervisor, &acts, json!({"act": "waive", "why": "nhập ở nơi khác"})).await.json();
        assert_eq!(waived["stage"], "audited");
        let once = call(&place, &supervisor, &acts, json!({"act": "sign"})).await.json();
        assert_eq!((&once["stage"], &once["signatures"]), (&json!("audited"), &json!(1)));
        refused(&call(&place, &supervisor, &acts, json!({"act": "sign"})).await, 409, "bundle_same_person");
        let twice = call(&place, &auditor, &acts, json!({"act": "sign"})).await.json();
        assert_eq!((&twice["stage"], &twice["signatures"]), (&json!("locked"), &json!(2)), "{}", place.test.backend);
        assert_eq!(twice["numbers"][0]["custody"], "archived");
        for body in [json!({"act": "receive"}), json!({"act": "find", "sheet": 1}), json!({"act": "sign"})] {
            refused(&call(&place, &auditor, &acts, body).await, 409, "bundle_locked");
        }
        let page = place.ask(ROUTES, get("/nhap-phieu/bo/quang-nam-2023/H%C4%90-CT/1").cookie(auditor.clone())).await;
        assert!(page.text().contains("Hai người ký") && page.text().contains("supervisor, auditor"));

        // After the close the books are closed too.
        place.issue("LĐS-CT", None, None);
        place.ceremony.close(&crate::ceremony::fixture::BY, ROUND).unwrap();
        let late =
            call(&place, &supervisor, "/keying/bundles/quang-nam-2023/L%C4%90S-CT/1/acts", json!({"act": "deliver"}))
                .await;
        refused(&late, 409, "round_not_open");
    }
}

#[actix_web::test]
async fn clerks_see_their_own_post_office_and_no_other() {
    for place in places() {
        place.issue("LĐS-CT", None, None);
        let clerk = place.session(Role::Clerk).await;
        let (supervisor, adjudicator) = (place.session(Role::Supervisor).await, place.session(Role::Adjudicator).await);
        let at = place.clock.fixed().unwrap();
        let by = crate::access::Actor::Command;
        place
            .test
            .db
            .write_here(|conn| {
                crate::bundle::office::add(conn, at, &by, "TK", "Bưu điện Tam Kỳ")?;
                crate::bundle::office::add(conn, at, &by, "HA", "Bưu điện Hội An")?;
                assert!(crate::bundle::office::add(conn, at, &by, "hội an", "x").is_err());
                let name = crate::access::SignInName::parse("clerk").unwrap();
                crate::access::staff::set_office(conn, at, &by, &name, Some("TK")).unwrap();
                assert!(crate::access::staff::set_office(conn, at, &by, &name, Some("QQ")).is_err());
                Ok::<_, BundleError>(())
            })
            .unwrap();
        for (number, office) in [(1, "TK"), (2, "HA")] {
            let path = format!("/keying/bundles/quang-nam-2023/L%C4%90S-CT/{number}/acts");
            let over = json!({"act": "hand_over", "holder": "Bưu tá", "office": office});
            assert_eq!(call(&place, &supervisor, &path, over).await.json()["office"], office);
        }
        let list = async |who: &Cookie<'static>| {
            let path = "/api/v1/keying/bundles?round=quang-nam-2023";
            let all = place.ask(ROUTES, get(path).cookie(who.clone())).await.json();
            all.as_array().unwrap().iter().map(|b| b["number"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(list(&clerk).await, [1]);
        assert_eq!(list(&supervisor).await, [1, 2]);
        assert_eq!(list(&adjudicator).await, [1, 2], "who belongs to no office settles for all");
        let other = "/keying/bundles/quang-nam-2023/L%C4%90S-CT/2";
        let seen = place.ask(ROUTES, get(&format!("/api/v1{other}")).cookie(clerk.clone())).await;
        refused(&seen, 404, "bundle_unknown");
        refused(
            &call(&place, &clerk, &format!("{other}/acts"), json!({"act": "receive"})).await,
            404,
            "bundle_unknown",
        );
        let page = place.ask(ROUTES, get("/nhap-phieu/bo").cookie(clerk)).await;
        assert!(page.text().contains("LĐS-CT · Bó 01") && !page.text().contains("LĐS-CT · Bó 02"));
        assert!(page.text().contains("Bưu điện Tam Kỳ"));

        // A program is a clerk of no office, and only with its scope.
        let bearing = |token: &str| ("authorization", format!("Bearer {token}"));
        let path = "/api/v1/keying/bundles?round=quang-nam-2023";
        let keys = place.token("ballots:key").await;
        assert_eq!(place.ask(ROUTES, get(path).insert_header(bearing(&keys))).await.json(), json!([]));
        let reads = place.token("rates:read").await;
        refused(&place.ask(ROUTES, get(path).insert_header(bearing(&reads))).await, 403, "scope_missing");
    }
}

#[actix_web::test]
async fn the_pages_say_what_is_wrong_and_lose_nothing() {
    for place in places() {
        place.issue("LĐH-CH", None, None);
        let (supervisor, clerk) = (place.session(Role::Supervisor).await, place.session(Role::Clerk).await);
        let observer = place.session(Role::Observer).await;
        assert_eq!(place.ask(ROUTES, get("/nhap-phieu/bo").cookie(observer)).await.status, 403);
        let page = place.ask(ROUTES, get("/nhap-phieu/bo/quang-nam-2023/L%C4%90H-CH/9").cookie(clerk.clone())).await;
        assert!(page.status == 404 && page.text().contains("Không có bó phiếu này"));
        let over = post(&place, &supervisor, "ban-giao", &[("holder", "Nguyễn Văn Bưu")]).await;
        let location = "/khao-sat/nhap-phieu/bo/quang-nam-2023/L%C4%90H-CH/1?kq=xong";
        assert_eq!((over.status, over.header("location")), (303, location));
        let seen = place.ask(ROUTES, get(location.strip_prefix("/khao-sat").unwrap()).cookie(clerk.clone())).await;
        assert!(seen.text().contains("Đã ghi nhận") && seen.text().contains("Nguyễn Văn Bưu"));
        for (fields, words) in [
            (&[("counted", "")][..], "Số tờ đếm được: chưa được điền"),
            (&[("counted", "ba mươi")], "Số tờ đếm được: phải là số"),
            (&[("counted", "39"), ("lost", "bảy")], "Số thứ tự các tờ thiếu: phải là số"),
            (&[("counted", "39"), ("lost", "77")], "không có tờ số 77"),
            (&[("counted", "39"), ("lost", "7 7")], "Tờ số 7: "),
        ] {
            let page = post(&place, &clerk, "thu-ve", fields).await;
            assert!(page.status >= 400 && page.text().contains(words), "{words}: {}", page.status);
            assert!(page.text().contains("Thu về và kiểm đếm"), "nothing was counted");
        }
        let came = post(&place, &clerk, "thu-ve", &[("counted", "38"), ("lost", "7; 12")]).await;
        assert_eq!(came.status, 303);
        assert_eq!(post(&place, &clerk, "phat", &[]).await.status, 409);
        assert_eq!(post(&place, &clerk, "khac", &[]).await.status, 404);
        let trail = place.test.db.read_here(|conn| crate::access::audit::read(conn, None, 100)).unwrap();
        let subject = format!("{ROUND}/LĐH-CH/1");
        let mut acts: Vec<_> = trail.iter().filter(|e| e.subject == subject).map(|e| e.action.as_str()).collect();
        acts.sort_unstable();
        assert_eq!(acts, ["bundle.handed_over", "bundle.received"]);
    }
}
