//! A release as a workbook: information, totals, fields, items, groups. Text stays text and never becomes a formula.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use survey_forms::Round;
use survey_forms::disclosure::Suppression;
use survey_forms::scoring::ScoreDocument;

use super::Publication;
use crate::clock::local;

/// A cell.
enum Value<'v> {
    Text(&'v str),
    /// A score: a number with the document's decimals.
    Score(Option<&'v str>),
    Count(u64),
}

/// One sheet while it is filled.
struct Sheet<'w> {
    sheet: &'w mut Worksheet,
    row: u32,
    bold: Format,
    score: Format,
}

impl<'w> Sheet<'w> {
    fn new(book: &'w mut Workbook, name: &str, heads: &[(&str, f64)], decimals: usize) -> Result<Self, XlsxError> {
        let bold = Format::new().set_bold();
        let places = if decimals == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(decimals)) };
        let sheet = book.add_worksheet().set_name(name)?;
        for (column, (head, width)) in (0_u16..).zip(heads) {
            sheet.set_column_width(column, *width)?;
            sheet.write_string_with_format(0, column, *head, &bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(Self { sheet, row: 1, bold, score: Format::new().set_num_format(places) })
    }

    fn write(&mut self, values: &[Value<'_>]) -> Result<(), XlsxError> {
        for (column, value) in (0_u16..).zip(values) {
            match value {
                Value::Text("") | Value::Score(None) => {}
                Value::Text(text) => {
                    self.sheet.write_string(self.row, column, *text)?;
                }
                Value::Score(Some(text)) => match text.parse::<f64>() {
                    Ok(number) => {
                        self.sheet.write_number_with_format(self.row, column, number, &self.score)?;
                    }
                    Err(_) => {
                        self.sheet.write_string(self.row, column, *text)?;
                    }
                },
                // Counts are of ballots: far below what a cell holds exactly.
                Value::Count(count) => {
                    let count = u32::try_from(*count).unwrap_or(u32::MAX);
                    self.sheet.write_number(self.row, column, f64::from(count))?;
                }
            }
        }
        self.row += 1;
        Ok(())
    }
}

fn hidden(reason: Option<Suppression>) -> Value<'static> {
    Value::Text(reason.map_or("", Suppression::as_str))
}

/// The workbook's bytes.
///
/// # Errors
/// When a sheet cannot be written.
pub fn workbook(round: &Round, publication: &Publication) -> Result<Vec<u8>, XlsxError> {
    let document = &publication.document;
    let decimals = usize::try_from(round.scoring.decimals).unwrap_or(2);
    let mut book = Workbook::new();
    information(&mut book, round, publication)?;

    let rank = |rank: Option<u32>| rank.map_or(Value::Text(""), |rank| Value::Count(rank.into()));
    let heads = [
        ("Loại", 12.0),
        ("Hạng", 8.0),
        ("Mã", 12.0),
        ("Cơ quan", 48.0),
        ("Điểm", 10.0),
        ("Điểm tối đa", 12.0),
        ("Tỷ lệ (%)", 10.0),
        ("Lý do ẩn", 18.0),
    ];
    let mut sheet = Sheet::new(&mut book, "Tổng điểm", &heads, decimals)?;
    for t in &document.targets {
        let (points, percent) = (t.survey_points.as_deref(), t.percent.as_deref());
        sheet.write(&[
            Value::Text(&t.kind),
            rank(t.rank),
            Value::Text(&t.target),
            Value::Text(&t.name),
            Value::Score(points),
            Value::Score(Some(&t.max_points)),
            Value::Score(percent),
            hidden(t.suppressed),
        ])?;
    }

    let heads = [
        ("Mã cơ quan", 12.0),
        ("Cơ quan", 48.0),
        ("Lĩnh vực", 10.0),
        ("Tên lĩnh vực", 36.0),
        ("Điểm", 10.0),
        ("Điểm tối đa", 12.0),
        ("Tỷ lệ (%)", 10.0),
        ("Lý do ẩn", 18.0),
    ];
    let mut sheet = Sheet::new(&mut book, "Lĩnh vực", &heads, decimals)?;
    for (t, f) in document.targets.iter().flat_map(|t| t.fields.iter().map(move |f| (t, f))) {
        sheet.write(&[
            Value::Text(&t.target),
            Value::Text(&t.name),
            Value::Text(&f.field),
            Value::Text(&f.name),
            Value::Score(f.points.as_deref()),
            Value::Score(Some(&f.max_points)),
            Value::Score(f.percent.as_deref()),
            hidden(f.suppressed),
        ])?;
    }

    let heads = [
        ("Mã cơ quan", 12.0),
        ("Tiêu chí", 10.0),
        ("Tên tiêu chí", 60.0),
        ("Lĩnh vực", 10.0),
        ("Số tiêu chí Bộ chỉ số", 20.0),
        ("Điểm", 10.0),
        ("Điểm tối đa", 12.0),
        ("Tỷ lệ (%)", 10.0),
        ("Câu trả lời (n)", 14.0),
        ("Lý do ẩn", 18.0),
    ];
    let mut sheet = Sheet::new(&mut book, "Tiêu chí", &heads, decimals)?;
    for (t, i) in items(document) {
        let name = round.criterion(&i.item_code).map_or("", |criterion| criterion.name.as_str());
        sheet.write(&[
            Value::Text(&t.target),
            Value::Text(&i.item_code),
            Value::Text(name),
            Value::Text(&i.field),
            Value::Text(i.index_ref.as_deref().unwrap_or_default()),
            Value::Score(i.points.as_deref()),
            Value::Score(Some(&i.max_points)),
            Value::Score(i.percent.as_deref()),
            Value::Count(i.n),
            hidden(i.suppressed),
        ])?;
    }

    let heads = [
        ("Mã cơ quan", 12.0),
        ("Tiêu chí", 10.0),
        ("Nhóm", 10.0),
        ("Đã phát", 10.0),
        ("Thu về", 10.0),
        ("Câu trả lời (n)", 14.0),
        ("Trung bình (%)", 14.0),
        ("Cận dưới 95%", 14.0),
        ("Cận trên 95%", 14.0),
        ("Lý do ẩn", 18.0),
    ];
    let mut sheet = Sheet::new(&mut book, "Nhóm", &heads, decimals)?;
    for (t, i, cell) in items(document).flat_map(|(t, i)| i.groups.iter().map(move |cell| (t, i, cell))) {
        let bounds = cell.interval.as_ref();
        sheet.write(&[
            Value::Text(&t.target),
            Value::Text(&i.item_code),
            Value::Text(&cell.respondent_code),
            Value::Count(cell.issued),
            Value::Count(cell.returned),
            Value::Count(cell.n),
            Value::Score(cell.mean.as_deref()),
            Value::Score(bounds.map(|b| b.low.as_str())),
            Value::Score(bounds.map(|b| b.high.as_str())),
            hidden(cell.suppressed),
        ])?;
    }
    book.save_to_buffer()
}

fn items(
    document: &ScoreDocument,
) -> impl Iterator<Item = (&survey_forms::scoring::DocumentTarget, &survey_forms::scoring::DocumentItem)> {
    document.targets.iter().flat_map(|t| t.items.iter().map(move |i| (t, i)))
}

/// What a release is and where it comes from: name and text, in the order in which people want them.
pub(super) fn facts(round: &Round, publication: &Publication) -> Vec<(String, String)> {
    let document = &publication.document;
    let published = local(document.published_at.to_utc()).format("%H:%M ngày %d/%m/%Y").to_string();
    let sample = if round.sample { "Số liệu mẫu, không phải số liệu chính thức" } else { "" };
    let reason = document.correction.as_ref().map_or("", |correction| correction.reason.as_str());
    let rows: [(&str, &str); 11] = [
        ("Đợt điều tra", &round.title),
        ("Mã đợt", &round.id),
        ("Đơn vị tổ chức", &round.organiser.name),
        ("Căn cứ", &round.legal_basis),
        ("Bản công bố", &document.release.to_string()),
        ("Công bố lúc (giờ Việt Nam)", &published),
        ("Lý do đính chính", reason),
        ("Lưu ý", sample),
        ("Dấu của tài liệu kết quả (SHA-256)", &publication.sha256),
        ("Dấu của bộ quy tắc", &document.rules_hash),
        ("Dấu của hòm phiếu", &document.log_root),
    ];
    let told = rows.into_iter().filter(|(_, text)| !text.is_empty());
    told.map(|(what, text)| (what.to_owned(), text.to_owned())).collect()
}

fn information(book: &mut Workbook, round: &Round, publication: &Publication) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Thông tin", &[("Kết quả điều tra xã hội học", 36.0), ("", 80.0)], 0)?;
    for (what, text) in facts(round, publication) {
        let row = sheet.row;
        sheet.write(&[Value::Text(""), Value::Text(&text)])?;
        sheet.sheet.write_string_with_format(row, 0, what, &sheet.bold)?;
    }
    Ok(())
}
