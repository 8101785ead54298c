//! Objects that belong to no table: those that are loaded.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::TryStreamExt;
use object_store::ObjectMeta;

use super::{
    Bucket,
    address::{Address, is_address},
    parsed,
    source::RemoteSource,
    stat_of, wait,
    web::{self, Answer, WebFile, is_web},
};
use crate::{
    error::{Error, Result},
    storage::{Stat, source::Source},
};

/// Whether this is the address of an object of a store or of a file on the web, by its scheme.
#[must_use]
pub fn is_source(address: &str) -> bool {
    is_address(address) || is_web(address)
}

/// So many copies of files on the web are held at once, each of which takes a handle of the process.
const MOST_COPIES: usize = 64;
static COPIES: AtomicUsize = AtomicUsize::new(0);

/// An object or a file on the web that is about to be loaded.
#[derive(Debug, Clone)]
pub struct RemoteFile {
    place: Place,
    copy: Option<Arc<HeldCopy>>,
}

/// The copy of a file that is read again, as long as it is of use.
#[derive(Debug)]
struct HeldCopy(Arc<dyn Source>);

impl HeldCopy {
    /// None when so many are held that it is better to copy the file again.
    fn of(source: &Arc<dyn Source>) -> Option<Arc<Self>> {
        let more = |held| (held < MOST_COPIES).then_some(held + 1);
        COPIES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Arc::new(Self(Arc::clone(source))))
    }
}

impl Drop for HeldCopy {
    fn drop(&mut self) {
        COPIES.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone)]
enum Place {
    Store { bucket: Arc<Bucket>, key: String },
    Web(WebFile),
}

impl RemoteFile {
    /// The object at an address.
    ///
    /// # Errors
    /// `InvalidArgument` for an address that names none.
    pub fn at(address: &str) -> Result<Self> {
        if is_web(address) {
            return Ok(Self { place: Place::Web(WebFile::at(address)?), copy: None });
        }
        let parsed = Address::parse(address)?;
        if parsed.key.is_empty() {
            return Err(Error::invalid_argument(format!("'{address}' names a bucket, not an object in it")));
        }
        Ok(Self { place: Place::Store { bucket: Bucket::of(&parsed), key: parsed.key }, copy: None })
    }

    /// What was copied of it to this machine when it was opened: it is read from there as long as this lives.
    #[must_use]
    pub fn copy(&self) -> Option<Arc<dyn Source>> {
        self.copy.as_ref().map(|held| Arc::clone(&held.0))
    }

    /// Opens it.
    ///
    /// # Errors
    /// `NotFound`, or `Io` when the store refuses.
    pub fn open(&mut self) -> Result<(Stat, Arc<dyn Source>)> {
        match &self.place {
            Place::Store { bucket, key } => {
                let meta = bucket.head(key)?.ok_or_else(|| missing(bucket, key))?;
                let stat = stat_of(&meta);
                Ok((stat, Arc::new(RemoteSource::new(bucket, key, meta.size, meta.e_tag))))
            }
            Place::Web(file) => Ok(match file.end()? {
                Answer::Part(end) => {
                    let stat = web::stat_of(end.total, end.tag.as_deref());
                    (stat, Arc::new(RemoteSource::on_the_web(file, end)))
                }
                Answer::Whole(source, tag) => {
                    self.copy = HeldCopy::of(&source);
                    (web::stat_of(source.len(), Some(&tag)), source)
                }
            }),
        }
    }

    /// What identifies its contents now.
    ///
    /// # Errors
    /// As [`RemoteFile::open`].
    pub fn stat(&self) -> Result<Stat> {
        match &self.place {
            Place::Store { bucket, key } => bucket.head(key)?.as_ref().map(stat_of).ok_or_else(|| missing(bucket, key)),
            Place::Web(file) => file.stat(),
        }
    }
}

fn missing(bucket: &Bucket, key: &str) -> Error {
    Error::not_found(format!("cannot open '{}': there is no such object", bucket.shown(key)))
}

/// The addresses of the objects that a pattern means: those whose keys match, or the one that is named without `*`, `?` and `[`.
///
/// # Errors
/// `NotFound` when a pattern matches nothing, `InvalidArgument` for a malformed one, `Io` when the store refuses.
pub fn expand(pattern: &str) -> Result<Vec<String>> {
    if is_web(pattern) {
        return WebFile::at(pattern).map(|file| vec![file.shown().to_owned()]);
    }
    let Some(wild) = pattern.find(['*', '?', '[']) else {
        RemoteFile::at(pattern)?;
        return Ok(vec![pattern.to_owned()]);
    };
    let (scheme, _) = pattern.split_once("://").unwrap_or_default();
    let fixed = pattern.get(..wild).and_then(|fixed| fixed.rfind('/')).and_then(|end| pattern.get(..end));
    let around = fixed.filter(|fixed| fixed.len() > scheme.len() + 3).ok_or_else(|| {
        Error::invalid_argument(format!("'{pattern}' has a pattern for the bucket's name; write the bucket in full"))
    })?;
    let address = Address::parse(around)?;
    let matches = glob::Pattern::new(pattern)
        .map_err(|e| Error::invalid_argument(format!("'{pattern}' is not a valid pattern")).caused_by(e))?;
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let bucket = Bucket::of(&address);
    let (client, prefix) = (bucket.client()?, parsed(&address.key)?);
    let prefix = (!address.key.is_empty()).then_some(&prefix);
    let found = wait(async { client.list(prefix).try_collect::<Vec<ObjectMeta>>().await });
    let found = found.map_err(|e| bucket.failure("list", &address.key, &e))?;
    let addresses = found.iter().map(|meta| format!("{scheme}://{}/{}", address.bucket, meta.location));
    let mut files: Vec<_> = addresses.filter(|address| matches.matches_with(address, options)).collect();
    if files.is_empty() {
        return Err(Error::not_found(format!("no object matches '{pattern}'")));
    }
    files.sort();
    Ok(files)
}
