//! A table in an object store. A file is an object, whose name is the key; a directory is what several keys begin with, and nothing of
//! its own. A version is made by the one thing that every such store can do that decides between writers: an object is put
//! only if there is none of that name.
//!
//! The crate `object_store` speaks to the stores, over an HTTP client that blocks ([`http`]), so that what it calls asynchronous is
//! done when a call returns.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Creation, Entry, Staged, Stat, Storage, TEMPORARY_PREFIX, check_path,
    source::{MemorySource, Source},
};
use crate::error::{Error, Result};
use address::Address;
pub use address::{SCHEMES, is_address};

mod address;
mod blocks;
mod create;
mod error;
mod http;
mod outside;
mod parallel;
mod profile;
mod source;
mod upload;
mod web;

pub use outside::{RemoteFile, expand, is_source};
use source::RemoteSource;
use upload::Upload;

/// Objects that are read at once.
const READS_AT_ONCE: usize = 32;
/// The attribute by which a writer knows an object as its own. Azure takes letters, digits and underscores, some proxies no underscores.
const WRITER: &str = "tstablewriter";

/// Does what is asked of a store, in this thread. The loop that it takes lives as long as the call.
fn wait<T: Send>(work: impl Future<Output = object_store::Result<T>> + Send) -> object_store::Result<T> {
    let failed = |e: std::io::Error| object_store::Error::Generic { store: "tstable", source: Box::new(e) };
    let mut answer = None;
    let looped = drive(pin!(async { answer = Some(work.await) }));
    looped.map_err(failed)?;
    answer.unwrap_or_else(|| Err(failed(std::io::Error::other("a request ended without an answer"))))
}

/// Runs what is asked to its end. One for all that is asked, since the loop is large.
fn drive(work: Pin<&mut (dyn Future<Output = ()> + Send)>) -> std::io::Result<()> {
    let run = |work| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(work);
        Ok(())
    };
    if tokio::runtime::Handle::try_current().is_err() {
        return run(work);
    }
    // Whoever embeds the crate may call from a loop of their own, in which no other can run.
    thread::scope(|scope| scope.spawn(|| run(work)).join())
        .unwrap_or_else(|_| Err(std::io::Error::other("the thread of a request ended early")))
}

/// A bucket and how to reach it.
pub(super) struct Bucket {
    address: Address,
    /// What of the environment the client was made from.
    environment: u64,
    client: OnceLock<Arc<dyn ObjectStore>>,
    /// Whether the store was seen to refuse the second creation of one name.
    decides: OnceLock<()>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.address.bucket).finish_non_exhaustive()
    }
}

impl Bucket {
    /// The bucket of an address; its connections are shared by all that ask with the same environment.
    fn of(address: &Address) -> Arc<Self> {
        static KNOWN: OnceLock<Mutex<HashMap<String, Arc<Bucket>>>> = OnceLock::new();
        let environment = environment();
        let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{}://{}", address.scheme(), address.bucket);
        match known.get(&name) {
            Some(bucket) if bucket.environment == environment => Arc::clone(bucket),
            _ => {
                let address = address.of_bucket();
                let bucket = Arc::new(Self { address, environment, client: OnceLock::new(), decides: OnceLock::new() });
                known.insert(name, Arc::clone(&bucket));
                bucket
            }
        }
    }

    fn name(&self) -> &str {
        &self.address.bucket
    }

    /// The address of an object as users write it.
    fn shown(&self, key: &str) -> String {
        format!("{}://{}/{key}", self.address.scheme(), self.address.bucket)
    }

    fn identity(&self) -> u64 {
        self.environment
    }

    fn client(&self) -> Result<&Arc<dyn ObjectStore>> {
        match self.client.get() {
            Some(client) => Ok(client),
            None => {
                let client = self.address.connect()?;
                Ok(self.client.get_or_init(|| client))
            }
        }
    }

    /// For calls whose errors are looked at as the store gives them.
    fn raw(&self) -> object_store::Result<&Arc<dyn ObjectStore>> {
        self.client().map_err(|e| object_store::Error::Generic { store: "tstable", source: Box::new(e) })
    }

    fn get(&self, key: &str, options: GetOptions) -> object_store::Result<(ObjectMeta, Bytes)> {
        let (client, path) = (self.raw()?, Path::parse(key)?);
        wait(async {
            let found = client.get_opts(&path, options).await?;
            let meta = found.meta.clone();
            Ok((meta, found.bytes().await?))
        })
    }

    /// None when there is no such object.
    fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let (client, path) = (self.client()?, parsed(key)?);
        match wait(async { client.head(&path).await }) {
            Ok(meta) => Ok(Some(meta)),
            Err(e @ object_store::Error::NotFound { .. }) if !error::is_no_bucket(&e) => Ok(None),
            Err(e) => Err(self.failure("look at", key, &e)),
        }
    }

    fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let (client, path) = (self.client()?, parsed(key)?);
        wait(async { client.put(&path, bytes.into()).await }).map(|_| ()).map_err(|e| self.failure("write", key, &e))
    }

    fn put_new(&self, key: &str, bytes: Bytes, writer: &str) -> object_store::Result<()> {
        let (client, path) = (self.raw()?, Path::parse(key)?);
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata(WRITER.into()), writer.to_owned().into());
        let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
        wait(async { client.put_opts(&path, bytes.into(), options).await }).map(|_| ())
    }

    fn delete(&self, key: &str) -> Result<()> {
        let (client, path) = (self.client()?, parsed(key)?);
        match wait(async { client.delete(&path).await }) {
            Ok(()) => Ok(()),
            Err(e @ object_store::Error::NotFound { .. }) if !error::is_no_bucket(&e) => Ok(()),
            Err(e) => Err(self.failure("remove", key, &e)),
        }
    }
}

fn parsed(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|e| Error::invalid_argument(format!("'{key}' is not the name of an object")).caused_by(e))
}

/// What clients are made from, so that they are made again when it changes.
fn environment() -> u64 {
    let ours = |name: &str| {
        ["AWS_", "AZURE_", "GOOGLE_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "HOME"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let mut set: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| ours(name))
        .collect();
    set.sort();
    xxh3_64(format!("{set:?}{}", profile::contents()).as_bytes())
}

/// A table in a bucket.
#[derive(Debug)]
pub struct RemoteStorage {
    root: String,
    /// None for an address that is wrong, as each call says.
    place: Option<(Arc<Bucket>, String)>,
}

impl RemoteStorage {
    /// The table at the address `root`, whether or not there is one yet. Nothing is asked of the store.
    #[must_use]
    pub fn new(root: &str) -> Self {
        let address = Address::parse(root).ok();
        let place = address.map(|address| (Bucket::of(&address), address.key));
        Self { root: root.to_owned(), place }
    }

    fn place(&self) -> Result<(&Arc<Bucket>, &str)> {
        match &self.place {
            Some((bucket, prefix)) => Ok((bucket, prefix)),
            None => {
                Err(Address::parse(&self.root).err().unwrap_or_else(|| Error::internal("an address that is right")))
            }
        }
    }

    fn key(&self, path: &str) -> Result<(&Arc<Bucket>, String)> {
        check_path(path)?;
        let (bucket, prefix) = self.place()?;
        Ok((bucket, if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") }))
    }

    fn list_with(&self, directory: &str, after: Option<&str>) -> Result<Vec<Entry>> {
        let (bucket, key) = self.key(directory)?;
        let (client, prefix) = (bucket.client()?, parsed(&key)?);
        let found = match after {
            None => wait(async { Ok(client.list_with_delimiter(Some(&prefix)).await?.objects) }),
            Some(after) => {
                let offset = parsed(&format!("{key}/{after}"))?;
                wait(async { client.list_with_offset(Some(&prefix), &offset).try_collect().await })
            }
        };
        let found: Vec<ObjectMeta> = match found {
            Ok(found) => found,
            Err(e @ object_store::Error::NotFound { .. }) if !error::is_no_bucket(&e) => Vec::new(),
            Err(e) => return Err(bucket.failure("list", &key, &e)),
        };
        let directly = |meta: &ObjectMeta| {
            let name = meta.location.as_ref().strip_prefix(key.as_str())?.strip_prefix('/')?;
            (!name.contains('/')).then(|| name.to_owned())
        };
        Ok(found
            .iter()
            .filter_map(|meta| {
                let stat = stat_of(meta);
                Some(Entry { name: directly(meta)?, stat, changed_ns: stat.modified_ns })
            })
            .collect())
    }
}

/// What identifies the contents of an object. Stores tell the time of change in seconds in one answer and finer in another.
fn stat_of(meta: &ObjectMeta) -> Stat {
    Stat {
        bytes: meta.size,
        modified_ns: i128::from(meta.last_modified.timestamp()) * 1_000_000_000,
        inode: meta.e_tag.as_ref().map_or(0, |tag| xxh3_64(tag.trim_matches('"').as_bytes())),
    }
}

impl Storage for RemoteStorage {
    fn root(&self) -> &str {
        &self.root
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn prepare(&self, directories: &[&str]) -> Result<()> {
        let (bucket, _) = self.place()?;
        let Some(directory) = directories.first() else { return Ok(()) };
        if bucket.decides.get().is_none() {
            let (bucket, key) = self.key(&format!("{directory}/{TEMPORARY_PREFIX}probe-{}", create::random()))?;
            bucket.check_that_it_decides(&key)?;
            _ = bucket.decides.set(());
        }
        Ok(())
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let (bucket, key) = self.key(path)?;
        let (got, exceeded) = http::limited(limit, || bucket.get(&key, GetOptions::default()));
        if exceeded {
            return Err(Error::limit_exceeded(format!("a file of more than the {limit} bytes that are read"))
                .with("path", bucket.shown(&key)));
        }
        match got {
            Ok((_, bytes)) => Ok(Some(bytes.into())),
            Err(e @ object_store::Error::NotFound { .. }) if !error::is_no_bucket(&e) => Ok(None),
            Err(e) => Err(bucket.failure("read", &key, &e)),
        }
    }

    fn read_many(&self, paths: &[String], limit: u64) -> Result<Vec<Option<Vec<u8>>>> {
        parallel::each(paths, READS_AT_ONCE, |path| self.read(path, limit))
    }

    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        let (bucket, key) = self.key(path)?;
        let missing = || Error::not_found("a file of the table is missing").with("path", path);
        let meta = bucket.head(&key)?.ok_or_else(missing)?;
        Ok(Arc::new(RemoteSource::new(bucket, &key, meta.size, meta.e_tag)))
    }

    fn open_sized(&self, path: &str, bytes: u64) -> Result<Arc<dyn Source>> {
        let (bucket, key) = self.key(path)?;
        match RemoteSource::with_end(bucket, &key, bytes)? {
            Some(source) => Ok(Arc::new(source)),
            None => self.open(path),
        }
    }

    /// An object may vanish while it is of use: it is read whole.
    fn open_held(&self, path: &str) -> Result<Arc<dyn Source>> {
        let (bucket, key) = self.key(path)?;
        let missing = || Error::not_found("a file of the table is missing").with("path", path);
        match self.read(path, u64::MAX)? {
            Some(bytes) => Ok(Arc::new(MemorySource::new(bucket.shown(&key), bytes))),
            None => Err(missing()),
        }
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let (bucket, key) = self.key(path)?;
        Ok(bucket.head(&key)?.as_ref().map(stat_of))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        let (bucket, key) = self.key(path)?;
        bucket.create(&key, &Bytes::copy_from_slice(bytes))
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let (bucket, key) = self.key(path)?;
        bucket.put(&key, Bytes::copy_from_slice(bytes))
    }

    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        let (bucket, key) = self.key(path)?;
        Ok(Box::new(Upload::new(bucket, key)))
    }

    fn link(&self, _outside: &std::path::Path, path: &str) -> Result<Option<Stat>> {
        check_path(path)?;
        Ok(None)
    }

    /// Copied and removed, since stores have no other way. Two that take the same new name at once are not told apart: the names
    /// that files are given here are nobody else's.
    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let ((bucket, source), (_, target)) = (self.key(from)?, self.key(to)?);
        if bucket.head(&source)?.is_none() {
            return Ok(false);
        }
        if bucket.head(&target)?.is_some() {
            return Err(Error::already_exists("there is an object of that name").with("path", to));
        }
        let (client, source_path, target_path) = (bucket.client()?, parsed(&source)?, parsed(&target)?);
        wait(async { client.copy(&source_path, &target_path).await })
            .map_err(|e| bucket.failure("copy", &source, &e))?;
        bucket.delete(&source).map(|()| true)
    }

    fn remove(&self, path: &str) -> Result<bool> {
        let (bucket, key) = self.key(path)?;
        // A store says the same of an object that was there and of one that was not.
        let there = bucket.head(&key)?.is_some();
        if there {
            bucket.delete(&key)?;
        }
        Ok(there)
    }

    fn sync(&self, _directory: &str) -> Result<()> {
        Ok(())
    }

    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        self.list_with(directory, None)
    }

    fn list_after(&self, directory: &str, after: &str) -> Result<Vec<Entry>> {
        self.list_with(directory, Some(after))
    }
}
