//! The kinds of commands: title, keys, menu, and the rule that says whether one can be done as things stand, or why not.
//!
//! Deliberately absent: what their commands do, see `apply`. Start reading at [`KINDS`].

use super::Command;
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::Normalization;
use crate::analysis::diff::{Exposure, Measure};
use crate::analysis::group::{PROCESS, THREAD};
use crate::analysis::matching::Naming;
use crate::analysis::part::Part;
use crate::app::App;
use crate::app::effect::{FolderList, TextSize};
use crate::app::findings::Thresholds;
use crate::app::settings::ThemeChoice;
use crate::app::view::{FlameShape, FlameWindow, Selection, SiblingOrder, Side, Tab};

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

/// A command, or why it cannot be done as things stand, as the end of a sentence.
pub type Can = Result<Command, &'static str>;

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
    /// Title of the menu inside the menu in which it stands with those of the same title that follow it: a menu has to fit into a small window.
    pub submenu: Option<&'static str>,
    /// Keys, the first is printed.
    pub keys: &'static [Keys],
    /// The command as things stand, or why there is none: then it is greyed out, and its keys do nothing.
    pub resolve: fn(&App) -> Can,
    /// For switches: whether it is on.
    pub checked: Option<fn(&App) -> bool>,
}

macro_rules! kinds {
    ($( $name:literal $title:literal $tooltip:literal $menu:ident $group:literal [$($keys:expr),*] $resolve:expr $(, checked $checked:expr)? $(, below $submenu:literal)? ; )*) => {
        /// All kinds, in menu order.
        pub static KINDS: &[CommandKind] = &[$(
            CommandKind {
                name: $name, title: $title, tooltip: $tooltip, menu: Menu::$menu, starts_group: $group,
                submenu: kinds!(@optional $($submenu)?),
                keys: &[$($keys),*], resolve: $resolve, checked: kinds!(@optional $($checked)?),
            },
        )*];
    };
    (@optional $value:expr) => { Some($value) };
    (@optional) => { None };
}

const NOTHING_SHOWN: &str = "no capture is shown";
const NO_SELECTION: &str = "nothing is selected";
const ALREADY: &str = "that is done already";
const NO_SEARCH: &str = "nothing is searched for";

fn if_shown(app: &App, command: Command) -> Can {
    if app.view().after.is_some() { Ok(command) } else { Err(NOTHING_SHOWN) }
}

fn if_compared(app: &App, command: Command) -> Can {
    if app.view().is_comparison() { Ok(command) } else { Err("it needs two captures, one before and one after") }
}

fn if_selected(app: &App, command: Command) -> Can {
    if app.view().selection.is_some() { Ok(command) } else { Err(NO_SELECTION) }
}

/// What is there under a condition.
fn only_if(condition: bool, why_not: &'static str, command: Can) -> Can {
    if condition { command } else { Err(why_not) }
}

/// What acts on the boxes in front: nothing while another view hides them.
fn if_boxes(app: &App, command: Command) -> Can {
    if_shown(app, command)
        .and_then(|command| only_if(matches!(app.view().tab, Tab::Flame | Tab::Sandwich), "no flame graph is in front", Ok(command)))
}

/// What acts on the rows of the call tree in front.
fn if_call_tree(app: &App, command: Command) -> Can {
    if_shown(app, command).and_then(|command| only_if(app.view().tab == Tab::CallTree, "the call tree is not in front", Ok(command)))
}

/// What is made of the selection: without one that is why there is nothing, else `why_not`.
fn of_selected(app: &App, command: Option<Command>, why_not: &'static str) -> Can {
    command.ok_or(if app.view().selection.is_some() { why_not } else { NO_SELECTION })
}

/// What Escape takes away next, from the lightest to the heaviest loss: the dialog, the presentation, the selection, the search, the zoom.
fn step_back(app: &App) -> Can {
    let view = app.view();
    if app.dialog().is_some() {
        Ok(Command::CloseDialog)
    } else if view.is_presented() {
        Ok(Command::Present(false))
    } else if let Some(pinned) = view.sandwich.pinned.as_ref().filter(|_| view.tab == Tab::Sandwich) {
        Ok(Command::Select(Some(Selection { place: pinned.of.clone(), path: Vec::new() })))
    } else if view.selection.is_some() {
        Ok(Command::Select(None))
    } else if !view.search.is_empty() {
        Ok(Command::Search(String::new()))
    } else {
        let is_zoomed = view.tab == Tab::Flame && view.window != FlameWindow::default();
        only_if(is_zoomed, "nothing is selected, searched for or zoomed", Ok(Command::ResetZoom))
    }
}

/// The sandwich to the front; there, that of the selected box.
fn show_sandwich(app: &App) -> Can {
    let view = app.view();
    let inside = view.sandwich.pinned.as_ref().filter(|_| view.tab == Tab::Sandwich);
    let selected = inside.and(view.selection.as_ref()).map(|selection| Command::Sandwich(selection.place.clone()));
    if_shown(app, selected.unwrap_or(Command::SetTab(Tab::Sandwich)))
}

/// The sample type `step` further in the list of those that can be shown.
fn sample_type_at(app: &App, step: isize) -> Can {
    let types = app.sample_types();
    let shown = app.sample_type().ok_or(NOTHING_SHOWN)?;
    let at = types.iter().position(|kind| *kind == shown).unwrap_or(0);
    let next = (at as isize + step).rem_euclid(types.len().max(1) as isize) as usize;
    let (name, unit) = types.get(next).filter(|_| types.len() > 1).ok_or("there is one sample type")?.clone();
    Ok(Command::SetSampleType(name, unit))
}

/// A range of time and what else of the capture it is held against.
fn range_and_rest(app: &App) -> Result<[Part; 2], &'static str> {
    app.range_and_rest().ok_or("no range of time of one capture is chosen")
}

/// Whole captures, where parts of two are compared.
fn compare_whole(app: &App) -> Can {
    let view = app.view();
    let whole = if_compared(app, Command::CompareParts(Box::new([Part::WHOLE; 2])))?;
    only_if(view.side(Side::Before) != view.side(Side::After), "both sides are parts of one capture", Ok(whole))
        .and_then(|whole| only_if(view.parts.iter().any(|part| !part.is_whole()), "whole captures are compared", Ok(whole)))
}

kinds! {
    "choose-files" "Open…" "Open captures: pprof, perf.data, perf script, folded stacks" File false [ctrl("O")] |_| Ok(Command::ChooseFiles);
    "type-path" "Open path…" "Type or paste the path of a capture" File false [ctrl("L")] |_| Ok(Command::TypePath(String::new()));
    "reload" "Reload" "Read the capture again from its file" File false [plain("F5"), ctrl("R")] |app| app.view().after.map(Command::Reload).ok_or(NOTHING_SHOWN);
    "choose-export" "Export…" "Write the view as SVG, PNG, HTML, CSV, JSON, Markdown, folded stacks or pprof" File false [ctrl("S"), ctrl("E")] |app| if_shown(app, Command::ChooseExport);
    "choose-review" "Export review…" "Write one page for colleagues: the answer, findings, flame graph, facts and notes, in a file that any browser opens" File true [] |app| if_shown(app, Command::ChooseReview);
    "close" "Close capture" "Close the capture in front" File true [ctrl("W")] |app| app.view().after.map(Command::Close).ok_or(NOTHING_SHOWN);
    "close-all" "Close all captures" "Back to the welcome page" File false [ctrl_shift("W")] |app| only_if(!app.captures().is_empty(), "no capture is open", Ok(Command::CloseAll));
    "clear-recent" "Clear recent files" "Forget which files were opened" File false [] |app| only_if(!app.settings().recent.is_empty() || !app.settings().recent_comparisons.is_empty(), "there are none", Ok(Command::ClearRecent));
    "toggle-symbol-cache" "Keep symbols" "Looked-up symbols stay on disk, so that a capture opens faster the next time" File true [] |app| Ok(Command::SetSymbolCache(!app.settings().symbol_cache)), checked |app| app.settings().symbol_cache;
    "toggle-debuginfod" "Fetch debug files" "Ask the servers of DEBUGINFOD_URLS or of the settings for debug files by build id, which tells them what ran; off by itself" File false [] |app| app.debug_servers().map(|_| Command::SetDebuginfod(!app.settings().debuginfod)).ok_or("no server is named in DEBUGINFOD_URLS or the settings"), checked App::asks_for_debug_files;
    "choose-source" "Source folders…" "Where source files are looked for, and what of their recorded paths is left out" File false [] |_| Ok(Command::EditFolders(FolderList::Source, String::new()));
    "choose-symbols" "Symbol folders…" "Where programs and debug files are looked for whose functions a capture does not name" File false [] |_| Ok(Command::EditFolders(FolderList::Symbols, String::new()));
    "clear-symbol-cache" "Remove kept symbols" "Empty the folder of looked-up symbols" File false [] |app| only_if(app.keeps_symbols(), "none are kept", Ok(Command::ClearSymbolCache));
    "quit" "Quit" "Close the window" File true [ctrl("Q")] |_| Ok(Command::Quit);

    "undo" "Undo" "Take back the last change of the view" Edit false [ctrl("Z"), alt("ArrowLeft")] |app| only_if(app.undo_label().is_some(), "nothing was changed", Ok(Command::Undo));
    "redo" "Redo" "Do the change again that was taken back" Edit false [ctrl_shift("Z"), ctrl("Y"), alt("ArrowRight")] |app| only_if(app.redo_label().is_some(), "nothing was taken back", Ok(Command::Redo));
    "copy-name" "Copy name" "Copy the full name of the selection" Edit true [ctrl("C")] |app| if_selected(app, Command::CopyName);
    "copy-stack" "Copy stack" "Copy the selected stack, outermost frame first" Edit false [ctrl_shift("C")] |app| if_selected(app, Command::CopyStack);
    "copy-table" "Copy table" "Copy the top table as tab-separated text" Edit false [] |app| if_shown(app, Command::CopyTable);
    "copy-source" "Copy annotated source" "Copy the source in front with what its lines cost, as text" Edit false [] |app| only_if(app.listing().ready().is_some(), "no source is in front", Ok(Command::CopySource));
    "copy-script" "Copy last commands" "Copy what was done as a script, for bug reports and demos" Edit false [] |_| Ok(Command::CopyScript);
    "write-remark" "Remark…" "Write down what colleagues should know about the selected function, or about all that is shown; reviews, presentations and saved comparisons have it" Edit true [plain("E")] |app| if_shown(app, Command::WriteRemark).and_then(|write| only_if(!app.view().is_presented(), "a presentation has no field for it", Ok(write)));
    "focus-search" "Find…" "Search names in all views" Edit true [ctrl("F"), plain("Slash")] |app| if_shown(app, Command::FocusSearch).and_then(|find| only_if(!app.view().is_presented(), "a presentation has no field for it", Ok(find)));
    "next-match" "Next match" "Select the next match of the search" Edit false [plain("F3"), plain("N")] |app| only_if(!app.view().search.is_empty(), NO_SEARCH, Ok(Command::NextMatch));
    "previous-match" "Previous match" "Select the previous match of the search" Edit false [shift("F3"), shift("N")] |app| only_if(!app.view().search.is_empty(), NO_SEARCH, Ok(Command::PreviousMatch));
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
    "toggle-icicle" "Root on top" "Icicle: the root on top; flame: the root at the bottom" View false [] |app| Ok(Command::SetIcicle(!app.settings().icicle)), checked |app| app.settings().icicle;
    "toggle-order" "Largest first" "Boxes with one caller stand by size, the largest left, and not by name; in a comparison by the sum of both sides" View false [plain("O")] |app| if_shown(app, Command::SetSiblingOrder(if app.view().sibling_order == SiblingOrder::Name { SiblingOrder::Size } else { SiblingOrder::Name })), checked |app| app.view().sibling_order == SiblingOrder::Size;
    "next-sample-type" "Next sample type" "Show the next column of values" Samples true [plain("T")] |app| sample_type_at(app, 1);
    "previous-sample-type" "Previous sample type" "Show the previous column of values" Samples false [shift("T")] |app| sample_type_at(app, -1);
    "zoom-in" "Zoom in" "Twice as large" View true [plain("Plus"), plain("Equals")] |app| if_boxes(app, Command::ZoomIn);
    "zoom-out" "Zoom out" "Half as large" View false [plain("Minus")] |app| if_boxes(app, Command::ZoomOut);
    "reset-zoom" "Show all" "Fit the whole flame graph" View false [plain("Num0"), plain("Home")] |app| if_boxes(app, Command::ResetZoom);
    "zoom-to-selection" "Zoom to selection" "Fit the selected box" View false [plain("Space"), plain("Enter")] |app| if_selected(app, Command::ZoomToSelection).and_then(|zoom| if_boxes(app, zoom));
    "unfold-heaviest" "Unfold heaviest path" "Unfold the call tree along its largest values" View true [plain("H")] |app| if_call_tree(app, Command::UnfoldHeaviest);
    "unfold-all" "Unfold all below" "Unfold everything below the selection, heaviest first (* in the call tree)" View false [] |app| if_call_tree(app, Command::UnfoldAll);
    "fold-all" "Fold all" "Fold the whole call tree" View false [] |app| if_call_tree(app, Command::FoldAll).and_then(|fold| only_if(!app.view().unfolded.is_empty(), "nothing is unfolded", Ok(fold)));
    "focus" "Focus on selection" "Keep only samples with the selected function" Samples true [plain("F")] |app| of_selected(app, app.selected_pattern().map(Command::Focus), NO_SELECTION);
    "ignore" "Drop selection" "Drop samples with the selected function" Samples false [plain("D")] |app| of_selected(app, app.selected_beside(app.view().filter.ignore.as_deref()).map(Command::Ignore), ALREADY);
    "show-from" "Begin at selection" "Stacks begin at the selected function, wherever it was called from; samples without it are dropped (pprof's show_from)" Samples false [plain("S")] |app| of_selected(app, app.selected_pattern().map(Command::ShowFrom), NO_SELECTION);
    "focus-subtree" "Focus on subtree" "Keep only samples on the path to the selected box, and begin at it; other calls of the function are dropped" Samples false [shift("F")] |app| of_selected(app, app.selected_subtree().map(Command::FocusSubtree), "no single box of a top-down tree is selected");
    "hide" "Merge selection" "Leave the selected function out of stacks: what it calls hangs on its callers, and its own value is theirs (pprof's hide)" Samples true [plain("M"), shift("H")] |app| of_selected(app, app.selected_beside(app.view().filter.hide.as_deref()).map(Command::Hide), ALREADY);
    "collapse" "Collapse selection" "What the selected function calls becomes its own value" Samples false [plain("C")] |app| of_selected(app, app.selected_beside(app.view().filter.collapse.as_deref()).map(Command::Collapse), ALREADY);
    "collapse-recursion" "Collapse recursion" "From its outermost to its innermost call a function is one frame: the selected one, or without a selection every one" Samples false [plain("R")] |app| app.recursion_of_selected(app.view().filter.recursion.as_deref()).map(Command::CollapseRecursion).ok_or(ALREADY);
    "collapse-direct-recursion" "Collapse direct recursion" "A function that calls itself is one frame; what it calls in between stays" Samples false [shift("R")] |app| app.recursion_of_selected(app.view().filter.direct_recursion.as_deref()).map(Command::CollapseDirectRecursion).ok_or(ALREADY);
    "clear-filters" "Clear filters" "Show all samples and frames again" Samples true [shift("Escape")] |app| only_if(!app.view().filter.is_empty(), "there is no filter", Ok(Command::ClearFilters));
    "clear-time-range" "All of the time" "Show the samples of all of the time again" Samples false [] |app| only_if(app.has_time_range(), "no range of time is chosen", Ok(Command::SetTimeRange(None)));
    "toggle-all-frames" "All frames" "Show the frames too that the capture itself asks to drop (pprof's drop_frames)" Samples true [] |app| if_shown(app, Command::AllFrames(!app.view().filter.all_frames)), checked |app| app.view().filter.all_frames;
    "toggle-inlines" "No inlined frames" "Functions that the compiler put into their callers are part of these (pprof's noinlines)" Samples false [] |app| if_shown(app, Command::NoInlines(!app.view().filter.no_inlines)), checked |app| app.view().filter.no_inlines;
    "toggle-group-by-process" "Group by process" "Stacks begin with the process of their samples (pprof's tagroot)" Samples true [] |app| app.grouped(PROCESS), checked |app| app.is_grouped_by(PROCESS);
    "toggle-group-by-thread" "Group by thread" "Stacks begin with the thread of their samples, by its name" Samples false [] |app| app.grouped(THREAD), checked |app| app.is_grouped_by(THREAD);
    "toggle-relative-percentages" "Percentages of what filters leave" "100 % is what the filters and the range of time leave, and not all that was recorded (pprof's relative_percentages)" Samples false [plain("P")] |app| if_shown(app, Command::RelativePercentages(!app.view().filter.of_filtered)), checked |app| app.view().filter.of_filtered;
    "toggle-side-panel" "Side panel" "Findings and details on the right" View true [ctrl("B")] |app| Ok(Command::SetSidePanel(!app.settings().side_panel)), checked |app| app.settings().side_panel;
    "toggle-timeline" "Timeline" "A strip above the views for choosing a range of time, for captures whose samples have times" View false [] |app| only_if(app.has_times(), "the samples have no times", Ok(Command::SetTimeline(!app.settings().timeline))), checked |app| app.settings().timeline && app.has_times();
    "toggle-motion" "Reduce motion" "Zoom without animation" View false [] |app| Ok(Command::SetReducedMotion(!app.settings().reduced_motion)), checked |app| app.settings().reduced_motion;
    "taller-rows" "Taller flame rows" "Boxes of up to 28 points" View false [alt("Plus")] |app| only_if(app.settings().flame_row_points < 28.0, "they are as high as can be", Ok(Command::SetRowHeight(app.settings().flame_row_points + 2.0)));
    "flatter-rows" "Flatter flame rows" "Boxes of down to 14 points" View false [alt("Minus")] |app| only_if(app.settings().flame_row_points > 14.0, "they are as flat as can be", Ok(Command::SetRowHeight(app.settings().flame_row_points - 2.0)));
    "full-screen" "Full screen" "The window takes the whole screen" View true [plain("F11")] |_| Ok(Command::ToggleFullScreen);
    "larger-text" "Larger text" "Zoom the window: a larger text size, for a projector or tired eyes" View false [ctrl("Plus"), ctrl("Equals")] |_| Ok(Command::SetTextSize(TextSize::Larger)), below "Text size";
    "smaller-text" "Smaller text" "Zoom the window: a smaller text size, as after a projector" View false [ctrl("Minus")] |_| Ok(Command::SetTextSize(TextSize::Smaller)), below "Text size";
    "normal-text" "Normal text size" "Zoom the window: neither larger nor smaller, as the system has it and not as a projector needs it" View false [ctrl("Num0")] |_| Ok(Command::SetTextSize(TextSize::Normal)), below "Text size";
    "theme-dark" "Dark theme" "Light on dark" View false [] |_| Ok(Command::SetTheme(ThemeChoice::Dark)), checked |app| app.settings().theme == ThemeChoice::Dark, below "Theme";
    "theme-light" "Light theme" "Dark on light" View false [] |_| Ok(Command::SetTheme(ThemeChoice::Light)), checked |app| app.settings().theme == ThemeChoice::Light, below "Theme";
    "theme-system" "Theme of the system" "Dark or light, as the system says" View false [] |_| Ok(Command::SetTheme(ThemeChoice::System)), checked |app| app.settings().theme == ThemeChoice::System, below "Theme";

    "choose-comparison" "Compare with…" "Choose the capture to compare with what is shown, or two captures" Compare false [ctrl("D")] |_| Ok(Command::ChooseComparison);
    "add-before" "Add captures to before…" "Further captures of before: repeats, whose sum is shown and which say how much runs vary" Compare false [] |app| if_compared(app, Command::ChooseForSide(Side::Before));
    "add-after" "Add captures to after…" "Further captures of after, or of what is shown" Compare false [] |app| if_shown(app, Command::ChooseForSide(Side::After));
    "choose-parts" "Compare two parts…" "Choose two time ranges, threads or label values to compare" Compare false [] |app| only_if(!app.profiles().is_empty(), NOTHING_SHOWN, Ok(Command::ChooseParts(Box::new(app.view().parts.clone()))));
    "compare-halves" "Compare first and second half" "Compare the two halves of the capture's time" Compare false [] |app| app.halves().map(|halves| Command::CompareParts(Box::new(halves))).ok_or("it needs one capture whose samples have times");
    "compare-rest" "Compare range with the rest" "The chosen range of time as after, the rest of the capture's time as before" Compare false [] |app| range_and_rest(app).map(|parts| Command::CompareParts(Box::new(parts)));
    "compare-range" "Compare range with another…" "The chosen range of time as after, and another part of the capture, which you choose, as before" Compare false [] |app| range_and_rest(app).map(|[_, range]| Command::ChooseParts(Box::new([Part::WHOLE, range])));
    "compare-whole" "Compare whole captures" "Each side is its whole capture again" Compare false [] compare_whole;
    "swap-sides" "Swap before and after" "Exchange the two sides" Compare false [plain("X")] |app| if_compared(app, Command::SwapSides);
    "leave-comparison" "Leave comparison" "Show the capture after alone" Compare false [] |app| if_compared(app, Command::LeaveComparison);
    "next-finding" "Next finding" "Select the next finding; every view follows" Findings true [plain("Period")] |app| if_compared(app, Command::NextFinding);
    "previous-finding" "Previous finding" "Select the previous finding" Findings false [plain("Comma")] |app| if_compared(app, Command::PreviousFinding);
    "present" "Presentation" "One finding after the other for an audience: large, on the whole screen, without bars; of a lone capture the picture alone" Findings false [shift("F5")] |app| if_shown(app, Command::Present(!app.view().presenting)), checked |app| app.view().is_presented();
    "group-findings" "Group findings by cause" "Findings of one cause stand together; otherwise all stand by rank" Findings true [] |app| if_compared(app, Command::GroupFindings(!app.view().findings.grouped)), checked |app| app.view().findings.grouped;
    "toggle-robust" "Hold against the bulk" "Places are held against what most of them did, which is taken as unchanged, whatever the sides are divided by" Findings false [] |app| if_compared(app, Command::SetExposure(if app.view().exposure == Exposure::Robust { Exposure::Normalization } else { Exposure::Robust })), checked |app| app.view().exposure == Exposure::Robust;
    "reset-thresholds" "Usual thresholds" "Error level and minimum effect as they were at first" Findings false [] |app| only_if(app.view().thresholds != Thresholds::default(), "they are as at first", Ok(Command::SetThresholds(Thresholds::default())));
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
    "accept-match" "Accept proposed name" "The selected function and the one it is proposed to be now are one" Compare false [plain("A")] |app| of_selected(app, app.proposed_name().map(|(before, after)| Command::AcceptMatch(before, after)), "no name is proposed for the selection");
    "keep-apart" "Keep names apart" "The selected function is not the one that it was matched with" Compare false [shift("A")] |app| of_selected(app, app.selected_apart(), "the selection was matched with no other name");
    "reset-matches" "Forget decisions about names" "Let rules and context decide about all names again" Compare false [] |app| only_if(app.view().naming != Naming::default(), "nothing was decided", Ok(Command::ResetMatches));
    "normalize-share" "Share of total" "Each value as a part of its side's total" Compare true [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::Share))), checked |app| app.normalization() == Normalization::Share;
    "normalize-per-second" "Per second" "Each value per second of its capture" Compare false [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::PerSecond))).and_then(|per| only_if(app.durations_known(), "a capture does not say how long it took", Ok(per))), checked |app| app.normalization() == Normalization::PerSecond;
    "normalize-per-cpu-second" "Per CPU-second" "Each value per second of processor time of its side" Compare false [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::PerCpuSecond))).and_then(|per| only_if(app.cpu_known(), "a capture holds no processor time", Ok(per))), checked |app| app.normalization() == Normalization::PerCpuSecond;
    "normalize-absolute" "Absolute" "Values as they are" Compare false [] |app| if_compared(app, Command::SetNormalization(Some(Normalization::Absolute))), checked |app| app.normalization() == Normalization::Absolute;


    "palette" "Command palette…" "Find any command by its name" Help false [ctrl_shift("P"), ctrl("K")] |_| Ok(Command::Palette);
    "shortcuts" "Keyboard shortcuts" "All keys" Help false [shift("Questionmark"), plain("Questionmark"), plain("F1")] |_| Ok(Command::Shortcuts);
    "messages" "Last messages" "What was written and copied lately, and what failed" Help false [] |app| only_if(!app.messages().is_empty() || !app.past_messages().is_empty(), "nothing was said yet", Ok(Command::Messages));
    "open-sample" "Open the sample pair" "A Go service before and after a change that made it slower, for a first look" Help true [] |app| only_if(app.has_sample(), "there is no folder to write it to", Ok(Command::OpenSample));
    "about" "About Emberlens" "Version and licences" Help true [] |_| Ok(Command::About);
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
        (self.resolve)(app).is_ok()
    }

    /// The command as things stand, unless a dialog is in the way of commands that change what lies under it.
    pub fn available(&self, app: &App) -> Option<Command> {
        (self.resolve)(app)
            .ok()
            .filter(|command| app.dialog().is_none() || matches!(command, Command::CloseDialog | Command::Quit | Command::Palette))
    }

    /// Why the command cannot be done as things stand, as the end of a sentence; `None` where it can.
    pub fn why_not(&self, app: &App) -> Option<&'static str> {
        match (self.resolve)(app) {
            Err(why) => Some(why),
            Ok(_) if self.available(app).is_none() => Some("a dialog is open"),
            Ok(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::app::Options;

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
    fn what_cannot_be_done_says_why() {
        let app = App::new(Options::default());
        let why = |name: &str| kind(name).unwrap().why_not(&app);
        assert_eq!(why("choose-files"), None);
        assert_eq!(why("next-finding"), Some("it needs two captures, one before and one after"));
        assert_eq!(why("copy-name"), Some("nothing is selected"));
        for kind in KINDS {
            assert_eq!(kind.why_not(&app).is_some(), kind.available(&app).is_none(), "{}", kind.name);
            assert!(kind.why_not(&app).is_none_or(|why| !why.ends_with('.') && why.len() > 8), "{}", kind.name);
        }
    }
}
