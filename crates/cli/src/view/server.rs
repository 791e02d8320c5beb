//! The page over HTTP, for browsers on this machine only.
//!
//! Everything is below one random word: who does not know it gets nothing. Requests that name another host are refused, so
//! that no other web page can reach the server under a name of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use nanobragg::Cancel;
use nanobragg::io::input::keep;
use serde_json::{Value, json};

use super::{Answer, Ask, Question, View, ViewRequest};

/// The files of the page: name, type, content.
const PAGE: [(&str, &str, &[u8]); 10] = [
    ("", "text/html", include_bytes!("../../page/index.html")),
    (
        "style.css",
        "text/css",
        include_bytes!("../../page/style.css"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_bytes!("../../page/icon.svg"),
    ),
    (
        "main.js",
        "text/javascript",
        include_bytes!("../../page/main.js"),
    ),
    (
        "controls.js",
        "text/javascript",
        include_bytes!("../../page/controls.js"),
    ),
    (
        "draw.js",
        "text/javascript",
        include_bytes!("../../page/draw.js"),
    ),
    (
        "turn.js",
        "text/javascript",
        include_bytes!("../../page/turn.js"),
    ),
    (
        "engine.js",
        "text/javascript",
        include_bytes!("../../page/engine.js"),
    ),
    (
        "webgpu.js",
        "text/javascript",
        include_bytes!("../../page/webgpu.js"),
    ),
    (
        "words.js",
        "text/javascript",
        include_bytes!("../../page/words.js"),
    ),
];

/// What the page may load: its own files, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The longest head of a request, in bytes.
const LONGEST_HEAD: u64 = 16 << 10;

/// The longest body: a dropped file.
const LONGEST_BODY: u64 = 256 << 20;

/// How often the server looks for a connection and whether it is to end.
const PAUSE: Duration = Duration::from_millis(10);

/// A client that says nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections at a time. Browsers have six to a server.
const MOST_CONNECTIONS: usize = 32;

/// A running server.
struct Server<'s> {
    host: String,
    /// The random word.
    token: String,
    request: &'s ViewRequest,
    view: Mutex<View>,
    /// The files of the experiment with their times and lengths.
    seen: Mutex<Vec<(PathBuf, State)>>,
    /// Grows when a file has changed.
    version: AtomicU64,
    stop: &'s Cancel,
    /// Stops the list of spots that is being made. A picture does not wait for it.
    spots: Mutex<Arc<Cancel>>,
    connections: AtomicUsize,
}

/// When a file was changed, and its length; `None` if there is none.
type State = Option<(SystemTime, u64)>;

/// A request of a browser.
struct Asked {
    method: String,
    path: String,
    host: Option<String>,
    origin: Option<String>,
    body: Vec<u8>,
}

/// A response to it.
struct Response {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Response {
    fn json(value: &Value) -> Self {
        Self {
            status: "200 OK",
            kind: "application/json",
            body: value.to_string().into_bytes(),
        }
    }

    fn refusal(status: &'static str) -> Self {
        Self {
            status,
            kind: "text/plain",
            body: status.as_bytes().to_vec(),
        }
    }
}

/// Serves the page until `stop` is raised. The address is printed, and a browser is opened unless it is not wanted.
///
/// # Errors
/// If the port is taken or no random word can be had.
pub fn serve(request: &ViewRequest, stop: &Cancel) -> io::Result<()> {
    let port = request.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| io::Error::new(error.kind(), format!("-port {port}: {error}")))?;
    listener.set_nonblocking(true)?;
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let token = random.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    });
    let server = Server {
        host: listener.local_addr()?.to_string(),
        token,
        request,
        view: Mutex::default(),
        seen: Mutex::default(),
        version: AtomicU64::new(0),
        stop,
        spots: Mutex::default(),
        connections: AtomicUsize::new(0),
    };
    let address = format!("http://{}/{}/", server.host, server.token);
    let mut out = io::stdout();
    writeln!(out, "{address}\nCtrl-C ends the view.")?;
    out.flush()?;
    if !request.no_open {
        open(&address);
    }
    thread::scope(|scope| {
        while !stop.is_raised() {
            match listener.accept() {
                Ok((stream, _)) => {
                    if server.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                        server.connections.fetch_sub(1, Ordering::Relaxed);
                        continue;
                    }
                    // What goes wrong with one browser does not concern the others, nor that there is no thread for it.
                    let talk = || {
                        server.talk(stream).unwrap_or_default();
                        server.connections.fetch_sub(1, Ordering::Relaxed);
                    };
                    if thread::Builder::new().spawn_scoped(scope, talk).is_err() {
                        server.connections.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
        locked(&server.spots).raise();
    });
    Ok(())
}

/// Opens the browser of the user; the address was printed for the case that there is none.
fn open(address: &str) {
    let (program, words): (_, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("rundll32", &["url.dll,FileProtocolHandler"]),
        _ => ("xdg-open", &[]),
    };
    let quiet = || Stdio::null();
    let mut browser = Command::new(program);
    browser.args(words).arg(address);
    if let Err(error) = browser
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
    {
        tracing::warn!("no browser was opened ({program}: {error}); open the address yourself");
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server<'_> {
    fn talk(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Response { status, kind, body } = match read(&stream, |head| self.refuses(head)) {
            Ok(Ok(asked)) => self.respond(&asked),
            Ok(Err(refusal)) => refusal,
            Err(_) => Response::refusal("400 Bad Request"),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\nContent-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)?;
        stream.flush()
    }

    /// Why a request is refused before its body is read.
    fn refuses(&self, asked: &Asked) -> Option<Response> {
        let is_elsewhere = asked
            .origin
            .as_ref()
            .is_some_and(|origin| origin.strip_prefix("http://") != Some(self.host.as_str()));
        if asked.host.as_ref() != Some(&self.host) || is_elsewhere {
            return Some(Response::refusal("403 Forbidden"));
        }
        self.inner(&asked.path)
            .is_none()
            .then(|| Response::refusal("404 Not Found"))
    }

    /// The part of a path below the random word.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix('/')?
            .strip_prefix(&self.token)?
            .strip_prefix('/')
    }

    fn respond(&self, asked: &Asked) -> Response {
        match (
            asked.method.as_str(),
            self.inner(&asked.path).unwrap_or_default(),
        ) {
            ("GET", "session") => Response::json(&self.session()),
            ("POST", "ask") => self.answer(&asked.body),
            ("POST", "keep") => match framed(&asked.body) {
                Some((name, bytes)) => {
                    keep(name, bytes.to_vec());
                    locked(&self.view).forget();
                    Response::json(&json!({}))
                }
                None => Response::refusal("400 Bad Request"),
            },
            ("GET", name) => match PAGE.iter().find(|(known, ..)| *known == name) {
                Some(("", kind, page)) => {
                    let text = String::from_utf8_lossy(page);
                    let body = text.replace("data-engine=\"wasm\"", "data-engine=\"server\"");
                    Response {
                        status: "200 OK",
                        kind,
                        body: body.into_bytes(),
                    }
                }
                Some((_, kind, body)) => Response {
                    status: "200 OK",
                    kind,
                    body: body.to_vec(),
                },
                None => Response::refusal("404 Not Found"),
            },
            _ => Response::refusal("405 Method Not Allowed"),
        }
    }

    /// The words to begin with, and a number that grows when a file of the experiment has changed.
    fn session(&self) -> Value {
        let state = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        let mut seen = locked(&self.seen);
        let mut changed = false;
        for (path, old) in seen.iter_mut() {
            let now = state(path);
            changed |= *old != now;
            *old = now;
        }
        if changed {
            locked(&self.view).forget();
            self.version.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(files) = locked(&self.view).files() {
            let new = files
                .into_iter()
                .filter(|file| !seen.iter().any(|(path, _)| path == file));
            let new: Vec<_> = new.map(|path| (path.clone(), state(&path))).collect();
            seen.extend(new);
        }
        json!({
            "words": self.request.words,
            "example": self.request.is_example,
            "version": self.version.load(Ordering::Relaxed),
        })
    }

    /// The length of the JSON in four bytes, the JSON, and the photons; all numbers little-endian.
    fn answer(&self, body: &[u8]) -> Response {
        let question: Question = match serde_json::from_slice(body) {
            Ok(question) => question,
            Err(_) => return Response::refusal("400 Bad Request"),
        };
        let stop = match question.ask {
            Ask::Spots { .. } => Some(Arc::new(Cancel::new())),
            Ask::Picture { .. } => {
                locked(&self.spots).raise();
                None
            }
            _ => None,
        };
        if let Some(stop) = &stop {
            *locked(&self.spots) = Arc::clone(stop);
        }
        let stop = stop.as_deref().unwrap_or(self.stop);
        let answer = locked(&self.view).answer(&question, stop);
        let Answer { json, photons } = answer.unwrap_or_else(|error| Answer {
            json: json!({ "error": error }),
            photons: Vec::new(),
        });
        let mut text = json.to_string();
        // Photons begin at a multiple of their size.
        text.extend(std::iter::repeat_n(' ', text.len().wrapping_neg() % 4));
        let mut body = (text.len() as u32).to_le_bytes().to_vec();
        body.extend(text.as_bytes());
        body.extend(photons.iter().flat_map(|photons| photons.to_le_bytes()));
        Response {
            status: "200 OK",
            kind: "application/octet-stream",
            body,
        }
    }
}

/// A name and the bytes after it: the length of the name in four bytes comes first.
fn framed(body: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = body.split_first_chunk()?;
    let (name, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((str::from_utf8(name).ok()?, bytes))
}

/// Reads a request; the body only if `refuses` lets its head pass.
fn read(
    stream: &TcpStream,
    refuses: impl Fn(&Asked) -> Option<Response>,
) -> io::Result<Result<Asked, Response>> {
    let bad = |text: &'static str| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut reader = BufReader::new(stream);
    let mut head = (&mut reader).take(LONGEST_HEAD);
    let mut line = String::new();
    let mut next = || -> io::Result<String> {
        line.clear();
        match head.read_line(&mut line)? {
            0 => Err(bad("the head does not end")),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    };
    let first = next()?;
    let mut words = first.split(' ');
    let mut word = || {
        words
            .next()
            .map(str::to_owned)
            .ok_or_else(|| bad("no request"))
    };
    let mut asked = Asked {
        method: word()?,
        path: word()?,
        host: None,
        origin: None,
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let line = next()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("no header"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            // Two of them are not one of this server.
            "host" if asked.host.is_some() => return Err(bad("two hosts")),
            "host" => asked.host = Some(value.to_owned()),
            "origin" => asked.origin = Some(value.to_owned()),
            "content-length" => length = value.parse().map_err(|_| bad("no length"))?,
            "transfer-encoding" => return Err(bad("a body in pieces")),
            _ => {}
        }
    }
    if let Some(refusal) = refuses(&asked) {
        return Ok(Err(refusal));
    }
    if length > LONGEST_BODY {
        return Ok(Err(Response::refusal("413 Content Too Large")));
    }
    reader.take(length).read_to_end(&mut asked.body)?;
    match asked.body.len() as u64 == length {
        true => Ok(Ok(asked)),
        false => Err(bad("the body is too short")),
    }
}
