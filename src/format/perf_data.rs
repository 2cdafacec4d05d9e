//! `perf.data`: what `perf record` writes, to a file or to a pipe.
//!
//! Three passes: a serial walk that lists records (`container`), a serial pass in time order over threads and modules (`maps`),
//! a parallel one over the samples (`samples`). Written against perf's own sources; no crate does READ groups, tracing data in
//! pipes and newer compressed records right. Copied stacks are unwound on the way (`unwind`). Deliberately absent: symbols
//! (`crate::symbol`), the file system (the loader gives the files of a directory as [`ReadCx::parts`](crate::format::ReadCx)).

mod attr;
mod container;
mod features;
mod header;
mod ids;
mod inflate;
mod maps;
mod records;
mod samples;
#[cfg(test)]
mod tests;
mod unwind;

use self::attr::{Attr, bit};
use self::container::{Capture, Entry};
use self::features::seconds;
use self::ids::EventId;
use self::maps::Tasks;
use self::samples::{Deferred, Groups, Row};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::cursor::{Cursor, Short};
use crate::base::ticket::Cancelled;
use crate::model::{Builder, Profile, Tally, kind};
use rayon::slice::ParallelSliceMut as _;

/// Name of the format in errors and output.
const FORMAT: &str = "perf-data";

/// The first bytes of a capture: the format of today in both byte orders, and that of before 2.6.32.
const MAGICS: [&[u8; 8]; 3] = [b"PERFILE2", b"2ELIFREP", b"PERFFILE"];

/// The reader of `perf.data`.
#[derive(Clone, Copy, Debug)]
pub struct PerfData;

impl Format for PerfData {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn summary(&self) -> &'static str {
        "Linux perf record (perf.data, file or pipe)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["data", "perf"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let is_perf = MAGICS.iter().any(|magic| head.starts_with(*magic));
        if is_perf { Sniff::Yes } else { Sniff::No }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        let mut capture = Capture::open(input.bytes, cx)?;
        let mut builder = Builder::default();
        FORMAT.clone_into(&mut builder.info.format);
        let names = event_names(&mut capture);
        sort_by_time(&mut capture.entries);
        let build_ids = std::mem::take(&mut capture.features.build_ids);
        let Followed { tasks, mut rows, deferred } = follow(&capture, Tasks::new(build_ids), &mut builder, cx)?;
        let default_event = add_sample_types(&capture, &names, &mut rows, &mut builder);
        samples::decode_all(&capture, &tasks, &deferred, &rows, &mut builder, cx)?;
        facts(&mut capture, &names, default_event, &mut builder);
        Ok(builder.finish())
    }
}

/// One name per event: that of a record, of the header's list of events, of a tracepoint's format, or what the attributes say.
fn event_names(capture: &mut Capture<'_>) -> Vec<String> {
    let described = std::mem::take(&mut capture.features.events);
    for event in &described {
        let by_id = event.ids.first().and_then(|id| capture.by_id.get(id).copied());
        let by_attr = || {
            let same = |attr: &Attr| attr.kind == event.attr.kind && attr.config == event.attr.config;
            capture.events.iter_ids().find(|(_, mine)| same(&mine.attr) && mine.name.is_none()).map(|(id, _)| id)
        };
        let Some(id) = by_id.or_else(by_attr) else { continue };
        for number in &event.ids {
            capture.by_id.entry(*number).or_insert(id);
        }
        if let Some(mine) = capture.events.get_mut(id) {
            mine.name.get_or_insert_with(|| event.name.clone());
        }
    }
    let name = |event: &container::Event| {
        let tracepoint = || capture.features.tracepoints.get(&event.attr.config).filter(|_| event.attr.kind == 2).cloned();
        event.name.clone().filter(|name| !name.is_empty()).or_else(tracepoint).unwrap_or_else(|| event.attr.name())
    };
    capture.events.iter().map(name).collect()
}

/// Each processor wrote records of its own; together they are in no order. Equal times keep the order of the file.
fn sort_by_time(entries: &mut [Entry]) {
    if !entries.is_sorted_by_key(|entry| entry.time) {
        entries.par_sort_by_key(|entry| entry.time);
    }
}

/// What going through all records gave.
struct Followed {
    tasks: Tasks,
    rows: Vec<Row>,
    deferred: Deferred,
}

/// Goes through all records in time order: threads and modules as they come, one row per sample and event.
fn follow(capture: &Capture<'_>, mut tasks: Tasks, builder: &mut Builder, cx: &ReadCx<'_>) -> Result<Followed, Cancelled> {
    cx.ticket.stage("following threads and modules", capture.entries.len() as u64)?;
    let mut rows = Vec::with_capacity(capture.entries.len());
    let mut groups = Groups::new();
    let mut used = 0;
    let mut deferred = Deferred::default();
    for (n, entry) in capture.entries.iter().enumerate() {
        if n % 4096 == 4095 {
            cx.ticket.advance(4096)?;
        }
        let Some(record) = capture.record(entry.at) else { continue };
        let offset = capture.file_offset(entry.at);
        let result = match entry.kind {
            records::MMAP | records::MMAP2 => {
                records::mmap(record.body, record.misc, entry.kind == records::MMAP2).map(|mmap| tasks.mmap(&mmap, builder))
            }
            records::COMM => records::comm(record.body, record.misc).map(|comm| tasks.comm(&comm, builder)),
            records::FORK => records::fork(record.body, record.misc).map(|fork| tasks.fork(fork)),
            // A cookie is used once; should one come again, the first record belongs to the samples before it.
            records::CALLCHAIN_DEFERRED => records::deferred(record.body).and_then(|chain| {
                let thread = capture.trailer_thread(chain.trailer)?;
                deferred.entry((thread, chain.cookie)).or_insert(entry.at);
                Ok(())
            }),
            _ => {
                let before = rows.len();
                let result = sample_rows(capture, entry, record.body, &mut tasks, &mut groups, builder, &mut rows);
                used += u64::from(rows.len() > before);
                if result.is_ok() && rows.len() == before {
                    builder.notes.add(kind::SKIPPED, "samples of groups in which no counter grew", 1, Some(offset));
                }
                result
            }
        };
        if result.is_err() {
            let (name, _) = records::name_of(entry.kind);
            builder.notes.add(kind::NOT_UNDERSTOOD, &format!("{name} records that are cut or damaged"), 1, Some(offset));
        }
    }
    builder.info.tally = Tally::new(used, capture.count_of(records::SAMPLE).saturating_sub(used));
    Ok(Followed { tasks, rows, deferred })
}

fn sample_rows(
    capture: &Capture<'_>,
    entry: &Entry,
    body: Cursor<'_>,
    tasks: &mut Tasks,
    groups: &mut Groups,
    builder: &mut Builder,
    rows: &mut Vec<Row>,
) -> Result<(), Short> {
    let Some((id, event)) = entry.event.and_then(|id| Some((id, capture.events.get(id)?))) else { return Ok(()) };
    let field = |place: usize| {
        let mut cursor = body;
        cursor.skip(place).map(|()| cursor)
    };
    let (mut thread, mut view) = (None, tasks.nothing());
    if let Some(place) = event.layout.tid {
        let mut cursor = field(place)?;
        let (pid, tid) = (cursor.i32()?, cursor.i32()?);
        let (row, space) = tasks.sample(pid, tid, builder);
        (thread, view) = (Some(row), space);
    }
    let time = event.layout.time.map(|_| i64::try_from(entry.time).unwrap_or(i64::MAX));
    let mut row = Row { at: entry.at, time, column: id.row(), layout: id, thread, view, weight: event.attr.sample_period };
    if event.attr.has(bit::READ) {
        for (event, weight) in groups.split(capture, body, event)? {
            (row.column, row.weight) = (event.row(), weight);
            rows.push(row);
        }
        return Ok(());
    }
    if let Some(place) = event.layout.period {
        row.weight = field(place)?.u64()?;
    }
    rows.push(row);
    Ok(())
}

/// Makes one sample type per event and gives the event that a viewer shows first: the first one with samples. Dummy events, which count
/// nothing, get a sample type only where they have samples. Rows come with events as columns and leave with sample types.
fn add_sample_types(capture: &Capture<'_>, names: &[String], rows: &mut [Row], builder: &mut Builder) -> Option<EventId> {
    let mut is_used = vec![false; capture.events.len()];
    for row in &*rows {
        if let Some(used) = is_used.get_mut(row.column) {
            *used = true;
        }
    }
    let mut columns = Vec::new();
    let mut default = None;
    for (((id, event), name), &is_used) in capture.events.iter_ids().zip(names).zip(&is_used) {
        columns.push(builder.sample_types.len());
        if !is_used && event.attr.is_dummy() {
            continue;
        }
        let column = builder.add_sample_type(name, event.attr.unit());
        if is_used && default.is_none() {
            builder.default_sample_type = column;
            default = Some(id);
        }
    }
    for row in rows {
        row.column = columns.get(row.column).copied().unwrap_or(0);
    }
    default
}

/// What the header says about machine, command and events.
fn facts(capture: &mut Capture<'_>, names: &[String], default: Option<EventId>, builder: &mut Builder) {
    let info = &mut builder.info;
    info.facts = std::mem::take(&mut capture.features.facts);
    let mut fact = |key: &str, text: String| info.facts.push((key.to_owned(), text));
    fact("mode", if capture.is_pipe { "pipe" } else { "file" }.to_owned());
    for (event, name) in capture.events.iter().zip(names) {
        let rate = if event.attr.is_frequency() { "frequency" } else { "period" };
        let unit = if event.attr.is_frequency() { " Hz" } else { "" };
        let precise = if event.attr.precise() > 0 { format!(", precise {}", event.attr.precise()) } else { String::new() };
        let stacks = match (event.attr.has(bit::CALLCHAIN), event.attr.has(bit::STACK_USER)) {
            (_, true) => ", copied user stacks",
            (true, false) => ", call chains",
            (false, false) => "",
        };
        fact("event", format!("{name}: {rate} {}{unit}{precise}{stacks}", event.attr.sample_period));
    }
    let counts: Vec<String> = (0..)
        .zip(&capture.counts)
        .filter(|(_, count)| **count > 0)
        .map(|(n, count)| format!("{} {count}", records::name_of(n).0))
        .collect();
    fact("records", counts.join(", "));
    let fixed = default.and_then(|id| Some((id, capture.events.get(id)?))).filter(|(_, event)| !event.attr.is_frequency());
    if let Some((id, event)) = fixed {
        let name = names.get(id.row()).cloned().unwrap_or_default();
        info.period = Some((name, event.attr.unit().to_owned(), i64::try_from(event.attr.sample_period).unwrap_or(i64::MAX)));
    }
    let first = capture.entries.iter().find(|entry| entry.kind == records::SAMPLE && entry.time > 0);
    if let (Some(offset), Some(entry)) = (capture.features.wall_offset_nanos, first) {
        info.start_unix_nanos = i64::try_from(entry.time).ok().and_then(|time| time.checked_add(offset));
    }
    if let Some(entry) = first {
        info.facts.push(("first sample".to_owned(), format!("{} s", seconds(entry.time))));
    }
    let mut notes = std::mem::take(&mut capture.notes);
    notes.absorb(&builder.notes);
    builder.notes = notes;
}
