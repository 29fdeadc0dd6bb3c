//! How an item's score came about, in Vietnamese sentences: every step from the answers to the published digits, as far
//! as the released document shows them.

use serde::Serialize;
use survey_forms::Round;
use survey_forms::scoring::{self, Explanation, GroupPart, ScoreDocument};

use super::ScoreError;
use super::view::{decimal, hidden};

/// An explanation with its sentences.
#[derive(Serialize)]
pub(super) struct Explained {
    #[serde(flatten)]
    pub(super) explanation: Explanation,
    /// In Vietnamese, in the order of the reckoning.
    pub(super) steps: Vec<String>,
}

/// Explains an item of a released document.
///
/// # Errors
/// [`ScoreError::TargetUnknown`], [`ScoreError::CriterionUnknown`].
pub(super) fn explained(
    round: &Round,
    document: &ScoreDocument,
    target: &str,
    item: &str,
) -> Result<Explained, ScoreError> {
    if !document.targets.iter().any(|found| found.target == target) {
        return Err(ScoreError::TargetUnknown);
    }
    let explanation = scoring::explain(round, document, target, item).ok_or(ScoreError::CriterionUnknown)?;
    let steps = steps(&explanation);
    Ok(Explained { explanation, steps })
}

fn steps(told: &Explanation) -> Vec<String> {
    let mut steps: Vec<String> = told.groups.iter().map(|group| of_group(told, group)).collect();
    if let Some(left_out) = told.left_out.filter(|left_out| *left_out > 0) {
        steps.push(format!(
            "Trong các phiếu được hỏi có {left_out} phiếu không có câu trả lời hợp lệ cho tiêu chí này (để trống, đánh dấu \
             sai hoặc “không có thông tin”); các phiếu ấy không tính vào trung bình, cũng không tính là 0."
        ));
    }
    if told.n == 0 {
        steps.push("Không có câu trả lời hợp lệ: tiêu chí không có điểm và không tính vào điểm tối đa.".to_owned());
        return steps;
    }
    let counting: Vec<&GroupPart> = told.groups.iter().filter(|group| group.counts).collect();
    let weights: Vec<String> = counting.iter().map(|group| decimal(&group.weight)).collect();
    steps.push(format!(
        "Tổng trọng số của các nhóm có câu trả lời hợp lệ: {} = {}. Nhóm không có câu trả lời hợp lệ không có mặt ở mẫu số.",
        weights.join(" + "),
        decimal(&told.weights)
    ));
    let Some(percent) = &told.percent else {
        let reason = told.suppressed.map_or("ẩn", hidden);
        steps.push(format!(
            "Điểm chung của tiêu chí không công bố ({reason}); nó vẫn được tính vào lĩnh vực và tổng điểm."
        ));
        return steps;
    };
    let terms: Vec<String> = counting
        .iter()
        .map(|group| {
            let mean = group.exact_mean.as_ref().or(group.mean.as_ref());
            let mean = mean.map_or_else(|| format!("[{}: ẩn]", group.respondent_code), |mean| decimal(mean));
            format!("{} × {mean}", decimal(&group.weight))
        })
        .collect();
    let exact = told.exact_percent.as_ref().map(|exact| format!(" = {}", decimal(exact))).unwrap_or_default();
    let sum = terms.join(" + ");
    steps.push(format!("Tỷ lệ của tiêu chí: ({sum}) ÷ {}{exact} ≈ {} %.", decimal(&told.weights), decimal(percent)));
    if let Some(points) = &told.points {
        steps.push(format!(
            "Điểm: điểm tối đa {} × tỷ lệ chưa làm tròn ÷ 100 = {} điểm.",
            decimal(&told.max_points),
            decimal(points)
        ));
    }
    steps.push(format!(
        "Mọi phép tính dùng phân số chính xác; chỉ làm tròn một lần khi công bố, đến {} chữ số sau dấu phẩy, nửa đơn vị làm \
         tròn lên.",
        told.decimals
    ));
    steps
}

fn of_group(told: &Explanation, group: &GroupPart) -> String {
    let code = &group.respondent_code;
    let came = format!("phát {} mã, thu {} phiếu", group.issued, group.returned);
    if !group.counts {
        return format!("{code}: {came}, không có câu trả lời hợp lệ nên nhóm không tính vào mẫu số.");
    }
    let n = group.n;
    let Some(mean) = &group.mean else {
        let reason = group.suppressed.map_or("ẩn", hidden);
        return format!("{code}: {came}, {n} câu trả lời hợp lệ; trung bình của nhóm không công bố ({reason}).");
    };
    let mean = decimal(mean);
    let (Some(options), Some(sum)) = (&group.options, &group.sum) else {
        let from = told.distribution_n;
        return format!(
            "{code}: {came}, {n} câu trả lời hợp lệ, trung bình {mean}. Số câu trả lời theo phương án chỉ công bố khi có từ \
             {from} câu trả lời."
        );
    };
    let worth = options.iter().filter(|option| option.count > 0);
    let worth = worth.filter_map(|option| Some(format!("{} × {}", option.count, decimal(option.percent.as_ref()?))));
    let sum_of: Vec<String> = worth.collect();
    let mut text = format!(
        "{code}: {came}. Tổng giá trị: {} = {}; chia cho {n} câu trả lời hợp lệ",
        sum_of.join(" + "),
        decimal(sum)
    );
    match &group.exact_mean {
        Some(exact) => text.push_str(&format!(" = {} ≈ {mean}.", decimal(exact))),
        None => {
            text = format!(
                "{code}: {came}, {n} câu trả lời hợp lệ; các nhóm nhỏ cùng đánh giá một cơ quan được tính theo số mã đã phát, trung bình \
             {mean}."
            )
        }
    }
    let left: Vec<String> = options
        .iter()
        .filter(|option| option.percent.is_none() && option.count > 0)
        .map(|option| format!("{} ({})", option.label, option.count))
        .chain(group.marks.iter().flatten().map(|mark| format!("{} ({})", mark_words(&mark.mark), mark.count)))
        .collect();
    if !left.is_empty() {
        text.push_str(&format!(" Không tính: {}.", left.join("; ")));
    }
    text
}

/// A mark of paper, or an item that was passed over, for people.
pub(super) fn mark_words(mark: &str) -> &'static str {
    match mark {
        "blank" => "để trống",
        "several" => "chọn nhiều hơn một phương án",
        "illegible" => "không đọc được",
        _ => "không trả lời",
    }
}
