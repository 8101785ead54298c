"""Sail, which is Spark SQL by another engine, as a cluster of two workers on this machine: over the Delta log and over the kept files. The workers talk to each
other as those of a cluster do, and are parts of the server's process; with processes of their own it knows Kubernetes only.
Apache Spark itself reads Delta with jars that PyPI does not have, so it is not tried here."""

import os

os.environ.setdefault("SAIL_MODE", "local-cluster")
os.environ.setdefault("SAIL_CLUSTER__WORKER_INITIAL_COUNT", "2")
os.environ.setdefault("SAIL_CLUSTER__WORKER_MAX_COUNT", "2")

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

from .table import QUESTIONS, kept_files

WAYS = ("Delta log", "kept files")


def start():
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return server, spark


def stop(running):
    server, spark = running
    spark.stop()
    server.stop()


def answer(running, way, root, question):
    _, spark = running
    if way == "Delta log":
        prices = spark.read.format("delta").load(root)
    else:
        prices = spark.read.parquet(*kept_files(root, question))
    prices.createOrReplaceTempView("prices")
    return [tuple(row) for row in spark.sql(QUESTIONS[question]).collect()]
