//! Parquet types that neither DuckDB nor pyarrow write, in files made leaf by leaf, and the rules of widening.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use parquet::{
    basic::{Encoding, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::{
        parser::parse_message_type,
        types::{Type, TypePtr},
    },
};

use super::{
    ReadRequest, SegmentFile,
    admit::admit,
    schema::{Widening, readable_as, widening},
};
use crate::{
    ErrorKind, Result,
    schema::{ColumnType as T, Field, TimeUnit},
    storage::source::MemorySource,
};

/// The values of one leaf with its definition and repetition levels.
enum Leaf {
    I32(Vec<i32>, Vec<i16>, Vec<i16>),
    I64(Vec<i64>),
    Bytes(Vec<&'static [u8]>),
    Fixed(Vec<&'static [u8]>),
}

fn file(schema: TypePtr, leaves: Vec<Leaf>) -> Result<SegmentFile> {
    SegmentFile::open(Arc::new(MemorySource::new("made.parquet", bytes(schema, leaves))))
}

fn bytes(schema: TypePtr, leaves: Vec<Leaf>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for leaf in leaves {
        let mut column = group.next_column().unwrap().unwrap();
        match (column.untyped(), leaf) {
            (ColumnWriter::Int32ColumnWriter(writer), Leaf::I32(values, definitions, repetitions)) => {
                writer.write_batch(&values, Some(&definitions), Some(&repetitions)).unwrap();
            }
            (ColumnWriter::Int64ColumnWriter(writer), Leaf::I64(values)) => {
                writer.write_batch(&values, None, None).unwrap();
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Leaf::Bytes(values)) => {
                let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                writer.write_batch(&values, None, None).unwrap();
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), Leaf::Fixed(values)) => {
                let values: Vec<FixedLenByteArray> = values.into_iter().map(|v| ByteArray::from(v).into()).collect();
                writer.write_batch(&values, None, None).unwrap();
            }
            _ => unreachable!("the leaf's physical type"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn message(text: &str) -> TypePtr {
    Arc::new(parse_message_type(text).unwrap())
}

fn values(file: &SegmentFile) -> Vec<Vec<String>> {
    let batches: Vec<RecordBatch> = file.read(ReadRequest::all(file)).unwrap().map(Result::unwrap).collect();
    let options = FormatOptions::default().with_null("null");
    let shown = |column| {
        let formatter = ArrayFormatter::try_new(batches[0].column(column), &options).unwrap();
        (0..batches[0].num_rows()).map(|row| formatter.value(row).to_string()).collect()
    };
    (0..file.columns().len()).map(shown).collect()
}

#[test]
fn annotations_of_old_writers_read_as_duckdb_shows_them() {
    let schema = message(
        "message m { required byte_array e (ENUM); required byte_array j (JSON); required byte_array b (BSON);
         required int64 ms (TIMESTAMP_MILLIS); required int64 us (TIMESTAMP_MICROS); required byte_array d (DECIMAL(5,2));
         required fixed_len_byte_array(17) w (DECIMAL(38,1)); required fixed_len_byte_array(12) i (INTERVAL); }",
    );
    let wide: &[u8] = &[255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 241];
    let file = file(
        schema,
        vec![
            Leaf::Bytes(vec![b"x"]),
            Leaf::Bytes(vec![b"{}"]),
            Leaf::Bytes(vec![b"\x01"]),
            Leaf::I64(vec![1]),
            Leaf::I64(vec![1]),
            Leaf::Bytes(vec![b"\xFF\x85"]),
            Leaf::Fixed(vec![wide]),
            Leaf::Fixed(vec![b"\x01\0\0\0\x02\0\0\0\x03\0\0\0"]),
        ],
    )
    .unwrap();
    let types: Vec<T> = file.columns().iter().map(|column| column.ty.clone()).collect();
    let decimal = |precision, scale| T::Decimal { precision, scale };
    let (ms, us) = (T::Timestamp(TimeUnit::Ms), T::Timestamp(TimeUnit::Us));
    assert_eq!(types, [T::Varchar, T::Varchar, T::Blob, ms, us, decimal(5, 2), decimal(38, 1), T::Interval]);
    let expected = ["x", "{}", "01", "1970-01-01T00:00:00.001", "1970-01-01T00:00:00.000001", "-1.23", "-1.5"];
    let found = values(&file);
    assert_eq!(found[..7].iter().map(|column| column[0].as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(found[7], ["010000000200000003000000"]);
    assert!(file.columns().iter().all(|column| !column.nullable));
}

#[test]
fn lists_of_two_levels_and_bare_repeated_fields_are_lists() {
    let schema = message(
        "message m { optional group l (LIST) { repeated int32 element; } repeated int32 bare;
         optional group s (LIST) { repeated group array { required int32 a; } } }",
    );
    // [1, 2], NULL, []
    let two_level = || Leaf::I32(vec![1, 2], vec![2, 2, 0, 1], vec![0, 1, 0, 0]);
    let bare = Leaf::I32(vec![7, 8], vec![1, 1, 0, 0], vec![0, 1, 0, 0]);
    let file = file(schema, vec![two_level(), bare, two_level()]).unwrap();
    let list = |ty| T::List(Box::new(Field::new("element", ty)));
    assert_eq!(file.columns()[0].ty, list(T::Integer));
    assert_eq!(file.columns()[1].ty, list(T::Integer));
    assert_eq!(file.columns()[2].ty, list(T::Struct(vec![Field::new("a", T::Integer)])));
    let found = values(&file);
    assert_eq!(found[0], ["[1, 2]", "null", "[]"]);
    assert_eq!(found[1], ["[7, 8]", "[]", "[]"]);
    assert_eq!(found[2], ["[{a: 1}, {a: 2}]", "null", "[]"]);
}

#[test]
fn text_that_is_not_utf8_is_corrupt_under_every_annotation() {
    for annotation in ["UTF8", "JSON", "ENUM"] {
        let schema = message(&format!("message m {{ required byte_array t ({annotation}); }}"));
        let file = file(schema, vec![Leaf::Bytes(vec![b"a", b"\xFF\xFE"])]).unwrap();
        let error = file.read(ReadRequest::all(&file)).unwrap().find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{annotation}: {error}");
    }
}

fn refused(field: Type) -> String {
    let schema = Type::group_type_builder("m").with_fields(vec![Arc::new(field)]).build().unwrap();
    let leaves = vec![Leaf::Bytes(vec![b"x"])];
    let error = file(Arc::new(schema), leaves).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    error.message().to_owned()
}

#[test]
fn types_without_counterpart_are_refused_by_column_and_type() {
    let decimal = parse_message_type("message m { required byte_array x (DECIMAL(50,2)); }").unwrap();
    let message = refused(decimal.get_fields()[0].as_ref().clone());
    let expected =
        "column \"x\" has the Parquet type DECIMAL(50,2), which tstable does not support; cast it before writing";
    assert_eq!(message, expected);
    let geometry = Type::primitive_type_builder("g", Physical::BYTE_ARRAY)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::geometry(None)));
    assert!(refused(geometry.build().unwrap()).contains("column \"g\" has the Parquet type GEOMETRY"));
    let value = Type::primitive_type_builder("value", Physical::BYTE_ARRAY).with_repetition(Repetition::REQUIRED);
    let variant = Type::group_type_builder("v")
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::variant(None)))
        .with_fields(vec![Arc::new(value.build().unwrap())]);
    assert!(refused(variant.build().unwrap()).contains("column \"v\" has the Parquet type VARIANT"));
}

#[test]
fn a_column_that_no_host_could_bind_or_decode_is_not_admitted() {
    let refused = |file: SegmentFile| admit(&file).unwrap_err().to_string();
    let one = || Leaf::I32(vec![1], vec![1], vec![0]);
    let twins = message("message m { required group outer { optional int32 a; optional int32 A; } }");
    let twins = refused(file(twins, vec![one(), one()]).unwrap());
    assert!(twins.contains("column \"outer\" has a STRUCT with the fields \"a\" and \"A\""), "{twins}");
    for (names, how) in [("a A", "differ in case only"), ("x x", "are called the same")] {
        let columns: String = names.split(' ').map(|name| format!("optional int32 {name}; ")).collect();
        let twins = refused(file(message(&format!("message m {{ {columns} }}")), vec![one(), one()]).unwrap());
        assert!(twins.contains(how) && twins.contains(&names.replace(' ', "' and '")), "{twins}");
    }
    let leaf = |name: &str| {
        let leaf = Type::primitive_type_builder(name, Physical::INT32).with_repetition(Repetition::OPTIONAL);
        Arc::new(leaf.build().unwrap())
    };
    let group =
        Type::group_type_builder("u").with_repetition(Repetition::REQUIRED).with_fields(vec![leaf(""), leaf("num")]);
    let root = Type::group_type_builder("m").with_fields(vec![Arc::new(group.build().unwrap())]).build().unwrap();
    let nameless = refused(file(Arc::new(root), vec![one(), one()]).unwrap());
    assert!(nameless.contains("column \"u\" has a STRUCT with a field without a name"), "{nameless}");
    let root = Type::group_type_builder("m").with_fields(vec![leaf("")]).build().unwrap();
    assert!(refused(file(Arc::new(root), vec![one()]).unwrap()).contains("a column has no name"));

    let stamps = |value| {
        file(message("message m { required int64 x (TIMESTAMP(MILLIS,false)); }"), vec![Leaf::I64(vec![value])])
    };
    assert!(admit(&stamps(i64::MAX).unwrap()).is_ok(), "an infinity is a value");
    let far = refused(stamps(i64::MAX - 1).unwrap());
    assert!(far.contains("column \"x\" holds 9223372036854775806 ms since 1970"), "{far}");

    let nested = |value| {
        let schema = message("message m { required group c { required int64 a (TIMESTAMP(MICROS,true)); } }");
        file(schema, vec![Leaf::I64(vec![value, 5])]).unwrap()
    };
    assert!(admit(&nested(-i64::MAX)).is_ok(), "an infinity is a value");
    let far = refused(nested(i64::MIN + 9));
    assert!(far.contains("column \"c\" holds -9223372036854775799 us since 1970"), "{far}");
    assert!(far.contains("(leaf c.a)"), "{far}");
}

#[test]
fn a_codec_that_cannot_be_read_is_named_with_its_column() {
    let mut made = bytes(message("message m { required int64 price; }"), vec![Leaf::I64(vec![7])]);
    // Field 3 of the chunk's metadata is the path, a list of one text; field 4 the codec: 0 becomes LZO's 3.
    let path = b"\x19\x18\x05price\x15\x00";
    let at = made.windows(path.len()).rposition(|window| window == path).unwrap() + path.len() - 1;
    made[at] = 6;
    let file = SegmentFile::open(Arc::new(MemorySource::new("made.parquet", made))).unwrap();
    let error = admit(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    assert!(error.to_string().contains("column \"price\" is compressed with LZO"), "{error}");
}

#[test]
fn an_encoding_that_its_writer_got_wrong_is_named_with_its_column() {
    let by = |writer: &str| {
        let properties = WriterProperties::builder()
            .set_created_by(writer.to_owned())
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BYTE_ARRAY)
            .build();
        let mut bytes = Vec::new();
        let schema = message("message m { required binary s (UTF8); }");
        let mut out = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
        let mut group = out.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else {
            unreachable!("texts are byte arrays")
        };
        writer.write_batch(&[ByteArray::from("m1000"), ByteArray::from("m1001")], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        out.close().unwrap();
        admit(&SegmentFile::open(Arc::new(MemorySource::new("made.parquet", bytes))).unwrap())
    };
    for old in ["parquet-mr", "parquet-mr version 1.7.0 (build 1)", "parquet-mr version unknown"] {
        let error = by(old).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
        assert!(error.to_string().contains("column \"s\" is encoded as DELTA_BYTE_ARRAY"), "{error}");
    }
    for sound in ["parquet-mr version 1.8.1 (build 1)", "parquet-mr version 1.13.1", "parquet-cpp-arrow version 19.0.1"]
    {
        assert!(by(sound).is_ok(), "{sound}");
    }
}

#[test]
fn widening_goes_one_way_by_type_or_by_value_and_nothing_else_widens() {
    let decimal = |precision, scale| T::Decimal { precision, scale };
    let list = |ty| T::List(Box::new(Field::new("element", ty)));
    let (s, ms, us, ns) = (TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns);
    let always = [
        (T::TinyInt, T::BigInt),
        (T::UTinyInt, T::UInteger),
        (T::UTinyInt, T::SmallInt),
        (T::UInteger, T::BigInt),
        (T::Integer, T::Double),
        (T::UInteger, T::Double),
        (T::SmallInt, T::Float),
        (T::Integer, decimal(12, 2)),
        (T::HalfFloat, T::Double),
        (T::Float, T::Double),
        (T::Timestamp(s), T::Timestamp(us)),
        (T::Time(ms), T::Time(us)),
        (T::TimeTz(us), T::TimeTz(ns)),
        (T::Date, T::Timestamp(us)),
        (T::Null, T::Varchar),
        (T::Null, list(T::Date)),
        (list(T::Null), list(T::Varchar)),
        (list(T::SmallInt), list(T::Double)),
        (T::Struct(vec![Field::new("a", T::Null)]), T::Struct(vec![Field::new("A", T::Uuid)])),
        (decimal(5, 2), decimal(6, 2)),
        (decimal(5, 2), decimal(6, 3)),
        (decimal(15, 9), T::Double),
        (decimal(6, 6), T::Float),
    ];
    let by_value = [
        (T::BigInt, T::Double),
        (T::UBigInt, T::Double),
        (T::Integer, T::Float),
        (T::BigInt, decimal(18, 0)),
        (T::Timestamp(ms), T::Timestamp(ns)),
        (T::TimestampTz(us), T::TimestampTz(ns)),
        (T::Timestamp(us), T::Timestamp(ms)),
        (T::Time(ns), T::Time(us)),
        (T::Date, T::Timestamp(ns)),
        (T::Timestamp(us), T::Date),
        (T::HugeInt, T::BigInt),
        (decimal(18, 2), T::Double),
    ];
    for (widening_is, pairs) in [(Widening::Always, always.as_slice()), (Widening::ByValue, by_value.as_slice())] {
        for (from, to) in pairs {
            assert!(widening(from, to) == Some(widening_is) && readable_as(from, to), "{from} to {to}");
            assert!(widening_is == Widening::ByValue || widening(to, from) != Some(Widening::Always), "{to} to {from}");
            assert!(readable_as(from, from) && widening(from, from).is_none(), "{from}");
        }
    }
    let others = [
        (T::Timestamp(us), T::TimestampTz(us)),
        (T::Date, T::TimestampTz(us)),
        (T::Time(us), T::TimeTz(us)),
        (T::BigInt, T::UBigInt),
        (T::Boolean, T::TinyInt),
        (decimal(5, 2), decimal(5, 3)),
        (decimal(5, 2), decimal(6, 4)),
        (T::Varchar, T::Blob),
        (T::Struct(vec![Field::new("a", T::Null)]), T::Struct(vec![Field::new("b", T::Null)])),
    ];
    for (from, to) in others {
        assert!(!readable_as(&from, &to) && !readable_as(&to, &from), "{from} and {to}");
    }
    assert!(!readable_as(&T::BigInt, &T::Integer) && !readable_as(&T::Double, &T::BigInt), "narrowing is not widening");
}
