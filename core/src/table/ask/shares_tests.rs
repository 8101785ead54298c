#![allow(clippy::unwrap_used)]

use super::*;
use crate::schema::TimeUnit;

fn line(pieces: &[(u64, f64)]) -> Line {
    Line::of(pieces.iter().map(|(count, rows)| (*count, Weight { rows: *rows, bytes: rows * 10.0 })))
}

fn rows(line: &Line, parts: u64) -> Vec<u64> {
    neighbours(&line.cuts(parts)).map(|(from, to)| line.between(from, to).0).collect()
}

#[test]
fn parts_of_even_weight_are_equal() {
    assert_eq!(rows(&line(&[(1000, 3.0)]), 4), [750, 750, 750, 750]);
    assert_eq!(rows(&line(&[(500, 3.0), (500, 1.0)]), 4), [501, 498, 501, 500]);
}

#[test]
fn the_parts_sum_up_to_the_whole_and_none_is_without_a_thing() {
    for parts in 1..40 {
        let line = line(&[(7, 0.3), (1, 90.0), (3, 0.0), (11, 1.7)]);
        let cuts = line.cuts(parts);
        assert_eq!(cuts.len() as u64, parts.min(22) + 1);
        assert!(cuts.is_sorted_by(|a, b| a < b), "{cuts:?}");
        assert_eq!((cuts.first(), cuts.last()), (Some(&0), Some(&22)));
        assert_eq!(rows(&line, parts).iter().sum::<u64>(), 111);
    }
}

#[test]
fn nothing_is_cut_into_no_parts() {
    assert!(rows(&line(&[]), 4).is_empty());
}

#[test]
fn runs_lie_over_each_other() {
    let weight = |rows| Weight { rows, bytes: 0.0 };
    let bounds = BTreeMap::from([
        (0, (1, weight(0.1))),
        (5, (1, weight(0.2))),
        (10, (-1, weight(-0.1))),
        (12, (-1, weight(-0.2))),
        (20, (1, weight(1.0))),
        (21, (-1, weight(-1.0))),
    ]);
    let found: Vec<_> = pieces(bounds).into_iter().map(|(run, w)| (run.first.0, run.last.0, w.rows)).collect();
    assert_eq!(found.iter().map(|(a, b, _)| (*a, *b)).collect::<Vec<_>>(), [(0, 4), (5, 9), (10, 11), (20, 20)]);
    assert!((found.last().unwrap().2 - 1.0).abs() < f64::EPSILON);
}

#[test]
fn an_end_that_the_index_cannot_hold_stays_open() {
    let value = |value: i128| Some(IndexValue(value));
    let ts = ColumnType::Timestamp(TimeUnit::Us);
    assert_eq!(shown(IndexValue(i128::from(i64::MAX)), &ts), None);
    assert_eq!(shown(IndexValue(5), &ts), value(5));
    assert_eq!(shown(IndexValue(1 << 31), &ColumnType::Integer), None);
    assert_eq!(shown(IndexValue(-(1 << 31)), &ColumnType::Integer), value(-(1 << 31)));
    assert_eq!(shown(IndexValue(1 << 32), &ColumnType::UInteger), None);
    assert_eq!(shown(IndexValue(1 << 63), &ColumnType::UBigInt), value(1 << 63));
    assert_eq!(shown(IndexValue(1 << 63), &ColumnType::BigInt), None);
    assert_eq!(shown(IndexValue(1 << 31), &ColumnType::Date), None);
}
