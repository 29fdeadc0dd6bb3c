//! The `phieu` program.

fn main() -> std::process::ExitCode {
    phieu::cli::run()
}
