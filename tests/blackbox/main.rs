//! Black box: the built program, its commands and its HTTP, on SQLite and on PostgreSQL. Whatever is asserted here
//! is what an operator, a respondent or another program sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may panic, it reads the machine's clock, and says what it leaves out"
)]

mod actors;
mod bad_input;
mod canary;
mod check;
mod contract;
mod correction;
mod crash;
mod custody;
mod data;
mod demo;
mod feed;
mod field;
mod forger;
mod keying;
mod kinds;
mod machines;
mod million;
mod pages;
mod paper;
mod race;
mod rounds;
mod stage;
mod statements;
mod verify;
mod whole_job;
