//! Standard output for results only, standard error for everything else.

use std::io::{self, Write as _};
use std::path::Path;

use std::sync::Arc;

use super::read::Weighed;
use super::{Failure, args};
use crate::analysis::diff::NodeDiff;
use crate::app::save;
use crate::model::Profile;
use crate::report::remarks::Remarks;
use crate::report::{self, DiffReport, PictureTheme, Review};

/// Prints a result. A reader that closes the pipe early (`| head`) has seen enough: that is no error.
pub(super) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Failed(format!("writing to standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Writes a result to a file that is none of the captures; `-` is standard output.
pub(super) fn write<'a>(path: &Path, bytes: &[u8], captures: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return print(bytes);
    }
    if let Some(why) = save::refusal(path, captures) {
        return Err(Failure::Failed(format!("{why}\n{}", path.display())));
    }
    save::write(path, bytes).map_err(|error| Failure::Failed(format!("writing {} bytes: {error}\n{}", bytes.len(), path.display())))
}

/// Says on standard error what is missing in captures, which a table or a picture does not show. Each note stands there once, also where two parts
/// of one capture are compared.
pub(super) fn say_losses<'a>(captures: impl IntoIterator<Item = (&'a str, &'a Profile)>) {
    let mut said: Vec<String> = Vec::new();
    for (name, profile) in captures {
        for loss in report::info::losses(profile) {
            let line = format!("{}: {loss}", report::table::printable(name));
            if !said.contains(&line) {
                say(&line);
                said.push(line);
            }
        }
    }
}

/// Says something on standard error that a result does not show.
pub(super) fn say(note: &str) {
    // Where standard error is closed there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "note: {}", report::table::printable(note)));
}

/// Says on standard error what went wrong; further lines are indented.
pub(super) fn complain(text: &str) {
    // Where standard error is closed there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "emberlens: {}", text.replace('\n', "\n  ")));
}

/// The command that is running, as a shell takes it.
pub(super) fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("emberlens".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it: between apostrophes where it holds anything that the shell would read.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// The page for a review, with the command that wrote it; `judged` is what got worse and how each node changed, where there are two sides.
pub(super) fn review(
    view: &args::View,
    weighed: &Weighed,
    captures: &[(String, Arc<Profile>)],
    judged: (Option<&DiffReport>, Option<&NodeDiff>),
    theme: PictureTheme,
) -> String {
    let (command, filter, remarks) = (command_line(), view.filter(), Remarks::of(captures.iter().map(|(_, profile)| profile)));
    let (comparison, decimals, (diff, changes)) = (&weighed.comparison, weighed.decimals, judged);
    let (by, filter, remarks, command) = (view.by(), &filter, &remarks, Some(command.as_str()));
    Review { comparison, captures, diff, changes, by_size: None, by, filter, remarks, decimals, theme, command }.html()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        let words = ["a.pb.gz", "--focus=main.(*T).f", "it's", "", "a b", "-", "$HOME"].map(quoted);
        assert_eq!(words, ["a.pb.gz", "'--focus=main.(*T).f'", r"'it'\''s'", "''", "'a b'", "-", "'$HOME'"]);
    }
}
