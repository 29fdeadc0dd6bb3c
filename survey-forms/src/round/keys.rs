//! Every key and column that a round's files may have. The JSON Schemas are held to these lists.

pub(crate) const ROUND: &[&str] = &[
    "id",
    "title",
    "legal_basis",
    "sample",
    "declared_paper_total",
    "organiser",
    "dates",
    "target_kinds",
    "unit_kinds",
    "fields",
    "groups",
    "scoring",
    "disclosure",
];
pub(crate) const ORGANISER: &[&str] = &["name", "contact_name", "email", "phone", "website", "logo"];
pub(crate) const DATES: &[&str] = &["opens", "closes", "keying_closes", "publishes", "grace_minutes"];
pub(crate) const NAMED: &[&str] = &["code", "name"];
pub(crate) const GROUP: &[&str] = &["code", "name", "channel", "issue", "sources", "rates", "quota", "weight"];
pub(crate) const RATES: &[&str] = &["kinds", "one_per_ballot"];
#[cfg(test)]
pub(crate) const RATES_WORDS: &[&str] = &["own_unit", "parent", "mapped"];
pub(crate) const QUOTA: &[&str] = &["fixed", "per_target", "per_source_unit", "of"];
#[cfg(test)]
pub(crate) const QUOTA_WORDS: &[&str] = &["roster"];
pub(crate) const SCORING: &[&str] = &["void_below", "excluded_is_valid", "decimals"];
pub(crate) const DISCLOSURE: &[&str] = &["k", "distribution_n"];

pub(crate) const QUESTIONNAIRE: &[&str] = &["respondent_code", "title", "intro", "sections"];
pub(crate) const SECTION: &[&str] = &["code", "title", "items"];
pub(crate) const ITEM: &[&str] = &["code", "question", "scale"];

/// Columns of a table: those it must have, then those it may have.
pub(crate) struct Columns {
    pub(crate) file: &'static str,
    pub(crate) required: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
    pub(crate) rows_max: usize,
}

pub(crate) const TARGETS: Columns =
    Columns { file: "targets.tsv", required: &["target_code", "target_kind", "name"], optional: &[], rows_max: 1_000 };
pub(crate) const UNITS: Columns = Columns {
    file: "units.tsv",
    required: &["unit_code", "parent_code", "unit_kind", "name", "target_code"],
    optional: &["division", "valid_from", "valid_to"],
    rows_max: 20_000,
};
pub(crate) const MAPPING: Columns =
    Columns { file: "mapping.tsv", required: &["division", "target_code"], optional: &[], rows_max: 5_000 };
pub(crate) const SCALES: Columns =
    Columns { file: "scales.tsv", required: &["scale", "option", "label", "percent"], optional: &[], rows_max: 1_000 };
pub(crate) const CRITERIA: Columns = Columns {
    file: "criteria.tsv",
    required: &["item_code", "field", "name", "index_ref", "max_points"],
    optional: &[],
    rows_max: 1_000,
};
