//! `emberlens FILE…`: opens the window.

use std::process::ExitCode;

use super::args::Args;
use super::{Failure, Hooks, OpenRequest};
use crate::app::load::LoadOptions;

pub(super) fn run(args: Args, load: LoadOptions, hooks: &Hooks) -> Result<ExitCode, Failure> {
    let Some(open_window) = hooks.open_window else {
        let text = "this program was built without the window; use a subcommand (see --help)";
        return Err(Failure::Failed(text.to_owned()));
    };
    let sides = match args.diff.as_deref() {
        Some([before, after]) => Some([vec![before.clone()], vec![after.clone()]]),
        _ => (!args.before.is_empty()).then_some([args.before, args.after]),
    };
    open_window(OpenRequest { files: args.files, sides, load }).map_err(Failure::Failed)?;
    Ok(ExitCode::SUCCESS)
}
