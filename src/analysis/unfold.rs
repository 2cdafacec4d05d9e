//! The rows of a call tree that are on view while some nodes are unfolded.
//!
//! The tree itself keeps siblings in name order; a person reads the heaviest first, so rows are ordered here. Deliberately absent:
//! what is unfolded (the view keeps it by name). Start reading at [`visible`].

use std::collections::{BinaryHeap, HashSet};
use std::hash::BuildHasher;

use rustc_hash::FxHashSet;

use super::call_tree::{CallTree, NodeId};
use super::comparison::Comparison;

/// True where a node or one below it has a value on some side: filters leave nodes of the shape without any.
pub fn has_value(comparison: &Comparison, node: NodeId) -> bool {
    let tree = comparison.tree();
    comparison.sides.iter().any(|side| side.weights.total_of(node) != 0)
        // Positive and negative values of a saved difference can add up to nothing: then the whole subtree is looked through.
        || comparison.sides.iter().any(|side| {
            side.weights.selfs().get(node.row()..tree.subtree_end(node)).is_some_and(|selfs| selfs.iter().any(|&value| value != 0))
        })
}

/// True where a node has a fold mark.
pub fn has_children(comparison: &Comparison, node: NodeId) -> bool {
    comparison.tree().children(node).any(|child| has_value(comparison, child))
}

/// The children that have a value, heaviest first, equal ones by name.
pub fn children(comparison: &Comparison, node: NodeId) -> Vec<NodeId> {
    let mut children: Vec<(f64, NodeId)> = comparison
        .tree()
        .children(node)
        .filter(|&child| has_value(comparison, child))
        .map(|child| (comparison.weight_of(child), child))
        .collect();
    children.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    children.into_iter().map(|(_, child)| child).collect()
}

/// All rows on view, top row first: the root's children, and the children of every node in `unfolded` that is itself on view.
pub fn visible(comparison: &Comparison, unfolded: &HashSet<NodeId, impl BuildHasher>) -> Vec<NodeId> {
    let mut rows = Vec::new();
    let mut open = children(comparison, CallTree::ROOT);
    open.reverse();
    while let Some(node) = open.pop() {
        rows.push(node);
        if unfolded.contains(&node) {
            open.extend(children(comparison, node).into_iter().rev());
        }
    }
    rows
}

/// The nodes at the end of paths of names; paths that this tree does not have are left out. Fast for paths in ascending order, which
/// share their beginnings.
pub fn nodes_of<'a>(comparison: &Comparison, paths: impl IntoIterator<Item = &'a Vec<String>>) -> FxHashSet<NodeId> {
    let (tree, places) = (comparison.tree(), comparison.places());
    let mut found = FxHashSet::default();
    let mut last: Vec<(&str, NodeId)> = Vec::new();
    for path in paths {
        let shared = path.iter().zip(&last).take_while(|(name, (known, _))| name == known).count();
        last.truncate(shared);
        for name in path.iter().skip(shared) {
            let parent = last.last().map_or(CallTree::ROOT, |(_, node)| *node);
            let Some(place) = places.find(name) else { break };
            let Some(node) = tree.children(parent).find(|&child| tree.place(child) == place) else { break };
            last.push((name, node));
        }
        if last.len() == path.len()
            && let Some((_, node)) = last.last()
        {
            found.insert(*node);
        }
    }
    found
}

/// A node that waits to be unfolded: heaviest first, then tree order.
struct Waiting(f64, NodeId);

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

/// `node` and the nodes below it that have children, heaviest first, at most `limit`; and whether that is all of them. The root is not
/// among them: it has no fold mark.
pub fn all_below(comparison: &Comparison, node: NodeId, limit: usize) -> (Vec<NodeId>, bool) {
    let mut waiting = BinaryHeap::from([Waiting(f64::INFINITY, node)]);
    let mut found = Vec::new();
    while let Some(Waiting(_, node)) = waiting.pop() {
        let below = children(comparison, node);
        if below.is_empty() {
            continue;
        }
        if found.len() == limit {
            return (found, false);
        }
        if node != CallTree::ROOT {
            found.push(node);
        }
        waiting.extend(below.into_iter().map(|child| Waiting(comparison.weight_of(child), child)));
    }
    (found, true)
}
