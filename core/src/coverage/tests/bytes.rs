use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::ErrorKind;

/// Bytes with a right header and checksum around `body`.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"TSTCOV\x01\x00".to_vec();
    bytes.extend_from_slice(body);
    let checksum = xxh3_64(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn refusal(body: &[u8]) -> ErrorKind {
    Coverage::from_bytes(&sealed(body), MAX_BUCKETS).unwrap_err().kind()
}

fn any_entity() -> impl Strategy<Value = Entity> {
    let part = prop_oneof![
        ".{0,6}".prop_map(|text| EntityPart::from(text.as_str())),
        any::<i64>().prop_map(EntityPart::from),
        any::<i128>().prop_map(EntityPart::Int),
        any::<bool>().prop_map(EntityPart::Bool),
        any::<i32>().prop_map(EntityPart::Date),
        any::<u128>().prop_map(EntityPart::Uuid),
    ];
    prop::collection::vec(part, 0..3).prop_map(Entity::from)
}

fn any_coverage() -> impl Strategy<Value = Coverage> {
    prop::collection::vec((any_entity(), any_dense_model()), 0..5).prop_map(|sets| {
        let mut coverage = Coverage::new();
        for (entity, model) in sets {
            coverage.insert_set(&entity, set_of(&model));
        }
        coverage
    })
}

#[test]
fn layout_is_the_documented_one() {
    let mut coverage = Coverage::new();
    let mut set = BucketSet::new();
    set.insert_run(BucketId(-3), BucketId(2)).unwrap();
    set.insert(BucketId(200));
    coverage.insert_set(&[EntityPart::from("NV"), EntityPart::from(-2_i64)].into_iter().collect(), set);
    // One entity of two parts; two runs: from -3 (zigzag 5) 5 more, 197 uncovered (196 is 0xc4 0x01), 0 more.
    let body = [&[1, 2, 0, 2][..], b"NV", &[1, 3, 0, 2, 5, 5, 0xc4, 0x01, 0]].concat();
    assert_eq!(coverage.to_bytes(), sealed(&body));
    assert_eq!(Coverage::from_bytes(&sealed(&body), 7).unwrap(), coverage);
    assert_eq!(Coverage::new().to_bytes(), sealed(&[0]));
}

#[test]
fn dense_sets_are_stored_as_roaring_bitmaps() {
    let model: Model = (0..60_000).filter(|i: &i64| (i * i / 7 + i / 3) % 2 == 0).collect();
    let mut coverage = Coverage::new();
    coverage.insert_set(&Entity::none(), set_of(&model));
    let bytes = coverage.to_bytes();
    assert!(model_runs(&model).len() > 8_200, "the set is not dense enough to tell");
    assert!(bytes.len() < 8_300, "{}", bytes.len());
    assert_eq!(bytes[10], 1, "the form of the set");
    assert_eq!(Coverage::from_bytes(&bytes, MAX_BUCKETS).unwrap(), coverage);
    assert_eq!(Coverage::from_bytes(&bytes, 1_000).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn crafted_runs_are_refused_before_they_are_expanded() {
    let run_from = |first: i128, extent: u128| {
        let mut body = vec![1, 0, 0, 1];
        varint::write_signed(first, &mut body);
        varint::write(extent, &mut body);
        body
    };
    assert_eq!(refusal(&run_from(0, (1 << 63) - 1)), ErrorKind::LimitExceeded);
    assert_eq!(refusal(&run_from(i64::MIN.into(), u64::MAX.into())), ErrorKind::LimitExceeded);
    assert_eq!(refusal(&run_from(0, 1 << 35)), ErrorKind::LimitExceeded);
    assert_eq!(refusal(&run_from(i64::MAX.into(), 1)), ErrorKind::Corrupt);
    assert_eq!(refusal(&run_from(i128::from(i64::MAX) + 1, 0)), ErrorKind::Corrupt);
    assert_eq!(refusal(&run_from(i128::MIN, 0)), ErrorKind::Corrupt);
    assert_eq!(refusal(&run_from(0, 1 << 64)), ErrorKind::Corrupt);
    assert!(Coverage::from_bytes(&sealed(&run_from(0, 9)), 10).is_ok());
    assert_eq!(Coverage::from_bytes(&sealed(&run_from(0, 9)), 9).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn malformed_bodies_are_corrupt() {
    let bodies: [(&str, &[u8]); 20] = [
        ("nothing at all", &[]),
        ("fewer entities than counted", &[1]),
        ("endless entities", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ("endless parts", &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ("a part of unknown kind", &[1, 1, 9, 0, 0, 1, 0, 0]),
        ("a BOOLEAN of neither truth", &[1, 1, 2, 2, 0, 1, 0, 0]),
        ("a DATE beyond 32 bits", &[1, 1, 3, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 1, 0, 0]),
        ("a UUID of too few bytes", &[1, 1, 4, 0, 0, 1, 0, 0]),
        ("a text longer than the bytes", &[1, 1, 0, 200, 1, b'a']),
        ("a text that is not UTF-8", &[1, 1, 0, 1, 0xff, 0, 1, 0, 0]),
        ("a set of unknown form", &[1, 0, 2, 1, 0, 0]),
        ("a set without runs", &[1, 0, 0, 0]),
        ("fewer runs than counted", &[1, 0, 0, 2, 0, 0]),
        ("a byte after the end", &[1, 0, 0, 1, 0, 0, 0]),
        ("a varint that is not the shortest", &[0x80, 0]),
        ("a long varint that is not the shortest", &[0x80, 0x80, 0]),
        ("a varint beyond 64 bits", &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]),
        ("the same entity twice", &[2, 0, 0, 1, 0, 0, 0, 0, 1, 2, 0]),
        ("an empty Roaring bitmap", &[1, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("a short Roaring bitmap", &[1, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (what, body) in bodies {
        assert_eq!(refusal(body), ErrorKind::Corrupt, "{what}");
    }
}

#[test]
fn roaring_maps_must_be_ordered_and_not_empty() {
    let map = |key: u32, values: &[u32]| {
        let mut bytes = key.to_le_bytes().to_vec();
        roaring::RoaringBitmap::from_iter(values).serialize_into(&mut bytes).unwrap();
        bytes
    };
    let body = |maps: &[Vec<u8>]| {
        let payload = [(maps.len() as u64).to_le_bytes().to_vec(), maps.concat()].concat();
        [&[1, 0, 1, u8::try_from(payload.len()).unwrap()][..], &payload].concat()
    };
    let high = 0x8000_0000;
    let good = Coverage::from_bytes(&sealed(&body(&[map(high, &[5]), map(high + 1, &[6])])), 2).unwrap();
    assert_eq!(ids(good.get(&Entity::none()).unwrap()), [5, (1 << 32) + 6]);
    assert_eq!(refusal(&body(&[map(high + 1, &[6]), map(high, &[5])])), ErrorKind::Corrupt);
    assert_eq!(refusal(&body(&[map(high, &[6]), map(high, &[5])])), ErrorKind::Corrupt);
    assert_eq!(refusal(&body(&[map(high, &[])])), ErrorKind::Corrupt);
    let mut trailing = body(&[map(high, &[5])]);
    trailing.push(0);
    trailing[3] += 1;
    assert_eq!(refusal(&trailing), ErrorKind::Corrupt);
}

#[test]
fn unknown_versions_and_foreign_bytes_are_told_apart() {
    let mut newer = b"TSTCOV\x02\x00\x00".to_vec();
    let checksum = xxh3_64(&newer);
    newer.extend_from_slice(&checksum.to_le_bytes());
    let error = Coverage::from_bytes(&newer, MAX_BUCKETS).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    assert!(error.to_string().contains("version 2"), "{error}");
    for foreign in [&b""[..], b"PAR1", b"TSTCOV\x01\x00", &[0; 64]] {
        assert_eq!(Coverage::from_bytes(foreign, MAX_BUCKETS).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn coverage_survives_its_bytes(coverage in any_coverage()) {
        let bytes = coverage.to_bytes();
        let again = Coverage::from_bytes(&bytes, coverage.buckets()).unwrap();
        prop_assert_eq!(&again, &coverage);
        prop_assert_eq!(again.to_bytes(), bytes);
    }

    #[test]
    fn any_changed_byte_is_detected(coverage in any_coverage(), at: prop::sample::Index, flip in 1_u8..=255) {
        let mut bytes = coverage.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert_eq!(Coverage::from_bytes(&bytes, MAX_BUCKETS).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn any_cut_is_detected(coverage in any_coverage(), at: prop::sample::Index) {
        let bytes = coverage.to_bytes();
        prop_assert!(Coverage::from_bytes(&bytes[..at.index(bytes.len())], MAX_BUCKETS).is_err());
    }

    #[test]
    fn bodies_of_any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(coverage) = Coverage::from_bytes(&sealed(&body), 1 << 20) {
            prop_assert!(coverage.buckets() <= 1 << 20);
        }
    }

    #[test]
    fn changed_bodies_are_read_or_refused(
        coverage in any_coverage(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let bytes = coverage.to_bytes();
        let mut body = bytes[8..bytes.len() - 8].to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(changed) = Coverage::from_bytes(&sealed(&body), 1 << 20) {
            prop_assert!(changed.buckets() <= 1 << 20);
            for (_, set) in changed.iter() {
                prop_assert!(!set.is_empty());
                prop_assert_eq!(set.runs().map(|run| run.buckets()).sum::<u64>(), set.len());
            }
        }
    }
}
