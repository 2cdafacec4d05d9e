//! The call tree: one row a node, callees under their callers (or callers under their callees), heaviest first.
//!
//! What is unfolded is part of the view, by names; which rows that makes is kept in egui's memory until comparison or folds are others.
//! Deliberately absent: the order of the tree itself, which is by name. Start at [`ui`].

use std::sync::Arc;

use egui::{Color32, Id, RichText, Ui};
use rustc_hash::FxHashSet;

use super::{rows, words};
use crate::analysis::comparison::{Comparison, Side, percent};
use crate::analysis::diff::Diff;
use crate::analysis::flat::Change;
use crate::analysis::search::Matches;
use crate::analysis::{CallTree, Direction, NodeId, Place, names, unfold};
use crate::app::view::{Selection, Tab};
use crate::app::{App, Command};
use crate::model::{Scale, counted};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::fonts;
use crate::ui::widgets::table::{Cell, Fold, Head, Rows, Sorting, Spec, TableResponse, Twig, Width, table};

/// Draws the panel.
pub fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    rows::bar_ui(ui, cx, |ui| bar_ui(ui, cx, out));
    let Some((comparison, is_old)) = cx.app.shown_comparison() else {
        rows::working_ui(ui, cx, "Building the call tree…");
        return;
    };
    let known = known(ui, cx, comparison);
    let selection = cx.app.view().selection.as_ref();
    let token = selection.map_or(0, memory::key);
    if !is_old {
        reveal(ui, out, &known, token);
    }
    let nodes = comparison.tree().len() - 1;
    rows::footer_ui(
        ui,
        cx,
        &[
            format!("{} on view of {}", counted(known.folds.rows.len() as u64, "row", "rows"), counted(nodes as u64, "node", "nodes")),
            comparison.denominator_text(),
        ],
    );
    let mut tree = TreeRows::new(cx, comparison, &known, out);
    let heads: Vec<Head> = tree.columns.iter().map(|column| tree.head(*column)).collect();
    let empty = super::flame::empty_words(cx, comparison);
    let spec = Spec {
        id: Id::unique("call tree"),
        name: "Call tree",
        heads: &heads,
        selected: known.selected_row,
        reveal: token,
        takes_idle_keys: true,
        rule: None,
        empty: &empty,
    };
    if is_old {
        ui.multiply_opacity(OLD_OPACITY);
    }
    let response = table(ui, cx.theme, &spec, &mut tree);
    tree.act(&response);
}

/// From this certainty on a change of a node is shown in colour: the error level of findings.
const CERTAIN: f32 = 0.95;
/// Results that are older than the view while the next ones are made.
const OLD_OPACITY: f32 = 0.6;

fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    for (direction, words, tooltip) in [
        (Direction::TopDown, "Top-down", "Callers above callees: how the cost comes about"),
        (Direction::BottomUp, "Bottom-up", "Callees above callers: where the cost falls"),
    ] {
        if ui.selectable_label(cx.app.view().direction == direction, words).on_hover_text(tooltip).clicked() {
            out.send(Command::SetDirection(direction));
        }
    }
    ui.separator();
    for name in ["unfold-heaviest", "unfold-all", "fold-all"] {
        rows::kind_ui(ui, cx, out, name);
    }
}

/// The rows on view.
struct Known {
    folds: Arc<Folds>,
    largest: Arc<Largest>,
    selected: Option<NodeId>,
    selected_row: Option<usize>,
}

struct Folds {
    unfolded: FxHashSet<NodeId>,
    rows: Vec<NodeId>,
}

/// The largest total and self value on any side, as stored, and the largest normalised total.
#[derive(Clone, Copy, Default)]
struct Largest {
    total: i64,
    self_: i64,
    normalized: f64,
}

/// The rows, made anew only where something they depend on has changed.
fn known(ui: &Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>) -> Known {
    let view = cx.app.view();
    let tree = Arc::as_ptr(comparison).addr();
    let key = memory::key(&(tree, &view.unfolded));
    let folds = memory::keep(ui, "rows of the call tree", key, || {
        let unfolded = unfold::nodes_of(comparison, &view.unfolded);
        let rows = unfold::visible(comparison, &unfolded);
        Kept::new(Folds { unfolded, rows }, Arc::clone(comparison))
    });
    let largest =
        memory::keep(ui, "largest values of the call tree", memory::key(&tree), || Kept::new(largest(comparison), Arc::clone(comparison)));
    let selected = memory::selected_node(ui, cx, comparison);
    let selected_row = *memory::keep(ui, "selected row of the call tree", memory::key(&(key, selected)), || {
        Kept::new(selected.and_then(|node| folds.rows.iter().position(|&row| row == node)), Arc::clone(&folds))
    });
    Known { folds, largest, selected, selected_row }
}

fn largest(comparison: &Comparison) -> Largest {
    let of = |values: &[i64]| values.iter().map(|value| value.saturating_abs()).max().unwrap_or(0);
    let mut largest = Largest::default();
    for side in &comparison.sides {
        let total = of(side.weights.totals());
        largest.total = largest.total.max(total);
        largest.self_ = largest.self_.max(of(side.weights.selfs()));
        largest.normalized = largest.normalized.max(total as f64 * comparison.factor(side));
    }
    largest
}

/// Asks for the callers of a selection that came from elsewhere to be unfolded, once.
fn reveal(ui: &Ui, out: &mut Outbox, known: &Known, token: u64) {
    let id = Id::unique("selection last seen by the call tree");
    let seen: Option<u64> = ui.data(|data| data.get_temp(id));
    if seen != Some(token) {
        ui.data_mut(|data| data.insert_temp(id, token));
        if known.selected.is_some_and(|node| node != CallTree::ROOT) && known.selected_row.is_none() {
            out.send(Command::Reveal);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Total,
    Share,
    SelfValue,
    Side(usize),
    Delta,
    Ratio,
    Name,
    Package,
}

impl Column {
    const SINGLE: [Self; 5] = [Self::Total, Self::Share, Self::SelfValue, Self::Name, Self::Package];
    /// In a bottom-up tree a row's value is the self value of the row it hangs under.
    const BOTTOM_UP: [Self; 4] = [Self::Total, Self::Share, Self::Name, Self::Package];
    const COMPARISON: [Self; 6] = [Self::Side(0), Self::Side(1), Self::Delta, Self::Ratio, Self::Name, Self::Package];
}

struct TreeRows<'a> {
    cx: &'a Cx<'a>,
    comparison: &'a Arc<Comparison>,
    known: &'a Known,
    matches: Option<&'a Matches>,
    diff: Option<&'a Diff>,
    columns: &'static [Column],
    scale: Scale,
    out: &'a mut Outbox,
}

impl<'a> TreeRows<'a> {
    fn new(cx: &'a Cx<'a>, comparison: &'a Arc<Comparison>, known: &'a Known, out: &'a mut Outbox) -> Self {
        let is_pair = comparison.pair().is_some();
        let columns: &[Column] = match (is_pair, cx.app.view().direction) {
            (true, _) => &Column::COMPARISON,
            (false, Direction::TopDown) => &Column::SINGLE,
            (false, Direction::BottomUp) => &Column::BOTTOM_UP,
        };
        let scale = if is_pair {
            comparison.scale(known.largest.normalized)
        } else {
            comparison.value_scale([known.largest.self_, known.largest.total])
        };
        let matches = cx.app.matches().ready().map(AsRef::as_ref);
        // An older tree has other nodes than the newest evidence.
        let diff = cx.app.diff().ready().map(AsRef::as_ref).filter(|diff| diff.nodes.certainty.len() == comparison.tree().len());
        Self { cx, comparison, known, matches, diff, columns, scale, out }
    }

    fn node(&self, row: usize) -> Option<NodeId> {
        self.known.folds.rows.get(row).copied()
    }

    fn place(&self, node: NodeId) -> &Place {
        self.comparison.places().get(self.comparison.tree().place(node))
    }

    fn selection(&self, node: NodeId) -> Selection {
        Selection { place: self.place(node).name.clone(), path: App::names_of(self.comparison, node) }
    }

    fn total(&self, node: NodeId) -> i64 {
        self.comparison.last().map_or(0, |side| side.weights.total_of(node))
    }

    fn share(&self, node: NodeId) -> f64 {
        self.comparison.last().map_or(0.0, |side| rows::share(side, self.total(node)))
    }

    fn change(&self, node: NodeId) -> Change {
        let value = |side: &Side| self.comparison.total_of(side, node);
        self.comparison.pair().map_or_else(Change::default, |(before, after)| Change { before: value(before), after: value(after) })
    }

    /// Grey where chance explains the change, or nobody can tell; the numbers stay.
    fn delta_color(&self, node: NodeId, change: Change) -> Color32 {
        let certainty = self.diff.and_then(|diff| diff.nodes.certainty.get(node.row())).copied();
        words::change_color(self.cx.theme, change.delta(), certainty.is_none_or(|certainty| certainty >= CERTAIN))
    }

    fn fold(&self, node: NodeId) -> Fold {
        if !unfold::has_children(self.comparison, node) {
            Fold::Leaf
        } else if self.known.folds.unfolded.contains(&node) {
            Fold::Unfolded
        } else {
            Fold::Folded
        }
    }

    fn is_bottom_up(&self) -> bool {
        self.cx.app.view().direction == Direction::BottomUp
    }

    fn head(&self, column: Column) -> Head {
        let bottom_up = self.is_bottom_up();
        let theme = self.cx.theme;
        let total = if bottom_up { "Self" } else { "Total" };
        let meaning = if bottom_up {
            "Self value (flat) of the top row, as far as it came about by this chain of callers"
        } else {
            "Value with callees (cum) on this path"
        };
        let unit = self.scale.unit();
        let (title, unit, width, tooltip): (&'static str, &str, f32, &'static str) = match column {
            Column::Total => (total, unit, 76.0, meaning),
            Column::Share => (total, "%", 72.0, "As a part of the whole capture"),
            Column::SelfValue => ("Self", self.scale.unit(), 76.0, "Value without callees (flat) on this path"),
            Column::Side(0) => ("Before", unit, 84.0, meaning),
            Column::Side(_) => ("After", unit, 84.0, meaning),
            Column::Delta => ("Delta", unit, 80.0, "After minus before"),
            Column::Ratio => ("Ratio", "", 64.0, "After divided by before"),
            Column::Name => ("Name", "", 240.0, ""),
            Column::Package => ("Package", "", 150.0, "Package, namespace or crate; the module where there is none"),
        };
        let color = match column {
            Column::Side(0) => Some(theme.before),
            Column::Side(_) => Some(theme.after),
            _ => None,
        };
        Head {
            title: title.into(),
            unit: unit.to_owned(),
            tooltip: tooltip.into(),
            width: if column == Column::Name { Width::Rest(width) } else { Width::Points(width) },
            right: !matches!(column, Column::Name | Column::Package),
            color,
            sorting: Sorting::No,
            leaves: u8::from(column == Column::Package),
        }
    }

    /// Turns what a person did into commands.
    fn act(&mut self, response: &TableResponse) {
        if let Some(node) = response.activate.and_then(|row| self.node(row)) {
            rows::zoom_to(self.out, self.selection(node));
        } else if let Some(node) = response.select.and_then(|row| self.node(row)) {
            self.select(node);
        }
        if let Some(node) = response.fold_clicked.and_then(|row| self.node(row)) {
            self.set_unfolded(node, self.fold(node) == Fold::Folded);
        }
        if let (Some(wanted), Some(row)) = (response.fold_key, self.known.selected_row) {
            self.fold_by_key(wanted, row);
        }
        if response.unfold_all {
            self.out.send(Command::UnfoldAll);
        }
    }

    fn select(&mut self, node: NodeId) {
        let selection = self.selection(node);
        self.out.send(Command::Select(Some(selection)));
    }

    fn set_unfolded(&mut self, node: NodeId, unfolded: bool) {
        let tree = self.comparison.tree();
        // What is selected may not vanish: the selection moves up to the row that was folded.
        if !unfolded && self.known.selected.is_some_and(|selected| selected != node && tree.contains(node, selected)) {
            self.select(node);
        }
        self.out.send(Command::SetUnfolded(App::names_of(self.comparison, node), unfolded));
    }

    fn fold_by_key(&mut self, wanted: Fold, row: usize) {
        let Some(node) = self.node(row) else { return };
        match (wanted, self.fold(node)) {
            (Fold::Unfolded, Fold::Folded) => self.set_unfolded(node, true),
            // Its first child is the next row.
            (Fold::Unfolded, Fold::Unfolded) => {
                if let Some(child) = self.node(row + 1) {
                    self.select(child);
                }
            }
            (Fold::Folded, Fold::Unfolded) => self.set_unfolded(node, false),
            (Fold::Folded, _) => {
                if let Some(parent) = self.comparison.tree().parent(node).filter(|&parent| parent != CallTree::ROOT) {
                    self.select(parent);
                }
            }
            _ => {}
        }
    }
}

impl Rows for TreeRows<'_> {
    fn len(&self) -> usize {
        self.known.folds.rows.len()
    }

    fn cell(&self, row: usize, column: usize, max_chars: usize) -> Cell<'_> {
        let (Some(node), Some(column)) = (self.node(row), self.columns.get(column)) else { return Cell::default() };
        let theme = self.cx.theme;
        let plain = |text: String| Cell { text: text.into(), ..Cell::default() };
        match *column {
            Column::Total => plain(self.scale.text(self.comparison.in_unit(self.total(node) as f64))),
            Column::Share => {
                let share = self.share(node);
                Cell { bar: Some((share.abs() as f32, theme.bar(theme.muted))), ..plain(Scale::percent().text(share)) }
            }
            Column::SelfValue => {
                let value = self.comparison.last().map_or(0, |side| side.weights.self_of(node));
                // Most inner nodes have none: a column of zeros would hide those that do.
                let text = if value == 0 { String::new() } else { self.scale.text(self.comparison.in_unit(value as f64)) };
                plain(text)
            }
            Column::Side(side) => {
                let change = self.change(node);
                let (value, color) = if side == 0 { (change.before, theme.before) } else { (change.after, theme.after) };
                let largest = self.known.largest.normalized;
                let part = if largest > 0.0 { (value.abs() / largest) as f32 } else { 0.0 };
                Cell { bar: Some((part, theme.bar(color))), color: (value == 0.0).then_some(theme.muted), ..plain(self.scale.text(value)) }
            }
            Column::Delta => {
                let change = self.change(node);
                Cell { color: Some(self.delta_color(node, change)), ..plain(self.scale.delta(change.delta())) }
            }
            Column::Ratio => {
                let change = self.change(node);
                Cell { color: Some(self.delta_color(node, change)), ..plain(change.ratio_text()) }
            }
            Column::Name => {
                let found = self.matches.map(|matches| matches.places.contains(&self.comparison.tree().place(node)));
                let color = if found == Some(false) { Some(theme.muted) } else { None };
                Cell { text: names::short(&self.place(node).name, max_chars).into(), color, found: found == Some(true), bar: None }
            }
            Column::Package => Cell {
                text: rows::cut_start(rows::package_text(self.place(node)), max_chars).into(),
                color: Some(theme.muted),
                ..Cell::default()
            },
        }
    }

    fn twig(&self, row: usize) -> Option<Twig> {
        let node = self.node(row)?;
        Some(Twig { depth: self.comparison.tree().depth(node).saturating_sub(1), fold: self.fold(node) })
    }

    fn label(&self, row: usize) -> String {
        let Some(node) = self.node(row) else { return String::new() };
        let fold = match self.fold(node) {
            Fold::Leaf => "",
            Fold::Folded => ", folded",
            Fold::Unfolded => ", unfolded",
        };
        let head = format!("{}, level {}{fold}", self.place(node).name, self.comparison.tree().depth(node));
        if self.comparison.pair().is_some() {
            let change = self.change(node);
            let (before, after) = (self.comparison.text(change.before), self.comparison.text(change.after));
            return format!("{head}, before {before}, after {after} {}", change.ratio_text()).trim_end().to_owned();
        }
        let what = if self.is_bottom_up() { "self" } else { "total" };
        format!("{head}, {what} {} {}", self.comparison.value_text(self.total(node)), percent(self.share(node)))
    }

    fn tooltip(&self, ui: &mut Ui, row: usize) {
        let Some(node) = self.node(row) else { return };
        rows::place_ui(ui, self.cx, self.comparison, self.comparison.tree().place(node));
        let of = |value: &dyn Fn(&Side) -> i64| self.comparison.sides.iter().map(value).collect();
        let (total, self_) = (of(&|side| side.weights.total_of(node)), of(&|side| side.weights.self_of(node)));
        if self.is_bottom_up() {
            // All values of this tree are self values of the top rows: a row has none of its own.
            rows::values_ui(ui, self.cx, self.comparison, &[("self", total)]);
        } else {
            rows::values_ui(ui, self.cx, self.comparison, &[("total", total), ("self", self_)]);
        }
        ui.label(RichText::new("on this path").font(fonts::small()).color(self.cx.theme.muted));
    }

    fn menu(&mut self, ui: &mut Ui, row: usize) {
        let cells: Vec<String> = (0..self.columns.len()).map(|column| self.cell(row, column, usize::MAX).text.into_owned()).collect();
        rows::kind_ui(ui, self.cx, self.out, "unfold-all");
        rows::kind_ui(ui, self.cx, self.out, "unfold-heaviest");
        ui.separator();
        rows::menu_ui(ui, self.cx, self.out, Tab::CallTree, || cells.join("\t"));
    }
}
