//! The file around the records: header, sections, pipe mode, compressed records; and one serial walk that lists every record.
//!
//! The walk reads only headers, times and ids, so that samples can be decoded in parallel afterwards. Damage ends the walk with a note;
//! what stands before it is kept. Deliberately absent: what records mean (`maps`, `samples`). Start reading at [`Capture::open`].

use rustc_hash::FxHashMap;
use zstd::stream::raw::{Decoder, Operation as _};

use super::attr::{Attr, Layout, MIN_BYTES, Trailer};
use super::features::{Features, SECTIONS};
use super::ids::EventId;
use super::{FORMAT, records};
use crate::base::cursor::{Cursor, Endian};
use crate::base::index::Column;
use crate::format::{ReadCx, ReadError};
use crate::model::{Notes, kind};

/// Header size of a capture that was written to a pipe.
const PIPE_HEADER: u64 = 16;
/// Header size without the feature bits, as perf before 2.6.33 wrote it.
const SMALL_HEADER: u64 = 72;
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
}

impl Event {
    fn new(attr: Attr) -> Self {
        Self { layout: attr.layout(), trailer: attr.trailer(), attr, name: None }
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

/// An opened capture: everything but the meaning of its records.
pub(super) struct Capture<'a> {
    bytes: &'a [u8],
    inflated: Vec<u8>,
    pub(super) endian: Endian,
    pub(super) is_pipe: bool,
    pub(super) events: Column<EventId, Event>,
    pub(super) by_id: FxHashMap<u64, EventId>,
    pub(super) features: Features,
    /// Every record that the other passes need, in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Number of records by kind.
    pub(super) counts: [u64; records::KINDS],
    pub(super) notes: Notes,
}

impl<'a> Capture<'a> {
    /// Reads header and sections and lists all records.
    pub(super) fn open(bytes: &'a [u8], cx: &ReadCx<'_>) -> Result<Self, ReadError> {
        let header = Header::parse(bytes)?;
        let mut capture = Self {
            bytes,
            inflated: Vec::new(),
            endian: header.endian,
            is_pipe: header.is_pipe,
            events: Column::new(),
            by_id: FxHashMap::default(),
            features: Features::default(),
            entries: Vec::new(),
            counts: [0; records::KINDS],
            notes: Notes::default(),
        };
        if header.is_pipe {
            capture.walk(PIPE_HEADER, bytes.len() as u64, cx)?;
        } else {
            capture.attr_section(&header)?;
            let (start, end) = capture.data_range(&header);
            if header.data.1 > 0 {
                capture.feature_sections(&header);
            }
            capture.walk(start, end, cx)?;
        }
        if capture.events.is_empty() {
            return Err(ReadError::new(FORMAT, 0, "the event attributes", "the capture describes no event, so its samples cannot be read"));
        }
        Ok(capture)
    }

    /// The record at a place of the list. `None` only for a place that is not from the list.
    pub(super) fn record(&self, at: u64) -> Option<Record<'_>> {
        let (bytes, start) = if at & INFLATED == 0 { (self.bytes, at) } else { (&self.inflated[..], at & !INFLATED) };
        record_at(bytes, start, bytes.len() as u64, self.endian).ok()
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
            ReadError::new(FORMAT, 24, doing, format!("{size} bytes at {at:#x}, but the file has {} bytes", self.bytes.len()))
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
        let len = self.bytes.len() as u64;
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
            if table <= self.bytes.len() as u64 {
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
        Some(Cursor::at(self.bytes.get(start..end)?, at, self.endian))
    }

    /// Lists the records between two offsets of the file.
    fn walk(&mut self, start: u64, end: u64, cx: &ReadCx<'_>) -> Result<(), ReadError> {
        let mut inflate = Inflate::default();
        let (mut at, mut told) = (start, start);
        while at < end {
            if at - told > 1 << 20 {
                cx.ticket.advance(at - told)?;
                told = at;
            }
            let record = match record_at(self.bytes, at, end, self.endian) {
                Ok(record) => record,
                Err(damage) => {
                    self.note_damage(damage, at);
                    break;
                }
            };
            let next = at + (records::HEADER_BYTES + record.body.left()) as u64;
            let payload = Self::payload(&record);
            match record.kind {
                records::COMPRESSED | records::COMPRESSED2 => {
                    self.count(record.kind);
                    let mut body = record.body;
                    let packed = if record.kind == records::COMPRESSED2 {
                        let size = body.u64().unwrap_or(0) as usize;
                        body.rest().get(..size).unwrap_or(body.rest())
                    } else {
                        body.rest()
                    };
                    if let Err(reason) = inflate.run(packed, &mut self.inflated, cx.max_bytes) {
                        if reason == TOO_LARGE {
                            return Err(ReadError::new(
                                FORMAT,
                                at,
                                "inflating records",
                                format!("they are larger than the limit of {} bytes; raise it with --max-bytes", cx.max_bytes),
                            ));
                        }
                        self.notes.add(
                            kind::TRUNCATED,
                            &format!("compressed records are damaged: {reason}; reading stopped there"),
                            1,
                            Some(at),
                        );
                        break;
                    }
                    inflate.parsed = self.walk_inflated(inflate.parsed, at);
                }
                _ => self.list(record, at),
            }
            let Some(after) = next.checked_add(payload).filter(|&after| after <= end) else {
                self.notes.add(kind::TRUNCATED, "the input ends inside the payload of a record", 1, Some(at));
                break;
            };
            if record.kind == records::HEADER_TRACING_DATA {
                let read = self.slice(next, payload).map(|body| self.features.tracing_data(body.rest()));
                if !matches!(read, Some(Ok(()))) {
                    self.notes.add(kind::NOT_UNDERSTOOD, "formats of tracepoints that are cut or damaged", 1, Some(next));
                }
            }
            at = after;
        }
        if inflate.parsed < self.inflated.len() as u64 {
            self.notes.add(kind::TRUNCATED, "the compressed records end inside a record", 1, Some(at));
        }
        Ok(cx.ticket.advance(end.saturating_sub(told))?)
    }

    /// Lists the records of the inflated bytes from `from`; gives where an unfinished one begins.
    fn walk_inflated(&mut self, from: u64, file_offset: u64) -> u64 {
        let mut at = from;
        let inflated = std::mem::take(&mut self.inflated);
        let end = inflated.len() as u64;
        while at < end {
            match record_at(&inflated, at, end, self.endian) {
                Ok(record) => {
                    self.list(record, at | INFLATED);
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
        self.inflated = inflated;
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

    fn count(&mut self, record: u32) {
        if let Some(count) = self.counts.get_mut(record as usize) {
            *count += 1;
        }
    }

    /// Takes note of one record: metadata at once, the rest by an entry.
    fn list(&mut self, record: Record<'_>, at: u64) {
        let offset = record.body.offset().saturating_sub(records::HEADER_BYTES as u64);
        self.count(record.kind);
        match record.kind {
            records::SAMPLE => self.list_sample(record, at, offset),
            records::MMAP | records::MMAP2 | records::COMM | records::FORK => {
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

    fn list_loss(&mut self, record: Record<'_>, offset: u64) {
        /// Samples that a BPF filter threw away are counted by `LOST_SAMPLES` with this bit: nothing is missing.
        const MISC_FILTERED: u16 = 1 << 15;
        let mut body = record.body;
        match record.kind {
            records::LOST => {
                let lost = body.skip(8).and_then(|()| body.u64()).unwrap_or(0);
                self.notes.add(kind::LOST_EVENTS, "events lost because the recorder was too slow (LOST)", lost, Some(offset));
            }
            records::LOST_SAMPLES if record.misc & MISC_FILTERED == 0 => {
                let lost = body.u64().unwrap_or(0);
                if lost > 0 {
                    self.notes.add(kind::LOST_EVENTS, "samples lost in the kernel (LOST_SAMPLES)", lost, Some(offset));
                }
            }
            records::THROTTLE => self.notes.add(kind::THROTTLED, "times that the kernel throttled sampling", 1, Some(offset)),
            records::UNTHROTTLE => {}
            other => {
                let (name, is_missed) = records::name_of(other);
                if other >= records::KINDS as u32 {
                    self.notes.add(kind::SKIPPED, &format!("records of unknown kind {other}"), 1, Some(offset));
                } else if is_missed {
                    self.notes.add(kind::SKIPPED, &format!("{name} records"), 1, Some(offset));
                }
            }
        }
    }

    /// A name of an event that follows its attributes.
    fn event_update(&mut self, mut body: Cursor<'_>) {
        const NAME: u64 = 2;
        let (Ok(what), Ok(id)) = (body.u64(), body.u64()) else { return };
        if what == NAME
            && let Some(event) = self.by_id.get(&id).copied().and_then(|event| self.events.get_mut(event))
        {
            event.name = Some(String::from_utf8_lossy(body.c_str()).into_owned());
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

fn record_at(bytes: &[u8], at: u64, end: u64, endian: Endian) -> Result<Record<'_>, Damage> {
    let (Ok(start), Ok(end)) = (usize::try_from(at), usize::try_from(end)) else { return Err(Damage::Cut) };
    let mut cursor = Cursor::at(bytes.get(start..end).unwrap_or(&[]), at, endian);
    let (Ok(kind), Ok(misc), Ok(size)) = (cursor.u32(), cursor.u16(), cursor.u16()) else { return Err(Damage::Cut) };
    let Some(len) = usize::from(size).checked_sub(records::HEADER_BYTES) else { return Err(Damage::Size(size)) };
    let Ok(body) = cursor.sub(len) else { return Err(Damage::Cut) };
    Ok(Record { kind, misc, body })
}

/// The file header.
struct Header {
    endian: Endian,
    is_pipe: bool,
    attr_size: u64,
    /// Offset and size.
    attrs: (u64, u64),
    data: (u64, u64),
    features: [u64; 4],
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let doing = "the header";
        let short = |short| ReadError::short(FORMAT, doing, short);
        let endian = match bytes.get(..8) {
            Some(b"2ELIFREP") => Endian::Big,
            // Version 1 has one magic for both byte orders; its attribute size is small in the right one.
            Some(b"PERFFILE") if Cursor::new(bytes.get(16..).unwrap_or(&[])).u64().is_ok_and(|size| size > 1 << 16) => Endian::Big,
            _ => Endian::Little,
        };
        let mut cursor = Cursor::at(bytes, 0, endian);
        cursor.skip(8).map_err(short)?;
        let size = cursor.u64().map_err(short)?;
        if size == PIPE_HEADER {
            return Ok(Self { endian, is_pipe: true, attr_size: 0, attrs: (0, 0), data: (0, 0), features: [0; 4] });
        }
        if !(SMALL_HEADER..=4096).contains(&size) {
            return Err(ReadError::new(FORMAT, 8, doing, format!("a header of {size} bytes, wanted 104 (file) or 16 (pipe)")));
        }
        let mut words = [0; 11];
        for word in words.iter_mut().take(if size == SMALL_HEADER { 7 } else { 11 }) {
            *word = cursor.u64().map_err(short)?;
        }
        let [attr_size, attrs_at, attrs_size, data_at, data_size, _, _, features @ ..] = words;
        Ok(Self { endian, is_pipe: false, attr_size, attrs: (attrs_at, attrs_size), data: (data_at, data_size), features })
    }
}

const TOO_LARGE: &str = "too large";

/// One zstd stream that goes on over all compressed records.
#[derive(Default)]
struct Inflate {
    decoder: Option<Decoder<'static>>,
    /// How far the inflated bytes are listed.
    parsed: u64,
}

impl Inflate {
    fn run(&mut self, mut packed: &[u8], out: &mut Vec<u8>, cap: u64) -> Result<(), String> {
        if self.decoder.is_none() {
            self.decoder = Some(Decoder::new().map_err(|error| error.to_string())?);
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut buffer = [0; 1 << 14];
        loop {
            let status = decoder.run_on_buffers(packed, &mut buffer).map_err(|error| error.to_string())?;
            packed = packed.get(status.bytes_read..).unwrap_or(&[]);
            out.extend_from_slice(buffer.get(..status.bytes_written).unwrap_or(&[]));
            if out.len() as u64 > cap {
                return Err(TOO_LARGE.to_owned());
            }
            if status.remaining == 0 && !packed.is_empty() {
                // A frame ended and another begins.
                decoder.reinit().map_err(|error| error.to_string())?;
            }
            if packed.is_empty() && status.bytes_written < buffer.len() {
                return Ok(());
            }
            if status.bytes_read == 0 && status.bytes_written == 0 {
                return Err("the stream does not go on".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_over_chunks() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let packed = zstd::encode_all(&text[..], 3).unwrap();
        let mut inflate = Inflate::default();
        let mut out = Vec::new();
        for chunk in packed.chunks(777) {
            inflate.run(chunk, &mut out, u64::MAX).unwrap();
        }
        assert!(out == text, "{} of {} bytes", out.len(), text.len());
        let mut inflate = Inflate::default();
        assert_eq!(inflate.run(&packed, &mut Vec::new(), 1000), Err(TOO_LARGE.to_owned()));
    }

    #[test]
    fn a_record_smaller_than_its_header_is_damage() {
        assert_eq!(record_at(&[9, 0, 0, 0, 0, 0, 0, 0], 0, 8, Endian::Little).map(|_| ()), Err(Damage::Size(0)));
        assert_eq!(record_at(&[9, 0, 0, 0, 0, 0, 9, 0], 0, 8, Endian::Little).map(|_| ()), Err(Damage::Cut));
    }
}
