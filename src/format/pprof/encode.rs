//! Writes any profile as pprof protobuf that `go tool pprof` opens with the same totals.
//!
//! A profile that was read from pprof comes back equal (but for notes). What other formats hold and pprof cannot: threads become the
//! labels `pid`, `tid` and `thread`; the time of single samples, the process of a mapping and the facts of the capture are dropped;
//! return addresses are moved into the call, as pprof wants them, with a mark that lets our own reader move them back. Tables are written before the samples, so that a cut file keeps its
//! names. Start reading at [`write`].

use std::io::Write as _;

use super::field;
use super::fraction::unit_of;
use super::places::{Place, Places};
use crate::model::{Function, LabelValue, Mapping, Profile, StackId, StringId, Strings, Thread, base_name};

/// The profile as an uncompressed `Profile` message.
pub fn write(profile: &Profile) -> Vec<u8> {
    let places = Places::new(profile);
    let mut texts = Texts::new(&profile.strings);
    let mut out = Out::default();
    head(profile, &mut texts, &mut out);
    mappings(profile, &texts, &mut out);
    let functions = profile.functions.len() as u64;
    for (row, function) in profile.functions.iter().enumerate() {
        out.message(field::FUNCTION, |out| function_message(row as u64 + 1, &function, &texts, out));
    }
    if places.needs_nameless() {
        out.message(field::FUNCTION, |out| out.int(1, functions + 1));
    }
    for (row, place) in places.iter().enumerate() {
        out.message(field::LOCATION, |out| location(row as u64 + 1, place, functions + 1, out));
    }
    let keys = profile.threads.iter().next().map(|_| ThreadKeys::new(&mut texts));
    for text in texts.iter() {
        out.bytes(field::STRING_TABLE, text.as_bytes());
    }
    samples(profile, &places, &texts, keys, &mut out);
    out.0
}

/// [`write()`], compressed by gzip: the usual form of a file.
pub fn write_gz(profile: &Profile) -> Vec<u8> {
    let bytes = write(profile);
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::default());
    let done = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    done.unwrap_or_else(|error| unreachable!("writing to memory failed: {error}"))
}

fn head(profile: &Profile, texts: &mut Texts<'_>, out: &mut Out) {
    for kind in &profile.sample_types {
        let (name, unit) = (texts.add(&kind.name), texts.add(&unit_of(&kind.unit, kind.decimals)));
        out.message(field::SAMPLE_TYPE, |out| value_type(name, unit, out));
    }
    let info = &profile.info;
    out.int(field::TIME_NANOS, info.start_unix_nanos.unwrap_or(0) as u64);
    out.int(field::DURATION_NANOS, info.duration_nanos.unwrap_or(0) as u64);
    if let Some((name, unit, period)) = &info.period {
        let (name, unit) = (texts.add(name), texts.add(unit));
        out.message(field::PERIOD_TYPE, |out| value_type(name, unit, out));
        out.int(field::PERIOD, *period as u64);
    }
    // The last type is the default without a word.
    let default = profile.sample_types.get(profile.default_sample_type);
    if let Some(kind) = default.filter(|_| profile.default_sample_type + 1 < profile.sample_types.len()) {
        out.int(field::DEFAULT_SAMPLE_TYPE, texts.add(&kind.name));
    }
    for comment in &info.comments {
        let comment = texts.add(comment);
        out.always(field::COMMENT, comment);
    }
    for (number, text) in
        [(field::DROP_FRAMES, &info.drop_frames), (field::KEEP_FRAMES, &info.keep_frames), (field::DOC_URL, &info.doc_url)]
    {
        if let Some(text) = text {
            out.int(number, texts.add(text));
        }
    }
}

fn value_type(name: u64, unit: u64, out: &mut Out) {
    out.int(1, name);
    out.int(2, unit);
}

fn function_message(id: u64, function: &Function, texts: &Texts<'_>, out: &mut Out) {
    out.int(1, id);
    out.int(2, texts.index(function.name));
    out.int(3, texts.index(function.system_name.unwrap_or(function.name)));
    out.int(4, function.file.map_or(0, |file| texts.index(file)));
    out.int(5, u64::from(function.start_line));
}

fn mappings(profile: &Profile, texts: &Texts<'_>, out: &mut Out) {
    // What the flags say is there: without them pprof looks for symbols again.
    let mut flags = vec![[false; 4]; profile.mappings.len()];
    for frame in profile.frames.iter() {
        let Some([functions, files, lines, inlined]) = frame.mapping.and_then(|mapping| flags.get_mut(mapping.row())) else { continue };
        *functions |= frame.function.is_some();
        *files |= frame.function.and_then(|function| profile.functions.get(function)).is_some_and(|function| function.file.is_some());
        *lines |= frame.line != 0;
        *inlined |= frame.inlined;
    }
    // pprof takes the first one for the program, and captures of perf may begin with the kernel. Ids stay.
    let program = program_of(profile);
    let mut rows: Vec<_> = profile.mappings.iter().enumerate().zip(flags).collect();
    rows.sort_by_key(|((row, _), _)| Some(*row) != program);
    for ((row, mapping), flags) in rows {
        out.message(field::MAPPING, |out| mapping_message(row as u64 + 1, mapping, flags, texts, out));
    }
}

/// The mapping that is most likely the program, where the first one is not: the first file that is no library. Profiles that were pprof have said
/// which one it is.
fn program_of(profile: &Profile) -> Option<usize> {
    if profile.info.format == super::NAME {
        return None;
    }
    let name = |mapping: &Mapping| mapping.file.map_or("", |file| profile.strings.get(file));
    let is_file = |name: &str| !name.is_empty() && !name.starts_with('[');
    let first = profile.mappings.iter().next()?;
    if is_file(name(first)) {
        return Some(0);
    }
    let files = || profile.mappings.iter().enumerate().filter(|(_, mapping)| is_file(name(mapping)));
    let program = files().find(|(_, mapping)| !base_name(name(mapping)).contains(".so") && !base_name(name(mapping)).starts_with('['));
    program.or_else(|| files().next()).map(|(row, _)| row)
}

fn mapping_message(id: u64, mapping: &Mapping, flags: [bool; 4], texts: &Texts<'_>, out: &mut Out) {
    let text = |id: Option<StringId>| id.map_or(0, |id| texts.index(id));
    for (number, value) in (1..).zip([id, mapping.start, mapping.limit, mapping.offset, text(mapping.file), text(mapping.build_id)]) {
        out.int(number, value);
    }
    for (number, flag) in (7..).zip(flags) {
        out.int(number, u64::from(flag));
    }
    out.int(field::IS_FROM_BASE, u64::from(mapping.from_base));
}

fn location(id: u64, place: Place<'_>, nameless: u64, out: &mut Out) {
    out.int(1, id);
    out.int(2, place.mapping().map_or(0, |mapping| mapping.row() as u64 + 1));
    out.int(3, place.address());
    out.int(5, u64::from(place.frames().any(|frame| frame.folded)));
    out.int(field::IS_RETURN_ADDRESS, u64::from(place.is_caller()));
    if !place.has_lines() {
        return;
    }
    for frame in place.frames() {
        out.message(4, |out| {
            // pprof refuses a line without a function.
            out.int(1, frame.function.map_or(nameless, |function| function.row() as u64 + 1));
            out.int(2, u64::from(frame.line));
            out.int(3, u64::from(frame.column));
        });
    }
}

fn samples(profile: &Profile, places: &Places<'_>, texts: &Texts<'_>, keys: Option<ThreadKeys>, out: &mut Out) {
    let samples = &profile.samples;
    let (mut locations, mut values) = (Vec::new(), Vec::new());
    for (row, &stack) in samples.stacks().iter().enumerate() {
        locations.clear();
        let mut at: Option<StackId> = stack;
        while let Some(row) = at {
            let (place, callers) = places.of(row);
            locations.push(place as u64 + 1);
            at = callers;
        }
        values.clear();
        values.extend((0..profile.sample_types.len()).map(|kind| samples.values(kind).get(row).copied().unwrap_or(0) as u64));
        let thread = samples.threads().get(row).copied().flatten().and_then(|thread| profile.threads.get(thread));
        let labels = samples.labels().get(row).copied().flatten();
        out.message(field::SAMPLE, |out| {
            out.packed(1, &locations);
            out.packed(2, &values);
            for label in labels.map(|set| profile.label_sets.get(set)).unwrap_or_default() {
                out.message(3, |out| {
                    out.int(1, texts.index(label.key));
                    // Zero is written down as well: so an empty text and a bare 0 come back.
                    match label.value {
                        LabelValue::Text(text) => out.always(2, texts.index(text)),
                        LabelValue::Number(number, unit) => {
                            out.always(3, number as u64);
                            out.int(4, unit.map_or(0, |unit| texts.index(unit)));
                        }
                    }
                });
            }
            if let (Some(thread), Some(keys)) = (thread, keys) {
                thread_labels(thread, keys, texts, out);
            }
        });
    }
}

/// Keys of the labels that threads become.
#[derive(Clone, Copy)]
struct ThreadKeys {
    pid: u64,
    tid: u64,
    thread: u64,
}

impl ThreadKeys {
    fn new(texts: &mut Texts<'_>) -> Self {
        Self { pid: texts.add("pid"), tid: texts.add("tid"), thread: texts.add("thread") }
    }
}

fn thread_labels(thread: &Thread, keys: ThreadKeys, texts: &Texts<'_>, out: &mut Out) {
    for (key, id) in [(keys.pid, thread.pid), (keys.tid, thread.tid)] {
        if let Some(id) = id {
            out.message(3, |out| {
                out.int(1, key);
                out.always(3, i64::from(id) as u64);
            });
        }
    }
    let name = texts.index(thread.name);
    if name != 0 {
        out.message(3, |out| {
            out.int(1, keys.thread);
            out.int(2, name);
        });
    }
}

/// The string table: the empty string, the profile's strings in their order, and what only the head names.
struct Texts<'p> {
    strings: &'p Strings,
    /// 1 where the empty string must be put before the others.
    shift: u64,
    more: Strings,
}

impl<'p> Texts<'p> {
    fn new(strings: &'p Strings) -> Self {
        let first_is_empty = strings.iter().next().is_some_and(str::is_empty);
        Self { strings, shift: u64::from(!first_is_empty), more: Strings::default() }
    }

    /// Index of a string of the profile; 0 for the empty one.
    fn index(&self, id: StringId) -> u64 {
        if self.strings.get(id).is_empty() { 0 } else { id.row() as u64 + self.shift }
    }

    /// Index of any text.
    fn add(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        match self.strings.find(text) {
            Some(id) => self.index(id),
            None => self.strings.len() as u64 + self.shift + self.more.intern(text).row() as u64,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::repeat_n("", self.shift as usize).chain(self.strings.iter()).chain(self.more.iter())
    }
}

/// Protobuf in the making.
#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A number, left out where it is 0.
    fn int(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.always(number, value);
        }
    }

    fn always(&mut self, number: u64, value: u64) {
        self.varint(number << 3);
        self.varint(value);
    }

    fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.varint(number << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn packed(&mut self, number: u64, values: &[u64]) {
        if !values.is_empty() {
            self.message(number, |out| values.iter().for_each(|&value| out.varint(value)));
        }
    }

    /// A message whose length is put before it once it is known: one byte is kept free, which is enough for most.
    fn message(&mut self, number: u64, body: impl FnOnce(&mut Self)) {
        self.varint(number << 3 | 2);
        self.0.push(0);
        let start = self.0.len();
        body(self);
        let len = self.0.len() - start;
        let mut header = Self::default();
        header.varint(len as u64);
        self.0.splice(start - 1..start, header.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ticket::Ticket;
    use crate::format::{Input, ReadCx, read};
    use crate::model::{Builder, Frame, Label, Sample};

    fn again(profile: &Profile) -> Profile {
        let cx = Ticket::new();
        read(&Input { bytes: &write(profile), name: "unknown" }, &ReadCx::new(&cx)).expect("what we write can be read")
    }

    #[test]
    fn lengths_of_every_size_are_right() {
        for len in [0, 1, 127, 128, 300, 20_000] {
            let mut out = Out::default();
            out.message(1, |out| out.0.resize(out.0.len() + len, 7));
            let mut other = Out::default();
            other.bytes(1, &vec![7; len]);
            assert_eq!(out.0, other.0);
        }
    }

    #[test]
    fn the_program_comes_first_among_the_mappings() {
        let mut builder = Builder::new([("samples", "count")]);
        let mut stack = None;
        for (at, name) in ["[kernel.kallsyms]", "/usr/lib/libc.so.6", "/srv/app"].into_iter().enumerate() {
            let file = Some(builder.string(name));
            let mapping = Some(builder.mapping(Mapping { file, ..Mapping::default() }));
            let function = Some(builder.function_named(&format!("in {name}")));
            let frame = builder.frame(Frame { function, mapping, address: Some(0x1000 + at as u64), ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[1]);
        let back = again(&builder.finish());
        let name = |mapping: &Mapping| mapping.file.map_or("", |file| back.strings.get(file)).to_owned();
        assert_eq!(back.mappings.iter().map(name).collect::<Vec<_>>(), ["/srv/app", "[kernel.kallsyms]", "/usr/lib/libc.so.6"]);
        for frame in back.frames.iter() {
            let function = frame.function.map(|function| back.strings.get(back.functions.at(function).name).to_owned());
            assert_eq!(function, frame.mapping.map(|mapping| format!("in {}", name(&back.mappings[mapping]))), "each frame keeps its own");
        }
    }

    #[test]
    fn threads_become_labels_and_return_addresses_move_into_the_call_and_back() {
        let mut builder = Builder::new([("cycles", "count")]);
        let function = Some(builder.function_named("main"));
        let caller = builder.frame(Frame { function, address: Some(0x1000), caller: true, ..Frame::default() });
        let bare = builder.frame(Frame::default());
        let stack = builder.stack(None, caller);
        let stack = Some(builder.stack(Some(stack), bare));
        let name = builder.string("worker");
        let thread = Some(builder.thread(Thread { pid: Some(7), tid: Some(0), name }));
        builder.rows.sample(Sample { stack, thread, labels: None, time: Some(5) }, &[3]);
        let written = builder.finish();
        let bytes = write(&written);
        let has = |part: &[u8]| memchr::memmem::find(&bytes, part).is_some();
        assert!(has(&[3 << 3, 0xff, 0x1f]) && !has(&[3 << 3, 0x80, 0x20]), "what pprof reads is 0xfff");
        let found = again(&written);
        assert_eq!(found.total(0), 3);
        let frames: Vec<Frame> = found.stack_frames(found.samples.stacks()[0]).map(|id| found.frames.at(id)).collect();
        assert_eq!(frames.iter().map(|frame| (frame.address, frame.caller)).collect::<Vec<_>>(), [(None, false), (Some(0x1000), true)]);
        let labels = found.label_sets.get(found.samples.labels()[0].unwrap());
        let mut texts: Vec<(String, String)> = labels
            .iter()
            .map(|label| {
                let value = match label.value {
                    LabelValue::Text(text) => found.strings.get(text).to_owned(),
                    LabelValue::Number(number, _) => number.to_string(),
                };
                (found.strings.get(label.key).to_owned(), value)
            })
            .collect();
        texts.sort_unstable();
        let wanted = [("pid", "7"), ("thread", "worker"), ("tid", "0")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(texts, wanted);
    }

    /// A leaf at the address that another stack returns to: the two are one name in the capture, and so they are in its export.
    #[test]
    fn bare_callers_keep_their_names() {
        let mut builder = Builder::new([("samples", "count")]);
        let file = Some(builder.string("/srv/app"));
        let mapping = Some(builder.mapping(Mapping { file, start: 0x1000, limit: 0x9000, ..Mapping::default() }));
        let bare = Frame { mapping, address: Some(0x1208), ..Frame::default() };
        let (leaf, caller) = (builder.frame(bare), builder.frame(Frame { caller: true, ..bare }));
        let deep = builder.stack(None, caller);
        for stack in [Some(builder.stack(None, leaf)), Some(builder.stack(Some(deep), leaf))] {
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[1]);
        }
        let written = builder.finish();
        let names = |profile: &Profile| -> Vec<Vec<String>> {
            let stacks = profile.samples.stacks().iter();
            stacks.map(|stack| profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect()).collect()
        };
        let back = again(&written);
        assert_eq!((names(&back), &back.frames), (names(&written), &written.frames));
    }

    #[test]
    fn labels_that_say_nothing_come_back() {
        let mut builder = Builder::new([("a", "count"), ("b", "count")]);
        builder.default_sample_type = 0;
        let (key, empty, unit) = (builder.string("k"), builder.string(""), builder.string("bytes"));
        let values = [
            LabelValue::Text(empty),
            LabelValue::Number(0, None),
            LabelValue::Number(0, Some(unit)),
            LabelValue::Number(-1, None),
            LabelValue::Text(key),
        ];
        for value in values {
            let labels = builder.rows.label_set(&[Label { key, value }]);
            builder.rows.sample(Sample { labels, ..Sample::default() }, &[1, -1]);
        }
        let found = again(&builder.finish());
        let seen: Vec<LabelValue> = found.label_sets.iter().map(|set| set[0].value).collect();
        let text = |id: StringId| found.strings.get(id);
        assert_eq!(seen.len(), values.len());
        assert!(matches!(seen[0], LabelValue::Text(id) if text(id).is_empty()));
        assert_eq!(seen[1], LabelValue::Number(0, None));
        assert!(matches!(seen[2], LabelValue::Number(0, Some(id)) if text(id) == "bytes"));
        assert_eq!(seen[3], LabelValue::Number(-1, None));
        assert_eq!((found.default_sample_type, found.total(1)), (0, -5));
    }
}
