//! panel
use crate::ui::cx::{Cx, Outbox};

/// Draws the panel.
pub(crate) fn ui(_ui: &mut egui::Ui, _cx: &Cx<'_>, _out: &mut Outbox) {}
