//! Commands that change what is shown and how.

use crate::analysis::{Filter, Measure};
use crate::app::App;
use crate::app::apply::files;
use crate::app::command::Command;
use crate::app::effect::FolderList;
use crate::app::source::SourceSpec;
use crate::app::view::{FlameWindow, SandwichWindow, SiblingOrder, Tab, ViewState};
use crate::model::{counted, human};

fn pattern(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// The selected function stays selected, wherever its path leads now.
fn forget_path(view: &mut ViewState) {
    if let Some(selection) = &mut view.selection {
        selection.path.clear();
    }
}

/// Stacks have another beginning: what was zoomed to stands elsewhere.
fn begin_anew(view: &mut ViewState) {
    forget_path(view);
    view.window = FlameWindow::default();
}

pub(super) fn apply(app: &mut App, command: Command) {
    let view = &mut app.view;
    match command {
        Command::SetSampleType(name, unit) => view.sample_type = Some((name, unit)),
        Command::SetGranularity(granularity) => {
            view.granularity = granularity;
            view.unfolded.clear();
            view.window = FlameWindow::default();
        }
        Command::SetDirection(direction) => {
            if view.direction != direction {
                view.direction = direction;
                view.unfolded.clear();
                view.window = FlameWindow::default();
            }
        }
        Command::SetNormalization(normalization) => view.normalization = normalization,
        Command::SetExposure(exposure) => view.exposure = exposure,
        Command::FilterFindings(text) => view.findings.text = text,
        Command::ShowFindings(kind, true) => {
            view.findings.hidden.remove(&kind);
        }
        Command::ShowFindings(kind, false) => {
            view.findings.hidden.insert(kind);
        }
        Command::GroupFindings(grouped) => view.findings.grouped = grouped,
        Command::SetThresholds(thresholds) => view.thresholds = thresholds.sane(),
        Command::AcceptMatch(before, after) => view.naming.accept(before, after),
        Command::KeepApart(name) => view.naming.keep_apart(name),
        Command::ForgetMatch(name) => view.naming.forget(&name),
        Command::MatchNames(on) => view.naming.exact = !on,
        Command::ResetMatches => view.naming = crate::analysis::Naming::default(),
        Command::Focus(text) => view.filter.focus = pattern(text),
        Command::Ignore(text) => {
            view.filter.ignore = pattern(text);
            view.selection = None;
        }
        Command::Hide(text) => {
            view.filter.hide = pattern(text);
            view.selection = None;
        }
        Command::ShowOnly(text) => {
            view.filter.show = pattern(text);
            view.selection = None;
        }
        Command::ShowFrom(text) => {
            view.filter.show_from = pattern(text);
            // Of all stacks with the function, not only of those on the path.
            view.filter.subtree.clear();
            begin_anew(view);
        }
        Command::FocusSubtree(path) => {
            view.filter.subtree = path;
            begin_anew(view);
        }
        Command::Collapse(text) => {
            view.filter.collapse = pattern(text);
            forget_path(view);
        }
        Command::PruneFrom(text) => {
            view.filter.prune_from = pattern(text);
            forget_path(view);
        }
        Command::CollapseRecursion(text) => {
            view.filter.recursion = pattern(text);
            forget_path(view);
        }
        Command::CollapseDirectRecursion(text) => {
            view.filter.direct_recursion = pattern(text);
            forget_path(view);
        }
        Command::AllFrames(all) => {
            view.filter.all_frames = all;
            view.selection = None;
        }
        Command::RelativePercentages(relative) => view.filter.of_filtered = relative,
        Command::SetThreads(threads) => view.filter.threads = threads,
        Command::SetLabels(labels) => view.filter.labels = labels,
        Command::TagFocus(conditions) => view.filter.tag_focus = conditions,
        Command::TagIgnore(conditions) => view.filter.tag_ignore = conditions,
        Command::NoInlines(is_on) => {
            view.filter.no_inlines = is_on;
            view.selection = None;
        }
        Command::GroupBy(keys) => {
            view.filter.group_by = keys;
            forget_path(view);
        }
        Command::GroupLeaves(keys) => {
            view.filter.group_leaves = keys;
            forget_path(view);
        }
        // What percentages are of, and what stacks begin and end with, are ways of reading and no choice of samples.
        Command::ClearFilters => {
            let Filter { of_filtered, group_by, group_leaves, .. } = std::mem::take(&mut view.filter);
            view.filter = Filter { of_filtered, group_by, group_leaves, ..Filter::default() };
        }
        Command::SetTab(tab) => view.tab = tab,
        Command::SetFlameShape(shape) => view.flame_shape = shape,
        Command::SetSiblingOrder(order) => set_sibling_order(app, order),
        Command::SetColorBy(color_by) => view.color_by = color_by,
        Command::Search(text) => view.search = text,
        Command::SetSort(sort) => view.sort = sort,
        Command::SetMeasure(measure) => set_measure(view, measure),
        Command::FilterTop(text) => view.top_filter = text,
        Command::Undo => {
            if let Some(old) = app.undo.undo(app.view.clone()) {
                app.view = old;
            }
        }
        Command::Redo => {
            if let Some(later) = app.undo.redo(app.view.clone()) {
                app.view = later;
            }
        }
        other => settings(app, other),
    }
}

fn set_sibling_order(app: &mut App, order: SiblingOrder) {
    let view = &mut app.view;
    if view.sibling_order != order {
        view.sibling_order = order;
        // What was zoomed to stands elsewhere.
        view.window = FlameWindow { scroll_rows: view.window.scroll_rows, ..FlameWindow::default() };
        view.sandwich.window = SandwichWindow { scroll_rows: view.sandwich.window.scroll_rows, ..SandwichWindow::default() };
        // The selected box is brought into view.
        app.steps_taken += 1;
    }
}

fn set_measure(view: &mut ViewState, measure: Measure) {
    view.measure = measure;
    // There it is a choice for the selected function.
    if view.tab == Tab::Trend {
        view.trend_measure = Some(measure);
    }
}

fn settings(app: &mut App, command: Command) {
    let settings = &mut app.settings;
    match command {
        Command::SetTheme(theme) => settings.theme = theme,
        Command::SetIcicle(icicle) => settings.icicle = icicle,
        Command::SetDetailsShare(share) => settings.details_share = share.clamp(0.0, 1.0),
        Command::SetRowHeight(points) => settings.flame_row_points = points.clamp(14.0, 28.0),
        Command::SetTimeline(visible) => settings.timeline = visible,
        Command::SetSidePanel(visible) => settings.side_panel = visible,
        Command::SetReducedMotion(reduced) => settings.reduced_motion = reduced,
        Command::SetSymbolRoots(roots) => {
            settings.symbol_roots = roots.into_iter().filter(|root| !root.as_os_str().is_empty()).collect();
            app.options.load.symbol_roots.clear();
            files::read_or_look_again(app);
        }
        Command::AddFolder(FolderList::Symbols, folder) => {
            let mut roots = app.symbol_roots().to_vec();
            roots.extend(Some(folder).filter(|folder| !app.symbol_roots().contains(folder)));
            return self::settings(app, Command::SetSymbolRoots(roots));
        }
        Command::AddFolder(FolderList::Source, folder) => {
            let mut spec = app.source_spec().clone();
            spec.folders.extend(Some(folder).filter(|folder| !app.source_spec().folders.contains(folder)));
            return self::settings(app, Command::SetSource(spec));
        }
        Command::SetSource(spec) => {
            settings.source = spec.sane();
            app.options.load.source = SourceSpec::default();
        }
        Command::SetSymbolCache(keep) => settings.symbol_cache = keep,
        Command::SetDebuginfod(ask) => {
            settings.debuginfod = ask;
            if ask {
                files::look_again(app);
            }
        }
        Command::ClearSymbolCache => return clear_symbols(app),
        other => {
            debug_assert!(false, "{} has no group", other.to_line());
            return;
        }
    }
    app.save_settings();
}

fn clear_symbols(app: &mut App) {
    let Some(cache) = app.options.load.symbol_cache.clone() else { return };
    match cache.clear() {
        Ok((modules, bytes)) => app.say(
            format!("Removed the symbols of {}, {}", counted(modules as u64, "module", "modules"), human(bytes as f64, "bytes")),
            false,
        ),
        Err(error) => app.say(format!("The kept symbols could not be removed: {error}\n{}", cache.folder().display()), true),
    }
}
