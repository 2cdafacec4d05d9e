//! Standard output for results only, standard error for everything else.

use std::io::{self, Write as _};
use std::path::Path;

use super::Failure;
use crate::app::save;

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
        return Err(Failure::Failed(why));
    }
    save::write(path, bytes).map_err(|error| Failure::Failed(format!("writing {} bytes: {error}\n{}", bytes.len(), path.display())))
}

/// Says on standard error what went wrong; further lines are indented.
pub(super) fn complain(text: &str) {
    // Where standard error is closed there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "emberlens: {}", text.replace('\n', "\n  ")));
}
