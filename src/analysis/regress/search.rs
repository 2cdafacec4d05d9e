//! The smallest set of groups whose changes explain the difference of the two sides.
//!
//! Greedy: the group with the strongest evidence is taken, the cost after of its nodes is divided by how much it changed, and the search goes
//! on with what is left. A caller's total dilutes the evidence with unchanged work, a callee's has fewer events, so the place itself wins without
//! a special rule. Earlier choices are reconsidered as later ones come in. Start reading at [`search`].

use super::Finding;
use super::groups::{Group, Groups, Scope};
use crate::analysis::call_tree::NodeId;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::ground::{Counts, Scale, Sums, Tables};
use crate::analysis::diff::left::{Left, NodeSet};
use crate::analysis::diff::noise::{MIN_CELLS, Model, given_work};
use crate::analysis::diff::{Base, Measure, Spec};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::special::normal_quantile;
use crate::analysis::stats::{Doubt, Test, doubtful_width, minimum_detectable_at, power_width, selected_ends};
use crate::base::ticket::{Checked as _, checkpoint};

/// At most this many findings; every real pair seen had fewer than ten.
const MAX_FINDINGS: usize = 24;
/// With more findings than this earlier choices stand.
const RECONSIDERED: usize = 8;
/// A group with this part of all cost of both sides stands for everything.
const WHOLE: f64 = 0.7;
/// Changes of one direction may hold this part of all cost of both sides together where the bulk says how much work was done: what is left must be a
/// bulk. What grew out of little holds much of the cost after and is not what was there before.
const CHANGED: f64 = 0.6;
/// Evidence within which all paths of a function are preferred to one of them, if that has most of the cost: a likelihood ratio of e squared.
const NEAR: f64 = 4.0;
/// Evidence within which the place nearer to the leaf is preferred: a likelihood ratio of e squared.
const NEAR_LEAF: f64 = 4.0;
/// Candidates are compared with the one that was chosen so often.
const MOST_PASSES: usize = 3;
/// Part by which two changes may differ to be nearly the same.
const SAME_CHANGE: f64 = 0.15;
/// The parts that are most and nearly all.
const MOST: f64 = 0.8;
const NEARLY_ALL: f64 = 0.9;
/// Candidates whose exact test is made in each step, from the strongest on.
const EXACT: usize = 24;
/// Groups with less than this part of all cost are nearly independent of the ratio of work.
const SMALL_PART: f64 = 0.1;
/// Explanations are fitted to each other in turn until none moves by more than this part of itself, or so many times.
const FITTED: f64 = 1e-9;
const MOST_TURNS: usize = 200;
/// Candidates that are tried with the noise of what they leave.
const TRIED: usize = 4;
/// Functions that are tried as the only change.
const TRIED_ALONE: usize = 12;

/// One explanation.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) group: Group,
    pub(super) nodes: NodeSet,
    /// Their sums.
    pub(super) sums: Sums,
    /// Test of what the other explanations leave, with the threshold its z had to pass.
    pub(super) test: Test,
    /// Cost after over cost before beside the work, beyond the other explanations.
    multiplier: f64,
}

/// What the search came to.
pub(super) struct Searched {
    pub(super) found: Vec<Found>,
    /// What is known of unchanged code when all of them are explained.
    pub(super) model: Model,
}

/// What a candidate holds: its nodes, what is left of their sums, and the logarithm of how much these changed.
struct Held {
    nodes: NodeSet,
    sums: Sums,
    effect: f64,
}

/// Direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Less,
    More,
}

/// What is searched in.
pub(super) struct Search<'a> {
    pub(super) comparison: &'a Comparison,
    pub(super) base: &'a Base,
    pub(super) spec: &'a Spec,
    pub(super) groups: &'a Groups,
    /// One thing's growth is by definition the others' fall, and there are too few functions to see it.
    pub(super) closed: bool,
}

impl Search<'_> {
    /// Explains the difference.
    pub(super) fn search(&self) -> Searched {
        let searched = self.search_from(None);
        // Where one thing's growth is the others' fall, that one thing grew is as true as that the others fell: what needs fewer explanations is taken.
        let Some(first) = searched.found.first().filter(|_| self.closed && searched.found.len() > 1) else { return searched };
        let other = self.search_from(Some(if first.test.z > 0.0 { Sign::Less } else { Sign::More }));
        if !other.found.is_empty() && other.found.len() < searched.found.len() { other } else { searched }
    }

    /// Explains the difference, beginning with what costs more or less where that is asked for.
    fn search_from(&self, sign: Option<Sign>) -> Searched {
        let mut found: Vec<Found> = Vec::new();
        let mut left = Left::new(self.comparison.tree(), self.base);
        let scale = Scale { exposure: self.comparison.exposure(), event_cost: self.base.ground.event_cost };
        let mut model = self.model(&found, &mut left, &scale, false);
        for _ in 0..MAX_FINDINGS {
            let known: Vec<Scope> = found.iter().map(|found| found.group.scope).collect();
            let sign = sign.filter(|_| found.is_empty());
            let next = self.strongest(&found, &mut left, &model, sign);
            let Some(next) = next.or_else(|| self.likeliest_alone(&mut left, &model, sign?)) else { break };
            found.push(next);
            self.fit(&mut found, &model);
            model = self.model(&found, &mut left, &model.scale, false);
            // The first was chosen beside the noise that it makes itself. Where one thing's growth is the others' fall, these are no alternatives to it.
            let least = if self.closed { 2 } else { 1 };
            if (least..=RECONSIDERED).contains(&found.len()) {
                self.reconsider(&mut found, &mut left, &model);
                model = self.model(&found, &mut left, &model.scale, false);
                // What the others take back as soon as it is found would be found again for ever.
                if found.len() <= known.len() && found.iter().all(|found| known.contains(&found.group.scope)) {
                    break;
                }
            }
        }
        if self.put_together(&mut found, &mut left, &model) {
            model = self.model(&found, &mut left, &model.scale, false);
        }
        let model = self.settle(&mut found, &mut left, &model);
        Searched { found, model }
    }

    /// The test of a group in what other explanations leave, which these and `left` are fitted to.
    fn beside(&self, others: &mut [Found], left: &mut Left<'_>, model: &Model, group: &Group) -> (f64, Test) {
        self.fit(others, model);
        left.set(explanations(others), &model.scale);
        let sums = *group.scope.sums(&left.tables());
        let whole = Self::whole(left, model);
        model.scale.counts(&sums).map_or((0.0, Test::NONE), |counts| self.scored_test(model, group, &sums, counts, whole))
    }

    /// Evidence for a group, as twice the logarithm of a likelihood ratio without what its kind costs, and its test. Groups are ordered by the first
    /// and judged by the second: how well the noise is known bounds what a large group proves, and not that it changed more clearly than a part of it.
    fn scored_test(&self, model: &Model, group: &Group, sums: &Sums, counts: Counts, whole: f64) -> (f64, Test) {
        let doubt = self.doubt(model, group, sums, whole);
        let z = counts.quick_z(doubt.extra);
        (z * z - 2.0 * group.ln_kind, counts.test(doubt))
    }

    /// Paths of one function that all changed the same way and hold most of its cost are one explanation: the function. Found one after the other,
    /// since runs may vary by more in all of them than in one. True where any were put together.
    fn put_together(&self, found: &mut Vec<Found>, left: &mut Left<'_>, model: &Model) -> bool {
        let of_path =
            |found: &Found| (found.group.scope.node.is_some(), found.group.scope.place, found.group.scope.measure, found.multiplier > 1.0);
        let mut any = false;
        let mut at = 0;
        while let Some(first) = found.get(at) {
            let key = of_path(first);
            at += 1;
            if !key.0 || found.iter().filter(|found| of_path(found) == key).count() < 2 {
                continue;
            }
            let (paths, mut others): (Vec<Found>, Vec<Found>) = found.iter().cloned().partition(|found| of_path(found) == key);
            let Some(group) = self.groups.of_place(key.2, key.1) else { continue };
            let whole = self.named(group, Test::NONE);
            let cost = |sums: &Sums| sums.pooled(model.scale.exposure);
            let held = self.base.sums_of(self.comparison, &NodeSet::union(paths.iter().map(|path| &path.nodes)));
            if cost(&held) < MOST * cost(&whole.sums) || others.iter().any(|other| other.group.scope == group.scope) {
                continue;
            }
            let (_, test) = self.beside(&mut others, left, model, group);
            if test.p <= self.spec.level * group.weight && (test.z > 0.0) == key.3 {
                others.insert((at - 1).min(others.len()), Found { test, ..whole });
                *found = others;
                self.fit(found, model);
                any = true;
            }
        }
        any
    }

    /// Drops explanations that are none beside the noise which all of them together leave: where those of whole subtrees are too many to be a
    /// coincidence, subtrees vary.
    fn settle(&self, found: &mut Vec<Found>, left: &mut Left<'_>, searched: &Model) -> Model {
        let mut model = if found.is_empty() {
            left.set(explanations(found), &searched.scale);
            let known = self.base.known(self.comparison, self.spec);
            searched.clone().with_subtrees(&known, left.tables(), Some(&[]), None)
        } else {
            self.model(found, left, &searched.scale, true)
        };
        // With no more noise than they were found beside, they stand.
        while model.shared() > searched.shared() {
            let mut least: Option<(f64, usize)> = None;
            for at in 0..found.len() {
                let mut others = found.clone();
                let own = others.remove(at);
                let (_, test) = self.beside(&mut others, left, &model, &own.group);
                let over = test.p / (self.spec.level * own.group.weight);
                if over > 1.0 && least.is_none_or(|(most, _)| over > most) {
                    least = Some((over, at));
                }
            }
            let Some((_, at)) = least else { break };
            found.remove(at);
            self.fit(found, &model);
            model = self.model(found, left, &model.scale, true);
        }
        // Evidence is that beside all others as they are now, whenever each was found.
        for at in 0..found.len() {
            let mut others = found.clone();
            let own = others.remove(at);
            found[at].test = self.beside(&mut others, left, &model, &own.group).1;
        }
        model
    }

    /// What is known with these explanations, from the scale known before; `settled` where no more of them are searched.
    fn model(&self, found: &[Found], left: &mut Left<'_>, scale: &Scale, settled: bool) -> Model {
        left.set(explanations(found), scale);
        let rest = (self.closed && !found.is_empty()).then(|| {
            let taken = NodeSet::union(found.iter().map(|found| &found.nodes));
            let (all, taken) = (self.base.totals.first().copied().unwrap_or_default(), self.base.sums_of(self.comparison, &taken));
            (all.value[1] - taken.value[1]) / (all.value[0] - taken.value[0])
        });
        let rest = rest.filter(|ratio| ratio.is_finite() && *ratio > 0.0);
        let explained: Vec<&NodeSet> = found.iter().map(|found| &found.nodes).collect();
        Model::estimate(&self.base.known(self.comparison, self.spec), left.tables(), settled.then_some(&explained), rest)
    }

    /// The nodes of a scope.
    fn nodes(&self, scope: &Scope) -> NodeSet {
        match (scope.node, scope.measure) {
            (Some(node), Measure::Self_) => NodeSet::new(std::iter::once(node.row()..node.row() + 1)),
            (Some(node), Measure::Total) => NodeSet::new(std::iter::once(node.row()..self.comparison.tree().subtree_end(node))),
            (None, measure) => NodeSet::new(self.base.ranges(self.comparison, scope.place, measure)),
        }
    }

    /// What is not known of a group beyond its counts. `whole` is the cost of the control group that it belongs to; 0 where it does not.
    pub(super) fn doubt(&self, model: &Model, group: &Group, sums: &Sums, whole: f64) -> Doubt {
        let inside = if whole > 0.0 { sums.pooled(model.scale.exposure) / whole } else { 0.0 };
        let detail = group.detail(self.comparison, self.base, self.spec);
        model.doubt(sums, detail.mix, detail.repeated, inside)
    }

    /// The nodes of a finding that lies on some paths.
    pub(super) fn nodes_of_paths(&self, finding: &Finding) -> NodeSet {
        let tree = self.comparison.tree();
        let node = |path: &Vec<PlaceId>| tree.find_path(path.iter().copied());
        let range = |node: NodeId| match finding.measure {
            Measure::Self_ => node.row()..node.row() + 1,
            Measure::Total => node.row()..tree.subtree_end(node),
        };
        NodeSet::new(finding.told_paths().filter_map(node).map(range))
    }

    /// The interval of the ratio of several paths together, chosen as each of them was.
    pub(super) fn interval_of_paths(&self, model: &Model, finding: &Finding) -> Option<(f64, f64)> {
        let nodes = self.nodes_of_paths(finding);
        let sums = self.base.sums_of(self.comparison, &nodes);
        let counts = model.scale.counts(&sums)?;
        let mix = self.base.shapes.mix(nodes.ranges().iter().cloned());
        let starts: Vec<NodeId> = nodes.ranges().iter().filter_map(|range| NodeId::from_row(range.start)).collect();
        let repeated = self.base.repeated_together(self.comparison, (finding.measure, &starts), (&sums, mix), model.noise.background);
        let doubt = model.doubt(&sums, mix, repeated, 0.0);
        let test = counts.test(doubt);
        let weight = if finding.q > 0.0 { (finding.p / finding.q).clamp(f64::MIN_POSITIVE, 1.0) } else { 1.0 };
        let threshold = -normal_quantile(self.spec.level * weight / 2.0);
        let (lo, hi) = counts.interval(doubt, selected_ends(test.z, threshold.min(test.z.abs())));
        Some((lo.min(finding.ratio), hi.max(finding.ratio)))
    }

    /// Smallest growth of an explanation's group that the search finds with 80 % power.
    pub(super) fn detectable(&self, model: &Model, found: &Found) -> f64 {
        let sums = found.sums;
        let doubt = self.doubt(model, &found.group, &sums, 0.0);
        let width = power_width(self.spec.level * found.group.weight);
        let width = if doubt.extra > 0.0 { doubtful_width(width, doubt.freedom) } else { width };
        let counts = model.scale.counts(&sums);
        counts.map_or(f64::INFINITY, |counts| minimum_detectable_at(counts.before, counts.exposure, doubt.extra, width))
    }

    /// The significant group with the strongest evidence in what the explanations leave, of those that changed in a direction where one is asked for.
    fn strongest(&self, found: &[Found], left: &mut Left<'_>, model: &Model, sign: Option<Sign>) -> Option<Found> {
        left.set(explanations(found), &model.scale);
        let has_sign =
            |(_, _, _, counts): &(f64, usize, Sums, Counts)| sign.is_none_or(|sign| (counts.effect() > 0.0) == (sign == Sign::More));
        let mut scored = self.scored(found, left, model, false);
        scored.retain(has_sign);
        scored.truncate(EXACT);
        if let Some(best) = self.best(&scored, model, Self::whole(left, model), &left.tables()) {
            return Some(best.1);
        }
        // A change spreads the control group that it belongs to: is it significant beside what it leaves?
        let mut lean = self.scored(found, left, model, true);
        lean.retain(has_sign);
        lean.truncate(TRIED);
        for (_, at, sums, counts) in lean {
            checkpoint();
            let group = &self.groups.rows[at];
            let sampling = Doubt { extra: model.work, ..Doubt::NONE };
            if counts.test(sampling).p > self.spec.level * group.weight {
                continue;
            }
            let mut with = found.to_vec();
            with.push(self.named(group, Test::NONE));
            self.fit(&mut with, model);
            let model = self.model(&with, left, &model.scale, false);
            let Some(counts) = model.scale.counts(&sums) else { continue };
            let test = counts.test(self.doubt(&model, group, &sums, 0.0));
            if test.p <= self.spec.level * group.weight {
                return Some(self.named(group, test));
            }
        }
        None
    }

    /// Of the functions with the largest change in a direction the one that is the strongest explanation where everything beside it is unchanged.
    /// Against the ratio of all, which it is a large part of, it may be no surprise.
    fn likeliest_alone(&self, left: &mut Left<'_>, model: &Model, sign: Sign) -> Option<Found> {
        let change = |sums: &Sums| {
            let change = sums.value[1] / model.scale.exposure - sums.value[0];
            if sign == Sign::More { change } else { -change }
        };
        let tables = self.base.tables();
        let rows = self.groups.rows.iter().enumerate().filter(|(_, group)| group.scope.node.is_none());
        let mut rows: Vec<(f64, usize)> =
            rows.map(|(at, group)| (change(group.scope.sums(&tables)), at)).filter(|row| row.0 > 0.0).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.truncate(TRIED_ALONE);
        let mut best: Option<(f64, Found)> = None;
        for (_, at) in rows {
            checkpoint();
            let group = &self.groups.rows[at];
            let mut with = vec![self.named(group, Test::NONE)];
            self.fit(&mut with, model);
            let model = self.model(&with, left, &model.scale, false);
            let sums = group.scope.sums(&tables);
            let Some(counts) = model.scale.counts(sums) else { continue };
            let test = counts.test(self.doubt(&model, group, sums, 0.0));
            let score = test.z * test.z - 2.0 * group.ln_kind;
            let fits = test.p <= self.spec.level * group.weight && (test.z > 0.0) == (sign == Sign::More);
            if fits && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, self.named(group, test)));
            }
        }
        best.map(|(_, found)| found)
    }

    /// Groups with their evidence less what their kind costs, strongest first; `lean` leaves noise beyond sampling out.
    fn scored(&self, found: &[Found], left: &Left<'_>, model: &Model, lean: bool) -> Vec<(f64, usize, Sums, Counts)> {
        let mut scored: Vec<(f64, usize, Sums, Counts)> = Vec::new();
        // Where the bulk says how much work was done, what is nearly everything is the work.
        let given = is_few(model) || given_work(self.comparison, self.spec).is_some();
        let whole = Self::whole(left, model);
        let (all, held) = (self.base.absolute, left.held());
        let sums_left = left.tables();
        let all_left = sums_left.all().map_or([0.0; 2], |sums| sums.value);
        for (at, group) in self.groups.rows.iter().enumerate().checked() {
            let sums = group.scope.sums(&sums_left);
            let cost = sums.pooled(model.scale.exposure);
            if !given && smaller_part(sums.value, all_left) > WHOLE {
                continue;
            }
            let Some(counts) = model.scale.counts(sums).filter(|counts| counts.are_enough(self.spec)) else { continue };
            // Noise takes from the evidence, but for what a large part of the control group has in common with it.
            let inside = cost / whole;
            if inside < SMALL_PART && counts.evidence_at_most() * (1.0 + 8.0 * inside) <= 2.0 * group.ln_kind {
                continue;
            }
            let extra = if lean { model.work } else { self.doubt(model, group, sums, whole).extra };
            let z = counts.quick_z(extra);
            let score = z * z - 2.0 * group.ln_kind;
            let is_inside = || found.iter().any(|found| found.nodes.contains(self.first_row(&group.scope)));
            let with = |side: usize| held[usize::from(z < 0.0)][side] + sums.value[side].abs();
            let has_room = || given || smaller_part([with(0), with(1)], all) <= CHANGED;
            if score > 0.0 && (has_room() || is_inside()) {
                scored.push((score, at, *sums, counts));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored
    }

    fn first_row(&self, scope: &Scope) -> usize {
        let first = self.base.ranges(self.comparison, scope.place, scope.measure).next();
        scope.node.map_or_else(|| first.map_or(0, |range| range.start), NodeId::row)
    }

    /// Cost of all that is left.
    fn whole(left: &Left<'_>, model: &Model) -> f64 {
        left.tables().all().map_or(0.0, |sums| sums.pooled(model.scale.exposure))
    }

    fn best(&self, scored: &[(f64, usize, Sums, Counts)], model: &Model, whole: f64, tables: &Tables<'_>) -> Option<(f64, Found)> {
        let mut best: Option<(f64, usize, Test)> = None;
        for (_, at, sums, counts) in scored.iter().checked() {
            let group = &self.groups.rows[*at];
            let (score, test) = self.scored_test(model, group, sums, *counts, whole);
            if test.p <= self.spec.level * group.weight && best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, *at, test));
            }
        }
        let (score, at, test) = self.deepest(scored, best?, model, whole, tables);
        let chosen = &self.groups.rows[at];
        if chosen.scope.node.is_some() {
            let cost = |sums: &Sums| sums.pooled(model.scale.exposure);
            let own = scored.iter().find(|row| row.1 == at).map_or(0.0, |row| cost(&row.2));
            let all = scored.iter().find(|(_, at, sums, _)| {
                let scope = &self.groups.rows[*at].scope;
                scope.node.is_none()
                    && (scope.place, scope.measure) == (chosen.scope.place, chosen.scope.measure)
                    && own >= MOST * cost(sums)
            });
            if let Some((_, at, sums, counts)) = all {
                let group = &self.groups.rows[*at];
                let (near, test) = self.scored_test(model, group, sums, *counts, whole);
                if test.p <= self.spec.level * group.weight
                    && (near >= score - NEAR || own >= NEARLY_ALL * cost(sums) && near >= score * MOST)
                {
                    return Some((near, self.named(group, test)));
                }
            }
        }
        Some((score, self.named(chosen, test)))
    }

    /// Among groups of nearly the same change the one that leaves least to explain; where several leave the same, the one nearest to the leaf.
    fn deepest(
        &self,
        scored: &[(f64, usize, Sums, Counts)],
        best: (f64, usize, Test),
        model: &Model,
        whole: f64,
        tables: &Tables<'_>,
    ) -> (f64, usize, Test) {
        let delta = |sums: &Sums| sums.value[1] / model.scale.exposure - sums.value[0];
        let Some((_, _, sums, counts)) = scored.iter().find(|row| row.1 == best.1) else { return best };
        let (mut most, mut wanted) = (best.0 + 2.0 * self.groups.rows[best.1].ln_kind, delta(sums));
        let mut held = Held { nodes: self.nodes(&self.groups.rows[best.1].scope), sums: *sums, effect: counts.effect() };
        let mut chosen = best;
        // What was passed over beside one may be the better one beside the next.
        for _ in 0..MOST_PASSES {
            let start = chosen.1;
            for (_, at, sums, counts) in scored {
                let (group, old) = (&self.groups.rows[*at], &self.groups.rows[chosen.1]);
                let same = |value: f64| (value - 1.0).abs() <= SAME_CHANGE;
                // Of a part that changed by as much as the whole of it the whole is the change.
                if *at == chosen.1 || !same(delta(sums) / wanted) && !same(counts.effect() / held.effect) {
                    continue;
                }
                let (score, test) = self.scored_test(model, group, sums, *counts, whole);
                if test.p > self.spec.level * group.weight {
                    continue;
                }
                let other = Held { nodes: self.nodes(&group.scope), sums: *sums, effect: counts.effect() };
                // Another place that changed alike is another change, or both are parts of one.
                if !other.nodes.meets(&held.nodes) {
                    continue;
                }
                let gain = 2.0 * self.gain(&held, &other, model, tables) + 2.0 * (old.ln_kind - group.ln_kind);
                // A likelihood without what kinds cost: which kind it is says nothing about which is nearer to the leaf.
                let own = score + 2.0 * group.ln_kind;
                let is_near = same(delta(sums) / wanted) && own >= most - NEAR_LEAF;
                let is_deeper = group.depth > old.depth && group.scope.node.is_some() == old.scope.node.is_some();
                // A caller that holds the part as well has more evidence, unless the rest of it varies: runs say so. Of single ones the noise is a guess that
                // the change itself makes larger, and bounds what a whole proves by how alike its functions are in size.
                let is_clearer = !model.has_runs() || score >= chosen.0 || group.depth > old.depth || group.scope.place == old.scope.place;
                let fits = gain > NEAR_LEAF && is_clearer;
                if fits || is_near && is_deeper {
                    chosen = (score, *at, test);
                    held = other;
                    if fits {
                        (most, wanted) = (own, delta(sums));
                    }
                }
            }
            if chosen.1 == start {
                break;
            }
        }
        chosen
    }

    /// How much likelier it is that `new` changed and not `old`, as the logarithm of the ratio of the likelihoods: what only the one has is
    /// unchanged, and what only the other has changed as that did. What both have says nothing. The evidence of each by itself would prefer a
    /// caller, whose noise averages out over more functions, however clearly the others of these stayed as they were.
    fn gain(&self, old: &Held, new: &Held, model: &Model, tables: &Tables<'_>) -> f64 {
        let shared = self.shared(&old.nodes, &new.nodes, tables);
        let part = |held: &Held| {
            let mut rest = held.sums;
            rest.replace(&shared, &Sums::default());
            // What differences of equal sums leave is nothing.
            let is_some = rest.pooled(model.scale.exposure) > held.sums.pooled(model.scale.exposure) * FITTED;
            let cell = model.cell(&rest).filter(|_| is_some)?;
            let square = |distance: f64| distance * distance / (2.0 * cell.variance);
            // How much likelier it changed with the others.
            Some(square(cell.effect) - square(cell.effect - held.effect))
        };
        part(new).unwrap_or(0.0) - part(old).unwrap_or(0.0)
    }

    /// Sums of what two groups have in common. Ranges of both are subtrees or single nodes: where two meet, one holds the other.
    fn shared(&self, one: &NodeSet, other: &NodeSet, tables: &Tables<'_>) -> Sums {
        let ends = self.comparison.tree().subtree_ends();
        let mut sums = Sums::default();
        let (mut a, mut b) = (one.ranges().iter().peekable(), other.ranges().iter().peekable());
        while let (Some(first), Some(second)) = (a.peek(), b.peek()) {
            let (start, end) = (first.start.max(second.start), first.end.min(second.end));
            if start < end {
                let is_subtree = ends.get(start).is_some_and(|&whole| whole as usize == end);
                sums.add(if is_subtree { tables.total(start) } else { tables.own(start) });
            }
            if first.end <= second.end {
                a.next()
            } else {
                b.next()
            };
        }
        sums
    }

    fn named(&self, group: &Group, test: Test) -> Found {
        let nodes = self.nodes(&group.scope);
        let sums = self.base.sums_of(self.comparison, &nodes);
        Found { group: group.clone(), nodes, sums, test, multiplier: 1.0 }
    }

    /// Each explanation's multiplier beside the others: the likeliest, see [`likeliest_multiplier`], in turn until none moves.
    fn fit(&self, found: &mut [Found], model: &Model) {
        // The parts of each that the same others hold too.
        let parts: Vec<Vec<(Vec<usize>, Sums)>> = (0..found.len()).map(|at| self.parts(found, at)).collect();
        let g = model.scale.event_cost;
        for _ in 0..MOST_TURNS {
            let mut moved = 0.0_f64;
            for (at, parts) in parts.iter().enumerate() {
                let known = parts.iter().filter_map(|(others, part)| {
                    let odds = model.scale.exposure * g * others.iter().map(|&other| found[other].multiplier).product::<f64>();
                    // Nothing is left of what another explanation says is new or gone.
                    (odds > 0.0 && odds.is_finite()).then_some([part.value[0], part.value[1] * g, odds])
                });
                let known: Vec<[f64; 3]> = known.collect();
                let old = found[at].multiplier;
                let multiplier = likeliest_multiplier(&known);
                found[at].multiplier = multiplier;
                moved = moved.max(if multiplier.to_bits() == old.to_bits() { 0.0 } else { (multiplier / old).ln().abs() });
            }
            if found.len() < 2 || moved < FITTED {
                break;
            }
        }
    }

    /// An explanation's nodes by which other explanations hold them, with their sums.
    fn parts(&self, found: &[Found], at: usize) -> Vec<(Vec<usize>, Sums)> {
        let Some(own) = found.get(at) else { return Vec::new() };
        let others: Vec<usize> = (0..found.len()).filter(|&other| other != at && found[other].nodes.meets(&own.nodes)).collect();
        if others.is_empty() {
            return vec![(others, own.sums)];
        }
        let mut edges: Vec<usize> = others
            .iter()
            .flat_map(|&other| found[other].nodes.ranges())
            .chain(own.nodes.ranges())
            .flat_map(|range| [range.start, range.end])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let mut made: Vec<(Vec<usize>, Sums)> = Vec::new();
        for pair in edges.windows(2).checked() {
            let &[start, end] = pair else { continue };
            if !own.nodes.contains(start) {
                continue;
            }
            let sums = self.base.sums_of(self.comparison, &NodeSet::new(std::iter::once(start..end)));
            let holding: Vec<usize> = others.iter().copied().filter(|&other| found[other].nodes.contains(start)).collect();
            match made.iter_mut().find(|(others, _)| *others == holding) {
                Some((_, part)) => part.add(&sums),
                None => made.push((holding, sums)),
            }
        }
        made
    }

    /// Holds each explanation against the alternatives beside the others: takes a better one, or drops what is no longer significant.
    fn reconsider(&self, found: &mut Vec<Found>, left: &mut Left<'_>, model: &Model) {
        for _ in 0..3 {
            let mut changed = false;
            let mut at = 0;
            while at < found.len() {
                let mut others = found.clone();
                let own = others.remove(at);
                let (score, test) = self.beside(&mut others, left, model, &own.group);
                let mut scored = self.scored(&others, left, model, false);
                scored.truncate(EXACT);
                // Only what shares nodes with it is an alternative: the rest has its turn later.
                scored.retain(|(_, group, ..)| {
                    let scope = &self.groups.rows[*group].scope;
                    !others.iter().any(|other| other.group.scope == *scope) && self.nodes(scope).meets(&own.nodes)
                });
                match self.best(&scored, model, Self::whole(left, model), &left.tables()) {
                    Some((evidence, best)) if best.group.scope != own.group.scope && evidence > score => {
                        found[at] = best;
                        changed = true;
                        at += 1;
                    }
                    _ if test.p <= self.spec.level * own.group.weight => {
                        found[at].test = test;
                        at += 1;
                    }
                    _ => {
                        found.remove(at);
                        changed = true;
                    }
                }
                self.fit(found, model);
            }
            if !changed {
                break;
            }
        }
    }
}

/// How much of the whole a value is on the side where it is less of it; infinite where there is nothing.
fn smaller_part(value: [f64; 2], whole: [f64; 2]) -> f64 {
    let part = |side: usize| (whole[side] != 0.0).then(|| (value[side] / whole[side]).abs());
    (0..2).filter_map(part).fold(f64::INFINITY, f64::min)
}

/// The likeliest factor of parts of one group, each with its value before, its value after, and the odds of after that it would have without the
/// factor: where the values after of all parts are as large as their odds let expect of the values of both sides. Swapped sides (odds inverted) have
/// one over it. 1 without any value.
fn likeliest_multiplier(parts: &[[f64; 3]]) -> f64 {
    let [before, after] = [0, 1].map(|side| parts.iter().map(|part| part[side]).sum::<f64>());
    if let [[before, after, odds]] = parts {
        let ratio = after / before / odds;
        return if ratio.is_nan() { 1.0 } else { ratio };
    }
    if !(before > 0.0 && after > 0.0) {
        let ratio = after / before;
        return if ratio.is_nan() { 1.0 } else { ratio };
    }
    // The logarithm lies between those of the parts by themselves taken together and grows with what is missing: Newton's steps, halved into the
    // bracket where they would leave it.
    let both = |part: &[f64; 3]| (part[0] + part[1]).max(0.0);
    let ends = parts.iter().map(|part| (after / before / part[2]).ln());
    let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end), high.max(end)));
    let mut ln = f64::midpoint(low, high);
    for _ in 0..100 {
        let (mut expected, mut slope) = (0.0, 0.0);
        for part in parts {
            let share = 1.0 / (1.0 + (-ln).exp() / part[2]);
            expected += both(part) * share;
            slope += both(part) * share * (1.0 - share);
        }
        let missing = after - expected;
        if missing > 0.0 {
            low = ln;
        } else {
            high = ln;
        }
        let step = ln + missing / slope;
        let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
        let moved = (next - ln).abs();
        ln = next;
        if moved < FITTED * 1e-3 {
            break;
        }
    }
    ln.exp()
}

fn explanations(found: &[Found]) -> impl Iterator<Item = (&NodeSet, f64)> + Clone {
    found.iter().map(|found| (&found.nodes, found.multiplier))
}

/// True where there are too few functions for the bulk to say how much work was done.
pub(super) const fn is_few(model: &Model) -> bool {
    model.noise.cells < MIN_CELLS
}

#[cfg(test)]
mod tests {
    use super::likeliest_multiplier;

    /// Before, after and odds of each part.
    const CASES: [&[[f64; 3]]; 7] = [
        &[[40.0, 120.0, 1.5]],
        &[[40.0, 120.0, 1.5], [10.0, 1.0, 0.2], [0.0, 7.0, 30.0]],
        &[[1000.0, 2000.0, 1.0], [1000.0, 6000.0, 3.0]],
        &[[0.0, 5.0, 2.0], [0.0, 6.0, 0.5]],
        &[[4.0, 0.0, 2.0], [3.0, 0.0, 9.0]],
        &[[1e6, 3e2, 1e-3], [2e-3, 1e5, 1e4], [5.0, 5.0, 1.0]],
        &[],
    ];

    #[test]
    fn swapped_sides_have_one_over_the_multiplier() {
        for parts in CASES {
            let swapped: Vec<[f64; 3]> = parts.iter().map(|&[before, after, odds]| [after, before, 1.0 / odds]).collect();
            let (there, back) = (likeliest_multiplier(parts), likeliest_multiplier(&swapped));
            let both = [there, 1.0 / back];
            assert!(both[0].to_bits() == both[1].to_bits() || (both[0] / both[1] - 1.0).abs() < 1e-9, "{parts:?}: {both:?}");
        }
    }

    #[test]
    fn the_multiplier_lets_expect_what_came() {
        for parts in CASES {
            let multiplier = likeliest_multiplier(parts);
            let [before, after] = [0, 1].map(|side| parts.iter().map(|part| part[side]).sum::<f64>());
            if before > 0.0 && after > 0.0 {
                let part = |&[before, after, odds]: &[f64; 3]| (before + after) * odds * multiplier / (1.0 + odds * multiplier);
                let expected: f64 = parts.iter().map(part).sum();
                assert!((expected / after - 1.0).abs() < 1e-9, "{parts:?}: {multiplier} lets expect {expected}");
            }
        }
        // Parts that agree say what each says.
        assert!((likeliest_multiplier(&[[1000.0, 2000.0, 1.0], [1000.0, 6000.0, 3.0]]) - 2.0).abs() < 1e-9);
    }
}
