//! Paints rows: ground, bars, text, tree.

use egui::{Align2, Painter, Rangef, Rect, pos2, vec2};

use super::{Fold, Rows, Spec, View, Width};
use crate::ui::theme::{Theme, fonts, size};

/// Indent of one level of a tree where there is room.
const INDENT: f32 = 12.0;
/// Indent of one level in very deep trees.
const INDENT_MIN: f32 = 3.0;
/// The part of the column that indents may take.
const INDENT_PART: f32 = 0.4;
/// Room of a fold mark.
const MARK: f32 = 16.0;
/// Width of the strip before what was found.
const STRIP: f32 = 3.0;

/// What the ground of a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    Selected,
    Hovered,
    Plain,
}

/// Stripe, hover, selection.
pub(super) fn ground(painter: &Painter, theme: &Theme, view: &View<'_>, row: usize, ground: Ground) {
    let rect = view.row_rect(row);
    let color = match ground {
        Ground::Selected => theme.selection,
        Ground::Hovered => theme.raised,
        Ground::Plain if row % 2 == 1 => theme.stripe,
        Ground::Plain => return,
    };
    painter.rect_filled(rect, 0.0, color);
    if ground == Ground::Selected && view.has_focus {
        painter.rect_filled(Rect::from_min_size(rect.min, vec2(size::OUTLINE, rect.height())), 0.0, theme.accent);
    }
}

/// All cells of a row.
pub(super) fn cells(painter: &Painter, theme: &Theme, spec: &Spec<'_>, view: &View<'_>, rows: &dyn Rows, row: usize, twigs: &Twigs) {
    let rect = view.row_rect(row);
    for (at, (head, column)) in spec.heads.iter().zip(view.columns).enumerate() {
        let Some(column) = column else { continue };
        let mut inside = column.shrink(size::PAD);
        if matches!(head.width, Width::Rest(_))
            && let Some(twig) = rows.twig(row)
        {
            inside.min = twigs.indent(inside.min, twig.depth);
            fold_mark(painter, theme, inside.min, rect, twig.fold);
            inside.min += MARK;
        }
        let room = (inside.span() / view.char_width).max(0.0) as usize;
        let cell = rows.cell(row, at, room);
        if let Some((part, color)) = cell.bar {
            let cell = Rect::from_x_y_ranges(column.shrink(size::GAP), rect.y_range().shrink(2.0));
            let left = cell.right() - cell.width() * part.clamp(0.0, 1.0);
            painter.rect_filled(Rect::from_x_y_ranges(Rangef::new(left, cell.right()), cell.y_range()), 1.0, color);
        }
        if cell.found {
            let strip = Rect::from_min_size(pos2(inside.min - STRIP - 3.0, rect.top() + 3.0), vec2(STRIP, rect.height() - 6.0));
            painter.rect_filled(strip, 1.0, theme.accent);
        }
        if cell.text.is_empty() {
            continue;
        }
        let color = cell.color.unwrap_or(theme.text);
        let (align, x) = if head.right { (Align2::RIGHT_CENTER, inside.max) } else { (Align2::LEFT_CENTER, inside.min) };
        let galley = painter.layout_no_wrap(cell.text.into_owned(), fonts::table(), color);
        let place = align.anchor_size(pos2(x, rect.center().y), galley.size()).min;
        if galley.size().x <= inside.span() + size::PAD {
            painter.galley(place, galley, color);
        } else {
            // Only where it must be: each clip is a draw call of its own.
            let clip = Rect::from_x_y_ranges(*column, rect.y_range()).intersect(painter.clip_rect());
            painter.with_clip_rect(clip).galley(place, galley, color);
        }
    }
}

fn fold_mark(painter: &Painter, theme: &Theme, x: f32, rect: Rect, fold: Fold) {
    let mark = match fold {
        Fold::Leaf => return,
        Fold::Folded => "▸",
        Fold::Unfolded => "▾",
    };
    painter.text(pos2(x + MARK / 2.0 - 2.0, rect.center().y), Align2::CENTER_CENTER, mark, fonts::body(), theme.muted);
}

/// A line across the table. It has no words: they would hide what stands in the rows.
pub(super) fn rule(painter: &Painter, theme: &Theme, view: &View<'_>, y: f32) {
    painter.hline(view.body.x_range(), y, (size::HAIRLINE, theme.accent));
}

/// The indents of the tree rows on view.
pub(super) struct Twigs {
    /// Left edge of the column's text, where there is a tree.
    column: Option<Rangef>,
    step: f32,
    /// Points by which all indents are less, where even the smallest step is too wide.
    less: f32,
}

impl Twigs {
    pub(super) fn new(spec: &Spec<'_>, view: &View<'_>, rows: &dyn Rows) -> Self {
        let column =
            spec.heads.iter().zip(view.columns).find(|(head, _)| matches!(head.width, Width::Rest(_))).and_then(|(_, column)| *column);
        let deepest = (view.first..view.last).filter_map(|row| rows.twig(row)).map(|twig| twig.depth).max();
        let (Some(column), Some(deepest)) = (column, deepest) else { return Self { column: None, step: 0.0, less: 0.0 } };
        let room = column.span() * INDENT_PART;
        let step = (room / deepest.max(1) as f32).clamp(INDENT_MIN, INDENT);
        Self { column: Some(column.shrink(size::PAD)), step, less: (step * deepest as f32 - room).max(0.0) }
    }

    fn indent(&self, left: f32, depth: u32) -> f32 {
        left + (self.step * depth as f32 - self.less).max(0.0)
    }

    /// Where a click folds or unfolds.
    pub(super) fn mark(&self, rows: &dyn Rows, row: usize, rect: Rect) -> Option<Rect> {
        let twig = rows.twig(row).filter(|twig| twig.fold != Fold::Leaf)?;
        let left = self.indent(self.column?.min, twig.depth);
        Some(Rect::from_min_size(pos2(left - 2.0, rect.top()), vec2(MARK, rect.height())))
    }

    /// A line below each unfolded row, as long as its rows are on view.
    pub(super) fn guides(&self, painter: &Painter, theme: &Theme, view: &View<'_>, rows: &dyn Rows) {
        let Some(column) = self.column.filter(|_| self.step >= INDENT / 2.0) else { return };
        // Rows in which a line of each level began.
        let mut open: Vec<usize> = Vec::new();
        let line = |level: usize, from: usize, to: usize| {
            let x = self.indent(column.min, level as u32) + MARK / 2.0 - 2.0;
            let y = Rangef::new(view.row_rect(from).top(), view.row_rect(to).top());
            painter.vline(x.round() + 0.5, y, (size::HAIRLINE, theme.line));
        };
        for row in view.first..view.last {
            let depth = rows.twig(row).map_or(0, |twig| twig.depth as usize);
            while open.len() > depth {
                if let Some(from) = open.pop() {
                    line(open.len(), from, row);
                }
            }
            open.resize(depth, row);
        }
        while let Some(from) = open.pop() {
            line(open.len(), from, view.last);
        }
    }
}
