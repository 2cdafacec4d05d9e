//! What one box stands for: a function by default, or a line, file, package, module or address.
//!
//! Places are shared by all captures of a comparison and are numbered in NAME order: siblings sorted by place keep their order in
//! before, after and diff. Deliberately absent: which names are one function in two builds (see `matching`).

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;
use rayon::slice::ParallelSliceMut as _;
use rustc_hash::FxBuildHasher;

use super::matching::without_clone;
use crate::base::index::Column;
use crate::base::ticket::{Checked as _, Here, Watch};
use crate::index;
use crate::model::{Frame, MappingId, Profile, base_name};

index!(
    /// A row of [`Places`]; row 0 is [`Places::root`].
    PlaceId
);

/// How finely frames are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granularity {
    /// By function name (pprof `-functions`): lines, addresses, inlining and file paths do not matter.
    #[default]
    Function,
    /// By function name, file and line.
    Line,
    /// By source file.
    File,
    /// By package, namespace or crate; the module where there is none.
    Package,
    /// By binary or library.
    Module,
    /// By address in its module.
    Address,
}

impl Granularity {
    /// All, in the order of menus.
    pub const ALL: [Self; 6] = [Self::Function, Self::Line, Self::File, Self::Package, Self::Module, Self::Address];

    /// Stable lower-case name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Line => "line",
            Self::File => "file",
            Self::Package => "package",
            Self::Module => "module",
            Self::Address => "address",
        }
    }

    /// True where a place stands in few files: its lines can be shown.
    pub const fn has_lines(self) -> bool {
        !matches!(self, Self::Package | Self::Module)
    }

    /// The granularity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|granularity| granularity.name() == name)
    }
}

/// What a box says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name as shown and matched.
    pub name: String,
    /// Source file of the first frame seen; empty if unknown.
    pub file: Arc<str>,
    /// Line in `file`: the function's first line, or the frame's at line granularity; 0 = unknown.
    pub line: u32,
    /// Package, namespace or crate; see [`package_of`].
    pub package: Arc<str>,
    /// Path of the binary or library of the first frame seen.
    pub module: Arc<str>,
    /// True where frames of it are in several binaries of one capture (`mmap` of libc and of ld.so), so that no single one is its module.
    pub several_modules: bool,
    /// True where at least one frame of it was put into its caller by the compiler.
    pub inlined: bool,
    /// True where at least one frame of it may be another function with the same code, see [`Frame::folded`].
    pub folded: bool,
}

impl Place {
    /// The module where there is only one; empty otherwise.
    pub fn only_module(&self) -> &str {
        if self.several_modules { "" } else { &self.module }
    }

    fn add_marks(&mut self, frame: &Frame) {
        self.inlined |= frame.inlined;
        self.folded |= frame.folded;
    }
}

/// Distinct places of one or more captures, in name order.
#[derive(Clone, Debug, Default)]
pub struct Places {
    rows: Column<PlaceId, Place>,
    /// Other spellings of rows that several names were put together in.
    spellings: BTreeMap<String, PlaceId>,
}

/// The place of each frame of one capture, by frame row.
pub type FramePlaces = Vec<PlaceId>;

impl Places {
    /// The place of the whole: every tree's root.
    pub const fn root() -> PlaceId {
        PlaceId::FIRST
    }

    /// Builds the places of several captures at one granularity, and the place of each capture's frames.
    pub fn build(profiles: &[&Profile], granularity: Granularity) -> (Self, Vec<FramePlaces>) {
        let mut rows = vec![Place { name: "all".to_owned(), ..Place::default() }];
        // Rows by name and line, with their hashes: the names stand in the rows.
        let mut known: HashTable<(u64, usize)> = HashTable::new();
        let mut lines = vec![0_u32];
        let mut texts = Texts::default();
        let mut modules: Vec<Option<(usize, MappingId)>> = vec![None];
        let drafts: Vec<Vec<usize>> = profiles
            .iter()
            .enumerate()
            .map(|(capture, profile)| {
                let mut add = |row: usize, place: &mut Place, frame: &Frame| {
                    place.add_marks(frame);
                    modules.resize(modules.len().max(row + 1), None);
                    let (Some(mapping), Some(seen)) = (frame.mapping, modules.get_mut(row)) else { return };
                    let file = |mapping: MappingId| profile.mappings.get(mapping).and_then(|mapping| mapping.file);
                    match *seen {
                        Some((of, known)) if of == capture => place.several_modules |= known != mapping && file(known) != file(mapping),
                        // Builds that are compared may lie in different places.
                        _ => *seen = Some((capture, mapping)),
                    }
                };
                let mut of_function: Vec<Option<usize>> = vec![None; profile.functions.len()];
                profile
                    .frames
                    .ids()
                    .checked()
                    .map(|id| {
                        let frame = profile.frames.at(id);
                        // Most frames share a function: name work is done once for each.
                        let short = (granularity == Granularity::Function).then_some(frame.function).flatten();
                        if let Some(row) = short.and_then(|function| of_function[function.row()]) {
                            if let Some(place) = rows.get_mut(row) {
                                add(row, place, &frame);
                            }
                            return row;
                        }
                        let (name, line) = key_of(profile, id, &frame, granularity);
                        let hash = FxBuildHasher.hash_one((&name, line));
                        let same = |&(_, row): &(u64, usize)| lines[row] == line && rows[row].name == name;
                        let row = if let Some(&(_, row)) = known.find(hash, same) {
                            row
                        } else {
                            known.insert_unique(hash, (hash, rows.len()), |&(hash, _)| hash);
                            lines.push(line);
                            rows.push(draft(profile, &frame, granularity, (name, line), &mut texts));
                            rows.len() - 1
                        };
                        if let Some(place) = rows.get_mut(row) {
                            add(row, place, &frame);
                        }
                        if let Some(function) = short {
                            of_function[function.row()] = Some(row);
                        }
                        row
                    })
                    .collect()
            })
            .collect();
        let mut order: Vec<usize> = (1..rows.len()).collect();
        let here = Here::new();
        order.par_sort_by(|&a, &b| {
            // Not a check of its own: those of two threads would wait for each other.
            if here.is_cancelled() {
                here.checkpoint();
            }
            (&rows[a].name, &rows[a].file, rows[a].line).cmp(&(&rows[b].name, &rows[b].file, rows[b].line))
        });
        order.insert(0, 0);
        let mut new_row = vec![0; rows.len()];
        for (new, &old) in order.iter().enumerate() {
            new_row[old] = new;
        }
        let id = |row: usize| PlaceId::from_row(row).unwrap_or_else(Self::root);
        let frames = drafts.into_iter().map(|draft| draft.into_iter().checked().map(|row| id(new_row[row])).collect()).collect();
        let mut sorted = Vec::with_capacity(rows.len());
        for old in order.into_iter().checked() {
            sorted.push(std::mem::take(&mut rows[old]));
        }
        (Self { rows: Column::from_vec(sorted), spellings: BTreeMap::new() }, frames)
    }

    /// What a place says of itself in one capture alone, beside its name; `None` where it has no frame there. Goes through all frames.
    pub fn in_capture(&self, id: PlaceId, profile: &Profile, of_frames: &FramePlaces, granularity: Granularity) -> Option<Place> {
        let mut frames = profile.frames.iter().zip(of_frames).filter(|(_, of)| **of == id).map(|(frame, _)| frame);
        let first = frames.next()?;
        let name = self.get(id).name.clone();
        let line = if granularity == Granularity::Function { 0 } else { self.get(id).line };
        let mut place = draft(profile, &first, granularity, (name, line), &mut Texts::default());
        place.add_marks(&first);
        for frame in frames {
            place.add_marks(&frame);
            let module = frame.mapping.map_or("", |mapping| profile.mapping_file(mapping));
            place.several_modules |= !module.is_empty() && !place.module.is_empty() && *module != *place.module;
        }
        Some(place)
    }

    /// Makes two of each of `rows`, one behind the other: the first for the captures that are not after, the second for those that are.
    pub(super) fn split(self, rows: &[usize], frames: &mut [FramePlaces], is_after: &[bool]) -> Self {
        let mut made = Vec::with_capacity(self.rows.len() + rows.len());
        let mut new_row = Vec::with_capacity(self.rows.len());
        let twice: HashSet<usize, FxBuildHasher> = rows.iter().copied().collect();
        for (row, place) in self.rows.as_slice().iter().enumerate().checked() {
            new_row.push(made.len());
            made.push(place.clone());
            if twice.contains(&row) {
                made.push(place.clone());
            }
        }
        for (frames, is_after) in frames.iter_mut().zip(is_after) {
            for place in frames.iter_mut().checked() {
                let row = new_row[place.row()] + usize::from(*is_after && twice.contains(&place.row()));
                *place = PlaceId::from_row(row).unwrap_or_else(Self::root);
            }
        }
        Self { rows: Column::from_vec(made), spellings: self.spellings }
    }

    /// Puts groups of rows together, each under a name; gives the new places and the row of each group, and changes `frames` with them. No
    /// row stands in two groups, and what a group's place says beside the name is what its last row says.
    pub(super) fn joined(self, groups: Vec<(String, Vec<usize>)>, frames: &mut [FramePlaces]) -> (Self, Vec<PlaceId>) {
        if groups.is_empty() {
            return (self, Vec::new());
        }
        let mut rows = self.rows.as_slice().to_vec();
        let mut group_of: Vec<Option<usize>> = vec![None; rows.len()];
        for (at, (_, members)) in groups.iter().enumerate() {
            for &row in members {
                group_of[row] = Some(at);
            }
        }
        let mut made: Vec<(Place, Vec<usize>)> = Vec::with_capacity(rows.len());
        for (row, place) in rows.iter_mut().enumerate().checked() {
            if group_of[row].is_none() {
                made.push((std::mem::take(place), vec![row]));
            }
        }
        let mut spellings: Vec<(String, usize)> = Vec::new();
        for (name, members) in groups.into_iter().checked() {
            let mut place = members.last().map(|&row| rows[row].clone()).unwrap_or_default();
            place.inlined = members.iter().any(|&row| rows[row].inlined);
            place.folded = members.iter().any(|&row| rows[row].folded);
            place.several_modules = members.iter().any(|&row| rows[row].several_modules);
            place.name = name;
            let others = members.iter().map(|&row| (rows[row].name.clone(), row));
            spellings.extend(others.filter(|(other, _)| *other != place.name));
            made.push((place, members));
        }
        // The root keeps row 0.
        let (_, rest) = made.split_at_mut(1);
        let watch = Watch::new();
        rest.sort_by(|(a, _), (b, _)| {
            watch.step();
            (&a.name, &a.file, a.line).cmp(&(&b.name, &b.file, b.line))
        });
        let id = |row: usize| PlaceId::from_row(row).unwrap_or_else(Self::root);
        let mut new_row = vec![Self::root(); group_of.len()];
        let mut of_group = vec![Self::root(); group_of.iter().flatten().max().map_or(0, |last| last + 1)];
        let mut sorted = Vec::with_capacity(made.len());
        for (at, (place, members)) in made.into_iter().enumerate().checked() {
            for row in members {
                new_row[row] = id(at);
                if let Some(group) = group_of[row] {
                    of_group[group] = id(at);
                }
            }
            sorted.push(place);
        }
        for place in frames.iter_mut().flatten().checked() {
            *place = new_row[place.row()];
        }
        let spellings = spellings.into_iter().map(|(name, row)| (name, new_row[row])).collect();
        (Self { rows: Column::from_vec(sorted), spellings }, of_group)
    }

    /// Other spellings of places, each with its place; see [`matching`](super::matching).
    pub fn spellings(&self) -> impl Iterator<Item = (&str, PlaceId)> {
        self.spellings.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// The place of a row.
    pub fn get(&self, id: PlaceId) -> &Place {
        &self.rows[id]
    }

    /// The name of a place.
    pub fn name(&self, id: PlaceId) -> &str {
        &self.rows[id].name
    }

    /// The first place of that name or other spelling (names are in order, so this is a binary search).
    pub fn find(&self, name: &str) -> Option<PlaceId> {
        let rest = self.rows.as_slice().get(1..)?;
        let row = 1 + rest.partition_point(|place| place.name.as_str() < name);
        let id = PlaceId::from_row(row)?;
        self.rows.get(id).filter(|place| place.name == name).map(|_| id).or_else(|| self.spellings.get(name).copied())
    }

    /// Number of places, the root included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without places.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Ids in name order, the root first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = PlaceId> + ExactSizeIterator + use<> {
        self.rows.ids()
    }

    /// Ids with their places.
    pub fn iter_ids(&self) -> impl Iterator<Item = (PlaceId, &Place)> {
        self.rows.iter_ids()
    }
}

fn key_of(profile: &Profile, id: crate::model::FrameId, frame: &Frame, granularity: Granularity) -> (String, u32) {
    let function = frame.function.map(|function| profile.functions.at(function));
    let file = || function.and_then(|function| function.file).map_or("", |file| &profile.strings[file]);
    let module = || frame.mapping.map_or("", |mapping| profile.mapping_file(mapping));
    match granularity {
        Granularity::Function => (profile.frame_name(id), 0),
        Granularity::Line => {
            let name = profile.frame_name(id);
            let (file, line) = (file(), frame.line);
            if file.is_empty() && line > 0 {
                (format!("{name} :{line}"), line)
            } else if file.is_empty() {
                (name, line)
            } else {
                (format!("{name} {file}:{line}"), line)
            }
        }
        Granularity::File => (or_unknown(file(), module()), 0),
        Granularity::Package => {
            let name = profile.frame_name(id);
            let package = if function.is_some() { package_of(&name, file()) } else { "" };
            (or_unknown(package, base_name(module())), 0)
        }
        Granularity::Module => (or_unknown(module(), ""), 0),
        Granularity::Address => match frame.address {
            Some(address) => {
                let mapping = frame.mapping.map(|mapping| profile.mappings[mapping]);
                let relative = mapping.map_or(address, |mapping| mapping.file_address(address));
                let name = profile.frame_name(id);
                let place = match base_name(module()) {
                    "" => format!("{relative:#x}"),
                    module => format!("{module}+{relative:#x}"),
                };
                // Without a name the address is it.
                (if name == place { name } else { format!("{place} {name}") }, 0)
            }
            None => (profile.frame_name(id), 0),
        },
    }
}

/// Texts that many places have in common, each kept once.
#[derive(Default)]
struct Texts(HashSet<Arc<str>, FxBuildHasher>);

impl Texts {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let made: Arc<str> = text.into();
        self.0.insert(Arc::clone(&made));
        made
    }
}

fn or_unknown(first: &str, second: &str) -> String {
    [first, second].into_iter().find(|text| !text.is_empty()).unwrap_or("(unknown)").to_owned()
}

fn draft(profile: &Profile, frame: &Frame, granularity: Granularity, (name, line): (String, u32), texts: &mut Texts) -> Place {
    let function = frame.function.map(|function| profile.functions.at(function));
    let file = function.and_then(|function| function.file).map_or("", |file| &profile.strings[file]);
    let module = frame.mapping.map_or("", |mapping| profile.mapping_file(mapping));
    let symbol = frame.function.map_or("", |function| profile.function_name(function));
    let line = match granularity {
        Granularity::Function => function.map_or(0, |function| function.start_line),
        Granularity::Line | Granularity::Address => line.max(frame.line),
        _ => 0,
    };
    let package = match granularity {
        Granularity::Package => &name,
        _ => package_of(symbol, file),
    };
    let [file, package, module] = [file, package, module].map(|text| texts.get(text));
    Place { name, file, line, package, module, ..Place::default() }
}

/// The package, namespace or crate that a symbol belongs to, as written in the symbol; empty if it says nothing.
///
/// Go: everything up to the first dot after the last slash (`net/http.(*conn).serve` → `net/http`). C++ and Rust: the first path
/// element before `::`. Java: the dotted part before the class is not told apart from Go; it has no slash and several dots, and gives
/// the first element.
pub fn package_of<'a>(symbol: &'a str, file: &str) -> &'a str {
    // Type arguments and parameters hold slashes, dots and colons of other packages.
    let end = symbol.find(['(', '[', '<']).map_or(symbol.len(), |end| if end == 0 { symbol.len() } else { end });
    let head = &symbol[..end];
    if let Some(hidden) = super::names::hidden_class(symbol) {
        // A lambda belongs where its class does; a class without a package is one.
        let class = symbol.get(..hidden.start).unwrap_or(symbol);
        let end = class.find('.').or_else(|| class.find("$$")).unwrap_or(class.len());
        return class.get(..end).unwrap_or(class);
    }
    // `<T as Trait>::f` and `(anonymous namespace)::f`: what stands inside names the crate.
    if let Some(inner) = symbol.strip_prefix('<') {
        // `<usize as core::ops::Add>::add`: a type without a path is of no crate.
        let (kind, of_trait) = inner.split_once(" as ").unwrap_or((inner, ""));
        let found = first_path_element(kind.trim_start_matches(['&', '*', '<', '(', '[']));
        return if found.is_empty() { first_path_element(of_trait) } else { found };
    }
    if head.contains("::") {
        return first_path_element(head);
    }
    let is_go = std::path::Path::new(file).extension().is_some_and(|ending| ending == "go" || ending == "s");
    let slash = head.rfind('/').map_or(0, |at| at + 1);
    // Neither a clone's suffix nor the version of a symbol (`cfree@GLIBC_2.2.5`) names a package.
    let head = if is_go { head } else { without_clone(without_version(head)) };
    if slash > 0 || is_go || head.contains('.') {
        return head[slash..].find('.').map_or("", |dot| &head[..slash + dot]);
    }
    ""
}

/// A symbol without the version that linkers write behind it: `memcpy@@GLIBC_2.14` → `memcpy`.
pub(super) fn without_version(symbol: &str) -> &str {
    symbol.split_once('@').map_or(symbol, |(plain, _)| plain)
}

fn first_path_element(path: &str) -> &str {
    let path = path.trim_start_matches("dyn ").trim_start_matches("impl ").trim_start_matches("mut ");
    path.find("::").map_or("", |end| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_common_languages() {
        for (symbol, file, package) in [
            ("net/http.(*conn).serve", "server.go", "net/http"),
            ("github.com/org/repo/v2/pkg.Map[go.shape.int,github.com/x/y.T]", "a.go", "github.com/org/repo/v2/pkg"),
            ("runtime.mallocgc", "malloc.go", "runtime"),
            ("main.main.func1", "main.go", "main"),
            ("gopkg.in/yaml%2ev3.(*decoder).unmarshal", "decode.go", "gopkg.in/yaml%2ev3"),
            ("std::vector<int>::push_back", "", "std"),
            ("<alloc::vec::Vec<T> as core::ops::Drop>::drop", "", "alloc"),
            ("hashbrown::map::HashMap<K,V>::insert", "", "hashbrown"),
            ("memcpy", "memcpy.c", ""),
            ("unlink_chunk.constprop.0", "", ""),
            ("cfree@GLIBC_2.2.5", "", ""),
            ("sort.part.0", "sort.c", ""),
            ("<usize as core::iter::range::Step>::forward_unchecked", "", "core"),
            ("<T as alloc::string::ToString>::to_string", "", "alloc"),
            ("shop.Report$$Lambda$14+0x00007fdf20007a08/2024918163.run", "Report.java", "shop"),
            ("Report$$Lambda/0x000001e2f4001000.run", "", "Report"),
            ("Report.run", "Report.java", "Report"),
            ("entry_SYSCALL_64_after_hwframe", "", ""),
        ] {
            assert_eq!(package_of(symbol, file), package, "{symbol}");
        }
    }

    #[test]
    fn a_place_has_a_module_where_there_is_only_one_in_a_capture() {
        let capture = |modules: &[(&str, &str, u64)]| {
            let mut builder = crate::model::Builder::new([("Ir", "count")]);
            for (name, module, start) in modules {
                let file = Some(builder.string(module));
                let mapping = Some(builder.mapping(crate::model::Mapping { file, start: *start, limit: start + 9, ..Default::default() }));
                let function = Some(builder.function_named(name));
                builder.frame(Frame { function, mapping, ..Frame::default() });
            }
            builder.finish()
        };
        let before =
            capture(&[("mmap", "/lib/libc.so", 0), ("mmap", "/lib/ld.so", 10), ("main", "/old/app", 20), ("main", "/old/app", 30)]);
        let after = capture(&[("main", "/new/app", 0)]);
        let (places, frames) = Places::build(&[&before, &after], Granularity::Function);
        let of = |name: &str| places.get(places.find(name).unwrap());
        assert_eq!((of("mmap").several_modules, of("mmap").only_module()), (true, ""));
        assert_eq!((of("main").several_modules, of("main").only_module()), (false, "/old/app"));
        let main = places.find("main").unwrap();
        let modules = [&before, &after].into_iter().zip(&frames).map(|(profile, frames)| {
            let alone = places.in_capture(main, profile, frames, Granularity::Function).unwrap();
            (alone.module.to_string(), alone.several_modules)
        });
        assert_eq!(modules.collect::<Vec<_>>(), [("/old/app".to_owned(), false), ("/new/app".to_owned(), false)], "each side has its own");
        let mmap = places.find("mmap").unwrap();
        assert!(places.in_capture(mmap, &before, &frames[0], Granularity::Function).is_some_and(|place| place.several_modules));
        assert!(places.in_capture(mmap, &after, &frames[1], Granularity::Function).is_none());
    }
}
