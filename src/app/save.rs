//! Writing files that the user named: whole or not at all, and never over a capture that is open.
//!
//! Deliberately absent: what is written. Start reading at [`write`](fn@write).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes a file. What stands there under that name is replaced once all bytes are on the disk; devices and pipes are written as they are, and so
/// are files in a folder that takes no new names.
///
/// # Errors
///
/// The system's; what stood there stands there still, but for those that are written as they are.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_plain = fs::metadata(path).map_or(true, |found| found.is_file());
    // A link stays one: its file is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(name) = target.file_name().filter(|_| is_plain) else { return fs::write(path, bytes) };
    let draft = target.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    let mut out = match fs::File::create(&draft) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return fs::write(path, bytes),
        out => out?,
    };
    let written = out.write_all(bytes).and_then(|()| fs::rename(&draft, &target));
    if written.is_err() {
        drop(fs::remove_file(&draft));
    }
    written
}

/// Writes an export, unless it is one of the captures that are open.
///
/// # Errors
///
/// In words: the refusal, or the system's.
pub(super) fn export(path: &Path, bytes: &[u8], open: &[PathBuf]) -> Result<(), String> {
    match refusal(path, open.iter().map(PathBuf::as_path)) {
        Some(why) => Err(why.to_owned()),
        None => write(path, bytes).map_err(|error| error.to_string()),
    }
}

/// Why nothing is written to `path`: it is one of these captures, or the archive that holds one. `None` where it is none of them.
pub fn refusal<'a>(path: &Path, captures: impl IntoIterator<Item = &'a Path>) -> Option<&'static str> {
    let target = fs::canonicalize(path).ok()?;
    let is_open =
        |capture: &Path| fs::canonicalize(file_of(capture)).is_ok_and(|file| file == target || file.is_dir() && target.starts_with(&file));
    let open = captures.into_iter().any(is_open);
    open.then_some("this is a capture that is open, and captures are never changed: choose another name")
}

/// The file of a capture that may be a member of an archive: `runs.zip` of `runs.zip!a.pb.gz`.
fn file_of(capture: &Path) -> PathBuf {
    let text = capture.to_string_lossy();
    let ends = text.match_indices('!').map(|(at, _)| at);
    let archive = ends.filter_map(|at| text.get(..at)).map(PathBuf::from).find(|file| file.is_file());
    archive.filter(|_| !capture.exists()).unwrap_or_else(|| capture.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.svg");
        for text in ["first", "second, which is longer"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
        assert!(write(&folder.path().join("none").join("out.svg"), b"x").is_err());
        assert!(write(folder.path(), b"x").is_err(), "a folder is no file");
    }

    #[test]
    fn open_captures_and_their_archives_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let [capture, other, archive] = ["a.pb.gz", "b.pb.gz", "c.zip"].map(|name| folder.path().join(name));
        for path in [&capture, &other, &archive] {
            fs::write(path, b"x").unwrap();
        }
        let member = folder.path().join("c.zip!runs/a.pb.gz");
        let open = || [capture.as_path(), member.as_path()];
        assert!(refusal(&capture, open()).is_some_and(|why| why.contains("never changed")));
        assert!(refusal(&folder.path().join(".").join("a.pb.gz"), open()).is_some(), "by another spelling");
        assert!(refusal(&archive, open()).is_some());
        assert_eq!(refusal(&other, open()), None);
        assert_eq!(refusal(&folder.path().join("new.svg"), open()), None);
    }
}
