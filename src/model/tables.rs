//! The tables behind stacks: functions, mappings, frames, threads, and the stack forest itself.

use crate::base::index::Column;
use crate::base::intern::StringId;
use crate::base::spread::{Fields, Sparse};
use crate::index;

index!(
    /// A row of [`Profile::functions`](super::Profile::functions).
    FunctionId
);
index!(
    /// A row of [`Profile::mappings`](super::Profile::mappings).
    MappingId
);
index!(
    /// A row of [`Profile::frames`](super::Profile::frames).
    FrameId
);
index!(
    /// A row of [`StackTable`].
    StackId
);
index!(
    /// A row of [`Profile::threads`](super::Profile::threads).
    ThreadId
);

/// Named code: one function of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// The name as people read it (demangled).
    pub name: StringId,
    /// The name in the binary, where it differs.
    pub system_name: Option<StringId>,
    /// Source file.
    pub file: Option<StringId>,
    /// First line of the function in `file`, from 1; 0 = unknown.
    pub start_line: u32,
}

impl Function {
    /// True where only the name is known.
    pub(super) fn is_plain(&self) -> bool {
        self.system_name.is_none() && self.file.is_none() && self.start_line == 0
    }
}

/// Functions, field by field: of most only the name is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionColumns {
    name: Sparse<Option<StringId>>,
    system_name: Sparse<Option<StringId>>,
    file: Sparse<Option<StringId>>,
    start_line: Sparse<u32>,
}

impl Fields for Function {
    type Columns = FunctionColumns;

    #[inline]
    fn put(self, columns: &mut FunctionColumns, row: usize) {
        columns.name.put(row, Some(self.name));
        columns.system_name.put(row, self.system_name);
        columns.file.put(row, self.file);
        columns.start_line.put(row, self.start_line);
    }

    #[inline]
    fn get(columns: &FunctionColumns, row: usize) -> Self {
        Self {
            name: columns.name.get(row).unwrap_or(StringId::FIRST),
            system_name: columns.system_name.get(row),
            file: columns.file.get(row),
            start_line: columns.start_line.get(row),
        }
    }

    #[inline]
    fn stands_at(&self, columns: &FunctionColumns, row: usize) -> bool {
        Self::get(columns, row) == *self
    }

    fn reserve(columns: &mut FunctionColumns, additional: usize) {
        columns.name.reserve(additional);
    }
}

/// A loaded module, by the addresses it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Mapping {
    /// Path of the file, or the kernel's name for it (`[kernel.kallsyms]`, `[vdso]`, `//anon`).
    pub file: Option<StringId>,
    /// Build id in lower-case hex.
    pub build_id: Option<StringId>,
    /// First address.
    pub start: u64,
    /// Address after the last; equal to `start` where unknown.
    pub limit: u64,
    /// Offset in the file of the byte at `start`.
    pub offset: u64,
    /// Process whose address space this is; `None` where the capture has one process, or for the kernel.
    pub pid: Option<i32>,
    /// Which file of the recording machine it is.
    pub file_id: Option<FileId>,
    /// True where addresses count from where the module was loaded, and say nothing of memory.
    pub from_base: bool,
}

/// What the addresses of a module's frames count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Numbering {
    /// Bytes of memory: the mapping says which byte of the file lies where.
    Memory,
    /// The program's own addresses, as its headers and its debug information have them.
    Own,
    /// Bytes from where the module was loaded.
    FromBase,
}

/// A file by its number on a device: another file at the same path has another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FileId {
    /// Major and minor number of the device.
    pub device: (u32, u32),
    /// Number of the file on it.
    pub inode: u64,
}

impl Mapping {
    /// What its addresses count. A mapping without a range, or of all memory, is none: what wrote it had worked out the program's own addresses (`GetBase`
    /// of pprof's `internal/elfexec`).
    pub const fn numbering(&self) -> Numbering {
        if self.from_base {
            Numbering::FromBase
        } else if self.start == 0 && self.offset == 0 && (self.limit == 0 || self.limit == u64::MAX) {
            Numbering::Own
        } else {
            Numbering::Memory
        }
    }

    /// Offset in the module's file of the byte at `address`; the address itself where the mapping has no range.
    pub const fn file_address(&self, address: u64) -> u64 {
        if self.limit > self.start { address.wrapping_sub(self.start).wrapping_add(self.offset) } else { address }
    }
}

/// One level of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Frame {
    /// The function; `None` before symbols are known.
    pub function: Option<FunctionId>,
    /// The module.
    pub mapping: Option<MappingId>,
    /// Address of the instruction as the capture holds it; see `caller` for where to look it up.
    pub address: Option<u64>,
    /// Source line, from 1; 0 = unknown.
    pub line: u32,
    /// Source column, from 1; 0 = unknown.
    pub column: u32,
    /// True where the compiler put this function into its caller, which is the next frame towards the root.
    pub inlined: bool,
    /// True where `address` is a return address: the call stands before it, so symbols are looked up at address − 1. Readers of
    /// formats whose writers adjusted the address already (pprof) leave it false.
    pub caller: bool,
    /// True where the linker put several functions with the same code into one (identical code folding): the function is one of them,
    /// and not always the one that was called.
    pub folded: bool,
}

/// Frames, field by field: few formats know more than half of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameColumns {
    function: Sparse<Option<FunctionId>>,
    mapping: Sparse<Option<MappingId>>,
    address: Sparse<u64>,
    line: Sparse<u32>,
    column: Sparse<u32>,
    marks: Sparse<u8>,
}

/// Bits of `marks`.
const HAS_ADDRESS: u8 = 1;
const INLINED: u8 = 2;
const CALLER: u8 = 4;
const FOLDED: u8 = 8;

impl Frame {
    #[inline]
    fn marks(&self) -> u8 {
        let mark = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
        mark(HAS_ADDRESS, self.address.is_some()) | mark(INLINED, self.inlined) | mark(CALLER, self.caller) | mark(FOLDED, self.folded)
    }
}

impl Fields for Frame {
    type Columns = FrameColumns;

    #[inline]
    fn put(self, columns: &mut FrameColumns, row: usize) {
        columns.function.put(row, self.function);
        columns.mapping.put(row, self.mapping);
        columns.address.put(row, self.address.unwrap_or(0));
        columns.line.put(row, self.line);
        columns.column.put(row, self.column);
        columns.marks.put(row, self.marks());
    }

    #[inline]
    fn get(columns: &FrameColumns, row: usize) -> Self {
        let marks = columns.marks.get(row);
        Self {
            function: columns.function.get(row),
            mapping: columns.mapping.get(row),
            address: (marks & HAS_ADDRESS > 0).then(|| columns.address.get(row)),
            line: columns.line.get(row),
            column: columns.column.get(row),
            inlined: marks & INLINED > 0,
            caller: marks & CALLER > 0,
            folded: marks & FOLDED > 0,
        }
    }

    #[inline]
    fn stands_at(&self, columns: &FrameColumns, row: usize) -> bool {
        (self.function == columns.function.get(row))
            & (self.mapping == columns.mapping.get(row))
            & (self.address.unwrap_or(0) == columns.address.get(row))
            & (self.line == columns.line.get(row))
            & (self.column == columns.column.get(row))
            & (self.marks() == columns.marks.get(row))
    }

    fn reserve(columns: &mut FrameColumns, additional: usize) {
        columns.function.reserve(additional);
        columns.mapping.reserve(additional);
        columns.address.reserve(additional);
        columns.marks.reserve(additional);
    }
}

/// A process or thread under the name it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Process id, where known.
    pub pid: Option<i32>,
    /// Thread id, where known.
    pub tid: Option<i32>,
    /// Name (comm).
    pub name: StringId,
}

/// Distinct stacks: each row is a frame and the row of its callers. 8 bytes a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackTable {
    parent: Column<StackId, Option<StackId>>,
    frame: Column<StackId, FrameId>,
}

impl StackTable {
    /// From parents and frames, one of each per row.
    pub(crate) fn from_columns((parent, frame): (Column<StackId, Option<StackId>>, Column<StackId, FrameId>)) -> Self {
        Self { parent, frame }
    }

    /// Callers of the frame at `stack`; `None` at the root.
    pub fn parent(&self, stack: StackId) -> Option<StackId> {
        self.parent[stack]
    }

    /// The innermost frame of `stack`.
    pub fn frame(&self, stack: StackId) -> FrameId {
        self.frame[stack]
    }

    /// Number of rows (distinct prefixes of stacks, not only whole stacks).
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// True without stacks.
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// Parents, one per row.
    pub fn parents(&self) -> &[Option<StackId>] {
        self.parent.as_slice()
    }

    /// Frames, one per row.
    pub fn frames(&self) -> &[FrameId] {
        self.frame.as_slice()
    }

    /// All ids, callers before callees.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = StackId> + ExactSizeIterator + use<> {
        self.frame.ids()
    }
}
