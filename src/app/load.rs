//! From a path to a [`Profile`]: map the file, find its format, read it, name its addresses.
//!
//! A capture may be a folder (`perf record --threads`, `--kcore`): its path, or that of a file in it, opens the whole of it.
//! The window's jobs and the subcommands load through this one door. Deliberately absent: progress bars and recent files (the caller
//! shows the ticket). Start reading at [`load`].

use std::io;
use std::path::{Path, PathBuf};

use crate::app::modules::LocalModules;
use crate::app::symbol_cache::SymbolCache;
use crate::base::inflate;
use crate::base::mapped::Mapped;
use crate::base::ticket::{Cancelled, Ticket};
use crate::format::{self, Input, Part, ReadCx, ReadError};
use crate::model::{Profile, base_name};
use crate::symbol;

/// How captures are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Largest uncompressed size of a capture in bytes; `None` = what is plausible, see [`inflate::default_cap`].
    pub max_bytes: Option<u64>,
    /// Folders in which the binaries of a capture are looked for, as if each were the root of the recording machine (perf's
    /// `--symfs`), before the paths as recorded.
    pub symbol_roots: Vec<PathBuf>,
    /// Whether addresses without a name are looked up at all.
    pub symbols: bool,
    /// Where looked-up symbols are kept for the next time; `None` = nowhere.
    pub symbol_cache: Option<SymbolCache>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { max_bytes: None, symbol_roots: Vec::new(), symbols: true, symbol_cache: None }
    }
}

/// Reads the capture at `path` and names its addresses; `-` is standard input.
pub fn load(path: &Path, options: &LoadOptions, ticket: &Ticket) -> Result<Profile, LoadError> {
    let profile = read(path, options, ticket)?;
    if !wants_symbols(&profile, options) {
        return Ok(profile);
    }
    let cancelled = |cancelled: Cancelled| LoadError { path: path.to_owned(), kind: Kind::Read(cancelled.into()) };
    symbolize(path, &profile, options, ticket).map_err(cancelled)
}

/// Reads the capture at `path` as it is: the first of two steps, so that a window can show it before its symbols are found.
pub fn read(path: &Path, options: &LoadOptions, ticket: &Ticket) -> Result<Profile, LoadError> {
    let fail = |kind| LoadError { path: path.to_owned(), kind };
    let cap = options.max_bytes.unwrap_or_else(|| inflate::default_cap(0));
    let open = |path: &Path| Mapped::open(path, cap).map_err(|error| fail(Kind::Open(error)));
    let folder = Folder::around(path);
    let bytes = open(folder.as_ref().map_or(path, |folder| &folder.main))?;
    let beside: Vec<(String, Mapped)> = match &folder {
        Some(folder) => folder.parts.iter().map(|(name, path)| Ok((name.clone(), open(path)?))).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let parts: Vec<Part<'_>> = beside.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    let shown = path.to_string_lossy();
    let max_bytes = options.max_bytes.unwrap_or_else(|| inflate::default_cap(bytes.len()));
    let binaries = LocalModules::for_capture(path, &options.symbol_roots);
    let cx = ReadCx { max_bytes, parts: &parts, binaries: Some(&binaries), ..ReadCx::new(ticket) };
    format::read(&Input { bytes: &bytes, name: base_name(&shown) }, &cx).map_err(|error| fail(Kind::Read(error)))
}

/// The files of a capture that `perf record` wrote as a folder: `data` with the header, `data.0`, `data.1` … with the records of
/// one recording thread each.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    main: PathBuf,
    /// Name and path, in the order of the numbers.
    parts: Vec<(String, PathBuf)>,
}

impl Folder {
    /// The folder that `path` names, or of which it names a file; `None` where there is no such folder around it.
    fn around(path: &Path) -> Option<Self> {
        let (folder, number) = if path.is_dir() {
            (path, None)
        } else {
            let name = path.file_name()?.to_str()?;
            let number = part_number(name);
            if name != "data" && number.is_none() {
                return None;
            }
            (path.parent()?, number)
        };
        let main = folder.join("data");
        // `data.0` alone says nothing: it belongs to the `data` beside it, if that is a capture and it is not one itself.
        if !is_capture(&main) || (number.is_some() && is_capture(path)) {
            return None;
        }
        let listed = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
        let mut parts: Vec<(u64, String)> = listed
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.path().is_file())?;
                let name = entry.file_name().into_string().ok()?;
                Some((part_number(&name)?, name))
            })
            .collect();
        parts.sort_unstable();
        Some(Self { parts: parts.into_iter().map(|(_, name)| (name.clone(), folder.join(name))).collect(), main })
    }
}

/// True for a file that begins like a `perf.data`.
fn is_capture(path: &Path) -> bool {
    // Looking into a pipe would take its bytes away.
    let head = path.is_file().then(|| Mapped::open(path, 0).ok()).flatten();
    head.is_some_and(|bytes| bytes.starts_with(b"PERFILE2") || bytes.starts_with(b"2ELIFREP"))
}

/// The number of a file `data.7`.
fn part_number(name: &str) -> Option<u64> {
    name.strip_prefix("data.").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// Names the addresses of a capture that was read from `path`.
pub fn symbolize(path: &Path, profile: &Profile, options: &LoadOptions, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let modules = LocalModules::for_capture(path, &options.symbol_roots).with_cache(options.symbol_cache.clone());
    let named = symbol::symbolize(profile, &modules, ticket);
    if let Some(cache) = &options.symbol_cache {
        cache.trim();
    }
    named
}

/// True where addresses of a capture could be named.
pub fn wants_symbols(profile: &Profile, options: &LoadOptions) -> bool {
    options.symbols && symbol::has_unnamed(profile)
}

/// Why a capture could not be loaded. Printed as what was being done, what was found and where; the path stands alone on the last line.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Open(io::Error),
    Read(ReadError),
    Internal,
}

impl LoadError {
    /// A reader panicked: our bug, said as such.
    pub fn internal(path: &Path) -> Self {
        Self { path: path.to_owned(), kind: Kind::Internal }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What went wrong, without the path.
    pub fn reason(&self) -> String {
        match &self.kind {
            // The system's words differ between systems and end in an error number.
            Kind::Open(error) if error.kind() == io::ErrorKind::NotFound => "cannot open: there is no such file".to_owned(),
            Kind::Open(error) if error.kind() == io::ErrorKind::PermissionDenied => "cannot open: reading it is not permitted".to_owned(),
            Kind::Open(error) => format!("cannot open: {error}"),
            Kind::Read(error) => error.to_string(),
            Kind::Internal => "internal error: the reader panicked; please report this capture".to_owned(),
        }
    }

    /// True where nothing is wrong with the file: the user stopped it.
    pub const fn is_cancelled(&self) -> bool {
        matches!(&self.kind, Kind::Read(error) if error.is_cancelled())
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.reason(), self.path.display())
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Open(error) => Some(error),
            Kind::Read(error) => Some(error),
            Kind::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_end_with_the_path_on_its_own_line() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, reason) in [
            ("none", None, "cannot open: there is no such file"),
            ("empty", Some(""), "capture: reading the first byte: the file is empty (0 bytes) (at byte 0x0)"),
        ] {
            let path = folder.path().join(name);
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let error = load(&path, &LoadOptions::default(), &Ticket::new()).unwrap_err();
            assert_eq!(error.to_string(), format!("{reason}\n{}", path.display()));
            assert!(!error.is_cancelled());
        }
        let error = load(folder.path(), &LoadOptions::default(), &Ticket::new()).unwrap_err();
        assert_eq!(error.reason(), "cannot open: this is a folder; wanted a file");
    }
}
