"""Every kind has a class, and the facts of a message are fields."""

import pickle
import re
from pathlib import Path

import duckdb
import pytest

import tstable

REPOSITORY = Path(__file__).resolve().parents[2]
CLASSES = [cls for cls in tstable.Error.__subclasses__() if cls is not tstable.LoadError]


def test_every_kind_of_the_core_and_of_the_documents_has_one_class():
    source = (REPOSITORY / "core/src/error.rs").read_text()
    labels = re.findall(r'Self::\w+ => "([a-z ]+)"', source)
    documented = re.findall(r"^\| `tstable ([a-z ]+):` \|", (REPOSITORY / "docs/SQL.md").read_text(), re.MULTILINE)
    assert len(labels) >= 12
    assert sorted(labels) == sorted(documented) == sorted(cls.kind for cls in CLASSES)
    for label in labels:
        error = tstable.translate(duckdb.InvalidInputException(f"Invalid Input Error: tstable {label}: no"))
        assert (error.kind, error.message, str(error)) == (label, "no", f"tstable {label}: no")
        assert type(error).__name__.removesuffix("Error").lower() == label.replace(" ", "")
        assert getattr(tstable, type(error).__name__) is type(error)


@pytest.mark.parametrize("name", ["IO", "Invalid Input", "TransactionContext", "Not implemented", "INTERRUPT", "Binder", "Out of Range"])
def test_every_class_of_duckdb_may_stand_before_the_kind(name):
    error = tstable.translate(duckdb.Error(f"{name} Error: tstable io: no\n\nLINE 1: FROM x\n             ^"))
    assert (type(error), error.message) == (tstable.IoError, "no")


def test_an_overlap_has_its_facts_as_fields(prices):
    with pytest.raises(tstable.OverlapError) as caught, tstable.errors("prices"):
        prices.execute("CALL tstable_append('prices', 'day2.parquet')")
    error = caught.value
    assert (error.kind, error.root, error.file) == ("overlap", "prices", "day2.parquet")
    assert (error.entity, error.buckets, error.version) == ({"symbol": "AMD"}, 43, 2)
    assert isinstance(error.__cause__, duckdb.Error)
    assert isinstance(error, duckdb.Error)


def test_entities_keep_their_types_and_odd_texts():
    text = "5 buckets of symbol='O''Neil, (x)=1', venue=-3 are already covered by data/ab.parquet (version 7), first [2024-01-01 00:00, 01:00); nothing"
    error = tstable.OverlapError(text)
    assert (error.entity, error.buckets, error.version) == ({"symbol": "O'Neil, (x)=1", "venue": -3}, 5, 7)


def test_missing_coverage_names_entity_and_buckets(prices):
    with pytest.raises(tstable.NotFoundError) as caught, tstable.errors():
        prices.execute("FROM tstable_scan('prices', start := '2024-06-01', until := '2024-06-03', require := 'full')")
    assert (caught.value.entity, caught.value.buckets) == ({"symbol": "AMD"}, 5)


def test_a_table_that_is_not_there_is_named(con):
    with pytest.raises(tstable.NotFoundError) as caught, tstable.errors():
        con.execute("FROM tstable_scan('no where')")
    assert (caught.value.root, caught.value.buckets, caught.value.entity) == ("no where", None, None)
    assert "LINE 1" not in str(caught.value)


def test_a_file_that_is_damaged_is_named(prices):
    Path("broken (1).parquet").write_bytes(b"PAR1")
    with pytest.raises(tstable.Error) as caught, tstable.errors():
        prices.execute("CALL tstable_append('prices', 'broken (1).parquet')")
    assert caught.value.file == "broken (1).parquet"


def test_a_damaged_segment_is_named_with_its_version(prices):
    (segment, *_) = tstable.segments(prices, "prices")
    Path(segment).write_bytes(b"")
    with pytest.raises(tstable.CorruptError) as caught, tstable.errors():
        prices.execute("SELECT sum(close) FROM tstable_scan('prices')").fetchall()
    assert (Path("prices", caught.value.file).resolve(), caught.value.version) == (Path(segment), 2)


def test_a_cause_behind_the_context_does_not_get_into_the_fields():
    error = tstable.CorruptError("the commit is cut off (path _timeseries_log/0000000002.json, version 2): EOF while (x) at line 1 column 40")
    assert (error.file, error.version) == ("_timeseries_log/0000000002.json", 2)


def test_what_others_raise_stays_as_it_is(con):
    with pytest.raises(duckdb.ParserException), tstable.errors():
        con.execute("SELEC")
    quoted = duckdb.InvalidInputException("Invalid Input Error: could not cast 'tstable overlap: 1 bucket' to INTEGER")
    assert tstable.translate(quoted) is quoted


def test_errors_can_be_sent_to_another_process():
    error = pickle.loads(pickle.dumps(tstable.OverlapError("2 buckets are already covered by the table", root="prices")))
    assert (type(error), error.buckets, error.root) == (tstable.OverlapError, 2, "prices")
