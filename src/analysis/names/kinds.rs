//! Whose code a place is: the program's own, a library's, the standard library's, the runtime's or the kernel's.
//!
//! Read off names and modules; nothing is looked up outside the captures.

use std::collections::BTreeMap;

use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::place::{Place, Places, without_version};
use crate::base::ticket::{Checked as _, Here};
use crate::model::base_name;

/// Whose code a place is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CodeKind {
    /// The profiled program itself.
    Own,
    /// A dependency.
    Library,
    /// The language's standard library.
    Std,
    /// Scheduler, garbage collector, allocator, start-up code.
    Runtime,
    /// The operating system's kernel.
    Kernel,
    /// No name, or nothing known about where it belongs.
    #[default]
    Unknown,
}

impl CodeKind {
    /// All kinds, in the order of a legend.
    pub const ALL: [Self; 6] = [Self::Own, Self::Library, Self::Std, Self::Runtime, Self::Kernel, Self::Unknown];
}

/// First elements of the import paths of Go's standard library.
const GO_STD: [&str; 53] = [
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "type",
    "unicode",
    "unique",
    "unsafe",
    "vendor",
    "weak",
    "cmd",
    "arena",
];

/// Hosts of libraries that are never the profiled program's own: votes for them do not count.
const GO_LIBRARY_HOSTS: [&str; 8] =
    ["golang.org", "google.golang.org", "go.uber.org", "gopkg.in", "k8s.io", "sigs.k8s.io", "go.opentelemetry.io", "go.etcd.io"];

/// Packages that come with Java.
const JAVA_STD: [&str; 5] = ["java.", "javax.", "jdk.", "sun.", "com.sun."];

/// Packages of Java, Kotlin and Scala that are dependencies of whatever uses them.
const JAVA_LIBRARIES: [&str; 26] = [
    "jakarta.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "akka.",
    "reactor.",
    "ch.qos.",
    "com.codahale.",
    "com.datastax.",
    "com.fasterxml.",
    "com.github.benmanes.",
    "com.google.",
    "com.mongodb.",
    "com.mysql.",
    "com.squareup.",
    "com.zaxxer.",
    "io.grpc.",
    "io.micrometer.",
    "io.netty.",
    "io.opentelemetry.",
    "io.vertx.",
    "org.apache.",
    "org.eclipse.",
    "org.hibernate.",
    "org.postgresql.",
    "org.springframework.",
];

/// The kind of every place, one per row.
///
/// Go: package `main` is own, and so is every module whose import path has no host (`orders/internal/api`: such a module cannot be
/// fetched, so it is the program). Without any such module, the own one is guessed as the repository that most often stands outermost
/// below the standard library: what a server calls first is the program's handler. Rust: the crate of `main`. Java: what neither comes with
/// Java nor is of a well-known library. Anything else: by module
/// (`libc.so.6` is not own), and unknown where the capture names none.
pub fn code_kinds(places: &Places, tree: &CallTree) -> Vec<CodeKind> {
    let go = places.iter_ids().any(|(_, place)| is_go(place));
    let own_repository = if go { own_repository(places, tree) } else { None };
    let java = !go && places.iter_ids().any(|(_, place)| place.name.starts_with("java.lang.") || place.name.starts_with("java.util."));
    let own_crate = places.iter_ids().find_map(|(_, place)| place.name.strip_suffix("::main").filter(|name| !name.contains("::")));
    let kind = |place: &Place| {
        if let Some(kind) = by_module(place) {
            return kind;
        }
        if java && looks_like_java(&place.name) {
            return java_kind(&place.name);
        }
        if place.name.contains("::") {
            return native(&place.name, own_crate, place);
        }
        if go && looks_like_go(&place.name) {
            return go_kind(&place.name, own_repository.as_deref());
        }
        // Also with the version of its symbol: `__libc_start_main@@GLIBC_2.34`.
        if matches!(without_version(&place.name), "_start" | "__libc_start_main" | "__libc_start_call_main" | "start_thread" | "clone3") {
            return CodeKind::Runtime;
        }
        if !place.module.is_empty() && !unnamed(&place.name) { CodeKind::Own } else { CodeKind::Unknown }
    };
    places.iter_ids().enumerate().checked().map(|(row, (_, place))| if row == 0 { CodeKind::Unknown } else { kind(place) }).collect()
}

/// True for a place that can only come from Go.
pub fn is_go(place: &Place) -> bool {
    let file = std::path::Path::new(&*place.file).extension().is_some_and(|ending| ending == "go");
    // A method of a pointer: no other language writes names so, and folded stacks have nothing but names.
    file || place.name.contains(".(*")
        || matches!(
            place.name.as_str(),
            "runtime.main" | "runtime.goexit" | "runtime.mcall" | "runtime.gcBgMarkWorker" | "runtime.mallocgc"
        )
}

/// `0x1234`, `module+0x12`, `(unknown)`.
fn unnamed(name: &str) -> bool {
    name.is_empty() || name.starts_with("0x") || name.starts_with('(') || name.starts_with('[') || name.contains("+0x")
}

fn by_module(place: &Place) -> Option<CodeKind> {
    let module = base_name(&place.module);
    let kernel = place.module.starts_with("[kernel") || place.module.starts_with("[guest.kernel") || place.module.starts_with("[vdso");
    if kernel || place.module.starts_with("[vsyscall") || place.name.ends_with("_[k]") || base_ends(module, "ko") {
        return Some(CodeKind::Kernel);
    }
    let library = module.contains(".so") || base_ends(module, "dylib") || base_ends(module, "dll");
    let std =
        ["libc.so", "libc-", "libm.so", "libm-", "libpthread", "ld-linux", "ld-2", "libstdc++", "libgcc_s", "libdl", "librt", "libc++"];
    if library {
        return Some(if std.iter().any(|start| module.starts_with(start)) { CodeKind::Std } else { CodeKind::Library });
    }
    None
}

fn base_ends(module: &str, ending: &str) -> bool {
    std::path::Path::new(module).extension().is_some_and(|extension| extension == ending)
}

/// C++ and Rust.
fn native(name: &str, own_crate: Option<&str>, place: &Place) -> CodeKind {
    let head = name.trim_start_matches(['<', '&', '*', '(', '[']).trim_start_matches("dyn ").trim_start_matches("impl ");
    let first = head.split("::").next().unwrap_or_default();
    match first {
        "std" if ["std::rt::", "std::sys::"].iter().any(|start| head.starts_with(start)) => CodeKind::Runtime,
        "std" | "core" | "alloc" | "__gnu_cxx" | "__cxxabiv1" | "hashbrown" => CodeKind::Std,
        "__rustc" | "compiler_builtins" => CodeKind::Runtime,
        _ => match own_crate {
            Some(own) if first == own => CodeKind::Own,
            Some(_) => CodeKind::Library,
            None if place.module.is_empty() => CodeKind::Unknown,
            None => CodeKind::Own,
        },
    }
}

/// A dot after the last slash of the path, as in every Go symbol.
fn looks_like_go(name: &str) -> bool {
    !package(name).is_empty()
}

/// A class and a method, no address in a module.
fn looks_like_java(name: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$' | '<' | '>' | '/' | '+' | '-');
    name.contains('.') && !name.starts_with('.') && name.chars().all(plain)
}

fn java_kind(name: &str) -> CodeKind {
    let of = |packages: &[&str]| packages.iter().any(|package| name.starts_with(package));
    if of(&JAVA_STD) {
        CodeKind::Std
    } else if of(&JAVA_LIBRARIES) {
        CodeKind::Library
    } else {
        CodeKind::Own
    }
}

/// Import path of a Go symbol.
fn package(name: &str) -> &str {
    let end = name.find(['(', '[']).unwrap_or(name.len());
    let head = &name[..end];
    let slash = head.rfind('/').map_or(0, |at| at + 1);
    head[slash..].find('.').map_or("", |dot| &head[..slash + dot])
}

fn go_kind(name: &str, own_repository: Option<&str>) -> CodeKind {
    let package = package(name);
    let first = package.split('/').next().unwrap_or_default();
    if package == "main" {
        return CodeKind::Own;
    }
    if package == "runtime" || package.starts_with("runtime/") || package.starts_with("internal/runtime") || first == "_rt0_amd64_linux" {
        return CodeKind::Runtime;
    }
    if GO_STD.contains(&first) {
        return CodeKind::Std;
    }
    if own_repository.is_some_and(|own| package == own || package.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))) {
        return CodeKind::Own;
    }
    if first.contains('.') { CodeKind::Library } else { CodeKind::Own }
}

/// `github.com/org/repo` of a package with a host; `None` for others.
fn repository(package: &str) -> Option<&str> {
    let first = package.split('/').next().filter(|first| first.contains('.') && !GO_LIBRARY_HOSTS.contains(first))?;
    let elements = package.match_indices('/').nth(2).map_or(package.len(), |(at, _)| at);
    package.get(..elements).filter(|repository| repository.len() > first.len())
}

/// The repository that the program's own code is guessed to be in.
fn own_repository(places: &Places, tree: &CallTree) -> Option<String> {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    let here = Here::new();
    // Below anything but the standard library and the runtime nothing is looked at.
    let mut next = Some(CallTree::ROOT);
    while let Some(node) = next {
        here.checkpoint();
        let name = places.name(tree.place(node));
        let kind = if node == CallTree::ROOT { CodeKind::Std } else { go_kind(name, None) };
        let package = package(name);
        if kind == CodeKind::Own && package != "main" && looks_like_go(name) {
            // A module without a host is the program: nothing needs to be guessed.
            return None;
        }
        // `main` calls its own packages first.
        let passes = matches!(kind, CodeKind::Std | CodeKind::Runtime) || package == "main";
        if !passes && let Some(repository) = repository(package) {
            *votes.entry(repository).or_default() += tree.subtree_end(node) - node.row();
        }
        let row = if passes { node.row() + 1 } else { tree.subtree_end(node) };
        next = NodeId::from_row(row).filter(|_| row < tree.len());
    }
    votes.into_iter().max_by_key(|&(name, votes)| (votes, std::cmp::Reverse(name))).map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::call_tree::{Direction, build};
    use crate::analysis::place::Granularity;
    use crate::base::ticket::Ticket;
    use crate::model::{Builder, Frame, Mapping, Sample};

    /// Kinds of all places of stacks of (name, module), outermost first.
    fn kinds_of(stacks: &[&[(&str, &str)]]) -> BTreeMap<String, CodeKind> {
        let mut builder = Builder::new([("samples", "count")]);
        for frames in stacks {
            let mut stack = None;
            for (name, module) in *frames {
                let function = Some(builder.function_named(name));
                let file = (!module.is_empty()).then(|| builder.string(module));
                let mapping = file.map(|file| builder.mapping(Mapping { file: Some(file), ..Mapping::default() }));
                let frame = builder.frame(Frame { function, mapping, ..Frame::default() });
                stack = Some(builder.stack(stack, frame));
            }
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[1]);
        }
        let profile = builder.finish();
        let (places, frames) = Places::build(&[&profile], Granularity::Function);
        let (tree, _) = build(&[(&profile, &frames[0])], Direction::TopDown, &Ticket::new()).unwrap();
        let kinds = code_kinds(&places, &tree);
        places.iter_ids().zip(kinds).skip(1).map(|((_, place), kind)| (place.name.clone(), kind)).collect()
    }

    #[test]
    fn folded_stacks_of_go_are_known_by_their_names() {
        let kinds = kinds_of(&[
            &[("net/http.(*conn).serve", ""), ("orders/internal/api.(*API).quote", ""), ("encoding/json.Marshal", "")],
            &[("net/http.(*conn).serve", ""), ("golang.org/x/net/http2.Dial", "")],
        ]);
        assert_eq!(kinds["net/http.(*conn).serve"], CodeKind::Std);
        assert_eq!(kinds["encoding/json.Marshal"], CodeKind::Std);
        assert_eq!(kinds["orders/internal/api.(*API).quote"], CodeKind::Own);
        assert_eq!(kinds["golang.org/x/net/http2.Dial"], CodeKind::Library);
    }

    #[test]
    fn a_go_service_with_a_module_of_its_own() {
        let kinds = kinds_of(&[
            &[
                ("net/http.(*conn).serve", ""),
                ("orders/internal/api.(*API).quote", ""),
                ("github.com/lib/pq.Open", ""),
                ("runtime.mallocgc", ""),
            ],
            &[("runtime.main", ""), ("main.main", ""), ("golang.org/x/sync.Do", ""), ("internal/runtime/maps.(*Map).Get", "")],
        ]);
        for (name, kind) in [
            ("net/http.(*conn).serve", CodeKind::Std),
            ("orders/internal/api.(*API).quote", CodeKind::Own),
            ("github.com/lib/pq.Open", CodeKind::Library),
            ("runtime.mallocgc", CodeKind::Runtime),
            ("internal/runtime/maps.(*Map).Get", CodeKind::Runtime),
            ("main.main", CodeKind::Own),
            ("golang.org/x/sync.Do", CodeKind::Library),
        ] {
            assert_eq!(kinds[name], kind, "{name}");
        }
    }

    #[test]
    fn a_go_service_in_a_repository_is_found_by_what_the_server_calls() {
        let kinds = kinds_of(&[
            &[
                ("net/http.(*conn).serve", ""),
                ("github.com/acme/shop/api.Serve", ""),
                ("github.com/lib/pq.Query", ""),
                ("runtime.mallocgc", ""),
            ],
            &[("net/http.(*conn).serve", ""), ("google.golang.org/grpc.Handle", ""), ("github.com/acme/shop/v2/db.Get", "")],
        ]);
        assert_eq!(kinds["github.com/acme/shop/api.Serve"], CodeKind::Own);
        assert_eq!(kinds["github.com/acme/shop/v2/db.Get"], CodeKind::Own);
        assert_eq!(kinds["github.com/lib/pq.Query"], CodeKind::Library);
        assert_eq!(kinds["google.golang.org/grpc.Handle"], CodeKind::Library);
    }

    #[test]
    fn java_code_is_told_by_its_packages() {
        let kinds = kinds_of(&[
            &[("java.lang.Thread.run", ""), ("shop.Orders.lambda$main$0", ""), ("java.util.HashMap.get", "")],
            &[("io.netty.util.concurrent.FastThreadLocalRunnable.run", ""), ("shop.Api$$Lambda$7+0x00007fdf20007a08/12.handle", "")],
            &[("jdk.internal.misc.Unsafe.park", ""), ("__futex_abstimed_wait", ""), ("JavaThread::run", "")],
        ]);
        let of = |kind| kinds.iter().filter(|(_, found)| **found == kind).map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        assert_eq!(of(CodeKind::Std), ["java.lang.Thread.run", "java.util.HashMap.get", "jdk.internal.misc.Unsafe.park"]);
        assert_eq!(of(CodeKind::Library), ["io.netty.util.concurrent.FastThreadLocalRunnable.run"]);
        assert_eq!(of(CodeKind::Own), ["shop.Api$$Lambda$7+0x00007fdf20007a08/12.handle", "shop.Orders.lambda$main$0"]);
    }

    #[test]
    fn native_programs_are_told_by_module_and_crate() {
        let kinds = kinds_of(&[
            &[
                ("_start", "/usr/bin/indexer"),
                ("main", "/usr/bin/indexer"),
                ("find_term", "/usr/bin/indexer"),
                ("malloc", "/lib/libc.so.6"),
                ("do_syscall_64", "[kernel.kallsyms]"),
            ],
            &[("tool::main", ""), ("serde_json::from_str", ""), ("tool::parse::line", ""), ("core::fmt::write", "")],
            &[("remember (report.py:26)", ""), ("0x7f00", ""), ("compress", "/usr/lib/libz.so.1")],
        ]);
        for (name, kind) in [
            ("_start", CodeKind::Runtime),
            ("find_term", CodeKind::Own),
            ("malloc", CodeKind::Std),
            ("do_syscall_64", CodeKind::Kernel),
            ("tool::parse::line", CodeKind::Own),
            ("serde_json::from_str", CodeKind::Library),
            ("core::fmt::write", CodeKind::Std),
            ("remember (report.py:26)", CodeKind::Unknown),
            ("0x7f00", CodeKind::Unknown),
            ("compress", CodeKind::Library),
        ] {
            assert_eq!(kinds[name], kind, "{name}");
        }
    }
}
