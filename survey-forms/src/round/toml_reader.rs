//! Reading TOML tables key by key, so that every fault is named with its place.

use chrono::{DateTime, FixedOffset};
use toml::{Table, Value};

use super::words;
use crate::fault::Faults;
use crate::ratio::{self, Ratio};

/// Longest list of tables.
const ENTRIES_MAX: usize = 300;

/// One table of a TOML file.
pub(super) struct Reader<'a> {
    file: &'a str,
    path: String,
    table: &'a Table,
}

/// Parses a file; a syntax error is a fault with its line.
pub(super) fn parse(file: &str, text: &str, faults: &mut Faults) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let why: String = error.message().chars().filter(|c| !c.is_control()).collect();
            let message = format!("Mend the TOML syntax here: {why}.");
            faults.error(file, format!("line {line}"), "toml_syntax", message);
            None
        }
    }
}

/// Parses a JSON file into the same shape.
pub(super) fn parse_json(file: &str, text: &str, faults: &mut Faults) -> Option<Table> {
    let json: serde_json::Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => {
            let message = "Mend the JSON syntax here.";
            faults.error(file, format!("line {}", error.line()), "json_syntax", message);
            return None;
        }
    };
    match Value::try_from(json) {
        Ok(Value::Table(table)) => Some(table),
        Ok(_) => {
            faults.error(file, "", "json_syntax", "Write one JSON object.");
            None
        }
        Err(_null) => {
            faults.error(file, "", "json_syntax", "Leave out what has no value: null is not a value here.");
            None
        }
    }
}

impl<'a> Reader<'a> {
    /// Opens a table and names the keys that nobody reads.
    pub(super) fn open(file: &'a str, path: String, table: &'a Table, known: &[&str], faults: &mut Faults) -> Self {
        let reader = Reader { file, path, table };
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let message = format!("Remove the key or mend its name; known here: {}.", known.join(", "));
            faults.error(file, reader.place(key), "key_unknown", message);
        }
        reader
    }

    pub(super) fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the table has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Names keys that do not go with what else the table says.
    pub(super) fn only(&self, known: &[&str], all: &[&str], why: &str, faults: &mut Faults) {
        for key in self.table.keys().filter(|key| all.contains(&key.as_str()) && !known.contains(&key.as_str())) {
            self.wrong(key, "key_unfit", why, faults);
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.table.get(key)
    }

    pub(super) fn wrong(&self, key: &str, code: &'static str, message: &str, faults: &mut Faults) {
        faults.error(self.file, self.place(key), code, message);
    }

    fn required<T>(&self, key: &str, found: Option<T>, what: &str, faults: &mut Faults) -> Option<T> {
        if found.is_none() {
            if self.table.contains_key(key) {
                self.wrong(key, "value_type", &format!("Write {what} here."), faults);
            } else {
                self.wrong(key, "key_missing", &format!("Add the key {key} with {what}."), faults);
            }
        }
        found
    }

    /// A text that must be there; empty when it is not.
    pub(super) fn text(&self, key: &str, max: usize, faults: &mut Faults) -> String {
        let found = self.value(key).and_then(Value::as_str);
        let Some(text) = self.required(key, found, "a text in quotes", faults) else {
            return String::new();
        };
        words::check_text(self.file, self.place(key), text, max, faults);
        text.to_owned()
    }

    /// A text that may be missing.
    pub(super) fn optional_text(&self, key: &str, max: usize, faults: &mut Faults) -> Option<String> {
        self.value(key)?;
        Some(self.text(key, max, faults))
    }

    /// A word out of a few; empty when it is not there.
    pub(super) fn word(&self, key: &str, faults: &mut Faults) -> String {
        let found = self.value(key).and_then(Value::as_str);
        self.required(key, found, "a word in quotes", faults).unwrap_or_default().to_owned()
    }

    /// A code that must be there; empty when it is not.
    pub(super) fn code(&self, key: &str, faults: &mut Faults) -> String {
        let found = self.value(key).and_then(Value::as_str);
        let Some(code) = self.required(key, found, "a code in quotes", faults) else {
            return String::new();
        };
        words::check_code(self.file, self.place(key), code, faults);
        code.to_owned()
    }

    /// A whole number within bounds.
    pub(super) fn count(&self, key: &str, low: u32, high: u32, faults: &mut Faults) -> Option<u32> {
        let what = format!("a whole number from {low} to {high}");
        let found = self.value(key).and_then(Value::as_integer);
        let found = self.required(key, found, &what, faults)?;
        let within = u32::try_from(found).ok().filter(|number| (low..=high).contains(number));
        if within.is_none() {
            self.wrong(key, "number_range", &format!("Write {what} here."), faults);
        }
        within
    }

    pub(super) fn truth(&self, key: &str, faults: &mut Faults) -> bool {
        let found = self.value(key).and_then(Value::as_bool);
        self.required(key, found, "true or false", faults).unwrap_or(false)
    }

    /// An exact number: decimal text or an integer, never a float.
    pub(super) fn ratio(&self, key: &str, faults: &mut Faults) -> Option<Ratio> {
        let found = match self.value(key) {
            Some(Value::String(text)) => ratio::parse(text),
            Some(Value::Integer(number)) => ratio::parse(&number.to_string()),
            _ => None,
        };
        self.required(key, found, "a decimal number in quotes, such as \"0.5\"", faults)
    }

    /// A date and time with its offset.
    pub(super) fn moment(&self, key: &str, faults: &mut Faults) -> Option<DateTime<FixedOffset>> {
        let text = match self.value(key) {
            Some(Value::Datetime(moment)) => Some(moment.to_string()),
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let found = text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
        self.required(key, found, "a date and time such as 2023-09-15T07:00:00+07:00", faults)
    }

    /// [`Reader::ratio`] of a key that may be missing.
    pub(super) fn optional_ratio(&self, key: &str, faults: &mut Faults) -> Option<Ratio> {
        self.value(key)?;
        self.ratio(key, faults)
    }

    /// A list of codes.
    pub(super) fn codes(&self, key: &str, faults: &mut Faults) -> Vec<String> {
        let list = self.value(key).and_then(Value::as_array);
        let texts = list
            .and_then(|list| list.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        self.required(key, texts, "a list of codes", faults).unwrap_or_default()
    }

    /// A table that must be there.
    pub(super) fn table(&self, key: &str, known: &[&str], faults: &mut Faults) -> Option<Reader<'a>> {
        let found = self.value(key).and_then(Value::as_table);
        let table = self.required(key, found, &format!("a table [{key}]"), faults)?;
        Some(Reader::open(self.file, self.place(key), table, known, faults))
    }

    /// A list of tables with at least one entry; places count from 1.
    pub(super) fn tables(&self, key: &str, known: &[&str], faults: &mut Faults) -> Vec<Reader<'a>> {
        let what = format!("at least one [[{}]]", self.place(key));
        let list = self.value(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        let list: &[Value] = match self.required(key, list, &what, faults) {
            Some(list) => list,
            None => &[],
        };
        if list.len() > ENTRIES_MAX {
            let message = format!("Keep the list to {ENTRIES_MAX} entries.");
            self.wrong(key, "too_many_entries", &message, faults);
        }
        let mut readers = Vec::new();
        for (index, value) in list.iter().take(ENTRIES_MAX).enumerate() {
            let path = format!("{}[{}]", self.place(key), index + 1);
            match value.as_table() {
                Some(table) => readers.push(Reader::open(self.file, path, table, known, faults)),
                None => faults.error(self.file, path, "value_type", "Write a table here."),
            }
        }
        readers
    }
}
