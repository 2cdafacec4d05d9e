//! The serial pass: all records in order of time; threads, modules and control groups as they come, one row per sample and event.
//!
//! Deliberately absent: stacks (`samples`, in parallel afterwards) and labels (`labels`). Start reading at [`follow`].

use rustc_hash::FxHashMap;

use super::attr::bit;
use super::container::{Capture, Entry, Record};
use super::maps::Tasks;
use super::offcpu::{self, OffCpu};
use super::records::{self, Mode};
use super::samples::{Deferred, Groups, Row};
use crate::base::cursor::Short;
use crate::base::ticket::Cancelled;
use crate::format::ReadCx;
use crate::model::{Builder, Tally, kind};

/// What going through all records gave.
pub(super) struct Followed {
    pub(super) tasks: Tasks,
    /// One per sample and event, and one per time off the CPU, in order of time.
    pub(super) rows: Vec<Row>,
    pub(super) deferred: Deferred,
    /// Paths of control groups by number.
    pub(super) cgroups: FxHashMap<u64, String>,
}

/// Goes through all records in time order: threads and modules as they come, one row per sample and event.
pub(super) fn follow(capture: &Capture<'_>, mut tasks: Tasks, builder: &mut Builder, cx: &ReadCx<'_>) -> Result<Followed, Cancelled> {
    cx.ticket.stage("following threads and modules", capture.entries.len() as u64)?;
    let mut rows = Vec::with_capacity(capture.entries.len());
    let mut groups = Groups::new();
    let mut off_cpu = OffCpu::new(capture);
    let mut used = 0;
    let mut deferred = Deferred::default();
    let mut cgroups = FxHashMap::default();
    for (n, entry) in capture.entries.iter().enumerate() {
        if n % 4096 == 4095 {
            cx.ticket.advance(4096)?;
        }
        capture.pass(&capture.entries, n, |entry| entry.at, cx);
        let Some(record) = capture.record(entry.at) else { continue };
        let offset = capture.file_offset(entry.at);
        let result = match entry.kind {
            records::MMAP | records::MMAP2 => {
                records::mmap(record.body, record.misc, entry.kind == records::MMAP2).map(|mmap| tasks.mmap(&mmap, builder))
            }
            records::COMM => records::comm(record.body, record.misc).map(|comm| tasks.comm(&comm, builder)),
            records::FORK => records::fork(record.body, record.misc).map(|fork| {
                off_cpu.fork(fork.tid);
                groups.fork(fork.tid);
                tasks.fork(fork);
            }),
            records::EXIT => records::fork(record.body, record.misc).map(|exit| off_cpu.exit(exit.tid)),
            // A cookie is used once; should one come again, the first record belongs to the samples before it.
            records::CALLCHAIN_DEFERRED => records::deferred(record.body).and_then(|chain| {
                let thread = capture.trailer_thread(chain.trailer)?;
                deferred.entry((thread, chain.cookie)).or_insert(entry.at);
                Ok(())
            }),
            // Code that is gone stays known: its samples may come from before.
            records::KSYMBOL => records::kernel_symbol(record.body).map(|symbol| {
                if !symbol.is_gone {
                    tasks.kernel_symbol(&symbol, builder);
                }
            }),
            records::CGROUP => records::cgroup(record.body).map(|(id, path)| {
                cgroups.insert(id, String::from_utf8_lossy(path).into_owned());
            }),
            records::NAMESPACES => tasks.namespaces.record(record.body),
            records::SWITCH | records::SWITCH_CPU_WIDE => {
                switched(capture, entry, &record, &mut tasks, &mut off_cpu, builder, &mut rows);
                Ok(())
            }
            _ => {
                let before = rows.len();
                let result = sample_rows(capture, entry, &record, &mut tasks, &mut groups, builder, &mut rows);
                used += u64::from(rows.len() > before);
                if let (Ok(Some(tid)), Some(row)) = (&result, rows.get(before).copied()) {
                    off_cpu.sample(capture, *tid, row, &mut rows);
                }
                if result.is_ok() && rows.len() == before {
                    builder.notes.add(kind::SKIPPED, "samples of groups in which no counter grew", 1, Some(offset));
                }
                result.map(|_| ())
            }
        };
        if result.is_err() {
            let (name, _) = records::name_of(entry.kind);
            builder.notes.add(kind::NOT_UNDERSTOOD, &format!("{name} records that are cut or damaged"), 1, Some(offset));
        }
    }
    let made = off_cpu.finish(capture, &mut rows, builder);
    let skipped = capture.count_of(records::SAMPLE).saturating_sub(used);
    builder.info.tally = Tally { made, ..Tally::new(used, skipped) };
    Ok(Followed { tasks, rows, deferred, cgroups })
}

/// A record says that a thread was switched out, or runs again.
fn switched(
    capture: &Capture<'_>,
    entry: &Entry,
    record: &Record<'_>,
    tasks: &mut Tasks,
    off_cpu: &mut OffCpu,
    builder: &mut Builder,
    rows: &mut Vec<Row>,
) {
    let Some(((pid, tid), layout)) = capture.trailer_task(record.body).zip(capture.events.ids().next()) else {
        let text = "switches of threads without the thread: time off the CPU is unknown";
        return builder.notes.add(kind::SKIPPED, text, 1, Some(capture.file_offset(entry.at)));
    };
    let time = i64::try_from(entry.time).ok();
    if record.misc & offcpu::MISC_OUT == 0 {
        return off_cpu.switched_in(tid, time, rows);
    }
    let (thread, view) = tasks.sample_in_kernel(pid, tid, builder);
    let namespaces = tasks.namespaces.of(tid);
    let row = Row { at: entry.at, time, column: 0, layout, thread: Some(thread), view, weight: 0, wait: None, namespaces };
    off_cpu.switched_out(tid, row, record.misc & offcpu::MISC_PREEMPT != 0, rows);
}

/// One row per event of a sample; gives its thread.
fn sample_rows(
    capture: &Capture<'_>,
    entry: &Entry,
    record: &Record<'_>,
    tasks: &mut Tasks,
    groups: &mut Groups,
    builder: &mut Builder,
    rows: &mut Vec<Row>,
) -> Result<Option<i32>, Short> {
    let body = record.body;
    let Some((id, event)) = entry.event.and_then(|id| Some((id, capture.events.get(id)?))) else { return Ok(None) };
    let field = |place: usize| {
        let mut cursor = body;
        cursor.skip(place).map(|()| cursor)
    };
    let (mut thread, mut view, mut number) = (None, tasks.nothing(), None);
    if let Some(place) = event.layout.tid {
        let mut cursor = field(place)?;
        let (pid, tid) = (cursor.i32()?, cursor.i32()?);
        let (row, space) = match Mode::of_misc(record.misc) {
            Mode::User => tasks.sample(pid, tid, builder),
            _ => tasks.sample_in_kernel(pid, tid, builder),
        };
        (thread, view, number) = (Some(row), space, Some(tid));
    }
    let time = event.layout.time.map(|_| i64::try_from(entry.time).unwrap_or(i64::MAX));
    let mut row = Row {
        at: entry.at,
        time,
        column: id.row(),
        layout: id,
        thread,
        view,
        weight: event.attr.sample_period,
        wait: None,
        namespaces: number.and_then(|tid| tasks.namespaces.of(tid)),
    };
    if event.attr.has(bit::READ) {
        let grown = groups.split(capture, body, event, number)?;
        for (event, weight) in grown.rows {
            (row.column, row.weight) = (event.row(), weight);
            rows.push(row);
        }
        if grown.fell > 0 {
            let text = "counters that fell from one sample to the next: taken as set to zero between";
            builder.notes.add(kind::GUESSED, text, grown.fell, Some(capture.file_offset(entry.at)));
        }
        return Ok(number);
    }
    if let Some(place) = event.layout.period {
        row.weight = field(place)?.u64()?;
    } else if event.attr.is_frequency() {
        let text = "samples that were taken by frequency and do not say their period: each weighs the frequency, as in perf";
        builder.notes.add(kind::GUESSED, text, 1, Some(capture.file_offset(entry.at)));
    }
    rows.push(row);
    Ok(number)
}
