//! What the templates show: words and links, worked out from a round, a form and a draft.

use askama::Template;
use chrono::{DateTime, Utc};
use survey_forms::answers::Answers;
use survey_forms::questionnaire::{Item, Section};
use survey_forms::round::Channel;

use super::given::Faulty;
use super::item_view::{AskedView, ItemView};
use super::place::{Course, Place, encoded, is_one_screen};
use super::sent::Sent;
use super::words;
use crate::clock::local;
use crate::http::frame::Frame;
use crate::round::{LoadedRound, RoundState};

/// A round, as respondents see it.
pub(super) struct RoundView {
    pub(super) title: String,
    pub(super) organiser: String,
    pub(super) contact_name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) website: Option<String>,
    pub(super) opens: String,
    pub(super) closes: String,
    /// The round is closed, and until then a saved draft may still be sent.
    pub(super) grace: Option<String>,
    pub(super) sample: bool,
    pub(super) accepting: bool,
    pub(super) standing: &'static str,
    /// What the organiser says while it takes no ballots.
    pub(super) notice: Option<String>,
    /// What the organiser says about respondents' data.
    pub(super) privacy: Option<String>,
}

impl RoundView {
    pub(super) fn new(round: &LoadedRound, now: DateTime<Utc>) -> Self {
        let organiser = &round.definition.organiser;
        let accepting = round.accepts(Channel::Online, now);
        let texts = &round.definition.texts;
        let (standing, notice) = if accepting {
            ("Đang nhận phiếu", None)
        } else if round.state == RoundState::Loaded || (round.state == RoundState::Open && now < round.opens_at) {
            ("Chưa mở", texts.before_opening.clone())
        } else {
            ("Đã hết hạn", texts.after_closing.clone())
        };
        Self {
            title: round.definition.title.clone(),
            organiser: organiser.name.clone(),
            contact_name: organiser.contact_name.clone().filter(|name| *name != organiser.name),
            phone: organiser.phone.clone(),
            email: organiser.email.clone(),
            website: organiser
                .website
                .clone()
                .filter(|site| site.starts_with("https://") || site.starts_with("http://")),
            opens: moment(round.opens_at),
            closes: moment(round.closes_at),
            grace: round.in_grace(now).then(|| moment(round.grace_ends_at())),
            sample: round.definition.sample,
            accepting,
            standing,
            notice,
            privacy: texts.privacy_notice.clone(),
        }
    }
}

/// An instant as people in Viet Nam write it.
fn moment(at: DateTime<Utc>) -> String {
    local(at).format("%H:%M ngày %d/%m/%Y").to_string()
}

/// The name of a target; its code if the round has no name for it.
pub(super) fn target_name<'r>(round: &'r LoadedRound, code: &'r str) -> &'r str {
    round.definition.target(code).map_or(code, |target| target.name.as_str())
}

/// Enter a code.
#[derive(Template)]
#[template(path = "respond/entry.html")]
pub(super) struct EntryPage {
    pub(super) frame: Frame,
    pub(super) rounds: Vec<RoundView>,
    /// No round is under way or to come.
    pub(super) closed: bool,
    /// Where the form goes; the place that somebody came from, when a session ended.
    pub(super) action: String,
    /// What to tell first.
    pub(super) said: Option<String>,
    /// Whether that is about the code that was typed.
    pub(super) faulty: bool,
    /// What was typed, to be mended.
    pub(super) typed: String,
    /// Answers that came without a code.
    pub(super) carried: Vec<(String, String)>,
    /// This browser carries a code already.
    pub(super) under_way: bool,
}

/// Nothing can be answered: why, and what to do.
#[derive(Template)]
#[template(path = "respond/stop.html")]
pub(super) struct StopPage {
    pub(super) frame: Frame,
    pub(super) round: RoundView,
    pub(super) said: &'static [&'static str],
    pub(super) dates: bool,
    pub(super) carried: bool,
}

/// The targets of a ballot, to choose from.
#[derive(Template)]
#[template(path = "respond/tasks.html")]
pub(super) struct TasksPage<'f> {
    pub(super) frame: Frame,
    pub(super) round: RoundView,
    pub(super) title: &'f str,
    pub(super) intro: &'f str,
    pub(super) answered: usize,
    pub(super) total: usize,
    pub(super) tasks: Vec<Task<'f>>,
}

pub(super) struct Task<'f> {
    pub(super) name: &'f str,
    pub(super) path: String,
    pub(super) answered: usize,
    pub(super) total: usize,
}

pub(super) fn tasks<'f>(round: &'f LoadedRound, course: &Course<'f>, answers: &Answers) -> Vec<Task<'f>> {
    let sections = &course.form.questionnaire.sections;
    let task = |code: &'f String| {
        let total: usize = sections.iter().map(|s| course.items(s, code).count()).sum();
        let blanks: usize = sections.iter().map(|s| course.unanswered(s, code, answers)).sum();
        let path = format!("/p?dt={}", encoded(code));
        Task { name: target_name(round, code), path, answered: total.saturating_sub(blanks), total }
    };
    course.form.targets.iter().map(task).collect()
}

/// One screen about one target.
#[derive(Template)]
#[template(path = "respond/section.html")]
pub(super) struct SectionPage<'f> {
    pub(super) frame: Frame,
    pub(super) round: RoundView,
    pub(super) action: String,
    /// Whose page it is.
    pub(super) mark: String,
    pub(super) target: &'f str,
    pub(super) heading: String,
    /// The whole ballot, its sections under headings.
    pub(super) whole: bool,
    pub(super) intro: Option<&'f str>,
    pub(super) sections: Vec<AskedView<'f>>,
    /// Codes of those items on the page that not everybody is asked, when the questionnaire has such.
    pub(super) shown: Option<String>,
    pub(super) back: bool,
    /// Some answers do not fit and were not saved.
    pub(super) faulty: bool,
    /// Something on the page must be answered.
    pub(super) required: bool,
}

/// The sections of one screen with what was answered, and, when it comes again, with what was sent instead.
pub(super) fn asked<'f>(
    course: &Course<'f>,
    place: Place,
    answers: &Answers,
    again: Option<(&Sent, &[Faulty])>,
    vietnamese: bool,
) -> Vec<AskedView<'f>> {
    let target = place.target(&course.form);
    let item = |item: &'f Item| {
        let mut view = ItemView::new(&course.form, item, answers.get(target, &item.code), vietnamese);
        if let Some((sent, faulty)) = again {
            if let Some(values) = sent.given.get(&item.code) {
                view.put(values);
            }
            let fault = faulty.iter().find(|fault| fault.item == item.code);
            let letters = view.typed.chars().count();
            view.fault = fault.map(|fault| words::fault(item, fault.code, letters, vietnamese));
        }
        view
    };
    let view = |section: &'f Section| AskedView {
        title: &section.title,
        intro: section.intro.as_deref(),
        items: course.items(section, target).map(item).collect(),
    };
    place.sections(&course.form).iter().map(view).filter(|section| !section.items.is_empty()).collect()
}

/// Everything once more before it is cast.
#[derive(Template)]
#[template(path = "respond/review.html")]
pub(super) struct ReviewPage<'f> {
    pub(super) frame: Frame,
    pub(super) round: RoundView,
    /// Whose page it is.
    pub(super) mark: String,
    /// It was not cast.
    pub(super) refused: bool,
    pub(super) answered: usize,
    pub(super) blanks: usize,
    pub(super) total: usize,
    pub(super) targets: Vec<TargetView<'f>>,
    /// What must still be answered.
    pub(super) missing: Vec<MissingView<'f>>,
    pub(super) closing: Option<&'f str>,
    pub(super) back: String,
}

/// A required item without an answer.
pub(super) struct MissingView<'f> {
    pub(super) number: u32,
    pub(super) question: &'f str,
    /// The target, when there are several.
    pub(super) target: Option<&'f str>,
    pub(super) path: String,
}

pub(super) struct TargetView<'f> {
    pub(super) name: &'f str,
    pub(super) sections: Vec<SectionView<'f>>,
}

pub(super) struct SectionView<'f> {
    pub(super) title: &'f str,
    pub(super) path: String,
    /// Its place on a screen of several sections: a fragment, or nothing.
    pub(super) first: String,
    /// Whether any of its items is answered.
    pub(super) answered: bool,
    pub(super) items: Vec<ItemView<'f>>,
}

pub(super) fn reviewed<'f>(
    round: &'f LoadedRound,
    course: &Course<'f>,
    answers: &Answers,
    vietnamese: bool,
) -> Vec<TargetView<'f>> {
    let form = &course.form;
    let one = is_one_screen(form);
    let section = |target: usize, (at, of): (usize, &'f Section)| {
        let place = Place { target, screen: if one { 0 } else { at } };
        let code = place.target(form);
        let view = |item: &'f Item| ItemView::new(form, item, answers.get(code, &item.code), vietnamese);
        let items: Vec<ItemView<'f>> = course.items(of, code).map(view).collect();
        let answered = items.iter().any(ItemView::is_answered);
        let first = items.first().filter(|_| one).map(|item| format!("#c-{}", encoded(item.code)));
        SectionView { title: &of.title, path: place.path(form), first: first.unwrap_or_default(), answered, items }
    };
    let sections = &form.questionnaire.sections;
    let target = |(at, code): (usize, &'f String)| TargetView {
        name: target_name(round, code),
        sections: sections.iter().enumerate().map(|s| section(at, s)).filter(|s| !s.items.is_empty()).collect(),
    };
    form.targets.iter().enumerate().map(target).collect()
}

/// What must still be answered, from the review's own rows.
pub(super) fn missing<'f>(targets: &[TargetView<'f>]) -> Vec<MissingView<'f>> {
    let several = targets.len() > 1;
    let rows = targets.iter().flat_map(|target| target.sections.iter().map(move |section| (target, section)));
    let rows = rows.flat_map(|(target, section)| section.items.iter().map(move |item| (target, section, item)));
    let wanting = rows.filter(|(_, _, item)| item.required && !item.is_answered());
    let view = |(target, section, item): (&TargetView<'f>, &SectionView<'f>, &ItemView<'f>)| MissingView {
        number: item.number,
        question: item.question,
        target: several.then_some(target.name),
        path: format!("{}#{}-{}", section.path, if item.is_typed() { 'i' } else { 'c' }, encoded(item.code)),
    };
    wanting.map(view).collect()
}

/// The ballot is in the box.
#[derive(Template)]
#[template(path = "respond/receipt.html")]
pub(super) struct ReceiptPage {
    pub(super) frame: Frame,
    pub(super) round: RoundView,
    /// In groups of four digits.
    pub(super) receipt: String,
}

/// A page of another code was sent; nothing was kept.
#[derive(Template)]
#[template(path = "respond/other.html")]
pub(super) struct OtherPage {
    pub(super) frame: Frame,
    /// This browser carries a code.
    pub(super) carried: bool,
}

/// The code is forgotten.
#[derive(Template)]
#[template(path = "respond/left.html")]
pub(super) struct LeftPage {
    pub(super) frame: Frame,
}

/// Help.
#[derive(Template)]
#[template(path = "respond/help.html")]
pub(super) struct HelpPage {
    pub(super) frame: Frame,
    pub(super) rounds: Vec<RoundView>,
}

/// Who can use the form, and how that was tried.
#[derive(Template)]
#[template(path = "respond/accessibility.html")]
pub(super) struct AccessibilityPage {
    pub(super) frame: Frame,
    pub(super) rounds: Vec<RoundView>,
}
