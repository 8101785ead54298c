//! Files of other writers whose footers are wrong about their values, or whose pages cannot be decoded.

use std::sync::Arc;

use arrow::{array::AsArray, datatypes::Int64Type};
use parquet::file::{properties::WriterVersion, statistics::Statistics, writer::SerializedFileWriter};
use tstable_core::{
    log::adopted::Compared,
    prune::expr::{Comparison, Constant, Expr},
    schema::Strings,
    table::{
        cache::Cache,
        monitor::Unwatched,
        scan::{Scan, ScanRequest, UnitRows},
        write::policy::{AppendRequest, Mode},
    },
    time::IndexRange,
};

use super::{
    adopted::{ROWS, append, at, check, delivered, misstated, stranger, with_footer},
    fixture::World,
};

fn numbers(min: i64, max: i64) -> Statistics {
    Statistics::int64(Some(min), Some(max), None, Some(0), false)
}

#[test]
fn a_footer_that_is_wrong_about_the_index_hides_no_row_and_adds_none() {
    let sound = stranger(WriterVersion::PARQUET_1_0);
    for (what, min, max) in
        [("too late", 120, 299), ("too early", 0, 110), ("one instant", 60, 60), ("elsewhere", 900, 990)]
    {
        let bytes = with_footer(&sound, |row_group, column, chunk| match (row_group, column) {
            (0, 0) => chunk.set_statistics(numbers(at(min), at(max))),
            _ => chunk,
        });
        let world = append(&bytes);
        check(&world, what);
        let adopted = world.latest().state.segments.all().unwrap()[0].record.adopted().unwrap();
        assert_eq!(adopted.distrusted_fields, [1], "{what}");
        assert!(misstated(&world).is_some(), "{what}");
    }
}

#[test]
fn nulls_that_an_old_duckdb_counts_again_in_the_next_row_group_hide_no_value() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/duckdb_0.9_nulls.parquet");
    let world = append(&std::fs::read(path).unwrap());
    let v = || Box::new(Expr::Column(2));
    let above = Expr::Compare(Comparison::Ge, v(), Box::new(Expr::Constant(Constant::Float(0.0))));
    for predicate in [Expr::IsNotNull(v()), above] {
        let asked = ("values", IndexRange::ALL, vec![predicate], Box::new(|_: &_| true) as Box<_>);
        let values = delivered(&world, &asked, Vec::new()).0.into_iter().filter(|row| row.1.is_some()).count();
        assert_eq!(values, 2048, "{:?}", asked.2);
    }
    assert_eq!(misstated(&world), None);
}

#[test]
fn a_column_that_is_constant_by_a_strangers_footer_is_read() {
    let bytes = with_footer(&stranger(WriterVersion::PARQUET_1_0), |_, column, chunk| match column {
        3 => chunk.set_statistics(numbers(7, 7)),
        _ => chunk,
    });
    let world = append(&bytes);
    let request = ScanRequest { columns: vec![3], constants: true, ..ScanRequest::default() };
    let scan = Scan::new(&world.latest(), &Arc::new(Cache::new(1 << 20)), request).unwrap();
    let mut values = Vec::new();
    for number in 0..scan.units() {
        let unit = scan.unit(number, Strings::Plain, 1000).unwrap().unwrap();
        assert_eq!(unit.constants, [None]);
        let UnitRows::Read(batches) = unit.rows else { panic!("the column is read") };
        for batch in batches {
            values.extend(batch.unwrap().column(0).as_primitive::<Int64Type>().values().iter().copied());
        }
    }
    assert_eq!(values, (0..ROWS).collect::<Vec<_>>());
}

#[test]
fn a_dictionary_page_at_offset_0_is_none() {
    let bytes = with_footer(&stranger(WriterVersion::PARQUET_1_0), |_, column, chunk| match column {
        2 => chunk.set_dictionary_page_offset(Some(0)),
        _ => chunk,
    });
    check(&append(&bytes), "offset 0");
}

/// A file whose column `s` holds bytes that are not UTF-8 in its second row group.
fn with_bad_text() -> Vec<u8> {
    let schema =
        "message m { required int64 ts (TIMESTAMP_MICROS); required binary symbol (UTF8); required binary s (UTF8); }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    for (minute, text) in [(0, &b"fine"[..]), (1, b"\xFF\xFE")] {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<parquet::data_type::Int64Type>().write_batch(&[at(minute)], None, None).unwrap();
        column.close().unwrap();
        for value in [&b"NVDA"[..], text] {
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<parquet::data_type::ByteArrayType>()
                .write_batch(&[value.to_vec().into()], None, None)
                .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

#[test]
fn a_file_that_cannot_be_decoded_is_not_moved_and_not_taken_when_verified() {
    let world = World::with("none");
    let path = world.directory.path().join("bad.parquet");
    std::fs::write(&path, with_bad_text()).unwrap();
    for (mode, verify) in [(Mode::Move, false), (Mode::Copy, true), (Mode::Link, true)] {
        let request = AppendRequest { files: vec![path.clone()], mode, verify, ..AppendRequest::default() };
        let error = world.table.append(&world.latest(), &request, &Unwatched).unwrap_err().to_string();
        for words in ["column \"s\"", "bad.parquet", "row group 1", "UTF-8"] {
            assert!(error.contains(words), "{words}: {error}");
        }
        assert!(!error.contains("damaged"), "{error}");
        assert!(path.exists());
        assert_eq!(world.latest().state.version.0, 1);
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
}

#[test]
fn a_column_that_cannot_be_decoded_is_named_and_others_stay_readable() {
    let world = append(&with_bad_text());
    let read = |columns: Vec<usize>| {
        let request = ScanRequest { columns, ..ScanRequest::default() };
        let scan = Scan::new(&world.latest(), &Arc::new(Cache::new(1 << 20)), request).unwrap();
        let mut rows = 0;
        for number in 0..scan.units() {
            let UnitRows::Read(batches) = scan.unit(number, Strings::Plain, 10)?.unwrap().rows else { panic!("read") };
            for batch in batches {
                rows += batch?.num_rows();
            }
        }
        Ok::<_, tstable_core::Error>(rows)
    };
    assert_eq!(read(vec![0, 1]).unwrap(), 2);
    let error = read(vec![0, 2, 1]).unwrap_err().to_string();
    let path = world.latest().state.segments.all().unwrap()[0].record.path.clone();
    for words in ["column \"s\"", path.as_str(), "row group 1"] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_file_that_is_moved_or_verified_has_all_its_statistics_compared() {
    let sound = stranger(WriterVersion::PARQUET_1_0);
    let lying = with_footer(&sound, |_, column, chunk| match column {
        3 => chunk.set_statistics(numbers(7, 7)),
        _ => chunk,
    });
    for (bytes, distrusted) in [(sound, vec![]), (lying, vec![4])] {
        let world = World::with("none");
        let path = world.directory.path().join("stranger.parquet");
        std::fs::write(&path, bytes).unwrap();
        let request = AppendRequest { files: vec![path.clone()], mode: Mode::Move, ..AppendRequest::default() };
        world.table.append(&world.latest(), &request, &Unwatched).unwrap();
        assert!(!path.exists());
        let adopted = world.latest().state.segments.all().unwrap()[0].record.adopted().unwrap();
        assert_eq!((adopted.compared, adopted.distrusted_fields), (Compared::All, distrusted));
        check(&world, "moved");
    }
}
