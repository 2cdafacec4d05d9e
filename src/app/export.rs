//! The view as a file: the ending of its name says how.
//!
//! Deliberately absent: pictures, which only the window's code can draw.

use std::path::Path;
use std::sync::Arc;

use crate::analysis::{Comparison, Granularity};
use crate::format::pprof;
use crate::model::Profile;
use crate::report::merged::merge_pair;
use crate::report::{self, PictureTheme, SvgSpec, TopOrder, TopReport, TopSpec, TreeReport, stacks};

/// What is exported.
pub(super) struct Request {
    pub(super) comparison: Arc<Comparison>,
    pub(super) profiles: Vec<Arc<Profile>>,
    /// Names of the captures, before first.
    pub(super) names: Vec<String>,
    pub(super) granularity: Granularity,
}

/// The endings that [`bytes`] knows, for dialogs.
pub const ENDINGS: [&str; 7] = ["svg", "png", "csv", "json", "md", "folded", "pb.gz"];

/// The bytes of the file at `path`.
pub(super) fn bytes(path: &Path, request: &Request) -> Result<Vec<u8>, String> {
    let name = path.to_string_lossy().to_lowercase();
    let comparison = &*request.comparison;
    let kind = request.profiles.last().and_then(|profile| profile.sample_types.iter().find(|kind| kind.name == comparison.sample_type));
    let decimals = kind.map_or(0, |kind| kind.decimals);
    let title = request.names.join(" → ");
    let top = || {
        let spec = TopSpec { file: &title, by: request.granularity, order: TopOrder::SelfValue, limit: 0, decimals };
        TopReport::new(comparison, &spec)
    };
    match name {
        name if name.ends_with(".svg") => {
            let spec =
                SvgSpec { title: format!("{title} ({})", comparison.sample_type), width: None, theme: PictureTheme::Light, decimals };
            stacks::svg(comparison, &spec).map(String::into_bytes).map_err(|error| error.to_string())
        }
        name if name.ends_with(".folded") || name.ends_with(".collapsed") => Ok(stacks::folded(comparison, decimals).into_bytes()),
        name if name.ends_with(".csv") => Ok(top().csv().into_bytes()),
        name if name.ends_with(".md") => Ok(top().markdown().into_bytes()),
        name if name.ends_with(".json") => {
            let files: Vec<Vec<String>> = request.names.iter().map(|name| vec![name.clone()]).collect();
            Ok(report::json(&TreeReport::new(comparison, &files, request.granularity, decimals)).into_bytes())
        }
        name if name.ends_with(".pb.gz") || name.ends_with(".pprof") => match request.profiles.as_slice() {
            [before, after] => Ok(pprof::write_gz(&merge_pair(before, after))),
            [only] => Ok(pprof::write_gz(only)),
            _ => Err("there is no capture".to_owned()),
        },
        _ => Err(format!("the name does not say what to write; end it in {}", ENDINGS.join(", "))),
    }
}
