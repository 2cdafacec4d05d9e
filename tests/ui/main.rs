//! Tests that drive the interface without a window.

mod commands;
mod files;
mod findings;
mod keyboard;
mod pictures;
mod present;
mod remarks;
mod renderer;
mod scripts;
mod small;
mod smoke;
mod source;
mod stage;
mod steps;
mod tables;
mod time;
mod typing;
