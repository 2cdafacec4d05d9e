//! Messages at the lower left, over the picture and not over what the side says: what happened goes by itself after a while, failures stay until dismissed.

use egui::{Align2, Frame, Id, RichText, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::theme::size;
use crate::app::Command;

/// Seconds a message stays that is no failure.
const STAYS_SECONDS: f64 = 6.0;

/// Draws the messages over the window's corner.
pub(super) fn ui(ui: &Ui, cx: &Cx<'_>, out: &mut Outbox) {
    if cx.app.messages().is_empty() {
        return;
    }
    let area = egui::Area::new(Id::unique("messages")).order(egui::Order::Foreground);
    area.anchor(Align2::LEFT_BOTTOM, vec2(size::WIDE, -size::STATUS_BAR - size::PAD)).show(ui.ctx(), |ui| {
        for message in cx.app.messages().iter().rev().take(5).rev() {
            if !message.is_error && is_over(ui, cx, message.id) {
                out.send(Command::Dismiss(message.id));
                continue;
            }
            let frame = Frame::new().fill(cx.theme.raised).stroke(egui::Stroke::new(size::HAIRLINE, cx.theme.line));
            frame.corner_radius(size::CORNER_WINDOW).inner_margin(size::PAD).show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    let (mark, color) = if message.is_error { ("⚠", cx.theme.error) } else { ("ℹ", cx.theme.muted) };
                    ui.label(RichText::new(mark).color(color));
                    ui.vertical(|ui| {
                        ui.set_max_width(420.0);
                        ui.label(&message.text);
                    });
                    if ui.small_button("✕").on_hover_text("Dismiss").accessible_name("Dismiss message").clicked() {
                        out.send(Command::Dismiss(message.id));
                    }
                    if message.is_error && ui.small_button("Copy").clicked() {
                        ui.ctx().copy_text(message.text.clone());
                    }
                });
            });
        }
    });
}

/// True once a message was shown for its time; asks for the frame in which that will be.
fn is_over(ui: &Ui, cx: &Cx<'_>, message: u64) -> bool {
    let id = Id::unique("message").with(message);
    let since: f64 = ui.data_mut(|data| *data.get_temp_mut_or(id, cx.now));
    let left = since + STAYS_SECONDS - cx.now;
    if left > 0.0 && !cx.is_test {
        ui.ctx().request_repaint_after_secs(left as f32 + 0.01);
    }
    left <= 0.0
}
