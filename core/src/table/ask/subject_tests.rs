//! Stretches and summaries against a plain list of buckets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use proptest::prelude::*;

use super::*;

fn set(of: impl IntoIterator<Item = i64>) -> BucketSet {
    of.into_iter().map(BucketId).collect()
}

/// A subject over `extent` whose buckets are given letter by letter: `c`overed, `m`issing, `e`mpty, ` ` closed.
pub(crate) fn subject(letters: &str, first: i64, plain: bool) -> Subject {
    let of = |wanted: char| set(letters.chars().zip(first..).filter(|(c, _)| *c == wanted).map(|(_, id)| id));
    let extent = Run { first: BucketId(first), last: BucketId(first + letters.len() as i64 - 1) };
    let open = set(letters.chars().zip(first..).filter(|(c, _)| *c != ' ').map(|(_, id)| id));
    let expected = Expected { sessions: Some(open.runs().collect()), confirmed: Arc::new(of('e')) };
    let covered = Arc::new(of('c'));
    Subject { entity: Entity::none(), extent, covered, expected: (!plain).then_some(expected) }
}

/// Stretches of `letter`: neighbours among `c` and `m`.
fn model(letters: &str, letter: char, first: i64) -> Vec<(i64, i64, u64)> {
    let mut found: Vec<(i64, i64, u64)> = Vec::new();
    let mut before = ' ';
    for (c, id) in letters.chars().zip(first..).filter(|(c, _)| "cm".contains(*c)) {
        if c == letter && before == letter {
            let last = found.last_mut().unwrap();
            *last = (last.0, id, last.2 + 1);
        } else if c == letter {
            found.push((id, id, 1));
        }
        before = c;
    }
    found
}

fn flat(stretches: impl Iterator<Item = Stretch>) -> Vec<(i64, i64, u64)> {
    stretches.map(|s| (s.run.first.0, s.run.last.0, s.buckets)).collect()
}

fn check(letters: &str, first: i64, plain: bool) {
    let subject = subject(letters, first, plain);
    let gaps = model(letters, 'm', first);
    assert_eq!(flat(subject.gaps(subject.extent)), gaps, "gaps of {letters:?}");
    assert_eq!(flat(subject.windows(subject.extent)), model(letters, 'c', first), "windows of {letters:?}");
    let summary = subject.summary(subject.extent);
    let count = |letter| letters.chars().filter(|c| *c == letter).count() as u64;
    assert_eq!((summary.covered, summary.missing, summary.confirmed_empty), (count('c'), count('m'), count('e')));
    assert_eq!(summary.expected, count('c') + count('m'));
    assert_eq!(summary.gaps, gaps.len() as u64);
    let longest = gaps.iter().map(|gap| gap.2).max();
    assert_eq!(summary.max_gap.map(|gap| gap.buckets), longest);
    assert_eq!(summary.first_covered.map(|b| b.0), letters.find('c').map(|at| first + at as i64));
    assert_eq!(summary.last_covered.map(|b| b.0), letters.rfind('c').map(|at| first + at as i64));
    for gap in subject.gaps(subject.extent) {
        let at = (gap.run.first.0 - first) as usize;
        let (before, after) = (letters[..at].contains('c'), letters[at..].contains('c'));
        let expected = match (before, after) {
            (false, _) => Position::Leading,
            (true, true) => Position::Inner,
            (true, false) => Position::Trailing,
        };
        assert_eq!(subject.position(&gap, subject.extent), expected, "{letters:?} {gap:?}");
    }
    check_timeline(letters, &summary);
    check_pieces(letters, &subject);
}

/// Bucket by bucket what `next_piece` says in runs.
fn check_pieces(letters: &str, subject: &Subject) {
    let mut found = vec![' '; letters.chars().count()];
    let mut from = subject.extent.first;
    while let Some((run, state)) = subject.next_piece(from) {
        let letter = match state {
            BucketState::Covered => 'c',
            BucketState::Missing => 'm',
            BucketState::ConfirmedEmpty => 'e',
        };
        let at = |bucket: BucketId| (bucket.0 - subject.extent.first.0) as usize;
        found[at(run.first)..=at(run.last)].fill(letter);
        from = BucketId(run.last.0 + 1);
    }
    assert_eq!(found.into_iter().collect::<String>(), letters);
}

fn check_timeline(letters: &str, summary: &Summary) {
    let all: Vec<char> = letters.chars().collect();
    let timeline: Vec<char> = summary.timeline().chars().collect();
    assert_eq!(timeline.len(), 60);
    for (i, shown) in timeline.into_iter().enumerate() {
        let (from, until) = (i * all.len() / 60, ((i + 1) * all.len() / 60).max(i * all.len() / 60 + 1));
        let part = &all[from..until];
        let covered = part.iter().filter(|c| **c == 'c').count();
        let expected = part.iter().filter(|c| "cm".contains(**c)).count();
        let model = match (covered * 3, expected) {
            (_, 0) => '-',
            (0, _) => '·',
            (thirds, expected) if thirds == expected * 3 => '█',
            (thirds, expected) if thirds >= expected * 2 => '▓',
            (thirds, expected) if thirds >= expected => '▒',
            _ => '░',
        };
        assert_eq!(shown, model, "character {i} of {letters:?}");
    }
}

proptest! {
    #[test]
    fn stretches_and_summaries_are_those_of_a_list_of_buckets(letters in "[cm]{0,3}[cme ]{1,200}", first in -100_i64..100) {
        check(&letters, first, false);
    }

    #[test]
    fn without_expectations_gaps_and_windows_are_runs(letters in "[cm]{1,200}", first in -100_i64..100) {
        check(&letters, first, true);
        check(&letters, first, false);
    }
}

#[test]
fn a_closed_weekend_is_no_gap_and_breaks_no_window() {
    let week = subject("cccmm  mcc", 0, false);
    assert_eq!(flat(week.gaps(week.extent)), [(3, 7, 3)]);
    let whole = subject("ccc  eec", 0, false);
    assert_eq!(flat(whole.windows(whole.extent)), [(0, 7, 4)]);
    assert_eq!(whole.summary(whole.extent).ratio(), Some(1.0));
}
