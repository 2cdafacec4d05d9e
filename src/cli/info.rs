//! `emberlens info`: what a capture holds, or which captures an archive holds.

use std::process::ExitCode;

use super::{Failure, args, output, read};
use crate::app::load::LoadOptions;
use crate::report::{self, Info};

pub(super) fn run(args: &args::Info, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let capture = match read::load_capture(&args.file, options) {
        Ok(capture) => capture,
        // An archive with several captures is no failure here: what it holds is the answer.
        Err(error) if !error.choice().is_empty() => {
            let captures = report::Captures::new(&args.file.to_string_lossy(), &error.choice());
            let text = if args.json { report::json(&captures) } else { captures.text() };
            output::print(text.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(error.into()),
    };
    let info = Info::new(&args.file.to_string_lossy(), &capture);
    let text = if args.json { report::json(&info) } else { info.text() };
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
