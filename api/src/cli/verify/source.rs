//! Where a log is read from: a folder, or a service.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};

use super::super::Failure;

/// Longest file of a log: a tile of 256 leaves of 65,535 bytes, and a published document, are smaller.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A log's files by their paths.
pub(super) enum Source {
    Folder(PathBuf),
    Web { agent: ureq::Agent, base: String },
}

impl Source {
    pub(super) fn of(url: Option<&str>, dir: Option<&Path>, round: Option<&str>) -> Result<Self, Failure> {
        let Some(url) = url else {
            let dir = dir.unwrap_or_else(|| Path::new("."));
            return if dir.is_dir() {
                Ok(Self::Folder(dir.to_owned()))
            } else {
                Err(format!("no folder {}", dir.display()).into())
            };
        };
        let agent = agent();
        let url = url.trim_end_matches('/');
        // A folder that somebody serves has its key at the top.
        if get(&agent, &format!("{url}/vkey"))?.is_some() {
            return Ok(Self::Web { agent, base: url.to_owned() });
        }
        let round = match round {
            Some(round) => round.to_owned(),
            None => only_round(&agent, url)?,
        };
        Ok(Self::Web { agent, base: format!("{url}/api/v1/rounds/{round}/log") })
    }

    /// A file; `None` when there is none.
    pub(super) fn bytes(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Folder(folder) => match std::fs::read(folder.join(path)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
                Err(error) => Err(format!("{path}: {error}").into()),
            },
            Self::Web { agent, base } => get(agent, &format!("{base}/{path}")),
        }
    }

    /// A file of text; `None` also when it is not UTF-8.
    pub(super) fn text(&mut self, path: &str) -> Result<Option<String>, Failure> {
        Ok(self.bytes(path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}

fn agent() -> ureq::Agent {
    // Another one may be set already; either does.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .user_agent(concat!("phieu-verify/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(Duration::from_secs(60)));
    ureq::Agent::new_with_config(config.build())
}

fn get(agent: &ureq::Agent, url: &str) -> Result<Option<Vec<u8>>, Failure> {
    let mut answer = agent.get(url).call().map_err(|error| format!("{url}: {error}"))?;
    match answer.status().as_u16() {
        200 => Ok(Some(answer.body_mut().with_config().limit(LONGEST).read_to_vec()?)),
        404 | 409 => Ok(None),
        status => Err(format!("{url}: status {status}").into()),
    }
}

fn only_round(agent: &ureq::Agent, url: &str) -> Result<String, Failure> {
    let answer = get(agent, &format!("{url}/api/v1/rounds"))?.ok_or("no rounds there")?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let rounds = answer.get("rounds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ids: Vec<&str> = rounds.iter().filter_map(|round| round.get("id").and_then(Value::as_str)).collect();
    match ids.as_slice() {
        [one] => Ok((*one).to_owned()),
        many => Err(format!("say which round: {}", many.join(", ")).into()),
    }
}
