//! Textures as egui delivers them, and reading a colour between their pixels.

use egui::{
    TextureFilter, TextureOptions, TextureWrapMode,
    epaint::{ImageData, ImageDelta},
};

/// Premultiplied pixels in gamma space.
#[derive(Default)]
pub(super) struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
    options: TextureOptions,
}

impl Texture {
    /// Replaces the whole texture or a patch of it. What of a patch lies outside is left out.
    pub(super) fn apply(&mut self, change: &ImageDelta) {
        let ImageData::Color(image) = &change.image;
        let [width, height] = image.size;
        self.options = change.options;
        let Some([left, top]) = change.pos else {
            self.width = width;
            self.height = height;
            self.pixels = image.pixels.iter().map(egui::Color32::to_array).collect();
            return;
        };
        let visible = width.min(self.width.saturating_sub(left));
        for (y, row) in image.pixels.chunks_exact(width.max(1)).take(height).enumerate() {
            let start = (top + y) * self.width + left;
            let Some(target) = self.pixels.get_mut(start..start + visible) else { break };
            for (to, from) in target.iter_mut().zip(row) {
                *to = from.to_array();
            }
        }
    }

    /// Width and height in texels.
    pub(super) fn size(&self) -> [f32; 2] {
        [self.width as f32, self.height as f32]
    }

    /// The colour at a position in texels (0.5 is the middle of the first one), channels 0 to 255.
    pub(super) fn sample(&self, x: f32, y: f32) -> [f32; 4] {
        if self.options.magnification == TextureFilter::Nearest {
            return self.texel(x.floor() as i64, y.floor() as i64).map(f32::from);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (along, down) = (x - left, y - top);
        let (column, row) = (left as i64, top as i64);
        // Text at rest sits exactly on texels: most samples need one of the four.
        if along < 1e-3 && down < 1e-3 {
            return self.texel(column, row).map(f32::from);
        }
        let corner = |dx, dy| self.texel(column + dx, row + dy).map(f32::from);
        let (a, b, c, d) = (corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1));
        std::array::from_fn(|i| {
            let upper = a[i] + (b[i] - a[i]) * along;
            let lower = c[i] + (d[i] - c[i]) * along;
            upper + (lower - upper) * down
        })
    }

    /// One texel, with the texture's way of going on beyond its edges.
    fn texel(&self, x: i64, y: i64) -> [u8; 4] {
        let place = |at: i64, side: usize| {
            let side = side as i64;
            if side == 0 {
                return 0;
            }
            let inside = match self.options.wrap_mode {
                TextureWrapMode::ClampToEdge => at.clamp(0, side - 1),
                TextureWrapMode::Repeat => at.rem_euclid(side),
                TextureWrapMode::MirroredRepeat => {
                    let at = at.rem_euclid(2 * side);
                    at.min(2 * side - 1 - at)
                }
            };
            inside as usize
        };
        let index = place(y, self.height) * self.width + place(x, self.width);
        self.pixels.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, ColorImage};

    fn checker(options: TextureOptions) -> Texture {
        let image = ColorImage::new([2, 1], vec![Color32::BLACK, Color32::WHITE]);
        let mut texture = Texture::default();
        texture.apply(&ImageDelta::full(image, options));
        texture
    }

    fn red(texture: &Texture, x: f32) -> f32 {
        texture.sample(x, 0.5)[0]
    }

    #[test]
    fn linear_reads_between_texels_and_nearest_does_not() {
        let linear = checker(TextureOptions::LINEAR);
        assert!((red(&linear, 0.5) - 0.0).abs() < 0.5);
        assert!((red(&linear, 1.0) - 127.5).abs() < 0.5);
        assert!((red(&linear, 1.5) - 255.0).abs() < 0.5);
        let nearest = checker(TextureOptions::NEAREST);
        assert!((red(&nearest, 0.99) - 0.0).abs() < 0.5 && (red(&nearest, 1.01) - 255.0).abs() < 0.5);
    }

    #[test]
    fn edges_go_on_as_the_wrap_mode_says() {
        let at = |options, x| red(&checker(options), x).round() as u8;
        assert_eq!(at(TextureOptions::LINEAR, 9.5), 255);
        assert_eq!(at(TextureOptions::LINEAR_REPEAT, 2.5), 0);
        assert_eq!(at(TextureOptions::LINEAR_MIRRORED_REPEAT, 2.5), 255);
        assert_eq!(at(TextureOptions::LINEAR_MIRRORED_REPEAT, -0.5), 0);
    }

    #[test]
    fn a_patch_changes_only_its_place() {
        let mut texture = checker(TextureOptions::NEAREST);
        let patch = ColorImage::new([1, 1], vec![Color32::from_rgb(9, 8, 7)]);
        texture.apply(&ImageDelta::partial([1, 0], patch.clone(), TextureOptions::NEAREST));
        assert_eq!(texture.texel(0, 0), [0, 0, 0, 255]);
        assert_eq!(texture.texel(1, 0), [9, 8, 7, 255]);
        texture.apply(&ImageDelta::partial([5, 5], patch, TextureOptions::NEAREST));
        assert_eq!(texture.texel(1, 0), [9, 8, 7, 255]);
    }
}
