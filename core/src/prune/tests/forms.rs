//! The forms that must prune, each where one expects it to, and those that must not.

use std::{borrow::Cow, sync::Arc};

use crate::{
    prune::{
        Bounds, ColumnStats, Interval, Nulls, Statistics,
        Verdict::{self, Always, Maybe, Never},
        describe, entity_values, exact_range,
        expr::{Comparison, Constant, Expr},
        index_bounds, is_modelled, judge,
    },
    schema::{ColumnType, TimeUnit},
    time::Offsets,
};

const US: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
const MS: ColumnType = ColumnType::Timestamp(TimeUnit::Ms);
const TZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Columns by position.
const AT: usize = 0;
const SYMBOL: usize = 1;
const ID: usize = 2;
const PRICE: usize = 3;
const TRADED: usize = 4;
const SEEN: usize = 5;
const FLAG: usize = 6;
const AMOUNT: usize = 7;
const NAMES: [&str; 8] = ["ts", "symbol", "id", "price", "traded", "seen", "flag", "The amount"];

fn schema() -> Vec<ColumnType> {
    use ColumnType as T;
    vec![MS, T::Varchar, T::Integer, T::Double, T::Date, TZ, T::Boolean, T::Decimal { precision: 10, scale: 2 }]
}

/// June 2024, NVDA and AAPL, ids 10 to 20, prices 1.5 to 9.5, amounts 1.00 to 2.50.
struct June {
    nulls: Nulls,
}

impl Statistics for June {
    fn rows(&self) -> u64 {
        100
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        let ms = |text: &str| Constant::Temporal(MS, micros(text) / 1_000);
        let (min, max) = match index {
            AT => (ms("2024-06-01 00:00:00"), ms("2024-06-30 23:59:59")),
            SYMBOL => (Constant::Text("AAPL".into()), Constant::Text("NVDA".into())),
            ID => (Constant::Int(10), Constant::Int(20)),
            PRICE => (Constant::Float(1.5), Constant::Float(9.5)),
            TRADED => (date("2024-06-01"), date("2024-06-30")),
            SEEN => (zoned("2024-06-01 00:00:00"), zoned("2024-06-30 23:59:59")),
            FLAG => (Constant::Bool(true), Constant::Bool(true)),
            AMOUNT => (Constant::Decimal(100, 2), Constant::Decimal(250, 2)),
            _ => return None,
        };
        let values = (index == SYMBOL).then(|| [min.clone(), max.clone()].into());
        Some(Cow::Owned(ColumnStats { min: Some(min), max: Some(max), exact: true, nulls: self.nulls, values }))
    }
}

fn micros(text: &str) -> i64 {
    let text = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc().timestamp_micros()
}

fn date(text: &str) -> Constant {
    Constant::Temporal(ColumnType::Date, micros(text) / DAY)
}

fn zoned(text: &str) -> Constant {
    Constant::Temporal(TZ, micros(text))
}

fn ts(text: &str) -> Expr {
    Expr::Constant(Constant::Temporal(US, micros(text)))
}

fn of(constant: Constant) -> Expr {
    Expr::Constant(constant)
}

fn text(text: &str) -> Expr {
    of(Constant::Text(text.to_owned()))
}

fn int(value: i128) -> Expr {
    of(Constant::Int(value))
}

fn column(index: usize) -> Expr {
    Expr::Column(index)
}

fn compare(a: Expr, op: &str, b: Expr) -> Expr {
    let op = match op {
        "=" => Comparison::Eq,
        "<>" => Comparison::Ne,
        "<" => Comparison::Lt,
        "<=" => Comparison::Le,
        ">" => Comparison::Gt,
        ">=" => Comparison::Ge,
        "is" => Comparison::NotDistinct,
        "is not" => Comparison::Distinct,
        other => panic!("{other}"),
    };
    Expr::Compare(op, Box::new(a), Box::new(b))
}

fn call(name: &str, arguments: impl Into<Vec<Expr>>) -> Expr {
    Expr::Function(name.to_owned(), arguments.into())
}

fn cast(value: Expr, to: ColumnType) -> Expr {
    Expr::Cast { value: Box::new(value), to, try_cast: false }
}

fn interval(months: i32, days: i32, micros: i64) -> Expr {
    of(Constant::Interval { months, days, micros })
}

fn between(value: Expr, low: Expr, high: Expr) -> Expr {
    Expr::Between(Box::new(value), Box::new(low), Box::new(high))
}

fn one_of(value: Expr, list: impl Into<Vec<Expr>>) -> Expr {
    Expr::In(Box::new(value), list.into())
}

fn not(value: Expr) -> Expr {
    Expr::Not(Box::new(value))
}

#[track_caller]
fn expect(verdict: Verdict, predicates: impl IntoIterator<Item = Expr>) {
    for predicate in predicates {
        let found = judge(&predicate, &schema(), &June { nulls: Nulls::None });
        assert_eq!(found, verdict, "{}", describe(&predicate, &NAMES));
    }
}

#[test]
fn comparisons_with_either_operand_order_prune() {
    expect(
        Never,
        [
            compare(column(AT), "<", ts("2024-06-01")),
            compare(ts("2024-06-01"), ">", column(AT)),
            compare(column(AT), ">=", ts("2024-07-01")),
            compare(column(AT), "=", ts("2024-05-31 23:59:59.999999")),
            compare(column(SYMBOL), "=", text("MSFT")),
            compare(column(SYMBOL), "<", text("AAPL")),
            compare(column(ID), ">", int(20)),
            compare(column(FLAG), "=", of(Constant::Bool(false))),
            compare(column(AMOUNT), ">", of(Constant::Decimal(2_501, 3))),
            compare(column(ID), "is", int(9)),
            compare(column(ID), "=", of(Constant::Null)),
            not(column(FLAG)),
        ],
    );
    expect(
        Always,
        [
            compare(column(AT), ">=", ts("2024-06-01")),
            compare(column(AT), "<", ts("2024-07-01")),
            compare(column(ID), "<>", int(9)),
            compare(column(ID), "is not", of(Constant::Null)),
            compare(column(FLAG), "is", of(Constant::Bool(true))),
            column(FLAG),
        ],
    );
    expect(
        Maybe,
        [
            compare(column(AT), ">", ts("2024-06-01")),
            compare(column(ID), "=", int(10)),
            compare(column(AMOUNT), "<", of(Constant::Decimal(2, 0))),
        ],
    );
}

#[test]
fn the_ends_of_between_count_for_neither_proof() {
    expect(Never, [between(column(ID), int(21), int(30)), between(column(ID), int(1), int(9))]);
    expect(Maybe, [between(column(ID), int(20), int(30)), between(column(ID), int(10), int(20))]);
    expect(Always, [between(column(ID), int(9), int(21))]);
}

#[test]
fn lists_and_connectives_follow_three_valued_logic() {
    let null = || of(Constant::Null);
    expect(
        Never,
        [
            one_of(column(SYMBOL), [text("MSFT"), text("B")]),
            one_of(column(ID), [int(1), null()]),
            not(one_of(column(ID), [int(1), null()])),
            Expr::And(vec![compare(column(ID), "<", int(5)), Expr::Opaque]),
            Expr::Or(vec![compare(column(ID), "<", int(5)), compare(column(ID), ">", int(25))]),
            not(compare(column(ID), ">=", int(10))),
            Expr::And(vec![compare(column(SYMBOL), ">", text("AAPL")), compare(column(SYMBOL), "<", text("NVDA"))]),
        ],
    );
    expect(
        Always,
        [
            one_of(column(SYMBOL), [text("AAPL"), text("NVDA"), null()]),
            Expr::Or(vec![compare(column(SYMBOL), "=", text("AAPL")), compare(column(SYMBOL), "=", text("NVDA"))]),
            not(one_of(column(ID), [int(1), int(30)])),
        ],
    );
    expect(
        Maybe,
        [
            Expr::Or(vec![compare(column(ID), "<", int(5)), Expr::Opaque]),
            Expr::And(vec![compare(column(ID), "<", int(50)), Expr::Opaque]),
            Expr::Or(vec![compare(column(ID), "<", int(50)), Expr::Opaque]),
        ],
    );
}

#[test]
fn nulls_are_proven_by_their_count() {
    let is_null = Expr::IsNull(Box::new(column(ID)));
    let is_not_null = Expr::IsNotNull(Box::new(column(ID)));
    let verdict = |predicate: &Expr, nulls| judge(predicate, &schema(), &June { nulls });
    assert_eq!(verdict(&is_null, Nulls::None), Never);
    assert_eq!(verdict(&is_null, Nulls::All), Always);
    assert_eq!(verdict(&is_null, Nulls::Unknown), Maybe);
    assert_eq!(verdict(&is_not_null, Nulls::None), Always);
    assert_eq!(verdict(&is_not_null, Nulls::All), Never);
    assert_eq!(verdict(&compare(column(ID), "<", int(50)), Nulls::Unknown), Maybe);
    assert_eq!(verdict(&compare(column(ID), ">", int(5)), Nulls::All), Never);
    assert_eq!(verdict(&not(compare(column(ID), ">", int(5))), Nulls::Unknown), Never);
}

#[test]
fn a_nan_that_statistics_leave_out_is_greater_than_their_maximum() {
    let float = |value| of(Constant::Float(value));
    expect(Maybe, [compare(column(PRICE), ">", float(100.0)), compare(column(PRICE), "<", float(100.0))]);
    expect(
        Never,
        [
            compare(column(PRICE), "=", float(100.0)),
            compare(column(PRICE), "<", float(1.0)),
            between(column(PRICE), float(100.0), float(200.0)),
            Expr::And(vec![compare(column(PRICE), ">=", float(100.0)), compare(column(PRICE), "<", float(200.0))]),
        ],
    );
    expect(Always, [compare(column(PRICE), ">=", float(1.5))]);
}

#[test]
fn casts_prune() {
    let decimal = ColumnType::Decimal { precision: 12, scale: 2 };
    let tz = |text| of(zoned(text));
    expect(
        Never,
        [
            compare(cast(column(AT), ColumnType::Date), "=", of(date("2024-07-01"))),
            compare(cast(column(TRADED), US), ">", ts("2024-06-30 00:00:01")),
            compare(cast(column(ID), ColumnType::BigInt), ">", int(20)),
            compare(cast(column(ID), ColumnType::Double), ">", of(Constant::Float(20.5))),
            compare(cast(column(ID), decimal), ">", of(Constant::Decimal(2_001, 2))),
            compare(cast(column(AT), TZ), ">=", tz("2024-07-02 00:00:00")),
            compare(cast(column(SEEN), ColumnType::Date), ">=", of(date("2024-07-02"))),
            compare(cast(column(SEEN), US), "<", ts("2024-05-31")),
            compare(cast(column(AT), ColumnType::Timestamp(TimeUnit::Ns)), "<", of(ns("2024-06-01"))),
        ],
    );
    expect(
        Maybe,
        [
            compare(cast(column(AT), TZ), ">=", tz("2024-07-01 00:00:00")),
            compare(cast(column(SEEN), ColumnType::Date), "=", of(date("2024-07-01"))),
            compare(cast(column(ID), ColumnType::Varchar), "=", text("x")),
            compare(cast(column(SYMBOL), ColumnType::Integer), "=", int(1)),
        ],
    );
    expect(
        Always,
        [
            compare(cast(column(AT), ColumnType::Date), ">=", of(date("2024-06-01"))),
            compare(cast(column(AT), TZ), ">=", tz("2024-05-31 00:00:00")),
        ],
    );
}

fn ns(text: &str) -> Constant {
    Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ns), micros(text) * 1_000)
}

#[test]
fn a_cast_that_may_raise_proves_nothing_unless_its_failures_are_null() {
    let wide = |try_cast| {
        let value = Box::new(cast(column(ID), ColumnType::BigInt));
        let sum = call("+", [*value, int(250)]);
        Expr::Cast { value: Box::new(sum), to: ColumnType::UTinyInt, try_cast }
    };
    expect(Maybe, [compare(wide(false), "<", int(0))]);
    expect(Maybe, [compare(wide(true), "<", int(300))]);
}

#[test]
fn functions_of_dates_and_times_prune() {
    let trunc = |part: &str, of| call("date_trunc", [text(part), of]);
    let june = || [column(AT)];
    expect(
        Never,
        [
            compare(trunc("day", column(AT)), "=", ts("2024-07-01")),
            compare(trunc("month", column(AT)), "<", ts("2024-06-01")),
            compare(trunc("Week", column(AT)), "<", ts("2024-05-27")),
            compare(trunc("quarter", column(TRADED)), "=", ts("2024-07-01")),
            compare(trunc("hour", column(SEEN)), ">", of(zoned("2024-07-03"))),
            compare(call("year", june()), "=", int(2023)),
            compare(call("month", june()), "=", int(7)),
            compare(call("quarter", june()), "<>", int(2)),
            compare(call("isoyear", june()), "=", int(2025)),
            compare(call("dayofyear", june()), "<", int(150)),
            compare(call("week", june()), ">", int(26)),
            compare(call("hour", june()), "=", int(24)),
            compare(call("isodow", june()), "=", int(0)),
            compare(call("date_part", [text("year"), column(AT)]), "=", int(2023)),
            compare(call("year", [column(SEEN)]), "=", int(2023)),
            compare(call("epoch", june()), ">", of(Constant::Float(1_719_792_000.5))),
            compare(call("epoch_ms", june()), ">=", int(1_719_792_000_000)),
            compare(call("epoch_us", june()), "<", int(1_717_200_000_000_000)),
            compare(call("epoch_ns", june()), "<", int(1_717_200_000_000_000_000)),
            compare(call("to_timestamp", [call("epoch", june())]), ">", of(zoned("2024-07-01"))),
            compare(cast(column(AT), ColumnType::Date), ">", of(date("2024-06-30"))),
            compare(call("timezone", [text("Asia/Tokyo"), column(AT)]), ">", of(zoned("2024-07-02"))),
        ],
    );
    expect(
        Always,
        [
            compare(trunc("month", column(AT)), "=", ts("2024-06-01")),
            compare(call("month", june()), "=", int(6)),
            compare(call("year", june()), "=", int(2024)),
        ],
    );
    expect(
        Maybe,
        [
            compare(call("day", june()), "=", int(15)),
            compare(call("month", [column(SEEN)]), "=", int(7)),
            compare(trunc("fortnight", column(AT)), "<", ts("2000-01-01")),
            compare(call("random", []), "<", of(Constant::Float(-1.0))),
            compare(call("timezone", [text("Nowhere/Else"), column(AT)]), ">", of(zoned("2025-07-02"))),
        ],
    );
}

#[test]
fn buckets_of_the_grid_prune_and_zoned_ones_without_slack() {
    let bucket = |of: usize, width: &str| call("tstable_bucket", [column(of), text(width)]);
    let in_zone = |zone: Expr| call("tstable_bucket", [column(SEEN), text("1d"), zone]);
    expect(
        Never,
        [
            compare(bucket(AT, "1d"), "=", ts("2024-07-01")),
            compare(bucket(AT, "1d"), "<", ts("2024-06-01")),
            compare(bucket(AT, "1h"), ">", ts("2024-06-30 23:00:00")),
            compare(bucket(AT, "1mo"), "<>", ts("2024-06-01")),
            compare(call("tstable_bucket", [column(AT), interval(1, 0, 0)]), ">", ts("2024-06-01")),
            compare(bucket(TRADED, "1d"), "=", of(date("2024-07-01"))),
            compare(bucket(SEEN, "1d"), "=", of(zoned("2024-07-01"))),
            compare(bucket(SEEN, "1d"), "=", of(zoned("2024-05-31"))),
            compare(in_zone(text("America/New_York")), "<", of(zoned("2024-05-31 04:00:00"))),
            compare(in_zone(text("America/New_York")), ">", of(zoned("2024-06-30 04:00:00"))),
        ],
    );
    expect(Always, [compare(bucket(AT, "1y"), "=", ts("2024-01-01"))]);
    expect(
        Maybe,
        [
            compare(bucket(AT, "1d"), "=", ts("2024-06-30")),
            compare(bucket(AT, "no width"), "=", ts("2030-07-01")),
            compare(bucket(TRADED, "1h"), "=", of(date("2030-07-01"))),
            compare(bucket(SYMBOL, "1d"), "=", ts("2030-07-01")),
            compare(in_zone(text("Nowhere/Else")), "=", of(zoned("2030-07-01"))),
            compare(in_zone(of(Constant::Null)), "=", of(zoned("2030-07-01"))),
            compare(in_zone(text("America/New_York")), "=", of(zoned("2024-05-31 04:00:00"))),
        ],
    );
}

#[test]
fn arithmetic_and_buckets_prune() {
    let bucket = |width, of| call("time_bucket", [width, of]);
    let from = |origin| call("time_bucket", [interval(0, 1, 0), column(AT), origin]);
    expect(
        Never,
        [
            compare(call("+", [column(AT), interval(0, 1, 0)]), "<", ts("2024-06-02")),
            compare(call("+", [interval(1, 0, 0), column(AT)]), ">", ts("2024-07-31")),
            compare(call("-", [column(AT), interval(1, 0, 0)]), ">", ts("2024-06-01")),
            compare(call("+", [column(SEEN), interval(0, 1, 0)]), "<", of(zoned("2024-05-31"))),
            compare(call("+", [column(TRADED), int(30)]), "<", of(date("2024-07-01"))),
            compare(call("-", [column(TRADED), int(1)]), ">", of(date("2024-06-29"))),
            compare(call("+", [column(ID), int(5)]), "<", int(15)),
            compare(call("-", [int(5), column(ID)]), ">", int(-5)),
            compare(bucket(interval(0, 0, 3_600 * SECOND), column(AT)), "=", ts("2024-07-01")),
            compare(bucket(interval(0, 7, 0), column(AT)), "<", ts("2024-05-27")),
            compare(bucket(interval(3, 0, 0), column(AT)), "=", ts("2024-07-01")),
            compare(bucket(interval(0, 1, 0), column(TRADED)), "=", of(date("2024-07-01"))),
            compare(bucket(interval(0, 1, 0), column(SEEN)), ">", of(zoned("2024-07-08"))),
            compare(from(interval(0, 0, 6 * 3_600 * SECOND)), ">", ts("2024-06-30 06:00:00")),
            compare(from(interval(0, 0, 6 * 3_600 * SECOND)), "<", ts("2024-05-31 06:00:00")),
            compare(from(ts("2030-01-01 12:00:00")), ">", ts("2024-06-30 12:00:00")),
            compare(from(interval(1, 0, 0)), ">", ts("2024-07-08")),
            compare(from(text("Europe/Berlin")), ">", ts("2024-07-08")),
        ],
    );
    expect(
        Maybe,
        [
            compare(bucket(interval(0, 0, 0), column(AT)), ">", ts("2030-07-08")),
            compare(from(interval(0, 0, 6 * 3_600 * SECOND)), ">=", ts("2024-06-30 06:00:00")),
            compare(from(ts("2030-01-01 12:00:00")), ">=", ts("2024-06-30 12:00:00")),
            compare(from(of(Constant::Temporal(US, i64::MAX))), ">", ts("2030-07-08")),
            compare(bucket(interval(1, 1, 0), column(AT)), ">", ts("2030-07-08")),
            compare(bucket(interval(0, 1, 1), column(SEEN)), ">", of(zoned("2030-07-08"))),
            compare(call("+", [column(ID), int(i128::from(i32::MAX))]), "<", int(0)),
            compare(call("+", [column(AT), interval(i32::MAX, 0, 0)]), "<", ts("2000-01-01")),
        ],
    );
}

#[test]
fn formatted_dates_and_beginnings_of_text_prune() {
    let format = |format: &str| call("strftime", [column(AT), text(format)]);
    expect(
        Never,
        [
            compare(format("%Y-%m"), "=", text("2024-07")),
            compare(format("%Y-%m-%d"), "<", text("2024-06-01")),
            compare(format("%Y%m%d"), ">", text("20240630")),
            call("prefix", [column(SYMBOL), text("AB")]),
            call("starts_with", [column(SYMBOL), text("Z")]),
            call("~~", [column(SYMBOL), text("MS%")]),
            call("~~", [column(SYMBOL), text("AAP")]),
        ],
    );
    expect(Always, [compare(format("%Y"), "=", text("2024"))]);
    expect(
        Maybe,
        [
            compare(format("%d.%m.%Y"), "=", text("x")),
            compare(format("%Y-%d"), "=", text("2023-01")),
            call("prefix", [column(SYMBOL), text("N")]),
            call("~~", [column(SYMBOL), text("%X%")]),
        ],
    );
}

#[test]
fn adding_months_does_not_keep_times_of_day_in_order_at_a_months_end() {
    // 30 January 23:00 and 31 January 01:00 both fall on 29 February, the later one earlier in the day.
    struct TwoDays;
    impl Statistics for TwoDays {
        fn rows(&self) -> u64 {
            2
        }
        fn column(&self, _: usize) -> Option<Cow<'_, ColumnStats>> {
            let at = |text| Some(Constant::Temporal(US, micros(text)));
            let (min, max) = (at("2024-01-30 23:00:00"), at("2024-01-31 01:00:00"));
            Some(Cow::Owned(ColumnStats { min, max, nulls: Nulls::None, ..ColumnStats::default() }))
        }
    }
    let later = call("+", [column(0), interval(1, 0, 0)]);
    let verdict = |op, text| judge(&compare(later.clone(), op, ts(text)), &[US], &TwoDays);
    assert_eq!(verdict("<", "2024-02-29 02:00:00"), Maybe);
    assert_eq!(verdict(">", "2024-02-29 22:00:00"), Maybe);
    assert_eq!(verdict("<", "2024-02-29"), Never);
    assert_eq!(verdict(">=", "2024-03-01"), Never);
}

#[test]
fn coverage_of_the_index_rules_out_ranges_within_its_extent() {
    struct Gappy;
    impl Statistics for Gappy {
        fn rows(&self) -> u64 {
            2
        }
        fn column(&self, _: usize) -> Option<Cow<'_, ColumnStats>> {
            None
        }
        fn index_column(&self) -> Option<usize> {
            Some(0)
        }
        fn may_contain_index(&self, low: Option<i128>, high: Option<i128>) -> bool {
            [0, 100].iter().any(|value| Interval { low, high }.contains(*value))
        }
    }
    let schema = [ColumnType::BigInt];
    let verdict = |predicate: &Expr| judge(predicate, &schema, &Gappy);
    assert_eq!(verdict(&between(column(0), int(1), int(99))), Never);
    assert_eq!(verdict(&between(column(0), int(1), int(100))), Maybe);
    assert_eq!(verdict(&one_of(column(0), [int(-5), int(50)])), Never);
}

#[test]
fn no_rows_satisfy_nothing() {
    struct Empty;
    impl Statistics for Empty {
        fn rows(&self) -> u64 {
            0
        }
        fn column(&self, _: usize) -> Option<Cow<'_, ColumnStats>> {
            None
        }
    }
    assert_eq!(judge(&Expr::Opaque, &[US], &Empty), Never);
}

fn bounds(predicate: &Expr) -> Bounds {
    index_bounds(predicate, 0, &[US])
}

fn within(low: Option<&str>, high: Option<&str>) -> Interval {
    Interval { low: low.map(|text| i128::from(micros(text))), high: high.map(|text| i128::from(micros(text))) }
}

#[test]
fn bounds_of_the_index_are_tight() {
    let at = || column(0);
    let june = Expr::And(vec![compare(at(), ">=", ts("2024-06-01")), compare(at(), "<", ts("2024-07-01"))]);
    let expected = [within(Some("2024-06-01"), Some("2024-06-30 23:59:59.999999"))];
    assert_eq!(bounds(&june).intervals(), expected);
    let cases = [
        compare(cast(at(), ColumnType::Date), "=", of(date("2024-06-01"))),
        compare(call("date_trunc", [text("day"), at()]), "=", ts("2024-06-01")),
        not(compare(call("date_trunc", [text("day"), at()]), "<>", ts("2024-06-01"))),
    ];
    for predicate in cases {
        let day = within(Some("2024-06-01"), Some("2024-06-01 23:59:59.999999"));
        assert!(
            bounds(&predicate).intervals().contains(&day),
            "{} {:?}",
            describe(&predicate, &NAMES),
            bounds(&predicate)
        );
        assert!(!bounds(&predicate).overlaps(micros("1990-01-01").into(), micros("2024-05-31").into()));
    }
    let shifted = compare(call("+", [at(), interval(0, 1, 0)]), ">", ts("2024-06-02"));
    assert!(!bounds(&shifted).contains(micros("2024-06-01").into()));
    assert!(bounds(&shifted).contains(i128::from(micros("2024-06-01")) + 1));
    assert!(bounds(&shifted).contains(i128::from(i64::MIN)), "where it may overflow, rows are kept");
    assert!(bounds(&Expr::Opaque).is_all());
    assert!(bounds(&Expr::IsNull(Box::new(at()))).is_all());
    assert!(bounds(&of(Constant::Bool(false))).is_empty());
}

#[test]
fn bounds_of_alternatives_are_several_intervals() {
    let days = ["2024-06-03", "2024-06-01", "2024-06-02"];
    let listed = one_of(column(0), days.map(ts));
    assert_eq!(bounds(&listed).intervals().len(), 3);
    assert_eq!(bounds(&listed).hull(), within(Some("2024-06-01"), Some("2024-06-03")));
    let either = Expr::Or(vec![compare(column(0), "<", ts("2024-01-01")), compare(column(0), ">", ts("2025-01-01"))]);
    assert!(!bounds(&either).overlaps(micros("2024-01-01").into(), micros("2025-01-01").into()));
    let many: Vec<Expr> = (0..1_000).map(|n| of(Constant::Temporal(US, n * n))).collect();
    let many = bounds(&one_of(column(0), many));
    assert!(many.intervals().len() <= 256 && many.contains(999 * 999) && !many.contains(999 * 999 - 1));
}

#[test]
fn an_exact_range_is_of_plain_comparisons_only() {
    let exact = |predicate: &Expr| exact_range(predicate, AT, &schema());
    let ms = |text: &str| i128::from(micros(text) / 1_000);
    let after = compare(column(AT), ">", ts("2024-06-01 00:00:00.0005"));
    assert_eq!(exact(&after), Some(Interval { low: Some(ms("2024-06-01") + 1), high: None }));
    let until = compare(ts("2024-06-02"), ">", column(AT));
    assert_eq!(exact(&until), Some(Interval { low: None, high: Some(ms("2024-06-02") - 1) }));
    let both = Expr::And(vec![after.clone(), until]);
    assert_eq!(exact(&both), Some(Interval { low: Some(ms("2024-06-01") + 1), high: Some(ms("2024-06-02") - 1) }));
    assert!(exact(&compare(column(AT), "=", ts("2024-06-01 00:00:00.0005"))).is_some_and(|range| range.is_empty()));
    for predicate in [
        between(column(AT), ts("2024-06-01"), ts("2024-06-02")),
        compare(column(AT), "<>", ts("2024-06-01")),
        compare(column(AT), ">", of(zoned("2024-06-01"))),
        compare(column(AT), ">", of(Constant::Null)),
        compare(column(ID), ">", int(1)),
        Expr::Or(vec![after.clone()]),
        Expr::And(vec![after, Expr::Opaque]),
    ] {
        assert_eq!(exact(&predicate), None, "{}", describe(&predicate, &NAMES));
    }
}

#[test]
fn a_time_of_the_clock_beside_an_instant_is_exact_where_the_clock_is_steady() {
    let host = |instant| crate::time::wall_time_of_instant("America/New_York", instant).ok();
    let clock = Arc::new(Offsets::learn("America/New_York", host).unwrap());
    let cast = |to| Expr::Cast { value: Box::new(column(AT)), to, try_cast: false };
    let on_clock = |expr| Expr::OnClock(Arc::clone(&clock), Box::new(expr));
    let exact = |predicate: &Expr| exact_range(predicate, AT, &schema());
    let ms = |text: &str| i128::from(micros(text) / 1_000);
    let since = compare(on_clock(cast(TZ)), ">=", of(zoned("2024-06-01 16:00:00")));
    assert_eq!(exact(&since), Some(Interval { low: Some(ms("2024-06-01 12:00:00")), high: None }));
    let until = compare(of(zoned("2024-12-01 17:00:00")), ">", on_clock(cast(TZ)));
    assert_eq!(exact(&until), Some(Interval { low: None, high: Some(ms("2024-12-01 12:00:00") - 1) }));
    for predicate in [
        // On these days the clock changes.
        compare(on_clock(cast(TZ)), ">=", of(zoned("2024-03-10 16:00:00"))),
        compare(on_clock(cast(TZ)), ">=", of(zoned("2024-11-03 16:00:00"))),
        compare(cast(TZ), ">=", of(zoned("2024-06-01 16:00:00"))),
        compare(on_clock(cast(ColumnType::Date)), ">=", of(zoned("2024-06-01 16:00:00"))),
        compare(on_clock(cast(TZ)), "<>", of(zoned("2024-06-01 16:00:00"))),
        compare(on_clock(cast(TZ)), ">=", ts("2024-06-01 16:00:00")),
        compare(on_clock(cast(TZ)), ">=", of(Constant::Null)),
    ] {
        assert_eq!(exact(&predicate), None, "{}", describe(&predicate, &NAMES));
    }
}

#[test]
fn entity_values_come_from_equality_lists_and_their_combinations() {
    let values = |predicate: &Expr| entity_values(predicate, SYMBOL, &schema());
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| Constant::Text((*text).to_owned())).collect::<Vec<_>>());
    let equal = |symbol| compare(column(SYMBOL), "=", text(symbol));
    let list = one_of(column(SYMBOL), [text("A"), of(Constant::Null), text("B"), text("A")]);
    assert_eq!(values(&equal("A")), texts(&["A"]));
    assert_eq!(values(&list), texts(&["A", "B"]));
    assert_eq!(values(&Expr::Or(vec![equal("A"), list.clone()])), texts(&["A", "B"]));
    assert_eq!(values(&Expr::And(vec![equal("B"), list.clone(), Expr::Opaque])), texts(&["B"]));
    assert_eq!(values(&Expr::Or(vec![list, Expr::Opaque])), None);
    assert_eq!(values(&compare(column(SYMBOL), "<>", text("A"))), None);
    assert_eq!(values(&compare(column(SYMBOL), "is", of(Constant::Null))), Some(vec![Constant::Null]));
    let id = compare(cast(column(ID), ColumnType::BigInt), "=", int(5));
    assert_eq!(entity_values(&id, ID, &schema()), Some(vec![Constant::Int(5)]));
    let ids = |count| one_of(column(ID), (0..count).map(int).collect::<Vec<_>>());
    assert_eq!(entity_values(&ids(1_024), ID, &schema()).map(|ids| ids.len()), Some(1_024));
    assert_eq!(entity_values(&ids(1_025), ID, &schema()), None);
}

#[test]
fn descriptions_read_like_sql() {
    let either = Expr::Or(vec![compare(column(ID), "<>", int(1)), Expr::IsNull(Box::new(column(AMOUNT)))]);
    let cases = [
        (compare(column(AT), ">=", ts("2024-01-01")), "ts >= '2024-01-01'"),
        (compare(column(AT), "<", ts("2024-01-01 10:30:00.25")), "ts < '2024-01-01 10:30:00.25'"),
        (
            Expr::And(vec![compare(column(SYMBOL), "=", text("O'Neil")), either]),
            "symbol = 'O''Neil' AND (id <> 1 OR \"The amount\" IS NULL)",
        ),
        (one_of(column(AMOUNT), [of(Constant::Decimal(-5, 2))]), "\"The amount\" IN (-0.05)"),
        (compare(cast(column(AT), ColumnType::Date), "=", of(date("2024-06-01"))), "CAST(ts AS DATE) = '2024-06-01'"),
        (
            compare(call("+", [column(AT), interval(1, 2, 0)]), ">", of(zoned("2024-06-01"))),
            "(ts + INTERVAL '1 months 2 days') > '2024-06-01 00:00:00+00'",
        ),
        (not(Expr::Opaque), "NOT ?"),
        (compare(column(9), "is", of(Constant::Temporal(US, i64::MAX))), "#9 IS NOT DISTINCT FROM 'infinity'"),
    ];
    for (predicate, expected) in cases {
        assert_eq!(describe(&predicate, &NAMES), expected);
    }
}

#[test]
fn what_is_modelled_is_told_from_what_is_not() {
    let past = || compare(column(AT), "<", ts("2024-01-01"));
    let odd = || compare(call("upper", [column(SYMBOL)]), "=", text("A"));
    let flag = Expr::Column(FLAG);
    for predicate in [
        past(),
        flag.clone(),
        not(flag),
        not(past()),
        Expr::And(vec![odd(), past()]),
        not(Expr::Or(vec![odd(), past()])),
        one_of(column(ID), [int(1), of(Constant::Null)]),
        between(column(PRICE), of(Constant::Float(1.0)), of(Constant::Float(2.0))),
        compare(cast(column(AT), ColumnType::Date), "=", of(date("2024-06-01"))),
        compare(call("+", [column(AT), interval(0, 1, 0)]), ">", ts("2024-06-01")),
        compare(call("year", [column(TRADED)]), "=", int(2024)),
        Expr::IsNull(Box::new(column(AMOUNT))),
        of(Constant::Bool(false)),
    ] {
        assert!(is_modelled(&predicate, &schema()), "{}", describe(&predicate, &NAMES));
    }
    for predicate in [
        Expr::Opaque,
        odd(),
        not(odd()),
        Expr::Or(vec![odd(), past()]),
        not(Expr::And(vec![odd(), past()])),
        compare(call("random", []), ">", of(Constant::Float(0.5))),
        one_of(column(ID), [int(1), Expr::Opaque]),
        compare(cast(column(SYMBOL), ColumnType::Integer), "=", int(1)),
        compare(column(9), "=", int(1)),
    ] {
        assert!(!is_modelled(&predicate, &schema()), "{}", describe(&predicate, &NAMES));
    }
}
