//! How much unchanged code varies beyond sampling: from the captures themselves, from repeats, and from what is known of runtimes.

use super::ground::{Ground, Scale, Sums};
use super::{Interval, Spec};
use crate::analysis::call_tree::CallTree;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::place::Places;
use crate::analysis::stats::{Cell, biweight, dispersion, repeat_variance};
use crate::analysis::top::by_place;

/// Roots of work that a runtime does when it likes: garbage collection, sweeping, the scheduler looking for work. Prefixes of decoded
/// Go names; measured on unchanged services, these vary by half of themselves from run to run.
const BACKGROUND: [&str; 14] = [
    "runtime.gcBgMarkWorker",
    "runtime.bgsweep",
    "runtime.bgscavenge",
    "runtime.gcStart",
    "runtime.gcMarkDone",
    "runtime.gcMarkTermination",
    "runtime.mcall",
    "runtime.schedule",
    "runtime.findRunnable",
    "runtime.findrunnable",
    "runtime.sysmon",
    "runtime.mstart",
    "runtime.runFinalizers",
    "runtime._GC",
];

/// Prior knowledge counts as this many functions.
const PRIOR_CELLS: f64 = 4.0;
/// Shared noise of whole subtrees and of the amount of work, as a part of the prior variation of a single function.
const SHARED_PART: f64 = 0.4;
/// Noise of single functions averages out in a subtree down to this part of its variance.
const FLOOR: f64 = 0.1;
/// A subtree of at least this part of the whole can serve as the control group for whole subtrees.
const SUBTREE_SHARE: f64 = 0.02;
/// Fewer subtrees than this say nothing about their spread.
const MIN_SUBTREES: usize = 6;
/// Functions with at least this many effective events on both sides can serve as the control group.
const CELL_EVENTS: f64 = 10.0;

/// Noise beyond sampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Coefficient of variation of ln(after / before) of single functions.
    pub function: f64,
    /// The same for whole subtrees: what does not average out over the functions inside, such as a different mix of requests.
    pub shared: f64,
    /// The same for everything together, which two captures cannot show.
    pub run: f64,
    /// The same for background work of a runtime.
    pub background: f64,
    /// Number of functions that served as the control group.
    pub cells: usize,
    /// Captures of the side with fewer: from 2 on, repeats say how much each place varies.
    pub repeats: usize,
}

/// For each node: is it below the root of a runtime's background work?
pub(crate) fn background_nodes(tree: &CallTree, places: &Places) -> Vec<bool> {
    let marked: Vec<bool> = places.iter_ids().map(|(_, place)| BACKGROUND.iter().any(|root| place.name.starts_with(root))).collect();
    let mut nodes: Vec<bool> = Vec::with_capacity(tree.len());
    for (place, parent) in tree.places().iter().zip(tree.parents()) {
        let above = parent.is_some_and(|parent| nodes[parent.row()]);
        nodes.push(above || marked[place.row()]);
    }
    nodes
}

/// The functions whose own cost is well known on both sides.
pub(crate) fn cells(selfs: &[Sums], scale: &Scale, spec: &Spec) -> Vec<Cell> {
    selfs.iter().skip(1).filter(|sums| share_of_background(sums, scale.exposure) < 0.5).filter_map(|sums| cell(sums, scale, spec)).collect()
}

fn cell(sums: &Sums, scale: &Scale, spec: &Spec) -> Option<Cell> {
    let counts = scale.counts(sums).filter(|counts| counts.before.min(counts.after) >= CELL_EVENTS.max(spec.min_events))?;
    Some(Cell {
        effect: ((counts.after + 0.5) / (counts.before + 0.5)).ln() - counts.exposure.ln(),
        variance: 1.0 / (counts.before + 0.5) + 1.0 / (counts.after + 0.5),
    })
}

/// Disjoint large subtrees: the nodes with a fair part of the whole below which no node has one.
fn subtrees(comparison: &Comparison, totals: &[Sums], scale: &Scale, spec: &Spec) -> Vec<Cell> {
    let tree = comparison.tree();
    let pooled = |sums: &Sums| sums.value[0].abs() + sums.value[1].abs() / scale.exposure;
    let least = totals.first().map_or(0.0, pooled) * SUBTREE_SHARE;
    let large: Vec<Option<Cell>> =
        totals.iter().map(|sums| Some(sums).filter(|sums| pooled(sums) >= least).and_then(|sums| cell(sums, scale, spec))).collect();
    let mut has_large_child = vec![false; tree.len()];
    for (parent, large) in tree.parents().iter().zip(&large) {
        if let (Some(parent), true) = (parent, large.is_some()) {
            has_large_child[parent.row()] = true;
        }
    }
    let background = |sums: &Sums| share_of_background(sums, scale.exposure) >= 0.5;
    let rows = large.into_iter().zip(has_large_child).zip(totals).skip(1);
    rows.filter(|((_, above), sums)| !above && !background(sums)).filter_map(|((cell, _), _)| cell).collect()
}

/// Work after / work before, as the bulk of the functions says.
pub(crate) fn unchanged(cells: &[Cell], noise: &Noise, exposure: f64) -> Option<Interval> {
    if cells.len() < 5 {
        return None;
    }
    let (centre, variance) = biweight(cells, noise.function * noise.function)?;
    let half = 1.96 * variance.sqrt();
    Some(Interval { ratio: exposure * centre.exp(), lo: exposure * (centre - half).exp(), hi: exposure * (centre + half).exp() })
}

fn share_of_background(sums: &Sums, exposure: f64) -> f64 {
    let pooled = sums.value[0].abs() + sums.value[1].abs() / exposure;
    if pooled > 0.0 { (sums.background / pooled).min(1.0) } else { 0.0 }
}

impl Noise {
    pub(crate) fn estimate(comparison: &Comparison, ground: &Ground, totals: &[Sums], cells: &[Cell], scale: &Scale, spec: &Spec) -> Self {
        let in_use = comparison.sample_type.starts_with("inuse");
        let prior = spec.run_noise.unwrap_or_else(|| ground.basis.run_noise(in_use));
        let function = dispersion(cells, prior * prior, PRIOR_CELLS).sqrt();
        let repeats = comparison.sides.iter().map(|side| side.captures.len()).min().unwrap_or(0);
        let run = SHARED_PART * prior;
        let subtrees = subtrees(comparison, totals, scale, spec);
        // Among few subtrees the changed ones are the bulk as easily as not.
        let shared = if subtrees.len() >= MIN_SUBTREES { dispersion(&subtrees, run * run, PRIOR_CELLS).sqrt() } else { run };
        Self { function, shared, run, background: spec.background_noise, cells: cells.len(), repeats }
    }

    /// Variance beyond sampling of a group whose functions vary by themselves and together.
    fn model(&self, sums: &Sums, concentration: f64, together: f64, exposure: f64) -> f64 {
        let background = share_of_background(sums, exposure);
        let own = self.function * (1.0 - background);
        own * own * concentration.max(FLOOR) + (self.background * background).powi(2) + together * together
    }

    /// Variance of ln(ratio) beyond sampling, for each place's self and total.
    pub(crate) fn by_place(&self, comparison: &Comparison, sums: &[Vec<Sums>; 2], scale: &Scale) -> [Vec<f64>; 2] {
        let repeated = (self.repeats >= 2).then(|| repeat_variances(comparison));
        [0, 1].map(|measure| {
            let model = |sums: &Sums| {
                let pooled = sums.value[0].abs() + sums.value[1].abs() / scale.exposure;
                // A function's own cost is one unit, however many paths lead to it.
                let concentration = if measure == 0 || pooled <= 0.0 { 1.0 } else { (sums.concentration / (pooled * pooled)).min(1.0) };
                // What subtrees share is part of what functions were seen to vary by.
                let together = if measure == 0 { self.run } else { self.shared };
                self.model(sums, concentration, together, scale.exposure)
            };
            let rows = sums[measure].iter().enumerate();
            rows.map(|(row, sums)| {
                let prior = model(sums);
                let seen = repeated.as_ref().and_then(|seen| seen[measure].get(row).copied().flatten());
                let Some((variance, freedom)) = seen else { return prior };
                let sampling = scale.counts(sums).map_or(0.0, |counts| 1.0 / (counts.before + 0.5) + 1.0 / (counts.after + 0.5));
                let excess = (variance - sampling).max(0.0);
                // The mean of several captures varies less than one; a row is never taken as calmer than its own repeats show.
                let prior = prior / self.repeats as f64;
                excess.max((prior * PRIOR_CELLS + excess * freedom) / (PRIOR_CELLS + freedom))
            })
            .collect()
        })
    }
}

/// A variance of ln(ratio), and the degrees of freedom behind it.
type Repeated = Vec<Option<(f64, f64)>>;

/// Variance of the mean of ln(value) over a side's captures, both sides added, for each place's self and total.
fn repeat_variances(comparison: &Comparison) -> [Repeated; 2] {
    let (tree, places) = (comparison.tree(), comparison.places());
    let sides: Vec<Vec<(Vec<i64>, Vec<i64>)>> =
        comparison.sides.iter().map(|side: &Side| side.captures.iter().map(|weights| by_place(tree, places, weights)).collect()).collect();
    let variance = |row: usize, total: bool| -> Option<(f64, f64)> {
        let mut sum = (0.0, 0.0);
        for captures in &sides {
            let column = |capture: &(Vec<i64>, Vec<i64>)| if total { capture.1.get(row).copied() } else { capture.0.get(row).copied() };
            let values: Vec<f64> = captures.iter().filter_map(column).map(|value| value as f64).collect();
            sum.0 += repeat_variance(&values)?;
            sum.1 += values.len() as f64 - 1.0;
        }
        Some(sum)
    };
    [false, true].map(|total| (0..places.len()).map(|row| variance(row, total)).collect())
}
