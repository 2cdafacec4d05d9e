//! The sums that every test of a group of nodes needs, and the test itself.
//!
//! A group is any set of nodes: one node, a place's self, a place's total. Its sums add up; its test follows from the sums alone.

use crate::analysis::call_tree::CallTree;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::events::Basis;
use crate::analysis::place::Places;
use crate::analysis::stats::{Test, quick_ratio_test, ratio_interval, ratio_test, sampling_part};

/// Sums over a group of nodes, in raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Values of before and after.
    pub(crate) value: [f64; 2],
    /// Squared costs of the events.
    pub(crate) squares: [f64; 2],
    /// Raw events.
    pub(crate) events: [f64; 2],
    /// Part of the pooled cost that is background work of a runtime.
    pub(crate) background: f64,
    /// Sum over nodes of their squared pooled cost: how far node-wise noise averages out.
    pub(crate) concentration: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        for side in 0..2 {
            self.value[side] += other.value[side];
            self.squares[side] += other.squares[side];
            self.events[side] += other.events[side];
        }
        self.background += other.background;
        self.concentration += other.concentration;
    }

    /// Takes a part away. Values are whole numbers and stay exact below 2^53; the rest must not fall below 0 by rounding.
    pub(crate) fn subtract(&mut self, part: &Self) {
        for side in 0..2 {
            self.value[side] -= part.value[side];
            self.squares[side] = (self.squares[side] - part.squares[side]).max(0.0);
            self.events[side] = (self.events[side] - part.events[side]).max(0.0);
        }
        self.background = (self.background - part.background).max(0.0);
        self.concentration = (self.concentration - part.concentration).max(0.0);
    }
}

/// How the two sides relate, for all groups alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Value after over value before of unchanged code.
    pub(crate) exposure: f64,
    /// Cost of one event before over its cost after: 2 where before sampled half as often.
    pub(crate) event_cost: f64,
}

/// Effective counts of a group, and the ratio of counts that unchanged code has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) before: f64,
    pub(crate) after: f64,
    pub(crate) exposure: f64,
}

impl Counts {
    pub(crate) fn both(self) -> f64 {
        self.before + self.after
    }

    /// The counts that are left when ln(ratio) varies by `extra` beyond sampling.
    fn shrunk(self, extra: f64) -> Self {
        let part = sampling_part(self.before, self.after, extra);
        Self { before: self.before * part, after: self.after * part, ..self }
    }

    /// The test against no change.
    pub(crate) fn test(self, extra: f64) -> Test {
        let counts = self.shrunk(extra);
        ratio_test(counts.before, counts.after, counts.exposure)
    }

    /// The test in the form for drawing.
    pub(super) fn quick_test(self, extra: f64) -> Test {
        let counts = self.shrunk(extra);
        quick_ratio_test(counts.before, counts.after, counts.exposure)
    }

    /// The interval of the ratio.
    pub(crate) fn interval(self, extra: f64, level: f64) -> (f64, f64) {
        let counts = self.shrunk(extra);
        ratio_interval(counts.before, counts.after, counts.exposure, level)
    }
}

impl Scale {
    /// Effective counts of a group: Kish's pooled cost per event gives both sides' numbers. `None` for groups without a positive value.
    pub(crate) fn counts(&self, sums: &Sums) -> Option<Counts> {
        let [before, after] = sums.value;
        let g = self.event_cost;
        let value = before + after * g;
        let squares = sums.squares[0] + sums.squares[1] * g * g;
        if !(before >= 0.0 && after >= 0.0 && value > 0.0 && squares > 0.0) {
            return None;
        }
        let per_event = squares / value;
        Some(Counts { before: before / per_event, after: after * g / per_event, exposure: self.exposure * g })
    }
}

/// Sums of every node's self, of two sides.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// One entry per node, self.
    pub(crate) nodes: Vec<Sums>,
    /// Where the numbers of events come from.
    pub(crate) basis: Basis,
    /// Cost of one event before over its cost after.
    pub(crate) event_cost: f64,
}

impl Ground {
    /// Reads the sums off a comparison of two sides; `background` says which nodes are a runtime's background work.
    pub(crate) fn new(comparison: &Comparison, before: &Side, after: &Side, background: &[bool]) -> Self {
        let exposure = comparison.exposure();
        let sides = [before, after];
        let at = |column: &[f64], row: usize| column.get(row).copied().unwrap_or(0.0);
        let nodes = (0..comparison.tree().len())
            .map(|row| {
                let value = sides.map(|side| side.weights.selfs().get(row).copied().unwrap_or(0) as f64);
                let squares = sides.map(|side| at(&side.evidence.squares, row));
                let events = sides.map(|side| at(&side.evidence.events, row));
                let pooled = value[0].abs() + value[1].abs() / exposure.max(f64::MIN_POSITIVE);
                let is_background = background.get(row).copied().unwrap_or(false);
                Sums { value, squares, events, background: if is_background { pooled } else { 0.0 }, concentration: pooled * pooled }
            })
            .collect();
        Self { nodes, basis: before.evidence.basis, event_cost: event_cost(before, after) }
    }

    /// Sums of every node's total.
    pub(crate) fn totals(&self, tree: &CallTree) -> Vec<Sums> {
        let mut totals = self.nodes.clone();
        for (row, parent) in tree.parents().iter().enumerate().rev() {
            let Some(parent) = parent else { continue };
            let (above, below) = totals.split_at_mut(row);
            // Parents stand before their children: an invariant of the tree.
            if let (Some(parent), Some(child)) = (above.get_mut(parent.row()), below.first()) {
                parent.add(child);
            }
        }
        totals
    }

    /// Sums of every place's self and total, one entry per place.
    pub(crate) fn by_place(&self, tree: &CallTree, places: &Places, totals: &[Sums], outermost: &[bool]) -> [Vec<Sums>; 2] {
        let mut made = [vec![Sums::default(); places.len()], vec![Sums::default(); places.len()]];
        for (row, place) in tree.places().iter().enumerate().skip(1) {
            made[0][place.row()].add(&self.nodes[row]);
            if outermost[row] {
                made[1][place.row()].add(&totals[row]);
            }
        }
        made
    }
}

/// Sampling at 100 Hz on one side and 200 Hz on the other doubles the cost of an event. Where costs differ by site (heap, contention), the
/// average of a side follows what the program does and says nothing about the sampling.
fn event_cost(before: &Side, after: &Side) -> f64 {
    let sampled = |basis| matches!(basis, Basis::Samples | Basis::Period | Basis::Records);
    if !(sampled(before.evidence.basis) && sampled(after.evidence.basis)) {
        return 1.0;
    }
    let mean = |side: &Side| {
        let values: f64 = side.weights.selfs().iter().map(|&value| value as f64).sum();
        side.evidence.squares.iter().sum::<f64>() / values
    };
    let ratio = mean(before) / mean(after);
    if ratio.is_finite() && ratio > 0.0 { ratio } else { 1.0 }
}
