//! The selected function, or everything, in each capture of a side and over time, before and after on one axis, with mean
//! and interval of each side.

use std::sync::Arc;

use egui::{Align, Color32, Layout, RichText, ScrollArea, Sense, Ui, pos2, vec2};
use egui_plot::{HLine, HoverPosition, Line as Curve, Plot, PlotPoint, PlotTransform, PlotUi, Points, Polygon};

use super::words;
use crate::analysis::comparison::{Comparison, Normalization, counts_cpu};
use crate::analysis::diff::Measure;
use crate::analysis::part::Part;
use crate::analysis::trend::{Line, Point, Trend};
use crate::app::Command;
use crate::app::derived::State;
use crate::app::view::Side;
use crate::model::{Scale, Unit, counted, human_duration};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};
use crate::ui::timeline;
use crate::ui::widgets::brush::Brush;

/// Height of a plot in points, of one with a value or two, and the room between the sides in values.
const HEIGHT: f32 = 210.0;
const LOW: f32 = 96.0;
const GAP: f64 = 1.0;
/// The plot over time takes the height that is left, within these; words and axis around it need so much.
const HEIGHT_MIN: f32 = 150.0;
const HEIGHT_MAX: f32 = 320.0;
const AROUND: f32 = 96.0;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    egui::Frame::new().inner_margin(size::PAD).show(ui, |ui| {
        if let Some(selection) = &cx.app.view().selection {
            head_ui(ui, cx, &selection.place, out);
        } else {
            ui.label(RichText::new("Everything that is shown").font(fonts::title()));
            ui.label(RichText::new("Click a box, a row or a finding to follow one function").color(cx.theme.muted).font(fonts::small()));
            ui.add_space(size::GAP);
        }
        match (cx.app.table(), cx.app.trend()) {
            (State::Ready(comparison), State::Ready(trend)) => {
                let (comparison, trend) = (Arc::clone(comparison), Arc::clone(trend));
                let room = ui.available_height();
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    let top = ui.cursor().top();
                    if trend.captures.iter().any(|line| line.points.len() > 1) || comparison.pair().is_some() {
                        captures_ui(ui, cx, &comparison, &trend.captures, out);
                    }
                    let left = room - (ui.cursor().top() - top) - AROUND;
                    time_ui(ui, cx, &comparison, &trend, left.clamp(HEIGHT_MIN, HEIGHT_MAX), out);
                });
            }
            (_, State::Failed(why)) => drop(ui.label(RichText::new(why).color(cx.theme.error))),
            (State::Ready(_), State::Unwanted) => {
                ui.label(RichText::new("It does not occur in what is shown").color(cx.theme.muted));
            }
            _ => drop(ui.label(RichText::new("Following it…").color(cx.theme.muted))),
        }
    });
}

/// The name, and the switch between self and total.
fn head_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, out: &mut Outbox) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (measure, text) in [(Measure::Total, "Total"), (Measure::Self_, "Self")] {
                if ui.selectable_label(cx.app.trend_measure() == measure, text).clicked() {
                    out.send(Command::SetMeasure(measure));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(words::number(&words::whole(name)).strong()).truncate()).on_hover_text(words::whole(name));
            });
        });
    });
}

/// How one of the two plots writes its values.
struct Words<'a> {
    /// Above the plot.
    title: &'a str,
    /// Beside the title.
    unit: String,
    /// Marks stand at multiples of its powers: numbers that are round as they are written, which of KiB and MiB are powers of two.
    base: i64,
    /// What one of several points is of, and more of them.
    of: [&'static str; 2],
    /// Marks of its axis: all in the unit of the highest value.
    scale: Scale,
    /// A value.
    text: &'a dyn Fn(f64) -> String,
}

fn base_of(comparison: &Comparison) -> i64 {
    if matches!(Unit::parse(&comparison.unit), Unit::Memory(_)) { 2 } else { 10 }
}

/// A value with a true minus.
fn signed(text: &dyn Fn(f64) -> String, value: f64) -> String {
    if value < 0.0 { format!("−{}", text(-value)) } else { text(value) }
}

/// Name and colour of a side's line.
fn side_of(cx: &Cx<'_>, is_pair: bool, at: usize) -> (&'static str, Color32) {
    match (is_pair, at) {
        (true, 0) => ("before", cx.theme.before),
        (true, _) => ("after", cx.theme.after),
        (false, _) => ("value", cx.theme.accent),
    }
}

/// Title, unit, and each side's mean with its interval in the side's colour; false where all is zero and there is nothing to draw.
fn caption_ui(ui: &mut Ui, cx: &Cx<'_>, is_pair: bool, words: &Words<'_>, lines: &[Line], out: &mut Outbox) -> bool {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(words.title).font(fonts::strong()));
        ui.label(RichText::new(&words.unit).font(fonts::small()).color(cx.theme.muted));
    });
    if lines.iter().flat_map(|line| &line.points).all(|point| point.value == 0.0) {
        ui.horizontal(|ui| {
            let is_self = cx.app.trend_measure() == Measure::Self_;
            let text = if is_self { "Its self value is zero everywhere" } else { "Zero everywhere" };
            ui.label(RichText::new(text).color(cx.theme.muted));
            // Most functions on a path only call others.
            if is_self && ui.link("Show its total").clicked() {
                out.send(Command::SetMeasure(Measure::Total));
            }
        });
        ui.add_space(size::PAD * 2.0);
        return false;
    }
    ui.horizontal_wrapped(|ui| {
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.points.is_empty()) {
            let (word, color) = side_of(cx, is_pair, at);
            let mean = signed(words.text, line.mean);
            let text = match line.interval {
                Some([lo, hi]) => {
                    let (lo, hi) = (signed(words.text, lo), signed(words.text, hi));
                    let of = counted(line.points.len() as u64, words.of[0], words.of[1]);
                    format!("{word}: mean {mean} (95 %: {lo} to {hi}) of {of}")
                }
                None => format!("{word}: {mean}, one value, so no interval"),
            };
            ui.label(RichText::new(text).font(fonts::small()).color(color));
            ui.add_space(size::PAD);
        }
    });
    true
}

/// The highest value, or 0.
fn highest(lines: &[Line]) -> f64 {
    lines.iter().flat_map(|line| &line.points).map(|point| point.value).fold(0.0, f64::max)
}

/// A plot that nothing moves, from 0 to a little above the highest value.
fn plot<'a>(cx: &Cx<'_>, words: &'a Words<'a>, lines: &[Line]) -> Plot<'a> {
    let highest = highest(lines);
    Plot::new(words.title)
        .height(HEIGHT)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_x(false)
        .show_crosshair(false)
        .grid_color(cx.theme.line)
        .label_formatter(|at| match at {
            HoverPosition::NearDataPoint { plot_name, position, .. } => Some(format!("{plot_name}\n{}", signed(words.text, position.y))),
            HoverPosition::Elsewhere { .. } => None,
        })
        .y_grid_spacer(egui_plot::log_grid_spacer(words.base))
        .y_axis_formatter(|mark, _| words.scale.mark(mark.value, mark.step_size))
        .include_y(0.0)
        .include_y(if highest > 0.0 { highest * 1.1 } else { 1.0 })
}

/// The mean of a line, and its interval as a band, over a part of the horizontal axis.
fn mean_ui(plot: &mut PlotUi<'_>, line: &Line, [from, to]: [f64; 2], color: Color32) {
    if let Some([lo, hi]) = line.interval {
        let band = vec![[from, lo], [to, lo], [to, hi], [from, hi]];
        plot.polygon(Polygon::new("", band).fill_color(color.gamma_multiply(0.18)).stroke(egui::Stroke::NONE).allow_hover(false));
    }
    if !line.points.is_empty() {
        plot.line(Curve::new("", vec![[from, line.mean], [to, line.mean]]).color(color).width(1.0).allow_hover(false));
    }
}

/// A value for each capture, side after side, with the captures' names below.
fn captures_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, lines: &[Line], out: &mut Outbox) {
    let unit = format!("{}, {}", comparison.sample_type, comparison.denominator_text());
    let base = if *comparison.effective_normalization() == Normalization::Share { 10 } else { base_of(comparison) };
    let scale = comparison.scale(highest(lines));
    let words = Words { title: "Per capture", unit, base, of: ["capture", "captures"], scale, text: &|value| comparison.text(value) };
    let is_pair = comparison.pair().is_some();
    if !caption_ui(ui, cx, is_pair, &words, lines, out) {
        return;
    }
    let names = capture_names(cx);
    let mut left = 0.0;
    let mut marks: Vec<(f64, String)> = Vec::new();
    let height = if lines.iter().any(|line| line.points.len() > 1) { HEIGHT } else { LOW };
    let shown = plot(cx, &words, lines).height(height).show_axes([false, true]).show_grid([false, true]).show(ui, |plot| {
        for (at, line) in lines.iter().enumerate() {
            let (word, color) = side_of(cx, is_pair, at);
            let right = left + (line.points.len().max(1) - 1) as f64;
            mean_ui(plot, line, [left - 0.4, right + 0.4], color);
            for (at, point) in line.points.iter().enumerate() {
                let name = names.get(point.capture).map_or("", String::as_str);
                let x = left + at as f64;
                plot.points(Points::new(format!("{word}: {name}"), vec![[x, point.value]]).color(color).radius(3.5));
                marks.push((x, name.to_owned()));
            }
            left = right + 1.0 + GAP;
        }
        plot.hline(HLine::new("", 0.0).color(cx.theme.line).width(1.0).allow_hover(false));
        marks
    });
    names_ui(ui, cx, &shown.transform, &shown.inner);
    ui.add_space(size::PAD * 2.0);
}

/// The names of the captures shown, before first; where two sides are parts of one capture, with the part.
fn capture_names(cx: &Cx<'_>) -> Vec<String> {
    let sides = cx.app.view().sides();
    let parts = if sides.len() > 1 { &cx.app.view().parts[..] } else { &[Part::WHOLE][..] };
    let of = |(ids, part): (Vec<_>, &Part)| {
        ids.into_iter()
            .map(|id| cx.app.capture(id).map_or_else(String::new, |capture| cx.app.name_of_part(capture, part)))
            .collect::<Vec<_>>()
    };
    sides.into_iter().zip(parts).flat_map(of).collect()
}

/// The names under their points, each as wide as there is room up to the next one; what all of them begin with is left out where it
/// would push out what tells them apart.
fn names_ui(ui: &mut Ui, cx: &Cx<'_>, transform: &PlotTransform, marks: &[(f64, String)]) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), fonts::small().size + size::GAP), Sense::hover());
    let painter = ui.painter_at(rect);
    let x = |at: f64| transform.position_from_point(&PlotPoint::new(at, 0.0)).x;
    let room = (x(1.0) - x(0.0)).abs().min(rect.width()) - size::PAD;
    if room < 20.0 {
        return;
    }
    let letters = (room / 6.0).max(3.0) as usize;
    let longest = marks.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
    let skipped = if longest > letters { common_start(marks.iter().map(|(_, name)| name.as_str())) } else { 0 };
    for (at, name) in marks {
        let rest: String = name.chars().skip(skipped).collect();
        let text = if skipped > 0 && !rest.is_empty() { format!("…{rest}") } else { name.clone() };
        let mut job = egui::text::LayoutJob::simple_singleline(text, fonts::small(), cx.theme.muted);
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        let galley = painter.layout_job(job);
        let left = (x(*at) - galley.size().x / 2.0).clamp(rect.left(), (rect.right() - galley.size().x).max(rect.left()));
        painter.galley(pos2(left, rect.top()), galley, cx.theme.muted);
    }
}

/// So many letters are the same at the beginning of all names, up to the last one that ends a word.
fn common_start<'a>(mut names: impl Iterator<Item = &'a str> + Clone) -> usize {
    let Some(first) = names.next() else { return 0 };
    let same = |other: &str| first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let Some(shared) = names.clone().map(same).min().filter(|_| names.any(|other| other != first)) else { return 0 };
    let ends = first.chars().take(shared).enumerate().filter(|(_, letter)| !letter.is_alphanumeric());
    ends.last().map_or(0, |(at, _)| at + 1)
}

/// Rates over time: the captures of all sides on one axis from their first samples on. A drag chooses a range of it.
fn time_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, trend: &Trend, height: f32, out: &mut Outbox) {
    let lines = &trend.slices;
    if lines.iter().all(|line| line.points.is_empty()) {
        let which = if cx.app.view().captures().len() == 1 { "this capture" } else { "these captures" };
        let why = format!("Samples of {which} have no times, so there is nothing to draw over time");
        ui.label(RichText::new(why).color(cx.theme.muted));
        return;
    }
    let is_time = matches!(Unit::parse(&comparison.unit), Unit::Time(_));
    let meaning = if is_time && counts_cpu(&comparison.sample_type) { "; 1 s/s is one processor in use" } else { "" };
    let unit = format!("{} per second, by seconds since the first sample{meaning}", comparison.sample_type);
    let text = |value: f64| Normalization::PerSecond.text(value, &comparison.unit);
    let (base, scale) = (base_of(comparison), Scale::of_axis(highest(lines), &comparison.unit).per("/s"));
    let words = Words { title: "Over time", unit, base, of: ["slice of time", "slices of time"], scale, text: &text };
    let is_pair = comparison.pair().is_some();
    if !caption_ui(ui, cx, is_pair, &words, lines, out) {
        return;
    }
    let names = capture_names(cx);
    let end = trend.nanos as f64 / 1e9;
    let drawn = plot(cx, &words, lines)
        .height(height)
        .sense(Sense::click_and_drag())
        .show_axes([true, true])
        .show_grid([false, true])
        .include_x(0.0)
        .include_x(end)
        .x_axis_formatter(|mark, _| if mark.value < 0.0 { String::new() } else { seconds(mark.value) });
    let shown = drawn.show(ui, |plot| {
        for (at, line) in lines.iter().enumerate() {
            let (word, color) = side_of(cx, is_pair, at);
            let span = |point: &Point| point.nanos.map(|ends| ends.map(|nanos| nanos as f64 / 1e9)).unwrap_or_default();
            let from = line.points.iter().map(|point| span(point)[0]).fold(end, f64::min);
            let to = line.points.iter().map(|point| span(point)[1]).fold(0.0, f64::max);
            mean_ui(plot, line, [from, to.max(from)], color);
            for points in line.points.chunk_by(|a, b| a.capture == b.capture) {
                let values: Vec<[f64; 2]> = points.iter().map(|point| [point.middle_nanos as f64 / 1e9, point.value]).collect();
                plot.line(Curve::new("", values.clone()).color(color.gamma_multiply(0.5)).width(1.0).allow_hover(false));
                for (value, point) in values.into_iter().zip(points) {
                    let name = names.get(point.capture).map_or("", String::as_str);
                    let [from, to] = span(point).map(seconds);
                    plot.points(Points::new(format!("{word}: {name}, {from} to {to}"), vec![value]).color(color).radius(3.0));
                }
            }
        }
        plot.hline(HLine::new("", 0.0).color(cx.theme.line).width(1.0).allow_hover(false));
    });
    let x = |at: f64| shown.transform.position_from_point(&PlotPoint::new(at, 0.0)).x;
    let area = egui::Rect::from_x_y_ranges(x(0.0)..=x(end), shown.response.rect.y_range().shrink(1.0));
    // A range is drawn where all sides that have times have the same one.
    let sides = if is_pair { &Side::BOTH[..] } else { &[Side::After] };
    let drawn = sides.iter().zip(lines).filter(|(_, line)| !line.points.is_empty());
    let mut ranges = drawn.map(|(&side, _)| cx.app.time_of(side));
    let first = ranges.next().flatten();
    let chosen = first.filter(|_| ranges.all(|other| other == first));
    let brush = Brush { area, axis: trend.nanos, length: trend.nanos, chosen, theme: cx.theme };
    let done = brush.show(ui, &shown.response);
    timeline::send(ui, &done, out, Command::SetTimeRange);
    ui.add_space(size::PAD * 2.0);
}

/// Seconds since the first sample as text.
fn seconds(seconds: f64) -> String {
    if seconds == 0.0 { "0 s".to_owned() } else { human_duration((seconds * 1e9) as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_the_words_that_all_of_them_begin_with() {
        for (names, skipped) in [
            (&["orders-cpu-before.pb.gz", "orders-cpu-before-2.pb.gz", "orders-cpu-after.pb.gz"][..], "orders-cpu-".len()),
            (&["abc.pb", "abd.pb"], 0),
            (&["same.pb", "same.pb"], 0),
            (&["alone.pb"], 0),
        ] {
            assert_eq!(common_start(names.iter().copied()), skipped, "{names:?}");
        }
    }
}
