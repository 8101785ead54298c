//! Predicates as text for people: plans and logs. Reads like SQL; nothing parses it again.

use super::{
    calendar::{DAY, MINUTE, Part, SECOND, civil},
    convert::{is_special, unit_nanos},
    expr::{Comparison, Constant, Expr},
};
use crate::{coverage::uuid_text, schema::ColumnType};

/// The predicate in SQL's words with the given column names; what is not known is `?`.
#[must_use]
pub fn describe(expr: &Expr, names: &[&str]) -> String {
    Words { names }.expr(expr)
}

struct Words<'a> {
    names: &'a [&'a str],
}

impl Words<'_> {
    fn expr(&self, expr: &Expr) -> String {
        match expr {
            Expr::Column(index) => self.column(*index),
            Expr::Constant(value) => constant(value),
            Expr::Compare(op, a, b) => format!("{} {} {}", self.operand(a), symbol(*op), self.operand(b)),
            Expr::Between(value, low, high) => {
                format!("{} BETWEEN {} AND {}", self.operand(value), self.operand(low), self.operand(high))
            }
            Expr::In(value, list) => format!("{} IN ({})", self.operand(value), self.list(list, ", ")),
            Expr::Not(value) => format!("NOT {}", self.operand(value)),
            Expr::And(parts) if parts.is_empty() => "true".to_owned(),
            Expr::Or(parts) if parts.is_empty() => "false".to_owned(),
            Expr::And(parts) => self.joined(parts, " AND "),
            Expr::Or(parts) => self.joined(parts, " OR "),
            Expr::IsNull(value) => format!("{} IS NULL", self.operand(value)),
            Expr::IsNotNull(value) => format!("{} IS NOT NULL", self.operand(value)),
            Expr::Cast { value, to, try_cast } => {
                let call = if *try_cast { "TRY_CAST" } else { "CAST" };
                format!("{call}({} AS {to})", self.expr(value))
            }
            Expr::Function(name, arguments) | Expr::Foreign(name, arguments) => self.function(name, arguments),
            Expr::OnClock(_, of) => self.expr(of),
            Expr::Opaque => "?".to_owned(),
        }
    }

    /// As a part of a larger expression, in parentheses where they are needed.
    fn operand(&self, expr: &Expr) -> String {
        let text = self.expr(expr);
        match expr {
            Expr::OnClock(_, of) => self.operand(of),
            Expr::Column(_) | Expr::Constant(_) | Expr::Cast { .. } | Expr::Opaque => text,
            Expr::Function(name, _) | Expr::Foreign(name, _) if is_word(name) => text,
            _ => format!("({text})"),
        }
    }

    fn joined(&self, parts: &[Expr], by: &str) -> String {
        let parts = parts.iter().map(|part| match part {
            Expr::And(_) | Expr::Or(_) | Expr::Between(..) => format!("({})", self.expr(part)),
            _ => self.expr(part),
        });
        parts.collect::<Vec<_>>().join(by)
    }

    fn list(&self, items: &[Expr], by: &str) -> String {
        items.iter().map(|item| self.expr(item)).collect::<Vec<_>>().join(by)
    }

    fn function(&self, name: &str, arguments: &[Expr]) -> String {
        match arguments {
            [a, b] if !is_word(name) => format!("{} {name} {}", self.operand(a), self.operand(b)),
            [a] if !is_word(name) => format!("{name}{}", self.operand(a)),
            _ => format!("{name}({})", self.list(arguments, ", ")),
        }
    }

    fn column(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) if is_word(name) => (*name).to_owned(),
            Some(name) => format!("\"{}\"", name.replace('"', "\"\"")),
            None => format!("#{index}"),
        }
    }
}

fn is_word(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Eq => "=",
        Comparison::Ne => "<>",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
        Comparison::NotDistinct => "IS NOT DISTINCT FROM",
        Comparison::Distinct => "IS DISTINCT FROM",
    }
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::Null => "NULL".to_owned(),
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Float(value) => value.to_string(),
        Constant::Decimal(units, scale) => decimal(*units, usize::from(*scale)),
        Constant::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Constant::Bytes(bytes) => {
            format!("'{}'", bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect::<String>())
        }
        Constant::Uuid(value) => format!("'{}'", uuid_text(*value)),
        Constant::Temporal(ty, count) => format!("'{}'", temporal(ty, i128::from(*count))),
        Constant::Interval { months, days, micros } => interval(*months, *days, *micros),
    }
}

fn decimal(units: i128, scale: usize) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if units < 0 { "-" } else { "" })
}

fn interval(months: i32, days: i32, micros: i64) -> String {
    let parts = [(i64::from(months), "months"), (i64::from(days), "days"), (micros, "microseconds")];
    let parts = parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count} {unit}"));
    let text = parts.collect::<Vec<_>>().join(" ");
    format!("INTERVAL '{}'", if text.is_empty() { "0 days" } else { &text })
}

fn temporal(ty: &ColumnType, count: i128) -> String {
    if is_special(ty, count) {
        return if count > 0 { "infinity" } else { "-infinity" }.to_owned();
    }
    let Some(unit) = unit_nanos(ty) else { return count.to_string() };
    let nanos = count * unit;
    match ty {
        ColumnType::Date => date(nanos),
        ColumnType::Time(_) => clock(nanos),
        ColumnType::TimestampTz(_) => format!("{} {}+00", date(nanos), clock(nanos)),
        _ if nanos.rem_euclid(DAY) == 0 => date(nanos),
        _ => format!("{} {}", date(nanos), clock(nanos)),
    }
}

fn date(nanos: i128) -> String {
    let (year, month, day) = civil(nanos.div_euclid(DAY));
    match year {
        1.. => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{:04}-{month:02}-{day:02} (BC)", 1 - year),
    }
}

fn clock(nanos: i128) -> String {
    let (hour, minute) = (Part::Hour.extract(nanos), Part::Minute.extract(nanos));
    let second = nanos.rem_euclid(MINUTE) / SECOND;
    let fraction = format!("{:09}", nanos.rem_euclid(SECOND));
    match fraction.trim_end_matches('0') {
        "" => format!("{hour:02}:{minute:02}:{second:02}"),
        fraction => format!("{hour:02}:{minute:02}:{second:02}.{fraction}"),
    }
}
