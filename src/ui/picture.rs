//! Pictures of the window as PNG, drawn without one.

use egui::{CentralPanel, Frame, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::theme::{Mode, Theme};
use super::{panels, raster, shell};
use crate::app::App;

/// What of the window is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The flame graph alone.
    #[default]
    Flame,
    /// The flat table alone.
    Top,
    /// The view in front alone.
    View,
    /// Everything.
    Window,
}

impl Part {
    /// The part of that name: `flame`, `top`, `view`, `window`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "flame" => Self::Flame,
            "top" => Self::Top,
            "view" => Self::View,
            "window" => Self::Window,
            _ => return None,
        })
    }
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureSpec {
    /// Width and height in points, each at least 1.
    pub size_points: [f32; 2],
    /// Pixels per point, 0.25 to 8.
    pub scale: f32,
    /// Light or dark.
    pub mode: Mode,
    /// What is drawn.
    pub part: Part,
}

/// Draws what an app shows and gives the bytes of a PNG. The app must have settled; nothing in it changes.
///
/// # Errors
/// Where the size is no size or too large, and where nothing is open.
pub fn picture(app: &App, spec: &PictureSpec) -> Result<Vec<u8>, String> {
    let [width, height] = spec.size_points;
    let most = raster::MAX_SIDE as f32;
    if !(0.25..=8.0).contains(&spec.scale) {
        return Err(format!("the scale of a picture is from 0.25 to 8, not {}", spec.scale));
    }
    if ![width, height].into_iter().all(|side| side >= 1.0 && side * spec.scale <= most) {
        return Err(format!("a picture is at most {most} pixels wide and high, not {width} x {height} at scale {}", spec.scale));
    }
    if let Some((_, why)) = app.failure() {
        return Err(why);
    }
    if app.shown_comparison().is_none() {
        return Err("there is nothing to draw: no capture is open".to_owned());
    }
    let theme = Theme::of(spec.mode);
    let cx = Cx { app, theme: &theme, now: 0.0, unix_seconds: 0, is_test: false };
    let image = raster::render_ui(vec2(width, height), spec.scale, &theme, |ui| part_ui(ui, &cx, spec.part));
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
    CentralPanel::default().frame(Frame::new().fill(cx.theme.background)).show(ui, |ui| draw(ui, cx, &mut out));
}
