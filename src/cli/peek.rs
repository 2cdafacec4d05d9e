//! `emberlens peek`: what calls a function and what it calls; `emberlens labels`: what values of labels hold.

use std::process::ExitCode;

use super::{Failure, args, output, read};
use crate::analysis::Granularity;
use crate::app::load::LoadOptions;
use crate::report::labels::LabelsReport;
use crate::report::peek::PeekReport;
use crate::report::{self, TopOrder, TopSpec};

pub(super) fn run(args: &args::Peek, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let capture = read::capture(&args.file, options, &args.view)?;
    let weighed = read::single(&capture, &args.view)?;
    let spec = TopSpec {
        file: &args.file.to_string_lossy(),
        by: args.view.by(),
        order: TopOrder::Total,
        limit: args.number,
        decimals: weighed.decimals,
        filter: &args.view.filter(),
    };
    let Some(peek) = PeekReport::new(&weighed.comparison, &args.functions, &spec) else {
        return Err(Failure::Failed(format!("no function that is shown matches {}", args.functions)));
    };
    if args.json {
        output::print(report::json(&peek).as_bytes())?;
    } else {
        output::say_losses([(spec.file, capture.as_ref())]);
        output::print(format!("{}\n{}\n", peek.text(), PeekReport::HINT).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn labels(args: &args::Labels, options: &LoadOptions) -> Result<ExitCode, Failure> {
    if args.view.by() != Granularity::Function {
        return Err(Failure::Usage("labels belong to samples; --by goes with top".to_owned()));
    }
    let capture = read::capture(&args.file, options, &args.view)?;
    let weighed = read::single(&capture, &args.view)?;
    let filter = read::filter(std::slice::from_ref(&capture), &args.view)?;
    let file = args.file.to_string_lossy();
    let labels = LabelsReport::new(&weighed.comparison, &capture, (&file, args.keys.as_deref(), &filter));
    if labels.is_empty() {
        let of = args.keys.as_ref().map_or_else(String::new, |keys| format!(" whose key matches {keys}"));
        return Err(Failure::Failed(format!("no sample that is shown has a label{of}")));
    }
    if args.json {
        output::print(report::json(&labels).as_bytes())?;
    } else {
        output::say_losses([(file.as_ref(), capture.as_ref())]);
        output::print(labels.text().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
