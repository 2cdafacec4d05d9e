//! Real captures that lie beside the checkout, with values that independent tools computed. Skipped with a message where they are not.

use std::path::{Path, PathBuf};

/// The folder of real captures: `EMBERLENS_CORPUS`, or `../shared/corpus` beside the package.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("EMBERLENS_CORPUS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus of real captures at {}", folder.display());
    None
}

/// One line of the corpus's manifest.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Path of the capture.
    pub(crate) path: PathBuf,
    /// The same, relative to the corpus.
    pub(crate) name: String,
    /// What independent tools say about it.
    pub(crate) truth: Option<serde_json::Value>,
}

/// All inputs of one format (`pprof`, `perf-script`, `perf-data`, `folded`, `go-text`), in the manifest's order.
pub(crate) fn inputs(format: &str) -> Vec<Entry> {
    let Some(folder) = folder() else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join("MANIFEST.json")).expect("the corpus has a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("the manifest is JSON");
    let files = manifest["files"].as_array().expect("the manifest lists files");
    files
        .iter()
        .filter(|file| file["kind"] == "input" && file["format"] == format)
        .map(|file| {
            let name = file["file"].as_str().expect("a file has a name").to_owned();
            let truth = file["truth"].as_str().map(|truth| {
                let text = std::fs::read_to_string(folder.join(truth)).expect("a truth file is readable");
                serde_json::from_str(&text).expect("a truth file is JSON")
            });
            Entry { path: folder.join(&name), name, truth }
        })
        .collect()
}
