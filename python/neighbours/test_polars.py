"""polars: results as frames, lazy frames over the segments, frames appended."""

import datetime

import polars

import tstable

# One call of every function that asks, by the function's name.
CALLS = {
    "tstable_append": "('store/prices', 'again.parquet', on_overlap := 'skip_file')",
    "tstable_backfill": "('store/prices', '2024-06-01', '2024-06-04')",
    "tstable_buckets": "('store/prices')",
    "tstable_changes": "('store/prices', 1, 1)",
    "tstable_common": "('store/prices')",
    "tstable_compact": "('store/prices', dry_run := true)",
    "tstable_coverage": "('store/prices')",
    "tstable_entities": "('store/prices')",
    "tstable_fill": "('store/prices', '1h', '2024-06-01', '2024-06-02', columns := MAP {'close': 'locf'})",
    "tstable_gaps": "('store/prices')",
    "tstable_history": "('store/prices')",
    "tstable_info": "('store/prices')",
    "tstable_last_window": "('store/prices', 3)",
    "tstable_latest": "('store/prices')",
    "tstable_list": "('store')",
    "tstable_new_rows": "('store/prices', 1)",
    "tstable_plan": "('store/prices')",
    "tstable_preview": "('store/prices', 'again.parquet', gaps := true)",
    "tstable_repair": "('store/prices')",
    "tstable_restated": "('store/prices', 'corrected.parquet')",
    "tstable_scan": "('store/prices', provenance := true)",
    "tstable_segments": "('store/prices')",
    "tstable_shares": "('store/prices', 2)",
    "tstable_stale": "('store/prices', 'store/prices')",
    "tstable_tags": "('store/prices')",
    "tstable_vacuum": "('store/prices')",
    "tstable_verify": "('store/prices')",
    "tstable_windows": "('store/prices')",
}
# And of every function that changes something, in an order in which each finds what it needs.
EFFECTS = {
    "tstable_tag": "('store/prices', 'first')",
    "tstable_untag": "('store/prices', 'first')",
    "tstable_set": "('store/prices', 'owner', 'me')",
    "tstable_check": "('store/prices', 'positive', 'close > 0')",
    "tstable_expect": "('store/prices', ['NVDA', 'AMD'])",
    "tstable_set_calendar": "('store/prices', sessions := 'Mon-Sun 00:00-24:00')",
    "tstable_mark_empty": "('store/prices', '2024-06-03 00:00', '2024-06-03 01:00')",
    "tstable_delete": "('store/prices', '2024-06-02 22:00', '2024-06-02 23:00')",
    "tstable_rename_entity": "('store/prices', 'NVDA', 'NV')",
    "tstable_add_columns": "('store/prices', {'volume': 'BIGINT'})",
    "tstable_alter": "('store/prices', rename := {'volume': 'size'})",
    "tstable_checkpoint": "('store/prices')",
    "tstable_export_delta": "('store/prices')",
    "tstable_report": "('store/prices', 'page.html')",
    "tstable_import": "('lake', 'store/imported')",
    "tstable_restore": "('store/prices', 1)",
    "tstable_create": "('store/other', time_column := 'ts', bucket := '1h')",
    "tstable_drop": "('store/other', confirm := true)",
}
# polars has no type for these columns: ask for seconds.
INTERVALS = {"tstable_coverage": "max_gap", "tstable_entities": "lag", "tstable_gaps": "duration"}


def test_results_become_frames(con):
    frame = con.sql("SELECT * FROM tstable_scan('store/prices') WHERE symbol = 'AMD'").pl()
    assert frame.height == 43
    assert frame.schema == {"ts": polars.Datetime("us"), "symbol": polars.String, "close": polars.Float64}


def test_lengths_of_time_come_as_seconds(con):
    gaps = con.sql("SELECT * REPLACE (epoch(duration) AS duration) FROM tstable_gaps('store/prices')").pl()
    assert gaps["duration"].to_list() == [5 * 3600.0]
    assert gaps.select(polars.duration(seconds="duration")).item() == datetime.timedelta(hours=5)


def test_every_function_gives_a_frame(con):
    con.execute("COPY (FROM tstable_scan('store/prices')) TO 'again.parquet'")
    con.execute("COPY (SELECT ts, symbol, close + 1 AS close FROM tstable_scan('store/prices')) TO 'corrected.parquet'")
    for function, arguments in CALLS.items():
        interval = INTERVALS.get(function)
        columns = f"* REPLACE (epoch({interval}) AS {interval})" if interval else "*"
        found = {name for name, kind, *_ in con.execute(f"DESCRIBE FROM {function}{arguments}").fetchall() if kind == "INTERVAL"}
        assert found == ({interval} if interval else set()), function
        rows = len(con.execute(f"FROM {function}{arguments}").fetchall())
        assert con.sql(f"SELECT {columns} FROM {function}{arguments}").pl().height == rows


def test_every_change_gives_a_frame(con):
    con.execute("COPY (FROM tstable_scan('store/prices')) TO 'lake' (FORMAT parquet, PARTITION_BY (symbol))")
    for function, arguments in EFFECTS.items():
        columns = con.execute(f"DESCRIBE FROM {function}{arguments}").fetchall()
        assert not [name for name, kind, *_ in columns if "INTERVAL" in kind], function
        assert con.sql(f"FROM {function}{arguments}").pl().height > 0, function


def test_the_packages_relations_and_reports_become_frames(con):
    assert tstable.scan(con, "store/prices", entity="AMD").pl().height == 43
    assert tstable.new_rows(con, "store/prices", 0).pl().height == 91
    assert sum(share.scan(con).pl().height for share in tstable.shares(con, "store/prices", 2)) == 91
    frame = tstable.scan(con, "store/prices").pl()
    told = polars.DataFrame(tstable.preview(con, "store/prices", frame, compare=True))
    assert told.select(polars.sum("rows_same"), polars.sum("rows_changed")).row(0) == (91, 0)


def test_no_function_is_left_out(con):
    registered = con.execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE starts_with(function_name, 'tstable_') AND function_type = 'table'")
    assert {name for (name,) in registered.fetchall()} == CALLS.keys() | EFFECTS.keys()


def test_lazy_frames_read_the_segments_of_a_range_and_filter_them(con):
    files = tstable.segments(con, "store/prices", start="2024-06-02")
    rows = polars.scan_parquet(files).filter(polars.col("ts") >= datetime.datetime(2024, 6, 2)).collect()
    assert rows.height == con.execute("SELECT count(*) FROM tstable_scan('store/prices', start := '2024-06-02')").fetchone()[0]


def test_frames_are_appended(con):
    frame = polars.DataFrame({"ts": [datetime.datetime(2024, 6, 3)], "symbol": ["AMD"], "close": [1.0]})
    assert tstable.append(con, "store/prices", frame)[0]["rows"] == 1
    assert tstable.append(con, "store/prices", frame.lazy(), on_overlap="skip_rows")
    assert con.execute("SELECT count(*) FROM tstable_scan('store/prices')").fetchone() == (92,)
