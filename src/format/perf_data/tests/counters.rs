//! Counters of groups over threads, and captures of many events.

use super::*;

const INHERIT: usize = 1;

/// Samples (thread, time, counter value) of one event that is counted by itself; before each a new thread of the number where `is_new`.
fn counted(flags: &[usize], samples: &[(bool, u32, u64, u64)]) -> Profile {
    let sample_type = bit::IDENTIFIER | bit::TID | bit::TIME | bit::READ;
    read(&pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(2, 1000, sample_type, attr::read::ID, flags, &[71]));
        for &(is_new, tid, time, value) in samples {
            if is_new {
                out.record(records::FORK, 0, |out| {
                    for word in [5, 5, tid, 5] {
                        out.u32(word);
                    }
                    out.u64(time);
                    // Who, when, which event.
                    out.u32(5);
                    out.u32(tid);
                    out.u64(time);
                    out.u64(71);
                });
            }
            out.record(records::SAMPLE, 2, |out| {
                out.u64(71);
                out.u32(5);
                out.u32(tid);
                for word in [time, value, 71] {
                    out.u64(word);
                }
            });
        }
    }))
}

/// Threads that inherited an event count on their own under its one id (Linux 6.12).
#[test]
fn counters_that_threads_inherited_grow_by_thread() {
    let samples = [(false, 5, 1, 100), (true, 6, 2, 10), (false, 5, 3, 150), (false, 6, 4, 30), (true, 6, 5, 7)];
    let profile = counted(&[SAMPLE_ID_ALL, EXCLUDE_GUEST, INHERIT], &samples);
    assert_eq!(profile.samples.values(0), [100, 10, 50, 20, 7]);
    assert!(profile.notes.iter().next().is_none(), "{:?}", profile.notes);
    // One counter for all threads, where none inherits it.
    let profile = counted(&[SAMPLE_ID_ALL, EXCLUDE_GUEST], &[(false, 5, 1, 100), (false, 6, 2, 110), (false, 5, 3, 150)]);
    assert_eq!(profile.samples.values(0), [100, 10, 40]);
}

#[test]
fn a_counter_that_falls_was_set_to_zero_and_a_note_says_so() {
    let profile = counted(&[SAMPLE_ID_ALL, EXCLUDE_GUEST], &[(false, 5, 1, 100), (false, 5, 2, 40), (false, 5, 3, 45)]);
    assert_eq!(profile.samples.values(0), [100, 40, 5]);
    assert_eq!((profile.notes.count(kind::GUESSED), profile.notes.count(kind::OVERFLOW)), (1, 0));
}

/// One tracepoint for each of `events`, of which the first `used` have a sample.
fn many(events: u64, used: u64) -> Vec<u8> {
    let sample_type = bit::IDENTIFIER | bit::TID | bit::TIME;
    pipe(false, |out| {
        for event in 0..events {
            out.record(records::HEADER_ATTR, 0, |out| {
                out.attr(2, event + 1, sample_type, 0, &[SAMPLE_ID_ALL, EXCLUDE_GUEST], &[event + 1]);
            });
        }
        for event in 0..used {
            out.record(records::SAMPLE, 2, |out| {
                out.u64(event + 1);
                out.u32(5);
                out.u32(5);
                out.u64(event + 1);
            });
        }
    })
}

/// `perf record -e 'syscalls:*'` has 700 events, of which a program makes a few.
#[test]
fn of_many_events_those_without_samples_are_counted_and_no_sample_types() {
    let profile = read(&many(40, 3));
    assert_eq!((profile.sample_types.len(), profile.info.fact("events without samples")), (3, Some("37")));
    assert_eq!((profile.total(0), profile.total(1), profile.total(2)), (1, 2, 3));
    // Of few events it is worth saying that one did not happen.
    let profile = read(&many(9, 1));
    assert_eq!((profile.sample_types.len(), profile.info.fact("events without samples")), (9, None));
}

#[test]
fn values_of_too_many_events_are_refused_and_not_allocated() {
    let ticket = Ticket::new();
    let bytes = many(300, 300);
    let cx = ReadCx { max_bytes: 1 << 19, ..ReadCx::new(&ticket) };
    let error = PerfData.read(&Input { bytes: &bytes, name: "test" }, &cx).unwrap_err();
    assert!(error.to_string().contains("300 events"), "{error}");
    assert_eq!(read(&bytes).sample_types.len(), 300);
}

/// A header that describes as many events as there are, in another order and without ids.
#[test]
fn events_are_found_by_their_attributes_in_time() {
    const EVENTS: u64 = 20_000;
    let attr = |out: &mut Writer, config: u64| {
        out.u32(1);
        out.u32(64);
        for word in [config, 1, bit::TIME, 0, 0, 0, 0] {
            out.u64(word);
        }
    };
    let mut out = Writer { bytes: Vec::new(), is_big: false };
    let mut desc = Writer { bytes: Vec::new(), is_big: false };
    desc.u32(EVENTS as u32);
    desc.u32(64);
    for event in (0..EVENTS).rev() {
        attr(&mut desc, event);
        desc.u32(0);
        desc.u32(8);
        desc.bytes.extend(format!("e{event:06}\0").as_bytes());
    }
    let attrs = EVENTS * 80;
    out.bytes.extend(b"PERFILE2");
    for word in [104, 80, 104, attrs, 104 + attrs, 16, 0, 0, 1 << 12, 0, 0, 0] {
        out.u64(word);
    }
    for event in 0..EVENTS {
        attr(&mut out, event);
        out.u64(0);
        out.u64(0);
    }
    out.record(records::SAMPLE, 2, |out| out.u64(7));
    for word in [104 + attrs + 16 + 16, desc.bytes.len() as u64] {
        out.u64(word);
    }
    out.bytes.extend(desc.bytes);
    let profile = read(&out.bytes);
    assert_eq!(profile.sample_types.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(), ["e000000"]);
}
