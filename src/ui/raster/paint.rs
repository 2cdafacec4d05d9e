//! Paints items into a band of rows. Works on premultiplied bytes in gamma space, like egui's own painters.

use super::{
    items::{Corner, Fill, Item, first_pixel},
    texture::Texture,
};

/// Some rows of the picture.
pub(super) struct Canvas<'a> {
    /// Row by row, premultiplied.
    pub(super) pixels: &'a mut [[u8; 4]],
    /// Pixels per row.
    pub(super) width: usize,
    /// The number of the first row in the whole picture.
    pub(super) top: i32,
}

impl Canvas<'_> {
    /// Paints the part of `item` that lies in these rows.
    pub(super) fn paint(&mut self, item: &Item<'_>) {
        let rows = (self.pixels.len() / self.width) as i32;
        let area = item.area;
        for y in area.top.max(self.top)..area.bottom.min(self.top + rows) {
            match &item.fill {
                Fill::Plain(color) => fill(self.span(y, area.left, area.right), *color),
                Fill::Cut { color, origin, step } => {
                    let v = origin[1] + (y as f32 + 0.5) * step[1];
                    let color = color.map(|channel| f32::from(channel) / 255.0);
                    for (pixel, x) in self.span(y, area.left, area.right).iter_mut().zip(area.left..) {
                        let u = origin[0] + (x as f32 + 0.5) * step[0];
                        let texel = item.texture.sample(u, v);
                        blend(pixel, std::array::from_fn(|i| texel[i] * color[i]));
                    }
                }
                Fill::Triangle(corners) => self.triangle_row(y, item, corners),
            }
        }
    }

    /// The pixels of row `y` from column `left` to before `right`.
    fn span(&mut self, y: i32, left: i32, right: i32) -> &mut [[u8; 4]] {
        let row = (y - self.top) as usize * self.width;
        self.pixels.get_mut(row + left as usize..row + right as usize).unwrap_or_default()
    }

    fn triangle_row(&mut self, y: i32, item: &Item<'_>, corners: &[Corner; 3]) {
        let middle = y as f32 + 0.5;
        let Some((from, to)) = crossing(corners, middle) else { return };
        let left = first_pixel(from).max(item.area.left);
        let right = first_pixel(to).min(item.area.right);
        if left >= right {
            return;
        }
        let [a, b, c] = corners;
        if a.u.is_nan() && a.color == b.color && a.color == c.color {
            return fill(self.span(y, left, right), a.color);
        }
        let plane = Plane::of(corners);
        let start = plane.at(left as f32 + 0.5, middle);
        for (pixel, along) in self.span(y, left, right).iter_mut().zip(0_u16..) {
            let along = f32::from(along);
            let value: [f32; 6] = std::array::from_fn(|i| start[i] + plane.right[i] * along);
            blend(pixel, colored(value, item.texture));
        }
    }
}

/// The colour of interpolated values: four channels, then the place in the texture unless it is already in the colour.
fn colored([r, g, b, a, u, v]: [f32; 6], texture: &Texture) -> [f32; 4] {
    // Rounding can leave the range by a hair at the outermost pixels.
    let color = [r, g, b, a].map(|channel| channel.clamp(0.0, 255.0));
    if u.is_nan() {
        return color;
    }
    let texel = texture.sample(u, v);
    std::array::from_fn(|i| color[i] * texel[i] / 255.0)
}

/// Where the line `y` = `middle` enters and leaves the triangle.
///
/// An edge counts from its upper end to before its lower end and is always followed downwards, so two triangles that
/// share an edge compute the same crossing: no pixel between them is painted twice or not at all.
fn crossing(corners: &[Corner; 3], middle: f32) -> Option<(f32, f32)> {
    let [a, b, c] = corners;
    let mut found: Option<(f32, f32)> = None;
    for (p, q) in [(a, b), (b, c), (c, a)] {
        let (upper, lower) = if (p.y, p.x) <= (q.y, q.x) { (p, q) } else { (q, p) };
        if upper.y <= middle && middle < lower.y {
            let x = upper.x + (middle - upper.y) * (lower.x - upper.x) / (lower.y - upper.y);
            found = Some(found.map_or((x, x), |(from, to)| (from.min(x), to.max(x))));
        }
    }
    found
}

/// Colour and texture place as linear functions of the pixel position.
struct Plane {
    origin: [f32; 2],
    value: [f32; 6],
    right: [f32; 6],
    down: [f32; 6],
}

impl Plane {
    fn of(corners: &[Corner; 3]) -> Self {
        let [a, b, c] = corners;
        let values = |corner: &Corner| {
            let [r, g, b, a] = corner.color.map(f32::from);
            [r, g, b, a, corner.u, corner.v]
        };
        let (va, vb, vc) = (values(a), values(b), values(c));
        let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        // Not zero: triangles without an inside were left out when the items were made.
        let turn = bx * cy - cx * by;
        Self {
            origin: [a.x, a.y],
            value: va,
            right: std::array::from_fn(|i| ((vb[i] - va[i]) * cy - (vc[i] - va[i]) * by) / turn),
            down: std::array::from_fn(|i| ((vc[i] - va[i]) * bx - (vb[i] - va[i]) * cx) / turn),
        }
    }

    fn at(&self, x: f32, y: f32) -> [f32; 6] {
        let (dx, dy) = (x - self.origin[0], y - self.origin[1]);
        std::array::from_fn(|i| self.value[i] + self.right[i] * dx + self.down[i] * dy)
    }
}

/// One colour over all pixels of a span.
fn fill(span: &mut [[u8; 4]], color: [u8; 4]) {
    match color {
        [0, 0, 0, 0] => {}
        [.., 255] => span.fill(color),
        _ => span.iter_mut().for_each(|pixel| blend(pixel, color.map(f32::from))),
    }
}

/// A premultiplied colour (channels 0 to 255) over a pixel. Colours may be brighter than their alpha: that adds light.
fn blend(pixel: &mut [u8; 4], color: [f32; 4]) {
    let keep = 1.0 - color[3] / 255.0;
    for (below, above) in pixel.iter_mut().zip(color) {
        // Adding a half and cutting rounds; the cast stops at 255.
        *below = (above + f32::from(*below) * keep + 0.5) as u8;
    }
}
