//! A round in the field: loaded, with a box key, a roster and codes, all of it made with the program's commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::actors::Actor;
use crate::stage::{ROUND, Service, Stage, open_round_folder};

/// Who is invited: small and large units, one body and several on a ballot, one district seen by two groups.
const ROSTER: &str = "respondent_code,unit_code,people
CC-CT,SNV,25
CC-CT,STC,5
CC-ND,CT,12
CC-CH,H502,11
LĐ-CP,H502-PKT,3
LĐ-CP,H504-PDT,2
LĐX-CH,X20335,6
";

/// On paper; the plan's own numbers: 30 + 40 + 36.
const PAPER: [&str; 3] = ["HĐ-CT", "LĐH-CH", "LĐS-CT"];

/// A code and what it is for, as the CSV says.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) group: String,
    pub(crate) unit: String,
    pub(crate) targets: Vec<String>,
    pub(crate) code: String,
    /// Bundle and number of a paper ballot.
    pub(crate) sheet: Option<(u32, u32)>,
}

/// A round and the codes that nobody has used yet.
pub(crate) struct Field {
    pub(crate) folder: PathBuf,
    pub(crate) key: PathBuf,
    codes: BTreeMap<String, Vec<Code>>,
}

impl Field {
    /// Everything up to the opening of the round.
    pub(crate) fn prepared(stage: &Stage) -> Self {
        let folder = open_round_folder(&stage.path("round"));
        Self::of(stage, folder)
    }

    /// [`Field::prepared`] with a folder of one's own.
    pub(crate) fn of(stage: &Stage, folder: PathBuf) -> Self {
        let (roster, key) = (stage.path("roster.csv"), stage.path("box.key"));
        std::fs::write(&roster, ROSTER).unwrap();
        stage.phieu(&["migrate"]);
        stage.phieu(&["round", "check", text(&folder)]);
        stage.phieu(&["round", "load", text(&folder)]);
        stage.phieu(&["box", "keygen", ROUND, "--out", text(&key)]);
        stage.phieu(&["roster", "import", ROUND, text(&roster)]);
        let mut codes = BTreeMap::new();
        for (number, row) in ROSTER.lines().skip(1).chain(PAPER).enumerate() {
            let mut cells = row.split(',');
            let (group, unit) = (cells.next().unwrap(), cells.next());
            let file = stage.path(&format!("codes-{number}.csv"));
            let mut words = vec!["codes", "issue", ROUND, "--group", group, "--out", text(&file)];
            words.extend(unit.into_iter().flat_map(|unit| ["--unit", unit]));
            stage.phieu(&words);
            for (group, more) in read_codes(&file) {
                codes.entry(group).or_insert_with(Vec::new).extend(more);
            }
        }
        Self { folder, key, codes }
    }

    /// Everything, and the round open.
    pub(crate) fn open(stage: &Stage) -> Self {
        let field = Self::prepared(stage);
        stage.phieu(&["round", "open", ROUND]);
        field
    }

    /// A code of a group, used by nobody else.
    pub(crate) fn take(&mut self, group: &str) -> Code {
        self.codes.get_mut(group).and_then(Vec::pop).unwrap_or_else(|| panic!("no code of {group} is left"))
    }
}

/// These paper ballots came back, and nothing else of their bundles: the rest is lost.
pub(crate) fn received<'c>(stage: &Stage, round: &str, codes: impl IntoIterator<Item = &'c Code>) {
    let mut bundles: BTreeMap<(String, u32), Vec<String>> = BTreeMap::new();
    for code in codes {
        let (bundle, sheet) = code.sheet.unwrap();
        bundles.entry((code.group.clone(), bundle)).or_default().push(sheet.to_string());
    }
    for ((group, number), sheets) in bundles {
        let (number, only) = (number.to_string(), sheets.join(","));
        let which = ["--group", group.as_str(), "--number", number.as_str()];
        stage.phieu(&[&["bundle", "hand-over", round, "--to", "Bưu điện Tam Kỳ"], &which[..]].concat());
        stage.phieu(&[&["bundle", "receive", round, "--only", only.as_str()], &which[..]].concat());
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Reads the CSV of `phieu codes issue`: its byte order mark, its columns by name.
pub(crate) fn read_codes(path: &Path) -> BTreeMap<String, Vec<Code>> {
    let csv = std::fs::read_to_string(path).unwrap();
    let csv = csv.strip_prefix('\u{feff}').unwrap_or_else(|| panic!("spreadsheets need the mark"));
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let mut codes: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    for row in table.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let cell = |name: &str| row.get(name).unwrap_or_else(|| panic!("no column {name}")).clone();
        let targets = cell("targets").split_whitespace().map(str::to_owned).collect();
        let sheet = cell("bundle").parse().ok().zip(cell("sheet").parse().ok());
        let code = Code { group: cell("respondent_code"), unit: cell("unit_code"), targets, code: cell("code"), sheet };
        assert!(cell("address").ends_with(&format!("#{}", code.code)));
        codes.entry(code.group.clone()).or_default().push(code);
    }
    codes
}

/// A small generator with a seed: the same people in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// One person's answers to what `POST /ballots/form` asks; about one item in eight is left out, never all.
pub(crate) fn answers(form: &Value, dice: &mut Dice) -> Value {
    let mut by_target = Map::new();
    for target in form["targets"].as_array().unwrap() {
        let mut items = Map::new();
        for item in
            form["questionnaire"]["sections"].as_array().unwrap().iter().flat_map(|s| s["items"].as_array().unwrap())
        {
            let options = item["options"].as_array().unwrap();
            if dice.below(8) > 0 || items.is_empty() {
                let option = &options[dice.below(options.len())]["option"];
                items.insert(item["item_code"].as_str().unwrap().to_owned(), option.clone());
            }
        }
        by_target.insert(target["target"].as_str().unwrap().to_owned(), Value::Object(items));
    }
    Value::Object(by_target)
}

/// Asks for the form of a code, fills it in and casts it; gives back the answers and the receipt.
pub(crate) fn answer_and_cast(anon: &Actor, code: &Code, dice: &mut Dice) -> (Value, String) {
    let asked = anon.form(&code.code);
    assert_eq!(asked.status, 200, "{}", asked.text());
    let asked = asked.json();
    assert_eq!(asked["form"]["respondent_code"], code.group);
    let targets: Vec<&str> =
        asked["form"]["targets"].as_array().unwrap().iter().map(|t| t["target"].as_str().unwrap()).collect();
    assert_eq!(targets, code.targets);
    let answers = answers(&asked["form"], dice);
    let receipt = anon.cast(&code.code, &answers).receipt(201);
    (answers, receipt)
}

/// Asks again and again until it is so: the service reads rounds anew once a second.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(10), what, ask)
}

/// [`eventually`] with a patience of one's own.
#[track_caller]
pub(crate) fn eventually_within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < patience, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A service on an open round.
pub(crate) fn open_service(stage: &Stage) -> (Field, Service) {
    let field = Field::open(stage);
    let service = stage.serve();
    (field, service)
}
