//! The strip of time under the bars: how much of the sample type there is at each point of a capture's time, and the range that is chosen
//! of it. In a comparison each side has a lane of its own, since its captures have clocks of their own.
//!
//! Deliberately absent: the values, see `analysis::timeline`, and the gestures, see [`Brush`].

use egui::accesskit::Role;
use egui::{Align, Align2, Button, Color32, Layout, Mesh, Rect, RichText, Sense, Shape, Stroke, Tooltip, Ui, pos2, vec2};

use super::cx::{Cx, Outbox};
use super::shortcuts;
use super::theme::{Theme, fonts, size};
use super::widgets::brush::{Brush, Brushed, round_step};
use crate::analysis::comparison::counts_cpu;
use crate::analysis::normalize::Normalization;
use crate::analysis::span::Span;
use crate::analysis::timeline::Lane;
use crate::app::command::kind;
use crate::app::view::Side;
use crate::app::{App, Command};
use crate::model::{human_duration, time_mark};

/// Height of the line with words and buttons.
const HEAD: f32 = 18.0;
/// Height of one lane.
const LANE: f32 = 26.0;
/// Height of the times below the lanes.
const TICKS: f32 = size::TIMELINE - HEAD - LANE;
/// Least distance of two times that are written.
const TICK_POINTS: f64 = 90.0;
/// Room for the letter of a side.
const MARK: f32 = 18.0;

/// How high the strip is; `None` where there is none.
pub(super) fn height(app: &App) -> Option<f32> {
    let lanes = app.view().sides().len() as f32;
    (app.settings().timeline && app.has_times() && app.failure().is_none()).then_some(HEAD + lanes * LANE + TICKS)
}

/// Draws the strip.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let rect = ui.max_rect();
    let (_, unit) = cx.app.sample_type().unwrap_or_default();
    let Some((timeline, is_old)) = cx.app.shown_timeline() else { return };
    if is_old {
        // The old picture stays, dimmed, until the new one is there.
        ui.set_opacity(0.5);
    }
    let most = timeline.lanes.iter().flatten().map(Lane::most).fold(0.0, f64::max);
    let head = Rect::from_min_size(rect.min, vec2(rect.width(), HEAD));
    ui.scope_builder(egui::UiBuilder::new().max_rect(head), |ui| head_ui(ui, cx, &rate(most, &unit), out));
    let is_pair = cx.app.view().is_comparison();
    let sides = if is_pair { &Side::BOTH[..] } else { &[Side::After][..] };
    let left = rect.left() + if is_pair { MARK } else { 0.0 };
    let axis = timeline.nanos();
    let mut top = head.bottom();
    for (&side, lane) in sides.iter().zip(&timeline.lanes) {
        let area = Rect::from_min_max(pos2(left, top), pos2(rect.right(), top + LANE - 2.0));
        top += LANE;
        let color = match (is_pair, side) {
            (false, _) => cx.theme.accent,
            (true, Side::Before) => cx.theme.before,
            (true, Side::After) => cx.theme.after,
        };
        if is_pair {
            let letter = if side == Side::Before { "B" } else { "A" };
            ui.painter().text(pos2(rect.left(), area.center().y), Align2::LEFT_CENTER, letter, fonts::strong(), color);
        }
        lane_ui(ui, cx, &LaneInput { side, lane: lane.as_ref(), area, axis, most, unit: &unit, color }, out);
    }
    ticks_ui(ui, cx, Rect::from_min_max(pos2(left, top), pos2(rect.right(), top + TICKS)), axis);
}

/// A rate as text: `1.02 s/s`.
fn rate(value: f64, unit: &str) -> String {
    Normalization::PerSecond.text(value, unit)
}

/// What is drawn, and what can be done with the range.
fn head_ui(ui: &mut Ui, cx: &Cx<'_>, most: &str, out: &mut Outbox) {
    ui.style_mut().override_font_id = Some(fonts::small());
    ui.spacing_mut().interact_size.y = HEAD - 2.0;
    ui.spacing_mut().button_padding.y = 0.0;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let hide = ui.add(Button::new(RichText::new("▴").color(cx.theme.muted)).frame(false));
        if hide.on_hover_text("Hide the timeline; View > Timeline shows it again").accessible_name("Hide the timeline").clicked() {
            out.send(Command::SetTimeline(false));
        }
        let doing =
            [("clear-time-range", "All of the time"), ("compare-range", "Compare with…"), ("compare-rest", "Compare with the rest")];
        for (name, words) in doing {
            let Some((kind, todo)) = kind(name).and_then(|kind| Some((kind, (kind.resolve)(cx.app).ok()?))) else { continue };
            if ui.add(Button::new(words).fill(cx.theme.raised)).on_hover_text(kind.tooltip).clicked() {
                out.send(todo);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let name = cx.app.sample_type().unwrap_or_default().0;
            let name = if counts_cpu(&name) { "CPU use".to_owned() } else { name };
            ui.label(RichText::new(format!("{name} over time, at most {most}")).color(cx.theme.muted));
            let hint = match (cx.app.has_time_range(), cx.app.view().is_comparison()) {
                (true, _) => return,
                (false, false) => "Drag to choose a range",
                (false, true) => "Drag to choose a range of a side",
            };
            ui.label(RichText::new(format!("· {hint}")).color(cx.theme.muted));
        });
    });
}

struct LaneInput<'a> {
    side: Side,
    lane: Option<&'a Lane>,
    area: Rect,
    /// Length of the axis in nanoseconds.
    axis: i64,
    /// The value at the top.
    most: f64,
    unit: &'a str,
    color: Color32,
}

fn lane_ui(ui: &Ui, cx: &Cx<'_>, input: &LaneInput<'_>, out: &mut Outbox) {
    let LaneInput { side, lane, area, axis, most, unit, color } = *input;
    let is_pair = cx.app.view().is_comparison();
    let name = if is_pair { format!("Timeline of {}", side.word()) } else { "Timeline".to_owned() };
    ui.painter().rect_filled(area, 0.0, cx.theme.background);
    let Some(lane) = lane else {
        let text = "recorded without times: no range can be chosen";
        ui.painter().text(area.left_center() + vec2(size::PAD, 0.0), Align2::LEFT_CENTER, text, fonts::small(), cx.theme.muted);
        let why = "Its samples do not say when they were taken; perf.data, perf script and traces have times, most pprof files have none";
        ui.interact(area, ui.scope_id().with(name), Sense::hover()).on_hover_text(why);
        return;
    };
    ui.painter().add(Shape::mesh(bars(lane, area, axis, most, color)));
    let response = ui.interact(area, ui.scope_id().with(&name), Sense::click_and_drag());
    let chosen = cx.app.time_of(side);
    let brush = Brush { area, axis, length: lane.nanos, chosen, theme: cx.theme };
    let done = brush.show(ui, &response);
    let words = chosen.map_or_else(|| "all of the time".to_owned(), Span::words);
    response.widget_info(|| egui::WidgetInfo {
        current_text_value: Some(words.clone()),
        ..egui::WidgetInfo::labeled(Role::Canvas, true, &name)
    });
    send(ui, &done, out, |span| if is_pair { Command::SetSideTime(side, span) } else { Command::SetTimeRange(span) });
    if let Some(nanos) = done.hovered
        && let Some(value) = lane.at(nanos)
    {
        hover_ui(ui, cx, &response, &[format!("at {}: {}", human_duration(nanos as i64), rate(value, unit))]);
    }
}

/// Sends what a brush came to.
pub(super) fn send(ui: &Ui, done: &Brushed, out: &mut Outbox, command: impl FnOnce(Option<Span>) -> Command) {
    if done.is_dragging {
        shortcuts::hold_escape(ui.ctx());
    }
    if let Some(picked) = done.picked {
        out.send(command(picked.span()));
    }
}

/// Words beside the pointer, at once, as pictures have them.
pub(super) fn hover_ui(ui: &Ui, cx: &Cx<'_>, response: &egui::Response, lines: &[String]) {
    Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), response.id.with("tip"), egui::PopupAnchor::Pointer).gap(16.0).show(|ui| {
        for line in lines {
            ui.label(RichText::new(line).font(fonts::small()).color(cx.theme.text));
        }
    });
}

/// The bins as one mesh.
fn bars(lane: &Lane, area: Rect, axis: i64, most: f64, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    let width = area.width() * (lane.nanos as f64 / axis.max(1) as f64) as f32 / lane.bins.len().max(1) as f32;
    for (at, &value) in lane.bins.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let left = area.left() + at as f32 * width;
        let top = area.bottom() - (value / most.max(f64::MIN_POSITIVE)) as f32 * (area.height() - 1.0);
        mesh.add_colored_rect(Rect::from_min_max(pos2(left, top), pos2(left + width, area.bottom())), color.gamma_multiply(0.7));
    }
    mesh
}

fn ticks_ui(ui: &Ui, cx: &Cx<'_>, area: Rect, axis: i64) {
    let painter = ui.painter_at(area);
    painter.hline(area.x_range(), area.top(), Stroke::new(size::HAIRLINE, cx.theme.line));
    let (step, ticks) = ticks(axis, area);
    for (nanos, x) in ticks {
        painter.vline(x, area.top()..=area.top() + 3.0, Stroke::new(size::HAIRLINE, cx.theme.strong_line));
        tick_text(&painter, cx.theme, area, x, &time_mark(nanos as f64, axis as f64, step));
    }
}

fn tick_text(painter: &egui::Painter, theme: &Theme, area: Rect, x: f32, text: &str) {
    let galley = painter.layout_no_wrap(text.to_owned(), fonts::small(), theme.muted);
    // Beside its tick and not under it: the first and the last one have room too.
    if x + 3.0 + galley.size().x <= area.right() {
        painter.galley(pos2(x + 3.0, area.bottom() - galley.size().y), galley, theme.muted);
    }
}

/// Round times over an axis of so many nanoseconds, how far they are apart, and where they stand.
fn ticks(axis: i64, area: Rect) -> (f64, Vec<(i64, f32)>) {
    let width = f64::from(area.width().max(1.0));
    let step = round_step(axis as f64 * TICK_POINTS / width);
    let count = (axis as f64 / step).floor().min(1000.0) as i64;
    let x = |nanos: i64| area.left() + (nanos as f64 / axis.max(1) as f64 * width) as f32;
    (step, (0..=count).map(|at| at * step as i64).map(|nanos| (nanos, x(nanos))).collect())
}
