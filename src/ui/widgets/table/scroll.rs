//! Scrolling by rows: wheel, bar, and what shows a row.

use egui::{Id, Rect, Sense, Ui, vec2};

use super::State;
use crate::ui::theme::{Theme, size};

/// Smallest height of the thumb, so that it can be taken hold of.
const THUMB_MIN: f32 = 24.0;

/// Scrolls by the wheel while the pointer is over the rows.
pub(super) fn wheel(ui: &Ui, body: Rect, state: &mut State) {
    if ui.rect_contains_pointer(body) {
        let points = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
        state.top -= f64::from(points / size::TABLE_ROW);
    }
}

/// The offset nearest to `top` at which `row` is on view; a row far away comes into the middle.
pub(super) fn to_show(top: f64, row: usize, page: f64) -> f64 {
    let row = row as f64;
    let below = row + 1.0 - page;
    if (below..=row).contains(&top) {
        top
    } else if (top - row).abs() > 2.0 * page {
        row - (page / 2.0).floor()
    } else if row < top {
        row
    } else {
        below
    }
}

/// Draws the bar and moves by it.
pub(super) fn bar(ui: &Ui, theme: &Theme, id: Id, track: Rect, rows: usize, page: f64, state: &mut State) {
    let hidden = rows as f64 - page;
    if hidden <= 0.0 {
        return;
    }
    let height = (f64::from(track.height()) * page / rows as f64) as f32;
    let height = height.max(THUMB_MIN).min(track.height());
    let room = track.height() - height;
    let at = |top: f64| track.top() + room * (top.clamp(0.0, hidden) / hidden) as f32;
    let response = ui.interact(track, id.with("bar"), Sense::CLICK | Sense::DRAG);
    if let Some(pointer) = response.interact_pointer_pos() {
        if response.drag_started() || response.clicked() {
            let thumb = at(state.top)..=at(state.top) + height;
            // Beside the thumb, its middle jumps to the pointer.
            state.grab = if thumb.contains(&pointer.y) { pointer.y - thumb.start() } else { height / 2.0 };
        }
        if room > 0.0 {
            state.top = f64::from((pointer.y - state.grab - track.top()) / room).clamp(0.0, 1.0) * hidden;
        }
    }
    let color = if response.hovered() || response.dragged() { theme.strong_line } else { theme.line };
    let thumb = Rect::from_min_size(egui::pos2(track.left(), at(state.top)), vec2(track.width(), height));
    ui.painter().rect_filled(thumb.shrink2(vec2(2.0, 1.0)), track.width() / 2.0, color);
}

#[cfg(test)]
mod tests {
    use super::to_show;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    fn a_row_comes_into_view_by_the_shortest_way() {
        assert_eq!(to_show(10.0, 12, 20.0), 10.0, "it is on view");
        assert_eq!(to_show(10.0, 9, 20.0), 9.0);
        assert_eq!(to_show(10.0, 30, 20.0), 11.0);
        assert_eq!(to_show(0.0, 900_000, 20.0), 899_990.0, "far away: into the middle");
    }
}
