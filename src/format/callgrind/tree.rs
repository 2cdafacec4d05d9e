//! From the graph of calls to stacks with costs. See the format's documentation for what is exact and what is an estimate.
//!
//! Two passes. The first one follows large paths and splits costs in proportion ([`Tree::follow`]). What a path does not split (calls that are
//! too rare, too deep, and units lost by rounding) stays with it. The second one ([`Tree::fill`]) gives it lines and calls that have costs left,
//! each as much as it can take. As all numbers are whole and what enters a function leaves it again ([`Flow`]), everything finds a place below
//! its callers, in no more steps than there are paths, lines and calls.

use super::flow::{Flow, add, part};
use super::graph::{Call, Costs, Graph, Grouped, Line, Node, Table};
use super::signed::Event;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Ticket};
use crate::format::ReadError;
use crate::model::{Builder, Frame, FrameId, Function, Mapping, Sample, StackId, Tally, kind};

/// A path is followed while it carries at least this part of all costs of some event.
const SMALLEST_PART: f64 = 1.0 / 20_000.0;

/// Longest path that is split: recursion that loses nothing on the way would never end.
const MAX_DEPTH: usize = 400;

/// Calls above the costs in the longest stack, but for the way through a recursion: what is called further in stands there without the
/// frames between.
const MAX_STACK: usize = 1_000;

/// Cost lines and calls that are looked at on paths, most of all; longer paths are left then. Real files stay far below.
const MAX_WORK: usize = 50_000_000;

/// The same for small files, where this many for each line and call are enough: calls that cost more than all functions together (a damaged
/// file) would else be followed round and round.
const WORK_PER_LINE: usize = 200;

/// And what every file may take.
const LEAST_WORK: usize = 300_000;

/// The second pass may take so much more than the first one: its steps are few for each path, and what it does not reach loses its callers.
const MORE_WORK: usize = 2;

/// Cost lines and calls between two looks at the cancel switch.
const WORK_PER_CHECK: usize = 16_384;

/// Smallest part of all costs that a note speaks of where totals stay exact: units that rounding leaves are in every file.
const SMALLEST_NOTED: f64 = 1.0 / 100_000.0;

/// Calls looked at for a way from one function of a recursion to another.
const LOOK: usize = 1_000;

/// A path that waits: where its caller's stack is, the function, and what reaches it by event.
struct Path {
    parent: Option<StackId>,
    node: usize,
    depth: usize,
    weights: Vec<u64>,
}

/// What a note counts: paths or lines, and their costs of all events together.
#[derive(Clone, Copy, Default)]
struct Missing {
    count: u64,
    costs: f64,
}

impl Missing {
    fn add(&mut self, costs: &[u64]) {
        self.count += 1;
        self.costs += sum(costs);
    }

    /// Nothing, where it is less.
    fn at_least(self, costs: f64) -> Self {
        if self.costs >= costs { self } else { Self::default() }
    }
}

/// Adds samples to the graph's builder.
pub(super) fn build(graph: &mut Graph, ticket: &Ticket) -> Result<(), ReadError> {
    let flow = Flow::new(graph);
    let Graph { builder, nodes, lines, calls, line_costs, cost_lines, events: own_events, .. } = graph;
    let events = line_costs.events();
    let (mut totals, mut own) = (vec![0; events], 0.0);
    for node in (0..nodes.len()).checked() {
        for line in lines.of(node) {
            add(&mut totals, line_costs.row(line.costs));
            own += sum(line_costs.row(line.costs));
        }
    }
    let max_work = (lines.len() + calls.len()).saturating_mul(WORK_PER_LINE).clamp(LEAST_WORK, MAX_WORK);
    let mut tree = Tree {
        builder,
        nodes,
        lines,
        calls,
        line_costs,
        events: own_events,
        flow: &flow,
        totals: &totals,
        line_rest: line_costs.clone(),
        call_rest: flow.passed.clone(),
        next_line: Table::zeros(nodes.len(), events),
        next_call: Table::zeros(nodes.len(), events),
        next_member: Unfinished::new(vec![0; flow.members.groups()]),
        looked: Unfinished::new(vec![0; nodes.len()]),
        looks: 0,
        waiting: Unfinished::default(),
        left: Unfinished::default(),
        hidden: Missing::default(),
        work: 0,
        max_work,
    };
    for node in (0..nodes.len()).rev().checked() {
        let weights = flow.outside.row(node);
        if weights.iter().any(|&weight| weight > 0) {
            tree.waiting.push(Path { parent: None, node, depth: 0, weights: weights.to_vec() });
        }
    }
    let mut checked = 0;
    while let Some(path) = tree.waiting.pop() {
        tree.check(&mut checked, ticket)?;
        tree.follow(path);
    }
    let mut rare = Missing::default();
    (tree.work, checked, tree.max_work) = (0, 0, max_work * MORE_WORK);
    // Deep ones first, as they were met last: they have the fewest ways to go on.
    while let Some(path) = tree.left.pop() {
        rare.add(&path.weights);
        tree.waiting.push(path);
        while let Some(path) = tree.waiting.pop() {
            tree.check(&mut checked, ticket)?;
            tree.fill(path);
        }
    }
    let unplaced = tree.place_rest();
    let hidden = tree.hidden;
    if calls.len() > 0 && own > 0.0 {
        let cause = "calls between functions: the file holds a call graph and no stacks, so paths longer than one call are estimates \
                     (each call costs the same on every path); self costs of functions are exact, and so are totals, unless functions call \
                     each other in a circle or another note says more";
        builder.notes.add(kind::GUESSED, cause, calls.len() as u64, None);
    }
    let mut note = |missing: Missing, cause: &str| {
        if missing.count > 0 && own > 0.0 {
            let cause = cause.replace('#', &format!("{:.3} % of all costs", 100.0 * missing.costs / own));
            builder.notes.add(kind::GUESSED, &cause, missing.count, None);
        }
    };
    note(
        rare.at_least(own * SMALLEST_NOTED),
        "paths with rare or deep calls (#): such costs stand on one possible path and are not split among all",
    );
    note(
        hidden,
        "very deep paths (#) end at the last frame that is shown: the callees between it and the costs are missing, also in their totals",
    );
    note(
        unplaced,
        "lines (#) stand at their functions without callers, since there are too many paths: totals of callers are too small by that",
    );
    note(
        Missing { count: flow.scaled, costs: flow.claimed as f64 },
        "calls cost more than what they lead to (by #): totals of their callers are smaller than the file says",
    );
    let used = if builder.rows.is_empty() { 0 } else { *cost_lines };
    builder.info.tally = Tally::new(used, *cost_lines - used);
    Ok(())
}

/// All events together, for notes.
fn sum(costs: &[u64]) -> f64 {
    costs.iter().map(|&cost| cost as f64).sum()
}

fn frame(builder: &mut Builder, node: &Node, file: Option<crate::model::StringId>, line: u32, address: Option<u64>) -> FrameId {
    let mapping = node.object.map(|object| builder.mapping(Mapping { file: Some(object), ..Mapping::default() }));
    let function = builder.function(Function { name: node.name, system_name: None, file, start_line: 0 });
    builder.frame(Frame { function: Some(function), mapping, address, line, ..Frame::default() })
}

/// Moves as much as possible out of what is asked for and out of what is there; by event.
fn take(asked: &mut [u64], there: &mut [u64]) -> Vec<u64> {
    asked
        .iter_mut()
        .zip(there)
        .map(|(asked, there)| {
            let taken = (*asked).min(*there);
            *asked -= taken;
            *there -= taken;
            taken
        })
        .collect()
}

/// Goes on to the next row that has something left; rows before it never have again.
fn next_with<'a, T>(rows: &'a [T], next: &mut usize, work: &mut usize, has: impl Fn(&T) -> bool) -> Option<&'a T> {
    let skipped = rows.get(*next..)?.iter().position(has);
    let by = skipped.unwrap_or(rows.len() - *next);
    *next += by;
    *work += by + 1;
    rows.get(*next)
}

struct Tree<'a> {
    builder: &'a mut Builder,
    nodes: &'a [Node],
    lines: &'a Grouped<Line>,
    calls: &'a Grouped<Call>,
    line_costs: &'a Costs,
    events: &'a [Event],
    flow: &'a Flow,
    totals: &'a [u64],
    /// Costs of each line that no stack has yet, and of each call to another group.
    line_rest: Costs,
    call_rest: Costs,
    /// The first line and call of each function that have something left of an event, and the first function of each group.
    next_line: Table<usize>,
    next_call: Table<usize>,
    next_member: Unfinished<Vec<usize>>,
    /// Functions that were met while looking for a way through a recursion, by the number of the look.
    looked: Unfinished<Vec<usize>>,
    looks: usize,
    waiting: Unfinished<Vec<Path>>,
    /// What was not split.
    left: Unfinished<Vec<Path>>,
    /// Costs whose stacks lack frames.
    hidden: Missing,
    /// Cost lines and calls looked at so far.
    work: usize,
    /// How many are looked at.
    max_work: usize,
}

impl<'a> Tree<'a> {
    fn check(&self, checked: &mut usize, ticket: &Ticket) -> Result<(), ReadError> {
        if self.work - *checked >= WORK_PER_CHECK {
            *checked = self.work;
            ticket.check()?;
        }
        Ok(())
    }

    fn is_large(&self, weights: &[u64]) -> bool {
        weights.iter().zip(self.totals).any(|(&weight, &total)| weight > 0 && weight as f64 >= total as f64 * SMALLEST_PART)
    }

    /// Gives a path its share of the function's own costs and follows the calls.
    fn follow(&mut self, mut path: Path) {
        let Some(node) = self.nodes.get(path.node) else { return };
        let all = self.flow.inclusive.row(path.node);
        let shared: Vec<u64> = path.weights.iter().zip(all).map(|(&weight, &all)| weight.min(all)).collect();
        let (lines, calls) = (self.lines.of(path.node), self.calls.of(path.node));
        // Where each item stands in the sum of all: parts are rounded so that they add up.
        let mut before = vec![0_u64; all.len()];
        let parts = |before: &mut [u64], costs: &[u64]| -> Vec<u64> {
            let parts = shared.iter().zip(before.iter()).zip(costs.iter().zip(all));
            let parts = parts.map(|((&whole, &before), (&cost, &all))| part(whole, before, cost, all)).collect();
            add(before, costs);
            parts
        };
        self.work += 1 + lines.len() + calls.len();
        let goes_on = path.depth < MAX_DEPTH && self.work < self.max_work;
        let first = self.waiting.len();
        for call in calls {
            let mut weights = parts(&mut before, self.flow.passed.row(call.costs));
            if goes_on && self.is_large(&weights) {
                if !self.flow.is_recursive(path.node, call.callee) {
                    weights = take(&mut weights, self.call_rest.row_mut(call.costs));
                }
                // What one path carries is never more than what it has.
                let weights = take(&mut path.weights, &mut weights);
                let place = frame(self.builder, node, node.file, call.line, None);
                let parent = Some(self.builder.stack(path.parent, place));
                self.waiting.push(Path { parent, node: call.callee, depth: path.depth + 1, weights });
            }
        }
        // The first call is followed first.
        self.waiting.get_mut(first..).into_iter().for_each(<[Path]>::reverse);
        for line in lines {
            let mut costs = parts(&mut before, self.line_costs.row(line.costs));
            let mut costs = take(&mut costs, self.line_rest.row_mut(line.costs));
            let costs = take(&mut path.weights, &mut costs);
            self.add(path.parent, node, line, &costs);
        }
        if path.weights.iter().any(|&weight| weight > 0) {
            self.left.push(path);
        }
    }

    /// Gives a path what lines and calls have left: of its function, and of those that it reaches by recursion.
    fn fill(&mut self, mut path: Path) {
        self.work += 1;
        if self.work >= self.max_work {
            return;
        }
        self.fill_from(path.parent, path.node, path.depth, &mut path.weights);
        let group = self.flow.group.get(path.node).copied().unwrap_or(usize::MAX);
        if self.flow.members.of(group).len() < 2 || path.weights.iter().all(|&weight| weight == 0) {
            return;
        }
        self.fill_nearby(&mut path);
        // Too far away: without the frames between.
        let Some(node) = self.nodes.get(path.node) else { return };
        let line = self.calls.of(path.node).iter().find(|call| self.flow.is_recursive(path.node, call.callee)).map_or(0, |call| call.line);
        let members = self.flow.members.of(group);
        let mut at = self.next_member.get(group).copied().unwrap_or(0);
        // Only those at the start are done with for good: others may have something left of other events.
        let mut is_done = true;
        while path.weights.iter().any(|&weight| weight > 0)
            && self.work < self.max_work
            && let Some(&member) = members.get(at)
        {
            self.work += 1;
            if self.has(member, &path.weights) {
                let before = sum(&path.weights);
                let place = frame(self.builder, node, node.file, line, None);
                let parent = Some(self.builder.stack(path.parent, place));
                self.fill_from(parent, member, path.depth + 1, &mut path.weights);
                self.hidden.count += 1;
                self.hidden.costs += before - sum(&path.weights);
            }
            let all = vec![u64::MAX; path.weights.len()];
            is_done &= !self.has(member, &all);
            at += 1;
            if is_done {
                self.next_member.get_mut(group).into_iter().for_each(|next| *next = at);
            }
        }
    }

    /// The same for functions that the path's function reaches by calls inside its group, the nearest ones first.
    fn fill_nearby(&mut self, path: &mut Path) {
        self.looks += 1;
        let looks = self.looks;
        let is_new = |looked: &mut [usize], node: usize| looked.get_mut(node).is_some_and(|last| std::mem::replace(last, looks) != looks);
        is_new(&mut self.looked, path.node);
        // Functions with the call that led to them: the row of its caller here, and its line.
        let mut met = vec![(path.node, 0, 0)];
        let (mut at, mut looked) = (0, 0);
        while let Some(&(caller, ..)) = met.get(at) {
            for call in self.calls.of(caller) {
                looked += 1;
                if looked > LOOK || self.work >= self.max_work {
                    return;
                }
                self.work += 1;
                if !self.flow.is_recursive(caller, call.callee) || !is_new(&mut self.looked, call.callee) {
                    continue;
                }
                met.push((call.callee, at, call.line));
                if self.has(call.callee, &path.weights) {
                    let (parent, depth) = self.stack_to(path, &met);
                    self.fill_from(parent, call.callee, depth, &mut path.weights);
                    if path.weights.iter().all(|&weight| weight == 0) {
                        return;
                    }
                }
            }
            at += 1;
        }
    }

    /// The stack of those that lead to the last one that was met, and how deep it is.
    fn stack_to(&mut self, path: &Path, met: &[(usize, usize, u32)]) -> (Option<StackId>, usize) {
        let mut frames = Vec::new();
        let mut last = met.len().saturating_sub(1);
        while let Some(&(_, caller, line)) = met.get(last).filter(|_| last > 0) {
            frames.push((caller, line));
            last = caller;
        }
        let mut parent = path.parent;
        for (row, line) in frames.iter().rev() {
            if let Some(node) = met.get(*row).and_then(|&(node, ..)| self.nodes.get(node)) {
                let place = frame(self.builder, node, node.file, *line, None);
                parent = Some(self.builder.stack(parent, place));
            }
        }
        self.work += frames.len();
        (parent, path.depth + frames.len())
    }

    /// Whether a function has something left of what is asked for.
    fn has(&mut self, node: usize, weights: &[u64]) -> bool {
        (0..weights.len()).any(|event| {
            weights.get(event).is_some_and(|&weight| weight > 0)
                && (self.line_with(node, event).is_some() || self.call_with(node, event).is_some())
        })
    }

    /// The next line of a function that has something left of an event.
    fn line_with(&mut self, node: usize, event: usize) -> Option<&'a Line> {
        let (lines, rest) = (self.lines.of(node), &self.line_rest);
        let next = self.next_line.row_mut(node).get_mut(event)?;
        next_with(lines, next, &mut self.work, |line| rest.row(line.costs).get(event).is_some_and(|&rest| rest > 0))
    }

    /// The next call of a function to another group that has something left of an event.
    fn call_with(&mut self, node: usize, event: usize) -> Option<&'a Call> {
        let (calls, rest, flow) = (self.calls.of(node), &self.call_rest, self.flow);
        let next = self.next_call.row_mut(node).get_mut(event)?;
        next_with(calls, next, &mut self.work, |call| {
            !flow.is_recursive(node, call.callee) && rest.row(call.costs).get(event).is_some_and(|&rest| rest > 0)
        })
    }

    /// Gives a path what the lines of a function and its calls to other groups have left.
    fn fill_from(&mut self, parent: Option<StackId>, node: usize, depth: usize, weights: &mut [u64]) {
        let Some(function) = self.nodes.get(node) else { return };
        for event in 0..weights.len() {
            let is_wanted = |weights: &[u64]| weights.get(event).is_some_and(|&weight| weight > 0);
            while is_wanted(weights)
                && let Some(line) = self.line_with(node, event)
            {
                let costs = take(weights, self.line_rest.row_mut(line.costs));
                self.add(parent, function, line, &costs);
            }
            while is_wanted(weights)
                && let Some(call) = self.call_with(node, event)
            {
                let weights = take(weights, self.call_rest.row_mut(call.costs));
                let parent = if depth < MAX_STACK {
                    let place = frame(self.builder, function, function.file, call.line, None);
                    Some(self.builder.stack(parent, place))
                } else {
                    // Counted once, where the first frame is left out.
                    if depth == MAX_STACK {
                        self.hidden.add(&weights);
                    }
                    parent
                };
                self.waiting.push(Path { parent, node: call.callee, depth: depth.min(MAX_STACK) + 1, weights });
            }
        }
    }

    fn add(&mut self, parent: Option<StackId>, function: &Node, line: &Line, costs: &[u64]) {
        if costs.iter().all(|&cost| cost == 0) {
            return;
        }
        let leaf = frame(self.builder, function, line.file.or(function.file), line.line, line.address);
        let stack = Some(self.builder.stack(parent, leaf));
        let value = |cost: i128| i64::try_from(cost).unwrap_or(if cost < 0 { i64::MIN } else { i64::MAX });
        let values: Vec<i64> = self.events.iter().map(|event| value(event.value(costs))).collect();
        self.builder.rows.sample(Sample { stack, thread: function.thread, ..Sample::default() }, &values);
    }

    /// Puts what no path took at its function, so that self costs are exact; gives how much that is.
    fn place_rest(&mut self) -> Missing {
        let rest = std::mem::take(&mut self.line_rest);
        let mut unplaced = Missing::default();
        for (at, node) in self.nodes.iter().enumerate().checked() {
            for line in self.lines.of(at) {
                if rest.row(line.costs).iter().all(|&cost| cost == 0) {
                    continue;
                }
                unplaced.add(rest.row(line.costs));
                self.add(None, node, line, rest.row(line.costs));
            }
        }
        unplaced
    }
}
