//! The layers of the crate: a module names only itself and anything below it.

use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may name beside itself.
const MAY_NAME: [(&str, &[&str]); 9] = [
    ("base", &[]),
    ("model", &["base"]),
    ("format", &["base", "model"]),
    ("symbol", &["base", "model"]),
    ("analysis", &["base", "model"]),
    ("report", &["base", "model", "format", "symbol", "analysis"]),
    ("app", &["base", "model", "format", "symbol", "analysis", "report"]),
    ("ui", &["base", "model", "format", "symbol", "analysis", "report", "app"]),
    ("cli", &["base", "model", "format", "symbol", "analysis", "report", "app"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments, so that docs may name whatever they like.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file is readable");
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn modules_name_only_what_lies_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "only {} source files were found", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let relative = path.strip_prefix(&root).expect("a source lies in src");
        let first = relative.iter().next().and_then(|part| part.to_str()).unwrap_or_default().trim_end_matches(".rs");
        let Some((layer, allowed)) = MAY_NAME.iter().find(|(layer, _)| *layer == first) else {
            assert!(matches!(first, "lib" | "main"), "{} belongs to no layer", relative.display());
            continue;
        };
        let code = code(&path);
        for (other, _) in MAY_NAME {
            let named = [format!("crate::{other}::"), format!("crate::{other};"), format!("crate::{{{other}")];
            if other != *layer && !allowed.contains(&other) && named.iter().any(|name| code.contains(name)) {
                wrong.push(format!("{}: {layer} names {other}", relative.display()));
            }
        }
        let window = ["egui", "eframe", "rfd::", "winit::"];
        if *layer != "ui" && window.iter().any(|name| code.contains(name)) {
            wrong.push(format!("{}: names a window crate outside ui", relative.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_window_asks_the_disk_in_one_place_and_on_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
    let mut files = Vec::new();
    sources(&root, &mut files);
    // `run` asks where no window comes up.
    files.retain(|path| !["disk.rs", "run.rs"].iter().any(|name| path.ends_with(name)));
    let asks = [".is_file()", ".is_dir()", ".exists()", "fs::", "metadata(", "canonicalize(", "is_there(path)", "read_dir("];
    let of_window = |path: &Path| code(path).split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|path| {
            let code = of_window(path);
            asks.iter().find(|name| code.contains(**name)).map(|name| format!("{}: {name}", path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
