//! The file as a whole: where each part stands, then thread by thread. Parts may stand in any order, so a first pass only finds them.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::NAME;
use super::frames::{Frames, Lib};
use super::samples::{Columns, Thread, add_thread};
use super::table::Table;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::json::{Json, Kind, Number};
use crate::model::{self, Builder, Profile, kind};

/// How deep processes stand in processes of a raw file; Firefox writes one level. Each level is passed over once more.
const MAX_LEVELS: usize = 8;

/// Places of the tables of a thread, or of `shared`, by name.
pub(super) type Places = FxHashMap<String, usize>;

/// One process of a raw file; the whole of a processed file.
#[derive(Default)]
struct Document {
    meta: Option<usize>,
    libs: Option<usize>,
    shared: Option<usize>,
    threads: Option<usize>,
    processes: Option<usize>,
    counters: Option<usize>,
}

impl Document {
    /// The object at the reader's place.
    fn find(json: &mut Json<'_>) -> Result<Self, ReadError> {
        let mut document = Self::default();
        json.object()?;
        while let Some(key) = json.key()? {
            let place = Some(json.skip()?);
            match &*key {
                "meta" => document.meta = place,
                "libs" => document.libs = place,
                "shared" => document.shared = place,
                "threads" => document.threads = place,
                "processes" => document.processes = place,
                "counters" => document.counters = place,
                _ => {}
            }
        }
        Ok(document)
    }
}

/// What `meta` says that readers of samples need.
#[derive(Default)]
pub(super) struct Meta {
    /// Whether this is the processed form.
    pub(super) processed: bool,
    /// Milliseconds since 1970.
    pub(super) start: f64,
    /// Names of categories.
    pub(super) categories: Vec<String>,
    /// Unit of CPU deltas: `ns`, `µs`, or cycles.
    pub(super) cpu_unit: Option<String>,
}

pub(super) fn read(bytes: &[u8], ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut json = Json::new(NAME, bytes, ticket);
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let mut waiting = vec![(0, Document::find(&mut json)?)];
    json.end()?;
    let mut columns = Columns::default();
    let mut start = None;
    while let Some((level, document)) = waiting.pop() {
        let meta = match document.meta {
            Some(place) => read_meta(&mut json, place, &mut builder, start.is_none())?,
            None => Meta::default(),
        };
        let first = *start.get_or_insert(meta.start);
        let Some(threads) = document.threads else {
            return Err(json.error(0, "the list `threads`", "there is no such list"));
        };
        read_threads(&mut json, &document, threads, &meta, meta.start - first, &mut columns, &mut builder)?;
        if let Some(counters) = document.counters {
            let counters = count(&mut json, counters)?;
            if counters > 0 {
                builder.notes.add(kind::SKIPPED, "counters over time, which belong to no stack", counters, None);
            }
        }
        if let Some(place) = document.processes {
            json.go_to(place);
            json.list()?;
            let mut found = Vec::new();
            while json.item()? {
                if json.kind()? != Kind::Object {
                    json.skip()?;
                    continue;
                }
                if level >= MAX_LEVELS {
                    return Err(json.error(json.offset(), "the list `processes`", format!("it is nested more than {MAX_LEVELS} times")));
                }
                found.push((level + 1, Document::find(&mut json)?));
            }
            waiting.extend(found.into_iter().rev());
        }
    }
    json.note(&mut builder.notes);
    Ok(builder.finish())
}

fn count(json: &mut Json<'_>, place: usize) -> Result<u64, ReadError> {
    json.go_to(place);
    let mut count = 0;
    if json.kind()? == Kind::Array {
        json.list()?;
        while json.item()? {
            json.skip()?;
            count += 1;
        }
    }
    Ok(count)
}

fn read_meta(json: &mut Json<'_>, place: usize, builder: &mut Builder, first: bool) -> Result<Meta, ReadError> {
    let mut meta = Meta::default();
    let mut facts = Vec::new();
    json.go_to(place);
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "preprocessedProfileVersion" => {
                meta.processed = true;
                facts.extend(json.maybe_number()?.map(|version| ("version", format!("processed {}", version.integer()))));
            }
            "startTime" => meta.start = json.maybe_number()?.map_or(0.0, Number::float),
            "interval" => facts.extend(json.maybe_number()?.map(|number| ("interval", format!("{} ms", number.float())))),
            "product" | "platform" | "oscpu" | "CPUName" | "arguments" | "importedFrom" => {
                let fact = match &*key {
                    "product" => "product",
                    "platform" => "platform",
                    "oscpu" => "os",
                    "CPUName" => "cpu",
                    "arguments" => "command",
                    _ => "imported from",
                };
                facts.extend(json.maybe_text()?.filter(|text| !text.is_empty()).map(|text| (fact, text.into_owned())));
            }
            "categories" if json.kind()? == Kind::Array => {
                json.list()?;
                while json.item()? {
                    meta.categories.push(read_named(json)?);
                }
            }
            "sampleUnits" if json.kind()? == Kind::Object => {
                json.object()?;
                while let Some(unit) = json.key()? {
                    let text = json.maybe_text()?;
                    if unit == "threadCPUDelta" {
                        meta.cpu_unit = text.map(Cow::into_owned);
                    }
                }
            }
            _ => drop(json.skip()?),
        }
    }
    if first {
        builder.info.facts.extend(facts.into_iter().map(|(key, text)| (key.to_owned(), text)));
        builder.info.start_unix_nanos = Some((meta.start * 1e6) as i64).filter(|&nanos| nanos > 0);
    }
    Ok(meta)
}

/// The `name` of an object.
fn read_named(json: &mut Json<'_>) -> Result<String, ReadError> {
    let mut name = String::new();
    if json.kind()? != Kind::Object {
        json.skip()?;
        return Ok(name);
    }
    json.object()?;
    while let Some(key) = json.key()? {
        if key == "name" {
            name = json.maybe_text()?.unwrap_or_default().into_owned();
        } else {
            json.skip()?;
        }
    }
    Ok(name)
}

fn read_threads(
    json: &mut Json<'_>,
    document: &Document,
    threads: usize,
    meta: &Meta,
    later: f64,
    columns: &mut Columns,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let libs = document.libs.map_or_else(|| Ok(Vec::new()), |place| read_libs(json, place))?;
    let shared = document.shared.map_or_else(|| Ok(Places::default()), |place| find_places(json, place))?;
    let shared_strings = match shared.get("stringArray") {
        Some(&place) => Some(read_strings(json, place)?),
        None => None,
    };
    // Since 2025 all threads may share their tables.
    let shared_frames = match shared.get("stackTable") {
        Some(_) => Some(Frames::read(json, &shared, shared_strings.as_deref().unwrap_or(&[]), &libs, None, meta, builder)?),
        None => None,
    };
    json.go_to(threads);
    json.list()?;
    while json.item()? {
        if json.kind()? != Kind::Object {
            // Early raw files hold whole profiles of other processes here, as text.
            builder.notes.add(kind::SKIPPED, "threads in a form from before 2017", 1, Some(json.offset() as u64));
            json.skip()?;
            continue;
        }
        let (mut thread, places) = read_thread(json)?;
        let after = json.offset();
        let own_strings = match places.get("stringArray").or_else(|| places.get("stringTable")) {
            Some(&place) => Some(read_strings(json, place)?),
            None => None,
        };
        let strings = own_strings.as_deref().or(shared_strings.as_deref()).unwrap_or(&[]);
        let own_libs = places.get("libs").map_or_else(|| Ok(None), |&place| read_libs(json, place).map(Some))?;
        thread.later = later;
        // Processed files may join tables of a thread with those that are shared.
        let mut all = shared.clone();
        all.extend(places);
        let own;
        let frames = if let Some(frames) = &shared_frames {
            frames
        } else {
            own = Frames::read(json, &all, strings, own_libs.as_deref().unwrap_or(&libs), thread.pid, meta, builder)?;
            &own
        };
        add_thread(json, &all, &thread, frames, meta, columns, builder)?;
        if let Some(&markers) = all.get("markers") {
            let markers = Table::read(json, markers, &["name"])?.rows as u64;
            if markers > 0 {
                builder.notes.add(kind::SKIPPED, "markers: events with a name and a time, which are no samples", markers, None);
            }
        }
        json.go_to(after);
    }
    Ok(())
}

fn find_places(json: &mut Json<'_>, place: usize) -> Result<Places, ReadError> {
    let mut places = Places::default();
    json.go_to(place);
    json.object()?;
    while let Some(key) = json.key()? {
        let place = json.skip()?;
        places.insert(key.into_owned(), place);
    }
    Ok(places)
}

/// What a thread says about itself, and the places of its tables.
fn read_thread(json: &mut Json<'_>) -> Result<(Thread, Places), ReadError> {
    let (mut thread, mut places) = (Thread::default(), Places::default());
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "name" => thread.name = json.maybe_text()?.unwrap_or_default().into_owned(),
            "processName" => thread.process = json.maybe_text()?.unwrap_or_default().into_owned(),
            "pid" => thread.pid = read_id(json)?,
            "tid" => thread.tid = read_id(json)?,
            key => {
                let kind = json.kind()?;
                let place = json.skip()?;
                if matches!(kind, Kind::Object | Kind::Array) {
                    places.insert(key.to_owned(), place);
                }
            }
        }
    }
    Ok((thread, places))
}

/// A process or thread id: a number, or since version 47 a text, which need not be one.
fn read_id(json: &mut Json<'_>) -> Result<Option<i32>, ReadError> {
    Ok(match json.kind()? {
        Kind::Number => i32::try_from(json.number()?.integer()).ok(),
        Kind::Text => json.text()?.parse().ok(),
        _ => {
            json.skip()?;
            None
        }
    })
}

fn read_strings<'a>(json: &mut Json<'a>, place: usize) -> Result<Vec<Cow<'a, str>>, ReadError> {
    let mut strings = Vec::new();
    json.go_to(place);
    json.list()?;
    while json.item()? {
        strings.push(json.maybe_text()?.unwrap_or_default());
    }
    Ok(strings)
}

fn read_libs(json: &mut Json<'_>, place: usize) -> Result<Vec<Lib>, ReadError> {
    let mut libs = Vec::new();
    json.go_to(place);
    json.list()?;
    while json.item()? {
        let mut lib = Lib::default();
        json.object()?;
        while let Some(key) = json.key()? {
            match &*key {
                "name" => lib.name = json.maybe_text()?.unwrap_or_default().into_owned(),
                "path" => lib.path = json.maybe_text()?.unwrap_or_default().into_owned(),
                "codeId" => lib.build_id = json.maybe_text()?.map(|text| text.to_ascii_lowercase()),
                "start" => lib.start = json.maybe_number()?.map_or(0, |number| number.integer() as u64),
                "end" => lib.end = json.maybe_number()?.map_or(0, |number| number.integer() as u64),
                "offset" => lib.offset = json.maybe_number()?.map_or(0, |number| number.integer() as u64),
                _ => drop(json.skip()?),
            }
        }
        libs.push(lib);
    }
    Ok(libs)
}

/// A profile's thread under the name that its viewer shows.
pub(super) fn thread_row(thread: &Thread, builder: &mut Builder) -> model::ThreadId {
    let name = if thread.process.is_empty() || thread.process == thread.name {
        thread.name.clone()
    } else {
        format!("{} ({})", thread.name, thread.process)
    };
    let name = builder.string(&name);
    builder.thread(model::Thread { pid: thread.pid, tid: thread.tid, name })
}
