//! One function between what calls it and what it calls: two flame graphs of one scale, and the function's row between them.
//!
//! Which of them is above is the flame graph's own setting: the root of what the function calls is the function. A click selects a box and
//! the function stays, a double click goes on to the box's own sandwich. Deliberately absent: how the trees are made
//! (`analysis::sandwich`) and how a graph is drawn (`flame::graph`). Start reading at [`ui`].

mod head;

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use egui::{Id, Rect, RichText, Ui, UiBuilder, pos2};

use super::choose::{self, Choice};
use super::flame::graph::{Graph, Look, Meaning};
use super::{flame, rows};
use crate::analysis::diff::NodeDiff;
use crate::analysis::flame::{FlameLayout, FlameView, Step};
use crate::analysis::{NodeId, sandwich};
use crate::app::derived::State;
use crate::app::view::{FlameWindow, Half, SandwichWindow, Tab};
use crate::app::{Command, ShownSandwich};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::shortcuts;
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::flame_canvas::{FlameKey, FlameResponse};

/// The least room for callers or callees in rows, also where there are none: words stand there then.
const FEWEST_ROWS: f32 = 2.0;

const CHOICE: Choice = Choice {
    what: "Its sandwich shows what calls it and what it calls, with all its occurrences put together",
    label: "Sandwich of",
    command: Command::Sandwich,
};

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let Some(name) = cx.app.view().sandwich_of() else {
        choose::ui(ui, cx, &CHOICE, None, out);
        return;
    };
    match (cx.app.table(), cx.app.sandwich()) {
        (State::Ready(_), State::Unwanted) | (_, State::Failed(_)) => {
            choose::ui(ui, cx, &CHOICE, Some(name), out);
            return;
        }
        _ => {}
    }
    let Some((shown, is_old)) = cx.app.shown_sandwich() else {
        rows::working_ui(ui, cx, "Putting callers and callees together…");
        return;
    };
    let shown = shown.clone();
    let comparison = Arc::clone(&shown.sandwich.callees.comparison);
    flame::bar_ui(ui, cx, &comparison, out, |ui| head::found_ui(ui, cx, &shown));
    head::ui(ui, cx, &shown.sandwich);
    if shown.flame.function.total() == 0 {
        let side = if cx.app.view().is_comparison() { " on this side; choose other widths above" } else { "" };
        rows::working_ui(ui, cx, &format!("All values of the function are zero{side}"));
        return;
    }
    Pictures::new(cx, &shown, is_old).ui(ui, out);
}

/// One of the three pictures; also the row of [`Pictures::parts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Callers,
    Function,
    Callees,
}

impl Part {
    const ALL: [Self; 3] = [Self::Callers, Self::Function, Self::Callees];

    /// The half of the sandwich whose tree it shows.
    const fn half(self) -> Half {
        if matches!(self, Self::Callers) { Half::Callers } else { Half::Callees }
    }
}

/// Everything that is drawn.
struct Pictures<'a> {
    cx: &'a Cx<'a>,
    shown: &'a ShownSandwich,
    changes: Option<Arc<[NodeDiff; 2]>>,
    is_old: bool,
    window: SandwichWindow,
    /// Where the selection is.
    selected: Option<(Part, NodeId)>,
}

/// The picture that is in motion, and what it shows: the others follow it.
#[derive(Clone)]
struct Driver {
    part: Part,
    x: Range<f64>,
}

impl<'a> Pictures<'a> {
    fn new(cx: &'a Cx<'a>, shown: &'a ShownSandwich, is_old: bool) -> Self {
        let view = cx.app.view();
        let selected = match &view.sandwich.pinned {
            Some(pinned) => {
                let (part, half) = match pinned.half {
                    Half::Callers => (Part::Callers, &shown.sandwich.callers),
                    Half::Callees => (Part::Callees, &shown.sandwich.callees),
                };
                half.find(&pinned.path).map(|node| (part, node))
            }
            None => Some((Part::Function, shown.sandwich.callees.function())),
        };
        let changes = cx.app.sandwich_diff().ready().filter(|_| !is_old).cloned();
        Self { cx, shown, changes, is_old, window: view.sandwich.window, selected: selected.filter(|_| !is_old) }
    }

    fn layout(&self, part: Part) -> &'a Arc<FlameLayout> {
        match part {
            Part::Callers => &self.shown.flame.callers,
            Part::Function => &self.shown.flame.function,
            Part::Callees => &self.shown.flame.callees,
        }
    }

    fn half(&self, part: Part) -> &'a sandwich::Half {
        match part {
            Part::Callers => &self.shown.sandwich.callers,
            Part::Function | Part::Callees => &self.shown.sandwich.callees,
        }
    }

    fn graph(&self, part: Part) -> Graph<'_> {
        let changes = self.changes.as_ref().map(|both| {
            let [callers, callees] = &**both;
            (if part == Part::Callers { callers } else { callees }, Arc::clone(both) as Arc<dyn Any + Send + Sync>)
        });
        let (name, meaning) = match part {
            Part::Callers => ("Callers", Meaning::Caller),
            Part::Function => ("Function", Meaning::Callee),
            Part::Callees => ("Callees", Meaning::Callee),
        };
        Graph { name, meaning, layout: self.layout(part), comparison: &self.half(part).comparison, changes, is_old: self.is_old }
    }

    fn ui(&self, ui: &mut Ui, out: &mut Outbox) {
        let icicle = self.cx.app.settings().icicle;
        let order = if icicle { Part::ALL } else { [Part::Callees, Part::Function, Part::Callers] };
        let id = ui.make_persistent_id("what moves the pictures of a sandwich");
        let driver: Option<Driver> = ui.data(|data| data.get_temp::<Option<Driver>>(id)).flatten();
        let mut drives = None;
        let mut done: Vec<(Part, FlameResponse)> = Vec::with_capacity(order.len());
        for (part, rect) in order.into_iter().zip(self.rects(ui.available_rect_before_wrap(), order)) {
            let window = self.window.of(part.half());
            let other = driver.as_ref().filter(|driver| driver.part != part);
            let x = other.map_or(window.left..window.right, |driver| driver.x.clone());
            // The root of the callers is the function too, on the other side.
            let view = FlameView {
                x: x.clone(),
                scroll_rows: if part == Part::Function { 0.0 } else { window.scroll_rows },
                icicle: icicle != (part == Part::Callers),
            };
            let selected = self.selected.filter(|(at, _)| *at == part).map(|(_, node)| node);
            let look = Look { view, selected, reveal: None, is_driven: other.is_some(), takes_idle_keys: part == Part::Callees };
            let inner = ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                ui.set_clip_rect(rect.intersect(ui.clip_rect()));
                self.graph(part).show(ui, self.cx, &look)
            });
            if other.is_none() && inner.inner.live_view.x != x {
                drives = Some(Driver { part, x: inner.inner.live_view.x.clone() });
            }
            if self.layout(part).rows() == 0 {
                self.nothing_ui(ui, part, rect);
            }
            done.push((part, inner.inner));
        }
        if drives.is_some() || driver.is_some() {
            ui.data_mut(|data| data.insert_temp(id, drives));
            // Those that were drawn before the one that moved.
            ui.ctx().request_repaint();
        }
        self.line_ui(ui, &done);
        leave_keys(ui, &done);
        let room = |of: Part| done.iter().find(|(part, _)| *part == of).map_or(0.0, |(_, done)| done.visible_rows);
        for (part, done) in &done {
            self.act(*part, done, room, out);
            done.response.context_menu(|ui| self.menu_ui(ui, out));
        }
    }

    /// Where the pictures are, from above: the function's row, and around it what each half needs, or half of the room.
    fn rects(&self, all: Rect, order: [Part; 3]) -> [Rect; 3] {
        let row = self.cx.app.settings().flame_row_points;
        let [first, _, last] = order.map(|part| (self.layout(part).rows() as f32).max(FEWEST_ROWS) * row);
        let room = (all.height() - row - 2.0 * size::OUTLINE).max(0.0);
        let above = if first <= room / 2.0 {
            first
        } else if last <= room / 2.0 {
            first.min(room - last)
        } else {
            room / 2.0
        };
        let ends = [all.top(), all.top() + above, all.top() + above + row + 2.0 * size::OUTLINE, all.bottom()].map(f32::round);
        let [a, b, c, d] = ends;
        let rect = |top: f32, bottom: f32| Rect::from_min_max(pos2(all.left(), top), pos2(all.right(), bottom.max(top)));
        [rect(a, b), rect(b + size::OUTLINE, c - size::OUTLINE), rect(c, d)]
    }

    /// Two lines that set the function's row apart from both pictures.
    fn line_ui(&self, ui: &Ui, done: &[(Part, FlameResponse)]) {
        let Some((_, row)) = done.iter().find(|(part, _)| *part == Part::Function) else { return };
        let rect = row.response.rect;
        for y in [rect.top() - size::OUTLINE / 2.0, rect.bottom() + size::OUTLINE / 2.0] {
            ui.painter().hline(rect.x_range(), y, egui::Stroke::new(size::HAIRLINE, self.cx.theme.strong_line));
        }
    }

    /// Words where a picture has no boxes.
    fn nothing_ui(&self, ui: &Ui, part: Part, rect: Rect) {
        let text = match part {
            Part::Callers => "Nothing calls it: stacks begin here",
            Part::Callees => "It calls nothing: all of it is self",
            Part::Function => return,
        };
        let near =
            if (part == Part::Callers) == self.cx.app.settings().icicle { egui::Align2::LEFT_BOTTOM } else { egui::Align2::LEFT_TOP };
        let at = near.pos_in_rect(&rect.shrink2(egui::vec2(size::PAD, size::GAP)));
        ui.painter().text(at, near, text, fonts::small(), self.cx.theme.muted);
    }

    fn select(&self, part: Part, node: NodeId, out: &mut Outbox) {
        out.send(Command::SelectInSandwich(part.half(), self.half(part).path_of(node)));
    }

    /// What the person did, as commands. `room` is how many rows of a picture can be seen.
    fn act(&self, part: Part, done: &FlameResponse, room: impl Fn(Part) -> f32, out: &mut Outbox) {
        if let Some(node) = done.double_clicked.filter(|_| part != Part::Function) {
            let comparison = &self.half(part).comparison;
            out.send(Command::Sandwich(comparison.places().name(comparison.tree().place(node)).to_owned()));
            return;
        }
        if let Some(node) = done.clicked.or(done.secondary_clicked) {
            self.select(part, node, out);
        } else if done.clicked_empty && self.selected.is_some_and(|(part, _)| part != Part::Function) {
            self.select(Part::Function, self.shown.sandwich.callees.function(), out);
        }
        if let Some(FlameKey::Step(step)) = done.key
            && let Some((to, node)) = self.step(part, step)
        {
            self.select(to, node, out);
            self.follow(to, node, room(to), out);
        }
        if let Some(view) = &done.view_changed {
            let window = FlameWindow { left: view.x.start, right: view.x.end, scroll_rows: view.scroll_rows };
            let changed = match part {
                Part::Function => SandwichWindow { left: window.left, right: window.right, ..self.window },
                Part::Callers | Part::Callees => self.window.with(part.half(), window),
            };
            out.send(Command::SetSandwichWindow(changed));
        }
    }

    /// Moves a picture so that the box to which keys led is seen.
    fn follow(&self, part: Part, node: NodeId, visible_rows: f32, out: &mut Outbox) {
        // The function is as wide as all, and in no row that scrolls.
        if part == Part::Function {
            return;
        }
        let (Some(span), Some(row)) = (self.layout(part).node_span(node), self.layout(part).node_row(node)) else { return };
        let FlameWindow { left, right, scroll_rows } = self.window.of(part.half());
        let view = FlameView { x: left..right, scroll_rows, icicle: true };
        let moved = view.following(&span, row, visible_rows);
        if moved != view {
            let window = FlameWindow { left: moved.x.start, right: moved.x.end, scroll_rows: moved.scroll_rows };
            out.send(Command::SetSandwichWindow(self.window.with(part.half(), window)));
        }
    }

    /// Where an arrow leads that was pressed on a picture: rows go on from the callers through the function to the callees.
    fn step(&self, pressed: Part, step: Step) -> Option<(Part, NodeId)> {
        let (at, node) = self.selected?;
        let function = (Part::Function, self.shown.sandwich.callees.function());
        // Away from the function in the picture that has the keyboard, which need not be the one with the selection.
        let outward = match step {
            Step::Left | Step::Right => return self.layout(at).step(node, step).map(|node| (at, node)),
            Step::Child => true,
            Step::Parent => false,
        };
        let to_callees = outward == (pressed != Part::Callers);
        match (at, to_callees) {
            (Part::Function, true) => self.widest(Part::Callees),
            (Part::Function, false) => self.widest(Part::Callers),
            (Part::Callees, true) | (Part::Callers, false) => self.layout(at).step(node, Step::Child).map(|node| (at, node)),
            (Part::Callees, false) | (Part::Callers, true) => {
                Some(self.layout(at).step(node, Step::Parent).map_or(function, |node| (at, node)))
            }
        }
    }

    /// The widest box beside the function.
    fn widest(&self, part: Part) -> Option<(Part, NodeId)> {
        let (layout, half) = (self.layout(part), self.half(part));
        let width = |node: &NodeId| layout.node_span(*node).map_or(0.0, |span| span.end - span.start);
        let beside = half.comparison.tree().children(half.function()).filter(|node| width(node) > 0.0);
        beside.max_by(|a, b| width(a).total_cmp(&width(b)).then(b.cmp(a))).map(|node| (part, node))
    }

    fn menu_ui(&self, ui: &mut Ui, out: &mut Outbox) {
        flame::menu_groups_ui(ui, self.cx, out);
        rows::elsewhere_ui(ui, self.cx, out, Tab::Sandwich);
    }
}

/// The picture that has the keyboard leaves Space and Enter to the commands; so does the one that takes idle keys.
fn leave_keys(ui: &Ui, done: &[(Part, FlameResponse)]) {
    let focused = done.iter().find(|(_, done)| done.response.has_focus());
    let idle = || done.iter().find(|(part, _)| *part == Part::Callees);
    if let Some(id) = focused.or_else(idle).map(|(_, done)| -> Id { done.response.id }) {
        shortcuts::leave_keys(ui.ctx(), id);
    }
}

/// Small grey words.
fn muted(cx: &Cx<'_>, text: impl Into<String>) -> RichText {
    RichText::new(text).color(cx.theme.muted).font(fonts::small())
}
