//! What stands in the header's feature sections (or, in pipe mode, in records): facts about machine and command, names of events,
//! build ids, formats of tracepoints.
//!
//! A section that cannot be read is noted, never fatal: samples do not depend on it. Deliberately absent: what
//! is only text about the machine (`machine`). Start reading at [`Features::section`].

use rustc_hash::FxHashMap;

use super::attr::{Attr, clock_name};
use super::simpleperf::symbols::SymbolFiles;
use super::tracepoints::Tracepoint;
use super::{machine, records, simpleperf};
use crate::base::cursor::{Cursor, Short};

const TRACING_DATA: u32 = 1;
const BUILD_ID: u32 = 2;
const NRCPUS: u32 = 7;
const TOTAL_MEM: u32 = 10;
const CMDLINE: u32 = 11;
const EVENT_DESC: u32 = 12;
const GROUP_DESC: u32 = 17;
const SAMPLE_TIME: u32 = 21;
const CLOCKID: u32 = 23;
const DIR_FORMAT: u32 = 24;
const CLOCK_DATA: u32 = 29;

/// Sections that are one string: section, key of the fact.
const TEXTS: [(u32, &str); 6] = [(3, "hostname"), (4, "osrelease"), (5, "perf version"), (6, "arch"), (8, "cpudesc"), (9, "cpuid")];

/// The largest section number that the header's bits can name.
pub(super) const SECTIONS: u32 = 256;

/// An event as the header describes it.
#[derive(Clone, Debug)]
pub(super) struct EventDesc {
    pub(super) attr: Attr,
    pub(super) name: String,
    pub(super) ids: Vec<u64>,
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) facts: Vec<(String, String)>,
    pub(super) events: Vec<EventDesc>,
    /// Build id in hex by file.
    pub(super) build_ids: FxHashMap<String, String>,
    /// Tracepoints by their id.
    pub(super) tracepoints: FxHashMap<u64, Tracepoint>,
    /// Nanoseconds to add to a sample time to get nanoseconds since 1970.
    pub(super) wall_offset_nanos: Option<i64>,
    /// Names of measuring units by number.
    pub(super) pmus: FxHashMap<u32, String>,
    /// Android's recorder wrote the file.
    pub(super) is_simpleperf: bool,
    /// The symbols that it found on the device.
    pub(super) symbols: SymbolFiles,
    /// Names of sections that were left out.
    pub(super) unused: Vec<String>,
    /// True for the main file of a capture that is a directory: samples stand in files beside it.
    pub(super) is_directory_part: bool,
}

impl Features {
    /// Reads the section of that number; unknown ones are passed over.
    pub(super) fn section(&mut self, section: u32, mut body: Cursor<'_>) -> Result<(), Short> {
        if let Some((_, key)) = TEXTS.iter().find(|(number, _)| *number == section) {
            let value = text(&mut body)?;
            self.fact(key, value);
            return Ok(());
        }
        match section {
            TRACING_DATA => self.tracing_data(body.rest())?,
            BUILD_ID => self.build_id_list(body)?,
            NRCPUS => {
                let (available, online) = (body.u32()?, body.u32()?);
                self.fact("nrcpus", format!("{online} online, {available} available"));
            }
            TOTAL_MEM => {
                let kibibytes = body.u64()?;
                self.fact("total memory", format!("{kibibytes} kB"));
            }
            CMDLINE => {
                let count = body.u32()?;
                let mut words = Vec::new();
                for _ in 0..count {
                    words.push(text(&mut body)?);
                }
                self.fact("cmdline", words.join(" "));
            }
            EVENT_DESC => self.event_desc(body)?,
            GROUP_DESC => {
                for _ in 0..body.u32()? {
                    let name = text(&mut body)?;
                    let (leader, members) = (body.u32()?, body.u32()?);
                    self.fact("group", format!("{name} of {members} events, first is number {leader}"));
                }
            }
            SAMPLE_TIME => {
                let (first, last) = (body.u64()?, body.u64()?);
                // Where recording did not look into the samples (`perf record -z`) both are zero.
                if last > 0 && first <= last {
                    self.fact("sample time", format!("{} to {} s", seconds(first), seconds(last)));
                }
            }
            CLOCKID => {
                let resolution = body.u64()?;
                self.fact("clock resolution", format!("{resolution} ns"));
            }
            DIR_FORMAT => self.is_directory_part = true,
            CLOCK_DATA => {
                body.skip(4)?;
                let clock = body.u32()?;
                let (wall, own) = (body.i64()?, body.i64()?);
                self.wall_offset_nanos = Some(wall.wrapping_sub(own));
                self.fact("clock", format!("{}, wall clock known", clock_name(clock as i32)));
            }
            machine::PMU_MAPPINGS => self.pmus.extend(machine::pmu_mappings(body)?),
            simpleperf::META_INFO => self.simpleperf(body),
            simpleperf::FILE => self.symbols.fields(body)?,
            simpleperf::FILE2 => self.symbols.messages(body)?,
            _ => {
                if let Some((key, value)) = machine::fact(section, body)? {
                    self.fact(key, value);
                } else {
                    let name = machine::UNUSED.iter().chain(&simpleperf::UNUSED).find(|(number, _)| *number == section);
                    self.unused.push(name.map_or_else(|| format!("section {section}"), |(_, name)| (*name).to_owned()));
                }
            }
        }
        Ok(())
    }

    fn simpleperf(&mut self, body: Cursor<'_>) {
        self.is_simpleperf = true;
        for (key, value) in simpleperf::meta_info(body) {
            if key == simpleperf::EVENT_TYPES {
                for (name, kind, config) in simpleperf::event_types(&value) {
                    self.events.push(EventDesc { attr: Attr { kind, config, ..Attr::default() }, name, ids: Vec::new() });
                }
            } else {
                self.fact(&format!("simpleperf {key}").replace("simpleperf simpleperf_", "simpleperf "), value.replace('\n', ", "));
            }
        }
    }

    /// Takes a record of a build id (pipe mode).
    pub(super) fn build_id(&mut self, body: Cursor<'_>, misc: u16) -> Result<(), Short> {
        let found = records::build_id(body, misc)?;
        if found.id.iter().any(|&byte| byte != 0) {
            self.build_ids.insert(String::from_utf8_lossy(found.file).into_owned(), hex(found.id));
        }
        Ok(())
    }

    fn build_id_list(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        while !body.is_empty() {
            body.skip(4)?;
            let (misc, size) = (body.u16()?, usize::from(body.u16()?));
            let entry = body.sub(size.saturating_sub(records::HEADER_BYTES))?;
            if size <= records::HEADER_BYTES {
                return Ok(());
            }
            self.build_id(entry, misc)?;
        }
        Ok(())
    }

    fn event_desc(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        let (count, attr_bytes) = (body.u32()?, body.u32()? as usize);
        for _ in 0..count {
            let offset = body.offset();
            let attr = Attr::parse(body.take(attr_bytes)?, offset, body.endian())?;
            let ids = body.u32()? as usize;
            let name = text(&mut body)?;
            let mut list = body.sub(ids.saturating_mul(8))?;
            let mut numbers = Vec::new();
            while !list.is_empty() {
                numbers.push(list.u64()?);
            }
            self.events.push(EventDesc { attr, name, ids: numbers });
        }
        Ok(())
    }

    /// The tracepoints, from the format files that perf copies out of tracefs (`trace-event-info.c`).
    pub(super) fn tracing_data(&mut self, bytes: &[u8]) -> Result<(), Short> {
        let mut body = Cursor::new(bytes);
        body.skip(10)?;
        body.c_str();
        let big = body.u8()? != 0;
        let endian = if big { crate::base::cursor::Endian::Big } else { crate::base::cursor::Endian::Little };
        let mut body = Cursor::at(body.rest(), body.offset(), endian);
        // Size of a long, size of a page.
        body.skip(1 + 4)?;
        for _ in ["header_page", "header_event"] {
            body.c_str();
            let size = body.u64()?;
            body.skip(size as usize)?;
        }
        for _ in 0..body.u32()? {
            let size = body.u64()?;
            body.skip(size as usize)?;
        }
        for _ in 0..body.u32()? {
            let system = String::from_utf8_lossy(body.c_str()).into_owned();
            for _ in 0..body.u32()? {
                let size = body.u64()?;
                let format = String::from_utf8_lossy(body.take(size as usize)?);
                if let Some((id, tracepoint)) = Tracepoint::parse(&system, &format) {
                    self.tracepoints.insert(id, tracepoint);
                }
            }
        }
        Ok(())
    }

    /// Keeps a fact, unless it says nothing.
    pub(super) fn fact(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.facts.push((key.to_owned(), value));
        }
    }
}

/// Nanoseconds as seconds with six digits, as perf prints times.
pub(super) fn seconds(nanos: u64) -> String {
    format!("{}.{:06}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000)
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A length and that many bytes, padded with zeros.
pub(super) fn text(body: &mut Cursor<'_>) -> Result<String, Short> {
    let len = body.u32()? as usize;
    let mut field = body.sub(len)?;
    Ok(String::from_utf8_lossy(field.c_str()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_its_words() {
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        for word in ["perf", "record"] {
            bytes.extend(8_u32.to_le_bytes());
            bytes.extend(word.as_bytes());
            bytes.resize(bytes.len() + 8 - word.len(), 0);
        }
        let mut features = Features::default();
        features.section(CMDLINE, Cursor::new(&bytes)).unwrap();
        assert_eq!(features.facts, [("cmdline".to_owned(), "perf record".to_owned())]);
        // A count that the bytes cannot hold ends in an error, not in an allocation.
        let lie = u32::MAX.to_le_bytes();
        assert!(features.section(CMDLINE, Cursor::new(&lie)).is_err());
    }

    #[test]
    fn hex_keeps_leading_zeros() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa1]), "000fa1");
    }
}
