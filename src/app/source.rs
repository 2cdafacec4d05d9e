//! The text of source files that captures name: found below the user's folders or as recorded, and read with limits.
//!
//! A capture may name any path, so only regular files of text are read, up to a size, and never over the network by a path alone. Reading
//! belongs into a job. Whether the file is the one that was compiled is not known; what speaks against it is said
//! ([`SourceText::doubts`]). Start reading at [`list`].

use std::fs;
use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::analysis::lines::{self, FileLines};
use crate::analysis::{Comparison, Filter, Granularity, PlaceId};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Profile, base_name, human};
use crate::report::list::{Listed, SourceText};

/// Where source files are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SourceSpec {
    /// Folders (`go tool pprof -source_path`): recorded paths are looked for below each and its parents; a path that has the name of the folder in
    /// it, also from there on.
    pub folders: Vec<PathBuf>,
    /// Beginnings that are taken off recorded paths before (`-trim_path`).
    pub trims: Vec<String>,
}

impl SourceSpec {
    /// The same as people mean it: no empty lines, folders from the root on.
    #[must_use]
    pub fn sane(self) -> Self {
        Self {
            folders: self.folders.iter().filter(|path| !path.as_os_str().is_empty()).map(|path| folder(path)).collect(),
            trims: self.trims.into_iter().filter(|trim| !trim.is_empty()).collect(),
        }
    }
}

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Most lines that are kept: more than anyone reads, few enough to be drawn.
const LINES: usize = 100_000;

/// Most characters of a line that are kept.
const LETTERS: usize = 2000;

/// The lines of a place beside their text.
///
/// `captures`, `filter` and `granularity` are those that the comparison was made with.
pub fn list(
    comparison: &Comparison,
    captures: &[Arc<Profile>],
    (filter, granularity): (&Filter, Granularity),
    place: PlaceId,
    spec: &SourceSpec,
    ticket: &Ticket,
) -> Result<Listed, Cancelled> {
    let made = lines::lines(comparison, captures, (filter, granularity), place, ticket)?;
    let name = comparison.places().name(place);
    let after = comparison.last().and_then(|side| captures.get(*side.rows.first()?));
    let taken = after.and_then(|profile| profile.info.start_unix_nanos);
    let function = (granularity == Granularity::Function).then_some(name);
    Listed::new(name, made, |file| {
        ticket.check()?;
        Ok(text_of(file, (function, taken), spec))
    })
}

/// The text of a file of a listing, or why there is none. `function` is what begins at its first line, `taken` when the capture began, in
/// nanoseconds since 1970.
fn text_of(file: &FileLines, (function, taken): (Option<&str>, Option<i64>), spec: &SourceSpec) -> Result<SourceText, String> {
    if file.file.is_empty() {
        return Err("the capture does not say which file".to_owned());
    }
    let ranges = file.ranges();
    if ranges.is_empty() {
        return Err("the capture has no line numbers".to_owned());
    }
    let found = find(&file.file, spec)?;
    let Text { lines, line_count, modified } = read(&found.path, &ranges)?;
    let mut doubts: Vec<String> = found.doubt.into_iter().collect();
    if let Some((modified, taken)) = modified.zip(taken).filter(|(modified, taken)| modified > taken) {
        let date = |nanos: i64| {
            jiff::Timestamp::from_nanosecond(i128::from(nanos)).map_or_else(|_| String::new(), |time| time.strftime("%F %R").to_string())
        };
        doubts.push(format!(
            "the file was changed on {} (UTC), after the capture of {}: its lines may have moved",
            date(modified),
            date(taken)
        ));
    }
    let text = SourceText { path: found.path.display().to_string(), lines, line_count, doubts: Vec::new() };
    if let Some(doubt) = file.start_line.zip(function).and_then(|(start, name)| begins_elsewhere(&text, start, name)) {
        doubts.push(doubt);
    }
    Ok(SourceText { doubts, ..text })
}

/// A file on disk.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    /// What makes one doubt that it is the one.
    doubt: Option<String>,
}

/// Finds a recorded path: below the folders, as recorded, below the working folder as `go tool pprof` does, and last by the end of the path.
fn find(recorded: &str, spec: &SourceSpec) -> Result<Found, String> {
    // Opening `\\host\share` sends the user's name to that host.
    if recorded.starts_with("\\\\") || recorded.starts_with("//") {
        return Err("a path on the network is not opened".to_owned());
    }
    let slashes = recorded.replace('\\', "/");
    let trimmed = trimmed(&slashes, &spec.trims);
    let relative = trimmed.trim_start_matches('/');
    let mut not_a_file = None;
    let mut is_there = |path: &Path| match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => true,
        Ok(_) => {
            not_a_file.get_or_insert_with(|| format!("{} is no regular file", path.display()));
            false
        }
        Err(_) => false,
    };
    for folder in &spec.folders {
        let from_name = folder.file_name().and_then(|name| {
            let (_, rest) = trimmed.split_once(&format!("/{}/", name.to_string_lossy()))?;
            Some(rest)
        });
        let mut wanted = from_name.into_iter().map(|rest| folder.join(rest)).chain(folder.ancestors().map(|above| above.join(relative)));
        if let Some(path) = wanted.find(|path| is_there(path)) {
            return Ok(Found { path, doubt: None });
        }
    }
    let is_absolute = Path::new(trimmed).is_absolute();
    if is_absolute && is_there(Path::new(trimmed)) {
        return Ok(Found { path: PathBuf::from(trimmed), doubt: None });
    }
    if !is_absolute && let Ok(here) = std::env::current_dir() {
        let mut wanted = here.ancestors().map(|above| above.join(relative));
        if let Some(path) = wanted.find(|path| is_there(path)) {
            return Ok(Found { path, doubt: None });
        }
    }
    for folder in &spec.folders {
        let ends = relative.match_indices('/').filter_map(|(at, _)| relative.get(at + 1..));
        if let Some((path, end)) = ends.map(|end| (folder.join(end), end)).find(|(path, _)| is_there(path)) {
            let doubt = if end.contains('/') {
                format!("found by the end of its path, {end}")
            } else {
                format!("found by its name alone, {}", base_name(end))
            };
            return Ok(Found { path, doubt: Some(format!("{doubt}: it may be another file")) });
        }
    }
    Err(not_a_file.unwrap_or_else(|| {
        if spec.folders.is_empty() { "the file is not on this machine" } else { "the file is neither there nor below the source folders" }
            .to_owned()
    }))
}

/// A path without the first of the beginnings that it has.
fn trimmed<'p>(path: &'p str, trims: &[String]) -> &'p str {
    let own = trims.iter().map(|trim| trim.replace('\\', "/"));
    // What Bazel leaves in paths; pprof takes it off as well.
    let usual = ["/proc/self/cwd/./", "/proc/self/cwd/"].map(str::to_owned);
    let mut rests = own.chain(usual).filter(|trim| !trim.is_empty()).filter_map(|trim| {
        let rest = path.strip_prefix(trim.trim_end_matches('/'))?;
        rest.strip_prefix('/').or_else(|| trim.ends_with('/').then_some(rest))
    });
    rests.next().unwrap_or(path)
}

/// What was read of a file.
struct Text {
    /// The lines of the ranges that are there.
    lines: Vec<(u32, String)>,
    line_count: u32,
    /// When it was changed last, nanoseconds since 1970.
    modified: Option<i64>,
}

/// Reads some lines of a text file, numbered from 1.
fn read(path: &Path, ranges: &[RangeInclusive<u32>]) -> Result<Text, String> {
    let fail = |why: String| format!("{why}: {}", path.display());
    let file = fs::File::open(path).map_err(|error| fail(format!("the file cannot be opened ({error})")))?;
    // Asked of what was opened: the path may mean another file by now.
    let metadata = file.metadata().map_err(|error| fail(format!("the file cannot be read ({error})")))?;
    if !metadata.is_file() {
        return Err(fail("no regular file".to_owned()));
    }
    let too_large = || fail(format!("the file is larger than {}, which is no source", human(LARGEST as f64, "bytes")));
    if metadata.len() > LARGEST {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let size = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| fail(format!("the file cannot be read ({error})")))?;
    if size as u64 > LARGEST {
        return Err(too_large());
    }
    if bytes.iter().take(8192).any(|&byte| byte == 0) {
        return Err(fail("the file is no text".to_owned()));
    }
    // What stands behind the last line end is a line only if there is something.
    let line_count = bytes.split(|&byte| byte == b'\n').count() - usize::from(bytes.last().is_none_or(|&byte| byte == b'\n'));
    let is_wanted = |number: &u32| ranges.iter().any(|range| range.contains(number));
    let wanted = (1..).zip(bytes.split(|&byte| byte == b'\n')).take(line_count).filter(|(number, _)| is_wanted(number)).take(LINES);
    let line = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        match text.char_indices().nth(LETTERS) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        }
    };
    let nanos = |time: std::time::SystemTime| i64::try_from(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok();
    Ok(Text {
        lines: wanted.map(|(number, text)| (number, line(text))).collect(),
        line_count: u32::try_from(line_count).unwrap_or(u32::MAX),
        modified: metadata.modified().ok().and_then(nanos),
    })
}

/// Lines around the first one of a function in which its name may stand: behind attributes, return types and the like.
const AROUND: u32 = 2;

/// Says so where a function's name does not stand where it begins.
fn begins_elsewhere(text: &SourceText, start: u32, function: &str) -> Option<String> {
    let name = identifier(function)?;
    let near = start.saturating_sub(AROUND)..=start.saturating_add(AROUND);
    let mut around = text.lines.iter().filter(|(line, _)| near.contains(line)).peekable();
    around.peek()?;
    if around.any(|(_, line)| line.contains(name)) {
        return None;
    }
    Some(format!("line {start}, where the function begins, does not name {name}: the file is another version, or another file"))
}

/// The last part of a function's name as its source has it; `None` for names that compilers make.
fn identifier(function: &str) -> Option<&str> {
    let name = function.strip_suffix("-fm").unwrap_or(function);
    // What stands in brackets is a receiver, parameters or types.
    let (mut depth, mut ranges, mut start) = (0_usize, Vec::new(), 0);
    for (at, c) in name.char_indices() {
        match c {
            '(' | '[' | '<' | '{' => {
                if depth == 0 {
                    ranges.push(start..at);
                }
                depth += 1;
            }
            ')' | ']' | '>' | '}' if depth > 0 => {
                depth -= 1;
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    if depth == 0 {
        ranges.push(start..name.len());
    }
    let outside = ranges.into_iter().rev().filter_map(|range| name.get(range)).find(|part| !part.is_empty())?;
    let last = outside.rsplit(['.', ':', '/', '~', '$', ' ', '*', '&']).next()?;
    let is_made = last.is_empty()
        || !last.chars().all(|c| c.is_alphanumeric() || c == '_')
        || last.chars().next().is_some_and(|c| c.is_ascii_digit())
        || last.trim_end_matches(|c: char| c.is_ascii_digit()) == "func"
        || ["lambda", "gowrap", "deferwrap", "operator", "init", "main", "glob"].iter().any(|word| last.starts_with(word));
    (!is_made).then_some(last)
}

/// A folder as the user wrote it, from the root on and without `.` and `..`: its own name and its parents count.
pub fn folder(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                made.pop();
            }
            part => made.push(part),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files of `lines` numbered lines each.
    fn files(names: &[(&str, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, lines) in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text: String = (1..=*lines).map(|line| format!("\tline {line}")).collect::<Vec<_>>().join("\n") + "\n";
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// What a path is found as, below the folder.
    fn found(folder: &Path, recorded: &str, spec: &SourceSpec) -> String {
        match find(recorded, spec) {
            Ok(found) => format!("{}{}", found.path.strip_prefix(folder).unwrap().display(), if found.doubt.is_some() { "?" } else { "" }),
            Err(why) => why,
        }
    }

    #[test]
    fn paths_are_found_as_pprof_finds_them() {
        let folder = files(&[("home/shop/cart/sum.go", 3), ("home/shop/go.mod", 1), ("elsewhere/sum.go", 1)]);
        let at = |name: &str| folder.path().join(name);
        let spec = |folders: &[&str], trims: &[&str]| SourceSpec {
            folders: folders.iter().map(|name| at(name)).collect(),
            trims: trims.iter().map(|&trim| trim.to_owned()).collect(),
        };
        for (recorded, folders, trims, expected) in [
            ("shop/cart/sum.go", &["home"][..], &[][..], "home/shop/cart/sum.go"),
            ("shop/cart/sum.go", &["home/shop/cart"], &[], "home/shop/cart/sum.go"),
            ("/build/x/shop/cart/sum.go", &["home/shop"], &[], "home/shop/cart/sum.go"),
            ("/build/x/cart/sum.go", &["home/shop"], &["/build/x"], "home/shop/cart/sum.go"),
            ("/build/xy/cart/sum.go", &["home/none"], &["/build/x"], "the file is neither there nor below the source folders"),
            ("C:\\build\\shop\\cart\\sum.go", &["home/shop"], &[], "home/shop/cart/sum.go"),
            ("/build/y/cart/sum.go", &["home/shop"], &[], "home/shop/cart/sum.go?"),
            ("/build/y/sum.go", &["elsewhere"], &[], "elsewhere/sum.go?"),
            ("//host/share/sum.go", &["elsewhere"], &[], "a path on the network is not opened"),
            ("shop/cart/sum.go", &[], &[], "the file is not on this machine"),
        ] {
            assert_eq!(found(folder.path(), recorded, &spec(folders, trims)), expected, "{recorded}");
        }
        let recorded = at("home/shop/cart/sum.go").display().to_string();
        assert_eq!(found(folder.path(), &recorded, &SourceSpec::default()), "home/shop/cart/sum.go");
        let is_folder = at("home/shop").display().to_string();
        assert!(find(&is_folder, &SourceSpec::default()).unwrap_err().ends_with("is no regular file"));
    }

    #[test]
    fn only_regular_files_of_text_are_read_and_only_the_lines_that_are_shown() {
        let folder = files(&[("a.go", 30)]);
        let path = folder.path().join("a.go");
        let text = read(&path, &[2..=2, 29..=40]).unwrap();
        assert_eq!((text.lines, text.line_count), ([2, 29, 30].map(|line| (line, format!("\tline {line}"))).to_vec(), 30));
        assert!(read(&path, &[31..=40]).unwrap().lines.is_empty());
        assert!(read(&path, &[4_000_000_000..=u32::MAX]).unwrap().lines.is_empty());
        fs::write(&path, b"a\0b\n").unwrap();
        assert!(read(&path, &[1..=2]).err().unwrap().starts_with("the file is no text"));
        fs::write(&path, format!("{}\r\nend", "x".repeat(3000))).unwrap();
        let text = read(&path, &[1..=2]).unwrap();
        assert_eq!((text.lines[0].1.chars().count(), text.lines[1].1.as_str(), text.line_count), (LETTERS + 1, "end", 2));
        fs::File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(read(&path, &[1..=2]).err().unwrap().starts_with("the file is larger than 16"));
    }

    #[test]
    fn a_file_that_does_not_name_the_function_is_doubted() {
        let text = SourceText {
            lines: (10..).zip(["}", "func (e *Engine) Discount() {", ""].map(str::to_owned)).collect(),
            ..SourceText::default()
        };
        assert_eq!(begins_elsewhere(&text, 11, "shop.(*Engine).Discount"), None);
        assert!(begins_elsewhere(&text, 11, "shop.(*Engine).Total").unwrap().contains("does not name Total"));
    }

    #[test]
    fn names_that_compilers_make_are_not_looked_for() {
        for (name, expected) in [
            ("shop.(*Engine).Discount", Some("Discount")),
            ("slices.insertionSortCmpFunc[go.shape.struct { a int }]", Some("insertionSortCmpFunc")),
            ("std::vector<int>::push_back(int const&)", Some("push_back")),
            ("int shop::sum<int>(int)", Some("sum")),
            ("shop::Engine::discount(Line const&)", Some("discount")),
            ("<alloc::vec::Vec<T> as Drop>::drop", Some("drop")),
            ("shop::run::{{closure}}", None),
            ("main.main.func1", None),
            ("api.labelled.func1.1", None),
            ("shop.(*T).Serve-fm", Some("Serve")),
            ("main.init.0", None),
            ("operator new(unsigned long)", Some("new")),
        ] {
            assert_eq!(identifier(name), expected, "{name}");
        }
    }
}
