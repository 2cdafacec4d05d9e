//! Widgets: they take plain data and colours, draw, and return what the person did. They know nothing of this product and can be used
//! alone in a test; panels turn their responses into commands.

pub(crate) mod brush;
pub mod flame_canvas;
pub(crate) mod interval_bar;
pub(crate) mod legend;
pub mod table;
