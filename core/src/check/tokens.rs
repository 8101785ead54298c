//! The words, signs and constants that a predicate is made of.

use std::ops::Range;

use crate::error::{Error, Result};

const SUPPORTED: &str = "a check compares columns, constants and what + - * /, abs, length, greatest and least make of them: =, <>, <, <=, >, >=, \
                         BETWEEN, IN, IS NULL, regexp_matches(column, 'pattern'), joined by AND, OR and NOT";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["<>", "<=", ">=", "!=", "==", "<", ">", "=", "(", ")", ",", "-", "+", ".", "*", "/"];

pub(super) fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!("the predicate `{text}` {why}; {SUPPORTED}"))
}

pub(super) fn show(token: &Token) -> String {
    match token {
        Token::Word(text) | Token::Number(text) => format!("'{text}'"),
        Token::Quoted(text) => format!("\"{text}\""),
        Token::Text(text) => format!("the text '{text}'"),
        Token::Sign(sign) => format!("'{sign}'"),
    }
}

/// The tokens, and where each stands in the text.
pub(super) fn tokens(text: &str) -> Result<(Vec<Token>, Vec<Range<usize>>)> {
    let (mut tokens, mut places) = (Vec::new(), Vec::new());
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") || rest.starts_with("/*") {
            return Err(refusal(text, "has a comment"));
        }
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
        let start = text.len().saturating_sub(rest.len());
        places.push(start..start.saturating_add(length));
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok((tokens, places))
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
