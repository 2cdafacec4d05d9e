//! Cost that moved and did not grow: a finding whose surroundings as a whole cost what they did is a shift.
//!
//! Surroundings are the function's own total (for its self), all paths of the function, the one that changed most the other way and the caller (for one path), the callers (for a
//! function), and everywhere else the callee that carries the change. Deliberately absent: frames on one side only (see `structure`). Start reading at [`shifted`].

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Finding;
use super::search::{Found, Search};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::diff::ground::Sums;
use crate::analysis::diff::left::NodeSet;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::{Measure, Verdict, verdict_of_sides};
use crate::analysis::place::PlaceId;

/// The net change of the surroundings must surely lie below this part of the finding's.
const PART: f64 = 0.6;
/// Surely: one-sided 95 %.
const SURE: f64 = 1.645;
/// What is left must be chance (in standard errors): what replaced a function and costs twice as much is no move of cost, though most of the rise was there before …
const CHANCE: f64 = 2.5;
/// … or no more than this part of the change.
const REST: f64 = 0.1;
/// Callers, their callers and so on up to this many steps are surroundings.
const LEVELS: usize = 4;
/// A callee that carries this part of a change stands for it.
const CARRIES: f64 = 0.8;
/// And must cost this many times as much on all paths as inside what changed: it is called from elsewhere too.
const ELSEWHERE: f64 = 1.05;
/// What makes up for a change is at least this part of it.
const COUNTERPART: f64 = 0.5;
/// Surroundings with more than this part of all cost are everything.
const WHOLE: f64 = 0.7;

/// True where the surroundings of a finding took part of its change back, as surely as its samples can say. What `changed` by itself is no part of them.
pub(super) fn shifted(search: &Search<'_>, model: &Model, found: &Found, changed: &NodeSet) -> bool {
    let exposure = model.scale.exposure;
    let delta = |sums: &Sums| sums.value[1] / exposure - sums.value[0];
    let own = found.sums;
    let moved = delta(&own).abs();
    let whole = search.base.absolute[0] + search.base.absolute[1] / exposure;
    // The surroundings cost more than `least`, and what they did.
    let stayed = |ranges: Vec<Range<usize>>, least: f64| {
        let nodes = NodeSet::new(ranges.into_iter()).without(changed);
        let sums = search.base.sums_of(search.comparison, &nodes);
        let cost = sums.pooled(exposure);
        if cost <= least || cost > whole * WHOLE {
            return false;
        }
        let Some(counts) = model.scale.counts(&sums) else { return false };
        let mix = search.base.shapes.mix(nodes.ranges().iter().cloned());
        let doubt = model.doubt(&sums, mix, None, cost / whole);
        let error = cost / 2.0 * (counts.sampling() + doubt.extra).max(0.0).sqrt();
        let net = delta(&sums).abs();
        net + SURE * error < PART * moved && (net < CHANCE * error || net < REST * moved)
    };
    domains(search, found, exposure).into_iter().any(|ranges| stayed(ranges, own.pooled(exposure)))
        || carriers(search, found, exposure, delta(&own)).into_iter().any(|(place, inside)| {
            let ranges = search.base.ranges(search.comparison, place, Measure::Total).collect();
            stayed(ranges, ELSEWHERE * inside)
        })
}

/// Takes back moves that are none: where what changed by itself is left out of the surroundings these did not stay as they were. Something else that
/// happens to have become as much cheaper took nothing over.
pub(super) fn by_itself(search: &Search<'_>, model: &Model, rows: &mut [(&Found, Finding)]) {
    let changed: Vec<&Found> = rows.iter().filter(|(_, row)| row.verdict.is_change()).map(|(found, _)| *found).collect();
    for (found, row) in rows.iter_mut().filter(|(_, row)| row.verdict == Verdict::Shift) {
        // Of what holds the finding, or is a part of it, this is no other change.
        let others = changed.iter().filter(|other| !other.nodes.meets(&found.nodes)).map(|other| &other.nodes);
        let others = NodeSet::union(others);
        if others.len() > 0 && !shifted(search, model, found, &others) {
            row.verdict = verdict_of_sides(row.before, row.after, row.delta_of_total);
        }
    }
}

/// Takes back moves whose counterpart is none: of a rise and a fall below one caller that make up for each other both moved, or the one is more than the
/// other, and then both changed. `rows` are findings with what was found.
pub(super) fn agree(tree: &CallTree, rows: &mut [(&Found, Finding)]) {
    let callers = |found: &Found| -> FxHashSet<NodeId> {
        let starts = found.nodes.ranges().iter().filter_map(|range| NodeId::from_row(range.start));
        starts.filter_map(|node| tree.parent(node)).collect()
    };
    let changes: Vec<(FxHashSet<NodeId>, f64)> =
        rows.iter().filter(|(_, row)| row.verdict.is_change()).map(|(found, row)| (callers(found), row.delta_of_total)).collect();
    for (found, row) in rows.iter_mut().filter(|(_, row)| row.verdict == Verdict::Shift) {
        let (own, delta) = (callers(found), row.delta_of_total);
        let is_counterpart = |(callers, other): &(FxHashSet<NodeId>, f64)| {
            other * delta < 0.0 && other.abs() >= COUNTERPART * delta.abs() && !callers.is_disjoint(&own)
        };
        if changes.iter().any(is_counterpart) {
            row.verdict = verdict_of_sides(row.before, row.after, delta);
        }
    }
}

/// Callees inside a finding that have most of its change, with what they cost there.
fn carriers(search: &Search<'_>, found: &Found, exposure: f64, moved: f64) -> Vec<(PlaceId, f64)> {
    let (tree, base) = (search.comparison.tree(), search.base);
    let mut parts: FxHashMap<PlaceId, [f64; 2]> = FxHashMap::default();
    // A function's own cost has nothing inside.
    let rows = (found.group.scope.measure == Measure::Total).then(|| found.nodes.rows()).into_iter().flatten();
    for node in rows.filter(|&row| base.outermost[row]).filter_map(NodeId::from_row) {
        let sums = base.totals[node.row()];
        let part = parts.entry(tree.place(node)).or_default();
        part[0] += sums.value[1] / exposure - sums.value[0];
        part[1] += sums.pooled(exposure);
    }
    parts.remove(&found.group.scope.place);
    let mut made: Vec<(PlaceId, f64)> =
        parts.into_iter().filter(|(_, part)| part[0] / moved >= CARRIES).map(|(place, part)| (place, part[1])).collect();
    made.sort_by_key(|(place, _)| *place);
    made
}

/// A path with the one of the same function that changed most the other way: where a part of the calls moved, the noise of all further paths would
/// hide that the two make up for each other.
fn counterpart(search: &Search<'_>, found: &Found, exposure: f64) -> Option<Vec<Range<usize>>> {
    let (base, scope) = (search.base, found.group.scope);
    let change = |range: &Range<usize>| {
        let sums = if scope.measure == Measure::Total { &base.totals[range.start] } else { &base.ground.nodes[range.start] };
        sums.value[1] / exposure - sums.value[0]
    };
    let own = found.nodes.ranges();
    let sign = own.iter().map(change).sum::<f64>().signum();
    let others = base.ranges(search.comparison, scope.place, scope.measure).filter(|range| !own.contains(range));
    let most = others.map(|range| (-sign * change(&range), range)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.start.cmp(&a.1.start)))?;
    (most.0 > 0.0).then(|| own.iter().cloned().chain([most.1]).collect())
}

/// The surroundings of a finding as disjoint ranges of nodes.
fn domains(search: &Search<'_>, found: &Found, exposure: f64) -> Vec<Vec<Range<usize>>> {
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
        made.extend(counterpart(search, found, exposure));
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

#[cfg(test)]
mod tests {
    use crate::analysis::diff::{Spec, Verdict};
    use crate::analysis::matching::tests::compared;
    use crate::analysis::{Naming, regress};

    #[test]
    fn half_of_the_calls_of_a_place_may_move() {
        let handlers = ["a", "b", "c", "d", "e", "f"].map(|name| format!("main;{name};own 2000"));
        let with =
            |more: &[&'static str]| -> Vec<String> { handlers.iter().cloned().chain(more.iter().map(|line| (*line).to_owned())).collect() };
        let verdicts = |before: &[&'static str], after: &[&'static str]| {
            let [before, after] = [with(before), with(after)];
            let [before, after] = [&before, &after].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
            let found = regress::findings(&compared(&before, &after, &Naming::default()), &[], &Spec::default()).unwrap();
            found.rows.iter().map(|row| row.verdict).collect::<Vec<_>>()
        };
        let before = ["main;a;encode 270", "main;c;encode 270", "main;e;encode 270"];
        // The other paths differ by chance, together by as much as the sampling lets expect.
        let moved = verdicts(&before, &["main;a;encode 135", "main;b;encode 135", "main;c;encode 252", "main;e;encode 255"]);
        assert!(!moved.is_empty() && moved.iter().all(|verdict| *verdict == Verdict::Shift), "{moved:?}");
        // What comes without anything that went is new.
        let new = verdicts(&before, &["main;a;encode 262", "main;b;encode 135", "main;c;encode 265", "main;e;encode 268"]);
        assert!(new.iter().any(|verdict| verdict.is_worse()), "{new:?}");
    }

    #[test]
    fn what_became_cheaper_everywhere_takes_nothing_over() {
        let verdict = |after: &[&str]| {
            let other = ["a", "b", "c", "d", "e", "f", "g", "i"].map(|name| format!("main;{name};own 3000"));
            let with = |lines: &[&str]| other.iter().cloned().chain(lines.iter().map(|line| (*line).to_owned())).collect::<Vec<String>>();
            let sides = [
                with(&["main;h;own 500", "main;h;p;grown 300", "main;h;q;fallen 500", "main;k;own 500", "main;k;r;fallen 500"]),
                with(after),
            ];
            let [before, after] = sides.each_ref().map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
            let found = regress::findings(&compared(&before, &after, &Naming::default()), &[], &Spec::default()).unwrap();
            found.rows.iter().find(|row| ["grown", "p"].contains(&row.func.as_str())).map(|row| row.verdict)
        };
        // What it gained is by chance what the other function lost below the same caller, which became cheaper elsewhere too.
        let apart = ["main;h;own 500", "main;h;p;grown 500", "main;h;q;fallen 300", "main;k;own 500", "main;k;r;fallen 300"];
        assert_eq!(verdict(&apart), Some(Verdict::Regression));
        // What only the one beside it lost moved.
        let together = ["main;h;own 500", "main;h;p;grown 500", "main;h;q;fallen 300", "main;k;own 500", "main;k;r;fallen 500"];
        assert_eq!(verdict(&together), Some(Verdict::Shift));
    }
}
