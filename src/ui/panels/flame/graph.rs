//! One flame graph of a view: which layout, weights and evidence it shows. The flame graph has one, the sandwich three.
//!
//! It puts colours, search matches and names together for the canvas and says what a box is. Deliberately absent: what a click does, which
//! each view decides. Start reading at [`Graph::show`].

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use egui::{Tooltip, Ui};

use super::{shown_part, style, tooltip};
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::NodeDiff;
use crate::analysis::flame::{FlameLayout, FlameSubset, FlameView};
use crate::analysis::{CallTree, NodeId, names};
use crate::app::view::ColorBy;
use crate::base::ticket::Ticket;
use crate::ui::cx::Cx;
use crate::ui::memory::{self, Kept};
use crate::ui::theme::fonts;
use crate::ui::widgets::flame_canvas::{FlameCanvas, FlameResponse};

/// What the value of a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui::panels) enum Meaning {
    /// With all that it calls.
    Total,
    /// Of the outermost box, on the way from there inwards.
    SelfValue,
    /// Of the function of a sandwich, where this box calls it.
    Caller,
    /// Of a box below the function of a sandwich, or of that itself.
    Callee,
}

/// A flame graph, and what it is drawn from.
pub(in crate::ui::panels) struct Graph<'a> {
    /// What the picture is, for screen readers; no two of a window have the same.
    pub(in crate::ui::panels) name: &'static str,
    pub(in crate::ui::panels) meaning: Meaning,
    pub(in crate::ui::panels) layout: &'a Arc<FlameLayout>,
    pub(in crate::ui::panels) comparison: &'a Arc<Comparison>,
    /// Change and certainty of the nodes, with the shared result that they are a part of; `None` until they are known.
    pub(in crate::ui::panels) changes: Option<(&'a NodeDiff, Arc<dyn Any + Send + Sync>)>,
    /// The view wants another one, which is being made.
    pub(in crate::ui::panels) is_old: bool,
}

/// How a graph is shown.
pub(in crate::ui::panels) struct Look {
    pub(in crate::ui::panels) view: FlameView,
    pub(in crate::ui::panels) selected: Option<NodeId>,
    /// The box to bring into view in this frame.
    pub(in crate::ui::panels) reveal: Option<NodeId>,
    /// The view is that of another picture which is in motion.
    pub(in crate::ui::panels) is_driven: bool,
    pub(in crate::ui::panels) takes_idle_keys: bool,
}

impl Graph<'_> {
    /// Draws the graph into the rest of `ui`, with what the box under the pointer says.
    pub(in crate::ui::panels) fn show(&self, ui: &mut Ui, cx: &Cx<'_>, look: &Look) -> FlameResponse {
        let styles = style::styles(ui, cx, self);
        let matches = self.matches(ui, cx);
        let outlined = cx.app.view().selection.as_ref().and_then(|selection| self.comparison.places().find(&selection.place));
        let label = |node: NodeId, letters: usize| self.label(cx, node, letters);
        let font = fonts::flame();
        let mut canvas = FlameCanvas::new(self.layout, self.comparison.tree().places(), &styles.column, &label, cx.theme, &font);
        canvas.name = self.name;
        canvas.version = styles.version.wrapping_mul(31).wrapping_add(matches.as_ref().map_or(0, |matches| matches.version));
        if style::color_by(cx, self.comparison) == ColorBy::Delta {
            canvas.colors.accent = cx.theme.found_among_changes();
        }
        canvas.selected = look.selected;
        canvas.reveal = look.reveal;
        canvas.outlined = outlined;
        canvas.matches = matches.as_ref().map(|matches| &matches.subset);
        canvas.row_height = cx.app.settings().flame_row_points;
        canvas.reduced_motion = cx.app.settings().reduced_motion;
        canvas.is_driven = look.is_driven;
        canvas.takes_idle_keys = look.takes_idle_keys;
        let response = ui.scope(|ui| {
            if self.is_old {
                // The old picture stays, dimmed, until the new one is there.
                ui.set_opacity(0.5);
            }
            canvas.show(ui, self.name, &look.view)
        });
        self.hover_ui(ui, cx, &response.inner);
        response.inner
    }

    fn hover_ui(&self, ui: &Ui, cx: &Cx<'_>, done: &FlameResponse) {
        let Some(node) = done.hovered.filter(|_| !done.response.context_menu_opened()) else { return };
        Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), done.response.id.with("tip"), egui::PopupAnchor::Pointer)
            .gap(16.0)
            .show(|ui| tooltip::ui(ui, cx, self, node));
    }

    /// The name of a box for so many letters.
    fn label(&self, cx: &Cx<'_>, node: NodeId, letters: usize) -> Cow<'static, str> {
        if node == CallTree::ROOT {
            let unit = match shown_part(cx, self.comparison) {
                Some(part) => format!("{part}, {}", self.comparison.denominator_text()),
                None => self.comparison.denominator_text(),
            };
            return Cow::Owned(if unit.chars().count() + 6 <= letters { format!("all — {unit}") } else { "all".to_owned() });
        }
        let name = self.comparison.places().name(self.comparison.tree().place(node));
        Cow::Owned(names::short(name, letters))
    }

    /// The boxes that match the search, kept as long as search and layout stay.
    fn matches(&self, ui: &Ui, cx: &Cx<'_>) -> Option<Arc<Found>> {
        let found = cx.app.matches().ready().filter(|_| !self.is_old)?;
        let key = memory::key(&[Arc::as_ptr(self.layout).addr(), Arc::as_ptr(found).addr()]);
        Some(memory::keep(ui, &format!("matches in {}", self.name), key, || {
            let tree = self.comparison.tree();
            let subset = self.layout.subset(|node| found.places.contains(&tree.place(node)), &Ticket::new()).unwrap_or_default();
            // The parts that the key's addresses belong to are kept as well, so that no other ones can stand there.
            Kept::new(Found { subset, version: key }, (Arc::clone(self.layout), Arc::clone(found)))
        }))
    }
}

struct Found {
    subset: FlameSubset,
    version: u64,
}
