//! Columns that files have by the names of their folders, and files that are adopted where they lie: through everything that reads,
//! rewrites, removes or checks rows, they are columns and segments like others.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::{
    array::{AsArray, Float64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
};
use tstable_core::{
    ErrorKind, Result,
    coverage::{Entity, EntityPart},
    log::CONSTANT_COLUMNS,
    prune::expr::{Comparison, Constant, Expr},
    schema::{ColumnType, Strings, TimeUnit},
    table::{
        append::{Appended, Monitor, Unwatched},
        cache::Cache,
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        scan::{Scan, ScanRequest, UnitRows},
        write::policy::{AppendRequest, Mode, Naming, OnError, OnOverlap, Status},
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::{HOUR_US, World, batches, write};

/// A file of these hours below the root's folder, without a symbol of its own.
fn file(world: &World, place: &str, hours: std::ops::Range<i64>) -> PathBuf {
    let path = world.directory.path().join("t").join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let schema = Schema::new(vec![
        Field::new("ts", ColumnType::Timestamp(TimeUnit::Us).arrow(Strings::Plain), true),
        Field::new("price", ColumnType::Double.arrow(Strings::Plain), true),
    ]);
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from_iter_values(hours.clone().map(|hour| hour * HOUR_US))),
        Arc::new(Float64Array::from_iter_values(hours.map(|hour| hour as f64))),
    ];
    write(&path, &RecordBatch::try_new(Arc::new(schema), columns).unwrap());
    path
}

fn request(files: &[PathBuf], mode: Mode) -> AppendRequest {
    AppendRequest {
        files: files.to_vec(),
        mode,
        naming: Naming { hive: Some(true), pattern: None },
        ..AppendRequest::default()
    }
}

fn append(world: &World, request: &AppendRequest) -> Result<Appended> {
    world.table.append(&world.latest(), request, &Unwatched)
}

fn adopt(world: &World, files: &[PathBuf]) {
    append(world, &request(files, Mode::Adopt)).unwrap();
}

fn whole() -> CompactRequest {
    CompactRequest { range: IndexRange::ALL, target_rows: 1 << 20, order: Order::Entity, dry_run: false }
}

/// Two symbols, a day each.
fn two(world: &World) -> [PathBuf; 2] {
    [file(world, "raw/symbol=A/1.parquet", 0..24), file(world, "raw/symbol=B/1.parquet", 0..24)]
}

fn count(world: &World, symbol: &str) -> usize {
    let of = |batch: &RecordBatch| {
        let symbols = batch.column_by_name("symbol").unwrap().as_string::<i32>();
        symbols.iter().filter(|has| *has == Some(symbol)).count()
    };
    batches(&world.latest()).iter().map(of).sum()
}

fn paths(world: &World) -> Vec<String> {
    world.latest().state.segments.all().unwrap().iter().map(|segment| segment.record.path.clone()).collect()
}

fn is_sound(world: &World) {
    let findings = world.table.verify(true, &Unwatched).unwrap();
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.problem.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_mode_gives_the_rows_of_a_file_the_columns_that_its_folders_name() {
    for mode in [Mode::Adopt, Mode::Copy, Mode::Link, Mode::Move, Mode::Rewrite] {
        let world = World::new();
        let files = two(&world);
        append(&world, &request(&files, mode)).unwrap();
        assert_eq!((count(&world, "A"), count(&world, "B")), (24, 24), "{mode:?}");
        assert_eq!(files.iter().all(|file| file.exists()), mode != Mode::Move, "{mode:?}");
        let adopted = paths(&world).iter().filter(|path| path.starts_with("raw/")).count();
        assert_eq!(adopted, if mode == Mode::Adopt { 2 } else { 0 }, "{mode:?}");
        is_sound(&world);
    }
}

type Change = fn(&World);

#[test]
fn what_rewrites_rows_keeps_the_columns_and_leaves_adopted_files_where_they_are() {
    let changes: [(&str, Change); 5] = [
        ("compact", |world| {
            world.table.compact(&world.latest(), &whole(), &Unwatched).unwrap();
        }),
        ("delete", |world| {
            let range = IndexRange::new(IndexValue(i128::from(5 * HOUR_US)), IndexValue(i128::from(7 * HOUR_US)));
            let request = DeleteRequest { range, ..DeleteRequest::default() };
            world.table.delete(&world.latest(), &request, &Unwatched).unwrap();
            assert_eq!((count(world, "A"), count(world, "B")), (22, 22));
            let again = request_of(world, OnOverlap::SkipRows);
            append(world, &again).unwrap();
        }),
        ("rename entity", |world| {
            let named = |name: &str| Entity::from(vec![EntityPart::from(name)]);
            for (from, to) in [("A", "C"), ("C", "A")] {
                world.table.rename_entity(&world.latest(), &named(from), &named(to), &Unwatched).unwrap();
                assert_eq!((count(world, to), count(world, from)), (24, 0));
            }
        }),
        ("replace", |world| {
            append(world, &request_of(world, OnOverlap::Replace)).unwrap();
        }),
        ("merge", |world| {
            append(world, &request_of(world, OnOverlap::Merge)).unwrap();
        }),
    ];
    for (name, change) in changes {
        let world = World::new();
        let files = two(&world);
        adopt(&world, &files);
        change(&world);
        assert_eq!((count(&world, "A"), count(&world, "B")), (24, 24), "{name}");
        assert!(files.iter().all(|file| file.exists()), "{name}");
        is_sound(&world);
    }
}

/// Other files of the same rows and more prices.
fn request_of(world: &World, on_overlap: OnOverlap) -> AppendRequest {
    let files = [file(world, "new/symbol=A/2.parquet", 4..12), file(world, "new/symbol=B/2.parquet", 4..12)];
    AppendRequest { on_overlap, ..request(&files, Mode::Adopt) }
}

#[test]
fn a_condition_on_a_column_of_folders_opens_no_file() {
    let world = World::new();
    let files = [
        file(&world, "raw/symbol=A/date=2024-01-01/1.parquet", 0..24),
        file(&world, "raw/symbol=A/date=2024-01-02/1.parquet", 24..48),
        file(&world, "raw/symbol=B/date=__HIVE_DEFAULT_PARTITION__/1.parquet", 0..24),
    ];
    adopt(&world, &files);
    let snapshot = world.latest();
    let schema = snapshot.schema().unwrap();
    assert_eq!(schema.type_of("date"), Some(&ColumnType::Date));
    let (symbol, date) = (schema.position("symbol").unwrap(), schema.position("date").unwrap());
    files.iter().for_each(|file| fs::remove_file(file).unwrap());
    let day = |day| Expr::Constant(Constant::Temporal(ColumnType::Date, day));
    let equal = |column, value| Expr::Compare(Comparison::Eq, Box::new(Expr::Column(column)), Box::new(value));
    let cases = [
        (vec![], 3),
        (vec![equal(date, day(19_723))], 1),
        (vec![equal(date, day(1))], 0),
        (vec![Expr::IsNull(Box::new(Expr::Column(date)))], 1),
        (vec![equal(symbol, Expr::Constant(Constant::Text("B".to_owned())))], 1),
    ];
    for (predicates, kept) in cases {
        let request = ScanRequest {
            columns: vec![symbol, date],
            predicates: predicates.clone(),
            constants: true,
            ..Default::default()
        };
        let scan = Scan::new(&snapshot, &Arc::new(Cache::new(1 << 20)), request).unwrap();
        assert_eq!(scan.selection.kept, kept, "{predicates:?}");
        for number in 0..scan.units() {
            let unit = scan.unit(number, Strings::Plain, 1024).unwrap().unwrap();
            assert!(matches!(unit.rows, UnitRows::Counted(24)));
            assert!(unit.constants.iter().all(Option::is_some));
        }
    }
}

#[test]
fn a_table_with_such_columns_asks_for_readers_that_know_them_and_its_checkpoints_do_too() {
    let world = World::new();
    adopt(&world, &two(&world));
    let commit = world.table.log().read(world.latest().state.version).unwrap().unwrap();
    assert_eq!(commit.requires, [CONSTANT_COLUMNS]);
    world.table.checkpoint().unwrap();
    let path = world.directory.path().join("t/_timeseries_log/0000000002.checkpoint");
    assert_eq!(&fs::read(&path).unwrap()[..8], b"TSCKPT\x04\n");
    assert_eq!((count(&world, "A"), count(&world, "B")), (24, 24));
    is_sound(&world);
    // Once it had them, every later checkpoint says so, and tables that never did stay as they were.
    let plain = World::new();
    plain.append(&[plain.file(&[(0.0, "A", 1.0)])], OnOverlap::Error).unwrap();
    plain.table.checkpoint().unwrap();
    let path = plain.directory.path().join("t/_timeseries_log/0000000002.checkpoint");
    assert_eq!(&fs::read(&path).unwrap()[..8], b"TSCKPT\x03\n");
}

#[test]
fn files_of_equal_bytes_in_folders_of_other_names_are_other_files() {
    let world = World::new();
    let files = two(&world);
    assert_eq!(fs::read(&files[0]).unwrap(), fs::read(&files[1]).unwrap());
    let asked = |files: &[PathBuf]| AppendRequest { on_overlap: OnOverlap::SkipFile, ..request(files, Mode::Adopt) };
    let statuses = |files: &[PathBuf]| {
        append(&world, &asked(files)).unwrap().files.iter().map(|file| file.status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&files[..1]), [Status::Appended]);
    assert_eq!(statuses(&files), [Status::AlreadyLoaded, Status::Appended]);
    assert_eq!(statuses(&files), [Status::AlreadyLoaded, Status::AlreadyLoaded]);
}

#[test]
fn what_does_not_fit_is_refused_by_file_and_value_or_passed_over() {
    let cases = [
        ("raw/symbol=C/symbol=D/x.parquet", "column 'symbol' twice, as 'C' and as 'D'"),
        ("raw/symbol=C%ZZ/x.parquet", "two hexadecimal digits"),
        ("raw/x.parquet", "does not say column 'symbol'"),
        ("raw/symbol=C/date=2024-01-01/x.parquet", "says column 'date' ('2024-01-01')"),
        ("raw/symbol=A/overlapping.parquet", "already covered"),
        ("raw/symbol=__HIVE_DEFAULT_PARTITION__/x.parquet", "\"symbol\" is NULL"),
    ];
    for (place, words) in cases {
        let world = World::new();
        let mut files = two(&world).to_vec();
        files.push(file(&world, place, 0..24));
        let refusal = append(&world, &request(&files, Mode::Adopt)).unwrap_err().to_string();
        assert!(
            refusal.contains(words) && refusal.contains("x.parquet") || refusal.contains("A/"),
            "{place}: {refusal}"
        );
        assert_eq!(world.latest().state.version.0, 1, "{place}");
        let appended =
            append(&world, &AppendRequest { on_error: OnError::SkipFile, ..request(&files, Mode::Adopt) }).unwrap();
        let refused: Vec<_> = appended.files.iter().filter(|file| file.status == Status::Refused).collect();
        let message = refused[0].message.clone().unwrap();
        assert!(refused.len() == 1 && message.contains(words), "{place}: {message}");
        assert_eq!((count(&world, "A"), count(&world, "B")), (24, 24), "{place}");
        is_sound(&world);
    }
}

#[test]
fn a_files_own_column_must_say_what_its_folder_says() {
    let world = World::new();
    let own = world.file(&[(0.0, "A", 1.0), (1.0, "A", 2.0)]);
    for (folder, agrees) in [("symbol=B", false), ("symbol=A", true)] {
        let place = world.directory.path().join("t").join(folder).join("x.parquet");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&own, &place).unwrap();
        match append(&world, &request(&[place], Mode::Adopt)) {
            Ok(_) => assert!(agrees && count(&world, "A") == 2),
            Err(e) => assert!(
                !agrees && e.to_string().contains("the value 'B', but the file's own column 'symbol' has 'A'"),
                "{e}"
            ),
        }
    }
}

#[test]
fn only_files_under_the_root_that_are_nobody_elses_are_adopted() {
    let world = World::new();
    let outside = world.file(&[(0.0, "A", 1.0)]);
    let refused = |file: &PathBuf, words: &str| {
        let asked = AppendRequest { naming: Naming::default(), ..request(std::slice::from_ref(file), Mode::Adopt) };
        let refusal = append(&world, &asked).unwrap_err();
        assert!(refusal.kind() == ErrorKind::InvalidArgument && refusal.to_string().contains(words), "{refusal}");
    };
    refused(&outside, "does not lie under the table's directory");
    for directory in ["data", "_coverage", "_quarantine"] {
        let inside = world.directory.path().join("t").join(directory).join("0123456789abcdef.parquet");
        fs::create_dir_all(inside.parent().unwrap()).unwrap();
        fs::copy(&outside, &inside).unwrap();
        refused(&inside, if directory == "data" { "" } else { "that the table itself writes to" });
        assert!(inside.exists());
        fs::remove_file(inside).unwrap();
    }
    #[cfg(unix)]
    {
        let link = world.directory.path().join("t/link.parquet");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        refused(&link, "does not lie under the table's directory");
    }
}

/// Stops when everything is staged.
#[derive(Default)]
struct Stop(AtomicBool);

impl Monitor for Stop {
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn progress(&self, done: f64) {
        self.0.store(done > 0.99, Ordering::Relaxed);
    }
}

#[test]
fn no_program_of_ours_moves_or_removes_an_adopted_file() {
    let world = World::new();
    let files = two(&world);
    adopt(&world, &files);
    // Not by moving it into this table or another one,
    let other = World::new();
    for world in [&world, &other] {
        let refusal = append(world, &request(&files, Mode::Move)).unwrap_err();
        assert!(refusal.to_string().contains("nothing may be moved"), "{refusal}");
    }
    // not by an append that fails after it was staged,
    let more = [file(&world, "raw/symbol=C/1.parquet", 0..24), file(&world, "raw/symbol=D/1.parquet", 0..24)];
    let stopped = world.table.append(&world.latest(), &request(&more, Mode::Adopt), &Stop::default());
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    // nor by a vacuum of all that is not live.
    world.table.compact(&world.latest(), &whole(), &Unwatched).unwrap();
    let now = tstable_core::log::commit::Instant(tstable_core::log::commit::Instant::now().0 + 10 * 86_400_000_000);
    let vacuum = tstable_core::table::vacuum::VacuumRequest { keep_us: 0, dry_run: false, now };
    world.table.vacuum(&vacuum).unwrap();
    assert!(files.iter().chain(&more).all(|file| file.exists()));
    assert_eq!((count(&world, "A"), count(&world, "B")), (24, 24));
}

#[test]
fn an_adopted_file_that_changes_afterwards_is_found_out() {
    let world = World::new();
    let files = two(&world);
    adopt(&world, &files);
    file(&world, "raw/symbol=A/1.parquet", 0..25);
    let findings = world.table.verify(false, &Unwatched).unwrap();
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.problem.is_some()).collect();
    assert!(wrong.len() == 1 && wrong[0].path == "raw/symbol=A/1.parquet", "{wrong:?}");
    let refusal = world.table.compact(&world.latest(), &whole(), &Unwatched).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Corrupt);
}
