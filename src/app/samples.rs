//! The sample pair that the program carries in itself, so that a newcomer has something to look at wherever the program came from.
//!
//! It is written into the platform's cache folder, and opened from there like any other capture: recent files, reloading and exports need to know nothing
//! of it. Deliberately absent: the other samples, which stand in the sources. Start reading at `write_pair`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::save;

/// A Go service before and after a change that made it slower; `sample-profiles/README.md` says how they were captured.
const PAIR: [(&str, &[u8]); 2] = [
    ("orders-cpu-before.pb.gz", include_bytes!("../../sample-profiles/pprof/go1.27.3/orders-cpu-before.pb.gz")),
    ("orders-cpu-after.pb.gz", include_bytes!("../../sample-profiles/pprof/go1.27.3/orders-cpu-after.pb.gz")),
];

/// The folder of this user's samples, where the platform has one.
pub fn folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("io.github", "emberlens", "emberlens").map(|dirs| dirs.cache_dir().join("samples"))
}

/// Writes the pair into a folder, as far as it is not there already, and gives its paths: before, after.
///
/// # Errors
///
/// The system's.
pub(super) fn write_pair(folder: &Path) -> io::Result<[PathBuf; 2]> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in PAIR {
        let path = folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            save::write(&path, bytes)?;
        }
    }
    Ok(PAIR.map(|(name, _)| folder.join(name)))
}
