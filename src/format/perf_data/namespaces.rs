//! Namespaces: what makes a container of a process, where no control group says so (`perf record --namespaces`).
//!
//! Source: `PERF_RECORD_NAMESPACES` in `perf_event.h`. A namespace is known by a number (its inode); names are the container engine's.
//! Deliberately absent: devices, which are the same for all, and kinds of namespaces that the kernel does not report (time).
//! Start reading at [`Namespaces`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::ids::NamespaceId;
use crate::base::cursor::{Cursor, Short};
use crate::base::index::Column;

/// The kinds in the order of the record.
pub(super) const KINDS: [&str; 7] = ["net", "uts", "ipc", "pid", "user", "mnt", "cgroup"];

/// The number of each kind's namespace; 0 where a record does not say.
pub(super) type Set = [u64; KINDS.len()];

/// In which namespaces threads are, over time.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    sets: Column<NamespaceId, Set>,
    ids: FxHashMap<Set, NamespaceId>,
    /// By thread.
    threads: FxHashMap<i32, NamespaceId>,
}

impl Namespaces {
    /// Takes a record: a thread came to be, or changed its namespaces.
    pub(super) fn record(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        body.skip(4)?;
        let (tid, count) = (body.i32()?, body.u64()?);
        let mut set = Set::default();
        for number in set.iter_mut().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            body.skip(8)?;
            *number = body.u64()?;
        }
        let id = self.ids.get(&set).copied().or_else(|| self.sets.push(set));
        if let Some(id) = id {
            self.ids.insert(set, id);
            self.threads.insert(tid, id);
        }
        Ok(())
    }

    /// A thread begins in the namespaces of the one that made it.
    pub(super) fn fork(&mut self, parent: i32, child: i32) {
        match self.threads.get(&parent).copied() {
            Some(id) => self.threads.insert(child, id),
            None => self.threads.remove(&child),
        };
    }

    /// The namespaces of a thread at this moment.
    pub(super) fn of(&self, tid: i32) -> Option<NamespaceId> {
        self.threads.get(&tid).copied()
    }

    /// The numbers of a set.
    pub(super) fn get(&self, id: NamespaceId) -> Option<&Set> {
        self.sets.get(id)
    }

    /// Which kinds are worth a label: those in which the given sets differ.
    pub(super) fn differing(&self, used: &FxHashSet<NamespaceId>) -> Vec<usize> {
        let numbers = |kind: usize| used.iter().filter_map(move |id| self.get(*id)?.get(kind).copied()).collect::<FxHashSet<u64>>();
        (0..KINDS.len()).filter(|&kind| numbers(kind).len() > 1).collect()
    }
}
