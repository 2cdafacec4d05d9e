//! Debug files from a server on this machine: what comes is used when it is right, and said when it is not. Nobody is asked unasked.

#![cfg(all(target_os = "linux", feature = "debuginfod"))]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emberlens::app::debuginfod::Debuginfod;
use emberlens::app::load::{LoadOptions, load};
use emberlens::app::settings::Settings;
use emberlens::app::symbol_cache::SymbolCache;
use emberlens::app::{App, Command, Options};
use emberlens::base::ticket::Ticket;
use emberlens::model::Profile;

use crate::cli::{program, sample};
use crate::naive;

/// How a server answers.
#[derive(Clone)]
enum Answer {
    /// The file, for paths that end so.
    File(&'static str, Vec<u8>),
    /// So many bytes less than it says.
    Cut(Vec<u8>, usize),
    /// Nothing at all, while the connection stays open.
    Silence,
    NotFound,
    Broken,
}

/// A server that answers every request in the same way, until the test ends.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
    paths: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (requests, paths) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, listed) = (Arc::clone(&requests), Arc::clone(&paths));
        let serve = move || {
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                open.extend(talk(stream, &answer, &listed));
            }
        };
        // It ends with the process: the listener has no other end.
        std::thread::Builder::new().spawn(serve).expect("a thread starts");
        Self { url, requests, paths }
    }

    fn asked(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn client(&self) -> Debuginfod {
        Debuginfod::new(&self.url).expect("an address")
    }
}

/// Answers one request; the stream, where it has to stay open.
fn talk(mut stream: TcpStream, answer: &Answer, paths: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    paths.lock().unwrap().push(path.clone());
    let (status, size, body) = match answer {
        Answer::File(end, body) if path.ends_with(end) => ("200 OK", body.len(), body.clone()),
        Answer::Cut(body, missing) => ("200 OK", body.len() + missing, body.clone()),
        Answer::Silence => return Some(stream),
        Answer::Broken => ("500 Internal Server Error", 0, Vec::new()),
        Answer::File(..) | Answer::NotFound => ("404 Not Found", 0, Vec::new()),
    };
    stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n").as_bytes()).ok();
    stream.write_all(&body).ok();
    None
}

const CAPTURE: &str = "perf-data/6.1.187/indexer-after.perf.data";

/// The program of the capture, with its debug information.
fn binary(variant: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/sysroot/opt/emberlens-samples").join(variant).join("indexer");
    std::fs::read(path).expect("the sample's program")
}

/// A copy of the capture where no program lies near it.
fn capture(folder: &Path) -> PathBuf {
    let path = folder.join("perf.data");
    std::fs::copy(sample(CAPTURE), &path).expect("a copy");
    path
}

fn read(path: &Path, debuginfod: Option<Debuginfod>, cache: Option<SymbolCache>) -> Profile {
    let options = LoadOptions { debuginfod, symbol_cache: cache, ..LoadOptions::default() };
    load(path, &options, &Ticket::new()).expect("a sound capture")
}

/// Self time of the planted function, as `perf script` with the program says (see sample-profiles/expected.json); 0 without names.
fn find_term(profile: &Profile) -> i128 {
    naive::top(profile, 0).get("find_term").map_or(0, |values| values.0)
}

const FIND_TERM: i128 = 1_402_684_481;

#[test]
fn a_server_names_what_is_not_here_and_is_asked_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let cache = SymbolCache::new(&folder.path().join("cache"));
    for end in ["/debuginfo", "/executable"] {
        let server = Server::new(Answer::File(end, binary("after")));
        cache.clear().expect("a folder of our own");
        let profile = read(&path, Some(server.client()), Some(cache.clone()));
        assert_eq!(find_term(&profile), FIND_TERM, "{end}: {:?}", profile.info.unnamed);
        assert!(server.paths.lock().unwrap().iter().all(|path| path.starts_with("/buildid/") && path.matches('/').count() == 3));
        let asked = server.asked();
        assert!(asked > 0, "{end}");
        // Both the answers and the file are kept.
        assert_eq!(find_term(&read(&path, Some(server.client()), Some(cache.clone()))), FIND_TERM, "{end}");
        assert_eq!(server.asked(), asked, "{end}");
    }
}

#[test]
fn without_being_told_to_nobody_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let server = Server::new(Answer::File("/debuginfo", binary("after")));
    assert_eq!(find_term(&read(&path, None, None)), 0);
    // The variable alone is no word of the user's to this program.
    let run = program().env("DEBUGINFOD_URLS", &server.url).args(["info", "--json"]).arg(&path).output().expect("the program starts");
    assert!(run.status.success());
    assert_eq!(server.asked(), 0);
}

#[test]
fn what_is_wrong_is_thrown_away_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let whole = binary("after");
    for (answer, limit, said) in [
        (Answer::File("/debuginfo", binary("before")), u64::MAX, "so it was thrown away"),
        (Answer::File("/debuginfo", b"<html>".to_vec()), u64::MAX, "so it was thrown away"),
        (Answer::Cut(whole.clone(), 1000), u64::MAX, ""),
        (Answer::NotFound, u64::MAX, "no such file (404)"),
        (Answer::Broken, u64::MAX, "it answered 500"),
        (Answer::Silence, u64::MAX, "no answer within 0.3 s"),
        (Answer::File("/debuginfo", whole.clone()), 1000, "larger than 1000 bytes"),
    ] {
        let cache = SymbolCache::new(&folder.path().join("cache"));
        // A server that answers has all the time that a loaded machine takes.
        let patience = if matches!(answer, Answer::Silence) { Duration::from_millis(300) } else { Duration::from_mins(10) };
        let server = Server::new(answer);
        let profile = read(&path, Some(server.client().with_limits(limit, patience)), Some(cache.clone()));
        assert_eq!(find_term(&profile), 0, "{said}");
        let unnamed = profile.info.unnamed.iter().find(|row| row.module.ends_with("indexer")).expect("the module is listed");
        assert!(unnamed.why.contains(said) && unnamed.why.contains(';'), "{said}: {}", unnamed.why);
        assert!(!unnamed.fix.is_empty());
        println!("{}", unnamed.why);
        // Nothing of it is kept.
        assert_eq!(cache.size().0, 0, "{said}");
    }
}

#[test]
fn the_second_server_is_asked_where_the_first_has_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let (first, second) = (Server::new(Answer::NotFound), Server::new(Answer::File("/debuginfo", binary("after"))));
    let both = Debuginfod::new(&format!("{} {}/", first.url, second.url)).expect("two addresses");
    assert_eq!(find_term(&read(&path, Some(both), None)), FIND_TERM);
    assert!(first.asked() > 0 && second.asked() > 0);
}

#[test]
fn cancel_does_not_wait_for_a_server_that_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let server = Server::new(Answer::Silence);
    // Ten minutes: whoever waits for the server is seen.
    let debuginfod = Some(server.client().with_limits(u64::MAX, Duration::from_mins(10)));
    let options = LoadOptions { debuginfod, ..LoadOptions::default() };
    let ticket = Ticket::new();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| load(&path, &options, &ticket));
        while server.asked() == 0 {
            std::thread::yield_now();
        }
        ticket.cancel();
        let error = reading.join().expect("no panic").expect_err("it was cancelled");
        assert!(error.is_cancelled(), "{error}");
    });
}

#[test]
fn addresses_of_servers_are_checked() {
    for (text, said) in
        [("", "no server"), ("  ", "no server"), ("ftp://x", "ftp://x is no address"), ("http://ok example.org", "example.org")]
    {
        assert!(Debuginfod::new(text).expect_err(text).contains(said), "{text}");
    }
}

#[test]
fn the_command_line_asks_the_servers_that_it_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let server = Server::new(Answer::File("/debuginfo", binary("after")));
    for (word, variable) in [(server.url.as_str(), ""), ("env", server.url.as_str())] {
        let run = program()
            .env("DEBUGINFOD_URLS", variable)
            .args(["top", "--debuginfod", word, "--sample-type", "cpu-clock:u"])
            .arg(&path)
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && text.contains("find_term"), "{word}: {text} {}", String::from_utf8_lossy(&run.stderr));
    }
    let run = program().env_remove("DEBUGINFOD_URLS").args(["info", "--debuginfod", "env"]).arg(&path).output().expect("it starts");
    assert!(String::from_utf8_lossy(&run.stderr).contains("DEBUGINFOD_URLS is not set"));
}

#[test]
fn the_window_asks_when_it_is_switched_on_and_shows_the_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = capture(folder.path());
    let server = Server::new(Answer::File("/debuginfo", binary("after")));
    let settings = folder.path().join("settings");
    Settings { debuginfod_servers: server.url.clone(), ..Settings::default() }.write(&settings).expect("a writable folder");
    let mut app = App::new(Options { inline: true, settings_folder: Some(settings.clone()), ..Options::default() });
    app.apply(Command::Open(vec![path]));
    app.settle();
    assert_eq!((server.asked(), find_term(&app.profiles()[0])), (0, 0));
    let kind = emberlens::app::command::kind("toggle-debuginfod").expect("a kind");
    let command = kind.available(&app).expect("a server is known");
    app.apply(command);
    app.settle();
    assert_eq!(find_term(&app.profiles()[0]), FIND_TERM);
    assert!(server.asked() > 0 && Settings::read(&settings).debuginfod);
    // What was not found before is not said any more.
    let notes = app.profiles()[0].notes.count(emberlens::model::kind::NO_SYMBOLS);
    assert_eq!(notes, app.profiles()[0].info.unnamed.iter().map(|row| row.addresses).sum::<u64>());
}
