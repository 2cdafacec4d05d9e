//! Which samples count and which frames are shown.
//!
//! The words and meanings are pprof's: focus keeps samples with a matching frame, ignore drops them, hide leaves matching frames out.
//! Patterns match anywhere in the name, as RE2; a pattern that is no valid expression is taken as plain text.

use regex::{Regex, RegexBuilder, escape};
use rustc_hash::FxHashSet;

use super::group::{Groups, value_of_function};
use super::place::{Place, PlaceId, Places};
use super::prune;
use super::span::Span;
use super::tags::Tags;
use crate::base::ticket::Checked as _;
use crate::model::{Label, LabelValue, Profile};

/// A choice of samples and frames; the default lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Threads by display name (see [`thread_label`]); empty = all.
    pub threads: Vec<String>,
    /// Labels as (key, value text); values of one key are alternatives, different keys must all match; empty = all.
    pub labels: Vec<(String, String)>,
    /// Conditions on labels that must all hold, see [`Tags`]; empty = all.
    pub tag_focus: Vec<String>,
    /// Drop samples for which one of these holds.
    pub tag_ignore: Vec<String>,
    /// Time range of each capture since its own first sample; samples without a time are outside, also of a rest.
    pub time: Option<Span>,
    /// Keep only samples with a frame that matches.
    pub focus: Option<String>,
    /// Drop samples with a frame that matches.
    pub ignore: Option<String>,
    /// Leave matching frames out of stacks: what they call hangs on their callers, and their value is their callers'.
    pub hide: Option<String>,
    /// Leave all other frames out of stacks, in the same way.
    pub show: Option<String>,
    /// Stacks begin at their outermost frame that matches; samples without one are dropped.
    pub show_from: Option<String>,
    /// One pattern for each frame of a path from the outermost one on: only samples on that path, which begin at its last frame. Empty = all.
    pub subtree: Vec<String>,
    /// What the outermost matching frame calls is its own value.
    pub collapse: Option<String>,
    /// What the innermost frame whose function matches calls is its own value: what pprof calls by this name.
    pub prune_from: Option<String>,
    /// From the outermost to the innermost frame of one matching function, a stack has one frame.
    pub recursion: Option<String>,
    /// The same where such frames call each other directly.
    pub direct_recursion: Option<String>,
    /// Leave frames out that the compiler put into their callers, whose value theirs is then: one frame an instruction, pprof's `-noinlines`.
    pub no_inlines: bool,
    /// Show the frames too that a capture itself asks to drop, see [`super::prune`].
    pub all_frames: bool,
    /// Percentages are of what the filter leaves, and not of all (pprof's `-relative_percentages`).
    pub of_filtered: bool,
    /// Keys whose values stacks begin with, see [`super::group`]; it is done to captures before they are filtered.
    pub group_by: Vec<String>,
    /// Keys whose values stacks end with.
    pub group_leaves: Vec<String>,
}

impl Filter {
    /// True where nothing is filtered.
    pub fn is_empty(&self) -> bool {
        Self { of_filtered: false, group_by: Vec::new(), group_leaves: Vec::new(), ..self.clone() } == Self::default()
    }

    /// What captures are grouped by before they are filtered.
    pub fn groups(&self) -> Groups {
        Groups { roots: self.group_by.clone(), leaves: self.group_leaves.clone() }
    }

    /// The filter as options of the command line, each with its value: `--focus=main`; none where nothing is filtered. Ranges of time, which are parts
    /// of captures there, are written as such.
    pub fn options(&self) -> Vec<String> {
        self.groups().options().into_iter().chain(self.choices()).collect()
    }

    /// The same without groups, which let everything through.
    pub fn choices(&self) -> Vec<String> {
        let named = |option: &str, value: &str| format!("--{option}={value}");
        let mut options: Vec<String> = self.time.iter().map(|span| format!("time={}", span.text())).collect();
        options.extend(self.patterns().into_iter().map(|(option, _)| option));
        options.extend(self.threads.iter().map(|thread| named("thread", thread)));
        options.extend(self.labels.iter().map(|(key, value)| named("label", &format!("{key}={value}"))));
        options.extend(self.tag_options());
        options.extend(self.no_inlines.then(|| "--no-inlines".to_owned()));
        options.extend(self.all_frames.then(|| "--all-frames".to_owned()));
        options.extend(self.of_filtered.then(|| "--relative-percentages".to_owned()));
        options
    }

    /// The options that look at labels.
    fn tag_options(&self) -> impl Iterator<Item = String> + '_ {
        let tags = [("tagfocus", &self.tag_focus), ("tagignore", &self.tag_ignore)];
        tags.into_iter().flat_map(|(option, tags)| tags.iter().map(move |condition| format!("--{option}={condition}")))
    }

    /// The options of which the condition holds for no labels that `is_there` looks at.
    pub(super) fn tags_without(&self, is_there: &dyn Fn(&Tags) -> bool) -> Vec<String> {
        let tags = self.tag_focus.iter().chain(&self.tag_ignore).map(|condition| tags_of(condition));
        self.tag_options().zip(tags).filter(|(_, tags)| !is_there(tags)).map(|(option, _)| option).collect()
    }

    /// The options that look for frames, each as the command line has it, with the patterns that must find some: several of a path, one otherwise.
    pub(super) fn patterns(&self) -> Vec<(String, Vec<&str>)> {
        // The slashes say that it is an expression, which the command line needs no sign for.
        let plain = |value: &str| value.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap_or(value).to_owned();
        let single = [
            ("focus", &self.focus),
            ("ignore", &self.ignore),
            ("hide", &self.hide),
            ("show", &self.show),
            ("show-from", &self.show_from),
            ("collapse", &self.collapse),
            ("prune-from", &self.prune_from),
            ("collapse-recursion", &self.recursion),
            ("collapse-direct-recursion", &self.direct_recursion),
        ];
        let single = single.into_iter().filter_map(|(option, pattern)| Some((option, pattern.as_deref()?)));
        let mut patterns: Vec<(String, Vec<&str>)> =
            single.map(|(option, pattern)| (format!("--{option}={}", plain(pattern)), vec![pattern])).collect();
        if !self.subtree.is_empty() {
            let names = self.subtree.iter().map(|pattern| names_of(pattern).map_or_else(|| pattern.clone(), |names| names.join("|")));
            let option = format!("--subtree={}", names.collect::<Vec<_>>().join(";"));
            patterns.push((option, self.subtree.iter().map(String::as_str).collect()));
        }
        patterns
    }

    /// True where frames are left out, see [`transform`](super::transform).
    pub const fn transforms(&self) -> bool {
        self.no_inlines
            || self.hide.is_some()
            || self.show.is_some()
            || self.show_from.is_some()
            || !self.subtree.is_empty()
            || self.collapse.is_some()
            || self.prune_from.is_some()
            || self.recursion.is_some()
            || self.direct_recursion.is_some()
    }

    /// What of the filter a tree depends on: all that changes frames, and nothing that only chooses samples.
    pub fn of_frames(&self) -> Self {
        Self {
            threads: Vec::new(),
            labels: Vec::new(),
            tag_focus: Vec::new(),
            tag_ignore: Vec::new(),
            time: None,
            focus: None,
            ignore: None,
            of_filtered: false,
            ..self.clone()
        }
    }

    /// Whether the sample of a row passes; the capture's tables are looked up once.
    pub fn samples<'a>(&self, profile: &'a Profile) -> impl Fn(usize) -> bool + use<'a> {
        let chosen = Chosen::new(profile, &[self]);
        move |row| chosen.has(row)
    }

    /// The part of the filter that needs a capture's tables, looked up once.
    fn resolve(&self, profile: &Profile) -> Resolved {
        let threads = (!self.threads.is_empty())
            .then(|| profile.threads.ids().map(|id| self.threads.contains(&thread_label(profile, id))).collect::<Vec<bool>>());
        let tags = |conditions: &[String]| -> Vec<Tags> { conditions.iter().map(|condition| tags_of(condition)).collect() };
        let (focus, ignore) = (tags(&self.tag_focus), tags(&self.tag_ignore));
        let label_sets = (!self.labels.is_empty() || !focus.is_empty() || !ignore.is_empty()).then(|| {
            let passes = |set: &[Label]| {
                let has = |tags: &Tags| tags.has(profile, set);
                (self.labels.is_empty() || self.labels_match(&texts(profile, set))) && focus.iter().all(has) && !ignore.iter().any(has)
            };
            profile.label_sets.iter().checked().map(passes).chain([passes(&[])]).collect()
        });
        let by_stack = (self.focus.is_some() || self.ignore.is_some()).then(|| self.stacks(profile));
        // A capture without times has no sample in any range.
        let time = self.time.map(|span| (profile.samples.time_range().map_or(0, |(first, _)| first), span));
        Resolved { threads, label_sets, by_stack, time }
    }

    fn labels_match(&self, labels: &[(String, String)]) -> bool {
        self.labels.iter().all(|(key, _)| {
            let wanted = self.labels.iter().filter(|(other, _)| other == key);
            let mut wanted = wanted.map(|(_, value)| value);
            wanted.any(|value| {
                if value.is_empty() {
                    !labels.iter().any(|(name, _)| name == key)
                } else {
                    labels.iter().any(|(name, text)| name == key && text == value)
                }
            })
        })
    }

    /// For each stack row: does a sample with this stack pass focus and ignore? The last entry is for samples without a stack.
    fn stacks(&self, profile: &Profile) -> Vec<bool> {
        let frames = |pattern: &Option<String>| -> Option<Vec<bool>> {
            let pattern = compile(pattern.as_deref()?);
            Some(frames_matching(profile, &pattern))
        };
        let dropped = if self.all_frames { None } else { prune::hidden(profile) };
        let is_dropped = |row: usize| dropped.as_ref().is_some_and(|dropped| dropped[row]);
        let spread = |marked: &[bool]| -> Vec<bool> {
            let mut rows = Vec::with_capacity(profile.stacks.len());
            for (row, (parent, frame)) in profile.stacks.parents().iter().zip(profile.stacks.frames()).enumerate().checked() {
                let above = parent.is_some_and(|parent| rows[parent.row()]);
                rows.push(above || marked[frame.row()] && !is_dropped(row));
            }
            rows
        };
        let (focus, ignore) = (frames(&self.focus), frames(&self.ignore));
        let focus = focus.as_deref().map(spread);
        let ignore = ignore.as_deref().map(spread);
        let mut pass: Vec<bool> = (0..profile.stacks.len())
            .checked()
            .map(|row| focus.as_ref().is_none_or(|focus| focus[row]) && ignore.as_ref().is_none_or(|ignore| !ignore[row]))
            .collect();
        pass.push(focus.is_none());
        pass
    }
}

/// pprof matches function name, file name and mapping file.
pub fn frame_matches(profile: &Profile, id: crate::model::FrameId, pattern: &Regex) -> bool {
    let frame = profile.frames.at(id);
    let file = frame.function.and_then(|function| profile.functions.at(function).file);
    pattern.is_match(&profile.frame_name(id))
        || file.is_some_and(|file| pattern.is_match(&profile.strings[file]))
        || frame.mapping.is_some_and(|mapping| pattern.is_match(profile.mapping_file(mapping)))
}

/// For each frame: does [`frame_matches`] hold? Each name, file and module is looked at once.
pub fn frames_matching(profile: &Profile, pattern: &Regex) -> Vec<bool> {
    let is_match = |id: crate::base::intern::StringId| pattern.is_match(&profile.strings[id]);
    let of_function = |function: &crate::model::Function| {
        is_match(function.name)
            || function.file.is_some_and(is_match)
            || value_of_function(profile, function).is_some_and(|value| pattern.is_match(value))
    };
    let functions: Vec<bool> = profile.functions.iter().checked().map(|function| of_function(&function)).collect();
    let modules: Vec<bool> = profile.mappings.ids().checked().map(|mapping| pattern.is_match(profile.mapping_file(mapping))).collect();
    let frames = profile.frames.iter_ids().checked();
    let has = |marked: &[bool], row: usize| marked.get(row) == Some(&true);
    let found = frames.map(|(id, frame)| match frame.function {
        Some(function) if has(&functions, function.row()) => true,
        _ if frame.mapping.is_some_and(|mapping| has(&modules, mapping.row())) => true,
        Some(function) if !profile.function_name(function).is_empty() => false,
        _ => frame_matches(profile, id, pattern),
    });
    found.collect()
}

/// The samples of one capture that all of some filters let through.
pub struct Chosen<'a> {
    profile: &'a Profile,
    filters: Vec<Resolved>,
    by_stack: Option<&'a [bool]>,
}

impl<'a> Chosen<'a> {
    /// Looks the filters up in the capture.
    pub fn new(profile: &'a Profile, filters: &[&Filter]) -> Self {
        let filters = filters.iter().filter(|filter| !filter.is_empty()).map(|filter| filter.resolve(profile)).collect();
        Self { profile, filters, by_stack: None }
    }

    /// Of these only the samples whose stack row is marked; the last mark is that of samples without a stack. See
    /// [`Transformed::samples`](super::transform::Transformed::samples).
    #[must_use]
    pub fn of_stacks(self, marked: Option<&'a [bool]>) -> Self {
        Self { by_stack: marked, ..self }
    }

    /// True where the sample of a row counts.
    pub fn has(&self, row: usize) -> bool {
        let is_marked = |marked: &[bool]| {
            let stack = self.profile.samples.stacks().get(row).copied().flatten();
            let at = stack.map_or(marked.len().saturating_sub(1), crate::model::StackId::row);
            marked.get(at).copied().unwrap_or(false)
        };
        self.by_stack.is_none_or(is_marked) && self.filters.iter().all(|filter| filter.lets_through(self.profile, row))
    }
}

/// A filter looked up in one capture.
struct Resolved {
    threads: Option<Vec<bool>>,
    label_sets: Option<Vec<bool>>,
    by_stack: Option<Vec<bool>>,
    /// The first sample's time, and the range from there.
    time: Option<(i64, Span)>,
}

impl Resolved {
    fn lets_through(&self, profile: &Profile, row: usize) -> bool {
        let samples = &profile.samples;
        let thread = samples.threads()[row];
        if let Some(threads) = &self.threads
            && !thread.is_some_and(|thread| threads[thread.row()])
        {
            return false;
        }
        if let Some(sets) = &self.label_sets {
            let at = samples.labels()[row].map_or(sets.len() - 1, crate::model::LabelSetId::row);
            if !sets[at] {
                return false;
            }
        }
        if let Some(stacks) = &self.by_stack {
            let at = samples.stacks()[row].map_or(stacks.len() - 1, crate::model::StackId::row);
            if !stacks[at] {
                return false;
            }
        }
        self.time.is_none_or(|(first, span)| samples.time(row).is_some_and(|time| span.has(time.saturating_sub(first))))
    }
}

/// How a thread is named in lists and filters: `name (pid/tid)` with what is known.
pub fn thread_label(profile: &Profile, id: crate::model::ThreadId) -> String {
    let thread = profile.threads[id];
    let name = &profile.strings[thread.name];
    match (thread.pid, thread.tid) {
        (Some(pid), Some(tid)) if pid != tid => format!("{name} ({pid}/{tid})"),
        (_, Some(id)) | (Some(id), None) => format!("{name} ({id})"),
        (None, None) => name.to_owned(),
    }
}

/// Labels as text, numbers with their unit.
pub fn texts(profile: &Profile, labels: &[crate::model::Label]) -> Vec<(String, String)> {
    labels
        .iter()
        .map(|label| {
            let value = match label.value {
                LabelValue::Text(text) => profile.strings[text].to_owned(),
                LabelValue::Number(number, Some(unit)) => format!("{number} {}", &profile.strings[unit]),
                LabelValue::Number(number, None) => number.to_string(),
            };
            (profile.strings[label.key].to_owned(), value)
        })
        .collect()
}

/// The places whose name, file or module matches a pattern.
pub fn matching(places: &Places, pattern: &str) -> FxHashSet<PlaceId> {
    let pattern = compile(pattern);
    let matches = |place: &Place| pattern.is_match(&place.name) || pattern.is_match(&place.file) || pattern.is_match(&place.module);
    let found = places.iter_ids().skip(1).checked().filter(|(_, place)| matches(place)).map(|(id, _)| id);
    // A function that has another name on one side is found by both.
    found.chain(places.spellings().checked().filter(|(name, _)| pattern.is_match(name)).map(|(_, id)| id)).collect()
}

/// The places whose name matches a pattern, whatever their file and module: what `go tool pprof -list` goes by.
pub fn matching_names(places: &Places, pattern: &str) -> FxHashSet<PlaceId> {
    let pattern = compile(pattern);
    let found = places.iter_ids().skip(1).checked().filter(|(_, place)| pattern.is_match(&place.name)).map(|(id, _)| id);
    found.chain(places.spellings().checked().filter(|(name, _)| pattern.is_match(name)).map(|(_, id)| id)).collect()
}

/// A pattern that matches exactly these names.
pub fn exactly(names: &[String]) -> String {
    let escaped: Vec<String> = names.iter().map(|name| escape(name)).collect();
    match escaped.as_slice() {
        [one] => format!("^{one}$"),
        several => format!("^({})$", several.join("|")),
    }
}

/// The names that a pattern matches where it matches whole names and nothing else, as [`exactly`] writes it.
pub fn names_of(pattern: &str) -> Option<Vec<String>> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    // The brackets around several names are not escaped, those of a name are.
    let list = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let (mut names, mut name, mut is_escaped) = (Vec::new(), String::new(), false);
    for letter in list.unwrap_or(inner).chars() {
        match (is_escaped, letter) {
            // Escaped letters are classes: `\d`.
            (true, letter) if letter.is_alphanumeric() => return None,
            (false, '\\') => {}
            (false, '|') if list.is_some() => names.push(std::mem::take(&mut name)),
            (false, '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') => return None,
            (_, letter) => name.push(letter),
        }
        is_escaped = !is_escaped && letter == '\\';
    }
    names.push(name);
    (!is_escaped && names.iter().all(|name| !name.is_empty())).then_some(names)
}

/// A pattern that matches what one of two patterns matches.
pub fn or(old: &str, new: &str) -> String {
    if let (Some(mut names), Some(more)) = (names_of(old), names_of(new)) {
        names.extend(more);
        names.sort_unstable();
        names.dedup();
        return exactly(&names);
    }
    // Each with the case that it has alone.
    let part = |pattern: &str| {
        let compiled = compile(pattern);
        let (_, insensitive) = parts_of(pattern);
        format!("(?{}:{})", if insensitive { "i" } else { "" }, compiled.as_str())
    };
    format!("/{}|{}/", part(old), part(new))
}

/// A regular expression as a command line has it, in the form for [`compile`]: case-sensitive, unanchored, slashes are slashes, as pprof takes it. The
/// error says what is wrong with it.
pub fn parse_expression(expression: &str) -> Result<String, String> {
    problem(expression).map_or_else(|| Ok(of_expression(expression)), Err)
}

/// What is wrong with a pattern of people that is written as an expression, `/re/` or `/re/i`, and is none.
pub fn expression_error(pattern: &str) -> Option<String> {
    let (body, _) = parts_of(pattern);
    (body.len() < pattern.len()).then(|| problem(body)).flatten()
}

fn problem(text: &str) -> Option<String> {
    expression(text).err()
}

/// A regular expression as it is written; the error says what is wrong with it.
pub(super) fn expression(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(expression).size_limit(EXPRESSION_BYTES).build().map_err(|error| {
        // The last line of several; those before it repeat the expression.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{expression}` is no regular expression: {reason}")
    })
}

/// A condition on labels; one that is none is taken as plain text, as with patterns.
fn tags_of(condition: &str) -> Tags {
    // An escaped text is an expression unless it is megabytes long; then nothing can match it.
    Tags::parse(condition).or_else(|_| Tags::parse(&escape(condition))).unwrap_or_else(|_| Tags::nothing())
}

/// An expression in the form for [`compile`].
pub fn of_expression(expression: &str) -> String {
    format!("/{expression}/")
}

/// Largest compiled size of an expression.
const EXPRESSION_BYTES: usize = 1 << 20;

/// A pattern as people type it. `/re/` and `/re/i` are expressions; anything else is tried as an expression (case-insensitive unless
/// it has a capital letter) and taken as plain text where it is none.
pub fn compile(pattern: &str) -> Regex {
    let (body, insensitive) = parts_of(pattern);
    let build = |text: &str| RegexBuilder::new(text).case_insensitive(insensitive).size_limit(EXPRESSION_BYTES).build();
    // An escaped text always compiles unless it is megabytes long; then nothing can match it.
    build(body)
        .or_else(|_| build(&escape(body)))
        .unwrap_or_else(|_| Regex::new("$^").unwrap_or_else(|_| unreachable!("a constant expression")))
}

/// The expression of a pattern, and whether it is of either case.
fn parts_of(pattern: &str) -> (&str, bool) {
    match pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) if matches!(flags, "" | "i") => (body, flags == "i"),
        _ => (pattern, !pattern.contains(char::is_uppercase)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_an_expression_can_be_a_wrong_one() {
        let said = expression_error("/f(/").expect("a group is open");
        assert!(said.starts_with("`f(` is no regular expression: unclosed group"), "{said}");
        assert_eq!(["f(", "/f/", "/a/b", "/F/i", ""].map(expression_error), [const { None }; 5]);
    }

    #[test]
    fn two_patterns_match_what_either_matches() {
        let exact = |name: &str| exactly(&[name.to_owned()]);
        assert_eq!(or(&exact("a.f"), &exact("b|c")), "^(a\\.f|b\\|c)$");
        assert_eq!(names_of(&or(&or(&exact("x"), &exact("a.f")), &exact("x"))), Some(vec!["a.f".to_owned(), "x".to_owned()]));
        let both = compile(&or("json", &exact("main.Foo")));
        assert!(both.is_match("encoding/JSON") && both.is_match("main.Foo") && !both.is_match("main.foo") && !both.is_match("main.Foo2"));
        let both = compile(&or("f(", "/G/"));
        assert!(both.is_match("F(") && both.is_match("G") && !both.is_match("g"));
    }
}
