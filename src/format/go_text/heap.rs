//! Heap text: Go's `heap?debug=1` and `allocs?debug=1`, and gperftools' heap, growth and fragmentation profiles.
//!
//! One line for each stack: `live objects: bytes [allocated objects: bytes] @ addresses`. What a sampling allocator recorded is
//! scaled up as pprof does it. Deliberately absent: jemalloc's form, which only looks alike. Start reading at [`read`].

use super::draft::{Draft, unsampled};
use super::scan::{Line, Scan, Source, says_nothing};
use super::{GO_TEXT, GPERFTOOLS, maps};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Label, LabelValue, Profile, Sample, kind};

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Header {
    live: [i64; 2],
    allocated: [i64; 2],
    /// Mean bytes between two samples; 1 where everything was recorded, 0 where unknown.
    rate: i64,
    /// Whether counts are those of the sample and have to be scaled up by `rate`.
    sampled: bool,
    /// Whether the columns in brackets say something else than those before.
    has_allocated: bool,
    reader: &'static str,
}

/// Whether a text begins with the header of such a profile.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"heap profile:")
}

/// Which reader's business a header is.
pub(super) fn reader_of(line: &[u8]) -> &'static str {
    header(line).map_or(GPERFTOOLS, |header| header.reader)
}

fn header(line: &[u8]) -> Option<Header> {
    let mut scan = Scan(line.trim_ascii());
    scan.eat(b"heap profile:").then_some(())?;
    let [live, allocated] = columns(&mut scan)?;
    scan.blanks().eat(b"@").then_some(())?;
    scan.blanks();
    let length = scan.0.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || **byte == b'_').count();
    let (form, rest) = scan.0.split_at_checked(length)?;
    let rate = rest.strip_prefix(b"/").map_or(Some(0), |rate| Scan(rate).int())?;
    let differs = live.iter().zip(&allocated).any(|(live, allocated)| live != allocated && *allocated != 0);
    let (rate, sampled, has_allocated) = match form {
        b"heapz_v2" | b"heap_v2" => (rate, true, differs),
        b"heapprofile" => (1, false, differs),
        // Go, and gperftools of old: twice the rate.
        b"heap" => (rate / 2, true, differs),
        b"growth" | b"growthz" | b"fragmentation" | b"fragmentationz" => (1, false, false),
        _ => return None,
    };
    let reader = if form == b"heap" { GO_TEXT } else { GPERFTOOLS };
    Some(Header { live, allocated, rate, sampled, has_allocated, reader })
}

/// `a: b [c: d]`
fn columns(scan: &mut Scan<'_>) -> Option<[[i64; 2]; 2]> {
    let pair = |scan: &mut Scan<'_>| {
        let count = scan.blanks().int()?;
        scan.blanks().eat(b":").then_some(())?;
        Some([count, scan.blanks().int()?])
    };
    let live = pair(scan)?;
    scan.blanks().eat(b"[").then_some(())?;
    let allocated = pair(scan)?;
    scan.blanks().eat(b"]").then_some([live, allocated])
}

/// Reads heap text.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let Some(first) = source.next_filled()? else { return Err(super::empty(GO_TEXT)) };
    let Some(header) = header(first.text) else {
        let what = "wanted `heap profile: objects: bytes [objects: bytes] @ kind/rate` with a kind that is known (heap, heap_v2, heapz_v2, \
                    heapprofile, growthz, fragmentationz)";
        return Err(ReadError::new(reader_of(first.text), first.offset, "the first line", what));
    };
    let types: &[(&str, &str)] = if header.has_allocated {
        &[("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]
    } else {
        &[("objects", "count"), ("space", "bytes")]
    };
    let mut draft = Draft::new(header.reader, types, ticket);
    draft.builder.info.period = Some(("space".to_owned(), "bytes".to_owned(), header.rate));
    let mut sums = [[0_i64; 2]; 2];
    let mut is_heading_read = false;
    while let Some(line) = source.next()? {
        if says_nothing(line.text) {
            comment(line, &mut draft);
        } else if maps::is_heading(line.text) {
            is_heading_read = true;
            break;
        } else {
            sample(line, &header, &mut draft, &mut sums)?;
        }
    }
    if draft.only_skipped() {
        return Err(ReadError::new(header.reader, 0, "reading stacks", "no line is a stack with its objects and bytes"));
    }
    note_missing(&header, sums, &mut draft);
    draft.finish_with_map(source, is_heading_read)
}

/// Names, and what Go says about its memory as a whole: `# HeapAlloc = 123`.
fn comment(line: Line<'_>, draft: &mut Draft<'_>) {
    if draft.names.line(line.text, &mut draft.builder, &mut draft.invalid) {
        return;
    }
    let Some((key, value)) = std::str::from_utf8(line.text).ok().and_then(|text| text.strip_prefix("# ")?.split_once(" = ")) else {
        return;
    };
    // The arrays of pauses are no facts about the capture.
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word && value.len() < 100 && !value.starts_with('[') && draft.builder.info.facts.len() < 100 {
        draft.builder.info.facts.push((format!("memstats {}", key.to_lowercase()), value.to_owned()));
    }
}

fn sample(line: Line<'_>, header: &Header, draft: &mut Draft<'_>, sums: &mut [[i64; 2]; 2]) -> Result<(), ReadError> {
    draft.names.next_stack();
    let mut scan = Scan(line.text);
    let Some([live, allocated]) = columns(&mut scan).filter(|_| scan.blanks().eat(b"@")) else {
        draft.skip("lines that are no stack with its objects and bytes", line.offset);
        return Ok(());
    };
    if !draft.return_addresses(scan.0)? {
        draft.skip("stacks with an address of more than 64 bits", line.offset);
        return Ok(());
    }
    for (sum, pair) in sums.iter_mut().zip([live, allocated]) {
        for (sum, value) in sum.iter_mut().zip(pair) {
            *sum = sum.saturating_add(value);
        }
    }
    let mut values = Vec::with_capacity(super::draft::TYPES);
    let mut object_bytes = 0;
    let pairs = [Some(allocated).filter(|_| header.has_allocated), Some(live)];
    for [count, bytes] in pairs.into_iter().flatten() {
        if count == 0 && bytes != 0 {
            draft.builder.notes.add(kind::REPAIRED, "bytes without objects, kept as they are", 1, Some(line.offset));
        }
        if count != 0 {
            object_bytes = bytes.wrapping_div(count);
        }
        if header.sampled && count != 0 {
            let (count, bytes) = unsampled(count, bytes, header.rate);
            values.extend([count as i64, bytes as i64]);
        } else {
            values.extend([count, bytes]);
        }
    }
    let key = draft.builder.string("bytes");
    let labels = draft.builder.rows.label_set(&[Label { key, value: LabelValue::Number(object_bytes, None) }]);
    draft.sample(Sample { labels, ..Sample::default() }, &values, line.offset);
    Ok(())
}

/// True where the first line counts one allocated byte too many on purpose: Go adds it where as many bytes are live as were allocated, since pprof takes
/// equal columns for a profile that does not tell them apart (`writeHeapInternal` in `runtime/pprof/pprof.go`).
fn is_byte_of_go(header: &Header, [live, allocated]: [[i64; 2]; 2]) -> bool {
    let [objects, bytes] = header.allocated;
    header.reader == GO_TEXT && header.live == live && allocated == [objects, header.live[1]] && bytes == header.live[1].saturating_add(1)
}

/// gperftools stops its text at 1 MiB, and files are cut: then the header counts more than the lines do.
fn note_missing(header: &Header, sums: [[i64; 2]; 2], draft: &mut Draft<'_>) {
    if is_byte_of_go(header, sums) {
        return;
    }
    let columns = [("live", header.live, sums[0]), ("allocated", header.allocated, sums[1])];
    for (what, [objects, bytes], [objects_seen, bytes_seen]) in columns {
        if objects > objects_seen || bytes > bytes_seen {
            let text = format!(
                "the first line counts {objects} {what} objects of {bytes} bytes, the stacks only {objects_seen} of {bytes_seen}: the \
                 recorder or a cut left out the rest"
            );
            draft.builder.notes.add(kind::TRUNCATED, &text, 1, Some(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{values, with};

    #[test]
    fn headers_give_rate_and_types() {
        let of = |line: &str| header(line.as_bytes()).map(|header| (header.rate, header.sampled, header.has_allocated));
        assert_eq!(of("heap profile: 13: 2111552 [7844: 1995444728] @ heap/1048576"), Some((524_288, true, true)));
        assert_eq!(of("heap profile:    144:  8498176 [   144:  8498176] @ heapz_v2/524288"), Some((524_288, true, false)));
        assert_eq!(of("heap profile: 1: 2 [0: 0] @ heapprofile"), Some((1, false, false)));
        assert_eq!(of("heap profile: 1: 2 [3: 4] @ growthz"), Some((1, false, false)));
        assert_eq!(of("heap profile: 1: 2 [3: 4] @ fragmentation"), Some((1, false, false)));
        assert_eq!(of("heap profile: 1: 2 [3: 4] @ heapz_v3/5"), None);
        assert_eq!(of("heap profile: 1: 2 @ heap/5"), None);
    }

    #[test]
    fn sampled_counts_are_scaled_by_the_chance_to_be_seen() {
        // Objects of the size of the rate are seen with probability 1 - 1/e.
        let profile = with(read, "heap profile: 2: 2000 [10: 10000] @ heap/2000\n2: 2000 [10: 10000] @ 0x11 0x21\n");
        assert_eq!(values(&profile), [[15, 15_819, 3, 3_163]]);
        // Everything recorded, and live equals allocated: two types, as they are.
        let profile = with(read, "heap profile: 2: 2000 [2: 2000] @ heapprofile\n-2: -2000 [2: 2000] @ 0x11\n");
        assert_eq!(values(&profile), [[-2, -2_000]]);
        assert_eq!(profile.sample_types[1].name, "space");
    }

    #[test]
    fn damage_is_counted_and_the_rest_is_read() {
        let text = "heap profile: 9: 9000 [9: 9000] @ heapprofile\n1: 10 [1: 10] @ 0x10\nrubbish\n1: 10 [1: 10] @ 0x12345678901234567890\n";
        let profile = with(read, text);
        assert_eq!(values(&profile), [[1, 10]]);
        assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 2);
        assert_eq!(profile.notes.count(kind::TRUNCATED), 2, "the first line counts more than the stacks");
        assert_eq!(profile.info.tally, crate::model::Tally::new(1, 2));
    }

    /// Go makes the allocated bytes of the first line differ from the live ones where they are equal (`writeHeapInternal` in `runtime/pprof`).
    #[test]
    fn the_byte_that_go_adds_is_not_missing() {
        let text = "heap profile: 2: 2000 [2: 2001] @ heap/2000\n2: 2000 [2: 2000] @ 0x11\n";
        assert_eq!(with(read, text).notes.count(kind::TRUNCATED), 0);
        // Anything else is: another tool, more than a byte, an object, or live bytes that are missing too.
        for text in [
            "heap profile: 2: 2000 [2: 2001] @ heapprofile\n2: 2000 [2: 2000] @ 0x11\n",
            "heap profile: 2: 2000 [2: 2002] @ heap/2000\n2: 2000 [2: 2000] @ 0x11\n",
            "heap profile: 2: 2000 [3: 2001] @ heap/2000\n2: 2000 [2: 2000] @ 0x11\n",
            "heap profile: 2: 1999 [2: 2001] @ heap/2000\n2: 2000 [2: 2000] @ 0x11\n",
        ] {
            assert_eq!(with(read, text).notes.count(kind::TRUNCATED), 1, "{text}");
        }
    }
}
