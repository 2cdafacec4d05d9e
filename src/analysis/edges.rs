//! What calls a place and what it calls, one step each way, every caller and callee counted once a sample: pprof's `-peek`.
//!
//! So a function that calls itself is among its own callers and callees, and its callers may add up to more than its total where a stack has it
//! several times. Deliberately absent: paths of more than one step, which a [`sandwich`](mod@super::sandwich) has. Start reading at [`edges`].

use rustc_hash::FxHashMap;

use super::call_tree::{CallTree, NodeId};
use super::place::PlaceId;
use super::weigh::Weights;
use crate::base::ticket::Checked as _;

/// The neighbours of one place, those with the largest values first, then by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// Who calls it, with the value of the samples that have such a call.
    pub callers: Vec<(PlaceId, i64)>,
    /// What it calls.
    pub callees: Vec<(PlaceId, i64)>,
}

/// The neighbours of each of these places in a top-down tree, in their order.
pub fn edges(tree: &CallTree, weights: &Weights, of: &[PlaceId]) -> Vec<Edges> {
    let rows: FxHashMap<PlaceId, usize> = of.iter().enumerate().map(|(row, &place)| (place, row)).collect();
    let mut sums: FxHashMap<(PlaceId, PlaceId), i64> = FxHashMap::default();
    // How often each call stands above the node at hand, and the nodes that began them.
    let mut open: FxHashMap<(PlaceId, PlaceId), u32> = FxHashMap::default();
    let mut path: Vec<(NodeId, (PlaceId, PlaceId))> = Vec::new();
    for node in tree.nodes().skip(1).checked() {
        while let Some((_, edge)) = path.pop_if(|(last, _)| tree.subtree_end(*last) <= node.row()) {
            open.entry(edge).and_modify(|count| *count -= 1);
        }
        let Some(caller) = tree.parent(node).filter(|&caller| caller != CallTree::ROOT) else { continue };
        let edge = (tree.place(caller), tree.place(node));
        if !rows.contains_key(&edge.0) && !rows.contains_key(&edge.1) {
            continue;
        }
        let count = open.entry(edge).or_default();
        if *count == 0 {
            let sum = sums.entry(edge).or_default();
            *sum = sum.saturating_add(weights.total_of(node));
        }
        *count += 1;
        path.push((node, edge));
    }
    let mut found = vec![Edges::default(); of.len()];
    let mut sums: Vec<_> = sums.into_iter().filter(|(_, value)| *value != 0).collect();
    // Places are in name order, which decides between equals.
    sums.sort_unstable_by_key(|&((caller, callee), value)| (std::cmp::Reverse(value.unsigned_abs()), caller, callee));
    let mut edges_of = |place: PlaceId, add: &dyn Fn(&mut Edges)| {
        if let Some(edges) = rows.get(&place).and_then(|&row| found.get_mut(row)) {
            add(edges);
        }
    };
    for ((caller, callee), value) in sums {
        edges_of(callee, &|edges| edges.callers.push((caller, value)));
        edges_of(caller, &|edges| edges.callees.push((callee, value)));
    }
    found
}
