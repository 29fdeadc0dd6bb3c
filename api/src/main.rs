//! The `phieu` program.

fn main() {}
