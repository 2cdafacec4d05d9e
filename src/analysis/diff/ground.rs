//! The sums that every test of a group of nodes needs, and the test itself.
//!
//! A group is any set of nodes: one node, a place's self, a place's total. Its sums add up; its test follows from the sums alone.
//! Deliberately absent: what unchanged code varies by (see [`noise`](super::noise)). Start reading at [`Ground`], then [`Counts`].

use rayon::prelude::*;

use super::Spec;
use crate::analysis::call_tree::CallTree;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::events::Basis;
use crate::analysis::place::Places;
use crate::analysis::stats::{Doubt, Test, doubtful_interval, doubtful_test, evidence_at_most, quick_ln_p, quick_z};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Here};

/// Nodes that one thread looks at before it asks whether to go on.
pub(crate) const NODES_AT_ONCE: usize = 1 << 12;
/// Sums that differ by less than this part of themselves are equal: those of swapped sides differ in their last digits.
pub(crate) const ROUNDING: f64 = 1e-9;

/// Sums over a group of nodes, in raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Values of before and after.
    pub(crate) value: [f64; 2],
    /// Squared costs of the events.
    pub(crate) squares: [f64; 2],
    /// Raw events.
    pub(crate) events: [f64; 2],
    /// Absolute values of before and after that are background work of a runtime.
    pub(crate) background: [f64; 2],
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        for side in 0..2 {
            self.value[side] += other.value[side];
            self.squares[side] += other.squares[side];
            self.events[side] += other.events[side];
            self.background[side] += other.background[side];
        }
    }

    /// True where adding the sums changes nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        [self.value, self.squares, self.events, self.background].iter().flatten().all(|&sum| sum == 0.0)
    }

    /// The sums with another part in the place of one; unchanged to the last digit where both are equal.
    pub(crate) fn replace(&mut self, old: &Self, new: &Self) {
        for side in 0..2 {
            self.value[side] += new.value[side] - old.value[side];
            self.squares[side] += new.squares[side] - old.squares[side];
            self.events[side] += new.events[side] - old.events[side];
            self.background[side] += new.background[side] - old.background[side];
        }
    }

    /// True where no sum is smaller than a part of what it was, unless that was 0.
    pub(crate) fn is_part_of(&self, whole: &Self, part: f64) -> bool {
        let is_part = |new: [f64; 2], old: [f64; 2]| (0..2).all(|side| new[side].abs() >= part * old[side].abs());
        is_part(self.value, whole.value)
            && is_part(self.squares, whole.squares)
            && is_part(self.events, whole.events)
            && is_part(self.background, whole.background)
    }

    /// What is left to explain where after costs `multiplier` times what it cost before: sums of unchanged cost that lie as far from what is
    /// expected of them, with as much variance, as these from what the multiplier lets expect. (Dividing would count the events of what grew as
    /// evidence about what it grew from.) Nothing is left of what is new or gone.
    pub(crate) fn explained(&self, multiplier: f64, scale: &Scale) -> Self {
        let g = scale.event_cost;
        let (before, after) = (self.value[0], self.value[1] * g);
        let both = before + after;
        if !(multiplier > 0.0 && multiplier.is_finite() && before >= 0.0 && after >= 0.0 && both > 0.0) {
            return Self::default();
        }
        let part = |odds: f64| odds / (1.0 + odds);
        let (unchanged, changed) = (part(scale.exposure * g), part(scale.exposure * g * multiplier));
        let left = changed * (1.0 - changed) / (unchanged * (1.0 - unchanged));
        let surplus = after - both * changed;
        let cost = (self.squares[0] + self.squares[1] * g * g) / both;
        let whole = both * left;
        let value = [whole * (1.0 - unchanged) - surplus, (whole * unchanged + surplus) / g];
        let background = self.background_part(scale.exposure);
        Self {
            value,
            squares: [cost * whole * (1.0 - unchanged), cost * whole * unchanged / (g * g)],
            events: self.events.map(|events| events * left),
            background: value.map(|value| value.abs() * background),
        }
    }

    /// Cost of both sides in units of before.
    pub(crate) fn pooled(&self, exposure: f64) -> f64 {
        self.value[0].abs() + self.value[1].abs() / exposure
    }

    /// Part of the pooled cost that is background work of a runtime, 0 to 1: by the same ratio of work on both sides, so that swapped sides
    /// have the same part.
    pub(crate) fn background_part(&self, exposure: f64) -> f64 {
        let pooled = self.pooled(exposure);
        if pooled > 0.0 { ((self.background[0] + self.background[1] / exposure) / pooled).min(1.0) } else { 0.0 }
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

    /// True where there are enough events to test; swapped sides, whose sums differ in their last digits, have as many.
    pub(crate) fn are_enough(self, spec: &Spec) -> bool {
        self.both() >= spec.min_events * (1.0 - ROUNDING)
    }

    /// Variance of ln(after / before) by sampling.
    pub(crate) fn sampling(self) -> f64 {
        1.0 / (self.before + 0.5) + 1.0 / (self.after + 0.5)
    }

    /// The same where the code is unchanged: both counts at what their sum says.
    pub(crate) fn sampling_unchanged(self) -> f64 {
        let before = (self.both() + 1.0) / (1.0 + self.exposure);
        1.0 / before + 1.0 / (before * self.exposure)
    }

    /// ln(after / before) beyond the exposure, drawn to 0 by half an event on each side.
    pub(crate) fn effect(self) -> f64 {
        ((self.after + 0.5) / (self.before + 0.5)).ln() - self.exposure.ln()
    }

    /// The test against no change.
    pub(crate) fn test(self, doubt: Doubt) -> Test {
        doubtful_test(self.before, self.after, self.exposure, doubt)
    }

    /// z in the form for ordering very many groups.
    pub(crate) fn quick_z(self, extra: f64) -> f64 {
        quick_z(self.before, self.after, self.exposure, extra)
    }

    /// Logarithm of its p value, for drawing.
    pub(crate) fn quick_ln_p(self, extra: f64) -> f64 {
        quick_ln_p(self.before, self.after, self.exposure, extra)
    }

    /// More than the square of [`Counts::quick_z`] without noise beyond sampling, in few steps.
    pub(crate) fn evidence_at_most(self) -> f64 {
        evidence_at_most(self.before, self.after, self.exposure)
    }

    /// The interval of the ratio between two quantiles of a normal: `[-1.96, 1.96]` for 95 %.
    pub(crate) fn interval(self, doubt: Doubt, ends: [f64; 2]) -> (f64, f64) {
        doubtful_interval(self.before, self.after, self.exposure, doubt, ends)
    }
}

impl Scale {
    /// Effective counts of a group: Kish's pooled cost per event gives both sides' numbers. `None` for groups without a positive value.
    pub(crate) fn counts(&self, sums: &Sums) -> Option<Counts> {
        let g = self.event_cost;
        let value = sums.value[0] + sums.value[1] * g;
        let squares = sums.squares[0] + sums.squares[1] * g * g;
        // What is left of an explained change may lie below 0 by chance, but not by more than its events.
        let slack = value.abs() * 1e-9 + squares.max(0.0).sqrt() * 4.0;
        if !(sums.value[0] >= -slack && sums.value[1] * g >= -slack && value > 0.0 && squares > 0.0) {
            return None;
        }
        let [before, after] = sums.value.map(|value| value.max(0.0));
        let per_event = squares / value;
        Some(Counts { before: before / per_event, after: after * g / per_event, exposure: self.exposure * g })
    }
}

/// Sums of every node's self, of two sides.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// One entry per node, self.
    pub(crate) nodes: Unfinished<Vec<Sums>>,
    /// Where the numbers of events come from.
    pub(crate) basis: Basis,
    /// Cost of one event before over its cost after.
    pub(crate) event_cost: f64,
}

impl Ground {
    /// Reads the sums off a comparison of two sides; `background` says which nodes are a runtime's background work.
    pub(crate) fn new(comparison: &Comparison, before: &Side, after: &Side, background: &[bool]) -> Self {
        let sides = [before, after];
        let at = |column: &[f64], row: usize| column.get(row).copied().unwrap_or(0.0);
        let here = Here::new();
        let nodes = (0..comparison.tree().len())
            .into_par_iter()
            .with_min_len(NODES_AT_ONCE)
            .map(|row| {
                if row.is_multiple_of(NODES_AT_ONCE) {
                    here.checkpoint();
                }
                let value = sides.map(|side| side.weights.selfs().get(row).copied().unwrap_or(0) as f64);
                let squares = sides.map(|side| at(&side.evidence.squares, row));
                let events = sides.map(|side| at(&side.evidence.events, row));
                let is_background = background.get(row).copied().unwrap_or(false);
                Sums { value, squares, events, background: if is_background { value.map(f64::abs) } else { [0.0; 2] } }
            })
            .collect();
        Self { nodes: Unfinished::new(nodes), basis: before.evidence.basis, event_cost: event_cost(before, after) }
    }
}

/// Sums of the same cost by node, by subtree and by place.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    /// Of every node's self.
    nodes: &'a [Sums],
    /// Of every node's total.
    totals: &'a [Sums],
    /// Of every place's self and total.
    pub(crate) places: &'a [Vec<Sums>; 2],
    /// What some nodes have instead.
    instead: Option<&'a Instead>,
}

/// Sums that some nodes have in the place of others.
#[derive(Default)]
pub(crate) struct Instead {
    /// By row: 1 + the place in `sums`, 0 = the node has none.
    pub(crate) at: Unfinished<Vec<u32>>,
    /// Self and total.
    pub(crate) sums: Unfinished<Vec<[Sums; 2]>>,
}

impl Instead {
    /// Self and total of a node that has others.
    pub(crate) fn of(&self, row: usize) -> Option<&[Sums; 2]> {
        self.sums.get((*self.at.get(row)? as usize).checked_sub(1)?)
    }
}

impl<'a> Tables<'a> {
    pub(crate) const fn new(nodes: &'a [Sums], totals: &'a [Sums], places: &'a [Vec<Sums>; 2]) -> Self {
        Self { nodes, totals, places, instead: None }
    }

    /// The same where some nodes and the places have other sums.
    pub(crate) const fn with(self, instead: &'a Instead, places: &'a [Vec<Sums>; 2]) -> Self {
        Self { instead: Some(instead), places, ..self }
    }

    /// Number of nodes.
    pub(crate) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node's self.
    pub(crate) fn own(&self, row: usize) -> &'a Sums {
        self.instead.and_then(|instead| instead.of(row)).map_or(&self.nodes[row], |[own, _]| own)
    }

    /// A node's total.
    pub(crate) fn total(&self, row: usize) -> &'a Sums {
        self.instead.and_then(|instead| instead.of(row)).map_or(&self.totals[row], |[_, total]| total)
    }

    /// The total of the root.
    pub(crate) fn all(&self) -> Option<&'a Sums> {
        (self.len() > 0).then(|| self.total(0))
    }
}

/// Sums of every node's total. `done` gets each node's row and total once that is whole, callees before their callers.
pub(crate) fn totals(nodes: &[Sums], tree: &CallTree, mut done: impl FnMut(usize, &Sums)) -> Unfinished<Vec<Sums>> {
    let mut totals = Unfinished::copy(nodes);
    for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
        let (above, below) = totals.split_at_mut(row);
        let Some(total) = below.first() else { continue };
        // Parents stand before their children: an invariant of the tree.
        if let Some(parent) = parent.and_then(|parent| above.get_mut(parent.row())) {
            parent.add(total);
        }
        done(row, total);
    }
    totals
}

/// Sums of nodes, added up.
pub(crate) struct Added {
    /// Of every node's total.
    pub(crate) totals: Unfinished<Vec<Sums>>,
    /// Of every place's self and total.
    pub(crate) places: [Vec<Sums>; 2],
    /// Cost of both sides without its sign.
    pub(crate) absolute: [f64; 2],
}

impl Added {
    /// In one pass, since these tables are larger than what a processor keeps near.
    pub(crate) fn new(nodes: &[Sums], tree: &CallTree, places: &Places, outermost: &[bool]) -> Self {
        let mut of_places = [vec![Sums::default(); places.len()], vec![Sums::default(); places.len()]];
        let mut absolute = [0.0; 2];
        let totals = totals(nodes, tree, |row, total| {
            let (own, place) = (&nodes[row], tree.places()[row].row());
            // Many nodes have no cost of their own, and places are all over the memory.
            let has_own = !own.is_nothing();
            if has_own {
                absolute.iter_mut().zip(own.value).for_each(|(sum, value)| *sum += value.abs());
            }
            // The root is no function.
            if row > 0 && has_own {
                of_places[0][place].add(own);
            }
            if row > 0 && outermost[row] {
                of_places[1][place].add(total);
            }
        });
        Self { totals, places: of_places, absolute }
    }
}

/// Sampling at 100 Hz on one side and 200 Hz on the other doubles the cost of an event. Where costs differ by site (heap, contention), the
/// average of a side follows what the program does and says nothing about the sampling. Heap profiles say how often they sampled: objects smaller than
/// that distance cost as much an event as it is long, and of larger ones, which cost the same on both sides, the counts are understated.
fn event_cost(before: &Side, after: &Side) -> f64 {
    if [before, after].iter().all(|side| side.evidence.basis == Basis::HeapObjects && side.evidence.heap_rate > 1.0) {
        return before.evidence.heap_rate / after.evidence.heap_rate;
    }
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
