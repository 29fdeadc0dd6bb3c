//! The passes over a ballot, by name.

use std::fmt;

/// The two blind passes, and the blind third reading of a sample.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Nobody has keyed this ballot yet.
    First,
    /// Somebody else has.
    Second,
    /// Two have keyed the same, and the ballot was drawn for the sample.
    Sample,
}

impl Pass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Sample];

    /// As in the API and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Sample => "sample",
        }
    }

    /// The pass of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pass| pass.as_str() == text)
    }

    /// 1, 2 or 3, for people.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Sample => 3,
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
