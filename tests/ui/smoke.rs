//! The harness, the palette and the rasteriser work together.

use crate::renderer::SoftwareRenderer;
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::ui::theme::Theme;

#[test]
fn a_click_changes_the_picture_and_nothing_else_does() {
    for theme in [Theme::dark(), Theme::light()] {
        let mut harness = Harness::builder()
            .with_size(egui::vec2(240.0, 80.0))
            .with_pixels_per_point(1.5)
            .with_theme(theme.mode.into())
            .with_context_setup(Theme::install)
            .renderer(SoftwareRenderer::default())
            .build_ui_state(
                |ui, open: &mut bool| {
                    if ui.button("Compare…").clicked() {
                        *open = true;
                    }
                    if *open {
                        ui.label("▲ +1.27 s");
                    }
                },
                false,
            );
        harness.run();
        let closed = harness.render().unwrap();
        assert_eq!(closed.dimensions(), (360, 120));
        assert_eq!(closed.get_pixel(359, 119).0, theme.background.to_array(), "nothing stands in the corner");
        harness.run();
        assert!(closed == harness.render().unwrap(), "a frame without input is the same picture");

        harness.get_by_label("Compare…").click();
        harness.run();
        harness.get_by_label("▲ +1.27 s");
        assert!(closed != harness.render().unwrap(), "the label can be seen");
    }
}
