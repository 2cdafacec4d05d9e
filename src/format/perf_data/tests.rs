//! Captures written by hand, for what no capture at hand shows.

mod counters;
mod simpleperf;
mod stacks;
mod told;

use super::*;
use crate::model::{LabelValue, StackId, Tally, check, kind};

/// Writes records in one byte order.
struct Writer {
    bytes: Vec<u8>,
    is_big: bool,
}

impl Writer {
    fn u16(&mut self, value: u16) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
        self.bytes.resize(self.bytes.len() + 8 - text.len() % 8, 0);
    }

    fn record(&mut self, kind: u32, misc: u16, body: impl FnOnce(&mut Self)) {
        self.u32(kind);
        self.u16(misc);
        let size = self.bytes.len();
        self.u16(0);
        let start = size - 6;
        body(self);
        let len = (self.bytes.len() - start) as u16;
        let len = if self.is_big { len.to_be_bytes() } else { len.to_le_bytes() };
        self.bytes[size..size + 2].copy_from_slice(&len);
    }

    /// An attribute with `flags` as bit numbers, then its ids.
    fn attr(&mut self, config: u64, period: u64, sample_type: u64, read_format: u64, flags: &[usize], ids: &[u64]) {
        self.u32(1);
        // A newer perf: 64 bytes that this reader knows nothing about.
        self.u32(MIN_NEW as u32);
        for word in [config, period, sample_type, read_format] {
            self.u64(word);
        }
        let mut bits = [0_u8; 8];
        for flag in flags {
            bits[flag / 8] |= if self.is_big { 0x80 >> (flag % 8) } else { 1 << (flag % 8) };
        }
        self.bytes.extend(bits);
        self.bytes.resize(self.bytes.len() + MIN_NEW - 48, 0xee);
        for id in ids {
            self.u64(*id);
        }
    }
}

const MIN_NEW: usize = 200;
const SAMPLE_ID_ALL: usize = 18;
const EXCLUDE_GUEST: usize = 20;

fn pipe(is_big: bool, body: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), is_big };
    writer.bytes.extend(if is_big { b"2ELIFREP" } else { b"PERFILE2" });
    writer.u64(16);
    body(&mut writer);
    writer.bytes
}

fn read(bytes: &[u8]) -> Profile {
    let ticket = Ticket::new();
    let profile = PerfData.read(&Input { bytes, name: "test" }, &ReadCx::new(&ticket)).unwrap();
    assert_eq!(check(&profile), []);
    profile
}

/// cpu-clock and page-faults as one counting group, fixed period, with call chains; names and modules out of order in time.
fn group(is_big: bool) -> Vec<u8> {
    let sample_type = bit::IP | bit::TID | bit::TIME | bit::ID | bit::READ | bit::CALLCHAIN;
    let format = attr::read::GROUP | attr::read::ID | attr::read::LOST;
    pipe(is_big, |out| {
        for (config, ids) in [(0, [71]), (2, [72])] {
            out.record(records::HEADER_ATTR, 0, |out| out.attr(config, 1000, sample_type, format, &[SAMPLE_ID_ALL, EXCLUDE_GUEST], &ids));
        }
        let trailer = |out: &mut Writer, time: u64| {
            out.u32(5);
            out.u32(5);
            out.u64(time);
            out.u64(71);
        };
        let sample = |out: &mut Writer, time: u64, clock: u64, faults: u64| {
            out.record(records::SAMPLE, 2, |out| {
                out.u64(0x1010);
                out.u32(5);
                out.u32(5);
                for word in [time, 71, 2, clock, 71, 0, faults, 72, 0, 3, -512_i64 as u64, 0x1010, 0x1020] {
                    out.u64(word);
                }
            });
        };
        sample(out, 300, 1500, 7);
        sample(out, 100, 1000, 0);
        out.record(records::COMM, 0, |out| {
            out.u32(5);
            out.u32(5);
            out.text("early");
            trailer(out, 50);
        });
        out.record(records::COMM, 0, |out| {
            out.u32(5);
            out.u32(5);
            out.text("late");
            trailer(out, 200);
        });
        out.record(records::MMAP, 2, |out| {
            out.u32(5);
            out.u32(5);
            for word in [0x1000, 0x1000, 0x400] {
                out.u64(word);
            }
            out.text("/bin/tool");
            trailer(out, 60);
        });
        out.record(records::LOST, 0, |out| {
            out.u64(71);
            out.u64(9);
            trailer(out, 250);
        });
        out.record(records::THROTTLE, 0, |out| trailer(out, 250));
    })
}

#[test]
fn a_group_gives_each_counter_what_it_grew_by_in_order_of_time() {
    let profile = read(&group(false));
    let names: Vec<(&str, u64)> = profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.records)).collect();
    assert_eq!(names, [("cpu-clock", 2), ("page-faults", 1)]);
    assert_eq!((profile.total(0), profile.total(1)), (1500, 7));
    let comms: Vec<&str> = profile.samples.threads().iter().map(|row| profile.strings.get(profile.threads[row.unwrap()].name)).collect();
    assert_eq!(comms, ["early", "late", "late"]);
    let stack: Vec<String> = profile.stack_frames(profile.samples.stacks()[0]).map(|frame| profile.frame_name(frame)).collect();
    assert_eq!(stack, ["tool+0x410", "tool+0x420"]);
    assert_eq!((profile.notes.count(kind::LOST_EVENTS), profile.notes.count(kind::THROTTLED)), (9, 1));
}

#[test]
fn both_byte_orders_give_the_same_profile() {
    assert_eq!(read(&group(true)), read(&group(false)));
}

/// A thread sleeps 100 ns with a sample that says where, is preempted for 50 ns without one, and ends. Another never comes back.
#[test]
fn time_off_the_cpu_is_between_the_records_and_stands_on_the_stack_of_the_switch() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::TID | bit::TIME | bit::CPU;
        // Context switches.
        out.record(records::HEADER_ATTR, 0, |out| out.attr(3, 1, sample_type, 0, &[SAMPLE_ID_ALL, EXCLUDE_GUEST], &[]));
        let trailer = |out: &mut Writer, tid: u32, time: u64| {
            out.u32(5);
            out.u32(tid);
            out.u64(time);
            out.u64(3);
        };
        out.record(records::SAMPLE, 1, |out| {
            out.u64(0x77);
            out.u32(5);
            out.u32(6);
            out.u64(990);
            out.u64(3);
        });
        let (is_out, is_preempted) = (offcpu::MISC_OUT, offcpu::MISC_PREEMPT);
        out.record(records::SWITCH, is_out, |out| trailer(out, 6, 1000));
        out.record(records::SWITCH, is_out, |out| trailer(out, 7, 1010));
        out.record(records::SWITCH, is_out, |out| trailer(out, 0, 1020));
        out.record(records::SWITCH, 0, |out| trailer(out, 6, 1100));
        out.record(records::SWITCH_CPU_WIDE, is_out | is_preempted, |out| {
            out.u64(0);
            trailer(out, 6, 1200);
        });
        out.record(records::SWITCH, 0, |out| trailer(out, 6, 1250));
        out.record(records::EXIT, 0, |out| {
            for part in [5, 5, 6, 6] {
                out.u32(part);
            }
            out.u64(1300);
            trailer(out, 6, 1300);
        });
        out.record(records::SWITCH, is_out, |out| trailer(out, 6, 1301));
    });
    let profile = read(&bytes);
    let types: Vec<(&str, &str, u64)> =
        profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.unit.as_str(), kind.records)).collect();
    assert_eq!(types, [("context-switches", "count", 1), ("off-cpu", "nanoseconds", 2)]);
    assert_eq!((profile.default_sample_type, profile.samples.values(1)), (0, &[0, 100, 50][..]));
    assert_eq!((0..3).map(|row| profile.samples.time(row).unwrap()).collect::<Vec<_>>(), [990, 1000, 1200]);
    let address =
        |row: usize| profile.stack_frames(profile.samples.stacks()[row]).next().and_then(|frame| profile.frames.at(frame).address);
    assert_eq!((address(1), address(2)), (Some(0x77), None), "only where a sample was taken at the switch");
    let labels: Vec<String> = (0..3).map(|row| labels_of(&profile, row)).collect();
    assert_eq!(labels, ["cpu=3", "cpu=3 waited=slept", "waited=preempted"]);
    assert_eq!(profile.info.tally, Tally { made: 2, ..Tally::new(1, 0) }, "switches are no sample records");
    assert_eq!(profile.notes.count(kind::SKIPPED), 1);
}

fn labels_of(profile: &Profile, row: usize) -> String {
    let Some(set) = profile.samples.labels()[row] else { return String::new() };
    let mut labels: Vec<String> = profile
        .label_sets
        .get(set)
        .iter()
        .map(|label| {
            let value = match label.value {
                LabelValue::Text(text) => profile.strings.get(text).to_owned(),
                LabelValue::Number(number, _) => number.to_string(),
            };
            format!("{}={value}", profile.strings.get(label.key))
        })
        .collect();
    labels.sort_unstable();
    labels.join(" ")
}

/// Sorted in parts and merged is sorted as a whole: equal times in the order of the file.
#[test]
fn sorting_in_parts_is_sorting() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for len in [0, 1, 2, 9, 10, 11, 500] {
        let entries: Vec<Entry> = (0..len).map(|at| Entry { time: random(40), at, event: None, kind: 1 }).collect();
        let mut whole: Vec<(u64, u64)> = entries.iter().map(|entry| (entry.time, entry.at)).collect();
        whole.sort_unstable();
        for part in [1, 3, 10, 1000] {
            let mut parts = entries.clone();
            sort_by_time(&mut parts, part, &Ticket::new()).unwrap();
            assert_eq!(parts.iter().map(|entry| (entry.time, entry.at)).collect::<Vec<_>>(), whole, "{len} in parts of {part}");
        }
    }
}

#[test]
fn events_on_different_clocks_are_said_to_be() {
    const USE_CLOCK_ID: usize = 25;
    let with = |flags: &'static [usize]| {
        read(&pipe(false, |out| {
            for (id, flags) in [(71, &[][..]), (72, flags)] {
                out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IDENTIFIER | bit::IP | bit::TIME, 0, flags, &[id]));
            }
        }))
    };
    let (same, other) = (with(&[]), with(&[USE_CLOCK_ID]));
    assert_eq!((same.info.fact("clock"), same.notes.count(kind::GUESSED)), (Some("perf's own"), 0));
    assert_eq!((other.info.fact("clock"), other.notes.count(kind::GUESSED)), (None, 1));
}

/// Two kinds of cores: names from updates, a joined type; a BPF program as a named function of the kernel.
#[test]
fn events_of_two_kinds_of_cores_are_joined_and_kernel_code_without_a_file_has_its_name() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IDENTIFIER | bit::IP | bit::PERIOD;
        for (id, name) in [(71, "cpu_core/cycles/"), (72, "cpu_atom/cycles/")] {
            out.record(records::HEADER_ATTR, 0, |out| out.attr(3, 1000, sample_type, 0, &[], &[id]));
            for (what, text) in [(2, name), (0, "ticks")] {
                out.record(records::EVENT_UPDATE, 0, |out| {
                    out.u64(what);
                    out.u64(id);
                    out.text(text);
                });
            }
        }
        out.record(records::KSYMBOL, 0, |out| {
            out.u64(0xffff_ffff_c000_1000);
            out.u32(0x100);
            // A BPF program.
            out.u16(1);
            out.u16(0);
            out.text("bpf_prog_6deef7357e7b4530");
        });
        for (id, period) in [(71, 10), (72, 7)] {
            out.record(records::SAMPLE, 1, |out| {
                for word in [id, 0xffff_ffff_c000_1010, period] {
                    out.u64(word);
                }
            });
        }
    });
    let profile = read(&bytes);
    let totals: Vec<(&str, i64)> =
        profile.sample_types.iter().enumerate().map(|(column, kind)| (kind.name.as_str(), profile.total(column))).collect();
    assert_eq!(totals, [("cpu_core/cycles/", 10), ("cpu_atom/cycles/", 7), ("cycles (cpu_core + cpu_atom)", 17)]);
    assert_eq!(profile.default_sample_type, 2);
    assert!(profile.info.fact("event").is_some_and(|text| text.ends_with("in ticks")), "{:?}", profile.info.facts);
    let leaf = profile.stack_frames(profile.samples.stacks()[0]).next().unwrap();
    assert_eq!(profile.frame_name(leaf), "bpf_prog_6deef7357e7b4530");
}

/// A number of a thread is used again: by a new process of another name and other modules, and by a new thread.
#[test]
fn numbers_of_processes_that_are_used_again_are_told_apart_by_time() {
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::TID | bit::TIME;
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, sample_type, 0, &[SAMPLE_ID_ALL], &[]));
        let task = |out: &mut Writer, pid: u32, tid: u32, time: u64| {
            out.u32(pid);
            out.u32(tid);
            out.u64(time);
        };
        let comm = |out: &mut Writer, time: u64, name: &str| {
            out.record(records::COMM, 0, |out| {
                out.u32(9);
                out.u32(9);
                out.text(name);
                task(out, 9, 9, time);
            });
        };
        let mmap = |out: &mut Writer, time: u64, file: &str| {
            out.record(records::MMAP, 2, |out| {
                out.u32(9);
                out.u32(9);
                for word in [0x1000, 0x1000, 0] {
                    out.u64(word);
                }
                out.text(file);
                task(out, 9, 9, time);
            });
        };
        let fork = |out: &mut Writer, kind: u32, time: u64, parent: u32| {
            out.record(kind, 0, |out| {
                for part in [9, parent, 9, parent] {
                    out.u32(part);
                }
                out.u64(time);
                task(out, 9, 9, time);
            });
        };
        let sample = |out: &mut Writer, time: u64| {
            out.record(records::SAMPLE, 2, |out| {
                out.u64(0x1010);
                task(out, 9, 9, time);
            });
        };
        comm(out, 10, "first");
        mmap(out, 20, "/bin/first");
        sample(out, 30);
        fork(out, records::EXIT, 40, 1);
        fork(out, records::FORK, 50, 1);
        sample(out, 60);
        comm(out, 70, "second");
        mmap(out, 80, "/bin/second");
        sample(out, 90);
    });
    let profile = read(&bytes);
    let said: Vec<String> = (0..3)
        .map(|row| {
            let thread = profile.threads[profile.samples.threads()[row].unwrap()];
            let leaf = profile.stack_frames(profile.samples.stacks()[row]).next().unwrap();
            format!("{} {}", profile.strings.get(thread.name), profile.frame_name(leaf))
        })
        .collect();
    // Between the fork and its name the new process is nobody that the capture knows.
    assert_eq!(said, ["first first+0x10", ":9 0x1010", "second second+0x10"]);
}

#[test]
fn a_cgroup_gives_path_pod_and_container() {
    let id = "0123456789abcdef".repeat(4);
    let uid = "2f1b7e0a-9c55-4f0e-8a3d-1c6a2d9be7f4";
    let bytes = pipe(false, |out| {
        let sample_type = bit::IP | bit::CGROUP | bit::CODE_PAGE_SIZE;
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, sample_type, 0, &[], &[]));
        out.record(records::CGROUP, 0, |out| {
            out.u64(42);
            out.text(&format!("/kubepods/burstable/pod{uid}/{id}"));
        });
        for cgroup in [42, 43] {
            out.record(records::SAMPLE, 2, |out| {
                for word in [0x77, cgroup, 4096] {
                    out.u64(word);
                }
            });
        }
    });
    let profile = read(&bytes);
    assert_eq!(labels_of(&profile, 0), format!("cgroup=/kubepods/burstable/pod{uid}/{id} code page=4096 container={id} pod={uid}"));
    assert_eq!(labels_of(&profile, 1), "cgroup=number 43 code page=4096");
}

#[test]
fn payloads_behind_records_are_passed_over() {
    let bytes = pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 4000, bit::IP, 0, &[], &[]));
        out.record(records::AUXTRACE, 0, |out| {
            for word in [24, 0, 0, 0, 0] {
                out.u64(word);
            }
        });
        out.bytes.extend([0xff; 24]);
        out.record(records::HEADER_TRACING_DATA, 0, |out| out.u64(5));
        out.bytes.extend([0xff; 8]);
        out.record(records::SAMPLE, 2, |out| out.u64(0x77));
    });
    let profile = read(&bytes);
    // Without a period in the sample the event's own is its weight.
    assert_eq!((profile.samples.len(), profile.total(0)), (1, 4000));
    assert_eq!(profile.notes.count(kind::SKIPPED), 1, "{:?}", profile.notes);
}

#[test]
fn records_with_explicit_sizes_of_compressed_data_are_inflated() {
    let plain = pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IP, 0, &[], &[]));
        for n in 0..100 {
            out.record(records::SAMPLE, 2, |out| out.u64(n));
        }
    });
    let attr_end = 16 + 8 + MIN_NEW;
    let packed = zstd::encode_all(&plain[attr_end..], 1).unwrap();
    let mut out = Writer { bytes: plain[..attr_end].to_vec(), is_big: false };
    for chunk in packed.chunks(50) {
        out.record(records::COMPRESSED2, 0, |out| {
            out.u64(chunk.len() as u64);
            out.bytes.extend(chunk);
            out.bytes.extend([0xaa; 3]);
        });
    }
    let (inflated, plain) = (read(&out.bytes), read(&plain));
    assert_eq!((inflated.samples, inflated.frames), (plain.samples, plain.frames));
}

#[test]
fn a_record_of_size_zero_ends_the_reading_with_a_note() {
    let bytes = pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IP, 0, &[], &[]));
        out.record(records::SAMPLE, 2, |out| out.u64(1));
        out.bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
        out.record(records::SAMPLE, 2, |out| out.u64(2));
    });
    let profile = read(&bytes);
    assert_eq!((profile.samples.len(), profile.notes.count(kind::TRUNCATED)), (1, 1));
}

/// More than is kept together, and more samples than are decoded at once; what is late in the file and early in time needs what stands far behind.
#[test]
fn what_was_inflated_is_given_up_only_once_nothing_needs_it() {
    const SAMPLES: u64 = 400_000;
    let plain = pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IP | bit::TIME, 0, &[], &[]));
        for n in 0..SAMPLES {
            out.record(records::SAMPLE, 2, |out| {
                out.u64(n);
                // Each tenth was taken before all others, or after them.
                out.u64(if n % 10 == 0 { (n * 7919) % (3 * SAMPLES) } else { SAMPLES + n });
            });
        }
    });
    let attr_end = 16 + 8 + MIN_NEW;
    let packed = zstd::encode_all(&plain[attr_end..], 1).unwrap();
    let mut out = Writer { bytes: plain[..attr_end].to_vec(), is_big: false };
    for chunk in packed.chunks(10_000) {
        out.record(records::COMPRESSED, 0, |out| out.bytes.extend(chunk));
    }
    let (inflated, plain) = (read(&out.bytes), read(&plain));
    assert_eq!((inflated.samples.len(), inflated.notes.iter().count()), (SAMPLES as usize, 0));
    assert_eq!((inflated.samples, inflated.frames, inflated.stacks), (plain.samples, plain.frames, plain.stacks));
}

/// More samples than are decoded at once, so that rows are taken a part at a time; each pass gives back what it went over.
#[test]
fn large_captures_keep_their_order_and_are_given_back_in_every_pass() {
    const SAMPLES: u64 = 300_000;
    let bytes = pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IP, 0, &[], &[]));
        for n in 0..SAMPLES {
            out.record(records::SAMPLE, 2, |out| out.u64(n));
        }
    });
    let heard = crate::format::text::given_back(|cx| {
        let profile = PerfData.read(&Input { bytes: &bytes, name: "test" }, cx).unwrap();
        let leaf = |stack: &Option<StackId>| profile.stack_frames(*stack).next().and_then(|frame| profile.frames.at(frame).address);
        assert!(profile.samples.stacks().iter().map(leaf).eq((0..SAMPLES).map(Some)));
    });
    assert!(heard.len() * 10 > bytes.len() * 27, "{} of {}", heard.len(), bytes.len());
}
