"""Which package is taken for which DuckDB, and what is said where none fits."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import tstable
from tstable import _loading
from tstable._packages import packages

REPOSITORY = Path(__file__).resolve().parents[2]


def package_file(package):
    return Path(_loading.__file__).parent / "_packages" / package.name / "tstable.duckdb_extension"


def test_connect_gives_a_connection_with_the_extension():
    with tstable.connect() as con:
        assert con.execute("SELECT tstable_version()").fetchone()[0].startswith(f"tstable {tstable.__version__}")


def test_connect_passes_the_config_on_and_keeps_it(here):
    with tstable.connect("file.db", config={"threads": "1"}) as con:
        assert con.execute("SELECT current_setting('threads')").fetchone() == (1,)
    with tstable.connect(Path("file.db"), read_only=True) as con:
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("CREATE TABLE t(i INTEGER)")


def test_load_returns_the_connection_and_may_be_called_again():
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    assert tstable.load(con) is con
    assert tstable.load(con.cursor()).execute("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'tstable_scan'").fetchone()[0] > 0


def test_a_plain_connection_is_told_which_config_is_missing_and_what_to_type():
    with pytest.raises(tstable.LoadError) as caught:
        tstable.load(duckdb.connect())
    assert "duckdb.connect(config={'allow_unsigned_extensions': 'true'})" in str(caught.value)
    assert "tstable.connect()" in str(caught.value)
    assert isinstance(caught.value, duckdb.Error)


def test_the_package_of_each_known_version_is_the_one_of_the_table():
    for version in packages.table()["versions"]:
        path = tstable.extension_path(version)
        assert path.parent.name == packages.choose(version).name
        assert tstable.extension_path("v" + version) == path
    assert tstable.extension_path() == tstable.extension_path(duckdb.__version__)


def test_a_version_that_nobody_knows_yet_gets_the_newest_stable_package():
    newest = max((package for package in packages.packages() if not package.only), key=lambda package: package.first)
    assert tstable.extension_path("2.9.9").parent.name == newest.name
    assert tstable.extension_path("v3.0.0-dev12").parent.name == newest.name


def test_a_version_before_the_first_is_refused_with_what_to_type():
    with pytest.raises(tstable.LoadError, match=r"serves DuckDB 1\.4\.0 and later, not 1\.3\.2; type: pip install --upgrade duckdb"):
        tstable.extension_path("1.3.2")


def test_what_is_no_version_is_refused():
    with pytest.raises(tstable.LoadError, match="'newest' is not a version of DuckDB"):
        tstable.extension_path("newest")


def test_a_wheel_of_another_platform_says_so(monkeypatch):
    monkeypatch.setattr(_loading, "PLATFORM", "osx_arm64")
    with pytest.raises(tstable.LoadError, match=r"wheel is for osx_arm64 and this DuckDB for \w+; type: make wheel"):
        tstable.connect()


def test_a_wheel_without_the_package_of_this_host_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(_loading, "_FILES", tmp_path)
    with pytest.raises(tstable.LoadError, match="lacks the package .*; type: pip install --force-reinstall tstable"):
        tstable.connect()


def test_a_package_of_another_version_is_refused_by_duckdb_and_not_loaded(monkeypatch):
    other = next(package for package in packages.packages() if package.only and f"v{duckdb.__version__}" != package.name)
    path = package_file(other)
    monkeypatch.setattr(_loading, "extension_path", lambda version: path)
    with pytest.raises(tstable.LoadError, match=f"does not take .*{other.name}"):
        tstable.connect()


def test_every_package_in_this_duckdb_either_works_or_is_refused_in_words():
    for package in packages.packages():
        script = (
            "import duckdb, sys\n"
            "con = duckdb.connect(config={'allow_unsigned_extensions': 'true'})\n"
            "try:\n    con.load_extension(sys.argv[1])\nexcept duckdb.Error as error:\n    print('refused', error)\n"
            "else:\n    print(con.execute('SELECT tstable_version()').fetchone()[0])\n"
        )
        done = subprocess.run([sys.executable, "-c", script, package_file(package)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (package.name, done.stderr)
        assert package.serves(duckdb.__version__) == done.stdout.startswith("tstable "), (package.name, done.stdout)


def test_a_missing_duckdb_is_one_sentence(tmp_path):
    script = f"import sys; sys.path[:] = [{str(Path(tstable.__file__).parents[1])!r}] + [p for p in sys.path if 'lib/python' in p and 'packages' not in p]; import tstable"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr.strip().endswith("tstable needs DuckDB 1.4 or later, type: pip install 'duckdb>=1.4'")


def test_the_source_without_packages_says_how_to_make_the_wheel():
    script = f"import sys; sys.path.insert(0, {str(REPOSITORY / 'python')!r}); import tstable"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "type: make wheel && pip install" in done.stderr
