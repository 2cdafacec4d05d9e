//! What got worse: the smallest set of disjoint findings that explains the change, in order, and everything else with its numbers.
//!
//! A chain of callers that all rise by the same amount is one finding, at the place that explains it. Found by greedy choice: the group of
//! nodes with the strongest evidence is named, its nodes are set aside, and the search goes on with what is left. A caller's total
//! dilutes the evidence with unchanged work, a callee's has fewer events, so the place itself wins without a special rule. Then the
//! headline moves to the program's own code where a library or the runtime only does what it was asked to.
//!
//! Start reading at [`findings`].

mod attribute;
mod bursts;
mod cause;
mod collector;
mod folded;
mod groups;
mod moved;
mod readings;
mod search;
mod shift;
mod sided;
mod structure;
mod whole;
mod words;

use std::sync::Arc;

use super::comparable::{self, Compared, Difference};
use super::comparison::{Comparison, Normalization, Side};
use super::diff::{self, Diff, Interval, Measure, Verdict};
use super::events::Basis;
use super::matching::{self, Tally};
use super::place::PlaceId;
use super::stats::Needed;
use crate::base::ticket::stage;
use crate::model::Profile;

pub use super::diff::{Exposure, Spec};
pub use cause::Cause;
pub use collector::Collector;
pub use readings::Readings;
pub use words::{growth, more_samples, one_in, part_of_change, runs_needed};

/// Rows kept in [`Findings::others`].
pub const MAX_OTHERS: usize = 1000;

/// What a part of the change is a part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whole {
    /// The net change of the total.
    #[default]
    Net,
    /// All rises of functions' own cost: the total hardly changed, or not at all by definition (shares).
    Rises,
    /// All falls, for the same reason.
    Falls,
}

impl Whole {
    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Rises => "rises",
            Self::Falls => "falls",
        }
    }

    /// What a part is one of, in words.
    pub const fn words(self, per_work: bool) -> &'static str {
        match (self, per_work) {
            (Self::Net, false) => "the change",
            (Self::Net, true) => "the change per unit of unchanged work",
            (Self::Rises, false) => "what rose",
            (Self::Rises, true) => "what rose per unit of unchanged work",
            (Self::Falls, false) => "what fell",
            (Self::Falls, true) => "what fell per unit of unchanged work",
        }
    }
}

/// One change, or one place that did not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// From 1 in the order of findings; 0 for a row that is no finding.
    pub rank: usize,
    /// What it is.
    pub verdict: Verdict,
    /// The place that is named.
    pub place: PlaceId,
    /// Its name.
    pub func: String,
    /// Self or total.
    pub measure: Measure,
    /// Root-first places of the one path on which the change lies, down to `place`; `None` where it lies on all of them.
    pub path: Option<Vec<PlaceId>>,
    /// The paths where the change lies on several of them and not on all: the numbers are those of these together. Empty otherwise.
    pub paths: Vec<Vec<PlaceId>>,
    /// Normalised value before.
    pub before: f64,
    /// Normalised value after.
    pub after: f64,
    /// Normalised after − before.
    pub delta: f64,
    /// `delta` as a part of the normalised total before.
    pub delta_of_total: f64,
    /// After / before per unit of unchanged work: infinite = new, NaN where both sides are 0.
    pub ratio: f64,
    /// Lower end of the 95 % interval of `ratio`.
    pub ratio_lo: f64,
    /// Upper end of the 95 % interval of `ratio`.
    pub ratio_hi: f64,
    /// Two-sided p value of no change.
    pub p: f64,
    /// For a finding: p after correction for the search over all places. For other rows: the false discovery rate over all of them.
    pub q: f64,
    /// Values of before and after as captured, sums over a side's captures.
    pub raw: [f64; 2],
    /// Raw events of before and after.
    pub events: [f64; 2],
    /// Change per unit of work of what no finding inside this one explains, in raw units of before.
    pub own_delta: f64,
    /// Part of the change that lies here, see `explains_of`.
    pub explains: f64,
    /// The change that `explains` is a part of.
    pub explains_of: Whole,
    /// Smallest growth that the search would find in this row with 80 % power: 0.25 = +25 %.
    pub minimum_detectable: f64,
    /// What would be needed to find [`Findings::growth`] in this row; for an unconfirmed one, to confirm a change of its size.
    pub needed: Needed,
    /// Rank of the finding that explains this row, where one does.
    pub explained_by: Option<usize>,
    /// The name after, where a function was renamed, or where its callers call another one in its place.
    pub new: Option<String>,
    /// Events that stand on the side where a renamed function, a wrapper and the like are not, as a few samples of the other build do: they are in the
    /// numbers, and not held against what the row says.
    pub strays: f64,
    /// True for a function whose calls moved to other callers at the same cost: the numbers are those of the paths of both sides together.
    pub is_move: bool,
    /// The program's own function that most of the change of other code was for, where there is one.
    pub asked_by: Option<String>,
    /// What it is grouped by.
    pub cause: Cause,
    /// Where the change comes from, in a few words: `self time`, `new caller: main.handle`, `moved from main.g`; empty for a row that is no
    /// finding.
    pub because: String,
    /// One sentence without a period.
    pub why: String,
}

/// The three states of a place: a comparison never has only two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It surely changed, or stands elsewhere.
    Changed,
    /// A change that matters would have been found, and was not.
    Unchanged,
    /// A change that matters could have been missed, or what differs may be noise.
    CannotTell,
}

impl Answer {
    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::CannotTell => "cannot-tell",
        }
    }
}

impl Finding {
    /// The state of the row where a growth of `growth` matters.
    pub fn answer(&self, growth: f64) -> Answer {
        match self.verdict {
            Verdict::Unconfirmed => Answer::CannotTell,
            Verdict::Noise | Verdict::TooFew | Verdict::Diluted if self.minimum_detectable > growth => Answer::CannotTell,
            Verdict::Noise | Verdict::TooFew | Verdict::Diluted => Answer::Unchanged,
            _ => Answer::Changed,
        }
    }

    /// The paths to the place that the numbers are of; none where they are of all.
    pub fn told_paths(&self) -> impl Iterator<Item = &Vec<PlaceId>> {
        self.path.iter().chain(&self.paths)
    }

    /// True where the numbers are those of some paths to the place, and not of all.
    pub fn is_of_paths(&self) -> bool {
        self.told_paths().next().is_some()
    }

    /// Takes in a change of the same place and direction on another path; false where one of them is on all paths, or below the other.
    fn join(&mut self, other: &Self) -> bool {
        let Some(path) = &other.path else { return false };
        let nests = |mine: &Vec<PlaceId>| mine.starts_with(path) || path.starts_with(mine);
        if !self.is_of_paths() || self.measure != other.measure || self.told_paths().any(nests) {
            return false;
        }
        // What a unit of unchanged work is beside the values as shown: the same for both.
        let scale =
            [&*self, other].into_iter().map(|row| row.after / row.before / row.ratio).find(|scale| scale.is_finite() && *scale > 0.0);
        self.paths.extend(self.path.take());
        self.paths.push(path.clone());
        for (sum, part) in [(&mut self.before, other.before), (&mut self.after, other.after), (&mut self.delta, other.delta)] {
            *sum += part;
        }
        self.delta_of_total += other.delta_of_total;
        for side in 0..2 {
            self.raw[side] += other.raw[side];
            self.events[side] += other.events[side];
        }
        // Each holds its own truth, and that of both lies between them.
        (self.ratio_lo, self.ratio_hi) = (self.ratio_lo.min(other.ratio_lo), self.ratio_hi.max(other.ratio_hi));
        if let Some(scale) = scale {
            self.ratio = self.after / self.before / scale;
        }
        if self.verdict.is_change() {
            // What is new on one of them and was there on the other is not new.
            self.verdict = diff::verdict_of_sides(self.before, self.after, self.delta_of_total);
        }
        (self.p, self.q) = (self.p.min(other.p), self.q.min(other.q));
        self.minimum_detectable = self.minimum_detectable.min(other.minimum_detectable);
        true
    }

    /// Ends the interval at "no change". Allowing for the selection of the largest makes it wide, but what is confirmed to have grown did not fall,
    /// and no growth that the interval held is lost.
    fn hold_direction(&mut self) {
        if !self.verdict.is_change() {
            return;
        }
        if self.ratio > 1.0 {
            self.ratio_lo = self.ratio_lo.max(1.0);
        } else {
            self.ratio_hi = self.ratio_hi.min(1.0);
        }
    }

    /// True for a change whose interval was cut at no change, and which chance makes once in fewer than a hundred searches.
    pub fn is_barely_sure(&self) -> bool {
        let nearer = if self.ratio > 1.0 { self.ratio_lo } else { self.ratio_hi };
        self.verdict.is_change() && (nearer - 1.0).abs() < f64::EPSILON && self.q > BARELY
    }

    /// True where `ratio` is plainly another number than `after` / `before`: nearly everything moved, and the row is held against that.
    pub fn is_against_rest(&self) -> bool {
        let difference = (self.after / self.before / self.ratio).ln().abs();
        difference.is_finite() && difference > AGAINST_REST
    }

    /// True where a function or frame of one side (see [`Verdict::is_structure`]) is that of the side after.
    pub fn is_of_after(&self) -> bool {
        self.after > self.before
    }
}

/// Chances above this are said to be near to the limit.
const BARELY: f64 = 0.01;
/// Logarithm of two ratios from which on they are said to be two.
const AGAINST_REST: f64 = 0.1;

/// What two sides say.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Growth that is not to be missed, see [`Spec::growth`].
    pub growth: f64,
    /// Both readings of the top explanation, where it holds so much of the cost that the captures alone cannot tell which is true.
    pub readings: Option<Readings>,
    /// What garbage collection as a whole cost, where it changed by much and is no finding.
    pub collector: Option<Collector>,
    /// Work after / work before against which findings were held, in raw values, with the interval where it was estimated: the
    /// normalisation's, unless everything changed alike or a robust estimate was asked for.
    pub exposure: Interval,
    /// The same as the bulk of the functions says, for comparison.
    pub unchanged: Option<Interval>,
    /// How the total changed, as normalised, with the interval that sampling and differences between runs leave; `None` where totals are equal by
    /// definition.
    pub total: Option<Interval>,
    /// Findings: regressions and new places first, then improvements, then what only moved; within each by certainty × size.
    pub rows: Vec<Finding>,
    /// All other places with a value, one row each, largest change first; at most [`MAX_OTHERS`].
    pub others: Vec<Finding>,
    /// How many places, the first of [`Findings::others`], would be findings if repeats confirmed them.
    pub unconfirmed: usize,
    /// Places that [`Findings::others`] leaves out.
    pub others_left_out: usize,
    /// The result in plain sentences.
    pub summary: String,
    /// What a reader of the numbers must know.
    pub notes: Vec<String>,
    /// In what the captures of the sides differ, the gravest first.
    pub differences: Vec<Difference>,
    /// Which names were matched across the sides, and how.
    pub matching: Tally,
    /// Where the numbers of events come from.
    pub basis: Basis,
    /// Number of (place, measure) pairs that were tested.
    pub tests: usize,
    /// The tables below the findings.
    pub diff: Arc<Diff>,
}

impl Findings {
    /// Regressions and new places.
    pub fn worse(&self) -> impl Iterator<Item = &Finding> {
        self.rows.iter().filter(|row| row.verdict.is_worse())
    }

    /// True where the whole that a finding explains a part of is not what happened to the total as compared: that stayed, or went the other way,
    /// since the work differs.
    pub fn is_per_work(&self, row: &Finding) -> bool {
        let other = |total: Interval| total.lo <= 1.0 && total.hi >= 1.0 || (total.ratio > 1.0) != (row.own_delta > 0.0);
        row.explains_of == Whole::Net && self.total.is_some_and(other)
    }

    /// What a finding explains a part of, in words.
    pub fn whole_of(&self, row: &Finding) -> &'static str {
        row.explains_of.words(self.is_per_work(row))
    }

    /// The same where there is little room.
    pub fn whole_of_briefly(&self, row: &Finding) -> &'static str {
        match row.explains_of {
            Whole::Net if self.is_per_work(row) => "change per work",
            Whole::Net => "change",
            Whole::Rises => "rises",
            Whole::Falls => "falls",
        }
    }
}

/// Explains the change between the two sides of a top-down comparison; empty unless it has two. `captures` are the profiles that the
/// comparison was made of.
pub fn findings(comparison: &Comparison, captures: &[Arc<Profile>], spec: &Spec) -> Option<Findings> {
    stage("adding up functions");
    let mut base = diff::Base::new(comparison)?;
    let attributed = attribute::attribute(comparison, &mut base, spec);
    let (unconfirmed, mut rows): (Vec<Finding>, Vec<Finding>) =
        attributed.findings.into_iter().partition(|row| row.verdict == Verdict::Unconfirmed);
    rows.sort_by(|a, b| {
        let group = |row: &Finding| (row.verdict.is_structure(), !row.verdict.is_worse());
        // What a finding inside explains is not counted twice: a caller that changed by little more than its callee comes after that.
        let change = |row: &Finding| if row.verdict.is_structure() { row.delta } else { row.own_delta };
        let weight = |row: &Finding| (1.0 - row.q).max(0.0) * change(row).abs();
        // Names are unique, so the order does not depend on anything else.
        (group(a).cmp(&group(b))).then_with(|| weight(b).total_cmp(&weight(a))).then_with(|| a.func.cmp(&b.func))
    });
    rows.iter_mut().for_each(Finding::hold_direction);
    let mut new_rank = vec![0; rows.len() + unconfirmed.len() + 1];
    for (at, row) in rows.iter_mut().enumerate() {
        new_rank[row.rank] = at + 1;
        row.rank = at + 1;
    }
    let diff = attributed.diff;
    let readings = readings::readings(comparison, &rows, &unconfirmed, diff.exposure, spec);
    let confirmable = unconfirmed.len();
    let mut others: Vec<Finding> = unconfirmed.into_iter().map(|row| Finding { rank: 0, ..row }).collect();
    let named: Vec<PlaceId> = rows.iter().chain(&others).map(|row| row.place).collect();
    let room = MAX_OTHERS.saturating_sub(others.len());
    let (more, others_left_out) = attribute::others(comparison, &diff, &named, &attributed.explained_by, &new_rank, room);
    others.extend(more);
    // Where nothing was estimated, the normalisation is as sure as runs of such programs are alike.
    let known = attributed.model.work + attributed.model.rest;
    let is_assumed = known <= 0.0 && !matches!(comparison.effective_normalization(), Normalization::PerRequest(_));
    let assumed = 2.0 * diff.basis.run_noise(comparison.sample_type.starts_with("inuse")).powi(2);
    let half = 1.96 * (if is_assumed { assumed } else { known }).sqrt();
    let used = Interval { ratio: diff.exposure, lo: diff.exposure * (-half).exp(), hi: diff.exposure * half.exp() };
    let exposure = diff.unchanged.filter(|bulk| bulk.ratio.to_bits() == used.ratio.to_bits()).unwrap_or(used);
    let mut made = Findings {
        growth: spec.growth,
        readings,
        collector: attributed.collector,
        exposure,
        unchanged: diff.unchanged,
        total: attributed.total,
        rows,
        others,
        unconfirmed: confirmable,
        others_left_out,
        summary: String::new(),
        notes: Vec::new(),
        differences: differences(comparison, captures),
        matching: matching::tally(comparison, [&diff.self_.raw, &diff.total.raw], &attributed.renamed),
        basis: diff.basis,
        tests: diff.tests,
        diff: Arc::new(diff),
    };
    made.differences.extend(comparable::unmatched(&made.matching));
    made.differences.sort_by_key(|row| std::cmp::Reverse(row.concern));
    stage("putting it into words");
    cause::explain(comparison, &base, &attributed.kinds, made.diff.exposure, &mut made.rows);
    words::explain(comparison, captures, spec, attributed.closed, attributed.moved, &mut made);
    Some(made)
}

fn differences(comparison: &Comparison, captures: &[Arc<Profile>]) -> Vec<Difference> {
    let Some((before, after)) = comparison.pair() else { return Vec::new() };
    let of = |side: &Side| side.rows.iter().filter_map(|&row| captures.get(row)).map(Arc::clone).collect::<Vec<_>>();
    let (old, new) = (of(before), of(after));
    let [before, after] = [(&old, before), (&new, after)].map(|(captures, side)| Compared { captures, part: &side.part });
    comparable::check(&before, &after, (&comparison.sample_type, &comparison.unit), comparison.effective_normalization())
}
