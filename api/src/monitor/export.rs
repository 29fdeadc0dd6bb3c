//! Response rates as a table.

use std::io::Write;

use super::{Cell, Count, Rates};
use crate::credential::plain;

/// Columns of [`write_csv`].
pub const COLUMNS: [&str; 9] =
    ["level", "respondent_code", "source_unit", "targets", "channel", "day", "issued", "returned", "rate"];

/// Writes the figures in long form: UTF-8 with a byte order mark, a row a count. `level` says of what: `total`,
/// `group`, `unit`, `channel`, `day`, or `cell` (a kind of ballot paper). `rate` is percent. Cells that a spreadsheet would
/// take for a formula are neutralised.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(mut out: impl Write, rates: &Rates) -> Result<(), csv::Error> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    let row = |level: &str, place: [&str; 5], count: Count| -> [String; 9] {
        let [group, unit, targets, channel, day] = place.map(plain);
        let issued = if day.is_empty() { count.issued.to_string() } else { String::new() };
        let rate = if day.is_empty() { count.rate().unwrap_or_default() } else { String::new() };
        [level.to_owned(), group, unit, targets, channel, day, issued, count.returned.to_string(), rate]
    };
    table.write_record(row("total", [""; 5], rates.total))?;
    for (group, count) in &rates.groups {
        table.write_record(row("group", [group, "", "", "", ""], *count))?;
    }
    for (unit, count) in &rates.units {
        table.write_record(row("unit", ["", unit, "", "", ""], *count))?;
    }
    for (channel, count) in &rates.channels {
        table.write_record(row("channel", ["", "", "", channel, ""], *count))?;
    }
    for (day, returned) in &rates.days {
        table.write_record(row("day", ["", "", "", "", day], Count { issued: 0, returned: *returned }))?;
    }
    for Cell { key, count, .. } in &rates.cells {
        let place = [&key.respondent_code, &key.source_unit, &key.targets, &key.channel, ""];
        table.write_record(row("cell", place.map(|p: &str| p), *count))?;
    }
    table.flush()?;
    Ok(())
}
