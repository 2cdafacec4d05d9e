//! Messages at the lower left, over the picture and not over what the side says. They go by themselves after a while, failures after a longer one, and not
//! under the pointer; a list has the last of them.

use egui::{Align2, Area, AreaState, Frame, Id, Label, RichText, ScrollArea, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::theme::size;
use crate::app::{Command, Message};

/// Seconds a message stays that is no failure.
const STAYS_SECONDS: f64 = 6.0;
/// Seconds a failure stays: there is more to read, and something to do.
const FAILURE_STAYS_SECONDS: f64 = 12.0;
/// Width of a text in points.
const WIDTH: f32 = 420.0;

/// Draws the messages over the window's corner.
pub(super) fn ui(ui: &Ui, cx: &Cx<'_>, out: &mut Outbox) {
    if cx.app.messages().is_empty() {
        return;
    }
    let id = Id::unique("messages");
    // Whoever points at a message reads it, or is about to press one of its buttons.
    let pointer = ui.input(|input| input.pointer.hover_pos());
    let is_held = AreaState::load(ui.ctx(), id).zip(pointer).is_some_and(|(area, pointer)| area.rect().contains(pointer));
    let area = Area::new(id).order(egui::Order::Foreground);
    area.anchor(Align2::LEFT_BOTTOM, vec2(size::WIDE, -size::STATUS_BAR - size::PAD)).show(ui.ctx(), |ui| {
        for message in cx.app.messages().iter().rev().take(5).rev() {
            if is_over(ui, cx, message, is_held) {
                out.send(Command::Expire(message.id));
                continue;
            }
            let frame = Frame::new().fill(cx.theme.raised).stroke(egui::Stroke::new(size::HAIRLINE, cx.theme.line));
            frame.corner_radius(size::CORNER_WINDOW).inner_margin(size::PAD).show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    mark_ui(ui, cx, message);
                    ui.vertical(|ui| {
                        ui.set_max_width(WIDTH);
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

fn mark_ui(ui: &mut Ui, cx: &Cx<'_>, message: &Message) {
    let (mark, color) = if message.is_error { ("⚠", cx.theme.error) } else { ("ℹ", cx.theme.muted) };
    ui.label(RichText::new(mark).color(color));
}

/// True once a message was shown for its time, which begins anew under the pointer; asks for the frame in which that will be.
fn is_over(ui: &Ui, cx: &Cx<'_>, message: &Message, is_held: bool) -> bool {
    let id = Id::unique("message").with(message.id);
    if is_held {
        // The pointer's next movement brings the next frame.
        ui.data_mut(|data| data.insert_temp(id, cx.now));
        return false;
    }
    let since: f64 = ui.data_mut(|data| *data.get_temp_mut_or(id, cx.now));
    let stays = if message.is_error { FAILURE_STAYS_SECONDS } else { STAYS_SECONDS };
    let left = since + stays - cx.now;
    if left > 0.0 {
        ui.ctx().request_repaint_after_secs(left as f32 + 0.01);
    }
    left <= 0.0
}

/// The last messages, newest first, those that are still in the corner among them.
pub(super) fn list_ui(ui: &mut Ui, cx: &Cx<'_>) {
    ui.set_width(WIDTH + 100.0);
    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        for message in cx.app.past_messages().iter().chain(cx.app.messages()).rev() {
            ui.horizontal_top(|ui| {
                mark_ui(ui, cx, message);
                if ui.small_button("Copy").clicked() {
                    ui.ctx().copy_text(message.text.clone());
                }
                ui.add(Label::new(&message.text).wrap());
            });
            ui.add_space(size::GAP);
        }
    });
}
