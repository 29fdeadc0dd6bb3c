//! One pass over the log: every tile is read once, recomputed and compared; a million leaves need no more memory than
//! their envelopes' ids.

use std::collections::BTreeMap;

use super::super::{Failure, progress};
use super::source::Source;
use crate::ballot::log::entry::Entry;
use crate::ballot::log::merkle::{Node, Tree, leaf_hash};
use crate::ballot::log::note::Checkpoint;
use crate::ballot::log::tile::{self, Kind, Tile, WIDTH};

/// What the log says, apart from its envelopes.
pub(super) struct Said {
    pub(super) entry: Entry,
    /// Its leaf's place.
    pub(super) place: u64,
    /// Envelopes before it.
    pub(super) envelopes: u64,
    /// Root right after it.
    pub(super) root: Node,
}

/// What a pass over the log found.
#[derive(Default)]
pub(super) struct Walk {
    /// Leaves read.
    pub(super) size: u64,
    pub(super) tiles: u64,
    pub(super) envelopes: u64,
    /// The first tile that is not what the leaves make, or the root.
    pub(super) fault: Option<String>,
    /// Place of the first leaf that is no entry.
    pub(super) unreadable: Option<u64>,
    /// In their order.
    pub(super) said: Vec<Said>,
    /// Place of the last envelope.
    pub(super) last_envelope: Option<u64>,
    /// Whether an envelope is there twice.
    pub(super) twice: bool,
    /// Roots at the sizes that were asked for.
    pub(super) roots: BTreeMap<u64, Node>,
    /// Place of the envelope that was asked for.
    pub(super) found: Option<u64>,
}

/// The tiles of hashes, recomputed.
struct Levels<'s> {
    source: &'s mut Source,
    edges: Vec<Vec<Node>>,
    /// Tiles of each level that are complete.
    full: Vec<u64>,
    compared: u64,
}

impl Walk {
    pub(super) fn over(
        source: &mut Source,
        head: &Checkpoint,
        marks: &[u64],
        wanted: Option<Node>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::default();
        let mut tree = Tree::default();
        let mut ids: Vec<Node> = Vec::new();
        let mut levels = Levels { source, edges: Vec::new(), full: Vec::new(), compared: 0 };
        let bar = progress(head.size, "reading the log");
        let tiles = Tile::all(head.size).take_while(|tile| tile.kind == Kind::Entries);
        for bundle in tiles {
            let leaves = levels.source.bytes(&bundle.path())?;
            let Some(body) = leaves else {
                let path = bundle.path();
                walk.fault(format!(
                    "{path} is missing: the checkpoint says {} leaves, there are {}",
                    head.size, walk.size
                ));
                break;
            };
            let leaves = tile::leaves(&body).filter(|all| u64::try_from(all.len()).is_ok_and(|n| n == bundle.width));
            let Some(leaves) = leaves else {
                walk.fault(format!("{} does not hold {} leaves", bundle.path(), bundle.width));
                break;
            };
            for leaf in leaves {
                let hash = leaf_hash(leaf);
                tree.push_hash(hash);
                if let Some(fault) = levels.push(hash)? {
                    walk.fault(fault);
                }
                walk.leaf(leaf, &tree, &mut ids, wanted.as_ref());
                if marks.contains(&tree.size()) {
                    walk.roots.insert(tree.size(), tree.root());
                }
            }
            walk.tiles += 1;
            bar.set_position(walk.size);
        }
        bar.finish_and_clear();
        if marks.contains(&0) {
            walk.roots.insert(0, Tree::default().root());
        }
        if walk.size == head.size {
            if let Some(fault) = levels.end()? {
                walk.fault(fault);
            }
            if tree.root() != head.root {
                walk.fault("the leaves do not make the root that was signed".to_owned());
            }
        }
        walk.tiles += levels.compared;
        ids.sort_unstable();
        walk.twice = ids.windows(2).any(|pair| pair.first() == pair.last());
        Ok(walk)
    }

    /// The first fault is the one to tell.
    fn fault(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn leaf(&mut self, leaf: &[u8], tree: &Tree, ids: &mut Vec<Node>, wanted: Option<&Node>) {
        let place = self.size;
        self.size += 1;
        if let Some(id) = Entry::envelope_id(leaf) {
            self.envelopes += 1;
            self.last_envelope = Some(place);
            if Some(&id) == wanted {
                self.found.get_or_insert(place);
            }
            ids.push(id);
            return;
        }
        match Entry::parse(leaf) {
            Some(entry) => self.said.push(Said { entry, place, envelopes: self.envelopes, root: tree.root() }),
            None => {
                self.unreadable.get_or_insert(place);
            }
        }
    }
}

impl Levels<'_> {
    /// Takes a leaf's hash; compares every tile that becomes full. Gives back what is wrong with it.
    fn push(&mut self, leaf: Node) -> Result<Option<String>, Failure> {
        let (mut node, mut fault) = (leaf, None);
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.edges.len() <= at {
                self.edges.push(Vec::new());
                self.full.push(0);
            }
            let Some((edge, full)) = self.edges.get_mut(at).zip(self.full.get_mut(at)) else { break };
            edge.push(node);
            if !u64::try_from(edge.len()).is_ok_and(|n| n == WIDTH) {
                break;
            }
            let hashes = std::mem::take(edge);
            let number = *full;
            *full += 1;
            let wrong = self.compare(Tile { kind: Kind::Hashes(level), number, width: WIDTH }, &hashes)?;
            fault = fault.or(wrong);
            let Some(root) = tile::complete_root(&hashes) else { break };
            node = root;
        }
        Ok(fault)
    }

    /// Compares the partial tiles.
    fn end(&mut self) -> Result<Option<String>, Failure> {
        let mut fault = None;
        let edges = std::mem::take(&mut self.edges);
        for (level, (edge, full)) in (0_u8..).zip(edges.iter().zip(self.full.clone())) {
            let width = u64::try_from(edge.len())?;
            if width > 0 {
                let wrong = self.compare(Tile { kind: Kind::Hashes(level), number: full, width }, edge)?;
                fault = fault.or(wrong);
            }
        }
        Ok(fault)
    }

    fn compare(&mut self, tile: Tile, hashes: &[Node]) -> Result<Option<String>, Failure> {
        self.compared += 1;
        let path = tile.path();
        Ok(match self.source.bytes(&path)? {
            None => Some(format!("{path} is missing")),
            Some(body) if body == hashes.concat() => None,
            Some(_) => Some(format!("{path} is not what its leaves make")),
        })
    }
}
