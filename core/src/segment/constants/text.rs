//! Constants as text: as the names of folders and the log have them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::{
    coverage::{parse_uuid, uuid_text},
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
};

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_DAYS: i32 = 719_163;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The value of type `ty` that a text says; none when it says none. A TIMESTAMPTZ needs an offset.
#[must_use]
pub fn parse(text: &str, ty: &ColumnType) -> Option<Constant> {
    Some(match ty {
        ColumnType::Varchar => Constant::Text(text.to_owned()),
        ColumnType::Boolean => Constant::Bool(match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => true,
            "false" | "f" | "0" => false,
            _ => return None,
        }),
        ColumnType::Float | ColumnType::Double => {
            Constant::Float(text.parse().ok().filter(|value: &f64| value.is_finite())?)
        }
        ColumnType::Decimal { precision, scale } => Constant::Decimal(decimal(text, *precision, *scale)?, *scale),
        ColumnType::Uuid => Constant::Uuid(parse_uuid(text)?),
        ColumnType::Date => Constant::Temporal(ty.clone(), date(text)?.into()),
        ColumnType::Timestamp(unit) => temporal(ty, *unit, wall_clock(text)?.and_utc())?,
        ColumnType::TimestampTz(unit) => temporal(ty, *unit, instant(text)?)?,
        _ => Constant::Int(integer(text, ty)?),
    })
}

/// The text that [`parse`] reads as this value; none for NULL, and for what no column of one value holds.
#[must_use]
pub fn text(value: &Constant) -> Option<String> {
    Some(match value {
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Float(value) => value.to_string(),
        Constant::Text(text) => text.clone(),
        Constant::Uuid(value) => uuid_text(*value),
        Constant::Decimal(value, scale) => decimal_text(*value, *scale),
        Constant::Temporal(ColumnType::Date, days) => {
            let day = i32::try_from(*days).ok()?.checked_add(EPOCH_DAYS)?;
            NaiveDate::from_num_days_from_ce_opt(day)?.format("%Y-%m-%d").to_string()
        }
        Constant::Temporal(ty, count) => {
            let nanos = i128::from(*count).checked_mul(ty.unit_nanos()?)?;
            let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?;
            let rest = u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()?;
            let zone = if matches!(ty, ColumnType::TimestampTz(_)) { "+00" } else { "" };
            format!("{}{zone}", DateTime::from_timestamp(seconds, rest)?.format("%Y-%m-%d %H:%M:%S%.f"))
        }
        _ => return None,
    })
}

fn integer(text: &str, ty: &ColumnType) -> Option<i128> {
    let (bits, signed) = ty.integer_bits().filter(|(bits, _)| *bits <= 64)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let value: i128 = text.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let range = if signed { -(1_i128 << (bits - 1))..1_i128 << (bits - 1) } else { 0..1_i128 << bits };
    range.contains(&value).then_some(value)
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all(whole) || !all(part) || part.len() > usize::from(scale) {
        return None;
    }
    let digits: i128 = format!("{whole}{part:0<width$}", width = usize::from(scale)).parse().ok()?;
    (digits < 10_i128.checked_pow(precision.into())?).then_some(sign * digits)
}

fn decimal_text(value: i128, scale: u8) -> String {
    let width = usize::from(scale);
    let digits = format!("{:0>1$}", value.unsigned_abs(), width.saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(width));
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

fn date(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    chrono::Datelike::num_days_from_ce(&date).checked_sub(EPOCH_DAYS)
}

fn wall_clock(text: &str) -> Option<NaiveDateTime> {
    let text = text.replacen('T', " ", 1);
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let time = forms.into_iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
    time.or_else(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

fn instant(text: &str) -> Option<DateTime<chrono::Utc>> {
    let text = text.replacen('T', " ", 1).replace('Z', "+00");
    let time = DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
    Some(time.to_utc())
}

fn temporal(ty: &ColumnType, unit: TimeUnit, time: DateTime<chrono::Utc>) -> Option<Constant> {
    let nanos = i128::from(time.timestamp()) * NANOS_PER_SECOND + i128::from(time.timestamp_subsec_nanos());
    let unit_nanos = ty.unit_nanos()?;
    let count = i64::try_from(nanos.div_euclid(unit_nanos)).ok()?;
    (nanos % unit_nanos == 0 && unit.shows(count)).then(|| Constant::Temporal(ty.clone(), count))
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
