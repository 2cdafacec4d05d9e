//! How likely it is that two functions of two builds are one: by what calls them, what they call, which of their lines run, and what they cost.
//!
//! Everything is a Bayes factor, as a logarithm: above 0 speaks for one function, below 0 for two. Counts are taken for far fewer than they are, since code
//! that did not change varies too. Deliberately absent: names and numbers (see `assign`). Start reading at [`Evidence::of`] and [`Facts::same`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::SideInput;
use crate::analysis::events::events;
use crate::analysis::place::{FramePlaces, PlaceId};
use crate::analysis::stats::special::ln_gamma;
use crate::base::ticket::Checked as _;
use crate::model::Profile;

/// So many events of a function say something about its neighbours, at most.
const MOST_EVENTS: f64 = 20.0;
/// How alike two functions of one parent are before anything is known of them: so many events of what they have in common.
const COMMON: f64 = 2.0;
/// Standard deviation of the logarithm of what unchanged code costs, and of what any two functions of one parent do.
const SAME_COST: f64 = 0.08;
const ANY_COST: f64 = 2.0;
/// How likely it is that a function's cost changes by any factor between two builds.
const CHANGED: f64 = 0.1;

/// Events by what they have in common.
type Counts = FxHashMap<u64, f64>;

/// What is known of a function, or of several together, on one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Events by caller, by callee and its own, by line from its first.
    parts: [Counts; 3],
    /// Events with it on the stack.
    events: f64,
    /// Its first line, where that is known.
    first_line: Option<u32>,
}

impl Facts {
    fn add(&mut self, other: &Self) {
        for (part, other) in self.parts.iter_mut().zip(&other.parts) {
            add(part, other, 1.0);
        }
        self.events += other.events;
        self.first_line = self.first_line.or(other.first_line);
    }

    /// What several have together.
    pub(super) fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut made = Self::default();
        for facts in all {
            made.add(facts);
        }
        made
    }

    pub(super) const fn events(&self) -> f64 {
        self.events
    }

    pub(super) const fn first_line(&self) -> Option<u32> {
        self.first_line
    }

    /// Evidence that both are one function, by their neighbours and lines alone. `common` is what all functions that may be one have together.
    pub(super) fn same(&self, other: &Self, common: &Self) -> f64 {
        let factors = self.parts.iter().zip(&other.parts).zip(&common.parts);
        factors.map(|((one, other), common)| bayes_factor(one, other, common)).sum()
    }

    /// The same by what they cost; `all` are the events of both sides.
    pub(super) fn same_cost(&self, other: &Self, all: [f64; 2]) -> f64 {
        if self.events <= 0.0 || other.events <= 0.0 || all[0] <= 0.0 || all[1] <= 0.0 {
            return 0.0;
        }
        let effect = (other.events / all[1] / (self.events / all[0])).ln();
        let chance = 1.0 / self.events + 1.0 / other.events;
        let density = |variance: f64| (-effect * effect / (2.0 * variance)).exp() / variance.sqrt();
        let [same, any] = [SAME_COST, ANY_COST].map(|deviation| density(deviation.mul_add(deviation, chance)));
        if any > 0.0 { ((1.0 - CHANGED) * same / any + CHANGED).ln() } else { CHANGED.ln() }
    }
}

fn add(to: &mut Counts, from: &Counts, factor: f64) {
    #[expect(clippy::iter_over_hash_type, reason = "each key has a sum of its own")]
    for (key, value) in from {
        *to.entry(*key).or_default() += value * factor;
    }
}

/// Whether two rows of counts were drawn from one distribution or from two: Dirichlet priors around what is common.
fn bayes_factor(one: &Counts, other: &Counts, common: &Counts) -> f64 {
    let whole: f64 = sum(common);
    let [first, second] = [sum(one), sum(other)];
    if first <= 0.0 || second <= 0.0 || whole <= 0.0 {
        return 0.0;
    }
    let scaled = |total: f64| total.min(MOST_EVENTS) / total;
    let scales = [scaled(first), scaled(second)];
    let mut keys: Vec<u64> = one.keys().chain(other.keys()).copied().collect();
    // Sums do not depend on the order of a hash table.
    keys.sort_unstable();
    keys.dedup();
    let of = |counts: &Counts, key: u64| counts.get(&key).copied().unwrap_or_default();
    let grown = |prior: f64, count: f64| ln_gamma(prior + count) - ln_gamma(prior);
    let mut made =
        -grown(COMMON, first * scales[0] + second * scales[1]) + grown(COMMON, first * scales[0]) + grown(COMMON, second * scales[1]);
    for key in keys {
        let prior = (COMMON * of(common, key) / whole).max(1e-6);
        let counts = [of(one, key) * scales[0], of(other, key) * scales[1]];
        made += grown(prior, counts[0] + counts[1]) - grown(prior, counts[0]) - grown(prior, counts[1]);
    }
    made
}

fn sum(counts: &Counts) -> f64 {
    let mut values: Vec<f64> = counts.values().copied().collect();
    values.sort_by(f64::total_cmp);
    values.iter().sum()
}

/// What is known of some places of two sides.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    of: [FxHashMap<usize, Facts>; 2],
    /// Events of each side.
    pub(super) all: [f64; 2],
}

/// The callee that stands for a function's own cost.
const OWN: u64 = u64::MAX;

impl Evidence {
    /// Looks at all stacks of both sides for those of `rows`. `neighbour` gives what a place is called whichever build it is of.
    pub(super) fn of(
        frames: &[FramePlaces],
        profiles: &[&Profile],
        sides: [&SideInput; 2],
        rows: &FxHashSet<usize>,
        neighbour: impl Fn(usize) -> u64,
    ) -> Self {
        let mut made = Self::default();
        for ((side, facts), all) in sides.into_iter().zip(&mut made.of).zip(&mut made.all) {
            for &capture in &side.captures {
                if let (Some(profile), Some(frames)) = (profiles.get(capture), frames.get(capture)) {
                    *all += look(profile, frames, rows, &neighbour, facts);
                }
            }
        }
        made
    }

    /// What is known of some rows of a side together.
    pub(super) fn facts(&self, side: usize, rows: impl IntoIterator<Item = usize>) -> Facts {
        let mut made = Facts::default();
        for facts in rows.into_iter().filter_map(|row| self.of.get(side)?.get(&row)) {
            made.add(facts);
        }
        made
    }
}

/// Adds what a capture says to the facts of its side; gives the events of the capture.
fn look(
    profile: &Profile,
    frames: &FramePlaces,
    rows: &FxHashSet<usize>,
    neighbour: &impl Fn(usize) -> u64,
    facts: &mut FxHashMap<usize, Facts>,
) -> f64 {
    // The first sample type that says anything: which one is shown changes no names.
    let per_sample =
        (0..profile.sample_types.len()).map(|kind| events(profile, kind).per_sample).find(|events| events.iter().any(|count| *count > 0.0));
    let Some(per_sample) = per_sample else { return 0.0 };
    let mut own = vec![0.0; profile.stacks.len()];
    for (stack, events) in profile.samples.stacks().iter().zip(&per_sample).checked() {
        if let Some(own) = stack.and_then(|stack| own.get_mut(stack.row())) {
            *own += events;
        }
    }
    let mut totals = own.clone();
    let parents = profile.stacks.parents();
    for (row, parent) in parents.iter().enumerate().rev().checked() {
        let total = totals.get(row).copied().unwrap_or_default();
        if let Some(above) = parent.and_then(|parent| totals.get_mut(parent.row())) {
            *above += total;
        }
    }
    let place = |row: usize| profile.stacks.frames().get(row).and_then(|frame| frames.get(frame.row())).copied().map(PlaceId::row);
    for (row, (parent, (own, total))) in parents.iter().zip(own.iter().zip(&totals)).enumerate().checked() {
        let Some(here) = place(row).filter(|_| *total > 0.0) else { continue };
        let above = parent.and_then(|parent| place(parent.row()));
        if above == Some(here) {
            continue;
        }
        if let Some(above) = above.filter(|above| rows.contains(above)) {
            *facts.entry(above).or_default().parts[1].entry(neighbour(here)).or_default() += total;
        }
        if !rows.contains(&here) {
            continue;
        }
        let of = facts.entry(here).or_default();
        of.events += total;
        *of.parts[0].entry(above.map_or(OWN, neighbour)).or_default() += total;
        if *own > 0.0 {
            *of.parts[1].entry(OWN).or_default() += own;
        }
        let frame = profile.stacks.frames().get(row).map(|&frame| profile.frames.at(frame));
        let start = frame.and_then(|frame| frame.function).map_or(0, |function| profile.functions.at(function).start_line);
        if let Some(line) = frame.and_then(|frame| frame.line.checked_sub(start)).filter(|_| start > 0) {
            of.first_line = of.first_line.or(Some(start));
            *of.parts[2].entry(u64::from(line)).or_default() += total;
        }
    }
    per_sample.iter().sum()
}
