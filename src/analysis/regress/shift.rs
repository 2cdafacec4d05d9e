//! Cost that moved and did not grow: a finding whose surroundings as a whole cost what they did is a shift.
//!
//! Surroundings are the function's own total (for its self), all paths of the function and the caller (for one path), and the callers (for a
//! function). Deliberately absent: frames on one side only (see `structure`). Start reading at [`shifted`].

use std::ops::Range;

use super::search::{Found, Search};
use crate::analysis::call_tree::NodeId;
use crate::analysis::diff::Measure;
use crate::analysis::diff::ground::Sums;
use crate::analysis::diff::noise::Model;

/// The net change of the surroundings must surely lie below this part of the finding's.
const PART: f64 = 0.6;
/// Surely: one-sided 95 %.
const SURE: f64 = 1.645;
/// Callers, their callers and so on up to this many steps are surroundings.
const LEVELS: usize = 4;
/// Surroundings with more than this part of all cost are everything.
const WHOLE: f64 = 0.7;

/// True where the surroundings of a finding took part of its change back, as surely as its samples can say.
pub(super) fn shifted(search: &Search<'_>, model: &Model, found: &Found) -> bool {
    let nodes = &search.base.ground.nodes;
    let exposure = model.scale.exposure;
    let sum = |ranges: &[Range<usize>]| {
        let mut made = Sums::default();
        for row in ranges.iter().cloned().flatten() {
            made.add(&nodes[row]);
        }
        made
    };
    let delta = |sums: &Sums| sums.value[1] / exposure - sums.value[0];
    let mut own = Sums::default();
    for &row in &found.rows {
        own.add(&nodes[row as usize]);
    }
    let moved = delta(&own).abs();
    let whole: f64 = nodes.iter().map(|sums| sums.pooled(exposure)).sum();
    domains(search, found).into_iter().any(|ranges| {
        let sums = sum(&ranges);
        let cost = sums.pooled(exposure);
        if cost > whole * WHOLE || cost <= own.pooled(exposure) {
            return false;
        }
        let Some(counts) = model.scale.counts(&sums) else { return false };
        let mix = search.base.shapes.mix(ranges.iter().cloned());
        let doubt = model.doubt(&sums, mix, None, cost / whole);
        let error = cost / 2.0 * (counts.sampling() + doubt.extra).max(0.0).sqrt();
        delta(&sums).abs() + SURE * error < PART * moved
    })
}

/// The surroundings of a finding as disjoint ranges of nodes.
fn domains(search: &Search<'_>, found: &Found) -> Vec<Vec<Range<usize>>> {
    let (comparison, base, scope) = (search.comparison, search.base, found.group.scope);
    let tree = comparison.tree();
    let mut made: Vec<Vec<Range<usize>>> = Vec::new();
    if scope.measure == Measure::Self_ {
        made.push(match scope.node {
            Some(node) => std::iter::once(node.row()..tree.subtree_end(node)).collect(),
            None => base.ranges(comparison, scope.place, Measure::Total).collect(),
        });
    }
    if scope.node.is_some() {
        made.push(base.ranges(comparison, scope.place, scope.measure).collect());
    }
    let nodes: Vec<NodeId> = match scope.node {
        Some(node) => vec![node],
        None => base.nodes_of(scope.place).filter_map(NodeId::from_row).collect(),
    };
    for level in 1..=LEVELS {
        let above = |node: NodeId| (0..level).try_fold(node, |at, _| tree.parent(at));
        let mut callers: Vec<Range<usize>> =
            nodes.iter().filter_map(|&node| above(node)).map(|caller| caller.row()..tree.subtree_end(caller)).collect();
        callers.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        callers.retain(|range| {
            let apart = range.start >= end;
            end = end.max(range.end);
            apart
        });
        made.push(callers);
    }
    made
}
