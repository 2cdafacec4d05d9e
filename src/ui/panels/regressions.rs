//! What got worse between before and after, ranked by how sure and how large the change is; and what did not change, in grey.

use std::sync::Arc;

use egui::{Align, CollapsingHeader, Frame, Label, Layout, RichText, ScrollArea, Sense, Ui};

use super::words;
use crate::analysis::comparable::Concern;
use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::diff::Verdict;
use crate::analysis::names;
use crate::analysis::regress::{Answer, Finding, Findings, part_of_change};
use crate::app::derived::State;
use crate::app::view::Selection;
use crate::app::{Command, command};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::interval_bar;
use crate::ui::words::counted;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Regressions").font(fonts::title()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            copy_ui(ui, cx, out);
            for name in ["next-finding", "previous-finding"] {
                let Some(kind) = command::kind(name) else { continue };
                let text = match name {
                    "next-finding" => "▼",
                    _ => "▲",
                };
                let keys = kind.keys.first().map(|keys| format!(" ({})", keys.text())).unwrap_or_default();
                let todo = kind.available(cx.app);
                let button = ui.add_enabled(todo.is_some(), egui::Button::new(text).small());
                button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, kind.title));
                if button.on_hover_text(format!("{}{keys}", kind.tooltip)).clicked()
                    && let Some(todo) = todo
                {
                    out.send(todo);
                }
            }
        });
    });
    let (comparison, findings) = match (cx.app.table(), cx.app.findings()) {
        (State::Ready(comparison), State::Ready(findings)) => (Arc::clone(comparison), Arc::clone(findings)),
        (_, State::Failed(why)) | (State::Failed(why), _) => {
            ui.label(RichText::new(why).color(cx.theme.error));
            return;
        }
        _ => {
            ui.label(RichText::new("Looking for regressions…").color(cx.theme.muted));
            return;
        }
    };
    ScrollArea::vertical().id_salt("regressions").auto_shrink([false, false]).show(ui, |ui| {
        ui.add(Label::new(RichText::new(&findings.summary).color(cx.theme.text)).wrap());
        ui.add_space(size::GAP);
        ui.add(Label::new(RichText::new(comparison.denominator_text()).color(cx.theme.muted).font(fonts::small())).wrap());
        ui.add_space(size::PAD);
        let selected = cx.app.selected_finding();
        let improvements = findings.rows.iter().position(|finding| !finding.verdict.is_worse());
        for (at, finding) in findings.rows.iter().enumerate() {
            if Some(at) == improvements {
                ui.add_space(size::GAP);
                ui.label(RichText::new("Improvements").font(fonts::strong()));
            }
            if card_ui(ui, cx, &comparison, finding, selected == Some(at)) {
                out.send(Command::SelectFinding(finding.rank));
            }
        }
        differences_ui(ui, cx, &findings);
        notes_ui(ui, cx, &findings);
        others_ui(ui, cx, &comparison, &findings, out);
    });
}

/// A menu with the forms in which the findings can be copied.
fn copy_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let response = ui.menu_button("⧉", |ui| {
        for name in ["copy-findings", "copy-findings-markdown", "copy-findings-csv"] {
            let Some(kind) = command::kind(name) else { continue };
            let todo = kind.available(cx.app);
            if ui.add_enabled(todo.is_some(), egui::Button::new(kind.title)).on_hover_text(kind.tooltip).clicked()
                && let Some(todo) = todo
            {
                out.send(todo);
                ui.close();
            }
        }
    });
    response.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Copy findings"));
    response.response.on_hover_text("Copy the findings");
}

/// One finding in three lines; true when it was clicked.
fn card_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, finding: &Finding, selected: bool) -> bool {
    let theme = cx.theme;
    let sign = if finding.delta >= 0.0 { 1.0 } else { -1.0 };
    let color = theme.delta_text(sign);
    let stroke = if selected { egui::Stroke::new(size::OUTLINE, theme.accent) } else { egui::Stroke::new(size::HAIRLINE, theme.line) };
    let frame = Frame::new().fill(theme.raised).stroke(stroke).corner_radius(size::CORNER).inner_margin(6.0);
    let inner = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.add(Label::new(RichText::new(format!("{}", finding.rank)).color(theme.muted).font(fonts::small())).selectable(false));
            ui.add(Label::new(RichText::new(finding.verdict.label()).color(color).font(fonts::strong())).selectable(false));
            ui.add(Label::new(RichText::new(finding.measure.name()).color(theme.muted).font(fonts::small())).selectable(false));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = match finding.verdict {
                    Verdict::New => "new".to_owned(),
                    Verdict::Gone => "gone".to_owned(),
                    _ => words::ratio(finding.ratio),
                };
                ui.add(Label::new(words::number(&text).strong().color(color)).selectable(false));
                interval_bar::ui(ui, theme, finding.ratio, finding.ratio_lo, finding.ratio_hi, 72.0);
            });
        });
        let letters = (ui.available_width() / 7.3).max(8.0) as usize;
        ui.add(Label::new(words::number(&names::short(&finding.func, letters)).color(theme.text)).truncate().selectable(false));
        let delta = if finding.delta >= 0.0 {
            format!("+{}", comparison.text(finding.delta))
        } else {
            format!("−{}", comparison.text(-finding.delta))
        };
        let values = format!("{} → {}  ({delta})", comparison.text(finding.before), comparison.text(finding.after));
        ui.horizontal(|ui| {
            ui.add(Label::new(words::number(&values).color(theme.text)).selectable(false));
        });
        let sure = format!("{}; explains {} of the change", finding.why, part_of_change(finding.explains));
        ui.add(Label::new(RichText::new(sure).color(theme.muted).font(fonts::small())).wrap().selectable(false));
    });
    ui.add_space(size::GAP);
    let response = inner.response.interact(Sense::click());
    let said = format!("{} {}: {} {}", finding.rank, finding.verdict.label(), finding.func, words::ratio(finding.ratio));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, said.clone()));
    let tip = format!(
        "{}\n95 %: {}\np {:.3e}, q {:.3e}\nevents {:.0} → {:.0}\nsmallest growth that could be seen: {}",
        finding.func,
        words::ratios(finding.ratio_lo, finding.ratio_hi),
        finding.p,
        finding.q,
        finding.events[0],
        finding.events[1],
        if finding.minimum_detectable.is_finite() { format!("+{}", percent(finding.minimum_detectable)) } else { "none".to_owned() },
    );
    response.on_hover_text(tip).clicked()
}

/// In what the captures differ: open where it bends the numbers.
fn differences_ui(ui: &mut Ui, cx: &Cx<'_>, findings: &Findings) {
    if findings.differences.is_empty() {
        return;
    }
    let warnings = findings.differences.iter().filter(|row| row.concern == Concern::Warning).count();
    let (title, color) = match warnings {
        0 => ("Differences between the captures".to_owned(), cx.theme.muted),
        n => (format!("⚠ {} between the captures that bend the numbers", counted(n as u64, "difference", "differences")), cx.theme.warning),
    };
    CollapsingHeader::new(RichText::new(title).color(color)).id_salt("differences").default_open(warnings > 0).show(ui, |ui| {
        for row in &findings.differences {
            let color = if row.concern == Concern::Warning { cx.theme.warning } else { cx.theme.muted };
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(row.what).color(color).font(fonts::strong()));
                let side = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
                ui.label(words::number(&format!("{} → {}", side(&row.before), side(&row.after))));
            });
            let text = if row.concern == Concern::Scaled { format!("taken out: {}", row.text) } else { row.text.clone() };
            ui.add(Label::new(RichText::new(text).color(cx.theme.muted).font(fonts::small())).wrap());
        }
    });
}

fn notes_ui(ui: &mut Ui, cx: &Cx<'_>, findings: &Findings) {
    if findings.notes.is_empty() {
        return;
    }
    CollapsingHeader::new(RichText::new("How this was judged").color(cx.theme.muted)).id_salt("judged").show(ui, |ui| {
        for note in &findings.notes {
            ui.add(Label::new(RichText::new(note).color(cx.theme.muted).font(fonts::small())).wrap());
        }
        ui.label(RichText::new(format!("{} rows were tested", findings.tests)).color(cx.theme.muted).font(fonts::small()));
    });
}

/// Everything that is no finding, with its numbers, in grey.
fn others_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, findings: &Findings, out: &mut Outbox) {
    let count = findings.others.len() + findings.others_left_out;
    let open = findings.others.iter().filter(|row| row.answer(findings.growth) == Answer::CannotTell).count();
    let hidden = if open > 0 { format!(", {open} could hide a growth of {}", percent(findings.growth)) } else { String::new() };
    let title = format!("Everything else: {count} functions{hidden}");
    CollapsingHeader::new(RichText::new(title).color(cx.theme.muted)).id_salt("others").show(ui, |ui| {
        for row in findings.others.iter().take(200) {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = size::GAP;
                let text = format!("{:>8}", words::ratio(row.ratio));
                ui.label(words::number(&text).color(cx.theme.muted));
                let letters = (ui.available_width() / 7.3 - 14.0).max(8.0) as usize;
                let name = RichText::new(names::short(&row.func, letters)).font(fonts::table()).color(cx.theme.muted);
                let link = ui.add(Label::new(name).truncate().sense(Sense::click()));
                let tip = format!(
                    "{}\n{} → {}\n{}: {}",
                    row.func,
                    comparison.text(row.before),
                    comparison.text(row.after),
                    row.verdict.label(),
                    row.why
                );
                if link.on_hover_text(tip).clicked() {
                    out.send(Command::Select(Some(Selection { place: row.func.clone(), path: Vec::new() })));
                }
            });
        }
        if count > 200 {
            ui.label(RichText::new(format!("{} more stand in the top table", count - 200)).color(cx.theme.muted).font(fonts::small()));
        }
    });
}
