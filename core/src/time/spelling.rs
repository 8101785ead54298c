//! How people write widths: DuckDB's intervals, pandas, polars and the short form that is stored. One reader for all
//! places that take a width. What is ambiguous between those is refused with both meanings, never guessed.

use std::borrow::Cow;

use crate::error::{Error, Result};

use super::units::WidthUnit;

/// A number and a unit as they stand in a text.
pub(super) struct Spelled {
    pub(super) count: i64,
    pub(super) unit: WidthUnit,
}

/// Reads one spelling; the error is the end of a sentence that begins with the text.
pub(super) fn read(text: &str) -> std::result::Result<Spelled, String> {
    let inner = without_interval(text.trim());
    let inner = inner.as_ref();
    if let Some(micros) = clock(inner) {
        let (count, unit) = WidthUnit::of_micros(micros?);
        return Ok(Spelled { count, unit });
    }
    let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = inner.split_at_checked(digits).unwrap_or((inner, ""));
    let unit = rest.trim_start();
    if number.is_empty() {
        return Err(without_number(inner));
    }
    if rest.starts_with(['.', ',', '_']) {
        return Err("has a number that is not whole".to_owned());
    }
    let nanos = matches!(unit, "ns" | "nanosecond" | "nanoseconds" | "nanos");
    let named = if nanos { Some(WidthUnit::Microsecond) } else { named(unit)? };
    let unit = named.ok_or_else(|| unknown(unit))?;
    let count: i64 = number.parse().map_err(|_| "is too wide".to_owned())?;
    if nanos && count % 1_000 != 0 {
        return Err("is finer than a microsecond, the finest bucket".to_owned());
    }
    Ok(Spelled { count: if nanos { count / 1_000 } else { count }, unit })
}

/// What is inside `INTERVAL 5 MINUTE`, `INTERVAL '5' MINUTE` or `INTERVAL '5 minutes'`; any other text as it is.
fn without_interval(text: &str) -> Cow<'_, str> {
    let Some((word, rest)) = text.split_at_checked("interval".len()) else { return text.into() };
    if !word.eq_ignore_ascii_case("interval") || !rest.starts_with([' ', '\'']) {
        return text.into();
    }
    let rest = rest.trim();
    match rest.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        Some((quoted, "")) => quoted.trim().into(),
        Some((quoted, unit)) if unit.starts_with(' ') => format!("{}{unit}", quoted.trim()).into(),
        _ => rest.into(),
    }
}

/// The unit of that name; an error where the name has two meanings.
fn named(name: &str) -> std::result::Result<Option<WidthUnit>, String> {
    match name {
        "T" => return Ok(Some(WidthUnit::Minute)),
        "M" => {
            return Err(
                "has the unit 'M', which is a minute to some and a month to others; write '1m' or '1min' for a \
                        minute, '1mo' or '1 month' for a month"
                    .to_owned(),
            );
        }
        "MS" | "Ms" | "mS" => {
            return Err(format!(
                "has the unit '{name}', which is a millisecond to some and the start of a month to others; write '1ms' for \
                 a millisecond, '1mo' for a month"
            ));
        }
        _ => {}
    }
    Ok(WidthUnit::named(&name.to_lowercase()))
}

fn without_number(text: &str) -> String {
    if text.starts_with('-') {
        "is negative".to_owned()
    } else {
        "has no number in front, or a number that is not positive and whole".to_owned()
    }
}

fn unknown(unit: &str) -> String {
    if unit.chars().any(|c| c.is_ascii_digit()) {
        "is made of several parts; a bucket has one number and one unit".to_owned()
    } else {
        format!("has the unknown unit '{unit}'")
    }
}

/// Microseconds of `HH:MM:SS[.ffffff]`, which is how DuckDB shows an interval shorter than a day.
fn clock(text: &str) -> Option<std::result::Result<i64, String>> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let well_made = digits(hours)
        && [minutes, seconds].iter().all(|part| part.len() == 2 && digits(part))
        && fraction.len() <= 6
        && (fraction.is_empty() || digits(fraction));
    let part = |text: &str| text.parse::<i64>().ok();
    let micros = || {
        let (minutes, seconds) = (part(minutes)?, part(seconds)?);
        let fraction = part(&format!("{fraction:0<6}"))?;
        let whole = part(hours)?.checked_mul(3_600)?.checked_add(minutes * 60 + seconds)?;
        (minutes < 60 && seconds < 60).then_some(())?;
        whole.checked_mul(1_000_000)?.checked_add(fraction)
    };
    Some(if well_made { micros().ok_or_else(|| "is too wide".to_owned()) } else { Err(unknown("1")) })
}

/// A width that is given as the three parts of an interval.
///
/// # Errors
/// `InvalidArgument` unless exactly one part is there: no bucket is a month and a day wide.
pub(super) fn of_interval(months: i32, days: i32, micros: i64) -> Result<Spelled> {
    match (months, days, micros) {
        (months, 0, 0) if months != 0 && months % 12 == 0 => {
            Ok(Spelled { count: i64::from(months / 12), unit: WidthUnit::Year })
        }
        (months, 0, 0) if months != 0 => Ok(Spelled { count: months.into(), unit: WidthUnit::Month }),
        (0, days, 0) if days != 0 => Ok(Spelled { count: days.into(), unit: WidthUnit::Day }),
        (0, 0, micros) => {
            let (count, unit) = WidthUnit::of_micros(micros);
            Ok(Spelled { count, unit })
        }
        _ => Err(Error::invalid_argument(format!(
            "the interval of {months} months, {days} days and {micros} microseconds is made of several parts; a bucket has \
             one number and one unit, as in INTERVAL 1 HOUR"
        ))),
    }
}
