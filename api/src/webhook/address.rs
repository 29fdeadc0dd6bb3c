//! Which addresses may be a webhook's.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::config::{Network, is_public};

/// Longest address, in bytes.
const LONGEST: usize = 500;

/// Why an address cannot be a webhook's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not an address.
    #[error("a webhook's address is https://HOST[:PORT]/PATH, without user, password and fragment")]
    Malformed,
    /// Without TLS, and not in a network that the settings allow.
    #[error("without TLS a webhook may only be sent inside a network of webhook_networks")]
    NotTls,
    /// It points inward.
    #[error("the address is not public, and in no network of webhook_networks")]
    NotPublic,
}

/// Whether what is sent may go to this address.
pub(super) fn allowed(address: IpAddr, tls: bool, inside: &[Network]) -> Result<(), AddressFault> {
    if inside.iter().any(|network| network.holds(address)) {
        Ok(())
    } else if !is_public(address) {
        Err(AddressFault::NotPublic)
    } else if tls {
        Ok(())
    } else {
        Err(AddressFault::NotTls)
    }
}

/// The address as it is kept. A name is not looked up here: it may lead elsewhere tomorrow, so that is judged each time
/// something is sent.
pub(super) fn checked(url: &str, inside: &[Network]) -> Result<String, AddressFault> {
    let url = url.trim();
    let uri: Uri = url.parse().ok().ok_or(AddressFault::Malformed)?;
    let (scheme, authority) = (uri.scheme_str(), uri.authority().ok_or(AddressFault::Malformed)?);
    let plain = url.len() <= LONGEST && !url.contains(['#', '@', '\\']) && url.chars().all(|c| c.is_ascii_graphic());
    if !plain || authority.host().is_empty() {
        return Err(AddressFault::Malformed);
    }
    let tls = match scheme {
        Some("https") => true,
        Some("http") if inside.is_empty() => return Err(AddressFault::NotTls),
        Some("http") => false,
        _ => return Err(AddressFault::Malformed),
    };
    if let Ok(address) = authority.host().trim_matches(['[', ']']).parse::<IpAddr>() {
        allowed(address, tls, inside)?;
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_lead_out_are_taken() {
        let inside = ["10.20.0.0/16".parse().unwrap()];
        for (url, outside_only, with_inside) in [
            ("https://index.example/hook?a=1", Ok(()), Ok(())),
            ("https://8.8.8.8:8443/", Ok(()), Ok(())),
            ("http://index.example/", Err(AddressFault::NotTls), Ok(())),
            ("http://8.8.8.8/", Err(AddressFault::NotTls), Err(AddressFault::NotTls)),
            ("https://10.20.1.2/hook", Err(AddressFault::NotPublic), Ok(())),
            ("http://10.20.1.2/hook", Err(AddressFault::NotTls), Ok(())),
            ("https://127.0.0.1/", Err(AddressFault::NotPublic), Err(AddressFault::NotPublic)),
            ("https://[::1]/", Err(AddressFault::NotPublic), Err(AddressFault::NotPublic)),
            ("https://[::ffff:169.254.169.254]/", Err(AddressFault::NotPublic), Err(AddressFault::NotPublic)),
            ("https://user:secret@index.example/", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
            ("https://index.example/#a", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
            ("ftp://index.example/", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
            ("index.example", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
            ("https:///hook", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
            ("https://chỉ-số.example/", Err(AddressFault::Malformed), Err(AddressFault::Malformed)),
        ] {
            assert_eq!(checked(url, &[]).map(drop), outside_only, "{url}");
            assert_eq!(checked(url, &inside).map(drop), with_inside, "{url}");
        }
    }
}
