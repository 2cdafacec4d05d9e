//! What the disk says of paths, asked on threads: a folder of another machine that is gone never answers, and no frame waits for it.
//!
//! Panels ask through their [`Outbox`] and read what is known by now; until then they take a path as it is. Deliberately absent: reading
//! and writing files, which are jobs of the app. Start reading at `Disk::of`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::cx::Outbox;
use crate::app::load;
use crate::base::jobs::Jobs;

/// What the disk said of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Something is there under that name.
    pub exists: bool,
    /// It is a folder.
    pub is_folder: bool,
    /// It can be opened: a file, a member of an archive, a folder that `perf record` wrote.
    pub is_capture: bool,
    /// When it was written, in seconds since 1970.
    pub written_unix: Option<i64>,
}

/// How long an answer is taken for true.
const ASKED_AGAIN_SECONDS: f64 = 2.0;
/// After this time without an answer the user is told.
pub(super) const SLOW_SECONDS: f64 = 1.0;
/// A frame waits at most this long for its answers: a disk that is there gives them at once, and nothing flickers.
const PATIENCE: Duration = Duration::from_millis(2);
/// So many threads may wait for the disk, those that never end included.
const MOST_WAITING: usize = 24;
/// And so many of those that were started lately: the others are taken to hang.
const MOST_AT_ONCE: usize = 8;
/// Paths of which answers are kept.
const KEPT: usize = 200;

#[derive(Debug)]
struct Known {
    asked: f64,
    is_open: bool,
    found: Option<Found>,
}

/// Answers by path, and the threads that wait for more.
pub struct Disk {
    jobs: Jobs<(PathBuf, Found)>,
    look: fn(&Path) -> Found,
    known: BTreeMap<PathBuf, Known>,
}

impl Disk {
    /// A disk that is asked on threads. `wake` is called with each answer.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self::with(Jobs::threads(wake, |_| Default::default()), look)
    }

    /// A disk that answers within the frame that asks: for tests, and for pictures, in which nobody types a path.
    pub fn inline() -> Self {
        Self::with(Jobs::inline(|_| Default::default()), look)
    }

    const fn with(jobs: Jobs<(PathBuf, Found)>, look: fn(&Path) -> Found) -> Self {
        Self { jobs, look, known: BTreeMap::new() }
    }

    /// What is known of a path, which is asked about while somebody wants to know.
    pub(super) fn of(&self, path: &Path, out: &mut Outbox) -> Option<&Found> {
        out.ask(path);
        self.known.get(path)?.found.as_ref()
    }

    /// True where the disk was asked about a path a while ago and has never answered.
    pub(super) fn is_silent(&self, path: &Path, now: f64) -> bool {
        self.known.get(path).is_some_and(|known| known.found.is_none() && now - known.asked >= SLOW_SECONDS)
    }

    /// Takes in answers; true where one is another than before.
    pub(super) fn take_in(&mut self) -> bool {
        let mut is_new = false;
        while let Some((_, answer)) = self.jobs.next_event() {
            is_new |= self.learn(answer);
        }
        is_new
    }

    /// Asks what the panels of a frame want to know; true where an answer came at once. Such a frame is drawn again.
    pub fn answer(&mut self, out: &mut Outbox, now: f64) -> bool {
        let paths = out.paths();
        !paths.is_empty() && self.ask(paths, now)
    }

    fn ask(&mut self, paths: Vec<PathBuf>, now: f64) -> bool {
        if self.known.len() > KEPT {
            self.known.retain(|path, known| known.is_open || paths.contains(path));
        }
        let (mut started, mut is_new) = (false, false);
        for path in paths {
            is_new |= self.take_in();
            let old = self.known.get(&path);
            let is_busy = self.jobs.running().len() >= MOST_WAITING
                || self.jobs.running().iter().filter(|job| job.age().as_secs_f64() < SLOW_SECONDS).count() >= MOST_AT_ONCE;
            if is_busy || old.is_some_and(|old| old.is_open || now - old.asked < ASKED_AGAIN_SECONDS) {
                continue;
            }
            let found = old.and_then(|old| old.found.clone());
            self.known.insert(path.clone(), Known { asked: now, is_open: true, found });
            let look = self.look;
            self.jobs.start("Asking the disk", move |_| {
                let found = look(&path);
                (path, found)
            });
            started = true;
        }
        if started && let Some((_, answer)) = self.jobs.wait_event(PATIENCE) {
            is_new |= self.learn(answer);
        }
        is_new | self.take_in()
    }

    /// True while an answer is waited for that somebody wants.
    pub(super) fn is_waiting(&self, now: f64) -> bool {
        self.known.values().any(|known| known.is_open && known.found.is_none() && now - known.asked <= SLOW_SECONDS)
    }

    /// Keeps an answer; true where it is another one than before.
    fn learn(&mut self, (path, found): (PathBuf, Found)) -> bool {
        let Some(known) = self.known.get_mut(&path) else { return false };
        known.is_open = false;
        let is_new = known.found.as_ref() != Some(&found);
        known.found = Some(found);
        is_new
    }
}

fn look(path: &Path) -> Found {
    let metadata = std::fs::metadata(path).ok();
    let written = metadata.as_ref().and_then(|metadata| metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    Found {
        exists: metadata.is_some(),
        is_folder: metadata.is_some_and(|metadata| metadata.is_dir()),
        is_capture: load::is_there(path),
        written_unix: written.map(|age| age.as_secs() as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(disk: &mut Disk, path: &Path, now: f64) -> Option<Found> {
        let mut out = Outbox::default();
        disk.take_in();
        let found = disk.of(path, &mut out).cloned();
        disk.ask(out.paths(), now);
        found
    }

    #[test]
    fn a_disk_that_never_answers_holds_no_frame_up() {
        /// A server that is gone: whoever asks for what lies there waits for good.
        fn gone(path: &Path) -> Found {
            while path.starts_with("/net/gone") {
                std::thread::park();
            }
            look(path)
        }
        let mut disk = Disk::with(Jobs::threads(|| {}, |_| Default::default()), gone);
        let begun = std::time::Instant::now();
        for (at, letter) in "abcdefghijklmnopqrstuvwxyz0123456789".chars().enumerate() {
            let path = PathBuf::from(format!("/net/gone/{letter}"));
            assert_eq!(frame(&mut disk, &path, at as f64), None);
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(disk.jobs.running().len() <= MOST_WAITING, "{} threads hang", disk.jobs.running().len());
        assert!(disk.is_silent(Path::new("/net/gone/a"), 40.0) && !disk.is_silent(Path::new("/net/gone/a"), 0.5));
    }

    #[test]
    fn an_answer_comes_with_the_next_frame_and_is_asked_for_again_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pb.gz");
        let mut disk = Disk::inline();
        assert_eq!(frame(&mut disk, &path, 0.0), None);
        assert_eq!(frame(&mut disk, &path, 0.1).map(|found| found.exists), Some(false));
        std::fs::write(&path, b"x").unwrap();
        assert_eq!(frame(&mut disk, &path, 1.0).map(|found| found.exists), Some(false), "known");
        assert_eq!(frame(&mut disk, &path, 3.0).map(|found| found.exists), Some(false), "asked again");
        let found = frame(&mut disk, &path, 3.1).unwrap();
        assert!(found.exists && found.is_capture && !found.is_folder && found.written_unix.is_some());
        frame(&mut disk, folder.path(), 4.0);
        let found = frame(&mut disk, folder.path(), 4.1).unwrap();
        assert!(found.is_folder && !found.is_capture);
        std::fs::write(folder.path().join("data"), b"PERFILE2").unwrap();
        assert!(load::is_there(folder.path()), "as perf record writes one");
    }
}
