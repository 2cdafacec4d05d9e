//! The tree of V8's profiles: nodes with a function, named by ids, tied to their callers by either side.

use rustc_hash::FxHashMap;

use crate::format::ReadError;
use crate::format::json::{Json, Number};
use crate::model::{Builder, Frame, FrameId, Function, StackId, kind};

/// Nodes between two looks at the cancel switch.
const ROWS_PER_CHECK: usize = 4096;

/// One node.
#[derive(Clone, Copy, Default)]
pub(in crate::format) struct Node {
    /// Its name.
    pub(in crate::format) id: i64,
    /// Row of its caller.
    pub(in crate::format) parent: Option<u32>,
    /// Its function; `None` for `(root)`.
    pub(in crate::format) frame: Option<FrameId>,
    /// True for `(idle)`.
    pub(in crate::format) idle: bool,
    /// Samples that ended here.
    pub(in crate::format) hits: i64,
    /// Bytes that were allocated here.
    pub(in crate::format) size: i64,
    /// First byte of it in the file.
    pub(in crate::format) offset: usize,
}

/// All nodes.
#[derive(Default)]
pub(in crate::format) struct Nodes {
    rows: Vec<Node>,
    by_id: FxHashMap<i64, u32>,
    /// Callees by id that stand in the lists of their callers: (id, row of the caller).
    children: Vec<(i64, u32)>,
    /// Whether this is the older, nested form.
    pub(super) nested: bool,
    /// Whether nodes have sizes: a heap profile.
    pub(super) has_sizes: bool,
    /// Nodes with counts by line.
    pub(super) ticks: u64,
}

impl Nodes {
    /// The row of the node with that id.
    pub(in crate::format) fn row(&self, id: i64) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Whether nothing ran.
    pub(in crate::format) fn is_idle(&self, row: u32) -> bool {
        self.rows.get(row as usize).is_some_and(|node| node.idle)
    }

    /// All nodes in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.rows.iter()
    }

    /// Adds a node and gives its row; an error where the id is there already.
    pub(in crate::format) fn add(&mut self, node: Node, json: &Json<'_>) -> Result<u32, ReadError> {
        let row = self.rows.len() as u32;
        if self.by_id.insert(node.id, row).is_some() {
            return Err(json.error(node.offset, format!("node {}", node.id), "there are two nodes with this id"));
        }
        self.rows.push(node);
        Ok(row)
    }

    /// The flat list `nodes`.
    pub(in crate::format) fn read_list(&mut self, json: &mut Json<'_>, builder: &mut Builder) -> Result<(), ReadError> {
        let mut callees = Vec::new();
        json.list()?;
        while json.item()? {
            json.kind()?;
            let offset = json.offset();
            let mut entry = Entry::default();
            let mut parent = None;
            callees.clear();
            json.object()?;
            while let Some(key) = json.key()? {
                match &*key {
                    "children" => {
                        json.list()?;
                        while json.item()? {
                            callees.push(json.number()?.integer());
                        }
                    }
                    "parent" => parent = json.maybe_number()?.map(Number::integer),
                    key => entry.field(key, json)?,
                }
            }
            // Without a list of callees the file names callers, which stand before.
            let caller = parent.and_then(|id| self.row(id));
            let row = self.add(Node { parent: caller, offset, ..entry.node(builder) }, json)?;
            self.children.extend(callees.iter().map(|&id| (id, row)));
            self.count(&entry);
        }
        Ok(())
    }

    fn count(&mut self, entry: &Entry<'_>) {
        self.ticks += u64::from(entry.ticks);
        self.has_sizes |= entry.size.is_some();
    }

    /// The older form: callees stand inside their callers. Without recursion, since stacks may be as deep as the file is long.
    pub(super) fn read_nested(&mut self, json: &mut Json<'_>, builder: &mut Builder) -> Result<(), ReadError> {
        self.nested = true;
        json.kind()?;
        // Nodes on the way from the root, each with its offset and its row, which it has as soon as it is opened: callees may stand
        // before its name.
        let mut open: Vec<(usize, usize, Entry<'_>)> = vec![(json.offset(), self.push(None), Entry::default())];
        json.object()?;
        while let Some((_, row, entry)) = open.last_mut() {
            let caller = *row as u32;
            let is_open = match json.key()?.as_deref() {
                Some("children") => {
                    json.list()?;
                    json.item()?.then_some(caller)
                }
                Some(key) => {
                    entry.field(key, json)?;
                    None
                }
                None => {
                    let Some((offset, row, entry)) = open.pop() else { break };
                    self.close(row, &entry, json, offset, builder)?;
                    // Back in the list that the caller's `children` opened.
                    let next = !open.is_empty() && json.item()?;
                    open.last().filter(|_| next).map(|(_, row, _)| *row as u32)
                }
            };
            if let Some(caller) = is_open {
                json.kind()?;
                open.push((json.offset(), self.push(Some(caller)), Entry::default()));
                json.object()?;
            }
        }
        Ok(())
    }

    fn push(&mut self, parent: Option<u32>) -> usize {
        self.rows.push(Node { parent, ..Node::default() });
        self.rows.len() - 1
    }

    fn close(&mut self, row: usize, entry: &Entry<'_>, json: &Json<'_>, offset: usize, builder: &mut Builder) -> Result<(), ReadError> {
        self.count(entry);
        let node = entry.node(builder);
        if self.by_id.insert(node.id, row as u32).is_some() {
            return Err(json.error(offset, format!("node {}", node.id), "there are two nodes with this id"));
        }
        if let Some(place) = self.rows.get_mut(row) {
            *place = Node { parent: place.parent, offset, ..node };
        }
        Ok(())
    }

    /// The stack of each node, by row.
    pub(in crate::format) fn stacks(&mut self, json: &Json<'_>, builder: &mut Builder) -> Result<Vec<Option<StackId>>, ReadError> {
        for (number, (id, caller)) in std::mem::take(&mut self.children).into_iter().enumerate() {
            if number.is_multiple_of(ROWS_PER_CHECK) {
                json.ticket().check()?;
            }
            let Some(row) = self.row(id) else {
                let offset = self.rows.get(caller as usize).map(|node| node.offset as u64);
                builder.notes.add(kind::SKIPPED, "callees that do not exist", 1, offset);
                continue;
            };
            let Some(node) = self.rows.get_mut(row as usize) else { continue };
            if node.parent.is_some_and(|known| known != caller) {
                let cause = "nodes with several callers were left below the first";
                builder.notes.add(kind::REPAIRED, cause, 1, Some(node.offset as u64));
            } else {
                node.parent = Some(caller);
            }
        }
        // A node's stack is known once its caller's is; `path` holds those that wait.
        let mut stacks: Vec<Option<Option<StackId>>> = vec![None; self.rows.len()];
        let mut path = Vec::new();
        for row in 0..self.rows.len() {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                json.ticket().check()?;
            }
            let mut at = Some(row);
            while let Some(row) = at.filter(|&row| stacks.get(row).is_some_and(Option::is_none)) {
                if path.len() >= self.rows.len() {
                    let (id, offset) = self.rows.get(row).map_or((0, 0), |node| (node.id, node.offset));
                    return Err(json.error(offset, format!("node {id}"), "it is its own caller"));
                }
                path.push(row);
                at = self.rows.get(row).and_then(|node| node.parent).map(|parent| parent as usize);
            }
            let mut stack = at.and_then(|row| stacks.get(row).copied().flatten()).flatten();
            while let Some(row) = path.pop() {
                if let Some(frame) = self.rows.get(row).and_then(|node| node.frame) {
                    stack = Some(builder.stack(stack, frame));
                }
                stacks.get_mut(row).into_iter().for_each(|place| *place = Some(stack));
            }
        }
        Ok(stacks.into_iter().map(Option::flatten).collect())
    }
}

/// What a node says about itself, in either form.
#[derive(Default)]
struct Entry<'a> {
    id: i64,
    function: CallFrame<'a>,
    hits: i64,
    size: Option<i64>,
    ticks: bool,
}

impl<'a> Entry<'a> {
    fn field(&mut self, key: &str, json: &mut Json<'a>) -> Result<(), ReadError> {
        match key {
            "id" => self.id = json.number()?.integer(),
            "hitCount" => self.hits = json.maybe_number()?.map_or(0, Number::integer),
            "selfSize" => self.size = json.maybe_number()?.map(Number::integer),
            "callFrame" => self.function = CallFrame::read(json)?,
            "positionTicks" => {
                json.skip()?;
                self.ticks = true;
            }
            // The older form has the function's fields in the node, with lines counted from 1.
            key => self.function.field(key, json, 0)?,
        }
        Ok(())
    }

    fn node(&self, builder: &mut Builder) -> Node {
        let (frame, idle) = (self.function.frame(builder), self.function.is_idle());
        Node { id: self.id, parent: None, frame, idle, hits: self.hits, size: self.size.unwrap_or(0), offset: 0 }
    }
}

/// A function as V8 names it.
#[derive(Default)]
pub(in crate::format) struct CallFrame<'a> {
    name: std::borrow::Cow<'a, str>,
    url: Option<std::borrow::Cow<'a, str>>,
    /// Line and column of the function, from 1.
    line: u32,
    column: u32,
}

impl<'a> CallFrame<'a> {
    /// The object `callFrame`, whose lines count from 0.
    pub(in crate::format) fn read(json: &mut Json<'a>) -> Result<Self, ReadError> {
        let mut function = Self::default();
        json.object()?;
        while let Some(key) = json.key()? {
            function.field(&key, json, 1)?;
        }
        Ok(function)
    }

    fn field(&mut self, key: &str, json: &mut Json<'a>, first: i64) -> Result<(), ReadError> {
        let line = |json: &mut Json<'a>| {
            let number = json.maybe_number()?.map_or(-1, Number::integer);
            Ok::<u32, ReadError>(u32::try_from(number.saturating_add(first)).unwrap_or(0))
        };
        match key {
            "functionName" => self.name = json.maybe_text()?.unwrap_or_default(),
            "url" => self.url = json.maybe_text()?.filter(|url| !url.is_empty()),
            "lineNumber" => self.line = line(json)?,
            "columnNumber" => self.column = line(json)?,
            _ => drop(json.skip()?),
        }
        Ok(())
    }

    /// True where nothing ran.
    pub(in crate::format) fn is_idle(&self) -> bool {
        self.name == "(idle)"
    }

    /// The frame; `None` for `(root)`.
    pub(in crate::format) fn frame(&self, builder: &mut Builder) -> Option<FrameId> {
        let name = match &*self.name {
            "(root)" => return None,
            // As DevTools calls it.
            "" => "(anonymous)",
            name => name,
        };
        let (name, file) = (builder.string(name), self.url.as_ref().map(|url| builder.string(url)));
        let function = Some(builder.function(Function { name, system_name: None, file, start_line: self.line }));
        // Where the function begins is all that a node says; the column tells apart what minified code has on one line.
        Some(builder.frame(Frame { function, line: self.line, column: self.column, ..Frame::default() }))
    }
}
