//! Things that know nothing about profiles: row numbers, interning, mapped files, a byte cursor, inflate, archives, work with progress, large
//! tables dropped elsewhere.
//!
//! Deliberately absent: windows and the clock of a view; files only as bytes ([`mapped`]).
//! Start reading at [`index`](mod@index), then [`intern`].

pub mod archive;
pub mod binaries;
pub mod cursor;
pub mod demangle;
pub mod discard;
pub mod distinct;
pub mod forest;
pub mod gzip;
pub mod index;
pub mod inflate;
pub mod intern;
pub mod jobs;
pub mod layers;
pub mod mapped;
#[cfg(test)]
pub(crate) mod packed;
pub mod spread;
pub mod table;
pub mod ticket;
mod zipped;
