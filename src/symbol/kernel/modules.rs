//! Kernel modules by their own files (`.ko`), for addresses that the kernel's list of symbols does not name: a list without modules
//! (`System.map`, `vmlinux`), or one that hides them.
//!
//! A module's file is an object that is not linked: the kernel lays its sections out when it loads it. Where code comes to lie follows
//! `layout_sections` in the kernel's `kernel/module/main.c`: all sections of code in their order, each aligned, those of the start-up
//! (`.init…`) apart. A file counts by its build id, or by the kernel's release that is written into it (`vermagic`). Deliberately
//! absent: lines and inlined functions. Start reading at [`fill`].

use std::sync::Arc;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, elf};

use super::super::answer::{Answer, Moved};
use super::super::elf::function;
use super::super::table::{Symbol, Table};
use super::super::{Bytes, ModuleSource};
use crate::base::inflate;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Mapping, Profile};

/// Largest module, inflated.
const CAP_BYTES: u64 = 1 << 30;

/// Names the addresses of which `found` knows nothing, as far as they lie in modules of which the files are here.
pub(super) fn fill(
    profile: &Profile,
    source: &dyn ModuleSource,
    release: Option<&str>,
    addresses: &[u64],
    found: Option<&Answer>,
    ticket: &Ticket,
) -> Result<Option<Answer>, Cancelled> {
    let is_open = |row: usize| found.is_none_or(|found| found.levels(row).is_empty());
    let mut modules: Vec<(&str, &Mapping)> = profile
        .mappings
        .iter()
        .filter(|mapping| mapping.pid.is_none())
        .filter_map(|mapping| Some((profile.strings.get(mapping.file?), mapping)))
        .filter(|(file, _)| file.contains(".ko"))
        .collect();
    modules.sort_unstable_by_key(|(_, mapping)| mapping.start);
    let module_of = |address: u64| {
        let after = modules.partition_point(|(_, mapping)| mapping.start <= address);
        let at = after.checked_sub(1)?;
        modules.get(at).filter(|(_, mapping)| address < mapping.limit).map(|_| at)
    };
    let rows: Vec<Option<usize>> =
        addresses.iter().enumerate().map(|(row, address)| module_of(*address).filter(|_| is_open(row))).collect();
    let mut wanted: Vec<usize> = rows.iter().flatten().copied().collect();
    wanted.dedup();
    let mut files = Vec::new();
    for at in wanted {
        ticket.check()?;
        let Some((file, mapping)) = modules.get(at) else { continue };
        let build_id = mapping.build_id.map(|id| profile.strings.get(id));
        for bytes in source.candidates(file, build_id) {
            if let Some(bytes) = plain(&bytes, ticket)? {
                files.push((at, bytes, build_id));
            }
        }
    }
    let mut tables: Vec<(usize, Table<'_>)> = Vec::new();
    for (at, bytes, build_id) in &files {
        ticket.check()?;
        let symbols = object::File::parse(&***bytes).ok().filter(|file| is_proven(file, *build_id, release)).map(|file| symbols(&file));
        if let Some(symbols) = symbols.filter(|symbols| !symbols.is_empty()) {
            tables.push((*at, Table::new(symbols, Vec::new())));
        }
    }
    if tables.is_empty() {
        return Ok(None);
    }
    let name = |row: usize, address: u64| {
        let at = rows.get(row).copied().flatten()?;
        let inside = address.checked_sub(modules.get(at)?.1.start)?;
        tables.iter().filter(|(module, _)| *module == at).find_map(|(_, table)| Some(table.find(inside)?.name.get()))
    };
    let (mut answer, mut moved) = (Answer::default(), Moved::default());
    for (row, &address) in addresses.iter().enumerate() {
        match (found.filter(|found| !found.levels(row).is_empty()), name(row, address)) {
            (Some(found), _) => answer.copy(found, row, &mut moved),
            (None, Some(name)) => {
                answer.name_outermost(&name);
                answer.close();
            }
            (None, None) => answer.close(),
        }
    }
    Ok(Some(answer))
}

/// The module itself, where the file is compressed (`.ko.xz`, `.ko.zst`, `.ko.gz`).
fn plain(bytes: &Bytes, ticket: &Ticket) -> Result<Option<Bytes>, Cancelled> {
    if inflate::container_of(bytes) == inflate::Container::None {
        return Ok(Some(Arc::clone(bytes)));
    }
    match inflate::peel(bytes, CAP_BYTES, ticket) {
        Ok(peeled) if peeled.damage.is_none() => Ok(Some(Arc::new(peeled.bytes.into_owned()))),
        Err(inflate::PeelError::Cancelled) => Err(Cancelled),
        _ => Ok(None),
    }
}

/// The same build id; or, where the capture has none, the release of the kernel that ran.
fn is_proven(file: &object::File<'_>, build_id: Option<&str>, release: Option<&str>) -> bool {
    if let Some(wanted) = build_id {
        let own = file.build_id().ok().flatten().map(|id| id.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")));
        return own.as_deref() == Some(wanted);
    }
    let (Some(release), Some(section)) = (release, file.section_by_name(".modinfo")) else { return false };
    let words = section.data().unwrap_or_default();
    let made_for = words.split(|&byte| byte == 0).find_map(|word| word.strip_prefix(b"vermagic="));
    made_for.is_some_and(|text| text.split(|&byte| byte == b' ').next() == Some(release.as_bytes()))
}

/// Functions by their distance from the start of the module's code.
fn symbols<'a>(file: &object::File<'a>) -> Vec<Symbol<'a>> {
    // Distance of each section of code, by section.
    let mut places = Vec::new();
    let mut end = 0_u64;
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let code = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
        let is_code = sh_flags & code == code;
        if !is_code || section.name().is_ok_and(|name| name.starts_with(".init")) {
            continue;
        }
        let align = section.align().max(1);
        let start = end.checked_add(align - 1).map_or(end, |top| top / align * align);
        places.push((section.index(), start));
        end = start.saturating_add(section.size());
    }
    let placed = |symbol: &object::Symbol<'a, '_>| {
        let section = symbol.section_index()?;
        places.iter().find(|(index, _)| *index == section).map(|(_, start)| start.wrapping_add(symbol.address()))
    };
    file.symbols().filter_map(|symbol| function(&symbol, placed(&symbol)?)).collect()
}
