//! Somebody who has a log's signing key and writes whatever log they like, with tiles and a checkpoint that fit.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use phieu::ballot::log::merkle::{Node, Tree, leaf_hash};
use phieu::ballot::log::note::{Checkpoint, VerifierKey};
use phieu::ballot::log::tile::{Kind, Tile, complete_root, leaves, push_leaf};

pub(crate) struct Forger {
    dir: PathBuf,
    secret: SigningKey,
    vkey: VerifierKey,
    /// To be changed, then written.
    pub(crate) leaves: Vec<Vec<u8>>,
}

impl Forger {
    /// A log of one's own, without leaves.
    pub(crate) fn new(into: &Path, origin: &str, secret: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(secret);
        let vkey = VerifierKey::of(origin, &secret);
        fs::create_dir_all(into).unwrap();
        fs::write(into.join("vkey"), format!("{vkey}\n")).unwrap();
        Self { dir: into.to_owned(), secret, vkey, leaves: Vec::new() }
    }

    /// Takes a copy of an exported log.
    pub(crate) fn of(from: &Path, into: &Path, secret: &[u8; 32]) -> Self {
        let vkey: VerifierKey = fs::read_to_string(from.join("vkey")).unwrap().trim_end().parse().unwrap();
        let note = fs::read_to_string(from.join("checkpoint")).unwrap();
        let size = Checkpoint::open(&note, &vkey).unwrap().size;
        let mut all = Vec::new();
        for tile in Tile::all(size).filter(|tile| tile.kind == Kind::Entries) {
            let body = fs::read(from.join(tile.path())).unwrap();
            all.extend(leaves(&body).unwrap().into_iter().map(<[u8]>::to_vec));
        }
        fs::create_dir_all(into.join("result")).unwrap();
        fs::copy(from.join("vkey"), into.join("vkey")).unwrap();
        for release in fs::read_dir(from.join("result")).unwrap() {
            let release = release.unwrap();
            fs::copy(release.path(), into.join("result").join(release.file_name())).unwrap();
        }
        Self { dir: into.to_owned(), secret: SigningKey::from_bytes(secret), vkey, leaves: all }
    }

    pub(crate) fn origin(&self) -> String {
        self.vkey.origin.clone()
    }

    pub(crate) fn root(&self) -> Node {
        let mut tree = Tree::default();
        self.leaves.iter().for_each(|leaf| tree.push(leaf));
        tree.root()
    }

    pub(crate) fn sign(&self, origin: &str, size: u64, root: Node) -> String {
        Checkpoint { origin: origin.to_owned(), size, root }.sign(&self.secret)
    }

    /// Writes the log with these leaves, in place of the one before; gives back its folder.
    pub(crate) fn write(&self) -> PathBuf {
        let _ = fs::remove_dir_all(self.dir.join("tile"));
        let size = u64::try_from(self.leaves.len()).unwrap();
        let mut levels: Vec<Vec<Node>> = vec![self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect()];
        while levels.last().unwrap().len() >= 256 {
            let above = levels.last().unwrap().chunks_exact(256).map(|c| complete_root(c).unwrap()).collect();
            levels.push(above);
        }
        for tile in Tile::all(size) {
            let (from, width) = (usize::try_from(tile.number).unwrap() * 256, usize::try_from(tile.width).unwrap());
            let body = match tile.kind {
                Kind::Hashes(level) => levels[usize::from(level)][from..from + width].concat(),
                Kind::Entries => {
                    let mut body = Vec::new();
                    self.leaves[from..from + width].iter().for_each(|leaf| assert!(push_leaf(&mut body, leaf)));
                    body
                }
            };
            let path = self.dir.join(tile.path());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
        fs::write(self.dir.join("checkpoint"), self.sign(&self.origin(), size, self.root())).unwrap();
        self.dir.clone()
    }

    /// The same under this forger's own key.
    pub(crate) fn write_with_own_key(&mut self) -> PathBuf {
        self.vkey = VerifierKey::of(&self.vkey.origin, &self.secret);
        fs::write(self.dir.join("vkey"), format!("{}\n", self.vkey)).unwrap();
        self.write()
    }
}
