//! Of what a file without rows is the delivery, as its own name says it: a range, and an entity where the pattern names the columns of
//! one. Knows names and values, no files.

use std::path::Path;

use super::path::{Named, Rule};
use crate::{
    coverage::Entity,
    error::{Error, Result},
    log::definition::Definition,
    prune::expr::Constant,
    schema::{ColumnType, same_name},
    segment::constants::text::parse,
    time::{IndexRange, IndexValue},
};

/// A pattern such as `{symbol}_{date}.parquet`.
#[derive(Debug, Clone)]
pub struct Delivery {
    rule: Rule,
    pattern: String,
}

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The range.
    pub range: IndexRange,
    /// Whose; everybody's when the pattern names no entity column.
    pub entity: Option<Entity>,
}

const NANOS_PER_HOUR: i128 = 3_600_000_000_000;
/// How a pattern says a range, besides by `date`, and by `start` and `until`.
const CALENDAR: [&str; 4] = ["year", "month", "day", "hour"];

impl Delivery {
    /// Reads a pattern for a table with this definition.
    ///
    /// # Errors
    /// `InvalidArgument` for one that is none, that says no range or two, that names a part of an entity's columns, or anything else.
    pub fn parse(pattern: &str, definition: &Definition) -> Result<Self> {
        let rule = Rule::parse("empty_range", pattern)?;
        let bad = |why: String| Error::invalid_argument(format!("empty_range := '{pattern}' {why}"));
        let entities = &definition.entity_columns;
        let is_entity = |name: &str| entities.iter().any(|entity| same_name(entity, name));
        let names: Vec<&str> = rule.names().filter(|name| !is_entity(name)).collect();
        let has = |name: &str| names.iter().any(|known| same_name(known, name));
        let known =
            |name: &&str| CALENDAR.iter().chain(&["date", "start", "until"]).any(|known| same_name(known, name));
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(bad(format!(
                "names '{name}', which is neither an entity column nor one of date, start, until, year, month, day and hour; write * for \
                 what says nothing"
            )));
        }
        let depth = CALENDAR.iter().take_while(|part| has(part)).count();
        let parts = CALENDAR.iter().filter(|part| has(part)).count();
        let whole = has("start") == has("until") && depth == parts;
        if !whole || [has("date"), has("start"), parts > 0].into_iter().filter(|said| *said).count() != 1 {
            return Err(bad("says no range, or says it twice; name {date}, or {start} and {until}, or {year}, {month}, {day} and {hour} \
                            from the year down"
                .to_owned()));
        }
        let lacking = entities.iter().find(|entity| !rule.names().any(|name| same_name(name, entity)));
        if let Some(lacking) = lacking.filter(|_| rule.names().any(is_entity)) {
            return Err(bad(format!("names a part of an entity only; name '{lacking}' too, or none of its columns")));
        }
        Ok(Self { rule, pattern: pattern.to_owned() })
    }

    /// What the name of a file says.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that does not fit the pattern, or a value that is none of its kind; before the table has columns.
    pub fn of(&self, path: &Path, definition: &Definition) -> Result<Delivered> {
        let columns =
            || Error::invalid_argument("the table has no columns yet, so that a file without rows confirms nothing");
        let index = definition.index_type().ok_or_else(columns)?;
        let entities = definition.entity_schema().ok_or_else(columns)?;
        let named = self.rule.columns(path)?;
        let value = |name: &str| value(&named, name);
        let part = |name: &str, ty: &ColumnType| {
            let text = value(name).unwrap_or_default();
            parse(text, ty)
                .and_then(|value| value.entity_part())
                .ok_or_else(|| self.unfit(name, text, &format!("of type {ty}")))
        };
        let is_named = entities.first().is_some_and(|first| self.rule.names().any(|name| same_name(name, &first.name)));
        let entity = is_named.then(|| entities.iter().map(|column| part(&column.name, &column.ty)).collect());
        Ok(Delivered { range: self.range(&named, index)?, entity: entity.transpose()? })
    }

    fn range(&self, named: &[Named], index: &ColumnType) -> Result<IndexRange> {
        let end = |name: &str, text: &str| {
            let date = || period(text).and_then(|period| Some(period.range(index)?.0));
            let own = match parse(text, index) {
                Some(Constant::Int(value)) => Some(value),
                Some(Constant::Temporal(_, count)) => Some(count.into()),
                _ => None,
            };
            own.or_else(date).ok_or_else(|| self.unfit(name, text, &format!("of type {index}")))
        };
        if let (Some(start), Some(until)) = (value(named, "start"), value(named, "until")) {
            let (from, to) = (end("start", start)?, end("until", until)?);
            if from >= to {
                return Err(Error::invalid_argument(format!(
                    "the name says a range from '{start}' until '{until}', which is empty"
                )));
            }
            return Ok(IndexRange::new(IndexValue(from), IndexValue(to)));
        }
        let text = value(named, "date").map_or_else(|| calendar(named), str::to_owned);
        if index.is_integer() || matches!(index, ColumnType::TimestampTz(_)) {
            return Err(Error::invalid_argument(format!(
                "the name says the date '{text}', which is no range of an index of type {index}; name {{start}} and {{until}}, for an instant \
                 with an offset as in 2024-01-02T00:00:00Z"
            )));
        }
        let range = period(&text).and_then(|period| period.range(index));
        let (from, to) =
            range.ok_or_else(|| self.unfit("date", &text, "a day, month, year or hour such as 2024-01-02"))?;
        Ok(IndexRange::new(IndexValue(from), IndexValue(to)))
    }

    fn unfit(&self, name: &str, text: &str, wanted: &str) -> Error {
        Error::invalid_argument(format!(
            "the name gives {name} the value '{text}' by empty_range := '{}', which is not {wanted}",
            self.pattern
        ))
    }
}

fn value<'a>(named: &'a [Named], name: &str) -> Option<&'a str> {
    named.iter().find(|(known, _)| same_name(known, name)).and_then(|(_, value)| value.as_deref())
}

/// Year, month, day and hour in a row; those of folders may have one digit.
fn calendar(named: &[Named]) -> String {
    let parts = CALENDAR.iter().map_while(|part| value(named, part));
    parts.map(|part| format!("{part:0>2}")).collect::<Vec<_>>().join("-")
}

/// A year, or a part of it.
struct Period {
    year: i64,
    parts: Vec<i64>,
}

/// `2024`, `2024-01`, `2024-01-02`, `2024-01-02T05`, with any of `-`, `_`, `.`, `T` and blanks between, and days and hours without.
fn period(text: &str) -> Option<Period> {
    let mut groups: Vec<&str> = text.split(['-', '_', '.', 'T', ' ']).collect();
    if let [whole] = groups.as_slice() {
        let cuts: &[usize] = match whole.len() {
            4 => &[4],
            8 => &[4, 6, 8],
            10 => &[4, 6, 8, 10],
            _ => return None,
        };
        let starts = std::iter::once(&0).chain(cuts);
        groups = starts.zip(cuts).map(|(from, to)| whole.get(*from..*to)).collect::<Option<_>>()?;
    }
    let (year, parts) = groups.split_first()?;
    let number = |text: &&str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
    if year.len() != 4 || parts.len() > 3 || parts.iter().any(|part| part.len() != 2) {
        return None;
    }
    Some(Period { year: number(year)?, parts: parts.iter().map(number).collect::<Option<_>>()? })
}

impl Period {
    /// Its start, and that of the next, in units of a wall clock or of days; none where the calendar, or the unit, has no such.
    fn range(&self, index: &ColumnType) -> Option<(i128, i128)> {
        let part = |at: usize| self.parts.get(at).copied();
        let start = hours(self.year, part(0).unwrap_or(1), part(1).unwrap_or(1), part(2).unwrap_or(0))?;
        let until = match (part(0), part(1), part(2)) {
            (_, _, Some(_)) => start + 1,
            (_, Some(_), None) => start + 24,
            (Some(12), None, _) | (None, ..) => hours(self.year + 1, 1, 1, 0)?,
            (Some(month), None, _) => hours(self.year, month + 1, 1, 0)?,
        };
        let unit = index.unit_nanos().filter(|_| !matches!(index, ColumnType::TimestampTz(_)))?;
        let units = |hours: i128| (hours * NANOS_PER_HOUR % unit == 0).then_some(hours * NANOS_PER_HOUR / unit);
        Some((units(start)?, units(until)?))
    }
}

/// Hours from 1970.
fn hours(year: i64, month: i64, day: i64, hour: i64) -> Option<i128> {
    match parse(&format!("{year:04}-{month:02}-{day:02}"), &ColumnType::Date)? {
        Constant::Temporal(_, days) if hour < 24 => Some(i128::from(days) * 24 + i128::from(hour)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
