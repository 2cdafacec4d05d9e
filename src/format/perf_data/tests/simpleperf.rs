//! Captures of Android's recorder, with the symbols that it found on the device. Numbers of fields are those of its `record_file.proto`.

use super::*;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

/// A message of one file; `own` is the field and number that belong to its kind.
fn file_message(path: &str, kind: u64, min_address: u64, own: Option<(u64, u64)>, symbols: &[(u64, u64, &str)]) -> Vec<u8> {
    let mut message = Vec::new();
    bytes(&mut message, 1, path.as_bytes());
    number(&mut message, 2, kind);
    number(&mut message, 3, min_address);
    for (start, len, name) in symbols {
        let mut symbol = Vec::new();
        number(&mut symbol, 1, *start);
        number(&mut symbol, 2, *len);
        bytes(&mut symbol, 3, name.as_bytes());
        bytes(&mut message, 4, &symbol);
    }
    if let Some((field, value)) = own {
        let mut inner = Vec::new();
        number(&mut inner, 1, value);
        bytes(&mut message, field, &inner);
    }
    message
}

fn section(out: &mut Writer, section: u64, content: &[u8]) {
    out.record(records::HEADER_FEATURE, 0, |out| {
        out.u64(section);
        out.bytes.extend(content);
    });
}

/// Three modules of process 5 (an ELF file mapped from 0x2000 on, one of which the offset is not known, a dex file) and the kernel, with a
/// sample at each address.
fn capture(symbols: impl FnOnce(&mut Writer), addresses: &[(u16, u64)]) -> Profile {
    read(&pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| out.attr(0, 10, bit::IP | bit::TID | bit::CALLCHAIN, 0, &[], &[]));
        section(out, 129, b"simpleperf_version\x001.build\0");
        symbols(out);
        for (start, offset, file) in [
            (0x7000_0000, 0x2000, "/system/lib64/libart.so"),
            (0x7100_0000, 0, "/data/app/base.odex"),
            (0x7200_0000, 0x100, "/data/app/base.vdex"),
        ] {
            out.record(records::MMAP, 2, |out| {
                out.u32(5);
                out.u32(5);
                for word in [start, 0x10000, offset] {
                    out.u64(word);
                }
                out.text(file);
            });
        }
        for (misc, address) in addresses {
            out.record(records::SAMPLE, *misc, |out| {
                out.u64(*address);
                out.u32(5);
                out.u32(5);
                for word in [2, if *misc == 1 { -128_i64 as u64 } else { -512_i64 as u64 }, *address] {
                    out.u64(word);
                }
            });
        }
    }))
}

fn names(profile: &Profile) -> Vec<String> {
    let leaf = |stack| profile.stack_frames(stack).next().map_or_else(String::new, |frame| profile.frame_name(frame));
    profile.samples.stacks().iter().map(|stack| leaf(*stack)).collect()
}

const ADDRESSES: [(u16, u64); 7] = [
    // 0x7000_0010 is byte 0x2010 of the file, which lies at 0x3010.
    (2, 0x7000_0010),
    // Behind the first symbol's size.
    (2, 0x7000_0200),
    (2, 0x7100_0050),
    (2, 0x7200_0010),
    (1, 0xffff_ffff_8100_0020),
    (2, 0x7000_0120),
    (2, 0x7000_8000),
];

#[test]
fn the_recorders_own_symbols_name_addresses_by_the_rule_of_each_kind_of_file() {
    let profile = capture(
        |out| {
            let mut content = Vec::new();
            for message in [
                file_message(
                    "/system/lib64/libart.so",
                    2,
                    0x3000,
                    Some((6, 0x2000)),
                    &[(0x3100, 0, "_ZN3art3RunEv"), (0x3000, 0x100, "start"), (0x3180, 0x40, "end")],
                ),
                file_message("/data/app/base.odex", 2, 0x1000, None, &[(0x1040, 0x20, "com.example.Main.run")]),
                file_message("/data/app/base.vdex", 3, 0, None, &[(0x110, 8, "com.example.Main.interpreted")]),
                file_message(
                    "[kernel.kallsyms]",
                    0,
                    0,
                    None,
                    &[(0xffff_ffff_8100_0000, 0, "schedule"), (0xffff_ffff_8100_0100, 0, "other")],
                ),
            ] {
                content.extend((message.len() as u32).to_le_bytes());
                content.extend(message);
            }
            section(out, 132, &content);
        },
        &ADDRESSES,
    );
    let wanted = [
        "start",
        "libart.so+0x2200",
        "com.example.Main.run",
        "com.example.Main.interpreted",
        "schedule",
        // Without a size it ends where the next one begins.
        "art::Run",
        "libart.so+0xa000",
    ];
    assert_eq!(names(&profile), wanted);
    assert_eq!(profile.info.fact("symbols in the file"), Some("7 of 4 modules"));
    assert_eq!(profile.info.fact("header sections not shown"), None);
}

#[test]
fn the_older_section_of_plain_fields_says_the_same() {
    let plain = |offset: Option<u64>| {
        let mut file = b"/system/lib64/libart.so\0".to_vec();
        file.extend(2_u32.to_le_bytes());
        file.extend(0x3000_u64.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(0x3000_u64.to_le_bytes());
        file.extend(0x100_u32.to_le_bytes());
        file.extend(b"start\0");
        file.extend(offset.into_iter().flat_map(u64::to_le_bytes));
        let mut content = (file.len() as u32).to_le_bytes().to_vec();
        content.extend(file);
        content
    };
    for (offset, address) in [(Some(0x2000), 0x7000_0010), (None, 0x7000_0010)] {
        let profile = capture(|out| section(out, 128, &plain(offset)), &[(2, address)]);
        assert_eq!(names(&profile), ["start"], "{offset:?}");
    }
    // A lie about the number of symbols ends at the section's end, and says so.
    let mut lie = plain(None);
    lie[4 + 24 + 12] = 0xff;
    let profile = capture(|out| section(out, 128, &lie), &[(2, 0x7000_0010)]);
    assert_eq!((names(&profile), profile.notes.count(kind::NOT_UNDERSTOOD)), (vec!["libart.so+0x2010".to_owned()], 1));
}
