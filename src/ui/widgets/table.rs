//! A table of any number of rows: sorted by its heads, moved through by keys, read out row by row.
//!
//! Only rows on view are asked for and painted; the offset is counted in rows and not in points, so a million rows scroll as exactly as
//! ten. Deliberately absent: sorting and filtering (the caller has the rows in order), and what a click means. Start at [`table`].

mod columns;
mod keys;
mod paint;
mod scroll;

use std::borrow::Cow;

use egui::{Color32, Id, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::theme::{Theme, fonts, size};

/// Whether and how a table is sorted by a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorting {
    /// It cannot be.
    #[default]
    No,
    /// It can be.
    Can,
    /// It is, smallest (or first name) on top.
    Ascending,
    /// It is, largest on top.
    Descending,
}

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// In points, until a person drags it.
    Points(f32),
    /// What the others leave, at least this. One column of a table has it.
    Rest(f32),
}

/// The head of a column.
#[derive(Clone, Debug)]
pub struct Head {
    /// What stands in it.
    pub title: Cow<'static, str>,
    /// The unit of all its numbers; empty for none.
    pub unit: String,
    /// What it means, in a sentence.
    pub tooltip: Cow<'static, str>,
    /// Its width.
    pub width: Width,
    /// Numbers stand right, words left.
    pub right: bool,
    /// Colour of the title where it names a side.
    pub color: Option<Color32>,
    /// Sorting.
    pub sorting: Sorting,
    /// Columns with the lowest number go first where there is no room; 0 = never.
    pub leaves: u8,
}

/// Fold mark of a row in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// Nothing below it.
    #[default]
    Leaf,
    /// Rows below it are hidden.
    Folded,
    /// Rows below it follow.
    Unfolded,
}

/// Where a row stands in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Twig {
    /// Steps from the top level, which has 0.
    pub depth: u32,
    /// Its fold mark.
    pub fold: Fold,
}

/// What stands in one cell.
#[derive(Clone, Debug, Default)]
pub struct Cell<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Its colour; `None` = plain text.
    pub color: Option<Color32>,
    /// A bar behind the text: part of the cell's width (0 to 1) and colour.
    pub bar: Option<(f32, Color32)>,
    /// A strip before the text marks it as found.
    pub found: bool,
}

/// The rows of a table, asked for while they are on view.
pub trait Rows {
    /// How many there are.
    fn len(&self) -> usize;

    /// True without rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One cell; `max_chars` of the table's face have room in it.
    fn cell(&self, row: usize, column: usize, max_chars: usize) -> Cell<'_>;

    /// The row's place in a tree; shown in the column that takes the rest.
    fn twig(&self, _row: usize) -> Option<Twig> {
        None
    }

    /// The whole row as a sentence, for people who hear the table.
    fn label(&self, row: usize) -> String;

    /// What stands beside the pointer.
    fn tooltip(&self, ui: &mut Ui, row: usize);

    /// What a right click offers.
    fn menu(&mut self, ui: &mut Ui, row: usize);
}

/// Everything of a table but its rows.
#[derive(Clone, Debug)]
pub struct Spec<'a> {
    /// Tells tables apart; offsets and widths are kept under it.
    pub id: Id,
    /// What the table is called by a screen reader.
    pub name: &'a str,
    /// Heads, left to right.
    pub heads: &'a [Head],
    /// The selected row.
    pub selected: Option<usize>,
    /// The table scrolls to the selected row whenever this is another number than before: a hash of what is selected.
    pub reveal: u64,
    /// Keys act also while nothing has the keyboard: for the table in front.
    pub takes_idle_keys: bool,
    /// A line after this many rows; what it means stands where the table's caller says it.
    pub rule: Option<usize>,
    /// What stands there without rows.
    pub empty: &'a str,
}

/// What a person did to a table in this frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableResponse {
    /// Head clicked.
    pub sort: Option<usize>,
    /// Row chosen by click or key.
    pub select: Option<usize>,
    /// Row double-clicked, or the selected one with Enter.
    pub activate: Option<usize>,
    /// Row whose fold mark was clicked.
    pub fold_clicked: Option<usize>,
    /// Arrow right (unfold) or left (fold) on the selected row.
    pub fold_key: Option<Fold>,
    /// The star key: unfold all below the selected row.
    pub unfold_all: bool,
    /// Row under the pointer.
    pub hovered: Option<usize>,
}

/// What a table remembers between frames.
#[derive(Clone, Debug, Default)]
struct State {
    /// Rows scrolled away, with the part of the first visible one.
    top: f64,
    /// Widths that a person dragged.
    widths: Vec<Option<f32>>,
    /// The last `reveal` that was scrolled to.
    revealed: Option<u64>,
    /// Where the thumb of the scroll bar was taken hold of, in points from its top.
    grab: f32,
}

/// Height of the heads.
pub const HEAD_HEIGHT: f32 = 24.0;

/// Draws a table into all the room there is.
pub fn table(ui: &mut Ui, theme: &Theme, spec: &Spec<'_>, rows: &mut dyn Rows) -> TableResponse {
    let outer = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(outer);
    let mut state: State = ui.data(|data| data.get_temp(spec.id)).unwrap_or_default();
    let mut response = TableResponse::default();

    let bar_width = ui.spacing().scroll.bar_width;
    let heads = Rect::from_min_size(outer.min, vec2(outer.width(), HEAD_HEIGHT));
    let body = Rect::from_min_max(pos2(outer.left(), heads.bottom()), outer.max - vec2(bar_width, 0.0));
    let columns = columns::layout(spec.heads, &state.widths, body.x_range());

    ui.painter().rect_filled(outer, 0.0, theme.background);
    let whole = ui.interact(body, spec.id, Sense::click());
    whole.widget_info(|| WidgetInfo::labeled(Role::Table, true, spec.name));
    keys::handle(ui, &whole, spec, rows.len(), body.height(), &mut response);

    let page = f64::from(body.height() / size::TABLE_ROW);
    scroll::wheel(ui, body, &mut state);
    let asked = response.select.or(spec.selected.filter(|_| state.revealed != Some(spec.reveal)));
    if let Some(row) = asked {
        state.top = scroll::to_show(state.top, row, page);
        state.revealed = Some(spec.reveal);
    }
    scroll::bar(ui, theme, spec.id, Rect::from_min_max(pos2(body.right(), body.top()), outer.max), rows.len(), page, &mut state);
    state.top = state.top.clamp(0.0, (rows.len() as f64 - page).max(0.0));

    let first = state.top.floor() as usize;
    let view = View {
        body,
        columns: &columns,
        first,
        last: rows.len().min(first + page.ceil() as usize + 1),
        // Whole pixels, or text is blurred.
        shift: ui.painter().round_to_pixel_center((state.top.fract() as f32) * size::TABLE_ROW).floor(),
        char_width: ui.fonts_mut(|fonts| fonts.glyph_width(&fonts::table(), '0')),
        has_focus: whole.has_focus(),
    };
    rows_ui(ui, theme, spec, &view, rows, &whole, &mut response);
    if rows.is_empty() {
        // A label, so that it wraps and can be read aloud.
        let place = body.shrink2(vec2(size::WIDE, 2.0 * size::WIDE));
        let mut middle = ui.new_child(egui::UiBuilder::new().max_rect(place).layout(egui::Layout::top_down(egui::Align::Center)));
        middle.add(egui::Label::new(egui::RichText::new(spec.empty).font(fonts::body()).color(theme.muted)).wrap());
    }
    columns::heads_ui(ui, theme, spec, heads, &columns, &mut state, &mut response);
    ui.data_mut(|data| data.insert_temp(spec.id, state));
    response
}

/// What of the table is on view.
struct View<'a> {
    body: Rect,
    /// Left and right of each column, `None` = no room for it.
    columns: &'a [Option<egui::Rangef>],
    first: usize,
    /// The row after the last.
    last: usize,
    /// Points of the first row that are above the body.
    shift: f32,
    char_width: f32,
    has_focus: bool,
}

impl View<'_> {
    fn row_rect(&self, row: usize) -> Rect {
        let top = self.body.top() + (row - self.first) as f32 * size::TABLE_ROW - self.shift;
        Rect::from_min_size(pos2(self.body.left(), top), vec2(self.body.width(), size::TABLE_ROW))
    }
}

fn rows_ui(ui: &Ui, theme: &Theme, spec: &Spec<'_>, view: &View<'_>, rows: &mut dyn Rows, whole: &Response, response: &mut TableResponse) {
    let painter = ui.painter().with_clip_rect(view.body.intersect(ui.clip_rect()));
    let twigs = paint::Twigs::new(spec, view, rows);
    for row in view.first..view.last {
        let rect = view.row_rect(row);
        // Not focusable: the table as a whole has the keyboard, or Tab would stop at every row.
        let clicks = ui.interact(rect.intersect(view.body), spec.id.with(("row", row)), Sense::CLICK);
        let selected = spec.selected == Some(row);
        clicks.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, rows.label(row)));
        if clicks.hovered() {
            response.hovered = Some(row);
        }
        let ground = match (selected, clicks.hovered()) {
            (true, _) => paint::Ground::Selected,
            (false, true) => paint::Ground::Hovered,
            (false, false) => paint::Ground::Plain,
        };
        paint::ground(&painter, theme, view, row, ground);
        paint::cells(&painter, theme, spec, view, rows, row, &twigs);
        on_click(&clicks, row, twigs.mark(rows, row, rect), whole, response);
        if clicks.hovered() && !clicks.context_menu_opened() {
            // A step away from the pointer, so that the row itself stays readable.
            egui::Tooltip::for_enabled(&clicks).at_pointer().gap(3.0 * size::GRID).show(|ui| rows.tooltip(ui, row));
        }
        clicks.context_menu(|ui| rows.menu(ui, row));
    }
    twigs.guides(&painter, theme, view, rows);
    if let Some(after) = spec.rule
        && (view.first..view.last).contains(&after)
    {
        paint::rule(&painter, theme, view, view.row_rect(after).top());
    }
}

fn on_click(clicks: &Response, row: usize, mark: Option<Rect>, whole: &Response, response: &mut TableResponse) {
    let on_mark = mark.zip(clicks.interact_pointer_pos()).is_some_and(|(mark, pointer)| mark.contains(pointer));
    if clicks.clicked() || clicks.secondary_clicked() {
        whole.request_focus();
        if on_mark && clicks.clicked() {
            response.fold_clicked = Some(row);
        } else {
            response.select = Some(row);
        }
    }
    if clicks.double_clicked() && !on_mark {
        response.activate = Some(row);
    }
}
