//! One question as its template shows it.

use survey_forms::answers::{Answer, Form};
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::ratio;

use super::given::visible;
use super::words::{self, Phrase};

pub(super) struct AskedView<'f> {
    pub(super) title: &'f str,
    pub(super) intro: Option<&'f str>,
    pub(super) items: Vec<ItemView<'f>>,
}

pub(super) struct ItemView<'f> {
    pub(super) code: &'f str,
    pub(super) number: u32,
    pub(super) question: &'f str,
    /// A note before the question.
    pub(super) lead: Option<&'f str>,
    /// A hint below it.
    pub(super) help: Option<&'f str>,
    pub(super) required: bool,
    /// Not everybody is asked.
    pub(super) conditional: bool,
    /// What may be answered, where the page does not say it by itself.
    pub(super) rules: Vec<Phrase>,
    pub(super) options: Vec<OptionView<'f>>,
    /// A number or a text, as it stands in its field.
    pub(super) typed: String,
    /// What is wrong with it.
    pub(super) fault: Option<Phrase>,
    /// When it is asked, in words; only for the preview.
    pub(super) only_if: Vec<Phrase>,
    kind: &'f ItemKind,
}

pub(super) struct OptionView<'f> {
    pub(super) code: &'f str,
    pub(super) label: &'f str,
    pub(super) chosen: bool,
}

impl<'f> ItemView<'f> {
    /// With its answer, if there is one.
    pub(super) fn new(form: &Form<'f>, item: &'f Item, answer: Option<&Answer>, vietnamese: bool) -> Self {
        let chosen = |code: &str| match answer {
            Some(Answer::Choice(option)) => option == code,
            Some(Answer::Choices(options)) => options.iter().any(|option| option == code),
            _ => false,
        };
        let typed = match answer {
            Some(Answer::Number(number)) => words::decimal(number, vietnamese),
            Some(Answer::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let offered = item.options(form.scales, form.choices).into_iter();
        Self {
            code: &item.code,
            number: item.number,
            question: &item.question,
            lead: item.lead.as_deref(),
            help: item.help.as_deref(),
            required: item.required,
            conditional: !item.only_if.is_empty(),
            rules: words::rules(item, vietnamese),
            options: offered.map(|o| OptionView { code: o.code, label: o.label, chosen: chosen(o.code) }).collect(),
            typed,
            fault: None,
            only_if: Vec::new(),
            kind: &item.kind,
        }
    }

    /// What was sent takes the place of what is saved.
    pub(super) fn put(&mut self, values: &[String]) {
        for option in &mut self.options {
            option.chosen = values.iter().any(|value| value == option.code);
        }
        if self.is_typed() {
            self.typed = values.first().map(|written| visible(written)).unwrap_or_default();
        }
    }

    /// A number or a text.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self.kind, ItemKind::Number { .. } | ItemKind::Text { .. })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, ItemKind::Text { .. })
    }

    pub(super) fn is_multiple(&self) -> bool {
        matches!(self.kind, ItemKind::Multiple { .. })
    }

    pub(super) fn is_answered(&self) -> bool {
        !self.typed.is_empty() || self.options.iter().any(|option| option.chosen)
    }

    /// Labels of what is chosen.
    pub(super) fn labels(&self) -> Vec<&'f str> {
        self.options.iter().filter(|option| option.chosen).map(|option| option.label).collect()
    }

    /// The keys a telephone shows. Its number keys have no minus.
    pub(super) fn keys(&self) -> &'static str {
        match self.kind {
            ItemKind::Number { min: Some(min), decimals, .. } if *min >= ratio::whole(0) => {
                if *decimals == 0 {
                    "numeric"
                } else {
                    "decimal"
                }
            }
            _ => "text",
        }
    }

    /// Ids of what is said about it, most urgent first.
    pub(super) fn described(&self) -> String {
        let said = [
            (self.fault.is_some(), "e"),
            (self.lead.is_some(), "l"),
            (self.help.is_some(), "h"),
            (!self.rules.is_empty(), "r"),
        ];
        let ids: Vec<String> =
            said.iter().filter(|(there, _)| *there).map(|(_, kind)| format!("{kind}-{}", self.code)).collect();
        ids.join(" ")
    }
}
