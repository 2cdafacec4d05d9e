//! `emberlens top`: the functions with the largest values.

use std::process::ExitCode;

use super::{Failure, args, output, read};
use crate::app::load::LoadOptions;
use crate::model::kind;
use crate::report::{self, TopOrder, TopReport, TopSpec};

pub(super) fn run(args: &args::Top, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let capture = read::capture(&args.file, options, &args.view)?;
    let weighed = read::single(&capture, &args.view)?;
    let spec = TopSpec {
        file: &args.file.to_string_lossy(),
        by: args.view.by(),
        order: if args.cum { TopOrder::Total } else { TopOrder::SelfValue },
        limit: args.number,
        decimals: weighed.decimals,
        filter: &args.view.filter(),
    };
    let top = TopReport::new(&weighed.comparison, &spec).with_notes(&capture);
    let mut text = if args.json { report::json(&top) } else { top.text() };
    if !args.json && capture.notes.count(kind::SAVED_COMPARISON) > 0 {
        let hint = "a saved comparison: samples of before count negative here; `emberlens diff FILE` shows its two sides\n";
        text.insert_str(0, hint);
    }
    if !args.json {
        output::say_losses([(args.file.to_string_lossy().as_ref(), capture.as_ref())]);
    }
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
