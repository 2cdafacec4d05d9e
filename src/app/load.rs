//! From a path to a [`Profile`]: map the file, find its format, read it, name its addresses.
//!
//! A capture may be a member of an archive: `captures.zip!before/cpu.pb.gz` ([`archive_and_member`]).
//! A capture may be a folder (`perf record --threads`, `--kcore`): its path, or that of a file in it, opens the whole of it.
//! The window's jobs and the subcommands load through this one door. Deliberately absent: progress bars and recent files (the caller
//! shows the ticket). Start reading at [`load`].

use std::io;
use std::path::{Path, PathBuf};

use crate::app::debuginfod::Debuginfod;
use crate::app::modules::LocalModules;
use crate::app::source::SourceSpec;
use crate::app::symbol_cache::SymbolCache;
use crate::base::inflate;
use crate::base::mapped::Mapped;
use crate::base::ticket::{Cancelled, Ticket};
use crate::format::archive::SEPARATOR;
use crate::format::perf_data::folder;
use crate::format::{self, Input, Member, Part, ReadCx, ReadError};
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
    /// Servers that are asked for debug files; `None` = nothing leaves this machine.
    pub debuginfod: Option<Debuginfod>,
    /// Where source files are looked for when they are shown; loading reads none.
    pub source: SourceSpec,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            max_bytes: None,
            symbol_roots: Vec::new(),
            symbols: true,
            symbol_cache: None,
            debuginfod: None,
            source: SourceSpec::default(),
        }
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
    let (path, member) = archive_and_member(path);
    let (path, member) = (path.as_path(), member.as_deref());
    let open = |path: &Path| {
        let why = |error| if ticket.is_cancelled() { Kind::Read(Cancelled.into()) } else { Kind::Open(error) };
        Mapped::open(path, cap, ticket).map_err(|error| fail(why(error)))
    };
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
    let read_once = |part: &[u8]| bytes.release(part);
    let cx = ReadCx { max_bytes, parts: &parts, binaries: Some(&binaries), read_once: Some(&read_once), member, ..ReadCx::new(ticket) };
    format::read(&Input { bytes: &bytes, name: base_name(&shown) }, &cx).map_err(|error| fail(Kind::Read(error)))
}

/// The file that a path names, and the member behind a `!` where it is no file as a whole: `a.zip!b/c.pb` is `a.zip` and `b/c.pb`, unless
/// there is a file of all that name. `-!member` is a member of the archive on standard input.
pub fn archive_and_member(path: &Path) -> (PathBuf, Option<String>) {
    let Some(text) = path.to_str().filter(|text| text.contains(SEPARATOR) && !path.exists()) else { return (path.to_owned(), None) };
    let cut = text.match_indices(SEPARATOR).find_map(|(at, _)| {
        let (file, member) = (Path::new(text.get(..at)?), text.get(at + 1..)?);
        (file.as_os_str() == "-" || file.is_file()).then(|| (file.to_owned(), Some(member.to_owned())))
    });
    cut.unwrap_or_else(|| (path.to_owned(), None))
}

/// True where `path` names a file, a file and a member in it (which may turn out not to be there), or a folder as `perf record` writes it.
pub fn is_there(path: &Path) -> bool {
    archive_and_member(path).0.is_file() || path.join(folder::MAIN).is_file()
}

/// What the disk says of the file that a capture was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnDisk {
    /// There is a file (or an archive with it), which can be opened again.
    pub is_there: bool,
    /// Its size; 0 for a member of an archive, and where there is none.
    pub bytes: u64,
}

impl OnDisk {
    /// Asks the disk; not for the window's thread.
    pub fn of(path: &Path) -> Self {
        let bytes = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len());
        Self { is_there: is_there(path), bytes }
    }
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
            let number = folder::part_number(name);
            if name != folder::MAIN && number.is_none() {
                return None;
            }
            (path.parent()?, number)
        };
        let main = folder.join("data");
        // `data.0` alone says nothing: it belongs to the `data` beside it, if that is a capture and it is not one itself.
        // A folder that was named itself is one whatever its `data` holds: what is wrong with that is the better answer.
        let is_named = path.is_dir() && main.is_file();
        if !(is_named || is_capture(&main)) || (number.is_some() && is_capture(path)) {
            return None;
        }
        let listed = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
        let mut parts: Vec<(u64, String)> = listed
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.path().is_file())?;
                let name = entry.file_name().into_string().ok()?;
                Some((folder::part_number(&name)?, name))
            })
            .collect();
        parts.sort_unstable();
        Some(Self { parts: parts.into_iter().map(|(_, name)| (name.clone(), folder.join(name))).collect(), main })
    }
}

/// True for a file that begins like a `perf.data`.
fn is_capture(path: &Path) -> bool {
    // Looking into a pipe would take its bytes away.
    let head = path.is_file().then(|| Mapped::open(path, 0, &Ticket::new()).ok()).flatten();
    head.is_some_and(|bytes| folder::is_capture(&bytes))
}

/// Names the addresses of a capture that was read from `path`.
pub fn symbolize(path: &Path, profile: &Profile, options: &LoadOptions, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let modules = LocalModules::for_capture(path, &options.symbol_roots);
    let modules = modules.with_cache(options.symbol_cache.clone()).with_debuginfod(options.debuginfod.clone());
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

    /// The captures of an archive of which one must be chosen, and what opens each; empty for every other error.
    pub fn choice(&self) -> Vec<(PathBuf, Member)> {
        let Kind::Read(error) = &self.kind else { return Vec::new() };
        // Paths of members begin at the outermost archive.
        let (archive, _) = archive_and_member(&self.path);
        let name = |member: &Member| {
            let mut name = archive.clone().into_os_string();
            name.push(format!("{SEPARATOR}{}", member.path));
            (PathBuf::from(name), member.clone())
        };
        error.members().iter().map(name).collect()
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
        // A recorder that failed leaves such a folder.
        std::fs::write(folder.path().join("data"), "").unwrap();
        let error = load(folder.path(), &LoadOptions::default(), &Ticket::new()).unwrap_err();
        assert_eq!(error.reason(), "capture: reading the first byte: the file is empty (0 bytes) (at byte 0x0)");
    }

    #[test]
    fn a_member_is_named_behind_an_exclamation_mark_unless_a_file_has_that_name() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("a!b.zip");
        let mut writer = zip::ZipWriter::new(std::fs::File::create(&zip).unwrap());
        for (name, text) in [("x/one.folded", "main;a 1\n"), ("two.folded", "main;a 2\n")] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let error = load(&zip, &LoadOptions::default(), &Ticket::new()).unwrap_err();
        let choice = error.choice();
        assert_eq!(choice.iter().map(|(_, member)| member.path.as_str()).collect::<Vec<_>>(), ["x/one.folded", "two.folded"]);
        for ((path, _), total) in choice.iter().zip([1, 2]) {
            assert!(is_there(path));
            assert_eq!(load(path, &LoadOptions::default(), &Ticket::new()).unwrap().total(0), total);
        }
        assert_eq!(archive_and_member(&zip), (zip.clone(), None), "the whole name is a file");
        let missing = folder.path().join("none.zip!x");
        assert_eq!(archive_and_member(&missing), (missing.clone(), None));
        assert_eq!(archive_and_member(Path::new("-!x/y")), (PathBuf::from("-"), Some("x/y".to_owned())));
    }
}
