//! What differs between two versions of a round, in Vietnamese: one word a key of the files, in one table.

use survey_forms::round::{Change, Step, What};

/// A key, lists in the singular, and what the Department calls it. Whatever has no word is shown by its key, which is
/// what stands in the files.
const WORDS: &[(&str, &str)] = &[
    ("title", "tên"),
    ("name", "tên"),
    ("organiser", "cơ quan tổ chức"),
    ("legal_basis", "căn cứ"),
    ("sample", "dữ liệu mẫu"),
    ("dates", "thời hạn"),
    ("opens", "mở"),
    ("closes", "hết hạn trực tuyến"),
    ("keying_closes", "hết hạn nhập phiếu giấy"),
    ("publishes", "công bố từ"),
    ("grace_minutes", "số phút thêm cho phiếu đang làm dở"),
    ("target_kind", "loại cơ quan"),
    ("unit_kind", "loại đơn vị"),
    ("field", "lĩnh vực"),
    ("target", "cơ quan được đánh giá"),
    ("unit", "đơn vị"),
    ("parent", "đơn vị cấp trên"),
    ("kind", "loại"),
    ("division", "mảng việc"),
    ("valid_from", "ngày bắt đầu"),
    ("valid_to", "ngày kết thúc"),
    ("mapping", "dòng phân công"),
    ("group", "nhóm"),
    ("channel", "hình thức"),
    ("issue", "cách phát mã"),
    ("sources", "người của"),
    ("rates", "đánh giá"),
    ("quota", "chỉ tiêu"),
    ("weight", "trọng số"),
    ("bundle_size", "số phiếu một bó"),
    ("scale", "thang"),
    ("list of choices", "danh sách lựa chọn"),
    ("choices", "danh sách lựa chọn"),
    ("option", "phương án"),
    ("label", "lời"),
    ("percent", "tỷ lệ điểm"),
    ("criterion", "tiêu chí"),
    ("index_ref", "số hiệu tiêu chí"),
    ("max_points", "điểm tối đa"),
    ("questionnaire", "mẫu phiếu"),
    ("intro", "lời mở đầu"),
    ("closing", "lời kết"),
    ("section", "phần"),
    ("item", "câu"),
    ("question", "lời hỏi"),
    ("lead", "lời dẫn"),
    ("help", "gợi ý"),
    ("required", "bắt buộc"),
    ("only_if", "điều kiện hỏi"),
    ("at_most", "chọn tối đa"),
    ("min", "số nhỏ nhất"),
    ("max", "số lớn nhất"),
    ("decimals", "chữ số thập phân"),
    ("letters", "số ký tự"),
    ("scoring", "cách tính điểm"),
    ("void_below", "ngưỡng loại phiếu"),
    ("excluded_is_valid", "phương án không tính vẫn hợp lệ"),
    ("disclosure", "mức công bố"),
    ("distribution_n", "số phiếu để công bố phân bố"),
    ("declared_paper_total", "tổng phiếu giấy trong kế hoạch"),
    ("paper_ballots", "tổng phiếu giấy theo chỉ tiêu"),
    ("language", "ngôn ngữ"),
    ("translations", "bản dịch"),
    ("texts", "thư và thông báo"),
    ("privacy_notice", "thông báo về dữ liệu cá nhân"),
    ("invitation_subject", "tiêu đề thư mời"),
    ("invitation_body", "nội dung thư mời"),
    ("reminder_subject", "tiêu đề thư nhắc"),
    ("reminder_body", "nội dung thư nhắc"),
];

/// A difference as a line.
pub(super) fn sentence(change: &Change) -> String {
    let place: Vec<String> = change.place.iter().map(step).collect();
    let place = place.join(", ");
    let quoted = |text: &str| if text.is_empty() { "(trống)".to_owned() } else { format!("“{text}”") };
    let named = |text: &str| if text.is_empty() { String::new() } else { format!(" “{text}”") };
    match &change.what {
        What::Added(name) => format!("Thêm {place}{}", named(name)),
        What::Removed(name) => format!("Bỏ {place}{}", named(name)),
        What::Changed(before, after) => format!("Đổi {place}: từ {} thành {}", quoted(before), quoted(after)),
        What::Reordered => format!("Đổi thứ tự: {place}"),
    }
}

fn step(step: &Step) -> String {
    let word = WORDS.iter().find(|(key, _)| *key == step.key).map_or(step.key.as_str(), |(_, word)| word);
    match &step.code {
        Some(code) => format!("{word} {code}"),
        None => word.to_owned(),
    }
}
