//! Columns of 32 bits that are encoded as differences of more. DuckDB writes `DELTA_BINARY_PACKED` of the numbers themselves,
//! so that an UINTEGER from 2^31 on, or a step over more than half of the range, needs 33 bits, which the Parquet reader
//! refuses for a column of 32. The encoding is the same for 64 bits, so such columns are read as these and cut to 32 after.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, DataType, Date32Type, Int32Type, Int64Type, UInt32Type},
};
use parquet::{
    basic::{Encoding, Type as Physical},
    errors::Result as ParquetResult,
    file::metadata::{
        ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData,
        RowGroupMetaDataBuilder,
    },
    schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr},
};

use super::leaf::leaf_type;
use crate::schema::ColumnType;

/// Metadata with columns in 64 bits, for reading only: it has no statistics of them.
pub(super) struct Widened {
    pub(super) metadata: ParquetMetaData,
    /// Positions of the columns.
    pub(super) positions: Vec<usize>,
}

/// The metadata with those columns in 64 bits that hold nothing but differences in the row group, or in all of them; none when
/// there are no such.
pub(super) fn in_64_bits(metadata: &ParquetMetaData, row_group: Option<usize>) -> ParquetResult<Option<Widened>> {
    let groups = metadata.row_groups();
    let groups = row_group.map_or(groups, |at| groups.get(at..=at).unwrap_or_default());
    let wide: Vec<bool> = (0..metadata.file_metadata().schema_descr().num_columns())
        .map(|leaf| may_need_more(metadata, leaf) && groups.iter().all(|group| has_only_differences(group, leaf)))
        .collect();
    if groups.is_empty() || !wide.contains(&true) {
        return Ok(None);
    }
    let schema = metadata.file_metadata().schema_descr();
    let positions =
        wide.iter().enumerate().filter(|(_, wide)| **wide).map(|(leaf, _)| schema.get_column_root_idx(leaf));
    Ok(Some(Widened { positions: positions.collect(), metadata: with_64_bits(metadata, &wide)? }))
}

/// Whether some row groups hold nothing but differences of a column that may need more bits, and others something else: DuckDB
/// decides for each.
pub(super) fn is_mixed(metadata: &ParquetMetaData) -> bool {
    (0..metadata.file_metadata().schema_descr().num_columns()).any(|leaf| {
        let mut groups = metadata.row_groups().iter().map(|group| has_only_differences(group, leaf));
        may_need_more(metadata, leaf) && groups.next().is_some_and(|first| groups.any(|other| other != first))
    })
}

fn has_only_differences(group: &RowGroupMetaData, leaf: usize) -> bool {
    group.columns().get(leaf).is_some_and(only_differences)
}

/// Whether the leaf is a column of 32 bits whose differences may need more. Other writers than DuckDB let them wrap around, which
/// comes to the same for UINTEGER when 64 bits are cut to 32.
fn may_need_more(metadata: &ParquetMetaData, leaf: usize) -> bool {
    let file = metadata.file_metadata();
    let schema = file.schema_descr();
    let ty = schema.column(leaf);
    ty.physical_type() == Physical::INT32
        && schema.get_column_root(leaf).is_primitive()
        && ty.max_rep_level() == 0
        && match leaf_type(ty.self_type()) {
            Some(ColumnType::UInteger) => true,
            Some(ColumnType::Integer | ColumnType::Date) => {
                file.created_by().is_some_and(|by| by.starts_with("DuckDB"))
            }
            _ => false,
        }
}

fn with_64_bits(metadata: &ParquetMetaData, wide: &[bool]) -> ParquetResult<ParquetMetaData> {
    let file = metadata.file_metadata();
    let fields = file.schema().get_fields();
    let mut leaf = 0;
    let fields: Vec<TypePtr> = fields
        .iter()
        .map(|field| {
            let is_wide = field.is_primitive() && wide.get(leaf) == Some(&true);
            leaf = leaf.saturating_add(leaves(field));
            if is_wide { in_64(field).map(Arc::new) } else { Ok(Arc::clone(field)) }
        })
        .collect::<ParquetResult<_>>()?;
    let root = Type::group_type_builder(file.schema().name()).with_fields(fields).build()?;
    let schema: SchemaDescPtr = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let groups = metadata.row_groups().iter().map(|group| regrouped(group, &schema, wide));
    let described = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        Arc::clone(&schema),
        None,
    );
    let builder = ParquetMetaDataBuilder::new(described);
    let builder = builder.set_row_groups(groups.collect::<ParquetResult<_>>()?);
    Ok(builder.set_page_index(metadata.page_index().cloned()).build())
}

/// Whether all values of the chunk are encoded as differences.
pub(super) fn only_differences(chunk: &ColumnChunkMetaData) -> bool {
    let mask = chunk.page_encoding_stats_mask().unwrap_or(chunk.encodings_mask());
    let others = [
        Encoding::PLAIN,
        Encoding::PLAIN_DICTIONARY,
        Encoding::RLE_DICTIONARY,
        Encoding::BYTE_STREAM_SPLIT,
        Encoding::DELTA_BYTE_ARRAY,
        Encoding::DELTA_LENGTH_BYTE_ARRAY,
    ];
    mask.is_set(Encoding::DELTA_BINARY_PACKED) && others.iter().all(|encoding| !mask.is_set(*encoding))
}

fn leaves(ty: &Type) -> usize {
    if ty.is_primitive() { 1 } else { ty.get_fields().iter().map(|field| leaves(field)).sum() }
}

fn in_64(ty: &Type) -> ParquetResult<Type> {
    let info = ty.get_basic_info();
    Type::primitive_type_builder(ty.name(), Physical::INT64)
        .with_repetition(info.repetition())
        .with_id(info.has_id().then(|| info.id()))
        .build()
}

fn regrouped(group: &RowGroupMetaData, schema: &SchemaDescPtr, wide: &[bool]) -> ParquetResult<RowGroupMetaData> {
    let chunk = |(leaf, chunk): (usize, &ColumnChunkMetaData)| {
        if wide.get(leaf) != Some(&true) {
            return Ok(chunk.clone());
        }
        ColumnChunkMetaData::builder(schema.column(leaf))
            .set_encodings_mask(*chunk.encodings_mask())
            .set_compression_codec(chunk.compression_codec())
            .set_num_values(chunk.num_values())
            .set_total_compressed_size(chunk.compressed_size())
            .set_total_uncompressed_size(chunk.uncompressed_size())
            .set_data_page_offset(chunk.data_page_offset())
            .set_dictionary_page_offset(chunk.dictionary_page_offset())
            .build()
    };
    let columns = group.columns().iter().enumerate().map(chunk).collect::<ParquetResult<_>>()?;
    RowGroupMetaDataBuilder::set_column_metadata(RowGroupMetaData::builder(Arc::clone(schema)), columns)
        .set_num_rows(group.num_rows())
        .set_total_byte_size(group.total_byte_size())
        .build()
}

/// The array in the 32 bits of the file's column, when it was read in 64.
pub(super) fn narrowed(array: &ArrayRef, ty: &ColumnType) -> ArrayRef {
    if *array.data_type() != DataType::Int64 {
        return Arc::clone(array);
    }
    match ty {
        ColumnType::UInteger => Arc::new(cut::<UInt32Type>(array, u32::from_le_bytes)),
        ColumnType::Integer => Arc::new(cut::<Int32Type>(array, i32::from_le_bytes)),
        ColumnType::Date => Arc::new(cut::<Date32Type>(array, i32::from_le_bytes)),
        _ => Arc::clone(array),
    }
}

/// The lower half of each number.
fn cut<T: ArrowPrimitiveType>(array: &ArrayRef, to: impl Fn([u8; 4]) -> T::Native) -> PrimitiveArray<T> {
    array.as_primitive::<Int64Type>().unary(|value| {
        let [a, b, c, d, ..] = value.to_le_bytes();
        to([a, b, c, d])
    })
}
