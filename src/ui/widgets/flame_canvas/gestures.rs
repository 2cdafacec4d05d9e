//! What pointer, wheel and keys do to the view.
//!
//! A gesture moves only the live view; when it ends, it gives ONE new view, which the caller stores and can undo. A view that changes
//! from outside is moved to with a short animation. Start reading at [`Motion::update`].

use egui::{Event, EventFilter, Key, PointerButton, Response, Ui, Vec2};

use super::geometry::Area;
use super::{FlameCanvas, FlameKey};
use crate::analysis::flame::{FlameView, Step};

/// Length of the zoom animation in seconds.
const ANIMATION: f64 = 0.12;
/// A wheel gesture has ended when the wheel rested for so many seconds.
const WHEEL_REST: f64 = 0.25;
/// A box of fewer points cannot be read.
const MIN_READABLE: f32 = 80.0;
/// Ranges of fewer points are slips of the hand.
const MIN_BAND: f32 = 5.0;
/// One press of `+` multiplies the visible width by this.
const KEY_ZOOM: f64 = 0.5;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Drag {
    Pan,
    /// Selecting a range that began here, in points.
    Band(f32),
}

struct Animation {
    from: FlameView,
    since: f64,
}

/// The view as it is drawn, and what moves it.
#[derive(Default)]
pub(super) struct Motion {
    live: Option<FlameView>,
    /// The caller's view of the last frame: another one means that it changed from outside.
    seen: Option<FlameView>,
    animation: Option<Animation>,
    drag: Option<Drag>,
    /// When the wheel last turned, and whether it zoomed.
    wheel: Option<(f64, bool)>,
    /// The view that was given last: the caller's becomes this one without having changed from outside.
    given: Option<FlameView>,
}

/// What a frame's input came to.
pub(super) struct Moved {
    /// The view to draw.
    pub(super) live: FlameView,
    /// A gesture ended with this view.
    pub(super) changed: Option<FlameView>,
    pub(super) key: Option<FlameKey>,
    /// A range being selected, in points.
    pub(super) band: Option<[f32; 2]>,
}

impl Motion {
    pub(super) fn update(&mut self, ui: &Ui, response: &Response, canvas: &FlameCanvas<'_>, area: &Area, view: &FlameView) -> Moved {
        let now = ui.input(|input| input.time);
        let mut live = self.follow(ui, canvas, view, now);
        let limits = Limits::new(canvas, area);
        let mut changed = None;

        // A gesture that begins while the wheel has not come to rest ends what the wheel did: zooming and panning are two steps.
        if response.drag_started() && self.wheel.take().is_some() {
            changed = Some(live.clone());
        }
        if let Some((turned, zooms)) = wheel(ui, response, area, &live, &limits) {
            if self.wheel.is_some_and(|(_, other)| other != zooms) {
                changed = Some(live.clone());
            }
            live = turned;
            self.wheel = Some((now, zooms));
            self.animation = None;
        }
        if let Some((since, _)) = self.wheel {
            let rest = since + WHEEL_REST - now;
            if rest <= 0.0 {
                self.wheel = None;
                changed = Some(live.clone());
            } else {
                ui.ctx().request_repaint_after_secs(rest as f32);
            }
        }

        let mut band = None;
        if response.drag_started() {
            let pressed = ui.input(|input| input.pointer.press_origin()).map_or(0.0, |at| at.x);
            let selects = response.dragged_by(PointerButton::Middle) || ui.input(|input| input.modifiers.shift);
            let pans = response.dragged_by(PointerButton::Primary);
            self.drag = if selects { Some(Drag::Band(pressed)) } else { pans.then_some(Drag::Pan) };
        }
        let pointer = response.interact_pointer_pos().map(|at| at.x.clamp(area.rect.left(), area.rect.right()));
        match self.drag {
            Some(Drag::Pan) if response.dragged() => {
                // egui waits with a drag until it is no click; the way up to there counts too.
                let started = response.drag_started();
                let delta = if started { response.total_drag_delta().unwrap_or_default() } else { response.drag_delta() };
                if delta != Vec2::ZERO {
                    live = pan(&live, delta, area, &limits);
                    self.animation = None;
                }
            }
            Some(Drag::Band(from)) if response.dragged() => band = pointer.map(|to| [from.min(to), from.max(to)]),
            _ => {}
        }
        if response.drag_stopped() {
            // Escape ends a drag as well, and gives it up.
            let given_up = !ui.input(|input| input.pointer.any_released());
            match self.drag.take() {
                Some(Drag::Pan) if given_up => live = view.clone(),
                Some(Drag::Band(_)) if given_up => {}
                Some(Drag::Pan) => {
                    self.wheel = None;
                    changed = Some(live.clone());
                }
                Some(Drag::Band(from)) => {
                    if let Some(to) = pointer.filter(|to| (to - from).abs() >= MIN_BAND) {
                        let span = live.at(area.part(from.min(to)))..live.at(area.part(from.max(to)));
                        changed = Some(live.fitted(&span, limits.min_width));
                    }
                }
                None => {}
            }
        }

        let key = key(ui, response, canvas, live.icicle);
        match key {
            Some(FlameKey::ZoomIn) => changed = Some(live.zoomed(KEY_ZOOM, limits.middle(canvas, &live), limits.min_width)),
            Some(FlameKey::ZoomOut) => changed = Some(live.zoomed(1.0 / KEY_ZOOM, limits.middle(canvas, &live), limits.min_width)),
            Some(FlameKey::Reset) => changed = Some(FlameView { icicle: live.icicle, ..FlameView::default() }),
            Some(FlameKey::Step(_)) | None => {}
        }
        if response.double_clicked()
            && let Some(at) = response.interact_pointer_pos()
            && let Some(span) = canvas.node_at(area, &live, at).and_then(|node| canvas.layout.node_span(node))
        {
            changed = Some(live.fitted(&span, limits.min_width));
        }
        if let Some(node) = canvas.reveal
            && let (Some(span), Some(row)) = (canvas.layout.node_span(node), canvas.layout.node_row(node))
        {
            let least = f64::from((MIN_READABLE / area.rect.width().max(1.0)).min(1.0));
            // From where the caller's view leads, however far the animation to it has come.
            changed = Some(view.revealing(&span, row, least, area.visible_rows(), limits.min_width));
        }
        // A window that grew must not leave an empty strip.
        live = live.scrolled(0.0, limits.max_scroll);
        self.live = Some(live.clone());
        let changed = changed.map(|changed| changed.scrolled(0.0, limits.max_scroll)).filter(|changed| changed != view);
        self.given = changed.clone().or(self.given.take());
        Moved { live, changed, key, band }
    }

    /// The live view, moved towards the caller's where that one changed.
    fn follow(&mut self, ui: &Ui, canvas: &FlameCanvas<'_>, view: &FlameView, now: f64) -> FlameView {
        let live = self.live.clone().unwrap_or_else(|| view.clone());
        if self.seen.as_ref() != Some(view) {
            let jump = self.seen.is_none() || canvas.reduced_motion || canvas.is_driven || live.icicle != view.icicle;
            self.seen = Some(view.clone());
            // What a gesture has come to in the meantime goes on from there.
            if self.given.take().as_ref() == Some(view) && (self.drag.is_some() || self.wheel.is_some()) {
                return live;
            }
            self.wheel = None;
            self.animation = (!jump && live != *view).then(|| Animation { from: live.clone(), since: now });
            if self.animation.is_none() {
                return view.clone();
            }
        }
        let Some(animation) = &self.animation else { return live };
        let part = (now - animation.since) / ANIMATION;
        if part >= 1.0 {
            self.animation = None;
            return view.clone();
        }
        ui.ctx().request_repaint();
        // Fast first, then slower: the answer to a click is seen in its first frame.
        view.between(&animation.from, 1.0 - (1.0 - part.max(0.0)).powi(3))
    }
}

/// How far a view may go.
struct Limits {
    min_width: f64,
    max_scroll: f32,
}

impl Limits {
    fn new(canvas: &FlameCanvas<'_>, area: &Area) -> Self {
        Self {
            // Two units of weight, and where those are finer than numbers can tell apart, a billionth.
            min_width: (2.0 / canvas.layout.total().max(1) as f64).max(1e-9),
            max_scroll: (canvas.layout.rows() as f32 - area.visible_rows()).max(0.0),
        }
    }

    /// Where keys zoom: the middle of the selected box while it can be seen, else of the canvas.
    fn middle(&self, canvas: &FlameCanvas<'_>, view: &FlameView) -> f64 {
        let span = canvas.selected.and_then(|node| canvas.layout.node_span(node));
        let middle = span.map(|span| (span.start.midpoint(span.end) - view.x.start) / view.width().max(self.min_width));
        middle.filter(|middle| (0.0..=1.0).contains(middle)).unwrap_or(0.5)
    }
}

fn pan(view: &FlameView, by: Vec2, area: &Area, limits: &Limits) -> FlameView {
    let rows = by.y * area.pixels_per_point / area.row_px;
    let away_from_root = if view.icicle { -rows } else { rows };
    view.panned(-f64::from(by.x * area.pixels_per_point / area.width_px)).scrolled(away_from_root, limits.max_scroll)
}

/// The view after this frame's wheel and pinch, and whether they zoomed; `None` where they did nothing here.
fn wheel(ui: &Ui, response: &Response, area: &Area, view: &FlameView, limits: &Limits) -> Option<(FlameView, bool)> {
    let pointer = response.hover_pos()?;
    let (scroll, zoom) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta()));
    let zooms = (zoom - 1.0).abs() > f32::EPSILON;
    if !zooms && scroll == Vec2::ZERO {
        return None;
    }
    // Taken: a scroll area around the canvas shall not move too.
    ui.input_mut(|input| input.smooth_scroll_delta = Vec2::ZERO);
    let panned = pan(view, scroll, area, limits);
    Some((if zooms { panned.zoomed(1.0 / f64::from(zoom), area.part(pointer.x), limits.min_width) } else { panned }, zooms))
}

/// The first key of this frame that means something here, while the canvas has the keyboard, or nothing has it and it takes idle keys.
fn key(ui: &Ui, response: &Response, canvas: &FlameCanvas<'_>, icicle: bool) -> Option<FlameKey> {
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    } else if !canvas.takes_idle_keys || ui.memory(|memory| memory.focused().is_some()) || egui::Popup::is_any_open(ui.ctx()) {
        return None;
    }
    let (up, down) = if icicle { (Step::Parent, Step::Child) } else { (Step::Child, Step::Parent) };
    ui.input_mut(|input| {
        let found = input.events.iter().enumerate().find_map(|(at, event)| {
            let Event::Key { key, pressed: true, modifiers, .. } = event else { return None };
            let plain = !modifiers.any() || *modifiers == egui::Modifiers::SHIFT && *key == Key::Plus;
            let meaning = match key {
                Key::ArrowUp => FlameKey::Step(up),
                Key::ArrowDown => FlameKey::Step(down),
                Key::ArrowLeft => FlameKey::Step(Step::Left),
                Key::ArrowRight => FlameKey::Step(Step::Right),
                Key::Plus | Key::Equals => FlameKey::ZoomIn,
                Key::Minus => FlameKey::ZoomOut,
                Key::Num0 => FlameKey::Reset,
                _ => return None,
            };
            plain.then_some((at, meaning))
        });
        found.map(|(at, meaning)| {
            input.events.remove(at);
            meaning
        })
    })
}
