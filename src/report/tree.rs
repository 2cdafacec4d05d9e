//! The whole call tree as data: what `export -o x.json` writes.
//!
//! Nodes are a flat list, not nested objects: stacks may be deeper than JSON readers can nest. Start reading at [`TreeReport::new`].

use serde::Serialize;

use super::SCHEMA;
use super::number::Number;
use crate::analysis::{CallTree, Comparison, Filter, Granularity};

/// A tree over one or two captures; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TreeReport {
    schema: u32,
    sample_type: String,
    unit: String,
    by: &'static str,
    /// Filters, as options of the command line.
    filters: Vec<String>,
    sides: Vec<TreeSide>,
    /// Row 0 is the root.
    places: Vec<TreePlace>,
    /// Callers first; the subtree of a node is contiguous. Row 0 is the root, whose self are samples without a frame.
    nodes: Vec<TreeNode>,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TreeSide {
    files: Vec<String>,
    /// Sum over all samples, without any filter.
    total: Number,
    /// Sum over the samples that the filters let through.
    selected: Number,
    denominator: Number,
    duration_ns: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TreePlace {
    name: String,
    file: Option<String>,
    line: Option<u32>,
    package: Option<String>,
    module: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TreeNode {
    /// Row of the caller; null for the root.
    parent: Option<usize>,
    /// Row of `places`.
    place: usize,
    /// One value per side.
    #[serde(rename = "self")]
    self_: Vec<Number>,
    /// One value per side.
    total: Vec<Number>,
}

impl TreeReport {
    /// The tree of a comparison that was weighed with a filter. `files` are the paths of each side as the user gave them.
    pub fn new(comparison: &Comparison, files: &[Vec<String>], (by, filter): (Granularity, &Filter), decimals: u8) -> Self {
        let number = |stored: i64| Number::new(stored, decimals);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let sides = comparison.sides.iter().enumerate().map(|(at, side)| TreeSide {
            files: files.get(at).cloned().unwrap_or_default(),
            total: number(side.total),
            selected: number(side.weights.total()),
            denominator: number(i64::try_from(side.whole).unwrap_or(i64::MAX)),
            duration_ns: side.duration_nanos,
        });
        let places = comparison.places().iter_ids().map(|(_, place)| TreePlace {
            name: place.name.clone(),
            file: some(&place.file),
            line: (place.line > 0).then_some(place.line),
            package: some(&place.package),
            module: some(place.only_module()),
        });
        let tree = comparison.tree();
        // Filters leave nodes without any value: they are not in what is shown.
        let mut is_there: Vec<bool> = tree
            .nodes()
            .map(|node| node == CallTree::ROOT || comparison.sides.iter().any(|side| side.weights.self_of(node) != 0))
            .collect();
        for (row, parent) in tree.parents().iter().enumerate().rev() {
            if let Some(parent) = parent {
                is_there[parent.row()] |= is_there[row];
            }
        }
        let row_of: Vec<usize> = is_there
            .iter()
            .scan(0, |rows, &is_there| {
                *rows += usize::from(is_there);
                Some(rows.saturating_sub(1))
            })
            .collect();
        let nodes = tree.nodes().filter(|node| is_there[node.row()]).map(|node| TreeNode {
            parent: tree.parent(node).map(|parent| row_of[parent.row()]),
            place: tree.place(node).row(),
            self_: comparison.sides.iter().map(|side| number(side.weights.self_of(node))).collect(),
            total: comparison.sides.iter().map(|side| number(side.weights.total_of(node))).collect(),
        });
        Self {
            schema: SCHEMA,
            sample_type: comparison.sample_type.clone(),
            unit: comparison.unit.clone(),
            by: by.name(),
            filters: filter.options(),
            sides: sides.collect(),
            places: places.collect(),
            nodes: nodes.collect(),
        }
    }
}
