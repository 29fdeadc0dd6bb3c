//! What a million envelopes cost: `phieu verify`, the close and the opening of the box, in seconds and in memory. Not part
//! of every run:
//!
//! ```sh
//! cargo test --release -p phieu --test blackbox -- --ignored --nocapture million
//! ```
//!
//! prints one table. `PHIEU_TEST_ENVELOPES` sets another number; `PHIEU_TEST_POSTGRES` adds the other database.

mod opening;
mod verify;

use std::process::Command;

use crate::stage::{both, stages};

#[test]
#[ignore = "a million envelopes; see the head of the file"]
fn a_million_envelopes_are_verified_in_time_and_opened() {
    let wanted = std::env::var("PHIEU_TEST_ENVELOPES").map_or(1_000_000, |n| n.parse().unwrap());
    let mut figures = Figures::of(wanted);
    verify::measure(&mut figures, wanted);
    for stage in stages() {
        opening::measure(&mut figures, &stage, wanted);
    }
    figures.print();
}

/// The table.
struct Figures(Vec<String>);

impl Figures {
    fn of(wanted: u64) -> Self {
        Self(vec![
            format!("| {wanted} envelopes | database | seconds | MiB at most |"),
            "| --- | --- | --- | --- |".to_owned(),
        ])
    }

    fn add(&mut self, database: &str, what: &str, cost: &Cost) {
        let line = format!("| {what} | {database} | {:.1} | {:.0} |", cost.seconds, cost.mib);
        eprintln!("{line}");
        self.0.push(line);
    }

    fn print(&self) {
        eprintln!("\n{}", self.0.join("\n"));
    }
}

/// What a command took.
#[derive(Debug)]
struct Cost {
    seconds: f64,
    mib: f64,
}

/// Wall clock seconds and the largest memory of a command that must succeed, by Python's `resource`.
fn measured(command: &mut Command) -> Cost {
    const MEASURE: &str = "import resource, subprocess, sys, time\n\
        start = time.monotonic()\n\
        code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode\n\
        print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n\
        sys.exit(code)";
    let mut python = Command::new("python3");
    python.args(["-c", MEASURE]).arg(command.get_program()).args(command.get_args());
    python.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    let done = python.output().unwrap();
    assert!(done.status.success(), "{}", both(&done));
    let said = String::from_utf8(done.stdout).unwrap();
    let mut numbers = said.split_whitespace().map(|n| n.parse().unwrap());
    Cost { seconds: numbers.next().unwrap(), mib: numbers.next().unwrap() }
}
