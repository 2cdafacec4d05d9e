//! `emberlens diff`: what got worse from before to after.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::args::Diff;
use super::progress::with_progress;
use super::read::Weighed;
use super::{Failure, args, exit, output, read};
use crate::analysis::comparable::Concern;
use crate::analysis::events::Basis;
use crate::analysis::regress::{self, Exposure, Findings, Spec};
use crate::analysis::{Comparison, Filter, Granularity, Naming, Normalization, Part, SideInput};
use crate::app::load::LoadOptions;
use crate::model::{Profile, SampleType};
use crate::report::diff::{DiffInput, DiffReport};
use crate::report::merged::{split_columns, split_pair};
use crate::report::remarks::Remarks;
use crate::report::{self, PictureTheme};

/// Two sides with everything that reports need.
pub(super) struct Compared {
    /// Captures of before, then of after, with their paths.
    pub(super) captures: Vec<(String, Arc<Profile>)>,
    pub(super) weighed: Weighed,
    pub(super) findings: Findings,
}

pub(super) fn run(args: &Diff, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let parts = args.parts.sides()?;
    let compared = match args.files.as_slice() {
        [saved] if args.parts.are_whole() => {
            let [before, after] = saved_sides(saved, &args.view, options)?;
            let sides = [Captures { files: vec![before], part: Part::WHOLE }, Captures { files: vec![after], part: Part::WHOLE }];
            let wanted = args.normalization()?;
            let mut compared = judge(sides, &args.view, &args.names.naming(), wanted.clone(), &spec(args))?;
            without_rates(wanted.as_ref(), &mut compared)?;
            compared
        }
        _ => {
            let (before, after) = sides(args)?;
            compare([&before, &after], parts, &args.view, &args.names.naming(), args.normalization()?, &spec(args), options)?
        }
    };
    let filter = args.view.filter();
    let (decimals, remarks) = (compared.weighed.decimals, Remarks::of(compared.captures.iter().map(|(_, profile)| profile)));
    let input = DiffInput { captures: &compared.captures, by: args.view.by(), decimals, filter: &filter, remarks: &remarks };
    let Some(report) = DiffReport::new(&compared.weighed.comparison, &compared.findings, input) else {
        return Err(Failure::Usage("a comparison has two sides".to_owned()));
    };
    let text = match (args.json, args.markdown, args.html) {
        (true, ..) => report::json(&report),
        (_, true, _) => report.markdown(),
        (_, _, true) => {
            let judged = (Some(&report), Some(&compared.findings.diff.nodes));
            output::review(&args.view, &compared.weighed, &compared.captures, judged, PictureTheme::Light)
        }
        _ => report.text(),
    };
    if !args.json {
        output::say_losses(compared.captures.iter().map(|(name, profile)| (name.as_str(), profile.as_ref())));
    }
    output::print(text.as_bytes())?;
    let worse = args.fail_on_regression && (report.has_regressions() || costs_more(&compared.findings, &compared.weighed.comparison));
    Ok(if worse { ExitCode::from(exit::REGRESSIONS) } else { ExitCode::SUCCESS })
}

/// True where a known amount of work surely costs more, whether or not a place can be named for it.
fn costs_more(findings: &Findings, comparison: &Comparison) -> bool {
    let is_known = matches!(comparison.effective_normalization(), Normalization::PerRequest(_));
    is_known && findings.total.is_some_and(|total| total.lo > 1.0)
}

/// The captures of each side: two in a row, or lists.
fn sides(args: &Diff) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    match args.files.as_slice() {
        [] if !args.before.is_empty() && !args.after.is_empty() => {
            for (option, files) in [("--before", &args.before), ("--after", &args.after)] {
                let twice = files.iter().enumerate().find(|(at, file)| files.iter().take(*at).any(|other| other == *file));
                if let Some((_, file)) = twice {
                    return Err(Failure::Usage(format!("{option} names {} twice: that is no repeat", file.display())));
                }
            }
            Ok((args.before.clone(), args.after.clone()))
        }
        [before, after] if before == after && before.as_os_str() == "-" => {
            Err(Failure::Usage("standard input is one capture and cannot be both sides".to_owned()))
        }
        [before, after] => Ok((vec![before.clone()], vec![after.clone()])),
        // Both sides are parts of it.
        [both] => Ok((vec![both.clone()], vec![both.clone()])),
        _ => Err(Failure::Usage("wanted BEFORE and AFTER, or --before FILE… --after FILE…".to_owned())),
    }
}

/// What the user decided about the test.
fn spec(args: &Diff) -> Spec {
    let exposure = if args.robust { Exposure::Robust } else { Exposure::Normalization };
    let default = Spec::default();
    Spec {
        exposure,
        level: args.level.unwrap_or(default.level),
        min_ratio: args.min_ratio.unwrap_or(default.min_ratio),
        growth: args.growth.unwrap_or(default.growth),
        ..default
    }
}

/// The captures of a side with their paths, and what part of them the side is.
pub(super) struct Captures {
    files: Vec<(String, Arc<Profile>)>,
    part: Part,
}

/// Reads, weighs and judges two sides, before and after.
pub(super) fn compare(
    sides: [&[PathBuf]; 2],
    parts: [Part; 2],
    view: &args::View,
    naming: &Naming,
    normalization: Option<Normalization>,
    spec: &Spec,
    options: &LoadOptions,
) -> Result<Compared, Failure> {
    let mut paths: Vec<&Path> = Vec::new();
    for path in sides.into_iter().flatten() {
        // Standard input can be read once, and two parts of a file need one reading.
        if !paths.contains(&path.as_path()) {
            paths.push(path);
        }
    }
    let read = read::captures(&paths, options, view)?;
    let of = |path: &PathBuf| {
        let known = paths.iter().zip(&read).find(|(known, _)| **known == path.as_path());
        known.map(|(_, profile)| (path.to_string_lossy().into_owned(), Arc::clone(profile)))
    };
    let [before, after] = parts;
    let side = |paths: &[PathBuf], part| Captures { files: paths.iter().filter_map(of).collect(), part };
    judge([side(sides[0], before), side(sides[1], after)], view, naming, normalization, spec)
}

/// The sides of a comparison that was saved as one file.
fn saved_sides(path: &Path, view: &args::View, options: &LoadOptions) -> Result<[(String, Arc<Profile>); 2], Failure> {
    let name = path.to_string_lossy();
    let saved = read::capture(path, options, view)?;
    let Some((before, after)) = split_pair(&saved).or_else(|| split_columns(&saved)) else {
        return Err(Failure::Usage(format!(
            "wanted BEFORE and AFTER, or --before-where and --after-where for two parts of one capture; {name} alone is no saved comparison (no sample has the label pprof::base, and no line of folded stacks two numbers)"
        )));
    };
    Ok([(format!("{name} (before)"), Arc::new(before)), (format!("{name} (after)"), Arc::new(after))])
}

/// A saved comparison holds the time of both sides together, or none, so there is no rate: refused where one was asked for, and said where one
/// would have been taken.
fn without_rates(wanted: Option<&Normalization>, compared: &mut Compared) -> Result<(), Failure> {
    let why = "a saved comparison does not say how long each side took";
    let effective = compared.weighed.comparison.effective_normalization();
    match wanted {
        Some(wanted) if wanted != effective => {
            let how = wanted.name();
            return Err(Failure::Failed(format!(
                "the numbers cannot be compared {how}: {why}; compare the captures themselves, or --normalize share or absolute"
            )));
        }
        None if *effective == Normalization::Share => {
            let note = "A saved comparison does not say how long each side took, so shares are compared instead of rates; the captures themselves, or \
                        --normalize absolute where both took the same time, say more.";
            compared.findings.notes.push(note.to_owned());
        }
        _ => {}
    }
    Ok(())
}

/// Names that the user joins or keeps apart have to be there: a typing error would go unseen.
fn known_names(naming: &Naming, comparison: &Comparison) -> Result<(), Failure> {
    let mut names = naming.aliases.iter().flat_map(|(old, new)| [old, new]).chain(&naming.apart);
    match names.find(|name| comparison.places().find(name).is_none()) {
        Some(name) => Err(Failure::Failed(format!("no capture has a function {name}, which --alias or --no-alias names"))),
        None => Ok(()),
    }
}

/// What samples how time goes cannot be compared with a capture that holds none: that is no improvement but a failed capture. (No contention, or no
/// allocation, may be the truth.)
fn nothing_missing(comparison: &Comparison, captures: &[(String, Arc<Profile>)], filter: &Filter) -> Result<(), Failure> {
    let Some((before, after)) = comparison.pair() else { return Ok(()) };
    for (name, side, other) in [("before", before, after), ("after", after, before)] {
        if side.gross > 0 && side.weights.selfs().iter().all(|&value| value == 0) {
            return Err(Failure::Failed(format!(
                "nothing of {} in {name} passes the filters, so there is nothing to compare\n{}",
                comparison.sample_type,
                filter.options().join("\n")
            )));
        }
        let may_be_none = matches!(other.evidence.basis, Basis::HeapObjects | Basis::Contentions | Basis::Census) && other.gross > 0;
        if side.gross == 0 && !may_be_none {
            let paths: Vec<&str> = side.rows.iter().filter_map(|&row| Some(captures.get(row)?.0.as_str())).collect();
            let part = if side.part.is_whole() { String::new() } else { format!(" ({})", side.part.words()) };
            let other = types_with_values(captures);
            let other = if other.is_empty() { String::new() } else { format!("; -t compares others: {}", other.join(", ")) };
            return Err(Failure::Failed(format!(
                "{name}{part} holds nothing of {}, so there is nothing to compare{other}\n{}",
                comparison.sample_type,
                paths.join("\n")
            )));
        }
    }
    Ok(())
}

/// The sample types of which every capture holds something.
fn types_with_values(captures: &[(String, Arc<Profile>)]) -> Vec<String> {
    let Some((_, first)) = captures.first() else { return Vec::new() };
    let has = |profile: &Profile, kind: &SampleType| {
        profile.comparable_column(&kind.name, &kind.unit).is_some_and(|column| profile.gross_total(column) > 0)
    };
    let kinds = first.sample_types.iter().filter(|kind| captures.iter().all(|(_, profile)| has(profile, kind)));
    kinds.map(|kind| kind.name.clone()).collect()
}

/// Weighs and judges two sides.
fn judge(
    sides: [Captures; 2],
    view: &args::View,
    naming: &Naming,
    normalization: Option<Normalization>,
    spec: &Spec,
) -> Result<Compared, Failure> {
    let [before, after] = sides;
    let first = before.files.len();
    let captures: Vec<(String, Arc<Profile>)> = before.files.into_iter().chain(after.files).collect();
    let profiles: Vec<Arc<Profile>> = captures.iter().map(|(_, profile)| Arc::clone(profile)).collect();
    let inputs = [
        SideInput { captures: (0..first).collect(), part: before.part },
        SideInput { captures: (first..profiles.len()).collect(), part: after.part },
    ];
    let by_work = matches!(normalization, Some(Normalization::PerRequest(_)));
    let names: Vec<&str> = captures.iter().map(|(name, _)| name.as_str()).collect();
    let weighed = read::comparison(&profiles, &names, &inputs, view, naming, normalization)?;
    if view.by() == Granularity::Function {
        known_names(naming, &weighed.comparison)?;
    }
    if by_work && *weighed.comparison.effective_normalization() == Normalization::Share {
        let why = "a capture does not say how much of that work there was (for a throughput, how long it took)";
        return Err(Failure::Failed(format!("the numbers cannot be compared per request: {why}")));
    }
    nothing_missing(&weighed.comparison, &captures, &view.filter())?;
    let findings = with_progress("judging", |_| regress::findings(&weighed.comparison, &profiles, spec));
    let findings = findings.ok_or_else(|| Failure::Usage("a comparison has two sides".to_owned()))?;
    // Everything would seem to have changed by the ratio of the rates. Shares do not.
    let other_rate = findings.differences.iter().find(|row| row.what == "period" && row.concern == Concern::Warning);
    if let Some(row) = other_rate.filter(|_| *weighed.comparison.effective_normalization() != Normalization::Share) {
        return Err(Failure::Failed(format!(
            "numbers of samples do not compare: one was taken each {} before and each {} after; choose a sample type with values (-t), or compare shares (--normalize share)",
            row.before, row.after
        )));
    }
    Ok(Compared { captures, weighed, findings })
}
