//! Searches bytes for codes and answers in any spelling that somebody might store or print them in.

use std::collections::{BTreeSet, HashMap};

use data_encoding::{BASE64, HEXLOWER};

/// What an answer looks like: the start of a target's answers, of a canonical ballot, of a form, of a debug print.
const ANSWERS: [&str; 6] =
    ["\":{\"X1.1\":\"", "{\"answers\":{\"", "c.X1.1=", "Choice(\"", "\"X1.1\":\"A\"", "X1.2\":\""];

/// What every free text starts with.
pub const WORDS: &str = "Góp ý:";

pub struct Scanner {
    answers: Needles,
    codes: Needles,
}

/// Texts by their first four bytes.
struct Needles {
    firsts: Vec<bool>,
    by_head: HashMap<[u8; 4], Vec<(String, Vec<u8>)>>,
}

impl Needles {
    fn new(all: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mut needles = Self { firsts: vec![false; 65_536], by_head: HashMap::new() };
        for (name, bytes) in all {
            let head = *bytes.first_chunk::<4>().unwrap();
            needles.firsts[usize::from(head[0]) * 256 + usize::from(head[1])] = true;
            needles.by_head.entry(head).or_default().push((name, bytes));
        }
        needles
    }

    fn find(&self, bytes: &[u8]) -> Option<&str> {
        bytes.windows(4).enumerate().find_map(|(at, head)| {
            if !self.firsts[usize::from(head[0]) * 256 + usize::from(head[1])] {
                return None;
            }
            let those = self.by_head.get(head)?;
            those.iter().find(|(_, needle)| bytes[at..].starts_with(needle)).map(|(name, _)| name.as_str())
        })
    }
}

fn spellings(name: &str, text: &str) -> Vec<(String, Vec<u8>)> {
    let all = [
        text.as_bytes().to_vec(),
        HEXLOWER.encode(text.as_bytes()).into_bytes(),
        BASE64.encode(text.as_bytes()).into_bytes(),
    ];
    all.into_iter().map(|bytes| (name.to_owned(), bytes)).collect()
}

impl Scanner {
    pub fn new(codes: &[String]) -> Self {
        let answers = ANSWERS.iter().flat_map(|text| spellings("answers", text)).chain(spellings("free text", WORDS));
        let codes = codes.iter().flat_map(|code| {
            let plain: String = code.chars().filter(|c| *c != '-').collect();
            // Half a code is as good as a code to whoever can guess the rest.
            [code.clone(), plain[..12].to_owned(), plain.to_lowercase()].map(|text| spellings("a code", &text))
        });
        Self { answers: Needles::new(answers), codes: Needles::new(codes.flatten()) }
    }

    /// From the opening on ballots may be read.
    pub fn forget_answers(&mut self) {
        self.answers = Needles::new(std::iter::empty());
    }

    pub fn scan(&self, bytes: &[u8], place: &str, found: &mut BTreeSet<String>) {
        for needles in [&self.answers, &self.codes] {
            found.extend(needles.find(bytes).map(|what| format!("{what} in {place}")));
        }
    }
}
