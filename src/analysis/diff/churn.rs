//! Rises and falls below a node that cancel: change that its own number does not show.
//!
//! Only what is surely a change counts: noise of many small boxes would rise and fall under every node. Start reading at [`mark`].

use super::NodeDiff;
use super::ground::Sums;
use super::mark::CHURN;
use crate::analysis::call_tree::CallTree;
use crate::base::ticket::Checked as _;

/// Certainty from which a node's change counts.
const CERTAIN: f32 = 0.5;
/// Rises and falls must each be this part of the node's cost to be worth a mark.
const PART: f64 = 0.05;

/// Marks the nodes below which change cancels.
pub(super) fn mark(nodes: &mut NodeDiff, tree: &CallTree, totals: &[Sums], exposure: f64) {
    for (marks, churned) in nodes.marks.iter_mut().zip(churn(tree, totals, &nodes.certainty, exposure)) {
        *marks |= if churned { CHURN } else { 0 };
    }
}

/// For each node: is its own change nil (not sure), while sure rises and sure falls below it cancel?
///
/// A node that surely changed stands for everything below it, but for what is larger below: rises and falls of disjoint subtrees add up.
fn churn(tree: &CallTree, totals: &[Sums], certainty: &[f32], exposure: f64) -> Vec<bool> {
    let mut below: Vec<[f64; 2]> = vec![[0.0; 2]; tree.len()];
    let mut marks = vec![false; tree.len()];
    for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
        let (Some(sums), Some(&sure)) = (totals.get(row), certainty.get(row)) else { continue };
        let delta = sums.value[1] / exposure - sums.value[0];
        let is_sure = sure >= CERTAIN;
        let cost = sums.pooled(exposure) / 2.0;
        marks[row] = !is_sure && cost > 0.0 && below[row].iter().all(|part| *part >= PART * cost);
        if is_sure {
            let side = usize::from(delta < 0.0);
            below[row][side] = below[row][side].max(delta.abs());
        }
        if let Some(parent) = parent {
            let part = below[row];
            let above = &mut below[parent.row()];
            above[0] += part[0];
            above[1] += part[1];
        }
    }
    marks
}
