//! A ratio with its interval as a small bar against "unchanged".

use egui::{Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use crate::ui::theme::{Theme, size};

/// Ratios beyond this factor stand at the edge.
const EDGE: f64 = 4.0;
/// Half the size of the mark of the ratio.
const MARK: f32 = 3.5;

/// Draws the interval of an after/before ratio on a logarithmic axis from ¼ to 4 with a line at 1. Infinite and zero ends reach the
/// edges; a ratio beyond the edge is an arrow and no point.
pub(crate) fn ui(ui: &mut Ui, theme: &Theme, ratio: f64, lo: f64, hi: f64, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 12.0), Sense::hover());
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let x = |ratio: f64| {
        let part = if ratio.is_nan() { 0.0 } else { (ratio.max(1e-9).ln() / EDGE.ln()).clamp(-1.0, 1.0) };
        rect.center().x + part as f32 * (rect.width() / 2.0 - MARK)
    };
    let painter = ui.painter();
    let color = theme.delta_text(if lo > 1.0 {
        1.0
    } else if hi < 1.0 {
        -1.0
    } else {
        0.0
    });
    painter.hline(rect.x_range(), rect.center().y, Stroke::new(size::HAIRLINE, theme.line));
    painter.vline(rect.center().x, rect.y_range(), Stroke::new(size::HAIRLINE, theme.strong_line));
    painter.rect_filled(
        Rect::from_min_max(pos2(x(lo), rect.center().y - 2.0), pos2(x(hi).max(x(lo) + 1.0), rect.center().y + 2.0)),
        1.0,
        color,
    );
    let at = pos2(x(ratio), rect.center().y);
    if (1.0 / EDGE..=EDGE).contains(&ratio) {
        painter.circle_filled(at, MARK, color);
    } else {
        let away = if ratio > 1.0 { MARK } else { -MARK };
        let corners = vec![at + vec2(away, 0.0), at + vec2(-away, -MARK), at + vec2(-away, MARK)];
        painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
    }
    response
}
