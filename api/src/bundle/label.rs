//! What a sheet is called by everybody who holds it.

use std::fmt;

/// Bundle and number of a paper ballot, as on the sheet and on every screen of the desk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SheetLabel {
    /// The group.
    pub respondent_code: String,
    /// Number of the bundle in its group, from 1.
    pub bundle: u32,
    /// Number of the sheet in the bundle, from 1.
    pub sheet: u32,
    /// Sheets in the bundle.
    pub of: u32,
}

impl fmt::Display for SheetLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { respondent_code, bundle, sheet, of } = self;
        write!(f, "{respondent_code} · Bó {bundle:02} · phiếu {sheet}/{of}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_reads_as_on_the_sheet() {
        let label = SheetLabel { respondent_code: "HĐ-CT".to_owned(), bundle: 3, sheet: 12, of: 30 };
        assert_eq!(label.to_string(), "HĐ-CT · Bó 03 · phiếu 12/30");
    }
}
