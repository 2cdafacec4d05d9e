//! From the tables of strings, functions, frames and stacks to the model's stacks, in both forms of the format.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::NAME;
use super::document::{Meta, Places};
use super::table::Table;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::json::Json;
use crate::model::{Builder, Frame, FrameId, Function, Mapping, MappingId, StackId, base_name, kind};

/// Rows between two looks at the cancel switch.
pub(super) const ROWS_PER_CHECK: usize = 4096;

/// A library.
#[derive(Default)]
pub(super) struct Lib {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) build_id: Option<String>,
    /// Range of addresses; only in raw files.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) offset: u64,
}

/// The stacks of a thread (or of all threads).
pub(super) struct Frames {
    /// By row of the stack table.
    stacks: Vec<Stack>,
    /// Frames as the innermost of a stack, by row of the frame table; `None` where that makes no difference.
    leaves: Vec<Option<FrameId>>,
}

#[derive(Clone, Copy)]
struct Stack {
    id: StackId,
    parent: Option<StackId>,
    frame: usize,
    category: Option<u32>,
}

impl Frames {
    /// Reads the tables that `places` names.
    pub(super) fn read(
        json: &mut Json<'_>,
        places: &Places,
        strings: &[Cow<'_, str>],
        libs: &[Lib],
        pid: Option<i32>,
        meta: &Meta,
        builder: &mut Builder,
    ) -> Result<Self, ReadError> {
        let mut frames = Self { stacks: Vec::new(), leaves: Vec::new() };
        let (Some(&stack_place), Some(&frame_place)) = (places.get("stackTable"), places.get("frameTable")) else {
            return Ok(frames);
        };
        let mut table =
            |name: &str, wanted: &[&str]| places.get(name).map_or_else(|| Ok(Table::empty()), |&at| Table::read(json, at, wanted));
        let frame_table =
            table("frameTable", &["func", "address", "line", "column", "category", "inlineDepth", "nativeSymbol", "location"])?;
        let tables = Tables {
            functions: table("funcTable", &["name", "resource", "fileName", "source", "lineNumber", "address"])?,
            resources: table("resourceTable", &["lib"])?,
            symbols: table("nativeSymbols", &["libIndex"])?,
            sources: table("sources", &["filename"])?,
            stacks: table("stackTable", &["frame", "prefix", "prefixOffset", "category"])?,
            frames: frame_table,
            strings,
            libs,
            ranges: Ranges::new(libs),
        };
        let mut ids = Vec::with_capacity(tables.frames.rows);
        let mut mappings = vec![None; libs.len()];
        let raw = !tables.frames.column(LOCATION).is_empty() || !meta.processed;
        for row in 0..tables.frames.rows {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                json.ticket().check()?;
            }
            if raw {
                let (outer, leaf) = tables.raw_frame(row, pid, &mut mappings, builder);
                ids.push(outer);
                frames.leaves.push((leaf != outer).then_some(leaf));
            } else {
                let frame = tables
                    .frame(row, &mut mappings, builder)
                    .map_err(|what| ReadError::new(NAME, frame_place as u64, format!("frame {row}"), what))?;
                ids.push(frame);
            }
        }
        frames.add_stacks(&tables, &ids, stack_place, builder, json.ticket())?;
        Ok(frames)
    }

    fn add_stacks(
        &mut self,
        tables: &Tables<'_>,
        ids: &[FrameId],
        place: usize,
        builder: &mut Builder,
        ticket: &Ticket,
    ) -> Result<(), ReadError> {
        let fail = |row: usize, what: String| ReadError::new(NAME, place as u64, format!("stack {row}"), what);
        self.stacks.reserve(tables.stacks.rows);
        for row in 0..tables.stacks.rows {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                ticket.check()?;
            }
            // The newest files say how many rows before this one its caller stands, 0 for none.
            let prefix = match tables.stacks.number(2, row) {
                Some(back) => Some(back as usize).filter(|&back| back > 0).map(|back| row.wrapping_sub(back)),
                None => tables.stacks.index(1, row),
            };
            let parent = match prefix {
                None => None,
                Some(prefix) => Some(
                    self.stacks
                        .get(prefix)
                        .copied()
                        .ok_or_else(|| fail(row, format!("names stack {prefix} as its caller, which does not stand before it")))?,
                ),
            };
            let frame = tables.stacks.index(0, row).unwrap_or(usize::MAX);
            let Some(&id) = ids.get(frame) else {
                return Err(fail(row, format!("names a frame that does not exist; there are {}", ids.len())));
            };
            let own = tables.frames.index(CATEGORY, frame).or_else(|| tables.stacks.index(3, row));
            let category = own.map(|category| category as u32).or_else(|| parent.and_then(|parent| parent.category));
            let parent = parent.map(|parent| parent.id);
            self.stacks.push(Stack { id: builder.stack(parent, id), parent, frame, category });
        }
        Ok(())
    }

    /// The stack of a sample and its category; an error gives the number of stacks.
    pub(super) fn sampled(&self, row: usize, builder: &mut Builder) -> Result<(StackId, Option<u32>), usize> {
        let stack = self.stacks.get(row).ok_or(self.stacks.len())?;
        let leaf = self.leaves.get(stack.frame).copied().flatten();
        Ok((leaf.map_or(stack.id, |leaf| builder.stack(stack.parent, leaf)), stack.category))
    }
}

// Columns of the frame table.
const FUNC: usize = 0;
const ADDRESS: usize = 1;
const LINE: usize = 2;
const COLUMN: usize = 3;
const CATEGORY: usize = 4;
const INLINE_DEPTH: usize = 5;
const NATIVE_SYMBOL: usize = 6;
const LOCATION: usize = 7;

struct Tables<'a> {
    frames: Table,
    functions: Table,
    resources: Table,
    symbols: Table,
    sources: Table,
    stacks: Table,
    strings: &'a [Cow<'a, str>],
    libs: &'a [Lib],
    ranges: Ranges,
}

/// Which library an address belongs to: where ranges overlap, the one that is listed first.
struct Ranges(Vec<(u64, Option<usize>)>);

impl Ranges {
    fn new(libs: &[Lib]) -> Self {
        let mut bounds: Vec<(u64, usize, bool)> = Vec::with_capacity(libs.len() * 2);
        for (row, lib) in libs.iter().enumerate().filter(|(_, lib)| lib.start < lib.end) {
            bounds.extend([(lib.start, row, true), (lib.end, row, false)]);
        }
        bounds.sort_unstable();
        // The libraries around a place, the first one of the list first.
        let mut around = BTreeSet::new();
        let mut from: Vec<(u64, Option<usize>)> = Vec::with_capacity(bounds.len());
        for (address, row, begins) in bounds {
            if begins {
                around.insert(row);
            } else {
                around.remove(&row);
            }
            let first = around.first().copied();
            match from.last_mut().filter(|(last, _)| *last == address) {
                Some(last) => last.1 = first,
                None => from.push((address, first)),
            }
        }
        Self(from)
    }

    fn find(&self, address: u64) -> Option<usize> {
        let after = self.0.partition_point(|(from, _)| *from <= address);
        self.0.get(after.checked_sub(1)?)?.1
    }
}

impl Tables<'_> {
    fn string(&self, row: Option<usize>) -> Option<&str> {
        row.and_then(|row| self.strings.get(row)).map(|text| &**text)
    }

    /// A frame of the processed form.
    fn frame(&self, row: usize, mappings: &mut [Option<MappingId>], builder: &mut Builder) -> Result<FrameId, String> {
        let function = self.frames.index(FUNC, row).filter(|&function| function < self.functions.rows);
        let function = function.ok_or_else(|| format!("names a function that does not exist; there are {}", self.functions.rows))?;
        let name = self.functions.index(0, function);
        let name = self.string(name).ok_or_else(|| "its function has a name that is not in the list of strings".to_owned())?;
        let lib = self
            .functions
            .index(1, function)
            .and_then(|resource| self.resources.index(0, resource))
            .or_else(|| self.frames.index(NATIVE_SYMBOL, row).and_then(|symbol| self.symbols.index(0, symbol)));
        let mapping = lib.and_then(|lib| self.mapping(lib, None, mappings, builder));
        let address = self.frames.number(ADDRESS, row).filter(|&address| address >= 0.0).map(|address| address as u64);
        // Before symbols are known the viewer's name of a function is its address.
        let nameless = mapping.is_some() && hex(name).is_some();
        let function = (!nameless).then(|| {
            let file = self.functions.index(2, function);
            let source = self.functions.index(3, function).and_then(|source| self.sources.index(0, source));
            let file = self.string(file.or(source)).map(|file| builder.string(file));
            let name = builder.string(name);
            builder.function(Function { name, system_name: None, file, start_line: self.functions.line(4, function) })
        });
        if nameless {
            let cause = "addresses without a name in libraries: the profile was saved before its viewer had found the symbols";
            builder.notes.add(kind::NO_SYMBOLS, cause, 1, None);
        }
        let inlined = self.frames.number(INLINE_DEPTH, row).is_some_and(|depth| depth > 0.0);
        let (line, column) = (self.frames.line(LINE, row), self.frames.line(COLUMN, row));
        Ok(builder.frame(Frame {
            function,
            mapping,
            address: address.or_else(|| hex(name).filter(|_| nameless)),
            line,
            column,
            inlined,
            ..Frame::default()
        }))
    }

    /// A frame of the raw form as a caller, and as the innermost frame: its name may be an address, which is a return address in callers.
    fn raw_frame(&self, row: usize, pid: Option<i32>, mappings: &mut [Option<MappingId>], builder: &mut Builder) -> (FrameId, FrameId) {
        let location = self.string(self.frames.index(LOCATION, row)).unwrap_or_default();
        let (line, column) = (self.frames.line(LINE, row), self.frames.line(COLUMN, row));
        if let Some(address) = hex(location) {
            let lib = self.ranges.find(address);
            let mapping = lib.and_then(|lib| self.mapping(lib, pid, mappings, builder));
            let frame = Frame { mapping, address: Some(address), line, column, ..Frame::default() };
            return (builder.frame(Frame { caller: true, ..frame }), builder.frame(frame));
        }
        let (name, file, start_line) = script_location(location).unwrap_or((location, None, 0));
        let (name, file) = (builder.string(name), file.map(|file| builder.string(file)));
        let function = Some(builder.function(Function { name, system_name: None, file, start_line }));
        let frame = builder.frame(Frame { function, line, column, ..Frame::default() });
        (frame, frame)
    }

    fn mapping(&self, lib: usize, pid: Option<i32>, mappings: &mut [Option<MappingId>], builder: &mut Builder) -> Option<MappingId> {
        let (lib, known) = (self.libs.get(lib)?, mappings.get_mut(lib)?);
        Some(*known.get_or_insert_with(|| {
            let raw = lib.end > lib.start && pid.is_some();
            // Whether a file at a path is the one that ran is known by its build id alone: the file does not say on which machine it was recorded.
            let is_path = !lib.path.is_empty() && (raw || lib.build_id.is_some());
            let file = if is_path { &lib.path } else { base_name(if lib.name.is_empty() { &lib.path } else { &lib.name }) };
            let (file, build_id) = (Some(builder.string(file)), lib.build_id.as_ref().map(|id| builder.string(id)));
            let (start, limit, offset) = if raw { (lib.start, lib.end, lib.offset) } else { (0, 0, 0) };
            // Addresses of the processed form count from where a library was loaded.
            builder.mapping(Mapping { file, build_id, start, limit, offset, pid, from_base: lib.end <= lib.start, ..Mapping::default() })
        }))
    }
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Function, file and line of a JavaScript frame: `name (file:line:column)`, where the column may be missing.
fn script_location(location: &str) -> Option<(&str, Option<&str>, u32)> {
    let (name, inner) = location.strip_suffix(')')?.split_once(" (")?;
    let (rest, last) = inner.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let two = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = two.unwrap_or((rest, last));
    Some((name, Some(file).filter(|file| !file.is_empty()), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_the_first_library_around_them() {
        let mut seed = 3_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for count in [0, 1, 2, 9, 40] {
            let libs: Vec<Lib> = (0..count).map(|_| Lib { start: below(90), end: below(100), ..Lib::default() }).collect();
            let ranges = Ranges::new(&libs);
            for address in 0..120 {
                assert_eq!(ranges.find(address), libs.iter().position(|lib| (lib.start..lib.end).contains(&address)), "{address}");
            }
        }
    }

    #[test]
    fn script_locations_come_apart() {
        for (location, expected) in [
            ("f (resource://x.js:12:5)", Some(("f", Some("resource://x.js"), 12))),
            ("f (chrome://y.js:12)", Some(("f", Some("chrome://y.js"), 12))),
            ("Startup::XRE_Main", None),
            ("operator() (unsigned int)", None),
        ] {
            assert_eq!(script_location(location), expected, "{location}");
        }
    }
}
