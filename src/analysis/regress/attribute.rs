//! From explanations to findings: names, numbers, and the rows of everything else.

use rustc_hash::{FxHashMap, FxHashSet};

use super::bursts::{self, could_be_burst, is_one_sided};
use super::cause::Cause;
use super::groups::Groups;
use super::search::{Found, Search, Searched, is_few};
use super::structure::{self, Fate, Structure};
use super::{Collector, collector, folded, moved, shift, sided, whole};
use super::{Finding, Whole};
use crate::analysis::call_tree::NodeId;
use crate::analysis::comparison::{self, Comparison, Normalization, Side};
use crate::analysis::diff::ground::{Counts, Scale, Sums};
use crate::analysis::diff::left::NodeSet;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::{Base, Diff, ENDS, Interval, Measure, Spec, Table, Verdict, is_small, largest_total, verdict_of_sides};
use crate::analysis::events::Basis;
use crate::analysis::names::{CodeKind, code_kinds};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::special::normal_quantile;
use crate::analysis::stats::{Doubt, Needed, Test, needed, power_width, selected_ends};
use crate::base::ticket::{Checked as _, both, stage};

/// A library's change is headlined at the own function through which at least this part of it comes …
const OWN_PART: f64 = 0.6;
/// … where both stand for the same cost to at least this part (one chain of frames), or where the rest of the own function changed alike. A caller
/// whose other work stayed as it was is no better name for what its callee did.
const SAME_COST: f64 = 0.8;
/// Rates closer than this (in logarithms) are taken as those of a machine that is full on both sides.
const CLOSED: f64 = 0.05;
/// Captures a side from which repeats say how much a place varies.
const CONFIRMING_RUNS: f64 = 3.0;
/// What a loop calls besides being interrupted, at most, where its total is told for it: as a factor on what it has with that.
const MOST_CALLED: f64 = 1.1;
/// Certainty of a change of everything that runs of unchanged code may show as well, 0 to 1: below that of a box that is drawn as certain.
const UNSURE: f32 = 0.25;
/// Standard deviations from which on a function counts among what rose or fell.
const SEEN: f64 = 2.0;

/// Findings in order of discovery, with `rank` as the order of discovery from 1.
pub(super) struct Attributed {
    pub(super) findings: Vec<Finding>,
    /// Garbage collection, where it changed by much and the search has nothing of it.
    pub(super) collector: Option<Collector>,
    /// Per place: order of discovery of the finding whose nodes have most of its change.
    pub(super) explained_by: FxHashMap<PlaceId, usize>,
    /// True where one thing's growth is by definition the others' fall.
    pub(super) closed: bool,
    /// Where everything changed alike: value after / value before of the bulk, against which findings were held.
    pub(super) moved: Option<Interval>,
    /// The ratio of the normalised totals.
    pub(super) total: Option<Interval>,
    /// Functions that go by another name after, by context.
    pub(super) renamed: Vec<(PlaceId, PlaceId)>,
    /// Of every place.
    pub(super) kinds: Vec<CodeKind>,
    pub(super) model: Model,
    pub(super) diff: Diff,
}

/// Searches, and makes findings of what was found.
pub(super) fn attribute(comparison: &Comparison, base: &mut Base, spec: &Spec) -> Attributed {
    stage("telling what is noise");
    let guess = Model::estimate(&base.known(comparison, spec), base.tables(), None, None);
    stage("looking for renamed and moved code");
    let moved::Moved { structures, homes, paths } = restructured(comparison, base, &guess.scale);
    let base = &*base;
    let first = if structures.is_empty() && homes.len() == 0 {
        guess
    } else {
        Model::estimate(&base.known(comparison, spec), base.tables(), None, None)
    };
    stage("grouping paths");
    let (kinds, groups) = both(
        comparison.tree().len(),
        || code_kinds(comparison.places(), comparison.tree()),
        || Groups::new(comparison, base, &first.scale, spec),
    );
    let closed = is_few(&first) && is_closed(comparison, spec);
    stage("searching");
    let search = Search { comparison, base, spec, groups: &groups, closed };
    let Searched { found, model } = search.search();
    let weight = |measure: Measure, place: PlaceId| groups.weight_of(measure, place);
    // What was put together for the search stands in two places.
    let pairs = structures.iter().filter_map(Structure::pair);
    let pairs: Vec<NodeSet> =
        pairs.map(|pair| NodeSet::new(pair.into_iter().flat_map(|place| base.ranges(comparison, place, Measure::Total)))).collect();
    let pairs = pairs.iter().filter(|pair| found.iter().any(|found| found.nodes.meets(pair) && found.nodes.len() <= pair.len()));
    let explained = NodeSet::union(found.iter().map(|found| &found.nodes).chain(pairs));
    stage("judging all functions");
    let mut diff = base.judge(comparison, &model, spec, Some(&weight), &explained);
    let maker = Maker {
        search: &search,
        model: &model,
        diff: &diff,
        kinds: &kinds,
        groups: &groups,
        found: &found,
        homes: &homes,
        structures: &structures,
    };
    let mut explained_by = FxHashMap::default();
    let (mut findings, alone) = maker.changes(&mut explained_by);
    // Of its own error level, since repeats say more of it as a whole than of its parts.
    let collected = collector::Collected::new(comparison, base, &findings);
    if let Some(collected) = &collected
        && let Some(row) = collected.finding(&model, &diff, spec)
    {
        let rank = findings.len() + 1;
        explained_by.entry(row.place).or_insert(rank);
        maker.explain(&collected.nodes, Measure::Total, rank, &mut explained_by);
        findings.push(Finding { rank, ..row });
    }
    let mut wholes = Changes::new(comparison, &diff, model.scale.exposure);
    wholes.hold(&findings);
    for finding in &mut findings {
        (finding.explains, finding.explains_of) = wholes.part(finding.own_delta);
    }
    one_of_each_name(&mut findings, &mut explained_by);
    for finding in findings.iter_mut().filter(|finding| !finding.paths.is_empty()) {
        (finding.ratio_lo, finding.ratio_hi) = search.interval_of_paths(&model, finding).unwrap_or((finding.ratio_lo, finding.ratio_hi));
        // Of what a caller calls on several paths each explains a part, and all together explain it.
        maker.explain(&search.nodes_of_paths(finding), finding.measure, finding.rank, &mut explained_by);
    }
    let changes = findings.len();
    maker.add_structures(&paths, &mut findings, &mut explained_by);
    // What is on one side alone came or went, and does not come in bursts.
    let is_open = |finding: &Finding| !is_one_sided(&maker.diff.total, finding.place, finding.events);
    let moving = findings.iter().take(changes).filter(|finding| is_open(finding) && alone.contains(&finding.place));
    if bursts::are_too_many(&model, moving) {
        for finding in findings.iter_mut().take(changes).filter(|finding| is_open(finding)) {
            finding.verdict = Verdict::Unconfirmed;
        }
    }
    let closed = closed || !is_few(&model) && !findings.is_empty() && is_closed(comparison, spec);
    let normalized = comparison.exposure();
    let moved = model.unchanged.filter(|bulk| !closed && !is_few(&model) && (bulk.lo > normalized * 1.02 || bulk.hi < normalized / 1.02));
    let renamed = structures.iter().filter_map(|row| if let Fate::Renamed(new) = row.fate { Some((row.place, new)) } else { None });
    let renamed = renamed.collect();
    let collector = collected.and_then(|collected| collected.collector(&model));
    let total = whole::total(comparison, base, &model);
    // The box of everything is no surer than the sentence about it, which knows how much the whole varies from run to run.
    if total.is_some_and(|total| total.lo <= 1.0 && total.hi >= 1.0)
        && let Some(certainty) = diff.nodes.certainty.first_mut()
    {
        *certainty = certainty.min(UNSURE);
    }
    Attributed { findings, collector, explained_by, closed, moved, total, renamed, kinds, model, diff }
}

/// Functions whose frames changed and whose cost did not, of all kinds; what belongs together stands together in the base afterwards.
fn restructured(comparison: &Comparison, base: &mut Base, scale: &Scale) -> moved::Moved {
    let mut structures = structure::detect(comparison, base, scale);
    let inlined = folded::at_callers(comparison, base, &structures, scale);
    structures.extend(inlined.iter().map(|(structure, _)| structure));
    let mut made = moved::detect(comparison, base, scale);
    structures.append(&mut made.structures);
    made.paths.extend(inlined.into_iter().map(|(structure, nodes)| (structure.place, nodes)));
    moved::Moved { structures, ..made }
}

/// Changes of one direction that go by one name are one finding: the largest, under the name's first rank.
fn one_of_each_name(findings: &mut Vec<Finding>, explained_by: &mut FxHashMap<PlaceId, usize>) {
    let mut kept: Vec<Finding> = Vec::new();
    let mut new_rank = vec![0; findings.len() + 1];
    for finding in findings.drain(..) {
        // What moved on one path is none of what changed on another.
        let kind = |finding: &Finding| (finding.place, finding.delta_of_total > 0.0, finding.verdict.is_structure());
        let same = |other: &&mut Finding| kind(other) == kind(&finding);
        let old = finding.rank;
        let rank = if let Some(first) = kept.iter_mut().find(same) {
            let rank = first.rank;
            // What each explains was counted without the others.
            let (explains, own_delta) = (first.explains + finding.explains, first.own_delta + finding.own_delta);
            if !first.join(&finding) && finding.delta_of_total.abs() > first.delta_of_total.abs() {
                *first = Finding { rank, p: first.p.min(finding.p), q: first.q.min(finding.q), ..finding };
            }
            (first.explains, first.own_delta) = (explains, own_delta);
            rank
        } else {
            let rank = kept.len() + 1;
            kept.push(Finding { rank, ..finding });
            rank
        };
        new_rank[old] = rank;
    }
    *findings = kept;
    explained_by.retain(|_, rank| {
        *rank = new_rank.get(*rank).copied().unwrap_or(0);
        true
    });
}

/// Shares add up to 1, and a machine that is full on both sides has no more seconds to give: what one place gains the others lose.
fn is_closed(comparison: &Comparison, spec: &Spec) -> bool {
    if spec.exposure != super::Exposure::Normalization {
        return false;
    }
    match comparison.effective_normalization() {
        Normalization::Share => true,
        // Processor time adds up to itself, and to nothing for what is no processor time.
        Normalization::PerCpuSecond => comparison::counts_cpu(&comparison.sample_type),
        Normalization::PerRequest(_) | Normalization::Absolute => false,
        Normalization::PerSecond => comparison.pair().is_some_and(|(before, after)| {
            let rate = |side: &Side| comparison.factor(side) * side.gross as f64;
            (rate(after) / rate(before)).ln().abs() < CLOSED
        }),
    }
}

pub(super) fn ratio_of(sums: &Sums, scale: &Scale) -> f64 {
    sums.value[1] / sums.value[0] / scale.exposure
}

struct Maker<'a> {
    search: &'a Search<'a>,
    model: &'a Model,
    diff: &'a Diff,
    kinds: &'a [CodeKind],
    groups: &'a Groups,
    found: &'a [Found],
    /// Nodes that stand for several paths, see `moved`.
    homes: &'a NodeSet,
    /// Functions whose shape changed.
    structures: &'a [Structure],
}

/// What changed in all, per unit of unchanged work: the wholes that parts are told of.
struct Changes {
    /// Of everything; shares have none by definition.
    net: Option<f64>,
    /// Of all functions' own cost that rose, and that fell, by more than chance mostly does.
    rises: f64,
    falls: f64,
}

impl Changes {
    fn new(comparison: &Comparison, diff: &Diff, exposure: f64) -> Self {
        let Table { raw, z, .. } = &diff.self_;
        let mut made = Self { net: None, rises: 0.0, falls: 0.0 };
        let mut net = 0.0;
        for ((before, after), z) in raw[0].iter().zip(&raw[1]).zip(z).skip(1) {
            let change = after / exposure - before;
            net += change;
            // What all functions together differ by chance would be most of what rose.
            if z.abs() >= SEEN {
                made.add(change);
            }
        }
        made.net = (*comparison.effective_normalization() != Normalization::Share).then_some(net);
        made
    }

    fn add(&mut self, change: f64) {
        *(if change > 0.0 { &mut self.rises } else { &mut self.falls }) += change;
    }

    /// Findings rise and fall no more than everything: leaves of one name may rise here and fall there.
    fn hold(&mut self, findings: &[Finding]) {
        let mut of_findings = Self { net: None, rises: 0.0, falls: 0.0 };
        for finding in findings {
            of_findings.add(finding.own_delta);
        }
        self.rises = self.rises.max(of_findings.rises);
        self.falls = self.falls.min(of_findings.falls);
    }

    /// What part a change is, and of what: of the net change, or of all rises or falls where the net change is less than half of those.
    fn part(&self, delta: f64) -> (f64, Whole) {
        let same = if delta < 0.0 { self.falls } else { self.rises };
        match self.net {
            Some(net) if net * delta > 0.0 && net.abs() >= same.abs() / 2.0 => (delta / net, Whole::Net),
            _ => (if same == 0.0 { 0.0 } else { (delta / same).min(1.0) }, if delta < 0.0 { Whole::Falls } else { Whole::Rises }),
        }
    }
}

/// Change of a finding's nodes that no finding inside holds.
fn own_delta(search: &Search<'_>, all: &[Found], found: &Found, exposure: f64) -> f64 {
    let delta = |sums: &Sums| sums.value[1] / exposure - sums.value[0];
    let is_inner = |other: &&Found| other.nodes.len() < found.nodes.len() && other.nodes.meets(&found.nodes);
    let inner: Vec<&Found> = all.iter().filter(is_inner).collect();
    if inner.is_empty() {
        return delta(&found.sums);
    }
    let nodes = &search.base.ground.nodes;
    let own = found.nodes.rows().filter(|&row| !inner.iter().any(|other| other.nodes.contains(row)));
    delta(&own.fold(Sums::default(), |mut sums, row| {
        sums.add(&nodes[row]);
        sums
    }))
}

impl Maker<'_> {
    const fn comparison(&self) -> &Comparison {
        self.search.comparison
    }

    /// Change per unit of work, in raw units of before.
    fn delta(&self, sums: &Sums) -> f64 {
        sums.value[1] / self.model.scale.exposure - sums.value[0]
    }

    /// What changed, in the order in which it was found, and of which places that could be bursts.
    fn changes(&self, explained_by: &mut FxHashMap<PlaceId, usize>) -> (Vec<Finding>, FxHashSet<PlaceId>) {
        let mut rows: Vec<(&Found, Finding)> = Vec::new();
        // Only further runs can tell bursts from changes: both have heavy tails, so the size of a finding does not.
        let could_be: Vec<bool> = self.found.iter().map(|found| could_be_burst(self.search, self.model, self.diff, found)).collect();
        let open = bursts::are_likelier(self.model, self.found.iter().zip(&could_be).filter(|row| *row.1).map(|row| row.0), self.groups);
        let mut alone: FxHashSet<PlaceId> = FxHashSet::default();
        for (found, could_be) in self.found.iter().zip(could_be) {
            let Some(finding) = self.finding(found, rows.len() + 1) else { continue };
            // Frames that only came or went are told as that: of what stands below them, the rest is a row of no name.
            let side = self.model.scale.counts(&found.sums).and_then(sided::side).filter(|_| finding.measure == Measure::Total);
            let is_folded = |row: &Structure| row.place == finding.place && matches!(row.fate, Fate::Folded(..));
            if let Some(side) = side.filter(|_| self.structures.iter().any(is_folded))
                && !self.is_own(found, &finding, side)
            {
                continue;
            }
            alone.extend(could_be.then_some(finding.place));
            explained_by.entry(finding.place).or_insert(finding.rank);
            self.explain(&found.nodes, found.group.scope.measure, finding.rank, explained_by);
            if let Some(pair) = self.pair_of(finding.place) {
                self.explain_pair(pair, finding.rank, explained_by);
            }
            let moved = shift::shifted(self.search, self.model, found, &NodeSet::default());
            let verdict = match finding.verdict {
                // What comes in bursts moves about too.
                _ if open && !self.is_one_sided(found) || !self.is_counted(&finding) => Verdict::Unconfirmed,
                _ if moved => Verdict::Shift,
                // Beside what was found after it, it is no surprise any more.
                _ if finding.q > self.search.spec.level => Verdict::Unconfirmed,
                verdict => verdict,
            };
            rows.push((found, Finding { verdict, ..finding }));
        }
        shift::by_itself(self.search, self.model, &mut rows);
        shift::agree(self.comparison().tree(), &mut rows);
        (rows.into_iter().map(|(_, finding)| finding).collect(), alone)
    }

    /// Adds functions of which only frames or names came and went.
    fn add_structures(&self, paths: &[(PlaceId, Vec<NodeId>)], findings: &mut Vec<Finding>, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let (comparison, base) = (self.comparison(), self.search.base);
        let mut folds = Vec::new();
        for structure in self.structures {
            // A finding says both: the other name, and what changed.
            if structure.pair().is_some() && findings.iter().any(|finding| finding.place == structure.place && finding.new.is_some()) {
                continue;
            }
            let mut finding = self.structure(structure, findings.len() + 1);
            if finding.is_move || finding.verdict == Verdict::Inlined {
                finding.paths = moved::paths_beside(comparison, base, paths, finding.place);
            }
            explained_by.entry(finding.place).or_insert(finding.rank);
            self.explain_pair(structure, finding.rank, explained_by);
            if let Fate::Folded(..) = structure.fate {
                let nodes = paths.iter().find(|(place, _)| *place == finding.place).map(|(_, nodes)| nodes.clone());
                let all = || base.nodes_of(finding.place).filter_map(NodeId::from_row).collect();
                folds.push((finding.place, nodes.unwrap_or_else(all), finding.rank));
            }
            findings.push(finding);
        }
        folded::explain_takers(comparison.tree(), base, &folds, &self.diff.self_.raw, self.model.scale.exposure, explained_by);
        for (place, nodes) in paths {
            if let Some(&rank) = explained_by.get(place) {
                self.explain_callers(nodes, rank, explained_by);
            }
        }
    }

    /// The finding, `None` where the change is surely too small to name, or none by itself.
    fn finding(&self, found: &Found, order: usize) -> Option<Finding> {
        let comparison = self.comparison();
        let (place, measure, node) = self.headline(found);
        let (headline, all) = (place, self.search.base.places[measure as usize][place.row()]);
        // Of two functions of which one stands where the other stood, what is left under one name is not what they cost.
        let is_whole = |pair: &&Structure| measure == Measure::Total || matches!(pair.fate, Fate::Replaced(_));
        let pair = self.pair_of(place).filter(|pair| node.is_none() || is_whole(pair));
        let whole = pair.filter(is_whole);
        let place = pair.map_or(place, |pair| pair.place);
        let (measure, node) = whole.map_or((measure, node), |_| (Measure::Total, None));
        let moved = headline != found.group.scope.place;
        let tested = |sums: &Sums| {
            let counts = self.model.scale.counts(sums);
            let doubt = self.search.doubt(self.model, &found.group, sums, 0.0);
            (counts, doubt, counts.map_or(Test::NONE, |counts| counts.test(doubt)))
        };
        let stayed = |own: &Test| own.z * found.test.z <= 0.0 || own.p > self.search.spec.level;
        // Cost that only moved between a function and what interrupts it is no change of either.
        let uninterrupted = self.search.base.uninterrupted(comparison, &found.nodes, &found.sums).map(|sums| tested(&sums).2);
        if uninterrupted.is_some_and(|own| stayed(&own) || own.p > self.search.spec.level * found.group.weight) {
            return None;
        }
        // Nobody finds the cost of other paths on this one: it is the place's, unless the rest of that hides the change.
        let is_home = node.is_some_and(|node| self.homes.contains(node.row())) && !stayed(&tested(&all).2);
        let node = node.filter(|_| !is_home);
        let sums = whole.map_or(if moved || is_home { all } else { found.sums }, |row| row.sums);
        // Tables have what interrupts a loop below it: what the loop has with that is its total, if it calls little else.
        let base = self.search.base;
        let is_interrupted = measure == Measure::Self_ && whole.is_none() && base.is_interrupted(comparison, place, node);
        let with_callees = node.map_or(base.places[Measure::Total as usize][place.row()], |node| *base.tables().total(node.row()));
        let is_total = is_interrupted && with_callees.pooled(1.0) <= sums.pooled(1.0) * MOST_CALLED;
        let (measure, sums) = if is_total { (Measure::Total, with_callees) } else { (measure, sums) };
        let (counts, doubt, own) = tested(&sums);
        // Findings are the rows with the largest evidence: their intervals allow for that.
        let threshold = -normal_quantile(self.search.spec.level * found.group.weight / 2.0);
        let ends = selected_ends(own.z, threshold.min(own.z.abs()));
        let (lo, hi) = counts.map_or((0.0, f64::INFINITY), |counts| counts.interval(doubt, ends));
        // An end that lies at the estimate is made from counts and a half, and may miss it by as much.
        let ratio = ratio_of(&sums, &self.model.scale);
        let (lo, hi) = (lo.min(ratio), hi.max(ratio));
        let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side| comparison.factor(side));
        let [before, after] = [sums.value[0] * factor(0), sums.value[1] * factor(1)];
        // What stayed as it was inside something that changed has its explanation and is no finding.
        if stayed(&own) || is_small([before, after], [lo, hi], largest_total(comparison), self.search.spec) {
            return None;
        }
        let names = pair.and_then(Structure::pair).map_or(vec![headline], Vec::from);
        let all = || names.iter().flat_map(|&name| self.search.base.ranges(comparison, name, measure));
        let nodes = match node {
            Some(node) if is_total => &NodeSet::new(std::iter::once(node.row()..comparison.tree().subtree_end(node))),
            None if is_total => &NodeSet::new(base.ranges(comparison, place, measure)),
            _ if pair.is_some() || moved || is_home => &NodeSet::new(all()),
            _ => &found.nodes,
        };
        let as_captured = self.search.base.captured_sums_of(comparison, nodes);
        let total_before = comparison.sides.first().map_or(0.0, Side::denominator);
        let delta = self.delta(&sums);
        let own_delta = own_delta(self.search, self.found, found, self.model.scale.exposure);
        let [before, after] =
            if is_interrupted && !is_total { [0, 1].map(|side| as_captured.value[side] * factor(side)) } else { [before, after] };
        Some(Finding {
            rank: order,
            // What has a value on a side as captured, or with what was put together, is there.
            verdict: verdict_of_sides(sums.value[0].max(as_captured.value[0]), sums.value[1].max(as_captured.value[1]), own.z),
            place,
            func: comparison.places().name(place).to_owned(),
            measure,
            path: node.map(|node| comparison.tree().path(node)),
            paths: Vec::new(),
            before,
            after,
            delta: after - before,
            delta_of_total: if total_before > 0.0 { delta / total_before } else { 0.0 },
            ratio,
            ratio_lo: lo,
            ratio_hi: hi,
            p: found.test.p,
            q: (found.test.p / found.group.weight).min(1.0),
            raw: as_captured.value,
            events: sums.events,
            own_delta,
            // See `Changes`, once all are known.
            explains: 0.0,
            explains_of: Whole::Net,
            minimum_detectable: self.detectable(found, place, measure),
            needed: self.needed(found, counts, doubt, ratio),
            explained_by: None,
            new: pair.and_then(Structure::pair).map(|[_, new]| comparison.places().name(new).to_owned()),
            strays: pair.map_or(0.0, |pair| pair.strays),
            is_move: false,
            asked_by: None,
            cause: Cause::default(),
            because: String::new(),
            why: String::new(),
        })
    }

    /// False where one capture a side says only that waiting took longer, and not that there was more of it: a few long waits make any time, and files do
    /// not say how long each was.
    fn is_counted(&self, finding: &Finding) -> bool {
        let basis = self.search.base.ground.basis;
        if self.model.has_runs() || basis != Basis::Contentions {
            return true;
        }
        let noise = basis.run_noise(false);
        let doubt = Doubt { extra: 2.0 * noise * noise, ..Doubt::NONE };
        let [before, after] = finding.events;
        let test = Counts { before, after, exposure: self.model.scale.exposure }.test(doubt);
        test.p <= self.search.spec.level && (test.z > 0.0) == (finding.delta_of_total > 0.0)
    }

    /// What would be needed to find a change of this size again. Only further runs confirm what single ones leave open.
    fn needed(&self, found: &Found, counts: Option<Counts>, doubt: Doubt, ratio: f64) -> Needed {
        let growth = ratio.max(1.0 / ratio) - 1.0;
        let width = power_width(self.search.spec.level * found.group.weight);
        let needed = counts.map_or(Needed::UNKNOWN, |counts| needed(counts.before, counts.exposure, doubt.extra, width, growth));
        Needed { runs: if self.model.has_runs() { needed.runs } else { needed.runs.max(CONFIRMING_RUNS) }, ..needed }
    }

    /// True where most of what a frame has on one side alone is its own, or that of functions which stand on that side alone: not the rest of paths that
    /// stand there with it by chance.
    fn is_own(&self, found: &Found, finding: &Finding, side: usize) -> bool {
        let (tree, tables) = (self.comparison().tree(), self.search.base.tables());
        let (places, ends) = (tree.places(), tree.subtree_ends());
        let elsewhere = &self.diff.total.raw[1 - side];
        let (mut own, mut end) = (0.0, 0);
        for row in found.nodes.rows().checked() {
            let place = places[row];
            if row >= end && place != finding.place && elsewhere[place.row()] == 0.0 {
                end = ends[row] as usize;
            }
            if row < end || place == finding.place {
                own += tables.own(row).value[side];
            }
        }
        own * 2.0 >= found.sums.value[side]
    }

    /// See [`is_one_sided`].
    fn is_one_sided(&self, found: &Found) -> bool {
        is_one_sided(&self.diff.total, found.group.scope.place, found.sums.events)
    }

    /// A function whose frames changed and whose cost did not.
    fn structure(&self, structure: &Structure, order: usize) -> Finding {
        let comparison = self.comparison();
        let name = |place: PlaceId| comparison.places().name(place).to_owned();
        let (verdict, new) = match structure.fate {
            Fate::Renamed(new) => (Verdict::Renamed, Some(name(new))),
            Fate::Replaced(new) => (Verdict::Shift, Some(name(new))),
            Fate::Folded(verdict, _) => (verdict, None),
            Fate::Moved => (Verdict::Shift, None),
        };
        let sums = structure.sums;
        let counts = self.model.scale.counts(&sums);
        let sampling = counts.map_or(Doubt::NONE, |_| Doubt { extra: self.model.work, ..Doubt::NONE });
        let test = counts.map_or(Test::NONE, |counts| counts.test(sampling));
        let (lo, hi) = counts.map_or((0.0, f64::INFINITY), |counts| counts.interval(sampling, ENDS));
        let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side| comparison.factor(side));
        let [before, after] = [sums.value[0] * factor(0), sums.value[1] * factor(1)];
        let total_before = comparison.sides.first().map_or(0.0, Side::denominator);
        Finding {
            rank: order,
            verdict,
            place: structure.place,
            func: name(structure.place),
            measure: Measure::Total,
            path: None,
            paths: Vec::new(),
            before,
            after,
            delta: after - before,
            delta_of_total: if total_before > 0.0 { self.delta(&sums) / total_before } else { 0.0 },
            ratio: sums.value[1] / sums.value[0] / self.model.scale.exposure,
            ratio_lo: lo,
            ratio_hi: hi,
            p: test.p,
            q: test.p,
            raw: sums.value,
            events: sums.events,
            explains: 0.0,
            own_delta: 0.0,
            explains_of: Whole::Net,
            minimum_detectable: f64::INFINITY,
            needed: Needed::UNKNOWN,
            explained_by: None,
            new,
            strays: structure.strays,
            is_move: structure.fate == Fate::Moved,
            asked_by: None,
            cause: Cause::default(),
            because: String::new(),
            why: String::new(),
        }
    }

    fn detectable(&self, found: &Found, place: PlaceId, measure: Measure) -> f64 {
        let known = self.groups.weight_of(measure, place).is_some() && found.group.scope.node.is_none();
        let table = self.diff.table(measure);
        if known {
            table.minimum_detectable.get(place.row()).copied().unwrap_or(f64::INFINITY)
        } else {
            self.search.detectable(self.model, found)
        }
    }

    /// The own function nearest to the leaf that changed as a whole with a foreign place.
    fn headline(&self, found: &Found) -> (PlaceId, Measure, Option<NodeId>) {
        let scope = found.group.scope;
        let as_found = (scope.place, scope.measure, scope.node);
        let kind = |place: PlaceId| self.kinds.get(place.row()).copied().unwrap_or_default();
        if matches!(kind(scope.place), CodeKind::Own | CodeKind::Unknown) {
            return as_found;
        }
        let tree = self.comparison().tree();
        let mut by_own: FxHashMap<PlaceId, Sums> = FxHashMap::default();
        for row in found.nodes.rows() {
            let Some(node) = NodeId::from_row(row) else { continue };
            // From the place's own node up: what stands below it does not count as its caller.
            let mut path = tree.path_up(node).skip_while(|&at| scope.measure == Measure::Total && tree.place(at) != scope.place);
            if let Some(own) = path.find(|&at| kind(tree.place(at)) == CodeKind::Own) {
                by_own.entry(tree.place(own)).or_default().add(&self.search.base.ground.nodes[row]);
            }
        }
        let exposure = self.model.scale.exposure;
        let cost = |value: [f64; 2]| value[0] + value[1] / exposure;
        let (all, sign) = (self.delta(&found.sums), self.delta(&found.sums).signum());
        let through = |sums: &Sums| self.delta(sums) * sign;
        let Some((place, shared)) = by_own.into_iter().max_by(|a, b| through(&a.1).total_cmp(&through(&b.1)).then(b.0.cmp(&a.0))) else {
            return as_found;
        };
        let own = self.search.base.places[Measure::Total as usize].get(place.row()).map_or([0.0; 2], |sums| sums.value);
        let rest = [own[0] - shared.value[0], own[1] - shared.value[1]];
        let change = |value: [f64; 2]| (value[1] / exposure / value[0]).ln();
        // Of "stayed" and "changed alike" the nearer one.
        let alike = change(rest) / change(shared.value) > 0.5;
        let same_cost = cost(shared.value) >= SAME_COST * cost(own).max(cost(found.sums.value));
        // What its callee adds is part of it.
        let is_found = self.found.iter().any(|other| other.group.scope.place == place);
        // Only where the own function surely changed the same way itself.
        let table = &self.diff.total;
        let sure = table.z.get(place.row()).is_some_and(|z| z * sign > 0.0)
            && table.p.get(place.row()).is_some_and(|p| *p <= self.search.spec.level * found.group.weight);
        let is_own = through(&shared) >= OWN_PART * all.abs() && sure && (same_cost || alike || is_found);
        if is_own { (place, Measure::Total, None) } else { as_found }
    }

    /// Says which places a finding explains: those whose change lies mostly in its nodes.
    fn explain(&self, nodes: &NodeSet, measure: Measure, order: usize, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let (tree, base) = (self.comparison().tree(), self.search.base);
        let mut parts: FxHashMap<PlaceId, f64> = FxHashMap::default();
        let mut add = |at: NodeId, delta: f64| {
            if base.outermost[at.row()] {
                *parts.entry(tree.place(at)).or_default() += delta;
            }
        };
        let is_total = measure == Measure::Total;
        for range in nodes.ranges() {
            let mut whole = 0.0;
            for node in range.clone().checked().filter_map(NodeId::from_row) {
                let delta = self.delta(if is_total { &base.totals[node.row()] } else { &base.ground.nodes[node.row()] });
                whole = if node.row() == range.start { delta } else { whole };
                add(node, delta);
            }
            let Some(first) = NodeId::from_row(range.start) else { continue };
            for above in tree.path_up(first).skip(1) {
                add(above, whole);
            }
        }
        self.explain_by(parts, order, explained_by);
    }

    /// Two functions, one of them a place, of which one stands where the other stood.
    fn pair_of(&self, place: PlaceId) -> Option<&Structure> {
        self.structures.iter().find(|row| row.pair().is_some_and(|pair| pair.contains(&place)))
    }

    /// Says that such a pair is explained by one row: both names, and below replaced functions what changed with them.
    fn explain_pair(&self, structure: &Structure, order: usize, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let Some(pair) = structure.pair() else { return };
        for place in pair {
            explained_by.entry(place).or_insert(order);
        }
        if let Fate::Renamed(_) = structure.fate {
            return;
        }
        let (comparison, base) = (self.comparison(), self.search.base);
        let captured = base.captured();
        let mut parts: FxHashMap<PlaceId, f64> = FxHashMap::default();
        for row in pair.into_iter().flat_map(|place| base.ranges(comparison, place, Measure::Total)).flatten().checked() {
            if base.outermost[row] {
                *parts.entry(comparison.tree().places()[row]).or_default() += self.delta(captured.total(row));
            }
        }
        self.explain_by(parts, order, explained_by);
    }

    /// Says which callers a move explains: those whose change lies mostly in what came or went.
    fn explain_callers(&self, nodes: &[NodeId], order: usize, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let (tree, base) = (self.comparison().tree(), self.search.base);
        let captured = base.captured();
        let mut parts: FxHashMap<PlaceId, f64> = FxHashMap::default();
        for &node in nodes {
            let delta = self.delta(captured.total(node.row()));
            for above in tree.path_up(node).skip(1).filter(|above| base.outermost[above.row()]) {
                *parts.entry(tree.place(above)).or_default() += delta;
            }
        }
        self.explain_by(parts, order, explained_by);
    }

    /// Names a finding as what explains the places of whose change it holds the larger part.
    fn explain_by(&self, parts: FxHashMap<PlaceId, f64>, order: usize, explained_by: &mut FxHashMap<PlaceId, usize>) {
        let raw = &self.diff.total.raw;
        let mut parts: Vec<(PlaceId, f64)> = parts.into_iter().collect();
        parts.sort_by_key(|(place, _)| *place);
        for (place, part) in parts {
            let whole = raw[1][place.row()] / self.model.scale.exposure - raw[0][place.row()];
            if part / whole > 0.5 {
                explained_by.entry(place).or_insert(order);
            }
        }
    }
}

/// One row for every place that is not `named` and has a value, largest change first, at most `most` of them, and how many more there are.
pub(super) fn others(
    comparison: &Comparison,
    diff: &Diff,
    named: &[PlaceId],
    explained_by: &FxHashMap<PlaceId, usize>,
    new_rank: &[usize],
    most: usize,
) -> (Vec<Finding>, usize) {
    let (own, total) = (&diff.self_, &diff.total);
    let value = |table: &Table, side: usize, at: usize| table.value[side][at];
    let measure_of = |at: usize| {
        let leaf = (0..2).all(|side| value(own, side, at).to_bits() == value(total, side, at).to_bits());
        let stronger = own.z[at].abs() > total.z[at].abs();
        if leaf || stronger { Measure::Self_ } else { Measure::Total }
    };
    let places = comparison.places();
    let has_value = |place: &PlaceId| value(total, 0, place.row()) != 0.0 || value(total, 1, place.row()) != 0.0;
    let mut order: Vec<(f64, PlaceId)> = places
        .ids()
        .skip(1)
        .checked()
        .filter(|place| has_value(place) && !named.contains(place))
        .map(|place| (diff.table(measure_of(place.row())).delta[place.row()].abs(), place))
        .collect();
    // Places are in name order.
    let larger = |a: &(f64, PlaceId), b: &(f64, PlaceId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let left_out = order.len().saturating_sub(most);
    if left_out > 0 {
        order.select_nth_unstable_by(most, larger);
        order.truncate(most);
    }
    order.sort_unstable_by(larger);
    let rows = order
        .into_iter()
        .checked()
        .map(|(_, place)| {
            let at = place.row();
            let measure = measure_of(at);
            let table = diff.table(measure);
            let by = explained_by.get(&place).and_then(|&order| new_rank.get(order).copied());
            // Beside the normalisation alone it would have changed.
            let shift = diff.exposure / comparison.exposure();
            let diluted = shift.ln().abs() > 0.02 && (table.lo[at] * shift > 1.0 || table.hi[at] * shift < 1.0);
            let verdict = match (table.verdict[at], by) {
                (verdict, Some(_)) if verdict.is_change() => Verdict::Explained,
                // By itself it is no surprise among so many; the search found no place for it.
                (verdict, None) if verdict.is_change() => Verdict::Unconfirmed,
                (Verdict::Noise, None) if diluted => Verdict::Diluted,
                (verdict, _) => verdict,
            };
            Finding { verdict, explained_by: by.filter(|_| verdict == Verdict::Explained), ..row_of(comparison, diff, measure, place) }
        })
        .collect();
    (rows, left_out)
}

/// A place's row of a table, as long as nothing else is known of it.
pub(super) fn row_of(comparison: &Comparison, diff: &Diff, measure: Measure, place: PlaceId) -> Finding {
    let (table, at) = (diff.table(measure), place.row());
    let total_before = comparison.sides.first().map_or(0.0, Side::denominator);
    Finding {
        rank: 0,
        verdict: table.verdict[at],
        place,
        func: comparison.places().name(place).to_owned(),
        measure,
        path: None,
        paths: Vec::new(),
        before: table.value[0][at],
        after: table.value[1][at],
        delta: table.delta[at],
        delta_of_total: if total_before > 0.0 { (table.raw[1][at] / diff.exposure - table.raw[0][at]) / total_before } else { 0.0 },
        ratio: table.ratio[at],
        ratio_lo: table.lo[at],
        ratio_hi: table.hi[at],
        p: table.p[at],
        q: table.q[at],
        raw: [table.raw[0][at], table.raw[1][at]],
        events: [table.events[0][at], table.events[1][at]],
        explains: 0.0,
        own_delta: 0.0,
        explains_of: Whole::Net,
        minimum_detectable: table.minimum_detectable[at],
        needed: table.needed[at],
        explained_by: None,
        new: None,
        strays: 0.0,
        is_move: false,
        asked_by: None,
        cause: Cause::default(),
        because: String::new(),
        why: String::new(),
    }
}
