//! Java's older forms: heapz and contentionz text, and the binary CPU profile's names.
//!
//! Addresses are only keys here: a list behind the samples says what each is called (`0x000000d com.example.f (source.java:13)`), and
//! named ones are dropped then, as pprof does. Columns stand the other way round than in C++'s forms: second value first. Start
//! reading at [`read`], or [`finish`] for CPU profiles.

use super::GPERFTOOLS;
use super::draft::{Draft, unsampled};
use super::scan::{Line, Scan, Source, whole_number};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::lossy;
use crate::model::{Function, Label, LabelValue, Profile, Sample, base_name, kind};

/// Mean bytes between two samples of a heap, which the file does not say.
const HEAP_RATE: i64 = 512 << 10;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Heap,
    Contention,
}

/// Whether a text begins with such a profile. C++'s contentionz has the same first line; the attribute `format = java` tells.
pub(super) fn is_head<'a>(first: &[u8], mut attributes: impl Iterator<Item = &'a [u8]>) -> bool {
    match first.trim_ascii() {
        b"--- heapz 1 ---" => true,
        b"--- contentionz 1 ---" => attributes.any(|line| line.trim_ascii().starts_with(b"format")),
        _ => false,
    }
}

/// Reads heapz or contentionz.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let Some(first) = source.next_filled()? else { return Err(super::empty(GPERFTOOLS)) };
    let kind = if memchr::memmem::find(first.text, b"heapz").is_some() { Kind::Heap } else { Kind::Contention };
    let (mut unit, mut period, mut duration) = (None, 0, None);
    let mut line = source.next_filled()?;
    while let Some(Line { offset, text }) = line {
        let Some((key, value)) = memchr::memchr(b'=', text).and_then(|at| text.split_at_checked(at)) else { break };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let wrong = |what: &str| Err(ReadError::new(GPERFTOOLS, offset, "the attributes", what.to_owned()));
        let key = key.trim_ascii();
        match (kind, key) {
            (_, b"format") if value == b"java" => {}
            (_, b"format") => return wrong("wanted the format java"),
            (_, b"resolution") => unit = Some(String::from_utf8_lossy(value).into_owned()),
            (Kind::Contention, b"sampling period") => match whole_number(value) {
                Some(number) => period = number,
                None => return wrong("the sampling period is no number of 64 bits"),
            },
            (Kind::Contention, b"ms since reset") => duration = whole_number(value).map(|ms| ms.saturating_mul(1_000_000)),
            _ => {
                let key = String::from_utf8_lossy(key.get(..40).unwrap_or(key)).into_owned();
                return wrong(&format!("the attribute `{key}` is not one of such a profile"));
            }
        }
        line = source.next_filled()?;
    }
    let Some(unit) = unit else { return Err(ReadError::new(GPERFTOOLS, 0, "the attributes", "the resolution is missing")) };
    let types = match kind {
        Kind::Heap => [("inuse_objects", "count"), ("inuse_space", unit.as_str())],
        Kind::Contention => [("contentions", "count"), ("delay", unit.as_str())],
    };
    let mut draft = Draft::new(GPERFTOOLS, &types, ticket);
    draft.builder.info.duration_nanos = duration.filter(|&nanos| nanos > 0);
    if kind == Kind::Contention {
        draft.builder.info.period = Some(("contentions".to_owned(), "count".to_owned(), period));
    }
    while let Some(found) = line {
        if !sample(found, kind, period, &mut draft)? {
            break;
        }
        line = source.next_filled()?;
    }
    let mut names = FirstFile::default();
    if let Some(found) = line {
        names.line(found, &mut draft);
    }
    names.rest(source, &mut draft)?;
    draft.finish_with_names()
}

/// The end of a CPU profile, whose samples are in `draft`.
pub(super) fn finish(mut draft: Draft<'_>, source: &mut Source<'_>) -> Result<Profile, ReadError> {
    FirstFile::default().rest(source, &mut draft)?;
    draft.finish_with_names()
}

/// `value count @ addresses`; false for a line that is none.
fn sample(line: Line<'_>, kind: Kind, period: i64, draft: &mut Draft<'_>) -> Result<bool, ReadError> {
    let mut scan = Scan(line.text);
    let (Some(value), Some(count), true) = (scan.blanks().int(), scan.blanks().int(), scan.blanks().eat(b"@")) else { return Ok(false) };
    if !draft.addresses_by(scan.0, |address| address)? {
        draft.skip("stacks with an address of more than 64 bits", line.offset);
        return Ok(true);
    }
    let (values, labels) = match kind {
        Kind::Heap if count == 0 => {
            draft.skip("stacks with bytes but without objects", line.offset);
            return Ok(true);
        }
        Kind::Heap => {
            let key = draft.builder.string("bytes");
            let label = Label { key, value: LabelValue::Number(value.wrapping_div(count), None) };
            let (count, bytes) = unsampled(count, value, HEAP_RATE);
            ([count as i64, bytes as i64], draft.builder.rows.label_set(&[label]))
        }
        Kind::Contention if period != 0 => ([count.saturating_mul(period), value.saturating_mul(period)], None),
        Kind::Contention => ([count, value], None),
    };
    draft.sample(Sample { labels, ..Sample::default() }, &values, line.offset);
    Ok(true)
}

/// The list of names. A function has the file under which it comes first.
#[derive(Default)]
struct FirstFile(std::collections::HashMap<String, crate::model::FunctionId>);

impl FirstFile {
    fn rest(&mut self, source: &mut Source<'_>, draft: &mut Draft<'_>) -> Result<(), ReadError> {
        while let Some(line) = source.next_filled()? {
            self.line(line, draft);
        }
        Ok(())
    }

    fn line(&mut self, line: Line<'_>, draft: &mut Draft<'_>) {
        let mut scan = Scan(line.text.trim_ascii());
        let address = if scan.0.starts_with(b"0x") { scan.hex() } else { None };
        let Some(address) = address.filter(|_| scan.0.first().is_some_and(u8::is_ascii_whitespace)) else {
            draft.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are neither a stack nor a name", 1, Some(line.offset));
            return;
        };
        let text = lossy(scan.blanks().0, &mut draft.invalid);
        let (name, file, number) = place(&text);
        let function = self.0.get(name).copied().unwrap_or_else(|| {
            let file = (!file.is_empty()).then(|| draft.builder.string(file));
            let text = draft.builder.string(name);
            let function = draft.builder.function(Function { name: text, system_name: None, file, start_line: 0 });
            self.0.insert(name.to_owned(), function);
            function
        });
        draft.names.add(address, function, number);
    }
}

/// Name, file and line of `name (file:line)`, `name (path of a library)` or a name alone.
fn place(text: &str) -> (&str, &str, u32) {
    let in_brackets = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')).filter(|(name, _)| name.ends_with([' ', '\t']));
    let Some((name, place)) = in_brackets else {
        return (if text.contains("generated stub/JIT") { "STUB" } else { text }, "", 0);
    };
    let name = name.trim_end();
    let file_line = place.rsplit_once(':').filter(|(file, line)| {
        let digits = line.strip_prefix('-').unwrap_or(line);
        !file.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    // Negative lines mean native code.
    file_line.map_or_else(|| (name, base_name(place), 0), |(file, line)| (name, file, line.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{labels, stacks, values, with};

    #[test]
    fn contentions_are_multiplied_and_named() {
        let text = "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\nms since reset = 6\n\
                    1 2 @ 0x3 0x4\n 5 1 @ 0x9\n\n 0x0000003 com.example.f (source.java:03)\n 0x0000004 GC\n junk\n";
        let profile = with(read, text);
        assert_eq!((values(&profile), profile.info.duration_nanos), (vec![vec![200, 100], vec![100, 500]], Some(6_000_000)));
        assert_eq!(stacks(&profile), ["GC;com.example.f", "0x9"]);
        assert_eq!(profile.sample_types[1].unit, "microseconds");
        assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 1);
        assert!(profile.frames.iter().all(|frame| frame.function.is_none() || frame.address.is_none()));
    }

    #[test]
    fn heaps_are_scaled_by_the_usual_rate() {
        let profile = with(read, "--- heapz 1 ---\nformat = java\nresolution = bytes\n 524288 1 @ 0x3\n 7 0 @ 0x3\n");
        assert_eq!((values(&profile), labels(&profile, 0)), (vec![vec![1, 829_411]], vec!["bytes=524288".to_owned()]));
        assert_eq!(profile.info.tally, crate::model::Tally::new(1, 1));
    }

    #[test]
    fn places() {
        assert_eq!(place("a.b (f.java:13)"), ("a.b", "f.java", 13));
        assert_eq!(place("a.b (f.java:-1)"), ("a.b", "f.java", 0));
        assert_eq!(place("jni (/usr/lib/libjvm.so)"), ("jni", "libjvm.so", 0));
        assert_eq!(place("(generated stub/JIT)"), ("STUB", "", 0));
        assert_eq!(place("VM"), ("VM", "", 0));
    }

    #[test]
    fn an_attribute_that_is_not_known_is_named() {
        let ticket = Ticket::new();
        let text = b"--- heapz 1 ---\nformat = java\nresolution = bytes\nsampling period = 524288\n 1 1 @ 0x3\n";
        let error = read(&mut Source::new(text, 0, &ticket), &ticket).unwrap_err().to_string();
        assert!(error.contains("`sampling period`"), "{error}");
    }
}
