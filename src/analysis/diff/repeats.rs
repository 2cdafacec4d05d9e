//! How much groups vary between the captures of one side, held against what sampling and the pool of all functions let expect. Where one
//! capture stands on each side, its blocks of time take their place: they show bursts, and not how runs differ.
//!
//! A group that varies three times as much as modelled is tested with three times the variance, moderated towards the pool by as many
//! degrees of freedom as the functions are alike (empirical Bayes on the logarithms of the variances, as limma does for genes). What is modelled of a
//! group is made of what each of its functions varies by: one that comes in bursts does so on all paths, whether or not few captures of one path show
//! it. Start reading at [`Repeats::new`].

use super::background::variance;
use super::ground::{Scale, Sums};
use super::shape::{Scratch, Shapes};
use super::{Base, Measure};
use crate::analysis::call_tree::NodeId;
use crate::analysis::comparison::{Comparison, Normalization, Side};
use crate::analysis::events::Basis;
use crate::analysis::place::PlaceId;
use crate::analysis::stats::below;
use crate::analysis::stats::bulk::{Cell, Spread, biweight, weighted_median};
use crate::analysis::top::by_place;
use crate::base::ticket::Checked as _;

/// Groups with fewer events a capture (or block of time) are not used to learn how alike the functions are.
const LEARNED: f64 = 10.0;
const LEARNED_SLICE: f64 = 3.0;
/// Groups whose repeats vary more than this part of all do lean less on the pool.
const ALIKE: f64 = 0.1;
/// Fewer degrees of freedom than this (two captures a side have 2) are not enough to go by.
const MIN_FREEDOM: f64 = 3.0;
/// Nor are fewer functions than this.
const MIN_FUNCTIONS: usize = 5;
/// What is known of a runtime's background work counts as this many degrees of freedom.
const BACKGROUND_FREEDOM: f64 = 4.0;
/// What is known of a kind of profile counts as this many degrees of freedom where there are too few functions to learn from.
const FEW_FREEDOM: f64 = 2.0;
/// Records that vary by more than this part of what single events would are taken for such.
const PLAINLY: f64 = 0.5;
/// No record is more than a million events.
const LEAST: f64 = 1e-6;
/// What is counted completely is not known to vary by less than this part of what things that come and go one by one do: few repeats that are
/// equal are no proof that it never varies.
const LEAST_COUNTED: f64 = 0.05;
/// At most as alike as this many degrees of freedom.
const MOST_ALIKE: f64 = 200.0;

/// What the repeats of both sides say.
#[derive(Clone, Debug)]
pub(crate) struct Repeats {
    /// Degrees of freedom of a group's own variance.
    freedom: f64,
    /// Degrees of freedom that the pool adds.
    prior: f64,
    /// Variance per capture of ln(cost) of a single function beyond sampling.
    function: f64,
    /// 1/R before + 1/R after, and more where captures are of different lengths: what a side's sum varies by, of what a capture does.
    pub(crate) averaged: f64,
    /// How much of what captures differ by the deviations from their mean show, beside equally long ones: those of the long ones lie near to it.
    even: [f64; 2],
    /// True for blocks of time of single captures.
    pub(crate) is_slices: bool,
    /// Blocks that make up a side, over the number of them: below 1 where they overlap.
    apart: [f64; 2],
    /// Work of each capture beside its side's mean.
    work: [Vec<f64>; 2],
    /// Per place: self and total of each capture of both sides.
    places: [Vec<Varied>; 2],
    /// Per place, from runs: how much its own cost varies.
    functions: Vec<Function>,
    /// Cost of an event on each side.
    cost: [f64; 2],
    /// Variance of ln(after / before) of where the bulk of the functions lies beside where half of the cost lies: what functions that vary
    /// together make of the ratio of work, which no function tells by itself.
    pub(crate) wander: f64,
    /// Variance of ln(after / before) of what all functions have in common: what a known amount of work costs more or less in another run. Captures of a
    /// side are taken to have done as much work each, or as much per second, whichever varies less.
    pub(crate) common: f64,
}

/// How much a function's own cost varies from capture to capture beyond sampling.
#[derive(Clone, Copy, Debug)]
struct Function {
    /// Variance of its logarithm.
    variance: f64,
    /// Degrees of freedom with which that is known.
    freedom: f64,
}

/// How much what the functions of a group vary by, each for itself, leaves in their sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inside {
    /// Variance of the logarithm of the group's cost in one capture.
    variance: f64,
    /// Sum of the squares of its parts, each over its degrees of freedom.
    doubts: f64,
}

/// What is known of a group beside its repeats.
pub(crate) struct Prior {
    /// Variance of the logarithm of its cost in one capture beyond sampling.
    variance: f64,
    /// Degrees of freedom behind it; `None` where it is the pool's.
    freedom: Option<f64>,
    /// Of its variance what its functions leave.
    functions: f64,
    /// It is mostly a runtime's background work.
    is_background: bool,
}

/// What the repeats of a group say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeated {
    /// By how much its variance is larger than modelled.
    pub(crate) factor: f64,
    /// Degrees of freedom with which that is known.
    pub(crate) freedom: f64,
    /// Modelled: variance of the logarithm of its cost in one capture that its functions leave.
    pub(crate) functions: f64,
}

impl Repeated {
    fn new((factor, freedom): (f64, f64), known: &Prior) -> Self {
        Self { factor, freedom, functions: known.functions }
    }
}

/// Mean and sum of squared deviations of a group over the captures of a side, for both sides, in values per unit of work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Varied {
    mean: [f64; 2],
    squares: [f64; 2],
}

impl Repeats {
    /// `None` with so few captures (or, for blocks of time, functions) that the captures of one side say less than the two sides do about each
    /// other. `run_noise` is the coefficient of variation from run to run of such profiles, for captures with few functions.
    pub(crate) fn new(comparison: &Comparison, selfs: &[Sums], scale: &Scale, run_noise: f64) -> Option<Self> {
        let freedom: f64 = comparison.sides.iter().map(|side| side.repeats().1 - 1.0).sum();
        if freedom < MIN_FREEDOM {
            return None;
        }
        let (tree, places) = (comparison.tree(), comparison.places());
        let columns: Vec<Vec<(Vec<i64>, Vec<i64>)>> =
            comparison.sides.iter().map(|side| side.repeats().0.iter().map(|weights| by_place(tree, places, weights)).collect()).collect();
        let work: Vec<Vec<f64>> = comparison.sides.iter().zip(&columns).map(|(side, columns)| works(side, columns, comparison)).collect();
        let [before, after] = <[Vec<f64>; 2]>::try_from(work).ok()?;
        let blocks = [0, 1].map(|side| comparison.sides.get(side).map_or(1.0, |side| side.repeats().1));
        let lengths = [&before, &after].map(|work| work.iter().map(|work| work * work).sum::<f64>() / work.len().max(1) as f64);
        let averaged = lengths.iter().zip(blocks).map(|(lengths, blocks)| lengths / blocks).sum();
        let mut made = Self {
            freedom,
            prior: MOST_ALIKE,
            function: 0.0,
            averaged,
            is_slices: comparison.sides.iter().all(|side| side.slices.is_some()),
            apart: [0, 1].map(|side| {
                let repeats = comparison.sides.get(side).map(Side::repeats);
                repeats.map_or(1.0, |(windows, blocks)| blocks / windows.len().max(1) as f64)
            }),
            even: [0, 1].map(|side| ((blocks[side] - lengths[side]) / (blocks[side] - 1.0).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)),
            work: [before, after],
            places: [Vec::new(), Vec::new()],
            functions: Vec::new(),
            cost: [0.0; 2],
            wander: 0.0,
            common: 0.0,
        };
        let value = |total: bool, side: usize, capture: usize, row: usize| {
            let (self_, whole) = &columns[side][capture];
            let column = if total { whole } else { self_ };
            column.get(row).copied().unwrap_or(0) as f64
        };
        made.places = [false, true]
            .map(|total| (0..places.len()).checked().map(|row| made.varied(|side, capture| value(total, side, capture, row))).collect());
        let mut whole = Sums::default();
        for sums in selfs.iter().checked() {
            whole.add(sums);
        }
        made.cost = costs(&whole);
        if !made.learn(selfs, scale) {
            if made.is_slices {
                return None;
            }
            // Too few functions to learn from each other: what is known of such profiles counts for a little, the repeats for the rest.
            (made.function, made.prior) = (run_noise * run_noise, FEW_FREEDOM);
        }
        if !made.is_slices {
            made.common(comparison);
            made.wander(&columns);
            made.functions = (0..places.len()).checked().map(|row| made.function_of(row)).collect();
        }
        Some(made)
    }

    /// How much a place's own cost varies beyond sampling, from its repeats and the pool.
    fn function_of(&self, place: usize) -> Function {
        let Varied { mean, .. } = self.places[0].get(place).copied().unwrap_or_default();
        let (factor, freedom) = self.factor_of_self(place);
        let sampling = mean[0] * self.cost[0] + mean[1] * self.cost[1];
        let squares = mean[0] * mean[0] + mean[1] * mean[1];
        let beyond = if squares > 0.0 { (factor - 1.0) * sampling / squares } else { 0.0 };
        Function { variance: (factor * self.function + beyond).max(0.0), freedom }
    }

    /// Adds a function with the square of its part of a group.
    fn add_function(&self, inside: &mut Inside, place: usize, square: f64) {
        if let Some(function) = self.functions.get(place) {
            let variance = square * function.variance;
            inside.variance += variance;
            inside.doubts += variance * variance / function.freedom;
        }
    }

    /// Sum over both sides of squared deviations of one number per capture from their side's mean, as the variance of after − before; longer captures
    /// count for more.
    fn spread(&self, numbers: [Vec<f64>; 2]) -> f64 {
        let squares = |(numbers, work): (Vec<f64>, &Vec<f64>)| {
            let mean = numbers.iter().zip(work).map(|(number, work)| work * number).sum::<f64>() / numbers.len().max(1) as f64;
            numbers.iter().zip(work).map(|(number, work)| work * (number - mean).powi(2)).sum::<f64>()
        };
        numbers.into_iter().zip(&self.work).map(squares).sum::<f64>() / self.freedom * self.averaged
    }

    fn common(&mut self, comparison: &Comparison) {
        let logs = self.work.each_ref().map(|work| work.iter().map(|work| work.ln()).collect::<Vec<f64>>());
        let seconds = [0, 1].map(|side| comparison.sides.get(side).map(seconds).unwrap_or_default());
        let known = (0..2).all(|side| seconds[side].len() == logs[side].len() && seconds[side].iter().all(|seconds| *seconds > 0.0));
        let rates = [0, 1].map(|side| logs[side].iter().zip(&seconds[side]).map(|(log, seconds)| log - seconds.ln()).collect());
        let alike = self.spread(logs);
        self.common = if known { alike.min(self.spread(rates)) } else { alike };
    }

    fn wander(&mut self, columns: &[Vec<(Vec<i64>, Vec<i64>)>]) {
        let beside = |side: usize| -> Vec<f64> {
            let captures = columns.get(side).map(Vec::as_slice).unwrap_or_default();
            let of = |(capture, work): (usize, &f64)| {
                let cells = (1..self.places[0].len()).filter_map(|row| {
                    let mean = self.places[0][row].mean[side];
                    let events = mean * work / self.cost[side];
                    let value = captures.get(capture).and_then(|column| column.0.get(row)).copied().unwrap_or(0) as f64;
                    let variance = 1.0 / events + self.function;
                    (events >= LEARNED).then(|| Cell { effect: (f64::max(value, self.cost[side] / 2.0) / mean / work).ln(), variance })
                });
                biweight(&cells.collect::<Vec<Cell>>(), 0.0).map_or(0.0, |(centre, _)| centre)
            };
            self.work[side].iter().enumerate().map(of).collect()
        };
        let numbers = [beside(0), beside(1)];
        self.wander = self.spread(numbers);
    }

    fn varied(&self, value: impl Fn(usize, usize) -> f64) -> Varied {
        let mut made = Varied::default();
        for side in 0..2 {
            let values: Vec<f64> = self.work[side].iter().enumerate().map(|(capture, work)| value(side, capture) / work).collect();
            // A capture of a tenth of the length says a tenth as much: by sampling its value per work varies ten times as much.
            let weighted = |number: fn(f64, f64) -> f64, mean: f64| -> f64 {
                values.iter().zip(&self.work[side]).map(|(value, work)| work * number(*value, mean)).sum()
            };
            let mean = weighted(|value, _| value, 0.0) / values.len().max(1) as f64;
            made.mean[side] = mean;
            made.squares[side] = weighted(|value, mean| (value - mean).powi(2), mean) * self.apart[side];
        }
        made
    }

    /// Squared deviations over those expected with `function` as the variance of a capture's logarithm and this cost of an event.
    fn factor(&self, varied: &Varied, cost: [f64; 2], function: f64) -> f64 {
        let part = |side: usize| {
            let expected = varied.mean[side] * cost[side] + varied.mean[side].powi(2) * function * self.even[side];
            if expected > 0.0 { varied.squares[side] / expected } else { 0.0 }
        };
        (part(0) + part(1)) / self.freedom
    }

    /// The variance of single functions (half of them vary less than it says), and how alike they are; false where there are too few to learn from.
    fn learn(&mut self, selfs: &[Sums], scale: &Scale) -> bool {
        let rows: Vec<(Varied, [f64; 2])> = selfs
            .iter()
            .zip(&self.places[0])
            .skip(1)
            .filter(|(sums, _)| scale.counts(sums).is_some_and(|counts| counts.both() >= self.learned() * self.captures()))
            .map(|(sums, varied)| (*varied, costs(sums)))
            .collect();
        if rows.len() < MIN_FUNCTIONS {
            return false;
        }
        let factors = |function: f64| -> Vec<f64> {
            let mut made: Vec<f64> = rows.iter().checked().map(|(varied, cost)| self.factor(varied, *cost, function)).collect();
            made.sort_by(f64::total_cmp);
            made
        };
        let middle = |sorted: &[f64]| sorted.get(sorted.len() / 2).copied().unwrap_or(1.0);
        // Median of a chi-square over its degrees of freedom (Wilson and Hilferty).
        let wanted = (1.0 - 2.0 / (9.0 * self.freedom)).powi(3);
        let (mut low, mut high) = (0.0, 0.0);
        if middle(&factors(0.0)) > wanted {
            high = 1e-6;
            while high < 4.0 && middle(&factors(high)) > wanted {
                (low, high) = (high, high * 2.0);
            }
            for _ in 0..20 {
                let between = f64::midpoint(low, high);
                if middle(&factors(between)) > wanted { low = between } else { high = between }
            }
        }
        let logs: Vec<f64> = factors(high).into_iter().filter(|factor| *factor > 0.0).map(f64::ln).collect();
        self.function = high;
        // From the quartiles: the few that come in bursts do not make the others less alike.
        let quartile = |part: f64| logs.get((logs.len() as f64 * part) as usize).copied().unwrap_or(0.0);
        let spread = ((quartile(0.75) - quartile(0.25)) / 1.349).powi(2);
        self.prior = trigamma_inverse(spread - trigamma(self.freedom / 2.0)).map_or(MOST_ALIKE, |half| (2.0 * half).clamp(1.0, MOST_ALIKE));
        true
    }

    /// Captures of both sides, or blocks of time side by side.
    fn captures(&self) -> f64 {
        self.work.iter().zip(self.apart).map(|(work, apart)| work.len() as f64 * apart).sum()
    }

    fn learned(&self) -> f64 {
        if self.is_slices { LEARNED_SLICE } else { LEARNED }
    }

    /// Variance of ln(after / before) of a group by bursts: what its blocks of time vary by more than those of others, of which sampling and
    /// what functions vary by inside a run explain `factor` = 1.
    pub(crate) fn bursts(&self, factor: f64, sampling: f64, functions: f64) -> f64 {
        (factor - 1.0).max(0.0) * (sampling + self.function * self.averaged * functions)
    }

    /// Variance of ln(after / before) of single functions' means.
    pub(crate) fn function_spread(&self) -> Spread {
        Spread { variance: self.function * self.averaged, freedom: self.freedom + self.prior }
    }

    /// What is known of a group of which `background` is a runtime's background work that varies by `noise` from run to run, and that is made up like
    /// `functions` says; `inside` is what its functions vary by, where that is known of each.
    pub(super) fn known(&self, functions: f64, inside: Option<Inside>, background: f64, noise: f64) -> Prior {
        let calm = (1.0 - background).powi(2);
        // Inside a run the whole of it is there; how it comes in bursts is what slices are for.
        let runtime = if self.is_slices { 0.0 } else { variance(noise, background, functions) };
        let own = inside.map_or(self.function * functions, |inside| inside.variance);
        let freedom = inside.filter(|inside| inside.doubts > 0.0).map(|inside| inside.variance * inside.variance / inside.doubts);
        Prior { variance: own * calm + runtime, functions: own * calm, freedom, is_background: background > 0.5 && !self.is_slices }
    }

    /// How much more (or less) a place's own cost varies than modelled, moderated, and the degrees of freedom.
    pub(crate) fn factor_of_self(&self, place: usize) -> (f64, f64) {
        self.moderated(self.places[0].get(place).copied().unwrap_or_default(), None, &self.known(1.0, None, 0.0, 0.0))
    }

    /// The same for a place's self (0) or total (1).
    pub(crate) fn factor_of(&self, measure: usize, place: usize, sums: &Sums, known: &Prior) -> Repeated {
        let varied = self.places[measure].get(place).copied().unwrap_or_default();
        Repeated::new(self.moderated(varied, Some(costs(sums)), known), known)
    }

    /// The same for any group, from its values by side and capture.
    pub(crate) fn factor_of_values(&self, value: impl Fn(usize, usize) -> f64, sums: &Sums, known: &Prior) -> Repeated {
        Repeated::new(self.moderated(self.varied(value), Some(costs(sums)), known), known)
    }

    /// Degrees of freedom that what is known of a group adds to those of its repeats. What its functions vary by is taken from the same captures: of a
    /// group that is mostly one of them it adds nothing, and what sampling makes of it is known (Satterthwaite 1946).
    fn prior_of(&self, varied: &Varied, cost: [f64; 2], known: &Prior) -> f64 {
        let Some(freedom) = known.freedom else { return self.prior };
        let Varied { mean, .. } = varied;
        let sampling = mean[0] * cost[0] + mean[1] * cost[1];
        let beyond = (mean[0] * mean[0] + mean[1] * mean[1]) * known.variance;
        let all = if beyond > 0.0 { freedom * ((sampling + beyond) / beyond).powi(2) } else { f64::INFINITY };
        (all - self.freedom).clamp(0.0, self.prior)
    }

    fn moderated(&self, varied: Varied, cost: Option<[f64; 2]>, known: &Prior) -> (f64, f64) {
        let own = self.factor(&varied, cost.unwrap_or(self.cost), known.variance);
        let prior = if known.is_background {
            // Not one of the pool: what is known of runtimes counts for a little.
            BACKGROUND_FREEDOM
        } else {
            // What varies more than the others can (chi-square by Wilson and Hilferty) is not one of them, and only its own repeats speak.
            let width = 2.0 / (9.0 * self.freedom);
            let alike = 1.0 - below((own.cbrt() - 1.0 + width) / width.sqrt());
            self.prior_of(&varied, cost.unwrap_or(self.cost), known) * (alike / ALIKE).min(1.0)
        };
        ((prior + own * self.freedom) / (prior + self.freedom), prior + self.freedom)
    }
}

impl Base {
    /// What the functions of a group vary by from run to run. A function's self is held against the others, not against itself.
    pub(super) fn inside(
        &self,
        comparison: &Comparison,
        repeats: &Repeats,
        (place, measure, node): (PlaceId, Measure, Option<NodeId>),
        (shapes, scratch): (&Shapes, &mut Scratch),
    ) -> Option<Inside> {
        if repeats.is_slices || (measure, node) == (Measure::Self_, None) {
            return None;
        }
        let mut inside = Inside::default();
        let mut add = |place: usize, square: f64| repeats.add_function(&mut inside, place, square);
        match (node, measure) {
            (Some(_), Measure::Self_) => add(place.row(), 1.0),
            (Some(node), Measure::Total) => {
                shapes.squares(std::iter::once(node.row()..comparison.tree().subtree_end(node)), scratch, add);
            }
            (None, _) => shapes.squares(self.ranges(comparison, place, measure), scratch, add),
        }
        Some(inside)
    }
}

/// By how much the squared costs of events are too large where nothing says how many events stand behind a record: a line of folded time off the
/// processor is one record, however often it happened, and its repeats vary by far less than one event would. From the nodes with cost of their own, of
/// which half vary by less than that; `None` without repeats, with few such nodes, and where they vary as much as single events do. Of a complete count
/// nothing was sampled, so repeats alone say how much of what things that come and go one by one vary by (Poisson) its parts do: a pool of goroutines
/// not at all, requests in flight as much.
pub(super) fn too_large(comparison: &Comparison, basis: Basis, nodes: &[Sums]) -> Option<f64> {
    let least = match basis {
        Basis::Unknown => LEAST,
        Basis::Census => LEAST_COUNTED,
        _ => return None,
    };
    let sides = comparison.sides.iter().filter(|side| side.slices.is_none() && side.captures.len() > 1);
    let sides: Vec<(usize, &Side)> = sides.enumerate().collect();
    let freedom: f64 = sides.iter().map(|(_, side)| side.captures.len() as f64 - 1.0).sum();
    if sides.len() < 2 || freedom < MIN_FREEDOM {
        return None;
    }
    let factor = |(row, sums): (usize, &Sums)| -> Option<f64> {
        // Most nodes have no cost of their own.
        let node = NodeId::from_row(row).filter(|_| !sums.is_nothing())?;
        let (mut squares, mut expected) = (0.0, 0.0);
        for (at, side) in &sides {
            let values = || side.captures.iter().map(|weights| weights.self_of(node) as f64);
            let count = side.captures.len() as f64;
            let mean = values().sum::<f64>() / count;
            squares += values().map(|value| (value - mean).powi(2)).sum::<f64>();
            expected += sums.squares[*at] / count * (count - 1.0);
        }
        (expected > 0.0).then(|| squares / expected)
    };
    let mut factors: Vec<f64> = nodes.iter().enumerate().checked().filter_map(factor).collect();
    if factors.len() < MIN_FUNCTIONS {
        return None;
    }
    factors.sort_by(f64::total_cmp);
    let middle = factors.get(factors.len() / 2).copied().unwrap_or(1.0) / (1.0 - 2.0 / (9.0 * freedom)).powi(3);
    (middle < PLAINLY).then(|| middle.max(least))
}

/// Length of each capture of a side, 0 where it is not known.
fn seconds(side: &Side) -> Vec<f64> {
    side.measured.iter().map(|measured| measured.duration_nanos.unwrap_or(0) as f64 / 1e9).collect()
}

/// Cost of an event on each side.
fn costs(sums: &Sums) -> [f64; 2] {
    let both = (sums.squares[0] + sums.squares[1]) / f64::max(sums.value[0] + sums.value[1], f64::MIN_POSITIVE);
    [0, 1].map(|side| if sums.value[side] > 0.0 { sums.squares[side] / sums.value[side] } else { both })
}

/// Work of each capture beside its side's mean: the middle of what its functions cost beside theirs; with few functions what the normalisation says.
fn works(side: &Side, columns: &[(Vec<i64>, Vec<i64>)], comparison: &Comparison) -> Vec<f64> {
    let seconds = seconds(side);
    let count = columns.len() as f64;
    let cost = side.evidence.squares.iter().sum::<f64>() / f64::max(side.weights.total() as f64, 1.0);
    let mut made: Vec<f64> = columns
        .iter()
        .enumerate()
        .map(|(capture, (selfs, _))| {
            let cells: Vec<Cell> = selfs
                .iter()
                .enumerate()
                .skip(1)
                .checked()
                .filter_map(|(row, &value)| {
                    let mean = columns.iter().map(|(selfs, _)| selfs.get(row).copied().unwrap_or(0) as f64).sum::<f64>() / count;
                    let events = mean / cost;
                    (events >= LEARNED).then(|| Cell { effect: (f64::max(value as f64, cost / 2.0) / mean).ln(), variance: 1.0 / events })
                })
                .collect();
            if cells.len() < MIN_FUNCTIONS {
                match (&side.slices, comparison.effective_normalization()) {
                    (None, Normalization::PerSecond) => return seconds.get(capture).copied().unwrap_or(1.0),
                    (None, Normalization::PerRequest(_) | Normalization::Absolute) => return 1.0,
                    // A block of time is as much of the run as was measured in it.
                    (Some(_), _) | (None, Normalization::Share | Normalization::PerCpuSecond) => {}
                }
                let whole = |selfs: &[i64]| selfs.iter().map(|&value| value as f64).sum::<f64>();
                let mean = columns.iter().map(|(selfs, _)| whole(selfs)).sum::<f64>() / count;
                return whole(selfs) / mean;
            }
            weighted_median(&cells).exp()
        })
        .collect();
    let mean = made.iter().sum::<f64>() / count;
    for work in &mut made {
        *work = if *work > 0.0 && mean > 0.0 { *work / mean } else { 1.0 };
    }
    made
}

/// Second derivative of the logarithm of the gamma function.
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 8.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let over = 1.0 / (x * x);
    sum + 1.0 / x + over / 2.0 + over / x * (1.0 / 6.0 - over * (1.0 / 30.0 - over / 42.0))
}

/// Where [`trigamma`] has a value above 0; `None` where the value is not.
fn trigamma_inverse(value: f64) -> Option<f64> {
    if value.is_nan() || value <= 1e-3 {
        return None;
    }
    let (mut low, mut high) = (1e-3, 2e3);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if trigamma(middle) > value { low = middle } else { high = middle }
    }
    Some(high)
}
