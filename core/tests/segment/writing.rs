//! Writing: every type comes back as it went in, sorted and rewritten files hold the same rows.

use std::io::{self, Write};

use tstable_core::{
    ErrorKind,
    prune::expr::Constant,
    schema::{ColumnType as T, TimeUnit},
    segment::{
        ReadRequest, SegmentFile, SegmentWriter, WriteColumn, WriteOptions,
        rewrite::{TableRows, rewrite},
    },
};

use super::{fixture, from_bytes, read, shown};

fn columns_of(file: &SegmentFile) -> Vec<WriteColumn> {
    let columns = file.columns().iter().zip(1..);
    columns
        .map(|(column, id)| WriteColumn { name: column.name.clone(), ty: column.ty.clone(), field_id: Some(id) })
        .collect()
}

fn rewritten(files: &[SegmentFile], columns: &[WriteColumn], options: &WriteOptions) -> SegmentFile {
    let (written, bytes) = rewrite(files, columns, "memory.parquet", Vec::new(), options, &|| Ok(())).unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    let file = from_bytes(bytes).unwrap();
    assert_eq!((written.rows, written.row_groups), (file.rows(), file.row_group_count()));
    file
}

fn same_values(a: &SegmentFile, b: &SegmentFile) {
    let (first, second) = (read(a, ReadRequest::all(a)), read(b, ReadRequest::all(b)));
    for (position, column) in a.columns().iter().enumerate() {
        assert_eq!(column.ty, b.columns()[position].ty, "type of {}", column.name);
        assert_eq!(shown(&first, position), shown(&second, position), "values of {}", column.name);
    }
}

#[test]
fn every_type_comes_back_as_it_went_in() {
    for name in ["duckdb_types", "pyarrow_types", "pyarrow_item_lists", "pyarrow_int96", "pyarrow_uuid"] {
        let file = fixture(name);
        for dictionary in [true, false] {
            let options = WriteOptions { dictionary, ..WriteOptions::default() };
            let copy = rewritten(std::slice::from_ref(&file), &columns_of(&file), &options);
            same_values(&file, &copy);
            let ids: Vec<_> = copy.columns().iter().map(|column| column.field_id.unwrap()).collect();
            assert_eq!(ids, (1..=i32::try_from(ids.len()).unwrap()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_rewritten_file_is_sorted_by_entity_and_index_and_stable() {
    let file = fixture("duckdb_rows");
    let options = WriteOptions { sorted_by: vec![1, 0], row_group_rows: 1000, ..WriteOptions::default() };
    let sorted = rewritten(std::slice::from_ref(&file), &columns_of(&file), &options);
    assert_eq!(sorted.row_group_count(), 6);
    let (before, after) = (read(&file, ReadRequest::all(&file)), read(&sorted, ReadRequest::all(&sorted)));
    let rows = |batches| -> Vec<[String; 4]> {
        let columns: Vec<Vec<String>> = (0..4).map(|column| shown(batches, column)).collect();
        (0..6000).map(|row| std::array::from_fn(|column| columns[column][row].clone())).collect()
    };
    let mut expected = rows(&before);
    expected.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
    assert_eq!(rows(&after), expected);
    let symbols = sorted.column_bounds(0, 1);
    assert_eq!((symbols.min, symbols.max), (Some(Constant::Text("AAA".into())), Some(Constant::Text("AAA".into()))));
}

#[test]
fn several_files_become_one_in_the_tables_columns() {
    let files = [fixture("pyarrow_pages"), fixture("duckdb_rows")];
    let column = |name: &str, ty: T| WriteColumn { name: name.to_owned(), ty, field_id: None };
    let columns = [column("TS", T::Timestamp(TimeUnit::Us)), column("venue", T::BigInt), column("symbol", T::Varchar)];
    let options = WriteOptions { sorted_by: vec![0], ..WriteOptions::default() };
    let merged = rewritten(&files, &columns, &options);
    assert_eq!(merged.rows(), 7000);
    let batches = read(&merged, ReadRequest::all(&merged));
    let (ts, venue) = (shown(&batches, 0), shown(&batches, 1));
    assert!(ts.is_sorted());
    assert_eq!((ts[1].as_str(), venue[1].as_str()), ("1970-01-01T00:00:01", "null"));
    assert_eq!((ts[1001].as_str(), venue[1001].as_str()), ("2024-01-01T00:01:00", "1"));
}

#[test]
fn options_are_kept_in_the_file() {
    let file = fixture("duckdb_rows");
    let key_values = vec![("tstable.table".to_owned(), "prices".to_owned())];
    let copy = rewritten(
        &[file],
        &columns_of(&fixture("duckdb_rows")),
        &WriteOptions { key_values, ..WriteOptions::default() },
    );
    assert_eq!(copy.key_value("tstable.table"), Some("prices"));
    assert!(copy.created_by().unwrap().starts_with("tstable "));
    assert!(!copy.pages(0, 0).unwrap().unwrap().is_empty());
}

#[test]
fn types_that_parquet_lacks_and_bad_options_are_refused() {
    let create = |ty: T, options: &WriteOptions| {
        let columns = [WriteColumn { name: "x".to_owned(), ty, field_id: None }];
        SegmentWriter::create("memory.parquet", Vec::new(), &columns, options).map(drop).unwrap_err()
    };
    let good = WriteOptions::default();
    for ty in [T::HugeInt, T::Timestamp(TimeUnit::S), T::Time(TimeUnit::S)] {
        let error = create(ty, &good);
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        assert!(error.message().contains("\"x\""), "{error}");
    }
    for bad in [
        WriteOptions { zstd_level: 99, ..good.clone() },
        WriteOptions { row_group_rows: 0, ..good.clone() },
        WriteOptions { sorted_by: vec![1], ..good },
    ] {
        assert_eq!(create(T::Date, &bad).kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_batch_with_other_columns_is_refused() {
    let file = fixture("duckdb_rows");
    let columns = columns_of(&file);
    let batch = TableRows::new(&file, &columns[..2]).unwrap().next().unwrap().unwrap();
    let mut writer = SegmentWriter::create("m", Vec::new(), &columns, &WriteOptions::default()).unwrap();
    assert_eq!(writer.write(&batch).unwrap_err().kind(), ErrorKind::SchemaMismatch);
}

/// Refuses every write, as a full disk does.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_io_error_that_names_the_file() {
    let file = fixture("duckdb_rows");
    let (files, options) = (std::slice::from_ref(&file), WriteOptions::default());
    let error = rewrite(files, &columns_of(&file), "out.parquet", Full, &options, &|| Ok(())).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("out.parquet"), "{error}");
}
