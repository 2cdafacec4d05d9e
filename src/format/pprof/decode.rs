//! Reads a profile in two passes: layout and tables, and the samples, of which some are decoded ahead of the tables.
//!
//! The result does not depend on the number of threads: parts of the file are put together in its order, and rows follow their first use. Start reading
//! at [`read`].

use rustc_hash::FxHashMap;

use super::fraction::read_unit;
use super::layout::{CHUNK_BYTES, Chunk, Layout};
use super::samples::{Decoded, Reader};
use super::tables::Tables;
use super::wire::{Fault, Wire};
use super::{NAME, ahead};
use crate::base::ticket::Ticket;
use crate::format::{Input, ReadCx, ReadError};
use crate::model::{Builder, LabelValue, Profile, StringId, Tally, kind};

/// Files of fewer bytes are read by one thread: what others could take over is less than what putting their stacks together costs.
const SHARED_BYTES: usize = 1 << 20;

/// See [`Format::read`](crate::format::Format::read).
pub(super) fn read(input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    cx.ticket.check()?;
    let threads = if input.bytes.len() < SHARED_BYTES { 1 } else { rayon::current_num_threads() };
    read_chunks(input.bytes, CHUNK_BYTES, threads, cx)
}

fn read_chunks(bytes: &[u8], chunk_bytes: u64, threads: usize, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    if threads > 1 { ahead::beside(bytes, chunk_bytes, threads, cx) } else { ahead::inside(bytes, chunk_bytes, cx) }
}

/// The profile with this layout, of so many bytes; `samples` gives those, for a number of sample types.
pub(super) fn decode(
    layout: &Layout<'_>,
    bytes: u64,
    ticket: &Ticket,
    samples: impl FnOnce(usize) -> Result<Decoded, ReadError>,
) -> Result<Profile, ReadError> {
    let result = start(layout, ticket).and_then(|(builder, tables)| {
        let types = builder.sample_types.len();
        check_types(layout, types)?;
        let sample_bytes: u64 = layout.chunks.iter().map(|chunk| chunk.fields.bytes().len() as u64).sum();
        ticket.advance(bytes.saturating_sub(sample_bytes))?;
        assemble(layout, builder, &tables, samples(types)?, ticket)
    });
    match layout.cut {
        // What is missing explains what else is wrong.
        Some(cut) => result.map_err(|error| {
            if error.is_cancelled() || error.offset() == cut.offset {
                error
            } else {
                error.with_cause(format!("the file is cut at byte {:#x}", cut.offset))
            }
        }),
        None => result,
    }
}

/// Everything but the samples.
pub(super) fn start(layout: &Layout<'_>, ticket: &Ticket) -> Result<(Builder, Tables), ReadError> {
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let tables = Tables::decode(layout, &mut builder, ticket)?;
    head(layout, &mut builder, &tables)?;
    Ok((builder, tables))
}

/// Samples need types.
pub(super) fn check_types(layout: &Layout<'_>, types: usize) -> Result<(), ReadError> {
    if types == 0 && layout.samples > 0 {
        let at = layout.chunks.first().map_or(0, |chunk| chunk.fields.offset());
        return Err(ReadError::new(NAME, at, "the sample types", format!("missing, but there are {} samples", layout.samples)));
    }
    Ok(())
}

/// The profile of tables and samples.
pub(super) fn assemble(
    layout: &Layout<'_>,
    mut builder: Builder,
    tables: &Tables,
    mut samples: Decoded,
    ticket: &Ticket,
) -> Result<Profile, ReadError> {
    builder.notes.absorb(&std::mem::take(&mut samples.notes));
    if let Some(cut) = layout.cut {
        builder.notes.add(kind::TRUNCATED, "the file ends in the middle of a field; what stands before it was read", 1, Some(cut.offset));
    }
    builder.info.tally = Tally::new(samples.samples(), layout.samples.saturating_sub(samples.samples()));
    let mut profile = samples.finish(builder, tables, |sample| layout.locations_offset(sample), ticket)?;
    note_units(&mut profile);
    Ok(profile)
}

/// Decodes the chunks on so many threads, each of which takes a part of the file: then stacks meet those before them in one forest, and few
/// have to be moved to another.
pub(super) fn decode_samples(chunks: &[Chunk<'_>], types: usize, threads: usize, cx: &ReadCx<'_>) -> Result<Decoded, ReadError> {
    if threads <= 1 || chunks.len() <= 1 {
        let mut reader = Reader::new(types);
        for chunk in chunks {
            reader.read(chunk, cx.ticket)?;
            cx.done_with(chunk.fields.bytes());
        }
        return Ok(reader.finish());
    }
    let (first, later) = chunks.split_at(chunks.len() / 2);
    let (first, later) =
        rayon::join(|| decode_samples(first, types, threads - threads / 2, cx), || decode_samples(later, types, threads / 2, cx));
    let mut first = first?;
    first.append(later?, cx.ticket)?;
    Ok(first)
}

/// Everything that stands once in a file.
fn head(layout: &Layout<'_>, builder: &mut Builder, tables: &Tables) -> Result<(), ReadError> {
    let strings = &tables.strings;
    for (row, &body) in layout.sample_types.iter().enumerate() {
        let what = || format!("sample type {}", row + 1);
        let (name, unit) = value_type(body).map_err(|fault| ReadError::new(NAME, fault.offset, what(), fault.what.to_string()))?;
        let name = strings.get(name, body.offset(), what)?;
        let unit = strings.get(unit, body.offset(), what)?;
        let (name, unit) = (builder.strings.get(name).to_owned(), builder.strings.get(unit).to_owned());
        if name.is_empty() && layout.cut.is_some() {
            return Err(ReadError::new(NAME, body.offset(), what(), "its name is missing"));
        }
        let (unit, decimals) = read_unit(&unit);
        let row = builder.add_sample_type(&name, unit);
        if let Some(kind) = builder.sample_types.get_mut(row) {
            kind.decimals = decimals;
        }
    }
    let text = |builder: &Builder, id: Option<StringId>| id.map(|id| builder.strings.get(id).to_owned());
    let named = |index: u64, what: &'static str| strings.some(index, 0, || what.to_owned());
    let default = text(builder, named(layout.default_sample_type, "the default sample type")?);
    // The last one unless a name is given that exists: pprof's rule.
    let last = builder.sample_types.len().saturating_sub(1);
    let by_name = default.as_ref().and_then(|name| builder.sample_types.iter().position(|kind| kind.name == *name));
    builder.default_sample_type = by_name.unwrap_or(last);
    if let (Some(name), None) = (&default, by_name) {
        builder.notes.add(
            kind::REPAIRED,
            &format!("the default sample type {name:?} is not among the types; the last is shown first"),
            1,
            None,
        );
    }
    if let Some(body) = layout.period_type {
        let what = || "the period type".to_owned();
        let (name, unit) = value_type(body).map_err(|fault| ReadError::new(NAME, fault.offset, what(), fault.what.to_string()))?;
        let (name, unit) = (strings.get(name, body.offset(), what)?, strings.get(unit, body.offset(), what)?);
        let (name, unit) = (builder.strings.get(name).to_owned(), builder.strings.get(unit).to_owned());
        if layout.period <= 0 {
            let text = format!("a period of {} {unit}, which says nothing about how often was sampled", layout.period);
            builder.notes.add(kind::REPAIRED, &text, 1, None);
        }
        builder.info.period = Some((name, unit, layout.period));
    } else if layout.period != 0 {
        builder.info.period = Some((String::new(), String::new(), layout.period));
    }
    builder.info.start_unix_nanos = layout.time_nanos.filter(|&nanos| nanos != 0);
    builder.info.duration_nanos = Some(layout.duration_nanos).filter(|&nanos| nanos > 0);
    if layout.duration_nanos < 0 {
        builder.notes.add(kind::REPAIRED, &format!("a duration of {} ns, read as unknown", layout.duration_nanos), 1, None);
    }
    for &comment in &layout.comments {
        let comment = strings.get(comment, 0, || "a comment".to_owned())?;
        let comment = builder.strings.get(comment).to_owned();
        builder.info.comments.push(comment);
    }
    builder.info.doc_url = text(builder, named(layout.doc_url, "the documentation address")?);
    builder.info.drop_frames = text(builder, named(layout.drop_frames, "the pattern of frames to drop")?);
    builder.info.keep_frames = text(builder, named(layout.keep_frames, "the pattern of frames to keep")?);
    Ok(())
}

/// Type and unit, as string indices.
fn value_type(mut body: Wire<'_>) -> Result<(u64, u64), Fault> {
    let (mut name, mut unit) = (0, 0);
    while let Some(found) = body.field()? {
        match found.number {
            1 => name = found.int()?,
            2 => unit = found.int()?,
            _ => {}
        }
    }
    Ok((name, unit))
}

/// Numbers of one key are only comparable in one unit. pprof takes the first and warns; here each keeps its own.
fn note_units(profile: &mut Profile) {
    let mut units = FxHashMap::<StringId, Option<StringId>>::default();
    let mut mixed = Vec::new();
    for label in profile.label_sets.iter().flatten() {
        if let LabelValue::Number(_, unit) = label.value
            && *units.entry(label.key).or_insert(unit) != unit
            && !mixed.contains(&label.key)
        {
            mixed.push(label.key);
        }
    }
    for key in mixed {
        let text = format!("numbers of the label {} have several units; each is shown in its own", profile.strings.get(key));
        profile.notes.add(kind::GUESSED, &text, 1, None);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::format::pprof::write;
    use crate::model::{Frame, Label, Sample, check};

    /// Stacks that meet again far apart, labels of which some are equal, samples without a stack.
    pub(in crate::format::pprof) fn mixed() -> Vec<u8> {
        let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
        let key = builder.string("key");
        for n in 0..500_u64 {
            let mut stack = None;
            for level in 0..n % 7 {
                let function = Some(builder.function_named(&format!("f{}", n * level % 13)));
                let frame = builder.frame(Frame { function, address: Some(0x1000 + n % 3), ..Frame::default() });
                stack = Some(builder.stack(stack, frame));
            }
            let labels = builder.rows.label_set(&[Label { key, value: LabelValue::Number((n % 11) as i64, None) }]);
            builder.rows.sample(Sample { stack, labels: labels.filter(|_| n % 5 != 0), ..Sample::default() }, &[1, n as i64]);
        }
        write(&builder.finish())
    }

    #[test]
    fn neither_the_size_of_chunks_nor_the_number_of_threads_changes_anything() {
        let bytes = mixed();
        let ticket = Ticket::new();
        let cx = ReadCx::new(&ticket);
        let read = |chunk: u64| read_chunks(&bytes, chunk, rayon::current_num_threads(), &cx).unwrap();
        let whole = read_chunks(&bytes, u64::MAX, 1, &cx).unwrap();
        assert_eq!(check(&whole), []);
        assert_eq!((whole.samples.len(), whole.notes.count(kind::NO_STACK)), (500, 72));
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for chunk in [1, 50, 1000] {
                assert_eq!(pool.install(|| read(chunk)), whole, "{threads} threads, chunks of {chunk} bytes");
            }
        }
    }

    #[test]
    fn what_was_decoded_ahead_is_given_up_where_the_types_come_later_and_errors_keep_their_order() {
        // Ids below 128 and short names; a type is its name and unit.
        let kind = b"\x0a\x04\x08\x01\x10\x02";
        let samples = b"\x12\x07\x0a\x01\x01\x12\x02\x01\x09".repeat(50);
        let tables: &[u8] = b"\x2a\x04\x08\x01\x10\x03\x22\x06\x08\x01\x22\x02\x08\x01\x32\x00\x32\x03cpu\x32\x02ns\x32\x01f";
        let ticket = Ticket::new();
        let cx = ReadCx::new(&ticket);
        let read = |parts: &[&[u8]], threads: usize| read_chunks(&parts.concat(), 100, threads, &cx);
        let usual = read(&[kind, kind, &samples, tables], 1).unwrap();
        let broken = b"\x12\x04\x0a\x01\x01\x07";
        for threads in [1, 2, 3] {
            assert_eq!(
                read(&[kind, &samples, kind, tables], threads).unwrap(),
                usual,
                "one of two types after the samples, {threads} threads"
            );
            assert_eq!(read(&[&samples, kind, kind, tables], threads).unwrap(), usual, "both types after the samples");
            let error = |parts: &[&[u8]]| read(parts, threads).unwrap_err().to_string();
            assert!(error(&[kind, kind, &samples, broken, &samples, broken, tables]).contains("sample 51"), "the first one is named");
            assert!(error(&[kind, kind, broken, &samples, b"\x2a\x02\x08\x80", tables]).contains("function"), "tables come first");
            assert!(error(&[&samples, tables]).contains("sample types"));
        }
    }

    #[test]
    fn progress_reaches_the_size_of_the_input() {
        let bytes = mixed();
        let ticket = Ticket::new();
        ticket.stage("decoding", bytes.len() as u64).unwrap();
        let cx = ReadCx::new(&ticket);
        read_chunks(&bytes, 100, 2, &cx).unwrap();
        assert_eq!(ticket.progress().fraction(), Some(1.0));
    }

    #[test]
    fn packed_and_unpacked_lists_and_unknown_fields_are_the_same_profile() {
        let names: &[u8] = b"\x32\x00\x32\x03cpu\x32\x02ns\x32\x01f";
        let tables: &[u8] =
            b"\x0a\x04\x08\x01\x10\x02\x2a\x04\x08\x01\x10\x03\x22\x06\x08\x01\x22\x02\x08\x01\x22\x08\x08\x02\x22\x04\x08\x01\x10\x05";
        let read = |sample: &[u8]| {
            let bytes = [tables, sample, names].concat();
            let ticket = Ticket::new();
            let cx = ReadCx::new(&ticket);
            let [one, two] = [1, 2].map(|threads| read_chunks(&bytes, 100, threads, &cx).unwrap());
            assert_eq!(one, two);
            one
        };
        let packed = read(b"\x12\x07\x0a\x02\x02\x01\x12\x01\x09");
        assert_eq!((packed.total(0), packed.stack_frames(packed.samples.stacks()[0]).count()), (9, 2));
        assert_eq!(read(b"\x12\x06\x08\x02\x08\x01\x10\x09"), packed, "unpacked");
        assert_eq!(read(b"\x12\x07\x08\x02\x10\x09\x0a\x01\x01"), packed, "mixed, with the value between");
        assert_eq!(read(b"\xfa\x07\x01x\x12\x0a\x0a\x02\x02\x01\x12\x01\x09\xa0\x06\x01"), packed, "unknown fields");
    }
}
