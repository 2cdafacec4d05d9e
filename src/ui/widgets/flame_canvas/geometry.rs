//! Where rows and boxes stand on the screen, in whole physical pixels.
//!
//! Start reading at [`Area`]. Deliberately absent: colours, input.

use std::ops::Range;

use egui::{Pos2, Rect, pos2};

use crate::analysis::flame::{FlameBox, FlameView};

/// A canvas on the screen. All `_px` are physical pixels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Area {
    /// In points, as egui gave it.
    pub(super) rect: Rect,
    pub(super) pixels_per_point: f32,
    left_px: f32,
    top_px: f32,
    bottom_px: f32,
    /// Width of the canvas.
    pub(super) width_px: f32,
    /// Height of a row, gap included; whole.
    pub(super) row_px: f32,
    /// Points in one pixel.
    pixel: f32,
}

/// A rectangle in points whose edges stand on pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) x0: f32,
    pub(super) y0: f32,
    pub(super) x1: f32,
    pub(super) y1: f32,
}

impl Cell {
    pub(super) fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    pub(super) fn rect(&self) -> Rect {
        Rect::from_min_max(pos2(self.x0, self.y0), pos2(self.x1, self.y1))
    }
}

impl Area {
    pub(super) fn new(rect: Rect, row_height: f32, pixels_per_point: f32) -> Self {
        let px = |points: f32| (points * pixels_per_point).round();
        let left_px = px(rect.left());
        Self {
            rect,
            pixels_per_point,
            left_px,
            top_px: px(rect.top()),
            bottom_px: px(rect.bottom()),
            width_px: (px(rect.right()) - left_px).max(1.0),
            row_px: px(row_height).max(1.0),
            pixel: pixels_per_point.recip(),
        }
    }

    /// Rows that fit in the canvas, a broken one counted by its part.
    pub(super) fn visible_rows(&self) -> f32 {
        (self.bottom_px - self.top_px) / self.row_px
    }

    /// Points in one pixel.
    pub(super) fn pixel(&self) -> f32 {
        self.pixel
    }

    /// Rows that touch the canvas.
    pub(super) fn rows(&self, view: &FlameView) -> Range<usize> {
        let scroll = self.scroll_px(view) / self.row_px;
        scroll.floor() as usize..(scroll + self.visible_rows()).ceil() as usize
    }

    /// Whole pixels, so that rows do not blur while they scroll.
    fn scroll_px(&self, view: &FlameView) -> f32 {
        (view.scroll_rows * self.row_px).round()
    }

    /// Top and bottom of a row's boxes in points; the gap between rows is left out where rows are high enough to have one.
    pub(super) fn row(&self, depth: usize, view: &FlameView) -> (f32, f32) {
        let away = depth as f32 * self.row_px - self.scroll_px(view);
        let top = if view.icicle { self.top_px + away } else { self.bottom_px - away - self.row_px };
        let gap = if self.row_px >= 8.0 { 1.0 } else { 0.0 };
        (top * self.pixel(), (top + self.row_px - gap) * self.pixel())
    }

    /// Left and right of a box in points: on pixels, at least one of them wide, with a gap to the right of boxes over 3 pixels.
    #[inline]
    pub(super) fn columns(&self, found: &FlameBox) -> (f32, f32) {
        self.edges(found.x0, found.x1)
    }

    #[inline]
    fn edges(&self, left: f32, right: f32) -> (f32, f32) {
        let (x0, x1) = (nearest(left), nearest(right));
        // No branches: which case it is changes from box to box.
        let x0 = if x1 > x0 { x0 } else { nearest(left - 0.5) };
        let x1 = x1.max(x0 + 1.0);
        let gap = if x1 - x0 > 3.0 { 1.0 } else { 0.0 };
        ((self.left_px + x0) * self.pixel, (self.left_px + x1 - gap) * self.pixel)
    }

    /// Where a box stands.
    pub(super) fn cell(&self, found: &FlameBox, view: &FlameView) -> Cell {
        let ((x0, x1), (y0, y1)) = (self.columns(found), self.row(found.depth as usize, view));
        Cell { x0, y0, x1, y1 }
    }

    /// Where a span (parts of the total) of a row stands, cut off a little outside the canvas.
    pub(super) fn span(&self, span: &Range<f64>, depth: usize, view: &FlameView) -> Cell {
        let px = |at: f64| {
            let part = (at - view.x.start) / view.width();
            (part * f64::from(self.width_px)).clamp(-4.0, f64::from(self.width_px) + 4.0) as f32
        };
        let ((x0, x1), (y0, y1)) = (self.edges(px(span.start), px(span.end)), self.row(depth, view));
        Cell { x0, y0, x1, y1 }
    }

    /// Part of the canvas's width left of a point of the screen: 0 at the left edge, 1 at the right one.
    pub(super) fn part(&self, x_points: f32) -> f64 {
        f64::from(x_points * self.pixels_per_point - self.left_px) / f64::from(self.width_px)
    }

    /// The row at a height of the screen.
    pub(super) fn row_at(&self, at: Pos2, view: &FlameView) -> Option<usize> {
        let y = at.y * self.pixels_per_point;
        let away = if view.icicle { y - self.top_px } else { self.bottom_px - y };
        let row = (away + self.scroll_px(view)) / self.row_px;
        (row >= 0.0).then_some(row as usize)
    }
}

/// The nearest whole number, for numbers below 2²² either side of 0: beyond 2²³ an `f32` has no digits after the point. (`f32::round` is
/// a call on a baseline x86-64.)
#[inline]
fn nearest(value: f32) -> f32 {
    const LAST_HALF: f32 = 12_582_912.0;
    (value + LAST_HALF) - LAST_HALF
}
