//! Everything that the page says.

use super::segments::SegmentBin;

/// Everything the page says.
#[derive(Debug)]
pub struct Report {
    pub(super) root: String,
    pub(super) version: u64,
    pub(super) created: String,
    pub(super) committed: String,
    pub(super) bucket: String,
    pub(super) timezone: Option<String>,
    pub(super) index_column: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) segments: u64,
    pub(super) start: String,
    pub(super) until: String,
    pub(super) totals: Totals,
    pub(super) periods: Vec<(String, String)>,
    /// What a period is, as in `1d`.
    pub(super) period: String,
    pub(super) lines: Vec<Line>,
    pub(super) gaps: Vec<GapLine>,
    pub(super) late: Vec<(String, String, String)>,
    pub(super) bins: Vec<SegmentBin>,
    pub(super) advice: Vec<Advice>,
}

impl Report {
    /// How many entities it shows.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.lines.len()
    }

    /// How many periods it divides the range into.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.periods.len()
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) expected: u64,
    pub(super) covered: u64,
    pub(super) missing: u64,
    pub(super) confirmed_empty: u64,
    pub(super) gaps: u64,
}

impl Totals {
    pub(super) fn percent(&self) -> String {
        percent(self.covered, self.expected)
    }
}

/// `99.93 %`, rounded so that only what is complete is 100.
pub(super) fn percent(covered: u64, expected: u64) -> String {
    if expected == 0 {
        return "nothing expected".to_owned();
    }
    let hundredths = u128::from(covered) * 10_000 / u128::from(expected);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// An entity's line of the heat map.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// A letter for each period, as the page shows it.
    pub(super) letters: String,
    pub(super) expected: u64,
    pub(super) missing: u64,
    pub(super) gaps: u64,
    pub(super) longest: u64,
    pub(super) lag_buckets: u64,
    pub(super) lag: String,
}

#[derive(Debug)]
pub(super) struct GapLine {
    pub(super) entity: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) buckets: u64,
    pub(super) position: &'static str,
}

/// One thing to do, and the SQL that does it.
#[derive(Debug)]
pub(super) struct Advice {
    pub(super) text: String,
    pub(super) sql: Option<String>,
}
