//! Paper ballots out of a questionnaire, and where every box of them stands. Both come out of one layout, so a reader of
//! scans and the paper cannot drift apart.

mod flow;
mod list;
mod matrix;
mod stamp;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;
use survey_forms::Round;
use survey_forms::answers::Form;

use crate::font::Fonts;
use crate::page::Area;
use crate::pdf::Pdf;
use crate::{Imprint, PrintError};
use flow::Composed;

/// What a ballot about many bodies is printed on; a ballot about one is always A4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paper {
    /// A4 upright: a body takes two rows or more where its questions need them.
    #[default]
    A4,
    /// A3 across: a body takes one row.
    A3,
}

/// What all ballots of a print have in common.
#[derive(Debug, Clone)]
pub struct BallotPrint<'a> {
    /// Of the document.
    pub imprint: Imprint,
    /// The round.
    pub round: &'a Round,
    /// Of ballots about many bodies.
    pub paper: Paper,
    /// Fills a ballot of an odd number of pages up with an empty one, so that a printer that prints on both sides never
    /// puts two ballots on one sheet.
    pub two_sided: bool,
}

/// One ballot.
pub struct Ballot<'a> {
    /// What it asks about what.
    pub form: Form<'a>,
    /// Its code in groups; empty for a specimen, which says that it is none.
    pub code: &'a str,
    /// The code as digits, for scanners; empty for a specimen.
    pub digits: &'a str,
    /// Bundle and number.
    pub label: String,
}

/// Where everything of a print stands, in millimetres from the upper left corner of a page. Holds no code.
#[derive(Debug, Serialize)]
pub struct Layouts {
    /// `mm`
    pub unit: &'static str,
    /// The round's id.
    pub round: String,
    /// Each kind of ballot once.
    pub layouts: Vec<Layout>,
    /// The ballots in the order of the document.
    pub ballots: Vec<PlacedBallot>,
}

/// One kind of ballot.
#[derive(Debug, Serialize)]
pub struct Layout {
    /// The group's code.
    pub respondent_code: String,
    /// Hash of the questionnaire that it was made from.
    pub questionnaire: String,
    /// What it is about, in order.
    pub targets: Vec<String>,
    /// Its pages.
    pub pages: Vec<PlacedPage>,
}

/// A ballot in the document.
#[derive(Debug, Serialize)]
pub struct PlacedBallot {
    /// Bundle and number.
    pub label: String,
    /// Index into the layouts, from 0.
    pub layout: usize,
    /// Its first page in the document, from 1.
    pub first_page: usize,
}

/// A page of a ballot.
#[derive(Debug, Clone, Serialize)]
pub struct PlacedPage {
    /// Width of the sheet.
    pub width: f32,
    /// Height of the sheet.
    pub height: f32,
    /// Upper left corners of the four marks: upper left, upper right, lower left, lower right.
    pub marks: [(f32, f32); 4],
    /// Side of a mark.
    pub mark: f32,
    /// Upper left corner and side of the QR code, its quiet zone not counted.
    pub qr: (f32, f32, f32),
    /// Boxes, digits and lines to write on.
    pub boxes: Vec<PlacedBox>,
}

/// A place to mark or to write in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlacedBox {
    /// The rated body.
    pub target: String,
    /// The item's code.
    pub item: String,
    /// The item's number, as on the paper and on the screen.
    pub number: u32,
    /// `option`, `digit` or `text`.
    pub kind: &'static str,
    /// The option that a mark here means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The option's key on the screen, or the digit's place; from 1.
    pub position: usize,
    /// Left.
    pub x: f32,
    /// Top.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl PlacedBox {
    fn place(&mut self, area: Area) {
        (self.x, self.y, self.w, self.h) = (micro(area.x), micro(area.y), micro(area.w), micro(area.h));
    }
}

/// To a hundredth of a millimetre.
fn micro(mm: f32) -> f32 {
    (mm * 100.0).round() / 100.0
}

/// The ballots as PDF and where their boxes stand. `done` is told how many are drawn.
///
/// # Errors
/// [`PrintError::Empty`] without a ballot.
pub fn ballots<'a>(
    print: &BallotPrint<'_>,
    ballots: impl IntoIterator<Item = Ballot<'a>>,
    done: &mut dyn FnMut(usize),
) -> Result<(Vec<u8>, Layouts), PrintError> {
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(&print.imprint, fonts)?;
    let mut known: BTreeMap<(String, Vec<String>), usize> = BTreeMap::new();
    let mut composed: Vec<Composed> = Vec::new();
    let mut placed = Layouts { unit: "mm", round: print.round.id.clone(), layouts: Vec::new(), ballots: Vec::new() };
    for (ballot, number) in ballots.into_iter().zip(1_usize..) {
        let form = ballot.form;
        let kind = (form.questionnaire.respondent_code.clone(), form.targets.to_vec());
        let layout = match known.get(&kind) {
            Some(layout) => *layout,
            None => {
                let new = compose(fonts, print, &form);
                placed.layouts.push(Layout {
                    respondent_code: kind.0.clone(),
                    questionnaire: form.questionnaire.hash.clone(),
                    targets: kind.1.clone(),
                    pages: new.placed(),
                });
                composed.push(new);
                known.insert(kind, composed.len() - 1);
                composed.len() - 1
            }
        };
        placed.ballots.push(PlacedBallot { label: ballot.label.clone(), layout, first_page: pdf.pages() + 1 });
        if let Some(pages) = composed.get(layout) {
            for page in stamp::ballot(fonts, print, pages, &ballot)? {
                pdf.add(&page)?;
            }
        }
        done(number);
    }
    Ok((pdf.finish()?, placed))
}

fn compose(fonts: &'static Fonts, print: &BallotPrint<'_>, form: &Form<'_>) -> Composed {
    match matrix::Grid::of(form) {
        Some(grid) => matrix::compose(fonts, print, form, &grid),
        None => list::compose(fonts, print, form),
    }
}
