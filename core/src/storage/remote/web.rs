//! Files on the web that are loaded: read by ranges where the server knows them and says which contents they are of, else copied once into a
//! temporary file of this machine.

use std::{
    fmt,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use ureq::{Agent, Body};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::{blocks::BLOCK_BYTES, http::Connector};
use crate::{
    error::{Error, Result},
    storage::{Stat, local::copied_here, source::Source},
};

/// Pauses before a request that failed is made again.
const PAUSES_MS: [u64; 3] = [100, 500, 2000];
/// What is asked for first: the end of the file, where its footer is.
const END_BYTES: u64 = 2 * BLOCK_BYTES;
/// No more is taken of an answer to a range.
const MAX_PART_BYTES: u64 = 1 << 30;

/// Whether this is the address of a file on the web.
pub(super) fn is_web(address: &str) -> bool {
    address
        .split_once("://")
        .is_some_and(|(scheme, _)| ["https", "http"].iter().any(|s| s.eq_ignore_ascii_case(scheme)))
}

/// A file on the web.
#[derive(Clone)]
pub(super) struct WebFile {
    address: String,
    plain: bool,
}

impl fmt::Debug for WebFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// A part of a file.
pub(super) struct Part {
    /// Where it begins.
    pub(super) start: u64,
    /// What the whole file has.
    pub(super) total: u64,
    pub(super) bytes: Bytes,
    /// What tells these contents from others, where the server says.
    pub(super) tag: Option<String>,
}

/// What a server gives who is asked for a part.
pub(super) enum Answer {
    Part(Part),
    /// All of it, since this server gives no parts, or does not say whether two of them are of the same contents; and what identifies these.
    Whole(Arc<dyn Source>, String),
}

/// Why there is no answer.
enum Refused {
    /// It may go better the next time.
    ForNow(Error),
    ForGood(Error),
}

impl WebFile {
    /// The file at an address.
    ///
    /// # Errors
    /// `InvalidArgument` saying what is wrong with the address.
    pub(super) fn at(address: &str) -> Result<Self> {
        let bad = |why: &str| Error::invalid_argument(format!("'{}' {why}", without_query(address)));
        if address.contains(['?', '#']) {
            return Err(bad(
                "goes on with a query, which may hold a secret that would stay in the table's record; load the file down and append \
                 that one",
            ));
        }
        if address.contains(['*', '[', '{']) {
            return Err(bad("has a pattern in it, and nobody lists the files of a server; name each file"));
        }
        let uri: Uri = address.parse().map_err(|_| {
            bad("is not an address; write characters that an address cannot have as in %20 for a space")
        })?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("names no server"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(Error::invalid_argument(
                "an address has a name and a password before the '@', which would stay in the table's record; leave them out",
            ));
        }
        let plain = uri.scheme_str() == Some("http");
        // Nobody is on the way to this machine itself.
        if plain && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            return Err(bad("would be read so that anybody on the way can change it; use https://"));
        }
        Ok(Self { address: address.to_owned(), plain })
    }

    /// The address.
    pub(super) fn shown(&self) -> &str {
        &self.address
    }

    /// The end of the file, or all of it.
    pub(super) fn end(&self) -> Result<Answer> {
        self.told_apart(&format!("bytes=-{END_BYTES}"))
    }

    /// What identifies its contents now.
    pub(super) fn stat(&self) -> Result<Stat> {
        Ok(match self.told_apart("bytes=-1")? {
            Answer::Part(part) => stat_of(part.total, part.tag.as_deref()),
            Answer::Whole(source, tag) => stat_of(source.len(), Some(&tag)),
        })
    }

    /// A part that can be told from one of other contents, or all of the file: parts that cannot may be of two files, one of which took
    /// the place of the other in between.
    fn told_apart(&self, range: &str) -> Result<Answer> {
        match self.ask(Some(range))? {
            Answer::Part(part) if part.tag.is_none() => self.ask(None),
            answer => Ok(answer),
        }
    }

    /// The bytes from `start` to `end` of contents that have `len` bytes and `tag`.
    pub(super) fn range(&self, start: u64, end: u64, len: u64, tag: Option<&str>) -> Result<Bytes> {
        let last = end.saturating_sub(1);
        match self.ask(Some(&format!("bytes={start}-{last}")))? {
            Answer::Part(part) if part.total != len || part.tag.as_deref() != tag => {
                Err(Error::conflict("a file was replaced while it was being read; ask again")
                    .with("file", &self.address))
            }
            Answer::Part(part) if part.start == start && part.bytes.len() as u64 == end.saturating_sub(start) => {
                Ok(part.bytes)
            }
            _ => Err(self.failed("the server gave another part of the file than it was asked for")),
        }
    }

    /// The range, or all of the file where none is named.
    fn ask(&self, range: Option<&str>) -> Result<Answer> {
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            match (self.attempt(range), pauses.next()) {
                (Ok(answer), _) => return Ok(answer),
                (Err(Refused::ForNow(_)), Some(pause)) => sleep(Duration::from_millis(pause)),
                (Err(Refused::ForNow(e) | Refused::ForGood(e)), _) => return Err(e),
            }
        }
    }

    fn attempt(&self, range: Option<&str>) -> std::result::Result<Answer, Refused> {
        let agent = agent(self.plain).map_err(Refused::ForGood)?;
        let mut request = agent.get(&self.address).header(header::ACCEPT_ENCODING, "identity");
        // A part is asked for only once the end is known, which has come as a part.
        let whole = range.is_none_or(|range| range.starts_with("bytes=-"));
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let (parts, body) = request.call().map_err(|e| self.unanswered(&e))?.into_parts();
        let tag = tag_of(&parts.headers);
        match parts.status {
            StatusCode::PARTIAL_CONTENT if range.is_some() => self.part(&parts.headers, body, tag).map(Answer::Part),
            StatusCode::OK if whole => self.whole(body),
            // It does not know ranges from the end, or the file is empty.
            StatusCode::RANGE_NOT_SATISFIABLE if whole && range.is_some() => self.attempt(None),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                Err(Refused::ForNow(self.failed(&format!("the server answers {status}; try it later"))))
            }
            status => Err(Refused::ForGood(self.refused(status))),
        }
    }

    fn part(&self, headers: &HeaderMap, mut body: Body, tag: Option<String>) -> std::result::Result<Part, Refused> {
        let range = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok()).and_then(range_of);
        let strange = || self.failed("the server does not say which part of the file it gives (Content-Range)");
        let (start, end, total) = range.ok_or_else(strange).map_err(Refused::ForGood)?;
        let read = body.with_config().limit(MAX_PART_BYTES).read_to_vec();
        let bytes = read.map_err(|e| self.cut(&e.to_string()))?;
        if bytes.len() as u64 != end.saturating_sub(start) {
            return Err(self.cut(&format!("{} of {} bytes came", bytes.len(), end.saturating_sub(start))));
        }
        Ok(Part { start, total, bytes: bytes.into(), tag })
    }

    fn whole(&self, body: Body) -> std::result::Result<Answer, Refused> {
        let announced = body.content_length();
        let mut hashed = Hashed { from: body.into_reader(), hash: Xxh3Default::new() };
        let (source, ended) = copied_here(&mut hashed, &self.address).map_err(Refused::ForGood)?;
        if let Some(e) = ended {
            return Err(self.cut(&e.to_string()));
        }
        match announced.filter(|bytes| *bytes != source.len()) {
            Some(bytes) => Err(self.cut(&format!("{} of {bytes} bytes came", source.len()))),
            None => Ok(Answer::Whole(source, format!("{:x}", hashed.hash.digest()))),
        }
    }

    fn cut(&self, how: &str) -> Refused {
        Refused::ForNow(self.failed(&format!("the answer ended early ({how}); try it again")))
    }

    fn unanswered(&self, e: &ureq::Error) -> Refused {
        match e {
            ureq::Error::RequireHttpsOnly(_) => {
                Refused::ForGood(self.failed("the server leads on to an address that is not https://"))
            }
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
                Refused::ForGood(self.failed("the server leads from one address to the next without an end"))
            }
            ureq::Error::HostNotFound => Refused::ForGood(self.failed("no server has this name; look at the address")),
            ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::Protocol(_) | ureq::Error::ConnectionFailed => {
                Refused::ForNow(
                    self.failed(&format!("the server does not answer ({e}); look at the address and the network")),
                )
            }
            e => Refused::ForGood(self.failed(&format!(
                "no safe connection can be made ({e}); name the certificate of a private authority in SSL_CERT_FILE"
            ))),
        }
    }

    fn refused(&self, status: StatusCode) -> Error {
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Error::not_found(format!("cannot open '{}': the server has no such file ({status})", self.address))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.failed(&format!(
                "the server refuses it ({status}); tstable sends no credentials over https://: load the file down and append that one"
            )),
            status => self.failed(&format!("the server answers {status}")),
        }
    }

    fn failed(&self, why: &str) -> Error {
        Error::new(crate::error::ErrorKind::Io, format!("cannot read '{}': {why}", self.address))
    }
}

/// Reads on, and knows what it has read by its hash.
struct Hashed<R> {
    from: R,
    hash: Xxh3Default,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.from.read(buffer)?;
        self.hash.update(buffer.get(..bytes).unwrap_or_default());
        Ok(bytes)
    }
}

/// What identifies contents of this size.
pub(super) fn stat_of(bytes: u64, tag: Option<&str>) -> Stat {
    Stat { bytes, modified_ns: 0, inode: tag.map_or(0, |tag| xxh3_64(tag.as_bytes())) }
}

/// The client of this process, made again when the environment names other certificates or proxies.
fn agent(plain: bool) -> Result<Agent> {
    type Key = (u32, u64, bool);
    static AGENTS: Mutex<Vec<(Key, Agent)>> = Mutex::new(Vec::new());
    let key = (std::process::id(), super::environment(), plain);
    let mut agents = AGENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, agent)) = agents.iter().find(|(of, _)| *of == key) {
        return Ok(agent.clone());
    }
    let agent = Connector::from_environment(plain)?.web_agent();
    agents.push((key, agent.clone()));
    Ok(agent)
}

/// What no other contents of the file have: an entity tag, unless it is of what only amounts to the same (`W/`), or when it was last
/// changed, unless that is the second of this answer, in which it may change once more.
fn tag_of(headers: &HeaderMap) -> Option<String> {
    let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(tag) = said(header::ETAG).filter(|tag| tag.starts_with('"')) {
        return Some(tag.to_owned());
    }
    let (changed, now) = (said(header::LAST_MODIFIED)?, said(header::DATE)?);
    (changed != now).then(|| changed.to_owned())
}

/// Start, end and length of the whole in `bytes 0-99/1000`.
fn range_of(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, total) =
        (first.trim().parse().ok()?, last.trim().parse::<u64>().ok()?, total.trim().parse().ok()?);
    (first <= last && last < total).then_some((first, last.saturating_add(1), total))
}

fn without_query(address: &str) -> &str {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    address.get(..end).unwrap_or_default()
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;
