//! Files without a name, which nobody else sees and which are gone with their handle.

use std::{
    fs::{self, File},
    io::{self, Write},
    sync::Arc,
};

use super::temporary_beside;
use crate::{
    error::{Error, Result},
    storage::source::{FileSource, Source},
};

/// Bytes from elsewhere in a temporary file that has no name any more, so that nothing stays; and with what they ended early, if they
/// did. `path` is for messages.
///
/// # Errors
/// `Io` when this machine cannot keep them.
pub(in crate::storage) fn copied_here(
    from: &mut dyn io::Read,
    path: &str,
) -> Result<(Arc<dyn Source>, Option<io::Error>)> {
    let place = temporary_beside(&std::env::temp_dir().join("tstable"));
    let kept = |e| Error::io("write", place.display(), e);
    let mut file = File::options().read(true).write(true).create_new(true).open(&place).map_err(kept)?;
    // It lives on under its handle.
    fs::remove_file(&place).map_err(kept)?;
    let mut piece = vec![0; 128 * 1024];
    let ended = loop {
        match from.read(&mut piece) {
            Ok(0) => break None,
            Ok(bytes) => file.write_all(piece.get(..bytes).unwrap_or_default()).map_err(kept)?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => break Some(e),
        }
    };
    Ok((Arc::new(FileSource::from_file(file, path)?), ended))
}
