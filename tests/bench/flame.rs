//! Processor time of one frame of a flame graph: layout of the interface and tessellation, without a GPU.
//!
//! `cargo bench --bench flame` prints a table and fails where a goal is missed; `-- --no-goals` only prints, `-- --large` adds ten
//! million nodes. The goals are for two cores of 2.6 GHz; see `README.md` beside this file.
#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot make its input has nothing to measure")]

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use egui::{Color32, Pos2, RawInput, Rect, ViewportId};
use emberlens::analysis::flame::{BySize, FlameColumn, FlameLayout, FlameView, Shape};
use emberlens::analysis::{NodeId, PlaceId};
use emberlens::base::ticket::Ticket;
use emberlens::ui::theme::{CodeKind, Theme};
use emberlens::ui::widgets::flame_canvas::{BoxStyle, FlameCanvas, prepare};

const FRAMES: usize = 41;
const PLACES: usize = 20_000;
const DEPTH: u32 = 200;

/// A generator of numbers that are the same on every machine (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to below 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A tree with few wide and very many narrow nodes, as real captures have.
struct Tree {
    parents: Vec<Option<NodeId>>,
    depths: Vec<u32>,
    self_width: Vec<u64>,
    places: Vec<PlaceId>,
}

impl Tree {
    fn new(nodes: usize) -> Self {
        let mut random = Random(0x5eed_0001);
        let mut tree = Self { parents: Vec::new(), depths: Vec::new(), self_width: Vec::new(), places: Vec::new() };
        let mut open: Vec<(Option<NodeId>, u32, usize)> = vec![(None, 0, nodes)];
        while tree.parents.len() < nodes {
            // Branches that ended at the greatest depth leave nodes over: they go into more branches below the root.
            let left = nodes - tree.parents.len();
            let (parent, depth, budget) = open.pop().unwrap_or((NodeId::from_row(0), 1, left));
            let row = tree.parents.len();
            tree.parents.push(parent);
            tree.depths.push(depth);
            tree.places.push(PlaceId::from_row((random.part() * random.part() * PLACES as f64) as usize).unwrap());
            let leaf = budget <= 1 || depth + 1 >= DEPTH;
            // Pareto with shape 1.2, cut at a million.
            let heavy = (1.0 - random.part()).powf(-1.0 / 1.2).min(1e6);
            let own = if leaf || random.part() < 0.2 { (heavy * 1e6) as u64 } else { 0 };
            tree.self_width.push(own);
            if leaf {
                continue;
            }
            let mut rest = budget - 1;
            let children = if random.part() < 0.85 { 1 } else { 2 + (random.next() % 5) as usize };
            for child in 0..children {
                let share = if child + 1 == children { rest } else { (rest as f64 * random.part().powi(2)) as usize };
                if share > 0 {
                    open.push((NodeId::from_row(row), depth + 1, share));
                    rest -= share;
                }
            }
        }
        tree
    }
}

struct Bench {
    layout: FlameLayout,
    tree: Tree,
    styles: FlameColumn<BoxStyle>,
    names: Vec<String>,
    theme: Theme,
}

struct Screen {
    width: f32,
    height: f32,
    row_height: f32,
}

const FULL_HD: Screen = Screen { width: 1920.0, height: 1080.0, row_height: 18.0 };

impl Bench {
    fn new(nodes: usize) -> Self {
        let tree = Tree::new(nodes);
        let started = Instant::now();
        let shape = Shape { parents: &tree.parents, depths: &tree.depths };
        let layout = FlameLayout::build(shape, &tree.self_width, &Ticket::new()).unwrap();
        println!("{nodes} nodes, {} rows: layout and pyramid in {:.0} ms", layout.rows(), started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        let shape = || Shape { parents: &tree.parents, depths: &tree.depths };
        let order = Arc::new(BySize::new(shape(), &tree.self_width));
        let ordered = started.elapsed().as_secs_f64() * 1e3;
        FlameLayout::build_from(shape(), 0, &tree.self_width, Some(&order), &Ticket::new()).unwrap();
        println!("largest first: order in {ordered:.0} ms, with layout and pyramid {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
        let theme = Theme::dark();
        let names: Vec<String> =
            (0..PLACES).map(|place| format!("example.org/module{}/package.(*Type{}).Method{place}", place % 97, place % 1013)).collect();
        let of_place: Vec<Color32> =
            (0..PLACES).map(|place| theme.package_color(&format!("package{}", place % 97), CodeKind::Library)).collect();
        let started = Instant::now();
        let styles = layout.column(|node| BoxStyle::from(of_place[tree.places[node.row()].row()]));
        println!("colours in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
        Self { layout, tree, styles, names, theme }
    }

    /// The eighth part of `FRAMES` frames, and their median, in milliseconds; `view` gives the view of each frame.
    fn run(&self, screen: &Screen, view: impl Fn(usize) -> FlameView) -> (f64, f64, usize) {
        let ctx = egui::Context::default();
        self.theme.apply(&ctx);
        prepare(&ctx);
        let label = |node: NodeId, _: usize| Cow::Borrowed(self.names[self.tree.places[node.row()].row()].as_str());
        let font = FlameCanvas::default_font();
        let mut canvas = FlameCanvas::new(&self.layout, &self.tree.places, &self.styles, &label, &self.theme, &font);
        canvas.row_height = screen.row_height;
        canvas.reduced_motion = true;
        let mut times = Vec::new();
        let mut vertices = 0;
        for frame in 0..FRAMES + 5 {
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, egui::vec2(screen.width, screen.height))),
                time: Some(frame as f64 / 60.0),
                ..RawInput::default()
            };
            let view = view(frame);
            let started = Instant::now();
            let mut output = ctx.run_ui(input, |ui| {
                canvas.show(ui, "flame", &view);
            });
            let primitives = ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
            // The first frames lay out letters.
            if frame >= 5 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            vertices = primitives
                .iter()
                .map(|primitive| match &primitive.primitive {
                    egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                    egui::epaint::Primitive::Callback(_) => 0,
                })
                .sum();
            output.drop_without_applying_deltas();
        }
        assert!(ctx.input_for(ViewportId::ROOT, |input| input.time) > 0.0, "frames were run");
        times.sort_by(f64::total_cmp);
        (times[times.len() / 8], times[times.len() / 2], vertices)
    }

    fn count(&self, view: &FlameView, rows: usize, pixels: f64) -> usize {
        let mut count = 0;
        let first = view.scroll_rows as usize;
        self.layout.visit(&view.x, first..first + rows, pixels, |_| count += 1);
        count
    }

    /// The view with most boxes among 26 zooms, 7 positions and 3 scrolls.
    fn worst(&self) -> FlameView {
        let zooms = (0..26).map(|zoom| 0.98 * 0.7_f64.powi(zoom));
        let views = zooms.flat_map(|width| {
            (0..7).flat_map(move |position| {
                (0..3).map(move |scroll| {
                    let start = (0.98 - width) * f64::from(position) / 6.0;
                    FlameView { x: start..start + width, scroll_rows: scroll as f32 * 60.0, ..FlameView::default() }
                })
            })
        });
        views.max_by_key(|view| self.count(view, 60, 1920.0)).unwrap_or_default()
    }
}

/// Moves a little to the right in each frame.
fn panning(view: &FlameView) -> impl Fn(usize) -> FlameView + '_ {
    move |frame| {
        let by = view.width() * 0.0004 * frame as f64;
        FlameView { x: view.x.start + by..view.x.end + by, ..view.clone() }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut missed = Vec::new();
    let sizes: &[(usize, [f64; 5])] = if has("--large") {
        &[(1_000_000, [0.8, 0.8, 2.5, 3.0, 0.3]), (10_000_000, [1.2, 1.2, 3.0, 3.0, 0.3])]
    } else {
        &[(1_000_000, [0.8, 0.8, 2.5, 3.0, 0.3])]
    };
    for (nodes, goals) in sizes {
        let bench = Bench::new(*nodes);
        let out = FlameView { x: 0.0..0.98, ..FlameView::default() };
        let worst = bench.worst();
        let rows_200 = Screen { row_height: 5.4, ..FULL_HD };
        let ultra_hd = Screen { width: 3840.0, height: 2160.0, row_height: 18.0 };
        let zooming = |frame: usize| out.zoomed(0.99_f64.powi(frame as i32), 0.37, 1e-9);
        let deep = FlameView { x: 0.3..0.3005, ..FlameView::default() };
        let still = |_: usize| out.clone();
        println!("{:<28} {:>9} {:>9} {:>9} {:>9}", "view", "1/8 ms", "median", "goal", "vertices");
        let mut row = |name: &str, goal: f64, (eighth, median, vertices): (f64, f64, usize)| {
            println!("{name:<28} {eighth:>9.3} {median:>9.3} {goal:>9.1} {vertices:>9}");
            if eighth > goal {
                missed.push(format!("{name} at {nodes} nodes: {eighth:.3} ms, goal {goal} ms"));
            }
        };
        row("all, panning", goals[0], bench.run(&FULL_HD, panning(&out)));
        row("all, zooming", goals[0], bench.run(&FULL_HD, zooming));
        row("deep zoom, panning", goals[0], bench.run(&FULL_HD, panning(&deep)));
        row("most boxes, panning", goals[1], bench.run(&FULL_HD, panning(&worst)));
        row("200 rows of 5 px", goals[2], bench.run(&rows_200, panning(&out)));
        row("3840x2160, panning", goals[3], bench.run(&ultra_hd, panning(&out)));
        row("unchanged", goals[4], bench.run(&FULL_HD, still));
    }
    for line in &missed {
        println!("missed: {line}");
    }
    if missed.is_empty() || has("--no-goals") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
