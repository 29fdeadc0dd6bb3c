//! The words of letters: the round's own, or these. Plain text and HTML are made from one text, so that they say the same.

use chrono::{DateTime, Utc};
use survey_forms::Round;
use zeroize::Zeroizing;

use super::Template;
use super::outbox::Ready;
use crate::ballot::Token;
use crate::clock::{Entropy, local};
use crate::config::BaseUrl;
use crate::mail::{Letter, MailError};
use crate::round::LoadedRound;

/// Of a letter that was cut off so often that it is given up.
pub(super) const MAIL_FAULT: &str = "cut off too often";

const INVITATION: &str = "Kính gửi ông/bà {name},

{organiser} kính mời ông/bà trả lời phiếu khảo sát: {round}.

Ông/bà mở phiếu tại địa chỉ:
{link}

Hoặc vào trang {page} và nhập mã:
{code}

Hạn trả lời: {closes}. Mã chỉ gửi được một phiếu; xin không chuyển thư này cho người khác.

Phiếu được niêm phong ngay khi gửi, không ai biết ông/bà trả lời thế nào. Cho đến khi chốt phiếu, hệ thống biết mã nào gửi cho ai để chỉ nhắc người chưa trả lời; khi chốt phiếu danh sách ấy bị xóa.";

const REMINDER: &str = "Kính gửi ông/bà {name},

Phiếu khảo sát của {organiser} còn nhận trả lời đến {closes}: {round}.

Ông/bà mở phiếu tại địa chỉ:
{link}

Hoặc vào trang {page} và nhập mã:
{code}

Đây là mã mới; mã trong thư trước không còn dùng được. Nếu vừa gửi phiếu, xin ông/bà bỏ qua thư này.";

const REPLACEMENT: &str = "Kính gửi ông/bà {name},

Đây là mã mới thay cho mã cũ trong phiếu khảo sát của {organiser}: {round}.

Ông/bà mở phiếu tại địa chỉ:
{link}

Hoặc vào trang {page} và nhập mã:
{code}

Hạn trả lời: {closes}. Mã trong các thư trước không còn dùng được.";

fn body(round: &Round, template: Template) -> &str {
    let texts = &round.texts;
    match template {
        Template::Invitation => texts.invitation_body.as_deref().unwrap_or(INVITATION),
        Template::Reminder => texts.reminder_body.as_deref().unwrap_or(REMINDER),
        Template::Replacement => REPLACEMENT,
    }
}

fn subject(round: &Round, template: Template) -> &str {
    let texts = &round.texts;
    match template {
        Template::Invitation => {
            texts.invitation_subject.as_deref().unwrap_or("Mời trả lời phiếu khảo sát của {organiser}")
        }
        Template::Reminder => {
            texts.reminder_subject.as_deref().unwrap_or("Nhắc trả lời phiếu khảo sát của {organiser}")
        }
        Template::Replacement => "Mã mới cho phiếu khảo sát của {organiser}",
    }
}

/// Whether a letter brings a code. A reminder may do without, when the round's own text has no place for one: the earlier
/// letter's code stays good then.
pub(super) fn holds_code(round: &Round, template: Template) -> bool {
    let body = body(round, template);
    body.contains("{code}") || body.contains("{link}")
}

/// A letter's words.
pub struct Draft<'l> {
    name: &'l str,
    email: &'l str,
    subject: String,
    text: Zeroizing<String>,
    html: Zeroizing<String>,
    contact: Option<&'l str>,
    unsubscribe: bool,
}

impl Draft<'_> {
    /// As a letter that can be sent, with an id of its own.
    #[must_use]
    pub fn letter(&self, entropy: &Entropy, at: DateTime<Utc>) -> Letter<'_> {
        Letter {
            name: self.name,
            email: self.email,
            subject: &self.subject,
            text: self.text.clone(),
            html: self.html.clone(),
            reply_to: self.contact,
            unsubscribe: self.contact.filter(|_| self.unsubscribe),
            id: entropy.uuid().to_string(),
            at,
        }
    }
}

/// Writes the letter of a person.
pub(super) fn write<'l>(ready: &'l Ready, base: &BaseUrl) -> Result<Draft<'l>, MailError> {
    if holds_code(&ready.round.definition, ready.template) && ready.token.is_none() {
        return Err(MailError::Letter);
    }
    let code = ready.token.as_ref().map(Token::expose).unwrap_or_default();
    let person = &ready.person;
    let unit = ready.round.definition.unit(&person.source_unit).map_or("", |unit| unit.name.as_str());
    Ok(draft(&ready.round, ready.template, base, &code, [&person.name, &person.email, unit]))
}

/// A letter to look at, with a code that opens nothing; `person` has name and address.
#[must_use]
pub fn sample<'l>(
    round: &'l LoadedRound,
    template: Template,
    base: &BaseUrl,
    [name, email]: [&'l str; 2],
) -> Draft<'l> {
    let unit = round.definition.units.first().map_or("", |unit| unit.name.as_str());
    let mut draft = draft(round, template, base, "0000-0000-0000-0000-0000-0000", [name, email, unit]);
    draft.subject = format!("[Thư thử] {}", draft.subject);
    draft
}

fn draft<'l>(
    round: &'l LoadedRound,
    template: Template,
    base: &BaseUrl,
    code: &str,
    [name, email, unit]: [&'l str; 3],
) -> Draft<'l> {
    let definition = &round.definition;
    let closes = local(round.closes_at).format("%H:%M ngày %d/%m/%Y").to_string();
    let link = Zeroizing::new(format!("{}#{code}", base.url("/p")));
    let page = base.url("/");
    let value = |name_of: &str| match name_of {
        "code" => Some(code),
        "link" => Some(link.as_str()),
        "page" => Some(page.as_str()),
        "round" => Some(definition.title.as_str()),
        "organiser" => Some(definition.organiser.name.as_str()),
        "closes" => Some(closes.as_str()),
        "unit" => Some(unit),
        "name" => Some(name),
        _ => None,
    };
    let words = body(definition, template);
    let mut text = filled(words, |name| value(name).map(|v| Zeroizing::new(v.to_owned())));
    let in_html = |name: &str| {
        let escaped = Zeroizing::new(escaped(value(name)?));
        Some(Zeroizing::new(match name {
            "code" => format!("<span style=\"font:bold 20px/1.6 Consolas,monospace\">{}</span>", *escaped),
            "link" | "page" => format!("<a href=\"{0}\">{0}</a>", *escaped),
            _ => escaped.to_string(),
        }))
    };
    let mut html = Zeroizing::new(String::from(
        "<!DOCTYPE html><html lang=\"vi\"><head><meta charset=\"utf-8\"></head>\
         <body style=\"font:16px/1.6 Arial,sans-serif;max-width:38rem\">",
    ));
    for paragraph in words.replace("\r\n", "\n").split("\n\n").filter(|p| !p.trim().is_empty()) {
        let marked = filled(&escaped(paragraph), in_html);
        html.push_str("<p>");
        html.push_str(&marked.trim().replace('\n', "<br>"));
        html.push_str("</p>\n");
    }
    let signed = signature(definition);
    text.push_str(&format!("\n\n--\n{signed}\n"));
    html.push_str(&format!("<p>{}</p></body></html>\n", escaped(&signed).replace('\n', "<br>")));
    let subject = filled(subject(definition, template), |name| value(name).map(|v| Zeroizing::new(v.to_owned())));
    Draft {
        name,
        email,
        subject: subject.replace(['\r', '\n'], " "),
        text,
        html,
        contact: definition.organiser.email.as_deref(),
        unsubscribe: template != Template::Replacement,
    }
}

/// Who asks, and whom to ask.
fn signature(round: &Round) -> String {
    let organiser = &round.organiser;
    let mut lines = vec![organiser.name.clone()];
    let contact = [&organiser.contact_name, &organiser.phone, &organiser.email];
    let contact: Vec<&str> =
        contact.into_iter().flatten().map(String::as_str).filter(|c| *c != organiser.name).collect();
    if !contact.is_empty() {
        lines.push(format!("Hỏi đáp: {}", contact.join(", ")));
    }
    lines.join("\n")
}

/// A text with its `{name}`s filled in; what nobody knows stays as it is.
fn filled(text: &str, value: impl Fn(&str) -> Option<Zeroizing<String>>) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 200));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}').and_then(|(name, tail)| Some((value(name)?, tail))) {
            Some((found, tail)) => {
                out.push_str(&found);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_escaped_in_html_and_filled_once() {
        let value = |name: &str| (name == "name").then(|| Zeroizing::new("{code} <b>".to_owned()));
        assert_eq!(*filled("Gửi {name}, {none} {", value), "Gửi {code} <b>, {none} {");
        assert_eq!(escaped("\"A\" & <B>"), "&quot;A&quot; &amp; &lt;B&gt;");
    }

    #[test]
    fn every_letter_says_what_it_must() {
        let round = Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
        for template in Template::ALL {
            let body = body(&round, template);
            assert!(holds_code(&round, template));
            assert!(body.contains("{link}") && body.contains("{code}") && body.contains("{closes}"));
            assert!(!subject(&round, template).contains("{code}"));
        }
    }
}
