//! Reading the names that DuckDB gives its types, as a person writes them: `'DOUBLE'`, `'decimal(10, 2)'`,
//! `'STRUCT(a INTEGER, b VARCHAR[])'`. Only types that a column of a table can have are read.

use super::{ColumnType, Field, TimeUnit};
use crate::error::{Error, Result};

/// Types within types are read to this depth.
const MAX_DEPTH: usize = 32;

/// The type that `text` names.
///
/// # Errors
/// `InvalidArgument` for a name that is unknown, or that of a type which Parquet files cannot hold, with what to use instead.
pub fn parse(text: &str) -> Result<ColumnType> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, text };
    let ty = parser.column_type(0)?;
    match parser.peek() {
        None => Ok(ty),
        Some(token) => Err(parser.refusal(&format!("has '{}' after its end", token.text()))),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// In double quotes.
    Quoted(String),
    Sign(char),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Quoted(text) => text.clone(),
            Self::Sign(sign) => sign.to_string(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        if c == '"' {
            tokens.push(Token::Quoted(quoted(&mut chars).ok_or_else(|| refusal(text, "has an open quote"))?));
        } else if c.is_alphanumeric() || c == '_' {
            let mut word = c.to_string();
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                word.push(c);
            }
            tokens.push(Token::Word(word));
        } else {
            tokens.push(Token::Sign(c));
        }
    }
    Ok(tokens)
}

/// The rest of a name in double quotes, where two stand for one.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut name = String::new();
    loop {
        match chars.next()? {
            '"' if chars.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => return Some(name),
            c => name.push(c),
        }
    }
}

fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!(
        "the type '{text}' {why}; expected a type as DuckDB names it, such as 'DOUBLE', 'DECIMAL(18,3)', 'VARCHAR[]' or \
         'STRUCT(a INTEGER)'"
    ))
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    text: &'a str,
}

impl Parser<'_> {
    fn refusal(&self, why: &str) -> Error {
        refusal(self.text, why)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take_sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.refusal(&format!("lacks a '{sign}'"))) }
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let word = word.to_ascii_uppercase();
        self.next += 1;
        Some(word)
    }

    fn column_type(&mut self, depth: usize) -> Result<ColumnType> {
        if depth > MAX_DEPTH {
            return Err(self.refusal("is nested too deeply"));
        }
        let name = self.word().ok_or_else(|| self.refusal("lacks the name of a type"))?;
        let mut ty = match name.as_str() {
            "STRUCT" | "ROW" => self.structure(depth)?,
            "MAP" => self.map(depth)?,
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal()?,
            _ => self.scalar(&name)?,
        };
        while self.take_sign('[') {
            if !self.take_sign(']') {
                return Err(self
                    .refusal("is an array of fixed length, which Parquet files do not hold; use a list, as in 'T[]'"));
            }
            ty = ColumnType::List(Box::new(Field::new("element", ty)));
        }
        Ok(ty)
    }

    fn structure(&mut self, depth: usize) -> Result<ColumnType> {
        self.expect('(')?;
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let name = match self.peek() {
                Some(Token::Word(name) | Token::Quoted(name)) => name.clone(),
                _ => return Err(self.refusal("lacks the name of a field")),
            };
            self.next += 1;
            if fields.iter().any(|field| super::same_name(&field.name, &name)) {
                return Err(self.refusal(&format!("has two fields named '{name}'")));
            }
            fields.push(Field::new(name, self.column_type(depth + 1)?));
            if !self.take_sign(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(ColumnType::Struct(fields))
    }

    fn map(&mut self, depth: usize) -> Result<ColumnType> {
        self.expect('(')?;
        let key = Field { name: "key".to_owned(), ty: self.column_type(depth + 1)?, nullable: false };
        self.expect(',')?;
        let value = Field::new("value", self.column_type(depth + 1)?);
        self.expect(')')?;
        Ok(ColumnType::Map(Box::new(key), Box::new(value)))
    }

    fn decimal(&mut self) -> Result<ColumnType> {
        if !self.take_sign('(') {
            return Ok(ColumnType::Decimal { precision: 18, scale: 3 });
        }
        let precision = self.number()?;
        let scale = if self.take_sign(',') { self.number()? } else { 0 };
        self.expect(')')?;
        if !(1..=38).contains(&precision) || scale > precision {
            return Err(self.refusal("has a precision that is not from 1 to 38, or a scale beyond it"));
        }
        Ok(ColumnType::Decimal { precision, scale })
    }

    fn number(&mut self) -> Result<u8> {
        let word = self.word().and_then(|word| word.parse().ok());
        word.ok_or_else(|| self.refusal("lacks a number"))
    }

    fn scalar(&mut self, name: &str) -> Result<ColumnType> {
        if let Some(ty) = simple(name) {
            return Ok(ty);
        }
        Ok(match name {
            "DOUBLE" => {
                self.skip_words(&["PRECISION"]);
                ColumnType::Double
            }
            "VARCHAR" | "TEXT" | "STRING" | "BPCHAR" | "CHAR" | "CHARACTER" => {
                self.skip_words(&["VARYING"]);
                self.skip_length()?;
                ColumnType::Varchar
            }
            "TIMESTAMP" if self.with_zone() => ColumnType::TimestampTz(TimeUnit::Us),
            "TIMESTAMP" => ColumnType::Timestamp(TimeUnit::Us),
            "TIME" if self.with_zone() => ColumnType::TimeTz(TimeUnit::Us),
            "TIME" => ColumnType::Time(TimeUnit::Us),
            "HUGEINT" | "INT128" | "UHUGEINT" | "UINT128" => {
                return Err(self.refusal("does not exist in Parquet files; use 'DECIMAL(38,0)' or 'DOUBLE'"));
            }
            "TIMESTAMP_S" => return Err(self.refusal("does not exist in Parquet files; use 'TIMESTAMP'")),
            "ENUM" => return Err(self.refusal("is an ENUM, which becomes text in Parquet files; use 'VARCHAR'")),
            _ => return Err(self.refusal("is not known")),
        })
    }

    fn skip_words(&mut self, words: &[&str]) -> bool {
        let matches = words.iter().enumerate().all(|(i, word)| {
            matches!(self.tokens.get(self.next + i), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
        });
        if matches {
            self.next += words.len();
        }
        matches
    }

    fn with_zone(&mut self) -> bool {
        !self.skip_words(&["WITHOUT", "TIME", "ZONE"]) && self.skip_words(&["WITH", "TIME", "ZONE"])
    }

    /// DuckDB ignores the length of texts.
    fn skip_length(&mut self) -> Result<()> {
        if self.take_sign('(') {
            self.word().filter(|word| word.parse::<u64>().is_ok()).ok_or_else(|| self.refusal("lacks a number"))?;
            self.expect(')')?;
        }
        Ok(())
    }
}

fn simple(name: &str) -> Option<ColumnType> {
    Some(match name {
        "BOOLEAN" | "BOOL" | "LOGICAL" => ColumnType::Boolean,
        "TINYINT" | "INT1" => ColumnType::TinyInt,
        "SMALLINT" | "INT2" | "SHORT" | "INT16" => ColumnType::SmallInt,
        "INTEGER" | "INT" | "INT4" | "INT32" | "SIGNED" => ColumnType::Integer,
        "BIGINT" | "INT8" | "LONG" | "INT64" => ColumnType::BigInt,
        "UTINYINT" | "UINT8" => ColumnType::UTinyInt,
        "USMALLINT" | "UINT16" => ColumnType::USmallInt,
        "UINTEGER" | "UINT32" => ColumnType::UInteger,
        "UBIGINT" | "UINT64" => ColumnType::UBigInt,
        "FLOAT" | "FLOAT4" | "REAL" => ColumnType::Float,
        "FLOAT8" => ColumnType::Double,
        "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" => ColumnType::Blob,
        "DATE" => ColumnType::Date,
        "DATETIME" | "TIMESTAMP_US" => ColumnType::Timestamp(TimeUnit::Us),
        "TIMESTAMP_MS" => ColumnType::Timestamp(TimeUnit::Ms),
        "TIMESTAMP_NS" => ColumnType::Timestamp(TimeUnit::Ns),
        "TIMESTAMPTZ" => ColumnType::TimestampTz(TimeUnit::Us),
        "TIMETZ" => ColumnType::TimeTz(TimeUnit::Us),
        "TIME_NS" => ColumnType::Time(TimeUnit::Ns),
        "INTERVAL" => ColumnType::Interval,
        "UUID" | "GUID" => ColumnType::Uuid,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "type_name_tests.rs"]
mod tests;
