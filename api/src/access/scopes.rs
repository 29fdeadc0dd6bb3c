//! What a machine client may be allowed to do, as OAuth scopes.

use std::collections::BTreeSet;
use std::fmt;

use super::AccessError;

/// A scope that a handler asks for, named in its signature as `Machine<RatesRead>`.
pub trait Scope: 'static {
    /// Its name on the wire.
    const NAME: &'static str;
}

/// `codes:issue`: make codes for a round.
pub struct CodesIssue;
/// `rates:read`: response rates.
pub struct RatesRead;
/// `scores:read`: published scores.
pub struct ScoresRead;
/// `ballots:key`: what the paper desk does.
pub struct BallotsKey;

impl Scope for CodesIssue {
    const NAME: &'static str = "codes:issue";
}
impl Scope for RatesRead {
    const NAME: &'static str = "rates:read";
}
impl Scope for ScoresRead {
    const NAME: &'static str = "scores:read";
}
impl Scope for BallotsKey {
    const NAME: &'static str = "ballots:key";
}

/// Every scope.
pub const ALL: [&str; 4] = [CodesIssue::NAME, RatesRead::NAME, ScoresRead::NAME, BallotsKey::NAME];

/// One or more scopes; on the wire separated by spaces (RFC 6749, 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(BTreeSet<&'static str>);

impl Scopes {
    /// Reads scopes separated by white space or commas.
    ///
    /// # Errors
    /// [`AccessError::ScopeUnknown`] for an unknown one, and for none.
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        let known = |word: &str| ALL.into_iter().find(|name| *name == word).ok_or(AccessError::ScopeUnknown);
        let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let set = words.map(known).collect::<Result<BTreeSet<_>, _>>()?;
        if set.is_empty() { Err(AccessError::ScopeUnknown) } else { Ok(Self(set)) }
    }

    /// Whether every scope of `other` is among these.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// Whether the scope of this name is among these.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_and_unknown_ones_are_refused() {
        let both = Scopes::parse("scores:read, rates:read rates:read").unwrap();
        assert_eq!(both.to_string(), "rates:read scores:read");
        assert!(both.cover(&Scopes::parse("rates:read").unwrap()));
        assert!(!both.cover(&Scopes::parse("rates:read codes:issue").unwrap()));
        assert!(both.has(RatesRead::NAME) && !both.has(CodesIssue::NAME));
        for bad in ["", "  ", "rates", "rates:read admin"] {
            assert!(Scopes::parse(bad).is_err(), "{bad}");
        }
    }
}
