//! What the code's holder is asked, as JSON. It is the same for everybody of a stratum, so it is written once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use survey_forms::answers::Form;
use survey_forms::questionnaire::Item;
use utoipa::ToSchema;

use super::views::target_name;
use crate::ballot::Bearer;
use crate::round::rest::ItemRules;

/// The questions and what they are about.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedForm<'f> {
    /// The group's code.
    #[schema(example = "CC-CT")]
    respondent_code: &'f str,
    /// The questions.
    questionnaire: AskedQuestionnaire<'f>,
    /// What is rated, in the order of the ballot.
    targets: Vec<AskedTarget<'f>>,
}

/// A questionnaire (mẫu phiếu).
#[derive(Serialize, ToSchema)]
pub(super) struct AskedQuestionnaire<'f> {
    /// SHA-256 of its canonical JSON, lower-case hex; it is sealed with the answers.
    hash: &'f str,
    /// Heading.
    title: &'f str,
    /// What is said before the first question.
    intro: &'f str,
    /// Sections, in order.
    sections: Vec<AskedSection<'f>>,
    /// What is said after the last question.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<&'f str>,
}

/// A section, one screen.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedSection<'f> {
    /// Its code.
    code: &'f str,
    /// Heading.
    title: &'f str,
    /// What is said before its first question.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<&'f str>,
    /// Questions, in order.
    items: Vec<AskedItem<'f>>,
}

/// A question.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedItem<'f> {
    /// The key of its answer.
    #[schema(example = "X1.1")]
    item_code: &'f str,
    /// 1.. through the questionnaire.
    number: u32,
    /// The words.
    question: &'f str,
    /// What may be answered, in order; none for numbers and text.
    options: Vec<AskedOption<'f>>,
    #[serde(flatten)]
    rules: ItemRules,
}

/// An option.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedOption<'f> {
    /// What is sent.
    #[schema(example = "B")]
    option: &'f str,
    /// What people see.
    label: &'f str,
}

/// A rated body.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedTarget<'f> {
    /// The key of the answers about it.
    #[schema(example = "SNV")]
    target: &'f str,
    /// Its name.
    name: &'f str,
    /// Code of its kind.
    #[schema(example = "so")]
    kind: &'f str,
}

/// Written forms by round hash and stratum.
#[derive(Default)]
pub(super) struct Shown(RwLock<HashMap<(String, String), Arc<str>>>);

/// A round has a few hundred strata; a cache that outgrows this starts anew.
const MOST: usize = 2_048;

impl Shown {
    /// The form of this code as JSON; `None` when the code does not fit its round.
    pub(super) fn form(&self, bearer: &Bearer) -> Option<Arc<str>> {
        let key = (bearer.round.definition.hash.clone(), bearer.stratum.to_string());
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(Arc::clone(known));
        }
        let form = bearer.form().ok()?;
        let written: Arc<str> = serde_json::to_string(&asked(bearer, &form)).ok()?.into();
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MOST {
            cache.clear();
        }
        cache.insert(key, Arc::clone(&written));
        Some(written)
    }
}

fn asked<'f>(bearer: &'f Bearer, form: &Form<'f>) -> AskedForm<'f> {
    let questionnaire = form.questionnaire;
    let options = |item: &Item| {
        let options = item.options(form.scales, form.choices);
        options.iter().map(|o| AskedOption { option: o.code, label: o.label }).collect()
    };
    let sections = questionnaire.sections.iter().map(|section| AskedSection {
        code: &section.code,
        title: &section.title,
        intro: section.intro.as_deref(),
        items: section
            .items
            .iter()
            .map(|item| AskedItem {
                item_code: &item.code,
                number: item.number,
                question: &item.question,
                options: options(item),
                rules: ItemRules::from(item),
            })
            .collect(),
    });
    let targets = form.targets.iter().map(|code| AskedTarget {
        target: code,
        name: target_name(&bearer.round, code),
        kind: bearer.round.definition.target(code).map_or("", |target| target.kind.as_str()),
    });
    AskedForm {
        respondent_code: &questionnaire.respondent_code,
        questionnaire: AskedQuestionnaire {
            hash: &questionnaire.hash,
            title: &questionnaire.title,
            intro: &questionnaire.intro,
            sections: sections.collect(),
            closing: questionnaire.closing.as_deref(),
        },
        targets: targets.collect(),
    }
}
