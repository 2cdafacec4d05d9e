//! Names of C++ functions whose DWARF has no linkage name: those of internal linkage, methods of local classes, lambdas.
//!
//! They are written as demanglers write names, with the scopes around them. A function that stands somewhere on its own, too, has the name of its
//! symbol. Lambdas have no number in DWARF, so they are told apart by where they begin: `main::{lambda(int) at m.cpp:30:5}::operator()`. A unit is gone
//! through once and a function is named once, however many addresses it has. Deliberately absent: which functions need such a name (`dwarf`). Start
//! reading at [`Qualified::name`].

use std::fmt::Write as _;
use std::rc::Rc;

use gimli::{
    AttributeValue, DebugInfoOffset, DebugLineOffset, DebuggingInformationEntry, DwLang, DwTag, Dwarf, DwarfFileType, Unit, UnitOffset,
    UnitRef, constants as dw,
};
use rustc_hash::FxHashMap;

use super::dwarf::Slice;
use crate::base::demangle::{readable, readable_scope};
use crate::model::base_name;

/// Most steps from one entry to what it stands for or lies in: a made-up file may lead in circles.
const MOST_STEPS: usize = 64;

/// Longest name of what is around others, in bytes: a made-up file may name one thing many times in each of many others.
const MOST_BYTES: usize = 1 << 14;

/// An entry: the row of its unit, and its place there.
type At = (u32, usize);

type Entry<'s> = DebuggingInformationEntry<Slice<'s>>;

/// The name of the symbol that begins at an address.
pub(super) type SymbolAt<'a> = &'a dyn Fn(u64) -> Option<String>;

/// What was named so far.
#[derive(Default)]
pub(super) struct Qualified<'s> {
    units: Vec<Known<'s>>,
    /// Rows of the units, by where the sections and the unit lie; `None` for those that cannot be read.
    rows: FxHashMap<(usize, usize), Option<u32>>,
    /// Where units begin, by where the sections lie.
    starts: FxHashMap<usize, Vec<usize>>,
    /// Names of inlined functions and of what they are instances of; `None` for those with a linkage name.
    names: FxHashMap<At, Option<Rc<str>>>,
    /// What namespaces, classes and functions are called around others.
    scopes: FxHashMap<At, Option<Rc<str>>>,
}

/// A unit that was gone through.
struct Known<'s> {
    unit: Unit<Slice<'s>>,
    /// True for one of the file that several debug files share.
    is_shared: bool,
    is_cpp: bool,
    /// Where namespaces, types and functions are described, in order, and the row of what is around each.
    scopes: Vec<(usize, Option<u32>)>,
    /// Where the code of functions begins that are inlined elsewhere, by where they are described.
    code: FxHashMap<usize, u64>,
}

/// A function by all its descriptions.
struct Function {
    /// The one that its instances name.
    at: At,
    /// The one that lies in its scope.
    declared: At,
    name: Option<String>,
    linkage: Option<String>,
    is_external: bool,
}

impl<'s> Qualified<'s> {
    /// The name of the function that the entry `die` is an instance of; `None` where its linkage name is there, or nothing more is known than its own name.
    pub(super) fn name(&mut self, unit: UnitRef<'_, Slice<'s>>, die: UnitOffset, symbol: SymbolAt<'_>) -> Option<Rc<str>> {
        let start = unit.header.debug_info_offset()?.0;
        let row = self.row(unit.dwarf, start, false, Some(unit.unit))?;
        if !self.units.get(row as usize)?.is_cpp {
            return None;
        }
        Reader { known: self, dwarf: unit.dwarf, symbol }.name((row, die.0))
    }

    /// The row of the unit at a place of its sections. `whole` is the same unit with what the program says of it where it lies in a file of its own.
    fn row(&mut self, dwarf: &Dwarf<Slice<'s>>, start: usize, is_shared: bool, whole: Option<&Unit<Slice<'s>>>) -> Option<u32> {
        let key = (std::ptr::from_ref(dwarf).addr(), start);
        if let Some(row) = self.rows.get(&key) {
            return *row;
        }
        let unit = dwarf.unit_header(DebugInfoOffset(start)).and_then(|header| dwarf.unit(header)).ok();
        let row = unit.map(|mut unit| {
            if let Some(whole) = whole {
                unit.copy_relocated_attributes(whole);
            }
            if unit.line_program.is_none() && dwarf.file_type == DwarfFileType::Dwo {
                // Units in files of their own do not say where their list of files is: it is the only one there.
                let program = dwarf.debug_line.program(DebugLineOffset(0), unit.header.address_size(), unit.comp_dir, unit.name);
                unit.line_program = program.ok();
            }
            let language = unit.entry(unit.header.root_offset()).ok().and_then(|root| root.attr_value(dw::DW_AT_language));
            let is_cpp = matches!(language, Some(AttributeValue::Language(language)) if is_cpp(language));
            let mut known = Known { unit, is_shared, is_cpp, scopes: Vec::new(), code: FxHashMap::default() };
            // Behind damage nothing has a scope.
            known.go_through(dwarf).ok();
            self.units.push(known);
            self.units.len() as u32 - 1
        });
        self.rows.insert(key, row);
        row
    }

    /// The entry at a place of all units of some sections.
    fn at(&mut self, dwarf: &Dwarf<Slice<'s>>, place: usize, is_shared: bool) -> Option<At> {
        let starts = self.starts.entry(std::ptr::from_ref(dwarf).addr()).or_insert_with(|| {
            let mut units = dwarf.units();
            std::iter::from_fn(|| units.next().ok().flatten()).filter_map(|unit| Some(unit.debug_info_offset()?.0)).collect()
        });
        let start = *starts.get(starts.partition_point(|start| *start <= place).checked_sub(1)?)?;
        let row = self.row(dwarf, start, is_shared, None)?;
        let offset = DebugInfoOffset(place).to_unit_offset(&self.units.get(row as usize)?.unit.header)?;
        Some((row, offset.0))
    }
}

impl<'s> Known<'s> {
    /// Finds what is around what, and code.
    fn go_through(&mut self, dwarf: &Dwarf<Slice<'s>>) -> gimli::Result<()> {
        let unit = self.unit.unit_ref(dwarf);
        let mut entries = unit.entries_raw(None)?;
        // Depths of the scopes around the entry, and their rows.
        let mut around: Vec<(isize, u32)> = Vec::new();
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while around.last().is_some_and(|(outer, _)| *outer >= depth) {
                around.pop();
            }
            let tag = abbreviation.tag();
            if is_scope(tag) {
                let row = self.scopes.len() as u32;
                self.scopes.push((offset.0, around.last().map(|(_, row)| *row)));
                around.push((depth, row));
            }
            if tag != dw::DW_TAG_subprogram {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let (mut of, mut start) = (None, None);
            for spec in abbreviation.attributes() {
                let attribute = entries.read_attribute(*spec)?;
                match (attribute.name(), attribute.value()) {
                    (dw::DW_AT_abstract_origin, AttributeValue::UnitRef(origin)) => of = Some(origin.0),
                    (dw::DW_AT_low_pc, value) => start = unit.attr_address(value).ok().flatten(),
                    // The first is where it is entered.
                    (dw::DW_AT_ranges, value) => {
                        let ranges = unit.attr_ranges(value).ok().flatten();
                        start = ranges.and_then(|mut ranges| ranges.next().ok().flatten()).map(|range| range.begin);
                    }
                    _ => {}
                }
            }
            if let (Some(of), Some(start)) = (of, start) {
                self.code.entry(of).or_insert(start);
            }
        }
        Ok(())
    }

    fn around(&self, offset: usize) -> Option<usize> {
        let row = self.scopes.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        let (_, outer) = self.scopes.get(row)?;
        Some(self.scopes.get((*outer)? as usize)?.0)
    }
}

/// True for C++.
pub(super) fn is_cpp(language: DwLang) -> bool {
    [
        dw::DW_LANG_C_plus_plus,
        dw::DW_LANG_C_plus_plus_03,
        dw::DW_LANG_C_plus_plus_11,
        dw::DW_LANG_C_plus_plus_14,
        dw::DW_LANG_C_plus_plus_17,
        dw::DW_LANG_C_plus_plus_20,
    ]
    .contains(&language)
}

fn is_scope(tag: DwTag) -> bool {
    is_type(tag) || tag == dw::DW_TAG_namespace || tag == dw::DW_TAG_subprogram
}

fn is_type(tag: DwTag) -> bool {
    [dw::DW_TAG_structure_type, dw::DW_TAG_class_type, dw::DW_TAG_union_type, dw::DW_TAG_enumeration_type].contains(&tag)
}

/// What is read while one function is named.
struct Reader<'q, 's> {
    known: &'q mut Qualified<'s>,
    dwarf: &'q Dwarf<Slice<'s>>,
    symbol: SymbolAt<'q>,
}

impl<'s> Reader<'_, 's> {
    fn name(&mut self, instance: At) -> Option<Rc<str>> {
        if let Some(name) = self.known.names.get(&instance) {
            return name.clone();
        }
        let function = self.function(instance);
        let of = function.as_ref().map(|function| function.at).filter(|at| *at != instance);
        let name = match of.and_then(|at| self.known.names.get(&at)) {
            Some(name) => name.clone(),
            None => function.and_then(|function| self.name_of(&function)),
        };
        self.known.names.insert(instance, name.clone());
        if let Some(of) = of {
            self.known.names.insert(of, name.clone());
        }
        name
    }

    fn name_of(&mut self, function: &Function) -> Option<Rc<str>> {
        let name = function.name.as_deref().filter(|_| function.linkage.is_none())?;
        if let Some(symbol) = self.symbol_of(function) {
            return Some(symbol.into());
        }
        let around = self.around(function.declared);
        // Functions of C have no scope but in the source.
        let is_c = function.is_external && around.is_some_and(|at| self.entry(at).is_some_and(|entry| entry.tag() == dw::DW_TAG_namespace));
        let scope = around.filter(|_| !is_c).and_then(|at| self.scope(at, 0));
        Some(scope.map_or_else(|| name.into(), |scope| format!("{scope}::{name}").into()))
    }

    /// The symbol of a function that also has code of its own, as the compiler made it of the name: without what was done to that code.
    fn symbol_of(&self, function: &Function) -> Option<String> {
        let start = self.known.units.get(function.at.0 as usize)?.code.get(&function.at.1)?;
        let mut symbol = (self.symbol)(*start)?;
        symbol.truncate(symbol.find('.').unwrap_or(symbol.len()));
        // Where the linker made several functions one, the symbol may be another's.
        let name = function.name.as_deref()?;
        let name = if name.starts_with("operator") { name } else { name.split('<').next()? };
        readable(&symbol).is_some_and(|text| text.contains(name)).then_some(symbol)
    }

    /// Follows an instance to what it is one of.
    fn function(&mut self, instance: At) -> Option<Function> {
        let (mut function, mut at) =
            (Function { at: instance, declared: instance, name: None, linkage: None, is_external: false }, instance);
        for _ in 0..MOST_STEPS {
            let entry = self.entry(at)?;
            function.declared = at;
            function.linkage = function.linkage.or_else(|| {
                let linkage = entry.attr_value(dw::DW_AT_linkage_name).or_else(|| entry.attr_value(dw::DW_AT_MIPS_linkage_name));
                self.text(at, linkage)
            });
            function.name = function.name.or_else(|| self.text(at, entry.attr_value(dw::DW_AT_name)));
            function.is_external |= is_set(&entry, dw::DW_AT_external);
            let origin = entry.attr_value(dw::DW_AT_abstract_origin).and_then(|value| self.target(at, value));
            if let Some(origin) = origin {
                function.at = origin;
            }
            match origin.or_else(|| self.target(at, entry.attr_value(dw::DW_AT_specification)?)) {
                Some(next) => at = next,
                None => return Some(function),
            }
        }
        None
    }

    /// What a namespace, a type or a function is called around others; `None` where it has no name.
    fn scope(&mut self, at: At, steps: usize) -> Option<Rc<str>> {
        if let Some(known) = self.known.scopes.get(&at) {
            return known.clone();
        }
        if steps > MOST_STEPS {
            return None;
        }
        let entry = self.entry(at)?;
        // What leads back here has no name there.
        self.known.scopes.insert(at, None);
        let text = match entry.tag() {
            dw::DW_TAG_subprogram => self.function_scope(at, steps),
            dw::DW_TAG_namespace => {
                let name = self.text(at, entry.attr_value(dw::DW_AT_name)).unwrap_or_else(|| "(anonymous namespace)".to_owned());
                Some(self.in_scope(at, &name, steps))
            }
            _ => {
                // A class that is defined outside of the one that it belongs to.
                let declared = entry.attr_value(dw::DW_AT_specification).and_then(|value| self.target(at, value)).unwrap_or(at);
                let name = self.text(at, entry.attr_value(dw::DW_AT_name)).filter(|name| !name.starts_with("<lambda"));
                let name = name.or_else(|| self.text(declared, self.entry(declared)?.attr_value(dw::DW_AT_name)));
                let name = name.unwrap_or_else(|| self.unnamed(at, &entry, steps));
                Some(self.in_scope(declared, &name, steps))
            }
        };
        let text: Option<Rc<str>> = text.filter(|text| text.len() <= MOST_BYTES).map(Into::into);
        self.known.scopes.insert(at, text.clone());
        text
    }

    fn in_scope(&mut self, at: At, name: &str, steps: usize) -> String {
        let outer = self.around(at).and_then(|outer| self.scope(outer, steps + 1));
        outer.map_or_else(|| name.to_owned(), |outer| format!("{outer}::{name}"))
    }

    /// With parameters, as what has a linkage name.
    fn function_scope(&mut self, at: At, steps: usize) -> Option<String> {
        let function = self.function(at)?;
        if let Some(linkage) = function.linkage.clone().or_else(|| self.symbol_of(&function)) {
            return readable_scope(&linkage);
        }
        let text = self.in_scope(function.declared, function.name.as_deref()?, steps);
        // `main` and functions of C.
        let parameters = if function.is_external { None } else { self.parameters(function.at, steps) };
        Some(parameters.map_or_else(|| text.clone(), |(list, is_const)| format!("{text}({list}){}", if is_const { " const" } else { "" })))
    }

    /// A type without a name: a lambda where it is one, with its parameters, and where it begins.
    fn unnamed(&mut self, at: At, entry: &Entry<'s>, steps: usize) -> String {
        let call = self.children(at).into_iter().find(|child| {
            let is_call = |name: Option<String>| name.is_some_and(|name| name.starts_with("operator()"));
            child.tag() == dw::DW_TAG_subprogram && is_call(self.text(at, child.attr_value(dw::DW_AT_name)))
        });
        // GCC marks what it made of a lambda, Clang makes classes of them; a class without a name that the source has is neither.
        let call = call.filter(|call| is_set(call, dw::DW_AT_artificial) || entry.tag() == dw::DW_TAG_class_type);
        let mut made = match &call {
            // Parameters of a generic one are those of whoever calls it.
            Some(call) => match self.text(at, call.attr_value(dw::DW_AT_name)).filter(|name| name == "operator()") {
                Some(_) => {
                    let parameters = self.parameters((at.0, call.offset().0), steps);
                    parameters.map_or_else(|| "{lambda".to_owned(), |(list, _)| format!("{{lambda({list})"))
                }
                None => "{lambda".to_owned(),
            },
            None => "{unnamed type".to_owned(),
        };
        let place = self.place(at, entry).or_else(|| self.place(at, call.as_ref()?));
        made.extend(place.map(|place| format!(" at {place}")));
        made.push('}');
        made
    }

    /// The file's name, line and column where something is declared; `?` for a file that is not known.
    fn place(&self, at: At, entry: &Entry<'s>) -> Option<String> {
        let number = |of| entry.attr_value(of).and_then(|value| value.udata_value());
        let line = number(dw::DW_AT_decl_line)?;
        let file = self.file(at, entry);
        let mut place = format!("{}:{line}", file.as_deref().map_or("?", base_name));
        if let Some(column) = number(dw::DW_AT_decl_column).filter(|column| *column > 0) {
            // Writing to a string cannot fail.
            write!(place, ":{column}").unwrap_or_default();
        }
        Some(place)
    }

    fn file(&self, at: At, entry: &Entry<'s>) -> Option<String> {
        let file = match entry.attr_value(dw::DW_AT_decl_file)? {
            AttributeValue::FileIndex(file) => file,
            value => value.udata_value()?,
        };
        let files = self.known.units.get(at.0 as usize)?.unit.line_program.as_ref()?.header();
        self.text(at, Some(files.file(file)?.path_name()))
    }

    /// The types of a function's parameters, and whether it is a method that leaves its object as it is; `None` where one of them cannot be written.
    fn parameters(&mut self, at: At, steps: usize) -> Option<(String, bool)> {
        let (mut list, mut is_const) = (Vec::new(), false);
        for child in self.children(at) {
            if list.iter().map(String::len).sum::<usize>() > MOST_BYTES || list.len() > MOST_STEPS {
                return None;
            }
            let of = match child.tag() {
                dw::DW_TAG_formal_parameter => child.attr_value(dw::DW_AT_type).and_then(|value| self.target(at, value))?,
                dw::DW_TAG_unspecified_parameters => {
                    list.push("...".to_owned());
                    continue;
                }
                _ => continue,
            };
            // Its own constness is no part of the function's type.
            let of = self.behind(of, &[dw::DW_TAG_const_type, dw::DW_TAG_volatile_type])?;
            if !is_set(&child, dw::DW_AT_artificial) {
                list.push(self.type_text(of, steps + 1)?);
            } else if list.is_empty() {
                let object = self.entry(of)?.attr_value(dw::DW_AT_type).and_then(|value| self.target(of, value));
                is_const = object.and_then(|object| self.entry(object)).is_some_and(|entry| entry.tag() == dw::DW_TAG_const_type);
            }
        }
        Some((list.join(", "), is_const))
    }

    /// The type behind others of some kinds.
    fn behind(&mut self, mut at: At, kinds: &[DwTag]) -> Option<At> {
        for _ in 0..MOST_STEPS {
            let entry = self.entry(at)?;
            if !kinds.contains(&entry.tag()) {
                return Some(at);
            }
            at = self.target(at, entry.attr_value(dw::DW_AT_type)?)?;
        }
        None
    }

    /// A type as demanglers write it; `None` for functions, arrays and members.
    fn type_text(&mut self, at: At, steps: usize) -> Option<String> {
        if steps > MOST_STEPS {
            return None;
        }
        let at = self.behind(at, &[dw::DW_TAG_typedef])?;
        let entry = self.entry(at)?;
        let mark = match entry.tag() {
            dw::DW_TAG_base_type => {
                let name = self.text(at, entry.attr_value(dw::DW_AT_name))?;
                return Some(BASE_TYPES.iter().find(|(dwarf, _)| *dwarf == name).map_or(name, |(_, name)| (*name).to_owned()));
            }
            tag if is_type(tag) => return self.scope(at, steps + 1).map(|text| text.to_string()),
            dw::DW_TAG_pointer_type => "*",
            dw::DW_TAG_reference_type => "&",
            dw::DW_TAG_rvalue_reference_type => "&&",
            dw::DW_TAG_const_type => " const",
            dw::DW_TAG_volatile_type => " volatile",
            _ => return None,
        };
        let inner = match entry.attr_value(dw::DW_AT_type) {
            Some(value) => self.target(at, value).and_then(|of| self.type_text(of, steps + 1))?,
            None => "void".to_owned(),
        };
        Some(inner + mark)
    }

    fn entry(&self, at: At) -> Option<Entry<'s>> {
        self.known.units.get(at.0 as usize)?.unit.entry(UnitOffset(at.1)).ok()
    }

    /// The entries directly below one.
    fn children(&self, at: At) -> Vec<Entry<'s>> {
        let Some(known) = self.known.units.get(at.0 as usize) else { return Vec::new() };
        let Ok(mut tree) = known.unit.entries_tree(Some(UnitOffset(at.1))) else { return Vec::new() };
        let Ok(root) = tree.root() else { return Vec::new() };
        let mut children = root.children();
        std::iter::from_fn(|| children.next().ok().flatten().map(|node| node.entry().clone())).collect()
    }

    /// What is around an entry.
    fn around(&self, at: At) -> Option<At> {
        Some((at.0, self.known.units.get(at.0 as usize)?.around(at.1)?))
    }

    /// The sections of a unit.
    fn sections(&self, row: u32) -> Option<&Dwarf<Slice<'s>>> {
        if self.known.units.get(row as usize)?.is_shared { self.dwarf.sup() } else { Some(self.dwarf) }
    }

    fn text(&self, at: At, value: Option<AttributeValue<Slice<'s>>>) -> Option<String> {
        let unit = &self.known.units.get(at.0 as usize)?.unit;
        let text = self.sections(at.0)?.attr_string(unit, value?).ok()?;
        Some(text.to_string_lossy().into_owned())
    }

    /// The entry that another names.
    fn target(&mut self, at: At, value: AttributeValue<Slice<'s>>) -> Option<At> {
        let is_shared = self.known.units.get(at.0 as usize)?.is_shared;
        let dwarf = self.dwarf;
        match value {
            AttributeValue::UnitRef(offset) => Some((at.0, offset.0)),
            AttributeValue::DebugInfoRef(place) if is_shared => self.known.at(dwarf.sup()?, place.0, true),
            AttributeValue::DebugInfoRef(place) => self.known.at(dwarf, place.0, false),
            AttributeValue::DebugInfoRefSup(place) => self.known.at(dwarf.sup()?, place.0, true),
            _ => None,
        }
    }
}

fn is_set(entry: &Entry<'_>, name: gimli::DwAt) -> bool {
    matches!(entry.attr_value(name), Some(AttributeValue::Flag(true)))
}

/// Names that GCC gives types, and those that demanglers do.
const BASE_TYPES: [(&str, &str); 6] = [
    ("short int", "short"),
    ("short unsigned int", "unsigned short"),
    ("long int", "long"),
    ("long unsigned int", "unsigned long"),
    ("long long int", "long long"),
    ("long long unsigned int", "unsigned long long"),
];
