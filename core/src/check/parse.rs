//! The predicates that checks may be: comparisons of columns, of constants and of numbers computed from them, `IS [NOT] NULL`,
//! `[NOT] IN`, `[NOT] BETWEEN`, AND, OR, NOT and parentheses, with SQL's precedence. Everything else is refused by name.

use std::ops::Range;

use super::{
    Node, Op,
    constant::constant,
    operand::{Operand, kind},
    pattern,
    tokens::{Token, refusal, show, tokens},
};
use crate::{
    error::{Error, Result},
    schema::{Column, ColumnType, Schema},
};

/// Predicates and values within others are read to this depth.
pub(super) const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str, schema: &Schema) -> Result<Node> {
    whole(text, schema).map(|(node, _)| node)
}

/// The predicate with other names for its columns: `name` says which, by the positions in the schema.
pub(super) fn renamed<'a>(text: &str, schema: &Schema, name: impl Fn(usize) -> Option<&'a str>) -> Result<String> {
    let (_, mut columns) = whole(text, schema)?;
    columns.sort_by_key(|(place, _)| place.start);
    let (mut renamed, mut done) = (String::new(), 0);
    for (place, column) in columns {
        let Some(name) = name(column) else { continue };
        renamed.push_str(text.get(done..place.start).unwrap_or_default());
        renamed.push_str(&format!("\"{}\"", name.replace('"', "\"\"")));
        done = place.end;
    }
    renamed.push_str(text.get(done..).unwrap_or_default());
    Ok(renamed)
}

/// A place of the text, and the column that is named there.
type Named = (Range<usize>, usize);

/// The predicate, and where its text names columns.
fn whole(text: &str, schema: &Schema) -> Result<(Node, Vec<Named>)> {
    let (tokens, places) = tokens(text)?;
    let mut parser = Parser { tokens, next: 0, text, schema, computed: 0, columns: Vec::new() };
    let node = parser.any(0)?;
    if let Some(token) = parser.peek() {
        return Err(parser.refuse(&format!("has {} where it should end", show(token))));
    }
    let place = |(token, column): (usize, usize)| Some((places.get(token)?.clone(), column));
    let columns = std::mem::take(&mut parser.columns).into_iter().filter_map(place).collect();
    Ok((node, columns))
}

pub(super) struct Parser<'a> {
    pub(super) tokens: Vec<Token>,
    pub(super) next: usize,
    pub(super) text: &'a str,
    pub(super) schema: &'a Schema,
    /// How much is computed so far.
    pub(super) computed: usize,
    /// Which tokens name columns, and which columns.
    pub(super) columns: Vec<(usize, usize)>,
}

impl Parser<'_> {
    pub(super) fn refuse(&self, why: &str) -> Error {
        refusal(self.text, why)
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_sign(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &'static str) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.refuse(&format!("lacks a '{sign}'"))) }
    }

    fn any(&mut self, depth: usize) -> Result<Node> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(join(parts, Node::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Node> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(join(parts, Node::And))
    }

    fn one(&mut self, depth: usize) -> Result<Node> {
        if depth > MAX_DEPTH {
            return Err(self.refuse("is nested too deeply"));
        }
        if self.take_word("not") {
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.opens_predicate() {
            self.next += 1;
            let node = self.any(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(node);
        }
        self.comparison(depth)
    }

    /// Whether a parenthesis opens here that holds a predicate; others hold a value.
    fn opens_predicate(&self) -> bool {
        let mut open = 0_usize;
        for token in self.tokens.iter().skip(self.next) {
            match token {
                Token::Sign("(") => open += 1,
                _ if open == 0 => return false,
                Token::Sign(")") if open == 1 => return false,
                Token::Sign(")") => open -= 1,
                Token::Sign("=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => return true,
                Token::Word(word) => {
                    let joins = ["and", "or", "not", "is", "in", "between"];
                    if joins.iter().any(|join| word.eq_ignore_ascii_case(join)) {
                        return true;
                    }
                }
                _ => (),
            }
        }
        false
    }

    fn comparison(&mut self, depth: usize) -> Result<Node> {
        let called = self.tokens.get(self.next + 1) == Some(&Token::Sign("("));
        if called && self.take_word("regexp_matches") {
            return self.matches();
        }
        let left = self.operand(depth)?;
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("null") {
                return Err(self.refuse("has an IS without NULL"));
            }
            return self.nullness(left, negated);
        }
        let negated = self.take_word("not");
        let node = if self.take_word("between") {
            let low = self.operand(depth)?;
            if !self.take_word("and") {
                return Err(self.refuse("has a BETWEEN without AND"));
            }
            let high = self.operand(depth)?;
            Node::And(self.compare_all(&left, &[(Op::GtEq, low), (Op::LtEq, high)])?)
        } else if self.take_word("in") {
            let parts = self.one_of(depth)?;
            join(self.compare_all(&left, &parts)?, Node::Or)
        } else if negated {
            return Err(self.refuse("has a NOT that is not followed by BETWEEN or IN"));
        } else {
            let right = (self.operator()?, self.operand(depth)?);
            join(self.compare_all(&left, &[right])?, Node::And)
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    /// `(column, 'pattern')`.
    fn matches(&mut self) -> Result<Node> {
        self.expect_sign("(")?;
        let Operand::Column(at, Column { ty: ColumnType::Varchar, .. }) = self.column()? else {
            return Err(self.refuse("applies 'regexp_matches' to something other than a column of type VARCHAR"));
        };
        self.expect_sign(",")?;
        let Some(Token::Text(pattern)) = self.peek().cloned() else {
            return Err(self.refuse("has no text as the pattern of 'regexp_matches'"));
        };
        self.next += 1;
        if self.peek() == Some(&Token::Sign(",")) {
            return Err(self.refuse("gives 'regexp_matches' options; write them into the pattern, as in '(?i)abc'"));
        }
        self.expect_sign(")")?;
        let compiled = pattern::compile(&pattern)
            .map_err(|why| self.refuse(&format!("has the pattern '{pattern}', which cannot be used: {why}")))?;
        Ok(Node::Matches(at, compiled))
    }

    fn nullness(&self, of: Operand, negated: bool) -> Result<Node> {
        let node = match of {
            Operand::Column(at, _) => return Ok(if negated { Node::IsNotNull(at) } else { Node::IsNull(at) }),
            Operand::Literal(literal) => {
                return Err(self.refuse(&format!("has {} where a column should stand", literal.show())));
            }
            Operand::Number(value, _) => Node::NoNumber(value),
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn one_of(&mut self, depth: usize) -> Result<Vec<(Op, Operand)>> {
        self.expect_sign("(")?;
        let mut parts = vec![(Op::Eq, self.operand(depth)?)];
        while self.take_sign(",") {
            parts.push((Op::Eq, self.operand(depth)?));
        }
        self.expect_sign(")")?;
        Ok(parts)
    }

    /// One operand against each of the others. As DuckDB does, numbers are compared as the widest of all of their types.
    fn compare_all(&self, left: &Operand, rights: &[(Op, Operand)]) -> Result<Vec<Node>> {
        let plain = rights.iter().all(|(_, right)| is_plain(left, right));
        if plain {
            return rights.iter().map(|(op, right)| self.compare_plain(left, *op, right)).collect();
        }
        let (value, mut kind) = self.number(left.clone())?;
        let mut numbers = Vec::new();
        for (op, right) in rights {
            let (right, of) = self.number(right.clone())?;
            kind = kind.common(of);
            numbers.push((*op, right));
        }
        Ok(numbers.into_iter().map(|(op, right)| Node::Relate(value.clone(), op, right, kind)).collect())
    }

    /// A column against a constant, which the column's type must have, or against a column of the same type, numbers excepted.
    fn compare_plain(&self, left: &Operand, op: Op, right: &Operand) -> Result<Node> {
        let (at, column, op, literal) = match (left, right) {
            (Operand::Column(at, column), Operand::Literal(literal)) => (*at, column, op, literal),
            (Operand::Literal(literal), Operand::Column(at, column)) => (*at, column, op.turned(), literal),
            (Operand::Column(at, left), Operand::Column(other, right)) => {
                if left.ty == right.ty && is_ordered(&left.ty) {
                    return Ok(Node::Same(*at, op, *other));
                }
                let (a, b) = (&left.name, &right.name);
                return Err(self.refuse(&format!(
                    "compares '{a}', which is {}, with '{b}', which is {}, and columns are compared when both are numbers \
                     or both of one type of text, day, time or truth",
                    left.ty, right.ty
                )));
            }
            _ => return Err(self.refuse("compares constants, where a column should stand")),
        };
        let constant = constant(literal, &column.ty).ok_or_else(|| {
            self.refuse(&format!(
                "compares '{}', which is {}, with {}, which is not an exact value of that type",
                column.name,
                column.ty,
                literal.show()
            ))
        })?;
        Ok(Node::Compare(at, op, constant))
    }

    fn operator(&mut self) -> Result<Op> {
        let op = match self.peek() {
            Some(Token::Sign("=" | "==")) => Op::Eq,
            Some(Token::Sign("<>" | "!=")) => Op::NotEq,
            Some(Token::Sign("<")) => Op::Lt,
            Some(Token::Sign("<=")) => Op::LtEq,
            Some(Token::Sign(">")) => Op::Gt,
            Some(Token::Sign(">=")) => Op::GtEq,
            Some(token) => return Err(self.refuse(&format!("has {} where a comparison should stand", show(token)))),
            None => return Err(self.refuse("ends where a comparison should stand")),
        };
        self.next += 1;
        Ok(op)
    }
}

/// Whether a comparison needs no number computed.
fn is_plain(left: &Operand, right: &Operand) -> bool {
    match (left, right) {
        (Operand::Column(_, left), Operand::Column(_, right)) => {
            !(kind(&left.ty).is_some() && kind(&right.ty).is_some())
        }
        (Operand::Number(..), _) | (_, Operand::Number(..)) => false,
        _ => true,
    }
}

/// Types whose columns Arrow orders as DuckDB does.
fn is_ordered(ty: &ColumnType) -> bool {
    matches!(
        ty,
        ColumnType::Boolean
            | ColumnType::Varchar
            | ColumnType::Date
            | ColumnType::Timestamp(_)
            | ColumnType::TimestampTz(_)
    )
}

fn join(mut parts: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}
