//! `regexp_matches` of a column of texts. DuckDB's patterns are RE2's, those here the `regex` crate's: what both write alike is taken,
//! with RE2's meaning where they mean different things by it (`\d`, `\w`, `\s` and `\b` are of ASCII), and the rest is refused.

use arrow::{
    array::{Array, AsArray, BooleanArray},
    compute::cast,
    datatypes::DataType,
    error::ArrowError,
};
use regex::{Regex, RegexBuilder};

/// A compiled pattern takes at most so much memory.
const MAX_BYTES: usize = 1 << 20;

/// The pattern, compiled.
///
/// # Errors
/// What is wrong with it, to be put behind the pattern's name.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let own = translated(pattern)?;
    RegexBuilder::new(&own).size_limit(MAX_BYTES).build().map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line says what is wrong; those before show the pattern as it was translated.
        other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    })
}

/// For each text whether the pattern is found in it; NULL where the text is.
pub(super) fn matches(array: &dyn Array, pattern: &Regex) -> Result<BooleanArray, ArrowError> {
    let texts = cast(array, &DataType::Utf8)?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.map(|text| pattern.is_match(text))).collect())
}

/// The pattern in the crate's words.
fn translated(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    // Where in a class the next character stands: at its beginning, or after; none outside.
    let mut class: Option<bool> = None;
    while let Some(c) = chars.next() {
        match (c, class) {
            ('\\', _) => {
                let escaped = chars.next().ok_or("it ends with a backslash")?;
                out.push_str(&escape(escaped, class.is_some())?);
                class = class.map(|_| false);
            }
            ('[', None) => {
                out.push('[');
                out.extend(chars.next_if_eq(&'^'));
                class = Some(true);
            }
            ('[', Some(_)) if chars.peek() == Some(&':') => {
                // A class of POSIX ends with its first bracket.
                out.push('[');
                out.extend(std::iter::from_fn(|| chars.next_if(|c| *c != ']')));
                out.extend(chars.next());
                class = Some(false);
            }
            ('[' | '&' | '~', Some(_)) => {
                out.extend(['\\', c]);
                class = Some(false);
            }
            ('-', Some(_)) if chars.peek() == Some(&'-') => return Err("'--' in a class is not supported".to_owned()),
            (']', Some(true)) => {
                out.push_str("\\]");
                class = Some(false);
            }
            (']', Some(false)) => {
                out.push(']');
                class = None;
            }
            (_, Some(_)) => {
                out.push(c);
                class = Some(false);
            }
            ('{', None) if !chars.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            ('(', None) if chars.next_if_eq(&'?').is_some() => {
                out.push_str("(?");
                let known = |c: char| matches!(c, 'i' | 'm' | 's' | 'U' | '-' | ':' | ')' | 'P' | '<');
                if let Some(flag) = chars.clone().take_while(|c| !matches!(c, ':' | ')' | '<')).find(|c| !known(*c)) {
                    return Err(format!("'{flag}' after '(?' is not supported"));
                }
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// An escaped character outside of a class or in one.
fn escape(c: char, in_class: bool) -> Result<String, String> {
    Ok(match c {
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        'w' => "[0-9A-Za-z_]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        's' => r"[\t\n\x0C\r ]".to_owned(),
        'S' => r"[^\t\n\x0C\r ]".to_owned(),
        'b' if !in_class => r"(?-u:\b)".to_owned(),
        'A' | 'z' if !in_class => format!("\\{c}"),
        'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => format!("\\{c}"),
        c if c.is_ascii_punctuation() => regex::escape(&c.to_string()),
        other => return Err(format!("'\\{other}' is not supported")),
    })
}
