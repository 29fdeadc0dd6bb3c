//! Charts of the page of results: places of dots and whiskers, worked out here and drawn by the template. Each has its
//! title in words and stands beside the table that has the same numbers.

use survey_forms::scoring::{DocumentTarget, ScoreDocument};

use super::view::decimal;

/// Width of the drawing; the axis from 0 to 100 lies between [`LEFT`] and [`LEFT`] + [`LONG`].
const LEFT: f64 = 8.0;
const LONG: f64 = 340.0;
/// Height of a row: its words, and the line under them.
const ROW: usize = 36;
/// Above the first row: the axis' numbers.
const TOP: usize = 22;

/// Dots on one axis from 0 to 100, a row each.
pub(super) struct Dots {
    /// Prefix of ids, so that several charts stand on one page.
    pub(super) id: String,
    pub(super) title: String,
    /// What is to be seen, in words.
    pub(super) summary: String,
    pub(super) height: usize,
    pub(super) marks: Vec<Mark>,
    pub(super) rows: Vec<DotRow>,
    /// Whether a row has a second mark, and what it is.
    pub(super) other: Option<&'static str>,
    /// Whether a row has an interval.
    pub(super) whiskers: bool,
}

/// A number on the axis.
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) words: &'static str,
    pub(super) anchor: &'static str,
}

/// One row.
pub(super) struct DotRow {
    pub(super) words: String,
    pub(super) words_y: usize,
    pub(super) y: usize,
    /// Place of the dot, and its number in words; none when there is no number.
    pub(super) dot: Option<(String, String)>,
    pub(super) other: Option<String>,
    /// Ends of the interval.
    pub(super) whisker: Option<(String, String)>,
}

/// A row before it has a place.
pub(super) struct Value {
    pub(super) words: String,
    pub(super) percent: Option<String>,
    pub(super) other: Option<f64>,
    /// Low and high, 0 to 100.
    pub(super) interval: Option<(String, String)>,
}

fn x(percent: f64) -> String {
    format!("{:.1}", LEFT + LONG * percent.clamp(0.0, 100.0) / 100.0)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// A chart of these rows, in their order.
pub(super) fn dots(id: &str, title: String, summary: String, other: Option<&'static str>, values: Vec<Value>) -> Dots {
    let row = |(place, value): (usize, Value)| {
        let top = TOP + place * ROW;
        let dot = value.percent.as_deref().and_then(|percent| Some((x(number(percent)?), decimal(percent))));
        let end = |text: &str| number(text).map(x);
        DotRow {
            words: value.words,
            words_y: top + 14,
            y: top + 26,
            whisker: value.interval.and_then(|(low, high)| Some((end(&low)?, end(&high)?))).filter(|_| dot.is_some()),
            other: value.other.map(x).filter(|_| dot.is_some()),
            dot,
        }
    };
    let rows: Vec<DotRow> = values.into_iter().enumerate().map(row).collect();
    let mark = |percent, words, anchor| Mark { x: x(percent), words, anchor };
    Dots {
        id: id.to_owned(),
        title,
        summary,
        height: TOP + rows.len() * ROW + 4,
        marks: vec![mark(0.0, "0", "start"), mark(50.0, "50", "middle"), mark(100.0, "100%", "end")],
        whiskers: rows.iter().any(|row| row.whisker.is_some()),
        other: other.filter(|_| rows.iter().any(|row| row.other.is_some())),
        rows,
    }
}

/// The middle of the shown field scores of a kind; none below two.
pub(super) fn middle_of_field(document: &ScoreDocument, kind: &str, field: &str) -> Option<f64> {
    let of_kind = document.targets.iter().filter(|target| target.kind == kind);
    let scores = of_kind.flat_map(|target| &target.fields).filter(|found| found.field == field);
    let mut scores: Vec<f64> = scores.filter_map(|found| number(found.percent.as_deref()?)).collect();
    scores.sort_by(f64::total_cmp);
    let half = scores.len() / 2;
    match (scores.len(), scores.len() % 2) {
        (0 | 1, _) => None,
        (_, 1) => scores.get(half).copied(),
        _ => Some((scores.get(half.checked_sub(1)?)? + scores.get(half)?) / 2.0),
    }
}

/// A target's fields against the middle of its kind.
pub(super) fn profile(document: &ScoreDocument, target: &DocumentTarget) -> Dots {
    let value = |field: &survey_forms::scoring::DocumentField| Value {
        words: format!("{}. {}", field.field, field.name),
        percent: field.percent.clone(),
        other: middle_of_field(document, &target.kind, &field.field),
        interval: None,
    };
    let values: Vec<Value> = target.fields.iter().map(value).collect();
    let shown = || target.fields.iter().filter_map(|field| Some((number(field.percent.as_deref()?)?, field)));
    let most = shown().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, field)| field);
    let least = shown().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, field)| field);
    let words = |field: &survey_forms::scoring::DocumentField| {
        format!("{} ({}%)", field.name, decimal(field.percent.as_deref().unwrap_or_default()))
    };
    let summary = match (most, least) {
        (Some(most), Some(least)) => format!("Cao nhất: {}; thấp nhất: {}.", words(most), words(least)),
        _ => "Không có lĩnh vực nào có điểm.".to_owned(),
    };
    dots(
        "linh-vuc",
        "Điểm theo lĩnh vực, phần trăm của điểm tối đa".to_owned(),
        summary,
        Some("trung vị của cùng loại cơ quan"),
        values,
    )
}

/// The ranked targets of a kind.
pub(super) fn ranking(place: usize, kind: &str, rows: &[super::view::TargetRow]) -> Dots {
    let value = |row: &super::view::TargetRow| Value {
        words: row.rank.map_or_else(|| row.name.clone(), |rank| format!("{rank}. {}", row.name)),
        percent: row.value.clone(),
        other: None,
        interval: row.bounds.clone(),
    };
    let ranked: Vec<&super::view::TargetRow> = rows.iter().filter(|row| row.rank.is_some()).collect();
    let end = |row: Option<&&super::view::TargetRow>| row.map(|row| format!("{} ({}%)", row.name, row.percent));
    let summary = match (end(ranked.first()), end(ranked.last())) {
        (Some(first), Some(last)) => format!("Cao nhất: {first}; thấp nhất: {last}."),
        _ => "Không có cơ quan nào có điểm.".to_owned(),
    };
    let title = format!("{kind}: tỷ lệ điểm, phần trăm của điểm tối đa");
    dots(&format!("hang-{place}"), title, summary, None, rows.iter().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_stands_where_its_number_is() {
        let value = |percent: Option<&str>, other| Value {
            words: "A".to_owned(),
            percent: percent.map(str::to_owned),
            other,
            interval: Some(("40.00".to_owned(), "60.00".to_owned())),
        };
        let chart = dots(
            "a",
            String::new(),
            String::new(),
            Some("x"),
            vec![value(Some("50.00"), Some(25.0)), value(None, Some(1.0))],
        );
        assert_eq!(chart.rows[0].dot, Some(("178.0".to_owned(), "50,00".to_owned())));
        assert_eq!((chart.rows[0].other.as_deref(), chart.other), (Some("93.0"), Some("x")));
        assert_eq!(chart.rows[0].whisker, Some(("144.0".to_owned(), "212.0".to_owned())));
        let nothing = &chart.rows[1];
        assert!(nothing.dot.is_none() && nothing.other.is_none() && nothing.whisker.is_none(), "no number, no drawing");
        assert_eq!(chart.rows[1].y - chart.rows[0].y, ROW);
    }
}
