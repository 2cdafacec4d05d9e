//! The look: every colour, size and font of the window and of exported pictures.
//!
//! Nothing outside this module makes a colour, a text size or a font; panels ask [`Theme`] for a *role* ("muted text",
//! "worse") and never for a shade. It deliberately knows no panel and no profile: a package is a name, a change is two
//! numbers. Start at [`Theme`]; colours that carry data are [`Theme::package_color`] and [`Theme::delta_color`].

pub mod fonts;
mod hues;
pub mod size;
mod style;

pub use crate::analysis::names::CodeKind;

use egui::Color32;

use crate::report::PictureTheme;
use crate::report::color::{Palette, Rgb};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Light text on a dark ground.
    #[default]
    Dark,
    /// Dark text on white.
    Light,
}

impl From<Mode> for egui::Theme {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Dark => Self::Dark,
            Mode::Light => Self::Light,
        }
    }
}

impl From<Mode> for PictureTheme {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Dark => Self::Dark,
            Mode::Light => Self::Light,
        }
    }
}

impl From<PictureTheme> for Mode {
    fn from(theme: PictureTheme) -> Self {
        match theme {
            PictureTheme::Dark => Self::Dark,
            PictureTheme::Light => Self::Light,
        }
    }
}

impl From<egui::Theme> for Mode {
    fn from(theme: egui::Theme) -> Self {
        match theme {
            egui::Theme::Dark => Self::Dark,
            egui::Theme::Light => Self::Light,
        }
    }
}

/// All palette roles of one mode. Opaque unless said otherwise.
///
/// Text roles have a contrast of at least 4.5:1 against [`Self::background`], [`Self::surface`] and [`Self::raised`];
/// lines that mean something at least 3:1 against the background. Tests in this module hold both.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Which of the two this is.
    pub mode: Mode,
    /// Ground of pictures and tables.
    pub background: Color32,
    /// Bars, side panels, cards.
    pub surface: Color32,
    /// Buttons, chips, menus, the header of a table: what stands out from the surface.
    pub raised: Color32,
    /// What [`Self::raised`] becomes under the pointer.
    pub hover: Color32,
    /// Separators and frames. Decoration only: it has less than 3:1.
    pub line: Color32,
    /// A frame that carries meaning (focused field, splitter under the pointer).
    pub strong_line: Color32,
    /// Text.
    pub text: Color32,
    /// Second-rank text: units, hints, column heads.
    pub muted: Color32,
    /// Ember: focus, search matches, the one primary action.
    pub accent: Color32,
    /// Ground of selected rows and text; [`Self::text`] on it keeps 4.5:1.
    pub selection: Color32,
    /// Every second row of a table.
    pub stripe: Color32,
    /// Identity of the capture before (B): chips, lines, lane labels. Never "good".
    pub before: Color32,
    /// Identity of the capture after (A). Never "bad".
    pub after: Color32,
    /// Vermilion for text and lines about something that got worse; beside it there is always a sign.
    pub worse: Color32,
    /// Blue for text and lines about something that got better; beside it there is always a sign.
    pub better: Color32,
    /// A box that did not change.
    pub unchanged: Color32,
    /// Links.
    pub link: Color32,
    /// Text of warnings and of notes about lost data.
    pub warning: Color32,
    /// Text of errors.
    pub error: Color32,
    /// Shadow under menus and windows; translucent.
    pub shadow: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// An opaque colour.
pub(in crate::ui) const fn color([r, g, b]: Rgb) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// Red, green and blue of an opaque colour.
const fn rgb_of(color: Color32) -> Rgb {
    [color.r(), color.g(), color.b()]
}

impl Theme {
    /// The palette on a dark ground.
    pub const fn dark() -> Self {
        Self {
            mode: Mode::Dark,
            background: color(Palette::DARK.background),
            surface: color(Palette::DARK.surface),
            raised: color(Palette::DARK.raised),
            hover: rgb(0x2f_343d),
            line: color(Palette::DARK.line),
            strong_line: color(Palette::DARK.strong_line),
            text: color(Palette::DARK.text),
            muted: color(Palette::DARK.muted),
            accent: color(Palette::DARK.accent),
            selection: rgb(0x3a_3c44),
            stripe: rgb(0x18_1a1f),
            before: color(Palette::DARK.before),
            after: color(Palette::DARK.after),
            worse: color(Palette::DARK.worse),
            better: color(Palette::DARK.better),
            unchanged: color(Palette::DARK.unchanged),
            link: rgb(0x7f_b8ec),
            warning: rgb(0xe9_b949),
            error: rgb(0xff_8b7d),
            shadow: Color32::from_black_alpha(110),
        }
    }

    /// The palette on white.
    pub const fn light() -> Self {
        Self {
            mode: Mode::Light,
            background: color(Palette::LIGHT.background),
            surface: color(Palette::LIGHT.surface),
            raised: color(Palette::LIGHT.raised),
            hover: rgb(0xe0_e3e9),
            line: color(Palette::LIGHT.line),
            strong_line: color(Palette::LIGHT.strong_line),
            text: color(Palette::LIGHT.text),
            muted: color(Palette::LIGHT.muted),
            accent: color(Palette::LIGHT.accent),
            selection: rgb(0xf8_dfce),
            stripe: rgb(0xfa_fbfc),
            before: color(Palette::LIGHT.before),
            after: color(Palette::LIGHT.after),
            worse: color(Palette::LIGHT.worse),
            better: color(Palette::LIGHT.better),
            unchanged: color(Palette::LIGHT.unchanged),
            link: rgb(0x0b_61a4),
            warning: rgb(0x85_5d00),
            error: rgb(0xb4_2318),
            shadow: Color32::from_black_alpha(40),
        }
    }

    /// The palette of a mode.
    pub const fn of(mode: Mode) -> Self {
        match mode {
            Mode::Dark => Self::dark(),
            Mode::Light => Self::light(),
        }
    }

    /// The colours of this mode that pictures and pages have too.
    pub fn palette(&self) -> Palette {
        Palette::of(self.mode.into())
    }

    /// The palette egui shows right now, whether the user chose it or the system did.
    pub fn current(ctx: &egui::Context) -> Self {
        Self::of(ctx.theme().into())
    }

    /// Gives egui our fonts and both palettes as its dark and light style, without choosing one of the two: egui goes on
    /// following its own preference (by default the system's). Cheap to call again: the fonts are set once per context.
    pub fn install(ctx: &egui::Context) {
        fonts::install(ctx);
        ctx.set_style_of(egui::Theme::Dark, style::style(&Self::dark()));
        ctx.set_style_of(egui::Theme::Light, style::style(&Self::light()));
    }

    /// [`Self::install`], and shows this palette from now on whatever the system prefers.
    pub fn apply(&self, ctx: &egui::Context) {
        Self::install(ctx);
        ctx.set_theme(egui::Theme::from(self.mode));
    }

    /// Black or white, whichever reads better on `ground`; at least 4.5:1 on any opaque colour.
    pub fn text_on(ground: Color32) -> Color32 {
        color(Palette::text_on(rgb_of(ground)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: Color32, b: Color32) -> f32 {
        crate::report::color::oklch::contrast(rgb_of(a), rgb_of(b))
    }

    const BOTH: [Theme; 2] = [Theme::dark(), Theme::light()];

    #[test]
    fn text_roles_are_readable_on_every_ground() {
        for theme in BOTH {
            let roles = [
                ("text", theme.text),
                ("muted", theme.muted),
                ("worse", theme.worse),
                ("better", theme.better),
                ("link", theme.link),
                ("warning", theme.warning),
                ("error", theme.error),
            ];
            for (name, color) in roles {
                for ground in [theme.background, theme.surface, theme.raised, theme.stripe] {
                    let found = contrast(color, ground);
                    assert!(found >= 4.5, "{:?} {name} on {ground:?}: {found:.2}", theme.mode);
                }
            }
            for ground in [theme.selection, theme.hover] {
                assert!(contrast(theme.text, ground) >= 4.5, "{:?} text on {ground:?}", theme.mode);
            }
        }
    }

    #[test]
    fn lines_that_mean_something_stand_out() {
        for theme in BOTH {
            for color in [theme.strong_line, theme.accent, theme.before, theme.after] {
                for ground in [theme.background, theme.surface] {
                    let found = contrast(color, ground);
                    assert!(found >= 3.0, "{:?} {color:?} on {ground:?}: {found:.2}", theme.mode);
                }
            }
        }
    }

    #[test]
    fn applying_a_palette_makes_it_the_current_one() {
        for theme in BOTH {
            let ctx = egui::Context::default();
            theme.apply(&ctx);
            ctx.run_ui(egui::RawInput::default(), |ui| {
                assert_eq!(Theme::current(ui.ctx()), theme);
                assert_eq!(ui.visuals().panel_fill, theme.surface);
                assert_eq!(ui.visuals().text_color(), theme.text);
            })
            .textures_delta
            .clear();
        }
    }
}
