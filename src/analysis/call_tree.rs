//! The shape of a call tree over one or more captures, without any weight.
//!
//! Nodes stand in preorder with siblings in name order: a subtree is the row range from a node to its `subtree_end`, a forward loop
//! sees callers first and a backward loop callees first. One function builds single trees, unions of several captures and bottom-up
//! trees alike: a union is what comes out when the stacks of several captures are put into one shape.

mod callees;
mod callers;
mod graft;
mod merge;

use std::borrow::Cow;

use self::callees::Callees;
use self::callers::Callers;
use self::merge::{Chains, merge};
use super::place::{FramePlaces, PlaceId, Places};
use super::transform::Transformed;
use crate::base::index::Column;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::index;
use crate::model::{Profile, StackId};

index!(
    /// A row of a [`CallTree`]; row 0 is the root.
    NodeId
);

/// Which end of the stacks is the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Callers above callees: roots are where threads start.
    #[default]
    TopDown,
    /// Callees above callers: roots are where the cost falls.
    BottomUp,
}

/// A shape: which place was reached by which path. 16 bytes a node.
///
/// Invariants: node 0 is the root with place [`Places::root`]; `parent` is `None` only there; a node stands before its descendants,
/// which are contiguous; siblings have ascending, distinct places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallTree {
    place: Column<NodeId, PlaceId>,
    parent: Column<NodeId, Option<NodeId>>,
    subtree_end: Column<NodeId, u32>,
    depth: Column<NodeId, u32>,
}

/// Where the stacks of one capture went: the node of each stack row. Samples without a stack belong to the root.
pub type StackNodes = Vec<NodeId>;

impl CallTree {
    /// The root of every tree.
    pub const ROOT: NodeId = NodeId::FIRST;

    /// Number of nodes, the root included.
    pub fn len(&self) -> usize {
        self.place.len()
    }

    /// True before it was built.
    pub fn is_empty(&self) -> bool {
        self.place.is_empty()
    }

    /// The place of a node.
    pub fn place(&self, node: NodeId) -> PlaceId {
        self.place[node]
    }

    /// The caller of a node (its callee in a bottom-up tree); `None` for the root.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.parent[node]
    }

    /// Row after the last descendant of a node.
    pub fn subtree_end(&self, node: NodeId) -> usize {
        self.subtree_end[node] as usize
    }

    /// Steps from the root, which has 0.
    pub fn depth(&self, node: NodeId) -> u32 {
        self.depth[node]
    }

    /// Places, one per node.
    pub fn places(&self) -> &[PlaceId] {
        self.place.as_slice()
    }

    /// Parents, one per node.
    pub fn parents(&self) -> &[Option<NodeId>] {
        self.parent.as_slice()
    }

    /// Subtree ends, one per node.
    pub fn subtree_ends(&self) -> &[u32] {
        self.subtree_end.as_slice()
    }

    /// Depths, one per node.
    pub fn depths(&self) -> &[u32] {
        self.depth.as_slice()
    }

    /// All nodes, callers first.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        self.place.ids()
    }

    /// The children of a node, in name order.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.subtree_end(node);
        let mut at = node.row() + 1;
        std::iter::from_fn(move || {
            let child = NodeId::from_row(at).filter(|_| at < end)?;
            at = self.subtree_end(child);
            Some(child)
        })
    }

    /// The node and its callers up to, not including, the root.
    pub fn path_up(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(node), |&at| self.parent(at)).filter(|&at| at != Self::ROOT)
    }

    /// Places of the path, outermost first, without the root.
    pub fn path(&self, node: NodeId) -> Vec<PlaceId> {
        let mut path: Vec<PlaceId> = self.path_up(node).map(|at| self.place(at)).collect();
        path.reverse();
        path
    }

    /// The node at the end of a path of places from the root.
    pub fn find_path(&self, path: impl IntoIterator<Item = PlaceId>) -> Option<NodeId> {
        path.into_iter().try_fold(Self::ROOT, |at, place| self.children(at).find(|&child| self.place(child) == place))
    }

    /// True where `inner` is `outer` or stands below it.
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        (outer.row()..self.subtree_end(outer)).contains(&inner.row())
    }

    /// For each node: true where no ancestor has the same place. Only such nodes may be added up to a place's total, or recursion
    /// would count twice.
    pub fn outermost(&self, places: &Places) -> Vec<bool> {
        let mut open = vec![0_u32; places.len()];
        let mut path: Vec<NodeId> = Vec::new();
        self.nodes()
            .checked()
            .map(|node| {
                while path.last().is_some_and(|&last| self.subtree_end(last) <= node.row()) {
                    let left = path.pop().map_or(0, |last| self.place(last).row());
                    open[left] -= 1;
                }
                let count = &mut open[self.place(node).row()];
                let is_outermost = *count == 0;
                // Most nodes call nothing, and need not be left.
                if self.subtree_end(node) > node.row() + 1 {
                    *count += 1;
                    path.push(node);
                }
                is_outermost
            })
            .collect()
    }
}

/// Puts the stacks of all captures into one shape; gives it and, per capture, the node of each stack row.
///
/// Bottom-up trees hold the reversed path of every stack that a sample names;
/// stack rows that no sample names go to the root there.
pub fn build(
    captures: &[(&Profile, &FramePlaces)],
    direction: Direction,
    ticket: &Ticket,
) -> Result<(CallTree, Vec<StackNodes>), Cancelled> {
    build_transformed(captures, &[], direction, ticket)
}

/// The same from stack rows as they are after transforms, capture by capture; see [`transform`](super::transform).
pub fn build_transformed(
    captures: &[(&Profile, &FramePlaces)],
    transformed: &[Option<Transformed>],
    direction: Direction,
    ticket: &Ticket,
) -> Result<(CallTree, Vec<StackNodes>), Cancelled> {
    ticket.stage("building the tree", 2 * captures.iter().map(|(profile, _)| profile.stacks.len() as u64).sum::<u64>())?;
    let rows: Vec<Rows<'_>> = captures
        .iter()
        .enumerate()
        .map(|(at, (profile, places))| Rows { profile, places, transformed: transformed.get(at).and_then(Option::as_ref) })
        .collect();
    let chains: Vec<_> = rows.iter().map(|rows| Chains { parents: rows.callers(), place: |row| rows.place(row) }).collect();
    let sizes: Vec<usize> = chains.iter().map(|chains| chains.parents.len()).collect();
    let (tree, mut nodes) = match direction {
        Direction::TopDown => merge(&Callees::new(&chains, ticket)?, &sizes, ticket)?,
        Direction::BottomUp => {
            let sampled: Vec<_> = rows.iter().map(Rows::sampled).collect();
            let sampled: Vec<_> = sampled.iter().map(AsRef::as_ref).collect();
            merge(&Callers::new(&chains, &sampled, ticket)?, &sizes, ticket)?
        }
    };
    for (rows, nodes) in rows.iter().zip(&mut nodes) {
        if let Some(ends) = rows.transformed.and_then(|transformed| transformed.ends.as_deref()) {
            *nodes = ends.iter().map(|&end| node_of(nodes, Some(end))).collect();
        }
    }
    Ok((tree, nodes))
}

/// The subtrees of some nodes put together at the root, each with its node; gives that and where each node of `tree` went: those that are
/// not `inside` to the root. What hangs on a node that is inside has to be inside.
pub(super) fn callees_of(tree: &CallTree, inside: &[bool], ticket: &Ticket) -> Result<(CallTree, StackNodes), Cancelled> {
    ticket.stage("building the tree", 2 * tree.len() as u64)?;
    let place = |row: usize| tree.places().get(row).copied().filter(|_| inside.get(row).copied().unwrap_or(false));
    let chains = [Chains { parents: tree.parents(), place }];
    let (made, mut nodes) = merge(&Callees::new(&chains, ticket)?, &[tree.len()], ticket)?;
    Ok((made, nodes.pop().unwrap_or_default()))
}

/// The paths from some nodes outwards put together at the root; gives that and, for each of those nodes, where its path ends. The others
/// went to the root.
pub(super) fn callers_of(tree: &CallTree, nodes: &[Option<NodeId>], ticket: &Ticket) -> Result<(CallTree, StackNodes), Cancelled> {
    ticket.stage("building the tree", tree.len() as u64)?;
    let place = |row: usize| tree.places().get(row).copied().filter(|_| row != CallTree::ROOT.row());
    let chains = [Chains { parents: tree.parents(), place }];
    let (made, mut ends) = merge(&Callers::new(&chains, &[nodes], ticket)?, &[tree.len()], ticket)?;
    Ok((made, ends.pop().unwrap_or_default()))
}

/// The stack rows of one capture.
struct Rows<'a> {
    profile: &'a Profile,
    /// The place of each frame.
    places: &'a FramePlaces,
    transformed: Option<&'a Transformed>,
}

impl Rows<'_> {
    /// What each row hangs on.
    fn callers(&self) -> &[Option<StackId>] {
        let changed = self.transformed.and_then(|transformed| transformed.callers.as_deref());
        changed.unwrap_or_else(|| self.profile.stacks.parents())
    }

    /// The stack row at which each sample stands.
    fn sampled(&self) -> Cow<'_, [Option<StackId>]> {
        let stacks = self.profile.samples.stacks();
        match self.transformed.filter(|transformed| transformed.ends.is_some()) {
            Some(transformed) => stacks.iter().map(|stack| stack.map(|row| transformed.end(row))).collect(),
            None => Cow::Borrowed(stacks),
        }
    }

    /// The place of a row, or `None` where it is left out.
    fn place(&self, row: usize) -> Option<PlaceId> {
        let is_left_out = self.transformed.is_some_and(|transformed| transformed.left_out[row]);
        (!is_left_out).then(|| self.places[self.profile.stacks.frames()[row].row()])
    }
}

/// The node of a sample's stack.
pub fn node_of(nodes: &StackNodes, stack: Option<StackId>) -> NodeId {
    stack.and_then(|stack| nodes.get(stack.row()).copied()).unwrap_or(CallTree::ROOT)
}
