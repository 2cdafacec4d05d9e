//! Change and certainty of the nodes of a sandwich, judged as the comparison itself was: by the same ratio of work and the same noise, or
//! what its function did would pass for what everything did.
//!
//! Start reading at [`nodes_of_halves`].

use super::ground::{Ground, Scale, Sums, totals};
use super::nodes::node_diff;
use super::{Diff, NodeDiff, Spec, background, churn};
use crate::analysis::comparison::Comparison;
use crate::analysis::sandwich::{Half, Sandwich};
use crate::analysis::stats::Doubt;
use crate::base::ticket::Checked as _;

/// The light form of the change of each node of the callers and of the callees in a sandwich, which was made of the `comparison` that `diff` is
/// about; `None` unless it has two sides.
pub fn nodes_of_halves(comparison: &Comparison, diff: &Diff, sandwich: &Sandwich, spec: &Spec) -> Option<[NodeDiff; 2]> {
    let (before, after) = comparison.pair()?;
    let ground = Ground::new(comparison, before, after, &background::nodes(comparison.tree(), comparison.places()));
    let known = diff.total.extra.iter().zip(&diff.total.freedom);
    let doubts: Vec<Doubt> = known.checked().map(|(&extra, &freedom)| Doubt { extra, freedom }).collect();
    let scale = Scale { exposure: diff.exposure, event_cost: ground.event_cost };
    let of = |half: &Half| {
        let sums: Vec<Sums> = half.moved(&ground.nodes, Sums::add);
        let tree = half.comparison.tree();
        let totals = totals(&sums, tree, |_, _| ());
        let mut nodes = node_diff(tree.places(), &totals, &doubts, &scale, spec);
        churn::mark(&mut nodes, tree, &totals, scale.exposure);
        nodes
    };
    Some([of(&sandwich.callers), of(&sandwich.callees)])
}
