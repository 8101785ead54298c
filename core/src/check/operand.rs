//! Reading what is compared: columns, constants, and numbers computed from them.

use std::cmp::Ordering;

use super::{
    constant::Literal,
    number::{Arithmetic, Kind, Number},
    parse::{MAX_DEPTH, Parser},
    tokens::{Token, show},
    value::Value,
};
use crate::{
    error::Result,
    schema::{Column, ColumnType},
};

/// The most operations that one check may have: each is a step down when it is evaluated.
const MAX_COMPUTED: usize = 256;

/// The scale beyond which DECIMAL ends.
const MAX_SCALE: u8 = 38;

/// One side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Column(usize, Column),
    Literal(Literal),
    Number(Value, Kind),
}

/// How numbers of a column's type are held; none when they are none.
pub(super) fn kind(ty: &ColumnType) -> Option<Kind> {
    Some(match ty {
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt => Kind::Exact(0),
        ColumnType::UTinyInt | ColumnType::USmallInt | ColumnType::UInteger | ColumnType::UBigInt => Kind::Exact(0),
        ColumnType::Decimal { scale, .. } => Kind::Exact(*scale),
        ColumnType::Float => Kind::Single,
        ColumnType::Double => Kind::Double,
        _ => return None,
    })
}

impl Parser<'_> {
    /// Sums of products of single values.
    pub(super) fn operand(&mut self, depth: usize) -> Result<Operand> {
        let mut left = self.product(depth)?;
        loop {
            let op = if self.take_sign("+") {
                Arithmetic::Add
            } else if self.take_sign("-") {
                Arithmetic::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product(depth)?;
            left = self.compute(left, op, right)?;
        }
    }

    fn product(&mut self, depth: usize) -> Result<Operand> {
        let mut left = self.single(depth)?;
        loop {
            let op = if self.take_sign("*") {
                Arithmetic::Multiply
            } else if self.take_sign("/") {
                Arithmetic::Divide
            } else {
                return Ok(left);
            };
            let right = self.single(depth)?;
            left = self.compute(left, op, right)?;
        }
    }

    fn compute(&mut self, left: Operand, op: Arithmetic, right: Operand) -> Result<Operand> {
        self.count()?;
        let ((left, a), (right, b)) = (self.number(left)?, self.number(right)?);
        let kind = match (a, op, b) {
            (Kind::Exact(a), Arithmetic::Multiply, Kind::Exact(b)) => Kind::Exact(a.saturating_add(b)),
            (Kind::Exact(_), Arithmetic::Divide, Kind::Exact(_)) => Kind::Double,
            _ => a.common(b),
        };
        if matches!(kind, Kind::Exact(scale) if scale > MAX_SCALE) {
            return Err(self.refuse("multiplies to more than 38 digits after the point"));
        }
        Ok(Operand::Number(Value::Compute(Box::new(left), op, Box::new(right)), kind))
    }

    fn count(&mut self) -> Result<()> {
        self.computed += 1;
        if self.computed > MAX_COMPUTED {
            return Err(self.refuse(&format!("computes more than {MAX_COMPUTED} numbers")));
        }
        Ok(())
    }

    fn single(&mut self, depth: usize) -> Result<Operand> {
        if depth > MAX_DEPTH {
            return Err(self.refuse("is nested too deeply"));
        }
        if self.take_sign("-") {
            return match self.single(depth + 1)? {
                Operand::Literal(Literal::Number(digits)) => {
                    let turned = digits.strip_prefix('-').map_or_else(|| format!("-{digits}"), str::to_owned);
                    Ok(Operand::Literal(Literal::Number(turned)))
                }
                other => {
                    self.count()?;
                    let (value, kind) = self.number(other)?;
                    Ok(Operand::Number(Value::Negate(Box::new(value)), kind))
                }
            };
        }
        if self.take_sign("(") {
            let inner = self.operand(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        if self.tokens.get(self.next + 1) == Some(&Token::Sign("(")) {
            return self.function(depth);
        }
        if let Some(literal) = self.literal() {
            return Ok(Operand::Literal(literal));
        }
        self.column()
    }

    /// DATE '2024-01-01' and TIMESTAMP '...': what the text is compared with decides what it is.
    fn literal(&mut self) -> Option<Literal> {
        let typed = matches!(self.peek(), Some(Token::Word(word))
            if ["date", "timestamp", "timestamptz"].iter().any(|ty| word.eq_ignore_ascii_case(ty)));
        let (literal, tokens) = match (self.peek()?, self.tokens.get(self.next + 1)) {
            (Token::Word(_), Some(Token::Text(text))) if typed => (Literal::Text(text.clone()), 2),
            (Token::Number(digits), _) => (Literal::Number(digits.clone()), 1),
            (Token::Text(text), _) => (Literal::Text(text.clone()), 1),
            (Token::Word(word), _) if word.eq_ignore_ascii_case("true") => (Literal::Bool(true), 1),
            (Token::Word(word), _) if word.eq_ignore_ascii_case("false") => (Literal::Bool(false), 1),
            _ => return None,
        };
        self.next += tokens;
        Some(literal)
    }

    pub(super) fn column(&mut self) -> Result<Operand> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => name.clone(),
            Some(token) => return Err(self.refuse(&format!("has {} where a value should stand", show(token)))),
            None => return Err(self.refuse("ends where a value should stand")),
        };
        self.next += 1;
        let at = self.schema.position(&name);
        self.columns.extend(at.map(|at| (self.next.saturating_sub(1), at)));
        let column = at.and_then(|at| self.schema.columns.get(at)).cloned();
        at.zip(column).map(|(at, column)| Operand::Column(at, column)).ok_or_else(|| {
            let known: Vec<_> = self.schema.columns.iter().map(|c| c.name.as_str()).collect();
            self.refuse(&format!("names '{name}', which is not one of the columns {}", known.join(", ")))
        })
    }

    fn function(&mut self, depth: usize) -> Result<Operand> {
        let name = match self.peek() {
            Some(Token::Word(name)) => name.to_ascii_lowercase(),
            Some(token) => return Err(self.refuse(&format!("has {} before a '('", show(token)))),
            None => return Err(self.refuse("ends where a value should stand")),
        };
        if !["abs", "length", "greatest", "least"].contains(&name.as_str()) {
            return Err(self.refuse(&format!("calls '{name}', which is not a function that a check may call")));
        }
        self.count()?;
        self.next += 2;
        let mut arguments = vec![self.operand(depth + 1)?];
        while self.take_sign(",") {
            arguments.push(self.operand(depth + 1)?);
        }
        self.expect_sign(")")?;
        match (name.as_str(), arguments.len()) {
            ("greatest", _) => self.extreme(Ordering::Greater, arguments),
            ("least", _) => self.extreme(Ordering::Less, arguments),
            (_, 1) => self.of_one(&name, arguments),
            (_, given) => Err(self.refuse(&format!("calls '{name}' with {given} arguments instead of one"))),
        }
    }

    fn of_one(&self, name: &str, arguments: Vec<Operand>) -> Result<Operand> {
        match (name, arguments.into_iter().next()) {
            ("length", Some(Operand::Column(at, Column { ty: ColumnType::Varchar, .. }))) => {
                Ok(Operand::Number(Value::Length(at), Kind::Exact(0)))
            }
            ("abs", Some(of)) => {
                let (value, kind) = self.number(of)?;
                Ok(Operand::Number(Value::Abs(Box::new(value)), kind))
            }
            _ => Err(self.refuse("takes the 'length' of what is not a column of type VARCHAR")),
        }
    }

    fn extreme(&self, wanted: Ordering, arguments: Vec<Operand>) -> Result<Operand> {
        let mut values = Vec::new();
        let mut common: Option<Kind> = None;
        for argument in arguments {
            let (value, kind) = self.number(argument)?;
            common = Some(common.map_or(kind, |common| common.common(kind)));
            values.push(value);
        }
        let kind = common.unwrap_or(Kind::Exact(0));
        Ok(Operand::Number(Value::Extreme(wanted, values, kind), kind))
    }

    /// The operand as a number.
    pub(super) fn number(&self, operand: Operand) -> Result<(Value, Kind)> {
        match operand {
            Operand::Number(value, kind) => Ok((value, kind)),
            Operand::Column(at, column) => {
                let kind = kind(&column.ty).ok_or_else(|| {
                    self.refuse(&format!("computes with '{}', which is {} and no number", column.name, column.ty))
                })?;
                Ok((Value::Column(at), kind))
            }
            Operand::Literal(literal) => {
                let number = match &literal {
                    Literal::Number(text) => number(text),
                    _ => None,
                };
                let (number, kind) = number.ok_or_else(|| {
                    self.refuse(&format!(
                        "computes with {}, which is not a number of at most 38 digits",
                        literal.show()
                    ))
                })?;
                Ok((Value::Constant(number), kind))
            }
        }
    }
}

/// As SQL reads it: DOUBLE with an exponent, exact without.
fn number(text: &str) -> Option<(Number, Kind)> {
    if text.contains(['e', 'E']) {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
        return Some((Number::Double(value), Kind::Double));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= MAX_SCALE)?;
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some((Number::Exact(value, scale), Kind::Exact(scale)))
}
