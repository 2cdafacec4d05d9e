//! The view as a file: the ending of its name says how.
//!
//! Deliberately absent: pictures, which only the window's code can draw.

use std::path::Path;
use std::sync::Arc;

use crate::analysis::diff::{Diff, NodeDiff};
use crate::analysis::flame::{FlameShape, self_widths};
use crate::analysis::regress::Findings;
use crate::analysis::sandwich::Half;
use crate::analysis::{Comparison, Filter, Granularity, Part};
use crate::format::pprof;
use crate::model::{Profile, base_name};
use crate::report::color::ColorBy;
use crate::report::diff::{DiffInput, DiffReport};
use crate::report::merged::merge_pair;
use crate::report::part::{filtered, part_of};
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
    /// Samples and frames of the view, for forms that hold whole captures.
    pub(super) filter: Filter,
    /// What part of each capture is looked at.
    pub(super) parts: Vec<Part>,
}

/// What the flame graph is drawn from, and how.
pub(super) struct Flame {
    /// In the direction of the view.
    pub(super) comparison: Arc<Comparison>,
    pub(super) shape: FlameShape,
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

/// The bytes of the file at `path`.
pub(super) fn bytes(path: &Path, request: &Request) -> Result<Vec<u8>, String> {
    let name = path.to_string_lossy().to_lowercase();
    let (comparison, decimals) = (&*request.comparison, request.decimals);
    let ending = ENDINGS.into_iter().find(|ending| name.ends_with(&format!(".{ending}")));
    let names = names_of_sides(request);
    let title = names.iter().map(|names| names.join(" + ")).collect::<Vec<_>>().join(" → ");
    let top = || {
        let spec = TopSpec { file: &title, by: request.granularity, order: TopOrder::SelfValue, limit: 0, decimals };
        TopReport::new(comparison, &spec)
    };
    let findings = request.findings.as_deref();
    let input = DiffInput { captures: &request.captures, by: request.granularity, decimals, filter: &request.filter };
    let diff = || DiffReport::new(comparison, findings?, input);
    match ending {
        Some("svg") => svg(request, title),
        Some("folded") => {
            let half = request.half.as_ref().map(|(half, _)| half.alone());
            Ok(stacks::folded(half.as_ref().unwrap_or(comparison), decimals).into_bytes())
        }
        Some("csv") => {
            let pair = findings.map(|findings| DiffReport::csv(comparison, findings, decimals));
            Ok(pair.unwrap_or_else(|| top().csv()).into_bytes())
        }
        Some("md") => Ok(diff().map_or_else(|| top().markdown(), |report| report.markdown()).into_bytes()),
        Some("html") => {
            let diff = diff();
            let theme = PictureTheme::Light;
            let by = request.granularity;
            let review = Review {
                comparison,
                captures: &request.captures,
                diff: diff.as_ref(),
                changes: findings.map(|findings| &findings.diff.nodes),
                by,
                decimals,
                theme,
                command: None,
            };
            Ok(review.html().into_bytes())
        }
        Some("json") => {
            let tree = || report::json(&TreeReport::new(comparison, &names, request.granularity, decimals));
            Ok(diff().map_or_else(tree, |report| report::json(&report)).into_bytes())
        }
        Some("pb.gz") => {
            let chosen = |((name, profile), part): (&(String, Arc<Profile>), &Part)| -> Result<(String, Arc<Profile>), String> {
                let part = part_of(profile, part)?.map_or_else(|| Arc::clone(profile), Arc::new);
                Ok((name.clone(), if request.filter.is_empty() { part } else { Arc::new(filtered(&part, &request.filter)) }))
            };
            if names.iter().any(|names| names.len() > 1) {
                return Err("pprof files hold one capture a side; show one of each alone to write it".to_owned());
            }
            pprof_bytes(&request.captures.iter().zip(&request.parts).map(chosen).collect::<Result<Vec<_>, _>>()?)
        }
        _ => Err(format!("the name does not say what to write; end it in {}", ENDINGS.join(", "))),
    }
}

/// The flame graph that is in front, as wide and as coloured as there.
fn svg(request: &Request, title: String) -> Result<Vec<u8>, String> {
    let Flame { comparison, shape, color_by, changes } = &request.flame;
    let (half, widths);
    let (flame, title) = match &request.half {
        Some((part, words)) => {
            half = part.alone();
            widths = part.moved(&self_widths(&request.comparison, *shape), |sum, width| *sum = sum.saturating_add(*width));
            (FlameSvg { comparison: &half, changes: changes.nodes(), widths: Some(&widths) }, format!("{title}: {words}"))
        }
        None => (FlameSvg { comparison, changes: changes.nodes(), widths: None }, title),
    };
    let title = format!("{title} ({})", flame.comparison.sample_type);
    let spec = SvgSpec { title, width: None, theme: PictureTheme::Light, shape: *shape, color_by: *color_by };
    flame.draw(&spec).map(String::into_bytes).map_err(|error| error.to_string())
}

/// Names of the captures of each side.
fn names_of_sides(request: &Request) -> Vec<Vec<String>> {
    let name = |&row: &usize| request.captures.get(row).map(|(path, _)| base_name(path).to_owned());
    request.comparison.sides.iter().map(|side| side.rows.iter().filter_map(name).collect()).collect()
}

/// One capture as it is, or a comparison as pprof saves it.
fn pprof_bytes(captures: &[(String, Arc<Profile>)]) -> Result<Vec<u8>, String> {
    match captures {
        [(_, before), (_, after)] => Ok(pprof::write_gz(&merge_pair(before, after))),
        [(_, only)] => Ok(pprof::write_gz(only)),
        _ => Err("there is no capture".to_owned()),
    }
}
