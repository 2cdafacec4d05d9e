//! Which of two siblings stands left: by name, as the tree has them, or the larger one.
//!
//! By size, the heaviest path runs down the left edge ("left heavy"). Deliberately absent: what size is. The caller gives it, and gives the same one for every
//! shape of a comparison, so that boxes keep their order in before, after and both. Start reading at [`BySize::new`].

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::analysis::call_tree::NodeId;
use crate::base::ticket::Checked as _;

/// The order of boxes that have one caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiblingOrder {
    /// By name: a box stands where its name says, whatever it costs.
    #[default]
    Name,
    /// The largest first; in a comparison by the sum of both sides.
    Size,
}

impl SiblingOrder {
    /// All, in the order of the switch.
    pub const ALL: [Self; 2] = [Self::Name, Self::Size];

    /// Words on the switch.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Size => "Size",
        }
    }
}

/// All nodes of a tree in another preorder: of siblings the largest first, of equal ones as in the tree.
#[derive(Clone, Debug, Default)]
pub struct BySize {
    /// From left to right, callers before callees.
    nodes: Vec<NodeId>,
    /// Where each node stands in `nodes`, one entry per node.
    places: Vec<u32>,
}

impl BySize {
    /// Orders a tree. `self_size` has one entry per node: what the node adds to the sizes of its callees.
    pub fn new(shape: Shape<'_>, self_size: &[u64]) -> Self {
        let count = shape.parents.len().min(self_size.len());
        // Sums of 64 bits may be larger.
        let mut total: Vec<u128> = self_size[..count].iter().checked().map(|&size| u128::from(size)).collect();
        let mut members: Vec<u32> = vec![1; count];
        for (row, parent) in shape.parents[..count].iter().enumerate().rev().checked() {
            if let Some(parent) = parent {
                total[parent.row()] += total[row];
                members[parent.row()] += members[row];
            }
        }
        // Callees of one caller beside each other, the largest first; roots come before all others.
        let key = |row: u32| shape.parents[row as usize].map_or(0, |parent| parent.row() + 1);
        let mut rows: Vec<u32> = (0..count as u32).checked().collect();
        rows.sort_by(|&a, &b| {
            let size = |row: u32| total[row as usize];
            key(a).cmp(&key(b)).then_with(|| size(b).cmp(&size(a))).then(a.cmp(&b))
        });
        // Where the next callee of each caller comes; a caller's place is known before those of its callees are asked for.
        let mut places: Vec<u32> = vec![0; count];
        let (mut caller, mut next) = (None, 0);
        for row in rows.into_iter().checked() {
            let own = shape.parents[row as usize];
            if own != caller {
                (caller, next) = (own, own.map_or(0, |parent| places[parent.row()] + 1));
            }
            places[row as usize] = next;
            next += members[row as usize];
        }
        let mut nodes: Vec<Option<NodeId>> = vec![None; count];
        for (row, &place) in places.iter().enumerate().checked() {
            nodes[place as usize] = NodeId::from_row(row);
        }
        Self { nodes: nodes.into_iter().flatten().collect(), places }
    }

    /// From left to right, callers before callees.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Where a node stands among [`nodes`](Self::nodes).
    pub fn place(&self, node: NodeId) -> usize {
        self.places.get(node.row()).map_or(usize::MAX, |&place| place as usize)
    }
}
