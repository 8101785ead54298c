"""Tables in real object stores: everything that a table can do, writers at once, writers that are killed, a network that fails, and
what a user reads who asked for something that cannot be. `--long` does more of each."""

import functools
import http.server
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb

from stores import servers
from stores import proxy as between_them
from stores.proxy import Careless, proxy

LONG = "--long" in sys.argv
ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("table.py")
EXTENSION = ROOT / "build" / os.environ.get("PROFILE", "release") / "v2.0.0" / "tstable.duckdb_extension"
CREATE = "CALL tstable_create('{root}', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])"
ROWS_PER_FILE = 24


def start(environment, action, *arguments):
    command = [sys.executable, str(TABLE), str(EXTENSION), action, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(process):
    output, _ = process.communicate(timeout=600)
    if process.returncode != 0:
        sys.exit(f"a process ended with {process.returncode}")
    return [json.loads(line) for line in output.splitlines()]


def ask(environment, *statements):
    """What each statement gives; none may fail."""
    answers = finish(start(environment, "query", *statements))
    for statement, answer in zip(statements, answers, strict=True):
        if isinstance(answer, dict):
            sys.exit(f"{statement}\n{answer['error']}")
    return answers


def refused(environment, statement, *words):
    answer = finish(start(environment, "query", statement))[0]
    if not isinstance(answer, dict):
        sys.exit(f"{statement}\nwas not refused but gave {answer}")
    missing = [word for word in words if word not in answer["error"]]
    leaked = [secret for secret in (servers.SECRET, "WRONGSECRET") if secret in answer["error"]]
    if missing or leaked:
        sys.exit(f"{statement}\n{answer['error']}\nlacks {missing}, shows {leaked}")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, expected {wanted}")
    print(f"{what}: {found}", flush=True)


def make_files(directory, count, symbols):
    connection = duckdb.connect()
    for symbol in symbols:
        for i in range(count):
            connection.execute(
                f"""COPY (SELECT TIMESTAMP '2024-01-01' + to_hours({i * ROWS_PER_FILE} + h::INTEGER) AS ts, '{symbol}' AS symbol,
                h / 7 AS price FROM range({ROWS_PER_FILE}) AS r(h)) TO '{directory}/{symbol}-{i}.parquet'"""
            )
    return {symbol: [f"{directory}/{symbol}-{i}.parquet" for i in range(count)] for symbol in symbols}


def everything(port, directory):
    """Each thing that a table can do, once."""
    env, root = servers.environment(port), f"s3://{servers.BUCKET}/a 'b'/ü/prices"
    quoted = root.replace("'", "''")
    files = make_files(directory, 6, ["A", "B"])
    servers.client(port).upload_file(files["B"][0], servers.BUCKET, "in/B-0.parquet")
    servers.client(port).upload_file(files["B"][1], servers.BUCKET, "in/B-1.parquet")
    servers.client(port).upload_file(files["B"][0], servers.BUCKET, "hive/venue=x/0.parquet")
    servers.client(port).upload_file(files["B"][1], servers.BUCKET, "hive/venue=y/1.parquet")
    expected = {
        CREATE.format(root=quoted): [[root, 1, True]],
        f"SELECT count(*), sum(rows) FROM tstable_append('{quoted}', '{directory}/A-*.parquet')": [[6, 144]],
        f"SELECT count(*), sum(rows) FROM tstable_append('{quoted}', 's3://{servers.BUCKET}/in/B-?.parquet')": [[2, 48]],
        f"SELECT count(*), min(ts), max(ts) FROM tstable_scan('{quoted}') WHERE symbol = 'A' AND ts >= '2024-01-03'": [
            [96, "2024-01-03 00:00:00", "2024-01-06 23:00:00"]
        ],
        f"SELECT covered_buckets FROM tstable_coverage('{quoted}', start := '2024-01-01', until := '2024-01-03')": [[48], [48]],
        f"SELECT count(*) FROM tstable_gaps('{quoted}', start := '2024-01-01', until := '2024-01-08')": [[2]],
        f"SELECT list(operation ORDER BY version) FROM tstable_history('{quoted}')": [[["create", "append", "append"]]],
        f"COPY (SELECT TIMESTAMP '2024-02-01' + to_hours(h::INTEGER) AS ts, 'C' AS symbol, h / 7 AS price FROM range(48) r(h)) "
        f"TO 'tstable:{quoted}' (FORMAT tstable)": [[48]],
        f"SELECT count(*) FROM tstable_tag('{quoted}', 'before')": [[1]],
        f"SELECT sum(rows_deleted) FROM tstable_delete('{quoted}', start := '2024-02-01 00:00', until := '2024-02-01 12:00')": [[12]],
        f"SELECT count(*) > 0 FROM tstable_compact('{quoted}')": [[True]],
        f"SELECT count(*) FROM tstable_scan('{quoted}')": [[228]],
        f"SELECT count(*) FROM tstable_scan('{quoted}', tag := 'before')": [[240]],
        f"SELECT count(*) FILTER (problem IS NOT NULL) FROM tstable_verify('{quoted}', deep := true)": [[0]],
        f"SELECT count(*) FROM tstable_vacuum('{quoted}')": [[0]],
        f"SELECT count(*) FROM tstable_checkpoint('{quoted}')": [[1]],
        f"SELECT count(*), count(DISTINCT (symbol, ts)) FROM tstable_scan('{quoted}')": [[228, 228]],
        f"SELECT list(symbol ORDER BY symbol) FROM tstable_entities('{quoted}')": [[["A", "B", "C"]]],
        f"SELECT count(*) FROM '{quoted}'": [[228]],
        CREATE.format(root=f"{directory}/local"): [[f"{directory}/local", 1, True]],
        f"SELECT count(*), sum(rows) FROM tstable_append('{directory}/local', 's3://{servers.BUCKET}/in/*.parquet')": [[2, 48]],
        f"CALL tstable_create('{directory}/hive', time_column := 'ts', bucket := '1h', entity_columns := ['venue', 'symbol'])": [
            [f"{directory}/hive", 1, True]
        ],
        f"SELECT count(*) FROM tstable_append('{directory}/hive', 's3://{servers.BUCKET}/hive/*/*.parquet', hive := true)": [[2]],
        f"SELECT venue, count(*) FROM tstable_scan('{directory}/hive') GROUP BY venue ORDER BY venue": [["x", 24], ["y", 24]],
    }
    for (statement, wanted), found in zip(expected.items(), ask(env, *expected), strict=True):
        if found != wanted:
            sys.exit(f"{statement}\ngave {found}, not {wanted}")
    print(f"{len(expected)} statements on one table give what they give in a directory", flush=True)


def race(port, directory, processes, appends):
    """Each file lands exactly once, whoever brings it."""
    env, root = servers.environment(port), f"s3://{servers.BUCKET}/race"
    symbols = [f"W{i}" for i in range(processes)]
    files = make_files(directory, appends, symbols)
    ask(env, CREATE.format(root=root))
    began = time.monotonic()
    writers = [start(env, "append", root, "error", *files[symbol]) for symbol in symbols]
    said = [word for writer in writers for word in finish(writer)]
    took = time.monotonic() - began
    expect(f"{processes} writers of {appends} files", said, ["appended"] * processes * appends)
    check_rows(env, root, processes * appends)
    print(f"  {processes * appends / took:.1f} commits a second", flush=True)


def forked(port, directory):
    env, root = servers.environment(port), f"s3://{servers.BUCKET}/forked"
    file = make_files(directory, 1, ["F"])["F"][0]
    ask(env, CREATE.format(root=root))
    finish(start(env, "append", root, "error", file))
    expect("rows, threads left, the child's exit, the parent's rows are the same", finish(start(env, "fork", root))[0], [[[24]], 0, 0, True])


def check_rows(env, root, files):
    rows = files * ROWS_PER_FILE
    found = ask(
        env,
        f"SELECT count(*), count(DISTINCT (symbol, ts)) FROM tstable_scan('{root}')",
        f"SELECT count(*) - 1 FROM tstable_history('{root}') WHERE operation IN ('create', 'append')",
    )
    expect("rows, different ones, and appends", [*found[0][0], found[1][0][0]], [rows, rows, files])


def killed(port, directory, times):
    """A writer that is killed at any moment leaves each file loaded once or not at all, and the next goes on."""
    env, root = servers.environment(port), f"s3://{servers.BUCKET}/killed"
    files = make_files(directory, 40, ["K"])["K"]
    ask(env, CREATE.format(root=root))
    moments = random.Random(7)
    for _ in range(times):
        writer = start(env, "append", root, "skip_file", *files)
        time.sleep(0.4 + moments.random())
        writer.kill()
        writer.communicate()
    said = finish(start(env, "append", root, "skip_file", *files))
    if set(said) - {"appended", "already_loaded"}:
        sys.exit(f"after {times} kills: {set(said)}")
    check_rows(env, root, len(files))


def failing(port, directory, appends, chance):
    """Through a proxy that fails at random nothing is lost and nothing is there twice."""
    root = f"s3://{servers.BUCKET}/failing"
    symbols = ["F0", "F1", "F2"]
    files = make_files(directory, appends, symbols)
    ask(servers.environment(port), CREATE.format(root=root))
    with proxy(port, chance, seed=11) as between:
        env = servers.environment(between.server_address[1])
        writers = [start(env, "append", root, "error", *files[symbol]) for symbol in symbols]
        said = [finish(writer) for writer in writers]
        print(f"  {len(between.requests)} requests, of which every {round(1 / chance)}th failed", flush=True)
    unsure = [word for words in said for word in words if word != "appended"]
    print(f"  not said to be appended: {unsure}", flush=True)
    again = [finish(start(servers.environment(port), "append", root, "skip_file", *files[symbol])) for symbol in symbols]
    for words, later in zip(said, again, strict=True):
        for word, now in zip(words, later, strict=True):
            if word == "appended" and now != "already_loaded":
                sys.exit(f"a file that was appended is {now}")
            if word != "appended" and now == "already_loaded" and "commit unknown" not in word:
                sys.exit(f"a file is there, though the writer was told: {word}")
    check_rows(servers.environment(port), root, appends * len(symbols))


def unanswered(port, directory):
    """A commit that was carried out, and whose answer is lost or is that of a repetition, each time: the writer finds out that it is its own."""
    files = make_files(directory, 4, ["U"])["U"]
    for fault in ["cut after", "503 after", "repeat"]:
        root = f"s3://{servers.BUCKET}/unanswered-{fault.replace(' ', '-')}"
        ask(servers.environment(port), CREATE.format(root=root))
        with proxy(port, 1.0, faults=[fault], only=r"^PUT .*_timeseries_log/\d+\.json") as between:
            env = servers.environment(between.server_address[1])
            expect(f"commits of which the answer is: {fault}", finish(start(env, "append", root, "error", *files)), ["appended"] * 4)
        check_rows(servers.environment(port), root, 4)


def round_trips(port, directory):
    """What a question costs in requests that follow each other; those that are made at once count as one."""
    root = f"s3://{servers.BUCKET}/trips"
    files = make_files(directory, 61, ["T"])["T"]
    ask(servers.environment(port), CREATE.format(root=root))
    finish(start(servers.environment(port), "append", root, "error", *files))
    latency = 0.1
    with proxy(port, latency=latency) as between:
        env = servers.environment(between.server_address[1])
        for statement, most in [
            (f"SELECT count(*) FROM tstable_history('{root}') WHERE version = 0", None),
            (f"SELECT version FROM tstable_info('{root}')", 5),
            (f"FROM tstable_coverage('{root}', start := '2024-01-01', until := '2024-03-01')", 5),
        ]:
            between.requests.clear()
            began = time.monotonic()
            ask(env, statement)
            print(f"  {len(between.requests)} requests, {time.monotonic() - began:.2f} s: {statement}", flush=True)
            if most is not None and len({r for r in between.requests}) > 61 + most:
                sys.exit(f"{statement}: {len(between.requests)} requests")


def refusals(port, directory, server):
    env, root = servers.environment(port), f"s3://{servers.BUCKET}/refusals"
    file = make_files(directory, 1, ["R"])["R"][0]
    ask(env, CREATE.format(root=root))
    refused(env, "FROM tstable_scan('s3://nobodys-bucket/prices')", "tstable not found", "nobodys-bucket")
    if server != "seaweed":  # It makes a bucket for whoever writes to it.
        refused(env, CREATE.format(root="s3://nobodys-bucket/prices"), "tstable not found", "nobodys-bucket")
    refused(env, "FROM tstable_scan('s3://market/ready')", "tstable not found", "s3://market/ready", "tstable_create")
    refused(env, "FROM tstable_scan('s3://')", "tstable invalid argument", "names no bucket")
    refused(env, f"CALL tstable_append('{root}', '{file}', mode := 'link')", "mode := 'copy'")
    servers.client(port).upload_file(file, servers.BUCKET, "in/R-0.parquet")
    refused(env, f"CALL tstable_append('{root}', '{file}', mode := 'adopt')", "mode := 'copy'")
    refused(env, f"CALL tstable_append('{root}', 's3://market/in/R-0.parquet', mode := 'move')", "mode := 'copy'")
    refused(env, f"CALL tstable_drop('{root}', confirm := true)", "object store")
    refused(env, "FROM tstable_list('s3://market')", "tstable invalid argument", "object store")
    refused(env, f"FROM tstable_import('s3://market/in', '{directory}/imported')", "tstable invalid argument", "object store")
    refused(env, f"FROM tstable_scan('s3://market/refusals*')", "s3://market/refusals*")
    page = Path(directory) / "page.html"
    ask(env, f"CALL tstable_append('{root}', '{file}')")
    ask(env, f"FROM tstable_report('{root}', '{page}')")
    expect("a report of a table in a store is a page here", "<html" in page.read_text().lower(), True)
    refused(env, f"CALL tstable_append('{root}', 's3://market/none.parquet')", "tstable not found", "s3://market/none.parquet")
    refused(env, f"CALL tstable_append('{root}', 's3://market/none/*.parquet')", "tstable not found", "s3://market/none/*.parquet")
    if server != "moto":  # It lets everybody in.
        refused(env | {"AWS_SECRET_ACCESS_KEY": "WRONGSECRET"}, f"FROM tstable_scan('{root}')", "tstable io", root, "credentials")
        refused(env | {"AWS_ACCESS_KEY_ID": "NOBODY"}, f"FROM tstable_scan('{root}')", "tstable io", "credentials")
    plain = {name: value for name, value in env.items() if name != "AWS_ALLOW_HTTP"}
    refused(plain, f"FROM tstable_scan('{root}')", "tstable invalid argument", "AWS_ALLOW_HTTP=true")
    refused(env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, f"FROM tstable_scan('{root}')", "nobody answers", "AWS_ENDPOINT_URL")
    refused(env | {"AWS_PROFILE": "none"}, f"FROM tstable_scan('{root}')", "tstable invalid argument", "'none'")
    print("what cannot be is refused with reasons", flush=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that knows nothing of ranges."""

    def log_message(self, *arguments):
        pass


def web(directory):
    """Files of a web server are loaded as files of this machine are, and what the server has not is told."""
    root = f"{directory}/table"
    make_files(directory, 2, ["A"])
    handler = functools.partial(Quiet, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place, env = f"http://127.0.0.1:{server.server_address[1]}", servers.environment(1)
        ask(env, CREATE.format(root=root))
        refused(env, f"CALL tstable_append('{root}', '{place}/none.parquet')", "tstable not found", f"{place}/none.parquet")
        refused(env, f"CALL tstable_append('{root}', '{place}/A-0.parquet', mode := 'link')", "mode := 'copy'")
        refused(env, f"CALL tstable_append('{root}', '{place}/*.parquet')", "tstable invalid argument", "name each file")
        refused(env, f"CALL tstable_create('{place}/t', time_column := 'ts', bucket := '1h')", "tstable invalid argument")
        found = ask(
            env,
            f"SELECT list(status), sum(rows) FROM tstable_append('{root}', ['{place}/A-0.parquet', '{place}/A-1.parquet'])",
            f"SELECT status FROM tstable_append('{root}', '{place}/A-0.parquet', on_overlap := 'skip_file')",
            f"SELECT count(*), count(DISTINCT ts) FROM tstable_scan('{root}')",
        )
        server.shutdown()
    expect("files from the web", found, [[[["appended", "appended"], 48]], [["already_loaded"]], [[48, 48]]])


def careless():
    """A store that would lose versions is found out when a table is made, and nothing stays there."""
    with between_them.careless() as store:
        env = servers.environment(store.server_address[1])
        refused(env, CREATE.format(root="s3://market/prices"), "tstable invalid argument", "If-None-Match", "no table can be kept there")
        expect("left in a store without conditional creation", sorted(Careless.objects), [])


def contract(port):
    """The contract of a storage, as the tests of the core check it."""
    place = f"s3://{servers.BUCKET}/contract"
    command = ["cargo", "test", "-q", "--features", "remote", "--workspace", "--test", "safety", "storages"]
    subprocess.run(command, cwd=ROOT, env=servers.environment(port) | {"TSTABLE_TEST_STORE": place, "HOME": os.environ["HOME"]}, check=True)


def main():
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")]
    if not wanted or "careless" in wanted:
        careless()
    if not wanted or "web" in wanted:
        with tempfile.TemporaryDirectory() as files:
            web(files)
    with tempfile.TemporaryDirectory() as top:
        for server in [servers.seaweed, servers.moto] if LONG else [servers.seaweed]:
            place = Path(top) / server.__name__
            place.mkdir()
            with server(place) as port:
                for part in [
                    lambda files: contract(port),
                    lambda files: everything(port, files),
                    lambda files: race(port, files, 8, 25 if LONG else 3),
                    lambda files: forked(port, files),
                    lambda files: killed(port, files, 50 if LONG else 5),
                    lambda files: failing(port, files, 30 if LONG else 5, 0.1),
                    lambda files: unanswered(port, files),
                    lambda files: round_trips(port, files),
                    lambda files: refusals(port, files, server.__name__),
                ]:
                    name = part.__code__.co_names[0]
                    if wanted and name not in wanted:
                        continue
                    print(f"{server.__name__}: {name}", flush=True)
                    with tempfile.TemporaryDirectory() as files:
                        part(files)


if __name__ == "__main__":
    main()
