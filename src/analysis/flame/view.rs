//! Zoom and pan arithmetic of a flame graph: which part of it is on screen.
//!
//! Deliberately absent: pixels, input, animation clocks. Start reading at [`FlameView`].

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The part of a flame graph that is on screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlameView {
    /// Visible part of the total, within 0 to 1.
    pub x: Range<f64>,
    /// Rows scrolled away on the root's side, at least 0.
    pub scroll_rows: f32,
    /// True with roots on top (an icicle), false with roots at the bottom (flames).
    pub icicle: bool,
}

impl Default for FlameView {
    fn default() -> Self {
        Self { x: 0.0..1.0, scroll_rows: 0.0, icicle: true }
    }
}

impl FlameView {
    /// Visible width as part of the total.
    pub fn width(&self) -> f64 {
        self.x.end - self.x.start
    }

    /// The place under a point of the screen, both as parts: 0 is the left edge, 1 the right one.
    pub fn at(&self, screen: f64) -> f64 {
        self.x.start + screen * self.width()
    }

    /// This view with the width multiplied by `factor` (below 1 zooms in); what is at `screen` (0 to 1) stays there, unless an edge of
    /// the graph or `min_width` is in the way.
    pub fn zoomed(&self, factor: f64, screen: f64, min_width: f64) -> Self {
        let width = (self.width() * factor).clamp(min_width.min(1.0), 1.0);
        let start = self.at(screen) - screen * width;
        Self { x: held(start, width), ..self.clone() }
    }

    /// This view moved to the right by `by` of its own width, as far as the graph reaches.
    pub fn panned(&self, by: f64) -> Self {
        let width = self.width();
        Self { x: held(self.x.start + by * width, width), ..self.clone() }
    }

    /// This view scrolled away from the root by `by` rows, held between 0 and `max_scroll`.
    pub fn scrolled(&self, by: f32, max_scroll: f32) -> Self {
        Self { scroll_rows: (self.scroll_rows + by).clamp(0.0, max_scroll.max(0.0)), ..self.clone() }
    }

    /// This view fitted to a span (parts of the total), at least `min_width` wide.
    pub fn fitted(&self, span: &Range<f64>, min_width: f64) -> Self {
        let width = (span.end - span.start).clamp(min_width.min(1.0), 1.0);
        let middle = span.start.midpoint(span.end);
        Self { x: held(middle - width / 2.0, width), ..self.clone() }
    }

    /// This view scrolled just so far that `row` is among its `visible_rows`.
    pub fn showing_row(&self, row: usize, visible_rows: f32) -> Self {
        let (row, last) = (row as f32, row as f32 + 1.0 - visible_rows);
        Self { scroll_rows: self.scroll_rows.clamp(last.max(0.0).min(row), row), ..self.clone() }
    }

    /// This view moved and zoomed just so that a box can be read: at least `least` (0 to 1) of the screen wide, in a row that is among the
    /// `visible_rows`. Nothing moves that need not; where something does, what is around the box is on screen too.
    pub fn revealing(&self, span: &Range<f64>, row: usize, least: f64, visible_rows: f32, min_width: f64) -> Self {
        /// Part of the screen that a box gets which was too narrow, and one that was wider than the screen.
        const NARROW: f64 = 0.2;
        const WIDE: f64 = 0.8;
        /// Rows beyond it.
        const ROWS: usize = 2;
        let wide = span.end - span.start;
        let shown = span.end.min(self.x.end) - span.start.max(self.x.start);
        let across = if shown >= least * self.width() {
            self.clone()
        } else {
            let width = match wide / self.width() {
                part if part < least => wide / NARROW,
                part if part > 1.0 => wide / WIDE,
                _ => self.width(),
            };
            let width = width.clamp(min_width.min(1.0), 1.0);
            Self { x: held(span.start.midpoint(span.end) - width / 2.0, width), ..self.clone() }
        };
        let is_shown = across.showing_row(row, visible_rows) == across;
        if is_shown { across } else { across.showing_row(row.saturating_sub(ROWS), visible_rows).showing_row(row + ROWS, visible_rows) }
    }

    /// This view moved, but not zoomed, so that a box is on screen: its row, and of its width as much as can be seen, or a tenth of the screen.
    pub fn following(&self, span: &Range<f64>, row: usize, visible_rows: f32) -> Self {
        /// Part of the screen from which on a box that goes on beside it counts as seen.
        const ENOUGH: f64 = 0.1;
        let shown = span.end.min(self.x.end) - span.start.max(self.x.start);
        let wanted = (span.end - span.start).min(ENOUGH * self.width());
        // Sums of parts are not exact to the last digit.
        let across = if shown >= wanted * (1.0 - 1e-9) {
            self.clone()
        } else {
            Self { x: held(span.start.midpoint(span.end) - self.width() / 2.0, self.width()), ..self.clone() }
        };
        across.showing_row(row, visible_rows)
    }

    /// The view on the way from `from` to this one; `part` is 0 to 1.
    pub fn between(&self, from: &Self, part: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * part;
        Self {
            x: mix(from.x.start, self.x.start)..mix(from.x.end, self.x.end),
            scroll_rows: mix(f64::from(from.scroll_rows), f64::from(self.scroll_rows)) as f32,
            icicle: self.icicle,
        }
    }
}

/// A range of that width, moved into 0 to 1.
fn held(start: f64, width: f64) -> Range<f64> {
    let start = start.clamp(0.0, (1.0 - width).max(0.0));
    start..(start + width).min(1.0)
}
