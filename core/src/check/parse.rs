//! The predicates that checks may be: comparisons of one column with a constant, `IS [NOT] NULL`, `[NOT] IN`, `[NOT] BETWEEN`, AND, OR, NOT
//! and parentheses, with SQL's precedence. Everything else is refused by name.

use super::{
    Node, Op,
    constant::{Literal, constant},
};
use crate::{
    error::{Error, Result},
    schema::{Column, Schema},
};

/// Predicates within predicates are read to this depth.
const MAX_DEPTH: usize = 64;

const SUPPORTED: &str =
    "a check compares one column with constants: =, <>, <, <=, >, >=, BETWEEN, IN, IS NULL, joined by AND, OR and NOT";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

const SIGNS: [&str; 14] = ["<>", "<=", ">=", "!=", "==", "<", ">", "=", "(", ")", ",", "-", "+", "."];

pub(super) fn parse(text: &str, schema: &Schema) -> Result<Node> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, text, schema };
    let node = parser.any(0)?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(parser.refuse(&format!("has {} where it should end", show(token)))),
    }
}

fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!("the predicate `{text}` {why}; {SUPPORTED}"))
}

fn show(token: &Token) -> String {
    match token {
        Token::Word(text) | Token::Number(text) => format!("'{text}'"),
        Token::Quoted(text) => format!("\"{text}\""),
        Token::Text(text) => format!("the text '{text}'"),
        Token::Sign(sign) => format!("'{sign}'"),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' || first == '"' {
            let (content, length) = quoted(rest, first).ok_or_else(|| refusal(text, "has an open quote"))?;
            tokens.push(if first == '"' { Token::Quoted(content) } else { Token::Text(content) });
            length
        } else if first.is_ascii_digit() {
            let length = number_length(rest);
            tokens.push(Token::Number(rest.get(..length).unwrap_or_default().to_owned()));
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..length).unwrap_or_default().to_owned()));
            length
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| refusal(text, &format!("has '{first}', which is not supported")))?;
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// The content of a quotation at the start, where two quotes stand for one, and its length with quotes.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    loop {
        let (at, c) = chars.next()?;
        if c != quote {
            content.push(c);
        } else if chars.next_if(|(_, c)| *c == quote).is_some() {
            content.push(quote);
        } else {
            return Some((content, at + 1));
        }
    }
}

/// Digits, a point and digits, an exponent.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| from + bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if bytes.get(end).is_some_and(|b| matches!(b, b'e' | b'E')) {
        let sign = usize::from(bytes.get(end + 1).is_some_and(|b| matches!(b, b'-' | b'+')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    text: &'a str,
    schema: &'a Schema,
}

impl Parser<'_> {
    fn refuse(&self, why: &str) -> Error {
        refusal(self.text, why)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &'static str) -> Result<()> {
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
        if self.take_sign("(") {
            let node = self.any(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(node);
        }
        self.about_column()
    }

    fn about_column(&mut self) -> Result<Node> {
        let (at, column) = self.column()?;
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("null") {
                return Err(self.refuse("has an IS without NULL"));
            }
            return Ok(if negated { Node::IsNotNull(at) } else { Node::IsNull(at) });
        }
        let negated = self.take_word("not");
        let node = if self.take_word("between") {
            let low = Node::Compare(at, Op::GtEq, self.constant(&column)?);
            if !self.take_word("and") {
                return Err(self.refuse("has a BETWEEN without AND"));
            }
            Node::And(vec![low, Node::Compare(at, Op::LtEq, self.constant(&column)?)])
        } else if self.take_word("in") {
            self.one_of(at, &column)?
        } else if negated {
            return Err(self.refuse("has a NOT that is not followed by BETWEEN or IN"));
        } else {
            let op = self.operator()?;
            Node::Compare(at, op, self.constant(&column)?)
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn one_of(&mut self, at: usize, column: &Column) -> Result<Node> {
        self.expect_sign("(")?;
        let mut parts = vec![Node::Compare(at, Op::Eq, self.constant(column)?)];
        while self.take_sign(",") {
            parts.push(Node::Compare(at, Op::Eq, self.constant(column)?));
        }
        self.expect_sign(")")?;
        Ok(join(parts, Node::Or))
    }

    fn column(&mut self) -> Result<(usize, Column)> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => name.clone(),
            Some(token) => return Err(self.refuse(&format!("has {} where a column should stand", show(token)))),
            None => return Err(self.refuse("ends where a column should stand")),
        };
        self.next += 1;
        if self.peek() == Some(&Token::Sign("(")) {
            return Err(self.refuse(&format!("calls '{name}', and functions are not supported")));
        }
        let at = self.schema.position(&name);
        let column = at.and_then(|at| self.schema.columns.get(at)).cloned();
        at.zip(column).ok_or_else(|| {
            let known: Vec<_> = self.schema.columns.iter().map(|c| c.name.as_str()).collect();
            self.refuse(&format!("names '{name}', which is none of the columns {}", known.join(", ")))
        })
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

    fn constant(&mut self, column: &Column) -> Result<arrow::array::Scalar<arrow::array::ArrayRef>> {
        // DATE '2024-01-01' and TIMESTAMP '...': the column decides what the text is.
        let typed = self.take_word("date") || self.take_word("timestamp") || self.take_word("timestamptz");
        let minus = !typed && self.take_sign("-");
        let literal = match self.peek() {
            Some(Token::Number(digits)) if !typed => {
                Literal::Number(format!("{}{digits}", if minus { "-" } else { "" }))
            }
            Some(Token::Text(text)) if !minus => Literal::Text(text.clone()),
            Some(Token::Word(word)) if !minus && !typed && word.eq_ignore_ascii_case("true") => Literal::Bool(true),
            Some(Token::Word(word)) if !minus && !typed && word.eq_ignore_ascii_case("false") => Literal::Bool(false),
            Some(token) => return Err(self.refuse(&format!("has {} where a constant should stand", show(token)))),
            None => return Err(self.refuse("ends where a constant should stand")),
        };
        self.next += 1;
        constant(&literal, &column.ty).ok_or_else(|| {
            self.refuse(&format!(
                "compares '{}', which is {}, with {}, which is no exact value of that type",
                column.name,
                column.ty,
                literal.show()
            ))
        })
    }
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
