//! The predicates row by row, in the plainest way: SQL's three values, DuckDB's order and functions, dates by chrono.
//! Shares no arithmetic with the code under test.

use std::cmp::Ordering;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike};

use crate::{
    prune::expr::{Comparison, Constant, Expr},
    schema::{ColumnType, TimeUnit},
};

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Failure {
    /// It raises an error.
    Raised,
    /// It lies beyond chrono's calendar, so that this reference cannot tell.
    Beyond,
}

use Failure::{Beyond, Raised};

type Value = Result<Constant, Failure>;

/// A row's evaluator: the stored values, the schema and the session's offset from UTC in microseconds.
pub(super) struct Row<'a> {
    pub(super) values: &'a [Constant],
    pub(super) schema: &'a [ColumnType],
    pub(super) offset: i64,
    /// Whether the lower and the upper end of a BETWEEN belong to it.
    pub(super) ends: (bool, bool),
}

pub(super) const TS: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
pub(super) const TZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);
pub(super) const US_DAY: i64 = 86_400_000_000;
const INF: i64 = i64::MAX;

pub(super) fn order(a: &Constant, b: &Constant) -> Ordering {
    match (a, b) {
        (Constant::Bool(a), Constant::Bool(b)) => a.cmp(b),
        (Constant::Int(a), Constant::Int(b)) => a.cmp(b),
        (Constant::Float(a), Constant::Float(b)) => match (a.is_nan(), b.is_nan()) {
            (false, false) => a.partial_cmp(b).unwrap(),
            (a, b) => a.cmp(&b),
        },
        (Constant::Decimal(a, s), Constant::Decimal(b, t)) => {
            assert_eq!(s, t);
            a.cmp(b)
        }
        (Constant::Text(a), Constant::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Constant::Temporal(s, a), Constant::Temporal(t, b)) => {
            assert_eq!(s, t, "the binder casts both sides to one type");
            a.cmp(b)
        }
        other => panic!("not comparable: {other:?}"),
    }
}

impl Row<'_> {
    pub(super) fn truth(&self, expr: &Expr) -> Result<Option<bool>, Failure> {
        match self.eval(expr)? {
            Constant::Bool(value) => Ok(Some(value)),
            Constant::Null => Ok(None),
            other => panic!("no predicate: {other:?}"),
        }
    }

    fn eval(&self, expr: &Expr) -> Value {
        Ok(match expr {
            Expr::Column(index) => self.column(*index),
            Expr::Constant(constant) => constant.clone(),
            Expr::Compare(op, a, b) => compare(*op, &self.eval(a)?, &self.eval(b)?),
            Expr::Between(value, low, high) => {
                let (value, low, high) = (self.eval(value)?, self.eval(low)?, self.eval(high)?);
                let above = if self.ends.0 { Comparison::Ge } else { Comparison::Gt };
                let below = if self.ends.1 { Comparison::Le } else { Comparison::Lt };
                all([compare(above, &value, &low), compare(below, &value, &high)].into_iter())
            }
            Expr::In(value, list) => {
                let value = self.eval(value)?;
                let items: Result<Vec<_>, _> = list.iter().map(|item| self.eval(item)).collect();
                any(items?.iter().map(|item| compare(Comparison::Eq, &value, item)))
            }
            Expr::Not(value) => not(self.eval(value)?),
            Expr::And(parts) => {
                let parts: Result<Vec<_>, _> = parts.iter().map(|part| self.eval(part)).collect();
                all(parts?.into_iter())
            }
            Expr::Or(parts) => {
                let parts: Result<Vec<_>, _> = parts.iter().map(|part| self.eval(part)).collect();
                any(parts?.into_iter())
            }
            Expr::IsNull(value) => Constant::Bool(self.eval(value)? == Constant::Null),
            Expr::IsNotNull(value) => Constant::Bool(self.eval(value)? != Constant::Null),
            Expr::Cast { value, to, try_cast } => {
                let value = self.eval(value)?;
                match self.cast(value, to) {
                    Err(Raised) if *try_cast => Constant::Null,
                    other => other?,
                }
            }
            Expr::Function(name, arguments) => self.function(name, arguments)?,
            Expr::OnClock(_, of) => self.eval(of)?,
            Expr::Opaque | Expr::Foreign(..) => return Err(Raised),
        })
    }

    /// A stored value as SQL sees it.
    fn column(&self, index: usize) -> Constant {
        match &self.values[index] {
            Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), ms) if ms.abs() != INF => {
                Constant::Temporal(TS, ms * 1_000)
            }
            Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), ms) => Constant::Temporal(TS, *ms),
            Constant::Temporal(ColumnType::TimestampTz(TimeUnit::Ns), ns) => Constant::Temporal(TZ, ns / 1_000),
            other => other.clone(),
        }
    }

    fn cast(&self, value: Constant, to: &ColumnType) -> Value {
        use ColumnType as T;
        let text = |value: &Constant| match value {
            Constant::Int(value) => value.to_string(),
            other => panic!("no text of {other:?}"),
        };
        Ok(match (&value, to) {
            (Constant::Null, _) => Constant::Null,
            (_, T::Varchar) => Constant::Text(text(&value)),
            (Constant::Int(v), T::Double) => Constant::Float(*v as f64),
            (Constant::Int(v), T::Float) => Constant::Float(f64::from(*v as f32)),
            (Constant::Int(v), T::Decimal { precision, scale }) => {
                let units = v.checked_mul(10_i128.pow(u32::from(*scale))).ok_or(Raised)?;
                if units.abs() >= 10_i128.pow(u32::from(*precision)) {
                    return Err(Raised);
                }
                Constant::Decimal(units, *scale)
            }
            (Constant::Int(v), _) => int_in(*v, to)?,
            (Constant::Float(_), T::Double) => value,
            (Constant::Float(v), T::Float) => {
                let float = *v as f32;
                if float.is_infinite() && v.is_finite() {
                    return Err(Raised);
                }
                Constant::Float(f64::from(float))
            }
            (Constant::Decimal(v, s), T::Double) => Constant::Float(*v as f64 / 10_f64.powi(i32::from(*s))),
            (Constant::Decimal(v, s), T::Decimal { scale, .. }) if scale <= s => {
                Constant::Decimal(half_away(*v, 10_i128.pow(u32::from(s - scale))), *scale)
            }
            (Constant::Decimal(v, s), _) => int_in(half_away(*v, 10_i128.pow(u32::from(*s))), to)?,
            (Constant::Bool(v), T::Integer) => Constant::Int(i128::from(*v)),
            (Constant::Temporal(from, v), _) => self.cast_time(from, *v, to)?,
            other => panic!("cast {other:?}"),
        })
    }

    fn cast_time(&self, from: &ColumnType, v: i64, to: &ColumnType) -> Value {
        use ColumnType as T;
        let infinite = if *from == T::Date { v.abs() >= i64::from(i32::MAX) } else { v.abs() == INF };
        if infinite {
            let top = if *to == T::Date { i64::from(i32::MAX) } else { INF };
            return Ok(Constant::Temporal(to.clone(), top * v.signum()));
        }
        let local = match from {
            T::Date => v.checked_mul(US_DAY).ok_or(Raised)?,
            T::Timestamp(TimeUnit::S) => v.checked_mul(1_000_000).ok_or(Raised)?,
            T::Timestamp(TimeUnit::Ms) => v.checked_mul(1_000).ok_or(Raised)?,
            T::TimestampTz(_) if *to != TZ => v.checked_add(self.offset).ok_or(Raised)?,
            _ => v,
        };
        Ok(Constant::Temporal(
            to.clone(),
            match to {
                T::Date => local.div_euclid(US_DAY),
                T::TimestampTz(_) if *from != TZ => local.checked_sub(self.offset).ok_or(Raised)?,
                T::Timestamp(TimeUnit::S) => coarser(local, 1_000_000),
                T::Timestamp(TimeUnit::Ms) => coarser(local, 1_000),
                T::Timestamp(TimeUnit::Ns) => local.checked_mul(1_000).ok_or(Raised)?,
                _ => local,
            },
        ))
    }

    fn function(&self, name: &str, arguments: &[Expr]) -> Value {
        let values: Result<Vec<_>, _> = arguments.iter().map(|argument| self.eval(argument)).collect();
        let values = values?;
        if values.contains(&Constant::Null) {
            return Ok(Constant::Null);
        }
        match (name, values.as_slice()) {
            ("+", [at @ Constant::Temporal(..), Constant::Interval { months, days, micros }])
            | ("+", [Constant::Interval { months, days, micros }, at @ Constant::Temporal(..)]) => {
                self.on_wall(at, TS, |wall| step(wall, *months, *days, *micros))
            }
            ("-", [at @ Constant::Temporal(..), Constant::Interval { months, days, micros }]) => {
                self.on_wall(at, TS, |wall| step(wall, -months, -days, -micros))
            }
            ("+" | "-", [Constant::Temporal(_, day), Constant::Int(n)]) => {
                let n = i64::try_from(*n).map_err(|_| Raised)?;
                if day.abs() >= i64::from(i32::MAX) {
                    return Err(Raised);
                }
                Ok(Constant::Temporal(ColumnType::Date, if name == "+" { day + n } else { day - n }))
            }
            ("+" | "-", [Constant::Int(a), Constant::Int(b)]) => {
                let ty = self.integer_type(&arguments[0]).or_else(|| self.integer_type(&arguments[1]));
                int_in(if name == "+" { a + b } else { a - b }, &ty.expect("a typed side"))
            }
            ("date_trunc", [Constant::Text(part), at]) => self.on_wall(at, TS, |wall| Ok(truncate(part, wall))),
            ("time_bucket", [Constant::Interval { months, days, micros }, at]) => {
                let ty = if matches!(at, Constant::Temporal(ColumnType::Date, _)) { ColumnType::Date } else { TS };
                // Those of a TIMESTAMPTZ are those of UTC.
                let utc = Row { offset: 0, ..*self };
                utc.on_wall(at, ty, |wall| Ok(bucket(wall, *months, i64::from(*days) * US_DAY + micros)))
            }
            ("epoch_ms", [at]) => number(at, |us| Ok(Constant::Int(i128::from(us / 1_000)))),
            ("epoch_us", [at]) => number(at, |us| Ok(Constant::Int(i128::from(us)))),
            ("epoch_ns", [at]) => {
                number(at, |us| us.checked_mul(1_000).map(|ns| Constant::Int(i128::from(ns))).ok_or(Raised))
            }
            ("epoch", [at]) => number(at, |us| Ok(Constant::Float(us as f64 / 1e6))),
            ("to_timestamp", [Constant::Float(seconds)]) => {
                let us = (seconds * 1e6).round();
                if us.is_nan() || us.abs() > 9e18 {
                    return Err(Raised);
                }
                Ok(Constant::Temporal(TZ, us as i64))
            }
            ("strftime", [at, Constant::Text(format)]) => self.strftime(at, format),
            ("prefix" | "starts_with", [Constant::Text(text), Constant::Text(start)]) => {
                Ok(Constant::Bool(text.starts_with(start.as_str())))
            }
            ("~~", [Constant::Text(text), Constant::Text(pattern)]) => {
                Ok(Constant::Bool(like(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())))
            }
            (part, [at]) => match self.wall(at)? {
                Some(wall) => Ok(Constant::Int(extract(part, wall))),
                None => Ok(Constant::Null),
            },
            other => panic!("function {other:?}"),
        }
    }

    fn integer_type(&self, expr: &Expr) -> Option<ColumnType> {
        match expr {
            Expr::Column(index) => Some(self.schema[*index].clone()),
            Expr::Cast { to, .. } => Some(to.clone()),
            Expr::OnClock(_, of) => self.integer_type(of),
            Expr::Function(name, arguments) if name == "+" || name == "-" => {
                arguments.iter().find_map(|argument| self.integer_type(argument))
            }
            Expr::Function(..) => Some(ColumnType::BigInt),
            _ => None,
        }
    }

    /// The wall clock of an instant; none for the infinities.
    fn wall(&self, at: &Constant) -> Result<Option<NaiveDateTime>, Failure> {
        let Constant::Temporal(ty, v) = at else { panic!("no instant: {at:?}") };
        let us = match ty {
            ColumnType::Date if v.abs() >= i64::from(i32::MAX) => return Ok(None),
            ColumnType::Date => v.checked_mul(US_DAY).ok_or(Raised)?,
            _ if v.abs() == INF => return Ok(None),
            ColumnType::TimestampTz(_) => v.checked_add(self.offset).ok_or(Raised)?,
            _ => *v,
        };
        DateTime::from_timestamp_micros(us).map(|at| Some(at.naive_utc())).ok_or(Beyond)
    }

    fn on_wall(
        &self,
        at: &Constant,
        ty: ColumnType,
        f: impl Fn(NaiveDateTime) -> Result<NaiveDateTime, Failure>,
    ) -> Value {
        let Constant::Temporal(from, sign) = at else { panic!("no instant: {at:?}") };
        let ty = if *from == TZ { TZ } else { ty };
        let Some(wall) = self.wall(at)? else {
            let top = if ty == ColumnType::Date { i64::from(i32::MAX) } else { INF };
            return Ok(Constant::Temporal(ty, top * sign.signum()));
        };
        let us = f(wall)?.and_utc().timestamp_micros();
        Ok(Constant::Temporal(
            ty.clone(),
            match ty {
                ColumnType::Date => us.div_euclid(US_DAY),
                ColumnType::TimestampTz(_) => us - self.offset,
                _ => us,
            },
        ))
    }

    fn strftime(&self, at: &Constant, format: &str) -> Value {
        let Some(wall) = self.wall(at)? else { return Ok(Constant::Text("infinity".into())) };
        // DuckDB pads years to four digits and writes longer and negative ones as they are, without a sign before +.
        let year = wall.year();
        let year = if year < 0 { year.to_string() } else { format!("{year:04}") };
        Ok(Constant::Text(wall.format(&format.replace("%Y", &year)).to_string()))
    }
}

fn int_in(value: i128, ty: &ColumnType) -> Value {
    let (bits, signed) = ty.integer_bits().unwrap_or_else(|| panic!("no integer: {ty:?}"));
    let (low, high) = if signed { (-(1_i128 << (bits - 1)), 1_i128 << (bits - 1)) } else { (0, 1_i128 << bits) };
    if (low..high).contains(&value) { Ok(Constant::Int(value)) } else { Err(Raised) }
}

fn half_away(value: i128, step: i128) -> i128 {
    (value.abs() + step / 2) / step * value.signum()
}

/// Away from 1970, as DuckDB rounds to a coarser unit.
fn coarser(micros: i64, step: i64) -> i64 {
    half_away(i128::from(micros), i128::from(step)) as i64
}

fn number(at: &Constant, f: impl Fn(i64) -> Value) -> Value {
    match at {
        Constant::Temporal(ColumnType::Date, v) if v.abs() >= i64::from(i32::MAX) => Ok(Constant::Null),
        Constant::Temporal(ColumnType::Date, v) => f(v.checked_mul(US_DAY).ok_or(Raised)?),
        Constant::Temporal(_, v) if v.abs() == INF => Ok(Constant::Null),
        Constant::Temporal(_, v) => f(*v),
        other => panic!("no instant: {other:?}"),
    }
}

fn step(at: NaiveDateTime, months: i32, days: i32, micros: i64) -> Result<NaiveDateTime, Failure> {
    let count = Months::new(months.unsigned_abs());
    let moved = if months < 0 { at.checked_sub_months(count) } else { at.checked_add_months(count) };
    let count = Days::new(u64::from(days.unsigned_abs()));
    let moved = moved.and_then(|at| if days < 0 { at.checked_sub_days(count) } else { at.checked_add_days(count) });
    moved.and_then(|at| at.checked_add_signed(chrono::Duration::microseconds(micros))).ok_or(Beyond)
}

fn date(year: i32, month: u32, day: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap()
}

fn truncate(part: &str, at: NaiveDateTime) -> NaiveDateTime {
    let midnight = at.date().and_hms_opt(0, 0, 0).unwrap();
    match part {
        "second" => at.with_nanosecond(0).unwrap(),
        "minute" => midnight + chrono::Duration::minutes(i64::from(at.hour() * 60 + at.minute())),
        "hour" => midnight + chrono::Duration::hours(i64::from(at.hour())),
        "day" => midnight,
        "week" => midnight - Days::new(u64::from(at.weekday().num_days_from_monday())),
        "month" => date(at.year(), at.month(), 1),
        "quarter" => date(at.year(), (at.month() - 1) / 3 * 3 + 1, 1),
        "year" => date(at.year(), 1, 1),
        "decade" => date(at.year() / 10 * 10, 1, 1),
        "century" => date(at.year() / 100 * 100, 1, 1),
        other => panic!("part {other}"),
    }
}

fn bucket(at: NaiveDateTime, months: i32, micros: i64) -> NaiveDateTime {
    if months == 0 {
        let origin = date(2000, 1, 3);
        let past = (at - origin).num_microseconds().unwrap();
        return origin + chrono::Duration::microseconds(past.div_euclid(micros) * micros);
    }
    let past = (at.year() - 2000) * 12 + at.month0() as i32;
    let start = past.div_euclid(months) * months;
    date(2000 + start.div_euclid(12), start.rem_euclid(12) as u32 + 1, 1)
}

fn extract(part: &str, at: NaiveDateTime) -> i128 {
    let micros = i128::from(at.and_utc().timestamp_subsec_micros());
    match part {
        "year" => i128::from(at.year()),
        "quarter" => i128::from(at.month0() / 3 + 1),
        "month" => i128::from(at.month()),
        "day" => i128::from(at.day()),
        "hour" => i128::from(at.hour()),
        "minute" => i128::from(at.minute()),
        "second" => i128::from(at.second()),
        "millisecond" => i128::from(at.second()) * 1_000 + micros / 1_000,
        "microsecond" => i128::from(at.second()) * 1_000_000 + micros,
        "dayofweek" => i128::from(at.weekday().num_days_from_sunday()),
        "isodow" => i128::from(at.weekday().number_from_monday()),
        "dayofyear" => i128::from(at.ordinal()),
        "week" => i128::from(at.iso_week().week()),
        "isoyear" => i128::from(at.iso_week().year()),
        "yearweek" => i128::from(at.iso_week().year()) * 100 + i128::from(at.iso_week().week()),
        other => panic!("part {other}"),
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| like(&text[skipped..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        [one, rest @ ..] => text.first() == Some(one) && like(&text[1..], rest),
    }
}

fn compare(op: Comparison, a: &Constant, b: &Constant) -> Constant {
    let nulls = (*a == Constant::Null, *b == Constant::Null);
    Constant::Bool(match (op, nulls) {
        (Comparison::Distinct, (false, false)) => order(a, b).is_ne(),
        (Comparison::NotDistinct, (false, false)) => order(a, b).is_eq(),
        (Comparison::Distinct, (a, b)) => a != b,
        (Comparison::NotDistinct, (a, b)) => a == b,
        (_, (true, _) | (_, true)) => return Constant::Null,
        (Comparison::Eq, _) => order(a, b).is_eq(),
        (Comparison::Ne, _) => order(a, b).is_ne(),
        (Comparison::Lt, _) => order(a, b).is_lt(),
        (Comparison::Le, _) => order(a, b).is_le(),
        (Comparison::Gt, _) => order(a, b).is_gt(),
        (Comparison::Ge, _) => order(a, b).is_ge(),
    })
}

fn not(value: Constant) -> Constant {
    match value {
        Constant::Bool(value) => Constant::Bool(!value),
        _ => Constant::Null,
    }
}

fn all(mut parts: impl Iterator<Item = Constant>) -> Constant {
    let mut null = false;
    let failed = parts.any(|part| {
        null |= part == Constant::Null;
        part == Constant::Bool(false)
    });
    if failed {
        Constant::Bool(false)
    } else if null {
        Constant::Null
    } else {
        Constant::Bool(true)
    }
}

fn any(parts: impl Iterator<Item = Constant>) -> Constant {
    not(all(parts.map(not)))
}
