//! What explanations leave: the sums of nodes, of subtrees and of places without the changes that are explained, kept as explanations come and go.
//!
//! An explanation touches its nodes, their callers and the places of both; only these are changed, and always from what was captured, so that what
//! is left does not depend on what was tried before. Deliberately absent: which explanations there are (`regress`). Start reading at [`Left::set`].

use std::ops::Range;

use super::Base;
use super::ground::{Instead, Scale, Sums, Tables};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::place::PlaceId;
use crate::base::discard::Unfinished;
use crate::base::ticket::Checked as _;

/// Nodes as disjoint ranges of rows, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NodeSet {
    ranges: Vec<Range<usize>>,
    len: usize,
}

impl NodeSet {
    /// Of ranges that have no row in common.
    pub(crate) fn new(ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<Range<usize>> = ranges.checked().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let len = ranges.iter().map(Range::len).sum();
        Self { ranges, len }
    }

    /// The nodes that any of several has.
    pub(crate) fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> Self {
        let mut all: Vec<Range<usize>> = sets.flat_map(Self::ranges).cloned().checked().collect();
        all.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(all.len());
        for range in all {
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        Self::new(ranges.into_iter())
    }

    /// The nodes that another set does not have.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let rest = |range: &Range<usize>| {
            let mut start = range.start;
            let mut made: Vec<Range<usize>> = Vec::new();
            let first = other.ranges.partition_point(|taken| taken.end <= range.start);
            for taken in other.ranges.iter().skip(first).take_while(|taken| taken.start < range.end) {
                made.push(start..taken.start);
                start = taken.end;
            }
            made.push(start..range.end);
            made
        };
        Self::new(self.ranges.iter().flat_map(rest))
    }

    /// Number of nodes.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Rows, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten().checked()
    }

    pub(crate) fn contains(&self, row: usize) -> bool {
        let at = self.ranges.partition_point(|range| range.end <= row);
        self.ranges.get(at).is_some_and(|range| range.contains(&row))
    }

    /// True where both have a node in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (few, many) = if self.ranges.len() <= other.ranges.len() { (self, other) } else { (other, self) };
        few.ranges.iter().any(|range| {
            let at = many.ranges.partition_point(|other| other.end <= range.start);
            many.ranges.get(at).is_some_and(|other| other.start < range.end)
        })
    }
}

/// Part of a sum below which what is left of it is added up anew: differences are right to 16 digits of what they were taken from.
const ROUNDED: f64 = 1e-6;

/// In the place of a row's sums before these are known.
const TAKEN: u32 = u32::MAX;

/// The sums that explanations leave.
pub(crate) struct Left<'a> {
    base: &'a Base,
    tree: &'a CallTree,
    /// Of the nodes that differ from the base.
    instead: Instead,
    /// Of all places; none until something is explained.
    places: Option<[Vec<Sums>; 2]>,
    /// What is explained now: see [`Left::set`].
    explained: Vec<(NodeSet, u64)>,
    scale: Option<[u64; 2]>,
    /// Cost before and after of the nodes of which after costs more, and of those of which it costs less.
    held: [[f64; 2]; 2],
    /// Rows and places that differ from the base.
    rows: Vec<u32>,
    touched: Vec<PlaceId>,
    /// By row, 1 where nothing is explained.
    multiplier: Unfinished<Vec<f64>>,
    /// By place.
    is_place: Vec<bool>,
}

impl<'a> Left<'a> {
    /// Nothing is explained.
    pub(crate) fn new(tree: &'a CallTree, base: &'a Base) -> Self {
        Self {
            base,
            tree,
            instead: Instead::default(),
            places: None,
            explained: Vec::new(),
            scale: None,
            held: [[0.0; 2]; 2],
            rows: Vec::new(),
            touched: Vec::new(),
            multiplier: Unfinished::default(),
            is_place: vec![false; base.places[0].len()],
        }
    }

    /// Takes explanations out, each as nodes of which after costs so many times what before costs: see [`Sums::explained`]. A node of several has their product.
    pub(crate) fn set<'b>(&mut self, explained: impl Iterator<Item = (&'b NodeSet, f64)> + Clone, scale: &Scale) {
        let of = Some([scale.exposure.to_bits(), scale.event_cost.to_bits()]);
        let same = self.explained.iter().map(|(set, by)| (set, *by)).eq(explained.clone().map(|(set, by)| (set, by.to_bits())));
        if same && (self.scale == of || self.rows.is_empty()) {
            return;
        }
        self.restore();
        if self.multiplier.is_empty() {
            self.multiplier.resize(self.tree.len(), 1.0);
            self.instead.at.resize(self.tree.len(), 0);
        }
        for (set, by) in explained.clone() {
            for row in set.rows() {
                self.multiplier[row] *= by;
                if std::mem::replace(&mut self.instead.at[row], TAKEN) == 0 {
                    self.rows.push(row as u32);
                }
            }
        }
        if self.rows.is_empty() {
            return;
        }
        let unchanged = 1.0_f64.to_bits();
        for &row in self.rows.iter().checked() {
            let by = self.multiplier[row as usize];
            if by.to_bits() != unchanged {
                let held = &mut self.held[usize::from(by < 1.0)];
                held.iter_mut().zip(self.base.ground.nodes[row as usize].value).for_each(|(held, value)| *held += value.abs());
            }
        }
        self.add_up(scale);
        self.explained = explained.map(|(set, by)| (set.clone(), by.to_bits())).collect();
        self.scale = of;
    }

    /// Everything as in the base.
    fn restore(&mut self) {
        for row in self.rows.drain(..).checked() {
            self.instead.at[row as usize] = 0;
        }
        self.instead.sums.clear();
        for place in self.touched.drain(..).map(PlaceId::row) {
            self.is_place[place] = false;
            for (places, base) in self.places.iter_mut().flatten().zip(&self.base.places) {
                places[place] = base[place];
            }
        }
        self.explained.clear();
        self.held = [[0.0; 2]; 2];
    }

    /// Sums of changed rows and of their callers, and of the places of both.
    fn add_up(&mut self, scale: &Scale) {
        let (tree, base) = (self.tree, self.base);
        let places = self.places.get_or_insert_with(|| base.places.clone());
        let mut at = 0;
        while let Some(&row) = self.rows.get(at) {
            let parent = NodeId::from_row(row as usize).and_then(|node| tree.parent(node));
            if let Some(parent) = parent
                && std::mem::replace(&mut self.instead.at[parent.row()], TAKEN) == 0
            {
                self.rows.push(parent.row() as u32);
            }
            at += 1;
        }
        // Callees before their callers.
        self.rows.sort_unstable_by(|a, b| b.cmp(a));
        let unchanged = 1.0_f64.to_bits();
        let mut callees: Vec<usize> = Vec::new();
        for &row in self.rows.iter().checked() {
            let Some(node) = NodeId::from_row(row as usize) else { continue };
            let row = node.row();
            let by = std::mem::replace(&mut self.multiplier[row], 1.0);
            let captured = &base.ground.nodes[row];
            let own = if by.to_bits() == unchanged { *captured } else { captured.explained(by, scale) };
            let mut sum = own;
            callees.clear();
            callees.extend(tree.children(node).map(NodeId::row));
            for &callee in callees.iter().rev().checked() {
                sum.add(self.instead.of(callee).map_or(&base.totals[callee], |[_, total]| total));
            }
            self.instead.sums.push([own, sum]);
            self.instead.at[row] = self.instead.sums.len() as u32;
            if node == CallTree::ROOT {
                continue;
            }
            let place = tree.place(node);
            if !std::mem::replace(&mut self.is_place[place.row()], true) {
                self.touched.push(place);
            }
            places[0][place.row()].replace(captured, &own);
            if base.outermost[row] {
                places[1][place.row()].replace(&base.totals[row], &sum);
            }
        }
        let left = base.tables().with(&self.instead, &base.places);
        for &place in self.touched.iter().checked() {
            let row = place.row();
            // Where nearly nothing is left of it, that is more rounding than value.
            if (0..2).all(|measure| places[measure][row].is_part_of(&base.places[measure][row], ROUNDED)) {
                continue;
            }
            let (mut own, mut total) = (Sums::default(), Sums::default());
            for node in base.nodes_of(place).checked() {
                own.add(left.own(node));
                if base.outermost[node] {
                    total.add(left.total(node));
                }
            }
            places[0][row] = own;
            places[1][row] = total;
        }
    }

    /// Captured cost, before and after, of the nodes that are explained as more, and of those as less.
    pub(crate) const fn held(&self) -> [[f64; 2]; 2] {
        self.held
    }

    /// Sums of nodes, subtrees and places.
    pub(crate) fn tables(&self) -> Tables<'_> {
        let base = self.base.tables();
        self.places.as_ref().map_or(base, |places| base.with(&self.instead, places))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ground::Added;
    use super::*;
    use crate::analysis::Naming;
    use crate::analysis::comparison::Comparison;
    use crate::analysis::diff::Measure;
    use crate::analysis::matching::tests::compared;

    /// Two captures of random stacks, some functions recursive, some on one side only.
    fn captures() -> Comparison {
        let mut seed = 3_u64;
        let mut next = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        let mut side = |only: &str| -> Vec<String> {
            let stack = |next: &mut dyn FnMut(u64) -> u64| {
                let frames: Vec<String> = (0..=next(6)).map(|_| format!("f{}", next(9))).collect();
                format!("{}{} {}", frames.join(";"), if next(7) == 0 { only } else { "" }, 1 + next(400))
            };
            (0..200).map(|_| stack(&mut next)).collect()
        };
        let (before, after) = (side(";gone"), side(";new"));
        let lines = |side: &'static [String]| -> Vec<&'static str> { side.iter().map(String::as_str).collect() };
        compared(&lines(before.leak()), &lines(after.leak()), &Naming::default())
    }

    #[test]
    fn what_is_left_is_what_adding_up_all_nodes_says() {
        let comparison = captures();
        let base = Base::new(&comparison).unwrap();
        let (tree, places) = (comparison.tree(), comparison.places());
        let mut left = Left::new(tree, &base);
        let of = |name: &str, measure: Measure| {
            let place = places.iter_ids().find(|(_, place)| place.name == name).unwrap().0;
            NodeSet::new(base.ranges(&comparison, place, measure))
        };
        let scale = Scale { exposure: 1.1, event_cost: base.ground.event_cost };
        let (own, total) = (Measure::Self_, Measure::Total);
        let near = |a: &Sums, b: &Sums| {
            let close = |a: [f64; 2], b: [f64; 2]| (0..2).all(|side| (a[side] - b[side]).abs() <= 1e-9 * (1.0 + a[side].abs()));
            close(a.value, b.value) && close(a.squares, b.squares) && close(a.events, b.events)
        };
        // One after the other: nothing of the one before is left.
        for explained in [
            vec![(of("f1", total), 1.5)],
            vec![(of("f1", total), 1.5), (of("f2", own), 0.3)],
            vec![(of("new", total), f64::INFINITY), (of("gone", total), 0.0), (of("f3", total), 2.0)],
            vec![(of("f1", total), 1.5), (of("f1", total), 1.0 / 1.5), (of("f4", own), 4.0)],
            vec![],
        ] {
            left.set(explained.iter().map(|(set, by)| (set, *by)), &scale);
            let mut nodes = base.ground.nodes.clone();
            for (row, sums) in nodes.iter_mut().enumerate() {
                let by: f64 = explained.iter().filter(|(set, _)| set.contains(row)).map(|(_, by)| by).product();
                if by.to_bits() != 1.0_f64.to_bits() {
                    *sums = sums.explained(by, &scale);
                }
            }
            let Added { totals: all, places: wanted, .. } = Added::new(&nodes, tree, places, &base.outermost);
            let found = left.tables();
            assert!(nodes.iter().enumerate().all(|(row, sums)| found.own(row) == sums));
            assert!(all.iter().enumerate().all(|(row, sums)| found.total(row) == sums));
            for (measure, (wanted, found)) in wanted.iter().zip(found.places).enumerate() {
                for (place, (a, b)) in wanted.iter().zip(found).enumerate() {
                    assert!(near(a, b), "place {place}, {measure}: {b:?}, wanted {a:?}");
                }
            }
        }
        let is_base = |row: usize| left.tables().own(row) == &base.ground.nodes[row] && left.tables().total(row) == &base.totals[row];
        assert!((0..tree.len()).all(is_base), "nothing is explained");
    }

    #[test]
    fn sets_of_nodes_are_sets_of_rows() {
        let set = |ranges: &[(usize, usize)]| NodeSet::new(ranges.iter().map(|&(start, end)| start..end));
        let sets = [set(&[]), set(&[(3, 5), (8, 9)]), set(&[(5, 8)]), set(&[(0, 4)]), set(&[(8, 20), (2, 3)]), set(&[(4, 9)])];
        let rows = |set: &NodeSet| set.rows().collect::<Vec<usize>>();
        for one in &sets {
            assert_eq!(one.len(), rows(one).len());
            assert!((0..25).all(|row| one.contains(row) == rows(one).contains(&row)));
            for other in &sets {
                assert_eq!(one.meets(other), rows(one).iter().any(|row| other.contains(*row)), "{one:?} {other:?}");
                let both = NodeSet::union([one, other].into_iter());
                assert!((0..25).all(|row| both.contains(row) == (one.contains(row) || other.contains(row))), "{one:?} {other:?}");
                assert_eq!(both.len(), rows(&both).len());
            }
        }
    }
}
