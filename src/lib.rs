//! Emberlens opens profiles (pprof, perf, Go, folded stacks), draws them, and tells what got worse between two of them.
//!
//! # Map
//!
//! Layers, in reading order; a module names only itself and anything above it in this list (`tests/core/layers.rs` holds that):
//!
//! | Layer | Owns |
//! |---|---|
//! | [`base`] | row numbers, interning, byte cursor, inflate, jobs |
//! | [`model`] | [`model::Profile`]: what ONE capture says, in columns |
//! | [`format`](mod@format) | bytes to `Profile` and back, one module per format |
//! | [`symbol`] | (module, address) to functions, lines and inlined frames |
//! | [`analysis`] | pure functions from profiles to trees, tables, diffs, findings |
//! | [`report`] | results as text, JSON, CSV, HTML, SVG, folded |
//! | [`app`] | open captures, view state, commands, undo, jobs: the product without a window |
//! | `ui` | the window (feature `gui`) |
//! | [`cli`] | the subcommands |
//!
//! # Words
//!
//! *capture*: one loaded file. *stack*: a frame and its callers. *sample*: one record: a stack plus values. *sample type*: a column of
//! values such as `cpu`/nanoseconds. *place*: what one box stands for at the chosen granularity (a function by default). *node*: a place
//! reached by one path. *self* (flat): without callees. *total* (cum): with callees, recursion counted once per sample. *before* and
//! *after* (baseline and candidate): the two sides of a comparison. *delta*: after − before. *share*: part of a capture's total.
#![warn(missing_docs)]

pub mod base;
pub mod model;

pub mod analysis;
pub mod format;
pub mod symbol;

pub mod app;
pub mod cli;
pub mod report;
#[cfg(feature = "gui")]
pub mod ui;

/// Version of this build as people cite it: the package version, and the commit where the build knew it.
pub fn version() -> String {
    match option_env!("EMBERLENS_COMMIT") {
        Some(commit) if !commit.is_empty() => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        _ => env!("CARGO_PKG_VERSION").to_owned(),
    }
}
