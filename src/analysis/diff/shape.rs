//! How groups of nodes are made up: how much of the noise of single functions and of whole subtrees is left in their sum.
//!
//! Noise of single functions averages out in a large group, noise of a subtree (another mix of requests) does not. Follows from the
//! pooled cost of both sides, which says nothing about their difference. In large trees, where the groups of all functions have billions of nodes
//! together, the parts of functions are sketched: each function is drawn into one of a few groups with a sign, and the groups' sums, squared, say what the
//! functions' own would (Charikar, Chen, Farach-Colton 2002; of squares, Thorup and Zhang 2004). They are added up from callees to callers as costs are.
//! Start reading at [`Shapes::of_place`].

use std::hash::BuildHasher as _;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::ground::Sums;
use super::{Measure, NodesOf};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::place::{PlaceId, Places};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Here, ITEMS_PER_CHECK};

/// A subtree with more of the whole than this is divided into those of its callees.
const DIVIDED: f64 = 0.5;

/// A group of more nodes than this is looked at in points at equal distances of their cost.
const MANY: usize = 4096;

/// How many points: what comes out is within a tenth or so of the sums over all nodes, and what it weighs is known to some tens of percent.
const POINTS: u32 = 256;

/// Where the totals of all places have more nodes than this together, they are sketched; a few milliseconds of adding up.
const EXACT: usize = 1 << 21;

/// But for groups of fewer nodes.
const FEW: usize = 256;

/// Places that are looked at by one thread at least.
const PLACES_AT_ONCE: usize = 256;

/// Parts in which a tree is sketched side by side: always as many, since sums of parts depend on them by rounding.
const PARTS: usize = 4;

/// Groups of functions: the sum of squares is right to a part of the root of 2 / 64, and the more so where one function has most of it.
const GROUPS: usize = 64;

/// Subtrees of so many nodes are sketched node by node, which is quicker than to add up whole sketches.
const AT_ONCE: usize = 8;

/// What is left of noise in a group: sums of squared parts, 1 = all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mix {
    /// Of noise that functions have each for themselves.
    pub(crate) functions: f64,
    /// Of noise that subtrees have each for themselves.
    pub(crate) subtrees: f64,
}

impl Mix {
    /// One function in one subtree.
    pub(crate) const ONE: Self = Self { functions: 1.0, subtrees: 1.0 };
}

/// Pooled cost per node, and which subtree each node belongs to.
pub(crate) struct Shapes {
    pooled: Unfinished<Vec<f64>>,
    /// Cost of all nodes before each, and at last of all.
    before: Unfinished<Vec<f64>>,
    place: Unfinished<Vec<u32>>,
    subtree: Unfinished<Vec<u32>>,
    /// First node of each subtree; the first subtree is what divided ones have of their own.
    roots: Vec<u32>,
    subtrees: Vec<Mix>,
    /// Self and total by place.
    places: [Vec<Mix>; 2],
    /// Sums of squared parts of functions by node, where they are sketched.
    sketched: Vec<f32>,
}

/// Of every place.
struct Sizes {
    /// Cost of its self and of its total.
    own: Vec<f64>,
    total: Vec<f64>,
    /// Nodes of its total.
    nodes: Vec<usize>,
    /// Sums of the squared costs of self and total in each subtree.
    squares: [Vec<f64>; 2],
}

fn part_of_squares(squares: f64, whole: f64) -> f64 {
    if whole > 0.0 { squares / (whole * whole) } else { 1.0 }
}

/// Sums by function and by subtree, cleared after each use.
pub(crate) struct Scratch {
    by_place: Vec<f64>,
    by_subtree: Vec<f64>,
    places: Vec<u32>,
    subtrees: Vec<u32>,
}

impl Shapes {
    /// `nodes` are the sums of the nodes' own cost.
    pub(crate) fn new(comparison: &Comparison, nodes: &[Sums], outermost: &[bool], nodes_of: &NodesOf) -> Self {
        let (tree, places) = (comparison.tree(), comparison.places());
        let exposure = comparison.exposure().max(f64::MIN_POSITIVE);
        let pooled: Unfinished<Vec<f64>> = nodes.iter().checked().map(|sums| sums.pooled(exposure)).collect();
        let mut sum = 0.0;
        let before = std::iter::once(0.0).chain(pooled.iter().checked().map(|cost| {
            sum += cost.max(0.0);
            sum
        }));
        let before: Unfinished<Vec<f64>> = before.collect();
        let whole = before.last().copied().unwrap_or(0.0);
        let total = |row: usize| before[tree.subtree_ends()[row] as usize] - before[row];
        // 0 = what a divided subtree has of its own.
        let mut subtree = Unfinished::new(vec![0_u32; tree.len()]);
        let mut roots = Vec::new();
        let mut row = 1;
        while row < tree.len() {
            if total(row) > whole * DIVIDED {
                row += 1;
                continue;
            }
            let end = tree.subtree_ends()[row] as usize;
            roots.push(row as u32);
            subtree[row..end].fill(roots.len() as u32);
            row = end;
        }
        let place = tree.places().iter().checked().map(|place| place.row() as u32).collect();
        let mut made =
            Self { pooled, before, place, subtree, roots, subtrees: Vec::new(), places: [Vec::new(), Vec::new()], sketched: Vec::new() };
        let ends = tree.subtree_ends();
        let Sizes { own, total, nodes: sizes, squares } = made.sizes(tree, places.len(), outermost);
        let mut sketches = Vec::new();
        if sizes.iter().sum::<usize>() > EXACT {
            (sketches, made.sketched) = made.sketch(tree, places, outermost, &sizes);
        }
        let mut scratch = made.scratch(places.len());
        let roots = made.roots.iter().filter_map(|&row| NodeId::from_row(row as usize));
        made.subtrees = std::iter::once(Mix::ONE).chain(roots.map(|node| made.of_subtree(tree, node, &mut scratch))).checked().collect();
        let here = Here::new();
        let of_total = |place: usize, scratch: &mut Scratch| match sketches.get(place) {
            Some(sketch) if sizes[place] > FEW => {
                Mix { functions: sketch.part(own[place]), subtrees: part_of_squares(squares[1][place], total[place]) }
            }
            _ => {
                here.checkpoint();
                let rows = PlaceId::from_row(place).into_iter().flat_map(|place| nodes_of.of(place)).filter(|&row| outermost[row]);
                made.mix_with(rows.map(|row| row..ends[row] as usize), scratch)
            }
        };
        // Few pieces: each has sums for all places and subtrees of its own.
        let pieces = 2 * rayon::current_num_threads();
        let rows: Vec<usize> = (0..places.len()).collect();
        let of_totals = rows
            .par_chunks(rows.len().div_ceil(pieces).max(PLACES_AT_ONCE))
            .flat_map_iter(|rows| {
                let mut scratch = made.scratch(places.len());
                rows.iter().map(|&place| of_total(place, &mut scratch)).collect::<Vec<Mix>>()
            })
            .collect();
        let of_self = |(&squares, &own): (&f64, &f64)| Mix { functions: 1.0, subtrees: part_of_squares(squares, own) };
        made.places = [squares[0].iter().zip(&own).map(of_self).collect(), of_totals];
        made
    }

    /// Sums by place: nodes of one subtree stand beside each other, so each of its places is added up and squared in one pass.
    fn sizes(&self, tree: &CallTree, places: usize, outermost: &[bool]) -> Sizes {
        let ends = tree.subtree_ends();
        let zeros = || vec![0.0; places];
        let mut made = Sizes { own: zeros(), total: zeros(), nodes: vec![0; places], squares: [zeros(), zeros()] };
        // What the subtree at hand, and what divided ones, have of each place.
        let (mut inside, mut between) = ([zeros(), zeros()], zeros());
        let mut touched: Vec<u32> = Vec::new();
        let mut divided: Vec<usize> = Vec::new();
        let flush = |made: &mut Sizes, inside: &mut [Vec<f64>; 2], touched: &mut Vec<u32>| {
            for place in touched.drain(..).map(|place| place as usize) {
                for (squares, sums) in made.squares.iter_mut().zip(inside.iter_mut()) {
                    squares[place] += std::mem::take(&mut sums[place]).powi(2);
                }
            }
        };
        let mut last = 0;
        for row in (0..tree.len()).checked() {
            let (place, subtree, own) = (self.place[row] as usize, self.subtree[row], self.pooled[row].max(0.0));
            if subtree != last {
                flush(&mut made, &mut inside, &mut touched);
                last = subtree;
            }
            let total = self.before[ends[row] as usize] - self.before[row];
            made.own[place] += own;
            if outermost[row] {
                made.total[place] += total;
                made.nodes[place] += ends[row] as usize - row;
            }
            if subtree == 0 {
                divided.push(row);
                between[place] += own;
                continue;
            }
            if inside[0][place] == 0.0 && inside[1][place] == 0.0 {
                touched.push(place as u32);
            }
            inside[0][place] += own;
            inside[1][place] += if outermost[row] { total } else { 0.0 };
        }
        flush(&mut made, &mut inside, &mut touched);
        for (squares, between) in made.squares[0].iter_mut().zip(&between) {
            *squares += between.powi(2);
        }
        // They stand on one path, so a place has one of them at most that no other of its nodes is above.
        for row in divided.into_iter().filter(|&row| outermost[row]) {
            let whole = self.before[ends[row] as usize] - self.before[row];
            made.squares[1][self.place[row] as usize] += self.subtrees_of(tree, row) * whole * whole;
        }
        made
    }

    /// For [`Shapes::of_subtree`].
    pub(crate) fn scratch(&self, places: usize) -> Scratch {
        Scratch { by_place: vec![0.0; places], by_subtree: vec![0.0; self.roots.len() + 1], places: Vec::new(), subtrees: Vec::new() }
    }

    /// Rows of the nodes whose subtrees are divided, the root among them.
    pub(crate) fn divided(&self) -> impl Iterator<Item = usize> + '_ {
        let mut row = 0;
        let mut next = 0;
        std::iter::from_fn(move || {
            // Subtrees are ranges, so only what lies between them is looked at.
            while let Some(&root) = self.roots.get(next)
                && root as usize == row
            {
                let of = self.subtree[row];
                row += self.subtree[row..].iter().take_while(|&&subtree| subtree == of).count();
                next += 1;
            }
            let found = (row < self.subtree.len()).then_some(row);
            row += 1;
            found
        })
    }

    /// First nodes of the other disjoint subtrees, in the order of their numbers from 1.
    pub(crate) fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.roots.iter().map(|&row| row as usize)
    }

    /// Which part of each subtree lies in a set of nodes, given as ascending ranges: of those that have any, by number.
    pub(crate) fn parts(&self, tree: &CallTree, ranges: &[Range<usize>]) -> Vec<(usize, f64)> {
        let mut made: Vec<(usize, f64)> = Vec::new();
        for range in ranges.iter().checked() {
            // The last root that stands before, and all those inside.
            let mut at = self.roots.partition_point(|&root| (root as usize) <= range.start).saturating_sub(1);
            while let Some(root) = self.roots.get(at).map(|&root| root as usize).filter(|&root| root < range.end) {
                let end = tree.subtree_ends()[root] as usize;
                let (first, last) = (range.start.max(root), range.end.min(end));
                let whole = self.before[end] - self.before[root];
                if first < last && whole > 0.0 {
                    let part = (self.before[last] - self.before[first]) / whole;
                    match made.last_mut().filter(|(subtree, _)| *subtree == at + 1) {
                        Some((_, sum)) => *sum += part,
                        None => made.push((at + 1, part)),
                    }
                }
                at += 1;
            }
        }
        made
    }

    /// How a subtree is made up, by its number.
    pub(crate) fn subtree_mix(&self, subtree: usize) -> Mix {
        self.subtrees.get(subtree).copied().unwrap_or(Mix::ONE)
    }

    /// How a place's self or total is made up.
    pub(crate) fn of_place(&self, place: PlaceId, measure: Measure) -> Mix {
        self.places[measure as usize].get(place.row()).copied().unwrap_or(Mix::ONE)
    }

    /// How a node's total is made up.
    pub(crate) fn of_subtree(&self, tree: &CallTree, node: NodeId, scratch: &mut Scratch) -> Mix {
        let range = node.row()..tree.subtree_end(node);
        match self.sketched.get(node.row()) {
            Some(&functions) if range.len() > FEW => Mix { functions: f64::from(functions), subtrees: self.subtrees_of(tree, node.row()) },
            _ => self.mix_with(std::iter::once(range), scratch),
        }
    }

    /// Sum of the squared parts of subtrees in a node's total.
    fn subtrees_of(&self, tree: &CallTree, row: usize) -> f64 {
        if self.subtree[row] > 0 {
            return 1.0;
        }
        let ends = tree.subtree_ends();
        let end = ends[row] as usize;
        let first = self.roots.partition_point(|&root| (root as usize) < row);
        let inside = self.roots[first..].iter().map(|&root| root as usize).take_while(|&root| root < end);
        let (mut below, mut squares) = (0.0, 0.0);
        for root in inside.checked() {
            let cost = self.before[ends[root] as usize] - self.before[root];
            below += cost;
            squares += cost * cost;
        }
        let whole = self.before[end] - self.before[row];
        part_of_squares(squares + (whole - below).powi(2), whole)
    }

    /// Sketches of the totals of the places with more than [`FEW`] nodes, and the sum of squared parts for each node.
    fn sketch(&self, tree: &CallTree, places: &Places, outermost: &[bool], sizes: &[usize]) -> (Vec<Sketch>, Vec<f32>) {
        let ends = tree.subtree_ends();
        let drawn: Vec<Drawn> = places.iter_ids().checked().map(|(_, place)| Drawn::of(&place.name)).collect();
        let put = |sketch: &mut Sketch, row: usize| sketch.put(self.pooled[row] as f32, drawn[self.place[row] as usize]);
        // Divided nodes stand on one path; what lies below each but not below the next is added up side by side.
        let divided: Vec<usize> = self.divided().collect();
        let mut parts: Vec<(usize, &mut [f32])> = Vec::new();
        let mut sketched = vec![1.0_f32; tree.len()];
        let mut rest = sketched.as_mut_slice();
        let mut start = 0;
        for part in 1..=PARTS {
            // Subtrees are not cut.
            let wanted = tree.len() * part / PARTS;
            let at = self.roots.partition_point(|&root| (root as usize) < wanted);
            let end = self.roots.get(at).map_or(tree.len(), |&root| root as usize);
            let (now, later) = rest.split_at_mut(end - start);
            parts.push((start, now));
            (rest, start) = (later, end);
        }
        let here = Here::new();
        let done: Vec<(Vec<Sketch>, Vec<Sketch>)> = parts
            .into_par_iter()
            .map(|(first, sketched)| {
                let mut of_places = vec![Sketch::default(); places.len()];
                // Of leaves, which are most nodes: what they add to their place's total is its own function's.
                let mut of_leaves = vec![0.0_f32; places.len()];
                let mut below = vec![Sketch::default(); divided.len()];
                // The node that is looked at and its callers, each with where its subtree ends; their sums stay where they are.
                let mut open: Vec<(usize, usize)> = Vec::new();
                let mut sums: Vec<Sketch> = Vec::new();
                let caller_below = |row: usize| tree.parents()[row].map(|caller| divided.partition_point(|&row| row < caller.row()));
                let last = first + sketched.len();
                let (mut row, mut next_check) = (first, first);
                while row <= last {
                    if row >= next_check {
                        here.checkpoint();
                        next_check = row + ITEMS_PER_CHECK as usize;
                    }
                    while let Some((inner, end)) = open.pop_if(|(_, end)| *end <= row) {
                        let Some((sketch, callers)) = sums[..=open.len()].split_last_mut() else { break };
                        if end - inner > FEW {
                            sketched[inner - first] = sketch.part(self.pooled[inner]) as f32;
                        }
                        if outermost[inner] && sizes[self.place[inner] as usize] > FEW {
                            of_places[self.place[inner] as usize].add(sketch);
                        }
                        if let Some(above) = callers.last_mut() {
                            above.add(sketch);
                        } else if let Some(at) = caller_below(inner) {
                            below[at].add(sketch);
                        }
                    }
                    if row == last {
                        break;
                    }
                    if self.subtree[row] == 0 {
                        row += 1;
                        continue;
                    }
                    let end = ends[row] as usize;
                    if end > row + AT_ONCE {
                        open.push((row, end));
                        if sums.len() < open.len() {
                            sums.push(Sketch::default());
                        }
                        let own = &mut sums[open.len() - 1];
                        *own = Sketch::default();
                        put(own, row);
                        row += 1;
                        continue;
                    }
                    // So few nodes are put where they belong one by one.
                    let above = match open.len().checked_sub(1) {
                        Some(at) => Some(&mut sums[at]),
                        None => caller_below(row).map(|at| &mut below[at]),
                    };
                    if let Some(above) = above {
                        (row..end).for_each(|row| put(above, row));
                    }
                    for inner in (row..end).filter(|&inner| outermost[inner]) {
                        let place = self.place[inner] as usize;
                        if ends[inner] as usize == inner + 1 {
                            of_leaves[place] += self.pooled[inner] as f32;
                        } else if sizes[place] > FEW {
                            (inner..ends[inner] as usize).for_each(|row| put(&mut of_places[place], row));
                        }
                    }
                    row = end;
                }
                for ((sketch, &cost), &drawn) in of_places.iter_mut().zip(&of_leaves).zip(&drawn) {
                    sketch.put(cost, drawn);
                }
                (of_places, below)
            })
            .collect();
        let mut of_places = vec![Sketch::default(); places.len()];
        let mut inner = Sketch::default();
        for (part, _) in &done {
            of_places.iter_mut().zip(part).checked().for_each(|(sum, part)| sum.add(part));
        }
        for (at, &row) in divided.iter().enumerate().rev() {
            put(&mut inner, row);
            for (_, below) in &done {
                inner.add(&below[at]);
            }
            sketched[row] = inner.part(self.pooled[row]) as f32;
            if outermost[row] {
                of_places[self.place[row] as usize].add(&inner);
            }
        }
        (of_places, sketched)
    }

    /// How a group is made up, given as ranges of nodes.
    pub(crate) fn mix(&self, ranges: impl Iterator<Item = Range<usize>>) -> Mix {
        self.mix_with(ranges, &mut self.scratch(self.places[0].len()))
    }

    fn mix_with(&self, ranges: impl Iterator<Item = Range<usize>>, scratch: &mut Scratch) -> Mix {
        let ranges: Vec<Range<usize>> = ranges.checked().collect();
        if ranges.iter().map(Range::len).sum::<usize>() > MANY {
            return self.mix_of_points(&ranges, scratch);
        }
        self.mix_of_nodes(ranges.into_iter(), scratch)
    }

    fn mix_of_nodes(&self, ranges: impl Iterator<Item = Range<usize>>, scratch: &mut Scratch) -> Mix {
        let mut whole = 0.0;
        for row in ranges.flatten() {
            let cost = self.pooled[row];
            if cost > 0.0 {
                whole += cost;
                scratch.add(self.place[row], self.subtree[row], cost);
            }
        }
        let [functions, subtrees] = scratch.take(|sum| sum * sum);
        if whole > 0.0 { Mix { functions: functions / (whole * whole), subtrees: subtrees / (whole * whole) } } else { Mix::ONE }
    }

    /// The same from where points at equal distances of cost fall: the chance that two of them fall on the same function, or into the same subtree.
    fn mix_of_points(&self, ranges: &[Range<usize>], scratch: &mut Scratch) -> Mix {
        let found = self.add_points(ranges, scratch);
        if found <= 0.0 {
            return Mix::ONE;
        }
        let pairs = (found * (found - 1.0)).max(1.0);
        let [functions, subtrees] = scratch.take(|count| count * (count - 1.0));
        Mix { functions: functions / pairs, subtrees: subtrees / pairs }
    }

    /// Counts points by function and by subtree, and gives their number.
    fn add_points(&self, ranges: &[Range<usize>], scratch: &mut Scratch) -> f64 {
        let cost = |range: &Range<usize>| self.before[range.end] - self.before[range.start];
        let distance = ranges.iter().map(cost).sum::<f64>() / f64::from(POINTS);
        let mut found = 0.0_f64;
        if distance <= 0.0 {
            return found;
        }
        let mut next = distance / 2.0;
        for range in ranges.iter().checked() {
            let mut row = range.start;
            while next < cost(range) {
                row = self.row_at(row, range.end, self.before[range.start] + next);
                scratch.add(self.place[row], self.subtree[row], 1.0);
                found += 1.0;
                next += distance;
            }
            next -= cost(range);
        }
        found
    }

    /// The squared parts that functions have of a group, by the row of their place.
    pub(crate) fn squares(&self, ranges: impl Iterator<Item = Range<usize>>, scratch: &mut Scratch, mut take: impl FnMut(usize, f64)) {
        let ranges: Vec<Range<usize>> = ranges.checked().collect();
        let (mut whole, is_large) = (0.0, ranges.iter().map(Range::len).sum::<usize>() > MANY);
        if is_large {
            whole = self.add_points(&ranges, scratch);
        } else {
            for row in ranges.into_iter().flatten() {
                let cost = self.pooled[row];
                if cost > 0.0 {
                    whole += cost;
                    scratch.add(self.place[row], self.subtree[row], cost);
                }
            }
        }
        scratch.take_subtrees(|_| 0.0);
        let Scratch { by_place, places, .. } = scratch;
        for place in places.drain(..).map(|place| place as usize) {
            let own = std::mem::take(&mut by_place[place]);
            // The chance that two points fall on it.
            let square = if is_large { own * (own - 1.0) / (whole * (whole - 1.0)).max(1.0) } else { (own / whole).powi(2) };
            take(place, square);
        }
    }

    /// The node between `from` and `end` in which a cost from the first node on is reached: doubling steps, since the next point is near.
    fn row_at(&self, from: usize, end: usize, cost: f64) -> usize {
        let is_before = |row: usize| self.before[row + 1] <= cost;
        let (mut low, mut step) = (from, 1);
        while low + step < end && is_before(low + step) {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(end - 1);
        low + self.before[low + 1..=high].partition_point(|sum| *sum <= cost)
    }
}

impl Scratch {
    fn add(&mut self, place: u32, subtree: u32, amount: f64) {
        let sum = &mut self.by_place[place as usize];
        if *sum == 0.0 {
            self.places.push(place);
        }
        *sum += amount;
        self.add_subtree(subtree, amount);
    }

    fn add_subtree(&mut self, subtree: u32, amount: f64) {
        let sum = &mut self.by_subtree[subtree as usize];
        if *sum == 0.0 {
            self.subtrees.push(subtree);
        }
        *sum += amount;
    }

    /// Sums of `weigh` over what was added up, by place and by subtree, which begin anew.
    fn take(&mut self, weigh: impl Fn(f64) -> f64) -> [f64; 2] {
        let Self { by_place, places, .. } = self;
        let functions = places.drain(..).map(|at| weigh(std::mem::take(&mut by_place[at as usize]))).sum();
        [functions, self.take_subtrees(weigh)]
    }

    fn take_subtrees(&mut self, weigh: impl Fn(f64) -> f64) -> f64 {
        let Self { by_subtree, subtrees, .. } = self;
        subtrees.drain(..).map(|at| weigh(std::mem::take(&mut by_subtree[at as usize]))).sum()
    }
}

/// Sums of cost by groups of functions, with random signs: the sum of their squares is on average that of the functions' own.
#[derive(Clone, Copy, Debug)]
struct Sketch {
    sums: [f32; GROUPS],
    whole: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { sums: [0.0; GROUPS], whole: 0.0 }
    }
}

impl Sketch {
    /// Takes in the cost of a function's nodes.
    fn put(&mut self, cost: f32, function: Drawn) {
        self.whole += f64::from(cost);
        if let Some(sum) = self.sums.get_mut(usize::from(function.group)) {
            *sum += cost * function.sign;
        }
    }

    fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum += other;
        }
    }

    /// Sum of the squared parts of functions, of which one has at least `own`.
    fn part(&self, own: f64) -> f64 {
        if self.whole <= 0.0 {
            return 1.0;
        }
        let squares: f64 = self.sums.iter().map(|&sum| f64::from(sum).powi(2)).sum();
        (squares / self.whole.powi(2)).max((own / self.whole).powi(2)).min(1.0)
    }
}

/// What was drawn for a function.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    group: u8,
    sign: f32,
}

impl Drawn {
    /// By name: numbers of places follow from the order of the captures, and swapped sides say the same.
    fn of(name: &str) -> Self {
        let mut z = FxBuildHasher.hash_one(name).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        Self { group: (z % GROUPS as u64) as u8, sign: if z >> 63 == 0 { 1.0 } else { -1.0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Naming;
    use crate::analysis::diff::Base;
    use crate::analysis::matching::tests::compared;

    /// Nodes of some functions with heavy tails of cost, a tenth of them without any, in subtrees of a hundred.
    fn shapes(nodes: usize, functions: u32) -> Shapes {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let place: Unfinished<Vec<u32>> = (0..nodes).map(|_| (next().powi(3) * f64::from(functions)) as u32).collect();
        let pooled: Unfinished<Vec<f64>> = (0..nodes).map(|_| if next() < 0.1 { 0.0 } else { next().powi(-2).min(1e4) }).collect();
        let before = (0..=nodes).map(|row| pooled[..row].iter().sum()).collect();
        let subtree: Unfinished<Vec<u32>> = (0..nodes).map(|row| row as u32 / 100).collect();
        Shapes {
            pooled,
            before,
            place,
            subtree,
            roots: (0..nodes as u32 / 100).map(|subtree| 100 * subtree).collect(),
            subtrees: Vec::new(),
            places: [0, 1].map(|_| vec![Mix::ONE; functions as usize]),
            sketched: Vec::new(),
        }
    }

    #[test]
    fn points_say_what_all_nodes_say() {
        for functions in [1, 5, 300] {
            let shapes = shapes(8000, functions);
            for ranges in
                [vec![0..7900, 7900..8000], vec![5..4000, 4100..4101, 6000..8000], (0..4000).map(|row| row * 2..row * 2 + 1).collect()]
            {
                let exact = shapes.mix(ranges.iter().cloned());
                let found = shapes.mix_of_points(&ranges, &mut shapes.scratch(functions as usize));
                let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.25;
                assert!(near(found.functions, exact.functions), "{functions} functions: {found:?}, exactly {exact:?}");
                assert!(near(found.subtrees, exact.subtrees), "{functions} functions: {found:?}, exactly {exact:?}");
                assert_eq!(shapes.mix(ranges.iter().cloned()), exact, "nothing is left behind");
                let mut squares = 0.0;
                let scratch = &mut shapes.scratch(functions as usize);
                shapes.squares(ranges.iter().cloned(), scratch, |place, square| {
                    assert!(place < functions as usize && (0.0..=1.0 + 1e-9).contains(&square));
                    squares += square;
                });
                assert!((squares / exact.functions - 1.0).abs() < 1e-9, "{functions} functions: {squares}, exactly {exact:?}");
                assert_eq!(shapes.mix_with(ranges.iter().cloned(), scratch), exact, "nor here");
            }
        }
    }

    #[test]
    fn sketches_and_sums_say_what_all_nodes_say() {
        let mut seed = 5_u64;
        let mut next = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        // Most of it below one path of three, so that subtrees are divided.
        let lines: Vec<String> = (0..4000)
            .map(|_| {
                let start = ["main;run;serve", "main;run;serve;handle", "main;init"][(next(10) / 4).min(2) as usize];
                let frames: Vec<String> = (0..=next(8)).map(|_| format!("f{}", next(60))).collect();
                format!("{start};{} {}", frames.join(";"), 1 + next(30) * next(30))
            })
            .collect();
        let lines: Vec<&'static str> = lines.leak().iter().map(String::as_str).collect();
        let comparison = compared(&lines, &lines, &Naming::default());
        let base = Base::new(&comparison).unwrap();
        let (tree, places, shapes) = (comparison.tree(), comparison.places(), &base.shapes);
        let parts = |ranges: &[Range<usize>]| shapes.parts(tree, ranges);
        let whole: Vec<(usize, f64)> = (1..=shapes.roots().count()).map(|subtree| (subtree, 1.0)).collect();
        let all = 0..tree.len();
        assert_eq!(parts(std::slice::from_ref(&all)), whole, "all of each subtree");
        for (at, root) in shapes.roots().enumerate() {
            let end = tree.subtree_ends()[root] as usize;
            let cuts = [root..root + 1, root + 1..end];
            let sum: f64 = parts(&cuts).iter().map(|part| part.1).sum();
            assert!(parts(&cuts).iter().all(|part| part.0 == at + 1) && (sum - 1.0).abs() < 1e-9, "cut in two: {:?}", parts(&cuts));
        }
        let sizes = shapes.sizes(tree, places.len(), &base.outermost);
        let (sketches, by_node) = shapes.sketch(tree, places, &base.outermost, &sizes.nodes);
        assert!(shapes.divided().count() > 2 && sizes.nodes.iter().sum::<usize>() < EXACT);
        let (mut squares, mut sketched) = (0.0, 0);
        for place in places.ids().skip(1) {
            let row = place.row();
            let scratch = &mut shapes.scratch(places.len());
            let mut exact = |measure| shapes.mix_of_nodes(base.ranges(&comparison, place, measure), scratch);
            for measure in Measure::ALL {
                let whole = [sizes.own[row], sizes.total[row]][measure as usize];
                let found = part_of_squares(sizes.squares[measure as usize][row], whole);
                let wanted = exact(measure).subtrees;
                assert!((found / wanted - 1.0).abs() < 1e-9, "{} {measure:?}: {found}, exactly {wanted}", places.name(place));
            }
            if sizes.nodes[row] > FEW {
                squares += (sketches[row].part(sizes.own[row]) / exact(Measure::Total).functions).ln().powi(2);
                sketched += 1;
            }
        }
        assert!(sketched > 50, "{sketched} places");
        let error = (squares / f64::from(sketched)).sqrt();
        assert!(error < 0.25, "sketches are {error} off");
        let whole = shapes.mix_of_nodes(std::iter::once(0..tree.len()), &mut shapes.scratch(places.len()));
        let root = f64::from(by_node[0]) / whole.functions;
        assert!((root - 1.0).abs() < 0.5, "the whole: {root}");
    }

    #[test]
    fn a_point_falls_on_the_node_that_holds_its_cost() {
        let shapes = shapes(500, 7);
        for from in [0, 3, 250] {
            for row in from..500 {
                let middle = f64::midpoint(shapes.before[row], shapes.before[row + 1]);
                if shapes.pooled[row] > 0.0 {
                    assert_eq!(shapes.row_at(from, 500, middle), row);
                }
            }
        }
    }
}
