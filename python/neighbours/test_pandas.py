"""pandas: results as frames, an index of time, resampling, frames appended."""

import pandas

import tstable


def test_results_become_frames(con):
    frame = con.sql("FROM tstable_gaps('store/prices')").df()
    assert frame["duration"].tolist() == [pandas.Timedelta(hours=5)]


def test_a_frame_with_an_index_of_time_is_resampled_and_appended(con):
    frame = con.sql("SELECT ts, close FROM tstable_scan('store/prices') WHERE symbol = 'NVDA'").df().set_index("ts")
    daily = frame.resample("1D").mean()
    report = tstable.append(con, "store/daily", daily, time_column="ts", bucket="1d")
    assert report[0]["rows"] == 2
    assert con.execute("SELECT close FROM tstable_scan('store/daily') ORDER BY ts").fetchall() == [(111.5,), (135.5,)]
