//! Change and certainty of the nodes of a sandwich, judged as the comparison itself was: by the same ratio of work and the same noise, or
//! what its function did would pass for what everything did.
//!
//! Start reading at [`nodes_of_half`].

use super::churn::churn;
use super::ground::{Ground, Scale, Sums, totals};
use super::nodes::node_diff;
use super::{Diff, NodeDiff, Spec, background, mark};
use crate::analysis::comparison::Comparison;
use crate::analysis::sandwich::Half;
use crate::analysis::stats::Doubt;
use crate::base::ticket::Checked as _;

/// The light form of the change of each node of a half, which was made of the `comparison` that `diff` is about; `None` unless it has two
/// sides.
pub fn nodes_of_half(comparison: &Comparison, diff: &Diff, half: &Half, spec: &Spec) -> Option<NodeDiff> {
    let (before, after) = comparison.pair()?;
    let ground = Ground::new(comparison, before, after, &background::nodes(comparison.tree(), comparison.places()));
    let sums: Vec<Sums> = half.moved(&ground.nodes, Sums::add);
    let tree = half.comparison.tree();
    let totals = totals(&sums, tree);
    let known = diff.total.extra.iter().zip(&diff.total.freedom);
    let doubts: Vec<Doubt> = known.checked().map(|(&extra, &freedom)| Doubt { extra, freedom }).collect();
    let scale = Scale { exposure: diff.exposure, event_cost: ground.event_cost };
    let mut nodes = node_diff(tree.places(), &totals, &doubts, &scale, spec);
    for (marks, churned) in nodes.marks.iter_mut().zip(churn(tree, &totals, &nodes.certainty, scale.exposure)) {
        *marks |= if churned { mark::CHURN } else { 0 };
    }
    Some(nodes)
}
