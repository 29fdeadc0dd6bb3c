//! A ballot as the keying screen shows it, and what came back from its inputs. A block ends in a stop line: a target
//! of a ballot about many, otherwise a few sections of the questionnaire.

use std::collections::BTreeMap;

use survey_forms::Round;
use survey_forms::answers::{Answer, Answers, Form};
use survey_forms::questionnaire::{Holds, Item, ItemKind};
use survey_forms::ratio::to_exact;

use super::entry::{self, Dispute, Place, mark_key, mark_words, places, read_key, show};

/// Fewest items between two stop lines of a ballot about one target.
const BLOCK_ITEMS: usize = 5;

/// What was typed, by the name of the input.
pub(super) type Typed = BTreeMap<String, String>;

/// A whole keying screen.
pub(super) struct Sheet {
    pub(super) blocks: Vec<Block>,
    /// About many targets: `+n` jumps to a target, not to an item.
    pub(super) matrix: bool,
    /// Asks more than one option an item.
    pub(super) other_kinds: bool,
    pub(super) faults: Vec<Fault>,
    /// Faults beyond those listed.
    pub(super) more_faults: usize,
}

/// What lies between two stop lines.
pub(super) struct Block {
    pub(super) target: String,
    /// `cơ quan 3/43`, `phần 1/2`.
    pub(super) place: String,
    pub(super) rows: Vec<Row>,
}

/// One item.
pub(super) struct Row {
    /// Name and id of its input.
    pub(super) name: String,
    /// Its code.
    pub(super) item: String,
    pub(super) number: u32,
    pub(super) question: String,
    /// The heading that starts here.
    pub(super) section: Option<String>,
    /// The options, where they differ from the row before.
    pub(super) legend: Option<Vec<(usize, String)>>,
    /// Of its list: a scale's code, or `:` and the code of a list of choices.
    pub(super) scale: String,
    pub(super) input: Input,
    /// What kind of answer it takes and on which earlier ones it depends; empty for an item of a scale.
    pub(super) hint: String,
    /// The same conditions for the screen, where they are about options: `a1-1=1,2 a1-2!=3`.
    pub(super) only_if: String,
    pub(super) value: String,
    pub(super) words: String,
    pub(super) fault: Option<&'static str>,
    /// Where the work starts or goes on: the first fault, or the first item without a code.
    pub(super) focus: bool,
}

/// What an input takes, for its attributes.
pub(super) struct Input {
    /// As in the files.
    pub(super) kind: &'static str,
    /// Most characters.
    pub(super) longest: u32,
    /// Most choices of several.
    pub(super) at_most: Option<u32>,
    /// Bounds and decimals of a number.
    pub(super) number: Option<(String, String, u32)>,
}

impl Input {
    fn of(item: &Item) -> Self {
        let bound = |bound: &Option<survey_forms::Ratio>| bound.as_ref().map(to_exact).unwrap_or_default();
        let (longest, at_most, number) = match &item.kind {
            ItemKind::Scale { .. } | ItemKind::Single { .. } => (2, None, None),
            ItemKind::Multiple { at_most, .. } => (99, *at_most, None),
            ItemKind::Number { min, max, decimals } => (24, None, Some((bound(min), bound(max), *decimals))),
            ItemKind::Text { letters } => (*letters, None, None),
        };
        Self { kind: item.kind.as_str(), longest, at_most, number }
    }

    /// Whether one key is an answer.
    pub(super) fn is_one_key(&self) -> bool {
        matches!(self.kind, "scale" | "single")
    }
}

/// A place at fault, for the summary.
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) target: String,
    pub(super) number: u32,
    pub(super) words: &'static str,
}

const FAULTS_LISTED: usize = 12;

/// The name of an item's input: `a3-5` is item 5 about the third target.
pub(super) fn input_name(form: &Form<'_>, target: &str, item: &Item) -> String {
    let position = form.targets.iter().position(|t| t == target).map_or(0, |index| index + 1);
    format!("a{position}-{}", item.number)
}

pub(super) fn fault_words(code: &str) -> &'static str {
    match code {
        "item_missing" | "decision_missing" => "chưa có mã",
        "reason_missing" => "chưa chọn lý do",
        "key_repeated" => "một số được gõ hai lần",
        "too_many_choices" => "nhiều lựa chọn hơn mức cho phép; nếu phiếu đánh dấu như vậy, xin gõ *",
        "number_malformed" => "không phải là số",
        "number_decimals" => "nhiều chữ số thập phân hơn mức cho phép; nếu phiếu ghi như vậy, xin gõ /",
        "number_range" => "số ngoài khoảng cho phép; nếu phiếu ghi như vậy, xin gõ /",
        "text_too_long" => "dài hơn số ký tự cho phép; xin gõ phần đầu",
        "text_control" => "có ký tự không hiển thị được",
        _ => "mã không có trong thang hoặc danh sách",
    }
}

/// What a row says of its kind and of earlier answers. Nothing is skipped: on paper every item has its code.
fn hint(form: &Form<'_>, item: &Item) -> String {
    let mut said = Vec::new();
    match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => {}
        ItemKind::Multiple { at_most: None, .. } => said.push("chọn nhiều".to_owned()),
        ItemKind::Multiple { at_most: Some(most), .. } => said.push(format!("chọn nhiều, nhiều nhất {most}")),
        ItemKind::Number { min, max, decimals } => {
            let comma = |number: &survey_forms::Ratio| to_exact(number).replacen('.', ",", 1);
            let mut words = "số".to_owned();
            min.iter().for_each(|min| words.push_str(&format!(" từ {}", comma(min))));
            max.iter().for_each(|max| words.push_str(&format!(" đến {}", comma(max))));
            said.push(words);
            if *decimals > 0 {
                said.push(format!("nhiều nhất {decimals} chữ số sau dấu phẩy"));
            }
        }
        ItemKind::Text { letters } => said.push(format!("ghi đúng như trên phiếu, nhiều nhất {letters} ký tự")),
    }
    let mut on: Vec<String> = Vec::new();
    for condition in &item.only_if {
        let number = form.questionnaire.item(&condition.item).map(|earlier| earlier.number.to_string());
        on.extend(number.filter(|number| !on.contains(number)));
    }
    if !on.is_empty() {
        said.push(format!("tùy câu {}", on.join(", ")));
    }
    said.join("; ")
}

fn only_if(form: &Form<'_>, target: &str, item: &Item) -> String {
    let condition = |condition: &survey_forms::questionnaire::Condition| {
        let earlier = form.questionnaire.item(&condition.item)?;
        let (sign, codes) = match &condition.holds {
            Holds::Is(codes) => ("=", codes),
            Holds::IsNot(codes) => ("!=", codes),
            Holds::Between { .. } | Holds::Answered(_) => return None,
        };
        let options = earlier.options(form.scales, form.choices).into_iter().zip(1_usize..);
        let keys: Vec<String> =
            options.filter(|(o, _)| codes.iter().any(|code| code == o.code)).map(|(_, key)| key.to_string()).collect();
        Some(format!("{}{sign}{}", input_name(form, target, earlier), keys.join(",")))
    };
    item.only_if.iter().filter_map(condition).collect::<Vec<_>>().join(" ")
}

/// Reads a whole entry.
///
/// # Errors
/// What is wrong, by the name of the input.
pub(super) fn read(form: &Form<'_>, typed: &Typed) -> Result<Answers, BTreeMap<String, &'static str>> {
    let all: Vec<Place> = places(form).map(|(target, item)| (target.to_owned(), item.code.clone())).collect();
    read_places(form, &all, typed)
}

/// Reads some places of an entry.
///
/// # Errors
/// What is wrong, by the name of the input.
pub(super) fn read_places(
    form: &Form<'_>,
    places: &[Place],
    typed: &Typed,
) -> Result<Answers, BTreeMap<String, &'static str>> {
    let mut answers = Answers::new();
    let mut faults = BTreeMap::new();
    for (target, code) in places {
        let Some(item) = form.questionnaire.item(code) else { continue };
        let name = input_name(form, target, item);
        let given = typed.get(&name).map(String::as_str).unwrap_or_default();
        match read_key(form, item, given) {
            Ok(answer) => {
                answers.insert(target, &item.code, answer);
            }
            Err(code) => {
                faults.insert(name, code);
            }
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(faults) }
}

impl Sheet {
    /// The screen with what was typed and what is wrong with it; of some places `only`, or of the whole ballot.
    pub(super) fn new(
        round: &Round,
        form: &Form<'_>,
        only: Option<&[Place]>,
        typed: &Typed,
        faults: &BTreeMap<String, &'static str>,
    ) -> Self {
        let matrix = form.targets.len() > 1;
        let wanted =
            |target: &str, row: &Row| only.is_none_or(|only| only.iter().any(|(t, i)| t == target && *i == row.item));
        let mut blocks = Vec::new();
        for (target, position) in form.targets.iter().zip(1_usize..) {
            let title = round.target(target).map_or(target.as_str(), |t| t.name.as_str());
            let rows: Vec<Row> = rows(form, target).into_iter().filter(|row| wanted(target, row)).collect();
            if rows.is_empty() {
                continue;
            }
            let parts = if matrix { vec![rows] } else { in_parts(rows) };
            let of = parts.len();
            for (rows, part) in parts.into_iter().zip(1_usize..) {
                let place = match (matrix, of) {
                    (true, _) => format!("cơ quan {position}/{}", form.targets.len()),
                    (false, 1) => String::new(),
                    (false, _) => format!("phần {part}/{of}"),
                };
                blocks.push(Block { target: title.to_owned(), place, rows });
            }
        }
        let mut summary = Vec::new();
        for block in &mut blocks {
            let mut shown = None;
            for row in &mut block.rows {
                row.fill(form, typed, faults);
                // The options stand again at the head of each block, and wherever they change.
                if shown == Some(row.scale.clone()) {
                    row.legend = None;
                }
                shown = Some(row.scale.clone());
                if let Some(words) = row.fault {
                    let (name, number) = (row.name.clone(), row.number);
                    summary.push(Fault { name, target: block.target.clone(), number, words });
                }
            }
        }
        let open = || blocks.iter().flat_map(|block| &block.rows).find(|row| row.value.is_empty());
        let start = summary.first().map(|fault| fault.name.clone()).or_else(|| open().map(|row| row.name.clone()));
        let mut rows = blocks.iter_mut().flat_map(|block| &mut block.rows);
        if let Some(row) = rows.find(|row| start.as_ref().is_none_or(|name| row.name == *name)) {
            row.focus = true;
        }
        let more_faults = summary.len().saturating_sub(FAULTS_LISTED);
        summary.truncate(FAULTS_LISTED);
        let other_kinds = blocks.iter().flat_map(|block| &block.rows).any(|row| !row.input.is_one_key());
        Self { blocks, matrix, other_kinds, faults: summary, more_faults }
    }
}

impl Row {
    fn fill(&mut self, form: &Form<'_>, typed: &Typed, faults: &BTreeMap<String, &'static str>) {
        self.fault = faults.get(&self.name).map(|code| fault_words(code));
        let Some(given) = typed.get(&self.name) else { return };
        self.value.clone_from(given);
        if let Some(item) = form.questionnaire.item(&self.item)
            && let Ok(answer) = read_key(form, item, given)
        {
            self.words = show(form, item, &answer).1;
        }
    }
}

fn rows(form: &Form<'_>, target: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for section in &form.questionnaire.sections {
        for (item, index) in section.items.iter().zip(0_usize..) {
            rows.push(Row {
                name: input_name(form, target, item),
                item: item.code.clone(),
                number: item.number,
                question: item.question.clone(),
                section: (index == 0).then(|| section.title.clone()),
                legend: item.list().map(|_| legend(form, item)),
                scale: list_name(item),
                input: Input::of(item),
                hint: hint(form, item),
                only_if: only_if(form, target, item),
                value: String::new(),
                words: String::new(),
                fault: None,
                focus: false,
            });
        }
    }
    rows
}

/// Whole sections together until a part is worth a stop line; a short rest joins the part before.
fn in_parts(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut parts: Vec<Vec<Row>> = vec![Vec::new()];
    for row in rows {
        let full = parts.last().is_some_and(|part| part.len() >= BLOCK_ITEMS);
        if full && row.section.is_some() {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(row);
        }
    }
    if parts.len() > 1
        && parts.last().is_some_and(|part| part.len() < BLOCK_ITEMS / 2)
        && let Some(rest) = parts.pop()
        && let Some(before) = parts.last_mut()
    {
        before.extend(rest);
    }
    parts
}

fn legend(form: &Form<'_>, item: &Item) -> Vec<(usize, String)> {
    let options = item.options(form.scales, form.choices).into_iter().zip(1_usize..);
    options.map(|(option, position)| (position, option.label.to_owned())).collect()
}

/// A scale and a list of choices may have the same code; `:` is in none.
fn list_name(item: &Item) -> String {
    match item.scale() {
        Some(scale) => scale.to_owned(),
        None => item.list().map(|list| format!(":{list}")).unwrap_or_default(),
    }
}

/// One disputed place, for the person who decides.
pub(super) struct Question {
    pub(super) target: String,
    pub(super) number: u32,
    pub(super) question: String,
    pub(super) input: String,
    pub(super) takes: Input,
    pub(super) hint: String,
    pub(super) reason_input: String,
    pub(super) legend: Vec<(String, String)>,
    pub(super) first: (String, String),
    pub(super) second: (String, String),
    /// What this person read.
    pub(super) reading: (String, String),
    pub(super) value: String,
    pub(super) reason: String,
    pub(super) fault: Option<&'static str>,
    pub(super) reason_fault: Option<&'static str>,
}

impl Question {
    /// The disputes in order, with what was typed so far and what is wrong with it.
    pub(super) fn all(
        round: &Round,
        form: &Form<'_>,
        disputes: &[Dispute],
        reading: &Answers,
        typed: &Typed,
        faults: &BTreeMap<String, &'static str>,
    ) -> Vec<Self> {
        let question = |dispute: &Dispute| {
            let item = form.questionnaire.item(&dispute.item)?;
            let input = input_name(form, &dispute.target, item);
            let reason_input = format!("r{input}");
            let read = reading.get(&dispute.target, &dispute.item);
            let reading = read.map(|read| show(form, item, read)).unwrap_or_default();
            let given = |name: &str, at_first: &str| typed.get(name).map_or(at_first, String::as_str).to_owned();
            let fault = |name: &str| faults.get(name).map(|code| fault_words(code));
            let mut keys: Vec<_> =
                legend(form, item).into_iter().map(|(key, words)| (key.to_string(), words)).collect();
            keys.extend(survey_forms::answers::Mark::ALL.map(|m| (mark_key(m).to_string(), mark_words(m).to_owned())));
            Some(Self {
                target: round.target(&dispute.target).map(|t| t.name.clone()).unwrap_or_default(),
                number: item.number,
                question: item.question.clone(),
                legend: keys,
                takes: Input::of(item),
                hint: hint(form, item),
                first: show(form, item, &dispute.first),
                second: show(form, item, &dispute.second),
                value: given(&input, &reading.0),
                reason: given(&reason_input, likely(dispute, read).map_or("", entry::Reason::as_str)),
                reading,
                fault: fault(&input),
                reason_fault: fault(&reason_input),
                input,
                reason_input,
            })
        };
        disputes.iter().filter_map(question).collect()
    }
}

/// Who slipped, if the reading is right; nobody knows why a mark is read in two ways.
fn likely(dispute: &Dispute, read: Option<&Answer>) -> Option<entry::Reason> {
    match read {
        Some(read) if *read == dispute.first => Some(entry::Reason::SlipSecond),
        Some(read) if *read == dispute.second => Some(entry::Reason::SlipFirst),
        _ => None,
    }
}

/// Reads the decisions about `disputes`.
///
/// # Errors
/// What is wrong, by the name of the input.
pub(super) fn read_decision(
    form: &Form<'_>,
    disputes: &[Dispute],
    typed: &Typed,
) -> Result<entry::Decision, BTreeMap<String, &'static str>> {
    let mut decision = entry::Decision { answers: Answers::new(), reasons: BTreeMap::new() };
    let mut faults = BTreeMap::new();
    for dispute in disputes {
        let Some(item) = form.questionnaire.item(&dispute.item) else { continue };
        let name = input_name(form, &dispute.target, item);
        let given = |name: &str| typed.get(name).map(String::as_str).unwrap_or_default();
        match read_key(form, item, given(&name)) {
            Ok(answer) => {
                decision.answers.insert(&dispute.target, &dispute.item, answer);
            }
            Err(code) => {
                faults.insert(name.clone(), code);
            }
        }
        let name = format!("r{name}");
        match entry::Reason::parse(given(&name)) {
            Some(reason) => {
                decision.reasons.insert((dispute.target.clone(), dispute.item.clone()), reason);
            }
            None => {
                faults.insert(name, "reason_missing");
            }
        }
    }
    if faults.is_empty() { Ok(decision) } else { Err(faults) }
}
