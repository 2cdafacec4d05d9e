//! The comment block that `--header` puts before the samples.

/// Fields that say something about the capture, by perf's own words for them. The others describe the file's layout.
const FIELDS: &[&str] = &[
    "captured on",
    "hostname",
    "os release",
    "perf version",
    "arch",
    "nrcpus online",
    "nrcpus avail",
    "cpudesc",
    "cpuid",
    "total memory",
    "cmdline",
    "event",
    "time of first sample",
    "time of last sample",
    "sample duration",
    "missing features",
];

/// The fact that a header line states: key and text.
pub(super) fn fact(line: &str) -> Option<(String, String)> {
    let (key, text) = line.strip_prefix('#')?.split_once(':')?;
    let (key, text) = (key.trim(), text.trim());
    (FIELDS.contains(&key) && !text.is_empty()).then(|| (key.to_owned(), text.to_owned()))
}

/// True for a line that only perf's header has.
pub(super) fn is_sign(line: &[u8]) -> bool {
    [&b"# captured on"[..], b"# perf version :", b"# cmdline : "].iter().any(|sign| line.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_keep_perfs_words() {
        for (line, expected) in [
            ("# captured on: Tue Feb 21 03:35:44 2017", Some(("captured on", "Tue Feb 21 03:35:44 2017"))),
            ("# cmdline : /usr/bin/perf record -g -- x ", Some(("cmdline", "/usr/bin/perf record -g -- x"))),
            ("# event : name = cycles:u, , id = { 1 }", Some(("event", "name = cycles:u, , id = { 1 }"))),
            ("# data size      : 156648", None),
            ("# ========", None),
            ("#", None),
        ] {
            assert_eq!(fact(line), expected.map(|(key, text)| (key.to_owned(), text.to_owned())), "{line}");
        }
    }
}
