//! Who ran and what was loaded, over time: threads with their names, address spaces with their modules.
//!
//! Records come in time order. An address space is a list of modules that only grows (perf never records an unmap), so "what was
//! there at that moment" is a number: how long the list was. Newer modules hide older ones. Deliberately absent: symbols.
//! Start reading at [`Tasks`], then [`Space::find`].

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::features::hex;
use super::ids::{MapId, SpaceId};
use super::namespaces::Namespaces;
use super::records::{Comm, Fork, KernelSymbol, Mmap, Mode};
use crate::base::index::Column;
use crate::base::layers::Layers;
use crate::model::{Builder, Mapping, StringId, Thread, ThreadId, base_name};

/// Addresses from `start` up to `end` belong to a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u64,
    end: u64,
    map: MapId,
}

/// An address space, or a stretch of its history.
#[derive(Clone, Debug, Default)]
pub(super) struct Space {
    /// Disjoint and sorted.
    base: Arc<[Span]>,
    /// Modules that came since, oldest first.
    log: Vec<Span>,
    /// Somebody holds a [`View`] of it, so `base` must stay.
    is_seen: bool,
    /// Several processes hold it (a fork copies nothing until one of them maps something).
    is_shared: bool,
    /// What the process had loaded before the exec that it is in the middle of. The kernel still does that for the old program: its stacks
    /// lead into it.
    before: Option<View>,
}

impl Space {
    /// The module at an address when `log` was `len` long.
    fn find(&self, len: usize, address: u64) -> Option<MapId> {
        let newer = self.log.get(..len).unwrap_or(&self.log).iter().rev().find(|span| (span.start..span.end).contains(&address));
        newer.map(|span| span.map).or_else(|| {
            let after = self.base.partition_point(|span| span.start <= address);
            let span = self.base.get(after.checked_sub(1)?)?;
            (address < span.end).then_some(span.map)
        })
    }

    /// Base and log in one base: what `find` would give, in a form that it gives faster.
    fn merged(&self, len: usize) -> Arc<[Span]> {
        let log = self.log.get(..len).unwrap_or(&self.log);
        let mut newer = Layers::default();
        for span in log {
            newer.put(span.start, span.end, span.map);
        }
        let mut spans = Vec::with_capacity(self.base.len() + 2 * log.len());
        let mut newer = newer.into_ranges().map(|(start, end, map)| Span { start, end, map }).peekable();
        // Both are sorted and disjoint. Up to here newer ones hide what is old.
        let mut hidden = 0;
        for &old in &*self.base {
            let mut start = old.start.max(hidden);
            while let Some(span) = newer.next_if(|span| span.start < old.end) {
                if start < span.start {
                    spans.push(Span { start, end: span.start, ..old });
                }
                spans.push(span);
                hidden = span.end;
                start = start.max(hidden);
            }
            if start < old.end {
                spans.push(Span { start, ..old });
            }
        }
        spans.extend(newer);
        spans.into()
    }
}

/// True for the page that a run-time compiler maps so that its dump is found (`jit_detect` in perf's `jitdump.c`).
fn is_jit_marker(file: &str) -> bool {
    base_name(file).strip_prefix("jit-").and_then(|rest| rest.strip_suffix(".dump")).is_some()
}

/// An address space at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct View {
    space: SpaceId,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Task {
    pid: i32,
    name: StringId,
    /// The row of the thread under this name, once a sample wanted it.
    row: Option<ThreadId>,
}

/// The thread of a sample, and what was loaded for it.
#[derive(Clone, Copy, Debug)]
struct Recent {
    pid: i32,
    tid: i32,
    thread: ThreadId,
    view: View,
}

/// Threads that are found again without a look-up.
const RECENT: usize = 64;

/// All threads and address spaces, up to the record seen last.
pub(super) struct Tasks {
    pub(super) maps: Column<MapId, Mapping>,
    pub(super) namespaces: Namespaces,
    spaces: Column<SpaceId, Space>,
    threads: FxHashMap<i32, Task>,
    /// The last answers of [`sample`](Self::sample), by the end of the thread's number; empty again after any other record.
    recent: [Option<Recent>; RECENT],
    processes: FxHashMap<i32, View>,
    kernel: SpaceId,
    /// The symbol at the kernel's offset, by which its place is known.
    pub(super) kernel_symbol: Option<String>,
    empty: View,
    /// Processes of which nothing shows that their new program runs: see [`Space::before`].
    in_exec: FxHashSet<i32>,
    build_ids: FxHashMap<String, String>,
    /// Modules that are one function, with its name.
    named: FxHashMap<MapId, StringId>,
    /// Modules that hold no code: files mapped to be read, heaps, stacks.
    data: FxHashSet<MapId>,
}

impl Tasks {
    /// Nobody runs yet. `build_ids` are those of the header, by file.
    pub(super) fn new(build_ids: FxHashMap<String, String>) -> Self {
        let mut spaces = Column::new();
        let mut space = || spaces.push(Space { is_shared: true, ..Space::default() }).unwrap_or_else(|| unreachable!("two rows fit"));
        let (kernel, empty) = (space(), space());
        Self {
            maps: Column::new(),
            namespaces: Namespaces::default(),
            spaces,
            threads: FxHashMap::default(),
            recent: [None; RECENT],
            processes: FxHashMap::default(),
            kernel,
            kernel_symbol: None,
            empty: View { space: empty, len: 0 },
            in_exec: FxHashSet::default(),
            build_ids,
            named: FxHashMap::default(),
            data: FxHashSet::default(),
        }
    }

    /// A module was mapped.
    pub(super) fn mmap(&mut self, mmap: &Mmap<'_>, builder: &mut Builder) {
        let is_kernel = mmap.mode == Mode::Kernel || (mmap.pid == -1 && mmap.mode == Mode::Unknown);
        if mmap.len == 0 || matches!(mmap.mode, Mode::GuestKernel | Mode::GuestUser | Mode::Hypervisor) {
            return;
        }
        let file = String::from_utf8_lossy(mmap.file);
        // `[kernel.kallsyms]_text` says which symbol the start belongs to; the module is the part in brackets.
        let file = match file.find(']') {
            Some(end) if is_kernel && file.starts_with('[') => {
                let symbol = file.get(end + 1..).filter(|symbol| !symbol.is_empty());
                self.kernel_symbol = symbol.map(str::to_owned).or(self.kernel_symbol.take());
                file.get(..=end).unwrap_or(&file)
            }
            _ => &file,
        };
        let own = mmap.build_id.filter(|id| id.iter().any(|&byte| byte != 0)).map(hex);
        let build_id = own.or_else(|| self.build_ids.get(file).cloned());
        let limit = mmap.start.saturating_add(mmap.len);
        let mapping = Mapping {
            file: Some(builder.string(file)),
            build_id: build_id.map(|id| builder.string(&id)),
            start: mmap.start,
            limit,
            offset: mmap.offset,
            pid: (!is_kernel).then_some(mmap.pid),
            file_id: mmap.file_id,
            from_base: false,
        };
        let Some(map) = self.maps.push(mapping) else { return };
        if is_jit_marker(file) {
            // No sample is ever taken in it, but its path says where the names of the process's compiled code are.
            builder.mapping(mapping);
        }
        if mmap.is_data {
            self.data.insert(map);
        }
        let span = Span { start: mmap.start, end: limit, map };
        self.recent = [None; RECENT];
        if is_kernel {
            let kernel = View { space: self.kernel, len: self.space_len(self.kernel) };
            self.kernel = self.grown(kernel, span).space;
        } else {
            let view = self.processes.get(&mmap.pid).copied().unwrap_or(self.empty);
            let view = self.grown(view, span);
            self.processes.insert(mmap.pid, view);
            self.task(mmap.pid, mmap.tid, builder);
        }
    }

    /// True for a module that holds no code.
    pub(super) fn is_data(&self, map: MapId) -> bool {
        self.data.contains(&map)
    }

    /// The kernel made code that has a name and no file.
    pub(super) fn kernel_symbol(&mut self, symbol: &KernelSymbol<'_>, builder: &mut Builder) {
        let file = builder.string(&String::from_utf8_lossy(symbol.name));
        let limit = symbol.start.saturating_add(symbol.len);
        let mapping = Mapping { file: Some(file), start: symbol.start, limit, ..Mapping::default() };
        let Some(map) = self.maps.push(mapping).filter(|_| symbol.len > 0) else { return };
        self.named.insert(map, file);
        let kernel = View { space: self.kernel, len: self.space_len(self.kernel) };
        self.kernel = self.grown(kernel, Span { start: symbol.start, end: limit, map }).space;
    }

    /// The name of the function that is all of a module.
    pub(super) fn name_of(&self, map: MapId) -> Option<StringId> {
        self.named.get(&map).copied()
    }

    fn space_len(&self, space: SpaceId) -> u32 {
        self.spaces.get(space).map_or(0, |space| space.log.len() as u32)
    }

    /// The address space after one more module.
    fn grown(&mut self, view: View, span: Span) -> View {
        let Some(space) = self.spaces.get_mut(view.space) else { return view };
        let len = view.len as usize;
        // A log is searched from its end, so it is kept short against the base; the sizes of all bases stay linear in the last one.
        let is_long = len >= 32 + space.base.len() / 16;
        if !space.is_shared && !is_long {
            space.log.push(span);
            return View { space: view.space, len: view.len + 1 };
        }
        let before = space.before;
        let next = if is_long {
            Space { base: space.merged(len), log: vec![span], before, ..Space::default() }
        } else {
            let mut log = space.log.get(..len).unwrap_or(&space.log).to_vec();
            log.push(span);
            Space { base: Arc::clone(&space.base), log, before, ..Space::default() }
        };
        let len = next.log.len() as u32;
        if !space.is_shared && !space.is_seen {
            *space = next;
            return View { space: view.space, len };
        }
        self.spaces.push(next).map_or(view, |space| View { space, len })
    }

    /// A thread got a name; with an exec its process begins with an empty address space.
    pub(super) fn comm(&mut self, comm: &Comm<'_>, builder: &mut Builder) {
        let name = builder.string(&String::from_utf8_lossy(comm.name));
        self.recent = [None; RECENT];
        self.threads.insert(comm.tid, Task { pid: comm.pid, name, row: None });
        if comm.is_exec {
            let before = self.processes.insert(comm.pid, self.empty).filter(|view| *view != self.empty);
            if let Some(old) = before.and_then(|view| self.spaces.get_mut(view.space)) {
                (old.is_seen, old.is_shared) = (true, true);
                if let Some(space) = self.spaces.push(Space { before, ..Space::default() }) {
                    self.processes.insert(comm.pid, View { space, len: 0 });
                    self.in_exec.insert(comm.pid);
                }
            }
        }
    }

    /// The new program of a process runs: what was loaded before its exec is gone.
    fn end_exec(&mut self, pid: i32) {
        if self.in_exec.is_empty() || !self.in_exec.remove(&pid) {
            return;
        }
        self.recent = [None; RECENT];
        let view = self.processes.get(&pid).copied();
        let Some((view, space)) = view.and_then(|view| Some((view, self.spaces.get(view.space)?))) else { return };
        let log = space.log.get(..view.len as usize).unwrap_or(&space.log).to_vec();
        let next = Space { base: Arc::clone(&space.base), log, ..Space::default() };
        if let Some(space) = self.spaces.push(next) {
            self.processes.insert(pid, View { space, ..view });
        }
    }

    /// A thread or process came to be: it has its parent's name and, as a process, a copy of its address space.
    pub(super) fn fork(&mut self, fork: Fork) {
        self.recent = [None; RECENT];
        self.namespaces.fork(fork.parent_tid, fork.tid);
        self.end_exec(fork.parent_pid);
        if let Some(parent) = self.threads.get(&fork.parent_tid).copied() {
            self.threads.insert(fork.tid, Task { pid: fork.pid, name: parent.name, row: None });
        } else {
            self.threads.remove(&fork.tid);
        }
        if fork.pid == fork.parent_pid {
            return;
        }
        self.in_exec.remove(&fork.pid);
        match self.processes.get(&fork.parent_pid).copied().filter(|_| fork.copies_maps) {
            Some(view) => {
                if let Some(space) = self.spaces.get_mut(view.space) {
                    space.is_shared = true;
                }
                self.processes.insert(fork.pid, view);
            }
            None => {
                self.processes.remove(&fork.pid);
            }
        }
    }

    fn task(&mut self, pid: i32, tid: i32, builder: &mut Builder) -> &mut Task {
        self.threads.entry(tid).or_insert_with(|| {
            // perf's own names for threads that no record named.
            let name = if tid == 0 { builder.string("swapper") } else { builder.string(&format!(":{tid}")) };
            Task { pid, name, row: None }
        })
    }

    /// The thread of a sample under its name of the moment, and what was loaded in its process. The sample was taken in the process's own code.
    pub(super) fn sample(&mut self, pid: i32, tid: i32, builder: &mut Builder) -> (ThreadId, View) {
        self.end_exec(pid);
        self.sample_in_kernel(pid, tid, builder)
    }

    /// The same for a sample of what the kernel did for the process.
    pub(super) fn sample_in_kernel(&mut self, pid: i32, tid: i32, builder: &mut Builder) -> (ThreadId, View) {
        let slot = tid as usize % RECENT;
        if let Some(&Some(recent)) = self.recent.get(slot)
            && (recent.pid, recent.tid) == (pid, tid)
        {
            return (recent.thread, recent.view);
        }
        let task = self.task(pid, tid, builder);
        if task.pid != pid {
            task.pid = pid;
            task.row = None;
        }
        let name = task.name;
        let row = *task.row.get_or_insert_with(|| builder.thread(Thread { pid: Some(pid), tid: Some(tid), name }));
        let view = self.processes.get(&pid).copied().unwrap_or(self.empty);
        if let Some(space) = self.spaces.get_mut(view.space) {
            space.is_seen = true;
        }
        if let Some(place) = self.recent.get_mut(slot) {
            *place = Some(Recent { pid, tid, thread: row, view });
        }
        (row, view)
    }

    /// A view for samples that name no process: nothing is loaded.
    pub(super) const fn nothing(&self) -> View {
        self.empty
    }

    /// The module at an address. The kernel's modules are looked up in their last state: they come and go too rarely to follow.
    pub(super) fn find(&self, view: View, mode: Mode, address: u64) -> Option<MapId> {
        match mode {
            Mode::Kernel => self.spaces.get(self.kernel)?.find(usize::MAX, address),
            Mode::User => {
                let space = self.spaces.get(view.space)?;
                space.find(view.len as usize, address).or_else(|| {
                    let before = space.before?;
                    self.spaces.get(before.space)?.find(before.len as usize, address)
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(tasks: &mut Tasks, builder: &mut Builder, pid: i32, start: u64, len: u64, file: &str) {
        let mmap = Mmap {
            mode: Mode::User,
            pid,
            tid: pid,
            start,
            len,
            offset: 0,
            build_id: None,
            file_id: None,
            is_data: false,
            file: file.as_bytes(),
        };
        tasks.mmap(&mmap, builder);
    }

    fn file_at(tasks: &Tasks, builder: &Builder, view: View, address: u64) -> Option<String> {
        let map = tasks.find(view, Mode::User, address)?;
        Some(builder.strings.get(tasks.maps[map].file?).to_owned())
    }

    /// Spans against the slowest way: the newest module that covers the address.
    #[test]
    fn the_newest_module_wins_however_long_the_history_is() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        let mut history: Vec<(u64, u64)> = Vec::new();
        let mut views = Vec::new();
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for n in 0..400 {
            let (start, len) = (random(1000), 1 + random(120));
            map(&mut tasks, &mut builder, 1, start, len, &n.to_string());
            history.push((start, start + len));
            if n % 3 == 0 {
                views.push((history.len(), tasks.sample(1, 1, &mut builder).1));
            }
        }
        for (len, view) in views {
            for address in (0..1100).step_by(13) {
                let newest = history[..len].iter().rposition(|(start, end)| (*start..*end).contains(&address));
                assert_eq!(file_at(&tasks, &builder, view, address), newest.map(|n| n.to_string()), "{address} after {len}");
            }
        }
    }

    #[test]
    fn a_forked_process_keeps_its_parents_modules_and_then_goes_its_own_way() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        map(&mut tasks, &mut builder, 1, 100, 100, "parent");
        tasks.fork(Fork { pid: 2, parent_pid: 1, tid: 2, parent_tid: 1, copies_maps: true });
        map(&mut tasks, &mut builder, 2, 150, 100, "child");
        map(&mut tasks, &mut builder, 1, 100, 10, "later");
        let (parent, child) = (tasks.sample(1, 1, &mut builder).1, tasks.sample(2, 2, &mut builder).1);
        assert_eq!(file_at(&tasks, &builder, parent, 160).as_deref(), Some("parent"));
        assert_eq!(file_at(&tasks, &builder, child, 160).as_deref(), Some("child"));
        assert_eq!(file_at(&tasks, &builder, parent, 105).as_deref(), Some("later"));
        assert_eq!(file_at(&tasks, &builder, child, 105).as_deref(), Some("parent"));
        tasks.comm(&Comm { pid: 2, tid: 2, name: b"new", is_exec: true }, &mut builder);
        let after = tasks.sample(2, 2, &mut builder).1;
        assert_eq!(file_at(&tasks, &builder, after, 160), None);
    }

    /// From the exec to the new program's first instruction the kernel works for the old one.
    #[test]
    fn stacks_of_an_exec_lead_into_the_old_program_until_the_new_one_runs() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        map(&mut tasks, &mut builder, 1, 100, 100, "old");
        tasks.comm(&Comm { pid: 1, tid: 1, name: b"new", is_exec: true }, &mut builder);
        let first = tasks.sample_in_kernel(1, 1, &mut builder).1;
        map(&mut tasks, &mut builder, 1, 150, 100, "new");
        let second = tasks.sample_in_kernel(1, 1, &mut builder).1;
        let after = tasks.sample(1, 1, &mut builder).1;
        let later = tasks.sample_in_kernel(1, 1, &mut builder).1;
        let at = |view| [110, 160].map(|address| file_at(&tasks, &builder, view, address));
        let [old, new] = ["old", "new"].map(|name| Some(name.to_owned()));
        assert_eq!(at(first), [old.clone(), old.clone()]);
        assert_eq!(at(second), [old, new.clone()]);
        assert_eq!((at(after), at(later)), ([None, new.clone()], [None, new]));
    }

    #[test]
    fn the_page_that_leads_to_a_dump_of_compiled_code_is_kept_without_a_sample() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        for (start, file) in [(100, "/srv/jit-7.dump"), (300, "/srv/jit-7.txt"), (500, "//anon")] {
            map(&mut tasks, &mut builder, 7, start, 100, file);
        }
        let profile = builder.finish();
        let files: Vec<&str> = profile.mappings.iter().filter_map(|mapping| Some(profile.strings.get(mapping.file?))).collect();
        assert_eq!(files, ["/srv/jit-7.dump"]);
    }

    #[test]
    fn a_process_that_maps_without_end_is_followed_in_time() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        for n in 0..200_000_u64 {
            map(&mut tasks, &mut builder, 1, n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20 << 12, 4096, "module");
        }
        let view = tasks.sample(1, 1, &mut builder).1;
        assert_eq!(file_at(&tasks, &builder, view, 0).as_deref(), Some("module"));
    }

    #[test]
    fn names_follow_the_thread_and_unknown_ones_are_as_perf_writes_them() {
        let (mut tasks, mut builder) = (Tasks::new(FxHashMap::default()), Builder::default());
        let before = tasks.sample(7, 7, &mut builder).0;
        tasks.comm(&Comm { pid: 7, tid: 7, name: b"make", is_exec: false }, &mut builder);
        let after = tasks.sample(7, 7, &mut builder).0;
        assert_ne!(before, after);
        assert_eq!(tasks.sample(7, 7, &mut builder).0, after);
        tasks.fork(Fork { pid: 8, parent_pid: 7, tid: 8, parent_tid: 7, copies_maps: true });
        tasks.sample(8, 8, &mut builder);
        tasks.sample(0, 0, &mut builder);
        let profile = builder.finish();
        let names: Vec<&str> = profile.threads.iter().map(|thread| profile.strings.get(thread.name)).collect();
        assert_eq!(names, [":7", "make", "make", "swapper"]);
    }
}
