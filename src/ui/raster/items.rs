//! From egui's meshes to what is painted: whole rectangles where two triangles make one, else triangles.
//!
//! Nearly everything an interface draws (grounds, boxes, letters) is a rectangle, and those need no edge walking. It
//! deliberately keeps the order of the meshes, since later things cover earlier ones.

use super::texture::Texture;
use egui::{
    ClippedPrimitive, Mesh, TextureId,
    epaint::{Primitive, Vertex},
};
use rustc_hash::FxHashMap;

/// Pixels from (`left`, `top`) to before (`right`, `bottom`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Area {
    fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    fn within(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }
}

/// A corner in pixels, its place in the texture in texels, and its premultiplied colour.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) u: f32,
    pub(super) v: f32,
    pub(super) color: [u8; 4],
}

/// How the pixels of an item get their colour.
pub(super) enum Fill {
    /// All the same.
    Plain([u8; 4]),
    /// A rectangle cut from the texture: texel position of the pixel position (0, 0) and texels per pixel.
    Cut { color: [u8; 4], origin: [f32; 2], step: [f32; 2] },
    /// Inside three corners, colours and texture in between.
    Triangle([Corner; 3]),
}

/// One thing to paint: the pixels it may touch (already cut to clip rectangle and picture) and their colour.
pub(super) struct Item<'a> {
    pub(super) area: Area,
    pub(super) fill: Fill,
    pub(super) texture: &'a Texture,
}

/// Everything in `primitives` that can be seen, in painting order.
pub(super) fn collect<'a>(
    primitives: &[ClippedPrimitive],
    textures: &'a FxHashMap<TextureId, Texture>,
    [width, height]: [i32; 2],
    pixels_per_point: f32,
) -> Vec<Item<'a>> {
    let picture = Area { left: 0, top: 0, right: width, bottom: height };
    let mut items = Vec::new();
    for ClippedPrimitive { clip_rect, primitive } in primitives {
        let Primitive::Mesh(mesh) = primitive else { continue };
        let Some(texture) = textures.get(&mesh.texture_id) else { continue };
        let pixel = |points: f32| (points * pixels_per_point).round() as i32;
        let clip = Area {
            left: pixel(clip_rect.min.x),
            top: pixel(clip_rect.min.y),
            right: pixel(clip_rect.max.x),
            bottom: pixel(clip_rect.max.y),
        }
        .within(picture);
        if !clip.is_empty() {
            mesh_items(mesh, texture, clip, pixels_per_point, &mut items);
        }
    }
    items
}

/// For each band of `band_rows` rows the numbers of the items that touch it, in painting order.
pub(super) fn bands(items: &[Item<'_>], height: usize, band_rows: usize) -> Vec<Vec<u32>> {
    let mut bands = vec![Vec::new(); height.div_ceil(band_rows)];
    for (number, Item { area, .. }) in items.iter().enumerate() {
        let first = area.top as usize / band_rows;
        let last = (area.bottom as usize - 1) / band_rows;
        for band in bands.iter_mut().take(last + 1).skip(first) {
            band.push(number as u32);
        }
    }
    bands
}

fn mesh_items<'a>(mesh: &Mesh, texture: &'a Texture, clip: Area, pixels_per_point: f32, items: &mut Vec<Item<'a>>) {
    let [across, down] = texture.size();
    let corner = |index: u32| {
        mesh.vertices.get(index as usize).map(|&Vertex { pos, uv, color }| Corner {
            x: pos.x * pixels_per_point,
            y: pos.y * pixels_per_point,
            u: uv.x * across,
            v: uv.y * down,
            color: color.to_array(),
        })
    };
    let mut push = |area: Area, fill: Fill| {
        let area = area.within(clip);
        if !area.is_empty() {
            items.push(Item { area, fill, texture });
        }
    };

    let (triangles, _) = mesh.indices.as_chunks::<3>();
    let mut rest = triangles;
    while let [first, more @ ..] = rest {
        rest = more;
        let [Some(a), Some(b), Some(c)] = first.map(&corner) else { continue };
        if let [second, more @ ..] = more
            && let Some(fourth) = completing(*first, *second)
            && let Some(d) = corner(fourth)
            && let Some((area, fill)) = rectangle([a, b, c, d], texture)
        {
            push(area, fill);
            rest = more;
            continue;
        }
        if let Some((area, fill)) = triangle([a, b, c], texture) {
            push(area, fill);
        }
    }
}

/// The corner of the second triangle that the first does not have, if the two share an edge.
fn completing(first: [u32; 3], second: [u32; 3]) -> Option<u32> {
    let mut new = second.into_iter().filter(|corner| !first.contains(corner));
    let fourth = new.next()?;
    // Two shared corners that are the same one twice would make the second triangle a line.
    let [x, y, z] = second;
    (new.next().is_none() && x != y && y != z && x != z).then_some(fourth)
}

/// The rectangle with these corners, if it is upright and has one colour and an upright cut of the texture.
///
/// The first three are one triangle; the fourth is the second triangle's own corner.
fn rectangle([a, b, c, d]: [Corner; 4], texture: &Texture) -> Option<(Area, Fill)> {
    if a.color != b.color || a.color != c.color || a.color != d.color {
        return None;
    }
    // The right angle of the first triangle lies opposite of the fourth corner.
    let (square, one, other) = [(a, b, c), (b, c, a), (c, a, b)].into_iter().find(|(square, one, other)| {
        same(square.y, one.y) && same(square.x, other.x) || same(square.x, one.x) && same(square.y, other.y)
    })?;
    let (beside, below) = if same(square.y, one.y) { (one, other) } else { (other, one) };
    let upright = same(d.x, beside.x) && same(d.y, below.y) && same(square.x, below.x) && same(square.y, beside.y);
    let straight = same(d.u, beside.u) && same(d.v, below.v) && same(square.u, below.u) && same(square.v, beside.v);
    if !upright || !straight {
        return None;
    }
    let area = Area {
        left: first_pixel(square.x.min(beside.x)),
        top: first_pixel(square.y.min(below.y)),
        right: first_pixel(square.x.max(beside.x)),
        bottom: first_pixel(square.y.max(below.y)),
    };
    if same(square.u, beside.u) && same(square.v, below.v) {
        return Some((area, Fill::Plain(tint(a.color, texture.sample(square.u, square.v)))));
    }
    let step = [(beside.u - square.u) / (beside.x - square.x), (below.v - square.v) / (below.y - square.y)];
    if !step.iter().all(|texels| texels.is_finite()) {
        return None;
    }
    let origin = [square.u - square.x * step[0], square.v - square.y * step[1]];
    Some((area, Fill::Cut { color: a.color, origin, step }))
}

/// A triangle and the pixels around it; `None` if it has no inside.
fn triangle(corners: [Corner; 3], texture: &Texture) -> Option<(Area, Fill)> {
    let [a, b, c] = corners;
    let turn = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if !turn.is_finite() || turn.abs() < 1e-9 {
        return None;
    }
    let area = Area {
        left: first_pixel(a.x.min(b.x).min(c.x)),
        top: first_pixel(a.y.min(b.y).min(c.y)),
        right: first_pixel(a.x.max(b.x).max(c.x)),
        bottom: first_pixel(a.y.max(b.y).max(c.y)),
    };
    let mut corners = corners;
    if same(a.u, b.u) && same(a.u, c.u) && same(a.v, b.v) && same(a.v, c.v) {
        // One texel for all three (nearly always the white one): put it into the colours once.
        let texel = texture.sample(a.u, a.v);
        for corner in &mut corners {
            corner.color = tint(corner.color, texel);
            (corner.u, corner.v) = (f32::NAN, f32::NAN);
        }
    }
    Some((area, Fill::Triangle(corners)))
}

/// Bit equality: corners of one rectangle come from the same numbers, and a "nearly" would move edges.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits()
}

/// The first pixel whose centre is at or right of (below) `edge`.
pub(super) fn first_pixel(edge: f32) -> i32 {
    (edge - 0.5).ceil() as i32
}

/// A colour through a texel (channels 0 to 255).
fn tint(color: [u8; 4], texel: [f32; 4]) -> [u8; 4] {
    std::array::from_fn(|i| (f32::from(color[i]) * texel[i] / 255.0).round() as u8)
}
