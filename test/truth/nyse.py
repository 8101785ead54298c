"""The sessions of the New York Stock Exchange from 2015 to 2024 against the package exchange_calendars, early closes included:
its schedule becomes a calendar of sessions, holidays and early closes, and each day's expected minutes must be its own.

Holidays and early closes are given as an exchange publishes them: dates. That the two agree in UTC, over changes of the
clock and to the minute, is what is tested."""

import datetime as dt

import exchange_calendars
import pyarrow as pa

from harness import Comparison, Tables

FIRST, LAST = "2015-01-01", "2024-12-31"
ZONE = "America/New_York"


def schedule() -> dict[dt.date, tuple[int, int]]:
    """Opening and closing of each session in seconds since 1970."""
    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)
    rows = calendar.schedule[["open", "close"]]
    return {day.date(): (round(row.open.timestamp()), round(row.close.timestamp())) for day, row in rows.iterrows()}


def every_day() -> list[dt.date]:
    first, last = dt.date.fromisoformat(FIRST), dt.date.fromisoformat(LAST)
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def weekly_rule(sessions: dict[dt.date, tuple[int, int]]) -> tuple[list[dt.date], dict[dt.date, str]]:
    """What the exchange's list says beyond 'Monday to Friday, 09:30 to 16:00'."""
    holidays = [day for day in every_day() if day.weekday() < 5 and day not in sessions]
    early = {}
    for day, (open_, close) in sessions.items():
        hours = (close - open_) / 3600
        if hours != 6.5:
            early[day] = f"09:30-{int(9.5 + hours):02}:{int((9.5 + hours) % 1 * 60):02}"
    return holidays, early


def main() -> None:
    sessions = schedule()
    holidays, early = weekly_rule(sessions)
    assert len(holidays) > 90 and len(early) >= 15, (len(holidays), len(early))
    rows = pa.table({"ts": pa.array([dt.datetime(2015, 1, 1, tzinfo=dt.timezone.utc)], pa.timestamp("us", "UTC"))})
    with Tables() as tables:
        root = tables.make(rows, time_column="'ts'", bucket="'1m'")
        dates = "[" + ", ".join(f"DATE '{day}'" for day in holidays) + "]"
        closes = "MAP {" + ", ".join(f"DATE '{day}': '{hours}'" for day, hours in early.items()) + "}"
        tables.con.execute(
            f"CALL tstable_set_calendar('{root}', sessions := 'Mon-Fri 09:30-16:00', timezone := '{ZONE}', holidays := {dates}, early_closes := {closes})"
        )
        found = tables.rows(f"""
            SELECT timezone('{ZONE}', bucket_start)::DATE AS day, epoch(min(bucket_start))::BIGINT, epoch(max(bucket_end))::BIGINT, count(*)
            FROM tstable_buckets('{root}', start := '{FIRST}', until := '2025-01-02') WHERE day <= DATE '{LAST}' GROUP BY day""")
        by_day = {day: rest for day, *rest in found}
        comparison = Comparison("NYSE sessions 2015-2024 and exchange_calendars", 3_000)
        for day in every_day():
            expected = None
            if day in sessions:
                open_, close = sessions[day]
                expected = [open_, close, (close - open_) // 60]
            comparison.case(str(day), by_day.get(day), expected)
        gaps = tables.rows(f"SELECT sum(expected_buckets), count(*) FROM tstable_coverage('{root}', start := '{FIRST}', until := '2025-01-01', by := '1d')")
        comparison.case("all minutes", gaps[0][0], sum((close - open_) // 60 for open_, close in sessions.values()))
        comparison.finish()


if __name__ == "__main__":
    main()
