//! Opening files that are on their way in.

use std::path::Path;

use crate::{
    error::Result,
    segment::{SegmentFile, admit::admit},
    storage::outside::OutsideFile,
};

/// Opens a file and reads its footer.
///
/// # Errors
/// `NotFound`, `Io`, or what [`SegmentFile::open`] says of the contents.
pub fn open(path: &Path) -> Result<(OutsideFile, SegmentFile)> {
    let (outside, source) = OutsideFile::open(path)?;
    let file = SegmentFile::open(source)?;
    admit(&file).map_err(|e| e.with("file", path.display()))?;
    Ok((outside, file))
}
