//! The tree of the log (RFC 6962, 2.1): hashes, roots in one pass, and proofs that a leaf is in it.

use sha2::{Digest as _, Sha256};

/// A node of the tree: a SHA-256.
pub type Node = [u8; 32];

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Node {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of an inner node.
#[must_use]
pub fn parent(left: &Node, right: &Node) -> Node {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Builds the root from leaves that come in order; keeps one node per level.
#[derive(Clone, Default)]
pub struct Tree {
    /// Roots of the complete subtrees so far, the largest first, each with its number of leaves.
    subtrees: Vec<(u64, Node)>,
    size: u64,
}

impl Tree {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        self.push_hash(leaf_hash(leaf));
    }

    /// Appends a leaf by its hash.
    pub fn push_hash(&mut self, leaf: Node) {
        let (mut size, mut node) = (1, leaf);
        while let Some((_, left)) = self.subtrees.pop_if(|(leaves, _)| *leaves == size) {
            node = parent(&left, &node);
            size *= 2;
        }
        self.subtrees.push((size, node));
        self.size += 1;
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Node {
        joined(self.subtrees.iter().map(|(_, node)| *node))
    }
}

/// The root over complete subtrees that come from left to right, each at most half as large as the one before.
#[must_use]
pub fn joined(subtrees: impl DoubleEndedIterator<Item = Node>) -> Node {
    let mut right_to_left = subtrees.rev();
    match right_to_left.next() {
        Some(last) => right_to_left.fold(last, |right, left| parent(&left, &right)),
        None => Sha256::digest([]).into(),
    }
}

/// The nodes of a stored tree.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The root of the complete subtree of 2^`level` leaves that is the `index`-th of its size.
    ///
    /// # Errors
    /// When the node cannot be had.
    fn node(&mut self, level: u32, index: u64) -> Result<Node, Self::Error>;
}

/// The root over the leaves `from..to` of a stored tree (RFC 6962, 2.1).
///
/// # Errors
/// When a node cannot be had.
pub fn range_root<N: Nodes>(nodes: &mut N, from: u64, to: u64) -> Result<Node, N::Error> {
    let length = to.saturating_sub(from);
    if length == 0 {
        return Ok(Sha256::digest([]).into());
    }
    if length.is_power_of_two() && from.is_multiple_of(length) {
        return nodes.node(length.trailing_zeros(), from / length);
    }
    let middle = from + left_half(length);
    let left = range_root(nodes, from, middle)?;
    Ok(parent(&left, &range_root(nodes, middle, to)?))
}

/// The hashes that lead from the leaf at `place` to the root of the first `size` leaves (RFC 6962, 2.1.1): the deepest
/// first. `place` must be below `size`.
///
/// # Errors
/// When a node cannot be had.
pub fn inclusion<N: Nodes>(nodes: &mut N, place: u64, size: u64) -> Result<Vec<Node>, N::Error> {
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + left_half(to - from);
        if place < middle {
            path.push(range_root(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(range_root(nodes, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The root that a path leads to from a leaf's hash; `None` when the path has not as many hashes as it must.
#[must_use]
pub fn root_by_path(leaf: &Node, place: u64, size: u64, path: &[Node]) -> Option<Node> {
    if place >= size {
        return None;
    }
    // From the root down: where the leaf is at each split.
    let (mut from, mut to) = (0, size);
    let mut leaf_is_left = Vec::new();
    while to - from > 1 {
        let middle = from + left_half(to - from);
        leaf_is_left.push(place < middle);
        if place < middle { to = middle } else { from = middle }
    }
    if leaf_is_left.len() != path.len() {
        return None;
    }
    let up = path.iter().zip(leaf_is_left.iter().rev());
    Some(up.fold(*leaf, |node, (other, is_left)| if *is_left { parent(&node, other) } else { parent(other, &node) }))
}

/// The largest power of two below `length`, which is more than 1.
fn left_half(length: u64) -> u64 {
    1 << (63 - (length - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tlog_tiles::{Error, Hash, HashReader, prove_record, record_hash, split_stored_hash_index, tree_hash};

    use super::*;

    /// The leaves and roots of the Certificate Transparency reference tests.
    #[test]
    fn roots_are_those_of_the_reference_tests() {
        let leaves =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(HEXLOWER.encode(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in leaves.iter().zip(roots) {
            tree.push(&HEXLOWER.decode(leaf.as_bytes()).unwrap());
            assert_eq!(HEXLOWER.encode(&tree.root()), root);
        }
    }

    /// The definition, word for word: split at the largest power of two smaller than n.
    fn defined(leaves: &[Vec<u8>]) -> Node {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                parent(&defined(left), &defined(right))
            }
        }
    }

    proptest! {
        #[test]
        fn one_pass_gives_what_the_definition_gives(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..70)) {
            let mut tree = Tree::default();
            for leaf in &leaves {
                tree.push(leaf);
            }
            prop_assert_eq!(tree.root(), defined(&leaves));
        }
    }

    /// Every complete subtree of some leaves.
    struct Whole(Vec<Vec<Node>>);

    impl Whole {
        fn over(leaves: u64) -> Self {
            let mut levels = vec![(0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect::<Vec<Node>>()];
            while let Some(last) = levels.last().filter(|l| l.len() > 1) {
                let above = last.as_chunks::<2>().0.iter().map(|[left, right]| parent(left, right)).collect();
                levels.push(above);
            }
            Self(levels)
        }
    }

    impl Nodes for Whole {
        type Error = std::convert::Infallible;

        fn node(&mut self, level: u32, index: u64) -> Result<Node, Self::Error> {
            Ok(self.0[usize::try_from(level).unwrap()][usize::try_from(index).unwrap()])
        }
    }

    impl HashReader for Whole {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
            let at = |index: &u64| {
                let (level, n) = split_stored_hash_index(*index);
                Hash(self.0[usize::from(level)][usize::try_from(n).unwrap()])
            };
            Ok(indexes.iter().map(at).collect())
        }
    }

    /// Every place of every size to 300, against another implementation of the same definition.
    #[test]
    fn roots_and_proofs_are_those_of_an_independent_implementation() {
        let mut tree = Tree::default();
        for size in 1..=300_u64 {
            tree.push(&(size - 1).to_be_bytes());
            let mut whole = Whole::over(size);
            let root = tree.root();
            assert_eq!(tree_hash(size, &whole).unwrap().0, root);
            assert_eq!(range_root(&mut whole, 0, size).unwrap(), root);
            for place in 0..size {
                let path = inclusion(&mut whole, place, size).unwrap();
                let other: Vec<Node> = prove_record(size, place, &whole).unwrap().iter().map(|h| h.0).collect();
                assert_eq!(path, other, "{place} of {size}");
                let leaf = record_hash(&place.to_be_bytes()).0;
                assert_eq!(root_by_path(&leaf, place, size, &path), Some(root));
            }
        }
    }

    proptest! {
        #[test]
        fn a_path_proves_one_leaf_at_one_place_and_nothing_else(
            size in 2..=300_u64, at in any::<u64>(), wrong in any::<u64>(), bit in 0..256_usize,
        ) {
            let (place, other) = (at % size, wrong % size);
            let mut whole = Whole::over(size);
            let root = range_root(&mut whole, 0, size).unwrap();
            let leaf = leaf_hash(&place.to_be_bytes());
            let path = inclusion(&mut whole, place, size).unwrap();
            if other != place {
                prop_assert_ne!(root_by_path(&leaf, other, size, &path), Some(root));
                prop_assert_ne!(root_by_path(&leaf_hash(&other.to_be_bytes()), place, size, &path), Some(root));
            }
            prop_assert_eq!(root_by_path(&leaf, place, size, &path[1..]), None);
            prop_assert_eq!(root_by_path(&leaf, size, size, &path), None);
            let mut damaged = path.clone();
            let hash = bit % damaged.len();
            damaged[hash][bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(root_by_path(&leaf, place, size, &damaged), Some(root));
        }
    }
}
