//! The dialog for several files that came together: on which side of a comparison each of them stands.

use std::path::PathBuf;

use egui::{Context, Id, RichText, ScrollArea, Ui};

use super::cx::{Cx, Outbox};
use super::dialogs::{primary, written};
use super::theme::{fonts, size};
use crate::app::capture_names::short;
use crate::app::view::Side;
use crate::app::{Command, guess};

fn id() -> Id {
    Id::unique("sides of files")
}

/// What was chosen does not outlive the dialog.
pub(super) fn forget(ctx: &Context) {
    ctx.data_mut(|data| data.remove::<Vec<Option<Side>>>(id()));
}

/// Draws the dialog: a line for each file with its side, as far as the names say it.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, paths: &[PathBuf], out: &mut Outbox) {
    ui.set_width(620.0);
    let mut chosen = ui.data(|data| data.get_temp::<Vec<Option<Side>>>(id())).unwrap_or_else(|| guess::sides(paths));
    chosen.resize(paths.len(), None);
    ui.label(
        RichText::new("Several captures of a side are summed; how they differ among each other says what is noise").color(cx.theme.muted),
    );
    ui.add_space(size::GAP);
    ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
        for (at, (path, side)) in paths.iter().zip(&mut chosen).enumerate() {
            let name = short(path, paths.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, path)| path.as_path()));
            ui.horizontal(|ui| {
                let on = Side::BOTH.map(|of| *side == Some(of));
                if let Some(of) = side_ui(ui, cx, &name, on) {
                    // A second click takes the choice back.
                    *side = Some(of).filter(|_| *side != Some(of));
                }
                ui.add(egui::Label::new(RichText::new(&name).font(fonts::table())).truncate()).on_hover_text(path.display().to_string());
                if !cx.is_test {
                    let written = RichText::new(written(cx, path, out)).font(fonts::small()).color(cx.theme.muted);
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(written));
                }
            });
        }
    });
    ui.data_mut(|data| data.insert_temp(id(), chosen.clone()));
    let of =
        |wanted| paths.iter().zip(&chosen).filter(|(_, side)| **side == Some(wanted)).map(|(path, _)| path.clone()).collect::<Vec<_>>();
    let [before, after] = Side::BOTH.map(of);
    ui.add_space(size::PAD);
    ui.horizontal(|ui| {
        let text = format!("Compare {} with {}", before.len(), after.len());
        if ui.add_enabled(!before.is_empty() && !after.is_empty(), primary(cx, &text)).clicked() {
            out.send(Command::OpenSides(before.clone(), after.clone()));
        }
        if cx.app.view().is_comparison()
            && ui.add_enabled(before.len() + after.len() > 0, egui::Button::new("Add to what is shown")).clicked()
        {
            for (side, paths) in [(Side::Before, before), (Side::After, after)] {
                if !paths.is_empty() {
                    out.send(Command::AddFiles(side, paths));
                }
            }
        }
        if ui.button("Open all without comparing").clicked() {
            out.send(Command::Open(paths.to_vec()));
        }
    });
}

/// Two letters that say on which sides something is; gives the one that was clicked.
pub(super) fn side_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, on: [bool; 2]) -> Option<Side> {
    let mut clicked = None;
    for (side, is_on) in Side::BOTH.into_iter().zip(on) {
        let (letter, color) = match side {
            Side::Before => ("B", cx.theme.before),
            Side::After => ("A", cx.theme.after),
        };
        let text = RichText::new(letter).font(fonts::strong()).color(if is_on { color } else { cx.theme.muted });
        let button = ui.add(egui::Button::selectable(is_on, text).small());
        let words = format!("{name} is {}", side.word());
        button.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_on, &words));
        if button.on_hover_text(&words).clicked() {
            clicked = Some(side);
        }
    }
    clicked
}
