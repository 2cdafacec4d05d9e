//! Everything a user can do: one list for menus, keys, palette, scripts and tests.
//!
//! A [`Command`] carries its values and has a text form (its name, then its values as JSON). A [`CommandKind`] is the same without
//! values, with title, keys and the rule that makes it available. Deliberately absent: what a command does, see `apply`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::App;
use super::effect::{Dialog, FolderList};
use super::findings::{FindingKind, Thresholds};
use super::settings::ThemeChoice;
use super::source::SourceSpec;
use super::view::{CaptureId, ColorBy, FlameShape, FlameWindow, Half, SandwichWindow, Selection, Side, Sort, Tab, ViewState};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::Normalization;
use crate::analysis::diff::{Exposure, Measure};
use crate::analysis::matching::Naming;
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
    /// Stacks begin at their outermost matching frame, and samples without one are dropped; empty = all. Takes the place of a subtree.
    ShowFrom(String),
    /// Only samples on one path, which begin at its last frame: a pattern for each frame from the outermost one on; empty = all.
    FocusSubtree(Vec<String>),
    /// What matching frames call becomes their own value; empty = none.
    Collapse(String),
    /// One frame for all of a recursion of matching functions; empty = none.
    CollapseRecursion(String),
    /// The same where they call themselves directly; empty = none.
    CollapseDirectRecursion(String),
    /// Show the frames too that a capture itself asks to drop (pprof's drop_frames).
    AllFrames(bool),
    /// Only these threads; empty = all.
    SetThreads(Vec<String>),
    /// Only samples with these labels (key, value); empty = all.
    SetLabels(Vec<(String, String)>),
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
    /// Right side visible or not.
    SetSidePanel(bool),
    /// Strip of the captures' time visible or not.
    SetTimeline(bool),
    /// No animation.
    SetReducedMotion(bool),
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
    /// Show version and licence.
    About,
    /// Close the open dialog.
    CloseDialog,
    /// Close the window.
    Quit,
}

/// Where a kind stands in the menus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Opening, closing, exporting.
    File,
    /// Undo and copying.
    Edit,
    /// What is shown and how.
    View,
    /// Which samples and which of their values.
    Samples,
    /// Two sides.
    Compare,
    /// What changed between them.
    Findings,
    /// Keys, version.
    Help,
}

impl Menu {
    /// All, in the order of the menu bar.
    pub const ALL: [Self; 7] = [Self::File, Self::Edit, Self::View, Self::Samples, Self::Compare, Self::Findings, Self::Help];

    /// Words on the menu bar.
    pub const fn label(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::Samples => "Samples",
            Self::Compare => "Compare",
            Self::Findings => "Findings",
            Self::Help => "Help",
        }
    }
}

/// A key with modifiers; `command` is Ctrl, or Cmd on macOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Name of the key as egui names it: `F`, `Plus`, `ArrowLeft`, `F3`.
    pub key: &'static str,
    /// Ctrl (Cmd).
    pub command: bool,
    /// Shift.
    pub shift: bool,
    /// Alt.
    pub alt: bool,
}

const fn plain(key: &'static str) -> Keys {
    Keys { key, command: false, shift: false, alt: false }
}

const fn ctrl(key: &'static str) -> Keys {
    Keys { key, command: true, shift: false, alt: false }
}

const fn shift(key: &'static str) -> Keys {
    Keys { key, command: false, shift: true, alt: false }
}

const fn ctrl_shift(key: &'static str) -> Keys {
    Keys { key, command: true, shift: true, alt: false }
}

const fn alt(key: &'static str) -> Keys {
    Keys { key, command: false, shift: false, alt: true }
}

impl Keys {
    /// True where the keys would be typed into a text field: such keys act only when no text field has the keyboard.
    pub const fn is_text(&self) -> bool {
        !self.command && !self.alt && !matches!(self.key.as_bytes(), [b'F', b'1'..=b'9', ..])
    }

    /// As printed in menus: `Ctrl+Shift+Z`.
    pub fn text(&self) -> String {
        let command = if cfg!(target_os = "macos") { "Cmd+" } else { "Ctrl+" };
        let key = match self.key {
            "Plus" => "+",
            "Minus" => "−",
            "Equals" => "=",
            "ArrowLeft" => "←",
            "ArrowRight" => "→",
            "Slash" => "/",
            "Questionmark" => "?",
            "Period" => ".",
            "Comma" => ",",
            "Num0" => "0",
            "Num1" => "1",
            "Num2" => "2",
            "Num3" => "3",
            "Num4" => "4",
            "Num5" => "5",
            "Num6" => "6",
            "Num7" => "7",
            "Num8" => "8",
            "Num9" => "9",
            key => key,
        };
        let (ctrl, shift, alt) = (self.command, self.shift, self.alt);
        format!("{}{}{}{key}", if ctrl { command } else { "" }, if alt { "Alt+" } else { "" }, if shift { "Shift+" } else { "" })
    }
}

/// A kind of command as menus, palette and key list show it.
pub struct CommandKind {
    /// Stable name, the same as the command's in scripts where it has no values of its own.
    pub name: &'static str,
    /// Words in menus and palette; `…` where more input follows.
    pub title: &'static str,
    /// Longer words for tooltips.
    pub tooltip: &'static str,
    /// Where it stands.
    pub menu: Menu,
    /// A line above it in its menu.
    pub starts_group: bool,
    /// Keys, the first is printed.
    pub keys: &'static [Keys],
    /// The command as things stand; `None` = greyed out, and its keys do nothing.
    pub resolve: fn(&App) -> Option<Command>,
    /// For switches: whether it is on.
    pub checked: Option<fn(&App) -> bool>,
}

macro_rules! kinds {
    ($( $name:literal $title:literal $tooltip:literal $menu:ident $group:literal [$($keys:expr),*] $resolve:expr $(, checked $checked:expr)? ; )*) => {
        /// All kinds, in menu order.
        pub static KINDS: &[CommandKind] = &[$(
            CommandKind {
                name: $name, title: $title, tooltip: $tooltip, menu: Menu::$menu, starts_group: $group,
                keys: &[$($keys),*], resolve: $resolve, checked: kinds!(@checked $($checked)?),
            },
        )*];
    };
    (@checked $checked:expr) => { Some($checked) };
    (@checked) => { None };
}

fn if_shown(app: &App, command: Command) -> Option<Command> {
    app.view().after.map(|_| command)
}

fn if_compared(app: &App, command: Command) -> Option<Command> {
    app.view().is_comparison().then_some(command)
}

fn if_selected(app: &App, command: Command) -> Option<Command> {
    app.view().selection.as_ref().map(|_| command)
}

/// What acts on the boxes in front: nothing while another view hides them.
fn if_boxes(app: &App, command: Command) -> Option<Command> {
    if_shown(app, command).filter(|_| matches!(app.view().tab, Tab::Flame | Tab::Sandwich))
}

/// What acts on the rows of the call tree in front.
fn if_call_tree(app: &App, command: Command) -> Option<Command> {
    if_shown(app, command).filter(|_| app.view().tab == Tab::CallTree)
}

/// What Escape takes away next, from the lightest to the heaviest loss: the dialog, the selection, the search, the zoom.
fn step_back(app: &App) -> Option<Command> {
    let view = app.view();
    if app.dialog().is_some() {
        Some(Command::CloseDialog)
    } else if let Some(pinned) = view.sandwich.pinned.as_ref().filter(|_| view.tab == Tab::Sandwich) {
        Some(Command::Select(Some(Selection { place: pinned.of.clone(), path: Vec::new() })))
    } else if view.selection.is_some() {
        Some(Command::Select(None))
    } else if !view.search.is_empty() {
        Some(Command::Search(String::new()))
    } else {
        (view.tab == Tab::Flame && view.window != FlameWindow::default()).then_some(Command::ResetZoom)
    }
}

/// The sandwich to the front; there, that of the selected box.
fn show_sandwich(app: &App) -> Option<Command> {
    let view = app.view();
    let inside = view.sandwich.pinned.as_ref().filter(|_| view.tab == Tab::Sandwich);
    let selected = inside.and(view.selection.as_ref()).map(|selection| Command::Sandwich(selection.place.clone()));
    if_shown(app, selected.unwrap_or(Command::SetTab(Tab::Sandwich)))
}

/// The sample type `step` further in the list of those that can be shown.
fn sample_type_at(app: &App, step: isize) -> Option<Command> {
    let types = app.sample_types();
    let shown = app.sample_type()?;
    let at = types.iter().position(|kind| *kind == shown)?;
    let next = (at as isize + step).rem_euclid(types.len() as isize) as usize;
    let (name, unit) = types.get(next).filter(|_| types.len() > 1)?.clone();
    Some(Command::SetSampleType(name, unit))
}

kinds! {
    "choose-files" "Open…" "Open captures: pprof, perf.data, perf script, folded stacks" File false [ctrl("O")] |_| Some(Command::ChooseFiles);
    "type-path" "Open path…" "Type or paste the path of a capture" File false [ctrl("L")] |_| Some(Command::TypePath(String::new()));
    "reload" "Reload" "Read the capture again from its file" File false [plain("F5"), ctrl("R")] |app| app.view().after.map(Command::Reload);
    "choose-export" "Export…" "Write the view as SVG, PNG, HTML, CSV, JSON, Markdown, folded stacks or pprof" File false [ctrl("S"), ctrl("E")] |app| if_shown(app, Command::ChooseExport);
    "choose-review" "Export review…" "Write one page for colleagues: the answer, findings, flame graph, facts and notes, in a file that any browser opens" File true [] |app| if_shown(app, Command::ChooseReview);
    "close" "Close capture" "Close the capture in front" File true [ctrl("W")] |app| app.view().after.map(Command::Close);
    "close-all" "Close all captures" "Back to the welcome page" File false [ctrl_shift("W")] |app| (!app.captures().is_empty()).then_some(Command::CloseAll);
    "clear-recent" "Clear recent files" "Forget which files were opened" File false [] |app| (!app.settings().recent.is_empty() || !app.settings().recent_comparisons.is_empty()).then_some(Command::ClearRecent);
    "toggle-symbol-cache" "Keep symbols" "Looked-up symbols stay on disk, so that a capture opens faster the next time" File true [] |app| Some(Command::SetSymbolCache(!app.settings().symbol_cache)), checked |app| app.settings().symbol_cache;
    "toggle-debuginfod" "Fetch debug files" "Ask the servers of DEBUGINFOD_URLS or of the settings for debug files by build id, which tells them what ran; off by itself" File false [] |app| app.debug_servers().map(|_| Command::SetDebuginfod(!app.settings().debuginfod)), checked App::asks_for_debug_files;
    "choose-source" "Source folders…" "Where source files are looked for, and what of their recorded paths is left out" File false [] |_| Some(Command::EditFolders(FolderList::Source, String::new()));
    "choose-symbols" "Symbol folders…" "Where programs and debug files are looked for whose functions a capture does not name" File false [] |_| Some(Command::EditFolders(FolderList::Symbols, String::new()));
    "clear-symbol-cache" "Remove kept symbols" "Empty the folder of looked-up symbols" File false [] |app| app.keeps_symbols().then_some(Command::ClearSymbolCache);
    "quit" "Quit" "Close the window" File true [ctrl("Q")] |_| Some(Command::Quit);

    "undo" "Undo" "Take back the last change of the view" Edit false [ctrl("Z"), alt("ArrowLeft")] |app| app.undo_label().map(|_| Command::Undo);
    "redo" "Redo" "Do the change again that was taken back" Edit false [ctrl_shift("Z"), ctrl("Y"), alt("ArrowRight")] |app| app.redo_label().map(|_| Command::Redo);
    "copy-name" "Copy name" "Copy the full name of the selection" Edit true [ctrl("C")] |app| if_selected(app, Command::CopyName);
    "copy-stack" "Copy stack" "Copy the selected stack, outermost frame first" Edit false [ctrl_shift("C")] |app| if_selected(app, Command::CopyStack);
    "copy-table" "Copy table" "Copy the top table as tab-separated text" Edit false [] |app| if_shown(app, Command::CopyTable);
    "copy-source" "Copy annotated source" "Copy the source in front with what its lines cost, as text" Edit false [] |app| app.listing().ready().map(|_| Command::CopySource);
    "copy-script" "Copy last commands" "Copy what was done as a script, for bug reports and demos" Edit false [] |_| Some(Command::CopyScript);
    "focus-search" "Find…" "Search names in all views" Edit true [ctrl("F"), plain("Slash")] |app| if_shown(app, Command::FocusSearch);
    "next-match" "Next match" "Select the next match of the search" Edit false [plain("F3"), plain("N")] |app| (!app.view().search.is_empty()).then_some(Command::NextMatch);
    "previous-match" "Previous match" "Select the previous match of the search" Edit false [shift("F3"), shift("N")] |app| (!app.view().search.is_empty()).then_some(Command::PreviousMatch);
    "clear-selection" "Clear selection" "Select nothing; then clear the search; then show all of the flame graph" Edit false [plain("Escape")] step_back;

    "show-flame" "Flame graph" "Boxes as wide as their value" View false [plain("Num1")] |app| if_shown(app, Command::SetTab(Tab::Flame)), checked |app| app.view().tab == Tab::Flame;
    "show-call-tree" "Call tree" "Callers and callees as a table with fold marks" View false [plain("Num2")] |app| if_shown(app, Command::SetTab(Tab::CallTree)), checked |app| app.view().tab == Tab::CallTree;
    "show-top" "Top" "Functions by self and total" View false [plain("Num3")] |app| if_shown(app, Command::SetTab(Tab::Top)), checked |app| app.view().tab == Tab::Top;
    "show-info" "Capture info" "Where the captures come from, and what was lost" View false [plain("Num4")] |app| if_shown(app, Command::SetTab(Tab::Info)), checked |app| app.view().tab == Tab::Info;
    "show-findings" "Findings" "All findings of a comparison, one line each" View false [plain("Num5")] |app| if_compared(app, Command::SetTab(Tab::Findings)), checked |app| app.view().tab == Tab::Findings;
    "show-names" "Names" "Which names of the two sides are one function" View false [plain("Num6")] |app| if_compared(app, Command::SetTab(Tab::Names)), checked |app| app.view().tab == Tab::Names;
    "show-trend" "Trend" "The selected function in each capture of a side, and over time" View false [plain("Num7")] |app| if_shown(app, Command::SetTab(Tab::Trend)), checked |app| app.view().tab == Tab::Trend;
    "show-sandwich" "Sandwich" "The selected function between what calls it and what it calls, all its occurrences put together" View false [plain("Num8")] show_sandwich, checked |app| app.view().tab == Tab::Sandwich;
    "show-source" "Source" "The source of the selected function with what each line costs" View false [plain("Num9"), plain("L")] |app| if_shown(app, Command::SetTab(Tab::Source)), checked |app| app.view().tab == Tab::Source;
    "toggle-direction" "Bottom-up" "Callees above callers: where the cost falls" View true [plain("I")] |app| if_shown(app, Command::SetDirection(if app.view().direction == Direction::TopDown { Direction::BottomUp } else { Direction::TopDown })), checked |app| app.view().direction == Direction::BottomUp;
    "toggle-icicle" "Root on top" "Icicle: the root on top; flame: the root at the bottom" View false [] |app| Some(Command::SetIcicle(!app.settings().icicle)), checked |app| app.settings().icicle;
    "next-sample-type" "Next sample type" "Show the next column of values" Samples true [plain("T")] |app| sample_type_at(app, 1);
    "previous-sample-type" "Previous sample type" "Show the previous column of values" Samples false [shift("T")] |app| sample_type_at(app, -1);
    "zoom-in" "Zoom in" "Twice as large" View true [plain("Plus"), plain("Equals")] |app| if_boxes(app, Command::ZoomIn);
    "zoom-out" "Zoom out" "Half as large" View false [plain("Minus")] |app| if_boxes(app, Command::ZoomOut);
    "reset-zoom" "Show all" "Fit the whole flame graph" View false [plain("Num0"), plain("Home")] |app| if_boxes(app, Command::ResetZoom);
    "zoom-to-selection" "Zoom to selection" "Fit the selected box" View false [plain("Space"), plain("Enter")] |app| if_selected(app, Command::ZoomToSelection).and_then(|zoom| if_boxes(app, zoom));
    "unfold-heaviest" "Unfold heaviest path" "Unfold the call tree along its largest values" View true [plain("H")] |app| if_call_tree(app, Command::UnfoldHeaviest);
    "unfold-all" "Unfold all below" "Unfold everything below the selection, heaviest first (* in the call tree)" View false [] |app| if_call_tree(app, Command::UnfoldAll);
    "fold-all" "Fold all" "Fold the whole call tree" View false [] |app| (!app.view().unfolded.is_empty()).then_some(Command::FoldAll).and_then(|fold| if_call_tree(app, fold));
    "focus" "Focus on selection" "Keep only samples with the selected function" Samples true [plain("F")] |app| app.selected_pattern().map(Command::Focus);
    "ignore" "Drop selection" "Drop samples with the selected function" Samples false [plain("D")] |app| app.selected_beside(app.view().filter.ignore.as_deref()).map(Command::Ignore);
    "show-from" "Begin at selection" "Stacks begin at the selected function, wherever it was called from; samples without it are dropped (pprof's show_from)" Samples false [plain("S")] |app| app.selected_pattern().map(Command::ShowFrom);
    "focus-subtree" "Focus on subtree" "Keep only samples on the path to the selected box, and begin at it; other calls of the function are dropped" Samples false [shift("F")] |app| app.selected_subtree().map(Command::FocusSubtree);
    "hide" "Merge selection" "Leave the selected function out of stacks: what it calls hangs on its callers, and its own value is theirs (pprof's hide)" Samples true [plain("M"), shift("H")] |app| app.selected_beside(app.view().filter.hide.as_deref()).map(Command::Hide);
    "collapse" "Collapse selection" "What the selected function calls becomes its own value (pprof's prune_from)" Samples false [plain("C")] |app| app.selected_beside(app.view().filter.collapse.as_deref()).map(Command::Collapse);
    "collapse-recursion" "Collapse recursion" "From its outermost to its innermost call a function is one frame: the selected one, or without a selection every one" Samples false [plain("R")] |app| app.recursion_of_selected(app.view().filter.recursion.as_deref()).map(Command::CollapseRecursion);
    "collapse-direct-recursion" "Collapse direct recursion" "A function that calls itself is one frame; what it calls in between stays" Samples false [shift("R")] |app| app.recursion_of_selected(app.view().filter.direct_recursion.as_deref()).map(Command::CollapseDirectRecursion);
    "clear-filters" "Clear filters" "Show all samples and frames again" Samples true [shift("Escape")] |app| (!app.view().filter.is_empty()).then_some(Command::ClearFilters);
    "clear-time-range" "All of the time" "Show the samples of all of the time again" Samples false [] |app| app.has_time_range().then_some(Command::SetTimeRange(None));
    "toggle-all-frames" "All frames" "Show the frames too that the capture itself asks to drop (pprof's drop_frames)" Samples true [] |app| if_shown(app, Command::AllFrames(!app.view().filter.all_frames)), checked |app| app.view().filter.all_frames;
    "toggle-side-panel" "Side panel" "Findings and details on the right" View true [ctrl("B")] |app| Some(Command::SetSidePanel(!app.settings().side_panel)), checked |app| app.settings().side_panel;
    "toggle-timeline" "Timeline" "A strip above the views for choosing a range of time, for captures whose samples have times" View false [] |app| app.has_times().then(|| Command::SetTimeline(!app.settings().timeline)), checked |app| app.settings().timeline && app.has_times();
    "toggle-motion" "Reduce motion" "Zoom without animation" View false [] |app| Some(Command::SetReducedMotion(!app.settings().reduced_motion)), checked |app| app.settings().reduced_motion;
    "taller-rows" "Taller flame rows" "Boxes of up to 28 points" View false [alt("Plus")] |app| (app.settings().flame_row_points < 28.0).then(|| Command::SetRowHeight(app.settings().flame_row_points + 2.0));
    "flatter-rows" "Flatter flame rows" "Boxes of down to 14 points" View false [alt("Minus")] |app| (app.settings().flame_row_points > 14.0).then(|| Command::SetRowHeight(app.settings().flame_row_points - 2.0));
    "theme-dark" "Dark theme" "Light on dark" View true [] |_| Some(Command::SetTheme(ThemeChoice::Dark)), checked |app| app.settings().theme == ThemeChoice::Dark;
    "theme-light" "Light theme" "Dark on light" View false [] |_| Some(Command::SetTheme(ThemeChoice::Light)), checked |app| app.settings().theme == ThemeChoice::Light;
    "theme-system" "Theme of the system" "Dark or light, as the system says" View false [] |_| Some(Command::SetTheme(ThemeChoice::System)), checked |app| app.settings().theme == ThemeChoice::System;

    "choose-comparison" "Compare with…" "Choose the capture to compare with what is shown, or two captures" Compare false [ctrl("D")] |_| Some(Command::ChooseComparison);
    "add-before" "Add captures to before…" "Further captures of before: repeats, whose sum is shown and which say how much runs vary" Compare false [] |app| if_compared(app, Command::ChooseForSide(Side::Before));
    "add-after" "Add captures to after…" "Further captures of after, or of what is shown" Compare false [] |app| if_shown(app, Command::ChooseForSide(Side::After));
    "choose-parts" "Compare two parts…" "Choose two time ranges, threads or label values to compare" Compare false [] |app| app.profiles().last().map(|_| Command::ChooseParts(Box::new(app.view().parts.clone())));
    "compare-halves" "Compare first and second half" "Compare the two halves of the capture's time" Compare false [] |app| app.halves().map(|halves| Command::CompareParts(Box::new(halves)));
    "compare-rest" "Compare range with the rest" "The chosen range of time as after, the rest of the capture's time as before" Compare false [] |app| app.range_and_rest().map(|parts| Command::CompareParts(Box::new(parts)));
    "compare-range" "Compare range with another…" "The chosen range of time as after, and another part of the capture, which you choose, as before" Compare false [] |app| app.range_and_rest().map(|[_, range]| Command::ChooseParts(Box::new([Part::WHOLE, range])));
    "compare-whole" "Compare whole captures" "Each side is its whole capture again" Compare false [] |app| if_compared(app, Command::CompareParts(Box::new([Part::WHOLE; 2]))).filter(|_| app.view().side(Side::Before) != app.view().side(Side::After) && app.view().parts.iter().any(|part| !part.is_whole()));
    "swap-sides" "Swap before and after" "Exchange the two sides" Compare false [plain("X")] |app| if_compared(app, Command::SwapSides);
    "leave-comparison" "Leave comparison" "Show the capture after alone" Compare false [] |app| if_compared(app, Command::LeaveComparison);
    "next-finding" "Next finding" "Select the next finding; every view follows" Findings true [plain("Period")] |app| if_compared(app, Command::NextFinding);
    "previous-finding" "Previous finding" "Select the previous finding" Findings false [plain("Comma")] |app| if_compared(app, Command::PreviousFinding);
    "group-findings" "Group findings by cause" "Findings of one cause stand together; otherwise all stand by rank" Findings true [] |app| if_compared(app, Command::GroupFindings(!app.view().findings.grouped)), checked |app| app.view().findings.grouped;
    "toggle-robust" "Hold against the bulk" "Places are held against what most of them did, which is taken as unchanged, whatever the sides are divided by" Findings false [] |app| if_compared(app, Command::SetExposure(if app.view().exposure == Exposure::Robust { Exposure::Normalization } else { Exposure::Robust })), checked |app| app.view().exposure == Exposure::Robust;
    "reset-thresholds" "Usual thresholds" "Error level and minimum effect as they were at first" Findings false [] |app| (app.view().thresholds != Thresholds::default()).then_some(Command::SetThresholds(Thresholds::default()));
    "copy-findings" "Copy findings" "Copy the ranked findings as text" Findings true [] |app| if_compared(app, Command::CopyFindings);
    "copy-findings-markdown" "Copy findings as Markdown" "Copy the ranked findings for a pull request or a design note" Findings false [] |app| if_compared(app, Command::CopyFindingsMarkdown);
    "copy-findings-csv" "Copy findings as CSV" "Copy the ranked findings with plain numbers" Findings false [] |app| if_compared(app, Command::CopyFindingsCsv);
    "blink-sides" "Blink before and after" "Draw the flame graph in the widths of the other side; press again to go back" Compare true [plain("B")] |app| if_compared(app, Command::SetFlameShape(app.view().flame_shape.other()));
    "shape-before" "Shape of before" "Widths of before: what vanished is visible" Compare false [] |app| if_compared(app, Command::SetFlameShape(FlameShape::Before)), checked |app| app.view().flame_shape == FlameShape::Before;
    "shape-both" "Shape of both" "Widths of whichever side is larger: everything is visible" Compare false [] |app| if_compared(app, Command::SetFlameShape(FlameShape::Both)), checked |app| app.view().flame_shape == FlameShape::Both;
    "shape-after" "Shape of after" "Widths of after: what is new is visible" Compare false [] |app| if_compared(app, Command::SetFlameShape(FlameShape::After)), checked |app| app.view().flame_shape == FlameShape::After;
    "compare-self" "Compare self values" "Tables compare values without callees" Compare true [] |app| if_compared(app, Command::SetMeasure(Measure::Self_)), checked |app| app.view().measure == Measure::Self_;
    "compare-totals" "Compare totals" "Tables compare values with callees" Compare false [] |app| if_compared(app, Command::SetMeasure(Measure::Total)), checked |app| app.view().measure == Measure::Total;
    "match-names" "Match names across builds" "Take functions as one whose names differ in closure numbers, module versions, hashes and the like; Names lists them all" Compare true [] |app| if_compared(app, Command::MatchNames(app.view().naming.exact)), checked |app| !app.view().naming.exact;
    "accept-match" "Accept proposed name" "The selected function and the one it is proposed to be now are one" Compare false [plain("A")] |app| app.proposed_name().map(|(before, after)| Command::AcceptMatch(before, after));
    "keep-apart" "Keep names apart" "The selected function is not the one that it was matched with" Compare false [shift("A")] |app| app.selected_apart();
    "reset-matches" "Forget decisions about names" "Let rules and context decide about all names again" Compare false [] |app| (app.view().naming != Naming::default()).then_some(Command::ResetMatches);
    "normalize-share" "Share of total" "Each value as a part of its side's total" Compare true [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::Share))), checked |app| app.normalization() == Normalization::Share;
    "normalize-per-second" "Per second" "Each value per second of its capture" Compare false [] |app| app.durations_known().then(|| if_compared(app, Command::SetNormalization(Some(Normalization::PerSecond)))).flatten(), checked |app| app.normalization() == Normalization::PerSecond;
    "normalize-per-cpu-second" "Per CPU-second" "Each value per second of processor time of its side" Compare false [] |app| app.cpu_known().then(|| if_compared(app, Command::SetNormalization(Some(Normalization::PerCpuSecond)))).flatten(), checked |app| app.normalization() == Normalization::PerCpuSecond;
    "normalize-absolute" "Absolute" "Values as they are" Compare false [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::Absolute))), checked |app| app.normalization() == Normalization::Absolute;


    "palette" "Command palette…" "Find any command by its name" Help false [ctrl_shift("P"), ctrl("K")] |_| Some(Command::Palette);
    "shortcuts" "Keyboard shortcuts" "All keys" Help false [shift("Questionmark"), plain("Questionmark"), plain("F1")] |_| Some(Command::Shortcuts);
    "about" "About Emberlens" "Version and licences" Help true [] |_| Some(Command::About);
}

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static CommandKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl CommandKind {
    /// True where the command makes sense as things stand. What is shown only then stays while a dialog is in the way of [`available`].
    ///
    /// [`available`]: Self::available
    pub fn makes_sense(&self, app: &App) -> bool {
        (self.resolve)(app).is_some()
    }

    /// The command as things stand, unless a dialog is in the way of commands that change what lies under it.
    pub fn available(&self, app: &App) -> Option<Command> {
        (self.resolve)(app)
            .filter(|command| app.dialog().is_none() || matches!(command, Command::CloseDialog | Command::Quit | Command::Palette))
    }
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
            Self::SetTimeRange(Some(span)) | Self::SetSideTime(_, Some(span)) => format!("time {}", span.words()),
            Self::SetTab(tab) => format!("tab {}", tab.label()),
            Self::SetSampleType(name, _) => format!("sample type {name}"),
            Self::SetGranularity(_) => "how frames are told apart".to_owned(),
            Self::SetNormalization(_) => "how sides are made comparable".to_owned(),
            Self::SetSort(_) => "order of rows".to_owned(),
            Self::SetMeasure(_) => "self or total".to_owned(),
            Self::SetExposure(_) => "what findings are held against".to_owned(),
            Self::SetUnfolded(_, is_unfolded) => if *is_unfolded { "unfold" } else { "fold" }.to_owned(),
            Self::SetTimeRange(None) | Self::SetSideTime(_, None) => "all of the time".to_owned(),
            Self::ShowFrom(pattern) => format!("begin at {pattern}"),
            Self::FocusSubtree(_) => "focus on subtree".to_owned(),
            Self::Collapse(pattern) => format!("collapse {pattern}"),
            Self::CollapseRecursion(_) | Self::CollapseDirectRecursion(_) => "collapse recursion".to_owned(),
            Self::AllFrames(true) => "show all frames".to_owned(),
            Self::AllFrames(false) => "leave the profiler's frames out".to_owned(),
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
            Self::About => Dialog::About,
            Self::EditFolders(list, why) => Dialog::Folders(*list, why.clone()),
            Self::ChooseParts(parts) => Dialog::Parts(parts.clone()),
            Self::TypeSidePaths(side) => Dialog::SidePaths(*side),
            Self::TypePath(why) => Dialog::OpenPath(why.clone()),
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::analysis::comparison::{Marker, Work};

    #[test]
    fn kinds_have_unique_names_titles_and_keys() {
        let (mut names, mut titles, mut keys) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for kind in KINDS {
            assert!(names.insert(kind.name), "{} stands twice", kind.name);
            assert!(titles.insert(kind.title), "{} stands twice", kind.title);
            for key in kind.keys {
                assert!(!keys.contains(key), "{} clashes at {}", kind.name, key.text());
                keys.push(*key);
            }
        }
    }

    #[test]
    fn titles_are_sentence_case_and_promise_more_input_with_an_ellipsis() {
        for kind in KINDS {
            let mut words = kind.title.split(' ');
            assert!(words.next().unwrap().starts_with(char::is_uppercase), "{}", kind.title);
            let is_name = |word: &str| ["Emberlens", "Markdown", "CSV", "CPU-second"].contains(&word);
            assert!(words.all(|word| is_name(word) || word.starts_with(|c: char| !c.is_uppercase())), "{}", kind.title);
            assert!(!kind.title.ends_with(['.', ':']) && !kind.tooltip.ends_with('.'), "{}", kind.title);
        }
    }

    #[test]
    fn lines_round_trip() {
        for command in [
            Command::Open(vec!["a b.pb.gz".into(), "c".into()]),
            Command::OpenComparison("a".into(), "b".into()),
            Command::OpenSides(vec!["a b".into(), "c".into()], vec!["d".into()]),
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
        assert_eq!(Command::from_line("focus"), Ok(Command::Focus(String::new())));
        assert!(Command::from_line("set-tab nowhere").unwrap_err().contains("nowhere"));
        assert!(Command::from_line("fly").unwrap_err().contains("fly"));
    }
}
