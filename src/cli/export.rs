//! `emberlens export`: a capture or a comparison as another format, a picture or a table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{Export, Kind};
use super::diff::{self, Compared};
use super::read::Weighed;
use super::{Failure, Hooks, output, read};
use crate::analysis::diff::{NodeDiff, Spec};
use crate::analysis::flame::FlameShape;
use crate::app::load::LoadOptions;
use crate::app::picture::{Part, PictureRequest};
use crate::app::view::{CaptureId, Tab};
use crate::app::{App, Command, Options};
use crate::format::pprof;
use crate::model::{Profile, base_name};
use crate::report::merged::merge_pair;
use crate::report::part::{filtered, part_of};
use crate::report::remarks::Remarks;
use crate::report::{self, DiffInput, DiffReport, FlameSvg, SvgSpec, TopOrder, TopReport, TopSpec, TreeReport, stacks};

pub(super) fn run(args: &Export, options: &LoadOptions, hooks: &Hooks) -> Result<ExitCode, Failure> {
    let kind = kind_of(args)?;
    if matches!(kind, Kind::PbGz | Kind::Pb) && !args.view.is_by_default() {
        return Err(Failure::Usage(
            "a pprof export holds all sample types and every frame as it is; --sample-type and --by do not apply".to_owned(),
        ));
    }
    let files = files(args)?;
    let bytes = match files.as_slice() {
        _ if kind == Kind::Png => png_bytes(args, &files, options, hooks)?,
        [before, after] => pair_bytes(args, kind, [before, after], options)?,
        [file] => single_bytes(args, kind, file, options)?,
        _ => return Err(Failure::Usage("no capture was given".to_owned())),
    };
    let captures = files.iter().map(std::path::PathBuf::as_path);
    output::write(&args.output, &bytes, captures)?;
    Ok(ExitCode::SUCCESS)
}

/// The capture, or both sides of a comparison: two captures, or one where both are parts of it.
fn files(args: &Export) -> Result<Vec<PathBuf>, Failure> {
    match (&args.diff, &args.file) {
        (Some(pair), _) => Ok(pair.clone()),
        (None, Some(file)) if !args.parts.are_whole() => Ok(vec![file.clone(), file.clone()]),
        (None, Some(_)) if args.normalization().is_some() || !args.names.is_by_default() => Err(Failure::Usage(
            "--normalize and the options about names of two builds are about comparisons: give --diff BEFORE AFTER, or --before-where and \
             --after-where for two parts of one capture"
                .to_owned(),
        )),
        (None, file) => Ok(file.iter().cloned().collect()),
    }
}

/// What to write: as asked, or by the ending of the output's name.
fn kind_of(args: &Export) -> Result<Kind, Failure> {
    if let Some(kind) = args.kind {
        return Ok(kind);
    }
    let name = args.output.to_string_lossy().to_lowercase();
    let endings = [
        (".folded", Kind::Folded),
        (".collapsed", Kind::Folded),
        (".svg", Kind::Svg),
        (".csv", Kind::Csv),
        (".json", Kind::Json),
        (".md", Kind::Md),
        (".html", Kind::Html),
        (".htm", Kind::Html),
        (".pb.gz", Kind::PbGz),
        (".pprof", Kind::PbGz),
        (".pb", Kind::Pb),
        (".png", Kind::Png),
    ];
    endings.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| kind).ok_or_else(|| {
        let known = "folded, svg, csv, json, md, html, pb.gz, pb or png";
        Failure::Usage(format!("the name {} does not say what to write; end it in {known}, or add --as KIND", args.output.display()))
    })
}

fn single_bytes(args: &Export, kind: Kind, file: &Path, options: &LoadOptions) -> Result<Vec<u8>, Failure> {
    let capture = read::capture(file, options, &args.view)?;
    output::say_losses([(file.to_string_lossy().as_ref(), capture.as_ref())]);
    if matches!(kind, Kind::PbGz | Kind::Pb) {
        let filter = read::checked_filter(std::slice::from_ref(&capture), &args.view)?;
        // Unfiltered captures keep tables that no sample uses.
        let written = if filter.is_empty() { pprof_bytes(kind, &capture) } else { pprof_bytes(kind, &filtered(&capture, &filter)) };
        return Ok(written.unwrap_or_default());
    }
    let weighed = read::single(&capture, &args.view)?;
    let name = file.to_string_lossy().into_owned();
    let filter = args.view.filter();
    let top = || {
        let spec =
            TopSpec { file: &name, by: args.view.by(), order: TopOrder::SelfValue, limit: 0, decimals: weighed.decimals, filter: &filter };
        TopReport::new(&weighed.comparison, &spec)
    };
    match kind {
        Kind::Csv => Ok(top().csv().into_bytes()),
        Kind::Md => Ok(top().markdown().into_bytes()),
        Kind::Html => {
            let captures = [(name.clone(), Arc::clone(&capture))];
            Ok(output::review(&args.view, &weighed, &captures, (None, None), args.picture.theme()).into_bytes())
        }
        _ => tree_bytes(args, kind, &weighed, None, &[vec![name]]),
    }
}

fn pair_bytes(args: &Export, kind: Kind, pair: [&PathBuf; 2], options: &LoadOptions) -> Result<Vec<u8>, Failure> {
    let [before, after] = pair;
    if matches!(kind, Kind::PbGz | Kind::Pb) {
        let captures = read::captures(&[before, after], options, &args.view)?;
        let names = pair.iter().map(|path| path.to_string_lossy());
        names.zip(&captures).for_each(|(name, capture)| output::say_losses([(name.as_ref(), capture.as_ref())]));
        let filter = read::checked_filter(&captures, &args.view)?;
        let mut sides = Vec::new();
        for (capture, part) in captures.into_iter().zip(args.parts.sides()?) {
            let part = part_of(&capture, &part).map_err(Failure::Failed)?.map_or(capture, Arc::new);
            sides.push(if filter.is_empty() { part } else { Arc::new(filtered(&part, &filter)) });
        }
        let [before, after] = sides.as_slice() else { return Err(Failure::Usage("wanted BEFORE and AFTER".to_owned())) };
        let merged = merge_pair(before, after);
        if merged.sample_types.is_empty() {
            return Err(Failure::Failed("the captures have no sample type in common".to_owned()));
        }
        return Ok(pprof_bytes(kind, &merged).unwrap_or_default());
    }
    let sides = [std::slice::from_ref(before), std::slice::from_ref(after)];
    let compared =
        diff::compare(sides, args.parts.sides()?, &args.view, &args.names.naming(), args.normalization(), &Spec::default(), options)?;
    let Compared { captures, weighed, findings } = compared;
    output::say_losses(captures.iter().map(|(name, profile)| (name.as_str(), profile.as_ref())));
    match kind {
        Kind::Csv => Ok(DiffReport::csv(&weighed.comparison, &findings, weighed.decimals).into_bytes()),
        Kind::Md | Kind::Html => {
            let filter = args.view.filter();
            let remarks = Remarks::of(captures.iter().map(|(_, profile)| profile));
            let input =
                DiffInput { captures: &captures, by: args.view.by(), decimals: weighed.decimals, filter: &filter, remarks: &remarks };
            let report = DiffReport::new(&weighed.comparison, &findings, input);
            let text = match report {
                Some(report) if kind == Kind::Md => report.markdown(),
                report => {
                    output::review(&args.view, &weighed, &captures, (report.as_ref(), Some(&findings.diff.nodes)), args.picture.theme())
                }
            };
            Ok(text.into_bytes())
        }
        _ => {
            let names: Vec<_> = captures.into_iter().map(|(name, _)| vec![name]).collect();
            tree_bytes(args, kind, &weighed, Some(&findings.diff.nodes), &names)
        }
    }
}

/// The profile as pprof; `None` for other kinds.
fn pprof_bytes(kind: Kind, profile: &Profile) -> Option<Vec<u8>> {
    match kind {
        Kind::PbGz => Some(pprof::write_gz(profile)),
        Kind::Pb => Some(pprof::write(profile)),
        _ => None,
    }
}

/// The window over the captures, drawn without one.
fn png_bytes(args: &Export, files: &[PathBuf], options: &LoadOptions, hooks: &Hooks) -> Result<Vec<u8>, Failure> {
    let Some(picture) = hooks.picture else {
        return Err(Failure::Failed("this program was built without the window, which draws pictures; svg needs none".to_owned()));
    };
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    // The app groups them itself.
    let captures = read::captures_alone(&files, options)?;
    let mut app = App::new(Options { inline: true, load: options.clone(), ..Options::default() });
    let ids: Vec<CaptureId> = files.iter().zip(&captures).map(|(file, profile)| app.insert(file, Arc::clone(profile))).collect();
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (name, unit) = read::sample_type(&captures, &names, args.view.sample_type.as_deref())?;
    let filter = read::checked_filter(&read::grouped(&captures, &args.view)?, &args.view)?;
    let shown = match ids.as_slice() {
        [before, after] => {
            vec![
                Command::Show(*after),
                Command::SetBefore(*before),
                Command::CompareParts(Box::new(args.parts.sides()?)),
                Command::SetNormalization(args.normalization()),
            ]
        }
        ids => ids.iter().copied().map(Command::Show).collect(),
    };
    let commands = shown.into_iter().chain([
        Command::SetSampleType(name, unit),
        Command::SetGranularity(args.view.by()),
        Command::SetThreads(filter.threads),
        Command::SetLabels(filter.labels),
        Command::TagFocus(filter.tag_focus),
        Command::TagIgnore(filter.tag_ignore),
        Command::GroupBy(filter.group_by),
        Command::GroupLeaves(filter.group_leaves),
        Command::Focus(filter.focus.unwrap_or_default()),
        Command::Ignore(filter.ignore.unwrap_or_default()),
        Command::Hide(filter.hide.unwrap_or_default()),
        Command::ShowOnly(filter.show.unwrap_or_default()),
        Command::ShowFrom(filter.show_from.unwrap_or_default()),
        Command::FocusSubtree(filter.subtree),
        Command::Collapse(filter.collapse.unwrap_or_default()),
        Command::PruneFrom(filter.prune_from.unwrap_or_default()),
        Command::CollapseRecursion(filter.recursion.unwrap_or_default()),
        Command::CollapseDirectRecursion(filter.direct_recursion.unwrap_or_default()),
        Command::NoInlines(filter.no_inlines),
        Command::AllFrames(filter.all_frames),
        Command::RelativePercentages(filter.of_filtered),
    ]);
    let part = args.picture.part();
    let tab = (part == Part::Top).then_some(Command::SetTab(Tab::Top));
    for command in commands.chain(tab) {
        // None of these wishes for anything that only a window can do.
        drop(app.apply(command));
    }
    app.settle();
    let look = &args.picture;
    let request = PictureRequest { app: &app, part, size: look.size(), scale: look.scale, theme: look.theme() };
    picture(&request).map_err(Failure::Failed)
}

/// The forms that show the tree of one or two sides alike.
fn tree_bytes(args: &Export, kind: Kind, weighed: &Weighed, changes: Option<&NodeDiff>, names: &[Vec<String>]) -> Result<Vec<u8>, Failure> {
    let Weighed { comparison, decimals } = weighed;
    let title: Vec<&str> = names.iter().flatten().map(|name| base_name(name)).collect();
    let title = format!("{} ({})", title.join(" → "), comparison.sample_type);
    let (look, theme) = (&args.picture, args.picture.theme());
    match kind {
        Kind::Svg => {
            let spec = SvgSpec {
                title,
                width: look.width(),
                theme,
                shape: FlameShape::Both,
                color_by: None,
                filters: args.view.filter().options(),
            };
            let flame = FlameSvg { comparison, changes, widths: None, by_size: None };
            flame.draw(&spec).map(String::into_bytes).map_err(|error| Failure::Failed(error.to_string()))
        }
        Kind::Json => Ok(report::json(&TreeReport::new(comparison, names, (args.view.by(), &args.view.filter()), *decimals)).into_bytes()),
        _ => Ok(stacks::folded(comparison, *decimals).into_bytes()),
    }
}
