//! What was checked: a line each, under a stable name.

use std::fmt::Display;

use super::super::out;

/// Every check, in the order in which it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    LogKey,
    CheckpointSignature,
    TreeEqualsTiles,
    EntriesReadable,
    HistoryKept,
    OneOpen,
    OneClose,
    TiesDestroyed,
    NothingAfterClose,
    EnvelopesEqualRedeemed,
    PaperAddsUp,
    OpenedPlusVoidEqualsEnvelopes,
    ResultEqualsTables,
    Receipt,
    ReceiptProof,
    PackCodes,
    PackAddressed,
    PackRoster,
    PackRedeemed,
    PackSignatures,
    PackStrata,
    PackPaper,
    PackBallots,
    PackScores,
    Reseal,
}

impl Check {
    /// Scripts match on it.
    const fn name(self) -> &'static str {
        match self {
            Self::LogKey => "log-key",
            Self::CheckpointSignature => "checkpoint-signature",
            Self::TreeEqualsTiles => "tree-equals-tiles",
            Self::EntriesReadable => "entries-readable",
            Self::HistoryKept => "history-kept",
            Self::OneOpen => "one-open",
            Self::OneClose => "one-close",
            Self::TiesDestroyed => "ties-destroyed",
            Self::NothingAfterClose => "nothing-after-close",
            Self::EnvelopesEqualRedeemed => "envelopes-equal-redeemed",
            Self::PaperAddsUp => "paper-adds-up",
            Self::OpenedPlusVoidEqualsEnvelopes => "opened-plus-void-equals-envelopes",
            Self::ResultEqualsTables => "result-equals-tables",
            Self::Receipt => "receipt",
            Self::ReceiptProof => "receipt-proof",
            Self::PackCodes => "pack-codes",
            Self::PackAddressed => "pack-addressed",
            Self::PackRoster => "pack-roster",
            Self::PackRedeemed => "pack-redeemed",
            Self::PackSignatures => "pack-signatures",
            Self::PackStrata => "pack-strata",
            Self::PackPaper => "pack-paper",
            Self::PackBallots => "pack-ballots",
            Self::PackScores => "pack-scores",
            Self::Reseal => "reseal",
        }
    }
}

/// Prints as it goes.
#[derive(Default)]
pub(super) struct Report {
    failed: Vec<&'static str>,
}

impl Report {
    pub(super) fn pass(&mut self, check: Check, said: impl Display) {
        line("ok", check, said);
    }

    pub(super) fn fail(&mut self, check: Check, said: impl Display) {
        line("FAIL", check, said);
        self.failed.push(check.name());
    }

    /// Not yet, or nothing to check it with.
    pub(super) fn skip(&mut self, check: Check, said: impl Display) {
        line("-", check, said);
    }

    /// Passes when there is no fault.
    pub(super) fn by(&mut self, check: Check, fault: Option<String>, said: impl Display) {
        match fault {
            None => self.pass(check, said),
            Some(fault) => self.fail(check, fault),
        }
    }

    pub(super) fn failed(&self) -> &[&'static str] {
        &self.failed
    }
}

fn line(how: &str, check: Check, said: impl Display) {
    out::line(format_args!("{how:<4} {:<34} {said}", check.name()));
}
