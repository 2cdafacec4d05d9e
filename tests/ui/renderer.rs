//! Gives `egui_kittest` our own rasteriser: picture tests need no display, no graphics card and no driver, and the same
//! interface gives the same bytes on every machine.

use egui::{Color32, Context, FullOutput, TexturesDelta};
use egui_kittest::TestRenderer;
use emberlens::ui::{raster::Raster, theme::Theme};
use image::RgbaImage;

/// Paints a harness with [`Raster`], on the background of the palette it shows.
#[derive(Default)]
pub(crate) struct SoftwareRenderer {
    raster: Raster,
}

impl TestRenderer for SoftwareRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        self.raster.update_textures(delta);
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = output.pixels_per_point;
        let primitives = ctx.tessellate(output.shapes.clone(), scale);
        let size_px = (ctx.content_rect().size() * scale).round();
        let ground: Color32 = Theme::current(ctx).background;
        let picture = self.raster.render(&primitives, [size_px.x as u32, size_px.y as u32], scale, ground);
        RgbaImage::from_raw(picture.width, picture.height, picture.rgba).ok_or_else(|| "a picture without four bytes per pixel".to_owned())
    }
}
