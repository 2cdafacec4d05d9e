//! The canvas driven by raw input, without a window.

use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, RawInput, TouchPhase, Vec2, pos2, vec2};

use super::*;
use crate::analysis::flame::Shape as Tree;
use crate::base::ticket::Ticket;
use crate::ui::raster::{self, Image};

const SIZE: Vec2 = vec2(400.0, 200.0);
const ROW: f32 = 18.0;

fn node(row: usize) -> NodeId {
    NodeId::from_row(row).unwrap()
}

fn place(row: usize) -> PlaceId {
    PlaceId::from_row(row).unwrap()
}

/// Root of 100: `a` 0..40 with `c` 0..10 inside, `b` 40..80, then the root itself.
struct Stage {
    ctx: Context,
    theme: Theme,
    layout: FlameLayout,
    styles: FlameColumn<BoxStyle>,
    places: Vec<PlaceId>,
    view: FlameView,
    selected: Option<NodeId>,
    reduced_motion: bool,
    takes_idle_keys: bool,
    seconds: f64,
    modifiers: Modifiers,
}

const NAMES: [&str; 4] = ["all", "alpha", "gamma", "beta"];
const FILLS: [Color32; 4] = [Color32::DARK_GRAY, Color32::DARK_RED, Color32::DARK_GREEN, Color32::DARK_BLUE];

impl Stage {
    fn new() -> Self {
        let parents = [None, Some(node(0)), Some(node(1)), Some(node(0))];
        let layout = FlameLayout::build(Tree { parents: &parents, depths: &[0, 1, 2, 1] }, &[20, 30, 10, 40], &Ticket::new()).unwrap();
        let theme = Theme::dark();
        let ctx = Context::default();
        theme.apply(&ctx);
        let styles = layout.column(|node| FILLS[node.row()].into());
        let (view, places) = (FlameView::default(), (0..4).map(place).collect());
        let mut stage = Self {
            ctx,
            theme,
            layout,
            styles,
            places,
            view,
            selected: None,
            reduced_motion: true,
            takes_idle_keys: false,
            seconds: 0.0,
            modifiers: Modifiers::NONE,
        };
        // egui knows where widgets are one frame later.
        stage.frame(vec![]);
        stage.frame(vec![]);
        stage
    }

    fn canvas<R>(&self, matches: Option<&FlameSubset>, show: impl FnOnce(&FlameCanvas<'_>) -> R) -> R {
        let label = |node: NodeId, _: usize| Cow::Borrowed(NAMES[node.row()]);
        let font = FlameCanvas::default_font();
        let mut canvas = FlameCanvas::new(&self.layout, &self.places, &self.styles, &label, &self.theme, &font);
        canvas.row_height = ROW;
        canvas.selected = self.selected;
        canvas.reduced_motion = self.reduced_motion;
        canvas.takes_idle_keys = self.takes_idle_keys;
        canvas.matches = matches;
        show(&canvas)
    }

    fn output(&mut self, events: Vec<Event>) -> (FlameResponse, Vec<egui::ClippedPrimitive>) {
        self.seconds += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            time: Some(self.seconds),
            events: std::iter::once(Event::ModifiersChanged(self.modifiers)).chain(events).collect(),
            ..RawInput::default()
        };
        let mut response = None;
        let mut output = self.ctx.run_ui(input, |ui| response = Some(self.canvas(None, |canvas| canvas.show(ui, "flame", &self.view))));
        let primitives = self.ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        output.drop_without_applying_deltas();
        (response.unwrap(), primitives)
    }

    fn frame(&mut self, events: Vec<Event>) -> FlameResponse {
        self.output(events).0
    }

    fn button(&self, at: Pos2, button: PointerButton, pressed: bool) -> Event {
        Event::PointerButton { pos: at, button, pressed, modifiers: self.modifiers }
    }

    fn click(&mut self, at: Pos2, button: PointerButton) -> FlameResponse {
        self.frame(vec![Event::PointerMoved(at)]);
        self.frame(vec![self.button(at, button, true)]);
        self.frame(vec![self.button(at, button, false)])
    }

    /// Press, move in steps, release; gives all views that were asked for, and the last live one.
    fn drag(&mut self, from: Pos2, to: Pos2, button: PointerButton) -> (Vec<FlameView>, FlameView) {
        let mut frames = vec![vec![Event::PointerMoved(from)], vec![self.button(from, button, true)]];
        frames.extend((1..=5).map(|step| vec![Event::PointerMoved(from + (to - from) * (step as f32 / 5.0))]));
        frames.push(vec![self.button(to, button, false)]);
        let responses: Vec<FlameResponse> = frames.into_iter().map(|events| self.frame(events)).collect();
        let live = responses.last().unwrap().live_view.clone();
        (responses.into_iter().filter_map(|response| response.view_changed).collect(), live)
    }

    fn key(&mut self, key: Key) -> FlameResponse {
        let modifiers = self.modifiers;
        self.frame(vec![Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }])
    }
}

/// The middle of a row at a part of the width.
fn at(part: f32, row: usize) -> Pos2 {
    pos2(SIZE.x * part, ROW * (row as f32 + 0.5))
}

fn wheel(modifiers: Modifiers, points: f32) -> Event {
    let (unit, phase, source) = (MouseWheelUnit::Point, TouchPhase::Move, MouseWheelSource::Unknown);
    Event::MouseWheel { unit, delta: vec2(0.0, points), phase, source, modifiers }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

#[test]
fn a_click_tells_the_box_under_the_pointer() {
    let mut stage = Stage::new();
    for (point, expected) in
        [(at(0.05, 2), Some(2)), (at(0.2, 1), Some(1)), (at(0.6, 1), Some(3)), (at(0.9, 0), Some(0)), (at(0.9, 1), None)]
    {
        let response = stage.click(point, PointerButton::Primary);
        assert_eq!(response.clicked, expected.map(node), "at {point:?}");
        assert_eq!(response.hovered, expected.map(node), "at {point:?}");
        assert_eq!(response.clicked_empty, expected.is_none(), "at {point:?}");
        stage.seconds += 1.0;
    }
    assert_eq!(stage.click(at(0.2, 1), PointerButton::Secondary).secondary_clicked, Some(node(1)));
}

#[test]
fn roots_at_the_bottom_turn_rows_and_keys_over() {
    let mut stage = Stage::new();
    stage.view.icicle = false;
    let response = stage.click(pos2(20.0, SIZE.y - ROW * 2.5), PointerButton::Primary);
    assert_eq!(response.clicked, Some(node(2)));
    stage.frame(vec![]);
    assert_eq!(stage.key(Key::ArrowUp).key, Some(FlameKey::Step(Step::Child)));
}

#[test]
fn a_double_click_asks_for_the_view_of_the_box() {
    let mut stage = Stage::new();
    stage.click(at(0.6, 1), PointerButton::Primary);
    let response = stage.click(at(0.6, 1), PointerButton::Primary);
    assert_eq!(response.double_clicked, Some(node(3)));
    let view = response.view_changed.unwrap();
    assert!(near(view.x.start, 0.4) && near(view.x.end, 0.8), "{view:?}");
}

#[test]
fn the_wheel_zooms_at_the_pointer_and_asks_once_for_the_view() {
    let mut stage = Stage::new();
    let pointer = at(0.3, 1);
    stage.frame(vec![Event::PointerMoved(pointer)]);
    stage.modifiers = Modifiers::COMMAND;
    let mut changes = Vec::new();
    let mut live = FlameView::default();
    for frame in 0..60 {
        let events = if frame < 4 { vec![wheel(stage.modifiers, 60.0)] } else { vec![] };
        let response = stage.frame(events);
        live = response.live_view;
        assert!(near(live.at(0.3), 0.3), "frame {frame}: {live:?}");
        changes.extend(response.view_changed);
    }
    assert!(live.width() < 0.7, "{live:?}");
    assert_eq!(changes, [live], "one step for undo");
}

#[test]
fn shift_and_wheel_move_sideways() {
    let mut stage = Stage::new();
    stage.view.x = 0.4..0.6;
    stage.frame(vec![Event::PointerMoved(at(0.5, 1))]);
    stage.modifiers = Modifiers::SHIFT;
    stage.frame(vec![wheel(Modifiers::SHIFT, -40.0)]);
    let live = (0..30).map(|_| stage.frame(vec![]).live_view).last().unwrap();
    assert!(near(live.x.start, 0.42) && near(live.width(), 0.2), "{live:?}");
}

#[test]
fn a_drag_pans_with_the_pointer_and_asks_once_for_the_view() {
    let mut stage = Stage::new();
    stage.view.x = 0.4..0.6;
    let (changes, live) = stage.drag(at(0.5, 1), at(0.25, 1), PointerButton::Primary);
    assert!(near(live.x.start, 0.45) && near(live.x.end, 0.65), "{live:?}");
    assert_eq!(changes, [live]);
}

#[test]
fn a_drag_with_shift_or_the_middle_button_zooms_to_its_range() {
    for (modifiers, button) in [(Modifiers::SHIFT, PointerButton::Primary), (Modifiers::NONE, PointerButton::Middle)] {
        let mut stage = Stage::new();
        stage.modifiers = modifiers;
        let (changes, live) = stage.drag(at(0.75, 0), at(0.25, 2), button);
        assert_eq!(live, FlameView::default(), "the picture waits for the caller");
        let [view] = changes.as_slice() else { panic!("{changes:?}") };
        assert!(near(view.x.start, 0.25) && near(view.x.end, 0.75), "{view:?}");
    }
}

#[test]
fn keys_work_once_the_canvas_was_clicked_or_where_nothing_else_takes_them() {
    let mut stage = Stage::new();
    assert_eq!(stage.key(Key::ArrowDown).key, None);
    stage.takes_idle_keys = true;
    assert_eq!(stage.key(Key::ArrowDown).key, Some(FlameKey::Step(Step::Child)));
    stage.ctx.memory_mut(|memory| memory.request_focus(egui::Id::unique("a field of text")));
    assert_eq!(stage.key(Key::ArrowDown).key, None, "somebody is writing");
    stage.ctx.memory_mut(|memory| memory.surrender_focus(egui::Id::unique("a field of text")));
    stage.takes_idle_keys = false;
    stage.click(at(0.6, 1), PointerButton::Primary);
    stage.frame(vec![]);
    for (key, step) in [
        (Key::ArrowDown, Step::Child),
        (Key::ArrowUp, Step::Parent),
        (Key::ArrowLeft, Step::Left),
        (Key::ArrowRight, Step::Right),
        (Key::ArrowRight, Step::Right),
    ] {
        assert_eq!(stage.key(key).key, Some(FlameKey::Step(step)), "{key:?}");
    }
    stage.selected = Some(node(3));
    let view = stage.key(Key::Plus).view_changed.unwrap();
    assert!(near(view.x.start, 0.3) && near(view.x.end, 0.8), "around the middle of the selection: {view:?}");
    stage.view = view;
    stage.frame(vec![]);
    assert_eq!(stage.key(Key::Num0).view_changed, Some(FlameView::default()));
}

#[test]
fn a_view_from_outside_is_reached_in_120_milliseconds_and_then_rests() {
    let mut stage = Stage::new();
    stage.reduced_motion = false;
    stage.view.x = 0.4..0.8;
    let lives: Vec<FlameView> = (0..10).map(|_| stage.frame(vec![]).live_view).collect();
    assert!(lives.windows(2).all(|pair| pair[0].x.start <= pair[1].x.start && pair[0].x.end >= pair[1].x.end), "{lives:?}");
    assert!(lives[2].x.start > 0.0 && lives[2].x.start < 0.4, "on the way: {lives:?}");
    assert_eq!(lives[9], stage.view);
    stage.reduced_motion = true;
    stage.view.x = 0.0..0.5;
    assert_eq!(stage.frame(vec![]).live_view, stage.view);
}

#[test]
fn the_whole_graph_is_one_mesh() {
    let mut stage = Stage::new();
    let (_, primitives) = stage.output(vec![Event::PointerMoved(at(0.2, 1))]);
    assert_eq!(primitives.len(), 1);
}

fn picture(stage: &Stage, matches: Option<&FlameSubset>) -> Image {
    raster::render_ui(SIZE, 1.0, &stage.theme, |ui| {
        let ui = &mut ui.new_child(egui::UiBuilder::new().max_rect(Rect::from_min_size(Pos2::ZERO, SIZE)));
        stage.canvas(matches, |canvas| {
            canvas.show(ui, "flame", &stage.view);
        });
    })
}

fn has(image: &Image, x: u32, y: u32, expected: Color32) -> bool {
    image.pixel(x, y).is_some_and(|found| found == expected.to_array())
}

#[test]
fn boxes_have_their_colours_gaps_and_letters() {
    let stage = Stage::new();
    let image = picture(&stage, None);
    // Right ends of boxes, where no letters are; `b` ends at 320 with a gap of a pixel.
    for (x, y, color) in [(395, 3, FILLS[0]), (150, 20, FILLS[1]), (318, 20, FILLS[3]), (36, 38, FILLS[2])] {
        assert!(has(&image, x, y, color), "at {x}, {y}: {:?}", image.pixel(x, y));
    }
    for (x, y) in [(319, 20), (159, 20), (200, 17), (350, 25), (200, 100)] {
        assert!(has(&image, x, y, stage.theme.background), "gap at {x}, {y}: {:?}", image.pixel(x, y));
    }
    let letters = (162..200).flat_map(|x| (19..34).map(move |y| (x, y))).filter(|&(x, y)| !has(&image, x, y, FILLS[3])).count();
    assert!(letters > 30, "{letters} pixels of letters");
}

#[test]
fn marks_matches_and_the_selection_can_be_seen() {
    let mut stage = Stage::new();
    stage.selected = Some(node(0));
    let all =
        stage.layout.column(|node| BoxStyle { fill: FILLS[node.row()], marks: [0, mark::GHOST, mark::UNCERTAIN, mark::NEW][node.row()] });
    stage.styles = all;
    let image = picture(&stage, None);
    assert!(has(&image, 0, 25, FILLS[1]) && has(&image, 150, 25, stage.theme.background), "a ghost is an outline");
    let hatched = (2..38).filter(|&x| !has(&image, x, 50, FILLS[2])).count();
    assert!((5..25).contains(&hatched), "{hatched} of 36 pixels are hatched");
    assert!(has(&image, 161, 19, stage.theme.text), "a new box has a corner");
    assert!(has(&image, 200, 0, stage.theme.text) && has(&image, 200, 1, stage.theme.text), "the selection has an outline");

    let subset = stage.layout.subset(|found| found == node(3), &Ticket::new()).unwrap();
    let image = picture(&stage, Some(&subset));
    assert!(has(&image, 318, 20, stage.theme.accent), "a match has the accent");
    let dimmed = image.pixel(395, 8).unwrap();
    assert!(dimmed != FILLS[0].to_array() && dimmed != stage.theme.background.to_array(), "the rest is dimmed: {dimmed:?}");
}

#[test]
fn the_minimap_moves_its_window_or_draws_a_new_one() {
    let mut stage = Stage::new();
    stage.view.x = 0.5..0.7;
    let mut drag = |from: f32, to: f32| {
        let (from, to) = (pos2(SIZE.x * from, 10.0), pos2(SIZE.x * to, 10.0));
        let mut changes = Vec::new();
        let events = [
            vec![Event::PointerMoved(from)],
            vec![stage.button(from, PointerButton::Primary, true)],
            vec![Event::PointerMoved(from.lerp(to, 0.5))],
            vec![Event::PointerMoved(to)],
            vec![stage.button(to, PointerButton::Primary, false)],
        ];
        for events in events {
            stage.seconds += 1.0 / 60.0;
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, SIZE));
            let input = RawInput { screen_rect, time: Some(stage.seconds), events, ..RawInput::default() };
            let show =
                |ui: &mut Ui| changes.extend(stage.canvas(None, |canvas| canvas.show_minimap(ui, "map", 40.0, &stage.view)).view_changed);
            let mut show = show;
            stage.ctx.run_ui(input, |ui| show(ui)).drop_without_applying_deltas();
        }
        changes
    };
    drag(0.0, 0.0);
    let moved = drag(0.6, 0.7);
    let [view] = moved.as_slice() else { panic!("{moved:?}") };
    assert!(near(view.x.start, 0.6) && near(view.x.end, 0.8), "{view:?}");
    let drawn = drag(0.3, 0.1);
    let [view] = drawn.as_slice() else { panic!("{drawn:?}") };
    assert!(near(view.x.start, 0.1) && near(view.x.end, 0.3), "{view:?}");
}

#[test]
fn the_letters_of_the_box_under_the_pointer_stand_on_its_lighter_colour() {
    let mut stage = Stage::new();
    stage.frame(vec![Event::PointerMoved(at(0.2, 1))]);
    let (response, primitives) = stage.output(vec![]);
    assert_eq!(response.hovered, Some(node(1)));
    let overlay = primitives.iter().rev().find_map(|clipped| match &clipped.primitive {
        egui::epaint::Primitive::Mesh(mesh) => Some(mesh),
        egui::epaint::Primitive::Callback(_) => None,
    });
    let corners = &overlay.expect("the overlay is a mesh").vertices;
    let lighter = Color32::DARK_RED.blend(FlameColors::from(&stage.theme).hover);
    let fill = corners.iter().position(|corner| corner.color == lighter).expect("the box is drawn in a lighter colour");
    let is_letter = |corner: &egui::epaint::Vertex| corner.uv != egui::epaint::WHITE_UV && corner.color == Color32::WHITE;
    assert!(corners.iter().skip(fill).any(is_letter), "its letters are drawn over it and not under it");
}
