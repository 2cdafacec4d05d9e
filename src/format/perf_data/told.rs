//! What records say about the recording as a whole: counter values at the end of threads, programs of BPF, kernel code that changed.
//!
//! Layouts from `perf_event.h`. Deliberately absent: samples, which these records do not change, and the names of BPF code, which come
//! with `KSYMBOL` records (`maps`). Start reading at [`Told`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::attr::Attr;
use super::samples::counters;
use crate::base::cursor::{Cursor, Short};

/// Sums over such records.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Sums of last values by the id of the event, where the records carry one. An event has an id for every processor.
    counts: FxHashMap<Option<u64>, u64>,
    /// Threads that the values are about.
    tasks: FxHashSet<(i32, i32)>,
    loaded: u64,
    unloaded: u64,
    patched: u64,
}

impl Told {
    /// `READ`: a thread or process that was counted together with its parent ended (`perf record -s`). `attr` says how values are laid out.
    pub(super) fn read(&mut self, mut body: Cursor<'_>, attr: &Attr) -> Result<(), Short> {
        let task = (body.i32()?, body.i32()?);
        let mut found = Vec::new();
        counters(&mut body, attr, |id, value| found.push((id, value)))?;
        for (id, value) in found {
            let count = self.counts.entry(id).or_default();
            *count = count.saturating_add(value);
        }
        self.tasks.insert(task);
        Ok(())
    }

    /// `BPF_EVENT`: a program was loaded (1) or unloaded (2).
    pub(super) fn bpf(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        match body.u16()? {
            1 => self.loaded += 1,
            2 => self.unloaded += 1,
            _ => {}
        }
        Ok(())
    }

    /// `TEXT_POKE`: the kernel changed its own code, as it does for tracing and static branches. Functions stay where they are.
    pub(super) const fn poke(&mut self) {
        self.patched += 1;
    }

    /// Sums by event, where there are any; `event` gives the row of an id.
    pub(super) fn counts(&self, events: usize, event: impl Fn(Option<u64>) -> Option<usize>) -> Vec<Option<u64>> {
        let mut sums = vec![None; events];
        #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on the order")]
        for (&id, &count) in &self.counts {
            if let Some(sum) = event(id).and_then(|row| sums.get_mut(row)) {
                *sum = Some(sum.map_or(count, |sum: u64| sum.saturating_add(count)));
            }
        }
        sums
    }

    /// How many threads and processes the sums are about.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Facts (key, text) on what happened to the kernel's code.
    pub(super) fn code(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if self.loaded + self.unloaded > 0 {
            facts.push(("bpf programs", format!("{} loaded, {} unloaded while recording or before", self.loaded, self.unloaded)));
        }
        if self.patched > 0 {
            facts.push(("kernel code changed", format!("{} times while recording (TEXT_POKE)", self.patched)));
        }
        facts
    }
}
