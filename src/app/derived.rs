//! Everything that is computed from the view: what is wanted, under which key, and how it is made.
//!
//! A key holds all that its result depends on, so nothing is ever invalidated: another want simply has another key. Deliberately
//! absent: when to compute; `App::pump` starts what is wanted and missing.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::findings::Thresholds;
use super::source::{self, SourceSpec};
use super::view::{CaptureId, FlameShape};
use crate::analysis::call_tree::{CallTree, Direction};
use crate::analysis::comparison::{self, CompareError, Comparison, Normalization, Shape, SideInput};
use crate::analysis::diff::{self, Diff, Exposure, Measure, NodeDiff, Spec};
use crate::analysis::facets::{self, Facets};
use crate::analysis::filter::Filter;
use crate::analysis::flame::{self, BySize, FlameLayout, SiblingOrder, self_sizes, self_widths};
use crate::analysis::flat::{self, Flat, Rows, RowsSpec};
use crate::analysis::group::{self, Groups};
use crate::analysis::matching::Naming;
use crate::analysis::part::Part;
use crate::analysis::place::Granularity;
use crate::analysis::place::Places;
use crate::analysis::regress::{self, Findings};
use crate::analysis::sandwich::{self, Sandwich};
use crate::analysis::search::{self, Matches};
use crate::analysis::timeline::{self, Timeline};
use crate::analysis::top::{self, Top};
use crate::analysis::trend::{self, Trend};
use crate::base::discard::discard;
use crate::base::jobs::JobId;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::Profile;
use crate::report::list::Listed;

/// What a shape depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShapeKey {
    /// Captures, those of before first, each with the number of times it was replaced (symbols, reload).
    pub captures: Vec<(CaptureId, u32)>,
    /// How many of them each side has, before first.
    pub sides: Vec<usize>,
    /// Granularity.
    pub granularity: Granularity,
    /// Direction.
    pub direction: Direction,
    /// What is done to frames; of samples it says nothing, see [`Filter::of_frames`].
    pub frames: Filter,
    /// What the user decided about names of two sides.
    pub naming: Naming,
}

/// What a comparison depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ComparisonKey {
    /// Its shape.
    pub shape: ShapeKey,
    /// Sample type by name and unit.
    pub sample_type: (String, String),
    /// What part of its captures each side is, one entry per side.
    pub parts: Vec<Part>,
    /// Samples that count.
    pub filter: Filter,
    /// Normalisation.
    pub normalization: Normalization,
}

/// What sums over samples depend on that no tree is needed for: not on names. Ranges of time count for [`Key::Facets`] only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SamplesKey {
    /// Captures, those of before first, each with the number of times it was replaced.
    pub captures: Vec<(CaptureId, u32)>,
    /// How many of them each side has, before first.
    pub sides: Vec<usize>,
    /// Sample type by name and unit.
    pub sample_type: (String, String),
    /// What part of its captures each side is.
    pub parts: Vec<Part>,
    /// Samples that count.
    pub filter: Filter,
}

/// One derived result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Places and tree.
    Shape(ShapeKey),
    /// Weights over a shape.
    Comparison(ComparisonKey),
    /// The flat table.
    Top(ComparisonKey),
    /// Self and total by place on every side.
    Flat(ComparisonKey),
    /// The rows of the flat table in an order.
    Rows(ComparisonKey, RowsSpec),
    /// Before, after and evidence per node of a bottom-up tree; the findings hold those of the top-down one.
    Diff(ComparisonKey, Thresholds, Exposure),
    /// Ranked findings.
    Findings(ComparisonKey, Thresholds, Exposure),
    /// Boxes of the flame graph.
    Flame(ComparisonKey, FlameShape, SiblingOrder),
    /// What the search found.
    Matches(ComparisonKey, String),
    /// The trees of callers and callees of a place by name.
    Sandwich(ComparisonKey, String),
    /// Their boxes.
    SandwichFlame(ComparisonKey, String, FlameShape, SiblingOrder),
    /// Change and certainty of their nodes.
    SandwichDiff(ComparisonKey, String, Thresholds, Exposure),
    /// A place by name in each capture and over time.
    Trend(ComparisonKey, Option<String>, Measure),
    /// The strip of time.
    Timeline(SamplesKey),
    /// How much each thread and each value of a label holds.
    Facets(SamplesKey),
    /// The lines of a place by name, beside their text.
    Listing(ComparisonKey, String, SourceSpec),
    /// A capture whose stacks begin with what its samples have of some keys.
    Grouped((CaptureId, u32), Groups),
}

impl Key {
    /// What a job for it is called.
    pub const fn job_name(&self) -> &'static str {
        match self {
            Self::Shape(_) => "Building the call tree",
            Self::Comparison(_) => "Adding up the samples",
            Self::Top(_) | Self::Flat(_) => "Making the table",
            Self::Rows(..) => "Sorting the table",
            Self::Diff(..) => "Comparing both sides",
            Self::Findings(..) => "Looking for regressions",
            Self::Flame(..) => "Laying out the flame graph",
            Self::Matches(..) => "Searching",
            Self::Trend(..) => "Following a function",
            Self::Timeline(_) => "Drawing the time",
            Self::Listing(..) => "Reading the source",
            Self::Facets(_) => "Adding up threads and labels",
            Self::Grouped(..) => "Grouping samples",
            Self::Sandwich(..) | Self::SandwichFlame(..) => "Putting callers and callees together",
            Self::SandwichDiff(..) => "Comparing callers and callees",
        }
    }
}

/// A finished result.
#[derive(Clone, Debug)]
pub enum Value {
    /// See [`Key::Shape`].
    Shape(Arc<Shape>),
    /// See [`Key::Comparison`].
    Comparison(Arc<Comparison>),
    /// See [`Key::Top`].
    Top(Arc<Top>),
    /// See [`Key::Flat`].
    Flat(Arc<Flat>),
    /// See [`Key::Rows`].
    Rows(Arc<Rows>),
    /// See [`Key::Diff`].
    Diff(Arc<Diff>),
    /// See [`Key::Findings`].
    Findings(Arc<Findings>),
    /// See [`Key::Flame`].
    Flame(Arc<FlameLayout>),
    /// See [`Key::Matches`].
    Matches(Arc<Matches>),
    /// See [`Key::Trend`].
    Trend(Arc<Trend>),
    /// See [`Key::Timeline`].
    Timeline(Arc<Timeline>),
    /// See [`Key::Sandwich`].
    Sandwich(Arc<Sandwich>),
    /// See [`Key::SandwichFlame`].
    SandwichFlame(Arc<SandwichFlame>),
    /// See [`Key::SandwichDiff`]: of the callers, of the callees.
    SandwichDiff(Arc<[NodeDiff; 2]>),
    /// See [`Key::Facets`].
    Facets(Arc<Facets>),
    /// See [`Key::Listing`].
    Listing(Arc<Listed>),
    /// See [`Key::Grouped`].
    Grouped(Arc<Profile>),
}

/// The boxes of a sandwich. Their widths are sums of those in the flame graph, so all of them have one scale.
#[derive(Clone, Debug, Default)]
pub struct SandwichFlame {
    /// Row 0 is what calls the function.
    pub callers: Arc<FlameLayout>,
    /// The function alone, as a node of the callees' tree.
    pub function: Arc<FlameLayout>,
    /// Row 0 is what the function calls.
    pub callees: Arc<FlameLayout>,
}

/// Where a wanted result stands.
#[derive(Debug)]
pub enum State<'a, T> {
    /// It is here.
    Ready(&'a Arc<T>),
    /// It is being made (or waits for what it is made from).
    Working,
    /// It cannot be made, and why.
    Failed(&'a str),
    /// The view does not want it.
    Unwanted,
}

impl<'a, T> State<'a, T> {
    /// The result, if it is here.
    pub const fn ready(&self) -> Option<&'a Arc<T>> {
        match self {
            Self::Ready(value) => Some(value),
            _ => None,
        }
    }
}

enum Slot {
    Working(JobId),
    Ready(Value),
    Failed(String),
}

/// Results by key; those not wanted for longest go first.
#[derive(Default)]
pub(super) struct Memo {
    slots: FxHashMap<Key, (Slot, u64)>,
    clock: u64,
}

/// How many results are kept; a comparison needs about eight.
const KEPT: usize = 40;

impl Memo {
    pub(super) fn get(&self, key: &Key) -> Option<Result<&Value, &str>> {
        match &self.slots.get(key)?.0 {
            Slot::Ready(value) => Some(Ok(value)),
            Slot::Failed(why) => Some(Err(why)),
            Slot::Working(_) => None,
        }
    }

    pub(super) fn is_known(&self, key: &Key) -> bool {
        self.slots.contains_key(key)
    }

    pub(super) fn set_working(&mut self, key: Key, job: JobId) {
        self.clock += 1;
        self.slots.insert(key, (Slot::Working(job), self.clock));
    }

    pub(super) fn set(&mut self, key: Key, result: Result<Value, String>) {
        self.clock += 1;
        if let Some(old) = self.slots.insert(key, (result.map_or_else(Slot::Failed, Slot::Ready), self.clock)) {
            discard(old);
        }
    }

    /// Marks what is wanted as used; gives the jobs whose results nobody wants any more, and forgets old results.
    pub(super) fn keep(&mut self, wanted: &[Key]) -> Vec<JobId> {
        self.clock += 1;
        for key in wanted {
            if let Some((_, used)) = self.slots.get_mut(key) {
                *used = self.clock;
            }
        }
        let mut unwanted = Vec::new();
        self.slots.retain(|key, (slot, _)| match slot {
            Slot::Working(job) if !wanted.contains(key) => {
                unwanted.push(*job);
                false
            }
            _ => true,
        });
        if self.slots.len() > KEPT {
            let mut ages: Vec<u64> = self.slots.values().map(|(_, used)| *used).collect();
            ages.sort_unstable();
            let oldest = ages.get(ages.len() - KEPT).copied().unwrap_or(0);
            self.discard(|_, used| used < oldest);
        }
        unwanted.sort_unstable();
        unwanted
    }

    /// Forgets every result that needs a capture.
    pub(super) fn forget(&mut self, capture: CaptureId) {
        self.discard(|key, _| made_from(key).0.iter().any(|(id, _)| *id == capture));
    }

    /// Forgets results by key and last use. They may be the last to hold tables of any size.
    fn discard(&mut self, is_old: impl Fn(&Key, u64) -> bool) {
        let old: Vec<_> = self.slots.extract_if(|key, (_, used)| is_old(key, *used)).collect();
        discard(old);
    }

    /// Forgets the mark of a job that ended without a result.
    pub(super) fn forget_job(&mut self, job: JobId, why: &str) {
        self.slots.retain(|_, (slot, _)| {
            if matches!(slot, Slot::Working(other) if *other == job) {
                *slot = Slot::Failed(why.to_owned());
            }
            true
        });
    }
}

/// The captures that a result is made from, and what they are grouped by.
fn made_from(key: &Key) -> (&[(CaptureId, u32)], Groups) {
    match key {
        Key::Timeline(key) | Key::Facets(key) => (&key.captures, key.filter.groups()),
        Key::Shape(shape) => (&shape.captures, shape.frames.groups()),
        Key::Grouped(capture, _) => (std::slice::from_ref(capture), Groups::default()),
        Key::Comparison(key)
        | Key::Top(key)
        | Key::Flat(key)
        | Key::Rows(key, _)
        | Key::Diff(key, ..)
        | Key::Findings(key, ..)
        | Key::Flame(key, ..)
        | Key::Matches(key, _)
        | Key::Sandwich(key, _)
        | Key::SandwichFlame(key, ..)
        | Key::SandwichDiff(key, ..)
        | Key::Listing(key, ..)
        | Key::Trend(key, ..) => (&key.shape.captures, key.filter.groups()),
    }
}

/// The captures that a result is made from, grouped as it wants them; `None` while one is missing.
fn inputs(key: &Key, memo: &Memo, profiles: &dyn Fn(CaptureId) -> Option<Arc<Profile>>) -> Option<Vec<Arc<Profile>>> {
    let (captures, groups) = made_from(key);
    let capture = |capture: &(CaptureId, u32)| {
        if groups.is_empty() {
            return profiles(capture.0);
        }
        match memo.get(&Key::Grouped(*capture, groups.clone())) {
            Some(Ok(Value::Grouped(profile))) => Some(Arc::clone(profile)),
            _ => None,
        }
    };
    captures.iter().map(capture).collect()
}

/// The work behind one key, with everything it needs; `None` while an input is missing.
pub(super) type Work = Box<dyn FnOnce(&Ticket) -> Result<Value, String> + Send>;

/// Makes the work of a key from ready inputs.
pub(super) fn work(key: &Key, memo: &Memo, profiles: &dyn Fn(CaptureId) -> Option<Arc<Profile>>) -> Option<Work> {
    let captures = inputs(key, memo, profiles)?;
    let cancelled = |_| "cancelled".to_owned();
    let made: Work = match key.clone() {
        Key::Grouped(_, groups) => {
            let profile = captures.into_iter().next()?;
            Box::new(move |ticket| Ok(Value::Grouped(Arc::new(group::grouped(&profile, &groups, ticket).map_err(cancelled)?))))
        }
        Key::Shape(key) => Box::new(move |ticket| {
            let (sides, naming) = (sides_of(&key.sides, &[]), &key.naming);
            let shape = Shape::build_matched(&captures, &sides, naming, key.granularity, key.direction, &key.frames, ticket);
            let shape = shape.map_err(cancelled)?;
            Ok(Value::Shape(Arc::new(shape)))
        }),
        Key::Comparison(key) => {
            let Some(Ok(Value::Shape(shape))) = memo.get(&Key::Shape(key.shape.clone())) else { return None };
            let shape = Arc::clone(shape);
            Box::new(move |ticket| {
                let sides = sides_of(&key.shape.sides, &key.parts);
                let kind = (key.sample_type.0.as_str(), key.sample_type.1.as_str());
                let made = comparison::compare(shape, &captures, &sides, kind, &key.filter, key.normalization, ticket);
                made.map(|comparison| Value::Comparison(Arc::new(comparison))).map_err(|error: CompareError| error.to_string())
            })
        }
        Key::Top(key) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |_| {
                let side = comparison.last().ok_or("no side")?;
                Ok(Value::Top(Arc::new(top::top(comparison.tree(), comparison.places(), &side.weights))))
            })
        }
        Key::Flat(key) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |_| Ok(Value::Flat(Arc::new(flat::flat(&comparison)))))
        }
        Key::Rows(key, spec) => {
            let comparison = comparison_of(memo, &key)?;
            let Some(Ok(Value::Flat(flat))) = memo.get(&Key::Flat(key)) else { return None };
            let flat = Arc::clone(flat);
            Box::new(move |_| Ok(Value::Rows(Arc::new(flat::rows(&comparison, &flat, &spec)))))
        }
        Key::Diff(key, thresholds, exposure) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |_| {
                diff::diff(&comparison, &Spec { exposure, ..thresholds.spec() })
                    .map(|diff| Value::Diff(Arc::new(diff)))
                    .ok_or_else(|| "there is one side".to_owned())
            })
        }
        Key::Findings(key, thresholds, exposure) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |_| {
                let found = regress::findings(&comparison, &captures, &Spec { exposure, ..thresholds.spec() });
                found.map(|findings| Value::Findings(Arc::new(findings))).ok_or_else(|| "there is one side".to_owned())
            })
        }
        Key::Flame(key, shape, order) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |ticket| {
                lay_out(&comparison, shape, order, ticket).map(|layout| Value::Flame(Arc::new(layout))).map_err(cancelled)
            })
        }
        Key::Sandwich(key, place) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |ticket| {
                let place = comparison.places().find(&place);
                let made = place.map_or(Ok(None), |place| sandwich::sandwich(&comparison, place, ticket)).map_err(cancelled)?;
                made.map(|made| Value::Sandwich(Arc::new(made))).ok_or_else(|| "the function stands in no stack that is shown".to_owned())
            })
        }
        Key::SandwichFlame(key, place, shape, order) => {
            let comparison = comparison_of(memo, &key)?;
            let Some(Ok(Value::Sandwich(sandwich))) = memo.get(&Key::Sandwich(key, place)) else { return None };
            let sandwich = Arc::clone(sandwich);
            Box::new(move |ticket| {
                let sizes = (order == SiblingOrder::Size).then(|| self_sizes(&comparison));
                let made = sandwich_flame(&sandwich, &self_widths(&comparison, shape), sizes.as_deref(), ticket).map_err(cancelled)?;
                Ok(Value::SandwichFlame(Arc::new(made)))
            })
        }
        Key::SandwichDiff(key, place, thresholds, exposure) => {
            let comparison = comparison_of(memo, &key)?;
            let Some(Ok(Value::Findings(findings))) = memo.get(&Key::Findings(key.clone(), thresholds, exposure)) else { return None };
            let Some(Ok(Value::Sandwich(sandwich))) = memo.get(&Key::Sandwich(key, place)) else { return None };
            let (findings, sandwich) = (Arc::clone(findings), Arc::clone(sandwich));
            Box::new(move |_| {
                let spec = Spec { exposure, ..thresholds.spec() };
                let made = diff::nodes_of_halves(&comparison, &findings.diff, &sandwich, &spec);
                Ok(Value::SandwichDiff(Arc::new(made.ok_or("there is one side")?)))
            })
        }
        Key::Trend(key, place, measure) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |ticket| {
                let place = place.map_or(Some(Places::root()), |place| comparison.places().find(&place));
                let place = place.ok_or("the function does not occur in what is shown")?;
                let made = trend::trend(&comparison, &captures, &key.filter, place, measure, ticket);
                made.map(|trend| Value::Trend(Arc::new(trend))).map_err(cancelled)
            })
        }
        Key::Timeline(key) => over_samples(captures, key, |captures, sides, kind, filter, ticket| {
            Ok(Value::Timeline(Arc::new(timeline::timeline(captures, sides, kind, filter, ticket)?)))
        }),
        Key::Facets(key) => over_samples(captures, key, |captures, sides, kind, filter, ticket| {
            Ok(Value::Facets(Arc::new(facets::facets(captures, sides, kind, filter, ticket)?)))
        }),
        Key::Listing(key, place, spec) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |ticket| {
                let place = comparison.places().find(&place).ok_or("the function does not occur in what is shown")?;
                let how = (&key.filter, key.shape.granularity);
                let made = source::list(&comparison, &captures, how, place, &spec, ticket).map_err(cancelled)?;
                Ok(Value::Listing(Arc::new(made)))
            })
        }
        Key::Matches(key, pattern) => {
            let comparison = comparison_of(memo, &key)?;
            Box::new(move |_| Ok(Value::Matches(Arc::new(search::search(&comparison, &pattern)))))
        }
    };
    Some(Box::new(move |ticket| ticket.run(|| made(ticket)).map_err(cancelled)?))
}

/// What is added up over the samples of some sides, without a tree.
type Adding = fn(&[Arc<Profile>], &[SideInput], (&str, &str), &Filter, &Ticket) -> Result<Value, Cancelled>;

fn over_samples(captures: Vec<Arc<Profile>>, key: SamplesKey, add: Adding) -> Work {
    Box::new(move |ticket| {
        let sides = sides_of(&key.sides, &key.parts);
        let kind = (key.sample_type.0.as_str(), key.sample_type.1.as_str());
        add(&captures, &sides, kind, &key.filter, ticket).map_err(|_cancelled| "cancelled".to_owned())
    })
}

/// Lays the flame graph out.
fn lay_out(comparison: &Comparison, shape: FlameShape, order: SiblingOrder, ticket: &Ticket) -> Result<FlameLayout, Cancelled> {
    let (tree, widths) = (comparison.tree(), self_widths(comparison, shape));
    let sizes = (order == SiblingOrder::Size).then(|| self_sizes(comparison));
    let by_size = sizes.map(|sizes| Arc::new(BySize::new(tree.into(), &sizes)));
    FlameLayout::build_from(tree.into(), 0, &widths, by_size.as_ref(), ticket)
}

/// Lays both pictures out, from the widths of the nodes that they are made of.
/// Siblings stand by `sizes`, or where those are not given, by name.
fn sandwich_flame(sandwich: &Sandwich, widths: &[u64], sizes: Option<&[u64]>, ticket: &Ticket) -> Result<SandwichFlame, Cancelled> {
    let moved = |half: &sandwich::Half, values: &[u64]| half.moved(values, |sum, value| *sum = sum.saturating_add(*value));
    let lay_out = |half: &sandwich::Half, widths: &[u64]| {
        // The root holds nothing but the function, which has a row of its own.
        let shape = flame::Shape::from(half.comparison.tree());
        let by_size = sizes.map(|sizes| Arc::new(BySize::new(shape, &moved(half, sizes))));
        FlameLayout::build_from(shape, 2, widths, by_size.as_ref(), ticket).map(Arc::new)
    };
    let (callers, callees) = (moved(&sandwich.callers, widths), moved(&sandwich.callees, widths));
    let all = callees.iter().checked().fold(0_u64, |sum, width| sum.saturating_add(*width));
    let alone = flame::Shape { parents: &[None, Some(CallTree::ROOT)], depths: &[0, 1] };
    Ok(SandwichFlame {
        callers: lay_out(&sandwich.callers, &callers)?,
        function: Arc::new(FlameLayout::build_from(alone, 1, &[0, all], None, ticket)?),
        callees: lay_out(&sandwich.callees, &callees)?,
    })
}

/// The rows of each side's captures, which stand side after side, with the side's part.
fn sides_of(sizes: &[usize], parts: &[Part]) -> Vec<SideInput> {
    let mut start = 0;
    let side = |(at, &size): (usize, &usize)| {
        let captures = start..start + size;
        start = captures.end;
        SideInput { captures: captures.collect(), part: parts.get(at).cloned().unwrap_or(Part::WHOLE) }
    };
    sizes.iter().enumerate().map(side).collect()
}

fn comparison_of(memo: &Memo, key: &ComparisonKey) -> Option<Arc<Comparison>> {
    match memo.get(&Key::Comparison(key.clone())) {
        Some(Ok(Value::Comparison(comparison))) => Some(Arc::clone(comparison)),
        _ => None,
    }
}
