//! `emberlens FILE…`: opens the window.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Failure, Hooks, OpenRequest};
use crate::app::load::LoadOptions;

pub(super) fn run(files: Vec<PathBuf>, diff: Option<Vec<PathBuf>>, load: LoadOptions, hooks: &Hooks) -> Result<ExitCode, Failure> {
    let Some(open_window) = hooks.open_window else {
        let text = "this program was built without the window; use a subcommand (see --help)";
        return Err(Failure::Failed(text.to_owned()));
    };
    let is_comparison = diff.is_some();
    open_window(OpenRequest { files: diff.unwrap_or(files), is_comparison, load }).map_err(Failure::Failed)?;
    Ok(ExitCode::SUCCESS)
}
