//! The released document in the shape of the page of results: numbers as Vietnamese write them, bars as numbers.

use std::collections::BTreeMap;

use survey_forms::Round;
use survey_forms::disclosure::Suppression;
use survey_forms::scoring::{DocumentTarget, LeftOut, ScoreDocument, VoidReason};

use super::charts;

/// A number of the document as people here write it: `87.50` → `87,50`.
pub(super) fn decimal(text: &str) -> String {
    text.replace('.', ",")
}

/// One ranked list.
pub(super) struct KindView {
    pub(super) name: String,
    pub(super) rows: Vec<TargetRow>,
}

/// A target in its list.
pub(super) struct TargetRow {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) rank: Option<u32>,
    /// Percent for the drawing, as the meter wants it; none when nobody rated the target.
    pub(super) value: Option<String>,
    pub(super) percent: String,
    pub(super) points: String,
    /// Why the total is hidden.
    pub(super) hidden: Option<&'static str>,
    pub(super) max_points: String,
    /// 95 % interval of the percent.
    pub(super) interval: Option<String>,
    /// Its ends, for the drawing.
    pub(super) bounds: Option<(String, String)>,
    /// Ranks that chance leaves possible, where they are more than one.
    pub(super) ranks: Option<String>,
    /// Whether it differs from the next one below it.
    pub(super) differs: Option<bool>,
    pub(super) design_effect: String,
    /// Ballots that rated it.
    pub(super) ballots: u64,
}

/// Ballots of a group.
pub(super) struct GroupRow {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) valid: u64,
    pub(super) void: u64,
    pub(super) reasons: String,
    /// Ballots with the same option everywhere.
    pub(super) uniform: String,
}

/// A field or an item of one target.
pub(super) struct ScoreRow {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) percent: String,
    pub(super) points: String,
    /// Why it is hidden.
    pub(super) hidden: Option<&'static str>,
    pub(super) n: u64,
    /// The middle of the kind, for a field.
    pub(super) middle: String,
    /// Ballots that were asked, where that may be told.
    pub(super) asked: Option<u64>,
}

/// A group's cell of an item.
pub(super) struct CellRow {
    pub(super) item: String,
    pub(super) group: String,
    pub(super) issued: u64,
    pub(super) returned: u64,
    pub(super) n: u64,
    pub(super) mean: String,
    /// `70,1 – 82,4`, where the document has it.
    pub(super) interval: String,
    /// Why it is hidden.
    pub(super) hidden: Option<&'static str>,
}

/// An item of one target, with the code of its field.
pub(super) struct ItemView {
    pub(super) row: ScoreRow,
    pub(super) field: String,
}

/// Instead of a score; the page explains the words below the table.
pub(super) const fn hidden(reason: Suppression) -> &'static str {
    match reason {
        Suppression::NoValidAnswers => "không có câu trả lời hợp lệ",
        Suppression::NBelowK => "ẩn: quá ít câu trả lời",
        Suppression::Complementary => "ẩn kèm",
        Suppression::Difference => "ẩn: khác bản trước quá ít",
    }
}

/// Empty becomes a dash.
fn shown(text: Option<&String>) -> String {
    text.map_or_else(|| "–".to_owned(), |t| decimal(t))
}

fn points(points: Option<&String>, max_points: &str) -> String {
    // One line: no break at the stroke.
    format!("{}\u{a0}/\u{a0}{}", shown(points), decimal(max_points))
}

/// The ranked lists, in the order of the round's kinds; within a list by rank, unrated targets last.
pub(super) fn kinds(round: &Round, document: &ScoreDocument) -> Vec<KindView> {
    let list = |kind: &survey_forms::round::TargetKind| {
        let mut rows: Vec<TargetRow> =
            document.targets.iter().filter(|t| t.kind == kind.code).map(target_row).collect();
        rows.sort_by_key(|row| row.rank.unwrap_or(u32::MAX));
        KindView { name: kind.name.clone(), rows }
    };
    round.target_kinds.iter().map(list).filter(|kind| !kind.rows.is_empty()).collect()
}

pub(super) fn target_row(target: &DocumentTarget) -> TargetRow {
    TargetRow {
        code: target.target.clone(),
        name: target.name.clone(),
        rank: target.rank,
        value: target.percent.clone(),
        percent: shown(target.percent.as_ref()),
        points: shown(target.survey_points.as_ref()),
        hidden: target.suppressed.map(hidden),
        max_points: decimal(&target.max_points),
        bounds: target.interval.as_ref().map(|i| (i.low.clone(), i.high.clone())),
        interval: target.interval.as_ref().map(|i| format!("{} – {}", decimal(&i.low), decimal(&i.high))),
        ranks: target.rank_range.filter(|r| r.best != r.worst).map(|r| format!("{}–{}", r.best, r.worst)),
        differs: target.differs_from_next,
        design_effect: shown(target.design_effect.as_ref()),
        ballots: ballots(target),
    }
}

/// Ballots that rated a target: each group's once, whatever it was asked.
fn ballots(target: &DocumentTarget) -> u64 {
    let mut returned: BTreeMap<&str, u64> = BTreeMap::new();
    for cell in target.items.iter().flat_map(|item| &item.groups) {
        returned.insert(&cell.respondent_code, cell.returned);
    }
    returned.values().sum()
}

pub(super) fn groups(round: &Round, document: &ScoreDocument) -> Vec<GroupRow> {
    let row = |group: &survey_forms::scoring::Ballots| {
        let code = group.respondent_code.clone().unwrap_or_else(|| "–".to_owned());
        let name = round.group(&code).map_or_else(|| "Không thuộc nhóm nào".to_owned(), |g| g.name.clone());
        let reasons: Vec<String> = group.void.iter().map(|v| format!("{} ({})", reason(v.reason), v.count)).collect();
        GroupRow {
            code,
            name,
            valid: group.valid,
            void: group.void.iter().map(|v| v.count).sum(),
            reasons: reasons.join("; "),
            uniform: group.uniform.map_or_else(|| "–".to_owned(), |uniform| share(uniform, group.valid)),
        }
    };
    document.ballots.iter().map(row).collect()
}

/// A count and what it is of all, in whole percent.
fn share(count: u64, all: u64) -> String {
    let percent = (count * 200 + all).checked_div(all * 2).unwrap_or(0);
    format!("{count} ({percent}\u{a0}%)")
}

const fn reason(reason: VoidReason) -> &'static str {
    match reason {
        VoidReason::OtherRound => "phiếu của đợt khác",
        VoidReason::UnknownStratum => "không đúng đối tượng đánh giá",
        VoidReason::OtherQuestionnaire => "mẫu phiếu khác",
        VoidReason::UnfitAnswers => "câu trả lời không thuộc mẫu phiếu",
        VoidReason::TooFewValid => "quá ít mục hợp lệ",
    }
}

pub(super) fn fields(document: &ScoreDocument, target: &DocumentTarget) -> Vec<ScoreRow> {
    let middle = |field: &str| charts::middle_of_field(document, &target.kind, field);
    let n = |field: &str| target.items.iter().filter(|item| item.field == field).map(|item| item.n).sum();
    target
        .fields
        .iter()
        .map(|field| ScoreRow {
            code: field.field.clone(),
            name: field.name.clone(),
            value: field.percent.clone(),
            percent: shown(field.percent.as_ref()),
            points: points(field.points.as_ref(), &field.max_points),
            hidden: field.suppressed.map(hidden),
            n: n(&field.field),
            middle: middle(&field.field).map_or_else(|| "–".to_owned(), |middle| decimal(&format!("{middle:.2}"))),
            asked: None,
        })
        .collect()
}

pub(super) fn items(round: &Round, target: &DocumentTarget) -> Vec<ItemView> {
    let name = |code: &str| round.criterion(code).map(|c| c.name.clone()).unwrap_or_default();
    target
        .items
        .iter()
        .map(|item| ItemView {
            field: item.field.clone(),
            row: ScoreRow {
                code: item.item_code.clone(),
                name: name(&item.item_code),
                value: item.percent.clone(),
                percent: shown(item.percent.as_ref()),
                points: points(item.points.as_ref(), &item.max_points),
                hidden: item.suppressed.map(hidden),
                n: item.n,
                middle: String::new(),
                asked: item.asked,
            },
        })
        .collect()
}

/// Every group's cell of every item, hidden ones with their reason.
pub(super) fn cells(target: &DocumentTarget) -> Vec<CellRow> {
    let row = |item: &survey_forms::scoring::DocumentItem, cell: &survey_forms::scoring::DocumentCell| CellRow {
        item: item.item_code.clone(),
        group: cell.respondent_code.clone(),
        issued: cell.issued,
        returned: cell.returned,
        n: cell.n,
        mean: shown(cell.mean.as_ref()),
        interval: cell
            .interval
            .as_ref()
            .map(|bounds| format!("{}\u{a0}–\u{a0}{}", decimal(&bounds.low), decimal(&bounds.high)))
            .unwrap_or_default(),
        hidden: cell.suppressed.map(hidden),
    };
    target.items.iter().flat_map(|item| item.groups.iter().map(move |cell| row(item, cell))).collect()
}

/// What a correction leaves out, each in words.
pub(super) fn left_out(round: &Round, left_out: &[LeftOut]) -> Vec<String> {
    let words = |out: &LeftOut| {
        let group = out.respondent_code.as_deref().map_or_else(|| "mọi nhóm".to_owned(), |code| format!("nhóm {code}"));
        let name = |code: &str| round.target(code).map_or_else(|| code.to_owned(), |target| target.name.clone());
        let target = out.target.as_deref().map_or_else(|| "mọi cơ quan".to_owned(), name);
        let item =
            out.item_code.as_deref().map_or_else(|| "mọi tiêu chí".to_owned(), |code| format!("tiêu chí {code}"));
        format!("{group}; {target}; {item}")
    };
    left_out.iter().map(words).collect()
}
