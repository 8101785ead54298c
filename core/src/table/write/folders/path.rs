//! What a path says of columns: `symbol=AAPL/date=2024-01-02/x.parquet`, or the places that a pattern names. Knows texts, no types.

use std::path::Path;

use crate::{
    error::{Error, Result},
    schema::same_name,
};

/// What Hive and everything after it calls the folder of NULL.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column that a path names, and its value; none for NULL.
pub(super) type Named = (String, Option<String>);

/// Where in a path columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    /// In every folder `name=value`.
    Hive,
    /// Where these parts of the path, its last ones, have a name in braces.
    Pattern(Vec<Vec<Piece>>),
}

/// A piece of a part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// These characters.
    Text(String),
    /// Any characters: `*`.
    Any,
    /// At least one character, which are a column's value: `{name}`.
    Column(String),
}

impl Rule {
    /// The rule of a pattern such as `ticks/{symbol}/{date}.parquet`, which came as this argument.
    ///
    /// # Errors
    /// `InvalidArgument` for a pattern that names no column, or one twice, or that cannot be told apart from its neighbours.
    pub(super) fn parse(argument: &str, pattern: &str) -> Result<Self> {
        let bad = |why: &str| Error::invalid_argument(format!("{argument} := '{pattern}' {why}"));
        let parts = pattern.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts = parts.map(|part| pieces(part).ok_or_else(|| bad("has a brace without its other")));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let mut names: Vec<&str> = Vec::new();
        for part in &parts {
            for piece in part {
                let Piece::Column(name) = piece else { continue };
                if name.is_empty() || names.iter().any(|known| same_name(known, name)) {
                    return Err(bad(&format!("names the column '{name}' twice, or one without a name")));
                }
                names.push(name);
            }
            let unclear = |pair: &[Piece]| pair.iter().all(|piece| !matches!(piece, Piece::Text(_)));
            if part.windows(2).any(unclear) {
                return Err(bad("has two columns without a character between them"));
            }
        }
        if names.is_empty() {
            return Err(bad("names no column; put one in braces, as in 'ticks/{symbol}/{date}.parquet'"));
        }
        Ok(Self::Pattern(parts))
    }

    /// The columns that a pattern names; those of Hive are known by each path only.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let parts = if let Self::Pattern(parts) = self { parts.as_slice() } else { &[] };
        parts
            .iter()
            .flatten()
            .filter_map(|piece| if let Piece::Column(name) = piece { Some(name.as_str()) } else { None })
    }

    /// The columns that a path names, in its order.
    ///
    /// # Errors
    /// `InvalidArgument` naming folder and value: a column named twice, an escape that is none, a path that a pattern does not fit.
    pub(super) fn columns(&self, path: &Path) -> Result<Vec<Named>> {
        let unreadable =
            || Error::invalid_argument("the path is not valid UTF-8, so that no column can be read from it");
        let text = path.to_str().ok_or_else(unreadable)?;
        let parts: Vec<&str> = text.split(['/', std::path::MAIN_SEPARATOR]).filter(|part| !part.is_empty()).collect();
        let raw = match self {
            Self::Hive => hive(&parts),
            Self::Pattern(pattern) => fitted(pattern, &parts).ok_or_else(|| {
                Error::invalid_argument(format!("the path does not fit the pattern '{}'", shown(pattern)))
            })?,
        };
        let mut columns: Vec<Named> = Vec::new();
        for (name, value) in raw {
            let name = decoded(name)?;
            if let Some((_, before)) = columns.iter().find(|(known, _)| same_name(known, &name)) {
                let before = before.as_deref().unwrap_or(HIVE_NULL);
                return Err(Error::invalid_argument(format!(
                    "the path names column '{name}' twice, as '{before}' and as '{value}'"
                )));
            }
            let value = if value == HIVE_NULL { None } else { Some(decoded(value)?) };
            columns.push((name, value));
        }
        Ok(columns)
    }
}

/// The folders `name=value`. A value may have a `=`, which Sail and others do not escape.
fn hive<'a>(parts: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let folders = parts.split_last().map_or(&[][..], |(_, folders)| folders);
    let pair = |folder: &&'a str| folder.split_once('=').filter(|(name, _)| !name.is_empty());
    folders.iter().filter_map(pair).collect()
}

fn pieces(part: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = part;
    while let Some(at) = rest.find(['{', '}', '*']) {
        let (text, from) = rest.split_at(at);
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        if let Some(after) = from.strip_prefix('*') {
            // Two stars say no more than one.
            if pieces.last() != Some(&Piece::Any) {
                pieces.push(Piece::Any);
            }
            rest = after;
            continue;
        }
        let (name, after) = from.strip_prefix('{')?.split_once('}')?;
        if name.contains('{') {
            return None;
        }
        pieces.push(Piece::Column(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Some(pieces)
}

fn shown(pattern: &[Vec<Piece>]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Any => "*".to_owned(),
        Piece::Column(name) => format!("{{{name}}}"),
    };
    let part = |part: &Vec<Piece>| part.iter().map(piece).collect::<String>();
    pattern.iter().map(part).collect::<Vec<_>>().join("/")
}

/// What the columns of a pattern are in the last parts of a path.
fn fitted<'a>(pattern: &'a [Vec<Piece>], parts: &[&'a str]) -> Option<Vec<(&'a str, &'a str)>> {
    let last = parts.get(parts.len().checked_sub(pattern.len())?..)?;
    let mut columns = Vec::new();
    for (pieces, part) in pattern.iter().zip(last) {
        columns.extend(matched(pieces, part)?);
    }
    Some(columns)
}

/// Each column takes as little as it can, the last of a part all that is left.
fn matched<'a>(pieces: &'a [Piece], text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty().then(Vec::new) };
    let name = match first {
        Piece::Text(expected) => return matched(rest, text.strip_prefix(expected.as_str())?),
        Piece::Any => None,
        Piece::Column(name) => Some(name.as_str()),
    };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).filter(|at| *at > 0 || name.is_none());
    for end in ends {
        let (value, after) = text.split_at_checked(end)?;
        if let Some(mut columns) = matched(rest, after) {
            columns.splice(..0, name.map(|name| (name, value)));
            return Some(columns);
        }
    }
    None
}

/// A name or value without its escapes: `%20` and the like.
fn decoded(text: &str) -> Result<String> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.split_at_checked(2).filter(|(digits, _)| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|(digits, after)| {
            rest = after;
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        });
        bytes.push(value.ok_or_else(|| {
            Error::invalid_argument(format!("'{text}' in the path has a % that no two hexadecimal digits follow"))
        })?);
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::invalid_argument(format!("the escapes of '{text}' in the path are not valid UTF-8")))
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
