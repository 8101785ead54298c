//! Random tables with their statistics, and random well-typed predicates over them.

use std::{borrow::Cow, sync::Arc};

use super::reference::{TS, TZ, US_DAY, order};
use crate::{
    prune::{
        ColumnStats, Nulls, Statistics,
        expr::{Comparison, Constant, Expr},
    },
    schema::{ColumnType, TimeUnit},
};

/// A small random generator (splitmix64), so that a failing case is named by its seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn within(&mut self, low: i64, high: i64) -> i64 {
        low + (self.below((high - low + 1) as u64) as i64)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

pub(super) struct Table {
    pub(super) schema: Vec<ColumnType>,
    pub(super) index: usize,
    pub(super) rows: Vec<Vec<Constant>>,
    pub(super) stats: Vec<Option<ColumnStats>>,
    pub(super) coverage: bool,
}

impl Statistics for Table {
    fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        self.stats[index].as_ref().map(Cow::Borrowed)
    }

    fn index_column(&self) -> Option<usize> {
        self.coverage.then_some(self.index)
    }

    fn may_contain_index(&self, low: Option<i128>, high: Option<i128>) -> bool {
        let within = |v: i128| low.is_none_or(|low| low <= v) && high.is_none_or(|high| v <= high);
        self.rows.iter().filter_map(|row| count(&row[self.index])).any(within)
    }
}

pub(super) fn count(value: &Constant) -> Option<i128> {
    match value {
        Constant::Temporal(_, count) => Some(i128::from(*count)),
        Constant::Int(value) => Some(*value),
        _ => None,
    }
}

fn schema(random: &mut Random) -> Vec<ColumnType> {
    use ColumnType as T;
    vec![
        T::Timestamp(*random.pick(&[TimeUnit::Us, TimeUnit::Us, TimeUnit::Ms])),
        T::TimestampTz(*random.pick(&[TimeUnit::Us, TimeUnit::Ns])),
        T::Date,
        T::BigInt,
        T::Varchar,
        T::Integer,
        T::Double,
        T::Float,
        T::Decimal { precision: 10, scale: 2 },
        T::Boolean,
        T::UTinyInt,
    ]
}

const TEXTS: [&str; 12] = ["", "A", "AAPL", "AB", "ABC", "ABCD", "NVDA", "b", "zz", "é", "2024-03", "2024-01-31"];

/// Where the values of a table cluster: a microsecond of the calendar and how far they spread.
fn center(random: &mut Random) -> (i64, i64) {
    let day = *random.pick(&[19_783, 19_753, 0, -1, -25_000, 10_957, 20_089, 11_016, -719_162 + 400]);
    let spread = *random.pick(&[1_000, 1_000_000, 3_600_000_000, US_DAY, 40 * US_DAY, 800 * US_DAY]);
    (day * US_DAY + random.within(0, 3) * (US_DAY / 4), spread)
}

fn value(random: &mut Random, ty: &ColumnType, (middle, spread): (i64, i64)) -> Constant {
    use ColumnType as T;
    let us = middle + random.within(-spread, spread) / [1, 1_000, 1_000_000][random.below(3) as usize];
    let wild = random.below(150);
    match ty {
        T::Boolean => Constant::Bool(random.chance(50)),
        T::UTinyInt => Constant::Int(i128::from(random.below(256))),
        T::Integer if wild == 0 => Constant::Int(i128::from(i32::MAX)),
        T::BigInt if wild == 0 => Constant::Int(i128::from(i64::MIN)),
        T::Integer | T::BigInt => Constant::Int(i128::from(random.within(-6, 6) + spread % 7 * 10)),
        T::Double | T::Float => match random.below(20) {
            0 => Constant::Float(f64::NAN),
            1 => Constant::Float(f64::INFINITY),
            2 => Constant::Float(-0.0),
            _ => Constant::Float(random.within(-12, 12) as f64 / 2.0 + (spread % 7) as f64),
        },
        T::Decimal { scale, .. } => Constant::Decimal(i128::from(random.within(-900, 900)), *scale),
        T::Varchar => Constant::Text((*random.pick(&TEXTS)).to_owned()),
        T::Date if wild == 0 => Constant::Temporal(T::Date, i64::from(i32::MAX)),
        T::Date => Constant::Temporal(T::Date, us.div_euclid(US_DAY)),
        T::Timestamp(TimeUnit::Us) | T::TimestampTz(TimeUnit::Us) if wild == 0 => {
            Constant::Temporal(ty.clone(), *random.pick(&[i64::MAX, -i64::MAX, i64::MAX - 5, 250_000 * 366 * US_DAY]))
        }
        T::Timestamp(TimeUnit::Ms) => Constant::Temporal(ty.clone(), us.div_euclid(1_000)),
        T::TimestampTz(TimeUnit::Ns) => Constant::Temporal(ty.clone(), (us % 8_000_000_000_000_000) * 1_000 + 7),
        _ => Constant::Temporal(ty.clone(), us),
    }
}

pub(super) fn table(random: &mut Random) -> (Table, (i64, i64)) {
    let schema = schema(random);
    let cluster = center(random);
    let nulls: Vec<u64> = schema.iter().map(|_| *random.pick(&[0, 0, 0, 20, 100])).collect();
    let rows = random.within(1, 9);
    let rows: Vec<Vec<Constant>> = (0..rows)
        .map(|_| {
            let cells = schema.iter().zip(&nulls);
            cells
                .map(|(ty, null)| if random.chance(*null) { Constant::Null } else { value(random, ty, cluster) })
                .collect()
        })
        .collect();
    let stats = (0..schema.len()).map(|column| stats(random, &schema[column], &rows, column)).collect();
    let index = random.below(4) as usize;
    (Table { schema, index, rows, stats, coverage: random.chance(30) }, cluster)
}

/// Statistics as a writer would record them, sometimes missing, widened or with the values themselves.
fn stats(random: &mut Random, ty: &ColumnType, rows: &[Vec<Constant>], column: usize) -> Option<ColumnStats> {
    if random.chance(8) {
        return None;
    }
    let cells: Vec<&Constant> = rows.iter().map(|row| &row[column]).collect();
    let nulls = cells.iter().filter(|cell| ***cell == Constant::Null).count() as u64;
    let nan = |cell: &&&Constant| matches!(cell, Constant::Float(float) if float.is_nan());
    let present = || cells.iter().filter(|cell| ***cell != Constant::Null).filter(|cell| !nan(cell)).copied();
    let mut min = present().min_by(|a, b| order(a, b)).cloned();
    let mut max = present().max_by(|a, b| order(a, b)).cloned();
    let exact = !random.chance(15);
    if !exact {
        min = min.map(|min| widen(ty, min, -1));
        max = max.map(|max| widen(ty, max, 1));
    }
    let mut values: Vec<Constant> = Vec::new();
    for cell in &cells {
        if !values.iter().any(|value| format!("{value:?}") == format!("{cell:?}")) {
            values.push((*cell).clone());
        }
    }
    Some(ColumnStats {
        min: min.filter(|_| !random.chance(5)),
        max: max.filter(|_| !random.chance(5)),
        exact,
        nulls: Nulls::from_count((!random.chance(10)).then_some(nulls), rows.len() as u64),
        values: random.chance(25).then(|| Arc::from(values)),
    })
}

fn widen(ty: &ColumnType, value: Constant, by: i64) -> Constant {
    match value {
        Constant::Int(v) if ty.integer_bits().is_some_and(|(bits, _)| bits > 8) => {
            Constant::Int(v.saturating_add(i128::from(by)))
        }
        Constant::Float(v) => Constant::Float(v + by as f64),
        Constant::Decimal(v, s) => Constant::Decimal(v + i128::from(by) * 3, s),
        Constant::Temporal(ty, v) => Constant::Temporal(ty, v.saturating_add(by * 17)),
        Constant::Text(text) if by > 0 => Constant::Text(format!("{text}~")),
        Constant::Text(text) => Constant::Text(text.chars().take(1).collect()),
        other => other,
    }
}

/// Random well-typed predicates, as DuckDB's binder would leave them.
pub(super) struct Generator<'a> {
    pub(super) random: &'a mut Random,
    pub(super) table: &'a Table,
    pub(super) cluster: (i64, i64),
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(name.to_owned(), arguments)
}

fn text(text: &str) -> Expr {
    Expr::Constant(Constant::Text(text.to_owned()))
}

impl Generator<'_> {
    pub(super) fn predicate(&mut self, depth: u64) -> Expr {
        match self.random.below(if depth == 0 { 8 } else { 14 }) {
            0..=3 => {
                let (a, b) = self.pair(depth);
                let op = *self.random.pick(&[
                    Comparison::Eq,
                    Comparison::Ne,
                    Comparison::Lt,
                    Comparison::Le,
                    Comparison::Gt,
                    Comparison::Ge,
                    Comparison::Distinct,
                    Comparison::NotDistinct,
                ]);
                if self.random.chance(50) {
                    Expr::Compare(op, boxed(a), boxed(b))
                } else {
                    Expr::Compare(op, boxed(b), boxed(a))
                }
            }
            4 => {
                let ty = self.ty();
                let value = self.value(&ty, depth);
                Expr::Between(boxed(value), boxed(self.constant(&ty)), boxed(self.constant(&ty)))
            }
            5 => {
                let ty = self.ty();
                let value = self.value(&ty, depth);
                let list = (0..self.random.within(1, 4)).map(|_| self.constant(&ty)).collect();
                Expr::In(boxed(value), list)
            }
            6 => {
                let ty = self.ty();
                let value = boxed(self.value(&ty, depth));
                if self.random.chance(50) { Expr::IsNull(value) } else { Expr::IsNotNull(value) }
            }
            7 => match self.random.below(4) {
                0 => Expr::Column(9),
                1 => call("prefix", vec![Expr::Column(4), text(self.random.pick::<&str>(&["A", "AB", "zz", ""]))]),
                2 => call(
                    "~~",
                    vec![Expr::Column(4), text(self.random.pick::<&str>(&["A%", "AB", "%B", "A_C%", "NVD_"]))],
                ),
                _ if self.random.chance(10) => Expr::Opaque,
                _ => Expr::Constant(
                    self.random.pick(&[Constant::Bool(true), Constant::Bool(false), Constant::Null]).clone(),
                ),
            },
            8 | 9 => Expr::Not(boxed(self.predicate(depth - 1))),
            10 | 11 => Expr::And((0..self.random.within(1, 3)).map(|_| self.predicate(depth - 1)).collect()),
            _ => Expr::Or((0..self.random.within(1, 3)).map(|_| self.predicate(depth - 1)).collect()),
        }
    }

    fn pair(&mut self, depth: u64) -> (Expr, Expr) {
        let ty = self.ty();
        let left = self.value(&ty, depth);
        let right = if self.random.chance(85) { self.constant(&ty) } else { self.value(&ty, depth) };
        (left, right)
    }

    fn ty(&mut self) -> ColumnType {
        use ColumnType as T;
        let decimal = T::Decimal { precision: 10, scale: 2 };
        let coarse = T::Decimal { precision: 10, scale: 1 };
        self.random
            .pick(&[
                TS,
                TS,
                TS,
                TZ,
                TZ,
                T::Date,
                T::Date,
                T::BigInt,
                T::BigInt,
                T::Integer,
                T::Varchar,
                T::Varchar,
                T::Double,
                T::Double,
                T::Float,
                decimal,
                coarse,
                T::UTinyInt,
                T::Timestamp(TimeUnit::S),
                T::Timestamp(TimeUnit::Ms),
                T::Timestamp(TimeUnit::Ns),
                T::Boolean,
            ])
            .clone()
    }

    /// A constant near the values of a column that has them.
    fn constant(&mut self, ty: &ColumnType) -> Expr {
        if self.random.chance(3) {
            return Expr::Constant(Constant::Null);
        }
        let mut constant = match self.random.below(3) {
            0 => match self.table.rows[0].iter().zip(&self.table.schema).find(|(_, column)| *column == ty) {
                Some((Constant::Null, _)) | None => value(self.random, ty, self.cluster),
                Some((cell, _)) => cell.clone(),
            },
            _ => value(self.random, ty, self.cluster),
        };
        if let Constant::Temporal(ColumnType::Timestamp(unit @ (TimeUnit::S | TimeUnit::Ns)), at) = &mut constant {
            *at = if *unit == TimeUnit::S { at.div_euclid(1_000_000) } else { at.saturating_mul(1_000) };
        }
        if let (Constant::Temporal(_, at), true) = (&mut constant, self.random.chance(30)) {
            let unit = match ty {
                ColumnType::Date => 1,
                ColumnType::Timestamp(unit) => US_DAY * 1_000 / unit.nanos(),
                _ => US_DAY,
            };
            *at = at.div_euclid(unit).saturating_mul(unit);
        }
        if let (Constant::Int(at), true) = (&mut constant, *ty == ColumnType::BigInt && self.random.chance(50)) {
            // As a function of the calendar yields it.
            *at = i128::from(*self.random.pick(&[
                2024,
                2023,
                1970,
                1969,
                1,
                2,
                3,
                5,
                12,
                23,
                31,
                59,
                202_409,
                0,
                self.cluster.0,
                self.cluster.0 / 1_000,
            ]));
        }
        Expr::Constant(constant)
    }

    fn column(&mut self, ty: &ColumnType) -> Option<Expr> {
        let sql = |column: &ColumnType| match column {
            ColumnType::Timestamp(TimeUnit::Ms) => TS,
            ColumnType::TimestampTz(_) => TZ,
            other => other.clone(),
        };
        self.table.schema.iter().position(|column| sql(column) == *ty).map(Expr::Column)
    }

    fn cast(&mut self, value: Expr, to: &ColumnType) -> Expr {
        Expr::Cast { value: boxed(value), to: to.clone(), try_cast: self.random.chance(20) }
    }

    fn value(&mut self, ty: &ColumnType, depth: u64) -> Expr {
        use ColumnType as T;
        if (depth == 0 || self.random.chance(35))
            && let Some(column) = self.column(ty)
        {
            return column;
        }
        let depth = depth.saturating_sub(1);
        match ty {
            T::Date => match self.random.below(4) {
                0 => {
                    let days = Expr::Constant(Constant::Int(i128::from(self.random.within(-40, 40))));
                    let name = *self.random.pick(&["+", "-"]);
                    call(name, vec![self.value(&T::Date, depth), days])
                }
                1 => self.bucket(&T::Date, depth),
                _ => self.cast_from(&[TS, TZ], ty, depth),
            },
            T::Timestamp(TimeUnit::S | TimeUnit::Ms | TimeUnit::Ns) => {
                self.cast_from(&[TS, TS, TZ, T::Date], ty, depth)
            }
            T::Timestamp(_) => match self.random.below(6) {
                0 | 1 => self.truncated(depth, &[TS, T::Date]),
                2 => self.bucket(&TS, depth),
                3 => self.stepped(depth, &[TS, T::Date]),
                _ => {
                    let finer = T::Timestamp(*self.random.pick(&[TimeUnit::S, TimeUnit::Ms]));
                    self.cast_from(&[T::Date, TZ, T::Date, finer], ty, depth.min(1))
                }
            },
            T::TimestampTz(_) => match self.random.below(6) {
                0 => self.truncated(depth, &[TZ]),
                1 => self.bucket(&TZ, depth),
                2 => self.stepped(depth, &[TZ]),
                3 => call("to_timestamp", vec![self.value(&T::Double, depth)]),
                _ => self.cast_from(&[T::Date, TS], ty, depth),
            },
            T::BigInt => match self.random.below(5) {
                0 => self.sum(ty, depth),
                1 => self.cast_from(&[T::Integer, T::UTinyInt, T::Decimal { precision: 10, scale: 2 }], ty, depth),
                _ => {
                    let part = *self.random.pick(&[
                        "year",
                        "quarter",
                        "month",
                        "day",
                        "hour",
                        "minute",
                        "second",
                        "millisecond",
                        "microsecond",
                        "dayofweek",
                        "isodow",
                        "dayofyear",
                        "week",
                        "isoyear",
                        "yearweek",
                        "epoch_ms",
                        "epoch_us",
                        "epoch_ns",
                    ]);
                    let of = self.random.pick(&[TS, TZ, T::Date]).clone();
                    call(part, vec![self.value(&of, depth)])
                }
            },
            T::Integer => match self.random.below(3) {
                0 => self.sum(ty, depth),
                1 => self.cast_from(&[T::Boolean], ty, 0),
                _ => self.cast_from(&[T::BigInt, T::UTinyInt, T::Decimal { precision: 10, scale: 2 }], ty, depth),
            },
            T::UTinyInt => {
                if self.random.chance(50) {
                    self.sum(ty, depth)
                } else {
                    self.cast_from(&[T::Integer, T::BigInt], ty, depth)
                }
            }
            T::Double => match self.random.below(3) {
                0 => {
                    let of = self.random.pick(&[TS, TZ, T::Date]).clone();
                    call("epoch", vec![self.value(&of, depth)])
                }
                _ => self.cast_from(
                    &[T::Float, T::Integer, T::BigInt, T::Decimal { precision: 10, scale: 2 }],
                    ty,
                    depth,
                ),
            },
            T::Float => self.cast_from(&[T::Double, T::Integer], ty, depth),
            T::Decimal { scale: 1, .. } => {
                self.cast_from(&[T::Decimal { precision: 10, scale: 2 }, T::Integer], ty, depth)
            }
            T::Decimal { .. } => self.cast_from(&[T::Integer, T::BigInt], ty, depth),
            T::Varchar => match self.random.below(3) {
                0 => self.cast_from(&[T::Integer], ty, depth),
                _ => {
                    let format =
                        *self.random.pick(&["%Y-%m-%d", "%Y-%m", "%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%m-%d"]);
                    let of = self.random.pick(&[TS, T::Date]).clone();
                    call("strftime", vec![self.value(&of, depth), text(format)])
                }
            },
            _ => Expr::Column(9),
        }
    }

    fn cast_from(&mut self, from: &[ColumnType], to: &ColumnType, depth: u64) -> Expr {
        let from = self.random.pick(from).clone();
        let value = self.value(&from, depth);
        self.cast(value, to)
    }

    fn sum(&mut self, ty: &ColumnType, depth: u64) -> Expr {
        let column = self.column(ty).unwrap();
        let value = if self.random.chance(70) { column } else { self.value(ty, depth) };
        let name = *self.random.pick(&["+", "-"]);
        call(name, vec![value, Expr::Constant(Constant::Int(i128::from(self.random.within(0, 30))))])
    }

    fn truncated(&mut self, depth: u64, of: &[ColumnType]) -> Expr {
        let part = *self
            .random
            .pick(&["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"]);
        let of = self.random.pick(of).clone();
        call("date_trunc", vec![text(part), self.value(&of, depth)])
    }

    fn bucket(&mut self, of: &ColumnType, depth: u64) -> Expr {
        let (months, days, micros) = *self.random.pick(&[
            (0, 0, 3_600_000_000),
            (0, 0, 1_000),
            (0, 1, 0),
            (0, 7, 0),
            (0, 1, US_DAY / 2),
            (1, 0, 0),
            (5, 0, 0),
            (12, 0, 0),
        ]);
        // A session's zone moves buckets of months in ways that the reference does not follow.
        let width = Expr::Constant(Constant::Interval { months, days, micros });
        call("time_bucket", vec![width, self.value(of, depth)])
    }

    fn stepped(&mut self, depth: u64, of: &[ColumnType]) -> Expr {
        let (months, days, micros) = *self.random.pick(&[
            (0, 0, 3_600_000_000),
            (0, 1, 0),
            (1, 0, 0),
            (-1, 0, 0),
            (1, -2, 77),
            (13, 0, 0),
            (0, 0, -5),
            (-12, 31, 0),
        ]);
        let step = Expr::Constant(Constant::Interval { months, days, micros });
        let of = self.random.pick(of).clone();
        let value = self.value(&of, depth);
        match self.random.below(3) {
            0 => call("+", vec![step, value]),
            1 => call("+", vec![value, step]),
            _ => call("-", vec![value, step]),
        }
    }
}
