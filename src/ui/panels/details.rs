//! The selection: where it is, what it costs, who calls it and what it calls.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{CursorIcon, Grid, Id, RichText, ScrollArea, Sense, Ui};
use rustc_hash::FxHashMap;

use super::{remarks, rows, words};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::diff::{Measure, Verdict};
use crate::analysis::regress::{Finding, Findings};
use crate::analysis::{CallTree, NodeId, PlaceId, Places, names};
use crate::app::view::Selection;
use crate::app::{Command, command};
use crate::model::{Scale, grouped};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{fonts, size};

/// How many callers and callees are listed.
const LISTED: usize = 6;

/// Height of a row of text.
const LINE: f32 = 17.0;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let Some(comparison) = cx.app.table().ready() else {
        words::adding_up_ui(ui, cx.theme);
        return;
    };
    let Some(selection) = &cx.app.view().selection else {
        everything_ui(ui, cx, comparison, out);
        return;
    };
    let Some(place) = comparison.places().find(&selection.place) else {
        name_ui(ui, &selection.place);
        ui.label(RichText::new("does not occur in what is shown").color(cx.theme.muted));
        return;
    };
    ScrollArea::vertical().id_salt("details").auto_shrink([false, false]).show(ui, |ui| {
        name_ui(ui, &selection.place);
        if let Some(matched) = comparison.shape.matching.of(place) {
            // No silent merges: what was put together says its other names.
            let text = RichText::new(matched.words(comparison.places().name(place))).color(cx.theme.muted).font(fonts::small());
            ui.add(egui::Label::new(text).wrap());
        }
        words::origin_ui(
            ui,
            cx.theme,
            comparison.places().get(place),
            &rows::of_sides(ui, cx, comparison, place, "selection on each side"),
        );
        buttons_ui(ui, cx, out);
        ui.add_space(size::GAP);
        remarks::field_ui(ui, cx, Some(&selection.place), "Remark…");
        ui.add_space(size::GAP);
        // Rows of text, not of buttons: on a small screen there are few.
        ui.spacing_mut().interact_size.y = LINE;
        values_ui(ui, cx, comparison, place);
        let around = neighbours(ui, comparison, place);
        list_ui(ui, cx, comparison, "Called by", &around.callers, &around.scale, out);
        list_ui(ui, cx, comparison, "Calls", &around.callees, &around.scale, out);
    });
}

/// Most lines of a name until it is clicked: those of C++ templates would leave no room for what is known of the function.
const NAME_LINES: usize = 3;

/// The name of the selection. A click shows all of a long one, and another one less of it.
fn name_ui(ui: &mut Ui, name: &str) {
    let (whole, color) = (words::whole(name), ui.visuals().strong_text_color());
    let job = |text: &str| LayoutJob::simple(text.to_owned(), fonts::table(), color, ui.available_width());
    let lines = |job: &LayoutJob| ui.fonts_mut(|fonts| fonts.layout_job(job.clone())).rows.len();
    let all = job(&whole);
    if lines(&all) <= NAME_LINES {
        ui.add(egui::Label::new(all));
        return;
    }
    let id = Id::unique("all of the name").with(name);
    let is_open = ui.data(|data| data.get_temp::<bool>(id)).unwrap_or(false);
    let shown = if is_open { all } else { job(&cut_name(name, |text| lines(&job(text)) <= NAME_LINES)) };
    let response = ui.add(egui::Label::new(shown).sense(Sense::click()).selectable(is_open));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, whole.as_ref()));
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    // What is there already needs no tooltip over it.
    let response = if is_open { response } else { response.on_hover_text(format!("{whole}\nClick to show all of it here")) };
    if response.clicked() {
        ui.data_mut(|data| data.insert_temp(id, !is_open));
    }
}

/// As much of a long name as has room. Lines end where words do, so nobody knows before how many letters have.
fn cut_name(name: &str, has_room: impl Fn(&str) -> bool) -> String {
    /// More letters do not stand in a line.
    const LINE_LETTERS: usize = 120;
    let (mut fits, mut too_long) = (1, NAME_LINES * LINE_LETTERS);
    while too_long - fits > 1 {
        let letters = usize::midpoint(fits, too_long);
        if has_room(&words::cut(name, letters)) {
            fits = letters;
        } else {
            too_long = letters;
        }
    }
    words::cut(name, fits)
}

/// What can be done with the selection, with a word each: more than a line of buttons would leave no room for what the panel is for. A name that is
/// in sight is copied with the keys of the system.
const BUTTONS: [(&str, &str); 9] = [
    ("zoom-to-selection", "Zoom"),
    ("show-sandwich", "Sandwich"),
    ("show-source", "Source"),
    ("show-trend", "Trend"),
    ("focus", "Focus"),
    ("ignore", "Drop"),
    ("hide", "Merge"),
    ("accept-match", "Accept name"),
    ("keep-apart", "Keep apart"),
];

fn buttons_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.scope(|ui| {
        let spacing = ui.spacing_mut();
        (spacing.item_spacing, spacing.button_padding, spacing.interact_size.y) =
            (egui::vec2(3.0, size::GAP), egui::vec2(4.0, 1.0), size::TABLE_ROW);
        ui.horizontal_wrapped(|ui| {
            for (name, word) in BUTTONS {
                let Some(kind) = command::kind(name) else { continue };
                let todo = kind.available(cx.app);
                // Most functions have one name.
                if !kind.makes_sense(cx.app) && matches!(name, "accept-match" | "keep-apart") {
                    continue;
                }
                let keys = kind.keys.first().map(|keys| format!(" ({})", keys.text())).unwrap_or_default();
                let button = egui::Button::new(RichText::new(word).font(fonts::small()));
                let why = kind.why_not(cx.app).map_or_else(String::new, |why| format!("\nNot now: {why}"));
                let tip = format!("{}{keys}\n{}", kind.title, kind.tooltip);
                let response = ui.add_enabled(todo.is_some(), button);
                let response = response.on_disabled_hover_text(format!("{tip}{why}")).on_hover_text(tip);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, todo.is_some(), kind.title));
                if response.clicked()
                    && let Some(todo) = todo
                {
                    out.send(todo);
                }
            }
        });
    });
}

/// What to do where nothing is selected.
pub(crate) fn hint_ui(ui: &mut Ui, cx: &Cx<'_>) {
    ui.label(RichText::new("Nothing is selected").color(cx.theme.muted));
    ui.label(RichText::new("Click a box, a row or a finding; every view follows").color(cx.theme.muted).font(fonts::small()));
}

/// Where nothing is selected: what there is to select from.
fn everything_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, out: &mut Outbox) {
    ScrollArea::vertical().id_salt("details").auto_shrink([false, false]).show(ui, |ui| {
        ui.label(RichText::new("Everything that is shown").strong());
        ui.label(RichText::new("Click a box, a row or a finding; every view follows").color(cx.theme.muted).font(fonts::small()));
        ui.add_space(size::GAP);
        ui.spacing_mut().interact_size.y = LINE;
        if let Some((before, after)) = comparison.pair() {
            let [b, a] = [before, after].map(|side| side.weights.total() as f64 * comparison.factor(side));
            Grid::new("values of everything").num_columns(4).spacing([size::PAD, 2.0]).show(ui, |ui| {
                words::head_row(ui, cx.theme);
                let total = cx.app.findings().ready().and_then(|findings| findings.total);
                let sure = total.is_none_or(|total| total.lo > 1.0 || total.hi < 1.0);
                words::value_row(ui, cx.theme, comparison, "total", [b, a], sure);
            });
        } else if let Some(only) = comparison.last() {
            ui.label(words::number(&words::value(comparison, only.weights.total())));
        }
        let around = neighbours(ui, comparison, Places::root());
        list_ui(ui, cx, comparison, "Outermost", &around.callees, &around.scale, out);
    });
}

/// Self and total of every place on each side, as stored.
pub(super) fn sums(ui: &Ui, comparison: &Arc<Comparison>) -> Arc<Vec<(Vec<i64>, Vec<i64>)>> {
    memory::keep(ui, "sums by place", memory::key(&Arc::as_ptr(comparison).addr()), || {
        Kept::new(comparison.by_place(), Arc::clone(comparison))
    })
}

/// Self and total of the place, both sides where there are two.
fn values_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>, place: PlaceId) {
    let sums = sums(ui, comparison);
    let at = place.row();
    let value = |column: &[i64]| column.get(at).copied().unwrap_or(0);
    let all: [Vec<i64>; 2] = [sums.iter().map(|(_, total)| value(total)).collect(), sums.iter().map(|(self_, _)| value(self_)).collect()];
    // The box or row that was clicked may be one of several of the function: then its own values stand first.
    let own = this_box(cx).filter(|own| own.values != all);
    let is_pair = comparison.pair().is_some();
    let findings = cx.app.findings().ready();
    let sure = [Measure::Total, Measure::Self_].map(|measure| is_sure(cx, measure, place));
    let names = if is_pair { ["total", "self"] } else { ["total (cum)", "self (flat)"] };
    Grid::new("selection values").num_columns(4).spacing([size::PAD, 2.0]).show(ui, |ui| {
        if is_pair {
            words::head_row(ui, cx.theme);
        }
        if let Some(Own { values: own, comparison: shown, certain }) = &own {
            let is_bottom_up = cx.app.view().direction == Direction::BottomUp;
            part_row(ui, cx, "this box");
            // A box of a bottom-up tree has a part of the self value of where its path ends.
            // Of its self value nothing is known by itself.
            let sure = [*certain, *certain && sure[1]];
            for ((title, values), sure) in names.iter().zip(own).zip(sure).take(if is_bottom_up { 1 } else { 2 }) {
                stored_row(ui, cx, shown, if is_bottom_up { "value" } else { title }, values, sure);
            }
            let count = boxes(ui, comparison, place);
            part_row(ui, cx, &if count == 1 { "the function".to_owned() } else { format!("all {} boxes of it", grouped(count as u64)) });
        }
        for ((title, values), sure) in names.iter().zip(&all).zip(sure) {
            stored_row(ui, cx, comparison, title, values, sure);
        }
    });
    if let Some(findings) = findings {
        for measure in [Measure::Total, Measure::Self_] {
            evidence_ui(ui, cx, comparison, findings, measure, place);
        }
    }
}

/// The selected box.
struct Own<'a> {
    /// Total and self on each side, as stored.
    values: [Vec<i64>; 2],
    /// What it is a box of.
    comparison: &'a Comparison,
    /// Its total is not known to be within noise.
    certain: bool,
}

/// `None` where the selection is a function wherever it is called from.
fn this_box<'a>(cx: &Cx<'a>) -> Option<Own<'a>> {
    let path = &cx.app.view().selection.as_ref().filter(|selection| !selection.path.is_empty())?.path;
    let shown = cx.app.comparison().ready()?;
    let places: Vec<PlaceId> = path.iter().map(|name| shown.places().find(name)).collect::<Option<_>>()?;
    let node = shown.tree().find_path(places)?;
    let of = |value: fn(&Side, NodeId) -> i64| shown.sides.iter().map(|side| value(side, node)).collect();
    let values = [of(|side, node| side.weights.total_of(node)), of(|side, node| side.weights.self_of(node))];
    let certain = cx.app.diff().ready().is_none_or(|diff| words::is_certain(&diff.nodes, node));
    Some(Own { values, comparison: shown, certain })
}

/// How many boxes of a top-down tree a place has.
fn boxes(ui: &Ui, comparison: &Arc<Comparison>, place: PlaceId) -> usize {
    *memory::keep(ui, "boxes of the selection", memory::key(&(Arc::as_ptr(comparison).addr(), place)), || {
        let tree = comparison.tree();
        Kept::new(tree.nodes().filter(|&node| tree.place(node) == place).count(), Arc::clone(comparison))
    })
}

/// What the rows below it are the values of.
fn part_row(ui: &mut Ui, cx: &Cx<'_>, title: &str) {
    ui.label(RichText::new(title).color(cx.theme.muted).font(fonts::strong()));
    ui.end_row();
}

/// Stored values of the sides: normalised where there are two, with their share where there is one.
fn stored_row(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, title: &str, values: &[i64], sure: bool) {
    match (comparison.pair(), values) {
        (Some((before, after)), &[b, a]) => {
            words::value_row(
                ui,
                cx.theme,
                comparison,
                title,
                [b as f64 * comparison.factor(before), a as f64 * comparison.factor(after)],
                sure,
            );
        }
        (None, &[value]) => {
            let of = comparison.last().map_or(0.0, Side::denominator);
            ui.label(RichText::new(title).color(cx.theme.muted));
            ui.label(words::number(&words::value(comparison, value)));
            ui.label(words::number(&words::share(value as f64, of)));
            ui.end_row();
        }
        _ => {}
    }
}

/// What is known of one measure of a place, as the list of findings says it: one function has one answer on the screen.
struct Evidence<'a> {
    verdict: Verdict,
    values: [f64; 2],
    ratio: f64,
    interval: [f64; 2],
    chance: String,
    events: [f64; 2],
    /// The change lies on so many of the paths to the place and not on all; 0 = on all.
    paths: usize,
    /// Its numbers are a part of the place's then: verdict and ratio of all of the place.
    whole: Option<(Verdict, f64)>,
    /// Why it is no finding, or what it is explained by.
    because: &'a str,
}

/// True where the change of a place has a colour.
pub(super) fn is_sure(cx: &Cx<'_>, measure: Measure, place: PlaceId) -> bool {
    let known = cx.app.findings().ready().and_then(|findings| evidence(findings, measure, place));
    !known.is_some_and(|known| words::is_quiet(known.function()))
}

impl Evidence<'_> {
    /// The verdict on all of the place.
    fn function(&self) -> Verdict {
        self.whole.map_or(self.verdict, |(verdict, _)| verdict)
    }
}

fn evidence(findings: &Findings, measure: Measure, place: PlaceId) -> Option<Evidence<'_>> {
    let own = |row: &&Finding| row.place == place && row.measure == measure;
    if let Some(row) = findings.rows.iter().find(own).or_else(|| findings.others.iter().find(own)) {
        let chance = match row.rank {
            // The same words as in its row.
            1.. if !row.verdict.is_structure() && row.q < 1.0 => format!("by chance {}", words::chance(row.q)),
            1.. => String::new(),
            0 => q_text(row.q),
        };
        return Some(Evidence {
            verdict: row.verdict,
            values: [row.before, row.after],
            ratio: row.ratio,
            interval: [row.ratio_lo, row.ratio_hi],
            chance,
            events: row.events,
            paths: row.told_paths().count(),
            whole: row.is_of_paths().then(|| of_all(findings, measure, place)).flatten(),
            because: &row.because,
        });
    }
    let (table, at) = (findings.diff.table(measure), place.row());
    let [before, after] = &table.events;
    let [value_before, value_after] = &table.value;
    Some(Evidence {
        verdict: *table.verdict.get(at)?,
        values: [*value_before.get(at)?, *value_after.get(at)?],
        ratio: *table.ratio.get(at)?,
        interval: [*table.lo.get(at)?, *table.hi.get(at)?],
        chance: q_text(*table.q.get(at)?),
        events: [*before.get(at)?, *after.get(at)?],
        paths: 0,
        whole: None,
        because: "",
    })
}

/// Verdict and ratio of a place, wherever it is called from.
fn of_all(findings: &Findings, measure: Measure, place: PlaceId) -> Option<(Verdict, f64)> {
    let (table, at) = (findings.diff.table(measure), place.row());
    Some((*table.verdict.get(at)?, *table.ratio.get(at)?))
}

/// The false discovery rate of a row that is no finding.
fn q_text(q: f64) -> String {
    if q < 0.001 { "q < 0.001".to_owned() } else { format!("q {q:.3}") }
}

/// Interval, test and events of one measure, the verdict in words, and what the ratio is held against where that is not before.
fn evidence_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, findings: &Findings, measure: Measure, place: PlaceId) {
    let Some(known) = evidence(findings, measure, place).filter(|known| known.events[0] + known.events[1] > 0.0) else { return };
    let [before, after] = known.values;
    let [lo, hi] = known.interval;
    let path = match (known.whole, known.paths) {
        (None, _) => String::new(),
        (_, 1) => " on one path".to_owned(),
        (_, paths) => format!(" on {paths} paths"),
    };
    let chance = if known.chance.is_empty() { String::new() } else { format!("{}; ", known.chance) };
    let because = if known.because.is_empty() { String::new() } else { format!(" ({})", known.because) };
    let mut text = format!(
        "{}{path}: {}{because}, {} (95 %: {}; {chance}{:.0} → {:.0} events)",
        measure.name(),
        known.verdict.label(),
        words::ratio(known.ratio),
        words::ratios(lo, hi),
        known.events[0],
        known.events[1]
    );
    if let Some((verdict, ratio)) = known.whole {
        // What is sure on a path need not be sure of the function, whose other calls vary too.
        text = format!("{text}; all calls of the function: {}, {}", verdict.label().to_lowercase(), words::ratio(ratio));
    }
    if let Some(against) = words::against_unchanged(before, after, known.ratio, words::unchanged_ratio(comparison, findings)) {
        text = format!("{text}; {against}");
    }
    ui.add(egui::Label::new(RichText::new(text).color(cx.theme.muted).font(fonts::small())).wrap());
}

/// What goes from or to one place: the value of each side, or of the one side.
type Row = (PlaceId, [f64; 2]);

struct Neighbours {
    /// Place and values of before and after, largest first; normalised where there are two sides, as the values above are. Of one side there
    /// is only the second value, as stored.
    callers: Vec<Row>,
    callees: Vec<Row>,
    /// What both lists are written in.
    scale: Scale,
}

/// Direct callers and callees with the value that goes through them. Recursion is counted once, so that the callers add up to the total,
/// and that the callees and self do.
fn neighbours(ui: &Ui, comparison: &Arc<Comparison>, place: PlaceId) -> Arc<Neighbours> {
    memory::keep(ui, "neighbours", memory::key(&(Arc::as_ptr(comparison).addr(), place)), || {
        Kept::new(neighbours_of(comparison, place), Arc::clone(comparison))
    })
}

fn neighbours_of(comparison: &Comparison, place: PlaceId) -> Neighbours {
    let tree = comparison.tree();
    // One capture stands in the second column, as after does.
    let value = |node: NodeId| match (comparison.pair(), comparison.last()) {
        (Some((before, after)), _) => [comparison.total_of(before, node), comparison.total_of(after, node)],
        (None, Some(only)) => [0.0, only.weights.total_of(node) as f64],
        (None, None) => [0.0; 2],
    };
    let (mut callers, mut callees): (Sums, Sums) = (Sums::default(), Sums::default());
    let mut covered_until = 0;
    // A callee that calls the place again stands in itself: the outermost of each has the value of all.
    let mut callee_until: FxHashMap<PlaceId, usize> = FxHashMap::default();
    for node in tree.nodes().filter(|&node| tree.place(node) == place) {
        for child in tree.children(node) {
            let callee = tree.place(child);
            let until = callee_until.entry(callee).or_default();
            if child.row() >= *until {
                *until = tree.subtree_end(child);
                add(&mut callees, callee, value(child));
            }
        }
        if node.row() >= covered_until {
            covered_until = tree.subtree_end(node);
            add(&mut callers, tree.place(tree.parent(node).unwrap_or(CallTree::ROOT)), value(node));
        }
    }
    let size = |row: &Row| row.1[0].abs().max(row.1[1].abs());
    let largest_first = |sums: Sums| {
        let mut rows: Vec<Row> = sums.into_iter().filter(|row| size(row) > 0.0).collect();
        // Places are in name order, which decides between equals.
        rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.0.cmp(&b.0)));
        rows
    };
    let (callers, callees) = (largest_first(callers), largest_first(callees));
    let largest = callers.iter().chain(&callees).map(size).fold(0.0, f64::max);
    Neighbours { callers, callees, scale: comparison.scale(largest) }
}

type Sums = FxHashMap<PlaceId, [f64; 2]>;

fn add(sums: &mut Sums, place: PlaceId, [before, after]: [f64; 2]) {
    let sum = sums.entry(place).or_default();
    sum[0] += before;
    sum[1] += after;
}

/// `title` with the rows of one list; both sides of a comparison stand beside each other, each in its own column.
fn list_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, title: &str, rows: &[Row], scale: &Scale, out: &mut Outbox) {
    if rows.is_empty() {
        return;
    }
    let is_pair = comparison.pair().is_some();
    ui.add_space(size::GAP);
    if is_pair {
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).color(cx.theme.muted));
            let unit = if scale.unit().is_empty() { String::new() } else { format!(", {}", scale.unit()) };
            ui.label(RichText::new(format!("before → after{unit}")).color(cx.theme.muted).font(fonts::small()));
        });
    } else {
        ui.label(RichText::new(title).color(cx.theme.muted));
    }
    let text = |[before, after]: [f64; 2]| {
        if is_pair { [scale.text(before), scale.text(after)] } else { [String::new(), words::value(comparison, after as i64)] }
    };
    let listed = rows.get(..LISTED).unwrap_or(rows);
    let rest = rows.get(LISTED..).unwrap_or_default();
    let of_rest = rest.iter().fold([0.0; 2], |sum, row| [sum[0] + row.1[0], sum[1] + row.1[1]]);
    // Numbers stand under each other, so all are as wide as the widest.
    let texts: Vec<[String; 2]> = listed.iter().map(|row| row.1).chain((!rest.is_empty()).then_some(of_rest)).map(text).collect();
    let width = |at: usize| texts.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let column = |[before, after]: &[String; 2]| {
        if is_pair { format!("{before:>first$} → {after:>second$}") } else { format!("{after:>9}") }
    };
    for ((place, _), numbers) in listed.iter().zip(&texts) {
        let name = comparison.places().name(*place);
        let is_root = *place == Places::root();
        ui.horizontal(|ui| {
            ui.label(words::number(&column(numbers)));
            let letters = (ui.available_width() / 7.2).max(4.0) as usize;
            let text = if is_root { "(start of the stack)".to_owned() } else { names::short(name, letters) };
            let link = ui.add_enabled(!is_root, egui::Link::new(words::number(&text)));
            if link.on_hover_text(words::whole(name)).clicked() {
                out.send(Command::Select(Some(Selection { place: name.to_owned(), path: Vec::new() })));
            }
        });
    }
    if let (false, Some(numbers)) = (rest.is_empty(), texts.last()) {
        ui.horizontal(|ui| {
            ui.label(words::number(&column(numbers)).color(cx.theme.muted));
            ui.label(words::number(&format!("{} more", grouped(rest.len() as u64))).color(cx.theme.muted));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{App, Command, Options};

    fn comparison() -> Arc<Comparison> {
        let sample = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::OpenComparison(sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz")));
        app.settle();
        Arc::clone(app.table().ready().expect("a table"))
    }

    #[test]
    fn callers_and_callees_add_up_to_the_values_above_on_both_sides() {
        let comparison = comparison();
        let sums = comparison.by_place();
        let (before, after) = comparison.pair().expect("two sides");
        let value = |measure: usize, place: PlaceId| {
            [(before, &sums[0]), (after, &sums[1])].map(|(side, sums)| {
                let column = if measure == 0 { &sums.0 } else { &sums.1 };
                column[place.row()] as f64 * comparison.factor(side)
            })
        };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9);
        let mut seen = 0;
        for place in comparison.places().ids().skip(1) {
            let around = neighbours_of(&comparison, place);
            let (self_, total) = (value(0, place), value(1, place));
            for side in 0..2 {
                let sum = |rows: &[Row]| rows.iter().map(|row| row.1[side]).sum::<f64>();
                assert!(close(sum(&around.callers), total[side]), "callers of {}", comparison.places().name(place));
                // A callee that is reached through another one is in both.
                let with_self = sum(&around.callees) + self_[side];
                let is_less = with_self < total[side] && !close(with_self, total[side]);
                assert!(!is_less, "callees of {}", comparison.places().name(place));
                let most = around.callees.iter().map(|row| row.1[side]).fold(0.0, f64::max);
                assert!(most <= total[side] * (1.0 + 1e-9), "a callee of {} has no more than it", comparison.places().name(place));
                seen += usize::from(close(with_self, total[side]));
            }
        }
        assert!(seen > comparison.places().len(), "only recursion is counted in two callees");
    }
}
