//! Tells raw protobuf profiles from everything else by their first fields.
//!
//! Protobuf has no magic number, so the test is strict: known fields must have their wire types, and a sample type must look like
//! one. Deliberately absent: the older forms, which are formats of their own. Start reading at [`sniff`].

use super::field;
use super::wire::{Value, What, Wire};
use crate::format::Sniff;

/// See [`Format::sniff`](crate::format::Format::sniff).
pub(super) fn sniff(head: &[u8]) -> Sniff {
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
}
