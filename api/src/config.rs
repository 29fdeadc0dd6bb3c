//! Settings: defaults, then `phieu.toml`, then `PHIEU_*` of the environment.

mod network;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};

pub use network::{Network, NetworkMalformed, is_public};

/// Everything an operator can set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the public listener.
    pub listen: SocketAddr,
    /// Address of the listener for `/metrics`, `/healthz` and `/readyz`; none when absent.
    pub admin_listen: Option<SocketAddr>,
    /// Public address of the service; may carry a path prefix, which every link and cookie then honours.
    pub base_url: String,
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub database_url: String,
    /// Connections for reading and for staff's writing; the cast queue has one more of its own.
    pub database_connections: u32,
    /// Threads that answer requests; as many as cores when absent.
    pub workers: Option<usize>,
    /// The proxy in front sets `X-Forwarded-For`; used for rate limits only, never stored.
    pub trust_forwarded_for: bool,
    /// `json` or `text`.
    pub log_format: LogFormat,
    /// Most ballots and drafts waiting to be written before the next one is answered 503.
    pub cast_queue_length: usize,
    /// Most ballots and drafts written in one transaction.
    pub cast_batch: usize,
    /// Seconds between moves of cast ballots into the log and the box; never while the round is open when 0.
    pub batch_seconds: u64,
    /// Where letters go: `smtps://HOST[:PORT]`, `smtp+starttls://HOST[:PORT]`, `smtp://HOST[:PORT]` on this machine, or
    /// `file:///FOLDER` to try; no letter is sent when empty.
    pub mail_url: String,
    /// Who letters are from, `NAME <ADDRESS>`; mail that cannot be delivered comes back there.
    pub mail_from: String,
    /// User name at the mail server; none when empty.
    pub mail_user: String,
    /// Its password, if not in a file.
    pub mail_password: Hidden,
    /// A file with the password.
    pub mail_password_file: Option<PathBuf>,
    /// A certificate (PEM) that the mail server's is signed with, beside those of the system.
    pub mail_ca_file: Option<PathBuf>,
    /// Connections to the mail server.
    pub mail_connections: usize,
    /// Most letters a second of this process; 0 is no limit.
    pub mail_per_second: u32,
    /// Milliseconds between two letters to the same domain.
    pub mail_domain_pause_ms: u64,
    /// Longest wait for an answer of the mail server, in seconds.
    pub mail_timeout_seconds: u64,
    /// Seconds before a letter that was refused for now is tried again; each further time three times as long, up to four
    /// hours.
    pub mail_retry_seconds: u64,
    /// After so many seconds a letter whose sending was cut off is sent again, with another code.
    pub mail_lease_seconds: u64,
    /// Seconds between looks for webhooks that are due; none are sent by this process when 0.
    pub webhook_seconds: u64,
    /// Networks inside which webhooks may be sent, also without TLS, such as `10.20.0.0/16`; otherwise only to public
    /// addresses.
    pub webhook_networks: Vec<String>,
}

/// A setting that is never printed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The setting itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// Shape of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            base_url: "http://127.0.0.1:8080".to_owned(),
            database_url: "sqlite://phieu.db".to_owned(),
            database_connections: 8,
            workers: None,
            trust_forwarded_for: false,
            log_format: LogFormat::Text,
            cast_queue_length: 4096,
            cast_batch: 128,
            batch_seconds: 60,
            mail_url: String::new(),
            mail_from: String::new(),
            mail_user: String::new(),
            mail_password: Hidden::default(),
            mail_password_file: None,
            mail_ca_file: None,
            mail_connections: 4,
            mail_per_second: 10,
            mail_domain_pause_ms: 100,
            mail_timeout_seconds: 60,
            mail_retry_seconds: 300,
            mail_lease_seconds: 900,
            webhook_seconds: 5,
            webhook_networks: Vec::new(),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or variable is malformed; the message names the key.
    #[error("settings: {0}")]
    Malformed(#[from] Box<figment::Error>),
    /// The named settings file does not exist.
    #[error("settings: no file {0}")]
    Missing(PathBuf),
    /// `base_url` is not an http(s) address without query and fragment.
    #[error("settings: base_url must be http://HOST[:PORT][/PATH] or https://…, without query or fragment")]
    BaseUrl,
    /// A network is malformed.
    #[error("settings: webhook_networks: {0}")]
    Network(#[from] NetworkMalformed),
}

impl Config {
    /// Reads the settings; `file` must exist when named, `phieu.toml` is optional.
    ///
    /// # Errors
    /// [`ConfigError`] when a file or variable cannot be used.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or_else(|| Path::new("phieu.toml"));
        if file.is_some() && !path.is_file() {
            return Err(ConfigError::Missing(path.to_owned()));
        }
        let config: Self = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(path))
            // `PHIEU_LOG` is the log filter's, `PHIEU_TEST_*` are the tests'.
            .merge(Env::prefixed("PHIEU_").ignore(&["log", "test_postgres", "test_abort_cast_at"]))
            .extract()
            .map_err(Box::new)?;
        config.base()?;
        config.inside()?;
        Ok(config)
    }

    /// The networks inside which webhooks may be sent.
    ///
    /// # Errors
    /// [`ConfigError::Network`].
    pub fn inside(&self) -> Result<Vec<Network>, ConfigError> {
        Ok(self.webhook_networks.iter().map(|text| text.parse()).collect::<Result<_, NetworkMalformed>>()?)
    }

    /// The public address, taken apart.
    ///
    /// # Errors
    /// [`ConfigError::BaseUrl`].
    pub fn base(&self) -> Result<BaseUrl, ConfigError> {
        BaseUrl::parse(&self.base_url)
    }
}

/// The public address: origin and path prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// `https://cchc.quangnam.gov.vn`
    pub origin: String,
    /// `/khao-sat`, or empty.
    pub prefix: String,
}

impl BaseUrl {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`ConfigError::BaseUrl`].
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(ConfigError::BaseUrl)?;
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\' | '{' | '}');
        if !matches!(scheme, "http" | "https") || !rest.chars().all(plain) {
            return Err(ConfigError::BaseUrl);
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(ConfigError::BaseUrl);
        }
        let path = path.trim_matches('/');
        Ok(Self {
            origin: format!("{scheme}://{host}"),
            prefix: if path.is_empty() { String::new() } else { format!("/{path}") },
        })
    }

    /// Whether cookies must be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// The path of `path` (which starts with `/`) under the prefix.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The whole address of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prefix_is_kept() {
        let base = BaseUrl::parse("https://cchc.quangnam.gov.vn/khao-sat/").unwrap();
        assert_eq!(base.url("/p"), "https://cchc.quangnam.gov.vn/khao-sat/p");
        assert_eq!(base.path("/p"), "/khao-sat/p");
        assert!(base.is_https());
        assert_eq!(BaseUrl::parse("http://127.0.0.1:8080").unwrap().path("/p"), "/p");
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for bad in ["cchc.vn", "ftp://a", "https://", "https://a/?x=1", "https://a/#b", "https://a/ b"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
