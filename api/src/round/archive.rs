//! A round's folder as one zip file. Nothing that a zip says about itself is believed: what comes out is counted while
//! it is read, and whatever is not a plain file below the folder is refused by name.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use survey_forms::RoundFiles;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

/// Most bytes of a zip.
pub const ARCHIVE_BYTES_MAX: usize = 8 << 20;
/// Most files in it.
const FILES_MAX: usize = 300;
/// Most entries: files, folders, and what file managers add.
const ENTRIES_MAX: usize = 3 * FILES_MAX;
/// Most bytes of one file.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Most bytes of all files.
const TOTAL_BYTES_MAX: usize = 32 << 20;
/// Text packs to a tenth, rarely to a fiftieth; deflate can reach a thousandth.
const RATIO_MAX: usize = 200;
/// Below this a file may pack as well as it likes.
const RATIO_FROM_BYTES: usize = 1 << 20;
const NAME_MAX: usize = 240;

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const CENTRAL_HEADER: &[u8] = b"PK\x01\x02";

/// Why a zip was refused. Names are of files in it, shortened and without control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Over [`ARCHIVE_BYTES_MAX`].
    #[error("the zip is larger than {} MiB", ARCHIVE_BYTES_MAX >> 20)]
    TooLarge,
    /// Something else, or nothing.
    #[error("this is no zip file")]
    NotZip,
    /// It stops in the middle, or its checksums do not fit.
    #[error("the zip is damaged or incomplete: make it again")]
    Damaged,
    /// Nothing in it but folders.
    #[error("the zip holds no files")]
    Empty,
    /// More than 300.
    #[error("the zip holds more than {FILES_MAX} files: a round's folder has fewer")]
    TooManyFiles,
    /// Over 4 MiB when unpacked.
    #[error("{0}: larger than 4 MiB when unpacked")]
    FileTooLarge(String),
    /// Over 32 MiB when unpacked.
    #[error("the files are larger than {} MiB when unpacked", TOTAL_BYTES_MAX >> 20)]
    TotalTooLarge,
    /// A file made to fill a memory.
    #[error("{0}: unpacks to more than {RATIO_MAX} times its size; no table or questionnaire does")]
    Bomb(String),
    /// Entries that share bytes: one piece of data unpacked many times.
    #[error("entries of the zip overlap: make it again from the folder itself")]
    Overlap,
    /// Absolute, out of the folder, with backslashes or control characters.
    #[error("{0}: this path leaves the folder or is no plain path with forward slashes")]
    Path(String),
    /// A link or a device instead of a file.
    #[error("{0}: is a link, not a file: put the file itself there")]
    Link(String),
    /// Behind a password.
    #[error("{0}: is encrypted: make the zip without a password")]
    Encrypted(String),
    /// An archive, or an Office document, which is one.
    #[error("{0}: is an archive or an Office document: unpack it, or save the table as .tsv or .csv")]
    Nested(String),
    /// Neither stored nor deflated.
    #[error("{0}: is packed in an unusual way: make the zip with the ordinary method (deflate)")]
    Method(String),
    /// Two files with one path, upper and lower case being the same.
    #[error("{0}: stands in the zip twice")]
    Double(String),
}

/// Reads a zip into a round's files. One folder around everything is taken off; what file managers leave behind
/// (`__MACOSX`, `.DS_Store`, `Thumbs.db`) is passed over.
///
/// # Errors
/// [`ArchiveError`], with the first thing that is wrong.
pub fn read(bytes: &[u8]) -> Result<RoundFiles, ArchiveError> {
    if bytes.len() > ARCHIVE_BYTES_MAX {
        return Err(ArchiveError::TooLarge);
    }
    if bytes.starts_with(b"PK\x05\x06") {
        return Err(ArchiveError::Empty);
    }
    if !bytes.starts_with(LOCAL_HEADER) {
        return Err(ArchiveError::NotZip);
    }
    // Before the reader makes a list of them.
    let headers = bytes.windows(CENTRAL_HEADER.len()).filter(|window| *window == CENTRAL_HEADER).count();
    if headers > ENTRIES_MAX {
        return Err(ArchiveError::TooManyFiles);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_cause| ArchiveError::Damaged)?;
    let wanted = inspect(&mut archive)?;
    if headers > archive.len() {
        // The reader keeps the last of two equal names; other programs keep the first.
        return Err(ArchiveError::Double("zip".to_owned()));
    }
    if archive.has_overlapping_entries().map_err(|_cause| ArchiveError::Damaged)? {
        return Err(ArchiveError::Overlap);
    }
    let mut files = RoundFiles::new();
    let mut total = 0;
    for (path, index) in wanted {
        let content = unpack(&mut archive, index, &path)?;
        total += content.len();
        if total > TOTAL_BYTES_MAX {
            return Err(ArchiveError::TotalTooLarge);
        }
        files.insert(path, content);
    }
    if files.is_empty() { Err(ArchiveError::Empty) } else { Ok(without_top(files)) }
}

/// What is to be unpacked: path and place in the archive.
fn inspect(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<(String, usize)>, ArchiveError> {
    let mut wanted = Vec::new();
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_cause| ArchiveError::Damaged)?;
        // Some programs write UTF-8 without saying so; the reader takes everything unsaid for CP437.
        let path = match std::str::from_utf8(entry.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => entry.name().map_err(|_cause| ArchiveError::Damaged)?.into_owned(),
        };
        let shown = shown(&path);
        let is_folder = path.ends_with('/');
        if !is_plain(path.strip_suffix('/').unwrap_or(&path)) {
            return Err(ArchiveError::Path(shown));
        }
        const KIND: u32 = 0o170_000;
        let kind = entry.unix_mode().unwrap_or_default() & KIND;
        if entry.is_symlink() || !matches!(kind, 0 | 0o100_000 | 0o040_000) {
            return Err(ArchiveError::Link(shown));
        }
        if is_folder || is_left_behind(&path) {
            continue;
        }
        if entry.encrypted() {
            return Err(ArchiveError::Encrypted(shown));
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(ArchiveError::Method(shown));
        }
        if is_archive(&path) {
            return Err(ArchiveError::Nested(shown));
        }
        if seen.insert(path.to_lowercase(), ()).is_some() {
            return Err(ArchiveError::Double(shown));
        }
        if wanted.len() == FILES_MAX {
            return Err(ArchiveError::TooManyFiles);
        }
        wanted.push((path, index));
    }
    Ok(wanted)
}

fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, path: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut entry = archive.by_index(index).map_err(|error| match error {
        ZipError::InvalidPassword => ArchiveError::Encrypted(shown(path)),
        ZipError::CompressionMethodNotSupported(_) => ArchiveError::Method(shown(path)),
        _ => ArchiveError::Damaged,
    })?;
    let packed = usize::try_from(entry.compressed_size()).unwrap_or(usize::MAX);
    let ratio_limit = packed.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES);
    let mut content = Vec::new();
    let mut piece = vec![0_u8; 64 * 1024];
    loop {
        let read = entry.read(&mut piece).map_err(|_cause| ArchiveError::Damaged)?;
        if read == 0 {
            break;
        }
        content.extend_from_slice(piece.get(..read).unwrap_or_default());
        if content.len() > ratio_limit {
            return Err(ArchiveError::Bomb(shown(path)));
        }
        if content.len() > FILE_BYTES_MAX {
            return Err(ArchiveError::FileTooLarge(shown(path)));
        }
    }
    if content.starts_with(LOCAL_HEADER) {
        return Err(ArchiveError::Nested(shown(path)));
    }
    Ok(content)
}

/// Forward slashes between plain names: nothing that leads elsewhere on any system.
fn is_plain(path: &str) -> bool {
    let step = |step: &str| !step.is_empty() && step != "." && step != "..";
    path.len() <= NAME_MAX && path.split('/').all(step) && !path.contains(|c: char| c.is_control() || "\\:".contains(c))
}

/// What file managers put beside the files.
fn is_left_behind(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.split('/').any(|step| step == "__MACOSX")
        || name.starts_with("._")
        || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

fn is_archive(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    matches!(&*ending, "zip" | "7z" | "rar" | "tar" | "gz" | "tgz" | "bz2" | "xz" | "zst" | "jar")
}

/// Without the one folder that everything is in.
fn without_top(files: RoundFiles) -> RoundFiles {
    let top = files.keys().next().and_then(|path| path.split_once('/')).map(|(top, _)| format!("{top}/"));
    match top {
        Some(top) if top != "questionnaires/" && files.keys().all(|path| path.starts_with(&top)) => files
            .into_iter()
            .map(|(path, content)| (path.strip_prefix(&top).unwrap_or(&path).to_owned(), content))
            .collect(),
        _ => files,
    }
}

/// A name as it may be shown.
fn shown(path: &str) -> String {
    const SHOWN_MAX: usize = 80;
    path.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()
}

#[cfg(test)]
pub(crate) mod tests;
