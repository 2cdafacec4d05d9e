//! Blocks of time of one capture, held against each other as if they were repeats: what comes in bursts differs between them by more
//! than chance.
//!
//! They cover bursts inside a run and say nothing about how runs differ. Fewer than eight blocks overlap (the moving-block bootstrap
//! with all of its draws; Künsch 1989), so that a burst on an edge counts once. Start reading at [`Slices`].

use std::sync::Arc;

use super::call_tree::{CallTree, StackNodes, node_of};
use super::filter::Chosen;
use super::part::Part;
use super::span::Clock;
use super::weigh::Weights;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::Profile;

/// Shorter blocks than this follow each other too closely to be independent, in nanoseconds.
const SHORTEST: i64 = 1_000_000_000;
/// More blocks say little more.
const MOST: usize = 32;
/// So many blocks stand side by side; fewer overlap.
const ENOUGH: usize = 8;
/// Steps from one overlapping block to the next that make up a block.
const STEPS: usize = 4;
/// A time with fewer blocks than this has no spread to speak of.
const FEWEST: f64 = 2.5;
/// Most values (nodes times blocks) that are kept, 16 bytes each.
const MOST_VALUES: usize = 1 << 23;

/// The blocks of a capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Slices {
    /// Weights of each block, in the order of time.
    pub windows: Vec<Arc<Weights>>,
    /// Length of a block in nanoseconds.
    pub length_nanos: i64,
    /// How many blocks make up the whole: fewer than there are where they overlap.
    pub blocks: f64,
}

/// How a time is cut: into steps, of which so many make a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    steps: usize,
    per_block: usize,
}

impl Cut {
    /// For a time of `length` nanoseconds and a tree of `nodes`; `None` where it is too short or the tree too large.
    fn of(length: i64, nodes: usize) -> Option<Self> {
        let whole = usize::try_from(length / SHORTEST).unwrap_or(0).min(MOST).min(MOST_VALUES / nodes.max(1));
        if whole >= ENOUGH {
            return Some(Self { steps: whole, per_block: 1 });
        }
        let steps = usize::try_from(length / (SHORTEST / STEPS as i64)).unwrap_or(0).min(ENOUGH * STEPS);
        let fits = steps.saturating_mul(nodes) <= MOST_VALUES;
        (fits && steps as f64 / STEPS as f64 >= FEWEST).then_some(Self { steps, per_block: STEPS })
    }
}

/// Cuts the time of a capture's part into blocks and adds up the chosen samples of each, in stored values times `finer`; `None` where the
/// samples have no times or their time is too short.
pub(super) fn slices(
    (tree, nodes): (&CallTree, &StackNodes),
    (profile, part): (&Profile, &Part),
    (sample_type, finer): (usize, u64),
    chosen: &Chosen<'_>,
    ticket: &Ticket,
) -> Result<Option<Slices>, Cancelled> {
    let finer = i64::try_from(finer).unwrap_or(i64::MAX);
    let samples = &profile.samples;
    // Only the times of samples count: what a capture says of its length is no evidence of bursts.
    let Some(clock) = Clock::of(profile, part.time) else { return Ok(None) };
    let length = clock.length;
    let Some(cut) = Cut::of(length, tree.len()) else { return Ok(None) };
    let mut steps = Unfinished::new(vec![vec![0_i64; tree.len()]; cut.steps]);
    let mut counts = vec![0_u64; cut.steps];
    for (row, &value) in samples.values(sample_type).iter().enumerate() {
        if row % (1 << 16) == 0 {
            ticket.check()?;
        }
        let Some(time) = samples.time(row).filter(|_| value != 0 && chosen.has(row)) else { continue };
        let at = i128::from(clock.at(time)) * cut.steps as i128 / i128::from(length);
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(cut.steps - 1);
        // Both columns have one entry per step, each of one entry per node of the tree that `nodes` names.
        let place = &mut steps[at][node_of(nodes, samples.stacks()[row]).row()];
        *place = place.saturating_add(value.saturating_mul(finer));
        counts[at] += 1;
    }
    let windows = (0..=cut.steps - cut.per_block).map(|at| {
        let mut selfs = Unfinished::new(vec![0_i64; tree.len()]);
        for step in steps.iter().skip(at).take(cut.per_block) {
            selfs.iter_mut().zip(step).checked().for_each(|(sum, value)| *sum = sum.saturating_add(*value));
        }
        Arc::new(Weights::from_self(tree, selfs.keep(), counts.iter().skip(at).take(cut.per_block).sum()))
    });
    let windows: Unfinished<Vec<Arc<Weights>>> = windows.collect();
    let blocks = cut.steps as f64 / cut.per_block as f64;
    Ok(Some(Slices { windows: windows.keep(), length_nanos: (length as f64 / blocks) as i64, blocks }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_a_second_or_longer_and_overlap_where_they_are_few() {
        let cut = |millis: i64, nodes| Cut::of(millis * 1_000_000, nodes).map(|cut| (cut.steps, cut.per_block));
        for (millis, expected) in [
            (2_000, None),
            (2_500, Some((10, 4))),
            (7_900, Some((31, 4))),
            (8_000, Some((8, 1))),
            (24_500, Some((24, 1))),
            (600_000, Some((32, 1))),
        ] {
            assert_eq!(cut(millis, 100), expected, "{millis} ms");
        }
        assert_eq!(cut(30_000, 500_000), Some((16, 1)), "a large tree has fewer blocks");
        assert_eq!(cut(30_000, 2_000_000), None, "a very large tree has none");
    }
}
