use super::*;

const FIRST: BucketId = BucketId(i64::MIN);
const LAST: BucketId = BucketId(i64::MAX);

#[test]
fn runs_join_across_blocks_and_maps() {
    let mut set = BucketSet::new();
    for start in [-3, 65_533, (1 << 32) - 3, i64::MIN] {
        set.insert_run(BucketId(start), BucketId(start + 5)).unwrap();
    }
    let expected = [run(i64::MIN, i64::MIN + 5), run(-3, 2), run(65_533, 65_538), run((1 << 32) - 3, (1 << 32) + 2)];
    assert_eq!(set.runs().collect::<Vec<_>>(), expected);
    assert_eq!(set.len(), 24);
}

#[test]
fn windows_cut_runs() {
    let mut set = BucketSet::new();
    set.insert_run(BucketId(10), BucketId(200_000)).unwrap();
    assert_eq!(set.runs_in(BucketId(100), BucketId(150)).collect::<Vec<_>>(), [run(100, 150)]);
    assert_eq!(set.runs_in(BucketId(150), BucketId(100)).next(), None);
    assert_eq!(set.runs_in(BucketId(-5), BucketId(9)).next(), None);
    assert_eq!(set.gaps_in(BucketId(0), BucketId(200_005)).collect::<Vec<_>>(), [run(0, 9), run(200_001, 200_005)]);
    assert_eq!(set.gaps_in(BucketId(50), BucketId(60)).next(), None);
    assert_eq!(set.gaps_in(BucketId(60), BucketId(50)).next(), None);
}

#[test]
fn gaps_reach_the_ends_of_the_grid() {
    let empty = BucketSet::new();
    assert_eq!(empty.gaps_in(FIRST, LAST).collect::<Vec<_>>(), [run(i64::MIN, i64::MAX)]);
    let ends = BucketSet::from_iter([FIRST, LAST]);
    assert_eq!(ends.gaps_in(FIRST, LAST).collect::<Vec<_>>(), [run(i64::MIN + 1, i64::MAX - 1)]);
    assert_eq!(ends.extent(), Some(run(i64::MIN, i64::MAX)));
}

#[test]
fn endless_runs_are_refused_before_they_are_expanded() {
    let mut set = BucketSet::new();
    let error = set.insert_run(FIRST, LAST).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::LimitExceeded);
    assert!(set.is_empty());
    set.insert_run(BucketId(0), BucketId((1 << 33) - 1)).unwrap();
    assert_eq!(set.len(), 1 << 33);
    assert_eq!(set.runs().collect::<Vec<_>>(), [run(0, (1 << 33) - 1)]);
}

#[test]
fn last_run_is_found_before_its_limit() {
    let mut set = BucketSet::new();
    for (first, last) in [(0, 9), (20, 24), (30, 30)] {
        set.insert_run(BucketId(first), BucketId(last)).unwrap();
    }
    assert_eq!(set.last_run_of_at_least(1, None), Some(run(30, 30)));
    assert_eq!(set.last_run_of_at_least(5, None), Some(run(20, 24)));
    assert_eq!(set.last_run_of_at_least(5, Some(BucketId(24))), Some(run(0, 9)));
    assert_eq!(set.last_run_of_at_least(2, Some(BucketId(24))), Some(run(20, 23)));
    assert_eq!(set.last_run_of_at_least(11, None), None);
    assert_eq!(set.last_run_of_at_least(1, Some(FIRST)), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sets_are_what_the_model_is(model in any_dense_model(), probe in any_id()) {
        let mut set = set_of(&model);
        prop_assert_eq!(ids(&set), model.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(set.len(), model.len() as u64);
        prop_assert_eq!(set.first().map(|id| id.0), model.first().copied());
        prop_assert_eq!(set.last().map(|id| id.0), model.last().copied());
        prop_assert_eq!(set.contains(BucketId(probe)), model.contains(&probe));
        prop_assert_eq!(set.runs().collect::<Vec<_>>(), model_runs(&model));
        let before = set.clone();
        set.optimize();
        prop_assert_eq!(set.runs().collect::<Vec<_>>(), model_runs(&model));
        prop_assert_eq!(set, before);
    }

    #[test]
    fn algebra_is_that_of_sets(a in any_dense_model(), b in any_dense_model()) {
        let (left, right) = (set_of(&a), set_of(&b));
        let mut union = left.clone();
        union.union_with(&right);
        prop_assert_eq!(&union, &set_of(&a.union(&b).copied().collect()));
        let mut difference = left.clone();
        difference.subtract(&right);
        prop_assert_eq!(&difference, &set_of(&a.difference(&b).copied().collect()));
        prop_assert_eq!(left.intersect(&right), set_of(&a.intersection(&b).copied().collect()));
        prop_assert_eq!(left.intersection_len(&right), a.intersection(&b).count() as u64);
        prop_assert_eq!(left.is_disjoint(&right), a.is_disjoint(&b));
        prop_assert_eq!(left.is_subset_of(&right), a.is_subset(&b));
        prop_assert!(difference.is_disjoint(&right) && difference.is_subset_of(&left) && left.is_subset_of(&union));
    }

    #[test]
    fn windows_see_what_the_model_sees(model in any_dense_model(), a in any_id(), b in any_id()) {
        let (first, last) = (a.min(b), a.max(b));
        let inside: Model = model.range(first..=last).copied().collect();
        let set = set_of(&model);
        let (first, last) = (BucketId(first), BucketId(last));
        prop_assert_eq!(set.count_in(first, last), inside.len() as u64);
        let runs: Vec<Run> = set.runs_in(first, last).collect();
        prop_assert_eq!(&runs, &model_runs(&inside));
        // Runs and gaps together tile the window, alternating.
        let mut tiles: Vec<Run> = set.gaps_in(first, last).chain(runs.iter().copied()).collect();
        tiles.sort_unstable_by_key(|tile| tile.first);
        prop_assert_eq!(tiles.first().unwrap().first, first);
        prop_assert_eq!(tiles.last().unwrap().last, last);
        for pair in tiles.windows(2) {
            prop_assert_eq!(pair[0].last.0 + 1, pair[1].first.0);
            prop_assert!(runs.contains(&pair[0]) != runs.contains(&pair[1]));
        }
        let mut kept = set.clone();
        kept.keep_run(first, last);
        prop_assert_eq!(&kept, &set_of(&inside));
        let mut removed = set.clone();
        removed.remove_run(first, last);
        prop_assert_eq!(&removed, &set_of(&model.difference(&inside).copied().collect()));
    }

    #[test]
    fn last_runs_are_those_of_the_model(model in any_model(), n in 1_u64..14, until in proptest::option::of(any_id())) {
        let before: Model = model.iter().copied().filter(|id| until.is_none_or(|until| *id < until)).collect();
        let expected = model_runs(&before).into_iter().rfind(|run| run.buckets() >= n);
        prop_assert_eq!(set_of(&model).last_run_of_at_least(n, until.map(BucketId)), expected);
    }
}
