//! The documentation is true: its example loads, and the schemas name every key that is read.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const README: &str = include_str!("../../../README.md");
const ROUND_SCHEMA: &str = include_str!("../../../schema/round.schema.json");
const FORM_SCHEMA: &str = include_str!("../../../schema/questionnaire.schema.json");

/// The fenced blocks of the page whose fence names a file.
fn example() -> RoundFiles {
    let mut files = RoundFiles::new();
    for block in README.split("\n```").skip(1).step_by(2) {
        let (fence, text) = block.split_once('\n').unwrap();
        let (_, path) = fence.split_once(' ').unwrap();
        files.insert(path.to_owned(), format!("{text}\n").into_bytes());
    }
    files
}

#[test]
fn the_example_of_the_readme_loads() {
    let files = example();
    assert_eq!(files.len(), 6);
    let checked = Round::check(&files);
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    let round = checked.round.unwrap();
    assert_eq!((round.groups.len(), round.targets.len()), (1, 2));
    assert_eq!(round.assignments().len(), 2);
    assert_eq!(ratio::to_exact(&round.criteria[0].max_points), "2.5");
}

fn assert_keys(schema: &Value, place: &str, known: &[&str]) {
    let object = schema.pointer(place).unwrap();
    let named: BTreeSet<&str> = object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, known.iter().copied().collect(), "{place}");
    assert_eq!(object["additionalProperties"], false, "{place}");
    for key in object["required"].as_array().into_iter().flatten() {
        assert!(named.contains(key.as_str().unwrap()), "{place}: {key}");
    }
}

fn assert_words(schema: &Value, place: &str, known: &[&str]) {
    let words = schema.pointer(place).and_then(Value::as_array).unwrap();
    let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words, known, "{place}");
}

#[test]
fn the_schemas_name_every_key_that_is_read_and_no_other() {
    let round: Value = serde_json::from_str(ROUND_SCHEMA).unwrap();
    assert_keys(&round, "", keys::ROUND);
    assert_keys(&round, "/properties/organiser", keys::ORGANISER);
    assert_keys(&round, "/properties/dates", keys::DATES);
    assert_keys(&round, "/properties/scoring", keys::SCORING);
    assert_keys(&round, "/properties/disclosure", keys::DISCLOSURE);
    assert_keys(&round, "/properties/texts", keys::TEXTS);
    assert_keys(&round, "/properties/letters", keys::LETTERS);
    assert_keys(&round, "/$defs/named", keys::NAMED);
    assert_keys(&round, "/$defs/group", keys::GROUP);
    assert_keys(&round, "/$defs/rates", keys::RATES);
    assert_keys(&round, "/$defs/quota", keys::QUOTA);
    let rates = "/$defs/group/properties/rates/oneOf/0/enum";
    assert_words(&round, rates, keys::RATES_WORDS);
    assert_words(&round, "/$defs/group/properties/quota/oneOf/0/enum", keys::QUOTA_WORDS);
    let channels = [Channel::Online, Channel::Paper].map(Channel::as_str);
    assert_words(&round, "/$defs/group/properties/channel/enum", &channels);

    let form: Value = serde_json::from_str(FORM_SCHEMA).unwrap();
    assert_keys(&form, "", keys::QUESTIONNAIRE);
    assert_keys(&form, "/$defs/section", keys::SECTION);
    assert_keys(&form, "/$defs/item", &keys::item_keys());
    assert_keys(&form, "/$defs/condition", keys::CONDITION);
    let kinds: Vec<&str> = keys::ITEM_KINDS.iter().map(|(kind, _)| *kind).collect();
    assert_words(&form, "/$defs/item/properties/kind/enum", &kinds);
}

/// Editors that read the schemas say about our own rounds what the check says: nothing.
#[test]
fn our_own_rounds_fit_the_schemas() {
    let validator = |schema: &str| jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let (round, form) = (validator(ROUND_SCHEMA), validator(FORM_SCHEMA));
    for files in [quang_nam_2023(), crate::every_kind(), example()] {
        for (path, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            let value: Value = match path.rsplit_once('.') {
                Some((_, "toml")) => {
                    // A date is a string to a schema.
                    let table: toml::Table = text.parse().unwrap();
                    serde_json::from_str(&serde_json::to_string(&plain(toml::Value::Table(table))).unwrap()).unwrap()
                }
                Some((_, "json")) => serde_json::from_str(&text).unwrap(),
                _ => continue,
            };
            let schema = if path == "round.toml" { &round } else { &form };
            let faults: Vec<String> =
                schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(faults.is_empty(), "{path}: {faults:#?}");
        }
    }
    let odd = serde_json::json!({"respondent_code": "CC", "title": "T", "intro": "I", "sections": [{"code": "1", "title": "S",
        "items": [{"code": "Q", "question": "?", "kind": "stars"}]}]});
    assert!(!form.is_valid(&odd));
}

fn plain(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Datetime(moment) => toml::Value::String(moment.to_string()),
        toml::Value::Array(items) => toml::Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => toml::Value::Table(table.into_iter().map(|(k, v)| (k, plain(v))).collect()),
        other => other,
    }
}

/// What the schema calls required, the parser misses; what it does not, the parser can do without.
#[test]
fn required_keys_of_the_schema_are_required() {
    let schema: Value = serde_json::from_str(ROUND_SCHEMA).unwrap();
    let required: Vec<&str> = schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    let text = String::from_utf8(example()["round.toml"].clone()).unwrap();
    let whole: toml::Table = text.parse().unwrap();
    for key in keys::ROUND {
        let mut table = whole.clone();
        table.remove(*key);
        let mut files = example();
        files.insert("round.toml".to_owned(), table.to_string().into_bytes());
        let missed = Round::check(&files).faults.iter().any(|fault| fault.code == "key_missing" && fault.place == *key);
        assert_eq!(missed, required.contains(key), "{key}");
    }
}

#[test]
fn the_readme_names_every_column() {
    for table in keys::TABLES {
        let row = README.lines().find(|line| line.starts_with(&format!("| `{}.tsv`", table.name)));
        for column in table.required.iter().chain(table.optional) {
            assert!(row.unwrap().contains(&format!("`{column}`")), "{}: {column}", table.name);
        }
    }
}
