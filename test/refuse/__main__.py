"""Systems that refuse, met by DuckDB itself: a full disk, a read-only one, missing permission, no file handles left; and single
calls that fail where nothing should. Each must be a clean
error, leave DuckDB alive and nothing visible, and be over when the system gives way."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from slt.hosts import find

TESTED = [find("newest"), find("duckdb-1.5.6")]
IO = "tstable io"

# Every line of the plan is a list: SQL with its parameters, or the name of something to do first. What is answered for each is the first
# row or the error.
PROGRAM = """
import json, os, sys
import duckdb
extension, plan = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1})
connection.execute(f"LOAD '{extension}'")
held = []
def hold():
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
answers = []
for what, *parameters in json.loads(plan):
    if what == "hold files":
        hold()
    elif what == "release files":
        while held:
            os.close(held.pop())
    elif what == "be nobody":
        # Root is refused nothing. Not before all is loaded, which parameters make sure of: nobody may not read every Python.
        connection.execute("SELECT ?, ?", ["text", 1]).fetchone()
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    elif what == "fail":
        os.environ["TSTABLE_TEST_FAIL"] = parameters[0]
    elif what == "mkdir":
        os.mkdir(parameters[0])
    elif what == "chmod":
        os.chmod(parameters[0], parameters[1])
    else:
        try:
            row = connection.execute(what, parameters).fetchone()
            answers.append([str(value) for value in row or []])
        except Exception as error:
            answers.append(str(error))
print(json.dumps(answers))
"""

CREATE = "CALL tstable_create(?, time_column := 'ts', bucket := '1h')"
APPEND = "SELECT status FROM tstable_append(?, ?)"
COUNT = "SELECT count(*) FROM tstable_scan(?)"
VERSION = "SELECT version FROM tstable_info(?)"
SOUND = "SELECT count(*) FROM tstable_verify(?, deep := true) WHERE NOT ok AND what <> 'file'"
WRITES = [
    APPEND,
    "FROM tstable_delete(?, '2024-01-01', '2024-01-01 01:00')",
    "FROM tstable_tag(?, 'name')",
    "FROM tstable_checkpoint(?)",
    "FROM tstable_compact(?)",
]


def in_duckdb(host, plan, **options):
    command = [str(host.bin / "python"), "-c", PROGRAM, str(host.extension), json.dumps(plan)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, **options)
    if done.returncode != 0:
        sys.exit(f"{host.name}: the process ended with {done.returncode}")
    return json.loads(done.stdout)


def files_of(host, directory):
    """Parquet files of a day each: 24 rows, and one that is large."""
    rows = "SELECT TIMESTAMP '2024-01-01' + to_hours(i + {}) AS ts, random() AS x FROM range({}) AS r(i)"
    files = {name: str(directory / f"{name}.parquet") for name in ["first", "second", "large"]}
    sizes = {"first": (0, 24), "second": (24, 24), "large": (48, 20_000)}
    in_duckdb(host, [[f"COPY ({rows.format(*sizes[name])}) TO '{path}'"] for name, path in files.items()])
    return files


def writes(root, file):
    return [[sql, root, file] if sql is APPEND else [sql, root] for sql in WRITES]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, expected {wanted}")


def refused(what, answers):
    """Every write is refused; compacting one segment has nothing to write."""
    for sql, answer in zip(WRITES, answers, strict=True):
        if not (isinstance(answer, str) and IO in answer) and "compact" not in sql:
            sys.exit(f"{what}: {sql} answered {answer}")


@contextmanager
def mounted(options):
    """A small file system of its own; none where the system does not allow it."""
    with tempfile.TemporaryDirectory() as directory:
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory]
        if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            yield None
            return
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


def test_full_disk(host, files):
    with mounted("size=200k") as disk:
        if disk is None:
            return "skipped: this needs the right to mount a small file system"
        root = str(disk / "table")
        answers = in_duckdb(host, [[CREATE, root], [APPEND, root, files["first"]], [APPEND, root, files["large"]], [COUNT, root], [VERSION, root]])
        if IO not in answers[2]:
            sys.exit(f"a large file fits a full disk: {answers}")
        expect("after it", answers[3:], [["24"], ["2"]])
        expect("later", in_duckdb(host, [[APPEND, root, files["second"]], [COUNT, root], [SOUND, root]]), [["appended"], ["48"], ["0"]])
        left = [name.name for name in (disk / "table" / "data").iterdir() if name.name.startswith(".tmp-")]
        expect("left behind", left, [])
    return "refused, and appended to again"


def test_read_only(host, files):
    with mounted("size=4m") as disk:
        if disk is None:
            return "skipped: this needs the right to mount a small file system"
        root = str(disk / "table")
        in_duckdb(host, [[CREATE, root], [APPEND, root, files["first"]]])
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        plan = [*writes(root, files["second"]), [CREATE, str(disk / "other")], [COUNT, root], [SOUND, root]]
        *answers, create, count, sound = in_duckdb(host, plan)
        refused("read-only", answers)
        if IO not in create:
            sys.exit(f"creating on a read-only disk answered {create}")
        expect("reading", [count, sound], [["24"], ["0"]])
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        expect("later", in_duckdb(host, [[APPEND, root, files["second"]], [COUNT, root]]), [["appended"], ["48"]])
    return "refused, read, and appended to again"


def test_permission(host, files):
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        root = f"{directory}/table"
        plan = [["be nobody"], [CREATE, root], [APPEND, root, files["first"]]]
        for part in ["data", "_timeseries_log"]:
            plan += [["chmod", f"{root}/{part}", 0o555], [APPEND, root, files["second"]], [COUNT, root], ["chmod", f"{root}/{part}", 0o755]]
        plan += [["chmod", f"{root}/_timeseries_log", 0], [COUNT, root], ["chmod", f"{root}/_timeseries_log", 0o755]]
        plan += [[APPEND, root, files["second"]], [COUNT, root], [SOUND, root]]
        plan += [["chmod", f"{root}/data", 0o755], ["chmod", f"{directory}/closed", 0]]
        plan += [["SELECT count(*) FILTER (version > 0), count(*) FILTER (properties['tstable.error'] LIKE 'tstable io: %') FROM tstable_list(?)", directory]]
        plan[1:1] = [["mkdir", f"{directory}/closed"]]
        answers = in_duckdb(host, plan)[2:]
        expect("listing", answers.pop(), ["1", "1"])
        for at in [0, 2, 4]:
            if IO not in answers[at]:
                sys.exit(f"without permission: {answers}")
        expect("meanwhile", [answers[1], answers[3]], [["24"], ["24"]])
        expect("later", answers[5:], [["appended"], ["48"], ["0"]])
    return "refused, and appended to again"


def test_no_file_handles(host, files):
    with tempfile.TemporaryDirectory() as directory:
        root = f"{directory}/table"
        plan = [[CREATE, root], [APPEND, root, files["first"]], ["hold files"], *writes(root, files["second"]), [COUNT, root]]
        plan += [["release files"], [COUNT, root], [VERSION, root], [APPEND, root, files["second"]], [COUNT, root], [SOUND, root]]
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))  # noqa: E731
        answers = in_duckdb(host, plan, preexec_fn=limit)[2:]
        refused("without file handles", answers[:5])
        if answers[5] != ["24"] and IO not in answers[5]:
            sys.exit(f"counting without file handles answered {answers[5]}")
        expect("later", answers[6:], [["24"], ["2"], ["appended"], ["48"], ["0"]])
    return "refused, and appended to again"


def refusing_calls(directory):
    """The environment in which "fail" makes single calls of the extension fail; none without a C compiler that makes such a library."""
    library = Path(directory) / "refusing.so"
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(Path(__file__).with_name("refusing.c")), "-ldl"]
    if not sys.platform.startswith("linux") or subprocess.run(command).returncode != 0:
        return None
    return {**os.environ, "LD_PRELOAD": str(library)}


def test_commit_unknown(host, files):
    """The commit has its name and nobody can say whether it is durable: an error that says so, and the next call finds out."""
    with tempfile.TemporaryDirectory() as directory:
        env = refusing_calls(directory)
        if env is None:
            return "skipped: this needs Linux and a C compiler"
        root = f"{directory}/table"
        again = "SELECT status FROM tstable_append(?, ?, on_overlap := 'skip_file')"
        plan = [[CREATE, root], [APPEND, root, files["first"]], ["fail", "sync of the log"], [APPEND, root, files["second"]], ["fail", ""]]
        plan += [[again, root, files["second"]], [COUNT, root], [SOUND, root]]
        unknown, *later = in_duckdb(host, plan, env=env)[2:]
        if "tstable commit unknown: " not in unknown or "INTERNAL" in unknown:
            sys.exit(f"a commit whose directory could not be synced answered {unknown}")
        expect("later", later, [["already_loaded"], ["48"], ["0"]])
    return "said so, and found out"


def test_defect(host, files):
    """What cannot be has happened: an ordinary error that asks for a report, and DuckDB and the table live on."""
    with tempfile.TemporaryDirectory() as directory:
        env = refusing_calls(directory)
        if env is None:
            return "skipped: this needs Linux and a C compiler"
        root = f"{directory}/table"
        plan = [[CREATE, root], [APPEND, root, files["first"]], ["fail", "clock"], [APPEND, root, files["second"]], ["fail", ""]]
        plan += [[APPEND, root, files["second"]], [COUNT, root], [SOUND, root]]
        defect, *later = in_duckdb(host, plan, env=env)[2:]
        if "tstable internal: " not in defect or "please report it" not in defect or "INTERNAL" in defect:
            sys.exit(f"a defect answered {defect}")
        expect("later", later, [["appended"], ["48"], ["0"]])
    return "told as an error, and appended to again"


def main():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        files = files_of(TESTED[0], Path(directory))
        for host in TESTED:
            for test in [test_full_disk, test_read_only, test_permission, test_no_file_handles, test_commit_unknown, test_defect]:
                print(f"{host.name}, {test.__name__.removeprefix('test_').replace('_', ' ')}: {test(host, files)}")


if __name__ == "__main__":
    main()
