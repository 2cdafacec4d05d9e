//! The window as a whole: bars, tabs, sides, and the loop of drawing, sending commands and doing what they ask for.
//!
//! Deliberately absent: what stands in the panels, and the native window (see [`run`](super::run)): a [`Shell`] draws into any
//! [`egui::Ui`], so tests and pictures use the same one. Start reading at [`Shell::ui`].

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use egui::{CentralPanel, Frame, Margin, Panel, RichText, ThemePreference, Ui, ViewportCommand, vec2};

use super::cx::{Cx, Outbox};
use super::disk::{Disk, SLOW_SECONDS};
use super::file_dialog::{FileDialogs, Wish};
use super::picture::picture;
use super::theme::{Theme, fonts, size};
use super::{dialogs, drop, focus, menus, panels, shortcuts, status, timeline, toasts, toolbar, waiting};
use crate::app::picture::{Part, PictureRequest};
use crate::app::settings::ThemeChoice;
use crate::app::view::Tab;
use crate::app::{App, Command, CommandKind, Effect, TextSize, command};

/// The product with a face.
pub struct Shell {
    app: App,
    files: Option<FileDialogs>,
    disk: Disk,
    title: String,
    theme: Option<ThemeChoice>,
    /// How the window was before the presentation that is going on.
    before_presenting: Option<Before>,
    /// How much larger a presentation is drawn than the window: as it was left the last time.
    presented_zoom: f32,
    is_test: bool,
}

/// A window before a presentation.
#[derive(Clone, Copy)]
struct Before {
    zoom: f32,
    is_full_screen: bool,
    /// What the presentation began with, to tell whether the user zoomed it.
    presented: f32,
}

/// How much larger a presentation is drawn, unless the user zooms it: what is read at a desk is read from the back of a small room.
const PRESENTED: f32 = 1.5;
/// A presentation is not drawn so large that less than this is left, in points: words and picture need their room.
const PRESENTED_ROOM: egui::Vec2 = vec2(700.0, 420.0);

impl Shell {
    /// A shell over an app for a native window. `wake` asks for a frame, from any thread.
    pub fn new(mut app: App, wake: impl Fn() + Clone + Send + Sync + 'static) -> Self {
        app.set_wake(wake.clone());
        Self { files: Some(FileDialogs::new(wake.clone())), disk: Disk::new(wake), is_test: false, ..Self::for_tests(app) }
    }

    /// A shell for tests: no dialogs of the system, and no text that differs from run to run.
    pub fn for_tests(app: App) -> Self {
        let (files, disk, title) = (None, Disk::inline(), String::new());
        Self { app, files, disk, title, theme: None, before_presenting: None, presented_zoom: PRESENTED, is_test: true }
    }

    /// The app under it.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Waits for files that are being written; the window is gone by now.
    pub fn finish(&mut self) {
        /// A disk that has not answered by then is taken to be gone.
        const PATIENCE: Duration = Duration::from_secs(30);
        self.app.finish(PATIENCE);
    }

    /// Does a command, as a script or a test would.
    pub fn apply(&mut self, ctx: &egui::Context, command: Command) {
        self.send(ctx, None, vec![command]);
    }

    /// One frame: takes in results, keys and drops, draws everything, then does what was sent.
    pub fn ui(&mut self, ui: &mut Ui, window: Option<&eframe::Frame>) {
        let ctx = ui.ctx().clone();
        self.app.pump();
        self.disk.take_in();
        self.choose_theme(&ctx);
        self.present(&ctx);
        let mut out = Outbox::default();
        drop::handle(&ctx, &self.disk, &mut out);
        shortcuts::handle(&ctx, &self.app, &mut out);
        panels::remarks::settle(&ctx, &mut out);
        self.answer(&ctx, &mut out);
        let early = out.take();
        self.send(&ctx, window, early);

        let theme = Theme::current(&ctx);
        let cx = self.cx(&ctx, &theme);
        if cx.app.dialog().is_some() {
            dialogs::keep_tooltips_out(ui);
        }
        window_ui(ui, &cx, &mut out);
        dialogs::ui(&ctx, &cx, &mut out);
        toasts::ui(ui, &cx, &mut out);
        drop::hover_ui(&ctx, &cx);
        // Before commands are done: one of them may put the keyboard elsewhere.
        focus::ui(&ctx, &theme);
        self.ask_disk(&ctx, &mut out);
        let commands = out.take();
        self.send(&ctx, window, commands);
        self.name_window(&ctx);
    }

    fn ask_disk(&mut self, ctx: &egui::Context, out: &mut Outbox) {
        let now = ctx.input(|input| input.time);
        if self.disk.answer(out, now) {
            ctx.request_repaint();
        } else if self.disk.is_waiting(now) {
            // By then it is said that the disk is silent.
            ctx.request_repaint_after_secs(SLOW_SECONDS as f32 + 0.01);
        }
    }

    fn cx<'a>(&'a self, ctx: &egui::Context, theme: &'a Theme) -> Cx<'a> {
        let unix_seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs() as i64);
        Cx { app: &self.app, theme, disk: &self.disk, now: ctx.input(|input| input.time), unix_seconds, is_test: self.is_test }
    }

    fn send(&mut self, ctx: &egui::Context, window: Option<&eframe::Frame>, commands: Vec<Command>) {
        if !commands.is_empty() {
            // What the commands changed is drawn in the next frame.
            ctx.request_repaint();
        }
        for command in commands {
            for effect in self.app.apply(command) {
                self.perform(ctx, window, effect);
            }
        }
    }

    fn perform(&mut self, ctx: &egui::Context, window: Option<&eframe::Frame>, effect: Effect) {
        match effect {
            Effect::CopyText(text) => ctx.copy_text(text),
            Effect::FocusRemark => panels::remarks::focus(ctx, &self.app),
            Effect::FocusSearch => toolbar::focus_search(ctx, &self.app.view().search),
            Effect::TextSize(size) => match size {
                TextSize::Larger => egui::gui_zoom::zoom_in(ctx),
                TextSize::Smaller => egui::gui_zoom::zoom_out(ctx),
                TextSize::Normal => ctx.set_zoom_factor(1.0),
            },
            Effect::ToggleFullScreen => ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full_screen(ctx))),
            Effect::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            Effect::SavePicture(path) => self.save_picture(ctx, path),
            Effect::ChooseFiles => self.ask(ctx, window, Wish::Open),
            Effect::ChooseForSide(side) => self.ask(ctx, window, Wish::Side(side)),
            Effect::ChooseFolder(list) => self.ask(ctx, window, Wish::Folder(list)),
            Effect::ChooseExport(name) => self.ask(ctx, window, Wish::Export(name)),
            Effect::ChooseComparison => {
                let shown = self.app.view().after.and_then(|id| self.app.capture(id)).map(|capture| capture.path.clone());
                self.ask(ctx, window, Wish::Compare(shown));
            }
        }
    }

    fn ask(&mut self, ctx: &egui::Context, window: Option<&eframe::Frame>, wish: Wish) {
        let now = ctx.input(|input| input.time);
        match &mut self.files {
            Some(files) => files.ask(wish, window, now),
            // Without dialogs of the system there is always the path field.
            None => drop(self.app.apply(super::file_dialog::by_hand(wish))),
        }
    }

    fn answer(&mut self, ctx: &egui::Context, out: &mut Outbox) {
        let Some(files) = self.files.as_mut().filter(|files| files.is_open()) else { return };
        let (now, has_focus) = ctx.input(|input| (input.time, input.focused));
        let commands = files.answer(now, has_focus);
        if commands.is_empty() {
            ctx.request_repaint_after_secs(1.0);
        }
        for command in commands {
            out.send(command);
        }
    }

    /// Draws the view in front again without the window and writes it.
    fn save_picture(&mut self, ctx: &egui::Context, path: PathBuf) {
        let size = ctx.content_rect().size();
        let theme = Theme::current(ctx).mode.into();
        let size = (size.x.round() as u32, size.y.round() as u32);
        let request = PictureRequest { app: &self.app, part: Part::View, size, scale: 2.0, theme };
        let drawn = picture(&request);
        self.app.write_picture(path, drawn);
        ctx.request_repaint();
    }

    fn choose_theme(&mut self, ctx: &egui::Context) {
        let choice = self.app.settings().theme;
        if self.is_test || self.theme == Some(choice) {
            return;
        }
        self.theme = Some(choice);
        ctx.set_theme(match choice {
            ThemeChoice::System => ThemePreference::System,
            ThemeChoice::Light => ThemePreference::Light,
            ThemeChoice::Dark => ThemePreference::Dark,
        });
    }

    /// Takes the screen for a presentation, and gives it back as it was.
    fn present(&mut self, ctx: &egui::Context) {
        match (self.before_presenting, self.app.view().is_presented()) {
            (None, true) => {
                let room = ctx.content_rect().size() / PRESENTED_ROOM;
                let (zoom, is_full_screen) = (ctx.zoom_factor(), is_full_screen(ctx));
                let presented = zoom * self.presented_zoom.min(room.x.min(room.y).max(1.0));
                self.before_presenting = Some(Before { zoom, is_full_screen, presented });
                ctx.set_zoom_factor(presented);
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(true));
            }
            (Some(before), false) => {
                self.before_presenting = None;
                let zoom = ctx.zoom_factor();
                if (zoom - before.presented).abs() > 0.01 {
                    self.presented_zoom = zoom / before.zoom;
                }
                ctx.set_zoom_factor(before.zoom);
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(before.is_full_screen));
            }
            _ => {}
        }
    }

    fn name_window(&mut self, ctx: &egui::Context) {
        let title = title(&self.app);
        if self.title != title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

fn is_full_screen(ctx: &egui::Context) -> bool {
    ctx.input(|input| input.viewport().fullscreen).unwrap_or(false)
}

/// Words in the title bar: `before → after — Emberlens 0.1.0`.
pub(super) fn title(app: &App) -> String {
    let names = app.shown_names();
    let product = format!("Emberlens {}", env!("CARGO_PKG_VERSION"));
    if names.is_empty() { product } else { format!("{} — {product}", names.join(" → ")) }
}

/// Draws the window: everything but dialogs and messages.
pub(super) fn window_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    if cx.app.view().is_presented() {
        panels::present::ui(ui, cx, out);
        return;
    }
    let bar = |fill, x: i8, y: i8| Frame::new().fill(fill).inner_margin(Margin::symmetric(x, y));
    let theme = cx.theme;
    Panel::top("upper bar").exact_size(size::MENU_BAR).frame(bar(theme.surface, 8, 5)).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.scope(|ui| menus::ui(ui, cx, out));
            toolbar::upper_ui(ui, cx, out);
        });
    });
    if cx.app.view().after.is_none() {
        CentralPanel::default().frame(Frame::new().fill(theme.background)).show(ui, |ui| panels::welcome::ui(ui, cx, out));
        return;
    }
    Panel::top("lower bar").frame(bar(theme.surface, 8, 4)).show(ui, |ui| {
        ui.set_min_height(size::FILTER_BAR - 8.0);
        toolbar::lower_ui(ui, cx, out);
    });
    if let Some(height) = timeline::height(cx.app) {
        let frame = bar(theme.surface, 8, 0);
        Panel::top("timeline").exact_size(height).resizable(false).frame(frame).show(ui, |ui| timeline::ui(ui, cx, out));
    }
    Panel::bottom("status").exact_size(size::STATUS_BAR).frame(bar(theme.surface, 8, 2)).show(ui, |ui| status::ui(ui, cx, out));
    if cx.app.settings().side_panel && !cx.app.profiles().is_empty() && cx.app.failure().is_none() {
        side_ui(ui, cx, out);
    }
    CentralPanel::default().frame(Frame::new().fill(theme.background)).show(ui, |ui| view_ui(ui, cx, out));
}

/// The right side: findings or hottest paths above the details of the selection.
fn side_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let most = (ui.available_width() * 0.5).max(size::SIDE_PANEL_MIN);
    // On a wide screen the findings have room for their numbers.
    let first = (ui.available_width() * 0.26).clamp(size::SIDE_PANEL, 560.0);
    let frame = Frame::new().fill(cx.theme.surface).inner_margin(Margin { left: 8, right: 8, top: 6, bottom: 4 });
    let side = Panel::right("side")
        .resizable(true)
        .default_size(first)
        .size_range(size::SIDE_PANEL_MIN..=most)
        .frame(Frame::new().fill(cx.theme.surface));
    side.show(ui, |ui| {
        let height = ui.available_height();
        if cx.app.view().tab() == Tab::Findings {
            // The list is in front: it need not stand there twice.
            CentralPanel::default().frame(frame).show(ui, |ui| panels::details::ui(ui, cx, out));
            return;
        }
        if cx.app.view().selection.is_none() {
            // Without a selection its place belongs to the list above.
            let hint = Panel::bottom("details hint").exact_size(48.0).resizable(false).frame(frame);
            hint.show(ui, |ui| panels::details::hint_ui(ui, cx));
            CentralPanel::default().frame(frame).show(ui, |ui| findings_ui(ui, cx, out));
            return;
        }
        let mut split = Split::of(ui, cx);
        let details = Panel::bottom("details").resizable(true).default_size(height * split.share).size_range(split.sizes(height));
        let shown = details.frame(frame).show(ui, |ui| {
            // Its height is the user's, not that of what is in it.
            ui.expand_to_include_rect(ui.max_rect());
            panels::details::ui(ui, cx, out);
        });
        split.keep(height, shown.response.rect.height());
        ui.data_mut(|data| data.insert_temp(Split::id(), split));
        // One command when the hand is off.
        if (split.share - cx.app.settings().details_share).abs() > 0.001 && !ui.input(|input| input.pointer.any_down()) {
            out.send(Command::SetDetailsShare(split.share));
        }
        CentralPanel::default().frame(frame).show(ui, |ui| findings_ui(ui, cx, out));
    });
}

/// How the right side is split: the part that the details have stays when the window gets another size or is zoomed.
#[derive(Clone, Copy)]
struct Split {
    /// Of the side's height, as the user left it.
    share: f32,
    /// Heights of the side and of the details in the last frame, in points.
    side: f32,
    details: f32,
}

impl Split {
    /// The list above the details keeps this height, where the side has it.
    const LIST: f32 = 180.0;
    const DETAILS: f32 = 80.0;

    fn id() -> egui::Id {
        egui::Id::unique("split of the right side")
    }

    /// As it was in the last frame, or as the user left it the last time.
    fn of(ui: &Ui, cx: &Cx<'_>) -> Self {
        let known = ui.data(|data| data.get_temp(Self::id()));
        known.unwrap_or_else(|| Self { share: cx.app.settings().details_share, side: 0.0, details: 0.0 })
    }

    /// What the details may have: any height, except in the first frame of another height of the side.
    fn sizes(self, side: f32) -> egui::Rangef {
        let most = (side - Self::LIST).max(Self::DETAILS);
        let wanted = (side * self.share).clamp(Self::DETAILS, most);
        if (side - self.side).abs() < 0.5 { egui::Rangef::new(Self::DETAILS, most) } else { egui::Rangef::point(wanted) }
    }

    fn keep(&mut self, side: f32, details: f32) {
        if (side - self.side).abs() < 0.5 && (details - self.details).abs() >= 0.5 {
            self.share = details / side.max(1.0);
        }
        (self.side, self.details) = (side, details);
    }
}

/// What the data says before anything is touched: findings of two captures, hottest paths of one.
fn findings_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    if cx.app.view().is_comparison() {
        panels::regressions::ui(ui, cx, out);
    } else {
        panels::hot_paths::ui(ui, cx, out);
    }
}

/// Tabs, and the view in front or what stands in its place.
fn view_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let frame = Frame::new().fill(cx.theme.surface).inner_margin(Margin::symmetric(8, 0));
    Panel::top("tabs").exact_size(30.0).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| tabs_ui(ui, cx, out));
    });
    CentralPanel::default().frame(Frame::new().fill(cx.theme.background)).show(ui, |ui| {
        if !waiting::ui(ui, cx, out) {
            tab_ui(ui, cx, out);
        }
    });
}

/// The view in front.
pub(super) fn tab_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    match cx.app.view().tab() {
        Tab::Flame => panels::flame::ui(ui, cx, out),
        Tab::Sandwich => panels::sandwich::ui(ui, cx, out),
        Tab::CallTree => panels::call_tree::ui(ui, cx, out),
        Tab::Top => panels::top::ui(ui, cx, out),
        Tab::Source => panels::source::ui(ui, cx, out),
        Tab::Info => panels::info::ui(ui, cx, out),
        Tab::Findings => panels::regressions::ui(ui, cx, out),
        Tab::Names => panels::matching::ui(ui, cx, out),
        Tab::Trend => panels::trend::ui(ui, cx, out),
    }
}

/// The command that brings a tab to the front.
fn tab_kind(tab: Tab) -> Option<&'static CommandKind> {
    command::kind(match tab {
        Tab::Flame => "show-flame",
        Tab::Sandwich => "show-sandwich",
        Tab::CallTree => "show-call-tree",
        Tab::Top => "show-top",
        Tab::Source => "show-source",
        Tab::Info => "show-info",
        Tab::Findings => "show-findings",
        Tab::Names => "show-names",
        Tab::Trend => "show-trend",
    })
}

/// The tabs that fit, the one in front always among them, and a menu with the others.
fn tabs_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    /// Room for the button of the menu.
    const MENU: f32 = 40.0;
    ui.spacing_mut().item_spacing.x = 0.0;
    let front = cx.app.view().tab();
    let mut shown: Vec<Tab> = Tab::ALL.into_iter().filter(|tab| !tab.needs_two() || cx.app.view().is_comparison()).collect();
    let between = size::PAD * 1.5;
    let padding = 2.0 * ui.spacing().button_padding.x + between;
    let width = |tab: &Tab| ui.painter().layout_no_wrap(tab.label().to_owned(), fonts::body(), cx.theme.text).size().x + padding;
    let mut hidden = Vec::new();
    let mut all: f32 = shown.iter().map(width).sum();
    if all - between > ui.available_width() {
        while all + MENU > ui.available_width()
            && let Some(last) = shown.iter().rposition(|tab| *tab != front)
        {
            let tab = shown.remove(last);
            all -= width(&tab);
            hidden.insert(0, tab);
        }
    }
    for tab in shown {
        tab_button(ui, cx, tab, out);
        ui.add_space(between);
    }
    if !hidden.is_empty() {
        let menu = ui.menu_button("»", |ui| {
            for tab in hidden {
                if ui.button(tab.label()).clicked() {
                    out.send(Command::SetTab(tab));
                }
            }
        });
        menu.response.on_hover_text("Further views").widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Further views"));
    }
}

fn tab_button(ui: &mut Ui, cx: &Cx<'_>, tab: Tab, out: &mut Outbox) {
    let is_front = cx.app.view().tab() == tab;
    let color = if is_front { cx.theme.text } else { cx.theme.muted };
    let text = RichText::new(tab.label()).font(fonts::body()).color(color);
    let button = egui::Button::new(text).frame(false).min_size(vec2(0.0, 28.0));
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, is_front, tab.label()));
    if is_front || response.has_focus() {
        let line = egui::Rect::from_min_max(response.rect.left_bottom() - vec2(0.0, size::OUTLINE), response.rect.right_bottom());
        ui.painter().rect_filled(line, 0.0, if is_front { cx.theme.accent } else { cx.theme.strong_line });
    }
    let keys = tab_kind(tab).and_then(|kind| kind.keys.first()).map(|keys| format!("Key {}", keys.text())).unwrap_or_default();
    if response.on_hover_text(keys).clicked() {
        out.send(Command::SetTab(tab));
    }
}
