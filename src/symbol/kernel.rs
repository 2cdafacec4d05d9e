//! The kernel's symbols, where they are those of the kernel that ran.
//!
//! Proof is one of: the symbols were saved with the capture; the build ids are equal; or the release is and the kernel lies where it
//! lay. A file of a kernel proves itself by its build id or, where the capture has none, by the release in its banner. A kernel that lies
//! elsewhere is shifted (it is put at another address at every start) by the symbol of which the capture says where it lay; the modules
//! of a list are not, since nothing says where they were. What the list does not name is looked for in the modules' own files
//! ([`modules`]). Deliberately absent: `kcore`, which `perf record --kcore` saves beside its `kallsyms`: it holds code and no names, and
//! the kernel unwinds its own part of a stack while it records, so code would only serve a listing of instructions. Start reading at
//! [`look_up`].

mod modules;

use std::borrow::Cow;

use super::answer::Answer;
use super::cache::{self, Fresh};
use super::elf::Parsed;
use super::missing::Missing;
use super::table::{Binding, Name, Symbol, Table};
use super::{Kernel, ModuleSource, table_answer};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::Profile;

/// What the capture says of its kernel.
struct Recorded<'a> {
    release: Option<&'a str>,
    build_id: Option<&'a str>,
    /// A symbol of the kernel and its address: the kernel lies elsewhere after every start.
    text: Option<u64>,
    reference: &'a str,
}

/// The kernel's mapping; the name of the symbol that tells where it lay may stand behind it.
const MAPPING: &str = "[kernel.kallsyms]";
/// The fact that names the symbol, where it is another one than `_text`.
const REFERENCE: &str = "kernel reference symbol";

impl<'a> Recorded<'a> {
    fn new(profile: &'a Profile) -> Self {
        let text = |id| profile.strings.get(id);
        let mapping = profile.mappings.iter().find(|mapping| mapping.file.is_some_and(|file| text(file).starts_with(MAPPING)));
        let behind = mapping.and_then(|mapping| mapping.file).and_then(|file| text(file).strip_prefix(MAPPING));
        let reference = behind.filter(|name| !name.is_empty()).or_else(|| profile.info.fact(REFERENCE)).unwrap_or("_text");
        Self {
            release: profile.info.fact("osrelease"),
            build_id: mapping.and_then(|mapping| mapping.build_id).map(text),
            text: mapping.map(|mapping| mapping.offset).filter(|&offset| offset > 0),
            reference,
        }
    }

    /// Why a kernel cannot be the one that ran.
    fn other(&self, kernel: &Kernel) -> Option<Missing> {
        const FIX: &str =
            "open the capture on the machine that recorded, or copy its /proc/kallsyms (read as root) beside the capture as kallsyms";
        if kernel.is_of_capture {
            return None;
        }
        if let (Some(recorded), Some(own)) = (self.build_id, kernel.build_id.as_deref()) {
            let text = || match (self.release, kernel.release.as_deref()) {
                (Some(recorded), Some(own)) if recorded != own => format!("recorded under kernel {recorded}, this machine runs {own}"),
                _ => "this machine runs another build of the kernel".to_owned(),
            };
            return (recorded != own).then(|| Missing::Kernel(text(), FIX));
        }
        match (self.release, kernel.release.as_deref()) {
            (Some(recorded), Some(own)) if recorded == own => None,
            (Some(recorded), Some(own)) => Some(Missing::Kernel(format!("recorded under kernel {recorded}, this machine runs {own}"), FIX)),
            _ => Some(Missing::Kernel("the capture does not say which kernel ran".to_owned(), FIX)),
        }
    }
}

/// What stands at each address of the kernel, or why nothing is known.
pub(super) fn look_up(
    profile: &Profile,
    source: &dyn ModuleSource,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Missing>, Cancelled> {
    let recorded = Recorded::new(profile);
    let found = by_kernels(source, &recorded, addresses, ticket)?;
    let filled = modules::fill(profile, source, recorded.release, addresses, found.as_ref().ok(), ticket)?;
    Ok(filled.map_or(found, Ok))
}

fn by_kernels(
    source: &dyn ModuleSource,
    recorded: &Recorded<'_>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Missing>, Cancelled> {
    let mut why = None;
    for kernel in source.kernels(recorded.release, recorded.build_id) {
        ticket.check()?;
        // The symbols are read last: the system makes the list of the running kernel anew each time, which takes 0.2 s.
        let refused = match recorded.other(&kernel) {
            Some(reason) => reason,
            None => match kept(source, recorded, &kernel, addresses, ticket)? {
                Ok(answer) => return Ok(Ok(answer)),
                Err(reason) => reason,
            },
        };
        why.get_or_insert(refused);
    }
    const NONE: &str = "copy /proc/kallsyms of the machine that recorded, read as root, beside the capture as kallsyms";
    Ok(Err(why.unwrap_or_else(|| Missing::Kernel("this machine shows no kernel symbols".to_owned(), NONE))))
}

/// The answer of a kernel, kept over runs by what it is and where it lay.
fn kept(
    source: &dyn ModuleSource,
    recorded: &Recorded<'_>,
    kernel: &Kernel,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Missing>, Cancelled> {
    let look_up = |missing: &[u64]| {
        let found = by_kernel(recorded, kernel, missing, ticket)?;
        Ok(found.map(|answer| Fresh { answer, links: Some(Vec::new()) }))
    };
    let key = format!("kernel-{}-{:x}", recorded.build_id.or(recorded.release).unwrap_or_default(), recorded.text.unwrap_or(0));
    // Of the proofs, all that could be another next time is in the stamp.
    let stamp = |_: &[String]| {
        let stamp = kernel.stamp.as_ref()?;
        Some(format!("{stamp} {:?} {:?} {:?} {:?}", recorded.build_id, recorded.release, kernel.build_id, kernel.release))
    };
    cache::through(source, &key, stamp, addresses, ticket, look_up)
}

fn by_kernel(recorded: &Recorded<'_>, kernel: &Kernel, addresses: &[u64], ticket: &Ticket) -> Result<Result<Answer, Missing>, Cancelled> {
    const READ_AS_ROOT: &str = "read as root, or set the kernel's kptr_restrict to 0";
    let hidden = || Missing::Kernel("this machine hides its kernel symbols (kptr_restrict)".to_owned(), READ_AS_ROOT);
    let Some(bytes) = (kernel.symbols)() else {
        return Ok(Err(Missing::Kernel("this machine shows no kernel symbols".to_owned(), READ_AS_ROOT)));
    };
    let text;
    let object;
    let symbols = if bytes.starts_with(b"\x7fELF") {
        object = Parsed::new(&bytes);
        let Some(object) = &object else { return Ok(Err(Missing::NoProgram)) };
        // A file is only known by what it says of itself.
        let is_same_build = match recorded.build_id {
            Some(id) => object.build_id.as_deref() == Some(id),
            None => recorded.release.is_some_and(|release| has_banner(&bytes, release)),
        };
        let is_proven = kernel.is_of_capture || is_same_build;
        if !is_proven {
            return Ok(Err(Missing::OtherBuild(1)));
        }
        Symbols::of_elf(object, recorded.reference)
    } else {
        text = lossy(&bytes);
        Symbols::of_kallsyms(&text, recorded.reference)
    };
    let Some(symbols) = symbols else { return Ok(Err(hidden())) };
    let shift = match (recorded.text, symbols.text) {
        (Some(recorded), Some(own)) => recorded.wrapping_sub(own),
        _ => 0,
    };
    if shift == 0 {
        return table_answer(&Table::new(symbols.all, Vec::new()), addresses, ticket).map(Ok);
    }
    let is_file = bytes.starts_with(b"\x7fELF");
    if !is_file && (recorded.build_id.is_none() || kernel.build_id.is_none()) {
        let moved = "the kernel was loaded at another address: the machine was started again since";
        return Ok(Err(Missing::Kernel(moved.to_owned(), "save /proc/kallsyms (read as root) beside each capture as kallsyms")));
    }
    let core: Vec<Symbol<'_>> = symbols.all.into_iter().take(symbols.core).collect();
    let shifted: Vec<u64> = addresses.iter().map(|address| address.wrapping_sub(shift)).collect();
    table_answer(&Table::new(core, Vec::new()), &shifted, ticket).map(Ok)
}

/// True where a kernel's file says that it is of a release: `Linux version 6.1.0-13-amd64 (…`.
fn has_banner(bytes: &[u8], release: &str) -> bool {
    memchr::memmem::find(bytes, format!("Linux version {release} ").as_bytes()).is_some()
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The symbols of a kernel and its modules.
struct Symbols<'a> {
    /// Those of the kernel itself first.
    all: Vec<Symbol<'a>>,
    /// How many of `all` are the kernel's own and not a module's.
    core: usize,
    /// Address of the symbol that tells where the kernel lies.
    text: Option<u64>,
}

impl<'a> Symbols<'a> {
    /// The kernel's own list (`/proc/kallsyms`): lines `address type name [module]`. `None` where the addresses are hidden.
    fn of_kallsyms(text: &'a str, reference: &str) -> Option<Self> {
        let (mut core, mut modules) = (Vec::new(), Vec::new());
        let mut start_of_text = None;
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(start), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(start) = u64::from_str_radix(start, 16) else { continue };
            let binding = match kind {
                "T" => Binding::Global,
                "t" => Binding::Local,
                "W" | "w" => Binding::Weak,
                _ => continue,
            };
            if name == reference && start > 0 {
                start_of_text.get_or_insert(start);
            }
            let list = if words.next().is_some() { &mut modules } else { &mut core };
            list.push(Symbol { start, size: 0, name: Name::Text(name), binding, is_typed: true });
        }
        let is_visible = core.iter().chain(&modules).any(|symbol| symbol.start != 0);
        let len = core.len();
        core.extend(modules);
        is_visible.then_some(Self { all: core, core: len, text: start_of_text })
    }

    /// A kernel's file (`vmlinux`).
    fn of_elf(object: &Parsed<'a>, reference: &str) -> Option<Self> {
        let all = object.symbols();
        let text = object.address_of_symbol(reference);
        (!all.is_empty()).then_some(Self { core: all.len(), all, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_symbols_reach_to_the_next_one() {
        let text = "ffffffff81000000 T first\nffffffff81000000 T _text\nffffffff81000040 t local\nffffffff81000040 T best\nffffffff81000080 D data\n\
                    ffffffff81000100 W weak\t[mod]\n";
        let symbols = Symbols::of_kallsyms(text, "_text").unwrap();
        assert_eq!((symbols.core, symbols.text), (4, Some(0xffff_ffff_8100_0000)));
        let table = Table::new(symbols.all, Vec::new());
        let name_at = |address| table.find(address).map(|symbol| symbol.name.get().into_owned());
        assert_eq!(name_at(0xffff_ffff_8100_003f).as_deref(), Some("first"));
        assert_eq!(name_at(0xffff_ffff_8100_0090).as_deref(), Some("best"));
        assert_eq!(name_at(0xffff_ffff_8100_0100).as_deref(), Some("weak"));
        assert_eq!(name_at(0xffff_ffff_8000_0000), None);
        assert!(Symbols::of_kallsyms("0000000000000000 T _text\n", "_text").is_none(), "hidden addresses are no symbols");
    }
}
