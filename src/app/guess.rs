//! On which side of a comparison files probably belong, by their names.

use std::path::{Path, PathBuf};

use super::view::Side;

/// Words in names of what is compared with, and of what is looked at.
const BEFORE: [&str; 7] = ["before", "base", "old", "baseline", "unchanged", "main", "master"];
const AFTER: [&str; 6] = ["after", "new", "candidate", "changed", "patched", "head"];

/// The side of each file: by a word in its name (`cpu-before-3.pb.gz`), else the first of exactly two runs of numbered names is before
/// (`v1-1.prof`, `v1-2.prof`, `v2-1.prof`). `None` where the names say nothing.
pub fn sides(paths: &[PathBuf]) -> Vec<Option<Side>> {
    let by_word: Vec<Option<Side>> = paths.iter().map(|path| by_word(path)).collect();
    let named = |side| by_word.contains(&Some(side));
    match (named(Side::Before), named(Side::After)) {
        (true, true) => return by_word,
        // One side is named: the others are the other one.
        (true, false) if by_word.contains(&None) => return by_word.iter().map(|side| side.or(Some(Side::After))).collect(),
        (false, true) if by_word.contains(&None) => return by_word.iter().map(|side| side.or(Some(Side::Before))).collect(),
        _ => {}
    }
    let runs: Vec<String> = paths.iter().map(|path| run(path)).collect();
    let mut kinds: Vec<&String> = Vec::new();
    for run in &runs {
        if !kinds.contains(&run) {
            kinds.push(run);
        }
    }
    match kinds.as_slice() {
        [first, _] => runs.iter().map(|run| Some(if run == *first { Side::Before } else { Side::After })).collect(),
        _ => vec![None; paths.len()],
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    name.split_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned())
}

fn by_word(path: &Path) -> Option<Side> {
    let stem = stem(path);
    let has = |words: &[&str]| stem.split(|c: char| !c.is_alphabetic()).any(|part| words.contains(&part));
    match (has(&BEFORE), has(&AFTER)) {
        (true, false) => Some(Side::Before),
        (false, true) => Some(Side::After),
        _ => None,
    }
}

/// The name without the number of the run at its end, with its folder.
fn run(path: &Path) -> String {
    let stem = stem(path);
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = if bare.len() < stem.len() { bare.trim_end_matches(['-', '_', ' ']) } else { bare };
    path.with_file_name(bare).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_side_a_file_is_on() {
        for (names, expected) in [
            ("cpu-before-1.pb.gz cpu-before-2.pb.gz cpu-after-1.pb.gz", "BBA"),
            ("base-1.pb base-2.pb score-110-1.pb score-110-2.pb", "BBAA"),
            ("v1-1.prof v2-1.prof v1-2.prof", "BAB"),
            ("old/a.prof old/b.prof c.prof", "???"),
            ("run-1.pb run-2.pb run-3.pb", "???"),
            ("x/run-1.pb x/run-2.pb y/run-1.pb", "BBA"),
        ] {
            let paths: Vec<PathBuf> = names.split(' ').map(PathBuf::from).collect();
            let letter = |side: Option<Side>| side.map_or('?', |side| if side == Side::Before { 'B' } else { 'A' });
            assert_eq!(sides(&paths).into_iter().map(letter).collect::<String>(), expected, "{names}");
        }
    }
}
