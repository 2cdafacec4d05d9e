//! The comment block that `--header` puts before the samples.
//!
//! Deliberately absent: topologies, caches and the layout of the file. Start reading at [`facts`].

/// Fields that say something about the capture, by perf's own words for them, and the words of the perf.data reader.
const FIELDS: &[(&str, &str)] = &[
    ("captured on", "captured on"),
    ("hostname", "hostname"),
    ("os release", "osrelease"),
    ("perf version", "perf version"),
    ("arch", "arch"),
    ("nrcpus online", ONLINE),
    ("nrcpus avail", AVAILABLE),
    ("cpudesc", "cpudesc"),
    ("cpuid", "cpuid"),
    ("total memory", "total memory"),
    ("cmdline", "cmdline"),
    ("clockid", CLOCK),
    ("event", "event"),
    ("time of first sample", FIRST),
    ("time of last sample", LAST),
    ("missing features", "missing features"),
];

const CLOCK: &str = "clock";
const ONLINE: &str = "nrcpus online";
const AVAILABLE: &str = "nrcpus avail";
const FIRST: &str = "time of first sample";
const LAST: &str = "time of last sample";

/// The fact that a header line states: key and text. Some facts take two lines; see [`facts`].
pub(super) fn fact(line: &str) -> Option<(String, String)> {
    let (key, text) = line.strip_prefix('#')?.split_once(':')?;
    let (key, text) = (key.trim(), text.trim());
    let (_, key) = FIELDS.iter().find(|(field, _)| *field == key).filter(|_| !text.is_empty())?;
    let text = match *key {
        "event" => event(text),
        // `monotonic_raw (4)`
        CLOCK => text.split(" (").next().unwrap_or(text).replace('_', " "),
        _ => text.to_owned(),
    };
    Some(((*key).to_owned(), text))
}

/// The facts of the whole header, in the words of the perf.data reader.
pub(super) fn facts(lines: Vec<(String, String)>) -> Vec<(String, String)> {
    let find = |key: &str| lines.iter().find(|(name, _)| name == key).map(|(_, text)| text.clone());
    let (available, last) = (find(AVAILABLE), find(LAST));
    let joined = |(key, text): (String, String)| match (key.as_str(), &available, &last) {
        (ONLINE, Some(available), _) => Some(("nrcpus".to_owned(), format!("{text} online, {available} available"))),
        (FIRST, _, Some(last)) => Some(("sample time".to_owned(), format!("{text} to {last} s"))),
        (AVAILABLE | LAST, ..) => None,
        _ => Some((key, text)),
    };
    lines.into_iter().filter_map(joined).collect()
}

/// `name = cycles:u, , id = { 1 }, …, { sample_period, sample_freq } = 999, …` in few words.
fn event(text: &str) -> String {
    let Some(rest) = text.strip_prefix("name = ") else { return text.to_owned() };
    let name = rest.split_once(", ").map_or(rest, |(name, _)| name);
    let number = |key: &str| {
        let after = text.split_once(key)?.1.strip_prefix(" = ")?;
        after.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    // Old versions do not say how often was sampled.
    let Some(period) = number("{ sample_period, sample_freq }") else { return text.to_owned() };
    let (rate, unit) = if number(", freq") == Some(1) { ("frequency", " Hz") } else { ("period", "") };
    let precise = number("precise_ip").filter(|&level| level > 0).map_or(String::new(), |level| format!(", precise {level}"));
    let kinds = text.split_once("sample_type = ").and_then(|(_, rest)| rest.split(", ").next()).unwrap_or("");
    let has = |kind: &str| kinds.split('|').any(|name| name == kind);
    let stacks = match (has("CALLCHAIN"), has("STACK_USER")) {
        (_, true) => ", copied user stacks",
        (true, false) => ", call chains",
        (false, false) => "",
    };
    format!("{name}: {rate} {period}{unit}{precise}{stacks}")
}

/// True for a line that only perf's header has.
pub(super) fn is_sign(line: &[u8]) -> bool {
    [&b"# captured on"[..], b"# perf version :", b"# cmdline : "].iter().any(|sign| line.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_in_the_words_of_the_reader_of_recordings() {
        for (line, expected) in [
            ("# captured on: Tue Feb 21 03:35:44 2017", Some(("captured on", "Tue Feb 21 03:35:44 2017"))),
            ("# cmdline : /usr/bin/perf record -g -- x ", Some(("cmdline", "/usr/bin/perf record -g -- x"))),
            ("# os release : 6.18.44", Some(("osrelease", "6.18.44"))),
            ("# event : name = cycles:u, , id = { 1 }", Some(("event", "name = cycles:u, , id = { 1 }"))),
            (
                "# event : name = cpu-clock:ppp, , id = { 3 }, size = 128, { sample_period, sample_freq } = 499, sample_type = \
                 IP|TID|TIME|CALLCHAIN|PERIOD, read_format = ID|LOST, freq = 1, precise_ip = 3, sample_id_all = 1",
                Some(("event", "cpu-clock:ppp: frequency 499 Hz, precise 3, call chains")),
            ),
            (
                "# event : name = faults, , size = 128, { sample_period, sample_freq } = 1, sample_type = IP|STACK_USER, inherit = 1",
                Some(("event", "faults: period 1, copied user stacks")),
            ),
            ("# clockid: monotonic_raw (4)", Some(("clock", "monotonic raw"))),
            ("# clockid frequency: 1000 MHz", None),
            ("# data size      : 156648", None),
            ("# ========", None),
            ("#", None),
        ] {
            assert_eq!(fact(line), expected.map(|(key, text)| (key.to_owned(), text.to_owned())), "{line}");
        }
    }

    #[test]
    fn facts_of_two_lines_are_joined() {
        let lines = ["# nrcpus online : 2", "# nrcpus avail : 4", "# time of first sample : 1.500000", "# time of last sample : 2.000000"];
        let found = facts(lines.iter().filter_map(|line| fact(line)).collect());
        let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        assert_eq!(found, [pair("nrcpus", "2 online, 4 available"), pair("sample time", "1.500000 to 2.000000 s")]);
    }
}
