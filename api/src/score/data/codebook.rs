//! The codebook of the wide table: DDI-Codebook 2.5 (<https://ddialliance.org/Specification/DDI-Codebook/2.5/>).

use askama::Template;
use survey_forms::Round;
use survey_forms::answers::Mark;
use survey_forms::questionnaire::{Holds, Item, ItemKind};
use survey_forms::ratio;
use survey_forms::round::Channel;

use super::columns::{Choice, Column, Columns, KEYS, Kind};

#[derive(Template)]
#[template(path = "score/codebook.xml")]
struct Codebook<'r> {
    round: &'r Round,
    opens: String,
    closes: String,
    groups: Vec<GroupView<'r>>,
    adjusted: bool,
    vars: Vec<Var>,
}

struct GroupView<'r> {
    code: &'r str,
    name: &'r str,
    channel: &'static str,
}

/// A variable.
#[derive(Default)]
struct Var {
    id: String,
    name: String,
    label: String,
    is_weight: bool,
    is_number: bool,
    decimals: Option<u32>,
    nature: &'static str,
    questions: Vec<Question>,
    /// Least and greatest, of a number.
    range: Option<(Option<String>, Option<String>)>,
    universes: Vec<String>,
    text: Option<&'static str>,
    categories: Vec<Category>,
    concept: Option<String>,
}

#[derive(PartialEq, Eq)]
struct Question {
    domain: &'static str,
    lead: Option<String>,
    words: String,
    help: Option<String>,
}

#[derive(Default)]
struct Category {
    code: String,
    label: String,
    worth: Option<String>,
    missing: bool,
    missing_type: Option<&'static str>,
}

impl Var {
    fn missing(&self) -> Vec<&str> {
        self.categories.iter().filter(|category| category.missing).map(|category| category.code.as_str()).collect()
    }
}

/// What a mark means, for people.
pub(super) const fn mark_label(mark: Mark) -> &'static str {
    match mark {
        Mark::Blank => "Bỏ trống",
        Mark::Several => "Chọn nhiều phương án",
        Mark::Illegible => "Không đọc được",
    }
}

/// What a column before the answers holds, for people.
pub(super) fn key_label(key: &str) -> &'static str {
    match key {
        "ballot_id" => "Mã số phiếu, rút ngẫu nhiên khi mở hòm phiếu",
        "respondent_code" => "Nhóm đối tượng điều tra",
        "targets" => "Các cơ quan mà phiếu đánh giá, nối bằng dấu +",
        "target" => "Cơ quan được đánh giá ở dòng này",
        "group_weight" => "Trọng số của nhóm trong điểm của tiêu chí",
        "void" => "Lý do phiếu không được tính; trống là được tính",
        _ => "",
    }
}

/// Why a ballot does not count, for people.
pub(super) const TOO_FEW: (&str, &str) = ("too_few_valid", "Phiếu giấy có quá ít câu trả lời hợp lệ");

/// The codebook of a round's ballots.
///
/// # Errors
/// When the text cannot be made.
pub fn codebook(round: &Round) -> Result<String, askama::Error> {
    let columns = Columns::of(round);
    let keys = KEYS.into_iter().map(|key| of_key(round, key));
    let vars: Vec<Var> = keys.chain(columns.items.iter().map(|column| of_item(round, column))).collect();
    let vars: Vec<Var> =
        vars.into_iter().zip(1..).map(|(var, number): (Var, u32)| Var { id: format!("V{number}"), ..var }).collect();
    let day = |at: &chrono::DateTime<chrono::FixedOffset>| at.format("%Y-%m-%d").to_string();
    let group = |group: &'_ survey_forms::round::Group| match group.channel {
        Channel::Online => "trực tuyến",
        Channel::Paper => "phiếu giấy",
    };
    let groups = round.groups.iter().map(|g| GroupView { code: &g.code, name: &g.name, channel: group(g) }).collect();
    let codebook = Codebook {
        round,
        opens: day(&round.dates.opens),
        closes: day(&round.dates.keying_closes.max(round.dates.closes)),
        groups,
        adjusted: round.scoring.response_adjusted,
        vars,
    };
    codebook.render()
}

fn of_key(round: &Round, key: &str) -> Var {
    let category =
        |code: &str, label: &str| Category { code: code.to_owned(), label: label.to_owned(), ..<_>::default() };
    let categories = match key {
        "respondent_code" => round.groups.iter().map(|group| category(&group.code, &group.name)).collect(),
        "target" => round.targets.iter().map(|target| category(&target.code, &target.name)).collect(),
        "void" => vec![category(TOO_FEW.0, TOO_FEW.1)],
        _ => Vec::new(),
    };
    let is_weight = key == "group_weight";
    Var {
        name: key.to_owned(),
        label: key_label(key).to_owned(),
        is_weight,
        is_number: is_weight,
        nature: if is_weight { "ratio" } else { "nominal" },
        text: is_weight.then_some("Không phải trọng số của từng dòng: là trọng số của điểm trung bình của nhóm"),
        categories,
        ..Var::default()
    }
}

fn of_item(round: &Round, column: &Column<'_>) -> Var {
    let mut questions: Vec<Question> = Vec::new();
    for (_, item) in &column.asked {
        let question = question(item);
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    let option = |choice: &Choice<'_>| Category {
        code: choice.code.to_owned(),
        label: choice.label(),
        worth: choice.percent.map(ratio::to_exact),
        missing: choice.excluded,
        missing_type: choice.excluded.then_some("excluded"),
    };
    let mark = |mark: Mark| Category {
        code: format!("#{}", mark.as_str()),
        label: mark_label(mark).to_owned(),
        worth: None,
        missing: true,
        missing_type: Some(mark.as_str()),
    };
    let mut categories: Vec<Category> = column.options.iter().map(option).collect();
    if column.is_on_paper(round) {
        categories.extend(Mark::ALL.into_iter().map(mark));
    }
    let criterion = round.criterion(column.code);
    let field = criterion.and_then(|criterion| round.field(&criterion.field));
    Var {
        name: column.code.to_owned(),
        label: column.label(round).to_owned(),
        is_number: matches!(column.kind, Kind::Number(_)),
        decimals: if let Kind::Number(decimals) = column.kind { Some(decimals) } else { None },
        nature: match column.kind {
            Kind::Scale => "ordinal",
            Kind::Number(_) => "ratio",
            Kind::Single | Kind::Multiple | Kind::Mixed => "nominal",
        },
        questions,
        range: range(column),
        universes: column.asked.iter().map(|(group, item)| universe(round, group, item)).collect(),
        text: (column.kind == Kind::Multiple).then_some("Các phương án được chọn, cách nhau bằng dấu cách"),
        categories,
        concept: field.map(|field| field.name.clone()),
        ..Var::default()
    }
}

fn question(item: &Item) -> Question {
    Question {
        domain: match item.kind {
            ItemKind::Scale { .. } | ItemKind::Single { .. } => "category",
            ItemKind::Multiple { .. } => "multiple",
            ItemKind::Number { .. } => "numeric",
            ItemKind::Text { .. } => "text",
        },
        lead: item.lead.clone(),
        words: item.question.clone(),
        help: item.help.clone(),
    }
}

/// The widest bounds of any group; none where some group has none.
fn range(column: &Column<'_>) -> Option<(Option<String>, Option<String>)> {
    let Kind::Number(_) = column.kind else { return None };
    let mut bounds = column.asked.iter().filter_map(|(_, item)| match &item.kind {
        ItemKind::Number { min, max, .. } => Some((min.clone(), max.clone())),
        _ => None,
    });
    let first = bounds.next()?;
    let wider = |one: (Option<_>, Option<_>), other: (Option<_>, Option<_>)| {
        let least = one.0.zip(other.0).map(|(a, b)| std::cmp::min(a, b));
        (least, one.1.zip(other.1).map(|(a, b)| std::cmp::max(a, b)))
    };
    let (min, max) = bounds.fold(first, wider);
    let bounds = (min.as_ref().map(ratio::to_exact), max.as_ref().map(ratio::to_exact));
    (bounds != (None, None)).then_some(bounds)
}

/// Who is asked.
fn universe(round: &Round, group: &str, item: &Item) -> String {
    let name = round.group(group).map_or("", |group| group.name.as_str());
    let conditions: Vec<String> = item
        .only_if
        .iter()
        .map(|condition| {
            let of = &condition.item;
            match &condition.holds {
                Holds::Is(options) => format!("{of} là {}", options.join(" hoặc ")),
                Holds::IsNot(options) => format!("{of} không phải {}", options.join(", ")),
                Holds::Answered(true) => format!("{of} có trả lời"),
                Holds::Answered(false) => format!("{of} không trả lời"),
                Holds::Between { at_least, at_most } => {
                    let least = at_least.as_ref().map(|least| format!("{of} từ {}", ratio::to_exact(least)));
                    let most = at_most.as_ref().map(|most| format!("{of} đến {}", ratio::to_exact(most)));
                    least.into_iter().chain(most).collect::<Vec<_>>().join(" và ")
                }
            }
        })
        .collect();
    let only =
        if conditions.is_empty() { String::new() } else { format!("; chỉ hỏi khi {}", conditions.join(" và ")) };
    format!("{group}: {name}{only}")
}
