//! A round as a list for review: dates, who rates whom and how many ballots that makes, every questionnaire with its
//! options. In the words of the Department.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use survey_forms::questionnaire::{Condition, Holds, Item, ItemKind};
use survey_forms::ratio::to_fixed;
use survey_forms::round::{Assignment, Channel, Group, IssueMode, Quota, Rates, Sources};
use survey_forms::{Ratio, Round};

use crate::clock::local;

/// Kinds of ballot of a group that are written out one by one.
const ROUTES_SHOWN: usize = 60;
/// Targets that are written out in one row.
const TARGETS_SHOWN: usize = 8;

/// What the templates show.
pub(super) struct Review {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) legal_basis: String,
    pub(super) organiser: String,
    pub(super) sample: bool,
    pub(super) hash: String,
    pub(super) dates: Vec<(&'static str, String)>,
    pub(super) rules: Vec<(&'static str, String)>,
    pub(super) groups: Vec<GroupReview>,
    pub(super) forms: Vec<FormReview>,
    /// Letters and notices: what for, and the text.
    pub(super) texts: Vec<(&'static str, String)>,
}

pub(super) struct GroupReview {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) channel: &'static str,
    /// Who is asked, and what a ballot rates.
    pub(super) asked: String,
    pub(super) rates: String,
    pub(super) quota: String,
    /// Kinds of ballot: unit, targets, how many; the first of them.
    pub(super) routes: Vec<(String, String, String)>,
    pub(super) routes_more: usize,
}

pub(super) struct FormReview {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) intro: String,
    pub(super) items: usize,
    /// Title, introduction, questions.
    pub(super) sections: Vec<(String, String, Vec<ItemReview>)>,
    pub(super) closing: String,
}

pub(super) struct ItemReview {
    pub(super) number: u32,
    pub(super) code: String,
    pub(super) question: String,
    /// What may be answered, whether it must be, and when it is asked.
    pub(super) answers: String,
    /// What stands before and below the question.
    pub(super) beside: Vec<String>,
}

impl Review {
    pub(super) fn of(round: &Round) -> Self {
        let mut routes: BTreeMap<String, Vec<Assignment>> = BTreeMap::new();
        for assignment in round.assignments() {
            routes.entry(assignment.respondent_code.clone()).or_default().push(assignment);
        }
        let names = Names::of(round);
        Self {
            id: round.id.clone(),
            title: round.title.clone(),
            legal_basis: round.legal_basis.clone(),
            organiser: round.organiser.name.clone(),
            sample: round.sample,
            hash: round.hash.clone(),
            dates: dates(round),
            rules: rules(round),
            groups: round
                .groups
                .iter()
                .map(|group| group_review(round, group, routes.get(&group.code).map_or(&[], Vec::as_slice), &names))
                .collect(),
            forms: round.questionnaires.iter().map(|form| form_review(round, form)).collect(),
            texts: texts(round),
        }
    }
}

/// Names by code.
struct Names<'r> {
    target_kinds: BTreeMap<&'r str, &'r str>,
    unit_kinds: BTreeMap<&'r str, &'r str>,
    targets: BTreeMap<&'r str, &'r str>,
    units: BTreeMap<&'r str, &'r str>,
}

impl<'r> Names<'r> {
    fn of(round: &'r Round) -> Self {
        Self {
            target_kinds: round.target_kinds.iter().map(|k| (&*k.code, &*k.name)).collect(),
            unit_kinds: round.unit_kinds.iter().map(|k| (&*k.code, &*k.name)).collect(),
            targets: round.targets.iter().map(|t| (&*t.code, &*t.name)).collect(),
            units: round.units.iter().map(|u| (&*u.code, &*u.name)).collect(),
        }
    }
}

fn named<'r>(names: &BTreeMap<&'r str, &'r str>, code: &'r str) -> &'r str {
    names.get(code).copied().unwrap_or(code)
}

fn listed(names: &BTreeMap<&str, &str>, codes: &[String]) -> String {
    codes.iter().map(|code| named(names, code)).collect::<Vec<_>>().join(", ")
}

fn dates(round: &Round) -> Vec<(&'static str, String)> {
    let dates = &round.dates;
    let mut all = vec![
        ("Mở", moment(&dates.opens)),
        ("Hết hạn trực tuyến", moment(&dates.closes)),
        ("Hết hạn nhập phiếu giấy", moment(&dates.keying_closes)),
        ("Công bố từ", moment(&dates.publishes)),
    ];
    if dates.grace_minutes > 0 {
        all.push(("Thêm thời gian cho phiếu đang làm dở", format!("{} phút", dates.grace_minutes)));
    }
    all
}

fn moment(at: &DateTime<FixedOffset>) -> String {
    local(at.to_utc()).format("%H:%M ngày %d/%m/%Y").to_string()
}

fn rules(round: &Round) -> Vec<(&'static str, String)> {
    let figures = round.summary();
    let by_kind = |all: usize, counts: &BTreeMap<String, usize>, names: &BTreeMap<&str, &str>| {
        let kinds: Vec<String> = counts.iter().map(|(kind, n)| format!("{} {n}", named(names, kind))).collect();
        format!("{all} ({})", kinds.join(", "))
    };
    let names = Names::of(round);
    let mut all = vec![
        ("Cơ quan được đánh giá", by_kind(figures.targets, &figures.targets_by_kind, &names.target_kinds)),
        ("Đơn vị có người được hỏi", by_kind(figures.units, &figures.units_by_kind, &names.unit_kinds)),
        ("Câu hỏi, tiêu chí", format!("{} câu, {} tiêu chí", figures.items, figures.criteria)),
        ("Phiếu giấy theo chỉ tiêu", figures.paper_ballots.to_string()),
        ("Điểm của một nhóm chỉ công bố khi có từ", format!("{} câu trả lời", round.disclosure.k)),
        ("Bảng phân bố chỉ công bố khi có từ", format!("{} câu trả lời", round.disclosure.distribution_n)),
    ];
    if !round.languages.is_empty() {
        let names: Vec<&str> = round.languages.iter().map(|language| language.name.as_str()).collect();
        all.push(("Ngôn ngữ ngoài tiếng Việt", names.join(", ")));
    }
    if let Some(total) = round.declared_paper_total {
        all.push(("Tổng phiếu giấy trong kế hoạch", total.to_string()));
    }
    all
}

fn texts(round: &Round) -> Vec<(&'static str, String)> {
    let texts = &round.texts;
    let all = [
        ("Thông báo về dữ liệu cá nhân", &texts.privacy_notice),
        ("Trước ngày mở", &texts.before_opening),
        ("Sau khi hết hạn", &texts.after_closing),
        ("Thư mời: tiêu đề", &texts.invitation_subject),
        ("Thư mời: nội dung", &texts.invitation_body),
        ("Thư nhắc: tiêu đề", &texts.reminder_subject),
        ("Thư nhắc: nội dung", &texts.reminder_body),
    ];
    all.into_iter().filter_map(|(what, text)| Some((what, text.clone()?))).collect()
}

fn group_review(round: &Round, group: &Group, routes: &[Assignment], names: &Names<'_>) -> GroupReview {
    let channel = match (group.channel, group.issue) {
        (Channel::Online, IssueMode::Draw) => "Trực tuyến, bốc mã",
        (Channel::Online, IssueMode::Addressed) => "Trực tuyến, mã gửi theo tên",
        (Channel::Paper, IssueMode::Draw) => "Phiếu giấy, bốc mã",
        (Channel::Paper, IssueMode::Addressed) => "Phiếu giấy, mã gửi theo tên",
    };
    let row = |route: &Assignment| {
        let unit = route.source_unit.as_deref().map_or("Không theo đơn vị", |code| named(&names.units, code));
        let first: Vec<&str> =
            route.targets.iter().take(TARGETS_SHOWN).map(|code| named(&names.targets, code)).collect();
        let more = route.targets.len().saturating_sub(TARGETS_SHOWN);
        let tail = if more > 0 { format!(" và {more} cơ quan khác") } else { String::new() };
        let ballots = route.ballots.map_or_else(|| "theo danh sách".to_owned(), |n| n.to_string());
        (unit.to_owned(), format!("{}{tail}", first.join(", ")), ballots)
    };
    GroupReview {
        code: group.code.clone(),
        name: group.name.clone(),
        channel,
        asked: match &group.sources {
            Sources::None => "Không theo đơn vị".to_owned(),
            Sources::Kinds(kinds) => format!("Người của: {}", listed(&names.unit_kinds, kinds)),
        },
        rates: rates(round, group, names),
        quota: quota(&group.quota, names),
        routes: routes.iter().take(ROUTES_SHOWN).map(row).collect(),
        routes_more: routes.len().saturating_sub(ROUTES_SHOWN),
    }
}

fn rates(round: &Round, group: &Group, names: &Names<'_>) -> String {
    let of = |kinds: &[String]| {
        let count = round.targets.iter().filter(|target| kinds.contains(&target.kind)).count();
        format!("{} ({count} cơ quan)", listed(&names.target_kinds, kinds))
    };
    match &group.rates {
        Rates::OwnUnit => "đánh giá chính cơ quan mình".to_owned(),
        Rates::Parent => "đánh giá cơ quan cấp trên của đơn vị mình".to_owned(),
        Rates::Mapped => "đánh giá các cơ quan chủ quản theo bảng phân công".to_owned(),
        Rates::Kinds(kinds) => format!("một phiếu đánh giá tất cả: {}", of(kinds)),
        Rates::Targets(codes) => format!("một phiếu đánh giá: {}", listed(&names.targets, codes)),
        Rates::OnePerBallot(kinds) => format!("mỗi phiếu đánh giá một cơ quan trong: {}", of(kinds)),
    }
}

fn quota(quota: &Quota, names: &Names<'_>) -> String {
    match quota {
        Quota::Roster => "Theo danh sách mời".to_owned(),
        Quota::Fixed(count) => format!("{count} phiếu"),
        Quota::PerTarget { per, of } => format!("{per} phiếu cho mỗi cơ quan loại {}", named(&names.target_kinds, of)),
        Quota::PerSourceUnit { per, of } => format!("{per} phiếu cho mỗi đơn vị loại {}", named(&names.unit_kinds, of)),
    }
}

fn form_review(round: &Round, form: &survey_forms::questionnaire::Questionnaire) -> FormReview {
    let item = |item: &Item| ItemReview {
        number: item.number,
        code: item.code.clone(),
        question: item.question.clone(),
        answers: {
            let required = if item.required { ". Bắt buộc trả lời" } else { "" };
            let asked: Vec<String> = item.only_if.iter().map(condition).collect();
            let asked =
                if asked.is_empty() { String::new() } else { format!(". Chỉ hỏi khi {}", asked.join(", và ")) };
            format!("{}{required}{asked}.", answers(round, item))
        },
        beside: item.lead.iter().chain(&item.help).cloned().collect(),
    };
    FormReview {
        code: form.respondent_code.clone(),
        title: form.title.clone(),
        intro: form.intro.clone(),
        items: form.items().count(),
        sections: form
            .sections
            .iter()
            .map(|section| {
                let intro = section.intro.clone().unwrap_or_default();
                (section.title.clone(), intro, section.items.iter().map(item).collect())
            })
            .collect(),
        closing: form.closing.clone().unwrap_or_default(),
    }
}

/// What may be answered, in one line.
fn answers(round: &Round, item: &Item) -> String {
    let worth = |percent: &Option<Ratio>| match percent {
        Some(percent) => format!("{} %", trimmed(&to_fixed(percent, 2))),
        None => "không tính".to_owned(),
    };
    let chosen = |code: &str| {
        let list = round.choices.iter().find(|list| list.code == code);
        let labels: Vec<&str> = list.iter().flat_map(|list| &list.options).map(|o| o.label.as_str()).collect();
        labels.join(" · ")
    };
    match &item.kind {
        ItemKind::Scale { scale } => {
            let options = round.scale(scale).map(|scale| scale.options.as_slice()).unwrap_or_default();
            let options: Vec<String> = options.iter().map(|o| format!("{} ({})", o.label, worth(&o.percent))).collect();
            format!("Thang {scale}: {}", options.join(" · "))
        }
        ItemKind::Single { choices } => format!("Chọn một: {}", chosen(choices)),
        ItemKind::Multiple { choices, at_most: None } => format!("Chọn một hoặc nhiều: {}", chosen(choices)),
        ItemKind::Multiple { choices, at_most: Some(most) } => format!("Chọn tối đa {most}: {}", chosen(choices)),
        ItemKind::Number { min, max, decimals } => {
            let decimals =
                if *decimals > 0 { format!(", tối đa {decimals} chữ số thập phân") } else { String::new() };
            format!("Số{}{decimals}", between(min.as_ref(), max.as_ref()))
        }
        ItemKind::Text { letters } => format!("Trả lời tự do, tối đa {letters} ký tự"),
    }
}

fn between(least: Option<&Ratio>, most: Option<&Ratio>) -> String {
    let bound = |word: &str, number: Option<&Ratio>| match number {
        Some(number) => format!(" {word} {}", trimmed(&to_fixed(number, 4))),
        None => String::new(),
    };
    format!("{}{}", bound("từ", least), bound("đến", most))
}

/// When a question is asked, in words; its section's conditions are among its own.
fn condition(condition: &Condition) -> String {
    let what = match &condition.holds {
        Holds::Is(options) => format!("là {}", options.join(" hoặc ")),
        Holds::IsNot(options) => format!("không phải là {}", options.join(" hoặc ")),
        Holds::Between { at_least, at_most } => format!("có số{}", between(at_least.as_ref(), at_most.as_ref())),
        Holds::Answered(true) => "đã được trả lời".to_owned(),
        Holds::Answered(false) => "chưa được trả lời".to_owned(),
    };
    format!("câu {} {what}", condition.item)
}

/// `75.00` as `75`, `12.50` as `12,5`.
fn trimmed(decimal: &str) -> String {
    decimal.trim_end_matches('0').trim_end_matches('.').replace('.', ",")
}
