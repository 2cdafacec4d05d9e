//! The binaries, debug files and symbol lists of this machine, for `crate::symbol`.
//!
//! Searched, in this order: the folders that the user named (a sysroot, a container's root such as `/proc/PID/root`, or a plain folder of
//! binaries), a `sysroot` folder near the capture, the paths as recorded, debug files by build id, perf's own cache of binaries. Only
//! regular files are opened: a capture may name any path. Deliberately absent: the network, and any trust in what is found (the symbol
//! layer compares build ids). Start reading at [`LocalModules`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::binaries::Binaries;
use crate::base::mapped::Mapped;
use crate::model::base_name;
use crate::symbol::{Bytes, Kernel, ModuleSource};

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
        Self { roots, capture: path.to_owned(), beside }
    }

    /// Paths of debug files and cached binaries of a build id.
    fn by_build_id(&self, build_id: &str) -> Vec<PathBuf> {
        let Some((start, rest)) = split_id(build_id) else { return Vec::new() };
        let debug = format!("usr/lib/debug/.build-id/{start}/{rest}.debug");
        let mut paths: Vec<PathBuf> = self.roots.iter().map(|root| root.join(&debug)).collect();
        // A folder of debug files alone, as `/usr/lib/debug` of another machine.
        paths.extend(self.roots.iter().map(|root| root.join(format!(".build-id/{start}/{rest}.debug"))));
        paths.push(Path::new("/").join(&debug));
        paths.extend(perf_cache(build_id).map(|folder| folder.join("elf")));
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
    Mapped::open(path, TEXT_CAP_BYTES).ok().map(|mapped| Arc::new(mapped) as Bytes)
}

fn text(path: &Path) -> Option<String> {
    open(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

impl Binaries for LocalModules {
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes> {
        ModuleSource::candidates(self, file, build_id)
    }

    fn hostname(&self) -> Option<String> {
        ModuleSource::hostname(self)
    }
}

impl ModuleSource for LocalModules {
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes> {
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
        paths.iter().filter_map(|path| open(path)).collect()
    }

    fn debug_files(&self, file: &str, link: &str) -> Vec<Bytes> {
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
        paths.iter().filter_map(|path| open(path)).collect()
    }

    fn perf_map(&self, pid: i32, is_local: bool) -> Option<Bytes> {
        let name = format!("perf-{pid}.map");
        if let Some(beside) = &self.beside {
            if let Some(found) = open(&beside.join(&name)) {
                return Some(found);
            }
            // People keep several captures in one folder and put the capture's name before the map's: `run1.perf-123.map`.
            let mut named: Vec<PathBuf> = std::fs::read_dir(beside).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
            named.retain(|path| path.file_name().is_some_and(|file| file.to_string_lossy().ends_with(&format!(".{name}"))));
            named.sort_unstable();
            if let Some(found) = named.first().and_then(|path| open(path)) {
                return Some(found);
            }
        }
        is_local.then(|| open(&std::env::temp_dir().join(&name)))?
    }

    fn kernels(&self, release: Option<&str>, build_id: Option<&str>) -> Vec<Kernel> {
        let kernel = |path: PathBuf, is_of_capture: bool| {
            let build_id = build_id.map(str::to_owned).filter(|_| !is_of_capture);
            path.is_file().then(|| Kernel { release: None, build_id, is_of_capture, symbols: Arc::new(move || open(&path)) })
        };
        // What `perf record --kcore` and people leave with a capture.
        let own = [Some(self.capture.join("kcore_dir/kallsyms")), self.beside.as_ref().map(|folder| folder.join("kallsyms"))];
        let mut kernels: Vec<Kernel> = own.into_iter().flatten().filter_map(|path| kernel(path, true)).collect();
        kernels.extend(build_id.and_then(perf_cache).and_then(|folder| kernel(folder.join("kallsyms"), false)));
        kernels.extend(running_kernel());
        // A kernel's file proves itself by its build id.
        if let Some(id) = build_id {
            let mut files = self.by_build_id(id);
            let is_plain = |release: &&str| !release.contains('/') && !release.contains("..");
            if let Some(release) = release.filter(is_plain) {
                let places = [
                    format!("usr/lib/debug/boot/vmlinux-{release}"),
                    format!("usr/lib/debug/lib/modules/{release}/vmlinux"),
                    format!("lib/modules/{release}/build/vmlinux"),
                    format!("boot/vmlinux-{release}"),
                    "vmlinux".to_owned(),
                ];
                for root in self.roots.iter().map(PathBuf::as_path).chain([Path::new("/")]) {
                    files.extend(places.iter().map(|place| root.join(place)));
                }
            }
            kernels.extend(files.into_iter().filter_map(|path| kernel(path, false)));
        }
        kernels
    }

    fn hostname(&self) -> Option<String> {
        let name = text(Path::new("/proc/sys/kernel/hostname"))?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

/// The kernel of this machine.
fn running_kernel() -> Option<Kernel> {
    let release = text(Path::new("/proc/sys/kernel/osrelease"))?.trim().to_owned();
    let build_id = open(Path::new("/sys/kernel/notes")).and_then(|notes| build_id_note(&notes));
    let symbols = Arc::new(|| open(Path::new("/proc/kallsyms")));
    Some(Kernel { release: Some(release), build_id, is_of_capture: false, symbols })
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

    #[test]
    fn a_perf_map_is_found_beside_the_capture_also_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("run1.perf-77.map"), "10 5 f\n").unwrap();
        let modules = LocalModules::for_capture(&folder.path().join("run1.perf.data"), &[]);
        assert_eq!(modules.perf_map(77, false).unwrap().to_vec(), b"10 5 f\n");
        assert!(modules.perf_map(7, false).is_none());
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
