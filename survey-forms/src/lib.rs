//! What a survey asks, what is a valid answer, and what an answer is worth.
//!
//! Pure: bytes in, values out. No SQL, no HTTP, no clock, no randomness. Everything that one
//! round decides (who is asked, about whom, with which questions and weights) is read from a
//! folder of files, so another year or another province is another folder.

pub mod answers;
pub mod canonical;
pub mod disclosure;
pub mod embedded;
pub mod fault;
pub mod questionnaire;
pub mod ratio;
pub mod roster;
pub mod round;
pub mod scoring;
pub mod xlsform;

pub use embedded::{every_kind, quang_nam_2023};
pub use fault::{Checked, Fault, Severity};
pub use ratio::Ratio;
pub use round::{Round, RoundFiles};
