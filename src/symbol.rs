//! Names for addresses: (module, address) to function, file, line and inlined frames.
//!
//! A module is looked up only in a binary with the same build id; the kernel only in the symbols of the machine that recorded. The
//! result is the same profile with names: no sample, value or time changes. Deliberately absent: where binaries lie (a
//! [`ModuleSource`] gives their bytes, so tests need no file system), network, unwinding. Start reading at [`symbolize`].

mod elf;
mod names;
mod rebuild;
mod table;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use self::table::Table;
pub use crate::base::binaries::Bytes;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Frame, FrameId, Mapping, Notes, Profile, kind};

/// Where symbols come from.
pub trait ModuleSource: Sync {
    /// Files that may be the module `file`, or hold its debug information, best first. With a build id also files that are found by
    /// it alone. Nothing is trusted before its build id is compared.
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes>;

    /// Text of the perf map file (`perf-PID.map`) that a process with compiled-at-run-time code left. `is_local` says that the capture
    /// was taken on this machine; elsewhere only files beside the capture may be used.
    fn perf_map(&self, pid: i32, is_local: bool) -> Option<String>;

    /// The kernel of this machine.
    fn kernel(&self) -> Option<Kernel>;

    /// Name of this machine.
    fn hostname(&self) -> Option<String>;
}

/// The running kernel of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Release, as `uname -r` prints it.
    pub release: String,
    /// Build id in lower-case hex.
    pub build_id: Option<String>,
    /// Text of `/proc/kallsyms`.
    pub symbols: String,
}

/// True where at least one frame has an address and no function.
pub fn has_unnamed(profile: &Profile) -> bool {
    profile.frames.iter().any(is_unnamed)
}

const fn is_unnamed(frame: &Frame) -> bool {
    frame.function.is_none() && frame.address.is_some()
}

/// One level of what stands at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Level {
    /// The name in the binary.
    name: String,
    file: Option<String>,
    line: u32,
    column: u32,
}

/// What stands at an address, innermost inlined function first; empty = nothing is known.
type Levels = Vec<Level>;

/// Who has the names of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Owner<'a> {
    Kernel,
    /// Code that a process compiled at run time.
    PerfMap(i32),
    /// A file by path and build id.
    File(&'a str, Option<&'a str>),
    /// The kernel's page in every process, which lies in no file.
    Vdso,
    /// No module is known at the address.
    Nowhere,
}

impl Owner<'_> {
    fn name(&self) -> String {
        match self {
            Self::Kernel => "the kernel".to_owned(),
            Self::PerfMap(pid) => format!("code compiled at run time in process {pid}"),
            Self::File(file, _) => (*file).to_owned(),
            Self::Vdso => "[vdso]".to_owned(),
            Self::Nowhere => "no known module".to_owned(),
        }
    }
}

fn owner<'a>(profile: &'a Profile, frame: &Frame) -> Owner<'a> {
    let Some(mapping) = frame.mapping.and_then(|mapping| profile.mappings.get(mapping)) else { return Owner::Nowhere };
    let text = |id| profile.strings.get(id);
    let file = mapping.file.map_or("", text);
    let is_memory =
        ["//anon", "/anon_hugepage", "/memfd:", "/dev/zero", "[heap]", "[stack", "/SYSV"].iter().any(|start| file.starts_with(start));
    match (file, mapping.pid) {
        ("" | "[hypervisor]" | "[guest.kernel.kallsyms]", _) => Owner::Nowhere,
        ("[vdso]" | "[vsyscall]", _) => Owner::Vdso,
        (_, Some(pid)) if is_memory => Owner::PerfMap(pid),
        (_, None) if is_memory => Owner::Nowhere,
        (_, None) if file.starts_with('[') || file.contains(".ko") => Owner::Kernel,
        _ => Owner::File(file, mapping.build_id.map(text)),
    }
}

/// Where an address is looked up: return addresses at the call before them.
fn looked_up(frame: &Frame, owner: Owner<'_>, mapping: Option<&Mapping>) -> u64 {
    let address = frame.address.unwrap_or(0);
    let address = if frame.caller { address.saturating_sub(1) } else { address };
    match (owner, mapping) {
        (Owner::File(..), Some(mapping)) => mapping.file_address(address),
        _ => address,
    }
}

/// The same profile with names for the addresses that have none, as far as `source` knows them.
///
/// Modules without symbols, or with a file that is not the one of the capture, become notes with the number of their addresses.
pub fn symbolize(profile: &Profile, source: &dyn ModuleSource, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let mut wanted = FxHashMap::<Owner<'_>, Vec<(u64, FrameId)>>::default();
    for (id, frame) in profile.frames.iter_ids().filter(|(_, frame)| is_unnamed(frame)) {
        let owner = owner(profile, frame);
        let mapping = frame.mapping.and_then(|mapping| profile.mappings.get(mapping));
        wanted.entry(owner).or_default().push((looked_up(frame, owner, mapping), id));
    }
    // The order of the modules decides the order of notes: by name, not by hash.
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.sort_unstable_by_key(|(owner, _)| *owner);
    ticket.stage("naming addresses", wanted.iter().map(|(_, rows)| rows.len() as u64).sum())?;
    let is_local = is_local(profile, source);
    let named: Result<Vec<_>, Cancelled> = wanted
        .par_iter()
        .map(|(owner, rows)| {
            let mut addresses: Vec<u64> = rows.iter().map(|(address, _)| *address).collect();
            addresses.sort_unstable();
            addresses.dedup();
            let found = look_up(profile, source, *owner, is_local, &addresses, ticket)?;
            ticket.advance(rows.len() as u64)?;
            Ok((addresses, found))
        })
        .collect();
    let mut levels = vec![Levels::new(); profile.frames.len()];
    let mut notes = Notes::default();
    for ((owner, rows), (addresses, found)) in wanted.iter().zip(named?) {
        let missing = match found {
            Ok(found) => {
                for (address, id) in rows {
                    let at = addresses.binary_search(address).ok().and_then(|at| found.get(at));
                    if let (Some(at), Some(place)) = (at, levels.get_mut(id.row())) {
                        place.clone_from(at);
                    }
                }
                let missing = found.iter().filter(|levels| levels.is_empty()).count();
                (missing, "its symbols do not cover them".to_owned())
            }
            Err(reason) => (addresses.len(), reason),
        };
        if let (count @ 1.., reason) = missing {
            notes.add(kind::NO_SYMBOLS, &format!("addresses without a name in {}: {reason}", owner.name()), count as u64, None);
        }
    }
    ticket.check()?;
    let mut named = rebuild::with_levels(profile, &levels);
    named.notes.absorb(&notes);
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
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Vec<Levels>, String>, Cancelled> {
    let by_table = |table: &Table| addresses.iter().map(|address| table.levels(*address)).collect();
    Ok(match owner {
        Owner::Nowhere => Err("the capture names no module there".to_owned()),
        Owner::Vdso => Err("it lies in no file".to_owned()),
        Owner::Kernel => kernel_table(profile, source).map(|table| by_table(&table)),
        Owner::PerfMap(pid) => match source.perf_map(pid, is_local) {
            Some(text) => Ok(by_table(&Table::of_perf_map(&text))),
            None => Err(format!("there is no perf-{pid}.map beside the capture")),
        },
        Owner::File(file, build_id) => {
            let candidates = source.candidates(file, build_id);
            elf::look_up(&candidates, build_id, is_local, |own| source.candidates(file, Some(own)), addresses, ticket)?
        }
    })
}

/// The kernel's symbols, where they are those of the kernel that ran.
fn kernel_table(profile: &Profile, source: &dyn ModuleSource) -> Result<Table, String> {
    let Some(kernel) = source.kernel() else { return Err("this machine shows no kernel symbols".to_owned()) };
    match profile.info.fact("osrelease") {
        Some(release) if release == kernel.release => {}
        Some(release) => return Err(format!("recorded under kernel {release}, this machine runs {}", kernel.release)),
        None => return Err("the capture does not say which kernel ran".to_owned()),
    }
    let mapping = profile.mappings.iter().find(|mapping| mapping.file.is_some_and(|file| profile.strings.get(file) == "[kernel.kallsyms]"));
    let recorded = mapping.and_then(|mapping| mapping.build_id).map(|id| profile.strings.get(id));
    if let (Some(recorded), Some(own)) = (recorded, &kernel.build_id)
        && recorded != own
    {
        return Err("this machine runs another build of the kernel".to_owned());
    }
    let table = Table::of_kallsyms(&kernel.symbols).ok_or("this machine hides its kernel symbols (kptr_restrict)")?;
    // perf records the address of `_text`: the kernel lies elsewhere after every start.
    let text = mapping.map(|mapping| mapping.offset).filter(|&offset| offset > 0);
    if let (Some(text), Some(own)) = (text, table.start_of("_text"))
        && text != own
    {
        return Err("the kernel was loaded at another address: the machine was started again since".to_owned());
    }
    Ok(table)
}

/// Build ids of all modules that have unnamed addresses, for a list of what to fetch.
pub fn unnamed_modules(profile: &Profile) -> Vec<(String, Option<String>)> {
    let mut modules: Vec<_> = profile
        .frames
        .iter()
        .filter(|frame| is_unnamed(frame))
        .filter_map(|frame| match owner(profile, frame) {
            Owner::File(file, build_id) => Some((file.to_owned(), build_id.map(str::to_owned))),
            _ => None,
        })
        .collect::<FxHashSet<_>>()
        .into_iter()
        .collect();
    modules.sort_unstable();
    modules
}

#[cfg(test)]
mod tests;
