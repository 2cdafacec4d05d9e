//! Columns: where they stand, their heads, their widths.

use egui::{Align2, CursorIcon, Rangef, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Head, Sorting, Spec, State, TableResponse, Width};
use crate::ui::theme::{Theme, fonts, size};

/// The smallest width that a person can drag a column to.
const MIN_WIDTH: f32 = 32.0;
/// Half the width of the strip between two heads that can be dragged.
const HANDLE: f32 = 4.0;

/// Left and right of each column. Columns that may leave do so, one by one, until the one that takes the rest has its least width.
pub(super) fn layout(heads: &[Head], widths: &[Option<f32>], room: Rangef) -> Vec<Option<Rangef>> {
    let width = |at: usize, head: &Head| match head.width {
        Width::Points(points) => widths.get(at).copied().flatten().unwrap_or(points),
        Width::Rest(_) => 0.0,
    };
    let least = heads.iter().map(|head| if let Width::Rest(least) = head.width { least } else { 0.0 }).sum::<f32>();
    let mut shown = vec![true; heads.len()];
    let mut fixed: f32 = heads.iter().enumerate().map(|(at, head)| width(at, head)).sum();
    while room.span() - fixed < least {
        let leaving = heads.iter().enumerate().filter(|(at, head)| shown[*at] && head.leaves > 0).min_by_key(|(_, head)| head.leaves);
        let Some((at, head)) = leaving else { break };
        shown[at] = false;
        fixed -= width(at, head);
    }
    let rest = (room.span() - fixed).max(MIN_WIDTH);
    let mut left = room.min;
    heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let width = if matches!(head.width, Width::Rest(_)) { rest } else { width(at, head) };
            shown[at].then(|| {
                let column = Rangef::new(left, left + width);
                left += width;
                column
            })
        })
        .collect()
}

/// Draws the heads, and sorts and resizes by them.
pub(super) fn heads_ui(
    ui: &Ui,
    theme: &Theme,
    spec: &Spec<'_>,
    area: Rect,
    columns: &[Option<Rangef>],
    state: &mut State,
    response: &mut TableResponse,
) {
    ui.painter().rect_filled(area, 0.0, theme.surface);
    ui.painter().hline(area.x_range(), area.bottom() - size::HAIRLINE / 2.0, (size::HAIRLINE, theme.line));
    for (at, (head, column)) in spec.heads.iter().zip(columns).enumerate() {
        let Some(column) = column else { continue };
        let rect = Rect::from_x_y_ranges(*column, area.y_range());
        let can = head.sorting != Sorting::No;
        let clicks =
            ui.interact(rect.shrink2(vec2(HANDLE, 0.0)), spec.id.with(("head", at)), if can { Sense::click() } else { Sense::hover() });
        clicks.widget_info(|| WidgetInfo::labeled(if can { Role::Button } else { Role::ColumnHeader }, true, words(head)));
        if can && (clicks.hovered() || clicks.has_focus()) {
            ui.painter().rect_filled(rect, 0.0, theme.hover);
        }
        head_text(ui, theme, head, rect);
        if clicks.clicked() {
            response.sort = Some(at);
            state.top = 0.0;
        }
        if !head.tooltip.is_empty() {
            clicks.on_hover_text(head.tooltip.as_ref());
        }
    }
    handles_ui(ui, theme, spec, area, columns, state);
}

/// What a screen reader says of a head.
fn words(head: &Head) -> String {
    let unit = if head.unit.is_empty() { String::new() } else { format!(" in {}", head.unit) };
    let sorting = match head.sorting {
        Sorting::No => "",
        Sorting::Can => ", sort",
        Sorting::Ascending => ", sorted ascending",
        Sorting::Descending => ", sorted descending",
    };
    format!("{}{unit}{sorting}", head.title)
}

fn head_text(ui: &Ui, theme: &Theme, head: &Head, rect: Rect) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let arrow = match head.sorting {
        Sorting::Ascending => "▴",
        Sorting::Descending => "▾",
        Sorting::No | Sorting::Can => "",
    };
    let title = head.color.unwrap_or(if arrow.is_empty() { theme.muted } else { theme.text });
    let mut parts = vec![(head.title.as_ref(), fonts::small(), title), (head.unit.as_str(), fonts::small(), theme.muted)];
    // The arrow stands inside, so that titles are above what they name.
    parts.insert(if head.right { 0 } else { 2 }, (arrow, fonts::small(), theme.accent));
    parts.retain(|(text, ..)| !text.is_empty());
    let galleys: Vec<_> =
        parts.into_iter().map(|(text, font, color)| (painter.layout_no_wrap(text.to_owned(), font, color), color)).collect();
    let width = galleys.iter().map(|(galley, _)| galley.size().x).sum::<f32>() + size::GAP * galleys.len().saturating_sub(1) as f32;
    let mut x = if head.right { rect.right() - size::PAD - width } else { rect.left() + size::PAD };
    for (galley, color) in galleys {
        let place = Align2::LEFT_CENTER.anchor_size(pos2(x, rect.center().y), galley.size());
        x += galley.size().x + size::GAP;
        painter.galley(place.min, galley, color);
    }
}

/// The borders between heads. Before the column that takes the rest a border belongs to the column left of it, after it to the one
/// right of it: what is dragged follows the pointer.
fn handles_ui(ui: &Ui, theme: &Theme, spec: &Spec<'_>, area: Rect, columns: &[Option<Rangef>], state: &mut State) {
    let rest = spec.heads.iter().position(|head| matches!(head.width, Width::Rest(_))).unwrap_or(spec.heads.len());
    let shown: Vec<(usize, Rangef)> = columns.iter().enumerate().filter_map(|(at, column)| column.map(|column| (at, column))).collect();
    for pair in shown.windows(2) {
        let &[(left, column), (right, next)] = pair else { continue };
        let (of, sign, width) = if left < rest { (left, 1.0, column.span()) } else { (right, -1.0, next.span()) };
        let handle = Rect::from_x_y_ranges(Rangef::new(column.max - HANDLE, column.max + HANDLE), area.y_range());
        let drag = ui.interact(handle, spec.id.with(("handle", left)), Sense::DRAG | Sense::CLICK);
        let active = drag.hovered() || drag.dragged();
        let color = if active { theme.accent } else { theme.line };
        ui.painter().vline(column.max, area.y_range().shrink(size::GAP), (size::HAIRLINE, color));
        if active {
            ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        if drag.dragged() || drag.double_clicked() {
            state.widths.resize(spec.heads.len().max(state.widths.len()), None);
            if let Some(kept) = state.widths.get_mut(of) {
                *kept = (!drag.double_clicked()).then(|| (width + sign * drag.drag_delta().x).max(MIN_WIDTH));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(width: Width, leaves: u8) -> Head {
        Head { title: "x".into(), unit: String::new(), tooltip: "".into(), width, right: false, color: None, sorting: Sorting::No, leaves }
    }

    #[test]
    fn columns_leave_in_their_order_until_the_rest_has_room() {
        let heads =
            [head(Width::Points(100.0), 0), head(Width::Rest(200.0), 0), head(Width::Points(80.0), 2), head(Width::Points(90.0), 1)];
        let of = |room: f32| layout(&heads, &[], Rangef::new(0.0, room)).iter().map(|column| column.map(Rangef::span)).collect::<Vec<_>>();
        assert_eq!(of(600.0), [Some(100.0), Some(330.0), Some(80.0), Some(90.0)]);
        assert_eq!(of(400.0), [Some(100.0), Some(220.0), Some(80.0), None]);
        assert_eq!(of(310.0), [Some(100.0), Some(210.0), None, None]);
        assert_eq!(of(50.0), [Some(100.0), Some(MIN_WIDTH), None, None]);
    }

    #[test]
    fn dragged_widths_count() {
        let heads = [head(Width::Points(100.0), 0), head(Width::Rest(10.0), 0)];
        assert_eq!(layout(&heads, &[Some(60.0)], Rangef::new(0.0, 200.0))[1].map(|column| (column.min, column.max)), Some((60.0, 200.0)));
    }
}
