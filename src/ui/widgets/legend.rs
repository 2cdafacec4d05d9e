//! What the colours of a differential picture mean.

use egui::{Color32, RichText, Sense, Shape, Stroke, StrokeKind, Ui, vec2};

use crate::ui::theme::{Theme, fonts, size};

/// Steps of the scale, from cheaper to dearer.
const STEPS: [f32; 7] = [-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0];

/// Room that the whole legend takes, and the scale alone.
const WHOLE: f32 = 390.0;
const SCALE: f32 = 205.0;

/// Draws the scale and the marks, right to left in a right-to-left layout. Words stand beside the colours. Where there is little room, the
/// scale stands alone, and where there is none, nothing.
pub(crate) fn delta_ui(ui: &mut Ui, theme: &Theme) {
    let room = ui.available_width();
    if room < SCALE {
        return;
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = size::GAP;
        let word = |ui: &mut Ui, text: &str, tip: &str| {
            ui.label(RichText::new(text).color(theme.muted).font(fonts::small())).on_hover_text(tip);
        };
        if room >= WHOLE {
            word(ui, "gone", "Only before: drawn as an outline");
            outline(ui, theme.muted);
            word(ui, "new", "Only after: the upper left corner is marked");
            new(ui, theme);
            word(ui, "churn", "A strip in both colours: the box costs what it did, but rises and falls of what it calls cancel");
            churn(ui, theme);
        }
        word(ui, "within noise", "Grey: a change that chance explains, or too few samples to tell; hatched where it looks large");
        swatch(ui, theme.delta_color(0.3, 0.0));
        word(ui, "dearer", "Vermilion: costs more after than before; stronger = larger");
        for effect in STEPS.into_iter().rev() {
            swatch(ui, theme.delta_color(effect, 1.0));
        }
        word(ui, "cheaper", "Blue: costs less after than before; stronger = larger");
    });
}

fn swatch(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    ui.painter().rect_filled(rect, 0.0, color);
}

fn churn(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    ui.painter().rect_filled(rect, 0.0, theme.unchanged);
    let (left, right) = rect.with_min_y(rect.bottom() - 3.0).split_left_right_at_fraction(0.5);
    ui.painter().rect_filled(left, 0.0, theme.delta_color(1.0, 1.0));
    ui.painter().rect_filled(right, 0.0, theme.delta_color(-1.0, 1.0));
}

fn new(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    ui.painter().rect_filled(rect, 0.0, theme.delta_color(0.5, 1.0));
    let corner = vec![rect.left_top(), rect.left_top() + vec2(6.0, 0.0), rect.left_top() + vec2(0.0, 6.0)];
    ui.painter().add(Shape::convex_polygon(corner, theme.text, Stroke::NONE));
}

fn outline(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    ui.painter().rect_stroke(rect, 0.0, Stroke::new(size::HAIRLINE, color), StrokeKind::Inside);
}
