//! Looking up names in any bytes: as a program, a kernel's list of symbols, a perf map, and a dump of a run-time compiler.
#![no_main]

use std::sync::Arc;

use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Mapping, Sample, check};
use emberlens::symbol::{Bytes, Kernel, ModuleSource, symbolize};

/// A machine on which every file is the same.
struct One(Vec<u8>);

impl One {
    fn bytes(&self) -> Bytes {
        Arc::new(self.0.clone())
    }
}

impl ModuleSource for One {
    fn candidates(&self, _: &str, _: Option<&str>) -> Vec<Bytes> {
        vec![self.bytes()]
    }
    fn debug_files(&self, _: &str, _: &str) -> Vec<Bytes> {
        vec![self.bytes()]
    }
    fn perf_map(&self, _: i32, _: bool) -> Option<Bytes> {
        Some(self.bytes())
    }
    fn jit_dumps(&self, _: i32, _: Option<&str>, _: bool) -> Vec<Bytes> {
        vec![self.bytes()]
    }
    fn kernels(&self, _: Option<&str>, _: Option<&str>) -> Vec<Kernel> {
        let bytes = self.bytes();
        vec![Kernel {
            release: None,
            build_id: None,
            is_of_capture: true,
            stamp: None,
            symbols: Arc::new(move || Some(Arc::clone(&bytes))),
        }]
    }
    fn hostname(&self) -> Option<String> {
        None
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut builder = Builder::new([("cycles", "count")]);
    for (file, pid) in [("/bin/x", Some(1)), ("//anon", Some(1)), ("[kernel.kallsyms]", None), ("/lib/modules/x/m.ko", None)] {
        let file = Some(builder.string(file));
        let mapping = Some(builder.mapping(Mapping { file, start: 0x1000, limit: u64::MAX, pid, ..Mapping::default() }));
        for address in [0x1000_u64, 0x1004, 0x1040, 0x1401, 0x2000, 0x40_1000, 0x40_1136, 0xffff_ffff_8100_0010] {
            let frame = builder.frame(Frame { mapping, address: Some(address), ..Frame::default() });
            let stack = Some(builder.stack(None, frame));
            builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
        }
    }
    let named = symbolize(&builder.finish(), &One(bytes.to_vec()), &Ticket::new()).expect("nobody cancels");
    assert_eq!(check(&named), [], "a name broke an invariant");
});
