//! Breaking text into lines.

use crate::font::{Face, Fonts};

/// Points in a millimetre.
pub(crate) const PT_PER_MM: f32 = 72.0 / 25.4;

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) face: Face,
    /// Size in points.
    pub(crate) pt: f32,
    /// 0 black to 255 white.
    pub(crate) grey: u8,
    /// Height of a line in sizes.
    pub(crate) leading: f32,
}

impl Style {
    pub(crate) const fn new(face: Face, pt: f32) -> Self {
        Self { face, pt, grey: 0, leading: 1.25 }
    }

    pub(crate) const fn grey(self, grey: u8) -> Self {
        Self { grey, ..self }
    }

    pub(crate) const fn leading(self, leading: f32) -> Self {
        Self { leading, ..self }
    }

    pub(crate) const fn face(self, face: Face) -> Self {
        Self { face, ..self }
    }

    pub(crate) const fn sized(self, pt: f32) -> Self {
        Self { pt, ..self }
    }

    /// Height of a line in millimetres.
    pub(crate) fn line(self) -> f32 {
        self.pt * self.leading / PT_PER_MM
    }
}

/// A count as a length.
pub(crate) fn times(n: usize) -> f32 {
    f32::from(u16::try_from(n).unwrap_or(u16::MAX))
}

/// Width of `text` in millimetres.
pub(crate) fn width(fonts: &Fonts, style: Style, text: &str) -> f32 {
    fonts.face(style.face).width(text) * style.pt / PT_PER_MM
}

/// The lines that hold `text` in `room` millimetres: broken at blanks, inside a word only when it is longer than a line.
/// Line breaks of the text stay.
pub(crate) fn wrap(fonts: &Fonts, style: Style, room: f32, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if width(fonts, style, &joined) <= room {
                line = joined;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = broken(fonts, style, room, word, &mut lines);
        }
        lines.push(line);
    }
    lines
}

/// Puts all but the last piece of a long word into `lines`.
fn broken(fonts: &Fonts, style: Style, room: f32, word: &str, lines: &mut Vec<String>) -> String {
    let mut piece = String::new();
    let mut used = 0.0;
    let face = fonts.face(style.face);
    for sign in word.chars() {
        let wide = face.letter(sign).advance * style.pt / PT_PER_MM;
        if used + wide > room && !piece.is_empty() {
            lines.push(std::mem::take(&mut piece));
            used = 0.0;
        }
        piece.push(sign);
        used += wide;
    }
    piece
}

/// `text` in at most `most` lines: set smaller, down to `least` points, then cut with an ellipsis.
pub(crate) fn fitted(
    fonts: &Fonts,
    style: Style,
    least: f32,
    room: f32,
    most: usize,
    text: &str,
) -> (Style, Vec<String>) {
    let mut style = style;
    loop {
        let mut lines = wrap(fonts, style, room, text);
        if lines.len() <= most {
            return (style, lines);
        }
        if style.pt <= least {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                while width(fonts, style, &format!("{last}…")) > room && last.pop().is_some() {}
                last.truncate(last.trim_end().len());
                last.push('…');
            }
            return (style, lines);
        }
        style = style.sized((style.pt - 0.5).max(least));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_hold_every_word() {
        let fonts = Fonts::load().unwrap();
        let style = Style::new(Face::Sans, 9.0);
        let text = "Ủy ban nhân dân huyện Đại Lộc và các phòng chuyên môn ".repeat(6);
        let lines = wrap(fonts, style, 40.0, &text);
        assert!(lines.len() > 6 && lines.iter().all(|line| width(fonts, style, line) <= 40.0));
        assert_eq!(lines.join(" "), text.trim());
        let word = "ữ".repeat(300);
        let lines = wrap(fonts, style, 40.0, &word);
        assert!(lines.len() > 5 && lines.iter().all(|line| width(fonts, style, line) <= 40.0));
        assert_eq!(lines.concat(), word);
    }

    #[test]
    fn what_does_not_fit_is_set_smaller_and_then_cut() {
        let fonts = Fonts::load().unwrap();
        let style = Style::new(Face::Sans, 10.0);
        let (same, lines) = fitted(fonts, style, 7.0, 60.0, 2, "Sở Nội vụ");
        assert_eq!((same.pt, lines.as_slice()), (10.0, ["Sở Nội vụ".to_owned()].as_slice()));
        let (small, lines) = fitted(fonts, style, 7.0, 30.0, 2, &"Ban Quản lý các khu kinh tế ".repeat(9));
        assert_eq!((small.pt, lines.len()), (7.0, 2));
        assert!(lines[1].ends_with('…') && width(fonts, small, &lines[1]) <= 30.0);
    }
}
