//! Zips as people make them, and zips as nobody honest makes them.

use std::io::Write as _;

use proptest::prelude::*;
use survey_forms::quang_nam_2023;
use zip::write::SimpleFileOptions;

use super::*;

/// A zip of these files, under `top`.
pub(crate) fn zipped(files: &RoundFiles, top: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer.start_file(format!("{top}{path}"), SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let files: RoundFiles = entries.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect();
    zipped(&files, "")
}

/// One entry, byte by byte, so that it may lie.
#[derive(Clone)]
struct Raw {
    name: Vec<u8>,
    packed: Vec<u8>,
    crc: u32,
    method: u16,
    flags: u16,
    size: u32,
    mode: u32,
    /// Another entry's place instead of its own.
    at: Option<u32>,
}

impl Raw {
    fn stored(name: &str, content: &[u8]) -> Self {
        let mut crc = flate2_crc(content);
        crc = !crc;
        let size = content.len().try_into().unwrap();
        Self { name: name.into(), packed: content.to_vec(), crc, method: 0, flags: 0, size, mode: 0o100_644, at: None }
    }
}

/// CRC-32 before its last inversion, bit by bit.
fn flate2_crc(content: &[u8]) -> u32 {
    content.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

fn raw(entries: &[Raw]) -> Vec<u8> {
    let (mut bytes, mut central) = (Vec::new(), Vec::new());
    for entry in entries {
        let at: u32 = bytes.len().try_into().unwrap();
        let packed: u32 = entry.packed.len().try_into().unwrap();
        let name: u16 = entry.name.len().try_into().unwrap();
        let mut middle = Vec::new();
        middle.extend(20_u16.to_le_bytes());
        middle.extend(entry.flags.to_le_bytes());
        middle.extend(entry.method.to_le_bytes());
        middle.extend([0; 4]);
        middle.extend(entry.crc.to_le_bytes());
        middle.extend(packed.to_le_bytes());
        middle.extend(entry.size.to_le_bytes());
        middle.extend(name.to_le_bytes());
        middle.extend([0; 2]);
        if entry.at.is_none() {
            bytes.extend(LOCAL_HEADER);
            bytes.extend(&middle);
            bytes.extend(&entry.name);
            bytes.extend(&entry.packed);
        }
        central.extend(CENTRAL_HEADER);
        central.extend((3_u16 << 8 | 20).to_le_bytes());
        central.extend(&middle);
        central.extend([0; 6]);
        central.extend((entry.mode << 16).to_le_bytes());
        central.extend(entry.at.unwrap_or(at).to_le_bytes());
        central.extend(&entry.name);
    }
    let (from, count): (u32, u16) = (bytes.len().try_into().unwrap(), entries.len().try_into().unwrap());
    bytes.extend(&central);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
    bytes.extend(from.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

#[test]
fn a_folder_comes_out_as_it_went_in_with_or_without_a_folder_around_it() {
    let files = quang_nam_2023();
    for top in ["", "quang-nam-2023/", "Đợt mới (2)/"] {
        assert!(read(&zipped(&files, top)).unwrap() == files, "{top:?}");
    }
    assert!(
        read(&raw(&[Raw::stored("round.toml", b"id")])).unwrap()
            == RoundFiles::from([("round.toml".into(), b"id".to_vec())])
    );
}

#[test]
fn what_file_managers_leave_behind_is_passed_over() {
    let zip = of(&[
        ("dot/round.toml", b"id"),
        ("dot/.DS_Store", b"x"),
        ("dot/Thumbs.db", b"x"),
        ("dot/._round.toml", b"x"),
        ("__MACOSX/dot/._round.toml", b"x"),
    ]);
    assert_eq!(read(&zip).unwrap().into_keys().collect::<Vec<_>>(), ["round.toml"]);
    assert_eq!(read(&of(&[("__MACOSX/x", b"x")])), Err(ArchiveError::Empty));
    assert_eq!(read(&of(&[])), Err(ArchiveError::Empty));
}

#[test]
fn names_are_read_as_utf_8_or_cp437() {
    let named = |name: &[u8]| Raw { name: name.to_vec(), ..Raw::stored("", b"x") };
    let path = |entry: Raw| read(&raw(&[entry])).unwrap().into_keys().next().unwrap();
    assert_eq!(path(named("phiếu.toml".as_bytes())), "phiếu.toml");
    assert_eq!(path(named(b"caf\x82.toml")), "café.toml");
}

#[test]
fn what_is_no_plain_file_below_the_folder_is_refused_by_name() {
    let one = |entry: Raw| read(&raw(&[Raw::stored("round.toml", b"x"), entry])).unwrap_err();
    for path in
        ["../round.toml", "a/../../x", "/etc/passwd", "a\\b.tsv", "C:/x.tsv", "a//b", "./x", "a\nb", &"a".repeat(300)]
    {
        assert!(matches!(one(Raw::stored(path, b"x")), ArchiveError::Path(_)), "{path:?}");
    }
    let link = Raw { mode: 0o120_777, ..Raw::stored("units.tsv", b"/etc/passwd") };
    assert_eq!(one(link), ArchiveError::Link("units.tsv".into()));
    let device = Raw { mode: 0o020_666, ..Raw::stored("units.tsv", b"") };
    assert_eq!(one(device), ArchiveError::Link("units.tsv".into()));
    let locked = Raw { flags: 1, ..Raw::stored("units.tsv", b"123456789012345") };
    assert_eq!(one(locked), ArchiveError::Encrypted("units.tsv".into()));
    let odd = Raw { method: 12, ..Raw::stored("units.tsv", b"x") };
    assert_eq!(one(odd), ArchiveError::Method("units.tsv".into()));
    assert_eq!(one(Raw::stored("trong.zip", b"x")), ArchiveError::Nested("trong.zip".into()));
    let book = of(&[("xl/workbook.xml", b"<x/>")]);
    assert_eq!(one(Raw { method: 8, ..deflated("units.xlsx", &book) }), ArchiveError::Nested("units.xlsx".into()));
    assert_eq!(one(Raw::stored("ROUND.toml", b"y")), ArchiveError::Double("ROUND.toml".into()));
    assert!(matches!(one(Raw::stored("round.toml", b"y")), ArchiveError::Double(_)));
}

fn deflated(name: &str, content: &[u8]) -> Raw {
    let zip = of(&[("x", content)]);
    let mut archive = ZipArchive::new(Cursor::new(zip.as_slice())).unwrap();
    let entry = archive.by_index_raw(0).unwrap();
    let place = |at: u64| usize::try_from(at).unwrap();
    let (from, length) = (place(entry.data_start().unwrap()), place(entry.compressed_size()));
    drop(entry);
    Raw { packed: zip[from..from + length].to_vec(), method: 8, ..Raw::stored(name, content) }
}

#[test]
fn bombs_are_stopped_while_they_unpack_whatever_they_say_of_themselves() {
    let zeros = vec![b'0'; 3 << 20];
    let bomb = deflated("units.tsv", &zeros);
    assert!(bomb.packed.len() * 500 < zeros.len());
    assert_eq!(read(&raw(std::slice::from_ref(&bomb))), Err(ArchiveError::Bomb("units.tsv".into())));
    // It says that it is small.
    let liar = Raw { size: 10, ..bomb };
    assert!(matches!(read(&raw(&[liar])), Err(ArchiveError::Bomb(_) | ArchiveError::Damaged)));
    // One piece of data under many names.
    let whole = Raw::stored("a.tsv", &[b'x'; 1000]);
    let shared: Vec<Raw> =
        (0..20).map(|n| Raw { name: format!("a{n}.tsv").into(), at: (n > 0).then_some(0), ..whole.clone() }).collect();
    assert_eq!(read(&raw(&shared)), Err(ArchiveError::Overlap));
    // Text that packs as text does, but is too long.
    let mut random = 1_u32;
    let mut text = |bytes: usize| -> Vec<u8> {
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + u8::try_from(random >> 28).unwrap()
        };
        (0..bytes).map(|_| next()).collect()
    };
    let long = text(FILE_BYTES_MAX + 1);
    assert_eq!(read(&of(&[("units.tsv", &long)])), Err(ArchiveError::FileTooLarge("units.tsv".into())));
    let half: Vec<u8> = [text(1 << 16), vec![b' '; (4 << 20) - (1 << 16)]].concat();
    let many: RoundFiles = (0..10).map(|n| (format!("{n}.tsv"), half.clone())).collect();
    assert_eq!(read(&zipped(&many, "")), Err(ArchiveError::TotalTooLarge));
}

#[test]
fn too_many_too_large_and_no_zip_at_all() {
    let many: RoundFiles = (0..=FILES_MAX).map(|n| (format!("{n}.tsv"), b"x".to_vec())).collect();
    assert_eq!(read(&zipped(&many, "")), Err(ArchiveError::TooManyFiles));
    let crowd: RoundFiles = (0..=ENTRIES_MAX).map(|n| (format!("__MACOSX/{n}"), b"x".to_vec())).collect();
    assert_eq!(read(&zipped(&crowd, "")), Err(ArchiveError::TooManyFiles));
    assert_eq!(read(&vec![0; ARCHIVE_BYTES_MAX + 1]), Err(ArchiveError::TooLarge));
    for bytes in [&b""[..], b"PK", b"Rar!\x1a\x07", b"%PDF-1.7"] {
        assert_eq!(read(bytes), Err(ArchiveError::NotZip));
    }
    let whole = zipped(&quang_nam_2023(), "");
    for cut in [5, 100, whole.len() / 2, whole.len() - 1] {
        assert_eq!(read(&whole[..cut]), Err(ArchiveError::Damaged), "{cut}");
    }
    let wrong = Raw { crc: 7, ..Raw::stored("round.toml", b"x") };
    assert_eq!(read(&raw(&[wrong])), Err(ArchiveError::Damaged));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random damage never panics, and what comes out keeps to the bounds.
    #[test]
    fn damaged_zips_are_refused_not_fatal(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = of(&[("round.toml", b"id = \"x\""), ("units.tsv", b"unit_code\n"), ("questionnaires/a.toml", b"")]);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(files) = read(&bytes) {
            prop_assert!(files.len() <= 3 && files.keys().all(|path| is_plain(path)));
        }
    }
}
