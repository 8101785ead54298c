//! Functions of dates and times over domains. What depends on the session's time zone goes by its clock; what lies outside the years 1 to 9999, the infinities among them, is unbounded and may raise.

use super::{
    calendar::{DAY, MAX_TAME, MICRO, MIN_TAME, Part, add_months, ceil_to, floor_to, month_index, month_start},
    casts::{at, cast, is_instant, nanos},
    clock::Clock,
    convert::is_special,
    domain::{Domain, Piece, Scalar},
    step::Step,
};
use crate::schema::{ColumnType, TimeUnit};

/// Where the buckets of `time_bucket` start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Monday 2000-01-03, for buckets of months 2000-01-01.
    Default,
    /// A moment on the wall clock at which a bucket starts, as far as buckets are of a fixed width.
    At(i128),
    /// A time zone, or an offset of months.
    Given,
}

/// Where buckets of a fixed width are counted from.
pub(super) const ORIGIN: i128 = 10_959 * DAY;

const TIMESTAMP: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
const TIMESTAMPTZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);

/// An argument on the wall clock in microseconds, the type it came as, and the clock for a TIMESTAMPTZ.
struct Wall<'a> {
    domain: Domain,
    ty: ColumnType,
    clock: Clock<'a>,
}

impl<'a> Wall<'a> {
    fn of(domain: Domain, clock: Clock<'a>) -> Option<Self> {
        let ty = domain.ty.clone().filter(is_instant)?;
        let zoned = ty == TIMESTAMPTZ;
        let domain = match ty {
            ColumnType::Date | TIMESTAMP | TIMESTAMPTZ => domain,
            _ => cast(domain, &TIMESTAMP, false, Clock::Unknown),
        };
        let mut domain = domain.map(Some(TIMESTAMP), |end| {
            let at = nanos(end)?;
            let (low, high) = if zoned { clock.wall_times(at) } else { (at, at) };
            Some((Scalar::Local(low), Scalar::Local(high)))
        });
        domain.pieces.iter_mut().for_each(tame);
        Some(Self { domain, ty, clock })
    }

    /// Whether some value may be so far away that nothing is computed of it.
    fn is_wild(&self) -> bool {
        self.domain.is_unbounded()
    }

    /// A function from wall clock to wall clock that never falls, of an argument that is not wild. The result is a
    /// TIMESTAMPTZ for a TIMESTAMPTZ, else of type `ty`.
    fn shift(self, ty: ColumnType, image: impl Fn(i128) -> Option<(i128, i128)>) -> Domain {
        let wild = self.is_wild();
        let zoned = self.ty == TIMESTAMPTZ;
        let ty = if zoned { TIMESTAMPTZ } else { ty };
        let clock = self.clock;
        let mut out = self.domain.map(Some(ty.clone()), |end| {
            let (low, high) = image(nanos(end)?)?;
            let (low, high) = if zoned { (clock.instants(low).0, clock.instants(high).1) } else { (low, high) };
            let fits = !is_special(&TIMESTAMP, low / MICRO) && !is_special(&TIMESTAMP, high / MICRO);
            fits.then(|| (at(&ty, low), at(&ty, high)))
        });
        out.raises |= wild;
        out
    }

    /// A number of each instant. The infinities have none, and next to them the clock of a zone overflows.
    fn count(self, ty: ColumnType, image: impl Fn(&Piece) -> Option<Piece>) -> Option<Domain> {
        let wild = self.is_wild();
        let raises = self.domain.raises || (wild && self.ty == TIMESTAMPTZ);
        let pieces: Option<Vec<Piece>> = self.domain.pieces.iter().map(image).collect();
        Some(Domain { ty: Some(ty), pieces: pieces?, null: self.domain.null || wild, raises })
    }
}

fn tame(piece: &mut Piece) {
    for end in [&mut piece.lo, &mut piece.hi] {
        if end.as_ref().and_then(nanos).is_none_or(|at| !(MIN_TAME..=MAX_TAME).contains(&at)) {
            *end = None;
        }
    }
}

/// `date_trunc(part, x)`.
pub(super) fn truncate(part: Part, of: Domain, clock: Clock<'_>) -> Option<Domain> {
    part.truncate(0)?;
    Some(Wall::of(of, clock)?.shift(TIMESTAMP, |at| part.truncate(at).map(|at| (at, at))))
}

/// `time_bucket(width, x)`, with an origin, an offset or a zone perhaps.
pub(super) fn bucket(width: Step, of: Domain, origin: Origin) -> Option<Domain> {
    // Buckets of a TIMESTAMPTZ are those of UTC in every session, but where a zone or an origin is given.
    let in_utc = origin == Origin::Default;
    let wall = Wall::of(of, if in_utc { Clock::Utc } else { Clock::Unknown })?;
    let fixed = i128::from(width.days) * DAY + i128::from(width.micros) * MICRO;
    let positive = fixed > 0 || width.months > 0;
    // Raises: months with anything else, and days with a time of day where days depend on a zone.
    let parts = [width.months != 0, width.days != 0, width.micros != 0];
    let mixed =
        matches!(parts, [true, true, _] | [true, _, true]) || (wall.ty == TIMESTAMPTZ && parts == [false, true, true]);
    if !positive || mixed {
        return None;
    }
    let date = wall.ty == ColumnType::Date;
    let result = if date { ColumnType::Date } else { TIMESTAMP };
    let from = match origin {
        Origin::At(from) if width.months == 0 => Some(from),
        Origin::Default => Some(ORIGIN),
        _ => None,
    };
    let from = from.filter(|_| in_utc || wall.ty != TIMESTAMPTZ);
    let mut out = wall.shift(result, |at| {
        let (low, high) = match from {
            Some(from) => {
                let start = bucket_start(at, width.months, fixed, from);
                (start, start)
            }
            None => {
                // A bucket begins at most its own width before. Offsets and month ends may move it by some days more.
                let longest = i128::from(width.months) * 31 * DAY + fixed;
                (at - longest - 5 * DAY, at + 5 * DAY)
            }
        };
        Some(if date { (floor_to(low, DAY), floor_to(high, DAY)) } else { (low, high) })
    });
    // Some origins yield NULL.
    out.null |= origin != Origin::Default;
    Some(out)
}

/// Buckets of whole months count from 2000-01-01, all others from `origin`.
fn bucket_start(at: i128, months: i32, fixed: i128, origin: i128) -> i128 {
    if months == 0 {
        return floor_to(at - origin, fixed) + origin;
    }
    let (width, first) = (i64::from(months), 2000 * 12);
    month_start((month_index(at) - first).div_euclid(width) * width + first)
}

/// `x + INTERVAL`; a DATE becomes a TIMESTAMP. To a TIMESTAMPTZ hours and less are added in UTC, days and months on the clock.
pub(super) fn add(of: Domain, step: Step, clock: Clock<'_>) -> Option<Domain> {
    let fixed = i128::from(step.days) * DAY + i128::from(step.micros) * MICRO;
    let clock = match (step.months, step.days, step.micros) {
        (0, 0, _) => Clock::Utc,
        (0, _, 0) | (_, 0, 0) => clock,
        // In which order they are added is left open.
        _ => Clock::Unknown,
    };
    Some(Wall::of(of, clock)?.shift(TIMESTAMP, |at| {
        if step.months == 0 {
            return Some((at + fixed, at + fixed));
        }
        let (moved, at_month_end) = add_months(at, step.months);
        if !at_month_end {
            return Some((moved + fixed, moved + fixed));
        }
        // Several days may have become this one, so their times of day are no longer in order.
        let day = floor_to(moved, DAY);
        Some((day + fixed, day + DAY - MICRO + fixed))
    }))
}

/// `date_part(part, x)` and the functions named after parts.
pub(super) fn part(part: Part, of: Domain, clock: Clock<'_>) -> Option<Domain> {
    Wall::of(of, clock)?.count(ColumnType::BigInt, |piece| {
        let ends = (piece.lo.as_ref().and_then(nanos), piece.hi.as_ref().and_then(nanos));
        let number = |at: i128| Scalar::Int(part.extract(at));
        let Some((_, least, greatest)) = part.cycle(0) else {
            return Some(Piece { lo: ends.0.map(number), hi: ends.1.map(number) });
        };
        let one_cycle = |a: i128, b: i128| part.cycle(a)?.0.eq(&part.cycle(b)?.0).then_some(());
        Some(match ends {
            (Some(lo), Some(hi)) if one_cycle(lo, hi).is_some() => Piece::range(number(lo), number(hi)),
            _ => Piece::range(Scalar::Int(least), Scalar::Int(greatest)),
        })
    })
}

/// An argument whose instant counts whatever the zone: a DATE or TIMESTAMP as if in UTC.
fn instants(of: Domain) -> Option<Wall<'static>> {
    let ty = of.ty.clone().filter(is_instant)?;
    let wall = of.map(Some(TIMESTAMP), |end| nanos(end).map(|at| (Scalar::Local(at), Scalar::Local(at))));
    let mut wall = Wall { domain: wall, ty, clock: Clock::Utc };
    wall.domain.pieces.iter_mut().for_each(tame);
    Some(wall)
}

/// `epoch(x)`: seconds as DOUBLE.
pub(super) fn epoch(of: Domain) -> Option<Domain> {
    instants(of)?.count(ColumnType::Double, |piece| {
        let seconds = |end: &Option<Scalar>, unit: fn(i128, i128) -> i128, outward: f64| {
            let micros = unit(end.as_ref().and_then(nanos)?, MICRO) / MICRO;
            #[allow(clippy::cast_precision_loss, reason = "the end is widened for it")]
            let seconds = micros as f64 / 1e6;
            // For a TIMESTAMPTZ DuckDB adds whole milliseconds and the rest as DOUBLEs: near 1970 the rounding of the
            // sum is far coarser than its result.
            Some(Scalar::Float(seconds + outward * (1e-9 + seconds.abs() * 8.0 * f64::EPSILON)))
        };
        Some(Piece { lo: seconds(&piece.lo, floor_to, -1.0), hi: seconds(&piece.hi, ceil_to, 1.0) })
    })
}

/// `epoch_ms(x)` and its like for points in time; `epoch_ms(integer)` is the way back.
pub(super) fn epoch_count(of: Domain, unit: TimeUnit) -> Option<Domain> {
    if unit == TimeUnit::Ms && of.ty == Some(ColumnType::BigInt) {
        return from_count(of, unit);
    }
    let nanoseconds = i128::from(unit.nanos());
    let wall = instants(of)?;
    let wild = wall.is_wild();
    let limit = i128::from(i64::MAX);
    let mut out = wall.count(ColumnType::BigInt, |piece| {
        let ends = [(&piece.lo, floor_to as fn(i128, i128) -> i128), (&piece.hi, ceil_to)];
        let [lo, hi] = ends.map(|(end, round)| {
            let at = end.as_ref().and_then(nanos)?;
            Some(round(round(at, MICRO.min(nanoseconds)), nanoseconds) / nanoseconds)
        });
        let fits = [lo, hi].into_iter().flatten().all(|count| count.abs() <= limit);
        fits.then(|| Piece { lo: lo.map(Scalar::Int), hi: hi.map(Scalar::Int) })
    })?;
    out.raises |= wild;
    Some(out)
}

/// A TIMESTAMP from a count of units since 1970.
pub(super) fn from_count(of: Domain, unit: TimeUnit) -> Option<Domain> {
    if of.ty != Some(ColumnType::BigInt) {
        return None;
    }
    Some(of.map(Some(TIMESTAMP), |end| match end {
        Scalar::Int(count) => {
            let at = count.checked_mul(i128::from(unit.nanos()))?;
            (MIN_TAME..=MAX_TAME).contains(&at).then_some((Scalar::Local(at), Scalar::Local(at)))
        }
        _ => None,
    }))
}

/// `to_timestamp(seconds)`: DOUBLE to TIMESTAMPTZ, rounded to microseconds.
pub(super) fn from_seconds(of: Domain) -> Option<Domain> {
    if of.ty != Some(ColumnType::Double) || of.is_unbounded() {
        return None;
    }
    Some(of.map(Some(TIMESTAMPTZ), |end| match end {
        Scalar::Float(seconds) if seconds.abs() < 2e11 => {
            let micros = seconds * 1e6;
            let slack = 1.0 + micros.abs() * 4.0 * f64::EPSILON;
            #[allow(clippy::cast_possible_truncation, reason = "below 2e17")]
            let whole = |micros: f64| Scalar::Zoned(i128::from(micros as i64) * MICRO);
            Some((whole((micros - slack).floor()), whole((micros + slack).ceil())))
        }
        _ => None,
    }))
}

/// `x AT TIME ZONE zone`, between TIMESTAMP and TIMESTAMPTZ either way. The clock is that of the zone.
pub(super) fn at_time_zone(zone: &str, of: Domain, clock: Clock<'_>) -> Option<Domain> {
    crate::time::check_zone(zone).ok()?;
    match of.ty {
        Some(TIMESTAMP) => Some(cast(of, &TIMESTAMPTZ, false, clock)),
        Some(TIMESTAMPTZ) => Some(cast(of, &TIMESTAMP, false, clock)),
        _ => None,
    }
}
