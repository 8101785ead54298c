//! Columns of which nothing but NULL has been seen: they fit every type, and decide none.

use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, Float64Array, ListArray, RecordBatch, TimestampMicrosecondArray, new_null_array},
    buffer::OffsetBuffer,
    datatypes::{DataType, TimeUnit as ArrowUnit},
};
use tstable_core::{
    ErrorKind,
    log::OPEN_TYPES,
    schema::{ColumnType, Field, Schema, Strings, TimeUnit},
    segment::{SegmentWriter, WriteColumn, WriteOptions},
    storage::local::LocalStorage,
    table::{
        CreateRequest, Table,
        append::Appended,
        compact::{CompactRequest, Order},
        load::LoadRequest,
        monitor::Unwatched,
        write::policy::{AppendRequest, OnOverlap},
    },
    time::IndexRange,
};

use super::fixture::{HOUR_US, World, batches};

fn list(ty: ColumnType) -> ColumnType {
    ColumnType::List(Box::new(Field::new("element", ty)))
}

/// A file with a row at that hour and a column `x`.
fn file(world: &World, hour: i64, ty: &ColumnType, x: &ArrayRef) -> PathBuf {
    let path = world.directory.path().join(format!("x{hour}.parquet"));
    let column = |name: &str, ty: &ColumnType| WriteColumn { name: name.to_owned(), ty: ty.clone(), field_id: None };
    let columns = [column("ts", &ColumnType::Timestamp(TimeUnit::Us)), column("x", ty)];
    let mut writer =
        SegmentWriter::create("test", std::fs::File::create(&path).unwrap(), &columns, &WriteOptions::default())
            .unwrap();
    writer.write(&batch(hour, ty, x)).unwrap();
    writer.finish().unwrap();
    path
}

fn batch(hour: i64, ty: &ColumnType, x: &ArrayRef) -> RecordBatch {
    let fields = vec![
        arrow::datatypes::Field::new("ts", DataType::Timestamp(ArrowUnit::Microsecond, None), true),
        ty.arrow_field("x", Strings::Plain),
    ];
    let ts = Arc::new(TimestampMicrosecondArray::from(vec![hour * HOUR_US]));
    RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), vec![ts, Arc::clone(x)]).unwrap()
}

fn nulls(ty: &ColumnType) -> ArrayRef {
    new_null_array(&ty.arrow(Strings::Plain), 1)
}

fn world() -> World {
    let mut world = World::new();
    let root = world.directory.path().join("open");
    world.table = Table::new(Arc::new(LocalStorage::new(root.to_str().unwrap())));
    world.table.create(CreateRequest::new("ts", "1h").definition().unwrap(), false).unwrap();
    world
}

fn append(world: &World, files: &[PathBuf]) -> tstable_core::Result<Appended> {
    let request = AppendRequest { files: files.to_vec(), on_overlap: OnOverlap::Error, ..AppendRequest::default() };
    world.table.append(&world.latest(), &request, &Unwatched)
}

fn compact(world: &World) {
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 100, order: Order::Index, dry_run: false };
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
}

fn type_of_x(world: &World) -> ColumnType {
    world.latest().schema().unwrap().type_of("x").unwrap().clone()
}

/// Whether each row of `x`, in the order of segments, is NULL.
fn null_rows(world: &World) -> Vec<bool> {
    let column = |batch: RecordBatch| {
        let x = batch.column(1).clone();
        (0..x.len()).map(|row| x.is_null(row)).collect::<Vec<_>>()
    };
    batches(&world.latest()).into_iter().flat_map(column).collect()
}

fn commit(world: &World) -> String {
    let path = format!("open/_timeseries_log/{:010}.json", world.latest().state.version.0);
    std::fs::read_to_string(world.directory.path().join(path)).unwrap()
}

#[test]
fn a_file_of_nulls_fits_every_type_as_it_is() {
    for ty in [ColumnType::Double, ColumnType::Varchar, ColumnType::TimestampTz(TimeUnit::Us), list(ColumnType::BigInt)]
    {
        let world = world();
        append(&world, &[file(&world, 0, &ty, &nulls(&ty))]).unwrap();
        append(&world, &[file(&world, 1, &ColumnType::Null, &nulls(&ColumnType::Null))]).unwrap();
        let latest = world.latest();
        let segments = latest.state.segments.all().unwrap();
        assert_eq!(segments[1].record.missing_fields, [2], "no reader, however old, looks at the column");
        assert_eq!((type_of_x(&world), null_rows(&world)), (ty, vec![true, true]));
    }
}

#[test]
fn the_first_file_with_a_type_settles_it_in_its_own_commit() {
    let world = world();
    append(&world, &[file(&world, 0, &ColumnType::Null, &nulls(&ColumnType::Null))]).unwrap();
    assert_eq!(type_of_x(&world), ColumnType::Null);
    assert!(commit(&world).contains(OPEN_TYPES), "readers that do not know open types must refuse the table");
    append(&world, &[file(&world, 1, &ColumnType::Null, &nulls(&ColumnType::Null))]).unwrap();
    assert_eq!(null_rows(&world), [true, true]);
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    append(&world, &[file(&world, 2, &ColumnType::Double, &price)]).unwrap();
    assert!(!commit(&world).contains(OPEN_TYPES));
    assert_eq!((type_of_x(&world), null_rows(&world)), (ColumnType::Double, vec![true, true, false]));
    assert_eq!(world.at(3).schema().unwrap().type_of("x"), Some(&ColumnType::Null));
    let other = file(&world, 3, &ColumnType::Varchar, &nulls(&ColumnType::Varchar));
    assert_eq!(append(&world, &[other]).unwrap_err().kind(), ErrorKind::SchemaMismatch);
    compact(&world);
    assert_eq!((type_of_x(&world), null_rows(&world)), (ColumnType::Double, vec![true, true, false]));
    assert_eq!(
        world.table.verify(true, &Unwatched).unwrap().into_iter().find(|finding| finding.problem.is_some()),
        None
    );
}

#[test]
fn what_is_still_open_can_be_compacted_and_settled_afterwards() {
    let world = world();
    for hour in 0..3 {
        append(&world, &[file(&world, hour, &ColumnType::Null, &nulls(&ColumnType::Null))]).unwrap();
    }
    compact(&world);
    assert_eq!(null_rows(&world), [true, true, true]);
    append(&world, &[file(&world, 3, &ColumnType::Uuid, &nulls(&ColumnType::Uuid))]).unwrap();
    assert_eq!((type_of_x(&world), null_rows(&world)), (ColumnType::Uuid, vec![true; 4]));
}

#[test]
fn files_of_one_call_settle_it_whatever_their_order() {
    let world = world();
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    let files = [
        file(&world, 0, &ColumnType::Null, &nulls(&ColumnType::Null)),
        file(&world, 1, &ColumnType::Double, &price),
        file(&world, 2, &ColumnType::Null, &nulls(&ColumnType::Null)),
    ];
    append(&world, &files).unwrap();
    assert_eq!((type_of_x(&world), null_rows(&world)), (ColumnType::Double, vec![true, false, true]));
}

#[test]
fn what_is_open_inside_a_list_is_settled_too() {
    let world = world();
    let (open, numbers) = (list(ColumnType::Null), list(ColumnType::Double));
    append(&world, &[file(&world, 0, &open, &nulls(&open))]).unwrap();
    assert_eq!(type_of_x(&world), open);
    let DataType::List(element) = numbers.arrow(Strings::Plain) else { panic!("a list came as another Arrow type") };
    let prices = Arc::new(Float64Array::from(vec![1.5]));
    let values: ArrayRef = Arc::new(ListArray::new(element, OffsetBuffer::from_lengths([1]), prices, None));
    append(&world, &[file(&world, 1, &numbers, &values)]).unwrap();
    append(&world, &[file(&world, 2, &open, &nulls(&open))]).unwrap();
    assert_eq!((type_of_x(&world), null_rows(&world)), (numbers, vec![true, false, true]));
}

#[test]
fn an_index_or_entity_is_never_open() {
    let schema = Schema::new([("ts".to_owned(), ColumnType::Null)]).unwrap();
    let mut definition = CreateRequest::new("ts", "1h").definition().unwrap();
    assert!(definition.adopt_schema(schema).is_err());
    let world = World::new();
    let columns =
        [("ts", ColumnType::Timestamp(TimeUnit::Us)), ("symbol", ColumnType::Null), ("price", ColumnType::Double)];
    let columns = columns.map(|(name, ty)| (name.to_owned(), ty)).to_vec();
    assert!(world.table.loader(&columns, LoadRequest::default()).is_err());
}

#[test]
fn rows_of_a_query_settle_it_as_files_do() {
    let world = world();
    let load = |hour, ty: &ColumnType, x: &ArrayRef| {
        let columns = [("ts".to_owned(), ColumnType::Timestamp(TimeUnit::Us)), ("x".to_owned(), ty.clone())];
        let mut loader = world.table.loader(&columns, LoadRequest::default()).unwrap();
        loader.push(&batch(hour, ty, x)).unwrap();
        loader.finish(&Unwatched).unwrap();
    };
    load(0, &ColumnType::Null, &nulls(&ColumnType::Null));
    assert_eq!(type_of_x(&world), ColumnType::Null);
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    load(1, &ColumnType::Double, &price);
    load(2, &ColumnType::Null, &nulls(&ColumnType::Null));
    assert_eq!((type_of_x(&world), null_rows(&world)), (ColumnType::Double, vec![true, false, true]));
}
