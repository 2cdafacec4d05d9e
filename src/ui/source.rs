//! The dialog that says where source files are.

use std::path::PathBuf;

use egui::{Id, RichText, TextEdit, Ui};

use super::cx::{Cx, Outbox};
use super::dialogs::primary;
use super::theme::{fonts, size};
use crate::app::Command;
use crate::app::source::SourceSpec;

fn id() -> Id {
    Id::unique("source folders typed by hand")
}

/// Half-typed text does not outlive the dialog.
pub(super) fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| data.remove::<[String; 2]>(id()));
}

/// Draws the dialog's content.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.set_width(580.0);
    let known = cx.app.source_spec();
    let written = || {
        let folders: Vec<String> = known.folders.iter().map(|folder| folder.display().to_string()).collect();
        [folders.join("\n"), known.trims.join("\n")]
    };
    let mut texts: [String; 2] = ui.data(|data| data.get_temp(id())).unwrap_or_else(written);
    let [folders, trims] = &mut texts;
    ui.label(RichText::new("A file is looked for where the capture says, and below these folders and their parents").color(cx.theme.muted));
    let first = field_ui(ui, folders, "Folders with source files, one a line", 3);
    let paths: Vec<PathBuf> = lines(folders).map(PathBuf::from).collect();
    if !cx.is_test {
        for path in paths.iter().filter(|path| !path.is_dir()) {
            let why = if path.exists() { "is no folder" } else { "is not there" };
            ui.label(RichText::new(format!("{} {why}", path.display())).font(fonts::table()).color(cx.theme.warning));
        }
    }
    ui.add_space(size::PAD);
    ui.label(RichText::new("Where paths begin otherwise than there, such as /build/agent/, without that beginning").color(cx.theme.muted));
    let second = field_ui(ui, trims, "Beginnings of paths to leave out, one a line", 2);
    if !first && !second && ui.memory(|memory| memory.focused().is_none()) {
        ui.memory_mut(|memory| memory.request_focus(id().with("Folders with source files, one a line")));
    }
    ui.add_space(size::PAD);
    let spec = SourceSpec { folders: paths, trims: lines(trims).map(str::to_owned).collect() };
    ui.data_mut(|data| data.insert_temp(id(), texts));
    if ui.add(primary(cx, "Use")).clicked() {
        out.send(Command::CloseDialog);
        out.send(Command::SetSource(spec));
    }
}

/// A field of some lines under its name; true while it has the keyboard.
fn field_ui(ui: &mut Ui, text: &mut String, name: &'static str, rows: usize) -> bool {
    let field = TextEdit::multiline(text).id(id().with(name)).desired_rows(rows).font(fonts::table()).hint_text(name).desired_width(560.0);
    ui.add(field).accessible_name(name).has_focus()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}
