//! The language of a page. Templates are written in Vietnamese; in another language their words are looked up by the
//! Vietnamese ones, and what has no translation stays Vietnamese and is marked as such.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use askama::filters::HtmlSafe;
use survey_forms::Round;

use super::frame::Frame;

/// The languages of a page that is offered in several.
#[derive(Clone)]
pub struct Tongue {
    /// BCP 47 tag of the language it is in; `vi` is one of them.
    pub code: String,
    /// Tag and name, in itself, of every language it is offered in.
    pub offered: Vec<(String, String)>,
    /// The page itself, without the site's prefix: where somebody comes back to who chooses another language.
    pub path: String,
    /// Rounds whose translations hold.
    pub rounds: Vec<Arc<Round>>,
    /// The service's own words in a language, by the Vietnamese ones.
    pub own: fn(&str, &str) -> Option<&'static str>,
}

impl Tongue {
    fn find<'s>(&'s self, vi: &str) -> Option<&'s str> {
        let given = |round: &'s Arc<Round>| round.translations.get(&self.code)?.get(vi).map(String::as_str);
        self.rounds.iter().find_map(given).or_else(|| (self.own)(&self.code, vi))
    }
}

/// A text in the page's language, or in Vietnamese and marked so.
pub struct Said<'s> {
    text: Cow<'s, str>,
    marked: bool,
}

// What is written is escaped below.
impl HtmlSafe for Said<'_> {}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marked {
            f.write_str("<span lang=\"vi\">")?;
        }
        for sign in self.text.chars() {
            match sign {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        if self.marked { f.write_str("</span>") } else { Ok(()) }
    }
}

/// The words with their values: `#` stands where the next one goes.
pub fn filled<T: fmt::Display>(words: &str, values: &[T]) -> String {
    let mut parts = words.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        match values.next() {
            Some(value) => out.push_str(&value.to_string()),
            None => out.push('#'),
        }
        out.push_str(part);
    }
    out
}

impl Frame {
    /// Whether the page is in Vietnamese.
    #[must_use]
    pub fn is_vietnamese(&self) -> bool {
        self.foreign().is_none()
    }

    fn foreign(&self) -> Option<&Tongue> {
        self.tongue.as_ref().filter(|tongue| tongue.code != "vi")
    }

    /// BCP 47 tag of the page's language.
    #[must_use]
    pub fn lang(&self) -> &str {
        self.foreign().map_or("vi", |tongue| tongue.code.as_str())
    }

    /// Words in the page's language, for the text of an element.
    #[must_use]
    pub fn t<'s>(&'s self, vi: &'s str) -> Said<'s> {
        let Some(tongue) = self.foreign() else { return Said { text: Cow::Borrowed(vi), marked: false } };
        match tongue.find(vi) {
            Some(found) => Said { text: Cow::Borrowed(found), marked: false },
            None => Said { text: Cow::Borrowed(vi), marked: true },
        }
    }

    /// Words in the page's language with values where they have `#`.
    #[must_use]
    pub fn n<'s, T: fmt::Display>(&'s self, vi: &'s str, values: impl AsRef<[T]>) -> Said<'s> {
        let said = self.t(vi);
        Said { text: Cow::Owned(filled(&said.text, values.as_ref())), marked: said.marked }
    }

    /// Words in the page's language, for an attribute or a value among others.
    #[must_use]
    pub fn a<'s>(&'s self, vi: &'s str) -> &'s str {
        self.foreign().and_then(|tongue| tongue.find(vi)).unwrap_or(vi)
    }

    /// A moment as Viet Nam writes it (`07:00 ngày 15/09/2026`), with the page's word for the day.
    #[must_use]
    pub fn at(&self, moment: &str) -> String {
        moment.replace("ngày", self.a("ngày"))
    }

    /// Of a page that says what went wrong: its title begins so.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.title = format!("{} {}", self.a("Lỗi:"), self.a(&self.title));
        self
    }

    /// In the languages that the page is offered in.
    #[must_use]
    pub fn in_tongue(mut self, tongue: Option<Tongue>) -> Self {
        self.tongue = tongue;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_the_signs_are_and_nothing_becomes_markup() {
        assert_eq!(filled("# of #, #", &["a#", "b"]), "a# of b, #");
        let said = |text, marked| Said { text: Cow::Borrowed(text), marked }.to_string();
        assert_eq!(said("<b a='\"'>&", false), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
        assert_eq!(said("Đợt", true), "<span lang=\"vi\">Đợt</span>");
    }
}
