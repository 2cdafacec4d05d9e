//! What stands above the pictures: which function, and what it costs.

use std::sync::Arc;

use egui::{Label, RichText, Ui};

use super::{flame, muted};
use crate::analysis::NodeId;
use crate::analysis::comparison::Side;
use crate::analysis::diff::Measure;
use crate::analysis::sandwich::Sandwich;
use crate::analysis::unfold::has_value;
use crate::app::ShownSandwich;
use crate::model::counted;
use crate::ui::cx::Cx;
use crate::ui::memory::{self, Kept};
use crate::ui::panels::{details, words};
use crate::ui::theme::{fonts, size};

/// The name, total and self, and what 100 % is.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, sandwich: &Sandwich) {
    let comparison = &sandwich.callees.comparison;
    let name = comparison.places().name(sandwich.place);
    let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(size::PAD as i8, 2));
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().interact_size.y = size::TABLE_ROW - 4.0;
        let label = Label::new(RichText::new(words::whole(name)).font(fonts::table()).strong().color(cx.theme.text)).truncate();
        ui.add(label).on_hover_text(words::whole(name));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = size::GAP;
            values_ui(ui, cx, sandwich);
            let (first, last) = if cx.app.settings().icicle { ("callers", "callees") } else { ("callees", "callers") };
            ui.label(muted(cx, format!("{first} above, {last} below"))).on_hover_text(
                "All occurrences of the function are put together. Each sample counts once: a stack is cut at its outermost frame of the \
                 function, so the callers' boxes add up to the total, and what the function calls, itself too, is among the callees.",
            );
        });
    });
}

fn values_ui(ui: &mut Ui, cx: &Cx<'_>, sandwich: &Sandwich) {
    let comparison = &sandwich.callees.comparison;
    let separate = |ui: &mut Ui| ui.add_space(size::PAD);
    let total_of = |side: &Side| side.weights.total_of(sandwich.callees.function());
    let totals = comparison.sides.iter().map(total_of).collect();
    let place = cx.app.table().ready().and_then(|table| table.places().find(comparison.places().name(sandwich.place)));
    for (word, measure, values) in [("total", Measure::Total, totals), ("self", Measure::Self_, sandwich.selfs.clone())] {
        let stored = |side: usize| values.get(side).copied().unwrap_or(0);
        ui.label(RichText::new(word).color(cx.theme.muted));
        if let Some((before, after)) = comparison.pair() {
            let (b, a) = (stored(0) as f64 * comparison.factor(before), stored(1) as f64 * comparison.factor(after));
            let sure = place.is_none_or(|place| details::is_sure(cx, measure, place));
            ui.label(words::number(&comparison.text(b)).color(cx.theme.before)).on_hover_text("before");
            ui.label(RichText::new("→").color(cx.theme.muted));
            ui.label(words::number(&comparison.text(a)).color(cx.theme.after)).on_hover_text("after");
            ui.label(words::number(&words::change(b, a)).color(words::change_color(cx.theme, a - b, sure)));
        } else if let Some(side) = comparison.last() {
            let value = stored(0);
            ui.label(words::number(&words::value(comparison, value)));
            ui.label(words::number(&words::share(value as f64, side.denominator())).color(cx.theme.muted));
        }
        separate(ui);
    }
    ui.label(muted(cx, comparison.denominator_text()));
    separate(ui);
}

/// How many boxes of the pictures match the search.
pub(super) fn found_ui(ui: &mut Ui, cx: &Cx<'_>, shown: &ShownSandwich) {
    let Some(found) = cx.app.matches().ready() else { return };
    let key = memory::key(&[Arc::as_ptr(&shown.sandwich).addr(), Arc::as_ptr(found).addr()]);
    let count = memory::keep(ui, "matches in the sandwich", key, || {
        // The function has a node in each tree, and one box.
        let in_half = |half: &crate::analysis::sandwich::Half| {
            let tree = half.comparison.tree();
            let is_found = |&node: &NodeId| found.places.contains(&tree.place(node)) && has_value(&half.comparison, node);
            tree.nodes().skip(2).filter(is_found).count()
        };
        let own = usize::from(found.places.contains(&shown.sandwich.place));
        let count = own + in_half(&shown.sandwich.callers) + in_half(&shown.sandwich.callees);
        Kept::new(count, (Arc::clone(&shown.sandwich), Arc::clone(found)))
    });
    let text = if *count == 0 { "no match here".to_owned() } else { counted(*count as u64, "box", "boxes") };
    ui.label(RichText::new(text).color(flame::found_color(cx, &shown.sandwich.callees.comparison)));
}
