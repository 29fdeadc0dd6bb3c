//! When letters to named people are sent: on these days, within these hours of Viet Nam's time.

use chrono::{Datelike as _, Days, NaiveDateTime, NaiveTime, Weekday};
use serde::Serialize;
use toml::Value;

use super::keys;
use super::toml_reader::Reader;
use crate::fault::Faults;

/// Most reminders, and latest day of one.
const REMINDERS_MAX: usize = 10;
const DAY_MAX: i64 = 366;

/// A day of the week, as `round.toml` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    const ALL: [(Self, &'static str, Weekday); 7] = [
        (Self::Mon, "mon", Weekday::Mon),
        (Self::Tue, "tue", Weekday::Tue),
        (Self::Wed, "wed", Weekday::Wed),
        (Self::Thu, "thu", Weekday::Thu),
        (Self::Fri, "fri", Weekday::Fri),
        (Self::Sat, "sat", Weekday::Sat),
        (Self::Sun, "sun", Weekday::Sun),
    ];

    fn of(weekday: Weekday) -> Self {
        Self::ALL.into_iter().find(|(_, _, known)| *known == weekday).map_or(Self::Mon, |(day, _, _)| day)
    }
}

/// `[letters]` of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letters {
    /// Days on which letters are sent.
    pub days: Vec<Day>,
    /// From this time on, in minutes of the day.
    pub from_minute: u32,
    /// Until then, in minutes of the day; 1440 is midnight.
    pub until_minute: u32,
    /// Days after the opening from which each reminder is sent, ascending.
    pub remind_after_days: Vec<u32>,
}

impl Default for Letters {
    /// Working days from 8:00 to 17:00, no reminder.
    fn default() -> Self {
        let days = vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        Self { days, from_minute: 8 * 60, until_minute: 17 * 60, remind_after_days: Vec::new() }
    }
}

impl Letters {
    /// Whether letters are sent at this time of Viet Nam.
    #[must_use]
    pub fn sends_at(&self, local: NaiveDateTime) -> bool {
        let minute = minute(local.time());
        self.days.contains(&Day::of(local.weekday())) && (self.from_minute..self.until_minute).contains(&minute)
    }

    /// The next time, from `local` on, at which letters are sent; itself where they are.
    #[must_use]
    pub fn next_from(&self, local: NaiveDateTime) -> NaiveDateTime {
        if self.sends_at(local) {
            return local;
        }
        let start = NaiveTime::from_hms_opt(self.from_minute / 60, self.from_minute % 60, 0).unwrap_or_default();
        (0..=7)
            .filter_map(|after| local.date().checked_add_days(Days::new(after)))
            .map(|day| day.and_time(start))
            .find(|at| *at > local && self.sends_at(*at))
            .unwrap_or(local)
    }
}

fn minute(time: NaiveTime) -> u32 {
    use chrono::Timelike as _;
    time.hour() * 60 + time.minute()
}

pub(super) fn read(root: &Reader, faults: &mut Faults) -> Option<Letters> {
    if !root.has("letters") {
        return None;
    }
    let table = root.table("letters", keys::LETTERS, faults)?;
    let mut letters = Letters::default();
    if table.has("days") {
        let words = table.codes("days", faults);
        let days: Option<Vec<Day>> =
            words.iter().map(|w| Day::ALL.into_iter().find(|(_, name, _)| name == w).map(|(day, _, _)| day)).collect();
        match days.filter(|days| !days.is_empty()) {
            Some(days) => letters.days = days,
            None => {
                let message = "Name days of the week: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\".";
                table.wrong("days", "word_unknown", message, faults);
            }
        }
    }
    let mut time = |key: &str| table.has(key).then(|| time(&table, key, faults)).flatten();
    letters.from_minute = time("from").unwrap_or(letters.from_minute);
    letters.until_minute = time("until").unwrap_or(letters.until_minute);
    if letters.from_minute >= letters.until_minute {
        table.wrong("until", "dates_order", "Let the hours of sending end after they begin.", faults);
    }
    if table.has("remind_after_days") {
        let days = table.value("remind_after_days").and_then(Value::as_array);
        let days: Option<Vec<u32>> = days.and_then(|list| {
            let day = |value: &Value| value.as_integer().filter(|n| (1..=DAY_MAX).contains(n))?.try_into().ok();
            list.iter().map(day).collect()
        });
        let ascending = |days: &Vec<u32>| days.is_sorted_by(|a, b| a < b) && days.len() <= REMINDERS_MAX;
        match days.filter(ascending) {
            Some(days) => letters.remind_after_days = days,
            None => {
                let message = "Write at most 10 ascending whole numbers from 1 to 366, such as [5, 12].";
                table.wrong("remind_after_days", "reminders_form", message, faults);
            }
        }
    }
    Some(letters)
}

/// `"08:30"`, up to `"24:00"`.
fn time(table: &Reader, key: &str, faults: &mut Faults) -> Option<u32> {
    let text = table.value(key).and_then(Value::as_str).unwrap_or_default();
    let read = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let all = hours * 60 + minutes;
        (text.len() == 5 && minutes < 60 && all <= 24 * 60).then_some(all)
    });
    if read.is_none() {
        table.wrong(key, "time_form", "Write a time of the day in quotes, such as \"08:30\".", faults);
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::{Round, RoundFiles};
    use crate::{Fault, quang_nam_2023};

    fn with(more: &str) -> RoundFiles {
        let mut files = quang_nam_2023();
        let mut text = String::from_utf8(files["round.toml"].clone()).unwrap();
        text.push_str(more);
        files.insert("round.toml".to_owned(), text.into_bytes());
        files
    }

    #[test]
    fn letters_wait_for_working_hours() {
        let letters = Letters { until_minute: 16 * 60 + 30, ..Letters::default() };
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        // 15 September 2023 is a Friday.
        assert!(letters.sends_at(at("2023-09-15T08:00:00")) && letters.sends_at(at("2023-09-15T16:29:59")));
        for (from, next) in [
            ("2023-09-15T16:30:00", "2023-09-18T08:00:00"),
            ("2023-09-16T10:00:00", "2023-09-18T08:00:00"),
            ("2023-09-18T07:59:59", "2023-09-18T08:00:00"),
            ("2023-09-18T09:10:11", "2023-09-18T09:10:11"),
        ] {
            assert_eq!(letters.next_from(at(from)), at(next), "{from}");
        }
    }

    #[test]
    fn the_table_is_read_and_its_faults_are_named() {
        let whole = "\n[letters]\ndays = [\"mon\", \"sat\"]\nfrom = \"07:30\"\nuntil = \"24:00\"\nremind_after_days = [5, 12]\n";
        let letters = Round::from_files(&with(whole)).unwrap().letters.unwrap();
        assert_eq!((letters.from_minute, letters.until_minute), (450, 1440));
        assert_eq!((letters.days, letters.remind_after_days), (vec![Day::Mon, Day::Sat], vec![5, 12]));
        assert!(Round::from_files(&quang_nam_2023()).unwrap().letters.is_none());
        let wrong = "\n[letters]\ndays = [\"Monday\"]\nfrom = \"9\"\nuntil = \"07:00\"\nremind_after_days = [5, 5]\n";
        let faults = Round::from_files(&with(wrong)).unwrap_err();
        let codes: Vec<&str> = faults.iter().map(|fault: &Fault| fault.code).collect();
        assert_eq!(codes, ["word_unknown", "time_form", "dates_order", "reminders_form"]);
    }

    #[test]
    fn only_what_one_letter_can_hold_is_addressed() {
        let mut files = quang_nam_2023();
        let text = String::from_utf8(files["round.toml"].clone()).unwrap();
        files.insert("round.toml".to_owned(), text.replace("issue = \"draw\"", "issue = \"addressed\"").into_bytes());
        let faults = Round::from_files(&files).unwrap_err();
        let places: Vec<&str> =
            faults.iter().filter(|f| f.code == "addressed_unfit").map(|f| f.place.as_str()).collect();
        assert_eq!(places, ["groups[6].issue", "groups[7].issue", "groups[8].issue"]);
    }
}
