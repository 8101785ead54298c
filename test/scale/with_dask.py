"""Dask distributed with two worker processes: over the kept files, and with DuckDB and tstable in each worker."""

import dask
import dask.dataframe as dd
from dask.distributed import Client, LocalCluster

from .table import WEEK, QUESTIONS, answer_share, kept_files, merged, shares

WAYS = ("kept files", "shares")


def start():
    dask.config.set({"dataframe.convert-string": True})
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None)
    return Client(cluster)


def stop(client):
    client.cluster.close()
    client.close()


def answer(client, way, root, question):
    if way == "shares":
        parts = client.map(answer_share, [root] * 4, [question] * 4, shares(root, question, 4), pure=False)
        return merged(question, client.gather(parts))
    return frame_answer(dd.read_parquet(kept_files(root, question)), question)


def frame_answer(prices, question):
    week = prices[(prices.ts >= WEEK[0]) & (prices.ts < WEEK[1])]
    if question == "week":
        n, size, low, high = dask.compute(week.ts.count(), week["size"].sum(), week.price.min(), week.price.max())
        return [(n, size, low, high)]
    if question == "by entity":
        found = prices.groupby("symbol").agg({"ts": "count", "size": "sum", "price": "max"}).compute()
    elif question == "hourly bars":
        week = week.assign(hour=week.ts.dt.floor("h"), high=week.price)
        found = week.groupby(["symbol", "hour"]).agg({"price": "min", "high": "max", "size": "sum"}).compute()
    elif question == "latest":
        last = prices.groupby("symbol").ts.max().reset_index()
        found = last.merge(prices[["symbol", "ts", "price"]], on=["symbol", "ts"]).compute()
        return found.itertuples(index=False)
    else:
        assert question == "coverage", QUESTIONS
        hours = prices.assign(hour=prices.ts.dt.floor("h"))[["symbol", "hour"]].drop_duplicates().compute()
        found = hours.groupby(["symbol", hours.hour.dt.date]).size().to_frame()
    return found.reset_index().itertuples(index=False)
