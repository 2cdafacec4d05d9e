//! One module from all the files that hold parts of it: the binary, its separate debug file, the symbols packed into it.
//!
//! A file counts only by proof: an equal build id; the checksum that the binary names for its debug file; or, on the machine of the
//! capture, the path. Deliberately absent: where files lie. Start reading at [`look_up`].

use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use super::answer::{Answer, LastName};
use super::cache::{self, Fresh};
use super::dwarf::{self, Debug, Names, Split, SplitUnit};
use super::elf::{Parsed, Segments};
use super::go::{GoTable, Walked};
use super::missing::Missing;
use super::nesting::Deep;
use super::qualified::Qualified;
use super::table::{Symbol, Table};
use super::{Bytes, Fetched, ModuleSource, Part, plt};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Numbering, base_name};

/// A module as the capture names it.
pub(super) struct Wanted<'a> {
    /// Path.
    pub(super) file: &'a str,
    /// In lower-case hex.
    pub(super) build_id: Option<&'a str>,
    /// True where the capture was taken on this machine.
    pub(super) is_local: bool,
    /// True where another file came into its place meanwhile.
    pub(super) is_replaced: bool,
    /// Offset in the file where its mapping starts, where it has only one.
    pub(super) offset: Option<u64>,
    /// What addresses count: with [`Numbering::Memory`] they were made offsets in the file.
    pub(super) numbering: Numbering,
}

/// The files of one module.
#[derive(Default)]
struct Files {
    /// The binary and what adds to it.
    own: Vec<Bytes>,
    /// Debug information that several modules share.
    shared: Option<Bytes>,
    /// Names by which further files were looked for.
    links: Vec<String>,
    /// Why others could not give what is missing.
    not_fetched: Option<String>,
}

/// What stands at each of the sorted places in the module, and why nothing is known of the rest.
pub(super) fn look_up(
    source: &dyn ModuleSource,
    wanted: &Wanted<'_>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<(Answer, Missing), Cancelled> {
    let found = look_up_kept(source, wanted, addresses, ticket)?;
    Ok(match found {
        Ok(answer) => (answer, Missing::NotCovered),
        Err(lacking) => (lacking.answer, lacking.why),
    })
}

/// What is known of a module that cannot have names for its functions: at most its stubs. Files that come later may help, so it is not
/// kept.
struct Lacking {
    answer: Answer,
    why: Missing,
}

fn look_up_kept(
    source: &dyn ModuleSource,
    wanted: &Wanted<'_>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Answer, Box<Lacking>>, Cancelled> {
    // Without a build id only the path says what the file is, and that only here.
    if wanted.build_id.is_none() && (!wanted.is_local || wanted.is_replaced) {
        return look_up_files(source, wanted, addresses, ticket).map(|found| found.map(|fresh| fresh.answer));
    }
    let numbering = match wanted.numbering {
        Numbering::Memory => "",
        Numbering::Own => "own-",
        Numbering::FromBase => "base-",
    };
    let key = match wanted.build_id {
        Some(id) => format!("{numbering}id-{id}"),
        // Two paths of one key have different stamps, so they only push each other out.
        None => format!("{numbering}path-{:016x}", rustc_hash::FxBuildHasher.hash_one(wanted.file)),
    };
    let stamp = |links: &[String]| source.stamp(wanted.file, wanted.build_id, links);
    cache::through(source, &key, stamp, addresses, ticket, |missing| look_up_files(source, wanted, missing, ticket))
}

fn look_up_files(
    source: &dyn ModuleSource,
    wanted: &Wanted<'_>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Fresh, Box<Lacking>>, Cancelled> {
    let files = match gather(source, wanted, ticket)? {
        Ok(files) => files,
        Err(why) => return Ok(Err(Box::new(Lacking { answer: Answer::default(), why }))),
    };
    ticket.check()?;
    let parsed: Vec<Parsed<'_>> = files.own.iter().filter_map(Parsed::new).collect();
    let mut symbols: Vec<Symbol<'_>> = parsed.iter().flat_map(Parsed::symbols).collect();
    let has_functions = !symbols.is_empty();
    let stubs: Vec<Symbol<'_>> = parsed.iter().flat_map(|file| plt::stubs(file, &symbols)).collect();
    symbols.extend(stubs);
    let table = Table::new(symbols, parsed.iter().flat_map(Parsed::code).map(|(_, addresses, _)| addresses).collect());
    ticket.check()?;
    let shared = files.shared.as_ref().and_then(Parsed::new);
    let debug = parsed.iter().find(|file| file.has_debug_info()).and_then(|file| Debug::new(file, shared.as_ref()));
    // Go's own table is second choice: DWARF and the symbol table spell generic functions alike, it does not.
    let go = if debug.is_none() { parsed.iter().find_map(GoTable::new) } else { None };
    // Stubs are named in stripped files, too, which is no reason to be silent about the rest.
    let is_stripped = !has_functions && debug.is_none() && go.is_none();
    let stripped = is_stripped.then(|| Missing::Stripped.or_fetched(files.not_fetched));
    let segments = match wanted.numbering {
        Numbering::Memory => parsed.iter().find_map(Parsed::segments),
        Numbering::Own => Some(Segments::from_base(0)),
        Numbering::FromBase => Some(Segments::from_base(parsed.iter().find_map(Parsed::base).unwrap_or(0))),
    };
    let mapped = || wanted.offset.and_then(|offset| parsed.iter().find_map(|file| file.segments_by_mapping(offset)));
    let by_mapping = segments.is_none();
    let segments = segments.or_else(mapped).unwrap_or_default();
    ticket.check()?;
    let (mut links, mut split_files) = (files.links, SplitFiles::default());
    let looked_up = || addresses.iter().map(|offset| segments.address_of(*offset));
    let deep = debug.as_ref().map_or_else(|| Ok(Deep::default()), |debug| debug.deep(looked_up(), ticket))?;
    let usable = debug.as_ref().filter(|_| !deep.is_anywhere());
    let first = usable.and_then(Debug::context);
    let needed = match &first {
        Some(context) => dwarf::split_units(context, looked_up().filter(|address| !deep.holds(*address))),
        None => Vec::new(),
    };
    if !needed.is_empty() {
        split_files = SplitFiles::find(source, wanted.file, &needed, &mut links, ticket)?;
    }
    let (package, units) = split_files.parsed();
    let split = Split::new(&needed, package.as_ref(), &units);
    // What a mapping says of a file holds for this capture alone.
    let links = Some(links).filter(|_| !by_mapping);
    // Making one takes a while: the first stretch of addresses gets the one that there is.
    let first = Mutex::new(first);
    let context = || first.lock().unwrap_or_else(PoisonError::into_inner).take().or_else(|| usable?.context());
    let symbol_at = |start: u64| table.find(start).filter(|symbol| symbol.start == start).map(|symbol| symbol.name.get().into_owned());
    let helper = || (context(), Walked::default(), LastName::default(), Qualified::default());
    let answer = Answer::of_chunks(addresses, ticket, helper, |(context, walked, last, qualified), offset, answer| {
        let address = segments.address_of(offset);
        let symbol = table.find(address);
        if let Some(context) = context.as_ref().filter(|_| !deep.holds(address)) {
            let names = Names { symbol_at: &symbol_at, has_outermost: symbol.is_some_and(|symbol| symbol.is_typed) };
            dwarf::levels(context, &split, qualified, &names, address, answer);
        }
        if answer.is_open_empty() && go.as_ref().is_some_and(|go| go.levels(address, walked, answer)) {
            return;
        }
        if let Some(symbol) = symbol {
            // The symbol is the name that other tools show; the lines know what was inlined into it.
            answer.name_by_symbol(symbol, last);
        }
    })?;
    Ok(match stripped {
        Some(why) => Err(Box::new(Lacking { answer, why })),
        None => Ok(Fresh { answer, links }),
    })
}

/// Files that may hold split debug information; the numbers of units prove them.
#[derive(Default)]
struct SplitFiles {
    package: Option<Bytes>,
    units: Vec<Bytes>,
}

impl SplitFiles {
    fn find(
        source: &dyn ModuleSource,
        file: &str,
        needed: &[SplitUnit],
        links: &mut Vec<String>,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        let package = format!("{}.dwp", base_name(file));
        let mut found = Self { package: source.debug_files(file, &package).into_iter().next(), units: Vec::new() };
        links.push(package);
        // A package has all units.
        for unit in needed.iter().filter(|_| found.package.is_none()) {
            ticket.check()?;
            found.units.extend(source.debug_files(file, &unit.path));
            links.push(unit.path.clone());
        }
        Ok(found)
    }

    fn parsed(&self) -> (Option<Parsed<'_>>, Vec<Parsed<'_>>) {
        (self.package.as_ref().and_then(Parsed::new), self.units.iter().filter_map(Parsed::new).collect())
    }
}

/// The files that make the module, with proof: from here, and what is missing from those who are asked.
fn gather(source: &dyn ModuleSource, wanted: &Wanted<'_>, ticket: &Ticket) -> Result<Result<Files, Missing>, Cancelled> {
    let (mut files, missing) = match gather_here(source, wanted) {
        Ok(files) => (files, None),
        Err(missing) => (Files::default(), Some(missing)),
    };
    if let Some(id) = wanted.build_id {
        fetch(source, id, &mut files, ticket)?;
    }
    add_shared(source, wanted.file, &mut files, ticket)?;
    Ok(match missing.filter(|_| files.own.is_empty()) {
        Some(missing) => Err(missing.or_fetched(files.not_fetched)),
        None => Ok(files),
    })
}

/// Asks for debug information where no file has any, and for the program itself where only its debug information is there.
fn fetch(source: &dyn ModuleSource, id: &str, files: &mut Files, ticket: &Ticket) -> Result<(), Cancelled> {
    for part in [Part::DebugInfo, Part::Executable] {
        let parsed: Vec<Parsed<'_>> = files.own.iter().filter_map(Parsed::new).collect();
        let is_there = match part {
            Part::DebugInfo => parsed.iter().any(Parsed::has_debug_info),
            // Debug information says where in memory code lies, but not where in the file.
            Part::Executable => parsed.iter().any(|file| file.segments().is_some()),
        };
        drop(parsed);
        if is_there {
            continue;
        }
        match source.fetch(id, part, ticket)? {
            Fetched::Off => return Ok(()),
            Fetched::Failed(why) => {
                files.not_fetched.get_or_insert(why);
            }
            Fetched::Bytes(bytes) if build_id(&bytes).as_deref() == Some(id) => {
                source.keep_fetched(id, part, &bytes);
                files.own.push(bytes);
            }
            Fetched::Bytes(bytes) => {
                let own = build_id(&bytes).map_or_else(|| "none".to_owned(), |own| format!("the build id {own}"));
                files.not_fetched.get_or_insert(format!("what a server gave has {own}, so it was thrown away"));
            }
        }
    }
    Ok(())
}

fn gather_here(source: &dyn ModuleSource, wanted: &Wanted<'_>) -> Result<Files, Missing> {
    let mut own = source.candidates(wanted.file, wanted.build_id);
    let any = !own.is_empty();
    own.retain(|bytes| Parsed::new(bytes).is_some());
    let found = own.len();
    match wanted.build_id {
        _ if found == 0 => return Err(if any { Missing::NoProgram } else { Missing::NotHere }),
        Some(id) => own.retain(|bytes| build_id(bytes).as_deref() == Some(id)),
        // Without a build id only the path says that it is the same file: that is no proof on another machine.
        None if !wanted.is_local => return Err(Missing::Unproven),
        None if wanted.is_replaced => return Err(Missing::Replaced),
        None => {
            own.truncate(1);
            if let Some(id) = own.first().and_then(build_id) {
                let mut all = source.candidates(wanted.file, Some(&id));
                all.retain(|bytes| build_id(bytes).as_deref() == Some(&id));
                if !all.is_empty() {
                    own = all;
                }
            }
        }
    }
    if own.is_empty() {
        return Err(Missing::OtherBuild(found));
    }
    let mut files = Files { own, ..Files::default() };
    add_debug_file(source, wanted.file, &mut files);
    add_packed_symbols(&mut files);
    Ok(files)
}

fn build_id(bytes: &Bytes) -> Option<String> {
    Parsed::new(bytes)?.build_id
}

/// The debug file that the binary names, where no file with the build id has debug information.
fn add_debug_file(source: &dyn ModuleSource, file: &str, files: &mut Files) {
    let parsed: Vec<Parsed<'_>> = files.own.iter().filter_map(Parsed::new).collect();
    if parsed.iter().any(Parsed::has_debug_info) {
        return;
    }
    let Some((binary, (name, crc))) = parsed.iter().find_map(|file| Some((file, file.debug_link()?))) else { return };
    let is_it = |bytes: &Bytes| match (Parsed::new(bytes).map(|debug| debug.build_id), &binary.build_id) {
        (None, _) => false,
        (Some(Some(theirs)), Some(own)) => theirs == *own,
        _ => libdeflater::crc32(bytes) == crc,
    };
    let debug = source.debug_files(file, &name).into_iter().find(is_it);
    drop(parsed);
    files.links.push(name);
    files.own.extend(debug);
}

/// The symbols packed into the binary, where no file has a symbol table.
fn add_packed_symbols(files: &mut Files) {
    let parsed: Vec<Parsed<'_>> = files.own.iter().filter_map(Parsed::new).collect();
    if parsed.iter().any(Parsed::has_symbol_table) {
        return;
    }
    let packed = parsed.iter().find_map(Parsed::packed_symbols);
    drop(parsed);
    files.own.extend(packed);
}

/// Debug information that was moved to a file for several modules.
fn add_shared(source: &dyn ModuleSource, file: &str, files: &mut Files, ticket: &Ticket) -> Result<(), Cancelled> {
    let parsed: Vec<Parsed<'_>> = files.own.iter().filter_map(Parsed::new).collect();
    let link = parsed.iter().find(|file| file.has_debug_info()).and_then(Parsed::supplement_link);
    let Some((path, id)) = link else { return Ok(()) };
    let by_id = source.candidates(&path, Some(&id));
    let shared = by_id.into_iter().chain(source.debug_files(file, &path)).find(|bytes| build_id(bytes).as_deref() == Some(&id));
    drop(parsed);
    files.links.push(path);
    files.shared = shared;
    if files.shared.is_none()
        && let Fetched::Bytes(bytes) = source.fetch(&id, Part::DebugInfo, ticket)?
        && build_id(&bytes).as_deref() == Some(&id)
    {
        source.keep_fetched(&id, Part::DebugInfo, &bytes);
        files.shared = Some(bytes);
    }
    Ok(())
}
