//! The pass over index and entity columns.

use std::{sync::Arc, time::Instant};

use arrow::{
    array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array},
    datatypes::Int32Type,
};
use tstable_core::{
    ErrorKind, Result,
    coverage::EntityPart,
    schema::{ColumnType, TimeUnit},
    segment::{
        SegmentFile, SegmentWriter, WriteColumn, WriteOptions,
        inspect::{InspectRequest, inspect},
        visit::{EntityBatch, IndexValues, Inspection, RowVisitor},
    },
};

use super::{fixture, from_bytes, own};

/// Every row as index and entity.
#[derive(Default)]
struct Rows(Vec<(i128, Vec<EntityPart>)>);

impl RowVisitor for Rows {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        let index: Vec<i128> = match index {
            IndexValues::Signed(values) => values.iter().map(|value| i128::from(*value)).collect(),
            IndexValues::Unsigned(values) => values.iter().map(|value| i128::from(*value)).collect(),
        };
        assert_eq!(index.len(), entities.codes.len());
        let entity = |code: &u32| entities.entities[*code as usize].parts().to_vec();
        self.0.extend(index.into_iter().zip(entities.codes.iter().map(entity)));
        Ok(())
    }
}

fn text(value: &str) -> EntityPart {
    EntityPart::Text(Arc::from(value))
}

fn file_of(columns: Vec<(&str, ColumnType, ArrayRef)>, row_group_rows: usize) -> SegmentFile {
    let written: Vec<_> = columns
        .iter()
        .map(|(name, ty, _)| WriteColumn { name: (*name).to_owned(), ty: ty.clone(), field_id: None })
        .collect();
    let options = WriteOptions { row_group_rows, ..WriteOptions::default() };
    let mut writer = SegmentWriter::create("memory.parquet", Vec::new(), &written, &options).unwrap();
    let batch = RecordBatch::try_from_iter(columns.into_iter().map(|(name, _, array)| (name, array))).unwrap();
    writer.write(&batch).unwrap();
    from_bytes(writer.finish().unwrap().1).unwrap()
}

fn look(file: &SegmentFile, index: &str, entities: &[&str]) -> (Result<Inspection>, Rows) {
    let request =
        InspectRequest { index: own(file, index), entities: entities.iter().map(|name| own(file, name)).collect() };
    let mut rows = Rows::default();
    (inspect(file, &request, &mut rows), rows)
}

#[test]
fn two_entity_columns_of_different_types_make_one_entity() {
    let file = fixture("duckdb_rows");
    let (found, rows) = look(&file, "ts", &["symbol", "venue"]);
    let found = found.unwrap();
    assert_eq!(found.rows, 6000);
    assert_eq!(found.index, Some((1_704_067_200_000_000, 1_704_067_200_000_000 + 5999 * 60_000_000)));
    assert!(found.sorted_by_index && !found.sorted_by_entity_and_index);
    assert_eq!(found.entities.len(), 6);
    assert_eq!(*found.entities[1].parts(), [text("BBB"), EntityPart::Int(1)]);
    for (row, (index, entity)) in rows.0.iter().enumerate() {
        assert_eq!(*index, 1_704_067_200_000_000 + row as i128 * 60_000_000);
        let symbol = if row % 2 == 0 { "AAA" } else { "BBB" };
        assert_eq!(*entity, [text(symbol), EntityPart::Int(row as i128 % 3)]);
    }
}

#[test]
fn without_entity_columns_there_is_one_entity_without_values() {
    let file = fixture("pyarrow_pages");
    let (found, rows) = look(&file, "ts", &[]);
    let found = found.unwrap();
    assert_eq!(found.entities.iter().map(|e| e.parts().to_vec()).collect::<Vec<_>>(), [Vec::new()]);
    assert!(found.sorted_by_entity_and_index);
    assert_eq!(rows.0.len(), 1000);
}

#[test]
fn order_by_entity_is_seen_across_row_groups() {
    let file = fixture("pyarrow_pages");
    let (found, _) = look(&file, "ts", &["symbol"]);
    assert!(found.unwrap().sorted_by_entity_and_index);
    let symbols: ArrayRef = Arc::new(StringArray::from(vec!["b", "b", "a", "a"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    let columns = vec![("n", ColumnType::BigInt, numbers), ("s", ColumnType::Varchar, symbols)];
    let found = look(&file_of(columns, 2), "n", &["s"]).0.unwrap();
    assert!(found.sorted_by_index && !found.sorted_by_entity_and_index);
}

#[test]
fn an_index_that_falls_between_row_groups_is_not_sorted() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![3, 4, 1, 2]));
    let found = look(&file_of(vec![("n", ColumnType::BigInt, numbers)], 2), "n", &[]).0.unwrap();
    assert!(!found.sorted_by_index && !found.sorted_by_entity_and_index);
    assert_eq!(found.index, Some((1, 4)));
}

#[test]
fn an_unsigned_index_keeps_its_upper_half() {
    let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![0, u64::MAX]));
    let (found, rows) = look(&file_of(vec![("n", ColumnType::UBigInt, numbers)], 10), "n", &[]);
    assert_eq!(found.unwrap().index, Some((0, u64::MAX.into())));
    assert_eq!(rows.0[1].0, i128::from(u64::MAX));
}

#[test]
fn nulls_are_counted_by_column_and_the_first_row_is_named() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), None, None]));
    let symbols: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), Some("c"), Some("d")]));
    let columns = vec![("n", ColumnType::BigInt, numbers), ("s", ColumnType::Varchar, symbols)];
    let error = look(&file_of(columns, 2), "n", &["s"]).0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let message = error.message();
    assert!(message.contains("\"n\" is NULL in 2 of 5 rows, first in row 4"), "{message}");
    assert!(message.contains("\"s\" is NULL in 1 of 5 rows, first in row 2"), "{message}");
}

#[test]
fn a_file_without_rows_has_no_bounds() {
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let found = look(&file_of(vec![("n", ColumnType::BigInt, none)], 2), "n", &[]).0.unwrap();
    assert_eq!((found.rows, found.index), (0, None));
}

/// Sees rows and keeps nothing.
struct Quick(u64);

impl RowVisitor for Quick {
    fn batch(&mut self, _: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        self.0 += entities.codes.len() as u64;
        Ok(())
    }
}

#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture"]
#[allow(clippy::print_stderr)]
fn a_quarter_of_a_million_rows() {
    let count = 250_000;
    let ts: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values((0..count).map(|i| i * 1_000_000)));
    let names: Vec<String> = (0..count).map(|i| format!("SYM{}", i % 500)).collect();
    let symbols: DictionaryArray<Int32Type> = names.iter().map(String::as_str).collect();
    let columns = vec![
        ("ts", ColumnType::Timestamp(TimeUnit::Us), ts),
        ("symbol", ColumnType::Varchar, Arc::new(symbols) as ArrayRef),
    ];
    let file = file_of(columns, 122_880);
    let request = InspectRequest { index: own(&file, "ts"), entities: vec![own(&file, "symbol")] };
    for _ in 0..5 {
        let (mut rows, start) = (Quick(0), Instant::now());
        let found = inspect(&file, &request, &mut rows).unwrap();
        eprintln!("{} rows, {} entities in {:?}", rows.0, found.entities.len(), start.elapsed());
    }
}

#[test]
fn a_column_that_cannot_index_is_refused() {
    let file = fixture("duckdb_rows");
    assert_eq!(look(&file, "price", &[]).0.unwrap_err().kind(), ErrorKind::InvalidArgument);
}
