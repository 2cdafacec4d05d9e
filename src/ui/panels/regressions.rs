//! What got worse between before and after, grouped by where it comes from; and what did not change, in grey.
//!
//! The same list on the side and as a view of its own: where there is room, a finding has a column for each number.
//! Deliberately absent: the list's order and filter (`app::findings`). Start reading at [`ui`].

mod bars;
mod below;
mod rows;
pub(in crate::ui::panels) mod text;

use std::sync::Arc;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::analysis::comparison::Comparison;
use crate::analysis::diff::Noise;
use crate::analysis::regress::{Finding, Findings};
use crate::app::derived::State;
use crate::app::findings::FindingKind;
use crate::app::view::Tab;
use crate::app::{Command, command};
use crate::report::remarks::Remarks;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::panels::{remarks, words};
use crate::ui::theme::{fonts, size};
use rows::Columns;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let is_wide = ui.available_width() >= Columns::least_width() + 2.0 * size::PAD;
    let margin = if is_wide { size::PAD } else { 0.0 };
    egui::Frame::new().inner_margin(margin).show(ui, |ui| panel_ui(ui, cx, is_wide, out));
}

fn panel_ui(ui: &mut Ui, cx: &Cx<'_>, is_wide: bool, out: &mut Outbox) {
    title_ui(ui, cx, out);
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
    let list = List::new(cx, &comparison, &findings);
    if is_wide {
        head_ui(ui, cx, &list, out);
        let columns = Columns::wide(ui.available_width());
        rows::heads_ui(ui, cx, &columns, &list);
        ScrollArea::vertical().id_salt("findings").auto_shrink([false, false]).show(ui, |ui| list_ui(ui, cx, &list, &columns, out));
    } else {
        // The summary scrolls with the list: on a small screen the list needs the room.
        let width = words::width_beside_bar(ui);
        let is_short = ui.available_height() < SHORT;
        ScrollArea::vertical().id_salt("regressions").auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(width);
            if is_short {
                short_head_ui(ui, cx, &list, out);
            } else {
                head_ui(ui, cx, &list, out);
            }
            list_ui(ui, cx, &list, &Columns::narrow(), out);
        });
    }
}

/// What the rows are drawn from.
struct List<'a> {
    comparison: &'a Comparison,
    findings: &'a Findings,
    /// Rows of the findings as they stand on screen.
    order: Vec<usize>,
    /// Rows of the others that the filter lets through.
    others: Vec<&'a Finding>,
    /// What was written about them.
    remarks: &'a Remarks,
    /// For each row of the findings: what it explains together with those of its direction that rank before it.
    together: Vec<f64>,
}

impl<'a> List<'a> {
    fn new(cx: &Cx<'a>, comparison: &'a Comparison, findings: &'a Findings) -> Self {
        let filter = &cx.app.view().findings;
        let mut sums = [0.0, 0.0];
        let together = findings.rows.iter().map(|row| {
            let sum = &mut sums[usize::from(row.delta > 0.0)];
            if row.verdict.is_change() {
                *sum += row.explains;
            }
            *sum
        });
        Self {
            comparison,
            findings,
            order: cx.app.finding_order(),
            others: findings.others.iter().filter(|row| filter.shows(row)).collect(),
            remarks: cx.app.remarks(),
            together: together.collect(),
        }
    }
}

/// The title, what numbers are a part of, and what goes through the list and copies it.
fn title_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
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
                let button = ui.add_enabled(todo.is_some(), egui::Button::new(text));
                button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, kind.title));
                if button.on_hover_text(format!("{}{keys}", kind.tooltip)).clicked()
                    && let Some(todo) = todo
                {
                    out.send(todo);
                }
            }
            if let Some(comparison) = cx.app.table().ready() {
                let of = match noise_words(comparison, cx.app.table_diff().ready().map(|diff| &diff.noise)) {
                    Some(noise) => format!("{noise}; {}", comparison.denominator_text()),
                    None => comparison.denominator_text(),
                };
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(RichText::new(&of).color(cx.theme.muted).font(fonts::small())).truncate()).on_hover_text(&of);
                });
            }
        });
    });
}

/// What noise is known from, where there is more than one capture a side: `noise from 5 + 5 captures`.
fn noise_words(comparison: &Comparison, noise: Option<&Noise>) -> Option<String> {
    let (before, after) = comparison.pair()?;
    let counts = [before, after].map(|side| side.captures.len());
    match noise? {
        Noise { is_from_repeats: true, .. } => Some(format!("noise from {} + {} captures", counts[0], counts[1])),
        Noise { slices: Some((slices, _)), .. } => Some(format!("noise from {slices} slices of time")),
        _ if counts == [1, 1] => None,
        _ => Some(format!("{} + {} captures, too few to know their noise", counts[0], counts[1])),
    }
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

/// Under this height the list keeps to the answer: with the details open on a small screen, findings need the room.
const SHORT: f32 = 400.0;

/// The answer in one sentence; the rest of it and what decides which rows are shown under a fold.
fn short_head_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, out: &mut Outbox) {
    let (first, rest) = text::sentences(&list.findings.summary);
    ui.add(Label::new(RichText::new(first).color(cx.theme.text)).wrap());
    remark_ui(ui, cx, list);
    let hidden = list.findings.rows.len() - list.order.len();
    let title = match hidden {
        0 => "More, thresholds and filter".to_owned(),
        _ => format!("More, thresholds and filter ({hidden} hidden)"),
    };
    let fold = egui::CollapsingHeader::new(RichText::new(title).color(cx.theme.muted).font(fonts::small())).id_salt("rest of the head");
    let header = fold.show(ui, |ui| {
        rest_ui(ui, cx, rest);
        bars::thresholds_ui(ui, cx, out);
        bars::filter_ui(ui, cx, list, out);
    });
    if !rest.is_empty() {
        header.header_response.on_hover_text(rest);
    }
}

/// The summary, its first sentence first, and what decides which rows are shown.
fn head_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, out: &mut Outbox) {
    let (first, rest) = text::sentences(&list.findings.summary);
    ui.add(Label::new(RichText::new(first).color(cx.theme.text)).wrap());
    rest_ui(ui, cx, rest);
    remark_ui(ui, cx, list);
    ui.add_space(size::GAP);
    bars::thresholds_ui(ui, cx, out);
    bars::filter_ui(ui, cx, list, out);
    ui.add_space(size::GAP);
}

/// What the summary says after its first sentence.
fn rest_ui(ui: &mut Ui, cx: &Cx<'_>, rest: &str) {
    if !rest.is_empty() {
        ui.add(Label::new(RichText::new(rest).color(cx.theme.muted).font(fonts::small())).wrap());
    }
}

/// What was written about all of it.
fn remark_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>) {
    if !list.remarks.on(None).is_empty() {
        ui.add(Label::new(RichText::new(format!("“{}”", list.remarks.on(None))).color(cx.theme.text)).wrap())
            .on_hover_text("Remark on the whole comparison");
    }
}

fn list_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, columns: &Columns, out: &mut Outbox) {
    let selected = cx.app.selected_finding();
    let reveal = newly(ui, "finding on view", selected);
    let mut group = None;
    let unchanged = words::unchanged_ratio(list.comparison, list.findings);
    for &at in &list.order {
        let Some(finding) = list.findings.rows.get(at) else { continue };
        if cx.app.view().findings.grouped && group != Some(finding.cause) {
            group = Some(finding.cause);
            rows::group_ui(ui, cx, list, finding.cause);
        }
        let together = list.together.get(at).copied().unwrap_or(0.0);
        let response = rows::finding_ui(ui, cx, list, finding, columns, (together, unchanged), selected == Some(at));
        if reveal && selected == Some(at) {
            response.scroll_to_me(None);
        }
        if response.clicked() {
            out.send(Command::SelectFinding(finding.rank));
        }
        response.context_menu(|ui| {
            if ui.button("Trend").on_hover_text("In each capture of a side, and over time").clicked() {
                out.send(Command::SelectFinding(finding.rank));
                out.send(Command::SetMeasure(finding.measure));
                out.send(Command::SetTab(Tab::Trend));
                ui.close();
            }
        });
    }
    if list.order.is_empty() && !list.findings.rows.is_empty() {
        let hidden = list.findings.rows.len();
        let text = format!("{hidden} findings are hidden by the filter");
        ui.label(RichText::new(text).color(cx.theme.muted));
    }
    ui.add_space(size::GAP);
    remarks::section_ui(ui, cx, out);
    below::differences_ui(ui, cx, list.findings);
    below::notes_ui(ui, cx, list.findings);
    below::names_ui(ui, cx, list.findings, out);
    if !cx.app.view().findings.hidden.contains(&FindingKind::Others) {
        below::others_ui(ui, cx, list, columns, out);
    }
}

/// True in the frames right after a value became another one than before: with the first selection the details come, and it takes a moment until the
/// list has the height that they leave it.
fn newly(ui: &Ui, name: &str, now: Option<usize>) -> bool {
    const FRAMES: u64 = 3;
    let (id, frame) = (egui::Id::unique(("newly", name)), ui.ctx().cumulative_frame_nr());
    let before = ui.data(|data| data.get_temp::<(Option<usize>, u64)>(id));
    let until = match before {
        Some((value, until)) if value == now => until,
        Some(_) => frame + FRAMES,
        None => 0,
    };
    ui.data_mut(|data| data.insert_temp(id, (now, until)));
    let is_new = frame < until;
    if is_new {
        ui.ctx().request_repaint();
    }
    is_new
}
