//! The dialogs that say where source files and where binaries are: folders typed by hand or chosen in the system's dialog.

use std::path::PathBuf;

use egui::{Id, RichText, TextEdit, Ui};

use super::cx::{Cx, Outbox};
use super::dialogs::{primary, warning_ui};
use super::disk::Found;
use super::theme::{fonts, size};
use crate::app::source::SourceSpec;
use crate::app::{Command, FolderList};

/// Half-typed text: what was known when it was begun, and what it is now. Folders, and beginnings of paths.
#[derive(Clone, PartialEq, Eq)]
struct Draft {
    known: [String; 2],
    typed: [String; 2],
}

fn id() -> Id {
    Id::unique("folders typed by hand")
}

/// Half-typed text does not outlive the dialog.
pub(super) fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| data.remove::<Draft>(id()));
}

/// The title of a dialog.
pub(super) const fn title(list: FolderList) -> &'static str {
    match list {
        FolderList::Source => "Source folders",
        FolderList::Symbols => "Symbol folders",
    }
}

/// Draws the dialog's content.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, (list, why): (FolderList, &str), out: &mut Outbox) {
    ui.set_width(580.0);
    if !why.is_empty() {
        ui.add(egui::Label::new(RichText::new(why).color(cx.theme.warning)).wrap());
    }
    let known = known(cx, list);
    let draft: Option<Draft> = ui.data(|data| data.get_temp(id()));
    // A folder that was chosen meanwhile is known now.
    let mut draft = draft.filter(|draft| draft.known == known).unwrap_or_else(|| Draft { typed: known.clone(), known });
    let [folders, trims] = &mut draft.typed;
    let (text, hint) = match list {
        FolderList::Source => (
            "A file is looked for where the capture says, and below these folders and their parents",
            "Folders with source files, one a line",
        ),
        FolderList::Symbols => (
            "A program is looked for below these folders: each may stand for the root of the machine that recorded, or simply hold binaries \
             and debug files. Only what has the recorded build id is used",
            "Folders with binaries and debug files, one a line",
        ),
    };
    ui.add(egui::Label::new(RichText::new(text).color(cx.theme.muted)).wrap());
    let mut has_keys = field_ui(ui, folders, hint, 3);
    let paths: Vec<PathBuf> = lines(folders).map(PathBuf::from).collect();
    for path in &paths {
        warning_ui(ui, cx, path, out, |found| match found {
            Found { is_folder: true, .. } => None,
            Found { exists: true, .. } => Some("is no folder"),
            _ => Some("is not there"),
        });
    }
    ui.add_space(size::GAP);
    let adds = ui.button("Add a folder…").on_hover_text("Choose it in the dialog of the system").clicked();
    if list == FolderList::Source {
        ui.add_space(size::PAD);
        ui.label(
            RichText::new("Where paths begin otherwise than there, such as /build/agent/, without that beginning").color(cx.theme.muted),
        );
        has_keys |= field_ui(ui, trims, "Beginnings of paths to leave out, one a line", 2);
    }
    if !has_keys && ui.memory(|memory| memory.focused().is_none()) {
        ui.memory_mut(|memory| memory.request_focus(id().with(hint)));
    }
    ui.add_space(size::PAD);
    let command = match list {
        FolderList::Source => Command::SetSource(SourceSpec { folders: paths, trims: lines(trims).map(str::to_owned).collect() }),
        FolderList::Symbols => Command::SetSymbolRoots(paths),
    };
    let is_new = draft.typed != draft.known;
    ui.data_mut(|data| data.insert_temp(id(), draft));
    let uses = ui.add(primary(cx, "Use")).clicked();
    if uses {
        out.send(Command::CloseDialog);
    }
    if uses || (adds && is_new) {
        out.send(command);
    }
    if adds {
        out.send(Command::ChooseFolder(list));
    }
}

/// What is set, as text.
fn known(cx: &Cx<'_>, list: FolderList) -> [String; 2] {
    let text = |folders: &[PathBuf]| folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join("\n");
    match list {
        FolderList::Source => {
            let spec = cx.app.source_spec();
            [text(&spec.folders), spec.trims.join("\n")]
        }
        FolderList::Symbols => [text(cx.app.symbol_roots()), String::new()],
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
