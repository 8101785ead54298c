//! Names: those that a table gives to its files and itself, and which ones it takes.

use crate::{
    error::{Error, Result},
    log::{DATA_DIRECTORY, commit::Instant},
};

/// The program and version that commits name as their writer.
pub const WRITER: &str = concat!("tstable ", env!("CARGO_PKG_VERSION"));

/// Keys that begin so are the table's own.
pub const RESERVED_PREFIX: &str = "tstable.";

/// No name of a tag and no key of a property is longer, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// A random name for segments and tables: 16 hexadecimal digits.
#[must_use]
pub fn random_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    // The standard library's hasher keys come from the operating system's randomness.
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_i64(Instant::now().0);
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

/// Where the segment `id` stands, relative to the root.
#[must_use]
pub fn segment_path(id: &str) -> String {
    format!("{DATA_DIRECTORY}/{id}.parquet")
}

pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid_argument(format!("{what} is empty")));
    }
    if name.len() > MAX_NAME_BYTES || name.contains(char::is_control) {
        return Err(Error::invalid_argument(format!(
            "{what} is longer than {MAX_NAME_BYTES} bytes or holds a control character"
        )));
    }
    Ok(())
}
