//! Every panel in both palettes against a stored picture, and the pictures that exports make.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test ui pictures` stores them anew; look at them before they are committed.

use egui::{CentralPanel, Frame};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use emberlens::app::Command;
use emberlens::app::picture::{Part, PictureRequest};
use emberlens::app::source::SourceSpec;
use emberlens::report::PictureTheme;
use emberlens::ui::cx::{Cx, Outbox};
use emberlens::ui::disk::Disk;
use emberlens::ui::panels::{PANELS, Panel};
use emberlens::ui::picture::picture;
use emberlens::ui::theme::{Mode, Theme};

use crate::renderer::SoftwareRenderer;
use crate::stage::{app, one, repeats, sample, two};

const SELECT: &str = "select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}\n";

/// Script that shows the source of what is selected.
fn sources() -> String {
    let spec = SourceSpec { folders: vec![sample("src")], trims: Vec::new() };
    Command::SetSource(spec).to_line() + "\nset-tab source\nset-measure total\n"
}

/// Script that writes about the comparison and about the finding.
fn remarks() -> String {
    let on = Command::RemarkOn(
        "orders/internal/pricing.(*Engine).Discount".to_owned(),
        "Builds a map for each order; to be kept by rule set".to_owned(),
    );
    format!("remark The price of rules that nobody has cached\n{}\n", on.to_line())
}

/// What a panel shows in its picture: the name behind the panel's, and the script.
fn scenes(panel: &str) -> Vec<(&'static str, String)> {
    match panel {
        "welcome" => vec![("", String::new())],
        // What a view needs is made while it is in front.
        "top" => vec![("-one", one() + "set-tab top\n"), ("-two", two() + "set-tab top\n")],
        "call_tree" => vec![("-one", one() + "set-tab call-tree\n"), ("-two", two() + "set-tab call-tree\n")],
        "sandwich" => vec![("-two", two() + SELECT + "set-tab sandwich\n")],
        "source" => vec![("-one", one() + SELECT + &sources()), ("-two", two() + SELECT + &sources())],
        "hot_paths" => vec![("", one())],
        "present" => vec![("-one", one() + SELECT + "present true\n"), ("-two", two() + "present true\nnext-finding\n")],
        "regressions" => vec![("", two()), ("-view", two()), ("-remarks", two() + "set-tab findings\n" + &remarks())],
        "trend" => {
            vec![("-two", two() + SELECT + "set-tab trend\n"), ("-repeats", repeats() + SELECT + "set-tab trend\nset-measure total\n")]
        }
        "details" => vec![("-one", one() + SELECT), ("-two", two() + SELECT), ("-everything", two())],
        _ => vec![("-one", one()), ("-two", two())],
    }
}

/// Side panels are narrow, views are wide; the view of findings is that of the smallest window.
fn size(panel: &str, scene: &str) -> egui::Vec2 {
    match panel {
        "regressions" if scene == "-view" => egui::vec2(940.0, 400.0),
        // Lower ones keep to the answer.
        "regressions" if scene.is_empty() => egui::vec2(340.0, 460.0),
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
    let mut disk = Disk::inline();
    let mut harness = Harness::builder()
        .with_size(size(panel.name, scene))
        .with_theme(theme.mode.into())
        .with_context_setup(Theme::install)
        .renderer(SoftwareRenderer::default())
        .build_ui(move |ui| {
            let cx = Cx { app: &app, theme: &palette, disk: &disk, now: 0.0, unix_seconds: 0, is_test: true };
            let is_side = matches!(panel.name, "hot_paths" | "regressions" | "details") && scene != "-view";
            let frame = if is_side { Frame::new().fill(palette.surface).inner_margin(8) } else { Frame::new().fill(palette.background) };
            let mut out = Outbox::default();
            CentralPanel::default().frame(frame).show(ui, |ui| (panel.ui)(ui, &cx, &mut out));
            if disk.answer(&mut out, 0.0) {
                ui.ctx().request_repaint();
            }
        });
    harness.run();
    let mode = if theme.mode == Mode::Dark { "dark" } else { "light" };
    harness.try_snapshot_options(format!("{}{scene}-{mode}", panel.name), &SnapshotOptions::new().threshold(0.6))
}

#[test]
fn exported_pictures_have_the_size_that_was_asked_for_and_are_the_same_every_time() {
    let app = app(&two());
    for part in Part::ALL {
        let request = PictureRequest { app: &app, part, size: (640, 360), scale: 1.5, theme: PictureTheme::Light };
        let png = picture(&request).unwrap();
        assert_eq!(png, picture(&request).unwrap(), "{part:?}");
        assert_eq!(image_size(&png), (960, 540), "{part:?}");
    }
}

#[test]
fn pictures_that_cannot_be_drawn_say_why() {
    let (empty, one) = (app(""), app(&one()));
    let request = PictureRequest { app: &empty, part: Part::Window, size: (640, 360), scale: 1.0, theme: PictureTheme::Dark };
    assert!(picture(&request).unwrap_err().contains("no capture is open"));
    assert!(picture(&PictureRequest { app: &one, scale: 100.0, ..request }).unwrap_err().contains("scale"));
    assert!(picture(&PictureRequest { app: &one, size: (1_000_000, 1), ..request }).unwrap_err().contains("16384"));
}

/// Width and height in the header of a PNG.
fn image_size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}
