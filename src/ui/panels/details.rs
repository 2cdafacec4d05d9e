//! The selection: where it is, what it costs, who calls it and what it calls.

use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Ui};

use super::words;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::{Measure, Table};
use crate::analysis::{CallTree, PlaceId, Places, names};
use crate::app::view::Selection;
use crate::app::{Command, command};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{fonts, size};

/// How many callers and callees are listed.
const LISTED: usize = 6;

/// Height of a row of text.
const LINE: f32 = 17.0;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let Some(comparison) = cx.app.table().ready() else { return };
    let Some(selection) = &cx.app.view().selection else {
        everything_ui(ui, cx, comparison, out);
        return;
    };
    let Some(place) = comparison.places().find(&selection.place) else {
        ui.label(RichText::new(words::whole(&selection.place)).font(fonts::table()));
        ui.label(RichText::new("does not occur in what is shown").color(cx.theme.muted));
        return;
    };
    ScrollArea::vertical().id_salt("details").auto_shrink([false, false]).show(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(words::whole(&selection.place)).font(fonts::table()).strong()).wrap());
        if let Some(matched) = comparison.shape.matching.of(place) {
            // No silent merges: what was put together says its other names.
            let text = RichText::new(matched.words(comparison.places().name(place))).color(cx.theme.muted).font(fonts::small());
            ui.add(egui::Label::new(text).wrap());
        }
        words::origin_ui(ui, cx.theme, comparison.places().get(place));
        ui.horizontal_wrapped(|ui| {
            for name in ["zoom-to-selection", "show-trend", "focus", "ignore", "hide", "copy-name", "accept-match", "keep-apart"] {
                let Some(kind) = command::kind(name) else { continue };
                let todo = kind.available(cx.app);
                // Most functions have one name.
                if !kind.makes_sense(cx.app) && matches!(name, "accept-match" | "keep-apart") {
                    continue;
                }
                if ui.add_enabled(todo.is_some(), egui::Button::new(kind.title)).on_hover_text(kind.tooltip).clicked()
                    && let Some(todo) = todo
                {
                    out.send(todo);
                }
            }
        });
        ui.add_space(size::GAP);
        // Rows of text, not of buttons: on a small screen there are few.
        ui.spacing_mut().interact_size.y = LINE;
        values_ui(ui, cx, comparison, place);
        let around = neighbours(ui, comparison, place);
        list_ui(ui, cx, comparison, "Called by", &around.callers, out);
        list_ui(ui, cx, comparison, "Calls", &around.callees, out);
    });
}

/// What to do where nothing is selected.
pub(crate) fn hint_ui(ui: &mut Ui, cx: &Cx<'_>) {
    ui.label(RichText::new("Nothing is selected").color(cx.theme.muted));
    ui.label(RichText::new("Click a box, a row or a finding; every view follows").color(cx.theme.muted).font(fonts::small()));
}

/// Where nothing is selected: what there is to select from.
fn everything_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, out: &mut Outbox) {
    ScrollArea::vertical().id_salt("details").auto_shrink([false, false]).show(ui, |ui| {
        ui.label(RichText::new("Everything that is shown").strong());
        ui.label(RichText::new("Click a box, a row or a finding; every view follows").color(cx.theme.muted).font(fonts::small()));
        ui.add_space(size::GAP);
        ui.spacing_mut().interact_size.y = LINE;
        if let Some((before, after)) = comparison.pair() {
            let [b, a] = [before, after].map(|side| side.weights.total() as f64 * comparison.factor(side));
            Grid::new("values of everything").num_columns(4).spacing([size::PAD, 2.0]).show(ui, |ui| {
                head_row(ui, cx);
                value_row(ui, cx, comparison, "total", [b, a]);
            });
        } else if let Some(only) = comparison.last() {
            ui.label(words::number(&words::value(comparison, only.weights.total())));
        }
        let around = neighbours(ui, comparison, Places::root());
        list_ui(ui, cx, comparison, "Outermost", &around.callees, out);
    });
}

fn head_row(ui: &mut Ui, cx: &Cx<'_>) {
    for title in ["", "before", "after", "change"] {
        ui.label(RichText::new(title).color(cx.theme.muted));
    }
    ui.end_row();
}

/// Normalised values of both sides.
fn value_row(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, title: &str, [b, a]: [f64; 2]) {
    ui.label(RichText::new(title).color(cx.theme.muted));
    ui.label(words::number(&comparison.text(b)));
    ui.label(words::number(&comparison.text(a)));
    ui.label(words::number(&words::change(b, a)).color(cx.theme.delta_text((a - b) as f32)));
    ui.end_row();
}

/// Self and total of the place, both sides where there are two.
fn values_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, place: PlaceId) {
    let sums = memory::keep(ui, "sums by place", memory::key(&Arc::as_ptr(comparison).addr()), || {
        Kept::new(comparison.by_place(), Arc::clone(comparison))
    });
    let at = place.row();
    Grid::new("selection values").num_columns(4).spacing([size::PAD, 2.0]).show(ui, |ui| match (comparison.pair(), sums.as_slice()) {
        (Some((before, after)), [b, a]) => {
            head_row(ui, cx);
            for (title, b, a) in [("total", b.1[at], a.1[at]), ("self", b.0[at], a.0[at])] {
                value_row(ui, cx, comparison, title, [b as f64 * comparison.factor(before), a as f64 * comparison.factor(after)]);
            }
        }
        (None, [only]) => {
            let of = comparison.last().map_or(0.0, crate::analysis::comparison::Side::denominator);
            for (title, value) in [("total (cum)", only.1[at]), ("self (flat)", only.0[at])] {
                ui.label(RichText::new(title).color(cx.theme.muted));
                ui.label(words::number(&words::value(comparison, value)));
                ui.label(words::number(&words::share(value as f64, of)));
                ui.end_row();
            }
        }
        _ => {}
    });
    if let Some(diff) = cx.app.table_diff().ready() {
        for measure in [Measure::Total, Measure::Self_] {
            evidence_ui(ui, cx, measure.name(), diff.table(measure), at);
        }
    }
}

/// Interval, test and events of one measure, and the verdict in words.
fn evidence_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, table: &Table, at: usize) {
    let (Some(&lo), Some(&hi), Some(&q), Some(verdict)) = (table.lo.get(at), table.hi.get(at), table.q.get(at), table.verdict.get(at))
    else {
        return;
    };
    let events = [table.events[0].get(at).copied().unwrap_or(0.0), table.events[1].get(at).copied().unwrap_or(0.0)];
    if events[0] + events[1] <= 0.0 {
        return;
    }
    let text =
        format!("{name}: {} (95 %: {}; q {q:.2e}; {:.0} → {:.0} events)", verdict.label(), words::ratios(lo, hi), events[0], events[1]);
    ui.add(egui::Label::new(RichText::new(text).color(cx.theme.muted).font(fonts::small())).wrap());
}

struct Neighbours {
    /// Place and value, largest first; normalised where there are two sides, as the values above are.
    callers: Vec<(PlaceId, f64)>,
    callees: Vec<(PlaceId, f64)>,
}

/// Direct callers and callees with the value that goes through them, recursion of the place itself counted once.
fn neighbours(ui: &Ui, comparison: &Arc<Comparison>, place: PlaceId) -> Arc<Neighbours> {
    memory::keep(ui, "neighbours", memory::key(&(Arc::as_ptr(comparison).addr(), place)), || {
        let tree = comparison.tree();
        let is_pair = comparison.pair().is_some();
        let factor = |side| if is_pair { comparison.factor(side) } else { 1.0 };
        let value =
            |node| comparison.sides.iter().map(|side| (side.weights.total_of(node) as f64 * factor(side)).abs()).fold(0.0, f64::max);
        let (mut callers, mut callees) = (vec![0.0; comparison.places().len()], vec![0.0; comparison.places().len()]);
        let mut covered_until = 0;
        for node in tree.nodes().filter(|&node| tree.place(node) == place) {
            for child in tree.children(node) {
                callees[tree.place(child).row()] += value(child);
            }
            if node.row() >= covered_until {
                covered_until = tree.subtree_end(node);
                callers[tree.place(tree.parent(node).unwrap_or(CallTree::ROOT)).row()] += value(node);
            }
        }
        let largest = |sums: Vec<f64>| {
            let mut rows: Vec<(PlaceId, f64)> = comparison.places().ids().zip(sums).filter(|(_, sum)| *sum > 0.0).collect();
            rows.sort_by(|a, b| b.1.total_cmp(&a.1));
            rows.truncate(LISTED);
            rows
        };
        Kept::new(Neighbours { callers: largest(callers), callees: largest(callees) }, Arc::clone(comparison))
    })
}

fn list_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, title: &str, rows: &[(PlaceId, f64)], out: &mut Outbox) {
    if rows.is_empty() {
        return;
    }
    ui.add_space(size::GAP);
    ui.label(RichText::new(title).color(cx.theme.muted));
    for (place, value) in rows {
        let name = comparison.places().name(*place);
        let is_root = *place == Places::root();
        ui.horizontal(|ui| {
            let text = if comparison.pair().is_some() { comparison.text(*value) } else { words::value(comparison, *value as i64) };
            ui.label(words::number(&format!("{text:>9}")));
            let letters = (ui.available_width() / 7.2).max(4.0) as usize;
            let text = if is_root { "(start of the stack)".to_owned() } else { names::short(name, letters) };
            let link = ui.add_enabled(!is_root, egui::Link::new(words::number(&text)));
            if link.on_hover_text(words::whole(name)).clicked() {
                out.send(Command::Select(Some(Selection { place: name.to_owned(), path: Vec::new() })));
            }
        });
    }
}
