//! One connection to the mail server, kept between letters. The commands are given one by one, so that it is known how
//! far a letter came when something fails.

use std::error::Error as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;

use zeroize::Zeroizing;

use super::{Mail, MailError, Outcome, Route, Sealed, Security};
use crate::clock::monotonic;

/// Letters of one connection: some servers cut off who never leaves.
const LETTERS_MAX: u32 = 200;
/// A connection that was quiet for so long is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(10);

/// Carries letters one after the other.
pub struct Carrier {
    mail: Mail,
    tls: Option<TlsParameters>,
    open: Option<Open>,
}

struct Open {
    connection: SmtpConnection,
    letters: u32,
    used: Instant,
}

impl Carrier {
    /// A carrier without a connection yet.
    ///
    /// # Errors
    /// [`MailError::Tls`].
    pub fn new(mail: &Mail) -> Result<Self, MailError> {
        let tls = match &mail.0.route {
            Route::Smtp { host, security: Security::StartTls | Security::Tls, .. } => {
                let mut builder = TlsParameters::builder(host.clone());
                if let Some(pem) = &mail.0.ca {
                    let own = Certificate::from_pem(pem).map_err(|error| MailError::Tls(error.to_string()))?;
                    builder = builder.add_root_certificate(own);
                }
                Some(builder.build_rustls().map_err(|error| MailError::Tls(error.to_string()))?)
            }
            _ => None,
        };
        Ok(Self { mail: mail.clone(), tls, open: None })
    }

    /// Connects, if need be, so that whoever sends knows before a code is made that the server is there.
    ///
    /// # Errors
    /// What stopped it, without the server's words.
    pub fn ready(&mut self) -> Result<(), String> {
        let mail = self.mail.clone();
        let (host, port, security) = match &mail.0.route {
            Route::Folder(folder) => return std::fs::create_dir_all(folder).map_err(|error| error.kind().to_string()),
            Route::Smtp { host, port, security } => (host, port, security),
        };
        if let Some(open) = &mut self.open {
            let fresh = monotonic().duration_since(open.used) < QUIET;
            if open.letters < LETTERS_MAX
                && !open.connection.has_broken()
                && (fresh || open.connection.test_connected())
            {
                return Ok(());
            }
        }
        self.leave();
        let hello = ClientId::Domain(self.mail.0.from.email.domain().to_owned());
        let at_once = self.tls.as_ref().filter(|_| *security == Security::Tls);
        let mut connection =
            SmtpConnection::connect((host.as_str(), *port), Some(self.mail.0.timeout), &hello, at_once, None)
                .map_err(|error| told("connect", &error))?;
        if let Some(tls) = self.tls.as_ref().filter(|_| *security == Security::StartTls) {
            connection.starttls(tls, &hello).map_err(|error| told("starttls", &error))?;
        }
        if !self.mail.0.user.is_empty() {
            let credentials = Credentials::new(self.mail.0.user.clone(), self.mail.0.password.to_string());
            let auth = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            auth.map_err(|error| told("auth", &error))?;
        }
        self.open = Some(Open { connection, letters: 0, used: monotonic() });
        Ok(())
    }

    /// Hands a letter over.
    pub fn carry(&mut self, letter: &Sealed) -> Outcome {
        if let Err(trouble) = self.ready() {
            return Outcome::Stopped(trouble);
        }
        if let Route::Folder(folder) = &self.mail.0.route {
            return match put(folder, letter) {
                Ok(()) => Outcome::HandedOver,
                Err(error) => Outcome::Stopped(error.kind().to_string()),
            };
        }
        let from = self.mail.0.from.email.clone();
        let Some(open) = &mut self.open else { return Outcome::Stopped("connect".to_owned()) };
        open.letters += 1;
        let outcome = converse(&mut open.connection, from, letter);
        open.used = monotonic();
        if matches!(outcome, Outcome::Stopped(_) | Outcome::Unknown(_)) {
            self.open = None;
        }
        outcome
    }

    /// Ends the connection.
    pub fn leave(&mut self) {
        if let Some(mut open) = self.open.take() {
            // Whether the server says good-bye does not matter.
            drop(open.connection.quit());
        }
    }
}

fn converse(connection: &mut SmtpConnection, from: lettre::Address, letter: &Sealed) -> Outcome {
    if let Err(error) = connection.command(MailFrom::new(Some(from), Vec::new())) {
        return Outcome::Stopped(told("mail from", &error));
    }
    if let Err(error) = connection.command(Rcpt::new(letter.to.clone(), Vec::new())) {
        return refused(connection, "rcpt to", &error);
    }
    if let Err(error) = connection.command(Data) {
        return refused(connection, "data", &error);
    }
    match connection.command(&*with_its_end(&letter.bytes)) {
        Ok(_) => Outcome::HandedOver,
        Err(error) if error.status().is_some() => refused(connection, "letter", &error),
        Err(error) => Outcome::Unknown(told("letter", &error)),
    }
}

/// A letter as it stands on the wire, with the line that ends it (RFC 5321, 4.5.2). In one piece: written apart, the end
/// waits on many systems for the acknowledgement of what went before, some 40 ms a letter.
fn with_its_end(letter: &[u8]) -> Zeroizing<String> {
    // Its parts are encoded in ASCII.
    let text = String::from_utf8_lossy(letter);
    let text = text.strip_suffix("\r\n").unwrap_or(&text);
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 256));
    for (n, line) in text.split("\r\n").enumerate() {
        whole.push_str(if n == 0 { "" } else { "\r\n" });
        whole.push_str(if line.starts_with('.') { "." } else { "" });
        whole.push_str(line);
    }
    whole.push_str("\r\n.\r\n");
    whole
}

/// A refusal of this letter; the next one starts afresh. Words about the server itself are no refusal of a recipient.
fn refused(connection: &mut SmtpConnection, stage: &str, error: &Error) -> Outcome {
    let code = error.status().map(u16::from);
    match code {
        None | Some(421 | 454 | 530 | 534 | 535 | 538) => Outcome::Stopped(told(stage, error)),
        Some(_) if connection.command(Rset).is_err() => Outcome::Stopped(told(stage, error)),
        Some(_) => Outcome::Refused { for_good: error.is_permanent(), fault: codes(error) },
    }
}

/// Such as `550 5.1.1`: the server's words may repeat the address.
fn codes(error: &Error) -> String {
    let basic = error.status().map(|code| u16::from(code).to_string()).unwrap_or_default();
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    let enhanced = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| part.len() <= 3 && part.parse::<u16>().is_ok())
    };
    let first = words.split_whitespace().find(enhanced).map(|word| format!(" {word}")).unwrap_or_default();
    format!("{basic}{first}")
}

fn told(stage: &str, error: &Error) -> String {
    let why = if error.status().is_some() {
        codes(error)
    } else if is_slow(error) {
        "timed out".to_owned()
    } else if error.is_tls() {
        "TLS failed".to_owned()
    } else if error.is_client() {
        "the server lacks what the settings ask for".to_owned()
    } else {
        "no connection".to_owned()
    };
    format!("{stage}: {why}")
}

/// Whether the answer did not come in time; a read that was given up says so in two ways.
fn is_slow(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(deeper) = cause {
        if let Some(io) = deeper.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock);
        }
        cause = deeper.source();
    }
    false
}

/// Whole or not at all, readable by its owner only.
fn put(folder: &std::path::Path, letter: &Sealed) -> std::io::Result<()> {
    let (unfinished, whole) = (folder.join(format!(".{}", letter.id)), folder.join(format!("{}.eml", letter.id)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(&letter.bytes)?;
    std::fs::rename(unfinished, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_a_dot_does_not_end_a_letter() {
        assert_eq!(*with_its_end(b"A: b\r\n\r\n.\r\n..a\r\nb.\r\n"), "A: b\r\n\r\n..\r\n...a\r\nb.\r\n.\r\n");
        assert_eq!(*with_its_end(b".a"), "..a\r\n.\r\n");
    }
}
