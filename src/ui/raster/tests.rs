use super::*;
use egui::{ColorImage, CornerRadius, Mesh, Rect, Shape, epaint::Primitive, vec2};

const GROUND: Color32 = Color32::from_rgb(10, 20, 30);
const RED: Color32 = Color32::from_rgb(200, 40, 20);

/// A painter whose one texture is white.
fn white() -> Raster {
    let mut raster = Raster::new();
    let mut delta = TexturesDelta::default();
    let image = ColorImage::new([1, 1], vec![Color32::WHITE]);
    delta.push(TextureId::default(), egui::epaint::ImageDelta::full(image, egui::TextureOptions::LINEAR));
    raster.update_textures(&mut delta);
    raster
}

fn clipped(mesh: Mesh, clip: Rect) -> ClippedPrimitive {
    ClippedPrimitive { clip_rect: clip, primitive: Primitive::Mesh(mesh) }
}

fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Rect {
    Rect::from_min_max(pos2(x0, y0), pos2(x1, y1))
}

fn filled(area: Rect, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.add_colored_rect(area, color);
    mesh
}

/// All pixels that do not have the colour of the ground, as (x, y).
fn touched(image: &Image) -> Vec<(u32, u32)> {
    (0..image.height)
        .flat_map(|y| (0..image.width).map(move |x| (x, y)))
        .filter(|&(x, y)| image.pixel(x, y) != Some(GROUND.to_array()))
        .collect()
}

fn block(x: std::ops::Range<u32>, y: std::ops::Range<u32>) -> Vec<(u32, u32)> {
    y.flat_map(|y| x.clone().map(move |x| (x, y))).collect()
}

#[test]
fn a_filled_rectangle_covers_exactly_the_pixels_whose_centres_it_has() {
    let draw = |area, scale| {
        let primitives = [clipped(filled(area, RED), Rect::EVERYTHING)];
        touched(&white().render(&primitives, [16, 12], scale, GROUND))
    };
    assert_eq!(draw(rect(2.0, 3.0, 7.0, 5.0), 1.0), block(2..7, 3..5));
    assert_eq!(draw(rect(1.0, 1.0, 3.5, 2.0), 2.0), block(2..7, 2..4));
    // The centre of pixel 2 is at 2.5: on the left edge it is in, on the right edge it is out.
    assert_eq!(draw(rect(2.5, 3.0, 4.5, 5.0), 1.0), block(2..4, 3..5));
    assert_eq!(draw(rect(-5.0, -5.0, 2.0, 99.0), 1.0), block(0..2, 0..12));
    assert_eq!(draw(rect(4.0, 4.0, 4.0, 9.0), 1.0), vec![]);
}

#[test]
fn clip_rectangles_cut_at_rounded_pixels() {
    let primitives = [clipped(filled(rect(0.0, 0.0, 9.0, 9.0), RED), rect(1.4, 2.6, 4.5, 5.4))];
    assert_eq!(touched(&white().render(&primitives, [9, 9], 1.0, GROUND)), block(1..5, 3..5));
}

#[test]
fn half_transparent_colours_blend_in_gamma_space() {
    let half = Color32::from_rgba_unmultiplied(255, 255, 255, 128);
    let primitives = [clipped(filled(rect(0.0, 0.0, 2.0, 2.0), half), Rect::EVERYTHING)];
    let image = white().render(&primitives, [2, 2], 1.0, Color32::from_gray(40));
    let [r, _, _, a] = image.pixel(0, 0).unwrap();
    let expected = half.to_array()[0] as f32 + 40.0 * (1.0 - 128.0 / 255.0);
    assert!((f32::from(r) - expected).abs() <= 1.0, "{r} is not {expected}");
    assert_eq!(a, 255);
}

#[test]
fn a_transparent_ground_gives_straight_alpha() {
    let half = Color32::from_rgba_unmultiplied(200, 100, 50, 128);
    let primitives = [clipped(filled(rect(0.0, 0.0, 1.0, 1.0), half), Rect::EVERYTHING)];
    let image = white().render(&primitives, [2, 1], 1.0, Color32::TRANSPARENT);
    assert_eq!(image.pixel(0, 0), Some(half.to_srgba_unmultiplied()));
    assert_eq!(image.pixel(1, 0), Some([0; 4]));
    assert_eq!(image.pixel(2, 0), None);
}

#[test]
fn triangles_that_share_edges_paint_each_pixel_once() {
    // A fan around a crooked centre, half transparent: a seam or an overlap would show as another colour.
    let color = Color32::from_rgba_unmultiplied(255, 255, 255, 100);
    let mut mesh = Mesh::default();
    mesh.colored_vertex(pos2(13.3, 11.7), color);
    let rim = [(0.0, 0.0), (17.2, 0.0), (32.0, 0.0), (32.0, 21.1), (32.0, 32.0), (9.9, 32.0), (0.0, 32.0)];
    for (x, y) in rim {
        mesh.colored_vertex(pos2(x, y), color);
    }
    for i in 1..=7 {
        mesh.add_triangle(0, i, i % 7 + 1);
    }
    let image = white().render(&[clipped(mesh, Rect::EVERYTHING)], [32, 32], 1.0, GROUND);
    let first = image.pixel(0, 0).unwrap();
    assert_ne!(first, GROUND.to_array());
    assert!((0..32).all(|y| (0..32).all(|x| image.pixel(x, y) == Some(first))));
}

#[test]
fn colours_run_evenly_between_corners() {
    let mut mesh = Mesh::default();
    for (x, y, level) in [(0.0, 0.0, 0), (256.0, 0.0, 255), (256.0, 4.0, 255), (0.0, 4.0, 0)] {
        mesh.colored_vertex(pos2(x, y), Color32::from_gray(level));
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(0, 2, 3);
    let image = white().render(&[clipped(mesh, Rect::EVERYTHING)], [256, 4], 1.0, GROUND);
    for x in 0..256 {
        let level = image.pixel(x, 2).unwrap()[0];
        assert!(level.abs_diff(x as u8) <= 1, "{level} in column {x}");
    }
}

#[test]
fn unknown_textures_and_broken_numbers_are_left_out() {
    let mut foreign = filled(rect(0.0, 0.0, 4.0, 4.0), RED);
    foreign.texture_id = TextureId::User(7);
    let broken = filled(rect(f32::NAN, 0.0, f32::INFINITY, 4.0), RED);
    let mut short = filled(rect(0.0, 0.0, 4.0, 4.0), RED);
    short.vertices.truncate(2);
    let primitives = [foreign, broken, short].map(|mesh| clipped(mesh, Rect::EVERYTHING));
    assert_eq!(touched(&white().render(&primitives, [4, 4], 1.0, GROUND)), vec![]);
}

/// Something with text, round corners, lines, a scroll area and a gradient.
fn sample(ui: &mut egui::Ui) {
    egui::CentralPanel::default().show(ui, |ui| {
        ui.heading("Where the time goes");
        ui.label("encoding/json.(*decodeState).object");
        if ui.button("Compare").clicked() {
            ui.label("never");
        }
        let (area, _) = ui.allocate_exact_size(vec2(80.0, 20.0), egui::Sense::hover());
        ui.painter().rect_filled(area, CornerRadius::same(5), RED);
        ui.painter().add(Shape::line_segment([area.left_top(), area.right_bottom()], egui::Stroke::new(2.0, Color32::WHITE)));
        egui::ScrollArea::vertical().max_height(40.0).show(ui, |ui| {
            for i in 0..20 {
                ui.monospace(format!("{i:>4}  {:>8.3} ms", f64::from(i) * 1.5));
            }
        });
    });
}

fn with_threads(threads: usize, run: impl FnOnce() -> Image + Send) -> Image {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

#[test]
fn one_thread_and_many_give_the_same_bytes() {
    let draw = || render_ui(vec2(300.0, 200.0), 1.25, &Theme::dark(), sample);
    let one = with_threads(1, draw);
    assert_eq!((one.width, one.height), (375, 250));
    assert!(one == with_threads(5, draw));
    assert!(one == draw());
}

#[test]
fn text_leaves_ink_in_its_own_colour() {
    for theme in [Theme::dark(), Theme::light()] {
        let image = render_ui(vec2(200.0, 40.0), 2.0, &theme, |ui| {
            ui.painter().text(pos2(4.0, 4.0), egui::Align2::LEFT_TOP, "IIII", super::super::theme::fonts::title(), theme.text);
        });
        let pixels: Vec<[u8; 4]> =
            (0..image.height).flat_map(|y| (0..image.width).map(move |x| (x, y))).filter_map(|(x, y)| image.pixel(x, y)).collect();
        let ground = theme.background.to_array();
        let ink = pixels.iter().filter(|pixel| **pixel != ground).count();
        assert!(ink > 100, "{ink} pixels of ink");
        assert!(pixels.contains(&theme.text.to_array()), "the stems are as dark as the colour asked for");
        // Bottom right is far from the text.
        assert_eq!(pixels.last(), Some(&ground));
    }
}

#[test]
fn a_png_has_the_same_pixels() {
    for ground in [GROUND, Color32::TRANSPARENT] {
        let primitives = [clipped(filled(rect(1.0, 1.0, 3.0, 2.0), RED), Rect::EVERYTHING)];
        let image = white().render(&primitives, [5, 4], 1.0, ground);
        let file = png_bytes(&image).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.width, info.height), (5, 4));
        let channels = if ground.is_opaque() { 3 } else { 4 };
        for (i, pixel) in bytes.chunks(channels).enumerate() {
            assert_eq!(pixel, &image.rgba[i * 4..i * 4 + channels]);
        }
    }
    let wrong = Image { width: 3, height: 3, rgba: vec![0; 4] };
    assert!(png_bytes(&wrong).is_err());
}
