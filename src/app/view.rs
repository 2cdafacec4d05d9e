//! What the user looks at: one small value that is saved, undone and written to scripts.
//!
//! Everything is by name and never by row number, so a view survives another capture, another granularity and a restart.
//! Deliberately absent: results (they are derived from this) and gestures in progress (they live in their widget).

pub use crate::analysis::flame::{FlameShape, SiblingOrder};
pub use crate::report::color::ColorBy;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::findings::{FindingList, Thresholds};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::Normalization;
use crate::analysis::diff::{Exposure, Measure};
use crate::analysis::filter::Filter;
use crate::analysis::matching::Naming;
use crate::analysis::part::Part;
use crate::analysis::place::Granularity;
use crate::report::remarks::Remarks;

/// Names one open capture; never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaptureId(pub u32);

/// A side of a comparison; a capture shown alone stands on the side after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What is compared with.
    Before,
    /// What is looked at.
    After,
}

impl Side {
    /// Both, in the order in which they stand on screen.
    pub const BOTH: [Self; 2] = [Self::Before, Self::After];

    /// The opposite side.
    pub const fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
        }
    }

    /// `before`, `after`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// The big views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tab {
    /// Flame graph; differential in a comparison.
    #[default]
    Flame,
    /// The selected function between its callers and its callees.
    Sandwich,
    /// Call tree with fold marks.
    CallTree,
    /// Flat table of places.
    Top,
    /// The source of the selected function with what its lines cost.
    Source,
    /// Facts and notes about the captures.
    Info,
    /// All findings, one line each (comparisons).
    Findings,
    /// Which names of two sides are one function (comparisons).
    Names,
    /// The selected function in each capture and over time.
    Trend,
}

impl Tab {
    /// All, in the order of the tab bar.
    pub const ALL: [Self; 9] =
        [Self::Flame, Self::Sandwich, Self::CallTree, Self::Top, Self::Source, Self::Info, Self::Findings, Self::Names, Self::Trend];

    /// True for views of comparisons.
    pub const fn needs_two(self) -> bool {
        matches!(self, Self::Findings | Self::Names)
    }

    /// Words on the tab.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flame => "Flame graph",
            Self::Sandwich => "Sandwich",
            Self::CallTree => "Call tree",
            Self::Top => "Top",
            Self::Source => "Source",
            Self::Info => "Capture info",
            Self::Findings => "Findings",
            Self::Names => "Names",
            Self::Trend => "Trend",
        }
    }
}

/// The part of a flame graph that is on screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlameWindow {
    /// Left edge, as a part of the whole width, 0 to 1.
    pub left: f64,
    /// Right edge, 0 to 1.
    pub right: f64,
    /// Rows scrolled away from the root.
    pub scroll_rows: f32,
}

impl FlameWindow {
    /// True where the other window differs only in where it is.
    pub(super) fn is_as_wide_as(&self, other: Self) -> bool {
        ((self.right - self.left) - (other.right - other.left)).abs() <= 1e-9 * (other.right - other.left)
    }
}

impl Default for FlameWindow {
    fn default() -> Self {
        Self { left: 0.0, right: 1.0, scroll_rows: 0.0 }
    }
}

/// One of both pictures of a sandwich.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// What calls the function.
    Callers,
    /// What the function calls; the function itself, too.
    Callees,
}

/// The part of a sandwich that is on screen: both pictures have one scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SandwichWindow {
    /// Left edge, as a part of the function's width, 0 to 1.
    pub left: f64,
    /// Right edge, 0 to 1.
    pub right: f64,
    /// Rows scrolled away from the function: those of the callers, those of the callees.
    pub scroll_rows: [f32; 2],
}

impl SandwichWindow {
    /// What of one picture is on screen.
    pub const fn of(&self, half: Half) -> FlameWindow {
        let [callers, callees] = self.scroll_rows;
        let scroll_rows = if matches!(half, Half::Callers) { callers } else { callees };
        FlameWindow { left: self.left, right: self.right, scroll_rows }
    }

    /// The same with another part of one picture; the other one keeps its rows.
    pub const fn with(self, half: Half, window: FlameWindow) -> Self {
        let FlameWindow { left, right, scroll_rows } = window;
        let [callers, callees] = self.scroll_rows;
        let scroll_rows = if matches!(half, Half::Callers) { [scroll_rows, callees] } else { [callers, scroll_rows] };
        Self { left, right, scroll_rows }
    }
}

impl Default for SandwichWindow {
    fn default() -> Self {
        Self { left: 0.0, right: 1.0, scroll_rows: [0.0; 2] }
    }
}

/// A selected box of a sandwich.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pinned {
    /// The function of the sandwich, which stays in the middle while something else is selected.
    pub of: String,
    /// In which picture the box is.
    pub half: Half,
    /// Names from the function on to the box, the function left out: its callers, or its callees.
    pub path: Vec<String>,
}

/// What the sandwich shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SandwichView {
    /// The selected box; `None` where the selection is the function of the sandwich.
    pub pinned: Option<Pinned>,
    /// What of both pictures is on screen.
    pub window: SandwichWindow,
}

/// Columns by which the tables can be sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SortBy {
    /// Value without callees.
    #[default]
    #[serde(rename = "self")]
    SelfValue,
    /// Value with callees.
    Total,
    /// Name.
    Name,
    /// Value of before (comparisons).
    Before,
    /// Value of after (comparisons).
    After,
    /// After minus before (comparisons).
    Delta,
    /// After divided by before (comparisons).
    Ratio,
}

/// A column and the way it is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// The column.
    pub by: SortBy,
    /// Largest (or first name) at the bottom.
    pub ascending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self { by: SortBy::SelfValue, ascending: false }
    }
}

/// What is selected in every view at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selection {
    /// Name of the place.
    pub place: String,
    /// Names from the outermost frame to the place, where one node is meant; empty = the place wherever it stands.
    pub path: Vec<String>,
}

/// Everything that undo brings back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewState {
    /// The (first) capture compared with; `None` = a single capture is shown.
    pub before: Option<CaptureId>,
    /// The (first) capture shown; in a comparison of the later side.
    pub after: Option<CaptureId>,
    /// Further captures of each side, before first: repeats, whose sum the views show.
    pub repeats: [Vec<CaptureId>; 2],
    /// What part of its captures each side of a comparison is, before first; both sides may be parts of one capture.
    pub parts: [Part; 2],
    /// Sample type as (name, unit); `None` = the capture's default.
    pub sample_type: Option<(String, String)>,
    /// Granularity of places.
    pub granularity: Granularity,
    /// Direction of flame graph and call tree.
    pub direction: Direction,
    /// Normalisation of comparisons; `None` = what fits the sample type.
    pub normalization: Option<Normalization>,
    /// Against which ratio of work every place is held.
    pub exposure: Exposure,
    /// Which names of two sides are one function, as far as the user decided.
    pub naming: Naming,
    /// Samples and frames shown.
    pub filter: Filter,
    /// The big view in front.
    pub tab: Tab,
    /// Widths of the differential flame graph.
    pub flame_shape: FlameShape,
    /// Which of two boxes with one caller stands left.
    pub sibling_order: SiblingOrder,
    /// Colours of the flame graph; `None` = delta in comparisons, else package.
    pub color_by: Option<ColorBy>,
    /// What of the flame graph is on screen.
    pub window: FlameWindow,
    /// What the sandwich shows.
    pub sandwich: SandwichView,
    /// The selection.
    pub selection: Option<Selection>,
    /// Text searched for in all views.
    pub search: String,
    /// Sorting of the top table.
    pub sort: Sort,
    /// The value that comparing tables show.
    pub measure: Measure,
    /// The value of the selected function that the trend shows, where that was chosen there; see [`App::trend_measure`](super::App::trend_measure).
    pub trend_measure: Option<Measure>,
    /// Text that the names in the top table must match.
    pub top_filter: String,
    /// From where on a change is named.
    pub thresholds: Thresholds,
    /// What of the findings is shown, and how.
    pub findings: FindingList,
    /// Unfolded nodes of the call tree, by path.
    pub unfolded: BTreeSet<Vec<String>>,
    /// One finding after the other, large and without bars, for an audience; see [`is_presented`](Self::is_presented).
    pub presenting: bool,
    /// What was written in this session, by the captures that were shown together; see [`App::remarks`](super::App::remarks).
    pub remarks: Vec<(Vec<CaptureId>, Remarks)>,
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            repeats: [Vec::new(), Vec::new()],
            parts: [Part::WHOLE; 2],
            sample_type: None,
            granularity: Granularity::Function,
            direction: Direction::TopDown,
            normalization: None,
            exposure: Exposure::default(),
            naming: Naming::default(),
            filter: Filter::default(),
            tab: Tab::Flame,
            flame_shape: FlameShape::Both,
            sibling_order: SiblingOrder::Name,
            color_by: None,
            window: FlameWindow::default(),
            sandwich: SandwichView::default(),
            selection: None,
            search: String::new(),
            sort: Sort::default(),
            measure: Measure::Self_,
            trend_measure: None,
            top_filter: String::new(),
            thresholds: Thresholds::default(),
            findings: FindingList::default(),
            unfolded: BTreeSet::new(),
            presenting: false,
            remarks: Vec::new(),
        }
    }
}

impl ViewState {
    /// True where two sides, or two parts of one, are compared.
    pub const fn is_comparison(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }

    /// The view in front: findings and matched names are there only in comparisons.
    pub fn tab(&self) -> Tab {
        if self.tab.needs_two() && !self.is_comparison() { Tab::Flame } else { self.tab }
    }

    /// True while there is something to present, and it is presented.
    pub const fn is_presented(&self) -> bool {
        self.presenting && self.after.is_some()
    }

    /// The function in the middle of the sandwich.
    pub fn sandwich_of(&self) -> Option<&str> {
        let pinned = self.sandwich.pinned.as_ref().map(|pinned| &pinned.of);
        pinned.or(self.selection.as_ref().map(|selection| &selection.place)).map(String::as_str)
    }

    /// The captures of a side; before is empty where no comparison is shown.
    pub fn side(&self, side: Side) -> Vec<CaptureId> {
        let [before, after] = &self.repeats;
        let (first, repeats) = match side {
            Side::Before => (self.before, before),
            Side::After => (self.after, after),
        };
        first.into_iter().chain(repeats.iter().copied().filter(|_| first.is_some())).collect()
    }

    /// The captures of each side that is shown, before first.
    pub fn sides(&self) -> Vec<Vec<CaptureId>> {
        Side::BOTH.map(|side| self.side(side)).into_iter().filter(|ids| !ids.is_empty()).collect()
    }

    /// The captures shown, those of before first. A capture whose parts are compared stands there twice.
    pub fn captures(&self) -> Vec<CaptureId> {
        self.sides().concat()
    }

    /// Says which captures are shown, each once a side. With nothing after, before is what is shown alone.
    pub(super) fn set_sides(&mut self, before: Vec<CaptureId>, after: Vec<CaptureId>) {
        let sides = if after.is_empty() { [Vec::new(), before] } else { [before, after] };
        let [before, after] = sides.map(|ids| {
            let mut once: Vec<CaptureId> = Vec::new();
            for id in ids {
                if !once.contains(&id) {
                    once.push(id);
                }
            }
            let repeats = once.split_off(once.len().min(1));
            (once.pop(), repeats)
        });
        self.before = before.0;
        self.after = after.0;
        self.repeats = [before.1, after.1];
    }
}
