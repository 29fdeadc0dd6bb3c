//! What commands print. A closed pipe is not an error.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

/// One line on standard output.
pub(crate) fn line(text: impl Display) {
    // Whoever reads may have stopped reading.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Red on a terminal, plain elsewhere.
pub(crate) fn red(text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
}

/// One line on standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A failure, with its causes, on standard error.
pub(crate) fn complain(failure: &super::Failure) {
    note(format_args!("phieu: {failure}"));
    let mut cause = failure.source();
    while let Some(deeper) = cause {
        note(format_args!("  because: {deeper}"));
        cause = deeper.source();
    }
}

/// A file that must be new, readable by its owner only.
pub(super) fn private_file(path: &std::path::Path) -> Result<std::fs::File, super::Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|e| format!("{}: {e}", path.display()).into())
}
