//! What a picture of the window shows: the order for a PNG, which only the window's drawing code can fill.
//!
//! Deliberately absent: drawing.

use super::App;
use crate::report::PictureTheme;

/// What of the window is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The flame graph, under a line that says of what.
    #[default]
    Flame,
    /// The flat table, under a line that says of what.
    Top,
    /// The view in front, under a line that says of what.
    View,
    /// The whole window.
    Window,
}

impl Part {
    /// All parts that have a name on the command line.
    pub const ALL: [Self; 4] = [Self::Flame, Self::Top, Self::View, Self::Window];

    /// Stable name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flame => "flame",
            Self::Top => "top",
            Self::View => "view",
            Self::Window => "window",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// A picture to be drawn as PNG.
#[derive(Clone, Copy)]
pub struct PictureRequest<'a> {
    /// What it shows; all its work is done.
    pub app: &'a App,
    /// What of it.
    pub part: Part,
    /// Width and height in points.
    pub size: (u32, u32),
    /// Pixels per point.
    pub scale: f32,
    /// Light or dark.
    pub theme: PictureTheme,
}
