//! One function between what calls it and what it calls: two trees made of the nodes of a comparison's tree.
//!
//! Every sample counts once: a stack is cut at its OUTERMOST frame of the function. What stands outside of that goes to the callers; the
//! frame itself, with all that it calls (itself again, too), to the callees. So both trees weigh what the function's total is in the flat
//! table, and beside the other half each path is a real one. Samples without the function stay at the root of both trees, so what they add
//! up to is still the whole. Deliberately absent: where boxes stand. Start reading at [`sandwich`].

use std::sync::Arc;

use super::call_tree::{CallTree, NodeId, callees_of, callers_of};
use super::comparison::{Comparison, Shape, Side};
use super::events::Evidence;
use super::place::PlaceId;
use super::slices::Slices;
use super::weigh::Weights;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};

/// The trees around one function. In both of them the root has one child, which is the function.
#[derive(Clone, Debug)]
pub struct Sandwich {
    /// The function, or whatever else a place is.
    pub place: PlaceId,
    /// Who calls it, innermost caller first: a node's total is what the function costs when it is called on this path.
    pub callers: Half,
    /// What it calls.
    pub callees: Half,
    /// Self value of the function on each side, as in the flat table: all its frames are among the callees.
    pub selfs: Vec<i64>,
}

/// One of both trees, with the weights and the evidence of the comparison that it was made of.
#[derive(Clone, Debug)]
pub struct Half {
    /// The tree over the same places and with the same sides; shares are of the same whole.
    pub comparison: Arc<Comparison>,
    /// Where each node of the comparison's own tree went: the root for what has nothing to do with the function.
    pub nodes: Vec<NodeId>,
}

/// The sandwich of a place of a top-down comparison; `None` where the place stands in no stack.
pub fn sandwich(comparison: &Comparison, place: PlaceId, ticket: &Ticket) -> Result<Option<Sandwich>, Cancelled> {
    let tree = comparison.tree();
    let mut outermost: Vec<Option<NodeId>> = Vec::new();
    let mut inside = vec![false; tree.len()];
    let mut end = 0;
    for node in tree.nodes().skip(1).checked() {
        if node.row() >= end && tree.place(node) == place {
            outermost.push(Some(node));
            end = tree.subtree_end(node);
        }
        inside[node.row()] = node.row() < end;
    }
    if outermost.is_empty() {
        return Ok(None);
    }
    let (below, to_callees) = callees_of(tree, &inside, ticket)?;
    let (above, ends) = callers_of(tree, &outermost, ticket)?;
    let mut to_callers = vec![CallTree::ROOT; tree.len()];
    for &node in outermost.iter().flatten() {
        for to in to_callers[node.row()..tree.subtree_end(node)].iter_mut().checked() {
            *to = ends[node.row()];
        }
    }
    let callers = Half::new(comparison, above, to_callers);
    let callees = Half::new(comparison, below, to_callees);
    let tree = callees.comparison.tree();
    let mut selfs = vec![0_i64; callees.comparison.sides.len()];
    for node in tree.nodes().checked().filter(|&node| tree.place(node) == place) {
        for (sum, side) in selfs.iter_mut().zip(&callees.comparison.sides) {
            *sum = sum.saturating_add(side.weights.self_of(node));
        }
    }
    Ok(Some(Sandwich { place, callers, callees, selfs }))
}

impl Half {
    /// The same tree without the samples that have nothing to do with the function: what is written as a picture of its own.
    pub fn alone(&self) -> Comparison {
        let mut alone = Comparison::clone(&self.comparison);
        for side in &mut alone.sides {
            let mut selfs = side.weights.selfs().to_vec();
            if let Some(root) = selfs.first_mut() {
                *root = 0;
            }
            side.weights = Arc::new(Weights::from_self(&alone.shape.tree, selfs, side.weights.samples()));
        }
        alone
    }

    fn new(comparison: &Comparison, tree: CallTree, nodes: Vec<NodeId>) -> Self {
        let (tree, nodes) = (Unfinished::new(tree), Unfinished::new(nodes));
        let sides: Unfinished<Vec<Side>> = comparison.sides.iter().map(|side| moved_side(side, &tree, &nodes)).collect();
        let of = &comparison.shape;
        let shape = Shape {
            places: Arc::clone(&of.places),
            tree: tree.keep(),
            // Stacks of captures are asked for in the tree that this one was made of.
            nodes: Vec::new(),
            frames: Vec::new(),
            samples: Vec::new(),
            dropped_samples: of.dropped_samples.clone(),
            matching: Arc::clone(&of.matching),
        };
        let made = Comparison {
            shape: Arc::new(shape),
            sides: sides.keep(),
            sample_type: comparison.sample_type.clone(),
            unit: comparison.unit.clone(),
            decimals: comparison.decimals,
            normalization: comparison.normalization.clone(),
            of_filtered: comparison.of_filtered,
        };
        Self { comparison: Arc::new(made), nodes: nodes.keep() }
    }

    /// A value of each node, from values of the nodes of the comparison that the half was made of. What went to the root is left out.
    pub fn moved<T: Clone + Default>(&self, values: &[T], add: impl Fn(&mut T, &T)) -> Vec<T> {
        let mut made = moved(values, self.comparison.tree().len(), &self.nodes, add);
        if let Some(root) = made.first_mut() {
            *root = T::default();
        }
        made
    }

    /// The node at the end of a path of names from the function on, which is left out.
    pub fn find(&self, path: &[String]) -> Option<NodeId> {
        let (tree, places) = (self.comparison.tree(), self.comparison.places());
        let step = |at: NodeId, name: &String| {
            let place = places.find(name)?;
            tree.children(at).find(|&child| tree.place(child) == place)
        };
        path.iter().try_fold(self.function(), step)
    }

    /// Names from the function on to a node, the function left out: what [`find`](Self::find) takes.
    pub fn path_of(&self, node: NodeId) -> Vec<String> {
        let places = self.comparison.places();
        self.comparison.tree().path(node).into_iter().skip(1).map(|place| places.name(place).to_owned()).collect()
    }

    /// The node of the function.
    pub fn function(&self) -> NodeId {
        self.comparison.tree().children(CallTree::ROOT).next().unwrap_or(CallTree::ROOT)
    }
}

fn moved<T: Clone + Default>(values: &[T], len: usize, nodes: &[NodeId], add: impl Fn(&mut T, &T)) -> Vec<T> {
    // Evidence of a lone capture has no columns.
    let mut made = vec![T::default(); if values.is_empty() { 0 } else { len }];
    for (value, to) in values.iter().zip(nodes).checked() {
        if let Some(sum) = made.get_mut(to.row()) {
            add(sum, value);
        }
    }
    made
}

fn moved_weights(weights: &Weights, tree: &CallTree, nodes: &[NodeId]) -> Arc<Weights> {
    let selfs = moved(weights.selfs(), tree.len(), nodes, |sum, value| *sum = sum.saturating_add(*value));
    Arc::new(Weights::from_self(tree, selfs, weights.samples()))
}

fn moved_side(side: &Side, tree: &CallTree, nodes: &[NodeId]) -> Side {
    let weights = moved_weights(&side.weights, tree, nodes);
    // The sum over a lone capture is that capture's.
    let of = |own: &Arc<Weights>| if Arc::ptr_eq(own, &side.weights) { Arc::clone(&weights) } else { moved_weights(own, tree, nodes) };
    let captures = side.captures.iter().map(of).collect();
    let sum = |values: &[f64]| moved(values, tree.len(), nodes, |sum, value| *sum += value);
    let Evidence { events, squares, total_events, basis, heap_rate } = &side.evidence;
    let (events, squares) = (sum(events), sum(squares));
    let evidence = Evidence { events, squares, total_events: *total_events, basis: *basis, heap_rate: *heap_rate };
    let slices = side.slices.as_ref().map(|slices| {
        let windows = slices.windows.iter().map(|window| moved_weights(window, tree, nodes)).collect();
        Arc::new(Slices { windows, ..**slices })
    });
    Side { weights, captures, evidence, slices, part: side.part.clone(), measured: side.measured.clone(), rows: side.rows.clone(), ..*side }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::analysis::comparison::{Normalization, SideInput, compare};
    use crate::analysis::{Direction, Filter, Granularity};
    use crate::model::{Builder, Frame, Profile, Sample};

    /// A comparison of captures in folded lines.
    pub(crate) fn compared(captures: &[&str]) -> Comparison {
        let profile = |text: &&str| -> Arc<Profile> {
            let mut builder = Builder::new([("samples", "count")]);
            for line in text.lines() {
                let (names, value) = line.trim().rsplit_once(' ').unwrap();
                let mut stack = None;
                for name in names.split(';') {
                    let function = Some(builder.function_named(name));
                    let frame = builder.frame(Frame { function, ..Frame::default() });
                    stack = Some(builder.stack(stack, frame));
                }
                builder.rows.sample(Sample { stack, ..Sample::default() }, &[value.parse().unwrap()]);
            }
            Arc::new(builder.finish())
        };
        let captures: Vec<_> = captures.iter().map(profile).collect();
        let (ticket, filter) = (Ticket::new(), Filter::default());
        let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &ticket).unwrap();
        let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
        compare(Arc::new(shape), &captures, &sides, ("samples", "count"), &filter, Normalization::Absolute, &ticket).unwrap()
    }

    /// The nodes with a value in the form `path self`, one list per side joined by `|`.
    fn text(half: &Half) -> Vec<String> {
        let comparison = &half.comparison;
        let (tree, places) = (comparison.tree(), comparison.places());
        let line = |node: NodeId| {
            let path: Vec<&str> = tree.path(node).into_iter().map(|place| places.name(place)).collect();
            let values: Vec<String> = comparison.sides.iter().map(|side| side.weights.self_of(node).to_string()).collect();
            format!("{} {}", path.join(";"), values.join("|"))
        };
        tree.nodes().skip(1).map(line).collect()
    }

    fn halves(captures: &[&str], name: &str) -> [Vec<String>; 2] {
        let comparison = compared(captures);
        let place = comparison.places().find(name).unwrap();
        let made = sandwich(&comparison, place, &Ticket::new()).unwrap().unwrap();
        for half in [&made.callers, &made.callees] {
            let tree = half.comparison.tree();
            assert_eq!(tree.children(CallTree::ROOT).map(|node| tree.place(node)).collect::<Vec<_>>(), [place]);
            assert_eq!(half.comparison.sides[0].weights.total(), comparison.sides[0].weights.total(), "nothing is lost");
        }
        [text(&made.callers), text(&made.callees)]
    }

    #[test]
    fn callers_and_callees_of_all_occurrences_are_put_together() {
        let [callers, callees] = halves(&["main;a;f;x 1\nmain;b;f;x 2\nmain;b;f 4\nf;y 8\nmain 16"], "f");
        assert_eq!(callees, ["f 4", "f;x 3", "f;y 8"]);
        // What was not called by anything ends at the function.
        assert_eq!(callers, ["f 8", "f;a 0", "f;a;main 1", "f;b 0", "f;b;main 6"]);
    }

    #[test]
    fn recursion_counts_once_from_the_outermost_frame_on() {
        let [callers, callees] = halves(&["main;f;g;f;h 1\nmain;f;f 2\ng;f;h 4"], "f");
        assert_eq!(callees, ["f 0", "f;f 2", "f;g 0", "f;g;f 0", "f;g;f;h 1", "f;h 4"]);
        assert_eq!(callers, ["f 0", "f;g 4", "f;main 3"]);
    }

    #[test]
    fn both_sides_of_a_comparison_stand_in_one_tree() {
        let [callers, callees] = halves(&["a;f;x 1\nb;f;y 2", "a;f;x 4\nc;f;z 8"], "f");
        assert_eq!(callees, ["f 0|0", "f;x 1|4", "f;y 2|0", "f;z 0|8"]);
        assert_eq!(callers, ["f 0|0", "f;a 1|4", "f;b 2|0", "f;c 0|8"]);
    }

    #[test]
    fn what_stands_in_no_stack_has_no_sandwich() {
        let comparison = compared(&["a 1"]);
        assert!(sandwich(&comparison, crate::analysis::Places::root(), &Ticket::new()).unwrap().is_none());
    }
}
