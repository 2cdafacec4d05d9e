//! The window: everything drawn. It reads the app's state and sends commands; it deliberately decides nothing about profiles.
//!
//! Start at [`theme`] for how things look and at [`raster`] for pictures without a window.

pub mod cx;
mod memory;
pub mod panels;
pub mod raster;
pub mod theme;
pub mod widgets;
