//! What reaches each function, so that it adds up: all that enters a function leaves it again, as costs of its lines or in calls.
//!
//! Functions that can reach each other by calls are a GROUP. Costs of calls inside a group count each level of recursion again, so they say
//! nothing about totals. Calls from one group to another do: what enters a group by them is what its lines and its calls to other groups
//! cost. Where a file says less, the rest came from outside of the file (`main`, a thread, a signal handler); where it says more, the calls
//! are scaled down, or somebody's self costs would have to grow.

use super::graph::{Call, Costs, Graph, Grouped};
use super::signed;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Watch};

/// No row: not seen yet, or in no group yet.
const NONE: usize = usize::MAX;

/// Costs of calls that add up.
pub(super) struct Flow {
    /// Group of each function.
    pub(super) group: Unfinished<Vec<usize>>,
    /// Functions of each group. A group stands behind all that it calls.
    pub(super) members: Grouped<usize>,
    /// What each call passes on; rows as in [`Graph::call_costs`].
    pub(super) passed: Costs,
    /// What each function costs with all its calls, each level of recursion counted.
    pub(super) inclusive: Costs,
    /// What each function got from outside of the file.
    pub(super) outside: Costs,
    /// How many calls were scaled down, and by how much, all events together.
    pub(super) scaled: u64,
    pub(super) claimed: u128,
}

impl Flow {
    pub(super) fn new(graph: &Graph) -> Self {
        let Graph { nodes, lines, calls, line_costs, call_costs, .. } = graph;
        let events = line_costs.events();
        let (group, members) = groups(nodes.len(), calls);
        let of = |node: usize| group.get(node).copied().unwrap_or(NONE);
        let told = signed::told(&graph.events, events);
        let call_costs = signed::spread(call_costs, line_costs, &graph.events, calls, |caller, call| of(caller) == of(call.callee));
        // What the callers of each function say, and what those in other groups say of a group.
        let (mut incoming, mut asked) = (Costs::zeros(nodes.len(), events), Costs::zeros(members.groups(), events));
        for node in (0..nodes.len()).checked() {
            for call in calls.of(node) {
                incoming.add(call.callee, call_costs.row(call.costs));
                if of(node) != of(call.callee) {
                    asked.add(of(call.callee), call_costs.row(call.costs));
                }
            }
        }
        // What the callers of a group get of what they ask for, and how much they asked for so far.
        let (mut given, mut so_far) = (Costs::zeros(members.groups(), events), Costs::zeros(members.groups(), events));
        let mut passed = Costs::clone(&call_costs);
        let (mut inclusive, mut outside) = (Costs::zeros(nodes.len(), events), Costs::zeros(nodes.len(), events));
        let (mut scaled, mut claimed) = (0, 0);
        let mut base = vec![0_u64; events];
        for at in (0..members.groups()).checked() {
            base.fill(0);
            for &node in members.of(at) {
                for line in lines.of(node) {
                    inclusive.add(node, line_costs.row(line.costs));
                    add(&mut base, line_costs.row(line.costs));
                }
                for call in calls.of(node) {
                    let callee = of(call.callee);
                    if callee != at {
                        let (given, asked, before) = (given.row(callee), asked.row(callee), so_far.row_mut(callee));
                        for (((cost, before), &given), &asked) in passed.row_mut(call.costs).iter_mut().zip(before).zip(given).zip(asked) {
                            let part = part(given, *before, *cost, asked);
                            *before = before.saturating_add(*cost);
                            *cost = part;
                        }
                        let (before, after) = (call_costs.row(call.costs), passed.row(call.costs));
                        scaled += u64::from(before.iter().zip(after).zip(&told).any(|((before, after), &told)| told && before != after));
                        add(&mut base, passed.row(call.costs));
                    }
                    inclusive.add(node, passed.row(call.costs));
                }
            }
            for (event, (&base, (given, &asked))) in base.iter().zip(given.row_mut(at).iter_mut().zip(asked.row(at))).enumerate() {
                *given = asked.min(base);
                claimed += if told.get(event) == Some(&true) { u128::from(asked - *given) } else { 0 };
                enter(&mut outside, members.of(at), event, base - *given, &inclusive, &incoming);
            }
        }
        Self { group, members, passed, inclusive, outside, scaled, claimed }
    }

    /// Whether two functions can reach each other.
    pub(super) fn is_recursive(&self, caller: usize, callee: usize) -> bool {
        self.group.get(caller) == self.group.get(callee)
    }
}

/// Gives what came from outside to those of a group that cost more than their callers say. Where all of them are called, nobody knows which
/// of them was the first: each gets a part that fits its costs.
fn enter(outside: &mut Costs, members: &[usize], event: usize, costs: u64, inclusive: &Costs, incoming: &Costs) {
    if costs == 0 {
        return;
    }
    let cell = |table: &Costs, node: usize| table.row(node).get(event).copied().unwrap_or(0);
    let excess = |node: usize| cell(inclusive, node).saturating_sub(cell(incoming, node));
    let all: u64 = members.iter().fold(0, |sum, &node| excess(node).saturating_add(sum));
    let weight = |node: usize| if all > 0 { excess(node) } else { cell(inclusive, node) };
    let all: u64 = members.iter().fold(0, |sum, &node| weight(node).saturating_add(sum));
    let mut before = 0_u64;
    for &node in members {
        let part = part(costs, before, weight(node), all);
        before = before.saturating_add(weight(node));
        outside.row_mut(node).get_mut(event).into_iter().for_each(|cell| *cell = part);
    }
}

/// Adds up numbers by event.
pub(super) fn add(sums: &mut [u64], costs: &[u64]) {
    sums.iter_mut().zip(costs).for_each(|(sum, &cost)| *sum = sum.saturating_add(cost));
}

/// What falls on one of several items when `whole` is split among them: on that which costs `item` of `all`, and stands behind those that
/// cost `before`. The parts of all items add up to `whole`, and none is more than `item` where `whole` is no more than `all`.
pub(super) fn part(whole: u64, before: u64, item: u64, all: u64) -> u64 {
    let up_to = |sum: u64| {
        let sum = sum.min(all);
        match whole.checked_mul(sum) {
            Some(product) => product.checked_div(all).unwrap_or(0),
            // No more than `whole`, since `sum` is no more than `all`.
            None => (u128::from(whole) * u128::from(sum)).checked_div(u128::from(all)).unwrap_or(0) as u64,
        }
    };
    up_to(before.saturating_add(item)) - up_to(before)
}

/// The group of each function, and the functions of each group: strongly connected components, as Tarjan finds them, without recursion.
fn groups(nodes: usize, calls: &Grouped<Call>) -> (Unfinished<Vec<usize>>, Grouped<usize>) {
    let watch = Watch::new();
    let mut group = Unfinished::new(vec![NONE; nodes]);
    let mut found: Unfinished<Vec<(usize, usize)>> = Unfinished::default();
    // When each function was seen first, and the earliest one that it leads back to.
    let (mut seen, mut low) = (Unfinished::new(vec![NONE; nodes]), Unfinished::new(vec![NONE; nodes]));
    let get = |table: &[usize], node: usize| table.get(node).copied().unwrap_or(NONE);
    let set = |table: &mut [usize], node: usize, value: usize| table.get_mut(node).into_iter().for_each(|cell| *cell = value);
    let (mut clock, mut groups) = (0, 0);
    // Functions whose group is not known yet, and the path to the one that is looked at, with the number of its next call.
    let (mut open, mut path) = (Unfinished::new(Vec::<usize>::new()), Unfinished::new(Vec::<(usize, usize)>::new()));
    for start in 0..nodes {
        if get(&seen, start) == NONE {
            path.push((start, 0));
        }
        while let Some((node, next)) = path.last_mut() {
            watch.step();
            let (node, at) = (*node, *next);
            *next += 1;
            if at == 0 {
                set(&mut seen, node, clock);
                set(&mut low, node, clock);
                clock += 1;
                open.push(node);
            }
            if let Some(call) = calls.of(node).get(at) {
                if get(&seen, call.callee) == NONE {
                    path.push((call.callee, 0));
                } else if get(&group, call.callee) == NONE {
                    let lowest = get(&low, node).min(get(&seen, call.callee));
                    set(&mut low, node, lowest);
                }
                continue;
            }
            path.pop();
            if let Some(&(caller, _)) = path.last() {
                let lowest = get(&low, caller).min(get(&low, node));
                set(&mut low, caller, lowest);
            }
            if get(&low, node) == get(&seen, node) {
                while let Some(member) = open.pop() {
                    set(&mut group, member, groups);
                    found.push((groups, member));
                    if member == node {
                        break;
                    }
                }
                groups += 1;
            }
        }
    }
    // Members in the order of their names, so that nothing depends on where the search began.
    (group, Grouped::new(found, groups, usize::cmp))
}
