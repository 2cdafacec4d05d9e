//! The dialogs over the window: palette, keys, paths typed by hand, which file is before, about.

use std::path::{Path, PathBuf};

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Atom, Button, Frame, Id, Key, Modal, PopupAnchor, RichText, TextEdit, Tooltip, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::disk::Found;
use super::theme::{fonts, size};
use super::{drop, folders, palette, parts, shortcuts, sides, toasts};
use crate::app::capture_names::short;
use crate::app::view::CaptureId;
use crate::app::{Command, Dialog};
use crate::format::Member;
use crate::model::human;

/// Draws the open dialog, if there is one.
pub(super) fn ui(ctx: &egui::Context, cx: &Cx<'_>, out: &mut Outbox) {
    let Some(dialog) = cx.app.dialog() else {
        forget(ctx);
        return;
    };
    // Each has a size of its own: egui remembers it by the id.
    let id = Id::unique("dialog").with(std::mem::discriminant(dialog));
    let mut modal = Modal::new(id).backdrop_color(cx.theme.background.gamma_multiply(0.6));
    if *dialog != Dialog::Palette {
        modal = modal.frame(Frame::popup(&ctx.global_style()).inner_margin(2.0 * size::PAD));
    }
    if *dialog == Dialog::Palette {
        // Where the eyes are, and the list may grow downwards.
        modal = modal.area(Modal::default_area(id).anchor(egui::Align2::CENTER_TOP, vec2(0.0, 80.0)));
    }
    let shown = modal.show(ctx, |ui| match dialog {
        Dialog::Palette => palette::ui(ui, cx, out),
        Dialog::Shortcuts => titled(ui, "Keyboard shortcuts", out, |ui, _| shortcuts::sheet_ui(ui, cx)),
        Dialog::Messages => titled(ui, "Last messages", out, |ui, _| toasts::list_ui(ui, cx)),
        Dialog::About => titled(ui, "Emberlens", out, |ui, _| about_ui(ui, cx)),
        Dialog::OpenPath(why) => titled(ui, "Open a path", out, |ui, out| {
            let hint = "Path of a capture; two on two lines are compared";
            open_path_ui(ui, cx, (why, hint), out, |paths| (if paths.len() == 2 { "Compare" } else { "Open" }, Command::Drop(paths)));
        }),
        Dialog::OtherPath(shown, why) => {
            let name = shown.file_name().unwrap_or_default().to_string_lossy();
            titled(ui, &format!("Compare {name} with another capture"), out, |ui, out| {
                open_path_ui(ui, cx, (why, "Path of the other capture"), out, |mut paths| {
                    paths.extend((paths.len() == 1).then(|| shown.clone()));
                    ("Compare", Command::Drop(paths))
                });
            });
        }
        Dialog::SidePaths(side) => titled(ui, &format!("Add captures to {}", side.word()), out, |ui, out| {
            open_path_ui(ui, cx, ("", "Paths of captures, one a line"), out, |paths| ("Add", Command::AddFiles(*side, paths)));
        }),
        Dialog::WhichSide(paths) => titled(ui, "Which captures are before, which after?", out, |ui, out| sides::ui(ui, cx, paths, out)),
        Dialog::WhichIsBefore(first, second) => {
            titled(ui, "Which one is before?", out, |ui, out| which_ui(ui, cx, first, second, out));
        }
        Dialog::WhichMember(archive, choice) => {
            titled(ui, "Which capture of the archive?", out, |ui, out| member_ui(ui, *archive, choice, out));
        }
        Dialog::Parts(proposal) => titled(ui, "Compare two parts", out, |ui, out| parts::ui(ui, cx, proposal, out)),
        Dialog::Folders(list, why) => titled(ui, folders::title(*list), out, |ui, out| folders::ui(ui, cx, (*list, why), out)),
        Dialog::ExportPath(name) => titled(ui, "Export to a path", out, |ui, out| export_path_ui(ui, cx, name, out)),
    });
    // A click beside it closes what only shows something; a choice or half-typed text is not lost by a slip.
    let is_slip =
        shown.backdrop_response.clicked() && !matches!(dialog, Dialog::Palette | Dialog::Shortcuts | Dialog::Messages | Dialog::About);
    if shown.should_close() && !is_slip {
        out.send(Command::CloseDialog);
    }
}

/// Takes away the tooltips of what lies under a dialog: egui keeps the open one as long as the pointer rests where it was, and paints it over
/// everything. A layer has one tooltip at a time, so an empty one that is there first leaves no room for others. Call it before they are drawn.
pub(super) fn keep_tooltips_out(ui: &Ui) {
    let at = PopupAnchor::Position(ui.max_rect().min);
    let mut nothing = Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), Id::unique("no tooltip under a dialog"), at);
    nothing.popup = nothing.popup.frame(Frame::NONE);
    nothing.show(|_| {});
}

/// Half-typed text does not outlive its dialog.
fn forget(ctx: &egui::Context) {
    palette::forget(ctx);
    parts::forget(ctx);
    sides::forget(ctx);
    folders::forget(ctx);
    ctx.data_mut(|data| data.remove::<String>(path_id()));
}

fn titled(ui: &mut Ui, title: &str, out: &mut Outbox, content: impl FnOnce(&mut Ui, &mut Outbox)) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(fonts::title()));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.add(Button::new("✕").frame_when_inactive(false)).on_hover_text("Close (Escape)").accessible_name("Close").clicked() {
                out.send(Command::CloseDialog);
            }
        });
    });
    ui.add_space(size::PAD);
    content(ui, out);
}

fn path_id() -> Id {
    Id::unique("path typed by hand")
}

/// The field for paths; gives the text and whether Enter was pressed.
fn path_field_ui(ui: &mut Ui, proposal: &str, hint: &'static str, rows: usize) -> (String, bool) {
    let mut text: String = ui.data(|data| data.get_temp(path_id())).unwrap_or_else(|| proposal.to_owned());
    // Shift+Enter makes a second line; Enter alone is the button.
    let entered = shortcuts::enter(ui) == Some(false);
    if entered {
        ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Enter));
    }
    let is_first = ui.data_mut(|data| {
        let is_first = data.get_temp::<String>(path_id()).is_none();
        data.insert_temp(path_id(), text.clone());
        is_first
    });
    if is_first {
        select_stem(ui, &text);
    }
    // Before it is drawn: what was typed in the frame that opened the dialog belongs to it.
    ui.memory_mut(|memory| memory.request_focus(path_id()));
    let field = TextEdit::multiline(&mut text).id(path_id()).desired_rows(rows).font(fonts::table()).hint_text(hint).desired_width(560.0);
    let field = ui.add(field).accessible_name("Path");
    if field.changed() {
        ui.data_mut(|data| data.insert_temp(path_id(), text.clone()));
    }
    (text, entered)
}

/// Selects what of a proposed path is most often typed anew: the file's name without its ending. The caret of the field's last use goes.
fn select_stem(ui: &Ui, path: &str) {
    let start = path.rfind(std::path::is_separator).map_or(0, |at| at + 1);
    let name = path.get(start..).unwrap_or_default();
    let stem = name.strip_suffix(".pb.gz").or_else(|| name.rsplit_once('.').map(|(stem, _)| stem)).unwrap_or(name);
    let first = path.chars().count() - name.chars().count();
    let caret = |at: usize| CCursor::new(at);
    let mut state = TextEditState::default();
    state.cursor.set_char_range(Some(CCursorRange::two(caret(first), caret(first + stem.chars().count()))));
    state.store(ui.ctx(), path_id());
}

/// The field for paths of captures under a text that says why it is there; `done` gives the word on the button and what it does.
fn open_path_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    (why, hint): (&str, &'static str),
    out: &mut Outbox,
    done: impl FnOnce(Vec<PathBuf>) -> (&'static str, Command),
) {
    ui.set_width(580.0);
    if !why.is_empty() {
        ui.label(RichText::new(why).color(cx.theme.muted));
    }
    let (text, entered) = path_field_ui(ui, "", hint, 2);
    let paths = drop::paths(&text);
    for path in &paths {
        warning_ui(ui, cx, path, out, |found| match found {
            Found { is_capture: true, .. } => None,
            Found { is_folder: true, .. } => Some("is a folder"),
            _ => Some("is not there"),
        });
    }
    ui.add_space(size::PAD);
    // What the disk has not answered for yet may be there; if not, reading it says so.
    let can = !paths.is_empty() && paths.iter().all(|path| cx.disk.of(path, out).is_none_or(|found| found.is_capture));
    let (label, command) = done(paths);
    if ui.add_enabled(can, primary(cx, label)).clicked() || (entered && can) {
        out.send(Command::CloseDialog);
        out.send(command);
    }
}

fn export_path_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, out: &mut Outbox) {
    ui.set_width(580.0);
    ui.label(RichText::new("The ending says what is written: svg, png, html, csv, json, md, folded or pb.gz").color(cx.theme.muted));
    let proposal = std::env::current_dir().unwrap_or_default().join(name).display().to_string();
    let (text, entered) = path_field_ui(ui, &proposal, "Path of the new file", 1);
    let path = drop::paths(&text).into_iter().next();
    let folder = path.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let no_folder = folder.and_then(|folder| cx.disk.of(folder, out)).is_some_and(|found| !found.is_folder);
    let there = path.as_deref().and_then(|path| cx.disk.of(path, out)).filter(|found| found.exists);
    let warning = match there {
        Some(found) if found.is_folder => Some("This is a folder: add the name of a file"),
        Some(_) => Some("This file exists and will be replaced"),
        None => no_folder.then_some("This folder is not there"),
    };
    if let Some(warning) = warning {
        ui.label(RichText::new(warning).color(cx.theme.warning));
    }
    ui.add_space(size::PAD);
    let can = path.as_deref().is_some_and(|path| path.file_name().is_some()) && !no_folder && !there.is_some_and(|found| found.is_folder);
    if (ui.add_enabled(can, primary(cx, "Write")).clicked() || (entered && can))
        && let Some(path) = path
    {
        out.send(Command::Export(path));
    }
}

/// A line under a field of paths that says what is wrong with one of them, once the disk said so, or that the disk says nothing.
pub(super) fn warning_ui(ui: &mut Ui, cx: &Cx<'_>, path: &Path, out: &mut Outbox, wrong: impl FnOnce(&Found) -> Option<&'static str>) {
    let why = match cx.disk.of(path, out) {
        Some(found) => wrong(found),
        None => cx.disk.is_silent(path, cx.now).then_some("does not answer"),
    };
    if let Some(why) = why {
        let text = RichText::new(format!("{} {why}", path.display())).font(fonts::table()).color(cx.theme.warning);
        ui.add(egui::Label::new(text).wrap());
    }
}

/// The one button that a dialog is about.
pub(super) fn primary<'a>(cx: &Cx<'_>, text: &str) -> Button<'a> {
    let text = RichText::new(text).font(fonts::strong()).color(super::theme::Theme::text_on(cx.theme.accent));
    // Room on both sides keeps a short word in the middle.
    Button::new((Atom::grow(), text, Atom::grow())).fill(cx.theme.accent).min_size(vec2(96.0, 28.0))
}

fn which_ui(ui: &mut Ui, cx: &Cx<'_>, first: &PathBuf, second: &PathBuf, out: &mut Outbox) {
    ui.set_width(560.0);
    for (before, after) in [(first, second), (second, first)] {
        if order_ui(ui, cx, before, after, out).clicked() {
            out.send(Command::OpenComparison(before.clone(), after.clone()));
        }
        ui.add_space(size::GAP);
    }
    ui.add_space(size::GAP);
    if ui.button("Open both without comparing").clicked() {
        out.send(Command::Open(vec![first.clone(), second.clone()]));
    }
}

/// The captures of an archive as a list: a click opens one. What stood for the archive goes.
fn member_ui(ui: &mut Ui, archive: CaptureId, choice: &[(PathBuf, Member)], out: &mut Outbox) {
    ui.set_width(560.0);
    let mut open = |paths: Vec<PathBuf>| {
        out.send(Command::CloseDialog);
        out.send(Command::Close(archive));
        out.send(Command::Drop(paths));
    };
    egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
        for (path, member) in choice {
            let text = format!("{}   {}, {}", member.path, member.kind, human(member.size as f64, "bytes"));
            let row = Button::new(RichText::new(text).font(fonts::table())).min_size(vec2(540.0, 28.0));
            if ui.add(row).on_hover_text(path.display().to_string()).clicked() {
                open(vec![path.clone()]);
            }
        }
    });
    ui.add_space(size::GAP);
    let label = if choice.len() == 2 { "Compare both…" } else { "Open all…" };
    if ui.button(label).clicked() {
        open(choice.iter().map(|(path, _)| path.clone()).collect());
    }
}

/// One order as a big button: before above after, each with its letter and when the file was written.
fn order_ui(ui: &mut Ui, cx: &Cx<'_>, before: &PathBuf, after: &PathBuf, out: &mut Outbox) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 64.0), egui::Sense::click());
    let visuals = *ui.style().interact(&response);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect(rect, f32::from(size::CORNER), visuals.bg_fill, visuals.bg_stroke, egui::StrokeKind::Inside);
    let names = [(before, after), (after, before)].map(|(path, other)| short(path, std::iter::once(other.as_path())));
    let rows = [("Before", cx.theme.before, before), ("After", cx.theme.after, after)];
    for (row, ((word, color, path), name)) in rows.into_iter().zip(&names).enumerate() {
        let y = rect.top() + 21.0 + row as f32 * 23.0;
        let x = rect.left() + 12.0;
        painter.text(egui::pos2(x, y), egui::Align2::LEFT_CENTER, word, fonts::strong(), color);
        painter.text(egui::pos2(x + 64.0, y), egui::Align2::LEFT_CENTER, name, fonts::table(), cx.theme.text);
        if !cx.is_test {
            let written = written(cx, path, out);
            painter.text(egui::pos2(rect.right() - 12.0, y), egui::Align2::RIGHT_CENTER, written, fonts::small(), cx.theme.muted);
        }
    }
    let words = format!("Before: {}, after: {}", names[0], names[1]);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, words.clone()));
    response.on_hover_text(format!("Before: {}\nAfter: {}", before.display(), after.display()))
}

/// When a file was written, which often says which one is before.
pub(super) fn written(cx: &Cx<'_>, path: &Path, out: &mut Outbox) -> String {
    let seconds = cx.disk.of(path, out).and_then(|found| found.written_unix);
    seconds.map_or_else(String::new, |seconds| format!("written {}", super::words::ago(seconds, cx.unix_seconds)))
}

fn about_ui(ui: &mut Ui, cx: &Cx<'_>) {
    ui.set_width(420.0);
    let version = if cx.is_test { "Version".to_owned() } else { format!("Version {}", crate::version()) };
    ui.label(version);
    ui.label("Opens pprof, perf and Go profiles, draws flame graphs, and shows which functions got worse between two captures.");
    ui.add_space(size::PAD);
    let licences = "Emberlens: MIT or Apache-2.0. Fonts: Inter and JetBrains Mono (SIL Open Font License 1.1). \
        SVG flame graphs: inferno (CDDL-1.0).";
    ui.label(RichText::new(licences).color(cx.theme.muted));
}
