use std::collections::BTreeMap;

use super::*;

type Rows = Vec<(u8, i64)>;

fn entity_of(number: u8) -> Entity {
    match number {
        0 => Entity::none(),
        1 => [EntityPart::from(-7_i64), "x".into()].into_iter().collect(),
        other => entity(&format!("E{other}")),
    }
}

fn any_rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec((0_u8..6, -20_i64..20), 0..60)
}

fn coverage_of(rows: &Rows) -> Coverage {
    let mut coverage = Coverage::new();
    for (number, id) in rows {
        coverage.insert(&entity_of(*number), BucketId(*id));
    }
    coverage
}

fn model_of(rows: &Rows) -> BTreeMap<Entity, Model> {
    let mut model: BTreeMap<Entity, Model> = BTreeMap::new();
    for (number, id) in rows {
        model.entry(entity_of(*number)).or_default().insert(*id);
    }
    model
}

fn pairs(coverage: &Coverage) -> BTreeSet<(Entity, i64)> {
    coverage.iter().flat_map(|(entity, set)| set.iter().map(|id| (entity.clone(), id.0))).collect()
}

fn pairs_of(rows: &Rows) -> BTreeSet<(Entity, i64)> {
    rows.iter().map(|(number, id)| (entity_of(*number), *id)).collect()
}

#[test]
fn entities_are_ordered_arrays_in_json() {
    let mixed: Entity = [EntityPart::from("NVDA"), 5_i64.into(), u64::MAX.into()].into_iter().collect();
    let json = serde_json::to_string(&mixed).unwrap();
    assert_eq!(json, r#"["NVDA",5,18446744073709551615]"#);
    assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), mixed);
    assert_eq!(serde_json::to_string(&Entity::none()).unwrap(), "[]");
    assert!(serde_json::from_str::<Entity>("[1.5]").is_err());
    assert!(serde_json::to_string(&Entity::from(vec![EntityPart::Int(i128::MAX)])).is_err());
    assert!(entity("Z") < [EntityPart::from(-1_i64)].into_iter().collect());
}

#[test]
fn booleans_dates_and_uuids_of_entities_say_in_json_what_they_are() {
    let uuid = 0x550e_8400_e29b_41d4_a716_4466_5544_0000;
    let all: Entity =
        [EntityPart::Bool(true), EntityPart::Date(-3528), EntityPart::Uuid(uuid), EntityPart::from("true")]
            .into_iter()
            .collect();
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(json, r#"[true,{"date":-3528},{"uuid":"550e8400-e29b-41d4-a716-446655440000"},"true"]"#);
    assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), all);
    for wrong in
        [r#"[{"date":"x"}]"#, r#"[{"uuid":"5"}]"#, r#"[{"date":1,"uuid":2}]"#, "[{}]", r#"[{"time":1}]"#, "[null]"]
    {
        assert!(serde_json::from_str::<Entity>(wrong).is_err(), "{wrong}");
    }
    let columns = ["b", "d", "u", "t"].map(str::to_owned);
    let shown = "b=true, d='1960-05-05', u='550e8400-e29b-41d4-a716-446655440000', t='true'";
    assert_eq!(all.as_condition(&columns), shown);
    let least = EntityPart::Uuid(0x7fff_ffff_ffff_ffff_ffff_ffff_ffff_ffff);
    assert!(least < EntityPart::Uuid(1 << 127), "as DuckDB orders them, and their bytes");
}

#[test]
fn a_uuid_is_read_however_duckdb_reads_it() {
    let uuid = 0x550e_8400_e29b_41d4_a716_4466_5544_0000_u128;
    let texts = [
        "550e8400-e29b-41d4-a716-446655440000",
        "550E8400-E29B-41D4-A716-446655440000",
        "550e8400e29b41d4a716446655440000",
        "{550e8400-e29b-41d4-a716-446655440000}",
    ];
    for text in texts {
        assert_eq!(parse_uuid(text), Some(uuid), "{text}");
    }
    for text in ["", "550e8400", "{550e8400-e29b-41d4-a716-446655440000", "g50e8400e29b41d4a716446655440000"] {
        assert_eq!(parse_uuid(text), None, "{text}");
    }
    assert_eq!(uuid_text(uuid), texts[0]);
    assert_eq!(uuid_text(1), "00000000-0000-0000-0000-000000000001");
}

#[test]
fn clones_do_not_change_with_their_origin() {
    let mut original = coverage_of(&vec![(2, 1), (3, 1)]);
    let snapshot = original.clone();
    original.insert(&entity_of(2), BucketId(9));
    original.remove_run(None, BucketId(1), BucketId(1));
    assert_eq!(pairs(&snapshot), pairs_of(&vec![(2, 1), (3, 1)]));
    assert_eq!(pairs(&original), pairs_of(&vec![(2, 9)]));
}

#[test]
fn entities_without_buckets_are_absent() {
    let mut coverage = coverage_of(&vec![(2, 1), (3, 1), (3, 2)]);
    coverage.insert_set(&entity_of(4), BucketSet::new());
    coverage.remove_run(Some(&entity_of(2)), BucketId(0), BucketId(5));
    coverage.remove_run(Some(&entity_of(5)), BucketId(0), BucketId(5));
    assert_eq!(coverage.entities().cloned().collect::<Vec<_>>(), [entity_of(3)]);
    coverage.subtract(&coverage.clone());
    assert!(coverage.is_empty() && coverage.extent().is_none());
    let mut builder = CoverageBuilder::new();
    builder.slot(&entity_of(2));
    assert!(builder.finish().unwrap().is_empty());
}

#[test]
fn builders_take_long_ordered_runs() {
    let mut builder = CoverageBuilder::new();
    let slots = [2, 3].map(|number| builder.slot(&entity_of(number)));
    for id in 0..100_000 {
        for slot in slots {
            for _ in 0..2 {
                builder.cover(slot, BucketId(id)).unwrap();
            }
        }
    }
    let coverage = builder.finish().unwrap();
    assert_eq!(coverage.buckets(), 200_000);
    assert_eq!(coverage.get(&entity_of(3)).unwrap().runs().collect::<Vec<_>>(), [run(0, 99_999)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_make_the_same_coverage_in_any_way(rows in any_rows()) {
        let coverage = coverage_of(&rows);
        prop_assert_eq!(pairs(&coverage), pairs_of(&rows));
        prop_assert_eq!(coverage.buckets(), pairs_of(&rows).len() as u64);
        prop_assert_eq!(coverage.entity_count(), model_of(&rows).len());
        let mut builder = CoverageBuilder::new();
        for (number, id) in &rows {
            builder.push(&entity_of(*number), BucketId(*id)).unwrap();
        }
        prop_assert_eq!(&builder.finish().unwrap(), &coverage);
        let mut whole_sets = Coverage::new();
        for (entity, model) in model_of(&rows) {
            whole_sets.insert_set(&entity, set_of(&model));
        }
        prop_assert_eq!(whole_sets, coverage);
    }

    #[test]
    fn algebra_is_that_of_pairs(a in any_rows(), b in any_rows()) {
        let (left, right) = (coverage_of(&a), coverage_of(&b));
        let (a, b) = (pairs_of(&a), pairs_of(&b));
        let mut union = left.clone();
        union.union_with(&right);
        prop_assert_eq!(pairs(&union), a.union(&b).cloned().collect());
        let mut difference = left.clone();
        difference.subtract(&right);
        prop_assert_eq!(pairs(&difference), a.difference(&b).cloned().collect());
        let common: BTreeSet<(Entity, i64)> = a.intersection(&b).cloned().collect();
        prop_assert_eq!(pairs(&left.intersect(&right)), common.clone());
        let overlap = left.overlap(&right);
        prop_assert_eq!(overlap.count, common.len() as u64);
        prop_assert_eq!(overlap.entities, common.iter().map(|(e, _)| e).collect::<BTreeSet<_>>().len() as u64);
        prop_assert_eq!(overlap.first, common.first().map(|(e, id)| (e.clone(), BucketId(*id))));
        prop_assert_eq!(left.is_disjoint(&right), common.is_empty());
        prop_assert_eq!(left.is_subset_of(&right), a.is_subset(&b));
        prop_assert!(left.is_subset_of(&union) && difference.iter().all(|(_, set)| !set.is_empty()));
    }

    #[test]
    fn windows_meet_what_the_pairs_meet(rows in any_rows(), a in -25_i64..25, b in -25_i64..25) {
        let coverage = coverage_of(&rows);
        let expected = rows.iter().any(|(_, id)| a <= *id && *id <= b);
        prop_assert_eq!(coverage.meets(BucketId(a), BucketId(b)), expected);
        let mut rest = coverage.clone();
        rest.remove_run(None, BucketId(a), BucketId(b));
        let kept: Rows = rows.iter().copied().filter(|(_, id)| *id < a || b < *id).collect();
        prop_assert_eq!(rest, coverage_of(&kept));
    }
}
