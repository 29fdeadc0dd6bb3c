//! The words of this room: what may be the matter with a paper, where it is, what becomes of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is the matter with a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A right code on another group's form.
    WrongForm,
    /// Torn, smeared, cut off; the number on the sheet can be read.
    CodeUnreadable,
    /// A code or a number that the round does not have.
    UnknownSerial,
    /// It lies in a bundle that it does not belong to.
    OtherBundle,
    /// Not all of its pages are there.
    PageMissing,
    /// A photocopy.
    Copied,
    /// Its code was used already.
    Duplicate,
    /// Something else.
    Other,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WrongForm,
        Self::CodeUnreadable,
        Self::UnknownSerial,
        Self::OtherBundle,
        Self::PageMissing,
        Self::Copied,
        Self::Duplicate,
        Self::Other,
    ];

    /// As in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongForm => "wrong_form",
            Self::CodeUnreadable => "code_unreadable",
            Self::UnknownSerial => "unknown_serial",
            Self::OtherBundle => "other_bundle",
            Self::PageMissing => "page_missing",
            Self::Copied => "copied",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::WrongForm => "Sai mẫu phiếu",
            Self::CodeUnreadable => "Mã rách, mờ, không đọc được",
            Self::UnknownSerial => "Mã hoặc số không có trong đợt",
            Self::OtherBundle => "Phiếu của bó khác",
            Self::PageMissing => "Thiếu trang",
            Self::Copied => "Phiếu sao chụp",
            Self::Duplicate => "Mã đã được dùng",
            Self::Other => "Lý do khác",
        }
    }

    /// The trouble of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.as_str() == text)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a referral is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has said anything.
    Waiting,
    /// One person says that it is void; another is to confirm.
    Proposed,
    /// Back to be keyed.
    Returned,
    /// Void, by two.
    Invalid,
    /// Its code was used: set aside with the duplicates.
    Duplicate,
    /// No ballot of the round: set aside.
    SetAside,
    /// Keyed anew.
    Reopened,
}

impl Standing {
    pub(super) const ALL: [Self; 7] =
        [Self::Waiting, Self::Proposed, Self::Returned, Self::Invalid, Self::Duplicate, Self::SetAside, Self::Reopened];

    /// As in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Proposed => "proposed",
            Self::Returned => "returned",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::SetAside => "set_aside",
            Self::Reopened => "reopened",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "Chờ giải quyết",
            Self::Proposed => "Chờ người thứ hai xác nhận không hợp lệ",
            Self::Returned => "Trả lại nhập tiếp",
            Self::Invalid => "Không hợp lệ",
            Self::Duplicate => "Phiếu trùng, để riêng",
            Self::SetAside => "Không thuộc đợt, để riêng",
            Self::Reopened => "Nhập lại từ đầu",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }
}

/// What becomes of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is keyed on.
    Return,
    /// It is void; another person confirms.
    Invalid,
    /// Its code was used; it lies with the duplicates.
    Duplicate,
    /// It is no ballot of the round.
    SetAside,
    /// It is keyed anew; the entries of before are kept.
    Reopen,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Return, Self::Invalid, Self::Duplicate, Self::SetAside, Self::Reopen];

    /// As in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::SetAside => "set_aside",
            Self::Reopen => "reopen",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Return => "Trả lại để nhập tiếp",
            Self::Invalid => "Không hợp lệ (cần người thứ hai xác nhận)",
            Self::Duplicate => "Phiếu trùng, để riêng",
            Self::SetAside => "Không thuộc đợt này, để riêng",
            Self::Reopen => "Nhập lại từ đầu (phụ trách)",
        }
    }

    /// The verdict of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}
