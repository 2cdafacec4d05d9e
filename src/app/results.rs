//! What the view's results are now: made, in work, failed or not wanted; and what is shown until they are made.
//!
//! Deliberately absent: which results are wanted (`App::wants`) and how they are made (`derived`). Start reading at [`App::comparison`].

use std::sync::Arc;

use super::derived::{Key, SamplesKey, SandwichFlame, State, Value};
use super::view::{CaptureId, SandwichWindow, SortBy, Tab, ViewState};
use super::{App, Shown, ShownListing, ShownRows, ShownSandwich, findings};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::{Diff, Measure, NodeDiff};
use crate::analysis::facets::Facets;
use crate::analysis::filter::Filter;
use crate::analysis::flame::FlameLayout;
use crate::analysis::flat::{Flat, OrderBy, Rows, RowsSpec};
use crate::analysis::part::Part;
use crate::analysis::regress::Findings;
use crate::analysis::sandwich::Sandwich;
use crate::analysis::search::Matches;
use crate::analysis::timeline::Timeline;
use crate::analysis::top::Top;
use crate::analysis::trend::Trend;
use crate::base::discard::discard;
use crate::report::list::{ListReport, Listed};

impl App {
    pub(super) fn state<'a, T>(&'a self, key: Option<&Key>, pick: impl Fn(&'a Value) -> Option<&'a Arc<T>>) -> State<'a, T> {
        let Some(key) = key else { return State::Unwanted };
        match self.memo.get(key) {
            Some(Ok(value)) => pick(value).map_or(State::Working, State::Ready),
            Some(Err(why)) => State::Failed(why),
            None => State::Working,
        }
    }

    /// The comparison in the view's direction: flame graph and call tree are drawn from it.
    pub fn comparison(&self) -> State<'_, Comparison> {
        let key = self.comparison_key(self.view.direction).map(Key::Comparison);
        self.state(key.as_ref(), |value| if let Value::Comparison(it) = value { Some(it) } else { None })
    }

    /// The comparison with callers above callees: tables and findings are made from it.
    pub fn table(&self) -> State<'_, Comparison> {
        let key = self.comparison_key(Direction::TopDown).map(Key::Comparison);
        self.state(key.as_ref(), |value| if let Value::Comparison(it) = value { Some(it) } else { None })
    }

    /// The flat table of the capture shown (of after in a comparison), over the places of [`table`](Self::table).
    pub fn top(&self) -> State<'_, Top> {
        let key = self.comparison_key(Direction::TopDown).map(Key::Top);
        self.state(key.as_ref(), |value| if let Value::Top(it) = value { Some(it) } else { None })
    }

    /// Change and evidence per node of [`comparison`](Self::comparison).
    pub fn diff(&self) -> State<'_, Diff> {
        if self.view.direction == Direction::TopDown {
            return self.table_diff();
        }
        let key = self.comparison_key(self.view.direction).filter(|_| self.view.is_comparison());
        let key = key.map(|key| Key::Diff(key, self.view.thresholds, self.view.exposure));
        self.state(key.as_ref(), |value| if let Value::Diff(it) = value { Some(it) } else { None })
    }

    /// Change and evidence per place of [`table`](Self::table).
    pub fn table_diff(&self) -> State<'_, Diff> {
        match self.findings() {
            State::Ready(findings) => State::Ready(&findings.diff),
            State::Working => State::Working,
            State::Failed(why) => State::Failed(why),
            State::Unwanted => State::Unwanted,
        }
    }

    /// Ranked findings over the places of [`table`](Self::table).
    pub fn findings(&self) -> State<'_, Findings> {
        let key = self.comparison_key(Direction::TopDown).filter(|_| self.view.is_comparison());
        let key = key.map(|key| Key::Findings(key, self.view.thresholds, self.view.exposure));
        self.state(key.as_ref(), |value| if let Value::Findings(it) = value { Some(it) } else { None })
    }

    /// Rows of the findings in the order on screen.
    pub fn finding_order(&self) -> Vec<usize> {
        self.findings().ready().map(|findings| findings::order(&findings.rows, &self.view.findings)).unwrap_or_default()
    }

    /// Order and choice of the rows of the top table. Columns that the table does not have mean the one that it is read by: self value
    /// of a single capture, change of a comparison.
    pub fn rows_spec(&self) -> RowsSpec {
        let (sort, measure) = (self.view.sort, self.view.measure);
        let by = match (self.view.is_comparison(), sort.by) {
            (_, SortBy::Name) => OrderBy::Name,
            (false, SortBy::Total) => OrderBy::Value { side: 0, measure: crate::analysis::Measure::Total },
            (false, _) => OrderBy::Value { side: 0, measure: crate::analysis::Measure::Self_ },
            (true, SortBy::Before) => OrderBy::Value { side: 0, measure },
            (true, SortBy::After) => OrderBy::Value { side: 1, measure },
            (true, SortBy::Ratio) => OrderBy::Ratio(measure),
            (true, _) => OrderBy::Delta(measure),
        };
        RowsSpec { by, ascending: sort.ascending, pattern: self.view.top_filter.clone() }
    }

    /// Self and total by place on every side of [`table`](Self::table).
    pub fn flat(&self) -> State<'_, Flat> {
        let key = self.comparison_key(Direction::TopDown).map(Key::Flat);
        self.state(key.as_ref(), |value| if let Value::Flat(it) = value { Some(it) } else { None })
    }

    /// The rows of the top table.
    pub fn rows(&self) -> State<'_, Rows> {
        let key = self.comparison_key(Direction::TopDown).map(|key| Key::Rows(key, self.rows_spec()));
        self.state(key.as_ref(), |value| if let Value::Rows(it) = value { Some(it) } else { None })
    }

    /// The newest rows of the top table that were ready, and whether they are older than the view.
    pub fn shown_rows(&self) -> Option<(&ShownRows, bool)> {
        let shown = self.shown.rows.as_ref()?;
        let is_old = !self.rows().ready().is_some_and(|now| Arc::ptr_eq(now, &shown.rows));
        Some((shown, is_old))
    }

    pub(super) fn flame_key(&self) -> Option<Key> {
        self.comparison_key(self.view.direction).map(|key| Key::Flame(key, self.flame_shape(), self.view.sibling_order))
    }

    /// Boxes of the flame graph over [`comparison`](Self::comparison).
    pub fn flame(&self) -> State<'_, FlameLayout> {
        self.state(self.flame_key().as_ref(), |value| if let Value::Flame(it) = value { Some(it) } else { None })
    }

    /// What the search found in [`comparison`](Self::comparison).
    pub fn matches(&self) -> State<'_, Matches> {
        let pattern = Some(&self.view.search).filter(|pattern| !pattern.is_empty());
        let key = self.comparison_key(self.view.direction).zip(pattern).map(|(key, pattern)| Key::Matches(key, pattern.clone()));
        self.state(key.as_ref(), |value| if let Value::Matches(it) = value { Some(it) } else { None })
    }

    /// The number of the selected box among those that the search found, from 1, and how many there are; goes through the whole tree.
    pub fn match_position(&self) -> Option<(usize, usize)> {
        let (matches, comparison) = (self.matches().ready()?, self.comparison().ready()?);
        let selected = self.selected_node(comparison)?;
        let at = matches.nodes_of(comparison).position(|node| node == selected)?;
        Some((at + 1, matches.nodes))
    }

    /// The trend is made only while it is in front, of what is selected, or of everything; a place that does not occur has none.
    pub(super) fn trend_key(&self) -> Option<Key> {
        if self.view.tab != Tab::Trend {
            return None;
        }
        let key = self.comparison_key(Direction::TopDown)?;
        let Some(selection) = &self.view.selection else { return Some(Key::Trend(key, None, Measure::Total)) };
        self.table().ready()?.places().find(&selection.place)?;
        Some(Key::Trend(key, Some(selection.place.clone()), self.trend_measure()))
    }

    /// What the trend shows of the selected function: what was chosen there, else what its finding is about, else the value that tables compare; of a
    /// function that only calls others the total, since its self value draws nothing.
    pub fn trend_measure(&self) -> Measure {
        /// A self value is nearly nothing below this part of the total.
        const NEARLY_NOTHING: f64 = 0.02;
        let (view, measure) = (&self.view, self.view.measure);
        let Some(selection) = &view.selection else { return Measure::Total };
        if let Some(chosen) = view.trend_measure {
            return chosen;
        }
        let findings = self.findings().ready().map_or(&[][..], |findings| &findings.rows);
        let found = || findings.iter().filter(|finding| finding.func == selection.place).map(|finding| finding.measure);
        if let Some(first) = found().next() {
            return if found().any(|found| found == measure) { measure } else { first };
        }
        let place = self.table().ready().and_then(|table| table.places().find(&selection.place));
        let (Some(place), Some(flat)) = (place, self.flat().ready()) else { return measure };
        let size = |measure| flat.sides.iter().map(|side| side.value(measure, place).unsigned_abs() as f64).fold(0.0, f64::max);
        if size(Measure::Self_) < NEARLY_NOTHING * size(Measure::Total) { Measure::Total } else { measure }
    }

    /// The selected place (or everything) in each capture and over time, while the view wants it.
    pub fn trend(&self) -> State<'_, Trend> {
        self.state(self.trend_key().as_ref(), |value| if let Value::Trend(it) = value { Some(it) } else { None })
    }

    /// The strip of time does not depend on a chosen range, so dragging over it makes nothing anew.
    pub(super) fn timeline_key(&self) -> Option<Key> {
        if !self.settings.timeline || !self.has_times() {
            return None;
        }
        let parts = self.parts().into_iter().map(|part| Part { time: None, ..part.clone() }).collect();
        self.samples_key(parts, Filter { time: None, ..self.view.filter.clone() }).map(Key::Timeline)
    }

    /// What sums over the samples shown depend on.
    fn samples_key(&self, parts: Vec<Part>, filter: Filter) -> Option<SamplesKey> {
        let ids = self.view.captures();
        let captures: Option<Vec<(CaptureId, u32)>> =
            ids.iter().map(|&id| self.capture(id).map(|capture| (id, capture.generation))).collect();
        let mut filter = Filter { collapse: None, prune_from: None, ..filter };
        // Without these no other transform drops a sample.
        if filter.show_from.is_none() && filter.subtree.is_empty() {
            filter = Filter { no_inlines: false, hide: None, show: None, recursion: None, direct_recursion: None, ..filter };
        }
        let sides = self.view.sides().iter().map(Vec::len).collect();
        Some(SamplesKey { captures: captures?, sides, sample_type: self.sample_type()?, parts, filter })
    }

    /// Only where there are threads or labels to choose from.
    pub(super) fn facets_key(&self) -> Option<Key> {
        let profiles = self.profiles();
        let has_choice = profiles.iter().any(|profile| profile.threads.len() > 1 || !profile.label_sets.is_empty());
        has_choice.then(|| self.samples_key(self.parts(), self.view.filter.clone())).flatten().map(Key::Facets)
    }

    /// How much each thread and each value of a label holds, on every side.
    pub fn facets(&self) -> State<'_, Facets> {
        self.state(self.facets_key().as_ref(), |value| if let Value::Facets(it) = value { Some(it) } else { None })
    }

    /// The strip of time of the sides shown, and whether it is older than the view; `None` while there is none.
    pub fn shown_timeline(&self) -> Option<(&Arc<Timeline>, bool)> {
        let shown = self.shown.timeline.as_ref()?;
        let now: State<'_, Timeline> = self.timeline();
        let is_old = !now.ready().is_some_and(|now| Arc::ptr_eq(now, shown));
        Some((shown, is_old))
    }

    fn timeline(&self) -> State<'_, Timeline> {
        self.state(self.timeline_key().as_ref(), |value| if let Value::Timeline(it) = value { Some(it) } else { None })
    }

    /// The sandwich is made only while it is in front, of a function that occurs.
    fn sandwich_key(&self) -> Option<Key> {
        if self.view.tab != Tab::Sandwich {
            return None;
        }
        let (key, name) = (self.comparison_key(Direction::TopDown)?, self.view.sandwich_of()?);
        self.table().ready()?.places().find(name)?;
        Some(Key::Sandwich(key, name.to_owned()))
    }

    fn sandwich_flame_key(&self) -> Option<Key> {
        let Some(Key::Sandwich(key, name)) = self.sandwich_key() else { return None };
        Some(Key::SandwichFlame(key, name, self.flame_shape(), self.view.sibling_order))
    }

    fn sandwich_diff_key(&self) -> Option<Key> {
        let Some(Key::Sandwich(key, name)) = self.sandwich_key().filter(|_| self.view.is_comparison()) else { return None };
        Some(Key::SandwichDiff(key, name, self.view.thresholds, self.view.exposure))
    }

    /// All that the sandwich needs.
    pub(super) fn sandwich_keys(&self) -> impl Iterator<Item = Key> {
        [self.sandwich_key(), self.sandwich_flame_key(), self.sandwich_diff_key()].into_iter().flatten()
    }

    /// The trees around the function in the middle of the sandwich, over the places of [`table`](Self::table).
    pub fn sandwich(&self) -> State<'_, Sandwich> {
        self.state(self.sandwich_key().as_ref(), |value| if let Value::Sandwich(it) = value { Some(it) } else { None })
    }

    /// Boxes of [`sandwich`](Self::sandwich).
    pub fn sandwich_flame(&self) -> State<'_, SandwichFlame> {
        self.state(self.sandwich_flame_key().as_ref(), |value| if let Value::SandwichFlame(it) = value { Some(it) } else { None })
    }

    /// Change and certainty of the nodes of [`sandwich`](Self::sandwich): of the callers, of the callees.
    pub fn sandwich_diff(&self) -> State<'_, [NodeDiff; 2]> {
        self.state(self.sandwich_diff_key().as_ref(), |value| if let Value::SandwichDiff(it) = value { Some(it) } else { None })
    }

    /// The newest sandwich that was ready, and whether it is older than the view.
    pub fn shown_sandwich(&self) -> Option<(&ShownSandwich, bool)> {
        let shown = self.shown.sandwich.as_ref()?;
        let is_old = !self.sandwich_flame().ready().is_some_and(|now| Arc::ptr_eq(now, &shown.flame));
        Some((shown, is_old))
    }

    /// Source is read only while it is in front, of a place that occurs and that stands in few files.
    pub(super) fn listing_key(&self) -> Option<Key> {
        if self.view.tab != Tab::Source || !self.view.granularity.has_lines() {
            return None;
        }
        let (key, place) = (self.comparison_key(Direction::TopDown)?, &self.view.selection.as_ref()?.place);
        self.table().ready()?.places().find(place)?;
        Some(Key::Listing(key, place.clone(), self.source_spec().clone()))
    }

    /// The source of the selected place with what its lines cost, over [`table`](Self::table).
    pub fn listing(&self) -> State<'_, Listed> {
        self.state(self.listing_key().as_ref(), |value| if let Value::Listing(it) = value { Some(it) } else { None })
    }

    /// The newest source that was ready, and whether it is older than the view.
    pub fn shown_listing(&self) -> Option<(&ShownListing, bool)> {
        let shown = self.shown.listing.as_ref()?;
        let is_old = !self.listing().ready().is_some_and(|now| Arc::ptr_eq(now, &shown.listed));
        Some((shown, is_old))
    }

    /// What a report of the source in front is made of, beside the comparison: the files of each side, and the lines.
    pub(super) fn listed(&self) -> Option<(Vec<Vec<String>>, Arc<Listed>)> {
        let path = |id: &CaptureId| self.capture(*id).map(|capture| capture.path.display().to_string());
        let files = self.view.sides().iter().map(|ids| ids.iter().filter_map(path).collect()).collect();
        Some((files, Arc::clone(self.listing().ready()?)))
    }

    /// The source in front as a report.
    pub fn list_report(&self) -> Option<ListReport> {
        let (files, listed) = self.listed()?;
        Some(ListReport::new(self.table().ready()?, &files, std::slice::from_ref(&*listed)))
    }

    /// The function in the middle is the selected one, unless a box beside it was selected; another function is shown as a whole.
    pub(super) fn follow_selection(&mut self, old: &ViewState) {
        if self.view.selection != old.selection {
            self.view.sandwich.pinned = None;
        }
        let [place, old_place] = [&self.view, old].map(|view| view.selection.as_ref().map(|selection| &selection.place));
        if place != old_place {
            self.view.trend_measure = None;
        }
        if self.view.sandwich_of() != old.sandwich_of() {
            self.view.sandwich.window = SandwichWindow::default();
        }
    }

    /// The newest flame graph that was ready with the comparison it belongs to, and whether it is older than the view.
    pub fn shown_flame(&self) -> Option<(&Arc<FlameLayout>, &Arc<Comparison>, bool)> {
        let (layout, comparison) = self.shown.flame.as_ref()?;
        let is_old = !self.flame().ready().is_some_and(|now| Arc::ptr_eq(now, layout));
        Some((layout, comparison, is_old))
    }

    /// The newest comparison for tables that was ready, and whether it is older than the view.
    pub fn shown_table(&self) -> Option<(&Arc<Comparison>, bool)> {
        let table = self.shown.table.as_ref()?;
        let is_old = !self.table().ready().is_some_and(|now| Arc::ptr_eq(now, table));
        Some((table, is_old))
    }

    /// The newest comparison in the view's direction that was ready, and whether it is older than the view.
    pub fn shown_comparison(&self) -> Option<(&Arc<Comparison>, bool)> {
        let shown = self.shown.comparison.as_ref()?;
        let is_old = !self.comparison().ready().is_some_and(|now| Arc::ptr_eq(now, shown));
        Some((shown, is_old))
    }

    /// Keeps what is ready now as what is shown until the next is ready.
    pub(super) fn remember_shown(&mut self) {
        let (comparison, table) = (self.comparison().ready().cloned(), self.table().ready().cloned());
        let flame = self.flame().ready().cloned().zip(comparison.clone());
        let flat = table.clone().zip(self.flat().ready().cloned());
        let rows = flat.zip(self.rows().ready().cloned()).map(|((comparison, flat), rows)| ShownRows { comparison, flat, rows });
        let sandwich = self.sandwich().ready().cloned().zip(self.sandwich_flame().ready().cloned());
        let sandwich = sandwich.map(|(sandwich, flame)| ShownSandwich { sandwich, flame });
        let listing = table.clone().zip(self.listing().ready().cloned()).map(|(comparison, listed)| ShownListing { comparison, listed });
        let sides = self.view.sides();
        // Beside the name of another capture old numbers would be taken for its own.
        let old = if self.shown.sides == sides { self.shown.clone() } else { Shown::default() };
        let now = Shown {
            sides,
            comparison: comparison.or(old.comparison),
            table: table.or(old.table),
            flame: flame.or(old.flame),
            rows: rows.or(old.rows),
            timeline: self.timeline().ready().cloned().or(old.timeline),
            sandwich: sandwich.or(old.sandwich),
            listing: listing.or(old.listing),
        };
        if now.sides != self.shown.sides || now.addresses() != self.shown.addresses() {
            // Memory of results that nothing else holds any more is not given back between two frames.
            discard(std::mem::replace(&mut self.shown, now));
        }
    }
}
