//! Sizes in points (egui's logical pixels) and times in seconds. The grid is 4 points.
//!
//! Constants, not fields: they are the same in both palettes, and the zoom of the window scales all of them.

/// The grid every distance is a multiple of, apart from hairlines.
pub const GRID: f32 = 4.0;
/// Between two things that belong together.
pub const GAP: f32 = GRID;
/// Between groups, and inside cards and panels.
pub const PAD: f32 = 2.0 * GRID;
/// Between sections of the welcome page and in empty states.
pub const WIDE: f32 = 6.0 * GRID;

/// What a presentation says first.
pub const TEXT_HEADLINE: f32 = 21.0;
/// Titles.
pub const TEXT_TITLE: f32 = 16.0;
/// Running text, buttons, menus.
pub const TEXT_BODY: f32 = 13.0;
/// Names and numbers in tables.
pub const TEXT_TABLE: f32 = 12.0;
/// Hints, axis labels, the status line, names in flame boxes.
pub const TEXT_SMALL: f32 = 11.0;

/// Height of a table row.
pub const TABLE_ROW: f32 = 20.0;
/// Height of a flame graph row unless the user set another one.
pub const FLAME_ROW: f32 = 18.0;
/// The least height of a flame graph row that the user may set.
pub const FLAME_ROW_MIN: f32 = 14.0;
/// The greatest height of a flame graph row that the user may set.
pub const FLAME_ROW_MAX: f32 = 28.0;
/// A flame box narrower than this has no name in it.
pub const FLAME_LABEL_MIN_WIDTH: f32 = 30.0;

/// Height of the menu and capture bar.
pub const MENU_BAR: f32 = 36.0;
/// Height of the bar with sample type, unit, threads and filter chips.
pub const FILTER_BAR: f32 = 30.0;
/// Height of the timeline strip when it is open.
pub const TIMELINE: f32 = 56.0;
/// Height of the status line.
pub const STATUS_BAR: f32 = 24.0;
/// Width of the right side when first shown.
pub const SIDE_PANEL: f32 = 340.0;
/// The least width of the right side.
pub const SIDE_PANEL_MIN: f32 = 240.0;
/// The smallest window that must work well.
pub const WINDOW_MIN: [f32; 2] = [1280.0, 720.0];

/// Width of frames and separators.
pub const HAIRLINE: f32 = 1.0;
/// Width of outlines that mark the selection.
pub const OUTLINE: f32 = 2.0;
/// Corners of buttons, fields and chips.
pub const CORNER: u8 = 4;
/// Corners of menus, cards and windows.
pub const CORNER_WINDOW: u8 = 6;

/// How long zooming in a picture takes, unless the system asks for reduced motion.
pub const ZOOM_SECONDS: f32 = 0.12;
/// How long the pointer rests before a tooltip shows on words and buttons; pictures answer at once.
pub const TOOLTIP_SECONDS: f32 = 0.35;
