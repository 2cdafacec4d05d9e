//! The view as a file: the ending of its name says how.
//!
//! Deliberately absent: pictures, which only the window's code can draw.

use std::path::Path;
use std::sync::Arc;

use crate::analysis::diff::{Diff, NodeDiff};
use crate::analysis::flame::{BySize, FlameShape, SiblingOrder, self_sizes, self_widths};
use crate::analysis::regress::Findings;
use crate::analysis::sandwich::Half;
use crate::analysis::{Comparison, Filter, Granularity, Part};
use crate::format::pprof;
use crate::model::{Profile, base_name};
use crate::report::color::ColorBy;
use crate::report::diff::{DiffInput, DiffReport};
use crate::report::list::{ListReport, Listed};
use crate::report::merged::merge_pair;
use crate::report::part::{filtered, part_of};
use crate::report::remarks::Remarks;
use crate::report::{self, FlameSvg, PictureTheme, Review, SvgSpec, TopOrder, TopReport, TopSpec, TreeReport, stacks};

/// What is exported.
pub(super) struct Request {
    pub(super) comparison: Arc<Comparison>,
    /// Paths and profiles, before first.
    pub(super) captures: Vec<(String, Arc<Profile>)>,
    /// The flame graph, as the window draws it.
    pub(super) flame: Flame,
    /// What of a sandwich is written as a flame graph or as folded stacks, and what that is in words.
    pub(super) half: Option<(Half, String)>,
    /// Findings of a comparison.
    pub(super) findings: Option<Arc<Findings>>,
    pub(super) granularity: Granularity,
    pub(super) decimals: u8,
    /// The lines of the selected function, where their tab is in front.
    pub(super) listing: Option<(Vec<Vec<String>>, Arc<Listed>)>,
    /// The list of findings is in front.
    pub(super) lists_findings: bool,
    /// Samples and frames of the view, for forms that hold whole captures.
    pub(super) filter: Filter,
    /// What the user wrote about it.
    pub(super) remarks: Remarks,
    /// What part of each capture is looked at.
    pub(super) parts: Vec<Part>,
}

/// What the flame graph is drawn from, and how.
pub(super) struct Flame {
    /// In the direction of the view.
    pub(super) comparison: Arc<Comparison>,
    pub(super) shape: FlameShape,
    pub(super) order: SiblingOrder,
    pub(super) color_by: Option<ColorBy>,
    /// How the nodes changed: of `comparison`, or of both halves of a sandwich.
    pub(super) changes: Changes,
}

/// How nodes changed, as far as that is known.
pub(super) enum Changes {
    Unknown,
    Whole(Arc<Diff>),
    Half(Arc<[NodeDiff; 2]>, usize),
}

impl Changes {
    fn nodes(&self) -> Option<&NodeDiff> {
        match self {
            Self::Unknown => None,
            Self::Whole(diff) => Some(&diff.nodes),
            Self::Half(halves, half) => halves.get(*half),
        }
    }
}

/// The endings of names that can be written, for dialogs; the first is proposed.
pub const ENDINGS: [&str; 8] = ["svg", "png", "html", "csv", "json", "md", "folded", "pb.gz"];

/// The bytes of the file at `path`, and what they are.
pub(super) fn bytes(path: &Path, request: &Request) -> Result<(Vec<u8>, &'static str), String> {
    let name = path.to_string_lossy().to_lowercase();
    let (comparison, decimals) = (&*request.comparison, request.decimals);
    let ending = ENDINGS.into_iter().find(|ending| name.ends_with(&format!(".{ending}")));
    let names = names_of_sides(request);
    let title = names.iter().map(|names| names.join(" + ")).collect::<Vec<_>>().join(" → ");
    let top = || {
        let spec =
            TopSpec { file: &title, by: request.granularity, order: TopOrder::SelfValue, limit: 0, decimals, filter: &request.filter };
        TopReport::new(comparison, &spec)
    };
    let findings = request.findings.as_deref();
    let input =
        DiffInput { captures: &request.captures, by: request.granularity, decimals, filter: &request.filter, remarks: &request.remarks };
    let diff = || DiffReport::new(comparison, findings?, input);
    let listing = || request.listing.as_ref().map(|(files, listed)| ListReport::new(comparison, files, std::slice::from_ref(&**listed)));
    let text = |text: String, what: &'static str| Ok((text.into_bytes(), what));
    match ending {
        Some("svg") => Ok((svg(request, title)?, "the flame graph")),
        Some("folded") => {
            let half = request.half.as_ref().map(|(half, _)| half.alone());
            text(stacks::folded(half.as_ref().unwrap_or(comparison), decimals), "stacks")
        }
        Some("csv") => match findings {
            Some(_) if request.lists_findings => {
                diff().map_or_else(|| Err("there is one side".to_owned()), |report| text(report.findings_csv(), "the findings"))
            }
            Some(findings) => text(DiffReport::csv(comparison, findings, decimals), "the table of functions"),
            None => text(top().csv(), "the table of functions"),
        },
        Some("md") => match (listing(), diff()) {
            (Some(lines), _) => text(lines.markdown(), "the lines of the function"),
            (None, Some(report)) => text(report.markdown(), "the findings"),
            (None, None) => text(request.remarks.markdown() + &top().markdown(), "the table of functions"),
        },
        Some("html") => {
            let diff = diff();
            let theme = PictureTheme::Light;
            let by = request.granularity;
            let is_by_size = request.flame.order == SiblingOrder::Size;
            let by_size = is_by_size.then(|| BySize::new(comparison.tree().into(), &self_sizes(comparison)));
            let review = Review {
                comparison,
                captures: &request.captures,
                diff: diff.as_ref(),
                changes: findings.map(|findings| &findings.diff.nodes),
                by_size: by_size.as_ref(),
                by,
                filter: &request.filter,
                remarks: &request.remarks,
                decimals,
                theme,
                command: None,
            };
            text(review.html(), "the page for a review")
        }
        Some("json") => {
            let tree = || report::json(&TreeReport::new(comparison, &names, (request.granularity, &request.filter), decimals));
            match (listing(), diff()) {
                (Some(lines), _) => text(report::json(&lines), "the lines of the function"),
                (None, Some(report)) => text(report::json(&report), "the comparison"),
                (None, None) => text(tree(), "the call tree"),
            }
        }
        Some("pb.gz") => {
            let chosen = |((name, profile), part): (&(String, Arc<Profile>), &Part)| -> Result<(String, Arc<Profile>), String> {
                let part = part_of(profile, part)?.map_or_else(|| Arc::clone(profile), Arc::new);
                Ok((name.clone(), if request.filter.is_empty() { part } else { Arc::new(filtered(&part, &request.filter)) }))
            };
            if names.iter().any(|names| names.len() > 1) {
                return Err("pprof files hold one capture a side; show one of each alone to write it".to_owned());
            }
            let chosen = request.captures.iter().zip(&request.parts).map(chosen).collect::<Result<Vec<_>, _>>()?;
            Ok((pprof_bytes(&chosen, &request.remarks)?, "the samples"))
        }
        _ => Err(format!("the name does not say what to write; end it in {}", ENDINGS.join(", "))),
    }
}

/// The flame graph that is in front, as wide and as coloured as there.
fn svg(request: &Request, title: String) -> Result<Vec<u8>, String> {
    let Flame { comparison, shape, order, color_by, changes } = &request.flame;
    let (half, widths, by_size);
    let is_by_size = *order == SiblingOrder::Size;
    let (flame, title) = if let Some((part, words)) = &request.half {
        half = part.alone();
        let moved = |values: &[u64]| part.moved(values, |sum, value| *sum = sum.saturating_add(*value));
        widths = moved(&self_widths(&request.comparison, *shape));
        by_size = is_by_size.then(|| BySize::new(half.tree().into(), &moved(&self_sizes(&request.comparison))));
        let flame = FlameSvg { comparison: &half, changes: changes.nodes(), widths: Some(&widths), by_size: by_size.as_ref() };
        (flame, format!("{title}: {words}"))
    } else {
        by_size = is_by_size.then(|| BySize::new(comparison.tree().into(), &self_sizes(comparison)));
        (FlameSvg { comparison, changes: changes.nodes(), widths: None, by_size: by_size.as_ref() }, title)
    };
    let title = format!("{title} ({})", flame.comparison.sample_type);
    let spec =
        SvgSpec { title, width: None, theme: PictureTheme::Light, shape: *shape, color_by: *color_by, filters: request.filter.options() };
    flame.draw(&spec).map(String::into_bytes).map_err(|error| error.to_string())
}

/// Names of the captures of each side.
fn names_of_sides(request: &Request) -> Vec<Vec<String>> {
    let name = |&row: &usize| request.captures.get(row).map(|(path, _)| base_name(path).to_owned());
    request.comparison.sides.iter().map(|side| side.rows.iter().filter_map(name).collect()).collect()
}

/// One capture as it is, or a comparison as pprof saves it; with the remarks.
fn pprof_bytes(captures: &[(String, Arc<Profile>)], remarks: &Remarks) -> Result<Vec<u8>, String> {
    let mut merged;
    let profile = match captures {
        [(_, before), (_, after)] => {
            merged = merge_pair(before, after);
            remarks.keep_in(&mut merged);
            &merged
        }
        [(_, only)] if Remarks::of([only]) == *remarks => only,
        [(_, only)] => {
            merged = Profile::clone(only);
            remarks.keep_in(&mut merged);
            &merged
        }
        _ => return Err("there is no capture".to_owned()),
    };
    Ok(pprof::write_gz(profile))
}
