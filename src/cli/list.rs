//! `emberlens list`: the source of functions with what every line costs.

use std::path::Path;
use std::process::ExitCode;

use super::progress::with_progress;
use super::{Failure, args, output, read};
use crate::analysis::filter::matching_names;
use crate::analysis::{Granularity, Normalization, PlaceId, SideInput, flat};
use crate::app::load::LoadOptions;
use crate::app::source;
use crate::model::counted;
use crate::report::list::{ListReport, Listed};
use crate::report::table::push_line;
use crate::report::{self};

pub(super) fn run(args: &args::List, options: &LoadOptions) -> Result<ExitCode, Failure> {
    if args.view.by() != Granularity::Function {
        return Err(Failure::Usage("lines are listed by function; --by goes with top".to_owned()));
    }
    if args.files.len() == 2 && args.files.iter().all(|file| file.as_os_str() == "-") {
        return Err(Failure::Usage("standard input is one capture and cannot be both sides".to_owned()));
    }
    let paths: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
    let captures = read::captures(&paths, options, &args.view)?;
    let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
    let files: Vec<Vec<String>> = paths.iter().map(|path| vec![path.to_string_lossy().into_owned()]).collect();
    let names: Vec<&str> = files.iter().flatten().map(String::as_str).collect();
    let normalization = if captures.len() == 1 { Some(Normalization::Share) } else { args.normalization() };
    let comparison = read::comparison(&captures, &names, &sides, &args.view, &args.names.naming(), normalization)?.comparison;
    let filter = read::filter(&captures, &args.view)?;

    let flat = flat::flat(&comparison);
    let found = matching_names(comparison.places(), &args.functions);
    let weight = |place: PlaceId| {
        let of_side = flat.sides.iter().zip(&comparison.sides);
        of_side
            .map(|(flat, side)| flat.value(flat::Measure::Total, place).unsigned_abs() as f64 * comparison.factor(side))
            .fold(0.0, f64::max)
    };
    let mut places: Vec<(PlaceId, f64)> =
        flat.places.iter().filter(|place| found.contains(place)).map(|&place| (place, weight(place))).collect();
    if places.is_empty() {
        return Err(Failure::Failed(format!("no function that is shown matches {}", args.functions)));
    }
    // Places are in name order, which decides between equals.
    places.sort_by(|a, b| b.1.total_cmp(&a.1));
    let left_out = if args.number == 0 { 0 } else { places.len().saturating_sub(args.number) };
    places.truncate(places.len() - left_out);
    let listed: Vec<Listed> = with_progress("listing", |ticket| {
        let list = |&(place, _): &(PlaceId, f64)| {
            source::list(&comparison, &captures, (&filter, Granularity::Function), place, &options.source, ticket)
        };
        places.iter().map(list).collect::<Result<_, _>>()
    })?;
    let report = ListReport::new(&comparison, &files, &listed);
    let mut text = match (args.json, args.markdown) {
        (true, _) => report::json(&report),
        (_, true) => report.markdown(),
        _ => report.text(),
    };
    if !args.json && listed.iter().flat_map(|function| &function.files).any(|file| !file.lines.file.is_empty() && file.source.is_err()) {
        text.push_str("\n--source-path FOLDER says where source files are, --trim-path PREFIX what of their paths is not the same there\n");
    }
    if left_out > 0 && !args.json {
        let more = counted(left_out as u64, "function matches", "functions match");
        push_line(&mut text, format_args!("\n{more} too, with smaller totals; -n 0 lists all"));
    }
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
