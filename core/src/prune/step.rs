//! An INTERVAL that moves a date or time.

use super::expr::{Constant, Expr};

/// An INTERVAL as given: months, days and microseconds, each added in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) micros: i64,
}

impl Step {
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Constant(Constant::Interval { months, days, micros }) => {
                Some(Self { months: *months, days: *days, micros: *micros })
            }
            _ => None,
        }
    }

    pub(super) fn negated(self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }
}
