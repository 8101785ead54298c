#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::{
    array::{AsArray, Int64Array, RecordBatch, StringArray},
    datatypes::Int64Type,
};

use super::{MERGED_RUNS, Sorter};
use crate::{
    schema::{ColumnType, Schema},
    storage::{Storage, local::LocalStorage},
    table::{create::CreateRequest, monitor::Unwatched, target::Target},
    time::{IndexRange, IndexValue},
};

fn target() -> Target {
    let columns = [("n", ColumnType::BigInt), ("who", ColumnType::Varchar), ("seq", ColumnType::BigInt)];
    let schema = Schema::new(columns.map(|(name, ty)| (name.to_owned(), ty))).unwrap();
    let request =
        CreateRequest { entity_columns: vec!["who".to_owned()], schema: Some(schema), ..CreateRequest::new("n", "10") };
    Target::of_table(&request.definition().unwrap()).unwrap()
}

fn batch(rows: &[(i64, &str, i64)]) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0))) as _),
        ("who", Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))) as _),
        ("seq", Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.2))) as _),
    ])
    .unwrap()
}

/// The rows of a range as the sorter gives them.
fn sorted(sorter: &mut Sorter, range: &IndexRange) -> Vec<(String, i64, i64)> {
    let mut rows = Vec::new();
    let each = sorter.each(range, &Unwatched, |batch| {
        rows.extend(shown(batch));
        Ok(())
    });
    each.unwrap();
    rows
}

fn shown(batch: &RecordBatch) -> Vec<(String, i64, i64)> {
    let (n, who, seq) =
        (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>(), batch.column(2));
    let seq = seq.as_primitive::<Int64Type>();
    (0..batch.num_rows()).map(|row| (who.value(row).to_owned(), n.value(row), seq.value(row))).collect()
}

#[test]
fn runs_on_disk_give_the_same_order_as_memory_and_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(directory.path().to_str().unwrap()));
    storage.prepare(&["data"]).unwrap();
    let target = Arc::new(target());
    let all: Vec<(i64, &str, i64)> =
        (0..30_000_i64).map(|i| ((i * 7919) % 1000 - 500, if i % 3 == 0 { "B" } else { "A" }, i)).collect();
    let ranges = [IndexRange::ALL, IndexRange::new(IndexValue(-20), IndexValue(30))];
    for range in ranges {
        let mut expected: Vec<_> = all.iter().filter(|r| range.contains(IndexValue(r.0.into()))).collect();
        expected.sort_by_key(|r| (r.1, r.0));
        let expected: Vec<_> = expected.into_iter().map(|r| (r.1.to_owned(), r.0, r.2)).collect();
        for memory_bytes in [1, 100_000, usize::MAX] {
            let mut sorter = Sorter::new(&storage, &target, vec![1, 0], memory_bytes);
            for rows in all.chunks(if memory_bytes == 1 { 3000 } else { 500 }) {
                sorter.push(batch(rows)).unwrap();
            }
            assert_eq!(sorted(&mut sorter, &range), expected, "{memory_bytes}");
            assert_eq!(sorted(&mut sorter, &range), expected, "again, {memory_bytes}");
            if range == IndexRange::ALL {
                let pulled = sorter.sorted(&Unwatched).unwrap().flat_map(|batch| shown(&batch.unwrap()));
                assert_eq!(pulled.collect::<Vec<_>>(), expected, "one batch at a time, {memory_bytes}");
            }
        }
        assert!(storage.list("data").unwrap().is_empty());
    }
}

#[test]
fn however_many_runs_there_are_few_are_merged_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(directory.path().to_str().unwrap()));
    storage.prepare(&["data"]).unwrap();
    let target = Arc::new(target());
    for count in [MERGED_RUNS, MERGED_RUNS + 1, 2 * MERGED_RUNS - 1, MERGED_RUNS * MERGED_RUNS + 2 * MERGED_RUNS - 1] {
        let mut sorter = Sorter::new(&storage, &target, vec![0], 1);
        let mut expected = Vec::new();
        for run in 0..count as i64 {
            // Many equal values, so that their order shows.
            let rows: Vec<_> = (0..3).map(|i| ((run * 5 + i * 7) % 11, "A", run * 3 + i)).collect();
            sorter.push(batch(&rows)).unwrap();
            assert!(storage.list("data").unwrap().len() <= 3 * MERGED_RUNS);
            expected.extend(rows);
        }
        expected.sort_by_key(|row| row.0);
        let expected: Vec<_> = expected.into_iter().map(|r| (r.1.to_owned(), r.0, r.2)).collect();
        assert_eq!(sorted(&mut sorter, &IndexRange::ALL), expected, "{count} runs");
        assert!(storage.list("data").unwrap().len() <= MERGED_RUNS);
        drop(sorter);
        assert!(storage.list("data").unwrap().is_empty());
    }
}
