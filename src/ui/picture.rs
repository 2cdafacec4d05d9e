//! Pictures of the window as PNG, drawn without one.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, RichText, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::disk::Disk;
use super::theme::{Theme, fonts, size};
use super::{filters, panels, raster, shell};
use crate::app::picture::{Part, PictureRequest};

/// Draws what an app shows and gives the bytes of a PNG. Nothing in the app changes.
///
/// # Errors
/// Where the size is no size or too large, and where there is nothing to draw.
pub fn picture(request: &PictureRequest<'_>) -> Result<Vec<u8>, String> {
    let ((width, height), scale) = (request.size, request.scale);
    if !(0.25..=8.0).contains(&scale) {
        return Err(format!("the scale of a picture is from 0.25 to 8, not {scale}"));
    }
    let most = raster::MAX_SIDE as f32;
    if ![width, height].into_iter().all(|side| side >= 1 && side as f32 * scale <= most) {
        return Err(format!("a picture is at most {most} pixels wide and high, not {width} x {height} points at scale {scale}"));
    }
    if let Some((_, why)) = request.app.failure() {
        return Err(why);
    }
    if request.app.shown_comparison().is_none() {
        return Err("there is nothing to draw: no capture is open".to_owned());
    }
    let theme = Theme::of(request.theme.into());
    let disk = Disk::inline();
    // A picture has no clock, so that the same request gives the same bytes.
    let cx = Cx { app: request.app, theme: &theme, disk: &disk, now: 0.0, unix_seconds: 0, is_test: true };
    let size = vec2(width as f32, height as f32);
    let image = raster::render_ui(size, scale, &theme, |ui| part_ui(ui, &cx, request.part));
    raster::png_bytes(&image).map_err(|error| format!("the picture could not be packed: {error}"))
}

fn part_ui(ui: &mut Ui, cx: &Cx<'_>, part: Part) {
    // A picture cannot be clicked: what is sent goes nowhere.
    let mut out = Outbox::default();
    let draw: fn(&mut Ui, &Cx<'_>, &mut Outbox) = match part {
        Part::Window => {
            shell::window_ui(ui, cx, &mut out);
            return;
        }
        Part::Flame => panels::flame::ui,
        Part::Top => panels::top::ui,
        Part::View => shell::tab_ui,
    };
    let bar = Frame::new().fill(cx.theme.surface).inner_margin(Margin::symmetric(8, 4));
    Panel::top("title of the picture").exact_size(size::FILTER_BAR).frame(bar).show(ui, |ui| title_ui(ui, cx));
    CentralPanel::default().frame(Frame::new().fill(cx.theme.background)).show(ui, |ui| draw(ui, cx, &mut out));
}

/// Of what the picture is: files, sample type, what 100 % is, filters.
fn title_ui(ui: &mut Ui, cx: &Cx<'_>) {
    ui.horizontal_centered(|ui| {
        let view = cx.app.view();
        let name = |ui: &mut Ui, name: &String, color| ui.label(RichText::new(name).font(fonts::strong()).color(color));
        match cx.app.shown_names().as_slice() {
            [before, after] => {
                name(ui, before, cx.theme.before);
                ui.label("→");
                name(ui, after, cx.theme.after);
            }
            names => names.iter().for_each(|only| drop(name(ui, only, cx.theme.text))),
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let Some((comparison, _)) = cx.app.shown_comparison() else { return };
            let mut text = format!("{}; {}", comparison.sample_type, comparison.denominator_text());
            let filter = &view.filter;
            for filter in filters::texts_of(filter) {
                text = format!("{filter}; {text}");
            }
            for (key, value) in &filter.labels {
                text = format!("{key}: {value}; {text}");
            }
            if !filter.threads.is_empty() {
                text = format!("threads: {}; {text}", filter.threads.join(", "));
            }
            ui.add(egui::Label::new(RichText::new(text).font(fonts::small()).color(cx.theme.muted)).truncate());
        });
    });
}
