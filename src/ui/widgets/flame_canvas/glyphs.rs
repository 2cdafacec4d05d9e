//! Letters as ready quads, so that a label costs a copy per letter and no text layout.
//!
//! Each character is laid out once, alone, and stands on whole pixels: names in boxes are monospaced. Deliberately absent: shaping
//! across characters (joined scripts come apart). Start reading at [`Glyphs::refresh`], then [`Glyphs::write`].

use std::sync::Arc;

use egui::{Color32, Context, FontId, Galley, Mesh, Pos2, Vec2, epaint::Vertex, pos2};
use rustc_hash::FxHashMap;

use crate::analysis::names::in_line;

const ELLIPSIS: char = '…';

/// One character, in points; texture places in texels, because the atlas may grow after it was laid out.
#[derive(Clone, Copy, Debug)]
struct Glyph {
    advance: f32,
    /// `None` for a space.
    quad: Option<Quad>,
    /// It brings its own colours.
    is_color: bool,
}

#[derive(Clone, Copy, Debug)]
struct Quad {
    min: Vec2,
    max: Vec2,
    texel_min: Pos2,
    texel_max: Pos2,
}

/// The letters of one font at one scale.
#[derive(Default)]
pub(super) struct Glyphs {
    /// Laid out through egui's cache each frame. egui empties that cache exactly when it empties the font atlas, so another
    /// allocation means that every stored texel is void.
    probe: Option<Arc<Galley>>,
    font: FontId,
    pixels_per_point: f32,
    ascii: Vec<Option<Glyph>>,
    others: FxHashMap<char, Glyph>,
    /// Height of a line of text in points.
    pub(super) line_height: f32,
    /// Rises whenever meshes with older letters are void.
    pub(super) generation: u64,
    /// Size of the atlas that texture places are parts of.
    pub(super) atlas: [usize; 2],
}

impl Glyphs {
    /// Forgets the letters where the font, the scale or the atlas is another one. Call once a frame.
    pub(super) fn refresh(&mut self, ctx: &Context, font: &FontId) {
        let pixels_per_point = ctx.pixels_per_point();
        let (probe, atlas) = ctx.fonts_mut(|fonts| {
            let probe = fonts.layout_no_wrap("flame".to_owned(), font.clone(), Color32::PLACEHOLDER);
            (probe, fonts.font_image_size())
        });
        let same_atlas = self.probe.as_ref().is_some_and(|old| Arc::ptr_eq(old, &probe));
        if !same_atlas || self.font != *font || self.pixels_per_point.to_bits() != pixels_per_point.to_bits() {
            self.ascii.clear();
            self.ascii.resize(128, None);
            self.others.clear();
            self.font = font.clone();
            self.pixels_per_point = pixels_per_point;
            self.line_height = probe.size().y;
            self.probe = Some(probe);
            self.generation += 1;
        }
        self.atlas = atlas;
    }

    /// Width of one ASCII letter in points.
    pub(super) fn advance(&mut self, ctx: &Context) -> f32 {
        self.glyph(ctx, 'm').advance.max(1.0)
    }

    /// Appends `text` at `at` (left and top in points, on whole pixels), as much as fits into `width`; an ellipsis says that it was cut.
    pub(super) fn write(&mut self, ctx: &Context, mesh: &mut Mesh, text: &str, at: Pos2, width: f32, color: Color32) {
        let mut limit = width;
        if !self.fits(ctx, text, width) {
            limit -= self.glyph(ctx, ELLIPSIS).advance;
        }
        let per_texel = Vec2::new(1.0 / self.atlas[0].max(1) as f32, 1.0 / self.atlas[1].max(1) as f32);
        let mut x = 0.0;
        for character in text.chars() {
            let glyph = self.glyph(ctx, character);
            if x + glyph.advance > limit {
                // Only a text that does not fit gets here.
                let glyph = self.glyph(ctx, ELLIPSIS);
                push(mesh, &glyph, at + Vec2::new(x, 0.0), per_texel, color);
                break;
            }
            push(mesh, &glyph, at + Vec2::new(x, 0.0), per_texel, color);
            x += glyph.advance;
        }
    }

    fn fits(&mut self, ctx: &Context, text: &str, width: f32) -> bool {
        if text.is_ascii() {
            return text.len() as f32 * self.advance(ctx) <= width;
        }
        text.chars().map(|character| self.glyph(ctx, character).advance).sum::<f32>() <= width
    }

    fn glyph(&mut self, ctx: &Context, character: char) -> Glyph {
        if let Some(Some(glyph)) = self.ascii.get(character as usize) {
            return *glyph;
        }
        if let Some(glyph) = self.others.get(&character) {
            return *glyph;
        }
        let glyph = self.lay_out(ctx, character);
        match self.ascii.get_mut(character as usize) {
            Some(slot) => *slot = Some(glyph),
            None => {
                self.others.insert(character, glyph);
            }
        }
        glyph
    }

    fn lay_out(&self, ctx: &Context, character: char) -> Glyph {
        // A line break inside a name would become a second row.
        let shown = in_line(character);
        let galley = ctx.fonts_mut(|fonts| fonts.layout_no_wrap(shown.to_string(), self.font.clone(), Color32::PLACEHOLDER));
        let row = galley.rows.first();
        let quad = row.and_then(|row| {
            let corners = row.visuals.mesh.vertices.get(row.visuals.glyph_vertex_range.clone())?;
            let first = corners.first()?;
            // Of several quads (a base and its marks) the hull would show foreign texels: take the first one.
            let quad = corners.get(..4).unwrap_or(corners);
            let (mut min, mut max, mut texel_min, mut texel_max) = (first.pos, first.pos, first.uv, first.uv);
            for corner in quad {
                (min, max) = (min.min(corner.pos), max.max(corner.pos));
                (texel_min, texel_max) = (texel_min.min(corner.uv), texel_max.max(corner.uv));
            }
            let offset = row.pos.to_vec2();
            Some(Quad { min: min.to_vec2() + offset, max: max.to_vec2() + offset, texel_min, texel_max })
        });
        let advance = (galley.size().x * self.pixels_per_point).round() / self.pixels_per_point;
        let is_color = row.and_then(|row| row.glyphs.first()).is_some_and(|glyph| glyph.is_color);
        Glyph { advance, quad, is_color }
    }
}

#[inline]
fn push(mesh: &mut Mesh, glyph: &Glyph, at: Pos2, per_texel: Vec2, color: Color32) {
    let Some(quad) = &glyph.quad else { return };
    let color = if glyph.is_color { Color32::WHITE } else { color };
    let (min, max) = (at + quad.min, at + quad.max);
    let (uv0, uv1) = (
        pos2(quad.texel_min.x * per_texel.x, quad.texel_min.y * per_texel.y),
        pos2(quad.texel_max.x * per_texel.x, quad.texel_max.y * per_texel.y),
    );
    mesh.vertices.extend_from_slice(&[
        Vertex { pos: min, uv: uv0, color },
        Vertex { pos: pos2(max.x, min.y), uv: pos2(uv1.x, uv0.y), color },
        Vertex { pos: pos2(min.x, max.y), uv: pos2(uv0.x, uv1.y), color },
        Vertex { pos: max, uv: uv1, color },
    ]);
}
