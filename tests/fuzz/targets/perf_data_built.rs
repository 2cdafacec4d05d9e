//! The perf.data reader on captures that are built right and then damaged: lengths, ids, offsets and kinds of records reach far more of the
//! reader than turned bytes do, since most of those end at the first record.
#![no_main]

use arbitrary::Arbitrary;

/// A capture before it is bytes.
#[derive(Arbitrary, Debug)]
struct Capture {
    is_big: bool,
    is_pipe: bool,
    events: Vec<Event>,
    records: Vec<Record>,
    sections: Vec<(u8, Vec<u8>)>,
    damage: Vec<Damage>,
}

/// An event's attributes.
#[derive(Arbitrary, Debug)]
struct Event {
    kind: u8,
    config: u16,
    period: u16,
    sample_type: u32,
    read_format: u8,
    /// Bits of the flags that decide how records are laid out.
    has_trailer: bool,
    defers: bool,
    branches: u32,
    regs: u8,
    ids: Vec<u8>,
}

/// A record; words stand for whatever the kind has.
#[derive(Arbitrary, Debug)]
struct Record {
    kind: Kind,
    misc: u8,
    words: Vec<Word>,
    text: Option<Vec<u8>>,
    trailer: [u8; 3],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    /// Numbers of the kernel and of perf that the reader knows.
    Known(u8),
    /// Records packed by zstd.
    Packed,
    Any(u32),
}

/// Eight bytes with a meaning.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Small(u8),
    Address(u16),
    Kernel(u16),
    /// Marks in call chains.
    Mark(u8),
    /// Two halves, as process and thread.
    Pair(u8, u8),
    Any(u64),
}

/// One place that is wrong.
#[derive(Arbitrary, Debug)]
enum Damage {
    Byte(u32, u8),
    /// Two bytes: sizes of records.
    Size(u32, u16),
    /// Eight bytes: counts, offsets, ids.
    Word(u32, u64),
    Cut(u32),
    /// A stretch once more.
    Again(u32, u8),
}

const KNOWN: [u32; 34] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 64, 66, 67, 68, 71, 78, 80, 81, 82, 83];
const SECTIONS: [u32; 33] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 23, 24, 25, 27, 28, 29, 30, 31, 128, 129, 130, 131, 132, 133];

struct Out {
    bytes: Vec<u8>,
    is_big: bool,
}

impl Out {
    fn put16(&mut self, value: u16) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn put32(&mut self, value: u32) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn put64(&mut self, value: u64) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn word(&mut self, word: Word) {
        match word {
            Word::Small(value) => self.put64(u64::from(value)),
            Word::Address(value) => self.put64(0x40_0000 + u64::from(value)),
            Word::Kernel(value) => self.put64(0xffff_ffff_8100_0000 + u64::from(value)),
            Word::Mark(value) => self.put64([-32_i64, -128, -512, -640, -2048, -2176, -2560, -4095, -1][usize::from(value) % 9] as u64),
            Word::Pair(a, b) => {
                self.put32(u32::from(a));
                self.put32(u32::from(b));
            }
            Word::Any(value) => self.put64(value),
        }
    }

    fn record(&mut self, kind: u32, misc: u16, body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.put32(kind);
        self.put16(misc);
        self.put16(0);
        body(self);
        let len = (self.bytes.len() - start).min(0xffff) as u16;
        let len = if self.is_big { len.to_be_bytes() } else { len.to_le_bytes() };
        self.bytes[start + 6..start + 8].copy_from_slice(&len);
    }

    fn attr(&mut self, event: &Event) {
        let mut flags = u64::from(event.has_trailer) << 18 | u64::from(event.defers) << 38 | 1 << 10;
        if self.is_big {
            // C lays bit-fields out from the other end.
            flags = u64::from_be_bytes(flags.to_le_bytes().map(u8::reverse_bits));
        }
        self.put32(u32::from(event.kind % 8));
        self.put32(128);
        for value in [
            u64::from(event.config),
            u64::from(event.period),
            u64::from(event.sample_type & 0x1ff_ffff),
            u64::from(event.read_format & 31),
            flags,
            0,
            0,
            0,
            u64::from(event.branches & 0xf_ffff),
            u64::from(event.regs),
            1 << 32,
            u64::from(event.regs),
            0,
            0,
            0,
        ] {
            self.put64(value);
        }
    }

    fn records(&mut self, records: &[Record], may_pack: bool) {
        for record in records {
            let kind = match record.kind {
                Kind::Known(at) => KNOWN[usize::from(at) % KNOWN.len()],
                Kind::Packed => 81,
                Kind::Any(kind) => kind,
            };
            let misc = u16::from(record.misc) << 8 | u16::from(record.misc & 7);
            if matches!(record.kind, Kind::Packed) && may_pack {
                let mut inner = Self { bytes: Vec::new(), is_big: self.is_big };
                let one =
                    Record { kind: Kind::Known(record.misc), misc: 2, words: record.words.clone(), text: None, trailer: record.trailer };
                inner.records(&[one], false);
                let packed = zstd::encode_all(&inner.bytes[..], 1).unwrap_or_default();
                self.record(81, 0, |out| out.bytes.extend(&packed));
                continue;
            }
            self.record(kind, misc, |out| {
                for word in record.words.iter().take(64) {
                    out.word(*word);
                }
                if let Some(text) = &record.text {
                    out.bytes.extend(text.iter().take(200));
                    out.bytes.resize(out.bytes.len().next_multiple_of(8), 0);
                }
                let [thread, time, id] = record.trailer;
                out.put32(u32::from(thread));
                out.put32(u32::from(thread));
                out.put64(u64::from(time));
                out.put64(u64::from(id));
            });
        }
    }
}

fn build(capture: &Capture) -> Vec<u8> {
    let mut out = Out { bytes: Vec::new(), is_big: capture.is_big };
    out.bytes.extend(if capture.is_big { b"2ELIFREP" } else { b"PERFILE2" });
    let events = &capture.events[..capture.events.len().min(6)];
    let sections: Vec<(u32, &[u8])> = capture
        .sections
        .iter()
        .take(8)
        .map(|(at, body)| (SECTIONS[usize::from(*at) % SECTIONS.len()], &body[..body.len().min(400)]))
        .collect();
    if capture.is_pipe {
        out.put64(16);
        for event in events {
            out.record(64, 0, |out| {
                out.attr(event);
                event.ids.iter().take(4).for_each(|id| out.put64(u64::from(*id)));
            });
        }
        for (section, body) in sections {
            out.record(80, 0, |out| {
                out.put64(u64::from(section));
                out.bytes.extend(body);
            });
        }
        out.records(&capture.records, true);
        return out.bytes;
    }
    const HEADER: u64 = 104;
    let mut body = Out { bytes: Vec::new(), is_big: capture.is_big };
    let mut ids = Vec::new();
    for event in events {
        ids.push((HEADER + body.bytes.len() as u64, event.ids.len().min(4) as u64 * 8));
        event.ids.iter().take(4).for_each(|id| body.put64(u64::from(*id)));
    }
    let attrs = HEADER + body.bytes.len() as u64;
    for (event, (at, size)) in events.iter().zip(ids) {
        body.attr(event);
        body.put64(at);
        body.put64(size);
    }
    let data = HEADER + body.bytes.len() as u64;
    body.records(&capture.records, true);
    let end = HEADER + body.bytes.len() as u64;
    let mut sections = sections;
    sections.sort_by_key(|(section, _)| *section);
    sections.dedup_by_key(|(section, _)| *section);
    let mut at = end + sections.len() as u64 * 16;
    for (_, content) in &sections {
        body.put64(at);
        body.put64(content.len() as u64);
        at += content.len() as u64;
    }
    sections.iter().for_each(|(_, content)| body.bytes.extend(*content));
    for value in [HEADER, 128 + 16, attrs, data - attrs, data, end - data, 0, 0] {
        out.put64(value);
    }
    let mut bits = [0_u64; 4];
    sections.iter().for_each(|(section, _)| bits[*section as usize / 64] |= 1 << (section % 64));
    bits.iter().for_each(|word| out.put64(*word));
    out.bytes.extend(body.bytes);
    out.bytes
}

fn damage(bytes: &mut Vec<u8>, damage: &Damage) {
    let place = |bytes: &[u8], at: u32, align: usize| (at as usize % bytes.len().max(1)) / align * align;
    match *damage {
        Damage::Byte(at, value) => {
            let at = place(bytes, at, 1);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
        }
        Damage::Size(at, value) => {
            let at = place(bytes, at, 2);
            bytes.iter_mut().skip(at).zip(value.to_le_bytes()).for_each(|(byte, value)| *byte = value);
        }
        Damage::Word(at, value) => {
            let at = place(bytes, at, 8);
            bytes.iter_mut().skip(at).zip(value.to_le_bytes()).for_each(|(byte, value)| *byte = value);
        }
        Damage::Cut(at) => bytes.truncate(place(bytes, at, 1)),
        Damage::Again(at, len) => {
            let at = place(bytes, at, 8);
            let again: Vec<u8> = bytes.iter().skip(at).take(usize::from(len) * 8).copied().collect();
            bytes.splice(at..at, again);
        }
    }
}

libfuzzer_sys::fuzz_target!(|capture: Capture| {
    let mut bytes = build(&capture);
    for one in capture.damage.iter().take(8) {
        damage(&mut bytes, one);
    }
    emberlens_fuzz::read_as("perf-data", &bytes);
});
