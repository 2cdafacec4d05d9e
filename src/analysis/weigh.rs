//! Self and total columns over a shape, for one sample type and selection of samples.

use rayon::prelude::*;

use super::call_tree::{CallTree, NodeId, StackNodes, node_of};
use super::filter::Chosen;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::Profile;

/// Self and total of every node of one tree. Values are in the capture's unit; negative ones are possible (saved diffs, Go deltas).
///
/// A NODE's total is the sum over its subtree. A PLACE's total may add only its outermost nodes, see
/// [`CallTree::outermost`](super::CallTree::outermost).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    self_: Vec<i64>,
    total: Vec<i64>,
    /// Samples counted.
    samples: u64,
}

impl Weights {
    /// Weights from self values, one per node of `tree`: totals are the sums over subtrees, held at the ends of `i64`.
    pub fn from_self(tree: &CallTree, self_: Vec<i64>, samples: u64) -> Self {
        let self_ = Unfinished::new(self_);
        let mut total = Unfinished::copy(&self_);
        for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
            if let Some(parent) = parent {
                total[parent.row()] = total[parent.row()].saturating_add(total[row]);
            }
        }
        Self { self_: self_.keep(), total: total.keep(), samples }
    }

    /// Value without callees.
    pub fn self_of(&self, node: NodeId) -> i64 {
        self.self_[node.row()]
    }

    /// Value with callees.
    pub fn total_of(&self, node: NodeId) -> i64 {
        self.total[node.row()]
    }

    /// Value of all samples.
    pub fn total(&self) -> i64 {
        self.total.first().copied().unwrap_or(0)
    }

    /// Self values, one per node.
    pub fn selfs(&self) -> &[i64] {
        &self.self_
    }

    /// Totals, one per node.
    pub fn totals(&self) -> &[i64] {
        &self.total
    }

    /// Number of samples with a value.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Multiplies every value, held at the ends of `i64`: for captures whose stored integers have fewer decimals than another's, or another unit.
    pub(super) fn multiply(&mut self, tree: &CallTree, factor: u64) {
        let factor = i64::try_from(factor).unwrap_or(i64::MAX);
        let mut self_ = std::mem::take(&mut self.self_);
        for value in self_.iter_mut().checked() {
            *value = value.saturating_mul(factor);
        }
        *self = Self::from_self(tree, self_, self.samples);
    }

    /// Adds the weights of another capture over the same tree.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.self_.iter_mut().zip(&other.self_).checked() {
            *mine = mine.saturating_add(*theirs);
        }
        for (mine, theirs) in self.total.iter_mut().zip(&other.total).checked() {
            *mine = mine.saturating_add(*theirs);
        }
        self.samples += other.samples;
    }
}

/// Samples are added up in blocks of this many rows; blocks are joined in order, so the thread count does not matter.
const BLOCK_ROWS: usize = 1 << 18;

/// Samples between two looks at the cancel switch: each may wait for its node's memory.
const ROWS_PER_CHECK: usize = 1 << 14;

/// Weighs one capture: adds the values of the chosen samples to their nodes.
pub fn weigh(
    tree: &CallTree,
    nodes: &StackNodes,
    profile: &Profile,
    sample_type: usize,
    chosen: &Chosen<'_>,
    ticket: &Ticket,
) -> Result<Weights, Cancelled> {
    let samples = &profile.samples;
    let values = samples.values(sample_type);
    let add = |rows: std::ops::Range<usize>, self_: &mut [i64]| -> Result<u64, Cancelled> {
        let mut counted = 0;
        for row in rows {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                ticket.check()?;
            }
            let value = values.get(row).copied().unwrap_or(0);
            if value != 0 && chosen.has(row) {
                let node = node_of(nodes, samples.stacks()[row]);
                let place = &mut self_[node.row()];
                *place = place.saturating_add(value);
                counted += 1;
            }
        }
        Ok(counted)
    };
    let rows = samples.len();
    // Private columns pay only while they are small beside the samples.
    if rows <= BLOCK_ROWS || tree.len() > rows {
        let mut self_ = Unfinished::new(vec![0; tree.len()]);
        let mut counted = 0;
        for start in (0..rows).step_by(BLOCK_ROWS) {
            counted += add(start..rows.min(start + BLOCK_ROWS), &mut self_)?;
        }
        return Ok(Weights::from_self(tree, self_.keep(), counted));
    }
    let blocks: Vec<usize> = (0..rows).step_by(BLOCK_ROWS).collect();
    let parts: Vec<(Vec<i64>, u64)> = blocks
        .into_par_iter()
        .map(|start| {
            let mut self_ = vec![0; tree.len()];
            let counted = add(start..rows.min(start + BLOCK_ROWS), &mut self_)?;
            Ok((self_, counted))
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut self_ = Unfinished::new(vec![0_i64; tree.len()]);
    let mut counted = 0;
    for (part, count) in parts {
        counted += count;
        for (mine, theirs) in self_.iter_mut().zip(part).checked() {
            *mine = mine.saturating_add(theirs);
        }
    }
    Ok(Weights::from_self(tree, self_.keep(), counted))
}
