//! Another file in the place of a segment: whatever reads its rows, to answer or to rewrite them, says `corrupt` and
//! commits nothing. Rows that were rewritten would be under a checksum that holds.

use std::{fs, io::Write as _, sync::Arc};

use tstable_core::{
    ErrorKind, Result,
    coverage::{Entity, EntityPart},
    log::commit::Instant,
    storage::{Storage, local::LocalStorage, memory::MemoryStorage},
    table::{
        cache::Cache,
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        monitor::Unwatched,
        write::policy::OnOverlap,
    },
    time::{IndexRange, IndexValue},
};

use super::world::{Files, HOUR_US, append, append_as, created, rows_of, table, write_file};

/// Something that reads the rows of the segment of `first`, which the test swaps.
type Reading = (&'static str, fn(&Arc<dyn Storage>, &Files) -> Result<()>);

const READINGS: &[Reading] = &[
    ("scan", |s, _| rows_of(&table(s).latest(None)?).map(drop)),
    ("compact", |s, _| {
        let request =
            CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
        table(s).compact(&table(s).latest(None)?, &request, &Unwatched).map(drop)
    }),
    ("delete", |s, _| {
        let range = IndexRange { start: None, until: Some(IndexValue::from(5 * HOUR_US)) };
        let request = DeleteRequest { range, entities: Vec::new() };
        table(s).delete(&table(s).latest(None)?, &request, &Unwatched).map(drop)
    }),
    ("rename entity", |s, _| {
        let entity = |name: &str| Entity::from(vec![EntityPart::from(name)]);
        table(s).rename_entity(&table(s).latest(None)?, &entity("NVDA"), &entity("AARD"), &Unwatched).map(drop)
    }),
    ("replace", |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::Replace).map(drop)),
    ("merge", |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::Merge).map(drop)),
    ("skip rows", |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::SkipRows).map(drop)),
    ("skip file", |s, f| {
        let covered = write_file(&f.next, &["NVDA"], 2..5);
        append_as(&table(s), &[&covered], OnOverlap::SkipFile).map(drop)
    }),
];

/// A table of two small segments, and the path of that of `first`.
fn two_segments(files: &Files) -> (MemoryStorage, Arc<dyn Storage>, String) {
    let memory = MemoryStorage::new("memory");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    append(&created(&storage), &[&files.first]).unwrap();
    let path = memory.paths().into_iter().find(|path| path.starts_with("data/")).unwrap();
    append(&table(&storage), &[&files.second]).unwrap();
    (memory, storage, path)
}

/// Ten rows of another symbol in as many bytes as those of `first`: neither size nor rows tell.
fn foreign(files: &Files) -> Vec<u8> {
    let bytes = fs::metadata(&files.first).unwrap().len();
    let written = |hour: i64| fs::read(write_file(&files.next, &["AMZN"], hour..hour + 10)).unwrap();
    (30..300).map(written).find(|foreign| foreign.len() as u64 == bytes).unwrap()
}

fn refuses(change: impl Fn(&mut Vec<u8>), readings: &[Reading], what: &str) {
    let files = Files::new();
    for (name, run) in readings {
        let (memory, storage, path) = two_segments(&files);
        assert!(memory.damage(&path, &change));
        let paths = memory.paths();
        let error = run(&storage, &files).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {name}: {error}");
        assert!(error.to_string().contains(&path), "{what}: {name}: {error}");
        assert_eq!(memory.paths(), paths, "{what}: {name}: something was committed or left behind");
    }
}

#[test]
fn a_file_of_the_same_size_and_rows_in_the_place_of_a_segment_is_corrupt_in_everything_that_reads_its_rows() {
    let files = Files::new();
    let foreign = foreign(&files);
    refuses(|bytes| bytes.clone_from(&foreign), READINGS, "another file");
}

#[test]
fn a_page_that_changed_under_its_footer_is_corrupt_in_everything_that_writes_rows_anew() {
    // Without a page checksum, as adopted files are, only the checksum of the whole file can tell.
    let flip = |bytes: &mut Vec<u8>| bytes[4] ^= 1;
    refuses(flip, &READINGS[1..5], "a changed page");
}

#[test]
fn repair_takes_no_coverage_from_a_file_in_the_place_of_a_segment() {
    let files = Files::new();
    let (memory, storage, path) = two_segments(&files);
    let foreign = foreign(&files);
    assert!(memory.damage(&path, |bytes| bytes.clone_from(&foreign)));
    let version = table(&storage).latest(None).unwrap().state.version;
    let rows = table(&storage).repair(false, Instant::now()).unwrap();
    assert!(rows.iter().any(|row| row.path == path && !row.done && row.action.contains("restore")), "{rows:?}");
    assert_eq!(table(&storage).latest(None).unwrap().state.version, version);
}

/// A copying tool writes into the file that is there and gives it the time of its source. Nothing but the time of the change itself,
/// which no program sets, tells a process that has read the file's footer before.
#[cfg(unix)]
#[test]
fn a_file_that_was_written_into_and_has_its_time_back_is_not_taken_for_the_one_that_was_read_before() {
    let files = Files::new();
    let foreign = foreign(&files);
    let directory = tempfile::TempDir::new().unwrap();
    let root = directory.path().join("t");
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(&root.display().to_string()));
    append(&created(&storage), &[&files.first]).unwrap();
    let snapshot = table(&storage).latest(None).unwrap();
    let segments = snapshot.state.segments.all().unwrap();
    let segment = *segments.first().unwrap();
    let cache = Cache::new(1 << 20);
    cache.segment(&storage, segment, snapshot.definition()).unwrap();

    let path = root.join(&segment.record.path);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&foreign).unwrap();
    file.set_modified(before).unwrap();
    drop(file);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);

    let error = cache.segment(&storage, segment, snapshot.definition()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}
