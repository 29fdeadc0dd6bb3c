//! Which encoding a file that is not UTF-8 most likely has, judged by whether its words are Vietnamese when they are
//! read that way. Nothing is ever converted: the author is told what to save again.

use unicode_normalization::UnicodeNormalization;

/// How much of a file is looked at, in bytes.
const SAMPLE_MAX: usize = 256 * 1024;
/// Of 100 words with accents, so many must be Vietnamese syllables before an encoding is named.
const SHARE_MIN: usize = 60;

const GRAVE: char = '\u{300}';
const ACUTE: char = '\u{301}';
const CIRCUMFLEX: char = '\u{302}';
const TILDE: char = '\u{303}';
const BREVE: char = '\u{306}';
const HOOK: char = '\u{309}';
const HORN: char = '\u{31b}';
const DOT: char = '\u{323}';

/// TCVN 5712:1993, VN3, the "ABC" fonts: what the bytes 0xA1 to 0xFE mean; '?' means nothing.
const TCVN3: &str = "ĂÂÊÔƠƯĐăâêôơưđ??????àảãáạ?ằẳẵắ???????ặầẩẫấậè?ẻẽéẹềểễếệìỉ???ĩíịò?ỏõóọồổỗốộờởỡớợù?ủũúụừửữứựỳỷỹýỵ";

/// What the bytes most likely are, by name, when they are not UTF-8.
pub(crate) fn likely(bytes: &[u8]) -> Option<&'static str> {
    if let Some(name) = utf16(bytes) {
        return Some(name);
    }
    let sample = bytes.get(..SAMPLE_MAX).unwrap_or(bytes);
    let candidates: [(&'static str, String); 3] = [
        ("TCVN3 (ABC)", sample.iter().map(|byte| tcvn3(*byte)).collect()),
        ("VNI-Windows", vni(sample)),
        ("Windows-1258", sample.iter().map(|byte| windows_1258(*byte)).collect()),
    ];
    let shares = candidates.map(|(name, text)| (share(&text.nfc().collect::<String>()), name));
    let (best, name) = shares.into_iter().max_by_key(|(share, _)| *share)?;
    let is_alone = shares.iter().filter(|(share, _)| *share == best).count() == 1;
    (best >= SHARE_MIN && is_alone).then_some(name)
}

/// UTF-16, by its byte order mark or by every other byte being zero.
pub(super) fn utf16(bytes: &[u8]) -> Option<&'static str> {
    let (little, big) = ("UTF-16 LE", "UTF-16 BE");
    match bytes {
        [0xff, 0xfe, ..] => return Some(little),
        [0xfe, 0xff, ..] => return Some(big),
        _ => {}
    }
    let pairs = bytes.chunks_exact(2).take(SAMPLE_MAX);
    let (mut all, mut first, mut second) = (0_usize, 0_usize, 0_usize);
    for pair in pairs {
        all += 1;
        first += usize::from(pair.first() == Some(&0));
        second += usize::from(pair.last() == Some(&0));
    }
    let most = |zeros: usize| all > 1 && zeros * 2 > all;
    match (most(first), most(second)) {
        (false, true) => Some(little),
        (true, false) => Some(big),
        _ => None,
    }
}

/// Whether a line holds Vietnamese that was UTF-8, read as Windows-1252 and saved again: `Sá»Ÿ Ná»™i vá»¥`.
pub(super) fn is_twice_encoded(line: &str) -> bool {
    line.split(|c: char| c.is_ascii()).filter(|run| run.chars().nth(1).is_some()).any(|run| {
        let bytes: Option<Vec<u8>> = run.chars().map(windows_1252).collect();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.is_some_and(|text| text.chars().all(is_vietnamese))
    })
}

fn is_vietnamese(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{ff}' | 'Ă' | 'ă' | 'Đ' | 'đ' | 'Ĩ' | 'ĩ' | 'Ũ' | 'ũ' | 'Ơ' | 'ơ' | 'Ư' | 'ư')
        || matches!(letter, '\u{1ea0}'..='\u{1ef9}')
}

/// The byte of a character in Windows-1252, above ASCII.
fn windows_1252(c: char) -> Option<u8> {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    if let Some(at) = HIGH.chars().position(|known| known == c) {
        return u8::try_from(at + 0x80).ok();
    }
    u8::try_from(u32::from(c)).ok().filter(|byte| *byte >= 0x80)
}

fn tcvn3(byte: u8) -> char {
    match byte.checked_sub(0xa1) {
        None if byte.is_ascii() => char::from(byte),
        None => '?',
        Some(at) => TCVN3.chars().nth(at.into()).unwrap_or('?'),
    }
}

/// Windows-1258: like Latin-1, with some letters and five combining accents of its own.
fn windows_1258(byte: u8) -> char {
    match byte {
        0xc3 => 'Ă',
        0xe3 => 'ă',
        0xd0 => 'Đ',
        0xf0 => 'đ',
        0xd5 => 'Ơ',
        0xf5 => 'ơ',
        0xdd => 'Ư',
        0xfd => 'ư',
        0xcc => GRAVE,
        0xec => ACUTE,
        0xd2 => HOOK,
        0xde => TILDE,
        0xf2 => DOT,
        0x80..=0xbf => '?',
        other => char::from(other),
    }
}

/// VNI-Windows: a plain vowel, then a byte for its accents; some letters of their own.
fn vni(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        // Capitals are 0x20 below.
        let lower = if *byte >= 0xc0 { byte | 0x20 } else { *byte };
        let letter = match lower {
            0xf1 => 'đ',
            0xf4 => 'ơ',
            0xf6 => 'ư',
            0xed => 'í',
            0xec => 'ì',
            0xe6 => 'ỉ',
            0xf3 => 'ĩ',
            0xf2 => 'ị',
            0xee => 'ỵ',
            _ if byte.is_ascii() => char::from(*byte),
            _ => {
                text.push_str(vni_accents(lower));
                continue;
            }
        };
        text.push(letter);
    }
    text
}

fn vni_accents(byte: u8) -> &'static str {
    match byte {
        0xf9 => "\u{301}",
        0xf8 => "\u{300}",
        0xfb => "\u{309}",
        0xf5 => "\u{303}",
        0xef => "\u{323}",
        0xe2 => "\u{302}",
        0xe1 => "\u{302}\u{301}",
        0xe0 => "\u{302}\u{300}",
        0xe5 => "\u{302}\u{309}",
        0xe3 => "\u{302}\u{303}",
        0xe4 => "\u{302}\u{323}",
        0xea => "\u{306}",
        0xe9 => "\u{306}\u{301}",
        0xe8 => "\u{306}\u{300}",
        0xfa => "\u{306}\u{309}",
        0xfc => "\u{306}\u{303}",
        0xeb => "\u{306}\u{323}",
        _ => "?",
    }
}

/// Of 100 words with accents, how many are Vietnamese syllables; 0 without any such word.
fn share(text: &str) -> usize {
    let is_break = |c: char| !c.is_alphabetic() && c != '?' && !matches!(c, '\u{300}'..='\u{36f}');
    let words = text.split(is_break).filter(|word| !word.is_ascii() || word.contains('?'));
    let (mut all, mut good) = (0_usize, 0_usize);
    for word in words.filter(|word| !word.is_ascii() || word.len() > 1) {
        all += 1;
        good += usize::from(is_syllable(word));
    }
    (good * 100).checked_div(all).unwrap_or(0)
}

/// Whether a word has the shape of a Vietnamese syllable: consonants, one to three vowels with at most one tone, and one
/// of eight endings.
fn is_syllable(word: &str) -> bool {
    const ONSETS: &str = " b c ch d đ g gh gi h k kh l m n ng ngh nh p ph q qu r s t th tr v x  ";
    const CODAS: &str = " c ch m n ng nh p t  ";
    let lower = word.to_lowercase();
    let (mut letters, mut tones) = (String::new(), 0);
    for c in lower.nfd() {
        match c {
            GRAVE | ACUTE | TILDE | HOOK | DOT => tones += 1,
            c => letters.push(c),
        }
    }
    let letters: String = letters.nfc().collect();
    let is_vowel = |c: char| matches!(c, 'a' | 'ă' | 'â' | 'e' | 'ê' | 'i' | 'o' | 'ô' | 'ơ' | 'u' | 'ư' | 'y');
    let known = |list: &str, part: &str| list.contains(&format!(" {part} "));
    let vowels_from = letters.find(is_vowel).unwrap_or(letters.len());
    let (onset, rest) = letters.split_at(vowels_from);
    let vowels_to = rest.find(|c| !is_vowel(c)).unwrap_or(rest.len());
    let (vowels, coda) = rest.split_at(vowels_to);
    let count = vowels.chars().count();
    (1..=4).contains(&count)
        && tones <= 1
        && !letters.contains([CIRCUMFLEX, BREVE, HORN])
        && known(ONSETS, onset)
        && known(CODAS, coda)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Sở Nội vụ thực hiện điều tra xã hội học, đánh giá mức độ hài lòng của công chức về cải cách \
                        hành chính. Hội đồng nhân dân huyện, thị xã, thành phố; cơ quan ngành dọc. Những phường đã sáp nhập.";

    /// The bytes of a text in an encoding whose single bytes are read by `read`; accents that have no byte are taken apart.
    fn bytes_of(text: &str, read: &dyn Fn(u8) -> char) -> Vec<u8> {
        let byte = |c: char| (0..=255_u8).find(|byte| read(*byte) == c && (c.is_ascii() == byte.is_ascii()));
        text.chars()
            .flat_map(|c| match byte(c) {
                Some(byte) => vec![byte],
                // A letter with its hat, then its tone.
                None => {
                    let apart: Vec<char> = c.nfd().collect();
                    let (tones, letter): (Vec<char>, Vec<char>) =
                        apart.into_iter().partition(|c| [GRAVE, ACUTE, TILDE, HOOK, DOT].contains(c));
                    let letter = letter.into_iter().nfc();
                    letter.chain(tones).map(|c| byte(c).unwrap_or_else(|| panic!("{c:?}"))).collect()
                }
            })
            .collect()
    }

    fn vni_bytes(text: &str) -> Vec<u8> {
        let own =
            [('đ', 0xf1), ('Đ', 0xd1), ('í', 0xed), ('ì', 0xec), ('ỉ', 0xe6), ('ĩ', 0xf3), ('ị', 0xf2), ('ỵ', 0xee)];
        let mut all = Vec::new();
        for c in text.chars() {
            if let Some((_, byte)) = own.iter().find(|(letter, _)| *letter == c) {
                all.push(*byte);
                continue;
            }
            let apart: Vec<char> = c.nfd().collect();
            let capital = apart[0].is_uppercase();
            let case = |byte: u8| if capital { byte & !0x20 } else { byte };
            if apart.contains(&HORN) {
                let horned = if apart[0].eq_ignore_ascii_case(&'o') { 0xf4 } else { 0xf6 };
                all.push(case(horned));
            } else {
                all.push(u8::try_from(u32::from(apart[0])).unwrap());
            }
            let marks: String = apart[1..].iter().filter(|c| **c != HORN).collect();
            if !marks.is_empty() {
                let byte = (0xe0..=0xff_u8).find(|byte| vni_accents(*byte).nfd().eq(marks.nfd())).unwrap();
                all.push(case(byte));
            }
        }
        all
    }

    #[test]
    fn each_encoding_is_named_by_the_words_it_makes() {
        let units: Vec<u16> = TEXT.encode_utf16().collect();
        let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.iter().copied().chain(units.iter().flat_map(|unit| bytes(*unit))).collect()
        };
        for (bytes, name) in [
            (bytes_of(TEXT, &|byte| tcvn3(byte)), Some("TCVN3 (ABC)")),
            (bytes_of(TEXT, &windows_1258), Some("Windows-1258")),
            (vni_bytes(TEXT), Some("VNI-Windows")),
            (utf16(&[0xff, 0xfe], u16::to_le_bytes), Some("UTF-16 LE")),
            (utf16(&[0xfe, 0xff], u16::to_be_bytes), Some("UTF-16 BE")),
            (utf16(&[], u16::to_le_bytes), Some("UTF-16 LE")),
            (utf16(&[], u16::to_be_bytes), Some("UTF-16 BE")),
            (b"Le Pr\xe9fet a re\xe7u la d\xe9l\xe9gation fran\xe7aise \xe0 Gen\xe8ve".to_vec(), None),
            (vec![0xff; 100], None),
            ((0..=255).collect(), None),
            (vec![], None),
        ] {
            assert_eq!(likely(&bytes), name, "{:?}", bytes.get(..20));
        }
    }

    /// Written by hand, not by the tables above: "Sở Nội vụ" as each font's users have it on disk.
    #[test]
    fn known_bytes_are_read_as_known_words() {
        let tcvn3: String = b"S\xeb N\xe9i v\xf4".iter().map(|byte| super::tcvn3(*byte)).collect();
        assert_eq!(tcvn3, "Sở Nội vụ");
        assert_eq!(vni(b"S\xf4\xfb No\xe4i vu\xef").nfc().collect::<String>(), "Sở Nội vụ");
        let cp1258: String = b"S\xf5\xd2 N\xf4\xf2i vu\xf2".iter().map(|byte| windows_1258(*byte)).collect();
        assert_eq!(cp1258.nfc().collect::<String>(), "Sở Nội vụ");
        assert_eq!(likely(b"S\xeb N\xe9i v\xf4"), Some("TCVN3 (ABC)"));
    }

    #[test]
    fn text_that_was_encoded_twice_is_seen_and_honest_text_is_not() {
        for line in ["Sá»Ÿ Ná»™i vá»¥", "code = \"SÃ³c TrÄƒng\"", "Cáº£i cÃ¡ch"] {
            assert!(is_twice_encoded(line), "{line}");
        }
        for line in TEXT.split(['.', ';']).chain(["“Sở Nội vụ” – đánh giá…", "«má»", "ÂÂ", "café à la crème", "Ư–Ơ"])
        {
            assert!(!is_twice_encoded(line), "{line}");
        }
    }
}
