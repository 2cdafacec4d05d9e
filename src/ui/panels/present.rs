//! A presentation: what one stop says in large letters, and under it the view in front, without bars.
//!
//! Stops are the summary and then the findings as they stand in their list; what else is selected has its numbers in the same place. Deliberately absent: which
//! stop comes next (`app::apply::pick`), and how large all of it is (`ui::shell`). Start reading at [`ui`].

use std::sync::Arc;

use egui::{Align, Button, CentralPanel, Frame, Label, Layout, Margin, Panel, RichText, Ui};

use super::regressions::text;
use super::{details, words};
use crate::analysis::PlaceId;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::diff::Measure;
use crate::analysis::names;
use crate::analysis::regress::{Finding, Findings};
use crate::app::command;
use crate::app::derived::State;
use crate::model::counted;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};
use crate::ui::{shell, status, waiting};

/// Width of a letter of the headline's monospaced face, as a part of its size.
const LETTER: f32 = 0.61;

/// Height of the three lines of a finding.
const LINES: f32 = 80.0;

/// Draws the presentation.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let theme = cx.theme;
    let frame = Frame::new().fill(theme.surface).inner_margin(Margin::symmetric(16, 10));
    Panel::top("headline").resizable(false).frame(frame).show(ui, |ui| headline_ui(ui, cx, out));
    let bar = Frame::new().fill(theme.surface).inner_margin(Margin::symmetric(16, 2));
    Panel::bottom("facts of the presentation").exact_size(size::STATUS_BAR).frame(bar).show(ui, |ui| status::ui(ui, cx, out));
    CentralPanel::default().frame(Frame::new().fill(theme.background)).show(ui, |ui| {
        if !waiting::ui(ui, cx, out) {
            shell::tab_ui(ui, cx, out);
        }
    });
}

fn headline_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.horizontal_top(|ui| {
        // The picture below stays where it is from one finding to the next.
        ui.set_min_height(if cx.app.view().is_comparison() { LINES } else { 0.0 });
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            steps_ui(ui, cx, out);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = size::GAP;
                stop_ui(ui, cx);
            });
        });
    });
}

/// Where one stands, and what goes on, back and out; keys do the same.
fn steps_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.spacing_mut().item_spacing.x = size::GAP;
    let order = cx.app.finding_order();
    let steps = [("present", "✕", "Escape"), ("next-finding", "▶", ". or PageDown"), ("previous-finding", "◀", ", or PageUp")];
    for (name, sign, keys) in steps.into_iter().take(if order.is_empty() { 1 } else { 3 }) {
        let Some(kind) = command::kind(name) else { continue };
        let (todo, title) = (kind.available(cx.app), if name == "present" { "End the presentation" } else { kind.title });
        let button = ui.add_enabled(todo.is_some(), Button::new(RichText::new(sign).color(cx.theme.muted)).frame_when_inactive(false));
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, title));
        if button.on_hover_text(format!("{title} ({keys})")).clicked()
            && let Some(todo) = todo
        {
            out.send(todo);
        }
    }
    let at = cx.app.selected_finding().and_then(|row| order.iter().position(|&other| other == row));
    let place = match at {
        Some(at) => format!("{} of {}", at + 1, order.len()),
        None if order.is_empty() => return,
        None => counted(order.len() as u64, "finding", "findings"),
    };
    ui.label(RichText::new(place).font(fonts::title()).color(cx.theme.muted));
}

/// The finding or function that is selected, else the whole.
fn stop_ui(ui: &mut Ui, cx: &Cx<'_>) {
    let Some(comparison) = cx.app.table().ready() else {
        large_ui(ui, cx, &cx.app.shown_names().join(" → "));
        return;
    };
    let Some(selection) = &cx.app.view().selection else {
        whole_ui(ui, cx, comparison);
        remark_ui(ui, cx, None);
        return;
    };
    let finding = cx.app.selected_finding();
    let findings = cx.app.findings().ready();
    match findings.and_then(|findings| Some((findings, findings.rows.get(finding?)?))) {
        Some((findings, finding)) => finding_ui(ui, cx, comparison, findings, finding),
        None => function_ui(ui, cx, comparison, &selection.place),
    }
    remark_ui(ui, cx, Some(&selection.place));
}

/// What was written about the stop.
fn remark_ui(ui: &mut Ui, cx: &Cx<'_>, function: Option<&str>) {
    let remarks = cx.app.remarks();
    let text = remarks.on(function);
    if !text.is_empty() {
        line_ui(ui, RichText::new(format!("“{text}”")).color(cx.theme.text).font(fonts::title()));
    }
}

/// What the answer is, or of what the picture is.
fn whole_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison) {
    match cx.app.findings() {
        State::Ready(findings) => {
            let (first, rest) = text::sentences(&findings.summary);
            large_ui(ui, cx, first);
            // On a small screen the picture needs the room.
            let has_room = ui.ctx().content_rect().height() >= 440.0;
            if !rest.is_empty() && has_room {
                line_ui(ui, RichText::new(rest).color(cx.theme.muted).font(fonts::body()));
            }
        }
        State::Working => large_ui(ui, cx, "Looking for regressions…"),
        State::Failed(why) => large_ui(ui, cx, why),
        State::Unwanted => {
            large_ui(ui, cx, &cx.app.shown_names().join(" → "));
            line_ui(ui, RichText::new(comparison.denominator_text()).color(cx.theme.muted).font(fonts::title()));
        }
    }
}

fn finding_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, findings: &Findings, finding: &Finding) {
    let color = text::finding_color(cx.theme, finding);
    name_ui(ui, cx, Some((finding.verdict.label(), color)), &finding.func);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = size::PAD;
        let said = text::ratios(finding);
        ui.label(RichText::new(finding.measure.name()).font(fonts::title()).color(cx.theme.muted));
        ui.label(RichText::new(text::values(comparison, finding)).font(fonts::title()).color(cx.theme.text));
        ui.label(RichText::new(said.first).font(fonts::title()).color(color));
        let aside = said.aside.map_or_else(String::new, |aside| format!("{aside}; "));
        if !finding.verdict.is_structure() {
            let interval = format!("({aside}95 %: {})", words::ratios(finding.ratio_lo, finding.ratio_hi));
            ui.label(RichText::new(interval).font(fonts::body()).color(cx.theme.muted));
        }
    });
    let mut facts = vec![finding.because.clone()];
    if finding.explains > 0.0 {
        facts.push(format!("{} of {}", text::explains(finding.explains), findings.whole_of(finding)));
    }
    if !finding.verdict.is_structure() && finding.q < 1.0 {
        facts.push(format!("by chance {}", words::chance(finding.q)));
    }
    facts.retain(|fact| !fact.is_empty());
    line_ui(ui, RichText::new(facts.join(" · ")).color(cx.theme.muted).font(fonts::body()));
}

/// A function that is no finding: its numbers.
fn function_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, name: &str) {
    name_ui(ui, cx, None, name);
    let Some(place) = comparison.places().find(name) else {
        line_ui(ui, RichText::new("does not occur in what is shown").color(cx.theme.muted).font(fonts::title()));
        return;
    };
    let sums = details::sums(ui, comparison);
    let stored = |measure: Measure| -> Vec<i64> {
        let column = |(self_, total): &(Vec<i64>, Vec<i64>)| {
            let column = if measure == Measure::Self_ { self_ } else { total };
            column.get(place.row()).copied().unwrap_or(0)
        };
        sums.iter().map(column).collect()
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = size::PAD;
        for measure in [Measure::Total, Measure::Self_] {
            ui.label(RichText::new(measure.name()).font(fonts::title()).color(cx.theme.muted));
            values_ui(ui, cx, comparison, measure, place, &stored(measure));
            ui.add_space(size::PAD);
        }
    });
}

/// What a function costs: before, after and the change, or the value and its share.
fn values_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, measure: Measure, place: PlaceId, stored: &[i64]) {
    let number = |text: String, color| RichText::new(text).font(fonts::title()).color(color);
    match (comparison.pair(), stored) {
        (Some((before, after)), &[b, a]) => {
            let (b, a) = (b as f64 * comparison.factor(before), a as f64 * comparison.factor(after));
            ui.label(number(format!("{} → {}", comparison.text(b), comparison.text(a)), cx.theme.text));
            let color = words::change_color(cx.theme, a - b, details::is_sure(cx, measure, place));
            ui.label(number(words::change(b, a), color));
        }
        (None, &[value]) => {
            let of = comparison.last().map_or(0.0, Side::denominator);
            ui.label(number(words::value(comparison, value), cx.theme.text));
            ui.label(number(words::share(value as f64, of), cx.theme.muted));
        }
        _ => {}
    }
}

/// A verdict and a name in one line.
fn name_ui(ui: &mut Ui, cx: &Cx<'_>, verdict: Option<(&str, egui::Color32)>, name: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = size::PAD * 1.5;
        if let Some((verdict, color)) = verdict {
            ui.label(RichText::new(verdict).font(fonts::headline()).color(color));
        }
        let letters = (ui.available_width() / (fonts::headline_name().size * LETTER)).max(12.0) as usize;
        let short = names::short(name, letters);
        let label = Label::new(RichText::new(short).font(fonts::headline_name()).color(cx.theme.text)).truncate();
        ui.add(label).on_hover_text(words::whole(name));
    });
}

fn large_ui(ui: &mut Ui, cx: &Cx<'_>, text: &str) {
    line_ui(ui, RichText::new(text).font(fonts::headline()).color(cx.theme.text));
}

fn line_ui(ui: &mut Ui, text: RichText) {
    ui.add(Label::new(text).wrap());
}
