//! The light form of the comparison for drawing: effect, certainty and marks of every node.
//!
//! Deliberately absent: marks of churn (see [`churn`](super::churn)), and rows of tables. Start reading at [`node_diff`].

use rayon::prelude::*;

use super::ground::{NODES_AT_ONCE, Scale, Sums};
use super::{NodeDiff, Spec, mark};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::{Doubt, certainty};
use crate::base::ticket::Here;

/// What is drawn of every node; `totals` are the sums of their totals, `doubts` those of the places' totals.
pub(super) fn node_diff(places: &[PlaceId], totals: &[Sums], doubts: &[Doubt], scale: &Scale, spec: &Spec) -> NodeDiff {
    let row = |(sums, place): (&Sums, &PlaceId)| {
        let [before, after] = [sums.value[0], sums.value[1] / scale.exposure];
        let both = before.abs() + after.abs();
        let effect = if both > 0.0 { ((after - before) / both).clamp(-1.0, 1.0) } else { 0.0 };
        let marks = if before == 0.0 && after != 0.0 {
            mark::NEW
        } else if before != 0.0 && after == 0.0 {
            mark::GONE
        } else {
            0
        };
        let counts = scale.counts(sums).filter(|counts| counts.are_enough(spec));
        // NaN = not tested.
        let ln_p = counts.map_or(f64::NAN, |counts| counts.quick_ln_p(doubts.get(place.row()).map_or(0.0, |doubt| doubt.extra)));
        (effect as f32, ln_p as f32, marks)
    };
    let here = Here::new();
    let rows: Vec<(f32, f32, u8)> = totals
        .par_iter()
        .zip(places)
        .enumerate()
        .with_min_len(NODES_AT_ONCE)
        .map(|(at, node)| {
            if at.is_multiple_of(NODES_AT_ONCE) {
                here.checkpoint();
            }
            row(node)
        })
        .collect();
    let q = Ranks::new(rows.iter().map(|row| row.1));
    NodeDiff {
        effect: rows.iter().map(|row| row.0).collect(),
        certainty: rows.iter().map(|row| q.certainty(row.1)).collect(),
        marks: rows.iter().map(|row| row.2).collect(),
    }
}

/// Benjamini–Hochberg over very many p values: by counting into bins of ln p instead of sorting.
struct Ranks {
    /// False discovery rate of each bin, smallest p last.
    q: Vec<f64>,
}

impl Ranks {
    const BINS: usize = 2048;
    /// Bins per unit of −ln p: the last bin holds everything below e^−100.
    const PER_UNIT: f64 = Self::BINS as f64 / 100.0;

    fn bin(ln_p: f32) -> usize {
        ((-f64::from(ln_p) * Self::PER_UNIT) as usize).min(Self::BINS - 1)
    }

    /// From logarithms of p values, NaN for what was not tested.
    fn new(ln_p: impl Iterator<Item = f32>) -> Self {
        let mut count = vec![0_usize; Self::BINS];
        for ln_p in ln_p.filter(|ln_p| !ln_p.is_nan()) {
            count[Self::bin(ln_p)] += 1;
        }
        let all: usize = count.iter().sum();
        // Rows with a p at most that of the bin's upper edge: the bin and all after it.
        let mut below = all;
        let mut least = 1.0_f64;
        let q = count
            .iter()
            .enumerate()
            .map(|(bin, &rows)| {
                let edge = (-(bin as f64) / Self::PER_UNIT).exp();
                if below > 0 {
                    least = least.min(edge * all as f64 / below as f64);
                }
                below -= rows;
                least
            })
            .collect();
        Self { q }
    }

    fn certainty(&self, ln_p: f32) -> f32 {
        if ln_p.is_nan() { 0.0 } else { certainty(self.q.get(Self::bin(ln_p)).copied().unwrap_or(1.0), 1.0) as f32 }
    }
}
