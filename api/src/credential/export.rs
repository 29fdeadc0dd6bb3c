//! Codes written down once, as CSV and as a workbook.

use std::io::Write;

use rust_xlsxwriter::{Workbook, XlsxError};
use zeroize::Zeroizing;

use super::IssuedCode;
use crate::config::BaseUrl;
use crate::round::LoadedRound;

const COLUMNS: [&str; 10] =
    ["respondent_code", "group", "unit_code", "unit", "targets", "code", "address", "bundle", "sheet", "of"];

/// Writes the codes with what each is for: UTF-8 with a byte order mark, a row a code. Cells that a spreadsheet
/// would take for a formula are neutralised.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: impl Write, round: &LoadedRound, codes: &[IssuedCode], base: &BaseUrl) -> Result<(), csv::Error> {
    let mut out = out;
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for code in codes {
        let row = cells(round, code, base);
        table.write_record(row.iter().map(|cell| plain(cell)))?;
    }
    table.flush()?;
    Ok(())
}

/// The same table as a workbook; every cell is text, so that nothing is taken for a formula or a number.
///
/// # Errors
/// When the workbook cannot be made.
pub fn write_xlsx(round: &LoadedRound, codes: &[IssuedCode], base: &BaseUrl) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (name, column) in COLUMNS.into_iter().zip(0_u16..) {
        sheet.write_string(0, column, name)?;
    }
    for (code, row) in codes.iter().zip(1_u32..) {
        for (cell, column) in cells(round, code, base).iter().zip(0_u16..) {
            sheet.write_string(row, column, cell.as_str())?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    workbook.save_to_buffer()
}

fn cells(round: &LoadedRound, code: &IssuedCode, base: &BaseUrl) -> [Zeroizing<String>; 10] {
    let definition = &round.definition;
    let group = definition.group(&code.respondent_code).map_or("", |g| g.name.as_str());
    let unit = definition.unit(&code.source_unit).map_or("", |u| u.name.as_str());
    let printed = code.token.expose();
    let address = format!("{}#{}", base.url("/p"), printed.as_str());
    let number = |of: fn(&crate::bundle::SheetLabel) -> u32| {
        code.sheet.as_ref().map(|sheet| of(sheet).to_string()).unwrap_or_default()
    };
    let text = |text: &str| Zeroizing::new(text.to_owned());
    [
        text(&code.respondent_code),
        text(group),
        text(&code.source_unit),
        text(unit),
        Zeroizing::new(code.targets.join(" ")),
        printed,
        Zeroizing::new(address),
        Zeroizing::new(number(|sheet| sheet.bundle)),
        Zeroizing::new(number(|sheet| sheet.sheet)),
        Zeroizing::new(number(|sheet| sheet.of)),
    ]
}

/// A cell that no spreadsheet takes for a formula.
#[must_use]
pub fn plain(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}
