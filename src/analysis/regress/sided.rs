//! On which side of a comparison cost stands, where a few samples of the other build do not matter.
//!
//! A capture that was taken while one build took the place of another holds some of both: a function that the other build does not have is there all the
//! same, in a few samples. They are no reason to take a renamed function for one that nearly vanished beside one that came up from nearly nothing.
//! Start reading at [`side`].

use rayon::prelude::*;

use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::diff::Base;
use crate::analysis::diff::ground::{Counts, NODES_AT_ONCE, Scale, Sums};
use crate::base::ticket::Here;

/// Paths that stand on one side by chance would be one in a hundred comparisons.
const CHANCE: f64 = 0.01;
/// The other build was there for no more than this part of the capture of a side.
const OTHER_BUILD: f64 = 0.03;
/// Quantile of a normal below which lie 19 of 20.
const MOSTLY: f64 = 1.645;

/// The side that has all events of a group but for those of the other build, 0 or 1; `None` where both have some.
///
/// So many of a group that the other build left as it was are expected on the other side; the number there is Poisson's, and no larger than in 19 of
/// 20 cases.
pub(super) fn side(counts: Counts) -> Option<usize> {
    let Counts { before, after, exposure } = counts;
    let (side, unchanged, strays) = if before >= after / exposure { (0, before * exposure, after) } else { (1, after / exposure, before) };
    let expected = OTHER_BUILD * unchanged;
    (before + after > 0.0 && strays <= expected + MOSTLY * expected.sqrt() + 0.5).then_some(side)
}

/// A bound of how unlikely it is that so many events of an unchanged group fall on its side, as a negative logarithm: for all of them exactly that
/// probability, for less the bound of Chernoff (1952).
pub(super) fn evidence(counts: Counts, side: usize) -> f64 {
    let both = counts.both();
    let expected = [1.0, counts.exposure][side] / (1.0 + counts.exposure);
    let seen = [counts.before, counts.after][side] / both;
    let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    if seen > expected { both * (part(seen, expected) + part(1.0 - seen, 1.0 - expected)) } else { 0.0 }
}

/// Evidence that one of all paths has by chance once in a hundred times.
pub(super) fn least(tree: &CallTree) -> f64 {
    (tree.len() as f64 / CHANCE).ln()
}

/// The side of sums, where they have one, and the evidence that this is no chance.
pub(super) fn told(sums: &Sums, scale: &Scale) -> Option<(usize, f64)> {
    let counts = scale.counts(sums)?;
    let side = side(counts)?;
    Some((side, evidence(counts, side)))
}

/// The outermost nodes of their places that chance does not put on their side: few.
pub(super) fn unlikely(tree: &CallTree, base: &Base, scale: &Scale) -> Vec<(NodeId, usize)> {
    let (least, here) = (least(tree), Here::new());
    let of = |(row, sums): (usize, &Sums)| {
        if !base.outermost[row] || sums.is_nothing() {
            return None;
        }
        let (side, _) = told(sums, scale).filter(|(_, evidence)| *evidence >= least)?;
        Some((NodeId::from_row(row)?, side))
    };
    let nodes = base.totals.par_chunks(NODES_AT_ONCE).enumerate().flat_map_iter(|(chunk, sums)| {
        here.checkpoint();
        // The root is on both sides, or there is nothing to compare.
        sums.iter().enumerate().map(move |(at, sums)| (chunk * NODES_AT_ONCE + at, sums)).filter(|(row, _)| *row > 0).filter_map(&of)
    });
    nodes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_events_of_the_other_build_leave_a_group_on_its_side() {
        for (before, after, exposure, expected) in [
            (100.0, 0.0, 1.0, Some(0)),
            (0.0, 8.0, 1.0, Some(1)),
            (8.0, 1.0, 1.0, Some(0)),
            (8.0, 2.0, 1.0, None),
            (100.0, 6.0, 1.0, Some(0)),
            (100.0, 7.0, 1.0, None),
            (1000.0, 39.0, 1.0, Some(0)),
            (1000.0, 41.0, 1.0, None),
            // Ten times as long a capture after: 39 events are 4 before.
            (100.0, 39.0, 10.0, Some(0)),
            (100.0, 41.0, 10.0, None),
            (6.0, 1000.0, 10.0, Some(1)),
            (7.0, 1000.0, 10.0, None),
            (0.0, 0.0, 1.0, None),
        ] {
            assert_eq!(side(Counts { before, after, exposure }), expected, "{before} and {after} at {exposure}");
            let swapped = Counts { before: after, after: before, exposure: 1.0 / exposure };
            assert_eq!(side(swapped), expected.map(|side| 1 - side), "{after} and {before}");
        }
    }

    #[test]
    fn evidence_of_all_events_is_their_probability() {
        let all = Counts { before: 7.0, after: 0.0, exposure: 3.0 };
        assert!((evidence(all, 0) - 7.0 * 4.0_f64.ln()).abs() < 1e-12);
        let most = Counts { before: 60.0, after: 1.0, exposure: 1.0 };
        assert!(evidence(most, 0) < evidence(Counts { after: 0.0, ..most }, 0) && evidence(most, 1) == 0.0);
    }
}
