//! Tracepoints: the formats that perf copies out of tracefs, and the fields of their samples.
//!
//! A format is text (`/sys/kernel/tracing/events/*/*/format`): one line per field with its C declaration, offset, size and sign. Deliberately
//! absent: the format's `print fmt`, which is C code: numbers stay numbers. Start reading at [`Tracepoint::parse`].

use std::borrow::Cow;

use crate::base::cursor::{Cursor, Endian};

/// One kind of tracepoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tracepoint {
    /// `system:name`.
    pub(super) name: String,
    /// The fields that are its own, in the order of the format.
    pub(super) fields: Vec<Field>,
}

/// One field of a tracepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    offset: usize,
    size: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unsigned,
    Signed,
    /// An address, shown in hex.
    Pointer,
    /// Characters up to a zero.
    Text,
    /// Offset and length of characters that stand elsewhere; true = the offset counts from behind the field.
    TextAt(bool),
    /// Anything else, shown in hex.
    Bytes,
    /// Like `TextAt`, for what is no text.
    BytesAt(bool),
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(i64),
    Text(Cow<'a, str>),
}

impl Tracepoint {
    /// Reads one format; gives its number as well. `None` for text that is no format.
    pub(super) fn parse(system: &str, format: &str) -> Option<(u64, Self)> {
        let field = |key: &str| format.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let (name, id) = (field("name:")?, field("ID:")?.parse().ok()?);
        let fields = format.lines().filter_map(Field::parse).filter(|field| !field.name.starts_with("common_")).collect();
        Some((id, Self { name: format!("{system}:{name}"), fields }))
    }

    /// The number in the field of that name.
    pub(super) fn number(&self, name: &str, raw: &[u8], endian: Endian) -> Option<i64> {
        match self.fields.iter().find(|field| field.name == name)?.value(raw, endian)? {
            Value::Number(number) => Some(number),
            Value::Text(_) => None,
        }
    }
}

impl Field {
    /// Reads `field:char prev_comm[16]; offset:8; size:16; signed:0;`.
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim().strip_prefix("field:")?.split(';').map(str::trim);
        let declaration = parts.next()?;
        let (mut offset, mut size, mut is_signed) = (None, None, false);
        for part in parts {
            match part.split_once(':') {
                Some(("offset", value)) => offset = value.trim().parse().ok(),
                Some(("size", value)) => size = value.trim().parse().ok(),
                Some(("signed", value)) => is_signed = value.trim() == "1",
                _ => {}
            }
        }
        let (declaration, is_array) = match declaration.split_once('[') {
            // `char comm[16]`, but `__data_loc char[] name`.
            Some((before, after)) if after.ends_with(']') => (before.to_owned(), true),
            Some((before, after)) => (format!("{before} {}", after.split_once(']').map_or("", |(_, name)| name)), true),
            None => (declaration.to_owned(), false),
        };
        let (of, name) = declaration.trim().rsplit_once([' ', '*'])?;
        let is_pointer = declaration.contains('*') || name.starts_with("__probe_");
        let is_text = of.split_whitespace().any(|word| word == "char") && !of.contains("unsigned");
        let size = size?;
        let kind = match (of.split_whitespace().next().unwrap_or(""), is_array) {
            (at @ ("__data_loc" | "__rel_loc"), _) if is_text => Kind::TextAt(at == "__rel_loc"),
            (at @ ("__data_loc" | "__rel_loc"), _) => Kind::BytesAt(at == "__rel_loc"),
            (_, true) if is_text => Kind::Text,
            (_, false) if is_pointer => Kind::Pointer,
            (_, false) if matches!(size, 1 | 2 | 4 | 8) => {
                if is_signed {
                    Kind::Signed
                } else {
                    Kind::Unsigned
                }
            }
            _ => Kind::Bytes,
        };
        Some(Self { name: name.to_owned(), offset: offset?, size, kind })
    }

    /// The bytes that make the value; `None` where the sample is too short.
    pub(super) fn bytes<'a>(&self, raw: &'a [u8], endian: Endian) -> Option<&'a [u8]> {
        let own = raw.get(self.offset..self.offset.checked_add(self.size)?)?;
        let (Kind::TextAt(is_relative) | Kind::BytesAt(is_relative)) = self.kind else { return Some(own) };
        let place = Cursor::at(own, 0, endian).u32().ok()?;
        let (at, len) = ((place & 0xffff) as usize, (place >> 16) as usize);
        let start = if is_relative { self.offset.checked_add(self.size)?.checked_add(at)? } else { at };
        raw.get(start..start.checked_add(len)?)
    }

    /// What the bytes of [`Self::bytes`] say.
    pub(super) fn value_of<'a>(&self, bytes: &'a [u8], endian: Endian) -> Value<'a> {
        let hex = |bytes: &[u8]| Value::Text(Cow::Owned(super::features::hex(bytes)));
        match self.kind {
            Kind::Text | Kind::TextAt(_) => Value::Text(String::from_utf8_lossy(Cursor::new(bytes).c_str())),
            Kind::Bytes | Kind::BytesAt(_) => hex(bytes),
            Kind::Unsigned | Kind::Signed | Kind::Pointer => {
                let mut cursor = Cursor::at(bytes, 0, endian);
                let number = match bytes.len() {
                    1 => cursor.u8().map(u64::from),
                    2 => cursor.u16().map(u64::from),
                    4 => cursor.u32().map(u64::from),
                    _ => cursor.u64(),
                };
                let Ok(number) = number else { return hex(bytes) };
                match self.kind {
                    Kind::Signed => {
                        let unused = 64_u32.saturating_sub(8 * bytes.len() as u32);
                        Value::Number(((number << unused) as i64) >> unused)
                    }
                    Kind::Unsigned if i64::try_from(number).is_ok() => Value::Number(number as i64),
                    _ => Value::Text(Cow::Owned(format!("{number:#x}"))),
                }
            }
        }
    }

    fn value<'a>(&self, raw: &'a [u8], endian: Endian) -> Option<Value<'a>> {
        self.bytes(raw, endian).map(|bytes| self.value_of(bytes, endian))
    }
}

/// The letters that perf shows for a task's state at a switch (`kernel/sched/sched.h`, `TASK_REPORT`): `S`, `D|K`, `R+` when preempted.
pub(super) fn task_state(state: i64) -> String {
    const LETTERS: [(i64, &str); 8] = [(1, "S"), (2, "D"), (4, "T"), (8, "t"), (0x10, "X"), (0x20, "Z"), (0x40, "P"), (0x80, "I")];
    let letters: Vec<&str> = LETTERS.iter().filter(|(bit, _)| state & bit != 0).map(|(_, letter)| *letter).collect();
    let preempted = if state & 0x100 != 0 { "+" } else { "" };
    format!("{}{preempted}", if letters.is_empty() { "R".to_owned() } else { letters.join("|") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: &str = "name: sched_thing\nID: 316\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\
        \tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n\tfield:u8 mac[2];\toffset:28;\tsize:2;\tsigned:0;\n\
        \tfield:unsigned short port;\toffset:30;\tsize:2;\tsigned:0;\n\tfield:void * lock_addr;\toffset:32;\tsize:8;\tsigned:0;\n\
        \tfield:__data_loc char[] name;\toffset:40;\tsize:4;\tsigned:0;\n\tfield:__rel_loc char[] other;\toffset:44;\tsize:4;\tsigned:0;\n\
        \tfield:unsigned long flags;\toffset:48;\tsize:8;\tsigned:0;\n\nprint fmt: \"%s\", REC->prev_comm\n";

    #[test]
    fn fields_are_read_by_their_declarations_in_both_byte_orders() {
        let (id, tracepoint) = Tracepoint::parse("sched", FORMAT).unwrap();
        assert_eq!((id, tracepoint.name.as_str()), (316, "sched:sched_thing"));
        for endian in [Endian::Little, Endian::Big] {
            let mut raw = vec![0; 8];
            let int = |raw: &mut Vec<u8>, value: u64, size: usize| match endian {
                Endian::Little => raw.extend(&value.to_le_bytes()[..size]),
                Endian::Big => raw.extend(&value.to_be_bytes()[8 - size..]),
            };
            raw.extend(b"make\0\0\0\0\0\0\0\0\0\0\0\0");
            int(&mut raw, -7_i32 as u32 as u64, 4);
            raw.extend([0xab, 0x01]);
            int(&mut raw, 443, 2);
            int(&mut raw, 0xffff_8881_003c_1eec, 8);
            int(&mut raw, 4 << 16 | 0x38, 4);
            int(&mut raw, 3 << 16 | 0xc, 4);
            int(&mut raw, u64::MAX, 8);
            raw.extend(b"eth\0lo\0");
            let shown: Vec<String> = tracepoint
                .fields
                .iter()
                .map(|field| match field.value(&raw, endian).unwrap() {
                    Value::Number(number) => format!("{}={number}", field.name),
                    Value::Text(text) => format!("{}={text:?}", field.name),
                })
                .collect();
            let expected = [
                "prev_comm=\"make\"",
                "prev_pid=-7",
                "mac=\"ab01\"",
                "port=443",
                "lock_addr=\"0xffff8881003c1eec\"",
                "name=\"eth\"",
                "other=\"lo\"",
                "flags=\"0xffffffffffffffff\"",
            ];
            assert_eq!(shown, expected);
            assert_eq!(tracepoint.number("prev_pid", &raw, endian), Some(-7));
            // Cut short, the fields that are there stay.
            let short: Vec<bool> = tracepoint.fields.iter().map(|field| field.value(&raw[..32], endian).is_some()).collect();
            assert_eq!(short, [true, true, true, true, false, false, false, false]);
        }
        assert_eq!(Tracepoint::parse("sched", "no format"), None);
    }

    #[test]
    fn states_are_the_letters_of_perf() {
        let shown: Vec<String> = [0, 1, 2, 0x100, 0x82].into_iter().map(task_state).collect();
        assert_eq!(shown, ["R", "S", "D", "R+", "D|I"]);
    }
}
