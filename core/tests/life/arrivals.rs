//! What comes with the files of a call: some without rows, some that cannot be loaded, some that change or vanish meanwhile;
//! and what is removed afterwards.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use tstable_core::{
    ErrorKind,
    log::Version,
    table::{
        append::Appended,
        monitor::{Monitor, Unwatched},
        preview::preview,
        write::policy::{AppendRequest, Mode, OnError, OnOverlap, OnViolation, Status},
    },
};

use super::fixture::{Row, World, rows, shown};

const DAY: [Row; 2] = [(0.0, "A", 1.0), (1.0, "A", 2.0)];

fn statuses(appended: &Appended) -> Vec<Status> {
    appended.files.iter().map(|file| file.status).collect()
}

fn request(files: &[PathBuf]) -> AppendRequest {
    AppendRequest { files: files.to_vec(), ..AppendRequest::default() }
}

#[test]
fn files_without_rows_are_empty_under_every_policy_and_stop_nothing() {
    use OnOverlap::{Allow, Error, Merge, Replace, SkipFile, SkipRows};
    for policy in [Error, SkipFile, SkipRows, Replace, Merge, Allow] {
        let world = World::new();
        // Without rows it gives no columns either.
        let files = [world.file(&[]), world.file(&DAY), world.file(&[])];
        let done = world.append(&files, policy).unwrap();
        assert_eq!(statuses(&done), [Status::Empty, Status::Appended, Status::Empty], "{policy:?}");
        assert_eq!(rows(&world.latest()), shown(&DAY));
        let commit = world.table.log().read(Version(2)).unwrap().unwrap();
        assert_eq!(commit.extra["empty_sources"].as_array().unwrap().len(), 2, "they are remembered");
        let alone = world.append(&files[..1], policy).unwrap();
        assert_eq!((statuses(&alone), alone.snapshot.state.version), (vec![Status::Empty], Version(2)));
    }
}

#[test]
fn one_bad_file_does_not_stop_the_others_when_asked_not_to() {
    let world = World::new();
    let garbage = world.directory.path().join("garbage.parquet");
    fs::write(&garbage, b"PAR1 is how it begins and not how it ends").unwrap();
    let cut = world.file(&[(50.0, "A", 1.0)]);
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let missing = world.directory.path().join("missing.parquet");
    let files =
        [garbage, world.file(&DAY), cut, world.file(&[(0.5, "A", 9.0)]), missing, world.file(&[(7.0, "A", 3.0)])];
    assert!(world.append(&files, OnOverlap::Error).is_err());
    assert_eq!(world.latest().state.version, Version(1));
    let asked = AppendRequest { on_error: OnError::SkipFile, ..request(&files) };
    let done = world.table.append(&world.latest(), &asked, &Unwatched).unwrap();
    use Status::{Appended, Refused};
    assert_eq!(statuses(&done), [Refused, Appended, Refused, Refused, Refused, Appended]);
    for (file, part) in [(0, "corrupt"), (2, "corrupt"), (3, "overlap"), (4, "not found")] {
        let reason = done.files[file].message.as_ref().unwrap();
        assert!(reason.contains(part), "{file}: {reason}");
    }
    assert_eq!(done.snapshot.state.version, Version(2));
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (1.0, "A", 2.0), (7.0, "A", 3.0)]));
    let bad = AppendRequest { on_error: OnError::SkipFile, ..request(&files[..1]) };
    let none = world.table.append(&world.latest(), &bad, &Unwatched).unwrap();
    assert_eq!((statuses(&none), none.snapshot.state.version), (vec![Refused], Version(2)));
}

#[test]
fn another_newest_version_than_expected_is_a_conflict_that_names_it() {
    let world = World::new();
    world.append(&[world.file(&DAY)], OnOverlap::Error).unwrap();
    let expecting = |n| world.table.clone().expecting(Some(Version(n)));
    let taking = |file: &PathBuf| request(std::slice::from_ref(file));
    let next = world.file(&[(9.0, "A", 1.0)]);
    let error = expecting(1).append(&world.latest(), &taking(&next), &Unwatched).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("newest version is 2"), "{error}");
    // Somebody comes between the look and the commit.
    let between = world.file(&[(20.0, "A", 1.0)]);
    let meanwhile = super::fixture::Meanwhile::new(|| {
        drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap())
    });
    let error = expecting(2).append(&world.latest(), &taking(&next), &meanwhile).unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("newest version is 3"), "{error}");
    assert_eq!(world.unreferenced(), Vec::<String>::new());
    expecting(3).append(&world.latest(), &taking(&next), &Unwatched).unwrap();
    assert_eq!(world.latest().state.version, Version(4));
}

#[test]
fn preview_says_what_the_same_append_then_does() {
    use OnOverlap::{Allow, Error, Merge, Replace, SkipFile, SkipRows};
    for policy in [Error, SkipFile, SkipRows, Replace, Merge, Allow] {
        for on_violation in [OnViolation::Error, OnViolation::SkipRows] {
            let world = World::new();
            let first = world.file(&DAY);
            world.append(std::slice::from_ref(&first), Error).unwrap();
            world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap();
            let new = world.file(&[(30.0, "A", 1.0)]);
            let twin = world.directory.path().join("twin.parquet");
            fs::copy(&new, &twin).unwrap();
            let bad = [(40.0, "A", -1.0), (41.0, "A", 1.0)];
            let files =
                [first, world.file(&[]), world.file(&[(0.5, "A", 9.0)]), world.file(&bad), new, twin, "none".into()];
            let asked =
                AppendRequest { on_overlap: policy, on_violation, on_error: OnError::SkipFile, ..request(&files) };
            let told = preview(&world.latest(), &asked, &Unwatched).unwrap().files;
            assert_eq!(world.latest().state.version, Version(3), "a preview changes nothing");
            let done = world.table.append(&world.latest(), &asked, &Unwatched).unwrap();
            let told: Vec<_> = told.iter().map(|file| (file.status, file.message.clone())).collect();
            let done: Vec<_> = done.files.iter().map(|file| (file.status, file.message.clone())).collect();
            assert_eq!(told, done, "{policy:?} {on_violation:?}");
        }
    }
}

#[test]
fn preview_refuses_what_an_append_refuses_but_tells_of_overlaps() {
    let world = World::new();
    world.append(&[world.file(&DAY)], OnOverlap::Error).unwrap();
    world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap();
    let told = preview(&world.latest(), &request(&[world.file(&[(0.5, "A", 9.0)])]), &Unwatched).unwrap().files;
    assert_eq!((told[0].status, told[0].already_loaded), (Status::Refused, false));
    assert_eq!((told[0].entities[0].new_buckets, told[0].entities[0].covered_buckets), (0, 1));
    let bad = request(&[world.file(&[(40.0, "A", -1.0)])]);
    let (told, done) =
        (preview(&world.latest(), &bad, &Unwatched), world.table.append(&world.latest(), &bad, &Unwatched));
    assert_eq!(told.unwrap_err().to_string(), done.unwrap_err().to_string());
}

fn moving(world: &World, files: &[PathBuf], monitor: &dyn Monitor) -> tstable_core::Result<Appended> {
    let asked = AppendRequest { mode: Mode::Move, ..request(files) };
    world.table.append(&world.latest(), &asked, monitor)
}

/// Does something when asked for the n-th time whether to stop.
struct At<F: Fn()> {
    left: Cell<usize>,
    action: F,
}

impl<F: Fn()> Monitor for At<F> {
    fn cancelled(&self) -> bool {
        self.left.set(self.left.get().wrapping_sub(1));
        if self.left.get() == 0 {
            (self.action)();
        }
        false
    }
    fn progress(&self, _done: f64) {}
}

#[test]
fn a_file_that_takes_the_name_of_one_that_is_being_moved_is_never_removed() {
    let mut kept = 0;
    for n in 1..8 {
        let world = World::new();
        let (file, newer) = (world.file(&DAY), world.file(&[(50.0, "A", 9.0)]));
        let bytes = fs::read(&newer).unwrap();
        let swap = At { left: Cell::new(n), action: || fs::rename(&newer, &file).unwrap() };
        let done = moving(&world, std::slice::from_ref(&file), &swap);
        if newer.exists() {
            // The append was over before.
            assert!(!file.exists());
            continue;
        }
        kept += 1;
        match done {
            // What is in the table is one of the two, and the other is where it was.
            Ok(_) if !file.exists() => assert_eq!(rows(&world.latest()), shown(&[(50.0, "A", 9.0)])),
            Ok(done) => {
                assert_eq!(fs::read(&file).unwrap(), bytes);
                assert_eq!(rows(&world.latest()), shown(&DAY));
                assert!(done.files[0].message.as_ref().unwrap().contains("another one has taken its name"));
            }
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Conflict, "{e}");
                assert_eq!(fs::read(&file).unwrap(), bytes);
                assert_eq!(world.latest().state.version, Version(1));
            }
        }
    }
    assert!(kept > 2, "no swap fell into an append");
}

#[test]
fn what_lies_in_a_table_is_not_moved_and_a_tables_own_segments_are_not_loaded_again() {
    let (world, other) = (World::new(), World::new());
    other.append(&[other.file(&DAY)], OnOverlap::Error).unwrap();
    world.append(&[world.file(&DAY)], OnOverlap::Error).unwrap();
    let segment = |world: &World| {
        let latest = world.latest();
        let path = latest.state.segments.all().unwrap()[0].record.path.clone();
        world.directory.path().join("t").join(path)
    };
    for mode in [Mode::Copy, Mode::Link, Mode::Move, Mode::Rewrite] {
        let asked = AppendRequest { mode, on_overlap: OnOverlap::Allow, ..request(&[segment(&world)]) };
        let error = world.table.append(&world.latest(), &asked, &Unwatched).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{mode:?}");
    }
    let error = moving(&world, &[segment(&other)], &Unwatched).unwrap_err();
    assert!(error.message().contains("from which nothing may be moved"), "{error}");
    // Through a link too.
    let link = world.directory.path().join("link.parquet");
    #[cfg(unix)]
    std::os::unix::fs::symlink(segment(&other), &link).unwrap();
    assert!(moving(&world, std::slice::from_ref(&link), &Unwatched).is_err());
    assert_eq!(rows(&other.latest()), shown(&DAY));
    let copied = AppendRequest { on_overlap: OnOverlap::Allow, ..request(&[segment(&other)]) };
    world.table.append(&world.latest(), &copied, &Unwatched).unwrap();
}

#[test]
fn a_file_of_which_rows_are_left_out_is_not_removed() {
    let world = World::new();
    world.append(&[world.file(&DAY)], OnOverlap::Error).unwrap();
    let part = world.file(&[(1.0, "A", 9.0), (2.0, "A", 3.0)]);
    let asked =
        AppendRequest { mode: Mode::Move, on_overlap: OnOverlap::SkipRows, ..request(std::slice::from_ref(&part)) };
    let done = world.table.append(&world.latest(), &asked, &Unwatched).unwrap();
    assert_eq!((done.files[0].rows, part.exists()), (1, true));
    assert!(done.files[0].message.as_ref().unwrap().contains("was kept"), "{:?}", done.files[0].message);
    world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap();
    let bad = world.file(&[(30.0, "A", -1.0), (31.0, "A", 1.0)]);
    let asked =
        AppendRequest { mode: Mode::Move, on_violation: OnViolation::SkipRows, ..request(std::slice::from_ref(&bad)) };
    world.table.append(&world.latest(), &asked, &Unwatched).unwrap();
    assert!(bad.exists());
    assert_eq!(rows(&world.latest()).len(), 4);
}

#[cfg(unix)]
#[test]
fn a_moved_file_with_other_names_is_copied_so_that_none_of_them_changes_the_segment() {
    use std::os::unix::fs::MetadataExt;
    let world = World::new();
    let file = world.file(&DAY);
    let link = world.directory.path().join("other-name.parquet");
    fs::hard_link(&file, &link).unwrap();
    let done = moving(&world, std::slice::from_ref(&file), &Unwatched).unwrap();
    assert!(!file.exists() && link.exists());
    assert!(done.files[0].message.as_ref().unwrap().contains("hard links"), "{:?}", done.files[0].message);
    let path = world.latest().state.segments.all().unwrap()[0].record.path.clone();
    let segment = world.directory.path().join("t").join(path);
    assert_ne!(fs::metadata(segment).unwrap().ino(), fs::metadata(link).unwrap().ino());
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_not_moved() {
    let world = World::new();
    let file = world.file(&DAY);
    damage_a_page(&file);
    let error = moving(&world, std::slice::from_ref(&file), &Unwatched).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(file.exists());
    assert_eq!(world.latest().state.version, Version(1));
}

/// Breaks the last column's page, which nobody reads to know entities and index.
fn damage_a_page(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let price = 2.0_f64.to_le_bytes();
    let at = bytes.windows(8).position(|window| window == price);
    let at = at.unwrap_or_else(|| {
        let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap());
        bytes.len() - 8 - usize::try_from(footer).unwrap() - 120
    });
    bytes[at] ^= 0xff;
    fs::write(file, bytes).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn many_files_are_opened_one_after_the_other() {
    struct Handles<'a> {
        directory: &'a Path,
        most: Cell<usize>,
    }
    impl Handles<'_> {
        fn count(&self) {
            let open =
                fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
            self.most.set(self.most.get().max(open.filter(|path| path.starts_with(self.directory)).count()));
        }
    }
    impl Monitor for Handles<'_> {
        fn cancelled(&self) -> bool {
            self.count();
            false
        }
        fn progress(&self, _done: f64) {
            self.count();
        }
    }
    for mode in [Mode::Copy, Mode::Move, Mode::Rewrite] {
        let world = World::new();
        let files: Vec<_> = (0..100).map(|hour| world.file(&[(f64::from(hour), "A", 1.0)])).collect();
        let handles = Handles { directory: world.directory.path(), most: Cell::new(0) };
        let asked = AppendRequest { mode, ..request(&files) };
        preview(&world.latest(), &asked, &handles).unwrap();
        world.table.append(&world.latest(), &asked, &handles).unwrap();
        assert!(handles.most.get() <= 3, "{mode:?}: {} files were open at once", handles.most.get());
    }
}
