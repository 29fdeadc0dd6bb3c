use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, web};
use serde_json::Value;
use utoipa_actix_web::AppExt as _;

use super::*;
use crate::testing::databases;

/// Answers of one path: status, body, tag.
async fn get(db: &Db, path: &str, known: Option<&str>) -> (StatusCode, Value, String) {
    let (app, _) = App::new()
        .app_data(web::Data::new(db.clone()))
        .app_data(web::Data::new(Rounds::new()))
        .into_utoipa_app()
        .configure(rest)
        .split_for_parts();
    let app = init_service(app).await;
    let mut req = TestRequest::get().uri(path);
    if let Some(tag) = known {
        req = req.insert_header((IF_NONE_MATCH, tag));
    }
    let res = call_service(&app, req.to_request()).await;
    let status = res.status();
    let tag = res.headers().get(ETAG).map(|t| t.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = if status == StatusCode::NOT_MODIFIED { Value::Null } else { read_body_json(res).await };
    (status, body, tag)
}

#[actix_web::test]
async fn a_round_is_shown_as_it_was_declared() {
    for test in databases() {
        let db = &test.db;
        let round = db.write_here(|conn| crate::round::load(conn, &survey_forms::quang_nam_2023())).unwrap();
        let (_, all, _) = get(db, "/rounds", None).await;
        assert_eq!(all["rounds"][0]["id"], "quang-nam-2023");
        assert_eq!(all["rounds"][0]["opens_at"], "2023-09-15T07:00:00+07:00");

        let (_, one, tag) = get(db, "/rounds/quang-nam-2023", None).await;
        assert_eq!(one["rules_hash"], round.hash.as_str());
        assert_eq!(one["state"], "loaded");
        assert_eq!(one["box_public_key"], Value::Null);
        assert_eq!(one["groups"].as_array().unwrap().len(), 8);
        assert_eq!(one["criteria"].as_array().unwrap().len(), round.criteria.len());

        let (status, _, _) = get(db, "/rounds/quang-nam-2023", Some(&format!("\"x\", {tag}"))).await;
        assert_eq!(status, StatusCode::NOT_MODIFIED);
        db.write_here(|conn| crate::round::set_box_key(conn, "quang-nam-2023", &[5; 32])).unwrap();
        let (status, one, _) = get(db, "/rounds/quang-nam-2023", Some(&tag)).await;
        assert_eq!((status, one["box_public_key"].as_str().unwrap().len()), (StatusCode::OK, 64));

        let (_, rated, _) = get(db, "/rounds/quang-nam-2023/targets", None).await;
        assert_eq!(rated["targets"].as_array().unwrap().len(), 43);
        // Non-ASCII codes travel percent-encoded.
        let (_, form, _) = get(db, "/rounds/quang-nam-2023/questionnaires/H%C4%90-CT", None).await;
        assert_eq!(form["hash"], round.questionnaire("HĐ-CT").unwrap().hash.as_str());
        let items = form["sections"].as_array().unwrap().iter().map(|s| s["items"].as_array().unwrap().len());
        assert_eq!(items.sum::<usize>(), round.questionnaire("HĐ-CT").unwrap().items().count());
        assert_eq!(form["scales"][0]["options"].as_array().unwrap().last().unwrap()["percent"], Value::Null);

        for (path, code) in [
            ("/rounds/q", "round_unknown"),
            ("/rounds/q/targets", "round_unknown"),
            ("/rounds/quang-nam-2023/questionnaires/XX", "questionnaire_unknown"),
        ] {
            let (status, body, _) = get(db, path, None).await;
            assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some(code)));
        }
    }
}
