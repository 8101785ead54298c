#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::sync::Arc;

use arrow::{
    array::{AsArray, Int64Array, RecordBatch, StringArray},
    datatypes::Int64Type,
};

use super::Slices;
use crate::{
    log::commit::{SegmentRecord, SortOrder},
    schema::{ColumnType, Schema},
    segment::{SegmentFile, rewrite::TableRows},
    storage::{Storage, local::LocalStorage},
    table::{
        create::CreateRequest,
        target::{KeyColumns, Target, write_columns},
        write::builder::SegmentBuilder,
    },
};

/// Columns `n` and, as an entity unless told otherwise, `who`.
fn target(entity_columns: &[&str]) -> Target {
    let columns = [("n", ColumnType::BigInt), ("who", ColumnType::Varchar)];
    let schema = Schema::new(columns.map(|(name, ty)| (name.to_owned(), ty))).unwrap();
    let request = CreateRequest {
        index_column: "n".to_owned(),
        bucket: "10".to_owned(),
        timezone: None,
        origin: None,
        origin_zoned: None,
        entity_columns: entity_columns.iter().map(|&name| name.to_owned()).collect(),
        uniqueness: "none".to_owned(),
        counts: false,
        schema: Some(schema),
    };
    Target::of_table(&request.definition().unwrap()).unwrap()
}

/// A segment of rows 0 to 99 of three entities in turn, four rows at once with the same number, in slices of 32; and its row groups.
fn written(target: &Target, by_entity: bool) -> (SegmentRecord, Vec<Vec<(String, i64)>>) {
    let directory = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(directory.path().to_str().unwrap()));
    storage.prepare(&["data"]).unwrap();
    let keys = KeyColumns::of(target).unwrap();
    let builder = SegmentBuilder::create(storage.as_ref(), target, by_entity).unwrap();
    let mut slices = Slices::new(builder, &keys, by_entity);
    slices.slice_rows = 32;
    let all: Vec<(i64, &str)> = (0..100_i64).map(|i| (i / 4, ["C", "A", "B"][(i % 3) as usize])).collect();
    for rows in all.chunks(45) {
        let n = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let who = StringArray::from_iter_values(rows.iter().map(|row| row.1));
        slices
            .push(&RecordBatch::try_from_iter([("n", Arc::new(n) as _), ("who", Arc::new(who) as _)]).unwrap())
            .unwrap();
    }
    let record = slices.finish().unwrap().finish(Vec::new()).unwrap().unwrap();
    let file = SegmentFile::open(storage.open(&record.path).unwrap()).unwrap();
    let columns = write_columns(target);
    let groups = (0..file.row_group_count()).map(|group| {
        let rows = TableRows::filtered(&file, &columns, vec![group], None).unwrap().map(Result::unwrap);
        rows.flat_map(|batch| {
            let (n, who) =
                (batch.column(0).as_primitive::<Int64Type>().clone(), batch.column(1).as_string::<i32>().clone());
            (0..batch.num_rows()).map(move |row| (who.value(row).to_owned(), n.value(row))).collect::<Vec<_>>()
        })
        .collect()
    });
    (record, groups.collect())
}

#[test]
fn a_row_group_is_a_slice_of_the_index_sorted_by_entity() {
    let (record, groups) = written(&target(&["who"]), true);
    assert_eq!((record.row_groups, record.sorted_by), (4, Some(SortOrder::EntityIndex)));
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [32, 32, 32, 4]);
    assert!(groups.iter().all(|rows| rows.is_sorted()));
    let bounds: Vec<_> =
        groups.iter().map(|rows| (rows.iter().map(|r| r.1).min(), rows.iter().map(|r| r.1).max())).collect();
    assert!(bounds.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{bounds:?}");
}

#[test]
fn rows_stay_in_the_order_of_the_index_when_that_is_wanted_or_there_are_no_entities() {
    for (target, by_entity) in [(target(&["who"]), false), (target(&[]), true)] {
        let (record, groups) = written(&target, by_entity);
        assert_eq!((record.row_groups, record.sorted_by), (4, Some(SortOrder::Index)));
        let all: Vec<_> = groups.into_iter().flatten().map(|row| row.1).collect();
        assert_eq!(all, (0..100).map(|i| i / 4).collect::<Vec<_>>());
    }
}
