//! Everything a user can do: one list for menus, keys, palette, scripts and tests.
//!
//! A [`Command`] carries its values and has a text form (its name, then its values as JSON). A [`CommandKind`] is the same without
//! values, with title, keys and the rule that makes it available. Deliberately absent: what a command does, see `apply`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

mod kinds;

pub use kinds::{Can, CommandKind, KINDS, Keys, Menu, kind};

use super::effect::{Dialog, FolderList, TextSize};
use super::findings::{FindingKind, Thresholds};
use super::settings::ThemeChoice;
use super::source::SourceSpec;
use super::view::{CaptureId, ColorBy, FlameShape, FlameWindow, Half, SandwichWindow, Selection, SiblingOrder, Side, Sort, Tab, ViewState};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::Normalization;
use crate::analysis::diff::{Exposure, Measure};
use crate::analysis::part::Part;
use crate::analysis::place::Granularity;
use crate::analysis::span::Span;

/// One thing a user does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Open captures beside those that are open, and show the first of them.
    Open(Vec<PathBuf>),
    /// Open two captures and compare them: before, after.
    OpenComparison(PathBuf, PathBuf),
    /// Open several captures of each side and compare them: those of before, those of after. Repeats show how much runs vary.
    OpenSides(Vec<PathBuf>, Vec<PathBuf>),
    /// Open captures and add them to a side.
    AddFiles(Side, Vec<PathBuf>),
    /// Open the sample pair that the program carries, and compare it.
    OpenSample,
    /// Files that were dropped on the window: two ask which is before, more of them which side each is on, one is opened.
    Drop(Vec<PathBuf>),
    /// Read a capture again from its file.
    Reload(CaptureId),
    /// Close a capture.
    Close(CaptureId),
    /// Close all captures.
    CloseAll,
    /// Forget the recent files.
    ClearRecent,
    /// Show one capture alone.
    Show(CaptureId),
    /// Compare: this capture is before.
    SetBefore(CaptureId),
    /// Compare: this capture is after.
    SetAfter(CaptureId),
    /// A further capture of this side; where it stands on the other one, it moves.
    AddToSide(Side, CaptureId),
    /// Take a capture out of a side; it stays open.
    RemoveFromSide(Side, CaptureId),
    /// Compare parts of captures: what part before is, what part after is. Where one capture is shown, both are parts of it.
    CompareParts(Box<[Part; 2]>),
    /// Let the user write which parts are compared, beginning with these.
    ChooseParts(Box<[Part; 2]>),
    /// Exchange before and after.
    SwapSides,
    /// Leave the comparison, keep after.
    LeaveComparison,
    /// Show a sample type: (name, unit).
    SetSampleType(String, String),
    /// Tell frames apart by this.
    SetGranularity(Granularity),
    /// Callers above callees, or the other way round.
    SetDirection(Direction),
    /// Make the sides comparable by this; null = what fits the sample type.
    SetNormalization(Option<Normalization>),
    /// Where the ratio of work comes from, against which every place is held.
    SetExposure(Exposure),
    /// Take two names as one function: before, after.
    AcceptMatch(String, String),
    /// Keep the function of this name apart from all that it was or could be matched with.
    KeepApart(String),
    /// Let rules and context decide about this name again.
    ForgetMatch(String),
    /// Match names across builds by rule and by context (true), or only equal ones.
    MatchNames(bool),
    /// Forget everything that was decided about names.
    ResetMatches,
    /// Keep samples with a matching frame; empty = all.
    Focus(String),
    /// Drop samples with a matching frame; empty = none.
    Ignore(String),
    /// Leave matching frames out, which merges them into their callers; empty = none.
    Hide(String),
    /// Leave all other frames out, in the same way; empty = none.
    ShowOnly(String),
    /// Stacks begin at their outermost matching frame, and samples without one are dropped; empty = all. Takes the place of a subtree.
    ShowFrom(String),
    /// Only samples on one path, which begin at its last frame: a pattern for each frame from the outermost one on; empty = all.
    FocusSubtree(Vec<String>),
    /// What matching frames call becomes their own value; empty = none.
    Collapse(String),
    /// What the innermost frame whose name matches calls is its own value; empty = none.
    PruneFrom(String),
    /// One frame for all of a recursion of matching functions; empty = none.
    CollapseRecursion(String),
    /// The same where they call themselves directly; empty = none.
    CollapseDirectRecursion(String),
    /// Show the frames too that a capture itself asks to drop (pprof's drop_frames).
    AllFrames(bool),
    /// Percentages are of what the filters leave, and not of all.
    RelativePercentages(bool),
    /// Only these threads; empty = all.
    SetThreads(Vec<String>),
    /// Only samples with these labels (key, value); empty = all.
    SetLabels(Vec<(String, String)>),
    /// Only samples whose labels fulfil all of these conditions, `endpoint=^/cart` or `bytes=4kb:64kb`; empty = all.
    TagFocus(Vec<String>),
    /// Without samples whose labels fulfil one of these conditions; empty = all.
    TagIgnore(Vec<String>),
    /// Leave out frames that the compiler put into their callers.
    NoInlines(bool),
    /// Stacks begin with what their samples have of these: `thread`, `process`, or keys of labels; empty = with functions alone.
    GroupBy(Vec<String>),
    /// Stacks end with what their samples have of these.
    GroupLeaves(Vec<String>),
    /// Only this time range since the first sample, such as `1.2s..2.85s`; null = all. In a comparison, of both sides.
    SetTimeRange(Option<Span>),
    /// Only this time range of one side of a comparison; null = all.
    SetSideTime(Side, Option<Span>),
    /// Remove all filters.
    ClearFilters,
    /// Bring a view to the front.
    SetTab(Tab),
    /// Widths of the differential flame graph.
    SetFlameShape(FlameShape),
    /// Order of boxes with one caller: by name, or the largest first.
    SetSiblingOrder(SiblingOrder),
    /// Colours of the flame graph; null = what fits.
    SetColorBy(Option<ColorBy>),
    /// Show this part of the flame graph.
    SetWindow(FlameWindow),
    /// Show all of the flame graph, or of the sandwich in front.
    ResetZoom,
    /// Bring the sandwich of a function to the front: what calls it, and what it calls.
    Sandwich(String),
    /// Select a box of the sandwich in front: in which picture, and the names from the function on, which is left out.
    SelectInSandwich(Half, Vec<String>),
    /// Show this part of the sandwich.
    SetSandwichWindow(SandwichWindow),
    /// Fit the selected node.
    ZoomToSelection,
    /// Twice as large around the middle.
    ZoomIn,
    /// Half as large around the middle.
    ZoomOut,
    /// Select a place or node; null = nothing.
    Select(Option<Selection>),
    /// Search in all views.
    Search(String),
    /// Select the next match of the search.
    NextMatch,
    /// Select the previous match of the search.
    PreviousMatch,
    /// Sort the top table.
    SetSort(Sort),
    /// Compare self values or totals in tables.
    SetMeasure(Measure),
    /// Show only names that match in the top table.
    FilterTop(String),
    /// Unfold or fold a node of the call tree, by path.
    SetUnfolded(Vec<String>, bool),
    /// Unfold the heaviest path below the selection (or the root).
    UnfoldHeaviest,
    /// Unfold everything below the selection (or the root), heaviest first, up to a limit.
    UnfoldAll,
    /// Unfold the callers of the selection, so that it is on view in the call tree.
    Reveal,
    /// Fold the whole call tree.
    FoldAll,
    /// Show only findings whose function, verdict or reason holds this text; empty = all.
    FilterFindings(String),
    /// Show findings of a kind, or hide them.
    ShowFindings(FindingKind, bool),
    /// Findings of one cause stand together (true), or all stand by rank.
    GroupFindings(bool),
    /// From where on a change is named.
    SetThresholds(Thresholds),
    /// Select a finding by its rank, from 1; every view follows.
    SelectFinding(usize),
    /// Select the next finding.
    NextFinding,
    /// Select the previous finding.
    PreviousFinding,
    /// Show one finding after the other to an audience: large, full screen and without bars. The summary is the stop before the first.
    Present(bool),
    /// Write this about all that is shown; empty = nothing.
    Remark(String),
    /// Write this about a function: its name, the text; empty = nothing.
    RemarkOn(String, String),
    /// Let the user write about what is selected, or about all that is shown.
    WriteRemark,
    /// Take the last change of the view back.
    Undo,
    /// Do it again.
    Redo,
    /// Colours of the window.
    SetTheme(ThemeChoice),
    /// Root on top (true) or at the bottom.
    SetIcicle(bool),
    /// Height of a flame box in points, 14 to 28.
    SetRowHeight(f32),
    /// What part of the right side's height the details of the selection have.
    SetDetailsShare(f32),
    /// Right side visible or not.
    SetSidePanel(bool),
    /// Strip of the captures' time visible or not.
    SetTimeline(bool),
    /// No animation.
    SetReducedMotion(bool),
    /// Zoom the window.
    SetTextSize(TextSize),
    /// The window takes the whole screen, or no longer does.
    ToggleFullScreen,
    /// Look for source files below these folders, without these beginnings of their recorded paths.
    SetSource(SourceSpec),
    /// Let the user write where source files or binaries are; the text explains why.
    EditFolders(FolderList, String),
    /// Let the user choose a folder for such a list.
    ChooseFolder(FolderList),
    /// Add a folder to such a list.
    AddFolder(FolderList, PathBuf),
    /// Look for binaries below these folders.
    SetSymbolRoots(Vec<PathBuf>),
    /// Keep looked-up symbols for the next time, or do not.
    SetSymbolCache(bool),
    /// Ask debuginfod servers for debug files that are not here, or do not.
    SetDebuginfod(bool),
    /// Remove the symbols that were kept.
    ClearSymbolCache,
    /// Copy the selected name.
    CopyName,
    /// Copy the selected stack, outermost first.
    CopyStack,
    /// Copy the table in front as tab-separated text.
    CopyTable,
    /// Copy the source in front with what its lines cost, as text.
    CopySource,
    /// Copy the findings as text.
    CopyFindings,
    /// Copy the ranked findings as Markdown, for pull requests and design notes.
    CopyFindingsMarkdown,
    /// Copy the ranked findings as comma-separated values with plain numbers.
    CopyFindingsCsv,
    /// Copy the last commands as a script.
    CopyScript,
    /// Write the current view to a file; its ending says how (svg, png, html, csv, json, md, folded, pb.gz).
    Export(PathBuf),
    /// Stop a job.
    CancelJob(u64),
    /// Take a message away.
    Dismiss(u64),
    /// Take a message away that was shown for its time.
    Expire(u64),
    /// Let the user choose files.
    ChooseFiles,
    /// Let the user choose the other side of a comparison, or both.
    ChooseComparison,
    /// Let the user choose captures that join a side.
    ChooseForSide(Side),
    /// Let the user choose where to export to.
    ChooseExport,
    /// Ask where to write the page for a review.
    ChooseReview,
    /// Open the box for a path typed by hand; the text says why it is shown, empty = the user asked for it.
    TypePath(String),
    /// Type the path of the capture to compare with one that is shown; the text explains why it is asked for.
    TypeOtherPath(PathBuf, String),
    /// Open the box for paths of captures that join a side.
    TypeSidePaths(Side),
    /// Open the box for the path of an export typed by hand, with this proposal.
    TypeExportPath(String),
    /// Put the keyboard into the search box.
    FocusSearch,
    /// Open the command palette.
    Palette,
    /// Show all keys.
    Shortcuts,
    /// Show what was said lately.
    Messages,
    /// Show version and licence.
    About,
    /// Close the open dialog.
    CloseDialog,
    /// Close the window.
    Quit,
}

impl Command {
    /// The line that means this command in a script: its name, then its values as JSON.
    pub fn to_line(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            Ok(serde_json::Value::Object(map)) => map.into_iter().next().map(|(name, value)| format!("{name} {value}")).unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The command of a script line. Values are JSON; plain text is taken where one text is wanted, and words where several are.
    pub fn from_line(line: &str) -> Result<Self, String> {
        let (name, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        let make = |value: serde_json::Value| serde_json::from_value::<Self>(serde_json::json!({ name: value }));
        if rest.is_empty() {
            let unit = serde_json::from_value::<Self>(serde_json::Value::String(name.to_owned()));
            return unit
                .or_else(|_| make(serde_json::Value::Null))
                .or_else(|_| make(serde_json::json!("")))
                .map_err(|error| explain(name, &error));
        }
        let words = || serde_json::json!(rest.split_whitespace().collect::<Vec<_>>());
        let text = || serde_json::json!(rest);
        let first = make(serde_json::from_str(rest).unwrap_or_else(|_| text()));
        first.or_else(|why| make(text()).or_else(|_| make(words())).map_err(|_second| explain(name, &why)))
    }

    /// True for changes that come many in a row and are undone as one. Zooms are no such changes: each is a place to go back to.
    pub(super) fn is_continuous(&self, shown: &ViewState) -> bool {
        match self {
            Self::Search(_) | Self::FilterTop(_) | Self::FilterFindings(_) | Self::SetThresholds(_) => true,
            Self::SetWindow(window) => window.is_as_wide_as(shown.window),
            Self::SetSandwichWindow(window) => window.of(Half::Callees).is_as_wide_as(shown.sandwich.window.of(Half::Callees)),
            _ => false,
        }
    }

    /// What undo says it takes back, where this is shown.
    pub(super) fn undo_label(&self, shown: &ViewState) -> String {
        match self {
            Self::SetWindow(_) | Self::SetSandwichWindow(_) if self.is_continuous(shown) => "scroll".to_owned(),
            Self::Sandwich(name) => format!("sandwich of {name}"),
            Self::SetWindow(_) | Self::SetSandwichWindow(_) | Self::ZoomIn | Self::ZoomOut | Self::ResetZoom | Self::ZoomToSelection => {
                "zoom".to_owned()
            }
            Self::Select(_)
            | Self::SelectInSandwich(..)
            | Self::SelectFinding(_)
            | Self::NextFinding
            | Self::PreviousFinding
            | Self::NextMatch
            | Self::PreviousMatch => "selection".to_owned(),
            Self::Search(_) => "search".to_owned(),
            Self::Focus(pattern) => format!("focus on {pattern}"),
            Self::Ignore(pattern) => format!("drop {pattern}"),
            Self::Hide(pattern) => format!("merge {pattern}"),
            Self::ShowOnly(pattern) => format!("show only {pattern}"),
            Self::SetTimeRange(Some(span)) | Self::SetSideTime(_, Some(span)) => format!("time {}", span.words()),
            Self::SetTab(tab) => format!("tab {}", tab.label()),
            Self::SetSampleType(name, _) => format!("sample type {name}"),
            Self::SetGranularity(_) => "how frames are told apart".to_owned(),
            Self::SetNormalization(_) => "how sides are made comparable".to_owned(),
            Self::SetSort(_) => "order of rows".to_owned(),
            Self::SetMeasure(_) => "self or total".to_owned(),
            Self::SetExposure(_) => "what findings are held against".to_owned(),
            Self::SetUnfolded(_, is_unfolded) => if *is_unfolded { "unfold" } else { "fold" }.to_owned(),
            Self::TagFocus(conditions) => format!("labels {}", conditions.join("; ")),
            Self::TagIgnore(conditions) => format!("without labels {}", conditions.join("; ")),
            Self::NoInlines(true) => "leave inlined frames out".to_owned(),
            Self::NoInlines(false) => "show inlined frames".to_owned(),
            Self::GroupLeaves(keys) if keys.is_empty() => "no groups at the leaves".to_owned(),
            Self::GroupLeaves(keys) => format!("leaves by {}", keys.join(", ")),
            Self::GroupBy(keys) if keys.is_empty() => "no groups".to_owned(),
            Self::GroupBy(keys) => format!("group by {}", keys.join(", ")),
            Self::SetTimeRange(None) | Self::SetSideTime(_, None) => "all of the time".to_owned(),
            Self::ShowFrom(pattern) => format!("begin at {pattern}"),
            Self::FocusSubtree(_) => "focus on subtree".to_owned(),
            Self::Collapse(pattern) => format!("collapse {pattern}"),
            Self::PruneFrom(pattern) => format!("prune from {pattern}"),
            Self::CollapseRecursion(_) | Self::CollapseDirectRecursion(_) => "collapse recursion".to_owned(),
            Self::Present(_) => "presentation".to_owned(),
            Self::Remark(_) => "remark".to_owned(),
            Self::RemarkOn(name, _) => format!("remark on {name}"),
            Self::SetSiblingOrder(_) => "order of boxes".to_owned(),
            Self::AllFrames(true) => "show all frames".to_owned(),
            Self::AllFrames(false) => "leave the profiler's frames out".to_owned(),
            Self::RelativePercentages(true) => "percentages of what the filters leave".to_owned(),
            Self::RelativePercentages(false) => "percentages of all".to_owned(),
            Self::AcceptMatch(before, after) => format!("taking {before} and {after} as one"),
            Self::KeepApart(name) => format!("keeping {name} apart"),
            Self::AddFiles(side, _) | Self::AddToSide(side, _) => format!("adding to {}", side.word()),
            Self::RemoveFromSide(side, _) => format!("taking out of {}", side.word()),
            Self::ForgetMatch(name) => format!("forgetting about {name}"),
            other => {
                let line = other.to_line();
                let name = line.split(' ').next().unwrap_or_default();
                // "Undo set direction" is the language of scripts.
                name.strip_prefix("set-").unwrap_or(name).replace('-', " ")
            }
        }
    }

    /// True for commands after which the keyboard is somewhere else: what is typed next belongs there.
    pub fn takes_keyboard(&self) -> bool {
        let asks = matches!(
            self,
            Self::FocusSearch
                | Self::WriteRemark
                | Self::ChooseFiles
                | Self::ChooseComparison
                | Self::ChooseForSide(_)
                | Self::ChooseExport
                | Self::ChooseReview
                | Self::ChooseFolder(_)
        );
        asks || self.dialog().is_some()
    }

    /// The dialog that a command opens.
    pub(super) fn dialog(&self) -> Option<Dialog> {
        Some(match self {
            Self::Palette => Dialog::Palette,
            Self::Shortcuts => Dialog::Shortcuts,
            Self::Messages => Dialog::Messages,
            Self::About => Dialog::About,
            Self::EditFolders(list, why) => Dialog::Folders(*list, why.clone()),
            Self::ChooseParts(parts) => Dialog::Parts(parts.clone()),
            Self::TypeSidePaths(side) => Dialog::SidePaths(*side),
            Self::TypePath(why) => Dialog::OpenPath(why.clone()),
            Self::TypeOtherPath(shown, why) => Dialog::OtherPath(shown.clone(), why.clone()),
            Self::TypeExportPath(name) => Dialog::ExportPath(name.clone()),
            _ => return None,
        })
    }
}

fn explain(name: &str, error: &serde_json::Error) -> String {
    format!("`{name}`: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::comparison::{Marker, Work};

    #[test]
    fn lines_round_trip() {
        for command in [
            Command::Open(vec!["a b.pb.gz".into(), "c".into()]),
            Command::OpenComparison("a".into(), "b".into()),
            Command::OpenSides(vec!["a b".into(), "c".into()], vec!["d".into()]),
            Command::OpenSample,
            Command::AddFiles(Side::After, vec!["a b".into()]),
            Command::AddToSide(Side::Before, CaptureId(3)),
            Command::RemoveFromSide(Side::After, CaptureId(3)),
            Command::SetSampleType("cpu".to_owned(), "nanoseconds".to_owned()),
            Command::SetTimeRange(Some(Span::new(Some(1_200_000_000), Some(2_846_390_222)))),
            Command::SetSideTime(Side::Before, None),
            Command::SetNormalization(None),
            Command::CompareParts(Box::new(["time=0s..10s", "label=endpoint:/a; thread=1"].map(|text| Part::parse_line(text).unwrap()))),
            Command::SetNormalization(Work::throughput(40.0, 50.0).map(Normalization::PerRequest)),
            Command::SetNormalization(
                Marker::parse("event=net:accept").ok().map(|count| Normalization::PerRequest(Work::Counted { count })),
            ),
            Command::AcceptMatch("a.f".to_owned(), "a b".to_owned()),
            Command::KeepApart("a.f".to_owned()),
            Command::MatchNames(false),
            Command::ShowFindings(FindingKind::Better, false),
            Command::SetThresholds(Thresholds { level: 0.01, ..Thresholds::default() }),
            Command::SetNormalization(Work::new(1000.0, 1250.5).map(Normalization::PerRequest)),
            Command::SetWindow(FlameWindow { left: 0.25, right: 0.5, scroll_rows: 3.0 }),
            Command::Select(Some(Selection { place: "main.main".to_owned(), path: vec!["main.main".to_owned()] })),
            Command::Sandwich("main.main".to_owned()),
            Command::FocusSubtree(vec!["^main\\.main$".to_owned(), "^a b$".to_owned()]),
            Command::CollapseRecursion(".".to_owned()),
            Command::SelectInSandwich(Half::Callers, vec!["main.main".to_owned()]),
            Command::SetSandwichWindow(SandwichWindow { left: 0.25, right: 0.5, scroll_rows: [1.0, 2.0] }),
            Command::Search("json".to_owned()),
            Command::SelectFinding(2),
            Command::Present(true),
            Command::Remark("two\nlines".to_owned()),
            Command::RemarkOn("a b".to_owned(), "x \"y\"".to_owned()),
            Command::WriteRemark,
            Command::SetSiblingOrder(SiblingOrder::Size),
            Command::ToggleFullScreen,
            Command::SetSource(SourceSpec { folders: vec!["/a b".into()], trims: vec!["/build/".to_owned()] }),
            Command::AddFolder(FolderList::Symbols, "/a b".into()),
            Command::EditFolders(FolderList::Source, "why".to_owned()),
            Command::Undo,
        ] {
            let line = command.to_line();
            assert_eq!(Command::from_line(&line), Ok(command), "{line}");
        }
    }

    #[test]
    fn people_may_leave_out_the_quotes() {
        assert_eq!(Command::from_line("search encoding/json"), Ok(Command::Search("encoding/json".to_owned())));
        assert_eq!(Command::from_line("open a.pb.gz b.pb.gz"), Ok(Command::Open(vec!["a.pb.gz".into(), "b.pb.gz".into()])));
        assert_eq!(Command::from_line("open-comparison a.pb.gz b.pb.gz"), Ok(Command::OpenComparison("a.pb.gz".into(), "b.pb.gz".into())));
        let parts = ["time=0s..10s", "time=10s.."].map(|text| Part::parse_line(text).unwrap());
        assert_eq!(Command::from_line("compare-parts time=0s..10s time=10s.."), Ok(Command::CompareParts(Box::new(parts))));
        let range = Span::new(Some(1_200_000_000), None);
        assert_eq!(Command::from_line("set-time-range 1.2s.."), Ok(Command::SetTimeRange(Some(range))));
        assert_eq!(Command::from_line("set-time-range"), Ok(Command::SetTimeRange(None)));
        assert_eq!(Command::from_line("set-tab call-tree"), Ok(Command::SetTab(Tab::CallTree)));
        assert_eq!(Command::from_line("remark 2 of 3 requests"), Ok(Command::Remark("2 of 3 requests".to_owned())));
        assert_eq!(Command::from_line("remark"), Ok(Command::Remark(String::new())));
        assert_eq!(Command::from_line("focus"), Ok(Command::Focus(String::new())));
        assert!(Command::from_line("set-tab nowhere").unwrap_err().contains("nowhere"));
        assert!(Command::from_line("fly").unwrap_err().contains("fly"));
    }
}
