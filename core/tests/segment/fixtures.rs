//! Every type of every writer: the type that DuckDB shows and the values, pinned.

use tstable_core::{
    ErrorKind,
    schema::{ColumnType as T, Field, TimeUnit},
    segment::{ReadRequest, admit::admit},
};

use super::{fixture, read, shown};

fn check(name: &str, columns: &[(&str, T, &[&str])]) {
    let file = fixture(name);
    let batches = read(&file, ReadRequest::all(&file));
    let names: Vec<&str> = file.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, columns.iter().map(|column| column.0).collect::<Vec<_>>());
    for (position, (column, ty, values)) in columns.iter().enumerate() {
        assert_eq!(&file.columns()[position].ty, ty, "type of {column}");
        assert_eq!(&shown(&batches, position), values, "values of {column}");
    }
}

fn decimal(precision: u8, scale: u8) -> T {
    T::Decimal { precision, scale }
}

fn list(ty: T) -> T {
    T::List(Box::new(Field::new("element", ty)))
}

fn map(key: T, value: T) -> T {
    T::Map(Box::new(Field { name: "key".to_owned(), ty: key, nullable: false }), Box::new(Field::new("value", value)))
}

#[test]
fn every_type_of_duckdb_reads_as_duckdb_shows_it() {
    let deep = list(T::Struct(vec![Field::new("x", T::Interval), Field::new("y", list(T::Uuid))]));
    check(
        "duckdb_types",
        &[
            ("bool", T::Boolean, &["true", "null", "false"]),
            ("i8", T::TinyInt, &["-128", "null", "1"]),
            ("i16", T::SmallInt, &["-32768", "null", "2"]),
            ("i32", T::Integer, &["-2147483648", "null", "3"]),
            ("i64", T::BigInt, &["-9223372036854775808", "null", "4"]),
            ("u8", T::UTinyInt, &["255", "null", "5"]),
            ("u16", T::USmallInt, &["65535", "null", "6"]),
            ("u32", T::UInteger, &["4294967295", "null", "7"]),
            ("u64", T::UBigInt, &["18446744073709551615", "null", "8"]),
            ("huge", T::Double, &["12345.0", "null", "9.0"]),
            ("f32", T::Float, &["1.5", "null", "inf"]),
            ("f64", T::Double, &["-2.25", "null", "NaN"]),
            ("d4", decimal(4, 2), &["-12.34", "null", "0.01"]),
            ("d9", decimal(9, 3), &["123456.789", "null", "0.001"]),
            ("d18", decimal(18, 6), &["-123456789012.345678", "null", "0.000001"]),
            ("d38", decimal(38, 10), &["1234567890123456789012345678.0123456789", "null", "-1.0000000000"]),
            ("text", T::Varchar, &["héllo", "null", ""]),
            ("mood", T::Varchar, &["glad", "null", "sad"]),
            ("json", T::Varchar, &["{\"a\":1}", "null", "null"]),
            ("blob", T::Blob, &["00ff7a", "null", ""]),
            ("uuid", T::Uuid, &["00112233445566778899aabbccddeeff", "null", "ffffffffffffffffffffffffffffffff"]),
            ("date", T::Date, &["1969-12-31", "null", "2024-02-29"]),
            ("time", T::Time(TimeUnit::Us), &["23:59:59.999999", "null", "00:00:00"]),
            ("timetz", T::TimeTz(TimeUnit::Us), &["10:00:00", "null", "00:00:00"]),
            // 14 months, 3 days, 4005 ms; 1 day.
            ("iv", T::Interval, &["0e00000003000000a50f0000", "null", "000000000100000000000000"]),
            ("ts", T::Timestamp(TimeUnit::Us), &["1969-12-31T23:59:59.999999", "null", "2024-02-29T12:00:00"]),
            ("ts_s", T::Timestamp(TimeUnit::Us), &["2024-01-02T03:04:05", "null", "1969-12-31T23:59:59"]),
            ("ts_ms", T::Timestamp(TimeUnit::Ms), &["2024-01-02T03:04:05.678", "null", "1970-01-01T00:00:00.001"]),
            (
                "ts_ns",
                T::Timestamp(TimeUnit::Ns),
                &["2024-01-02T03:04:05.123456789", "null", "1970-01-01T00:00:00.000000001"],
            ),
            ("tstz", T::TimestampTz(TimeUnit::Us), &["2024-05-31T22:00:00Z", "null", "1970-01-01T00:00:00Z"]),
            ("list", list(T::Integer), &["[1, null, 3]", "null", "[]"]),
            (
                "struct",
                T::Struct(vec![Field::new("a", T::Integer), Field::new("b", T::Varchar)]),
                &["{a: 7, b: null}", "null", "{a: null, b: x}"],
            ),
            ("map", map(T::Varchar, T::Integer), &["{k: 1, l: null}", "null", "{}"]),
            (
                "deep",
                deep,
                &["[{x: 010000000000000000000000, y: [00112233445566778899aabbccddeeff, null]}, null]", "null", "[]"],
            ),
        ],
    );
}

#[test]
fn every_type_of_pyarrow_reads_as_duckdb_shows_it() {
    let inner = T::Struct(vec![Field::new("u", T::UTinyInt)]);
    check(
        "pyarrow_types",
        &[
            ("f16", T::HalfFloat, &["1.5", "null"]),
            ("d50", decimal(38, 2), &["-1.25", "null"]),
            ("large", T::Varchar, &["ä", "null"]),
            ("view", T::Varchar, &["long enough to stand outside", "null"]),
            ("dict", T::Varchar, &["x", "null"]),
            ("fixed", T::Blob, &["616263", "null"]),
            ("t_ms", T::Time(TimeUnit::Ms), &["01:02:03.004", "null"]),
            ("t_ns", T::Time(TimeUnit::Ns), &["01:02:03.000004", "null"]),
            ("ts_s", T::Timestamp(TimeUnit::Ms), &["2024-01-02T03:04:05", "null"]),
            ("ts_ms", T::Timestamp(TimeUnit::Ms), &["2024-01-02T03:04:05.678", "null"]),
            ("ts_ns", T::Timestamp(TimeUnit::Ns), &["2024-01-02T03:04:05.678901", "null"]),
            ("tz_ms", T::TimestampTz(TimeUnit::Ms), &["2024-01-02T03:04:05.678Z", "null"]),
            ("date64", T::Date, &["2024-02-29", "null"]),
            ("null", T::Null, &["null", "null"]),
            ("fixed_list", list(T::SmallInt), &["[1, 2]", "null"]),
            ("map", map(T::Varchar, list(T::Float)), &["{k: [1.5]}", "null"]),
            ("struct", T::Struct(vec![Field::new("in", inner)]), &["{in: {u: 9}}", "null"]),
        ],
    );
}

#[test]
fn int96_is_a_timestamp_over_its_whole_range() {
    check(
        "pyarrow_int96",
        &[(
            "ts",
            T::Timestamp(TimeUnit::Us),
            &["1677-01-01T00:00:00", "2024-01-02T03:04:05.678901", "null", "2999-12-31T23:59:59"],
        )],
    );
}

#[test]
fn lists_with_other_names_inside_are_the_same_lists() {
    check("pyarrow_item_lists", &[("list", list(T::Varchar), &["[a, null]", "[]", "null"])]);
}

#[test]
fn uuid_is_sixteen_bytes() {
    check("pyarrow_uuid", &[("id", T::Uuid, &["00000000000000000000000000000005"])]);
}

#[test]
fn an_encrypted_column_is_named_before_the_file_becomes_a_segment() {
    let error = admit(&fixture("pyarrow_encrypted")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    assert!(error.to_string().contains("column \"price\" is encrypted"), "{error}");
    assert!(admit(&fixture("pyarrow_types")).is_ok() && admit(&fixture("duckdb_types")).is_ok());
}

#[test]
fn differences_that_need_more_bits_than_their_column_read_as_duckdb_wrote_them() {
    let file = fixture("duckdb_differences");
    let types: Vec<&T> = file.columns().iter().map(|column| &column.ty).collect();
    assert_eq!(types, [&T::BigInt, &T::UInteger, &T::Integer]);
    let batches = read(&file, ReadRequest::all(&file));
    let expected = |row: i64| (3_000_000_000 + (row * 2_654_435_761) % 1_000_000_000).to_string();
    assert_eq!(shown(&batches, 1), (0..500).map(expected).collect::<Vec<_>>());
    let steps = (0..500).map(|row| if row % 2 == 0 { i32::MIN + row } else { i32::MAX - row }.to_string());
    assert_eq!(shown(&batches, 2), steps.collect::<Vec<_>>());
    assert_eq!(file.column_bounds(0, 2).min, Some(tstable_core::prune::expr::Constant::Int(i32::MIN.into())));
}

#[test]
fn row_groups_of_differences_and_of_dictionaries_are_read_side_by_side() {
    let file = fixture("duckdb_mixed_differences");
    assert_eq!(file.row_group_count(), 2);
    let value = |row: u32| (4_000_000_000 + if row < 2048 { row % 2 } else { row * 7 }).to_string();
    let batches = read(&file, ReadRequest::all(&file));
    assert_eq!(shown(&batches, 0), (0..2248).map(value).collect::<Vec<_>>());
    let second = ReadRequest { row_groups: vec![1.into()], ..ReadRequest::all(&file) };
    assert_eq!(shown(&read(&file, second), 0), (2048..2248).map(value).collect::<Vec<_>>());
}
