//! Names for addresses: (module, address) to function, file, line and inlined frames.
//!
//! A module is looked up only in a binary with the same build id; the kernel only in the symbols of the machine that recorded. The
//! result is the same profile with names: no sample, value or time changes. Deliberately absent: where binaries lie (a
//! [`ModuleSource`] gives their bytes, so tests need no file system), network, unwinding. Start reading at [`symbolize`].

mod answer;
mod cache;
mod dwarf;
mod elf;
mod go;
mod jitdump;
mod kernel;
mod missing;
mod module;
mod rebuild;
mod table;

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use self::answer::Answer;
use self::jitdump::Dump;
use self::missing::Missing;
use self::module::Wanted;
use self::table::Table;
pub use crate::base::binaries::Bytes;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Frame, FrameId, Mapping, Profile, base_name};

/// Bytes that are read only when they are needed; `None` where they cannot be read.
pub type Lazy = Arc<dyn Fn() -> Option<Bytes> + Send + Sync>;

/// A part of a program that is kept by its build id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The program or library itself.
    Executable,
    /// Its debug information.
    DebugInfo,
}

/// What came of asking for a part of a program from afar.
pub enum Fetched {
    /// Nobody wants to ask.
    Off,
    /// Bytes that somebody gave for it.
    Bytes(Bytes),
    /// Why there are none.
    Failed(String),
}

/// Where symbols come from.
pub trait ModuleSource: Sync {
    /// Files that may be the module `file`, or hold its debug information, best first. With a build id also files that are found by
    /// it alone. Nothing is trusted before its build id is compared.
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes>;

    /// Files that may be the separate debug file that the module `file` names as `link` (a file name or a path). Nothing is trusted
    /// before its build id or checksum is compared.
    fn debug_files(&self, file: &str, link: &str) -> Vec<Bytes> {
        let _ = (file, link);
        Vec::new()
    }

    /// Asks others for a part of the program with a build id, where the user wants that. Nothing is trusted before its build id is
    /// compared; then it is given to [`keep_fetched`](Self::keep_fetched).
    fn fetch(&self, build_id: &str, part: Part, ticket: &Ticket) -> Result<Fetched, Cancelled> {
        let _ = (build_id, part, ticket);
        Ok(Fetched::Off)
    }

    /// Keeps what was fetched, for later runs.
    fn keep_fetched(&self, build_id: &str, part: Part, bytes: &[u8]) {
        let _ = (build_id, part, bytes);
    }

    /// Text of the perf map file (`perf-PID.map`) that a process with compiled-at-run-time code left. `is_local` says that the capture
    /// was taken on this machine; elsewhere only files beside the capture may be used.
    fn perf_map(&self, pid: i32, is_local: bool) -> Option<Bytes>;

    /// Dumps that the run-time compiler of a process may have left (`jit-PID.dump`), best first; `marker` is the path by which the
    /// process mapped it. `is_local` as for [`perf_map`](Self::perf_map).
    fn jit_dumps(&self, pid: i32, marker: Option<&str>, is_local: bool) -> Vec<Bytes> {
        let _ = (pid, marker, is_local);
        Vec::new()
    }

    /// Kernels whose symbols are here, best first: those that came with the capture, those with the build id, and the running one.
    fn kernels(&self, release: Option<&str>, build_id: Option<&str>) -> Vec<Kernel>;

    /// Name of this machine.
    fn hostname(&self) -> Option<String>;

    /// A text that changes with every file that [`candidates`](Self::candidates) and, by each of `links`,
    /// [`debug_files`](Self::debug_files) give for a module. `None` = answers are not kept.
    fn stamp(&self, file: &str, build_id: Option<&str>, links: &[String]) -> Option<String> {
        let _ = (file, build_id, links);
        None
    }

    /// What an earlier run kept under a key (letters, digits, `-`).
    fn recall(&self, key: &str) -> Option<Bytes> {
        let _ = key;
        None
    }

    /// Keeps bytes for later runs. Losing them costs time and nothing else, so it cannot fail.
    fn keep(&self, key: &str, bytes: &[u8]) {
        let _ = (key, bytes);
    }
}

/// The symbols of a kernel.
#[derive(Clone)]
pub struct Kernel {
    /// Release, as `uname -r` prints it, where known.
    pub release: Option<String>,
    /// Build id in lower-case hex, where known.
    pub build_id: Option<String>,
    /// True for symbols that were saved together with the capture: they need no other proof.
    pub is_of_capture: bool,
    /// A text that changes with the symbols: the start of the machine, or the file's size and time. `None` = answers are not kept.
    pub stamp: Option<String>,
    /// Text as in `/proc/kallsyms`, or a kernel's ELF file.
    pub symbols: Lazy,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").field("release", &self.release).field("build_id", &self.build_id).finish_non_exhaustive()
    }
}

/// True where at least one frame has an address and no function.
pub fn has_unnamed(profile: &Profile) -> bool {
    profile.frames.iter().any(is_unnamed)
}

const fn is_unnamed(frame: &Frame) -> bool {
    frame.function.is_none() && frame.address.is_some()
}

/// Who has the names of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Owner<'a> {
    Kernel,
    /// Code that a process compiled at run time.
    Compiled(i32),
    /// A file by path and build id.
    File(&'a str, Option<&'a str>),
    /// The kernel's pages in every process, which lie in no file: name and build id.
    KernelPage(&'a str, Option<&'a str>),
    /// No module is known at the address.
    Nowhere,
}

fn owner<'a>(profile: &'a Profile, frame: &Frame) -> Owner<'a> {
    let Some(mapping) = frame.mapping.and_then(|mapping| profile.mappings.get(mapping)) else { return Owner::Nowhere };
    let text = |id| profile.strings.get(id);
    let file = mapping.file.map_or("", text);
    let is_memory =
        ["//anon", "/anon_hugepage", "/memfd:", "/dev/zero", "[heap]", "[stack", "/SYSV"].iter().any(|start| file.starts_with(start));
    match (file, mapping.pid) {
        ("" | "[hypervisor]" | "[guest.kernel.kallsyms]", _) => Owner::Nowhere,
        ("[vdso]" | "[vsyscall]", _) => Owner::KernelPage(file, mapping.build_id.map(text)),
        (_, Some(pid)) if is_memory || is_jit_dump(file) => Owner::Compiled(pid),
        (_, None) if is_memory => Owner::Nowhere,
        (_, None) if file.starts_with('[') || file.contains(".ko") => Owner::Kernel,
        _ => Owner::File(file, mapping.build_id.map(text)),
    }
}

/// True for the page that a run-time compiler maps so that its dump is found.
fn is_jit_dump(file: &str) -> bool {
    let name = base_name(file);
    name.strip_prefix("jit-").and_then(|rest| rest.strip_suffix(".dump")).is_some()
}

/// Where an address is looked up: return addresses at the call before them.
fn looked_up(frame: &Frame, owner: Owner<'_>, mapping: Option<&Mapping>) -> u64 {
    let address = frame.address.unwrap_or(0);
    let address = if frame.caller { address.saturating_sub(1) } else { address };
    match (owner, mapping) {
        (Owner::File(..) | Owner::KernelPage(..), Some(mapping)) => mapping.file_address(address),
        _ => address,
    }
}

/// The unnamed addresses of one owner.
#[derive(Default)]
struct Rows {
    /// Where to look, for each frame.
    rows: Vec<(u64, FrameId)>,
    /// Offsets in the file at which its mappings start.
    offsets: FxHashSet<u64>,
}

/// The same profile with names for the addresses that have none, as far as `source` knows them.
///
/// What stays without a name is listed in the profile's [`Info::unnamed`](crate::model::Info::unnamed), with the reasons, and counted
/// in one note.
pub fn symbolize(profile: &Profile, source: &dyn ModuleSource, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let mut wanted = FxHashMap::<Owner<'_>, Rows>::default();
    for (id, frame) in profile.frames.iter_ids().filter(|(_, frame)| is_unnamed(frame)) {
        let owner = owner(profile, frame);
        let mapping = frame.mapping.and_then(|mapping| profile.mappings.get(mapping));
        let rows = wanted.entry(owner).or_default();
        rows.rows.push((looked_up(frame, owner, mapping), id));
        rows.offsets.extend(mapping.map(|mapping| mapping.offset));
    }
    // The order of the modules decides the order of the list: by name, not by hash.
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.sort_unstable_by_key(|(owner, _)| *owner);
    ticket.stage("naming addresses", wanted.iter().map(|(_, rows)| rows.rows.len() as u64).sum())?;
    let is_local = is_local(profile, source);
    let named: Result<Vec<_>, Cancelled> = wanted
        .par_iter()
        .map(|(owner, rows)| {
            let mut addresses: Vec<u64> = rows.rows.iter().map(|(address, _)| *address).collect();
            addresses.sort_unstable();
            addresses.dedup();
            let found = look_up(profile, source, *owner, is_local, rows, &addresses, ticket)?;
            ticket.advance(rows.rows.len() as u64)?;
            Ok((addresses, found))
        })
        .collect();
    let mut places: Vec<rebuild::At> = vec![None; profile.frames.len()];
    let mut answers = Vec::with_capacity(wanted.len());
    let mut lacking = Vec::new();
    for (at, ((owner, rows), (addresses, found))) in wanted.iter().zip(named?).enumerate() {
        let (answer, why) = match found {
            Ok(answer) => (answer, Missing::NotCovered),
            Err(why) => (Answer::default(), why),
        };
        for (address, id) in &rows.rows {
            let row = addresses.binary_search(address).ok();
            if let (Some(row), Some(place)) = (row, places.get_mut(id.row())) {
                *place = Some((at as u32, row as u32)).filter(|_| !answer.levels(row).is_empty());
            }
        }
        let missing = addresses.len().saturating_sub(answer.len()) + answer.unknown();
        if missing > 0 {
            lacking.push(missing::Lacking { owner: *owner, addresses: missing as u64, why });
        }
        answers.push(answer);
    }
    ticket.check()?;
    let unnamed = missing::list(profile, lacking, |frame| places.get(frame.row()).copied().flatten().is_none());
    let mut named = rebuild::with_levels(profile, &answers, &places);
    // Of an earlier look, which found less.
    missing::forget(&mut named.notes);
    missing::note(&mut named.notes, &unnamed);
    named.info.unnamed = unnamed;
    Ok(named)
}

/// True where the capture says that it was taken on this machine, or says nothing of any machine (pprof).
fn is_local(profile: &Profile, source: &dyn ModuleSource) -> bool {
    let recorded = profile.info.fact("hostname");
    recorded.is_none() || recorded.map(str::to_owned) == source.hostname()
}

/// What stands at each of the sorted addresses, or why nothing is known.
fn look_up(
    profile: &Profile,
    source: &dyn ModuleSource,
    owner: Owner<'_>,
    is_local: bool,
    rows: &Rows,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Missing>, Cancelled> {
    match owner {
        Owner::Nowhere => Ok(Err(Missing::NoModule)),
        Owner::Kernel => kernel::look_up(profile, source, addresses, ticket),
        Owner::Compiled(pid) => compiled(profile, source, pid, is_local, addresses, ticket),
        Owner::KernelPage(name, build_id) => kernel_page(source, name, build_id, addresses, ticket).map(Ok),
        Owner::File(file, build_id) => {
            let mut offsets = rows.offsets.iter();
            let offset = offsets.next().copied().filter(|_| offsets.next().is_none());
            module::look_up(source, &Wanted { file, build_id, is_local, offset }, addresses, ticket)
        }
    }
}

/// Code compiled at run time: by the compiler's dump, else by the process's list of names.
fn compiled(
    profile: &Profile,
    source: &dyn ModuleSource,
    pid: i32,
    is_local: bool,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Missing>, Cancelled> {
    let marker = profile.mappings.iter().filter(|mapping| mapping.pid == Some(pid)).filter_map(|mapping| mapping.file);
    let marker = marker.map(|file| profile.strings.get(file)).find(|file| is_jit_dump(file));
    let files = source.jit_dumps(pid, marker, is_local);
    let mut dumps = Vec::new();
    for file in &files {
        // In a container a process has another number inside, which the name of its dump has too.
        let is_of = |dump: &Dump<'_>| dump.has_code() && (marker.is_some() || i64::from(dump.pid()) == i64::from(pid));
        dumps.extend(Dump::new(file, ticket)?.filter(is_of));
    }
    let map = source.perf_map(pid, is_local);
    if map.is_none() && dumps.is_empty() {
        return Ok(Err(Missing::NoMap(pid)));
    }
    let text = map.as_ref().map(|map| String::from_utf8_lossy(map)).unwrap_or_default();
    let table = Table::of_perf_map(&text);
    Answer::of(addresses, ticket, |address, answer| {
        if dumps.iter().any(|dump| dump.levels(address, answer)) {
            return;
        }
        if let Some(symbol) = table.find(address) {
            answer.name_outermost(symbol.name.get());
        }
    })
    .map(Ok)
}

/// The pages that the kernel puts into every process: named by this machine's own where that is the same, else as a whole.
fn kernel_page(
    source: &dyn ModuleSource,
    name: &str,
    build_id: Option<&str>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Answer, Cancelled> {
    let found = match build_id {
        Some(_) => module::look_up(source, &Wanted { file: name, build_id, is_local: false, offset: None }, addresses, ticket)?.ok(),
        None => None,
    };
    let mut answer = Answer::default();
    for row in 0..addresses.len() {
        if let Some(found) = found.as_ref().filter(|found| !found.levels(row).is_empty()) {
            answer.copy(found, row);
        } else {
            answer.name_outermost(name);
            answer.close();
        }
    }
    Ok(answer)
}

/// The names of a plain table.
fn table_answer(table: &Table<'_>, addresses: &[u64], ticket: &Ticket) -> Result<Answer, Cancelled> {
    Answer::of(addresses, ticket, |address, answer| {
        if let Some(symbol) = table.find(address) {
            answer.name_outermost(symbol.name.get());
        }
    })
}

#[cfg(test)]
mod tests;
