//! The command line: the window's door, and the subcommands that do the same work without one.
//!
//! Each subcommand reads, analyses and reports; nothing is computed here. Deliberately absent: the window (`main` hands in what opens
//! it, see [`Hooks`]) and reports' forms. Start reading at [`run`].

mod args;
mod cache;
mod diff;
mod export;
mod info;
mod list;
mod open;
mod output;
mod peek;
mod progress;
mod read;
mod run;
mod top;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use self::args::{Args, Subcommand};
use crate::app::load::{LoadError, LoadOptions};
use crate::app::picture::PictureRequest;
use crate::base::ticket::Cancelled;

/// What only a program with a window can do; `None` where it was built without.
#[derive(Clone, Copy, Default)]
pub struct Hooks {
    /// Opens the window and returns when it is closed.
    pub open_window: Option<fn(OpenRequest) -> Result<(), String>>,
    /// Draws the window or a part of it and gives the bytes of a PNG.
    pub picture: Option<DrawPicture>,
}

/// Draws a picture and gives the bytes of a PNG, or says why not.
pub type DrawPicture = fn(&PictureRequest<'_>) -> Result<Vec<u8>, String>;

/// What the window shows first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenRequest {
    /// Captures to open; the first is shown.
    pub files: Vec<PathBuf>,
    /// Captures of both sides of a comparison, before first.
    pub sides: Option<[Vec<PathBuf>; 2]>,
    /// How to load them.
    pub load: LoadOptions,
}

/// Exit codes; `--help` lists them.
mod exit {
    /// A file cannot be read, or not analysed as asked.
    pub(super) const FAILED: u8 = 1;
    /// The command line is wrong.
    pub(super) const USAGE: u8 = 2;
    /// `diff --fail-on-regression` found some.
    pub(super) const REGRESSIONS: u8 = 3;
    /// Stopped by the user.
    pub(super) const CANCELLED: u8 = 130;
}

/// Why a subcommand came to no end.
#[derive(Debug)]
enum Failure {
    /// The command line asks for something that does not exist.
    Usage(String),
    /// What went wrong, in full.
    Failed(String),
    /// Stopped by the user.
    Cancelled,
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        if error.is_cancelled() { Self::Cancelled } else { Self::Failed(error.to_string()) }
    }
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Does what the command line says. `arguments` begin with the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, hooks: &Hooks) -> ExitCode {
    let parsed = args::command().try_get_matches_from(arguments).and_then(|matches| Args::from_arg_matches(&matches));
    let done = match parsed {
        Ok(args) => dispatch(args, hooks),
        Err(error) => {
            // Help and version come this way too, with exit code 0. A closed pipe is no reason to complain.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    match done {
        Ok(code) => code,
        Err(Failure::Usage(text)) => {
            drop(Args::command().error(clap::error::ErrorKind::ValueValidation, text).print());
            ExitCode::from(exit::USAGE)
        }
        Err(Failure::Failed(text)) => {
            output::complain(&text);
            ExitCode::from(exit::FAILED)
        }
        Err(Failure::Cancelled) => {
            output::complain("cancelled");
            ExitCode::from(exit::CANCELLED)
        }
    }
}

fn dispatch(args: Args, hooks: &Hooks) -> Result<ExitCode, Failure> {
    if let Some(threads) = args.global.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get());
        pool.build_global().map_err(|error| Failure::Failed(format!("starting {threads} threads: {error}")))?;
    }
    let load = args.global.load_options();
    match args.command {
        None => open::run(args, load, hooks),
        Some(_) if args.diff.is_some() || !args.before.is_empty() => {
            Err(Failure::Usage("--diff, --before and --after before a subcommand open the window and go with none".to_owned()))
        }
        Some(Subcommand::Info(info)) => info::run(&info, &load),
        Some(Subcommand::Top(top)) => top::run(&top, &load),
        Some(Subcommand::List(list)) => list::run(&list, &load),
        Some(Subcommand::Peek(peek)) => peek::run(&peek, &load),
        Some(Subcommand::Labels(labels)) => peek::labels(&labels, &load),
        Some(Subcommand::Diff(diff)) => diff::run(&diff, &load),
        Some(Subcommand::Export(export)) => export::run(&export, &load, hooks),
        Some(Subcommand::Run(script)) => run::run(&script, &load, hooks),
        Some(Subcommand::Cache(cache)) => cache::run(&cache),
    }
}
