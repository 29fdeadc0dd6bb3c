//! The hash of the whole box: Merkle tree hash over its envelopes' ids (RFC 6962, 2.1), in one pass.

use sha2::{Digest as _, Sha256};

/// A node of the tree: a SHA-256.
pub type Node = [u8; 32];

/// Builds the root from leaves that come in order; keeps one node per level.
#[derive(Default)]
pub struct Tree {
    /// Roots of the complete subtrees so far, the largest first, each with its number of leaves.
    subtrees: Vec<(u64, Node)>,
}

impl Tree {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut size = 1;
        let mut node: Node = Sha256::new().chain_update([0]).chain_update(leaf).finalize().into();
        while let Some((_, left)) = self.subtrees.pop_if(|(leaves, _)| *leaves == size) {
            node = parent(&left, &node);
            size *= 2;
        }
        self.subtrees.push((size, node));
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Node {
        let mut right_to_left = self.subtrees.iter().rev().map(|(_, node)| *node);
        match right_to_left.next() {
            Some(last) => right_to_left.fold(last, |right, left| parent(&left, &right)),
            None => Sha256::digest([]).into(),
        }
    }
}

fn parent(left: &Node, right: &Node) -> Node {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

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
}
