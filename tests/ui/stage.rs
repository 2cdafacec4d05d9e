//! The window without a display: a shell over sample captures, drawn by our own rasteriser.

use std::path::{Path, PathBuf};

use egui::Shape;
use egui_kittest::Harness;
use emberlens::app::{App, Command, Options, script};
use emberlens::ui::{shell::Shell, theme::Theme};

use crate::renderer::SoftwareRenderer;

/// A file of our sample captures.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles").join(name)
}

/// The Go service's CPU profile before the change that made it slower.
pub(crate) const BEFORE: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";
/// The same after it.
pub(crate) const AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

/// Script that opens one capture.
pub(crate) fn one() -> String {
    Command::Open(vec![sample(BEFORE)]).to_line() + "\n"
}

/// Script that opens the comparison.
pub(crate) fn two() -> String {
    Command::OpenComparison(sample(BEFORE), sample(AFTER)).to_line() + "\n"
}

/// Script that compares two captures of the unchanged program with one of the slower one.
pub(crate) fn repeats() -> String {
    let again = sample("pprof/go1.27.3/orders-cpu-before-2.pb.gz");
    Command::OpenSides(vec![sample(BEFORE), again], vec![sample(AFTER)]).to_line() + "\n"
}

/// An app after a script, with all work done; wishes to the window are an error.
pub(crate) fn app(text: &str) -> App {
    let mut app = App::new(Options { inline: true, ..Options::default() });
    let lines = script::parse(text).expect("a script");
    for line in lines {
        if let script::Line::Do(command) = line {
            let effects = app.apply(command);
            assert!(effects.is_empty(), "{effects:?}");
            app.settle();
        }
    }
    app
}

/// The window over an app after a script.
pub(crate) fn window(text: &str, theme: &Theme) -> Harness<'static, Shell> {
    over(app(text), theme)
}

/// The window over an app.
pub(crate) fn over(app: App, theme: &Theme) -> Harness<'static, Shell> {
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1280.0, 720.0))
        .with_theme(theme.mode.into())
        // Answers of the disk come with the next frame, and the welcome page asks for one after the other.
        .with_max_steps(8)
        .with_context_setup(Theme::install)
        .renderer(SoftwareRenderer::default())
        .build_ui_state(|ui, shell: &mut Shell| shell.ui(ui, None), Shell::for_tests(app));
    harness.run();
    harness
}

/// The same in the dark.
pub(crate) fn dark(script: &str) -> Harness<'static, Shell> {
    window(script, &Theme::dark())
}

/// Does a command as a panel does.
pub(crate) fn apply(harness: &mut Harness<'_, Shell>, command: Command) {
    let ctx = harness.ctx.clone();
    harness.state_mut().apply(&ctx, command);
    harness.run();
}

/// All text that was painted, also where no widget has it.
pub(crate) fn painted(harness: &Harness<'_, Shell>) -> String {
    fn add(shape: &Shape, all: &mut String) {
        match shape {
            Shape::Text(text) => {
                all.push_str(text.galley.text());
                all.push('\n');
            }
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| add(shape, all)),
            _ => {}
        }
    }
    let mut all = String::new();
    harness.output().shapes.iter().for_each(|clipped| add(&clipped.shape, &mut all));
    all
}

/// An archive of two captures in a folder of its own.
pub(crate) fn archive() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runs.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&path).expect("a file"));
    tar.append_path_with_name(sample(BEFORE), "before.pb.gz").expect("a member");
    tar.append_path_with_name(sample(AFTER), "after.pb.gz").expect("a member");
    tar.finish().expect("an archive");
    (folder, path)
}
