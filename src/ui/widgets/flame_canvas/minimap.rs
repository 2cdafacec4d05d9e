//! A strip that shows the whole graph and which part of it the canvas shows.
//!
//! A drag inside the window moves it, a drag outside draws a new one; both end in one new view. Start reading at
//! [`FlameCanvas::show_minimap`].

use std::hash::Hash;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::mutex::Mutex;
use egui::{CursorIcon, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::geometry::Area;
use super::mesh::{self, Ring, Scene};
use super::{BaseKey, BoxStyle, FlameCanvas};
use crate::analysis::flame::{FlameBox, FlameView};

/// A new window of fewer points is a slip of the hand.
const MIN_WINDOW: f32 = 3.0;

/// What the person did with the strip in this frame.
pub struct MinimapResponse {
    /// The view of a finished drag: one per gesture.
    pub view_changed: Option<FlameView>,
    /// The view in the middle of a drag. A caller that gives it to the canvas as its view should turn animations off meanwhile.
    pub live_view: FlameView,
    /// egui's own response.
    pub response: egui::Response,
}

#[derive(Clone, Copy)]
enum Drag {
    /// The window is moved; the pointer holds it at this distance from its left edge (part of the total).
    Move(f64),
    /// A new window begins here (part of the total).
    Draw(f64),
}

#[derive(Default)]
struct State {
    glyphs: super::Glyphs,
    ring: Ring,
    key: Option<BaseKey>,
    wide: Vec<(FlameBox, BoxStyle)>,
    drag: Option<Drag>,
    live: Option<FlameView>,
}

impl FlameCanvas<'_> {
    /// Draws the whole graph in a strip of `height` points over the width of `ui`, with the part that `view` shows left bright.
    ///
    /// Rows are made as low as needed, down to a pixel; rows beyond that are left out.
    pub fn show_minimap(&self, ui: &mut Ui, id: impl Hash + std::fmt::Debug, height: f32, view: &FlameView) -> MinimapResponse {
        let id = ui.make_persistent_id(id);
        let rect = Rect::from_min_size(ui.available_rect_before_wrap().min, vec2(ui.available_width(), height));
        let response = ui.interact(rect, id, Sense::drag()).on_hover_cursor(CursorIcon::Grab);
        ui.advance_cursor_after_rect(rect);
        let state = ui.data_mut(|data| Arc::clone(data.get_temp_mut_or_default::<Arc<Mutex<State>>>(id)));
        let mut state = state.lock();
        let state = &mut *state;

        let pixels_per_point = ui.pixels_per_point();
        let row_height = (height / self.layout.rows().max(1) as f32).clamp(1.0 / pixels_per_point, self.row_height / 2.0);
        let area = Area::new(rect, row_height, pixels_per_point);
        let pointer = response.interact_pointer_pos().map(|at| area.part(at.x).clamp(0.0, 1.0));
        if response.drag_started()
            && let Some(at) = pointer
        {
            // A window over everything cannot be moved, so a drag there draws.
            let moves = view.x.contains(&at) && view.width() < 0.999;
            state.drag = Some(if moves { Drag::Move(at - view.x.start) } else { Drag::Draw(at) });
        }
        let min_width = f64::from(MIN_WINDOW * pixels_per_point / area.width_px);
        if let (Some(drag), Some(at)) = (state.drag, pointer) {
            state.live = match drag {
                Drag::Move(held) => Some(view.panned((at - held - view.x.start) / view.width())),
                Drag::Draw(from) if (at - from).abs() >= min_width => Some(view.fitted(&(from.min(at)..from.max(at)), min_width)),
                Drag::Draw(_) => None,
            };
        }
        let live = state.live.clone().unwrap_or_else(|| view.clone());
        let view_changed = response.drag_stopped().then(|| (state.drag.take(), state.live.take()).1).flatten().filter(|live| live != view);

        if ui.is_rect_visible(rect) {
            self.paint_minimap(ui, state, &area, &live);
        }
        response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, ui.is_enabled(), format!("{}, overview", self.name)));
        MinimapResponse { view_changed, live_view: live, response }
    }

    fn paint_minimap(&self, ui: &Ui, state: &mut State, area: &Area, live: &FlameView) {
        let whole = FlameView { icicle: live.icicle, ..FlameView::default() };
        let key = BaseKey {
            area: area.clone(),
            view: whole.clone(),
            version: self.version,
            colors: self.colors,
            is_search: self.matches.is_some(),
            // Rows are lower than letters: there are none.
            letters: (0, [0, 0]),
        };
        if state.key.as_ref() != Some(&key) {
            let scene = Scene { canvas: self, ctx: ui.ctx(), area, view: &whole };
            // A font that is never laid out has no height; this keeps letters out at any height of the strip.
            state.glyphs.line_height = f32::INFINITY;
            state.ring.fill(|mesh| mesh::base(&scene, &mut state.glyphs, mesh, &mut state.wide));
            state.key = Some(key);
        }
        let rect = area.rect;
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 0.0, self.colors.background);
        painter.add(Shape::Mesh(state.ring.current()));
        let x = |part: f64| rect.left() + (part * f64::from(rect.width())) as f32;
        let window = Rect::from_x_y_ranges(x(live.x.start)..=x(live.x.end), rect.y_range());
        let shade = self.colors.background.gamma_multiply(0.6);
        for side in [rect.with_max_x(window.left()), rect.with_min_x(window.right())] {
            painter.rect_filled(side, 0.0, shade);
        }
        painter.rect_stroke(window, 0.0, Stroke::new(1.0, self.colors.text), StrokeKind::Inside);
    }
}
