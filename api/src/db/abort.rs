//! Debug builds only: the process dies at the n-th event (a statement begins, a statement has ended) of the thread that
//! writes ballots, as often as a test asks for it. Release builds do not have this.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::DbError;

const NAME: &str = "PHIEU_TEST_ABORT_CAST_AT";
/// Name of the thread that writes ballots.
const THREAD: &str = "cast";

static LEFT: AtomicU64 = AtomicU64::new(0);

/// Every connection from here on counts, if a test asks for it.
pub(super) fn arm() -> Result<(), DbError> {
    let Some(at) = std::env::var(NAME).ok().and_then(|text| text.parse().ok()) else { return Ok(()) };
    LEFT.store(at, Ordering::SeqCst);
    let counter: fn() -> Option<Box<dyn Instrumentation>> = || Some(Box::new(count));
    Ok(set_default_instrumentation(counter)?)
}

fn count(event: InstrumentationEvent<'_>) {
    let counts = matches!(event, InstrumentationEvent::StartQuery { .. } | InstrumentationEvent::FinishQuery { .. });
    if counts && std::thread::current().name() == Some(THREAD) && LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
        std::process::abort();
    }
}
