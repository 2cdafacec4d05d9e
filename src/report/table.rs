//! Rows of text as an aligned table, CSV, Markdown or HTML.
//!
//! Deliberately absent: numbers and units; cells come as text. Start reading at [`Table`].

use super::page::escape;

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A head and rows of the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    head: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// No rows yet under these column heads.
    pub fn new<'a>(head: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        Self { head: head.into_iter().map(|(name, align)| (name.to_owned(), align)).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, further ones are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> = cells.into_iter().collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns in line, two spaces between them. Control characters are shown as `·`, so that no name can break a line.
    pub fn text(&self) -> String {
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        let width = |at: usize, head: &str| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain([head.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = self.head.iter().enumerate().map(|(at, (head, _))| width(at, head)).collect();
        let head: Vec<String> = self.head.iter().map(|(name, _)| name.clone()).collect();
        let mut text = String::new();
        for row in std::iter::once(&head).chain(&rows) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.head) {
                let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
                match align {
                    Align::Left => line.extend([cell, gap.as_str()]),
                    Align::Right => line.extend([gap.as_str(), cell]),
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// RFC 4180 with `\n` line ends; the head is the first line.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        let head: Vec<String> = self.head.iter().map(|(name, _)| name.clone()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                if cell.contains([',', '"', '\n', '\r']) {
                    push(&mut text, format_args!("\"{}\"", cell.replace('"', "\"\"")));
                } else {
                    text.push_str(cell);
                }
            }
            text.push('\n');
        }
        text
    }

    /// A table of GitHub's Markdown. Names are escaped, so that `a|b` and `*T` stay what they are.
    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let mut text = line(&mut self.head.iter().map(|(name, _)| markdown_escape(name)));
        text.push_str(&line(&mut self.head.iter().map(|(_, align)| if *align == Align::Right { "--:" } else { "---" }.to_owned())));
        for row in &self.rows {
            text.push_str(&line(&mut row.iter().map(|cell| markdown_escape(cell))));
        }
        text
    }

    /// A table of HTML in a box that scrolls sideways. Columns of names are set in a fixed width.
    pub(super) fn html(&self) -> String {
        let class = |name: &str, align: Align| match align {
            Align::Right => "n",
            Align::Left if NAMES.iter().any(|names| name.starts_with(names)) => "c",
            Align::Left => "t",
        };
        let classes: Vec<&str> = self.head.iter().map(|(name, align)| class(name, *align)).collect();
        let line = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
            let cells = cells.zip(&classes).map(|(cell, class)| format!("<{tag} class=\"{class}\">{}</{tag}>", escape(cell)));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let head = line("th", &mut self.head.iter().map(|(name, _)| name.as_str()));
        let has_head = self.head.iter().any(|(name, _)| !name.is_empty());
        let head = if has_head { format!("<thead>{head}</thead>\n") } else { String::new() };
        let rows: String = self.rows.iter().map(|row| line("td", &mut row.iter().map(String::as_str))).collect();
        format!("<div class=\"scroll\"><table>\n{head}<tbody>\n{rows}</tbody>\n</table></div>\n")
    }
}

/// How heads of columns of names begin.
const NAMES: [&str; 6] = ["function", "name", "before", "after", "module", "file"];

/// Appends formatted text.
pub fn push(text: &mut String, formatted: std::fmt::Arguments<'_>) {
    match formatted.as_str() {
        Some(constant) => text.push_str(constant),
        None => text.push_str(&formatted.to_string()),
    }
}

/// Appends formatted text and a line end.
pub fn push_line(text: &mut String, formatted: std::fmt::Arguments<'_>) {
    push(text, formatted);
    text.push('\n');
}

/// Text without characters that move the cursor.
pub fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) { text.replace(char::is_control, "·") } else { text.to_owned() }
}

/// Text that Markdown shows as it is.
pub fn markdown_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([("self", Align::Right), ("name", Align::Left)]);
        table.row(["9".to_owned(), "a,\"b\"|c".to_owned()]);
        table.row(["1024".to_owned(), "x\ny".to_owned()]);
        table
    }

    #[test]
    fn text_is_aligned_and_holds_one_line_per_row() {
        assert_eq!(table().text(), "self  name\n   9  a,\"b\"|c\n1024  x·y\n");
    }

    #[test]
    fn csv_quotes_only_what_needs_it() {
        assert_eq!(table().csv(), "self,name\n9,\"a,\"\"b\"\"|c\"\n1024,\"x\ny\"\n");
    }

    #[test]
    fn markdown_escapes_what_would_be_markup() {
        assert_eq!(table().markdown(), "| self | name |\n| --: | --- |\n| 9 | a,\"b\"\\|c |\n| 1024 | x·y |\n");
    }
}
