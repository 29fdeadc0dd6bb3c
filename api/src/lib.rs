//! `phieu`: the service that runs a province's sociological survey, from the first code to the last score.
//!
//! The rooms below are in the order in which a ballot passes through them; a room uses only rooms above it in
//! this list.

pub mod ballot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credential;
pub mod db;
pub mod http;
pub mod keying;
pub mod respond;
pub mod round;
pub mod server;
pub mod telemetry;

pub mod access;

#[cfg(test)]
mod testing;
