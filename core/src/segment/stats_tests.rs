//! Which statistics of which writers are believed. Each test is a row of the table in docs/SAFETY.md.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{io::Write, sync::Arc};

use bytes::Bytes;
use parquet::{
    data_type::{ByteArray, FixedLenByteArray},
    file::{
        metadata::{FileMetaData, ParquetMetaDataReader, ParquetMetaDataWriter},
        properties::WriterProperties,
        statistics::{Statistics, ValueStatistics},
        writer::{SerializedFileWriter, TrackedWrite},
    },
    schema::parser::parse_message_type,
};

use super::SegmentFile;
use crate::{
    prune::expr::Constant,
    segment::{
        ColumnBounds,
        annotations::{fields, write},
        thrift,
    },
    storage::source::MemorySource,
};

/// How the footer's orders of columns are to be.
#[derive(Clone, Copy, PartialEq)]
enum Orders {
    AsWritten,
    Missing,
    Unknown,
}

/// What is known of a column `x` of that type in a row group of four rows, by the footer that the writer left with these
/// statistics. There are no pages: bounds come from footers alone.
fn bounds(leaf: &str, writer: &str, orders: Orders, statistics: Statistics) -> ColumnBounds {
    let schema = Arc::new(parse_message_type(&format!("message m {{ optional {leaf}; }}")).unwrap());
    let mut bytes = Vec::new();
    let mut out = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = out.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    match column.untyped() {
        parquet::column::writer::ColumnWriter::Int32ColumnWriter(w) => w.write_batch(&[], Some(&[0; 4]), None),
        parquet::column::writer::ColumnWriter::Int64ColumnWriter(w) => w.write_batch(&[], Some(&[0; 4]), None),
        parquet::column::writer::ColumnWriter::DoubleColumnWriter(w) => w.write_batch(&[], Some(&[0; 4]), None),
        parquet::column::writer::ColumnWriter::ByteArrayColumnWriter(w) => w.write_batch(&[], Some(&[0; 4]), None),
        parquet::column::writer::ColumnWriter::FixedLenByteArrayColumnWriter(w) => {
            w.write_batch(&[], Some(&[0; 4]), None)
        }
        _ => unreachable!("the types of these tests"),
    }
    .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    out.close().unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes.clone())).unwrap();
    let group = metadata.row_group(0).clone();
    let chunk = group.column(0).clone().into_builder().set_statistics(statistics).build().unwrap();
    let group = group.into_builder().set_column_metadata(vec![chunk]).build().unwrap();
    let file = metadata.file_metadata();
    let described = FileMetaData::new(
        file.version(),
        4,
        Some(writer.to_owned()),
        None,
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut changed = Vec::new();
    let mut tracked = TrackedWrite::new(&mut changed);
    tracked.write_all(&bytes[..bytes.len() - 8]).unwrap();
    let metadata = parquet::file::metadata::ParquetMetaData::new(described, vec![group]);
    ParquetMetaDataWriter::new_with_tracked(tracked, &metadata).finish().unwrap();
    let changed = with_orders(&changed, orders);
    SegmentFile::open(Arc::new(MemorySource::new("told.parquet", changed))).unwrap().column_bounds(0, 0)
}

/// The file with other orders of columns in its footer.
fn with_orders(bytes: &[u8], orders: Orders) -> Vec<u8> {
    const COLUMN_ORDERS: i64 = 7;
    // A list of one union that holds what no version of the format has.
    let unknown: &[u8] = &[0x1C, 0x9C, 0, 0];
    let end = bytes.len() - 8;
    let mut fields = fields(&mut thrift::Bytes(&bytes[end - length_of(bytes)..end])).unwrap();
    match orders {
        Orders::AsWritten => {}
        Orders::Missing => fields.retain(|(field, ..)| *field != COLUMN_ORDERS),
        Orders::Unknown => {
            let order = fields.iter_mut().find(|(field, ..)| *field == COLUMN_ORDERS).unwrap();
            order.2 = unknown;
        }
    }
    let mut footer = Vec::new();
    write(&fields, &mut footer);
    let length = u32::try_from(footer.len()).unwrap();
    [&bytes[..end - length_of(bytes)], &footer, &length.to_le_bytes(), b"PAR1"].concat()
}

fn length_of(bytes: &[u8]) -> usize {
    let end = bytes.len() - 8;
    u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize
}

const NEW: &str = "parquet-mr version 1.10.1 (build a)";

fn texts(min: &str, max: &str, deprecated: bool) -> Statistics {
    let value = |text: &str| Some(ByteArray::from(text));
    Statistics::ByteArray(ValueStatistics::new(value(min), value(max), None, Some(0), deprecated))
}

fn numbers(min: i32, max: i32, nulls: u64, deprecated: bool) -> Statistics {
    Statistics::Int32(ValueStatistics::new(Some(min), Some(max), None, Some(nulls), deprecated))
}

fn text(text: &str) -> Option<Constant> {
    Some(Constant::Text(text.to_owned()))
}

fn int(number: i128) -> Option<Constant> {
    Some(Constant::Int(number))
}

#[test]
fn bounds_of_bytes_by_writers_that_compared_them_as_signed_are_not_believed() {
    let leaf = "binary x (UTF8)";
    let of = |writer: &str| bounds(leaf, writer, Orders::AsWritten, texts("a", "b", false));
    assert_eq!((of(NEW).min, of(NEW).max), (text("a"), text("b")));
    assert_eq!(of("parquet-cpp-arrow version 0.17.0").max, text("b"));
    for writer in
        ["parquet-mr version 1.9.0 (build a)", "parquet-mr version 1.8", "parquet-mr", "parquet-cpp version 1.2.0"]
    {
        assert_eq!((of(writer).min, of(writer).max), (None, None), "{writer}");
    }
    let fixed = |bytes: &[u8]| Some(FixedLenByteArray::from(ByteArray::from(bytes.to_vec())));
    let decimal = |writer| {
        let statistics = ValueStatistics::new(fixed(&[0, 1]), fixed(&[0, 2]), None, Some(0), false);
        bounds(
            "fixed_len_byte_array(2) x (DECIMAL(4,0))",
            writer,
            Orders::AsWritten,
            Statistics::FixedLenByteArray(statistics),
        )
    };
    assert_eq!(decimal(NEW).max, Some(Constant::Decimal(2, 0)));
    assert_eq!(decimal("parquet-mr version 1.9.0 (build a)").max, None);
    assert_eq!(decimal("parquet-cpp version 1.5.1-SNAPSHOT").max, None);
    assert_eq!(decimal("parquet-cpp-arrow version 6.0.1").max, Some(Constant::Decimal(2, 0)));
    // Numbers they compared rightly.
    assert_eq!(bounds("int32 x", "parquet-mr version 1.8.1", Orders::AsWritten, numbers(1, 2, 0, false)).min, int(1));
}

#[test]
fn the_deprecated_bounds_are_believed_of_signed_numbers_only() {
    let of = |leaf: &str, statistics| bounds(leaf, NEW, Orders::AsWritten, statistics);
    assert_eq!(of("int32 x", numbers(-1, 2, 0, true)).min, int(-1));
    assert_eq!(
        of("int32 x (UINT_32)", numbers(-1, 2, 0, true)),
        ColumnBounds { nulls: Some(0), ..ColumnBounds::default() }
    );
    assert_eq!(of("binary x (UTF8)", texts("a", "b", true)).min, None);
    assert_eq!(of("binary x (DECIMAL(4,0))", texts("a", "b", true)).min, None);
}

#[test]
fn bounds_without_an_order_are_those_of_signed_numbers_and_under_an_unknown_one_none() {
    let signed = |orders| bounds("int32 x", NEW, orders, numbers(-1, 2, 0, false));
    assert_eq!((signed(Orders::Missing).min, signed(Orders::Unknown).min), (int(-1), None));
    let unsigned = |writer| bounds("int32 x (UINT_32)", writer, Orders::Missing, numbers(1, 2, 0, false)).min;
    assert_eq!((unsigned(NEW), unsigned("DuckDB version v1.4.0")), (None, int(1)));
    assert_eq!(bounds("binary x (UTF8)", NEW, Orders::Missing, texts("a", "b", false)).min, None);
}

#[test]
fn nulls_are_not_counted_by_a_writer_that_goes_on_counting_from_row_group_to_row_group() {
    let told = |writer| bounds("int32 x", writer, Orders::AsWritten, numbers(1, 5, 4, false));
    assert_eq!((told("DuckDB").nulls, told("DuckDB").min, told("DuckDB").max), (None, int(1), int(5)));
    assert_eq!(told("Polars").nulls, None);
    assert_eq!(told("DuckDB version v1.1.3 (build 19864453f7)").nulls, Some(4));
    assert_eq!(told("parquet-cpp-arrow version 19.0.1").nulls, Some(4));
}

#[test]
fn bounds_that_no_values_can_have_are_none() {
    let of = |leaf: &str, statistics| bounds(leaf, NEW, Orders::AsWritten, statistics);
    let wrong_order = of("int32 x", numbers(2, 1, 0, false));
    assert_eq!((wrong_order.min, wrong_order.max), (None, None));
    let beyond = of("int32 x (INT_8)", numbers(-7, 300, 0, false));
    assert_eq!((beyond.min, beyond.max), (int(-7), None));
    assert_eq!(of("int32 x", numbers(1, 2, 5, false)).nulls, None, "of four rows");
}

#[test]
fn bounds_that_may_have_been_taken_beside_a_nan_bound_nothing_above() {
    let of = |min: f64, max: f64| {
        let statistics = ValueStatistics::new(Some(min), Some(max), None, Some(0), false);
        bounds("double x", NEW, Orders::AsWritten, Statistics::Double(statistics))
    };
    assert_eq!((of(1.0, 2.0).min, of(1.0, 2.0).max), (Some(Constant::Float(1.0)), None));
    assert_eq!((of(f64::NAN, 2.0).min, of(1.0, f64::NAN).max), (None, None));
    // The zeros are one value, whichever stands in the footer.
    assert_eq!(super::compare(&Constant::Float(-0.0), &Constant::Float(0.0)), Some(std::cmp::Ordering::Equal));
}

#[test]
fn text_that_may_be_shortened_is_a_bound_and_no_value() {
    let value = |text: &str| Some(ByteArray::from(text));
    let statistics = ValueStatistics::new(value("a"), value("a"), None, Some(0), false);
    let statistics = statistics.with_min_is_exact(false).with_max_is_exact(false);
    let found = bounds("binary x (UTF8)", NEW, Orders::AsWritten, Statistics::ByteArray(statistics));
    assert!(!found.exact);
    assert_eq!((found.min, found.max), (text("a"), text("a\u{10FFFF}")), "what begins with 'a' is not excluded");
    // Cut inside a character: what comes before is still no greater, but nothing bounds from above.
    let cut = |bytes: &[u8]| Some(ByteArray::from(bytes.to_vec()));
    let statistics = ValueStatistics::new(cut(&[b'a', 0xC3]), cut(&[b'b', 0xC3]), None, Some(0), false);
    let found = bounds("binary x (UTF8)", NEW, Orders::AsWritten, Statistics::ByteArray(statistics));
    assert_eq!((found.min, found.max), (text("a"), None));
}
