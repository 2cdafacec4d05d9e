//! What Android's `simpleperf record` writes differently: facts, names of events and symbols in sections of its own, records of its own.
//!
//! Layout from simpleperf's `record_file_format.md`. Deliberately absent: its split records and what it says about its own unwinding,
//! which are counted as left out. Start reading at [`meta_info`], for symbols at [`symbols`].

pub(super) mod symbols;

use crate::base::cursor::Cursor;

/// Section of keys and values.
pub(super) const META_INFO: u32 = 129;
/// Section of symbols as plain fields.
pub(super) const FILE: u32 = 128;
/// Section of symbols as messages.
pub(super) const FILE2: u32 = 132;
/// Sections that nothing here reads.
pub(super) const UNUSED: [(u32, &str); 3] = [(130, "DEBUG_UNWIND"), (131, "DEBUG_UNWIND_FILE"), (133, "ETM_BRANCH_LIST")];

/// Formats of tracepoints, in a record like perf's own but with the payload inside.
pub(super) const TRACING_DATA: u32 = 32777;

/// The key that holds the names of events: a line `name,type,config` for each.
pub(super) const EVENT_TYPES: &str = "event_type_info";

/// Keys and values of the section, which are texts that end in zero.
pub(super) fn meta_info(mut body: Cursor<'_>) -> Vec<(String, String)> {
    let text = |body: &mut Cursor<'_>| String::from_utf8_lossy(body.c_str()).into_owned();
    let mut pairs = Vec::new();
    while !body.is_empty() {
        let key = text(&mut body);
        let value = text(&mut body);
        if !key.is_empty() {
            pairs.push((key, value));
        }
    }
    pairs
}

/// (name, type, config) of each event.
pub(super) fn event_types(text: &str) -> Vec<(String, u32, u64)> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.rsplitn(3, ',');
            let (config, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
            Some((name.to_owned(), kind.parse().ok()?, config.parse().ok()?))
        })
        .collect()
}

/// The name of a record of simpleperf's own.
pub(super) const fn name_of(kind: u32) -> Option<&'static str> {
    Some(match kind {
        32769 => "simpleperf KERNEL_SYMBOL",
        32770 => "simpleperf DSO",
        32771 => "simpleperf SYMBOL",
        32772 => "simpleperf SPLIT",
        32773 => "simpleperf SPLIT_END",
        32774 => "simpleperf EVENT_ID",
        32775 => "simpleperf CALLCHAIN",
        32776 => "simpleperf UNWINDING_RESULT",
        32777 => "simpleperf TRACING_DATA",
        32778 => "simpleperf DEBUG",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_events_are_split() {
        let pairs = meta_info(Cursor::new(b"simpleperf_version\x001.build\0event_type_info\0cpu-cycles,0,0\nsched:sched_switch,2,47\0cut"));
        assert_eq!(pairs[0], ("simpleperf_version".to_owned(), "1.build".to_owned()));
        assert_eq!(pairs[2], ("cut".to_owned(), String::new()));
        let events = event_types(&pairs[1].1);
        assert_eq!(events, [("cpu-cycles".to_owned(), 0, 0), ("sched:sched_switch".to_owned(), 2, 47)]);
    }
}
