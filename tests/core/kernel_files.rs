//! Names from a kernel's own files: `vmlinux` by its build id or its banner, wherever the kernel was loaded; modules (`.ko`), of which the
//! kernel lays out the sections. Skipped with a message where there is no C compiler.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Mapping, Profile, Sample, check};
use emberlens::symbol::symbolize;

const RELEASE: &str = "6.1.0-emberlens-test";

/// Compiles a source of assembler; `None` where there is no compiler.
fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let (input, output) = (folder.join(format!("{name}.S")), folder.join(name));
    std::fs::write(&input, source).expect("a writable folder");
    let run = Command::new("gcc").args(flags).arg("-o").arg(&output).arg(&input).output();
    let Ok(run) = run else {
        println!("skipped: no gcc");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(output)
}

/// A function of so many bytes.
fn function(name: &str, bytes: u32) -> String {
    format!(".globl {name}\n.type {name},@function\n{name}:\n.skip {bytes}\n.size {name},{bytes}\n")
}

/// A capture whose samples stand at these addresses of kernel mappings (file, build id, start, limit, offset).
fn capture(release: &str, rows: &[(&str, Option<&str>, [u64; 3], u64)]) -> Profile {
    let mut builder = Builder::new([("cycles", "count")]);
    builder.info.facts = vec![("osrelease".to_owned(), release.to_owned()), ("hostname".to_owned(), "another-machine".to_owned())];
    for (file, build_id, [start, limit, offset], address) in rows {
        let (file, build_id) = (Some(builder.string(file)), build_id.map(|id| builder.string(id)));
        let mapping =
            Some(builder.mapping(Mapping { file, build_id, start: *start, limit: *limit, offset: *offset, ..Mapping::default() }));
        let frame = builder.frame(Frame { mapping, address: Some(*address), ..Frame::default() });
        let stack = Some(builder.stack(None, frame));
        builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
    }
    builder.finish()
}

fn names(profile: &Profile, folder: &Path) -> Vec<String> {
    let source = LocalModules::for_capture(&folder.join("perf.data"), &[folder.to_owned()]);
    let named = symbolize(profile, &source, &Ticket::new()).expect("nobody cancels");
    assert_eq!(check(&named), []);
    let leaf = |stack| named.stack_frames(stack).next().map_or_else(String::new, |frame| named.frame_name(frame));
    named.samples.stacks().iter().map(|stack| leaf(*stack)).collect()
}

#[test]
fn addresses_in_modules_are_named_by_the_modules_file() {
    let folder = tempfile::tempdir().expect("a folder");
    // The kernel puts .text first, then .text.cold from 0x50 on (aligned to 16), then .exit.text; .init.text lies elsewhere.
    let source = [
        ".text\n".to_owned(),
        function("first", 0x40),
        function("second", 0x8),
        ".section .init.text,\"ax\"\n".to_owned(),
        function("start_up", 0x100),
        ".section .text.cold,\"ax\"\n.balign 16\n".to_owned(),
        function("cold", 0x20),
        ".section .exit.text,\"ax\"\n".to_owned(),
        function("leave", 0x10),
        format!(".section .modinfo,\"a\"\n.asciz \"license=GPL\"\n.asciz \"vermagic={RELEASE} SMP preempt mod_unload\"\n"),
    ]
    .concat();
    let Some(module) = compile(folder.path(), "m.ko", &source, &["-c", "-x", "assembler"]) else { return };
    const START: u64 = 0xffff_ffff_c100_0000;
    let at = |file: &'static str, release: &str| {
        let row = |offset: u64| (file, None, [START, START + 0x1000, 0], START + offset);
        capture(release, &[row(0x10), row(0x47), row(0x50), row(0x70), row(0x80)])
    };
    let file = "/lib/modules/x/kernel/fs/m.ko";
    assert_eq!(names(&at(file, RELEASE), folder.path()), ["first", "second", "cold", "leave", "m.ko+0x80"]);
    // A module of another kernel is none.
    assert_eq!(names(&at(file, "6.2"), folder.path())[0], "m.ko+0x10");
    // As distributions pack them.
    let bytes = std::fs::read(&module).expect("it was made");
    let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
    std::io::Write::write_all(&mut packed, &bytes).expect("memory is writable");
    std::fs::remove_file(&module).expect("it was made");
    std::fs::write(folder.path().join("m.ko.xz"), packed.finish().expect("memory is writable")).expect("a writable folder");
    assert_eq!(names(&at("/lib/modules/x/kernel/fs/m.ko.xz", RELEASE), folder.path())[..3], ["first", "second", "cold"]);
}

#[test]
fn a_kernels_file_on_the_search_path_is_used_by_its_banner_and_shifted_by_the_recorded_symbol() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = [
        ".text\n.globl _text\n_text:\n.skip 0x100\n.globl _stext\n_stext:\n".to_owned(),
        function("entry", 0x100),
        function("leaf", 0x100),
        format!(".section .rodata,\"a\"\n.asciz \"Linux version {RELEASE} (builder)\"\n"),
    ]
    .concat();
    let flags =
        ["-x", "assembler", "-nostdlib", "-static", "-Wl,-Ttext=0xffffffff81000000", "-Wl,-e,_text", "-Wl,--build-id=0xab01cd02ab01cd02"];
    if compile(folder.path(), "vmlinux", &source, &flags).is_none() {
        return;
    }
    // The kernel was loaded 0x200_0000 further up.
    const SHIFT: u64 = 0x200_0000;
    let text = 0xffff_ffff_8100_0000 + SHIFT;
    for (file, reference) in [("[kernel.kallsyms]", text), ("[kernel.kallsyms]_text", text), ("[kernel.kallsyms]_stext", text + 0x100)] {
        for build_id in [None, Some("ab01cd02ab01cd02")] {
            let row = |offset: u64| (file, build_id, [text, u64::MAX, reference], text + offset);
            let profile = capture(RELEASE, &[row(0x110), row(0x2ff)]);
            assert_eq!(names(&profile, folder.path()), ["entry", "leaf"], "{file} {build_id:?}");
        }
        // Neither of another build nor of another release.
        for (release, build_id) in [(RELEASE, Some("00")), ("6.2", None)] {
            let profile = capture(release, &[(file, build_id, [text, u64::MAX, reference], text + 0x110)]);
            assert!(names(&profile, folder.path())[0].contains("0x"), "{file} {release} {build_id:?}");
        }
    }
}

#[test]
fn a_list_saved_with_the_capture_names_modules_too_and_their_files_fill_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let source =
        [".text\n".to_owned(), function("in_file_only", 0x40), format!(".section .modinfo,\"a\"\n.asciz \"vermagic={RELEASE} SMP\"\n")]
            .concat();
    if compile(folder.path(), "n.ko", &source, &["-c", "-x", "assembler"]).is_none() {
        return;
    }
    std::fs::create_dir(folder.path().join("kcore_dir")).expect("a writable folder");
    let list = "ffffffff81000000 T _text\nffffffff81000100 T entry\nffffffff81000200 T leaf\nffffffffc0000000 t in_list\t[m]\nffffffffc0000100 t last\t[m]\n";
    std::fs::write(folder.path().join("kcore_dir/kallsyms"), list).expect("a writable folder");
    let core = |address| ("[kernel.kallsyms]", None, [0xffff_ffff_8100_0000, 0xffff_ffff_8200_0000, 0xffff_ffff_8100_0000], address);
    let module = |file, start: u64, address| (file, None, [start, start + 0x4000, 0], address);
    let profile = capture(
        RELEASE,
        &[
            core(0xffff_ffff_8100_0110),
            module("/lib/modules/x/m.ko", 0xffff_ffff_c000_0000, 0xffff_ffff_c000_0010),
            module("/lib/modules/x/n.ko", 0xffff_ffff_c100_0000, 0xffff_ffff_c100_0010),
        ],
    );
    assert_eq!(names(&profile, folder.path()), ["entry", "in_list", "in_file_only"]);
}
