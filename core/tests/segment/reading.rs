//! Projections, row groups, row ranges, the index filter, dictionaries and widening.

use arrow::{array::Array, datatypes::DataType};
use tstable_core::{
    ErrorKind,
    coverage::EntityPart,
    schema::{ColumnType, Strings, TimeUnit},
    segment::{IndexFilter, ReadColumn, ReadRequest, RowGroupRead, ValueFilter},
};

use super::{fixture, own, read, shown};

/// 2024-01-01 in microseconds.
const START_US: i128 = 1_704_067_200_000_000;
const MINUTE_US: i128 = 60_000_000;

#[test]
fn columns_come_in_the_requested_order_and_may_repeat() {
    let file = fixture("duckdb_rows");
    let columns = ["price", "ts", "price"].map(|name| own(&file, name)).to_vec();
    let batches = read(&file, ReadRequest { columns, batch_rows: 1000, ..ReadRequest::all(&file) });
    assert!(batches.iter().all(|batch| batch.num_rows() <= 1000));
    let names: Vec<_> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["price", "ts", "price"]);
    let prices = shown(&batches, 0);
    assert_eq!(prices.len(), 6000);
    assert_eq!(prices, shown(&batches, 2));
    assert_eq!(prices[..3], ["0.0", "1.0", "2.0"]);
}

#[test]
fn no_columns_still_count_rows() {
    let file = fixture("duckdb_rows");
    let batches = read(&file, ReadRequest { columns: Vec::new(), ..ReadRequest::all(&file) });
    assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 6000);
}

#[test]
fn row_groups_are_read_in_the_given_order_and_never_share_a_batch() {
    let file = fixture("duckdb_rows");
    assert_eq!(file.row_group_count(), 3);
    assert_eq!((0..4).map(|group| file.row_group_rows(group)).collect::<Vec<_>>(), [2048, 2048, 1904, 0]);
    let row_groups = vec![RowGroupRead::from(2), RowGroupRead::from(0)];
    let columns = vec![own(&file, "ts")];
    let batches = read(&file, ReadRequest { columns, row_groups, batch_rows: 100_000, ..ReadRequest::all(&file) });
    assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).collect::<Vec<_>>(), [1904, 2048]);
    assert_eq!(shown(&batches, 0)[1904], "2024-01-01T00:00:00");
}

#[test]
fn strings_come_as_dictionaries_where_all_pages_are() {
    let file = fixture("duckdb_rows");
    let columns = vec![own(&file, "symbol")];
    let request = ReadRequest { columns, strings: Strings::Dictionary, ..ReadRequest::all(&file) };
    let batches = read(&file, request.clone());
    assert!(matches!(batches[0].column(0).data_type(), DataType::Dictionary(..)));
    assert_eq!(shown(&batches, 0)[..3], ["AAA", "BBB", "AAA"]);
    let pyarrow = fixture("pyarrow_pages");
    let columns = vec![own(&pyarrow, "symbol")];
    let request_of_pyarrow = ReadRequest { columns, strings: Strings::Dictionary, ..ReadRequest::all(&pyarrow) };
    assert!(matches!(read(&pyarrow, request_of_pyarrow)[0].column(0).data_type(), DataType::Dictionary(..)));
    let plain = read(&file, ReadRequest { strings: Strings::Plain, ..request });
    assert_eq!(*plain[0].column(0).data_type(), DataType::Utf8);
    assert_eq!(shown(&plain, 0), shown(&batches, 0));
}

#[test]
fn the_filter_is_exact_at_both_ends() {
    let file = fixture("duckdb_rows");
    let index = own(&file, "ts");
    let (from, to) = (START_US + 2040 * MINUTE_US, START_US + 2060 * MINUTE_US);
    for (filter, rows) in [
        (IndexFilter::closed(index.clone(), from, to), 21),
        (IndexFilter::half_open(index.clone(), from, to), 20),
        (IndexFilter::half_open(index.clone(), from + 1, to), 19),
        (IndexFilter::closed(index.clone(), from, from), 1),
        (IndexFilter::half_open(index.clone(), from, from), 0),
        (IndexFilter::half_open(index.clone(), i128::MIN, i128::MIN), 0),
        (IndexFilter::closed(index.clone(), i128::MIN, i128::MAX), 6000),
        (IndexFilter::closed(index.clone(), i128::MAX, i128::MAX), 0),
    ] {
        for columns in [vec![own(&file, "price")], vec![own(&file, "symbol"), index.clone()], Vec::new()] {
            let request = ReadRequest { columns, filter: Some(filter.clone()), ..ReadRequest::all(&file) };
            let found: usize = read(&file, request).iter().map(arrow::array::RecordBatch::num_rows).sum();
            assert_eq!(found, rows, "{filter:?}");
        }
    }
}

#[test]
fn rows_are_chosen_by_value_before_other_columns_are_read() {
    let file = fixture("duckdb_rows");
    let all = read(&file, ReadRequest::all(&file));
    let symbol = file.position("symbol").unwrap();
    let wanted = shown(&all, symbol)[17].clone();
    let rows = shown(&all, symbol).iter().filter(|symbol| **symbol == wanted).count();
    let values =
        vec![ValueFilter { column: own(&file, "symbol"), values: vec![EntityPart::Text(wanted.as_str().into())] }];
    for strings in [Strings::Dictionary, Strings::Plain] {
        let columns = vec![own(&file, "price"), own(&file, "symbol")];
        let request = ReadRequest { columns, strings, values: values.clone(), ..ReadRequest::all(&file) };
        let chosen = read(&file, request);
        assert_eq!(shown(&chosen, 1), vec![wanted.clone(); rows]);
        let prices = shown(&all, file.position("price").unwrap());
        let expected: Vec<_> = prices
            .iter()
            .zip(shown(&all, symbol))
            .filter(|(_, symbol)| *symbol == wanted)
            .map(|(price, _)| price.clone())
            .collect();
        assert_eq!(shown(&chosen, 0), expected);
        assert!(0 < rows && rows < 6000);
    }
}

#[test]
fn the_filter_counts_in_the_unit_of_the_table() {
    let file = fixture("pyarrow_pages");
    let position = file.position("ts").unwrap();
    assert_eq!(file.columns()[position].ty, ColumnType::Timestamp(TimeUnit::Ms));
    let index = ReadColumn { position, ty: ColumnType::Timestamp(TimeUnit::Us) };
    let filter = Some(IndexFilter::closed(index.clone(), 1_000_001, 3_000_000));
    let batches = read(&file, ReadRequest { columns: vec![index], filter, ..ReadRequest::all(&file) });
    assert_eq!(shown(&batches, 0), ["1970-01-01T00:00:02", "1970-01-01T00:00:03"]);
}

#[test]
fn a_null_index_is_in_no_range() {
    let file = fixture("duckdb_types");
    let filter = Some(IndexFilter::closed(own(&file, "ts"), i128::MIN, i128::MAX));
    let batches = read(&file, ReadRequest { columns: vec![own(&file, "text")], filter, ..ReadRequest::all(&file) });
    assert_eq!(shown(&batches, 0), ["héllo", ""]);
}

#[test]
fn chosen_rows_alone_are_read_with_and_without_page_index() {
    for name in ["pyarrow_pages", "duckdb_rows"] {
        let file = fixture(name);
        let all = read(&file, ReadRequest::all(&file));
        let row_groups = vec![RowGroupRead { row_group: 1, rows: Some(vec![0..1, 120..123, 499..500]) }];
        let chosen = read(&file, ReadRequest { row_groups, ..ReadRequest::all(&file) });
        let first = file.row_group_rows(0);
        for column in 0..file.columns().len() {
            let expected: Vec<_> =
                [0, 120, 121, 122, 499].iter().map(|row| shown(&all, column)[first + row].clone()).collect();
            assert_eq!(shown(&chosen, column), expected);
        }
    }
}

#[test]
fn values_widen_without_loss_and_never_narrow() {
    let file = fixture("duckdb_types");
    let decimal = ColumnType::Decimal { precision: 20, scale: 4 };
    for (name, ty, values) in [
        ("i8", ColumnType::BigInt, ["-128", "null", "1"]),
        ("u32", ColumnType::UBigInt, ["4294967295", "null", "7"]),
        ("f32", ColumnType::Double, ["1.5", "null", "inf"]),
        ("d9", decimal, ["123456.7890", "null", "0.0010"]),
        ("ts_ms", ColumnType::Timestamp(TimeUnit::Ns), ["2024-01-02T03:04:05.678", "null", "1970-01-01T00:00:00.001"]),
    ] {
        let columns = vec![ReadColumn { position: file.position(name).unwrap(), ty: ty.clone() }];
        let batches = read(&file, ReadRequest { columns, ..ReadRequest::all(&file) });
        assert_eq!(*batches[0].column(0).data_type(), ty.arrow(Strings::Plain));
        assert_eq!(shown(&batches, 0), values);
    }
    let file = fixture("pyarrow_types");
    for (name, ty, value) in [
        ("f16", ColumnType::Double, "1.5"),
        ("tz_ms", ColumnType::TimestampTz(TimeUnit::Ns), "2024-01-02T03:04:05.678Z"),
    ] {
        let columns = vec![ReadColumn { position: file.position(name).unwrap(), ty: ty.clone() }];
        let batches = read(&file, ReadRequest { columns, ..ReadRequest::all(&file) });
        assert_eq!(*batches[0].column(0).data_type(), ty.arrow(Strings::Plain));
        assert_eq!(shown(&batches, 0)[0], value);
    }
    let file = fixture("duckdb_types");
    for (name, ty) in
        [("i64", ColumnType::Integer), ("date", ColumnType::TimestampTz(TimeUnit::Us)), ("i8", ColumnType::UTinyInt)]
    {
        let columns = vec![ReadColumn { position: file.position(name).unwrap(), ty }];
        let error = file.read(ReadRequest { columns, ..ReadRequest::all(&file) }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn a_timestamp_beyond_the_finer_unit_is_an_error_that_names_the_column() {
    let file = fixture("pyarrow_int96");
    let column = ReadColumn { position: 0, ty: ColumnType::Timestamp(TimeUnit::Ns) };
    for filter in [None, Some(IndexFilter::closed(column.clone(), 0, 1))] {
        let request = ReadRequest { columns: vec![column.clone()], filter, ..ReadRequest::all(&file) };
        let error = file.read(request).unwrap().find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error}");
        assert!(error.message().contains("\"ts\"") && error.message().contains("TIMESTAMP_NS"), "{error}");
    }
}

#[test]
fn requests_for_what_the_file_lacks_are_refused() {
    let file = fixture("duckdb_rows");
    let all = ReadRequest::all(&file);
    let rows = |rows| vec![RowGroupRead { row_group: 0, rows: Some(rows) }];
    for request in [
        ReadRequest { columns: vec![ReadColumn { position: 4, ty: ColumnType::Date }], ..all.clone() },
        ReadRequest { row_groups: vec![RowGroupRead::from(3)], ..all.clone() },
        ReadRequest { row_groups: rows(vec![2000..2049]), ..all.clone() },
        ReadRequest { row_groups: rows(vec![5..6, 5..7]), ..all.clone() },
        ReadRequest { batch_rows: 0, ..all.clone() },
    ] {
        assert_eq!(file.read(request).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_footer_is_read_once_and_shared() {
    let file = fixture("pyarrow_pages");
    assert!(file.created_by().unwrap().starts_with("parquet-cpp-arrow"));
    assert!(file.key_value("ARROW:schema").is_some());
    assert_eq!(file.key_value("none"), None);
    let before = file.metadata_bytes();
    file.clone().pages(0, 0).unwrap();
    assert!(file.metadata_bytes() > before, "the page index is held by all handles");
    assert_eq!(file.rows(), 1000);
}

/// A file of rows whose texts have about so many bytes, with and without a dictionary.
fn with_texts(rows: usize, text: impl Fn(usize) -> String, dictionary: bool) -> tstable_core::segment::SegmentFile {
    use arrow::array::{Int64Array, StringArray};
    use tstable_core::segment::{SegmentWriter, WriteColumn, WriteOptions};
    let column = |name: &str, ty| WriteColumn { name: name.to_owned(), ty, field_id: None };
    let columns = [column("n", ColumnType::BigInt), column("text", ColumnType::Varchar)];
    let options = WriteOptions { dictionary, row_group_rows: 1 << 20, ..WriteOptions::default() };
    let mut writer = SegmentWriter::create("memory.parquet", Vec::new(), &columns, &options).unwrap();
    let fields = columns.iter().map(|c| c.ty.arrow_field(&c.name, Strings::Plain)).collect::<Vec<_>>();
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
    for from in (0..rows).step_by(500) {
        let part = from..rows.min(from + 500);
        let numbers = part.clone().map(|row| Some(row as i64)).collect::<Int64Array>();
        let texts = part.map(|row| Some(text(row))).collect::<StringArray>();
        let columns: Vec<arrow::array::ArrayRef> = vec![std::sync::Arc::new(numbers), std::sync::Arc::new(texts)];
        let batch = arrow::array::RecordBatch::try_new(std::sync::Arc::clone(&schema), columns).unwrap();
        writer.write(&batch).unwrap();
    }
    super::from_bytes(writer.finish().unwrap().1).unwrap()
}

#[test]
fn batches_of_long_texts_have_fewer_rows_and_lose_none() {
    let unique = |row: usize| format!("{row:08}{}", "x".repeat(2000));
    let few = |row: usize| format!("{}{}", row % 7, "x".repeat(2000));
    let texts: [(&dyn Fn(usize) -> String, bool); 2] = [(&unique, false), (&few, true)];
    for (text, dictionary) in texts {
        let file = with_texts(1000, text, dictionary);
        let request = ReadRequest { batch_rows: 500, ..ReadRequest::all(&file) };
        let batches: Vec<_> = file.read(request.clone()).unwrap().within(64 << 10).map(Result::unwrap).collect();
        assert!(batches.iter().all(|batch| batch.num_rows() <= 33), "{}", batches[0].num_rows());
        assert_eq!(shown(&batches, 0), (0..1000).map(|row| row.to_string()).collect::<Vec<_>>());
        assert_eq!(shown(&batches, 1), (0..1000).map(text).collect::<Vec<_>>());
        assert_eq!(read(&file, request)[0].num_rows(), 500, "there is room for as many as were asked for");
    }
}

#[test]
#[ignore = "takes 5 GB of memory: cargo test -- --ignored"]
fn more_text_than_an_array_holds_comes_in_several_batches() {
    // Short on average, but the first rows all have the one long text of the dictionary.
    let text = |row: usize| if row >= 6000 { (row % 5000).to_string() } else { "x".repeat(1 << 19) };
    let file = with_texts(1_000_000, text, true);
    let request = ReadRequest { batch_rows: 8192, ..ReadRequest::all(&file) };
    let mut rows = 0;
    for batch in file.read(request).unwrap() {
        rows += batch.unwrap().num_rows();
    }
    assert_eq!(rows, 1_000_000);
}
