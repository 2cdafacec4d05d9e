//! User stacks that were recorded as raw memory (`perf record --call-graph dwarf`), turned into addresses.
//!
//! Files of modules come from outside ([`Binaries`]) and are opened when a stack first leads into them; what their unwind information
//! says is followed by framehop, by `walk` where framehop has no rule for it. Deliberately absent: names. Start reading at
//! [`Walker::unwind`].

mod arch;
mod binary;
mod table;
mod walk;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use self::arch::{Arm64, X64};
use self::binary::Binary;
use self::walk::Walk;
use super::ids::MapId;
use super::maps::{Tasks, View};
use crate::base::binaries::Binaries;
use crate::base::cursor::Endian;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, FileId, Notes, StringId, kind};

/// Files named one by one in notes; the others are counted together.
const NAMED_FILES: usize = 20;
/// The kernel's page of code in every process. Its functions keep frame pointers (`arch/x86/entry/vdso/Makefile`).
const VDSO: &str = "[vdso]";
const OTHER_FILES: &str = "user stacks not unwound to their root in further files";

/// The user registers and the copied part of the user stack of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw<'a> {
    /// `PERF_SAMPLE_REGS_ABI_64` and not the 32-bit one.
    pub(super) is_64_bit: bool,
    /// Which registers there are, by bit.
    pub(super) mask: u64,
    /// Their values, in the order of the bits, 8 bytes each.
    pub(super) regs: &'a [u8],
    /// Memory from the stack pointer up.
    pub(super) stack: &'a [u8],
    /// As much was copied as was asked for, so the stack may go on.
    pub(super) is_full: bool,
}

impl Raw<'_> {
    /// The register of a number.
    fn word(&self, number: u32) -> Option<u64> {
        let bit = 1_u64.checked_shl(number).filter(|bit| self.mask & bit != 0)?;
        let at = (self.mask & (bit - 1)).count_ones() as usize * 8;
        self.regs.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
    }
}

/// Where the unwinding of a stack ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the outermost function.
    Root,
    /// At the end of the copied memory.
    Cut,
    /// At more frames than are kept.
    Deep,
    /// In a module about which too little is known.
    Lost(Lost),
}

/// Why a stack could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lost {
    /// The module's row in `Files`; `None` = outside of all files.
    file: Option<u32>,
    /// Its rule leads to memory that was not copied: another stack, or one of which nothing was.
    is_elsewhere: bool,
}

/// The modules' files, opened when they are needed.
pub(super) struct Files<'a> {
    binaries: Option<&'a dyn Binaries>,
    is_local: bool,
    /// Path and build id.
    names: Vec<(String, Option<String>)>,
    /// Which lie at a path where another file lies now.
    replaced: Vec<bool>,
    of_map: Vec<Option<u32>>,
    opened: Vec<OnceLock<Result<Binary, String>>>,
    machine: Machine,
    ticket: &'a Ticket,
}

/// The processor of the recording machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    X64,
    Arm64,
    Other,
}

impl<'a> Files<'a> {
    /// The files of all modules. `fact` gives the header's facts, `mask` says which user registers samples have.
    pub(super) fn new<'f>(
        tasks: &Tasks,
        builder: &Builder,
        binaries: Option<&'a dyn Binaries>,
        (endian, mask): (Endian, u64),
        fact: impl Fn(&str) -> Option<&'f str>,
        ticket: &'a Ticket,
    ) -> Self {
        let (mut names, mut replaced) = (Vec::new(), Vec::new());
        let mut rows = FxHashMap::default();
        let mut row_of = |file: StringId, build_id: Option<StringId>, recorded: Option<FileId>| {
            let text = builder.strings.get(file);
            // A program that lay in memory alone has a build id, by which it may be found; code compiled at run time has none.
            let is_program = text.starts_with("/memfd:") && build_id.is_some();
            let is_file = is_program
                || (text.starts_with('/') || text == VDSO)
                    && !["//anon", "/anon_hugepage", "/memfd:", "/dev/", "/SYSV"].iter().any(|start| text.starts_with(start));
            is_file.then(|| {
                *rows.entry((file, build_id)).or_insert_with(|| {
                    names.push((text.to_owned(), build_id.map(|id| builder.strings.get(id).to_owned())));
                    let other = |id: FileId| binaries.is_some_and(|binaries| binaries.is_replaced(text, id.device, id.inode));
                    replaced.push(build_id.is_none() && recorded.is_some_and(other));
                    names.len() as u32 - 1
                })
            })
        };
        let of_map = tasks.maps.iter().map(|map| row_of(map.file?, map.build_id, map.file_id)).collect();
        let hostname = fact("hostname");
        let is_local = hostname.is_none() || hostname.map(str::to_owned) == binaries.and_then(Binaries::hostname);
        let machine = match (endian, fact("arch")) {
            (Endian::Little, Some("x86_64" | "amd64")) => Machine::X64,
            (Endian::Little, Some("aarch64" | "arm64")) => Machine::Arm64,
            // Pipes and captures without their end have no such fact, but no two processors have the same registers: perf asks for
            // 33 on aarch64 and for bits below 24 on x86_64, segments left out.
            (Endian::Little, None) if mask >> 32 == 1 => Machine::Arm64,
            (Endian::Little, None) if mask >> 24 == 0 && mask >> 16 == 0xff => Machine::X64,
            _ => Machine::Other,
        };
        let opened = names.iter().map(|_| OnceLock::new()).collect();
        Self { binaries, is_local, names, replaced, of_map, opened, machine, ticket }
    }

    /// The file of a module; `None` for memory that comes from no file.
    fn of(&self, map: MapId) -> Option<u32> {
        self.of_map.get(map.row()).copied().flatten()
    }

    /// The unwind information of a file, or why there is none.
    fn binary(&self, file: u32) -> Result<&Result<Binary, String>, Cancelled> {
        static NONE: Result<Binary, String> = Err(String::new());
        let (Some(opened), Some((name, build_id))) = (self.opened.get(file as usize), self.names.get(file as usize)) else {
            return Ok(&NONE);
        };
        let found = opened.get_or_init(|| {
            let Some(binaries) = self.binaries else { return Err("no binaries were given to the reader".to_owned()) };
            if self.is_local && self.replaced.get(file as usize).is_some_and(|&replaced| replaced) {
                return Err("another file lies at its path now, and the capture has no build id for it".to_owned());
            }
            let found = Binary::find(binaries, name, build_id.as_deref(), self.is_local, self.ticket);
            found.unwrap_or_else(|Cancelled| Err(String::new()))
        });
        self.ticket.check()?;
        Ok(found)
    }

    /// True for code that keeps frame pointers, so that its unwind information is no loss.
    fn keeps_frames(&self, file: u32) -> bool {
        self.names.get(file as usize).is_some_and(|(name, _)| name == VDSO)
    }

    /// Says why stacks were lost.
    fn lost(&self, lost: Lost) -> String {
        let Some((name, _)) = lost.file.and_then(|file| self.names.get(file as usize)) else {
            return "user stacks that lead out of all known modules".to_owned();
        };
        let opened = lost.file.and_then(|file| self.opened.get(file as usize)).and_then(OnceLock::get);
        let reason = match opened {
            Some(Err(reason)) => reason,
            Some(Ok(binary)) if binary.tables.is_empty() => "the file has no unwind information, and frame pointers lead nowhere",
            _ if lost.is_elsewhere => "their callers lie in memory that was not copied (the stack of a signal handler or a coroutine)",
            _ => "its unwind information leads no further",
        };
        format!("user stacks not unwound beyond {name}: {reason}")
    }
}

/// Unwinds stacks on one thread.
pub(super) struct Walker<'a>(ByMachine<'a>);

enum ByMachine<'a> {
    X64(Box<Walk<'a, X64>>),
    Arm64(Box<Walk<'a, Arm64>>),
    Other,
}

impl<'a> Walker<'a> {
    pub(super) fn new(files: &'a Files<'a>) -> Self {
        Self(match files.machine {
            Machine::X64 => ByMachine::X64(Box::new(Walk::new(files))),
            Machine::Arm64 => ByMachine::Arm64(Box::new(Walk::new(files))),
            Machine::Other => ByMachine::Other,
        })
    }

    /// Hands the addresses of a stack to `found`, innermost first, with whether each is a return address, and counts how it ended.
    /// Gives true where the stack goes on behind the copied memory.
    pub(super) fn unwind(
        &mut self,
        tasks: &Tasks,
        view: View,
        raw: &Raw<'_>,
        offset: u64,
        ends: &mut Ends,
        found: impl FnMut(u64, bool),
    ) -> Result<bool, Cancelled> {
        let ended = match &mut self.0 {
            _ if !raw.is_64_bit => None,
            ByMachine::X64(walk) => walk.stack(tasks, view, raw, found)?,
            ByMachine::Arm64(walk) => walk.stack(tasks, view, raw, found)?,
            ByMachine::Other => None,
        };
        let Some((end, guessed)) = ended else {
            ends.count(Ended::Foreign, 1, offset);
            return Ok(false);
        };
        if guessed > 0 {
            ends.count(Ended::Guessed, guessed, offset);
        }
        match end {
            End::Root => {}
            End::Cut => ends.count(Ended::Cut, 1, offset),
            End::Deep => ends.count(Ended::Deep, 1, offset),
            End::Lost(lost) => ends.count(Ended::Lost(lost), 1, offset),
        }
        Ok(matches!(end, End::Cut | End::Deep))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Ended {
    Cut,
    Deep,
    Guessed,
    Foreign,
    Lost(Lost),
}

/// How often unwinding did not go as wished, with the first offset of each kind.
#[derive(Debug, Default)]
pub(super) struct Ends(FxHashMap<Ended, (u64, u64)>);

impl Ends {
    fn count(&mut self, ended: Ended, count: u64, offset: u64) {
        let entry = self.0.entry(ended).or_insert((0, offset));
        *entry = (entry.0 + count, entry.1.min(offset));
    }

    /// Adds what another part of the capture counted.
    pub(super) fn absorb(&mut self, other: &Self) {
        #[expect(clippy::iter_over_hash_type, reason = "sums and minima do not depend on the order")]
        for (ended, (count, offset)) in &other.0 {
            self.count(*ended, *count, *offset);
        }
    }

    /// Says what was counted.
    pub(super) fn note(&self, files: &Files<'_>, notes: &mut Notes) {
        let mut ends: Vec<_> = self.0.iter().map(|(ended, (count, offset))| (*ended, *count, *offset)).collect();
        // The files that cost most stacks first.
        ends.sort_unstable_by_key(|(ended, count, _)| (matches!(ended, Ended::Lost(_)).then_some(u64::MAX - count), *ended));
        let mut named = 0;
        for (ended, count, offset) in ends {
            let (kind, text) = match ended {
                Ended::Cut => (
                    kind::CUT_STACKS,
                    "user stacks longer than the recorded copy; their callers stand under [truncated stack] \
                     (a larger copy: --call-graph dwarf,65528)"
                        .to_owned(),
                ),
                Ended::Deep => (kind::CUT_STACKS, "user stacks of more than 1024 frames; the outermost are left out".to_owned()),
                Ended::Guessed => (kind::GUESSED, "frames found by frame pointers, where no unwind information is at hand".to_owned()),
                Ended::Foreign => (
                    kind::NOT_UNWOUND,
                    "user stacks recorded as raw memory by a processor or a kind of process that cannot be unwound (only x86_64 and \
                     aarch64 can, 64 bit)"
                        .to_owned(),
                ),
                Ended::Lost(lost) => {
                    named += 1;
                    let text = if named > NAMED_FILES { OTHER_FILES.to_owned() } else { files.lost(lost) };
                    (kind::NOT_UNWOUND, text)
                }
            };
            notes.add(kind, &text, count, Some(offset));
        }
    }
}
