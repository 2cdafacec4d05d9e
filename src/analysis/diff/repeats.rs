//! How much groups vary between the captures of one side, held against what sampling and the pool of all functions let expect. Where one
//! capture stands on each side, its blocks of time take their place: they show bursts, and not how runs differ.
//!
//! A group that varies three times as much as modelled is tested with three times the variance, moderated towards the pool by as many
//! degrees of freedom as the functions are alike (empirical Bayes on the logarithms of the variances, as limma does for genes). Start reading
//! at [`Repeats::new`].

use super::ground::{Scale, Sums};
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::stats::{Cell, Spread, below, weighted_median};
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
    /// 1/R before + 1/R after.
    averaged: f64,
    /// True for blocks of time of single captures.
    pub(crate) is_slices: bool,
    /// Blocks that make up a side, over the number of them: below 1 where they overlap.
    apart: [f64; 2],
    /// Work of each capture beside its side's mean.
    work: [Vec<f64>; 2],
    /// Per place: self and total of each capture of both sides.
    places: [Vec<Varied>; 2],
    cost: f64,
}

/// Mean and sum of squared deviations of a group over the captures of a side, for both sides, in values per unit of work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Varied {
    mean: [f64; 2],
    squares: [f64; 2],
}

impl Repeats {
    /// `None` with so few captures or functions that the captures of one side say less than the two sides do about each other.
    pub(crate) fn new(comparison: &Comparison, selfs: &[Sums], scale: &Scale) -> Option<Self> {
        let freedom: f64 = comparison.sides.iter().map(|side| side.repeats().1 - 1.0).sum();
        if freedom < MIN_FREEDOM {
            return None;
        }
        let averaged = comparison.sides.iter().map(|side| 1.0 / side.repeats().1).sum();
        let (tree, places) = (comparison.tree(), comparison.places());
        let columns: Vec<Vec<(Vec<i64>, Vec<i64>)>> =
            comparison.sides.iter().map(|side| side.repeats().0.iter().map(|weights| by_place(tree, places, weights)).collect()).collect();
        let work: Vec<Vec<f64>> = comparison.sides.iter().zip(&columns).map(|(side, columns)| works(side, columns)).collect();
        let [before, after] = <[Vec<f64>; 2]>::try_from(work).ok()?;
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
            work: [before, after],
            places: [Vec::new(), Vec::new()],
            cost: 0.0,
        };
        let value = |total: bool, side: usize, capture: usize, row: usize| {
            let (self_, whole) = &columns[side][capture];
            let column = if total { whole } else { self_ };
            column.get(row).copied().unwrap_or(0) as f64
        };
        made.places = [false, true]
            .map(|total| (0..places.len()).checked().map(|row| made.varied(|side, capture| value(total, side, capture, row))).collect());
        let (value, squares) = selfs.iter().fold((0.0, 0.0), |sum, sums| {
            (sum.0 + sums.value[0] + sums.value[1] * scale.event_cost, sum.1 + sums.squares[0] + sums.squares[1] * scale.event_cost.powi(2))
        });
        made.cost = squares / f64::max(value, f64::MIN_POSITIVE);
        made.learn(selfs, scale).then_some(made)
    }

    fn varied(&self, value: impl Fn(usize, usize) -> f64) -> Varied {
        let mut made = Varied::default();
        for side in 0..2 {
            let values: Vec<f64> = self.work[side].iter().enumerate().map(|(capture, work)| value(side, capture) / work).collect();
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            made.mean[side] = mean;
            made.squares[side] = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() * self.apart[side];
        }
        made
    }

    /// Squared deviations over those expected with `function` as the variance of a capture's logarithm and this cost of an event.
    fn factor(&self, varied: &Varied, cost: [f64; 2], function: f64) -> f64 {
        let part = |side: usize| {
            let expected = varied.mean[side] * cost[side] + varied.mean[side].powi(2) * function;
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

    /// How much more (or less) a place's own cost varies than modelled, moderated, and the degrees of freedom.
    pub(crate) fn factor_of_self(&self, place: usize) -> (f64, f64) {
        self.moderated(self.places[0].get(place).copied().unwrap_or_default(), None, 1.0)
    }

    /// The same for a place's self (0) or total (1) that is made up like `functions` says.
    pub(crate) fn factor_of(&self, measure: usize, place: usize, sums: &Sums, functions: f64) -> (f64, f64) {
        let varied = self.places[measure].get(place).copied().unwrap_or_default();
        self.moderated(varied, Some(costs(sums)), functions)
    }

    /// The same for any group, from its values by side and capture.
    pub(crate) fn factor_of_values(&self, value: impl Fn(usize, usize) -> f64, sums: &Sums, functions: f64) -> (f64, f64) {
        self.moderated(self.varied(value), Some(costs(sums)), functions)
    }

    fn moderated(&self, varied: Varied, cost: Option<[f64; 2]>, functions: f64) -> (f64, f64) {
        let own = self.factor(&varied, cost.unwrap_or([self.cost; 2]), self.function * functions);
        // What varies more than the others can (chi-square by Wilson and Hilferty) is not one of them, and only its own repeats speak.
        let width = 2.0 / (9.0 * self.freedom);
        let alike = 1.0 - below((own.cbrt() - 1.0 + width) / width.sqrt());
        let prior = self.prior * (alike / ALIKE).min(1.0);
        ((prior + own * self.freedom) / (prior + self.freedom), prior + self.freedom)
    }
}

/// Cost of an event on each side.
fn costs(sums: &Sums) -> [f64; 2] {
    let both = (sums.squares[0] + sums.squares[1]) / f64::max(sums.value[0] + sums.value[1], f64::MIN_POSITIVE);
    [0, 1].map(|side| if sums.value[side] > 0.0 { sums.squares[side] / sums.value[side] } else { both })
}

/// Work of each capture beside its side's mean: the middle of what its functions cost beside theirs.
fn works(side: &Side, columns: &[(Vec<i64>, Vec<i64>)]) -> Vec<f64> {
    let count = columns.len() as f64;
    let cost = side.evidence.squares.iter().sum::<f64>() / f64::max(side.weights.total() as f64, 1.0);
    let mut made: Vec<f64> = columns
        .iter()
        .map(|(selfs, _)| {
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
            if cells.len() < 5 {
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
