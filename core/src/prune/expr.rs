//! Predicates as the host hands them over: a small expression tree over columns and constants. Whatever a host's
//! expression cannot be said in these words becomes [`Expr::Opaque`], about which pruning assumes nothing.

use std::sync::Arc;

use crate::{coverage::EntityPart, schema::ColumnType, time::Offsets};

/// A constant, in the value's own unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// NULL of any type.
    Null,
    /// BOOLEAN.
    Bool(bool),
    /// Any integer type up to HUGEINT.
    Int(i128),
    /// FLOAT or DOUBLE.
    Float(f64),
    /// DECIMAL: unscaled value and scale.
    Decimal(i128, u8),
    /// VARCHAR.
    Text(String),
    /// BLOB.
    Bytes(Vec<u8>),
    /// UUID, its 16 bytes as one number, the first as the highest.
    Uuid(u128),
    /// DATE, TIME, TIMESTAMP or TIMESTAMPTZ of the given type, counted in that type's unit since its zero.
    Temporal(ColumnType, i64),
    /// INTERVAL.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
}

impl From<&EntityPart> for Constant {
    fn from(part: &EntityPart) -> Self {
        match part {
            EntityPart::Text(text) => Self::Text(text.to_string()),
            EntityPart::Int(number) => Self::Int(*number),
            EntityPart::Bool(value) => Self::Bool(*value),
            EntityPart::Date(days) => Self::Temporal(ColumnType::Date, (*days).into()),
            EntityPart::Uuid(number) => Self::Uuid(*number),
        }
    }
}

impl Constant {
    /// The constant as a value of an entity column; none for what is of no type that such a column has, as NULL is.
    #[must_use]
    pub fn entity_part(&self) -> Option<EntityPart> {
        Some(match self {
            Self::Text(text) => EntityPart::from(text.as_str()),
            Self::Int(number) => EntityPart::Int(*number),
            Self::Bool(value) => EntityPart::Bool(*value),
            Self::Temporal(ColumnType::Date, days) => EntityPart::Date(i32::try_from(*days).ok()?),
            Self::Uuid(number) => EntityPart::Uuid(*number),
            _ => return None,
        })
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `IS NOT DISTINCT FROM`
    NotDistinct,
    /// `IS DISTINCT FROM`
    Distinct,
}

/// A bound expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column of the table, by its position in the schema.
    Column(usize),
    /// A constant.
    Constant(Constant),
    /// A comparison of two expressions.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `value BETWEEN low AND high` whose ends may each be inclusive or exclusive: the host does not say.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `value IN (list)`.
    In(Box<Expr>, Vec<Expr>),
    /// `NOT value`.
    Not(Box<Expr>),
    /// Every one of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
    /// `value IS NULL`.
    IsNull(Box<Expr>),
    /// `value IS NOT NULL`.
    IsNotNull(Box<Expr>),
    /// `CAST(value AS type)`; with `try_cast` a failure is NULL.
    Cast {
        /// What is cast.
        value: Box<Expr>,
        /// To which type.
        to: ColumnType,
        /// Whether a value that cannot be cast becomes NULL.
        try_cast: bool,
    },
    /// A scalar function of the host's own by its name in lower case, operators (`+`, `-`) included.
    Function(String, Vec<Expr>),
    /// A call of which nothing is known but how it reads: a function that is not the host's own, or that depends on a
    /// setting.
    Foreign(String, Vec<Expr>),
    /// A cast or call whose result depends on a time zone, the session's or one that it names, and the clock of that. Without a clock such a
    /// result is known to a day only.
    OnClock(Arc<Offsets>, Box<Expr>),
    /// Anything else.
    Opaque,
}

impl Expr {
    /// The same expression with what `of` makes of each of its parts; one without parts stays as it is.
    #[must_use]
    pub fn with_parts(&self, of: impl Fn(&Self) -> Self) -> Self {
        let one = |part: &Self| Box::new(of(part));
        let all = |parts: &[Self]| parts.iter().map(&of).collect();
        match self {
            Self::Column(_) | Self::Constant(_) | Self::Opaque => self.clone(),
            Self::Compare(how, a, b) => Self::Compare(*how, one(a), one(b)),
            Self::Between(value, low, high) => Self::Between(one(value), one(low), one(high)),
            Self::In(value, list) => Self::In(one(value), all(list)),
            Self::Not(value) => Self::Not(one(value)),
            Self::And(list) => Self::And(all(list)),
            Self::Or(list) => Self::Or(all(list)),
            Self::IsNull(value) => Self::IsNull(one(value)),
            Self::IsNotNull(value) => Self::IsNotNull(one(value)),
            Self::Cast { value, to, try_cast } => Self::Cast { value: one(value), to: to.clone(), try_cast: *try_cast },
            Self::OnClock(clock, value) => Self::OnClock(Arc::clone(clock), one(value)),
            Self::Function(name, list) => Self::Function(name.clone(), all(list)),
            Self::Foreign(name, list) => Self::Foreign(name.clone(), all(list)),
        }
    }
}
