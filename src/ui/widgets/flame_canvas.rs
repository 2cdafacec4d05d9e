//! A flame graph on the screen: draws a layout as one mesh and tells what the person did with it.
//!
//! It deliberately knows no profile: boxes are numbers, colours and names come from the caller. Nothing is changed here but the view
//! during a gesture. Start reading at [`FlameCanvas::show`]; input is in `gestures.rs`, drawing in `mesh.rs`.

mod geometry;
mod gestures;
mod glyphs;
mod mesh;
mod minimap;
#[cfg(test)]
mod tests;

pub use minimap::MinimapResponse;

use std::borrow::Cow;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::mutex::Mutex;
use egui::{Color32, Context, FontId, Id, Pos2, Rect, Response, Sense, Shape, Ui, WidgetInfo};

use crate::analysis::flame::{FlameBox, FlameColumn, FlameLayout, FlameSubset, FlameView, Step};
use crate::analysis::{NodeId, PlaceId};
pub use crate::report::color::mark;
use crate::ui::theme::{Theme, fonts, size};
use geometry::Area;
use gestures::Motion;
use glyphs::Glyphs;
use mesh::{Highlight, Ring, Scene};

/// How one box looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxStyle {
    /// Its colour, opaque.
    pub fill: Color32,
    /// Bits of [`mark`].
    pub marks: u8,
}

impl From<Color32> for BoxStyle {
    fn from(fill: Color32) -> Self {
        Self { fill, marks: 0 }
    }
}

/// Colours that are the same for all boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlameColors {
    /// Ground of the canvas.
    pub background: Color32,
    /// Outline of the selection, and corners of new boxes.
    pub text: Color32,
    /// Outline of the other boxes of a place.
    pub outline: Color32,
    /// Edge of boxes whose fill is close to the ground; has 3:1 against it.
    pub edge: Color32,
    /// Fill of search matches.
    pub accent: Color32,
    /// The two ends of the scale of change: worse, better.
    pub change: [Color32; 2],
    /// Laid over the box under the pointer; translucent.
    pub hover: Color32,
}

impl From<&Theme> for FlameColors {
    fn from(theme: &Theme) -> Self {
        Self {
            background: theme.background,
            text: theme.text,
            outline: theme.text.gamma_multiply(0.75),
            edge: theme.strong_line,
            accent: theme.accent,
            change: [theme.delta_color(1.0, 1.0), theme.delta_color(-1.0, 1.0)],
            hover: Color32::WHITE.gamma_multiply(0.22),
        }
    }
}

/// A flame graph to show.
#[derive(Clone, Copy)]
pub struct FlameCanvas<'a> {
    /// Where the boxes are.
    pub layout: &'a FlameLayout,
    /// The place of each node, one entry per node: boxes of the hovered and the selected place are outlined.
    pub places: &'a [PlaceId],
    /// How boxes look, made by [`FlameLayout::column`] of `layout`.
    pub styles: &'a FlameColumn<BoxStyle>,
    /// The name of a box where so many letters fit; longer ones are cut at the end.
    pub label: &'a dyn Fn(NodeId, usize) -> Cow<'a, str>,
    /// Another number whenever layout, styles, names or matches are others: the picture is kept as long as it is the same.
    pub version: u64,
    /// Colours that are the same for all boxes.
    pub colors: FlameColors,
    /// The selected box.
    pub selected: Option<NodeId>,
    /// The box to bring into view in this frame: `view_changed` has the view, unless it can be read already.
    pub reveal: Option<NodeId>,
    /// One more place to outline: what another view points at.
    pub outlined: Option<PlaceId>,
    /// Search matches; the rest is dimmed. `None` without a search.
    pub matches: Option<&'a FlameSubset>,
    /// Height of a row in points, gap included.
    pub row_height: f32,
    /// A monospaced font.
    pub font: &'a FontId,
    /// No animations.
    pub reduced_motion: bool,
    /// The view is that of another picture which is in motion: it is taken over as it is, without an animation of its own.
    pub is_driven: bool,
    /// Takes its keys also where nothing has the keyboard: for the canvas in front.
    pub takes_idle_keys: bool,
    /// What the whole picture is, for screen readers.
    pub name: &'a str,
}

/// A key pressed on the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlameKey {
    /// An arrow: where the selection should go (see [`FlameLayout::step`]).
    Step(Step),
    /// `+`: `view_changed` has the view.
    ZoomIn,
    /// `-`: `view_changed` has the view.
    ZoomOut,
    /// `0`: `view_changed` has the view.
    Reset,
}

/// What the person did in this frame.
pub struct FlameResponse {
    /// egui's own response, for tooltips and context menus.
    pub response: Response,
    /// The box under the pointer, while nothing is dragged.
    pub hovered: Option<NodeId>,
    /// Where that box is on the screen, cut to the canvas.
    pub hovered_rect: Option<Rect>,
    /// A box was clicked.
    pub clicked: Option<NodeId>,
    /// A click, but on no box.
    pub clicked_empty: bool,
    /// A box was double-clicked; `view_changed` has the view fitted to it.
    pub double_clicked: Option<NodeId>,
    /// A box was clicked with the secondary button.
    pub secondary_clicked: Option<NodeId>,
    /// A key was pressed.
    pub key: Option<FlameKey>,
    /// The view that a finished gesture asks for: one per gesture, so that undo has one step.
    pub view_changed: Option<FlameView>,
    /// The view as it was drawn, in the middle of gestures and animations too.
    pub live_view: FlameView,
    /// How many rows of it have room on the screen.
    pub visible_rows: f32,
}

/// What the base mesh was made of.
#[derive(Clone, PartialEq)]
struct BaseKey {
    area: Area,
    view: FlameView,
    version: u64,
    colors: FlameColors,
    is_search: bool,
    letters: (u64, [usize; 2]),
}

/// Kept in egui's memory: nothing here would be missed after a restart.
#[derive(Default)]
struct State {
    motion: Motion,
    glyphs: Glyphs,
    base: Ring,
    base_key: Option<BaseKey>,
    wide: Vec<(FlameBox, BoxStyle)>,
    overlay: Ring,
    highlight: Highlight,
}

impl<'a> FlameCanvas<'a> {
    /// A canvas in the colours of `theme`, without matches or a selection.
    pub fn new(
        layout: &'a FlameLayout,
        places: &'a [PlaceId],
        styles: &'a FlameColumn<BoxStyle>,
        label: &'a dyn Fn(NodeId, usize) -> Cow<'a, str>,
        theme: &Theme,
        font: &'a FontId,
    ) -> Self {
        Self {
            layout,
            places,
            styles,
            label,
            version: 0,
            colors: theme.into(),
            selected: None,
            reveal: None,
            outlined: None,
            matches: None,
            row_height: size::FLAME_ROW,
            font,
            reduced_motion: false,
            is_driven: false,
            takes_idle_keys: false,
            name: "Flame graph",
        }
    }

    /// The font that flame graphs have where nobody chose another.
    pub fn default_font() -> FontId {
        fonts::flame()
    }

    /// Draws into the rest of `ui` and handles the input there. `view` is the caller's; gestures leave it alone and give a new one.
    pub fn show(&self, ui: &mut Ui, id: impl std::hash::Hash + std::fmt::Debug, view: &FlameView) -> FlameResponse {
        let id = ui.make_persistent_id(id);
        let response = ui.interact(ui.available_rect_before_wrap(), id, Sense::click_and_drag());
        ui.advance_cursor_after_rect(response.rect);
        let state = ui.data_mut(|data| Arc::clone(data.get_temp_mut_or_default::<Arc<Mutex<State>>>(id)));
        let mut state = state.lock();
        let state = &mut *state;

        let ctx = ui.ctx().clone();
        let area = Area::new(response.rect, self.row_height, ctx.pixels_per_point());
        if response.clicked() || response.secondary_clicked() || response.drag_started() {
            response.request_focus();
        }
        let moved = state.motion.update(ui, &response, self, &area, view);
        let live = moved.live;

        let node_at = |at: Option<Pos2>| at.and_then(|at| self.node_at(&area, &live, at));
        let hovered = node_at(response.hover_pos().filter(|_| !response.dragged()));
        let pressed = node_at(response.interact_pointer_pos());
        let hovered_rect = hovered.and_then(|node| {
            let (span, row) = (self.layout.node_span(node)?, self.layout.node_row(node)?);
            Some(area.span(&span, row, &live).rect().intersect(area.rect))
        });

        if ui.is_rect_visible(area.rect) {
            let place = |node: Option<NodeId>| node.and_then(|node| self.places.get(node.row())).copied();
            let highlight = Highlight {
                hovered,
                selected: self.selected,
                places: [place(hovered), place(self.selected), self.outlined],
                matches: self.matches.map(|_| self.version),
                band: moved.band,
            };
            self.paint(ui, state, &Scene { canvas: self, ctx: &ctx, area: &area, view: &live }, highlight);
        }
        let told = hovered.or(self.selected);
        response.widget_info(|| WidgetInfo {
            current_text_value: told.map(|node| (self.label)(node, usize::MAX).into_owned()),
            ..WidgetInfo::labeled(Role::Canvas, ui.is_enabled(), self.name)
        });
        FlameResponse {
            hovered,
            hovered_rect,
            clicked: pressed.filter(|_| response.clicked()),
            clicked_empty: response.clicked() && pressed.is_none(),
            double_clicked: pressed.filter(|_| response.double_clicked()),
            secondary_clicked: pressed.filter(|_| response.secondary_clicked()),
            key: moved.key,
            view_changed: moved.changed,
            live_view: live,
            visible_rows: area.visible_rows(),
            response,
        }
    }

    /// Adds both meshes to the picture, made anew where what they show has changed.
    fn paint(&self, ui: &Ui, state: &mut State, scene: &Scene<'_, '_>, highlight: Highlight) {
        state.glyphs.refresh(scene.ctx, self.font);
        let key = |glyphs: &Glyphs| BaseKey {
            area: scene.area.clone(),
            view: scene.view.clone(),
            version: self.version,
            colors: self.colors,
            is_search: self.matches.is_some(),
            letters: (glyphs.generation, glyphs.atlas),
        };
        let same_base = state.base_key.as_ref() == Some(&key(&state.glyphs));
        // New letters can make the atlas grow, which moves all texture places: then fill once more, now with every letter known.
        for _ in 0..2 {
            if state.base_key.as_ref() != Some(&key(&state.glyphs)) {
                state.base_key = Some(key(&state.glyphs));
                state.base.fill(|mesh| mesh::base(scene, &mut state.glyphs, mesh, &mut state.wide));
                state.glyphs.refresh(scene.ctx, self.font);
            }
        }
        let painter = ui.painter_at(scene.area.rect);
        painter.rect_filled(scene.area.rect, 0.0, self.colors.background);
        painter.add(Shape::Mesh(state.base.current()));
        if highlight != Highlight::default() {
            if !same_base || state.highlight != highlight {
                state.overlay.fill(|mesh| mesh::overlay(scene, &mut state.glyphs, mesh, &state.wide, &highlight));
            }
            painter.add(Shape::Mesh(state.overlay.current()));
        }
        state.highlight = highlight;
        watch_atlas(scene.ctx, state.glyphs.atlas);
    }

    /// The box at a point of the screen; boxes narrower than a pixel are found from half a pixel away.
    fn node_at(&self, area: &Area, view: &FlameView, at: Pos2) -> Option<NodeId> {
        let row = area.row_at(at, view)?;
        self.layout.hit(row, view.at(area.part(at.x)), 0.75 * view.width() / f64::from(area.width_px))
    }
}

/// Makes frames with large meshes cheaper; call it once for a context.
///
/// egui looks at every corner of every mesh to leave out those outside their clip rectangle. The canvas is never outside, and for it
/// that look is a fifth of a frame (`tests/bench/README.md`). Widgets leave out themselves what cannot be seen.
pub fn prepare(ctx: &Context) {
    ctx.tessellation_options_mut(|options| options.coarse_tessellation_culling = false);
}

/// The atlas of the first canvas of this pass.
#[derive(Clone, Copy, Default)]
struct Watch {
    installed: bool,
    used: Option<[usize; 2]>,
}

/// Repeats the pass where the font atlas grew after our letters were placed: texture places are parts of its size. egui's own text is
/// placed at the very end of a frame and has no such trouble.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough over the borrow")]
fn watch_atlas(ctx: &Context, used: [usize; 2]) {
    let id = Id::unique("flame canvas atlas");
    let installed = ctx.data_mut(|data| {
        let watch = data.get_temp_mut_or_default::<Watch>(id);
        watch.used.get_or_insert(used);
        std::mem::replace(&mut watch.installed, true)
    });
    if installed {
        return;
    }
    let check = move |ui: &mut Ui| {
        let ctx = ui.ctx();
        let used = ctx.data_mut(|data| data.get_temp_mut_or_default::<Watch>(id).used.take());
        if used.is_some_and(|used| used != ctx.fonts(|fonts| fonts.font_image_size())) {
            ctx.request_discard("the font atlas grew under a flame graph");
        }
    };
    ctx.on_end_pass("flame canvas atlas", Arc::new(check));
}
