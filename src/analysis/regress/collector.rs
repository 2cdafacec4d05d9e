//! What garbage collection as a whole cost on both sides. It is no finding where single runs leave open whether it changed, and a reader who looks for what
//! became slower must know of it all the same: it is often the price of allocations elsewhere. Start reading at [`Collected`].

use std::sync::Arc;

use super::attribute::{ratio_of, row_of};
use super::{Finding, Spec, whole};
use crate::analysis::Weights;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::diff::ground::{Counts, Sums};
use crate::analysis::diff::left::NodeSet;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::shape::Mix;
use crate::analysis::diff::{self, Base, Diff, ENDS, Interval, Measure, background};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::Doubt;
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
/// Captures a side from which on they say how much it varies.
const RUNS: usize = 3;
/// Its largest part is named where that has this much of it.
const MOST: f64 = 0.5;
/// Part of the error level that the one test of it may spend beside the search.
const LEVEL: f64 = 0.05;

/// All of garbage collection.
pub(super) struct Collected<'a> {
    comparison: &'a Comparison,
    base: &'a Base,
    pub(super) nodes: NodeSet,
    /// The function with most of it.
    main: PlaceId,
}

/// A change of it, or of a part.
struct Changed {
    sums: Sums,
    counts: Counts,
    doubt: Doubt,
    ratio: f64,
    delta_of_total: f64,
}

impl<'a> Collected<'a> {
    /// `None` where there is nothing, or where the search found what changed in it.
    pub(super) fn new(comparison: &'a Comparison, base: &'a Base, findings: &[Finding]) -> Option<Self> {
        // Threads of the collector that wait are no work of it.
        if matches!(comparison.sample_type.as_str(), "goroutine" | "threadcreate") {
            return None;
        }
        let (tree, places) = (comparison.tree(), comparison.places());
        let roots = background::collectors(tree, places);
        let ends = tree.subtree_ends();
        let nodes = NodeSet::new(roots.iter().map(|&row| row..ends[row] as usize));
        // What a finding says need not be said twice.
        if findings.iter().any(|row| row.verdict.is_change() && base.nodes_of(row.place).any(|row| nodes.contains(row))) {
            return None;
        }
        let exposure = comparison.exposure().max(f64::MIN_POSITIVE);
        // By the cost of both sides, which says nothing about their difference.
        let cost = |place: PlaceId| base.places[Measure::Total as usize][place.row()].pooled(exposure);
        let main = roots.iter().map(|&row| tree.places()[row]).max_by(|a, b| cost(*a).total_cmp(&cost(*b)).then(b.cmp(a)))?;
        Some(Self { comparison, base, nodes, main })
    }

    /// What it did as a whole, where that is much.
    pub(super) fn collector(&self, model: &Model) -> Option<Collector> {
        let (before, after) = self.comparison.pair()?;
        let Changed { sums, counts, doubt, ratio, delta_of_total } = self.changed(&self.nodes, model)?;
        let (lo, hi) = counts.interval(doubt, ENDS);
        let [before, after] = [sums.value[0] * self.comparison.factor(before), sums.value[1] * self.comparison.factor(after)];
        let change = Interval { ratio, lo: lo.min(ratio), hi: hi.max(ratio) };
        Some(Collector { before, after, change, delta_of_total })
    }

    /// The finding of its largest part, where repeats of both sides confirm that it changed.
    pub(super) fn finding(&self, model: &Model, diff: &Diff, spec: &Spec) -> Option<Finding> {
        if !model.has_runs() || model.noise.repeats < RUNS {
            return None;
        }
        let nodes = NodeSet::new(self.base.ranges(self.comparison, self.main, Measure::Total));
        let Changed { sums, counts, doubt, ratio, .. } = self.changed(&nodes, model)?;
        let exposure = model.scale.exposure;
        if sums.pooled(exposure) < MOST * self.base.captured_sums_of(self.comparison, &self.nodes).pooled(exposure) {
            return None;
        }
        let test = counts.test(doubt);
        let q = (test.p / LEVEL).min(1.0);
        if q > spec.level {
            return None;
        }
        let (lo, hi) = counts.interval(doubt, ENDS);
        Some(Finding {
            verdict: diff::verdict_of_sides(sums.value[0], sums.value[1], test.z),
            ratio_lo: lo.min(ratio),
            ratio_hi: hi.max(ratio),
            p: test.p,
            q,
            own_delta: sums.value[1] / exposure - sums.value[0],
            ..row_of(self.comparison, diff, Measure::Total, self.main)
        })
    }

    /// How nodes of it changed; `None` where that is little.
    fn changed(&self, nodes: &NodeSet, model: &Model) -> Option<Changed> {
        let (before, _) = self.comparison.pair()?;
        let sums: Sums = self.base.captured_sums_of(self.comparison, nodes);
        let exposure = model.scale.exposure;
        let ratio = ratio_of(&sums, &model.scale);
        let delta_of_total = (sums.value[1] / exposure - sums.value[0]) / before.denominator();
        let is_large = delta_of_total.abs() >= LARGE && ratio.is_finite() && ratio.ln().abs() >= FACTOR.ln();
        if !is_large {
            return None;
        }
        let counts = model.scale.counts(&sums)?;
        // The whole of it varies by less than its parts.
        let mut doubt = model.doubt(&sums, Mix { functions: 0.0, ..Mix::ONE }, None, 0.0);
        if let Some((variance, freedom)) = varies(self.comparison, nodes) {
            doubt.extra = (variance + model.work - counts.sampling_unchanged()).max(model.work);
            doubt.freedom = freedom;
        }
        Some(Changed { sums, counts, doubt, ratio, delta_of_total })
    }
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
