//! The system's file dialogs, on a thread of their own; the answer comes back as a command.
//!
//! On Linux such a dialog needs a desktop portal or zenity. Where neither exists it ends at once without a word, the same as when the
//! user cancels, so an answer faster than any hand counts as "there is none" and the path field opens instead. Deliberately absent:
//! that field; see `dialogs`.

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rfd::{AsyncFileDialog, FileHandle};

use crate::app::view::Side;
use crate::app::{Command, FolderList};
use crate::base::jobs::{JobId, Jobs};

/// What a dialog is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Captures to open.
    Open,
    /// The other side of a comparison; with nothing shown (`None`) both.
    Compare(Option<PathBuf>),
    /// Captures that join a side.
    Side(Side),
    /// A folder for a list.
    Folder(FolderList),
    /// Where to write, with a proposed name.
    Export(String),
}

/// No one reads a dialog and cancels it in less time than this.
const TOO_QUICK_SECONDS: f64 = 0.6;
/// A dialog takes the focus from our window; if it has not after this time, none came up.
const TOO_LATE_SECONDS: f64 = 4.0;

/// What the user chose; nothing when cancelled.
type Answer = Vec<PathBuf>;

/// At most one dialog.
pub(super) struct FileDialogs {
    jobs: Jobs<Answer>,
    open: Option<(JobId, Wish, f64)>,
}

impl FileDialogs {
    /// `wake` is called when a dialog is closed.
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { jobs: Jobs::threads(wake, |_| Vec::new()), open: None }
    }

    /// Opens a dialog over a window, instead of the one that is open.
    pub(super) fn ask(&mut self, wish: Wish, window: Option<&eframe::Frame>, now: f64) {
        let dialog = dialog(&wish, window);
        // The dialog is made here, as macOS wants it on the main thread, and waited for elsewhere.
        let chosen: Pin<Box<dyn Future<Output = Option<Vec<FileHandle>>> + Send>> = match wish {
            Wish::Export(_) => {
                let chosen = dialog.save_file();
                Box::pin(async move { chosen.await.map(|file| vec![file]) })
            }
            Wish::Folder(_) => Box::pin(dialog.pick_folders()),
            Wish::Open | Wish::Compare(_) | Wish::Side(_) => Box::pin(dialog.pick_files()),
        };
        if let Some((job, ..)) = self.open.take() {
            self.jobs.cancel(job);
        }
        let paths = |files: Vec<FileHandle>| files.iter().map(|file| file.path().to_owned()).collect();
        let job = self.jobs.start("File dialog", move |_| wait(chosen).map(paths).unwrap_or_default());
        self.open = Some((job, wish, now));
    }

    /// True while a dialog may be open.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The commands of a dialog that was closed, or that of the path field where none came up.
    pub(super) fn answer(&mut self, now: f64, has_focus: bool) -> Vec<Command> {
        self.answered(now, has_focus).unwrap_or_default()
    }

    fn answered(&mut self, now: f64, has_focus: bool) -> Option<Vec<Command>> {
        let age = now - self.open.as_ref()?.2;
        if let Some((job, paths)) = self.jobs.next_event() {
            let (open, wish, _) = self.open.take()?;
            debug_assert!(open == job, "one dialog at a time");
            return if paths.is_empty() { (age < TOO_QUICK_SECONDS).then(|| vec![by_hand(wish)]) } else { Some(commands(wish, paths)) };
        }
        if age > TOO_LATE_SECONDS && has_focus {
            let (job, wish, _) = self.open.take()?;
            self.jobs.cancel(job);
            return Some(vec![by_hand(wish)]);
        }
        None
    }
}

fn dialog(wish: &Wish, window: Option<&eframe::Frame>) -> AsyncFileDialog {
    let dialog = AsyncFileDialog::new();
    let dialog = match wish {
        Wish::Open => dialog.set_title("Open captures"),
        Wish::Compare(None) => dialog.set_title("Choose two captures to compare"),
        Wish::Compare(Some(_)) => dialog.set_title("Choose the capture to compare with"),
        Wish::Side(side) => dialog.set_title(format!("Choose captures to add to {}", side.word())),
        Wish::Folder(FolderList::Source) => dialog.set_title("Choose folders with source files"),
        Wish::Folder(FolderList::Symbols) => dialog.set_title("Choose folders with binaries and debug files"),
        Wish::Export(name) => dialog.set_title("Export").set_file_name(name),
    };
    window.into_iter().fold(dialog, AsyncFileDialog::set_parent)
}

fn commands(wish: Wish, mut paths: Vec<PathBuf>) -> Vec<Command> {
    match wish {
        Wish::Export(_) => paths.pop().map(Command::Export).into_iter().collect(),
        Wish::Side(side) => vec![Command::AddFiles(side, paths)],
        Wish::Folder(list) => paths.into_iter().map(|path| Command::AddFolder(list, path)).collect(),
        Wish::Compare(shown) => {
            // One chosen file joins what is shown.
            paths.extend(shown.filter(|_| paths.len() == 1));
            vec![Command::Drop(paths)]
        }
        Wish::Open => vec![Command::Drop(paths)],
    }
}

/// The path field for a wish.
pub(super) fn by_hand(wish: Wish) -> Command {
    let why = "No file dialog of the system came up (it needs a desktop portal or zenity).";
    match wish {
        Wish::Export(name) => Command::TypeExportPath(name),
        Wish::Side(side) => Command::TypeSidePaths(side),
        Wish::Folder(list) => Command::EditFolders(list, why.to_owned()),
        Wish::Open => Command::TypePath(why.to_owned()),
        Wish::Compare(Some(shown)) => Command::TypeOtherPath(shown, why.to_owned()),
        Wish::Compare(None) => Command::TypePath(format!("{why} Two paths, each on its own line, are compared.")),
    }
}

/// Runs a future to its end on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    /// Not the thread's parking token: a future that parks inside would swallow it.
    #[derive(Default)]
    struct Bell(Mutex<bool>, Condvar);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.1.notify_one();
        }
    }
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        let rung = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
        *bell.1.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner) = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_chosen_files_are_asked_for_their_order_and_one_joins_what_is_shown() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(commands(Wish::Open, paths(&["a"])), vec![Command::Drop(paths(&["a"]))]);
        assert_eq!(commands(Wish::Compare(Some("s".into())), paths(&["a"])), vec![Command::Drop(paths(&["a", "s"]))]);
        assert_eq!(commands(Wish::Compare(Some("s".into())), paths(&["a", "b"])), vec![Command::Drop(paths(&["a", "b"]))]);
        assert_eq!(commands(Wish::Side(Side::Before), paths(&["a", "b"])), vec![Command::AddFiles(Side::Before, paths(&["a", "b"]))]);
        assert_eq!(commands(Wish::Export("x.svg".to_owned()), paths(&["y.png"])), vec![Command::Export("y.png".into())]);
    }

    #[test]
    fn waiting_gives_the_value_of_a_future_that_another_thread_wakes() {
        let mut polls = 0;
        let value = wait(std::future::poll_fn(|cx| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(polls);
            }
            let waker = cx.waker().clone();
            std::thread::scope(|scope| {
                scope.spawn(|| waker.wake());
            });
            Poll::Pending
        }));
        assert_eq!(value, 3);
    }
}
