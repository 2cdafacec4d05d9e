//! A range of time chosen by dragging over a picture whose horizontal axis is time.
//!
//! Whoever draws the picture gives its response and where time runs; the brush draws the range over it and says what the person did when a
//! gesture ends. Deliberately absent: the picture, and what a range is good for. Start reading at [`Brush::show`].

use egui::{Align2, Color32, CursorIcon, Id, Key, PointerButton, Pos2, Rect, Response, Stroke, Ui, pos2, vec2};

use crate::analysis::span::Span;
use crate::ui::theme::{Theme, fonts, size};

/// So near to an end of the range, in points, a press takes hold of it.
const HOLD: f32 = 4.0;

/// Where time runs, and what is chosen of it.
pub(crate) struct Brush<'a> {
    /// The picture: its left edge is the first sample, its right edge the end of the axis.
    pub(crate) area: Rect,
    /// Length of the axis in nanoseconds.
    pub(crate) axis: i64,
    /// Up to where there is something to choose, in nanoseconds; at most the axis.
    pub(crate) length: i64,
    /// The range that is chosen.
    pub(crate) chosen: Option<Span>,
    /// Colours of its marks.
    pub(crate) theme: &'a Theme,
}

/// What a frame's input came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Brushed {
    /// What a gesture ended with.
    pub(crate) picked: Option<Picked>,
    /// A range is being drawn, moved or changed: Escape gives it up.
    pub(crate) is_dragging: bool,
    /// The time under the pointer in nanoseconds since the first sample, while nothing is dragged.
    pub(crate) hovered: Option<f64>,
}

/// What a person picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// This range.
    Range(Span),
    /// All of the time.
    All,
}

impl Picked {
    /// The range; `None` for all of the time.
    pub(crate) const fn span(self) -> Option<Span> {
        match self {
            Self::Range(span) => Some(span),
            Self::All => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Gesture {
    /// The range from here to the pointer, in nanoseconds.
    Draw(i64),
    /// A range of this beginning and length, held so far from its beginning.
    Move { from: i64, length: i64, held: i64 },
}

impl Brush<'_> {
    /// Draws the range over the picture and handles the input of its `response`, which senses clicks and drags. A drag inside the range moves
    /// it, one at its ends changes it, any other one and one with Shift draws a new one. A click beside the range and a double-click
    /// give all of the time.
    pub(crate) fn show(&self, ui: &Ui, response: &Response) -> Brushed {
        let id = response.id.with("brush");
        let mut gesture = ui.data(|data| data.get_temp::<Gesture>(id));
        let pointer = response.interact_pointer_pos();
        if response.drag_started_by(PointerButton::Primary)
            && let Some(origin) = ui.input(|input| input.pointer.press_origin())
        {
            // Keys typed from here on are no part of a search.
            ui.memory_mut(egui::Memory::stop_text_input);
            gesture = Some(self.begin(origin, ui.input(|input| input.modifiers.shift)));
        }
        let mut done = Brushed::default();
        let live = gesture.zip(pointer).map(|(gesture, at)| self.range(gesture, at));
        if gesture.is_some() && !response.dragged() {
            // egui ends a drag on Escape too: only a button that was let go means the range.
            let given_up = ui.input(|input| input.key_pressed(Key::Escape) || !input.pointer.primary_released());
            done.picked = live.filter(|_| !given_up);
            gesture = None;
        }
        done.is_dragging = gesture.is_some();
        keep(ui, id, gesture);
        if response.double_clicked() || response.clicked() && !pointer.is_some_and(|at| self.is_inside(at)) {
            done.picked = self.chosen.map(|_| Picked::All);
        }
        let shown = if gesture.is_some() { live.and_then(Picked::span) } else { self.chosen };
        if let Some(at) = response.hover_pos().filter(|at| gesture.is_none() && self.area.x_range().contains(at.x)) {
            done.hovered = Some(self.nanos(at.x)).filter(|&nanos| nanos <= self.length as f64);
            ui.set_cursor_icon(self.cursor(at));
        }
        self.paint(ui, shown, gesture.is_some(), done.hovered);
        done
    }

    fn begin(&self, at: Pos2, is_new: bool) -> Gesture {
        let here = self.snapped(at.x);
        let Some([from, to]) = self.ends().filter(|_| !is_new) else { return Gesture::Draw(here) };
        if (self.x(from) - at.x).abs() <= HOLD {
            Gesture::Draw(to)
        } else if (self.x(to) - at.x).abs() <= HOLD {
            Gesture::Draw(from)
        } else if (from..to).contains(&here) {
            Gesture::Move { from, length: to - from, held: here - from }
        } else {
            Gesture::Draw(here)
        }
    }

    /// What a gesture means with the pointer here.
    fn range(&self, gesture: Gesture, at: Pos2) -> Picked {
        let here = self.snapped(at.x);
        let [from, to] = match gesture {
            Gesture::Draw(other) => [here.min(other), here.max(other)],
            Gesture::Move { length, held, .. } => {
                let from = (here - held).clamp(0, (self.length - length).max(0));
                [from, from + length]
            }
        };
        // What reaches the end has no end: it holds the last sample too.
        let to = Some(to.max(from + 1)).filter(|&to| to < self.length);
        if from > 0 || to.is_some() { Picked::Range(Span::new(Some(from), to)) } else { Picked::All }
    }

    /// The ends of the chosen range; the rest of a range cannot be moved.
    fn ends(&self) -> Option<[i64; 2]> {
        self.chosen.filter(|span| !span.is_rest).map(|span| span.ends(self.length))
    }

    fn is_inside(&self, at: Pos2) -> bool {
        self.ends().is_some_and(|[from, to]| self.x(from) - HOLD <= at.x && at.x <= self.x(to) + HOLD)
    }

    fn x(&self, nanos: i64) -> f32 {
        self.area.left() + (nanos as f64 / self.axis.max(1) as f64) as f32 * self.area.width()
    }

    fn nanos(&self, x: f32) -> f64 {
        f64::from((x - self.area.left()) / self.area.width().max(1.0)) * self.axis as f64
    }

    /// A round time near a point: no finer than a point of the screen can say.
    fn snapped(&self, x: f32) -> i64 {
        let nanos = self.nanos(x);
        let step = round_step(self.axis as f64 / f64::from(self.area.width().max(1.0)));
        if nanos >= self.length as f64 - step { self.length } else { ((nanos / step).round() * step).max(0.0) as i64 }
    }

    fn cursor(&self, at: Pos2) -> CursorIcon {
        match self.ends() {
            Some([from, to]) if (self.x(from) - at.x).abs() <= HOLD || (self.x(to) - at.x).abs() <= HOLD => CursorIcon::ResizeHorizontal,
            Some(_) if self.is_inside(at) => CursorIcon::Grab,
            _ => CursorIcon::Crosshair,
        }
    }

    fn paint(&self, ui: &Ui, shown: Option<Span>, is_live: bool, hovered: Option<f64>) {
        let painter = ui.painter_at(self.area);
        if let Some(nanos) = hovered {
            painter.vline(self.x(nanos as i64), self.area.y_range(), Stroke::new(size::HAIRLINE, self.theme.strong_line));
        }
        let Some(span) = shown else { return };
        let [from, to] = span.ends(self.length).map(|nanos| self.x(nanos));
        let veil = |left: f32, right: f32| {
            let rect = Rect::from_min_max(pos2(left, self.area.top()), pos2(right, self.area.bottom()));
            painter.rect_filled(rect, 0.0, self.theme.background.gamma_multiply(0.72));
        };
        if span.is_rest {
            veil(from, to);
        } else {
            veil(self.area.left(), from);
            veil(to, self.area.right());
        }
        let edge: Color32 = if is_live { self.theme.text } else { self.theme.muted };
        for x in [from, to] {
            painter.vline(x.clamp(self.area.left() + 0.5, self.area.right() - 0.5), self.area.y_range(), Stroke::new(size::HAIRLINE, edge));
        }
        let words = format!("{}, {}", span.words(), span.length_words(self.length));
        let galley = painter.layout_no_wrap(words, fonts::small(), self.theme.text);
        // Beside the range where there is room, else inside.
        let (width, gap) = (galley.size().x, size::GAP);
        let x = if to + width + 2.0 * gap < self.area.right() {
            to + gap
        } else if from - width - 2.0 * gap > self.area.left() {
            from - gap - width
        } else {
            (f32::midpoint(from, to) - width / 2.0).clamp(self.area.left(), (self.area.right() - width).max(self.area.left()))
        };
        let rect = Align2::LEFT_TOP.anchor_size(pos2(x, self.area.top() + 1.0), galley.size());
        painter.rect_filled(rect.expand2(vec2(2.0, 0.0)), 2.0, self.theme.surface.gamma_multiply(0.85));
        painter.galley(rect.min, galley, self.theme.text);
    }
}

fn keep(ui: &Ui, id: Id, gesture: Option<Gesture>) {
    ui.data_mut(|data| match gesture {
        Some(gesture) => drop(data.insert_temp(id, gesture)),
        None => data.remove::<Gesture>(id),
    });
}

/// The next larger of 1, 2 and 5 times a power of ten, at least 1.
pub(crate) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= least * 0.999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn brush(theme: &Theme, chosen: Option<Span>) -> Brush<'_> {
        let area = Rect::from_min_size(pos2(100.0, 0.0), vec2(1000.0, 20.0));
        Brush { area, axis: 10 * SECOND, length: 8 * SECOND, chosen, theme }
    }

    #[test]
    fn ranges_are_round_and_end_with_the_capture() {
        let theme = Theme::dark();
        let brush = brush(&theme, None);
        let drawn = |from: f32, to: f32| brush.range(brush.begin(pos2(from, 5.0), false), pos2(to, 5.0)).span();
        assert_eq!(drawn(220.0, 385.2), Some(Span::new(Some(1_200_000_000), Some(2_850_000_000))));
        assert_eq!(drawn(385.2, 220.0), drawn(220.0, 385.2), "either way");
        assert_eq!(drawn(300.0, 990.0), Some(Span::new(Some(2 * SECOND), None)), "there is nothing behind the last sample");
        assert_eq!(drawn(20.0, 990.0), None, "all of the time is no range");
    }

    #[test]
    fn a_range_is_moved_inside_and_changed_at_its_ends() {
        let theme = Theme::dark();
        let brush = brush(&theme, Some(Span::new(Some(2 * SECOND), Some(4 * SECOND))));
        let dragged = |from: f32, to: f32, is_new| brush.range(brush.begin(pos2(from, 5.0), is_new), pos2(to, 5.0)).span();
        assert_eq!(dragged(400.0, 500.0, false), Some(Span::new(Some(3 * SECOND), Some(5 * SECOND))));
        assert_eq!(dragged(400.0, 1500.0, false), Some(Span::new(Some(6 * SECOND), None)), "it keeps its length");
        assert_eq!(dragged(302.0, 200.0, false), Some(Span::new(Some(SECOND), Some(4 * SECOND))));
        assert_eq!(dragged(499.0, 600.0, false), Some(Span::new(Some(2 * SECOND), Some(5 * SECOND))));
        assert_eq!(dragged(350.0, 450.0, true), Some(Span::new(Some(2_500_000_000), Some(3_500_000_000))));
    }

    #[test]
    fn steps_are_round() {
        for (least, step) in [(0.2, 1.0), (1.0, 1.0), (3.9, 5.0), (12.0, 20.0), (7e6, 1e7), (2e9, 2e9)] {
            assert!((round_step(least) - step).abs() < 1e-6 * step, "{least}: {}", round_step(least));
        }
    }
}
