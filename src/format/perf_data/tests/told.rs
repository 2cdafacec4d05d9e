//! Records beside samples that say something: counter values, changes of the kernel's code, namespaces.

use super::*;

fn fact_lines<'p>(profile: &'p Profile, key: &str) -> Vec<&'p str> {
    profile.info.facts.iter().filter(|(known, _)| known == key).map(|(_, text)| text.as_str()).collect()
}

/// A sample at its event's only address, so that the capture has something.
fn sample(out: &mut Writer, tid: u32, time: u64, id: u64) {
    out.record(records::SAMPLE, 2, |out| {
        out.u64(0x1010);
        out.u32(tid);
        out.u32(tid);
        out.u64(time);
        out.u64(id);
    });
}

#[test]
fn counter_values_of_ended_threads_are_added_up_by_event() {
    let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID;
    let format = attr::read::ID | attr::read::TIME_ENABLED | attr::read::TIME_RUNNING | attr::read::LOST;
    for is_big in [false, true] {
        let bytes = pipe(is_big, |out| {
            for (config, id) in [(0, 71), (2, 72)] {
                out.record(records::HEADER_ATTR, 0, |out| {
                    out.attr(config, 1000, sample_type, format, &[SAMPLE_ID_ALL, EXCLUDE_GUEST], &[id]);
                });
            }
            sample(out, 5, 10, 71);
            for (tid, id, value) in [(6, 71, 1500), (7, 71, 500), (7, 72, 3)] {
                out.record(records::READ, 0, |out| {
                    out.u32(5);
                    out.u32(tid);
                    for word in [value, 90, 80, id, 0] {
                        out.u64(word);
                    }
                    out.u32(5);
                    out.u32(tid);
                    out.u64(20);
                    out.u64(id);
                });
            }
            // Cut behind the thread.
            out.record(records::READ, 0, |out| out.u64(5));
        });
        let profile = read(&bytes);
        let wanted = ["cpu-clock: 2000 ns in 2 threads and processes that ended", "page-faults: 3 in 2 threads and processes that ended"];
        assert_eq!(fact_lines(&profile, "counted"), wanted);
        assert_eq!((profile.notes.count(kind::SKIPPED), profile.notes.count(kind::NOT_UNDERSTOOD)), (0, 1));
        assert_eq!(profile.info.tally, Tally::new(1, 0));
    }
}

#[test]
fn what_two_kinds_of_records_count_as_lost_is_lost_once() {
    let lost = |told: &[u64], counted: &[u64]| {
        let bytes = pipe(false, |out| {
            let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID;
            out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 1000, sample_type, 0, &[], &[71]));
            sample(out, 5, 10, 71);
            for &count in told {
                out.record(records::LOST, 0, |out| {
                    out.u64(71);
                    out.u64(count);
                });
            }
            for &count in counted {
                out.record(records::LOST_SAMPLES, 0, |out| out.u64(count));
            }
        });
        read(&bytes).notes.count(kind::LOST_EVENTS)
    };
    assert_eq!(lost(&[100, 115], &[215]), 215);
    assert_eq!(lost(&[3, 4], &[]), 7);
    assert_eq!(lost(&[], &[0, 9]), 9);
    assert_eq!(lost(&[], &[0]), 0);
}

#[test]
fn changes_of_the_kernels_code_are_facts_and_no_losses() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID;
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 1000, sample_type, 0, &[], &[71]));
        sample(out, 5, 10, 71);
        for kind in [1, 1, 2] {
            out.record(records::BPF_EVENT, 0, |out| {
                out.u16(kind);
                out.u16(0);
                out.u32(9);
                out.u64(0xfeed);
            });
        }
        out.record(records::TEXT_POKE, 1, |out| {
            out.u64(0xffff_ffff_8100_0000);
            out.u16(5);
            out.u16(5);
            out.bytes.extend([0x90; 5]);
            out.bytes.extend([0xe8; 7]);
        });
    });
    let profile = read(&bytes);
    assert_eq!(fact_lines(&profile, "bpf programs"), ["2 loaded, 1 unloaded while recording or before"]);
    assert_eq!(fact_lines(&profile, "kernel code changed"), ["1 times while recording (TEXT_POKE)"]);
    assert!(profile.notes.is_empty(), "{:?}", profile.notes);
}

#[test]
fn namespaces_that_differ_are_labels_and_pass_on_to_new_threads() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID;
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 1000, sample_type, 0, &[SAMPLE_ID_ALL], &[71]));
        let trailer = |out: &mut Writer, tid: u32, time: u64| {
            out.u32(tid);
            out.u32(tid);
            out.u64(time);
            out.u64(71);
        };
        // net, uts, ipc, pid, user, mnt, cgroup; of these pid and mnt differ.
        let namespaces = |out: &mut Writer, tid: u32, time: u64, pid: u64, mnt: u64| {
            out.record(records::NAMESPACES, 0, |out| {
                out.u32(tid);
                out.u32(tid);
                out.u64(7);
                for number in [1, 2, 3, pid, 5, mnt, 7] {
                    out.u64(4);
                    out.u64(number);
                }
                trailer(out, tid, time);
            });
        };
        namespaces(out, 5, 1, 44, 66);
        sample(out, 5, 10, 71);
        namespaces(out, 5, 20, 45, 67);
        sample(out, 5, 30, 71);
        out.record(records::FORK, 0, |out| {
            for part in [8, 5, 8, 5] {
                out.u32(part);
            }
            out.u64(40);
            trailer(out, 8, 40);
        });
        sample(out, 8, 50, 71);
        // Nothing is known of this one.
        sample(out, 9, 60, 71);
    });
    let profile = read(&bytes);
    let labels: Vec<String> = (0..4).map(|row| labels_of(&profile, row)).collect();
    let inner = "mnt namespace=67 pid namespace=45";
    assert_eq!(labels, ["mnt namespace=66 pid namespace=44", inner, inner, ""]);
    assert!(profile.notes.is_empty(), "{:?}", profile.notes);
}

#[test]
fn namespaces_that_all_samples_share_are_no_labels() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID;
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 1000, sample_type, 0, &[], &[71]));
        out.record(records::NAMESPACES, 0, |out| {
            out.u32(5);
            out.u32(5);
            out.u64(1);
            out.u64(4);
            out.u64(9);
        });
        sample(out, 5, 10, 71);
    });
    assert_eq!(labels_of(&read(&bytes), 0), "");
}
