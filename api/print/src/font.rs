//! The embedded fonts: which letters they have and how wide those are.

use std::collections::HashMap;
use std::sync::OnceLock;

use krilla::text::{Font, GlyphId};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use crate::PrintError;

/// A face of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// What people read and fill in.
    Sans,
    /// Its headings, and codes.
    Strong,
    /// Records in the form of Decree 30/2020: the metrics of Times New Roman.
    Serif,
    /// Its headings.
    SerifStrong,
    /// Its asides.
    SerifItalic,
}

const FILES: [&[u8]; 5] = [
    include_bytes!("../fonts/BeVietnamPro-Regular.ttf"),
    include_bytes!("../fonts/BeVietnamPro-SemiBold.ttf"),
    include_bytes!("../fonts/Tinos-Regular.ttf"),
    include_bytes!("../fonts/Tinos-Bold.ttf"),
    include_bytes!("../fonts/Tinos-Italic.ttf"),
];

/// What stands for a letter that a face has not.
pub(crate) const STAND_IN: char = '?';

/// A letter of a face.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) glyph: GlyphId,
    /// Width in ems.
    pub(crate) advance: f32,
    /// Stands for a letter that the face has not.
    pub(crate) stand_in: bool,
}

pub(crate) struct Loaded {
    pub(crate) font: Font,
    letters: HashMap<char, Letter>,
    stand_in: Letter,
}

pub(crate) struct Fonts([Loaded; 5]);

impl Fonts {
    /// The fonts, read once a process.
    pub(crate) fn load() -> Result<&'static Self, PrintError> {
        static FONTS: OnceLock<Option<Fonts>> = OnceLock::new();
        FONTS.get_or_init(Self::read).as_ref().ok_or(PrintError::Font)
    }

    fn read() -> Option<Self> {
        let [a, b, c, d, e] = FILES;
        Some(Self([Loaded::read(a)?, Loaded::read(b)?, Loaded::read(c)?, Loaded::read(d)?, Loaded::read(e)?]))
    }

    pub(crate) fn face(&self, face: Face) -> &Loaded {
        let [sans, strong, serif, serif_strong, serif_italic] = &self.0;
        match face {
            Face::Sans => sans,
            Face::Strong => strong,
            Face::Serif => serif,
            Face::SerifStrong => serif_strong,
            Face::SerifItalic => serif_italic,
        }
    }
}

impl Loaded {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let parsed = FontRef::new(bytes).ok()?;
        let metrics = parsed.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units = font.units_per_em();
        let letter = |glyph: skrifa::GlyphId, stand_in| {
            let advance = metrics.advance_width(glyph).unwrap_or_default() / units;
            Letter { glyph: GlyphId::new(glyph.to_u32()), advance, stand_in }
        };
        let known = parsed.charmap().mappings();
        let letters: HashMap<char, Letter> =
            known.filter_map(|(sign, glyph)| Some((char::from_u32(sign)?, letter(glyph, false)))).collect();
        let stand_in = Letter { stand_in: true, ..*letters.get(&STAND_IN)? };
        Some(Self { font, letters, stand_in })
    }

    /// The letter for `sign`; a question mark for one that the face has not, so that it is seen and nothing fails.
    pub(crate) fn letter(&self, sign: char) -> Letter {
        let sign = if sign.is_whitespace() && sign != '\u{a0}' { ' ' } else { sign };
        self.letters.get(&sign).copied().unwrap_or(self.stand_in)
    }

    /// Width of `text` in ems.
    pub(crate) fn width(&self, text: &str) -> f32 {
        text.chars().map(|sign| self.letter(sign).advance).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_is_in_every_face() {
        let vowels = "aáàảãạăắằẳẵặâấầẩẫậeéèẻẽẹêếềểễệiíìỉĩịoóòỏõọôốồổỗộơớờởỡợuúùủũụưứừửữựyýỳỷỹỵđ";
        let signs = "“”‘’–…·";
        let fonts = Fonts::load().unwrap();
        for face in [Face::Sans, Face::Strong, Face::Serif, Face::SerifStrong, Face::SerifItalic] {
            for sign in vowels.chars().chain(vowels.to_uppercase().chars()).chain((' '..='~').chain(signs.chars())) {
                let letter = fonts.face(face).letter(sign);
                assert!(!letter.stand_in && letter.advance > 0.1, "{face:?} {sign}");
            }
        }
    }
}
