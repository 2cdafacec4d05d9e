//! The flame graph: of one capture by package, of two by change.
//!
//! It turns the app's layout, weights and evidence into colours and words for the canvas, and what the canvas says into commands.
//! Deliberately absent: where boxes stand (`analysis::flame`) and how they are drawn (`widgets::flame_canvas`).

pub(super) mod graph;
pub(super) mod style;
mod tooltip;

use std::sync::Arc;

use egui::{RichText, Ui};

use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::flame::{FlameLayout, FlameView};
use crate::analysis::{CallTree, Direction, NodeId};
use crate::app::view::{ColorBy, FlameShape, FlameWindow, Selection, SiblingOrder, Tab};
use crate::app::{App, Command};
use crate::model::counted;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory;
use crate::ui::panels::rows;
use crate::ui::shortcuts;
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::flame_canvas::{FlameKey, FlameResponse};
use crate::ui::widgets::legend;
use crate::ui::{toolbar, words};
use graph::{Graph, Look, Meaning};

/// From this width on the order of boxes stands among the switches.
const WITH_ORDER: f32 = 720.0;
/// Room for what a search found.
const FOUND_WIDTH: f32 = 300.0;

const ORDER_BY_SIZE: &str = "Boxes with one caller stand by size, the largest left: the heaviest path runs down the left edge. In a comparison by the sum of both sides";

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let Some((layout, comparison, is_old)) = cx.app.shown_flame() else { return };
    let (layout, comparison) = (Arc::clone(layout), Arc::clone(comparison));
    bar_ui(ui, cx, &comparison, out, |ui| found_ui(ui, cx, &comparison));
    if layout.total() == 0 {
        empty_ui(ui, cx, &comparison);
        return;
    }
    let selected = memory::selected_node(ui, cx, &comparison);
    let window = cx.app.view().window;
    let view = FlameView { x: window.left..window.right, scroll_rows: window.scroll_rows, icicle: cx.app.settings().icicle };
    let diff = cx.app.diff().ready().filter(|_| !is_old);
    // All values of a bottom-up tree are self values of the outermost boxes: a box has none of its own.
    let meaning = if cx.app.view().direction == Direction::BottomUp { Meaning::SelfValue } else { Meaning::Total };
    let graph = Graph {
        name: "Flame graph",
        meaning,
        layout: &layout,
        comparison: &comparison,
        changes: diff.map(|diff| (&diff.nodes, Arc::clone(diff) as _)),
        is_old,
    };
    let done =
        graph.show(ui, cx, &Look { view, selected, reveal: to_reveal(ui, cx, selected, is_old), is_driven: false, takes_idle_keys: true });
    shortcuts::leave_keys(ui.ctx(), done.response.id);
    if done.response.dragged() {
        shortcuts::hold_escape(ui.ctx());
    }
    act(cx, &done, &layout, &comparison, selected, out);
    done.response.context_menu(|ui| menu_ui(ui, cx, out));
}

/// The box of a finding or match that somebody went to since the picture was last up to date.
fn to_reveal(ui: &Ui, cx: &Cx<'_>, selected: Option<NodeId>, is_old: bool) -> Option<NodeId> {
    let id = egui::Id::unique("steps taken to boxes");
    let now = cx.app.steps_taken();
    let before = ui.data(|data| data.get_temp::<u64>(id)).unwrap_or_default();
    if is_old || now == before {
        return None;
    }
    ui.data_mut(|data| data.insert_temp(id, now));
    selected.filter(|&node| node != CallTree::ROOT)
}

/// What the person did, as commands.
fn act(cx: &Cx<'_>, done: &FlameResponse, layout: &FlameLayout, comparison: &Comparison, selected: Option<NodeId>, out: &mut Outbox) {
    let select = |node: NodeId| {
        let name = comparison.places().name(comparison.tree().place(node)).to_owned();
        let path = App::names_of(comparison, node);
        Command::Select((node != CallTree::ROOT).then_some(Selection { place: name, path }))
    };
    if let Some(node) = done.clicked.or(done.secondary_clicked) {
        out.send(select(node));
    } else if done.clicked_empty && cx.app.view().selection.is_some() {
        out.send(Command::Select(None));
    }
    if let Some(FlameKey::Step(step)) = done.key
        && let Some(node) = layout.step(selected.unwrap_or(CallTree::ROOT), step)
    {
        out.send(select(node));
        // Whoever walks by keys sees where that leads; what is narrow stays narrow, as zooming is a step of its own.
        if let (Some(span), Some(row)) = (layout.node_span(node), layout.node_row(node)) {
            let window = cx.app.view().window;
            let view = FlameView { x: window.left..window.right, scroll_rows: window.scroll_rows, icicle: done.live_view.icicle };
            show(cx, &view.following(&span, row, done.visible_rows), out);
        }
    }
    if let Some(view) = &done.view_changed {
        show(cx, view, out);
    }
}

/// Asks for this part of the picture, where it is not that which is shown.
fn show(cx: &Cx<'_>, view: &FlameView, out: &mut Outbox) {
    let window = FlameWindow { left: view.x.start, right: view.x.end, scroll_rows: view.scroll_rows };
    if window != cx.app.view().window {
        out.send(Command::SetWindow(window));
    }
}

fn menu_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    menu_groups_ui(ui, cx, out);
    rows::elsewhere_ui(ui, cx, out, Tab::Flame);
}

/// What can be done with a box, in whichever picture it is.
pub(super) fn menu_groups_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    for group in [
        &["zoom-to-selection", "reset-zoom"][..],
        &["focus", "show-from", "focus-subtree", "ignore"],
        &["hide", "collapse", "collapse-recursion"],
        &["copy-name", "copy-stack"],
    ] {
        for name in group {
            rows::kind_ui(ui, cx, out, name);
        }
        ui.separator();
    }
}

/// How much of the whole of a lone capture passes the filters, where that is not all: `280 ms shown = 6.31 %`.
pub(crate) fn shown_part(cx: &Cx<'_>, comparison: &Comparison) -> Option<String> {
    let side = comparison.last().filter(|_| comparison.pair().is_none() && !cx.app.view().filter.is_empty())?;
    let (shown, whole) = (side.weights.total(), side.denominator());
    let share = shown.unsigned_abs() as f64 / whole;
    (share < 1.0).then(|| format!("{} shown = {}", comparison.value_text(shown), percent(share)))
}

/// What all self values together are in words: beside percentages of the whole, a part of what is shown has to say so.
pub(crate) fn all_self_words(cx: &Cx<'_>, comparison: &Comparison) -> &'static str {
    if shown_part(cx, comparison).is_some() { "what is shown" } else { "self" }
}

/// The strip above the picture: shape of a comparison, colours, what the search found, and the legend, which has a line of its own where
/// there is no room for it beside them.
pub(super) fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, out: &mut Outbox, found_ui: impl FnOnce(&mut Ui)) {
    let shown = style::color_by(cx, comparison);
    let is_delta = shown == ColorBy::Delta;
    let mut legend_below = false;
    if cx.app.view().is_presented() && !is_delta && cx.app.view().search.is_empty() {
        return;
    }
    let has_room_below = ui.available_width() >= legend::WIDTH + FOUND_WIDTH;
    let mut found_ui = Some(found_ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::TABLE_ROW + size::GAP);
        let has_order = ui.available_width() >= WITH_ORDER;
        ui.add_space(size::PAD);
        let view = cx.app.view();
        // An audience needs the legend and presses no buttons.
        if view.is_presented() {
            if is_delta {
                legend::delta_ui(ui, cx.theme);
            }
            let found_ui = found_ui.take();
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(size::PAD);
                if let Some(found_ui) = found_ui {
                    found_ui(ui);
                }
            });
            return;
        }
        if comparison.pair().is_some() {
            ui.label(RichText::new("Widths").color(cx.theme.muted));
            for shape in FlameShape::ALL {
                let tip = match shape {
                    FlameShape::Before => "As wide as before: what vanished is visible",
                    FlameShape::Both => "As wide as the larger side: everything is visible",
                    FlameShape::After => "As wide as after: what is new is visible",
                };
                if ui.selectable_label(view.flame_shape == shape, shape.label()).on_hover_text(tip).clicked() {
                    out.send(Command::SetFlameShape(shape));
                }
            }
            ui.separator();
        }
        // Keys and menu have it too.
        if has_order {
            ui.label(RichText::new("Order").color(cx.theme.muted));
            for (order, tip) in SiblingOrder::ALL.into_iter().zip(["Boxes with one caller stand by name", ORDER_BY_SIZE]) {
                if ui.selectable_label(view.sibling_order == order, order.label()).on_hover_text(tip).clicked() {
                    out.send(Command::SetSiblingOrder(order));
                }
            }
            ui.separator();
        }
        ui.label(RichText::new("Colours").color(cx.theme.muted));
        for (by, name) in [(ColorBy::Delta, "Change"), (ColorBy::Package, "Package"), (ColorBy::Module, "Module")] {
            if by == ColorBy::Delta && comparison.pair().is_none() {
                continue;
            }
            if ui.selectable_label(shown == by, name).clicked() {
                out.send(Command::SetColorBy(Some(by)));
            }
        }
        // Room for the answer to a search is kept free, so that searching moves nothing: beside the switches, or beside the legend below them.
        legend_below = is_delta && ui.available_width() < legend::WIDTH + FOUND_WIDTH;
        if !(legend_below && has_room_below) {
            let found_ui = found_ui.take();
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(size::PAD);
                if let Some(found_ui) = found_ui {
                    found_ui(ui);
                }
                if is_delta && !legend_below {
                    legend::delta_ui(ui, cx.theme);
                }
            });
        }
    });
    if legend_below {
        ui.horizontal_wrapped(|ui| {
            ui.add_space(size::PAD);
            legend::delta_ui(ui, cx.theme);
            if let Some(found_ui) = found_ui {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.add_space(size::PAD);
                    found_ui(ui);
                });
            }
        });
        ui.add_space(size::GAP);
    }
}

/// What the search found: boxes and their value, each sample counted once.
fn found_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison) {
    let Some(found) = cx.app.matches().ready() else { return };
    if toolbar::problem_ui(ui, cx, found) {
        return;
    }
    let text = if found.nodes == 0 {
        "no match".to_owned()
    } else {
        format!("{}, {} of what is shown", counted(found.nodes as u64, "box", "boxes"), words::shares(&found.shares(&comparison.sides)))
    };
    let tip = "Matches below another match add nothing: each sample counts once";
    let label = egui::Label::new(RichText::new(&text).color(found_color(cx, comparison))).truncate();
    ui.add(label).on_hover_text(format!("{text}\n{tip}"));
}

/// The colour of what is found, which is none of the colours of boxes.
pub(super) fn found_color(cx: &Cx<'_>, comparison: &Comparison) -> egui::Color32 {
    if style::color_by(cx, comparison) == ColorBy::Delta { cx.theme.found_among_changes() } else { cx.theme.accent }
}

/// Nothing to draw: why, in words.
pub(super) fn empty_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison) {
    ui.centered_and_justified(|ui| ui.label(RichText::new(empty_words(cx, comparison)).color(cx.theme.muted).font(fonts::body())));
}

/// Why there is nothing to show, whatever the view.
pub(super) fn empty_words(cx: &Cx<'_>, comparison: &Comparison) -> String {
    let has_samples = cx.app.profiles().iter().any(|profile| !profile.samples.is_empty());
    if !has_samples {
        "There are no samples in what is shown: nothing ran while it was recorded, or the recording was cut off.".to_owned()
    } else if cx.app.view().filter.is_empty() {
        let which = if comparison.pair().is_some() { "both captures" } else { "this capture" };
        let other = if cx.app.sample_types().len() > 1 { " Choose another sample type above." } else { "" };
        format!("All values of {} are zero in {which}.{other}", comparison.sample_type)
    } else {
        "No sample passes the filters. Remove one above, or clear all with Shift+Escape.".to_owned()
    }
}
