//! The greedy choice of groups, and the move of the headline to the program's own code.

use rustc_hash::FxHashMap;

use super::Finding;
use crate::analysis::call_tree::NodeId;
use crate::analysis::comparison::{self, Comparison, Normalization};
use crate::analysis::diff::ground::{Scale, Sums};
use crate::analysis::diff::{Exposure, Interval, Measure, Spec, Table, Verdict, Worked, is_small, largest_total, verdict_of_sides};
use crate::analysis::names::{CodeKind, code_kinds};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::{Cell, Test, weighted_median};

/// At most this many findings; every real pair seen had fewer than ten.
const MAX_FINDINGS: usize = 50;
/// A library's change is headlined at the own function through which at least this part of it comes.
const OWN_PART: f64 = 0.6;
/// A place with this part of all cost stands for everything.
const WHOLE: f64 = 0.7;
/// Evidence within which a deeper place is preferred: a likelihood ratio of e.
const NEAR: f64 = 2.0;
/// Rates closer than this (in logarithms) are taken as those of a machine that is full on both sides.
const CLOSED: f64 = 0.05;

/// Findings in order of discovery, with `rank` as the order of discovery from 1.
pub(super) struct Attributed {
    pub(super) findings: Vec<Finding>,
    /// Per place row: order of discovery of the finding whose nodes took most of its change.
    pub(super) explained_by: FxHashMap<PlaceId, usize>,
    /// True where one thing's growth is by definition the others' fall.
    pub(super) closed: bool,
    /// Where everything changed alike: value after / value before of the bulk, against which findings were then held.
    pub(super) moved: Option<Interval>,
}

/// What is searched for. Rises and falls are set aside apart: a fall of a whole does not hide a rise inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Rise,
    Fall,
}

impl Change {
    const fn sign(self) -> f64 {
        match self {
            Self::Rise => 1.0,
            Self::Fall => -1.0,
        }
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    measure: Measure,
    /// Rise or fall.
    change: Change,
    place: PlaceId,
    /// Part of the error level that its test may use.
    weight: f64,
    /// Logarithm of the number of candidates of its kind.
    ln_kind: f64,
}

/// What is not explained yet.
struct Rest<'a> {
    comparison: &'a Comparison,
    worked: &'a Worked,
    /// Nodes set aside, for rises and for falls.
    taken: [Vec<bool>; 2],
    /// Sums of what is left for rises and for falls, per place: self and total.
    places: [[Vec<Sums>; 2]; 2],
    scale: Scale,
    /// Deepest node of each place's outermost ones, to tell callers from callees among equals.
    depth: Vec<u32>,
}

pub(super) fn attribute(comparison: &Comparison, worked: &Worked, spec: &Spec) -> Attributed {
    let tree = comparison.tree();
    let kinds = code_kinds(comparison.places(), tree);
    let closed = is_closed(comparison, spec);
    let mut depth = vec![0; comparison.places().len()];
    for node in tree.nodes() {
        let deepest = &mut depth[tree.place(node).row()];
        *deepest = tree.depth(node).max(*deepest);
    }
    let taken = [vec![false; tree.len()], vec![false; tree.len()]];
    let mut rest = Rest { comparison, worked, taken, places: [worked.places.clone(), worked.places.clone()], scale: worked.scale, depth };
    let mut candidates = candidates(worked, comparison, spec);
    let mut findings: Vec<Finding> = Vec::new();
    let mut explained_by = FxHashMap::default();
    let mut moved = None;
    while findings.len() < MAX_FINDINGS {
        let Some(at) = rest.best(&candidates, spec) else { break };
        if moved.is_none()
            && !closed
            && let Some(bulk) = rest.everything(candidates.get(at), spec)
        {
            moved = Some(bulk);
            rest.scale.exposure = bulk.ratio;
            continue;
        }
        let chosen = candidates.swap_remove(at);
        let chosen = rest.headline(chosen, &kinds, spec).unwrap_or(chosen);
        let chosen = rest.with_callees(chosen, spec).unwrap_or(chosen);
        let finding = rest.finding(&chosen, findings.len() + 1);
        let order = finding.rank;
        candidates.retain(|other| (other.place, other.measure, other.change) != (chosen.place, chosen.measure, chosen.change));
        explained_by.insert(chosen.place, order);
        rest.take(&chosen, order, &mut explained_by);
        findings.push(finding);
        if closed {
            rest.scale.exposure = rest.exposure(spec);
        }
    }
    Attributed { findings, explained_by, closed, moved }
}

/// Shares add up to 1, and a machine that is full on both sides has no more seconds to give: what one place gains the others lose.
fn is_closed(comparison: &Comparison, spec: &Spec) -> bool {
    if spec.exposure != Exposure::Normalization {
        return false;
    }
    match comparison.effective_normalization() {
        Normalization::Share => true,
        // Processor time adds up to itself, and to nothing for what is no processor time.
        Normalization::PerCpuSecond => comparison::counts_cpu(&comparison.sample_type),
        Normalization::PerRequest(_) | Normalization::Absolute => false,
        Normalization::PerSecond => comparison.pair().is_some_and(|(before, after)| {
            let rate = |side| comparison.factor(side) * side.denominator();
            (rate(after) / rate(before)).ln().abs() < CLOSED
        }),
    }
}

/// Every place's self and total that has enough events, with its part of the error level: half for each measure, and of that most for
/// the few large places, so that thousands of tiny ones do not tax them.
fn candidates(worked: &Worked, comparison: &Comparison, spec: &Spec) -> Vec<Candidate> {
    const CLASSES: [(f64, f64); 3] = [(0.01, 0.5), (0.001, 0.3), (0.0, 0.2)];
    let all: f64 = comparison.sides.iter().zip([1.0, 1.0 / worked.scale.exposure]).map(|(side, unit)| side.denominator() * unit).sum();
    let class = |sums: &Sums| {
        let share = (sums.value[0] + sums.value[1] / worked.scale.exposure) / all.max(f64::MIN_POSITIVE);
        CLASSES.iter().position(|(least, _)| share >= *least).unwrap_or(CLASSES.len() - 1)
    };
    let mut made = Vec::new();
    for (measure, sums) in Measure::ALL.into_iter().zip(&worked.places) {
        let enough = |sums: &Sums| worked.scale.counts(sums).is_some_and(|counts| counts.both() >= spec.min_events);
        let rows: Vec<(PlaceId, usize)> = comparison
            .places()
            .ids()
            .zip(sums)
            .skip(1)
            .filter(|(_, sums)| enough(sums))
            .map(|(place, sums)| (place, class(sums)))
            .collect();
        let mut size = [0_usize; CLASSES.len()];
        for &(_, class) in &rows {
            size[class] += 1;
        }
        let used: f64 = CLASSES.iter().zip(size).filter(|(_, size)| *size > 0).map(|((_, weight), _)| weight).sum();
        let ln_kind = (rows.len().max(1) as f64).ln();
        made.extend(rows.into_iter().flat_map(|(place, class)| {
            // The p value is two-sided already: rise and fall are one test.
            let weight = 0.5 * CLASSES[class].1 / used / size[class] as f64;
            [Change::Rise, Change::Fall].map(|change| Candidate { measure, change, place, weight, ln_kind })
        }));
    }
    made
}

impl Rest<'_> {
    fn sums(&self, candidate: &Candidate) -> &Sums {
        &self.places[candidate.change as usize][candidate.measure as usize][candidate.place.row()]
    }

    fn extra(&self, candidate: &Candidate) -> f64 {
        self.table(candidate.measure).extra.get(candidate.place.row()).copied().unwrap_or(0.0)
    }

    fn table(&self, measure: Measure) -> &Table {
        self.worked.diff.table(measure)
    }

    /// The test of what is left of a candidate, if it is significant and not too small to name.
    fn test(&self, candidate: &Candidate, spec: &Spec) -> Option<Test> {
        let sums = self.sums(candidate);
        let counts = self.scale.counts(sums).filter(|counts| counts.both() >= spec.min_events)?;
        let extra = self.extra(candidate);
        let test = counts.test(extra);
        if test.z * candidate.change.sign() <= 0.0 || test.p > spec.level * candidate.weight {
            return None;
        }
        let (lo, hi) = counts.interval(extra, 0.95);
        (!is_small(self.normalized(sums), [lo, hi], largest_total(self.comparison), spec)).then_some(test)
    }

    fn normalized(&self, sums: &Sums) -> [f64; 2] {
        let factor = |side: usize| self.comparison.sides.get(side).map_or(0.0, |side| self.comparison.factor(side));
        [sums.value[0] * factor(0), sums.value[1] * factor(1)]
    }

    /// The candidate with the strongest evidence, and among those near it that hold nearly the same change the deepest and smallest.
    fn best(&self, candidates: &[Candidate], spec: &Spec) -> Option<usize> {
        let scored: Vec<(usize, f64)> = candidates
            .iter()
            .enumerate()
            .filter_map(|(at, candidate)| {
                let test = self.test(candidate, spec)?;
                Some((at, test.z * test.z - 2.0 * candidate.ln_kind))
            })
            .collect();
        let top = scored.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        let delta = |at: usize| candidates.get(at).map_or(0.0, |candidate| self.delta(self.sums(candidate)));
        let wanted = delta(top.0);
        let near = scored.iter().filter(|row| row.1 >= top.1 - NEAR && (delta(row.0) / wanted - 1.0).abs() < 0.1);
        let key = |row: &&(usize, f64)| {
            let candidate = candidates[row.0];
            // A leaf's self and total are the same: self says more. Places are in name order.
            (self.depth[candidate.place.row()], candidate.measure == Measure::Self_, std::cmp::Reverse(candidate.place))
        };
        near.max_by_key(key).map(|row| row.0)
    }

    /// Change per unit of work, in raw units of before.
    fn delta(&self, sums: &Sums) -> f64 {
        sums.value[1] / self.scale.exposure - sums.value[0]
    }

    /// Where a candidate is nearly the whole and the bulk of the functions moved with it: the ratio of the bulk. Then the amount of work or
    /// the machine changed, and not one place.
    fn everything(&self, candidate: Option<&Candidate>, spec: &Spec) -> Option<Interval> {
        let bulk = self.worked.diff.unchanged.filter(|_| spec.exposure == Exposure::Normalization)?;
        let candidate = candidate.filter(|candidate| candidate.measure == Measure::Total)?;
        let cost = |sums: &Sums| sums.value[0] + sums.value[1] / self.scale.exposure;
        let all: f64 = self.worked.places[Measure::Self_ as usize].iter().map(cost).sum();
        let beyond = match candidate.change {
            Change::Rise => bulk.lo > self.scale.exposure,
            Change::Fall => bulk.hi < self.scale.exposure,
        };
        (beyond && cost(self.sums(candidate)) >= WHOLE * all).then_some(bulk)
    }

    /// Nodes of a candidate that are not set aside: each with its whole subtree for totals.
    fn nodes(&self, candidate: &Candidate) -> Vec<usize> {
        let tree = self.comparison.tree();
        let mut made = Vec::new();
        for (row, place) in tree.places().iter().enumerate() {
            if *place != candidate.place {
                continue;
            }
            match candidate.measure {
                Measure::Self_ => made.push(row),
                Measure::Total if self.worked.outermost[row] => made.extend(row..tree.subtree_ends()[row] as usize),
                Measure::Total => {}
            }
        }
        made.retain(|&row| !self.taken[candidate.change as usize][row]);
        made
    }

    /// The own function nearest to the leaf through which most of the change of a foreign candidate comes, where its total rose (or fell)
    /// surely itself. `None` keeps the candidate.
    fn headline(&self, candidate: Candidate, kinds: &[CodeKind], spec: &Spec) -> Option<Candidate> {
        let kind = |place: PlaceId| kinds.get(place.row()).copied().unwrap_or_default();
        if matches!(kind(candidate.place), CodeKind::Own | CodeKind::Unknown) {
            return None;
        }
        let (tree, sign) = (self.comparison.tree(), candidate.change.sign());
        let mut by_own: FxHashMap<PlaceId, f64> = FxHashMap::default();
        let mut all = 0.0;
        for row in self.nodes(&candidate) {
            let delta = self.delta(&self.worked.ground.nodes[row]);
            all += delta;
            // From the candidate's own node up: what stands below it does not count as its caller.
            let node = NodeId::from_row(row)?;
            let mut path = tree.path_up(node).skip_while(|&at| candidate.measure == Measure::Total && tree.place(at) != candidate.place);
            if let Some(own) = path.find(|&at| kind(tree.place(at)) == CodeKind::Own) {
                *by_own.entry(tree.place(own)).or_default() += delta;
            }
        }
        let (place, part) = by_own.into_iter().max_by(|a, b| (a.1 * sign).total_cmp(&(b.1 * sign)).then(b.0.cmp(&a.0)))?;
        if part / all < OWN_PART {
            return None;
        }
        let own = Candidate { measure: Measure::Total, place, ..candidate };
        self.test(&own, spec).map(|_| own)
    }

    /// The total instead of the self of a place whose callees surely changed the same way: one finding and not two of one name.
    fn with_callees(&self, candidate: Candidate, spec: &Spec) -> Option<Candidate> {
        let total = Candidate { measure: Measure::Total, ..candidate };
        let mut callees = *self.sums(&total);
        callees.subtract(self.sums(&candidate));
        let counts = self.scale.counts(&callees).filter(|counts| counts.both() >= spec.min_events)?;
        let test = counts.test(self.extra(&total));
        let same = candidate.measure == Measure::Self_ && test.z * candidate.change.sign() > 0.0 && test.p <= spec.level * candidate.weight;
        (same && self.test(&total, spec).is_some()).then_some(total)
    }

    fn finding(&self, chosen: &Candidate, order: usize) -> Finding {
        let sums = *self.sums(chosen);
        let extra = self.extra(chosen);
        let counts = self.scale.counts(&sums);
        let test = counts.map_or(Test::NONE, |counts| counts.test(extra));
        let (lo, hi) = counts.map_or((0.0, f64::INFINITY), |counts| counts.interval(extra, 0.95));
        let [before, after] = self.normalized(&sums);
        let delta = after - before;
        let total_before = self.comparison.sides.first().map_or(0.0, |side| side.denominator() * self.comparison.factor(side));
        Finding {
            rank: order,
            verdict: verdict_of_sides(sums.value[0], sums.value[1], test.z),
            place: chosen.place,
            func: self.comparison.places().name(chosen.place).to_owned(),
            measure: chosen.measure,
            path: self.path(chosen),
            before,
            after,
            delta,
            delta_of_total: if total_before > 0.0 { delta / total_before } else { 0.0 },
            ratio: sums.value[1] / sums.value[0] / self.scale.exposure,
            ratio_lo: lo,
            ratio_hi: hi,
            p: test.p,
            q: (test.p / chosen.weight).min(1.0),
            events: sums.events,
            explains: self.explains(delta),
            minimum_detectable: self.table(chosen.measure).minimum_detectable.get(chosen.place.row()).copied().unwrap_or(f64::INFINITY),
            explained_by: None,
            why: String::new(),
        }
    }

    /// Part of the net change; of all rises or falls of functions' own cost where the net change is less than half of those.
    fn explains(&self, delta: f64) -> f64 {
        let changes: Vec<f64> = self.worked.diff.self_.delta.iter().skip(1).copied().collect();
        let net: f64 = changes.iter().sum();
        let same: f64 = changes.iter().filter(|change| **change * delta > 0.0).sum();
        if net * delta > 0.0 && net.abs() >= same.abs() / 2.0 {
            return delta / net;
        }
        // Callees of one name may rise here and fall there: then the place has more than all functions together.
        if same == 0.0 { 0.0 } else { (delta / same).min(1.0) }
    }

    /// The path on which at least half of the change lies.
    fn path(&self, chosen: &Candidate) -> Option<Vec<PlaceId>> {
        let tree = self.comparison.tree();
        let mut best: Option<(f64, NodeId)> = None;
        let mut all = 0.0;
        for node in tree.nodes().filter(|&node| tree.place(node) == chosen.place) {
            let range = match chosen.measure {
                Measure::Self_ => node.row()..node.row() + 1,
                Measure::Total if self.worked.outermost[node.row()] => node.row()..tree.subtree_end(node),
                Measure::Total => continue,
            };
            let left = range.filter(|&row| !self.taken[chosen.change as usize][row]);
            let delta: f64 = left.map(|row| self.delta(&self.worked.ground.nodes[row])).sum();
            all += delta;
            let size = delta * chosen.change.sign();
            if best.is_none_or(|(most, _)| size > most * chosen.change.sign()) {
                best = Some((delta, node));
            }
        }
        best.filter(|(delta, _)| delta / all >= 0.5).map(|(_, node)| tree.path(node))
    }

    /// Sets the nodes of a finding aside and says which places it explains: those that lose most of their change by it.
    fn take(&mut self, chosen: &Candidate, order: usize, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let tree = self.comparison.tree();
        let mut moved: FxHashMap<(Measure, PlaceId), Sums> = FxHashMap::default();
        for row in self.nodes(chosen) {
            self.taken[chosen.change as usize][row] = true;
            let sums = self.worked.ground.nodes[row];
            let Some(node) = NodeId::from_row(row) else { continue };
            moved.entry((Measure::Self_, tree.place(node))).or_default().add(&sums);
            let mut seen: Vec<PlaceId> = Vec::new();
            for at in tree.path_up(node).filter(|&at| self.worked.outermost[at.row()]) {
                let place = tree.place(at);
                if !seen.contains(&place) {
                    seen.push(place);
                    moved.entry((Measure::Total, place)).or_default().add(&sums);
                }
            }
        }
        let mut moved: Vec<((Measure, PlaceId), Sums)> = moved.into_iter().collect();
        moved.sort_by_key(|(key, _)| *key);
        for ((measure, place), part) in moved {
            let left = &mut self.places[chosen.change as usize][measure as usize][place.row()];
            let whole = left.value[1] / self.scale.exposure - left.value[0];
            let share = (part.value[1] / self.scale.exposure - part.value[0]) / whole;
            if share > 0.5 {
                explained_by.entry(place).or_insert(order);
            }
            left.subtract(&part);
        }
    }

    /// Work ratio of what is left: where its bulk lies, or its sums where there are too few functions.
    fn exposure(&self, spec: &Spec) -> f64 {
        let mut left = vec![Sums::default(); self.comparison.places().len()];
        for (row, place) in self.comparison.tree().places().iter().enumerate().skip(1) {
            if !self.taken.iter().any(|taken| taken[row]) {
                left[place.row()].add(&self.worked.ground.nodes[row]);
            }
        }
        let cells: Vec<Cell> = left
            .iter()
            .filter_map(|sums| self.scale.counts(sums))
            .filter(|counts| counts.before.min(counts.after) >= spec.min_events)
            .map(|counts| Cell {
                effect: ((counts.after + 0.5) / (counts.before + 0.5)).ln() - counts.exposure.ln(),
                variance: 1.0 / (counts.before + 0.5) + 1.0 / (counts.after + 0.5),
            })
            .collect();
        if cells.len() >= 5 {
            return self.scale.exposure * weighted_median(&cells).exp();
        }
        let value = |side: usize| left.iter().map(|sums| sums.value[side]).sum::<f64>();
        let ratio = value(1) / value(0);
        if ratio.is_finite() && ratio > 0.0 { ratio } else { self.scale.exposure }
    }
}

/// One row for every place that is no finding and has a value, largest change first.
pub(super) fn others(
    comparison: &Comparison,
    worked: &Worked,
    findings: &[Finding],
    explained_by: &FxHashMap<PlaceId, usize>,
    new_rank: &[usize],
) -> Vec<Finding> {
    let total_before = comparison.sides.first().map_or(0.0, |side| side.denominator() * comparison.factor(side));
    let named: Vec<PlaceId> = findings.iter().map(|finding| finding.place).collect();
    let mut rows: Vec<Finding> = comparison
        .places()
        .ids()
        .skip(1)
        .filter(|place| !named.contains(place))
        .filter_map(|place| {
            let at = place.row();
            let (own, total) = (&worked.diff.self_, &worked.diff.total);
            let value = |table: &Table, side: usize| table.value[side][at];
            if value(total, 0) == 0.0 && value(total, 1) == 0.0 {
                return None;
            }
            let leaf = (0..2).all(|side| value(own, side).to_bits() == value(total, side).to_bits());
            let stronger = own.z[at].abs() > total.z[at].abs();
            let measure = if leaf || stronger { Measure::Self_ } else { Measure::Total };
            let table = worked.diff.table(measure);
            let by = explained_by.get(&place).and_then(|&order| new_rank.get(order).copied());
            let verdict = match (table.verdict[at], by) {
                (verdict, Some(_)) if verdict.is_change() => Verdict::Explained,
                // The table's test holds each place against the normalisation; what is left after the findings says otherwise.
                (verdict, None) if verdict.is_change() => Verdict::Diluted,
                (verdict, _) => verdict,
            };
            Some(Finding {
                rank: 0,
                verdict,
                place,
                func: comparison.places().name(place).to_owned(),
                measure,
                path: None,
                before: value(table, 0),
                after: value(table, 1),
                delta: table.delta[at],
                delta_of_total: if total_before > 0.0 { table.delta[at] / total_before } else { 0.0 },
                ratio: table.ratio[at],
                ratio_lo: table.lo[at],
                ratio_hi: table.hi[at],
                p: table.p[at],
                q: table.q[at],
                events: [table.events[0][at], table.events[1][at]],
                explains: 0.0,
                minimum_detectable: table.minimum_detectable[at],
                explained_by: by.filter(|_| verdict == Verdict::Explained),
                why: String::new(),
            })
        })
        .collect();
    rows.sort_by(|a, b| b.delta.abs().total_cmp(&a.delta.abs()).then_with(|| a.func.cmp(&b.func)));
    rows
}
