//! Which names of the two sides are one function, and by what: to be accepted, kept apart and taken back row by row.
//!
//! Deliberately absent: how names are matched (`analysis::matching`). Start reading at [`ui`].

use std::sync::Arc;

use egui::{Align, Button, Label, Layout, RichText, ScrollArea, Sense, Ui, vec2};

use crate::analysis::comparison::percent;
use crate::analysis::matching::{Class, MatchRow, Rule};
use crate::analysis::names;
use crate::app::derived::State;
use crate::app::view::Selection;
use crate::app::{Command, command};
use crate::model::grouped;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};

/// Height of a row: the name before above the name after.
const ROW: f32 = 40.0;
/// Widths of the shares and of the buttons.
const SHARES: f32 = 64.0;
const BUTTONS: f32 = 150.0;
/// Width of a letter of the table's face.
const LETTER: f32 = 7.3;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let findings = match cx.app.findings() {
        State::Ready(findings) => Arc::clone(findings),
        State::Failed(why) => {
            ui.label(RichText::new(why).color(cx.theme.error));
            return;
        }
        _ => {
            ui.label(RichText::new("Matching names…").color(cx.theme.muted));
            return;
        }
    };
    egui::Frame::new().inner_margin(size::PAD).show(ui, |ui| {
        let filter = bar_ui(ui, cx, out);
        ui.add_space(size::GAP);
        ui.add(Label::new(RichText::new(findings.matching.sentence()).color(cx.theme.text)).wrap());
        if !findings.matching.rows.is_empty() {
            let of = "Percentages beside names are of each side's whole, with callees";
            ui.add(Label::new(RichText::new(of).color(cx.theme.muted).font(fonts::small())).wrap());
        }
        ui.add_space(size::GAP);
        let matches = |row: &&MatchRow| {
            let mut names = row.before.iter().chain(&row.after);
            filter.is_empty() || row.class.label().contains(&filter) || names.any(|name| name.to_lowercase().contains(&filter))
        };
        let rows: Vec<&MatchRow> = findings.matching.rows.iter().filter(matches).collect();
        if rows.is_empty() {
            let text = if filter.is_empty() { "All functions have the same name on both sides" } else { "Nothing matches" };
            ui.label(RichText::new(text).color(cx.theme.muted));
            return;
        }
        let only_before = selected_before(cx, &findings.matching.rows);
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().id_salt("names").auto_shrink([false, false]).show_rows(ui, ROW, rows.len(), |ui, range| {
            for (at, row) in rows.iter().enumerate().skip(range.start).take(range.len()) {
                row_ui(ui, cx, at, row, only_before.as_deref(), out);
            }
        });
    });
}

/// The filter and what applies to all names; gives the filter in lower case.
fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) -> String {
    let id = egui::Id::unique("names filter");
    // Nobody misses this text after a restart.
    let mut text = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        let field = ui.add(egui::TextEdit::singleline(&mut text).hint_text("Filter names and reasons…").desired_width(240.0));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Filter the names"));
        if field.changed() {
            ui.data_mut(|data| data.insert_temp(id, text.clone()));
        }
        if let Some(kind) = command::kind("match-names") {
            let mut on = !cx.app.view().naming.exact;
            if ui.checkbox(&mut on, kind.title).on_hover_text(kind.tooltip).changed() {
                out.send(Command::MatchNames(on));
            }
        }
        if let Some(kind) = command::kind("reset-matches")
            && kind.makes_sense(cx.app)
        {
            let todo = kind.available(cx.app);
            if ui.add_enabled(todo.is_some(), egui::Button::new(kind.title)).on_hover_text(kind.tooltip).clicked()
                && let Some(todo) = todo
            {
                out.send(todo);
            }
        }
    });
    text.to_lowercase()
}

/// The selected function where it is one that is only before: those only after may be it.
fn selected_before(cx: &Cx<'_>, rows: &[MatchRow]) -> Option<String> {
    let name = &cx.app.view().selection.as_ref()?.place;
    rows.iter().any(|row| row.class == Class::OnlyBefore && row.before.contains(name)).then(|| name.clone())
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, at: usize, row: &MatchRow, only_before: Option<&str>, out: &mut Outbox) {
    let theme = cx.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let name = row.after.first().or(row.before.first()).cloned().unwrap_or_default();
    let selected = cx
        .app
        .view()
        .selection
        .as_ref()
        .is_some_and(|selection| row.before.contains(&selection.place) || row.after.contains(&selection.place));
    if selected {
        ui.painter().rect_filled(rect, 0.0, theme.selection);
    } else if !at.is_multiple_of(2) {
        ui.painter().rect_filled(rect, 0.0, theme.stripe);
    }
    let (label, before, after) = (row.class.label(), said(&row.before), said(&row.after));
    response
        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, format!("{label}: {before} before, {after} after")));
    let inside = rect.shrink2(vec2(6.0, 2.0));
    let part = |from: f32, to: f32| egui::Rect::from_x_y_ranges(from..=to.max(from), inside.y_range());
    let right = inside.right();
    let lines = |ui: &mut Ui, rect: egui::Rect, add: &mut dyn FnMut(&mut Ui)| {
        // A child and no scope: the row has its room already.
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::Min)));
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.spacing_mut().interact_size.y = 16.0;
        ui.set_clip_rect(ui.clip_rect().intersect(rect));
        add(&mut ui);
    };
    let reason_width = (inside.width() * 0.24).clamp(110.0, 210.0);
    lines(ui, part(inside.left(), inside.left() + reason_width), &mut |ui| {
        let color = if row.class == Class::Proposed { theme.warning } else { theme.text };
        ui.add(Label::new(RichText::new(reason(row)).color(color).font(fonts::table())).truncate().selectable(false));
    });
    let names_left = inside.left() + reason_width + 8.0;
    let names_right = right - SHARES - BUTTONS - 16.0;
    lines(ui, part(names_left, names_right), &mut |ui| {
        let letters = ((names_right - names_left) / LETTER - 2.0).max(8.0) as usize;
        for (side, color, names) in [("B", theme.before, &row.before), ("A", theme.after, &row.after)] {
            ui.horizontal(|ui| {
                ui.add(Label::new(RichText::new(side).color(color).font(fonts::small())).selectable(false));
                let (text, color) = match names.as_slice() {
                    [] => ("–".to_owned(), theme.muted),
                    [one] => (names::short(one, letters), theme.text),
                    [one, rest @ ..] => {
                        (format!("{} and {} more", names::short(one, letters.saturating_sub(14)), grouped(rest.len() as u64)), theme.text)
                    }
                };
                ui.add(Label::new(RichText::new(text).color(color).font(fonts::table())).truncate().selectable(false));
            });
        }
    });
    lines(ui, part(right - SHARES - BUTTONS - 8.0, right - BUTTONS - 8.0), &mut |ui| {
        for (share, names) in row.share.into_iter().zip([&row.before, &row.after]) {
            let text = if names.is_empty() { String::new() } else { percent(share) };
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                ui.add(Label::new(RichText::new(text).color(theme.muted).font(fonts::table())).selectable(false));
            });
        }
    });
    let buttons = part(right - BUTTONS, right).shrink2(vec2(0.0, 6.0));
    let mut buttons = ui.new_child(egui::UiBuilder::new().max_rect(buttons).layout(Layout::right_to_left(Align::Center)));
    for (text, tip, commands) in actions(row, only_before) {
        if buttons.add(Button::new(text).small()).on_hover_text(tip).clicked() {
            for command in commands {
                out.send(command);
            }
        }
    }
    let tip = format!("{label}\nbefore: {before}\nafter: {after}\nshares are of each side's total, with callees");
    if response.on_hover_text(tip).clicked() {
        out.send(Command::Select(Some(Selection { place: name, path: Vec::new() })));
    }
}

fn reason(row: &MatchRow) -> &'static str {
    match row.class {
        Class::Proposed => "proposed by its context",
        Class::OnlyBefore | Class::OnlyAfter if row.is_apart => "kept apart by you",
        other => other.label(),
    }
}

/// All names of a side, at most eight.
fn said(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        some if some.len() <= 8 => some.join(", "),
        some => format!("{} and {} more", some.iter().take(8).cloned().collect::<Vec<_>>().join(", "), grouped((some.len() - 8) as u64)),
    }
}

/// What may be done about a row, the rightmost first.
fn actions(row: &MatchRow, only_before: Option<&str>) -> Vec<(&'static str, String, Vec<Command>)> {
    let name = row.before.first().or(row.after.first()).cloned().unwrap_or_default();
    // Any one name of a family would leave the others matched.
    let apart = || row.before.iter().cloned().map(Command::KeepApart).collect::<Vec<_>>();
    match row.class {
        Class::Proposed => {
            let both = row.before.first().cloned().zip(row.after.first().cloned());
            let accept = both.map(|(before, after)| Command::AcceptMatch(before, after)).into_iter().collect();
            vec![
                ("Not it", "One is gone and the other is new".to_owned(), apart()),
                ("Accept", "They are one function, and its cost is compared".to_owned(), accept),
            ]
        }
        Class::Rule(Rule::Accepted) => {
            vec![("Take back", "Decide by rules and context again".to_owned(), vec![Command::ForgetMatch(name)])]
        }
        Class::Rule(_) => vec![("Keep apart", "They are two functions".to_owned(), apart())],
        Class::OnlyBefore | Class::OnlyAfter if row.is_apart => {
            vec![("Match again", "Decide by rules and context again".to_owned(), vec![Command::ForgetMatch(name)])]
        }
        Class::OnlyAfter => only_before
            .map(|before| {
                ("Is the selected", format!("This is what {before} is called now"), vec![Command::AcceptMatch(before.to_owned(), name)])
            })
            .into_iter()
            .collect(),
        Class::OnlyBefore | Class::Exact => Vec::new(),
    }
}
