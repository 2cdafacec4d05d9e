//! The colours of pictures and pages, which the window takes its own from: palettes on a dark and on a light ground, and colours that carry
//! data.
//!
//! Deliberately absent: sizes, fonts, and anything of a window. Start at [`Palette`]; what gives a box its colour is in
//! `boxes.rs`, and how colours are made in `hues.rs`.

mod boxes;
mod hues;
pub mod oklch;

pub use boxes::{BoxLook, ColorBy, mark};
pub use oklch::Rgb;

/// Colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureTheme {
    /// Dark text on a light ground.
    #[default]
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// The colours of a theme by what they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Which of the two this is.
    pub theme: PictureTheme,
    /// Ground of pictures and tables.
    pub background: Rgb,
    /// Bars, side panels, cards, every second row.
    pub surface: Rgb,
    /// What stands out from the surface.
    pub raised: Rgb,
    /// Separators and frames. Decoration only.
    pub line: Rgb,
    /// A line that carries meaning; 3:1 against the ground.
    pub strong_line: Rgb,
    /// Text.
    pub text: Rgb,
    /// Second-rank text: units, hints, column heads.
    pub muted: Rgb,
    /// Ember: search matches, the one primary action.
    pub accent: Rgb,
    /// Identity of the capture before. Never "good".
    pub before: Rgb,
    /// Identity of the capture after. Never "bad".
    pub after: Rgb,
    /// Text and lines about something that got worse; beside it there is always a sign.
    pub worse: Rgb,
    /// The same for something that got better.
    pub better: Rgb,
    /// A box that did not change.
    pub unchanged: Rgb,
}

impl Palette {
    /// On a dark ground.
    pub const DARK: Self = Self {
        theme: PictureTheme::Dark,
        background: [0x15, 0x17, 0x1b],
        surface: [0x1c, 0x1f, 0x24],
        raised: [0x24, 0x28, 0x2f],
        line: [0x30, 0x35, 0x3d],
        strong_line: [0x6b, 0x72, 0x7e],
        text: [0xd9, 0xdc, 0xe2],
        muted: [0x94, 0x9a, 0xa5],
        accent: [0xff, 0x8a, 0x3d],
        before: [0x5a, 0xa9, 0xe6],
        after: [0xff, 0x8a, 0x3d],
        worse: [0xf0, 0x81, 0x46],
        better: [0x5c, 0xb0, 0xec],
        unchanged: [0x47, 0x4b, 0x52],
    };

    /// On white.
    pub const LIGHT: Self = Self {
        theme: PictureTheme::Light,
        background: [0xff, 0xff, 0xff],
        surface: [0xf6, 0xf7, 0xf9],
        raised: [0xec, 0xee, 0xf2],
        line: [0xd5, 0xd9, 0xe0],
        strong_line: [0x84, 0x8b, 0x97],
        text: [0x1d, 0x21, 0x27],
        muted: [0x5d, 0x64, 0x70],
        accent: [0xc4, 0x54, 0x0a],
        before: [0x1b, 0x74, 0xb5],
        after: [0xc4, 0x54, 0x0a],
        worse: [0xb3, 0x45, 0x00],
        better: [0x00, 0x63, 0x9c],
        unchanged: [0xdc, 0xdf, 0xe4],
    };

    /// The palette of a theme.
    pub const fn of(theme: PictureTheme) -> Self {
        match theme {
            PictureTheme::Dark => Self::DARK,
            PictureTheme::Light => Self::LIGHT,
        }
    }
}
