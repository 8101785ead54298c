//! `CURRENT`: a hint at the newest version, and what that hint promises. A writer gives it a version only after that version has
//! become durable, so a hint that holds and names a version that is not there means that the version has vanished.

use serde::{Deserialize, Serialize};

use super::{
    Version,
    seal::{checksum_holds, seal},
};
use crate::error::{Error, Result};

/// Where the hint stands, relative to the root.
pub const HINT_PATH: &str = "_timeseries_log/CURRENT";

/// No hint is larger.
pub const MAX_HINT_BYTES: u64 = 1 << 12;

/// A version that was durable when the hint was written, and its newest checkpoint; zero for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The version.
    pub version: Version,
    /// The version whose checkpoint readers may begin with.
    #[serde(default)]
    pub checkpoint: Version,
}

impl Hint {
    /// The hint as its file holds it, sealed like a commit.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = format!("{{\"version\":{},\"checkpoint\":{}}}", self.version, self.checkpoint).into_bytes();
        seal(&mut bytes);
        bytes
    }

    /// Reads a hint. One of a writer that did not seal it is taken at its word.
    ///
    /// # Errors
    /// `Corrupt` for what no writer has made: such a hint says nothing at all.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let corrupt = |why: &str| Error::corrupt(why).with("path", HINT_PATH);
        let hint: Self =
            serde_json::from_slice(bytes).map_err(|e| corrupt("the hint is not the JSON of one").caused_by(e))?;
        if checksum_holds(bytes) == Some(false) {
            return Err(corrupt("the hint's checksum does not match its contents"));
        }
        if hint.version.0 == 0 || hint.checkpoint > hint.version {
            return Err(corrupt("the hint names versions that no writer gives it"));
        }
        Ok(hint)
    }
}
