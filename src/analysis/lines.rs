//! What each source line of one place costs: self and total by file and line, on every side.
//!
//! Meanings are those of `go tool pprof -list`: a line's self value is that of samples whose innermost frame is on it, its total that of
//! samples with the line anywhere in their stack, each sample counted once a line. Frames are those that the tables show: what transforms
//! leave out counts for the line that it hangs on. Deliberately absent: the text of the lines, which is another file. Start reading at
//! [`lines`].

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::comparison::{Comparison, Side};
use super::filter::{Chosen, Filter};
use super::place::{FramePlaces, Granularity, PlaceId};
use super::prune;
use super::transform::{Transformed, by_places};
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::{FrameId, Profile, StackId, base_name};

/// Self and total of one side, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Value of samples that end here.
    pub self_: i64,
    /// Value of samples that come by here, each counted once.
    pub total: i64,
}

impl Cost {
    /// True where neither has a value.
    pub const fn is_zero(self) -> bool {
        self.self_ == 0 && self.total == 0
    }

    fn add(&mut self, self_: i64, total: i64) {
        self.self_ = self.self_.saturating_add(self_);
        self.total = self.total.saturating_add(total);
    }
}

/// One line with a value on some side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number, from 1; 0 = the capture does not say which. In a comparison that of the side after.
    pub line: u32,
    /// Number on the side before, where lines [moved](FileLines::moved).
    pub line_before: u32,
    /// One entry per side.
    pub costs: Vec<Cost>,
}

/// The lines of a place in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileLines {
    /// Path as the capture has it (of the last side that has it); empty = not known.
    pub file: String,
    /// First line of the function that begins first, where it is known; of the last side that says it.
    pub start_line: Option<u32>,
    /// By how many lines the function stands further down after than before: lines of before are moved by that, so that lines that were
    /// not touched meet. 0 where it did not move, or a side does not say where it begins.
    pub moved: i64,
    /// In the order of the file, the unknown line first.
    pub lines: Vec<Line>,
}

impl FileLines {
    /// The known line that is nearest to the end of the file; 0 without one.
    pub fn last_line(&self) -> u32 {
        self.lines.last().map_or(0, |line| line.line)
    }

    /// The lines that show the place, as `go tool pprof -list` has it: from its first line, or else a few lines before what has a value, to
    /// a few lines after. Code of the same file that stands before the function is in ranges of its own. Empty where no line is known.
    pub fn ranges(&self) -> Vec<RangeInclusive<u32>> {
        let known = || self.lines.iter().map(|line| line.line).filter(|&line| line > 0);
        let start = self.start_line.filter(|&start| known().any(|line| line >= start));
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for line in known() {
            let end = line.saturating_add(MARGIN);
            let begin = match start {
                Some(start) if line >= start => start,
                _ => line.saturating_sub(MARGIN).max(1),
            };
            match ranges
                .last_mut()
                .filter(|last| begin <= last.end().saturating_add(1) || (start.is_none() && begin <= last.end().saturating_add(NEAR)))
            {
                Some(last) => *last = *last.start()..=end,
                None => ranges.push(begin..=end),
            }
        }
        ranges
    }

    /// Sum of the totals of the last side, by which files are ordered.
    fn weight(&self) -> u64 {
        let totals = self.lines.iter().filter_map(|line| line.costs.last()).map(|cost| cost.total.unsigned_abs());
        totals.fold(0, u64::saturating_add)
    }
}

/// Lines shown before and after what has a value.
const MARGIN: u32 = 5;

/// Lines without a value that are shown between two that have one, where it is not known where the function begins.
const NEAR: u32 = 100;

/// All lines of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The files, that with the largest values first.
    pub files: Vec<FileLines>,
    /// Self and total of the place, one entry per side. Self is the sum of that of all lines; total is not, since a sample may come by
    /// several of them.
    pub costs: Vec<Cost>,
}

/// What is known of a line until the sides are put together.
type ByLine = BTreeMap<(String, u32), Vec<Cost>>;

/// Adds up the lines of a place. At the granularities line and address these are the lines of all of its function.
///
/// `captures`, `filter` and `granularity` are those that the comparison was made with, over callers above callees.
pub fn lines(
    comparison: &Comparison,
    captures: &[Arc<Profile>],
    (filter, granularity): (&Filter, Granularity),
    place: PlaceId,
    ticket: &Ticket,
) -> Result<Lines, Cancelled> {
    let sides = comparison.sides.len();
    let mut made = Lines { files: Vec::new(), costs: vec![Cost::default(); sides] };
    let mut by_line = ByLine::new();
    // First lines of the functions by file, one entry per side.
    let mut starts: BTreeMap<String, Vec<Option<u32>>> = BTreeMap::new();
    let functions = functions_of(comparison, captures, granularity, place);
    for (at, side) in comparison.sides.iter().enumerate() {
        for &row in &side.rows {
            ticket.check()?;
            let (Some(profile), Some(places)) = (captures.get(row), comparison.shape.frames.get(row)) else { continue };
            let is_member = members(profile, places, place, functions.as_ref());
            for frame in profile.frames.ids().filter(|frame| is_member.get(frame.row()) == Some(&true)) {
                let start = profile.frames.get(frame).and_then(|frame| profile.functions.get(frame.function?)).map(|it| it.start_line);
                let known = starts.entry(file_of(profile, frame).to_owned()).or_insert_with(|| vec![None; sides]);
                if let (Some(start), Some(known)) = (start.filter(|&start| start > 0), known.get_mut(at)) {
                    *known = Some(known.map_or(start, |known| known.min(start)));
                }
            }
            let capture = Capture { comparison, side, profile, places, row };
            capture.add(filter, &is_member, &mut |key, cost| {
                let costs = match key {
                    Some((file, line)) => by_line.entry((file.to_owned(), line)).or_insert_with(|| vec![Cost::default(); sides]),
                    None => &mut made.costs,
                };
                if let Some(known) = costs.get_mut(at) {
                    known.add(cost.self_, cost.total);
                }
            });
        }
    }
    made.files = put_together(by_line, &starts, sides);
    made.files.sort_by(|a, b| b.weight().cmp(&a.weight()).then_with(|| a.file.cmp(&b.file)));
    Ok(made)
}

/// Where a place is less than a function: the names of its functions.
fn functions_of(comparison: &Comparison, captures: &[Arc<Profile>], granularity: Granularity, place: PlaceId) -> Option<FxHashSet<String>> {
    matches!(granularity, Granularity::Line | Granularity::Address).then(|| {
        let each = captures.iter().zip(&comparison.shape.frames);
        let frames = each.flat_map(|(profile, places)| {
            let of_place = profile.frames.ids().zip(places.iter()).filter(move |(_, of)| **of == place);
            of_place.map(|(frame, _)| profile.frame_name(frame))
        });
        frames.collect()
    })
}

/// For each frame of a capture: is it one of the place?
fn members(profile: &Profile, places: &FramePlaces, place: PlaceId, functions: Option<&FxHashSet<String>>) -> Vec<bool> {
    match functions {
        Some(names) => profile.frames.ids().checked().map(|frame| names.contains(&profile.frame_name(frame))).collect(),
        None => places.iter().checked().map(|&of| of == place).collect(),
    }
}

fn file_of(profile: &Profile, frame: FrameId) -> &str {
    let function = profile.frames.get(frame).and_then(|frame| profile.functions.get(frame.function?));
    function.and_then(|function| function.file).map_or("", |file| profile.strings.get(file))
}

/// One capture of a side.
struct Capture<'a> {
    comparison: &'a Comparison,
    side: &'a Side,
    profile: &'a Profile,
    places: &'a FramePlaces,
    /// Row of the capture in the comparison.
    row: usize,
}

impl Capture<'_> {
    /// Gives the cost of every stack row of the place to `add`, by file and line, and that of the place itself without a key.
    fn add<'p>(&'p self, filter: &Filter, is_member: &[bool], add: &mut dyn FnMut(Option<(&'p str, u32)>, Cost)) {
        let stacks = &self.profile.stacks;
        let dropped = if filter.all_frames { None } else { prune::hidden(self.profile) };
        let transformed = by_places(self.profile, filter, (self.comparison.places(), self.places), dropped).unwrap_or_default();
        let hang = Hang::new(self.profile, &transformed);
        let costs = self.costs(filter, &hang);
        // The nearest row of the place above each row.
        let mut above: Vec<Option<StackId>> = Vec::with_capacity(stacks.len());
        let is_of_place = |row: StackId| hang.is_shown(row) && is_member.get(stacks.frame(row).row()) == Some(&true);
        let key = |row: StackId| {
            let frame = stacks.frame(row);
            (file_of(self.profile, frame), self.profile.frames.get(frame).map_or(0, |frame| frame.line))
        };
        for (at, cost) in costs.iter().enumerate().checked() {
            let Some(row) = StackId::from_row(at) else { continue };
            let caller = hang.caller(row);
            let nearest =
                caller.and_then(|caller| if is_of_place(caller) { Some(caller) } else { above.get(caller.row()).copied().flatten() });
            above.push(nearest);
            if cost.is_zero() || !is_of_place(row) {
                continue;
            }
            let own = key(row);
            let is_again =
                std::iter::successors(nearest, |&row| above.get(row.row()).copied().flatten()).checked().any(|row| key(row) == own);
            add(Some(own), Cost { self_: cost.self_, total: if is_again { 0 } else { cost.total } });
            add(None, Cost { self_: cost.self_, total: if nearest.is_some() { 0 } else { cost.total } });
        }
    }

    /// Self and total of every stack row that is shown.
    fn costs(&self, filter: &Filter, hang: &Hang<'_>) -> Vec<Cost> {
        let (profile, comparison) = (self.profile, self.comparison);
        let mut costs = vec![Cost::default(); profile.stacks.len()];
        let Some(column) = profile.comparable_column(&comparison.sample_type, &comparison.unit) else { return costs };
        // A part that the capture does not have was an error of the comparison.
        let Ok(part) = self.side.part.filter(profile) else { return costs };
        let part = Filter { all_frames: filter.all_frames, ..part };
        let chosen = Chosen::new(profile, &[filter, &part]).of_stacks(comparison.shape.samples_of(self.row));
        let steps = profile.sample_types.get(column).and_then(|kind| kind.steps(&comparison.unit, comparison.decimals)).unwrap_or(1);
        let steps = i64::try_from(steps).unwrap_or(i64::MAX);
        let rows = profile.samples.values(column).iter().zip(profile.samples.stacks()).enumerate().checked();
        for (row, (&value, stack)) in rows {
            let at = stack.filter(|_| value != 0).and_then(|stack| hang.on(hang.transformed.end(stack))).filter(|_| chosen.has(row));
            if let Some(cost) = at.and_then(|at| costs.get_mut(at.row())) {
                let value = value.saturating_mul(steps);
                cost.add(value, value);
            }
        }
        // Callers stand before what they call.
        for at in (0..costs.len()).rev().checked() {
            let caller = StackId::from_row(at).filter(|&row| hang.is_shown(row)).and_then(|row| hang.caller(row));
            let total = costs.get(at).map_or(0, |cost| cost.total);
            if let Some(cost) = caller.and_then(|caller| costs.get_mut(caller.row())) {
                cost.add(0, total);
            }
        }
        costs
    }
}

/// What the rows of a capture hang on after the transforms.
struct Hang<'a> {
    transformed: &'a Transformed,
    /// The row that is shown for each row: itself, or what it hangs on; `None` = the root.
    on: Vec<Option<StackId>>,
    profile: &'a Profile,
}

impl<'a> Hang<'a> {
    fn new(profile: &'a Profile, transformed: &'a Transformed) -> Self {
        let mut hang = Self { transformed, on: Vec::with_capacity(profile.stacks.len()), profile };
        for at in (0..profile.stacks.len()).checked() {
            let row = StackId::from_row(at);
            let on = row.and_then(|row| if hang.is_shown(row) { Some(row) } else { hang.caller(row) });
            hang.on.push(on);
        }
        hang
    }

    fn is_shown(&self, row: StackId) -> bool {
        self.transformed.left_out.get(row.row()) != Some(&true)
    }

    /// The row that is shown for a row.
    fn on(&self, row: StackId) -> Option<StackId> {
        self.on.get(row.row()).copied().flatten()
    }

    /// The row that a row hangs on, which is shown; `None` = the root.
    fn caller(&self, row: StackId) -> Option<StackId> {
        let callers = self.transformed.callers.as_deref().unwrap_or_else(|| self.profile.stacks.parents());
        callers.get(row.row()).copied().flatten().and_then(|caller| self.on(caller))
    }
}

/// Puts the lines of both sides together: a file that only the path tells apart is one, and a function that only moved has its lines meet.
fn put_together(by_line: ByLine, starts: &BTreeMap<String, Vec<Option<u32>>>, sides: usize) -> Vec<FileLines> {
    let start = |file: &str, side: usize| starts.get(file).and_then(|starts| starts.get(side).copied().flatten());
    let names = names_after(&by_line, sides);
    let mut files: BTreeMap<String, FileLines> = BTreeMap::new();
    let mut rows: BTreeMap<(String, u32), Line> = BTreeMap::new();
    for ((file, line), costs) in by_line {
        let after = names.get(&file).unwrap_or(&file).clone();
        let ends = (sides == 2).then(|| start(&file, 0).zip(start(&after, 1))).flatten();
        let moved = ends.map_or(0, |(before, after)| i64::from(after) - i64::from(before));
        files.entry(after.clone()).or_insert_with(|| FileLines {
            file: after.clone(),
            start_line: start(&after, sides.saturating_sub(1)).or_else(|| start(&file, 0)),
            moved,
            lines: Vec::new(),
        });
        for (at, cost) in costs.into_iter().enumerate().filter(|(_, cost)| !cost.is_zero()) {
            let is_moved = sides == 2 && at == 0 && line > 0;
            let there = if is_moved { u32::try_from(i64::from(line) + moved).unwrap_or(line) } else { line };
            let row = rows.entry((after.clone(), there)).or_insert_with(|| {
                let before = i64::from(there) - if there > 0 { moved } else { 0 };
                Line { line: there, line_before: u32::try_from(before).unwrap_or(0), costs: vec![Cost::default(); sides] }
            });
            if let Some(known) = row.costs.get_mut(at) {
                known.add(cost.self_, cost.total);
            }
        }
    }
    for ((file, _), row) in rows {
        if let Some(file) = files.get_mut(&file) {
            file.lines.push(row);
        }
    }
    files.into_values().filter(|file| !file.lines.is_empty()).collect()
}

/// The name after of files that have another path before, told by their last part, where each side has one such file.
fn names_after(by_line: &ByLine, sides: usize) -> BTreeMap<String, String> {
    if sides != 2 {
        return BTreeMap::new();
    }
    let mut on: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
    for ((file, _), costs) in by_line {
        for (mark, cost) in on.entry(file).or_default().iter_mut().zip(costs) {
            *mark |= !cost.is_zero();
        }
    }
    let only = |side: usize, base: &str| {
        let mut found = on.iter().filter(|(file, marks)| marks.get(side) == Some(&true) && base_name(file) == base);
        found.next().filter(|_| found.next().is_none()).map(|(file, _)| *file)
    };
    let before = on.iter().filter(|(file, marks)| **marks == [true, false] && !file.is_empty());
    let pairs = before.filter_map(|(&file, _)| {
        let base = base_name(file);
        let after = only(1, base).filter(|_| only(0, base) == Some(file))?;
        Some((file.to_owned(), after.to_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::comparison::{Normalization, Shape, SideInput, compare};
    use crate::analysis::{Direction, Measure, flat};
    use crate::model::{Builder, Frame, Function, Sample};

    /// A capture of lines `main:1;f:12 5`: stacks of function and line, outermost first, and a value. Functions begin at `start`.
    fn capture(text: &str, path: &str, start: u32) -> Arc<Profile> {
        let mut builder = Builder::new([("samples", "count")]);
        for line in text.split(", ") {
            let (stack, value) = line.rsplit_once(' ').unwrap();
            let mut at = None;
            for level in stack.split(';') {
                let (name, line) = level.split_once(':').unwrap();
                let (name, file) = (builder.string(name), builder.string(path));
                let function = builder.function(Function { name, system_name: None, file: Some(file), start_line: start });
                let frame = builder.frame(Frame { function: Some(function), line: line.parse().unwrap(), ..Frame::default() });
                at = Some(builder.stack(at, frame));
            }
            builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[value.parse().unwrap()]);
        }
        Arc::new(builder.finish())
    }

    fn comparison(captures: &[Arc<Profile>], filter: &Filter, by: Granularity) -> Comparison {
        let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
        let shape = Shape::build(captures, by, Direction::TopDown, filter, &Ticket::new()).unwrap();
        compare(Arc::new(shape), captures, &sides, ("samples", "count"), filter, Normalization::Absolute, &Ticket::new()).unwrap()
    }

    /// The lines of `place` as `file:line self/total`, sides with `|` between them.
    fn text(captures: &[Arc<Profile>], filter: &Filter, by: Granularity, place: &str) -> String {
        let comparison = comparison(captures, filter, by);
        let id = comparison.places().find(place).unwrap();
        let made = lines(&comparison, captures, (filter, by), id, &Ticket::new()).unwrap();
        if by == Granularity::Function {
            let flat = flat::flat(&comparison);
            for (side, cost) in flat.sides.iter().zip(&made.costs) {
                assert_eq!(
                    [Measure::Self_, Measure::Total].map(|measure| side.value(measure, id)),
                    [cost.self_, cost.total],
                    "as in the table"
                );
            }
        }
        let cost = |costs: &[Cost]| costs.iter().map(|cost| format!("{}/{}", cost.self_, cost.total)).collect::<Vec<_>>().join("|");
        let rows = made
            .files
            .iter()
            .flat_map(|file| file.lines.iter().map(move |line| format!("{}:{} {}", file.file, line.line, cost(&line.costs))));
        rows.collect::<Vec<_>>().join(", ")
    }

    fn alone(stacks: &str, filter: &Filter) -> String {
        text(&[capture(stacks, "a.go", 0)], filter, Granularity::Function, "f")
    }

    #[test]
    fn a_line_has_what_ends_on_it_and_what_comes_by_it() {
        assert_eq!(
            alone("main:1;f:12 5, main:1;f:12;g:30 2, main:2;f:14;g:30 4, main:3 9", &Filter::default()),
            "a.go:12 5/7, a.go:14 0/4"
        );
    }

    #[test]
    fn a_sample_counts_once_a_line_in_recursions() {
        let stacks = "f:12;f:12;f:13;f:12 5, f:12;f:13;g:1 2";
        assert_eq!(alone(stacks, &Filter::default()), "a.go:12 5/7, a.go:13 0/7");
    }

    #[test]
    fn what_is_left_out_counts_for_the_line_it_hangs_on() {
        let stacks = "main:1;f:12;g:30;h:40 2, main:1;f:13;g:31 4";
        let hide = Filter { hide: Some("^g$".to_owned()), ..Filter::default() };
        assert_eq!(alone(stacks, &hide), "a.go:12 0/2, a.go:13 4/4");
        let collapse = Filter { collapse: Some("^f$".to_owned()), ..Filter::default() };
        assert_eq!(alone(stacks, &collapse), "a.go:12 2/2, a.go:13 4/4");
        let recursion = Filter { recursion: Some(".".to_owned()), ..Filter::default() };
        assert_eq!(alone("f:12;g:1;f:13 2, f:12 1", &recursion), "a.go:12 3/3", "a recursion stands at its outermost frame");
        let begin = Filter { show_from: Some("^g$".to_owned()), ..Filter::default() };
        assert_eq!(text(&[capture(stacks, "a.go", 0)], &begin, Granularity::Function, "g"), "a.go:30 0/2, a.go:31 4/4");
    }

    #[test]
    fn samples_that_filters_drop_count_nowhere() {
        let focus = Filter { focus: Some("^h$".to_owned()), ..Filter::default() };
        assert_eq!(alone("main:1;f:12;h:40 2, main:1;f:13;g:31 4", &focus), "a.go:12 0/2");
    }

    #[test]
    fn a_function_that_moved_has_its_lines_meet() {
        let (before, after) = (capture("f:12 5, f:14 1", "/old/a.go", 10), capture("f:22 7, f:25 2", "/new/a.go", 20));
        assert_eq!(
            text(&[before.clone(), after], &Filter::default(), Granularity::Function, "f"),
            "/new/a.go:22 5/5|7/7, /new/a.go:24 1/1|0/0, /new/a.go:25 0/0|2/2"
        );
        let elsewhere = capture("f:22 7", "/new/b.go", 0);
        assert_eq!(
            text(&[before, elsewhere], &Filter::default(), Granularity::Function, "f"),
            "/new/b.go:22 0/0|7/7, /old/a.go:12 5/5|0/0, /old/a.go:14 1/1|0/0"
        );
    }

    #[test]
    fn a_line_or_a_file_shows_the_lines_around_it() {
        let captures = [capture("main:1;f:12 5, main:1;f:13;g:30 2", "a.go", 0)];
        assert_eq!(text(&captures, &Filter::default(), Granularity::Line, "f a.go:13"), "a.go:12 5/5, a.go:13 0/2");
        assert_eq!(text(&captures, &Filter::default(), Granularity::File, "a.go"), "a.go:1 0/7, a.go:12 5/5, a.go:13 0/2, a.go:30 2/2");
    }

    #[test]
    fn the_range_begins_with_the_function_or_a_few_lines_before() {
        let line = |line| Line { line, line_before: line, costs: Vec::new() };
        let file =
            |start_line, lines: &[u32]| FileLines { start_line, lines: lines.iter().map(|&at| line(at)).collect(), ..FileLines::default() };
        assert_eq!(file(Some(10), &[0, 12, 40]).ranges(), [10..=45]);
        assert_eq!(file(None, &[3, 40]).ranges(), [1..=45]);
        assert_eq!(file(Some(100), &[12, 20, 40, 103, 900]).ranges(), [7..=25, 35..=45, 100..=905], "other code of the file stands alone");
        assert_eq!(file(Some(50), &[12]).ranges(), [7..=17]);
        assert_eq!(file(None, &[12, 900]).ranges(), [7..=17, 895..=905]);
        assert_eq!(file(None, &[0]).ranges(), []);
    }
}
