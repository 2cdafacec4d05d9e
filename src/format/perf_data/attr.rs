//! Event attributes (`struct perf_event_attr`): what was sampled, how, and where the fields of its records stand.
//!
//! Layouts follow `include/uapi/linux/perf_event.h`, names `tools/perf/util/evsel.c`. Unknown newer tails are skipped, older and
//! shorter ones read as zero. Deliberately absent: everything of a counter that does not touch samples.

use crate::base::cursor::{Cursor, Endian, Short};

/// Bits of `sample_type`, in the header's numbering (the order in the record is another one, see `samples`).
pub(super) mod bit {
    pub(in super::super) const IP: u64 = 1;
    pub(in super::super) const TID: u64 = 1 << 1;
    pub(in super::super) const TIME: u64 = 1 << 2;
    pub(in super::super) const ADDR: u64 = 1 << 3;
    pub(in super::super) const READ: u64 = 1 << 4;
    pub(in super::super) const CALLCHAIN: u64 = 1 << 5;
    pub(in super::super) const ID: u64 = 1 << 6;
    pub(in super::super) const CPU: u64 = 1 << 7;
    pub(in super::super) const PERIOD: u64 = 1 << 8;
    pub(in super::super) const STREAM_ID: u64 = 1 << 9;
    pub(in super::super) const RAW: u64 = 1 << 10;
    pub(in super::super) const BRANCH_STACK: u64 = 1 << 11;
    pub(in super::super) const REGS_USER: u64 = 1 << 12;
    pub(in super::super) const STACK_USER: u64 = 1 << 13;
    pub(in super::super) const WEIGHT: u64 = 1 << 14;
    pub(in super::super) const DATA_SRC: u64 = 1 << 15;
    pub(in super::super) const IDENTIFIER: u64 = 1 << 16;
    pub(in super::super) const TRANSACTION: u64 = 1 << 17;
    pub(in super::super) const REGS_INTR: u64 = 1 << 18;
    pub(in super::super) const PHYS_ADDR: u64 = 1 << 19;
    pub(in super::super) const AUX: u64 = 1 << 20;
    pub(in super::super) const CGROUP: u64 = 1 << 21;
    pub(in super::super) const DATA_PAGE_SIZE: u64 = 1 << 22;
    pub(in super::super) const CODE_PAGE_SIZE: u64 = 1 << 23;
    pub(in super::super) const WEIGHT_STRUCT: u64 = 1 << 24;
}

/// Bits of `branch_sample_type`.
pub(super) mod branch {
    /// The processor keeps the branches as a stack: calls push, returns pop.
    pub(in super::super) const CALL_STACK: u64 = 1 << 11;
    pub(in super::super) const HW_INDEX: u64 = 1 << 17;
    pub(in super::super) const COUNTERS: u64 = 1 << 19;
}

/// Bits of `read_format`.
pub(super) mod read {
    pub(in super::super) const TIME_ENABLED: u64 = 1;
    pub(in super::super) const TIME_RUNNING: u64 = 1 << 1;
    pub(in super::super) const ID: u64 = 1 << 2;
    pub(in super::super) const GROUP: u64 = 1 << 3;
    pub(in super::super) const LOST: u64 = 1 << 4;
}

mod flag {
    pub(super) const INHERIT: u64 = 1 << 1;
    pub(super) const EXCLUDE_USER: u64 = 1 << 4;
    pub(super) const EXCLUDE_KERNEL: u64 = 1 << 5;
    pub(super) const EXCLUDE_HV: u64 = 1 << 6;
    pub(super) const FREQ: u64 = 1 << 10;
    pub(super) const SAMPLE_ID_ALL: u64 = 1 << 18;
    pub(super) const EXCLUDE_HOST: u64 = 1 << 19;
    pub(super) const EXCLUDE_GUEST: u64 = 1 << 20;
    pub(super) const USE_CLOCK_ID: u64 = 1 << 25;
}

/// The smallest attribute that a perf ever wrote (`PERF_ATTR_SIZE_VER0`).
pub(super) const MIN_BYTES: usize = 64;

/// One event's attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attr {
    pub(super) kind: u32,
    pub(super) config: u64,
    /// Events between two samples, or samples a second where `is_frequency`.
    pub(super) sample_period: u64,
    pub(super) sample_type: u64,
    pub(super) read_format: u64,
    pub(super) flags: u64,
    pub(super) branch_sample_type: u64,
    pub(super) regs_user: u64,
    pub(super) regs_intr: u64,
    /// The clock of the sample times, where the recorder chose one (numbers of `clock_gettime`).
    pub(super) clock: Option<i32>,
    pub(super) bp_type: u32,
    pub(super) bp_addr: u64,
}

impl Attr {
    /// Reads `bytes`, which are one whole attribute of any age.
    pub(super) fn parse(bytes: &[u8], offset: u64, endian: Endian) -> Result<Self, Short> {
        let mut cursor = Cursor::at(bytes, offset, endian);
        let kind = cursor.u32()?;
        // Bytes past the attribute's own idea of its size belong to nobody: files of older writers hold garbage there.
        let own = match cursor.u32()? as usize {
            0 => MIN_BYTES,
            size => size,
        };
        let config = cursor.u64()?;
        let sample_period = cursor.u64()?;
        let sample_type = cursor.u64()?;
        let read_format = cursor.u64()?;
        let flags = bit_fields(cursor.take(8)?, endian);
        cursor.skip(4)?;
        let bp_type = cursor.u32()?;
        let bp_addr = cursor.u64()?;
        let mut tail = Cursor::at(bytes.get(MIN_BYTES..own.min(bytes.len())).unwrap_or(&[]), offset + MIN_BYTES as u64, endian);
        tail.skip(8).ok();
        let branch_sample_type = tail.u64().unwrap_or(0);
        let regs_user = tail.u64().unwrap_or(0);
        // Size of the copied stack.
        tail.skip(4).ok();
        let clock = tail.i32().ok().filter(|_| flags & flag::USE_CLOCK_ID != 0);
        let regs_intr = tail.u64().unwrap_or(0);
        Ok(Self {
            kind,
            config,
            sample_period,
            sample_type,
            read_format,
            flags,
            branch_sample_type,
            regs_user,
            regs_intr,
            clock,
            bp_type,
            bp_addr,
        })
    }

    /// True where `sample_period` is a frequency in hertz.
    pub(super) const fn is_frequency(&self) -> bool {
        self.flags & flag::FREQ != 0
    }

    /// True where records that are no samples carry who, when and which event at their end.
    pub(super) const fn has_sample_id_all(&self) -> bool {
        self.flags & flag::SAMPLE_ID_ALL != 0
    }

    /// True where each thread that a counted one makes counts on its own, under the ids of the first (since Linux 6.12 also where samples
    /// carry counter values).
    pub(super) const fn counts_by_thread(&self) -> bool {
        self.flags & flag::INHERIT != 0 && self.has(bit::TID)
    }

    /// True where the kernel may deliver user call chains later (`defer_callchain`, `defer_output`).
    pub(super) const fn defers_chains(&self) -> bool {
        self.flags >> 38 & 3 != 0
    }

    /// How exactly the address is that of the event, 0 to 3.
    pub(super) const fn precise(&self) -> u64 {
        (self.flags >> 15) & 3
    }

    /// True for events that count nothing (`dummy`): perf adds them to get the records of processes and maps.
    pub(super) const fn is_dummy(&self) -> bool {
        self.kind == 1 && self.config == 9
    }

    /// `nanoseconds` for the software clocks, else `count`.
    pub(super) const fn unit(&self) -> &'static str {
        if self.kind == 1 && self.config <= 1 { "nanoseconds" } else { "count" }
    }

    /// True where the sample type has this bit.
    pub(super) const fn has(&self, bit: u64) -> bool {
        self.sample_type & bit != 0
    }

    /// Where the fields that every sample of this event has at a fixed place stand, in bytes after the record's header.
    pub(super) fn layout(&self) -> Layout {
        let mut at = 0;
        let mut place = |bit| {
            let here = at;
            at += if self.has(bit) { 8 } else { 0 };
            self.has(bit).then_some(here)
        };
        let identifier = place(bit::IDENTIFIER);
        let ip = place(bit::IP);
        let tid = place(bit::TID);
        let time = place(bit::TIME);
        place(bit::ADDR);
        let id = place(bit::ID);
        place(bit::STREAM_ID);
        let cpu = place(bit::CPU);
        let period = place(bit::PERIOD);
        Layout { id: identifier.or(id), ip, tid, time, cpu, period, variable: at }
    }

    /// Where time and id stand in the trailer of other records, in bytes before the record's end.
    pub(super) fn trailer(&self) -> Trailer {
        if !self.has_sample_id_all() {
            return Trailer::default();
        }
        let mut back = 0;
        let mut place = |bit| {
            back += if self.has(bit) { 8 } else { 0 };
            self.has(bit).then_some(back)
        };
        let identifier = place(bit::IDENTIFIER);
        place(bit::CPU);
        place(bit::STREAM_ID);
        let id = place(bit::ID);
        let time = place(bit::TIME);
        let tid = place(bit::TID);
        Trailer { id: identifier.or(id), time, tid }
    }

    /// The name that perf gives an event without one of its own (`evsel__name`). `pmu` gives names of measuring units by their numbers:
    /// where a machine has several kinds of cores, the unit stands in the upper half of the number of a common event.
    pub(super) fn name<'a>(&self, pmu: &dyn Fn(u32) -> Option<&'a str>) -> String {
        let modifiers = self.modifiers();
        let common = self.config & 0xffff_ffff;
        let extended = (self.config >> 32) as u32;
        if matches!(self.kind, 0 | 3) && extended != 0 {
            let name = Self { config: common, flags: 0, kind: self.kind, ..Self::default() }.name(&|_| None);
            let name = name.trim_end_matches(":HG");
            let unit = pmu(extended).map_or_else(|| format!("pmu-{extended}"), str::to_owned);
            return format!("{unit}/{name}/{}", modifiers.trim_start_matches(':'));
        }
        match self.kind {
            0 => HARDWARE
                .get(self.config as usize)
                .map_or_else(|| format!("unknown-hardware{modifiers}"), |name| format!("{name}{modifiers}")),
            1 => SOFTWARE
                .get(self.config as usize)
                .map_or_else(|| format!("unknown-software{modifiers}"), |name| format!("{name}{modifiers}")),
            2 => "unknown tracepoint".to_owned(),
            3 => format!("{}{modifiers}", cache_name(self.config)),
            4 => format!("raw {:#x}{modifiers}", self.config),
            5 => {
                let access: String =
                    [(1, 'r'), (2, 'w'), (4, 'x')].iter().filter(|(bit, _)| self.bp_type & bit != 0).map(|(_, c)| *c).collect();
                format!("mem:{:#x}:{access}{modifiers}", self.bp_addr)
            }
            kind => match pmu(kind) {
                Some(unit) => format!("{unit}/config={:#x}/{}", self.config, modifiers.trim_start_matches(':')),
                None => format!("unknown attr type: {kind}"),
            },
        }
    }

    /// `:u`, `:ppp`, `:HG` and the like, by the rules of `evsel__add_modifiers`.
    fn modifiers(&self) -> String {
        let has = |flag| self.flags & flag != 0;
        let mut text = String::new();
        let mut guest_is_default = false;
        if has(flag::EXCLUDE_KERNEL) || has(flag::EXCLUDE_USER) || has(flag::EXCLUDE_HV) {
            let shown = [(flag::EXCLUDE_KERNEL, 'k'), (flag::EXCLUDE_USER, 'u'), (flag::EXCLUDE_HV, 'h')];
            text.extend(shown.iter().filter(|(flag, _)| !has(*flag)).map(|(_, letter)| *letter));
            guest_is_default = true;
        }
        if self.precise() > 0 {
            text.extend(std::iter::repeat_n('p', self.precise() as usize));
            guest_is_default = true;
        }
        if has(flag::EXCLUDE_HOST) || has(flag::EXCLUDE_GUEST) == guest_is_default {
            let shown = [(flag::EXCLUDE_HOST, 'H'), (flag::EXCLUDE_GUEST, 'G')];
            text.extend(shown.iter().filter(|(flag, _)| !has(*flag)).map(|(_, letter)| *letter));
        }
        if text.is_empty() { text } else { format!(":{text}") }
    }
}

/// See [`Attr::layout`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) id: Option<usize>,
    pub(super) ip: Option<usize>,
    pub(super) tid: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) cpu: Option<usize>,
    pub(super) period: Option<usize>,
    /// Where the fields of varying size begin.
    pub(super) variable: usize,
}

/// See [`Attr::trailer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) id: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) tid: Option<usize>,
}

/// The flags as if a little-endian machine had written them: C bit-fields fill bytes from the other end on a big-endian one.
fn bit_fields(bytes: &[u8], endian: Endian) -> u64 {
    let fold = |value: u64, byte: u8| value << 8 | u64::from(byte);
    match endian {
        Endian::Little => bytes.iter().rev().copied().fold(0, fold),
        Endian::Big => {
            let flags = bytes.iter().rev().map(|byte| byte.reverse_bits()).fold(0, fold);
            // The one field of two bits (`precise_ip`) comes out mirrored.
            let precise = (flags >> 15) & 3;
            flags & !(3 << 15) | (precise >> 1 | (precise & 1) << 1) << 15
        }
    }
}

/// The name of a clock of `clock_gettime`.
pub(super) fn clock_name(clock: i32) -> String {
    match clock {
        0 => "realtime".to_owned(),
        1 => "monotonic".to_owned(),
        4 => "monotonic raw".to_owned(),
        7 => "boottime".to_owned(),
        11 => "tai".to_owned(),
        other => format!("number {other}"),
    }
}

const HARDWARE: [&str; 10] = [
    "cycles",
    "instructions",
    "cache-references",
    "cache-misses",
    "branches",
    "branch-misses",
    "bus-cycles",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "ref-cycles",
];

const SOFTWARE: [&str; 12] = [
    "cpu-clock",
    "task-clock",
    "page-faults",
    "context-switches",
    "cpu-migrations",
    "minor-faults",
    "major-faults",
    "alignment-faults",
    "emulation-faults",
    "dummy",
    "bpf-output",
    "cgroup-switches",
];

/// `L1-dcache-load-misses` and its family: cache, operation and result in one byte each.
fn cache_name(config: u64) -> String {
    const CACHE: [&str; 7] = ["L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node"];
    const ONE: [&str; 3] = ["load", "store", "prefetch"];
    const MANY: [&str; 3] = ["loads", "stores", "prefetches"];
    let part = |shift: u32| (config >> shift & 0xff) as usize;
    let Some(cache) = CACHE.get(part(0)) else { return "unknown-ext-hardware-cache-type".to_owned() };
    match part(16) {
        0 => MANY.get(part(8)).map(|operation| format!("{cache}-{operation}")),
        1 => ONE.get(part(8)).map(|operation| format!("{cache}-{operation}-misses")),
        _ => None,
    }
    .unwrap_or_else(|| "unknown-ext-hardware-cache-op".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attr(kind: u32, config: u64, flags: u64) -> Attr {
        Attr { kind, config, flags, ..Attr::default() }
    }

    #[test]
    fn names_are_those_of_perf() {
        let guest = flag::EXCLUDE_GUEST;
        for (attr, name) in [
            (attr(1, 0, 3 << 15), "cpu-clock:ppp"),
            (attr(1, 0, 0), "cpu-clock:HG"),
            (attr(1, 2, guest), "page-faults"),
            (attr(0, 0, flag::EXCLUDE_KERNEL | flag::EXCLUDE_HV), "cycles:u"),
            (attr(0, 1, 2 << 15 | guest), "instructions:ppH"),
            (attr(3, 0x1_0000, guest), "L1-dcache-load-misses"),
            (attr(3, 0x0003, guest), "dTLB-loads"),
            (attr(4, 0x1c2, guest), "raw 0x1c2"),
            (attr(77, 0, 0), "unknown attr type: 77"),
            (attr(10, 0x3c, guest), "cpu_atom/config=0x3c/"),
            (attr(0, 4 << 32 | 1, guest), "cpu_core/instructions/"),
            (attr(3, 10 << 32 | 0x1_0002, flag::EXCLUDE_KERNEL | flag::EXCLUDE_HV), "cpu_atom/LLC-load-misses/u"),
            (attr(0, 9 << 32, guest), "pmu-9/cycles/"),
        ] {
            assert_eq!(
                attr.name(&|pmu| [(4, "cpu_core"), (10, "cpu_atom")].iter().find(|(number, _)| *number == pmu).map(|(_, name)| *name)),
                name
            );
        }
    }

    #[test]
    fn big_endian_bit_fields_are_turned() {
        // disabled, inherit, freq, precise_ip = 1, sample_id_all: as a big-endian compiler lays them out.
        let bytes = [0b1100_0000, 0b0010_0000, 0b1010_0000, 0, 0, 0, 0, 0];
        let flags = bit_fields(&bytes, Endian::Big);
        assert_eq!(flags, 1 | 2 | flag::FREQ | 1 << 15 | flag::SAMPLE_ID_ALL);
        assert_eq!(bit_fields(&flags.to_le_bytes(), Endian::Little), flags);
    }

    #[test]
    fn places_of_fields_follow_the_sample_type() {
        let attr = Attr {
            sample_type: bit::IDENTIFIER | bit::IP | bit::TID | bit::TIME | bit::PERIOD,
            flags: flag::SAMPLE_ID_ALL,
            ..Attr::default()
        };
        let layout = Layout { id: Some(0), ip: Some(8), tid: Some(16), time: Some(24), cpu: None, period: Some(32), variable: 40 };
        assert_eq!(attr.layout(), layout);
        assert_eq!(attr.trailer(), Trailer { id: Some(8), time: Some(16), tid: Some(24) });
    }
}
