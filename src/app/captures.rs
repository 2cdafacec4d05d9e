//! The open captures: how they are read, and which of them are shown.
//!
//! Deliberately absent: what happens once one is read (`apply`). Start reading at [`Capture`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::derived::{Key, Value};
use super::view::{CaptureId, Side};
use super::{App, Command, Event, load};
use crate::analysis::part::Part;
use crate::base::discard::discard;
use crate::base::jobs::JobId;
use crate::model::Profile;

/// One open file.
pub struct Capture {
    /// Its id in this run.
    pub id: CaptureId,
    /// Where it was read from.
    pub path: PathBuf,
    /// What is known of it.
    pub state: CaptureState,
    /// How often its profile was replaced (symbols, reload).
    pub generation: u32,
    /// Its file, as it was when it was read.
    pub on_disk: load::OnDisk,
}

/// Where the reading of a capture stands.
pub enum CaptureState {
    /// It is being read.
    Loading(JobId),
    /// It is read; symbols may still be looked for.
    Ready {
        /// What it says.
        profile: Arc<Profile>,
        /// The job that looks for symbols.
        symbols: Option<JobId>,
    },
    /// It cannot be read: the whole message.
    Failed(String),
}

impl Capture {
    /// The profile once it is read.
    pub const fn profile(&self) -> Option<&Arc<Profile>> {
        match &self.state {
            CaptureState::Ready { profile, .. } => Some(profile),
            _ => None,
        }
    }

    pub(super) fn set_state(&mut self, state: CaptureState) {
        discard(std::mem::replace(&mut self.state, state));
    }

    /// Why it could not be read.
    pub fn error(&self) -> Option<&str> {
        match &self.state {
            CaptureState::Failed(why) => Some(why),
            _ => None,
        }
    }
}

impl App {
    /// The open captures, in the order of opening.
    pub fn captures(&self) -> &[Capture] {
        &self.captures
    }

    /// One open capture.
    pub fn capture(&self, id: CaptureId) -> Option<&Capture> {
        self.captures.iter().find(|capture| capture.id == id)
    }

    /// The profiles shown, before first; empty until all of them are read.
    pub fn profiles(&self) -> Vec<Arc<Profile>> {
        let profiles = self.view.captures().into_iter().map(|id| self.capture(id).and_then(|capture| self.shown_profile(capture)).cloned());
        profiles.collect::<Option<_>>().unwrap_or_default()
    }

    /// A capture's profile as the view groups it, once that is made.
    fn shown_profile<'a>(&'a self, capture: &'a Capture) -> Option<&'a Arc<Profile>> {
        let groups = self.view.filter.groups();
        if !groups.is_empty()
            && let Some(Ok(Value::Grouped(profile))) = self.memo.get(&Key::Grouped((capture.id, capture.generation), groups))
        {
            return Some(profile);
        }
        capture.profile()
    }

    /// True where the view groups samples by a key.
    pub(super) fn is_grouped_by(&self, key: &str) -> bool {
        self.view.filter.group_by.iter().any(|group| group == key)
    }

    /// The command that groups samples by a thread or process too, or no more; why there is none.
    pub(super) fn grouped(&self, key: &str) -> Result<Command, &'static str> {
        if !self.is_grouped_by(key) && self.profiles().iter().all(|profile| profile.threads.is_empty()) {
            return Err("the samples have no threads");
        }
        let mut groups = self.view.filter.group_by.clone();
        groups.retain(|group| group != key);
        if groups.len() == self.view.filter.group_by.len() {
            groups.push(key.to_owned());
        }
        Ok(Command::GroupBy(groups))
    }

    /// What part of its captures each of the sides shown is, before first: of a lone side the whole.
    pub(super) fn parts(&self) -> Vec<Part> {
        if self.view.is_comparison() { self.view.parts.to_vec() } else { self.view.after.map(|_| Part::WHOLE).into_iter().collect() }
    }

    /// The same for each of the captures shown.
    pub(super) fn parts_of_captures(&self) -> Vec<Part> {
        let of_side = |(ids, part): (Vec<CaptureId>, Part)| std::iter::repeat_n(part, ids.len());
        self.view.sides().into_iter().zip(self.parts()).flat_map(of_side).collect()
    }

    /// The first profile of a side, or of what is shown where there is no comparison.
    pub fn first_of(&self, side: Side) -> Option<&Arc<Profile>> {
        let id = match side {
            Side::Before => self.view.before.or(self.view.after),
            Side::After => self.view.after,
        };
        self.capture(id?)?.profile()
    }

    /// Adds a capture that was read elsewhere, under the path it came from; it is not shown by that.
    pub fn insert(&mut self, path: &Path, profile: Arc<Profile>) -> CaptureId {
        let id = CaptureId(self.next_capture);
        self.next_capture += 1;
        let state = CaptureState::Ready { profile, symbols: None };
        self.captures.push(Capture { id, path: path.to_owned(), state, generation: 0, on_disk: load::OnDisk::default() });
        id
    }

    /// Starts reading a file and gives its capture.
    pub(super) fn open(&mut self, path: &Path) -> CaptureId {
        let id = CaptureId(self.next_capture);
        self.next_capture += 1;
        let job = self.start_reading(id, path);
        let (path, state) = (path.to_owned(), CaptureState::Loading(job));
        self.captures.push(Capture { id, path, state, generation: 0, on_disk: load::OnDisk::default() });
        id
    }

    /// How captures are loaded.
    pub(super) fn load_options(&self) -> load::LoadOptions {
        load::LoadOptions { symbol_roots: self.symbol_roots().to_vec(), ..self.options.load.clone() }
    }

    pub(super) fn start_reading(&mut self, id: CaptureId, path: &Path) -> JobId {
        let (path, options) = (path.to_owned(), self.load_options());
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.jobs.start(format!("Reading {name}"), move |ticket| {
            // A reader that panics is our bug, but one capture's: it must not take the window with it (the job catches it), and the
            // capture has to show it.
            let read = std::panic::catch_unwind(|| load::read(&path, &options, ticket));
            let result = read.unwrap_or_else(|_| Err(load::LoadError::internal(&path)));
            Event::Loaded(id, load::OnDisk::of(&path), result.map(Arc::new))
        })
    }

    pub(super) fn start_symbols(&mut self, id: CaptureId, profile: &Arc<Profile>) -> Option<JobId> {
        let capture = self.capture(id)?;
        let mut options = self.load_options();
        options.symbol_cache = options.symbol_cache.filter(|_| self.settings.symbol_cache);
        options.debuginfod = self.debug_servers().filter(|_| self.asks_for_debug_files());
        if !load::wants_symbols(profile, &options) {
            return None;
        }
        let (path, profile) = (capture.path.clone(), Arc::clone(profile));
        Some(self.jobs.start("Looking up symbols", move |ticket| {
            Event::Symbolized(id, load::symbolize(&path, &profile, &options, ticket).ok().map(Arc::new))
        }))
    }

    /// The paths of the open captures, over which nothing is written.
    pub(super) fn open_paths(&self) -> Vec<PathBuf> {
        self.captures.iter().map(|capture| capture.path.clone()).collect()
    }

    /// The profiles shown with the paths of their files, before first.
    pub(super) fn named_profiles(&self) -> Vec<(String, Arc<Profile>)> {
        let captures = self.view.captures().into_iter().filter_map(|id| self.capture(id));
        captures.filter_map(|capture| Some((capture.path.display().to_string(), Arc::clone(self.shown_profile(capture)?)))).collect()
    }
}
