//! The paper desk.

pub mod state;
