//! What the colours of a differential picture mean.

use egui::{Color32, Rect, RichText, Sense, Shape, Stroke, StrokeKind, Ui, vec2};

use crate::ui::theme::{Theme, fonts, size};

/// Steps of the scale, from cheaper to dearer.
const STEPS: [f32; 7] = [-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0];

/// Room that the legend takes in one line.
pub(crate) const WIDTH: f32 = 430.0;

/// A word or a mark of the legend.
#[derive(Clone, Copy)]
enum Item {
    /// Text, and what the pointer makes it say.
    Word(&'static str, &'static str),
    /// A step of the scale.
    Step(f32),
    Noise,
    Churn,
    New,
    Gone,
    /// Between one meaning and the next.
    Gap,
}

/// From left to right.
fn items() -> Vec<Item> {
    let mut items = vec![Item::Word("cheaper", "Blue: costs less after than before; stronger = larger")];
    items.extend(STEPS.map(Item::Step));
    items.extend([
        Item::Word("dearer", "Vermilion: costs more after than before; stronger = larger"),
        Item::Gap,
        Item::Noise,
        Item::Word("within noise", "Grey: a change that chance explains, or too few samples to tell; hatched where it looks large"),
        Item::Gap,
        Item::Churn,
        Item::Word("churn", "A strip in both colours: the box costs what it did, but rises and falls of what it calls cancel"),
        Item::Gap,
        Item::New,
        Item::Word("new", "Only after: the upper left corner is marked"),
        Item::Gap,
        Item::Gone,
        Item::Word("gone", "Only before: drawn as an outline"),
    ]);
    items
}

/// Draws the scale and the marks, each beside its words; in a right-to-left layout they end at the right. It needs [`WIDTH`] for one
/// line, and goes on in the next where the layout wraps.
pub(crate) fn delta_ui(ui: &mut Ui, theme: &Theme) {
    ui.spacing_mut().item_spacing = vec2(size::GAP, 0.0);
    let mut items = items();
    if ui.layout().prefer_right_to_left() {
        items.reverse();
    }
    for item in items {
        match item {
            Item::Word(text, tip) => {
                ui.label(RichText::new(text).color(theme.muted).font(fonts::small())).on_hover_text(tip);
            }
            Item::Step(effect) => swatch(ui, theme, theme.delta_color(effect, 1.0)),
            Item::Noise => swatch(ui, theme, theme.delta_color(0.3, 0.0)),
            Item::Churn => churn(ui, theme),
            Item::New => new(ui, theme),
            Item::Gone => outline(ui, theme.muted),
            Item::Gap => ui.add_space(size::GAP),
        }
    }
}

fn swatch(ui: &mut Ui, theme: &Theme, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    fill(ui, theme, rect, color);
}

/// As a box is drawn: with an edge where its fill is hardly seen.
fn fill(ui: &Ui, theme: &Theme, rect: Rect, color: Color32) {
    ui.painter().rect_filled(rect, 0.0, color);
    if theme.needs_edge(color) {
        ui.painter().rect_stroke(rect, 0.0, Stroke::new(size::HAIRLINE, theme.strong_line), StrokeKind::Inside);
    }
}

fn churn(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 10.0), Sense::hover());
    fill(ui, theme, rect, theme.unchanged);
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
