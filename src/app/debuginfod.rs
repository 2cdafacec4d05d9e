//! Debug files from debuginfod servers: a file by its build id over HTTP, only where the user asked for it.
//!
//! A request says which build id is wanted and nothing else. What comes is bounded in size and time, and nothing is trusted before the
//! symbol layer has compared its build id. Files are kept in the folder of symbols. Deliberately absent: the sources of programs, the
//! kernel (its debug file has several hundred megabytes), and any request without the user's word. Start reading at [`Debuginfod::fetch`].
//!
//! The protocol is that of elfutils, `debuginfod(8)`: `GET <server>/buildid/<id>/debuginfo`.

use std::time::Duration;
#[cfg(feature = "debuginfod")]
use std::time::Instant;

use crate::app::symbol_cache::SymbolCache;
use crate::base::ticket::{Cancelled, Ticket};
use crate::symbol::{Bytes, Part};

/// Largest file that is taken, in bytes.
const LIMIT_BYTES: u64 = 2 << 30;

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one file may take.
#[cfg(feature = "debuginfod")]
const PATIENCE_IN_ALL: Duration = Duration::from_mins(10);

/// Servers to ask, in this order, and what is tolerated of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debuginfod {
    servers: Vec<String>,
    limit_bytes: u64,
    patience: Duration,
}

/// The servers of the environment (`DEBUGINFOD_URLS`, as for gdb and perf), separated by blanks; `None` where there are none.
pub fn servers_of_environment() -> Option<String> {
    std::env::var("DEBUGINFOD_URLS").ok().filter(|urls| !urls.trim().is_empty())
}

impl Debuginfod {
    /// The servers of a list that is separated by blanks. An error for an empty list, for what is no `http` or `https` address, and in
    /// builds without this feature.
    pub fn new(servers: &str) -> Result<Self, String> {
        if !cfg!(feature = "debuginfod") {
            return Err("this build cannot ask servers (it was made without the feature `debuginfod`)".to_owned());
        }
        let servers: Vec<String> = servers.split_ascii_whitespace().map(|server| server.trim_end_matches('/').to_owned()).collect();
        if servers.is_empty() {
            return Err("no server is named".to_owned());
        }
        if let Some(server) = servers.iter().find(|server| !server.starts_with("http://") && !server.starts_with("https://")) {
            return Err(format!("{server} is no address of a debuginfod server (wanted http:// or https://)"));
        }
        Ok(Self { servers, limit_bytes: LIMIT_BYTES, patience: PATIENCE })
    }

    /// The same with other limits: bytes of one file, and how long a server may say nothing.
    pub fn with_limits(self, limit_bytes: u64, patience: Duration) -> Self {
        Self { limit_bytes, patience, ..self }
    }

    /// A text that differs where other servers are asked.
    pub(crate) fn stamp(&self) -> String {
        format!("debuginfod {}\n", self.servers.join(" "))
    }

    /// A part of the program with a build id, from the folder or from the first server that has it; else what each server said.
    pub fn fetch(
        &self,
        build_id: &str,
        part: Part,
        cache: Option<&SymbolCache>,
        ticket: &Ticket,
    ) -> Result<Result<Bytes, String>, Cancelled> {
        // The id comes from the capture: only hex digits may become part of an address.
        if build_id.len() < 4 || !build_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Err("the build id is none".to_owned()));
        }
        let part = match part {
            Part::Executable => "executable",
            Part::DebugInfo => "debuginfo",
        };
        let key = format!("debuginfod-{part}-{build_id}");
        if let Some(kept) = cache.and_then(|cache| cache.recall(&key)) {
            return Ok(Ok(kept));
        }
        let mut said = Vec::new();
        for server in &self.servers {
            match self.get(&format!("{server}/buildid/{build_id}/{part}"), ticket)? {
                Ok(bytes) => return Ok(Ok(std::sync::Arc::new(bytes))),
                Err(why) => said.push(format!("{server}: {why}")),
            }
        }
        Ok(Err(said.join("; ")))
    }

    /// Keeps a file that was fetched and whose build id is right.
    pub fn keep(build_id: &str, part: Part, bytes: &[u8], cache: Option<&SymbolCache>) {
        let part = match part {
            Part::Executable => "executable",
            Part::DebugInfo => "debuginfo",
        };
        if let Some(cache) = cache {
            cache.keep(&format!("debuginfod-{part}-{build_id}"), bytes);
        }
    }

    #[cfg(not(feature = "debuginfod"))]
    fn get(&self, _: &str, ticket: &Ticket) -> Result<Result<Vec<u8>, String>, Cancelled> {
        ticket.check()?;
        Ok(Err(format!("{} servers, {:?}, {} bytes: not in this build", self.servers.len(), self.patience, self.limit_bytes)))
    }

    /// One answer. A thread of its own talks to the server, since a read that hangs cannot be stopped; this one looks at the ticket and
    /// is the only one that loses patience.
    #[cfg(feature = "debuginfod")]
    fn get(&self, url: &str, ticket: &Ticket) -> Result<Result<Vec<u8>, String>, Cancelled> {
        use std::sync::mpsc::{RecvTimeoutError, sync_channel};

        /// Between two looks at the ticket.
        const LOOK: Duration = Duration::from_millis(10);
        let (sender, receiver) = sync_channel(4);
        let address = url.to_owned();
        let spawned = std::thread::Builder::new().name("debuginfod".to_owned()).spawn(move || talk(&address, &sender));
        if let Err(error) = spawned {
            return Ok(Err(format!("no thread could be started: {error}")));
        }
        ticket.stage("asking for debug files", 0)?;
        let (mut bytes, mut wanted, mut heard) = (Vec::new(), None, Instant::now());
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(Said::Begins(total)) => {
                    wanted = total;
                    if total.is_some_and(|total| total > self.limit_bytes) {
                        return Ok(Err(self.too_large()));
                    }
                    ticket.stage("fetching debug files", total.unwrap_or(0))?;
                    heard = Instant::now();
                }
                Ok(Said::Bytes(piece)) => {
                    bytes.extend_from_slice(&piece);
                    if bytes.len() as u64 > self.limit_bytes {
                        return Ok(Err(self.too_large()));
                    }
                    ticket.advance(piece.len() as u64)?;
                    heard = Instant::now();
                }
                Ok(Said::Fails(why)) => return Ok(Err(why)),
                Ok(Said::Ends) => {
                    return Ok(match wanted {
                        Some(wanted) if wanted != bytes.len() as u64 => {
                            Err(format!("the answer ends after {} of {wanted} bytes", bytes.len()))
                        }
                        _ => Ok(bytes),
                    });
                }
                Err(RecvTimeoutError::Timeout) => {
                    ticket.check()?;
                    if heard.elapsed() >= self.patience {
                        return Ok(Err(format!("no answer within {} s", self.patience.as_secs_f32())));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Err("the connection ended".to_owned())),
            }
        }
    }

    #[cfg(feature = "debuginfod")]
    fn too_large(&self) -> String {
        format!("the file is larger than {} bytes", self.limit_bytes)
    }
}

/// What the thread that talks says.
#[cfg(feature = "debuginfod")]
enum Said {
    /// The file begins; its size, where the server says so.
    Begins(Option<u64>),
    Bytes(Vec<u8>),
    Ends,
    Fails(String),
}

#[cfg(feature = "debuginfod")]
fn talk(url: &str, to: &std::sync::mpsc::SyncSender<Said>) {
    // Nobody listens any more where the work was cancelled: then there is nothing to say.
    if let Err(why) = answer(url, to) {
        to.send(Said::Fails(why)).ok();
    }
}

#[cfg(feature = "debuginfod")]
fn answer(url: &str, to: &std::sync::mpsc::SyncSender<Said>) -> Result<(), String> {
    const PIECE: usize = 64 << 10;
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE_IN_ALL))
        .max_redirects(3)
        .http_status_as_error(false)
        .user_agent(format!("emberlens/{}", crate::version()))
        .build();
    let response = ureq::Agent::new_with_config(config).get(url).header("Accept-Encoding", "identity").call();
    let response = response.map_err(|error| error.to_string())?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err("it has no such file (404)".to_owned()),
        other => return Err(format!("it answered {other}")),
    }
    let size = response.headers().get("content-length").and_then(|size| size.to_str().ok()?.parse().ok());
    if to.send(Said::Begins(size)).is_err() {
        return Ok(());
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = std::io::Read::read(&mut body, &mut piece).map_err(|error| error.to_string())?;
        piece.truncate(read);
        let said = if read == 0 { Said::Ends } else { Said::Bytes(piece) };
        if to.send(said).is_err() || read == 0 {
            return Ok(());
        }
    }
}
