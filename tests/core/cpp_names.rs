//! Names of C++ functions that were inlined, against what binutils says of the same program. Skipped with a message where there is no `g++`.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Mapping, Sample};
use emberlens::symbol::symbolize;

use crate::debug_files::tool;
use crate::go_symbols::code;

/// Lambdas of equal types in one function, in a method, and one in another; functions of internal linkage; one that also has code of its own.
const PROGRAM: &str = "#include <utility>
#include <vector>
#define INLINE __attribute__((always_inline)) inline
namespace app {
namespace {
struct Sum { int total = 0; INLINE void add(int x) { total += x * 3; } };
template <class F> INLINE int twice(F f, int x) { return f(x) + f(x + 1); }
}
struct Pool {
    int size;
    __attribute__((noinline)) int run(const char *name, unsigned long at) const {
        return twice([&](int x) __attribute__((always_inline)) { return x * name[x & 1] + size; }, int(at));
    }
};
static inline int shared(int x) { return x * 7 + (x >> 3); }
int (*volatile kept)(int) = shared;
}
__attribute__((noinline)) void turn(std::vector<int> &all) {
    for (unsigned long i = 0, j = all.size() - 1; i < j; i++, j--)
        if (all[i] != all[j]) std::swap(all[i], all[j]);
}
int main(int argc, char **argv) {
    volatile int out = 0;
    std::vector<int> all(argc * 100, 1);
    app::Sum sum;
    for (int i = 0; i < argc * 1000; i++) {
        out = out + app::twice([](int x) __attribute__((always_inline)) { return x * x; }, i);
        out = out + app::twice([](int x) __attribute__((always_inline)) { return x ^ 5; }, i);
        auto outer = [&out](int x) __attribute__((always_inline)) { auto inner = [x](int y) __attribute__((always_inline)) { return x + y * 9; }; return inner(out); };
        out = out + outer(i) + app::shared(i) + app::kept(i);
        sum.add(out);
    }
    turn(all);
    return (app::Pool{argc}.run(argv[0], argc) + sum.total + all[0]) & 1;
}
";

/// Functions at all addresses of a program's own functions, innermost first: name, and the name in the binary where that is another.
fn named(folder: &Path, offsets: &[u64]) -> Vec<Vec<(String, Option<String>)>> {
    let path = folder.join("prog");
    let mut builder = Builder::new([("cycles", "count")]);
    let offset = code(&path).0 & !0xfff;
    let file = Some(builder.string(path.to_str().unwrap()));
    let mapping = Some(builder.mapping(Mapping { file, start: 0x10_0000, limit: 0x20_0000, offset, pid: Some(1), ..Mapping::default() }));
    for at in offsets {
        let frame = builder.frame(Frame { mapping, address: Some(at - offset + 0x10_0000), ..Frame::default() });
        let stack = Some(builder.stack(None, frame));
        builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
    }
    let modules = LocalModules::for_capture(&folder.join("perf.data"), &[]);
    let named = symbolize(&builder.finish(), &modules, &Ticket::new()).unwrap();
    let function = |frame| {
        let row: Frame = named.frames.at(frame);
        let system = row.function.and_then(|function| named.functions.at(function).system_name);
        (named.frame_name(frame), system.map(|system| named.strings.get(system).to_owned()))
    };
    named.samples.stacks().iter().map(|stack| named.stack_frames(*stack).map(function).collect()).collect()
}

/// The program's code, with what binutils calls the functions at each address: names in the binary, innermost first.
struct Built {
    folder: tempfile::TempDir,
    offsets: Vec<u64>,
    expected: Vec<Vec<String>>,
}

impl Built {
    /// `None` without the tools.
    fn new(flags: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prog.cpp"), PROGRAM).unwrap();
        let args = [&["-g", "-O2", "-std=c++17", "-o", "prog", "prog.cpp"], flags].concat();
        if tool(folder.path(), "g++", &args).is_none() {
            println!("skipped: there is no g++");
            return None;
        }
        let (offset, address, _) = code(&folder.path().join("prog"));
        let symbols = tool(folder.path(), "nm", &["-S", "prog"])?;
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let own = |line: &str| -> Option<Vec<u64>> {
            let parts: Vec<&str> = line.split(' ').collect();
            let is_own = matches!(parts[..], [_, _, "t" | "T" | "W", name] if !name.starts_with("_fini") && !name.starts_with("_start"));
            let (start, size) = (hex(parts[0])?, hex(parts[1]).filter(|_| is_own)?);
            Some((start..start + size).collect())
        };
        let addresses: Vec<u64> = symbols.lines().filter_map(own).flatten().collect();
        let list: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
        std::fs::write(folder.path().join("list"), list).unwrap();
        let text = tool(folder.path(), "sh", &["-c", "addr2line -f -i -a -e prog < list"])?;
        let mut expected: Vec<Vec<String>> = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("0x") {
                expected.push(Vec::new());
                continue;
            }
            lines.next()?;
            expected.last_mut()?.push(line.to_owned());
        }
        Some(Self { offsets: addresses.iter().map(|at| at - address + offset).collect(), folder, expected })
    }
}

/// A lambda's line, and the column where the list of what it holds ends: so GCC has it.
fn lambda(parameters: &str, in_line: &str) -> String {
    let (row, line) = PROGRAM.lines().enumerate().find(|(_, line)| line.contains(in_line)).unwrap();
    let column = line.find(&format!("]({parameters})")).unwrap() + 1;
    format!("{{lambda(int) at prog.cpp:{}:{column}}}", row + 1)
}

#[test]
fn inlined_functions_without_a_linkage_name_have_their_scopes() {
    let inner = format!("main::{}::operator()(int) const::{}::operator()", lambda("int x", "auto outer"), lambda("int y", "auto inner"));
    let wanted: BTreeSet<String> = [
        // Two functions, although binutils calls both `operator()`.
        format!("main::{}::operator()", lambda("int x", "x * x")),
        format!("main::{}::operator()", lambda("int x", "x ^ 5")),
        format!("main::{}::operator()", lambda("int x", "auto outer")),
        inner,
        "app::(anonymous namespace)::twice<main(int, char**)::<lambda(int)> >".to_owned(),
        "app::(anonymous namespace)::Sum::add".to_owned(),
    ]
    .into();
    let mut whole = None;
    for flags in [&[][..], &["-gsplit-dwarf"], &["-gdwarf-4"], &["-flto"]] {
        let Some(built) = Built::new(flags) else { return };
        let named = named(built.folder.path(), &built.offsets);
        if flags == ["-gsplit-dwarf"] {
            // Binutils does not read files beside the program: its code is that of the one that has all in one file.
            let all = named.into_iter().flatten().collect::<BTreeSet<_>>();
            assert_eq!(Some(all), whole);
            continue;
        }
        whole.get_or_insert_with(|| named.iter().flatten().cloned().collect::<BTreeSet<_>>());
        let (mut inlined, mut linked) = (BTreeMap::<String, Option<String>>::new(), BTreeSet::new());
        for (levels, expected) in named.iter().zip(&built.expected) {
            assert_eq!(levels.len(), expected.len(), "{levels:?} {expected:?}");
            let outermost = expected.last().unwrap();
            for ((name, system), binutils) in levels.iter().zip(expected).take(expected.len() - 1) {
                if binutils.split('.').next() == outermost.split('.').next() {
                    // Binutils has the symbol of the code for what was inlined into it.
                } else if binutils.starts_with("_Z") {
                    // What has a linkage name keeps it.
                    assert_eq!(system.as_ref(), Some(binutils), "{name}");
                    linked.insert(name.as_str());
                } else {
                    assert!(name.ends_with(binutils.as_str()), "{name} {binutils}");
                    inlined.insert(name.clone(), system.clone());
                }
            }
        }
        assert!(linked.contains("std::swap<int>"), "{flags:?} {linked:?}");
        // With code of its own: one function, wherever it stands. With link-time optimisation that code is another unit's, and DWARF names it.
        let symbol = (flags != ["-flto"]).then(|| "_ZN3appL6sharedEi".to_owned());
        assert_eq!(inlined.remove("app::shared"), Some(symbol), "{flags:?} {inlined:?}");
        let missing: Vec<_> = wanted.iter().filter(|name| inlined.get(*name) != Some(&None)).collect();
        assert!(missing.is_empty(), "{flags:?} {missing:?} of {inlined:?}");
        // Nothing has a name without a scope.
        inlined.retain(|name, _| !name.contains("::"));
        assert_eq!(inlined, BTreeMap::new(), "{flags:?}");
    }
}
