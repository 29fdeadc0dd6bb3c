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
    "languages",
    "texts",
    "letters",
];
pub(crate) const LETTERS: &[&str] = &["days", "from", "until", "remind_after_days"];
pub(crate) const ORGANISER: &[&str] = &["name", "contact_name", "email", "phone", "website", "logo"];
pub(crate) const DATES: &[&str] = &["opens", "closes", "keying_closes", "publishes", "grace_minutes"];
pub(crate) const NAMED: &[&str] = &["code", "name"];
pub(crate) const GROUP: &[&str] =
    &["code", "name", "channel", "issue", "sources", "rates", "quota", "weight", "bundle_size"];
pub(crate) const RATES: &[&str] = &["kinds", "one_per_ballot", "targets"];
#[cfg(test)]
pub(crate) const RATES_WORDS: &[&str] = &["own_unit", "parent", "mapped"];
pub(crate) const QUOTA: &[&str] = &["fixed", "per_target", "per_source_unit", "of"];
#[cfg(test)]
pub(crate) const QUOTA_WORDS: &[&str] = &["roster"];
pub(crate) const SCORING: &[&str] = &["void_below", "excluded_is_valid", "decimals", "response_adjusted"];
pub(crate) const DISCLOSURE: &[&str] = &["k", "distribution_n"];

pub(crate) const TEXTS: &[&str] = &[
    "privacy_notice",
    "before_opening",
    "after_closing",
    "invitation_subject",
    "invitation_body",
    "reminder_subject",
    "reminder_body",
];

pub(crate) const QUESTIONNAIRE: &[&str] = &["respondent_code", "title", "intro", "closing", "sections"];
pub(crate) const SECTION: &[&str] = &["code", "title", "intro", "only_if", "items"];
/// What every item may have; beside these each kind has its own.
pub(crate) const ITEM: &[&str] = &["code", "question", "kind", "lead", "help", "required", "only_if"];
pub(crate) const ITEM_KINDS: &[(&str, &[&str])] = &[
    ("scale", &["scale"]),
    ("single", &["choices"]),
    ("multiple", &["choices", "at_most"]),
    ("number", &["min", "max", "decimals"]),
    ("text", &["letters"]),
];
/// Every key that an item of some kind may have.
pub(crate) fn item_keys() -> Vec<&'static str> {
    ITEM.iter().copied().chain(item_kind_keys()).collect()
}

/// The keys that go with one kind of item only.
pub(crate) fn item_kind_keys() -> Vec<&'static str> {
    ITEM_KINDS.iter().flat_map(|(_, own)| own.iter().copied()).fold(Vec::new(), |mut all, key| {
        if !all.contains(&key) {
            all.push(key);
        }
        all
    })
}

pub(crate) const CONDITION: &[&str] = &["item", "is", "is_not", "at_least", "at_most", "answered"];

/// Columns of a table (`NAME.tsv` or `NAME.csv`): those it must have, then those it may have.
pub(crate) struct Columns {
    pub(crate) name: &'static str,
    pub(crate) required: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
    pub(crate) rows_max: usize,
}

pub(crate) const TARGETS: Columns = Columns {
    name: "targets",
    required: &["target_code", "target_kind", "name"],
    optional: &["valid_from", "valid_to"],
    rows_max: 1_000,
};
pub(crate) const UNITS: Columns = Columns {
    name: "units",
    required: &["unit_code", "parent_code", "unit_kind", "name", "target_code"],
    optional: &["division", "valid_from", "valid_to"],
    rows_max: 20_000,
};
pub(crate) const MAPPING: Columns =
    Columns { name: "mapping", required: &["division", "target_code"], optional: &[], rows_max: 5_000 };
pub(crate) const SCALES: Columns = Columns {
    name: "scales",
    required: &["scale", "option", "label", "percent"],
    optional: &["other_percent"],
    rows_max: 1_000,
};
pub(crate) const CHOICES: Columns =
    Columns { name: "choices", required: &["list", "option", "label"], optional: &[], rows_max: 5_000 };
pub(crate) const CRITERIA: Columns = Columns {
    name: "criteria",
    required: &["item_code", "field", "name", "index_ref", "max_points"],
    optional: &[],
    rows_max: 1_000,
};
/// Its other columns are the languages of `round.toml`.
pub(crate) const TRANSLATIONS: Columns =
    Columns { name: "translations", required: &["vi"], optional: &[], rows_max: 10_000 };

/// Beside a folder: what became of units when a round is used again.
pub(crate) const MERGES: Columns =
    Columns { name: "merge", required: &["code", "into"], optional: &["name"], rows_max: 5_000 };

/// Every table of a folder.
pub(crate) const TABLES: [&Columns; 7] = [&TARGETS, &UNITS, &MAPPING, &SCALES, &CHOICES, &CRITERIA, &TRANSLATIONS];
