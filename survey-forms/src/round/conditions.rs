//! Conditions ("only if"): reading them, and whether they can ever hold.

use std::collections::BTreeMap;

use super::toml_reader::Reader;
use super::{Round, keys};
use crate::fault::Faults;
use crate::questionnaire::{Condition, Holds, Item, ItemKind, Questionnaire};

/// The conditions of an item or a section; none when there is no such key.
pub(super) fn read(table: &Reader, faults: &mut Faults) -> Vec<Condition> {
    if !table.has("only_if") {
        return Vec::new();
    }
    table.tables("only_if", keys::CONDITION, faults).iter().map(|row| condition(row, faults)).collect()
}

fn condition(row: &Reader, faults: &mut Faults) -> Condition {
    let item = row.code("item", faults);
    let bounds = row.has("at_least") || row.has("at_most");
    let said = [row.has("is"), row.has("is_not"), row.has("answered"), bounds];
    if said.iter().filter(|said| **said).count() != 1 {
        let message = "Say one thing: is, is_not, answered, or at_least and at_most.";
        row.wrong("item", "condition_form", message, faults);
    }
    let holds = if row.has("is") {
        Holds::Is(row.codes("is", faults))
    } else if row.has("is_not") {
        Holds::IsNot(row.codes("is_not", faults))
    } else if bounds {
        let (at_least, at_most) = (row.optional_ratio("at_least", faults), row.optional_ratio("at_most", faults));
        if at_least.as_ref().zip(at_most.as_ref()).is_some_and(|(least, most)| least > most) {
            row.wrong("at_most", "condition_never", "Let at_most not be below at_least.", faults);
        }
        Holds::Between { at_least, at_most }
    } else {
        Holds::Answered(!row.has("answered") || row.truth("answered", faults))
    };
    Condition { item, holds }
}

/// Conditions that name no earlier item, or what its answer cannot be. Because an item may look back only, no
/// condition can go in a circle.
pub(super) fn check(file: &str, form: &Questionnaire, round: &Round, faults: &mut Faults) {
    let numbers: BTreeMap<&str, &Item> = form.items().map(|item| (item.code.as_str(), item)).collect();
    for (s, section) in form.sections.iter().enumerate() {
        for (i, item) in section.items.iter().enumerate() {
            let place = format!("sections[{}].items[{}].only_if", s + 1, i + 1);
            for condition in &item.only_if {
                let mut wrong = |code, message: &str| faults.error(file, place.clone(), code, message);
                let Some(earlier) = numbers.get(condition.item.as_str()) else {
                    wrong(
                        "condition_unknown",
                        &format!("This form has no item {}: name one that comes earlier.", condition.item),
                    );
                    continue;
                };
                if earlier.number >= item.number {
                    let circle = earlier.only_if.iter().any(|back| back.item == item.code) || earlier.code == item.code;
                    let why = if circle { "they wait for each other" } else { "it comes later" };
                    let message = format!(
                        "An item may look back only; {} cannot be known yet ({why}): name an earlier one.",
                        condition.item
                    );
                    wrong("condition_not_earlier", &message);
                    continue;
                }
                if let Some(message) = unfit(&condition.holds, earlier, round) {
                    wrong("condition_unfit", &message);
                }
            }
        }
    }
}

/// Why an answer to the earlier item can never be that.
fn unfit(holds: &Holds, earlier: &Item, round: &Round) -> Option<String> {
    if matches!(earlier.kind, ItemKind::Text { .. }) {
        let code = &earlier.code;
        return Some(format!("Free text leaves its ballot when the box is opened, so nothing may depend on {code}."));
    }
    match holds {
        Holds::Answered(_) => None,
        Holds::Between { .. } => {
            let number = matches!(earlier.kind, ItemKind::Number { .. });
            (!number).then(|| format!("at_least and at_most need a number, and {} is none.", earlier.code))
        }
        Holds::Is(options) | Holds::IsNot(options) => {
            let known = earlier.options(&round.scales, &round.choices);
            if known.is_empty() {
                return Some(format!("{} has no options: use at_least, at_most or answered.", earlier.code));
            }
            if options.is_empty() {
                return Some(format!("Name at least one option of {}.", earlier.code));
            }
            let strange: Vec<&str> = options
                .iter()
                .map(String::as_str)
                .filter(|code| !known.iter().any(|option| option.code == *code))
                .collect();
            (!strange.is_empty()).then(|| format!("{} has no option {}.", earlier.code, strange.join(", ")))
        }
    }
}
