//! The one door to a segment: it is opened only after everything that the log says of it was found to be so. Whoever
//! reads a segment's rows, to answer or to rewrite them, comes through here.

use std::sync::Arc;

use super::fingerprint::hash;
use crate::{
    error::{Error, ErrorKind, Result},
    log::{commit::Fingerprint, definition::Definition, segment::Segment},
    segment::{SegmentFile, constants::ConstantColumn},
    storage::{Storage, source::Source},
};

/// Opens a segment to be read: its size, its rows, its row groups and the checksum of its footer are those of the log. Its columns have the
/// names that they have in the table, whatever they were called when it was written; what is none of the table's has no name.
///
/// # Errors
/// `NotFound` when it is missing, `Corrupt` when it is not the file that the log means; both with path and version.
pub fn open(storage: &dyn Storage, segment: &Segment, definition: &Definition) -> Result<SegmentFile> {
    open_as_written(storage, segment).map(|file| in_words_of(file, segment, definition))
}

/// The file under the names that its columns have in the table.
#[must_use]
pub fn in_words_of(file: SegmentFile, segment: &Segment, definition: &Definition) -> SegmentFile {
    if definition.former_columns.is_empty() {
        return file;
    }
    file.with_names(|name| definition.shown_name(name, &segment.record))
}

/// As [`open`], with the names that the columns had when the segment was written.
///
/// # Errors
/// As [`open`].
pub fn open_as_written(storage: &dyn Storage, segment: &Segment) -> Result<SegmentFile> {
    let source = storage.open_sized(&segment.record.path, segment.record.bytes).map_err(|e| named(segment, e))?;
    check_size(segment, source.len())?;
    open_source(segment, source)
}

/// Opens a segment whose rows are to be rewritten: as [`open`], and every byte is that of the log. What is written gets a
/// checksum of its own, under which damage to pages, which no footer shows, could never be found again.
///
/// # Errors
/// As [`open`], and as reading the file.
pub fn open_whole(storage: &dyn Storage, segment: &Segment, definition: &Definition) -> Result<SegmentFile> {
    let source = storage.open_sized(&segment.record.path, segment.record.bytes).map_err(|e| named(segment, e))?;
    check_size(segment, source.len())?;
    check_bytes(segment, source.as_ref())?;
    open_source(segment, source).map(|file| in_words_of(file, segment, definition))
}

fn open_source(segment: &Segment, source: Arc<dyn Source>) -> Result<SegmentFile> {
    let record = &segment.record;
    // What was written here is relied on while its footer is the one that was written, as is checked below.
    let own = record.adopted().is_none() && record.footer_checksum.is_some();
    let file = if own { SegmentFile::open_own(Arc::clone(&source)) } else { SegmentFile::open(Arc::clone(&source)) };
    match file {
        Ok(file) => {
            check_footer(segment, &file)?;
            Ok(file.with_constants(constants(segment)?))
        }
        // It was readable when it became a segment: a damaged footer may ask for what nobody can read.
        Err(e) if e.kind() != ErrorKind::Corrupt => check_bytes(segment, source.as_ref()).and(Err(named(segment, e))),
        Err(e) => Err(named(segment, e)),
    }
}

/// The columns of a segment that are not in its file, by the names that they had when it was written.
///
/// # Errors
/// `Corrupt` with path and version when the log gives one a value that is none of its type.
pub fn constants(segment: &Segment) -> Result<Vec<ConstantColumn>> {
    let fields = segment.record.constants().map_err(|e| named(segment, e))?;
    fields.into_iter().map(|field| ConstantColumn::of_field(field).map_err(|e| named(segment, e))).collect()
}

/// Compares a segment's bytes with the checksum in the log, where there is one: other programs' logs have none.
///
/// # Errors
/// `Corrupt` with path and version; as reading the file.
pub fn check_bytes(segment: &Segment, source: &dyn Source) -> Result<()> {
    if segment.record.checksum == Fingerprint::UNKNOWN {
        return Ok(());
    }
    if hash(source, |_| Ok(())).map_err(|e| named(segment, e))? == segment.record.checksum {
        return Ok(());
    }
    Err(corrupt(segment, "the checksum of a segment does not match the log's".to_owned()))
}

/// Compares a segment's size with the log's.
///
/// # Errors
/// `Corrupt` with path and version.
pub fn check_size(segment: &Segment, bytes: u64) -> Result<()> {
    let stated = segment.record.bytes;
    if bytes == stated {
        return Ok(());
    }
    Err(corrupt(segment, format!("a segment has {bytes} bytes; the log says {stated}")))
}

fn check_footer(segment: &Segment, file: &SegmentFile) -> Result<()> {
    let record = &segment.record;
    if file.rows() != record.rows {
        return Err(corrupt(segment, format!("a segment has {} rows; the log says {}", file.rows(), record.rows)));
    }
    if file.row_group_count() as u64 != record.row_groups {
        return Err(corrupt(segment, "a segment has another number of row groups than the log says".to_owned()));
    }
    if record.footer_checksum.is_some_and(|checksum| checksum.0 != file.footer_checksum()) {
        return Err(corrupt(segment, "the checksum of a segment's footer does not match the log's".to_owned()));
    }
    Ok(())
}

fn corrupt(segment: &Segment, problem: String) -> Error {
    named(segment, Error::corrupt(problem))
}

fn named(segment: &Segment, e: Error) -> Error {
    e.with("path", &segment.record.path).with("version", segment.added)
}
