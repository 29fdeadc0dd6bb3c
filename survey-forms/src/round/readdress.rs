//! The same round under another id and other dates: demo, rehearsal, next year's.

use toml::{Table, Value};

use super::files::ROUND;
use super::{Dates, Fault, Round, RoundFiles, files, toml_reader};
use crate::fault::Faults;

/// A copy of the files with another id, title and dates. Comments of `round.toml` are lost; what it
/// says is not.
///
/// # Errors
/// The faults of the copy, when it does not load.
pub fn readdress(files: &RoundFiles, id: &str, title: Option<&str>, dates: &Dates) -> Result<RoundFiles, Vec<Fault>> {
    let mut faults = Faults::default();
    let text = files::text(files, ROUND, &mut faults);
    let Some(mut table) = text.and_then(|text| toml_reader::parse(ROUND, &text, &mut faults)) else {
        return Err(faults.into_vec());
    };
    table.insert("id".to_owned(), Value::String(id.to_owned()));
    if let Some(title) = title {
        table.insert("title".to_owned(), Value::String(title.to_owned()));
    }
    let moments = [
        ("opens", dates.opens),
        ("closes", dates.closes),
        ("keying_closes", dates.keying_closes),
        ("publishes", dates.publishes),
    ];
    let mut moments: Table =
        moments.into_iter().map(|(key, moment)| (key.to_owned(), Value::String(moment.to_rfc3339()))).collect();
    if dates.grace_minutes > 0 {
        moments.insert("grace_minutes".to_owned(), Value::Integer(dates.grace_minutes.into()));
    }
    table.insert("dates".to_owned(), Value::Table(moments));
    let mut copy = files.clone();
    copy.insert(ROUND.to_owned(), table.to_string().into_bytes());
    Round::from_files(&copy).map(|_| copy)
}
