//! Putting an object only if there is none of its name, and saying truly what became of that. An answer may be lost, or be
//! another one's, so whoever is in doubt reads what is there: each writer marks its object, and knows it again.

use std::{
    hash::{BuildHasher, Hasher},
    thread::sleep,
    time::Duration,
};

use bytes::Bytes;
use object_store::{Attribute, GetOptions};

use super::{Bucket, WRITER, http::doubting, wait};
use crate::{
    error::{Error, Result},
    storage::Creation,
};

/// Pauses before an attempt whose outcome nobody knows is made again.
const PAUSES_MS: [u64; 5] = [50, 200, 500, 1000, 2000];

/// What is found under a name.
enum Found {
    Ours,
    Anothers,
    Nothing,
}

/// Sixteen hexadecimal digits that nobody else has.
pub(super) fn random() -> String {
    // The standard library's hasher keys come from the operating system's randomness.
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u128(std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos()));
    format!("{:016x}", hasher.finish())
}

impl Bucket {
    /// Creates the object unless its name is taken.
    ///
    /// # Errors
    /// `CommitUnknown` when the store stays silent about what became of it; any other means that nothing was created.
    pub(super) fn create(&self, key: &str, bytes: &Bytes) -> Result<Creation> {
        let writer = random();
        let mut in_doubt = false;
        for pause in PAUSES_MS.into_iter().map(Some).chain([None]) {
            let (put, doubt) = doubting(|| self.put_new(key, bytes.clone(), &writer));
            let e = match put {
                Ok(()) => return Ok(Creation::Created),
                Err(e) => e,
            };
            in_doubt |= doubt;
            let taken =
                matches!(e, object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. });
            if !taken && !in_doubt {
                return Err(self.failure("write", key, &e));
            }
            match self.found(key, bytes, &writer) {
                Ok(Found::Ours) => return Ok(Creation::Created),
                Ok(Found::Anothers) => return Ok(Creation::Exists),
                // Refused, and yet nothing is there: another may have been about to write, and given up.
                Ok(Found::Nothing) => {}
                Err(_) if taken || in_doubt => in_doubt = true,
                Err(e) => return Err(e),
            }
            let Some(pause) = pause else { return Err(self.unknown(key, &e)) };
            sleep(Duration::from_millis(pause));
        }
        Err(Error::internal("an object was neither created nor refused"))
    }

    fn unknown(&self, key: &str, e: &object_store::Error) -> Error {
        Error::commit_unknown(
            "the store does not say whether the object was written; nothing that it needs was removed: ask for the newest version \
             (tstable_info) once the store answers, and do it again if it is not there",
        )
        .with("path", self.shown(key))
        .caused_by(self.failure("write", key, e))
    }

    fn found(&self, key: &str, bytes: &Bytes, writer: &str) -> Result<Found> {
        let (client, path) = (self.client()?, super::parsed(key)?);
        let got = wait(async {
            let found = client.get_opts(&path, GetOptions::default()).await?;
            let mark = found.attributes.get(&Attribute::Metadata(WRITER.into())).map(|mark| mark.to_string());
            Ok((mark, found.bytes().await?))
        });
        match got {
            // A store that keeps no marks still keeps the bytes.
            Ok((mark, there)) if there == *bytes && mark.as_deref().is_none_or(|mark| mark == writer) => {
                Ok(Found::Ours)
            }
            Ok(_) => Ok(Found::Anothers),
            Err(e @ object_store::Error::NotFound { .. }) if !super::error::is_no_bucket(&e) => Ok(Found::Nothing),
            Err(e) => Err(self.failure("read", key, &e)),
        }
    }

    /// Finds out whether the store decides between two writers of one name, by being both.
    ///
    /// # Errors
    /// `InvalidArgument` when it does not; whatever writing gives.
    pub(super) fn check_that_it_decides(&self, key: &str) -> Result<()> {
        let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
        let made = self.create(key, &first)?;
        let again = self.put_new(key, second, &random());
        let left = self.get(key, GetOptions::default());
        // What stays begins like a file that is being written, which vacuum removes.
        let removed = self.delete(key);
        let refused =
            matches!(again, Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }));
        let kept = left.as_ref().is_ok_and(|(_, bytes)| *bytes == first);
        match (again, left) {
            _ if made == Creation::Created && refused && kept => removed,
            (Err(e), _) if !refused => Err(self.failure("write", key, &e)),
            (_, Err(e)) => Err(self.failure("read", key, &e)),
            _ => Err(Error::invalid_argument(format!(
                "the store of '{}' lets a second writer replace what a first one has just created (it does not heed \
                 If-None-Match), so that versions would be lost without a word; no table can be kept there: use a store that heeds \
                 it, such as Amazon S3, or a local directory",
                self.shown("")
            ))),
        }
    }
}
