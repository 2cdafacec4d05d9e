//! A tree that was made in branches: each grows by itself in preorder, and those below stand where the top has a node for them.

use super::{CallTree, NodeId};
use crate::analysis::place::PlaceId;
use crate::base::discard::discard;
use crate::base::index::Column;
use crate::base::ticket::{Cancelled, Ticket};

/// A part of a tree with rows of its own: the node at its root, and all or some of those below.
#[derive(Default)]
pub(super) struct Branch {
    place: Vec<PlaceId>,
    /// Rows of this branch.
    parent: Vec<Option<u32>>,
    depth: Vec<u32>,
    /// Rows of this branch, once it is closed.
    subtree_end: Vec<u32>,
}

impl Branch {
    pub(super) fn len(&self) -> usize {
        self.place.len()
    }

    /// Adds a node; it has to be the next one in preorder.
    pub(super) fn push(&mut self, place: PlaceId, parent: Option<u32>, depth: u32) -> u32 {
        self.place.push(place);
        self.parent.push(parent);
        self.depth.push(depth);
        self.place.len() as u32 - 1
    }

    /// Finds the ends of subtrees, when all nodes are there.
    pub(super) fn close(&mut self) {
        self.subtree_end = (1..=self.place.len() as u32).collect();
        for row in (1..self.place.len()).rev() {
            if let Some(parent) = self.parent[row] {
                let end = self.subtree_end[row].max(self.subtree_end[parent as usize]);
                self.subtree_end[parent as usize] = end;
            }
        }
    }
}

/// All branches in their places.
#[derive(Default)]
pub(super) struct Grafted {
    top: Branch,
    /// The branches below, with the rows of the top that stand for their roots, ascending.
    below: Vec<(usize, Branch)>,
    /// Where each row of the top goes in the whole tree, and one more for the end.
    moved: Vec<u32>,
}

impl Grafted {
    pub(super) fn new(top: Branch, below: Vec<(usize, Branch)>) -> Self {
        let mut moved = Vec::with_capacity(top.len() + 1);
        let mut at = 0;
        let mut next = below.iter().peekable();
        for row in 0..top.len() {
            moved.push(at);
            at += next.next_if(|(root, _)| *root == row).map_or(1, |(_, branch)| branch.len() as u32);
        }
        moved.push(at);
        Self { top, below, moved }
    }

    /// The node of a row of a branch; 0 is the top, and those below are numbered from 1.
    pub(super) fn node(&self, branch: usize, row: usize) -> NodeId {
        let node = match branch.checked_sub(1) {
            None => self.moved[row] as usize,
            Some(below) => self.moved[self.below[below].0] as usize + row,
        };
        NodeId::from_row(node).unwrap_or(CallTree::ROOT)
    }

    /// One column of the tree: what `own` says of a row of the top that stays, and `below` of all rows of a branch that begins at a node and
    /// hangs on a parent.
    fn column<'a, T: Send + 'static, B: IntoIterator<Item = T>>(
        &'a self,
        ticket: &Ticket,
        own: impl Fn(usize) -> T,
        below: impl Fn(&'a Branch, u32, Option<NodeId>) -> B,
    ) -> Result<Vec<T>, Cancelled> {
        let mut column = Vec::with_capacity(self.moved.last().map_or(0, |&end| end as usize));
        let mut next = self.below.iter().peekable();
        for row in 0..self.top.len() {
            let Some((_, branch)) = next.next_if(|(root, _)| *root == row) else {
                column.push(own(row));
                continue;
            };
            if let Err(cancelled) = ticket.check() {
                discard(column);
                return Err(cancelled);
            }
            column.extend(below(branch, self.moved[row], self.parent(row)));
        }
        Ok(column)
    }

    /// The parent of a row of the top.
    fn parent(&self, row: usize) -> Option<NodeId> {
        self.top.parent[row].and_then(|parent| NodeId::from_row(self.moved[parent as usize] as usize))
    }

    /// The whole tree.
    pub(super) fn tree(&self, ticket: &Ticket) -> Result<CallTree, Cancelled> {
        let place = || self.column(ticket, |row| self.top.place[row], |branch, _, _| branch.place.iter().copied());
        let depth = || self.column(ticket, |row| self.top.depth[row], |branch, _, _| branch.depth.iter().copied());
        let subtree_end = || {
            let own = |row: usize| self.moved[self.top.subtree_end[row] as usize];
            self.column(ticket, own, |branch, first, _| branch.subtree_end.iter().map(move |end| first + end))
        };
        let parent = || {
            self.column(
                ticket,
                |row| self.parent(row),
                |branch, first, root| {
                    let inner = move |parent: u32| NodeId::from_row((first + parent) as usize);
                    branch.parent.iter().map(move |parent| parent.map_or(root, inner))
                },
            )
        };
        let ((place, depth), (subtree_end, parent)) = rayon::join(|| (place(), depth()), || (subtree_end(), parent()));
        Ok(CallTree {
            place: Column::from_vec(place?),
            parent: Column::from_vec(parent?),
            subtree_end: Column::from_vec(subtree_end?),
            depth: Column::from_vec(depth?),
        })
    }
}
