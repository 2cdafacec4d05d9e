//! The shape of a call tree over one or more captures, without any weight.
//!
//! Nodes stand in preorder with siblings in name order: a subtree is the row range from a node to its `subtree_end`, a forward loop
//! sees callers first and a backward loop callees first. One function builds single trees, unions of several captures and bottom-up
//! trees alike: a union is what comes out when the stacks of several captures are put into one shape.

use super::place::{FramePlaces, PlaceId, Places};
use crate::base::discard::Unfinished;
use crate::base::forest::Forest;
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
                *count += 1;
                path.push(node);
                *count == 1
            })
            .collect()
    }
}

/// Nodes in order of first use, found again by (parent, place). The root is not among them: it is the parent `None`.
type Draft = Forest<NodeId, PlaceId>;

/// The draft's node of each stack row of one capture.
type DraftNodes = Unfinished<Vec<Option<NodeId>>>;

/// The node of `place` below `parent`; a full table (2³²−1 nodes) gives the parent.
fn child(draft: &mut Draft, parent: Option<NodeId>, place: PlaceId) -> Option<NodeId> {
    draft.child(parent, place).or(parent)
}

/// How often the long loops look at the ticket, in rows.
const CHECK_ROWS: usize = 1 << 16;

/// Puts the stacks of all captures into one shape; gives it and, per capture, the node of each stack row.
///
/// `transform` says where a stack row goes, see [`Step`]. Bottom-up trees hold the reversed path of every stack that a sample names;
/// stack rows that no sample names go to the root there.
pub fn build(
    captures: &[(&Profile, &FramePlaces)],
    direction: Direction,
    transform: &dyn Fn(PlaceId) -> Step,
    ticket: &Ticket,
) -> Result<(CallTree, Vec<StackNodes>), Cancelled> {
    build_without(captures, &[], direction, transform, ticket)
}

/// The same without the stack rows that `dropped` marks, capture by capture; their callees hang on their callers, as with
/// [`Step::Hide`]. See [`prune`](super::prune).
pub fn build_without(
    captures: &[(&Profile, &FramePlaces)],
    dropped: &[Option<Vec<bool>>],
    direction: Direction,
    transform: &dyn Fn(PlaceId) -> Step,
    ticket: &Ticket,
) -> Result<(CallTree, Vec<StackNodes>), Cancelled> {
    ticket.stage("building the tree", captures.iter().map(|(profile, _)| profile.stacks.len() as u64).sum())?;
    let mut draft = Unfinished::new(Draft::new());
    let mut nodes: Vec<DraftNodes> = Vec::with_capacity(captures.len());
    for (at, (profile, places)) in captures.iter().enumerate() {
        let dropped = dropped.get(at).and_then(|dropped| dropped.as_deref());
        let step = |stack: usize, frame: usize| {
            let place = places[frame];
            let is_dropped = dropped.is_some_and(|dropped| dropped[stack]);
            (place, if is_dropped { Step::Hide } else { transform(place) })
        };
        nodes.push(match direction {
            Direction::TopDown => top_down(&mut draft, profile, &step, ticket)?,
            Direction::BottomUp => bottom_up(&mut draft, profile, &step, ticket)?,
        });
    }
    let (parents, places) = draft.keep().into_columns();
    let (parents, places) = (Unfinished::new(parents), Unfinished::new(places));
    let (tree, new_row) = preorder(parents.as_slice(), places.as_slice(), ticket)?;
    let moved = |node: Option<NodeId>| NodeId::from_row(new_row[position(node)] as usize).unwrap_or(CallTree::ROOT);
    let nodes = nodes.into_iter().map(|rows| rows.keep().into_iter().checked().map(moved).collect()).collect();
    Ok((tree.keep(), nodes))
}

/// What becomes of a frame on its way into a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It becomes a node.
    Keep,
    /// It is left out; its callees hang on its caller.
    Hide,
}

/// The place of a frame in a stack row, and what becomes of it; both by row.
type RowStep<'a> = dyn Fn(usize, usize) -> (PlaceId, Step) + 'a;

fn top_down(draft: &mut Draft, profile: &Profile, step: &RowStep<'_>, ticket: &Ticket) -> Result<DraftNodes, Cancelled> {
    let frames = profile.stacks.frames();
    let place = |row: usize| match step(row, frames[row].row()) {
        (place, Step::Keep) => Some(place),
        (_, Step::Hide) => None,
    };
    draft.join(profile.stacks.parents(), place, |rows| ticket.advance(rows)).map(Unfinished::new)
}

fn bottom_up(draft: &mut Draft, profile: &Profile, step: &RowStep<'_>, ticket: &Ticket) -> Result<DraftNodes, Cancelled> {
    let mut nodes = Unfinished::new(vec![None; profile.stacks.len()]);
    let mut done = vec![false; profile.stacks.len()];
    for stack in profile.samples.stacks().iter().copied().flatten() {
        if std::mem::replace(&mut done[stack.row()], true) {
            continue;
        }
        ticket.advance(1)?;
        let mut at = None;
        for row in std::iter::successors(Some(stack), |&row| profile.stacks.parent(row)) {
            if let (place, Step::Keep) = step(row.row(), profile.stacks.frame(row).row()) {
                at = child(draft, at, place);
            }
        }
        nodes[stack.row()] = at;
    }
    Ok(nodes)
}

/// Where a draft's node stands when the root is put before all of them.
fn position(node: Option<NodeId>) -> usize {
    node.map_or(0, |node| node.row() + 1)
}

/// Sorts a draft into preorder with siblings by place; gives the tree and the new row of each old [`position`].
fn preorder(
    parents: &[Option<NodeId>],
    places: &[PlaceId],
    ticket: &Ticket,
) -> Result<(Unfinished<CallTree>, Unfinished<Vec<u32>>), Cancelled> {
    let len = parents.len() + 1;
    // Children of each node as one slice of `children`, by counting.
    let mut start = Unfinished::new(vec![0_u32; len + 1]);
    for part in parents.chunks(CHECK_ROWS) {
        ticket.check()?;
        for &parent in part {
            start[position(parent) + 1] += 1;
        }
    }
    for row in (0..len).checked() {
        start[row + 1] += start[row];
    }
    let mut children = Unfinished::new(vec![0_u32; parents.len()]);
    // `start` moves to each slice's end, which is the next one's start.
    for (row, &parent) in parents.iter().enumerate() {
        if row.is_multiple_of(CHECK_ROWS) {
            ticket.check()?;
        }
        let at = &mut start[position(parent)];
        children[*at as usize] = row as u32 + 1;
        *at += 1;
    }
    let mut tree = Columns::with_capacity(len);
    let mut new_row = Unfinished::new(vec![0_u32; len]);
    // Row, new row of its parent, depth.
    let mut open = vec![(0_u32, None::<NodeId>, 0_u32)];
    while let Some((row, parent, depth)) = open.pop() {
        if tree.place.len().is_multiple_of(CHECK_ROWS) {
            ticket.check()?;
        }
        let place = (row as usize).checked_sub(1).map_or(Places::root(), |row| places[row]);
        let new = tree.push(place, parent, depth);
        new_row[row as usize] = new.map_or(0, NodeId::row) as u32;
        let first = (row as usize).checked_sub(1).map_or(0, |before| start[before]);
        let slice = &mut children[first as usize..start[row as usize] as usize];
        // Descending, since the stack gives the last one first.
        if slice.len() > 1 {
            slice.sort_unstable_by_key(|&child| std::cmp::Reverse(places[child as usize - 1]));
        }
        open.extend(slice.iter().map(|&child| (child, new, depth + 1)));
    }
    Ok((Unfinished::new(tree.finish()), new_row))
}

/// A tree that grows in preorder.
struct Columns {
    place: Unfinished<Vec<PlaceId>>,
    parent: Unfinished<Vec<Option<NodeId>>>,
    depth: Unfinished<Vec<u32>>,
}

impl Columns {
    fn with_capacity(nodes: usize) -> Self {
        Self {
            place: Unfinished::new(Vec::with_capacity(nodes)),
            parent: Unfinished::new(Vec::with_capacity(nodes)),
            depth: Unfinished::new(Vec::with_capacity(nodes)),
        }
    }

    fn push(&mut self, place: PlaceId, parent: Option<NodeId>, depth: u32) -> Option<NodeId> {
        self.place.push(place);
        self.parent.push(parent);
        self.depth.push(depth);
        NodeId::from_row(self.place.len() - 1)
    }

    fn finish(self) -> CallTree {
        let mut subtree_end: Unfinished<Vec<u32>> = (1..=self.place.len() as u32).checked().collect();
        for row in (1..self.place.len()).rev().checked() {
            if let Some(parent) = self.parent[row] {
                subtree_end[parent.row()] = subtree_end[parent.row()].max(subtree_end[row]);
            }
        }
        CallTree {
            place: Column::from_vec(self.place.keep()),
            parent: Column::from_vec(self.parent.keep()),
            subtree_end: Column::from_vec(subtree_end.keep()),
            depth: Column::from_vec(self.depth.keep()),
        }
    }
}

/// The node of a sample's stack.
pub fn node_of(nodes: &StackNodes, stack: Option<StackId>) -> NodeId {
    stack.and_then(|stack| nodes.get(stack.row()).copied()).unwrap_or(CallTree::ROOT)
}
