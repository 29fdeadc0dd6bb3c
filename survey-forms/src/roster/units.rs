//! Finding a unit of the round by what people write for it: `UBND huyện`, `Sở NN&PTNT tỉnh Quảng Nam`, `TP. Tam Kỳ`.

use std::collections::{BTreeMap, BTreeSet};

use super::{clean, fold};
use crate::Round;
use crate::round::Unit;

/// Words that tell no two units apart.
const IDLE: [&str; 6] = ["ubnd", "tinh", "va", "cua", "thuoc", "nuoc"];
const SHORT: [(&str, &str); 8] = [
    ("tp", "thanh pho"),
    ("tx", "thi xa"),
    ("tt", "thi tran"),
    ("h", "huyen"),
    ("p", "phuong"),
    ("x", "xa"),
    ("q", "quan"),
    ("vp", "van phong"),
];
/// Suggestions for a name that fits no unit.
const SUGGESTED: usize = 3;
/// Of 100 pairs of letters, so many must be the same before a unit is suggested.
const ALIKE_MIN: usize = 45;

/// What was found for a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'r> {
    /// Exactly one.
    One(&'r Unit),
    /// Several of that name, by their own names.
    Several(Vec<String>),
    /// None; names that look alike.
    None(Vec<String>),
}

/// The units of a round under every name that leads to them.
pub(super) struct Units<'r> {
    all: &'r [Unit],
    keys: BTreeMap<String, BTreeSet<usize>>,
    /// Words of the province's own name, which people add.
    own: BTreeSet<String>,
}

impl<'r> Units<'r> {
    pub(super) fn of(round: &'r Round) -> Self {
        let mut keys: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (index, unit) in round.units.iter().enumerate() {
            for name in names(unit) {
                keys.entry(name).or_default().insert(index);
            }
        }
        let mut own = BTreeSet::new();
        for said in [fold(&round.organiser.name), fold(&round.title)] {
            for kind in [" tinh ", " thanh pho "] {
                let name = said.rsplit_once(kind).map_or("", |(_, name)| name);
                own.extend(name.split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
            }
        }
        Self { all: &round.units, keys, own }
    }

    /// The unit of one of these kinds (any kind where none is given), below a parent that is written beside it.
    pub(super) fn find(&self, written: &str, parent: &str, kinds: &[String]) -> Found<'r> {
        let fits = |index: &usize| self.all.get(*index).filter(|u| kinds.is_empty() || kinds.contains(&u.kind));
        let joined = format!("{written} {parent}");
        let keys = [Some(written), Some(joined.as_str()).filter(|_| !parent.is_empty())];
        let mut found: Vec<&Unit> = keys
            .into_iter()
            .flatten()
            .flat_map(|text| self.written(text))
            .map(|key| self.keys.get(&key).into_iter().flatten().filter_map(fits).collect::<Vec<&Unit>>())
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        if found.len() > 1 && !parent.is_empty() {
            let above: BTreeSet<&str> = self
                .written(parent)
                .iter()
                .flat_map(|key| self.keys.get(key))
                .flatten()
                .filter_map(|index| self.all.get(*index))
                .map(|unit| unit.code.as_str())
                .collect();
            found.retain(|unit| unit.parent.as_deref().is_some_and(|code| above.contains(code)));
        }
        // "Trà Don" and "Trà Dơn" are two.
        let marked = clean(written).to_lowercase();
        if found.iter().any(|unit| clean(&unit.name).to_lowercase().contains(&marked)) {
            found.retain(|unit| clean(&unit.name).to_lowercase().contains(&marked));
        }
        match found.as_slice() {
            [one] => Found::One(one),
            [] => Found::None(self.alike(written, kinds)),
            many => Found::Several(many.iter().take(2 * SUGGESTED).map(|unit| unit.name.clone()).collect()),
        }
    }

    /// Keys that a written name may mean, the surest first.
    fn written(&self, text: &str) -> Vec<String> {
        let words = words(text);
        let mut keys = vec![clean(text).to_lowercase(), words.join(" ")];
        // "Sở Nội vụ Quảng Nam"
        let mut short = words.clone();
        while short.len() > 2 && short.last().is_some_and(|word| self.own.contains(word)) {
            short.pop();
            keys.push(short.join(" "));
            keys.extend(acronym(&short).filter(|_| is_short(&short)));
        }
        keys.extend(acronym(&words).filter(|_| is_short(&words)));
        keys.retain(|key| !key.is_empty());
        keys
    }

    fn alike(&self, written: &str, kinds: &[String]) -> Vec<String> {
        let wanted = words(written).join(" ");
        let mut scored: Vec<(usize, &str)> = self
            .all
            .iter()
            .filter(|unit| kinds.is_empty() || kinds.contains(&unit.kind))
            .map(|unit| (likeness(&wanted, &words(&unit.name).join(" ")), unit.name.as_str()))
            .filter(|(score, _)| *score >= ALIKE_MIN)
            .collect();
        scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        scored.into_iter().take(SUGGESTED).map(|(_, name)| name.to_owned()).collect()
    }
}

/// Every key of a unit: its code, its name, its name without what kind of place it is, its initials.
fn names(unit: &Unit) -> Vec<String> {
    let all = words(&unit.name);
    let mut keys = vec![unit.code.to_lowercase(), clean(&unit.name).to_lowercase(), all.join(" ")];
    keys.extend(acronym(&all));
    if let Some((first, _)) = unit.name.split_once(',') {
        let first = words(first);
        keys.push(first.join(" "));
        keys.push(place(&first));
    }
    keys.push(place(&all));
    // Without its place: several have the same, and what stands beside it decides.
    if let Some((head, what, _)) = purpose(&all) {
        let bare: Vec<String> = std::iter::once(head).chain(what).cloned().collect();
        keys.push(bare.join(" "));
        keys.extend(acronym(&bare));
    }
    keys.retain(|key| !key.is_empty());
    keys
}

/// `tay giang` of `huyen tay giang`; empty for what is no place.
fn place(words: &[String]) -> String {
    let said: Vec<&str> = words.iter().map(String::as_str).collect();
    match said.as_slice() {
        ["thanh", "pho", rest @ ..] | ["thi", "xa" | "tran", rest @ ..] | ["huyen" | "xa" | "phuong", rest @ ..] => {
            rest.join(" ")
        }
        _ => String::new(),
    }
}

/// Folded words without idle ones, abbreviations of kinds of places written out.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text).replace("uy ban nhan dan", "ubnd");
    let said: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let bare = |at: Option<usize>| {
        at.and_then(|at| said.get(at))
            .is_some_and(|word| word.len() > 1 && !word.contains(['a', 'e', 'i', 'o', 'u', 'y']))
    };
    let full = |(at, word): (usize, &&str)| {
        // In "VH, TT & DL" no town is meant.
        let among_initials =
            !word.starts_with("tp") && !word.starts_with("tx") && (bare(at.checked_sub(1)) || bare(Some(at + 1)));
        let long = SHORT.iter().find(|(short, _)| short == word && !among_initials);
        long.map_or((*word).to_owned(), |(_, long)| (*long).to_owned())
    };
    let long: Vec<String> = said.iter().enumerate().map(full).collect();
    let words: Vec<String> = long.join(" ").split(' ').map(str::to_owned).collect();
    words.into_iter().filter(|word| !word.is_empty() && !IDLE.contains(&word.as_str())).collect()
}

/// `huyen …`, `thanh pho …`; neither `xa hoi` nor `thanh tra`.
fn begins_place(words: &[String]) -> bool {
    let said: Vec<&str> = words.iter().take(2).map(String::as_str).collect();
    match said.as_slice() {
        ["thanh", "pho"] | ["thi", "xa" | "tran"] | ["huyen" | "phuong", ..] => true,
        ["xa", next] => *next != "hoi",
        _ => false,
    }
}

/// The words between the first and a place: what an office is for.
fn purpose(words: &[String]) -> Option<(&String, &[String], &[String])> {
    let (head, rest) = words.split_first()?;
    let place = (0..rest.len()).find(|at| begins_place(rest.get(*at..).unwrap_or_default())).unwrap_or(rest.len());
    let (what, place) = rest.split_at(place);
    (!what.is_empty()).then_some((head, what, place))
}

/// Whether what an office is for was written in initials: no word of it has a vowel.
fn is_short(words: &[String]) -> bool {
    let bare = |word: &String| !word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    purpose(words).is_some_and(|(_, what, _)| what.iter().all(bare))
}

/// `so nnptnt` of `so nong nghiep phat trien nong thon` and of `so nn ptnt` alike; a place stays as it is.
fn acronym(words: &[String]) -> Option<String> {
    let (head, what, place) = purpose(words)?;
    let initials = match is_short(words) {
        true => what.concat(),
        false => what.iter().filter_map(|word| word.chars().next()).collect(),
    };
    let mut key = vec![head.clone(), initials];
    key.extend(place.iter().cloned());
    Some(key.join(" "))
}

/// Pairs of letters that two texts share, of 100 (Dice).
fn likeness(a: &str, b: &str) -> usize {
    let pairs = |text: &str| {
        let signs: Vec<char> = text.chars().collect();
        let mut pairs: Vec<(char, char)> =
            signs.iter().zip(signs.iter().skip(1)).map(|(first, second)| (*first, *second)).collect();
        pairs.sort_unstable();
        pairs
    };
    let (mut left, right) = (pairs(a), pairs(b));
    let all = left.len() + right.len();
    let mut shared = 0_usize;
    for pair in &right {
        if let Ok(at) = left.binary_search(pair) {
            left.remove(at);
            shared += 2;
        }
    }
    (100 * shared).checked_div(all).unwrap_or(0)
}
