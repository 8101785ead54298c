//! The proleptic Gregorian calendar on nanoseconds since 1970-01-01 00:00: truncation, parts, month arithmetic. Pure
//! arithmetic on instants of the years 1 to 9999; zones and intervals of values are elsewhere.

pub(super) const MICRO: i128 = 1_000;
pub(super) const SECOND: i128 = 1_000_000_000;
pub(super) const MINUTE: i128 = 60 * SECOND;
pub(super) const HOUR: i128 = 60 * MINUTE;
pub(super) const DAY: i128 = 24 * HOUR;

/// The first instant of year 1 and the last of year 9999. Beyond them nothing is computed, only given up.
pub(super) const MIN_TAME: i128 = -719_162 * DAY;
pub(super) const MAX_TAME: i128 = 2_932_897 * DAY - 1;

/// A part of a date or time that can be extracted or truncated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    Week,
    Month,
    Quarter,
    Year,
    IsoYear,
    YearWeek,
    Decade,
    Century,
    Millennium,
}

impl Part {
    /// By DuckDB's names of a part, without regard to case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "microsecond" | "microseconds" | "us" => Self::Microsecond,
            "millisecond" | "milliseconds" | "ms" => Self::Millisecond,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" | "dayofmonth" => Self::Day,
            "dow" | "dayofweek" | "weekday" => Self::DayOfWeek,
            "isodow" => Self::IsoDayOfWeek,
            "doy" | "dayofyear" => Self::DayOfYear,
            "week" | "weeks" | "w" | "weekofyear" => Self::Week,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "quarters" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "isoyear" => Self::IsoYear,
            "yearweek" => Self::YearWeek,
            "decade" | "decades" => Self::Decade,
            "century" | "centuries" => Self::Century,
            "millennium" | "millennia" => Self::Millennium,
            _ => return None,
        })
    }

    /// The start of the part's period that `at` lies in; none for parts that are not periods.
    pub(super) fn truncate(self, at: i128) -> Option<i128> {
        let years = |n: i64| {
            let (year, _, _) = civil(at.div_euclid(DAY));
            days(year / n * n, 1, 1) * DAY
        };
        Some(match self {
            Self::Microsecond => floor_to(at, MICRO),
            Self::Millisecond => floor_to(at, 1_000 * MICRO),
            Self::Second => floor_to(at, SECOND),
            Self::Minute => floor_to(at, MINUTE),
            Self::Hour => floor_to(at, HOUR),
            Self::Day => floor_to(at, DAY),
            Self::Week => monday(at),
            Self::Month | Self::Quarter => {
                let (year, month, _) = civil(at.div_euclid(DAY));
                let first = if self == Self::Month { month } else { (month - 1) / 3 * 3 + 1 };
                days(year, first, 1) * DAY
            }
            Self::Year => years(1),
            Self::Decade => years(10),
            Self::Century => years(100),
            Self::Millennium => years(1_000),
            Self::IsoYear => iso_year_start(iso_year(at)),
            Self::DayOfWeek | Self::IsoDayOfWeek | Self::DayOfYear | Self::YearWeek => return None,
        })
    }

    /// The part's number at an instant.
    pub(super) fn extract(self, at: i128) -> i128 {
        let day = at.div_euclid(DAY);
        let (year, month, of_month) = civil(day);
        match self {
            Self::Microsecond => at.rem_euclid(MINUTE) / MICRO,
            Self::Millisecond => at.rem_euclid(MINUTE) / (1_000 * MICRO),
            Self::Second => at.rem_euclid(MINUTE) / SECOND,
            Self::Minute => at.rem_euclid(HOUR) / MINUTE,
            Self::Hour => at.rem_euclid(DAY) / HOUR,
            Self::Day => i128::from(of_month),
            Self::DayOfWeek => (day + 4).rem_euclid(7),
            Self::IsoDayOfWeek => (day + 3).rem_euclid(7) + 1,
            Self::DayOfYear => day - days(year, 1, 1) + 1,
            Self::Week => (monday(at) - iso_year_start(iso_year(at))) / (7 * DAY) + 1,
            Self::Month => i128::from(month),
            Self::Quarter => i128::from((month - 1) / 3 + 1),
            Self::Year => i128::from(year),
            Self::IsoYear => i128::from(iso_year(at)),
            Self::YearWeek => i128::from(iso_year(at)) * 100 + Self::Week.extract(at),
            Self::Decade => i128::from(year / 10),
            Self::Century => i128::from((year - 1) / 100 + 1),
            Self::Millennium => i128::from((year - 1) / 1_000 + 1),
        }
    }

    /// For a part that starts again: the start of the period within which it only grows, and its least and greatest
    /// number. None for a part that grows for ever.
    pub(super) fn cycle(self, at: i128) -> Option<(i128, i128, i128)> {
        let within = |parent: Self| parent.truncate(at);
        Some(match self {
            Self::Microsecond => (within(Self::Minute)?, 0, 59_999_999),
            Self::Millisecond => (within(Self::Minute)?, 0, 59_999),
            Self::Second => (within(Self::Minute)?, 0, 59),
            Self::Minute => (within(Self::Hour)?, 0, 59),
            Self::Hour => (within(Self::Day)?, 0, 23),
            Self::Day => (within(Self::Month)?, 1, 31),
            Self::DayOfWeek => (monday(at + DAY) - DAY, 0, 6),
            Self::IsoDayOfWeek => (monday(at), 1, 7),
            Self::DayOfYear => (within(Self::Year)?, 1, 366),
            Self::Week => (within(Self::IsoYear)?, 1, 53),
            Self::Month => (within(Self::Year)?, 1, 12),
            Self::Quarter => (within(Self::Year)?, 1, 4),
            _ => return None,
        })
    }
}

/// The greatest multiple of `unit` that is not above `value`.
pub(super) fn floor_to(value: i128, unit: i128) -> i128 {
    value.div_euclid(unit) * unit
}

/// The least multiple of `unit` that is not below `value`.
pub(super) fn ceil_to(value: i128, unit: i128) -> i128 {
    -floor_to(-value, unit)
}

/// `at` moved by whole months, a day beyond the month's end becoming its last. The second answer says whether later or
/// earlier days may have come to the same day, so that the order of the times of day is lost.
pub(super) fn add_months(at: i128, months: i32) -> (i128, bool) {
    let (year, month, day) = civil(at.div_euclid(DAY));
    let index = year * 12 + i64::from(month - 1) + i64::from(months);
    let (year, month) = (index.div_euclid(12), u8::try_from(index.rem_euclid(12)).unwrap_or(0) + 1);
    let last = month_length(year, month);
    (days(year, month, day.min(last)) * DAY + at.rem_euclid(DAY), day >= last)
}

/// Months since January of year 0.
pub(super) fn month_index(at: i128) -> i64 {
    let (year, month, _) = civil(at.div_euclid(DAY));
    year * 12 + i64::from(month) - 1
}

/// The first instant of a month counted by [`month_index`].
pub(super) fn month_start(index: i64) -> i128 {
    days(index.div_euclid(12), u8::try_from(index.rem_euclid(12)).unwrap_or(0) + 1, 1) * DAY
}

fn month_length(year: i64, month: u8) -> u8 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    u8::try_from(days(next_year, next, 1) - days(year, month, 1)).unwrap_or(31)
}

fn monday(at: i128) -> i128 {
    let day = at.div_euclid(DAY);
    (day - (day + 3).rem_euclid(7)) * DAY
}

/// The ISO year is the calendar year of the week's Thursday.
fn iso_year(at: i128) -> i64 {
    civil(monday(at).div_euclid(DAY) + 3).0
}

fn iso_year_start(year: i64) -> i128 {
    monday(days(year, 1, 4) * DAY)
}

/// Days since 1970-01-01 of a date. Years begin in March here, so that the leap day comes last.
pub(super) fn days(year: i64, month: u8, day: u8) -> i128 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let year = i128::from(year);
    let before_month = (153 * i128::from(month) + 2) / 5;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + before_month + i128::from(day)
        - 719_469
}

/// Year, month and day of a number of days since 1970-01-01.
pub(super) fn civil(day: i128) -> (i64, u8, u8) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (i64::try_from(year).unwrap_or(0), u8::try_from(month).unwrap_or(1), u8::try_from(of_month).unwrap_or(1))
}
