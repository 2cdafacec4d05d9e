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
mod nesting;
mod plt;
mod qualified;
mod rebuild;
mod saved;
mod table;

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use self::answer::{Answer, LastName, Moved};
use self::jitdump::Dump;
use self::missing::Missing;
use self::module::Wanted;
use self::saved::Saved;
use self::table::Table;
pub use crate::base::binaries::Bytes;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{FileId, Frame, FrameId, Mapping, Numbering, Profile, StringId, base_name, kind};

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

    /// The file of names that samply saved beside the capture.
    fn saved_symbols(&self) -> Option<Bytes> {
        None
    }

    /// Kernels whose symbols are here, best first: those that came with the capture, those with the build id, and the running one.
    fn kernels(&self, release: Option<&str>, build_id: Option<&str>) -> Vec<Kernel>;

    /// True where what lies at the path `file` of this machine is surely another file than the recorded one: it came in its place.
    fn is_replaced(&self, file: &str, recorded: FileId) -> bool {
        let _ = (file, recorded);
        false
    }

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
    profile.frames.iter().any(|frame| is_unnamed(&frame))
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
    /// Code in a file that lay in memory alone (`memfd_create`): a library, or what a run-time compiler wrote.
    MemoryFile(i32, &'a str),
    /// A file by path and build id, and what its addresses count.
    File(&'a str, Option<&'a str>, Numbering),
    /// The kernel's pages in every process, which lie in no file: name and build id.
    KernelPage(&'a str, Option<&'a str>),
    /// No module is known at the address.
    Nowhere,
}

/// How the kernel begins the paths of files of `memfd_create(2)`.
const MEMORY_FILE: &str = "/memfd:";

fn owner<'a>(profile: &'a Profile, mapping: &Mapping) -> Owner<'a> {
    let text = |id| profile.strings.get(id);
    let file = mapping.file.map_or("", text);
    // What has a build id is a program or library, which may lie in a file elsewhere: some programs run from a copy of themselves.
    let is_program = file.starts_with(MEMORY_FILE) && mapping.build_id.is_some();
    let is_memory = !is_program
        && ["//anon", "/anon_hugepage", MEMORY_FILE, "/dev/zero", "[heap]", "[stack", "/SYSV"].iter().any(|start| file.starts_with(start));
    match (file, mapping.pid) {
        ("" | "[hypervisor]" | "[guest.kernel.kallsyms]", _) => Owner::Nowhere,
        ("[vdso]" | "[vsyscall]", _) => Owner::KernelPage(file, mapping.build_id.map(text)),
        (_, Some(pid)) if is_memory && file.starts_with(MEMORY_FILE) => Owner::MemoryFile(pid, file),
        (_, Some(pid)) if is_memory || is_jit_dump(file) => Owner::Compiled(pid),
        (_, None) if is_memory => Owner::Nowhere,
        (_, None) if file.starts_with('[') || is_kernel_module(file) => Owner::Kernel,
        _ => Owner::File(file, mapping.build_id.map(text), mapping.numbering()),
    }
}

/// True for a file of a kernel module (`NAME.ko`, `NAME.ko.xz` and the like).
fn is_kernel_module(file: &str) -> bool {
    let mut ends = base_name(file).rsplit('.');
    ends.next() == Some("ko") || ends.next() == Some("ko")
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

/// Who has the names of which mapping's addresses: found once for each mapping, and not for each frame.
struct Owners<'a> {
    /// In the order of their names, which decides the order of the list: `Nowhere` is always among them.
    all: Vec<Owner<'a>>,
    /// Row of `all`, by mapping.
    of_mapping: Vec<u32>,
    nowhere: u32,
}

impl<'a> Owners<'a> {
    fn new(profile: &'a Profile) -> Self {
        let of_mapping: Vec<Owner<'a>> = profile.mappings.iter().map(|mapping| owner(profile, mapping)).collect();
        let mut all = of_mapping.clone();
        all.push(Owner::Nowhere);
        all.sort_unstable();
        all.dedup();
        let row = |owner: &Owner<'_>| all.binary_search(owner).unwrap_or(0) as u32;
        Self { of_mapping: of_mapping.iter().map(row).collect(), nowhere: row(&Owner::Nowhere), all }
    }

    /// The row of the owner of a frame's address.
    fn of(&self, frame: &Frame) -> usize {
        frame.mapping.and_then(|mapping| self.of_mapping.get(mapping.row()).copied()).unwrap_or(self.nowhere) as usize
    }
}

/// The unnamed addresses of one owner.
#[derive(Default)]
struct Rows {
    /// Where to look, for each frame.
    rows: Vec<(u64, FrameId)>,
    /// Offsets in the file at which its mappings start, each once.
    offsets: Vec<u64>,
}

impl Rows {
    /// Of all unnamed frames, by row of the owners.
    fn of(profile: &Profile, owners: &Owners<'_>, ticket: &Ticket) -> Result<Vec<Self>, Cancelled> {
        let mut wanted: Vec<Self> = std::iter::repeat_with(Self::default).take(owners.all.len()).collect();
        let mut is_used = vec![false; profile.mappings.len()];
        for (n, (id, frame)) in profile.frames.iter_ids().enumerate() {
            if n % FRAMES_PER_CHECK == 0 {
                ticket.check()?;
            }
            if !is_unnamed(&frame) {
                continue;
            }
            let of = owners.of(&frame);
            let mapping = frame.mapping.and_then(|mapping| profile.mappings.get(mapping));
            if let (Some(rows), Some(owner)) = (wanted.get_mut(of), owners.all.get(of)) {
                rows.rows.push((looked_up(&frame, *owner, mapping), id));
            }
            if let Some(is_used) = frame.mapping.and_then(|mapping| is_used.get_mut(mapping.row())) {
                *is_used = true;
            }
        }
        for ((mapping, of), _) in profile.mappings.iter().zip(&owners.of_mapping).zip(is_used).filter(|(_, is_used)| *is_used) {
            if let Some(rows) = wanted.get_mut(*of as usize) {
                rows.offsets.push(mapping.offset);
            }
        }
        for rows in &mut wanted {
            rows.offsets.sort_unstable();
            rows.offsets.dedup();
        }
        Ok(wanted)
    }
}

/// What was found for one owner.
struct Found {
    /// Row of the owner.
    of: usize,
    /// Number of different addresses.
    addresses: usize,
    /// Row of the answer for each frame.
    frames: Vec<(FrameId, u32)>,
    answer: Answer,
    /// Why the rest has no name.
    why: Missing,
}

/// Frames between two looks at the ticket.
const FRAMES_PER_CHECK: usize = 1 << 14;

/// The same profile with names for the addresses that have none, as far as `source` knows them.
///
/// What stays without a name is listed in the profile's [`Info::unnamed`](crate::model::Info::unnamed), with the reasons, and counted
/// in one note.
pub fn symbolize(profile: &Profile, source: &dyn ModuleSource, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let owners = Owners::new(profile);
    let wanted = Rows::of(profile, &owners, ticket)?;
    ticket.stage("naming addresses", wanted.iter().map(|rows| rows.rows.len() as u64).sum())?;
    let trust = Trust::new(profile, source);
    let saved = saved_symbols(&owners, source, ticket)?;
    let wanted: Vec<(usize, Rows)> = wanted.into_iter().enumerate().filter(|(_, rows)| !rows.rows.is_empty()).collect();
    let found: Result<Vec<Found>, Cancelled> = wanted
        .into_par_iter()
        .map(|(of, mut rows)| {
            let owner = owners.all.get(of).copied().unwrap_or(Owner::Nowhere);
            rows.rows.par_sort_unstable();
            let mut addresses: Vec<u64> = Vec::with_capacity(rows.rows.len());
            let mut frames = Vec::with_capacity(rows.rows.len());
            for (address, id) in std::mem::take(&mut rows.rows) {
                if addresses.last() != Some(&address) {
                    addresses.push(address);
                }
                frames.push((id, addresses.len() as u32 - 1));
            }
            let (answer, why) = look_up(profile, source, owner, &trust, &rows.offsets, &addresses, ticket)?;
            let answer = with_saved(answer, saved.as_ref().and_then(|saved| saved.as_ref().ok()), owner, &addresses, ticket)?;
            ticket.advance(frames.len() as u64)?;
            Ok(Found { of, addresses: addresses.len(), frames, answer, why })
        })
        .collect();
    let mut places: Vec<rebuild::At> = vec![None; profile.frames.len()];
    let mut answers = Vec::new();
    let mut replaced = 0;
    let mut lacking = Vec::new();
    for Found { of, addresses, frames, answer, why } in found? {
        ticket.check()?;
        for (id, row) in frames {
            if let Some(place) = places.get_mut(id.row()).filter(|_| !answer.levels(row as usize).is_empty()) {
                *place = Some((answers.len() as u32, row));
            }
        }
        let missing = addresses.saturating_sub(answer.len()) + answer.unknown();
        if missing > 0 {
            lacking.push(missing::Lacking { of, addresses: missing as u64, why });
        }
        replaced += answer.replaced;
        answers.push(answer);
    }
    ticket.check()?;
    let still = |frame: FrameId| places.get(frame.row()).copied().flatten().is_none();
    let (unnamed, named) = rayon::join(
        || missing::list(profile, &owners, lacking, still, ticket),
        || rebuild::with_levels(profile, &answers, &places, ticket),
    );
    let (unnamed, mut named) = (unnamed?, named?);
    // Of an earlier look, which found less.
    missing::forget(&mut named.notes);
    missing::note(&mut named.notes, &unnamed);
    if replaced > 0 {
        let text = "addresses of code compiled at run time at which other code lay before: they have the name of what came last";
        named.notes.add(kind::GUESSED, text, replaced, None);
    }
    if let Some(Err(why)) = saved {
        named.notes.add(kind::NO_SYMBOLS, &format!("the symbols that samply saved cannot be read: {why}"), 1, None);
    }
    named.info.unnamed = unnamed;
    Ok(named)
}

/// What samply saved, where the capture is one of those that it saves something for: their addresses count from where modules were loaded.
fn saved_symbols(owners: &Owners<'_>, source: &dyn ModuleSource, ticket: &Ticket) -> Result<Option<Result<Saved, String>>, Cancelled> {
    if !owners.all.iter().any(|owner| matches!(owner, Owner::File(.., Numbering::FromBase))) {
        return Ok(None);
    }
    source.saved_symbols().map(|bytes| Saved::parse(&bytes, ticket)).transpose()
}

/// The answer with names that samply saved for what has none: programs themselves know lines and inlined functions, too.
fn with_saved(found: Answer, saved: Option<&Saved>, owner: Owner<'_>, addresses: &[u64], ticket: &Ticket) -> Result<Answer, Cancelled> {
    let Some(saved) = saved else { return Ok(found) };
    let Owner::File(file, build_id, Numbering::FromBase) = owner else { return Ok(found) };
    let is_whole = found.len() == addresses.len() && found.unknown() == 0;
    let Some(library) = saved.library(file, build_id).filter(|_| !is_whole) else { return Ok(found) };
    let (mut answer, mut moved) = (Answer::default(), Moved::default());
    answer.replaced = found.replaced;
    for (row, &address) in addresses.iter().enumerate() {
        if row.is_multiple_of(FRAMES_PER_CHECK) {
            ticket.check()?;
        }
        if !found.levels(row).is_empty() {
            answer.copy(&found, row, &mut moved);
            continue;
        }
        if let Some(name) = saved.name(library, address) {
            answer.name_outermost(name);
        }
        answer.close();
    }
    Ok(answer)
}

/// What may be believed of files that nothing but their paths names.
struct Trust<'a> {
    /// True where the capture says that it was taken on this machine, or says nothing of any machine (pprof).
    is_local: bool,
    /// Paths where other files lie now than when the capture was taken.
    replaced: FxHashSet<&'a str>,
}

impl<'a> Trust<'a> {
    fn new(profile: &'a Profile, source: &dyn ModuleSource) -> Self {
        let recorded = profile.info.fact("hostname");
        let is_local = recorded.is_none() || recorded.map(str::to_owned) == source.hostname();
        // With a build id there is nothing to believe.
        let by_path = profile.mappings.iter().filter(|mapping| is_local && mapping.build_id.is_none());
        let files: FxHashSet<(StringId, FileId)> = by_path.filter_map(|mapping| Some((mapping.file?, mapping.file_id?))).collect();
        let files = files.into_iter().map(|(file, recorded)| (profile.strings.get(file), recorded));
        Self { is_local, replaced: files.filter(|(file, recorded)| source.is_replaced(file, *recorded)).map(|(file, _)| file).collect() }
    }
}

/// What stands at each of the sorted addresses, and why nothing is known of the rest.
fn look_up(
    profile: &Profile,
    source: &dyn ModuleSource,
    owner: Owner<'_>,
    trust: &Trust<'_>,
    offsets: &[u64],
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<(Answer, Missing), Cancelled> {
    let is_local = trust.is_local;
    let found = match owner {
        Owner::Nowhere => Err(Missing::NoModule),
        Owner::Kernel => kernel::look_up(profile, source, addresses, ticket)?,
        Owner::Compiled(pid) | Owner::MemoryFile(pid, _) => compiled(profile, source, pid, is_local, addresses, ticket)?,
        Owner::KernelPage(name, build_id) => Ok(kernel_page(source, name, build_id, addresses, ticket)?),
        Owner::File(file, build_id, numbering) => {
            let offset = offsets.first().copied().filter(|_| offsets.len() == 1);
            return module::look_up(
                source,
                &Wanted { file, build_id, is_local, is_replaced: trust.replaced.contains(file), offset, numbering },
                addresses,
                ticket,
            );
        }
    };
    Ok(match found {
        Ok(answer) => (answer, Missing::NotCovered),
        Err(why) => (Answer::default(), why),
    })
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
    let mut replaced = 0;
    let mut answer = Answer::of(addresses, ticket, |address, answer| {
        if let Some(dump) = dumps.iter().find(|dump| dump.levels(address, answer)) {
            replaced += u64::from(dump.is_replaced(address));
        } else if let Some(symbol) = table.find(address) {
            answer.name_outermost(&symbol.name.get());
            replaced += u64::from(table.is_replaced(address));
        }
    })?;
    answer.replaced = replaced;
    Ok(Ok(answer))
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
        Some(_) => {
            let numbering = Numbering::Memory;
            let wanted = Wanted { file: name, build_id, is_local: false, is_replaced: false, offset: None, numbering };
            module::look_up(source, &wanted, addresses, ticket)?.0
        }
        None => Answer::default(),
    };
    let (mut answer, mut moved) = (Answer::default(), Moved::default());
    for row in 0..addresses.len() {
        if found.levels(row).is_empty() {
            answer.name_outermost(name);
            answer.close();
        } else {
            answer.copy(&found, row, &mut moved);
        }
    }
    Ok(answer)
}

/// The names of a plain table.
fn table_answer(table: &Table<'_>, addresses: &[u64], ticket: &Ticket) -> Result<Answer, Cancelled> {
    let mut last = LastName::default();
    Answer::of(addresses, ticket, |address, answer| {
        if let Some(symbol) = table.find(address) {
            answer.name_by_symbol(symbol, &mut last);
        }
    })
}

#[cfg(test)]
mod tests;
