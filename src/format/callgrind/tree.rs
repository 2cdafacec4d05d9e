//! From the graph of calls to stacks with costs. See the format's documentation for what is exact and what is an estimate.

use super::graph::{Graph, Node};
use crate::base::ticket::{Checked as _, Ticket};
use crate::format::ReadError;
use crate::model::{Builder, Frame, FrameId, Function, Mapping, Sample, StackId, Tally, kind};

/// A path is followed while it carries at least this part of all costs of some event.
const SMALLEST_PART: f64 = 1.0 / 20_000.0;

/// Longest path: recursion that loses nothing on the way would never end.
const MAX_DEPTH: usize = 400;

/// Cost lines and calls that are looked at on paths, most of all; longer paths are left then. Real files stay far below.
const MAX_WORK: usize = 50_000_000;

/// The same for small files, where this many for each line and call are enough: calls that cost more than all functions together (a damaged
/// file) would else be followed round and round.
const WORK_PER_LINE: usize = 200;

/// And what every file may take.
const LEAST_WORK: usize = 300_000;

/// Cost lines and calls between two looks at the cancel switch.
const WORK_PER_CHECK: usize = 16_384;

/// A path that waits: where its caller's stack is, the function, and what reaches it by event.
struct Path {
    parent: Option<StackId>,
    node: usize,
    depth: usize,
    weights: Vec<f64>,
}

/// Adds samples to the graph's builder.
pub(super) fn build(graph: &mut Graph, ticket: &Ticket) -> Result<(), ReadError> {
    let Graph { builder, nodes, events, cost_lines } = graph;
    let inclusive: Vec<Vec<f64>> = nodes.iter().checked().map(|node| inclusive(node, *events)).collect();
    let mut incoming = vec![vec![0.0; *events]; nodes.len()];
    for (caller, node) in nodes.iter().enumerate().checked() {
        for call in node.calls.iter().filter(|call| call.callee != caller) {
            let sums = incoming.get_mut(call.callee).map_or(&mut [][..], Vec::as_mut_slice);
            sums.iter_mut().zip(&call.costs).for_each(|(sum, &cost)| *sum += cost as f64);
        }
    }
    let own: f64 = nodes.iter().checked().flat_map(|node| &node.lines).flat_map(|line| &line.costs).map(|&cost| cost as f64).sum();
    let calls = nodes.iter().map(|node| node.calls.len()).sum::<usize>();
    let mut totals = vec![0.0; *events];
    for line in nodes.iter().checked().flat_map(|node| &node.lines) {
        totals.iter_mut().zip(&line.costs).for_each(|(total, &cost)| *total += cost as f64);
    }
    let lines = nodes.iter().map(|node| node.lines.len()).sum::<usize>();
    let max_work = (lines + calls).saturating_mul(WORK_PER_LINE).clamp(LEAST_WORK, MAX_WORK);
    let rest = nodes.iter().checked().map(|node| node.lines.iter().map(|line| line.costs.clone()).collect()).collect();
    let mut tree = Tree { builder, nodes, inclusive: &inclusive, totals: &totals, rest, waiting: Vec::new(), work: 0, max_work };
    // What nobody called with is called from outside.
    for (node, (all, called)) in inclusive.iter().zip(&incoming).enumerate().rev().checked() {
        let weights: Vec<f64> = all.iter().zip(called).map(|(all, called)| (all - called).max(0.0)).collect();
        if tree.is_large(&weights) {
            tree.waiting.push(Path { parent: None, node, depth: 0, weights });
        }
    }
    let mut checked = 0;
    while let Some(path) = tree.waiting.pop() {
        if tree.work - checked >= WORK_PER_CHECK {
            checked = tree.work;
            ticket.check()?;
        }
        tree.follow(&path);
    }
    let unplaced = tree.place_rest();
    if calls > 0 && own > 0.0 {
        let cause = "calls between functions: the file holds a call graph and no stacks, so paths longer than one call are estimates \
                     (each call costs the same on every path); self costs and totals of functions are exact";
        builder.notes.add(kind::GUESSED, cause, calls as u64, None);
    }
    if unplaced > 0.0 && own > 0.0 {
        let cause = format!("costs of rare paths ({:.3} % of all) stand at functions without their callers", 100.0 * unplaced / own);
        builder.notes.add(kind::GUESSED, &cause, 1, None);
    }
    let used = if builder.rows.is_empty() { 0 } else { *cost_lines };
    builder.info.tally = Tally::new(used, *cost_lines - used);
    Ok(())
}

/// What a function costs with all that it calls.
fn inclusive(node: &Node, events: usize) -> Vec<f64> {
    let mut sums = vec![0.0; events];
    for costs in node.lines.iter().map(|line| &line.costs).chain(node.calls.iter().map(|call| &call.costs)) {
        sums.iter_mut().zip(costs).for_each(|(sum, &cost)| *sum += cost as f64);
    }
    sums
}

fn frame(builder: &mut Builder, node: &Node, file: Option<crate::model::StringId>, line: u32, address: Option<u64>) -> FrameId {
    let mapping = node.object.map(|object| builder.mapping(Mapping { file: Some(object), ..Mapping::default() }));
    let function = builder.function(Function { name: node.name, system_name: None, file, start_line: 0 });
    builder.frame(Frame { function: Some(function), mapping, address, line, ..Frame::default() })
}

struct Tree<'a> {
    builder: &'a mut Builder,
    nodes: &'a [Node],
    inclusive: &'a [Vec<f64>],
    totals: &'a [f64],
    /// Costs of each line of each function that no stack has yet.
    rest: Vec<Vec<Vec<u64>>>,
    waiting: Vec<Path>,
    /// Cost lines and calls looked at so far.
    work: usize,
    /// How many are looked at.
    max_work: usize,
}

impl Tree<'_> {
    fn is_large(&self, weights: &[f64]) -> bool {
        weights.iter().zip(self.totals).any(|(weight, total)| *weight > 0.0 && *weight >= total * SMALLEST_PART)
    }

    /// Gives a path its share of the function's own costs and follows the calls.
    fn follow(&mut self, path: &Path) {
        let (Some(node), Some(inclusive)) = (self.nodes.get(path.node), self.inclusive.get(path.node)) else { return };
        let shares: Vec<f64> =
            path.weights.iter().zip(inclusive).map(|(weight, all)| if *all > 0.0 { (weight / all).min(1.0) } else { 0.0 }).collect();
        for (row, line) in node.lines.iter().enumerate() {
            let Some(rest) = self.rest.get_mut(path.node).and_then(|lines| lines.get_mut(row)) else { continue };
            let mut values = vec![0; rest.len()];
            for (((value, rest), &cost), share) in values.iter_mut().zip(rest).zip(&line.costs).zip(&shares) {
                // No more than what is left, whatever the rounding did; a conversion to an integer saturates.
                let part = ((cost as f64 * share).round() as u64).min(*rest);
                *rest -= part;
                *value = i64::try_from(part).unwrap_or(i64::MAX);
            }
            self.add(path.parent, path.node, row, &values);
        }
        self.work += 1 + node.lines.len() + node.calls.len();
        if path.depth >= MAX_DEPTH || self.work >= self.max_work {
            return;
        }
        for call in node.calls.iter().rev() {
            let weights: Vec<f64> = call.costs.iter().zip(&shares).map(|(&cost, share)| cost as f64 * share).collect();
            if self.is_large(&weights) {
                let place = frame(self.builder, node, node.file, call.line, None);
                let parent = Some(self.builder.stack(path.parent, place));
                self.waiting.push(Path { parent, node: call.callee, depth: path.depth + 1, weights });
            }
        }
    }

    fn add(&mut self, parent: Option<StackId>, node: usize, row: usize, values: &[i64]) {
        let Some((function, line)) = self.nodes.get(node).and_then(|node| Some((node, node.lines.get(row)?))) else { return };
        if values.iter().all(|&value| value == 0) {
            return;
        }
        let leaf = frame(self.builder, function, line.file.or(function.file), line.line, line.address);
        let stack = Some(self.builder.stack(parent, leaf));
        self.builder.rows.sample(Sample { stack, thread: function.thread, ..Sample::default() }, values);
    }

    /// Puts what no path took at its function, so that self costs are exact; gives how much that is.
    fn place_rest(&mut self) -> f64 {
        let mut sum = 0.0;
        for (node, lines) in std::mem::take(&mut self.rest).iter().enumerate().checked() {
            for (row, costs) in lines.iter().enumerate() {
                let values: Vec<i64> = costs.iter().map(|&cost| i64::try_from(cost).unwrap_or(i64::MAX)).collect();
                sum += costs.iter().map(|&cost| cost as f64).sum::<f64>();
                self.add(None, node, row, &values);
            }
        }
        sum
    }
}
