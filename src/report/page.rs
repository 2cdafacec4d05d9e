//! One HTML page that needs nothing else: style, tables and pictures stand in the file, and it asks no server for anything.
//!
//! Deliberately absent: what is said on it (see [`review`](super::review)). All text comes from captures and may hold anything, so every way in escapes
//! it. Start reading at [`Page`].

use std::borrow::Cow;

use super::color::{Palette, PictureTheme, Rgb};
use super::table::{Table, printable, push};

/// Nothing is loaded, and only what stands in the page itself (the search inside the flame graph) is run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-src data:";

const STYLE: &str = "
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}
main{max-width:1360px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:22px;line-height:1.3;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:16px;margin:36px 0 8px;padding-top:16px;border-top:1px solid var(--line)}
p{margin:8px 0;max-width:80ch;overflow-wrap:anywhere}
p.lead{font-size:17px;max-width:76ch;margin:20px 0}
.muted,footer{color:var(--muted)}
footer{margin-top:40px;font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums;margin:8px 0}
th{font-weight:600;text-align:left;color:var(--muted);border-bottom:1px solid var(--line);white-space:nowrap}
th,td{padding:4px 14px 4px 0;vertical-align:top}
tbody tr:nth-child(even){background:var(--surface)}
td.n,th.n{text-align:right;white-space:nowrap}
td.t{overflow-wrap:anywhere;min-width:11ch}
td.c{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12.5px;overflow-wrap:anywhere;min-width:34ch}
td .muted{font-family:system-ui,sans-serif;font-size:12.5px;font-weight:400}
td .said{font-family:system-ui,sans-serif;font-size:13.5px}
.worse{color:var(--worse);font-weight:600}
.better{color:var(--better);font-weight:600}
pre{background:var(--surface);border:1px solid var(--line);border-radius:6px;padding:10px 12px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12.5px}
iframe{display:block;width:100%;border:1px solid var(--line);border-radius:6px;margin:8px 0;color-scheme:light}
svg.interval{display:block}
ul{margin:8px 0;padding-left:20px}
li{max-width:100ch;overflow-wrap:anywhere}
@media print{main{padding:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
";

/// A page as it grows.
#[derive(Clone, Debug)]
pub(super) struct Page {
    title: String,
    theme: PictureTheme,
    body: String,
}

impl Page {
    /// An empty page; its title also stands on top.
    pub(super) fn new(title: &str, theme: PictureTheme) -> Self {
        Self { title: title.to_owned(), theme, body: format!("<h1>{}</h1>\n", escape(title)) }
    }

    /// Begins a part.
    pub(super) fn heading(&mut self, text: &str) {
        self.element("h2", "", text);
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.element("p", "", text);
    }

    /// The answer, in larger letters.
    pub(super) fn lead(&mut self, text: &str) {
        self.element("p", "lead", text);
    }

    /// Text of a person, a paragraph for each line.
    pub(super) fn words(&mut self, text: &str) {
        text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| self.paragraph(line));
    }

    /// A paragraph of less weight.
    pub(super) fn aside(&mut self, text: &str) {
        self.element("p", "muted", text);
    }

    /// Lines in a fixed width, such as a command.
    pub(super) fn code(&mut self, text: &str) {
        self.element("pre", "", text);
    }

    /// A list; nothing where it is empty.
    pub(super) fn list<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) {
        let items: Vec<String> = items.into_iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
        if !items.is_empty() {
            self.body.extend(["<ul>\n", &items.concat(), "</ul>\n"]);
        }
    }

    /// A table of text, wider ones scroll by themselves.
    pub(super) fn table(&mut self, table: &Table) {
        self.raw(&table.html());
    }

    /// An SVG picture with its own search and zoom, in a document of its own so that its script sees nothing of the page; `height` in pixels.
    pub(super) fn picture(&mut self, svg: &str, height: u32, words: &str) {
        let mut data = String::with_capacity(svg.len() * 5 / 4);
        for c in svg.chars() {
            match c {
                // What ends an attribute or has a meaning in an address, and line ends, which addresses lose.
                '%' | '#' | '"' | '&' | '<' | '>' | '\n' | '\r' | '\t' => push(&mut data, format_args!("%{:02X}", u32::from(c))),
                c => data.push(c),
            }
        }
        let words = escape(words);
        let address = format!("data:image/svg+xml;charset=utf-8,{data}");
        self.raw(&format!(
            "<iframe sandbox=\"allow-scripts allow-modals\" title=\"{words}\" height=\"{height}\" src=\"{address}\"></iframe>\n"
        ));
    }

    /// Markup that is right already.
    pub(super) fn raw(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// The whole file.
    pub(super) fn finish(self) -> String {
        let Palette { background, surface, line, text, muted, worse, better, accent, .. } = Palette::of(self.theme);
        let roles = [
            ("ground", background),
            ("surface", surface),
            ("line", line),
            ("text", text),
            ("muted", muted),
            ("worse", worse),
            ("better", better),
            ("accent", accent),
        ];
        let colors: Vec<String> =
            roles.into_iter().map(|(name, [r, g, b]): (&str, Rgb)| format!("--{name}:#{r:02x}{g:02x}{b:02x}")).collect();
        let scheme = if self.theme == PictureTheme::Dark { "dark" } else { "light" };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" content=\"Emberlens {}\">\n\
             <title>{}</title>\n<style>:root{{color-scheme:{scheme};{}}}{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
            escape(&self.title),
            colors.join(";"),
            self.body
        )
    }

    fn element(&mut self, tag: &str, class: &str, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.raw(&format!("<{tag}{class}>{}</{tag}>\n", escape(text)));
    }
}

/// Text that HTML shows as it is, in elements and in attributes; control characters but line ends are shown as `·`.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            c => escaped.push_str(&printable(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::Align;

    #[test]
    fn text_of_captures_is_never_markup() {
        let evil = "</title><script>alert('1')</script> \"x\" & \u{7}\u{1b}[2J";
        let mut page = Page::new(evil, PictureTheme::Light);
        page.heading(evil);
        page.lead(evil);
        page.code(evil);
        page.list([evil]);
        page.picture(&format!("<svg><text>{}</text></svg>", escape(evil)), 100, evil);
        let mut table = Table::new([(evil, Align::Left)]);
        table.row([evil.to_owned()]);
        page.table(&table);
        let text = page.finish();
        assert!(!text.contains("<script") && !text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
        assert_eq!(text.matches("</title>").count(), 1);
        assert!(!text.contains("\"x\""), "a quote could end an attribute");
    }

    #[test]
    fn a_picture_comes_back_from_its_address() {
        let svg = "<svg a=\"1\">\n50% #a & b\té→</svg>";
        let mut page = Page::new("p", PictureTheme::Dark);
        page.picture(svg, 100, "words");
        let text = page.finish();
        let data = text.split("charset=utf-8,").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let mut decoded = String::new();
        let mut rest = data;
        while let Some((head, tail)) = rest.split_once('%') {
            decoded.push_str(head);
            decoded.push(char::from(u8::from_str_radix(&tail[..2], 16).unwrap()));
            rest = &tail[2..];
        }
        decoded.push_str(rest);
        assert_eq!(decoded, svg);
    }
}
