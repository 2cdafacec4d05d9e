//! `emberlens diff`: what got worse from before to after.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::args::Diff;
use super::progress::with_progress;
use super::read::Weighed;
use super::{Failure, args, exit, output, read};
use crate::analysis::regress::{self, Exposure, Findings, Spec};
use crate::analysis::{Normalization, SideInput};
use crate::app::load::LoadOptions;
use crate::model::Profile;
use crate::report::diff::{DiffInput, DiffReport};
use crate::report::merged::split_pair;
use crate::report::{self};

/// Two sides with everything that reports need.
pub(super) struct Compared {
    /// Captures of before, then of after, with their paths.
    pub(super) captures: Vec<(String, Arc<Profile>)>,
    pub(super) weighed: Weighed,
    pub(super) findings: Findings,
}

pub(super) fn run(args: &Diff, options: &LoadOptions) -> Result<ExitCode, Failure> {
    let compared = if let [saved] = args.files.as_slice() {
        judge(saved_sides(saved, options)?, 1, &args.view, args.normalization()?, &spec(args))?
    } else {
        let (before, after) = sides(args)?;
        compare(&before, &after, &args.view, args.normalization()?, &spec(args), options)?
    };
    let input = DiffInput { captures: &compared.captures, by: args.view.by(), decimals: compared.weighed.decimals };
    let Some(report) = DiffReport::new(&compared.weighed.comparison, &compared.findings, input) else {
        return Err(Failure::Usage("a comparison has two sides".to_owned()));
    };
    let text = match (args.json, args.markdown) {
        (true, _) => report::json(&report),
        (_, true) => report.markdown(),
        _ => report.text(),
    };
    output::print(text.as_bytes())?;
    let worse = args.fail_on_regression && report.has_regressions();
    Ok(if worse { ExitCode::from(exit::REGRESSIONS) } else { ExitCode::SUCCESS })
}

/// The captures of each side: two in a row, or lists.
fn sides(args: &Diff) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    match args.files.as_slice() {
        [] if !args.before.is_empty() && !args.after.is_empty() => Ok((args.before.clone(), args.after.clone())),
        [before, after] => Ok((vec![before.clone()], vec![after.clone()])),
        _ => Err(Failure::Usage("wanted BEFORE and AFTER, or --before FILE… --after FILE…".to_owned())),
    }
}

/// What the user decided about the test.
fn spec(args: &Diff) -> Spec {
    let exposure = if args.robust { Exposure::Robust } else { Exposure::Normalization };
    let default = Spec::default();
    Spec { exposure, level: args.level.unwrap_or(default.level), min_ratio: args.min_ratio.unwrap_or(default.min_ratio), ..default }
}

/// Reads, weighs and judges two sides.
pub(super) fn compare(
    before: &[PathBuf],
    after: &[PathBuf],
    view: &args::View,
    normalization: Option<Normalization>,
    spec: &Spec,
    options: &LoadOptions,
) -> Result<Compared, Failure> {
    let read = |path: &PathBuf| -> Result<(String, Arc<Profile>), Failure> {
        Ok((path.to_string_lossy().into_owned(), read::capture(Path::new(path), options)?))
    };
    let captures: Vec<_> = before.iter().chain(after).map(read).collect::<Result<_, _>>()?;
    judge(captures, before.len(), view, normalization, spec)
}

/// The sides of a comparison that was saved as one file.
fn saved_sides(path: &Path, options: &LoadOptions) -> Result<Vec<(String, Arc<Profile>)>, Failure> {
    let name = path.to_string_lossy();
    let saved = read::capture(path, options)?;
    let Some((before, after)) = split_pair(&saved) else {
        return Err(Failure::Usage(format!(
            "wanted BEFORE and AFTER; {name} alone is no saved comparison (no sample has the label pprof::base)"
        )));
    };
    Ok(vec![(format!("{name} (before)"), Arc::new(before)), (format!("{name} (after)"), Arc::new(after))])
}

/// Weighs and judges two sides, of which the first has the first `before` captures.
fn judge(
    captures: Vec<(String, Arc<Profile>)>,
    before: usize,
    view: &args::View,
    normalization: Option<Normalization>,
    spec: &Spec,
) -> Result<Compared, Failure> {
    let profiles: Vec<Arc<Profile>> = captures.iter().map(|(_, profile)| Arc::clone(profile)).collect();
    let sides = [SideInput { captures: (0..before).collect() }, SideInput { captures: (before..profiles.len()).collect() }];
    let weighed = read::comparison(&profiles, &sides, view, normalization)?;
    let findings = with_progress("judging", |_| regress::findings(&weighed.comparison, &profiles, spec));
    let findings = findings.ok_or_else(|| Failure::Usage("a comparison has two sides".to_owned()))?;
    Ok(Compared { captures, weighed, findings })
}
