//! What the rows of all tables have in common: menu, tooltip, words.
//!
//! Deliberately absent: columns; see the panels.

use std::borrow::Cow;
use std::sync::Arc;

use egui::{RichText, Ui};

use super::words;
use crate::analysis::comparison::{Comparison, Side, percent};
use crate::analysis::{Granularity, Place, PlaceId, names};
use crate::app::view::{Selection, Tab};
use crate::app::{Command, Keys, command};
use crate::model::{base_name, grouped};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::menus::explained;
use crate::ui::theme::{fonts, size};

/// What a right click on a row offers. The click has selected the row, so the commands are about the selection.
pub(super) fn menu_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, here: Tab, row_text: impl FnOnce() -> String) {
    kind_ui(ui, cx, out, "copy-name");
    kind_ui(ui, cx, out, "copy-stack");
    if ui.button("Copy row").clicked() {
        ui.copy_text(row_text());
        ui.close();
    }
    ui.separator();
    for kind in ["focus", "show-from", "focus-subtree", "ignore", "hide", "collapse", "collapse-recursion"] {
        kind_ui(ui, cx, out, kind);
    }
    ui.separator();
    elsewhere_ui(ui, cx, out, here);
}

/// The ways from a view to the same selection in the others.
pub(super) fn elsewhere_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, here: Tab) {
    for (tab, words, then) in
        [(Tab::Flame, "Show in flame graph", Command::ZoomToSelection), (Tab::CallTree, "Show in call tree", Command::Reveal)]
    {
        if tab != here && ui.button(words).clicked() {
            out.send(Command::SetTab(tab));
            out.send(then);
            ui.close();
        }
    }
    if here != Tab::Top && ui.button("Show in top table").clicked() {
        out.send(Command::SetTab(Tab::Top));
        ui.close();
    }
    let selected =
        cx.app.view().selection.as_ref().filter(|selection| here != Tab::Sandwich || cx.app.view().sandwich_of() != Some(&selection.place));
    if let Some(selection) = selected
        && ui.button("Show in sandwich").on_hover_text("What calls it, and what it calls, all its occurrences put together").clicked()
    {
        out.send(Command::Sandwich(selection.place.clone()));
        ui.close();
    }
    if here != Tab::Source {
        kind_ui(ui, cx, out, "show-source");
    }
    kind_ui(ui, cx, out, "show-trend");
}

/// A command of the registry as a menu item or button with its key; greyed out where it is not available.
pub(super) fn kind_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, name: &str) {
    let Some(kind) = command::kind(name) else { return };
    let wanted = kind.available(cx.app);
    let keys = kind.keys.first().map(Keys::text).unwrap_or_default();
    let button = egui::Button::new(kind.title).shortcut_text(RichText::new(keys).color(cx.theme.muted));
    if explained(ui.add_enabled(wanted.is_some(), button), kind, cx).clicked() {
        if let Some(command) = wanted {
            out.send(command);
        }
        ui.close();
    }
}

/// `text` with at most so many letters, the end left out.
pub(super) fn cut_end(text: &str, letters: usize) -> Cow<'_, str> {
    if text.chars().count() <= letters {
        return Cow::Borrowed(text);
    }
    let head: String = text.chars().take(letters.saturating_sub(1)).collect();
    Cow::Owned(format!("{}…", head.trim_end()))
}

/// Goes to a row in the flame graph.
pub(super) fn zoom_to(out: &mut Outbox, selection: Selection) {
    out.send(Command::Select(Some(selection)));
    out.send(Command::SetTab(Tab::Flame));
    out.send(Command::ZoomToSelection);
}

/// What a place says of itself on each side of a comparison; nothing for a capture alone. Looked up once while `name` asks for the same place.
pub(super) fn of_sides(ui: &Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, place: PlaceId, name: &str) -> Arc<Vec<Option<Place>>> {
    memory::keep(ui, name, memory::key(&(Arc::as_ptr(comparison).addr(), place)), || {
        let (captures, by) = (cx.app.profiles(), cx.app.view().granularity);
        let in_capture = |&row: &usize| {
            let (profile, frames) = captures.get(row).zip(comparison.shape.frames.get(row))?;
            comparison.places().in_capture(place, profile, frames, by)
        };
        let sides = if comparison.pair().is_some() { comparison.sides.as_slice() } else { &[] };
        Kept::new(sides.iter().map(|side| side.rows.iter().find_map(in_capture)).collect(), Arc::clone(comparison))
    })
}

/// The head of a tooltip: full name and where the code stands.
pub(super) fn place_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, id: PlaceId) {
    let (place, sides) = (comparison.places().get(id), of_sides(ui, cx, comparison, id, "place of the row on each side"));
    // Lines of a tooltip stand close: nothing in it is pressed.
    ui.spacing_mut().interact_size.y = 0.0;
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.label(RichText::new(words::whole(&place.name)).font(fonts::table()).strong());
    let inlined = if place.inlined { "inlined at least once" } else { "" };
    let folded = if place.folded { super::words::FOLDED } else { "" };
    let files = words::on_sides(place, &sides, words::file).into_iter().map(|text| ("file", text));
    let modules = words::on_sides(place, &sides, words::module).into_iter().map(|text| ("module", words::whole(&text).into_owned()));
    let rest = [("", inlined.to_owned()), ("", folded.to_owned())];
    for (what, text) in files.chain([("package", names::decode(&place.package))]).chain(modules).chain(rest) {
        if !text.is_empty() && text != place.name {
            ui.horizontal_wrapped(|ui| {
                if !what.is_empty() {
                    ui.label(RichText::new(what).font(fonts::small()).color(cx.theme.muted));
                }
                ui.label(RichText::new(text).font(fonts::small()));
            });
        }
    }
    ui.add_space(size::GAP);
}

/// Stored values with their words: what was measured, before it was normalised.
pub(super) fn values_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, values: &[(&str, Vec<i64>)]) {
    egui::Grid::new("values").num_columns(4).spacing([2.0 * size::PAD, 2.0]).show(ui, |ui| {
        for (what, stored) in values {
            for (at, (value, side)) in stored.iter().zip(&comparison.sides).enumerate() {
                let (words, color) = match (comparison.sides.len(), at) {
                    (2, 0) => (format!("{what} before"), cx.theme.before),
                    (2, _) => (format!("{what} after"), cx.theme.after),
                    _ => ((*what).to_owned(), cx.theme.muted),
                };
                ui.label(RichText::new(words).font(fonts::small()).color(color));
                for text in [comparison.value_text(*value), percent(share(side, *value)), raw_text(comparison, *value)] {
                    ui.label(RichText::new(text).font(fonts::table()));
                }
                ui.end_row();
            }
        }
    });
}

/// A value with all its digits.
fn raw_text(comparison: &Comparison, stored: i64) -> String {
    if comparison.decimals == 0 {
        let sign = if stored < 0 { "−" } else { "" };
        return format!("{sign}{} {}", grouped(stored.unsigned_abs()), comparison.unit);
    }
    format!("{:.*} {}", usize::from(comparison.decimals), comparison.in_unit(stored as f64), comparison.unit)
}

/// A stored value as a part of all that its side recorded.
pub(super) fn share(side: &Side, stored: i64) -> f64 {
    let whole = side.denominator();
    if whole > 0.0 { stored as f64 / whole } else { 0.0 }
}

/// Package, or the module where there is none.
pub(super) fn package_text(place: &Place) -> String {
    // As names are written beside it: Go escapes dots in the last element of a path.
    if place.package.is_empty() { base_name(&place.module).to_owned() } else { names::decode(&place.package) }
}

/// `file.go:12`, cut at its beginning where it is too long.
pub(super) fn location_text(place: &Place, max_chars: usize) -> String {
    let name = base_name(&place.file);
    let text = if place.line > 0 && !name.is_empty() { format!("{name}:{}", place.line) } else { name.to_owned() };
    cut_start(text, max_chars)
}

/// The end of a text in one line, with `…` where its beginning is missing.
pub(super) fn cut_start(text: String, max_chars: usize) -> String {
    let text = if text.contains(char::is_control) { text.chars().map(names::in_line).collect() } else { text };
    let chars = text.chars().count();
    if chars <= max_chars {
        return text;
    }
    let kept = max_chars.saturating_sub(1);
    std::iter::once('…').take(max_chars).chain(text.chars().skip(chars - kept)).collect()
}

/// The words for rows of a granularity.
pub(super) const fn places_word(granularity: Granularity, count: usize) -> &'static str {
    let (one, many) = match granularity {
        Granularity::Function => ("function", "functions"),
        Granularity::Line => ("line", "lines"),
        Granularity::File => ("file", "files"),
        Granularity::Package => ("package", "packages"),
        Granularity::Module => ("module", "modules"),
        Granularity::Address => ("address", "addresses"),
    };
    if count == 1 { one } else { many }
}

/// A line under a table.
pub(super) fn footer_ui(ui: &mut Ui, cx: &Cx<'_>, parts: &[String]) {
    egui::Panel::bottom(ui.scope_id().with("footer"))
        .exact_size(size::STATUS_BAR)
        .frame(egui::Frame::new().fill(cx.theme.surface).inner_margin(egui::Margin::symmetric(size::PAD as i8, 0)))
        .show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                ui.spacing_mut().item_spacing.x = 2.0 * size::PAD;
                for part in parts.iter().filter(|part| !part.is_empty()) {
                    ui.label(RichText::new(part).font(fonts::small()).color(cx.theme.muted));
                }
            });
        });
}

/// The bar above a table.
pub(super) fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, content: impl FnOnce(&mut Ui)) {
    egui::Panel::top(ui.scope_id().with("bar"))
        .exact_size(size::FILTER_BAR)
        .frame(egui::Frame::new().fill(cx.theme.surface).inner_margin(egui::Margin::symmetric(size::PAD as i8, 0)))
        .show(ui, |ui| ui.horizontal_centered(content));
}

/// What stands there while the first result is made.
pub(super) fn working_ui(ui: &mut Ui, cx: &Cx<'_>, words: &str) {
    ui.centered_and_justified(|ui| ui.label(RichText::new(words).color(cx.theme.muted)));
}
