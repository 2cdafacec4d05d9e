//! Header sections about the machine, each as one line of text: topology, memory, caches, measuring units, compression.
//!
//! Layouts from `tools/perf/Documentation/perf.data-file-format.txt`. Deliberately absent: anything but text for the capture's facts: nothing
//! here changes a sample. Start reading at [`fact`].

use super::features::text;
use crate::base::cursor::{Cursor, Short};

const CPU_TOPOLOGY: u32 = 13;
const NUMA_TOPOLOGY: u32 = 14;
pub(super) const PMU_MAPPINGS: u32 = 16;
const CACHE: u32 = 20;
const COMPRESSED: u32 = 27;
const CPU_PMU_CAPS: u32 = 28;
const HYBRID_TOPOLOGY: u32 = 30;
const PMU_CAPS: u32 = 31;

/// Sections that nothing here reads, by their names in perf's sources.
pub(super) const UNUSED: [(u32, &str); 7] = [
    (15, "BRANCH_STACK"),
    (18, "AUXTRACE"),
    (19, "STAT"),
    (22, "MEM_TOPOLOGY"),
    (25, "BPF_PROG_INFO"),
    (26, "BPF_BTF"),
    (32, "CPU_DOMAIN_INFO"),
];

/// Key and text of a section; `None` for sections that are not about the machine.
pub(super) fn fact(section: u32, mut body: Cursor<'_>) -> Result<Option<(&'static str, String)>, Short> {
    let body = &mut body;
    let mut parts = Vec::new();
    Ok(Some(match section {
        CPU_TOPOLOGY => {
            let mut lists = Vec::new();
            for _ in 0..2 {
                let count = body.u32()?;
                let mut list = Vec::new();
                for _ in 0..count {
                    list.push(text(body)?);
                }
                lists.push(list.join(" "));
            }
            (
                "cpu topology",
                format!(
                    "sockets {}; threads of cores {}",
                    lists.first().map_or("", String::as_str),
                    lists.last().map_or("", String::as_str)
                ),
            )
        }
        NUMA_TOPOLOGY => {
            for _ in 0..body.u32()? {
                let (node, total, _free) = (body.u32()?, body.u64()?, body.u64()?);
                parts.push(format!("node {node}: {total} kB, cpus {}", text(body)?));
            }
            ("numa topology", parts.join("; "))
        }
        CACHE => {
            body.skip(4)?;
            for _ in 0..body.u32()? {
                let (level, line) = (body.u32()?, body.u32()?);
                body.skip(8)?;
                let (kind, size, _cpus) = (text(body)?, text(body)?, text(body)?);
                let part = format!("L{level} {kind} {size}, lines of {line} bytes");
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
            ("caches", parts.join("; "))
        }
        COMPRESSED => {
            let (_version, kind, level, ratio) = (body.u32()?, body.u32()?, body.u32()?, body.u32()?);
            let kind = if kind == 1 { "zstd".to_owned() } else { format!("kind {kind}") };
            ("compression", format!("{kind}, level {level}, ratio {ratio}"))
        }
        CPU_PMU_CAPS => ("pmu capabilities", capabilities(body)?),
        PMU_CAPS => {
            for _ in 0..body.u32()? {
                let listed = capabilities(body)?;
                parts.push(format!("{}: {listed}", text(body)?));
            }
            ("pmu capabilities", parts.join("; "))
        }
        HYBRID_TOPOLOGY => {
            for _ in 0..body.u32()? {
                let (unit, cpus) = (text(body)?, text(body)?);
                parts.push(format!("{unit}: cpus {cpus}"));
            }
            ("hybrid topology", parts.join("; "))
        }
        _ => return Ok(None),
    }))
}

/// Names of measuring units by their numbers.
pub(super) fn pmu_mappings(mut body: Cursor<'_>) -> Result<Vec<(u32, String)>, Short> {
    let mut units = Vec::new();
    for _ in 0..body.u32()? {
        units.push((body.u32()?, text(&mut body)?));
    }
    Ok(units)
}

fn capabilities(body: &mut Cursor<'_>) -> Result<String, Short> {
    let mut parts = Vec::new();
    for _ in 0..body.u32()? {
        let (name, value) = (text(body)?, text(body)?);
        parts.push(format!("{name}={value}"));
    }
    Ok(parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(out: &mut Vec<u8>, words: &[u32]) {
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn string(out: &mut Vec<u8>, text: &str) {
        words(out, &[64]);
        let end = out.len() + 64;
        out.extend(text.as_bytes());
        out.resize(end, 0);
    }

    #[test]
    fn sections_become_one_line_each() {
        let mut cache = Vec::new();
        words(&mut cache, &[1, 2]);
        for cpu in ["0", "1"] {
            words(&mut cache, &[1, 64, 64, 8]);
            for part in ["Data", "32K", cpu] {
                string(&mut cache, part);
            }
        }
        let mut numa = Vec::new();
        words(&mut numa, &[1, 0]);
        numa.extend([1000_u64, 10].iter().flat_map(|word| word.to_le_bytes()));
        string(&mut numa, "0-3");
        let mut hybrid = Vec::new();
        words(&mut hybrid, &[2]);
        for part in ["cpu_core", "0-7", "cpu_atom", "8-15"] {
            string(&mut hybrid, part);
        }
        let mut caps = Vec::new();
        words(&mut caps, &[1, 1]);
        for part in ["branches", "32", "cpu_core"] {
            string(&mut caps, part);
        }
        for (section, bytes, expected) in [
            (CACHE, cache, ("caches", "L1 Data 32K, lines of 64 bytes")),
            (NUMA_TOPOLOGY, numa, ("numa topology", "node 0: 1000 kB, cpus 0-3")),
            (HYBRID_TOPOLOGY, hybrid, ("hybrid topology", "cpu_core: cpus 0-7; cpu_atom: cpus 8-15")),
            (PMU_CAPS, caps, ("pmu capabilities", "cpu_core: branches=32")),
        ] {
            assert_eq!(fact(section, Cursor::new(&bytes)), Ok(Some((expected.0, expected.1.to_owned()))));
            // A lie about a count ends at the end of the section.
            assert!(fact(section, Cursor::new(&bytes[..bytes.len() - 1])).is_err());
        }
        assert_eq!(fact(99, Cursor::new(&[])), Ok(None));
    }
}
