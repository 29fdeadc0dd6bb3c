//! Codes written down once, as CSV that spreadsheets read.

use std::io::Write;

use super::IssuedCode;
use crate::config::BaseUrl;
use crate::round::LoadedRound;

/// Writes the codes with what each is for: UTF-8 with a byte order mark, a row a code. Cells that a spreadsheet
/// would take for a formula are neutralised.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: impl Write, round: &LoadedRound, codes: &[IssuedCode], base: &BaseUrl) -> Result<(), csv::Error> {
    let mut out = out;
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "respondent_code",
        "group",
        "unit_code",
        "unit",
        "targets",
        "code",
        "address",
        "bundle",
        "sheet",
        "of",
    ])?;
    let definition = &round.definition;
    for code in codes {
        let group = definition.group(&code.respondent_code).map_or("", |g| g.name.as_str());
        let unit = definition.unit(&code.source_unit).map_or("", |u| u.name.as_str());
        let sheet = code.sheet.as_ref();
        let printed = code.token.expose();
        let address = zeroize::Zeroizing::new(format!("{}#{}", base.url("/p"), printed.as_str()));
        table.write_record([
            plain(&code.respondent_code).as_str(),
            &plain(group),
            &plain(&code.source_unit),
            &plain(unit),
            &plain(&code.targets.join(" ")),
            printed.as_str(),
            address.as_str(),
            &sheet.map_or_else(String::new, |s| s.bundle.to_string()),
            &sheet.map_or_else(String::new, |s| s.sheet.to_string()),
            &sheet.map_or_else(String::new, |s| s.of.to_string()),
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// A cell that no spreadsheet takes for a formula.
#[must_use]
pub fn plain(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}
