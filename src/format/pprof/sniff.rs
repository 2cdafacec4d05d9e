//! Tells raw protobuf profiles from everything else by their first fields.
//!
//! Protobuf has no magic number, so the test is strict: known fields must have their wire types, and a sample type must look like
//! one. Legacy forms are recognised too, so that their error can say what to do. Start reading at [`sniff`].

use super::field;
use super::wire::{Value, What, Wire};
use crate::format::Sniff;

/// See [`Format::sniff`](crate::format::Format::sniff).
pub(super) fn sniff(head: &[u8]) -> Sniff {
    if legacy(head).is_some() {
        return Sniff::Yes;
    }
    let mut wire = Wire::new(head, 0);
    let (mut known, mut sample_type) = (0_usize, false);
    loop {
        match wire.field() {
            Ok(Some(found)) => {
                if !fits(found.number, &found.value) {
                    break;
                }
                known += usize::from(found.number <= field::DOC_URL);
                if let (field::SAMPLE_TYPE, Value::Bytes(body)) = (found.number, found.value) {
                    sample_type |= is_value_type(body);
                }
            }
            // The head may end in the middle of a field.
            Ok(None) => return answer(sample_type, known),
            Err(fault) if matches!(fault.what, What::Short { .. }) => return answer(sample_type, known),
            Err(_) => break,
        }
    }
    // Something is wrong, but what stands before it was no accident: then the reader says what is wrong.
    if sample_type && known > 2 { Sniff::Yes } else { Sniff::No }
}

const fn answer(sample_type: bool, known: usize) -> Sniff {
    match (sample_type, known) {
        (true, _) => Sniff::Yes,
        (false, 0..4) => Sniff::No,
        (false, _) => Sniff::Maybe,
    }
}

fn fits(number: u64, value: &Value<'_>) -> bool {
    match (number, value) {
        (field::SAMPLE_TYPE | field::PERIOD_TYPE, Value::Bytes(body)) => is_value_type(*body),
        (field::SAMPLE | field::MAPPING | field::LOCATION | field::FUNCTION, Value::Bytes(body)) => is_message(*body),
        (field::STRING_TABLE, Value::Bytes(_))
        | (field::COMMENT, Value::Bytes(_) | Value::Int(_))
        | (field::DROP_FRAMES..=field::DURATION_NANOS | field::PERIOD | field::DEFAULT_SAMPLE_TYPE | field::DOC_URL, Value::Int(_))
        // Fields of a future version.
        | (16..=64, _) => true,
        _ => false,
    }
}

/// Two string indices at most, none of which a real table could not hold.
fn is_value_type(mut body: Wire<'_>) -> bool {
    while let Ok(Some(found)) = body.field() {
        match (found.number, found.value) {
            (1 | 2, Value::Int(index)) if i64::try_from(index).is_ok() => {}
            (16..=64, _) => {}
            _ => return false,
        }
    }
    body.bytes().is_empty()
}

/// At least the first fields are fields.
fn is_message(mut body: Wire<'_>) -> bool {
    (0..4).all(|_| body.field().is_ok_and(|found| found.is_none_or(|found| found.number > 0 && found.number <= 64)))
}

/// What a legacy form is called, if `head` begins with one (`profile/legacy_profile.go` of google/pprof).
pub(super) fn legacy(head: &[u8]) -> Option<&'static str> {
    const TEXT: [(&[u8], &str); 10] = [
        (b"heap profile:", "heap text (gperftools, or Go's debug=1)"),
        (b"heap_v2/", "jemalloc heap text"),
        (b"goroutine profile:", "goroutine text (Go's debug=1)"),
        (b"threadcreate profile:", "threadcreate text (Go's debug=1)"),
        (b"--- mutex:", "mutex text (Go's debug=1)"),
        (b"--- contention", "contention text"),
        (b"--- threadz", "thread text"),
        (b"--- heapz", "Java heap text"),
        (b"--- growthz", "heap growth text"),
        (b"goroutine ", "goroutine text (Go's debug=2)"),
    ];
    let text = TEXT.iter().find(|(start, _)| head.starts_with(start)).map(|(_, name)| *name);
    text.filter(|name| *name != "goroutine text (Go's debug=2)" || is_goroutine_dump(head)).or_else(|| binary_cpu(head))
}

/// `goroutine 1 [running]:`
fn is_goroutine_dump(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
    line.ends_with(b"]:") && line.contains(&b'[')
}

/// The header of gperftools' CPU profile: words 0, 3, 0 (1 for Java), period in microseconds, 0; 4 or 8 bytes each, either byte order.
fn binary_cpu(head: &[u8]) -> Option<&'static str> {
    let words = |size: usize, big: bool| -> Option<[u64; 5]> {
        let mut words = [0; 5];
        for (word, bytes) in words.iter_mut().zip(head.chunks_exact(size)) {
            *word = bytes.iter().enumerate().fold(0, |sum, (at, &byte)| {
                let shift = if big { size - 1 - at } else { at };
                sum | u64::from(byte) << (8 * shift)
            });
        }
        (head.len() >= size * 5).then_some(words)
    };
    let is_header = |words: [u64; 5]| matches!(words, [0, 3, 0 | 1, 1..=100_000_000, 0]);
    let found = [(4, false), (4, true), (8, false), (8, true)].iter().any(|&(size, big)| words(size, big).is_some_and(is_header));
    found.then_some("binary CPU profile (gperftools)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_other_formats_are_not_pprof() {
        for head in [
            &b"main;work 5\nmain 3\n"[..],
            b"\n\nmain;work 5\n",
            b"PERFILE2\x68\0\0\0\0\0\0\0",
            b"{\"version\": 1}",
            b"Hello\nworld\n",
            b"H 404 not found",
            b"Z\n\n",
            b"<html>",
            b"",
            &[0; 4096],
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"cc1  4347  2440.176139:    2004008 cpu-clock:ppp: \n",
        ] {
            assert_eq!(sniff(head), Sniff::No, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn profiles_that_begin_with_other_fields_are_found() {
        // time_nanos, then a sample type; period_type and period, then a sample type.
        assert_eq!(sniff(b"\x48\x86\x01\x0a\x04\x08\x01\x10\x02"), Sniff::Yes);
        assert_eq!(sniff(b"\x5a\x04\x08\x01\x10\x02\x60\x05\x0a\x04\x08\x03\x10\x04"), Sniff::Yes);
        // No sample type in sight: a guess.
        assert_eq!(sniff(b"\x48\x01\x50\x01\x60\x01\x32\x00\x32\x01a"), Sniff::Maybe);
    }

    #[test]
    fn binary_cpu_headers_are_found_in_both_sizes_and_byte_orders() {
        let words = [0_u64, 3, 0, 10_000, 0];
        let le8: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let be4: Vec<u8> = words.iter().flat_map(|&word| (word as u32).to_be_bytes()).collect();
        assert!(legacy(&le8).is_some() && legacy(&be4).is_some());
        assert_eq!(legacy(&[0; 64]), None);
    }
}
