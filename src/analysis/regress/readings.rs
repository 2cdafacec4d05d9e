//! The two readings of a change that holds much of the cost: it grew, or everything else fell.
//!
//! Captures without a known amount of work show ratios only, and the ratio of work is taken from what did not change. Where one place is a
//! large part of everything, the rest is no better a judge than the place itself: both are said, and the work is asked for. Start reading at
//! [`readings`].

use super::Finding;
use crate::analysis::comparison::{Comparison, Normalization};
use crate::analysis::diff::noise::given_work;
use crate::analysis::diff::{Interval, Spec, Verdict};

/// A place with more than this part of the cost of a side may be what is unchanged.
const LARGE: f64 = 0.3;

/// Everything else stayed as it was by the normalisation, too, where that and what did not change differ by less than this (in logarithms).
const SAME_WORK: f64 = 0.05;

/// Everything else changing by more than this many times is no reading.
const PLAUSIBLE: f64 = 20.0;

/// Two readings of one change, of which the captures alone cannot say which is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// The place.
    pub func: String,
    /// Its part of the cost of the side where that is larger.
    pub part: f64,
    /// First reading: how much the place changed while everything else stayed as it was (after / before per unit of work).
    pub place: Interval,
    /// Second reading: how much everything else changed while the place stayed as it was.
    pub rest: Interval,
}

/// The readings of the top explanation, the first of `rows` or else the first of `unconfirmed`; `None` where the work is known, or nothing
/// large changed.
pub(super) fn readings(comparison: &Comparison, rows: &[Finding], unconfirmed: &[Finding], exposure: f64, spec: &Spec) -> Option<Readings> {
    // What is alive is counted whole, whatever was done meanwhile.
    let is_census = ["inuse", "goroutine", "threadcreate"].iter().any(|kind| comparison.sample_type.starts_with(kind));
    if given_work(comparison, spec).is_some() || is_census && matches!(comparison.effective_normalization(), Normalization::Absolute) {
        return None;
    }
    // Seconds and processor time know nothing of the other places: where both say that the rest stayed as it was, it did. Shares say what they must.
    let is_known = !matches!(comparison.effective_normalization(), Normalization::Share);
    if is_known && (exposure / comparison.exposure()).ln().abs() < SAME_WORK {
        return None;
    }
    let (before, after) = comparison.pair()?;
    let top =
        rows.iter().find(|row| row.verdict.is_change()).or_else(|| unconfirmed.iter().find(|row| row.verdict == Verdict::Unconfirmed))?;
    let totals = [before, after].map(|side| side.weights.total() as f64);
    let part = (0..2).filter(|&side| totals[side] > 0.0).map(|side| top.raw[side] / totals[side]).fold(0.0, f64::max);
    let rest = [0, 1].map(|side| totals[side] - top.raw[side]);
    // What is new or gone did not stay as it was.
    if part <= LARGE || rest.iter().chain(&top.raw).any(|&value| value <= 0.0) || exposure <= 0.0 {
        return None;
    }
    let beside = rest[1] / rest[0] / exposure;
    let place = Interval { ratio: top.ratio, lo: top.ratio_lo, hi: top.ratio_hi };
    // Nobody does so much more or less of everything else unseen.
    if !(1.0 / PLAUSIBLE..=PLAUSIBLE).contains(&(beside / place.ratio)) {
        return None;
    }
    let rest = Interval { ratio: beside / place.ratio, lo: beside / place.hi, hi: beside / place.lo };
    Some(Readings { func: top.func.clone(), part, place, rest })
}
