//! Functions of text, and those that make text of dates, over domains. Text compares by bytes.

use super::{
    calendar::{DAY, MAX_TAME, MICRO, MIN_TAME, Part, civil},
    casts::{cast, nanos},
    clock::Clock,
    domain::{Domain, Piece, Scalar},
    truth::Truth,
};
use crate::schema::{ColumnType, TimeUnit};

/// `starts_with(x, start)`.
pub(super) fn starts_with(of: Domain, start: &str) -> Option<Domain> {
    if of.ty != Some(ColumnType::Varchar) {
        return None;
    }
    let mut truth = Truth { null: of.null, raises: of.raises, ..Truth::IMPOSSIBLE };
    for piece in &of.pieces {
        let [lo, hi] = [&piece.lo, &piece.hi].map(text);
        let before = hi.is_some_and(|hi| hi.as_bytes() < start.as_bytes());
        let after = lo.is_some_and(|lo| lo.as_bytes() > start.as_bytes() && !lo.starts_with(start));
        let within = [lo, hi].into_iter().all(|end| end.is_some_and(|end| end.starts_with(start)));
        truth.yes |= !before && !after;
        truth.no |= !within;
    }
    Some(Domain::from_truth(truth))
}

/// `x LIKE pattern`: `%` is any text, `_` any character.
pub(super) fn like(of: Domain, pattern: &str) -> Option<Domain> {
    let wildcard = pattern.find(['%', '_', '\\']);
    let Some(start) = wildcard.and_then(|at| pattern.get(..at)) else {
        let equal = Domain { null: false, ..Domain::any(Some(ColumnType::Varchar)) };
        let pieces = vec![Piece::point(Scalar::Text(pattern.to_owned()))];
        return Some(Domain::from_truth(of.compare(super::expr::Comparison::Eq, &Domain { pieces, ..equal })));
    };
    let mut truth = starts_with(of, start)?.truth();
    if pattern.get(start.len()..) != Some("%") {
        // Matching the rest is left open.
        truth.no |= truth.yes;
    }
    Some(Domain::from_truth(truth))
}

fn text(end: &Option<Scalar>) -> Option<&str> {
    match end {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

/// What a format prints: fields from coarse to fine, and text between them.
enum Token {
    Year,
    Number(Part, usize),
    Literal(char),
}

/// `strftime(x, format)`, for formats that begin with the year and go on in order without a gap: their texts sort as
/// their instants do, in the years 1 to 9999.
pub(super) fn formatted(format: &str, of: Domain) -> Option<Domain> {
    let of = match of.ty {
        Some(ColumnType::Date | ColumnType::Timestamp(TimeUnit::Us)) => of,
        Some(ColumnType::Timestamp(_)) => cast(of, &ColumnType::Timestamp(TimeUnit::Us), false, Clock::Unknown),
        _ => return None,
    };
    let tokens = parse(format)?;
    let tame = |end: &Option<Scalar>| end.as_ref().and_then(nanos).filter(|at| (MIN_TAME..=MAX_TAME).contains(at));
    let pieces = of.pieces.iter().map(|piece| match (tame(&piece.lo), tame(&piece.hi)) {
        (Some(lo), Some(hi)) => Piece::range(Scalar::Text(print(&tokens, lo)), Scalar::Text(print(&tokens, hi))),
        _ => Piece::ANY,
    });
    Some(Domain { ty: Some(ColumnType::Varchar), pieces: pieces.collect(), null: of.null, raises: of.raises })
}

fn parse(format: &str) -> Option<Vec<Token>> {
    const ORDER: [(char, Part, usize); 6] = [
        ('m', Part::Month, 2),
        ('d', Part::Day, 2),
        ('H', Part::Hour, 2),
        ('M', Part::Minute, 2),
        ('S', Part::Second, 2),
        ('f', Part::Microsecond, 6),
    ];
    let mut rest = format.strip_prefix("%Y")?.chars();
    let mut expected = ORDER.iter();
    let mut tokens = vec![Token::Year];
    while let Some(next) = rest.next() {
        if next != '%' {
            tokens.push(Token::Literal(next));
            continue;
        }
        let (name, part, width) = expected.next()?;
        if rest.next()? != *name {
            return None;
        }
        tokens.push(Token::Number(*part, *width));
    }
    Some(tokens)
}

fn print(tokens: &[Token], at: i128) -> String {
    let mut out = String::new();
    for token in tokens {
        match token {
            Token::Year => out.push_str(&format!("{:04}", civil(at.div_euclid(DAY)).0)),
            // The microseconds of a second, where the part counts those of a minute.
            Token::Number(Part::Microsecond, _) => {
                out.push_str(&format!("{:06}", at.div_euclid(MICRO).rem_euclid(1_000_000)))
            }
            Token::Number(part, width) => out.push_str(&format!("{:0width$}", part.extract(at), width = *width)),
            Token::Literal(literal) => out.push(*literal),
        }
    }
    out
}
