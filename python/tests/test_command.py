"""The command line: the ancestor's words, three formats, exit codes."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time

import duckdb
import pytest

import tstable
from tstable import _command, _progress


def run(capsys, *words):
    code = _command.main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_table_is_made_loaded_and_queried(prices, capsys):
    code, out, _ = run(capsys, "create", "--table", "t/my prices", "--time-column", "ts", "--bucket", "1h", "--entity-column", "symbol", "--timezone", "UTC")
    assert (code, out.split()[:3]) == (0, ["root", "version", "created"])
    code, out, _ = run(capsys, "append", "--table", "t/my prices", "--parquet", "day1.parquet", "day2.parquet", "--format", "csv")
    assert code == 0
    assert [row["status"] for row in csv.DictReader(io.StringIO(out))] == ["appended", "appended"]
    code, out, _ = run(capsys, "query", "--table", "t/my prices", "--sql", 'SELECT symbol, count(*) AS n FROM "my prices" GROUP BY 1 ORDER BY 1;')
    assert (code, out) == (0, "symbol  n\n------  --\nAMD     43\nNVDA    48\n")


@pytest.mark.parametrize("command", ["coverage", "gaps", "verify"])
def test_each_format_tells_the_same(prices, capsys, command):
    _, text, _ = run(capsys, command, "--table", "prices", "--format", "csv")
    _, listed, _ = run(capsys, command, "--table", "prices", "--format", "json")
    _, lines, _ = run(capsys, command, "--table", "prices", "--format", "jsonl")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows and [list(row) for row in rows] == [list(row) for row in json.loads(listed)]
    assert json.loads(listed) == [json.loads(line) for line in lines.splitlines()]
    assert len(rows) == len(json.loads(listed))


def test_gaps_are_those_of_sql(prices, capsys):
    code, out, _ = run(capsys, "gaps", "--table", "prices", "--start", "2024-06-01", "--until", "2024-06-03", "--format", "json")
    assert (code, json.loads(out)) == (0, [{"symbol": "AMD", "gap_start": "2024-06-02 09:00:00", "gap_end": "2024-06-02 14:00:00",
                                            "buckets": 5, "duration": "05:00:00", "position": "inner"}])  # fmt: skip
    assert json.loads(run(capsys, "gaps", "--table", "prices", "--min-buckets", "6", "--format", "json")[1]) == []


def test_verify_says_in_its_exit_code_whether_something_is_damaged(prices, capsys):
    code, out, _ = run(capsys, "verify", "--table", "prices")
    assert code == 0 and out.endswith(" looked at, 0 damaged\n")
    [first, _] = sorted(os.listdir("prices/data"))
    os.truncate(f"prices/data/{first}", 10)
    code, out, _ = run(capsys, "verify", "--table", "prices", "--deep")
    assert code == 3 and f"data/{first}" in out and not out.endswith(" 0 damaged\n")


def test_a_report_is_written_beside_or_where_asked(prices, capsys):
    assert run(capsys, "report", "--table", "prices")[0] == 0
    assert run(capsys, "report", "--table", "prices", "--html", "other.html")[0] == 0
    assert os.path.getsize("prices.html") == os.path.getsize("other.html") > 1000


def test_what_is_refused_is_one_message_and_exit_code_1(prices, capsys):
    code, out, err = run(capsys, "append", "--table", "prices", "--parquet", "day1.parquet")
    assert (code, out) == (1, "") and err.startswith("tstable overlap: 24 buckets of symbol=")
    code, _, err = run(capsys, "query", "--table", "prices", "--sql", "SELEC")
    assert code == 1 and err.startswith("Parser Error")
    code, _, err = run(capsys, "coverage", "--table", "nowhere")
    assert code == 1 and "there is no table at 'nowhere'" in err


def test_messages_speak_the_words_of_the_command_line(prices, capsys):
    words = ["--table", "prices", "--time-column", "ts", "--bucket", "1h", "--entity-column", "symbol"]
    assert run(capsys, "create", *words)[2].rstrip().endswith("use --if-not-exists to accept it when it is the same")
    assert "use --on-overlap skip_file to skip such files" in run(capsys, "append", "--table", "prices", "--parquet", "day1.parquet")[2]
    assert "'python -m tstable create' makes one" in run(capsys, "gaps", "--table", "nowhere")[2]
    refused = run(capsys, "gaps", "--table", "prices", "--start", "2024-06-03", "--until", "2024-06-01")[2]
    assert refused.startswith("tstable invalid argument: --start 2024-06-03 is not before --until 2024-06-01;")
    in_sql = run(capsys, "query", "--table", "prices", "--sql", "FROM tstable_gaps('prices', start := '2024-06-03', until := '2024-06-01')")[2]
    assert "start := '2024-06-03' is not before" in in_sql


def test_a_query_is_refused_in_its_own_words(prices, capsys):
    for form in ("table", "csv", "json"):
        code, out, err = run(capsys, "query", "--table", "prices", "--sql", "SELECT nope FROM prices", "--format", form)
        assert (code, out) == (1, "") and '"nope" not found' in err
        assert "CAST" not in err and "to_json" not in err
    code, _, err = run(capsys, "query", "--table", "prices", "--sql", " ; ")
    assert (code, err) == (1, "tstable invalid argument: the query is empty; give a statement, as in --sql 'SELECT count(*) FROM prices'\n")


def test_what_is_refused_leaves_the_output_file_as_it_is(prices, capsys):
    with open("out.csv", "w") as file:
        file.write("kept")
    assert run(capsys, "gaps", "--table", "nowhere", "--output", "out.csv")[0] == 1
    with open("out.csv") as file:
        assert file.read() == "kept"
    assert run(capsys, "gaps", "--table", "prices", "--min-buckets", "9", "--output", "out.csv", "--format", "jsonl")[0] == 0
    assert os.path.getsize("out.csv") == 0
    code, _, err = run(capsys, "gaps", "--table", "prices", "--output", "no/where.csv")
    assert (code, err) == (1, "tstable io: cannot write 'no/where.csv': No such file or directory\n")


def test_a_dry_run_tells_what_an_append_would_do(prices, capsys):
    code, out, _ = run(capsys, "append", "--table", "prices", "--parquet", "day1.parquet", "--on-overlap", "skip_file", "--dry-run", "--format", "json")
    assert code == 0 and {row["status"] for row in json.loads(out)} == {"already_loaded"}
    code, out, _ = run(capsys, "append", "--table", "prices", "--parquet", "day1.parquet", "--dry-run", "--format", "json")
    assert code == 0 and [row["covered_buckets"] for row in json.loads(out)] == [24, 24]
    assert prices.execute("SELECT version FROM tstable_info('prices')").fetchall() == [(2,)]


def test_what_other_programs_left_is_imported(prices, capsys):
    prices.execute("COPY (FROM 'day1.parquet') TO 'lake' (FORMAT parquet, PARTITION_BY (symbol))")
    code, out, _ = run(capsys, "import", "--source", "lake", "--table", "new", "--bucket", "1h", "--format", "json")
    assert code == 0 and [(row["kind"], row["rows"]) for row in json.loads(out)] == [("Hive folder", 48)]
    code, _, err = run(capsys, "import", "--source", "lake", "--table", "new")
    assert code == 1 and err.startswith("tstable already exists:")


def test_a_plan_is_shown_when_asked_for_and_nothing_runs(prices, capsys):
    code, out, _ = run(capsys, "query", "--table", "prices", "--sql", "SELECT count(*) FROM prices", "--explain")
    assert code == 0 and "TSTABLE_SCAN" in out


def test_the_version_names_both_programs(capsys):
    with pytest.raises(SystemExit) as caught:
        _command.main(["--version"])
    assert caught.value.code == 0 and capsys.readouterr().out == f"tstable {tstable.__version__}, DuckDB {duckdb.__version__}\n"


def test_every_command_of_sql_is_one_here():
    commands = next(action.choices for action in _command._parser()._actions if hasattr(action, "choices") and action.choices)
    assert {*_command.COMMANDS, "query"} == set(commands)


def test_a_line_that_is_not_understood_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as caught:
        _command.main(["create", "--table", "t"])
    assert caught.value.code == 2 and "--time-column" in capsys.readouterr().err


def test_the_ancestors_names_of_options_are_understood(here, capsys):
    words = ["--index-column", "n", "--bucket-width", "100", "--entity", "a", "--entity", "b"]
    assert run(capsys, "create", "--table", "t", *words)[0] == 0
    code, _, err = run(capsys, "create", "--table", "t", *words, "--if-not-exists")
    assert (code, err) == (0, "")


def test_any_statement_can_be_run_and_output_may_go_to_a_file(prices, capsys):
    for sql, expected in [
        ("CALL tstable_tag('prices', 'first')", "name,tagged_version,version\nfirst,2,3\n"),
        ("CREATE TABLE t AS FROM prices; SELECT count(*) AS n FROM t -- all", "n\n91\n"),
        ("SELECT NULL AS a, 'x,y' AS b, [1, 2] AS c", 'a,b,c\n,"x,y","[1, 2]"\n'),
        ("SET threads = 1", ""),
    ]:
        code, out, err = run(capsys, "query", "--table", "prices", "--sql", sql, "--format", "csv")
        assert (code, err) == (0, "")
        assert out.strip() == expected.strip() or sql.startswith("SET")
    code, out, err = run(capsys, "query", "--table", "prices", "--sql", "FROM prices", "--format", "jsonl", "--output", "all.jsonl", "--timing")
    assert (code, out) == (0, "") and err.startswith("elapsed: ")
    with open("all.jsonl") as file:
        assert len(file.readlines()) == 91


def test_a_statement_with_effects_runs_once(prices, capsys):
    for form in ("table", "csv", "json"):
        before = prices.execute("SELECT version FROM tstable_info('prices')").fetchone()[0]
        sql = f"CALL tstable_set('prices', 'note', '{form}')"
        assert run(capsys, "query", "--table", "prices", "--sql", sql, "--format", form)[0] == 0
        assert prices.execute("SELECT version FROM tstable_info('prices')").fetchone()[0] == before + 1


def test_what_would_move_the_cursor_is_shown_instead(prices, capsys):
    _, out, _ = run(capsys, "query", "--table", "prices", "--sql", "SELECT chr(27) || '[2J' AS a, 'two' || chr(10) || 'lines' AS b, '東' AS c")
    assert out == "a        b      c\n-------  -----  --\n\\x1b[2J  two    東\n         lines\n"


def test_the_module_runs_as_a_program_and_a_reader_may_stop_reading(prices):
    words = [sys.executable, "-m", "tstable", "query", "--table", "prices", "--sql", "FROM range(1000000)", "--format", "csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "range\n"
        program.stdout.close()
        assert program.wait(60) == 0
        assert program.stderr.read() == ""


def test_the_bar_shows_how_far_and_how_long():
    assert _progress._line("appending", 50.0, 3.2) == "appending  ███████████████···············  50 %  3 s"
    assert _progress._line("appending", -1.0, 12.0) == "appending  12 s"


def test_long_work_shows_a_line_on_a_terminal_and_takes_it_away(prices):
    sql = "SELECT sum(sqrt(a.range * b.range)) FROM range(100000) a, range(4000) b"
    words = [sys.executable, "-m", "tstable", "query", "--table", "prices", "--sql", sql]
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs) as program:
        os.close(theirs)
        shown = b""
        while True:
            try:
                read = os.read(ours, 4096)
            except OSError:
                break
            if not read:
                break
            shown += read
        assert program.wait(120) == 0
    os.close(ours)
    assert b"querying  " in shown and shown.endswith(b"\r\x1b[K")


def test_ctrl_c_ends_a_long_statement(prices):
    # Some hundred seconds of work, in which DuckDB's own client does not look for the signal.
    query = "SELECT sum(sqrt(a.range * b.range)) FROM range(100000) a, range(100000) b, prices"
    words = [sys.executable, "-m", "tstable", "query", "--table", "prices", "--sql", query]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    assert running.poll() is None
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, message = running.communicate(timeout=60)
    assert (running.returncode, message.strip().splitlines()[-1]) == (130, "tstable: interrupted")
    assert time.monotonic() - began < 5
