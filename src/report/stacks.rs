//! The stacks of a comparison as folded text.
//!
//! Deliberately absent: reading (see the folded format's reader). Start reading at [`folded`].

use super::number::Number;
use crate::analysis::{CallTree, Comparison};

/// One line for each path with a value, outermost first, sorted by bytes: `main;work 7`. `;` in names is written `:`, line ends as `\n`;
/// samples without a frame are `(no stack)`.
///
/// Of a comparison with two sides the lines have two numbers, before and after, as inferno-diff-folded writes them.
pub fn folded(comparison: &Comparison, decimals: u8) -> String {
    let mut lines: Vec<String> = lines(
        comparison,
        |name| name.replace(';', ":").replace('\n', "\\n").replace('\r', "\\r"),
        |values| {
            values.iter().any(|&value| value != 0).then(|| {
                let numbers: Vec<String> = values.iter().map(|&value| Number::new(value, decimals).to_string()).collect();
                numbers.join(" ")
            })
        },
    );
    lines.sort_unstable();
    lines.into_iter().map(|line| line + "\n").collect()
}

/// `path values` for each node that has some, in tree order.
fn lines(comparison: &Comparison, name: impl Fn(&str) -> String, mut values: impl FnMut(&[i64]) -> Option<String>) -> Vec<String> {
    let (tree, places) = (comparison.tree(), comparison.places());
    let names: Vec<String> = places.iter_ids().map(|(_, place)| name(&place.name)).collect();
    let mut lines = Vec::new();
    // The path to the node at hand, and its length before each level.
    let (mut path, mut ends) = (String::new(), Vec::<usize>::new());
    for node in tree.nodes() {
        if node != CallTree::ROOT {
            let depth = tree.depth(node) as usize;
            ends.truncate(depth - 1);
            path.truncate(ends.last().copied().unwrap_or(0));
            if !path.is_empty() {
                path.push(';');
            }
            path.push_str(names.get(tree.place(node).row()).map_or("", String::as_str));
            ends.push(path.len());
        }
        let selfs: Vec<i64> = comparison.sides.iter().map(|side| side.weights.self_of(node)).collect();
        if let Some(numbers) = values(&selfs) {
            let path = if node == CallTree::ROOT { "(no stack)" } else { path.as_str() };
            lines.push(format!("{path} {numbers}"));
        }
    }
    lines
}
