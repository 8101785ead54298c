//! A clock that is learned from a host holds, at every instant, what the host itself makes of it.

use super::*;

const SECOND: i128 = 1_000_000_000;
/// Zones that put their clocks forward and back by an hour, by half of one, over the date line, for Ramadan, at midnight, and never.
const ZONES: [&str; 13] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
];

fn learned(zone: &str) -> Offsets {
    Offsets::learn(zone, |instant| wall_time_of_instant(zone, instant).ok()).unwrap()
}

#[test]
fn every_time_of_the_clock_lies_in_what_is_said_of_it() {
    for zone in ZONES {
        let clock = learned(zone);
        let mut steady = 0;
        // Every 37 hours and some seconds, so that all times of day come up, and around every change.
        for instant in (0..2_208_988_800_i64).step_by(133_337) {
            let at = i128::from(instant) * SECOND;
            let shown = i128::from(wall_time_of_instant(zone, instant * 1_000_000).unwrap()) * 1_000;
            let Some((least, greatest)) = clock.wall_times_of(at) else { continue };
            assert!(least <= shown && shown <= greatest, "{zone} at {instant}");
            let (first, last) = clock.instants_of(shown).unwrap();
            assert!(first <= at && at <= last, "{zone} at {instant}, which shows {shown}");
            steady += usize::from(least == greatest && first == last);
        }
        assert!(steady > 15_000, "{zone}: only {steady} instants are certain");
    }
}

#[test]
fn around_a_change_every_reading_of_a_time_is_covered() {
    for zone in ZONES {
        let (clock, rules) = (learned(zone), zone::find(zone).unwrap());
        for change in rules.changes(200_000, 2_200_000_000) {
            for second in (change - 30 * 3_600..change + 30 * 3_600).step_by(600) {
                let wall = i128::from(second) * SECOND;
                let (first, last) = clock.instants_of(wall).unwrap();
                for around in [change - 1, change] {
                    let read = wall - i128::from(rules.offset_seconds(around.into())) * SECOND;
                    assert!(first <= read && read <= last, "{zone}: {second} around {change}");
                }
            }
        }
    }
}

#[test]
fn a_zone_that_is_not_known_here_is_learned_from_the_host_alone() {
    let clock = Offsets::learn("a host's own", |instant| wall_time_of_instant("Australia/Lord_Howe", instant).ok());
    assert_eq!(clock.unwrap(), learned("Australia/Lord_Howe"));
    let fixed = Offsets::learn("+05:30", |instant| Some(instant + 19_800_000_000)).unwrap();
    let day = 20_000 * 86_400 * SECOND;
    assert_eq!(fixed.wall_times_of(day), Some((day + 19_800 * SECOND, day + 19_800 * SECOND)));
}

#[test]
fn the_host_is_believed_where_its_data_is_of_another_year() {
    // Berlin without summer time from 2026 on, which the data carried here does not know.
    let end = us("2026-01-01 00:00:00");
    let host = |instant: i64| {
        if instant < end { wall_time_of_instant("Europe/Berlin", instant).ok() } else { Some(instant + 3_600_000_000) }
    };
    let clock = Offsets::learn("Europe/Berlin", host).unwrap();
    let summer = i128::from(us("2027-07-01 12:00:00")) * 1_000;
    assert_eq!(clock.wall_times_of(summer), Some((summer + 3_600 * SECOND, summer + 3_600 * SECOND)));
}

#[test]
fn a_zone_whose_clock_the_host_agrees_upon_is_as_certain_as_one_that_was_learned() {
    for zone in ZONES {
        let clock = Offsets::agreed(zone, |wall| instant_of_wall_time(zone, wall).ok()).unwrap();
        let learned = learned(zone);
        for at in (0..2_000_000_000_i128).step_by(1_000_000).map(|second| (second + 3_456_000) * SECOND) {
            assert_eq!(clock.wall_times_of(at), learned.wall_times_of(at), "{zone} at {at}");
        }
    }
    // A host that stays on winter time from 2026 on, one that does not answer, and a zone that nobody here knows.
    let end = us("2026-01-01 00:00:00");
    let host = |wall: i64| {
        if wall < end { instant_of_wall_time("Europe/Berlin", wall).ok() } else { Some(wall - 3_600_000_000) }
    };
    let clock = Offsets::agreed("Europe/Berlin", host).unwrap();
    let summer = |text| clock.wall_times_of(i128::from(us(text)) * 1_000);
    assert_eq!(summer("2026-07-01 12:00:00"), None);
    assert_eq!(
        summer("2025-07-01 12:00:00"),
        learned("Europe/Berlin").wall_times_of(i128::from(us("2025-07-01 12:00:00")) * 1_000)
    );
    assert_eq!(Offsets::agreed("Europe/Berlin", |_| None), None);
    assert_eq!(Offsets::agreed("Nowhere/Land", Some), None);
}

#[test]
fn nothing_is_said_of_times_beyond_or_of_a_host_that_does_not_answer() {
    let clock = learned("Europe/Berlin");
    for second in [-1_i128, 3_600, 2_208_988_800, 4_102_444_800, i128::from(i64::MIN), i128::from(i64::MAX)] {
        assert_eq!(clock.wall_times_of(second * SECOND), None, "{second}");
        assert_eq!(clock.instants_of(second * SECOND), None, "{second}");
    }
    assert_eq!(Offsets::learn("UTC", |_| None), None);
    assert_eq!(Offsets::learn("UTC", |instant| Some(instant + 1)), None);
}
