//! One finding of a comparison, or one function that is none, as it is written.

use serde::Serialize;

use crate::analysis::Comparison;
use crate::analysis::PlaceId;
use crate::analysis::diff::Verdict;
use crate::analysis::regress::{Answer, Finding, runs_needed};
use crate::report::number::Number;

/// What it would take to tell.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NeedsReport {
    /// Times as many samples; null where no number is enough.
    pub(super) samples: Option<f64>,
    /// Runs a side.
    pub(super) runs: Option<usize>,
}

/// One finding, or one function that is none.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FindingReport {
    pub(super) rank: Option<usize>,
    #[serde(serialize_with = "verdict_name")]
    pub(super) verdict: Verdict,
    pub(super) state: &'static str,
    pub(super) func: String,
    pub(super) measure: &'static str,
    pub(super) path: Option<Vec<String>>,
    /// Several paths whose numbers these are; `path` is null then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<Vec<String>>,
    pub(super) before: f64,
    pub(super) after: f64,
    /// Normalised after − before.
    #[serde(rename = "change")]
    pub(super) delta: f64,
    /// After − before per unit of unchanged work, as a part of the total before.
    #[serde(rename = "delta")]
    pub(super) delta_of_total: f64,
    pub(super) raw: [Number; 2],
    pub(super) ratio: f64,
    pub(super) ratio_lo: f64,
    pub(super) ratio_hi: f64,
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) events: [f64; 2],
    pub(super) explains: f64,
    pub(super) explains_of: &'static str,
    pub(super) minimum_detectable: f64,
    pub(super) needs: Option<NeedsReport>,
    pub(super) explained_by: Option<usize>,
    /// The name after, of a renamed function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<String>,
    /// The names before, of a function that was matched under another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old: Option<Vec<String>>,
    /// Events on the side where a renamed function, a wrapper and the like are not.
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) strays: f64,
    /// The rule by which it was matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) matched_by: Option<&'static str>,
    /// The program's own function that most of the change of other code was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asked_by: Option<String>,
    /// What it is grouped by, and where the change comes from; empty where it is no finding.
    pub(super) cause: &'static str,
    pub(super) because: String,
    pub(super) why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn verdict_name<S: serde::Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.name())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_nothing(value: &f64) -> bool {
    *value == 0.0
}

/// From which growth on a row that hides it cannot be told, and the captures a side that there are.
pub(super) struct Needs {
    pub(super) growth: f64,
    pub(super) repeats: usize,
}

pub(super) fn finding_report(comparison: &Comparison, row: &Finding, decimals: u8, needs: &Needs) -> FindingReport {
    let state = row.answer(needs.growth);
    let name = |place: &PlaceId| comparison.places().name(*place).to_owned();
    let matched = comparison.shape.matching.of(row.place);
    FindingReport {
        rank: (row.rank > 0).then_some(row.rank),
        verdict: row.verdict,
        state: state.name(),
        func: row.func.clone(),
        measure: row.measure.name(),
        path: row.path.as_ref().map(|path| path.iter().map(name).collect()),
        paths: row.paths.iter().map(|path| path.iter().map(name).collect()).collect(),
        before: row.before,
        after: row.after,
        delta: row.delta,
        delta_of_total: row.delta_of_total,
        raw: row.raw.map(|value| Number::new(value as i64, decimals)),
        ratio: row.ratio,
        ratio_lo: row.ratio_lo,
        ratio_hi: row.ratio_hi,
        p: row.p,
        q: row.q,
        events: row.events,
        explains: row.explains,
        explains_of: row.explains_of.name(),
        minimum_detectable: row.minimum_detectable,
        needs: (state == Answer::CannotTell).then(|| NeedsReport {
            samples: Some(row.needed.samples.max(1.0)).filter(|times| times.is_finite()),
            runs: runs_needed(row.needed, needs.repeats),
        }),
        explained_by: row.explained_by,
        new: row.new.clone(),
        strays: row.strays,
        old: matched.map(|row| row.before.clone()),
        matched_by: matched.map(|row| row.rule.name()),
        asked_by: row.asked_by.clone(),
        cause: if row.rank > 0 { row.cause.name() } else { "" },
        because: row.because.clone(),
        why: row.why.clone(),
    }
}

/// Paths that are written out where a finding lies on several.
const PATHS_SHOWN: usize = 2;

impl FindingReport {
    /// The path of a finding that is not about all of them, or its paths.
    pub(super) fn path_text(&self) -> Option<String> {
        if let Some(path) = self.path.as_deref().filter(|path| path.len() > 1) {
            return Some(path_text(path));
        }
        let shown: Vec<String> = self.paths.iter().take(PATHS_SHOWN).map(|path| path_text(path)).collect();
        let more = if self.paths.len() > PATHS_SHOWN { ", …" } else { "" };
        (!shown.is_empty()).then(|| format!("{} paths: {}{more}", self.paths.len(), shown.join(", ")))
    }
}

/// A path for a table: of a long one where it begins and its last callers.
fn path_text(path: &[String]) -> String {
    const LONG: usize = 160;
    const LAST: usize = 3;
    let whole = path.join(" → ");
    match path {
        [first, .., _, _, _] if whole.chars().count() >= LONG => format!("{first} → … → {}", path[path.len() - LAST..].join(" → ")),
        _ => whole,
    }
}
