//! QR codes as runs of dark fields.

use fast_qr::qr::QRCodeError;
use fast_qr::{ECL, QRBuilder};

use crate::PrintError;
use crate::page::Op;

/// A QR code whose upper left corner is at (`x`, `y`) and whose side is `side` millimetres, the quiet zone of four fields
/// not counted: leave it free. Digits alone make a smaller code.
pub(crate) fn code(text: &str, x: f32, y: f32, side: f32) -> Result<Op, PrintError> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|error| match error {
        QRCodeError::EncodedData | QRCodeError::SpecifiedVersion => PrintError::Qr,
    })?;
    let size = u16::try_from(code.size).unwrap_or(u16::MAX);
    let mut runs = Vec::new();
    for (modules, row) in code.data.chunks(code.size).zip(0..size) {
        let mut start: Option<u16> = None;
        for (dark, column) in modules.iter().map(|module| module.value()).chain([false]).zip(0..=size) {
            match (start, dark) {
                (None, true) => start = Some(column),
                (Some(from), false) => {
                    runs.push((from, row, column - from));
                    start = None;
                }
                _ => {}
            }
        }
    }
    Ok(Op::Raster { x, y, field: side / f32::from(size), runs })
}
