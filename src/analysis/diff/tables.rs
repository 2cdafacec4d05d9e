//! The rows of places: values, tests and intervals, false discovery rates over all of them, and what each row says by itself.
//!
//! Deliberately absent: findings, which explain each other (`regress`). Start reading at [`table_of`], then [`decide`].

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::ground::{Scale, Sums};
use super::{ENDS, Measure, Spec, Table, Verdict};
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::{Doubt, Needed, Test, doubtful_width, false_discovery, minimum_detectable_at, needed, power_width};
use crate::base::ticket::{Checked as _, Here};

/// Rows of a table that one thread looks at before it asks, since all threads ask the same ticket.
const ROWS_AT_ONCE: usize = 1 << 6;

fn check_rows(here: &Here, row: usize) {
    if row.is_multiple_of(ROWS_AT_ONCE) {
        here.checkpoint();
    }
}

pub(super) fn table_of(comparison: &Comparison, sums: &[Sums], doubts: &[Doubt], scale: &Scale, spec: &Spec) -> Table {
    let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side: &Side| comparison.factor(side));
    let factors = [factor(0), factor(1)];
    let side_of = |side: usize| -> Vec<f64> { sums.iter().map(|sums| sums.value[side]).collect() };
    let raw = [side_of(0), side_of(1)];
    let value = [0, 1].map(|side| raw[side].iter().map(|value| value * factors[side]).collect::<Vec<f64>>());
    let delta = value[0].iter().zip(&value[1]).map(|(before, after)| after - before).collect();
    let here = Here::new();
    let tested: Vec<(Test, (f64, f64))> = sums
        .par_iter()
        .zip(doubts)
        .enumerate()
        // Once cancelled, each piece ends by unwinding.
        .with_min_len(ROWS_AT_ONCE)
        .inspect(|(row, _)| check_rows(&here, *row))
        .map(|(_, (sums, &doubt))| match scale.counts(sums) {
            Some(counts) if counts.are_enough(spec) => (counts.test(doubt), counts.interval(doubt, ENDS)),
            Some(counts) => (Test::NONE, counts.interval(doubt, ENDS)),
            None => (Test::NONE, (0.0, f64::INFINITY)),
        })
        .collect();
    let ratio: Vec<f64> = sums.iter().map(|sums| sums.value[1] / sums.value[0] / scale.exposure).collect();
    // Intervals are made from counts and a half, which one event with nearly all of the cost can leave far from the estimate.
    let held = tested.iter().zip(&ratio).map(|(row, ratio)| (row.1.0.min(*ratio), row.1.1.max(*ratio)));
    let (lo, hi) = held.unzip();
    Table {
        ratio,
        lo,
        hi,
        z: tested.iter().map(|row| row.0.z).collect(),
        p: tested.iter().map(|row| row.0.p).collect(),
        q: vec![1.0; sums.len()],
        events: [0, 1].map(|side| sums.iter().map(|sums| sums.events[side]).collect()),
        minimum_detectable: Vec::new(),
        needed: Vec::new(),
        verdict: Vec::new(),
        raw,
        value,
        delta,
        extra: doubts.iter().map(|doubt| doubt.extra).collect(),
        freedom: doubts.iter().map(|doubt| if doubt.extra > 0.0 { doubt.freedom } else { f64::INFINITY }).collect(),
    }
}

/// False discovery rates over both tables together, and every row's own verdict; gives the number of tests.
pub(super) fn decide(
    comparison: &Comparison,
    tables: &mut [Table; 2],
    sums: &[Vec<Sums>; 2],
    scale: &Scale,
    spec: &Spec,
    weight: Option<&dyn Fn(Measure, PlaceId) -> Option<f64>>,
) -> usize {
    // A test is possible or not by the sum of both sides, which says nothing about their difference: leaving rows out costs nothing.
    let testable = |sums: &Sums| scale.counts(sums).is_some_and(|counts| counts.are_enough(spec));
    let rows: Vec<(usize, usize)> = (0..2)
        .flat_map(|measure| sums[measure].iter().enumerate().skip(1).filter(|(_, sums)| testable(sums)).map(move |(row, _)| (measure, row)))
        .collect();
    let p: Vec<f64> = rows.iter().map(|&(measure, row)| tables[measure].p[row]).collect();
    for (&(measure, row), q) in rows.iter().zip(false_discovery(&p)) {
        tables[measure].q[row] = q;
    }
    let tests = rows.len();
    let (searched, alone) = (power_width(spec.level / tests.max(1) as f64), power_width(spec.level));
    let largest = largest_total(comparison);
    // There are few different weights.
    let mut widths: FxHashMap<u64, f64> = FxHashMap::default();
    let mut width_of = |measure: Measure, place: PlaceId| match weight.and_then(|weight| weight(measure, place)) {
        Some(weight) => *widths.entry(weight.to_bits()).or_insert_with(|| power_width(spec.level * weight)),
        None => searched,
    };
    let here = Here::new();
    for ((measure, table), sums) in Measure::ALL.into_iter().zip(tables.iter_mut()).zip(sums) {
        let widths: Vec<f64> = comparison.places().ids().checked().map(|place| width_of(measure, place)).collect();
        let say = |(row, (sums, &width)): (usize, (&Sums, &f64))| -> (f64, Needed, Verdict) {
            let counts = scale.counts(sums);
            let (extra, freedom) = (table.extra[row], table.freedom[row]);
            let detectable = |width: f64| {
                counts.map_or(f64::INFINITY, |c| minimum_detectable_at(c.before, c.exposure, extra, doubtful_width(width, freedom)))
            };
            let needed =
                counts.map_or(Needed::UNKNOWN, |c| needed(c.before, c.exposure, extra, doubtful_width(width, freedom), spec.growth));
            let enough = counts.is_some_and(|counts| counts.are_enough(spec));
            let verdict = if enough && table.q[row] <= spec.level {
                let small = is_small([table.value[0][row], table.value[1][row]], [table.lo[row], table.hi[row]], largest, spec);
                if small { Verdict::Small } else { verdict_of_sides(table.raw[0][row], table.raw[1][row], table.z[row]) }
            } else if !enough || detectable(alone) > 1.0 {
                Verdict::TooFew
            } else {
                Verdict::Noise
            };
            (detectable(width), needed, verdict)
        };
        let rows = sums.par_iter().zip(&widths).enumerate().with_min_len(ROWS_AT_ONCE).inspect(|(row, _)| check_rows(&here, *row));
        let said: Vec<(f64, Needed, Verdict)> = rows.map(say).collect();
        table.minimum_detectable = said.iter().map(|row| row.0).collect();
        table.needed = said.iter().map(|row| row.1).collect();
        table.verdict = said.iter().map(|row| row.2).collect();
    }
    tests
}

/// The larger of both sides' normalised totals: what minimum effects are a part of.
pub(crate) fn largest_total(comparison: &Comparison) -> f64 {
    comparison.sides.iter().map(|side| side.denominator() * comparison.factor(side)).fold(0.0, f64::max)
}

pub(crate) fn verdict_of_sides(before: f64, after: f64, z: f64) -> Verdict {
    match (before == 0.0, after == 0.0, z > 0.0) {
        (true, false, _) => Verdict::New,
        (false, true, _) => Verdict::Gone,
        (_, _, true) => Verdict::Regression,
        _ => Verdict::Improvement,
    }
}

/// True where the change is surely below the minimum effect: the interval of its ratio lies within 1 ± the minimum, and the largest change in it
/// is below the minimum part of the total.
pub(crate) fn is_small(value: [f64; 2], interval: [f64; 2], largest: f64, spec: &Spec) -> bool {
    let [before, after] = value;
    let [lo, hi] = interval;
    let within = lo > 1.0 / (1.0 + spec.min_ratio) && hi < 1.0 + spec.min_ratio;
    // From either side alike, so that swapped sides say the same.
    within && before.max(after) * (hi - 1.0).max(1.0 / lo - 1.0) < spec.min_share * largest
}
