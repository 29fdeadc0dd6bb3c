//! The transport of letters: SMTP, with TLS from the start or by STARTTLS, or a folder to try things in. It knows nothing
//! of rounds and codes. Whoever sends learns how far a letter came: handed over, refused for this recipient, or stopped
//! by the server before anything was handed over.

mod pace;
mod smtp;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::{Address, address::AddressError};
use zeroize::Zeroizing;

pub use pace::Pace;
pub use smtp::Carrier;

use crate::config::Config;

/// Settings that no letter can be sent with.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// `mail_url` is none of the four kinds.
    #[error(
        "settings: mail_url must be smtps://HOST[:PORT], smtp+starttls://HOST[:PORT], smtp://HOST[:PORT] (loopback \
         only) or file:///FOLDER"
    )]
    Url,
    /// Without TLS only to this machine: letters hold codes.
    #[error("settings: mail_url without TLS is for a server on this machine only")]
    Plain,
    /// `mail_from` is missing or no address.
    #[error("settings: mail_from must be an address such as \"Khảo sát CCHC <khaosat@example.gov.vn>\"")]
    From,
    /// A file named in the settings cannot be read.
    #[error("settings: {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// TLS could not be set up.
    #[error("settings: mail_ca_file: {0}")]
    Tls(String),
    /// No letter is sent: `mail_url` is empty.
    #[error("settings: mail_url is empty, so no letter can be sent")]
    Off,
    /// An address that cannot be written to.
    #[error("the address cannot be written to")]
    Recipient,
    /// The letter could not be put together.
    #[error("the letter could not be put together")]
    Letter,
}

/// Where letters go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Route {
    Smtp { host: String, port: u16, security: Security },
    Folder(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    StartTls,
    Tls,
}

impl Route {
    fn parse(url: &str) -> Result<Self, MailError> {
        let (scheme, rest) = url.split_once("://").ok_or(MailError::Url)?;
        let (security, standard) = match scheme {
            "file" if !rest.is_empty() => return Ok(Self::Folder(PathBuf::from(rest))),
            "smtp" => (Security::Plain, 25),
            "smtp+starttls" => (Security::StartTls, 587),
            "smtps" => (Security::Tls, 465),
            _ => return Err(MailError::Url),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_port| MailError::Url)?),
            None => (rest, standard),
        };
        let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if host.is_empty() || !named {
            return Err(MailError::Url);
        }
        if security == Security::Plain && host != "localhost" && !host.starts_with("127.") {
            return Err(MailError::Plain);
        }
        Ok(Self::Smtp { host: host.to_owned(), port, security })
    }
}

/// A way for letters; cheap to clone.
#[derive(Clone)]
pub struct Mail(Arc<Inner>);

struct Inner {
    route: Route,
    from: Mailbox,
    user: String,
    password: Zeroizing<String>,
    ca: Option<Vec<u8>>,
    timeout: Duration,
}

/// A letter to one person.
pub struct Letter<'l> {
    /// Whole name.
    pub name: &'l str,
    /// Address.
    pub email: &'l str,
    /// Subject: never a code.
    pub subject: &'l str,
    /// Plain text.
    pub text: Zeroizing<String>,
    /// The same as HTML.
    pub html: Zeroizing<String>,
    /// Where answers go.
    pub reply_to: Option<&'l str>,
    /// Address to write to for no more letters (RFC 2369), with the words of its subject.
    pub unsubscribe: Option<&'l str>,
    /// Random; becomes the message's id.
    pub id: String,
    /// When it is sent.
    pub at: DateTime<Utc>,
}

/// A letter as it goes over the wire. It may hold a code: wiped when dropped.
pub struct Sealed {
    to: Address,
    bytes: Zeroizing<Vec<u8>>,
    id: String,
}

impl Sealed {
    /// The part of the address behind the `@`, lower case.
    #[must_use]
    pub fn domain(&self) -> String {
        self.to.domain().to_lowercase()
    }
}

/// How far a letter came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it.
    HandedOver,
    /// The server will not have it for this recipient; carries its codes, never its words, which repeat the address.
    Refused {
        /// For good (5xx), or for now (4xx).
        for_good: bool,
        /// Such as `550 5.1.1`.
        fault: String,
    },
    /// The server did not get as far as this letter: it is down, slow, or wants another password.
    Stopped(String),
    /// The connection ended after the letter and before the answer: the server may have it.
    Unknown(String),
}

/// Percent-encoded: "Xin thôi nhận thư".
const NO_MORE: &str = "Xin%20th%C3%B4i%20nh%E1%BA%ADn%20th%C6%B0";

impl Mail {
    /// The way that the settings name; none where they name none.
    ///
    /// # Errors
    /// [`MailError`] names the setting.
    pub fn of(config: &Config) -> Result<Option<Self>, MailError> {
        if config.mail_url.is_empty() {
            return Ok(None);
        }
        let route = Route::parse(&config.mail_url)?;
        let from = sender(&config.mail_from)?;
        let read = |path: &Path| std::fs::read(path).map_err(|error| MailError::File(path.to_owned(), error));
        let password = match &config.mail_password_file {
            Some(path) => String::from_utf8_lossy(&Zeroizing::new(read(path)?)).trim_end().to_owned(),
            None => config.mail_password.reveal().to_owned(),
        };
        let ca = config.mail_ca_file.as_deref().map(read).transpose()?;
        let timeout = Duration::from_secs(config.mail_timeout_seconds.max(1));
        let user = config.mail_user.clone();
        let mail = Self(Arc::new(Inner { route, from, user, password: Zeroizing::new(password), ca, timeout }));
        // A certificate that does not read is told now, not at the first letter.
        Carrier::new(&mail).map(|_| Some(mail))
    }

    /// [`Mail::of`] for what cannot do without.
    ///
    /// # Errors
    /// [`MailError::Off`] besides.
    pub fn needed(config: &Config) -> Result<Self, MailError> {
        Self::of(config)?.ok_or(MailError::Off)
    }

    /// Puts a letter together: text and HTML, headers that tell programs that no person wrote it.
    ///
    /// # Errors
    /// [`MailError::Recipient`], [`MailError::Letter`].
    pub fn seal(&self, letter: &Letter<'_>) -> Result<Sealed, MailError> {
        let to: Address = letter.email.parse().map_err(|_address: AddressError| MailError::Recipient)?;
        let from = &self.0.from;
        let mut message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(Some(letter.name.to_owned()), to.clone()))
            .subject(letter.subject)
            .date(letter.at.into())
            .message_id(Some(format!("<{}@{}>", letter.id, from.email.domain())));
        if let Some(reply) = letter.reply_to.and_then(|address| address.parse::<Mailbox>().ok()) {
            message = message.reply_to(reply);
        }
        message = message.raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
        if let Some(address) = letter.unsubscribe {
            let value = format!("<mailto:{address}?subject={NO_MORE}>");
            message = message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("List-Unsubscribe"), value));
        }
        let body = MultiPart::alternative_plain_html(letter.text.to_string(), letter.html.to_string());
        let message = message.multipart(body).map_err(|_parts| MailError::Letter)?;
        Ok(Sealed { to, bytes: Zeroizing::new(message.formatted()), id: letter.id.clone() })
    }
}

/// `NAME <ADDRESS>`, the name as people write it: brackets and commas in it are letters, no grammar.
fn sender(text: &str) -> Result<Mailbox, MailError> {
    let (name, address) = match text.trim().strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text),
    };
    let address: Address = address.trim().parse().map_err(|_address: AddressError| MailError::From)?;
    Ok(Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_way_that_keeps_codes_secret_is_taken() {
        let smtp = |host: &str, port, security| Route::Smtp { host: host.to_owned(), port, security };
        for (url, route) in [
            ("smtps://mail.vn", smtp("mail.vn", 465, Security::Tls)),
            ("smtp+starttls://mail.vn", smtp("mail.vn", 587, Security::StartTls)),
            ("smtp+starttls://mail.vn:25", smtp("mail.vn", 25, Security::StartTls)),
            ("smtp://127.0.0.1:2525", smtp("127.0.0.1", 2525, Security::Plain)),
            ("file:///tmp/thu", Route::Folder(PathBuf::from("/tmp/thu"))),
        ] {
            assert_eq!(Route::parse(url).unwrap(), route);
        }
        assert!(matches!(Route::parse("smtp://mail.vn"), Err(MailError::Plain)));
        for bad in ["mail.vn", "http://mail.vn", "smtps://", "smtps://mail.vn:x", "smtps://u:p@mail.vn", "file://"] {
            assert!(Route::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_senders_name_may_have_any_letters() {
        let from = sender("Khảo sát, đợt 2 (mẫu) <khaosat@example.gov.vn>").unwrap();
        assert_eq!(from.name.as_deref(), Some("Khảo sát, đợt 2 (mẫu)"));
        assert_eq!(sender(" khaosat@example.gov.vn ").unwrap().name, None);
        assert!(sender("Khảo sát").is_err() && sender("Khảo sát <x>").is_err());
    }

    #[test]
    fn a_letter_has_both_parts_and_says_that_no_person_wrote_it() {
        let config = Config {
            mail_url: "file:///tmp".to_owned(),
            mail_from: "Khảo sát CCHC <khaosat@example.gov.vn>".to_owned(),
            ..Config::default()
        };
        let mail = Mail::needed(&config).unwrap();
        let letter = Letter {
            name: "Nguyễn Thị Hoa, “Út”",
            email: "hoa@example.gov.vn",
            subject: "Mời trả lời phiếu khảo sát",
            text: Zeroizing::new("Kính gửi".to_owned()),
            html: Zeroizing::new("<p>Kính gửi</p>".to_owned()),
            reply_to: Some("snv@example.gov.vn"),
            unsubscribe: Some("snv@example.gov.vn"),
            id: "abc".to_owned(),
            at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        };
        let sealed = mail.seal(&letter).unwrap();
        assert_eq!(sealed.domain(), "example.gov.vn");
        let text = String::from_utf8(sealed.bytes.to_vec()).unwrap();
        assert!(text.is_ascii());
        for part in [
            "Message-ID: <abc@example.gov.vn>",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <mailto:snv@example.gov.vn?subject=",
            "Reply-To: snv@example.gov.vn",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
            "Date: Tue, 14 Nov 2023 22:13:20",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(matches!(mail.seal(&Letter { email: "hoa", ..letter }), Err(MailError::Recipient)));
        assert!(matches!(Mail::of(&Config::default()), Ok(None)));
        assert!(matches!(Mail::of(&Config { mail_from: String::new(), ..config }), Err(MailError::From)));
    }
}
