//! Tests that drive the interface without a window.

mod renderer;
mod smoke;
mod tables;
