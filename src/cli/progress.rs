//! A progress bar on standard error while long work runs, where a person can see it.

use std::io::{self, IsTerminal as _};
use std::sync::LazyLock;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::base::ticket::Ticket;

/// Work that ends sooner shows no bar: a flicker tells nobody anything.
const QUIET: Duration = Duration::from_millis(300);

/// Time between two looks at the ticket.
const STEP: Duration = Duration::from_millis(100);

/// Captures are read side by side, each with a bar of its own.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Does `work` and shows its progress. `what` names it.
pub(super) fn with_progress<T>(what: &str, work: impl FnOnce(&Ticket) -> T) -> T {
    let ticket = Ticket::new();
    if !io::stderr().is_terminal() {
        return work(&ticket);
    }
    // The sender's end tells the watcher that the work is done.
    let (done, is_done) = std::sync::mpsc::sync_channel::<()>(0);
    let watched = ticket.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || watch(what, &watched, &is_done));
        let result = work(&ticket);
        drop(done);
        result
    })
}

fn watch(what: &str, ticket: &Ticket, is_done: &std::sync::mpsc::Receiver<()>) {
    if is_done.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = BARS.add(ProgressBar::new(0));
    let style = ProgressStyle::with_template("{prefix} {msg} [{bar:30}] {percent}%").map(|style| style.progress_chars("=> "));
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    while is_done.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        let progress = ticket.progress();
        bar.set_message(progress.stage);
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }
    bar.finish_and_clear();
}
