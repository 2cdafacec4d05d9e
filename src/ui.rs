//! The window: everything drawn. It reads the app's state and sends commands; it deliberately decides nothing about profiles.
//!
//! Start at [`shell`] for the window, at [`theme`] for how things look and at [`raster`] for pictures without a window.

mod run;

pub mod shell;

mod menus;
mod toolbar;

mod filters;
mod status;
mod timeline;
mod waiting;

mod dialogs;
pub mod disk;
mod drop;
mod file_dialog;
mod focus;
mod folders;
mod palette;
mod parts;
mod shortcuts;
mod sides;
mod toasts;
mod words;
mod work;

pub mod cx;
mod memory;
pub mod panels;
pub mod picture;
pub mod raster;
pub mod theme;
pub mod widgets;

pub use run::run;
