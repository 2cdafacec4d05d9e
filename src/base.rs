//! Things that know nothing about profiles: row numbers, interning, a byte cursor, inflate, work with progress.
//!
//! Deliberately absent: anything that touches files, windows or the clock of a view.
//! Start reading at [`index`](mod@index), then [`intern`].

pub mod cursor;
pub mod index;
pub mod inflate;
pub mod intern;
pub mod jobs;
pub mod ticket;
