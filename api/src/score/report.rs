//! A release as a report for people: what was released, the ranked lists, ballots by group, the method, and a page part
//! for each target. Every number is the document's.

use phieu_print::{Drawing, Holds, Imprint, PrintError, Report, ReportColumn, ReportPart, ReportRow, ReportTable};
use survey_forms::Round;
use survey_forms::scoring::DocumentTarget;

use super::charts::{self, Dots};
use super::view::{self, KindView, TargetRow};
use super::{Publication, sheets};

/// The report as PDF/A; a release gives the same bytes each time.
///
/// # Errors
/// [`PrintError`].
pub(super) fn report(round: &Round, publication: &Publication) -> Result<Vec<u8>, PrintError> {
    let document = &publication.document;
    let mut parts: Vec<ReportPart> = view::kinds(round, document)
        .into_iter()
        .enumerate()
        .map(|(place, kind)| ranking(&charts::ranking(place, &kind.name, &kind.rows), kind))
        .collect();
    parts.push(groups(round, publication));
    parts.push(method(round));
    let own = document.targets.iter().enumerate();
    parts.extend(own.map(|(place, found)| target(round, publication, found, place == 0)));
    let title = format!("Kết quả điều tra: {}", round.title);
    phieu_print::report(&Report {
        imprint: Imprint { title: title.clone(), author: round.organiser.name.clone(), date: document.published_at },
        organiser: round.organiser.name.clone(),
        title,
        facts: sheets::facts(round, publication),
        parts,
    })
}

fn column(heading: &str, width: f32, holds: Holds) -> ReportColumn {
    ReportColumn { heading: heading.to_owned(), width, holds }
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok()
}

fn ranking(chart: &Dots, kind: KindView) -> ReportPart {
    let columns = vec![
        column("Hạng", 17.0, Holds::Words),
        column("Cơ quan", 48.0, Holds::Words),
        column("Tỷ lệ điểm (%) và khoảng tin cậy 95 %", 46.0, Holds::Drawing),
        column("Tỷ lệ (%)", 28.0, Holds::Numbers),
        column("Điểm", 22.0, Holds::Numbers),
        column("Số phiếu", 14.0, Holds::Numbers),
    ];
    ReportPart {
        heading: kind.name,
        on_new_page: false,
        words: vec![chart.summary.clone()],
        table: Some(ReportTable { columns, rows: kind.rows.into_iter().map(ranked).collect() }),
        note: "Dưới tỷ lệ là khoảng tin cậy 95 %; dưới hạng là các hạng mà sai số ngẫu nhiên có thể cho, khi nhiều hơn một. \
               Dấu “–”: không có câu trả lời hợp lệ, hoặc điểm được ẩn."
            .to_owned(),
    }
}

fn ranked(row: TargetRow) -> ReportRow {
    let drawing = Drawing {
        dot: row.value.as_deref().and_then(number),
        whisker: row.bounds.as_ref().and_then(|(low, high)| Some((number(low)?, number(high)?))),
        other: None,
    };
    let rank = row.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
    let under = |text: String, below: Option<String>| below.map_or(text.clone(), |below| format!("{text}\n{below}"));
    let points = row.hidden.map_or(row.points, ToOwned::to_owned);
    ReportRow {
        cells: vec![
            under(rank, row.ranks),
            row.name,
            String::new(),
            under(row.percent, row.interval),
            points,
            row.ballots.to_string(),
        ],
        drawing,
    }
}

fn groups(round: &Round, publication: &Publication) -> ReportPart {
    let columns = vec![
        column("Nhóm", 20.0, Holds::Words),
        column("Đối tượng", 55.0, Holds::Words),
        column("Hợp lệ", 18.0, Holds::Numbers),
        column("Không hợp lệ", 18.0, Holds::Numbers),
        column("Lý do", 40.0, Holds::Words),
        column("Trả lời đồng loạt", 24.0, Holds::Numbers),
    ];
    let rows = view::groups(round, &publication.document).into_iter().map(|group| ReportRow {
        cells: vec![
            group.code,
            group.name,
            group.valid.to_string(),
            group.void.to_string(),
            group.reasons,
            group.uniform,
        ],
        drawing: Drawing::default(),
    });
    ReportPart {
        heading: "Số phiếu theo nhóm người trả lời".to_owned(),
        on_new_page: false,
        words: Vec::new(),
        table: Some(ReportTable { columns, rows: rows.collect() }),
        note: "“Trả lời đồng loạt”: phiếu hợp lệ chọn cùng một phương án ở mọi câu (từ ba câu trở lên); không công bố cho \
               nhóm ít phiếu hoặc khi quá nửa số phiếu như vậy."
            .to_owned(),
    }
}

/// How the numbers came about, in words that hold for this round.
fn method(round: &Round) -> ReportPart {
    let (scoring, disclosure) = (&round.scoring, &round.disclosure);
    let within = if scoring.response_adjusted {
        "Trong một nhóm, những người được hỏi về cùng cơ quan tính theo số mã đã phát cho họ, không theo số câu trả lời."
    } else {
        "Trong một nhóm, các câu trả lời hợp lệ tính như nhau."
    };
    let words = vec![
        "Mỗi phương án có số điểm từ 0 đến 100 đã khai báo trước khi mở đợt. Điểm của một nhóm ở một tiêu chí là trung \
         bình các câu trả lời hợp lệ; câu để trống, câu không đọc được và phương án không tính điểm được bỏ ra."
            .to_owned(),
        within.to_owned(),
        "Điểm tiêu chí gộp các nhóm theo trọng số đã khai báo; nhóm không có câu trả lời hợp lệ không tham gia. Điểm lĩnh \
         vực và tổng điểm là tổng điểm các tiêu chí có điểm, chia cho tổng điểm tối đa của chúng."
            .to_owned(),
        format!(
            "Mọi phép tính dùng phân số và chỉ làm tròn một lần, đến {} chữ số sau dấu phẩy. Xếp hạng trong từng loại cơ \
             quan, so theo tỷ lệ điểm trước khi làm tròn; bằng nhau thì cùng hạng.",
            scoring.decimals
        ),
        "Khoảng tin cậy 95 % tính trong từng nhóm, có hiệu chỉnh theo số người được mời, và chỉ nói về sai số ngẫu nhiên; \
         không nói về người không trả lời."
            .to_owned(),
        format!(
            "Điểm của riêng một nhóm chỉ được công bố khi có từ {} câu trả lời hợp lệ trở lên, phân bố câu trả lời từ {}; \
             số nào có thể suy ra số bị ẩn thì được ẩn kèm.",
            disclosure.k, disclosure.distribution_n
        ),
        "Ai cũng tự kiểm tra được: hòm phiếu, bộ quy tắc và tài liệu kết quả có dấu ghi ở đầu báo cáo, đối chiếu bằng \
         lệnh “phieu verify”."
            .to_owned(),
    ];
    ReportPart { heading: "Phương pháp".to_owned(), on_new_page: false, words, table: None, note: String::new() }
}

fn target(round: &Round, publication: &Publication, found: &DocumentTarget, first: bool) -> ReportPart {
    let document = &publication.document;
    let row = view::target_row(found);
    let of_kind = document.targets.iter().filter(|t| t.kind == found.kind && t.rank.is_some()).count();
    let kind = round.target_kinds.iter().find(|kind| kind.code == found.kind).map_or("", |kind| kind.name.as_str());
    let standing = match (row.rank, row.hidden) {
        (Some(rank), _) => format!("{kind}: hạng {rank} trong {of_kind}; {}%, {} điểm.", row.percent, row.points),
        (None, Some(hidden)) => format!("{kind}: không xếp hạng ({hidden})."),
        (None, None) => format!("{kind}: không xếp hạng, không có câu trả lời hợp lệ."),
    };
    let mut part = ReportPart {
        heading: found.name.clone(),
        on_new_page: first,
        words: vec![standing],
        table: None,
        note: String::new(),
    };
    if found.fields.iter().all(|field| field.percent.is_none()) {
        return part;
    }
    let columns = vec![
        column("Lĩnh vực", 58.0, Holds::Words),
        column("Tỷ lệ điểm (%)", 46.0, Holds::Drawing),
        column("Tỷ lệ (%)", 17.0, Holds::Numbers),
        column("Trung vị loại", 17.0, Holds::Numbers),
        column("Điểm", 23.0, Holds::Numbers),
        column("n", 14.0, Holds::Numbers),
    ];
    let rows = view::fields(document, found).into_iter().map(|field| ReportRow {
        drawing: Drawing {
            dot: field.value.as_deref().and_then(number),
            whisker: None,
            other: number(&field.middle.replace(',', ".")).filter(|_| field.value.is_some()),
        },
        cells: vec![
            format!("{}. {}", field.code, field.name),
            String::new(),
            field.hidden.map_or(field.percent, ToOwned::to_owned),
            field.middle,
            field.points,
            field.n.to_string(),
        ],
    });
    part.words.push(charts::profile(document, found).summary);
    part.table = Some(ReportTable { columns, rows: rows.collect() });
    part.note = "Ô vuông: điểm của cơ quan; vạch đứng: trung vị của cùng loại cơ quan.".to_owned();
    part
}
