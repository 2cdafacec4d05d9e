//! The dump that a run-time compiler leaves for perf (`jit-PID.dump`): what code lay where, with lines.
//!
//! Code may be replaced and moved while the program runs; a frame has no time, so an address has the name of what was put there last. A
//! dump that ends in the middle (the process still ran, or was killed) gives what it has. Deliberately absent: the code's bytes and
//! unwinding records. Source: `tools/perf/Documentation/jitdump-specification.txt` of Linux. Start reading at [`Dump::new`].

use std::borrow::Cow;
use std::sync::Arc;

use super::answer::{Answer, Source};
use crate::base::cursor::{Cursor, Endian, Short};
use crate::base::layers::Layers;
use crate::base::ticket::{Cancelled, Ticket};

const MAGIC: u32 = 0x4a69_5444;

/// Kinds of records.
const LOAD: u32 = 0;
const MOVE: u32 = 1;
const DEBUG_INFO: u32 = 2;

/// One place in a source file, for code from an address on.
struct Line<'a> {
    address: u64,
    line: u32,
    file: Cow<'a, str>,
}

/// A compiled function.
struct Code<'a> {
    name: Cow<'a, str>,
    /// Where it lay when its lines were written.
    start: u64,
    /// In address order.
    lines: Arc<[Line<'a>]>,
}

/// Code at a stretch of addresses.
#[derive(Clone, Copy)]
struct Stretch {
    /// Row of the code.
    code: usize,
    /// Where the code begins, which may lie before the stretch.
    start: u64,
}

/// A parsed dump.
pub(super) struct Dump<'a> {
    pid: u32,
    codes: Vec<Code<'a>>,
    /// What was put at each address last.
    stretches: Layers<Stretch>,
    /// Where code of another name lay before.
    replaced: Layers<()>,
}

impl<'a> Dump<'a> {
    /// Reads a dump of either byte order; `None` for other files.
    pub(super) fn new(bytes: &'a [u8], ticket: &Ticket) -> Result<Option<Self>, Cancelled> {
        let magic = bytes.first_chunk::<4>().copied().unwrap_or_default();
        let endian = if u32::from_le_bytes(magic) == MAGIC {
            Endian::Little
        } else if u32::from_be_bytes(magic) == MAGIC {
            Endian::Big
        } else {
            return Ok(None);
        };
        let mut cursor = Cursor::at(bytes, 0, endian);
        let Ok((pid, mut cursor)) = header(&mut cursor) else { return Ok(None) };
        let mut dump = Self { pid, codes: Vec::new(), stretches: Layers::default(), replaced: Layers::default() };
        // Lines stand before the code that they belong to.
        let mut lines: Vec<Line<'a>> = Vec::new();
        let mut records = 0_u64;
        while let Ok((kind, mut record)) = next_record(&mut cursor) {
            records += 1;
            if records.is_multiple_of(1024) {
                ticket.check()?;
            }
            // A record that contradicts itself is left out; the next one is found by the size.
            let read = match kind {
                LOAD => dump.load(&mut record, std::mem::take(&mut lines)),
                MOVE => dump.moved(&mut record),
                DEBUG_INFO => read_lines(&mut record).map(|read| lines = read),
                _ => Ok(()),
            };
            if read.is_err() {
                lines.clear();
            }
        }
        Ok(Some(dump))
    }

    /// The process that wrote it.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// True where code was found.
    pub(super) fn has_code(&self) -> bool {
        !self.codes.is_empty()
    }

    fn load(&mut self, record: &mut Cursor<'a>, mut lines: Vec<Line<'a>>) -> Result<(), Short> {
        // Process, thread, address in the file of `perf inject`.
        record.skip(4 + 4 + 8)?;
        let (start, size) = (record.u64()?, record.u64()?);
        record.skip(8)?;
        let name = String::from_utf8_lossy(record.c_str());
        // Stable: of several lines at one address the last one counts.
        lines.sort_by_key(|line| line.address);
        self.codes.push(Code { name, start, lines: lines.into() });
        self.put(start, size, self.codes.len() - 1);
        Ok(())
    }

    fn moved(&mut self, record: &mut Cursor<'a>) -> Result<(), Short> {
        record.skip(4 + 4 + 8)?;
        let (old, new, size) = (record.u64()?, record.u64()?, record.u64()?);
        if let Some(code) = self.stretches.at(old).map(|stretch| stretch.code) {
            self.put(new, size, code);
        }
        Ok(())
    }

    /// Code came to lie at an address, over whatever lay there.
    fn put(&mut self, start: u64, size: u64, code: usize) {
        if let Some(end) = start.checked_add(size) {
            let name = |code: usize| self.codes.get(code).map(|code| &code.name);
            for (from, to, _) in self.stretches.between(start, end).filter(|(.., old)| name(old.code) != name(code)) {
                self.replaced.put(from, to, ());
            }
            self.stretches.put(start, end, Stretch { code, start });
        }
    }

    /// True where code of another name lay before what is there now.
    pub(super) fn is_replaced(&self, address: u64) -> bool {
        self.replaced.at(address).is_some()
    }

    /// Adds what stands at an address; false where nothing does.
    pub(super) fn levels(&self, address: u64, answer: &mut Answer) -> bool {
        let Some(stretch) = self.stretches.at(address) else { return false };
        let Some(code) = self.codes.get(stretch.code).filter(|code| !code.name.is_empty()) else { return false };
        // Lines stay where the code was first.
        let first = address.wrapping_sub(stretch.start).wrapping_add(code.start);
        let line = code.lines.partition_point(|line| line.address <= first).checked_sub(1).and_then(|at| code.lines.get(at));
        let source = line.map_or_else(Source::default, |line| Source { file: Some(&line.file), line: line.line, ..Source::default() });
        answer.push(&code.name, source);
        true
    }
}

/// Gives the process and what follows the header.
fn header<'a>(cursor: &mut Cursor<'a>) -> Result<(u32, Cursor<'a>), Short> {
    let whole = *cursor;
    // Magic and version.
    cursor.skip(4 + 4)?;
    let size = cursor.u32()?;
    // Machine, padding.
    cursor.skip(4 + 4)?;
    let pid = cursor.u32()?;
    let mut records = whole;
    records.skip(size as usize)?;
    Ok((pid, records))
}

/// The next record: its kind and what follows its prefix. A last record that is cut is given as far as it goes.
fn next_record<'a>(cursor: &mut Cursor<'a>) -> Result<(u32, Cursor<'a>), Short> {
    /// Kind, size, time.
    const PREFIX: usize = 16;
    let (kind, size) = (cursor.u32()?, cursor.u32()? as usize);
    cursor.skip(8)?;
    let left = cursor.rest().len();
    // A size without room for its own prefix would stand still.
    let record = cursor.sub(size.saturating_sub(PREFIX).min(left))?;
    Ok((kind, record))
}

fn read_lines<'a>(record: &mut Cursor<'a>) -> Result<Vec<Line<'a>>, Short> {
    record.skip(8)?;
    let count = record.u64()?;
    let mut lines: Vec<Line<'a>> = Vec::new();
    for _ in 0..count {
        let (address, line) = (record.u64()?, record.u32()?);
        record.skip(4)?;
        let name = record.c_str();
        // 0xff alone stands for the name before.
        let file = match (name, lines.last()) {
            (b"\xff", Some(before)) => before.file.clone(),
            _ => String::from_utf8_lossy(name),
        };
        lines.push(Line { address, line, file });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a dump as the specification has it.
    struct Writer {
        is_little: bool,
        out: Vec<u8>,
    }

    impl Writer {
        fn new(is_little: bool) -> Self {
            let mut writer = Self { is_little, out: Vec::new() };
            let mut head = Vec::new();
            for value in [MAGIC, 1, 40, 62, 0, 77] {
                writer.u32(&mut head, value);
            }
            head.extend([0; 16]);
            writer.out = head;
            writer
        }

        fn u32(&self, out: &mut Vec<u8>, value: u32) {
            out.extend(if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() });
        }

        fn u64(&self, out: &mut Vec<u8>, value: u64) {
            out.extend(if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() });
        }

        fn record(&mut self, kind: u32, body: &[u8]) {
            let mut out = Vec::new();
            self.u32(&mut out, kind);
            self.u32(&mut out, body.len() as u32 + 16);
            self.u64(&mut out, 5);
            self.out.extend(out);
            self.out.extend(body);
        }

        fn load(&mut self, start: u64, size: u64, name: &str) {
            let mut body = Vec::new();
            for value in [77, 78] {
                self.u32(&mut body, value);
            }
            for value in [start, start, size, 1] {
                self.u64(&mut body, value);
            }
            body.extend(name.as_bytes());
            body.push(0);
            body.extend(vec![0x90; size as usize]);
            self.record(LOAD, &body);
        }

        fn moved(&mut self, old: u64, new: u64, size: u64) {
            let mut body = Vec::new();
            for value in [77, 78] {
                self.u32(&mut body, value);
            }
            for value in [new, old, new, size, 1] {
                self.u64(&mut body, value);
            }
            self.record(MOVE, &body);
        }

        fn lines(&mut self, start: u64, lines: &[(u64, u32, &[u8])]) {
            let mut body = Vec::new();
            self.u64(&mut body, start);
            self.u64(&mut body, lines.len() as u64);
            for (address, line, file) in lines {
                self.u64(&mut body, *address);
                self.u32(&mut body, *line);
                self.u32(&mut body, 0);
                body.extend(*file);
                body.push(0);
            }
            self.record(DEBUG_INFO, &body);
        }
    }

    fn made(is_little: bool) -> Vec<u8> {
        let mut writer = Writer::new(is_little);
        writer.lines(0x1000, &[(0x1000, 3, b"a.js"), (0x1010, 4, b"\xff"), (0x1018, 9, b"b.js")]);
        writer.load(0x1000, 0x20, "first");
        writer.load(0x2000, 0x40, "second");
        writer.record(4, &[1; 24]);
        writer.load(0x2010, 0x10, "inside");
        writer.moved(0x1000, 0x3000, 0x20);
        writer.load(0x1000, 0x10, "again");
        writer.record(3, &[]);
        writer.out
    }

    fn names(dump: &Dump<'_>, address: u64) -> Vec<String> {
        let mut answer = Answer::default();
        dump.levels(address, &mut answer);
        answer.close();
        answer.names(0)
    }

    #[test]
    fn the_last_code_of_an_address_names_it_and_moves_take_their_lines_along() {
        for is_little in [true, false] {
            let bytes = made(is_little);
            let dump = Dump::new(&bytes, &Ticket::new()).unwrap().unwrap();
            assert_eq!(
                [0x1000, 0x1010, 0x200f, 0x2010, 0x3000].map(|address| dump.is_replaced(address)),
                [true, false, false, true, false]
            );
            assert_eq!((dump.pid(), dump.has_code()), (77, true));
            for (address, expected) in [
                (0xfff, vec![]),
                (0x1000, vec!["again"]),
                (0x1010, vec!["first a.js:4"]),
                (0x101f, vec!["first b.js:9"]),
                (0x1020, vec![]),
                (0x200f, vec!["second"]),
                (0x2010, vec!["inside"]),
                (0x2020, vec!["second"]),
                (0x3008, vec!["first a.js:3"]),
                (0x3010, vec!["first a.js:4"]),
            ] {
                assert_eq!(names(&dump, address), expected, "{address:#x}");
            }
        }
    }

    #[test]
    fn cut_and_damaged_dumps_give_what_they_have() {
        let whole = made(true);
        for len in 0..whole.len() {
            if let Some(dump) = Dump::new(&whole[..len], &Ticket::new()).unwrap() {
                names(&dump, 0x1000);
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if let Some(dump) = Dump::new(&bytes, &Ticket::new()).unwrap() {
                    names(&dump, 0x1000);
                    names(&dump, u64::MAX);
                }
            }
        }
        assert!(Dump::new(b"10 20 f\n", &Ticket::new()).unwrap().is_none());
    }
}
