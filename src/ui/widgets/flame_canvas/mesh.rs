//! Fills the meshes: boxes, letters, marks, outlines.
//!
//! Everything goes into plain meshes on the font texture, because one shape per box costs a hundred times as much (see
//! `tests/bench/README.md`). All is made of quads, so the indices are those of the last frame. Start reading at [`base`], then [`overlay`].

use std::ops::Range;
use std::sync::Arc;

use egui::{Color32, Context, Mesh, Pos2, Rect, epaint::Vertex, epaint::WHITE_UV, pos2};

use super::geometry::{Area, Cell};
use super::glyphs::Glyphs;
use super::{BoxStyle, FlameCanvas, mark};
use crate::analysis::flame::{FlameBox, FlameView};
use crate::analysis::{NodeId, PlaceId};

/// Boxes of less than this many points get no letters.
const LABEL_WIDTH: f32 = 30.0;
/// Space on both sides of letters, in points.
const LABEL_PAD: f32 = 4.0;
/// Boxes at least this wide (pixels) can be outlined and carry marks.
const WIDE_PX: f32 = 4.0;
/// Distance of two lines of a hatch, and their thickness, in points.
const HATCH: (f32, f32) = (7.0, 1.5);
/// What is left of a fill during a search, of 256.
const DIMMED: u32 = 72;
/// Side of the corner that marks a new box, in points.
const CORNER: f32 = 7.0;
/// Height of the strip that marks churn, in points.
const CHURN: f32 = 3.0;

/// Two meshes in turn: while egui still holds the one of the last frame, the other is filled again without new memory.
#[derive(Default)]
pub(super) struct Ring {
    meshes: [Arc<Mesh>; 2],
    current: usize,
}

impl Ring {
    pub(super) fn current(&self) -> Arc<Mesh> {
        Arc::clone(&self.meshes[self.current])
    }

    /// Fills a mesh that keeps its memory, and makes it the current one. `fill` adds vertices only, four a quad: left top, right top,
    /// left bottom, right bottom.
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut Mesh)) {
        if Arc::get_mut(&mut self.meshes[self.current]).is_none() {
            self.current = 1 - self.current;
        }
        let mesh = Arc::make_mut(&mut self.meshes[self.current]);
        // `Mesh::clear` would give the memory of the vertices back.
        mesh.vertices.clear();
        fill(mesh);
        let quads = mesh.vertices.len() / 4;
        let known = mesh.indices.len() / 6;
        mesh.indices.truncate(quads * 6);
        for quad in known..quads {
            let first = quad as u32 * 4;
            mesh.indices.extend_from_slice(&[first, first + 1, first + 2, first + 2, first + 1, first + 3]);
        }
    }
}

/// Everything that drawing needs besides the canvas itself.
pub(super) struct Scene<'a, 'c> {
    pub(super) canvas: &'a FlameCanvas<'c>,
    pub(super) ctx: &'a Context,
    pub(super) area: &'a Area,
    pub(super) view: &'a FlameView,
}

/// Boxes with their letters. Leaves the boxes wide enough for marks in `wide`, as they were drawn.
pub(super) fn base(scene: &Scene<'_, '_>, glyphs: &mut Glyphs, mesh: &mut Mesh, wide: &mut Vec<(FlameBox, BoxStyle)>) {
    let Scene { canvas, area, view, .. } = *scene;
    wide.clear();
    let mut row = (usize::MAX, (0.0, 0.0));
    let is_search = canvas.matches.is_some();
    canvas.layout.visit_with(canvas.styles, &view.x, area.rows(view), f64::from(area.width_px), |found, style| {
        let depth = found.depth as usize;
        if row.0 != depth {
            row = (depth, area.row(depth, view));
        }
        let (x0, x1) = area.columns(&found);
        let cell = Cell { x0, y0: row.1.0, x1, y1: row.1.1 };
        let style = if is_search { BoxStyle { fill: dimmed(style.fill, canvas.colors.background), ..style } } else { style };
        let is_ghost = style.marks & mark::GHOST != 0;
        if !found.merged && found.x1 - found.x0 >= WIDE_PX {
            wide.push((found, style));
            wide_box(scene, mesh, cell, style);
        } else if is_ghost {
            quad(mesh, cell, canvas.colors.background.lerp_to_gamma(style.fill, 0.4));
        } else if style.marks & mark::EDGE != 0 {
            // Too narrow for edges: they would be all that is seen.
            quad(mesh, cell, style.fill.lerp_to_gamma(edge(scene), 0.5));
        } else {
            quad(mesh, cell, style.fill);
        }
    });
    for (found, style) in wide.iter() {
        label(scene, glyphs, mesh, area.cell(found, view), found.node, ground(scene, *style));
    }
}

/// What the letters of a box stand on.
fn ground(scene: &Scene<'_, '_>, style: BoxStyle) -> Color32 {
    if style.marks & mark::GHOST != 0 { scene.canvas.colors.background } else { style.fill }
}

/// What lies over the boxes and follows the pointer, the selection and the search.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Highlight {
    pub(super) hovered: Option<NodeId>,
    pub(super) selected: Option<NodeId>,
    /// All boxes of these places are outlined.
    pub(super) places: [Option<PlaceId>; 3],
    /// Version of the matches, `None` without a search.
    pub(super) matches: Option<u64>,
    /// A range being selected, left and right in points.
    pub(super) band: Option<[f32; 2]>,
}

/// Search matches, outlines, the selected range.
pub(super) fn overlay(scene: &Scene<'_, '_>, glyphs: &mut Glyphs, mesh: &mut Mesh, wide: &[(FlameBox, BoxStyle)], shown: &Highlight) {
    let Scene { canvas, area, view, .. } = *scene;
    let colors = &canvas.colors;
    let pixel = area.pixel();
    let mut hovered_is_match = false;
    if let Some(matches) = canvas.matches {
        let mut labels = Vec::new();
        matches.visit(&view.x, area.rows(view), f64::from(area.width_px), |found| {
            let cell = area.cell(&found, view);
            quad(mesh, cell, colors.accent);
            hovered_is_match |= shown.hovered == Some(found.node);
            if !found.merged && found.x1 - found.x0 >= WIDE_PX {
                labels.push((cell, found.node));
            }
        });
        for (cell, node) in labels {
            label(scene, glyphs, mesh, cell, node, colors.accent);
        }
    }
    if shown.places.iter().any(Option::is_some) {
        let is_shown = |node: NodeId| canvas.places.get(node.row()).is_some_and(|&place| shown.places.contains(&Some(place)));
        for (found, _) in wide.iter().filter(|(found, _)| is_shown(found.node)) {
            frame(mesh, area.cell(found, view), pixel, colors.outline);
        }
    }
    let cell_of = |node: NodeId| {
        let (span, depth) = (canvas.layout.node_span(node)?, canvas.layout.node_row(node)?);
        Some(area.span(&span, depth, view))
    };
    if let Some((node, cell)) = shown.hovered.and_then(|node| Some((node, cell_of(node)?))) {
        match wide.iter().find(|(found, _)| found.node == node) {
            Some((_, style)) => {
                let style = if hovered_is_match { BoxStyle::from(colors.accent) } else { *style };
                lit(scene, glyphs, mesh, cell, node, style);
            }
            None => quad(mesh, cell, colors.hover),
        }
    }
    if let Some(cell) = shown.selected.and_then(cell_of) {
        frame(mesh, cell, 2.0 * pixel, colors.text);
    }
    if let Some([left, right]) = shown.band {
        let band = Cell { x0: left, y0: area.rect.top(), x1: right, y1: area.rect.bottom() };
        quad(mesh, band, colors.hover);
        frame(mesh, band, pixel, colors.text);
    }
}

/// The box under the pointer, drawn again in a lighter colour: a veil over it would take the contrast from its letters.
fn lit(scene: &Scene<'_, '_>, glyphs: &mut Glyphs, mesh: &mut Mesh, cell: Cell, node: NodeId, style: BoxStyle) {
    let hover = scene.canvas.colors.hover;
    let ground = ground(scene, style).blend(hover);
    quad(mesh, cell, ground);
    wide_box(scene, mesh, cell, BoxStyle { fill: style.fill.blend(hover), ..style });
    label(scene, glyphs, mesh, cell, node, ground);
    frame(mesh, cell, scene.area.pixel(), scene.canvas.colors.outline);
}

fn wide_box(scene: &Scene<'_, '_>, mesh: &mut Mesh, cell: Cell, style: BoxStyle) {
    let BoxStyle { fill, marks } = style;
    let colors = &scene.canvas.colors;
    if marks & mark::GHOST != 0 {
        frame(mesh, cell, scene.area.pixel(), fill);
        return;
    }
    quad(mesh, cell, fill);
    if marks & mark::EDGE != 0 {
        frame(mesh, cell, scene.area.pixel(), edge(scene));
    }
    if marks & mark::UNCERTAIN != 0 {
        hatch(mesh, cell, seen(scene.area.rect, cell), colors.background.gamma_multiply(0.35));
    }
    if marks & mark::CHURN != 0 {
        let strip = Cell { y0: cell.y1 - CHURN.min(cell.y1 - cell.y0), ..cell };
        let middle = f32::midpoint(cell.x0, cell.x1);
        quad(mesh, Cell { x1: middle, ..strip }, colors.change[0]);
        quad(mesh, Cell { x0: middle, ..strip }, colors.change[1]);
    }
    if marks & mark::NEW != 0 && cell.width() >= 2.0 * CORNER {
        let side = CORNER.min(cell.y1 - cell.y0);
        let corners = [pos2(cell.x0, cell.y0), pos2(cell.x0 + side, cell.y0), pos2(cell.x0, cell.y0 + side)];
        polygon(mesh, &corners, colors.text);
    }
}

/// The colour of edges; during a search they step back with their boxes.
fn edge(scene: &Scene<'_, '_>) -> Color32 {
    let colors = &scene.canvas.colors;
    if scene.canvas.matches.is_some() { dimmed(colors.edge, colors.background) } else { colors.edge }
}

/// The part of a box between the left and right edge of the canvas.
fn seen(canvas: Rect, cell: Cell) -> Range<f32> {
    cell.x0.max(canvas.left())..cell.x1.min(canvas.right())
}

fn label(scene: &Scene<'_, '_>, glyphs: &mut Glyphs, mesh: &mut Mesh, cell: Cell, node: NodeId, ground: Color32) {
    // A box that starts left of the canvas has its name where it can be seen.
    let visible = seen(scene.area.rect, cell);
    if visible.end - visible.start < LABEL_WIDTH || cell.y1 - cell.y0 < glyphs.line_height - 4.0 {
        return;
    }
    let width = visible.end - visible.start - 2.0 * LABEL_PAD;
    let text = (scene.canvas.label)(node, (width / glyphs.advance(scene.ctx)) as usize);
    let snap = |points: f32| (points * scene.area.pixels_per_point).round() / scene.area.pixels_per_point;
    let at = Pos2::new(snap(visible.start + LABEL_PAD), snap((cell.y0 + cell.y1 - glyphs.line_height) / 2.0));
    glyphs.write(scene.ctx, mesh, &text, at, width, text_on(ground));
}

/// Black or white, whichever contrasts more. Squares stand for the exact curve: this runs for every label of every frame, and the
/// two differ only where both colours read about equally well.
fn text_on(ground: Color32) -> Color32 {
    let [r, g, b, _] = ground.to_array().map(f32::from);
    let luminance = (0.2126 * r * r + 0.7152 * g * g + 0.0722 * b * b) / (255.0 * 255.0);
    if luminance > 0.2125 { Color32::BLACK } else { Color32::WHITE }
}

/// A fill during a search. The base is drawn dimmed, instead of under a veil, so that its letters still contrast with it.
fn dimmed(fill: Color32, background: Color32) -> Color32 {
    let mix = |of: u8, ground: u8| ((u32::from(of) * DIMMED + u32::from(ground) * (256 - DIMMED)) >> 8) as u8;
    let ([r, g, b, a], ground) = (fill.to_array(), background.to_array());
    Color32::from_rgba_premultiplied(mix(r, ground[0]), mix(g, ground[1]), mix(b, ground[2]), a)
}

#[inline]
fn quad(mesh: &mut Mesh, cell: Cell, color: Color32) {
    let at = |x, y| Vertex { pos: pos2(x, y), uv: WHITE_UV, color };
    mesh.vertices.extend_from_slice(&[at(cell.x0, cell.y0), at(cell.x1, cell.y0), at(cell.x0, cell.y1), at(cell.x1, cell.y1)]);
}

/// The edges of a cell, inside of it.
fn frame(mesh: &mut Mesh, cell: Cell, thickness: f32, color: Color32) {
    let Cell { x0, y0, x1, y1 } = cell;
    let (tx, ty) = (thickness.min(x1 - x0), thickness.min(y1 - y0));
    quad(mesh, Cell { y1: y0 + ty, ..cell }, color);
    quad(mesh, Cell { y0: y1 - ty, ..cell }, color);
    let (y0, y1) = (y0 + ty, y1 - ty);
    if y1 > y0 {
        quad(mesh, Cell { x0, x1: x0 + tx, y0, y1 }, color);
        quad(mesh, Cell { x0: x1 - tx, x1, y0, y1 }, color);
    }
}

/// Slanted lines over the seen part of a cell. They start at the cell's own left edge, so they move with it.
fn hatch(mesh: &mut Mesh, cell: Cell, seen: Range<f32>, color: Color32) {
    let (step, thickness) = HATCH;
    let height = cell.y1 - cell.y0;
    let skipped = ((seen.start - cell.x0 - height - thickness) / step).floor().max(-((height + thickness) / step).ceil());
    let mut x = cell.x0 + skipped * step;
    while x < seen.end {
        let line = [pos2(x, cell.y1), pos2(x + thickness, cell.y1), pos2(x + thickness + height, cell.y0), pos2(x + height, cell.y0)];
        if x >= seen.start && x + thickness + height <= seen.end {
            polygon(mesh, &line, color);
        } else {
            let left = cut(&line, |at| at.x - seen.start);
            polygon(mesh, &cut(&left, |at| seen.end - at.x), color);
        }
        x += step;
    }
}

/// The part of a convex polygon where `inside` is not negative.
fn cut(corners: &[Pos2], inside: impl Fn(Pos2) -> f32) -> Vec<Pos2> {
    let mut kept = Vec::with_capacity(corners.len() + 2);
    for (&from, &to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        let (a, b) = (inside(from), inside(to));
        if a >= 0.0 {
            kept.push(from);
        }
        if (a < 0.0) != (b < 0.0) {
            kept.push(from + (to - from) * (a / (a - b)));
        }
    }
    kept
}

/// A convex polygon, two of its triangles a quad.
fn polygon(mesh: &mut Mesh, corners: &[Pos2], color: Color32) {
    let Some(&first) = corners.first() else { return };
    let at = |pos| Vertex { pos, uv: WHITE_UV, color };
    for part in corners[1..].windows(3).step_by(2) {
        let [a, b, c] = part else { continue };
        mesh.vertices.extend_from_slice(&[at(first), at(*a), at(*c), at(*b)]);
    }
    // A triangle is left over where the number of corners is odd.
    if corners.len() % 2 == 1
        && let [.., a, b] = corners[1..]
    {
        mesh.vertices.extend_from_slice(&[at(first), at(a), at(b), at(b)]);
    }
}
