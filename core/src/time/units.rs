//! The units in which buckets are wide: how long each is, and what people call it. A new unit is a row here and its name.

/// The unit of a bucket width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WidthUnit {
    /// The integers of an integer index; written without a unit.
    Integer,
    /// Microseconds, `us`.
    Microsecond,
    /// Milliseconds, `ms`.
    Millisecond,
    /// Seconds, `s`.
    Second,
    /// Minutes, `m`.
    Minute,
    /// Hours, `h`.
    Hour,
    /// Days, `d`: 24 hours, or local days when the table has a time zone.
    Day,
    /// Weeks from Monday to Sunday, `w`.
    Week,
    /// Calendar months, `mo`.
    Month,
    /// Quarters of a calendar year, `q`.
    Quarter,
    /// Calendar years, `y`.
    Year,
}

/// How long a unit is.
#[derive(Debug, Clone, Copy)]
enum Length {
    Numbers,
    Nanos(i64),
    Months(i64),
}

/// The widest bucket of time: 100 years. It keeps the ends of every bucket that has a number inside 128 bits.
const MAX_YEARS: i64 = 100;
const MAX_DAYS: i64 = 36_525;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A unit, its length, and its names in lower case, first the short one that is stored.
type Row = (WidthUnit, Length, &'static [&'static str]);

/// From short to long. Months have no single letter: `m` is minutes to DuckDB and polars, `M` was months to pandas.
const UNITS: [Row; 11] = [
    (WidthUnit::Integer, Length::Numbers, &["", "i"]),
    (
        WidthUnit::Microsecond,
        Length::Nanos(1_000),
        &["us", "µs", "μs", "usec", "usecs", "usecond", "useconds", "microsecond", "microseconds", "micros"],
    ),
    (
        WidthUnit::Millisecond,
        Length::Nanos(1_000_000),
        &["ms", "msec", "msecs", "msecond", "mseconds", "millisecond", "milliseconds", "millis", "milli"],
    ),
    (WidthUnit::Second, Length::Nanos(1_000_000_000), &["s", "sec", "secs", "second", "seconds"]),
    (WidthUnit::Minute, Length::Nanos(60_000_000_000), &["m", "min", "mins", "minute", "minutes"]),
    (WidthUnit::Hour, Length::Nanos(3_600_000_000_000), &["h", "hr", "hrs", "hour", "hours"]),
    (WidthUnit::Day, Length::Nanos(NANOS_PER_DAY), &["d", "day", "days"]),
    (WidthUnit::Week, Length::Nanos(7 * NANOS_PER_DAY), &["w", "wk", "wks", "week", "weeks"]),
    (WidthUnit::Month, Length::Months(1), &["mo", "mon", "mons", "month", "months"]),
    (WidthUnit::Quarter, Length::Months(3), &["q", "quarter", "quarters"]),
    (WidthUnit::Year, Length::Months(12), &["y", "yr", "yrs", "year", "years"]),
];

impl WidthUnit {
    /// The unit that has this name, in lower case.
    pub(super) fn named(name: &str) -> Option<Self> {
        UNITS.iter().find(|(_, _, names)| names.contains(&name)).map(|(unit, ..)| *unit)
    }

    /// The short names of all units of time, in a row.
    pub(super) fn short_names() -> String {
        let names: Vec<&str> = UNITS.iter().map(|(unit, ..)| unit.suffix()).filter(|name| !name.is_empty()).collect();
        names.join(" ")
    }

    /// The number of microseconds as a count of the longest unit, shorter than a day, of which it is a whole multiple.
    pub(super) fn of_micros(micros: i64) -> (i64, Self) {
        let whole = |(unit, ..): &Row| {
            let size = unit.nanos().filter(|_| !unit.is_calendar())? / 1_000;
            (micros % size == 0).then_some((micros / size, *unit))
        };
        let units = UNITS.iter().rev().filter_map(whole);
        units.into_iter().next().filter(|_| micros != 0).unwrap_or((micros, Self::Microsecond))
    }

    fn length(self) -> Length {
        UNITS.iter().find(|(unit, ..)| *unit == self).map_or(Length::Numbers, |(_, length, _)| *length)
    }

    /// Nanoseconds in one; none for calendar months and longer, and for integers.
    pub(super) fn nanos(self) -> Option<i64> {
        if let Length::Nanos(nanos) = self.length() { Some(nanos) } else { None }
    }

    /// Calendar months in one; none for weeks and shorter, and for integers.
    pub(super) fn months(self) -> Option<i64> {
        if let Length::Months(months) = self.length() { Some(months) } else { None }
    }

    /// Whether it is counted on the calendar when there is a time zone: days and longer.
    pub(super) fn is_calendar(self) -> bool {
        match self.length() {
            Length::Numbers => false,
            Length::Nanos(nanos) => nanos >= NANOS_PER_DAY,
            Length::Months(_) => true,
        }
    }

    /// How many a bucket may be wide.
    pub(super) fn max_count(self) -> i64 {
        match self.length() {
            Length::Numbers => 1 << 62,
            Length::Nanos(nanos) => MAX_DAYS * NANOS_PER_DAY / nanos,
            Length::Months(months) => MAX_YEARS * 12 / months,
        }
    }

    /// The name that is stored.
    pub(super) fn suffix(self) -> &'static str {
        UNITS.iter().find(|(unit, ..)| *unit == self).and_then(|(.., names)| names.first()).copied().unwrap_or_default()
    }
}
