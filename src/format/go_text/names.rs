//! Names that Go's text puts below a stack as comments: `# 0x4b32f9 io.Copy+0x99 io/io.go:386`, with tabs.
//!
//! pprof's reader passes over them, so without the program it shows addresses only. Go hides its own functions at the innermost end of
//! a stack and `runtime.goexit` at the other: such an address is known to be one of the runtime, and is named by another stack of the
//! file or stands under [`HIDDEN`]. Deliberately absent: names from the program's file. Start reading at [`Names::line`].

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::scan::{Scan, whole_number};
use crate::format::text::lossy;
use crate::model::{Builder, Frame, Function, FunctionId, MappingId};

/// What an address is called of which only that is known that it is a function of Go's runtime.
pub(super) const HIDDEN: &str = "runtime.(hidden)";

/// What one address is called.
#[derive(Clone, Copy)]
struct Name {
    function: FunctionId,
    line: u32,
    /// Where the function begins that holds the address, which for an inlined function is not the function itself.
    entry: Option<u64>,
}

/// Names by address, as the stacks of a file give them.
#[derive(Default)]
pub(super) struct Names {
    by_address: HashMap<u64, Name, FxBuildHasher>,
    /// Function by the address where it begins.
    by_entry: HashMap<u64, FunctionId, FxBuildHasher>,
    /// The line before of the same stack.
    last: Option<Name>,
    /// The addresses of the same stack, innermost first.
    stack: Vec<u64>,
    /// The outermost of them, until a line names it.
    root: Option<u64>,
    /// Addresses above the first line of a stack.
    hidden: Vec<u64>,
    /// How many of them there may be before repeats are dropped.
    tidy_at: usize,
    /// Outermost addresses that were hidden below other lines.
    hidden_roots: Vec<u64>,
    keys_only: bool,
}

impl Names {
    /// The lines that follow belong to another stack.
    pub(super) fn next_stack(&mut self) {
        let root = self.root.take();
        let Some(last) = self.last.take() else { return };
        if let Some(entry) = last.entry {
            // Weaker than a line with another function's line below it: a stack that was cut may end in an inlined function.
            self.by_entry.entry(entry).or_insert(last.function);
        }
        self.hidden_roots.extend(root.filter(|root| self.hidden_roots.last() != Some(root)));
    }

    /// Says which stack the lines that follow belong to.
    pub(super) fn stack(&mut self, addresses: &[u64]) {
        self.stack.clear();
        self.stack.extend_from_slice(addresses);
        self.root = addresses.last().copied();
    }

    /// Names what Go hides: its own functions at the innermost end of a stack, and else nothing but `runtime.goexit`. Gives the number
    /// of addresses of which no more is known than that.
    pub(super) fn name_hidden(&mut self, builder: &mut Builder) -> u64 {
        let goexit = (!self.hidden_roots.is_empty()).then(|| builder.function_named("runtime.goexit"));
        for (root, function) in std::mem::take(&mut self.hidden_roots).into_iter().zip(goexit.into_iter().cycle()) {
            self.add(root, function, 0);
        }
        let mut hidden = std::mem::take(&mut self.hidden);
        hidden.retain(|address| !self.by_address.contains_key(address));
        hidden.sort_unstable();
        hidden.dedup();
        let runtime = (!hidden.is_empty()).then(|| builder.function_named(HIDDEN));
        for (&address, function) in hidden.iter().zip(runtime.into_iter().cycle()) {
            self.add(address, function, 0);
        }
        hidden.len() as u64
    }

    /// Takes a comment; false where it is no name.
    pub(super) fn line(&mut self, line: &[u8], builder: &mut Builder, invalid: &mut u64) -> bool {
        let mut fields = line.split(|&byte| byte == b'\t').filter(|field| !field.is_empty());
        let (Some(b"#"), Some(address)) = (fields.next(), fields.next()) else { return false };
        let mut scan = Scan(address);
        let Some(address) = scan.hex().filter(|_| scan.0.is_empty() && address.starts_with(b"0x")) else { return false };
        self.root = self.root.filter(|root| *root != address);
        // A bare address: the runtime did not know it either.
        let Some(symbol) = fields.next() else { return true };
        let (name, offset) = match memchr::memmem::rfind(symbol, b"+0x") {
            Some(at) => (symbol.get(..at).unwrap_or(symbol), symbol.get(at + 1..).and_then(|offset| Scan(offset).hex())),
            None => (symbol, None),
        };
        let (file, number) = fields.next().map_or((None, 0), |place| {
            let colon = memchr::memrchr(b':', place).unwrap_or(place.len());
            let number = place.get(colon + 1..).and_then(whole_number).and_then(|number| u32::try_from(number).ok());
            (place.get(..colon).filter(|file| !file.is_empty()), number.unwrap_or(0))
        });
        let file = file.map(|file| builder.string(&lossy(file, invalid)));
        let name = builder.string(&lossy(name, invalid));
        let function = builder.function(Function { name, system_name: None, file, start_line: 0 });
        if self.last.is_none()
            && let Some(first) = self.stack.iter().position(|&other| other == address)
        {
            self.hide(first);
        }
        let name = Name { function, line: number, entry: offset.and_then(|offset| address.checked_sub(offset)) };
        self.by_address.entry(address).or_insert(name);
        if let Some(Name { function, entry: Some(entry), .. }) = self.last.replace(name)
            && Some(entry) != name.entry
        {
            self.by_entry.insert(entry, function);
        }
        true
    }

    /// The first addresses of the stack have no lines.
    fn hide(&mut self, count: usize) {
        // Files repeat few of them often.
        if self.hidden.len() > self.tidy_at.max(1 << 16) {
            self.hidden.sort_unstable();
            self.hidden.dedup();
            self.tidy_at = self.hidden.len() * 2;
        }
        self.hidden.extend(self.stack.iter().take(count));
    }

    /// Gives an address a name without more about it.
    pub(super) fn add(&mut self, address: u64, function: FunctionId, line: u32) {
        self.by_address.entry(address).or_insert(Name { function, line, entry: None });
    }

    /// Addresses are only keys: from now on a frame with a name has none.
    pub(super) const fn forget_addresses(&mut self) {
        self.keys_only = true;
    }

    /// The frame of an address.
    pub(super) fn frame(&self, address: u64, mapping: Option<MappingId>) -> Frame {
        let bare = Frame { address: Some(address), mapping, ..Frame::default() };
        let Some(name) = self.by_address.get(&address) else { return bare };
        let holder = name.entry.and_then(|entry| self.by_entry.get(&entry));
        let inlined = holder.is_some_and(|&holder| holder != name.function);
        let address = Some(address).filter(|_| !self.keys_only);
        Frame { function: Some(name.function), line: name.line, inlined, address, ..bare }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> (Names, Builder) {
        let (mut names, mut builder) = (Names::default(), Builder::default());
        for line in lines {
            if line.is_empty() {
                names.next_stack();
            } else {
                assert!(names.line(line.as_bytes(), &mut builder, &mut 0), "{line}");
            }
        }
        names.next_stack();
        (names, builder)
    }

    #[test]
    fn a_function_with_anothers_beginning_is_inlined_into_it() {
        // Read recurses: its second frame has the same beginning too, and is not inlined.
        let (names, builder) = read(&[
            "#\t0x4db339\tpoll.(*pollDesc).waitRead+0x259\tpoll/desc.go:89",
            "#\t0x4db327\tpoll.(*FD).Read+0x247\t\tpoll/fd.go:167",
            "#\t0x4db300\tpoll.(*FD).Read+0x220\t\tpoll/fd.go:150",
            "#\t0x53c5c8\tnet.(*netFD).Read+0x28\t\tnet/fd.go:55",
            "",
            "#\t0x471c60",
        ]);
        let frame = |address| names.frame(address, None);
        assert_eq!([0x4d_b339, 0x4d_b327, 0x4d_b300, 0x53_c5c8].map(|address| frame(address).inlined), [true, false, false, false]);
        assert_eq!([0x4d_b339, 0x4d_b327, 0x53_c5c8].map(|address| frame(address).line), [89, 167, 55]);
        assert_eq!((frame(0x47_1c60).function, frame(0x47_1c60).address), (None, Some(0x47_1c60)));
        assert!(builder.strings.find("poll.(*pollDesc).waitRead").is_some());
    }

    #[test]
    fn what_go_hides_is_named_by_its_rule() {
        let (mut names, mut builder) = (Names::default(), Builder::default());
        names.stack(&[0x30, 0x20, 0x40]);
        names.line(b"#\t0x40\tmain.f+0x1\tm.go:1", &mut builder, &mut 0);
        names.next_stack();
        names.line(b"#\t0x20\truntime.named+0x1\tr.go:1", &mut builder, &mut 0);
        for (root, line) in [(0x50, "#\t0x40\tmain.f+0x1\tm.go:1"), (0x60, "#\t0x60\tmain.g+0x1\tm.go:2"), (0x70, "# nothing")] {
            names.next_stack();
            names.stack(&[root]);
            names.line(line.as_bytes(), &mut builder, &mut 0);
        }
        names.next_stack();
        assert_eq!(names.name_hidden(&mut builder), 1);
        let name = |address| names.frame(address, None).function;
        assert_eq!(name(0x50), Some(builder.function_named("runtime.goexit")));
        assert_eq!(name(0x30), Some(builder.function_named(HIDDEN)));
        assert_eq!(name(0x20), names.frame(0x20, None).function);
        assert_ne!(name(0x20), name(0x30));
        assert!(name(0x60) != name(0x50) && name(0x70).is_none());
    }

    #[test]
    fn other_comments_are_no_names() {
        let mut names = Names::default();
        for line in ["# labels: {}", "# Alloc = 5", "#", "#\t0xzz\tf+0x1\tf.go:1", "#\t12\tf"] {
            assert!(!names.line(line.as_bytes(), &mut Builder::default(), &mut 0), "{line}");
        }
    }
}
