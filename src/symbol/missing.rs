//! What stayed without a name: by module, with the reason and what would help.
//!
//! Deliberately absent: how it is shown. Start reading at [`list`].

use rustc_hash::FxHashMap;

use super::{Owner, Owners, is_unnamed};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Frame, FrameId, Notes, Profile, Unnamed, kind};

/// Why addresses have no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The capture names no module at the address.
    NoModule,
    /// Code compiled at run time without a list of names.
    NoMap(i32),
    /// No file of that name or build id is here.
    NotHere,
    /// What is here is no program or library.
    NoProgram,
    /// Files are here, of another build.
    OtherBuild(usize),
    /// Only the path names the file, on another machine.
    Unproven,
    /// Only the path names the file, and another one lies there now.
    Replaced,
    /// The file was found and has no symbols.
    Stripped,
    /// There are symbols, but not at these addresses.
    NotCovered,
    /// One of the others, and why those who were asked could not help.
    NotFetched(Box<Self>, String),
    /// The kernel's symbols cannot be used, with the reason and what would help.
    Kernel(String, &'static str),
}

impl Missing {
    /// The same where others were asked in vain.
    pub(super) fn or_fetched(self, failed: Option<String>) -> Self {
        match failed {
            Some(why) => Self::NotFetched(Box::new(self), why),
            None => self,
        }
    }

    fn why(&self) -> String {
        match self {
            Self::NoModule => "the capture names no module there".to_owned(),
            Self::NoMap(pid) => format!("there is no perf-{pid}.map or jit-{pid}.dump beside the capture"),
            Self::NotHere => "the file is not on this machine".to_owned(),
            Self::NoProgram => "the file is no program or library".to_owned(),
            Self::OtherBuild(1) => "the file of that name has another build id".to_owned(),
            Self::OtherBuild(found) => format!("{found} files of that name have another build id"),
            Self::Unproven => "the capture has no build id for it and was taken on another machine".to_owned(),
            Self::Replaced => "another file lies at its path now, and the capture has no build id for it".to_owned(),
            Self::Stripped => "the file has no symbols (stripped)".to_owned(),
            Self::NotCovered => "its symbols do not cover them".to_owned(),
            Self::Kernel(why, _) => why.clone(),
            Self::NotFetched(local, why) => format!("{}; {why}", local.why()),
        }
    }

    /// What would help; `is_perf` for captures of perf, whose stacks the kernel or perf walked.
    fn fix(&self, owner: Owner<'_>, is_perf: bool) -> String {
        let debug = |file: &str, id: Option<&str>| {
            let by_id = id.map_or_else(String::new, |id| format!(" (build id {id})"));
            format!(
                "install the debug package of {file}{by_id}, give its folder with --symbols (in the window: File, Symbol folders), or ask a server with --debuginfod"
            )
        };
        match (self, owner) {
            (Self::NoModule, _) if !is_perf => "nothing: only what wrote the capture knew what was loaded there".to_owned(),
            (Self::NoModule, _) => {
                "broken frame pointers: build with -fno-omit-frame-pointer, or record with --call-graph dwarf".to_owned()
            }
            (Self::NoMap(_) | Self::NotCovered, Owner::MemoryFile(..)) => {
                "it lay in memory alone (memfd), so its symbols are gone: load the library from a file while recording".to_owned()
            }
            (Self::NoMap(pid), _) => {
                format!(
                    "let the run-time compiler write perf-{pid}.map (node --perf-basic-prof, java perf-map-agent) and copy it beside the capture"
                )
            }
            (Self::NotHere | Self::NoProgram | Self::OtherBuild(_), Owner::File(file, id, _)) => {
                let by_id = id.map_or_else(String::new, |id| format!(" with build id {id}"));
                format!(
                    "copy {file}{by_id} from the machine that recorded into a folder and give that with --symbols (in the window: File, Symbol folders)"
                )
            }
            (Self::NotFetched(local, _), owner) => local.fix(owner, is_perf),
            (Self::Replaced, _) => {
                "copy the file that ran into a folder and give that with --symbols (in the window: File, Symbol folders)".to_owned()
            }
            (Self::Unproven, _) => "record with build ids (perf record --buildid-mmap, or without -B)".to_owned(),
            (Self::Stripped | Self::NotCovered, Owner::File(file, id, _)) => debug(file, id),
            (Self::NotCovered, Owner::Compiled(_)) => {
                "record with the map of the same run: code was compiled later, or thrown away".to_owned()
            }
            (Self::Kernel(_, fix), _) => (*fix).to_owned(),
            _ => "copy /proc/kallsyms of the machine that recorded, read as root, beside the capture as kallsyms".to_owned(),
        }
    }
}

/// One module with addresses that have no name.
pub(super) struct Lacking {
    /// Row of its owner.
    pub(super) of: usize,
    pub(super) addresses: u64,
    pub(super) why: Missing,
}

impl Owner<'_> {
    fn name(&self) -> String {
        match self {
            Self::Kernel => "[kernel]".to_owned(),
            Self::Compiled(pid) => format!("code compiled at run time in process {pid}"),
            Self::MemoryFile(pid, file) => format!("{} in process {pid}", file.trim_start_matches('/')),
            Self::File(file, ..) | Self::KernelPage(file, _) => (*file).to_owned(),
            Self::Nowhere => "no known module".to_owned(),
        }
    }
}

/// The modules for the profile's list, those in most samples first.
///
/// `still` says which of the profile's unnamed frames stayed so.
pub(super) fn list(
    profile: &Profile,
    owners: &Owners<'_>,
    lacking: Vec<Lacking>,
    still: impl Fn(FrameId) -> bool,
    ticket: &Ticket,
) -> Result<Vec<Unnamed>, Cancelled> {
    let samples = samples(profile, owners, &lacking, still, ticket)?;
    let is_perf = profile.info.format.starts_with("perf-");
    let mut list: Vec<Unnamed> = lacking
        .into_iter()
        .zip(samples)
        .map(|(Lacking { of, addresses, why }, samples)| {
            let owner = owners.all.get(of).copied().unwrap_or(Owner::Nowhere);
            let build_id = if let Owner::File(_, id, _) = owner { id.map(str::to_owned) } else { None };
            Unnamed { module: owner.name(), build_id, addresses, samples, why: why.why(), fix: why.fix(owner, is_perf) }
        })
        .collect();
    list.sort_by_key(|unnamed| std::cmp::Reverse(unnamed.samples));
    Ok(list)
}

/// Rows between two looks at the ticket.
const PART: usize = 1 << 15;

/// Number of samples with at least one unnamed frame of each module.
fn samples(
    profile: &Profile,
    owners: &Owners<'_>,
    lacking: &[Lacking],
    still: impl Fn(FrameId) -> bool,
    ticket: &Ticket,
) -> Result<Vec<u64>, Cancelled> {
    let mut modules: Vec<Option<u32>> = vec![None; owners.all.len()];
    for (at, lacking) in lacking.iter().enumerate() {
        if let Some(module) = modules.get_mut(lacking.of) {
            *module = Some(at as u32);
        }
    }
    let module =
        |(id, frame): (FrameId, Frame)| modules.get(owners.of(&frame)).copied().flatten().filter(|_| is_unnamed(&frame) && still(id));
    let frames: Vec<Option<u32>> = profile.frames.iter_ids().map(module).collect();
    // Which modules a stack holds: set 0 is empty, every other is an older one and one module more. There are few.
    let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
    let mut grown = FxHashMap::<(u32, u32), u32>::default();
    // Stacks stand in the order of their growing, and most unnamed frames are of the module of the frame before.
    let mut last = None;
    let mut of_stack: Vec<u32> = Vec::with_capacity(profile.stacks.len());
    for (parents, rows) in profile.stacks.parents().chunks(PART).zip(profile.stacks.frames().chunks(PART)) {
        ticket.check()?;
        for (parent, frame) in parents.iter().zip(rows) {
            let set = parent.and_then(|parent| of_stack.get(parent.row()).copied()).unwrap_or(0);
            let set = match (frames.get(frame.row()).copied().flatten(), last) {
                (Some(module), Some((key, bigger))) if key == (set, module) => bigger,
                (Some(module), _) => {
                    let bigger = *grown.entry((set, module)).or_insert_with(|| {
                        let mut members = sets.get(set as usize).cloned().unwrap_or_default();
                        if members.contains(&module) {
                            return set;
                        }
                        members.push(module);
                        sets.push(members);
                        (sets.len() - 1) as u32
                    });
                    last = Some(((set, module), bigger));
                    bigger
                }
                (None, _) => set,
            };
            of_stack.push(set);
        }
    }
    let mut of_set = vec![0_u64; sets.len()];
    for stack in profile.samples.stacks().iter().flatten() {
        let set = of_stack.get(stack.row()).copied().unwrap_or(0);
        if let Some(count) = of_set.get_mut(set as usize) {
            *count += 1;
        }
    }
    let mut counts = vec![0; lacking.len()];
    for (members, count) in sets.iter().zip(of_set) {
        for module in members {
            if let Some(sum) = counts.get_mut(*module as usize) {
                *sum += count;
            }
        }
    }
    Ok(counts)
}

/// How the note of [`note`] begins.
const NOTE: &str = "addresses without a name in ";

/// Takes the note of an earlier look away.
pub(super) fn forget(notes: &mut Notes) {
    notes.retain(|note| note.kind != kind::NO_SYMBOLS || !note.text.starts_with(NOTE));
}

/// One note for all modules.
pub(super) fn note(notes: &mut Notes, unnamed: &[Unnamed]) {
    let addresses = unnamed.iter().map(|unnamed| unnamed.addresses).sum();
    match unnamed {
        [] => {}
        [one] => notes.add(kind::NO_SYMBOLS, &format!("{NOTE}{}: {}", one.module, one.why), addresses, None),
        [first, ..] => {
            let text = format!("{NOTE}{} modules, see the list; most samples in {}: {}", unnamed.len(), first.module, first.why);
            notes.add(kind::NO_SYMBOLS, &text, addresses, None);
        }
    }
}
