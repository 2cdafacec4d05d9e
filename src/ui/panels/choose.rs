//! What stands there where a view is of one function and none is chosen: what to do, and the first rows of the top table to choose from.

use egui::{Label, RichText, ScrollArea, Sense, Ui, vec2};

use super::words;
use crate::analysis::comparison::{Side, percent};
use crate::analysis::flat::{self, OrderBy};
use crate::analysis::{Measure, PlaceId, names};
use crate::app::Command;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};

/// How many functions are listed.
const LISTED: usize = 20;
/// Letters between two columns.
const BETWEEN: usize = 2;

/// What a view shows of a function.
pub(super) struct Choice {
    /// In a sentence.
    pub(super) what: &'static str,
    /// The word before the function's name, for people who hear the list: `Sandwich of`.
    pub(super) label: &'static str,
    /// What a click does.
    pub(super) command: fn(String) -> Command,
}

/// Draws the list. `missing` is a function that is selected and stands in no stack that is shown.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, choice: &Choice, missing: Option<&str>, out: &mut Outbox) {
    egui::Frame::new().inner_margin(size::PAD).show(ui, |ui| {
        ui.label(RichText::new("Choose a function").font(fonts::title()));
        let what = match missing {
            Some(name) => format!("{} stands in no stack that is shown; filters may leave it out", names::short(name, 60)),
            None => choice.what.to_owned(),
        };
        ui.add(Label::new(RichText::new(what).color(cx.theme.muted)).wrap());
        let Some((shown, _)) = cx.app.shown_rows() else { return };
        if shown.rows.places.is_empty() {
            return;
        }
        ui.add_space(size::PAD);
        let is_pair = shown.comparison.pair().is_some();
        // The numbers that the order goes by.
        let (measure, by_ratio) = (cx.app.view().measure, matches!(cx.app.rows_spec().by, OrderBy::Ratio(_)));
        let order = if is_pair {
            let last = if by_ratio { "ratio" } else { "delta" };
            format!("{0} before, {0} after, {last}", measure.name())
        } else {
            "self, total".to_owned()
        };
        let order = format!("The first rows of the top table, in its order: {order}");
        ui.label(RichText::new(order).color(cx.theme.muted).font(fonts::small()));
        ui.add_space(size::GAP);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let values = |&place: &PlaceId| {
                let values = if is_pair {
                    let change = flat::change(&shown.comparison, &shown.flat, measure, place);
                    let text = |value: f64| shown.comparison.text(value);
                    let sign = if change.delta() > 0.0 { "+" } else { "" };
                    let delta = if by_ratio { change.ratio_text() } else { format!("{sign}{}", text(change.delta())) };
                    vec![text(change.before), text(change.after), delta]
                } else {
                    let of = shown.comparison.last().map_or(0.0, Side::denominator);
                    let share = |measure| shown.flat.sides.first().map_or(0.0, |side| side.value(measure, place) as f64) / of.max(1.0);
                    vec![percent(share(Measure::Self_)), percent(share(Measure::Total))]
                };
                (place, values)
            };
            let rows: Vec<(PlaceId, Vec<String>)> = shown.rows.places.iter().take(LISTED).map(values).collect();
            let width = |at: usize| rows.iter().filter_map(|(_, values)| values.get(at)).map(|text| text.chars().count()).max();
            // Where each column ends, in letters.
            let ends: Vec<usize> = (0..)
                .map_while(width)
                .scan(0, |end, width| {
                    *end += width + BETWEEN;
                    Some(*end)
                })
                .collect();
            for (place, values) in &rows {
                let name = shown.comparison.places().name(*place);
                if row_ui(ui, cx, choice.label, name, values, &ends) {
                    out.send((choice.command)(name.to_owned()));
                }
            }
        });
    });
}

/// One line, its values ending at so many letters; true when it was clicked.
fn row_ui(ui: &mut Ui, cx: &Cx<'_>, label: &str, name: &str, values: &[String], ends: &[usize]) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::TABLE_ROW), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{label} {name}, {}", values.join(", "))));
    if ui.is_rect_visible(rect) {
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, f32::from(size::CORNER), cx.theme.hover);
        }
        let width = ui.fonts_mut(|fonts| fonts.glyph_width(&fonts::table(), '0')).max(1.0);
        let left = ends.last().copied().unwrap_or(0) as f32 * width + 2.0 * size::PAD;
        let letters = ((rect.width() - left) / width).max(8.0) as usize;
        let at = rect.left_center() + vec2(left, 0.0);
        ui.painter().text(at, egui::Align2::LEFT_CENTER, names::short(name, letters), fonts::table(), cx.theme.text);
        for (value, &end) in values.iter().zip(ends) {
            let right = rect.left_center() + vec2(end as f32 * width, 0.0);
            ui.painter().text(right, egui::Align2::RIGHT_CENTER, value, fonts::table(), cx.theme.muted);
        }
    }
    response.on_hover_text(words::whole(name)).clicked()
}
