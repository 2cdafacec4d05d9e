//! Pairs of captures with known truth: a program like a service, what changed in it, how it varies from run to run, and the counts drawn
//! from that, put directly into a comparison.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use emberlens::analysis::call_tree::NodeId;
use emberlens::analysis::comparison::{Normalization, Shape, Side};
use emberlens::analysis::diff::Measure;
use emberlens::analysis::events::{Basis, Evidence};
use emberlens::analysis::weigh::Weights;
use emberlens::analysis::{CallTree, Comparison, Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Profile};

use crate::random::Random;

/// One stack and its part of all cost.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Outermost first, without the root of the tree.
    pub(crate) path: Vec<String>,
    pub(crate) share: f64,
}

/// A program: disjoint stacks whose shares add up to 1.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) stacks: Vec<Stack>,
}

/// What programs look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// Functions in the pool, and how many of them are entry points.
    functions: usize,
    entries: usize,
    /// Of functions that are no entry points; each calls two layers deep.
    layers: usize,
    /// A function calls from one up to this many others.
    calls: usize,
    /// Paths with less than this part of all cost are not followed.
    least: f64,
    /// One function's own cost is at least this part of all, where more than 0.
    dominant: f64,
}

impl Family {
    /// The program of the goals: about 900 stacks.
    pub(crate) const SERVICE: Self =
        Self { name: "service", functions: 190, entries: 10, layers: 7, calls: 5, least: 1.2e-4, dominant: 0.0 };
    /// Programs of other shapes.
    pub(crate) const OTHERS: [Self; 5] = [
        Self { name: "30 functions", functions: 30, entries: 3, layers: 4, ..Self::SERVICE },
        Self { name: "80 functions", functions: 80, entries: 6, layers: 5, ..Self::SERVICE },
        Self { name: "600 functions", functions: 600, entries: 25, layers: 9, least: 3e-5, ..Self::SERVICE },
        Self { name: "flat, 70 functions", functions: 70, entries: 5, layers: 1, calls: 30, ..Self::SERVICE },
        Self { name: "one function of 40 %", dominant: 0.4, ..Self::SERVICE },
    ];
}

impl Program {
    /// Entry points call functions of deeper layers, those share callees; own cost and calls have heavy tails.
    pub(crate) fn new(family: Family, random: &mut Random) -> Self {
        let Family { functions, entries: first, layers, calls: most, least, dominant, .. } = family;
        let layer: Vec<usize> =
            (0..functions).map(|row| if row < first { 0 } else { 1 + (row - first) * layers / (functions - first) }).collect();
        let own: Vec<f64> = (0..functions).map(|_| (1.2 * random.normal() - 0.4).exp()).collect();
        let callees: Vec<Vec<(usize, f64)>> = (0..functions)
            .map(|row| {
                let deeper: Vec<usize> = (first..functions).filter(|&at| layer[at] > layer[row] && layer[at] <= layer[row] + 2).collect();
                if deeper.is_empty() {
                    return Vec::new();
                }
                let calls = 1 + random.below(most);
                let mut chosen: BTreeMap<usize, f64> = BTreeMap::new();
                for _ in 0..calls {
                    chosen.insert(deeper[random.below(deeper.len())], (1.1 * random.normal()).exp());
                }
                chosen.into_iter().collect()
            })
            .collect();
        let mut stacks = Vec::new();
        let entries: Vec<f64> = (0..first).map(|_| random.normal().exp()).collect();
        let sum: f64 = entries.iter().sum();
        let name = |row: usize| if row < first { format!("main.handle{row}") } else { format!("main.f{row}") };
        let mut open: Vec<(Vec<String>, usize, f64)> =
            entries.iter().enumerate().map(|(row, weight)| (vec!["main.main".to_owned(), name(row)], row, weight / sum)).collect();
        while let Some((path, row, weight)) = open.pop() {
            let below: f64 = callees[row].iter().map(|callee| callee.1).sum();
            let mut left = weight;
            for &(callee, calls) in &callees[row] {
                let part = weight * calls / (below + own[row]);
                if part >= least {
                    let mut longer = path.clone();
                    longer.push(name(callee));
                    open.push((longer, callee, part));
                    left -= part;
                }
            }
            if left > 0.0 {
                stacks.push(Stack { path, share: left });
            }
        }
        if dominant > 0.0 {
            dominate(&mut stacks, dominant, random);
        }
        Self { stacks }
    }

    /// Changes paths; shares stay.
    pub(crate) fn edit(&mut self, change: impl Fn(&mut Vec<String>)) {
        for stack in &mut self.stacks {
            change(&mut stack.path);
        }
    }
}

/// Makes the own cost of one function that part of all.
fn dominate(stacks: &mut [Stack], part: f64, random: &mut Random) {
    let Some(chosen) = stacks.get(random.below(stacks.len())).and_then(|stack| stack.path.last().cloned()) else { return };
    let is_chosen = |stack: &Stack| stack.path.last() == Some(&chosen);
    let own: f64 = stacks.iter().filter(|stack| is_chosen(stack)).map(|stack| stack.share).sum();
    for stack in stacks.iter_mut() {
        stack.share *= if is_chosen(stack) { part / own } else { (1.0 - part) / (1.0 - own) };
    }
}

/// How the cost of unchanged code varies from capture to capture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    /// Only by sampling.
    Sampling,
    /// Every function's own cost by this coefficient of variation.
    Functions(f64),
    /// Every entry point's whole subtree by this, and every function by a fifth of it.
    Entries(f64),
    /// One function in eight comes in bursts (gamma, coefficient of variation 0.3 to 1), all others vary by 2 %.
    Bursts,
}

/// The pair's program: shapes, truth, and what the counts are drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) shape: Arc<Shape>,
    /// Per node: expected part of before and of after, in units of the work of before.
    pub(crate) share: [Vec<f64>; 2],
    /// Per node: own noise of function and entry point.
    function: Vec<u32>,
    entry: Vec<u32>,
    groups: [usize; 2],
    /// Per function: coefficient of variation of its bursts, 0 for the calm ones. Belongs to the program, not to a capture.
    bursts: Vec<f64>,
}

impl Ground {
    /// The union of both programs.
    pub(crate) fn new(before: &Program, after: &Program) -> Self {
        let mut builder = Builder::new([("cpu", "count")]);
        let mut rows = Vec::new();
        for (side, program) in [before, after].into_iter().enumerate() {
            for stack in &program.stacks {
                let mut at = None;
                for name in &stack.path {
                    let function = Some(builder.function_named(name));
                    let frame = builder.frame(Frame { function, ..Frame::default() });
                    at = Some(builder.stack(at, frame));
                }
                rows.push((side, at, stack));
            }
        }
        let profile: Arc<Profile> = Arc::new(builder.finish());
        let shape =
            Shape::build(&[profile], Granularity::Function, Direction::TopDown, &Filter::default(), &Ticket::new()).expect("not cancelled");
        let nodes = shape.tree.len();
        let mut share = [vec![0.0; nodes], vec![0.0; nodes]];
        let (mut function, mut entry) = (vec![0; nodes], vec![0; nodes]);
        let mut functions: HashMap<&str, u32> = HashMap::new();
        let mut entries: HashMap<&str, u32> = HashMap::new();
        for (side, stack, made_of) in rows {
            let node = stack.map_or(CallTree::ROOT, |stack| shape.nodes[0][stack.row()]).row();
            share[side][node] += made_of.share;
            let next = functions.len() as u32;
            function[node] = *functions.entry(made_of.path.last().map_or("", String::as_str)).or_insert(next);
            let next = entries.len() as u32;
            entry[node] = *entries.entry(made_of.path.get(1).map_or("", String::as_str)).or_insert(next);
        }
        let groups = [functions.len(), entries.len()];
        let mut random = Random::new(share[0].len() as u64, (share[0].iter().sum::<f64>() * share[0][share[0].len() / 2] * 1e15) as u64);
        let bursts = (0..groups[0]).map(|_| if random.uniform() < 0.125 { random.between(0.3, 1.0) } else { 0.0 }).collect();
        Self { shape: Arc::new(shape), share, function, entry, groups, bursts }
    }

    fn tree(&self) -> &CallTree {
        &self.shape.tree
    }

    /// Nodes of a place, path or subtree.
    pub(crate) fn cells(&self, scope: &Scope) -> Vec<usize> {
        let tree = self.tree();
        let mut cells: Vec<usize> = match scope.path {
            Some(node) if scope.measure == Measure::Self_ => vec![node.row()],
            Some(node) => (node.row()..tree.subtree_end(node)).collect(),
            None => {
                let place = self.shape.places.find(&scope.function);
                let nodes = tree.nodes().filter(|&node| Some(tree.place(node)) == place);
                match scope.measure {
                    Measure::Self_ => nodes.map(NodeId::row).collect(),
                    Measure::Total => nodes.flat_map(|node| node.row()..tree.subtree_end(node)).collect(),
                }
            }
        };
        cells.sort_unstable();
        cells.dedup();
        cells.retain(|&row| self.share[0][row] + self.share[1][row] > 0.0);
        cells
    }

    /// Sum of a side's shares over cells.
    pub(crate) fn sum(&self, side: usize, cells: &[usize]) -> f64 {
        cells.iter().map(|&row| self.share[side][row]).sum()
    }

    /// Sum over the functions of the squared parts that they have in the cells: how much of per-function noise is left in the sum.
    pub(crate) fn concentration(&self, cells: &[usize]) -> f64 {
        let mut by_function = vec![0.0; self.groups[0]];
        for &row in cells {
            by_function[self.function[row] as usize] += self.share[0][row];
        }
        let whole: f64 = by_function.iter().sum();
        by_function.iter().map(|part| (part / whole).powi(2)).sum()
    }

    /// Variance of a capture's cost of the cells with bursts, as a part of its square.
    pub(crate) fn bursts(&self, cells: &[usize]) -> f64 {
        let mut by_function = vec![0.0; self.groups[0]];
        for &row in cells {
            by_function[self.function[row] as usize] += self.share[0][row];
        }
        let whole: f64 = by_function.iter().sum();
        by_function.iter().zip(&self.bursts).map(|(part, cv)| (part / whole).powi(2) * (cv * cv).max(0.02 * 0.02)).sum()
    }

    /// What a test may know of the variance of ln(after / before) beyond sampling that knows which functions come in bursts and how much the calm ones vary,
    /// and takes how much each bursty one does from its own cost in the captures: with its degrees of freedom. Bursts leave the changed function's mean to be
    /// estimated on each side.
    pub(crate) fn estimated_bursts(&self, cells: &[usize], sides: &[Side]) -> (f64, f64) {
        let mut part = vec![0.0; self.groups[0]];
        for &row in cells {
            part[self.function[row] as usize] += self.share[0][row];
        }
        let whole: f64 = part.iter().sum();
        let averaged: f64 = sides.iter().map(|side| 1.0 / side.captures.len() as f64).sum();
        let known: f64 = sides.iter().map(|side| side.captures.len() as f64 - 1.0).sum();
        let (mut extra, mut doubts) = (0.0, 0.0);
        for (function, part) in part.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let square = (part / whole).powi(2) * averaged;
            if self.bursts[function] <= 0.0 {
                extra += square * 0.02 * 0.02;
                continue;
            }
            let own = |row: &usize| self.function[*row] as usize == function;
            let (mut squares, mut sampling) = (0.0, 0.0);
            for side in sides {
                let count = |capture: &Arc<Weights>| {
                    let rows = (0..self.tree().len()).filter(own);
                    rows.map(|row| capture.selfs()[row] as f64 / PERIOD).sum::<f64>()
                };
                let counts: Vec<f64> = side.captures.iter().map(count).collect();
                let mean = (counts.iter().sum::<f64>() / counts.len() as f64).max(0.5);
                squares += counts.iter().map(|count| (count / mean - 1.0).powi(2)).sum::<f64>();
                sampling += (counts.len() as f64 - 1.0) / mean;
            }
            let variance = square * ((squares - sampling) / known).max(0.0);
            extra += variance;
            doubts += variance * variance / known;
        }
        (extra, if doubts > 0.0 { 1.0 / doubts } else { f64::INFINITY })
    }

    /// Multiplies the cost after.
    pub(crate) fn change(&mut self, cells: &[usize], ratio: f64) {
        for &row in cells {
            self.share[1][row] *= ratio;
        }
    }
}

/// Where something is planted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scope {
    pub(crate) function: String,
    pub(crate) measure: Measure,
    /// One path, or all.
    pub(crate) path: Option<NodeId>,
}

impl Scope {
    /// Every scope of a program: self and total of functions and of paths, without the root and `main.main`.
    pub(crate) fn all(ground: &Ground) -> [Vec<Self>; 4] {
        let (tree, places) = (ground.tree(), &ground.shape.places);
        let functions: Vec<String> =
            places.iter_ids().skip(1).map(|(_, place)| place.name.clone()).filter(|name| name != "main.main").collect();
        let of = |measure: Measure| functions.iter().map(|name| Self { function: name.clone(), measure, path: None }).collect();
        let nodes: Vec<NodeId> = tree.nodes().filter(|&node| tree.depth(node) >= 2).collect();
        let path = |measure: Measure| {
            nodes.iter().map(|&node| Self { function: places.name(tree.place(node)).to_owned(), measure, path: Some(node) }).collect()
        };
        [of(Measure::Self_), of(Measure::Total), path(Measure::Self_), path(Measure::Total)]
    }
}

/// How a pair is captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capture {
    /// Expected samples of a capture before.
    pub(crate) samples: f64,
    /// Captures a side.
    pub(crate) repeats: usize,
    pub(crate) noise: Noise,
    /// Work after over work before.
    pub(crate) work: f64,
    /// Sampled allocations of sizes that differ by stack, instead of samples of equal cost.
    pub(crate) heap: bool,
    pub(crate) family: Family,
}

impl Capture {
    pub(crate) const fn of(samples: f64) -> Self {
        Self { samples, repeats: 1, noise: Noise::Sampling, work: 1.0, heap: false, family: Family::SERVICE }
    }
}

/// Go's default rate of heap sampling, in bytes.
const HEAP_RATE: f64 = 524_288.0;
const PERIOD: f64 = 10_000_000.0;

/// What one sample costs in each node.
fn costs(ground: &Ground, capture: &Capture, random: &mut Random) -> Vec<f64> {
    (0..ground.tree().len())
        .map(|_| {
            if !capture.heap {
                return PERIOD;
            }
            let size = 2_f64.powf(random.between(4.0, 21.0)).round();
            size / -(-size / HEAP_RATE).exp_m1()
        })
        .collect()
}

/// Draws both sides.
pub(crate) fn draw(ground: &Ground, capture: &Capture, random: &mut Random) -> Comparison {
    let cost = costs(ground, capture, random);
    // Shares are parts of the cost: a node's samples are its share over the cost of one of them.
    let unit = if capture.heap {
        let events: f64 = ground.share[0].iter().zip(&cost).map(|(share, cost)| share / cost).sum();
        1.0 / events
    } else {
        PERIOD
    };
    let sides = [0, 1].map(|side| {
        let work = if side == 0 { 1.0 } else { capture.work };
        let captures: Vec<Vec<f64>> = (0..capture.repeats)
            .map(|_| {
                let (functions, entries) = factors(ground, capture.noise, random);
                (0..ground.tree().len())
                    .map(|row| {
                        let noise = functions[ground.function[row] as usize] * entries[ground.entry[row] as usize];
                        random.poisson(capture.samples * work * ground.share[side][row] * noise * unit / cost[row])
                    })
                    .collect()
            })
            .collect();
        side_of(ground.tree(), &captures, &cost, capture.heap)
    });
    Comparison {
        shape: Arc::clone(&ground.shape),
        sides: sides.into_iter().collect(),
        sample_type: if capture.heap { "alloc_space" } else { "cpu" }.to_owned(),
        unit: if capture.heap { "bytes" } else { "nanoseconds" }.to_owned(),
        decimals: 0,
        normalization: Normalization::PerSecond,
        of_filtered: false,
    }
}

/// Noise factors of one capture, per function and per entry point.
fn factors(ground: &Ground, noise: Noise, random: &mut Random) -> (Vec<f64>, Vec<f64>) {
    let [functions, entries] = ground.groups;
    let mut even = |cv: f64, count: usize| -> Vec<f64> { (0..count).map(|_| random.lognormal(cv)).collect() };
    match noise {
        Noise::Sampling => (vec![1.0; functions], vec![1.0; entries]),
        Noise::Functions(cv) => (even(cv, functions), vec![1.0; entries]),
        Noise::Entries(cv) => (even(cv / 5.0, functions), even(cv, entries)),
        Noise::Bursts => {
            let calm = even(0.02, functions);
            let own = calm.iter().zip(&ground.bursts).map(|(calm, &cv)| if cv > 0.0 { random.gamma(1.0 / (cv * cv)) } else { *calm });
            (own.collect(), vec![1.0; entries])
        }
    }
}

fn side_of(tree: &CallTree, captures: &[Vec<f64>], cost: &[f64], heap: bool) -> Side {
    let nodes = tree.len();
    let mut side =
        Side { rows: (0..captures.len()).collect(), duration_nanos: Some(10_000_000_000 * captures.len() as i64), ..Side::default() };
    let basis = if heap { Basis::HeapObjects } else { Basis::Samples };
    for counts in captures {
        let values: Vec<i64> = counts.iter().zip(cost).map(|(count, cost)| (count * cost).round() as i64).collect();
        let squares = counts.iter().zip(cost).map(|(count, cost)| count * cost * cost).collect();
        let weights = Arc::new(Weights::from_self(tree, values, counts.iter().filter(|count| **count > 0.0).count() as u64));
        side.total += weights.total();
        side.gross += weights.total().unsigned_abs();
        side.whole = side.gross;
        let total_events = counts.iter().sum();
        side.evidence.add(Evidence { events: counts.clone(), squares, total_events, basis, heap_rate: 0.0 });
        if side.captures.is_empty() {
            side.weights = Arc::clone(&weights);
        } else {
            Arc::make_mut(&mut side.weights).add(&weights);
        }
        side.captures.push(weights);
    }
    debug_assert_eq!(side.evidence.events.len(), nodes, "one entry per node");
    side
}
