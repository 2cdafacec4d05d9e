//! The menu bar: a loop over `app::KINDS`, and the files opened lately. Deliberately absent: what else is in the menus.

use egui::containers::menu::SubMenuButton;
use egui::{Button, MenuBar, Response, RichText, ScrollArea, Ui};

use super::cx::{Cx, Outbox};
use super::theme::{fonts, size};
use crate::app::{Command, CommandKind, KINDS, Menu};

/// Files opened lately that the menu lists.
const RECENT: usize = 12;

/// Draws the menus side by side.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    // A menu bar takes all the width that it is given, and captures stand beside it.
    ui.set_max_width(0.0);
    MenuBar::new().ui(ui, |ui| {
        for menu in Menu::ALL {
            ui.menu_button(menu.label(), |ui| menu_ui(ui, cx, menu, out));
        }
    });
}

fn menu_ui(ui: &mut Ui, cx: &Cx<'_>, menu: Menu, out: &mut Outbox) {
    ui.set_min_width(260.0);
    ui.spacing_mut().item_spacing.y = 0.0;
    let kinds: Vec<&CommandKind> = KINDS.iter().filter(|kind| kind.menu == menu).collect();
    let entries = || kinds.chunk_by(|a, b| a.submenu.is_some() && a.submenu == b.submenu);
    let groups = kinds.iter().filter(|kind| kind.starts_group).count();
    let lines = entries().count() as f32 * ui.spacing().interact_size.y + groups as f32 * SEPARATOR;
    if lines > most_height(ui) {
        // Closer together before anything has to be scrolled to.
        (ui.spacing_mut().interact_size.y, ui.spacing_mut().button_padding.y) = (size::TABLE_ROW, 1.0);
    }
    scrolled_ui(ui, 0.0, |ui| {
        for (at, entry) in entries().enumerate() {
            let [kind, ..] = entry else { continue };
            if kind.starts_group && at > 0 {
                ui.separator();
            }
            if let Some(title) = kind.submenu {
                submenu_ui(ui, cx, title, entry, out);
            } else {
                kind_ui(ui, cx, kind, out);
            }
            if kind.name == "type-path" {
                recent_ui(ui, cx, out);
            }
        }
    });
}

/// A menu inside a menu.
fn submenu_ui(ui: &mut Ui, cx: &Cx<'_>, title: &'static str, kinds: &[&CommandKind], out: &mut Outbox) {
    let mark = RichText::new(" ").font(fonts::table());
    let (response, _) = SubMenuButton::new((mark, title)).ui(ui, |ui| {
        for kind in kinds {
            kind_ui(ui, cx, kind, out);
        }
    });
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, title));
}

/// Height of a line between two groups.
const SEPARATOR: f32 = 6.0;

/// The most that a menu may be high.
fn most_height(ui: &Ui) -> f32 {
    ui.ctx().content_rect().height() - 2.0 * size::MENU_BAR
}

/// What may be higher than the window: it scrolls, and leaves `below` points for what stands under it. Less than the window's height is no reason
/// to scroll.
pub(super) fn scrolled_ui(ui: &mut Ui, below: f32, content: impl FnOnce(&mut Ui)) {
    let height = (most_height(ui) - below).max(size::MENU_BAR);
    // A menu may end between two lines: only the bar says that more follows, so it has to be seen.
    ui.spacing_mut().scroll.foreground_color = true;
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, content);
}

/// One line: mark, title, keys; grey while it cannot be done.
fn kind_ui(ui: &mut Ui, cx: &Cx<'_>, kind: &CommandKind, out: &mut Outbox) {
    let command = kind.available(cx.app);
    let is_on = kind.checked.is_some_and(|checked| checked(cx.app));
    let keys = kind.keys.first().map(crate::app::Keys::text).unwrap_or_default();
    let title = title(cx, kind);
    // The mark has its own column, so that titles stand below each other.
    let mark = RichText::new(if is_on { "✓" } else { " " }).font(fonts::table());
    let button = Button::new((mark, title)).shortcut_text(RichText::new(keys).font(fonts::small())).wrap_mode(egui::TextWrapMode::Extend);
    let response = ui.add_enabled(command.is_some(), button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, command.is_some(), kind.title));
    if explained(response, kind, cx).clicked()
        && let Some(command) = command
    {
        out.send(command);
        // A click closes the menu by itself, Enter does not.
        ui.close();
    }
}

/// What a command does, and why it cannot be done where that is so, for the pointer.
pub(super) fn explained(response: Response, kind: &CommandKind, cx: &Cx<'_>) -> Response {
    let why = kind.why_not(cx.app).map_or_else(String::new, |why| format!("\nNot now: {why}"));
    response.on_hover_text(kind.tooltip).on_disabled_hover_text(format!("{}{why}", kind.tooltip))
}

/// The files opened lately, the last one first.
fn recent_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let recent = &cx.app.settings().recent;
    ui.add_enabled_ui(!recent.is_empty() && cx.app.dialog().is_none(), |ui| {
        let mark = RichText::new(" ").font(fonts::table());
        let (response, _) = SubMenuButton::new((mark, "Open recent")).ui(ui, |ui| {
            for file in recent.iter().take(RECENT) {
                let name = file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                let facts = RichText::new(&file.summary).font(fonts::small());
                let button = Button::new(name).shortcut_text(facts).wrap_mode(egui::TextWrapMode::Extend);
                if ui.add(button).on_hover_text(file.path.display().to_string()).clicked() {
                    out.send(Command::Open(vec![file.path.clone()]));
                }
            }
        });
        let can = ui.is_enabled();
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, can, "Open recent"));
    });
}

/// The title; undo and redo say what they take back.
fn title(cx: &Cx<'_>, kind: &CommandKind) -> String {
    let label = match kind.name {
        "undo" => cx.app.undo_label(),
        "redo" => cx.app.redo_label(),
        _ => None,
    };
    label.map_or_else(|| kind.title.to_owned(), |label| format!("{} {label}", kind.title))
}
