//! The program: the command line, with the window where it was built in.

use std::process::ExitCode;

use emberlens::cli::{self, Hooks};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &hooks())
}

/// What the window layer offers to the command line, which must not name it.
fn hooks() -> Hooks {
    Hooks::default()
}
