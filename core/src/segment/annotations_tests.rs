#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use parquet::{
    column::writer::ColumnWriter,
    data_type::ByteArray,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::{Bytes, Field, LIST, SCHEMA, fields, write};
use crate::{
    ErrorKind,
    schema::{ColumnType as T, TimeUnit},
    segment::{ReadRequest, SegmentFile},
    storage::source::MemorySource,
};

/// The bytes of a file of one row with this schema, whose leaves are INT64 (7), INT32 (7) or BYTE_ARRAY ("x").
fn file(schema: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::Int32ColumnWriter(writer) => writer.write_batch(&[7], None, None),
            ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&[7], None, None),
            ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(&[ByteArray::from("x")], None, None),
            _ => unreachable!("the schemas of these tests have other leaves"),
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

/// The file with the fields of its only leaf as `change` leaves them.
fn changed(bytes: &[u8], change: impl Fn(&mut Vec<Field<'_>>)) -> Vec<u8> {
    let end = bytes.len() - 8;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    let footer = &bytes[end - length..end];
    let mut rest = Bytes(footer);
    let mut field = 0;
    while let Some(kind) = rest.field(&mut field).unwrap() {
        if field == SCHEMA && kind == LIST {
            break;
        }
        rest.skip(kind, 0).unwrap();
    }
    assert_eq!(rest.structs(), Some(2));
    fields(&mut rest).unwrap();
    let mut out = footer[..footer.len() - rest.0.len()].to_vec();
    let mut leaf = fields(&mut rest).unwrap();
    change(&mut leaf);
    leaf.sort_by_key(|(field, ..)| *field);
    write(&leaf, &mut out);
    out.extend_from_slice(rest.0);
    let mut file = bytes[..end - length].to_vec();
    let length = u32::try_from(out.len()).unwrap();
    file.extend(out);
    file.extend(length.to_le_bytes());
    file.extend(b"PAR1");
    file
}

fn open(bytes: Vec<u8>) -> crate::Result<SegmentFile> {
    SegmentFile::open(Arc::new(MemorySource::new("old.parquet", bytes)))
}

fn set<'a>(fields: &mut Vec<Field<'a>>, number: i64, kind: u8, bytes: &'a [u8]) {
    fields.retain(|(field, ..)| *field != number);
    fields.push((number, kind, bytes));
}

const INT32: u8 = 5;
const STRUCT: u8 = 12;

/// What DuckDB 2.0.0 calls the same files was looked up with DESCRIBE.
#[test]
fn annotations_that_contradict_each_other_mean_what_they_mean_to_duckdb() {
    // Annotations as they stand in a footer: of text, of a 64-bit integer, of a UUID, of TIMESTAMP in microseconds of UTC.
    let (text, int64, uuid): (&[u8], &[u8], &[u8]) = (&[0x1C, 0, 0], &[0xAC, 0x13, 64, 0x11, 0, 0], &[0xEC, 0, 0]);
    let instant: &[u8] = &[0x8C, 0x11, 0x1C, 0x2C, 0, 0, 0, 0];
    // Of a 32-bit integer, of DATE, of DECIMAL(5,2).
    let (int32, date): (&[u8], &[u8]) = (&[0xAC, 0x13, 32, 0x11, 0, 0], &[0x6C, 0, 0]);
    let decimal: &[u8] = &[0x5C, 0x15, 4, 0x15, 10, 0, 0];
    let cases: [(&str, i64, u8, &[u8], T); 9] = [
        ("required int64 x;", 10, STRUCT, int32, T::BigInt),
        ("required int64 x;", 10, STRUCT, date, T::BigInt),
        ("required int32 x;", 10, STRUCT, decimal, T::Integer),
        ("required int32 x;", 10, STRUCT, text, T::Integer),
        ("required int32 x (INT_32);", 10, STRUCT, int64, T::Integer),
        ("required byte_array x (UTF8);", 10, STRUCT, uuid, T::Varchar),
        ("required int64 x (TIMESTAMP_MILLIS);", 10, STRUCT, instant, T::TimestampTz(TimeUnit::Us)),
        ("required int32 x (INT_8);", 10, STRUCT, int64, T::TinyInt),
        // The annotation of NULL that the format has dropped, 24.
        ("required int32 x;", 6, INT32, &[48], T::Null),
    ];
    for (leaf, field, kind, bytes, ty) in cases {
        let file = changed(&file(&format!("message m {{ {leaf} }}")), |fields| set(fields, field, kind, bytes));
        let file = open(file).unwrap();
        assert_eq!(file.columns()[0].ty, ty, "{leaf}");
        let rows: usize = file.read(ReadRequest::all(&file)).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 1, "{leaf}");
    }
}

#[test]
fn an_annotation_that_nobody_can_read_is_unsupported_and_names_the_column_without_calling_the_file_damaged() {
    // INT_8 on 64 bits, which DuckDB refuses too, and TIME in milliseconds on 64 bits, which it does not.
    let time: &[u8] = &[0x7C, 0x11, 0x1C, 0x1C, 0, 0, 0, 0];
    for (field, kind, bytes) in [(6, INT32, &[30][..]), (10, STRUCT, time)] {
        let file = changed(&file("message m { required int64 x; }"), |fields| set(fields, field, kind, bytes));
        let error = open(file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormat, "{error}");
        assert!(error.message().contains("'x'") && !error.message().contains("damaged"), "{error}");
    }
}
