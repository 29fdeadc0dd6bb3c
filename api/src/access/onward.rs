//! Where a sign-in leads: only ever to a page of this site (no open redirect).

use std::fmt::Write as _;

use crate::config::BaseUrl;

const LONGEST: usize = 512;

/// `path` if it is a path of this site, under its prefix. Browsers drop tabs and line ends, and read `\` as `/`,
/// so that `/\evil.example` and `/<tab>/evil.example` lead away: only plain ASCII without `\` passes.
pub(super) fn local<'p>(base: &BaseUrl, path: &'p str) -> Option<&'p str> {
    let plain = path.len() <= LONGEST && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    let within = path.strip_prefix(&base.prefix)?;
    let (only_path, _) = within.split_once(['?', '#']).unwrap_or((within, ""));
    let one_slash = only_path.starts_with('/') && !path.starts_with("//") && !only_path.starts_with("//");
    let climbs = only_path.split('/').any(|step| step.to_ascii_lowercase().replace("%2e", ".") == "..");
    (plain && one_slash && !climbs).then_some(path)
}

/// `text` as a value in a query (RFC 3986: everything but unreserved characters and `/` is escaped).
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_site_pass() {
        let (root, below) = (BaseUrl::parse("https://a.vn").unwrap(), BaseUrl::parse("https://a.vn/khao-sat").unwrap());
        for path in ["/", "/giam-sat", "/giam-sat?dot=2023&nhom=CC", "/quan-tri/dot/..-2023#a"] {
            assert_eq!(local(&root, path), Some(path));
        }
        for path in ["/khao-sat/", "/khao-sat/giam-sat?x=//a"] {
            assert_eq!(local(&below, path), Some(path));
        }
    }

    #[test]
    fn ways_out_do_not() {
        let (root, below) = (BaseUrl::parse("https://a.vn").unwrap(), BaseUrl::parse("https://a.vn/khao-sat").unwrap());
        for path in [
            "",
            "giam-sat",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /giam-sat",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "@evil.example",
            ".evil.example",
            "/..//evil.example",
            "/%2e%2E//evil.example",
            "/giám-sát",
            "/a\r\nSet-Cookie: x=y",
            &format!("/{}", "a".repeat(600)),
        ] {
            assert_eq!(local(&root, path), None, "{path:?}");
            assert_eq!(local(&below, &format!("/khao-sat{path}")), None, "{path:?} below the prefix");
        }
        for path in ["/giam-sat", "/khao-sat", "/khao-sat.evil.example/", "/khao-sat//evil.example", "/khao-sat/../x"] {
            assert_eq!(local(&below, path), None, "{path:?}");
        }
    }

    #[test]
    fn a_value_is_escaped_whole() {
        assert_eq!(escaped("/giam-sat?dot=a&x=%20"), "/giam-sat%3Fdot%3Da%26x%3D%2520");
    }
}
