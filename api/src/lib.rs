//! `phieu`: the service that runs a province's sociological survey, from the first code to the last score.
//!
//! The rooms stand here floor by floor, in the order in which a ballot passes through them; a room uses only floors
//! above it in this list.

pub mod clock;
pub mod config;
pub mod telemetry;

pub mod db;
pub mod http;
pub mod mail;

pub mod access;
pub mod webhook;

pub mod round;

pub mod ballot;

pub mod addressee;
pub mod bundle;

pub mod ceremony;
pub mod credential;
pub mod keying;
pub mod respond;

pub mod print;

pub mod monitor;
pub mod score;

pub mod server;

pub mod cli;

#[cfg(test)]
mod testing;
