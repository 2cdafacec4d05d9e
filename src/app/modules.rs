//! The binaries, debug files and symbol lists of this machine, for `crate::symbol`.
//!
//! Searched, in this order: the folders that the user named (a sysroot, a container's root such as `/proc/PID/root`, or a plain folder of
//! binaries), a `sysroot` folder near the capture, the paths as recorded, debug files by build id, perf's own cache of binaries. Only
//! regular files are opened: a capture may name any path. Deliberately absent: any trust in what is found (the symbol
//! layer compares build ids), and the network but where the user asked for it (`debuginfod`). Start reading at [`LocalModules`].

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::debuginfod::Debuginfod;
use crate::app::symbol_cache::SymbolCache;
use crate::base::binaries::Binaries;
use crate::base::mapped::Mapped;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{FileId, base_name};
use crate::symbol::{Bytes, Fetched, Kernel, ModuleSource, Part};

/// Largest text of symbols (perf map, kallsyms) that is read, in bytes.
const TEXT_CAP_BYTES: u64 = 1 << 30;

/// How many folders up from a capture a `sysroot` folder is looked for.
const SYSROOT_LEVELS: usize = 4;

/// Looks for modules in the file system.
#[derive(Clone, Debug, Default)]
pub struct LocalModules {
    /// Folders that stand for the root of the recording machine, or simply hold the binaries.
    roots: Vec<PathBuf>,
    /// The capture, which may be a folder itself.
    capture: PathBuf,
    /// The folder of the capture, where perf map files are looked for.
    beside: Option<PathBuf>,
    /// Where looked-up symbols are kept.
    cache: Option<SymbolCache>,
    /// Servers that are asked for what is not here.
    debuginfod: Option<Debuginfod>,
}

impl LocalModules {
    /// The modules for the capture at `path`, with the user's own `roots` before everything else.
    pub fn for_capture(path: &Path, roots: &[PathBuf]) -> Self {
        // A bare file name has the empty path as its folder.
        let beside = path.parent().map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() });
        let mut roots = roots.to_vec();
        // What travels with a capture is searched without being asked for: a `sysroot` folder beside it or a few folders up.
        let around = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        roots.extend(around.ancestors().skip(1).take(SYSROOT_LEVELS).map(|folder| folder.join("sysroot")).filter(|folder| folder.is_dir()));
        Self { roots, capture: path.to_owned(), beside, cache: None, debuginfod: None }
    }

    /// The same, with looked-up symbols kept in a folder.
    pub fn with_cache(self, cache: Option<SymbolCache>) -> Self {
        Self { cache, ..self }
    }

    /// The same, with servers that are asked for what is not here.
    pub fn with_debuginfod(self, debuginfod: Option<Debuginfod>) -> Self {
        Self { debuginfod, ..self }
    }

    /// Paths that may be the module, best first.
    fn paths(&self, file: &str, build_id: Option<&str>) -> Vec<PathBuf> {
        let file = file.trim_end_matches(" (deleted)");
        let mut paths = Vec::new();
        for root in &self.roots {
            paths.extend(inside(root, file));
            paths.push(root.join(base_name(file)));
        }
        if file.starts_with('/') || Path::new(file).is_absolute() {
            paths.push(PathBuf::from(file));
        }
        paths.extend(build_id.map(|id| self.by_build_id(id)).unwrap_or_default());
        paths
    }

    /// A file beside the capture. People keep several captures in one folder and put the capture's name before the file's:
    /// `run1.perf-123.map`.
    fn beside(&self, name: &str) -> Vec<PathBuf> {
        let Some(folder) = &self.beside else { return Vec::new() };
        let ending = format!(".{name}");
        let listed = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let mut found: Vec<PathBuf> =
            listed.filter(|path| path.file_name().is_some_and(|file| file.to_string_lossy().ends_with(&ending))).collect();
        found.sort_unstable();
        found.insert(0, folder.join(name));
        found
    }

    /// Paths that may be the debug file that a module names.
    fn debug_paths(&self, file: &str, link: &str) -> Vec<PathBuf> {
        let name = base_name(link);
        if name.is_empty() || name == ".." {
            return Vec::new();
        }
        let folder = file.rfind('/').and_then(|end| file.get(..end)).unwrap_or_default();
        // Where the folders of programs moved below `/usr`, debug files may still lie by the old path.
        let old = folder.strip_prefix("/usr").unwrap_or(folder);
        let mut places = vec![format!("{folder}/{name}"), format!("{folder}/.debug/{name}"), format!("/usr/lib/debug{folder}/{name}")];
        places.extend([format!("/usr/lib/debug{old}/{name}"), format!("/usr/lib/debug/.dwz/{name}"), link.to_owned()]);
        let mut paths = Vec::new();
        for root in &self.roots {
            paths.extend(places.iter().filter_map(|place| inside(root, place)));
            paths.push(root.join(name));
        }
        paths.extend(places.iter().filter(|place| place.starts_with('/')).map(PathBuf::from));
        paths
    }

    /// Paths of files of the kernel (`vmlinux`), by its build id and its release.
    fn kernel_files(&self, release: Option<&str>, build_id: Option<&str>) -> Vec<PathBuf> {
        let mut files = build_id.map(|id| self.by_build_id(id)).unwrap_or_default();
        let Some(release) = release.filter(|release| !release.contains('/') && !release.contains("..")) else { return files };
        let places = [
            format!("usr/lib/debug/boot/vmlinux-{release}"),
            format!("usr/lib/debug/lib/modules/{release}/vmlinux"),
            format!("lib/modules/{release}/build/vmlinux"),
            format!("boot/vmlinux-{release}"),
            format!("vmlinux-{release}"),
            "vmlinux".to_owned(),
        ];
        for root in self.roots.iter().map(PathBuf::as_path).chain([Path::new("/")]) {
            files.extend(places.iter().map(|place| root.join(place)));
        }
        files
    }

    /// Folders in which perf keeps what it saw of a build id: those of unpacked archives (`perf archive`), then that of this user.
    fn perf_caches(&self, build_id: &str) -> Vec<PathBuf> {
        let Some((start, rest)) = split_id(build_id) else { return Vec::new() };
        let own = self.roots.iter().map(|root| root.join(format!(".build-id/{start}/{rest}")));
        own.chain(perf_cache(build_id)).collect()
    }

    /// Paths of debug files and cached binaries of a build id.
    fn by_build_id(&self, build_id: &str) -> Vec<PathBuf> {
        let Some((start, rest)) = split_id(build_id) else { return Vec::new() };
        let debug = format!("usr/lib/debug/.build-id/{start}/{rest}.debug");
        let mut paths: Vec<PathBuf> = self.roots.iter().map(|root| root.join(&debug)).collect();
        // A folder of debug files alone, as `/usr/lib/debug` of another machine.
        paths.extend(self.roots.iter().map(|root| root.join(format!(".build-id/{start}/{rest}.debug"))));
        paths.push(Path::new("/").join(&debug));
        let kept = self.perf_caches(build_id);
        paths.extend(kept.iter().flat_map(|folder| ["elf", "vdso", "debug"].map(|name| folder.join(name))));
        paths
    }
}

/// A build id as folders name it: the first two digits, then the rest. The id comes from the capture: only hex digits may become part
/// of a path.
fn split_id(build_id: &str) -> Option<(&str, &str)> {
    build_id.split_at_checked(2).filter(|(_, rest)| !rest.is_empty() && build_id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The folder in which `perf record` keeps what it saw of a build id.
fn perf_cache(build_id: &str) -> Option<PathBuf> {
    let (start, rest) = split_id(build_id)?;
    Some(directories::BaseDirs::new()?.home_dir().join(format!(".debug/.build-id/{start}/{rest}")))
}

/// A path inside a root; `None` for one that would lead out of it.
fn inside(root: &Path, file: &str) -> Option<PathBuf> {
    let relative = Path::new(file.trim_start_matches('/'));
    let is_plain = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    is_plain.then(|| root.join(relative))
}

fn open(path: &Path) -> Option<Bytes> {
    // Pipes and devices would block or never end.
    path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Mapped::open(path, TEXT_CAP_BYTES, &Ticket::new()).ok().map(|mapped| Arc::new(mapped) as Bytes)
}

fn text(path: &Path) -> Option<String> {
    open(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

impl Binaries for LocalModules {
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes> {
        ModuleSource::candidates(self, file, build_id)
    }

    fn is_replaced(&self, file: &str, device: (u32, u32), inode: u64) -> bool {
        ModuleSource::is_replaced(self, file, FileId { device, inode })
    }

    fn hostname(&self) -> Option<String> {
        ModuleSource::hostname(self)
    }
}

impl ModuleSource for LocalModules {
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes> {
        let mut found: Vec<Bytes> = self.paths(file, build_id).iter().filter_map(|path| open(path)).collect();
        if file == "[vdso]" {
            found.extend(own_vdso().map(|bytes| Arc::new(bytes) as Bytes));
        }
        found
    }

    #[cfg(unix)]
    fn is_replaced(&self, file: &str, recorded: FileId) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        // What the user gives a folder for is taken from there.
        let first = self.paths(file, None).into_iter().find(|path| path.is_file());
        let Some(found) = first.filter(|path| *path == Path::new(file)).and_then(|path| path.metadata().ok()) else { return false };
        // How Linux packs both numbers of a device into one (`gnu_dev_major` and `gnu_dev_minor` of the C library). Files of layered
        // file systems have other devices for programs than for the kernel: of those nothing is known.
        let device = found.dev();
        let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
        let minor = (device & 0xff) | (device >> 12 & !0xff);
        (major, minor) == (u64::from(recorded.device.0), u64::from(recorded.device.1)) && found.ino() != recorded.inode
    }

    fn debug_files(&self, file: &str, link: &str) -> Vec<Bytes> {
        self.debug_paths(file, link).iter().filter_map(|path| open(path)).collect()
    }

    fn stamp(&self, file: &str, build_id: Option<&str>, links: &[String]) -> Option<String> {
        self.cache.as_ref()?;
        let own = self.paths(file, build_id);
        let linked = links.iter().flat_map(|link| self.debug_paths(file, link));
        let servers = self.debuginfod.iter().map(Debuginfod::stamp);
        Some(own.into_iter().chain(linked).filter_map(|path| file_stamp(&path)).chain(servers).collect())
    }

    fn fetch(&self, build_id: &str, part: Part, ticket: &Ticket) -> Result<Fetched, Cancelled> {
        let Some(debuginfod) = &self.debuginfod else { return Ok(Fetched::Off) };
        Ok(match debuginfod.fetch(build_id, part, self.cache.as_ref(), ticket)? {
            Ok(bytes) => Fetched::Bytes(bytes),
            Err(why) => Fetched::Failed(why),
        })
    }

    fn keep_fetched(&self, build_id: &str, part: Part, bytes: &[u8]) {
        Debuginfod::keep(build_id, part, bytes, self.cache.as_ref());
    }

    fn recall(&self, key: &str) -> Option<Bytes> {
        self.cache.as_ref()?.recall(key)
    }

    fn keep(&self, key: &str, bytes: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.keep(key, bytes);
        }
    }

    fn perf_map(&self, pid: i32, is_local: bool) -> Option<Bytes> {
        let name = format!("perf-{pid}.map");
        let beside = self.beside(&name).iter().find_map(|path| open(path));
        // Processes write them to `/tmp`, whatever the folder for temporary files of this one is.
        let here = || [PathBuf::from("/tmp"), std::env::temp_dir()].iter().find_map(|folder| open(&folder.join(&name)));
        beside.or_else(|| is_local.then(here)?)
    }

    fn saved_symbols(&self) -> Option<Bytes> {
        let path = self.capture.to_str()?;
        let whole = path.strip_suffix(".gz").unwrap_or(path);
        let stem = whole.strip_suffix(".json").unwrap_or(whole);
        // Versions differ in what of `NAME.json.gz` they put another ending to.
        [stem, whole].iter().find_map(|name| open(Path::new(&format!("{name}.syms.json"))))
    }

    fn jit_dumps(&self, pid: i32, marker: Option<&str>, is_local: bool) -> Vec<Bytes> {
        let name = marker.map_or_else(|| format!("jit-{pid}.dump"), |marker| base_name(marker).to_owned());
        let mut paths = self.beside(&name);
        for root in &self.roots {
            paths.extend(marker.and_then(|marker| inside(root, marker)));
            paths.push(root.join(&name));
        }
        if is_local {
            paths.extend(marker.map(PathBuf::from));
            // One folder a run, named by date.
            let runs = directories::BaseDirs::new().and_then(|home| std::fs::read_dir(home.home_dir().join(".debug/jit")).ok());
            let mut runs: Vec<PathBuf> = runs.into_iter().flatten().filter_map(|run| Some(run.ok()?.path().join(&name))).collect();
            runs.sort_unstable();
            paths.extend(runs.into_iter().rev());
        }
        paths.iter().filter_map(|path| open(path)).take(1).collect()
    }

    fn kernels(&self, release: Option<&str>, build_id: Option<&str>) -> Vec<Kernel> {
        let kernel = |path: PathBuf, is_of_capture: bool| {
            let build_id = build_id.map(str::to_owned).filter(|_| !is_of_capture);
            let stamp = file_stamp(&path);
            // Without a build id the release is a claim, which the file has to prove.
            let release = release.map(str::to_owned).filter(|_| !is_of_capture && build_id.is_none());
            path.is_file().then(|| Kernel { release, build_id, is_of_capture, stamp, symbols: Arc::new(move || open(&path)) })
        };
        // What `perf record --kcore` and people leave with a capture.
        let beside = |file: &str| self.beside.as_ref().map(|folder| folder.join(file));
        let own = [Some(self.capture.join("kcore_dir/kallsyms")), beside("kcore_dir/kallsyms"), beside("kallsyms")];
        let mut kernels: Vec<Kernel> = own.into_iter().flatten().filter_map(|path| kernel(path, true)).collect();
        let kept = build_id.map(|id| self.perf_caches(id)).unwrap_or_default();
        kernels.extend(kept.into_iter().filter_map(|folder| kernel(folder.join("kallsyms"), false)));
        kernels.extend(running_kernel());
        kernels.extend(self.kernel_files(release, build_id).into_iter().filter_map(|path| kernel(path, false)));
        kernels
    }

    fn hostname(&self) -> Option<String> {
        let name = text(Path::new("/proc/sys/kernel/hostname"))?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

/// Path, size and time of a regular file; `None` where there is none.
fn file_stamp(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}\n", path.display(), metadata.len(), time.as_nanos()))
}

/// The pages that the kernel of this machine puts into every process, read from this one.
fn own_vdso() -> Option<Vec<u8>> {
    const CAP_BYTES: u64 = 1 << 20;
    let maps = text(Path::new("/proc/self/maps"))?;
    let (start, end) = maps.lines().find(|line| line.ends_with("[vdso]"))?.split_once(' ')?.0.split_once('-')?;
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    let mut memory = std::fs::File::open("/proc/self/mem").ok()?;
    memory.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = vec![0; usize::try_from(end.checked_sub(start)?.min(CAP_BYTES)).ok()?];
    memory.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// The kernel of this machine.
fn running_kernel() -> Option<Kernel> {
    let release = text(Path::new("/proc/sys/kernel/osrelease"))?.trim().to_owned();
    let build_id = open(Path::new("/sys/kernel/notes")).and_then(|notes| build_id_note(&notes));
    let symbols = Arc::new(|| open(Path::new("/proc/kallsyms")));
    // Modules lie elsewhere after every start.
    let stamp = text(Path::new("/proc/sys/kernel/random/boot_id"));
    Some(Kernel { release: Some(release), build_id, is_of_capture: false, stamp, symbols })
}

/// The build id in a list of ELF notes: name size, content size, type 3, then `GNU` and the id.
fn build_id_note(notes: &[u8]) -> Option<String> {
    let start = notes.windows(8).position(|window| window == b"\x03\0\0\0GNU\0")?;
    let size = notes.get(start.checked_sub(4)?..start)?;
    let size = u32::from_ne_bytes(size.try_into().ok()?) as usize;
    let id = notes.get(start + 8..)?.get(..size)?;
    Some(id.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_under_a_root_by_path_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        std::fs::write(root.join("usr/bin/tool"), b"by path").unwrap();
        std::fs::write(root.join("other"), b"by name").unwrap();
        let modules = LocalModules::for_capture(&folder.path().join("perf.data"), std::slice::from_ref(&root));
        let found = |file: &str| ModuleSource::candidates(&modules, file, None).first().map(|bytes| bytes.to_vec());
        assert_eq!(found("/usr/bin/tool").as_deref(), Some(&b"by path"[..]));
        assert_eq!(found("/opt/somewhere/other").as_deref(), Some(&b"by name"[..]));
        // No way out of the root, and no path made of an id that is none.
        assert_eq!(inside(&root, "/../secret"), None);
        assert_eq!(modules.by_build_id("../../etc/passwd"), Vec::<PathBuf>::new());
    }

    /// `perf archive` packs the folders in which perf keeps binaries by their build ids.
    #[test]
    fn an_unpacked_archive_of_perf_is_searched_by_build_id() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join(".build-id/ab/cdef");
        std::fs::create_dir_all(&kept).unwrap();
        std::fs::write(kept.join("elf"), "binary").unwrap();
        std::fs::write(kept.join("kallsyms"), "list").unwrap();
        let modules = LocalModules::for_capture(&folder.path().join("x/perf.data"), &[folder.path().to_owned()]);
        let found: Vec<Vec<u8>> = ModuleSource::candidates(&modules, "/gone", Some("abcdef")).iter().map(|bytes| bytes.to_vec()).collect();
        assert_eq!(found, [b"binary"]);
        let of_id = |kernel: &Kernel| kernel.build_id.as_deref() == Some("abcdef") && !kernel.is_of_capture;
        let kernels = modules.kernels(None, Some("abcdef"));
        let first = kernels.iter().find(|kernel| of_id(kernel)).and_then(|kernel| (kernel.symbols)());
        assert_eq!(first.as_ref().map(|bytes| bytes.to_vec()).as_deref(), Some(&b"list"[..]));
    }

    #[cfg(unix)]
    #[test]
    fn another_file_in_a_programs_place_is_known_by_its_number() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        std::fs::write(&path, b"the one that ran").unwrap();
        let metadata = path.metadata().unwrap();
        let device = metadata.dev();
        let device = [(device >> 8 & 0xfff) | (device >> 32 & !0xfff), (device & 0xff) | (device >> 12 & !0xff)].map(|part| part as u32);
        let recorded = FileId { device: (device[0], device[1]), inode: metadata.ino() };
        let modules = LocalModules::for_capture(&folder.path().join("perf.data"), &[]);
        let is_replaced = |modules: &LocalModules, id| ModuleSource::is_replaced(modules, &path.display().to_string(), id);
        assert!(!is_replaced(&modules, recorded));
        // The old file stays until the new one is there, so that it keeps its number.
        std::fs::write(folder.path().join("new"), b"another").unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(is_replaced(&modules, recorded));
        let elsewhere = FileId { device: (recorded.device.0, recorded.device.1 + 1), ..recorded };
        assert!(!is_replaced(&modules, elsewhere), "of another device nothing is known");
        // What the user gave a folder for is taken from there.
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("tool"), b"mine").unwrap();
        assert!(!is_replaced(&LocalModules::for_capture(&folder.path().join("perf.data"), &[root]), recorded));
    }

    #[test]
    fn symbols_that_samply_saved_are_found_beside_the_capture() {
        let folder = tempfile::tempdir().unwrap();
        let found = |capture: &str| {
            let modules = LocalModules::for_capture(&folder.path().join(capture), &[]);
            modules.saved_symbols().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        assert_eq!(found("a.json.gz"), None);
        for (name, text) in [("a.syms.json", "of a"), ("b.json.syms.json", "of b")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(["a.json.gz", "a.json"].map(found), ["of a", "of a"].map(|text| Some(text.to_owned())));
        assert_eq!(found("b.json.gz").as_deref(), Some("of b"));
        assert_eq!(found("c.json"), None);
    }

    #[test]
    fn a_perf_map_is_found_beside_the_capture_also_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("run1.perf-77.map"), "10 5 f\n").unwrap();
        let modules = LocalModules::for_capture(&folder.path().join("run1.perf.data"), &[]);
        assert_eq!(modules.perf_map(77, false).unwrap().to_vec(), b"10 5 f\n");
        assert!(modules.perf_map(7, false).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_shows_its_own_vdso() {
        let bytes = own_vdso().expect("a process on Linux has one");
        assert!(bytes.starts_with(b"\x7fELF"));
    }

    #[test]
    fn a_dump_of_compiled_code_is_found_beside_the_capture_and_by_its_marker() {
        let folder = tempfile::tempdir().unwrap();
        let marked = folder.path().join("elsewhere/jit-9.dump");
        std::fs::create_dir_all(marked.parent().unwrap()).unwrap();
        std::fs::write(&marked, "marked").unwrap();
        std::fs::write(folder.path().join("run1.jit-77.dump"), "beside").unwrap();
        let modules = LocalModules::for_capture(&folder.path().join("run1.perf.data"), &[]);
        let found = |pid, marker: Option<&str>, is_local| modules.jit_dumps(pid, marker, is_local).first().map(|bytes| bytes.to_vec());
        assert_eq!(found(77, None, false).unwrap(), b"beside");
        assert_eq!(found(9, marked.to_str(), true).unwrap(), b"marked");
        assert_eq!(found(9, marked.to_str(), false), None, "on another machine the path is another file");
    }

    #[test]
    fn the_kernels_build_id_stands_behind_its_note() {
        let mut notes = b"\x06\0\0\0\x01\0\0\0\x00\x01\0\0Linux\0\0\0\0\0\0\0".to_vec();
        notes.extend(4_u32.to_ne_bytes());
        notes.extend(2_u32.to_ne_bytes());
        notes.extend(b"\x03\0\0\0GNU\0\xab\x01");
        assert_eq!(build_id_note(&notes).as_deref(), Some("ab01"));
        assert_eq!(build_id_note(b"nothing"), None);
    }
}
