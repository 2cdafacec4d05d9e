//! Decoded chunks on their way into the profile, in their order: frames get their modules and rows.
//!
//! Deliberately absent: decoding (`samples`). Start reading at [`Merge::absorb`].

use rustc_hash::FxHashMap;

use super::{Around, CUT, Chunk, Decoding, Ends, Local, Module};
use crate::base::demangle::readable;
use crate::base::ticket::Cancelled;
use crate::format::perf_data::container::Capture;
use crate::format::perf_data::maps::Tasks;
use crate::format::perf_data::records::Mode;
use crate::model::{Builder, Frame, Function, MappingId, Maps, StringId};

/// The profile that decoded chunks are joined to, in their order.
pub(super) struct Merge<'a> {
    pub(super) builder: &'a mut Builder,
    modules: FxHashMap<Module, Known>,
    /// The module looked up last: most frames are of the one of the frame before.
    last: Option<(Module, Known)>,
    pub(super) ends: Ends,
    /// Samples of all waves.
    samples: usize,
}

/// A module in the profile, and the name of the function that is all of it.
type Known = (Option<MappingId>, Option<StringId>);

impl<'a> Merge<'a> {
    /// Of `samples` samples, none yet.
    pub(super) fn new(builder: &'a mut Builder, samples: usize) -> Self {
        Self { builder, modules: FxHashMap::default(), last: None, ends: Ends::default(), samples }
    }

    pub(super) fn absorb(&mut self, chunks: Vec<Chunk>, input: &Decoding<'_>) -> Result<(), Cancelled> {
        self.builder.reserve_frames(chunks.iter().map(|chunk| chunk.frames.len()).max().unwrap_or(0));
        for chunk in chunks {
            let is_first = self.builder.rows.is_empty();
            let mut frames = Vec::with_capacity(chunk.frames.len());
            for (n, local) in chunk.frames.iter().enumerate() {
                if n % FRAMES_PER_CHECK == 0 {
                    input.around.cx.ticket.check()?;
                }
                frames.push(self.frame(local, input));
            }
            let Self { builder, ends, .. } = self;
            let frames = builder.frames(&frames);
            input.around.cx.ticket.check()?;
            builder.rows.absorb(&chunk.rows, Maps { frames: Some(&frames), ..Maps::default() });
            if is_first {
                // As many for each of the others, unless they say much the same as the first.
                let (known, samples) = (builder.rows.stack_rows(), builder.rows.len().max(1));
                builder.rows.reserve(0, (known * (self.samples / samples)).min(4 * known));
                builder.expect_frames(4 * chunk.frames.len());
            }
            builder.notes.absorb(&chunk.notes);
            ends.absorb(&chunk.ends);
        }
        Ok(())
    }

    /// A frame as the profile holds it.
    fn frame(&mut self, local: &Local, input: &Decoding<'_>) -> Frame {
        let Decoding { capture, around: Around { tasks, .. } } = input;
        let builder = &mut *self.builder;
        if local.module == Module::Cut {
            let function = Some(builder.function_named(CUT));
            return Frame { function, ..Frame::default() };
        }
        let (mapping, named) = match self.last {
            Some((module, known)) if module == local.module => known,
            _ => *self.modules.entry(local.module).or_insert_with(|| {
                let named = if let Module::Map(map) = local.module { tasks.name_of(map) } else { None };
                (mapping(local.module, tasks, builder), named)
            }),
        };
        self.last = Some((local.module, (mapping, named)));
        let function = named.map(|name| Function { name, system_name: None, file: None, start_line: 0 });
        let function = function.or_else(|| recorded_function(capture, mapping, local.address, builder));
        let function = function.map(|function| builder.function(function));
        // simpleperf moved return addresses to the calls before it wrote them.
        let caller = local.is_caller && !capture.features.is_simpleperf;
        Frame { function, mapping, address: Some(local.address), caller, ..Frame::default() }
    }
}

/// Frames between two looks at the ticket.
const FRAMES_PER_CHECK: usize = 1 << 12;

/// The function that the recorder wrote down for an address.
fn recorded_function(capture: &Capture<'_>, mapping: Option<MappingId>, address: u64, builder: &mut Builder) -> Option<Function> {
    let symbols = &capture.features.symbols;
    if symbols.is_empty() {
        return None;
    }
    let mapping = builder.mapping_at(mapping?).copied()?;
    let raw = symbols.find(builder.strings.get(mapping.file?), &mapping, address)?;
    let (name, system_name) = match readable(raw) {
        Some(name) => (builder.string(&name), Some(builder.string(raw))),
        None => (builder.string(raw), None),
    };
    Some(Function { name, system_name, file: None, start_line: 0 })
}

fn mapping(module: Module, tasks: &Tasks, builder: &mut Builder) -> Option<MappingId> {
    match module {
        Module::Map(map) => tasks.maps.get(map).map(|mapping| builder.mapping(*mapping)),
        Module::Cut => None,
        Module::Machine(mode) => {
            let name = match mode {
                Mode::Kernel => "[kernel.kallsyms]",
                Mode::Hypervisor => "[hypervisor]",
                Mode::GuestKernel => "[guest.kernel.kallsyms]",
                Mode::User | Mode::GuestUser | Mode::Unknown => return None,
            };
            let file = Some(builder.string(name));
            Some(builder.mapping(crate::model::Mapping { file, ..crate::model::Mapping::default() }))
        }
    }
}
