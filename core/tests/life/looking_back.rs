//! Tags, properties, restoring, and what lies between versions.

use tstable_core::{
    ErrorKind,
    log::{
        Version,
        commit::{Action, Commit, Instant},
    },
    storage::{access::Access, local::roots::matching},
    table::{
        At,
        commit::{Published, commit, publish},
        differences::differences,
        write::policy::OnOverlap,
    },
};

use super::fixture::{World, check_coverage, rows, shown};

fn three_versions() -> World {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0)])], OnOverlap::Error).unwrap();
    world.append(&[world.file(&[(1.0, "A", 2.0)])], OnOverlap::Error).unwrap();
    world
}

#[test]
fn a_tag_names_a_version_until_it_is_forgotten() {
    let world = three_versions();
    let (tagged, _) = world.table.tag(&world.latest(), "before", Some(Version(2))).unwrap();
    assert_eq!(tagged, Version(2));
    let old = world.table.at(&At::Tag("before".to_owned()), &world.latest()).unwrap();
    assert_eq!(rows(&old), shown(&[(0.0, "A", 1.0)]));
    assert_eq!(world.table.untag(&world.latest(), "before").unwrap().0, Version(2));
    let error = world.table.at(&At::Tag("before".to_owned()), &world.latest()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_tag_does_not_move_silently() {
    let world = three_versions();
    assert_eq!(world.table.tag(&world.latest(), "x", None).unwrap().0, Version(3));
    let again = world.table.tag(&world.latest(), "x", Some(Version(3))).unwrap().1;
    assert!(!again.committed);
    let error = world.table.tag(&world.latest(), "x", Some(Version(1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.message().contains("names version 3"), "{error}");
    let error = world.table.tag(&world.latest(), "y", Some(Version(99))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(world.table.tag(&world.latest(), " ", None).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(world.table.untag(&world.latest(), "z").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn properties_are_set_changed_and_removed() {
    let world = World::new();
    let set = |key: &str, value: Option<&str>| world.table.set(&world.latest(), key, value);
    assert!(set("owner", Some("research")).unwrap().committed);
    assert!(!set("owner", Some("research")).unwrap().committed);
    set("owner", Some("ops")).unwrap();
    assert_eq!(world.latest().state.properties.get("owner").map(String::as_str), Some("ops"));
    set("owner", None).unwrap();
    assert!(world.latest().state.properties.is_empty());
    assert!(!set("owner", None).unwrap().committed);
    assert_eq!(set("", Some("x")).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(set("tstable.x", Some("x")).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn restoring_brings_rows_back_and_keeps_tags_and_properties() {
    let world = three_versions();
    world.table.set(&world.latest(), "owner", Some("research")).unwrap();
    world.table.tag(&world.latest(), "full", None).unwrap();
    let restored = world.table.restore(&world.latest(), Version(2)).unwrap();
    assert_eq!((restored.segments_added, restored.segments_removed, restored.rows_removed), (0, 1, 1));
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0)]));
    assert_eq!(world.latest().state.properties.len(), 1);
    assert_eq!(world.latest().state.tags.len(), 1);
    check_coverage(&world.latest());
    let back = world.table.restore(&world.latest(), Version(3)).unwrap();
    assert_eq!((back.segments_added, back.segments_removed), (1, 0));
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (1.0, "A", 2.0)]));
    assert!(!world.table.restore(&world.latest(), Version(3)).unwrap().changed.committed);
}

#[test]
fn restoring_what_was_before_the_first_append_makes_the_table_empty() {
    let world = three_versions();
    world.table.restore(&world.latest(), Version(1)).unwrap();
    assert!(world.latest().state.segments.is_empty());
    world.append(&[world.file(&[(0.0, "A", 9.0)])], OnOverlap::Error).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 9.0)]));
}

#[test]
fn restoring_a_version_without_its_files_changes_nothing() {
    let world = three_versions();
    let path = world.latest().state.segments.all().unwrap()[1].record.path.clone();
    world.table.restore(&world.latest(), Version(2)).unwrap();
    std::fs::remove_file(world.directory.path().join("t").join(path)).unwrap();
    let error = world.table.restore(&world.latest(), Version(3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(world.latest().state.version, Version(4));
}

#[test]
fn differences_count_segments_and_buckets_of_both_sides() {
    let world = three_versions();
    world.append(&[world.file(&[(1.0, "A", 9.0), (2.0, "A", 9.0)])], OnOverlap::Replace).unwrap();
    let found = differences(&world.at(2), &world.at(4)).unwrap();
    assert_eq!(found.iter().map(|d| (d.added, d.buckets)).collect::<Vec<_>>(), [(true, 2)]);
    let found = differences(&world.at(3), &world.at(4)).unwrap();
    assert_eq!(found.iter().map(|d| (d.added, d.buckets)).collect::<Vec<_>>(), [(false, 0), (true, 1)]);
    assert!(differences(&world.at(4), &world.at(4)).unwrap().is_empty());
}

#[test]
fn tables_are_found_at_any_depth_and_not_inside_each_other() {
    let directory = tempfile::tempdir().unwrap();
    for table in ["a/b/c/t1", "t0", "a/t2"] {
        std::fs::create_dir_all(directory.path().join(table).join("_timeseries_log")).unwrap();
    }
    std::fs::create_dir_all(directory.path().join("t0/inner/_timeseries_log")).unwrap();
    std::os::unix::fs::symlink(directory.path(), directory.path().join("a/loop")).unwrap();
    let found = Access::everywhere().find_marked(directory.path(), "_timeseries_log", &|| Ok(())).unwrap();
    let names: Vec<_> =
        found.iter().map(|found| found.path.strip_prefix(directory.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a/b/c/t1", "a/t2", "t0"]);
    assert_eq!(
        Access::everywhere().find_marked(&directory.path().join("x"), "m", &|| Ok(())).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn who_looks_for_tables_is_asked_at_each_directory_whether_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..20 {
        std::fs::create_dir_all(directory.path().join(format!("{number}/x"))).unwrap();
    }
    let asked = std::cell::Cell::new(0);
    let go_on = || {
        asked.set(asked.get() + 1);
        if asked.get() < 10 { Ok(()) } else { Err(tstable_core::Error::cancelled("enough")) }
    };
    let stopped = Access::everywhere().find_marked(directory.path(), "m", &go_on).unwrap_err();
    assert_eq!((stopped.kind(), asked.replace(0)), (ErrorKind::Cancelled, 10));
    let pattern = directory.path().join("**").display().to_string();
    assert_eq!((matching(&pattern, "m", &go_on).unwrap_err().kind(), asked.get()), (ErrorKind::Cancelled, 10));
}

#[test]
fn of_versions_committed_at_the_same_instant_the_highest_is_the_one_as_of_it() {
    let world = three_versions();
    let instant = world.latest().state.committed_at;
    for value in ["a", "b"] {
        let state = world.latest().state;
        let action = Action::SetProperty { key: "k".to_owned(), value: Some(value.to_owned()) };
        let next = Commit { timestamp: instant, ..commit(&state, "set", None, vec![action]) };
        assert!(matches!(publish(&world.table, &state, &next).unwrap(), Published::Done { .. }));
    }
    world.table.set(&world.latest(), "k", Some("c")).unwrap();
    let as_of = |instant| world.table.at(&At::AsOf(instant), &world.latest()).unwrap().state.version.0;
    assert_eq!(as_of(instant), 5);
    assert!(as_of(Instant(instant.0 - 1)) < 3);
    assert_eq!(as_of(Instant(i64::MAX)), 6);
}
