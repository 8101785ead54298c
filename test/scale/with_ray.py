"""Ray of two nodes with a processor each: Daft on it over the Delta log and over the kept files, and tasks with DuckDB and tstable in them."""

import os
import sys

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import daft
import ray
from daft import col
from ray.cluster_utils import Cluster

from .table import WEEK, answer_share, kept_files, merged, shares

WAYS = ("Delta log", "kept files", "shares")


def start():
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    daft.set_runner_ray(address=cluster.address, noop_if_initialized=True)
    return cluster


def stop(cluster):
    ray.shutdown()
    cluster.shutdown()


def answer(cluster, way, root, question):
    if way == "shares":
        task = ray.remote(num_cpus=1)(answer_share)
        return merged(question, ray.get([task.remote(root, question, share) for share in shares(root, question, 4)]))
    files = kept_files(root, question)
    prices = daft.read_deltalake(root) if way == "Delta log" else daft.read_parquet(files)
    return frame_answer(prices, question)


def frame_answer(prices, question):
    in_week = (col("ts") >= WEEK[0]) & (col("ts") < WEEK[1])
    if question == "week":
        found = prices.where(in_week).agg(
            col("ts").count().alias("n"), col("size").sum(), col("price").min().alias("low"), col("price").max().alias("high")
        )
    elif question == "by entity":
        found = prices.groupby("symbol").agg(col("ts").count().alias("n"), col("size").sum(), col("price").max().alias("high"))
    elif question == "hourly bars":
        hourly = prices.where(in_week).with_column("hour", col("ts").date_trunc("1 hour"))
        found = hourly.groupby("symbol", "hour").agg(
            col("price").min().alias("low"), col("price").max().alias("high"), col("size").sum()
        )
    elif question == "latest":
        last = prices.groupby("symbol").agg(col("ts").max())
        found = last.join(prices.select("symbol", "ts", "price"), on=["symbol", "ts"])
    else:
        hours = prices.with_column("hour", col("ts").date_trunc("1 hour")).select("symbol", "hour").distinct()
        found = hours.with_column("day", col("hour").date()).groupby("symbol", "day").agg(col("hour").count().alias("hours"))
    rows = found.to_pydict()
    return zip(*rows.values(), strict=True)
