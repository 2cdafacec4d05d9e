//! Draws egui's triangles on the processor: pictures without a display, a graphics card or a driver.
//!
//! Used for `export` to PNG and for picture tests, where the same input must give the same bytes on every machine. The
//! rules are those of egui's own OpenGL painter: pixel centres, scissor rectangles, premultiplied blending in gamma
//! space. It deliberately has no mipmaps, no paint callbacks and no user textures: primitives with those are left out.
//! Start at [`render_ui`]; the painting itself is in `raster/paint.rs`.

mod items;
mod paint;
mod texture;

use super::theme::Theme;
use egui::{ClippedPrimitive, Color32, TextureId, TexturesDelta, Vec2, pos2};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::{io, time::Duration};
use texture::Texture;

/// The longest side of a picture in pixels; larger requests are cut to it. It is also the side of the font atlas.
pub const MAX_SIDE: u32 = 16_384;

/// Rows that one thread paints before it takes the next ones. It has no influence on the result.
const BAND_ROWS: usize = 32;

/// Passes after which a picture is taken even if the interface still asks for another one.
const MAX_PASSES: u32 = 4;

/// A finished picture: `width * height` pixels of red, green, blue and straight alpha, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// Four bytes per pixel.
    pub rgba: Vec<u8>,
}

impl Image {
    /// The pixel in column `x` of row `y`; `None` outside.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.width {
            return None;
        }
        let (pixels, _) = self.rgba.as_chunks::<4>();
        pixels.get(y as usize * self.width as usize + x as usize).copied()
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} x {})", self.width, self.height)
    }
}

/// The textures of one egui context, and the painter that uses them.
#[derive(Default)]
pub struct Raster {
    textures: FxHashMap<TextureId, Texture>,
    /// Textures egui no longer needs once the picture of the pass that freed them is painted.
    to_free: Vec<TextureId>,
}

impl Raster {
    /// A painter without textures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over what one pass changed and leaves `delta` empty, as egui demands. Call it for every pass, in order,
    /// before that pass is painted.
    pub fn update_textures(&mut self, delta: &mut TexturesDelta) {
        for id in self.to_free.drain(..) {
            self.textures.remove(&id);
        }
        #[expect(clippy::iter_over_hash_type, reason = "each entry changes only its own texture")]
        for (id, changes) in delta.set.drain() {
            for change in changes {
                Texture::apply(self.textures.entry(id).or_default(), &change);
            }
        }
        self.to_free.extend(delta.free.drain());
    }

    /// Paints tessellated shapes on a ground of one colour.
    ///
    /// `size_px` is width and height in pixels, each 1 to [`MAX_SIDE`] (others are clamped); positions in `primitives`
    /// are in points, and one point has `pixels_per_point` pixels. The result does not depend on the number of threads.
    pub fn render(&self, primitives: &[ClippedPrimitive], size_px: [u32; 2], pixels_per_point: f32, background: Color32) -> Image {
        let [width, height] = size_px.map(|side| side.clamp(1, MAX_SIDE));
        let columns = width as usize;
        let items = items::collect(primitives, &self.textures, [width as i32, height as i32], pixels_per_point);
        let bands = items::bands(&items, height as usize, BAND_ROWS);

        let mut pixels = vec![background.to_array(); columns * height as usize];
        pixels.par_chunks_mut(columns * BAND_ROWS).zip(&bands).enumerate().for_each(|(band, (rows, numbers))| {
            let mut canvas = paint::Canvas { pixels: rows, width: columns, top: (band * BAND_ROWS) as i32 };
            for &number in numbers {
                if let Some(item) = items.get(number as usize) {
                    canvas.paint(item);
                }
            }
        });
        if !background.is_opaque() {
            pixels.par_iter_mut().for_each(|pixel| {
                let [r, g, b, a] = *pixel;
                *pixel = Color32::from_rgba_premultiplied(r, g, b, a).to_srgba_unmultiplied();
            });
        }
        Image { width, height, rgba: pixels.into_flattened() }
    }
}

/// Shows `ui` in a window of `size_points` that never existed and gives its picture.
///
/// Runs 2 to 4 passes, until egui asks for no further one, so that sizes measured in one pass are settled; the clock
/// moves a second per pass, so animations are over. Fonts are the bundled ones only.
pub fn render_ui(size_points: Vec2, pixels_per_point: f32, theme: &Theme, mut ui: impl FnMut(&mut egui::Ui)) -> Image {
    let ctx = egui::Context::default();
    theme.apply(&ctx);
    let mut raster = Raster::new();
    let mut pass = 0;
    loop {
        let mut output = ctx.run_ui(input(size_points, pixels_per_point, pass), &mut ui);
        raster.update_textures(&mut output.textures_delta);
        pass += 1;
        let settled = output.viewport_output.get(&egui::ViewportId::ROOT).is_none_or(|viewport| viewport.repaint_delay > Duration::ZERO);
        if pass >= MAX_PASSES || (pass >= 2 && settled) {
            let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
            let size_px = [size_points.x, size_points.y].map(|side| (side * pixels_per_point).round() as u32);
            return raster.render(&primitives, size_px, output.pixels_per_point, theme.background);
        }
    }
}

fn input(size_points: Vec2, pixels_per_point: f32, pass: u32) -> egui::RawInput {
    let mut input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(pos2(0.0, 0.0), size_points)),
        max_texture_side: Some(MAX_SIDE as usize),
        time: Some(f64::from(pass)),
        ..egui::RawInput::default()
    };
    if let Some(viewport) = input.viewports.get_mut(&input.viewport_id) {
        viewport.native_pixels_per_point = Some(pixels_per_point);
    }
    input
}

/// The picture as a PNG file: sRGB, without an alpha channel if every pixel is opaque.
///
/// # Errors
/// Only if `rgba` does not have four bytes for each of `width * height` pixels.
pub fn png_bytes(image: &Image) -> io::Result<Vec<u8>> {
    let (pixels, _) = image.rgba.as_chunks::<4>();
    let opaque = pixels.iter().all(|pixel| pixel[3] == u8::MAX);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, image.width, image.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(if opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
    encoder.set_compression(png::Compression::Fast);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    if opaque {
        let rgb: Vec<u8> = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
        writer.write_image_data(&rgb)?;
    } else {
        writer.write_image_data(&image.rgba)?;
    }
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests;
