//! Records other than samples: their numbers, names and contents.
//!
//! Numbers below 64 come from the kernel (`perf_event.h`), those from 64 up from perf itself (`tools/lib/perf/include/perf/event.h`).
//! Deliberately absent: which of them were in force when (`maps`), samples (`samples`).

use crate::base::cursor::{Cursor, Short};
use crate::model::FileId;

pub(super) const MMAP: u32 = 1;
pub(super) const LOST: u32 = 2;
pub(super) const COMM: u32 = 3;
pub(super) const EXIT: u32 = 4;
pub(super) const THROTTLE: u32 = 5;
pub(super) const UNTHROTTLE: u32 = 6;
pub(super) const FORK: u32 = 7;
pub(super) const READ: u32 = 8;
pub(super) const SAMPLE: u32 = 9;
pub(super) const MMAP2: u32 = 10;
pub(super) const LOST_SAMPLES: u32 = 13;
pub(super) const SWITCH: u32 = 14;
pub(super) const SWITCH_CPU_WIDE: u32 = 15;
pub(super) const NAMESPACES: u32 = 16;
pub(super) const KSYMBOL: u32 = 17;
pub(super) const BPF_EVENT: u32 = 18;
pub(super) const CGROUP: u32 = 19;
pub(super) const TEXT_POKE: u32 = 20;
pub(super) const CALLCHAIN_DEFERRED: u32 = 22;
pub(super) const HEADER_ATTR: u32 = 64;
pub(super) const HEADER_TRACING_DATA: u32 = 66;
pub(super) const HEADER_BUILD_ID: u32 = 67;
pub(super) const AUXTRACE: u32 = 71;
pub(super) const EVENT_UPDATE: u32 = 78;
pub(super) const HEADER_FEATURE: u32 = 80;
pub(super) const COMPRESSED: u32 = 81;
pub(super) const COMPRESSED2: u32 = 83;

/// Bytes of every record's header: type, misc, size.
pub(super) const HEADER_BYTES: usize = 8;

/// One past the largest record number that has a name here.
pub(super) const KINDS: usize = 84;

/// What a kind of record is called, and whether it says something about the program that this reader does not use.
pub(super) const fn name_of(kind: u32) -> (&'static str, bool) {
    match kind {
        1 => ("MMAP", false),
        2 => ("LOST", false),
        3 => ("COMM", false),
        4 => ("EXIT", false),
        5 => ("THROTTLE", false),
        6 => ("UNTHROTTLE", false),
        7 => ("FORK", false),
        8 => ("READ", false),
        9 => ("SAMPLE", false),
        10 => ("MMAP2", false),
        11 => ("AUX", true),
        12 => ("ITRACE_START", true),
        13 => ("LOST_SAMPLES", false),
        14 => ("SWITCH", false),
        15 => ("SWITCH_CPU_WIDE", false),
        16 => ("NAMESPACES", false),
        17 => ("KSYMBOL", false),
        18 => ("BPF_EVENT", false),
        19 => ("CGROUP", false),
        20 => ("TEXT_POKE", false),
        21 => ("AUX_OUTPUT_HW_ID", true),
        22 => ("CALLCHAIN_DEFERRED", false),
        64 => ("ATTR", false),
        65 => ("EVENT_TYPE", false),
        66 => ("TRACING_DATA", false),
        67 => ("BUILD_ID", false),
        68 => ("FINISHED_ROUND", false),
        69 => ("ID_INDEX", false),
        70 => ("AUXTRACE_INFO", true),
        71 => ("AUXTRACE", true),
        72 => ("AUXTRACE_ERROR", true),
        73 => ("THREAD_MAP", false),
        74 => ("CPU_MAP", false),
        75 => ("STAT_CONFIG", true),
        76 => ("STAT", true),
        77 => ("STAT_ROUND", true),
        78 => ("EVENT_UPDATE", false),
        79 => ("TIME_CONV", false),
        80 => ("FEATURE", false),
        81 => ("COMPRESSED", false),
        82 => ("FINISHED_INIT", false),
        83 => ("COMPRESSED2", false),
        _ => ("UNKNOWN", true),
    }
}

/// Which part of the machine ran: the low three bits of `misc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    Unknown,
    Kernel,
    User,
    Hypervisor,
    GuestKernel,
    GuestUser,
}

impl Mode {
    pub(super) const fn of_misc(misc: u16) -> Self {
        match misc & 7 {
            1 => Self::Kernel,
            2 => Self::User,
            3 => Self::Hypervisor,
            4 => Self::GuestKernel,
            5 => Self::GuestUser,
            _ => Self::Unknown,
        }
    }
}

/// `COMM` follows an exec.
const MISC_COMM_EXEC: u16 = 1 << 13;
/// What an `MMAP` or `MMAP2` names cannot be executed.
const MISC_MMAP_DATA: u16 = 1 << 13;
/// `MMAP2` carries a build id instead of device and inode.
const MISC_MMAP_BUILD_ID: u16 = 1 << 14;
/// A build id record says how long the id is.
const MISC_BUILD_ID_SIZE: u16 = 1 << 15;
/// The child of a fork has no copy of the parent's maps: it came to be by perf's own doing.
const MISC_FORK_EXEC: u16 = 1 << 13;

/// A module came into an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mmap<'a> {
    pub(super) mode: Mode,
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) offset: u64,
    pub(super) build_id: Option<&'a [u8]>,
    pub(super) file_id: Option<FileId>,
    /// It holds no code.
    pub(super) is_data: bool,
    pub(super) file: &'a [u8],
}

/// Reads the body of an `MMAP`, or of an `MMAP2` where `second`.
pub(super) fn mmap(mut body: Cursor<'_>, misc: u16, second: bool) -> Result<Mmap<'_>, Short> {
    let (pid, tid) = (body.i32()?, body.i32()?);
    let (start, len, offset) = (body.u64()?, body.u64()?, body.u64()?);
    let (mut build_id, mut file_id) = (None, None);
    if second {
        let mut device = body.sub(24)?;
        if misc & MISC_MMAP_BUILD_ID != 0 {
            let size = usize::from(device.u8()?).min(20);
            device.skip(3)?;
            build_id = Some(device.take(size)?);
        } else {
            let id = FileId { device: (device.u32()?, device.u32()?), inode: device.u64()? };
            file_id = Some(id).filter(|id| id.inode != 0);
        }
        body.skip(8)?;
    }
    let (mode, is_data) = (Mode::of_misc(misc), misc & MISC_MMAP_DATA != 0);
    Ok(Mmap { mode, pid, tid, start, len, offset, build_id, file_id, is_data, file: body.c_str() })
}

/// A thread got a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comm<'a> {
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) name: &'a [u8],
    pub(super) is_exec: bool,
}

pub(super) fn comm(mut body: Cursor<'_>, misc: u16) -> Result<Comm<'_>, Short> {
    Ok(Comm { pid: body.i32()?, tid: body.i32()?, name: body.c_str(), is_exec: misc & MISC_COMM_EXEC != 0 })
}

/// A thread or process came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fork {
    pub(super) pid: i32,
    pub(super) parent_pid: i32,
    pub(super) tid: i32,
    pub(super) parent_tid: i32,
    pub(super) copies_maps: bool,
}

pub(super) fn fork(mut body: Cursor<'_>, misc: u16) -> Result<Fork, Short> {
    let (pid, parent_pid, tid, parent_tid) = (body.i32()?, body.i32()?, body.i32()?, body.i32()?);
    Ok(Fork { pid, parent_pid, tid, parent_tid, copies_maps: misc & MISC_FORK_EXEC == 0 })
}

/// The user's part of a call chain that was taken when the kernel returned to the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deferred<'a> {
    /// Stands in the samples that wait for it.
    pub(super) cookie: u64,
    /// Addresses and marks, leaf first.
    pub(super) chain: &'a [u8],
    /// Behind the chain: the trailer of all records.
    pub(super) trailer: Cursor<'a>,
}

/// Reads the body of a `CALLCHAIN_DEFERRED` (Linux 6.19).
pub(super) fn deferred(mut body: Cursor<'_>) -> Result<Deferred<'_>, Short> {
    let (cookie, count) = (body.u64()?, body.u64()?);
    let chain = body.take(usize::try_from(count.saturating_mul(8)).unwrap_or(usize::MAX))?;
    Ok(Deferred { cookie, chain, trailer: body })
}

/// Kernel code that has no file: a BPF program, a trampoline of ftrace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KernelSymbol<'a> {
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) name: &'a [u8],
    /// The code goes away.
    pub(super) is_gone: bool,
}

pub(super) fn kernel_symbol(mut body: Cursor<'_>) -> Result<KernelSymbol<'_>, Short> {
    const UNREGISTER: u16 = 1;
    let (start, len) = (body.u64()?, u64::from(body.u32()?));
    body.skip(2)?;
    let flags = body.u16()?;
    Ok(KernelSymbol { start, len, name: body.c_str(), is_gone: flags & UNREGISTER != 0 })
}

/// The number and the path of a control group.
pub(super) fn cgroup(mut body: Cursor<'_>) -> Result<(u64, &[u8]), Short> {
    Ok((body.u64()?, body.c_str()))
}

/// A file and its build id; the body of a `HEADER_BUILD_ID` record and of each entry of the build id section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BuildId<'a> {
    pub(super) id: &'a [u8],
    pub(super) file: &'a [u8],
}

pub(super) fn build_id(mut body: Cursor<'_>, misc: u16) -> Result<BuildId<'_>, Short> {
    body.skip(4)?;
    let field = body.take(24)?;
    let size = if misc & MISC_BUILD_ID_SIZE != 0 { usize::from(field.get(20).copied().unwrap_or(20)) } else { 20 };
    Ok(BuildId { id: field.get(..size.min(20)).unwrap_or(field), file: body.c_str() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mmap2_gives_its_build_id_only_with_the_bit() {
        let mut bytes = Vec::new();
        for part in [7_u32.to_le_bytes(), 8_u32.to_le_bytes()] {
            bytes.extend(part);
        }
        for part in [0x1000_u64, 0x2000, 0x3000] {
            bytes.extend(part.to_le_bytes());
        }
        bytes.extend([3, 0, 0, 0, 0xaa, 0xbb, 0xcc]);
        bytes.extend([0; 17]);
        bytes.extend([0; 8]);
        bytes.extend(b"/bin/true\0\0\0");
        let with = mmap(Cursor::new(&bytes), MISC_MMAP_BUILD_ID | 2, true).unwrap();
        assert_eq!(with.build_id, Some(&[0xaa, 0xbb, 0xcc][..]));
        assert_eq!((with.mode, with.pid, with.start, with.file), (Mode::User, 7, 0x1000, &b"/bin/true"[..]));
        assert_eq!(mmap(Cursor::new(&bytes), 2, true).unwrap().build_id, None);
        assert!(mmap(Cursor::new(&bytes[..60]), 2, true).is_err());
    }
}
