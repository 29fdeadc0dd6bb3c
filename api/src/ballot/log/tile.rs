//! Tiles (C2SP tlog-tiles): 256 hashes of one level, or 256 leaves, under a path that names their place. A tile at the
//! right edge is partial and is named with its width.

use super::merkle::{Node, parent};

/// Hashes or leaves of a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in one level of tiles.
pub const HEIGHT: u32 = 8;
/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// Highest level of tiles that 2^63 leaves need.
const MOST_LEVELS: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Hashes: of leaves at level 0, of full tiles of the level below above it.
    Hashes(u8),
    /// Leaves, each behind its length as two bytes, the higher first.
    Entries,
}

/// The name of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub kind: Kind,
    /// The `number`-th of its level, from 0.
    pub number: u64,
    /// 1 to 255 for a partial tile, 256 for a full one.
    pub width: u64,
}

impl Tile {
    /// Its path under the log: `tile/0/x001/x234/067.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        let level = match self.kind {
            Kind::Hashes(level) => level.to_string(),
            Kind::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.number % 1000)];
        let mut rest = self.number / 1000;
        while rest > 0 {
            groups.insert(0, format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{}{partial}", groups.join("/"))
    }

    /// Reads a path; only the one spelling that [`Tile::path`] gives.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let kind = match level {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|l| *l <= MOST_LEVELS)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|w| (1..WIDTH).contains(w))?),
            None => (rest, WIDTH),
        };
        let mut value = 0_u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            value = value.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { kind, number: value, width };
        (tile.path() == path).then_some(tile)
    }

    /// Every tile of a tree of `size` leaves, level by level.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let of = move |kind: Kind, count: u64| {
            let partial = count % WIDTH;
            let full = (0..count / WIDTH).map(move |number| Self { kind, number, width: WIDTH });
            full.chain((partial > 0).then_some(Self { kind, number: count / WIDTH, width: partial }))
        };
        let hashes = (0..=MOST_LEVELS).flat_map(move |level| of(Kind::Hashes(level), hashes_at(level, size)));
        of(Kind::Entries, size).chain(hashes)
    }
}

/// Hashes that a level of tiles holds for `size` leaves.
#[must_use]
pub fn hashes_at(level: u8, size: u64) -> u64 {
    size >> (HEIGHT * u32::from(level))
}

/// The hashes of a tile's bytes.
#[must_use]
pub fn hashes(body: &[u8]) -> Option<&[Node]> {
    let (hashes, rest) = body.as_chunks::<HASH_BYTES>();
    rest.is_empty().then_some(hashes)
}

/// The root of a complete subtree of hashes; their number is a power of two.
#[must_use]
pub fn complete_root(hashes: &[Node]) -> Option<Node> {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let (pairs, rest) = level.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        level = pairs.iter().map(|[left, right]| parent(left, right)).collect();
    }
    level.first().copied()
}

/// Roots of the complete subtrees that a level's last hashes make, from left to right.
#[must_use]
pub fn edge(hashes: &[Node]) -> Vec<Node> {
    let mut roots = Vec::new();
    let mut rest = hashes;
    while !rest.is_empty() {
        let most = 1 << rest.len().ilog2();
        let (complete, smaller) = rest.split_at(most);
        roots.extend(complete_root(complete));
        rest = smaller;
    }
    roots
}

/// Appends a leaf to the bytes of a tile of leaves; `false` when it is too long for one.
pub fn push_leaf(body: &mut Vec<u8>, leaf: &[u8]) -> bool {
    let Ok(length) = u16::try_from(leaf.len()) else { return false };
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(leaf);
    true
}

/// The leaves of a tile's bytes; `None` when the bytes do not end with a leaf's end.
#[must_use]
pub fn leaves(body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (leaf, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(leaf);
        rest = behind;
    }
    Some(leaves)
}

/// The first `width` hashes or leaves of a tile's bytes; `None` when there are fewer.
#[must_use]
pub fn first(kind: Kind, body: &[u8], width: u64) -> Option<&[u8]> {
    let width = usize::try_from(width).ok()?;
    let end = match kind {
        Kind::Hashes(_) => width * HASH_BYTES,
        Kind::Entries => leaves(body)?.get(..width)?.iter().map(|leaf| leaf.len() + 2).sum(),
    };
    body.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        let tile = |kind, number, width| Tile { kind, number, width };
        for (path, is) in [
            ("tile/0/000", tile(Kind::Hashes(0), 0, 256)),
            ("tile/0/x001/x234/067", tile(Kind::Hashes(0), 1_234_067, 256)),
            ("tile/1/x001/000.p/5", tile(Kind::Hashes(1), 1000, 5)),
            ("tile/entries/255.p/255", tile(Kind::Entries, 255, 255)),
        ] {
            assert_eq!(is.path(), path);
            assert_eq!(Tile::parse(path), Some(is));
        }
        for wrong in [
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/8/000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/../000",
            "tile/entries",
            "checkpoint",
            "",
        ] {
            assert_eq!(Tile::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_tile_of_a_size_is_named_once() {
        let paths = |size| Tile::all(size).map(|t| t.path()).collect::<Vec<_>>();
        assert!(paths(0).is_empty());
        assert_eq!(paths(3), ["tile/entries/000.p/3", "tile/0/000.p/3"]);
        assert_eq!(paths(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(70_000).len(), 274 + 274 + 2 + 1);
    }

    #[test]
    fn leaves_are_cut_out_as_they_were_put_in() {
        let mut body = Vec::new();
        for leaf in [b"".as_slice(), b"a", &[7; 300]] {
            assert!(push_leaf(&mut body, leaf));
        }
        assert!(!push_leaf(&mut body, &[0; 65_536]));
        assert_eq!(leaves(&body).unwrap(), [b"".as_slice(), b"a", &[7; 300]]);
        assert_eq!(first(Kind::Entries, &body, 2), Some(b"\0\0\0\x01a".as_slice()));
        assert_eq!(first(Kind::Entries, &body, 4), None);
        assert_eq!(leaves(&body[..body.len() - 1]), None);
    }
}
