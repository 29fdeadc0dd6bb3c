//! One's own receipt: looked for in the log here, or proved by a saved answer of `/receipts/{receipt}`.

use data_encoding::BASE64;
use serde::Deserialize;

use super::super::Failure;
use super::report::{Check, Report};
use super::walk::Walk;
use crate::ballot::Receipt;
use crate::ballot::log::entry::Entry;
use crate::ballot::log::merkle::{Node, leaf_hash, root_by_path};
use crate::ballot::log::note::{Checkpoint, NoteFault, VerifierKey};

/// What was asked for.
pub(super) struct Asked {
    receipt: Option<Receipt>,
    saved: Option<Saved>,
}

/// A saved answer.
#[derive(Deserialize)]
struct Saved {
    receipt: String,
    inclusion: Option<Inclusion>,
}

#[derive(Deserialize)]
struct Inclusion {
    index: u64,
    proof: Vec<String>,
    checkpoint: String,
}

impl Asked {
    /// A number, or a file's path.
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        if let Some(receipt) = Receipt::parse(text) {
            return Ok(Self { receipt: Some(receipt), saved: None });
        }
        if !std::path::Path::new(text).is_file() {
            return Ok(Self { receipt: None, saved: None });
        }
        let saved: Saved = serde_json::from_slice(&std::fs::read(text)?).map_err(|error| format!("{text}: {error}"))?;
        Ok(Self { receipt: Receipt::parse(&saved.receipt), saved: Some(saved) })
    }

    pub(super) fn id(&self) -> Option<Node> {
        self.receipt.as_ref().map(|receipt| *receipt.id())
    }

    fn inclusion(&self) -> Option<&Inclusion> {
        self.saved.as_ref().and_then(|saved| saved.inclusion.as_ref())
    }

    /// Leaves of the log that the saved proof is against.
    pub(super) fn size(&self, key: &VerifierKey) -> Option<u64> {
        self.inclusion().and_then(|i| Checkpoint::open(&i.checkpoint, key).ok()).map(|head| head.size)
    }

    pub(super) fn check(&self, key: &VerifierKey, head: &Checkpoint, walk: &Walk, report: &mut Report) {
        let Some(receipt) = &self.receipt else {
            report.fail(Check::Receipt, "not a receipt: it has 64 hexadecimal digits; check each of them");
            return;
        };
        match walk.found {
            Some(place) => report.pass(Check::Receipt, format_args!("leaf {place} of {}", head.size)),
            None => {
                let closed = walk.said.iter().any(|s| matches!(s.entry, Entry::Close { .. }));
                let else_ = if closed { "" } else { "; or it waits for the next batch, at the latest the close" };
                report.fail(Check::Receipt, format_args!("not in the box: check each digit of it{else_}"));
            }
        }
        if self.saved.is_some() {
            report.by(Check::ReceiptProof, self.fault(receipt, key, head, walk), "leads from the receipt to the log");
        }
    }

    fn fault(&self, receipt: &Receipt, key: &VerifierKey, head: &Checkpoint, walk: &Walk) -> Option<String> {
        let Some(inclusion) = self.inclusion() else { return Some("the answer has no proof: it waited".to_owned()) };
        let of = match Checkpoint::open(&inclusion.checkpoint, key) {
            Ok(of) => of,
            Err(NoteFault::OtherLog) => return Some("a proof for another round".to_owned()),
            Err(fault) => return Some(fault.to_string()),
        };
        if of.size > head.size {
            return Some(format!("a checkpoint from the future: {} leaves, the log has {}", of.size, head.size));
        }
        let path: Option<Vec<Node>> =
            inclusion.proof.iter().map(|hash| BASE64.decode(hash.as_bytes()).ok()?.try_into().ok()).collect();
        let leaf = leaf_hash(&Entry::envelope(receipt.id()));
        if path.and_then(|path| root_by_path(&leaf, inclusion.index, of.size, &path)) != Some(of.root) {
            return Some("the proof does not lead to its checkpoint".to_owned());
        }
        (walk.roots.get(&of.size) != Some(&of.root)).then(|| "its checkpoint is not of this log's history".to_owned())
    }
}
