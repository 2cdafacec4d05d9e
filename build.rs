//! Puts the commit into the program (`EMBERLENS_COMMIT`, empty outside a clone) and, for Windows, icon and manifest.
//!
//! It never fails the build: a missing `git` or resource compiler costs the commit or the icon, not the program.

use std::{env, fs, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=EMBERLENS_COMMIT={}", commit().unwrap_or_default());
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows") {
        windows_resources();
    }
}

/// The first 10 digits of the commit the sources are at; `None` if this folder is not the top of a clone.
fn commit() -> Option<String> {
    // A source archive unpacked inside some other clone must not show that one's commit.
    let here = fs::canonicalize(env::var_os("CARGO_MANIFEST_DIR")?).ok()?;
    if fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()? != here {
        return None;
    }
    // Asking git for the paths makes it right in a worktree too, where `.git` is a file. A watched path that does not
    // exist would make cargo run this every time.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=10", "HEAD"])
}

/// What git prints, without the line end; `None` if it is missing, fails or prints nothing.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim_end();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

fn windows_resources() {
    let (icon, manifest) = ("assets/windows/emberlens.ico", "assets/windows/emberlens.manifest");
    println!("cargo::rerun-if-changed={icon}");
    println!("cargo::rerun-if-changed={manifest}");
    let compiled = winresource::WindowsResource::new()
        .set_icon(icon)
        .set_manifest_file(manifest)
        .set("ProductName", "Emberlens")
        .set("FileDescription", "Emberlens profiling visualizer")
        .compile();
    if let Err(error) = compiled {
        println!("cargo::warning=the program has no icon and no manifest: {error}");
    }
}
