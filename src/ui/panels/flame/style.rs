//! The colour of every box.

use std::sync::Arc;

use egui::Ui;

use super::graph::Graph;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::{self, NodeDiff};
use crate::analysis::flame::{FlameColumn, FlameLayout};
use crate::analysis::{CallTree, names};
use crate::app::view::ColorBy;
use crate::model::base_name;
use crate::ui::cx::Cx;
use crate::ui::memory::{self, Kept};
use crate::ui::theme::Theme;
use crate::ui::widgets::flame_canvas::{BoxStyle, mark};

/// Certainty below which a change is hatched: one in twenty by chance.
const CERTAIN: f32 = 0.5;

pub(super) struct Styles {
    pub(super) column: FlameColumn<BoxStyle>,
    pub(super) version: u64,
}

/// What gives the boxes their colours: the choice, or what fits.
pub(in crate::ui::panels) fn color_by(cx: &Cx<'_>, comparison: &Comparison) -> ColorBy {
    match (cx.app.view().color_by, comparison.pair()) {
        (Some(ColorBy::Delta) | None, None) => ColorBy::Package,
        (Some(by), _) => by,
        (None, Some(_)) => ColorBy::Delta,
    }
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
                let marks = if cx.theme.needs_edge(cx.theme.unchanged) { mark::EDGE } else { 0 };
                layout.column(|_| BoxStyle { fill: cx.theme.unchanged, marks })
            }
            _ => by_place(cx.theme, layout, comparison, by),
        };
        Kept::new(
            Styles { column, version: key },
            (Arc::clone(layout), Arc::clone(comparison), changes.map(|(_, whole)| Arc::clone(whole))),
        )
    })
}

fn by_change(theme: &Theme, layout: &FlameLayout, nodes: &NodeDiff) -> FlameColumn<BoxStyle> {
    let edge = |fill| if theme.needs_edge(fill) { mark::EDGE } else { 0 };
    layout.column(|node| {
        let at = node.row();
        let (effect, certainty, marks) = (nodes.effect[at], nodes.certainty[at], nodes.marks[at]);
        let mut bits = 0;
        if marks & diff::mark::GONE != 0 {
            bits |= mark::GHOST;
        }
        if marks & diff::mark::NEW != 0 {
            bits |= mark::NEW;
        }
        if marks & diff::mark::CHURN != 0 {
            bits |= mark::CHURN;
        }
        // Only what looks like a change needs the warning that it may be none.
        if certainty < CERTAIN && effect.abs() > 0.1 {
            bits |= mark::UNCERTAIN;
        }
        // An outline has to be seen: the fill of no change is too close to the background for a line.
        let is_faint = bits & mark::GHOST != 0 && certainty < CERTAIN;
        let fill = if is_faint { theme.muted } else { theme.delta_color(effect, certainty) };
        BoxStyle { fill, marks: bits | edge(fill) }
    })
}

fn by_place(theme: &Theme, layout: &FlameLayout, comparison: &Comparison, by: ColorBy) -> FlameColumn<BoxStyle> {
    let places = comparison.places();
    let kinds = names::code_kinds(places, comparison.tree());
    let colors: Vec<BoxStyle> = places
        .iter_ids()
        .map(|(id, place)| {
            let name = match by {
                ColorBy::Module => base_name(&place.module),
                // Folded stacks may name neither: then functions can be told apart, at least.
                _ if place.package.is_empty() && place.module.is_empty() => &place.name,
                _ if place.package.is_empty() => base_name(&place.module),
                _ => &place.package,
            };
            let kind = kinds.get(id.row()).copied().unwrap_or_default();
            BoxStyle::from(if id == crate::analysis::Places::root() { theme.raised } else { theme.package_color(name, kind) })
        })
        .collect();
    let tree: &CallTree = comparison.tree();
    layout.column(|node| colors[tree.place(node).row()])
}
