//! A single capture's answer before anything is touched: how concentrated the cost is, the hottest functions, the hottest path.

use std::sync::Arc;

use egui::{Align, Layout, Rect, RichText, ScrollArea, Sense, Ui, vec2};

use super::flame::all_self_words;
use super::rows::places_word;
use super::{remarks, words};
use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::flat::places_of_most;
use crate::analysis::{CallTree, Granularity, NodeId, PlaceId, Top, names};
use crate::app::view::Selection;
use crate::app::{App, Command};
use crate::model::grouped;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{fonts, size};

/// How many functions are listed at least.
const LISTED: usize = 12;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.label(RichText::new("Hot paths").font(fonts::title()));
    let (Some(comparison), Some(top)) = (cx.app.table().ready(), cx.app.top().ready()) else {
        words::adding_up_ui(ui, cx.theme);
        return;
    };
    let Some(side) = comparison.last() else { return };
    // What passes the filters is what is ranked; percent are of the same whole as in all other views.
    let whole = side.denominator();
    let stackless = side.weights.self_of(CallTree::ROOT);
    let by = cx.app.view().granularity;
    let answer = concentration(top, stackless, by, all_self_words(cx, comparison), &|value| words::value(comparison, value));
    ui.add(egui::Label::new(RichText::new(answer).color(cx.theme.muted)).wrap());
    if whole == 0.0 || top.rows.is_empty() {
        return;
    }
    ui.add_space(size::GAP);
    let width = words::width_beside_bar(ui);
    // A large screen has room for more, and for the path below.
    let listed = LISTED.max((ui.available_height() / size::TABLE_ROW / 2.0) as usize);
    ScrollArea::vertical().id_salt("hot paths").auto_shrink([false, true]).show(ui, |ui| {
        ui.set_max_width(width);
        ui.label(RichText::new(title(by)).font(fonts::strong()));
        for row in top.rows.iter().take(listed).filter(|row| row.self_ != 0) {
            let tip = format!("self {}, total {}", words::value(comparison, row.self_), words::value(comparison, row.total));
            if row_ui(ui, cx, comparison, row.place, row.self_ as f64 / whole, &tip, 0) {
                let place = comparison.places().name(row.place).to_owned();
                out.send(Command::Select(Some(Selection { place, path: Vec::new() })));
            }
        }
        let path = hottest_path(ui, comparison);
        if !path.is_empty() {
            ui.add_space(size::PAD);
            ui.label(RichText::new("Hottest path").font(fonts::strong()))
                .on_hover_text("From the root to the largest total at every step, as long as it holds half of its caller");
        }
        for (depth, node) in path.iter().copied().enumerate() {
            let value = side.weights.total_of(node);
            let tip = format!("total {}", words::value(comparison, value));
            if row_ui(ui, cx, comparison, comparison.tree().place(node), value as f64 / whole, &tip, depth.min(12)) {
                let place = comparison.places().name(comparison.tree().place(node)).to_owned();
                out.send(Command::Select(Some(Selection { place, path: App::names_of(comparison, node) })));
            }
        }
        ui.add_space(size::PAD);
        remarks::section_ui(ui, cx, out);
    });
}

/// `Functions by self`, `Lines by self`.
fn title(by: Granularity) -> String {
    let word = places_word(by, 2);
    format!("{}{} by self", word[..1].to_uppercase(), &word[1..])
}

/// How many functions make up four fifths of the cost; where they do not, what they make up, and what the rest is. `stackless` is the value of
/// the samples without a stack, `of` says what all of them together are. Values are added up without their signs: what rises here and falls there is no
/// nothing.
fn concentration(top: &Top, stackless: i64, by: Granularity, of: &str, text: &dyn Fn(i64) -> String) -> String {
    let size = |value: i64| value.unsigned_abs() as f64;
    let of_functions: f64 = top.rows.iter().map(|row| size(row.self_)).sum();
    let whole = of_functions + size(stackless);
    let places = |count: usize| format!("{} {}", grouped(count as u64), places_word(by, count));
    if whole == 0.0 {
        return "Nothing has a value here".to_owned();
    }
    if of_functions == 0.0 {
        return format!("No {} has a value: {} without a stack", places_word(by, 1), text(stackless));
    }
    let sizes = top.rows.iter().map(|row| row.self_.unsigned_abs());
    let Some(needed) = places_of_most(sizes, stackless.unsigned_abs()) else {
        let (part, rest) = (percent(of_functions / whole), text(stackless));
        let all = if top.rows.len() == 1 { places(1) } else { format!("All {}", places(top.rows.len())) };
        return format!("{all}: {part} of {of}; {rest} without a stack");
    };
    let signs = if top.rows.iter().any(|row| row.self_ < 0) { ", signs left out" } else { "" };
    let make = if needed == 1 { "makes" } else { "make" };
    format!("{} of {} {make} up 80 % of {of}{signs}", grouped(needed as u64), places(top.rows.len()))
}

/// From the root down the largest child, while it holds at least half of its parent.
fn hottest_path(ui: &Ui, comparison: &Arc<Comparison>) -> Arc<Vec<NodeId>> {
    memory::keep(ui, "hottest path", memory::key(&Arc::as_ptr(comparison).addr()), || {
        let tree = comparison.tree();
        let weight = |node: NodeId| comparison.last().map_or(0, |side| side.weights.total_of(node).unsigned_abs());
        let (mut path, mut at) = (Vec::new(), CallTree::ROOT);
        while let Some(heaviest) = tree.children(at).max_by_key(|&child| weight(child)) {
            if weight(heaviest) == 0 || weight(heaviest) * 2 < weight(at) {
                break;
            }
            path.push(heaviest);
            at = heaviest;
        }
        Kept::new(path, Arc::clone(comparison))
    })
}

/// One line: a bar as long as the share, the name, the share. True when it was clicked.
fn row_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, place: PlaceId, share: f64, tip: &str, indent: usize) -> bool {
    let name = comparison.places().name(place);
    let selected = cx.app.view().selection.as_ref().is_some_and(|selection| selection.place == name);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::TABLE_ROW), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{name}, {}", percent(share))));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if ui.is_rect_visible(rect) {
        let ground = if selected {
            cx.theme.selection
        } else if response.hovered() {
            cx.theme.hover
        } else {
            cx.theme.surface
        };
        ui.painter().rect_filled(rect, 2.0, ground);
        let bar = Rect::from_min_size(rect.left_bottom() - vec2(0.0, 2.0), vec2(rect.width() * share.clamp(0.0, 1.0) as f32, 2.0));
        ui.painter().rect_filled(bar, 0.0, cx.theme.accent);
        let mut inside =
            ui.new_child(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(4.0, 0.0))).layout(Layout::right_to_left(Align::Center)));
        inside.add(egui::Label::new(words::number(&percent(share)).color(cx.theme.text)).selectable(false));
        inside.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(indent as f32 * 6.0);
            let letters = (ui.available_width() / 7.2).max(4.0) as usize;
            ui.add(egui::Label::new(words::number(&names::short(name, letters)).color(cx.theme.text)).truncate().selectable(false));
        });
    }
    response.on_hover_text(format!("{}\n{tip}", words::whole(name))).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TopRow;

    #[test]
    fn what_is_said_of_four_fifths_is_true() {
        let said = |values: &[i64], stackless: i64| {
            let place = crate::analysis::Places::root();
            let rows = values.iter().map(|&self_| TopRow { place, self_, total: self_ }).collect();
            concentration(&Top { rows }, stackless, Granularity::Function, "self", &|value| format!("{value} ms"))
        };
        assert_eq!(said(&[70, 20, 10], 0), "2 of 3 functions make up 80 % of self");
        assert_eq!(said(&[90, 10], 0), "1 of 2 functions makes up 80 % of self");
        assert_eq!(said(&[30, 20], 50), "All 2 functions: 50.0 % of self; 50 ms without a stack");
        assert_eq!(said(&[33], 67), "1 function: 33.0 % of self; 67 ms without a stack");
        assert_eq!(said(&[], 147), "No function has a value: 147 ms without a stack");
        assert_eq!(said(&[], 0), "Nothing has a value here");
        assert_eq!(said(&[-50, 40, 10], 0), "2 of 3 functions make up 80 % of self, signs left out");
        let rows = vec![TopRow { place: crate::analysis::Places::root(), self_: 9, total: 9 }];
        assert_eq!(concentration(&Top { rows }, 0, Granularity::Line, "self", &|_| String::new()), "1 of 1 line makes up 80 % of self");
        assert_eq!(title(Granularity::Address), "Addresses by self");
    }
}
