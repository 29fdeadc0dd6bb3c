//! Pages become PDF/A-2u: fonts inside, every letter readable as text, grey and black only.

use chrono::{Datelike as _, Timelike as _};
use krilla::color::luma;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::text::KrillaGlyph;
use krilla::{Document, SerializeSettings};

use crate::font::{Fonts, STAND_IN};
use crate::page::{Area, Line, Op, Page};
use crate::text::PT_PER_MM;
use crate::{Imprint, PrintError};

/// A document under work.
pub(crate) struct Pdf {
    document: Document,
    fonts: &'static Fonts,
    pages: usize,
}

impl Pdf {
    pub(crate) fn new(imprint: &Imprint, fonts: &'static Fonts) -> Result<Self, PrintError> {
        let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A2_U).finish();
        let configuration = configuration.map_err(|error| PrintError::Pdf(format!("{error:?}")))?;
        let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
        let at = imprint.date;
        let small = |n: u32| u8::try_from(n).unwrap_or_default();
        let offset = at.offset().local_minus_utc() / 60;
        let date = DateTime::new(u16::try_from(at.year()).unwrap_or_default())
            .month(small(at.month()))
            .day(small(at.day()))
            .hour(small(at.hour()))
            .minute(small(at.minute()))
            .second(small(at.second()))
            .utc_offset_hour(i8::try_from(offset / 60).unwrap_or_default())
            .utc_offset_minute(small(offset.unsigned_abs() % 60));
        document.set_metadata(
            Metadata::new()
                .title(imprint.title.clone())
                .authors(vec![imprint.author.clone()])
                .creator("phieu".to_owned())
                .language("vi".to_owned())
                .creation_date(date),
        );
        Ok(Self { document, fonts, pages: 0 })
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages
    }

    pub(crate) fn add(&mut self, page: &Page) -> Result<(), PrintError> {
        let settings = PageSettings::from_wh(page.w * PT_PER_MM, page.h * PT_PER_MM);
        let settings = settings.ok_or_else(|| PrintError::Pdf("a page without size".to_owned()))?;
        let mut sheet = self.document.start_page_with(settings);
        let mut surface = sheet.surface();
        for op in &page.ops {
            draw(&mut surface, self.fonts, op);
        }
        surface.finish();
        sheet.finish();
        self.pages += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, PrintError> {
        if self.pages == 0 {
            return Err(PrintError::Empty);
        }
        self.document.finish().map_err(|error| PrintError::Pdf(error.to_string()))
    }
}

/// In points, to a hundredth: fewer digits in the file, and nobody sees 4 µm.
fn pt(mm: f32) -> f32 {
    (mm * PT_PER_MM * 100.0).round() / 100.0
}

fn fill(grey: u8) -> Fill {
    Fill { paint: luma::Color::new(grey).into(), ..Fill::default() }
}

fn stroke(grey: u8, width: f32, dashed: bool) -> Stroke {
    Stroke {
        paint: luma::Color::new(grey).into(),
        width: width * PT_PER_MM,
        opacity: NormalizedF32::ONE,
        dash: dashed.then(|| StrokeDash { array: vec![3.0, 3.0], offset: 0.0 }),
        ..Stroke::default()
    }
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, op: &Op) {
    match op {
        Op::Text { x, baseline, style, text } => {
            let face = fonts.face(style.face);
            let mut shown = String::with_capacity(text.len());
            let mut glyphs = Vec::with_capacity(text.len());
            for sign in text.chars() {
                let letter = face.letter(sign);
                let from = shown.len();
                shown.push(if letter.stand_in { STAND_IN } else { sign });
                glyphs.push(KrillaGlyph::new(letter.glyph, letter.advance, 0.0, 0.0, 0.0, from..shown.len(), None));
            }
            surface.set_stroke(None);
            surface.set_fill(Some(fill(style.grey)));
            let start = Point::from_xy(pt(*x), pt(*baseline));
            surface.draw_glyphs(start, &glyphs, face.font.clone(), &shown, style.pt, false);
        }
        Op::Fill { areas, grey } => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(*grey)));
            outline(surface, areas);
        }
        Op::Raster { x, y, field, runs } => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(0)));
            // Whole numbers on a raster of its own: a tenth of the bytes.
            let scale = field * PT_PER_MM;
            surface.push_transform(&Transform::from_row(scale, 0.0, 0.0, scale, pt(*x), pt(*y)));
            let mut path = PathBuilder::new();
            for (column, row, length) in runs {
                if let Some(run) = Rect::from_xywh(f32::from(*column), f32::from(*row), f32::from(*length), 1.0) {
                    path.push_rect(run);
                }
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            surface.pop();
        }
        Op::Frame { areas, grey, width } => {
            surface.set_fill(None);
            surface.set_stroke(Some(stroke(*grey, *width, false)));
            outline(surface, areas);
        }
        Op::Lines { lines, grey, width, dashed } => {
            surface.set_fill(None);
            surface.set_stroke(Some(stroke(*grey, *width, *dashed)));
            let mut path = PathBuilder::new();
            for Line { from, to } in lines {
                path.move_to(pt(from.0), pt(from.1));
                path.line_to(pt(to.0), pt(to.1));
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn outline(surface: &mut Surface<'_>, areas: &[Area]) {
    let mut path = PathBuilder::new();
    for area in areas {
        let (right, bottom) = (pt(area.x + area.w), pt(area.y + area.h));
        if let Some(rect) = Rect::from_ltrb(pt(area.x), pt(area.y), right, bottom) {
            path.push_rect(rect);
        }
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}
