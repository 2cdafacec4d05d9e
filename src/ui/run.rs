//! The native window: its size, icon and name, and clear words where the machine cannot show one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use egui::{IconData, ViewportBuilder};

use super::shell::{Shell, title};
use super::theme::Theme;
use crate::app::load::{LoadOptions, is_there};
use crate::app::settings::Settings;
use crate::app::{App, Command, Options, samples};

const ICON: &[u8] = include_bytes!("../../assets/icons/icon-256.png");

/// Opens the window, does `commands` first, and returns when it is closed.
///
/// # Errors
/// Where no window can be shown: what was missing and what to install.
pub fn run(commands: Vec<Command>, load: LoadOptions) -> Result<(), String> {
    let options = Options { settings_folder: Settings::folder(), samples_folder: samples::folder(), inline: false, load };
    let mut app = App::new(options);
    // Where no window comes up, a word that is no subcommand is the likelier mistake.
    let opened: Vec<PathBuf> = commands.iter().flat_map(paths_of).collect();
    for command in commands {
        // No effect is for a window that is not there yet.
        drop(app.apply(command));
    }
    let viewport = ViewportBuilder::default()
        .with_title(title(&app))
        .with_app_id("emberlens")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([640.0, 400.0])
        .with_drag_and_drop(true)
        .with_icon(Arc::new(icon().unwrap_or_default()));
    let native = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        Theme::install(&cc.egui_ctx);
        super::widgets::flame_canvas::prepare(&cc.egui_ctx);
        let ctx = cc.egui_ctx.clone();
        Ok(Box::new(Window(Shell::new(app, move || ctx.request_repaint()))))
    });
    // Libraries that are loaded at run time panic where they are missing; that is no bug of ours, but the user must know the package.
    match catch_unwind(AssertUnwindSafe(|| eframe::run_native("emberlens", native, create))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(missing(&opened).unwrap_or_else(|| explain(&error.to_string()))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(explain(&text.unwrap_or_else(|| "internal error".to_owned())))
        }
    }
}

/// Files that a command opens.
fn paths_of(command: &Command) -> Vec<PathBuf> {
    match command {
        Command::Open(paths) => paths.clone(),
        Command::OpenComparison(before, after) => vec![before.clone(), after.clone()],
        Command::OpenSides(before, after) => [before.as_slice(), after.as_slice()].concat(),
        _ => Vec::new(),
    }
}

/// Says which file does not exist.
fn missing(paths: &[PathBuf]) -> Option<String> {
    let path = paths.iter().find(|path| !path.exists() && !is_there(path) && path.as_os_str() != "-")?;
    Some(format!("there is no such file, and no subcommand of that name (see --help)\n{}", path.display()))
}

/// An error of the window system with the way out.
fn explain(error: &str) -> String {
    // Where in a library an error arose says nothing to a user.
    let error = error.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": ")).map_or(error, |(_, words)| words);
    let lower = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let way_out = if has(&["xkbcommon"]) {
        "install libxkbcommon-x11-0 (Debian, Ubuntu) or libxkbcommon-x11 (Fedora, Arch)"
    } else if has(&["display", "x server", "wayland", "x11", "xopendisplay", "compositor"]) {
        "there is no screen here (DISPLAY and WAYLAND_DISPLAY say which); the subcommands info, top, diff and export need none"
    } else if has(&["libgl", "libegl", "egl", "glx", "opengl", "glutin", "config"]) {
        "install libgl1 and libegl1 (Debian, Ubuntu) or mesa-libGL and mesa-libEGL (Fedora); over remote desktops LIBGL_ALWAYS_SOFTWARE=1 helps"
    } else {
        "the subcommands info, top, diff and export work without a window"
    };
    format!("the window cannot be opened: {error}\n{way_out}")
}

/// The icon as pixels; `None` would mean a damaged build, and costs only the icon.
fn icon() -> Option<IconData> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(ICON)).read_info().ok()?;
    let mut rgba = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgba).ok()?;
    (info.color_type == png::ColorType::Rgba).then_some(IconData { rgba, width: info.width, height: info.height })
}

/// A shell in a window of eframe.
struct Window(Shell);

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.0.ui(ui, Some(frame));
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.0.finish();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_can_be_shown() {
        let icon = icon().expect("an RGBA picture");
        assert_eq!((icon.width, icon.height, icon.rgba.len()), (256, 256, 256 * 256 * 4));
    }

    #[test]
    fn missing_libraries_are_named_with_their_package() {
        let check = |error: &str, package: &str| assert!(explain(error).contains(package), "{}", explain(error));
        check("Library libxkbcommon-x11.so could not be loaded.", "libxkbcommon-x11-0");
        check("libGL.so.1: cannot open shared object file", "libgl1");
        check("winit EventLoopError: os error at /a/winit/mod.rs:788: Failed to open connection to X server", "opened: Failed to open");
        check("Failed to open connection to X server", "no screen");
        check("neither WAYLAND_DISPLAY nor WAYLAND_SOCKET nor DISPLAY is set.", "no screen");
    }
}
