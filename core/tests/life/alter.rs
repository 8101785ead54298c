//! Columns that go, get another name or a wider type.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    },
    compute::cast,
    datatypes::{DataType, Float64Type, TimestampMicrosecondType},
};
use tstable_core::{
    ErrorKind, Result,
    log::{ALTERED_COLUMNS, Version},
    schema::ColumnType,
    table::{
        Snapshot,
        amend::alter::Alteration,
        commit::Changed,
        compact::{CompactRequest, Order},
        monitor::Unwatched,
        write::policy::OnOverlap,
    },
    time::IndexRange,
};

use super::fixture::{HOUR_US, Meanwhile, World, batches, is_null, write};

fn rename(old: &str, new: &str) -> Alteration {
    Alteration { rename: vec![(old.to_owned(), new.to_owned())], ..Alteration::default() }
}

fn dropping(name: &str) -> Alteration {
    Alteration { drop: vec![name.to_owned()], ..Alteration::default() }
}

fn typed(name: &str, ty: ColumnType) -> Alteration {
    Alteration { types: vec![(name.to_owned(), ty)], ..Alteration::default() }
}

fn alter(world: &World, alteration: &Alteration) -> Result<Changed> {
    world.table.alter(&world.latest(), alteration, &Unwatched)
}

fn compact(world: &World) {
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
}

fn world() -> World {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0), (1.0, "A", 2.0)])], OnOverlap::Error).unwrap();
    world
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    snapshot.schema().unwrap().columns.iter().map(|column| column.name.clone()).collect()
}

#[test]
fn a_commit_that_renames_asks_for_readers_that_know_of_it_and_one_that_drops_does_not() {
    let world = world();
    let requires = |changed: Changed| world.table.log().read(changed.snapshot.state.version).unwrap().unwrap().requires;
    assert_eq!(requires(alter(&world, &rename("price", "last")).unwrap()), [ALTERED_COLUMNS]);
    assert_eq!(requires(alter(&world, &dropping("last")).unwrap()), Vec::<String>::new());
}

#[test]
fn a_checkpoint_of_renamed_columns_is_none_for_who_does_not_know_of_them() {
    let world = world();
    let magic = |world: &World| {
        world.table.checkpoint().unwrap();
        let path = tstable_core::log::checkpoint::checkpoint_path(world.latest().state.version);
        std::fs::read(world.directory.path().join("t").join(path)).unwrap()[..8].to_vec()
    };
    assert_eq!(magic(&world), b"TSCKPT\x03\n");
    alter(&world, &rename("price", "last")).unwrap();
    assert_eq!(magic(&world), b"TSCKPT\x05\n");
    assert_eq!(names(&world.latest()), ["ts", "symbol", "last"]);
    assert_eq!(is_null(&batches(&world.latest())[0], "last"), [false, false]);
}

#[test]
fn an_append_under_old_names_loses_to_an_alteration_that_came_between() {
    for alteration in [rename("price", "last"), dropping("price"), rename("ts", "time")] {
        let world = world();
        let file = world.file(&[(5.0, "A", 3.0)]);
        let meanwhile = Meanwhile::new(|| drop(alter(&world, &alteration).unwrap()));
        let refused = world.append_watched(&[file], OnOverlap::Error, &meanwhile).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
}

#[test]
fn a_column_that_came_in_the_place_of_one_of_its_name_takes_no_value_of_an_append_that_meant_the_other() {
    let world = world();
    let file = world.file(&[(5.0, "A", 3.0)]);
    let meanwhile = Meanwhile::new(|| {
        alter(&world, &dropping("price")).unwrap();
        world.table.add_columns(&world.latest(), &[("price".to_owned(), ColumnType::Double)]).unwrap();
    });
    let refused = world.append_watched(&[file], OnOverlap::Error, &meanwhile).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    assert_eq!(is_null(&batches(&world.latest())[0], "price"), [true, true]);
}

#[test]
fn an_alteration_follows_what_others_append_and_compact_meanwhile() {
    let world = world();
    world.append(&[world.file(&[(2.0, "A", 3.0)])], OnOverlap::Error).unwrap();
    let latest = world.latest();
    let meanwhile = Meanwhile::new(|| {
        world.append(&[world.file(&[(5.0, "A", 4.0)])], OnOverlap::Error).unwrap();
        compact(&world);
    });
    world.table.alter(&latest, &rename("price", "last"), &meanwhile).unwrap();
    assert_eq!(names(&world.latest()), ["ts", "symbol", "last"]);
    assert_eq!(is_null(&batches(&world.latest())[0], "last"), [false; 4]);
}

#[test]
fn a_value_that_the_new_type_does_not_hold_is_named() {
    let world = World::new();
    append_row(&world, 0, &[Column { name: "n".to_owned(), ty: ColumnType::BigInt, key: 0 }], &[(1 << 53) + 1]);
    let refused = alter(&world, &typed("n", ColumnType::Double)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SchemaMismatch, "{refused}");
    assert!(refused.to_string().contains("9007199254740993"), "{refused}");
    assert_eq!(world.latest().state.version, Version(2));
}

/// A column of the model; `key` tells it from another of its name.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    ty: ColumnType,
    key: u64,
}

/// What a version holds: its columns, and by hour the values by the columns' keys.
#[derive(Debug, Clone, Default)]
struct Model {
    columns: Vec<Column>,
    rows: BTreeMap<i64, BTreeMap<u64, i64>>,
}

fn append_row(world: &World, hour: i64, columns: &[Column], values: &[i64]) {
    let mut arrays: Vec<(String, ArrayRef)> = vec![
        ("ts".to_owned(), Arc::new(TimestampMicrosecondArray::from(vec![hour * HOUR_US]))),
        ("symbol".to_owned(), Arc::new(StringArray::from(vec!["A"]))),
    ];
    for (column, value) in columns.iter().zip(values) {
        let array: ArrayRef = match column.ty {
            ColumnType::Integer => Arc::new(Int32Array::from(vec![i32::try_from(*value).unwrap()])),
            ColumnType::BigInt => Arc::new(Int64Array::from(vec![*value])),
            _ => Arc::new(Float64Array::from(vec![*value as f64])),
        };
        arrays.push((column.name.clone(), array));
    }
    let path = world.directory.path().join(format!("row{hour}.parquet"));
    write(&path, &RecordBatch::try_from_iter(arrays).unwrap());
    world.append(&[path], OnOverlap::Error).unwrap();
}

/// The table as the model has it.
fn check(snapshot: &Snapshot, model: &Model) {
    let expected: Vec<_> = model.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
    let found = snapshot.schema().unwrap().columns[2..].iter().map(|c| (c.name.clone(), c.ty.clone()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let mut rows = BTreeMap::new();
    for batch in batches(snapshot) {
        let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let mut values = BTreeMap::new();
            for (at, column) in model.columns.iter().enumerate() {
                let numbers = cast(batch.column(at + 2), &DataType::Float64).unwrap();
                let numbers = numbers.as_primitive::<Float64Type>();
                #[expect(clippy::cast_possible_truncation, reason = "the model's numbers are small")]
                if numbers.iter().nth(row).unwrap().is_some() {
                    values.insert(column.key, numbers.value(row) as i64);
                }
            }
            rows.insert(times.value(row) / HOUR_US, values);
        }
    }
    let live = |key: &u64| model.columns.iter().any(|column| column.key == *key);
    let expected = model.rows.iter().map(|(hour, values)| {
        (*hour, values.iter().filter(|(key, _)| live(key)).map(|(key, value)| (*key, *value)).collect())
    });
    assert_eq!(rows, expected.collect::<BTreeMap<i64, BTreeMap<u64, i64>>>());
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    /// A name that no column of the model has.
    fn name(&mut self, model: &Model) -> String {
        loop {
            let name = ["p", "q", "r", "s", "t"][self.below(5)];
            if model.columns.iter().all(|column| column.name != name) {
                return name.to_owned();
            }
        }
    }
}

/// One change of the table and of the model.
fn step(world: &World, model: &mut Model, versions: &BTreeMap<u64, Model>, dice: &mut Dice, now: i64) {
    let at = (!model.columns.is_empty()).then(|| dice.below(model.columns.len()));
    match (dice.below(8), at) {
        (0, Some(at)) if model.columns.len() > 1 => {
            let column = model.columns.remove(at);
            alter(world, &dropping(&column.name)).unwrap();
        }
        (1 | 2, Some(at)) => {
            let new = dice.name(model);
            alter(world, &rename(&model.columns[at].name, &new)).unwrap();
            model.columns[at].name = new;
        }
        (3, Some(at)) => {
            let wider =
                if model.columns[at].ty == ColumnType::Integer { ColumnType::BigInt } else { ColumnType::Double };
            alter(world, &typed(&model.columns[at].name, wider.clone())).unwrap();
            model.columns[at].ty = wider;
        }
        (4, _) if model.columns.len() < 4 => {
            let column = Column { name: dice.name(model), ty: ColumnType::Integer, key: now as u64 };
            world.table.add_columns(&world.latest(), &[(column.name.clone(), column.ty.clone())]).unwrap();
            model.columns.push(column);
        }
        (5, _) => compact(world),
        (6, _) => {
            let (version, old) = versions.iter().nth(dice.below(versions.len())).unwrap();
            world.table.restore(&world.latest(), Version(*version)).unwrap();
            *model = old.clone();
        }
        _ => {
            let values: Vec<i64> = model.columns.iter().map(|_| dice.below(1000) as i64).collect();
            append_row(world, now, &model.columns, &values);
            model.rows.insert(now, model.columns.iter().map(|column| column.key).zip(values).collect());
        }
    }
}

#[test]
fn columns_that_come_and_go_at_random_hold_what_a_plain_model_holds_in_every_version() {
    for seed in 0..5 {
        let (world, mut dice) = (World::new(), Dice(seed));
        let mut model = Model::default();
        model.columns.push(Column { name: "p".to_owned(), ty: ColumnType::Integer, key: 0 });
        append_row(&world, 0, &model.columns, &[7]);
        model.rows.insert(0, BTreeMap::from([(0, 7)]));
        let mut versions = BTreeMap::from([(2, model.clone())]);
        for now in 1..40 {
            step(&world, &mut model, &versions, &mut dice, now);
            let latest = world.latest();
            check(&latest, &model);
            versions.insert(latest.state.version.0, model.clone());
        }
        for (version, model) in &versions {
            check(&world.at(*version), model);
        }
    }
}
