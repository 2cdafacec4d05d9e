//! What stayed without a name: by module, with the reason and what would help.
//!
//! Deliberately absent: how it is shown. Start reading at [`list`].

use rustc_hash::FxHashMap;

use super::{Owner, is_unnamed, owner};
use crate::model::{FrameId, Notes, Profile, Unnamed, kind};

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
            Self::Stripped => "the file has no symbols (stripped)".to_owned(),
            Self::NotCovered => "its symbols do not cover them".to_owned(),
            Self::Kernel(why, _) => why.clone(),
            Self::NotFetched(local, why) => format!("{}; {why}", local.why()),
        }
    }

    fn fix(&self, owner: Owner<'_>) -> String {
        let debug = |file: &str, id: Option<&str>| {
            let by_id = id.map_or_else(String::new, |id| format!(" (build id {id})"));
            format!("install the debug package of {file}{by_id}, give its folder with --symbols, or ask a server with --debuginfod")
        };
        match (self, owner) {
            (Self::NoModule, _) => {
                "broken frame pointers: build with -fno-omit-frame-pointer, or record with --call-graph dwarf".to_owned()
            }
            (Self::NoMap(pid), _) => {
                format!(
                    "let the run-time compiler write perf-{pid}.map (node --perf-basic-prof, java perf-map-agent) and copy it beside the capture"
                )
            }
            (Self::NotHere | Self::NoProgram | Self::OtherBuild(_), Owner::File(file, id)) => {
                let by_id = id.map_or_else(String::new, |id| format!(" with build id {id}"));
                format!("copy {file}{by_id} from the machine that recorded into a folder and give that with --symbols")
            }
            (Self::NotFetched(local, _), owner) => local.fix(owner),
            (Self::Unproven, _) => "record with build ids (perf record --buildid-mmap, or without -B)".to_owned(),
            (Self::Stripped | Self::NotCovered, Owner::File(file, id)) => debug(file, id),
            (Self::NotCovered, Owner::Compiled(_)) => {
                "record with the map of the same run: code was compiled later, or thrown away".to_owned()
            }
            (Self::Kernel(_, fix), _) => (*fix).to_owned(),
            _ => "copy /proc/kallsyms of the machine that recorded, read as root, beside the capture as kallsyms".to_owned(),
        }
    }
}

/// One module with addresses that have no name.
pub(super) struct Lacking<'a> {
    pub(super) owner: Owner<'a>,
    pub(super) addresses: u64,
    pub(super) why: Missing,
}

impl Owner<'_> {
    fn name(&self) -> String {
        match self {
            Self::Kernel => "[kernel]".to_owned(),
            Self::Compiled(pid) => format!("code compiled at run time in process {pid}"),
            Self::File(file, _) | Self::KernelPage(file, _) => (*file).to_owned(),
            Self::Nowhere => "no known module".to_owned(),
        }
    }
}

/// The modules for the profile's list, those in most samples first.
///
/// `still` says which of the profile's unnamed frames stayed so.
pub(super) fn list(profile: &Profile, lacking: Vec<Lacking<'_>>, still: impl Fn(FrameId) -> bool) -> Vec<Unnamed> {
    let samples = samples(profile, &lacking, still);
    let mut list: Vec<Unnamed> = lacking
        .into_iter()
        .zip(samples)
        .map(|(lacking, samples)| Unnamed {
            module: lacking.owner.name(),
            build_id: match lacking.owner {
                Owner::File(_, id) => id.map(str::to_owned),
                _ => None,
            },
            addresses: lacking.addresses,
            samples,
            why: lacking.why.why(),
            fix: lacking.why.fix(lacking.owner),
        })
        .collect();
    list.sort_by_key(|unnamed| std::cmp::Reverse(unnamed.samples));
    list
}

/// Number of samples with at least one unnamed frame of each module.
fn samples(profile: &Profile, lacking: &[Lacking<'_>], still: impl Fn(FrameId) -> bool) -> Vec<u64> {
    let modules: FxHashMap<Owner<'_>, u32> = lacking.iter().enumerate().map(|(at, lacking)| (lacking.owner, at as u32)).collect();
    let frames: Vec<Option<u32>> = profile
        .frames
        .iter_ids()
        .map(|(id, frame)| modules.get(&owner(profile, frame)).copied().filter(|_| is_unnamed(frame) && still(id)))
        .collect();
    // Which modules a stack holds: set 0 is empty, every other is an older one and one module more. There are few.
    let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
    let mut grown = FxHashMap::<(u32, u32), u32>::default();
    let mut of_stack: Vec<u32> = Vec::with_capacity(profile.stacks.len());
    for (parent, frame) in profile.stacks.parents().iter().zip(profile.stacks.frames()) {
        let set = parent.and_then(|parent| of_stack.get(parent.row()).copied()).unwrap_or(0);
        let set = match frames.get(frame.row()).copied().flatten() {
            Some(module) => *grown.entry((set, module)).or_insert_with(|| {
                let mut members = sets.get(set as usize).cloned().unwrap_or_default();
                if members.contains(&module) {
                    return set;
                }
                members.push(module);
                sets.push(members);
                (sets.len() - 1) as u32
            }),
            None => set,
        };
        of_stack.push(set);
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
    counts
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
