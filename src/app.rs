//! The whole product without a window: open captures, the view, commands, undo, jobs and what is derived.
//!
//! All change goes through [`App::apply`], all results through the inbox that [`App::pump`] empties. Deliberately absent: drawing,
//! dialogs of the system, the clipboard: `apply` asks for them as [`Effect`]s. Start reading at [`App`].

mod anchor;
mod apply;
pub mod capture_names;
mod captures;
pub mod command;
pub mod debuginfod;
pub mod derived;
mod effect;
mod event;
pub mod export;
pub mod findings;
pub mod guess;
pub mod load;
pub mod modules;
mod patterns;
pub mod picture;
pub mod remarks;
mod results;
pub mod samples;
pub mod save;
pub mod script;
pub mod settings;
pub mod source;
pub mod symbol_cache;
mod undo;
pub mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use captures::{Capture, CaptureState};
pub use command::{Command, CommandKind, KINDS, Keys, Menu};
pub use effect::{Dialog, Effect, FolderList, TextSize};
pub use event::Event;
pub use patterns::{EVERYTHING, is_everything};

use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::{Comparison, Normalization, common_sample_types, finest_of, has_cpu_time};
use crate::analysis::flame::FlameLayout;
use crate::analysis::flat::{Flat, Rows};
use crate::analysis::matching::{Class, Naming};
use crate::analysis::part::{Part, Span};
use crate::analysis::sandwich::Sandwich;
use crate::analysis::timeline::Timeline;
use crate::base::jobs::{JobId, Jobs, Running};
use crate::model::SampleType;
use crate::report::diff::{DiffInput, DiffReport};
use crate::report::list::Listed;
use derived::{ComparisonKey, Key, Memo, SandwichFlame, ShapeKey, State};
use settings::{Keeper, Settings};
use undo::Undo;
use view::{CaptureId, FlameShape, Side, Tab, ViewState};

/// A short text that the window shows for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names it for [`Command::Dismiss`].
    pub id: u64,
    /// What happened.
    pub text: String,
    /// True for failures: they stay longer.
    pub is_error: bool,
}

/// How an [`App`] starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where settings are kept; `None` = nowhere (tests, scripts).
    pub settings_folder: Option<PathBuf>,
    /// Where the sample pair is written to be opened; `None` = nowhere (scripts).
    pub samples_folder: Option<PathBuf>,
    /// Jobs run inside the commands that want them: for tests and scripts.
    pub inline: bool,
    /// How captures are read.
    pub load: load::LoadOptions,
}

/// The product without a window.
pub struct App {
    captures: Vec<Capture>,
    next_capture: u32,
    view: ViewState,
    undo: Undo,
    jobs: Jobs<Event>,
    memo: Memo,
    /// Remarks as they were kept when the program began; those of this session are in the view.
    kept_remarks: Vec<remarks::KeptRemarks>,
    /// Remarks on what is shown that were not written in this session.
    found_remarks: remarks::Found,
    /// What the captures are called.
    names: Vec<(CaptureId, String)>,
    settings: Settings,
    keeper: Keeper,
    /// Jobs that write a file which the user named.
    writes: Vec<JobId>,
    options: Options,
    messages: Vec<Message>,
    /// Messages that the window shows no more, oldest first.
    past_messages: Vec<Message>,
    /// Failures among them that went by themselves, by id, until somebody looks at the list: nobody may have been there to read them.
    missed: Vec<u64>,
    next_message: u64,
    dialog: Option<Dialog>,
    log: Vec<String>,
    /// The last results of each kind that were ready: the old picture stays until the new one is there, unless it is of other captures.
    shown: Shown,
    /// The sides that were last kept among the recent comparisons.
    compared: Vec<Vec<CaptureId>>,
    /// See [`App::steps_taken`].
    steps_taken: u64,
    /// What is on screen of a flame graph that is being laid out anew.
    anchor: Option<anchor::Anchor>,
}

/// The newest ready results of the captures shown.
#[derive(Clone, Default)]
struct Shown {
    /// The captures that they are of, by side.
    sides: Vec<Vec<CaptureId>>,
    comparison: Option<Arc<Comparison>>,
    table: Option<Arc<Comparison>>,
    flame: Option<(Arc<FlameLayout>, Arc<Comparison>)>,
    rows: Option<ShownRows>,
    timeline: Option<Arc<Timeline>>,
    sandwich: Option<ShownSandwich>,
    listing: Option<ShownListing>,
}

impl Shown {
    /// Which results these are.
    fn addresses(&self) -> [*const (); 12] {
        fn of<T>(shared: Option<&Arc<T>>) -> *const () {
            shared.map_or(std::ptr::null(), |shared| Arc::as_ptr(shared).cast())
        }
        let (flame, rows, sandwich) = (self.flame.as_ref(), self.rows.as_ref(), self.sandwich.as_ref());
        [
            of(self.comparison.as_ref()),
            of(self.table.as_ref()),
            of(flame.map(|flame| &flame.0)),
            of(flame.map(|flame| &flame.1)),
            of(rows.map(|rows| &rows.comparison)),
            of(rows.map(|rows| &rows.flat)),
            of(rows.map(|rows| &rows.rows)),
            of(self.timeline.as_ref()),
            of(sandwich.map(|sandwich| &sandwich.sandwich)),
            of(sandwich.map(|sandwich| &sandwich.flame)),
            of(self.listing.as_ref().map(|shown| &shown.listed)),
            of(self.listing.as_ref().map(|shown| &shown.comparison)),
        ]
    }
}

/// The rows of the top table with what they are rows of.
#[derive(Clone)]
pub struct ShownRows {
    /// The comparison weighed.
    pub comparison: Arc<Comparison>,
    /// Its values by place.
    pub flat: Arc<Flat>,
    /// Order and choice.
    pub rows: Arc<Rows>,
}

/// A sandwich with the boxes of its pictures.
#[derive(Clone)]
pub struct ShownSandwich {
    /// The trees around the function.
    pub sandwich: Arc<Sandwich>,
    /// Where their boxes are.
    pub flame: Arc<SandwichFlame>,
}

/// Annotated source with what its numbers are of.
#[derive(Clone)]
pub struct ShownListing {
    /// The comparison weighed.
    pub comparison: Arc<Comparison>,
    /// Lines and text.
    pub listed: Arc<Listed>,
}

/// How many messages can be read after they went.
const PAST_MESSAGES: usize = 30;

/// How many commands the log keeps.
const LOG_LINES: usize = 200;

impl App {
    /// An app with nothing open.
    pub fn new(options: Options) -> Self {
        let panicked = |what| Event::Panicked(what);
        let jobs = if options.inline { Jobs::inline(panicked) } else { Jobs::threads(|| {}, panicked) };
        let folder = options.settings_folder.as_deref();
        let (settings, problems) = folder.map(Settings::read_and_say).unwrap_or_default();
        let mut made = Self {
            captures: Vec::new(),
            next_capture: 1,
            view: ViewState::default(),
            undo: Undo::default(),
            jobs,
            memo: Memo::default(),
            kept_remarks: settings.remarks.clone(),
            found_remarks: remarks::Found::default(),
            names: Vec::new(),
            keeper: Keeper::new(options.settings_folder.clone(), settings.clone(), options.inline),
            settings,
            writes: Vec::new(),
            options,
            messages: Vec::new(),
            past_messages: Vec::new(),
            missed: Vec::new(),
            next_message: 1,
            dialog: None,
            log: Vec::new(),
            shown: Shown::default(),
            compared: Vec::new(),
            steps_taken: 0,
            anchor: None,
        };
        if let Some(problems) = problems {
            made.say(problems, true);
        }
        made
    }

    /// Sets what wakes the window when a job delivers.
    pub fn set_wake(&mut self, wake: impl Fn() + Clone + Send + Sync + 'static) {
        self.keeper.set_wake(wake.clone());
        self.jobs.set_wake(wake);
    }

    /// Does one command and gives what only a window can do for it.
    pub fn apply(&mut self, command: Command) -> Vec<Effect> {
        self.log.push(command.to_line());
        if self.log.len() > LOG_LINES {
            self.log.remove(0);
        }
        let (old, before) = (self.view.clone(), self.before_command());
        let label = command.undo_label(&old);
        let merged = command.is_continuous(&old);
        let holds_sandwich = matches!(command, Command::Undo | Command::Redo | Command::SelectInSandwich(..));
        let keeps_history = matches!(
            command,
            Command::Undo | Command::Redo | Command::Close(_) | Command::CloseAll | Command::CloseDialog | Command::Reveal
        );
        let is_history = matches!(command, Command::Undo | Command::Redo);
        let may_remark = matches!(command, Command::Remark(_) | Command::RemarkOn(..) | Command::Undo | Command::Redo);
        let effects = apply::apply(self, command);
        if may_remark {
            self.keep_remarks();
        }
        if !holds_sandwich {
            self.follow_selection(&old);
        }
        self.hold_window(before, &old, is_history);
        // Captures that are opened later are not presented by that.
        self.view.presenting &= self.view.after.is_some();
        if self.view != old && !keeps_history && (old.after.is_some() || old.before.is_some()) {
            self.undo.push(label, old, merged);
        }
        self.pump();
        effects
    }

    /// Takes in what jobs delivered and starts what the view wants and lacks. Call it once a frame.
    pub fn pump(&mut self) {
        self.take_in_and_start();
        self.take_in_saved();
        self.name_captures();
        self.find_remarks();
        self.set_held_window();
        // Here and not where results arrive: what is wanted again may be there already.
        self.remember_shown();
        apply::remember_comparison(self);
    }

    fn take_in_and_start(&mut self) {
        loop {
            while let Some((job, event)) = self.jobs.next_event() {
                apply::receive(self, job, event);
            }
            if !self.start_wanted() {
                return;
            }
            // Small results are there at once: waiting two milliseconds for them keeps small files from flickering.
            if let Some((job, event)) = self.jobs.wait_event(Duration::from_millis(2)) {
                apply::receive(self, job, event);
            } else {
                return;
            }
        }
    }

    /// Pumps until nothing is wanted that can still come: for tests, scripts and exports.
    pub fn settle(&mut self) {
        self.pump();
        while !self.jobs.running().is_empty() {
            if let Some((job, event)) = self.jobs.wait_event(Duration::from_secs(1)) {
                apply::receive(self, job, event);
            }
            self.pump();
        }
    }

    /// Starts missing results whose inputs are there; true where something was started.
    fn start_wanted(&mut self) -> bool {
        let wanted = self.wants();
        for job in self.memo.keep(&wanted) {
            self.jobs.cancel(job);
        }
        let mut started = false;
        for key in wanted {
            if self.memo.is_known(&key) {
                continue;
            }
            let captures = &self.captures;
            let profile = |id| captures.iter().find(|capture| capture.id == id).and_then(Capture::profile).cloned();
            if let Some(work) = derived::work(&key, &self.memo, &profile) {
                let name = key.job_name();
                let delivered = Box::new(key.clone());
                let job = self.jobs.start(name, move |ticket| Event::Derived(delivered, work(ticket)));
                self.memo.set_working(key, job);
                started = true;
            }
        }
        started
    }

    /// The results that the view needs, inputs first: a pure function of the view and the captures.
    pub fn wants(&self) -> Vec<Key> {
        let Some(tables) = self.comparison_key(Direction::TopDown) else { return Vec::new() };
        let shown = self.comparison_key(self.view.direction).unwrap_or_else(|| tables.clone());
        let groups = shown.filter.groups();
        let grouped = shown.shape.captures.iter().filter(|_| !groups.is_empty()).map(|capture| Key::Grouped(*capture, groups.clone()));
        let mut keys: Vec<Key> = grouped.collect();
        keys.extend([Key::Shape(shown.shape.clone()), Key::Shape(tables.shape.clone())]);
        keys.extend([Key::Comparison(shown.clone()), Key::Comparison(tables.clone())]);
        keys.extend(self.flame_key());
        keys.push(Key::Top(tables.clone()));
        // Also behind other tabs: pictures and exports show the table without bringing it to the front.
        keys.extend([Key::Flat(tables.clone()), Key::Rows(tables.clone(), self.rows_spec())]);
        if self.view.is_comparison() {
            keys.push(Key::Findings(tables, self.view.thresholds, self.view.exposure));
            if self.view.direction == Direction::BottomUp {
                keys.push(Key::Diff(shown.clone(), self.view.thresholds, self.view.exposure));
            }
        }
        keys.extend(self.timeline_key());
        keys.extend(self.facets_key());
        keys.extend(self.trend_key());
        keys.extend(self.sandwich_keys());
        keys.extend(self.listing_key());
        if !self.view.search.is_empty() {
            keys.push(Key::Matches(shown, self.view.search.clone()));
        }
        keys.dedup();
        keys
    }

    fn comparison_key(&self, direction: Direction) -> Option<ComparisonKey> {
        let captures = self.view.captures();
        let generations: Vec<(CaptureId, u32)> = captures
            .iter()
            .map(|id| self.capture(*id).filter(|capture| capture.profile().is_some()).map(|capture| (*id, capture.generation)))
            .collect::<Option<_>>()?;
        if generations.is_empty() {
            return None;
        }
        let frames = self.view.filter.of_frames();
        // A capture alone has nothing to match, and its results stay whatever was decided about names.
        let naming = if self.view.is_comparison() { self.view.naming.clone() } else { Naming::default() };
        let sides = self.view.sides().iter().map(Vec::len).collect();
        let shape = ShapeKey { captures: generations, sides, granularity: self.view.granularity, direction, frames, naming };
        let (filter, parts) = (self.view.filter.clone(), self.parts());
        Some(ComparisonKey { shape, sample_type: self.sample_type()?, parts, filter, normalization: self.normalization() })
    }

    /// The view.
    pub const fn view(&self) -> &ViewState {
        &self.view
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Messages not yet dismissed, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Messages that the window shows no more, oldest first.
    pub fn past_messages(&self) -> &[Message] {
        &self.past_messages
    }

    /// How many failures went from the window by themselves since the list of messages was last looked at.
    pub const fn missed_failures(&self) -> usize {
        self.missed.len()
    }

    /// Puts a message among those that are past; a failure that `was_missed` is said to be there.
    fn put_away(&mut self, id: u64, was_missed: bool) {
        let Some(at) = self.messages.iter().position(|message| message.id == id) else { return };
        let message = self.messages.remove(at);
        if message.is_error && was_missed {
            self.missed.push(id);
        }
        self.past_messages.push(message);
        if self.past_messages.len() > PAST_MESSAGES {
            self.past_messages.remove(0);
        }
    }

    /// The open dialog.
    pub const fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// Jobs that run, oldest first.
    pub fn running(&self) -> &[Running] {
        self.jobs.running()
    }

    /// The last commands as script lines, oldest first.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// What undo would take back.
    pub fn undo_label(&self) -> Option<&str> {
        self.undo.undo_label()
    }

    /// What redo would do again.
    pub fn redo_label(&self) -> Option<&str> {
        self.undo.redo_label()
    }

    /// Sample types that all shown captures have, as (name, unit).
    pub fn sample_types(&self) -> Vec<(String, String)> {
        common_sample_types(&self.profiles())
    }

    /// The sample type in effect: the chosen one where all sides have it, else the later capture's default, else the first common one.
    pub fn sample_type(&self) -> Option<(String, String)> {
        let common = self.sample_types();
        let default = || {
            let profile = self.profiles().last().cloned()?;
            let kind = profile.sample_types.get(profile.default_sample_type)?;
            // By the first capture's name.
            common.iter().find(|(name, unit)| kind.compares_with(name, unit)).cloned()
        };
        // The unit is the finest of those shown, and another one where fewer captures are.
        let like = |(name, unit): &(String, String)| {
            let kind = SampleType { name: name.clone(), unit: unit.clone(), ..SampleType::default() };
            let exact = common.iter().find(|(other, unit)| *other == kind.name && kind.compares_with(other, unit));
            exact.cloned()
        };
        let wanted = self.view.sample_type.as_ref().and_then(like).or_else(default);
        wanted.filter(|kind| common.contains(kind)).or_else(|| common.first().cloned())
    }

    /// True where all shown captures (or their parts) know how long they took.
    pub fn durations_known(&self) -> bool {
        let (profiles, parts) = (self.profiles(), self.parts_of_captures());
        !profiles.is_empty() && profiles.iter().zip(&parts).all(|(profile, part)| part.duration_nanos(profile).is_some())
    }

    /// The length of the time in which the capture shown has samples, in nanoseconds, where its samples have times.
    pub fn time_nanos(&self) -> Option<i64> {
        let (first, last) = self.profiles().last()?.samples.time_range()?;
        Some(last.saturating_sub(first)).filter(|&nanos| nanos > 0)
    }

    /// True where samples of some capture shown have times.
    pub fn has_times(&self) -> bool {
        self.profiles().iter().any(|profile| profile.samples.has_times())
    }

    /// The time range of a side: of a comparison the side's own, of a capture alone that of the filter.
    pub const fn time_of(&self, side: Side) -> Option<Span> {
        let [before, after] = &self.view.parts;
        match side {
            _ if !self.view.is_comparison() => self.view.filter.time,
            Side::Before => before.time,
            Side::After => after.time,
        }
    }

    /// True where a range of time is chosen on some side.
    pub fn has_time_range(&self) -> bool {
        Side::BOTH.into_iter().any(|side| self.time_of(side).is_some())
    }

    /// The rest of the time, and the time range that is chosen of the captures shown, where there is no comparison yet.
    pub fn range_and_rest(&self) -> Option<[Part; 2]> {
        let range = self.view.filter.time.filter(|_| !self.view.is_comparison())?;
        Some([range.rest(), range].map(Part::of_time))
    }

    /// The first and the second half of the one capture shown, where its samples have times.
    pub fn halves(&self) -> Option<[Part; 2]> {
        let shown = self.view.captures();
        if shown.iter().any(|id| Some(id) != shown.first()) {
            return None;
        }
        // A whole second or millisecond where that is no matter: people read it.
        let middle = self.time_nanos()? / 2;
        let step = [1_000_000_000, 1_000_000].into_iter().find(|step| middle >= 20 * step).unwrap_or(1);
        let middle = middle / step * step;
        let part = |from, to| Part::of_time(Span::new(from, to));
        Some([part(Some(0), Some(middle)), part(Some(middle), None)])
    }

    /// True where all shown captures hold processor time.
    pub fn cpu_known(&self) -> bool {
        let profiles = self.profiles();
        !profiles.is_empty() && profiles.iter().all(|profile| has_cpu_time(profile))
    }

    /// The normalisation in effect.
    pub fn normalization(&self) -> Normalization {
        let fitting = || {
            let (profiles, parts) = (self.profiles(), self.parts_of_captures());
            Normalization::fitting_parts(&self.sample_type().unwrap_or_default().0, profiles.iter().map(AsRef::as_ref).zip(&parts))
        };
        self.view.normalization.clone().unwrap_or_else(fitting)
    }

    /// The shape of the flame graph in effect.
    pub fn flame_shape(&self) -> FlameShape {
        if self.view.is_comparison() { self.view.flame_shape } else { FlameShape::After }
    }

    /// The proposed other name of the selected function: (before, after).
    pub fn proposed_name(&self) -> Option<(String, String)> {
        let name = &self.view.selection.as_ref()?.place;
        let rows = &self.findings().ready()?.matching.rows;
        let row = rows.iter().find(|row| row.class == Class::Proposed && (row.before.contains(name) || row.after.contains(name)))?;
        Some((row.before.first()?.clone(), row.after.first()?.clone()))
    }

    /// What keeps the selected function apart from the names that it was matched with; `None` where it has one name.
    fn selected_apart(&self) -> Option<Command> {
        let name = &self.view.selection.as_ref()?.place;
        let table = self.table().ready()?;
        let matched = table.places().find(name).and_then(|place| table.shape.matching.of(place));
        let name = match matched {
            Some(row) => row.before.first().or(row.after.first()).cloned(),
            None => self.proposed_name().map(|(before, _)| before),
        };
        name.map(Command::KeepApart)
    }

    /// Why nothing can be shown: the error of a shown capture, or of the comparison.
    pub fn failure(&self) -> Option<(Option<CaptureId>, String)> {
        let broken = self.view.captures().into_iter().find_map(|id| self.capture(id)?.error().map(|why| (Some(id), why.to_owned())));
        broken.or_else(|| match self.comparison() {
            State::Failed(why) if why != "cancelled" => Some((None, why.to_owned())),
            _ if self.profiles().len() > 1 && self.sample_types().is_empty() => Some((None, self.nothing_in_common())),
            _ if self.profiles().len() == 1 && self.sample_types().is_empty() => Some((None, "the capture has no sample types".to_owned())),
            _ => None,
        })
    }

    fn nothing_in_common(&self) -> String {
        let names: Vec<String> = self
            .profiles()
            .iter()
            .map(|profile| profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect::<Vec<_>>().join(", "))
            .collect();
        format!(
            "the captures have no sample type in common: before has {}, after has {}",
            names.first().map_or("", |n| n),
            names.last().map_or("", |n| n)
        )
    }

    /// The debuginfod servers that could be asked: the command line's, the settings', or those of the environment.
    pub fn debug_servers(&self) -> Option<debuginfod::Debuginfod> {
        let own = Some(self.settings.debuginfod_servers.clone()).filter(|servers| !servers.trim().is_empty());
        let named = || debuginfod::Debuginfod::new(&own.or_else(debuginfod::servers_of_environment)?).ok();
        self.options.load.debuginfod.clone().or_else(named)
    }

    /// Where source files are looked for: as the command line says for this run, else as set.
    pub fn source_spec(&self) -> &source::SourceSpec {
        let given = &self.options.load.source;
        if *given == source::SourceSpec::default() { &self.settings.source } else { given }
    }

    /// Folders in which binaries are looked for: those of the command line for this run, else those that are set.
    pub fn symbol_roots(&self) -> &[PathBuf] {
        let given = &self.options.load.symbol_roots;
        if given.is_empty() { &self.settings.symbol_roots } else { given }
    }

    /// True where debuginfod servers are asked: by the settings, or for this run by the command line.
    pub const fn asks_for_debug_files(&self) -> bool {
        self.settings.debuginfod || self.options.load.debuginfod.is_some()
    }

    /// True where the sample pair can be opened.
    pub const fn has_sample(&self) -> bool {
        self.options.samples_folder.is_some()
    }

    /// True where looked-up symbols may be kept on disk.
    pub const fn keeps_symbols(&self) -> bool {
        self.options.load.symbol_cache.is_some()
    }

    /// Adds a message for the window.
    fn say(&mut self, text: impl Into<String>, is_error: bool) {
        self.messages.push(Message { id: self.next_message, text: text.into(), is_error });
        self.next_message += 1;
    }

    /// Writes what the window drew itself to a path that the user named, in a job: a disk may be slow.
    pub fn write_picture(&mut self, path: PathBuf, drawn: Result<Vec<u8>, String>) {
        let open = self.open_paths();
        self.start_writing("Writing the picture", path, move |path| {
            drawn.and_then(|png| save::export(path, &png, &open)).map(|()| "the picture")
        });
    }

    /// Starts to write a file that the user named; `write` says what it has put there.
    fn start_writing(&mut self, name: &str, path: PathBuf, write: impl FnOnce(&Path) -> Result<&'static str, String> + Send + 'static) {
        let job = self.jobs.start(name, move |_| {
            let written = write(&path);
            Event::Exported(path, written)
        });
        self.writes.retain(|job| self.jobs.is_running(*job));
        self.writes.push(job);
    }

    /// Says that an export was written, or why not.
    fn exported(&mut self, path: &Path, written: Result<&str, String>) {
        match written {
            Ok(what) => self.say(format!("Written: {what}\n{}", path.display()), false),
            Err(why) => self.say(format!("Not written: {why}\n{}", path.display()), true),
        }
    }

    fn save_settings(&mut self) {
        self.keeper.keep(&self.settings);
        self.take_in_saved();
    }

    fn take_in_saved(&mut self) {
        if let Some(why) = self.keeper.take_in() {
            self.say(why, true);
        }
    }

    /// Waits until what the user wanted on the disk is there, but not longer than `limit`: the window was closed.
    pub fn finish(&mut self, limit: Duration) {
        let until = Instant::now() + limit;
        while self.writes.iter().any(|job| self.jobs.is_running(*job))
            && let Some((job, event)) = self.jobs.wait_event(until.saturating_duration_since(Instant::now()))
        {
            apply::receive(self, job, event);
        }
        self.keeper.finish(until.saturating_duration_since(Instant::now()));
    }

    /// How often somebody went to a finding or to a match of the search, or boxes changed their places. A picture brings its box into view when this has risen, and not when undo
    /// selects it again.
    pub const fn steps_taken(&self) -> u64 {
        self.steps_taken
    }

    /// Puts a finding's function and path (of several the first) into the selection, shown by every view, and compares its self values or totals.
    fn select_finding(&mut self, index: usize) {
        let Some(findings) = self.findings().ready().cloned() else { return };
        let (Some(finding), Some(table)) = (findings.rows.get(index), self.table().ready()) else { return };
        let path = finding.told_paths().next().into_iter().flatten().map(|place| table.places().name(*place).to_owned()).collect();
        self.view.selection = Some(view::Selection { place: finding.func.clone(), path });
        // The other views compare what the finding is about.
        self.view.measure = finding.measure;
        self.view.trend_measure = None;
        self.steps_taken += 1;
        if self.view.tab == Tab::Info {
            self.view.tab = Tab::Flame;
        }
    }

    /// The comparison shown as a report; `None` while there is none.
    pub fn diff_report(&self) -> Option<DiffReport> {
        let (comparison, findings) = (self.table().ready()?, self.findings().ready()?);
        DiffReport::new(
            comparison,
            findings,
            DiffInput {
                captures: &self.named_profiles(),
                by: self.view.granularity,
                decimals: self.decimals(),
                filter: &self.view.filter,
                remarks: self.remarks(),
            },
        )
    }

    /// Decimals of the stored integers of the sample type shown.
    fn decimals(&self) -> u8 {
        let Some((name, unit)) = self.sample_type() else { return 0 };
        finest_of(&self.profiles(), &name, &unit).1
    }

    /// Rank (from 0) of the finding that is selected.
    pub fn selected_finding(&self) -> Option<usize> {
        let selection = self.view.selection.as_ref()?;
        self.findings().ready()?.rows.iter().position(|finding| finding.func == selection.place)
    }

    /// The node of the selection in a tree: the one at the end of its path, else the heaviest of its place.
    pub fn selected_node(&self, comparison: &Comparison) -> Option<crate::analysis::NodeId> {
        let selection = self.view.selection.as_ref()?;
        let (tree, places) = (comparison.tree(), comparison.places());
        let by_path = || {
            let path: Option<Vec<_>> = selection.path.iter().map(|name| places.find(name)).collect();
            path.filter(|path| !path.is_empty()).and_then(|path| tree.find_path(path))
        };
        let heaviest = || {
            let place = places.find(&selection.place)?;
            let nodes = tree.nodes().filter(|&node| tree.place(node) == place);
            nodes.max_by(|&a, &b| comparison.weight_of(a).total_cmp(&comparison.weight_of(b)).then(b.cmp(&a)))
        };
        by_path().or_else(heaviest)
    }

    /// Names from the outermost frame to a node: the path form that views and scripts use.
    pub fn names_of(comparison: &Comparison, node: crate::analysis::NodeId) -> Vec<String> {
        comparison.tree().path(node).into_iter().map(|place| comparison.places().name(place).to_owned()).collect()
    }
}
