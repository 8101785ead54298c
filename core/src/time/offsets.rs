//! How far the wall clock of a session is ahead of UTC, learned by asking the host, whose time zone data may be of another year
//! than ours. What is not certain is answered with a range: an instant at which the clock changes soon, or did lately, has the times
//! that any of the zone's offsets would give it, so that it does not matter what the host makes of hours that are skipped or
//! shown twice. Everything is in nanoseconds since 1970.

use std::collections::BTreeSet;

use super::zone;

const SECOND: i128 = 1_000_000_000;
const US_PER_SECOND: i64 = 1_000_000;
/// The years 1970 to 2039, in which nearly all data lies; outside nothing is said.
const FROM_SECOND: i64 = 0;
const UNTIL_SECOND: i64 = 2_208_988_800;
/// The host is asked for every week, and around each change that our own data knows. Since 1970 no zone has changed its clock twice
/// within less.
const STEP_SECONDS: i64 = 7 * 86_400;
/// No zone is further from UTC.
const MOST_SECONDS: i64 = 26 * 3_600;
/// So far beside a change a host is asked where a time must stand for one instant.
const BESIDE_SECONDS: i64 = 36 * 3_600;
/// Within this of a change nothing is certain: more than the longest day, and than any skip.
const NEAR: i128 = 2 * 86_400 * SECOND;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// From which instant on the clock is how far ahead of UTC, in order. The first is the first instant of which anything is known.
    changes: Vec<(i128, i128)>,
    /// Until when anything is known.
    until: i128,
    least: i128,
    greatest: i128,
}

impl Offsets {
    /// Learns the clock of the zone called `name`, which need not be known here. `ask` answers what the clock shows at an instant, both in
    /// microseconds since 1970. None when it does not answer.
    pub fn learn(name: &str, mut ask: impl FnMut(i64) -> Option<i64>) -> Option<Self> {
        let mut offset = |second: i64| {
            let instant = second.checked_mul(US_PER_SECOND)?;
            let offset = ask(instant)?.checked_sub(instant)?;
            let whole = offset.rem_euclid(US_PER_SECOND) == 0 && offset.abs() <= MOST_SECONDS * US_PER_SECOND;
            whole.then_some(offset / US_PER_SECOND)
        };
        let mut found = Vec::new();
        let mut last: Option<(i64, i64)> = None;
        for second in seconds_to_ask_for(name) {
            let here = offset(second)?;
            match last {
                None => found.push((second, here)),
                Some(before) => refine(before, (second, here), &mut offset, &mut found)?,
            }
            last = Some((second, here));
        }
        Self::of(&found, UNTIL_SECOND)
    }

    /// The clock of the zone called `name` as our own data has it, for the longest time in which the host agrees. `ask` answers the instant at
    /// which the zone's clock shows a time, both in microseconds since 1970. None for a zone that is not known here.
    pub fn agreed(name: &str, mut ask: impl FnMut(i64) -> Option<i64>) -> Option<Self> {
        let rules = zone::find(name).ok()?;
        let offset = |second: i64| rules.offset_seconds(second.into());
        let changes: Vec<_> = rules.changes(FROM_SECOND.into(), UNTIL_SECOND.into()).collect();
        // What is skipped or shown twice is not asked for: times so near a change are not certain anyway.
        let near = BESIDE_SECONDS.unsigned_abs();
        let is_apart = |second: &i64| changes.iter().all(|change| change.abs_diff(*second) >= near);
        let beside =
            changes.iter().flat_map(|at| [at.saturating_sub(BESIDE_SECONDS), at.saturating_add(BESIDE_SECONDS)]);
        let fortnights = (FROM_SECOND..UNTIL_SECOND).step_by(usize::try_from(2 * STEP_SECONDS).ok()?);
        let seconds: BTreeSet<i64> = fortnights.chain(beside).filter(is_apart).collect();
        let (mut longest, mut stretch) = (None, None);
        for second in seconds.into_iter().filter(|second| (FROM_SECOND..UNTIL_SECOND).contains(second)) {
            let wall = second.checked_add(offset(second))?.checked_mul(US_PER_SECOND)?;
            let agrees = ask(wall) == second.checked_mul(US_PER_SECOND);
            stretch = agrees.then(|| (stretch.map_or(second, |(first, _)| first), second));
            longest = longer(longest, stretch);
        }
        let (first, last): (i64, i64) = longest?;
        let later = changes.iter().filter(|at| (first..last).contains(at)).map(|at| (*at, offset(*at)));
        Self::of(&[(first, offset(first))].into_iter().chain(later).collect::<Vec<_>>(), last)
    }

    fn of(found: &[(i64, i64)], until: i64) -> Option<Self> {
        let mut changes: Vec<_> =
            found.iter().map(|(at, offset)| (i128::from(*at) * SECOND, i128::from(*offset) * SECOND)).collect();
        // Some changes are of the clock's name only.
        changes.dedup_by_key(|(_, offset)| *offset);
        let offsets = || changes.iter().map(|(_, offset)| *offset);
        let (least, greatest) = (offsets().min()?, offsets().max()?);
        Some(Self { changes, until: i128::from(until) * SECOND, least, greatest })
    }

    /// The least and greatest time that the clock may show at an instant; none when nothing is known of it.
    #[must_use]
    pub fn wall_times_of(&self, instant: i128) -> Option<(i128, i128)> {
        let (least, greatest) = self.around(instant)?;
        Some((instant.checked_add(least)?, instant.checked_add(greatest)?))
    }

    /// The first and last instant that the host may take a time of the clock for; none when nothing is known of it.
    #[must_use]
    pub fn instants_of(&self, wall: i128) -> Option<(i128, i128)> {
        // Further away than any offset reaches nothing changes either where it is said that nothing changes near.
        let (least, greatest) = self.around(wall)?;
        Some((wall.checked_sub(greatest)?, wall.checked_sub(least)?))
    }

    /// The offsets that may hold at an instant or at a time of the clock.
    fn around(&self, at: i128) -> Option<(i128, i128)> {
        let first = self.changes.first()?.0;
        if at < first.checked_add(NEAR)? || at > self.until.checked_sub(NEAR)? {
            return None;
        }
        let next = self.changes.partition_point(|(from, _)| *from <= at);
        let (since, offset) = *self.changes.get(next.checked_sub(1)?)?;
        let changed_lately = next > 1 && at - since <= NEAR;
        let changes_soon = self.changes.get(next).is_some_and(|(from, _)| from - at <= NEAR);
        Some(if changed_lately || changes_soon { (self.least, self.greatest) } else { (offset, offset) })
    }
}

/// The longer of two stretches, the later of equals.
fn longer(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    [a, b].into_iter().flatten().max_by_key(|(first, last)| last.saturating_sub(*first))
}

/// In order, each once.
fn seconds_to_ask_for(name: &str) -> BTreeSet<i64> {
    let weekly = (0..).map(|week| FROM_SECOND + week * STEP_SECONDS).take_while(|second| *second < UNTIL_SECOND);
    let mut seconds: BTreeSet<_> = weekly.chain([UNTIL_SECOND]).collect();
    if let Ok(rules) = zone::find(name) {
        for change in rules.changes(FROM_SECOND.into(), UNTIL_SECOND.into()) {
            seconds.extend([change.saturating_sub(1), change].into_iter().filter(|at| *at > FROM_SECOND));
        }
    }
    seconds
}

/// Adds the changes between two instants at which the offsets are known.
fn refine(
    before: (i64, i64),
    after: (i64, i64),
    offset: &mut impl FnMut(i64) -> Option<i64>,
    found: &mut Vec<(i64, i64)>,
) -> Option<()> {
    if before.1 == after.1 {
        return Some(());
    }
    if after.0.saturating_sub(before.0) <= 1 {
        found.push(after);
        return Some(());
    }
    let second = before.0.midpoint(after.0);
    let middle = (second, offset(second)?);
    refine(before, middle, offset, found)?;
    refine(middle, after, offset, found)
}
