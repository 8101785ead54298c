"""Arrow: tables and readers out, tables and readers in, datasets over the segments."""

import datetime

import pyarrow
import pyarrow.dataset

import tstable


def test_results_are_read_in_batches_and_appended_in_batches(con):
    query = "SELECT ts + INTERVAL 7 DAY AS ts, symbol, close FROM tstable_scan('store/prices')"
    with tstable.connect() as other:
        reader = other.sql(query).to_arrow_table().to_reader(max_chunksize=10)
        assert tstable.append(con, "store/prices", reader)[0]["rows"] == 91
    assert con.execute("SELECT count(*) FROM tstable_scan('store/prices')").fetchone() == (182,)


def test_a_dataset_reads_the_segments_of_a_range(con):
    dataset = pyarrow.dataset.dataset(tstable.segments(con, "store/prices", entity="AMD"), format="parquet")
    condition = (pyarrow.dataset.field("symbol") == "AMD") & (pyarrow.dataset.field("ts") >= datetime.datetime(2024, 6, 2))
    assert dataset.count_rows(filter=condition) == 19
