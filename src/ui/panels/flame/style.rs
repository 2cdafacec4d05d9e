//! The colour of every box.

use std::sync::Arc;

use egui::Ui;

use super::graph::Graph;
use crate::analysis::CallTree;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::NodeDiff;
use crate::analysis::flame::{FlameColumn, FlameLayout};
use crate::report::color::{BoxLook, ColorBy};
use crate::ui::cx::Cx;
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{Theme, color};
use crate::ui::widgets::flame_canvas::BoxStyle;

pub(super) struct Styles {
    pub(super) column: FlameColumn<BoxStyle>,
    pub(super) version: u64,
}

/// What gives the boxes their colours: the choice, or what fits.
pub(in crate::ui::panels) fn color_by(cx: &Cx<'_>, comparison: &Comparison) -> ColorBy {
    ColorBy::fitting(cx.app.view().color_by, comparison)
}

/// The styles of all boxes, kept while layout, evidence, theme and rule stay.
pub(super) fn styles(ui: &Ui, cx: &Cx<'_>, graph: &Graph<'_>) -> Arc<Styles> {
    let (layout, comparison) = (graph.layout, graph.comparison);
    let by = color_by(cx, comparison);
    let changes = graph.changes.as_ref().filter(|_| by == ColorBy::Delta);
    let diff_at = changes.map_or(0, |(nodes, _)| std::ptr::from_ref::<NodeDiff>(nodes).addr());
    let dark = cx.theme.mode == crate::ui::theme::Mode::Dark;
    let key = memory::key(&(Arc::as_ptr(layout).addr(), Arc::as_ptr(comparison).addr(), diff_at, by, dark));
    memory::keep(ui, &format!("styles of {}", graph.name), key, || {
        let column = match (by, changes) {
            (ColorBy::Delta, Some((nodes, _))) => by_change(cx.theme, layout, nodes),
            // The evidence is still being worked out: no colour is better than a wrong one.
            (ColorBy::Delta, None) => {
                let style = box_style(BoxLook::unknown_change(&cx.theme.palette()));
                layout.column(|_| style)
            }
            _ => by_place(cx.theme, layout, comparison, by),
        };
        Kept::new(
            Styles { column, version: key },
            (Arc::clone(layout), Arc::clone(comparison), changes.map(|(_, whole)| Arc::clone(whole))),
        )
    })
}

fn box_style(look: BoxLook) -> BoxStyle {
    BoxStyle { fill: color(look.fill), marks: look.marks }
}

fn by_change(theme: &Theme, layout: &FlameLayout, nodes: &NodeDiff) -> FlameColumn<BoxStyle> {
    let palette = theme.palette();
    layout.column(|node| box_style(BoxLook::of_change(&palette, nodes, node)))
}

fn by_place(theme: &Theme, layout: &FlameLayout, comparison: &Comparison, by: ColorBy) -> FlameColumn<BoxStyle> {
    let fills = theme.palette().place_fills(comparison, by);
    let styles: Vec<BoxStyle> = fills.into_iter().map(|fill| box_style(BoxLook::plain(fill))).collect();
    let tree: &CallTree = comparison.tree();
    layout.column(|node| styles[tree.place(node).row()])
}
