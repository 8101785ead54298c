"""What a process does with a table in a store; run as a program of its own, so that it can be killed and has its own environment."""

import json
import os
import sys

import duckdb


def connect(extension):
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def append(connection, root, policy, *files):
    """Appends each file, and says of each what became of it."""
    said = []
    for file in files:
        try:
            said.append(connection.execute("CALL tstable_append(?, ?, on_overlap := ?)", [root, file, policy]).fetchall()[0][1])
        except duckdb.Error as error:
            said.append(str(error))
        print(json.dumps(said[-1]), flush=True)


def query(connection, *statements):
    """Runs statements, and gives what each returns or the error that it ends with."""
    for statement in statements:
        try:
            print(json.dumps(connection.execute(statement).fetchall(), default=str), flush=True)
        except duckdb.Error as error:
            print(json.dumps({"error": str(error)}), flush=True)


def fork(connection, root):
    """A query leaves no thread behind, and a process that was forked off after one has connections of its own."""
    count = f"SELECT count(*) FROM tstable_scan('{root}')"
    connection.execute("SELECT sum(x) FROM range(10000000) t(x)").fetchall()
    before = len(os.listdir("/proc/self/task"))
    rows = connection.execute(count).fetchall()
    threads = len(os.listdir("/proc/self/task")) - before
    child = os.fork()
    if child == 0:
        # The parent's DuckDB is not for use here.
        alone = connect(sys.argv[1])
        os._exit(0 if alone.execute(count).fetchall() == rows else 1)
    _, status = os.waitpid(child, 0)
    print(json.dumps([rows, threads, status, connection.execute(count).fetchall() == rows]))


if __name__ == "__main__":
    extension, action, *arguments = sys.argv[1:]
    {"append": append, "fork": fork, "query": query}[action](connect(extension), *arguments)
