//! The captures of an archive, for a choice.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::table::printable;
use crate::format::Member;
use crate::model::human;

/// Which captures an archive holds.
#[derive(Debug, Serialize)]
pub struct Captures {
    schema: u32,
    /// Path of the archive as given.
    pub file: String,
    /// Its captures in the order of the archive.
    pub members: Vec<Capture>,
}

/// One capture of an archive.
#[derive(Debug, Serialize)]
pub struct Capture {
    /// Path inside the archive.
    pub path: String,
    /// Size in bytes, as the archive says.
    pub bytes: u64,
    /// What it seems to be: a format, an archive or a compression.
    pub kind: String,
    /// What opens it.
    pub open: String,
}

impl Captures {
    /// The choice that a load error gives.
    pub fn new(file: &str, choice: &[(PathBuf, Member)]) -> Self {
        let capture = |(path, member): &(PathBuf, Member)| Capture {
            path: member.path.clone(),
            bytes: member.size,
            kind: member.kind.to_owned(),
            open: path.display().to_string(),
        };
        Self { schema: super::SCHEMA, file: file.to_owned(), members: choice.iter().map(capture).collect() }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {} captures\n", printable(&self.file), self.members.len());
        let width = self.members.iter().map(|member| member.kind.len()).max().unwrap_or(0);
        for member in &self.members {
            // Writing to a string cannot fail.
            writeln!(text, "  {:<width$}  {:>9}  {}", member.kind, human(member.bytes as f64, "bytes"), printable(&member.path))
                .unwrap_or_default();
        }
        if let Some(first) = self.members.first() {
            // A name that begins with a dash is an option unless it stands behind two of them.
            let dashes = if first.open.starts_with('-') { "-- " } else { "" };
            writeln!(
                text,
                "\nName one behind the archive's path and a `!`, for example: emberlens top {dashes}'{}'",
                printable(&first.open)
            )
            .unwrap_or_default();
        }
        text
    }
}
