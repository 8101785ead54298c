"""Makes the fixture of kinds of PyStore items: python make_pystore.py DIRECTORY, with pystore 1.0.1 and pandas 2.3 installed.

Categories, of which the files hold numbers, in two items that number them differently and in a snapshot before one was written
anew; an index of two levels; a name with a slash.
"""

import datetime
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pystore
import pystore.utils

pystore.utils.timezone = datetime.timezone  # 1.0.1 forgets to import it
hours = pd.date_range("2024-01-02", periods=4, freq="h", name="when")


def sides(*words):
    return pd.DataFrame({"price": range(len(words)), "side": pd.Categorical(list(words))}, index=hours[: len(words)])


def main(directory):
    pystore.set_path(directory)
    trades = pystore.store("kinds").collection("trades")
    trades.write("A", sides("buy", "sell", "buy"))
    trades.write("B", sides("sell", "short", None))
    trades.create_snapshot("before")
    trades.write("A", sides("ask", "bid", "ask", "bid"), overwrite=True)
    levels = pd.MultiIndex.from_product([["X", "Y"], hours[:3]], names=["symbol", "when"])
    other = pystore.store("kinds").collection("other")
    other.write("levels", pd.DataFrame({"price": range(6)}, index=levels))
    other.write("BRK/B", pd.DataFrame({"price": range(4)}, index=hours))
    with tarfile.open("pystore-1.0.1-kinds.tar.gz", "w:gz") as archive:
        archive.add(directory, arcname="kinds")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve().as_posix())
