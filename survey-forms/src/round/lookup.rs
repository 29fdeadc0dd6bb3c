//! Finding things in a round by their codes.

use super::{Field, Group, Round, Target, TargetKind, Unit, UnitKind};
use crate::answers::Form;
use crate::questionnaire::{Criterion, Questionnaire, Scale};

impl Round {
    /// The respondent group with this code.
    #[must_use]
    pub fn group(&self, code: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.code == code)
    }

    /// The rated body with this code.
    #[must_use]
    pub fn target(&self, code: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.code == code)
    }

    /// The kind of rated bodies with this code.
    #[must_use]
    pub fn target_kind(&self, code: &str) -> Option<&TargetKind> {
        self.target_kinds.iter().find(|kind| kind.code == code)
    }

    /// The kind of units with this code.
    #[must_use]
    pub fn unit_kind(&self, code: &str) -> Option<&UnitKind> {
        self.unit_kinds.iter().find(|kind| kind.code == code)
    }

    /// The field with this code.
    #[must_use]
    pub fn field(&self, code: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.code == code)
    }

    /// The unit with this code.
    #[must_use]
    pub fn unit(&self, code: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.code == code)
    }

    /// The questionnaire of a group.
    #[must_use]
    pub fn questionnaire(&self, respondent_code: &str) -> Option<&Questionnaire> {
        self.questionnaires.iter().find(|form| form.respondent_code == respondent_code)
    }

    /// The scale with this code.
    #[must_use]
    pub fn scale(&self, code: &str) -> Option<&Scale> {
        self.scales.iter().find(|scale| scale.code == code)
    }

    /// What an item counts for.
    #[must_use]
    pub fn criterion(&self, item_code: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.item_code == item_code)
    }
}

impl Round {
    /// No canonical ballot of a group is longer, in bytes, whatever its targets: the one bucket of
    /// the group's questionnaire. `None` for an unknown group or one that rates nothing.
    #[must_use]
    pub fn ballot_bucket(&self, respondent_code: &str) -> Option<usize> {
        let group = self.group(respondent_code)?;
        let questionnaire = self.questionnaire(respondent_code)?;
        let assignments = self.assignments().into_iter();
        let own = assignments.filter(|assignment| assignment.respondent_code == respondent_code);
        own.map(|assignment| {
            let (scales, choices) = (&self.scales, &self.choices);
            let form = Form { questionnaire, scales, choices, targets: &assignment.targets, channel: group.channel };
            form.max_canonical_len()
        })
        .max()
    }

    /// What a ballot of this group about these targets may answer.
    #[must_use]
    pub fn form<'r>(&'r self, respondent_code: &str, targets: &'r [String]) -> Option<Form<'r>> {
        let questionnaire = self.questionnaire(respondent_code)?;
        let channel = self.group(respondent_code)?.channel;
        Some(Form { questionnaire, scales: &self.scales, choices: &self.choices, targets, channel })
    }
}
