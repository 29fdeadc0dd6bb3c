//! A table cut into blocks of whole ballots, for several cores.

use std::io::Read;

use super::{NO_ORDER, ReadError};

/// Bytes of a block, about.
const BLOCK: usize = 4 << 20;
/// Longest ballot, in bytes.
const BALLOT_MAX: usize = 64 << 20;

/// Lines of whole ballots.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Line of the file on which it begins.
    pub(super) line: u64,
}

/// Cuts what is read behind the heading.
pub(super) struct Blocks<R> {
    from: R,
    separator: u8,
    rest: Vec<u8>,
    line: u64,
    last: Vec<u8>,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) const fn new(from: R, separator: u8) -> Self {
        Self { from, separator, rest: Vec::new(), line: 2, last: Vec::new(), ended: false }
    }

    /// The next block; ballots stand in the order of their ids, which are in the first column.
    ///
    /// # Errors
    /// When the file does not read, or a ballot is in two places.
    pub(super) fn next(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if self.ended && self.rest.is_empty() {
                return Ok(None);
            }
            if !self.ended {
                let before = self.rest.len();
                let more = u64::try_from(BLOCK).unwrap_or(u64::MAX);
                let read = self.from.by_ref().take(more).read_to_end(&mut self.rest)?;
                self.ended = read < BLOCK;
                if before > BALLOT_MAX {
                    return Err(ReadError::line(self.line, "", "this ballot is too long"));
                }
            }
            let cut = if self.ended { self.rest.len() } else { self.whole() };
            if cut == 0 {
                continue;
            }
            let rest = self.rest.split_off(cut);
            let bytes = std::mem::replace(&mut self.rest, rest);
            let line = self.line;
            let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
            self.line += u64::try_from(ends).unwrap_or(u64::MAX);
            if self.id_at(&bytes, 0) <= self.last.as_slice() {
                return Err(ReadError::line(line, "ballot_id", NO_ORDER));
            }
            let start = line_before(&bytes, bytes.len());
            self.last = self.id_at(&bytes, start).to_vec();
            return Ok(Some(Block { bytes, line }));
        }
    }

    /// Bytes before the first line of the last ballot whose lines are there, which may go on.
    fn whole(&self) -> usize {
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1) else { return 0 };
        let mut start = line_before(&self.rest, end);
        let id = self.id_at(&self.rest, start);
        while start > 0 {
            let before = line_before(&self.rest, start);
            if self.id_at(&self.rest, before) != id {
                return start;
            }
            start = before;
        }
        0
    }

    /// The first cell of the line that begins here.
    fn id_at<'b>(&self, bytes: &'b [u8], start: usize) -> &'b [u8] {
        let line = bytes.get(start..).unwrap_or_default();
        line.split(|byte| *byte == self.separator || *byte == b'\n').next().unwrap_or_default()
    }
}

/// Start of the line that ends before `end`.
fn line_before(bytes: &[u8], end: usize) -> usize {
    let line = bytes.get(..end.saturating_sub(1)).unwrap_or_default();
    line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ballot_is_never_cut_and_every_line_keeps_its_number() {
        // Ballots of one to three lines, together more than three blocks.
        let long = "x".repeat(BLOCK / 7);
        let mut text = String::new();
        let mut lines = 0_u64;
        for ballot in 0..24_u64 {
            for line in 0..=(ballot % 3) {
                text.push_str(&format!("{ballot:02},{line},{long}\n"));
                lines += 1;
            }
        }
        let mut blocks = Blocks::new(text.as_bytes(), b',');
        let (mut all, mut line, mut count) = (Vec::new(), 2, 0);
        let mut seen = std::collections::BTreeSet::new();
        while let Some(block) = blocks.next().unwrap() {
            assert_eq!(block.line, line);
            line += u64::try_from(block.bytes.iter().filter(|b| **b == b'\n').count()).unwrap();
            let ids: std::collections::BTreeSet<Vec<u8>> =
                block.bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| l[..2].to_vec()).collect();
            assert!(seen.is_disjoint(&ids));
            seen.extend(ids);
            all.extend_from_slice(&block.bytes);
            count += 1;
        }
        assert!(count > 2 && all == text.as_bytes() && line == lines + 2, "{count} {line}");
        let twice = [text.as_bytes(), b"00,0,x\n"].concat();
        let mut blocks = Blocks::new(twice.as_slice(), b',');
        // Found by whoever reads the block, or here between blocks.
        while let Ok(Some(_)) = blocks.next() {}
    }
}
