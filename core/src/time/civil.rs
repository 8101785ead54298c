//! The proleptic Gregorian calendar on 128-bit day numbers, so that no value of an index column is out of reach.
//! Days count from 1970-01-01. Method: eras of 400 years that begin on 1 March, so that the leap day ends a year
//! (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").

const DAYS_PER_ERA: i128 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_SHIFT: i128 = 719_468;

/// A date of the calendar. Month 1 to 12, day 1 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i128,
    pub(super) month: i128,
    pub(super) day: i128,
}

/// The day number of the first day of the month that is `months` after January 1970.
pub(super) fn month_start(months: i128) -> i128 {
    // Months since March of year 0: 1970 years and, from January back to March, minus two months.
    let since_march = months + 1970 * 12 - 2;
    let year = since_march.div_euclid(12);
    let month = since_march.rem_euclid(12);
    let day_of_year = (153 * month + 2) / 5;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_SHIFT
}

/// The date of a day number.
pub(super) fn date_of(day: i128) -> Date {
    let shifted = day + EPOCH_SHIFT;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_PER_ERA), shifted.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    Date {
        year: era * 400 + year_of_era + i128::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
    }
}

/// Months from January 1970 to the month of a day number.
pub(super) fn month_of(day: i128) -> i128 {
    let date = date_of(day);
    (date.year - 1970) * 12 + date.month - 1
}
