//! The window: everything drawn. It reads the app's state and sends commands; it deliberately decides nothing about profiles.
//!
//! Start at [`theme`] for how things look.

pub mod theme;
