//! Whether one answer fits its item.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{Answer, Form, Mark};
use crate::questionnaire::{Item, ItemKind};
use crate::ratio;
use crate::round::Channel;

/// Bytes of `{"mark":""}` and its like around a value.
const WRAP: usize = 13;
/// Most bytes of a number: nine digits, a point, nine digits, a sign.
const NUMBER: usize = 20;

impl Form<'_> {
    /// The answer as it is kept: text in NFC and trimmed, numbers in their shortest form, choices in their order.
    pub(super) fn settled(&self, item: &Item, answer: Answer) -> Answer {
        match answer {
            Answer::Choice(option) => Answer::Choice(nfc(&option)),
            Answer::Choices(options) => {
                let options: Vec<String> = options.iter().map(|option| nfc(option)).collect();
                let order = item.options(self.scales, self.choices);
                let place = |option: &String| order.iter().position(|known| known.code == option).unwrap_or(usize::MAX);
                let mut sorted = options;
                sorted.sort_by_key(place);
                Answer::Choices(sorted)
            }
            Answer::Number(number) => match ratio::parse(&number) {
                Some(value) => Answer::Number(ratio::to_exact(&value)),
                None => Answer::Number(number),
            },
            Answer::Text(text) => Answer::Text(nfc(&text.replace("\r\n", "\n")).trim().to_owned()),
            Answer::Mark(mark) => Answer::Mark(mark),
        }
    }

    /// Whether an answer, as it is kept, may stand at this item.
    pub(super) fn allowed(&self, item: &Item, answer: &Answer) -> Result<(), &'static str> {
        if matches!(answer, Answer::Mark(_)) {
            return if self.channel == Channel::Online { Err("mark_not_online") } else { Ok(()) };
        }
        let options = || item.options(self.scales, self.choices);
        match (&item.kind, answer) {
            (ItemKind::Scale { .. } | ItemKind::Single { .. }, Answer::Choice(option)) => {
                if options().iter().any(|known| known.code == option) { Ok(()) } else { Err("option_unknown") }
            }
            (ItemKind::Multiple { at_most, .. }, Answer::Choices(chosen)) => {
                let order = options();
                let places: Option<Vec<usize>> =
                    chosen.iter().map(|option| order.iter().position(|known| known.code == option)).collect();
                let places = places.ok_or("option_unknown")?;
                let most = at_most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
                if places.is_empty() || places.windows(2).any(|pair| pair.first() >= pair.last()) {
                    Err("answer_malformed")
                } else if places.len() > most {
                    Err("too_many_choices")
                } else {
                    Ok(())
                }
            }
            (ItemKind::Number { min, max, decimals }, Answer::Number(number)) => {
                let value = ratio::parse(number).filter(|value| ratio::to_exact(value) == *number);
                let value = value.ok_or("number_malformed")?;
                let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
                if u32::try_from(digits).map_or(true, |digits| digits > *decimals) {
                    Err("number_decimals")
                } else if min.as_ref().is_some_and(|min| value < *min) || max.as_ref().is_some_and(|max| value > *max) {
                    Err("number_range")
                } else {
                    Ok(())
                }
            }
            (ItemKind::Text { letters }, Answer::Text(text)) => {
                if text.is_empty() || text.trim() != text || !is_nfc(text) {
                    Err("answer_malformed")
                } else if text.chars().any(|c| c.is_control() && c != '\n') {
                    Err("text_control")
                } else if u32::try_from(text.chars().count()).map_or(true, |count| count > *letters) {
                    Err("text_too_long")
                } else {
                    Ok(())
                }
            }
            _ => Err("answer_malformed"),
        }
    }

    /// No answer to this item is longer, in canonical bytes.
    pub(super) fn longest(&self, item: &Item) -> usize {
        let options = item.options(self.scales, self.choices);
        let lengths = options.iter().map(|option| option.code.len() + 3);
        let answer = match &item.kind {
            ItemKind::Scale { .. } | ItemKind::Single { .. } => lengths.max().unwrap_or(0),
            ItemKind::Multiple { .. } => 2 + lengths.sum::<usize>(),
            ItemKind::Number { .. } => WRAP + NUMBER,
            // Four bytes hold any character, and those that JSON escapes take two.
            ItemKind::Text { letters } => WRAP + usize::try_from(*letters).unwrap_or(0) * 4,
        };
        let mark = Mark::ALL.iter().map(|mark| WRAP + mark.as_str().len()).max();
        match self.channel {
            Channel::Online => answer,
            Channel::Paper => answer.max(mark.unwrap_or(0)),
        }
    }
}

pub(super) fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}
