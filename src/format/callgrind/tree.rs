//! From the graph of calls to stacks with costs. See the format's documentation for what is exact and what is an estimate.

use super::graph::{Call, Costs, Graph, Grouped, Line, Node, Table};
use crate::base::discard::Unfinished;
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
    let Graph { builder, nodes, lines, calls, line_costs, call_costs, cost_lines } = graph;
    let events = line_costs.events();
    let mut totals = vec![0.0; events];
    // What each function costs with all that it calls, and what its callers say; a row of events for each.
    let (mut inclusive, mut incoming) = (Table::zeros(nodes.len(), events), Table::zeros(nodes.len(), events));
    for node in (0..nodes.len()).checked() {
        for line in lines.of(node) {
            add(&mut totals, line_costs.row(line.costs));
            add(inclusive.row_mut(node), line_costs.row(line.costs));
        }
        for call in calls.of(node) {
            add(inclusive.row_mut(node), call_costs.row(call.costs));
            if call.callee != node {
                add(incoming.row_mut(call.callee), call_costs.row(call.costs));
            }
        }
    }
    let own: f64 = totals.iter().sum();
    let max_work = (lines.len() + calls.len()).saturating_mul(WORK_PER_LINE).clamp(LEAST_WORK, MAX_WORK);
    let mut tree = Tree {
        builder,
        nodes,
        lines,
        calls,
        line_costs,
        call_costs,
        inclusive: &inclusive,
        totals: &totals,
        rest: line_costs.clone(),
        waiting: Unfinished::default(),
        work: 0,
        max_work,
    };
    // What nobody called with is called from outside.
    for node in (0..nodes.len()).rev().checked() {
        let weights: Vec<f64> = inclusive.row(node).iter().zip(incoming.row(node)).map(|(all, called)| (all - called).max(0.0)).collect();
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
    if calls.len() > 0 && own > 0.0 {
        let cause = "calls between functions: the file holds a call graph and no stacks, so paths longer than one call are estimates \
                     (each call costs the same on every path); self costs and totals of functions are exact";
        builder.notes.add(kind::GUESSED, cause, calls.len() as u64, None);
    }
    if unplaced > 0.0 && own > 0.0 {
        let cause = format!("costs of rare paths ({:.3} % of all) stand at functions without their callers", 100.0 * unplaced / own);
        builder.notes.add(kind::GUESSED, &cause, 1, None);
    }
    let used = if builder.rows.is_empty() { 0 } else { *cost_lines };
    builder.info.tally = Tally::new(used, *cost_lines - used);
    Ok(())
}

fn add(sums: &mut [f64], costs: &[u64]) {
    sums.iter_mut().zip(costs).for_each(|(sum, &cost)| *sum += cost as f64);
}

fn frame(builder: &mut Builder, node: &Node, file: Option<crate::model::StringId>, line: u32, address: Option<u64>) -> FrameId {
    let mapping = node.object.map(|object| builder.mapping(Mapping { file: Some(object), ..Mapping::default() }));
    let function = builder.function(Function { name: node.name, system_name: None, file, start_line: 0 });
    builder.frame(Frame { function: Some(function), mapping, address, line, ..Frame::default() })
}

struct Tree<'a> {
    builder: &'a mut Builder,
    nodes: &'a [Node],
    lines: &'a Grouped<Line>,
    calls: &'a Grouped<Call>,
    line_costs: &'a Costs,
    call_costs: &'a Costs,
    inclusive: &'a Table<f64>,
    totals: &'a [f64],
    /// Costs of each line that no stack has yet.
    rest: Costs,
    waiting: Unfinished<Vec<Path>>,
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
        let Some(node) = self.nodes.get(path.node) else { return };
        let inclusive = self.inclusive.row(path.node);
        let shares: Vec<f64> =
            path.weights.iter().zip(inclusive).map(|(weight, all)| if *all > 0.0 { (weight / all).min(1.0) } else { 0.0 }).collect();
        let (lines, calls) = (self.lines.of(path.node), self.calls.of(path.node));
        let mut values = Vec::with_capacity(self.totals.len());
        for line in lines {
            values.clear();
            for ((rest, &cost), share) in self.rest.row_mut(line.costs).iter_mut().zip(self.line_costs.row(line.costs)).zip(&shares) {
                // No more than what is left, whatever the rounding did; a conversion to an integer saturates.
                let part = ((cost as f64 * share).round() as u64).min(*rest);
                *rest -= part;
                values.push(i64::try_from(part).unwrap_or(i64::MAX));
            }
            self.add(path.parent, node, line, &values);
        }
        self.work += 1 + lines.len() + calls.len();
        if path.depth >= MAX_DEPTH || self.work >= self.max_work {
            return;
        }
        for call in calls.iter().rev() {
            let weights: Vec<f64> = self.call_costs.row(call.costs).iter().zip(&shares).map(|(&cost, share)| cost as f64 * share).collect();
            if self.is_large(&weights) {
                let place = frame(self.builder, node, node.file, call.line, None);
                let parent = Some(self.builder.stack(path.parent, place));
                self.waiting.push(Path { parent, node: call.callee, depth: path.depth + 1, weights });
            }
        }
    }

    fn add(&mut self, parent: Option<StackId>, function: &Node, line: &Line, values: &[i64]) {
        if values.iter().all(|&value| value == 0) {
            return;
        }
        let leaf = frame(self.builder, function, line.file.or(function.file), line.line, line.address);
        let stack = Some(self.builder.stack(parent, leaf));
        self.builder.rows.sample(Sample { stack, thread: function.thread, ..Sample::default() }, values);
    }

    /// Puts what no path took at its function, so that self costs are exact; gives how much that is.
    fn place_rest(&mut self) -> f64 {
        let rest = std::mem::take(&mut self.rest);
        let mut sum = 0.0;
        for (at, node) in self.nodes.iter().enumerate().checked() {
            for line in self.lines.of(at) {
                let costs = rest.row(line.costs);
                let values: Vec<i64> = costs.iter().map(|&cost| i64::try_from(cost).unwrap_or(i64::MAX)).collect();
                sum += costs.iter().map(|&cost| cost as f64).sum::<f64>();
                self.add(None, node, line, &values);
            }
        }
        sum
    }
}
