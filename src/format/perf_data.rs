//! `perf.data`: what `perf record` writes, to a file or to a pipe.
//!
//! Three passes: a serial walk that lists records (`container`), a serial pass in time order over threads and modules (`follow`),
//! a parallel one over the samples (`samples`). Written against perf's own sources; no crate does READ groups, tracing data in
//! pipes and newer compressed records right. Copied stacks are unwound on the way (`unwind`). Deliberately absent: symbols
//! (`crate::symbol`), the file system (the loader gives the files of a directory as [`ReadCx::parts`](crate::format::ReadCx)).

mod attr;
mod cgroups;
mod container;
mod extra;
mod features;
pub mod folder;
mod follow;
mod header;
mod hybrid;
mod ids;
mod inflate;
mod labels;
mod machine;
mod maps;
mod namespaces;
mod offcpu;
mod records;
mod samples;
mod simpleperf;
#[cfg(test)]
mod tests;
mod told;
mod tracepoints;
mod unwind;

use self::attr::bit;
use self::container::{Capture, Entry};
use self::features::seconds;
use self::follow::{Followed, follow};
use self::ids::EventId;
use self::maps::Tasks;
use self::samples::Row;
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, Profile, kind};
use rayon::slice::ParallelSliceMut as _;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Name of the format in errors and output.
const FORMAT: &str = "perf-data";

/// The first bytes of a capture: the format of today in both byte orders, and that of before 2.6.32.
const MAGICS: [&[u8; 8]; 3] = [b"PERFILE2", b"2ELIFREP", b"PERFFILE"];

/// Most events without a sample that get a sample type all the same. A wildcard of tracepoints (`-e 'syscalls:*'`) is hundreds of events, and
/// each column has a value for every sample.
const UNUSED_SHOWN: usize = 16;

/// Records that are sorted without a look at the ticket.
const SORTED_AT_ONCE: usize = 1 << 19;

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
        sort_by_time(&mut capture.entries, SORTED_AT_ONCE, cx.ticket)?;
        let build_ids = std::mem::take(&mut capture.features.build_ids);
        let Followed { tasks, mut rows, deferred, cgroups } = follow(&capture, Tasks::new(build_ids), &mut builder, cx)?;
        let first = capture.entries.iter().find(|entry| entry.kind == records::SAMPLE && entry.time > 0).map(|entry| entry.time);
        // The rows hold what is of use in them.
        capture.entries = Vec::new();
        let known = labels::Names { cgroups: &cgroups, namespaces: &tasks.namespaces };
        let default_event = add_sample_types(&capture, &names, &mut rows, &mut builder);
        check_size(&builder, rows.len(), cx.max_bytes)?;
        let label = |capture: &Capture<'_>, builder: &mut Builder, rows: &[Row]| labels::label(capture, rows, &known, builder, cx);
        let labels = samples::decode_all(&mut capture, &tasks, &deferred, rows, &mut builder, cx, label)?;
        builder.rows.set_labels(labels);
        hybrid::join(&mut builder);
        facts(&mut capture, &names, default_event, &mut builder);
        // `_text` is what nearly all captures say; arm64 has `_stext`.
        let reference = tasks.kernel_symbol.as_ref().filter(|name| *name != "_text");
        builder.info.facts.extend(reference.map(|name| ("kernel reference symbol".to_owned(), name.clone())));
        start(&capture, first, &mut builder);
        Ok(builder.finish())
    }
}

/// One name per event: that of a record, of the header's list of events, of a tracepoint's format, or what the attributes say.
fn event_names(capture: &mut Capture<'_>) -> Vec<String> {
    let described = std::mem::take(&mut capture.features.events);
    // By what they count, the first one last.
    let mut unnamed = FxHashMap::<(u32, u64), Vec<EventId>>::default();
    for (id, event) in capture.events.iter_ids() {
        unnamed.entry((event.attr.kind, event.attr.config)).or_default().push(id);
    }
    #[expect(clippy::iter_over_hash_type, reason = "each list is turned around by itself")]
    for same in unnamed.values_mut() {
        same.reverse();
    }
    for event in &described {
        let by_id = event.ids.first().and_then(|id| capture.by_id.get(id).copied());
        let by_attr = || {
            // The first one that has no name yet; those before it have one, and keep it.
            let same = unnamed.get_mut(&(event.attr.kind, event.attr.config))?;
            while same.last().and_then(|id| capture.events.get(*id)).is_some_and(|mine| mine.name.is_some()) {
                same.pop();
            }
            same.last().copied()
        };
        let Some(id) = by_id.or_else(by_attr) else { continue };
        for number in &event.ids {
            capture.by_id.entry(*number).or_insert(id);
        }
        if let Some(mine) = capture.events.get_mut(id) {
            mine.name.get_or_insert_with(|| event.name.clone());
        }
    }
    let features = &capture.features;
    let name = |event: &container::Event| {
        let tracepoint =
            || capture.features.tracepoints.get(&event.attr.config).filter(|_| event.attr.kind == 2).map(|found| found.name.clone());
        event
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .or_else(tracepoint)
            .unwrap_or_else(|| event.attr.name(&|pmu| features.pmus.get(&pmu).map(String::as_str)))
    };
    capture.events.iter().map(name).collect()
}

/// Each processor wrote records of its own; together they are in no order. Equal times keep the order of the file.
///
/// Sorts parts, then merges them: one sort of a large capture could not be cancelled for a second.
fn sort_by_time(entries: &mut Vec<Entry>, part: usize, ticket: &Ticket) -> Result<(), Cancelled> {
    const TOLD: usize = 1 << 16;
    if entries.is_sorted_by_key(|entry| entry.time) {
        return Ok(());
    }
    for part in entries.chunks_mut(part) {
        ticket.check()?;
        part.par_sort_by_key(|entry| entry.time);
    }
    if entries.len() <= part {
        return Ok(());
    }
    let mut parts: Vec<&[Entry]> = entries.chunks(part).collect();
    // The earliest entry of every part; of equal times that of the first part comes first.
    let mut heads: BinaryHeap<Reverse<(u64, usize)>> =
        parts.iter().enumerate().filter_map(|(n, part)| Some(Reverse((part.first()?.time, n)))).collect();
    let mut sorted = Vec::with_capacity(entries.len());
    let mut told = 0;
    while let Some(Reverse((_, n))) = heads.pop() {
        let Some(part) = parts.get_mut(n) else { continue };
        // As many as come before those of all other parts: parts stand in the order of the file, which is nearly that of time.
        let other = heads.peek().map(|Reverse(other)| *other);
        let is_next = |entry: &&Entry| other.is_none_or(|other| (entry.time, n) < other);
        let run = part.iter().take(TOLD).take_while(is_next).count();
        let Some((run, rest)) = part.split_at_checked(run.max(1)) else { continue };
        sorted.extend_from_slice(run);
        *part = rest;
        if let Some(next) = rest.first() {
            heads.push(Reverse((next.time, n)));
        }
        told += run.len();
        if told >= TOLD {
            told = 0;
            ticket.check()?;
        }
    }
    *entries = sorted;
    Ok(())
}

/// Makes one sample type per event and gives the event that a viewer shows first: the first one with samples. Dummy events, which count
/// nothing, get a sample type only where they have samples; so do all where many have none. Rows come with events as columns and leave with sample types.
fn add_sample_types(capture: &Capture<'_>, names: &[String], rows: &mut [Row], builder: &mut Builder) -> Option<EventId> {
    // One more than there are events: time off the CPU.
    let mut is_used = vec![false; capture.events.len() + 1];
    for row in &*rows {
        if let Some(used) = is_used.get_mut(row.column) {
            *used = true;
        }
    }
    let unused = is_used.iter().take(capture.events.len()).filter(|is_used| !**is_used).count();
    let shows_unused = unused <= UNUSED_SHOWN;
    let mut columns = Vec::new();
    let mut default = None;
    let mut left_out = 0;
    for (((id, event), name), &is_used) in capture.events.iter_ids().zip(names).zip(&is_used) {
        columns.push(builder.sample_types.len());
        if !is_used && (event.attr.is_dummy() || !shows_unused) {
            left_out += usize::from(!event.attr.is_dummy());
            continue;
        }
        let unit = if name == "offcpu-time" { "nanoseconds" } else { event.attr.unit() };
        let column = builder.add_sample_type(name, unit);
        if is_used && default.is_none() {
            builder.default_sample_type = column;
            default = Some(id);
        }
    }
    if is_used.last() == Some(&true) {
        columns.push(builder.add_sample_type(offcpu::NAME, "nanoseconds"));
        if default.is_none() {
            builder.default_sample_type = builder.sample_types.len() - 1;
        }
    }
    if left_out > 0 {
        builder.info.facts.push(("events without samples".to_owned(), left_out.to_string()));
    }
    for row in rows {
        row.column = columns.get(row.column).copied().unwrap_or(0);
    }
    default
}

/// Refuses values that need more room than a capture may take: each event has one for every sample.
fn check_size(builder: &Builder, rows: usize, max_bytes: u64) -> Result<(), ReadError> {
    let events = builder.sample_types.len();
    let bytes = (rows as u64).saturating_mul(events as u64).saturating_mul(size_of::<i64>() as u64);
    if bytes <= max_bytes {
        return Ok(());
    }
    let text = format!(
        "{rows} samples of {events} events need {bytes} bytes, more than the limit of {max_bytes} bytes; record fewer events, or raise it \
         with --max-bytes"
    );
    Err(ReadError::new(FORMAT, 0, "the values of the samples", text))
}

/// The clock of the samples' times, or what is wrong where the events have several.
fn clocks(capture: &Capture<'_>) -> Result<String, String> {
    let name = |clock: Option<i32>| clock.map_or_else(|| "perf's own".to_owned(), attr::clock_name);
    let mut names: Vec<String> = capture.events.iter().map(|event| name(event.attr.clock)).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => Ok(name(None)),
        [one] => Ok(one.clone()),
        several => Err(format!("events were timed by different clocks ({}): their order in time is uncertain", several.join(", "))),
    }
}

/// What the header says about machine, command and events.
fn facts(capture: &mut Capture<'_>, names: &[String], default: Option<EventId>, builder: &mut Builder) {
    let info = &mut builder.info;
    let own = std::mem::take(&mut info.facts);
    info.facts = std::mem::take(&mut capture.features.facts);
    info.facts.extend(own);
    let has_clock = info.fact("clock").is_some();
    let mut fact = |key: &str, text: String| info.facts.push((key.to_owned(), text));
    let unused = std::mem::take(&mut capture.features.unused);
    if !unused.is_empty() {
        fact("header sections not shown", unused.join(", "));
    }
    let is_recorded = |bit: u64| capture.events.iter().any(|event| event.attr.has(bit));
    let fields: Vec<&str> = extra::UNUSED.iter().filter(|(bit, _)| is_recorded(*bit)).map(|(_, name)| *name).collect();
    if !fields.is_empty() {
        fact("sample fields not shown", fields.join(", "));
    }
    let (files, symbols) = capture.features.symbols.size();
    if files > 0 {
        fact("symbols in the file", format!("{symbols} of {files} modules"));
    }
    match clocks(capture) {
        Ok(clock) if !has_clock => fact("clock", clock),
        Ok(_) => {}
        Err(text) => builder.notes.add(kind::GUESSED, &text, 1, None),
    }
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
        // The software clocks are shown in nanoseconds, whatever perf stat would print.
        let is_clock = event.attr.unit() == "nanoseconds";
        let scale = event.scale.filter(|_| !is_clock).map(|scale| format!(", scale {scale}")).unwrap_or_default();
        let of = event.unit.as_ref().filter(|_| !is_clock).map(|unit| format!(", in {unit}")).unwrap_or_default();
        fact("event", format!("{name}: {rate} {}{unit}{precise}{stacks}{of}{scale}", event.attr.sample_period));
    }
    let counts = capture.told.counts(capture.events.len(), |id| Some(capture.event_of(id)?.row()));
    for ((event, name), count) in capture.events.iter().zip(names).zip(counts) {
        let Some(count) = count else { continue };
        let unit = if event.attr.unit() == "nanoseconds" { " ns" } else { "" };
        let tasks = capture.told.tasks();
        fact("counted", format!("{name}: {count}{unit} in {tasks} threads and processes that ended"));
    }
    for (key, text) in capture.told.code() {
        fact(key, text);
    }
    let counts: Vec<String> = (0..)
        .zip(&capture.counts)
        .filter(|(_, count)| **count > 0)
        .map(|(n, count)| format!("{} {count}", records::name_of(n).0))
        .collect();
    if !counts.is_empty() {
        fact("records", counts.join(", "));
    }
    let fixed = default.and_then(|id| Some((id, capture.events.get(id)?))).filter(|(_, event)| !event.attr.is_frequency());
    if let Some((id, event)) = fixed {
        let name = names.get(id.row()).cloned().unwrap_or_default();
        info.period = Some((name, event.attr.unit().to_owned(), i64::try_from(event.attr.sample_period).unwrap_or(i64::MAX)));
    }
    capture.note_losses();
    let mut notes = std::mem::take(&mut capture.notes);
    notes.absorb(&builder.notes);
    builder.notes = notes;
}

/// When the first sample was taken, where samples have times.
fn start(capture: &Capture<'_>, first: Option<u64>, builder: &mut Builder) {
    let Some(first) = first else { return };
    if let Some(offset) = capture.features.wall_offset_nanos {
        builder.info.start_unix_nanos = i64::try_from(first).ok().and_then(|time| time.checked_add(offset));
    }
    builder.info.facts.push(("first sample".to_owned(), format!("{} s", seconds(first))));
}
