//! The program: the command line, with the window where it was built in.

use std::process::ExitCode;

use emberlens::cli::{self, Hooks};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &hooks())
}

/// What the window layer offers to the command line, which must not name it.
#[cfg(feature = "gui")]
fn hooks() -> Hooks {
    Hooks { open_window: Some(open_window), picture: Some(emberlens::ui::picture::picture) }
}

#[cfg(feature = "gui")]
fn open_window(request: cli::OpenRequest) -> Result<(), String> {
    use emberlens::app::Command;

    let command = match request.sides {
        Some([before, after]) => Some(Command::OpenSides(before, after)),
        None => (!request.files.is_empty()).then_some(Command::Open(request.files)),
    };
    emberlens::ui::run(command.into_iter().collect(), request.load)
}

#[cfg(not(feature = "gui"))]
fn hooks() -> Hooks {
    Hooks::default()
}
