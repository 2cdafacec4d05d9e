//! What garbage collection as a whole cost on both sides. It is no finding where single runs leave open whether it changed, and a reader who looks for what
//! became slower must know of it all the same: it is often the price of allocations elsewhere. Start reading at [`collector`].

use std::sync::Arc;

use super::{Finding, whole};
use crate::analysis::Weights;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::diff::ground::Sums;
use crate::analysis::diff::left::NodeSet;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::shape::Mix;
use crate::analysis::diff::{Base, ENDS, Interval, background};
use crate::base::ticket::Checked as _;

/// What garbage collection cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collector {
    /// Normalised value before.
    pub before: f64,
    /// Normalised value after.
    pub after: f64,
    /// After / before per unit of unchanged work, with its 95 % interval: what it varies by from run to run is in it.
    pub change: Interval,
    /// `after` − `before` per unit of unchanged work, as a part of the total before.
    pub delta_of_total: f64,
}

/// Changes below this part of the total, or by less than this factor, are not worth a sentence.
const LARGE: f64 = 0.01;
const FACTOR: f64 = 1.25;

/// Garbage collection, where it changed by much and is none of the findings.
pub(super) fn collector(comparison: &Comparison, base: &Base, model: &Model, findings: &[Finding]) -> Option<Collector> {
    let (before, after) = comparison.pair()?;
    let (tree, places) = (comparison.tree(), comparison.places());
    let roots = background::collectors(tree, places);
    if roots.is_empty() {
        return None;
    }
    let ends = tree.subtree_ends();
    let nodes = NodeSet::new(roots.iter().map(|&row| row..ends[row] as usize));
    // What a finding says need not be said twice.
    if findings.iter().any(|row| row.verdict.is_change() && base.nodes_of(row.place).any(|row| nodes.contains(row))) {
        return None;
    }
    let sums: Sums = base.captured_sums_of(comparison, &nodes);
    let exposure = model.scale.exposure;
    let ratio = sums.value[1] / sums.value[0] / exposure;
    let total: f64 = before.denominator();
    let delta_of_total = (sums.value[1] / exposure - sums.value[0]) / total;
    let is_large = delta_of_total.abs() >= LARGE && ratio.is_finite() && ratio.ln().abs() >= FACTOR.ln();
    if !is_large {
        return None;
    }
    let counts = model.scale.counts(&sums)?;
    // The whole of it varies by less than its parts.
    let mut doubt = model.doubt(&sums, Mix { functions: 0.0, ..Mix::ONE }, None, 0.0);
    if let Some((variance, freedom)) = varies(comparison, &nodes) {
        doubt.extra = (variance + model.work - counts.sampling_unchanged()).max(model.work);
        doubt.freedom = freedom;
    }
    let (lo, hi) = counts.interval(doubt, ENDS);
    let [before, after] = [sums.value[0] * comparison.factor(before), sums.value[1] * comparison.factor(after)];
    let change = Interval { ratio, lo: lo.min(ratio), hi: hi.max(ratio) };
    Some(Collector { before, after, change, delta_of_total })
}

/// Variance of ln(after / before) by what the captures of both sides differ in, and its degrees of freedom; `None` without repeats on both.
fn varies(comparison: &Comparison, nodes: &NodeSet) -> Option<(f64, f64)> {
    let of_side = |side: &Side| -> Option<Vec<f64>> {
        let cost = |(at, weights): (usize, &Arc<Weights>)| {
            let sum: i64 = nodes.rows().checked().filter_map(|row| weights.selfs().get(row)).sum();
            let cost = sum as f64 * comparison.factor_of_capture(side, at);
            (cost > 0.0).then(|| cost.ln())
        };
        side.captures.iter().enumerate().map(cost).collect()
    };
    whole::difference(&comparison.sides.iter().map(of_side).collect::<Option<Vec<_>>>()?)
}
