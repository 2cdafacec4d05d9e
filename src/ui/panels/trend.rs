//! The selected function, or everything, in each capture of a side and over time, before and after on one axis, with mean and interval of each side.

use std::sync::Arc;

use egui::{Align, Layout, RichText, ScrollArea, Ui};
use egui_plot::{HLine, HoverPosition, Line as Curve, Plot, Points, Polygon};

use super::words;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::Measure;
use crate::analysis::trend::{Line, Point};
use crate::app::derived::State;
use crate::app::{Capture, Command};
use crate::model::human;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};

/// Height of a plot in points, and the room between the sides in values.
const HEIGHT: f32 = 210.0;
const GAP: f64 = 1.0;

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
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    if trend.captures.iter().any(|line| line.points.len() > 1) || comparison.pair().is_some() {
                        plot_ui(ui, cx, &comparison, "Per capture", "", &trend.captures);
                    }
                    let words = "each slice as if it were as long as its capture";
                    if trend.slices.iter().any(|line| !line.points.is_empty()) {
                        plot_ui(ui, cx, &comparison, "Over time", words, &trend.slices);
                    } else {
                        let which = if cx.app.view().captures().len() == 1 { "this capture" } else { "these captures" };
                        let why = format!("Samples of {which} have no times, so there is nothing to draw over time");
                        ui.label(RichText::new(why).color(cx.theme.muted));
                    }
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
                if ui.selectable_label(cx.app.view().measure == measure, text).clicked() {
                    out.send(Command::SetMeasure(measure));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(words::number(&words::whole(name)).strong()).truncate()).on_hover_text(words::whole(name));
            });
        });
    });
}

/// A value with a true minus; nothing needs no unit.
fn signed(comparison: &Comparison, value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 0.0 {
        format!("−{}", comparison.text(-value))
    } else {
        comparison.text(value)
    }
}

fn plot_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, title: &str, note: &str, lines: &[Line]) {
    let is_pair = comparison.pair().is_some();
    let of = |at: usize| match (is_pair, at) {
        (true, 0) => ("before", cx.theme.before),
        (true, _) => ("after", cx.theme.after),
        (false, _) => ("value", cx.theme.accent),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(title).font(fonts::strong()));
        let unit = format!("{}, {}", comparison.sample_type, comparison.denominator_text());
        let text = if note.is_empty() { unit } else { format!("{unit}; {note}") };
        ui.label(RichText::new(text).font(fonts::small()).color(cx.theme.muted));
    });
    ui.horizontal_wrapped(|ui| {
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.points.is_empty()) {
            let (word, color) = of(at);
            let mean = comparison.text(line.mean);
            let text = match line.interval {
                Some([lo, hi]) => {
                    format!("{word}: mean {mean} (95 %: {} to {}) of {}", signed(comparison, lo), signed(comparison, hi), line.points.len())
                }
                None => format!("{word}: {mean}, one value, so no interval"),
            };
            ui.label(RichText::new(text).font(fonts::small()).color(color));
            ui.add_space(size::PAD);
        }
    });
    let names: Vec<String> =
        cx.app.view().captures().into_iter().map(|id| cx.app.capture(id).map_or_else(String::new, Capture::name)).collect();
    let highest = lines.iter().flat_map(|line| &line.points).map(|point| point.value).fold(0.0, f64::max);
    let plot = Plot::new(title)
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
            HoverPosition::NearDataPoint { plot_name, position, .. } => Some(format!("{plot_name}\n{}", comparison.text(position.y))),
            HoverPosition::Elsewhere { .. } => None,
        })
        .show_axes([false, true])
        .show_grid([false, true])
        .y_axis_formatter(|mark, _| signed(comparison, mark.value))
        .include_y(0.0)
        .include_y(if highest > 0.0 { highest * 1.1 } else { 1.0 });
    plot.show(ui, |plot| {
        let mut left = 0.0;
        for (at, line) in lines.iter().enumerate() {
            let (word, color) = of(at);
            let right = left + (line.points.len().max(1) - 1) as f64;
            let (from, to) = (left - 0.4, right + 0.4);
            if let Some([lo, hi]) = line.interval {
                let band = vec![[from, lo], [to, lo], [to, hi], [from, hi]];
                plot.polygon(Polygon::new("", band).fill_color(color.gamma_multiply(0.18)).stroke(egui::Stroke::NONE).allow_hover(false));
            }
            if !line.points.is_empty() {
                plot.line(Curve::new("", vec![[from, line.mean], [to, line.mean]]).color(color).width(1.0).allow_hover(false));
            }
            let xy = |(at, point): (usize, &Point)| [left + at as f64, point.value];
            let values: Vec<[f64; 2]> = line.points.iter().enumerate().map(xy).collect();
            if line.points.iter().any(|point| point.nanos.is_some()) {
                plot.line(Curve::new("", values.clone()).color(color.gamma_multiply(0.5)).width(1.0).allow_hover(false));
            }
            for (value, point) in values.into_iter().zip(&line.points) {
                let capture = names.get(point.capture).map_or("", String::as_str);
                let when = point
                    .nanos
                    .map_or_else(String::new, |[from, to]| format!(", {} to {}", human(from as f64, "ns"), human(to as f64, "ns")));
                let name = format!("{word}: {capture}{when}");
                plot.points(Points::new(name, vec![value]).color(color).radius(3.5));
            }
            left = right + 1.0 + GAP;
        }
        plot.hline(HLine::new("", 0.0).color(cx.theme.line).width(1.0).allow_hover(false));
    });
    ui.add_space(size::PAD * 2.0);
}
