//! Reading `round.toml`.

use chrono::{DateTime, FixedOffset};

use super::files::ROUND;
use super::toml_reader::{self, Reader};
use super::words::{self, NAME_MAX, TEXT_MAX};
use super::{
    Dates, DisclosureRules, Field, Group, Language, Letters, Organiser, RoundFiles, ScoringRules, TargetKind, Texts,
    UnitKind, files, groups, keys, languages, letters, logo,
};
use crate::fault::Faults;
use crate::ratio;

/// What `round.toml` holds. Values that could not be read have harmless stand-ins; their faults keep
/// the round from loading.
pub(super) struct Settings {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) organiser: Organiser,
    pub(super) legal_basis: String,
    pub(super) sample: bool,
    pub(super) dates: Dates,
    pub(super) target_kinds: Vec<TargetKind>,
    pub(super) unit_kinds: Vec<UnitKind>,
    pub(super) fields: Vec<Field>,
    pub(super) groups: Vec<Group>,
    pub(super) scoring: ScoringRules,
    pub(super) disclosure: DisclosureRules,
    pub(super) declared_paper_total: Option<u32>,
    pub(super) languages: Vec<Language>,
    pub(super) texts: Texts,
    pub(super) letters: Option<Letters>,
}

pub(super) fn read(files: &RoundFiles, faults: &mut Faults) -> Option<Settings> {
    let text = files::text(files, ROUND, faults)?;
    let table = toml_reader::parse(ROUND, &text, faults)?;
    let root = Reader::open(ROUND, String::new(), &table, keys::ROUND, faults);
    let id = root.text("id", NAME_MAX, faults);
    if !id.is_empty() && !words::is_slug(&id) {
        let message = "Write an id of at most 64 letters a to z, digits and single '-', such as \"tinh-2023\".";
        root.wrong("id", "id_slug", message, faults);
    }
    Some(Settings {
        title: root.text("title", NAME_MAX, faults),
        legal_basis: root.text("legal_basis", NAME_MAX, faults),
        sample: root.value("sample").is_some() && root.truth("sample", faults),
        declared_paper_total: root
            .value("declared_paper_total")
            .and_then(|_| root.count("declared_paper_total", 0, 10_000_000, faults)),
        organiser: organiser(files, &root, faults),
        dates: dates(&root, faults),
        target_kinds: named(&root, "target_kinds", faults)
            .into_iter()
            .map(|(code, name)| TargetKind { code, name })
            .collect(),
        unit_kinds: named(&root, "unit_kinds", faults)
            .into_iter()
            .map(|(code, name)| UnitKind { code, name })
            .collect(),
        fields: named(&root, "fields", faults).into_iter().map(|(code, name)| Field { code, name }).collect(),
        groups: groups::read(&root, faults),
        scoring: scoring(&root, faults),
        disclosure: disclosure(&root, faults),
        languages: languages::read(&root, faults),
        texts: texts(&root, faults),
        letters: letters::read(&root, faults),
        id,
    })
}

fn organiser(files: &RoundFiles, root: &Reader, faults: &mut Faults) -> Organiser {
    let table = root.table("organiser", keys::ORGANISER, faults);
    let optional =
        |key: &str, faults: &mut Faults| table.as_ref().and_then(|table| table.optional_text(key, NAME_MAX, faults));
    Organiser {
        name: table.as_ref().map(|table| table.text("name", NAME_MAX, faults)).unwrap_or_default(),
        contact_name: optional("contact_name", faults),
        email: optional("email", faults),
        phone: optional("phone", faults),
        website: optional("website", faults),
        logo: table.as_ref().and_then(|table| logo::read(files, table, faults)),
    }
}

/// Most minutes of grace: a day.
const GRACE_MAX: u32 = 1_440;

fn dates(root: &Reader, faults: &mut Faults) -> Dates {
    let epoch = DateTime::<FixedOffset>::from(DateTime::UNIX_EPOCH);
    let mut all = Dates { opens: epoch, closes: epoch, keying_closes: epoch, publishes: epoch, grace_minutes: 0 };
    let Some(table) = root.table("dates", keys::DATES, faults) else {
        return all;
    };
    let grace = table.value("grace_minutes").and_then(|_| table.count("grace_minutes", 0, GRACE_MAX, faults));
    let opens = table.moment("opens", faults);
    let closes = table.moment("closes", faults);
    let keying_closes = table.moment("keying_closes", faults);
    let publishes = table.moment("publishes", faults);
    let (Some(opens), Some(closes), Some(keying_closes), Some(publishes)) = (opens, closes, keying_closes, publishes)
    else {
        return all;
    };
    if closes <= opens {
        table.wrong("closes", "dates_order", "Let the round close after it opens.", faults);
    }
    if keying_closes < closes {
        let message = "Let keying close when the round closes, or later.";
        table.wrong("keying_closes", "dates_order", message, faults);
    }
    if publishes < keying_closes {
        let message = "Publish when keying has closed, or later.";
        table.wrong("publishes", "dates_order", message, faults);
    }
    all = Dates { opens, closes, keying_closes, publishes, grace_minutes: grace.unwrap_or_default() };
    all
}

/// A list of `code` and `name`.
fn named(root: &Reader, key: &str, faults: &mut Faults) -> Vec<(String, String)> {
    let tables = root.tables(key, keys::NAMED, faults);
    let mut all: Vec<(String, String)> = Vec::new();
    for table in tables {
        let entry = (table.code("code", faults), table.text("name", NAME_MAX, faults));
        if !entry.0.is_empty() && all.iter().any(|(code, _)| *code == entry.0) {
            table.wrong("code", "code_double", "Give each entry a code of its own.", faults);
        }
        all.push(entry);
    }
    all
}

fn scoring(root: &Reader, faults: &mut Faults) -> ScoringRules {
    let mut rules =
        ScoringRules { void_below: ratio::whole(0), excluded_is_valid: true, decimals: 2, response_adjusted: false };
    let Some(table) = root.table("scoring", keys::SCORING, faults) else {
        return rules;
    };
    if let Some(share) = table.ratio("void_below", faults) {
        if share < ratio::whole(0) || share > ratio::whole(1) {
            let message = "Write a share from \"0\" (never void) to \"1\".";
            table.wrong("void_below", "number_range", message, faults);
        }
        rules.void_below = share;
    }
    rules.excluded_is_valid = table.truth("excluded_is_valid", faults);
    rules.decimals = table.count("decimals", 0, 6, faults).unwrap_or(2);
    rules.response_adjusted = table.value("response_adjusted").is_some() && table.truth("response_adjusted", faults);
    rules
}

fn disclosure(root: &Reader, faults: &mut Faults) -> DisclosureRules {
    let mut rules = DisclosureRules { k: 10, distribution_n: 20 };
    let Some(table) = root.table("disclosure", keys::DISCLOSURE, faults) else {
        return rules;
    };
    rules.k = table.count("k", 1, 1_000_000, faults).unwrap_or(rules.k);
    let found = table.count("distribution_n", 1, 1_000_000, faults);
    rules.distribution_n = found.unwrap_or(rules.distribution_n.max(rules.k));
    if rules.distribution_n < rules.k {
        let message = "A distribution says more than a mean: write a number not below k.";
        table.wrong("distribution_n", "number_range", message, faults);
    }
    if rules.k < 5 {
        let message = "With so small a k single answers can be worked out; 10 is the proposal.";
        faults.warn(ROUND, table.place("k"), "k_small", message);
    }
    rules
}

/// What a letter may have filled in.
const FILLED_IN: &[&str] = &["code", "link", "round", "organiser", "closes", "unit", "name"];

fn texts(root: &Reader, faults: &mut Faults) -> Texts {
    if !root.has("texts") {
        return Texts::default();
    }
    let Some(table) = root.table("texts", keys::TEXTS, faults) else {
        return Texts::default();
    };
    let mut text = |key: &str, max: usize| table.optional_text(key, max, faults);
    let texts = Texts {
        privacy_notice: text("privacy_notice", TEXT_MAX),
        before_opening: text("before_opening", TEXT_MAX),
        after_closing: text("after_closing", TEXT_MAX),
        invitation_subject: text("invitation_subject", NAME_MAX),
        invitation_body: text("invitation_body", TEXT_MAX),
        reminder_subject: text("reminder_subject", NAME_MAX),
        reminder_body: text("reminder_body", TEXT_MAX),
    };
    let letters = [
        ("invitation_subject", &texts.invitation_subject),
        ("invitation_body", &texts.invitation_body),
        ("reminder_subject", &texts.reminder_subject),
        ("reminder_body", &texts.reminder_body),
    ];
    for (key, letter) in letters {
        let Some(letter) = letter else { continue };
        let strange: Vec<&str> = filled_in(letter).filter(|name| !FILLED_IN.contains(name)).collect();
        if !strange.is_empty() {
            let known = FILLED_IN.join("}, {");
            let message = format!("Nothing is filled in for {{{}}}; known here: {{{known}}}.", strange.join("}, {"));
            table.wrong(key, "placeholder_unknown", &message, faults);
        }
        let tells = letter.contains("{code}") || letter.contains("{link}");
        if key == "invitation_body" && !tells {
            let message = "Nobody could answer: the letter must hold {link} or {code}.";
            table.wrong(key, "placeholder_missing", message, faults);
        }
        if key.ends_with("_subject") && tells {
            let message = "A subject is shown on locked screens and kept in logs: take the code and the link out.";
            table.wrong(key, "placeholder_unfit", message, faults);
        }
    }
    texts
}

/// The names between braces.
fn filled_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
