//! What decides which findings there are and which of them are shown: thresholds and filter.

use egui::{DragValue, RichText, Ui};

use super::List;
use crate::app::findings::{FindingKind, Thresholds};
use crate::app::{Command, command};
use crate::model::grouped;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::fonts;

/// Error level and minimum effect, to be changed by typing or dragging.
pub(super) fn thresholds_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let set = cx.app.view().thresholds;
    let id = egui::Id::unique("thresholds being set");
    let mut draft = ui.data(|data| data.get_temp::<Thresholds>(id)).unwrap_or(set);
    let mut busy = false;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 3.0;
        ui.spacing_mut().interact_size.x = 30.0;
        ui.style_mut().drag_value_text_style = egui::TextStyle::Small;
        let mut value = |ui: &mut Ui, part: &mut f64, most: f64, name: &str, tip: &str| {
            let mut percent = *part * 100.0;
            let field =
                DragValue::new(&mut percent).range(0.0..=most).speed(0.05).custom_formatter(|value, _| short(value)).custom_parser(parsed);
            let field = ui.add(field);
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name));
            if field.changed() {
                *part = percent / 100.0;
            }
            busy |= field.dragged() || field.has_focus();
            field.on_hover_text(tip);
        };
        let word = |ui: &mut Ui, text: &str| ui.label(RichText::new(text).color(cx.theme.muted).font(fonts::small()));
        word(ui, "False alarms ≤");
        value(ui, &mut draft.level, 50.0, "Error level", "Error level: so many of the changes named may be chance");
        word(ui, "changes ≥ ±");
        value(
            ui,
            &mut draft.min_ratio,
            500.0,
            "Minimum effect of a function",
            "Minimum effect: a change that surely lies within ± this is not named …",
        );
        word(ui, "or");
        value(ui, &mut draft.min_share, 50.0, "Minimum effect in the total", "… unless it is more than this part of the total");
        word(ui, "of all");
        if let Some(kind) = command::kind("reset-thresholds")
            && kind.makes_sense(cx.app)
        {
            let todo = kind.available(cx.app);
            let button = ui.add_enabled(todo.is_some(), egui::Button::new("↺").small()).on_hover_text(kind.title);
            if button.clicked()
                && let Some(todo) = todo
            {
                out.send(todo);
                draft = Thresholds::default();
            }
        }
    });
    // One command when the hand is off: everything is judged again.
    if busy {
        ui.data_mut(|data| data.insert_temp(id, draft));
        return;
    }
    ui.data_mut(|data| data.remove::<Thresholds>(id));
    if draft != set && draft != Thresholds::default() {
        out.send(Command::SetThresholds(draft));
    }
}

/// At most three decimals and no zeros behind them: `5 %`, `0.1 %`.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What was typed over it, with or without its sign.
fn parsed(text: &str) -> Option<f64> {
    text.trim().trim_end_matches('%').trim_end().replace(',', ".").parse().ok()
}

/// Text, grouping and kinds.
pub(super) fn filter_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, out: &mut Outbox) {
    let filter = &cx.app.view().findings;
    ui.horizontal_wrapped(|ui| {
        let mut text = filter.text.clone();
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.x = 5.0;
        // On the side all of it stands in one line.
        let width = (ui.available_width() - 320.0).clamp(84.0, 220.0);
        let field = ui.add(egui::TextEdit::singleline(&mut text).hint_text("Filter…").desired_width(width));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Filter the findings"));
        if field.changed() {
            out.send(Command::FilterFindings(text.clone()));
        }
        if !text.is_empty() && ui.small_button("✕").on_hover_text("Clear the filter").clicked() {
            out.send(Command::FilterFindings(String::new()));
        }
        if let Some(kind) = command::kind("group-findings") {
            let mut on = filter.grouped;
            if ui.checkbox(&mut on, "Group").on_hover_text(kind.tooltip).changed() {
                out.send(Command::GroupFindings(on));
            }
        }
        for kind in FindingKind::ALL {
            let rows = list.findings.rows.iter().filter(|row| FindingKind::of(row.verdict) == kind).count();
            let count = if kind == FindingKind::Others { list.findings.others.len() + list.findings.others_left_out } else { rows };
            let shown = !filter.hidden.contains(&kind);
            if count == 0 && shown {
                continue;
            }
            let tip = if shown { "Click to hide" } else { "Click to show" };
            let text = RichText::new(format!("{} {}", kind.label(), grouped(count as u64))).font(fonts::small());
            let response = ui.selectable_label(shown, text);
            if response.on_hover_text(tip).clicked() {
                out.send(Command::ShowFindings(kind, !shown));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{parsed, short};

    #[test]
    fn thresholds_are_written_short_and_read_back() {
        for (value, text) in [(5.0, "5 %"), (0.1, "0.1 %"), (100.0, "100 %"), (0.0, "0 %"), (12.345, "12.345 %")] {
            assert_eq!((short(value).as_str(), parsed(text)), (text, Some(value)));
        }
        assert_eq!([parsed(" 2,5"), parsed("2.5%"), parsed("much")], [Some(2.5), Some(2.5), None]);
    }
}
