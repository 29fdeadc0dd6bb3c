//! One attempt: signed, sent to an address that may be called, judged by its status.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use zeroize::Zeroizing;

use super::address::{self, AddressFault};
use crate::config::Network;

/// Longest time of one attempt, from the look-up of the name to the end of the answer's head.
const ATTEMPT: Duration = Duration::from_secs(15);

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// It did not: a stable word.
    Failed(&'static str),
}

impl Outcome {
    /// The receiver has it.
    #[must_use]
    pub const fn is_delivered(self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// The receiver wants nothing more (Standard Webhooks: 410).
    #[must_use]
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Answered(410))
    }
}

/// What is sent, and with which secret.
pub(super) struct Parcel {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) secret: Zeroizing<Vec<u8>>,
    pub(super) body: String,
}

/// `v1,` and the HMAC-SHA-256 over id, time and body.
pub(super) fn signature(secret: &[u8], id: &str, unix_s: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(format!("{id}.{unix_s}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
}

/// Sends; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    agent: ureq::Agent,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    /// Sends to public addresses, and inside these networks.
    #[must_use]
    pub fn new(inside: Vec<Network>) -> Self {
        Self::within(inside, ATTEMPT)
    }

    pub(super) fn within(inside: Vec<Network>, attempt: Duration) -> Self {
        // Another one may be set already; either does.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy of the environment would look the name up for us, and nobody would check the address.
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("phieu-webhook/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(attempt))
            .build();
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), Guard { inside }) }
    }

    pub(super) fn send(&self, parcel: &Parcel, at: DateTime<Utc>) -> Outcome {
        let unix_s = at.timestamp();
        let Some(signature) = signature(&parcel.secret, &parcel.id, unix_s, &parcel.body) else {
            return Outcome::Failed("secret_unusable");
        };
        let request = self
            .agent
            .post(&parcel.url)
            .header("content-type", "application/json")
            .header("webhook-id", &parcel.id)
            .header("webhook-timestamp", unix_s.to_string())
            .header("webhook-signature", signature);
        match request.send(parcel.body.as_str()) {
            // What else it says is not read.
            Ok(answer) => Outcome::Answered(answer.status().as_u16()),
            Err(error) => Outcome::Failed(word(&error)),
        }
    }
}

fn word(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "timed_out",
        ureq::Error::HostNotFound => "host_not_found",
        ureq::Error::Other(inner) if inner.is::<AddressFault>() => "address_not_allowed",
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed => "connection_failed",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "tls_failed",
        _ => "protocol_failed",
    }
}

/// Looks names up, and lets only addresses through that may be called: what is checked here is what is connected to.
#[derive(Debug)]
struct Guard {
    inside: Vec<Network>,
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let tls = uri.scheme_str() == Some("https");
        // All of them: a name that also leads inward is not one to call.
        for place in found.iter() {
            address::allowed(place.ip(), tls, &self.inside).map_err(|fault| ureq::Error::Other(Box::new(fault)))?;
        }
        Ok(found)
    }
}
