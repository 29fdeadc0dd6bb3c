//! The JSON Schema (draft 2020-12) of the score document: the description in the OpenAPI document, which is of the same
//! dialect, standing by itself.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::wire::Scores;
use crate::http::Problem;
use crate::round::rest::json as answer;

const IN_OPENAPI: &str = "#/components/schemas/";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut parts = Vec::new();
    Scores::schemas(&mut parts);
    let mut whole = serde_json::to_value(Scores::schema()).unwrap_or_default();
    let parts = parts.into_iter().map(|(name, part)| (name, serde_json::to_value(part).unwrap_or_default()));
    let parts: serde_json::Map<String, Value> = parts.collect();
    if let Some(object) = whole.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("phieu: the scores of a round"));
        object.insert("$defs".to_owned(), Value::Object(parts));
    }
    stand_alone(&mut whole);
    whole
});

/// References point into the schema itself, and OpenAPI's `example` becomes JSON Schema's `examples`.
fn stand_alone(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(place)) = object.get_mut("$ref")
                && let Some(name) = place.strip_prefix(IN_OPENAPI)
            {
                *place = format!("#/$defs/{name}");
            }
            // A property may be called `example`: that is an object.
            if object.get("example").is_some_and(|example| !example.is_object())
                && let Some(example) = object.remove("example")
            {
                object.insert("examples".to_owned(), json!([example]));
            }
            object.values_mut().for_each(stand_alone);
        }
        Value::Array(all) => all.iter_mut().for_each(stand_alone),
        _ => {}
    }
}

/// The JSON Schema of the score document.
#[utoipa::path(
    tag = "scores",
    operation_id = "get_scores_schema",
    responses(
        (status = 200, description = "JSON Schema, draft 2020-12; carries an `ETag`", body = Value,
            example = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object" })),
        (status = 304, description = "As the `If-None-Match` says"),
    ),
)]
#[get("/schemas/scores.json")]
pub(super) async fn document(req: HttpRequest) -> Result<HttpResponse, Problem> {
    answer(&req, &*SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held to documents as they are released: with everything in them, and with each part that may be null.
    #[test]
    fn released_documents_fit_the_schema_and_others_do_not() {
        let validator = jsonschema::validator_for(&SCHEMA).unwrap();
        for mut place in crate::ceremony::fixture::places() {
            place.until_published();
            let publications = super::super::Publications::new();
            let read = |conn: &mut crate::db::Conn| publications.latest(conn, &place.rounds, "quang-nam-2023");
            let canonical = place.test.db.read_here(read).unwrap().canonical.clone();
            let value: Value = serde_json::from_slice(&canonical).unwrap();
            let faults: Vec<String> =
                validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
            assert_eq!(faults, Vec::<String>::new());
            for (pointer, wrong) in
                [("/release", json!("1")), ("/targets/0/items", json!(null)), ("/targets/0/items/0/n", json!(-1))]
            {
                let mut broken = value.clone();
                *broken.pointer_mut(pointer).unwrap() = wrong;
                assert!(!validator.is_valid(&broken), "{pointer}");
            }
            let mut more = value.clone();
            more["voter"] = json!("x");
            assert!(!validator.is_valid(&more), "nothing else is in it");
        }
    }
}
