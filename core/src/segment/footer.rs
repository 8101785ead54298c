//! Decoding a footer: what it says, and how the Parquet reader is to see it so that every column arrives as DuckDB shows it. What
//! old writers say awkwardly is put in order here, as DuckDB understands it.

use std::sync::Arc;

use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    errors::ParquetError,
    file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader},
    schema::types::SchemaDescriptor,
};

use super::{
    annotations, delta,
    depth::{Nesting, encrypted_leaf, nesting},
    guard::{damaged, parquet_error},
    leaf,
    schema::{self, FileColumn, file_columns, refuse_unsupported},
};
use crate::error::{Error, Result};

/// No page begins before the magic bytes end.
const FIRST_PAGE: i64 = 4;

/// What a footer says.
pub(super) struct Decoded {
    /// The metadata as it is written.
    pub(super) footer: Arc<ParquetMetaData>,
    /// The same as the Parquet reader is to see it.
    pub(super) metadata: ArrowReaderMetadata,
    /// Whether the reader is to see row groups differently ([`delta::is_mixed`]).
    pub(super) mixed: bool,
    /// The columns as DuckDB shows them.
    pub(super) columns: Vec<FileColumn>,
    /// The first leaf that is encrypted.
    pub(super) encrypted: Option<usize>,
}

/// Decodes the footer's bytes, which are those of the file at `path`.
///
/// # Errors
/// As [`super::SegmentFile::open`].
pub(super) fn decode(path: &str, footer: &[u8]) -> Result<Decoded> {
    let failed = |error| parquet_error(path, error);
    let encrypted = match nesting(footer) {
        Nesting::Fine { encrypted } => encrypted,
        Nesting::Unreadable => return Err(damaged(path).with("problem", "its footer is unreadable")),
        Nesting::TooDeep => {
            let message =
                format!("the columns of '{path}' nest deeper than tstable reads; flatten them before writing");
            return Err(Error::limit_exceeded(message));
        }
    };
    let mended;
    let (footer, plain) = match ParquetMetaDataReader::decode_metadata(footer) {
        Ok(plain) => (footer, plain),
        Err(error) => {
            mended = annotations::mended(footer).ok_or_else(|| schema_error(path, error))?;
            let plain = ParquetMetaDataReader::decode_metadata(&mended).map_err(|error| schema_error(path, error))?;
            (mended.as_slice(), plain)
        }
    };
    let original = plain.file_metadata().schema_descr_ptr();
    named(path, refuse_unsupported(&original))?;
    let metadata = match leaf::readable(&original).map_err(failed)? {
        Some(schema) => relabelled(footer, schema).map_err(failed)?,
        None => plain,
    };
    let footer_said = Arc::new(with_true_dictionaries(metadata).map_err(failed)?);
    let mixed = delta::is_mixed(&footer_said);
    let seen = match delta::in_64_bits(&footer_said, None).map_err(failed)? {
        Some(wide) => Arc::new(wide.metadata),
        None => Arc::clone(&footer_said),
    };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut metadata = ArrowReaderMetadata::try_new(seen, options).map_err(failed)?;
    if let Some(micros) = schema::int96_in_micros(&original, metadata.schema()) {
        let options = ArrowReaderOptions::new().with_schema(Arc::new(micros));
        metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(failed)?;
    }
    let columns = named(path, file_columns(&original, metadata.schema()))?;
    let encrypted = if encrypted { encrypted_leaf(footer) } else { None };
    Ok(Decoded { footer: footer_said, mixed, metadata, columns, encrypted })
}

fn relabelled(footer: &[u8], schema: SchemaDescriptor) -> parquet::errors::Result<ParquetMetaData> {
    let options = ParquetMetaDataOptions::new().with_schema(Arc::new(schema));
    ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&options))
}

/// The metadata without dictionary pages that cannot be: some writers say 0, where a file's magic bytes are, for none.
fn with_true_dictionaries(metadata: ParquetMetaData) -> parquet::errors::Result<ParquetMetaData> {
    let is_false = |chunk: &ColumnChunkMetaData| chunk.dictionary_page_offset().is_some_and(|at| at < FIRST_PAGE);
    if !metadata.row_groups().iter().flat_map(|group| group.columns()).any(is_false) {
        return Ok(metadata);
    }
    let groups = metadata.row_groups().iter().map(|group| {
        let columns = group.columns().iter().map(|chunk| {
            let builder = chunk.clone().into_builder();
            if is_false(chunk) { builder.set_dictionary_page_offset(None).build() } else { builder.build() }
        });
        group.clone().into_builder().set_column_metadata(columns.collect::<parquet::errors::Result<_>>()?).build()
    });
    let groups = groups.collect::<parquet::errors::Result<_>>()?;
    Ok(metadata.into_builder().set_row_groups(groups).build())
}

/// A footer that is whole but whose annotations contradict the columns' types is not damaged.
fn schema_error(path: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::General(why) if why.contains("for field '") || why.contains("annotate") => {
            Error::unsupported_format(format!(
                "'{path}' has a column whose annotation does not fit its type ({why}); write the file again without it"
            ))
        }
        other => parquet_error(path, other),
    }
}

fn named<T>(path: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.with("file", path))
}
