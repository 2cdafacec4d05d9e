//! The list of open captures: what each holds, and on which side of a comparison it stands.

use egui::{Align, Button, Grid, Layout, RichText, Ui};

use crate::app::view::{CaptureId, Side};
use crate::app::{Capture, Command, command};
use crate::model::{Profile, grouped, human, human_duration};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::sides::side_ui;
use crate::ui::theme::{fonts, size};

/// Draws the list where there is more than one capture to choose from.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let captures = cx.app.captures();
    if captures.len() < 2 {
        return;
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new("Open captures").font(fonts::strong()));
        let help = "B and A say which side a capture is on; several of a side are summed, and show how much runs vary";
        ui.label(RichText::new(help).font(fonts::small()).color(cx.theme.muted));
    });
    Grid::new("open captures").num_columns(7).spacing([12.0, 3.0]).show(ui, |ui| {
        let kind = cx.app.sample_type().map_or_else(String::new, |(name, _)| name);
        for head in ["side", "file", "records", "length", kind.as_str(), ""] {
            ui.label(RichText::new(head).font(fonts::small()).color(cx.theme.muted));
        }
        ui.end_row();
        for capture in captures {
            row_ui(ui, cx, capture, out);
            ui.end_row();
        }
    });
    ui.horizontal(|ui| {
        for name in ["add-before", "add-after", "choose-comparison"] {
            let Some(kind) = command::kind(name) else { continue };
            if !kind.makes_sense(cx.app) {
                continue;
            }
            // Behind a dialog the row stays where it is.
            let todo = kind.available(cx.app);
            if ui.add_enabled(todo.is_some(), Button::new(kind.title)).on_hover_text(kind.tooltip).clicked()
                && let Some(todo) = todo
            {
                out.send(todo);
            }
        }
    });
    ui.add_space(size::PAD * 2.0);
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, capture: &Capture, out: &mut Outbox) {
    let id = capture.id;
    let on = Side::BOTH.map(|side| cx.app.view().side(side).contains(&id));
    let name = cx.app.name_of(capture);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if let Some(side) = side_ui(ui, cx, &name, on) {
            out.send(if on[side as usize] { Command::RemoveFromSide(side, id) } else { Command::AddToSide(side, id) });
        }
    });
    let color = if on.contains(&true) { cx.theme.text } else { cx.theme.muted };
    ui.label(RichText::new(&name).font(fonts::table()).color(color)).on_hover_text(capture.path.display().to_string());
    match (capture.error(), capture.profile()) {
        (None, Some(profile)) => numbers_ui(ui, cx, profile),
        (Some(why), _) => {
            ui.label(RichText::new("cannot be read").color(cx.theme.error)).on_hover_text(why);
            (0..2).for_each(|_| drop(ui.label("")));
        }
        (None, None) => {
            ui.label(RichText::new("being read").color(cx.theme.muted));
            (0..2).for_each(|_| drop(ui.label("")));
        }
    }
    ui.horizontal(|ui| act_ui(ui, cx, id, &name, out));
}

fn numbers_ui(ui: &mut Ui, cx: &Cx<'_>, profile: &Profile) {
    let total = cx.app.sample_type().and_then(|(name, unit)| {
        let at = profile.comparable_column(&name, &unit)?;
        let kind = profile.sample_types.get(at)?;
        Some(human(kind.in_unit(profile.total(at) as f64), &kind.unit))
    });
    let length = profile.info.duration_nanos.map(human_duration);
    for text in [Some(grouped(profile.samples.len() as u64)), length, total] {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(text.as_deref().unwrap_or("–")).font(fonts::table()));
        });
    }
}

fn act_ui(ui: &mut Ui, cx: &Cx<'_>, id: CaptureId, name: &str, out: &mut Outbox) {
    let is_alone = cx.app.view().captures() == [id];
    for (text, todo, can) in [("Show alone", Command::Show(id), !is_alone), ("Close", Command::Close(id), true)] {
        let button = ui.add_enabled(can, Button::new(RichText::new(text).font(fonts::small())).small());
        if button.accessible_name(format!("{text}: {name}")).clicked() {
            out.send(todo);
        }
    }
}
