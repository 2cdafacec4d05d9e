//! What a picture shows: the order for a PNG, which the window's drawing code fills.
//!
//! Deliberately absent: drawing. It needs the window's widgets, which stand above this layer.

use super::stacks::PictureTheme;
use crate::analysis::Comparison;

/// A flame graph to be drawn as PNG.
#[derive(Clone, Debug)]
pub struct PictureRequest {
    /// One side, or before and after.
    pub comparison: Comparison,
    /// The words on top.
    pub title: String,
    /// Width and height in points.
    pub size: (u32, u32),
    /// Pixels per point.
    pub scale: f32,
    /// Light or dark.
    pub theme: PictureTheme,
}
