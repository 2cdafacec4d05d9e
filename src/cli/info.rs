//! `emberlens info`: what a capture holds.

use std::process::ExitCode;

use super::{Failure, args, output, read};
use crate::app::load::LoadOptions;
use crate::report::{self, Info};

pub(super) fn run(args: &args::Info, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let capture = read::capture(&args.file, options)?;
    let info = Info::new(&args.file.to_string_lossy(), &capture);
    let text = if args.json { report::json(&info) } else { info.text() };
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
