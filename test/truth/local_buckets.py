"""Local days, weeks, months, quarters and years against Python's zoneinfo: the buckets of tstable_bucket and of tables.

A local bucket begins at the first instant whose wall clock shows its start or, where the clock skips that, at the skip."""

import datetime as dt
import random
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from harness import Comparison, Tables

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
# Before 1970 the zone data of Python and of the extension may be built differently (with other names joined), and near the
# present they may be of different versions.
FIRST_YEAR, LAST_YEAR = 1971, 2022
CASES = 3_000


def local_start(day: dt.date, width: str) -> dt.date:
    """The first day of the period that a day is in."""
    match width:
        case "1d":
            return day
        case "1w":
            return day - dt.timedelta(days=day.weekday())
        case "1mo":
            return day.replace(day=1)
        case "1q":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day.replace(month=1, day=1)


def next_start(day: dt.date, width: str) -> dt.date:
    steps = {"1d": 1, "1w": 7, "1mo": 32, "1q": 93, "1y": 367}
    return local_start(local_start(day, width) + dt.timedelta(days=steps[width]), width)


def first_instant(day: dt.date, zone: ZoneInfo) -> int:
    """Seconds since 1970 of the first instant at which the clock shows that day's midnight or has passed it."""
    midnight = dt.datetime.combine(day, dt.time())
    instants = [midnight.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [instant for instant in instants if instant.astimezone(zone).replace(tzinfo=None) == midnight]
    if shown:
        return round((min(shown) - EPOCH).total_seconds())
    # The clock skips midnight: the skip lies between the two readings.
    before, after = sorted(round((instant - EPOCH).total_seconds()) for instant in instants)
    while after - before > 1:
        middle = (before + after) // 2
        reached = (EPOCH + dt.timedelta(seconds=middle)).astimezone(zone).replace(tzinfo=None) >= midnight
        before, after = (before, middle) if reached else (middle, after)
    return after


def bucket(second: int, zone: ZoneInfo, width: str) -> tuple[int, int]:
    """Start and end of the bucket of an instant, decided by the starts alone: they never run backwards."""
    day = local_start((EPOCH + dt.timedelta(seconds=second)).astimezone(zone).date(), width)
    while first_instant(next_start(day, width), zone) <= second:
        day = next_start(day, width)
    while first_instant(day, zone) > second:
        day = local_start(day - dt.timedelta(days=1), width)
    return first_instant(day, zone), first_instant(next_start(day, width), zone)


def drawn(random_: random.Random, zones: list[str]) -> list[tuple[str, str, int]]:
    cases = []
    for _ in range(CASES):
        year = random_.randrange(FIRST_YEAR, LAST_YEAR)
        second = round((dt.datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) + random_.randrange(365 * 86_400)
        cases.append((random_.choice(zones), random_.choice(["1d", "1d", "1w", "1mo", "1q", "1y"]), second))
    return cases


def near_changes(zone: str) -> list[int]:
    """Instants round the changes of a zone's clock."""
    info, found = ZoneInfo(zone), []
    start = round((dt.datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    for hour in range(start, start + 4 * 365 * 86_400, 3_600):
        offsets = {(EPOCH + dt.timedelta(seconds=s)).astimezone(info).utcoffset() for s in (hour, hour + 3_600)}
        if len(offsets) > 1:
            found += [hour - 90_000, hour - 1, hour + 3_600, hour + 7_200, hour + 80_000]
    return found


def scalar(tables: Tables, comparison: Comparison, cases: list[tuple[str, str, int]]) -> None:
    values = pa.table({"i": list(range(len(cases))), "zone": [c[0] for c in cases], "width": [c[1] for c in cases], "s": [c[2] for c in cases]})
    tables.con.register("cases", values)
    query = "SELECT i, epoch(tstable_bucket(to_timestamp(s), width, zone))::BIGINT FROM cases ORDER BY i"
    for i, start in tables.rows(query):
        zone, width, second = cases[i]
        comparison.case(f"{width} of {second} in {zone}", start, bucket(second, ZoneInfo(zone), width)[0])


def grids(tables: Tables, comparison: Comparison, random_: random.Random, zones: list[str]) -> None:
    """Stored grids: each bucket of a table of hours has both of its ends where they belong."""
    for zone in random_.sample(zones, 12) + ["America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo"]:
        start = dt.datetime(random_.randrange(1995, LAST_YEAR), random_.randrange(1, 13), 1, tzinfo=UTC)
        times = [start + dt.timedelta(hours=hour) for hour in range(0, 24 * 120, 5)]
        rows = pa.table({"ts": pa.array(times, pa.timestamp("us", "UTC"))})
        for width in ("1d", "1w", "1mo"):
            root = tables.make(rows, time_column="'ts'", bucket=f"'{width}'", timezone=f"'{zone}'")
            found = tables.rows(f"SELECT epoch(bucket_start)::BIGINT, epoch(bucket_end)::BIGINT FROM tstable_buckets('{root}') ORDER BY 1")
            seconds = [round((time - EPOCH).total_seconds()) for time in times]
            expected = sorted({bucket(second, ZoneInfo(zone), width) for second in seconds})
            comparison.case(f"{width} of {start} in {zone}", found, expected)


def main() -> None:
    random_ = random.Random(20_240_601)
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix", "right")))
    changes = [(zone, "1d", s) for zone in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo") for s in near_changes(zone)]
    with Tables() as tables:
        comparison = Comparison("local buckets and zoneinfo", 3_000)
        scalar(tables, comparison, drawn(random_, zones) + changes)
        grids(tables, comparison, random_, zones)
        comparison.finish()


if __name__ == "__main__":
    main()
