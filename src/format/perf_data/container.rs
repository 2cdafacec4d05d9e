//! The files around the records: header, sections, pipe mode, compressed records, directories; and one serial walk that lists every record.
//!
//! The walk reads only headers, times and ids, so that samples can be decoded in parallel afterwards. Damage ends the walk of a file with
//! a note; what stands before it is kept. Offsets count through all files of a directory, one after the other. Deliberately absent: what records mean (`maps`, `samples`). Start reading at [`Capture::open`].

use rustc_hash::FxHashMap;

use super::attr::{Attr, Layout, MIN_BYTES, Trailer, bit};
use super::features::{Features, SECTIONS};
use super::header::{Header, PIPE_HEADER};
use super::ids::EventId;
use super::inflate::{Inflate, Inflated, TOO_LARGE};
use super::told::Told;
use super::{FORMAT, records, simpleperf};
use crate::base::cursor::{Cursor, Endian, Short};
use crate::base::index::Column;
use crate::format::{ReadCx, ReadError};
use crate::model::{Notes, kind};

/// Offsets in the inflated bytes carry this bit; no file is that large.
const INFLATED: u64 = 1 << 63;

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) attr: Attr,
    pub(super) layout: Layout,
    trailer: Trailer,
    /// Its name, where a record gave one.
    pub(super) name: Option<String>,
    /// What it counts, and how many of that one count is, where a record says so.
    pub(super) unit: Option<String>,
    pub(super) scale: Option<f64>,
}

impl Event {
    pub(super) fn new(attr: Attr) -> Self {
        Self { layout: attr.layout(), trailer: attr.trailer(), attr, name: None, unit: None, scale: None }
    }
}

/// One record, found by the walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Nanoseconds of the capture's clock; 0 for records that were in force before it began.
    pub(super) time: u64,
    /// Where it stands; see [`Capture::record`].
    pub(super) at: u64,
    /// The event, for samples.
    pub(super) event: Option<EventId>,
    pub(super) kind: u32,
}

/// A record's header and body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) kind: u32,
    pub(super) misc: u16,
    pub(super) body: Cursor<'a>,
}

/// Records that are given back together: some megabytes of the file.
const GIVEN_BACK: usize = 1 << 15;

/// One file of the capture.
#[derive(Clone, Copy, Debug)]
struct File<'a> {
    bytes: &'a [u8],
    /// Offset of its first byte, counted through all files.
    base: u64,
}

/// An opened capture: everything but the meaning of its records.
pub(super) struct Capture<'a> {
    /// The main file, then those beside it.
    files: Vec<File<'a>>,
    inflated: Inflated,
    /// Where in `inflated` the content of a compressed record begins, and the record's offset; ascending.
    chunks: Vec<(u64, u64)>,
    pub(super) endian: Endian,
    pub(super) is_pipe: bool,
    pub(super) events: Column<EventId, Event>,
    pub(super) by_id: FxHashMap<u64, EventId>,
    pub(super) features: Features,
    /// Every record that the other passes need, in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// What records say about the recording as a whole.
    pub(super) told: Told,
    /// Number of records by kind.
    pub(super) counts: [u64; records::KINDS],
    pub(super) notes: Notes,
    losses: Losses,
}

/// Events that the recorder lost. Since Linux 6.0 the kernel counts by event what did not fit (`PERF_FORMAT_LOST`), which perf writes as
/// `LOST_SAMPLES`: the same as `LOST` says as it happens.
#[derive(Default)]
struct Losses {
    /// Sum of the `LOST` records.
    told: u64,
    /// Sum of the `LOST_SAMPLES` records.
    counted: u64,
    /// First byte of the first of either.
    offset: Option<u64>,
}

impl<'a> Capture<'a> {
    /// Reads header and sections and lists all records.
    pub(super) fn open(bytes: &'a [u8], cx: &ReadCx<'a>) -> Result<Self, ReadError> {
        let header = Header::parse(bytes)?;
        let mut capture = Self {
            files: vec![File { bytes, base: 0 }],
            inflated: Inflated::default(),
            chunks: Vec::new(),
            endian: header.endian,
            is_pipe: header.is_pipe,
            events: Column::new(),
            by_id: FxHashMap::default(),
            features: Features::default(),
            entries: Vec::new(),
            told: Told::default(),
            counts: [0; records::KINDS],
            notes: Notes::default(),
            losses: Losses::default(),
        };
        if header.is_pipe {
            capture.walk(0, PIPE_HEADER, bytes.len() as u64, cx)?;
        } else {
            capture.attr_section(&header)?;
            let (start, end) = capture.data_range(&header);
            if header.data.1 > 0 {
                capture.feature_sections(&header);
            }
            capture.walk(0, start, end, cx)?;
            if capture.features.is_directory_part || header.data.1 == 0 {
                capture.walk_parts(cx)?;
            }
        }
        if capture.events.is_empty() {
            return Err(ReadError::new(FORMAT, 0, "the event attributes", "the capture describes no event, so its samples cannot be read"));
        }
        Ok(capture)
    }

    /// Lists the records of the files beside the main one: each holds what one of perf's threads recorded, without a header.
    fn walk_parts(&mut self, cx: &ReadCx<'a>) -> Result<(), ReadError> {
        let mut base = self.bytes().len() as u64;
        let mut shown = Vec::new();
        for part in cx.parts {
            if super::MAGICS.iter().any(|magic| part.bytes.starts_with(*magic)) {
                let text = format!("{} beside it is a capture of its own and was left out", part.name);
                self.notes.add(kind::SKIPPED, &text, 1, Some(base));
                continue;
            }
            self.files.push(File { bytes: part.bytes, base });
            shown.push(format!("{} from byte {base:#x}", part.name));
            self.walk(self.files.len() - 1, 0, part.bytes.len() as u64, cx)?;
            base += part.bytes.len() as u64;
        }
        if !shown.is_empty() {
            self.features.fact("files beside it", shown.join(", "));
        } else if self.features.is_directory_part {
            let text =
                "this is one file of a capture that is a folder (perf record --threads); the files with the samples are not beside it";
            self.notes.add(kind::SKIPPED, text, 1, None);
        }
        Ok(())
    }

    /// The main file.
    fn bytes(&self) -> &'a [u8] {
        self.files.first().map_or(&[], |file| file.bytes)
    }

    /// The record at a place of the list. `None` only for a place that is not from the list.
    pub(super) fn record(&self, at: u64) -> Option<Record<'_>> {
        if at & INFLATED != 0 {
            let at = at & !INFLATED;
            let (start, bytes) = self.inflated.block(at)?;
            return record_at(bytes, start, at - start, bytes.len() as u64, self.endian).ok();
        }
        let file = self.files.get(self.file_of(at)?)?;
        record_at(file.bytes, file.base, at.checked_sub(file.base)?, file.bytes.len() as u64, self.endian).ok()
    }

    /// The first place in what was inflated, of some places of the list.
    pub(super) fn first_inflated(places: impl Iterator<Item = u64>) -> Option<u64> {
        places.filter(|at| at & INFLATED != 0).min()
    }

    /// Gives up what was inflated before a place of the list: its records are not there any more.
    pub(super) fn give_up_before(&mut self, at: u64) {
        self.inflated.give_up_before(at & !INFLATED);
    }

    /// Called for each of `items` in turn: says now and then that those before the `n`th were looked at.
    pub(super) fn pass<T>(&self, items: &[T], n: usize, place: impl Fn(&T) -> u64, cx: &ReadCx<'_>) {
        if n > 0 && n.is_multiple_of(GIVEN_BACK) {
            self.done_with(items.get(n - GIVEN_BACK..n).unwrap_or(&[]).iter().map(place), cx);
        }
    }

    /// Says that records were looked at and are not needed for now: those of the file between the first and the last of some places of the list.
    pub(super) fn done_with(&self, places: impl Iterator<Item = u64>, cx: &ReadCx<'_>) {
        let mut ranges = vec![(u64::MAX, 0); self.files.len()];
        for at in places.filter(|at| at & INFLATED == 0) {
            if let Some((first, last)) = self.file_of(at).and_then(|file| ranges.get_mut(file)) {
                (*first, *last) = (at.min(*first), at.max(*last));
            }
        }
        for (file, (first, last)) in self.files.iter().zip(ranges) {
            let range = first.saturating_sub(file.base) as usize..last.saturating_sub(file.base) as usize;
            cx.done_with(file.bytes.get(range).unwrap_or(&[]));
        }
    }

    /// The row of the file in which a place of the list stands.
    fn file_of(&self, at: u64) -> Option<usize> {
        let after = if self.files.len() > 1 { self.files.partition_point(|file| file.base <= at) } else { 1 };
        after.checked_sub(1)
    }

    /// The offset in the file of a place of the list: for an inflated record that of the compressed record in which it begins.
    pub(super) fn file_offset(&self, at: u64) -> u64 {
        if at & INFLATED == 0 {
            return at;
        }
        let after = self.chunks.partition_point(|(start, _)| *start <= at & !INFLATED);
        after.checked_sub(1).and_then(|chunk| self.chunks.get(chunk)).map_or(0, |(_, offset)| *offset)
    }

    /// The event of an id that stands in a sample; a lone event needs none, and perf's own records have id 0.
    pub(super) fn event_of(&self, id: Option<u64>) -> Option<EventId> {
        match id {
            Some(id) if self.events.len() > 1 && id != 0 => self.by_id.get(&id).copied(),
            _ => EventId::from_row(0).filter(|_| !self.events.is_empty()),
        }
    }

    fn add_event(&mut self, attr: Attr, ids: Cursor<'_>) {
        let mut ids = ids;
        if let Some(event) = self.events.push(Event::new(attr)) {
            while let Ok(id) = ids.u64() {
                self.by_id.entry(id).or_insert(event);
            }
        }
    }

    fn attr_section(&mut self, header: &Header) -> Result<(), ReadError> {
        let doing = "the attribute section";
        let entry = header.attr_size as usize;
        if entry < MIN_BYTES + 16 || header.attr_size > 1 << 16 {
            return Err(ReadError::new(FORMAT, 16, doing, format!("an attribute of {} bytes, wanted at least {}", entry, MIN_BYTES + 16)));
        }
        let (at, size) = header.attrs;
        let mut section = self.slice(at, size).ok_or_else(|| {
            ReadError::new(FORMAT, 24, doing, format!("{size} bytes at {at:#x}, but the file has {} bytes", self.bytes().len()))
        })?;
        while section.left() >= entry {
            let offset = section.offset();
            let short = |short| ReadError::short(FORMAT, doing, short);
            let mut row = section.sub(entry).map_err(short)?;
            let attr = Attr::parse(row.take(entry - 16).map_err(short)?, offset, self.endian).map_err(short)?;
            let (at, size) = (row.u64().map_err(short)?, row.u64().map_err(short)?);
            let ids = self.slice(at, size);
            if ids.is_none() {
                self.notes.add(kind::REPAIRED, "ids of an event stand outside the file and were ignored", 1, Some(offset));
            }
            self.add_event(attr, ids.unwrap_or_else(|| Cursor::new(&[])));
        }
        Ok(())
    }

    /// Where the records stand. A recorder that was killed leaves size 0; a cut file is shorter than it says.
    fn data_range(&mut self, header: &Header) -> (u64, u64) {
        let len = self.bytes().len() as u64;
        let (start, size) = header.data;
        if size == 0 && start < len && start > 0 {
            let text = "the recorder did not finish the file (data size 0); records were read up to its end, header facts are missing";
            self.notes.add(kind::TRUNCATED, text, 1, Some(40));
            return (start, len);
        }
        let end = start.saturating_add(size);
        if end > len {
            let text = "the file ends before its data section does; the rest of the samples and all header facts are missing";
            self.notes.add(kind::TRUNCATED, text, 1, Some(len));
        }
        (start.min(len), end.min(len))
    }

    fn feature_sections(&mut self, header: &Header) {
        let table = header.data.0.saturating_add(header.data.1);
        let wanted: Vec<u32> =
            (0..SECTIONS).filter(|bit| header.features.get(*bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)).collect();
        let Some(mut rows) = self.slice(table, wanted.len() as u64 * 16) else {
            if table <= self.bytes().len() as u64 {
                self.notes.add(kind::TRUNCATED, "the table of header facts is cut", 1, Some(table));
            }
            return;
        };
        for section in wanted {
            let (Ok(at), Ok(size)) = (rows.u64(), rows.u64()) else { return };
            let read = self.slice(at, size).map(|body| self.features.section(section, body));
            if !matches!(read, Some(Ok(()))) {
                self.notes.add(kind::NOT_UNDERSTOOD, "header sections that are cut or damaged", 1, Some(at));
            }
        }
    }

    fn slice(&self, at: u64, size: u64) -> Option<Cursor<'a>> {
        let (start, end) = (usize::try_from(at).ok()?, usize::try_from(at.checked_add(size)?).ok()?);
        Some(Cursor::at(self.bytes().get(start..end)?, at, self.endian))
    }

    /// Lists the records between two offsets of one file.
    fn walk(&mut self, file: usize, start: u64, end: u64, cx: &ReadCx<'_>) -> Result<(), ReadError> {
        let Some(&File { bytes, base }) = self.files.get(file) else { return Ok(()) };
        self.inflated.begin();
        let mut inflate = Inflate::from(self.inflated.len());
        let (mut at, mut told) = (start, start);
        while at < end {
            if at - told > 1 << 20 {
                cx.ticket.advance(at - told)?;
                cx.done_with(bytes.get(told as usize..at as usize).unwrap_or(&[]));
                told = at;
            }
            let record = match record_at(bytes, base, at, end, self.endian) {
                Ok(record) => record,
                Err(damage) => {
                    self.note_damage(damage, base + at);
                    break;
                }
            };
            let next = at + (records::HEADER_BYTES + record.body.left()) as u64;
            let payload = Self::payload(&record);
            if matches!(record.kind, records::COMPRESSED | records::COMPRESSED2) {
                self.count(record.kind);
                if !self.unpack(&record, base + at, &mut inflate, cx)? {
                    break;
                }
            } else {
                self.list(record, base + at, base + at);
            }
            let Some(after) = next.checked_add(payload).filter(|&after| after <= end) else {
                self.notes.add(kind::TRUNCATED, "the input ends inside the payload of a record", 1, Some(base + at));
                break;
            };
            if record.kind == records::HEADER_TRACING_DATA && file == 0 {
                let read = self.slice(next, payload).map(|body| self.features.tracing_data(body.rest()));
                if !matches!(read, Some(Ok(()))) {
                    self.notes.add(kind::NOT_UNDERSTOOD, "formats of tracepoints that are cut or damaged", 1, Some(next));
                }
            }
            at = after;
        }
        if inflate.parsed < self.inflated.len() {
            self.notes.add(kind::TRUNCATED, "the compressed records end inside a record", 1, Some(base + at));
        }
        Ok(cx.ticket.advance(end.saturating_sub(told))?)
    }

    /// Inflates one compressed record and lists what is whole by then. False where the stream is damaged.
    fn unpack(&mut self, record: &Record<'_>, offset: u64, inflate: &mut Inflate, cx: &ReadCx<'_>) -> Result<bool, ReadError> {
        let mut body = record.body;
        let packed = if record.kind == records::COMPRESSED2 {
            let size = body.u64().unwrap_or(0) as usize;
            body.rest().get(..size).unwrap_or(body.rest())
        } else {
            body.rest()
        };
        self.chunks.push((self.inflated.len(), offset));
        let (start, bytes) = self.inflated.last();
        match inflate.run(packed, bytes, cx.max_bytes.saturating_sub(start)) {
            Err(reason) if reason == TOO_LARGE => {
                let text = format!("they are larger than the limit of {} bytes; raise it with --max-bytes", cx.max_bytes);
                Err(ReadError::new(FORMAT, offset, "inflating records", text))
            }
            Err(reason) => {
                let text = format!("compressed records are damaged: {reason}; reading stopped there");
                self.notes.add(kind::TRUNCATED, &text, 1, Some(offset));
                Ok(false)
            }
            Ok(()) => {
                inflate.parsed = self.walk_inflated(inflate.parsed, offset);
                self.inflated.cut(inflate.parsed);
                Ok(true)
            }
        }
    }

    /// Lists the records of the inflated bytes from `from`; gives where an unfinished one begins.
    fn walk_inflated(&mut self, from: u64, file_offset: u64) -> u64 {
        let mut at = from;
        let (start, bytes) = self.inflated.last();
        let inflated = std::mem::take(bytes);
        let end = start + inflated.len() as u64;
        while at < end {
            match record_at(&inflated, start, at - start, end - start, self.endian) {
                Ok(record) => {
                    self.list(record, at | INFLATED, file_offset);
                    at += (records::HEADER_BYTES + record.body.left()) as u64;
                }
                // The rest comes with the next compressed record.
                Err(Damage::Cut) => break,
                Err(damage) => {
                    self.note_damage(damage, file_offset);
                    at = end;
                }
            }
        }
        *self.inflated.last().1 = inflated;
        at
    }

    fn note_damage(&mut self, damage: Damage, at: u64) {
        match damage {
            Damage::Cut => self.notes.add(kind::TRUNCATED, "the input ends inside a record", 1, Some(at)),
            Damage::Size(size) => {
                let text = format!("a record of {size} bytes is smaller than its header; reading stopped there");
                self.notes.add(kind::TRUNCATED, &text, 1, Some(at));
            }
        }
    }

    /// Bytes that follow a record without being part of it.
    fn payload(record: &Record<'_>) -> u64 {
        let mut body = record.body;
        match record.kind {
            records::HEADER_TRACING_DATA => body.u32().map_or(0, |size| u64::from(size).next_multiple_of(8)),
            records::AUXTRACE => body.u64().unwrap_or(0),
            _ => 0,
        }
    }

    /// How many records of a kind there are.
    pub(super) fn count_of(&self, record: u32) -> u64 {
        self.counts.get(record as usize).copied().unwrap_or(0)
    }

    fn count(&mut self, record: u32) {
        if let Some(count) = self.counts.get_mut(record as usize) {
            *count += 1;
        }
    }

    /// Takes note of one record: metadata at once, the rest by an entry. `offset` is the place in the file for notes.
    fn list(&mut self, record: Record<'_>, at: u64, offset: u64) {
        self.count(record.kind);
        match record.kind {
            records::SAMPLE => self.list_sample(record, at, offset),
            records::MMAP
            | records::MMAP2
            | records::COMM
            | records::FORK
            | records::EXIT
            | records::SWITCH
            | records::SWITCH_CPU_WIDE
            | records::CALLCHAIN_DEFERRED
            | records::CGROUP
            | records::NAMESPACES
            | records::KSYMBOL => {
                let time = self.trailer_time(record);
                self.entries.push(Entry { time, at, event: None, kind: record.kind });
            }
            records::HEADER_ATTR => {
                let mut body = record.body;
                let bytes = body.rest();
                let size = Cursor::at(bytes.get(4..).unwrap_or(&[]), 0, self.endian).u32().map_or(0, |size| size as usize).max(MIN_BYTES);
                match Attr::parse(bytes.get(..size).unwrap_or(bytes), offset, self.endian) {
                    Ok(attr) => {
                        body.skip(size.min(bytes.len())).ok();
                        self.add_event(attr, body);
                    }
                    Err(_) => self.notes.add(kind::NOT_UNDERSTOOD, "event attributes that are cut", 1, Some(offset)),
                }
            }
            records::EVENT_UPDATE => self.event_update(record.body),
            records::READ | records::BPF_EVENT | records::TEXT_POKE => {
                let first = EventId::from_row(0).and_then(|id| self.events.get(id));
                let told = match record.kind {
                    records::BPF_EVENT => self.told.bpf(record.body),
                    records::READ => first.map_or(Ok(()), |event| self.told.read(record.body, &event.attr)),
                    _ => {
                        self.told.poke();
                        Ok(())
                    }
                };
                if told.is_err() {
                    let (name, _) = records::name_of(record.kind);
                    self.notes.add(kind::NOT_UNDERSTOOD, &format!("{name} records that are cut or damaged"), 1, Some(offset));
                }
            }
            records::HEADER_BUILD_ID => {
                if self.features.build_id(record.body, record.misc).is_err() {
                    self.notes.add(kind::NOT_UNDERSTOOD, "build ids that are cut", 1, Some(offset));
                }
            }
            records::HEADER_FEATURE => {
                let mut body = record.body;
                let section = body.u64().map_or(SECTIONS, |section| u32::try_from(section).unwrap_or(SECTIONS));
                if self.features.section(section, body).is_err() {
                    self.notes.add(kind::NOT_UNDERSTOOD, "header sections that are cut or damaged", 1, Some(offset));
                }
            }
            _ => self.list_loss(record, offset),
        }
    }

    fn list_sample(&mut self, record: Record<'_>, at: u64, offset: u64) {
        let body = record.body.rest();
        let endian = self.endian;
        let field = |place: Option<usize>| place.and_then(|place| Cursor::at(body.get(place..)?, 0, endian).u64().ok());
        // All events of a capture keep the id at one place: that is how perf finds it, too.
        let first = EventId::from_row(0).and_then(|id| self.events.get(id));
        let id = first.and_then(|event| field(event.layout.id));
        let event = self.event_of(id).and_then(|id| Some((id, self.events.get(id)?)));
        let Some((id, event)) = event else {
            self.notes.add(kind::NOT_UNDERSTOOD, "samples of an event that the capture does not describe", 1, Some(offset));
            return;
        };
        if body.len() < event.layout.variable {
            self.notes.add(kind::NOT_UNDERSTOOD, "samples that are shorter than their event says", 1, Some(offset));
            return;
        }
        let time = field(event.layout.time).unwrap_or(0);
        self.entries.push(Entry { time, at, event: Some(id), kind: record.kind });
    }

    /// Process and thread of a record that is no sample; `None` where records do not carry them.
    pub(super) fn trailer_task(&self, body: Cursor<'_>) -> Option<(i32, i32)> {
        let bytes = body.rest();
        let event = EventId::from_row(0).and_then(|id| self.events.get(id)).filter(|event| event.attr.has_sample_id_all())?;
        let at = bytes.len().checked_sub(event.trailer.tid?)?;
        let mut cursor = Cursor::at(bytes.get(at..)?, 0, self.endian);
        Some((cursor.i32().ok()?, cursor.i32().ok()?))
    }

    /// Time of a record that is no sample. Without one it is taken to happen when the record before it did.
    fn trailer_time(&self, record: Record<'_>) -> u64 {
        let body = record.body.rest();
        let field = |back: Option<usize>| Cursor::at(body.get(body.len().checked_sub(back?)?..)?, 0, self.endian).u64().ok();
        let first = EventId::from_row(0).and_then(|id| self.events.get(id));
        match first {
            Some(event) if event.attr.has_sample_id_all() => {
                let own = self.event_of(field(event.trailer.id)).and_then(|id| self.events.get(id)).unwrap_or(event);
                field(own.trailer.time).unwrap_or(0)
            }
            _ => self.entries.last().map_or(0, |entry| entry.time),
        }
    }

    /// Id of the thread that a record which is no sample belongs to; `trailer` begins where the trailer does.
    pub(super) fn trailer_thread(&self, mut trailer: Cursor<'_>) -> Result<i32, Short> {
        let first = EventId::from_row(0).and_then(|id| self.events.get(id));
        if first.is_some_and(|event| event.attr.has_sample_id_all() && event.attr.has(bit::TID)) {
            trailer.skip(4)?;
            return trailer.i32();
        }
        Ok(0)
    }

    fn list_loss(&mut self, record: Record<'_>, offset: u64) {
        /// Samples that a BPF filter threw away are counted by `LOST_SAMPLES` with this bit: nothing is missing.
        const MISC_FILTERED: u16 = 1 << 15;
        let mut body = record.body;
        match record.kind {
            records::LOST => {
                let lost = body.skip(8).and_then(|()| body.u64()).unwrap_or(0);
                self.losses.told = self.losses.told.saturating_add(lost);
                self.losses.offset.get_or_insert(offset);
            }
            records::LOST_SAMPLES if record.misc & MISC_FILTERED == 0 => {
                let lost = body.u64().unwrap_or(0);
                if lost > 0 {
                    self.losses.counted = self.losses.counted.saturating_add(lost);
                    self.losses.offset.get_or_insert(offset);
                }
            }
            records::THROTTLE => self.notes.add(kind::THROTTLED, "times that the kernel throttled sampling", 1, Some(offset)),
            records::UNTHROTTLE => {}
            other => {
                let (name, is_missed) = records::name_of(other);
                if let Some(name) = simpleperf::name_of(other) {
                    if other == simpleperf::TRACING_DATA && body.u32().is_ok() && self.features.tracing_data(body.rest()).is_ok() {
                        return;
                    }
                    self.notes.add(kind::SKIPPED, &format!("{name} records"), 1, Some(offset));
                } else if other >= records::KINDS as u32 {
                    self.notes.add(kind::SKIPPED, &format!("records of unknown kind {other}"), 1, Some(offset));
                } else if is_missed {
                    self.notes.add(kind::SKIPPED, &format!("{name} records"), 1, Some(offset));
                }
            }
        }
    }

    /// Notes how many events were lost; for when all records are listed.
    pub(super) fn note_losses(&mut self) {
        let Losses { told, counted, offset } = self.losses;
        let cause = match (told > 0, counted > 0) {
            (false, false) => return,
            (true, false) => "events lost because the recorder was too slow (LOST)",
            (false, true) => "samples lost in the kernel (LOST_SAMPLES)",
            (true, true) => "events lost because the recorder was too slow (LOST, and LOST_SAMPLES of the same)",
        };
        self.notes.add(kind::LOST_EVENTS, cause, told.max(counted), offset);
    }

    /// Name, unit or scale of an event, which follow its attributes (`PERF_EVENT_UPDATE__*`).
    fn event_update(&mut self, mut body: Cursor<'_>) {
        const UNIT: u64 = 0;
        const SCALE: u64 = 1;
        const NAME: u64 = 2;
        let (Ok(what), Ok(id)) = (body.u64(), body.u64()) else { return };
        let Some(event) = self.by_id.get(&id).copied().and_then(|event| self.events.get_mut(event)) else { return };
        match what {
            UNIT => event.unit = Some(String::from_utf8_lossy(body.c_str()).into_owned()).filter(|unit| !unit.is_empty()),
            SCALE => event.scale = body.u64().ok().map(f64::from_bits),
            NAME => event.name = Some(String::from_utf8_lossy(body.c_str()).into_owned()),
            // On which processors: each sample says it better.
            _ => {}
        }
    }
}

/// Why no record stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// The bytes end before it does.
    Cut,
    /// It says that it is smaller than a header.
    Size(u16),
}

fn record_at(bytes: &[u8], base: u64, at: u64, end: u64, endian: Endian) -> Result<Record<'_>, Damage> {
    let (Ok(start), Ok(end)) = (usize::try_from(at), usize::try_from(end)) else { return Err(Damage::Cut) };
    let mut cursor = Cursor::at(bytes.get(start..end).unwrap_or(&[]), base + at, endian);
    let (Ok(kind), Ok(misc), Ok(size)) = (cursor.u32(), cursor.u16(), cursor.u16()) else { return Err(Damage::Cut) };
    let Some(len) = usize::from(size).checked_sub(records::HEADER_BYTES) else { return Err(Damage::Size(size)) };
    let Ok(body) = cursor.sub(len) else { return Err(Damage::Cut) };
    Ok(Record { kind, misc, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_smaller_than_its_header_is_damage() {
        assert_eq!(record_at(&[9, 0, 0, 0, 0, 0, 0, 0], 0, 0, 8, Endian::Little).map(|_| ()), Err(Damage::Size(0)));
        assert_eq!(record_at(&[9, 0, 0, 0, 0, 0, 9, 0], 0, 0, 8, Endian::Little).map(|_| ()), Err(Damage::Cut));
    }
}
