//! Every panel in both palettes against a stored picture, and the pictures that exports make.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test ui pictures` stores them anew; look at them before they are committed.

use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use emberlens::ui::cx::{Cx, Outbox};
use emberlens::ui::panels::{PANELS, Panel};
use emberlens::ui::picture::{Part, PictureSpec, picture};
use emberlens::ui::theme::{Mode, Theme};

use crate::renderer::SoftwareRenderer;
use crate::stage::{app, one, two};

const SELECT: &str = "select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}\n";

/// What a panel shows in its picture: the name behind the panel's, and the script.
fn scenes(panel: &str) -> Vec<(&'static str, String)> {
    match panel {
        "welcome" => vec![("", String::new())],
        "hot_paths" => vec![("", one())],
        "regressions" => vec![("", two())],
        "details" => vec![("-one", one() + SELECT), ("-two", two() + SELECT)],
        _ => vec![("-one", one()), ("-two", two())],
    }
}

/// Side panels are narrow, views are wide.
fn size(panel: &str) -> egui::Vec2 {
    match panel {
        "hot_paths" | "regressions" | "details" => egui::vec2(340.0, 420.0),
        _ => egui::vec2(600.0, 400.0),
    }
}

#[test]
fn every_panel_looks_as_stored() {
    let mut results = SnapshotResults::new();
    for panel in PANELS {
        for (scene, script) in scenes(panel.name) {
            for theme in [Theme::dark(), Theme::light()] {
                results.add(look(panel, scene, &script, &theme));
            }
        }
    }
}

fn look(panel: &'static Panel, scene: &str, script: &str, theme: &Theme) -> egui_kittest::SnapshotResult {
    let (app, palette) = (app(script), theme.clone());
    let mut harness = Harness::builder()
        .with_size(size(panel.name))
        .with_theme(theme.mode.into())
        .with_context_setup(Theme::install)
        .renderer(SoftwareRenderer::default())
        .build_ui(move |ui| {
            let cx = Cx { app: &app, theme: &palette, now: 0.0, unix_seconds: 0, is_test: true };
            (panel.ui)(ui, &cx, &mut Outbox::default());
        });
    harness.run();
    let mode = if theme.mode == Mode::Dark { "dark" } else { "light" };
    harness.try_snapshot_options(format!("{}{scene}-{mode}", panel.name), &SnapshotOptions::new().threshold(0.6))
}

#[test]
fn exported_pictures_have_the_size_that_was_asked_for_and_are_the_same_every_time() {
    let app = app(&two());
    for part in [Part::Flame, Part::Top, Part::Window] {
        let spec = PictureSpec { size_points: [640.0, 360.0], scale: 1.5, mode: Mode::Light, part };
        let png = picture(&app, &spec).unwrap();
        assert_eq!(png, picture(&app, &spec).unwrap(), "{part:?}");
        let image = image_size(&png);
        assert_eq!(image, (960, 540), "{part:?}");
    }
}

#[test]
fn pictures_that_cannot_be_drawn_say_why() {
    let empty = app("");
    let spec = PictureSpec { size_points: [640.0, 360.0], scale: 1.0, mode: Mode::Dark, part: Part::Window };
    assert!(picture(&empty, &spec).unwrap_err().contains("no capture is open"));
    let app = app(&one());
    assert!(picture(&app, &PictureSpec { scale: 100.0, ..spec }).unwrap_err().contains("scale"));
    assert!(picture(&app, &PictureSpec { size_points: [1e6, 1.0], ..spec }).unwrap_err().contains("16384"));
}

/// Width and height in the header of a PNG.
fn image_size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}
