//! Files of other writers whose page index or statistics are wrong: the rows are those of the pages, whatever is asked.

use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{Array, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Float64Type, Schema, TimestampMicrosecondType},
};
use bytes::Bytes;
use parquet::{
    arrow::ArrowWriter,
    file::{
        metadata::{
            ColumnChunkMetaDataBuilder, ColumnIndexBuilder, OffsetIndexBuilder, PageIndexPolicy, ParquetMetaData,
            ParquetMetaDataReader, ParquetMetaDataWriter,
            page_index::{PageIndex, PageIndexBuilder},
        },
        page_index::{column_index::ColumnIndexMetaData, offset_index::PageLocation},
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::TrackedWrite,
    },
};
use proptest::prelude::*;
use std::io::Write;
use tstable_core::{
    prune::expr::{Comparison, Constant, Expr},
    schema::{ColumnType, Strings, TimeUnit},
    table::{
        cache::Cache,
        monitor::Unwatched,
        scan::{Appliable, Scan, ScanRequest, UnitRows},
        write::policy::OnOverlap,
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::World;

pub(crate) const ROWS: i64 = 600;
const PAGE_ROWS: usize = 50;
pub(crate) const MINUTE_US: i64 = 60_000_000;

type Row = (i64, Option<f64>);

/// One row a minute; pages 4 and 5 of each row group have no value.
fn expected() -> Vec<Row> {
    (0..ROWS).map(|row| (row * MINUTE_US, (!(200..300).contains(&(row % 300))).then_some(row as f64))).collect()
}

/// The file of a stranger, in two row groups, with a page index.
pub(crate) fn stranger(version: WriterVersion) -> Vec<u8> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("ts", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None), false),
        Field::new("symbol", DataType::Utf8, true),
        Field::new("v", DataType::Float64, true),
        Field::new("n", DataType::Int64, true),
    ]));
    let rows = expected();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "NVDA"))),
            Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0 / MINUTE_US))),
        ],
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_created_by("stranger version 1.0".to_owned())
        .set_writer_version(version)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_column_dictionary_enabled("v".into(), false)
        .set_max_row_group_row_count(Some(300))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn metadata(bytes: &[u8]) -> ParquetMetaData {
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.try_parse(&Bytes::copy_from_slice(bytes)).unwrap();
    reader.finish().unwrap()
}

/// Where the page index lies: from the end of the pages to the footer.
fn index_range(bytes: &[u8]) -> std::ops::Range<usize> {
    let footer = usize::try_from(u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()));
    let metadata = metadata(bytes);
    let ends = metadata.row_groups().iter().flat_map(|group| group.columns()).map(|chunk| chunk.byte_range());
    let end = ends.map(|(start, length)| start + length).max().unwrap();
    usize::try_from(end).unwrap()..bytes.len() - 8 - footer.unwrap()
}

/// The file with the first row group's page index of a column as `locate` and `bound` leave it.
fn with_index(
    bytes: &[u8],
    column: usize,
    locate: impl Fn(&mut Vec<PageLocation>),
    bound: impl Fn(&ColumnIndexMetaData) -> ColumnIndexMetaData,
) -> Vec<u8> {
    let metadata = metadata(bytes);
    let old = Arc::clone(metadata.page_index().unwrap());
    let old = old.as_any().downcast_ref::<PageIndex>().unwrap().clone();
    let mut locations = metadata.page_index().unwrap().page_locations(0, column).unwrap().clone();
    locate(&mut locations);
    let mut offsets = OffsetIndexBuilder::new();
    let firsts: Vec<i64> = locations.iter().map(|location| location.first_row_index).collect();
    for (at, location) in locations.iter().enumerate() {
        // The builder adds up rows, so it is given differences, which may be less than none.
        offsets.append_row_count(firsts.get(at + 1).map_or(0, |next| next - firsts[at]));
        offsets.append_offset_and_size(location.offset, location.compressed_page_size);
    }
    let bounds = bound(metadata.page_index().unwrap().column_index(0, column).unwrap());
    let mut index: PageIndexBuilder = old.into_builder();
    index.put_offset_index(offsets.build(), 0, column);
    index.put_column_index(bounds, 0, column);
    let metadata = metadata.into_builder().set_page_index(Some(Arc::new(index.build()))).build();
    let mut out = Vec::new();
    let mut tracked = TrackedWrite::new(&mut out);
    tracked.write_all(&bytes[..index_range(bytes).start]).unwrap();
    ParquetMetaDataWriter::new_with_tracked(tracked, &metadata).finish().unwrap();
    out
}

/// Bounds for the pages of a column, made again page by page.
fn bounds(
    of: &ColumnIndexMetaData,
    ty: parquet::basic::Type,
    page: impl Fn(usize) -> (bool, Vec<u8>, Vec<u8>, i64),
) -> ColumnIndexMetaData {
    let mut builder = ColumnIndexBuilder::new(ty);
    let float = ty == parquet::basic::Type::DOUBLE;
    for at in 0..usize::try_from(of.num_pages()).unwrap() {
        let (is_null, min, max, nulls) = page(at);
        builder.append(is_null, min, max, nulls, float.then_some(0));
    }
    builder.build().unwrap()
}

/// What is asked of a table: the range and the predicate that go to the scan, and which rows they mean.
type Question = (&'static str, IndexRange, Vec<Expr>, Box<dyn Fn(&Row) -> bool>);

pub(crate) fn at(minute: i64) -> i64 {
    minute * MINUTE_US
}

fn compare(column: usize, op: Comparison, constant: Constant) -> Expr {
    Expr::Compare(op, Box::new(Expr::Column(column)), Box::new(Expr::Constant(constant)))
}

fn questions() -> Vec<Question> {
    let ts = |minute| Constant::Temporal(ColumnType::Timestamp(TimeUnit::Us), at(minute));
    let range =
        |from, to| IndexRange { start: Some(IndexValue(at(from).into())), until: Some(IndexValue(at(to).into())) };
    let all = IndexRange::default();
    let mut questions: Vec<Question> = vec![
        ("everything", all, vec![], Box::new(|_| true)),
        ("a range", range(120, 144), vec![], Box::new(|row| (at(120)..at(144)).contains(&row.0))),
        ("a range over row groups", range(280, 330), vec![], Box::new(|row| (at(280)..at(330)).contains(&row.0))),
        ("values", all, vec![Expr::IsNotNull(Box::new(Expr::Column(2)))], Box::new(|row| row.1.is_some())),
        ("no values", all, vec![Expr::IsNull(Box::new(Expr::Column(2)))], Box::new(|row| row.1.is_none())),
    ];
    for minute in [0, 7, 60, 110, 149, 250, 299, 300, 599] {
        questions.push((
            "an instant",
            all,
            vec![compare(0, Comparison::Eq, ts(minute))],
            Box::new(move |row| row.0 == at(minute)),
        ));
        let value = Constant::Float(minute as f64);
        questions.push((
            "a value",
            all,
            vec![compare(2, Comparison::Eq, value)],
            Box::new(move |row| row.1 == Some(minute as f64)),
        ));
    }
    questions
}

/// The rows that a scan gives for the question, and how many it read for them.
fn ask(world: &World, question: &Question) -> (Vec<Row>, usize) {
    let (mut rows, read) = delivered(world, question, Vec::new());
    rows.retain(|row| question.3(row));
    (rows, read)
}

/// The rows that a scan delivers for the question while it applies some predicates itself, and how many batches had.
pub(crate) fn delivered(world: &World, (_, range, predicates, _): &Question, applied: Vec<Expr>) -> (Vec<Row>, usize) {
    let request = ScanRequest {
        columns: vec![0, 2],
        range: *range,
        predicates: predicates.clone(),
        applied,
        constants: true,
        ..ScanRequest::default()
    };
    let scan = Scan::new(&world.latest(), &Arc::new(Cache::new(1 << 20)), request).unwrap();
    let (mut rows, mut read) = (Vec::new(), 0);
    for number in 0..scan.units() {
        let Some(unit) = scan.unit(number, Strings::Dictionary, 37).unwrap() else { continue };
        let UnitRows::Read(batches) = unit.rows else { panic!("columns are read") };
        for batch in batches {
            let batch = batch.unwrap();
            read += batch.num_rows();
            let times = batch.column(unit.places[0].unwrap()).as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                let v = match unit.places[1] {
                    Some(place) => {
                        let values = batch.column(place).as_primitive::<Float64Type>();
                        values.is_valid(row).then(|| values.value(row))
                    }
                    None => {
                        assert_eq!(unit.constants[1], Some(Constant::Null));
                        None
                    }
                };
                rows.push((times.value(row), v));
            }
        }
    }
    (rows, read)
}

pub(crate) fn append(bytes: &[u8]) -> World {
    let world = World::with("none");
    let path: PathBuf = world.directory.path().join("stranger.parquet");
    std::fs::write(&path, bytes).unwrap();
    world.append(&[path], OnOverlap::Error).unwrap();
    world
}

/// All questions, answered as the pages answer them, and without a row too many where the scan applies what is asked.
pub(crate) fn check(world: &World, what: &str) {
    let appliable = Appliable::to(&world.latest()).unwrap();
    for question in questions() {
        if question.2.iter().all(|predicate| appliable.read(predicate).is_some()) {
            let (rows, _) = delivered(world, &question, question.2.clone());
            let expected: Vec<Row> = expected().into_iter().filter(|row| question.3(row)).collect();
            assert_eq!(rows, expected, "{what}, applied: {}", question.0);
        }
        let (rows, _) = ask(world, &question);
        let expected: Vec<Row> = expected().into_iter().filter(|row| question.3(row)).collect();
        assert_eq!(rows, expected, "{what}: {}", question.0);
    }
}

/// What a deep look says of the statistics of the table's segments.
pub(crate) fn misstated(world: &World) -> Option<String> {
    let findings = world.table.verify(true, &Unwatched).unwrap();
    let problem = |what: &str| findings.iter().find(|finding| finding.what == what).and_then(|f| f.problem.clone());
    assert_eq!(problem("segment"), None);
    problem("statistics")
}

#[test]
fn the_page_index_of_a_sound_file_is_used() {
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        let world = append(&stranger(version));
        check(&world, "sound");
        assert_eq!(misstated(&world), None);
        let question = questions().into_iter().find(|question| question.0 == "a range").unwrap();
        assert_eq!(ask(&world, &question).1, 24);
        let file = tstable_core::table::opened::open(
            world.latest().storage().as_ref(),
            world.latest().state.segments.all().unwrap()[0],
            world.latest().definition(),
        );
        assert_eq!(file.unwrap().pages(0, 0).unwrap().unwrap().len(), 300 / PAGE_ROWS);
    }
}

#[test]
fn rows_that_a_page_index_misplaces_are_found_all_the_same() {
    let same = |index: &ColumnIndexMetaData| index.clone();
    type Locate = fn(&mut Vec<PageLocation>);
    let lies: [(&str, Locate); 7] = [
        ("every page begins with the first row", |pages| pages.iter_mut().for_each(|page| page.first_row_index = 0)),
        ("an inner page begins late", |pages| pages[2].first_row_index += 30),
        ("pages begin late and the last makes up for it", |pages| {
            pages[1..5].iter_mut().for_each(|page| page.first_row_index += 10);
        }),
        ("pages in the wrong order", |pages| pages.swap(1, 2)),
        ("two pages in the place of each other", |pages| {
            let (a, b) = (pages[1].offset, pages[2].offset);
            (pages[1].offset, pages[2].offset) = (b, a);
        }),
        ("a page too few", |pages| pages.truncate(5)),
        ("a page outside the chunk", |pages| pages[3].offset += 1_000_000),
    ];
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        let sound = stranger(version);
        for (what, locate) in lies {
            for column in [0, 2] {
                let world = append(&with_index(&sound, column, locate, same));
                check(&world, what);
                assert!(misstated(&world).is_some_and(|problem| problem.contains("page index")), "{what}");
            }
        }
    }
}

#[test]
fn bounds_of_pages_that_are_not_those_of_their_rows_hide_no_row() {
    use parquet::basic::Type::{DOUBLE, INT64};
    let sound = stranger(WriterVersion::PARQUET_1_0);
    let number = |minute: usize| at(i64::try_from(minute).unwrap()).to_le_bytes().to_vec();
    let value = |value: usize| (value as f64).to_le_bytes().to_vec();
    type Bound<'a> = Box<dyn Fn(&ColumnIndexMetaData) -> ColumnIndexMetaData + 'a>;
    let none = |_: &mut Vec<PageLocation>| ();
    let lies: [(&str, usize, Bound<'_>); 7] = [
        ("all pages NULL, no NULL counted", 2, Box::new(|of| bounds(of, DOUBLE, |_| (true, vec![], vec![], 0)))),
        (
            "all pages NULL, NULLs counted as unknown",
            2,
            Box::new(|of| bounds(of, DOUBLE, |_| (true, vec![], vec![], -1))),
        ),
        ("all pages NULL, all NULLs counted", 2, Box::new(|of| bounds(of, DOUBLE, |_| (true, vec![], vec![], 50)))),
        ("all index pages NULL", 0, Box::new(|of| bounds(of, INT64, |_| (true, vec![], vec![], 50)))),
        (
            "index bounds in the wrong order",
            0,
            Box::new(|of| bounds(of, INT64, |page| (false, number(page * 50 + 49), number(page * 50), 0))),
        ),
        // Inside those of the chunk, which they reach: only the rows tell.
        (
            "index bounds of other pages",
            0,
            Box::new(|of| bounds(of, INT64, |page| (false, number((5 - page) * 50), number((5 - page) * 50 + 49), 0))),
        ),
        (
            "bounds of other pages",
            2,
            Box::new(|of| {
                bounds(of, DOUBLE, |page| match page {
                    4 | 5 => (true, vec![], vec![], 50),
                    _ => (false, value((3 - page) * 50), value((3 - page) * 50 + 49), 0),
                })
            }),
        ),
    ];
    for (what, column, bound) in lies {
        let world = append(&with_index(&sound, column, none, bound));
        check(&world, what);
        assert!(misstated(&world).is_some(), "{what}");
    }
}

#[test]
fn what_an_append_finds_misstated_is_in_the_log_by_field() {
    let sound = stranger(WriterVersion::PARQUET_1_0);
    let number = |page: usize, row: usize| at(i64::try_from((5 - page) * 50 + row).unwrap()).to_le_bytes().to_vec();
    let swapped = with_index(
        &sound,
        0,
        |_| (),
        |of| bounds(of, parquet::basic::Type::INT64, |page| (false, number(page, 0), number(page, 49), 0)),
    );
    for (bytes, distrusted) in [(&sound, vec![]), (&swapped, vec![1])] {
        let latest = append(bytes).latest();
        let adopted = latest.state.segments.all().unwrap()[0].record.adopted().unwrap();
        assert_eq!(adopted.distrusted_fields, distrusted);
    }
}

#[test]
fn a_page_index_of_garbage_or_cut_short_is_as_good_as_none() {
    let sound = stranger(WriterVersion::PARQUET_2_0);
    let range = index_range(&sound);
    let mut garbage = sound.clone();
    garbage[range.clone()].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(31).wrapping_add(17));
    let mut zeros = sound.clone();
    zeros[range.clone()].fill(0);
    let mut ones = sound.clone();
    ones[range.clone()].fill(0xFF);
    for (what, bytes) in [("garbage", garbage), ("zeros", zeros), ("ones", ones)] {
        let world = append(&bytes);
        check(&world, what);
        assert!(misstated(&world).is_some(), "{what}");
    }
}

/// The file with another footer: each column chunk as `change` leaves it.
pub(crate) fn with_footer(
    bytes: &[u8],
    change: impl Fn(usize, usize, ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
) -> Vec<u8> {
    let metadata = metadata(bytes);
    let groups = metadata.row_groups().iter().enumerate().map(|(row_group, group)| {
        let chunks = group.columns().iter().enumerate();
        let chunks =
            chunks.map(|(column, chunk)| change(row_group, column, chunk.clone().into_builder()).build().unwrap());
        group.clone().into_builder().set_column_metadata(chunks.collect()).build().unwrap()
    });
    let groups = groups.collect();
    let metadata = metadata.into_builder().set_row_groups(groups).build();
    let mut out = Vec::new();
    let mut tracked = TrackedWrite::new(&mut out);
    tracked.write_all(&bytes[..index_range(bytes).start]).unwrap();
    ParquetMetaDataWriter::new_with_tracked(tracked, &metadata).finish().unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn no_change_to_the_page_index_of_an_adopted_file_changes_an_answer(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
        v2 in any::<bool>(),
    ) {
        let mut bytes = stranger(if v2 { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 });
        let range = index_range(&bytes);
        for (at, flip) in flips {
            bytes[range.start + at.index(range.len())] ^= flip;
        }
        check(&append(&bytes), "flipped");
    }
}
