//! What is expected survives commits, checkpoints and racing writers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    log::checkpoint,
    schema::{ColumnType, Schema, TimeUnit},
    storage::{Storage, local::LocalStorage},
    table::create::CreateRequest,
    time::IndexValue,
};

struct Fixture {
    _directory: tempfile::TempDir,
    storage: Arc<dyn Storage>,
    table: Table,
    snapshot: Snapshot,
}

fn fixture(timezone: Option<&str>) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(directory.path().join("t").to_str().unwrap()));
    let columns = [("ts", ColumnType::TimestampTz(TimeUnit::Us)), ("symbol", ColumnType::Varchar)];
    let request = CreateRequest {
        timezone: timezone.map(str::to_owned),
        entity_columns: vec!["symbol".to_owned()],
        schema: Some(Schema::new(columns.map(|(name, ty)| (name.to_owned(), ty))).unwrap()),
        ..CreateRequest::new("ts", "1d")
    };
    let table = Table::new(Arc::clone(&storage));
    let snapshot = table.create(request.definition().unwrap(), false).unwrap().snapshot;
    Fixture { _directory: directory, storage, table, snapshot }
}

fn weekdays() -> Calendar {
    let early = BTreeMap::from([("2024-11-29".to_owned(), "09:30-13:00".to_owned())]);
    let zone = Some("America/New_York".to_owned());
    Calendar::of_sessions("Mon-Fri 09:30-16:00".to_owned(), vec!["2024-12-25".to_owned()], early, zone).unwrap()
}

fn entity(name: &str) -> Entity {
    [EntityPart::from(name)].into_iter().collect()
}

fn mark(entity: Option<Entity>, days: std::ops::Range<i64>, undo: bool) -> EmptyRequest {
    let day = |day: i64| IndexValue::from(day * 86_400_000_000);
    EmptyRequest {
        range: IndexRange::new(day(days.start), day(days.end)),
        entities: entity.into_iter().collect(),
        reason: Some("none".to_owned()),
        undo,
    }
}

#[test]
fn calendars_and_marks_survive_replay_and_checkpoints() {
    let Fixture { storage, table, snapshot, .. } = &fixture(None);
    let windows = Calendar::of_windows(vec![(IndexValue(0), IndexValue(86_400_000_000))]).unwrap();
    let one = table.set_calendar(snapshot, &[], Some(&weekdays()), None).unwrap().snapshot;
    let two = table.set_calendar(&one, &[entity("A"), entity("B")], Some(&windows), None).unwrap().snapshot;
    let three = table.mark_empty(&two, &mark(Some(entity("A")), 3..7, false)).unwrap();
    assert_eq!(three.run.buckets(), 4);
    let four = table.mark_empty(&three.changed.snapshot, &mark(None, 5..6, false)).unwrap().changed.snapshot;
    let replayed = table.latest(None).unwrap();
    assert_eq!(replayed.state.expectations, four.state.expectations);
    let _ = table.log().write_checkpoint(&four.state).unwrap();
    let restored = checkpoint::read(storage.as_ref(), four.state.version).unwrap().unwrap();
    assert_eq!(restored.expectations, four.state.expectations);
    let expectations = &restored.expectations;
    assert_eq!(expectations.calendar_of(&entity("A")).unwrap().as_ref(), &windows);
    assert_eq!(expectations.calendar_of(&entity("C")).unwrap().as_ref(), &weekdays());
    assert_eq!(expectations.confirmed_of(&entity("A")).unwrap().len(), 4);
    assert_eq!(expectations.confirmed_of(&entity("C")).unwrap().len(), 1);
}

#[test]
fn what_is_taken_back_is_gone_and_what_others_marked_stays() {
    let Fixture { table, snapshot, .. } = &fixture(None);
    let marked = table.mark_empty(snapshot, &mark(Some(entity("A")), 3..7, false)).unwrap().changed.snapshot;
    let undone = table.mark_empty(&marked, &mark(Some(entity("A")), 3..7, true)).unwrap().changed.snapshot;
    assert!(undone.state.expectations.is_empty());
    let set = table.set_calendar(&undone, &[entity("A")], Some(&weekdays()), None).unwrap().snapshot;
    let removed = table.set_calendar(&set, &[entity("A")], None, None).unwrap().snapshot;
    assert!(removed.state.expectations.is_empty());
    // A calendar of an older version is still that version's.
    let before = table.at(&crate::table::handle::At::Version(set.state.version), &removed).unwrap();
    assert!(!before.state.expectations.is_empty());
}

#[test]
fn a_writer_that_lost_the_race_commits_after_the_other() {
    let Fixture { table, snapshot, .. } = &fixture(None);
    table.set_calendar(snapshot, &[], Some(&weekdays()), None).unwrap();
    let late = table.mark_empty(snapshot, &mark(None, 3..7, false)).unwrap().changed.snapshot;
    assert_eq!(late.state.version.0, 3);
    assert!(late.state.expectations.calendar_of(&entity("A")).is_some());
}

#[test]
fn ranges_without_end_and_entities_of_other_columns_are_refused() {
    let Fixture { table, snapshot, .. } = &fixture(None);
    let mut open = mark(None, 3..7, false);
    open.range.until = None;
    assert!(table.mark_empty(snapshot, &open).is_err());
    let named = |name: &str, part: EntityPart| snapshot.entity(&[(name.to_owned(), part)]);
    assert!(named("ticker", EntityPart::from("A")).is_err());
    assert!(named("symbol", EntityPart::Int(1)).is_err());
    assert_eq!(named("SYMBOL", EntityPart::from("A")).unwrap(), entity("A"));
    assert!(snapshot.entity(&[]).is_err());
}

#[test]
fn a_zone_whose_rules_are_not_those_of_the_buckets_is_told() {
    let Fixture { snapshot, .. } = &fixture(Some("Europe/Berlin"));
    let mut definition = snapshot.definition().clone();
    assert_eq!(definition.zone_rules_changed(), None);
    definition.zone_rules = Some("0123456789abcdef".to_owned());
    definition.zone_data = Some("1999z".to_owned());
    let told = definition.zone_rules_changed().unwrap();
    assert!(told.contains("Europe/Berlin") && told.contains("1999z"), "{told}");
    definition.timezone = None;
    assert_eq!(definition.zone_rules_changed(), None);
}
